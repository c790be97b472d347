//! Labor hours, counted from the source lines of what is public.

use std::time::Duration;

use github_sandbox::{Fault, FaultKind, Role, Sandbox, installation, org};
use muster::clock::Clock;
use serde_json::Value;

use crate::{
    harness::{Muster, README, Setup, clock, complete, old, sandbox},
    inventory::{POLICY, get, lines, own_file, publication, setup},
    reports::program,
    server::Database,
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const TARBALL: &str = "GET /repos/{owner}/{repo}/tarball/{ref}";

/// So many lines of code, all different.
fn code(lines: usize) -> String {
    (0..lines).map(|n| format!("let x{n} = {n};\n")).collect()
}

/// What 1,000 and 2,000 source lines are worth by the method.
fn hours(lines: u64) -> u64 {
    code_json::labor::hours(lines).unwrap()
}

async fn github(clock: &Clock, wanted: &str) -> Sandbox {
    let policy = POLICY
        .replace("    labor_hours: 0\n", "")
        .replace("  defaults:\n", &format!("  labor_hours: {wanted}\n  defaults:\n"));
    let agency = org("agency")
        .owner("olivia")
        .base_role(Some(Role::Write))
        .repository(old(".github").file("README.md", README).file(".github/muster.yml", &policy))
        .repository(complete("river").description("Counts birds.").file("src/lib.rs", code(1000)))
        .repository(complete("lake").description("Counts fish.").file("src/lib.rs", code(50)))
        .repository(complete("falcon").private().file("src/lib.rs", code(70)));
    let github =
        sandbox(clock).organization(agency).installation(installation("agency")).start().await.unwrap();
    // A person gave the hours of this one.
    let lake = own_file("lake", &format!("{}/agency/lake", github.web_url()));
    github.user("olivia").push("agency/lake", "main", &[("code.json", &lake)], "Describe it");
    github
}

fn alone(database: Database) -> Setup {
    let mut setup = Setup { organizations: vec!["agency".to_owned()], ..setup(database) };
    setup.agencies[0].organizations.truncate(1);
    setup
}

/// The hours in the served entry of a repository; nothing if it has none.
async fn served(muster: &Muster, name: &str) -> Value {
    let served = get(muster, "/code.json", "").await;
    if served.status == 404 {
        return Value::Null;
    }
    let document: Value = serde_json::from_str(&served.body).unwrap();
    let here = format!("/agency/{name}");
    let mut releases = document["releases"].as_array().unwrap().iter();
    let found = releases.find(|release| release["repositoryURL"].as_str().unwrap().ends_with(&here));
    found.map_or(Value::Null, |release| release["laborHours"].clone())
}

/// How many archives were asked for since the last time.
fn asked(muster: &Muster) -> usize {
    muster.calls().iter().filter(|call| *call == TARBALL).count()
}

/// What is due now and in the hours after.
async fn later(muster: &Muster) {
    for _ in 0..3 {
        muster.advance(2 * MINUTE).await;
    }
    muster.advance(60 * MINUTE).await;
}

#[rstest::rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn hours_are_counted_where_no_person_gave_them(#[case] database: Database) {
    let clock = clock();
    let github = github(&clock, "cocomo-ii").await;
    let olivia = github.user("olivia");
    let muster = Muster::start_as(&github, &clock, alone(database)).await;
    muster.begin().await;
    later(&muster).await;
    // One archive: a person spoke for the lake, and the falcon is not public.
    assert_eq!(asked(&muster), 1);
    assert_eq!(served(&muster, "river").await, hours(1000));
    assert_eq!(served(&muster, "lake").await, 120);

    // A commit more, soon after: not before the month is over.
    olivia.push("agency/river", "main", &[("src/more.rs", &code(1020)[15..])], "Write more");
    muster.settle().await;
    muster.advance(DAY).await;
    later(&muster).await;
    assert_eq!(asked(&muster), 0);
    muster.advance(29 * DAY).await;
    later(&muster).await;
    assert_eq!(asked(&muster), 1);
    let twice = served(&muster, "river").await.as_u64().unwrap();
    assert!(twice > hours(1900) && twice < hours(2100), "{twice}");
    // Nothing new: it is not asked for again.
    muster.advance(31 * DAY).await;
    later(&muster).await;
    assert_eq!(asked(&muster), 0);

    // A few lines are no other number.
    olivia.push("agency/river", "main", &[("src/few.rs", "fn few() {}\n")], "Write a little");
    muster.settle().await;
    muster.advance(DAY).await;
    later(&muster).await;
    assert_eq!((asked(&muster), served(&muster, "river").await), (1, twice.into()));

    // An archive that does not come keeps the number, and the account says why.
    olivia.push("agency/river", "main", &[("src/lib.rs", &code(9000))], "Write much");
    muster.settle().await;
    github.fault(Fault::on(TARBALL).kind(FaultKind::BadGateway).times(1000));
    muster.advance(31 * DAY).await;
    later(&muster).await;
    assert_eq!(served(&muster, "river").await, twice);
    let account = publication(&muster, "code.json").await.account.unwrap();
    assert!(account.contains("labor hours could not be counted"), "{account}");
    assert_eq!(muster.ctx.store.dead(10, muster.clock.now()).await.unwrap(), []);
    github.clear_faults();
    muster.advance(DAY).await;
    later(&muster).await;
    assert!(served(&muster, "river").await.as_u64().unwrap() > hours(8900));

    // The agency wants no estimates any more.
    let policy = POLICY.replace("    labor_hours: 0\n", "");
    olivia.push("agency/.github", "main", &[(".github/muster.yml", &policy)], "No estimates");
    muster.settle().await;
    later(&muster).await;
    assert_eq!(served(&muster, "river").await, Value::Null);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_fetched_unless_the_policy_says_so() {
    let clock = clock();
    let github = github(&clock, "off").await;
    let muster = Muster::start_as(&github, &clock, alone(Database::Sqlite)).await;
    muster.begin().await;
    later(&muster).await;
    muster.advance(DAY).await;
    assert_eq!(asked(&muster), 0);
    let account = publication(&muster, "code.json").await;
    assert!(
        lines(&account).iter().any(|line| line.starts_with("agency/river incomplete")),
        "{:?}",
        lines(&account)
    );
    muster.finish().await;
}

/// What holds an entry back is told with the field that it lacks.
#[tokio::test(flavor = "multi_thread")]
async fn gaps_say_why_hours_are_missing() {
    let clock = clock();
    let github = github(&clock, "cocomo-ii").await;
    github.fault(Fault::on(TARBALL).kind(FaultKind::BadGateway).times(1000));
    let muster = Muster::start_as(&github, &clock, alone(Database::Sqlite)).await;
    muster.begin().await;
    later(&muster).await;
    let folder = tempfile::tempdir().unwrap();
    let (code, text, said) = program(folder.path(), &muster.url, &[], &["report", "gaps"]);
    assert_eq!((code, said.as_str()), (0, ""), "{text}");
    let river = text.lines().find(|line| line.contains("agency/river")).unwrap();
    assert!(river.contains("/laborHours") && river.contains("could not be counted"), "{river}");
    github.clear_faults();
    muster.advance(DAY).await;
    later(&muster).await;
    assert_eq!(served(&muster, "river").await, hours(1000));
    muster.finish().await;
}
