//! Statements of people, facts, computed values and defaults, made one record.
//!
//! Promises: (1) a person's value stands, unless one of the four facts of
//! [`Contradiction`] says otherwise; then the fact stands and there is a
//! [`Finding`]; (2) what a machine wrote into a file last time is not taken for
//! a person's word, and what a person took out of the file is not put back into
//! it; (3) merging again after the changes were made changes nothing; (4) no
//! key is forgotten, known or not; (5) what moves by itself ([`Weight::Volatile`],
//! the order of languages, hours within 5 %) is never a reason to write.

use serde_json::Value;

use crate::{
    address, date,
    record::{FIELDS, Field, Key, Kind, Provenance, Record, Sourced, Weight},
};

mod edits;
mod facts;
mod write;

pub use edits::Edit;
pub use facts::{Contradiction, Facts};

/// Labor hours that differ by less than this part are the same.
pub const HOURS_TOLERANCE: f64 = 0.05;

/// Everything that is said about one repository.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'s> {
    /// Its own file as it stands; None if there is none.
    pub file: Option<&'s Record>,
    /// What people said elsewhere, where its file is silent.
    pub answers: Option<&'s Record>,
    /// What its host knows, and what was computed.
    pub facts: &'s Facts,
    /// What the agency says of all that say nothing.
    pub defaults: &'s Record,
    /// [`Merged::written`] of the last time its changes were made.
    pub written: Option<&'s Record>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// What is to be said of the repository.
    pub record: Record,
    /// What its file would have to say differently. Defaults are not among it:
    /// they are the agency's words, not the maintainers'.
    pub changes: Vec<Change>,
    /// Statements of people that are not so.
    pub findings: Vec<Finding>,
    /// What the file holds that no person wrote, once the changes are made.
    /// Remember it, and only then.
    pub written: Record,
}

/// One value of the file that would change.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which.
    pub key: Key,
    /// What it says now.
    pub before: Option<Value>,
    /// What it would say, and why.
    pub after: Sourced,
    /// How much that matters.
    pub weight: Weight,
}

/// A person's statement that a fact contradicts.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// About what.
    pub field: Field,
    /// How.
    pub contradiction: Contradiction,
    /// What the person said, and where.
    pub said: Sourced,
    /// What is so; None if that is not known: an archived repository was opened
    /// again, and only a person knows what it is now.
    pub fact: Option<Value>,
}

impl Merged {
    /// Whether there is a reason to write: a change that is material.
    #[must_use]
    pub fn is_worth_writing(&self) -> bool {
        self.changes.iter().any(|change| change.weight == Weight::Material)
    }

    /// Notes that the file is written at `moment` (RFC 3339). Of no effect if
    /// only what moves by itself would change.
    pub fn stamp(&mut self, moment: &str) {
        if self.changes.iter().all(|change| change.weight == Weight::Volatile) {
            return;
        }
        let key = Key::from(Field::MetadataLastUpdated);
        let after = Sourced { value: moment.into(), from: Provenance::Fact };
        let before = match self.changes.iter().position(|change| change.key == key) {
            Some(at) => self.changes.remove(at).before,
            None => {
                let said = self.record.field(Field::MetadataLastUpdated);
                said.filter(|said| said.from != Provenance::Default).map(|said| said.value.clone())
            }
        };
        self.record.put(key.clone(), after.clone());
        self.written.put(key.clone(), after.clone());
        if before.as_ref() != Some(&after.value) {
            self.changes.push(Change { key, before, after, weight: Weight::Volatile });
        }
    }

    /// The file's record once the changes are made.
    #[must_use]
    pub fn apply(&self, file: &Record) -> Record {
        let mut file = file.clone();
        for change in &self.changes {
            file.put(change.key.clone(), change.after.clone());
        }
        file
    }
}

/// Merges what is said about one repository.
#[must_use]
pub fn merge(sources: &Sources<'_>) -> Merged {
    let mut merged =
        Merged { record: Record::new(), changes: Vec::new(), findings: Vec::new(), written: Record::new() };
    let decisive = sources.facts.decisive();
    for about in FIELDS {
        let field = about.field;
        let said = Said {
            file: sources.file.and_then(|file| file.field(field)),
            written: sources.written.and_then(|written| written.field(field)),
            answer: sources.answers.and_then(|answers| answers.field(field)),
            machine: decisive.field(field).or_else(|| sources.facts.others.field(field)),
            default: sources.defaults.field(field),
        };
        if !said.is_silent() {
            merge_field(sources, field, said, &mut merged);
        }
    }
    merge_others(sources, &mut merged);
    merged
}

/// What the sources say of one field.
#[derive(Clone, Copy)]
struct Said<'s> {
    file: Option<&'s Sourced>,
    written: Option<&'s Sourced>,
    answer: Option<&'s Sourced>,
    machine: Option<&'s Sourced>,
    default: Option<&'s Sourced>,
}

impl Said<'_> {
    fn is_silent(&self) -> bool {
        [self.file, self.written, self.answer, self.machine, self.default].iter().all(Option::is_none)
    }
}

