//! The program `muster` as a person or a script runs it.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output},
};

use jiff::Timestamp;
use muster::domain::repository::InstallationId;
use muster::store::{Durability, JobKind, MAX_ATTEMPTS, NewDelivery, NewJob, Priority, Settlement, Store};
use serde_json::Value;

use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::server::{Answer, NOW, Request, SECRET, guid, push};

/// Runs `muster` in `folder`, which holds its `muster.db`.
fn muster(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("MUSTER_DATABASE_URL", "sqlite://muster.db")
        .output()
        .unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", out(output)))
}

#[test]
fn help_is_a_result_and_wrong_usage_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let help = muster(folder.path(), &["--help"]);
    assert_eq!((code(&help), err(&help)), (0, String::new()));
    assert!(out(&help).contains("Exit codes:"), "{}", out(&help));
    let mistyped = muster(folder.path(), &["polcy"]);
    assert_eq!((code(&mistyped), out(&mistyped)), (2, String::new()));
    assert!(err(&mistyped).contains("policy"), "{}", err(&mistyped));
}

#[test]
fn a_policy_is_validated_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("muster.yml");
    std::fs::write(&file, "mode: observe\n").unwrap();
    let good = muster(folder.path(), &["policy", "validate", "muster.yml"]);
    assert_eq!((code(&good), out(&good)), (0, String::new()));

    std::fs::write(&file, "mode: observe\nmodus: fix\n\"mo\\u202ede\": fix\n").unwrap();
    let bad = muster(folder.path(), &["policy", "validate", "muster.yml"]);
    assert_eq!(code(&bad), 1, "{}", err(&bad));
    assert!(out(&bad).starts_with("muster.yml:2:1: modus: "), "{}", out(&bad));
    assert!(!out(&bad).contains('\u{202e}'), "{}", out(&bad));

    let document = json(&muster(folder.path(), &["policy", "validate", "muster.yml", "--format", "json"]));
    assert_eq!(document["schema"], "policy-problems-1");
    assert_eq!(document["valid"], false);
    assert_eq!(document["problems"][0]["line"], 2);
    assert!(document["generated"].is_string() && document["as_of"].is_string());

    let missing = muster(folder.path(), &["policy", "validate", "no-such.yml"]);
    assert_eq!((code(&missing), out(&missing)), (2, String::new()));
    assert!(err(&missing).contains("no-such.yml"), "{}", err(&missing));

    let schema = json(&muster(folder.path(), &["policy", "schema"]));
    assert!(schema["properties"]["mode"].is_object());
}

#[test]
fn a_file_is_converted_and_what_is_missing_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let old = r#"{"name": "site", "description": "What it does", "license": null, "openSourceProject": 1,
        "repository": "https://example.gov/site", "tags": ["a"], "contact": {"email": "a@example.gov", "twitter": "@a"}}"#;
    std::fs::write(folder.path().join("old.json"), old).unwrap();
    let args = ["convert", "old.json", "--to", "gsa-2.0.0", "--agency", "ABC", "--measured-by", "projects"];
    let converted = muster(folder.path(), &args);
    assert_eq!(code(&converted), 1, "{}", err(&converted));
    let document = json(&converted);
    assert_eq!((&document["agency"], &document["version"]), (&"ABC".into(), &"2.0.0".into()));
    assert_eq!(document["releases"][0]["permissions"]["usageType"], "openSource");
    assert!(err(&converted).contains("/contact/twitter: \"@a\" (record 1)"), "{}", err(&converted));
    assert!(
        err(&converted).ends_with("1 record read; 3 changes, 1 loss, 1 question\n"),
        "{}",
        err(&converted)
    );

    std::fs::write(folder.path().join("list.json"), format!("[{old}, {old}]")).unwrap();
    let many = muster(folder.path(), &["convert", "list.json", "--to", "gov-2.0.0"]);
    assert_eq!((code(&many), out(&many)), (2, String::new()));
    assert!(err(&many).contains("2 records") && err(&many).contains("--record"), "{}", err(&many));
    let one = muster(folder.path(), &["convert", "list.json", "--to", "gov-2.0.0", "--record", "2"]);
    assert_eq!((code(&one), &json(&one)["name"]), (1, &"site".into()));
    let unknown = muster(folder.path(), &["convert", "list.json", "--to", "gov-3.0.0"]);
    assert_eq!(code(&unknown), 2);
    assert!(err(&unknown).contains("agency-index-2.0.0"), "{}", err(&unknown));
}

