//! Source lines of a checkout or of an archive, for an estimate of labor hours.
//!
//! Promises (threats O3, O4): (1) nothing outside is opened and nothing is
//! unpacked; (2) beyond the limits of [`Counter`], of [`Archive`] or after
//! [`TIME`] there is no number, and an error says why.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
    time::{Duration, Instant},
};

use code_json::labor::{Counter, Limits};

use super::{archive::Archive, folder};

/// How long counting may take (threats O3).
pub const TIME: Duration = Duration::from_secs(60);

/// Counts the lines of a checkout, if `path` is a folder, or of a `.tar.gz`.
///
/// # Errors
/// As the system's; what is wrong with the archive; or a limit.
pub fn count(path: &Path) -> io::Result<Counter> {
    let counter = Counter::new(Limits::default());
    let until = Instant::now() + TIME;
    within(if path.is_dir() {
        count_folder(path, counter, until)?
    } else {
        count_archive(BufReader::new(File::open(path)?), counter, until)?
    })
}

/// Counts the lines of a `.tar.gz` as it streams by.
///
/// # Errors
/// As [`count`].
pub fn count_stream(from: impl Read) -> io::Result<Counter> {
    within(count_archive(from, Counter::new(Limits::default()), Instant::now() + TIME)?)
}

fn within(counter: Counter) -> io::Result<Counter> {
    if counter.is_over() {
        return Err(io::Error::other("there are too many files or bytes in it to count"));
    }
    Ok(counter)
}

fn count_folder(root: &Path, mut counter: Counter, until: Instant) -> io::Result<Counter> {
    let found = folder::find(root, |_| true)?;
    for path in &found.paths {
        in_time(until)?;
        let file = found.open(path)?;
        if counter.wants(path, file.metadata()?.len()) {
            let mut text = Vec::new();
            file.take(Limits::default().file_bytes + 1).read_to_end(&mut text)?;
            counter.add(path, &text);
        }
    }
    Ok(counter)
}

fn count_archive(from: impl Read, mut counter: Counter, until: Instant) -> io::Result<Counter> {
    let mut archive = Archive::new(from);
    while let Some(entry) = archive.next_entry()? {
        in_time(until)?;
        if entry.is_file && counter.wants(&entry.path, entry.size) {
            let text = archive.read(Limits::default().file_bytes + 1)?;
            counter.add(&entry.path, &text);
        }
    }
    Ok(counter)
}

fn in_time(until: Instant) -> io::Result<()> {
    if Instant::now() > until {
        return Err(io::Error::other(format!("counting takes longer than {} s", TIME.as_secs())));
    }
    Ok(())
}
