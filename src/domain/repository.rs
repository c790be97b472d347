//! What a rule may know about one repository.
//!
//! Promises: (1) names, ids and object ids are parsed once, at the edge;
//! (2) a repository is the same repository under any name, since GitHub's
//! numeric id decides; (3) what could not be read is said ([`FileText::Unread`]),
//! never taken for missing.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::basis::{self, Facts};

/// GitHub's numeric id of a repository, the same for life.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct RepositoryId(pub u64);

/// GitHub's numeric id of an installation of the App on an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstallationId(pub u64);

/// GitHub's numeric id of a user, a bot or an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub u64);

macro_rules! shown_as_its_number {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}
shown_as_its_number!(RepositoryId, InstallationId, AccountId);

/// An account's login: letters, digits and single hyphens, at most 39 bytes;
/// GitHub's own Apps and enterprise users add `_` and `[bot]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Login(String);

impl Login {
    /// The login as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both name the same account: GitHub folds ASCII case.
    #[must_use]
    pub fn same_as(&self, other: &Login) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl FromStr for Login {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let bytes = text.as_bytes();
        let allowed = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'[' | b']');
        if bytes.is_empty() || bytes.len() > 100 || !bytes.iter().all(allowed) {
            return Err(NameError::Login(shortened(text)));
        }
        Ok(Login(text.to_owned()))
    }
}

/// `owner/name`, as GitHub allows it: the name has letters, digits, `-`, `_`
/// and `.`, at most 100 bytes, and is neither `.` nor `..`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryName {
    owner: Login,
    name: String,
}

impl RepositoryName {
    /// The repository `name` of the account `owner`.
    ///
    /// # Errors
    /// [`NameError::Repository`] if GitHub does not allow such a name.
    pub fn new(owner: Login, name: &str) -> Result<Self, NameError> {
        let allowed = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let bytes = name.as_bytes();
        let fits = (1..=100).contains(&bytes.len()) && bytes.iter().all(allowed);
        if !fits || matches!(name, "." | "..") {
            return Err(NameError::Repository(shortened(name)));
        }
        Ok(RepositoryName { owner, name: name.to_owned() })
    }

    /// The account that owns it.
    #[must_use]
    pub fn owner(&self) -> &Login {
        &self.owner
    }

    /// The name without its owner.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is the organization's `.github` repository, whose
    /// community files the others inherit.
    #[must_use]
    pub fn is_organization_home(&self) -> bool {
        self.name.eq_ignore_ascii_case(".github")
    }
}

impl FromStr for RepositoryName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (owner, name) = text.split_once('/').ok_or_else(|| NameError::Form(shortened(text)))?;
        RepositoryName::new(owner.parse()?, name)
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! string_conversions {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
    )*};
}
string_conversions!(Login, RepositoryName, ObjectId);

/// Why a text names no account, repository or object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a login.
    #[error("{0:?} is not a GitHub login: write letters, digits and hyphens")]
    Login(String),
    /// Not a repository name.
    #[error("{0:?} is not a repository name: write letters, digits, '-', '_' and '.'")]
    Repository(String),
    /// Not of the form `owner/name`.
    #[error("{0:?} is not OWNER/NAME")]
    Form(String),
    /// Not a git object id.
    #[error("{0:?} is not a git object id: 40 or 64 hexadecimal digits")]
    ObjectId(String),
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

/// A git object id, SHA-1 or SHA-256, in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectId(String);

impl ObjectId {
    /// The hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first seven digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..7]
    }

    /// Whether this is the id git gives to a file with these bytes.
    #[must_use]
    pub fn is_blob(&self, bytes: &[u8]) -> bool {
        *self == self.of_blob(bytes)
    }

    /// The id git gives to a file with these bytes in the repository that this
    /// is an id of.
    #[must_use]
    pub fn of_blob(&self, bytes: &[u8]) -> ObjectId {
        use sha1::Digest as _;
        let header = format!("blob {}\0", bytes.len());
        ObjectId(match self.0.len() {
            40 => hex::encode(sha1::Sha1::new_with_prefix(header).chain_update(bytes).finalize()),
            _ => hex::encode(sha2::Sha256::new_with_prefix(header).chain_update(bytes).finalize()),
        })
    }
}

