//! What the database knows of an agency, for its reports. GitHub is not asked.

use std::collections::HashMap;

use anyhow::{Context as _, bail};

use super::{super::Invocation, Format};
use crate::{
    config::Reporting,
    domain::{
        inventory::{Agency, Sources},
        policy::Policy,
        repository::{AccountId, Login, RepositoryId, Visibility},
    },
    jobs::{policies, publish_inventory},
    store::{Installation, KnownEntry, Store},
};

/// What a report of single repositories is about, and how it is written.
#[derive(Debug, clap::Args)]
pub(super) struct About {
    /// The agency's acronym; without it, the first of muster.toml.
    #[arg(long, value_name = "ACRONYM")]
    pub(super) agency: Option<String>,
    /// Name also what is not public. Keep the result inside.
    #[arg(long)]
    pub(super) internal: bool,
    /// How it is written.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

/// An agency, as known.
pub(super) struct Known {
    pub(super) store: Store,
    pub(super) agency: Agency,
    /// The lead organization's policy.
    pub(super) policy: Policy,
    pub(super) lead: AccountId,
    /// Its organizations.
    pub(super) installations: Vec<Installation>,
    /// Its repositories, each with its organization.
    pub(super) entries: Vec<(AccountId, KnownEntry)>,
    /// What was read of them.
    pub(super) sources: HashMap<RepositoryId, Sources>,
    pub(super) public_url: Option<String>,
}

/// Everything known of the agency of that acronym; of the first of the
/// operator's table, if none is given.
///
/// # Errors
/// Settings, the database, or an agency that is not there.
pub(super) async fn known(acronym: Option<&str>, invocation: &Invocation) -> anyhow::Result<Known> {
    let Reporting { database, policy, agencies, public_url } = invocation.config.reporting()?;
    if agencies.is_empty() {
        bail!("no agency is set: write an [[agency]] table into muster.toml, see docs/inventory.md");
    }
    let all: Vec<String> = agencies.iter().map(|agency| agency.acronym.clone()).collect();
    let wanted = |agency: &Agency| acronym.is_none_or(|wanted| agency.acronym.eq_ignore_ascii_case(wanted));
    let Some(agency) = agencies.into_iter().find(wanted) else {
        let wanted = acronym.unwrap_or_default();
        bail!("there is no agency {wanted}: muster.toml has {}", all.join(", "));
    };
    let store = Store::open(database.expose()).await?;
    let ours = |known: &Installation| known.login.parse().is_ok_and(|login: Login| agency.has(&login));
    let installations: Vec<Installation> = store.installations().await?.into_iter().filter(ours).collect();
    let is_lead = |known: &&Installation| known.login.eq_ignore_ascii_case(agency.lead.as_str());
    let lead = installations.iter().find(is_lead).map(|known| known.account);
    let lead = lead.with_context(|| {
        format!("Muster has not met {}, which leads {}: install the App there", agency.lead, agency.acronym)
    })?;
    let policy = policies::remembered(policy.as_ref(), &store.policy(lead).await?);
    let policy = publish_inventory::in_the_words_of(policy, &agency);
    let (mut entries, mut sources) = (Vec::new(), HashMap::new());
    for known in &installations {
        let read = store.sources(known.id, RepositoryId(0)..=RepositoryId(u64::MAX)).await?;
        sources.extend(read.into_iter().map(|(id, (sources, _))| (id, sources)));
        entries.extend(store.entries(known.id).await?.into_iter().map(|entry| (known.account, entry)));
    }
    Ok(Known { store, agency, policy, lead, installations, entries, sources, public_url })
}

impl Known {
    pub(super) fn accounts(&self) -> Vec<AccountId> {
        self.installations.iter().map(|known| known.account).collect()
    }

    /// The names that may be told: those of public repositories, by the newest
    /// reading, and inside of all.
    pub(super) fn names(&self, internal: bool) -> HashMap<RepositoryId, String> {
        let told = |entry: &&KnownEntry| internal || entry.seen.visibility == Visibility::Public;
        let entries = self.entries.iter().map(|(_, entry)| entry).filter(told);
        entries.map(|entry| (entry.seen.id, entry.seen.name.to_string())).collect()
    }
}
