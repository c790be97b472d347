//! A repository that makes whoever looks at it abort (threats W6, §6 test 9).
//! The real program is ended from outside, at another step each time, when the
//! sandbox sees the call about that repository.

use std::{pin::pin, time::Duration};

use github_sandbox::{Catch, Sandbox, installation, org};
use muster::{
    domain::repository::RepositoryId,
    store::{Durability, JobKind, Store},
};
use rstest::rstest;

use crate::{
    crash::{lacking, push},
    harness::{complete, know, old},
    process::{KILL, PATIENCE, Process, Signal, free_address, serve, until},
    replicas::{drained, runs_until},
    server::{Database, new_database},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Always open: the real program runs by the real time.
const POLICY: &str = "mode: fix\n\
    repositories: {exclude: [\".github\"]}\n\
    quiet: {days: [mon, tue, wed, thu, fri, sat, sun], hours: \"00:00-24:00\", federal_holidays: false}\n";

/// How an attempt ends: on which call, whether it was carried out, and how the
/// process goes. A stack that overflows aborts; memory that runs out and an
/// impatient operator kill.
const ENDS: [(&[&str], bool, Signal); 5] = [
    (&["Snapshot", "poison"], false, Signal("ABRT")),
    (&["BeforeWrite", "poison"], false, KILL),
    (&["Propose", "poison"], true, Signal("ILL")),
    (&["Snapshot", "poison"], false, Signal("ABRT")),
    (&["poison/issues"], true, KILL),
];

async fn github() -> Sandbox {
    let mut agency =
        org("agency").owner("olivia").member("alice").base_role(Some(github_sandbox::Role::Write));
    agency = agency.repository(old(".github").file("README.md", "Home").file(".github/muster.yml", POLICY));
    agency = agency.repository(old("poison").file("src/main.rs", "fn main() {}\n"));
    for n in 0..8 {
        agency = agency.repository(complete(&format!("site-{n}")));
    }
    let app = github_sandbox::app("muster");
    Sandbox::builder()
        .app(app)
        .organization(agency)
        .installation(installation("agency"))
        .start()
        .await
        .unwrap()
}

#[rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn w6_a_poison_item_is_a_dead_letter_after_five_restarts(#[case] database: Database) {
    let github = github().await;
    let (_folder, url) = new_database(database).await;
    let listen = free_address();
    let store = Store::open_with(&url, Durability::Test).await.unwrap();
    know(&store, &github, "agency", jiff::Timestamp::now()).await;
    // The nightly sweep is not due: it would ask for the poison too.
    let here = i64::try_from(github.installation_id("agency")).unwrap();
    let tonight = jiff::Timestamp::now() + DAY / 2;
    store.arm(JobKind::SweepInstallation, here, here, DAY, tonight).await.unwrap();
    let start = async || Process::start(serve(&github, &url, listen)).await;
    github.set_hook_url(&format!("http://{listen}/webhook"));
    let poison = RepositoryId(github.repository_id("agency/poison"));
    let push = |name: &str| {
        github.user("alice").push(name, "main", &[(".github/notes.txt", "More.\n")], "Write notes");
    };

    // All at once, so that the poison has company whenever it is tried.
    let mut caught = github.catch(Catch::naming(ENDS[0].0).done(ENDS[0].1));
    let mut muster = start().await;
    push("agency/poison");
    for n in 0..8 {
        push(&format!("agency/site-{n}"));
    }
    github.deliver().await;
    for (attempt, (_, _, signal)) in ENDS.iter().enumerate() {
        let told = tokio::time::timeout(PATIENCE, &mut caught).await;
        told.unwrap_or_else(|_| panic!("attempt {attempt} makes no such call: {:#?}", muster.log())).unwrap();
        assert!(!muster.end(*signal).await.success());
        if let Some((naming, done, _)) = ENDS.get(attempt + 1) {
            caught = github.catch(Catch::naming(naming).done(*done));
        }
        muster = start().await;
    }

    let dead = async || store.dead(100, jiff::Timestamp::now()).await.unwrap();
    until("the poison is given up", async || dead().await.len() == 1).await;
    let letter = &dead().await[0];
    assert_eq!((letter.kind.as_str(), letter.subject), ("inspect_repository", poison.0 as i64));
    assert_eq!(letter.error.as_deref(), Some("the worker stopped before it finished"));
    let installation = muster::domain::repository::InstallationId(github.installation_id("agency"));
    let judged = async || {
        let all = store.repositories(installation).await.unwrap();
        all.iter().filter(|repository| repository.judged_at.is_some()).count()
    };
    until("the others are done", async || judged().await == 8).await;
    assert_eq!(dead().await.len(), 1, "the company of the poison is not harmed");

    // A push gives it one more attempt, not five.
    let caught = github.catch(Catch::naming(ENDS[0].0));
    push("agency/poison");
    github.deliver().await;
    tokio::time::timeout(PATIENCE, caught).await.unwrap().unwrap();
    assert!(!muster.end(KILL).await.success());
    let muster = start().await;
    until("it is given up again", async || dead().await.len() == 1).await;

    // The cause is gone, and a person brings it back: it ends as if nothing had been.
    assert!(store.retry_dead("inspect_repository", letter.subject, jiff::Timestamp::now()).await.unwrap());
    until("it is judged", async || judged().await == 9).await;
    assert_eq!(dead().await, []);
    let (issues, pulls) = (github.issues("agency/poison"), github.pull_requests("agency/poison"));
    assert_eq!((issues.len(), pulls.len()), (1, 1), "{issues:?} {pulls:?}");
    assert_eq!(github.failures(), Vec::<String>::new());
    drop(muster);
}

/// One that dies while it writes: in between, a run finds the creation that was
/// begun and has to wait for the lists, which proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn w6_a_poison_item_that_dies_while_it_writes_is_given_up_too() {
    let (github, muster) = lacking(Duration::ZERO).await;
    let store = &muster.ctx.store;
    push(&github);
    github.deliver().await;
    let mut crashes = 0;
    for _ in 0..20 {
        let caught = github.catch(Catch::naming(&["agency/site/labels"]));
        if runs_until(pin!(drained(&muster.worker)), pin!(caught)).await {
            crashes += 1;
            assert_eq!(store.take_back("test", muster.clock.now()).await.unwrap(), 1);
        }
        muster.clock.advance(Duration::from_secs(31));
    }
    assert_eq!(crashes, 5);
    let dead = store.dead(10, muster.clock.now()).await.unwrap();
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert!(store.retry_dead("inspect_repository", dead[0].subject, muster.clock.now()).await.unwrap());
    muster.settle().await;
    assert_eq!(github.issues("agency/site").len(), 1);
    muster.finish().await;
}