impl FromStr for ObjectId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let fits = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !fits {
            return Err(NameError::ObjectId(shortened(text)));
        }
        Ok(ObjectId(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who can see a repository, from the fewest to all (SHARE IT Act §2(6) counts
/// internal as private).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Those with access.
    Private,
    /// All members of the enterprise.
    Internal,
    /// Everyone.
    Public,
}

impl Visibility {
    /// The word GitHub uses, in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Visibility::Private => "private",
            Visibility::Internal => "internal",
            Visibility::Public => "public",
        }
    }
}

impl FromStr for Visibility {
    type Err = ();

    /// Reads REST's lower-case and GraphQL's upper-case words.
    fn from_str(text: &str) -> Result<Self, ()> {
        [Visibility::Private, Visibility::Internal, Visibility::Public]
            .into_iter()
            .find(|v| v.as_str().eq_ignore_ascii_case(text))
            .ok_or(())
    }
}

/// The facts GitHub states of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The id that never changes.
    pub id: RepositoryId,
    /// GraphQL's global id.
    pub node_id: String,
    /// Owner and name at the time of reading.
    pub name: RepositoryName,
    /// The page on GitHub, for people.
    pub url: String,
    /// Who can see it.
    pub visibility: Visibility,
    /// Read-only for all.
    pub archived: bool,
    /// A copy of another repository on GitHub.
    pub fork: bool,
    /// A copy of a repository elsewhere.
    pub mirror: bool,
    /// A pattern that other repositories are made from.
    pub template: bool,
    /// Switched off by GitHub.
    pub disabled: bool,
    /// Whether issues can be opened.
    pub issues_enabled: bool,
    /// The one-line description, untrusted.
    pub description: Option<String>,
    /// Its page elsewhere, untrusted.
    pub homepage: Option<String>,
    /// Its pages before it was renamed or transferred, as far as Muster was
    /// there: GitHub does not tell.
    pub former_urls: Vec<String>,
    /// Its topics.
    pub topics: Vec<String>,
    /// Its programming languages, the most code first.
    pub languages: Vec<String>,
    /// How often it was forked.
    pub forks: u64,
    /// SPDX id as GitHub's own detection has it; `NOASSERTION` when unsure.
    pub github_license: Option<String>,
    /// When the repository was made.
    pub created_at: Timestamp,
    /// The last push to any branch.
    pub pushed_at: Option<Timestamp>,
    /// The default branch and its tip; `None` while nothing was committed.
    pub head: Option<Head>,
}

impl Repository {
    /// The facts that lists state too.
    #[must_use]
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            name: &self.name,
            visibility: self.visibility,
            archived: self.archived,
            disabled: self.disabled,
            fork: self.fork,
            mirror: self.mirror,
            template: self.template,
            issues_enabled: self.issues_enabled,
            description: self.description.as_deref(),
            homepage: self.homepage.as_deref(),
            topics: basis::topics(&self.topics),
            license: self.github_license.as_deref(),
            branch: self.head.as_ref().map(|head| head.branch.as_str()),
        }
    }
}

/// The tip of the default branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Branch name without `refs/heads/`.
    pub branch: String,
    /// The commit.
    pub oid: ObjectId,
    /// When it was committed.
    pub committed_at: Option<Timestamp>,
}

/// One line of a git tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path from the root, `/` between parts, as git has it.
    pub path: String,
    /// What stands there.
    pub kind: EntryKind,
    /// The object; absent for a local checkout, where none is needed.
    pub oid: Option<ObjectId>,
    /// Bytes, where known.
    pub size: Option<u64>,
}

impl Entry {
    /// The last part of the path.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The folder it stands in, empty for the root.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

/// What a tree entry is (git modes 100644 and 100755, 040000, 120000, 160000).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A tree.
    Folder,
    /// A symbolic link; Muster never follows one.
    Link,
    /// A commit of another repository.
    Submodule,
}

