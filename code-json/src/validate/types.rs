//! Values of another type than the schema wants.

use serde_json::Value as Json;

use super::{
    Judging, clip,
    keys::question,
    shown,
    violations::{Spot, same_word},
};
use crate::{
    check::Check,
    checks::{lists, permissions, shape, texts, urls as url_checks},
    document::{Kind, Value},
    edit::{Fix, quote},
};

pub(super) fn wrong_type<'d>(judging: &mut Judging<'d>, spot: &Spot<'d, '_>, wanted: &[String]) {
    let value = spot.value;
    let wants = |name: &str| wanted.iter().any(|one| one == name);
    let number = wants("number") || wants("integer");
    let found = format!("{}, {}", shown(value), value.kind().noun());
    let text = value.as_str();
    let text = text.as_deref().map(str::trim);
    let mut tell = |check: &'static Check, write: String, fix: Option<Fix>| {
        judging.tell(check, value, found.clone(), write, fix);
    };
    match (value.kind(), text) {
        (Kind::String, Some(text)) if wants("array") && spot.key == "usageType" => {
            let allowed = spot.part.and_then(|part| part.get("items")).and_then(|items| items.get("enum"));
            usage_type_list(judging, value, text, allowed.and_then(Json::as_array));
        }
        (Kind::String, Some("")) if wants("array") => {
            tell(&lists::TEXT_FOR_LIST, "Write [].".into(), Some(Fix::replace(value, "[]")));
        }
        (Kind::String, Some(text)) if wants("array") && !text.contains([',', ';']) => {
            tell(&lists::TEXT_FOR_LIST, format!("Write [{}].", shown(value)), Some(Fix::wrap(value)));
        }
        (Kind::String, Some(_)) if wants("array") => {
            tell(
                &lists::TEXT_FOR_LIST,
                "Write a list, each item in quotes. How many are these?".into(),
                None,
            );
        }
        (Kind::String, Some(text)) if number => {
            let fix =
                text.parse::<f64>().ok().filter(|_| serde_json::from_str::<serde_json::Number>(text).is_ok());
            let write = fix.map_or("Write a number.".to_owned(), |_| format!("Write {text}."));
            tell(&shape::TYPE_AS_TEXT, write, fix.map(|_| Fix::replace(value, text)));
        }
        (Kind::String, Some(text)) if wants("boolean") => {
            let meant = match text.to_ascii_lowercase().as_str() {
                "true" | "yes" => Some("true"),
                "false" | "no" => Some("false"),
                _ => None,
            };
            let write = meant.map_or("Write true or false.".to_owned(), |meant| format!("Write {meant}."));
            tell(&shape::TYPE_AS_TEXT, write, meant.map(|meant| Fix::replace(value, meant)));
        }
        (Kind::String, Some(text)) if wants("object") && value.as_member().is_none() => {
            let key = if text.contains("://") { "URL" } else { "name" };
            let item = format!("{{{}: {}}}", quote(key), quote(text));
            let fix = (!text.is_empty()).then(|| Fix::replace(value, item.as_str()));
            tell(&lists::LIST_OF_OBJECTS, format!("Write {}.", clip(&item)), fix);
        }
        (Kind::Number | Kind::Bool, _) if wants("string") => {
            let quoted = quote(value.raw());
            tell(
                &shape::TYPE_AS_TEXT,
                format!("Write {quoted}."),
                Some(Fix::replace(value, quoted.as_str())),
            );
        }
        (Kind::Array, _) if wants("string") && spot.key == "usageType" => {
            let one = value.item(0).filter(|item| value.len() == 1 && item.kind() == Kind::String);
            let write = one.map_or("Which one applies?".to_owned(), |one| format!("Write {}.", shown(one)));
            tell(&permissions::USAGE_TYPE_TEXT, write, one.map(|one| Fix::replace(value, one.raw())));
        }
        (Kind::Object, _) if wants("array") && spot.key == "licenses" => {
            tell(&lists::TEXT_FOR_LIST, "Put it into a list.".into(), Some(Fix::wrap(value)));
        }
        (Kind::Object, _) if wants("array") && is_numbered(value) => {
            let items: Vec<&str> = value.members().map(|member| member.value.raw()).collect();
            let list = format!("[{}]", items.join(", "));
            tell(&lists::TEXT_FOR_LIST, format!("Write {}.", clip(&list)), Some(Fix::replace(value, list)));
        }
        (Kind::Null, _) => null(judging, spot, wants("array")),
        _ => {
            let wanted: Vec<&str> = wanted.iter().map(|one| noun(one)).collect();
            tell(&shape::TYPE, format!("Write {}.", wanted.join(" or ")), None);
        }
    }
}

/// The keys are 0, 1, 2 …, as PHP writes lists that lost an item.
fn is_numbered(value: Value<'_>) -> bool {
    !value.is_empty() && value.members().all(|member| member.key.parse::<u32>().is_ok())
}

fn null<'d>(judging: &mut Judging<'d>, spot: &Spot<'d, '_>, list: bool) {
    let value = spot.value;
    match spot.key.as_str() {
        "usageType" => {
            let write = question("usageType");
            judging.tell(&permissions::USAGE_TYPE_MISSING, value, "null", write, None);
        }
        "laborHours" => judging.tell(&texts::NO_HOURS, value, "null", question("laborHours"), None),
        "repositoryURL" => {
            judging.tell(&url_checks::NO_REPOSITORY, value, "null", question("repositoryURL"), None);
        }
        _ if list && value.as_member().is_some() => {
            judging.tell(&shape::NULL, value, "null", "Write [].", Some(Fix::replace(value, "[]")));
        }
        _ if spot.optional || value.as_member().is_none() => {
            judging.tell(&shape::NULL, value, "null", "Leave it out.", Fix::remove(value));
        }
        key => judging.tell(&shape::NULL, value, "null", format!("Write a value. {}", question(key)), None),
    }
}

fn usage_type_list<'d>(judging: &mut Judging<'d>, value: Value<'d>, text: &str, allowed: Option<&Vec<Json>>) {
    let found = format!("{}, a text", shown(value));
    if text.is_empty() {
        return judging.tell(&permissions::USAGE_TYPE_MISSING, value, found, question("usageType"), None);
    }
    let meant = allowed.and_then(|allowed| same_word(text, allowed));
    match meant {
        Some(meant) if value.raw() == quote(meant) => {
            let write = format!("Write [{}].", quote(meant));
            judging.tell(&permissions::USAGE_TYPE_LIST, value, found, write, Some(Fix::wrap(value)));
        }
        Some(meant) => {
            let list = format!("[{}]", quote(meant));
            let fix = Some(Fix::replace(value, list.as_str()));
            judging.tell(&permissions::USAGE_TYPE_LIST, value, found, format!("Write {list}."), fix);
        }
        None if allowed.is_none() => {
            let write = format!("Write [{}].", shown(value));
            judging.tell(&permissions::USAGE_TYPE_LIST, value, found, write, Some(Fix::wrap(value)));
        }
        None => {
            let write = "Which of the list applies? Put it into a list.".to_owned();
            judging.tell(&permissions::USAGE_TYPE_UNKNOWN, value, found, write, None);
        }
    }
}

fn noun(type_name: &str) -> &str {
    match type_name {
        "string" => "a text in quotes",
        "array" => "a list",
        "object" => "an object in braces",
        "number" => "a number",
        "integer" => "a whole number",
        "boolean" => "true or false",
        other => other,
    }
}
