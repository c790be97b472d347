//! Texts of files: those that came with the snapshot, those that are read by
//! object id, and the few that only come as bytes.
//!
//! Promises: (1) a text counts only if git's hash of it is the object's id;
//! otherwise its bytes are read and decoded; (2) a link, a submodule or a
//! folder has no text; (3) what is kept is kept by installation and object
//! id, up to a bound, and only if it is whole.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use base64::Engine as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Files, Kind, Reader, RepositoryName, Result, answer, needs};
use crate::{
    domain::{
        license::decode,
        observed::PolicySource,
        repository::{EntryKind, FileText, InstallationId, Login, ObjectId},
    },
    github::{client::Who, error::Error, graphql::TEXTS},
};

/// The largest text that is read, in bytes (threats §4).
const MAX_TEXT: u64 = 1024 * 1024;
/// The most texts of one repository beside those of the snapshot.
const MAX_TEXTS: usize = 64;
/// The bytes of text that are kept in memory.
const KEPT: usize = 8 * 1024 * 1024;

/// The texts that come with the snapshot, in the order of its aliases `t0`, ….
pub(super) const FORESEEN: [&str; 11] = [
    "LICENSE",
    "LICENSE.md",
    "LICENSE.txt",
    "README.md",
    "README",
    "README.rst",
    "CONTRIBUTING.md",
    ".github/CONTRIBUTING.md",
    "docs/CONTRIBUTING.md",
    "code.json",
    ".github/muster.yml",
];

/// A blob of GraphQL's.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blob {
    pub(super) oid: ObjectId,
    byte_size: Option<u64>,
    is_binary: Option<bool>,
    #[serde(default)]
    is_truncated: bool,
    text: Option<String>,
}

/// What a blob turned out to be.
pub(super) enum Found {
    Text(FileText),
    /// The bytes have to be read.
    Bytes,
}

impl Blob {
    pub(super) fn sort(&self, oid: &ObjectId) -> Found {
        let size = self.byte_size.unwrap_or_default();
        if &self.oid != oid {
            return Found::Text(FileText::Unread("it changed while it was read".to_owned()));
        }
        if self.is_truncated || size > MAX_TEXT {
            return Found::Text(FileText::TooLarge(size));
        }
        match &self.text {
            Some(text) if self.is_binary != Some(true) && oid.is_blob(text.as_bytes()) => {
                // A byte order mark is part of the object, not of the text.
                Found::Text(decode(text.as_bytes()).map_or(FileText::Binary, |text| FileText::of(&text)))
            }
            // Binary to GitHub, or not as it is: UTF-16 and Latin-1 come so.
            Some(_) | None => Found::Bytes,
        }
    }
}

/// A text that is wanted and not there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    path: String,
    pub(super) oid: ObjectId,
    /// In bytes.
    pub(super) size: u64,
}

/// What is still to be read of a repository.
#[derive(Debug, Default)]
pub(super) struct Missing {
    pub(super) texts: Vec<Wish>,
    /// By path: what GitHub has as bytes only.
    pub(super) bytes: Vec<(String, ObjectId)>,
}

impl Missing {
    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.bytes.is_empty()
    }
}

type Key = (Option<InstallationId>, ObjectId);

/// Texts in memory; the oldest leave first.
#[derive(Default)]
pub(in crate::github) struct TextCache(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    texts: HashMap<Key, FileText>,
    order: VecDeque<Key>,
    bytes: usize,
}

impl TextCache {
    fn get(&self, key: &Key) -> Option<FileText> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).texts.get(key).cloned()
    }

    fn put(&self, key: Key, text: FileText) {
        let size = |text: &FileText| text.text().map_or(0, str::len) + 128;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let added = size(&text);
        if kept.texts.insert(key.clone(), text).is_some() {
            return;
        }
        kept.bytes += added;
        kept.order.push_back(key);
        while kept.bytes > KEPT {
            let Some(oldest) = kept.order.pop_front() else { return };
            let freed = kept.texts.remove(&oldest).as_ref().map_or(0, size);
            kept.bytes -= freed;
        }
    }
}

