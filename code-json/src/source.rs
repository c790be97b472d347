//! Other files that describe a repository: `.codeinventory.yml` and
//! `publiccode.yml`.
//!
//! Promises: (1) a text becomes a record or an error with line and column, in
//! bounded time and memory whatever it holds (threats of aliases and nesting);
//! (2) what the record has no place for is noted, with its JSON pointer.

use serde::Deserialize;
use serde_json::{Map, Value};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};

use crate::{
    document::{Document, Limits},
    migrate::{self, Envelope, Group, Note, Reading, Root},
    record::{Provenance, Record},
};

mod publiccode;

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// How deep a file may nest; publiccode.yml needs six levels.
const MAX_DEPTH: usize = 24;

/// A file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceError {
    /// From 1; None if it is about the whole file.
    pub line: Option<u64>,
    /// From 1.
    pub column: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for SourceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, "{line}:{column}: {}", self.what),
            (Some(_) | None, _) => f.write_str(&self.what),
        }
    }
}

impl std::error::Error for SourceError {}

impl SourceError {
    fn whole(what: impl Into<String>) -> SourceError {
        SourceError { line: None, column: None, what: what.into() }
    }
}

/// Reads a file by its name: `publiccode.yml`, other YAML as
/// [`codeinventory`] does, everything else as code.json of any version.
///
/// # Errors
/// If it cannot be understood, or describes no code.
pub fn read(name: &str, bytes: &[u8], limits: &Limits) -> Result<Reading, SourceError> {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = [".yml", ".yaml"].iter().find_map(|end| file.strip_suffix(end));
    let Some(stem) = stem else {
        let document = Document::read(bytes, limits).map_err(|fault| SourceError {
            line: Some(fault.place.line.into()),
            column: Some(fault.place.column.into()),
            what: format!("{}. {}", fault.kind.message(), fault.kind.remedy()),
        })?;
        return migrate::read(&document.root().to_json(), name)
            .map_err(|error| SourceError::whole(error.to_string()));
    };
    let text = str::from_utf8(bytes).map_err(|error| {
        SourceError::whole(format!("byte {} is not UTF-8: save the file as UTF-8", error.valid_up_to() + 1))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (record, notes) =
        if stem == "publiccode" { publiccode(text, name) } else { codeinventory(text, name) }?;
    let groups = vec![Group { envelope: Envelope::default(), records: vec![record] }];
    Ok(Reading { root: Root::Release, groups, notes })
}

/// Reads `.codeinventory.yml`: the fields of code.json in YAML, of GSA 1.0.1 or
/// 2.0.0 (GSA's codeinventory tools). Its JSON twin is read as code.json is.
///
/// # Errors
/// If it is no YAML, or no description of a project.
pub fn codeinventory(text: &str, file: &str) -> Result<(Record, Vec<Note>), SourceError> {
    let map = yaml(text)?;
    let (record, notes) = migrate::read_release(&map, Provenance::Person { file: file.to_owned() });
    if record.known().is_empty() {
        return Err(SourceError::whole(
            "no field of code.json is in it: write at least name and description",
        ));
    }
    Ok((record, notes))
}

/// Reads `publiccode.yml` (<https://yml.publiccode.tools>), version 0 of the
/// standard.
///
/// # Errors
/// If it is no YAML, or has no `publiccodeYmlVersion`.
pub fn publiccode(text: &str, file: &str) -> Result<(Record, Vec<Note>), SourceError> {
    let map = yaml(text)?;
    if !map.keys().any(|key| ["publiccodeYmlVersion", "publiccode-yaml-version"].contains(&key.as_str())) {
        return Err(SourceError::whole("it has no publiccodeYmlVersion: is it another file?"));
    }
    Ok(publiccode::read(&map, &Provenance::Person { file: file.to_owned() }))
}

fn yaml(text: &str) -> Result<Map<String, Value>, SourceError> {
    if text.len() > MAX_BYTES {
        return Err(SourceError::whole(format!("{} bytes; at most {MAX_BYTES} are read", text.len())));
    }
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
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    let read = serde_saphyr::from_str_with_options::<Yaml>(text, options);
    let Yaml(value) = read.map_err(|error| {
        let place = error.location();
        let message = error.to_string();
        SourceError {
            line: place.map(|place| place.line()),
            column: place.map(|place| place.column()),
            what: message.split(" at line ").next().unwrap_or_default().trim().to_owned(),
        }
    })?;
    match value {
        Value::Object(map) => Ok(map),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(SourceError::whole("the file is no list of keys and values"))
        }
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Yaml(Value);

#[cfg(test)]
mod tests;
