//! What becomes of repositories in the inventory, by what was just read of them:
//! the states of the account, before anything is published.

use std::collections::{BTreeSet, HashMap};

use jiff::tz::TimeZone;

use super::{Said, in_the_words_of, lead, seen};
use crate::{
    domain::{
        inventory::{Assembler, Opaque, State, leak::Secrets},
        policy::Published,
        repository::{AccountId, Login, RepositoryId, RepositoryName, Visibility},
    },
    jobs::{Context, JobError, Target, inspect_repository::Inspection, policies},
    store::{KnownEntry, SeenRepository},
};

/// The state of a repository in each file that the policy names.
pub type Outlook = Vec<(Published, State)>;

/// The states of repositories of one organization; none if that is of no agency,
/// or Muster has not met the agency's lead.
///
/// # Errors
/// GitHub's and the database's; more names than can be searched for.
pub async fn outlook(
    ctx: &Context,
    inspected: &[(&Target, &Inspection)],
) -> Result<HashMap<RepositoryId, Outlook>, JobError> {
    let nothing = HashMap::new();
    let Some((first, inspection)) = inspected.first() else { return Ok(nothing) };
    let mut agencies = ctx.settings.agencies.iter();
    let Some(agency) = agencies.find(|agency| agency.has(first.name.owner())) else { return Ok(nothing) };
    let Some(leads) = lead(ctx, agency).await? else { return Ok(nothing) };
    let (store, now) = (&ctx.store, ctx.clock.now());
    let policy = if leads.account == first.account {
        inspection.policy.as_ref().clone()
    } else {
        policies::last_good(ctx, &store.policy(leads.account).await?)
    };
    let policy = in_the_words_of(policy, agency);
    let known = store.installations().await?;
    let ours = known.iter().filter(|known| known.login.parse().is_ok_and(|login: Login| agency.has(&login)));
    let ours: Vec<AccountId> = ours.map(|known| known.account).collect();
    let said = Said::of(store, leads.account, &ours, now.to_zoned(TimeZone::UTC).date()).await?;
    let ids: HashMap<RepositoryId, Opaque> =
        store.opaque_ids().await?.into_iter().map(|(id, drawn)| (id, drawn.opaque)).collect();
    let names = |public: bool| {
        let is = move |inspection: &&Inspection| {
            (inspection.repository.visibility == Visibility::Public) == public
        };
        let all = inspected.iter().map(|(_, inspection)| *inspection);
        all.filter(is).map(|inspection| &inspection.repository.name)
    };
    let mut hidden = store.hidden_names().await?;
    hidden.extend(names(false).cloned());
    let public: Vec<RepositoryName> = names(true).cloned().collect();
    let mut secrets = Secrets::new(&hidden, &public, &policy.inventory.internal_hosts)
        .map_err(|error| JobError::Permanent(error.to_string()))?;
    secrets.allow_mailboxes(policy.agency.contact.email.as_deref().unwrap_or_default());
    // What was counted of them, not read.
    let mut counted: HashMap<RepositoryId, KnownEntry> = HashMap::new();
    for installation in inspected.iter().map(|(target, _)| target.installation).collect::<BTreeSet<_>>() {
        counted.extend(store.entries(installation).await?.into_iter().map(|entry| (entry.seen.id, entry)));
    }
    let assembler = Assembler::new(&policy, &secrets, now);
    let one = |(target, inspection): &(&Target, &Inspection)| {
        let repository = &inspection.repository;
        let counted = counted.get(&target.repository);
        let entry = KnownEntry {
            seen: SeenRepository {
                id: repository.id,
                node_id: repository.node_id.clone(),
                installation: target.installation,
                name: repository.name.clone(),
                visibility: repository.visibility,
                archived: repository.archived,
            },
            skipped: inspection.report.skipped.as_ref().map(ToString::to_string),
            unknown: None,
            reading: None,
            changed_at: None,
            former_urls: Vec::new(),
            clones: counted.and_then(|counted| counted.clones),
            hours: counted.and_then(|counted| counted.hours),
            uncounted: counted.and_then(|counted| counted.uncounted.clone()),
        };
        let part =
            assembler.repository(&seen(target.account, &entry, Some(&inspection.sources), &said, &ids), None);
        let states = part.states().cloned();
        (target.repository, policy.inventory.publish.iter().copied().zip(states).collect())
    };
    Ok(inspected.iter().map(one).collect())
}
