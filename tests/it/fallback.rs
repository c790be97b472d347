//! Where GitHub refuses our branch, commit or pull request: the issue carries
//! what the pull request would have, and nothing runs in circles.

use std::time::Duration;

use github_sandbox::{BranchRule, NewOrganization, NewRepository, Sandbox, installation};
use insta::assert_snapshot;
use muster::clock::Clock;

use crate::harness::{Muster, README, agency, old, sandbox};

const FIX: &str = "mode: fix\nrepositories: {exclude: [\".github\"]}\n";
const SITE: &str = "agency/site";
const MORNING: &str = "2026-11-17T09:00:00Z";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn cc0() -> &'static str {
    spdx::license_id("CC0-1.0").unwrap().text()
}

/// A repository that lacks a contribution file only, which a pull request
/// could add.
fn lacking() -> NewRepository {
    old("site").file("README.md", README).file("LICENSE", cc0())
}

async fn start(organization: NewOrganization) -> (Sandbox, Muster) {
    let clock = Clock::stepped(MORNING.parse().unwrap());
    let github = sandbox(&clock)
        .organization(organization)
        .installation(installation("agency"))
        .start()
        .await
        .unwrap();
    let muster = Muster::start(&github, &clock).await;
    github.user("alice").push(SITE, "main", &[("src/main.rs", "fn main() {}\n")], "Write code");
    muster.settle().await;
    (github, muster)
}

fn asked(github: &Sandbox) -> usize {
    github.calls().iter().filter(|call| call.operation.as_deref() == Some("Propose")).count()
}

/// A month of daily sweeps and pushes: GitHub is asked for no pull request.
async fn a_quiet_month(github: &Sandbox, muster: &Muster) {
    github.clear_calls();
    for n in 0..29 {
        let readme = format!("{README}\n{n}\n");
        github.user("alice").push(SITE, "main", &[("README.md", &readme)], "Say more");
        muster.begin().await;
        muster.advance(DAY).await;
    }
    let writes: Vec<_> = github.calls().into_iter().filter(|call| call.writes).collect();
    assert!(writes.is_empty(), "it is tried again though nothing changed: {writes:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rules_forbid_is_listed_in_the_issue_and_tried_again_when_they_change() {
    for rule in [BranchRule::Creation, BranchRule::Update, BranchRule::PullRequest] {
        let site = lacking().ruleset(["muster/**"], [rule]);
        let (github, muster) = start(agency(FIX).repository(site)).await;
        assert_eq!(github.branches(SITE), ["main"], "{rule:?}");
        assert_eq!(github.pull_requests(SITE).len(), 0);
        assert_eq!(github.issues(SITE).to_string(), "#1 Repository open source checklist (open)");
        let body = github.issues(SITE)[0].body.clone();
        assert!(body.contains("/agency/site/new/main?filename=CONTRIBUTING.md"), "{body}");
        assert!(body.contains("# Contributing to site"), "{body}");
        let plan = muster.plan(SITE).await.plan.to_string();
        assert!(plan.contains("would not open a pull request with files: GitHub refuses it"), "{plan}");
        a_quiet_month(&github, &muster).await;
        let id = github.repository_id(SITE);
        github.change(|state| state.repository_mut(id).unwrap().rulesets.clear());
        github.user("alice").push(SITE, "main", &[("code.json", "{}\n")], "Say more");
        muster.settle().await;
        assert_eq!(
            github.pull_requests(SITE).to_string(),
            "#2 Add missing open source files: CONTRIBUTING.md (open)"
        );
        // The issue says so now, and closes by itself once that is merged.
        assert!(!github.issues(SITE)[0].body.contains("/new/main"), "{}", github.issues(SITE)[0].body);
        github.user("alice").merge(SITE, 2);
        muster.settle().await;
        assert_eq!(
            github.issues(SITE).to_string(),
            "#1 Repository open source checklist (closed: completed)"
        );
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_pull_requests_are_switched_off_the_issue_lists_the_files() {
    let (github, muster) = start(agency(FIX).repository(lacking().without_pull_requests())).await;
    assert_eq!(github.branches(SITE), ["main"]);
    assert_snapshot!(github.issues(SITE), @"#1 Repository open source checklist (open)");
    assert!(github.issues(SITE)[0].body.contains("# Contributing to site"));
    a_quiet_month(&github, &muster).await;
    // Nothing tells that they are on again, so it is asked once a month.
    github.user("olivia").set_pull_requests_enabled(SITE, true);
    for _ in 0..8 {
        muster.advance(DAY).await;
    }
    assert_eq!(asked(&github), 1);
    assert_snapshot!(github.pull_requests(SITE), @"#2 Add missing open source files: CONTRIBUTING.md (open)");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pull_requests_that_are_switched_off_later_hide_ours_and_nobody_declined_it() {
    let (github, muster) = start(agency(FIX).repository(lacking())).await;
    assert_eq!(github.pull_requests(SITE).len(), 1);
    let olivia = github.user("olivia");
    olivia.set_pull_requests_enabled(SITE, false);
    muster.begin().await;
    muster.advance(DAY).await;
    assert_snapshot!(muster.plan(SITE).await.plan, @r"
    would not open a pull request with files: number 1 is ours and cannot be seen, so they may be switched off there
    ");
    let id = muster::domain::repository::RepositoryId(github.repository_id(SITE));
    assert_eq!(muster.ctx.store.decisions(id).await.unwrap(), []);
    olivia.set_pull_requests_enabled(SITE, true);
    github.user("alice").push(SITE, "main", &[("CONTRIBUTING.md", "Write to us.\n")], "Say how");
    muster.settle().await;
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add missing open source files: CONTRIBUTING.md (closed)");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_drafts_the_issue_carries_the_question_and_the_rest_is_proposed() {
    let policy = format!("{FIX}issue: {{from: recommended}}\n");
    let site = old("site").private().file("LICENSE", cc0());
    let (github, muster) = start(agency(&policy).free().repository(site)).await;
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add missing open source files: CONTRIBUTING.md (open)");
    assert_snapshot!(github.issues(SITE), @"#2 Repository open source checklist (open)");
    let body = github.issues(SITE)[0].body.clone();
    assert!(body.contains("- [ ] Say in README.md what the software does."), "{body}");
    assert!(body.contains("/agency/site/new/main?filename=README.md"), "{body}");
    assert!(body.contains("Muster adds it by pull request."), "{body}");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_issues_and_without_pull_requests_the_plan_is_all_there_is() {
    let site = lacking().without_pull_requests().without_issues();
    let (github, muster) = start(agency(FIX).repository(site)).await;
    assert_eq!((github.issues(SITE).len(), github.pull_requests(SITE).len()), (0, 0));
    let plan = muster.plan(SITE).await.plan;
    let reasons: Vec<_> = plan.would_not.iter().map(|refused| refused.why.as_str()).collect();
    assert_eq!(plan.changes, []);
    assert!(reasons[0].contains("Pull requests are disabled"), "{reasons:?}");
    assert_eq!(reasons[1], "issues are disabled there");
    a_quiet_month(&github, &muster).await;
    muster.finish().await;
}
