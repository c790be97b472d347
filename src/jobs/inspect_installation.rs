//! Many repositories of one installation: those that a sweep marked, and those
//! whose time has come, read together and judged like any other.
//!
//! Promises: (1) each is judged and planned by the function that a push ends
//! in; (2) nothing is written to GitHub from here: what has a change to make,
//! or is not clear, is handed to a job of its own, which reads again, holds
//! the repository and acts; (3) one that cannot be read is noted as unknown,
//! with the reason, and tried again later; it stops no other, not even if it
//! ends the worker; (4) what was judged is not read again when the job is cut
//! off; (5) when nothing is left, every repository is accounted for.

mod round;

use std::time::Duration;

use jiff::Timestamp;

pub use round::{Look, Looked, Round, Settled};

use super::{Act, Context, JobError, Next, cause, digest, publish_inventory};
use crate::{
    domain::{
        repository::{InstallationId, RepositoryId},
        rollout::FREE,
    },
    store::{Installation, JobKind, NewJob, Priority},
};

/// How long one run may read before others get their turn (threats §4: a work
/// item takes 120 s at most).
const SLICE: Duration = Duration::from_secs(45);
/// How many are asked of the database at a time.
const BATCH: u32 = 2_000;
/// The attempts after which it is likely that one repository ends the worker.
const SUSPECT_AFTER: i64 = 2;
/// How many are then handed over unread.
const SUSPECTS: usize = 50;
/// An outage of GitHub is waited for, not counted as a failure.
const OUTAGE: Duration = Duration::from_secs(5 * 60);
/// The job.
///
/// # Errors
/// GitHub's where they are about all, and the database's.
pub async fn run(
    ctx: &Context,
    installation: InstallationId,
    priority: Priority,
    attempt: i64,
) -> Result<Next, JobError> {
    go_on(ctx, installation, priority, attempt).await.map_err(|error| outage(ctx, installation, error))
}

/// An outage is waited for, however long it lasts: nothing is lost by it.
pub(super) fn outage(ctx: &Context, installation: InstallationId, error: JobError) -> JobError {
    match error {
        JobError::Later(why) | JobError::NotFound(why) => {
            tracing::warn!(installation = installation.0, why, "the sweep is interrupted, and goes on later");
            JobError::Wait(ctx.clock.now() + OUTAGE)
        }
        error @ (JobError::Wait(_)
        | JobError::Limited(_)
        | JobError::Changed
        | JobError::Suspended
        | JobError::Forbidden { .. }
        | JobError::Moved(_)
        | JobError::Permanent(_)) => error,
    }
}

async fn go_on(
    ctx: &Context,
    installation: InstallationId,
    priority: Priority,
    attempt: i64,
) -> Result<Next, JobError> {
    let Some(known) = ctx.installation(installation).await? else { return Ok(Next::Asked) };
    let end = ctx.clock.now() + SLICE;
    loop {
        let mut waiting = ctx.store.to_look_at(installation, BATCH, ctx.clock.now()).await?;
        if waiting.is_empty() {
            return conclude(ctx, &known).await;
        }
        if attempt > SUSPECT_AFTER {
            waiting.truncate(SUSPECTS);
            tracing::warn!(installation = installation.0, "the worker was cut off twice: one by one");
            hand_over(ctx, &known, waiting.into_iter().map(|id| (id, 0)), priority, ctx.clock.now()).await?;
            return Ok(Next::At(ctx.clock.now(), priority));
        }
        let round = Round::begin(ctx, &known, waiting, cause(priority), Act::Apply).await?;
        if !look(ctx, &known, round, priority, end).await? {
            return Ok(Next::At(ctx.clock.now(), priority));
        }
    }
}

/// Looks at all of a round, or until `end`; whether it was all.
async fn look(
    ctx: &Context,
    known: &Installation,
    mut round: Round<'_>,
    priority: Priority,
    end: Timestamp,
) -> Result<bool, JobError> {
    loop {
        match round.next().await {
            Ok(Some(looked)) => keep(ctx, known, &round, looked, priority).await?,
            Ok(None) => {
                // Nothing should be left; what is would be asked for for ever.
                give_up(ctx, &round, "GitHub said nothing of it").await?;
                return Ok(true);
            }
            // A permission that is missing is missing for all of them; the
            // account is told once, and they are looked at when it has granted it.
            Err(JobError::Forbidden { needs }) => {
                give_up(ctx, &round, &format!("the App lacks {needs}")).await?;
                return Err(JobError::Forbidden { needs });
            }
            Err(JobError::Permanent(why)) => {
                // GitHub's own sentences may name repositories (threats N9).
                tracing::warn!(installation = known.id.0, "the repositories cannot be read");
                tracing::debug!(installation = known.id.0, why, "why they cannot be read");
                give_up(ctx, &round, &why).await?;
                return Ok(true);
            }
            Err(error) => return Err(error),
        }
        if ctx.clock.now() >= end {
            return Ok(false);
        }
    }
}

