//! SQLite's writer of deliveries: one thread with a connection of its own.
//!
//! It commits what has queued: up to [`GROUP`] deliveries or what came within
//! [`LINGER`] of the first, since pressing a commit onto the disk costs more
//! than all rows of a group. It does not wait for more than came the last
//! time: a lone sender is answered at once.
//!
//! A thread, and SQLite called directly: a group is a few dozen statements,
//! and handing each to the driver's own thread and back costs more than the
//! statement.

use super::{Accepted, Arrival, DOING, Jobs, KnownTurns};
use crate::store::checks::{CheckWish, Statement as Ask};
use crate::store::own_file::rows_of;
use crate::store::turn::WriteTurn;
use crate::store::{Durability, StoreError, dialect::Dialect, row, sql};
use rusqlite::{Connection, Statement, Transaction, TransactionBehavior, named_params};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// At most so many deliveries in one commit.
const GROUP: usize = 256;
/// A group is closed so long after its first delivery.
const LINGER: Duration = Duration::from_millis(2);

/// An arrival and who waits for its commit.
pub(in crate::store) struct Waiting {
    pub(super) arrival: Arrival,
    pub(super) answer: oneshot::Sender<Result<Accepted, StoreError>>,
}

/// Starts the thread. It ends with the last sender; how many wait is bounded
/// by whoever calls: each waits for the answer before it sends again.
pub(in crate::store) fn start(
    file: &Path,
    durability: Durability,
    turn: WriteTurn,
    turns: KnownTurns,
) -> Result<Sender<Waiting>, StoreError> {
    let refused = StoreError::of_sqlite("open it");
    let connection = Connection::open(file).map_err(&refused)?;
    connection.execute_batch(Dialect::Sqlite.session(durability)).map_err(&refused)?;
    let (sender, receiver) = channel();
    let writer = Writer::new(connection, turn, turns);
    std::thread::Builder::new()
        .name("muster-intake".to_owned())
        .spawn(move || writer.run(&receiver))
        .map_err(|source| StoreError::File { path: file.to_owned(), source })?;
    Ok(sender)
}

/// Who commits. Needs a Tokio runtime to wait for its turn.
pub(in crate::store) struct Writer {
    connection: Connection,
    turn: WriteTurn,
    turns: KnownTurns,
    runtime: Handle,
}

impl Writer {
    pub(in crate::store) fn new(connection: Connection, turn: WriteTurn, turns: KnownTurns) -> Writer {
        Writer { connection, turn, turns, runtime: Handle::current() }
    }

    fn run(mut self, deliveries: &Receiver<Waiting>) {
        let mut usual = 1;
        while let Some(group) = next_group(deliveries, usual) {
            usual = group.len();
            let (arrivals, answers): (Vec<_>, Vec<_>) =
                group.into_iter().map(|waiting| (waiting.arrival, waiting.answer)).unzip();
            let results = self.take_in(&arrivals);
            for (result, answer) in results.into_iter().zip(answers) {
                // Whoever no longer waits has hung up; the delivery is kept all the same.
                let _ = answer.send(result);
            }
        }
    }

    /// Commits a group; if the database refuses it, each one alone.
    pub(in crate::store) fn take_in(&mut self, arrivals: &[Arrival]) -> Vec<Result<Accepted, StoreError>> {
        let turn = self.turn.clone();
        let Ok(_mine) = turn.take_blocking(DOING, &self.runtime) else {
            return arrivals.iter().map(|_| Err(super::closed())).collect();
        };
        match self.commit(arrivals) {
            Ok(accepted) => accepted.into_iter().map(Ok).collect(),
            Err(error) if arrivals.len() == 1 => vec![Err(StoreError::of_sqlite(DOING)(error))],
            Err(_) => arrivals
                .iter()
                .map(|arrival| {
                    let alone = self.commit(std::slice::from_ref(arrival));
                    let accepted = alone.map_err(StoreError::of_sqlite(DOING))?;
                    accepted.into_iter().next().ok_or_else(super::closed)
                })
                .collect(),
        }
    }

