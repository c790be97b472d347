//! The entry of code that is not public (domain: SHARE IT Act §2(5), §6;
//! threats N3).
//!
//! Promises: (1) nothing here is given a name, a description, an address or a
//! language of the repository: a text of people comes through only in the form
//! of a contract number or an index number; (2) which entry is which repository
//! is told by a random id that is redrawn at each change of visibility; (3) such
//! entries join the file in monthly batches, since one that appears when
//! another vanishes names it.

use code_json::record::{Field, MAINTENANCE, Provenance, Record, STATUS, Usage, VCS};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use crate::domain::{policy::Policy, words};

/// The id of a redacted entry: 20 random letters and digits (base32, RFC 4648,
/// in lower case).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Opaque {
    /// The id.
    pub id: String,
    /// When it was drawn.
    pub drawn_at: Timestamp,
    /// Whether it was in a published file already, or drawn before there was one.
    pub listed: bool,
}

impl Opaque {
    /// How many characters an id has: 100 bits.
    pub const LENGTH: usize = 20;
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

    /// An id of these random bytes.
    #[must_use]
    pub fn drawn(random: [u8; Opaque::LENGTH], at: Timestamp, listed: bool) -> Opaque {
        let letter = |byte: u8| char::from(Opaque::ALPHABET[usize::from(byte % 32)]);
        Opaque { id: random.into_iter().map(letter).collect(), drawn_at: at, listed }
    }

    /// Whether its entry may be in the file: from the first day of the month
    /// after it was drawn.
    #[must_use]
    pub fn may_be_listed(&self, now: Timestamp) -> bool {
        let month = |at: Timestamp| {
            let date = at.to_zoned(TimeZone::UTC).date();
            (date.year(), date.month())
        };
        self.listed || month(now) > month(self.drawn_at)
    }
}

/// All that may be told of code that is not public.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Restricted {
    pub(super) id: String,
    /// What a person or the register says of its use.
    pub(super) usage: Vec<Usage>,
    pub(super) exemption_text: Option<String>,
    /// When it was made.
    pub(super) year: i16,
    told: Vec<(Field, Value)>,
    /// What a person said in a form that could name something: no default may
    /// say otherwise in its place.
    withheld: Vec<Field>,
}

impl Restricted {
    /// Takes out of a record what has one of the forms that name nobody.
    pub(super) fn of(
        opaque: &Opaque,
        record: &Record,
        exempt: Option<&super::Exempt>,
        made: Timestamp,
    ) -> Restricted {
        let choice = |field, choices: &[&str]| {
            let text = record.text(field).filter(|text| choices.contains(text))?;
            Some((field, Value::from(text)))
        };
        let mut withheld = Vec::new();
        let mut told: Vec<(Field, Value)> =
            [choice(Field::Status, STATUS), choice(Field::Vcs, VCS), choice(Field::Maintenance, MAINTENANCE)]
                .into_iter()
                .flatten()
                .collect();
        if record.value(Field::ContractNumber).is_some_and(Value::is_array) {
            let numbers: Vec<&str> =
                record.texts(Field::ContractNumber).filter(|text| is_number(text)).collect();
            if numbers.len() == record.texts(Field::ContractNumber).count() {
                told.push((Field::ContractNumber, numbers.into()));
            } else {
                withheld.push(Field::ContractNumber);
            }
        }
        if let Some(number) = record.text(Field::AiUseCaseId).filter(|text| is_number(text)) {
            told.push((Field::AiUseCaseId, number.into()));
        }
        let usage = match exempt {
            Some(exempt) => vec![exempt.usage],
            // A person's claim that it is exempt is a request, not a decision;
            // that it is open to everybody is contradicted by the facts.
            None => record
                .usage()
                .filter(|usage| match usage {
                    Usage::GovernmentWideReuse => true,
                    Usage::OpenSource => false,
                    exempt => !exempt.is_exempt(),
                })
                .collect(),
        };
        Restricted {
            id: opaque.id.clone(),
            usage,
            exemption_text: exempt.map(|exempt| exempt.reason.clone()),
            year: made.to_zoned(TimeZone::UTC).date().year(),
            told,
            withheld,
        }
    }
}

/// Letters, digits, dots and hyphens with a digit in it, as contract and index
/// numbers are; nothing that could be a sentence.
fn is_number(text: &str) -> bool {
    (1..=30).contains(&text.len())
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-.".contains(&byte))
}

/// The record of an entry that names nothing.
pub(super) fn record(policy: &Policy, restricted: &Restricted) -> Record {
    let fact = || Provenance::Fact;
    let default = || Provenance::Default;
    let mut record = Record::new();
    record.set(Field::Name, format!("{} {}", words::inventory::RESTRICTED_NAME, restricted.id), fact());
    record.set(Field::Description, words::inventory::RESTRICTED_DESCRIPTION, fact());
    if let Some(page) = &policy.inventory.access_url {
        record.set(Field::RepositoryUrl, format!("{page}#{}", restricted.id), fact());
    }
    record.set(Field::Visibility, "private", fact());
    record.set(Field::Licenses, Value::Array(Vec::new()), fact());
    record.set(Field::Languages, Value::Array(Vec::new()), fact());
    record.set(Field::Tags, Value::Array(Vec::new()), fact());
    record.set(Field::LaborHours, 0, fact());
    record.set(Field::Sbom, "None", fact());
    if !restricted.usage.is_empty() {
        let names: Vec<&str> = restricted.usage.iter().map(|usage| usage.name()).collect();
        record.set(Field::Usage, names, fact());
    }
    if let Some(text) = &restricted.exemption_text {
        record.set(Field::ExemptionText, text.as_str(), fact());
    }
    record.set(Field::Created, format!("{:04}-01-01", restricted.year), fact());
    for (field, value) in super::public::agency(policy) {
        record.set(field, value, default());
    }
    if let Some(page) = &policy.agency.access.procedure_url {
        record.set(Field::FeedbackMechanism, page.as_str(), default());
    } else if let Some(page) = &policy.inventory.access_url {
        record.set(Field::FeedbackMechanism, page.as_str(), default());
    }
    for (field, value) in super::public::defaults(policy) {
        if record.field(field).is_none() && !restricted.withheld.contains(&field) {
            record.set(field, value, default());
        }
    }
    for (field, value) in &restricted.told {
        record.set(*field, value.clone(), fact());
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_joins_with_the_month() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let drawn = Opaque::drawn([7; 20], at("2026-11-30T23:00:00Z"), false);
        assert_eq!(drawn.id, "h".repeat(20));
        assert!(!drawn.may_be_listed(at("2026-11-30T23:59:59Z")));
        assert!(drawn.may_be_listed(at("2026-12-01T00:00:00Z")));
        assert!(Opaque { listed: true, ..drawn }.may_be_listed(at("2026-11-30T23:00:00Z")));
    }

    #[test]
    fn only_what_looks_like_a_number_is_a_number() {
        for good in ["GS-35F-0001R", "47QTCA21D0019", "0", "AI.12"] {
            assert!(is_number(good), "{good}");
        }
        for bad in ["", "CODENAME", "see the code of apollo-11", "apollo-11", "GS 35", &"1".repeat(31)] {
            assert!(!is_number(bad), "{bad}");
        }
    }
}
