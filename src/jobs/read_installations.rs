//! The lives of installations: installed, suspended, renamed, granted other
//! permissions, removed.
//!
//! Promises: (1) what became of an installation is read from GitHub, never
//! taken from an event, so a lost one delays and a replayed one does nothing
//! (threats W4, W8); (2) one that is gone is stopped at once, and what was found
//! out about it stays as of then; (3) the jobs of a suspended one are parked,
//! neither tried nor lost, and after its end comes one sweep; (4) what waited
//! for a permission goes on when the permissions have changed; (5) an account
//! that is not served gets no token.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Context, JobError, intake::Way, publish_inventory};
use crate::{
    domain::repository::{InstallationId, Login},
    github,
    store::{Installation, JobKind, NewAudit, NewJob, Priority, StoreError},
};

const MINUTE: Duration = Duration::from_secs(60);

/// How often all of them are read though no event told of one.
pub(super) const EVERY: Duration = Duration::from_secs(60 * 60);

/// Reads every installation there is, and those that are known and no longer
/// listed one by one: a list may lag, an end must be sure.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn all(ctx: &Context) -> Result<(), JobError> {
    let found = ctx.github.installations().await?;
    for known in ctx.store.installations().await? {
        if !found.iter().any(|found| found.id == known.id) {
            one(ctx, known.id).await?;
        }
    }
    for found in found {
        follow(ctx, found).await?;
    }
    Ok(())
}

/// Reads one installation.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn one(ctx: &Context, id: InstallationId) -> Result<(), JobError> {
    match ctx.github.installation(id).await {
        Ok(found) => follow(ctx, found).await.map(|_| ()),
        Err(github::Error::NotFound(_)) => Ok(gone(ctx, id).await?),
        Err(error) => Err(error.into()),
    }
}

/// The job that reads one: of no installation, since the jobs of a suspended one
/// wait; the App's own turn comes before that of an installation with much to do.
pub(super) fn job(id: InstallationId, now: Timestamp) -> NewJob {
    let of_none = InstallationId(0);
    NewJob::new(JobKind::ReadInstallations, id.0, of_none, Priority::Push, now, "a permission is missing")
}

/// Stops all work for an installation that is gone.
///
/// # Errors
/// The database's.
pub(super) async fn gone(ctx: &Context, id: InstallationId) -> Result<(), StoreError> {
    let known = ctx.store.installation(id).await?.filter(|known| known.removed_at.is_none());
    if known.is_none() {
        return Ok(());
    }
    ctx.store.remove_installation(id, ctx.clock.now()).await?;
    if let Some(job) = known.and_then(|known| publish_inventory::of_organization(ctx, &known.login)) {
        ctx.store.enqueue(&[job], ctx.clock.now()).await?;
    }
    became(ctx, id, "installation_removed", Value::Null).await
}

/// Parks the jobs of an installation that GitHub refuses a call for.
///
/// # Errors
/// The database's.
pub(super) async fn suspended(ctx: &Context, id: InstallationId) -> Result<(), StoreError> {
    if ctx.store.suspend_installation(id, ctx.clock.now()).await? {
        became(ctx, id, "installation_suspended", Value::Null).await?;
    }
    Ok(())
}

/// Follows an installation to where GitHub says it is; whether its account is
/// served. What follows from a change is done before the change is stored, so
/// that a crash between the two repeats it.
///
/// # Errors
/// The database's.
pub(super) async fn follow(ctx: &Context, found: github::Installation) -> Result<bool, JobError> {
    let id = found.id;
    let before = ctx.store.installation(id).await?.filter(|before| before.removed_at.is_none());
    let Some(seen) = ctx.admit(&found).await? else { return Ok(false) };
    match &before {
        None => became(ctx, id, "installation_added", Value::Null).await?,
        Some(before) => changed(ctx, before, &seen).await?,
    }
    ctx.store_installation(&seen, found.granted).await?;
    if found.suspended {
        ctx.store.suspend_installation(id, ctx.clock.now()).await?;
        return Ok(true);
    }
    ctx.store.unpark(row_id(id)).await?;
    let every = sweep_every(ctx.settings.way);
    ctx.store.arm(JobKind::SweepInstallation, row_id(id), row_id(id), every, ctx.clock.now()).await?;
    release(ctx, &seen).await?;
    Ok(true)
}

