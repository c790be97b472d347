//! The listings of folders.

use serde::Deserialize;
use serde_json::Value;

use super::{Result, part};
use crate::domain::repository::{Entry, EntryKind, Files, Listing, ObjectId};

/// More entries than GitHub lists of one tree (threats §4).
const MAX_ENTRIES: usize = 100_000;

#[derive(Deserialize)]
struct Tree {
    #[serde(rename = "__typename")]
    kind: String,
    entries: Option<Vec<TreeEntry>>,
}

#[derive(Deserialize)]
struct TreeEntry {
    name: String,
    mode: u32,
    oid: ObjectId,
    size: Option<u64>,
}

impl TreeEntry {
    fn into_entry(self, folder: &str) -> Entry {
        // The octal modes of git, which GitHub writes in decimal.
        let kind = entry_kind(self.mode);
        let path = if folder.is_empty() { self.name } else { format!("{folder}/{}", self.name) };
        let size = self.size.filter(|_| kind == EntryKind::File);
        Entry { path, kind, oid: Some(self.oid), size }
    }
}

/// What an entry of this mode is.
pub(in crate::github::read) fn entry_kind(mode: u32) -> EntryKind {
    match mode & 0o170_000 {
        0o040_000 => EntryKind::Folder,
        0o120_000 => EntryKind::Link,
        0o160_000 => EntryKind::Submodule,
        _ => EntryKind::File,
    }
}

/// The folders read, and the names GitHub answers them under.
const FOLDERS: [(&str, &str); 4] =
    [("root", ""), ("dotGithub", ".github"), ("docs", "docs"), ("licenses", "LICENSES")];

/// The listings of a repository; `empty` if nothing was committed yet.
pub(super) fn listings(repository: &Value, empty: bool) -> Result<Files> {
    let mut files = Files::default();
    for (alias, folder) in FOLDERS {
        let tree: Option<Tree> = part(&repository[alias])?;
        let listing = match tree {
            Some(Tree { kind, entries: Some(entries) }) if kind == "Tree" => {
                if entries.len() >= MAX_ENTRIES {
                    Listing::Unread(format!("it has {MAX_ENTRIES} entries or more"))
                } else {
                    Listing::Entries(entries.into_iter().map(|entry| entry.into_entry(folder)).collect())
                }
            }
            Some(Tree { kind, entries: None }) if kind == "Tree" => {
                Listing::Unread("GitHub did not list it".to_owned())
            }
            // A file, a link or a submodule of that name is no folder.
            Some(_) => Listing::Absent,
            None if folder.is_empty() && empty => Listing::Absent,
            None if folder.is_empty() => Listing::Unread("GitHub did not list it".to_owned()),
            None => match (files.unread(""), files.entry(folder).map(|entry| entry.kind)) {
                (Some(why), _) => Listing::Unread(why.to_owned()),
                (None, Some(EntryKind::Folder)) => Listing::Unread("GitHub did not list it".to_owned()),
                (None, Some(EntryKind::File | EntryKind::Link | EntryKind::Submodule) | None) => {
                    Listing::Absent
                }
            },
        };
        files.folders.insert(folder.to_owned(), listing);
    }
    Ok(files)
}
