//! The changes, as values to set in the file that is there.

use serde_json::{Map, Value};

use super::Merged;
use crate::{
    date, license, migrate,
    record::{Field, Key, Kind, Usage},
};

/// One value to set, in the spelling of the file at hand.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// Where, from the release: a JSON pointer of one or two tokens. An object
    /// on the way may be missing.
    pub pointer: String,
    /// What to write there.
    pub value: Value,
}

/// How a file writes what the versions write differently.
struct Dialect {
    /// `usageType` is one text, and licenses have any name (GSA 2.0.0).
    is_gsa: bool,
    /// Dates are days.
    has_days: bool,
}

impl Merged {
    /// The changes as edits of `release`, which is written in any version: keys
    /// keep the names they have there, `usageType`, licenses and dates their form.
    #[must_use]
    pub fn edits(&self, release: &Map<String, Value>) -> Vec<Edit> {
        let dialect = Dialect::of(release);
        let edit = |change: &super::Change| {
            let after = &change.after.value;
            match &change.key {
                Key::Known(field) => dialect.edit(release, *field, after),
                Key::Other(pointer) => Edit { pointer: pointer.to_string(), value: after.clone() },
            }
        };
        self.changes.iter().map(edit).collect()
    }
}

impl Dialect {
    fn of(release: &Map<String, Value>) -> Dialect {
        let nested = release.get("permissions").and_then(|permissions| permissions.get("usageType"));
        let usage = nested.or_else(|| release.get("usageType"));
        let dates = release.get("date").and_then(Value::as_object);
        let is_day = |date: &str| date::read(date).is_some_and(|written| written.time.is_none());
        Dialect {
            is_gsa: usage.is_some_and(Value::is_string),
            has_days: dates.is_some_and(|dates| dates.values().filter_map(Value::as_str).any(is_day)),
        }
    }

    fn edit(&self, release: &Map<String, Value>, field: Field, after: &Value) -> Edit {
        let place = migrate::place(release, field);
        let pointer = place.unwrap_or_else(|| field.pointer().to_owned());
        let value = match field.about().kind {
            Kind::Usage if self.is_gsa => strictest(after),
            Kind::Date => self.dated(after),
            // GSA 1.0.0 has the address of one license.
            Kind::Licenses if pointer == "/license" => after[0]["URL"].clone(),
            Kind::Licenses if !self.is_gsa => gov_names(after),
            Kind::Text
            | Kind::Url
            | Kind::Number
            | Kind::Count
            | Kind::Texts
            | Kind::Choice(_)
            | Kind::Usage
            | Kind::Licenses
            | Kind::Items(_) => after.clone(),
        };
        // `feedbackMechanisms` of gov 1.0.0 and `upstream` are lists.
        let was = Value::Object(release.clone());
        let was_list = was.pointer(&pointer).is_some_and(Value::is_array);
        let value = if was_list && value.is_string() { Value::Array(vec![value]) } else { value };
        Edit { pointer, value }
    }

    fn dated(&self, value: &Value) -> Value {
        match value.as_str().and_then(date::read) {
            Some(written) => written.to_text(!self.has_days).into(),
            None => value.clone(),
        }
    }
}

/// The strictest of several usages (GSA 2.0.0 has room for one).
pub(super) fn strictest(value: &Value) -> Value {
    let names = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    names.filter_map(Usage::named).min().map_or_else(|| value.clone(), |usage| usage.in_gsa().into())
}

/// Licenses under the names gov 2.0.0 has for them.
pub(super) fn gov_names(value: &Value) -> Value {
    let mut value = value.clone();
    for item in value.as_array_mut().into_iter().flatten() {
        let name = item.get("name").and_then(Value::as_str).and_then(license::gov_name);
        if let Some(name) = name {
            item["name"] = name.into();
        }
    }
    value
}
