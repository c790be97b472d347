//! How long what is stored is kept (threats §4, Retention; etiquette 4.10).
//!
//! Promises: (1) each row of the table below goes when its time is over, and
//! not before; (2) the ledger never goes: decisions, the audit, their chain and
//! the names they are about; (3) all in one commit.
//!
//! | what | for how long |
//! |---|---|
//! | the bodies of deliveries | 7 days; 30 on Enterprise Server, as its own record |
//! | their GUIDs and digests, and which are missing | 35 days |
//! | pull requests whose check run was asked for | 30 days after the last wish |
//! | jobs that are done | not at all |
//! | jobs that failed for good | 90 days |
//! | reports, grants, refusals, policies and registers after the App was removed | 30 days |
//! | what stood in a published file | 30 months after it no longer did |
//! | clones and views of a day, forks | 30 months; the sum of all clones, and one number of forks, stay |
//! | decisions, audit, and which exemptions were in force | for ever: the operator's to delete, not before 30 months |
//!
//! Sessions and comments are not stored by this version.

use super::{Store, StoreError, commit, row, sql};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// Bodies of deliveries, at least.
const BODIES: SignedDuration = SignedDuration::from_hours(7 * 24);
/// GUIDs and digests of deliveries, and those that are missing.
const GUIDS: SignedDuration = SignedDuration::from_hours(35 * 24);
/// Pull requests whose check run was asked for: as long as people may ask again.
const CHECKS: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Dead letters.
const DEAD_LETTERS: SignedDuration = SignedDuration::from_hours(90 * 24);
/// What stood in a published file, and what was counted.
const LISTINGS: SignedDuration = SignedDuration::from_hours(30 * 31 * 24);
/// What was found out about what is gone.
const RECORDS: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is kept for longer on some GitHubs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    bodies: SignedDuration,
}

impl Default for Retention {
    /// As on github.com.
    fn default() -> Retention {
        Retention { bodies: BODIES }
    }
}

impl Retention {
    /// On a GitHub whose own record of deliveries goes back that far: bodies
    /// stay as long, and a week at least.
    #[must_use]
    pub fn on(window: Duration) -> Retention {
        let window = SignedDuration::try_from(window).unwrap_or(SignedDuration::MAX);
        Retention { bodies: window.max(BODIES) }
    }
}

/// How many rows a pruning removed or emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Bodies of deliveries.
    pub bodies: u64,
    /// Deliveries.
    pub deliveries: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// What was found out about what is gone.
    pub records: u64,
}

impl Store {
    /// Deletes what is past its time.
    ///
    /// # Errors
    /// As the database's.
    pub async fn prune(&self, retention: Retention, now: Timestamp) -> Result<Pruned, StoreError> {
        const DOING: &str = "delete what is past its retention";
        let refused = StoreError::of(DOING);
        let mut transaction = self.write(DOING).await?;
        let mut pruned = Pruned::default();
        let Pruned { bodies, deliveries, dead_letters, records } = &mut pruned;
        for (statement, age, count) in [
            (sql::PRUNE_DELIVERIES, GUIDS, deliveries),
            (sql::PRUNE_BODIES, retention.bodies, bodies),
            (sql::PRUNE_DEAD, DEAD_LETTERS, dead_letters),
            (sql::PRUNE_REPORTS, RECORDS, records),
        ] {
            *count += self.past(&mut transaction, statement, age, now).await.map_err(&refused)?;
        }
        for (statement, age) in [
            (sql::PRUNE_MISSED, GUIDS),
            (sql::PRUNE_CHECKS, CHECKS),
            (sql::PRUNE_LISTINGS, LISTINGS),
            (sql::PRUNE_TRAFFIC, LISTINGS),
            (sql::PRUNE_SPANS, LISTINGS),
            (sql::PRUNE_POLLS, LISTINGS),
            (sql::PRUNE_FORKS, LISTINGS),
            (sql::PRUNE_SAID, CHECKS),
            (sql::PRUNE_GRANTS, RECORDS),
            (sql::PRUNE_POLICIES, RECORDS),
            (sql::PRUNE_POLICY_REFUSALS, RECORDS),
            (sql::PRUNE_REGISTERS, RECORDS),
            (sql::PRUNE_ENTRIES, RECORDS),
            (sql::PRUNE_REGISTER_REFUSALS, RECORDS),
            (sql::PRUNE_HELD, RECORDS),
            (sql::PRUNE_REFUSALS, RECORDS),
        ] {
            self.past(&mut transaction, statement, age, now).await.map_err(&refused)?;
        }
        commit(transaction, DOING).await?;
        Ok(pruned)
    }

    async fn past(
        &self,
        transaction: &mut super::Transaction,
        statement: &'static str,
        age: SignedDuration,
        now: Timestamp,
    ) -> Result<u64, sqlx::Error> {
        let before = row::millis(now).saturating_sub(age.as_millis() as i64);
        let done = sqlx::query(statement).bind(before).execute(&mut **transaction).await?;
        Ok(done.rows_affected())
    }
}
