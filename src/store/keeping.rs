//! What Muster has begun in the repository of an inventory, and what stands
//! there.
//!
//! Promises: (1) what was begun stands here before GitHub is asked, so that a
//! crash leaves a trace of what may be there; (2) of another repository nothing
//! is believed that was known of the one before.

use super::row::{self, Columns, parsed};
use super::{Store, StoreError, commit, sql};
use crate::domain::inventory::standing::Stands;
use crate::domain::repository::ObjectId;
use jiff::Timestamp;
use sqlx::any::AnyRow;

/// The repository in which an agency's inventory is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keeping {
    /// Its name, as the policy has it.
    pub repository: String,
    /// When a pull request was begun that GitHub has not answered for.
    pub begun_at: Option<Timestamp>,
    /// The newest pull request.
    pub pull: Option<u64>,
    /// The newest commits that Muster made for it.
    pub commits: Vec<ObjectId>,
    /// Why it is not kept as the policy asks.
    pub hindrance: Option<String>,
    /// Since when.
    pub hindered_at: Option<Timestamp>,
    /// When to ask GitHub again, if it refused.
    pub again_at: Option<Timestamp>,
}

/// A published file in that repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// Its name.
    pub file: String,
    /// What Muster proposed or committed last.
    pub said: Option<ObjectId>,
    /// The last of Muster's that was seen on the default branch.
    pub stood: Option<ObjectId>,
    /// How it stands, since when, and when that was seen.
    pub stands: Option<(Stands, Timestamp, Timestamp)>,
}

impl KeptFile {
    /// Whether somebody has edited it there.
    #[must_use]
    pub fn is_edited(&self) -> bool {
        matches!(self.stands, Some((Stands::Edited, ..)))
    }
}

impl Store {
    /// The repository of an agency's inventory, as far as it was ever looked at.
    ///
    /// # Errors
    /// As the database's.
    pub async fn keeping(&self, agency: &str) -> Result<Option<Keeping>, StoreError> {
        let refused = StoreError::of("read where an inventory is kept");
        let row =
            sqlx::query(sql::KEEPING).bind(agency).fetch_optional(&self.reader).await.map_err(&refused)?;
        let Some(row) = row else { return Ok(None) };
        let commits = row.maybe_text("commits").map_err(&refused)?.unwrap_or_default();
        let commits = commits.split_whitespace().map(|oid| parsed("keeping", agency, oid));
        let commits = commits.collect::<Result<_, _>>()?;
        let rest = || -> Result<Keeping, sqlx::Error> {
            Ok(Keeping {
                repository: row.text("repository")?,
                begun_at: row.maybe_time("begun_at")?,
                pull: row.maybe_number("pull")?,
                commits,
                hindrance: row.maybe_text("hindrance")?,
                hindered_at: row.maybe_time("hindered_at")?,
                again_at: row.maybe_time("again_at")?,
            })
        };
        rest().map(Some).map_err(&refused)
    }

    /// The agencies whose inventory is kept somewhere, as they stand in addresses.
    ///
    /// # Errors
    /// As the database's.
    pub async fn keeping_agencies(&self) -> Result<Vec<String>, StoreError> {
        let refused = StoreError::of("list where inventories are kept");
        let rows = sqlx::query(sql::KEEPING_AGENCIES).fetch_all(&self.reader).await.map_err(&refused)?;
        rows.iter().map(|row| row.text("agency")).collect::<Result<_, _>>().map_err(refused)
    }

    /// What is known of the files there, by name.
    ///
    /// # Errors
    /// As the database's.
    pub async fn kept(&self, agency: &str) -> Result<Vec<KeptFile>, StoreError> {
        let refused = StoreError::of("read what stands where an inventory is kept");
        let rows = sqlx::query(sql::KEPT).bind(agency).fetch_all(&self.reader).await.map_err(&refused)?;
        rows.iter().map(|row| kept(row, agency)).collect()
    }

