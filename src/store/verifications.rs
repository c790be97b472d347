//! What everybody gets of the published files.
//!
//! Promise: a file that could not be fetched, or was another, takes away nothing
//! of what is known of the last one that was right.

use super::row::{self, Columns};
use super::{Store, StoreError, commit, sql};
use crate::domain::inventory::harvest::Harvest;
use jiff::Timestamp;
use sqlx::any::AnyRow;

/// What came of fetching one published file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The agency, as it stands in addresses.
    pub agency: String,
    /// The file's name.
    pub file: String,
    /// Where it was fetched.
    pub url: String,
    /// When.
    pub checked_at: Timestamp,
    /// SHA-256 of what was published then, in hex.
    pub expected: String,
    /// Why what was fetched is not that.
    pub differs: Option<String>,
    /// The last one that was what was published.
    pub last: Option<Confirmed>,
}

/// A file that was fetched and was what was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// When.
    pub at: Timestamp,
    /// SHA-256, in hex.
    pub sha256: String,
    /// What a harvester made of it.
    pub harvest: Harvest,
}

impl Store {
    /// What is known of an agency's files, by name.
    ///
    /// # Errors
    /// As the database's.
    pub async fn verifications(&self, agency: &str) -> Result<Vec<Verification>, StoreError> {
        let refused = StoreError::of("read what everybody gets of the published files");
        let rows =
            sqlx::query(sql::VERIFICATIONS).bind(agency).fetch_all(&self.reader).await.map_err(&refused)?;
        rows.iter().map(verification).collect()
    }

    /// The agencies of which something is known, as they stand in addresses.
    ///
    /// # Errors
    /// As the database's.
    pub async fn verified_agencies(&self) -> Result<Vec<String>, StoreError> {
        let refused = StoreError::of("list the agencies whose files were fetched");
        let rows = sqlx::query(sql::VERIFIED_AGENCIES).fetch_all(&self.reader).await.map_err(&refused)?;
        rows.iter().map(|row| row.text("agency")).collect::<Result<_, _>>().map_err(refused)
    }

    /// Stores what came of fetching a file.
    ///
    /// # Errors
    /// As the database's.
    pub async fn verify(&self, found: &Verification) -> Result<(), StoreError> {
        const DOING: &str = "store what everybody gets of a published file";
        let refused = StoreError::of(DOING);
        let json = |error: serde_json::Error| refused(sqlx::Error::Encode(error.into()));
        let last = found.last.as_ref();
        let identifiers = last.map(|last| serde_json::to_string(&last.harvest.identifiers)).transpose();
        let bare = last.map(|last| serde_json::to_string(&last.harvest.without_identifiers())).transpose();
        let mut transaction = self.write(DOING).await?;
        sqlx::query(sql::PUT_VERIFICATION)
            .bind(found.agency.as_str())
            .bind(found.file.as_str())
            .bind(row::text(&found.url))
            .bind(row::millis(found.checked_at))
            .bind(found.expected.as_str())
            .bind(row::maybe_text(found.differs.as_deref()))
            .bind(row::maybe_millis(last.map(|last| last.at)))
            .bind(last.map(|last| last.sha256.clone()))
            .bind(row::maybe_text(identifiers.map_err(json)?.as_deref()))
            .bind(row::maybe_text(bare.map_err(json)?.as_deref()))
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        commit(transaction, DOING).await
    }

    /// Forgets what is known of an agency's files: they have no address any more.
    ///
    /// # Errors
    /// As the database's.
    pub async fn forget_verifications(&self, agency: &str) -> Result<(), StoreError> {
        let query = sqlx::query(sql::REMOVE_VERIFICATIONS).bind(agency);
        self.change("forget what everybody gets of the published files", query).await
    }
}

fn verification(row: &AnyRow) -> Result<Verification, StoreError> {
    let refused = StoreError::of("read what everybody gets of the published files");
    let text = |column| row.text(column).map_err(&refused);
    let maybe = |column| row.maybe_text(column).map_err(&refused);
    let (agency, file) = (text("agency")?, text("file")?);
    let damaged = |error: serde_json::Error| StoreError::Row {
        table: "verification",
        key: format!("{agency} {file}"),
        problem: error.to_string(),
    };
    let at = row.maybe_time("verified_at").map_err(&refused)?;
    let last = match (at, maybe("sha256")?, maybe("identifiers")?, maybe("harvest")?) {
        (Some(at), Some(sha256), Some(identifiers), Some(bare)) => {
            let harvest: Harvest = serde_json::from_str(&bare).map_err(damaged)?;
            let identifiers = serde_json::from_str(&identifiers).map_err(damaged)?;
            Some(Confirmed { at, sha256, harvest: Harvest { identifiers, ..harvest } })
        }
        (_, _, _, _) => None,
    };
    Ok(Verification {
        url: text("url")?,
        checked_at: row.time("checked_at").map_err(&refused)?,
        expected: text("expected")?,
        differs: maybe("differs")?,
        agency,
        file,
        last,
    })
}
