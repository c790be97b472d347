//! What people said of repositories in the control repository.

use super::row::{self, Columns};
use super::{Store, StoreError, commit, sql};
use crate::domain::repository::{AccountId, RepositoryId};
use code_json::record::Record;
use sqlx::any::AnyRow;

/// What stands in one file of `records/`.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The repository it is about.
    pub repository: RepositoryId,
    /// The file's git object id.
    pub oid: String,
    /// What it says, or why that cannot be used.
    pub said: Result<Record, String>,
}

impl Store {
    /// Everything that an account's people said, by repository.
    ///
    /// # Errors
    /// As the database's.
    pub async fn answers(&self, account: AccountId) -> Result<Vec<Answer>, StoreError> {
        let refused = StoreError::of("read people's answers");
        let rows = sqlx::query(sql::ANSWERS)
            .bind(row::number(account.0))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        let read = |row: &AnyRow| {
            let repository = RepositoryId(row.number("repository").map_err(&refused)?);
            let record = row.maybe_text("record").map_err(&refused)?;
            let said = match record {
                Some(text) => Ok(serde_json::from_str(&text).map_err(|error| StoreError::Row {
                    table: "answer",
                    key: repository.to_string(),
                    problem: error.to_string(),
                })?),
                None => Err(row.maybe_text("problem").map_err(&refused)?.unwrap_or_default()),
            };
            Ok(Answer { repository, oid: row.text("oid").map_err(&refused)?, said })
        };
        rows.iter().map(read).collect()
    }

    /// Stores answers, and takes away those that are gone.
    ///
    /// # Errors
    /// As the database's.
    pub async fn take_answers(
        &self,
        account: AccountId,
        taken: &[Answer],
        gone: &[RepositoryId],
    ) -> Result<(), StoreError> {
        const DOING: &str = "store people's answers";
        let refused = StoreError::of(DOING);
        let mut transaction = self.write(DOING).await?;
        for Answer { repository, oid, said } in taken {
            let json = |error: serde_json::Error| refused(sqlx::Error::Encode(error.into()));
            let record = said.as_ref().ok().map(serde_json::to_string).transpose().map_err(json)?;
            sqlx::query(sql::PUT_ANSWER)
                .bind(row::number(account.0))
                .bind(row::number(repository.0))
                .bind(row::text(oid))
                .bind(row::maybe_text(record.as_deref()))
                .bind(row::maybe_text(said.as_ref().err().map(String::as_str)))
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        for repository in gone {
            sqlx::query(sql::REMOVE_ANSWER)
                .bind(row::number(account.0))
                .bind(row::number(repository.0))
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        commit(transaction, DOING).await
    }
}
