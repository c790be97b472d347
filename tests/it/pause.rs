//! `muster pause`, `muster resume` and the stop file: writing stops at once
//! everywhere, reading goes on, nothing is lost (etiquette 4.5, threats O10).

use std::{path::Path, process::Command, time::Duration};

use github_sandbox::{Fault, FaultKind, Sandbox};
use muster::{
    clock::Clock,
    domain::repository::AccountId,
    jobs::worker::Worker,
    store::{Held, Scope},
};
use rstest::rstest;
use serde_json::Value;

use crate::{
    crash::{SITE, lacking, push},
    harness::{Muster, README, Setup, agency, clock, installed, old},
    server::Database,
};

/// The hours are always open, so that only the pause holds anything back.
const FIX: &str = "mode: fix
repositories: {exclude: [\".github\"]}
quiet: {days: [mon, tue, wed, thu, fri, sat, sun], hours: \"00:00-24:00\", federal_holidays: false}
";
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Three repositories that each lack a contribution file.
async fn three(clock: &Clock) -> Sandbox {
    let cc0 = spdx::license_id("CC0-1.0").unwrap().text();
    let organization = (1..=3).fold(agency(FIX), |organization, n| {
        organization.repository(old(&format!("site-{n}")).file("README.md", README).file("LICENSE", cc0))
    });
    installed(clock, organization).await
}

fn opened(github: &Sandbox) -> usize {
    (1..=3).map(|n| github.pull_requests(&format!("agency/site-{n}")).len()).sum()
}

fn account(github: &Sandbox) -> Scope {
    Scope::Account(AccountId(github.state(|state| state.account_named("agency").unwrap().id)))
}

/// What the audit says of pauses, oldest first.
async fn audited(muster: &Muster) -> Vec<(String, Value)> {
    let mut entries = muster.ctx.store.audit(None, 1000).await.unwrap();
    entries.reverse();
    let of_pauses = entries.into_iter().filter(|entry| entry.audit.what.starts_with("writing_"));
    of_pauses.map(|entry| (entry.audit.what, serde_json::from_str(&entry.audit.detail).unwrap())).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_pause_holds_back_goes_out_at_its_end(
    #[values(Database::Sqlite, Database::Postgres)] database: Database,
    #[values(true, false)] everywhere: bool,
) {
    let clock = clock();
    let github = three(&clock).await;
    let muster = Muster::start_as(&github, &clock, Setup { database, ..Setup::default() }).await;
    let store = &muster.ctx.store;
    let scope = if everywhere { Scope::All } else { account(&github) };
    assert!(store.pause(scope, "olivia", "a wrong template", clock.now()).await.unwrap());
    assert!(!store.pause(scope, "bob", "", clock.now()).await.unwrap(), "it is paused already");
    muster.begin().await;
    muster.advance(HOUR).await;
    assert_eq!(opened(&github), 0);
    assert_eq!(store.held(scope).await.unwrap(), Held { repositories: 3, changes: 3 });
    let plan = muster.plan("agency/site-1").await.plan.to_string();
    let word = if everywhere { "muster resume --all" } else { "muster resume agency" };
    assert!(
        plan.contains(&format!("writing is paused{}: {word}", if everywhere { " everywhere" } else { "" })),
        "{plan}"
    );

    // Reading goes on: what a person does meanwhile is seen.
    github.user("alice").push(
        "agency/site-1",
        "main",
        &[("CONTRIBUTING.md", "# Contributing\n\nSend a pull request.\n")],
        "Say how",
    );
    muster.settle().await;
    assert_eq!(store.held(scope).await.unwrap(), Held { repositories: 2, changes: 2 });

    // Another replica, and one that starts anew, hold still as well.
    let muster = muster.restart().await;
    muster.begin().await;
    Worker::new(muster.ctx.clone(), "another").drain().await.unwrap();
    assert_eq!(opened(&github), 0);

    let store = &muster.ctx.store;
    assert!(store.resume(scope, "olivia", clock.now()).await.unwrap());
    assert!(!store.resume(scope, "olivia", clock.now()).await.unwrap(), "it is over");
    muster.settle().await;
    assert_eq!(opened(&github), 2);
    assert_eq!(store.held(Scope::All).await.unwrap(), Held::default());
    let audited = audited(&muster).await;
    let words: Vec<&str> = audited.iter().map(|(what, _)| what.as_str()).collect();
    assert_eq!(words, ["writing_paused", "writing_resumed"]);
    assert_eq!(
        (&audited[0].1["by"], &audited[0].1["reason"]),
        (&"olivia".into(), &"a wrong template".into())
    );
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_stops_a_plan_between_two_of_its_changes() {
    let (github, muster) = lacking(Duration::ZERO).await;
    // The site gets a pull request and an issue; the pull request is on its way.
    push(&github);
    github.deliver().await;
    github.fault(Fault::on("POST /graphql Propose").kind(FaultKind::Held));
    let worker = muster.worker.clone();
    let working = tokio::spawn(async move { worker.drain().await });
    github.holds().await;
    muster.ctx.store.pause(Scope::All, "olivia", "", muster.clock.now()).await.unwrap();
    github.release();
    working.await.unwrap().unwrap();
    let standing = || (github.pull_requests(SITE).len(), github.issues(SITE).len());
    assert_eq!(standing(), (1, 0), "what was under way is finished, and nothing begun");
    assert_eq!(muster.ctx.store.held(Scope::All).await.unwrap().changes, 1);
    muster.ctx.store.resume(Scope::All, "olivia", muster.clock.now()).await.unwrap();
    muster.advance(HOUR).await;
    assert_eq!(standing(), (1, 1));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stop_file_stops_who_sees_it_and_then_everybody() {
    let clock = clock();
    let github = three(&clock).await;
    let mut muster = Muster::start(&github, &clock).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("muster.stop");
    let blind = muster.worker.clone();
    muster.ctx.stop_file = Some(file.as_path().into());
    muster.worker = Worker::new(muster.ctx.clone(), "seeing");
    std::fs::write(&file, "").unwrap();
    muster.begin().await;
    assert_eq!(opened(&github), 0);
    // It is in the database now: the replica without the file holds still too,
    // also when the file is gone.
    std::fs::remove_file(&file).unwrap();
    github.user("alice").push("agency/site-1", "main", &[("notes.txt", "x")], "Note");
    github.deliver().await;
    blind.drain().await.unwrap();
    muster.settle().await;
    assert_eq!(opened(&github), 0);
    assert_eq!(audited(&muster).await[0].1["by"], "the stop file");
    let rows = muster.doctor(None).await;
    let row = rows.iter().find(|row| row.contains(" writing")).unwrap();
    assert_eq!(
        row,
        "warning writing: It is paused everywhere since 2026-11-17 15:00Z; 3 changes in 3 repositories wait."
    );
    muster.ctx.store.resume(Scope::All, "olivia", clock.now()).await.unwrap();
    muster.settle().await;
    assert_eq!(opened(&github), 3);
    muster.finish().await;
}

/// The words of a command and how it ended.
fn said(folder: &Path, words: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(words)
        .current_dir(folder)
        .env_clear()
        .env("USER", "olivia")
        .env("MUSTER_DATABASE_URL", "sqlite://muster.db")
        .output()
        .unwrap();
    let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code().unwrap(), told)
}

#[test]
fn an_operator_pauses_looks_and_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let said = |words: &[&str]| said(folder.path(), words);
    assert_eq!(said(&["pause"]), (0, "Nothing is paused.\n".to_owned()));
    let (code, told) = said(&["pause", "agency"]);
    assert!(code == 2 && told.contains("has not met agency"), "{told}");
    assert_eq!(said(&["resume", "--all"]).0, 1);
    assert_eq!(said(&["resume"]).0, 2);

    assert_eq!(said(&["pause", "--all", "--reason", "a wrong template"]).0, 0);
    assert_eq!(said(&["pause", "--all"]).0, 0, "paused twice is paused");
    let (code, told) = said(&["pause", "--format", "json"]);
    let document: Value = serde_json::from_str(&told).unwrap();
    let pause = &document["pauses"][0];
    assert_eq!(
        (code, &document["schema"], &pause["reason"]),
        (1, &"pauses-1".into(), &"a wrong template".into())
    );
    assert!(pause["by"].as_str().unwrap().starts_with("olivia (uid "), "{told}");

    std::fs::write(folder.path().join("muster.stop"), "").unwrap();
    let (code, told) = said(&["resume", "--all", "--confirm"]);
    assert!(code == 2 && told.contains("muster.stop is there"), "{told}");
    std::fs::remove_file(folder.path().join("muster.stop")).unwrap();
    let (code, told) = said(&["resume", "--all"]);
    assert!(code == 1 && told.starts_with("0 changes in 0 repositories wait"), "{told}");
    let (code, told) = said(&["resume", "--all", "--confirm"]);
    assert!(code == 0 && told.starts_with("Writing to any organization goes on"), "{told}");
    assert_eq!(said(&["pause"]).0, 0);
    let (_, audit) = said(&["audit", "--format", "csv"]);
    assert!(audit.contains("writing_paused") && audit.contains("writing_resumed"), "{audit}");
}
