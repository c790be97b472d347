//! What is done to an item that is open: recorded before GitHub is asked, and
//! afterwards.

use super::super::Store;
use super::super::StoreError;
use super::super::row;
use super::super::sql;
use crate::domain::finding::FindingSet;
use crate::domain::outstanding::State;
use crate::domain::repository::ObjectId;
use jiff::Timestamp;

impl Store {
    /// It is about to be edited; `edits` are the times that count from now on.
    /// `false` if there is none of that id, here and below.
    ///
    /// # Errors
    /// As the database's, here and below.
    pub async fn editing(&self, id: i64, edits: &[Timestamp], now: Timestamp) -> Result<bool, StoreError> {
        let edits: Vec<String> = edits.iter().map(|at| row::millis(*at).to_string()).collect();
        self.change_outstanding(
            "note an edit",
            sqlx::query(sql::EDITING).bind(id).bind(edits.join(" ")).bind(row::millis(now)),
        )
        .await
    }

    /// Its staging branch points there, or will once GitHub has done as asked.
    pub async fn staged(&self, id: i64, at: &ObjectId, now: Timestamp) -> Result<bool, StoreError> {
        self.change_outstanding(
            "note where a staging branch is",
            sqlx::query(sql::STAGED).bind(id).bind(at.as_str()).bind(row::millis(now)),
        )
        .await
    }

    /// Its branch holds these commits of ours, about these findings; nothing
    /// is staged any more.
    pub async fn written(
        &self,
        id: i64,
        commits: &[ObjectId],
        findings: &FindingSet,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let commits: Vec<&str> = commits.iter().map(ObjectId::as_str).collect();
        self.change_outstanding(
            "note what its branch holds",
            sqlx::query(sql::WRITTEN)
                .bind(id)
                .bind(commits.join(" "))
                .bind(findings.to_string())
                .bind(row::millis(now)),
        )
        .await
    }

    /// Muster is about to close it; what it becomes then.
    pub async fn closing(&self, id: i64, state: State, now: Timestamp) -> Result<bool, StoreError> {
        self.change_outstanding(
            "note what is about to be closed",
            sqlx::query(sql::CLOSING).bind(id).bind(state.as_str()).bind(row::millis(now)),
        )
        .await
    }

    /// Somebody else works on it from now on.
    pub async fn hands_off(&self, id: i64, now: Timestamp) -> Result<bool, StoreError> {
        self.change_outstanding(
            "note whose a pull request is",
            sqlx::query(sql::HANDS_OFF).bind(id).bind(row::millis(now)),
        )
        .await
    }
}
