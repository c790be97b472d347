//! A cache of file texts by installation and git object id.
//!
//! The installation is part of the key, so no tenant is ever shown what
//! another's token fetched (threat T4). Whoever keeps a text has checked that
//! it is whole and that its hash is the object id.

use super::row::{self, Columns};
use super::{Store, StoreError, commit, sql};
use crate::domain::repository::{InstallationId, ObjectId};
use jiff::Timestamp;

/// Longer texts are not kept (threats: a parameter is at most 1 MiB).
const LONGEST: usize = 1 << 20;

impl Store {
    /// The text of an object, if this installation kept it.
    ///
    /// # Errors
    /// As the database's.
    pub async fn text(
        &self,
        installation: InstallationId,
        oid: &ObjectId,
    ) -> Result<Option<String>, StoreError> {
        let refused = StoreError::of("read a cached text");
        sqlx::query(sql::TEXT)
            .bind(row::number(installation.0))
            .bind(oid.as_str())
            .fetch_optional(&self.reader)
            .await
            .map_err(&refused)?
            .map(|row| row.text("content").map_err(&refused))
            .transpose()
    }

    /// Keeps texts, each with its object id, then lets the oldest go until the
    /// installation's fit `bound` bytes. A text above 1 MiB, or with a NUL in
    /// it (which would not come back the same), is not kept.
    ///
    /// # Errors
    /// As the database's.
    pub async fn keep_texts(
        &self,
        installation: InstallationId,
        texts: &[(ObjectId, String)],
        bound: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "keep texts";
        let mut kept: Vec<_> =
            texts.iter().filter(|(_, text)| text.len() <= LONGEST && !text.contains('\0')).collect();
        if kept.is_empty() {
            return Ok(());
        }
        kept.sort_unstable();
        let refused = StoreError::of(DOING);
        let mut transaction = self.write(DOING).await?;
        for (oid, text) in kept {
            sqlx::query(sql::KEEP_TEXT)
                .bind(row::number(installation.0))
                .bind(oid.as_str())
                .bind(text.as_str())
                .bind(i64::try_from(text.len()).unwrap_or(i64::MAX))
                .bind(row::millis(now))
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        sqlx::query(sql::EVICT_TEXTS)
            .bind(row::number(installation.0))
            .bind(i64::try_from(bound).unwrap_or(i64::MAX))
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        commit(transaction, DOING).await
    }
}
