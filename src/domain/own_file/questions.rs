//! What only a person knows of a repository's file: asked in the text of the
//! pull request about it, and answered there (etiquette 4.4).
//!
//! Promises: (1) at most five are asked at a time, each between two anchors;
//! (2) an answer is a ticked box or one line, and nothing else is read; (3) an
//! exemption is never offered: the register grants those; (4) which license is
//! right is asked by who wrote the code; (5) what cannot be taken stays where
//! it was written, with one quiet line beside it.

use code_json::{license, record::Field};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::{letters::own_file as say, outgoing::PublicText, policy::Policy, untrusted::shown};

/// So many are asked at a time.
const MOST: usize = 5;
/// The longest answer in one line, in characters.
const LONGEST: usize = 300;
/// The most of a question's place that is read, in bytes.
const PLACE: usize = 4_000;

/// In the order in which they are asked.
const ORDER: [Field; 11] = [
    Field::Licenses,
    Field::Status,
    Field::Usage,
    Field::ContactEmail,
    Field::Organization,
    Field::Maintenance,
    Field::ContractNumber,
    Field::AiUseCaseId,
    Field::Description,
    Field::LaborHours,
    Field::FeedbackMechanism,
];

/// Labels of boxes, each with the value it stands for.
type Choices = &'static [(&'static str, &'static str)];

const STATUS: Choices = &[
    ("Ideation", "Ideation"),
    ("Development", "Development"),
    ("Alpha", "Alpha"),
    ("Beta", "Beta"),
    ("Release Candidate", "Release Candidate"),
    ("Production", "Production"),
];
const USAGE: Choices = &[(say::USE_BY_ALL, "openSource"), (say::USE_BY_AGENCIES, "governmentWideReuse")];
const MAINTENANCE: Choices = &[
    (say::KEPT_BY_EMPLOYEES, "internal"),
    (say::KEPT_BY_CONTRACTOR, "contract"),
    (say::KEPT_BY_COMMUNITY, "community"),
    (say::KEPT_BY_NOBODY, "none"),
];
const ORIGIN: Choices =
    &[(say::BY_EMPLOYEES, "employees"), (say::BY_CONTRACTOR, "contractor"), (say::BY_BOTH, "both")];

/// How a question is asked: its heading, its boxes, the label of its line.
struct Form {
    heading: &'static str,
    choices: Choices,
    line: Option<&'static str>,
}

fn form(field: Field) -> Option<Form> {
    let boxes = |heading, choices| Some(Form { heading, choices, line: None });
    let line = |heading, label| Some(Form { heading, choices: &[], line: Some(label) });
    if !ORDER.contains(&field) {
        return None;
    }
    match field.pointer() {
        "/permissions/licenses" => {
            Some(Form { heading: say::ASK_LICENSE, choices: ORIGIN, line: Some(say::LINE_LICENSE) })
        }
        "/status" => boxes(say::ASK_STATUS, STATUS),
        "/permissions/usageType" => boxes(say::ASK_USAGE, USAGE),
        "/maintenance" => boxes(say::ASK_MAINTENANCE, MAINTENANCE),
        "/contact/email" => line(say::ASK_CONTACT, say::LINE_CONTACT),
        "/organization" => line(say::ASK_ORGANIZATION, say::LINE_ORGANIZATION),
        "/contractNumber" => line(say::ASK_CONTRACT, say::LINE_CONTRACT),
        "/AIUseCaseID" => line(say::ASK_AI, say::LINE_AI),
        "/description" => line(say::ASK_DESCRIPTION, say::LINE_DESCRIPTION),
        "/laborHours" => line(say::ASK_HOURS, say::LINE_HOURS),
        "/feedbackMechanism" => line(say::ASK_FEEDBACK, say::LINE_FEEDBACK),
        _ => None,
    }
}

/// What stands in the place of a question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    /// The boxes that are ticked, by number; one that is not ours has none.
    ticked: Vec<Option<usize>>,
    /// What stands after the label of the line.
    line: String,
    /// There is more than is read.
    too_long: bool,
}

