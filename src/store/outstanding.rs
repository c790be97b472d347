//! What Muster has open at GitHub, and the brakes on opening more.
//!
//! Promises: (1) a row stands before GitHub is called, so a crash leaves a
//! trace of what may exist there; (2) at most one of a kind is open in a
//! repository; (3) the brakes are checked in the commit that begins a
//! creation, so replicas together stay within them.

use super::row::{self, Columns, parsed};
use super::{Store, StoreError, Transaction, commit, sql, take_number};
use crate::domain::finding::FindingSet;
use crate::domain::marker::Kind;
use crate::domain::outstanding::{Remembered, State};
use crate::domain::repository::{AccountId, ObjectId, RepositoryId};
use jiff::Timestamp;
use sqlx::any::AnyRow;

/// A creation about to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOutstanding {
    /// The repository.
    pub repository: RepositoryId,
    /// The account whose budget it counts in.
    pub account: AccountId,
    /// What it will be.
    pub kind: Kind,
    /// The findings it will speak of.
    pub findings: FindingSet,
}

/// One that was found at GitHub and not in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// What is known of it.
    pub new: NewOutstanding,
    /// Where it stands.
    pub state: State,
    /// GitHub's number in the repository.
    pub number: u64,
    /// GitHub's node id.
    pub node_id: String,
    /// When GitHub says it was created.
    pub created_at: Timestamp,
}

/// How a creation began, or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It may be created; its id.
    New {
        /// Our number for it.
        id: i64,
    },
    /// One of that kind is being created or open: resolve that first.
    Already(Remembered),
    /// A limit holds it back; nothing was stored.
    Held(Brake),
}

mod brakes;
mod refresh;

pub use brakes::{Brake, Brakes};

const BEGINNING: &str = "begin a creation";
const READING: &str = "read what is outstanding";

impl Store {
    /// Notes that GitHub is about to be asked to create something, if the
    /// brakes allow.
    ///
    /// # Errors
    /// As the database's.
    pub async fn begin_outstanding(
        &self,
        new: &NewOutstanding,
        brakes: Brakes,
        now: Timestamp,
    ) -> Result<Begun, StoreError> {
        let mut transaction = self.write(BEGINNING).await?;
        // Whoever begins holds this number to the end: the counts below cannot change.
        let id = take_number(&mut transaction, "outstanding", BEGINNING).await?;
        if let Some(open) = open_now(&mut transaction, new).await? {
            return Ok(Begun::Already(open));
        }
        if new.kind.counts()
            && let Some(brake) = brakes::held(&mut transaction, new, brakes).await?
        {
            return Ok(Begun::Held(brake));
        }
        sqlx::query(sql::BEGIN_OUTSTANDING)
            .bind(id)
            .bind(row::number(new.repository.0))
            .bind(row::number(new.account.0))
            .bind(new.kind.as_str())
            .bind(new.findings.to_string())
            .bind(row::millis(now))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::of(BEGINNING))?;
        commit(transaction, BEGINNING).await?;
        Ok(Begun::New { id })
    }

    /// Stores one that was found at GitHub; `false` if one of that kind is
    /// open already, and nothing was stored.
    ///
    /// # Errors
    /// As the database's.
    pub async fn adopt_outstanding(&self, found: &Adopted, now: Timestamp) -> Result<bool, StoreError> {
        const DOING: &str = "adopt what was found at GitHub";
        let mut transaction = self.write(DOING).await?;
        let id = take_number(&mut transaction, "outstanding", DOING).await?;
        let rows = sqlx::query(sql::ADOPT_OUTSTANDING)
            .bind(id)
            .bind(row::number(found.new.repository.0))
            .bind(row::number(found.new.account.0))
            .bind(found.new.kind.as_str())
            .bind(found.state.as_str())
            .bind(row::number(found.number))
            .bind(row::text(&found.node_id))
            .bind(found.new.findings.to_string())
            .bind(row::millis(found.created_at))
            .bind(row::millis(now))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::of(DOING))?
            .rows_affected();
        commit(transaction, DOING).await?;
        Ok(rows > 0)
    }

    /// GitHub has created it, with this commit if it is a pull request and
    /// GitHub named one; `false` if it was not being created.
    ///
    /// # Errors
    /// As the database's.
    pub async fn opened(
        &self,
        id: i64,
        number: u64,
        node_id: &str,
        commit: Option<&ObjectId>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.change_outstanding(
            "note what was opened",
            sqlx::query(sql::OPENED)
                .bind(id)
                .bind(row::number(number))
                .bind(row::text(node_id))
                .bind(row::millis(now))
                .bind(commit.map(ObjectId::as_str)),
        )
        .await
    }

    /// It is no longer open, or open again; `false` if there is none of that id.
    ///
    /// # Errors
    /// As the database's; also if it is to be open beside another of its kind.
    pub async fn settle_outstanding(
        &self,
        id: i64,
        state: State,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.change_outstanding(
            "note where it stands",
            sqlx::query(sql::SETTLE_OUTSTANDING).bind(id).bind(state.as_str()).bind(row::millis(now)),
        )
        .await
    }

    /// Goes on with a creation that was begun and cut off; `false` if it is not
    /// being created.
    ///
    /// # Errors
    /// As the database's.
    pub async fn resume_outstanding(&self, id: i64, now: Timestamp) -> Result<bool, StoreError> {
        let query = sqlx::query(sql::RESUME_OUTSTANDING).bind(id).bind(row::millis(now));
        self.change_outstanding("go on with a creation", query).await
    }

    /// It now speaks of other findings; `false` if there is none of that id.
    ///
    /// # Errors
    /// As the database's.
    pub async fn refresh_outstanding(
        &self,
        id: i64,
        findings: &FindingSet,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.change_outstanding(
            "note what it speaks of",
            sqlx::query(sql::REFRESH_OUTSTANDING).bind(id).bind(findings.to_string()).bind(row::millis(now)),
        )
        .await
    }

    /// GitHub refused, so it certainly does not exist: the row goes, and the
    /// budget is given back. `false` if it was not being created.
    ///
    /// # Errors
    /// As the database's.
    pub async fn withdraw_outstanding(&self, id: i64) -> Result<bool, StoreError> {
        self.change_outstanding("withdraw a creation", sqlx::query(sql::WITHDRAW).bind(id)).await
    }

    async fn change_outstanding(
        &self,
        doing: &'static str,
        query: sqlx::query::Query<'_, sqlx::Any, sqlx::any::AnyArguments>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write(doing).await?;
        let rows = query.execute(&mut *transaction).await.map_err(StoreError::of(doing))?.rows_affected();
        commit(transaction, doing).await?;
        Ok(rows > 0)
    }

    /// All of ours in a repository, newest first, closed ones too.
    ///
    /// # Errors
    /// As the database's, and [`StoreError::Row`].
    pub async fn outstanding(&self, repository: RepositoryId) -> Result<Vec<Remembered>, StoreError> {
        sqlx::query(sql::OUTSTANDING)
            .bind(row::number(repository.0))
            .fetch_all(&self.reader)
            .await
            .map_err(StoreError::of(READING))?
            .iter()
            .map(read)
            .collect()
    }
}