    fn commit(&mut self, arrivals: &[Arrival]) -> rusqlite::Result<Vec<Accepted>> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut accepted = Vec::with_capacity(arrivals.len());
        let mut jobs = Jobs::default();
        let mut delivery = transaction.prepare_cached(sql::PUT_DELIVERY)?;
        let mut body = transaction.prepare_cached(sql::KNOWN_BODY)?;
        for arrival in arrivals {
            let known_body = match put(&mut delivery, arrival)? {
                true => Some(body.query_row([row::text(&arrival.delivery.guid)], |row| row.get(0))?),
                false => None,
            };
            let outcome = Accepted::by(known_body);
            if let (Accepted::New, Some(moved)) = (outcome, &arrival.moved) {
                transaction.prepare_cached(sql::MOVE_HEAD)?.execute(named_params! {
                    "$1": row::number(moved.repository.0),
                    "$2": moved.before.as_str(),
                    "$3": moved.after.as_str(),
                })?;
            }
            if let Some(wish) = &arrival.check {
                ask(&transaction, wish, outcome, row::millis(arrival.delivery.received_at))?;
            }
            for said in rows_of(arrival, outcome) {
                transaction.prepare_cached(sql::SAY_ANSWER)?.execute(named_params! {
                    "$1": said.repository,
                    "$2": said.field,
                    "$3": said.pull_request,
                    "$4": said.filled,
                    "$5": said.actor,
                    "$6": said.login,
                    "$7": said.said_at,
                })?;
            }
            jobs.add(outcome, arrival);
            accepted.push(outcome);
        }
        let jobs = jobs.in_order();
        let installations = self.turns.unknown(jobs.iter().map(|(job, _)| job.installation));
        for installation in &installations {
            transaction.prepare_cached(sql::KNOW_TURNS)?.execute(named_params! { "$1": installation })?;
        }
        let mut work = transaction.prepare_cached(sql::ENQUEUE)?;
        for (job, at) in jobs {
            work.execute(named_params! {
                "$1": job.kind.as_str(),
                "$2": job.subject,
                "$3": job.installation,
                "$4": job.priority.rank(),
                "$5": row::millis(job.run_at),
                "$6": row::text(&job.cause),
                "$7": at,
            })?;
        }
        drop((delivery, body, work));
        transaction.commit()?;
        self.turns.remember(installations);
        Ok(accepted)
    }
}

/// What waits, and up to `usual` of those that are about to; `None` when nobody
/// can send any more.
fn next_group(deliveries: &Receiver<Waiting>, usual: usize) -> Option<Vec<Waiting>> {
    let mut group = vec![deliveries.recv().ok()?];
    let close = Instant::now() + LINGER;
    while group.len() < GROUP {
        let next = if group.len() < usual {
            deliveries.recv_timeout(close.saturating_duration_since(Instant::now()))
        } else {
            deliveries.try_recv().map_err(|_| RecvTimeoutError::Timeout)
        };
        let Ok(waiting) = next else { break };
        group.push(waiting);
    }
    Some(group)
}

/// Stores what a delivery asks to be checked.
fn ask(
    transaction: &Transaction<'_>,
    wish: &CheckWish,
    outcome: Accepted,
    asked_at: i64,
) -> rusqlite::Result<()> {
    let repository = row::number(wish.repository.0);
    match wish.statement(outcome) {
        None => return Ok(()),
        Some(Ask::Ask { pull_request, head }) => {
            transaction.prepare_cached(sql::ASK_CHECK)?.execute(named_params! {
                "$1": repository,
                "$2": row::text(pull_request),
                "$3": row::number(wish.installation.0),
                "$4": head.as_str(),
                "$5": asked_at,
            })?
        }
        Some(Ask::Again { head }) => {
            transaction.prepare_cached(sql::ASK_CHECK_AGAIN)?.execute(named_params! {
                "$1": repository,
                "$2": head.as_str(),
                "$3": asked_at,
            })?
        }
    };
    Ok(())
}

/// Stores a delivery; whether its GUID was new.
fn put(statement: &mut Statement<'_>, arrival: &Arrival) -> rusqlite::Result<bool> {
    let delivery = &arrival.delivery;
    let changed = statement.execute(named_params! {
        "$1": row::text(&delivery.guid),
        "$2": row::text(&delivery.event),
        "$3": row::maybe_text(delivery.action.as_deref()),
        "$4": delivery.installation,
        "$5": delivery.repository,
        "$6": delivery.digest,
        "$7": row::millis(delivery.received_at),
        "$8": &delivery.body[..],
    })?;
    Ok(changed > 0)
}
