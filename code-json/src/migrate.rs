//! Every member of the family, read into records.
//!
//! Promises: (1) nothing that was written is lost: what no field takes stays in
//! the record under its own JSON pointer; (2) every value that was changed on
//! the way is noted, with its place; (3) where a person must decide (`exemption`
//! that names no law, two spellings that contradict each other), nothing is
//! guessed.

use serde_json::{Map, Value};

use crate::record::{Field, Provenance, Record};

mod release;
mod value;

pub(crate) use release::{escape, place};

/// What became of a value while it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// It, or a part of it, said nothing (null, an empty text) and was left out.
    Emptied,
    /// Spaces around it were taken off.
    Trimmed,
    /// A number became a text, or a text a number.
    Retyped,
    /// Its spelling became that of the published list.
    Respelled,
    /// One value became a list.
    Wrapped,
    /// A list of one became a text.
    Unwrapped,
    /// It stood there twice.
    Doubled,
    /// Its key is called differently today.
    Renamed,
    /// It stands elsewhere today.
    Moved,
    /// A flag of the first version became `usageType`.
    FromFlags,
    /// The source has it, the record has no place for it.
    NotCarried,
}

impl Change {
    /// All of them.
    pub const ALL: [Change; 11] = [
        Change::Emptied,
        Change::Trimmed,
        Change::Retyped,
        Change::Respelled,
        Change::Wrapped,
        Change::Unwrapped,
        Change::Doubled,
        Change::Renamed,
        Change::Moved,
        Change::FromFlags,
        Change::NotCarried,
    ];

    /// For people: what was done.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Change::Emptied => "was empty or held something empty, which is left out",
            Change::Trimmed => "lost the spaces around it",
            Change::Retyped => "changed between number and text",
            Change::Respelled => "is spelled as in the published list",
            Change::Wrapped => "became a list",
            Change::Unwrapped => "was a list of one",
            Change::Doubled => "stood there twice",
            Change::Renamed => "has another name today",
            Change::Moved => "stands elsewhere today",
            Change::FromFlags => "became usageType",
            Change::NotCarried => "has no counterpart and is left out",
        }
    }
}

/// What became of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its JSON pointer in the file.
    pub pointer: String,
    /// What was done.
    pub change: Change,
}

/// How a list of releases says whose it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Envelope {
    /// The agency's acronym.
    pub agency: Option<String>,
    /// The version of the schema it claims.
    pub version: Option<String>,
    /// How the agency measures its code (M-16-21 §5.1): `method`, `ifOther`.
    pub measurement: Option<Value>,
    /// Keys beside those.
    pub others: Map<String, Value>,
}

/// An inventory's releases and its envelope; a single file has an empty one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Group {
    /// What it says of itself.
    pub envelope: Envelope,
    /// Its records, in the order of the file.
    pub records: Vec<Record>,
}

/// The shape a file had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// One repository.
    Release,
    /// `releases` (GSA 2.0.0, agency-index 2.0.0).
    Releases,
    /// `projects` (GSA 1.0.1).
    Projects,
    /// A list without an envelope.
    List,
    /// Several inventories, each under its agency's name.
    Agencies,
}

/// What a file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Its shape.
    pub root: Root,
    /// One, except of [`Root::Agencies`].
    pub groups: Vec<Group>,
    /// What was changed on the way, in the order of reading.
    pub notes: Vec<Note>,
}

impl Reading {
    /// Every record.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.groups.iter().flat_map(|group| &group.records)
    }

    /// One record alone: by its number from 1, its name or its `repositoryURL`.
    /// The first, if several are called so.
    #[must_use]
    pub fn pick(&self, which: &str) -> Option<Reading> {
        let called = |record: &&Record| {
            [Field::Name, Field::RepositoryUrl].iter().any(|field| record.text(*field) == Some(which))
        };
        let numbered = || self.records().nth(which.parse::<usize>().ok()?.checked_sub(1)?);
        let record = self.records().find(called).or_else(numbered)?;
        let groups = vec![Group { envelope: Envelope::default(), records: vec![record.clone()] }];
        Some(Reading { root: Root::Release, groups, notes: Vec::new() })
    }
}

/// A file that says nothing about source code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnInventory;

impl std::fmt::Display for NotAnInventory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no release, no list of releases and no list of projects: write an object with name, description and permissions")
    }
}

