//! The inventory of an agency: assembled, guarded, published.
//!
//! Promises: (1) who may see a repository is read afresh in this job, never
//! taken from an event (threats N5); (2) what is refused leaves the last good
//! publication in place, with the reason in the account; (3) nothing is written
//! when nothing changed; (4) no repository and no count crosses an agency.

mod gather;
mod keep;
mod kept;
mod listed;
mod outlook;
mod propose;
mod publish;
mod said;
mod stands;
mod told;

use std::{sync::PoisonError, time::Duration};

use jiff::{Timestamp, tz::TimeZone};

use super::{
    Context, JobError, Next, digest,
    imports::{self, Outside},
    policies, verify_inventory,
};
use crate::{
    domain::{
        inventory::Agency,
        policy::Policy,
        repository::{AccountId, Login, RepositoryId, RepositoryName},
    },
    store::{Installation, JobKind, NewAudit, NewJob, Priority, Store, StoreError},
};
pub use kept::{Assembled, Kept, Known};
pub use outlook::{Outlook, outlook};
pub use publish::Round;
pub use said::{Said, seen};
pub use told::account_json;

/// How often it is published though nothing told of a change: who may see what
/// is read again each time (threats N5).
pub(super) const EVERY: Duration = Duration::from_secs(60 * 60);
/// How long to wait for the first list of an organization, or for the import.
const NOT_LISTED_YET: Duration = Duration::from_secs(60);
/// A list that has not come to its end after so long will not.
const LISTING: Duration = Duration::from_secs(60 * 60);

/// The job that publishes the inventory in which a repository is; `None` if it
/// is in none.
pub(super) fn job(
    ctx: &Context,
    repository: &RepositoryName,
    priority: Priority,
    cause: &str,
) -> Option<NewJob> {
    let number = ctx.settings.agencies.iter().position(|agency| agency.has(repository.owner()))?;
    Some(of_agency(number, priority, ctx.clock.now(), cause))
}

/// The same for a whole organization, which was swept or is gone.
pub(super) fn of_organization(ctx: &Context, login: &str) -> Option<NewJob> {
    let login: Login = login.parse().ok()?;
    let number = ctx.settings.agencies.iter().position(|agency| agency.has(&login))?;
    Some(of_agency(number, Priority::Sweep, ctx.clock.now(), "swept"))
}

/// A repository is gone, or out of reach: it leaves the inventory at once.
///
/// # Errors
/// The database's.
pub(super) async fn left(ctx: &Context, repository: RepositoryId) -> Result<(), JobError> {
    let (store, now) = (&ctx.store, ctx.clock.now());
    let known = store.repository(repository).await?.filter(|known| known.removed_at.is_none());
    store.remove_repository(repository, now).await?;
    if let Some(job) = known.and_then(|known| job(ctx, &known.seen.name, Priority::Push, "gone")) {
        store.enqueue(&[job], now).await?;
    }
    Ok(())
}

/// The job that publishes the inventory of the agency of this number.
#[must_use]
pub fn of_agency(number: usize, priority: Priority, now: Timestamp, cause: &str) -> NewJob {
    let of_none = crate::domain::repository::InstallationId(0);
    NewJob::new(JobKind::PublishInventory, number as u64, of_none, priority, now, cause)
}

/// The installation of an agency's lead organization; `None` while Muster has
/// not met it, or serves it no more.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn lead(ctx: &Context, agency: &Agency) -> Result<Option<Installation>, JobError> {
    let leads = |known: &Installation| known.login.eq_ignore_ascii_case(agency.lead.as_str());
    match ctx.store.installations().await?.into_iter().find(leads) {
        Some(known) => ctx.installation(known.id).await,
        None => Ok(None),
    }
}

