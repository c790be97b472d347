//! What is known of a repository's own code.json, and what people answered in
//! the pull request about it.
//!
//! Promises: (1) an answer is committed with the delivery that brought it, and
//! stays until somebody has looked whether it counts; (2) one that comes while
//! an earlier one is looked at is looked at too; (3) an answer that counts is
//! committed together with the entry of the audit that names who gave it.

use super::deliveries::{Accepted, NewDelivery};
use super::intake::Arrival;
use super::ledger;
use super::row::{self, Columns};
use super::{NewAudit, NewJob, Store, StoreError, Transaction, commit, sql};
use crate::domain::own_file::{Said, questions::Filled};
use crate::domain::repository::{AccountId, InstallationId, RepositoryId};
use code_json::record::{Field, Record};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::any::AnyRow;
use std::collections::HashMap;

/// What is known of a repository's file beside what stands on GitHub.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownFile {
    /// The repository's page when it was judged last.
    pub url: Option<String>,
    /// Its pages before that.
    pub former_urls: Vec<String>,
    /// What people and Muster said of it.
    pub said: Said,
}

/// What somebody wrote in the place of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidAnswer {
    /// GraphQL's global id of the pull request.
    pub pull_request: String,
    /// What is asked.
    pub field: Field,
    /// What stands there.
    pub filled: Filled,
    /// Who wrote it.
    pub actor: AccountId,
    /// The name they had.
    pub login: String,
    /// When the delivery came.
    pub said_at: Timestamp,
}

/// An answer that counts.
#[derive(Debug, Clone, PartialEq)]
pub struct TakenAnswer {
    /// By whom, and where.
    pub said: SaidAnswer,
    /// What it says.
    pub value: Value,
    /// The number of the pull request.
    pub number: u64,
}

const READING: &str = "read what is known of a file";
const SAYING: &str = "note an answer";

/// The values of an answer as its statement takes them.
pub(super) struct SaidRow {
    pub(super) repository: i64,
    pub(super) field: &'static str,
    pub(super) pull_request: String,
    pub(super) filled: String,
    pub(super) actor: i64,
    pub(super) login: String,
    pub(super) said_at: i64,
}

/// What a delivery answers, if it may: a body that came before under another
/// GUID is no new word of anybody (threats W4).
pub(super) fn rows_of(arrival: &Arrival, outcome: Accepted) -> Vec<SaidRow> {
    match outcome {
        Accepted::New => {}
        Accepted::KnownBody | Accepted::Duplicate => return Vec::new(),
    }
    let row = |(repository, said): &(RepositoryId, SaidAnswer)| SaidRow {
        repository: row::number(repository.0),
        field: said.field.pointer(),
        pull_request: row::text(&said.pull_request),
        filled: row::text(&serde_json::to_string(&said.filled).unwrap_or_default()),
        actor: row::number(said.actor.0),
        login: row::text(&said.login),
        said_at: row::millis(said.said_at),
    };
    arrival.answers.iter().map(row).collect()
}

/// Stores what a delivery answers.
pub(super) async fn say(
    transaction: &mut Transaction,
    arrival: &Arrival,
    outcome: Accepted,
) -> Result<(), StoreError> {
    for said in rows_of(arrival, outcome) {
        sqlx::query(sql::SAY_ANSWER)
            .bind(said.repository)
            .bind(said.field)
            .bind(said.pull_request)
            .bind(said.filled)
            .bind(said.actor)
            .bind(said.login)
            .bind(said.said_at)
            .execute(&mut **transaction)
            .await
            .map_err(StoreError::of(SAYING))?;
    }
    Ok(())
}

impl Store {
    /// Stores a delivery together with its jobs and what it answers; answers
    /// after the commit.
    ///
    /// # Errors
    /// As [`Store::accept`].
    pub async fn accept_answers(
        &self,
        delivery: NewDelivery,
        jobs: Vec<NewJob>,
        answers: Vec<(RepositoryId, SaidAnswer)>,
    ) -> Result<Accepted, StoreError> {
        self.arrive(Arrival { delivery, jobs, moved: None, check: None, answers }).await
    }

    /// What is known of a repository's file.
    ///
    /// # Errors
    /// As the database's, and [`StoreError::Row`].
    pub async fn own_file(
        &self,
        account: AccountId,
        repository: RepositoryId,
    ) -> Result<KnownFile, StoreError> {
        let mut known = self.known_files(sql::OWN_FILE, sql::OWN_ANSWERS, repository.0, account).await?;
        Ok(known.remove(&repository).unwrap_or_default())
    }

    /// The same of all repositories of an installation.
    ///
    /// # Errors
    /// As [`Store::own_file`].
    pub async fn own_files(
        &self,
        account: AccountId,
        installation: InstallationId,
    ) -> Result<HashMap<RepositoryId, KnownFile>, StoreError> {
        self.known_files(sql::OWN_FILES, sql::OWN_ANSWERS_OF_ALL, installation.0, account).await
    }

