//! The ledger: what people decided, and the audit of what Muster did.
//!
//! Promises: (1) rows are only added, numbered without a gap; triggers refuse
//! UPDATE and DELETE on both databases; (2) each is linked to the one before
//! ([`chain`]), so that a change is seen; (3) people are kept as id and login.

pub(super) mod chain;
mod listing;
mod verify;

pub use chain::{Broken, EntryKind};
pub use listing::{LedgerEntry, LedgerFilter};
pub use verify::Verified;

use super::row::{self, Columns, parsed};
use super::rows::{AuditRow, DecisionRow};
use super::work::words;
use super::{Store, StoreError, Transaction, commit, sql};
use crate::domain::finding::{FindingSet, RuleId};
use crate::domain::repository::{AccountId, InstallationId, RepositoryId};
use jiff::Timestamp;
use sqlx::any::AnyRow;

words! {
    /// What was decided (etiquette: declining, waivers, exemptions).
    DecisionStatus {
        /// Do not raise it again before `until`.
        Declined = "declined",
        /// A waiver or an exemption was asked for.
        Requested = "requested",
        /// The rule is waived.
        Waived = "waived",
        /// The request was refused.
        Denied = "denied",
        /// An earlier decision ran out.
        Expired = "expired",
        /// An earlier decision was taken back: somebody reopened.
        Withdrawn = "withdrawn",
    }
}

/// A decision of a person, to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDecision {
    /// The repository.
    pub repository: RepositoryId,
    /// The rule, if it is about all gaps of one; `None` if about `findings`.
    pub rule: Option<RuleId>,
    /// The findings it was about, as they stood then.
    pub findings: FindingSet,
    /// What was decided.
    pub status: DecisionStatus,
    /// The person.
    pub actor: AccountId,
    /// The person's login at the time, for display.
    pub login: String,
    /// The person's role in the repository at the time.
    pub role: String,
    /// The way in: `close`, `comment`, `label`, `file`.
    pub via: String,
    /// The person's reason.
    pub reason: Option<String>,
    /// When it stops to hold.
    pub until: Option<Timestamp>,
    /// Who approved it.
    pub approver: Option<AccountId>,
    /// Where it can be seen.
    pub evidence_url: Option<String>,
}

/// A decision as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its number, rising without a gap.
    pub id: i64,
    /// When it was recorded.
    pub decided_at: Timestamp,
    /// What was recorded.
    pub decision: NewDecision,
}

/// Something Muster did or refused, to be noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAudit {
    /// The installation concerned.
    pub installation: Option<InstallationId>,
    /// The repository concerned.
    pub repository: Option<RepositoryId>,
    /// The person who caused it; none if Muster did.
    pub actor: Option<AccountId>,
    /// What happened, a word of the audit's catalogue: `pull_request_opened`.
    pub what: String,
    /// Particulars, JSON.
    pub detail: String,
}

/// An entry of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number, rising without a gap.
    pub id: i64,
    /// When it was noted.
    pub noted_at: Timestamp,
    /// What was noted.
    pub audit: NewAudit,
}

const READING: &str = "read the ledger";
const NOTING: &str = "write the audit";

impl Store {
    /// Records a decision, with what is to be audited of it, in one commit.
    /// Answers its number.
    ///
    /// # Errors
    /// As the database's.
    pub async fn decide(
        &self,
        decision: &NewDecision,
        audit: &[NewAudit],
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        const DOING: &str = "record a decision";
        let mut transaction = self.write(DOING).await?;
        let entries = std::iter::once(chain::Entry::Decision(decision_row(decision, now)))
            .chain(audit.iter().map(|entry| chain::Entry::Audit(audit_row(entry, now))));
        let ids = chain::append(&mut transaction, entries.collect(), DOING).await?;
        commit(transaction, DOING).await?;
        Ok(ids.first().copied().unwrap_or_default())
    }

    /// The decisions about a repository, oldest first.
    ///
    /// # Errors
    /// As the database's, and [`StoreError::Row`].
    pub async fn decisions(&self, repository: RepositoryId) -> Result<Vec<Decision>, StoreError> {
        sqlx::query(sql::DECISIONS)
            .bind(row::number(repository.0))
            .fetch_all(&self.reader)
            .await
            .map_err(StoreError::of(READING))?
            .iter()
            .map(read_decision)
            .collect()
    }

