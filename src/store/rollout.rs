//! How far what is in force was rolled out in an account (threats O10). What
//! is in force is told by the digest of what all its repositories share, so
//! that going back to an earlier policy goes back to its count too.

use super::ledger::{NewAudit, note};
use super::row::{self, Columns};
use super::{NewJob, Store, StoreError, commit, sql};
use crate::domain::repository::{AccountId, InstallationId};
use crate::domain::rollout::Rollout;
use jiff::Timestamp;

const DOING: &str = "keep the rollout of a policy";

impl Store {
    /// The rollout of what is in force; the default if it was never begun.
    ///
    /// # Errors
    /// As the database's.
    pub async fn rollout(&self, account: AccountId, common: &str) -> Result<Rollout, StoreError> {
        let refused = StoreError::of(DOING);
        let row = sqlx::query(sql::ROLLOUT)
            .bind(row::number(account.0))
            .bind(common)
            .fetch_optional(&self.reader)
            .await
            .map_err(&refused)?;
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let Some(row) = row else { return Ok(Rollout::default()) };
        let read = || -> Result<Rollout, sqlx::Error> {
            Ok(Rollout {
                began_at: Some(row.time("began_at")?),
                created: small(row.number("created")?),
                wanted: row.maybe_number("wanted")?.map(small),
                approved: row.maybe_integer("approved_at")?.is_some(),
            })
        };
        read().map_err(refused)
    }

    /// Begins a rollout, if it was never begun.
    ///
    /// # Errors
    /// As the database's.
    pub async fn begin_rollout(
        &self,
        account: AccountId,
        common: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let query =
            sqlx::query(sql::BEGIN_ROLLOUT).bind(row::number(account.0)).bind(common).bind(row::millis(now));
        self.change(DOING, query).await
    }

    /// Notes how much a rollout asks for, the first time this is known.
    ///
    /// # Errors
    /// As the database's.
    pub async fn size_rollout(
        &self,
        account: AccountId,
        common: &str,
        wanted: u64,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(sql::SIZE_ROLLOUT)
            .bind(row::number(account.0))
            .bind(common)
            .bind(row::number(wanted));
        self.change(DOING, query).await
    }

    /// A person has seen the numbers and agrees: audited, and what waited is
    /// looked at again by `job`, in one commit. `false` if it was agreed to
    /// before, or never begun.
    ///
    /// # Errors
    /// As the database's.
    pub async fn approve_rollout(
        &self,
        (account, installation): (AccountId, InstallationId),
        common: &str,
        audit: &NewAudit,
        job: &NewJob,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let refused = StoreError::of(DOING);
        let mut transaction = self.write(DOING).await?;
        let approved = sqlx::query(sql::APPROVE_ROLLOUT)
            .bind(row::number(account.0))
            .bind(common)
            .bind(row::millis(now))
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?
            .rows_affected();
        if approved == 0 {
            return Ok(false);
        }
        sqlx::query(sql::MARK_WANTING)
            .bind(row::number(installation.0))
            .bind(row::millis(now))
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        note(&mut transaction, std::slice::from_ref(audit), now).await?;
        let mut jobs = super::intake::Jobs::default();
        jobs.merge(std::iter::once(job), row::millis(now));
        let turns = self.put_jobs(&mut transaction, &jobs).await?;
        commit(transaction, DOING).await?;
        self.turns.remember(turns);
        Ok(true)
    }
}
