//! Tests of the store. Each runs on SQLite and on PostgreSQL, unless it is
//! about what only one of them has.

use super::*;
use crate::domain::repository::{AccountId, InstallationId, ObjectId, RepositoryId};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use sqlx::{Executor, Row};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

mod adoption;
mod backup;
mod checks;
mod coalesce;
mod deliveries;
mod examine;
mod exemptions;
mod labor;
mod law;
mod ledger;
mod missed;
mod outstanding;
mod own_file;
mod pace;
mod pauses;
mod publicized;
mod queue;
mod replicas;
mod retention;
mod rows;
mod sweep;
mod traffic;

/// A database of one test's own; gone with it, on SQLite.
pub(super) struct Place {
    pub(super) url: String,
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    /// An empty database.
    pub(super) async fn new(dialect: Dialect) -> Place {
        match dialect {
            Dialect::Sqlite => {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let url = format!("sqlite://{}/muster.db", folder.path().display());
                Place { url, _folder: Some(folder) }
            }
            Dialect::Postgres => Place { url: empty_schema().await, _folder: None },
        }
    }

    pub(super) async fn open(&self) -> Store {
        Store::open_with(&self.url, Durability::Test).await.expect("the store opens")
    }
}

/// A schema of its own on the server that `MUSTER_TEST_POSTGRES` names.
async fn empty_schema() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let server = std::env::var("MUSTER_TEST_POSTGRES")
        .expect("MUSTER_TEST_POSTGRES names no PostgreSQL server to test on: run tests/run");
    let name = format!(
        "store_{}_{:016x}_{}",
        std::process::id(),
        rand::random::<u64>(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    sqlx::any::install_default_drivers();
    let mut connection =
        <sqlx::AnyConnection as sqlx::Connection>::connect(&server).await.expect("the server answers");
    connection
        .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE SCHEMA {name}"))))
        .await
        .expect("the schema is made");
    format!("{server}?options[search_path]={name}")
}

/// A moment: so many seconds after the start of the tests' time.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_790_000_000 + seconds)
}

/// A push to a repository, to be inspected at once.
pub(super) fn inspect(subject: i64) -> NewJob {
    NewJob {
        kind: JobKind::InspectRepository,
        subject,
        installation: 1,
        priority: Priority::Push,
        run_at: at(0),
        cause: "push".to_owned(),
    }
}

pub(super) const MINUTE: Duration = Duration::from_secs(60);

pub(super) async fn lease(store: &Store, seconds: i64) -> Option<Lease> {
    store.lease("worker", MINUTE, at(seconds)).await.expect("leasing works")
}

#[rstest]
#[tokio::test]
async fn every_statement_can_be_prepared(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let register = sql::register(dialect);
    assert!(register.len() > 60, "{} statements", register.len());
    let mut connection = store.reader.acquire().await.unwrap();
    for (name, statement) in register {
        if let Err(error) = (&mut *connection).prepare(sqlx::SqlSafeStr::into_sql_str(statement)).await {
            panic!("{name}: {error}\n{statement}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn opening_again_changes_nothing(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.enqueue(&[inspect(7)], at(0)).await.unwrap();
    store.close().await;
    assert!(matches!(store.alive().await, Err(StoreError::Unavailable { .. })));
    let store = place.open().await;
    store.alive().await.unwrap();
    assert_eq!(store.job_count().await.unwrap(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn openers_at_once_migrate_once(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let openers: Vec<_> = (0..6)
        .map(|_| {
            let url = place.url.clone();
            tokio::spawn(async move { Store::open_with(&url, Durability::Test).await })
        })
        .collect();
    for opener in openers {
        opener.await.unwrap().unwrap().alive().await.unwrap();
    }
}

#[rstest]
#[tokio::test]
async fn a_newer_database_is_refused(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.writer.execute("INSERT INTO schema_version (version) VALUES (99)").await.unwrap();
    store.close().await;
    let error = Store::open_with(&place.url, Durability::Test).await.unwrap_err();
    let known = open::known_version();
    assert!(matches!(error, StoreError::Newer { found: 99, known: own } if own == known), "{error}");
    let (text, up_to) = (error.to_string(), format!("up to {known}"));
    assert!(text.contains("99") && text.contains(&up_to) && text.contains("restore a backup"), "{text}");
}

#[rstest]
#[tokio::test]
async fn the_ledger_only_grows(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.note(&[rows::noted("sweep_begun"), rows::noted("sweep_ended")], at(0)).await.unwrap();
    store.decide(&rows::declined(), &[rows::noted("declined")], at(1)).await.unwrap();
    for statement in [
        "UPDATE audit SET detail = ''",
        "DELETE FROM audit",
        "UPDATE decision SET until = 0",
        "DELETE FROM decision WHERE id = 1",
        "UPDATE chain SET hash = ''",
        "DELETE FROM chain",
    ] {
        let error = store.writer.execute(statement).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{statement}: {error}");
    }
    let audit = store.audit(None, 10).await.unwrap();
    assert_eq!(audit.iter().map(|entry| entry.id).collect::<Vec<_>>(), [3, 2, 1]);
}

#[rstest]
#[case("mysql://somewhere/muster", "names neither")]
#[case("muster.db", "names neither")]
#[case("sqlite://", "names no file")]
#[case("sqlite::memory:", "would forget everything")]
#[case("sqlite://muster.db?mode=ro", "sets SQLite's options itself")]
#[tokio::test]
async fn other_urls_are_refused(#[case] url: &str, #[case] why: &str) {
    let text = Store::open(url).await.unwrap_err().to_string();
    assert!(text.contains(why) && text.contains("give sqlite://PATH or postgres://"), "{text}");
}

#[tokio::test]
async fn errors_do_not_repeat_a_password() {
    for url in ["mysql://muster:hunter2@db/muster", "postgres://muster:hunter2@%2Fnowhere/muster"] {
        let text = Store::open(url).await.unwrap_err().to_string();
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable() {
    let error = Store::open("postgres://muster@%2Fnowhere/muster").await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn sqlite_files_are_private_and_durable() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data of muster");
    let url = format!("sqlite://{}/a#b.db", data.display()).replace('#', "%");
    let store = Store::open(&url).await.unwrap();
    store.enqueue(&[inspect(7)], at(0)).await.unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let mut files: Vec<_> = std::fs::read_dir(&data).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["a%b.db", "a%b.db-shm", "a%b.db-wal"]);
    for file in files {
        assert_eq!(mode(&data.join(&file)), 0o600, "{}", file.display());
    }
    for (pragma, expected) in [("PRAGMA synchronous", 2), ("PRAGMA foreign_keys", 1)] {
        let row = store.writer.fetch_one(pragma).await.unwrap();
        assert_eq!(row.try_get::<i64, _>(0).unwrap(), expected, "{pragma}");
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let error = Store::open("sqlite:///dev/null/muster.db").await.unwrap_err();
    assert!(matches!(error, StoreError::File { .. }) && error.to_string().contains("/dev/null"), "{error}");
}
