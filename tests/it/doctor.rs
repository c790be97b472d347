//! `muster doctor`: a healthy instance, and one with everything wrong.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use github_sandbox::{Level, Permission, Sandbox, installation, org};
use insta::assert_snapshot;
use muster::domain::repository::InstallationId;
use muster::store::{Durability, JobKind, MAX_ATTEMPTS, NewJob, Priority, Store};
use serde_json::Value;

use crate::harness::{Muster, README, agency, clock, complete, old, sandbox};
use crate::server::Database;

const ISSUE: &str = "mode: issue\nrepositories: {exclude: [\".github\"]}\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_instance_has_only_good_rows() {
    let clock = clock();
    let organization = agency(ISSUE).repository(complete("site")).repository(complete("secret").private());
    let github = crate::harness::installed(&clock, organization).await;
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    github.user("alice").push("agency/site", "main", &[("notes.txt", "x")], "Note");
    muster.settle().await;
    let url = github.state(|state| state.app().hook_url.clone()).unwrap();
    let url = url.strip_suffix("/webhook").unwrap();
    let rows = settled(muster.doctor(Some(url)).await).replace(url, "http://HERE");
    assert_snapshot!(rows, @r"
    ok connection: GitHub answers.
    ok clock: The clock agrees with GitHub's.
    ok key: GitHub takes the App's key.
    ok app: The App asks for no more than Muster uses.
    ok hook: GitHub sends signed JSON to http://HERE/webhook.
    ok last_delivery: check_suite at 2026-11-17 15:00:00Z was taken.
    ok permissions agency: The account has granted everything that Muster uses.
    ok traffic agency: Clones and views are not measured: that takes administration: read.
    ok policy agency: A policy is in force since 2026-11-17 15:00:00Z, mode issue.
    ok repositories agency: It sees 3 (all of the account): 2 public, 0 internal, 1 private; 0 archived.
    ok organization_home agency: .github is public: everybody can follow its policy and defaults.
    ok rate_limit agency: …
    ok database: SQLite, schema version …, takes writes (wal).
    ok dead_letters: No job has failed for good.
    ok unreadable: Everything that Muster has opened can be read.
    ok writing: It is paused nowhere.
    ");
    muster.finish().await;
}

/// The rows without what other changes change: points used, and the schema.
fn settled(rows: Vec<String>) -> String {
    let without =
        |row: String| match (row.split_once("rate_limit agency: "), row.split_once("schema version ")) {
            (Some((state, _)), _) => format!("{state}rate_limit agency: …"),
            (None, Some((before, after))) => {
                format!("{before}schema version …{}", after.trim_start_matches(|c: char| c.is_ascii_digit()))
            }
            (None, None) => row,
        };
    rows.into_iter().map(without).collect::<Vec<_>>().join("\n")
}

