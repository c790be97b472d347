//! What a run does under its lease, from the first call to the last.
//!
//! Promises: (1) the lease is renewed as long as the run lives, and no longer:
//! what a dead process held is free within [`LEASE`]; (2) a run that has lost
//! its lease is ended, and gets no leave for a write that it would still try;
//! (3) a lease outlasts every write that was begun under it, so two runs on a
//! repository never write at once; (4) a run that fails, panics or takes too
//! long is nobody else's trouble.

use std::{panic::AssertUnwindSafe, pin::pin, time::Duration};

use futures_util::FutureExt as _;

use super::{Context, JobError, Next, read_installations};
use crate::{
    clock::Clock,
    domain::{
        pace::{Pace, Turn},
        repository::{InstallationId, RepositoryId},
    },
    github,
    store::{JobKind, Lease, Settlement, Store, StoreError},
};

/// How long a lease lasts without being renewed.
pub const LEASE: Duration = Duration::from_secs(30);
/// How often it is renewed.
const RENEW: Duration = Duration::from_secs(10);
/// The most a run may take (threats, limits).
const MOST_TIME: Duration = Duration::from_secs(120);

const _: () = assert!(github::LONGEST_WRITE.as_secs() + RENEW.as_secs() <= LEASE.as_secs());

/// Runs `job` under its lease.
///
/// # Errors
/// The job's; also if it panics, takes too long, or lost its lease.
pub async fn hold<T>(
    ctx: &Context,
    lease: &Lease,
    job: impl Future<Output = Result<T, JobError>>,
) -> Result<T, JobError> {
    let job = pin!(AssertUnwindSafe(job).catch_unwind());
    tokio::select! {
        // First whether it is still ours: a process that stood still finds its
        // lease ended before it goes on.
        biased;
        () = lost(ctx, lease) => Err(JobError::Later("another worker has taken the job over".to_owned())),
        outcome = tokio::time::timeout(MOST_TIME, job) => match outcome {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(JobError::Later("the job panicked".to_owned())),
            Err(_) => Err(JobError::Later(format!("the job took longer than {} s", MOST_TIME.as_secs()))),
        },
    }
}

/// Renews the lease again and again; returns when it is lost. A database that
/// does not answer is no loss: a write needs its leave in any case.
async fn lost(ctx: &Context, lease: &Lease) {
    loop {
        ctx.clock.sleep_until(ctx.clock.now() + RENEW).await;
        match ctx.store.renew(lease, LEASE, ctx.clock.now()).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, "the lease of a job could not be renewed"),
        }
    }
}

/// Leave to write for the run of `lease`, as [`github::GitHub::with_leave`]
/// wants it.
pub(super) async fn leave(
    store: &Store,
    clock: &Clock,
    lease: &Lease,
    installation: InstallationId,
    pieces: u32,
    pace: Pace,
) -> github::Result<Turn> {
    match store.take_turn(lease, LEASE, installation, pieces, pace, clock.now()).await {
        Ok(Some(turn)) => Ok(turn),
        Ok(None) => Err(github::Error::StaleData("another worker has taken the job over".to_owned())),
        Err(error) => Err(github::Error::Transient(format!("no write without leave: {error}"))),
    }
}

