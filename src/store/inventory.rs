//! What the inventory rests on, and what was published of it.
//!
//! Promises: (1) a judgement and its entry commit together; (2) a refused
//! publication never takes the last good one away; (3) a random id is never
//! given twice, nor to another repository.

use super::repositories::seen;
use super::row::{self, Columns, parsed};
use super::{SeenRepository, Store, StoreError, Transaction, commit, sql};
use crate::domain::inventory::{Opaque, Sources};
use crate::domain::repository::{InstallationId, RepositoryId, RepositoryName, Visibility};
use code_json::record::Record;
use jiff::Timestamp;
use sqlx::any::AnyRow;
use std::collections::HashMap;

/// What is remembered of a repository for its entry.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownEntry {
    /// The repository as last seen.
    pub seen: SeenRepository,
    /// The rule that skips it.
    pub skipped: Option<String>,
    /// Why it could not be read the last time.
    pub unknown: Option<String>,
    /// What was read; `None` if nothing ever was.
    pub sources: Option<Sources>,
    /// When that last said something new.
    pub changed_at: Option<Timestamp>,
    /// The addresses it had before.
    pub former_urls: Vec<String>,
}

/// A random id, and for which visibility it was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnId {
    /// The id.
    pub opaque: Opaque,
    /// The repository's visibility then.
    pub visibility: Visibility,
}

/// A file that is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPublication<'a> {
    /// The agency's acronym.
    pub agency: &'a str,
    /// The file's name.
    pub file: &'a str,
    /// Its bytes.
    pub body: &'a str,
    /// SHA-256 of these, in hex.
    pub sha256: &'a str,
    /// Digest of all that is a reason to propose it again, in hex.
    pub substance: &'a str,
    /// What has an entry, JSON.
    pub listed: &'a str,
    /// The policy it rests on.
    pub policy_digest: &'a str,
    /// The account, JSON.
    pub account: &'a str,
    /// The random ids that are in it.
    pub ids: &'a [String],
}

/// What is known of a publication, but for its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publication {
    /// SHA-256 of the bytes; `None` if nothing was published yet.
    pub sha256: Option<String>,
    /// Digest of all that is a reason to propose it again.
    pub substance: Option<String>,
    /// What had an entry, JSON.
    pub listed: Option<String>,
    /// The policy it rested on.
    pub policy_digest: Option<String>,
    /// The substance that was proposed last.
    pub proposed: Option<String>,
    /// When these bytes were published.
    pub published_at: Option<Timestamp>,
    /// The newest account, JSON.
    pub account: Option<String>,
    /// When that was made.
    pub accounted_at: Option<Timestamp>,
    /// Why a later file was refused.
    pub refused: Option<String>,
    /// Since when.
    pub refused_at: Option<Timestamp>,
}

/// A published file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedFile {
    /// Its bytes.
    pub body: String,
    /// SHA-256 of these, in hex.
    pub sha256: String,
    /// When they were published.
    pub published_at: Timestamp,
}

impl Store {
    /// Everything known of the repositories of an installation that are not
    /// gone, by id.
    ///
    /// # Errors
    /// As the database's.
    pub async fn entries(&self, installation: InstallationId) -> Result<Vec<KnownEntry>, StoreError> {
        let refused = StoreError::of("read the entries of an inventory");
        sqlx::query(sql::ENTRIES)
            .bind(row::number(installation.0))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?
            .iter()
            .map(entry)
            .collect()
    }

    /// The names of all repositories that are not public, gone ones included.
    ///
    /// # Errors
    /// As the database's.
    pub async fn hidden_names(&self) -> Result<Vec<RepositoryName>, StoreError> {
        let refused = StoreError::of("list what is not public");
        let rows = sqlx::query(sql::HIDDEN_NAMES).fetch_all(&self.reader).await.map_err(&refused)?;
        let name = |row: &AnyRow| {
            let text = || Ok(format!("{}/{}", row.text("owner")?, row.text("name")?));
            let id = row.number("id").map_err(&refused)?;
            parsed("repository", id, &text().map_err(&refused)?)
        };
        rows.iter().map(name).collect()
    }

    /// Stores what was read afresh of who may see repositories.
    ///
    /// # Errors
    /// As the database's.
    pub async fn see_visibility(&self, seen: &[(RepositoryId, Visibility, bool)]) -> Result<(), StoreError> {
        const DOING: &str = "store who may see a repository";
        let mut transaction = self.write(DOING).await?;
        for (id, visibility, archived) in seen {
            sqlx::query(sql::SEE_VISIBILITY)
                .bind(row::number(id.0))
                .bind(visibility.as_str())
                .bind(i64::from(*archived))
                .execute(&mut *transaction)
                .await
                .map_err(StoreError::of(DOING))?;
        }
        commit(transaction, DOING).await
    }

