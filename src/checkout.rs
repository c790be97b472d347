//! Reads a checkout on disk as the judge sees a repository, without git and
//! without GitHub.
//!
//! Promises (threats O4): (1) nothing outside the checkout is opened: each part
//! of a path is opened by itself, beneath the folder opened before, and never
//! through a link; (2) only folders and regular files are opened: a pipe, a
//! device or a socket is named, not touched; (3) no program is run, and `.git`
//! is never opened; (4) at most [`ENTRIES`] names of a folder and [`BYTES`] of
//! a file are read, whatever their sizes claim.

use std::{
    ffi::CStr,
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    path::Path,
};

use jiff::Timestamp;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};

use crate::domain::{
    license::decode,
    repository::{
        Entry, EntryKind, FileText, Files, Head, Inherited, Listing, ObjectId, Repository, RepositoryId,
        RepositoryName, Snapshot, Visibility,
    },
    rules,
};

pub mod archive;
pub mod folder;
pub mod lines;

/// The most entries of a folder (threats §4, limits: tree).
pub const ENTRIES: usize = 100_000;
/// The most bytes of a file (threats §4, limits: README and LICENSE).
pub const BYTES: u64 = 1024 * 1024;

/// The folders that rules look into, besides the root.
const FOLDERS: [&str; 3] = [".github", "docs", "LICENSES"];

/// Reads the checkout at `root` into a snapshot. What only GitHub knows is
/// taken as of a public, active repository; `paths` are further files that the
/// policy names.
///
/// # Errors
/// As the system's, if `root` is no folder or cannot be opened.
pub fn snapshot<'p>(
    root: &Path,
    paths: impl Iterator<Item = &'p str>,
    inherited: Inherited,
) -> io::Result<Snapshot> {
    let files = read(root, paths)?;
    let empty = matches!(files.folders.get(""), Some(Listing::Entries(entries)) if entries.is_empty());
    Ok(Snapshot { repository: repository(root, empty), files, inherited })
}

/// Reads a checkout of an organization's `.github` repository: what it lends.
///
/// # Errors
/// As [`snapshot`].
pub fn defaults(root: &Path) -> io::Result<Inherited> {
    Ok(Inherited::Files { visibility: Visibility::Public, files: read(root, std::iter::empty())? })
}

fn read<'p>(root: &Path, paths: impl Iterator<Item = &'p str>) -> io::Result<Files> {
    let root = rustix::fs::open(root, FOLDER, Mode::empty())?;
    let mut files = Files::default();
    let top = list(&root, "");
    files.folders.insert(String::new(), top);
    for folder in FOLDERS {
        let listing = folder_listing(&root, folder, &files);
        files.folders.insert(folder.to_owned(), listing);
    }
    let mut wanted = rules::wanted(&files);
    for path in paths {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !files.folders.contains_key(folder) {
            let listing = match beneath(&root, folder) {
                Ok(opened) => list(&opened, folder),
                Err(error) if is_absence(error) => Listing::Absent,
                Err(error) => Listing::Unread(io::Error::from(error).to_string()),
            };
            files.folders.insert(folder.to_owned(), listing);
        }
        wanted.push(path.to_owned());
    }
    for path in wanted {
        let Some(entry) = files.entry(&path) else { continue };
        if entry.kind == EntryKind::File && !files.texts.contains_key(&path) {
            let text = text(&root, &path);
            files.texts.insert(path, text);
        }
    }
    Ok(files)
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// What the system says of a folder that is not there, or is none.
fn is_absence(error: rustix::io::Errno) -> bool {
    use rustix::io::Errno;
    // A link in the way is as good as nothing: git does not follow it either.
    matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
}

fn folder_listing(root: &OwnedFd, folder: &str, files: &Files) -> Listing {
    match files.entry(folder).map(|entry| entry.kind) {
        Some(EntryKind::Folder) => {}
        Some(EntryKind::File | EntryKind::Link | EntryKind::Submodule) => return Listing::Absent,
        // The root itself may be unread; then so is this.
        None => return files.unread("").map_or(Listing::Absent, |why| Listing::Unread(why.to_owned())),
    }
    match beneath(root, folder) {
        Ok(opened) => list(&opened, folder),
        Err(error) if is_absence(error) => Listing::Absent,
        Err(error) => Listing::Unread(io::Error::from(error).to_string()),
    }
}

/// Opens the folder at `path` beneath `root`, part by part.
fn beneath(root: &OwnedFd, path: &str) -> rustix::io::Result<OwnedFd> {
    let mut opened = root.try_clone().map_err(|_| rustix::io::Errno::MFILE)?;
    for part in path.split('/').filter(|part| !part.is_empty()) {
        if matches!(part, "." | ".." | ".git") {
            return Err(rustix::io::Errno::NOENT);
        }
        opened = rustix::fs::openat(&opened, part, FOLDER | OFlags::NOFOLLOW, Mode::empty())?;
    }
    Ok(opened)
}

fn list(folder: &OwnedFd, name: &str) -> Listing {
    let unread = |error: rustix::io::Errno| Listing::Unread(io::Error::from(error).to_string());
    let reader = match Dir::read_from(folder) {
        Ok(reader) => reader,
        Err(error) => return unread(error),
    };
    let mut entries = Vec::new();
    for entry in reader {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return unread(error),
        };
        if matches!(entry.file_name().to_bytes(), b"." | b".." | b".git") {
            continue;
        }
        if entries.len() == ENTRIES {
            return Listing::Unread(format!("it has more than {ENTRIES} entries"));
        }
        let kind = match kind(folder, entry.file_name(), entry.file_type()) {
            Ok(kind) => kind,
            Err(error) => return unread(error),
        };
        // A name that is not UTF-8 is shown with replacement characters, and
        // will not be found again under that name: its text is then unread.
        let own = entry.file_name().to_string_lossy();
        let path = if name.is_empty() { own.into_owned() } else { format!("{name}/{own}") };
        entries.push(Entry { path, kind, oid: None, size: None });
    }
    entries.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    Listing::Entries(entries)
}

