//! Pull requests of ours that are open: made anew when they have to be, left
//! to people once they have a hand in them (etiquette 4.3).

use std::time::Duration;

use github_sandbox::{
    BranchRule, Fault, FaultKind, NewRepository, Role, Sandbox, installation, state::RepositoryId as Id,
};
use insta::assert_snapshot;
use muster::{clock::Clock, domain::repository::RepositoryId};

use crate::harness::{Muster, README, agency, old, sandbox};

const FIX: &str = "mode: fix\nrepositories: {exclude: [\".github\"]}\n";
const SITE: &str = "agency/site";
/// The window of the default policy has just opened.
const MORNING: &str = "2026-11-17T09:00:00Z";
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const CONTRIBUTING: (&str, &str) = ("CONTRIBUTING.md", "# Contributing\n\nWrite to us.\n");

fn cc0() -> &'static str {
    spdx::license_id("CC0-1.0").unwrap().text()
}

/// A repository that lacks a README and a contribution file.
fn lacking() -> NewRepository {
    old("site").description("Counts birds.").file("LICENSE", cc0()).role("tina", Role::Triage)
}

/// A pull request of ours with both files is open in `site`.
async fn opened_in(policy: &str, site: NewRepository) -> (Sandbox, Muster) {
    let clock = Clock::stepped(MORNING.parse().unwrap());
    let organization = agency(policy).repository(site);
    let github = sandbox(&clock)
        .organization(organization)
        .installation(installation("agency"))
        .start()
        .await
        .unwrap();
    let muster = Muster::start(&github, &clock).await;
    push(&github, &[("src/main.rs", "fn main() {}\n")]);
    muster.settle().await;
    assert_eq!(github.pull_requests(SITE).len(), 1);
    muster.calls();
    (github, muster)
}

async fn opened() -> (Sandbox, Muster) {
    let (github, muster) = opened_in(FIX, lacking()).await;
    let both = "#1 Add missing open source files: README.md, CONTRIBUTING.md (open)";
    assert_eq!(github.pull_requests(SITE).to_string(), both);
    (github, muster)
}

fn push(github: &Sandbox, files: &[(&str, &str)]) {
    github.user("alice").push(SITE, "main", files, "Write");
}

fn site(github: &Sandbox) -> Id {
    github.repository_id(SITE)
}

/// Parent, signature and account of the tip of our branch.
fn tip(github: &Sandbox) -> (String, bool, u64) {
    let (head, id) = (github.head(SITE, "muster/files").unwrap(), site(github));
    github.state(|state| {
        let commit = state.repository(id).unwrap().objects.commit(head).unwrap();
        (commit.parents[0].to_string(), commit.verified, commit.account.unwrap())
    })
}

fn main_head(github: &Sandbox) -> String {
    github.head(SITE, "main").unwrap().to_string()
}

/// What stands, as text, without the ids of commits and addresses.
fn standing(github: &Sandbox) -> String {
    let mut text = String::new();
    for issue in github.issues(SITE).iter() {
        text += &format!("{issue}\n{}\n{}\n", issue.body, github.comments(SITE, issue.number));
    }
    for pull in github.pull_requests(SITE).iter() {
        text += &format!("{pull} {:?} {} commits\n{}\n", pull.files, pull.commits, pull.body);
        text += &format!("{}\n", github.comments(SITE, pull.number));
        for path in &pull.files {
            text += &format!("{path}: {:?}\n", github.file(SITE, "muster/files", path));
        }
    }
    text += &format!("{:?}\n", github.branches(SITE));
    text.replace(github.web_url(), "WEB")
}