    /// The random ids in use, by repository.
    ///
    /// # Errors
    /// As the database's.
    pub async fn opaque_ids(&self) -> Result<HashMap<RepositoryId, DrawnId>, StoreError> {
        let refused = StoreError::of("read the ids of redacted entries");
        let rows = sqlx::query(sql::OPAQUE).fetch_all(&self.reader).await.map_err(&refused)?;
        let read = |row: &AnyRow| {
            let id = row.text("id").map_err(&refused)?;
            let visibility = parsed("opaque", &id, &row.text("visibility").map_err(&refused)?)?;
            let opaque = Opaque {
                id,
                drawn_at: row.time("drawn_at").map_err(&refused)?,
                listed: row.flag("listed").map_err(&refused)?,
            };
            let repository = RepositoryId(row.number("repository").map_err(&refused)?);
            Ok((repository, DrawnId { opaque, visibility }))
        };
        rows.iter().map(read).collect()
    }

    /// Ends the ids of some repositories, and gives others new ones.
    ///
    /// # Errors
    /// As the database's.
    pub async fn draw_opaque(
        &self,
        ended: &[RepositoryId],
        drawn: &[(RepositoryId, DrawnId)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "draw the ids of redacted entries";
        let mut transaction = self.write(DOING).await?;
        for repository in ended {
            sqlx::query(sql::END_OPAQUE)
                .bind(row::number(repository.0))
                .bind(row::millis(now))
                .execute(&mut *transaction)
                .await
                .map_err(StoreError::of(DOING))?;
        }
        for (repository, DrawnId { opaque, visibility }) in drawn {
            sqlx::query(sql::DRAW_OPAQUE)
                .bind(opaque.id.as_str())
                .bind(row::number(repository.0))
                .bind(visibility.as_str())
                .bind(row::millis(opaque.drawn_at))
                .bind(i64::from(opaque.listed))
                .execute(&mut *transaction)
                .await
                .map_err(StoreError::of(DOING))?;
        }
        commit(transaction, DOING).await
    }

    /// What is known of a publication; all empty if there was none.
    ///
    /// # Errors
    /// As the database's.
    pub async fn publication(&self, agency: &str, file: &str) -> Result<Publication, StoreError> {
        let refused = StoreError::of("read a publication");
        let row = sqlx::query(sql::PUBLICATION)
            .bind(agency)
            .bind(file)
            .fetch_optional(&self.reader)
            .await
            .map_err(&refused)?;
        let Some(row) = row else { return Ok(Publication::default()) };
        let read = || -> Result<Publication, sqlx::Error> {
            Ok(Publication {
                sha256: row.maybe_text("sha256")?,
                substance: row.maybe_text("substance")?,
                listed: row.maybe_text("listed")?,
                policy_digest: row.maybe_text("policy_digest")?,
                proposed: row.maybe_text("proposed")?,
                published_at: row.maybe_time("published_at")?,
                account: row.maybe_text("account")?,
                accounted_at: row.maybe_time("accounted_at")?,
                refused: row.maybe_text("refused")?,
                refused_at: row.maybe_time("refused_at")?,
            })
        };
        read().map_err(refused)
    }

    /// A published file; `None` if there is none.
    ///
    /// # Errors
    /// As the database's.
    pub async fn published(&self, agency: &str, file: &str) -> Result<Option<PublishedFile>, StoreError> {
        let refused = StoreError::of("read a published file");
        let row = sqlx::query(sql::PUBLICATION_BODY)
            .bind(agency)
            .bind(file)
            .fetch_optional(&self.reader)
            .await
            .map_err(&refused)?;
        let read = |row: AnyRow| -> Result<PublishedFile, sqlx::Error> {
            Ok(PublishedFile {
                body: row.text("body")?,
                sha256: row.text("sha256")?,
                published_at: row.time("published_at")?,
            })
        };
        row.map(read).transpose().map_err(refused)
    }

    /// The hash of a published file; `None` if there is none.
    ///
    /// # Errors
    /// As the database's.
    pub async fn published_hash(&self, agency: &str, file: &str) -> Result<Option<String>, StoreError> {
        let refused = StoreError::of("read the hash of a published file");
        let row = sqlx::query(sql::PUBLICATION_HASH)
            .bind(agency)
            .bind(file)
            .fetch_optional(&self.reader)
            .await
            .map_err(&refused)?;
        row.map(|row| row.text("sha256")).transpose().map_err(refused)
    }

    /// Publishes a file, in place of the one before.
    ///
    /// # Errors
    /// As the database's.
    pub async fn publish(&self, new: &NewPublication<'_>, now: Timestamp) -> Result<(), StoreError> {
        const DOING: &str = "publish a file";
        let refused = StoreError::of(DOING);
        let mut transaction = self.write(DOING).await?;
        sqlx::query(sql::PUBLISH)
            .bind(new.agency)
            .bind(new.file)
            .bind(row::text(new.body))
            .bind(new.sha256)
            .bind(new.substance)
            .bind(row::text(new.listed))
            .bind(new.policy_digest)
            .bind(row::millis(now))
            .bind(row::text(new.account))
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        for id in new.ids {
            sqlx::query(sql::LIST_OPAQUE)
                .bind(id.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        commit(transaction, DOING).await
    }

    /// Stores an account, and why no file came of it, if none did; what is
    /// published stays.
    ///
    /// # Errors
    /// As the database's.
    pub async fn account_of(
        &self,
        (agency, file): (&str, &str),
        account: &str,
        refusal: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "store an account";
        let mut transaction = self.write(DOING).await?;
        sqlx::query(sql::ACCOUNT_OF)
            .bind(agency)
            .bind(file)
            .bind(row::text(account))
            .bind(row::millis(now))
            .bind(row::maybe_text(refusal))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::of(DOING))?;
        commit(transaction, DOING).await
    }

    /// Notes which substance was proposed, or stood already.
    ///
    /// # Errors
    /// As the database's.
    pub async fn inventory_proposed(
        &self,
        (agency, file): (&str, &str),
        substance: &str,
    ) -> Result<(), StoreError> {
        const DOING: &str = "note what was proposed";
        let mut transaction = self.write(DOING).await?;
        sqlx::query(sql::PROPOSED)
            .bind(agency)
            .bind(file)
            .bind(substance)
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::of(DOING))?;
        commit(transaction, DOING).await
    }
}

/// Stores what was read of a repository; whether it says something new.
pub(super) async fn put_entry(
    transaction: &mut Transaction,
    seen: &SeenRepository,
    skipped: Option<&str>,
    sources: &Sources,
    read_at: Timestamp,
) -> Result<bool, sqlx::Error> {
    let json = |error: serde_json::Error| sqlx::Error::Encode(error.into());
    let record = sources.record.as_ref().map(serde_json::to_string).transpose().map_err(json)?;
    let bare = serde_json::to_string(&Sources { record: None, ..sources.clone() }).map_err(json)?;
    let changed_at = sqlx::query(sql::PUT_ENTRY)
        .bind(row::number(seen.id.0))
        .bind(row::millis(read_at))
        .bind(row::text(&bare))
        .bind(row::maybe_text(record.as_deref()))
        .bind(sources.digest(&seen.name, seen.visibility, seen.archived, skipped))
        .bind(i64::from(sources.file.keeps_the_last()))
        .bind(row::text(&sources.url))
        .fetch_optional(&mut **transaction)
        .await?;
    match changed_at {
        Some(row) => Ok(row.time("changed_at")?.as_millisecond() == read_at.as_millisecond()),
        None => Ok(false),
    }
}

fn entry(row: &AnyRow) -> Result<KnownEntry, StoreError> {
    let refused = StoreError::of("read an entry");
    let seen = seen(row)?;
    let id = seen.id;
    let damaged = |error: serde_json::Error| StoreError::Row {
        table: "entry",
        key: id.to_string(),
        problem: error.to_string(),
    };
    let text = |column| row.maybe_text(column).map_err(&refused);
    let record = text("record")?.map(|text| serde_json::from_str::<Record>(&text)).transpose();
    let record = record.map_err(damaged)?;
    let sources = text("sources")?.map(|text| serde_json::from_str::<Sources>(&text)).transpose();
    let sources = sources.map_err(damaged)?.map(|sources| Sources { record, ..sources });
    Ok(KnownEntry {
        seen,
        skipped: text("skipped")?,
        unknown: text("unknown")?,
        sources,
        changed_at: row.maybe_time("changed_at").map_err(&refused)?,
        former_urls: text("former_urls")?.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
    })
}
