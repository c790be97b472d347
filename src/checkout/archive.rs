//! Reads a `.tar.gz` as it streams by: nothing is unpacked.
//!
//! Promises (threats O3): (1) at most [`BYTES`] come out, [`ENTRIES`] entries,
//! and [`RATIO`] times what went in; (2) links and devices are named and have
//! no bytes; (3) where two readers could see different files (an entry with two
//! sizes, a link with bytes, a kind that is not in the standard), the archive is
//! refused, not guessed at. The format is that of POSIX.1-2024, pax.

use std::io::{self, Read};

use flate2::read::GzDecoder;

use super::ENTRIES;

/// Bytes that may come out (threats O3).
pub const BYTES: u64 = 512 * 1024 * 1024;
/// How many bytes may come out of one (threats O3).
pub const RATIO: u64 = 100;
/// Bytes that come out before the ratio is looked at: small files pack well.
const UNMEASURED: u64 = 1024 * 1024;
/// Bytes of a pax header or of a long name.
const EXTENSION: u64 = 64 * 1024;
const BLOCK: usize = 512;

/// An entry of an archive.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// As the archive has it, with `/`.
    pub path: String,
    /// Bytes; none of what is no regular file.
    pub size: u64,
    /// Whether it is a regular file.
    pub is_file: bool,
}

/// An archive that is read from its beginning to its end.
pub struct Archive<R: Read> {
    from: GzDecoder<Metered<R>>,
    came_out: u64,
    entries: usize,
    /// Of the entry at hand, bytes that are left, and those that fill its block.
    left: u64,
    padding: u64,
}

/// Counts what is read.
struct Metered<R> {
    from: R,
    went_in: u64,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.went_in += read as u64;
        Ok(read)
    }
}

/// What a pax header says of the entry after it.
#[derive(Default)]
struct Extension {
    path: Option<String>,
    size: Option<u64>,
}

impl<R: Read> Archive<R> {
    /// Begins to read.
    pub fn new(from: R) -> Archive<R> {
        let from = GzDecoder::new(Metered { from, went_in: 0 });
        Archive { from, came_out: 0, entries: 0, left: 0, padding: 0 }
    }

    /// The next entry; None at the end. What is left of the one before is
    /// passed over.
    ///
    /// # Errors
    /// It is no archive, cut off, ambiguous, or beyond a limit.
    pub fn next_entry(&mut self) -> io::Result<Option<Entry>> {
        self.pass_over()?;
        let mut extension = Extension::default();
        loop {
            let mut header = [0; BLOCK];
            if !self.fill(&mut header)? || header.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            self.entries += 1;
            if self.entries > ENTRIES {
                return Err(refused(&format!("there are more than {ENTRIES} entries in it")));
            }
            let size = checked_size(&header)?;
            let kind = header[156];
            match kind {
                b'x' | b'L' => {
                    let content = self.content(size)?;
                    if kind == b'x' {
                        extension.take(&content)?;
                    } else {
                        extension.path = Some(text(&content));
                    }
                }
                // Comments for all entries; and long names of links.
                b'g' | b'K' => {
                    self.content(size)?;
                }
                0 | b'0' | b'7' => {
                    if extension.size.is_some_and(|other| size != 0 && other != size) {
                        return Err(refused("an entry of it has two sizes"));
                    }
                    let size = extension.size.unwrap_or(size);
                    (self.left, self.padding) = (size, filler(size));
                    let path = extension.path.unwrap_or_else(|| path(&header));
                    return Ok(Some(Entry { path, size, is_file: true }));
                }
                b'1'..=b'6' if size == 0 && extension.size.unwrap_or(0) == 0 => {
                    let path = extension.path.unwrap_or_else(|| path(&header));
                    return Ok(Some(Entry { path, size: 0, is_file: false }));
                }
                b'1'..=b'6' => return Err(refused("an entry of it is no file and has bytes")),
                other => return Err(refused(&format!("it has an entry of the unknown kind {other}"))),
            }
        }
    }

