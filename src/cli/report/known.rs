//! What the database knows of an agency, for its reports. GitHub is not asked.

use std::collections::{HashMap, HashSet};

use anyhow::{Context as _, bail};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{super::Invocation, Format, exemptions};
use crate::{
    config::Reporting,
    domain::{
        exemptions::report::Source,
        inventory::{Agency, Sources, leak::Secrets},
        policy::{Policy, Published},
        repository::{AccountId, Login, RepositoryId, Visibility},
    },
    jobs::{policies, publish_inventory},
    store::{Installation, KnownEntry, PublishedFile, Store, TakenPolicy},
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
pub(in crate::cli) struct Known {
    pub(in crate::cli) store: Store,
    pub(in crate::cli) agency: Agency,
    /// The lead organization's policy.
    pub(in crate::cli) policy: Policy,
    /// Whether that is the operator's own.
    pub(in crate::cli) operators: bool,
    /// The file it stands in, where it is the organization's.
    pub(in crate::cli) taken: Option<TakenPolicy>,
    pub(in crate::cli) lead: AccountId,
    /// Its organizations.
    pub(in crate::cli) installations: Vec<Installation>,
    /// Its repositories, each with its organization.
    pub(in crate::cli) entries: Vec<(AccountId, KnownEntry)>,
    /// What was read of them.
    pub(in crate::cli) sources: HashMap<RepositoryId, Sources>,
    pub(in crate::cli) public_url: Option<String>,
}

/// Everything known of the agency of that acronym; of the first of the
/// operator's table, if none is given.
///
/// # Errors
/// Settings, the database, or an agency that is not there.
pub(in crate::cli) async fn known(acronym: Option<&str>, invocation: &Invocation) -> anyhow::Result<Known> {
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
    let (operators, remembered) = (policy.is_some(), store.policy(lead).await?);
    let policy = policies::remembered(policy.as_ref(), &remembered);
    let taken = remembered.taken.filter(|_| !operators);
    let policy = publish_inventory::in_the_words_of(policy, &agency);
    let (mut entries, mut sources) = (Vec::new(), HashMap::new());
    for known in &installations {
        let read = store.sources(known.id, RepositoryId(0)..=RepositoryId(u64::MAX)).await?;
        sources.extend(read.into_iter().map(|(id, (sources, _))| (id, sources)));
        entries.extend(store.entries(known.id).await?.into_iter().map(|entry| (known.account, entry)));
    }
    Ok(Known { store, agency, policy, operators, taken, lead, installations, entries, sources, public_url })
}

/// The last moment of a day, in UTC.
///
/// # Errors
/// A day at the end of time.
pub(in crate::cli) fn end_of(day: Date) -> anyhow::Result<Timestamp> {
    // Whole milliseconds, as the database has them.
    let last = day.at(23, 59, 59, 999_000_000).to_zoned(TimeZone::UTC)?;
    Ok(last.timestamp())
}

impl Known {
    /// The agency's accounts.
    pub(in crate::cli) fn accounts(&self) -> Vec<AccountId> {
        self.installations.iter().map(|known| known.account).collect()
    }

    /// The names that may be told: those of public repositories, by the newest
    /// reading, and inside of all.
    pub(in crate::cli) fn names(&self, internal: bool) -> HashMap<RepositoryId, String> {
        let told = |entry: &&KnownEntry| internal || entry.seen.visibility == Visibility::Public;
        let entries = self.entries.iter().map(|(_, entry)| entry).filter(told);
        entries.map(|entry| (entry.seen.id, entry.seen.name.to_string())).collect()
    }

    /// The addresses of what is not public, though a published file may still
    /// name it.
    pub(in crate::cli) fn hidden_addresses(&self) -> HashSet<String> {
        let entries = self.entries.iter().map(|(_, entry)| entry);
        let hides = entries.filter(|entry| entry.seen.visibility != Visibility::Public);
        hides.filter_map(|entry| Some(self.sources.get(&entry.seen.id)?.url.to_lowercase())).collect()
    }

    /// The published files, as they are served, or were at a moment.
    ///
    /// # Errors
    /// The database's.
    pub(in crate::cli) async fn published(
        &self,
        then: Option<Timestamp>,
    ) -> anyhow::Result<Vec<(Published, PublishedFile)>> {
        let (slug, mut files) = (self.agency.slug(), Vec::new());
        for published in &self.policy.inventory.publish {
            let name = published.file();
            let file = match then {
                Some(then) => self.store.published_as_of(&slug, name, then).await?,
                None => self.store.published(&slug, name).await?,
            };
            files.extend(file.map(|file| (*published, file)));
        }
        Ok(files)
    }

    /// What must not be told outside: names of what is not public, hosts of the
    /// agency's network, and e-mail addresses but the agency's own.
    ///
    /// # Errors
    /// The database's.
    pub(in crate::cli) async fn secrets(&self) -> anyhow::Result<Secrets> {
        let hidden = self.store.hidden_names().await?;
        let entries = self.entries.iter().map(|(_, entry)| entry);
        let public = entries.filter(|entry| entry.seen.visibility == Visibility::Public);
        let public = public.map(|entry| &entry.seen.name);
        let mut secrets = Secrets::new(&hidden, public, &self.policy.inventory.internal_hosts)?;
        secrets.allow_mailboxes(self.policy.agency.contact.email.as_deref().unwrap_or_default());
        Ok(secrets)
    }

    /// The registers of the agency's accounts, and whether one was refused.
    ///
    /// # Errors
    /// The database's.
    pub(in crate::cli) async fn registers(&self) -> anyhow::Result<(Vec<Source>, bool)> {
        let ours = self.accounts();
        let mut accounts: Vec<AccountId> = self.store.registers().await?;
        accounts.retain(|account| ours.contains(account));
        exemptions::sources(&self.store, &self.installations, &accounts, &ours).await
    }
}