/// What git would make of an entry; a pipe or device, which git cannot hold,
/// counts as a file whose text is not read.
fn kind(folder: &OwnedFd, name: &CStr, listed: FileType) -> rustix::io::Result<EntryKind> {
    let kind = match listed {
        // Some file systems list names without kinds.
        FileType::Unknown => {
            FileType::from_raw_mode(rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode)
        }
        listed => listed,
    };
    Ok(match kind {
        FileType::Directory => EntryKind::Folder,
        FileType::Symlink => EntryKind::Link,
        _ => EntryKind::File,
    })
}

/// The text of a file that a listing has.
fn text(root: &OwnedFd, path: &str) -> FileText {
    bytes(root, path).unwrap_or_else(|error| FileText::Unread(error.to_string()))
}

fn bytes(root: &OwnedFd, path: &str) -> io::Result<FileText> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let opened = if folder.is_empty() { None } else { Some(beneath(root, folder)?) };
    let folder = opened.as_ref().unwrap_or(root);
    let not_regular = || FileText::Unread("it is a pipe, a device or a socket".to_owned());
    // To open a device can have effects, so its kind is asked for first.
    let found = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return Ok(not_regular());
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::openat(folder, name, flags, Mode::empty())?);
    // It may have been exchanged since.
    let facts = file.metadata()?;
    if !facts.is_file() {
        return Ok(not_regular());
    }
    if facts.len() > BYTES {
        return Ok(FileText::TooLarge(facts.len()));
    }
    let mut bytes = Vec::with_capacity(facts.len() as usize + 1);
    file.take(BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES {
        return Ok(FileText::TooLarge(bytes.len() as u64));
    }
    let Some(text) = decode(&bytes) else { return Ok(FileText::Binary) };
    if bytes.starts_with("\u{feff}".as_bytes()) && !text.starts_with('\u{feff}') {
        // The rule for code.json has something to say about the mark.
        return Ok(FileText::of(&format!("\u{feff}{text}")));
    }
    Ok(FileText::of(&text))
}

/// The facts of a public, active repository named like its folder.
fn repository(root: &Path, empty: bool) -> Repository {
    let folder = root.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
    let name = |name: &str| format!("local/{name}").parse::<RepositoryName>();
    let name = folder
        .and_then(|folder| name(&folder).ok())
        .unwrap_or_else(|| name("checkout").expect("the form of a repository name is valid"));
    let no_commit: ObjectId = "0".repeat(40).parse().expect("forty zeros are an object id");
    Repository {
        id: RepositoryId(0),
        node_id: String::new(),
        url: String::new(),
        name,
        visibility: Visibility::Public,
        archived: false,
        fork: false,
        mirror: false,
        template: false,
        disabled: false,
        issues_enabled: false,
        description: None,
        homepage: None,
        former_urls: Vec::new(),
        topics: Vec::new(),
        languages: Vec::new(),
        forks: 0,
        github_license: None,
        created_at: Timestamp::UNIX_EPOCH,
        pushed_at: None,
        head: (!empty).then(|| Head { branch: "HEAD".to_owned(), oid: no_commit, committed_at: None }),
    }
}