#[test]
fn hours_are_estimated_where_a_person_said_none() {
    let folder = tempfile::tempdir().unwrap();
    let record =
        r#"{"name": "site", "description": "What it does", "permissions": {}, "tags": [], "laborHours": 0}"#;
    std::fs::write(folder.path().join("code.json"), record).unwrap();
    std::fs::create_dir_all(folder.path().join("tree/vendor")).unwrap();
    std::fs::create_dir_all(folder.path().join("empty")).unwrap();
    for (path, line, lines) in
        [("tree/a.rs", "fn a() {}\n// why\n", 1000), ("tree/vendor/b.rs", "fn b() {}\n", 7)]
    {
        std::fs::write(folder.path().join(path), line.repeat(lines)).unwrap();
    }
    std::os::unix::fs::symlink("a.rs", folder.path().join("tree/c.rs")).unwrap();
    let packed = std::process::Command::new("tar")
        .args(["czf", "tree.tar.gz", "tree"])
        .current_dir(folder.path())
        .status();
    assert!(packed.unwrap().success());
    let convert = |file: &str, lines_of: &str| {
        muster(folder.path(), &["convert", file, "--to", "gov-2.0.0", "--lines-of", lines_of])
    };
    // 2.94 person-months for 1,000 lines, of 152 hours each.
    for lines_of in ["tree", "tree.tar.gz"] {
        let converted = convert("code.json", lines_of);
        assert_eq!(json(&converted)["laborHours"], 447, "{lines_of}: {}", err(&converted));
        let said = "laborHours: 447 by COCOMO II.2000 nominal from 1000 source lines\n";
        assert!(err(&converted).contains(said), "{}", err(&converted));
    }
    let unknown = convert("code.json", "empty");
    assert_eq!((code(&unknown), json(&unknown)["laborHours"].clone()), (1, 0.into()), "{}", err(&unknown));
    std::fs::write(
        folder.path().join("code.json"),
        record.replace("\"laborHours\": 0", "\"laborHours\": 12"),
    )
    .unwrap();
    let persons = convert("code.json", "tree");
    assert_eq!(json(&persons)["laborHours"], 12, "a person's number wins");
    let broken = convert("code.json", "code.json");
    assert_eq!((code(&broken), out(&broken)), (2, String::new()));
    assert!(err(&broken).contains("cannot count code.json"), "{}", err(&broken));
}

#[tokio::test]
async fn deliveries_are_listed_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let none = muster(folder.path(), &["deliveries"]);
    assert_eq!((code(&none), out(&none)), (0, String::new()), "{}", err(&none));

    let store = open(folder.path()).await;
    let guid = guid();
    let body = "{\"zen\": \"a\\u202eb\"}";
    let delivery = NewDelivery {
        guid: guid.clone(),
        event: "issues".to_owned(),
        action: Some("clo\u{1b}sed".to_owned()),
        installation: None,
        repository: None,
        digest: [7; 32],
        body: body.into(),
        received_at: NOW.parse().unwrap(),
    };
    store.accept(delivery, Vec::new()).await.unwrap();

    let list = muster(folder.path(), &["deliveries"]);
    assert!(out(&list).contains(&guid), "{}", out(&list));
    assert!(out(&list).contains("issues.clo\\u{1b}sed"), "{}", out(&list));
    assert!(out(&list).contains("2026-11-23 14:00:00Z"), "{}", out(&list));
    let list = json(&muster(folder.path(), &["deliveries", "--format", "json"]));
    assert_eq!(
        (&list["schema"], &list["deliveries"][0]["guid"]),
        (&"deliveries-1".into(), &guid.clone().into())
    );

    let show = json(&muster(folder.path(), &["deliveries", "show", &guid, "--format", "json"]));
    assert_eq!(show["body"]["zen"], "a\u{202e}b");
    let show = muster(folder.path(), &["deliveries", "show", &guid.to_uppercase()]);
    assert!(out(&show).contains("a\\u202eb"), "{}", out(&show));
    assert_eq!(code(&muster(folder.path(), &["deliveries", "show", "no-such"])), 1);
}