impl Filled {
    /// Whether nothing was written there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Filled::default()
    }
}

/// What an answer comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// There is none yet.
    Nothing,
    /// This.
    Value(Value),
    /// It cannot be taken; why, in a sentence.
    Refused(&'static str),
}

/// Of the fields that are open those that are asked for now.
pub fn asked(open: &[Field]) -> impl Iterator<Item = Field> {
    ORDER.into_iter().filter(|field| open.contains(field)).take(MOST)
}

/// The questions whose places differ in two texts, as they stand in the later
/// one: what the person who edited it may have answered, or taken back (threats
/// P3).
#[must_use]
pub fn changed(before: &str, after: &str) -> Vec<(Field, Filled)> {
    let answered = |field: Field| {
        let now = filled(after, field)?;
        let was = filled(before, field).unwrap_or_default();
        (was != now).then_some((field, now))
    };
    ORDER.into_iter().filter_map(answered).collect()
}

/// What stands in the place of a question in a text; `None` if the text does
/// not ask it, or asks it twice.
#[must_use]
pub fn filled(body: &str, field: Field) -> Option<Filled> {
    let form = form(field)?;
    let anchor = format!("{}{}{}", say::ANCHOR, field.pointer(), say::ANCHOR_ENDS);
    let (_, rest) = body.split_once(&anchor)?;
    let (place, after) = rest.split_once(say::ANSWERED)?;
    if after.contains(&anchor) {
        return None;
    }
    let mut filled = Filled::default();
    if place.len() > PLACE {
        filled.too_long = true;
        return Some(filled);
    }
    for line in place.lines().map(str::trim) {
        let ticked = ["- [x] ", "- [X] ", "* [x] ", "* [X] "].iter().find_map(|tick| line.strip_prefix(tick));
        if let Some(label) = ticked {
            filled.ticked.push(form.choices.iter().position(|(known, _)| *known == label.trim()));
        } else if let Some(label) = form.line {
            let value = line.strip_prefix("- ").and_then(|line| line.strip_prefix(label));
            // A line that could not be taken comes back as code.
            let value = value.map(|value| value.trim().trim_matches('`').trim());
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                value.clone_into(&mut filled.line);
            }
        }
    }
    Some(filled)
}

/// What an answer says.
#[must_use]
pub fn heard(field: Field, filled: &Filled, policy: &Policy) -> Heard {
    let Some(form) = form(field) else { return Heard::Nothing };
    if filled.is_empty() {
        return Heard::Nothing;
    }
    let line = filled.line.as_str();
    if filled.too_long || line.chars().count() > LONGEST {
        return Heard::Refused(say::TOO_LONG);
    }
    if shown(line) != line || line.contains(['<', '>', '`']) {
        return Heard::Refused(say::ODD_CHARACTERS);
    }
    let chosen = match filled.ticked.as_slice() {
        [] => None,
        [Some(one)] => form.choices.get(*one).map(|(_, value)| *value),
        [None] => return Heard::Refused(say::NOT_A_CHOICE),
        _ => return Heard::Refused(say::ONE_ONLY),
    };
    if form.choices == ORIGIN {
        return license(chosen, line, policy);
    }
    let value = match (chosen, field) {
        (Some(value), Field::Usage) => json!([value]),
        (Some(value), _) => json!(value),
        (None, field) => return of_line(field, line),
    };
    Heard::Value(value)
}

