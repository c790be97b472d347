//! Files that hold a secret (threats §4, Files): regular, not a link, ours,
//! and readable by nobody else.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use rustix::{fs::OFlags, process::geteuid};
use secrecy::SecretString;

/// The longest secret file, in bytes; a key of 8192 bits has 7,000.
const MAX_BYTES: u64 = 64 * 1024;

/// Why a file is refused. The path is shown, nothing of the content.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) found: String,
    pub(super) remedy: String,
}

/// Reads a secret file. Beneath `credentials`, the folder in which the service
/// manager hands out secrets (systemd's `CREDENTIALS_DIRECTORY`), owner and
/// mode are the manager's own: there it grants access by lists that a mode
/// cannot show.
pub(super) fn read(path: &Path, credentials: Option<&Path>) -> Result<SecretString, Refused> {
    let refused =
        |found: String, remedy: String| Err(Refused { found: format!("{} {found}", path.display()), remedy });
    // What is checked is what was opened: a file that is exchanged afterwards
    // changes nothing. Without NONBLOCK a pipe would wait for its writer.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).expect("open flags fit the type the system takes");
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if path.is_symlink() => {
            return refused(format!("is a link ({error})"), "write the path of the file itself".into());
        }
        Err(error) => {
            let remedy = match error.kind() {
                ErrorKind::PermissionDenied => "let the user that runs muster own it, with mode 0400",
                _ => "write the path of a file that exists",
            };
            return refused(format!("cannot be opened: {error}"), remedy.into());
        }
    };
    let metadata = match file.metadata() {
        Ok(metadata) => metadata,
        Err(error) => return refused(format!("cannot be looked at: {error}"), "check the disk".into()),
    };
    if !metadata.is_file() {
        return refused("is not a regular file".into(), "write the path of a file".into());
    }
    let handed_out = credentials.is_some_and(|folder| path.parent() == Some(folder));
    if !handed_out && metadata.uid() != geteuid().as_raw() {
        let remedy =
            format!("let the user that runs muster own it: chown {} {}", geteuid().as_raw(), path.display());
        return refused(format!("belongs to user {}", metadata.uid()), remedy);
    }
    if !handed_out && metadata.mode() & 0o077 != 0 {
        let found = format!("may be read by others: its mode is {:04o}", metadata.mode() & 0o7777);
        return refused(found, format!("chmod 0400 {}", path.display()));
    }
    if metadata.len() > MAX_BYTES {
        return refused(format!("has {} bytes", metadata.len()), format!("write at most {MAX_BYTES}"));
    }
    content(file).or_else(|error| {
        refused(format!("cannot be read as text: {error}"), "write it in ASCII or UTF-8".into())
    })
}

fn content(file: File) -> std::io::Result<SecretString> {
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok(SecretString::from(text))
}
