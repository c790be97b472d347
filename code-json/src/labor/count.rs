//! Lines of source code, counted file by file.
//!
//! A source line is a physical line that has something beside white space and
//! comments. That is what cloc, scc and tokei count; COCOMO II speaks of logical
//! lines, for which physical ones are the usual stand-in.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{
    languages::{self, Language},
    paths::{self, Excluded},
};

/// What a count may cost. Beyond it there is no count (threats O3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all files together, those not counted included.
    pub bytes: u64,
    /// Files.
    pub files: u64,
    /// Bytes of one file that is read; a larger one is data, and skipped.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes: 512 * 1024 * 1024, files: 100_000, file_bytes: 2 * 1024 * 1024 }
    }
}

/// Lines of one language.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lines {
    /// Files.
    pub files: u64,
    /// Lines with code.
    pub code: u64,
    /// Lines with a comment and no code.
    pub comments: u64,
    /// Lines with nothing.
    pub blank: u64,
}

/// Files that were not counted, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Others' code.
    pub vendored: u64,
    /// Written by a program.
    pub generated: u64,
    /// No source code: another kind of file, or binary.
    pub other: u64,
    /// Larger than [`Limits::file_bytes`], or with lines like a minified file.
    pub data: u64,
    /// The same bytes as a file before.
    pub copies: u64,
}

/// Counts files as they come.
#[derive(Debug)]
pub struct Counter {
    limits: Limits,
    bytes: u64,
    files: u64,
    by_language: BTreeMap<&'static str, Lines>,
    skipped: Skipped,
    seen: HashSet<u64>,
    is_over: bool,
}

impl Counter {
    /// Counts nothing yet.
    #[must_use]
    pub fn new(limits: Limits) -> Counter {
        let (by_language, seen) = (BTreeMap::new(), HashSet::new());
        Counter { limits, bytes: 0, files: 0, by_language, skipped: Skipped::default(), seen, is_over: false }
    }

    /// Whether the bytes of a file are wanted: it is source code, and nobody
    /// else's. `size` is what the archive says. False beyond the limits.
    pub fn wants(&mut self, path: &str, size: u64) -> bool {
        self.bytes = self.bytes.saturating_add(size);
        self.files = self.files.saturating_add(1);
        self.is_over |= self.bytes > self.limits.bytes || self.files > self.limits.files;
        if self.is_over {
            return false;
        }
        match paths::excluded(path) {
            Some(Excluded::Vendored) => self.skipped.vendored += 1,
            Some(Excluded::Generated) => self.skipped.generated += 1,
            None if languages::of_path(path).is_none() => self.skipped.other += 1,
            None if size > self.limits.file_bytes => self.skipped.data += 1,
            None => return true,
        }
        false
    }

    /// Counts a file that was [wanted](Counter::wants).
    pub fn add(&mut self, path: &str, text: &[u8]) {
        let Some(language) = languages::of_path(path) else { return };
        if text.iter().take(8192).any(|byte| *byte == 0) {
            self.skipped.other += 1;
        } else if text.len() as u64 > self.limits.file_bytes || is_packed(text) {
            self.skipped.data += 1;
        } else if paths::says_generated(text) {
            self.skipped.generated += 1;
        } else if !self.seen.insert(hash(text)) {
            self.skipped.copies += 1;
        } else {
            let lines = self.by_language.entry(language.name).or_default();
            lines.files += 1;
            count(language, text, lines);
        }
    }

    /// Whether a limit was passed: then nothing can be said.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Lines with code; None beyond the limits.
    #[must_use]
    pub fn code(&self) -> Option<u64> {
        (!self.is_over).then(|| self.by_language.values().map(|lines| lines.code).sum())
    }

    /// Estimated hours; None if there is nothing to say.
    #[must_use]
    pub fn hours(&self) -> Option<u64> {
        super::hours(self.code()?)
    }

    /// By language, in the order of the alphabet.
    pub fn languages(&self) -> impl Iterator<Item = (&'static str, Lines)> {
        self.by_language.iter().map(|(name, lines)| (*name, *lines))
    }

    /// What was left out.
    #[must_use]
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }
}

fn hash(text: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Whether a program pressed the text into few lines.
fn is_packed(text: &[u8]) -> bool {
    let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
    text.len() > 4096 && text.len() / lines > 400
}

/// Where the reader stands between two bytes.
enum State {
    Code,
    /// The end of the block, and how deep it nests.
    Comment(usize, u32),
    /// A text, by its number.
    Quoted(usize),
}

fn count(language: &Language, text: &[u8], lines: &mut Lines) {
    let mut state = State::Code;
    if text.is_empty() {
        return;
    }
    let body = text.strip_suffix(b"\n").unwrap_or(text);
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        if line.is_empty() {
            lines.blank += 1;
            continue;
        }
        let (has_code, has_comment) = read_line(language, line, &mut state);
        match (has_code, has_comment) {
            (true, _) => lines.code += 1,
            (false, true) => lines.comments += 1,
            (false, false) => lines.blank += 1,
        }
    }
}

/// Whether a line has code and whether it has a comment.
fn read_line(language: &Language, line: &[u8], state: &mut State) -> (bool, bool) {
    let (mut has_code, mut has_comment) = (false, false);
    let mut at = 0;
    while at < line.len() {
        let rest = &line[at..];
        match state {
            State::Comment(block, depth) => {
                has_comment = true;
                let (begin, end) = language.block[*block];
                if rest.starts_with(end.as_bytes()) {
                    at += end.len();
                    *depth -= 1;
                    if *depth == 0 {
                        *state = State::Code;
                    }
                } else if language.nests && rest.starts_with(begin.as_bytes()) {
                    at += begin.len();
                    *depth = depth.saturating_add(1);
                } else {
                    at += 1;
                }
            }
            State::Quoted(quote) => {
                has_code = true;
                let (_, end) = language.quotes[*quote];
                if rest[0] == b'\\' {
                    at += 2;
                } else if rest.starts_with(end.as_bytes()) {
                    at += end.len();
                    *state = State::Code;
                } else {
                    at += 1;
                }
            }
            State::Code => {
                if let Some(block) = begins(language.block.iter().map(|(begin, _)| *begin), rest, at == 0) {
                    has_comment = true;
                    at += language.block[block].0.len();
                    *state = State::Comment(block, 1);
                } else if begins(language.line.iter().copied(), rest, at == 0).is_some() {
                    has_comment = true;
                    break;
                } else if let Some(quote) =
                    begins(language.quotes.iter().map(|(begin, _)| *begin), rest, true)
                {
                    has_code = true;
                    at += language.quotes[quote].0.len();
                    *state = State::Quoted(quote);
                } else {
                    has_code |= !rest[0].is_ascii_whitespace();
                    at += 1;
                }
            }
        }
    }
    // Only long texts go over the end of a line.
    if let State::Quoted(quote) = state
        && !matches!(language.quotes[*quote].0, "\"\"\"" | "'''" | "`")
        && !line.ends_with(b"\\")
    {
        *state = State::Code;
    }
    (has_code, has_comment)
}

/// Which of the marks the text begins with. Marks that are words or could be
/// operators (`rem `, `*`, `=begin`) count only at the start of a line.
fn begins<'m>(mut marks: impl Iterator<Item = &'m str>, rest: &[u8], is_first: bool) -> Option<usize> {
    marks.position(|mark| {
        let only_first = mark.starts_with(|c: char| c.is_ascii_alphabetic() || c == '=') || mark == "*";
        (is_first || !only_first)
            && rest.len() >= mark.len()
            && rest[..mark.len()].eq_ignore_ascii_case(mark.as_bytes())
    })
}
