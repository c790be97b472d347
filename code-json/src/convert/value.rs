//! One value of a record, as a target wants it.

use serde_json::{Map, Value};

use super::{Ask, Notes, Row, Target, required};
use crate::{
    address, date, license,
    record::{Field, Kind, Usage},
};

/// `value` as `target` has it; None if it cannot be said there.
pub(super) fn written(field: Field, value: &Value, target: Target, notes: &mut Notes) -> Option<Value> {
    let pointer = field.pointer();
    match left_out(field, target) {
        Some(row) => {
            notes.lose(row, pointer, value);
            return None;
        }
        None if value.is_null() && field == Field::Licenses => {}
        None if value.is_null() => {
            notes.lose(Row::WrongForm, pointer, value);
            return None;
        }
        None => {}
    }
    let about = field.about();
    match (about.kind, value) {
        (Kind::Text, Value::String(text))
            if field == Field::ContactEmail && target.is_gov() && !is_mailbox(text) =>
        {
            notes.lose(Row::NotAMailbox, pointer, value);
            notes.ask(Ask::WhichMailbox, pointer, Some(value));
            None
        }
        (Kind::Text, Value::String(_)) => Some(value.clone()),
        (Kind::Url, Value::String(text)) if address::is_uri(text) => Some(value.clone()),
        (Kind::Url, Value::String(_)) => {
            notes.lose(Row::NotAnAddress, pointer, value);
            if required(target).contains(&field) {
                notes.ask(Ask::WhichAddress, pointer, Some(value));
            }
            None
        }
        (Kind::Number, Value::Number(number)) if number.as_f64().is_some_and(|n| n >= 0.0) => {
            Some(value.clone())
        }
        (Kind::Count, Value::Number(number)) if number.is_u64() => Some(value.clone()),
        (Kind::Date, Value::String(text)) => dated(pointer, text, target, notes),
        (Kind::Texts, Value::Array(list)) if list.iter().all(Value::is_string) => Some(once_each(list)),
        (Kind::Choice(choices), Value::String(text)) => {
            let is_closed = target.is_gov() || field == Field::Status;
            if !is_closed || choices.contains(&text.as_str()) {
                return Some(value.clone());
            }
            notes.lose(Row::Choice, pointer, value);
            notes.ask(Ask::WhichChoice, pointer, Some(value));
            None
        }
        (Kind::Usage, Value::Array(list)) => usage(list, target, notes),
        (Kind::Licenses, Value::Null) if target.is_gov() => {
            notes.lose(Row::LicensesNull, pointer, value);
            Some(Value::Array(Vec::new()))
        }
        (Kind::Licenses, Value::Null) => Some(Value::Null),
        (Kind::Licenses, Value::Array(list)) => Some(licenses(list, target, notes)),
        (Kind::Items(keys), Value::Array(list)) => Some(items(pointer, list, keys, notes)),
        (
            Kind::Text
            | Kind::Url
            | Kind::Number
            | Kind::Count
            | Kind::Date
            | Kind::Texts
            | Kind::Choice(_)
            | Kind::Usage
            | Kind::Licenses
            | Kind::Items(_),
            _,
        ) => {
            notes.lose(Row::WrongForm, pointer, value);
            None
        }
    }
}

/// Fields the target forbids. Everything else that it does not know goes along
/// as a further key.
fn left_out(field: Field, target: Target) -> Option<Row> {
    let gov = [Field::ContactUrl, Field::ContactPhone, Field::ContactTwitter];
    let forbidden = if target.is_gov() { &gov[..] } else { &gov[2..] };
    forbidden.contains(&field).then_some(Row::ContactWay)
}

/// Whether a text is an e-mail address as JSON Schema's format has it, nearly:
/// none that is not is taken for one.
fn is_mailbox(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    local.len() <= 64
        && local.chars().all(atom)
        && local.split('.').all(|part| !part.is_empty())
        && host.split('.').all(label)
}

/// gov 2.0.0 wants no text twice.
fn once_each(list: &[Value]) -> Value {
    let mut kept: Vec<Value> = Vec::with_capacity(list.len());
    for text in list {
        if !kept.contains(text) {
            kept.push(text.clone());
        }
    }
    Value::Array(kept)
}

fn dated(pointer: &str, text: &str, target: Target, notes: &mut Notes) -> Option<Value> {
    let was = Value::from(text);
    let Some(when) = date::read(text) else {
        notes.lose(Row::DateUnread, pointer, &was);
        return None;
    };
    let written = when.to_text(target.is_gov());
    let row = if target.is_gov() { Row::DayToMoment } else { Row::MomentToDay };
    if written != text {
        notes.lose(row, pointer, &was);
    }
    Some(written.into())
}