/// Notes all that is left of a round as unknown.
async fn give_up(ctx: &Context, round: &Round<'_>, why: &str) -> Result<(), JobError> {
    let now = ctx.clock.now();
    let left: Vec<_> = round.left().map(|id| (id, why.to_owned(), round.again(id, now))).collect();
    if !left.is_empty() {
        ctx.store.could_not_read(&left, now).await?;
    }
    Ok(())
}

/// Stores what came of some.
async fn keep(
    ctx: &Context,
    known: &Installation,
    round: &Round<'_>,
    looked: Vec<Looked>,
    priority: Priority,
) -> Result<(), JobError> {
    let now = ctx.clock.now();
    let (mut judged, mut over, mut unread) = (Vec::new(), Vec::new(), Vec::new());
    let mut read_at = now;
    for Looked { target, read_at: at, look } in looked {
        read_at = read_at.min(at);
        match look {
            Look::Settled(settled) => judged.push(settled.judged),
            Look::Closer { wants } => over.push((target.repository, wants)),
            Look::Gone => publish_inventory::left(ctx, target.repository).await?,
            Look::Unknown(why) => {
                let repository = target.repository.0;
                tracing::warn!(repository, "a repository could not be read: see muster plan");
                tracing::debug!(repository, why, "why it could not be read");
                unread.push((target.repository, why, round.again(target.repository, now)));
            }
        }
    }
    if !judged.is_empty() {
        ctx.store.judged(&judged, &[], None, now).await?;
    }
    if !unread.is_empty() {
        ctx.store.could_not_read(&unread, read_at).await?;
    }
    if !over.is_empty() {
        hand_over(ctx, known, over.into_iter(), priority, read_at).await?;
    }
    Ok(())
}

/// Asks for an inspection of each by itself.
async fn hand_over(
    ctx: &Context,
    known: &Installation,
    over: impl Iterator<Item = (RepositoryId, u32)>,
    priority: Priority,
    read_at: Timestamp,
) -> Result<(), JobError> {
    let now = ctx.clock.now();
    let job = |(id, wants): (RepositoryId, u32)| {
        (NewJob::new(JobKind::InspectRepository, id.0, known.id, priority, now, "sweep"), wants)
    };
    let over: Vec<_> = over.map(job).collect();
    Ok(ctx.store.hand_over(&over, read_at, now).await?)
}

/// Nothing is left: accounts for every repository once a sweep, learns how
/// much the policy asks for, and says when the next one is due.
async fn conclude(ctx: &Context, known: &Installation) -> Result<Next, JobError> {
    let (store, now) = (&ctx.store, ctx.clock.now());
    if store.end_sweep(known.id, now).await?
        && let Some(sweep) = store.sweep(known.id).await?
    {
        if let Some(job) = publish_inventory::of_organization(ctx, &known.login) {
            store.enqueue(&[job], now).await?;
        }
        let all = store.accounted(known.id).await?;
        tracing::info!(
            installation = known.id.0,
            repositories = all.total,
            judged = all.judged,
            skipped = all.skipped,
            unknown = all.unknown,
            waiting = all.waiting,
            "the sweep is over"
        );
        let rollout = store.rollout(known.account, &sweep.common).await?;
        if rollout.began_at.is_some_and(|began| sweep.began_at >= began) {
            let wanted = u64::from(rollout.created) + all.wants;
            store.size_rollout(known.account, &sweep.common, wanted).await?;
            if rollout.limited() && wanted > u64::from(FREE) {
                tracing::warn!(
                    organization = known.login,
                    wanted,
                    free = FREE,
                    "a person must approve more issues and pull requests: see muster plan"
                );
            }
        }
        digest::look(ctx, known).await?;
    }
    let next = store.next_look(known.id).await?;
    Ok(next.map_or(Next::Asked, |due| Next::At(due, Priority::Sweep)))
}
