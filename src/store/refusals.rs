//! What GitHub refused, so that it is not asked for again and again.
//!
//! Promises: (1) of one attempt in a repository the last refusal is kept.

use super::row::{self, Columns, parsed};
use super::{Store, StoreError, sql};
use crate::domain::outstanding::Refused;
use crate::domain::repository::RepositoryId;
use jiff::Timestamp;
use sqlx::any::AnyRow;

impl Store {
    /// Stores a refusal in place of an earlier one of the same attempt.
    ///
    /// # Errors
    /// As the database's.
    pub async fn refused(&self, repository: RepositoryId, refused: &Refused) -> Result<(), StoreError> {
        let query = sqlx::query(sql::REFUSED)
            .bind(row::number(repository.0))
            .bind(refused.attempt.to_string())
            .bind(refused.because.as_str())
            .bind(row::text(&refused.why))
            .bind(row::text(&refused.circumstances))
            .bind(row::millis(refused.at));
        self.change("note a refusal", query).await
    }

    /// What GitHub refused in a repository and may be asked for only later.
    ///
    /// # Errors
    /// As the database's, and [`StoreError::Row`].
    pub async fn refusals(
        &self,
        repository: RepositoryId,
        now: Timestamp,
    ) -> Result<Vec<Refused>, StoreError> {
        let rows = sqlx::query(sql::REFUSALS)
            .bind(row::number(repository.0))
            .fetch_all(&self.reader)
            .await
            .map_err(StoreError::of(READING))?;
        let all: Vec<Refused> = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(all.into_iter().filter(|refused| now < refused.until()).collect())
    }
}

const READING: &str = "read what was refused";

fn read(row: &AnyRow) -> Result<Refused, StoreError> {
    let refused = StoreError::of(READING);
    let text = |column| row.text(column).map_err(&refused);
    let key = text("attempt")?;
    Ok(Refused {
        attempt: parsed("refusal", &key, &key)?,
        because: parsed("refusal", &key, &text("because")?)?,
        why: text("why")?,
        circumstances: text("circumstances")?,
        at: row.time("refused_at").map_err(&refused)?,
    })
}