impl std::error::Error for NotAnInventory {}

/// Reads a file of any version; `file` is its name, for the provenance.
///
/// # Errors
/// If there is nothing in it that any version has.
pub fn read(root: &Value, file: &str) -> Result<Reading, NotAnInventory> {
    let from = Provenance::Person { file: file.to_owned() };
    let mut notes = Vec::new();
    let (shape, groups) = match root {
        Value::Array(list) => {
            let records = releases(list, "", &from, &mut notes);
            (Root::List, vec![Group { envelope: Envelope::default(), records }])
        }
        Value::Object(map) => match inventory(map, "", &from, &mut notes) {
            Some((shape, group)) => (shape, vec![group]),
            None if is_release(map) => {
                let record = release::Reader::new(from, String::new(), &mut notes).read(map);
                (Root::Release, vec![Group { envelope: Envelope::default(), records: vec![record] }])
            }
            None => (Root::Agencies, agencies(map, &from, &mut notes)),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Err(NotAnInventory),
    };
    if groups.is_empty() || (shape == Root::List && groups[0].records.is_empty()) {
        return Err(NotAnInventory);
    }
    Ok(Reading { root: shape, groups, notes })
}

/// Reads one release.
#[must_use]
pub fn read_release(release: &Map<String, Value>, from: Provenance) -> (Record, Vec<Note>) {
    let mut notes = Vec::new();
    let record = release::Reader::new(from, String::new(), &mut notes).read(release);
    (record, notes)
}

/// An object with a list of `releases`, or of `projects` that are objects
/// (CMS has a field `projects`, a list of texts).
fn inventory(
    map: &Map<String, Value>,
    base: &str,
    from: &Provenance,
    notes: &mut Vec<Note>,
) -> Option<(Root, Group)> {
    let list = |key: &str| map.get(key).and_then(Value::as_array);
    let (root, key, list) = match (list("releases"), list("projects")) {
        (Some(releases), _) => (Root::Releases, "releases", releases),
        (None, Some(projects)) if !is_release(map) && projects.iter().any(Value::is_object) => {
            (Root::Projects, "projects", projects)
        }
        (None, _) => return None,
    };
    let records = releases(list, &format!("{base}/{key}"), from, notes);
    let text =
        |key: &str| map.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let mut envelope = Envelope {
        agency: text("agency").map(str::to_owned),
        version: text("version").map(str::to_owned),
        measurement: map.get("measurementType").filter(|value| value.is_object()).cloned(),
        others: Map::new(),
    };
    for (name, value) in map {
        let taken = match name.as_str() {
            "agency" => envelope.agency.is_some(),
            "version" => envelope.version.is_some(),
            "measurementType" => envelope.measurement.is_some(),
            name => name == key,
        };
        if !taken {
            envelope.others.insert(name.clone(), value.clone());
        }
    }
    Some((root, Group { envelope, records }))
}

/// An object of inventories, by agency.
fn agencies(map: &Map<String, Value>, from: &Provenance, notes: &mut Vec<Note>) -> Vec<Group> {
    let mut groups = Vec::new();
    for (agency, value) in map {
        let Value::Object(inner) = value else { continue };
        let Some((_, mut group)) = inventory(inner, &format!("/{}", escape(agency)), from, notes) else {
            continue;
        };
        group.envelope.agency.get_or_insert_with(|| agency.clone());
        groups.push(group);
    }
    groups
}

fn releases(list: &[Value], base: &str, from: &Provenance, notes: &mut Vec<Note>) -> Vec<Record> {
    let mut records = Vec::with_capacity(list.len());
    for (at, item) in list.iter().enumerate() {
        let base = format!("{base}/{at}");
        match item {
            Value::Object(map) => records.push(release::Reader::new(from.clone(), base, notes).read(map)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                notes.push(Note { pointer: base, change: Change::NotCarried });
            }
        }
    }
    records
}

/// Whether an object has at least two fields of a release.
fn is_release(map: &Map<String, Value>) -> bool {
    let known = |key: &&String| {
        let pointer = format!("/{}", escape(key));
        Field::near(&pointer).is_some()
            || ["permissions", "contact", "date", "license", "repository"].contains(&key.as_str())
    };
    map.keys().filter(known).count() >= 2
}

#[cfg(test)]
mod tests;
