//! The ledger against people who can write to its database, or read its backup
//! (threats O8), and its lists against whoever opens them (I8, I9).

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
    str::FromStr,
    time::Duration,
};

use jiff::Timestamp;
use muster::{
    domain::repository::{AccountId, RepositoryId},
    store::{DecisionStatus, Durability, NewAudit, NewDecision, Store},
};
use rstest::rstest;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, postgres::PgConnectOptions};

use crate::{
    harness::{Muster, README, agency, clock, installed, old},
    server::{Database, NOW, new_database},
};

/// A database with a ledger in it, and a folder to work in.
struct Ledger {
    folder: tempfile::TempDir,
    url: String,
    store: Store,
}

impl Ledger {
    async fn new(database: Database) -> Ledger {
        let (folder, url) = new_database(database).await;
        let store = Store::open_with(&url, Durability::Test).await.unwrap();
        let ledger = Ledger { folder, url, store };
        ledger.note("sweep_begun", "one").await;
        ledger.store.decide(&declined("alice", "It is \"theirs\""), &[], now()).await.unwrap();
        ledger.note("changed", "two").await;
        ledger
    }

    async fn note(&self, what: &str, detail: &str) {
        let entry = NewAudit {
            installation: None,
            repository: None,
            actor: None,
            what: what.to_owned(),
            detail: serde_json::json!({ "detail": detail }).to_string(),
        };
        self.store.note(&[entry], now()).await.unwrap();
    }

