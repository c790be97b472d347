//! YAML with positions: the text of a file as a tree whose every node knows
//! its line and column.
//!
//! Promises: (1) any text ends in a tree or in one problem, within the limits
//! below, whatever aliases, nesting or length it has; (2) scalars are read by
//! the YAML 1.2 core schema: `no`, `off`, `08` and `1_000` are texts, and who
//! wants something else of them says so; (3) nothing is lost: repeated keys
//! arrive as often as they were written.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{
    Location, RenderOptions, Spanned, UserMessageFormatter,
    options::{DuplicateKeyPolicy, MergeKeyPolicy},
};

use super::problem::{At, Problem};

/// The largest file that is read, in bytes (threats §4, Limits).
pub const MAX_BYTES: usize = 256 * 1024;

/// How deep a file may nest; the contract needs five levels.
const MAX_DEPTH: usize = 16;

/// A value and where it stands.
#[derive(Debug)]
pub(in crate::domain) struct Node {
    pub(in crate::domain) at: At,
    pub(in crate::domain) value: Value,
}

/// What YAML can say.
#[derive(Debug)]
pub(in crate::domain) enum Value {
    Null,
    Boolean(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Value {
    /// The kind, as a message names it.
    pub(in crate::domain) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Boolean(_) => "true or false",
            Value::Integer(_) | Value::Float(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a section",
        }
    }
}

/// Decodes and reads a file; see the module's promises.
pub(in crate::domain) fn parse_bytes(bytes: &[u8]) -> Result<Node, Problem> {
    parse(utf_8(bytes)?)
}

/// Decodes a file that is not too large.
pub(in crate::domain) fn utf_8(bytes: &[u8]) -> Result<&str, Problem> {
    too_large(bytes.len())?;
    std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count());
        place(line + 1, column + 1).problem("", "is not UTF-8", "save the file as UTF-8")
    })
}

/// Reads a file; see the module's promises.
pub(in crate::domain) fn parse(text: &str) -> Result<Node, Problem> {
    too_large(text.len())?;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 100_000,
            max_nodes: 50_000,
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_aliases: 100,
            max_anchors: 100,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 10_000,
            max_replay_stack_depth: MAX_DEPTH,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let at = error.location().map_or(At::START, position);
        let options = RenderOptions::new(&UserMessageFormatter);
        let message = error.render_with_options(options);
        // The place is said once, in front.
        let message = message.split(" at line ").next().unwrap_or_default().trim().to_owned();
        at.problem("", message, "correct the YAML here; nothing after this place was read")
    })
}

fn too_large(length: usize) -> Result<(), Problem> {
    if length <= MAX_BYTES {
        return Ok(());
    }
    Err(At::START.problem("", format!("has {length} bytes"), format!("write at most {MAX_BYTES} bytes")))
}

fn place(line: usize, column: usize) -> At {
    At { line: u32::try_from(line).unwrap_or(u32::MAX), column: u32::try_from(column).unwrap_or(u32::MAX) }
}

fn position(location: Location) -> At {
    let one_based = |n: u64| usize::try_from(n.max(1)).unwrap_or(usize::MAX);
    place(one_based(location.line()), one_based(location.column()))
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // `referenced` is where a reader sees the value, also through an alias.
        let Spanned { value, referenced, .. } = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Node { at: position(referenced), value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Value::Map(map))
    }
}