async fn open_now(
    transaction: &mut Transaction,
    new: &NewOutstanding,
) -> Result<Option<Remembered>, StoreError> {
    sqlx::query(sql::OUTSTANDING_NOW)
        .bind(row::number(new.repository.0))
        .bind(new.kind.as_str())
        .fetch_optional(&mut **transaction)
        .await
        .map_err(StoreError::of(BEGINNING))?
        .map(|row| read(&row))
        .transpose()
}

pub(super) fn read(row: &AnyRow) -> Result<Remembered, StoreError> {
    let refused = StoreError::of(READING);
    let id = row.integer("id").map_err(&refused)?;
    let text = |column| row.text(column).map_err(&refused);
    let kind = parsed("outstanding", id, &text("kind")?)?;
    let state = parsed("outstanding", id, &text("state")?)?;
    let findings = parsed("outstanding", id, &text("findings")?)?;
    let maybe = |column| row.maybe_text(column).map_err(&refused);
    let closing = maybe("closing")?.map(|state| parsed("outstanding", id, &state)).transpose()?;
    let staged = maybe("staged")?.map(|at| parsed("outstanding", id, &at)).transpose()?;
    let words = |column| Ok(maybe(column)?.unwrap_or_default());
    let commits: String = words("commits")?;
    let commits = commits.split(' ').filter(|oid| !oid.is_empty());
    let commits = commits.map(|oid| parsed("outstanding", id, oid)).collect::<Result<_, _>>()?;
    let edits: String = words("edits")?;
    let edits =
        edits.split(' ').filter_map(|at| Timestamp::from_millisecond(at.parse().ok()?).ok()).collect();
    let rest = || -> Result<Remembered, sqlx::Error> {
        Ok(Remembered {
            id,
            kind,
            state,
            number: row.maybe_number("number")?,
            node_id: row.maybe_text("node_id")?,
            findings,
            commits,
            staged,
            closing,
            edits,
            hands_off_at: row.maybe_time("hands_off_at")?,
            created_at: row.time("created_at")?,
            updated_at: row.time("updated_at")?,
        })
    };
    rest().map_err(refused)
}
