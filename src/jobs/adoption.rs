//! Whether Muster may write to an organization already, or still gets to know
//! it (`domain::adoption`).
//!
//! Promises: (1) an organization whose past the ledger does not hold is read
//! whole before anything is written there, and swept if nobody does so;
//! (2) once it may be written to, what was held back goes on at once; (3) an
//! adoption that has ended costs nothing any more.

use jiff::Timestamp;

use super::{Act, Context, JobError, Target};
use crate::{
    domain::{
        adoption::{Adoption, Ending, was_here},
        marker::Identity,
        observed::Observed,
        plan::Hold,
        repository::{AccountId, InstallationId},
    },
    store::{JobKind, NewJob, Priority, Store, StoreError},
};

/// Why nothing may be written to this repository now, if so. With
/// [`Act::Apply`] the ledger learns what was seen of ours. A plan that is only
/// looked at shows its changes until it is known that they have to wait.
pub(super) async fn hold(
    ctx: &Context,
    target: &Target,
    act: Act,
    observed: &Observed,
    identity: &Identity,
) -> Result<Option<Hold>, JobError> {
    let (account, now) = (target.account, ctx.clock.now());
    if ctx.is_adopted(account) {
        return Ok(None);
    }
    if act == Act::Apply {
        meet(ctx, target, observed, identity).await?;
    }
    let Some(adoption) = ctx.store.adoption(account).await? else { return Ok(None) };
    let unread = ctx.store.unread(&adoption, 1, now).await? > 0;
    let free = match act {
        Act::Apply => end(ctx, &adoption, unread).await?,
        Act::Plan => unread || adoption.listed_at.is_none() || adoption.ending(unread, now).is_some(),
    };
    Ok(if free { None } else { adoption.hold(unread, target.name.owner().as_str(), now) })
}

/// Whether an account's past may still be unknown to the ledger.
pub(super) async fn is_open(ctx: &Context, account: AccountId) -> Result<bool, StoreError> {
    if ctx.is_adopted(account) {
        return Ok(false);
    }
    let ended = ctx.store.adoption(account).await?.is_some_and(|adoption| adoption.ended.is_some());
    if ended {
        ctx.remember_adopted(account);
    }
    Ok(!ended)
}

/// Notes what this repository tells of an account that may not be known yet.
async fn meet(
    ctx: &Context,
    target: &Target,
    observed: &Observed,
    identity: &Identity,
) -> Result<(), JobError> {
    let known = ctx.store.adoption(target.account).await?;
    if known.is_none() {
        begin(ctx, target).await?;
    }
    let already = known.as_ref().is_some_and(|known| known.found || known.ended.is_some());
    if !already && was_here(observed, identity, target.repository) {
        ctx.store.ours_found(target.account).await?;
        if known.is_none_or(|known| !known.restored) {
            tracing::warn!(
                account = target.account.0,
                "something of ours is there that the ledger did not know: nothing is written for 7 days, \
                 unless muster adopt --confirm ends the wait"
            );
        }
    }
    Ok(())
}

/// Meets an account for the first time: its repositories are to be listed,
/// also if no event and no start of a server asks for it.
async fn begin(ctx: &Context, target: &Target) -> Result<(), JobError> {
    let now = ctx.clock.now();
    let here = target.installation;
    let sweep = NewJob::new(JobKind::SweepInstallation, here.0, here, Priority::Sweep, now, "adoption");
    ctx.store.enqueue(&[sweep], now).await?;
    ctx.store.begin_adoption(target.account, now).await?;
    Ok(())
}

/// Notes that all repositories of an installation were listed, by a listing
/// that began at `began`.
///
/// # Errors
/// GitHub's and the database's.
pub async fn all_listed(
    ctx: &Context,
    installation: InstallationId,
    began: Timestamp,
) -> Result<(), JobError> {
    let Some(known) = ctx.installation(installation).await? else { return Ok(()) };
    if !ctx.is_adopted(known.account) {
        ctx.store.begin_adoption(known.account, began).await?;
        ctx.store.all_listed(known.account, began).await?;
    }
    Ok(())
}

/// Whether these repositories' account was never read whole.
///
/// # Errors
/// The database's.
pub async fn is_unread(ctx: &Context, targets: &[Target]) -> Result<bool, StoreError> {
    let Some(account) = targets.first().map(|target| target.account) else { return Ok(false) };
    let Some(adoption) = ctx.store.adoption(account).await? else { return Ok(true) };
    let unread = adoption.listed_at.is_none() || ctx.store.unread(&adoption, 1, ctx.clock.now()).await? > 0;
    Ok(adoption.ended.is_none() && unread)
}

/// Ends every adoption whose time has come; whether there was one.
///
/// # Errors
/// The database's.
pub async fn proceed(ctx: &Context) -> Result<bool, StoreError> {
    let (mut ended, now) = (false, ctx.clock.now());
    for adoption in ctx.store.open_adoptions().await? {
        let unread = ctx.store.unread(&adoption, 1, now).await? > 0;
        ended |= end(ctx, &adoption, unread).await?;
    }
    Ok(ended)
}

/// Ends an adoption if its time has come; whether it is over.
async fn end(ctx: &Context, adoption: &Adoption, unread: bool) -> Result<bool, StoreError> {
    if adoption.ended.is_none() {
        let now = ctx.clock.now();
        let Some(ending) = adoption.ending(unread, now) else { return Ok(false) };
        if ctx.store.end_adoption(adoption, ending, now).await? {
            let (account, ending) = (adoption.account.0, ending.as_str());
            tracing::info!(account, ending, "an organization is adopted");
        }
    }
    ctx.remember_adopted(adoption.account);
    Ok(true)
}

/// Ends an adoption on an operator's word; `false` if not all repositories
/// were read yet, and it goes on.
///
/// # Errors
/// The database's.
pub async fn confirm(store: &Store, adoption: &Adoption, now: Timestamp) -> Result<bool, StoreError> {
    let unread = adoption.listed_at.is_none() || store.unread(adoption, 1, now).await? > 0;
    if !unread {
        store.end_adoption(adoption, Ending::Confirmed, now).await?;
    }
    Ok(!unread)
}

impl Context {
    fn is_adopted(&self, account: AccountId) -> bool {
        self.adopted.lock().unwrap_or_else(std::sync::PoisonError::into_inner).contains(&account)
    }

    fn remember_adopted(&self, account: AccountId) {
        self.adopted.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(account);
    }
}
