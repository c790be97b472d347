//! The accounts that are served, and the permissions they lack.
//!
//! Promises: (1) a listed name is bound to one account until it is no longer
//! listed (threats T1, T6); (2) what an installation lacks is audited once,
//! however many repositories wait for it (etiquette 4.10).

use super::ledger::{NewAudit, note};
use super::row::{self, Columns};
use super::{Store, StoreError, commit, sql};
use crate::domain::repository::{AccountId, InstallationId, RepositoryId};
use jiff::Timestamp;
use sqlx::any::AnyArguments;
use sqlx::query::Query;

const BINDING: &str = "bind a listed name to its account";
const WAITING: &str = "note what waits for a permission";

impl Store {
    /// Binds a listed name, in lower case, to an account, unless it is bound.
    /// Answers the account it is bound to now.
    ///
    /// # Errors
    /// As the database's.
    pub async fn bind_account(
        &self,
        name: &str,
        account: AccountId,
        now: Timestamp,
    ) -> Result<AccountId, StoreError> {
        let refused = StoreError::of(BINDING);
        let mut transaction = self.write(BINDING).await?;
        sqlx::query(sql::BIND_ACCOUNT)
            .bind(row::text(name))
            .bind(row::number(account.0))
            .bind(row::millis(now))
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        let bound = sqlx::query(sql::BOUND_TO)
            .bind(row::text(name))
            .fetch_one(&mut *transaction)
            .await
            .and_then(|row| row.number("account"))
            .map_err(&refused)?;
        commit(transaction, BINDING).await?;
        Ok(AccountId(bound))
    }

    /// The account a name, in lower case, is bound to.
    ///
    /// # Errors
    /// As the database's.
    pub async fn bound_account(&self, name: &str) -> Result<Option<AccountId>, StoreError> {
        let refused = StoreError::of(BINDING);
        sqlx::query(sql::BOUND_TO)
            .bind(row::text(name))
            .fetch_optional(&self.reader)
            .await
            .map_err(&refused)?
            .map(|row| row.number("account").map(AccountId).map_err(&refused))
            .transpose()
    }

    /// The names that are bound to an account.
    ///
    /// # Errors
    /// As the database's.
    pub async fn names_of_account(&self, account: AccountId) -> Result<Vec<String>, StoreError> {
        let refused = StoreError::of(BINDING);
        sqlx::query(sql::NAMES_OF_ACCOUNT)
            .bind(row::number(account.0))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?
            .iter()
            .map(|row| row.text("name").map_err(&refused))
            .collect()
    }

    /// Unbinds every name that is not among `listed`, all in lower case.
    ///
    /// # Errors
    /// As the database's.
    pub async fn unbind_unlisted(&self, listed: &[String]) -> Result<(), StoreError> {
        let refused = StoreError::of(BINDING);
        let mut transaction = self.write(BINDING).await?;
        let rows = sqlx::query(sql::BOUND_NAMES).fetch_all(&mut *transaction).await.map_err(&refused)?;
        for row in rows {
            let name = row.text("name").map_err(&refused)?;
            if !listed.contains(&name) {
                sqlx::query(sql::UNBIND_NAME)
                    .bind(name)
                    .execute(&mut *transaction)
                    .await
                    .map_err(&refused)?;
            }
        }
        commit(transaction, BINDING).await
    }

    /// Notes that an installation lacks a permission while it grants `granted`,
    /// and which repository's work waits for it. `true` the first time for these
    /// `needs`, and only then it is audited.
    ///
    /// # Errors
    /// As the database's.
    pub async fn wait_for_permission(
        &self,
        installation: InstallationId,
        repository: Option<RepositoryId>,
        needs: &str,
        granted: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let refused = StoreError::of(WAITING);
        let mut transaction = self.write(WAITING).await?;
        let mut first = false;
        for repository in std::iter::once(0).chain(repository.map(|repository| row::number(repository.0))) {
            let values = |statement| about(statement, installation, needs, repository, granted);
            let add = values(sql::WAIT).bind(row::millis(now));
            let added = add.execute(&mut *transaction).await.map_err(&refused)?.rows_affected();
            if added == 0 {
                values(sql::WAIT_ON).execute(&mut *transaction).await.map_err(&refused)?;
            }
            first |= repository == 0 && added > 0;
        }
        if first {
            let lack = NewAudit {
                installation: Some(installation),
                repository: None,
                actor: None,
                what: "permission_missing".to_owned(),
                detail: serde_json::json!({ "needs": needs }).to_string(),
            };
            note(&mut transaction, &[lack], now).await?;
        }
        commit(transaction, WAITING).await?;
        Ok(first)
    }

    /// What an installation lacks, by GitHub's words.
    ///
    /// # Errors
    /// As the database's.
    pub async fn lacking(&self, installation: InstallationId) -> Result<Vec<String>, StoreError> {
        let refused = StoreError::of(WAITING);
        sqlx::query(sql::LACKING)
            .bind(row::number(installation.0))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?
            .iter()
            .map(|row| row.text("needs").map_err(&refused))
            .collect()
    }

    /// The repositories whose work waits for other permissions than those the
    /// installation grants now.
    ///
    /// # Errors
    /// As the database's.
    pub async fn waiting(
        &self,
        installation: InstallationId,
        granted: &str,
    ) -> Result<Vec<RepositoryId>, StoreError> {
        let refused = StoreError::of(WAITING);
        sqlx::query(sql::WAITING)
            .bind(row::number(installation.0))
            .bind(row::text(granted))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?
            .iter()
            .map(|row| row.number("repository").map(RepositoryId).map_err(&refused))
            .collect()
    }

    /// What waited for other permissions than those the installation grants now
    /// waits no more, and none of it is known to be lacking.
    ///
    /// # Errors
    /// As the database's.
    pub async fn stop_waiting(&self, installation: InstallationId, granted: &str) -> Result<(), StoreError> {
        let mut transaction = self.write(WAITING).await?;
        sqlx::query(sql::STOP_WAITING)
            .bind(row::number(installation.0))
            .bind(row::text(granted))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::of(WAITING))?;
        commit(transaction, WAITING).await
    }
}

/// A statement about one row of what waits.
fn about(
    statement: &'static str,
    installation: InstallationId,
    needs: &str,
    repository: i64,
    granted: &str,
) -> Query<'static, sqlx::Any, AnyArguments> {
    sqlx::query(statement)
        .bind(row::number(installation.0))
        .bind(row::text(needs))
        .bind(repository)
        .bind(row::text(granted))
}