#[tokio::test]
async fn a_dead_letter_is_listed_and_brought_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let now: Timestamp = NOW.parse().unwrap();
    let job =
        NewJob::new(JobKind::InspectRepository, 7, InstallationId(3), Priority::Push, now, "push 2222222");
    store.enqueue(&[job], now).await.unwrap();
    assert_eq!(code(&muster(folder.path(), &["jobs", "--dead"])), 0);
    for attempt in 1..=MAX_ATTEMPTS {
        let lease = store.lease("test", std::time::Duration::from_secs(60), now).await.unwrap().unwrap();
        let settled = store.fail(&lease, "the roof is on fire", now, now).await.unwrap();
        assert_eq!(settled, if attempt < MAX_ATTEMPTS { Settlement::Again } else { Settlement::Dead });
    }
    let dead = muster(folder.path(), &["jobs", "--dead"]);
    assert_eq!(code(&dead), 1);
    assert!(out(&dead).contains("the roof is on fire"), "{}", out(&dead));
    let dead = json(&muster(folder.path(), &["jobs", "--dead", "--format", "json"]));
    assert_eq!((&dead["schema"], &dead["jobs"][0]["state"]), (&"jobs-1".into(), &"dead".into()));

    let retry = ["jobs", "retry", "inspect_repository", "7"];
    assert_eq!(code(&muster(folder.path(), &retry)), 0);
    assert_eq!(code(&muster(folder.path(), &["jobs", "--dead"])), 0);
    assert_eq!(json(&muster(folder.path(), &["jobs", "--format", "json"]))["jobs"][0]["state"], "ready");
    assert_eq!(code(&muster(folder.path(), &retry)), 1);
}

#[test]
fn a_setting_that_cannot_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("muster.toml"), "databse_url = \"sqlite://x.db\"\n").unwrap();
    let jobs = muster(folder.path(), &["jobs"]);
    assert_eq!((code(&jobs), out(&jobs)), (2, String::new()));
    assert!(err(&jobs).starts_with("muster: the settings have 1 problem:"), "{}", err(&jobs));
    assert!(err(&jobs).contains("databse_url"), "{}", err(&jobs));
}

#[tokio::test]
async fn it_serves_without_a_network_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = github_sandbox::Sandbox::builder().start().await.unwrap();
    let mut muster = Command::new(env!("CARGO_BIN_EXE_muster"))
        .arg("serve")
        .current_dir(folder.path())
        .env_clear()
        .envs([
            ("MUSTER_DATABASE_URL", "sqlite://muster.db"),
            // Nobody listens there.
            ("MUSTER_GITHUB_API_URL", "http://127.0.0.1:1"),
            ("MUSTER_GITHUB_URL", "http://127.0.0.1:1"),
            ("MUSTER_APP_ID", "4"),
            ("MUSTER_PRIVATE_KEY", sandbox.private_key()),
            ("MUSTER_WEBHOOK_SECRET", SECRET),
            ("MUSTER_INSTANCE_KEY", "a key of more than twenty bytes"),
            ("MUSTER_ORGANIZATIONS", "agency"),
            ("MUSTER_LISTEN", "127.0.0.1:0"),
        ])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(muster.stderr.take().unwrap()).lines();
    let address = loop {
        let line = lines.next().expect("it says where it listens").unwrap();
        if let Some(rest) = line.strip_prefix("Listening on http://") {
            break rest.split(';').next().unwrap().to_owned();
        }
    };
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&Request::of("push", &push()).bytes()).await.unwrap();
    assert_eq!(Answer::read(&mut stream).await.status, 202);
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(
        Answer::read(&mut stream).await.body,
        r#"{"status":"ready","database":"ok","worker":"ok","writing":"on"}"#
    );

    let pid = muster.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let log: String = lines.map_while(Result::ok).collect();
    assert_eq!(muster.wait().unwrap().code(), Some(0), "{log}");
    assert!(log.contains("the server has stopped"), "{log}");
    let store = open(folder.path()).await;
    assert_eq!(store.deliveries(&Default::default(), 10).await.unwrap().len(), 1);
}

async fn open(folder: &Path) -> Store {
    let url = format!("sqlite://{}", folder.join("muster.db").display());
    Store::open_with(&url, Durability::Test).await.unwrap()
}