impl Reader {
    /// Fills in the texts of `files`: those that came along, then those that
    /// are wanted and did not.
    pub(super) async fn read_texts(
        &self,
        name: &RepositoryName,
        repository: &Value,
        files: &mut Files,
        wanted: super::Wanted<'_>,
    ) -> Result<()> {
        let Missing { texts, mut bytes } = self.texts_at_hand(repository, files, wanted);
        for some in texts.chunks(8) {
            self.read_eight(name, some, files, &mut bytes).await?;
        }
        for (path, oid) in bytes {
            let text = self.read_bytes(name, &oid).await?;
            files.texts.insert(path, text);
        }
        Ok(())
    }

    /// Fills in the texts that came along or were read before, and those of
    /// which it is clear that they are not read; what is still missing.
    pub(super) fn texts_at_hand(
        &self,
        repository: &Value,
        files: &mut Files,
        wanted: super::Wanted<'_>,
    ) -> Missing {
        let mut missing = Missing::default();
        for (at, path) in FORESEEN.iter().enumerate() {
            let Some(oid) = file(files, path) else { continue };
            match Blob::deserialize(&repository[format!("t{at}")]).map(|blob| blob.sort(&oid)) {
                Ok(Found::Text(text)) => {
                    files.texts.insert((*path).to_owned(), text);
                }
                Ok(Found::Bytes) => missing.bytes.push(((*path).to_owned(), oid)),
                // The listing has it, the answer has not: it is wanted below.
                Err(_) => {}
            }
        }
        for path in wanted(files) {
            let size = files.entry(&path).and_then(|entry| entry.size).unwrap_or_default();
            let Some(oid) = file(files, &path) else { continue };
            if files.texts.contains_key(&path) || missing.bytes.iter().any(|(seen, _)| *seen == path) {
                continue;
            }
            if size > MAX_TEXT {
                files.texts.insert(path, FileText::TooLarge(size));
            } else if missing.texts.len() == MAX_TEXTS {
                files.texts.insert(path, FileText::Unread("there are too many candidates".to_owned()));
            } else if !missing.texts.iter().any(|seen| seen.path == path) {
                missing.texts.push(Wish { path, oid, size });
            }
        }
        missing.texts.retain(|wish| match self.texts.get(&self.key(&wish.oid)) {
            Some(text) => {
                files.texts.insert(wish.path.clone(), text);
                false
            }
            None => true,
        });
        missing
    }

    /// Takes in a text that was asked for by object id.
    pub(super) fn take_text(
        &self,
        wish: &Wish,
        object: &Value,
        files: &mut Files,
        bytes: &mut Vec<(String, ObjectId)>,
    ) {
        let text = match Blob::deserialize(object).map(|blob| blob.sort(&wish.oid)) {
            Ok(Found::Text(text)) => text,
            Ok(Found::Bytes) => {
                bytes.push((wish.path.clone(), wish.oid.clone()));
                return;
            }
            Err(_) => FileText::Unread("GitHub did not send it".to_owned()),
        };
        self.keep(&wish.oid, &text);
        files.texts.insert(wish.path.clone(), text);
    }

    /// Reads up to eight texts by object id in one call.
    async fn read_eight(
        &self,
        name: &RepositoryName,
        some: &[Wish],
        files: &mut Files,
        bytes: &mut Vec<(String, ObjectId)>,
    ) -> Result<()> {
        let mut variables = json!({ "owner": name.owner().as_str(), "name": name.name() });
        let aliases = ["a", "b", "c", "d", "e", "f", "g", "h"];
        for (at, alias) in aliases.iter().enumerate() {
            // Fewer than eight: the last one is asked for again.
            variables[*alias] = some[at.min(some.len() - 1)].oid.as_str().into();
        }
        let answer: Value = self.query(&TEXTS, &variables).await?;
        for (wish, alias) in some.iter().zip(aliases) {
            self.take_text(wish, &answer["repository"][alias], files, bytes);
        }
        Ok(())
    }

