//! The canonical record of one repository: every field that any version of
//! code.json has, each value with where it came from.
//!
//! Promises: (1) it is a superset: what one version says and another cannot is
//! kept, and so is every key that no version knows; (2) no value is without its
//! [`Provenance`]; (3) a value that has not the form its field wants is kept as
//! it was written, and only the readers that want the form do not see it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
use serde_json::Value;

mod field;
mod usage;

pub use field::{About, FIELDS, Field, Kind, MAINTENANCE, STATUS, VCS, VISIBILITY, Weight};
pub use usage::Usage;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// A person wrote it, in this file.
    Person {
        /// Its path or name.
        file: String,
    },
    /// The repository is so.
    Fact,
    /// It was computed.
    Computed {
        /// How: a name that a reader can look up.
        method: String,
        /// Of the method and of what it counts with.
        version: String,
    },
    /// The agency says so of all its repositories that say nothing.
    Default,
}

/// What an entry of the record is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A field that some version has.
    Known(Field),
    /// Another place: a JSON pointer from the release. Agencies may have fields
    /// of their own (gov 2.0.0 allows them).
    Other(Box<str>),
}

impl Key {
    /// The JSON pointer from the release.
    #[must_use]
    pub fn pointer(&self) -> &str {
        match self {
            Key::Known(field) => field.pointer(),
            Key::Other(pointer) => pointer,
        }
    }

    /// How much a difference here matters.
    #[must_use]
    pub fn weight(&self) -> Weight {
        match self {
            Key::Known(field) => field.about().weight,
            Key::Other(_) => Weight::Plain,
        }
    }
}

impl From<Field> for Key {
    fn from(field: Field) -> Key {
        Key::Known(field)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.pointer())
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sourced {
    /// What is said.
    pub value: Value,
    /// By whom.
    pub from: Provenance,
}

impl Sourced {
    /// Whether a person said it.
    #[must_use]
    pub fn is_persons(&self) -> bool {
        match self.from {
            Provenance::Person { .. } => true,
            Provenance::Fact | Provenance::Computed { .. } | Provenance::Default => false,
        }
    }
}

/// What is known of one repository. Fields come in the order of [`FIELDS`], then
/// other keys in the order in which they were set.
///
/// As JSON it is an object from JSON pointer to value and provenance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    entries: Vec<(Key, Sourced)>,
    known: usize,
}

impl Record {
    /// A record that says nothing.
    #[must_use]
    pub fn new() -> Record {
        Record::default()
    }

    /// Every entry.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&Key, &Sourced)> {
        self.entries.iter().map(|(key, sourced)| (key, sourced))
    }

    /// The entries of known fields, in the order of [`FIELDS`].
    pub(crate) fn known(&self) -> &[(Key, Sourced)] {
        &self.entries[..self.known]
    }

    /// The entries of other keys.
    pub(crate) fn others(&self) -> &[(Key, Sourced)] {
        &self.entries[self.known..]
    }

    /// What is said there, and by whom.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Sourced> {
        match key {
            Key::Known(field) => self.field(*field),
            Key::Other(_) => self.others().iter().find(|(found, _)| found == key).map(|(_, s)| s),
        }
    }

    /// What is said of a field, and by whom.
    #[must_use]
    pub fn field(&self, field: Field) -> Option<&Sourced> {
        let at = self.position(field).ok()?;
        Some(&self.entries[at].1)
    }

    /// What is said of a field.
    #[must_use]
    pub fn value(&self, field: Field) -> Option<&Value> {
        self.field(field).map(|sourced| &sourced.value)
    }

    /// What is said of a field, if it is a text.
    #[must_use]
    pub fn text(&self, field: Field) -> Option<&str> {
        self.value(field)?.as_str()
    }

    /// The texts of a field that is a list of them.
    pub fn texts(&self, field: Field) -> impl Iterator<Item = &str> {
        self.value(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// Who may use the code, as far as the names are known.
    pub fn usage(&self) -> impl Iterator<Item = Usage> {
        self.texts(Field::Usage).filter_map(Usage::named)
    }

    /// Says it, in place of what was said there before.
    pub fn set(&mut self, key: impl Into<Key>, value: impl Into<Value>, from: Provenance) {
        self.put(key.into(), Sourced { value: value.into(), from });
    }

    /// As [`Record::set`].
    pub fn put(&mut self, key: Key, sourced: Sourced) {
        match key {
            Key::Known(field) => match self.position(field) {
                Ok(at) => self.entries[at].1 = sourced,
                Err(at) => {
                    self.entries.insert(at, (key, sourced));
                    self.known += 1;
                }
            },
            Key::Other(_) => match self.others().iter().position(|(found, _)| *found == key) {
                Some(at) => self.entries[self.known + at].1 = sourced,
                None => self.entries.push((key, sourced)),
            },
        }
    }

    /// Says no more of it.
    pub fn remove(&mut self, key: &Key) -> Option<Sourced> {
        let at = self.entries.iter().position(|(found, _)| found == key)?;
        self.known -= usize::from(at < self.known);
        Some(self.entries.remove(at).1)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn position(&self, field: Field) -> Result<usize, usize> {
        self.known().binary_search_by(|(key, _)| match key {
            Key::Known(found) => found.cmp(&field),
            Key::Other(_) => std::cmp::Ordering::Greater,
        })
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, sourced) in self.entries() {
            map.serialize_entry(key.pointer(), sourced)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Record, D::Error> {
        struct Entries;
        impl<'de> de::Visitor<'de> for Entries {
            type Value = Record;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object from JSON pointer to value and provenance")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
                let mut record = Record::new();
                while let Some((pointer, sourced)) = map.next_entry::<String, Sourced>()? {
                    if !pointer.starts_with('/') {
                        let expected = "a JSON pointer such as /name";
                        return Err(de::Error::invalid_value(de::Unexpected::Str(&pointer), &expected));
                    }
                    let key = Field::at(&pointer).map_or_else(|| Key::Other(pointer.into()), Key::Known);
                    record.put(key, sourced);
                }
                Ok(record)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
pub(crate) mod any;
#[cfg(test)]
mod tests;
