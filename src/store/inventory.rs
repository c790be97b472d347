//! What the inventory rests on, and what was published of it.
//!
//! Promises: (1) a judgement and its entry commit together; (2) a refused
//! publication never takes the last good one away; (3) a random id is never
//! given twice, nor to another repository.

use super::publicized::note_publicized;
use super::row::{self, Columns, parsed};
use super::{SeenRepository, Store, StoreError, Transaction, commit, sql};
use crate::domain::inventory::{self, Opaque, Sources};
use crate::domain::repository::{InstallationId, RepositoryId, RepositoryName, Visibility};
use code_json::record::Record;
use jiff::Timestamp;
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::ops::RangeInclusive;

/// Under which subject the head of a file is stored.
pub const HEAD: &str = "head";

/// What is remembered of a repository for its entry, but for its sources.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownEntry {
    /// The repository as last seen.
    pub seen: SeenRepository,
    /// The rule that skips it.
    pub skipped: Option<String>,
    /// Why it could not be read the last time.
    pub unknown: Option<String>,
    /// Which reading its sources are; `None` if they never were read.
    pub reading: Option<Reading>,
    /// When these last said something new.
    pub changed_at: Option<Timestamp>,
    /// The addresses it had before.
    pub former_urls: Vec<String>,
    /// How often it was cloned, as far as that was measured.
    pub clones: Option<u64>,
    /// The labor hours that were estimated of it.
    pub hours: Option<u64>,
    /// Why a later commit could not be counted.
    pub uncounted: Option<String>,
}

/// A reading of a repository, as it is told from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// When it was.
    pub at: Timestamp,
    /// How many were stored before it.
    pub revision: i64,
}

/// A random id, and for which visibility it was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnId {
    /// The id.
    pub opaque: Opaque,
    /// The repository's visibility then.
    pub visibility: Visibility,
}

/// A text that comes to stand in a published file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewListing<'a> {
    /// What it is about.
    pub subject: String,
    /// What it is sorted by, byte by byte.
    pub place: &'a str,
    /// The text.
    pub text: &'a str,
    /// SHA-256 of it, in hex.
    pub digest: String,
}

/// A file that is published: what differs from the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPublication<'a> {
    /// The agency's acronym.
    pub agency: &'a str,
    /// The file's name.
    pub file: &'a str,
    /// SHA-256 of the file that it is compared with; `None` if there is none.
    pub before: Option<&'a str>,
    /// SHA-256 of its bytes, in hex.
    pub sha256: &'a str,
    /// What is new in it, or reads otherwise.
    pub new: &'a [NewListing<'a>],
    /// What is no longer in it, or no longer reads so.
    pub gone: &'a [String],
    /// Digest of all that is a reason to propose it again, in hex.
    pub substance: &'a str,
    /// The policy it rests on.
    pub policy_digest: &'a str,
    /// The account, JSON; `None` if it is as it was.
    pub account: Option<&'a str>,
    /// The random ids that are in it for the first time.
    pub ids: &'a [String],
}

/// What is known of a publication, but for its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publication {
    /// SHA-256 of the bytes; `None` if nothing was published yet.
    pub sha256: Option<String>,
    /// Digest of all that is a reason to propose it again.
    pub substance: Option<String>,
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

/// A published file, as it stands or stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedFile {
    /// Its bytes.
    pub body: Vec<u8>,
    /// SHA-256 of these, in hex.
    pub sha256: String,
    /// When they were published.
    pub published_at: Timestamp,
}

impl Store {
    /// The repositories of an installation that are not gone, by id.
    ///
    /// # Errors
    /// As the database's.
    pub async fn entries(&self, installation: InstallationId) -> Result<Vec<KnownEntry>, StoreError> {
        let refused = StoreError::of("read the entries of an inventory");
        let row = sqlx::query(self.dialect.entries())
            .bind(row::number(installation.0))
            .fetch_one(&self.reader)
            .await
            .map_err(&refused)?;
        let list = row.maybe_text("list").map_err(&refused)?;
        let mut entries = each_of("entry", list.as_deref(), |row| entry(installation, row))?;
        entries.sort_unstable_by_key(|entry| entry.seen.id);
        Ok(entries)
    }

    /// What was read of those repositories of an installation whose ids are in
    /// a range, and by which reading.
    ///
    /// # Errors
    /// As the database's.
    pub async fn sources(
        &self,
        installation: InstallationId,
        ids: RangeInclusive<RepositoryId>,
    ) -> Result<HashMap<RepositoryId, (Sources, Reading)>, StoreError> {
        let refused = StoreError::of("read the sources of an inventory");
        let rows = sqlx::query(sql::SOURCES)
            .bind(row::number(installation.0))
            .bind(row::number(ids.start().0))
            .bind(row::number(ids.end().0))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        // Most of the time goes into JSON.
        rows.par_iter().map(sources).collect()
    }

