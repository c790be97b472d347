//! An inventory from outside GitHub, taken into the same account
//! (`inventory.import`; domain: imports, DOE CODE, GitLab).
//!
//! Promises: (1) what cannot be read as a whole replaces nothing; (2) an entry
//! that cannot be read is known by its place, counted, and stops no other;
//! (3) what is not public is never listed: of it only its name and address are
//! kept, so that neither is told (threats N1); (4) bytes, depth, values and
//! entries are bounded.

mod doe_code;
mod gitlab;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use code_json::{
    detect::{self, Container, Family},
    document::{Document, Fault, Kind, Limits, Value},
    migrate,
    record::{Field, Provenance, Record, Usage},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{account::State, guard, part::address};
use crate::domain::{repository::RepositoryName, words};

/// The most bytes of an import.
pub const MOST_BYTES: usize = 50 * 1024 * 1024;
/// The most entries.
pub const MOST_ENTRIES: usize = 20_000;
/// The most bytes of one entry.
const MOST_OF_ENTRY: usize = 256 * 1024;
/// Real inventories have some fifty values an entry.
const LIMITS: Limits = Limits { bytes: MOST_BYTES, depth: 64, values: 2_000_000 };

/// One entry of an import.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Imported {
    /// Its address, its name where it has none, or its place in the file; with a
    /// number, if an earlier one has the same.
    pub key: String,
    /// What it says; of one that is held, no more than its name and address.
    pub record: Record,
    /// What becomes of it, unless it can be an entry.
    pub held: Option<State>,
}

/// Why an import cannot be used as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is no JSON, or cut off, or beyond a limit of its form.
    #[error("it cannot be read as JSON, line {line}: {what}")]
    Fault {
        /// The line, from 1.
        line: u32,
        /// A sentence.
        what: String,
    },
    /// Nothing in it is an entry.
    #[error("{}", words::inventory::IMPORT_OF_WHAT)]
    NotAnInventory,
    /// It has too many entries.
    #[error("it has {0} entries, more than {MOST_ENTRIES}")]
    TooMany(usize),
    /// Too many of its entries are gone.
    #[error("{count} of its {of} entries are gone: {}", words::inventory::IMPORT_SHRANK)]
    Shrunk {
        /// So many.
        count: usize,
        /// Of so many.
        of: usize,
    },
}

impl From<Fault> for Unusable {
    fn from(fault: Fault) -> Unusable {
        Unusable::Fault { line: fault.place.line, what: fault.kind.message() }
    }
}

/// How the entries of a list are written.
#[derive(Clone, Copy)]
enum Form {
    /// Any version of code.json.
    CodeJson,
    /// GitLab's REST API, `GET /projects`.
    GitLab,
    /// The registry of the Department of Energy.
    DoeCode,
}

impl Imported {
    /// An entry that can be listed.
    #[must_use]
    pub fn of(record: Record) -> Imported {
        Imported { key: key(&record).unwrap_or_default(), record, held: None }
    }

    /// The repository that must not be named, if this is not public and its
    /// address ends with an owner and a name.
    #[must_use]
    pub fn hidden_name(&self) -> Option<RepositoryName> {
        self.held.as_ref()?;
        let (_, path) = self.record.text(Field::RepositoryUrl)?.split_once("://")?;
        let path = path.split(['?', '#']).next()?.trim_end_matches('/').trim_end_matches(".git");
        let mut parts = path.split('/').skip(1).collect::<Vec<_>>().into_iter().rev();
        let (name, owner) = (parts.next()?, parts.next()?);
        format!("{owner}/{name}").parse().ok()
    }
}

/// Reads an import; `source` is its name, for the provenance.
///
/// # Errors
/// [`Unusable`]: then whatever was read before stays.
pub fn read(bytes: &[u8], source: &str) -> Result<Vec<Imported>, Unusable> {
    let document = Document::read(bytes, &LIMITS)?;
    let root = document.root();
    let shape = detect::detect(&document);
    let listed = match shape.container {
        Container::Releases | Container::Projects | Container::List => detect::records(&document),
        Container::Single => match root.get("records") {
            Some(records) if records.kind() == Kind::Array => records.items().collect(),
            Some(_) | None if shape.family != Family::Unknown => vec![root],
            Some(_) | None => agencies(root),
        },
        Container::Other => Vec::new(),
    };
    let is_list = |value: Value<'_>| value.kind() == Kind::Array;
    let frame = is_list(root)
        || ["releases", "projects", "records"].iter().any(|key| root.get(key).is_some_and(is_list));
    if listed.is_empty() && !frame {
        return Err(Unusable::NotAnInventory);
    }
    if listed.len() > MOST_ENTRIES {
        return Err(Unusable::TooMany(listed.len()));
    }
    let form = form(&listed);
    let mut entries: Vec<Imported> =
        (1..).zip(&listed).map(|(n, item)| entry(*item, n, form, source)).collect();
    let mut taken: HashMap<String, usize> = HashMap::new();
    for one in &mut entries {
        let before = taken.entry(one.key.clone()).or_default();
        *before += 1;
        if *before > 1 {
            one.key = format!("{} ({before})", one.key);
        }
    }
    let broken = |one: &&Imported| matches!(one.held, Some(State::Incomplete { .. }));
    // One of many may be broken. Where all are, it is a list of something else.
    if !entries.is_empty() && entries.iter().filter(broken).count() == entries.len() {
        return Err(Unusable::NotAnInventory);
    }
    Ok(entries)
}

