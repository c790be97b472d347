//! The worker: takes jobs one by one from the queue and does them.
//!
//! Promises: (1) a job that fails, panics or takes too long is nobody else's
//! trouble; (2) what GitHub's limits hold back is released, not failed; (3)
//! while the clock is off nothing is taken from the queue, so nothing fails for
//! it; (4) told to stop, it finishes what it has begun; what it cannot finish, another
//! takes up when the lease ends.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{
    Act, Context, JobError, Target, adoption,
    inspect_repository::{Inspection, inspect},
    read_installations, recover_deliveries, sweep_installation, whereabouts,
};
use crate::{
    domain::{
        plan::Cause,
        repository::{InstallationId, RepositoryId},
    },
    store::{JobKind, Lease, Priority, Retention, Settlement, StoreError},
    traces,
};

/// The most a job may take (threats, limits).
const MOST_TIME: Duration = Duration::from_secs(120);
/// A lease outlives the job it is for.
const LEASE: Duration = Duration::from_secs(180);
/// How often the queue is asked when nothing is known to be due: replicas and
/// the receiver enqueue without telling this process.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long to wait when GitHub or the database does not answer.
const TRY_AGAIN: Duration = Duration::from_secs(60);
/// How many jobs run at a time.
const SIDE_BY_SIDE: usize = 4;
/// How often what is past its retention is deleted.
const PRUNE_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// Takes jobs and does them.
#[derive(Clone)]
pub struct Worker {
    ctx: Context,
    owner: String,
}

impl Worker {
    /// A worker under this name; every process needs its own.
    #[must_use]
    pub fn new(ctx: Context, owner: impl Into<String>) -> Worker {
        Worker { ctx, owner: owner.into() }
    }

    /// Works until `stop`: a few jobs side by side.
    pub async fn run(self, stop: CancellationToken) {
        let workers = (0..SIDE_BY_SIDE).map(|i| {
            let worker = Worker { ctx: self.ctx.clone(), owner: format!("{}-{i}", self.owner) };
            worker.work(stop.clone())
        });
        let workers = futures_util::future::join_all(workers);
        tokio::join!(self.begin_when_possible(&stop), workers);
    }

    /// Begins, again and again until GitHub and the database answer. What is
    /// delivered meanwhile is worked on all the same.
    async fn begin_when_possible(&self, stop: &CancellationToken) {
        while let Err(error) = self.begin().await {
            tracing::error!(%error, "the installations could not be listed; this is tried again in a minute");
            if self.stops_before(stop, TRY_AGAIN).await {
                return;
            }
        }
    }

    /// Waits this long; `true` if told to stop meanwhile.
    async fn stops_before(&self, stop: &CancellationToken, wait: Duration) -> bool {
        let until = self.ctx.clock.now() + wait;
        tokio::select! {
            () = stop.cancelled() => true,
            () = self.ctx.clock.sleep_until(until) => false,
        }
    }