/// What follows from what is another than it was.
async fn changed(ctx: &Context, before: &Installation, seen: &Installation) -> Result<(), StoreError> {
    let id = seen.id;
    if before.login != seen.login {
        renamed(ctx, before, seen).await?;
    }
    match (before.suspended_at.is_some(), seen.suspended_at.is_some()) {
        (false, true) => became(ctx, id, "installation_suspended", Value::Null).await?,
        (true, false) => {
            became(ctx, id, "installation_unsuspended", Value::Null).await?;
            // Its jobs are parked still.
            enqueue(ctx, id, JobKind::SweepInstallation, [id.0], "unsuspended").await?;
        }
        (false, false) | (true, true) => {}
    }
    if before.permissions.is_some() && before.permissions != seen.permissions {
        became(ctx, id, "permissions_changed", json!({ "permissions": seen.permissions })).await?;
        enqueue(ctx, id, JobKind::SweepInstallation, [id.0], "permissions changed").await?;
    }
    Ok(())
}

/// What waited for other permissions than those of now is tried again.
async fn release(ctx: &Context, seen: &Installation) -> Result<(), StoreError> {
    let Some(granted) = &seen.permissions else { return Ok(()) };
    let waiting = ctx.store.waiting(seen.id, granted).await?;
    let repositories = waiting.iter().map(|id| id.0);
    enqueue(ctx, seen.id, JobKind::InspectRepository, repositories, "permissions changed").await?;
    ctx.store.stop_waiting(seen.id, granted).await
}

/// Nightly, or beside polling every 15 minutes: whether a record of deliveries
/// keeps what it could not deliver is nowhere promised.
pub(super) fn sweep_every(way: Way) -> Duration {
    match way {
        Way::Webhook => 24 * 60 * MINUTE,
        Way::Poll => 15 * MINUTE,
    }
}

/// The account has another login. It is served as before, since its name on the
/// operator's list stands for the account.
async fn renamed(ctx: &Context, before: &Installation, seen: &Installation) -> Result<(), StoreError> {
    if let Ok(login) = seen.login.parse::<Login>() {
        ctx.store.rename_account(seen.id, &login).await?;
    }
    tracing::warn!(
        installation = seen.id.0,
        account = seen.account.0,
        "the account was renamed; it is still served. Write its new name in MUSTER_ORGANIZATIONS"
    );
    let detail = json!({ "from": before.login, "to": seen.login });
    became(ctx, seen.id, "account_renamed", detail).await
}

async fn enqueue(
    ctx: &Context,
    id: InstallationId,
    kind: JobKind,
    subjects: impl IntoIterator<Item = u64>,
    cause: &str,
) -> Result<(), StoreError> {
    let now = ctx.clock.now();
    let job = |subject| NewJob::new(kind, subject, id, Priority::Sweep, now, cause);
    let jobs: Vec<NewJob> = subjects.into_iter().map(job).collect();
    ctx.store.enqueue(&jobs, now).await
}

/// Notes a turn in an installation's life.
async fn became(
    ctx: &Context,
    id: InstallationId,
    what: &'static str,
    detail: Value,
) -> Result<(), StoreError> {
    tracing::info!(installation = id.0, "{what}");
    let entry = NewAudit {
        installation: Some(id),
        repository: None,
        actor: None,
        what: what.to_owned(),
        detail: detail.to_string(),
    };
    ctx.store.note(&[entry], ctx.clock.now()).await
}

fn row_id(id: InstallationId) -> i64 {
    i64::try_from(id.0).unwrap_or(i64::MAX)
}
