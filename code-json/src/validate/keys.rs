//! Keys that are missing, spelled otherwise or not allowed.

use serde_json::Value as Json;

use super::{Judging, clip, shown, violations::Spot};
use crate::{
    checks::{permissions, shape, texts, urls as url_checks},
    document::{Kind, Value},
    edit::{Fix, quote},
};

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

pub(super) fn missing<'d>(judging: &mut Judging<'d>, spot: &Spot<'d, '_>, key: &str) {
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
            let add = match spot.key.as_str() {
                "" => format!("Add {}.", quote(key)),
                within => format!("Add {} to {}.", quote(key), clip(within)),
            };
            let write = format!("{add} {}", question(key)).trim_end().to_owned();
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

pub(super) fn unknown<'d>(judging: &mut Judging<'d>, spot: &Spot<'d, '_>, key: &str) {
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
