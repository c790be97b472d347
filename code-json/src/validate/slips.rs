//! What is wrong with the text itself: faults, which end the reading, and slips,
//! which do not.

use super::Judging;
use crate::{
    check::Problem,
    checks,
    document::{Fault, FaultKind, Slip, SlipKind, Value},
    edit::{Edit, Fix},
};

impl<'d> Judging<'d> {
    pub(super) fn slip(&mut self, slip: &Slip) {
        let text = &self.document.text()[slip.span.clone()];
        let write = |text: &str| Some(Fix(vec![Edit { span: slip.span.clone(), text: text.into() }]));
        let (check, found, remedy, fix) = match &slip.kind {
            SlipKind::ByteOrderMark => {
                (&checks::json::BYTE_ORDER_MARK, "U+FEFF".into(), "Remove it.".into(), write(""))
            }
            SlipKind::TrailingComma => {
                (&checks::json::TRAILING_COMMA, "a comma".into(), "Remove it.".into(), write(""))
            }
            SlipKind::MissingComma => {
                (&checks::json::MISSING_COMMA, "no comma".into(), "Write a comma.".into(), write(","))
            }
            SlipKind::Comment => (
                &checks::json::COMMENT,
                "a comment".into(),
                "Remove it, or say it in a key of its own.".into(),
                None,
            ),
            SlipKind::ControlCharacter => {
                let escape = crate::edit::quote(text);
                let escape = escape.trim_matches('"');
                (
                    &checks::json::CONTROL_CHARACTER,
                    escape.to_owned(),
                    format!("Write {escape}."),
                    write(escape),
                )
            }
            SlipKind::LoneSurrogate => {
                (&checks::json::LONE_SURROGATE, text.to_owned(), "Write the whole character.".into(), None)
            }
            SlipKind::DuplicateKey(_, first, later) => {
                let (remedy, fix) = self.duplicate(self.document.value(*first), self.document.value(*later));
                (&checks::json::DUPLICATE_KEY, format!("{text} again"), remedy, fix)
            }
        };
        let place = self.document.place(slip.span.start);
        let span = slip.span.clone();
        let pointer = String::new();
        self.problems.push(Problem { check, span, place, pointer, entry: None, found, write: remedy, fix });
    }

    /// The later one goes if it says the same as the first.
    fn duplicate(&self, first: Value<'d>, later: Value<'d>) -> (String, Option<Fix>) {
        if first.to_json() == later.to_json() {
            return ("Remove it; it says the same.".into(), Fix::remove(later));
        }
        let start = first.as_member().map_or(first.span().start, |member| member.key_span.start);
        (format!("Which one is right, this or the one of line {}?", self.document.place(start)), None)
    }
}

pub(super) fn of_fault(fault: &Fault) -> Problem {
    let check = match fault.kind {
        FaultKind::CutOff(..) | FaultKind::Empty => &checks::json::CUT_OFF,
        FaultKind::TooLarge(_) | FaultKind::TooManyValues(_) | FaultKind::TooDeep(_) => &checks::json::LIMITS,
        FaultKind::Utf16 | FaultKind::NotUtf8(..) => &checks::json::ENCODING,
        FaultKind::OpenText
        | FaultKind::Escape
        | FaultKind::Number
        | FaultKind::Quote
        | FaultKind::BareKey
        | FaultKind::BareWord(_)
        | FaultKind::Expected(_)
        | FaultKind::WrongBracket(_)
        | FaultKind::AfterTheEnd => &checks::json::SYNTAX,
    };
    let message = fault.kind.message();
    Problem {
        check,
        span: fault.span.clone(),
        place: fault.place,
        pointer: String::new(),
        entry: None,
        found: if message == check.title { "here".to_owned() } else { message },
        write: fault.kind.remedy(),
        fix: None,
    }
}
