//! The container of the evidence: a ZIP file of the plainest kind (PKWARE
//! APPNOTE 6.3.10), in which nothing is compressed.
//!
//! Promises: (1) the same files give the same bytes, whatever the day, the
//! machine and the version of Muster: this form never changes; (2) only that
//! form is read, so that a file has one meaning for every program: no entry
//! twice, none hidden, nothing before, between or behind them; (3) a hostile
//! file costs no more memory than its own length, and a name never leaves the
//! folder it is unpacked in (threats O3).

use flate2::Crc;

/// The most files of an archive.
pub const MOST_FILES: usize = 1_000;
/// The most bytes of an archive (threats O3).
pub const MOST_BYTES: usize = 512 * 1024 * 1024;
/// The longest name of a file in it, in bytes.
const LONGEST_NAME: usize = 100;

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
/// Version 1.0; no flags; stored; 1 January 1980, 00:00.
const COMMON: &[u8] = &[10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
/// Made under Unix by version 1.0.
const MADE_BY: &[u8] = &[10, 3];
/// A regular file that everybody may read.
const ATTRIBUTES: u32 = 0o100_644 << 16;

/// Why an archive is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too much of it.
    #[error("it has more than {} MiB", MOST_BYTES / 1024 / 1024)]
    TooLarge,
    /// Too many files.
    #[error("it has more than {MOST_FILES} files")]
    TooMany,
    /// A name that Muster never gives.
    #[error("it has a file whose name is none that Muster writes")]
    Name,
    /// Two files of one name.
    #[error("it has {0} twice")]
    Twice(String),
    /// Another form, or damage.
    #[error("it is not a ZIP file as muster evidence writes it; take the file as it was handed out")]
    Form,
}

/// One file in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its name, with `/` between folders.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Whether its checksum is that of its bytes.
    pub sound: bool,
}

/// Writes an archive of these files, in this order.
///
/// # Errors
/// [`Refused`], but never as [`Refused::Form`].
pub fn write<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Vec<u8>, Refused> {
    let mut out = Vec::new();
    let mut index = Index::default();
    for (name, bytes) in files {
        index.take(name)?;
        let head = Head { crc: crc(bytes), size: length(bytes.len())?, name };
        index.add(&head, length(out.len())?);
        out.extend_from_slice(LOCAL);
        head.common(&mut out);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(bytes);
        length(out.len() + index.central.len())?;
    }
    let end = index.end(length(out.len())?)?;
    out.extend(end);
    length(out.len())?;
    Ok(out)
}

/// Reads an archive that [`write`] wrote.
///
/// # Errors
/// [`Refused`].
pub fn read(archive: &[u8]) -> Result<Vec<Entry<'_>>, Refused> {
    length(archive.len())?;
    let (mut entries, mut index, mut at) = (Vec::new(), Index::default(), 0);
    while archive[at..].starts_with(LOCAL) {
        let head = archive.get(at + LOCAL.len()..at + 30).ok_or(Refused::Form)?;
        let (common, rest) = head.split_at(COMMON.len());
        let [crc_0, crc_1, crc_2, crc_3, rest @ ..] = rest else { return Err(Refused::Form) };
        let number = |from: usize| {
            let four = rest.get(from..from + 4)?.try_into().ok()?;
            Some(u32::from_le_bytes(four))
        };
        let (packed, size) = (number(0).ok_or(Refused::Form)?, number(4).ok_or(Refused::Form)?);
        let [n_0, n_1, 0, 0] = rest[8..] else { return Err(Refused::Form) };
        if common != COMMON || packed != size {
            return Err(Refused::Form);
        }
        let name_at = at + 30;
        let bytes_at = name_at + usize::from(u16::from_le_bytes([n_0, n_1]));
        let name = archive.get(name_at..bytes_at).ok_or(Refused::Form)?;
        let name = std::str::from_utf8(name).map_err(|_| Refused::Name)?;
        let end = bytes_at.checked_add(size as usize).ok_or(Refused::Form)?;
        let bytes = archive.get(bytes_at..end).ok_or(Refused::Form)?;
        let said = u32::from_le_bytes([*crc_0, *crc_1, *crc_2, *crc_3]);
        index.take(name)?;
        index.add(&Head { crc: said, size, name }, length(at)?);
        entries.push(Entry { name, bytes, sound: said == crc(bytes) });
        at = end;
    }
    if entries.is_empty() || archive[at..] != index.end(length(at)?)? {
        return Err(Refused::Form);
    }
    Ok(entries)
}

/// What both headers of a file say.
struct Head<'a> {
    crc: u32,
    size: u32,
    name: &'a str,
}

impl Head<'_> {
    /// From the version that is needed to the length of what is extra.
    fn common(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(COMMON);
        out.extend(self.crc.to_le_bytes());
        out.extend(self.size.to_le_bytes());
        out.extend(self.size.to_le_bytes());
        // Names are short: this never cuts.
        out.extend((self.name.len() as u16).to_le_bytes());
        out.extend([0, 0]);
    }
}

/// The directory at the end.
#[derive(Default)]
struct Index {
    names: std::collections::BTreeSet<String>,
    central: Vec<u8>,
}

impl Index {
    /// Takes a name that may be in an archive, once.
    fn take(&mut self, name: &str) -> Result<(), Refused> {
        if self.names.len() == MOST_FILES {
            return Err(Refused::TooMany);
        }
        if !is_name(name) {
            return Err(Refused::Name);
        }
        if self.names.insert(name.to_owned()) { Ok(()) } else { Err(Refused::Twice(name.to_owned())) }
    }

