//! The walk under loss: whatever answer or delivery is lost, the end is the
//! same as if nothing had been.

use std::time::Duration;

use github_sandbox::{Fault, FaultKind, Sandbox, installation};
use jiff::SignedDuration;
use muster::{clock::Clock, domain::repository::AccountId};

use crate::{
    harness::{Muster, README, agency, old, sandbox},
    server::Database,
};

/// The window of the default policy has just opened.
const MORNING: &str = "2026-11-17T09:00:00Z";
const FIX: &str = "mode: fix\nrepositories: {exclude: [\".github\"]}\n";
pub const SITE: &str = "agency/site";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Everything that stands in the repository, as text; addresses aside, since
/// every sandbox has its own.
pub fn standing(github: &Sandbox) -> String {
    let mut text = String::new();
    for issue in github.issues(SITE).iter() {
        text += &format!("{issue} by {} {:?}\n{}\n", issue.author, issue.labels, issue.body);
    }
    for pull in github.pull_requests(SITE).iter() {
        text += &format!("{pull} by {} {} {:?}\n{}\n", pull.author, pull.head, pull.files, pull.body);
        for path in &pull.files {
            text += &format!("{path}: {:?}\n", github.file(SITE, "muster/files", path));
        }
        text += &format!("commits: {}\n", pull.commits);
    }
    text += &format!("branches: {:?}\nlabels: {:?}\n", github.branches(SITE), github.labels(SITE));
    text.replace(github.web_url(), "WEB")
}

/// An organization whose one repository lacks a README, a contribution file
/// and a license: it gets a pull request and a tracking issue.
pub async fn lacking(lag: Duration) -> (Sandbox, Muster) {
    lacking_on(lag, Database::Sqlite).await
}

pub async fn lacking_on(lag: Duration, database: Database) -> (Sandbox, Muster) {
    let (github, clock) = lacking_github(lag).await;
    let muster = Muster::start_with(&github, &clock, database, None).await;
    (github, muster)
}

/// The same with this database.
pub async fn lacking_at(lag: Duration, url: String) -> (Sandbox, Muster) {
    let (github, clock) = lacking_github(lag).await;
    let muster = Muster::start_at(&github, &clock, &url).await;
    (github, muster)
}

async fn lacking_github(lag: Duration) -> (Sandbox, Clock) {
    let clock = Clock::stepped(MORNING.parse().unwrap());
    let organization = agency(FIX).repository(old("site").file("src/main.rs", "fn main() {}\n"));
    let github = sandbox(&clock)
        .organization(organization)
        .installation(installation("agency"))
        .list_lag(SignedDuration::try_from(lag).unwrap())
        .start()
        .await
        .unwrap();
    (github, clock)
}

pub fn push(github: &Sandbox) {
    github.user("alice").push(SITE, "main", &[("src/lib.rs", "\n")], "Write code");
}

/// What stands when nothing goes wrong.
pub async fn undisturbed() -> String {
    let (github, muster) = lacking(Duration::ZERO).await;
    push(&github);
    muster.settle().await;
    let standing = standing(&github);
    assert_eq!((github.issues(SITE).len(), github.pull_requests(SITE).len()), (1, 1), "{standing}");
    muster.finish().await;
    standing
}

/// Hits the `n`-th call with `kind`; whether there was an `n`-th call.
async fn lose(n: u64, kind: FaultKind, lag: Duration, database: Database, expected: &str) -> bool {
    let (github, muster) = lacking_on(lag, database).await;
    push(&github);
    github.fault(Fault::anywhere().kind(kind).after(n));
    muster.settle().await;
    // Long enough for every wait between attempts, short enough for the day's
    // window to stay open.
    for _ in 0..4 {
        muster.advance(20 * MINUTE).await;
    }
    let hit = github.faults().is_empty();
    github.clear_faults();
    let calls: Vec<String> = github.calls().iter().map(ToString::to_string).collect();
    assert_eq!(standing(&github), expected, "{kind:?} at call {n}: {calls:#?}");
    muster.finish().await;
    hit
}

