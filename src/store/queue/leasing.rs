//! How a worker comes to hold a job, and how jobs of workers that stopped
//! become free again.

use super::super::intake::Jobs;
use super::super::open::not_newer;
use super::whole_millis;
use crate::store::row::{self, Columns};
use crate::store::work::{JobKind, Lease, NewJob, Priority, Which};
use crate::store::{Store, StoreError, Transaction, commit, sql, take_number};
use jiff::Timestamp;
use sqlx::any::AnyRow;
use std::time::Duration;

const LEASING: &str = "lease a job";

impl Store {
    /// Takes the job whose turn it is, for `lease_for`; `None` if nothing can
    /// be taken now ([`Store::next_run_at`] says when to ask again). Leases that
    /// have ended are taken back first.
    ///
    /// # Errors
    /// As the database's; [`StoreError::Newer`] if a newer Muster has changed
    /// the schema, and nothing was taken.
    pub async fn lease(
        &self,
        owner: &str,
        lease_for: Duration,
        now: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        match self.lease_one(Which::Sound, owner, lease_for, now).await? {
            Some(lease) => Ok(Some(lease)),
            None => self.lease_one(Which::Troubled, owner, lease_for, now).await,
        }
    }

    /// Like [`Store::lease`], of these jobs only.
    ///
    /// # Errors
    /// As [`Store::lease`].
    pub async fn lease_one(
        &self,
        which: Which,
        owner: &str,
        lease_for: Duration,
        now: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        // Asked without a lock first: an idle worker writes nothing.
        if !self.anything_to_lease(which, now).await? {
            return Ok(None);
        }
        let at = row::millis(now);
        let mut transaction = self.write(LEASING).await?;
        // Whoever leases holds this number to the end: leasers go one by one.
        let fence = take_number(&mut transaction, "fence", LEASING).await?;
        self.reap(&mut transaction, at).await?;
        let until = at.saturating_add(whole_millis(lease_for));
        let lease = loop {
            let Some((kind, subject)) = self.candidate(&mut transaction, which, at, fence).await? else {
                break None;
            };
            match kind.parse::<JobKind>() {
                Ok(kind) => break Some(take(&mut transaction, kind, subject, owner, until, fence).await?),
                // Written by another version: a dead letter, and the next one's turn.
                Err(()) => {
                    sqlx::query(sql::BURY)
                        .bind(&*kind)
                        .bind(subject)
                        .bind(at)
                        .bind("this version does not know this kind of job; retry it with the version that enqueued it")
                        .execute(&mut *transaction)
                        .await
                        .map_err(StoreError::of(LEASING))?;
                }
            }
        };
        commit(transaction, LEASING).await?;
        Ok(lease)
    }

    /// Asks for a job and takes it at once, whoever's turn it is: a person
    /// waits for it in this process. `None` if somebody holds its subject; then
    /// nothing was asked for.
    ///
    /// # Errors
    /// As the database's.
    pub async fn claim(
        &self,
        job: &NewJob,
        owner: &str,
        lease_for: Duration,
        now: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        let at = row::millis(now);
        let mut transaction = self.write(LEASING).await?;
        let fence = take_number(&mut transaction, "fence", LEASING).await?;
        self.reap(&mut transaction, at).await?;
        let held = sqlx::query(sql::HELD_BY_ANYBODY)
            .bind(job.subject)
            .fetch_one(&mut *transaction)
            .await
            .and_then(|row| row.integer("held"))
            .map_err(StoreError::of(LEASING))?;
        if held > 0 {
            return Ok(None);
        }
        let mut wish = Jobs::default();
        wish.merge(std::iter::once(job), at);
        let turns = self.put_jobs(&mut transaction, &wish).await?;
        let until = at.saturating_add(whole_millis(lease_for));
        let lease = take(&mut transaction, job.kind, job.subject, owner, until, fence).await?;
        commit(transaction, LEASING).await?;
        self.turns.remember(turns);
        Ok(Some(lease))
    }

