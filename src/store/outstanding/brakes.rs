//! How many were created, and when that is enough.

use super::{BEGINNING, NewOutstanding, READING};
use crate::domain::observed::ItemKind;
use crate::domain::repository::AccountId;
use crate::store::row::{self, Columns};
use crate::store::{Store, StoreError, Transaction, sql};
use jiff::Timestamp;

/// The limits a creation must stay within (policy: `limits`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brakes {
    /// The account's issues, or its pull requests, count from here.
    pub window_from: Timestamp,
    /// So many in the window, the new one included.
    pub per_window: u64,
    /// So many open of any kind, the new one included.
    pub open: u64,
    /// The repository's pull requests count from here.
    pub pull_requests_from: Timestamp,
    /// So many since then, the new one included.
    pub pull_requests: u64,
    /// Of this kind the repository's count from here, and at most so many, the
    /// new one included; `None` if they have no limit of their own.
    pub of_kind: Option<(Timestamp, u64)>,
    /// All that the account gets counts from here, and at most so many of it,
    /// the new one included; `None` if a person let more come (threats O10).
    pub rollout: Option<(Timestamp, u64)>,
}

/// A limit that held a creation back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brake {
    /// What the account got in the window.
    PerWindow,
    /// What the account has open.
    Open,
    /// What the repository got of pull requests.
    PullRequestInRepository,
    /// What the repository got of the kind.
    OfKind,
    /// What the account got since the policy changed.
    Rollout,
}

impl Store {
    /// How many issues, or pull requests, an account got since an instant,
    /// open or not, and when it got the first of these.
    ///
    /// # Errors
    /// As the database's.
    pub async fn created_since(
        &self,
        account: AccountId,
        item: ItemKind,
        since: Timestamp,
    ) -> Result<(u64, Option<Timestamp>), StoreError> {
        sqlx::query(sql::CREATED_SINCE)
            .bind(row::number(account.0))
            .bind(word(item))
            .bind(row::millis(since))
            .fetch_one(&self.reader)
            .await
            .and_then(|row| Ok((row.number("created")?, row.maybe_time("oldest")?)))
            .map_err(StoreError::of(READING))
    }

    /// When an account got its first: the first day has a limit of its own.
    ///
    /// # Errors
    /// As the database's.
    pub async fn first_created(&self, account: AccountId) -> Result<Option<Timestamp>, StoreError> {
        sqlx::query(sql::FIRST_CREATED)
            .bind(row::number(account.0))
            .fetch_one(&self.reader)
            .await
            .and_then(|row| row.maybe_time("first"))
            .map_err(StoreError::of(READING))
    }

    /// How many an account has open or being created.
    ///
    /// # Errors
    /// As the database's.
    pub async fn open_count(&self, account: AccountId) -> Result<u64, StoreError> {
        sqlx::query(sql::OPEN_COUNT)
            .bind(row::number(account.0))
            .fetch_one(&self.reader)
            .await
            .and_then(|row| row.number("open"))
            .map_err(StoreError::of(READING))
    }
}

/// The word the statement sorts by.
fn word(item: ItemKind) -> &'static str {
    match item {
        ItemKind::Issue => "issue",
        ItemKind::PullRequest => "pull_request",
    }
}

/// The brake that holds a creation back now, if one does.
pub(super) async fn held(
    transaction: &mut Transaction,
    new: &NewOutstanding,
    brakes: Brakes,
) -> Result<Option<Brake>, StoreError> {
    let refused = StoreError::of(BEGINNING);
    let created = sqlx::query(sql::CREATED_SINCE)
        .bind(row::number(new.account.0))
        .bind(word(new.kind.item()))
        .bind(row::millis(brakes.window_from))
        .fetch_one(&mut **transaction)
        .await
        .and_then(|row| row.number("created"))
        .map_err(&refused)?;
    if created >= brakes.per_window {
        return Ok(Some(Brake::PerWindow));
    }
    let open = sqlx::query(sql::OPEN_COUNT)
        .bind(row::number(new.account.0))
        .fetch_one(&mut **transaction)
        .await
        .and_then(|row| row.number("open"))
        .map_err(&refused)?;
    if open >= brakes.open {
        return Ok(Some(Brake::Open));
    }
    if let Some((since, most)) = brakes.rollout {
        let all = sqlx::query(sql::CREATED_OF_ALL_KINDS_SINCE)
            .bind(row::number(new.account.0))
            .bind(row::millis(since))
            .fetch_one(&mut **transaction)
            .await
            .and_then(|row| row.number("created"))
            .map_err(&refused)?;
        if all >= most {
            return Ok(Some(Brake::Rollout));
        }
    }
    if let Some((since, most)) = brakes.of_kind {
        let alike = sqlx::query(sql::KIND_SINCE)
            .bind(row::number(new.repository.0))
            .bind(new.kind.as_str())
            .bind(row::millis(since))
            .fetch_one(&mut **transaction)
            .await
            .and_then(|row| row.number("created"))
            .map_err(&refused)?;
        if alike >= most {
            return Ok(Some(Brake::OfKind));
        }
    }
    match new.kind.item() {
        ItemKind::Issue => Ok(None),
        ItemKind::PullRequest => {
            let recent = sqlx::query(sql::PULL_REQUESTS_SINCE)
                .bind(row::number(new.repository.0))
                .bind(row::millis(brakes.pull_requests_from))
                .fetch_one(&mut **transaction)
                .await
                .and_then(|row| row.number("created"))
                .map_err(&refused)?;
            Ok((recent >= brakes.pull_requests).then_some(Brake::PullRequestInRepository))
        }
    }
}
