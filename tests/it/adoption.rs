//! Adoption: what Muster does when its ledger holds nothing of an organization,
//! be it new or the database lost.

use std::time::Duration;

use github_sandbox::{Fault, FaultKind, Sandbox};
use insta::assert_snapshot;
use muster::{
    clock::Clock,
    domain::{
        adoption::Ending,
        repository::{AccountId, RepositoryId},
    },
    jobs::adoption,
    store::{JobFilter, MAX_ATTEMPTS, NewDecision},
};
use rstest::rstest;

use crate::{
    harness::{Muster, README, agency, complete, installed, old},
    server::Database,
};

/// The window of the default policy has just opened.
const MORNING: &str = "2026-11-17T09:00:00Z";
const POLICY: &str = "mode: fix
repositories: {exclude: [\".github\"]}
limits: {first_day: 20, per_day: 20}
";
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn cc0() -> &'static str {
    spdx::license_id("CC0-1.0").unwrap().text()
}

/// The repositories of the story; their names say what becomes of them.
const SITES: [&str; 6] = ["open", "declined", "merged", "tracked", "refused", "later"];

async fn organization() -> (Sandbox, Clock) {
    let clock = Clock::stepped(MORNING.parse().unwrap());
    let site = |name| old(name).file("README.md", README);
    let unasked = |name| site(name).file("LICENSE", cc0());
    let unlicensed = |name| site(name).file("CONTRIBUTING.md", "Write to us.\n");
    let mut organization = agency(POLICY);
    for name in ["open", "merged"] {
        organization = organization.repository(unasked(name));
    }
    // What it is asked for, and declines, is more than it lacks later on.
    organization = organization.repository(old("declined").file("LICENSE", cc0()));
    for name in ["tracked", "refused"] {
        organization = organization.repository(unlicensed(name));
    }
    (installed(&clock, organization.repository(complete("later"))).await, clock)
}

fn full(name: &str) -> String {
    format!("agency/{name}")
}

/// Everything that stands in the organization, as text.
pub fn standing(github: &Sandbox, sites: &[&str]) -> String {
    let mut text = String::new();
    for name in sites.iter().map(|name| full(name)) {
        text += &format!("{name} {:?} {:?}\n", github.branches(&name), github.labels(&name));
        for issue in github.issues(&name).iter() {
            text += &format!("{issue} {}\n", issue.body);
        }
        for pull in github.pull_requests(&name).iter() {
            text += &format!("{pull} {:?} {}\n", pull.files, pull.body);
        }
    }
    text.replace(github.web_url(), "WEB")
}

/// The first days: Muster opens what is missing, and people answer.
async fn people_answer(github: &Sandbox, muster: &Muster) {
    muster.begin().await;
    muster.advance(HOUR).await;
    let alice = github.user("alice");
    alice.close_pull_request(&full("declined"), 1);
    alice.push(&full("declined"), "main", &[("README.md", README)], "Say what it is");
    alice.merge(&full("merged"), 1);
    alice.close_issue(&full("refused"), 1);
    muster.settle().await;
    muster.advance(DAY).await;
}

/// What happens after the database is lost, or is not.
async fn life_goes_on(github: &Sandbox, muster: &Muster) {
    let alice = github.user("alice");
    alice.delete_files(&full("later"), "main", &["CONTRIBUTING.md"], "Tidy up");
    for name in ["declined", "refused", "open"] {
        alice.push(&full(name), "main", &[("README.md", &format!("{README}\nMore."))], "Say more");
    }
    muster.settle().await;
}

/// What people decided, in every repository of the story.
async fn decisions(github: &Sandbox, muster: &Muster) -> Vec<NewDecision> {
    let mut all = Vec::new();
    for name in SITES {
        let id = RepositoryId(github.repository_id(&full(name)));
        let decisions = muster.ctx.store.decisions(id).await.unwrap();
        all.extend(decisions.into_iter().map(|known| {
            let evidence_url = known.decision.evidence_url.map(|url| url.replace(github.web_url(), "WEB"));
            NewDecision { evidence_url, ..known.decision }
        }));
    }
    all
}

/// The end of the story when nothing is lost.
async fn undisturbed() -> (String, Vec<NewDecision>) {
    let (github, clock) = organization().await;
    let muster = Muster::start(&github, &clock).await;
    people_answer(&github, &muster).await;
    life_goes_on(&github, &muster).await;
    for _ in 0..14 {
        muster.advance(DAY).await;
    }
    let end = (standing(&github, &SITES), decisions(&github, &muster).await);
    assert_snapshot!(github.pull_requests("agency/later"), @"#1 Add missing open source files: CONTRIBUTING.md (open)");
    assert_snapshot!(github.pull_requests("agency/declined"), @"#1 Add missing open source files: README.md, CONTRIBUTING.md (closed)");
    assert_eq!(end.1.len(), 2, "{:#?}", end.1);
    muster.finish().await;
    end
}

async fn account(muster: &Muster) -> AccountId {
    AccountId(muster.github.state(|state| state.account_named("agency").unwrap().id))
}

/// The calls since the last time that could have changed anything.
fn writes(github: &Sandbox) -> Vec<String> {
    let calls = github.calls();
    github.clear_calls();
    calls.iter().filter(|call| call.writes).map(ToString::to_string).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_new_organization_is_read_whole_and_then_waits_for_nothing(
    #[values(Database::Sqlite, Database::Postgres)] database: Database,
) {
    let (github, clock) = organization().await;
    let muster = Muster::meeting(&github, &clock, database).await;
    muster.begin().await;
    for name in ["open", "declined", "merged"] {
        assert_eq!(github.pull_requests(&full(name)).len(), 1, "{name}");
    }
    let ended = muster.ctx.store.adoption(account(&muster).await).await.unwrap().unwrap().ended;
    assert_eq!(ended.map(|(_, ending)| ending), Some(Ending::NothingFound));
    let calls = github.calls();
    let first_write = calls.iter().position(|call| call.writes).unwrap();
    let reads = |calls: &[github_sandbox::Call]| {
        calls.iter().filter(|call| call.operation.as_deref() == Some("Repositories")).count()
    };
    assert_eq!(reads(&calls[..first_write]), 2, "all before anything is written, then what waited for that");
    muster.advance(2 * HOUR).await;
    assert_eq!(github.issues(&full("tracked")).len(), 1);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_from_an_organization_that_nobody_swept_makes_it_be_swept() {
    let (github, clock) = organization().await;
    let muster = Muster::meeting(&github, &clock, Database::Sqlite).await;
    github.user("alice").push(
        &full("open"),
        "main",
        &[("README.md", &format!("{README}\nMore."))],
        "Say more",
    );
    muster.settle().await;
    assert_eq!(github.pull_requests(&full("open")).len(), 1);
    assert_eq!(github.pull_requests(&full("declined")).len(), 1, "and the others with it");
    muster.advance(2 * HOUR).await;
    muster.finish().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_database_is_rebuilt_in_seven_quiet_days(
    #[values(Database::Sqlite, Database::Postgres)] database: Database,
) {
    let (expected, decided) = undisturbed().await;
    let (github, clock) = organization().await;
    let muster = Muster::start(&github, &clock).await;
    people_answer(&github, &muster).await;
    muster.lose().await;

    let muster = Muster::meeting(&github, &clock, database).await;
    muster.begin().await;
    writes(&github);
    life_goes_on(&github, &muster).await;
    let plan = muster.plan("agency/later").await.plan;
    let until = plan.due.unwrap();
    assert_eq!(until.duration_since(clock.now()).as_hours(), 7 * 24, "{until}");
    assert_snapshot!(plan.to_string().replace(&until.to_string(), "IN SEVEN DAYS"), @r#"
    waits: open pull request "Add missing open source files: CONTRIBUTING.md" from muster/files: +CONTRIBUTING.md
    would not open an issue: the pull request answers the same finding
    would not write anything yet: the ledger was empty, and people may look first: muster adopt agency --confirm (until IN SEVEN DAYS)
    "#);
    for day in 1..7 {
        muster.advance(DAY).await;
        assert_eq!(writes(&github), Vec::<String>::new(), "day {day}");
    }
    for _ in 7..=14 {
        muster.advance(DAY).await;
    }
    assert_eq!(standing(&github, &SITES), expected);
    assert_eq!(decisions(&github, &muster).await, decided);
    let ended = muster.ctx.store.adoption(account(&muster).await).await.unwrap().unwrap().ended;
    assert_eq!(ended.map(|(_, ending)| ending), Some(Ending::TimePassed));
    assert_eq!(muster.ctx.store.verify_ledger(None).await.unwrap().broken, None);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_may_end_the_wait() {
    let (expected, _) = undisturbed().await;
    let (github, clock) = organization().await;
    let muster = Muster::start(&github, &clock).await;
    people_answer(&github, &muster).await;
    muster.lose().await;

    let muster = Muster::meeting(&github, &clock, Database::Sqlite).await;
    muster.begin().await;
    life_goes_on(&github, &muster).await;
    assert_eq!(github.pull_requests("agency/later").len(), 0);
    let store = &muster.ctx.store;
    let begun = store.adoption(account(&muster).await).await.unwrap().unwrap();
    assert!(adoption::confirm(store, &begun, clock.now()).await.unwrap());
    muster.settle().await;
    assert_eq!(github.pull_requests("agency/later").len(), 1, "what was held back goes on at once");
    for _ in 0..14 {
        muster.advance(DAY).await;
    }
    assert_eq!(standing(&github, &SITES), expected);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_can_confirm_what_was_not_read() {
    let (github, clock) = organization().await;
    let muster = Muster::meeting(&github, &clock, Database::Sqlite).await;
    let (store, account) = (&muster.ctx.store, account(&muster).await);
    store.begin_adoption(account, clock.now()).await.unwrap();
    let begun = store.adoption(account).await.unwrap().unwrap();
    assert!(!adoption::confirm(store, &begun, clock.now()).await.unwrap());
    muster.begin().await;
    muster.advance(2 * HOUR).await;
    muster.finish().await;
}

/// Threats W6: one repository that can never be read keeps nobody waiting.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn w6_a_poison_repository_does_not_keep_its_organization_waiting(
    #[values(Database::Sqlite, Database::Postgres)] database: Database,
) {
    let (github, clock) = organization().await;
    let muster = Muster::meeting(&github, &clock, database).await;
    let poison = i64::try_from(github.repository_id(&full("open"))).unwrap();
    muster.worker.begin().await.unwrap();
    let (store, now) = (&muster.ctx.store, clock.now());
    while store
        .jobs(JobFilter { subject: Some(poison), ..JobFilter::default() }, 1, now)
        .await
        .unwrap()
        .is_empty()
    {
        assert!(muster.worker.step().await.unwrap(), "the sweep asks for it");
    }
    for _ in 0..MAX_ATTEMPTS {
        let mut others = Vec::new();
        loop {
            let lease = store.lease("doomed", HOUR, now).await.unwrap().unwrap();
            if lease.subject == poison {
                let _ = store.fail(&lease, "the worker stopped before it finished", now, now).await.unwrap();
                break;
            }
            others.push(lease);
        }
        for other in others {
            let _ = store.release(&other, now).await.unwrap();
        }
    }
    muster.settle().await;
    assert_eq!(store.dead(9, now).await.unwrap().len(), 1);
    for (name, opened) in [("open", 0), ("declined", 1), ("merged", 1)] {
        assert_eq!(github.pull_requests(&full(name)).len(), opened, "{name}");
    }
    assert!(store.retry_dead("inspect_repository", poison, now).await.unwrap());
    muster.settle().await;
    assert_eq!(github.pull_requests(&full("open")).len(), 1);
    muster.advance(2 * HOUR).await;
    muster.finish().await;
}

/// One that GitHub cannot answer, that is: an outage ends, and this does not.
#[tokio::test(flavor = "multi_thread")]
async fn w6_a_repository_that_cannot_be_read_keeps_nobody_waiting_for_more_than_a_day() {
    let (github, clock) = organization().await;
    let muster = Muster::meeting(&github, &clock, Database::Sqlite).await;
    let broken = github.repository_id(&full("open"));
    github.fault(Fault::on("POST /graphql").kind(FaultKind::Names(broken)).times(u64::MAX));
    muster.begin().await;
    for hour in 1..24 {
        muster.advance(HOUR).await;
        assert_eq!(writes(&github), Vec::<String>::new(), "hour {hour}");
    }
    muster.advance(2 * HOUR).await;
    for (name, opened) in [("open", 0), ("declined", 1), ("merged", 1)] {
        assert_eq!(github.pull_requests(&full(name)).len(), opened, "{name}");
    }
    // Once it can be read, it gets what the others got.
    github.clear_faults();
    muster.advance(DAY).await;
    muster.advance(DAY).await;
    assert_eq!(github.pull_requests(&full("open")).len(), 1);
    muster.finish().await;
}

/// Somebody took the label off the issue and closed it: nothing but the label
/// itself, which stays in the repository, shows that Muster was there.
#[tokio::test(flavor = "multi_thread")]
async fn a_decline_is_found_though_the_label_was_taken_off() {
    let (github, clock) = organization().await;
    let muster = Muster::start(&github, &clock).await;
    people_answer(&github, &muster).await;
    muster.lose().await;
    let alice = github.user("alice");
    for name in ["tracked", "refused"] {
        alice.unlabel(&full(name), 1, "open-source-compliance");
    }
    github.change_pending(Vec::clear);
    let muster = Muster::meeting(&github, &clock, Database::Sqlite).await;
    muster.begin().await;
    let decided = decisions(&github, &muster).await;
    assert_eq!(decided.len(), 2, "{decided:#?}");
    muster.finish().await;
}

/// The tracking issue may be older than the newest fifty.
#[tokio::test(flavor = "multi_thread")]
async fn a_tracking_issue_deep_in_a_busy_repository_is_found_by_its_label() {
    let (github, clock) = organization().await;
    let muster = Muster::start(&github, &clock).await;
    people_answer(&github, &muster).await;
    muster.lose().await;
    let alice = github.user("alice");
    for name in ["tracked", "refused"] {
        for n in 0..60 {
            alice.open_issue(&full(name), &format!("Question {n}"), "How?");
            clock.advance(Duration::from_secs(10));
        }
    }
    let muster = Muster::meeting(&github, &clock, Database::Sqlite).await;
    muster.begin().await;
    for _ in 0..14 {
        muster.advance(DAY).await;
    }
    for name in ["tracked", "refused"] {
        let ours = github.issues(&full(name)).iter().filter(|issue| issue.author == github.bot().0).count();
        assert_eq!(ours, 1, "{name}");
    }
    muster.finish().await;
}
