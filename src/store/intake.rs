//! How a delivery and its jobs become durable, alone or with others.
//!
//! Promises: (1) a delivery and its jobs commit together; (2) whoever waits is
//! answered after the commit; (3) a delivery that the database refuses fails
//! alone, not those that were committed with it.
//!
//! On SQLite one thread commits what has queued (`group`). PostgreSQL commits
//! each alone: its server groups by itself.

use super::checks::{self, CheckWish};
use super::deliveries::{Accepted, HeadMoved, NewDelivery};
use super::own_file::{self, SaidAnswer};
use super::work::{NewJob, Priority};
use super::{Store, StoreError, commit, row, sql};
use crate::domain::repository::RepositoryId;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

pub(super) mod group;

use group::Waiting;

const DOING: &str = "accept a delivery";

/// A delivery and the jobs it asks for.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    pub(super) delivery: NewDelivery,
    pub(super) jobs: Vec<NewJob>,
    pub(super) moved: Option<HeadMoved>,
    pub(super) check: Option<CheckWish>,
    pub(super) answers: Vec<(RepositoryId, SaidAnswer)>,
}

/// Nobody takes deliveries any more.
fn closed() -> StoreError {
    StoreError::of(DOING)(sqlx::Error::PoolClosed)
}

impl Store {
    /// Hands an arrival to the group commit, or commits it at once where there
    /// is none, and answers after the commit.
    pub(super) async fn take_in(&self, arrival: Arrival) -> Result<Accepted, StoreError> {
        let Some(intake) = &self.intake else { return self.commit_arrival(&arrival).await };
        let (answer, answered) = oneshot::channel();
        intake.send(Waiting { arrival, answer }).map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Commits an arrival and its jobs in one transaction.
    async fn commit_arrival(&self, arrival: &Arrival) -> Result<Accepted, StoreError> {
        let mut transaction = self.write(DOING).await?;
        let accepted = add_delivery(&mut transaction, &arrival.delivery).await?;
        let mut jobs = Jobs::default();
        jobs.add(accepted, arrival);
        if let (Accepted::New, Some(moved)) = (accepted, &arrival.moved) {
            move_head(&mut transaction, moved).await?;
        }
        if let Some(wish) = &arrival.check {
            checks::ask(&mut transaction, wish, accepted, arrival.delivery.received_at).await?;
        }
        own_file::say(&mut transaction, arrival, accepted).await?;
        let installations = self.put_jobs(&mut transaction, &jobs).await?;
        commit(transaction, DOING).await?;
        self.turns.remember(installations);
        Ok(accepted)
    }

    /// Enqueues jobs in the caller's transaction, in the order of their keys
    /// so that two transactions cannot wait for each other. Answers which
    /// installations got their turns; to be remembered after the commit.
    pub(super) async fn put_jobs(
        &self,
        transaction: &mut super::Transaction,
        jobs: &Jobs,
    ) -> Result<Vec<i64>, StoreError> {
        let refused = StoreError::of("enqueue a job");
        let jobs = jobs.in_order();
        let unknown = self.turns.unknown(jobs.iter().map(|(job, _)| job.installation));
        for installation in &unknown {
            sqlx::query(sql::KNOW_TURNS)
                .bind(*installation)
                .execute(&mut **transaction)
                .await
                .map_err(&refused)?;
        }
        let mut left = jobs.as_slice();
        while !left.is_empty() {
            let (rows, statement) = batch(left.len());
            let (these, later) = left.split_at(rows);
            left = later;
            let mut query = sqlx::query(statement);
            for (job, at) in these {
                query = query
                    .bind(job.kind.as_str())
                    .bind(job.subject)
                    .bind(job.installation)
                    .bind(job.priority.rank())
                    .bind(row::millis(job.run_at))
                    .bind(row::text(&job.cause))
                    .bind(*at);
            }
            query.execute(&mut **transaction).await.map_err(&refused)?;
        }
        Ok(unknown)
    }
}

/// Installations whose rows in `turn` are known to be committed. A cheap handle.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownTurns(Arc<Mutex<HashSet<i64>>>);

impl KnownTurns {
    /// Those installations, in order, whose turns may not be stored yet.
    pub(super) fn unknown(&self, installations: impl Iterator<Item = i64>) -> Vec<i64> {
        let known = self.lock();
        let mut unknown: Vec<i64> = installations.filter(|id| !known.contains(id)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }

    /// Notes that the turns of these installations are committed.
    pub(super) fn remember(&self, installations: Vec<i64>) {
        if !installations.is_empty() {
            self.lock().extend(installations);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The jobs of a transaction, each key once, with the time of the enqueue.
#[derive(Default)]
pub(super) struct Jobs(BTreeMap<(super::JobKind, i64), (NewJob, i64)>);

impl Jobs {
    /// Adds what an arrival asks for: nothing for a GUID seen before, no
    /// command for a body seen before.
    fn add(&mut self, outcome: Accepted, arrival: &Arrival) {
        let at = row::millis(arrival.delivery.received_at);
        match outcome {
            Accepted::Duplicate => {}
            Accepted::New => self.merge(arrival.jobs.iter(), at),
            Accepted::KnownBody => {
                self.merge(arrival.jobs.iter().filter(|job| job.priority != Priority::Command), at)
            }
        }
    }

    /// Joins jobs of one key as the queue itself would.
    pub(super) fn merge<'a>(&mut self, jobs: impl Iterator<Item = &'a NewJob>, at: i64) {
        for job in jobs {
            self.0
                .entry((job.kind, job.subject))
                .and_modify(|(known, _)| {
                    known.priority = known.priority.min(job.priority);
                    known.run_at = known.run_at.min(job.run_at);
                    known.installation = job.installation;
                    known.cause.clone_from(&job.cause);
                })
                .or_insert_with(|| (job.clone(), at));
        }
    }

    /// In the order in which the database has their keys.
    fn in_order(&self) -> Vec<&(NewJob, i64)> {
        let mut jobs: Vec<_> = self.0.values().collect();
        jobs.sort_by_key(|(job, _)| (job.kind.as_str(), job.subject));
        jobs
    }
}

/// Of statements about 16 rows, about 4 and about one, the largest that `left`
/// rows fill, after its number of rows: what costs is the way to the database,
/// not the row.
fn batch(left: usize) -> (usize, &'static str) {
    match left {
        16.. => (16, sql::ENQUEUE_16),
        4.. => (4, sql::ENQUEUE_4),
        _ => (1, sql::ENQUEUE),
    }
}

async fn add_delivery(
    transaction: &mut super::Transaction,
    delivery: &NewDelivery,
) -> Result<Accepted, StoreError> {
    use row::Columns;
    let refused = StoreError::of(DOING);
    let added = sqlx::query(sql::ADD_DELIVERY)
        .bind(row::text(&delivery.guid))
        .bind(row::text(&delivery.event))
        .bind(row::maybe_text(delivery.action.as_deref()))
        .bind(delivery.installation)
        .bind(delivery.repository)
        .bind(delivery.digest.as_slice())
        .bind(row::millis(delivery.received_at))
        .bind(delivery.body.as_ref())
        .fetch_optional(&mut **transaction)
        .await
        .map_err(&refused)?;
    let known_body = added.map(|row| row.flag("known_body")).transpose().map_err(&refused)?;
    Ok(Accepted::by(known_body))
}

async fn move_head(transaction: &mut super::Transaction, moved: &HeadMoved) -> Result<(), StoreError> {
    sqlx::query(sql::MOVE_HEAD)
        .bind(row::number(moved.repository.0))
        .bind(moved.before.as_str())
        .bind(moved.after.as_str())
        .execute(&mut **transaction)
        .await
        .map(|_| ())
        .map_err(StoreError::of(DOING))
}