    /// Frees the jobs that an earlier process held under this name, which is
    /// now ours: they need not wait for the end of their leases. How many.
    ///
    /// # Errors
    /// As the database's.
    pub async fn take_back(&self, owner: &str, now: Timestamp) -> Result<u64, StoreError> {
        const DOING: &str = "take back the leases of an earlier process";
        let at = row::millis(now);
        let mut transaction = self.write(DOING).await?;
        let freed = sqlx::query(sql::REAP_OWNER)
            .bind(at)
            .bind(at)
            .bind(row::text(owner))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::of(DOING))?
            .rows_affected();
        commit(transaction, DOING).await?;
        Ok(freed)
    }

    /// Whether [`Store::lease_one`] could have something now.
    ///
    /// # Errors
    /// As [`Store::lease`].
    pub async fn anything_to_lease(&self, which: Which, now: Timestamp) -> Result<bool, StoreError> {
        let refused = StoreError::of(LEASING);
        let turn = sqlx::query(whose_turn(which))
            .bind(row::millis(now))
            .fetch_optional(&self.reader)
            .await
            .map_err(&refused)?;
        if let Some(turn) = turn {
            not_newer(turn.integer("version").map_err(&refused)?)?;
            return Ok(true);
        }
        let (expired, version) = sqlx::query(sql::EXPIRED)
            .bind(row::millis(now))
            .fetch_one(&self.reader)
            .await
            .and_then(|row| Ok((row.integer("expired")?, row.integer("version")?)))
            .map_err(&refused)?;
        not_newer(version)?;
        Ok(expired > 0)
    }

    /// Takes ended leases back.
    async fn reap(&self, transaction: &mut Transaction, at: i64) -> Result<(), StoreError> {
        sqlx::query(self.dialect.reap())
            .bind(at)
            .bind(at)
            .execute(&mut **transaction)
            .await
            .map(|_| ())
            .map_err(StoreError::of(LEASING))
    }

    /// Kind and subject of the job whose turn it is, its installation sent to
    /// the back of its priority.
    async fn candidate(
        &self,
        transaction: &mut Transaction,
        which: Which,
        at: i64,
        fence: i64,
    ) -> Result<Option<(String, i64)>, StoreError> {
        let refused = StoreError::of(LEASING);
        let Some(turn) = sqlx::query(whose_turn(which))
            .bind(at)
            .fetch_optional(&mut **transaction)
            .await
            .map_err(&refused)?
        else {
            return Ok(None);
        };
        not_newer(turn.integer("version").map_err(&refused)?)?;
        let installation = turn.integer("installation").map_err(&refused)?;
        let priority = turn.integer("priority").map_err(&refused)?;
        let Some(row) = sqlx::query(self.dialect.candidate(which))
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
}

fn whose_turn(which: Which) -> &'static str {
    match which {
        Which::Sound => sql::WHOSE_TURN_OF_SOUND,
        Which::Troubled => sql::WHOSE_TURN_OF_TROUBLED,
    }
}

/// Puts a job into a worker's hands; its attempt is counted.
async fn take(
    transaction: &mut Transaction,
    kind: JobKind,
    subject: i64,
    owner: &str,
    until: i64,
    fence: i64,
) -> Result<Lease, StoreError> {
    let owner = row::text(owner);
    sqlx::query(sql::TAKE)
        .bind(kind.as_str())
        .bind(subject)
        .bind(&*owner)
        .bind(until)
        .bind(fence)
        .fetch_one(&mut **transaction)
        .await
        .and_then(|row| leased(&row, kind, subject, fence, owner))
        .map_err(StoreError::of(LEASING))
}

fn leased(
    row: &AnyRow,
    kind: JobKind,
    subject: i64,
    fence: i64,
    owner: String,
) -> Result<Lease, sqlx::Error> {
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
        crashes: row.integer("crashes")?,
        owner,
    })
}