    /// The names of all repositories that are not public, gone ones included.
    ///
    /// # Errors
    /// As the database's.
    pub async fn hidden_names(&self) -> Result<Vec<RepositoryName>, StoreError> {
        let refused = StoreError::of("list what is not public");
        let row = sqlx::query(self.dialect.hidden_names()).fetch_one(&self.reader).await.map_err(&refused)?;
        let list = row.maybe_text("list").map_err(&refused)?;
        let name = |(id, owner, name): (u64, Cow<'_, str>, Cow<'_, str>)| {
            Ok((id, parsed("repository", id, &format!("{owner}/{name}"))?))
        };
        let mut names = each_of("repository", list.as_deref(), name)?;
        names.sort_unstable_by_key(|(id, _)| *id);
        Ok(names.into_iter().map(|(_, name)| name).collect())
    }

    /// Stores what was read afresh of who may see repositories.
    ///
    /// # Errors
    /// As the database's.
    pub async fn see_visibility(
        &self,
        seen: &[(RepositoryId, Visibility, bool)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "store who may see a repository";
        let mut transaction = self.write(DOING).await?;
        for (id, visibility, archived) in seen {
            sqlx::query(sql::SEE_VISIBILITY)
                .bind(row::number(id.0))
                .bind(visibility.as_str())
                .bind(i64::from(*archived))
                .bind(row::millis(now))
                .execute(&mut *transaction)
                .await
                .map_err(StoreError::of(DOING))?;
        }
        note_publicized(&mut transaction, DOING, now).await?;
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
    /// As the database's; also if what is stored is not what was published.
    pub async fn published(&self, agency: &str, file: &str) -> Result<Option<PublishedFile>, StoreError> {
        let refused = StoreError::of("read a published file");
        let rows = sqlx::query(sql::LISTINGS)
            .bind(agency)
            .bind(file)
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        let Some(first) = rows.first() else { return Ok(None) };
        let (sha256, published_at) = (first.text("sha256"), first.time("published_at"));
        let (sha256, published_at) = (sha256.map_err(&refused)?, published_at.map_err(&refused)?);
        let body = body(&rows).map_err(&refused)?;
        if hex::encode(Sha256::digest(&body)) != sha256 {
            let problem =
                "what is stored is not what was published: start again with an empty table".to_owned();
            return Err(StoreError::Row { table: "listing", key: format!("{agency} {file}"), problem });
        }
        Ok(Some(PublishedFile { body, sha256, published_at }))
    }

    /// A published file as it stood at a moment; `None` if there was none.
    ///
    /// # Errors
    /// As the database's.
    pub async fn published_as_of(
        &self,
        agency: &str,
        file: &str,
        at: Timestamp,
    ) -> Result<Option<PublishedFile>, StoreError> {
        let refused = StoreError::of("read a file as it was published");
        let rows = sqlx::query(sql::LISTINGS_AT)
            .bind(agency)
            .bind(file)
            .bind(row::millis(at))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        let times: Result<Vec<Timestamp>, sqlx::Error> =
            rows.iter().map(|row| row.time("published_at")).collect();
        let Some(published_at) = times.map_err(&refused)?.into_iter().max() else { return Ok(None) };
        let body = body(&rows).map_err(&refused)?;
        Ok(Some(PublishedFile { sha256: hex::encode(Sha256::digest(&body)), body, published_at }))
    }

    /// What stands in a published file, with the SHA-256 of its text in hex.
    ///
    /// # Errors
    /// As the database's.
    pub async fn listed(&self, agency: &str, file: &str) -> Result<HashMap<String, String>, StoreError> {
        let refused = StoreError::of("list what is published");
        let row = sqlx::query(self.dialect.listed())
            .bind(agency)
            .bind(file)
            .fetch_one(&self.reader)
            .await
            .map_err(&refused)?;
        let list = row.maybe_text("list").map_err(&refused)?;
        let listed = each_of("listing", list.as_deref(), |listed: (String, String)| Ok(listed))?;
        Ok(listed.into_iter().collect())
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

    /// Publishes a file, in place of the one before; false if that was not the
    /// one it was compared with.
    ///
    /// # Errors
    /// As the database's.
    pub async fn publish(&self, new: &NewPublication<'_>, now: Timestamp) -> Result<bool, StoreError> {
        const DOING: &str = "publish a file";
        let refused = StoreError::of(DOING);
        let mut transaction = self.write(DOING).await?;
        let taken = sqlx::query(sql::PUBLISH)
            .bind(new.agency)
            .bind(new.file)
            .bind(new.sha256)
            .bind(new.substance)
            .bind(new.policy_digest)
            .bind(row::millis(now))
            .bind(row::maybe_text(new.account))
            .bind(new.before)
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        if taken.rows_affected() == 0 {
            return Ok(false);
        }
        if new.before.is_none() {
            // Of a time that the database no longer knows, as after a restore.
            sqlx::query(sql::UNLIST_ALL)
                .bind(new.agency)
                .bind(new.file)
                .bind(row::millis(now))
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        for subject in new.gone {
            sqlx::query(sql::UNLIST)
                .bind(new.agency)
                .bind(new.file)
                .bind(row::text(subject))
                .bind(row::millis(now))
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        for listing in new.new {
            sqlx::query(sql::LIST)
                .bind(new.agency)
                .bind(new.file)
                .bind(row::text(&listing.subject))
                .bind(row::text(listing.place))
                .bind(row::text(listing.text))
                .bind(listing.digest.as_str())
                .bind(row::millis(now))
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        for id in new.ids {
            sqlx::query(sql::LIST_OPAQUE)
                .bind(id.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        commit(transaction, DOING).await?;
        Ok(true)
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
        let query = sqlx::query(sql::ACCOUNT_OF)
            .bind(agency)
            .bind(file)
            .bind(row::text(account))
            .bind(row::millis(now))
            .bind(row::maybe_text(refusal));
        self.change("store an account", query).await
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
        let query = sqlx::query(sql::PROPOSED).bind(agency).bind(file).bind(substance);
        self.change("note what was proposed", query).await
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

/// What the database hands over of one repository, in this order.
#[derive(Deserialize)]
struct EntryRow<'a> {
    id: u64,
    node_id: String,
    #[serde(borrow)]
    owner: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    visibility: Cow<'a, str>,
    archived: i64,
    skipped: Option<String>,
    unknown: Option<String>,
    read_at: Option<i64>,
    revision: Option<i64>,
    changed_at: Option<i64>,
    #[serde(borrow)]
    former_urls: Option<Cow<'a, str>>,
    clones: Option<i64>,
    hours: Option<i64>,
    uncounted: Option<String>,
}

fn entry(installation: InstallationId, row: EntryRow<'_>) -> Result<KnownEntry, StoreError> {
    let id = RepositoryId(row.id);
    let refused = StoreError::of("read an entry");
    let time = |column, at: Option<i64>| at.map(|at| row::instant(column, at)).transpose().map_err(&refused);
    let read_at = time("read_at", row.read_at)?;
    Ok(KnownEntry {
        seen: SeenRepository {
            id,
            node_id: row.node_id,
            installation,
            name: parsed("repository", id, &format!("{}/{}", row.owner, row.name))?,
            visibility: parsed("repository", id, &row.visibility)?,
            archived: row.archived != 0,
        },
        skipped: row.skipped,
        unknown: row.unknown,
        reading: read_at.zip(row.revision).map(|(at, revision)| Reading { at, revision }),
        changed_at: time("changed_at", row.changed_at)?,
        former_urls: row.former_urls.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        clones: row.clones.map(row::unsigned),
        hours: row.hours.map(row::unsigned),
        uncounted: row.uncounted,
    })
}

fn sources(row: &AnyRow) -> Result<(RepositoryId, (Sources, Reading)), StoreError> {
    let refused = StoreError::of("read an entry");
    let id = RepositoryId(row.number("repository").map_err(&refused)?);
    let damaged = damaged("entry", id);
    let record = row.maybe_text("record").map_err(&refused)?;
    let record = record.map(|text| serde_json::from_str::<Record>(&text)).transpose().map_err(&damaged)?;
    let sources = row.text("sources").map_err(&refused)?;
    let sources = Sources { record, ..serde_json::from_str(&sources).map_err(damaged)? };
    let (at, revision) = (row.time("read_at"), row.integer("revision"));
    Ok((id, (sources, Reading { at: at.map_err(&refused)?, revision: revision.map_err(&refused)? })))
}

/// What becomes of each row of a list in JSON. PostgreSQL makes none of no
/// rows.
fn each_of<'l, Row: Deserialize<'l>, T: Send>(
    table: &'static str,
    list: Option<&'l str>,
    each: impl Fn(Row) -> Result<T, StoreError> + Sync,
) -> Result<Vec<T>, StoreError> {
    let damaged = damaged(table, "of a list");
    let rows: Vec<&RawValue> = serde_json::from_str(list.unwrap_or("[]")).map_err(&damaged)?;
    rows.par_iter().map(|row| each(serde_json::from_str(row.get()).map_err(&damaged)?)).collect()
}

/// JSON in a row that cannot be read. By its place alone: the words of the
/// error quote the row, which may name what is private.
fn damaged(table: &'static str, key: impl Display) -> impl Fn(serde_json::Error) -> StoreError {
    move |error| {
        let problem = format!("its JSON is not what this version writes, at column {}", error.column());
        StoreError::Row { table, key: key.to_string(), problem }
    }
}

/// The file that these texts make up.
fn body(rows: &[AnyRow]) -> Result<Vec<u8>, sqlx::Error> {
    let (mut head, mut entries) = (String::new(), Vec::with_capacity(rows.len()));
    for row in rows {
        let text = row.text("text")?;
        if row.text("subject")? == HEAD {
            head = text;
        } else {
            entries.push((row.text("place")?, text));
        }
    }
    entries.sort_unstable();
    Ok(inventory::bytes(&head, entries.iter().map(|(_, text)| text.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_cannot_be_read_is_not_quoted() {
        let read = |(id, owner): (u64, String)| Ok((id, owner));
        let rows = each_of("entry", Some(r#"[[1,"agency"],["falcon-tracker","agency"]]"#), read);
        let said = rows.unwrap_err().to_string();
        assert!(said.contains("table entry") && said.contains("column 17"), "{said}");
        assert!(!said.contains("falcon"), "{said}");
        assert_eq!(each_of("entry", None, read).unwrap(), []);
    }
}
