//! The entry of a public repository: facts, its own file, people's answers and
//! the agency's defaults, made one record.

use code_json::{
    merge::{self, merge},
    record::{Field, Provenance, Record},
};
use serde_json::Value;

use super::sources::{Seen, Sources};
use crate::domain::{policy::Policy, repository::Visibility};

/// What the agency says of each of its entries.
pub(super) fn agency(policy: &Policy) -> Vec<(Field, Value)> {
    let defaults = &policy.inventory.defaults;
    let agency = &policy.agency;
    let organization = defaults.organization.as_ref().or(agency.name.as_ref());
    [
        (Field::Organization, organization),
        (Field::ContactEmail, agency.contact.email.as_ref()),
        (Field::ContactName, agency.contact.name.as_ref()),
    ]
    .into_iter()
    .filter_map(|(field, value)| Some((field, Value::from(value?.as_str()))))
    .collect()
}

/// What the policy says of repositories that say nothing.
pub(super) fn defaults(policy: &Policy) -> Vec<(Field, Value)> {
    let defaults = &policy.inventory.defaults;
    let text = |text: &Option<String>| text.as_deref().map(Value::from);
    [
        (Field::Status, text(&defaults.status)),
        (Field::Vcs, text(&defaults.vcs)),
        (Field::Maintenance, text(&defaults.maintenance)),
        (Field::LaborHours, defaults.labor_hours.map(Value::from)),
        (Field::ContractNumber, defaults.contract_number.clone().map(Value::from)),
    ]
    .into_iter()
    .filter_map(|(field, value)| Some((field, value?)))
    .collect()
}

/// The defaults as a record.
pub(in crate::domain) fn default_record(policy: &Policy) -> Record {
    let mut record = Record::new();
    for (field, value) in agency(policy).into_iter().chain(defaults(policy)) {
        record.set(field, value, Provenance::Default);
    }
    record
}

/// The canonical record, by everything that is known.
pub(super) fn record(seen: &Seen<'_>, sources: &Sources, defaults: &Record) -> Record {
    let facts = sources.facts(seen);
    let merged = merge(&merge::Sources {
        file: sources.record.as_ref(),
        answers: seen.answers,
        facts: &facts,
        defaults,
        written: None,
    });
    let mut record = merged.record;
    if let Some(changed) = seen.changed_at {
        record.set(Field::MetadataLastUpdated, changed.to_string(), Provenance::Fact);
    }
    if let (Some(clones), Visibility::Public) = (seen.clones, seen.visibility) {
        // Counted day by day: a person's number is older.
        record.set(Field::Clones, clones, Provenance::Fact);
    }
    if let Some(exempt) = seen.exempt {
        record.set(Field::Usage, vec![exempt.usage.name()], Provenance::Fact);
        record.set(Field::ExemptionText, exempt.reason.as_str(), Provenance::Fact);
    }
    record
}
