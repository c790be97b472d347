//! The database: the only room that names it.
//!
//! Promises: (1) what a method reports as done is committed, on SQLite down to
//! the disk (`synchronous=FULL`); (2) truths that belong together commit
//! together: a delivery and its jobs, a report and its audit; (3) SQLite and
//! PostgreSQL answer alike, six named differences apart (`dialect`); (4) it
//! never asks the clock: every method that needs the time takes it;
//! (5) decisions and audit are only ever added to; (6) nothing of one
//! installation's text cache is given to another.
//!
//! The queue and the reports are a memory that may be lost; the ledger is not.

use intake::KnownTurns;
use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyConnection, AnyPool};
use std::ops::{Deref, DerefMut};
use std::sync::mpsc;
use turn::{Turn, WriteTurn};

mod accounts;
mod adoption;
mod answers;
mod backup;
mod checks;
mod deliveries;
mod dialect;
mod digest;
mod error;
mod examine;
mod exemptions;
mod imports;
mod installations;
mod intake;
mod inventory;
mod keeping;
mod labor;
mod ledger;
mod missed;
mod open;
mod outstanding;
mod own_file;
mod pace;
mod pauses;
mod policies;
mod publicized;
mod queue;
mod refusals;
mod repositories;
mod retention;
mod rollout;
mod row;
mod rows;
mod sql;
mod sweep;
#[cfg(test)]
mod tests;
mod traffic;
mod turn;
mod verifications;
mod work;

pub use adoption::OwnItem;
pub use answers::Answer;
pub use backup::{BackedUp, BackupError, verify_backup};
pub use checks::{Asked, CheckAnswer, CheckWish, WaitingCheck};
pub use deliveries::{Accepted, Delivery, DeliveryFilter, HeadMoved, NewDelivery};
pub use dialect::Dialect;
pub use digest::KnownDigest;
pub use error::StoreError;
pub use examine::{Examined, FileFacts, Unreadable};
pub use exemptions::{Exemptions, RegisterRefusal, TakenRegister};
pub use imports::{GoodImport, Import};
pub use installations::Installation;
pub use inventory::{
    DrawnId, HEAD, KnownEntry, NewListing, NewPublication, Publication, PublishedFile, Reading,
};
pub use keeping::{Keeping, KeptFile};
pub use labor::{Counted, ToCount};
pub use ledger::{
    AuditEntry, Broken, Decision, DecisionStatus, EntryKind, LedgerEntry, LedgerFilter, NewAudit,
    NewDecision, Verified,
};
pub use missed::{DeliveryRecord, Entry, MissedDelivery, Pass};
pub use outstanding::{Adopted, Begun, Brake, Brakes, NewOutstanding};
pub use own_file::{KnownFile, SaidAnswer, TakenAnswer};
pub use pauses::{Held, Pause, Scope};
pub use policies::{AccountPolicy, PolicyRefusal, TakenPolicy};
pub use publicized::Publicized;
pub use queue::QueueStanding;
pub use repositories::{Evaluations, Judged, Repository, SeenRepository};
pub use retention::{Pruned, Retention};
pub use sweep::{Accounted, Memory, Sweep, SweptPage};
pub use verifications::{Confirmed, Verification};
pub use work::{Job, JobFilter, JobKind, JobState, Lease, MAX_ATTEMPTS, NewJob, Priority, Settlement, Which};

/// A transaction that writes, and the turn it holds meanwhile.
struct Transaction {
    begun: sqlx::Transaction<'static, Any>,
    _turn: Option<Turn>,
}

impl Deref for Transaction {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.begun
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.begun
    }
}

/// How hard a commit is pressed onto the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Survives the loss of power. What an operator gets.
    #[default]
    Full,
    /// Survives the end of the process only. For tests.
    Test,
}

/// An open database. Clones share their connections.
///
/// On PostgreSQL readers and writers share one pool. On SQLite one connection
/// writes what jobs have to say and another takes deliveries in, by turns, with
/// readers beside them.
#[derive(Clone)]
pub struct Store {
    dialect: Dialect,
    reader: AnyPool,
    writer: AnyPool,
    /// SQLite's turn to write; `None` on PostgreSQL.
    turn: Option<WriteTurn>,
    /// To the thread that commits deliveries in groups; `None` on PostgreSQL,
    /// whose server groups commits itself.
    intake: Option<mpsc::Sender<intake::group::Waiting>>,
    turns: KnownTurns,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

impl Store {
    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Asks the database which schema it has: for `/readyz`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it does not answer, [`StoreError::Newer`]
    /// if a newer Muster has changed it since it was opened.
    pub async fn alive(&self) -> Result<(), StoreError> {
        open::version(&self.reader).await.map_err(StoreError::of("answer at all")).and_then(open::not_newer)
    }

    /// Waits for what is being written and closes every connection. Later
    /// calls on any clone answer [`StoreError::Unavailable`].
    pub async fn close(&self) {
        if let Some(turn) = &self.turn {
            turn.close().await;
        }
        self.writer.close().await;
        self.reader.close().await;
    }

    /// Begins a transaction that sees one moment of the database, whatever is
    /// written meanwhile.
    async fn snapshot(&self, doing: &'static str) -> Result<sqlx::Transaction<'static, Any>, StoreError> {
        self.reader.begin_with(self.dialect.snapshot()).await.map_err(StoreError::of(doing))
    }

    /// Begins a transaction that writes.
    async fn write(&self, doing: &'static str) -> Result<Transaction, StoreError> {
        let turn = match &self.turn {
            Some(turn) => Some(turn.take(doing).await?),
            None => None,
        };
        let begun = self.writer.begin_with(self.dialect.begin()).await.map_err(StoreError::of(doing))?;
        Ok(Transaction { begun, _turn: turn })
    }

    /// Writes by one statement.
    async fn change(
        &self,
        doing: &'static str,
        query: sqlx::query::Query<'_, Any, sqlx::any::AnyArguments>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write(doing).await?;
        query.execute(&mut *transaction).await.map_err(StoreError::of(doing))?;
        commit(transaction, doing).await
    }
}

/// Ends a transaction that wrote.
async fn commit(transaction: Transaction, doing: &'static str) -> Result<(), StoreError> {
    transaction.begun.commit().await.map_err(StoreError::of(doing))
}

/// The next number of a counter. Others who want one wait for the end of the
/// transaction.
async fn take_number(
    transaction: &mut Transaction,
    name: &'static str,
    doing: &'static str,
) -> Result<i64, StoreError> {
    take_numbers(transaction, name, 1, doing).await
}

/// The last of the next `count` numbers of a counter, as [`take_number`].
async fn take_numbers(
    transaction: &mut Transaction,
    name: &'static str,
    count: i64,
    doing: &'static str,
) -> Result<i64, StoreError> {
    use row::Columns;
    sqlx::query(sql::TAKE_NUMBERS)
        .bind(name)
        .bind(count)
        .fetch_one(&mut **transaction)
        .await
        .and_then(|row| row.integer("value"))
        .map_err(StoreError::of(doing))
}

/// How long anybody waits for a connection before the database counts as
/// unavailable, and on SQLite for its lock: a sender of deliveries has to hear
/// of it, and GitHub waits ten seconds for an answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// A pool of at most so many connections. One that is still in a transaction is
/// not used again: SQLite rolls back by itself when the disk refuses a write,
/// and the driver, told that there is nothing to roll back, goes on counting a
/// transaction that could never be begun anew.
fn pool(connections: u32) -> AnyPoolOptions {
    use sqlx::Connection as _;
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
}