/// Whether too few of the entries before are there still, by the rule for a
/// whole publication.
///
/// # Errors
/// [`Unusable::Shrunk`].
pub fn not_shrunk(before: &[Imported], now: &[Imported]) -> Result<(), Unusable> {
    let there: BTreeSet<&str> = now.iter().map(|one| one.key.as_str()).collect();
    let count = before.iter().filter(|one| !there.contains(one.key.as_str())).count();
    let of = before.len();
    // An empty list is what a server gives to whoever may see nothing.
    let empty = now.is_empty() && of > 0;
    if empty || guard::shrinks(count, of) { Err(Unusable::Shrunk { count, of }) } else { Ok(()) }
}

/// The entries of inventories that stand side by side, by agency.
fn agencies(root: Value<'_>) -> Vec<Value<'_>> {
    let inventories = root.members().map(|member| member.value);
    let lists = inventories.filter_map(|one| one.get("releases").or_else(|| one.get("projects")));
    lists.flat_map(Value::items).collect()
}

/// How most entries are written.
fn form(listed: &[Value<'_>]) -> Form {
    let has = |value: &&Value<'_>, keys: &[&str]| keys.iter().all(|key| value.get(key).is_some());
    let most = |keys: &[&str]| listed.iter().filter(|value| has(value, keys)).count() * 2 > listed.len();
    if most(&["path_with_namespace", "web_url"]) {
        Form::GitLab
    } else if most(&["software_title"]) {
        Form::DoeCode
    } else {
        Form::CodeJson
    }
}

fn entry(item: Value<'_>, number: usize, form: Form, source: &str) -> Imported {
    let broken = |why: String| {
        let held = Some(State::Incomplete { fields: Vec::new(), why: Some(why) });
        Imported { key: format!("entry {number}"), record: Record::new(), held }
    };
    if item.span().len() > MOST_OF_ENTRY {
        return broken(words::inventory::import_too_large(number, MOST_OF_ENTRY / 1024));
    }
    let Json::Object(map) = item.to_json() else {
        return broken(words::inventory::import_no_object(number));
    };
    let person = || Provenance::Person { file: source.to_owned() };
    let record = match form {
        Form::CodeJson => migrate::read_release(&map, person()).0,
        Form::GitLab => gitlab::record(&map),
        Form::DoeCode => doe_code::record(&map, &person()),
    };
    let Some(key) = key(&record) else {
        return broken(words::inventory::import_nameless(number));
    };
    match held(&record) {
        None => Imported { key, record, held: None },
        held => {
            let mut kept = Record::new();
            for field in [Field::Name, Field::RepositoryUrl] {
                if let Some(said) = record.field(field) {
                    kept.put(field.into(), said.clone());
                }
            }
            Imported { key, record: kept, held }
        }
    }
}

/// What is never listed. Who says nothing of the visibility has written an
/// inventory for everybody: GSA 2.0.0 has no such field.
fn held(record: &Record) -> Option<State> {
    let beyond =
        |usage: Usage| matches!(usage, Usage::ExemptByNationalSecurity | Usage::ExemptByNationalIntelligence);
    if record.usage().any(beyond) {
        return Some(State::Exempt { listed: false });
    }
    let public = record.value(Field::Visibility).is_none_or(|said| said.as_str() == Some("public"));
    (!public).then(|| State::Excluded { rule: words::inventory::IMPORT_NOT_PUBLIC.to_owned() })
}

/// The address as it is compared, or the name.
fn key(record: &Record) -> Option<String> {
    let text = |field| record.text(field).map(str::trim).filter(|text| !text.is_empty());
    text(Field::RepositoryUrl).map(address).or_else(|| text(Field::Name).map(str::to_owned))
}

/// A text that says something.
fn text<'m>(map: &'m Map<String, Json>, key: &str) -> Option<&'m str> {
    map.get(key)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// The texts of a list that say something.
fn texts(map: &Map<String, Json>, key: &str) -> Option<Vec<String>> {
    let said = map.get(key)?.as_array()?.iter().filter_map(Json::as_str).map(str::trim);
    Some(said.filter(|text| !text.is_empty()).map(str::to_owned).collect())
}

/// A license of the list SPDX keeps, as the record has it.
fn license(named: &str, url: Option<&str>) -> Option<Json> {
    let id =
        code_json::license::identify(named).or_else(|| url.and_then(code_json::license::identify_url))?;
    Some(serde_json::json!({ "name": id, "URL": code_json::license::page(id) }))
}
