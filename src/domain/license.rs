//! Which license a text is, and which paths may hold one.
//!
//! Promises:
//! 1. [`Identification::Identified`] means word for word: every word of the
//!    file is a known license, a known notice or statement, a title, a
//!    copyright line, one of the variations listed in [`known`], or one of
//!    at most three spelling slips that make no other word of a license. A changed,
//!    cut or added clause is never identified, however alike the rest is.
//! 2. Wrapping, line ends, Markdown marks, case, quotes, bullets, list numbers
//!    and copyright lines make no difference (the SPDX matching guidelines).
//! 3. The same text always has the same answer; nothing is read or written,
//!    and the work is bounded by [`TEXT_LIMIT`], whatever the text holds.
//!
//! A text goes through four steps, each on the words of [`words`]: the whole
//! is compared with the known texts of its length ([`exact`]); else passages that start alike are
//! walked beside the known text ([`align`]); what is left is searched for
//! statements of the Government, SPDX tags and references ([`statement`]); what
//! is then left decides between identified and "a person looks".

mod align;
mod exact;
mod known;
mod path;
mod reading;
mod statement;
mod words;

use std::borrow::Cow;
use std::fmt;

pub use path::{LicensePath, is_license_path};

/// Longest text that is matched, in bytes (threat model, limits): a longer one
/// is [`Unmatched::TooLong`].
pub const TEXT_LIMIT: usize = 256 * 1024;

/// What a license file turned out to be. Lines count from 1.
#[derive(Clone, Debug, PartialEq)]
pub enum Identification {
    /// The text is these licenses, all of them, and nothing else of weight.
    Identified {
        /// In the order of the text; never empty.
        licenses: Vec<Match>,
    },
    /// Licenses were found with other text beside them: a person looks.
    WithOtherText {
        /// In the order of the text; never empty.
        licenses: Vec<Match>,
        /// The lines nobody could explain, in order; never empty.
        other: Vec<Lines>,
    },
    /// The text holds no license but names the files that do, as in "see
    /// LICENSE-MIT and LICENSE-APACHE": those decide.
    PointsTo {
        /// File names as written, in order, each once; never empty.
        files: Vec<String>,
        /// Licenses named beside the files; may be empty.
        licenses: Vec<Match>,
    },
    /// There is text, but no license we know word for word.
    Unidentified {
        /// Why not, for the reader.
        why: Unmatched,
    },
    /// Empty, or white space only.
    Absent,
}

/// Why a text with words in it is not identified.
#[derive(Clone, Debug, PartialEq)]
pub enum Unmatched {
    /// Over [`TEXT_LIMIT`], and so not compared with anything.
    TooLong {
        /// Length of the text in bytes.
        bytes: usize,
    },
    /// Much like a known license, with words changed, missing or added.
    Like(Nearest),
    /// Like nothing we know.
    Unknown,
}

/// The known license a text comes nearest to.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    /// What the text resembles.
    pub id: LicenseId,
    /// Share of words in common, 0 to 1.
    pub score: f32,
    /// Where the text goes its own way; empty when the place cannot be told.
    pub differs: Vec<Lines>,
}

/// One license found in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// Which license.
    pub id: LicenseId,
    /// Where it stands.
    pub lines: Lines,
    /// Share of the license's words that stand there, 0 to 1. Below 1 only by
    /// the variations that mean the same: a holder's name, an absent appendix.
    pub score: f32,
    /// What stands there: the license itself, or something that refers to it.
    pub form: Form,
}

/// In which form a license is present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The text of the license.
    Text,
    /// A notice that refers to it: "Licensed under the Apache License, …".
    Notice,
    /// An `SPDX-License-Identifier` line.
    Tag,
    /// A statement of the Government on its works or rights.
    Statement,
}

/// An SPDX identifier or expression (`MIT`, `MIT OR Apache-2.0`), or a
/// `LicenseRef-` for the statements SPDX has no name for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LicenseId(Cow<'static, str>);

impl LicenseId {
    /// A work of the United States Government (17 U.S.C. 105): public domain
    /// at home, rights abroad not given up.
    pub const GOVERNMENT_WORK: LicenseId = LicenseId(Cow::Borrowed("LicenseRef-US-Government-Work"));
    /// The Government keeps rights in a contractor's work, as the laboratories
    /// of the Department of Energy state beside their license.
    pub const GOVERNMENT_RIGHTS: LicenseId =
        LicenseId(Cow::Borrowed("LicenseRef-US-Government-Retained-Rights"));

    const CC0: LicenseId = LicenseId(Cow::Borrowed("CC0-1.0"));

    /// The identifier as SPDX writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether SPDX has no name for it, so that it is ours: `LicenseRef-…`.
    pub fn is_reference(&self) -> bool {
        self.0.starts_with("LicenseRef-")
    }
}

impl fmt::Display for LicenseId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Lines of a text, first and last, counted from 1, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lines {
    /// First line.
    pub first: usize,
    /// Last line.
    pub last: usize,
}

impl fmt::Display for Lines {
    /// `line 3` or `lines 3–7`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(formatter, "line {}", self.first)
        } else {
            write!(formatter, "lines {}–{}", self.first, self.last)
        }
    }
}

/// The text of a file, whatever its encoding: UTF-8 with or without byte order
/// mark, UTF-16 with one, else Latin-1. `None` for what is no text: bytes with
/// NUL or other control characters that no text has.
pub fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let utf16 = |read: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let text = String::from_utf16(&pairs.iter().map(|pair| read(*pair)).collect::<Vec<_>>()).ok()?;
        rest.is_empty().then_some(Cow::Owned(text))
    };
    let text = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(std::str::from_utf8(rest).ok()?),
        [0xff, 0xfe, rest @ ..] => utf16(u16::from_le_bytes, rest)?,
        [0xfe, 0xff, rest @ ..] => utf16(u16::from_be_bytes, rest)?,
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()),
        },
    };
    let binary =
        |c: char| c < ' ' && !matches!(c, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{1b}' | '\u{1a}');
    (!text.contains(binary)).then_some(text)
}

/// Which license a text is. Pure; what it costs is measured in `benches/license.rs`.
pub fn identify(text: &str) -> Identification {
    let blank = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}');
    if text.chars().all(blank) {
        return Identification::Absent;
    }
    if text.len() > TEXT_LIMIT {
        return Identification::Unidentified { why: Unmatched::TooLong { bytes: text.len() } };
    }
    let normal = words::normalise(text);
    let words = words::words(&normal);
    if let Some(known) = exact::whole(&words) {
        let last = normal.trim_end().bytes().filter(|byte| *byte == b'\n').count() + 1;
        let found =
            Match { id: known.license(), lines: Lines { first: 1, last }, score: 1.0, form: known.form };
        return Identification::Identified { licenses: vec![found] };
    }
    let catalog = known::catalog();
    let numbers: Vec<known::Number> = words.iter().map(|word| catalog.number(word.text)).collect();
    reading::Reading::new(text, words, &numbers).judge()
}
