//! A database looked at from outside, before it is opened: for `muster doctor`.
//!
//! Promises: (1) nothing is made, migrated or changed, not even a missing
//! file; (2) whether it can be written to is found out by a write that is
//! taken back.

use super::open::{Place, known_version, version};
use super::row::Columns;
use super::{Dialect, Store, StoreError, sql};
use crate::domain::repository::{RepositoryName, Visibility};
use sqlx::{AnyConnection, ConnectOptions, Connection, Executor};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

const DOING: &str = "examine it";
/// Longer than a server that is well takes to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A database as found.
#[derive(Debug)]
pub struct Examined {
    /// Which database.
    pub dialect: Dialect,
    /// Its schema; 0 if there is none yet.
    pub version: i64,
    /// The schema this program knows.
    pub known: i64,
    /// Whether a write is taken; `None` without a schema to write to.
    pub writable: Option<Result<(), StoreError>>,
    /// How it keeps what is committed, in its own words.
    pub journal: String,
    /// The file and the disk it is on, of SQLite.
    pub file: Option<FileFacts>,
}

/// The file of an SQLite database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// Whether others than its owner may read or write it.
    pub open_to_others: bool,
    /// Bytes free on its disk for us.
    pub free: u64,
    /// Bytes of its disk.
    pub size: u64,
}

/// An item of ours whose marker cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Where it is.
    pub repository: RepositoryName,
    /// Its number there.
    pub number: u64,
    /// Who sees it.
    pub visibility: Visibility,
}

impl Store {
    /// Looks at the database of a URL; `None` if its file is not there yet.
    ///
    /// # Errors
    /// As [`Store::open`]'s.
    pub async fn examine(url: &str) -> Result<Option<Examined>, StoreError> {
        sqlx::any::install_default_drivers();
        let place = Place::of(url)?;
        let dialect = place.dialect();
        let file = match &place {
            Place::File(path) => match facts(path)? {
                None => return Ok(None),
                Some(facts) => Some(facts),
            },
            Place::Server(_) => None,
        };
        let refused = StoreError::of(DOING);
        let options = place.options()?;
        let connecting = tokio::time::timeout(PATIENCE, options.connect()).await;
        let mut connection = connecting.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(&refused)?;
        connection.execute(sqlx::raw_sql(dialect.glance())).await.map_err(&refused)?;
        let journal = connection
            .fetch_one(dialect.journal())
            .await
            .and_then(|row| row.text("journal"))
            .map_err(&refused)?;
        // Without the table there is no schema yet.
        let version = version(&mut connection).await.unwrap_or(0);
        let writable = match version {
            0 => None,
            _ => Some(try_to_write(&mut connection, dialect).await.map_err(StoreError::of("write to it"))),
        };
        // It is left as it was found; how the leaving goes changes nothing.
        let _ = connection.close().await;
        Ok(Some(Examined { dialect, version, known: known_version(), writable, journal, file }))
    }

    /// Items of ours that cannot be read, at most `limit` repositories with
    /// such.
    ///
    /// # Errors
    /// As the database's, and [`StoreError::Row`].
    pub async fn unreadable(&self, limit: u32) -> Result<Vec<Unreadable>, StoreError> {
        let refused = StoreError::of("list what cannot be read");
        let rows = sqlx::query(sql::UNREADABLE)
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        let mut found = Vec::new();
        for row in &rows {
            let text = |column| row.text(column).map_err(&refused);
            let id = row.integer("id").map_err(&refused)?;
            let name = format!("{}/{}", text("owner")?, text("name")?);
            let repository: RepositoryName = super::row::parsed("repository", id, &name)?;
            let visibility: Visibility = super::row::parsed("repository", id, &text("visibility")?)?;
            let numbers = super::repositories::numbers(&text("unreadable")?);
            found.extend(numbers.into_iter().map(|number| {
                let repository = repository.clone();
                Unreadable { repository, number, visibility }
            }));
        }
        Ok(found)
    }
}

/// A write that changes nothing, and is taken back.
async fn try_to_write(connection: &mut AnyConnection, dialect: Dialect) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with(dialect.begin()).await?;
    transaction.execute(sql::WRITE_NOTHING).await?;
    transaction.rollback().await
}

/// `None` if there is no such file.
fn facts(path: &Path) -> Result<Option<FileFacts>, StoreError> {
    let failed = |source| StoreError::File { path: path.to_owned(), source };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let disk = rustix::fs::statvfs(path).map_err(|error| failed(error.into()))?;
    Ok(Some(FileFacts {
        open_to_others: metadata.mode() & 0o077 != 0,
        free: disk.f_bavail.saturating_mul(disk.f_frsize),
        size: disk.f_blocks.saturating_mul(disk.f_frsize),
    }))
}