    /// Arms what returns by itself, and learns where the App is installed, which
    /// arms the sweep of each installation, and who it is.
    ///
    /// # Errors
    /// GitHub's and the database's.
    pub async fn begin(&self) -> Result<(), JobError> {
        let (ctx, now) = (&self.ctx, self.ctx.clock.now());
        let recover_every = recover_deliveries::every(ctx.settings.way);
        ctx.accounts.unbind_unlisted().await?;
        ctx.store.arm(JobKind::PruneStore, 0, 0, PRUNE_EVERY, now).await?;
        ctx.store.arm(JobKind::RecoverDeliveries, 0, 0, recover_every, now).await?;
        let later = now + read_installations::EVERY;
        ctx.store.arm(JobKind::ReadInstallations, 0, 0, read_installations::EVERY, later).await?;
        read_installations::all(ctx).await?;
        for known in ctx.store.installations().await? {
            if known.suspended_at.is_some() || ctx.installation(known.id).await?.is_none() {
                continue;
            }
            match ctx.identity(&ctx.github.reader(known.id)).await {
                Ok(_) => break,
                // Another one may tell.
                Err(JobError::Suspended | JobError::Forbidden { .. } | JobError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn work(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.step().await {
                Ok(true) => continue,
                Ok(false) => LOOK_AGAIN,
                Err(error) => {
                    tracing::error!(%error, "the queue does not answer; it is asked again in a minute");
                    TRY_AGAIN
                }
            };
            if self.stops_before(&stop, pause).await {
                return;
            }
        }
    }

    /// Does one job, if one can be taken now; `false` if none can.
    ///
    /// # Errors
    /// The database's.
    pub async fn step(&self) -> Result<bool, StoreError> {
        if !self.ctx.github.has_time().await {
            return Ok(false);
        }
        let Some(lease) = self.ctx.store.lease(&self.owner, LEASE, self.ctx.clock.now()).await? else {
            self.ctx.heed_stop_file().await?;
            // Idle: maybe the last repository that was waited for is done.
            return adoption::proceed(&self.ctx).await;
        };
        let began = Instant::now();
        let job = AssertUnwindSafe(self.perform(&lease)).catch_unwind();
        let job = traces::job(lease.kind.as_str(), lease.subject, lease.installation, lease.attempts, job);
        let outcome = match tokio::time::timeout(MOST_TIME, job).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(JobError::Later("the job panicked".to_owned())),
            Err(_) => Err(JobError::Later(format!("the job took longer than {} s", MOST_TIME.as_secs()))),
        };
        let ended = word(&outcome);
        let settled = self.settle(&lease, outcome).await?;
        let ended = match settled {
            Settlement::Done | Settlement::Again => ended,
            Settlement::Dead => "dead",
            Settlement::Lost => "lost",
        };
        self.ctx.metrics.worked(lease.kind.as_str(), ended, began.elapsed());
        Ok(true)
    }

    /// Does jobs until none can be taken now.
    ///
    /// # Errors
    /// The database's.
    pub async fn drain(&self) -> Result<(), StoreError> {
        while self.step().await? {}
        Ok(())
    }

    /// Does a job; the moment at which it is wanted again, if time alone brings
    /// one.
    async fn perform(&self, lease: &Lease) -> Result<Option<Timestamp>, JobError> {
        let ctx = &self.ctx;
        let installation = InstallationId(u64::try_from(lease.installation).unwrap_or_default());
        match lease.kind {
            JobKind::InspectRepository => {
                let repository = RepositoryId(u64::try_from(lease.subject).unwrap_or_default());
                let cause = match lease.priority {
                    Priority::Command | Priority::Push => Cause::Event,
                    Priority::Policy => Cause::Policy,
                    Priority::Sweep => Cause::Sweep,
                };
                let seen = self.inspect(repository, installation, cause).await?;
                let Some(seen) = seen else { return Ok(None) };
                for line in &seen.done {
                    tracing::info!(repository = repository.0, "{line}");
                }
                if ctx.dry_run() {
                    for change in &seen.plan.changes {
                        tracing::info!(repository = repository.0, "dry run: would {change}");
                    }
                }
                Ok(seen.plan.due)
            }
            JobKind::SweepInstallation => {
                sweep_installation::run(ctx, installation, lease.priority).await?;
                Ok(None)
            }
            JobKind::ReadInstallations => {
                match lease.subject {
                    0 => read_installations::all(ctx).await?,
                    id => read_installations::one(ctx, InstallationId(id.unsigned_abs())).await?,
                }
                Ok(None)
            }
            JobKind::RecoverDeliveries => recover_deliveries::run(ctx).await,
            JobKind::PruneStore => {
                let retention = Retention::on(ctx.github.redelivery_window());
                ctx.store.prune_by(retention, ctx.clock.now()).await?;
                Ok(None)
            }
        }
    }

    /// Inspects a repository where it is; if that is not where it was, GitHub is
    /// asked once whose it is.
    async fn inspect(
        &self,
        repository: RepositoryId,
        installation: InstallationId,
        cause: Cause,
    ) -> Result<Option<Inspection>, JobError> {
        let ctx = &self.ctx;
        let Some(known) = ctx.installation(installation).await? else { return Ok(None) };
        let row = ctx.store.repository(repository).await?.filter(|row| row.removed_at.is_none());
        let mut looked = row.is_none();
        let mut target = match row {
            Some(row) => {
                Some(Target { repository, name: row.seen.name, installation, account: known.account })
            }
            None => whereabouts::find(ctx, repository, None, installation).await?,
        };
        while let Some(here) = target {
            let name = match inspect(ctx, &here, cause, Act::Apply).await {
                Err(JobError::Moved(name)) if !looked => Some(name),
                Err(JobError::NotFound(_)) if !looked => None,
                Err(JobError::Moved(_)) => return Err(JobError::Changed),
                other => return other,
            };
            looked = true;
            target = whereabouts::find(ctx, repository, name, installation).await?;
        }
        Ok(None)
    }

    async fn settle(
        &self,
        lease: &Lease,
        outcome: Result<Option<Timestamp>, JobError>,
    ) -> Result<Settlement, StoreError> {
        let (store, now) = (&self.ctx.store, self.ctx.clock.now());
        let installation = InstallationId(u64::try_from(lease.installation).unwrap_or_default());
        let settled = match outcome {
            Ok(None) => store.finish(lease, now).await?,
            Ok(Some(due)) => store.finish_until(lease, due).await?,
            Err(JobError::Wait(until)) => store.release(lease, until).await?,
            Err(JobError::Suspended) => {
                read_installations::suspended(&self.ctx, installation).await?;
                store.release(lease, now).await?
            }
            // Neither tried again nor dead: it is wanted again when the account
            // has granted it.
            Err(JobError::Forbidden { needs }) if lease.installation != 0 => {
                let repository = (lease.kind == JobKind::InspectRepository)
                    .then_some(RepositoryId(lease.subject.unsigned_abs()));
                self.ctx.lacks(installation, repository, &needs).await?;
                store.finish(lease, now).await?
            }
            Err(error) => {
                log_failure(lease, &error);
                store.fail(lease, &error.to_string(), now + backoff(&error, lease.attempts), now).await?
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
}

/// How a run ended, in one word for what is counted.
fn word(outcome: &Result<Option<Timestamp>, JobError>) -> &'static str {
    match outcome {
        Ok(_) => "done",
        Err(JobError::Wait(_)) => "waits",
        Err(JobError::Changed) => "changed",
        Err(JobError::Suspended) => "suspended",
        Err(JobError::Forbidden { .. }) => "forbidden",
        Err(JobError::Moved(_) | JobError::NotFound(_) | JobError::Later(_) | JobError::Permanent(_)) => {
            "failed"
        }
    }
}

/// GitHub's own sentences may name repositories: these stand with the job, and
/// in the log for who looks closer (threats N9).
fn log_failure(lease: &Lease, error: &JobError) {
    let (kind, subject, attempt) = (lease.kind.as_str(), lease.subject, lease.attempts);
    match error {
        JobError::Permanent(_) | JobError::Moved(_) => {
            tracing::warn!(kind, subject, attempt, "a job failed, and a person has to look: see muster jobs");
            tracing::debug!(kind, subject, attempt, %error, "why it failed");
        }
        JobError::Wait(_)
        | JobError::Changed
        | JobError::Suspended
        | JobError::Forbidden { .. }
        | JobError::NotFound(_)
        | JobError::Later(_) => tracing::warn!(kind, subject, attempt, %error, "a job failed"),
    }
}

/// How long to wait after this attempt. An answer that was lost is looked for
/// only once GitHub's lists cannot lag any more.
fn backoff(error: &JobError, attempts: i64) -> Duration {
    let doubled = 2_u32.pow(u32::try_from(attempts.clamp(0, 6)).unwrap_or(6));
    match error {
        JobError::Changed => Duration::from_secs(1) * doubled,
        JobError::Wait(_)
        | JobError::Suspended
        | JobError::Forbidden { .. }
        | JobError::Moved(_)
        | JobError::NotFound(_)
        | JobError::Later(_)
        | JobError::Permanent(_) => Duration::from_secs(30) * doubled,
    }
}