    async fn known_files(
        &self,
        files: &'static str,
        answers: &'static str,
        which: u64,
        account: AccountId,
    ) -> Result<HashMap<RepositoryId, KnownFile>, StoreError> {
        let refused = StoreError::of(READING);
        let which = row::number(which);
        let mut known: HashMap<RepositoryId, KnownFile> = HashMap::new();
        let answers = sqlx::query(answers).bind(which).fetch_all(&self.reader).await.map_err(&refused)?;
        for row in &answers {
            let repository = RepositoryId(row.number("repository").map_err(&refused)?);
            let pointer = row.text("field").map_err(&refused)?;
            // One that only a newer version asks is none of ours.
            let Some(field) = Field::at(&pointer) else { continue };
            let value: Value = json("own_file_answer", repository, &row.text("value").map_err(&refused)?)?;
            let number = row.number("number").map_err(&refused)?;
            let at = row.time("answered_at").map_err(&refused)?;
            known.entry(repository).or_default().said.answered(field, value, number, at);
        }
        let rows = sqlx::query(files)
            .bind(which)
            .bind(row::number(account.0))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        for row in &rows {
            let repository = RepositoryId(row.number("id").map_err(&refused)?);
            let text = |column| row.maybe_text(column).map_err(&refused);
            let file = known.entry(repository).or_default();
            file.url = text("url")?;
            let former = text("former_urls")?.unwrap_or_default();
            file.former_urls = former.split_whitespace().map(str::to_owned).collect();
            file.said.carries = text("carries")?;
            file.said.written =
                text("merged")?.map(|merged| json("own_file", repository, &merged)).transpose()?;
            if let Some(control) = text("record")? {
                file.said.take_over(&json::<Record>("answer", repository, &control)?);
            }
        }
        Ok(known)
    }

    /// What the pull request will hold that no person wrote: before GitHub is
    /// asked to take it.
    ///
    /// # Errors
    /// As the database's.
    pub async fn propose_own_file(&self, repository: RepositoryId, written: &str) -> Result<(), StoreError> {
        let query =
            sqlx::query(sql::PROPOSE_OWN_FILE).bind(row::number(repository.0)).bind(row::text(written));
        self.change_own_file("note what is proposed of a file", query).await
    }

    /// What the branch of the pull request carries: once GitHub has it.
    ///
    /// # Errors
    /// As the database's.
    pub async fn own_file_carries(&self, repository: RepositoryId, carries: &str) -> Result<(), StoreError> {
        let query =
            sqlx::query(sql::OWN_FILE_CARRIES).bind(row::number(repository.0)).bind(row::text(carries));
        self.change_own_file("note what a branch carries", query).await
    }

    /// The pull request was merged: what it held is what Muster wrote.
    ///
    /// # Errors
    /// As the database's.
    pub async fn own_file_merged(&self, repository: RepositoryId) -> Result<(), StoreError> {
        let query = sqlx::query(sql::OWN_FILE_MERGED).bind(row::number(repository.0));
        self.change_own_file("note what was merged of a file", query).await
    }

    async fn change_own_file(
        &self,
        doing: &'static str,
        query: sqlx::query::Query<'_, sqlx::Any, sqlx::any::AnyArguments>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write(doing).await?;
        query.execute(&mut *transaction).await.map_err(StoreError::of(doing))?;
        commit(transaction, doing).await
    }

    /// The answers about a repository of which nobody has looked whether they
    /// count, the oldest first.
    ///
    /// # Errors
    /// As the database's, and [`StoreError::Row`].
    pub async fn answers_said(&self, repository: RepositoryId) -> Result<Vec<SaidAnswer>, StoreError> {
        let refused = StoreError::of(READING);
        let rows = sqlx::query(sql::ANSWERS_SAID)
            .bind(row::number(repository.0))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        let read = |row: &AnyRow| {
            let text = |column| row.text(column).map_err(&refused);
            let pointer = text("field")?;
            let Some(field) = Field::at(&pointer) else { return Ok(None) };
            Ok(Some(SaidAnswer {
                pull_request: text("pull_request")?,
                field,
                filled: json("own_file_said", repository, &text("filled")?)?,
                actor: AccountId(row.number("actor").map_err(&refused)?),
                login: text("login")?,
                said_at: row.time("said_at").map_err(&refused)?,
            }))
        };
        rows.iter().filter_map(|row| read(row).transpose()).collect()
    }

    /// Takes the answers that count, with their entries of the audit, and
    /// forgets all that were looked at; those that came meanwhile wait.
    ///
    /// # Errors
    /// As the database's.
    pub async fn take_own_answers(
        &self,
        repository: RepositoryId,
        taken: &[TakenAnswer],
        looked_at: &[SaidAnswer],
        audit: &[NewAudit],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "take people's answers";
        let refused = StoreError::of(DOING);
        let mut transaction = self.write(DOING).await?;
        for TakenAnswer { said, value, number } in taken {
            sqlx::query(sql::TAKE_OWN_ANSWER)
                .bind(row::number(repository.0))
                .bind(said.field.pointer())
                .bind(row::text(&value.to_string()))
                .bind(row::number(*number))
                .bind(row::number(said.actor.0))
                .bind(row::text(&said.login))
                .bind(row::millis(now))
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        for said in looked_at {
            sqlx::query(sql::FORGET_SAID)
                .bind(row::number(repository.0))
                .bind(said.field.pointer())
                .bind(row::millis(said.said_at))
                .bind(row::text(&serde_json::to_string(&said.filled).unwrap_or_default()))
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        ledger::note(&mut transaction, audit, now).await?;
        commit(transaction, DOING).await
    }
}

fn json<T: DeserializeOwned>(table: &'static str, key: RepositoryId, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Row {
        table,
        key: key.to_string(),
        problem: error.to_string(),
    })
}