    fn add(&mut self, head: &Head<'_>, at: u32) {
        self.central.extend_from_slice(CENTRAL);
        self.central.extend_from_slice(MADE_BY);
        head.common(&mut self.central);
        // No comment, the first disk, no attributes of MS-DOS.
        self.central.extend([0; 6]);
        self.central.extend(ATTRIBUTES.to_le_bytes());
        self.central.extend(at.to_le_bytes());
        self.central.extend_from_slice(head.name.as_bytes());
    }

    /// The directory and the record that ends the archive.
    fn end(self, at: u32) -> Result<Vec<u8>, Refused> {
        let (size, mut out) = (length(self.central.len())?, self.central);
        out.extend_from_slice(END);
        out.extend([0; 4]);
        for _ in 0..2 {
            out.extend((self.names.len() as u16).to_le_bytes());
        }
        out.extend(size.to_le_bytes());
        out.extend(at.to_le_bytes());
        out.extend([0, 0]);
        Ok(out)
    }
}

/// Whether a file of an archive may have this name: folders and a file of small
/// letters, digits, `.`, `_` and `-`, none of which begins with a dot.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain);
    name.len() <= LONGEST_NAME && name.split('/').all(part)
}

fn length(bytes: usize) -> Result<u32, Refused> {
    if bytes > MOST_BYTES {
        Err(Refused::TooLarge)
    } else {
        u32::try_from(bytes).map_err(|_| Refused::TooLarge)
    }
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [(&str, &[u8]); 3] =
        [("manifest.json", b"{}\n"), ("published/code.json", b"{\"releases\":[]}"), ("empty", b"")];

    #[test]
    fn what_is_written_is_read_and_the_form_is_as_ever() {
        let archive = write(FILES).unwrap();
        let entries = read(&archive).unwrap();
        let read: Vec<_> = entries.iter().map(|entry| (entry.name, entry.bytes)).collect();
        assert_eq!(read, FILES);
        assert!(entries.iter().all(|entry| entry.sound));
        // For life: a bundle of today is read by every later version.
        let digest = <sha2::Sha256 as sha2::Digest>::digest(&archive);
        let digest = hex::encode(digest);
        insta::assert_snapshot!(digest, @"447cb8ea990a8011f75f83caefffdd9262bd9a9326c5b8dd29c0b3acd3421c92");
    }

    #[test]
    fn no_byte_of_it_can_be_another_one_unseen() {
        let archive = write(FILES).unwrap();
        for at in 0..archive.len() {
            for bit in [0x01, 0x80] {
                let mut other = archive.clone();
                other[at] ^= bit;
                let same = read(&other).is_ok_and(|entries| {
                    entries.iter().map(|entry| (entry.name, entry.bytes)).eq(FILES)
                        && entries.iter().all(|entry| entry.sound)
                });
                assert!(!same, "byte {at}");
            }
        }
        for cut in 0..archive.len() {
            assert!(read(&archive[..cut]).is_err(), "cut at {cut}");
        }
        assert_eq!(read(&[&archive[..], b"x"].concat()), Err(Refused::Form));
        assert_eq!(read(&[b"x", &archive[..]].concat()), Err(Refused::Form));
        assert_eq!(read(&[&archive[..], &archive[..]].concat()), Err(Refused::Form));
        assert_eq!(read(b""), Err(Refused::Form));
    }

    #[test]
    fn a_name_stays_in_its_folder_and_is_there_once() {
        for name in [
            "../x",
            "/x",
            "a/../x",
            "a//x",
            "a/",
            "",
            ".x",
            "a/.git",
            "A",
            "a\\x",
            "c:x",
            "a\nb",
            "ä",
            &"a".repeat(101),
        ] {
            assert_eq!(write([(name, &b""[..])]), Err(Refused::Name), "{name:?}");
            // What is written by somebody else.
            let mut archive = write([("x".repeat(name.len().clamp(1, 100)).as_str(), &b""[..])]).unwrap();
            if (1..=100).contains(&name.len()) {
                archive[30..30 + name.len()].copy_from_slice(name.as_bytes());
                assert_eq!(read(&archive), Err(Refused::Name), "{name:?}");
            }
        }
        assert_eq!(write([("a", &b"1"[..]), ("a", b"2")]), Err(Refused::Twice("a".to_owned())));
        let mut archive = write([("a", &b"1"[..]), ("b", b"2")]).unwrap();
        archive[30 + 1 + 1 + 30] = b'a';
        assert_eq!(read(&archive), Err(Refused::Twice("a".to_owned())));
    }

    #[test]
    fn what_is_compressed_or_too_much_is_refused() {
        let mut archive = write(FILES).unwrap();
        // Deflated, by both headers' word.
        archive[8] = 8;
        assert_eq!(read(&archive), Err(Refused::Form));
        // A size beyond the file.
        let mut archive = write(FILES).unwrap();
        archive[18..26].fill(0xff);
        assert_eq!(read(&archive), Err(Refused::Form));
        let names: Vec<String> = (0..=MOST_FILES).map(|n| format!("f{n}")).collect();
        let many = names.iter().map(|name| (name.as_str(), &b""[..]));
        assert_eq!(write(many.clone()), Err(Refused::TooMany));
        assert_eq!(read(&write(many.take(MOST_FILES)).unwrap()).unwrap().len(), MOST_FILES);
    }
}
