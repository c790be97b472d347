//! A JSON text as it stands: every value with its bytes, line and column.
//!
//! Promises: (1) the text is kept byte for byte, so that an edit changes only
//! what it names; (2) slips after which the rest can still be understood
//! ([`Slip`]: a trailing comma, a key twice, a comment) are noted and reading
//! goes on, all others end it with one [`Fault`]; (3) nesting, length and the
//! number of values are bounded by [`Limits`], and nothing here recurses.

use std::{borrow::Cow, collections::HashMap, fmt, ops::Range};

mod fault;
mod parse;
mod to_json;
mod value;

pub(crate) use fault::windows_1252;
pub use fault::{Fault, FaultKind, Slip, SlipKind};
pub use value::{Kind, Member, Value};

/// What a text may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text. Real inventories have one or two megabytes.
    pub bytes: usize,
    /// Brackets within brackets. The published schemas need six.
    pub depth: usize,
    /// Values altogether, keys not counted.
    pub values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes: 32 * 1024 * 1024, depth: 64, values: 4_000_000 }
    }
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A range of bytes.
pub type Span = Range<usize>;

/// A value's number in its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u32);

/// A JSON text that could be read.
pub struct Document {
    text: String,
    lines: Lines,
    nodes: Vec<Node>,
    children: Vec<Child>,
    root: Id,
    slips: Vec<Slip>,
}

#[derive(Clone, Copy)]
struct Node {
    kind: Kind,
    start: u32,
    end: u32,
    /// The container's number; a root names itself.
    parent: u32,
    /// Where in `children` this value stands; of no meaning for the root.
    slot: u32,
    /// Where in `children` its own begin.
    first: u32,
    count: u32,
}

#[derive(Clone, Copy)]
struct Child {
    /// With quotes; empty in a list.
    key_start: u32,
    key_end: u32,
    value: Id,
}

impl Document {
    /// Reads `bytes`.
    ///
    /// # Errors
    /// The one thing that keeps the text from being understood, with its place.
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Document, Fault> {
        let text = fault::decode(bytes, limits)?;
        parse::parse(text.to_owned(), limits)
    }

    /// The text, with the byte order mark if it has one.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The outermost value.
    #[must_use]
    pub fn root(&self) -> Value<'_> {
        self.value(self.root)
    }

    /// The value with this number.
    ///
    /// # Panics
    /// If the number is another document's.
    #[must_use]
    pub fn value(&self, id: Id) -> Value<'_> {
        assert!((id.0 as usize) < self.nodes.len(), "a value of another document");
        Value { document: self, id }
    }

    /// What was noted on the way, in the order of the text.
    #[must_use]
    pub fn slips(&self) -> &[Slip] {
        &self.slips
    }

    /// Whether the text is JSON as RFC 8259 has it: no slips, except keys that
    /// stand twice, which it allows (§4) and nobody should write.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.slips.iter().all(|slip| matches!(slip.kind, SlipKind::DuplicateKey(..)))
    }

    /// Line and column of a byte of the text.
    #[must_use]
    pub fn place(&self, byte: usize) -> Place {
        self.lines.place(&self.text, byte)
    }

    /// The value at a JSON pointer (RFC 6901). Of keys that stand twice, the
    /// last, as most readers have it.
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> Option<Value<'_>> {
        let mut value = self.root();
        if pointer.is_empty() {
            return Some(value);
        }
        for token in pointer.strip_prefix('/')?.split('/') {
            value = if value.kind() == Kind::Array {
                value.item(token.parse().ok()?)?
            } else {
                let token = token.replace("~1", "/").replace("~0", "~");
                value.get(&token)?
            };
        }
        Some(value)
    }

    /// The bytes of a line, from 1, without its end; empty beyond the last.
    #[must_use]
    pub fn line(&self, line: u32) -> Span {
        let start = |line: u32| self.lines.starts.get(line as usize).map(|start| *start as usize);
        let Some(from) = line.checked_sub(1).and_then(start) else { return 0..0 };
        let to = start(line).unwrap_or(self.text.len());
        from..from + self.text[from..to].trim_end_matches(['\n', '\r']).len()
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: there is always a root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} bytes, {} values)", self.text.len(), self.nodes.len())
    }
}

