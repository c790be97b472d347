//! What the digest issue of each control repository is to say, and what it says,
//! by the name of its text. It can be made again: no backup has it.

use super::row::{self, Columns};
use super::{Store, StoreError, commit, sql};
use crate::domain::repository::{InstallationId, RepositoryId};
use jiff::Timestamp;
use sqlx::any::AnyRow;

const READING: &str = "read what digests say";
const WRITING: &str = "note what a digest says";

/// What is known of a repository's digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDigest {
    /// Names the text that it is to have.
    pub wanted: String,
    /// Names the text that it has.
    pub said: Option<String>,
    /// When something first needed the office, of what needs it now.
    pub since: Option<Timestamp>,
}

impl KnownDigest {
    /// Whether it is not what it is to be: one that says nothing yet waits for
    /// something to say.
    #[must_use]
    pub fn waits(&self) -> bool {
        match &self.said {
            Some(said) => *said != self.wanted,
            None => self.since.is_some(),
        }
    }
}

impl Store {
    /// What is known of a repository's digest; `None` if it was never wanted to
    /// say anything.
    ///
    /// # Errors
    /// As the database's.
    pub async fn digest(&self, repository: RepositoryId) -> Result<Option<KnownDigest>, StoreError> {
        let found =
            sqlx::query(sql::DIGEST).bind(row::number(repository.0)).fetch_optional(&self.reader).await;
        let read = |row: &AnyRow| {
            let (wanted, said) = (row.text("wanted")?, row.maybe_text("said")?);
            Ok(KnownDigest { wanted, said, since: row.maybe_time("since")? })
        };
        found.and_then(|row| row.as_ref().map(read).transpose()).map_err(StoreError::of(READING))
    }

    /// The repositories of an installation whose digest is not what it is to
    /// be.
    ///
    /// # Errors
    /// As the database's.
    pub async fn digests_waiting(&self, known: InstallationId) -> Result<Vec<RepositoryId>, StoreError> {
        self.digests(sql::DIGESTS_WAITING, known).await
    }

    /// The repositories of an installation that have a digest, or had one.
    ///
    /// # Errors
    /// As the database's.
    pub async fn digests_of(&self, known: InstallationId) -> Result<Vec<RepositoryId>, StoreError> {
        self.digests(sql::DIGESTS_OF, known).await
    }

    async fn digests(
        &self,
        statement: &'static str,
        known: InstallationId,
    ) -> Result<Vec<RepositoryId>, StoreError> {
        let rows = sqlx::query(statement).bind(row::number(known.0)).fetch_all(&self.reader).await;
        rows.and_then(|rows| rows.iter().map(|row| row.number("repository").map(RepositoryId)).collect())
            .map_err(StoreError::of(READING))
    }

    /// Notes what a digest is to say; `now`, if something needs the office.
    ///
    /// # Errors
    /// As the database's.
    pub async fn want_digest(
        &self,
        repository: RepositoryId,
        named: &str,
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write(WRITING).await?;
        sqlx::query(sql::WANT_DIGEST)
            .bind(row::number(repository.0))
            .bind(named)
            .bind(row::maybe_millis(now))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::of(WRITING))?;
        commit(transaction, WRITING).await
    }

    /// Notes what a digest says now.
    ///
    /// # Errors
    /// As the database's.
    pub async fn digest_says(&self, repository: RepositoryId, named: &str) -> Result<(), StoreError> {
        let mut transaction = self.write(WRITING).await?;
        sqlx::query(sql::DIGEST_SAYS)
            .bind(row::number(repository.0))
            .bind(named)
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::of(WRITING))?;
        commit(transaction, WRITING).await
    }
}
