//! Labor hours that were estimated from source lines.
//!
//! Promises: (1) a commit that cannot be counted takes no number away: why
//! stands beside it; (2) a commit is looked at once.

use super::row::{self, Columns};
use super::{Store, StoreError, sql};
use crate::domain::repository::{InstallationId, ObjectId, RepositoryId};
use jiff::Timestamp;
use sqlx::any::AnyRow;

const DOING: &str = "store labor hours";
const READING: &str = "read whose lines are to be counted";

/// A repository whose lines are to be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToCount {
    /// Which.
    pub repository: RepositoryId,
    /// GraphQL's global id.
    pub node_id: String,
    /// The tip of its default branch, as judged last.
    pub head: ObjectId,
}

/// What was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Source lines.
    pub code: u64,
    /// The estimate; `None` where there is nothing to estimate from.
    pub hours: Option<u64>,
    /// By which method, and which version of it.
    pub method: String,
}

impl Store {
    /// At most so many repositories of an installation whose lines are to be
    /// counted now.
    ///
    /// # Errors
    /// As the database's, and [`StoreError::Row`].
    pub async fn to_count(
        &self,
        installation: InstallationId,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<ToCount>, StoreError> {
        let refused = StoreError::of(READING);
        let rows = sqlx::query(sql::TO_COUNT)
            .bind(row::number(installation.0))
            .bind(row::millis(now))
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        let read = |row: &AnyRow| {
            let id = row.number("id").map_err(&refused)?;
            let head = row::parsed("repository", id, &row.text("head").map_err(&refused)?)?;
            Ok(ToCount {
                repository: RepositoryId(id),
                node_id: row.text("node_id").map_err(&refused)?,
                head,
            })
        };
        rows.iter().map(read).collect()
    }

    /// The hours that were estimated of a repository last.
    ///
    /// # Errors
    /// As the database's.
    pub async fn counted_hours(&self, repository: RepositoryId) -> Result<Option<u64>, StoreError> {
        let refused = StoreError::of(READING);
        let row = sqlx::query(sql::COUNTED_HOURS)
            .bind(row::number(repository.0))
            .fetch_optional(&self.reader)
            .await
            .map_err(&refused)?;
        Ok(row.map(|row| row.maybe_number("hours")).transpose().map_err(refused)?.flatten())
    }

    /// Stores what was counted of a commit; the next is not looked at before
    /// `due`.
    ///
    /// # Errors
    /// As the database's.
    pub async fn take_counted(
        &self,
        (repository, head): (RepositoryId, &ObjectId),
        counted: &Counted,
        (now, due): (Timestamp, Timestamp),
    ) -> Result<(), StoreError> {
        let query = sqlx::query(sql::PUT_COUNTED)
            .bind(row::number(repository.0))
            .bind(head.as_str())
            .bind(row::millis(due))
            .bind(row::millis(now))
            .bind(row::number(counted.code))
            .bind(counted.hours.map(row::number))
            .bind(row::text(&counted.method));
        self.change(DOING, query).await
    }

    /// Notes that a commit was not counted, and why, if that is a problem; what
    /// was counted before stays. Without `head` the same commit is looked at
    /// again when `due`.
    ///
    /// # Errors
    /// As the database's.
    pub async fn not_counted(
        &self,
        (repository, head): (RepositoryId, Option<&ObjectId>),
        problem: Option<&str>,
        due: Timestamp,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(sql::PUT_UNCOUNTED)
            .bind(row::number(repository.0))
            .bind(head.map_or("", ObjectId::as_str))
            .bind(row::millis(due))
            .bind(row::maybe_text(problem));
        self.change(DOING, query).await
    }
}
