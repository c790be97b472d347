//! The changes, as values to set in the file that is there.

use serde_json::{Map, Value};

use super::Merged;
use crate::{
    date, migrate,
    record::{Field, Key, Kind, Usage},
};

/// One value to set, in the spelling of the file at hand.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// Where, from the release: a JSON pointer. Objects on the way may be
    /// missing.
    pub pointer: String,
    /// What to write there.
    pub value: Value,
}

impl Merged {
    /// The changes as edits of `release`, which is written in any version: keys
    /// keep the names they have there, `usageType` and dates their form.
    #[must_use]
    pub fn edits(&self, release: &Map<String, Value>) -> Vec<Edit> {
        let one_usage = release
            .get("permissions")
            .and_then(|permissions| permissions.get("usageType"))
            .or_else(|| release.get("usageType"))
            .is_some_and(Value::is_string);
        let days = has_days(release);
        let edit = |change: &super::Change| {
            let (pointer, kind) = match &change.key {
                Key::Known(field) => (placed(release, *field), Some(field.about().kind)),
                Key::Other(pointer) => (pointer.to_string(), None),
            };
            let after = &change.after.value;
            let value = match kind {
                Some(Kind::Usage) if one_usage => strictest(after),
                Some(Kind::Date) => dated(after, days),
                Some(_) | None => after.clone(),
            };
            Edit { pointer, value }
        };
        self.changes.iter().map(edit).collect()
    }
}

/// Where `field` stands, or would.
fn placed(release: &Map<String, Value>, field: Field) -> String {
    migrate::place(release, field).unwrap_or_else(|| field.pointer().to_owned())
}

/// Whether the dates of a release are days.
fn has_days(release: &Map<String, Value>) -> bool {
    let dates = release.get("date").and_then(Value::as_object);
    dates.is_some_and(|dates| dates.values().filter_map(Value::as_str).any(date::is_day))
}

fn dated(value: &Value, days: bool) -> Value {
    match value.as_str().and_then(date::read) {
        Some(when) if days => when.day().into(),
        Some(when) => when.moment().into(),
        None => value.clone(),
    }
}

/// The strictest of several usages (GSA 2.0.0 has room for one).
fn strictest(value: &Value) -> Value {
    let names = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    names.filter_map(Usage::named).min().map_or_else(|| value.clone(), |usage| usage.in_gsa().into())
}