    fn muster(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_muster"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("MUSTER_DATABASE_URL", &self.url)
            .output()
            .unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn declined(login: &str, reason: &str) -> NewDecision {
    NewDecision {
        repository: RepositoryId(7),
        rule: None,
        findings: "readme:missing".parse().unwrap(),
        status: DecisionStatus::Declined,
        actor: AccountId(44),
        login: login.to_owned(),
        role: "write".to_owned(),
        via: "close".to_owned(),
        reason: Some(reason.to_owned()),
        until: None,
        approver: None,
        evidence_url: None,
    }
}

/// Does something to a database without Muster, as its owner can.
async fn behind_musters_back(url: &str, statements: &[&str]) {
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(url).await.unwrap();
    for statement in statements {
        connection.execute(AssertSqlSafe((*statement).to_owned())).await.unwrap();
    }
    connection.close().await.unwrap();
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn told(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}", text(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output, code: i32) -> Value {
    serde_json::from_str(&told(output, code)).unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn o8_a_changed_row_is_named(#[values(Database::Sqlite, Database::Postgres)] database: Database) {
    let ledger = Ledger::new(database).await;
    let intact = json(&ledger.muster(&["audit", "verify", "--format", "json"]), 0);
    assert_eq!((&intact["intact"], &intact["entries"]), (&true.into(), &3.into()));
    let head = intact["head"].as_str().unwrap();
    assert!(told(&ledger.muster(&["audit", "verify", "--head", head]), 0).contains(head));
    let unlock = match database {
        Database::Sqlite => "DROP TRIGGER decision_keeps_values",
        Database::Postgres => "ALTER TABLE decision DISABLE TRIGGER decision_append_only",
    };
    behind_musters_back(&ledger.url, &[unlock, "UPDATE decision SET login = 'bob' WHERE id = 1"]).await;
    let broken = told(&ledger.muster(&["audit", "verify"]), 1);
    assert_eq!(broken, "The ledger was changed: entry 2 (decision 1) was changed after it was written.\n");
    let broken = json(&ledger.muster(&["audit", "verify", "--format", "json"]), 1);
    assert_eq!((&broken["schema"], &broken["entries"]), (&"audit-verified-1".into(), &1.into()));
    // What is saved now is said to be broken, and cannot be brought back.
    let saved = ledger.muster(&["backup", "broken.jsonl"]);
    assert!(text(&saved).contains("entry 2 (decision 1)"), "{}", text(&saved));
    told(&saved, 1);
    let other = Ledger { url: format!("sqlite://{}", ledger.path("new.db").display()), ..ledger };
    let refused = other.muster(&["backup", "restore", "broken.jsonl"]);
    assert!(text(&refused).contains("entry 2 (decision 1)"), "{}", text(&refused));
    told(&refused, 2);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn o8_what_was_cut_off_is_seen_by_who_kept_the_head(
    #[values(Database::Sqlite, Database::Postgres)] database: Database,
) {
    let ledger = Ledger::new(database).await;
    let head = json(&ledger.muster(&["audit", "verify", "--format", "json"]), 0)["head"].clone();
    let unlock: &[&str] = match database {
        Database::Sqlite => &["DROP TRIGGER audit_keeps_rows", "DROP TRIGGER chain_keeps_rows"],
        Database::Postgres => &[
            "ALTER TABLE audit DISABLE TRIGGER audit_append_only",
            "ALTER TABLE chain DISABLE TRIGGER chain_append_only",
        ],
    };
    behind_musters_back(&ledger.url, unlock).await;
    let removed = [
        "DELETE FROM audit WHERE id = 2",
        "DELETE FROM chain WHERE seq = 3",
        "UPDATE counter SET value = value - 1 WHERE name IN ('audit', 'chain')",
    ];
    behind_musters_back(&ledger.url, &removed).await;
    told(&ledger.muster(&["audit", "verify"]), 0);
    let seen = told(&ledger.muster(&["audit", "verify", "--head", head.as_str().unwrap()]), 1);
    assert!(seen.contains("the hash you kept is not in this ledger"), "{seen}");
    let usage = ledger.muster(&["audit", "verify", "--head", "abc"]);
    assert!(text(&usage).contains("64 hexadecimal digits"), "{}", text(&usage));
}

/// Everything that keeps Muster's doors: none of it is in the database, in its
/// files or in a backup.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn o8_a_backup_contains_no_canary_token(
    #[values(Database::Sqlite, Database::Postgres)] database: Database,
) {
    let clock = clock();
    let policy = "mode: fix\nrepositories: {exclude: [\".github\"]}\n";
    let site = old("site").file("README.md", format!("{README}\ncanary-of-a-text\n"));
    let github = installed(&clock, agency(policy).repository(site)).await;
    let muster = Muster::start_with(&github, &clock, database, None).await;
    muster.begin().await;
    github.user("alice").push(
        "agency/site",
        "main",
        &[("notes.txt", "canary-of-a-body\n")],
        "canary-of-a-commit",
    );
    muster.settle().await;
    assert_eq!(github.pull_requests("agency/site").len(), 1);
    let mut canaries = github.state(|state| state.tokens());
    assert!(canaries.len() >= 2, "tokens were made");
    let mut file = Vec::new();
    muster.ctx.store.back_up(&mut file, clock.now()).await.unwrap();
    let backup = String::from_utf8(file).unwrap();
    let key = github.private_key();
    canaries.extend(key.lines().filter(|line| line.len() > 40).map(str::to_owned));
    canaries.extend([github.webhook_secret(), "a key of the instance".to_owned()]);
    canaries.extend(["canary-of-a-text", "canary-of-a-body", "canary-of-a-commit"].map(str::to_owned));
    assert!(canaries.len() > 10, "{canaries:?}");
    for canary in canaries {
        assert!(!backup.contains(&canary), "{canary}");
    }
    assert!(backup.contains("agency"), "it is a backup");
    muster.advance(Duration::from_secs(2 * 60 * 60)).await;
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn o8_a_backup_is_for_its_owner_and_overwrites_nothing() {
    let ledger = Ledger::new(Database::Sqlite).await;
    let made = json(&ledger.muster(&["backup", "ledger.jsonl", "--format", "json"]), 0);
    assert_eq!((&made["schema"], &made["entries"]), (&"backup-1".into(), &3.into()));
    let file = ledger.path("ledger.jsonl");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let before = std::fs::read(&file).unwrap();
    let again = ledger.muster(&["backup", "ledger.jsonl"]);
    assert!(text(&again).contains("--force"), "{}", text(&again));
    told(&again, 2);
    assert_eq!(std::fs::read(&file).unwrap(), before);
    ledger.note("changed", "three").await;
    told(&ledger.muster(&["backup", "ledger.jsonl", "--force"]), 0);
    assert_ne!(std::fs::read(&file).unwrap(), before);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    told(&ledger.muster(&["backup", "no/such/folder.jsonl"]), 2);
    // Nothing unfinished is left lying about.
    let left: Vec<String> = std::fs::read_dir(ledger.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    let head = made["head"].as_str().unwrap();
    told(&ledger.muster(&["backup", "verify", "ledger.jsonl", "--head", head]), 0);
    let other = Ledger { url: format!("sqlite://{}", ledger.path("new.db").display()), ..ledger };
    told(&other.muster(&["backup", "restore", "ledger.jsonl"]), 0);
    let restored = json(&other.muster(&["audit", "--format", "json"]), 0);
    assert_eq!(restored["entries"][0]["what"], "ledger_restored");
    assert_eq!(restored["entries"][3]["login"], "alice");
    told(&other.muster(&["backup", "restore", "ledger.jsonl"]), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn i8_i9_nothing_in_a_list_of_the_ledger_acts() {
    let ledger = Ledger::new(Database::Sqlite).await;
    let hostile = "=HYPERLINK(\"https://x\",\"y\")";
    ledger.store.decide(&declined("\u{1b}]8;;https://x\u{7}eve", hostile), &[], now()).await.unwrap();
    ledger.note("-2+3", "a\u{202e}b\r\n::set-output").await;
    let harmless = |text: &str| {
        let acts = |c: char| c.is_control() && c != '\n' && c != '\r' || c == '\u{202e}';
        assert!(!text.chars().any(acts), "{text:?}");
    };
    for format in ["table", "json", "jsonl", "csv"] {
        harmless(&told(&ledger.muster(&["audit", "--format", format]), 0));
    }
    let csv = told(&ledger.muster(&["audit", "--format", "csv"]), 0);
    assert!(csv.contains("\"'=HYPERLINK(\"\"https://x\"\",\"\"y\"\")\""), "{csv}");
    assert!(csv.contains("\"'-2+3\""), "{csv}");
    assert!(csv.lines().all(|line| line.starts_with('"')), "{csv}");
    let lines = told(&ledger.muster(&["audit", "--format", "jsonl"]), 0);
    let entries: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        entries.iter().map(|entry| entry["seq"].as_i64().unwrap()).collect::<Vec<_>>(),
        [5, 4, 3, 2, 1]
    );
    assert_eq!(entries[0]["detail"]["detail"], "a\u{202e}b\r\n::set-output");
    let since = told(&ledger.muster(&["audit", "--since", "2999-01-01", "--format", "csv"]), 0);
    assert_eq!(since.lines().count(), 1, "{since}");
    let limited = json(&ledger.muster(&["audit", "--limit", "2", "--format", "json"]), 0);
    assert_eq!((&limited["schema"], limited["entries"].as_array().unwrap().len()), (&"audit-1".into(), 2));
    let unknown = ledger.muster(&["audit", "--repository", "agency/nothing"]);
    assert!(text(&unknown).contains("knows no repository"), "{}", text(&unknown));
    told(&unknown, 2);
}

/// Threats §4, Database roles: the file that is shipped makes roles that can
/// do their work and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn o8_the_role_of_the_app_can_neither_change_the_ledger_nor_the_schema() {
    let (_folder, url) = new_database(Database::Postgres).await;
    let roles =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/postgres-roles.sql"))
            .unwrap();
    let owner_first = async |script: &str| {
        let mut admin = sqlx::PgConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(script.to_owned())).execute(&mut admin).await.unwrap();
    };
    let as_role = |role: &str| url.replacen("muster@", &format!("{role}@"), 1);
    // Before the first start, and after each upgrade.
    owner_first(&roles).await;
    let owner = Store::open_with(&as_role("muster_owner"), Durability::Test).await.unwrap();
    owner_first(&roles).await;
    drop(owner);

    let store = Store::open_with(&as_role("muster_app"), Durability::Test).await.unwrap();
    store.decide(&declined("alice", "no"), &[], now()).await.unwrap();
    store.begin_adoption(AccountId(10), now()).await.unwrap();
    assert_eq!(store.verify_ledger(None).await.unwrap().broken, None);
    let mut file = Vec::new();
    store.back_up(&mut file, now()).await.unwrap();

    let app = PgConnectOptions::from_str(&as_role("muster_app")).unwrap();
    let report = PgConnectOptions::from_str(&as_role("muster_report")).unwrap();
    for (role, statement) in [
        (&app, "UPDATE decision SET login = 'bob'"),
        (&app, "DELETE FROM audit"),
        (&app, "UPDATE chain SET hash = ''"),
        (&app, "TRUNCATE decision"),
        (&app, "ALTER TABLE decision DISABLE TRIGGER decision_append_only"),
        (&app, "DROP TRIGGER audit_append_only ON audit"),
        (&app, "CREATE TABLE mine (x BIGINT)"),
        (&app, "DROP TABLE work"),
        (&app, "INSERT INTO schema_version (version) VALUES (99)"),
        (&report, "SELECT text FROM policy"),
        (&report, "SELECT body FROM delivery"),
        (&report, "INSERT INTO audit (id, noted_at, what, detail) VALUES (99, 1, 'x', '{}')"),
    ] {
        let mut connection = sqlx::PgConnection::connect_with(role).await.unwrap();
        let refused = connection.execute(statement).await.expect_err(statement).to_string();
        let denied = ["permission denied", "must be owner"].iter().any(|said| refused.contains(said));
        assert!(denied, "{statement}: {refused}");
    }
    let mut connection = sqlx::PgConnection::connect_with(&report).await.unwrap();
    let rows = connection.fetch_all("SELECT seq, kind, what FROM ledger_report ORDER BY seq").await.unwrap();
    assert_eq!(rows.len(), 2);
}
