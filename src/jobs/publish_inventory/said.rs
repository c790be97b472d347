//! What people said of repositories, and how the inventory sees one.

use std::collections::HashMap;

use code_json::record::Record;
use jiff::civil::Date;

use crate::{
    domain::{
        exemptions::Exemption,
        inventory::{Exempt, Opaque, Seen, Sources},
        policy::{LaborHours, Policy},
        repository::{AccountId, RepositoryId},
    },
    store::{KnownEntry, Store, StoreError},
};

/// What people decided and answered in the lead organization's control
/// repository.
#[derive(Debug, Clone, Default)]
pub struct Said {
    exempt: HashMap<RepositoryId, Exempt>,
    answers: HashMap<RepositoryId, Record>,
    /// Whether the policy takes labor hours that were estimated.
    estimates: bool,
}

impl Said {
    /// What is in force on a day for the repositories of an agency's accounts.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(
        store: &Store,
        lead: AccountId,
        ours: &[AccountId],
        day: Date,
    ) -> Result<Said, StoreError> {
        let register = store.exemptions(lead, ours).await?;
        let one = |exemption: &Exemption| Exempt {
            usage: exemption.usage,
            reason: exemption.reason.clone(),
            basis: exemption.basis.clone(),
        };
        let exempt = register.in_force(day).map(|exemption| (exemption.id, one(exemption))).collect();
        let answers = store.answers(lead).await?.into_iter();
        let answers = answers.filter_map(|answer| Some((answer.repository, answer.said.ok()?))).collect();
        Ok(Said { exempt, answers, estimates: false })
    }

    /// The same by a policy that may want labor hours estimated.
    #[must_use]
    pub fn by(self, policy: &Policy) -> Said {
        let estimates = match policy.inventory.labor_hours {
            LaborHours::Off => false,
            LaborHours::CocomoIi => true,
        };
        Said { estimates, ..self }
    }

    /// What was said of one repository.
    pub(super) fn of_repository(&self, id: RepositoryId) -> (Option<&Exempt>, Option<&Record>) {
        (self.exempt.get(&id), self.answers.get(&id))
    }
}

/// A repository as the inventory sees it.
#[must_use]
pub fn seen<'a>(
    account: AccountId,
    entry: &'a KnownEntry,
    sources: Option<&'a Sources>,
    said: &'a Said,
    ids: &'a HashMap<RepositoryId, Opaque>,
) -> Seen<'a> {
    Seen {
        id: entry.seen.id,
        account,
        name: &entry.seen.name,
        visibility: entry.seen.visibility,
        archived: entry.seen.archived,
        skipped: entry.skipped.as_deref(),
        unknown: entry.unknown.as_deref(),
        sources,
        clones: entry.clones,
        hours: entry.hours.filter(|_| said.estimates),
        uncounted: entry.uncounted.as_deref().filter(|_| said.estimates),
        changed_at: entry.changed_at,
        former_urls: &entry.former_urls,
        answers: said.answers.get(&entry.seen.id),
        exempt: said.exempt.get(&entry.seen.id),
        opaque: ids.get(&entry.seen.id),
    }
}