fn of_line(field: Field, line: &str) -> Heard {
    let words = || Heard::Value(json!(line));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./ ".contains(c);
    match field {
        Field::ContactEmail => {
            let fits = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_{|}~-@".contains(c);
            let whole = line.split_once('@').is_some_and(|(name, host)| {
                !name.is_empty() && host.contains('.') && !host.contains('@') && !host.ends_with('.')
            });
            if whole && line.chars().all(fits) { words() } else { Heard::Refused(say::NOT_AN_ADDRESS) }
        }
        Field::LaborHours => match line.replace(',', "").parse::<u64>() {
            Ok(hours) => Heard::Value(json!(hours)),
            Err(_) => Heard::Refused(say::NOT_A_NUMBER),
        },
        Field::ContractNumber if line.eq_ignore_ascii_case("none") => Heard::Value(json!([])),
        Field::ContractNumber => {
            let mut numbers: Vec<&str> =
                line.split(',').map(str::trim).filter(|number| !number.is_empty()).collect();
            numbers.sort_unstable();
            numbers.dedup();
            let fit = !numbers.is_empty() && numbers.iter().all(|number| number.chars().all(plain));
            if fit { Heard::Value(json!(numbers)) } else { Heard::Refused(say::NOT_A_CODE) }
        }
        Field::AiUseCaseId if line.chars().all(plain) => words(),
        Field::AiUseCaseId => Heard::Refused(say::NOT_A_CODE),
        Field::FeedbackMechanism => {
            let plain = line.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
            if line.starts_with("https://") && plain { words() } else { Heard::Refused(say::NOT_A_LINK) }
        }
        _ => words(),
    }
}

/// Which license, by who wrote the code (17 U.S.C. 105, M-16-21 §5.2): the work
/// of employees is in the public domain at home and CC0 abroad, or what they
/// name; a contractor's has what the contract gave; of both counsel decides.
fn license(origin: Option<&str>, line: &str, policy: &Policy) -> Heard {
    let id = match (origin, line) {
        (None, _) => return Heard::Refused(say::WHO_WROTE_IT),
        (Some("both"), _) => return Heard::Refused(say::ASK_COUNSEL),
        (Some("employees"), "") => "CC0-1.0",
        (Some(_), "") => return Heard::Refused(say::WHICH_LICENSE),
        (Some(_), name) => match license::identify(name) {
            Some(id) => id,
            None => return Heard::Refused(say::NOT_A_LICENSE),
        },
    };
    let allowed = &policy.rules.license.allow;
    if !allowed.is_empty() && !allowed.iter().any(|allowed| allowed == id) {
        return Heard::Refused(say::NOT_ALLOWED);
    }
    Heard::Value(json!([{ "name": id, "URL": license::page(id) }]))
}

/// The line beside an answer that stands in `before` and is still open.
fn note(field: Field, before: Option<&Filled>, policy: &Policy) -> Option<&'static str> {
    match heard(field, before?, policy) {
        Heard::Nothing => None,
        Heard::Value(_) => Some(say::NOT_HEARD),
        Heard::Refused(why) => Some(why),
    }
}

/// Names the notes that belong beside the questions of an open pull request:
/// its text is written anew when they change.
#[must_use]
pub fn notes(open: &[Field], body: &str, policy: &Policy) -> String {
    let note = |field: Field| {
        let before = filled(body, field);
        note(field, before.as_ref(), policy).map(|note| format!("\n{} {note}", field.pointer()))
    };
    asked(open).filter_map(note).collect()
}

/// Writes the questions; `before` is the text they stand in already.
#[must_use]
pub fn write(mut text: PublicText, open: &[Field], before: Option<&str>, policy: &Policy) -> PublicText {
    for field in asked(open) {
        let Some(form) = form(field) else { continue };
        let was = before.and_then(|body| filled(body, field));
        let note = note(field, was.as_ref(), policy);
        let was = was.unwrap_or_default();
        text = text.say(say::ANCHOR).say(field.pointer()).say(say::ANCHOR_ENDS).say("\n");
        text = text.say(form.heading).say("\n\n");
        for (at, (label, _)) in form.choices.iter().enumerate() {
            let ticked = was.ticked.contains(&Some(at));
            text = text.say(if ticked { "- [x] " } else { "- [ ] " }).say(label).say("\n");
        }
        if let Some(label) = form.line {
            text = text.say("- ").say(label).say(" ");
            if !was.line.is_empty() {
                text = text.code(&was.line);
            }
            text = text.say("\n");
        }
        if let Some(note) = note {
            text = text.say("\n*").say(note).say("*\n");
        }
        text = text.say(say::ANSWERED).say("\n\n");
    }
    text
}
