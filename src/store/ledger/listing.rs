//! The ledger as people read it: decisions and the audit in one list.

use super::READING;
use super::chain::EntryKind;
use crate::domain::repository::RepositoryName;
use crate::store::row::{self, Columns};
use crate::store::rows::{AuditRow, DecisionRow};
use crate::store::{Store, StoreError, sql};
use jiff::Timestamp;
use serde::Serialize;
use sqlx::any::AnyRow;

/// Which entries to list; the default lists all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerFilter {
    /// Only those before this place in the chain.
    pub before: Option<i64>,
    /// Only those since then.
    pub since: Option<Timestamp>,
    /// Only those about repositories that had this name last.
    pub repository: Option<RepositoryName>,
}

/// An entry of the ledger, in the words in which it is stored: one that this
/// version does not know is listed all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerEntry {
    /// Its place in the chain.
    pub seq: i64,
    /// When it was written.
    pub at: Timestamp,
    /// `decision` or `audit`.
    pub kind: &'static str,
    /// What was decided or what happened, in a word.
    pub what: String,
    /// The name that the repository had last.
    pub repository: Option<String>,
    /// The repository's id.
    pub repository_id: Option<i64>,
    /// The installation's id.
    pub installation: Option<i64>,
    /// The id of the person.
    pub actor: Option<i64>,
    /// The person's login at the time.
    pub login: Option<String>,
    /// The person's role at the time.
    pub role: Option<String>,
    /// The way in of a decision.
    pub via: Option<String>,
    /// The rule of a decision.
    pub rule: Option<String>,
    /// The findings of a decision.
    pub findings: Option<String>,
    /// The reason of a decision.
    pub reason: Option<String>,
    /// Until when a decision holds.
    pub until: Option<Timestamp>,
    /// The id of who approved a decision.
    pub approver: Option<i64>,
    /// Where a decision can be seen.
    pub evidence_url: Option<String>,
    /// Particulars of an entry of the audit.
    pub detail: Option<serde_json::Value>,
    /// The hash that links it to the entry before.
    pub hash: String,
}

impl Store {
    /// At most `limit` entries of the ledger, newest first.
    ///
    /// # Errors
    /// As the database's.
    pub async fn ledger(&self, filter: &LedgerFilter, limit: u32) -> Result<Vec<LedgerEntry>, StoreError> {
        let refused = StoreError::of(READING);
        let mut entries = Vec::new();
        for kind in EntryKind::ALL {
            let statement = match kind {
                EntryKind::Decision => sql::LISTED_DECISIONS,
                EntryKind::Audit => sql::LISTED_AUDIT,
            };
            let rows = sqlx::query(statement)
                .bind(filter.before.unwrap_or(i64::MAX))
                .bind(row::maybe_millis(filter.since))
                .bind(filter.repository.as_ref().map(|name| name.owner().as_str().to_owned()))
                .bind(filter.repository.as_ref().map(|name| name.name().to_owned()))
                .bind(i64::from(limit))
                .fetch_all(&self.reader)
                .await
                .map_err(&refused)?;
            for row in rows {
                let entry = match kind {
                    EntryKind::Decision => decision(&row),
                    EntryKind::Audit => audit(&row),
                };
                entries.push(entry.map_err(&refused)?);
            }
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.seq));
        entries.truncate(limit as usize);
        Ok(entries)
    }
}

impl Store {
    /// Whether a repository of this name was ever seen, and had it last.
    ///
    /// # Errors
    /// As the database's.
    pub async fn knows(&self, name: &RepositoryName) -> Result<bool, StoreError> {
        sqlx::query(sql::KNOWN_NAME)
            .bind(name.owner().as_str().to_owned())
            .bind(name.name().to_owned())
            .fetch_one(&self.reader)
            .await
            .and_then(|row| row.flag("known"))
            .map_err(StoreError::of(READING))
    }
}

fn decision(row: &AnyRow) -> Result<LedgerEntry, sqlx::Error> {
    let stored = DecisionRow::read(row)?;
    Ok(LedgerEntry {
        seq: row.integer("seq")?,
        at: row.time("decided_at")?,
        kind: EntryKind::Decision.as_str(),
        what: stored.status,
        repository: repository(row)?,
        repository_id: Some(stored.repository),
        installation: None,
        // GitHub names nobody for a deleted account.
        actor: Some(stored.actor).filter(|actor| *actor != 0),
        login: Some(stored.login).filter(|login| !login.is_empty()),
        role: Some(stored.role),
        via: Some(stored.via),
        rule: stored.rule,
        findings: Some(stored.findings),
        reason: stored.reason,
        until: row.maybe_time("until")?,
        approver: stored.approver,
        evidence_url: stored.evidence_url,
        detail: None,
        hash: row.text("hash")?,
    })
}

fn audit(row: &AnyRow) -> Result<LedgerEntry, sqlx::Error> {
    let stored = AuditRow::read(row)?;
    let detail = serde_json::from_str(&stored.detail).unwrap_or(serde_json::Value::String(stored.detail));
    Ok(LedgerEntry {
        seq: row.integer("seq")?,
        at: row.time("noted_at")?,
        kind: EntryKind::Audit.as_str(),
        what: stored.what,
        repository: repository(row)?,
        repository_id: stored.repository,
        installation: stored.installation,
        actor: stored.actor,
        login: None,
        role: None,
        via: None,
        rule: None,
        findings: None,
        reason: None,
        until: None,
        approver: None,
        evidence_url: None,
        detail: Some(detail),
        hash: row.text("hash")?,
    })
}

fn repository(row: &AnyRow) -> Result<Option<String>, sqlx::Error> {
    let name = row.maybe_text("owner")?.zip(row.maybe_text("name")?);
    Ok(name.map(|(owner, name)| format!("{owner}/{name}")))
}
