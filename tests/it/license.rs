//! Licenses as they are met in the field: forty texts in nine forms and cut
//! short, and the forms of federal agencies.
//!
//! The texts are the system's (`/usr/share/common-licenses`), those of the
//! crates Muster depends on, and copies that other projects ship (below
//! `tests/fixtures/licenses/texts`); none is the matcher's own. A text that is
//! not there fails the test by name.

// The helpers may stop at the first thing that is not as expected, as the tests do.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command, sync::LazyLock};

use muster::domain::license::{Identification, Match, decode, identify};

/// Where a text comes from, and the license it is.
const SYSTEM: [(&str, &str); 14] = [
    ("Apache-2.0", "Apache-2.0"),
    ("Artistic", "Artistic-1.0-Perl"),
    ("BSD", "BSD-3-Clause"),
    ("CC0-1.0", "CC0-1.0"),
    ("GFDL-1.2", "GFDL-1.2-only"),
    ("GFDL-1.3", "GFDL-1.3-only"),
    ("GPL-1", "GPL-1.0-only"),
    ("GPL-2", "GPL-2.0-only"),
    ("GPL-3", "GPL-3.0-only"),
    ("LGPL-2", "LGPL-2.0-only"),
    ("LGPL-2.1", "LGPL-2.1-only"),
    ("LGPL-3", "LGPL-3.0-only"),
    ("MPL-1.1", "MPL-1.1"),
    ("MPL-2.0", "MPL-2.0"),
];

/// Crate, file, license.
const CRATES: [(&str, &str, &str); 11] = [
    ("anyhow", "LICENSE-MIT", "MIT"),
    ("borrow-or-share", "LICENSE", "MIT-0"),
    ("byteorder", "UNLICENSE", "Unlicense"),
    ("foldhash", "LICENSE", "Zlib"),
    ("regex-syntax", "src/unicode_tables/LICENSE-UNICODE", "Unicode-DFS-2016"),
    ("ryu", "LICENSE-BOOST", "BSL-1.0"),
    ("rustix", "LICENSE-Apache-2.0_WITH_LLVM-exception", "Apache-2.0 WITH LLVM-exception"),
    ("untrusted", "LICENSE.txt", "ISC"),
    ("unicode-ident", "LICENSE-UNICODE", "Unicode-3.0"),
    ("webpki-roots", "LICENSE", "CDLA-Permissive-2.0"),
    ("zerocopy", "LICENSE-BSD", "BSD-2-Clause"),
];

const COPIES: [&str; 15] = [
    "0BSD",
    "Artistic-2.0",
    "BlueOak-1.0.0",
    "BSD-1-Clause",
    "BSD-4-Clause",
    "BSD-4-Clause-UC",
    "CC-BY-3.0",
    "CC-BY-SA-3.0",
    "EPL-1.0",
    "EPL-2.0",
    "MS-PL",
    "NCSA",
    "OFL-1.1",
    "PSF-2.0",
    "Vim",
];

static TEXTS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        decode(&bytes).unwrap_or_else(|| panic!("{} is no text", path.display())).into_owned()
    };
    let folders = crate_folders();
    let system = SYSTEM
        .iter()
        .map(|(file, id)| ((*id).to_owned(), read(PathBuf::from("/usr/share/common-licenses").join(file))));
    let crates = CRATES.iter().map(|(name, file, id)| {
        let folder =
            folders.get(*name).unwrap_or_else(|| panic!("no dependency is named {name}: choose another"));
        ((*id).to_owned(), read(folder.join(file)))
    });
    let copies =
        COPIES.iter().map(|id| ((*id).to_owned(), read(fixtures().join("texts").join(format!("{id}.txt")))));
    system.chain(crates).chain(copies).collect()
});

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/licenses")
}

/// The folder of each crate this machine builds, by its name.
fn crate_folders() -> BTreeMap<String, PathBuf> {
    let version = Command::new("rustc").arg("-vV").output().expect("rustc built the tests, so it is there");
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs the tests, so it is there");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
            (package["name"].as_str().unwrap().to_owned(), manifest.parent().unwrap().to_owned())
        })
        .collect()
}

