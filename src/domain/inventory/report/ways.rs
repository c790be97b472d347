//! Who can say what a field lacks, and where.

use code_json::record::Field;
use serde::Serialize;

/// Who can fill in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// Whoever maintains the repository.
    Maintainer,
    /// Whoever keeps the agency's policy.
    Agency,
    /// Whoever decides on exemptions.
    Office,
}

impl Who {
    /// As a report names them.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Who::Maintainer => "the maintainer",
            Who::Agency => "the agency",
            Who::Office => "the office",
        }
    }
}

/// One way to fill in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Way {
    /// Who.
    pub who: Who,
    /// Where: a file, a setting, or a key of the policy.
    pub place: &'static str,
}

const fn maintainer(place: &'static str) -> Way {
    Way { who: Who::Maintainer, place }
}

const fn agency(place: &'static str) -> Way {
    Way { who: Who::Agency, place }
}

const FILE: Way = maintainer("code.json");
const REGISTER: Way = Way { who: Who::Office, place: "the register of exemptions" };
/// GitHub states it, so nobody is asked unless the file says it wrongly.
const FACT: &[Way] = &[FILE];

/// Every field that a version requires, or asks for with another, and the ways
/// to fill it in, the surest first.
pub const WAYS: &[(Field, &[Way])] = &[
    (Field::Name, FACT),
    (Field::Description, &[maintainer("the description in the repository's settings"), FILE]),
    (Field::Status, &[FILE, agency("inventory.defaults.status")]),
    (Field::Licenses, &[maintainer("a LICENSE file"), FILE]),
    (Field::Usage, &[maintainer("a LICENSE file, if the code is public"), FILE, REGISTER]),
    (Field::ExemptionText, &[REGISTER, FILE]),
    (Field::Organization, &[FILE, agency("inventory.defaults.organization or agency.name")]),
    (Field::RepositoryUrl, &[FILE, agency("inventory.access_url, for code that is not public")]),
    (Field::Visibility, FACT),
    (Field::Vcs, &[FILE, agency("inventory.defaults.vcs")]),
    (Field::LaborHours, &[FILE, agency("inventory.defaults.labor_hours")]),
    (Field::Languages, FACT),
    (Field::Maintenance, &[FILE, agency("inventory.defaults.maintenance")]),
    (Field::ContractNumber, &[FILE, agency("inventory.defaults.contract_number")]),
    (Field::Sbom, FACT),
    (Field::Tags, &[maintainer("the topics in the repository's settings"), FILE]),
    (Field::FeedbackMechanism, &[maintainer("issues in the repository's settings"), FILE]),
    (Field::AiUseCaseId, &[FILE]),
    (Field::ContactEmail, &[FILE, agency("agency.contact.email")]),
    (Field::ContactName, &[FILE, agency("agency.contact.name")]),
];

/// The ways to fill in what is missing at a place of an entry. What is within a
/// field is filled in with it; of another place only the file can speak.
#[must_use]
pub fn ways(pointer: &str) -> &'static [Way] {
    let within = |field: &Field| {
        pointer.strip_prefix(field.pointer()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    WAYS.iter().find(|(field, _)| within(field)).map_or(FACT, |(_, ways)| ways)
}

#[cfg(test)]
mod tests {
    use code_json::{
        convert::{self, Target},
        record::Record,
    };

    use super::*;

    #[test]
    fn every_field_that_can_be_asked_for_has_a_row() {
        let mut asked = 0;
        for target in Target::ALL {
            for question in convert::release(&Record::new(), target).questions {
                let rows = WAYS.iter().filter(|(field, _)| field.pointer() == question.pointer);
                assert_eq!(rows.count(), 1, "{}", question.pointer);
                asked += 1;
            }
        }
        assert!(asked > 20, "{asked}");
        assert!(WAYS.iter().all(|(_, ways)| !ways.is_empty()));
    }

    #[test]
    fn only_a_person_gives_a_number_of_an_ai_use_case() {
        assert_eq!(ways("/AIUseCaseID"), [FILE]);
        assert_eq!(ways("/permissions/licenses/0/URL")[0].place, "a LICENSE file");
        assert_eq!(ways("/nameless"), FACT);
        assert_eq!(ways("/permissions/exemptionText")[0], REGISTER);
    }
}