    /// The inventory is kept in this repository from now on, or nowhere: what
    /// was known of another is forgotten.
    ///
    /// # Errors
    /// As the database's.
    pub async fn keep_in(&self, agency: &str, repository: Option<&str>) -> Result<(), StoreError> {
        const DOING: &str = "note where an inventory is kept";
        let refused = StoreError::of(DOING);
        let mut transaction = self.write(DOING).await?;
        let query = match repository {
            Some(repository) => sqlx::query(sql::KEEP_IN).bind(agency).bind(row::text(repository)),
            None => sqlx::query(sql::REMOVE_KEEPING).bind(agency),
        };
        query.execute(&mut *transaction).await.map_err(&refused)?;
        sqlx::query(sql::PROPOSED_NOWHERE).bind(agency).execute(&mut *transaction).await.map_err(&refused)?;
        sqlx::query(sql::REMOVE_KEPT).bind(agency).execute(&mut *transaction).await.map_err(&refused)?;
        commit(transaction, DOING).await
    }

    /// A pull request is about to be opened there.
    ///
    /// # Errors
    /// As the database's.
    pub async fn keeping_begun(&self, agency: &str, now: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query(sql::KEEPING_BEGUN).bind(agency).bind(row::millis(now));
        self.change("note that a pull request is begun", query).await
    }

    /// It is open, with this commit if GitHub named one.
    ///
    /// # Errors
    /// As the database's.
    pub async fn keeping_opened(
        &self,
        agency: &str,
        number: u64,
        commit: Option<&ObjectId>,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(sql::KEEPING_OPENED)
            .bind(agency)
            .bind(row::number(number))
            .bind(commit.map(ObjectId::as_str));
        self.change("note that a pull request is open", query).await
    }

    /// These commits of its branch are Muster's.
    ///
    /// # Errors
    /// As the database's.
    pub async fn keeping_commits(&self, agency: &str, commits: &[&ObjectId]) -> Result<(), StoreError> {
        let commits: Vec<&str> = commits.iter().map(|commit| commit.as_str()).collect();
        let query = sqlx::query(sql::KEEPING_COMMITS).bind(agency).bind(commits.join(" "));
        self.change("note what was committed", query).await
    }

    /// Why it is not kept as the policy asks, and when to ask GitHub again;
    /// `None` if nothing is in the way.
    ///
    /// # Errors
    /// As the database's.
    pub async fn keeping_hindered(
        &self,
        agency: &str,
        why: Option<&str>,
        again_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(sql::KEEPING_HINDERED)
            .bind(agency)
            .bind(row::maybe_text(why))
            .bind(row::millis(now))
            .bind(row::maybe_millis(again_at));
        self.change("note what is in the way of an inventory", query).await
    }

    /// Muster proposed or committed this for a file.
    ///
    /// # Errors
    /// As the database's.
    pub async fn kept_said(&self, agency: &str, file: &str, said: &ObjectId) -> Result<(), StoreError> {
        let query = sqlx::query(sql::KEPT_SAID).bind(agency).bind(file).bind(said.as_str());
        self.change("note what is said where an inventory is kept", query).await
    }

    /// This is how a file stands there; `stood` is the last of Muster's.
    ///
    /// # Errors
    /// As the database's.
    pub async fn kept_stands(
        &self,
        (agency, file): (&str, &str),
        stands: Stands,
        stood: Option<&ObjectId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(sql::KEPT_STANDS)
            .bind(agency)
            .bind(file)
            .bind(stood.map(ObjectId::as_str))
            .bind(stands.to_string())
            .bind(row::millis(now));
        self.change("note what stands where an inventory is kept", query).await
    }
}

fn kept(row: &AnyRow, agency: &str) -> Result<KeptFile, StoreError> {
    let refused = StoreError::of("read what stands where an inventory is kept");
    let maybe = |column| row.maybe_text(column).map_err(&refused);
    let oid = |column| maybe(column)?.map(|oid| parsed("kept", agency, &oid)).transpose();
    let stands: Option<Stands> =
        maybe("stands")?.map(|stands| parsed("kept", agency, &stands)).transpose()?;
    let (since, seen_at) = (row.maybe_time("since"), row.maybe_time("seen_at"));
    let times = since.map_err(&refused)?.zip(seen_at.map_err(&refused)?);
    Ok(KeptFile {
        file: row.text("file").map_err(&refused)?,
        said: oid("said")?,
        stood: oid("stood")?,
        stands: stands.zip(times).map(|(stands, (since, seen_at))| (stands, since, seen_at)),
    })
}