/// Gives a lease back with what came of the run, and answers what became of
/// the job.
///
/// # Errors
/// The database's.
pub async fn settle(
    ctx: &Context,
    lease: &Lease,
    outcome: Result<Next, &JobError>,
) -> Result<Settlement, StoreError> {
    let (store, now) = (&ctx.store, ctx.clock.now());
    let installation = InstallationId(u64::try_from(lease.installation).unwrap_or_default());
    let settled = match outcome {
        Ok(Next::Asked) => store.finish(lease, now).await?,
        // It waits for what a worker that stopped had begun: that it ended in
        // order this time proves nothing (threats W6).
        Ok(Next::At(due, _)) if lease.crashes > 0 && lease.kind == JobKind::InspectRepository => {
            store.release(lease, due).await?
        }
        Ok(Next::At(due, priority)) => store.finish_until(lease, due, priority).await?,
        Err(JobError::Wait(until)) => store.release(lease, *until).await?,
        Err(JobError::Limited(until)) => {
            store.limited(lease.installation, *until, now).await?;
            store.release(lease, *until).await?
        }
        Err(JobError::Suspended) => {
            read_installations::suspended(ctx, installation).await?;
            store.release(lease, now).await?
        }
        // Neither tried again nor dead: it is wanted again when the account
        // has granted it.
        Err(JobError::Forbidden { needs }) if lease.installation != 0 => {
            let repository = (lease.kind == JobKind::InspectRepository)
                .then_some(RepositoryId(lease.subject.unsigned_abs()));
            ctx.lacks(installation, repository, needs).await?;
            store.finish(lease, now).await?
        }
        Err(
            error @ (JobError::Changed
            | JobError::Forbidden { .. }
            | JobError::Moved(_)
            | JobError::NotFound(_)
            | JobError::Later(_)
            | JobError::Permanent(_)),
        ) => {
            log_failure(lease, error);
            store.fail(lease, &error.to_string(), now + backoff(error, lease.attempts), now).await?
        }
    };
    match settled {
        Settlement::Done | Settlement::Again => {}
        Settlement::Dead => {
            tracing::error!(kind = %lease.kind, subject = lease.subject, "a job is given up: see muster jobs --dead")
        }
        Settlement::Lost => {
            tracing::warn!(kind = %lease.kind, subject = lease.subject, "the lease of a job had ended")
        }
    }
    Ok(settled)
}

/// GitHub's own sentences may name repositories: these stand with the job, and
/// in the log for who looks closer (threats N9).
fn log_failure(lease: &Lease, error: &JobError) {
    let (kind, subject, attempt) = (lease.kind.as_str(), lease.subject, lease.attempts);
    match error {
        JobError::Permanent(_) | JobError::Moved(_) | JobError::NotFound(_) => {
            tracing::warn!(kind, subject, attempt, "a job failed, and a person has to look: see muster jobs");
            tracing::debug!(kind, subject, attempt, %error, "why it failed");
        }
        JobError::Wait(_)
        | JobError::Limited(_)
        | JobError::Changed
        | JobError::Suspended
        | JobError::Forbidden { .. }
        | JobError::Later(_) => tracing::warn!(kind, subject, attempt, %error, "a job failed"),
    }
}

/// How a run ended, in one word for what is counted.
pub(super) fn word(outcome: Result<Next, &JobError>, settled: Settlement) -> &'static str {
    match (settled, outcome) {
        (Settlement::Dead, _) => "dead",
        (Settlement::Lost, _) => "lost",
        (Settlement::Done | Settlement::Again, Ok(_)) => "done",
        (Settlement::Done | Settlement::Again, Err(error)) => match error {
            JobError::Wait(_) | JobError::Limited(_) => "waits",
            JobError::Changed => "changed",
            JobError::Suspended => "suspended",
            JobError::Forbidden { .. } => "forbidden",
            JobError::Moved(_) | JobError::NotFound(_) | JobError::Later(_) | JobError::Permanent(_) => {
                "failed"
            }
        },
    }
}

/// How long to wait after this attempt. An answer that was lost is looked for
/// only once GitHub's lists cannot lag any more.
fn backoff(error: &JobError, attempts: i64) -> Duration {
    let doubled = 2_u32.pow(u32::try_from(attempts.clamp(0, 6)).unwrap_or(6));
    match error {
        JobError::Changed => Duration::from_secs(1) * doubled,
        JobError::Wait(_)
        | JobError::Limited(_)
        | JobError::Suspended
        | JobError::Forbidden { .. }
        | JobError::Moved(_)
        | JobError::NotFound(_)
        | JobError::Later(_)
        | JobError::Permanent(_) => Duration::from_secs(30) * doubled,
    }
}
