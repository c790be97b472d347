//! What GitHub refuses, and what changes between plan and apply: nothing is
//! lost, nothing is written by guess, nothing runs in circles.

use std::time::Duration;

use github_sandbox::{
    BranchRule, Fault, FaultKind, Level, Limit, Permission, Sandbox, Visibility, installation, org,
};
use muster::clock::Clock;

use crate::{
    crash::{SITE, lacking, push, standing, undisturbed},
    harness::{Muster, README, agency, installed, old, sandbox},
};

const FIX: &str = "mode: fix\nrepositories: {exclude: [\".github\"]}\n";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Where the walk calls GitHub: reads, then writes.
const CALLS: [&str; 4] = [
    "POST /graphql Snapshot",
    "POST /graphql BeforeWrite",
    "POST /graphql Propose",
    "POST /repos/{owner}/{repo}/issues",
];

/// The calls that changed something and came through.
fn writes(github: &Sandbox) -> Vec<String> {
    let calls = github.calls();
    calls.iter().filter(|call| call.writes && call.status < 400).map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_taken_once_costs_a_new_token_and_no_time() {
    let expected = undisturbed().await;
    for call in CALLS {
        let (github, muster) = lacking(Duration::ZERO).await;
        push(&github);
        github.fault(Fault::on(call).kind(FaultKind::Unauthorized));
        muster.settle().await;
        assert_eq!(standing(&github), expected, "{call}");
        assert!(github.faults().is_empty(), "{call}");
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_limit_is_waited_for_without_a_call() {
    let expected = undisturbed().await;
    let limits = [
        (FaultKind::Limited(403, Limit::RetryAfter(120)), 2 * MINUTE),
        (FaultKind::Limited(429, Limit::RetryAfter(120)), 2 * MINUTE),
        (FaultKind::Limited(403, Limit::Exhausted(1800)), 30 * MINUTE),
        (FaultKind::Limited(429, Limit::Exhausted(1800)), 30 * MINUTE),
        (FaultKind::Limited(403, Limit::Secondary), MINUTE),
        (FaultKind::Limited(429, Limit::Secondary), MINUTE),
        (FaultKind::GraphqlRateLimited, MINUTE),
    ];
    for call in CALLS {
        for (kind, wait) in limits {
            if kind == FaultKind::GraphqlRateLimited && !call.starts_with("POST /graphql") {
                continue;
            }
            let (github, muster) = lacking(Duration::ZERO).await;
            push(&github);
            github.fault(Fault::on(call).kind(kind));
            muster.settle().await;
            assert!(github.faults().is_empty(), "{call} {kind:?}");
            assert_ne!(standing(&github), expected, "{call} {kind:?}");
            github.clear_calls();
            muster.advance(wait - Duration::from_secs(10)).await;
            assert_eq!(github.calls(), [], "{call} {kind:?}: it does not wait");
            muster.advance(2 * HOUR).await;
            assert_eq!(standing(&github), expected, "{call} {kind:?}");
            muster.finish().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_part_of_an_answer_nothing_is_concluded() {
    let expected = undisturbed().await;
    for call in ["POST /graphql Snapshot", "POST /graphql BeforeWrite", "POST /graphql Propose"] {
        let (github, muster) = lacking(Duration::ZERO).await;
        push(&github);
        // As often as a read is repeated at once.
        github.fault(Fault::on(call).kind(FaultKind::PartialData).times(3));
        muster.settle().await;
        assert_eq!(github.issues(SITE).len(), 0, "{call}");
        github.clear_faults();
        for _ in 0..3 {
            muster.advance(20 * MINUTE).await;
        }
        assert_eq!(standing(&github), expected, "{call}");
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_answers_come_in_part_for_days_nothing_opens_and_nothing_closes() {
    for call in ["POST /graphql Snapshot", "POST /graphql BeforeWrite"] {
        let clock = Clock::stepped("2026-11-17T09:00:00Z".parse().unwrap());
        let github = installed(&clock, agency(FIX).repository(old("site").file("README.md", README))).await;
        let muster = Muster::start(&github, &clock).await;
        muster.begin().await;
        muster.advance(2 * HOUR).await;
        let before = standing(&github);
        assert_eq!(opened(&github), "agency/site: 1 1");
        github.fault(Fault::on(call).kind(FaultKind::PartialData).times(u64::MAX));
        let alice = github.user("alice");
        // Would edit the issue, and then close it.
        let license = spdx::license_id("CC0-1.0").unwrap().text();
        alice.push(SITE, "main", &[("LICENSE", license)], "Add a license");
        muster.settle().await;
        alice.merge(SITE, 1);
        let merged = standing(&github);
        for _ in 0..3 * 12 {
            muster.advance(2 * HOUR).await;
        }
        assert_ne!(merged, before);
        assert_eq!(standing(&github), merged, "{call}");
        github.clear_faults();
        // Whatever became of the jobs, the next sweep looks at everything.
        for _ in 0..2 * 12 {
            muster.advance(2 * HOUR).await;
        }
        let closed = "#2 Repository open source checklist (closed: completed)";
        assert_eq!(github.issues(SITE).to_string(), closed, "{call}");
        assert_eq!(github.branches(SITE), ["main"], "{call}");
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_installation_waits_and_goes_on() {
    let expected = undisturbed().await;
    let (github, muster) = lacking(Duration::ZERO).await;
    let olivia = github.user("olivia");
    olivia.set_suspended("agency", true);
    push(&github);
    muster.settle().await;
    for _ in 0..48 {
        github.clear_calls();
        muster.advance(HOUR).await;
        assert_eq!(github.calls(), [], "a parked installation costs no call");
    }
    assert_eq!(muster.ctx.store.dead(10, muster.clock.now()).await.unwrap(), []);
    // Thursday morning: within the window again.
    olivia.set_suspended("agency", false);
    push(&github);
    muster.settle().await;
    muster.advance(2 * HOUR).await;
    assert_eq!(standing(&github), expected);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_missing_is_noted_and_not_asked_for_in_a_loop() {
    use Permission::{Checks, Contents, Issues, Metadata, PullRequests};
    let all = [
        (Metadata, Level::Read),
        (Contents, Level::Write),
        (Issues, Level::Write),
        (PullRequests, Level::Write),
        (Checks, Level::Read),
    ];
    for (missing, issues, pulls) in [(Contents, 1, 0), (PullRequests, 1, 0), (Issues, 0, 1)] {
        let clock = Clock::stepped("2026-11-17T09:00:00Z".parse().unwrap());
        let organization = agency(FIX).repository(old("site").file("src/main.rs", "fn main() {}\n"));
        let granted = all
            .map(|(permission, level)| (permission, if permission == missing { Level::Read } else { level }));
        let github = sandbox(&clock)
            .organization(organization)
            .installation(installation("agency").permissions(granted))
            .start()
            .await
            .unwrap();
        let muster = Muster::start(&github, &clock).await;
        push(&github);
        muster.settle().await;
        let opened = (github.issues(SITE).len(), github.pull_requests(SITE).len());
        assert_eq!(opened, (issues, pulls), "{missing:?}");
        github.clear_calls();
        for _ in 0..6 {
            muster.advance(HOUR).await;
        }
        assert_eq!(github.calls(), [], "{missing:?}: it is tried again though nothing happened");
        muster.finish().await;
    }
}

/// Pushes, and changes the repository at the moment when the plan is made and
/// `call` is under way.
async fn meanwhile(github: &Sandbox, muster: &Muster, call: &str, change: impl FnOnce(&Sandbox)) {
    github.fault(Fault::on(call).kind(FaultKind::Held));
    push(github);
    github.deliver().await;
    github.clear_calls();
    let changing = async {
        github.holds().await;
        change(github);
        github.release();
    };
    let (drained, ()) = tokio::join!(muster.worker.drain(), changing);
    drained.unwrap();
}

type Flip = (&'static str, fn(&Sandbox), &'static str);

/// What may happen between plan and apply, and where the walk ends then.
const FLIPS: [Flip; 9] = [
    ("renamed", |github| github.user("olivia").rename(SITE, "new-site"), "agency/new-site: 1 1"),
    ("transferred away", |github| github.user("olivia").transfer(SITE, "elsewhere"), "elsewhere/site: 0 0"),
    ("deleted", |github| github.user("olivia").delete_repository(SITE), ""),
    (
        "privatized",
        |github| github.user("olivia").set_visibility(SITE, Visibility::Private),
        // What a private repository lacks is only reported.
        "agency/site: 0 0",
    ),
    ("archived", |github| github.user("olivia").set_archived(SITE, true), "agency/site: 0 0"),
    ("issues off", |github| github.user("olivia").set_issues_enabled(SITE, false), "agency/site: 0 1"),
    (
        "pushed to",
        |github| {
            github.user("alice").push(SITE, "main", &[("CONTRIBUTING.md", "Write to us.\n")], "Say how");
        },
        "agency/site: 1 1",
    ),
    (
        "policy withdrawn",
        |github| {
            github.user("olivia").push(
                "agency/.github",
                "main",
                &[(".github/muster.yml", "mode: observe\n")],
                "Stop",
            );
        },
        "agency/site: 0 0",
    ),
    ("out of reach", |github| github.user("olivia").uninstall("agency"), "agency/site: 0 0"),
];

/// Issues and pull requests of all repositories but the organization's own.
fn opened(github: &Sandbox) -> String {
    let names: Vec<String> = github.state(|state| {
        let names = state.repositories().map(|home| state.full_name(home));
        names.filter(|name| !name.ends_with("/.github")).collect()
    });
    let count =
        |name: &String| format!("{name}: {} {}", github.issues(name).len(), github.pull_requests(name).len());
    names.iter().map(count).collect::<Vec<_>>().join("\n")
}

async fn one_site() -> (Sandbox, Muster) {
    let clock = Clock::stepped("2026-11-17T09:00:00Z".parse().unwrap());
    let organization = agency(FIX).repository(old("site").file("src/main.rs", "fn main() {}\n"));
    let github = sandbox(&clock)
        .organization(organization)
        .organization(org("elsewhere").owner("olivia"))
        .installation(installation("agency"))
        .start()
        .await
        .unwrap();
    let muster = Muster::start(&github, &clock).await;
    (github, muster)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_between_plan_and_apply_stops_the_write() {
    for (what, change, end) in FLIPS {
        let (github, muster) = one_site().await;
        meanwhile(&github, &muster, "POST /graphql BeforeWrite", change).await;
        assert_eq!(writes(&github), Vec::<String>::new(), "{what}");
        muster.settle().await;
        muster.advance(20 * MINUTE).await;
        muster.advance(HOUR).await;
        assert_eq!(opened(&github), end, "{what}");
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_the_write_is_under_way_leaves_no_half() {
    for (what, change, end) in FLIPS {
        let (github, muster) = one_site().await;
        meanwhile(&github, &muster, "POST /graphql Propose", change).await;
        muster.settle().await;
        muster.advance(20 * MINUTE).await;
        muster.advance(HOUR).await;
        // What was read just before the first write holds for those that follow
        // it in the same job; what GitHub took is whole.
        let expected = match what {
            "policy withdrawn" | "privatized" => "agency/site: 1 1",
            _ => end,
        };
        assert_eq!(opened(&github), expected, "{what}");
        let names: Vec<String> =
            opened(&github).lines().filter_map(|line| line.split(':').next()).map(str::to_owned).collect();
        for name in names {
            let ours = github.branches(&name).contains(&"muster/files".to_owned());
            let open = github
                .pull_requests(&name)
                .iter()
                .any(|pull| ["open", "draft"].contains(&pull.state.as_str()));
            assert_eq!(ours, open, "{what}: a branch without a pull request");
        }
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_of_the_repository_that_forbids_our_branch_leaves_nothing_behind() {
    for rule in [BranchRule::Creation, BranchRule::Update, BranchRule::PullRequest] {
        let clock = Clock::stepped("2026-11-17T09:00:00Z".parse().unwrap());
        let site = old("site").file("src/main.rs", "fn main() {}\n").ruleset(["muster/**"], [rule]);
        let github = installed(&clock, agency(FIX).repository(site)).await;
        let muster = Muster::start(&github, &clock).await;
        push(&github);
        muster.settle().await;
        assert_eq!(github.branches(SITE), ["main"], "{rule:?}");
        // What can be said without a branch is said all the same.
        assert_eq!(opened(&github), "agency/site: 1 0", "{rule:?}");
        github.clear_calls();
        for _ in 0..6 {
            muster.advance(HOUR).await;
        }
        assert_eq!(github.calls(), [], "{rule:?}: it is tried again though nothing happened");
        // The rule goes, and the next push brings what it held back.
        let id = github.repository_id(SITE);
        github.change(|state| state.repository_mut(id).unwrap().rulesets.clear());
        github.user("alice").push(SITE, "main", &[("LICENSE-notes", "Soon.\n")], "Think of a license");
        muster.settle().await;
        assert_eq!(github.pull_requests(SITE).len(), 1, "{rule:?}");
        muster.finish().await;
    }
}
