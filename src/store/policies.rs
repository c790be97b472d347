//! The policy of each account: the last good one, and why a later one was
//! refused. A refusal never takes the good one away.

use super::row::{self, Columns};
use super::{Store, StoreError, commit, sql};
use crate::domain::repository::AccountId;
use jiff::Timestamp;

/// A policy that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenPolicy {
    /// The file's git object id.
    pub oid: String,
    /// Digest of what it means.
    pub digest: String,
    /// The file's text.
    pub text: String,
    /// Since when it is in force.
    pub taken_at: Timestamp,
}

/// A policy that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRefusal {
    /// The file's git object id.
    pub oid: String,
    /// Why, for people.
    pub why: String,
    /// When it was refused.
    pub refused_at: Timestamp,
}

/// What is known of an account's policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountPolicy {
    /// The last good one.
    pub taken: Option<TakenPolicy>,
    /// A later one that was refused.
    pub refused: Option<PolicyRefusal>,
}

impl Store {
    /// The policy of an account.
    ///
    /// # Errors
    /// As the database's.
    pub async fn policy(&self, account: AccountId) -> Result<AccountPolicy, StoreError> {
        let failed = StoreError::of("read a policy");
        let taken = sqlx::query(sql::POLICY)
            .bind(row::number(account.0))
            .fetch_optional(&self.reader)
            .await
            .map_err(&failed)?;
        let refused = sqlx::query(sql::POLICY_REFUSAL)
            .bind(row::number(account.0))
            .fetch_optional(&self.reader)
            .await
            .map_err(&failed)?;
        let read = || -> Result<AccountPolicy, sqlx::Error> {
            let taken = taken.map(|row| -> Result<_, sqlx::Error> {
                Ok(TakenPolicy {
                    oid: row.text("oid")?,
                    digest: row.text("digest")?,
                    text: row.text("text")?,
                    taken_at: row.time("taken_at")?,
                })
            });
            let refused = refused.map(|row| -> Result<_, sqlx::Error> {
                Ok(PolicyRefusal {
                    oid: row.text("oid")?,
                    why: row.text("why")?,
                    refused_at: row.time("refused_at")?,
                })
            });
            Ok(AccountPolicy { taken: taken.transpose()?, refused: refused.transpose()? })
        };
        read().map_err(failed)
    }

    /// Puts a policy in force; an earlier refusal is settled by it.
    ///
    /// # Errors
    /// As the database's.
    pub async fn take_policy(&self, account: AccountId, policy: &TakenPolicy) -> Result<(), StoreError> {
        const DOING: &str = "take a policy";
        let refused = StoreError::of(DOING);
        let mut transaction = self.write(DOING).await?;
        sqlx::query(sql::TAKE_POLICY)
            .bind(row::number(account.0))
            .bind(row::text(&policy.oid))
            .bind(row::text(&policy.digest))
            .bind(row::text(&policy.text))
            .bind(row::millis(policy.taken_at))
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        sqlx::query(sql::CLEAR_POLICY_REFUSAL)
            .bind(row::number(account.0))
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        commit(transaction, DOING).await
    }

    /// Notes why a policy was not taken; the last good one stays in force.
    ///
    /// # Errors
    /// As the database's.
    pub async fn refuse_policy(&self, account: AccountId, refusal: &PolicyRefusal) -> Result<(), StoreError> {
        let query = sqlx::query(sql::REFUSE_POLICY)
            .bind(row::number(account.0))
            .bind(row::text(&refusal.oid))
            .bind(row::text(&refusal.why))
            .bind(row::millis(refusal.refused_at));
        self.change("note a refused policy", query).await
    }

    /// The account's policy file is gone: no policy is in force.
    ///
    /// # Errors
    /// As the database's.
    pub async fn remove_policy(&self, account: AccountId) -> Result<(), StoreError> {
        const DOING: &str = "remove a policy";
        let mut transaction = self.write(DOING).await?;
        for statement in [sql::REMOVE_POLICY, sql::CLEAR_POLICY_REFUSAL] {
            sqlx::query(statement)
                .bind(row::number(account.0))
                .execute(&mut *transaction)
                .await
                .map_err(StoreError::of(DOING))?;
        }
        commit(transaction, DOING).await
    }
}