/// Everything that can be wrong at once, each said with what it means.
#[tokio::test(flavor = "multi_thread")]
async fn a_sick_instance_is_told_what_is_wrong() {
    let clock = clock();
    let reads = [
        (Permission::Metadata, Level::Read),
        (Permission::Contents, Level::Read),
        (Permission::PullRequests, Level::Read),
        (Permission::Checks, Level::Read),
    ];
    let asks = [(Permission::Members, Level::Read), (Permission::Issues, Level::Write)];
    let app = github_sandbox::app("muster").permissions(reads.into_iter().chain(asks)).events(["push"]);
    let home = old(".github").private().file(".github/muster.yml", ISSUE);
    let github = sandbox(&clock)
        .app(app)
        .organization(org("agency").owner("olivia").repository(home))
        .organization(org("labs").owner("olivia"))
        .organization(org("strangers").owner("mallory"))
        .organization(org("missing").owner("olivia"))
        .installation(installation("agency").permissions(reads))
        .installation(installation("labs").suspended())
        .installation(installation("strangers"))
        .start()
        .await
        .unwrap();
    let organizations = ["agency", "labs", "missing"];
    let policy = muster::domain::policy::Policy::parse(ISSUE).unwrap();
    let muster = Muster::start_for(&github, &clock, Database::Sqlite, &organizations, Some(policy)).await;
    dead_letter(&muster.ctx.store, clock.now()).await;
    // The last delivery found nobody at home.
    github.set_hook_url("http://127.0.0.1:9/webhook");
    github.change(github_sandbox::state::State::ping);
    github.deliver().await;
    let rows = muster.doctor(Some("https://muster.agency.example")).await;
    assert_snapshot!(settled(rows), @r"
    ok connection: GitHub answers.
    ok clock: The clock agrees with GitHub's.
    ok key: GitHub takes the App's key.
    warning app: The App asks for members, which Muster never uses.
    warning app: The App does not subscribe to check_run, check_suite, issue_comment, issues, public, pull_request, repository: such changes wait for the daily sweep.
    warning hook: The webhook goes to http://127.0.0.1:9/webhook, and this instance takes deliveries at https://muster.agency.example/webhook.
    fails last_delivery: ping at 2026-11-17 15:00:00Z got no answer.
    fails permissions agency: Without issues: read, no repository is read, and so none is judged.
    ok permissions agency: Without checks: write, no check run reports a result.
    warning permissions agency: Without issues: write, no checklist issue is opened.
    ok permissions agency: Without contents: write, no pull request is opened.
    ok permissions agency: Without pull_requests: write, no pull request is opened.
    ok traffic agency: Clones and views are not measured: that takes administration: read.
    ok policy agency: The operator's policy is in force, mode issue.
    could not check repositories agency: POST /app/installations/{installation_id}/access_tokens: not allowed; it needs issues: read.
    could not check organization_home agency: POST /app/installations/{installation_id}/access_tokens: not allowed; it needs issues: read.
    could not check rate_limit agency: …
    warning installation labs: The account has suspended the App: its jobs wait.
    fails installation missing: The App is not installed on this account, which is to be served.
    warning strangers strangers: An account that is not served has installed the App; Muster asks for no token there.
    ok database: SQLite, schema version …, takes writes (wal).
    warning dead_letters: 1 job has failed for good.
    ok unreadable: Everything that Muster has opened can be read.
    ok writing: It is paused nowhere.
    ");
    assert!(muster.ctx.store.retry_dead("inspect_repository", 7, clock.now()).await.unwrap());
    muster.finish().await;
}

async fn dead_letter(store: &Store, now: jiff::Timestamp) {
    let job = NewJob::new(JobKind::InspectRepository, 7, InstallationId(3), Priority::Push, now, "push");
    store.enqueue(&[job], now).await.unwrap();
    for _ in 0..MAX_ATTEMPTS {
        let lease = store.lease("test", std::time::Duration::from_secs(60), now).await.unwrap().unwrap();
        let _ = store.fail(&lease, "the roof is on fire", now, now).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn items_of_ours_that_cannot_be_read_are_listed_until_they_can() {
    let clock = clock();
    let site = old("site").file("README.md", README).file("CONTRIBUTING.md", "Write to us.\n");
    let github = crate::harness::installed(&clock, agency(ISSUE).repository(site)).await;
    let muster = Muster::start(&github, &clock).await;
    let alice = github.user("alice");
    alice.push("agency/site", "main", &[("README.md", &format!("{README}\nMore."))], "Say more");
    muster.settle().await;
    let body = github.issues("agency/site")[0].body.clone();
    let unreadable = async || {
        let rows = muster.doctor(None).await;
        rows.into_iter().find(|row| row.contains(" unreadable")).unwrap()
    };
    assert_eq!(unreadable().await, "ok unreadable: Everything that Muster has opened can be read.");
    alice.edit_body("agency/site", 1, "Nothing of it is left.");
    muster.settle().await;
    assert!(unreadable().await.starts_with("warning unreadable agency/site#1: "), "{}", unreadable().await);
    alice.edit_body("agency/site", 1, &body);
    muster.settle().await;
    assert_eq!(unreadable().await, "ok unreadable: Everything that Muster has opened can be read.");
    muster.finish().await;
}

/// An instance as an operator runs it.
struct Instance {
    github: Sandbox,
    folder: tempfile::TempDir,
}

impl Instance {
    async fn new() -> Instance {
        let github = Sandbox::builder()
            .app(github_sandbox::app("muster").webhook_secret("the-secret-of-this-instance"))
            .organization(agency(ISSUE).repository(complete("site")))
            .organization(org("canary-stranger").owner("mallory"))
            .installation(installation("agency"))
            .start()
            .await
            .unwrap();
        Instance { github, folder: tempfile::tempdir().unwrap() }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command
            .args(words)
            .current_dir(self.folder.path())
            .env_clear()
            .env("MUSTER_GITHUB_API_URL", self.github.api_url())
            .env("MUSTER_GITHUB_URL", self.github.web_url())
            .env("MUSTER_CLIENT_ID", self.github.client_id())
            .env("MUSTER_PRIVATE_KEY", self.github.private_key())
            .env("MUSTER_WEBHOOK_SECRET", self.github.webhook_secret())
            .env("MUSTER_INSTANCE_KEY", "the-key-of-this-instance")
            .env("MUSTER_ORGANIZATIONS", "agency")
            .env("MUSTER_DATABASE_URL", "sqlite://muster.db")
            .env("MUSTER_LISTEN", "127.0.0.1:0")
            .env("MUSTER_LOG", "info");
        command
    }

    fn doctor(&self, settings: &[(&str, &str)], words: &[&str]) -> Output {
        let mut command = self.command(&[&["doctor"], words].concat());
        command.envs(settings.iter().copied()).output().unwrap()
    }

    /// The states by check, and the exit code; of the disk of this machine
    /// nothing is assumed.
    fn examined(&self, settings: &[(&str, &str)]) -> (Vec<(String, String)>, Option<i32>) {
        let output = self.doctor(settings, &["--format", "json"]);
        let said = String::from_utf8_lossy(&output.stderr);
        let document: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
        assert_eq!(document["schema"], "doctor-1");
        assert!(document["generated"].is_string() && document["as_of"].is_string());
        let word = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        let checks = document["checks"].as_array().unwrap();
        let rows = checks.iter().map(|row| (word(row, "check"), word(row, "state")));
        let bad = checks.iter().any(|row| ["warning", "fails"].contains(&row["state"].as_str().unwrap()));
        assert_eq!(output.status.code(), Some(i32::from(bad)), "{said}");
        (rows.filter(|(check, _)| check != "disk").collect(), output.status.code())
    }

    fn only_read(&self) {
        assert!(self.github.calls().iter().all(|call| !call.writes), "{:#?}", self.github.calls());
        let minted = self.github.state(github_sandbox::state::State::grants);
        let writes = |grant: &github_sandbox::state::Grant| {
            grant.permissions.values().any(|level| *level == Level::Write)
        };
        assert!(!minted.iter().any(writes), "a token that can write was asked for: {minted:?}");
        assert_eq!(self.github.failures(), Vec::<String>::new());
    }
}

fn with_state<'a>(rows: &'a [(String, String)], state: &str) -> Vec<&'a str> {
    rows.iter().filter(|(_, found)| found == state).map(|(check, _)| check.as_str()).collect()
}

/// `muster serve`, and what it says.
pub struct Serving {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStderr>>,
    pub address: String,
    said: Vec<String>,
}

impl Serving {
    pub fn start(mut command: Command) -> Serving {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let address = loop {
            let line = lines.next().expect("it says where it listens").unwrap();
            if let Some(rest) = line.strip_prefix("Listening on http://") {
                break rest.split(';').next().unwrap().to_owned();
            }
            said.push(line);
        };
        Serving { child, lines, address, said }
    }

    /// Waits for a line of the log.
    pub fn until(&mut self, words: &str) {
        while !self.said.iter().any(|line| line.contains(words)) {
            self.said
                .push(self.lines.next().unwrap_or_else(|| panic!("{words:?} in {:#?}", self.said)).unwrap());
        }
    }

    /// Waits for a line of the log; what follows these words in it.
    pub fn after(&mut self, words: &str) -> String {
        self.until(words);
        let line = self.said.iter().find_map(|line| line.split_once(words));
        line.map(|(_, rest)| rest.to_owned()).unwrap()
    }

    /// Stops it; everything it said.
    pub fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.said.extend(self.lines.by_ref().map_while(Result::ok));
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{:#?}", self.said);
        self.said.join("\n")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_a_command_it_reads_only_and_ends_with_what_it_found() {
    let instance = Instance::new().await;
    // Before the first start.
    let (rows, code) = instance.examined(&[]);
    assert_eq!(with_state(&rows, "warning"), ["hook", "last_delivery"]);
    assert_eq!(with_state(&rows, "could_not_check"), ["policy"]);
    assert_eq!(code, Some(1));
    assert!(!instance.folder.path().join("muster.db").exists(), "it makes no database");

    let mut serving = Serving::start(instance.command(&["serve"]));
    instance.github.set_hook_url(&format!("http://{}/webhook", serving.address));
    instance.github.user("alice").push("agency/site", "main", &[("notes.txt", "x")], "Note");
    instance.github.deliver().await;
    serving.until("looked around: ");
    instance.github.clear_calls();
    let public = format!("http://{}", serving.address);
    let (rows, _) = instance.examined(&[("MUSTER_PUBLIC_URL", &public)]);
    let others: Vec<_> = rows.iter().filter(|(_, state)| state != "ok").collect();
    assert!(others.is_empty(), "{others:?}");
    serving.stop();
    instance.only_read();

    // The database is the same afterwards, byte for byte; the first who opens
    // it may have to move into it what serve has left in the journal.
    let path = instance.folder.path().join("muster.db");
    instance.examined(&[("MUSTER_PUBLIC_URL", &public)]);
    let before = std::fs::read(&path).unwrap();
    instance.examined(&[("MUSTER_PUBLIC_URL", &public)]);
    assert!(std::fs::read(&path).unwrap() == before);

    let table = instance.doctor(&[], &[]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.lines().any(|line| line.starts_with("+ ok") && line.contains(" key ")), "{table}");
    let last = table.lines().last().unwrap();
    assert!(last.contains(" ok") && last.ends_with('.'), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_told_is_told_when_github_or_the_database_is_away() {
    let instance = Instance::new().await;
    let away = [("MUSTER_GITHUB_API_URL", "http://127.0.0.1:9")];
    let (rows, code) = instance.examined(&away);
    assert_eq!(code, Some(1));
    assert_eq!(with_state(&rows, "fails"), ["connection"]);
    assert_eq!(
        with_state(&rows, "could_not_check"),
        ["clock", "key", "app", "hook", "last_delivery", "installation"]
    );
    assert_eq!(with_state(&rows, "ok"), ["database"]);
    // A file that is no database, and a server that nobody is.
    std::fs::write(instance.folder.path().join("other.db"), "no database at all, only some text in a file")
        .unwrap();
    for url in ["sqlite://other.db", "postgres://muster@127.0.0.1:9/muster"] {
        let (rows, _) = instance.examined(&[("MUSTER_DATABASE_URL", url)]);
        assert!(with_state(&rows, "fails").contains(&"database"), "{url}: {rows:?}");
        assert!(with_state(&rows, "ok").contains(&"key"), "{url}: {rows:?}");
    }
    let unset = instance.doctor(&[("MUSTER_ORGANIZATIONS", "")], &[]);
    assert_eq!(unset.status.code(), Some(2));
    // Alone, what could not be checked is no finding, unless one asks.
    let newer = instance.folder.path().join("newer.db");
    newer_database(&newer).await;
    let url = format!("sqlite://{}", newer.display());
    let (rows, _) = instance.examined(&[("MUSTER_DATABASE_URL", &url)]);
    assert_eq!(with_state(&rows, "fails"), ["database"]);
}

/// A database of a Muster to come.
async fn newer_database(path: &Path) {
    use sqlx::{ConnectOptions as _, Executor as _};
    let url = format!("sqlite://{}", path.display());
    Store::open_with(&url, Durability::Test).await.unwrap().close().await;
    let mut connection = url.parse::<sqlx::any::AnyConnectOptions>().unwrap().connect().await.unwrap();
    connection.execute("INSERT INTO schema_version (version) VALUES (999)").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_looks_around_at_its_start_and_names_nobody() {
    let instance = Instance::new().await;
    instance.github.user("mallory").install("canary-stranger", None);
    let mut serving = Serving::start(instance.command(&["serve"]));
    serving.until("looked around: ");
    let log = serving.stop();
    assert!(log.contains("An account that is not served has installed the App"), "{log}");
    assert!(log.contains("The App has no webhook"), "{log}");
    assert!(!log.contains("canary"), "{log}");

    // It does not wait for a GitHub that is away, and says that it is.
    let mut command = instance.command(&["serve"]);
    command.env("MUSTER_GITHUB_API_URL", "http://127.0.0.1:9");
    let mut serving = Serving::start(command);
    serving.until("looked around: ");
    assert!(serving.stop().contains("GitHub does not answer"));
}
