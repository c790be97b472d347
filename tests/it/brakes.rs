//! The brakes: how much appears, how fast, and where nothing may appear.

use std::{collections::BTreeMap, time::Duration};

use github_sandbox::{Level, Permission, Sandbox};
use insta::assert_snapshot;
use jiff::{Timestamp, civil::Weekday, tz::TimeZone};
use muster::clock::Clock;

use crate::harness::{Muster, README, agency, installed, old};

const FIX: &str = "mode: fix\nrepositories: {exclude: [\".github\"]}\n";
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A Tuesday, before the window opens.
const EARLY: &str = "2026-11-17T06:00:00Z";

/// An organization of so many repositories that all lack a contribution file.
async fn lacking(policy: &str, count: usize) -> (Sandbox, Clock) {
    let clock = Clock::stepped(EARLY.parse().unwrap());
    let mut organization = agency(policy);
    for n in 1..=count {
        let one = old(&format!("site-{n:02}"));
        organization = organization.repository(one.file("README.md", README).file("LICENSE", cc0()));
    }
    (installed(&clock, organization).await, clock)
}

fn cc0() -> &'static str {
    spdx::license_id("CC0-1.0").unwrap().text()
}

/// When each pull request of the organization was opened, by repository.
fn opened(github: &Sandbox) -> BTreeMap<String, Vec<Timestamp>> {
    github.state(|state| {
        let of = |home: &github_sandbox::state::Repository| {
            let pulls = home.issues.values().filter(|issue| issue.pull_request.is_some());
            (home.name.clone(), pulls.map(|issue| issue.created_at).collect())
        };
        state.repositories().map(of).filter(|(_, times): &(_, Vec<_>)| !times.is_empty()).collect()
    })
}

