//! What a worker says of the lease it holds. A lease is still held if its
//! owner and fence stand in the row; nothing else is asked.

use super::whole_millis;
use crate::store::row::{self, Columns};
use crate::store::work::{Lease, Priority, Settlement};
use crate::store::{Store, StoreError, Transaction, commit, sql};
use jiff::Timestamp;
use std::time::Duration;

const SETTLING: &str = "settle a lease";

impl Store {
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

    /// The job is done, and is done again at `due`, then with `priority`,
    /// though nothing happens until then: a plan may change by time alone.
    ///
    /// # Errors
    /// As the database's.
    pub async fn finish_until(
        &self,
        lease: &Lease,
        due: Timestamp,
        priority: Priority,
    ) -> Result<Settlement, StoreError> {
        let mut transaction = self.write(SETTLING).await?;
        let held = sqlx::query(sql::FINISH_UNTIL)
            .bind(lease.kind.as_str())
            .bind(lease.subject)
            .bind(&*lease.owner)
            .bind(lease.fence)
            .bind(row::millis(due))
            .bind(priority.rank())
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::of(SETTLING))?
            .rows_affected()
            > 0;
        commit(transaction, SETTLING).await?;
        Ok(if held { Settlement::Again } else { Settlement::Lost })
    }

    /// One statement about a lease that is still held, with a moment as `$5`.
    async fn settle(&self, lease: &Lease, statement: &'static str, moment: i64) -> Result<bool, StoreError> {
        let mut transaction = self.write(SETTLING).await?;
        let held = settle_in(&mut transaction, lease, statement, moment).await;
        let held = held.map_err(StoreError::of(SETTLING))?;
        commit(transaction, SETTLING).await?;
        Ok(held)
    }
}

/// Lengthens a lease within the caller's transaction; `false` if it was lost.
pub(in crate::store) async fn renew_in(
    transaction: &mut Transaction,
    lease: &Lease,
    lease_for: Duration,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let until = row::millis(now).saturating_add(whole_millis(lease_for));
    settle_in(transaction, lease, sql::RENEW, until).await
}

async fn settle_in(
    transaction: &mut Transaction,
    lease: &Lease,
    statement: &'static str,
    moment: i64,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(statement)
        .bind(lease.kind.as_str())
        .bind(lease.subject)
        .bind(&*lease.owner)
        .bind(lease.fence)
        .bind(moment)
        .execute(&mut **transaction)
        .await?;
    Ok(done.rows_affected() > 0)
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
        .bind(Priority::Sweep.rank())
        .fetch_optional(&mut **transaction)
        .await?;
    Ok(match kept {
        None => Settlement::Lost,
        Some(row) if row.integer("generation")? == lease.generation => Settlement::Done,
        Some(_) => Settlement::Again,
    })
}
