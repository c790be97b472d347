//! Files beneath a folder, found and read under the promises of
//! [`checkout`](super): no link is followed, no pipe or device opened.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    path::Path,
};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};

use super::{ENTRIES, FOLDER, beneath};

/// Folders within folders that are looked into.
const DEPTH: usize = 64;

/// A folder, and the files in it that were wanted.
#[derive(Debug)]
pub struct Folder {
    root: OwnedFd,
    /// Their paths from the folder on, sorted.
    pub paths: Vec<String>,
    /// What was wanted and is not read, or could not be looked into, and why.
    pub skipped: Vec<(String, String)>,
}

/// Finds the regular files beneath `root` whose names `wanted` accepts. `.git`
/// is not looked into.
///
/// # Errors
/// As the system's, if `root` cannot be opened, and if it holds more than
/// [`ENTRIES`] names.
pub fn find(root: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<Folder> {
    let root = rustix::fs::open(root, FOLDER, Mode::empty())?;
    let mut found = Folder { root, paths: Vec::new(), skipped: Vec::new() };
    let mut folders = vec![String::new()];
    let mut entries = 0;
    while let Some(folder) = folders.pop() {
        match found.list(&folder, &wanted, &mut entries) {
            Ok(inner) => folders.extend(inner),
            Err(error) if entries > ENTRIES || folder.is_empty() => return Err(error),
            Err(error) => found.skipped.push((folder, error.to_string())),
        }
    }
    found.paths.sort_unstable();
    found.skipped.sort_unstable();
    Ok(found)
}

impl Folder {
    /// Takes up the files of one folder; returns the folders in it.
    fn list(
        &mut self,
        folder: &str,
        wanted: &impl Fn(&str) -> bool,
        entries: &mut usize,
    ) -> io::Result<Vec<String>> {
        let opened = beneath(&self.root, folder)?;
        let mut inner = Vec::new();
        for entry in Dir::read_from(&opened)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b".." | b".git") {
                continue;
            }
            *entries += 1;
            if *entries > ENTRIES {
                return Err(io::Error::other(format!("there are more than {ENTRIES} names in it")));
            }
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                let facts = rustix::fs::statat(&opened, name, AtFlags::SYMLINK_NOFOLLOW)?;
                kind = FileType::from_raw_mode(facts.st_mode);
            }
            let shown = name.to_string_lossy();
            let path = if folder.is_empty() { shown.to_string() } else { format!("{folder}/{shown}") };
            match kind {
                FileType::Directory if path.matches('/').count() < DEPTH => inner.push(path),
                FileType::Directory => self.skipped.push((path, "it lies too deep".to_owned())),
                _ if !wanted(&shown) => {}
                FileType::RegularFile if name.to_str().is_ok() => self.paths.push(path),
                FileType::RegularFile => self.skipped.push((path, "its name is not UTF-8".to_owned())),
                FileType::Symlink => self.skipped.push((path, "it is a link".to_owned())),
                _ => self.skipped.push((path, "it is a pipe, a device or a socket".to_owned())),
            }
        }
        Ok(inner)
    }

    /// Opens a file that was found.
    ///
    /// # Errors
    /// As the system's; also if it has become something else since.
    pub fn open(&self, path: &str) -> io::Result<File> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let opened = beneath(&self.root, folder)?;
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = File::from(rustix::fs::openat(&opened, name, flags, Mode::empty())?);
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is no regular file any more"));
        }
        Ok(file)
    }

    /// Reads a file that was found, at most `most` bytes.
    ///
    /// # Errors
    /// As [`Folder::open`].
    pub fn read(&self, path: &str, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(path)?.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