/// The job.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn run(ctx: &Context, number: usize) -> Result<Next, JobError> {
    let Some(agency) = ctx.settings.agencies.get(number) else { return Ok(Next::Asked) };
    let Some(leads) = lead(ctx, agency).await? else { return Ok(Next::Asked) };
    let policy = policies::last_good(ctx, &ctx.store.policy(leads.account).await?);
    let policy = in_the_words_of(policy, agency);
    let Some(organizations) = gather::gather(ctx, agency, &policy).await? else {
        return Ok(Next::At(ctx.clock.now() + NOT_LISTED_YET, Priority::Sweep));
    };
    let Some(lead) =
        organizations.iter().find(|one| one.known.login.eq_ignore_ascii_case(agency.lead.as_str()))
    else {
        return Ok(Next::Asked);
    };
    let ours: Vec<AccountId> = organizations.iter().map(|one| one.known.account).collect();
    let today = ctx.clock.now().to_zoned(TimeZone::UTC).date();
    let said = Said::of(&ctx.store, lead.known.account, &ours, today).await?.by(&policy);
    let outside = Outside::of(&ctx.store, lead.known.account, &policy).await?;
    if outside.was_never_asked_for() {
        // It comes first: without it, all of its entries would be missing.
        let now = ctx.clock.now();
        ctx.store.enqueue(&[imports::job(number, Priority::Policy, now, "never read")], now).await?;
        return Ok(Next::At(now + NOT_LISTED_YET, Priority::Sweep));
    }
    let ids = gather::opaque_ids(ctx, agency, &policy, &organizations).await?;
    let known = Known {
        entries: organizations.iter().flat_map(gather::Organization::entries).collect(),
        said,
        ids,
        hidden: [ctx.store.hidden_names().await?, outside.hidden_names()].concat(),
    };
    let kept = ctx.inventories.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    let mut kept = kept.unwrap_or_default();
    let (store, now) = (&ctx.store, ctx.clock.now());
    let mut assembled = kept.assemble(store, &policy, &known, outside.entries(), now).await?;
    assembled.assembly.problems.extend(outside.problem());
    let not_whole = organizations.iter().filter(|one| !one.whole).count();
    let against = outside.missing();
    let round = Round { store, agency, policy: &policy, known: &known, assembled: &assembled, against, now };
    let before = told_to_office(store, agency, &policy).await?;
    let ready = round.publish(&mut kept, not_whole).await;
    ctx.inventories.lock().unwrap_or_else(PoisonError::into_inner).insert(number, kept);
    let round = async {
        let ready = ready?;
        let stood = store.kept(&agency.slug()).await?;
        let done = match &ready {
            Some(ready) => keep::keep(ctx, agency, &policy, &organizations, &known, ready).await?,
            None => keep::Done::Nothing,
        };
        stands::look(ctx, agency, &policy, &organizations, &stood, (ready.as_deref(), done)).await?;
        verify_inventory::after(ctx, number, agency).await?;
        Ok(Next::Asked)
    };
    let next = round.await;
    // Also what a round came to that was cut off.
    if told_to_office(store, agency, &policy).await? != before {
        digest::look(ctx, &lead.known).await?;
    }
    next
}

/// What the digest has of a publication: why a file is not published anew, or
/// is not kept as the policy asks, and whether somebody edited it there.
async fn told_to_office(
    store: &Store,
    agency: &Agency,
    policy: &Policy,
) -> Result<(Vec<Option<String>>, Option<String>, usize), StoreError> {
    let slug = agency.slug();
    let mut refusals = Vec::new();
    for published in &policy.inventory.publish {
        refusals.push(store.publication(&slug, published.file()).await?.refused);
    }
    let hindrance = store.keeping(&slug).await?.and_then(|kept| kept.hindrance);
    let edited = store.kept(&slug).await?.iter().filter(|file| file.is_edited()).count();
    Ok((refusals, hindrance, edited))
}

/// The lead organization's policy, with the acronym that the operator gives it.
#[must_use]
pub fn in_the_words_of(mut policy: Policy, agency: &Agency) -> Policy {
    policy.agency.acronym = Some(agency.acronym.clone());
    policy
}

pub(super) async fn note(
    store: &Store,
    now: Timestamp,
    what: &'static str,
    detail: serde_json::Value,
) -> Result<(), StoreError> {
    let entry = NewAudit {
        installation: None,
        repository: None,
        actor: None,
        what: what.to_owned(),
        detail: detail.to_string(),
    };
    store.note(&[entry], now).await
}