    /// The texts of objects, eight a call.
    pub(super) async fn texts_of_objects(
        &self,
        name: &RepositoryName,
        oids: &[ObjectId],
    ) -> Result<HashMap<ObjectId, FileText>> {
        let (mut files, mut bytes) = (Files::default(), Vec::new());
        let wish = |oid: &ObjectId| Wish { path: oid.to_string(), oid: oid.clone(), size: 0 };
        let wishes: Vec<Wish> = oids.iter().map(wish).collect();
        for some in wishes.chunks(8) {
            self.read_eight(name, some, &mut files, &mut bytes).await?;
        }
        for (path, oid) in bytes {
            let text = self.read_bytes(name, &oid).await?;
            files.texts.insert(path, text);
        }
        Ok(oids.iter().filter_map(|oid| Some((oid.clone(), files.texts.remove(oid.as_str())?))).collect())
    }

    /// The text of a blob that came along, read by its bytes if need be.
    pub(super) async fn text_of(
        &self,
        name: &RepositoryName,
        oid: &ObjectId,
        blob: &Value,
    ) -> Result<FileText> {
        match Blob::deserialize(blob).map(|blob| blob.sort(oid)) {
            Ok(Found::Text(text)) => Ok(text),
            Ok(Found::Bytes) => self.read_bytes(name, oid).await,
            Err(_) => Ok(FileText::Unread("GitHub did not send it".to_owned())),
        }
    }

    /// The bytes of a blob, up to some 24 MiB; `None` if what came is not it.
    /// One call.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Permanent`] if it is larger.
    pub async fn object_bytes(&self, name: &RepositoryName, oid: &ObjectId) -> Result<Option<Vec<u8>>> {
        #[derive(Deserialize)]
        struct Blob {
            content: String,
            encoding: String,
        }
        let values = [name.owner().as_str(), name.name(), oid.as_str()];
        let blob: Blob = self.client.rest_json(&self.who, &needs::BLOB, &values, None, Kind::Read).await?;
        let bytes = match blob.encoding.as_str() {
            "base64" => {
                let content: String = blob.content.split_whitespace().collect();
                base64::engine::general_purpose::STANDARD.decode(content).ok()
            }
            "utf-8" => Some(blob.content.into_bytes()),
            _ => None,
        };
        Ok(bytes.filter(|bytes| oid.is_blob(bytes)))
    }

    /// Reads a blob's bytes and decodes them.
    pub(super) async fn read_bytes(&self, name: &RepositoryName, oid: &ObjectId) -> Result<FileText> {
        if let Some(text) = self.texts.get(&self.key(oid)) {
            return Ok(text);
        }
        let bytes = match self.object_bytes(name, oid).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(FileText::Unread("what GitHub sent is not this file".to_owned())),
            Err(Error::NotFound(_)) => return Ok(FileText::Unread("it is gone meanwhile".to_owned())),
            Err(error) => return Err(error),
        };
        let text = decode(&bytes).map_or(FileText::Binary, |text| FileText::of(&text));
        self.keep(oid, &text);
        Ok(text)
    }

    /// The policy with its text, where it can be read.
    pub(super) async fn whole_policy(
        &self,
        owner: &Login,
        policy: PolicySource,
        answer: &answer::Whole,
    ) -> Result<PolicySource> {
        let PolicySource::Text { oid, commit, .. } = policy else { return Ok(policy) };
        let home = RepositoryName::new(owner.clone(), ".github")
            .map_err(|error| Error::Permanent(error.to_string()))?;
        let blob = answer.home.as_ref().map_or(&Value::Null, |home| &home["policy"]);
        Ok(match self.text_of(&home, &oid, blob).await? {
            FileText::Unread(why) => PolicySource::Unread(why),
            FileText::Text(text) => PolicySource::Text { oid, text: Some(text.to_string()), commit },
            FileText::Binary | FileText::LfsPointer | FileText::TooLarge(_) => {
                PolicySource::Text { oid, text: None, commit }
            }
        })
    }

    fn key(&self, oid: &ObjectId) -> Key {
        let installation = match &self.who {
            Who::Installation(scope) => Some(scope.installation),
            Who::App | Who::Token => None,
        };
        (installation, oid.clone())
    }

    fn keep(&self, oid: &ObjectId, text: &FileText) {
        match text {
            FileText::Text(_) | FileText::Binary | FileText::LfsPointer => {
                self.texts.put(self.key(oid), text.clone());
            }
            FileText::TooLarge(_) | FileText::Unread(_) => {}
        }
    }
}

