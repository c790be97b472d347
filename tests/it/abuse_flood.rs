//! One loud organization, and deliveries that never come (threats O5, W8).

use std::time::{Duration, Instant};

use github_sandbox::{Sandbox, installation, org};
use muster::{
    clock::Clock,
    store::{JobKind, NewJob, Priority},
};

use crate::{
    harness::{Muster, README, agency, clock, old, sandbox},
    server::Database,
};

const FIX: &str = "mode: fix\nrepositories: {exclude: [\".github\"]}\nlimits: {first_day: 50, per_day: 50}\n";
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The loud `bureau` and the quiet `agency`, on one Muster.
async fn two(clock: &Clock, database: Database) -> (Sandbox, Muster) {
    let site = old("site").file("src/main.rs", "fn main() {}\n");
    let github = sandbox(clock)
        .organization(agency(FIX).repository(site))
        .organization(org("bureau").owner("olivia").repository(old("one").file("README.md", README)))
        .installation(installation("agency"))
        .installation(installation("bureau"))
        .start()
        .await
        .unwrap();
    let muster = Muster::start_for(&github, clock, database, &["agency", "bureau"], None).await;
    (github, muster)
}

async fn loud(database: Database) {
    const LOUD: i64 = 100_000;
    let clock = clock();
    let (github, muster) = two(&clock, database).await;
    let bureau = i64::try_from(github.installation_id("bureau")).unwrap();
    let one = i64::try_from(github.repository_id("bureau/one")).unwrap();
    // Each about a repository of its own, so that none joins another: more than
    // any organization's events come to.
    let job = |n: i64| NewJob {
        kind: JobKind::InspectRepository,
        subject: if n == 0 { one } else { 10_000_000 + n },
        installation: bureau,
        priority: Priority::Push,
        run_at: clock.now(),
        cause: "push".to_owned(),
    };
    for from in (0..LOUD).step_by(5_000) {
        let jobs: Vec<NewJob> = (from..from + 5_000).map(job).collect();
        muster.ctx.store.enqueue(&jobs, clock.now()).await.unwrap();
    }
    // The loud one is at it already.
    for _ in 0..3 {
        assert!(muster.worker.step().await.unwrap());
    }
    github.user("alice").push("agency/site", "main", &[("LICENSE-notes", "Soon.\n")], "Think");
    github.deliver().await;
    let asked = Instant::now();
    let mut steps = 0;
    while github.pull_requests("agency/site").is_empty() {
        assert!(muster.worker.step().await.unwrap());
        steps += 1;
        assert!(steps <= 2, "another's push waits behind the flood");
    }
    assert!(asked.elapsed() < Duration::from_secs(60), "{:?}", asked.elapsed());
    let left = muster.ctx.store.job_count().await.unwrap();
    assert!(left > 99_000, "{left}: the flood is not over");
    muster.abandon();
}

#[tokio::test(flavor = "multi_thread")]
async fn o5_a_hundred_thousand_events_of_one_do_not_delay_anothers_push() {
    loud(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn o5_a_hundred_thousand_events_of_one_do_not_delay_anothers_push_on_postgresql() {
    loud(Database::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn o5_a_sweep_of_one_gives_way_to_anothers_push_between_two_calls() {
    let clock = clock();
    let (github, muster) = two(&clock, Database::Sqlite).await;
    for n in 0..120 {
        github.create_repository("bureau", old(&format!("more-{n:03}")).file("README.md", README));
    }
    github.change_pending(Vec::clear);
    muster.worker.begin().await.unwrap();
    github.user("alice").push("agency/site", "main", &[("LICENSE-notes", "Soon.\n")], "Think");
    github.deliver().await;
    // Whatever is armed, the push goes first.
    assert!(muster.worker.step().await.unwrap());
    assert_eq!(github.pull_requests("agency/site").len(), 1);
    muster.settle().await;
    muster.finish().await;
}

/// Everything that can be told of an organization in one text.
fn standing(github: &Sandbox) -> String {
    let names: Vec<String> =
        github.state(|state| state.repositories().map(|home| state.full_name(home)).collect());
    let mut text = String::new();
    for name in names {
        text += &format!("{name}\n{}{}", github.issues(&name), github.pull_requests(&name));
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn w8_without_any_delivery_one_sweep_comes_to_the_same_end() {
    let mut ends = Vec::new();
    for deaf in [false, true] {
        let clock = Clock::stepped("2026-11-17T09:00:00Z".parse().unwrap());
        let mut organization = agency(FIX);
        for n in 0..10 {
            organization = organization.repository(old(&format!("r{n}")).file("README.md", README));
        }
        let github = sandbox(&clock)
            .organization(organization)
            .installation(installation("agency"))
            .start()
            .await
            .unwrap();
        let muster = Muster::start(&github, &clock).await;
        muster.begin().await;
        muster.advance(2 * HOUR).await;
        // A lot happens; to the deaf one nobody says so.
        let (olivia, alice) = (github.user("olivia"), github.user("alice"));
        alice.close_issue("agency/r0", 2);
        alice.push(
            "agency/r1",
            "main",
            &[("LICENSE", spdx::license_id("MIT").unwrap().text())],
            "License it",
        );
        alice.push("agency/r2", "main", &[("CONTRIBUTING.md", "Write to us.\n")], "Say how");
        olivia.set_archived("agency/r3", true);
        olivia.set_visibility("agency/r4", github_sandbox::Visibility::Private);
        olivia.rename("agency/r5", "renamed");
        olivia.delete_repository("agency/r6");
        olivia.set_issues_enabled("agency/r7", false);
        if deaf {
            github.change_pending(Vec::clear);
        }
        muster.settle().await;
        // A night and a morning: what a sweep finds is seen twice, an hour apart.
        for _ in 0..30 {
            if deaf {
                github.change_pending(Vec::clear);
            }
            muster.advance(HOUR).await;
        }
        ends.push(standing(&github));
        muster.finish().await;
    }
    assert!(ends[0].contains("merged") || ends[0].contains("closed"), "{}", ends[0]);
    assert_eq!(ends[0], ends[1]);
}
