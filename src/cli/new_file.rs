//! A file that a command makes (threats §4, Files).
//!
//! Promises: (1) it is for its owner alone; (2) it is there whole or not at
//! all, also if the machine fails; (3) nothing is overwritten without `force`.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, ErrorKind},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

/// A file in the making, beside its place.
pub(super) struct NewFile {
    /// Where its content goes.
    pub(super) out: BufWriter<File>,
    unfinished: Unfinished,
    file: PathBuf,
    force: bool,
}

impl NewFile {
    /// Begins the file that is to stand at `file`.
    ///
    /// # Errors
    /// If something stands there and `force` is not set, or the system's.
    pub(super) fn at(file: &Path, force: bool) -> anyhow::Result<NewFile> {
        if !force && file.exists() {
            bail!(there(file));
        }
        let Some(name) = file.file_name() else { bail!("{} names no file", file.display()) };
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{:08x}", rand::random::<u32>()));
        let unfinished = Unfinished(file.with_file_name(hidden));
        let options = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished.0);
        let out = BufWriter::new(options.with_context(|| failed(&unfinished.0))?);
        Ok(NewFile { out, unfinished, file: file.to_owned(), force })
    }

    /// Presses it onto the disk and moves it to its place.
    ///
    /// # Errors
    /// If something came to stand there meanwhile, or the system's.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let NewFile { out, unfinished, file, force } = self;
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|out| out.sync_all())
            .with_context(|| failed(&unfinished.0))?;
        match place(&unfinished.0, &file, force) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!(there(&file)),
            placed => placed.with_context(|| failed(&file)),
        }
    }
}

fn there(file: &Path) -> String {
    format!("{} is there already: choose another name, or add --force", file.display())
}

fn failed(file: &Path) -> String {
    format!("cannot write {}", file.display())
}

/// Moves a finished file to its place, and presses the folder onto the disk.
fn place(unfinished: &Path, file: &Path, force: bool) -> io::Result<()> {
    if force {
        fs::rename(unfinished, file)?;
    } else {
        // A link never replaces what came there meanwhile, as a rename would.
        match fs::hard_link(unfinished, file) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
            // A file system without links.
            Err(_) => fs::rename(unfinished, file)?,
            Ok(()) => {}
        }
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// A file that goes away with its owner, wherever the work ends.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After a rename there is nothing left to remove.
        let _ = fs::remove_file(&self.0);
    }
}
