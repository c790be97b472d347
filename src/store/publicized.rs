//! Repositories that were private or internal and are public now (etiquette
//! 4.4): no design of ours holds an approval of that, so each is a quiet
//! finding for the agency's office, and never one for the public.
//!
//! Promises: (1) it is noticed where what GitHub shows is stored, whichever way
//! it was read, so that a lost event hides none; (2) the audit has each once,
//! by number, committed with what was seen; (3) it ends when the repository is
//! no longer public, and begins anew when that is undone.

use super::ledger::{NewAudit, note};
use super::row::{self, Columns, parsed};
use super::{Store, StoreError, Transaction, sql};
use crate::domain::repository::{InstallationId, RepositoryId, RepositoryName, Visibility};
use jiff::Timestamp;
use sqlx::any::AnyRow;

/// A repository that was made public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publicized {
    /// The repository.
    pub repository: RepositoryId,
    /// Its name.
    pub name: RepositoryName,
    /// Who could see it before.
    pub from: Visibility,
    /// When Muster noticed.
    pub noticed_at: Timestamp,
}

const READING: &str = "list what was made public";

impl Store {
    /// The repositories of an installation that were seen private or internal
    /// and are public since, oldest first.
    ///
    /// # Errors
    /// As the database's, and [`StoreError::Row`].
    pub async fn publicized(&self, installation: InstallationId) -> Result<Vec<Publicized>, StoreError> {
        let refused = StoreError::of(READING);
        let rows = sqlx::query(sql::PUBLICIZED)
            .bind(row::number(installation.0))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        let read = |row: &AnyRow| {
            let text = |column| row.text(column).map_err(&refused);
            let id = row.number("id").map_err(&refused)?;
            Ok(Publicized {
                repository: RepositoryId(id),
                name: parsed("repository", id, &format!("{}/{}", text("owner")?, text("name")?))?,
                from: parsed("repository", id, &text("publicized_from")?)?,
                noticed_at: row.time("publicized_at").map_err(&refused)?,
            })
        };
        rows.iter().map(read).collect()
    }
}

/// Notes in the audit what was made public by what this transaction stored. As
/// [`note`], it comes last.
pub(super) async fn note_publicized(
    transaction: &mut Transaction,
    doing: &'static str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let refused = StoreError::of(doing);
    let rows = sqlx::query(sql::PUBLICIZED_UNNOTED).fetch_all(&mut **transaction).await.map_err(&refused)?;
    let audited = |row: &AnyRow| -> Result<NewAudit, sqlx::Error> {
        let detail = serde_json::json!({ "from": row.maybe_text("publicized_from")?, "approval": null });
        Ok(NewAudit {
            installation: Some(InstallationId(row.number("installation")?)),
            repository: Some(RepositoryId(row.number("id")?)),
            actor: None,
            what: "repository_publicized".to_owned(),
            detail: detail.to_string(),
        })
    };
    let mut audit = rows.iter().map(audited).collect::<Result<Vec<_>, _>>().map_err(&refused)?;
    if audit.is_empty() {
        return Ok(());
    }
    audit.sort_by_key(|entry| entry.repository);
    note(transaction, &audit, now).await
}
