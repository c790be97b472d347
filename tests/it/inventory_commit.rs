//! The inventory in its repository: by commit where policy, operator and rules
//! allow it, by a pull request that Muster knows again elsewhere; and how it
//! stands there.

use std::time::Duration;

use github_sandbox::{BranchRule, Fault, FaultKind, NewRepository, Role, Sandbox, installation, org};
use insta::assert_snapshot;
use muster::{clock::Clock, domain::inventory::Agency};
use serde_json::Value;

use crate::{
    harness::{Muster, README, Setup, clock, complete, old, sandbox},
    inventory::{POLICY, agency, alone, for_agencies, get},
    reports::program,
    server::Database,
};

const HOME: &str = "agency/code-inventory";
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The agency, whose inventory comes into its repository in this way.
async fn kept(clock: &Clock, by: &str, home: NewRepository) -> Sandbox {
    let place = format!("  repository: {HOME}\n  by: {by}\n  defaults:\n");
    let policy = POLICY.replace("  defaults:\n", &place);
    let organization = org("agency")
        .owner("olivia")
        .base_role(Some(Role::Write))
        .repository(old(".github").file("README.md", README).file(".github/muster.yml", &policy))
        .repository(home)
        .repository(complete("river").description("Counts birds."))
        .repository(complete("falcon-tracker").file("code.json", for_agencies("falcon-tracker")).private());
    sandbox(clock).organization(organization).installation(installation("agency")).start().await.unwrap()
}

fn home() -> NewRepository {
    complete("code-inventory")
        .description("The inventory.")
        .file(".github/muster.yml", "inventory: {agency: XA}\n")
}

/// The operator lets the inventory be committed to its repository.
fn trusting(database: Database) -> Setup {
    let one = Agency {
        organizations: vec!["agency".parse().unwrap()],
        repository: Some(HOME.parse().unwrap()),
        may_commit: true,
        ..agency()
    };
    Setup { database, agencies: vec![one], ..Setup::serving(&["agency"]) }
}

/// The commits of the default branch, newest first: who made each, and its message.
fn commits(github: &Sandbox) -> Vec<(String, bool, String)> {
    let id = github.repository_id(HOME);
    github.state(|state| {
        let home = state.repository(id).unwrap();
        let mut at = home.branch("main");
        let mut found = Vec::new();
        while let Some(commit) = at.and_then(|oid| home.objects.commit(oid)) {
            found.push((commit.author.name.clone(), commit.verified, commit.message.clone()));
            at = commit.parents.first().copied();
        }
        found
    })
}

fn ours(github: &Sandbox) -> usize {
    let subject = "Update the source code inventory";
    commits(github).iter().filter(|(_, _, message)| message.lines().next() == Some(subject)).count()
}

/// What the doctor says of the inventory.
async fn rows(muster: &Muster) -> String {
    let rows = muster.doctor(None).await;
    let about = |row: &String| row.contains(" inventory agency");
    rows.into_iter().filter(about).collect::<Vec<_>>().join("\n")
}

async fn audit(muster: &Muster) -> Vec<String> {
    let audit = muster.ctx.store.audit(None, 1000).await.unwrap();
    let about = |what: &str| what.starts_with("inventory_") && what != "inventory_published";
    let line = |entry: &muster::store::AuditEntry| {
        let detail: Value = serde_json::from_str(&entry.audit.detail).unwrap();
        let more = ["file", "stands", "pull_request", "why"].map(|key| match &detail[key] {
            Value::Null => String::new(),
            more => format!(" {more}"),
        });
        format!("{}{}", entry.audit.what, more.concat())
    };
    audit.iter().rev().filter(|entry| about(&entry.audit.what)).map(line).collect()
}

/// Whether the default branch has what is served, but for what moves by itself.
async fn assert_same(github: &Sandbox, muster: &Muster, name: &str) {
    let there = github.file(HOME, "main", "code.json").unwrap();
    assert!(there.contains(&format!("/agency/{name}\"")), "{there}");
    assert!(get(muster, "/code.json", "").await.body.contains(&format!("/agency/{name}\"")));
}

