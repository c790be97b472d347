//! Rule `code-json`: the repository's own inventory file.
//!
//! - Why: it puts the code into the agency's source code inventory.
//! - Source: SHARE IT Act §3(c), by the metadata schema of gov-codejson; agencies
//!   that keep one inventory need no file in each repository, so the policy says
//!   whether it is required (`rules.code-json.file`).
//! - Looks: `code.json` in the root, under exactly this name.
//! - Asks: by `file: optional`, what every published schema asks for. By `file:
//!   required`, also what the policy's schema asks for, and that the file agrees
//!   with the repository (etiquette 4.4).
//! - Not asked where the agency's inventory is kept: there the name is taken.
//! - To do: see [`RULE`]; each flaw has its own remedy and place.

use code_json::{
    detect::{Container, detect, records},
    document::{self, Document, Kind, Limits, SlipKind, Value},
    record::Field,
};

use super::{
    Rule,
    files::{Content, content},
    missing, pass, unknown,
};
use crate::domain::{
    finding::{Finding, Gap, Judgement, Outcome, Place, RuleId},
    inventory::licenses,
    own_file::{self, Flaw, PATH as NAME},
    policy::{CodeJsonFile, Policy},
    repository::{EntryKind, Snapshot},
    words::{self, code_json as say},
};

pub(super) const RULE: Rule = Rule {
    id: RuleId::CodeJson,
    title: "code.json",
    why: words::CODE_JSON_WHY,
    source: "https://dsacms.github.io/gov-codejson/",
    remedy: words::CODE_JSON_REMEDY,
    looks: &["/"],
};

/// `None` where the rule has nothing to say: the file is not looked at, or is
/// optional and not there.
pub(super) fn judge(policy: &Policy, snapshot: &Snapshot, judged: &[Judgement]) -> Option<Outcome> {
    let here = snapshot.repository.name.to_string();
    let holds = policy.inventory.repository.as_ref().map(ToString::to_string);
    if holds.is_some_and(|holds| holds.eq_ignore_ascii_case(&here)) {
        return None;
    }
    let required = match policy.rules.code_json.file {
        CodeJsonFile::Off => return None,
        CodeJsonFile::Optional => false,
        CodeJsonFile::Required => true,
    };
    let files = &snapshot.files;
    let entry = files.entry(NAME).filter(|entry| entry.kind != EntryKind::Folder);
    let other_case = files.in_folder("").find(|entry| {
        entry.path != NAME && entry.path.eq_ignore_ascii_case(NAME) && entry.kind == EntryKind::File
    });
    let entry = match (entry, other_case) {
        (Some(entry), None) => entry,
        (Some(_), Some(other)) => return Some(unknown(words::file::collision(NAME, &other.path))),
        (None, other) => {
            if !required {
                return None;
            }
            if let Some(why) = files.unread("") {
                return Some(unknown(words::file::folder_unread("", why)));
            }
            let finding = match other {
                None => missing(&RULE, say::MISSING, &[]),
                Some(other) => Finding {
                    remedy: say::RENAME.to_owned(),
                    place: Some(Place { path: other.path.clone(), line: None, column: None }),
                    ..missing(&RULE, say::other_case(&other.path), &[])
                },
            };
            return Some(Outcome::Fail(finding));
        }
    };
    Some(match content(snapshot, entry) {
        Content::OutOfReach(why) => unknown(why),
        Content::Opaque(why) => fail(Gap::Malformed, why, say::CORRECT.to_owned(), None),
        Content::Empty => fail(Gap::Empty, say::EMPTY.to_owned(), RULE.remedy.to_owned(), None),
        Content::Text(text) => {
            let whole = |document: &Document| flaw(policy, snapshot, judged, document, required);
            judge_text(text, &whole)
        }
    })
}

/// Where the file falls short of what the policy asks, beyond what every schema
/// does. Where it is only optional, that it is out of date is advice, and what
/// its entry lacks is told by the inventory's account.
fn flaw(
    policy: &Policy,
    snapshot: &Snapshot,
    judged: &[Judgement],
    document: &Document,
    required: bool,
) -> Option<Outcome> {
    let record = own_file::record(document)?;
    let licenses = licenses(snapshot, judged);
    Some(match own_file::flaw(policy, snapshot, &licenses, &record)? {
        Flaw::Drift(fields) if !required => pass(NAME, NAME.to_owned(), Some(say::drift(&names(&fields)))),
        Flaw::Lacks(_) if !required => return None,
        Flaw::Drift(fields) => {
            let at = fields.iter().find_map(|field| document.pointer(field.pointer()));
            let names = names(&fields);
            fail(Gap::Drift, say::drift(&names), say::drift_remedy(&names), at.map(Value::place))
        }
        Flaw::Lacks(fields) => incomplete(document.root(), &names(&fields), NAME),
    })
}

