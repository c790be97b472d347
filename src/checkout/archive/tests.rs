use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::*;

/// A header and its content, padded.
fn entry(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
    sized(name, kind, content, content.len())
}

fn sized(name: &str, kind: u8, content: &[u8], size: usize) -> Vec<u8> {
    let mut header = [0; BLOCK];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    header[156] = kind;
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut bytes = header.to_vec();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

fn pax(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n").len();
    let length = (rest + 1..).find(|length| length.to_string().len() + rest == *length).unwrap();
    entry("x", b'x', format!("{length} {key}={value}\n").as_bytes())
}

fn packed(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    parts.iter().for_each(|part| encoder.write_all(part).unwrap());
    encoder.finish().unwrap()
}

/// What is in an archive: paths, sizes and contents of files; or why not.
fn read(bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
    let mut archive = Archive::new(bytes);
    let mut found = Vec::new();
    loop {
        match archive.next_entry() {
            Ok(Some(entry)) if entry.is_file => {
                let text = archive.read(1000).map_err(|error| error.to_string())?;
                found.push((entry.path, String::from_utf8(text).unwrap()));
            }
            Ok(Some(entry)) => found.push((entry.path, "not a file".to_owned())),
            Ok(None) => return Ok(found),
            Err(error) => return Err(error.to_string()),
        }
    }
}

#[test]
fn an_archive_is_read_entry_by_entry() {
    let long = format!("top/{}/a.rs", "folder/".repeat(30));
    let parts = [
        pax("comment", "0123456789abcdef"),
        entry("top/", b'5', b""),
        entry("top/a.rs", b'0', b"fn a() {}\n"),
        entry("top/link", b'2', b""),
        pax("path", &long),
        entry("top/short", b'0', b"b"),
        entry("long", b'L', b"top/gnu.rs\0"),
        entry("top/gn", 0, b"c"),
        vec![0; 2 * BLOCK],
    ];
    let found = read(&packed(&parts)).unwrap();
    let expected = [
        ("top/", "not a file"),
        ("top/a.rs", "fn a() {}\n"),
        ("top/link", "not a file"),
        (&long, "b"),
        ("top/gnu.rs", "c"),
    ];
    assert_eq!(found, expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
}

#[test]
fn o3_what_is_ambiguous_cut_off_or_a_bomb_is_refused() {
    let file = entry("a", b'0', b"text");
    let whole = packed(&[file.clone(), vec![0; 1024]]);
    let zeros = vec![0; 4 * 1024 * 1024];
    let mut broken = file.clone();
    broken[0] = b'b';
    for (what, bytes, why) in [
        ("no gzip", b"PK\x03\x04 a zip archive, say".to_vec(), "invalid gzip header"),
        ("no tar", packed(&[vec![b'x'; 1024]]), "no tar archive"),
        ("a wrong sum", packed(&[broken]), "no tar archive"),
        ("cut gzip", whole[..whole.len() / 2].to_vec(), "deflate stream"),
        ("cut tar", packed(&[sized("a", b'0', b"text", 5000)]), "ends too early"),
        ("two sizes", packed(&[pax("size", "9"), file.clone()]), "two sizes"),
        ("a link with bytes", packed(&[entry("a", b'2', b"text")]), "no file and has bytes"),
        ("a hidden size", packed(&[pax("size", "512"), entry("a", b'1', b"")]), "no file and has bytes"),
        ("sparse", packed(&[entry("a", b'S', b"text")]), "unknown kind 83"),
        ("a huge header", packed(&[sized("a", b'x', b"", 1 << 20)]), "too long"),
        ("a huge entry", packed(&[sized("a", b'0', b"", 1 << 30)]), "too large"),
        (
            "a huge entry by its own header",
            packed(&[pax("size", &u64::MAX.to_string()), sized("a", b'0', b"", 0)]),
            "too large",
        ),
        ("a bomb", packed(&[entry("a", b'0', &zeros), file]), "100 times"),
    ] {
        let found = read(&bytes).expect_err(what);
        assert!(found.contains(why), "{what}: {found}");
    }
}
