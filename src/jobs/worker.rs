//! The worker: takes jobs one by one from the queue and does them.
//!
//! Promises: (1) a job that fails, panics or takes too long is nobody else's
//! trouble; (2) what GitHub's limits hold back is released, not failed; (3)
//! while the clock is off nothing is taken from the queue, so nothing fails for
//! it; (4) told to stop, it finishes what it has begun; what it cannot finish, another
//! takes up when the lease ends.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;

use super::{
    Act, Context, JobError, Next, Target, adoption, inspect_installation, inspect_repository::inspect,
    sweep_installation,
};
use crate::{
    domain::{
        plan::Cause,
        repository::{InstallationId, RepositoryId},
    },
    github,
    store::{JobKind, Lease, Priority, Settlement, StoreError},
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
/// How long a sweep that failed again and again is left alone; one that
/// succeeds says itself when the next one is.
const SWEEP_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

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

    /// Learns which installations there are, and arms the sweep of each: at
    /// once the first time, then every night.
    ///
    /// # Errors
    /// GitHub's and the database's.
    pub async fn begin(&self) -> Result<(), JobError> {
        let now = self.ctx.clock.now();
        self.ctx.store.arm(JobKind::PruneStore, 0, 0, PRUNE_EVERY, now).await?;
        for found in self.ctx.github.installations().await? {
            if !found.login.as_ref().is_some_and(|login| self.ctx.serves(login)) {
                tracing::warn!(
                    installation = found.id.0,
                    "an account that is not served has installed the App"
                );
                continue;
            }
            let suspended = found.suspended;
            let id = i64::try_from(found.id.0).unwrap_or(i64::MAX);
            let reader = self.ctx.github.reader(found.id);
            self.ctx.see(found).await?;
            if !suspended {
                self.ctx.identity(&reader).await?;
                self.ctx.store.arm(JobKind::SweepInstallation, id, id, SWEEP_EVERY, now).await?;
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
            // Idle: maybe the last repository that was waited for is done.
            return adoption::proceed(&self.ctx).await;
        };
        let job = AssertUnwindSafe(self.perform(&lease)).catch_unwind();
        let outcome = match tokio::time::timeout(MOST_TIME, job).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(JobError::Later("the job panicked".to_owned())),
            Err(_) => Err(JobError::Later(format!("the job took longer than {} s", MOST_TIME.as_secs()))),
        };
        self.settle(&lease, outcome).await?;
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

    /// Does a job, and says when it is wanted again.
    async fn perform(&self, lease: &Lease) -> Result<Next, JobError> {
        let ctx = &self.ctx;
        let installation = InstallationId(u64::try_from(lease.installation).unwrap_or_default());
        match lease.kind {
            JobKind::InspectRepository => {
                let repository = RepositoryId(u64::try_from(lease.subject).unwrap_or_default());
                let Some(target) = self.target(repository, installation).await? else {
                    return Ok(Next::Asked);
                };
                let Some(seen) = inspect(ctx, &target, cause(lease.priority), Act::Apply).await? else {
                    return Ok(Next::Asked);
                };
                for line in &seen.done {
                    tracing::info!(repository = repository.0, "{line}");
                }
                if ctx.dry_run() {
                    for change in &seen.plan.changes {
                        tracing::info!(repository = repository.0, "dry run: would {change}");
                    }
                }
                Ok(Next::Asked)
            }
            JobKind::SweepInstallation => sweep_installation::run(ctx, installation, lease.priority).await,
            JobKind::InspectInstallation => {
                inspect_installation::run(ctx, installation, lease.priority, lease.attempts).await
            }
            JobKind::PruneStore => {
                ctx.store.prune(ctx.clock.now()).await?;
                Ok(Next::Asked)
            }
        }
    }

    /// Where the repository is now, by memory or else by GitHub.
    async fn target(
        &self,
        repository: RepositoryId,
        installation: InstallationId,
    ) -> Result<Option<Target>, JobError> {
        let ctx = &self.ctx;
        let Some(known) = ctx.installation(installation).await? else { return Ok(None) };
        let name = match ctx.store.repository(repository).await? {
            Some(row) => row.seen.name,
            None => match ctx.github.reader(installation).repository_by_id(repository).await {
                Ok(found) => found.name,
                Err(github::Error::NotFound(_)) => return Ok(None),
                Err(error) => return Err(error.into()),
            },
        };
        Ok(Some(Target { repository, name, installation, account: known.account }))
    }

    async fn settle(&self, lease: &Lease, outcome: Result<Next, JobError>) -> Result<(), StoreError> {
        let (store, now) = (&self.ctx.store, self.ctx.clock.now());
        let settled = match outcome {
            Ok(Next::Asked) => store.finish(lease, now).await?,
            Ok(Next::At(due, priority)) => store.finish_until(lease, due, priority).await?,
            Err(JobError::Wait(until)) => store.release(lease, until).await?,
            Err(JobError::Suspended) => {
                store.park(lease.installation, "the installation is suspended", now).await?;
                store.release(lease, now).await?
            }
            Err(error) => {
                tracing::warn!(kind = %lease.kind, subject = lease.subject, attempt = lease.attempts, %error, "a job failed");
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
        Ok(())
    }
}

/// Why a job of this priority was asked for.
pub(super) fn cause(priority: Priority) -> Cause {
    match priority {
        Priority::Command | Priority::Push => Cause::Event,
        Priority::Policy => Cause::Policy,
        Priority::Sweep => Cause::Sweep,
    }
}

/// How long to wait after this attempt. An answer that was lost is looked for
/// only once GitHub's lists cannot lag any more.
fn backoff(error: &JobError, attempts: i64) -> Duration {
    let doubled = 2_u32.pow(u32::try_from(attempts.clamp(0, 6)).unwrap_or(6));
    match error {
        JobError::Changed => Duration::from_secs(1) * doubled,
        JobError::Wait(_) | JobError::Suspended | JobError::Later(_) | JobError::Permanent(_) => {
            Duration::from_secs(30) * doubled
        }
    }
}