/// Fields as people find them: without the first slash.
fn names(fields: &[Field]) -> Vec<&'static str> {
    fields.iter().map(|field| &field.pointer()[1..]).collect()
}

/// The fields that all published versions require of a record.
const FIELDS: [(&str, Kind); 4] = [
    ("name", Kind::String),
    ("description", Kind::String),
    ("permissions", Kind::Object),
    ("contact", Kind::Object),
];

/// Asks for what every published schema asks for, so that nothing that is right
/// by its own version is called wrong, and names the first thing that is.
/// Then `further` has its say.
fn judge_text(text: &str, further: &dyn Fn(&Document) -> Option<Outcome>) -> Outcome {
    let document = match Document::read(text.as_bytes(), &Limits::default()) {
        Ok(document) => document,
        Err(fault) => return malformed(fault.place, say::fault(&fault.kind)),
    };
    for slip in document.slips() {
        if let Some(said) = say::slip(&slip.kind) {
            return malformed(document.place(slip.span.start), said);
        }
    }
    let root = document.root();
    let container = detect(&document).container;
    let records = records(&document);
    let not_a_record = |at: Value<'_>, found: &str| {
        malformed(at.place(), (say::not_a_record(found), say::ONE_RECORD.to_owned()))
    };
    let (summary, advice) = match container {
        Container::Single => (NAME.to_owned(), None),
        Container::Releases if root.get("releases").is_none_or(|list| list.kind() != Kind::Array) => {
            return incomplete(root, &["releases"], NAME);
        }
        Container::Releases => (format!("{NAME}, an inventory of {} releases", records.len()), None),
        Container::Projects => {
            (format!("{NAME}, an inventory of {} projects", records.len()), Some(say::PROJECTS.to_owned()))
        }
        Container::List => return not_a_record(root, &format!("a list of {}", records.len())),
        Container::Other => return not_a_record(root, "a single value"),
    };
    for (record, number) in records.into_iter().zip(1..) {
        if record.kind() != Kind::Object {
            return not_a_record(record, "an entry that is no object");
        }
        let mut missing = Vec::new();
        for (field, kind) in FIELDS {
            // The first schema had one `license`, a URL or null.
            if field == "permissions" && record.get(field).is_none() && record.get("license").is_some() {
                continue;
            }
            match record.get(field).filter(|value| !is_empty(*value)) {
                None => missing.push(field),
                Some(value) if value.kind() == kind => {}
                Some(value) => {
                    let wanted = kind.noun();
                    let (summary, remedy) = (say::wrong_type(field, wanted), say::write_as(wanted));
                    return fail(Gap::Fields, summary, remedy, Some(value.place()));
                }
            }
        }
        if !missing.is_empty() {
            let within = match container {
                Container::Single => NAME.to_owned(),
                Container::Releases | Container::Projects | Container::List | Container::Other => {
                    format!("Entry {number} of {NAME}")
                }
            };
            return incomplete(record, &missing, &within);
        }
    }
    if let Some(outcome) = further(&document) {
        return outcome;
    }
    let marked = document.slips().iter().any(|slip| slip.kind == SlipKind::ByteOrderMark);
    let advice = if marked { Some(say::BYTE_ORDER_MARK.to_owned()) } else { advice };
    pass(NAME, summary, advice)
}

/// Whether a value says as little as if it were not there.
fn is_empty(value: Value<'_>) -> bool {
    match value.kind() {
        Kind::Null => true,
        Kind::String => value.as_str().is_some_and(|text| text.trim().is_empty()),
        Kind::Object => value.is_empty(),
        Kind::Bool | Kind::Number | Kind::Array => false,
    }
}

fn malformed(at: document::Place, (summary, remedy): (String, String)) -> Outcome {
    fail(Gap::Malformed, summary, remedy, Some(at))
}

fn incomplete(record: Value<'_>, missing: &[&str], within: &str) -> Outcome {
    fail(Gap::Fields, say::fields(missing, within), say::add_fields(missing), Some(record.place()))
}

fn fail(gap: Gap, summary: String, remedy: String, at: Option<document::Place>) -> Outcome {
    let (line, column) = at.map_or((None, None), |at| (Some(at.line), Some(at.column)));
    let place = Place { path: NAME.to_owned(), line, column };
    Outcome::Fail(Finding { gap, summary, looked: vec![NAME.to_owned()], remedy, place: Some(place) })
}