fn merge_field(sources: &Sources<'_>, field: Field, said: Said<'_>, merged: &mut Merged) {
    let key = Key::Known(field);
    let speaks = |sourced: &&Sourced| said.machine.is_none() || !facts::says_nothing(field, sourced);
    let ours =
        said.written.filter(|written| said.file.is_some_and(|file| same(field, &file.value, &written.value)));
    let stated = if ours.is_some() { None } else { said.file };
    let mut persons = None;
    for person in [stated, said.answer].into_iter().flatten().filter(speaks) {
        let Some(contradiction) = sources.facts.contradiction(field, &person.value) else {
            persons = Some(person);
            break;
        };
        let fact = said.machine.map(|machine| machine.value.clone());
        merged.findings.push(Finding { field, contradiction, said: person.clone(), fact });
    }
    let result: Option<Sourced> = match (persons, said.machine, ours) {
        (Some(person), _, _) => Some(person.clone()),
        (None, Some(machine), Some(ours)) if near(field, &ours.value, &machine.value) => {
            Some(Sourced { value: ours.value.clone(), from: machine.from.clone() })
        }
        (None, Some(machine), _) => Some(machine.clone()),
        (None, None, Some(ours)) if is_outdated(sources.facts, field, ours) => {
            let contradiction = Contradiction::Archived;
            merged.findings.push(Finding { field, contradiction, said: ours.clone(), fact: None });
            merged.written.put(key.clone(), ours.clone());
            said.default.cloned()
        }
        (None, None, Some(ours)) => Some(ours.clone()),
        (None, None, None) => said.default.cloned(),
    };
    let is_gone = said.file.is_none_or(|file| ours.is_none() && facts::says_nothing(field, file));
    if let Some(written) = said.written.filter(|_| sources.file.is_some() && is_gone) {
        // A person took it out of the file: remember that it was there.
        merged.written.put(key.clone(), written.clone());
    } else if let Some(result) = result.as_ref().filter(|result| result.from != Provenance::Default) {
        let before = said.file.map(|file| &file.value);
        let changes = before.is_none_or(|before| !same(field, before, &result.value));
        if changes || ours.is_some() {
            merged.written.put(key.clone(), result.clone());
        }
        if changes {
            let (before, weight) = (before.cloned(), weight(field, before));
            merged.changes.push(Change { key: key.clone(), before, after: result.clone(), weight });
        }
    }
    if let Some(result) = result {
        merged.record.put(key, result);
    }
}

/// Keys that no version knows are people's, wherever they stand.
fn merge_others(sources: &Sources<'_>, merged: &mut Merged) {
    let others = |record: Option<&'_ Record>| record.map(Record::others).unwrap_or_default().to_vec();
    for (key, sourced) in others(sources.file) {
        merged.record.put(key, sourced);
    }
    let rest = [sources.answers, Some(&sources.facts.others), Some(sources.defaults)];
    for (key, sourced) in rest.into_iter().flat_map(others) {
        if merged.record.get(&key).is_none() {
            merged.record.put(key, sourced);
        }
    }
}

/// A contact that cannot be written to is a reason to write; another one is not.
fn weight(field: Field, before: Option<&Value>) -> Weight {
    match before {
        Some(Value::String(address)) if field == Field::ContactEmail && address.contains('@') => {
            Weight::Plain
        }
        Some(_) | None => field.about().weight,
    }
}

/// A status that stands in the file only because the repository was archived.
fn is_outdated(facts: &Facts, field: Field, ours: &Sourced) -> bool {
    field == Field::Status
        && ours.from == Provenance::Fact
        && ours.value == "Archival"
        && facts.archived == Some(false)
}

/// Whether what stands in a file is the same statement as `said`, however it is
/// spelled there: numbers in any spelling, and what versions of the schema write
/// differently (a day for a moment, one usage for several, names of licenses).
fn same(field: Field, stands: &Value, said: &Value) -> bool {
    if stands == said {
        return true;
    }
    match (field.about().kind, stands, said) {
        (_, Value::Number(stands), Value::Number(said)) => stands.as_f64() == said.as_f64(),
        (Kind::Date, Value::String(stands), Value::String(said)) => {
            match (date::read(stands), date::read(said)) {
                (Some(stands), Some(said)) if stands.time.is_none() => stands.day == said.day,
                (Some(stands), Some(said)) => stands == said,
                (None, _) | (_, None) => false,
            }
        }
        (Kind::Usage, Value::Array(list), said) => {
            list.len() == 1
                && !said.as_array().is_some_and(Vec::is_empty)
                && list[0] == edits::strictest(said)
        }
        (Kind::Licenses, stands, said) => {
            // GSA 1.0.0 has an address and no name.
            let addresses = |list: &Value| {
                list.as_array().map(|list| list.iter().map(|item| item["URL"].clone()).collect::<Vec<_>>())
            };
            let is_nameless =
                stands.as_array().is_some_and(|list| list.iter().all(|item| item.get("name").is_none()));
            *stands == edits::gov_names(said)
                || (is_nameless
                    && addresses(stands).is_some_and(|list| !list.is_empty())
                    && addresses(stands) == addresses(said))
        }
        (
            Kind::Text
            | Kind::Url
            | Kind::Number
            | Kind::Count
            | Kind::Date
            | Kind::Texts
            | Kind::Choice(_)
            | Kind::Usage
            | Kind::Items(_),
            _,
            _,
        ) => false,
    }
}

/// Whether the new value of a machine is not worth replacing its old one.
fn near(field: Field, old: &Value, new: &Value) -> bool {
    match (field, old, new) {
        (Field::LaborHours, Value::Number(old), Value::Number(new)) => {
            let (Some(old), Some(new)) = (old.as_f64(), new.as_f64()) else { return false };
            (new - old).abs() <= HOURS_TOLERANCE * old.abs()
        }
        (Field::Languages | Field::Tags, Value::Array(old), Value::Array(new)) => {
            old.len() == new.len() && old.iter().all(|one| new.contains(one))
        }
        (Field::Licenses, Value::Array(old), Value::Array(new)) => {
            let names = |list: &[Value]| list.iter().map(|item| item["name"].clone()).collect::<Vec<_>>();
            names(old) == names(new) && !old.is_empty()
        }
        (Field::RepositoryUrl, Value::String(old), Value::String(new)) => address::same_place(old, new),
        (field, old, new) => same(field, old, new),
    }
}

#[cfg(test)]
mod tests;
