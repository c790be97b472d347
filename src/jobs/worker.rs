//! The worker: takes jobs one by one from the queue and does them.
//!
//! Promises: (1) a job that fails, panics or takes too long is nobody else's
//! trouble, and one in which a worker stopped is tried again alone (threats
//! W6); (2) what GitHub's limits hold back is released, not failed; (3) told to
//! stop, it finishes what it has begun; what it cannot finish, another takes up
//! when the lease ends; (4) without a database, or with one that a newer Muster
//! has changed, and while the clock is off, it takes no job, so that nothing
//! fails for it.

use std::{sync::Arc, time::Duration};

use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;

use super::{
    Act, Context, JobError, Next, Target, adoption, inspect_installation,
    inspect_repository::inspect,
    lease::{self, LEASE},
    sweep_installation,
};
use crate::{
    domain::{
        plan::Cause,
        repository::{InstallationId, RepositoryId},
    },
    github,
    store::{JobKind, Lease, Priority, StoreError, Which},
};

/// How often the queue is asked when nothing is known to be due: replicas and
/// the receiver enqueue without telling this process.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long to wait when the queue does not answer.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// How long to wait when the installations cannot be listed.
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
    /// Shared by the jobs under way; held alone by one in which a worker has
    /// stopped.
    places: Arc<RwLock<()>>,
}

impl Worker {
    /// A worker under this name. Every process that lives needs its own; one
    /// that takes the place of another takes its name, and with it its jobs.
    #[must_use]
    pub fn new(ctx: Context, owner: impl Into<String>) -> Worker {
        Worker { ctx, owner: owner.into(), places: Arc::default() }
    }

    /// Works until `stop`: a few jobs side by side, and now and then one alone.
    pub async fn run(self, stop: CancellationToken) {
        let sorts = std::iter::repeat_n(Which::Sound, SIDE_BY_SIDE).chain([Which::Troubled]);
        let workers = sorts.enumerate().map(|(i, which)| {
            let worker = Worker { owner: format!("{}-{i}", self.owner), ..self.clone() };
            let stop = stop.clone();
            async move {
                worker.take_back_when_possible(&stop).await;
                worker.work(which, stop).await;
            }
        });
        let workers = futures_util::future::join_all(workers);
        tokio::join!(self.begin_when_possible(&stop), workers);
    }

    /// Frees what an earlier process of this name held.
    async fn take_back_when_possible(&self, stop: &CancellationToken) {
        while let Err(error) = self.ctx.store.take_back(&self.owner, self.ctx.clock.now()).await {
            tracing::warn!(%error, "the leases of the process before this one could not be taken back");
            if self.stops_before(stop, ASK_AGAIN).await {
                return;
            }
        }
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

    /// Does jobs of these, one after the other.
    async fn work(self, which: Which, stop: CancellationToken) {
        // Said once, not with every question: whether the queue answers.
        let mut answers = true;
        while !stop.is_cancelled() {
            let pause = match self.step_among(which).await {
                Ok(done) => {
                    answers = true;
                    if done {
                        continue;
                    }
                    LOOK_AGAIN
                }
                Err(error) => {
                    if answers {
                        tracing::error!(%error, "no job is taken until the queue answers again");
                    }
                    answers = false;
                    ASK_AGAIN
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
        Ok(self.step_among(Which::Sound).await? || self.step_among(Which::Troubled).await?)
    }

    /// Does one of these jobs. One in which a worker has stopped has this
    /// process to itself, so that it cannot take others down with it again.
    async fn step_among(&self, which: Which) -> Result<bool, StoreError> {
        if !self.ctx.github.has_time().await {
            return Ok(false);
        }
        match which {
            Which::Sound => {
                let _beside = self.places.read().await;
                // Idle: maybe the last repository that was waited for is done.
                Ok(self.take_one(which).await? || adoption::proceed(&self.ctx).await?)
            }
            Which::Troubled => {
                if !self.ctx.store.anything_to_lease(which, self.ctx.clock.now()).await? {
                    return Ok(false);
                }
                let _alone = self.places.write().await;
                self.take_one(which).await
            }
        }
    }

    async fn take_one(&self, which: Which) -> Result<bool, StoreError> {
        let now = self.ctx.clock.now();
        let Some(lease) = self.ctx.store.lease_one(which, &self.owner, LEASE, now).await? else {
            return Ok(false);
        };
        if lease.crashes > 0 {
            tracing::warn!(
                kind = %lease.kind, subject = lease.subject, crashes = lease.crashes,
                "a worker stopped in this job before: it runs alone"
            );
        }
        let ctx = self.ctx.under(&lease);
        let outcome = lease::hold(&ctx, &lease, perform(&ctx, &lease)).await;
        lease::settle(&ctx, &lease, outcome.as_ref().copied()).await?;
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
}

/// Does a job, and says when it is wanted again.
async fn perform(ctx: &Context, lease: &Lease) -> Result<Next, JobError> {
    let installation = InstallationId(u64::try_from(lease.installation).unwrap_or_default());
    match lease.kind {
        JobKind::InspectRepository => {
            let repository = RepositoryId(u64::try_from(lease.subject).unwrap_or_default());
            let Some(target) = target(ctx, repository, installation).await? else { return Ok(Next::Asked) };
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
            Ok(Next::of_repository(seen.plan.due, lease.priority, ctx.clock.now()))
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

/// Why a job of this priority was asked for.
pub(super) fn cause(priority: Priority) -> Cause {
    match priority {
        Priority::Command | Priority::Push => Cause::Event,
        Priority::Policy => Cause::Policy,
        Priority::Sweep => Cause::Sweep,
    }
}

/// Where the repository is now, by memory or else by GitHub.
async fn target(
    ctx: &Context,
    repository: RepositoryId,
    installation: InstallationId,
) -> Result<Option<Target>, JobError> {
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
