//! Trees as flat lists of paths, which is how they are read, written and merged.

use std::collections::{BTreeMap, BTreeSet};

use super::{Mode, Object, Objects, Oid, TreeEntry};

/// The files of a tree by full path: blobs, links and submodules, no directories.
pub type Files = BTreeMap<String, (Mode, Oid)>;

/// The paths both sides changed differently since their merge base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeConflict(pub Vec<String>);

impl Objects {
    /// Every file beneath a tree, by path.
    pub fn files(&self, tree: Oid) -> Files {
        let mut files = Files::new();
        self.collect(tree, "", &mut |path, entry| {
            if entry.mode != Mode::Directory {
                files.insert(path, (entry.mode, entry.oid));
            }
        });
        files
    }

    /// Every entry beneath a tree in the order of a recursive listing:
    /// directories stand before what they contain.
    pub fn entries(&self, tree: Oid) -> Vec<(String, TreeEntry)> {
        let mut entries = Vec::new();
        self.collect(tree, "", &mut |path, entry| entries.push((path, entry.clone())));
        entries
    }

    fn collect(&self, tree: Oid, prefix: &str, visit: &mut impl FnMut(String, &TreeEntry)) {
        for entry in self.tree(tree).unwrap_or_default() {
            let path = format!("{prefix}{}", entry.name);
            visit(path.clone(), entry);
            if entry.mode == Mode::Directory {
                self.collect(entry.oid, &format!("{path}/"), visit);
            }
        }
    }

    /// The entry at a path beneath a tree; the tree itself for the empty path.
    pub fn entry_at(&self, tree: Oid, path: &str) -> Option<TreeEntry> {
        let mut here = TreeEntry { name: String::new(), mode: Mode::Directory, oid: tree };
        for name in path.split('/').filter(|name| !name.is_empty()) {
            here = self.tree(here.oid)?.iter().find(|entry| entry.name == name)?.clone();
        }
        Some(here)
    }

    /// Writes the trees for a list of files and returns the root's id. The
    /// empty list gives git's empty tree.
    pub fn write_tree(&mut self, files: &Files) -> Oid {
        let mut entries = Vec::new();
        let mut directories: BTreeMap<&str, Files> = BTreeMap::new();
        for (path, (mode, oid)) in files {
            match path.split_once('/') {
                None => entries.push(TreeEntry { name: path.clone(), mode: *mode, oid: *oid }),
                Some((directory, rest)) => {
                    directories.entry(directory).or_default().insert(rest.to_owned(), (*mode, *oid));
                }
            }
        }
        for (name, files) in directories {
            let oid = self.write_tree(&files);
            entries.push(TreeEntry { name: name.to_owned(), mode: Mode::Directory, oid });
        }
        self.insert_tree(entries)
    }

    /// Stores one tree level, sorted as git sorts: a directory counts as if
    /// its name ended in a slash.
    pub fn insert_tree(&mut self, mut entries: Vec<TreeEntry>) -> Oid {
        entries.sort_by_cached_key(|entry| {
            let slash = if entry.mode == Mode::Directory { "/" } else { "" };
            format!("{}{slash}", entry.name).into_bytes()
        });
        self.insert(Object::Tree(entries))
    }

    /// Merges two commits' files over their merge base, whole files at a time.
    ///
    /// # Errors
    /// The paths that both sides changed to different content.
    pub fn merge_files(&self, ours: Oid, theirs: Oid) -> Result<Files, MergeConflict> {
        let files = |commit: Option<Oid>| {
            commit.and_then(|oid| self.commit(oid)).map(|c| self.files(c.tree)).unwrap_or_default()
        };
        let base = files(self.merge_base(ours, theirs));
        let (mut merged, theirs) = (files(Some(ours)), files(Some(theirs)));
        let mut conflicts = Vec::new();
        let paths: BTreeSet<&String> = base.keys().chain(theirs.keys()).collect();
        for path in paths {
            let (was, wanted) = (base.get(path), theirs.get(path));
            let current = merged.get(path);
            if wanted == was || wanted == current {
                continue;
            }
            if current != was {
                conflicts.push(path.clone());
                continue;
            }
            match wanted {
                Some(entry) => merged.insert(path.clone(), *entry),
                None => merged.remove(path),
            };
        }
        if conflicts.is_empty() { Ok(merged) } else { Err(MergeConflict(conflicts)) }
    }
}