/// The text of a file, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileText {
    /// Decoded text (UTF-8, UTF-16 with a byte order mark, or Latin-1).
    Text(Arc<str>),
    /// Not text.
    Binary,
    /// A pointer of Git Large File Storage: the content is elsewhere.
    LfsPointer,
    /// Larger than Muster reads; the size in bytes.
    TooLarge(u64),
    /// There, but it could not be read; why.
    Unread(String),
}

impl FileText {
    /// The text where there is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            FileText::Text(text) => Some(text),
            FileText::Binary | FileText::LfsPointer | FileText::TooLarge(_) | FileText::Unread(_) => None,
        }
    }

    /// Sorts decoded text: a pointer of Git LFS (its specification, v1: the
    /// first line names the version) is not the text it stands for.
    #[must_use]
    pub fn of(text: &str) -> FileText {
        if text.starts_with("version https://git-lfs.github.com/spec/") && text.len() < 1024 {
            return FileText::LfsPointer;
        }
        FileText::Text(Arc::from(text))
    }
}

/// The folders in which community files count, in GitHub's order of search
/// (GitHub documentation, "Creating a default community health file").
pub const COMMUNITY_FOLDERS: [&str; 3] = [".github", "", "docs"];

/// The listing of one folder of the default branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// The folder is there and was read whole.
    Entries(Vec<Entry>),
    /// There is no such folder.
    Absent,
    /// It could not be read whole; why. Nothing in it may be called missing.
    Unread(String),
}

/// The folders and texts of one repository that rules may look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// By folder: `""`, `.github`, `docs`, `LICENSES`.
    pub folders: BTreeMap<String, Listing>,
    /// By path.
    pub texts: BTreeMap<String, FileText>,
}

impl Files {
    /// The entries of a folder, none if it is absent or unread.
    pub fn in_folder(&self, folder: &str) -> impl Iterator<Item = &Entry> {
        match self.folders.get(folder) {
            Some(Listing::Entries(entries)) => entries.as_slice(),
            Some(Listing::Absent | Listing::Unread(_)) | None => &[],
        }
        .iter()
    }

    /// Every entry of every folder read.
    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.folders.keys().flat_map(|folder| self.in_folder(folder))
    }

    /// Why a folder could not be read, if so.
    #[must_use]
    pub fn unread(&self, folder: &str) -> Option<&str> {
        match self.folders.get(folder) {
            Some(Listing::Unread(why)) => Some(why),
            Some(Listing::Entries(_) | Listing::Absent) => None,
            None => Some("this folder was not read"),
        }
    }

    /// Whether a folder or a text could not be read: another look may find more.
    #[must_use]
    pub fn has_unread(&self) -> bool {
        self.folders.values().any(|listing| matches!(listing, Listing::Unread(_)))
            || self.texts.values().any(|text| matches!(text, FileText::Unread(_)))
    }

    /// The entry at exactly this path.
    #[must_use]
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.in_folder(folder).find(|entry| entry.path == path)
    }
}

/// What the organization's `.github` repository hands down to the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inherited {
    /// Its files, and who may see them.
    Files {
        /// GitHub hands down from a public repository, and from an internal
        /// one within the enterprise; never from a private one.
        visibility: Visibility,
        /// What stands in it.
        files: Files,
    },
    /// The organization has none.
    None,
    /// It could not be read; why.
    Unread(String),
}

/// All that a rule may know about one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Facts.
    pub repository: Repository,
    /// Its own files.
    pub files: Files,
    /// The organization's defaults.
    pub inherited: Inherited,
}

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_once_and_refused_with_a_reason() {
        let name: RepositoryName = "agency/code.json-tools".parse().unwrap();
        assert_eq!(name.to_string(), "agency/code.json-tools");
        for bad in ["agency", "agency/", "/site", "a/b/c", "agency/..", "agency/a b", "agency/\u{202e}x"] {
            assert!(bad.parse::<RepositoryName>().is_err(), "{bad:?}");
        }
        assert!("x".repeat(101).parse::<Login>().is_err());
    }

    #[test]
    fn a_pointer_of_large_file_storage_is_not_its_content() {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
        assert_eq!(FileText::of(pointer), FileText::LfsPointer);
        assert_eq!(FileText::of("MIT").text(), Some("MIT"));
    }
}
