//! From a violated keyword to what a person understands: which check, what was
//! found, what to write.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::{
    Judging, dates,
    keys::{self, question},
    licenses, shown, types, urls,
};
use crate::{
    checks::{lists, permissions, shape, texts},
    document::Value,
    edit::{Fix, quote},
    schema::{Rule, Violation},
    synonyms,
};

/// Where a value stands in its record's schema.
pub(super) struct Spot<'d, 'j> {
    pub(super) value: Value<'d>,
    pub(super) record: Value<'d>,
    /// Its key; of an item, that of the list.
    pub(super) key: String,
    /// Whether it may be left out.
    pub(super) optional: bool,
    /// What the schema says here, if it can be found.
    pub(super) part: Option<&'j Json>,
}

pub(super) fn explain<'d>(
    judging: &mut Judging<'d>,
    violation: &Violation,
    record: Value<'d>,
    schema: &Json,
) {
    let value = judging.document.value(violation.at);
    let spot = spot(value, record, schema);
    match &violation.rule {
        Rule::Required(key) => keys::missing(judging, &spot, key),
        Rule::Type(wanted) => types::wrong_type(judging, &spot, wanted),
        Rule::Enum(options) => not_in_list(judging, &spot, options),
        Rule::Format(format) => match format.as_str() {
            "date" => dates::wrong(judging, &spot, false),
            "date-time" => dates::wrong(judging, &spot, true),
            "uri" | "iri" | "uri-reference" => urls::wrong(judging, &spot),
            "email" => super::texts::wrong_email(judging, &spot, &texts::EMAIL_FORMAT),
            other => judging.tell(
                &shape::RANGE,
                value,
                shown(value),
                format!("Write a text of format {other}."),
                None,
            ),
        },
        Rule::Unknown(keys) => {
            for key in keys {
                keys::unknown(judging, &spot, key);
            }
        }
        Rule::Unique => twice(judging, value),
        Rule::Other(_, sentence) => {
            let rule = sentence.strip_prefix("value ").unwrap_or(sentence);
            judging.tell(
                &shape::RANGE,
                value,
                shown(value),
                format!("Write another value: this one {rule}."),
                None,
            );
        }
    }
}

/// Finds a value's place in the schema.
fn spot<'d, 'j>(value: Value<'d>, record: Value<'d>, schema: &'j Json) -> Spot<'d, 'j> {
    let mut path = Vec::new();
    let mut at = value;
    while at.id() != record.id() {
        let Some(parent) = at.parent() else { break };
        path.push(at.as_member().map(|member| member.key.into_owned()));
        at = parent;
    }
    let key = path.iter().flatten().next().cloned().unwrap_or_default();
    let (mut part, mut around) = (Some(schema), None);
    for step in path.iter().rev() {
        around = part;
        part = part.and_then(|part| resolve(schema, part)).and_then(|part| match step {
            Some(key) => part.get("properties")?.get(key),
            None => part.get("items"),
        });
    }
    let part = part.and_then(|part| resolve(schema, part));
    let around = around.and_then(|around| resolve(schema, around));
    let required = |key: &str| {
        let list = around.and_then(|around| around.get("required")).and_then(Json::as_array);
        list.is_some_and(|list| list.iter().any(|one| one == key))
    };
    let optional = value.as_member().is_some_and(|member| !required(&member.key)) && around.is_some();
    Spot { value, record, key, optional, part }
}

fn resolve<'j>(schema: &'j Json, part: &'j Json) -> Option<&'j Json> {
    match part.get("$ref").and_then(Json::as_str) {
        Some(to) => schema.pointer(to.strip_prefix('#')?),
        None => Some(part),
    }
}

/// The option that differs from a text only in case, space and punctuation.
pub(super) fn same_word<'j>(text: &str, options: &'j [Json]) -> Option<&'j str> {
    let bare = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let wanted = bare(text);
    if wanted.is_empty() {
        return None;
    }
    let mut found = options.iter().filter_map(Json::as_str).filter(|option| bare(option) == wanted);
    found.next()
}

fn not_in_list<'d>(judging: &mut Judging<'d>, spot: &Spot<'d, '_>, options: &[Json]) {
    let value = spot.value;
    let text = value.as_str();
    let Some(text) = text.as_deref().map(str::trim) else {
        let options: Vec<String> = options.iter().map(Json::to_string).collect();
        return judging.tell(
            &shape::ENUM,
            value,
            shown(value),
            format!("Write one of {}.", options.join(", ")),
            None,
        );
    };
    let in_license = spot.key == "name" && is_license(value);
    if in_license {
        return licenses::wrong_name(judging, value, text, options);
    }
    let synonym = || {
        let lower = text.to_lowercase();
        let lower = lower.strip_prefix("vcs,").map_or(lower.as_str(), str::trim);
        let meant = synonyms::meant(&spot.key, lower).or_else(|| same_word(lower, options));
        meant.filter(|meant| options.iter().any(|option| option == meant))
    };
    let meant = same_word(text, options).or_else(synonym);
    let listed = || {
        let options: Vec<&str> = options.iter().filter_map(Json::as_str).collect();
        options.join(", ")
    };
    match meant {
        Some(meant) => {
            let fix = Some(Fix::text(value, meant));
            judging.tell(&shape::ENUM_SPELLING, value, shown(value), format!("Write {}.", quote(meant)), fix);
        }
        None if text.is_empty() && value.as_member().is_none() => {
            judging.tell(&shape::EMPTY, value, shown(value), "Remove it.", Fix::remove(value));
        }
        None if spot.key == "usageType" => {
            let (check, write) = match text {
                "" => (&permissions::USAGE_TYPE_MISSING, question("usageType").to_owned()),
                _ => (&permissions::USAGE_TYPE_UNKNOWN, format!("Which one applies: {}?", listed())),
            };
            judging.tell(check, value, shown(value), write, None);
        }
        None if text.is_empty() && spot.optional => {
            judging.tell(&shape::EMPTY, value, shown(value), "Leave it out.", Fix::remove(value));
        }
        None if text.is_empty() && spot.key == "vcs" && on_github(spot.record) => {
            judging.tell(&shape::EMPTY, value, shown(value), "Write \"git\".", Some(Fix::text(value, "git")));
        }
        None => {
            let check = if text.is_empty() { &shape::EMPTY } else { &shape::ENUM };
            judging.tell(check, value, shown(value), format!("Which one is right: {}?", listed()), None);
        }
    }
}

fn on_github(record: Value<'_>) -> bool {
    let url = record.get("repositoryURL").and_then(Value::as_str).unwrap_or_default();
    url.starts_with("https://github.com/") || url.ends_with(".git")
}

fn is_license(name: Value<'_>) -> bool {
    let list = name.parent().and_then(Value::parent);
    list.and_then(Value::as_member).is_some_and(|member| member.key == "licenses")
}

fn twice<'d>(judging: &mut Judging<'d>, list: Value<'d>) {
    let mut seen = HashSet::new();
    let mut any = false;
    for item in list.items() {
        if !seen.insert(item.to_json().to_string()) {
            any = true;
            judging.tell(&lists::TWICE, item, shown(item), "Remove it.", Fix::remove(item));
        }
    }
    if !any {
        judging.tell(&lists::TWICE, list, "an item twice", "Remove one.", None);
    }
}
