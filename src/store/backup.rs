//! Backups: what cannot be made again from GitHub, as one file for both
//! databases.
//!
//! Promises: (1) a backup holds one moment of the database, whatever is written
//! meanwhile; (2) a file that was cut short or changed is refused, and so is a
//! ledger that was: the chain is followed while it is read; (3) it is restored
//! whole or not at all, and only into an empty database of either kind;
//! (4) deliveries, jobs and reports are not in it, so neither are bodies; no
//! token is stored anywhere (threats O8).
//!
//! The file is JSON, one object a line ([`file`]).

mod file;

use super::ledger::chain::{Broken, Follower, page};
use super::ledger::{NewAudit, note};
use super::row::{self, Columns};
use super::rows::{
    AdoptionRow, CounterRow, ExemptionEventRow, ForksRow, InstallationRow, ListingRow, OpaqueRow,
    OutstandingRow, OwnAnswerRow, OwnFileRow, PauseRow, PolicyRow, RepositoryRow, RolloutRow,
    ServedAccountRow, TrafficPollRow, TrafficRow, TrafficSpanRow,
};
use super::{Store, StoreError, Transaction, commit, open, sql};
use file::{Line, LinkedRow, Reader, Writer};
use jiff::Timestamp;
use sqlx::AnyConnection;
use std::io;

/// What a backup holds of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// When it was made.
    pub made_at: Timestamp,
    /// How many entries of the ledger are in it, as they were written.
    pub entries: i64,
    /// The hash of the last of these.
    pub head: String,
    /// The first entry that is not as it was written. It is in the file all
    /// the same, and the file cannot be restored.
    pub broken: Option<Broken>,
}

/// Why there is no backup, or none was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file cannot be read or written.
    #[error("the backup cannot be read or written: {0}")]
    File(#[from] io::Error),
    /// A line that is not one of a backup's.
    #[error("line {line} of the backup {problem}")]
    Line {
        /// Which, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// The ledger in the file is not as it was written.
    #[error("the ledger in the backup is not as it was written: {0}; take an earlier backup")]
    Broken(Broken),
    /// The file was written by a newer version.
    #[error(
        "the backup is of schema version {found}, this Muster knows versions up to {known}: \
         restore it with a Muster at least as new as the one that wrote it"
    )]
    Newer {
        /// The file's.
        found: i64,
        /// This program's.
        known: i64,
    },
    /// The database holds something already.
    #[error("the database is not empty: restore into a new one, before anything else uses it")]
    NotEmpty,
}

const EXPORTING: &str = "make a backup";
const RESTORING: &str = "restore a backup";

impl Store {
    /// Writes a backup of this moment.
    ///
    /// # Errors
    /// The database's and the file's.
    pub async fn back_up(
        &self,
        out: &mut (dyn io::Write + Send),
        now: Timestamp,
    ) -> Result<BackedUp, BackupError> {
        let mut snapshot = self.snapshot(EXPORTING).await?;
        let mut writer = Writer::begin(out, open::known_version(), row::millis(now))?;
        rows(&mut snapshot, &mut writer).await?;
        let refused = StoreError::of(EXPORTING);
        let mut follower = Follower::new(None);
        let mut broken = None;
        let mut seq = 0;
        loop {
            let links = page(&mut snapshot, seq).await.map_err(&refused)?;
            let Some(last) = links.last() else { break };
            seq = last.link.seq;
            for linked in links {
                if broken.is_none() {
                    broken = follower.follow(&linked).err();
                }
                writer.line(&Line::Link(LinkedRow::of(linked)))?;
            }
        }
        writer.end()?;
        if broken.is_none() {
            let written = sqlx::query(sql::CHAINED).fetch_one(&mut *snapshot).await;
            let written = written.and_then(|row| row.integer("value")).map_err(&refused)?;
            broken = follower.whole(written).err();
        }
        snapshot.rollback().await.map_err(&refused)?;
        Ok(BackedUp { made_at: now, entries: follower.seq(), head: follower.head().to_owned(), broken })
    }

