//! From a violated keyword to what a person understands: which check, what was
//! found, what to write.

use serde_json::Value as Json;

use super::{Judging, clip, dates, licenses, shown, urls};
use crate::{
    check::Check,
    checks::{lists, permissions, shape, texts, urls as url_checks},
    document::{Kind, Value},
    edit::{Fix, quote},
    schema::{Rule, Violation},
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
        Rule::Required(key) => missing(judging, &spot, key),
        Rule::Type(wanted) => wrong_type(judging, &spot, wanted),
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
                unknown(judging, &spot, key);
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

/// Older and wrong spellings of keys, beside those that differ in case.
const OLD_KEYS: [(&str, &str); 4] = [
    ("feedbackMechanisms", "feedbackMechanism"),
    ("license", "licenses"),
    ("metaDataLastUpdated", "metadataLastUpdated"),
    ("repository", "repositoryURL"),
];

/// A member that means `key`, under another spelling.
fn misspelled<'d>(object: Value<'d>, key: &str) -> Option<Value<'d>> {
    let means =
        |found: &str| found != key && (found.eq_ignore_ascii_case(key) || OLD_KEYS.contains(&(found, key)));
    let mut found = object.members().filter(|member| means(&member.key));
    let one = found.next()?;
    (found.next().is_none() && object.get(key).is_none()).then_some(one.value)
}

/// Renames the key of a value, and brings the value into the form the new key
/// wants; `None` if that is not sure.
fn renamed(value: Value<'_>, key: &str) -> Option<Fix> {
    let rename = Fix::rename(&value.as_member()?, key);
    match (key, value.kind()) {
        ("feedbackMechanism", Kind::String) => Some(rename),
        ("feedbackMechanism", Kind::Array) if value.len() == 1 => {
            Some(rename.and(Fix::replace(value, value.item(0)?.raw())))
        }
        ("feedbackMechanism", Kind::Array) => None,
        ("licenses", Kind::Object) => Some(rename.and(Fix::wrap(value))),
        ("licenses", Kind::Array) => Some(rename),
        ("licenses", Kind::String) => None,
        _ => Some(rename),
    }
}

fn missing<'d>(judging: &mut Judging<'d>, spot: &Spot<'d, '_>, key: &str) {
    let object = spot.value;
    if let Some(other) = misspelled(object, key) {
        let member = other.as_member();
        let found = member.map(|member| quote(&member.key)).unwrap_or_default();
        return judging.tell_key(
            &shape::KEY_SPELLING,
            other,
            found,
            format!("Write {}.", quote(key)),
            renamed(other, key),
        );
    }
    let found = format!("no {}", quote(key));
    match (spot.key.as_str(), key) {
        ("permissions", "usageType") => {
            if let Some(stray) = spot.record.get("usageType") {
                let insert = Fix::insert(object, "usageType", stray.raw());
                let fix = Fix::remove(stray).map(|remove| remove.and(insert));
                let write = "Move it into permissions.".to_owned();
                return judging.tell_key(&permissions::USAGE_TYPE_MOVED, stray, shown(stray), write, fix);
            }
            let write = "Is the code open source, shared within government, or exempt, and why?".to_owned();
            judging.tell_object(&permissions::USAGE_TYPE_MISSING, object, found, write, None);
        }
        (_, "laborHours") => {
            let write = "How many hours of work went into it? An estimate will do.".to_owned();
            judging.tell_object(&texts::NO_HOURS, object, found, write, None);
        }
        (_, "repositoryURL") => {
            let write = question("repositoryURL").to_owned();
            judging.tell_object(&url_checks::NO_REPOSITORY, object, found, write, None);
        }
        _ => {
            let place = format!("{}/{key}", object.pointer());
            let write = match question(key) {
                "" => format!("Write {place}."),
                question => format!("Write {place}. {question}"),
            };
            judging.tell_object(&shape::MISSING, object, found, write, None);
        }
    }
}

