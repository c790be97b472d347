//! What is known of a repository's file beside the repository.

use code_json::record::{Field, Kind, Provenance, Record, Usage};
use jiff::Timestamp;
use serde_json::Value;

/// What people answered elsewhere, and what Muster wrote.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Said {
    /// People's answers, where the file is silent.
    pub answers: Record,
    /// What the file held that no person wrote, when Muster's last pull request
    /// about it was merged.
    pub written: Option<Record>,
    /// The substance of what the branch of the open pull request carries, as far
    /// as that is known ([`OwnFile::substance`](super::OwnFile::substance)).
    pub carries: Option<String>,
    /// When somebody last answered a question in a pull request of ours.
    pub answered_at: Option<Timestamp>,
}

/// The longest text that is taken over from the control repository.
const MOST: usize = 60;

impl Said {
    /// With what people said of the repository in the control repository: only
    /// choices, numbers and identifiers. Its prose may name what fewer people
    /// may see than this file (threats N1), and its exemptions are the
    /// register's to state.
    pub fn take_over(&mut self, control: &Record) {
        for (key, sourced) in control.entries() {
            let code_json::record::Key::Known(field) = key else { continue };
            if self.answers.field(*field).is_none() && may_be_told(*field, &sourced.value) {
                self.answers.put(key.clone(), sourced.clone());
            }
        }
    }

    /// With an answer in a pull request of ours, which counts more.
    pub fn answered(&mut self, field: Field, value: Value, number: u64, at: Timestamp) {
        self.answers.set(field, value, Provenance::Person { file: format!("pull request {number}") });
        self.answered_at = self.answered_at.max(Some(at));
    }
}

fn may_be_told(field: Field, value: &Value) -> bool {
    let is_code = |text: &str| {
        text.len() <= MOST && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
    };
    match field.about().kind {
        Kind::Choice(choices) => value.as_str().is_some_and(|text| choices.contains(&text)),
        Kind::Number | Kind::Count => value.is_number(),
        Kind::Usage => {
            let named = |item: &Value| item.as_str().and_then(Usage::named);
            let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
            !items.is_empty() && items.iter().all(|item| named(item).is_some_and(|usage| !usage.is_exempt()))
        }
        Kind::Texts if field == Field::ContractNumber => {
            value.as_array().is_some_and(|list| list.iter().all(|item| item.as_str().is_some_and(is_code)))
        }
        Kind::Text if field == Field::AiUseCaseId => value.as_str().is_some_and(is_code),
        Kind::Text | Kind::Url | Kind::Date | Kind::Texts | Kind::Licenses | Kind::Items(_) => false,
    }
}