fn usage(list: &[Value], target: Target, notes: &mut Notes) -> Option<Value> {
    let pointer = Field::Usage.pointer();
    let mut known = Vec::new();
    for value in list {
        match value.as_str().and_then(Usage::named) {
            Some(Usage::ExemptByLaw) if target.is_gov() => {
                notes.lose(Row::UsageLaw, pointer, value);
                notes.ask(Ask::WhichLaw, pointer, Some(value));
            }
            // A word said twice says no more.
            Some(usage) if known.contains(&usage) => {}
            Some(usage) => known.push(usage),
            None => {
                notes.lose(Row::UsageUnknown, pointer, value);
                notes.ask(Ask::WhichUsage, pointer, Some(value));
            }
        }
    }
    if target.is_gov() {
        let names: Vec<Value> = known.iter().map(|usage| usage.name().into()).collect();
        return Some(Value::Array(names));
    }
    let Some(strictest) = known.iter().min() else {
        if list.is_empty() {
            notes.lose(Row::UsageOne, pointer, &Value::Array(Vec::new()));
        }
        return None;
    };
    for usage in known.iter().filter(|usage| *usage != strictest) {
        notes.lose(Row::UsageOne, pointer, &usage.name().into());
    }
    if strictest.in_gsa() != strictest.name() {
        notes.lose(Row::UsageName, pointer, &strictest.name().into());
    }
    Some(strictest.in_gsa().into())
}

fn licenses(list: &[Value], target: Target, notes: &mut Notes) -> Value {
    let pointer = Field::Licenses.pointer();
    let mut written = Vec::with_capacity(list.len());
    for value in list {
        let item_pointer = format!("{pointer}/{}", written.len());
        let Value::Object(item) = value else {
            notes.lose(Row::WrongForm, pointer, value);
            continue;
        };
        let mut item = closed(pointer, item, &["name", "URL"], notes);
        if item.is_empty() {
            notes.lose(Row::WrongForm, pointer, value);
            continue;
        }
        if target.is_gov() {
            gov_license(&mut item, value, &item_pointer, notes);
        }
        written.push(Value::Object(item));
    }
    Value::Array(written)
}

/// gov 2.0.0 wants a name of its list and an address.
fn gov_license(item: &mut Map<String, Value>, was: &Value, pointer: &str, notes: &mut Notes) {
    let text =
        |item: &Map<String, Value>, key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
    let (name, url) = (text(item, "name"), text(item, "URL"));
    let by_url = url.as_deref().and_then(license::identify_url);
    // What a person calls Other or None stays so, wherever the address leads.
    let known = name.as_deref().and_then(license::gov_name).or_else(|| by_url.and_then(license::gov_name));
    let gov = known.unwrap_or("Other");
    let id = name.as_deref().and_then(license::identify);
    let mut complete = Map::new();
    complete.insert("name".into(), gov.into());
    if name.as_deref() != Some(gov) {
        notes.lose(Row::LicenseName, Field::Licenses.pointer(), was);
    }
    match (url, id) {
        (Some(url), _) => drop(complete.insert("URL".into(), url.into())),
        (None, Some(id)) => {
            complete.insert("URL".into(), license::page(id).into());
            notes.lose(Row::LicenseAddress, Field::Licenses.pointer(), was);
        }
        (None, None) => notes.ask(Ask::LicenseAddress, &format!("{pointer}/URL"), Some(was)),
    }
    *item = complete;
}

fn items(pointer: &str, list: &[Value], keys: &[&str], notes: &mut Notes) -> Value {
    let mut written = Vec::with_capacity(list.len());
    for value in list {
        match value {
            Value::Object(item) => {
                let item = closed(pointer, item, keys, notes);
                if item.is_empty() {
                    notes.lose(Row::WrongForm, pointer, value);
                } else {
                    written.push(Value::Object(item));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                notes.lose(Row::WrongForm, pointer, value);
            }
        }
    }
    Value::Array(written)
}

/// The keys that an item may have, with values of their types.
fn closed(pointer: &str, item: &Map<String, Value>, keys: &[&str], notes: &mut Notes) -> Map<String, Value> {
    let mut kept = Map::new();
    for (key, value) in item {
        let row = match (key.as_str(), value) {
            (key, _) if !keys.contains(&key) => Some(Row::ClosedObject),
            ("isGovernmentRepo", Value::Bool(_)) => None,
            ("URL", Value::String(text)) if !address::is_uri(text) => Some(Row::NotAnAddress),
            ("isGovernmentRepo", _) => Some(Row::WrongForm),
            (_, Value::String(_)) => None,
            (_, _) => Some(Row::WrongForm),
        };
        match row {
            Some(row) => notes.lose(row, pointer, value),
            None => drop(kept.insert(key.clone(), value.clone())),
        }
    }
    kept
}