fn times(github: &Sandbox) -> Vec<Timestamp> {
    let mut times: Vec<_> = opened(github).into_values().flatten().collect();
    times.sort_unstable();
    times
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_gets_five_pull_requests_on_its_first_day_and_ten_a_day_after() {
    let (github, clock) = lacking(FIX, 25).await;
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    assert_eq!(times(&github), [], "before the window opens");
    // Two weeks, hour by hour, with a weekend in them.
    for _ in 0..14 * 24 {
        muster.advance(HOUR).await;
    }
    let times = times(&github);
    // As many as may come without a person's approval (threats O10).
    assert_eq!(times.len(), 25);
    let first = times[0];
    for (n, time) in times.iter().enumerate() {
        let zoned = time.to_zoned(TimeZone::UTC);
        assert!(!matches!(zoned.weekday(), Weekday::Saturday | Weekday::Sunday), "{time}");
        assert!((9..16).contains(&zoned.hour()), "{time}");
        let day = times.iter().filter(|other| **other <= *time && *time < **other + DAY).count();
        let most = if *time < first + DAY { 5 } else { 10 };
        assert!(day <= most, "number {n} at {time} is the {day}th within 24 hours");
    }
    assert_eq!(times.iter().filter(|time| **time < first + DAY).count(), 5);
    // The rest is not put off for longer than the limit asks.
    let second = times.iter().filter(|time| **time < first + DAY * 2).count();
    assert_eq!(second, 15, "{times:#?}");
    assert!(times[24] < first + DAY * 7, "{times:#?}");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_pushes_is_held_by_the_same_brake() {
    let (github, clock) = lacking(FIX, 12).await;
    clock.advance(4 * HOUR);
    let muster = Muster::start(&github, &clock).await;
    for n in 1..=12 {
        let name = format!("agency/site-{n:02}");
        github.user("alice").push(&name, "main", &[("README.md", &format!("{README}\nMore."))], "Say more");
    }
    muster.settle().await;
    assert_eq!(times(&github).len(), 5);
    muster.advance(HOUR).await;
    assert_eq!(times(&github).len(), 5);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_workers_together_keep_to_the_brake() {
    let (github, clock) = lacking(FIX, 12).await;
    clock.advance(4 * HOUR);
    let muster = Muster::start(&github, &clock).await;
    for n in 1..=12 {
        let name = format!("agency/site-{n:02}");
        github.user("alice").push(&name, "main", &[("README.md", &format!("{README}\nMore."))], "Say more");
    }
    github.deliver().await;
    let workers: Vec<_> =
        (0..4).map(|n| muster::jobs::worker::Worker::new(muster.ctx.clone(), format!("test-{n}"))).collect();
    let (a, b, c, d) =
        tokio::join!(workers[0].drain(), workers[1].drain(), workers[2].drain(), workers[3].drain());
    for drained in [a, b, c, d] {
        drained.unwrap();
    }
    muster.settle().await;
    assert_eq!(times(&github).len(), 5);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_gets_one_new_pull_request_a_week() {
    let (github, clock) = lacking(FIX, 1).await;
    clock.advance(4 * HOUR);
    let muster = Muster::start(&github, &clock).await;
    let (site, alice) = ("agency/site-01", github.user("alice"));
    alice.push(site, "main", &[("README.md", &format!("{README}\nMore."))], "Say more");
    muster.settle().await;
    alice.merge(site, 1);
    muster.settle().await;
    alice.delete_files(site, "main", &["CONTRIBUTING.md"], "Tidy up");
    muster.settle().await;
    for _ in 0..6 * 24 {
        muster.advance(HOUR).await;
    }
    assert_snapshot!(github.pull_requests(site), @"#1 Add missing open source files: CONTRIBUTING.md (merged)");
    for _ in 0..3 * 24 {
        muster.advance(HOUR).await;
    }
    assert_eq!(github.pull_requests(site).len(), 2);
    let times = times(&github);
    assert!(times[1] >= times[0] + DAY * 7, "{times:?}");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn observe_writes_nothing_whatever_happens() {
    for policy in ["mode: observe\nrepositories: {exclude: [\".github\"]}\n", "{}\n"] {
        let (github, clock) = lacking(policy, 4).await;
        let muster = Muster::start(&github, &clock).await;
        muster.begin().await;
        for n in 1..=4 {
            let name = format!("agency/site-{n:02}");
            github.user("alice").delete_files(&name, "main", &["LICENSE", "README.md"], "Tidy up");
        }
        for _ in 0..3 * 24 {
            muster.advance(HOUR).await;
        }
        assert_holds_no_write_token_and_wrote_nothing(&github);
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_plans_and_holds_no_token_that_could_write() {
    let (github, clock) = lacking(FIX, 4).await;
    clock.advance(4 * HOUR);
    let muster = Muster::start_dry(&github, &clock).await;
    muster.begin().await;
    github.user("alice").delete_files("agency/site-01", "main", &["LICENSE", "README.md"], "Tidy up");
    for _ in 0..2 * 24 {
        muster.advance(HOUR).await;
    }
    let plan = muster.plan("agency/site-02").await.plan.to_string();
    assert!(plan.contains("Add missing open source files: CONTRIBUTING.md"), "{plan}");
    assert_holds_no_write_token_and_wrote_nothing(&github);
    muster.finish().await;
}

fn assert_holds_no_write_token_and_wrote_nothing(github: &Sandbox) {
    let calls = github.calls();
    assert!(calls.len() > 4, "it did look: {calls:#?}");
    let writes: Vec<_> = calls.iter().filter(|call| call.writes).collect();
    assert!(writes.is_empty(), "{writes:#?}");
    let others: Vec<_> = calls
        .iter()
        .filter(|call| {
            call.method != "GET" && call.path != "/graphql" && !call.path.ends_with("/access_tokens")
        })
        .collect();
    assert!(others.is_empty(), "{others:#?}");
    let grants = github.state(|state| state.grants());
    assert!(!grants.is_empty());
    for grant in grants {
        let writing: Vec<&Permission> =
            grant.permissions.iter().filter(|(_, level)| **level != Level::Read).map(|(p, _)| p).collect();
        assert!(writing.is_empty(), "{grant:?}");
    }
    for repository in ["site-01", "site-02", "site-03", "site-04"] {
        let name = format!("agency/{repository}");
        assert_eq!(github.branches(&name), ["main"]);
        assert_eq!(github.labels(&name), Vec::<String>::new());
        assert_eq!((github.issues(&name).len(), github.pull_requests(&name).len()), (0, 0));
    }
}