/// Where the lines of a text begin, and how many characters came before, so
/// that a place is found in little time in a file of one line too.
struct Lines {
    starts: Vec<u32>,
    /// Characters before each [`BLOCK`].
    blocks: Vec<u32>,
}

const BLOCK: usize = 1024;

impl Lines {
    fn of(text: &str) -> Lines {
        let after = |(at, byte): (usize, u8)| (byte == b'\n').then_some(at as u32 + 1);
        let starts = std::iter::once(0).chain(text.bytes().enumerate().filter_map(after)).collect();
        let mut characters = 0;
        let blocks = text.as_bytes().chunks(BLOCK).map(|block| {
            let before = characters;
            characters += count(block);
            before
        });
        Lines { blocks: blocks.collect(), starts }
    }

    fn place(&self, text: &str, byte: usize) -> Place {
        let byte = text.floor_char_boundary(byte);
        let line = self.starts.partition_point(|start| *start as usize <= byte).max(1);
        let start = self.starts[line - 1] as usize;
        // A byte order mark takes no column on any screen.
        let mark = u32::from(line == 1 && byte > 0 && text.starts_with('\u{feff}'));
        let column = self.before(text, byte) - self.before(text, start) - mark + 1;
        Place { line: line as u32, column }
    }

    /// How many characters come before a byte.
    fn before(&self, text: &str, byte: usize) -> u32 {
        let block = byte / BLOCK;
        let counted = match self.blocks.get(block) {
            Some(counted) => *counted,
            None => return count(text.as_bytes()),
        };
        counted + count(&text.as_bytes()[block * BLOCK..byte])
    }
}

/// How many characters begin in these bytes.
fn count(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u32
}

/// The text between the quotes of a JSON string that was read before, escapes
/// resolved. Half a surrogate pair becomes U+FFFD.
fn unquote(raw: &str) -> Cow<'_, str> {
    let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let escape = rest[at + 1..].chars().next();
        rest = rest.get(at + 2..).unwrap_or_default();
        match escape {
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('u') => {
                let (character, length) = unicode_escape(rest);
                text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
                rest = rest.get(length..).unwrap_or_default();
            }
            Some(other) => text.push(other),
            None => {}
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The character of `XXXX` or `XXXX\uXXXX` after `\u`, `None` for half a pair,
/// and how many bytes it took.
fn unicode_escape(after: &str) -> (Option<char>, usize) {
    let unit = |at: usize| after.get(at..at + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    match unit(0) {
        Some(high @ 0xd800..=0xdbff) if after.get(4..6) == Some("\\u") => match unit(6) {
            Some(low @ 0xdc00..=0xdfff) => {
                (char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)), 10)
            }
            _ => (None, 4),
        },
        Some(unit) => (char::from_u32(unit), 4),
        None => (None, after.len().min(4)),
    }
}

/// Keys that stand again: the first and the later one, by their places among
/// `children`.
fn duplicates(text: &str, children: &[Child]) -> Vec<(usize, usize)> {
    let raw = |child: &Child| &text[child.key_start as usize..child.key_end as usize];
    let few = children.len() <= 24;
    if few && !children.iter().any(|child| raw(child).contains('\\')) {
        let first = |later: usize| {
            let earlier = children[..later].iter().position(|earlier| raw(earlier) == raw(&children[later]));
            earlier.map(|earlier| (earlier, later))
        };
        return (1..children.len()).filter_map(first).collect();
    }
    let mut seen = HashMap::with_capacity(children.len());
    let first = |later: usize| {
        let earlier = *seen.entry(unquote(raw(&children[later]))).or_insert(later);
        (earlier != later).then_some((earlier, later))
    };
    (0..children.len()).filter_map(first).collect()
}

#[cfg(test)]
mod tests;