    /// Restores a backup into this database. The organizations in it are
    /// looked at once before anything is written to them again, since people
    /// may have answered after it was made.
    ///
    /// # Errors
    /// [`BackupError`]; nothing is restored then.
    pub async fn restore(
        &self,
        input: &mut (dyn io::BufRead + Send),
        now: Timestamp,
    ) -> Result<BackedUp, BackupError> {
        let refused = StoreError::of(RESTORING);
        let mut reader = Reader::begin(input, None)?;
        let mut transaction = self.write(RESTORING).await?;
        let kept = sqlx::query(sql::KEPT_ROWS).fetch_one(&mut *transaction).await;
        if kept.and_then(|row| row.integer("kept")).map_err(&refused)? > 0 {
            return Err(BackupError::NotEmpty);
        }
        while let Some(line) = reader.next()? {
            put(&mut transaction, line, now).await.map_err(&refused)?;
        }
        let restored = reader.backed_up();
        let detail = serde_json::json!({ "made_at": restored.made_at, "head": restored.head });
        let entry = NewAudit {
            installation: None,
            repository: None,
            actor: None,
            what: "ledger_restored".to_owned(),
            detail: detail.to_string(),
        };
        note(&mut transaction, &[entry], now).await?;
        commit(transaction, RESTORING).await?;
        Ok(restored)
    }
}

/// Reads a backup without a database: whether it could be restored. `anchor`
/// is a hash that was the head of the ledger once.
///
/// # Errors
/// [`BackupError`].
pub fn verify_backup(
    input: &mut (dyn io::BufRead + Send),
    anchor: Option<&str>,
) -> Result<BackedUp, BackupError> {
    let mut reader = Reader::begin(input, anchor)?;
    while reader.next()?.is_some() {}
    Ok(reader.backed_up())
}

/// Writes all rows but those of the ledger. A table that is not named here
/// holds what can be made again; a test knows all tables by name.
async fn rows(connection: &mut AnyConnection, writer: &mut Writer<'_>) -> Result<(), BackupError> {
    macro_rules! all {
        ($($row:ident as $line:ident),+ $(,)?) => {$(
            let found = sqlx::query($row::SELECT).fetch_all(&mut *connection).await;
            for row in found.map_err(StoreError::of(EXPORTING))? {
                let row = $row::read(&row).map_err(StoreError::of(EXPORTING))?;
                writer.line(&Line::$line(row))?;
            }
        )+};
    }
    all!(
        CounterRow as Counter,
        ServedAccountRow as ServedAccount,
        InstallationRow as Installation,
        RepositoryRow as Repository,
        AdoptionRow as Adoption,
        PauseRow as Pause,
        OpaqueRow as Opaque,
        ListingRow as Listing,
        TrafficRow as Traffic,
        TrafficSpanRow as TrafficSpan,
        TrafficPollRow as TrafficPoll,
        ForksRow as Forks,
        OwnFileRow as OwnFile,
        OwnAnswerRow as OwnAnswer,
        PolicyRow as Policy,
        RolloutRow as Rollout,
        OutstandingRow as Outstanding,
        ExemptionEventRow as ExemptionEvent,
    );
    Ok(())
}

/// Adds what a line holds.
async fn put(transaction: &mut Transaction, line: Line, now: Timestamp) -> Result<(), sqlx::Error> {
    let connection: &mut AnyConnection = transaction;
    let query = match &line {
        Line::Counter(row) => sqlx::query(sql::SET_COUNTER).bind(row.name.clone()).bind(row.value),
        Line::ServedAccount(row) => row.insert(),
        Line::Installation(row) => row.insert(),
        Line::Repository(row) => row.insert(),
        Line::Adoption(row) => return again(row, now).insert().execute(connection).await.map(|_| ()),
        Line::Pause(row) => row.insert(),
        Line::Opaque(row) => row.insert(),
        Line::Listing(row) => row.insert(),
        Line::Traffic(row) => row.insert(),
        Line::TrafficSpan(row) => row.insert(),
        Line::TrafficPoll(row) => row.insert(),
        Line::Forks(row) => row.insert(),
        Line::OwnFile(row) => row.insert(),
        Line::OwnAnswer(row) => row.insert(),
        Line::Policy(row) => row.insert(),
        Line::Rollout(row) => row.insert(),
        Line::Outstanding(row) => row.insert(),
        Line::ExemptionEvent(row) => row.insert(),
        Line::Link(row) => {
            let linked = row.clone().linked();
            linked.link.insert().execute(&mut *connection).await?;
            return match &linked.entry {
                Some(entry) => entry.insert(connection).await,
                None => Ok(()),
            };
        }
        // The reader keeps the first and the last line to itself.
        Line::Backup { .. } | Line::End { .. } => return Ok(()),
    };
    query.execute(connection).await.map(|_| ())
}

/// An organization as it has to be adopted again: looked at once; one whose
/// adoption had not ended has its wait as before.
fn again(row: &AdoptionRow, now: Timestamp) -> AdoptionRow {
    let ended = row.ended_at.is_some();
    AdoptionRow {
        begun_at: if ended { row::millis(now) } else { row.begun_at },
        restored: if ended { 1 } else { row.restored },
        ended_at: None,
        ending: None,
        listed_at: None,
        ..row.clone()
    }
}
