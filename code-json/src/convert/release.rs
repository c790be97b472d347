//! One record, as a release.

use serde_json::{Map, Value};

use super::{Ask, Converted, Notes, Row, Target, required, value::written};
use crate::record::{Field, Key, Record, Usage};

/// Objects that allow no keys beside those of their schema.
const CLOSED: [&str; 3] = ["permissions", "contact", "date"];

/// Writes one record.
#[must_use]
pub fn release(record: &Record, target: Target) -> Converted {
    let mut notes = Notes { record: Some(0), ..Notes::default() };
    let document = Value::Object(write(record, target, &mut notes));
    Converted { document, losses: notes.losses, questions: notes.questions }
}

pub(super) fn write(record: &Record, target: Target, notes: &mut Notes) -> Map<String, Value> {
    let mut release = Map::new();
    for (key, sourced) in record.known() {
        let Key::Known(field) = key else { continue };
        // Objects that must be there stand where their first field would.
        prepare(&mut release, target, *field);
        if let Some(value) = written(*field, &sourced.value, target, notes) {
            insert(&mut release, field.pointer(), value);
        }
    }
    for group in groups(target) {
        release.entry(*group).or_insert_with(|| Value::Object(Map::new()));
    }
    for (key, sourced) in record.others() {
        other(&mut release, key.pointer(), &sourced.value, notes);
    }
    ask_for_missing(record, &release, target, notes);
    release
}

/// Objects the target requires, even empty.
fn groups(target: Target) -> &'static [&'static str] {
    match target {
        Target::Gov2 | Target::AgencyIndex2 => &["permissions", "reuseFrequency", "date", "contact"],
        Target::Gsa2 => &["permissions", "contact"],
    }
}

fn prepare(release: &mut Map<String, Value>, target: Target, field: Field) {
    let group = field.pointer()[1..].split('/').next().unwrap_or_default();
    if groups(target).contains(&group) {
        release.entry(group).or_insert_with(|| Value::Object(Map::new()));
    }
}

/// Sets a value at a pointer of one or two tokens.
fn insert(release: &mut Map<String, Value>, pointer: &str, value: Value) {
    let mut tokens = pointer[1..].splitn(2, '/');
    match (tokens.next(), tokens.next()) {
        (Some(group), Some(key)) => {
            let group = release.entry(group).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(group) = group {
                group.insert(unescape(key), value);
            }
        }
        (Some(key), None) => drop(release.insert(unescape(key), value)),
        (None, _) => {}
    }
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// A key that no version knows.
fn other(release: &mut Map<String, Value>, pointer: &str, value: &Value, notes: &mut Notes) {
    let mut tokens = pointer[1..].splitn(2, '/');
    let (first, second) = (unescape(tokens.next().unwrap_or_default()), tokens.next());
    let is_closed = CLOSED.contains(&first.as_str());
    match (second, release.get(&first)) {
        (Some(_), _) if is_closed => notes.lose(Row::ClosedObject, pointer, value),
        (Some(_), Some(Value::Object(_)) | None) | (None, None) if !is_closed && !takes(&first, second) => {
            insert(release, pointer, value.clone());
        }
        (Some(_) | None, _) => notes.lose(Row::Occupied, pointer, value),
    }
}

/// Whether a field has another use for this name.
fn takes(first: &str, second: Option<&str>) -> bool {
    match second {
        Some(_) => Field::at(&format!("/{first}")).is_some(),
        None => Field::at(&format!("/{first}")).is_some() || first == "reuseFrequency",
    }
}

/// GSA 2.0.0 allows licenses to be null; a narrative that is null says nothing.
fn field_says(pointer: &str, value: &Value) -> bool {
    !value.is_null() || pointer == Field::Licenses.pointer()
}

fn ask_for_missing(record: &Record, release: &Map<String, Value>, target: Target, notes: &mut Notes) {
    let has = |pointer: &str| {
        let mut tokens = pointer[1..].split('/');
        let first = tokens.next().and_then(|token| release.get(token));
        tokens.fold(first, |value, token| value?.get(token)).is_some_and(|value| field_says(pointer, value))
    };
    for field in required(target) {
        let is_asked = |notes: &Notes| {
            notes.questions.iter().any(|q| q.record == notes.record && q.pointer == field.pointer())
        };
        if !has(field.pointer()) && !is_asked(notes) {
            notes.ask(Ask::Missing, field.pointer(), None);
        }
    }
    if record.usage().any(Usage::is_exempt) && !has(Field::ExemptionText.pointer()) {
        notes.ask(Ask::WhyExempt, Field::ExemptionText.pointer(), None);
    }
}
