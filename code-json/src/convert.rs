//! The record, written in a version that others read.
//!
//! Promises: (1) what a version can say is said, and everything it cannot is
//! reported: as a [`Loss`], a row of one table ([`LOSSES`]), or a [`Question`];
//! (2) nothing is made up: what is required and unknown is missing and asked
//! for; (3) keys that no version knows go along wherever the target allows
//! further keys; (4) what was converted once converts without a loss.

use serde_json::{Map, Value, json};

use crate::{
    migrate::{Envelope, Group, Reading},
    record::{Field, Key, Record},
    synonyms,
};

mod explain;
mod release;
mod table;
mod value;

pub use explain::explain;
pub use release::release;
pub use table::{About, Ask, LOSSES, Row, markdown};

/// What can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// gov-codejson 2.0.0: one repository's file.
    Gov2,
    /// agency-index 2.0.0: an inventory of such records.
    AgencyIndex2,
    /// GSA 2.0.0: the inventory of M-16-21.
    Gsa2,
}

impl Target {
    /// All of them.
    pub const ALL: [Target; 3] = [Target::Gov2, Target::AgencyIndex2, Target::Gsa2];

    /// As the command line names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Target::Gov2 => "gov-2.0.0",
            Target::AgencyIndex2 => "agency-index-2.0.0",
            Target::Gsa2 => "gsa-2.0.0",
        }
    }

    /// The target of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Target> {
        Target::ALL.into_iter().find(|target| target.name() == name)
    }

    /// Whether its records have the form of gov 2.0.0.
    #[must_use]
    pub fn is_gov(self) -> bool {
        match self {
            Target::Gov2 | Target::AgencyIndex2 => true,
            Target::Gsa2 => false,
        }
    }
}

/// One thing that the document says otherwise than the record, or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    /// The row of the table.
    pub row: Row,
    /// The record's number, from 0; None of the inventory itself.
    pub record: Option<usize>,
    /// Where, from the record or the inventory: a JSON pointer.
    pub pointer: String,
    /// What the source says.
    pub was: Value,
}

/// One thing that only a person can say.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What is asked.
    pub ask: Ask,
    /// The record's number, from 0; None of the inventory itself.
    pub record: Option<usize>,
    /// Where the answer belongs, from the record or the inventory.
    pub pointer: String,
    /// What the source says, if it says something.
    pub was: Option<Value>,
}

/// What the conversion came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// The document.
    pub document: Value,
    /// What it does not say.
    pub losses: Vec<Loss>,
    /// What it would have to say.
    pub questions: Vec<Question>,
}

/// What a source without an envelope does not say of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// The agency's acronym.
    pub agency: Option<String>,
    /// `measurementType.method`.
    pub method: Option<String>,
}

/// A file that cannot be written as one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooMany {
    /// How many records there are.
    pub records: usize,
}

impl std::fmt::Display for TooMany {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let records = self.records;
        write!(
            f,
            "{records} records do not fit into one repository's file: choose one, or write an inventory"
        )
    }
}

impl std::error::Error for TooMany {}

/// GSA 2.0.0 and agency-index 2.0.0 `measurementType.method`.
pub const METHODS: [&str; 6] = ["linesOfCode", "modules", "cost", "projects", "systems", "other"];

/// What is noted while one document is written.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) record: Option<usize>,
    pub(crate) losses: Vec<Loss>,
    pub(crate) questions: Vec<Question>,
}

impl Notes {
    pub(crate) fn lose(&mut self, row: Row, pointer: &str, was: &Value) {
        let record = self.record;
        self.losses.push(Loss { row, record, pointer: pointer.to_owned(), was: was.clone() });
    }

    pub(crate) fn ask(&mut self, ask: Ask, pointer: &str, was: Option<&Value>) {
        let record = self.record;
        self.questions.push(Question { ask, record, pointer: pointer.to_owned(), was: was.cloned() });
    }
}

/// Writes what a file says in another version.
///
/// # Errors
/// If there is not exactly one record and the target is one repository's file.
pub fn convert(reading: &Reading, target: Target, frame: &Frame) -> Result<Converted, TooMany> {
    let records: Vec<&Record> = reading.records().collect();
    let mut notes = Notes::default();
    let document = match target {
        Target::Gov2 => {
            let [record] = records[..] else { return Err(TooMany { records: records.len() }) };
            for group in &reading.groups {
                lose_envelope(&group.envelope, &mut notes);
            }
            notes.record = Some(0);
            Value::Object(release::write(record, target, &mut notes))
        }
        Target::AgencyIndex2 | Target::Gsa2 => {
            let envelope = envelope(&reading.groups, target, frame, &mut notes);
            inventory(envelope, &records, target, &mut notes)
        }
    };
    Ok(Converted { document, losses: notes.losses, questions: notes.questions })
}

fn inventory(envelope: Map<String, Value>, records: &[&Record], target: Target, notes: &mut Notes) -> Value {
    let mut document = envelope;
    let mut releases = Vec::with_capacity(records.len());
    for (at, record) in records.iter().enumerate() {
        notes.record = Some(at);
        releases.push(Value::Object(release::write(record, target, notes)));
    }
    let others = std::mem::take(&mut document);
    let (frame, rest): (Vec<_>, Vec<_>) = others
        .into_iter()
        .partition(|(key, _)| ["version", "agency", "measurementType"].contains(&key.as_str()));
    document.extend(frame);
    document.insert("releases".into(), Value::Array(releases));
    document.extend(rest);
    Value::Object(document)
}