    /// Notes in the audit, all in one commit.
    ///
    /// # Errors
    /// As the database's.
    pub async fn note(&self, audit: &[NewAudit], now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write(NOTING).await?;
        note(&mut transaction, audit, now).await?;
        commit(transaction, NOTING).await
    }

    /// At most `limit` entries of the audit, newest first; of one repository
    /// or of all.
    ///
    /// # Errors
    /// As the database's.
    pub async fn audit(
        &self,
        repository: Option<RepositoryId>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let refused = StoreError::of(READING);
        sqlx::query(sql::AUDIT)
            .bind(repository.map(|repository| row::number(repository.0)))
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?
            .iter()
            .map(|row| read_audit(row).map_err(&refused))
            .collect()
    }
}

/// Notes in the audit within the caller's transaction, of which it must be the
/// last act: the chain is held from here to its end.
pub(super) async fn note(
    transaction: &mut Transaction,
    audit: &[NewAudit],
    now: Timestamp,
) -> Result<(), StoreError> {
    let entries = audit.iter().map(|entry| chain::Entry::Audit(audit_row(entry, now))).collect();
    chain::append(transaction, entries, NOTING).await.map(|_| ())
}

/// A decision as stored; its number comes when it is added.
fn decision_row(decision: &NewDecision, now: Timestamp) -> DecisionRow {
    DecisionRow {
        actor: row::number(decision.actor.0),
        approver: decision.approver.map(|approver| row::number(approver.0)),
        decided_at: row::millis(now),
        evidence_url: row::maybe_text(decision.evidence_url.as_deref()),
        findings: decision.findings.to_string(),
        id: 0,
        login: row::text(&decision.login),
        reason: row::maybe_text(decision.reason.as_deref()),
        repository: row::number(decision.repository.0),
        role: row::text(&decision.role),
        rule: decision.rule.map(|rule| rule.to_string()),
        status: decision.status.as_str().to_owned(),
        until: row::maybe_millis(decision.until),
        via: row::text(&decision.via),
    }
}

/// An entry of the audit as stored; its number comes when it is added.
fn audit_row(audit: &NewAudit, now: Timestamp) -> AuditRow {
    AuditRow {
        actor: audit.actor.map(|actor| row::number(actor.0)),
        detail: row::text(&audit.detail),
        id: 0,
        installation: audit.installation.map(|installation| row::number(installation.0)),
        noted_at: row::millis(now),
        repository: audit.repository.map(|repository| row::number(repository.0)),
        what: row::text(&audit.what),
    }
}

fn read_decision(row: &AnyRow) -> Result<Decision, StoreError> {
    let refused = StoreError::of(READING);
    let id = row.integer("id").map_err(&refused)?;
    let status = parsed("decision", id, &row.text("status").map_err(&refused)?)?;
    let findings = parsed("decision", id, &row.text("findings").map_err(&refused)?)?;
    let rule = row.maybe_text("rule").map_err(&refused)?;
    let rule = rule.map(|rule| parsed("decision", id, &rule)).transpose()?;
    let rest = || -> Result<Decision, sqlx::Error> {
        Ok(Decision {
            id,
            decided_at: row.time("decided_at")?,
            decision: NewDecision {
                repository: RepositoryId(row.number("repository")?),
                rule,
                findings,
                status,
                actor: AccountId(row.number("actor")?),
                login: row.text("login")?,
                role: row.text("role")?,
                via: row.text("via")?,
                reason: row.maybe_text("reason")?,
                until: row.maybe_time("until")?,
                approver: row.maybe_number("approver")?.map(AccountId),
                evidence_url: row.maybe_text("evidence_url")?,
            },
        })
    };
    rest().map_err(refused)
}

fn read_audit(row: &AnyRow) -> Result<AuditEntry, sqlx::Error> {
    Ok(AuditEntry {
        id: row.integer("id")?,
        noted_at: row.time("noted_at")?,
        audit: NewAudit {
            installation: row.maybe_number("installation")?.map(InstallationId),
            repository: row.maybe_number("repository")?.map(RepositoryId),
            actor: row.maybe_number("actor")?.map(AccountId),
            what: row.text("what")?,
            detail: row.text("detail")?,
        },
    })
}
