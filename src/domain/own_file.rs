//! A repository's own `code.json`: where it falls short, and what it would say
//! once everything that is known was merged into it.
//!
//! Promises (etiquette 4.4): (1) nothing is made up: what only a person knows
//! and nobody said stays out of the file and is asked for; (2) every byte that
//! need not change stays; (3) what moves by itself is never a reason to write;
//! (4) a file that a program cannot read, that lists several repositories or
//! is not text in UTF-8 is a person's to mend; (5) proposing again after the
//! proposal was merged proposes nothing.

pub mod questions;
mod said;
#[cfg(test)]
mod tests;

pub use said::Said;

use std::collections::BTreeSet;

use code_json::{
    convert::{self, Target},
    detect::{Container, detect},
    document::{Document, Kind, Limits},
    merge::{self, Change, Merged, merge},
    migrate,
    record::{Field, Key, Provenance, Record, Weight},
    repair::repair,
    schema::Published,
    validate::{Choice, Options},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    inventory::{Sources, default_record},
    policy::{CodeJsonSchema, Policy},
    repository::{EntryKind, ObjectId, Snapshot},
};

/// Its place; programs look for this name.
pub const PATH: &str = "code.json";

/// Where a file falls short of what the policy asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// It says otherwise than the repository is, about these fields.
    Drift(Vec<Field>),
    /// It does not say these.
    Lacks(Vec<Field>),
}

/// What a pull request about the file knows of it, beside its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFile {
    /// The file it is made from and replaces; none if there is none.
    pub over: Option<ObjectId>,
    /// The fields that it sets, but for what moves by itself: JSON pointers.
    pub sets: Vec<String>,
    /// The fields that it takes from the agency's defaults.
    pub defaults: Vec<Field>,
    /// The fields that the schema asks for and only a person can fill in.
    pub open: Vec<Field>,
    /// All of this that is worth another commit, as text.
    pub substance: String,
    /// What the file will hold that no person wrote, JSON of a record.
    pub written: String,
}

/// What the schema of the policy asks for, and the contact that nobody can do
/// without (etiquette 4.4).
fn wanted(schema: CodeJsonSchema) -> impl Iterator<Item = Field> {
    let target = target(schema);
    convert::required(target).iter().copied().chain([Field::ContactEmail])
}

fn target(schema: CodeJsonSchema) -> Target {
    match schema {
        CodeJsonSchema::Gov200 => Target::Gov2,
    }
}

/// Whether a record says something usable of a field.
fn says(record: &Record, field: Field) -> bool {
    match record.value(field) {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) if field == Field::ContactEmail => text.contains('@'),
        Some(Value::String(text)) => !text.trim().is_empty(),
        Some(Value::Array(list)) if field == Field::Usage => !list.is_empty(),
        Some(Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => true,
    }
}

/// What is wrong with a file that can be read: held against the repository
/// itself, and against the schema.
#[must_use]
pub fn flaw(policy: &Policy, snapshot: &Snapshot, licenses: &[String], record: &Record) -> Option<Flaw> {
    let nothing = Record::new();
    let merged = merged(snapshot, licenses, Some(record), &Said::default(), &nothing);
    let drifting: Vec<Field> = merged.findings.iter().map(|finding| finding.field).collect();
    if !drifting.is_empty() {
        return Some(Flaw::Drift(drifting));
    }
    let silent = wanted(policy.rules.code_json.schema).filter(|field| !says(record, *field));
    let material = merged.changes.iter().filter(|change| change.weight == Weight::Material);
    let lacking: BTreeSet<Field> = silent.chain(material.filter_map(|change| known(&change.key))).collect();
    (!lacking.is_empty()).then(|| Flaw::Lacks(lacking.into_iter().collect()))
}

/// The one record of a document, if it is a repository's own.
#[must_use]
pub fn record(document: &Document) -> Option<Record> {
    let root = document.root();
    if detect(document).container != Container::Single || root.kind() != Kind::Object {
        return None;
    }
    let Value::Object(map) = root.to_json() else { return None };
    Some(migrate::read_release(&map, Provenance::Person { file: PATH.to_owned() }).0)
}

/// What the file would say, and why that is worth a commit; `None` if it is
/// not, or if only a person can mend it.
#[must_use]
pub fn propose(
    policy: &Policy,
    snapshot: &Snapshot,
    licenses: &[String],
    said: &Said,
    now: Timestamp,
) -> Option<(String, OwnFile)> {
    let making = Making { policy, snapshot, licenses, said, now };
    let Some(entry) = snapshot.files.entry(PATH) else { return making.create(None) };
    let text = snapshot.files.texts.get(PATH)?.text()?;
    // What was decoded from another encoding would come back in this one.
    let oid = entry.oid.as_ref().filter(|oid| oid.is_blob(text.as_bytes()))?;
    match entry.kind {
        EntryKind::File if text.trim().is_empty() => making.create(Some(oid.clone())),
        EntryKind::File => making.mend(text, oid),
        EntryKind::Folder | EntryKind::Link | EntryKind::Submodule => None,
    }
}

fn merged(
    snapshot: &Snapshot,
    licenses: &[String],
    file: Option<&Record>,
    said: &Said,
    defaults: &Record,
) -> Merged {
    let facts = Sources::without_file(snapshot, licenses.to_vec()).facts_of(&snapshot.repository);
    let answers = Some(&said.answers);
    merge(&merge::Sources { file, answers, facts: &facts, defaults, written: said.written.as_ref() })
}

struct Making<'a> {
    policy: &'a Policy,
    snapshot: &'a Snapshot,
    licenses: &'a [String],
    said: &'a Said,
    now: Timestamp,
}

