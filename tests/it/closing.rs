//! The end of what Muster opened: by people, by time, by the policy.

use std::time::Duration;

use github_sandbox::{Fault, FaultKind, NewRepository, Sandbox, installation};
use insta::assert_snapshot;
use muster::{
    clock::Clock,
    domain::repository::RepositoryId,
    store::{Decision, DecisionStatus},
};

use crate::harness::{Muster, README, agency, complete, old, sandbox};

const FIX: &str = "mode: fix\nrepositories: {exclude: [\".github\"]}\n";
const SITE: &str = "agency/site";
const MORNING: &str = "2026-11-17T09:00:00Z";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn cc0() -> &'static str {
    spdx::license_id("CC0-1.0").unwrap().text()
}

async fn start(policy: &str, site: NewRepository) -> (Sandbox, Muster) {
    let clock = Clock::stepped(MORNING.parse().unwrap());
    let organization = agency(policy).repository(site).repository(complete("other"));
    let github = sandbox(&clock)
        .organization(organization)
        .installation(installation("agency"))
        .start()
        .await
        .unwrap();
    let muster = Muster::start(&github, &clock).await;
    push(&github, &[("src/main.rs", "fn main() {}\n")]);
    muster.settle().await;
    (github, muster)
}

/// A pull request for a contribution file is open.
async fn proposed() -> (Sandbox, Muster) {
    let (github, muster) = start(FIX, old("site").file("README.md", README).file("LICENSE", cc0())).await;
    let open = "#1 Add missing open source files: CONTRIBUTING.md (open)";
    assert_eq!(github.pull_requests(SITE).to_string(), open);
    (github, muster)
}

/// A tracking issue for a license is open.
async fn listed() -> (Sandbox, Muster) {
    let site = old("site").file("README.md", README).file("CONTRIBUTING.md", "Write to us.\n");
    let (github, muster) = start(FIX, site).await;
    assert_eq!(github.issues(SITE).to_string(), "#1 Repository open source checklist (open)");
    (github, muster)
}

/// Both are open.
async fn both() -> (Sandbox, Muster) {
    let (github, muster) = start(FIX, old("site").file("README.md", README)).await;
    assert_eq!((github.issues(SITE).len(), github.pull_requests(SITE).len()), (1, 1));
    (github, muster)
}

fn push(github: &Sandbox, files: &[(&str, &str)]) {
    github.user("alice").push(SITE, "main", files, "Write");
}

async fn decisions(github: &Sandbox, muster: &Muster) -> Vec<Decision> {
    muster.ctx.store.decisions(RepositoryId(github.repository_id(SITE))).await.unwrap()
}

/// Days go by, with nothing but what is due and the daily sweep.
async fn days(muster: &Muster, days: u32) {
    for _ in 0..days {
        muster.advance(DAY).await;
    }
}

