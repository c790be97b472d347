//! Where the App is installed, as last seen.

use super::row::{self, Columns};
use super::{Store, StoreError, commit, sql};
use crate::domain::repository::{AccountId, InstallationId, Login};
use jiff::Timestamp;
use sqlx::any::AnyRow;

/// An installation of the App on an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// GitHub's id of it.
    pub id: InstallationId,
    /// The account; its id survives renames.
    pub account: AccountId,
    /// The account's login, for display.
    pub login: String,
    /// Since when it is suspended.
    pub suspended_at: Option<Timestamp>,
    /// Since when it is gone.
    pub removed_at: Option<Timestamp>,
    /// When this was read from GitHub.
    pub seen_at: Timestamp,
    /// The permissions it grants, as GitHub's JSON; `None` until they were read.
    pub permissions: Option<String>,
}

impl Store {
    /// Stores an installation as just seen; one that was gone is back, and one
    /// that is still suspended stays so since the same moment. `removed_at` is
    /// not read.
    ///
    /// # Errors
    /// As the database's.
    pub async fn see_installation(&self, seen: &Installation) -> Result<(), StoreError> {
        let query = sqlx::query(sql::SEE_INSTALLATION)
            .bind(row::number(seen.id.0))
            .bind(row::number(seen.account.0))
            .bind(row::text(&seen.login))
            .bind(row::maybe_millis(seen.suspended_at))
            .bind(row::millis(seen.seen_at))
            .bind(row::maybe_text(seen.permissions.as_deref()));
        self.change("store an installation", query).await
    }

    /// One installation, also if it is gone.
    ///
    /// # Errors
    /// As the database's.
    pub async fn installation(&self, id: InstallationId) -> Result<Option<Installation>, StoreError> {
        let refused = StoreError::of("read an installation");
        sqlx::query(sql::INSTALLATION)
            .bind(row::number(id.0))
            .fetch_optional(&self.reader)
            .await
            .map_err(&refused)?
            .map(|row| read(&row).map_err(&refused))
            .transpose()
    }

    /// Every installation that is not gone, by login.
    ///
    /// # Errors
    /// As the database's.
    pub async fn installations(&self) -> Result<Vec<Installation>, StoreError> {
        let refused = StoreError::of("list installations");
        sqlx::query(sql::INSTALLATIONS)
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?
            .iter()
            .map(|row| read(row).map_err(&refused))
            .collect()
    }

    /// Parks the jobs of a suspended installation, in one commit with the fact;
    /// whether the fact is new.
    ///
    /// # Errors
    /// As the database's.
    pub async fn suspend_installation(&self, id: InstallationId, now: Timestamp) -> Result<bool, StoreError> {
        const DOING: &str = "park a suspended installation";
        let refused = StoreError::of(DOING);
        let mut transaction = self.write(DOING).await?;
        let suspended = sqlx::query(sql::SUSPEND_INSTALLATION)
            .bind(row::number(id.0))
            .bind(row::millis(now))
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?
            .rows_affected();
        sqlx::query(sql::PARK)
            .bind(row::number(id.0))
            .bind("the installation is suspended")
            .bind(row::millis(now))
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        commit(transaction, DOING).await?;
        Ok(suspended > 0)
    }

    /// The account of an installation has another login: its repositories are
    /// found under it.
    ///
    /// # Errors
    /// As the database's.
    pub async fn rename_account(&self, id: InstallationId, login: &Login) -> Result<(), StoreError> {
        let query = sqlx::query(sql::RENAME_REPOSITORIES_OF).bind(row::number(id.0)).bind(login.as_str());
        self.change("rename an account", query).await
    }

    /// Marks an installation and its repositories as gone, and drops its jobs
    /// and what waits, in one commit. What was found out about them stays.
    ///
    /// # Errors
    /// As the database's.
    pub async fn remove_installation(&self, id: InstallationId, now: Timestamp) -> Result<(), StoreError> {
        const DOING: &str = "remove an installation";
        let refused = StoreError::of(DOING);
        let mut transaction = self.write(DOING).await?;
        for statement in [sql::REMOVE_INSTALLATION, sql::REMOVE_REPOSITORIES_OF] {
            sqlx::query(statement)
                .bind(row::number(id.0))
                .bind(row::millis(now))
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        for statement in [sql::DROP_JOBS, sql::UNPARK, sql::DROP_WAITING] {
            sqlx::query(statement)
                .bind(row::number(id.0))
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        commit(transaction, DOING).await
    }
}

fn read(row: &AnyRow) -> Result<Installation, sqlx::Error> {
    Ok(Installation {
        id: InstallationId(row.number("id")?),
        account: AccountId(row.number("account")?),
        login: row.text("login")?,
        suspended_at: row.maybe_time("suspended_at")?,
        removed_at: row.maybe_time("removed_at")?,
        seen_at: row.time("seen_at")?,
        permissions: row.maybe_text("permissions")?,
    })
}
