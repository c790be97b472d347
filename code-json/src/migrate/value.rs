//! One value, brought into the form its field wants where that takes no
//! decision.

use serde_json::{Map, Value};

use super::Change;
use crate::{
    record::{Field, Kind, Usage},
    synonyms,
};

/// What became of a value.
pub(super) struct Normal {
    /// None if it said nothing: null, or a text without letters.
    pub(super) value: Option<Value>,
    /// What was changed on the way.
    pub(super) changes: Vec<Change>,
}

/// `value` in the form that `field` wants. What cannot be brought there without
/// a decision stays as it is.
pub(super) fn normal(field: Field, value: &Value) -> Normal {
    let kind = field.about().kind;
    let key = field.pointer().rsplit('/').next().unwrap_or_default();
    let mut changes = Vec::new();
    let value = match (kind, value) {
        (Kind::Licenses, Value::Null) => Some(Value::Null),
        (_, Value::Null) => {
            changes.push(Change::Emptied);
            None
        }
        (Kind::Text | Kind::Url | Kind::Date, value) => text(value, &mut changes),
        (Kind::Choice(choices), value) => {
            text(value, &mut changes).map(|value| choice(key, choices, value, &mut changes))
        }
        (Kind::Number | Kind::Count, value) => number(value, &mut changes),
        (Kind::Texts, value) => Some(texts(value, &mut changes)),
        (Kind::Usage, value) => usage(value, &mut changes),
        (Kind::Licenses, value) => Some(items(value, &["name", "URL"], &mut changes)),
        (Kind::Items(keys), value) => Some(items(value, keys, &mut changes)),
    };
    changes.dedup();
    Normal { value, changes }
}

fn text(value: &Value, changes: &mut Vec<Change>) -> Option<Value> {
    match value {
        Value::String(text) => {
            let trimmed = text.trim();
            if trimmed.is_empty() {
                changes.push(Change::Emptied);
                return None;
            }
            if trimmed.len() < text.len() {
                changes.push(Change::Trimmed);
            }
            Some(Value::from(trimmed))
        }
        Value::Number(number) => {
            changes.push(Change::Retyped);
            Some(Value::from(number.to_string()))
        }
        Value::Null => {
            changes.push(Change::Emptied);
            None
        }
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Some(value.clone()),
    }
}

fn choice(key: &str, choices: &[&str], value: Value, changes: &mut Vec<Change>) -> Value {
    let Value::String(text) = &value else { return value };
    if choices.contains(&text.as_str()) {
        return value;
    }
    let meant = synonyms::meant(key, text).unwrap_or(text);
    match choices.iter().find(|choice| choice.eq_ignore_ascii_case(meant)) {
        Some(choice) => {
            changes.push(Change::Respelled);
            Value::from(*choice)
        }
        None => value,
    }
}

fn number(value: &Value, changes: &mut Vec<Change>) -> Option<Value> {
    let Value::String(text) = value else { return Some(value.clone()) };
    let digits = text.trim().replace(',', "");
    if digits.is_empty() {
        changes.push(Change::Emptied);
        return None;
    }
    match digits.parse::<serde_json::Number>() {
        Ok(number) => {
            changes.push(Change::Retyped);
            Some(Value::Number(number))
        }
        Err(_) => Some(value.clone()),
    }
}

/// A list of texts: one text alone becomes a list, an object `{"0": …}` its
/// values; numbers become texts; empty and repeated ones go.
fn texts(value: &Value, changes: &mut Vec<Change>) -> Value {
    let list: Vec<&Value> = match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(map) if !map.is_empty() && map.keys().all(|key| key.parse::<u32>().is_ok()) => {
            changes.push(Change::Wrapped);
            map.values().collect()
        }
        Value::String(_) | Value::Number(_) => {
            changes.push(Change::Wrapped);
            vec![value]
        }
        Value::Null | Value::Bool(_) | Value::Object(_) => return value.clone(),
    };
    let mut kept: Vec<Value> = Vec::with_capacity(list.len());
    for item in list {
        let Some(item) = text(item, changes) else {
            continue;
        };
        if kept.contains(&item) {
            changes.push(Change::Doubled);
        } else {
            kept.push(item);
        }
    }
    Value::Array(kept)
}

fn usage(value: &Value, changes: &mut Vec<Change>) -> Option<Value> {
    if value.as_str().is_some_and(|text| text.trim().is_empty()) {
        changes.push(Change::Emptied);
        return None;
    }
    // One text alone is how GSA 2.0.0 has it.
    let alone = value.as_str().map(|text| Value::Array(vec![text.trim().into()]));
    let Value::Array(list) = alone.unwrap_or_else(|| texts(value, changes)) else {
        return Some(value.clone());
    };
    let mut kept: Vec<Value> = Vec::with_capacity(list.len());
    for item in list {
        let item = match item.as_str().and_then(|name| Usage::named(name).map(|usage| (name, usage.name()))) {
            Some((name, known)) if name != known => {
                changes.push(Change::Respelled);
                Value::from(known)
            }
            Some(_) | None => item,
        };
        if kept.contains(&item) {
            changes.push(Change::Doubled);
        } else {
            kept.push(item);
        }
    }
    Some(Value::Array(kept))
}

/// A list of objects with the keys `keys`: one object alone becomes a list, a
/// text an object with a name or an address.
fn items(value: &Value, keys: &[&str], changes: &mut Vec<Change>) -> Value {
    let list: Vec<&Value> = match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(_) | Value::String(_) => {
            changes.push(Change::Wrapped);
            vec![value]
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => return value.clone(),
    };
    let mut kept = Vec::with_capacity(list.len());
    for item in list {
        match item {
            Value::Object(map) => kept.extend(item_object(map, keys, changes)),
            Value::String(text) if text.trim().is_empty() => changes.push(Change::Emptied),
            Value::Null => changes.push(Change::Emptied),
            Value::String(text) => {
                changes.push(Change::Wrapped);
                let is_address = text.contains("://") && keys.contains(&"URL");
                let key = if is_address { "URL" } else { "name" };
                kept.push(Value::Object(Map::from_iter([(key.to_owned(), Value::from(text.trim()))])));
            }
            Value::Bool(_) | Value::Number(_) | Value::Array(_) => kept.push(item.clone()),
        }
    }
    Value::Array(kept)
}

fn item_object(map: &Map<String, Value>, keys: &[&str], changes: &mut Vec<Change>) -> Option<Value> {
    let mut object = Map::new();
    for (key, value) in map {
        let value = match value {
            Value::String(_) | Value::Null => match text(value, changes) {
                Some(value) => value,
                None => continue,
            },
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.clone(),
        };
        let bare = key.strip_prefix("code").filter(|rest| !rest.is_empty()).unwrap_or(key);
        let known = keys.iter().find(|known| known.eq_ignore_ascii_case(bare) && !map.contains_key(**known));
        match known {
            Some(known) if key != known && !object.contains_key(*known) => {
                changes.push(Change::Renamed);
                object.insert((*known).to_owned(), value);
            }
            Some(_) | None => {
                object.insert(key.clone(), value);
            }
        }
    }
    if object.is_empty() {
        changes.push(Change::Emptied);
        return None;
    }
    Some(Value::Object(object))
}
