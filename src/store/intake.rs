//! How a delivery and its jobs become durable, alone or with others.
//!
//! Promises: (1) a delivery and its jobs commit together; (2) whoever waits is
//! answered after the commit; (3) a delivery that the database refuses fails
//! alone, not those that were committed with it.
//!
//! On SQLite one task commits what has queued: up to [`GROUP`] deliveries or
//! what came within [`LINGER`] of the first, since pressing a commit onto the
//! disk costs more than all rows of a group. It does not wait for more than
//! came the last time: a lone sender is answered at once.

use super::deliveries::{Accepted, HeadMoved, NewDelivery};
use super::work::{NewJob, Priority};
use super::{Store, StoreError, commit, row, sql};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// At most so many deliveries in one commit.
const GROUP: usize = 256;
/// A group is closed so long after its first delivery.
const LINGER: Duration = Duration::from_millis(2);

const DOING: &str = "accept a delivery";

/// A delivery and the jobs it asks for.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    pub(super) delivery: NewDelivery,
    pub(super) jobs: Vec<NewJob>,
    pub(super) moved: Option<HeadMoved>,
}

/// An arrival and who waits for its commit.
pub(super) struct Waiting {
    arrival: Arrival,
    answer: oneshot::Sender<Result<Accepted, StoreError>>,
}

/// Starts the task that commits in groups. It ends with the last clone of the
/// store that can send to it.
pub(super) fn start(store: Store) -> mpsc::Sender<Waiting> {
    let (sender, mut receiver) = mpsc::channel::<Waiting>(4 * GROUP);
    tokio::spawn(async move {
        let mut usual = 1;
        while let Some(group) = next_group(&mut receiver, usual).await {
            usual = group.len();
            let (arrivals, answers): (Vec<_>, Vec<_>) =
                group.into_iter().map(|waiting| (waiting.arrival, waiting.answer)).unzip();
            for (result, answer) in store.commit_group(&arrivals).await.into_iter().zip(answers) {
                // Whoever no longer waits has hung up; the delivery is kept all the same.
                let _ = answer.send(result);
            }
        }
    });
    sender
}

/// What waits, and up to `usual` of those that are about to; `None` when nobody
/// can send any more.
async fn next_group(receiver: &mut mpsc::Receiver<Waiting>, usual: usize) -> Option<Vec<Waiting>> {
    let mut group = vec![receiver.recv().await?];
    let close = tokio::time::Instant::now() + LINGER;
    while group.len() < GROUP {
        let next = if group.len() < usual {
            tokio::time::timeout_at(close, receiver.recv()).await.ok().flatten()
        } else {
            receiver.try_recv().ok()
        };
        match next {
            Some(waiting) => group.push(waiting),
            None => break,
        }
    }
    Some(group)
}