impl Making<'_> {
    fn wanted(&self) -> impl Iterator<Item = Field> {
        wanted(self.policy.rules.code_json.schema)
    }

    /// Merges, and takes the agency's defaults for what is wanted and nobody
    /// says; which these are.
    fn merged(&self, file: &Record, there: bool) -> (Merged, Vec<Field>) {
        let defaults = default_record(self.policy);
        let file_there = there.then_some(file);
        let mut merged = merged(self.snapshot, self.licenses, file_there, self.said, &defaults);
        let mut taken = Vec::new();
        for field in self.wanted() {
            let default = merged.record.field(field).filter(|said| said.from == Provenance::Default);
            let Some(after) = default.cloned() else { continue };
            let before = file.value(field).cloned();
            merged.changes.push(Change { key: field.into(), before, after, weight: field.about().weight });
            taken.push(field);
        }
        (merged, taken)
    }

    fn create(&self, over: Option<ObjectId>) -> Option<(String, OwnFile)> {
        let nothing = Record::new();
        let (mut merged, _) = self.merged(&nothing, false);
        let by_default = merged.record.entries().filter(|(_, said)| said.from == Provenance::Default);
        let defaults = by_default.filter_map(|(key, _)| known(key)).collect();
        let substance = self.substance(&merged, &nothing);
        let sets = sets(&merged);
        merged.stamp(&moment(self.now));
        let converted = convert::release(&merged.record, target(self.policy.rules.code_json.schema));
        let mut text = serde_json::to_string_pretty(&converted.document).ok()?;
        text.push('\n');
        let made = self.made(over, &merged, sets, defaults, merged.record.clone(), substance)?;
        Some((text, made))
    }

    fn mend(&self, text: &str, oid: &ObjectId) -> Option<(String, OwnFile)> {
        let schema = Published::named(self.policy.rules.code_json.schema.as_str());
        let schema = schema.map_or(Choice::Auto, Choice::Published);
        let options = Options { schema, today: None, limits: Limits::default() };
        let whole = Document::read(text.as_bytes(), &options.limits).ok()?;
        record(&whole)?;
        let repaired = repair(text.as_bytes(), &options).ok()?;
        let document = Document::read(repaired.text.as_bytes(), &options.limits).ok()?;
        // Which of two equal keys counts is for people to say.
        if !document.slips().is_empty() {
            return None;
        }
        let mut file = record(&document)?;
        for field in self.wanted() {
            if !says(&file, field) {
                file.remove(&field.into());
            }
        }
        let (mut merged, defaults) = self.merged(&file, true);
        let fills = |change: &Change| {
            self.wanted().any(|field| change.key == Key::Known(field)) && !is_there(&file, change)
        };
        let mends = !whole.is_json() || repaired.after.violations < repaired.before.violations;
        if !mends && !merged.is_worth_writing() && !merged.changes.iter().any(fills) {
            return None;
        }
        let substance = self.substance(&merged, &file);
        let mut sets = sets(&merged);
        sets.extend(repaired.made.iter().map(|made| made.pointer.clone()).filter(|at| !at.is_empty()));
        sets.sort_unstable();
        sets.dedup();
        merged.stamp(&moment(self.now));
        let written = merged.write(&document, document.root())?;
        if written == text {
            return None;
        }
        let after = merged.apply(&file);
        let made = self.made(Some(oid.clone()), &merged, sets, defaults, after, substance)?;
        Some((written, made))
    }

    fn made(
        &self,
        over: Option<ObjectId>,
        merged: &Merged,
        sets: Vec<String>,
        defaults: Vec<Field>,
        after: Record,
        substance: Vec<Value>,
    ) -> Option<OwnFile> {
        let open: BTreeSet<Field> = self.wanted().filter(|field| !says(&after, *field)).collect();
        let open: Vec<Field> = open.into_iter().collect();
        let pointers: Vec<&str> = open.iter().map(|field| field.pointer()).collect();
        let substance = json!([substance, pointers]).to_string();
        let written = serde_json::to_string(&merged.written).ok()?;
        Some(OwnFile { over, sets, defaults, open, substance, written })
    }

    /// The values that are worth another commit if they change: material ones,
    /// what people and the agency say, and that a field is filled at all.
    fn substance(&self, merged: &Merged, file: &Record) -> Vec<Value> {
        let tell = |change: &Change| {
            let by_people = change.after.is_persons() || change.after.from == Provenance::Default;
            let counts = change.weight == Weight::Material || by_people;
            let pointer = change.key.pointer();
            if change.key == Key::Known(Field::RepositoryUrl) {
                // The name is what can change, wherever the host is.
                return Some(json!([pointer, self.snapshot.repository.name]));
            }
            match counts {
                true => Some(json!([pointer, change.after.value])),
                false => self
                    .wanted()
                    .any(|field| change.key == Key::Known(field) && !says(file, field))
                    .then(|| json!([pointer])),
            }
        };
        merged.changes.iter().filter_map(tell).collect()
    }
}

/// The field that a key is about, if a version has it.
fn known(key: &Key) -> Option<Field> {
    match key {
        Key::Known(field) => Some(*field),
        Key::Other(_) => None,
    }
}

fn is_there(file: &Record, change: &Change) -> bool {
    file.get(&change.key).is_some()
}

/// The pointers of what changes, but for what moves by itself.
fn sets(merged: &Merged) -> Vec<String> {
    let settled = merged.changes.iter().filter(|change| change.weight != Weight::Volatile);
    settled.map(|change| change.key.pointer().to_owned()).collect()
}

/// A moment to the second, as RFC 3339 has it.
fn moment(now: Timestamp) -> String {
    Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}
