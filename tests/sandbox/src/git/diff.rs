//! Differences between two trees, file by file, with unified patches.

use std::collections::BTreeSet;

use similar::{ChangeTag, TextDiff};

use super::{Files, Mode, Objects, Oid};

/// What happened to a file. Renames are shown as a removal and an addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileStatus {
    /// Not there before.
    Added,
    /// Not there afterwards.
    Removed,
    /// Content or mode differs.
    Modified,
}

impl FileStatus {
    /// The word of the REST API.
    pub fn word(self) -> &'static str {
        match self {
            FileStatus::Added => "added",
            FileStatus::Removed => "removed",
            FileStatus::Modified => "modified",
        }
    }
}

/// One changed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Full path.
    pub path: String,
    /// What happened.
    pub status: FileStatus,
    /// Mode and blob before; `None` for an added file.
    pub before: Option<(Mode, Oid)>,
    /// Mode and blob afterwards; `None` for a removed file.
    pub after: Option<(Mode, Oid)>,
    /// Lines added; 0 for a binary file.
    pub additions: u64,
    /// Lines deleted; 0 for a binary file.
    pub deletions: u64,
    /// The hunks, three lines of context; `None` for a binary file.
    pub patch: Option<String>,
}

impl Objects {
    /// What changed from one tree to another (`None`: the empty tree).
    pub fn diff(&self, from: Option<Oid>, to: Option<Oid>) -> Vec<FileChange> {
        let files = |tree: Option<Oid>| tree.map_or_else(Files::new, |tree| self.files(tree));
        let (before, after) = (files(from), files(to));
        let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        paths
            .into_iter()
            .filter(|path| before.get(*path) != after.get(*path))
            .map(|path| self.change(path, before.get(path).copied(), after.get(path).copied()))
            .collect()
    }

    fn change(&self, path: &str, before: Option<(Mode, Oid)>, after: Option<(Mode, Oid)>) -> FileChange {
        let status = match (before, after) {
            (None, _) => FileStatus::Added,
            (Some(_), None) => FileStatus::Removed,
            (Some(_), Some(_)) => FileStatus::Modified,
        };
        let text = |side: Option<(Mode, Oid)>| match side {
            None => Some(String::new()),
            Some((Mode::Submodule, oid)) => Some(format!("Subproject commit {oid}\n")),
            Some((_, oid)) => {
                let content = self.blob(oid)?;
                let text = std::str::from_utf8(content).ok()?;
                (!text.contains('\0')).then(|| text.to_owned())
            }
        };
        let (mut additions, mut deletions, mut patch) = (0, 0, None);
        if let (Some(old), Some(new)) = (text(before), text(after)) {
            let diff = TextDiff::from_lines(&old, &new);
            for change in diff.iter_all_changes() {
                match change.tag() {
                    ChangeTag::Insert => additions += 1,
                    ChangeTag::Delete => deletions += 1,
                    ChangeTag::Equal => {}
                }
            }
            let hunks = diff.unified_diff().context_radius(3).to_string();
            patch = Some(hunks.trim_end_matches('\n').to_owned());
        }
        FileChange { path: path.to_owned(), status, before, after, additions, deletions, patch }
    }
}