/// The object of a regular file.
fn file(files: &Files, path: &str) -> Option<ObjectId> {
    let entry = files.entry(path)?;
    if entry.kind == EntryKind::File { entry.oid.clone() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::graphql::SNAPSHOT;

    fn blob(text: Option<&str>, oid: &str, size: u64, truncated: bool) -> Blob {
        Blob {
            oid: oid.parse().unwrap(),
            byte_size: Some(size),
            is_binary: Some(text.is_none()),
            is_truncated: truncated,
            text: text.map(str::to_owned),
        }
    }

    // `printf 'hello\n' | git hash-object --stdin`
    const HELLO: &str = "ce013625030ba8dba906f756967f9e9ca394464a";

    #[test]
    fn the_snapshot_asks_for_the_texts_that_are_foreseen() {
        for (at, path) in FORESEEN.iter().enumerate() {
            assert!(SNAPSHOT.text.contains(&format!("t{at}: object(expression: \"HEAD:{path}\")")), "{path}");
        }
        assert!(!SNAPSHOT.text.contains(&format!("t{}: ", FORESEEN.len())));
    }

    #[test]
    fn a_text_counts_only_if_git_gives_it_its_object_id() {
        let oid: ObjectId = HELLO.parse().unwrap();
        assert!(oid.is_blob(b"hello\n") && !oid.is_blob(b"hello"));
        let sha256 = "2cf8d83d9ee29543b34a87727421fdecb7e3f3a183d337639025de576db9ebb4";
        assert!(sha256.parse::<ObjectId>().unwrap().is_blob(b"hello\n"));
        let sort = |blob: Blob| match blob.sort(&oid) {
            Found::Text(text) => Some(text),
            Found::Bytes => None,
        };
        assert_eq!(sort(blob(Some("hello\n"), HELLO, 6, false)), Some(FileText::of("hello\n")));
        assert_eq!(sort(blob(Some("hell\u{fffd}\n"), HELLO, 6, false)), None);
        assert_eq!(sort(blob(None, HELLO, 6, false)), None);
        assert_eq!(sort(blob(Some("hel"), HELLO, 2_000_000, true)), Some(FileText::TooLarge(2_000_000)));
        let moved = blob(Some("hello\n"), &"0".repeat(40), 6, false);
        assert!(matches!(sort(moved), Some(FileText::Unread(_))));
    }

    #[test]
    fn what_is_kept_is_bounded_and_apart_by_installation() {
        let cache = TextCache::default();
        let key = |installation, n: usize| {
            (Some(InstallationId(installation)), format!("{n:040x}").parse().unwrap())
        };
        cache.put(key(1, 0), FileText::of("one tenant's"));
        assert_eq!(cache.get(&key(2, 0)), None);
        let text = FileText::of(&"x".repeat(MAX_TEXT as usize));
        for n in 1..=20 {
            cache.put(key(1, n), text.clone());
            cache.put(key(1, n), text.clone());
        }
        assert_eq!(cache.get(&key(1, 0)), None);
        assert_eq!(cache.get(&key(1, 20)), Some(text));
        let kept = cache.0.lock().unwrap();
        assert!(kept.bytes <= KEPT && kept.order.len() == kept.texts.len() && kept.texts.len() >= 7);
    }
}
