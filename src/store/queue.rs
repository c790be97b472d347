//! The durable queue: one row a job, keyed by kind and subject.
//!
//! Promises: (1) nothing asked for is lost: a job leaves only when a run that
//! began after the last enqueue has finished, or as a dead letter that is
//! listed; (2) at most one lease on a subject at any time, whatever its kinds;
//! (3) an attempt is counted when it begins, so a job that kills its worker is
//! buried after [`super::MAX_ATTEMPTS`], whoever asks for it meanwhile; asked
//! for after that, it has one attempt (threats W6); (4) a lost lease changes
//! nothing; (5) the better priority goes first, and within one the installation
//! that was served least recently, then the earliest time.
//!
//! Subjects of different kinds share one number space. Should the id of an
//! installation equal a repository's, their jobs wait for each other; that is all.

use super::intake::Jobs;
use super::row::{self, Columns};
use super::work::{JobKind, NewJob, Priority};
use super::{Store, StoreError, commit, open, sql};
use jiff::Timestamp;
use std::time::Duration;

mod leasing;
mod listing;
mod settling;

pub use listing::QueueStanding;
pub(super) use settling::renew_in;

impl Store {
    /// Asks for jobs, all in one commit.
    ///
    /// # Errors
    /// As the database's.
    pub async fn enqueue(&self, jobs: &[NewJob], now: Timestamp) -> Result<(), StoreError> {
        const DOING: &str = "enqueue jobs";
        let mut merged = Jobs::default();
        merged.merge(jobs.iter(), row::millis(now));
        let mut transaction = self.write(DOING).await?;
        let turns = self.put_jobs(&mut transaction, &merged).await?;
        commit(transaction, DOING).await?;
        self.turns.remember(turns);
        Ok(())
    }

    /// Makes a job return every `every`, first at `now`. Said again, by this or
    /// another replica, it changes the period, and brings a next run that lies
    /// beyond it nearer.
    ///
    /// # Errors
    /// As the database's; [`StoreError::Newer`] if a newer Muster has changed
    /// the schema, and arms its own.
    pub async fn arm(
        &self,
        kind: JobKind,
        subject: i64,
        installation: i64,
        every: Duration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "arm a periodic job";
        let refused = StoreError::of(DOING);
        let mut transaction = self.write(DOING).await?;
        open::not_newer(open::version(&mut *transaction).await.map_err(&refused)?)?;
        let turns = self.turns.unknown(std::iter::once(installation));
        for installation in &turns {
            sqlx::query(sql::KNOW_TURNS)
                .bind(*installation)
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        sqlx::query(sql::ARM)
            .bind(kind.as_str())
            .bind(subject)
            .bind(installation)
            .bind(Priority::Sweep.rank())
            .bind(row::millis(now))
            .bind(whole_millis(every))
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        commit(transaction, DOING).await?;
        self.turns.remember(turns);
        Ok(())
    }

    /// The next moment at which [`Store::lease`] could have something, as far
    /// as the database knows: in the past if it has something now.
    ///
    /// # Errors
    /// As the database's.
    pub async fn next_run_at(&self) -> Result<Option<Timestamp>, StoreError> {
        sqlx::query(sql::NEXT_RUN_AT)
            .fetch_one(&self.reader)
            .await
            .and_then(|row| row.maybe_time("moment"))
            .map_err(StoreError::of("ask when the next job is due"))
    }
}

fn whole_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
