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
use super::work::{Job, JobFilter, JobKind, JobState, Lease, NewJob, Priority, Settlement};
use super::{Store, StoreError, Transaction, commit, sql, take_number};
use jiff::Timestamp;
use sqlx::any::AnyRow;
use std::time::Duration;

const LEASING: &str = "lease a job";
const SETTLING: &str = "settle a lease";
const LISTING: &str = "list jobs";

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
        let turns = self.put_jobs(&mut transaction, merged.0.values()).await?;
        commit(transaction, DOING).await?;
        self.remember_turns(turns);
        Ok(())
    }

    /// Makes a job return every `every`, first at `now`. Said again, by this or
    /// another replica, it changes the period only.
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
        let turns = self.unknown_turns(std::iter::once(installation));
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
        self.remember_turns(turns);
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

    /// Lengthens a lease to `lease_for` from now; `false` if it was lost, and
    /// the run must stop.
    ///
    /// # Errors
    /// As the database's.
    pub async fn renew(
        &self,
        lease: &Lease,
        lease_for: Duration,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let until = row::millis(now).saturating_add(whole_millis(lease_for));
        self.settle(lease, sql::RENEW, until).await
    }

    /// The job is done: it leaves, unless it was asked for again meanwhile.
    ///
    /// # Errors
    /// As the database's.
    pub async fn finish(&self, lease: &Lease, now: Timestamp) -> Result<Settlement, StoreError> {
        let refused = StoreError::of(SETTLING);
        let mut transaction = self.write(SETTLING).await?;
        let settlement = finish_in(&mut transaction, lease, now).await.map_err(&refused)?;
        commit(transaction, SETTLING).await?;
        Ok(settlement)
    }

    /// The attempt failed: again not before `retry_at`, or dead after the last.
    ///
    /// # Errors
    /// As the database's.
    pub async fn fail(
        &self,
        lease: &Lease,
        error: &str,
        retry_at: Timestamp,
        now: Timestamp,
    ) -> Result<Settlement, StoreError> {
        let refused = StoreError::of(SETTLING);
        let mut transaction = self.write(SETTLING).await?;
        let row = sqlx::query(sql::FAIL)
            .bind(row::millis(now))
            .bind(row::millis(retry_at))
            .bind(row::text(error))
            .bind(lease.kind.as_str())
            .bind(lease.subject)
            .bind(&*lease.owner)
            .bind(lease.fence)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(&refused)?;
        let settlement = match row {
            None => Settlement::Lost,
            Some(row) => match row.maybe_integer("dead_at").map_err(&refused)? {
                Some(_) => Settlement::Dead,
                None => Settlement::Again,
            },
        };
        commit(transaction, SETTLING).await?;
        Ok(settlement)
    }

    /// Gives the job back until `run_at` without counting the attempt: GitHub's
    /// limit is reached, or the creation window is closed.
    ///
    /// # Errors
    /// As the database's.
    pub async fn release(&self, lease: &Lease, run_at: Timestamp) -> Result<Settlement, StoreError> {
        self.settle(lease, sql::RELEASE, row::millis(run_at))
            .await
            .map(|held| if held { Settlement::Again } else { Settlement::Lost })
    }

    /// One statement about a lease that is still held, with a moment as `$5`.
    async fn settle(&self, lease: &Lease, statement: &'static str, moment: i64) -> Result<bool, StoreError> {
        let mut transaction = self.write(SETTLING).await?;
        let held = sqlx::query(statement)
            .bind(lease.kind.as_str())
            .bind(lease.subject)
            .bind(&*lease.owner)
            .bind(lease.fence)
            .bind(moment)
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::of(SETTLING))?
            .rows_affected()
            > 0;
        commit(transaction, SETTLING).await?;
        Ok(held)
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

    /// Holds all jobs of an installation, also those still to come; what runs
    /// is not interrupted.
    ///
    /// # Errors
    /// As the database's.
    pub async fn park(&self, installation: i64, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        const DOING: &str = "park an installation";
        let mut transaction = self.write(DOING).await?;
        sqlx::query(sql::PARK)
            .bind(installation)
            .bind(row::text(reason))
            .bind(row::millis(now))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::of(DOING))?;
        commit(transaction, DOING).await
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

    /// Removes every job of an installation that is gone, running ones too:
    /// their leases are lost. Answers how many there were.
    ///
    /// # Errors
    /// As the database's.
    pub async fn drop_jobs(&self, installation: i64) -> Result<u64, StoreError> {
        self.change_jobs("drop an installation's jobs", sqlx::query(sql::DROP_JOBS).bind(installation)).await
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
}

async fn finish_in(
    transaction: &mut Transaction,
    lease: &Lease,
    now: Timestamp,
) -> Result<Settlement, sqlx::Error> {
    let gone = sqlx::query(sql::FINISH)
        .bind(lease.kind.as_str())
        .bind(lease.subject)
        .bind(&*lease.owner)
        .bind(lease.fence)
        .execute(&mut **transaction)
        .await?
        .rows_affected();
    if gone > 0 {
        return Ok(Settlement::Done);
    }
    let kept = sqlx::query(sql::FINISH_AND_KEEP)
        .bind(lease.kind.as_str())
        .bind(lease.subject)
        .bind(&*lease.owner)
        .bind(lease.fence)
        .bind(row::millis(now))
        .fetch_optional(&mut **transaction)
        .await?;
    Ok(match kept {
        None => Settlement::Lost,
        Some(row) if row.integer("generation")? == lease.generation => Settlement::Done,
        Some(_) => Settlement::Again,
    })
}

fn leased(row: &AnyRow, kind: JobKind, subject: i64, fence: i64, owner: &str) -> Result<Lease, sqlx::Error> {
    Ok(Lease {
        kind,
        subject,
        installation: row.integer("installation")?,
        cause: row.text("cause")?,
        enqueued_at: row.time("enqueued_at")?,
        generation: row.integer("generation")?,
        fence,
        attempts: row.integer("attempts")?,
        owner: owner.to_owned(),
    })
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
    Ok(if run_at > now { JobState::Waiting } else { JobState::Ready })
}

fn whole_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