/// Loses one call after the other, until a run has no such call.
async fn lose_each(kind: FaultKind, lag: Duration) {
    let expected = undisturbed().await;
    let mut n = 0;
    while lose(n, kind, lag, Database::Sqlite, &expected).await {
        n += 1;
    }
    assert!(n >= 8, "the walk makes more calls than {n}");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_one_answer_may_be_lost_with_its_connection() {
    lose_each(FaultKind::ResetAfter, Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_one_answer_may_be_a_502_though_the_work_was_done() {
    lose_each(FaultKind::BadGatewayAfter, Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_one_call_may_break_before_anything_was_done() {
    lose_each(FaultKind::Reset, Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_one_call_may_be_a_502_before_anything_was_done() {
    lose_each(FaultKind::BadGateway, Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_one_answer_may_be_lost_while_lists_lag() {
    lose_each(FaultKind::ResetAfter, Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_one_answer_may_be_lost_on_postgresql_too() {
    let expected = undisturbed().await;
    let mut n = 0;
    while lose(n, FaultKind::ResetAfter, Duration::ZERO, Database::Postgres, &expected).await {
        n += 1;
    }
    assert!(n >= 8, "the walk makes more calls than {n}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_call_may_be_lost_three_times_in_a_row() {
    let expected = undisturbed().await;
    for route in ["POST /graphql Propose", "POST /repos/{owner}/{repo}/issues", "POST /graphql BeforeWrite"] {
        for kind in [FaultKind::ResetAfter, FaultKind::BadGateway] {
            let (github, muster) = lacking(Duration::ZERO).await;
            push(&github);
            github.fault(Fault::on(route).kind(kind).times(3));
            muster.settle().await;
            for _ in 0..6 {
                muster.advance(20 * MINUTE).await;
            }
            github.clear_faults();
            assert_eq!(standing(&github), expected, "{route} {kind:?}");
            muster.finish().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_may_lag_behind_what_was_made() {
    let expected = undisturbed().await;
    let (github, muster) = lacking(Duration::from_secs(5)).await;
    push(&github);
    muster.settle().await;
    // Everything is looked at again while the lists show nothing yet.
    github.user("alice").push(SITE, "main", &[(".github/notes.txt", "\n")], "Write more");
    github.user("alice").push(SITE, "muster-notes", &[("notes", "\n")], "Write notes");
    muster.settle().await;
    github.user("alice").delete_branch(SITE, "muster-notes");
    muster.advance(MINUTE).await;
    assert_eq!(standing(&github), expected);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_may_come_twice_and_in_any_order() {
    let expected = undisturbed().await;
    let (github, muster) = lacking(Duration::ZERO).await;
    push(&github);
    github.user("alice").push(SITE, "main", &[("src/lib.rs", "\n\n")], "Write more code");
    loop {
        github.change_pending(|pending| {
            let twice = pending.clone();
            pending.extend(twice);
            pending.reverse();
        });
        let delivered = github.deliver().await;
        muster.worker.drain().await.unwrap();
        if delivered == 0 {
            break;
        }
    }
    assert_eq!(standing(&github), expected);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_alone_reaches_the_same_end() {
    let expected = undisturbed().await;
    let (github, muster) = lacking(Duration::ZERO).await;
    push(&github);
    let deaf = async || {
        github.change_pending(Vec::clear);
        muster.worker.drain().await.unwrap();
    };
    deaf().await;
    muster.worker.begin().await.unwrap();
    deaf().await;
    // A sweep's finding is seen twice, an hour apart, before an issue opens.
    for _ in 0..2 {
        muster.clock.advance(HOUR);
        deaf().await;
    }
    assert_eq!(standing(&github), expected);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_off_and_is_no_longer_wanted_is_forgotten() {
    let (github, muster) = lacking(Duration::ZERO).await;
    push(&github);
    github.fault(Fault::on("POST /graphql Propose").kind(FaultKind::Reset));
    muster.settle().await;
    // Somebody else brings all that is missing before Muster tries again.
    let license = spdx::license_id("CC0-1.0").unwrap().text();
    let files = [("LICENSE", license), ("README.md", README), ("CONTRIBUTING.md", "Write to us.\n")];
    github.user("alice").push(SITE, "main", &files, "Add what is missing");
    muster.settle().await;
    // Lists may lag no more: the next look, here the sweep's, is sure of it.
    muster.clock.advance(20 * MINUTE);
    muster.begin().await;
    assert_eq!((github.issues(SITE).len(), github.pull_requests(SITE).len()), (0, 0));
    assert_eq!(github.branches(SITE), ["main"]);
    let account = AccountId(github.state(|state| state.account_named("agency").unwrap().id));
    assert_eq!(muster.ctx.store.open_count(account).await.unwrap(), 0);
    muster.finish().await;
}
