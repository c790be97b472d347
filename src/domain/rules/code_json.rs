//! Rule `code-json`: the repository's own inventory file.
//!
//! - Why: it puts the code into the agency's source code inventory.
//! - Source: SHARE IT Act §3(c), by the metadata schema of gov-codejson; agencies
//!   that keep one inventory need no file in each repository, so the policy says
//!   whether it is required (`rules.code-json.file`).
//! - Looks: `code.json` in the root, under exactly this name.
//! - To do: see [`RULE`]; each flaw has its own remedy and place.

use super::{
    Rule,
    files::{Content, content},
    missing, pass, unknown,
};
use crate::domain::{
    code_json::{Flaw, Shape, What, read},
    finding::{Finding, Gap, Outcome, Place, RuleId},
    policy::{CodeJsonFile, CodeJsonRule},
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

const NAME: &str = "code.json";

/// `None` where the rule has nothing to say: the file is not looked at, or is
/// optional and not there.
pub(super) fn judge(rule: &CodeJsonRule, snapshot: &Snapshot) -> Option<Outcome> {
    let required = match rule.file {
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
        Content::Text(text) => judge_text(text),
    })
}

fn judge_text(text: &str) -> Outcome {
    let reading = read(text);
    if let Some(flaw) = reading.flaws.first() {
        let gap = if flaw.what.is_malformed() { Gap::Malformed } else { Gap::Fields };
        let (summary, remedy) = describe(flaw, reading.shape);
        return fail(gap, summary, remedy, Some(flaw));
    }
    let (summary, advice) = match reading.shape {
        Some(Shape::Releases(count)) => (format!("{NAME}, an inventory of {count} releases"), None),
        Some(Shape::Projects(count)) => {
            (format!("{NAME}, an inventory of {count} projects"), Some(say::PROJECTS.to_owned()))
        }
        Some(Shape::Record | Shape::List(_) | Shape::Other) | None => (NAME.to_owned(), None),
    };
    let advice = if reading.byte_order_mark { Some(say::BYTE_ORDER_MARK.to_owned()) } else { advice };
    pass(NAME, summary, advice)
}

/// What is wrong, and what to do.
fn describe(flaw: &Flaw, shape: Option<Shape>) -> (String, String) {
    let fixed = |summary: &str, remedy: &str| (summary.to_owned(), remedy.to_owned());
    match &flaw.what {
        What::TrailingComma => fixed(say::TRAILING_COMMA, say::REMOVE_COMMA),
        What::Comment => fixed(say::COMMENT, say::REMOVE_COMMENT),
        What::SingleQuote => fixed(say::SINGLE_QUOTE, say::DOUBLE_QUOTES),
        What::CutOff => fixed(say::CUT_OFF, say::COMPLETE),
        What::NotJson(message) => (say::not_json(message), say::CORRECT.to_owned()),
        What::TooDeep => fixed(say::TOO_DEEP, say::FLATTEN),
        What::Duplicate(key) => (say::duplicate(key), say::KEEP_ONE.to_owned()),
        What::NotARecord => {
            let found = match shape {
                Some(Shape::List(count)) => format!("a list of {count}"),
                Some(Shape::Releases(_) | Shape::Projects(_)) => "an entry that is no object".to_owned(),
                Some(Shape::Record | Shape::Other) | None => "a single value".to_owned(),
            };
            (say::not_a_record(&found), say::ONE_RECORD.to_owned())
        }
        What::Missing { fields, entry } => {
            let place = entry.map_or_else(|| NAME.to_owned(), |n| format!("Entry {n} of {NAME}"));
            (say::fields(fields, &place), say::add_fields(fields))
        }
        What::WrongType { field, wanted } => (say::wrong_type(field, wanted), say::write_as(wanted)),
    }
}

fn fail(gap: Gap, summary: String, remedy: String, flaw: Option<&Flaw>) -> Outcome {
    let (line, column) = flaw.map_or((None, None), |flaw| (Some(flaw.at.line), Some(flaw.at.column)));
    let place = Place { path: NAME.to_owned(), line, column };
    Outcome::Fail(Finding { gap, summary, looked: vec![NAME.to_owned()], remedy, place: Some(place) })
}
