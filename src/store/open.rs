//! Opening a database: its files, its connections, its schema.

use super::intake::KnownTurns;
use super::row::Columns;
use super::turn::WriteTurn;
use super::{Dialect, Durability, Store, StoreError, intake, ledger, pool, sql};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{ConnectOptions, Executor};
use std::path::{Path, PathBuf};

const WALK: &str = include_str!("migrations/0001_walk.sql");
const LEDGER: &str = include_str!("migrations/0002_ledger.sql");
const UNREADABLE: &str = include_str!("migrations/0003_unreadable.sql");
const REFRESH: &str = include_str!("migrations/0004_refresh.sql");
const REPLICAS: &str = include_str!("migrations/0005_replicas.sql");
const INTAKE: &str = include_str!("migrations/0006_intake.sql");
const SWEEP: &str = include_str!("migrations/0007_sweep.sql");
const PAUSE: &str = include_str!("migrations/0008_pause.sql");
const INVENTORY: &str = include_str!("migrations/0009_inventory.sql");
const EXEMPTIONS: &str = include_str!("migrations/0010_exemptions.sql");
const CHECKS: &str = include_str!("migrations/0011_checks.sql");
const ANSWERS: &str = include_str!("migrations/0012_answers.sql");
const LISTINGS: &str = include_str!("migrations/0013_listings.sql");
const IMPORT: &str = include_str!("migrations/0014_import.sql");
const EVIDENCE: &str = include_str!("migrations/0015_evidence.sql");
const CODEJSON: &str = include_str!("migrations/0016_codejson.sql");
const DIGEST: &str = include_str!("migrations/0017_digest.sql");
const TRAFFIC: &str = include_str!("migrations/0018_traffic.sql");
const LABOR: &str = include_str!("migrations/0019_labor.sql");
const KEEP: &str = include_str!("migrations/0020_keep.sql");

/// The steps of the schema, oldest first; step `n` makes version `n + 1`.
/// A step that has landed is never edited, only followed by another.
///
/// Replicas of the version before go on storing deliveries and jobs while they
/// are replaced. So a step adds: a new column may be absent from an INSERT, and
/// a table or column is dropped one version after the last that names it. A
/// version with a new kind of job needs a step, be it an empty one: older
/// replicas would take such a job for damage and bury it.
const MIGRATIONS: &[&str] = &[
    WALK, LEDGER, UNREADABLE, REFRESH, REPLICAS, INTAKE, SWEEP, PAUSE, INVENTORY, EXEMPTIONS, CHECKS,
    ANSWERS, LISTINGS, IMPORT, EVIDENCE, CODEJSON, DIGEST, TRAFFIC, LABOR, KEEP,
];

/// The schema version this program writes and reads.
pub(super) fn known_version() -> i64 {
    MIGRATIONS.len() as i64
}

const OPENING: &str = "open it";
const MIGRATING: &str = "bring its schema up to date";

impl Store {
    /// Opens `sqlite://PATH` or a `postgres://` URL, and brings the schema up
    /// to date. A missing SQLite file is made with mode 0600 in a folder made
    /// with mode 0700. On PostgreSQL a URL that names a remote host and no
    /// `sslmode` gets `verify-full`.
    ///
    /// # Errors
    /// [`StoreError::Url`], [`StoreError::File`], [`StoreError::Newer`], or
    /// [`StoreError::Unavailable`] if nothing answers there.
    pub async fn open(url: &str) -> Result<Store, StoreError> {
        Store::open_with(url, Durability::Full).await
    }

