//! How every rule finds its file and what it makes of the content.
//!
//! Content that stands elsewhere (a link, a submodule, Git LFS) or was not read
//! cannot be judged; content that stands here but is no text can only be said
//! to exist.

use crate::domain::{
    repository::{Entry, EntryKind, FileText, Files, Snapshot},
    words,
};

/// The files that may answer a rule, and what stood in the way of looking.
pub(super) struct Search<'s> {
    /// In the order of the folders, the best name of each folder first.
    pub(super) found: Vec<&'s Entry>,
    /// Why something may have been overlooked.
    pub(super) overlooked: Option<String>,
    /// Two names that differ in case only.
    pub(super) collision: Option<String>,
}

/// Looks through `folders`, then at `extra` paths, for entries that `rank`
/// gives a place: the lower, the better.
pub(super) fn search<'s>(
    files: &'s Files,
    folders: &[&str],
    extra: &[String],
    rank: impl Fn(&Entry) -> Option<u32>,
) -> Search<'s> {
    let mut search = Search { found: Vec::new(), overlooked: None, collision: None };
    for folder in folders {
        if let Some(why) = files.unread(folder) {
            search.overlooked.get_or_insert_with(|| words::file::folder_unread(folder, why));
        }
        let mut here: Vec<(u32, &Entry)> = files
            .in_folder(folder)
            .filter(|entry| entry.kind != EntryKind::Folder)
            .filter_map(|entry| Some((rank(entry)?, entry)))
            .collect();
        here.sort_by(|one, other| (one.0, &one.1.path).cmp(&(other.0, &other.1.path)));
        search.found.extend(here.into_iter().map(|(_, entry)| entry));
    }
    for path in extra {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        match files.entry(path) {
            Some(entry) if entry.kind != EntryKind::Folder => {
                if !search.found.iter().any(|found| found.path == entry.path) {
                    search.found.push(entry);
                }
            }
            Some(_) => {}
            None => {
                if let Some(why) = files.unread(folder) {
                    search.overlooked.get_or_insert_with(|| words::file::folder_unread(folder, why));
                }
            }
        }
    }
    search.collision = collision(&search.found);
    search
}

fn collision(found: &[&Entry]) -> Option<String> {
    let mut names: Vec<(String, &str)> =
        found.iter().map(|entry| (entry.path.to_lowercase(), entry.path.as_str())).collect();
    names.sort_unstable();
    let twins = names.windows(2).find(|pair| pair[0].0 == pair[1].0)?;
    Some(words::file::collision(twins[0].1, twins[1].1))
}

/// What stands in a file.
pub(super) enum Content<'s> {
    /// Text with something to see in it.
    Text(&'s str),
    /// Nothing, or white space.
    Empty,
    /// Something is here, but it is not text that is read; why.
    Opaque(String),
    /// It is elsewhere, or was not read; why.
    OutOfReach(String),
}

pub(super) fn content<'s>(snapshot: &'s Snapshot, entry: &Entry) -> Content<'s> {
    content_of(&snapshot.files, entry)
}

pub(super) fn content_of<'s>(files: &'s Files, entry: &Entry) -> Content<'s> {
    let path = &entry.path;
    match entry.kind {
        EntryKind::File | EntryKind::Folder => {}
        EntryKind::Link => return Content::OutOfReach(words::file::link(path)),
        EntryKind::Submodule => return Content::OutOfReach(words::file::submodule(path)),
    }
    match files.texts.get(path) {
        Some(FileText::Text(text)) if is_blank(text) => Content::Empty,
        Some(FileText::Text(text)) => Content::Text(text),
        Some(FileText::Binary) => Content::Opaque(words::file::binary(path)),
        Some(FileText::TooLarge(bytes)) => Content::Opaque(words::file::too_large(path, *bytes)),
        Some(FileText::LfsPointer) => Content::OutOfReach(words::file::lfs_pointer(path)),
        Some(FileText::Unread(why)) => Content::OutOfReach(words::file::unread(path, why)),
        None if entry.size == Some(0) => Content::Empty,
        None => Content::OutOfReach(words::file::unread(path, "its text was not fetched")),
    }
}

/// A byte order mark shows nothing either.
fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c == '\u{feff}')
}
