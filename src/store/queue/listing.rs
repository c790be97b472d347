//! What people see of the queue, and how they hold, free and retry jobs.

use crate::store::row::{self, Columns};
use crate::store::work::{Job, JobFilter, JobState, Priority};
use crate::store::{Store, StoreError, commit, sql};
use jiff::Timestamp;
use sqlx::any::AnyRow;
use std::time::Duration;

const LISTING: &str = "list jobs";

/// How many jobs there are, by what they are doing; periodic ones count too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueStanding {
    /// Could run now.
    pub ready: u64,
    /// Their time has not come.
    pub waiting: u64,
    /// A worker has them.
    pub running: u64,
    /// Of an installation whose jobs are held.
    pub parked: u64,
    /// Failed for good.
    pub dead: u64,
    /// Since when the oldest of those that are ready could run.
    pub oldest_ready: Option<Timestamp>,
}

impl Store {
    /// How the queue stands.
    ///
    /// # Errors
    /// As the database's.
    pub async fn queue_standing(&self, now: Timestamp) -> Result<QueueStanding, StoreError> {
        let read = |row: AnyRow| {
            Ok(QueueStanding {
                ready: row.number("ready")?,
                waiting: row.number("waiting")?,
                running: row.number("running")?,
                parked: row.number("parked")?,
                dead: row.number("dead")?,
                oldest_ready: row.maybe_time("oldest_ready")?,
            })
        };
        sqlx::query(sql::QUEUE_STANDING)
            .bind(row::millis(now))
            .fetch_one(&self.reader)
            .await
            .and_then(read)
            .map_err(StoreError::of("count jobs"))
    }

    /// At most `limit` jobs with what they are doing, best priority first.
    ///
    /// # Errors
    /// As the database's, and [`StoreError::Row`] for a rank that is none.
    pub async fn jobs(&self, filter: JobFilter, limit: u32, now: Timestamp) -> Result<Vec<Job>, StoreError> {
        self.list_jobs(filter, false, limit, now).await
    }

    /// At most `limit` dead letters.
    ///
    /// # Errors
    /// As [`Store::jobs`].
    pub async fn dead(&self, limit: u32, now: Timestamp) -> Result<Vec<Job>, StoreError> {
        self.list_jobs(JobFilter::default(), true, limit, now).await
    }

    async fn list_jobs(
        &self,
        filter: JobFilter,
        dead_only: bool,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Job>, StoreError> {
        let rows = sqlx::query(sql::JOBS)
            .bind(filter.installation)
            .bind(filter.subject)
            .bind(i64::from(dead_only))
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await
            .map_err(StoreError::of(LISTING))?;
        rows.iter().map(|row| listed(row, now)).collect()
    }

    /// How many jobs wait or run, dead letters and periodic ones aside.
    ///
    /// # Errors
    /// As the database's.
    pub async fn job_count(&self) -> Result<u64, StoreError> {
        sqlx::query(sql::COUNT_JOBS)
            .fetch_one(&self.reader)
            .await
            .and_then(|row| row.number("jobs"))
            .map_err(StoreError::of("count jobs"))
    }

    /// Holds all jobs of an installation, also those still to come; what runs
    /// is not interrupted.
    ///
    /// # Errors
    /// As the database's.
    pub async fn park(&self, installation: i64, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query(sql::PARK).bind(installation).bind(row::text(reason)).bind(row::millis(now));
        self.change("park an installation", query).await
    }

    /// Lets an installation's jobs go on; `false` if they were not parked.
    ///
    /// # Errors
    /// As the database's.
    pub async fn unpark(&self, installation: i64) -> Result<bool, StoreError> {
        self.change_jobs("unpark an installation", sqlx::query(sql::UNPARK).bind(installation))
            .await
            .map(|rows| rows > 0)
    }

    /// Brings a dead letter back to run at `now`, attempts at nought; `false`
    /// if there is none of that key. The kind is a word, since a dead letter
    /// may be of one this version does not know.
    ///
    /// # Errors
    /// As the database's.
    pub async fn retry_dead(&self, kind: &str, subject: i64, now: Timestamp) -> Result<bool, StoreError> {
        self.change_jobs(
            "retry a dead letter",
            sqlx::query(sql::RETRY_DEAD).bind(row::text(kind)).bind(subject).bind(row::millis(now)),
        )
        .await
        .map(|rows| rows > 0)
    }

    async fn change_jobs(
        &self,
        doing: &'static str,
        query: sqlx::query::Query<'_, sqlx::Any, sqlx::any::AnyArguments>,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.write(doing).await?;
        let done = query.execute(&mut *transaction).await.map_err(StoreError::of(doing))?;
        commit(transaction, doing).await?;
        Ok(done.rows_affected())
    }
}

fn listed(row: &AnyRow, now: Timestamp) -> Result<Job, StoreError> {
    let refused = StoreError::of(LISTING);
    let kind = row.text("kind").map_err(&refused)?;
    let subject = row.integer("subject").map_err(&refused)?;
    let rank = row.integer("priority").map_err(&refused)?;
    let priority = Priority::of(rank).ok_or_else(|| StoreError::Row {
        table: "work",
        key: format!("{kind} {subject}"),
        problem: format!("{rank} is no priority"),
    })?;
    let read = || -> Result<Job, sqlx::Error> {
        let run_at = row.time("run_at")?;
        Ok(Job {
            kind,
            subject,
            installation: row.integer("installation")?,
            priority,
            run_at,
            enqueued_at: row.time("enqueued_at")?,
            cause: row.text("cause")?,
            attempts: row.integer("attempts")?,
            error: row.maybe_text("error")?,
            every: row
                .maybe_integer("every")?
                .map(|every| Duration::from_millis(every.max(0).unsigned_abs())),
            state: state(row, run_at, now)?,
        })
    };
    read().map_err(refused)
}

fn state(row: &AnyRow, run_at: Timestamp, now: Timestamp) -> Result<JobState, sqlx::Error> {
    if let Some(since) = row.maybe_time("dead_at")? {
        return Ok(JobState::Dead { since });
    }
    if let (Some(owner), Some(until)) = (row.maybe_text("owner")?, row.maybe_time("lease_until")?) {
        return Ok(JobState::Running { owner, until });
    }
    if let Some(reason) = row.maybe_text("parked")? {
        return Ok(JobState::Parked { reason });
    }
    if let Some(until) = row.maybe_time("paused_until")?.filter(|until| *until > now) {
        return Ok(JobState::Parked { reason: format!("GitHub asks to wait until {until:.0}") });
    }
    Ok(if run_at > now { JobState::Waiting } else { JobState::Ready })
}