    /// The bytes of the entry at hand, at most `most`.
    ///
    /// # Errors
    /// The archive is cut off, or beyond a limit.
    pub fn read(&mut self, most: u64) -> io::Result<Vec<u8>> {
        let wanted = self.left.min(most);
        let mut bytes = Vec::new();
        let read = (&mut self.from).take(wanted).read_to_end(&mut bytes)? as u64;
        self.left -= read;
        self.measure(read)?;
        if read < wanted { Err(cut_off()) } else { Ok(bytes) }
    }

    /// A header's bytes; false at the end of the archive.
    fn fill(&mut self, header: &mut [u8; BLOCK]) -> io::Result<bool> {
        let mut bytes = Vec::with_capacity(BLOCK);
        let read = (&mut self.from).take(BLOCK as u64).read_to_end(&mut bytes)?;
        self.measure(read as u64)?;
        match read {
            0 => Ok(false),
            BLOCK => {
                header.copy_from_slice(&bytes);
                Ok(true)
            }
            _ => Err(cut_off()),
        }
    }

    /// A short content, and what fills its block.
    fn content(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > EXTENSION {
            return Err(refused("it has a header that is too long"));
        }
        (self.left, self.padding) = (size, filler(size));
        let content = self.read(size)?;
        self.pass_over()?;
        Ok(content)
    }

    fn pass_over(&mut self) -> io::Result<()> {
        let mut rest = self.left + self.padding;
        (self.left, self.padding) = (0, 0);
        while rest > 0 {
            let passed = io::copy(&mut (&mut self.from).take(rest.min(UNMEASURED)), &mut io::sink())?;
            if passed == 0 {
                return Err(cut_off());
            }
            self.measure(passed)?;
            rest -= passed;
        }
        Ok(())
    }

    fn measure(&mut self, bytes: u64) -> io::Result<()> {
        self.came_out += bytes;
        if self.came_out > BYTES {
            return Err(refused(&format!("more than {} MiB come out of it", BYTES / 1024 / 1024)));
        }
        let went_in = self.from.get_ref().went_in;
        if self.came_out > UNMEASURED && self.came_out / RATIO > went_in {
            return Err(refused(&format!("more than {RATIO} times its size comes out of it")));
        }
        Ok(())
    }
}

impl Extension {
    /// Records of the form `LENGTH KEY=VALUE\n`.
    fn take(&mut self, mut content: &[u8]) -> io::Result<()> {
        let broken = || refused("it has a broken header");
        while !content.is_empty() {
            let space = content.iter().position(|byte| *byte == b' ').ok_or_else(broken)?;
            let length: usize = text(&content[..space]).parse().map_err(|_| broken())?;
            let record = content.get(space + 1..length).and_then(|record| record.strip_suffix(b"\n"));
            let record = text(record.ok_or_else(broken)?);
            let (key, value) = record.split_once('=').ok_or_else(broken)?;
            match key {
                "path" => self.path = Some(value.to_owned()),
                "size" => self.size = Some(bearable(value.parse().ok())?),
                _ => {}
            }
            content = &content[length..];
        }
        Ok(())
    }
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it ends too early")
}

fn filler(size: u64) -> u64 {
    size.next_multiple_of(BLOCK as u64) - size
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// Name and prefix.
fn path(header: &[u8; BLOCK]) -> String {
    let name = text(&header[..100]);
    let prefix = if &header[257..263] == b"ustar\0" { text(&header[345..500]) } else { String::new() };
    if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
}

/// The size that a header tells, if its sum is right.
fn checked_size(header: &[u8; BLOCK]) -> io::Result<u64> {
    let octal = |field: &[u8]| u64::from_str_radix(text(field).trim(), 8).ok();
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    let own: u64 = header[148..156].iter().map(|byte| u64::from(*byte)).sum();
    if octal(&header[148..156]) != Some(sum - own + 8 * u64::from(b' ')) {
        return Err(refused("it is no tar archive, or a broken one"));
    }
    let size = &header[124..136];
    // 8 GiB and more stand here in another form.
    bearable(octal(size))
}

fn bearable(size: Option<u64>) -> io::Result<u64> {
    size.filter(|size| *size <= BYTES).ok_or_else(|| refused("an entry of it is too large"))
}

#[cfg(test)]
mod tests;