#[rstest::rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test]
async fn where_policy_and_operator_say_so_it_is_committed(#[case] database: Database) {
    let clock = clock();
    let github = kept(&clock, "commit", home()).await;
    let muster = Muster::start_as(&github, &clock, trusting(database)).await;
    muster.begin().await;
    assert_eq!(github.pull_requests(HOME).len(), 0);
    let (author, verified, message) = commits(&github).remove(0);
    assert_eq!((author.as_str(), verified), (github.bot().0.as_str(), true));
    let (begin, rest) = message.split_once("`agency-index.json`").unwrap();
    let (account, end) = rest.rsplit_once("\n\n").unwrap();
    assert_snapshot!(format!("{begin}…\n\n{end}"), @r"
    Update the source code inventory

    Muster keeps the inventory of the agency's source code. This commit publishes what has changed.

    …

    The history of this repository keeps every version.
    ");
    // As in a pull request.
    assert!(account.contains("| Listed | 2 |") && account.contains("| All | 3 |"), "{account}");
    assert_same(&github, &muster, "river").await;

    // What moves by itself is no reason to write, nor is time.
    let olivia = github.user("olivia");
    olivia.push("agency/river", "main", &[("src/main.rs", "fn main() {}\n")], "Count faster");
    github.clear_calls();
    muster.advance(DAY).await;
    assert_eq!((ours(&github), github.calls().iter().filter(|call| call.writes).count()), (1, 0));
    // Another word is, once.
    olivia.rename("agency/river", "stream");
    muster.advance(HOUR).await;
    assert_same(&github, &muster, "stream").await;
    assert_eq!((ours(&github), github.branches(HOME)), (2, vec!["main".to_owned()]));
    if matches!(database, Database::Sqlite) {
        assert_snapshot!(rows(&muster).await, @r"
ok inventory agency/code-inventory agency-index.json: Since 2026-11-17 15:00Z the default branch says what is published.
ok inventory agency/code-inventory code.json: Since 2026-11-17 15:00Z the default branch says what is published.
");
    }
    assert_snapshot!(audit(&muster).await.join("\n"), @r#"
inventory_begun
inventory_committed
inventory_stands "agency-index.json" "same"
inventory_stands "code.json" "same"
inventory_begun
inventory_committed
"#);
    muster.finish().await;
}

/// The policy alone does not make Muster write to a default branch.
#[rstest::rstest]
#[case::not_named(None, true)]
#[case::named_for_pull_requests(Some(HOME), false)]
#[tokio::test]
async fn t7_a_commit_needs_the_operator_too(#[case] repository: Option<&str>, #[case] agreed: bool) {
    let clock = clock();
    let github = kept(&clock, "commit", home()).await;
    let mut setup = alone();
    setup.agencies[0].repository = repository.map(|name| name.parse().unwrap());
    setup.agencies[0].may_commit = agreed && repository.is_some();
    let muster = Muster::start_as(&github, &clock, setup).await;
    muster.begin().await;
    muster.advance(HOUR).await;
    assert_eq!(ours(&github), 0);
    assert_snapshot!(github.pull_requests(HOME), @"#1 Update the source code inventory (open)");
    let rows = rows(&muster).await;
    assert!(rows.contains("the operator's file does not say by = \"commit\" for this agency"), "{rows}");
    // The policy takes it back.
    let policy = POLICY.replace("  defaults:\n", &format!("  repository: {HOME}\n  defaults:\n"));
    github.user("olivia").push("agency/.github", "main", &[(".github/muster.yml", &policy)], "Ask");
    muster.advance(HOUR).await;
    assert!(!self::rows(&muster).await.contains("operator"), "{}", self::rows(&muster).await);
    muster.finish().await;
}

#[tokio::test]
async fn what_a_rule_forbids_is_proposed_until_it_may_be_committed() {
    let clock = clock();
    let home = home().ruleset(["~DEFAULT_BRANCH"], [BranchRule::PullRequest]);
    let github = kept(&clock, "commit", home).await;
    let muster = Muster::start_as(&github, &clock, trusting(Database::Sqlite)).await;
    muster.begin().await;
    muster.advance(HOUR).await;
    assert_eq!(ours(&github), 0);
    assert_snapshot!(github.pull_requests(HOME), @"#1 Update the source code inventory (open)");
    assert_snapshot!(rows(&muster).await, @r"
warning inventory agency/code-inventory: The inventory is not kept there as the policy asks, since 2026-11-17 15:00Z: a rule or protection of the default branch refuses the commit.
ok inventory agency/code-inventory agency-index.json: Since 2026-11-17 15:00Z pull request #1 waits for its merge.
ok inventory agency/code-inventory code.json: Since 2026-11-17 15:00Z pull request #1 waits for its merge.
");
    // It is not asked for again before something else is to be said.
    github.clear_calls();
    muster.advance(DAY).await;
    assert_eq!(github.calls().iter().filter(|call| call.writes).count(), 0);
    let id = github.repository_id(HOME);
    github.change(|state| state.repository_mut(id).unwrap().rulesets.clear());
    github.user("olivia").rename("agency/river", "stream");
    muster.advance(HOUR).await;
    assert_same(&github, &muster, "stream").await;
    assert_eq!(ours(&github), 1);
    assert_snapshot!(github.pull_requests(HOME), @"#1 Update the source code inventory (closed)");
    assert_snapshot!(github.comments(HOME, 1), @"@muster[bot]: The default branch has these files now, so nothing is left to merge.");
    assert_eq!(github.branches(HOME), ["main"]);
    assert_snapshot!(rows(&muster).await, @r"
ok inventory agency/code-inventory agency-index.json: Since 2026-11-18 17:00Z the default branch says what is published.
ok inventory agency/code-inventory code.json: Since 2026-11-18 17:00Z the default branch says what is published.
");
    assert_snapshot!(audit(&muster).await.join("\n"), @r#"
inventory_begun
inventory_not_committed "GraphQL Commit: Repository rule violations found Changes must be made through a pull request.: refused"
inventory_begun
inventory_proposed 1
inventory_hindered "a rule or protection of the default branch refuses the commit"
inventory_stands "agency-index.json" "waits 1"
inventory_stands "code.json" "waits 1"
inventory_begun
inventory_committed
inventory_stands "agency-index.json" "same"
inventory_stands "code.json" "same"
"#);
    muster.finish().await;
}

#[tokio::test]
async fn a_dry_run_commits_nothing() {
    let clock = clock();
    let github = kept(&clock, "commit", home()).await;
    let muster =
        Muster::start_as(&github, &clock, Setup { dry_run: true, ..trusting(Database::Sqlite) }).await;
    muster.begin().await;
    muster.advance(HOUR).await;
    assert_eq!((ours(&github), github.pull_requests(HOME).len()), (0, 0));
    assert_eq!(github.calls().iter().filter(|call| call.writes).count(), 0);
    muster.finish().await;
}

/// Loses every answer in turn, before and after what was asked is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_commits_nothing_twice() {
    for kind in [FaultKind::ResetAfter, FaultKind::BadGateway] {
        for n in 0.. {
            let clock = clock();
            let github = kept(&clock, "commit", home()).await;
            let muster = Muster::start_as(&github, &clock, trusting(Database::Sqlite)).await;
            github.fault(Fault::on("POST /graphql").kind(kind).after(n));
            muster.begin().await;
            muster.advance(HOUR).await;
            muster.advance(HOUR).await;
            let hit = github.faults().is_empty();
            github.clear_faults();
            assert_eq!((ours(&github), github.pull_requests(HOME).len()), (1, 0), "{kind:?} at {n}");
            let rows = rows(&muster).await;
            assert_eq!(rows.matches("says what is published").count(), 2, "{kind:?} at {n}: {rows}");
            muster.abandon();
            if !hit {
                assert!(n > 5, "it makes more calls than {n}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn the_marker_is_how_the_pull_request_is_known_again() {
    let clock = clock();
    let github = kept(&clock, "pull-request", home()).await;
    let muster = Muster::start_as(&github, &clock, alone()).await;
    muster.begin().await;
    let olivia = github.user("olivia");
    let body = || github.pull_requests(HOME)[0].body.clone();
    let last = body().lines().last().unwrap().to_owned();
    assert!(last.starts_with("<!-- muster:v1 kind=inventory inst=test repo="), "{last}");
    // Somebody takes it away: ours, and not to be read.
    let without = body().replace(&last, "");
    olivia.edit_body(HOME, 1, &without);
    olivia.rename("agency/river", "stream");
    muster.advance(HOUR).await;
    assert_snapshot!(github.pull_requests(HOME), @"#1 Update the source code inventory (open)");
    assert_eq!(body().replace("\r\n", "\n"), without);
    assert!(!github.file(HOME, "muster/inventory", "code.json").unwrap().contains("/agency/stream\""));
    assert_snapshot!(rows(&muster).await, @r"
warning inventory agency/code-inventory: The inventory is not kept there as the policy asks, since 2026-11-17 16:00Z: number 1 is ours, but its marker cannot be read.
ok inventory agency/code-inventory agency-index.json: Since 2026-11-17 15:00Z pull request #1 waits for its merge.
ok inventory agency/code-inventory code.json: Since 2026-11-17 15:00Z pull request #1 waits for its merge.
");
    // They close it, and the next one is another.
    olivia.close_pull_request(HOME, 1);
    muster.advance(HOUR).await;
    assert_snapshot!(github.pull_requests(HOME), @r"
#1 Update the source code inventory (closed)
#2 Update the source code inventory (open)
");
    assert!(github.file(HOME, "muster/inventory", "code.json").unwrap().contains("/agency/stream\""));
    assert_snapshot!(rows(&muster).await, @r"
ok inventory agency/code-inventory agency-index.json: Since 2026-11-17 17:00Z pull request #2 waits for its merge.
ok inventory agency/code-inventory code.json: Since 2026-11-17 17:00Z pull request #2 waits for its merge.
");
    muster.finish().await;
}

/// A creation that was cut off at any of its three steps is gone on with.
#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_that_was_cut_off_is_made_once() {
    for cut in 1..=2 {
        let clock = clock();
        let github = kept(&clock, "pull-request", home()).await;
        let muster = Muster::start_as(&github, &clock, alone()).await;
        github.fault(Fault::on("POST /graphql Propose").kind(FaultKind::Cut(cut)));
        muster.begin().await;
        muster.advance(HOUR).await;
        muster.advance(HOUR).await;
        assert_eq!(
            github.pull_requests(HOME).to_string(),
            "#1 Update the source code inventory (open)",
            "cut at {cut}"
        );
        assert_eq!(github.branches(HOME), ["main", "muster/inventory"]);
        assert!(github.file(HOME, "muster/inventory", "code.json").is_some());
        muster.finish().await;
    }
}

#[rstest::rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test]
async fn how_it_stands_in_its_repository_is_known(#[case] database: Database) {
    let clock = clock();
    let github = kept(&clock, "pull-request", home()).await;
    let muster = Muster::start_as(&github, &clock, Setup { database, ..alone() }).await;
    muster.begin().await;
    let olivia = github.user("olivia");
    let stands = async || {
        muster.advance(HOUR).await;
        let kept = muster.ctx.store.kept("xa").await.unwrap();
        let words: Vec<String> = kept.iter().map(|one| one.stands.unwrap().0.to_string()).collect();
        assert_eq!(words.len(), 2);
        words.join(", ")
    };
    assert_eq!(stands().await, "waits 1, waits 1");
    olivia.merge(HOME, 1);
    assert_eq!(stands().await, "same, same");
    // Dates move, and are no difference. A quiet look costs one call.
    olivia.push("agency/river", "main", &[("src/main.rs", "fn main() {}\n")], "Count faster");
    muster.settle().await;
    github.clear_calls();
    assert_eq!(stands().await, "same, same");
    let calls = github.calls();
    let looks = calls.iter().filter(|call| call.operation.as_deref() == Some("Visibilities")).count();
    assert_eq!(looks, 1, "{calls:#?}");
    // Another word waits, is declined, and the earlier file stands.
    olivia.rename("agency/river", "stream");
    assert!(stands().await.contains("waits 2"));
    olivia.close_pull_request(HOME, 2);
    assert!(stands().await.contains("behind"));
    // Somebody knows better, and Muster leaves it.
    olivia.push(HOME, "main", &[("code.json", "{}\n")], "Mine");
    assert!(stands().await.ends_with("edited"));
    muster.advance(DAY).await;
    assert_eq!(github.file(HOME, "main", "code.json").unwrap(), "{}\n");
    // With the next change it is proposed on top.
    olivia.rename("agency/stream", "creek");
    assert!(stands().await.ends_with("waits 3"));
    olivia.merge(HOME, 3);
    assert_eq!(stands().await, "same, same");
    olivia.delete_files(HOME, "main", &["agency-index.json"], "Tidy");
    assert_eq!(stands().await, "absent, same");
    assert_snapshot!(audit(&muster).await.join("\n"), @r#"
inventory_begun
inventory_proposed 1
inventory_stands "agency-index.json" "waits 1"
inventory_stands "code.json" "waits 1"
inventory_stands "agency-index.json" "same"
inventory_stands "code.json" "same"
inventory_begun
inventory_proposed 2
inventory_stands "code.json" "waits 2"
inventory_stands "code.json" "behind"
inventory_stands "code.json" "edited"
inventory_begun
inventory_proposed 3
inventory_stands "code.json" "waits 3"
inventory_stands "code.json" "same"
inventory_stands "agency-index.json" "absent"
"#);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_says_how_it_stands_and_what_is_in_the_way() {
    let clock = clock();
    let github = kept(&clock, "commit", home()).await;
    let muster = Muster::start_as(&github, &clock, alone()).await;
    muster.begin().await;
    let token = github.user_token("olivia");
    let settings = [
        ("MUSTER_GITHUB_API_URL", github.api_url()),
        ("MUSTER_GITHUB_GRAPHQL_URL", github.graphql_url()),
        ("GITHUB_TOKEN", &token),
    ];
    let folder = tempfile::tempdir().unwrap();
    let account = |more: &[&str]| {
        let arguments = [&["inventory", "agency", "--account"], more].concat();
        let (code, text, said) = program(folder.path(), &muster.url, &settings, &arguments);
        assert_eq!(code, 0, "{said}");
        text
    };
    let text = account(&[]);
    let about = text.lines().filter(|line| line.starts_with("code.json: "));
    assert_snapshot!(about.collect::<Vec<_>>().join("\n"), @r#"
code.json: in agency/code-inventory since 2026-11-17 15:00Z pull request #1 waits for its merge.
code.json: not kept as the policy asks: the operator's file does not say by = "commit" for this agency.
code.json: 2 entries. 2 listed + 1 incomplete + 0 exempt + 0 excluded by rule + 1 out of scope + 0 unknown = 4.
"#);
    let json: Value = serde_json::from_str(&account(&["--format", "json"])).unwrap();
    assert_snapshot!(json["kept"], @r#"{"repository":"agency/code-inventory","stands":"waits","pull_request":1,"since":"2026-11-17T15:00:00Z","seen_at":"2026-11-17T15:00:00Z","hindrance":"the operator's file does not say by = \"commit\" for this agency"}"#);
    muster.finish().await;
}
