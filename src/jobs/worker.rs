//! The worker: takes jobs one by one from the queue and does them.
//!
//! Promises: (1) a job that fails, panics or takes too long is nobody else's
//! trouble, and one in which a worker stopped is tried again alone (threats
//! W6); (2) what GitHub's limits hold back is released, not failed; (3) told to
//! stop, it finishes what it has begun; what it cannot finish, another takes up
//! when the lease ends; (4) without a database, or with one that a newer Muster
//! has changed, and while the clock is off, it takes no job, so that nothing
//! fails for it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;

use super::{
    Act, Context, JobError, Next, Target, adoption, cause, check_pull_requests, count_labor, exemptions,
    imports, inspect_installation,
    inspect_repository::{Inspection, inspect},
    lease::{self, LEASE},
    poll_traffic, publish_inventory, read_installations, recover_deliveries, sweep_installation,
    verify_inventory, whereabouts,
};
use crate::{
    domain::{
        plan::Cause,
        repository::{InstallationId, RepositoryId},
    },
    store::{JobKind, Lease, Retention, StoreError, Which},
    traces,
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
        for number in 0..ctx.settings.agencies.len() {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            let every = publish_inventory::EVERY;
            ctx.store.arm(JobKind::PublishInventory, number, 0, every, now + every).await?;
            ctx.store.arm(JobKind::ReadImport, number, 0, imports::EVERY, now + imports::EVERY).await?;
        }
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
                if self.take_one(which).await? {
                    return Ok(true);
                }
                self.ctx.heed_stop_file().await?;
                // Idle: maybe the last repository that was waited for is done.
                adoption::proceed(&self.ctx).await
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
        let (kind, began) = (lease.kind.as_str(), Instant::now());
        // The futures of jobs are large: on the heap, each is so only while it runs.
        let job = Box::pin(perform(&ctx, &lease));
        let job = traces::job(kind, lease.subject, lease.installation, lease.attempts, job);
        let outcome = lease::hold(&ctx, &lease, job).await;
        let outcome = outcome.as_ref().copied();
        let settled = lease::settle(&ctx, &lease, outcome).await?;
        self.ctx.metrics.worked(kind, lease::word(outcome, settled), began.elapsed());
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
            let cause = cause(lease.priority);
            let seen = inspect_where_it_is(ctx, repository, installation, cause).await?;
            let Some(seen) = seen else { return Ok(Next::Asked) };
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
        JobKind::SweepInstallation => {
            Box::pin(sweep_installation::run(ctx, installation, lease.priority)).await
        }
        JobKind::InspectInstallation => {
            Box::pin(inspect_installation::run(ctx, installation, lease.priority, lease.attempts)).await
        }
        JobKind::ReadInstallations => {
            match lease.subject {
                0 => read_installations::all(ctx).await?,
                id => read_installations::one(ctx, InstallationId(id.unsigned_abs())).await?,
            }
            Ok(Next::Asked)
        }
        JobKind::ReadExemptions => Box::pin(exemptions::run(ctx, installation)).await,
        JobKind::RecoverDeliveries => {
            let again = recover_deliveries::run(ctx).await?;
            Ok(again.map_or(Next::Asked, |at| Next::At(at, lease.priority)))
        }
        JobKind::PublishInventory => {
            let number = usize::try_from(lease.subject).unwrap_or(usize::MAX);
            Box::pin(publish_inventory::run(ctx, number)).await
        }
        JobKind::ReadImport => {
            let number = usize::try_from(lease.subject).unwrap_or(usize::MAX);
            Box::pin(imports::run(ctx, number, lease.priority)).await
        }
        JobKind::VerifyInventory => {
            let number = usize::try_from(lease.subject).unwrap_or(usize::MAX);
            Box::pin(verify_inventory::run(ctx, number)).await
        }
        JobKind::CheckPullRequests => {
            let repository = RepositoryId(u64::try_from(lease.subject).unwrap_or_default());
            check_pull_requests::run(ctx, repository, installation, lease.attempts).await
        }
        JobKind::CountLabor => Box::pin(count_labor::run(ctx, installation)).await,
        JobKind::PollTraffic => Box::pin(poll_traffic::run(ctx, installation)).await,
        JobKind::PruneStore => {
            let retention = Retention::on(ctx.github.redelivery_window());
            ctx.store.prune(retention, ctx.clock.now()).await?;
            Ok(Next::Asked)
        }
    }
}

/// Inspects a repository where it is; if that is not where it was, GitHub is
/// asked once whose it is.
async fn inspect_where_it_is(
    ctx: &Context,
    repository: RepositoryId,
    installation: InstallationId,
    cause: Cause,
) -> Result<Option<Inspection>, JobError> {
    let Some(known) = ctx.installation(installation).await? else { return Ok(None) };
    let row = ctx.store.repository(repository).await?.filter(|row| row.removed_at.is_none());
    let mut looked = row.is_none();
    let mut target = match row {
        Some(row) => Some(Target { repository, name: row.seen.name, installation, account: known.account }),
        None => whereabouts::find(ctx, repository, None, installation).await?,
    };
    while let Some(here) = target {
        // Its future is large, and most jobs are other ones or end early.
        let name = match Box::pin(inspect(ctx, &here, cause, Act::Apply)).await {
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