    /// Like [`Store::open`], with a choice of durability.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_with(url: &str, durability: Durability) -> Result<Store, StoreError> {
        let place = Place::of(url)?;
        let mut store = Store::connect(&place, durability).await?;
        store.migrate().await?;
        if let (Place::File(file), Some(turn)) = (&place, &store.turn) {
            store.intake = Some(intake::group::start(file, durability, turn.clone(), store.turns.clone())?);
        }
        Ok(store)
    }

    /// Connects, whatever the schema is.
    pub(super) async fn connect(place: &Place, durability: Durability) -> Result<Store, StoreError> {
        sqlx::any::install_default_drivers();
        let dialect = place.dialect();
        let options = place.prepare()?;
        let session = dialect.session(durability);
        let connect = |pool: AnyPoolOptions| {
            pool.after_connect(move |connection, _| {
                Box::pin(async move { connection.execute(sqlx::raw_sql(session)).await.map(|_| ()) })
            })
            .connect_with(options.clone())
        };
        let (reader, writer) = match dialect {
            Dialect::Sqlite => {
                let writer =
                    connect(pool(1).test_before_acquire(false).idle_timeout(None).max_lifetime(None))
                        .await
                        .map_err(StoreError::of(OPENING))?;
                let reader =
                    connect(pool(4).test_before_acquire(false)).await.map_err(StoreError::of(OPENING))?;
                (reader, writer)
            }
            Dialect::Postgres => {
                let shared = connect(pool(16)).await.map_err(StoreError::of(OPENING))?;
                (shared.clone(), shared)
            }
        };
        let turn = match dialect {
            Dialect::Sqlite => Some(WriteTurn::new()),
            Dialect::Postgres => None,
        };
        Ok(Store { dialect, reader, writer, turn, intake: None, turns: KnownTurns::default() })
    }

    /// Brings the schema to [`known_version`], one replica at a time. Asks
    /// first without a lock, so that a role that may not create tables can
    /// open a database that is up to date.
    async fn migrate(&self) -> Result<(), StoreError> {
        if let Ok(version) = version(&self.writer).await
            && settled(version)?
        {
            return Ok(());
        }
        let mut transaction = self.write(MIGRATING).await?;
        let refused = StoreError::of(MIGRATING);
        if let Some(lock) = self.dialect.migration_lock() {
            transaction.execute(lock).await.map_err(&refused)?;
        }
        transaction.execute(sql::SCHEMA_TABLE).await.map_err(&refused)?;
        let version = version(&mut *transaction).await.map_err(&refused)?;
        if settled(version)? {
            return Ok(());
        }
        for (step, script) in MIGRATIONS.iter().enumerate().skip(version as usize) {
            transaction.execute(sqlx::raw_sql(*script)).await.map_err(&refused)?;
            if *script == WALK {
                transaction.execute(sqlx::raw_sql(self.dialect.append_only())).await.map_err(&refused)?;
            }
            if *script == LEDGER {
                ledger::chain::forge(&mut transaction, MIGRATING).await?;
                transaction
                    .execute(sqlx::raw_sql(self.dialect.append_only_chain()))
                    .await
                    .map_err(&refused)?;
            }
            if *script == EXEMPTIONS {
                transaction
                    .execute(sqlx::raw_sql(self.dialect.append_only_exemptions()))
                    .await
                    .map_err(&refused)?;
            }
            sqlx::query(sql::SCHEMA_STEP)
                .bind(step as i64 + 1)
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        super::commit(transaction, MIGRATING).await
    }
}

/// The version of the schema in the database.
pub(super) async fn version<'c>(
    executor: impl Executor<'c, Database = sqlx::Any>,
) -> Result<i64, sqlx::Error> {
    sqlx::query(sql::SCHEMA_VERSION).fetch_one(executor).await?.integer("version")
}

/// An error if the schema is from the future.
pub(super) fn not_newer(version: i64) -> Result<(), StoreError> {
    if version > known_version() {
        return Err(StoreError::Newer { found: version, known: known_version() });
    }
    Ok(())
}

/// Whether the schema needs nothing; an error if it is from the future.
fn settled(version: i64) -> Result<bool, StoreError> {
    not_newer(version)?;
    Ok(version == known_version())
}

/// Where a database URL points.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// An absolute path.
    File(PathBuf),
    /// The URL as it came.
    Server(String),
}