impl Store {
    /// Hands an arrival to the group commit, or commits it at once where there
    /// is none, and answers after the commit.
    pub(super) async fn take_in(&self, arrival: Arrival) -> Result<Accepted, StoreError> {
        let Some(intake) = &self.intake else {
            return self
                .commit_arrivals(std::slice::from_ref(&arrival))
                .await
                .map(|mut accepted| accepted.pop().expect("one arrival has one answer"));
        };
        let closed = || StoreError::of(DOING)(sqlx::Error::WorkerCrashed);
        let (answer, answered) = oneshot::channel();
        intake.send(Waiting { arrival, answer }).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Commits a group; if the database refuses it, each one alone.
    async fn commit_group(&self, arrivals: &[Arrival]) -> Vec<Result<Accepted, StoreError>> {
        match self.commit_arrivals(arrivals).await {
            Ok(accepted) => accepted.into_iter().map(Ok).collect(),
            Err(error) if arrivals.len() == 1 => vec![Err(error)],
            Err(_) => {
                let mut results = Vec::with_capacity(arrivals.len());
                for arrival in arrivals {
                    let alone = self.commit_arrivals(std::slice::from_ref(arrival)).await;
                    results
                        .push(alone.map(|mut accepted| accepted.pop().expect("one arrival has one answer")));
                }
                results
            }
        }
    }

    /// Commits all arrivals and their jobs in one transaction.
    pub(super) async fn commit_arrivals(&self, arrivals: &[Arrival]) -> Result<Vec<Accepted>, StoreError> {
        let mut transaction = self.write(DOING).await?;
        let accepted = add_deliveries(&mut transaction, arrivals).await?;
        let mut jobs = Jobs::default();
        for (outcome, arrival) in accepted.iter().zip(arrivals) {
            jobs.add(outcome, arrival);
            if let (Accepted::New, Some(moved)) = (outcome, &arrival.moved) {
                move_head(&mut transaction, moved).await?;
            }
        }
        let installations = self.put_jobs(&mut transaction, jobs.0.values()).await?;
        commit(transaction, DOING).await?;
        self.remember_turns(installations);
        Ok(accepted)
    }

    /// Enqueues jobs in the caller's transaction, in the order of their keys
    /// so that two transactions cannot wait for each other. Answers which
    /// installations got their turns; to be remembered after the commit.
    pub(super) async fn put_jobs(
        &self,
        transaction: &mut super::Transaction,
        jobs: impl Iterator<Item = &(NewJob, i64)>,
    ) -> Result<Vec<i64>, StoreError> {
        let refused = StoreError::of("enqueue a job");
        let mut jobs: Vec<_> = jobs.collect();
        jobs.sort_by_key(|(job, _)| (job.kind.as_str(), job.subject));
        let unknown = self.unknown_turns(jobs.iter().map(|(job, _)| job.installation));
        for installation in &unknown {
            sqlx::query(sql::KNOW_TURNS)
                .bind(*installation)
                .execute(&mut **transaction)
                .await
                .map_err(&refused)?;
        }
        let mut left = jobs.as_slice();
        while !left.is_empty() {
            let (rows, statement) = batch([sql::ENQUEUE_16, sql::ENQUEUE_4, sql::ENQUEUE], left.len());
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

    /// Those installations, in order, whose turns may not be stored yet.
    pub(super) fn unknown_turns(&self, installations: impl Iterator<Item = i64>) -> Vec<i64> {
        let known = self.turns.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut unknown: Vec<i64> = installations.filter(|id| !known.contains(id)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }

    /// Notes that the turns of these installations are committed.
    pub(super) fn remember_turns(&self, installations: Vec<i64>) {
        if !installations.is_empty() {
            self.turns.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(installations);
        }
    }
}

/// The jobs of a transaction, each key once, with the time of the enqueue.
#[derive(Default)]
pub(super) struct Jobs(pub(super) BTreeMap<(super::JobKind, i64), (NewJob, i64)>);

impl Jobs {
    /// Adds what an arrival asks for: nothing for a GUID seen before, no
    /// command for a body seen before.
    fn add(&mut self, outcome: &Accepted, arrival: &Arrival) {
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
}

/// Of statements about 16 rows, about 4 and about one, the largest that `left`
/// rows fill, after its number of rows: what costs is the way to the database,
/// not the row.
fn batch([sixteen, four, one]: [&'static str; 3], left: usize) -> (usize, &'static str) {
    match left {
        16.. => (16, sixteen),
        4.. => (4, four),
        _ => (1, one),
    }
}

/// A delivery and its GUID as stored.
type Arriving<'a> = (String, &'a NewDelivery);

/// Adds deliveries as if one after the other, and says what became of each.
/// Those of which nothing is known, as nearly always, are added together; no
/// row comes back of them, since each would wake us.
async fn add_deliveries(
    transaction: &mut super::Transaction,
    arrivals: &[Arrival],
) -> Result<Vec<Accepted>, StoreError> {
    let arriving: Vec<Arriving<'_>> =
        arrivals.iter().map(|arrival| (row::text(&arrival.delivery.guid), &arrival.delivery)).collect();
    let mut accepted = Vec::with_capacity(arriving.len());
    let mut left = arriving.as_slice();
    while !left.is_empty() {
        let (rows, together) = match distinct(left) {
            16.. => (16, Some((sql::KNOWN_AMONG_16, sql::ADD_16_DELIVERIES))),
            4.. => (4, Some((sql::KNOWN_AMONG_4, sql::ADD_4_DELIVERIES))),
            _ => (1, None),
        };
        let (these, later) = left.split_at(rows);
        left = later;
        match together {
            Some((known, add)) if none_known(transaction, known, these).await? => {
                adding(add, these).execute(&mut **transaction).await.map_err(StoreError::of(DOING))?;
                accepted.extend(these.iter().map(|_| Accepted::New));
            }
            Some(_) | None => {
                for one in these {
                    accepted.push(add_delivery(transaction, one).await?);
                }
            }
        }
    }
    Ok(accepted)
}

/// Whether no GUID and no body of these is stored, by the statement for as many.
async fn none_known(
    transaction: &mut super::Transaction,
    statement: &'static str,
    these: &[Arriving<'_>],
) -> Result<bool, StoreError> {
    use row::Columns;
    let mut query = sqlx::query(statement);
    for (guid, _) in these {
        query = query.bind(guid.as_str());
    }
    for (_, delivery) in these {
        query = query.bind(delivery.digest.as_slice());
    }
    let known = query.fetch_one(&mut **transaction).await.and_then(|row| row.integer("known"));
    Ok(known.map_err(StoreError::of(DOING))? == 0)
}

async fn add_delivery(
    transaction: &mut super::Transaction,
    arriving: &Arriving<'_>,
) -> Result<Accepted, StoreError> {
    use row::Columns;
    let refused = StoreError::of(DOING);
    let added = adding(sql::ADD_DELIVERY, std::slice::from_ref(arriving))
        .fetch_optional(&mut **transaction)
        .await
        .map_err(&refused)?;
    match added {
        None => Ok(Accepted::Duplicate),
        Some(row) if row.flag("known_body").map_err(&refused)? => Ok(Accepted::KnownBody),
        Some(_) => Ok(Accepted::New),
    }
}

/// A statement that adds as many deliveries, with their values.
fn adding<'q>(
    statement: &'static str,
    these: &'q [Arriving<'_>],
) -> sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments> {
    these.iter().fold(sqlx::query(statement), |query, (guid, delivery)| {
        query
            .bind(guid.as_str())
            .bind(row::text(&delivery.event))
            .bind(row::maybe_text(delivery.action.as_deref()))
            .bind(delivery.installation)
            .bind(delivery.repository)
            .bind(delivery.digest.as_slice())
            .bind(row::millis(delivery.received_at))
            .bind(delivery.body.as_ref())
    })
}

/// How many of the first 16 come before one whose GUID or body they have already.
fn distinct(arriving: &[Arriving<'_>]) -> usize {
    let most = arriving.len().min(16);
    let doubled = |(guid, delivery): &Arriving<'_>, earlier: &[Arriving<'_>]| {
        earlier.iter().any(|(other, known)| other == guid || known.digest == delivery.digest)
    };
    (1..most).find(|&next| doubled(&arriving[next], &arriving[..next])).unwrap_or(most)
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