fn writes(github: &Sandbox) -> Vec<String> {
    let calls = github.calls();
    calls.iter().filter(|call| call.writes).map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_nobody_touches_expires_and_comes_once_more() {
    let (github, muster) = proposed().await;
    // No sweep is armed here: every moment comes from the plan's own due.
    days(&muster, 89).await;
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add missing open source files: CONTRIBUTING.md (open)");
    days(&muster, 8).await;
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add missing open source files: CONTRIBUTING.md (closed)");
    assert_snapshot!(github.comments(SITE, 1), @"@muster[bot]: Nobody has touched this for 90 days, so Muster closes it. It may ask you once more in half a year.");
    assert_eq!(github.branches(SITE), ["main"]);
    assert_eq!(decisions(&github, &muster).await, [], "nobody declined it");
    days(&muster, 170).await;
    assert_eq!((github.pull_requests(SITE).len(), github.issues(SITE).len()), (1, 0));
    days(&muster, 20).await;
    assert_eq!(github.pull_requests(SITE).len(), 2, "half a year later it is proposed again");
    days(&muster, 100).await;
    assert_snapshot!(github.comments(SITE, 2), @"@muster[bot]: Nobody has touched this for 90 days, so Muster closes it. It will not ask you again.");
    for _ in 0..30 {
        muster.advance(30 * DAY).await;
    }
    assert_eq!((github.pull_requests(SITE).len(), github.issues(SITE).len()), (2, 0));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_of_anybody_puts_the_expiry_off() {
    let (github, muster) = proposed().await;
    days(&muster, 60).await;
    github.user("alice").comment(SITE, 1, "We will get to it.");
    days(&muster, 85).await;
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add missing open source files: CONTRIBUTING.md (open)");
    days(&muster, 12).await;
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add missing open source files: CONTRIBUTING.md (closed)");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_that_was_cut_off_is_still_no_ordinary_closing() {
    for kind in [FaultKind::ResetAfter, FaultKind::BadGateway] {
        let (github, muster) = proposed().await;
        days(&muster, 89).await;
        github.fault(Fault::on("POST /graphql ClosePullRequest").kind(kind));
        days(&muster, 8).await;
        assert!(github.faults().is_empty());
        assert_eq!(
            github.pull_requests(SITE).to_string(),
            "#1 Add missing open source files: CONTRIBUTING.md (closed)"
        );
        assert_eq!(github.comments(SITE, 1).len(), 1, "{kind:?}");
        assert_eq!(github.branches(SITE), ["main"], "{kind:?}");
        days(&muster, 30).await;
        assert_eq!(github.pull_requests(SITE).len(), 1, "{kind:?}: it is not proposed again at once");
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_branch_of_a_declined_pull_request_goes_after_a_week() {
    let (github, muster) = proposed().await;
    github.user("alice").close_pull_request(SITE, 1);
    muster.settle().await;
    days(&muster, 6).await;
    assert_eq!(github.branches(SITE), ["main", "muster/files"]);
    days(&muster, 2).await;
    assert_eq!(github.branches(SITE), ["main"]);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reopening_within_the_week_takes_the_decline_back() {
    let (github, muster) = proposed().await;
    let alice = github.user("alice");
    alice.close_pull_request(SITE, 1);
    muster.settle().await;
    days(&muster, 3).await;
    alice.reopen(SITE, 1);
    muster.settle().await;
    days(&muster, 30).await;
    assert_eq!(github.branches(SITE), ["main", "muster/files"]);
    let statuses: Vec<_> =
        decisions(&github, &muster).await.into_iter().map(|it| it.decision.status).collect();
    assert_eq!(statuses, [DecisionStatus::Declined, DecisionStatus::Withdrawn]);
    // It is looked after as before.
    push(&github, &[("CONTRIBUTING.md", "Write to us.\n")]);
    muster.settle().await;
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add missing open source files: CONTRIBUTING.md (closed)");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_somebody_moved_in_that_week_stays() {
    let (github, muster) = proposed().await;
    github.user("alice").close_pull_request(SITE, 1);
    muster.settle().await;
    github.user("alice").push(SITE, "muster/files", &[("CONTRIBUTING.md", "Ours.\n")], "Keep it");
    muster.settle().await;
    days(&muster, 30).await;
    assert_eq!(github.branches(SITE), ["main", "muster/files"]);
    muster.finish().await;
}

type Way = (&'static str, fn(&Sandbox), &'static str);

const WAYS: [Way; 4] = [
    ("gone", |github| github.user("olivia").delete_issue(SITE, 1), ""),
    (
        "gone",
        |github| {
            github.user("alice").transfer_issue(SITE, 1, "agency/other");
        },
        "",
    ),
    ("gone", |github| github.user("alice").convert_to_discussion(SITE, 1), ""),
    ("lock", |github| github.user("alice").lock(SITE, 1), "#1 Repository open source checklist (open)"),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_deleted_moved_converted_or_locked_is_declined_and_never_made_again() {
    for (n, (via, act, left)) in WAYS.into_iter().enumerate() {
        let (github, muster) = listed().await;
        act(&github);
        muster.settle().await;
        // A conversion sends no event: the next look finds out.
        muster.begin().await;
        let decided = decisions(&github, &muster).await;
        assert_eq!(decided.len(), 1, "way {n}");
        let Decision { decision, .. } = &decided[0];
        assert_eq!((decision.status, decision.via.as_str()), (DecisionStatus::Declined, via), "way {n}");
        assert_eq!(decision.until, None, "way {n}: never recreated");
        for month in 0..24 {
            muster.advance(30 * DAY).await;
            push(&github, &[("README.md", &format!("{README}\n{month}\n"))]);
            muster.settle().await;
        }
        assert_eq!(github.issues(SITE).to_string(), left, "way {n}");
        let elsewhere = github.issues("agency/other").to_string();
        assert_eq!(elsewhere.contains("checklist"), n == 1, "way {n}");
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unlocking_takes_the_decline_back() {
    let (github, muster) = listed().await;
    github.user("alice").lock(SITE, 1);
    muster.settle().await;
    // While it is locked nothing is written to it.
    push(&github, &[("README.md", "")]);
    muster.settle().await;
    github.user("alice").unlock(SITE, 1);
    muster.settle().await;
    let body = &github.issues(SITE)[0].body;
    assert!(body.contains("README"), "{body}");
    let statuses: Vec<_> =
        decisions(&github, &muster).await.into_iter().map(|it| it.decision.status).collect();
    assert_eq!(statuses, [DecisionStatus::Declined, DecisionStatus::Withdrawn]);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_issues_are_switched_off_nothing_is_written_and_the_plan_says_so() {
    let (github, muster) = listed().await;
    let olivia = github.user("olivia");
    olivia.set_issues_enabled(SITE, false);
    github.clear_calls();
    push(&github, &[("README.md", "")]);
    muster.settle().await;
    push(&github, &[("README.md", README), ("LICENSE", cc0())]);
    muster.settle().await;
    days(&muster, 10).await;
    assert_eq!(writes(&github), Vec::<String>::new());
    let plan = muster.plan(SITE).await.plan.to_string();
    assert_snapshot!(plan, @"would not close the issue: issues are disabled there");
    // And nobody has declined anything by that.
    assert_eq!(decisions(&github, &muster).await, []);
    olivia.set_issues_enabled(SITE, true);
    push(&github, &[("README.md", &format!("{README}\nMore.\n"))]);
    muster.settle().await;
    assert_snapshot!(github.issues(SITE), @"#1 Repository open source checklist (closed: completed)");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_keeps_what_people_wrote_in_their_place() {
    let (github, muster) = listed().await;
    let alice = github.user("alice");
    let body = github.issues(SITE)[0].body.clone();
    let place = "<!-- muster:human -->\n";
    assert!(body.contains(place), "{body}");
    // From a browser it comes back with CRLF.
    alice.edit_body(SITE, 1, &body.replace(place, &format!("{place}Counsel has it, *ask Bob*.\n")));
    muster.settle().await;
    push(&github, &[("README.md", "")]);
    muster.settle().await;
    let edited = &github.issues(SITE)[0].body;
    assert!(edited.contains("README"), "{edited}");
    assert!(
        edited.contains(&format!("{place}Counsel has it, *ask Bob*.\n<!-- /muster:human -->")),
        "{edited}"
    );
    assert!(!edited.contains('\r'), "{edited:?}");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_comes_while_ours_is_under_way_is_not_lost() {
    let (github, muster) = listed().await;
    push(&github, &[("README.md", "")]);
    github.fault(Fault::on("POST /graphql BeforeWrite").kind(FaultKind::Held));
    github.deliver().await;
    let acting = async {
        github.holds().await;
        let body = github.issues(SITE)[0].body.clone();
        let place = "<!-- muster:human -->\n";
        github.user("alice").edit_body(SITE, 1, &body.replace(place, &format!("{place}Wait for me.\n")));
        github.release();
    };
    let (drained, ()) = tokio::join!(muster.worker.drain(), acting);
    drained.unwrap();
    muster.settle().await;
    muster.advance(MINUTE).await;
    let body = &github.issues(SITE)[0].body;
    assert!(body.contains("Wait for me.") && body.contains("README"), "{body}");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_is_edited_three_times_a_day_at_most() {
    let (github, muster) = listed().await;
    for n in 0..8 {
        let readme = if n % 2 == 0 { "" } else { README };
        push(&github, &[("README.md", readme)]);
        muster.settle().await;
        muster.advance(10 * MINUTE).await;
    }
    let edits = || {
        github.state(|state| {
            let id = state.repositories().find(|home| home.name == "site").unwrap().id;
            state.issue(id, 1).unwrap().edits.len()
        })
    };
    assert_eq!(edits(), 3);
    // Seven edits later the text is behind; the plan says why.
    push(&github, &[("README.md", ""), ("CONTRIBUTING.md", "")]);
    muster.settle().await;
    let plan = muster.plan(SITE).await.plan.to_string();
    assert!(plan.contains("would not edit the issue: blocked: edit loop"), "{plan}");
    days(&muster, 1).await;
    assert_eq!(edits(), 4);
    assert!(github.issues(SITE)[0].body.contains("CONTRIBUTING.md"), "{}", github.issues(SITE)[0].body);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_of_ours_that_cannot_be_read_is_neither_edited_nor_doubled() {
    let (github, muster) = both().await;
    let (issue, pull) = (github.issues(SITE)[0].number, github.pull_requests(SITE)[0].number);
    for number in [issue, pull] {
        github.user("alice").edit_body(SITE, number, "Somebody tidied up.\n");
    }
    muster.settle().await;
    github.clear_calls();
    push(&github, &[("README.md", "")]);
    muster.settle().await;
    push(&github, &[("CONTRIBUTING.md", "Write to us.\n"), ("LICENSE", cc0()), ("README.md", README)]);
    muster.settle().await;
    days(&muster, 100).await;
    assert_eq!(writes(&github), Vec::<String>::new());
    assert_eq!((github.issues(SITE).len(), github.pull_requests(SITE).len()), (1, 1));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_policy_leaves_out_is_closed_with_a_line_and_comes_back_with_it() {
    let (github, muster) = both().await;
    let out = "mode: fix\nrepositories: {exclude: [\".github\", site]}\n";
    let olivia = github.user("olivia");
    olivia.push("agency/.github", "main", &[(".github/muster.yml", out)], "Leave the site alone");
    muster.settle().await;
    let (issue, pull) = (&github.issues(SITE)[0], &github.pull_requests(SITE)[0]);
    assert_eq!((issue.state.as_str(), pull.state.as_str()), ("closed: not_planned", "closed"));
    for number in [issue.number, pull.number] {
        let said = github.comments(SITE, number).to_string();
        assert_eq!(said, "@muster[bot]: Your policy leaves this repository out now, so Muster closes this.");
    }
    assert_eq!(github.branches(SITE), ["main"]);
    assert_eq!(decisions(&github, &muster).await, []);
    olivia.push("agency/.github", "main", &[(".github/muster.yml", FIX)], "Take it in again");
    muster.settle().await;
    days(&muster, 8).await;
    assert_eq!((github.issues(SITE).len(), github.pull_requests(SITE).len()), (2, 2));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_out_may_lose_any_one_answer_and_says_its_lines_once() {
    let out = "mode: fix\nrepositories: {exclude: [\".github\", site]}\n";
    for kind in [FaultKind::ResetAfter, FaultKind::BadGateway] {
        for n in 0.. {
            let (github, muster) = both().await;
            github.user("olivia").push(
                "agency/.github",
                "main",
                &[(".github/muster.yml", out)],
                "Leave the site alone",
            );
            github.fault(Fault::anywhere().kind(kind).after(n));
            muster.settle().await;
            for _ in 0..4 {
                muster.advance(20 * MINUTE).await;
            }
            let hit = github.faults().is_empty();
            github.clear_faults();
            muster.settle().await;
            let states = (github.issues(SITE)[0].state.clone(), github.pull_requests(SITE)[0].state.clone());
            assert_eq!(states, ("closed: not_planned".into(), "closed".into()), "{kind:?} {n}");
            let said = |number| github.comments(SITE, number).len();
            assert_eq!((said(1), said(2)), (1, 1), "{kind:?} {n}");
            assert_eq!(github.branches(SITE), ["main"], "{kind:?} {n}");
            muster.finish().await;
            if !hit {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_whose_own_file_lowers_the_mode_has_opted_out() {
    let (github, muster) = both().await;
    let own = "mode: observe\nreason: We are winding this down.\n";
    push(&github, &[(".github/muster.yml", own)]);
    muster.settle().await;
    let (issue, pull) = (&github.issues(SITE)[0], &github.pull_requests(SITE)[0]);
    assert_eq!((issue.state.as_str(), pull.state.as_str()), ("closed: not_planned", "closed"));
    let said = github.comments(SITE, issue.number).to_string();
    assert_eq!(said, "@muster[bot]: Your file .github/muster.yml asks for less now, so Muster closes this.");
    days(&muster, 30).await;
    assert_eq!((github.issues(SITE).len(), github.pull_requests(SITE).len()), (1, 1));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_repository_is_read_only_so_nothing_is_tried() {
    let (github, muster) = both().await;
    let olivia = github.user("olivia");
    olivia.set_archived(SITE, true);
    github.clear_calls();
    muster.settle().await;
    muster.begin().await;
    days(&muster, 100).await;
    assert_eq!(writes(&github), Vec::<String>::new());
    assert_eq!(muster.plan(SITE).await.plan.to_string(), "");
    olivia.set_archived(SITE, false);
    muster.settle().await;
    muster.advance(HOUR).await;
    assert_eq!(github.issues(SITE)[0].state, "open");
    muster.finish().await;
}
