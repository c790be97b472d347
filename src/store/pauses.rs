//! Pauses: where nothing may be written, by an operator's word.
//!
//! Promises: (1) a pause and its end are in the audit, with who said so, in one
//! commit with the fact; (2) it holds for every replica from that commit on;
//! (3) what it held back is wanted again at its end, all of it, in the same
//! commit.

use super::ledger::{NewAudit, note};
use super::row::{self, Columns};
use super::work::{JobKind, NewJob, Priority};
use super::{Store, StoreError, commit, intake, sql};
use crate::domain::repository::{AccountId, RepositoryId};
use jiff::Timestamp;
use sqlx::any::AnyRow;

/// What a pause is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Every account.
    All,
    /// One account.
    Account(AccountId),
}

impl Scope {
    fn stored(self) -> i64 {
        match self {
            Scope::All => 0,
            Scope::Account(account) => row::number(account.0),
        }
    }

    fn of(stored: u64) -> Scope {
        if stored == 0 { Scope::All } else { Scope::Account(AccountId(stored)) }
    }
}

/// A pause that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// What it is about.
    pub scope: Scope,
    /// Who said so: a user of the operator's machine, or the stop file.
    pub by: String,
    /// Why, in the operator's words; may be empty.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

/// What pauses hold back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// In how many repositories.
    pub repositories: u64,
    /// How many changes.
    pub changes: u64,
}

const PAUSING: &str = "pause or resume writing";
const READING: &str = "read what is paused";
const HOLDING: &str = "note what a pause holds back";

impl Store {
    /// Stops writing; `false` if it was stopped before, which then stays as it
    /// was.
    ///
    /// # Errors
    /// As the database's.
    pub async fn pause(
        &self,
        scope: Scope,
        by: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write(PAUSING).await?;
        let paused = sqlx::query(sql::PAUSE)
            .bind(scope.stored())
            .bind(row::text(by))
            .bind(row::text(reason))
            .bind(row::millis(now))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::of(PAUSING))?;
        if paused.rows_affected() == 0 {
            return Ok(false);
        }
        note(&mut transaction, &[entry(scope, "writing_paused", by, reason)], now).await?;
        commit(transaction, PAUSING).await?;
        Ok(true)
    }

    /// Lets writing go on, and wants again what was held back; `false` if it
    /// was not stopped.
    ///
    /// # Errors
    /// As the database's.
    pub async fn resume(&self, scope: Scope, by: &str, now: Timestamp) -> Result<bool, StoreError> {
        let refused = StoreError::of(PAUSING);
        let mut transaction = self.write(PAUSING).await?;
        let resumed = sqlx::query(sql::RESUME).bind(scope.stored()).execute(&mut *transaction).await;
        if resumed.map_err(&refused)?.rows_affected() == 0 {
            return Ok(false);
        }
        let held = sqlx::query(sql::HELD).bind(scope.stored()).fetch_all(&mut *transaction).await;
        let jobs: Vec<NewJob> = held
            .map_err(&refused)?
            .iter()
            .map(|row| {
                Ok(NewJob {
                    kind: JobKind::InspectRepository,
                    subject: row.integer("id")?,
                    installation: row.integer("installation")?,
                    priority: Priority::Sweep,
                    run_at: now,
                    cause: "resume".to_owned(),
                })
            })
            .collect::<Result<_, sqlx::Error>>()
            .map_err(&refused)?;
        let mut merged = intake::Jobs::default();
        merged.merge(jobs.iter(), row::millis(now));
        let turns = self.put_jobs(&mut transaction, &merged).await?;
        note(&mut transaction, &[entry(scope, "writing_resumed", by, "")], now).await?;
        commit(transaction, PAUSING).await?;
        self.turns.remember(turns);
        Ok(true)
    }

    /// Every pause that holds, that of all first.
    ///
    /// # Errors
    /// As the database's.
    pub async fn pauses(&self) -> Result<Vec<Pause>, StoreError> {
        let rows = sqlx::query(sql::PAUSES).fetch_all(&self.reader).await;
        rows.and_then(|rows| rows.iter().map(pause).collect()).map_err(StoreError::of(READING))
    }

    /// The pause that holds for an account, if one does.
    ///
    /// # Errors
    /// As the database's.
    pub async fn paused(&self, account: AccountId) -> Result<Option<Pause>, StoreError> {
        let row = sqlx::query(sql::PAUSED).bind(row::number(account.0)).fetch_optional(&self.reader).await;
        row.and_then(|row| row.as_ref().map(pause).transpose()).map_err(StoreError::of(READING))
    }

    /// Notes how many changes a pause holds back in a repository; none, once
    /// nothing is.
    ///
    /// # Errors
    /// As the database's.
    pub async fn hold_changes(
        &self,
        repository: RepositoryId,
        account: AccountId,
        changes: usize,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let refused = StoreError::of(HOLDING);
        let id = row::number(repository.0);
        // Asked without a lock first: nearly always nothing was and is held.
        if changes == 0 {
            let held = sqlx::query(sql::IS_HELD).bind(id).fetch_one(&self.reader).await;
            if held.and_then(|row| row.integer("held")).map_err(&refused)? == 0 {
                return Ok(());
            }
        }
        let mut transaction = self.write(HOLDING).await?;
        let query = if changes == 0 {
            sqlx::query(sql::RELEASE_HELD).bind(id)
        } else {
            sqlx::query(sql::HOLD)
                .bind(id)
                .bind(row::number(account.0))
                .bind(i64::try_from(changes).unwrap_or(i64::MAX))
                .bind(row::millis(now))
        };
        query.execute(&mut *transaction).await.map_err(&refused)?;
        commit(transaction, HOLDING).await
    }

    /// What is held back.
    ///
    /// # Errors
    /// As the database's.
    pub async fn held(&self, scope: Scope) -> Result<Held, StoreError> {
        sqlx::query(sql::COUNT_HELD)
            .bind(scope.stored())
            .fetch_one(&self.reader)
            .await
            .and_then(|row| {
                Ok(Held { repositories: row.number("repositories")?, changes: row.number("changes")? })
            })
            .map_err(StoreError::of(READING))
    }
}

fn pause(row: &AnyRow) -> Result<Pause, sqlx::Error> {
    Ok(Pause {
        scope: Scope::of(row.number("account")?),
        by: row.text("paused_by")?,
        reason: row.text("reason")?,
        since: row.time("since")?,
    })
}

fn entry(scope: Scope, what: &str, by: &str, reason: &str) -> NewAudit {
    let mut detail = serde_json::json!({ "by": by });
    match scope {
        Scope::All => detail["all"] = true.into(),
        Scope::Account(account) => detail["account"] = account.0.into(),
    }
    if !reason.is_empty() {
        detail["reason"] = reason.into();
    }
    NewAudit {
        installation: None,
        repository: None,
        actor: None,
        what: what.to_owned(),
        detail: detail.to_string(),
    }
}
