//! Pull requests whose check run was asked for.
//!
//! Promises: (1) a wish is committed with the delivery that brought it, and
//! stays until it was answered; (2) one that comes while an earlier one is
//! being answered is answered too.

use super::deliveries::{Accepted, NewDelivery};
use super::intake::Arrival;
use super::row::{self, Columns, parsed};
use super::work::NewJob;
use super::{Store, StoreError, commit, sql};
use crate::domain::repository::{InstallationId, ObjectId, RepositoryId};
use jiff::Timestamp;
use sqlx::any::AnyRow;

/// What a delivery asks to be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckWish {
    /// Where.
    pub repository: RepositoryId,
    /// Who covers it.
    pub installation: InstallationId,
    /// What exactly.
    pub asked: Asked,
}

/// What is asked to be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A pull request, by GraphQL's global id, that has this head now.
    Head {
        /// The pull request.
        pull_request: String,
        /// Its head as the event has it.
        head: ObjectId,
    },
    /// All that have this head, once more: a person's wish, so never one from a
    /// body that came before under another GUID (threats W4).
    Again {
        /// The head.
        head: ObjectId,
    },
}

/// A pull request that waits for its check run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingCheck {
    /// GraphQL's global id.
    pub pull_request: String,
    /// Its head when it was asked for.
    pub head: ObjectId,
    /// How often people have asked once more about this head.
    pub attempt: u64,
    /// Which wish this is.
    pub asked: i64,
}

/// How a wish was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckAnswer {
    /// By a check run on this head, in this attempt.
    Run {
        /// The head.
        head: ObjectId,
        /// The attempt.
        attempt: u64,
    },
    /// There is nothing to say about it.
    Nothing,
}

/// A wish as the statements take it: by an event, or once more by a person.
pub(super) enum Statement<'w> {
    Ask { pull_request: &'w str, head: &'w ObjectId },
    Again { head: &'w ObjectId },
}

impl CheckWish {
    /// The statement that stores it, if this delivery may ask for it.
    pub(super) fn statement(&self, outcome: Accepted) -> Option<Statement<'_>> {
        match (&self.asked, outcome) {
            (_, Accepted::Duplicate) | (Asked::Again { .. }, Accepted::KnownBody) => None,
            (Asked::Head { pull_request, head }, Accepted::New | Accepted::KnownBody) => {
                Some(Statement::Ask { pull_request, head })
            }
            (Asked::Again { head }, Accepted::New) => Some(Statement::Again { head }),
        }
    }
}

/// Stores what a delivery asks to be checked.
pub(super) async fn ask(
    transaction: &mut super::Transaction,
    wish: &CheckWish,
    outcome: Accepted,
    now: Timestamp,
) -> Result<(), StoreError> {
    let repository = row::number(wish.repository.0);
    let query = match wish.statement(outcome) {
        None => return Ok(()),
        Some(Statement::Ask { pull_request, head }) => sqlx::query(sql::ASK_CHECK)
            .bind(repository)
            .bind(row::text(pull_request))
            .bind(row::number(wish.installation.0))
            .bind(head.as_str().to_owned())
            .bind(row::millis(now)),
        Some(Statement::Again { head }) => sqlx::query(sql::ASK_CHECK_AGAIN)
            .bind(repository)
            .bind(head.as_str().to_owned())
            .bind(row::millis(now)),
    };
    query
        .execute(&mut **transaction)
        .await
        .map(|_| ())
        .map_err(StoreError::of("note a pull request to check"))
}

impl Store {
    /// Stores a delivery together with its jobs and what it asks to be checked;
    /// answers after the commit.
    ///
    /// # Errors
    /// As [`Store::accept`].
    pub async fn accept_check(
        &self,
        delivery: NewDelivery,
        jobs: Vec<NewJob>,
        check: CheckWish,
    ) -> Result<Accepted, StoreError> {
        self.arrive(Arrival { delivery, jobs, moved: None, check: Some(check), answers: Vec::new() }).await
    }

    /// The pull requests of a repository that wait for their check run, the
    /// oldest wish first.
    ///
    /// # Errors
    /// As the database's, and [`StoreError::Row`].
    pub async fn checks_asked(&self, repository: RepositoryId) -> Result<Vec<WaitingCheck>, StoreError> {
        let rows = sqlx::query(sql::CHECKS_ASKED)
            .bind(row::number(repository.0))
            .fetch_all(&self.reader)
            .await
            .map_err(StoreError::of(READING))?;
        rows.iter().map(waiting).collect()
    }

    /// Notes how a wish was answered, unless another one came meanwhile: then
    /// that one waits.
    ///
    /// # Errors
    /// As the database's.
    pub async fn answer_check(
        &self,
        repository: RepositoryId,
        wish: &WaitingCheck,
        answer: &CheckAnswer,
    ) -> Result<(), StoreError> {
        const DOING: &str = "note that a pull request was checked";
        let mut transaction = self.write(DOING).await?;
        let statement = match answer {
            CheckAnswer::Run { .. } => sql::ANSWER_CHECK,
            CheckAnswer::Nothing => sql::FORGET_CHECK,
        };
        let mut query = sqlx::query(statement)
            .bind(row::number(repository.0))
            .bind(row::text(&wish.pull_request))
            .bind(wish.asked);
        if let CheckAnswer::Run { head, attempt } = answer {
            query = query.bind(head.as_str()).bind(row::number(*attempt));
        }
        query.execute(&mut *transaction).await.map_err(StoreError::of(DOING))?;
        commit(transaction, DOING).await
    }

    /// The repositories of an installation in which a pull request waits for
    /// its check run.
    ///
    /// # Errors
    /// As the database's.
    pub async fn unanswered_checks(
        &self,
        installation: InstallationId,
    ) -> Result<Vec<RepositoryId>, StoreError> {
        let refused = StoreError::of(READING);
        let rows = sqlx::query(sql::UNANSWERED_CHECKS)
            .bind(row::number(installation.0))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        rows.iter().map(|row| row.number("repository").map(RepositoryId).map_err(&refused)).collect()
    }
}

const READING: &str = "read which pull requests wait for a check";

fn waiting(row: &AnyRow) -> Result<WaitingCheck, StoreError> {
    let refused = StoreError::of(READING);
    let pull_request = row.text("pull_request").map_err(&refused)?;
    let head = row.text("head").map_err(&refused)?;
    Ok(WaitingCheck {
        head: parsed("pull_request_check", &pull_request, &head)?,
        attempt: row.number("attempt").map_err(&refused)?,
        asked: row.integer("asked").map_err(&refused)?,
        pull_request,
    })
}