fn lose_envelope(envelope: &Envelope, notes: &mut Notes) {
    let text = |value: &Option<String>| value.clone().map(Value::from);
    let said = [
        ("/agency", text(&envelope.agency)),
        ("/version", text(&envelope.version)),
        ("/measurementType", envelope.measurement.clone()),
    ];
    for (pointer, was) in said {
        if let Some(was) = was {
            notes.lose(Row::Envelope, pointer, &was);
        }
    }
    for (key, was) in &envelope.others {
        notes.lose(Row::Envelope, &format!("/{}", crate::migrate::escape(key)), was);
    }
}

/// What the inventory says of itself: the first group's words, else the frame's.
fn envelope(groups: &[Group], target: Target, frame: &Frame, notes: &mut Notes) -> Map<String, Value> {
    let nothing = Envelope::default();
    let first = groups.first().map_or(&nothing, |group| &group.envelope);
    for group in groups.iter().skip(1) {
        notes.lose(Row::Joined, "/agency", &json!(group.envelope.agency));
    }
    let mut written = Map::new();
    if let Some(version) = first.version.as_deref().filter(|version| *version != "2.0.0") {
        notes.lose(Row::EnvelopeVersion, "/version", &version.into());
    }
    written.insert("version".into(), "2.0.0".into());
    match frame.agency.clone().or_else(|| first.agency.clone()).or_else(|| agency_of(groups)) {
        Some(agency) => drop(written.insert("agency".into(), agency.into())),
        None => notes.ask(Ask::Missing, "/agency", None),
    }
    written.insert("measurementType".into(), measurement(first.measurement.as_ref(), frame, notes));
    for (key, value) in &first.others {
        let pointer = format!("/{}", crate::migrate::escape(key));
        match target {
            Target::Gsa2 => notes.lose(Row::EnvelopeKey, &pointer, value),
            Target::Gov2 | Target::AgencyIndex2 if written.contains_key(key) || key == "releases" => {
                notes.lose(Row::Occupied, &pointer, value);
            }
            Target::Gov2 | Target::AgencyIndex2 => drop(written.insert(key.clone(), value.clone())),
        }
    }
    written
}

/// GSA 1.0.0 named the agency in each project.
fn agency_of(groups: &[Group]) -> Option<String> {
    let record = groups.first()?.records.first()?;
    let agency = &record.get(&Key::Other("/agency".into()))?.value;
    agency.as_str().or_else(|| agency.get("acronym")?.as_str()).map(str::to_owned)
}

fn measurement(said: Option<&Value>, frame: &Frame, notes: &mut Notes) -> Value {
    let mut written = Map::new();
    let empty = Map::new();
    let said = said.and_then(Value::as_object).unwrap_or(&empty);
    let known = |method: &str| {
        let method = synonyms::meant("method", method).unwrap_or(method);
        METHODS.iter().find(|known| known.eq_ignore_ascii_case(method)).copied()
    };
    let was = said.get("method").filter(|was| !was.is_null());
    let method = was.and_then(Value::as_str).map(str::trim);
    match frame.method.as_deref().or(method).and_then(known) {
        Some(known) => {
            if let Some(was) = was.filter(|was| **was != known) {
                notes.lose(Row::Measurement, "/measurementType/method", was);
            }
            written.insert("method".into(), known.into());
        }
        None => {
            if let Some(was) = was {
                notes.lose(Row::Measurement, "/measurementType/method", was);
            }
            notes.ask(Ask::HowMeasured, "/measurementType/method", was);
        }
    }
    for (key, value) in said.iter().filter(|(key, _)| *key != "method") {
        if key == "ifOther" && value.is_string() {
            written.insert(key.clone(), value.clone());
        } else {
            let pointer = format!("/measurementType/{}", crate::migrate::escape(key));
            notes.lose(Row::Measurement, &pointer, value);
        }
    }
    Value::Object(written)
}

/// The fields a release must have, by target.
#[must_use]
pub fn required(target: Target) -> &'static [Field] {
    match target {
        Target::Gov2 | Target::AgencyIndex2 => &[
            Field::Name,
            Field::Description,
            Field::Status,
            Field::Licenses,
            Field::Usage,
            Field::Organization,
            Field::RepositoryUrl,
            Field::Visibility,
            Field::Vcs,
            Field::LaborHours,
            Field::Languages,
            Field::Maintenance,
            Field::ContractNumber,
            Field::Sbom,
            Field::Tags,
            Field::FeedbackMechanism,
            Field::AiUseCaseId,
        ],
        Target::Gsa2 => &[
            Field::Name,
            Field::Description,
            Field::Licenses,
            Field::Usage,
            Field::RepositoryUrl,
            Field::LaborHours,
            Field::Tags,
            Field::ContactEmail,
        ],
    }
}

#[cfg(test)]
mod tests;