/// What a person has to answer for a key.
pub(super) fn question(key: &str) -> &'static str {
    match key {
        "name" => "What is it called?",
        "description" => "What does it do, and for whom?",
        "permissions" | "usageType" => {
            "Is the code open source, shared within government, or exempt, and why?"
        }
        "organization" => "Which office owns it?",
        "status" => {
            "Which stage has it reached: Ideation, Development, Alpha, Beta, Release Candidate, Production, Archival?"
        }
        "repositoryURL" => {
            "Where is the repository, or the page that says how a Federal employee gets access?"
        }
        "repositoryVisibility" => "Is the repository public or private?",
        "contact" | "email" => "Which address answers questions about it?",
        "tags" => "Which words would people search for?",
        "licenses" => "Under which license is it?",
        "maintenance" => "Who maintains it: internal, contract, community or none?",
        "contractNumber" => "Which contracts paid for it? Write [] if none did.",
        "AIUseCaseID" => "Which AI use case is it part of? Write \"0\" if none.",
        "SBOM" => {
            "Where is its list of components? On GitHub: the repository's address and /network/dependencies."
        }
        "feedbackMechanism" => {
            "Where do people report problems? On GitHub: the repository's address and /issues."
        }
        "reuseFrequency" => "How often is it used again? Write {} if nobody counts.",
        "languages" => "Which programming languages is it written in?",
        "vcs" => "Which version control system holds it? Usually git.",
        "date" => "When was it created and last changed?",
        "laborHours" => "How many hours of work went into it? An estimate will do.",
        "measurementType" => "How does the agency measure its code? Most write {\"method\": \"projects\"}.",
        "agency" => "What is the agency's acronym?",
        "version" => "It is \"2.0.0\".",
        "releases" => "It is the list of all records.",
        _ => "",
    }
}

fn unknown<'d>(judging: &mut Judging<'d>, spot: &Spot<'d, '_>, key: &str) {
    let Some(value) = spot.value.get(key) else { return };
    let known = spot.part.and_then(|part| part.get("properties")).and_then(Json::as_object);
    let meant = known.and_then(|known| {
        known.keys().find(|known| misspelled(spot.value, known).is_some_and(|other| other.id() == value.id()))
    });
    match meant {
        Some(meant) => {
            let write = format!("Write {}.", quote(meant));
            judging.tell_key(&shape::KEY_SPELLING, value, quote(key), write, renamed(value, meant));
        }
        None => {
            let known = known.map(|known| known.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
            let write = match known.len() {
                0 | 9.. => "Remove it, or agree on a schema that has it.".to_owned(),
                _ => format!("Allowed here are {}. Remove it, or say it elsewhere.", known.join(", ")),
            };
            judging.tell_key(&shape::UNKNOWN_KEY, value, quote(key), write, None);
        }
    }
}

fn wrong_type<'d>(judging: &mut Judging<'d>, spot: &Spot<'d, '_>, wanted: &[String]) {
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

/// The option that differs from a text only in case, space and punctuation.
fn same_word<'j>(text: &str, options: &'j [Json]) -> Option<&'j str> {
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

/// Words of the field survey that mean exactly one of a list.
const SYNONYMS: [(&str, &str, &str); 19] = [
    ("status", "archived", "Archival"),
    ("status", "archive", "Archival"),
    ("status", "in production", "Production"),
    ("status", "released", "Production"),
    ("status", "in development", "Development"),
    ("status", "rc", "Release Candidate"),
    ("method", "system", "systems"),
    ("method", "project", "projects"),
    ("method", "module", "modules"),
    ("method", "releases", "projects"),
    ("usageType", "open", "openSource"),
    ("vcs", "github", "git"),
    ("vcs", "subversion", "svn"),
    ("vcs", "mercurial", "hg"),
    ("platforms", "macos", "mac"),
    ("maintenance", "contractor", "contract"),
    ("repositoryType", "library", "libraries"),
    ("repositoryType", "tool", "tools"),
    ("repositoryType", "api", "APIs"),
];

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
        let of_key = SYNONYMS.iter().find(|(key, word, _)| *key == spot.key && *word == lower);
        let meant = of_key.map(|(_, _, meant)| *meant).or_else(|| same_word(lower, options));
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
            judging.tell(&lists::EMPTY_ITEM, value, shown(value), "Remove it.", Fix::remove(value));
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
    let mut seen: Vec<Json> = Vec::new();
    let mut any = false;
    for item in list.items() {
        let json = item.to_json();
        if seen.contains(&json) {
            any = true;
            judging.tell(&lists::TWICE, item, shown(item), "Remove it.", Fix::remove(item));
        } else if seen.len() < 1000 {
            seen.push(json);
        }
    }
    if !any {
        judging.tell(&lists::TWICE, list, "an item twice", "Remove one.", None);
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
