//! A repository's `code.json`, read with the place of every flaw.
//!
//! Promises: (1) any text ends in a [`Reading`], in time bounded by its length
//! and [`DEPTH`]; (2) what is asked for here is what every published schema
//! asks for (name, description, contact, and permissions or the older license),
//! so nothing that is right by its own version is called wrong; (3) keys that
//! no schema knows are nobody's business here.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How deep values may nest; schemas need six levels.
pub const DEPTH: usize = 64;

/// A place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

/// What the file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Its shape; `None` if it is not JSON.
    pub shape: Option<Shape>,
    /// It begins with a byte order mark, which RFC 8259 §8.1 forbids writers.
    pub byte_order_mark: bool,
    /// What is wrong, in the order of the text; at most one of a record.
    pub flaws: Vec<Flaw>,
}

/// The shapes found in the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One object: the record of one repository.
    Record,
    /// An object with `releases` (version 2): an inventory; how many.
    Releases(usize),
    /// An object with `projects` (version 1): an inventory; how many.
    Projects(usize),
    /// A bare list; how many.
    List(usize),
    /// A text, number or the like.
    Other,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Where.
    pub at: At,
    /// What.
    pub what: What,
}

/// The kinds of flaws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A comma before a closing bracket.
    TrailingComma,
    /// `//`, `/*` or `#`.
    Comment,
    /// A text in single quotes.
    SingleQuote,
    /// The text ends within a value.
    CutOff,
    /// Another slip, in the parser's words.
    NotJson(String),
    /// Nested deeper than [`DEPTH`].
    TooDeep,
    /// The same key twice in one object.
    Duplicate(String),
    /// The root is no object.
    NotARecord,
    /// Fields that are not there, or empty; of the n-th entry of an inventory,
    /// from 1.
    Missing {
        /// In the order of the schemas.
        fields: Vec<&'static str>,
        /// Which entry, in an inventory.
        entry: Option<usize>,
    },
    /// A field holds another type than every schema wants.
    WrongType {
        /// Which field.
        field: &'static str,
        /// What it must be, as a noun: `a text`.
        wanted: &'static str,
    },
}

impl What {
    /// Whether the file cannot be read as what it should be, rather than being
    /// incomplete.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        match self {
            What::TrailingComma
            | What::Comment
            | What::SingleQuote
            | What::CutOff
            | What::NotJson(_)
            | What::TooDeep
            | What::Duplicate(_)
            | What::NotARecord => true,
            What::Missing { .. } | What::WrongType { .. } => false,
        }
    }
}

/// Reads the text of a `code.json`.
#[must_use]
pub fn read(text: &str) -> Reading {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reading = Reading { shape: None, byte_order_mark: body.len() < text.len(), flaws: Vec::new() };
    let root: &RawValue = match serde_json::from_str(body) {
        Ok(root) => root,
        Err(error) => {
            reading.flaws.push(slip(body, &error));
            return reading;
        }
    };
    let source = Source(body);
    if let Err(flaw) = source.check_keys(root, 0) {
        reading.flaws.push(flaw);
        return reading;
    }
    match root.get().as_bytes() {
        [b'{', ..] => source.object(root, &mut reading),
        [b'[', ..] => {
            reading.shape = Some(Shape::List(items(root).len()));
            reading.flaws.push(Flaw { at: source.at(root), what: What::NotARecord });
        }
        _ => {
            reading.shape = Some(Shape::Other);
            reading.flaws.push(Flaw { at: source.at(root), what: What::NotARecord });
        }
    }
    reading
}

/// The text that every [`RawValue`] below is a piece of.
struct Source<'t>(&'t str);

impl<'t> Source<'t> {
    fn at(&self, value: &'t RawValue) -> At {
        place(self.0, value.get().as_ptr() as usize - self.0.as_ptr() as usize)
    }

    /// The first repeated key below `value`, or too deep nesting.
    fn check_keys(&self, value: &'t RawValue, depth: usize) -> Result<(), Flaw> {
        let inner = match value.get().as_bytes() {
            [b'{', ..] => {
                let members = members(value);
                let mut seen = std::collections::HashSet::new();
                for (key, value) in &members {
                    if !seen.insert(key) {
                        let what = What::Duplicate(key.clone().into_owned());
                        return Err(Flaw { at: self.at(value), what });
                    }
                }
                members.into_iter().map(|(_, value)| value).collect()
            }
            [b'[', ..] => items(value),
            _ => return Ok(()),
        };
        if depth >= DEPTH {
            return Err(Flaw { at: self.at(value), what: What::TooDeep });
        }
        inner.into_iter().try_for_each(|value| self.check_keys(value, depth + 1))
    }

