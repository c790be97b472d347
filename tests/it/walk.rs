//! The walk: a push becomes a pull request.

use std::time::Duration;

use insta::assert_snapshot;

use crate::harness::{Muster, README, agency, clock, complete, installed, old};

const FIX: &str = "mode: fix\nrepositories: {exclude: [\".github\"]}\n";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn cc0() -> &'static str {
    spdx::license_id("CC0-1.0").unwrap().text()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_becomes_a_pull_request() {
    let clock = clock();
    let site = old("site").file("README.md", README).file("LICENSE", cc0());
    let github = installed(&clock, agency(FIX).repository(site)).await;
    let muster = Muster::start(&github, &clock).await;
    github.user("alice").push(
        "agency/site",
        "main",
        &[("README.md", &format!("{README}\nMore."))],
        "Say more",
    );
    muster.settle().await;
    assert_snapshot!(github.pull_requests("agency/site"), @"#1 Add missing open source files: CONTRIBUTING.md (open)");
    assert_snapshot!(github.issues("agency/site"), @"");
    let proposed = github.file("agency/site", "muster/files", "CONTRIBUTING.md").unwrap();
    assert!(proposed.starts_with("# Contributing to site\n"), "{proposed}");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fixing_a_repository_costs_at_most_six_calls_and_a_push_beside_it_none() {
    let clock = clock();
    let github = installed(&clock, agency(FIX).repository(complete("site"))).await;
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    muster.calls();
    github.user("alice").delete_files("agency/site", "main", &["CONTRIBUTING.md", "LICENSE"], "Tidy up");
    muster.settle().await;
    let calls = muster.calls();
    assert_snapshot!(calls.join("\n"), @r"
    Snapshot
    BeforeWrite
    Propose
    POST /repos/{owner}/{repo}/labels
    POST /repos/{owner}/{repo}/issues
    Ours
    ");
    assert!(calls.len() <= 6);
    github.user("alice").push("agency/site", "main", &[("src/main.rs", "fn main() {}")], "Write code");
    muster.settle().await;
    assert_eq!(muster.calls(), Vec::<String>::new());
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_beside_our_files_cost_nothing_one_after_the_other() {
    let clock = clock();
    let github = installed(&clock, agency(FIX).repository(complete("site"))).await;
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    muster.calls();
    for text in ["fn main() {}", "fn main() { run() }", "fn main() { run(1) }"] {
        github.user("alice").push("agency/site", "main", &[("src/main.rs", text)], "Write code");
        muster.settle().await;
        assert_eq!(muster.calls(), Vec::<String>::new(), "{text}");
    }
    github.user("alice").delete_files("agency/site", "main", &["LICENSE"], "Tidy up");
    muster.settle().await;
    assert!(muster.calls().contains(&"Snapshot".to_owned()), "what is ours still wakes it");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_person_can_choose_becomes_the_tracking_issue() {
    let clock = clock();
    let site = old("site").file("README.md", README).file("CONTRIBUTING.md", "Write to us.\n");
    let github = installed(&clock, agency(FIX).repository(site)).await;
    let muster = Muster::start(&github, &clock).await;
    let alice = github.user("alice");
    alice.push("agency/site", "main", &[("README.md", &format!("{README}\nMore."))], "Say more");
    muster.settle().await;
    assert_snapshot!(github.issues("agency/site"), @"#1 Repository open source checklist (open)");
    assert_eq!(
        github.labels("agency/site").iter().filter(|label| *label == "open-source-compliance").count(),
        1
    );
    // The finding is mended: the issue closes by itself.
    alice.push("agency/site", "main", &[("LICENSE", cc0())], "Add a license");
    muster.settle().await;
    assert_snapshot!(github.issues("agency/site"), @"#1 Repository open source checklist (closed: completed)");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_pull_request_is_done_and_its_branch_goes() {
    let clock = clock();
    let site = old("site").file("README.md", README).file("LICENSE", cc0());
    let github = installed(&clock, agency(FIX).repository(site)).await;
    let muster = Muster::start(&github, &clock).await;
    let alice = github.user("alice");
    alice.push("agency/site", "main", &[("README.md", &format!("{README}\nMore."))], "Say more");
    muster.settle().await;
    alice.merge("agency/site", 1);
    muster.settle().await;
    assert_snapshot!(github.pull_requests("agency/site"), @"#1 Add missing open source files: CONTRIBUTING.md (merged)");
    assert_eq!(github.branches("agency/site"), ["main"]);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_maintainer_closes_is_not_raised_again() {
    let clock = clock();
    let site = old("site").file("README.md", README).file("LICENSE", cc0());
    let github = installed(&clock, agency(FIX).repository(site)).await;
    let muster = Muster::start(&github, &clock).await;
    let alice = github.user("alice");
    alice.push("agency/site", "main", &[("README.md", &format!("{README}\nMore."))], "Say more");
    muster.settle().await;
    alice.close_pull_request("agency/site", 1);
    muster.settle().await;
    for month in 0..6 {
        muster.advance(30 * DAY).await;
        alice.push("agency/site", "main", &[("README.md", &format!("{README}\n{month}"))], "Say more");
        muster.settle().await;
    }
    assert_snapshot!(github.pull_requests("agency/site"), @"#1 Add missing open source files: CONTRIBUTING.md (closed)");
    assert_snapshot!(github.issues("agency/site"), @"");
    let decisions = muster
        .ctx
        .store
        .decisions(muster::domain::repository::RepositoryId(github.repository_id("agency/site")))
        .await
        .unwrap();
    assert_eq!(decisions.len(), 1);
    assert_eq!(
        (decisions[0].decision.login.as_str(), decisions[0].decision.role.as_str()),
        ("alice", "write")
    );
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_counts_only_by_a_merged_pull_request_or_from_a_maintainer() {
    let clock = clock();
    let site = old("site").file("README.md", README).file("LICENSE", cc0());
    let github = installed(&clock, agency("mode: observe\n").repository(site)).await;
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    // A writer without maintain pushes straight to the default branch.
    github.user("alice").push("agency/.github", "main", &[(".github/muster.yml", FIX)], "Fix them all");
    muster.settle().await;
    assert_snapshot!(github.pull_requests("agency/site"), @"");
    let known =
        muster.ctx.store.policy(muster.ctx.store.installations().await.unwrap()[0].account).await.unwrap();
    assert!(known.refused.unwrap().why.contains("merge it by pull request"));
    // The owner may.
    github.user("olivia").push(
        "agency/.github",
        "main",
        &[(".github/muster.yml", &format!("{FIX}# agreed\n"))],
        "Agree",
    );
    muster.settle().await;
    assert_snapshot!(github.pull_requests("agency/site"), @"#1 Add missing open source files: CONTRIBUTING.md (open)");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_lacks_nothing_is_left_alone() {
    let clock = clock();
    let github = installed(&clock, agency(FIX).repository(complete("site"))).await;
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    assert_snapshot!(github.pull_requests("agency/site"), @"");
    assert_eq!(muster.plan("agency/site").await.plan.to_string(), "");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_license_is_proposed_and_its_reviewers_are_asked_once() {
    let clock = clock();
    let policy = format!("{FIX}rules:\n  license: {{propose: CC0-1.0, reviewers: ospo}}\n");
    let site = old("site").file("README.md", README).file("CONTRIBUTING.md", "Write to us.\n");
    let github = installed(&clock, agency(&policy).repository(site)).await;
    let muster = Muster::start(&github, &clock).await;
    github.user("alice").push(
        "agency/site",
        "main",
        &[("README.md", &format!("{README}\nMore."))],
        "Say more",
    );
    muster.settle().await;
    assert_snapshot!(github.pull_requests("agency/site"), @"#1 Add a license: LICENSE (open)");
    let proposed = github.file("agency/site", "muster/license", "LICENSE").unwrap();
    assert!(proposed.starts_with("CC0 1.0 Universal") || proposed.contains("Creative Commons"), "{proposed}");
    let asked = github.calls().iter().filter(|call| call.path.ends_with("/requested_reviewers")).count();
    assert_eq!(asked, 1);
    muster.finish().await;
}