async fn would_not(muster: &Muster) -> String {
    let plan = muster.plan(SITE).await.plan;
    plan.would_not.iter().map(|refused| format!("{}: {}\n", refused.what, refused.why)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_landed_is_dropped_in_one_new_commit_on_the_new_base() {
    let (github, muster) = opened().await;
    push(&github, &[CONTRIBUTING]);
    muster.settle().await;
    // Two reads, and two writes: the swap needs the id that the commit got.
    assert_snapshot!(muster.calls().join("\n"), @r"
    Snapshot
    BeforeWrite
    Stage
    MoveRefs
    Describe
    ");
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add missing open source files: README.md (open)");
    let pull = &github.pull_requests(SITE)[0];
    assert_eq!((pull.files.as_slice(), pull.commits), (["README.md".to_owned()].as_slice(), 1));
    assert!(!pull.body.contains("CONTRIBUTING.md"), "{}", pull.body);
    assert_eq!(tip(&github), (main_head(&github), true, github.bot().1));
    assert_eq!(github.branches(SITE), ["main", "muster/files"]);
    assert_snapshot!(github.comments(SITE, 1), @"");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nothing_is_left_it_closes_with_one_line_and_its_branch_goes() {
    let (github, muster) = opened().await;
    push(&github, &[CONTRIBUTING, ("README.md", README)]);
    muster.settle().await;
    // The end of a pull request, also of ours, is worth one look.
    assert_snapshot!(muster.calls().join("\n"), @r"
    Snapshot
    BeforeWrite
    ClosePullRequest
    Snapshot
    ");
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add missing open source files: README.md, CONTRIBUTING.md (closed)");
    assert_snapshot!(github.comments(SITE, 1), @"@muster[bot]: Nothing that this adds is missing any more, so Muster closes it.");
    assert_eq!(github.branches(SITE), ["main"]);
    let declined = muster.ctx.store.decisions(RepositoryId(site(&github))).await.unwrap();
    assert_eq!(declined, [], "our own closing is nobody's decline");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn merely_behind_is_no_reason() {
    let (github, muster) = opened().await;
    let before = tip(&github);
    for n in 0..5 {
        push(&github, &[("docs/notes.md", &format!("{n}\n")), ("code.json", "{}\n")]);
        muster.settle().await;
        muster.begin().await;
        muster.advance(DAY).await;
    }
    assert_eq!(tip(&github), before);
    muster.finish().await;
}

/// Lets a person act while a call of Muster's is under way.
async fn during(github: &Sandbox, muster: &Muster, call: &str, act: impl FnOnce()) {
    github.fault(Fault::on(call).kind(FaultKind::Held));
    github.deliver().await;
    let acting = async {
        github.holds().await;
        act();
        github.release();
    };
    let (drained, ()) = tokio::join!(muster.worker.drain(), acting);
    drained.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_arrives_between_the_two_calls_wins() {
    let (github, muster) = opened().await;
    push(&github, &[CONTRIBUTING]);
    let mine = ("README.md", "# Site\n\nThis is how we say it.\n");
    during(&github, &muster, "POST /graphql MoveRefs", || {
        assert!(github.branches(SITE).contains(&"muster/staging/files".to_owned()));
        github.user("alice").push(SITE, "muster/files", &[mine], "Say it our way");
    })
    .await;
    let theirs = github.head(SITE, "muster/files");
    muster.settle().await;
    muster.advance(20 * MINUTE).await;
    assert_eq!(github.head(SITE, "muster/files"), theirs);
    assert_eq!(github.file(SITE, "muster/files", "README.md").as_deref(), Some(mine.1));
    assert_eq!(github.branches(SITE), ["main", "muster/files"], "what was staged is gone");
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add missing open source files: README.md, CONTRIBUTING.md (open)");
    assert_snapshot!(would_not(&muster).await, @r"
    update the pull request: #1 has commits of others, so it is theirs
    open an issue: the pull request answers the same finding
    ");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_not_ours_means_hands_off_for_good() {
    let commits: [fn(&Sandbox); 2] = [
        |github| {
            github.user("alice").push(SITE, "muster/files", &[("README.md", "# Ours\n")], "Say it our way");
        },
        // The author of an amended commit is still the bot.
        |github| {
            github.user("alice").amend(SITE, "muster/files", &[("README.md", "# Ours\n")]);
        },
    ];
    for (n, commit) in commits.into_iter().enumerate() {
        let (github, muster) = opened().await;
        commit(&github);
        muster.settle().await;
        let theirs = github.head(SITE, "muster/files");
        push(&github, &[CONTRIBUTING]);
        muster.settle().await;
        push(&github, &[("README.md", README)]);
        muster.settle().await;
        for _ in 0..14 {
            muster.advance(7 * DAY).await;
        }
        assert_eq!(github.head(SITE, "muster/files"), theirs, "case {n}");
        assert_eq!(
            github.pull_requests(SITE).to_string(),
            "#1 Add missing open source files: README.md, CONTRIBUTING.md (open)"
        );
        assert_eq!(github.comments(SITE, 1).to_string(), "");
        assert!(would_not(&muster).await.contains("has commits of others"), "case {n}");
        // Whatever becomes of it, the branch is theirs too.
        github.user("alice").close_pull_request(SITE, 1);
        muster.settle().await;
        muster.advance(30 * DAY).await;
        assert_eq!(github.head(SITE, "muster/files"), theirs, "case {n}");
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_theirs_once_stays_theirs_though_their_commit_goes() {
    let (github, muster) = opened().await;
    let (alice, ours) = (github.user("alice"), github.head(SITE, "muster/files").unwrap());
    alice.push(SITE, "muster/files", &[("README.md", "# Ours\n")], "Try it");
    muster.settle().await;
    alice.force_push(SITE, "muster/files", ours);
    muster.settle().await;
    push(&github, &[CONTRIBUTING]);
    muster.settle().await;
    assert_eq!(github.head(SITE, "muster/files"), Some(ours));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_of_a_writer_holds_it_until_it_is_taken_off() {
    let (github, muster) = opened().await;
    let (alice, before) = (github.user("alice"), tip(&github));
    alice.label(SITE, 1, "muster:hold");
    push(&github, &[CONTRIBUTING]);
    muster.settle().await;
    assert_eq!(tip(&github), before);
    assert_snapshot!(would_not(&muster).await, @r"
    update the pull request: #1 has the label muster:hold
    open an issue: the pull request answers the same finding
    ");
    alice.unlabel(SITE, 1, "muster:hold");
    muster.settle().await;
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add missing open source files: README.md (open)");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p2_a_label_of_someone_who_may_not_write_is_recorded_and_holds_nothing() {
    let (github, muster) = opened().await;
    let alice = github.user("alice");
    alice.label(SITE, 1, "muster:hold");
    alice.unlabel(SITE, 1, "muster:hold");
    github.user("tina").label(SITE, 1, "muster:hold");
    push(&github, &[CONTRIBUTING]);
    muster.settle().await;
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add missing open source files: README.md (open)");
    let audit = muster.ctx.store.audit(Some(RepositoryId(site(&github))), 50).await.unwrap();
    let noted: Vec<_> = audit.iter().filter(|entry| entry.audit.what == "label_without_effect").collect();
    assert_eq!(noted.len(), 1);
    assert!(noted[0].audit.detail.contains("tina"), "{noted:?}");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_proposes_another_license_makes_it_anew() {
    let policy =
        |id: &str| format!("{FIX}agency: {{name: Example Agency}}\nrules:\n  license: {{propose: {id}}}\n");
    let bare = old("site").file("README.md", README).file("CONTRIBUTING.md", "Write to us.\n");
    let (github, muster) = opened_in(&policy("CC0-1.0"), bare).await;
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add a license: LICENSE (open)");
    let olivia = github.user("olivia");
    olivia.push("agency/.github", "main", &[(".github/muster.yml", &policy("MIT"))], "Choose MIT");
    muster.settle().await;
    let text = github.file(SITE, "muster/license", "LICENSE").unwrap();
    assert!(text.starts_with("MIT License") && text.contains("Example Agency"), "{text}");
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add a license: LICENSE (open)");
    assert_eq!(github.pull_requests(SITE)[0].commits, 1);
    // And one that proposes none any more closes it.
    olivia.push("agency/.github", "main", &[(".github/muster.yml", FIX)], "Let people choose");
    muster.settle().await;
    muster.advance(MINUTE).await;
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add a license: LICENSE (closed)");
    assert_snapshot!(github.comments(SITE, 1), @"@muster[bot]: Your policy does not ask for this any more, so Muster closes it.");
    assert_snapshot!(github.issues(SITE), @"#2 Repository open source checklist (open)");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_force_pushes_or_staging_branches_are_forbidden_a_second_commit_goes_on_top() {
    for (pattern, rule) in
        [("muster/**", BranchRule::NonFastForward), ("muster/staging/**", BranchRule::Creation)]
    {
        let (github, muster) = opened_in(FIX, lacking().ruleset([pattern], [rule])).await;
        let first = github.head(SITE, "muster/files").unwrap();
        push(&github, &[CONTRIBUTING]);
        muster.settle().await;
        assert_eq!(
            github.pull_requests(SITE).to_string(),
            "#1 Add missing open source files: README.md (open)"
        );
        let pull = &github.pull_requests(SITE)[0];
        assert_eq!(
            (pull.files.as_slice(), pull.commits),
            (["README.md".to_owned()].as_slice(), 2),
            "{rule:?}"
        );
        assert_eq!(tip(&github), (first.to_string(), true, github.bot().1), "{rule:?}");
        assert_eq!(github.branches(SITE), ["main", "muster/files"], "{rule:?}");
        // It is still ours alone, so that it can be closed when nothing is left.
        push(&github, &[("README.md", README)]);
        muster.settle().await;
        assert_eq!(github.branches(SITE), ["main"], "{rule:?}");
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_rules_forbid_is_tried_again_only_when_they_change() {
    let (github, muster) = opened().await;
    let rule = |rules: Vec<BranchRule>| {
        let id = site(&github);
        github.change(|state| {
            let home = state.repository_mut(id).unwrap();
            home.rulesets = vec![github_sandbox::state::Ruleset {
                id: 77,
                name: "frozen".to_owned(),
                branches: vec!["muster/**".to_owned()],
                rules,
                app_bypasses: false,
            }];
        });
    };
    rule(vec![BranchRule::Update, BranchRule::Creation]);
    push(&github, &[CONTRIBUTING]);
    muster.settle().await;
    assert!(would_not(&muster).await.contains("GitHub refuses it"), "{}", would_not(&muster).await);
    github.clear_calls();
    for _ in 0..20 {
        push(&github, &[(".github/notes.txt", "\n")]);
        muster.begin().await;
        muster.advance(DAY).await;
    }
    let writes: Vec<_> = github.calls().into_iter().filter(|call| call.writes).collect();
    assert!(writes.is_empty(), "it is tried again though nothing changed: {writes:#?}");
    // After a month it asks once more, and is refused once more.
    for _ in 0..12 {
        muster.advance(DAY).await;
    }
    let asked = github.calls().iter().filter(|call| call.operation.as_deref() == Some("Stage")).count();
    assert_eq!(asked, 1);
    rule(Vec::new());
    push(&github, &[("code.json", "{}\n")]);
    muster.settle().await;
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add missing open source files: README.md (open)");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i5_auto_merge_is_off_before_anything_else_when_others_commit() {
    let (github, muster) = opened().await;
    let alice = github.user("alice");
    alice.enable_auto_merge(SITE, 1);
    muster.settle().await;
    let id = site(&github);
    let wish = || github.state(|state| state.issue(id, 1).unwrap().pull().unwrap().auto_merge.is_some());
    assert!(wish(), "who trusts us may");
    alice.push(SITE, "muster/files", &[(".github/workflows/x.yml", "on: push\n")], "Slip in");
    muster.settle().await;
    assert!(!wish());
    assert_snapshot!(muster.calls().join("\n"), @r"
PullRequestAtHead
Snapshot
BeforeWrite
DisableAutoMerge
");
    // Who asks for it again has seen the commit.
    muster.clock.advance(MINUTE);
    alice.enable_auto_merge(SITE, 1);
    push(&github, &[("code.json", "{}\n")]);
    muster.settle().await;
    assert!(wish());
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_signs_nothing_is_served_as_well() {
    let clock = Clock::stepped(MORNING.parse().unwrap());
    let github = sandbox(&clock)
        .flavor(github_sandbox::Flavor::Server)
        .organization(agency(FIX).repository(lacking()))
        .installation(installation("agency"))
        .start()
        .await
        .unwrap();
    let muster = Muster::start(&github, &clock).await;
    push(&github, &[("src/main.rs", "fn main() {}\n")]);
    muster.settle().await;
    assert!(!tip(&github).1);
    for landed in [CONTRIBUTING, ("README.md", README)] {
        push(&github, &[landed]);
        muster.settle().await;
    }
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add missing open source files: README.md (closed)");
    assert_eq!(github.branches(SITE), ["main"]);
    muster.finish().await;
}

/// What becomes of an open pull request when `landed` does, and the `n`-th
/// call from then on goes wrong; whether there was one.
async fn disturbed(landed: &[(&str, &str)], n: u64, kind: Option<FaultKind>) -> (String, bool) {
    let (github, muster) = opened().await;
    push(&github, landed);
    if let Some(kind) = kind {
        github.fault(Fault::anywhere().kind(kind).after(n));
    }
    muster.settle().await;
    for _ in 0..4 {
        muster.advance(20 * MINUTE).await;
    }
    let hit = github.faults().is_empty();
    github.clear_faults();
    let end = standing(&github);
    muster.finish().await;
    (end, hit)
}

async fn any_call_may_be_lost(landed: &[(&str, &str)], least: u64) {
    let (expected, _) = disturbed(landed, 0, None).await;
    for kind in [FaultKind::ResetAfter, FaultKind::BadGatewayAfter, FaultKind::Reset, FaultKind::BadGateway] {
        let mut n = 0;
        loop {
            let (end, hit) = disturbed(landed, n, Some(kind)).await;
            assert_eq!(end, expected, "{kind:?} at call {n}");
            if !hit {
                break;
            }
            n += 1;
        }
        assert!(n >= least, "only {n} calls were made");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_may_lose_any_one_answer_and_ends_the_same() {
    any_call_may_be_lost(&[CONTRIBUTING], 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closing_may_lose_any_one_answer_and_ends_the_same() {
    any_call_may_be_lost(&[CONTRIBUTING, ("README.md", README)], 4).await;
}