    fn object(&self, root: &'t RawValue, reading: &mut Reading) {
        let fields = members(root);
        let list = |key: &str| {
            let (_, value) = fields.iter().find(|(found, _)| found == key)?;
            value.get().starts_with('[').then(|| items(value))
        };
        let entries = match (list("releases"), list("projects")) {
            (Some(releases), _) => {
                reading.shape = Some(Shape::Releases(releases.len()));
                releases
            }
            (None, Some(projects)) => {
                reading.shape = Some(Shape::Projects(projects.len()));
                projects
            }
            (None, None) => {
                reading.shape = Some(Shape::Record);
                reading.flaws.extend(self.record(root, None));
                return;
            }
        };
        let flaws = entries.into_iter().zip(1..).filter_map(|(entry, n)| self.record(entry, Some(n)));
        reading.flaws.extend(flaws);
    }

    /// What is wrong with the record of one repository, if anything.
    fn record(&self, record: &'t RawValue, entry: Option<usize>) -> Option<Flaw> {
        if !record.get().starts_with('{') {
            return Some(Flaw { at: self.at(record), what: What::NotARecord });
        }
        let members = members(record);
        let find = |key: &str| members.iter().find(|(found, _)| found == key).map(|(_, value)| *value);
        let mut missing = Vec::new();
        for (field, kind) in FIELDS {
            // The first schema had one `license`, a URL or null.
            let value = match field {
                "permissions" if find("permissions").is_none() && find("license").is_some() => continue,
                field => find(field),
            };
            match value.map(|value| (value, kind.fits(value))) {
                None | Some((_, Fit::Empty)) => missing.push(field),
                Some((_, Fit::Yes)) => {}
                Some((value, Fit::No)) => {
                    let what = What::WrongType { field, wanted: kind.noun() };
                    return Some(Flaw { at: self.at(value), what });
                }
            }
        }
        if missing.is_empty() {
            return None;
        }
        Some(Flaw { at: self.at(record), what: What::Missing { fields: missing, entry } })
    }
}

/// The fields that all published versions require of a record.
const FIELDS: [(&str, Kind); 4] = [
    ("name", Kind::Text),
    ("description", Kind::Text),
    ("permissions", Kind::Object),
    ("contact", Kind::Object),
];

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Object,
}

enum Fit {
    Yes,
    Empty,
    No,
}

impl Kind {
    fn fits(self, value: &RawValue) -> Fit {
        match (self, value.get().as_bytes()) {
            (_, [b'n', ..]) => Fit::Empty,
            (Kind::Text, [b'"', inner @ .., b'"']) if inner.trim_ascii().is_empty() => Fit::Empty,
            (Kind::Object, [b'{', inner @ .., b'}']) if inner.trim_ascii().is_empty() => Fit::Empty,
            (Kind::Text, [b'"', ..]) | (Kind::Object, [b'{', ..]) => Fit::Yes,
            (Kind::Text | Kind::Object, _) => Fit::No,
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Kind::Text => "a text in double quotes",
            Kind::Object => "an object in braces",
        }
    }
}

/// The members of an object, repeated keys and all. Empty for what was found
/// valid before and is no object, or has a key that is no Unicode text.
fn members(value: &RawValue) -> Vec<(Cow<'_, str>, &RawValue)> {
    struct Members<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

    impl<'de> Deserialize<'de> for Members<'de> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Collect;
            impl<'de> Visitor<'de> for Collect {
                type Value = Members<'de>;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                    let mut members = Vec::new();
                    while let Some((Key(key), value)) = map.next_entry()? {
                        members.push((key, value));
                    }
                    Ok(Members(members))
                }
            }
            deserializer.deserialize_map(Collect)
        }
    }

    #[derive(serde::Deserialize)]
    struct Key<'t>(#[serde(borrow)] Cow<'t, str>);

    serde_json::from_str(value.get()).map_or_else(|_| Vec::new(), |Members(members)| members)
}

fn items(value: &RawValue) -> Vec<&RawValue> {
    serde_json::from_str(value.get()).unwrap_or_default()
}

/// Line and column of a byte of the text.
fn place(text: &str, offset: usize) -> At {
    let before = &text[..text.floor_char_boundary(offset)];
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count());
    let one_based = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
    At { line: one_based(line), column: one_based(column) }
}

/// Names the slip that the parser stumbled over.
fn slip(text: &str, error: &serde_json::Error) -> Flaw {
    // The parser counts columns in bytes, and may stand one past the slip.
    let line_start: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let offset = (line_start + error.column().saturating_sub(1)).min(text.len());
    let rest = &text.as_bytes()[offset..];
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let before = text[..text.floor_char_boundary(offset)].trim_end();
    let what = match rest.first() {
        _ if error.is_eof() => What::CutOff,
        Some(b'}' | b']') if before.ends_with(',') => What::TrailingComma,
        Some(b'/' | b'#') => What::Comment,
        Some(b'\'') => What::SingleQuote,
        _ => What::NotJson(message.to_owned()),
    };
    let offset = match what {
        // To blame is the comma, not the bracket after it.
        What::TrailingComma => before.len() - 1,
        What::CutOff => text.trim_end().len(),
        _ => offset,
    };
    Flaw { at: place(text, offset), what }
}

#[cfg(test)]
mod tests;