impl Place {
    pub(super) fn of(url: &str) -> Result<Place, StoreError> {
        let wrong = |problem: &str| StoreError::Url { problem: problem.to_owned() };
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Place::Server(url.to_owned()));
        }
        let Some(path) = url.strip_prefix("sqlite:") else {
            return Err(wrong("names neither SQLite nor PostgreSQL"));
        };
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() {
            return Err(wrong("names no file"));
        }
        if path == ":memory:" {
            return Err(wrong("asks for a database in memory, which would forget everything"));
        }
        if path.contains(['?', '#', '\0']) {
            return Err(wrong("has a path with `?`, `#` or NUL in it; Muster sets SQLite's options itself"));
        }
        std::path::absolute(path)
            .map(Place::File)
            .map_err(|source| StoreError::File { path: path.into(), source })
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Place::File(_) => Dialect::Sqlite,
            Place::Server(_) => Dialect::Postgres,
        }
    }

    /// Makes what has to exist before connecting.
    fn prepare(&self) -> Result<AnyConnectOptions, StoreError> {
        if let Place::File(path) = self {
            make_private_file(path)?;
        }
        self.options()
    }

    /// How to connect to what is there.
    pub(super) fn options(&self) -> Result<AnyConnectOptions, StoreError> {
        let parse = |url: &str| {
            url.parse::<AnyConnectOptions>()
                .map_err(|_| StoreError::Url { problem: "cannot be parsed".to_owned() })
        };
        let options = match self {
            Place::File(path) => parse(&format!("sqlite://{}", encode(path)))?,
            Place::Server(url) => {
                let mut options = parse(url)?;
                let url = &options.database_url;
                let asked = |name: &str| url.query_pairs().any(|(key, _)| key == name);
                let remote = url.host_str().is_some_and(|host| {
                    !["", "localhost", "127.0.0.1", "[::1]"].contains(&host) && !host.starts_with("%2F")
                });
                if remote && !asked("sslmode") && !asked("host") {
                    options.database_url.query_pairs_mut().append_pair("sslmode", "verify-full");
                }
                options
            }
        };
        // Statements are not logged one by one; slow ones are, as warnings
        // and without their values.
        Ok(options.log_statements("off".parse().expect("`off` is a level of the log")))
    }
}

/// Writes a path so that it survives being a URL.
fn encode(path: &Path) -> String {
    use std::fmt::Write;
    let mut encoded = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b'~' => {
                encoded.push(char::from(*byte));
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

/// Makes the file for its owner alone if it is missing (SQLite gives its
/// side files the same mode), and its folder likewise.
fn make_private_file(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| StoreError::File { path, source }
    };
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed(folder))?;
    }
    std::fs::OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map(|_| ())
        .map_err(failed(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the driver is handed for a server's URL.
    fn handed(url: &str) -> String {
        sqlx::any::install_default_drivers();
        Place::of(url).unwrap().prepare().unwrap().database_url.to_string()
    }

    #[test]
    fn a_remote_server_must_prove_who_it_is() {
        for url in ["postgres://muster@db.agency.example/muster", "postgresql://muster@10.0.0.9:5433/muster"]
        {
            assert_eq!(handed(url), format!("{url}?sslmode=verify-full"));
        }
        for url in [
            "postgres://muster@localhost/muster",
            "postgres://muster@127.0.0.1/muster",
            "postgres://muster@[::1]/muster",
            "postgres://muster@%2Frun%2Fpostgresql/muster",
            "postgres:///muster?host=/run/postgresql",
            "postgres://muster@db/muster?sslmode=disable",
        ] {
            assert_eq!(handed(url), url, "left as it is");
        }
    }

    #[test]
    fn a_path_may_be_relative() {
        let here = std::env::current_dir().unwrap();
        for url in ["sqlite://muster.db", "sqlite:muster.db"] {
            assert_eq!(Place::of(url).unwrap(), Place::File(here.join("muster.db")));
        }
        assert_eq!(
            Place::of("sqlite:///var/lib/muster.db").unwrap(),
            Place::File("/var/lib/muster.db".into())
        );
    }
}
