//! The durable queue: one row a job, keyed by kind and subject.
//!
//! Promises: (1) nothing asked for is lost: a job leaves only when a run that
//! began after the last enqueue has finished, or as a dead letter that is
//! listed; (2) at most one lease on a subject at any time, whatever its kinds;
//! (3) an attempt is counted when it begins, so a job that kills its worker is
//! buried after [`super::MAX_ATTEMPTS`]; (4) a lost lease changes nothing;
//! (5) the better priority goes first, and within one the installation that
//! was served least recently, then the earliest time.
//!
//! Subjects of different kinds share one number space. Should the id of an
//! installation equal a repository's, their jobs wait for each other; that is all.

use super::intake::Jobs;
use super::row::{self, Columns};
use super::work::{JobKind, Lease, NewJob, Priority};
use super::{Store, StoreError, Transaction, commit, sql, take_number};
use jiff::Timestamp;
use sqlx::any::AnyRow;
use std::time::Duration;

mod listing;
mod settling;

pub use listing::QueueStanding;

const LEASING: &str = "lease a job";

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
    /// As the database's.
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

    /// Takes the job whose turn it is, for `lease_for`; `None` if nothing can
    /// be taken now ([`Store::next_run_at`] says when to ask again). Leases that
    /// have ended are taken back first.
    ///
    /// # Errors
    /// As the database's.
    pub async fn lease(
        &self,
        owner: &str,
        lease_for: Duration,
        now: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        // Asked without a lock first: an idle worker writes nothing.
        if !self.anything_to_lease(now).await? {
            return Ok(None);
        }
        let at = row::millis(now);
        let mut transaction = self.write(LEASING).await?;
        // Whoever leases holds this number to the end: leasers go one by one.
        let fence = take_number(&mut transaction, "fence", LEASING).await?;
        let refused = StoreError::of(LEASING);
        sqlx::query(sql::REAP).bind(at).bind(at).execute(&mut *transaction).await.map_err(&refused)?;
        let owner = row::text(owner);
        let until = at.saturating_add(whole_millis(lease_for));
        let lease = loop {
            let Some((kind, subject)) = self.candidate(&mut transaction, at, fence).await? else {
                break None;
            };
            match kind.parse::<JobKind>() {
                Ok(kind) => {
                    let row = sqlx::query(sql::TAKE)
                        .bind(kind.as_str())
                        .bind(subject)
                        .bind(&*owner)
                        .bind(until)
                        .bind(fence)
                        .fetch_one(&mut *transaction)
                        .await
                        .map_err(&refused)?;
                    break Some(leased(&row, kind, subject, fence, &owner).map_err(&refused)?);
                }
                // Written by another version: a dead letter, and the next one's turn.
                Err(()) => {
                    sqlx::query(sql::BURY)
                        .bind(&*kind)
                        .bind(subject)
                        .bind(at)
                        .bind("this version does not know this kind of job; retry it with the version that enqueued it")
                        .execute(&mut *transaction)
                        .await
                        .map_err(&refused)?;
                }
            }
        };
        commit(transaction, LEASING).await?;
        Ok(lease)
    }

    async fn anything_to_lease(&self, now: Timestamp) -> Result<bool, StoreError> {
        let refused = StoreError::of(LEASING);
        let turn = sqlx::query(sql::WHOSE_TURN)
            .bind(row::millis(now))
            .fetch_optional(&self.reader)
            .await
            .map_err(&refused)?;
        if turn.is_some() {
            return Ok(true);
        }
        sqlx::query(sql::EXPIRED)
            .bind(row::millis(now))
            .fetch_one(&self.reader)
            .await
            .and_then(|row| row.integer("expired"))
            .map(|expired| expired > 0)
            .map_err(&refused)
    }

    /// Kind and subject of the job whose turn it is, its installation sent to
    /// the back of its priority.
    async fn candidate(
        &self,
        transaction: &mut Transaction,
        at: i64,
        fence: i64,
    ) -> Result<Option<(String, i64)>, StoreError> {
        let refused = StoreError::of(LEASING);
        let Some(turn) = sqlx::query(sql::WHOSE_TURN)
            .bind(at)
            .fetch_optional(&mut **transaction)
            .await
            .map_err(&refused)?
        else {
            return Ok(None);
        };
        let installation = turn.integer("installation").map_err(&refused)?;
        let priority = turn.integer("priority").map_err(&refused)?;
        let Some(row) = sqlx::query(self.dialect.candidate())
            .bind(installation)
            .bind(priority)
            .bind(at)
            .fetch_optional(&mut **transaction)
            .await
            .map_err(&refused)?
        else {
            return Ok(None);
        };
        sqlx::query(sql::SERVED)
            .bind(installation)
            .bind(priority)
            .bind(fence)
            .execute(&mut **transaction)
            .await
            .map_err(&refused)?;
        Ok(Some((row.text("kind").map_err(&refused)?, row.integer("subject").map_err(&refused)?)))
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

fn leased(row: &AnyRow, kind: JobKind, subject: i64, fence: i64, owner: &str) -> Result<Lease, sqlx::Error> {
    Ok(Lease {
        kind,
        subject,
        installation: row.integer("installation")?,
        priority: Priority::of(row.integer("priority")?)
            .ok_or_else(|| sqlx::Error::Decode("a priority of this job is unknown".into()))?,
        cause: row.text("cause")?,
        enqueued_at: row.time("enqueued_at")?,
        generation: row.integer("generation")?,
        fence,
        attempts: row.integer("attempts")?,
        owner: owner.to_owned(),
    })
}

fn whole_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