/// One paragraph a block, its lines joined.
fn paragraphs(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    let mut paragraphs = vec![String::new()];
    for line in text.lines() {
        match (line.trim(), paragraphs.last_mut().unwrap()) {
            ("", last) if last.is_empty() => {}
            ("", _) => paragraphs.push(String::new()),
            (line, last) => {
                last.push_str(if last.is_empty() { "" } else { " " });
                last.push_str(line);
            }
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

fn rewrapped(text: &str) -> String {
    let wrap = |paragraph: &String| {
        let mut lines = vec![String::new()];
        for word in paragraph.split_whitespace() {
            if lines.last().unwrap().len() + word.len() > 71 {
                lines.push(String::new());
            }
            let line = lines.last_mut().unwrap();
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
        lines.join("\n")
    };
    paragraphs(text).iter().map(wrap).collect::<Vec<_>>().join("\n\n")
}

fn marked_down(text: &str) -> String {
    let mark = |(at, paragraph): (usize, &String)| match (at, paragraph.split_once(' ')) {
        (0, _) => format!("# {paragraph}"),
        (_, Some((first, rest))) if at % 2 == 0 => format!("**{first}** {rest}"),
        (_, Some((first, rest))) => format!("_{first}_ {rest}"),
        (_, None) => format!("## {paragraph}"),
    };
    paragraphs(text).iter().enumerate().map(mark).collect::<Vec<_>>().join("\n\n")
}

fn utf16(text: &str) -> String {
    let bytes: Vec<u8> =
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    decode(&bytes).expect("UTF-16 with a mark is a text").into_owned()
}

const PREAMBLE: &str = "As a work of the United States Government, this project is in the public domain within \
    the United States of America. The rest, written by contractors, comes to you as follows, and the \
    program office answers questions.\n\n";
const NOTE: &str = "\n\n## Contributing\n\nThank you for your help. All contributions to this project are released \
    under the same terms, and by opening a pull request you agree to that.\n";
const MIT: &str = "\n\n----\n\nThe MIT License (MIT)\n\nCopyright (c) 2021 Some Vendor, Inc.\n\n";

/// The body of MIT, from a crate.
fn mit() -> String {
    let (_, text) = TEXTS.iter().find(|(id, _)| id == "MIT").unwrap();
    format!("{MIT}{}", &text[text.find("Permission is").unwrap()..])
}

fn ids(licenses: &[Match]) -> Vec<&str> {
    let mut ids: Vec<&str> =
        licenses.iter().map(|found| found.id.as_str()).filter(|id| !id.starts_with("LicenseRef-")).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// A form: its name, how a text is brought into it, and whether the answer is right.
type Form = (&'static str, fn(&str) -> String, fn(&str, &Identification) -> bool);

fn alone(id: &str, answer: &Identification) -> bool {
    matches!(answer, Identification::Identified { licenses } if ids(licenses) == [id])
}

fn beside(id: &str, answer: &Identification) -> bool {
    matches!(answer, Identification::WithOtherText { licenses, other } if ids(licenses) == [id] && !other.is_empty())
}

/// Nothing but two licenses, so identified is as right as "a person looks".
fn with_mit(id: &str, answer: &Identification) -> bool {
    let mut expected = vec![id, "MIT"];
    expected.sort_unstable();
    expected.dedup();
    match answer {
        Identification::Identified { licenses } | Identification::WithOtherText { licenses, .. } => {
            ids(licenses) == expected
        }
        Identification::PointsTo { .. } | Identification::Unidentified { .. } | Identification::Absent => {
            false
        }
    }
}

const FORMS: [Form; 9] = [
    ("as published", str::to_owned, alone),
    (
        "copyright line filled",
        |text| format!("Copyright (c) 2019-2024 Bureau of Examples, Inc.\n\n{text}"),
        alone,
    ),
    ("rewrapped at 72", rewrapped, alone),
    ("Markdown", marked_down, alone),
    ("CRLF", |text| text.replace("\r\n", "\n").replace('\n', "\r\n"), alone),
    ("UTF-16 with BOM", utf16, alone),
    ("federal preamble before", |text| format!("{PREAMBLE}{text}"), beside),
    ("contribution note after", |text| format!("{text}{NOTE}"), beside),
    ("MIT appended", |text| format!("{text}{}", mit()), with_mit),
];

#[test]
fn forty_licenses_in_nine_forms() {
    assert_eq!(TEXTS.len(), 40);
    let mut report = String::new();
    let mut short = Vec::new();
    for (form, bring, is_right) in FORMS {
        let wrong: Vec<String> = TEXTS
            .iter()
            .filter_map(|(id, text)| {
                let answer = identify(&bring(text));
                (!is_right(id, &answer)).then(|| format!("{id}: {answer:?}"))
            })
            .collect();
        let right = TEXTS.len() - wrong.len();
        report.push_str(&format!("{right:>3} of {} {form}\n", TEXTS.len()));
        // 99 of a hundred, and so all of forty.
        if right * 100 < TEXTS.len() * 99 {
            short.push(format!("{form}: {}", wrong.join("\n    ")));
        }
    }
    println!("{report}");
    assert!(short.is_empty(), "{report}{}", short.join("\n"));
}

#[test]
fn a_cut_or_empty_text_is_never_identified() {
    for (id, text) in TEXTS.iter() {
        for percent in [10, 30, 50, 60] {
            let end = (0..=text.len() * percent / 100).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            let answer = identify(&text[..end]);
            assert!(
                !matches!(answer, Identification::Identified { .. }),
                "{id} cut at {percent} %: {answer:?}"
            );
        }
    }
    for text in ["", " \r\n\t", "\u{feff}\n"] {
        assert_eq!(identify(text), Identification::Absent);
    }
}

/// Five changes of one small word, in four licenses.
#[test]
fn a_changed_word_is_seen() {
    for (id, text) in
        TEXTS.iter().filter(|(id, _)| ["MIT", "Apache-2.0", "BSD-2-Clause", "Zlib"].contains(&id.as_str()))
    {
        for (from, to) in [
            (" not ", " "),
            (" hereby ", " "),
            (" without ", " with "),
            (" any ", " no "),
            (" or ", " or not "),
        ] {
            // Guides after the terms may be rewritten; the terms may not.
            let terms = text.split("END OF TERMS").next().unwrap();
            if let Some(at) = terms.find(from) {
                let changed = format!("{}{to}{}", &text[..at], &text[at + from.len()..]);
                let answer = identify(&changed);
                assert!(
                    !matches!(answer, Identification::Identified { .. }),
                    "{id}, {from:?} for {to:?}: {answer:?}"
                );
            }
        }
    }
}

#[test]
fn federal_forms() {
    const WORK: &str = "LicenseRef-US-Government-Work";
    const RIGHTS: &str = "LicenseRef-US-Government-Retained-Rights";
    for (file, expected) in [
        ("18f.md", &[WORK, "CC0-1.0", "CC0-1.0"][..]),
        ("cfpb-terms.md", &[WORK, "CC0-1.0"]),
        ("dod-apache-notice.txt", &["Apache-2.0"]),
        ("dod-mit.txt", &["MIT"]),
        ("epa.md", &[WORK]),
        ("llnl-mit.txt", &[RIGHTS, "MIT"]),
        ("nist-statement.md", &[WORK]),
        ("sandia-bsd.txt", &[RIGHTS, "BSD-3-Clause"]),
        ("usgov.txt", &[WORK]),
        ("usgs.md", &[WORK, "CC0-1.0", "CC0-1.0"]),
    ] {
        let text = fs::read_to_string(fixtures().join("federal").join(file)).unwrap();
        let Identification::Identified { licenses } = identify(&text) else {
            panic!("{file}: {:?}", identify(&text));
        };
        let found: Vec<&str> = licenses.iter().map(|found| found.id.as_str()).collect();
        assert_eq!(found, expected, "{file}");
    }
}
