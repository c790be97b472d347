//! How far Muster has got to know each organization (`domain::adoption`).

use super::ledger::{NewAudit, note};
use super::row::{self, Columns, parsed};
use super::{Store, StoreError, commit, sql};
use crate::domain::adoption::{Adoption, Ending, PATIENCE};
use crate::domain::finding::FindingSet;
use crate::domain::marker::Kind;
use crate::domain::outstanding::State;
use crate::domain::repository::{AccountId, RepositoryId, RepositoryName};
use jiff::Timestamp;
use sqlx::any::AnyRow;

/// Something of ours in an organization, as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnItem {
    /// The repository.
    pub repository: RepositoryId,
    /// Its name, if the repository is known.
    pub name: Option<RepositoryName>,
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// GitHub's number, once there is one.
    pub number: Option<u64>,
    /// The findings it is about.
    pub findings: FindingSet,
}

const READING: &str = "read how far an organization is adopted";
const NOTING: &str = "note how far an organization is adopted";

impl Store {
    /// How far Muster has got to know an account; `None` if it never met it.
    ///
    /// # Errors
    /// As the database's, and [`StoreError::Row`].
    pub async fn adoption(&self, account: AccountId) -> Result<Option<Adoption>, StoreError> {
        sqlx::query(sql::ADOPTION)
            .bind(row::number(account.0))
            .fetch_optional(&self.reader)
            .await
            .map_err(StoreError::of(READING))?
            .map(|row| read(&row))
            .transpose()
    }

    /// Every adoption that has not ended.
    ///
    /// # Errors
    /// As [`Store::adoption`].
    pub async fn open_adoptions(&self) -> Result<Vec<Adoption>, StoreError> {
        let rows = sqlx::query(sql::OPEN_ADOPTIONS).fetch_all(&self.reader).await;
        rows.map_err(StoreError::of(READING))?.iter().map(read).collect()
    }

    /// Begins to get to know an account; one that is known already stays so.
    ///
    /// # Errors
    /// As the database's.
    pub async fn begin_adoption(&self, account: AccountId, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write(NOTING).await?;
        let begun = sqlx::query(sql::BEGIN_ADOPTION)
            .bind(row::number(account.0))
            .bind(row::millis(now))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::of(NOTING))?;
        if begun.rows_affected() > 0 {
            note(&mut transaction, &[noted(account, "adoption_begun", "")], now).await?;
        }
        commit(transaction, NOTING).await
    }

    /// All repositories of an account were listed, by a listing that began at
    /// `listed_at`.
    ///
    /// # Errors
    /// As the database's.
    pub async fn all_listed(&self, account: AccountId, listed_at: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query(sql::ALL_LISTED).bind(row::number(account.0)).bind(row::millis(listed_at));
        self.note_adoption(query).await
    }

    /// Something of ours was seen in a repository of the account.
    ///
    /// # Errors
    /// As the database's.
    pub async fn ours_found(&self, account: AccountId) -> Result<(), StoreError> {
        self.note_adoption(sqlx::query(sql::OURS_FOUND).bind(row::number(account.0))).await
    }

    async fn note_adoption(
        &self,
        query: sqlx::query::Query<'_, sqlx::Any, sqlx::any::AnyArguments>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write(NOTING).await?;
        query.execute(&mut *transaction).await.map_err(StoreError::of(NOTING))?;
        commit(transaction, NOTING).await
    }

    /// How many repositories, `most` at most, were on the account's list and
    /// not looked at yet. What failed for good is not waited for, nor what could
    /// not be read for [`PATIENCE`] while others could.
    ///
    /// # Errors
    /// As the database's.
    pub async fn unread(&self, adoption: &Adoption, most: u32, now: Timestamp) -> Result<u64, StoreError> {
        sqlx::query(sql::UNREAD)
            .bind(row::number(adoption.account.0))
            .bind(row::millis(adoption.listed_at.unwrap_or(adoption.begun_at)))
            .bind(i64::from(most))
            .bind(row::millis(now - PATIENCE))
            .fetch_one(&self.reader)
            .await
            .and_then(|row| row.number("unread"))
            .map_err(StoreError::of(READING))
    }

    /// Ends an adoption, and wakes the inspections that it held back, in one
    /// commit; `false` if it had ended before.
    ///
    /// # Errors
    /// As the database's.
    pub async fn end_adoption(
        &self,
        adoption: &Adoption,
        ending: Ending,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let refused = StoreError::of(NOTING);
        let account = row::number(adoption.account.0);
        let mut transaction = self.write(NOTING).await?;
        let ended = sqlx::query(sql::END_ADOPTION)
            .bind(account)
            .bind(row::millis(now))
            .bind(ending.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        if ended.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(sql::MARK_HELD)
            .bind(account)
            .bind(row::millis(now))
            .bind(row::millis(adoption.until()))
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        sqlx::query(sql::WAKE)
            .bind(account)
            .bind(row::millis(now))
            .bind(row::millis(adoption.until()))
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        let entry = noted(adoption.account, "adoption_ended", ending.as_str());
        note(&mut transaction, &[entry], now).await?;
        commit(transaction, NOTING).await?;
        Ok(true)
    }

    /// All that the ledger knows of ours in an account, by repository.
    ///
    /// # Errors
    /// As the database's, and [`StoreError::Row`].
    pub async fn ours_of(&self, account: AccountId) -> Result<Vec<OwnItem>, StoreError> {
        sqlx::query(sql::OURS_OF_ACCOUNT)
            .bind(row::number(account.0))
            .fetch_all(&self.reader)
            .await
            .map_err(StoreError::of(READING))?
            .iter()
            .map(own_item)
            .collect()
    }
}

fn noted(account: AccountId, what: &str, ending: &str) -> NewAudit {
    let mut detail = serde_json::json!({ "account": account.0 });
    if !ending.is_empty() {
        detail["ending"] = ending.into();
    }
    NewAudit {
        installation: None,
        repository: None,
        actor: None,
        what: what.to_owned(),
        detail: detail.to_string(),
    }
}

fn read(row: &AnyRow) -> Result<Adoption, StoreError> {
    let refused = StoreError::of(READING);
    let account = row.number("account").map_err(&refused)?;
    let ending = row.maybe_text("ending").map_err(&refused)?;
    let ending = ending.map(|ending| parsed("adoption", account, &ending)).transpose()?;
    let rest = || -> Result<Adoption, sqlx::Error> {
        Ok(Adoption {
            account: AccountId(account),
            begun_at: row.time("begun_at")?,
            listed_at: row.maybe_time("listed_at")?,
            found: row.flag("found")?,
            restored: row.flag("restored")?,
            ended: row.maybe_time("ended_at")?.zip(ending),
        })
    };
    rest().map_err(refused)
}

fn own_item(row: &AnyRow) -> Result<OwnItem, StoreError> {
    let refused = StoreError::of(READING);
    let repository = row.number("repository").map_err(&refused)?;
    let text = |column| row.text(column).map_err(&refused);
    let maybe = |column| row.maybe_text(column).map_err(&refused);
    let name = maybe("owner")?.zip(maybe("name")?);
    let name = name.map(|(owner, name)| parsed("repository", repository, &format!("{owner}/{name}")));
    Ok(OwnItem {
        repository: RepositoryId(repository),
        name: name.transpose()?,
        kind: parsed("outstanding", repository, &text("kind")?)?,
        state: parsed("outstanding", repository, &text("state")?)?,
        number: row.maybe_number("number").map_err(&refused)?,
        findings: parsed("outstanding", repository, &text("findings")?)?,
    })
}
