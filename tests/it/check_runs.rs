//! Check runs on pull requests: what a pull request changes of ours is told at
//! its lines, once for each head, and completed whatever happens.

use std::time::Duration;

use github_sandbox::{CheckRunView, Fault, FaultKind, Role, Sandbox, git::Mode, state::FilePush};
use insta::assert_snapshot;

use crate::harness::{Muster, README, agency, clock, complete, installed, old};

const CHECK: &str = "mode: check\nrepositories: {exclude: [\".github\"]}\n";
const STRICT: &str = "mode: check\nrepositories: {exclude: [\".github\"]}\ncheck: {conclusion: failure}\n";
const SITE: &str = "agency/site";
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const CREATE: &str = "POST /repos/{owner}/{repo}/check-runs";
const UPDATE: &str = "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}";

/// A record in which one thing is wrong.
const RECORD: &str = r#"{
  "name": "site",
  "status": "Finished"
}
"#;

async fn begun(policy: &str) -> (Sandbox, Muster) {
    let clock = clock();
    let github = installed(&clock, agency(policy).repository(complete("site"))).await;
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    muster.calls();
    (github, muster)
}

/// Somebody with the right to write proposes these files from a branch.
fn propose(github: &Sandbox, repository: &str, files: &[(&str, &str)]) -> u64 {
    let alice = github.user("alice");
    alice.create_branch(repository, "topic");
    alice.push(repository, "topic", files, "Change it");
    alice.open_pull_request(repository, "topic", "Change it", "")
}

fn only(github: &Sandbox, repository: &str) -> CheckRunView {
    let runs = github.check_runs(repository);
    assert_eq!(runs.len(), 1, "{runs}");
    runs[0].clone()
}

/// The name, how it ended, and each remark.
fn told(run: &CheckRunView) -> String {
    format!("{run}\n{}", run.annotations.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_is_told_at_the_lines_what_is_wrong_with_code_json() {
    let (github, muster) = begun(STRICT).await;
    propose(&github, SITE, &[("code.json", RECORD), ("src/main.rs", "fn main() {}")]);
    muster.settle().await;
    assert_snapshot!(muster.calls().join("\n"), @r"
    PullRequestAtHead
    GET /repos/{owner}/{repo}/collaborators/{username}/permission
    GET /repos/{owner}/{repo}/commits/{ref}/check-runs
    POST /repos/{owner}/{repo}/check-runs
    ");
    let run = only(&github, SITE);
    assert_snapshot!(told(&run), @r#"
    open source checklist (failure): 19 errors
    code.json:1 failure this is no code.json: an object. Write an object with name, description, permissions and so on: see the schema gov-2.0.0.
    code.json:1 failure a required key is missing: no "description". Add "description". What does it do, and for whom?
    code.json:1 failure a required key is missing: no "permissions". Add "permissions". Is the code open source, shared within government, or exempt, and why?
    code.json:1 failure a required key is missing: no "organization". Add "organization". Which office owns it?
    code.json:1 failure the address of the repository is missing: no "repositoryURL". Where is the repository, or the page that says how a Federal employee gets access?
    code.json:1 failure a required key is missing: no "repositoryVisibility". Add "repositoryVisibility". Is the repository public or private?
    code.json:1 failure a required key is missing: no "vcs". Add "vcs". Which version control system holds it? Usually git.
    code.json:1 failure there are no labor hours: no "laborHours". How many hours of work went into it? An estimate will do.
    code.json:1 failure a required key is missing: no "reuseFrequency". Add "reuseFrequency". How often is it used again? Write {} if nobody counts.
    code.json:1 failure a required key is missing: no "languages". Add "languages". Which programming languages is it written in?
    code.json:1 failure a required key is missing: no "maintenance". Add "maintenance". Who maintains it: internal, contract, community or none?
    code.json:1 failure a required key is missing: no "contractNumber". Add "contractNumber". Which contracts paid for it? Write [] if none did.
    code.json:1 failure a required key is missing: no "SBOM". Add "SBOM". Where is its list of components? On GitHub: the repository's address and /network/dependencies.
    code.json:1 failure a required key is missing: no "date". Add "date". When was it created and last changed?
    code.json:1 failure a required key is missing: no "tags". Add "tags". Which words would people search for?
    code.json:1 failure a required key is missing: no "contact". Add "contact". Which address answers questions about it?
    code.json:1 failure a required key is missing: no "feedbackMechanism". Add "feedbackMechanism". Where do people report problems? On GitHub: the repository's address and /issues.
    code.json:1 failure a required key is missing: no "AIUseCaseID". Add "AIUseCaseID". Which AI use case is it part of? Write "0" if none.
    code.json:3 failure only some values are allowed here: "Finished". Which one is right: Ideation, Development, Alpha, Beta, Release Candidate, Production, Archival?
    "#);
    assert_snapshot!(run.summary, @r"
    You change files that Muster reads for your agency. This is what it found.

    | file | errors | warnings | hints |
    |---|---|---|---|
    | `code.json` | 19 | 0 | 0 |

    You find each of them at its line, under **Files changed**.
    ");
    assert_eq!(run.external_id, "muster:v1 inst=test attempt=0");
    // Corrected on the same branch: another head, another check run.
    github.user("alice").delete_files(SITE, "topic", &["code.json"], "Take it back");
    muster.settle().await;
    assert_eq!(github.check_runs(SITE).len(), 1, "nothing of ours is changed any more");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_beside_our_files_costs_one_read() {
    let (github, muster) = begun(CHECK).await;
    propose(&github, SITE, &[("src/main.rs", "fn main() {}")]);
    muster.settle().await;
    assert_eq!(muster.calls(), ["PullRequestAtHead"]);
    assert!(github.check_runs(SITE).is_empty());
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_with_two_errors_is_told_both_also_while_muster_only_observes() {
    let clock = clock();
    let github = installed(&clock, agency("mode: observe\n").repository(complete("site"))).await;
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    let wrong = "mode: fixx\nrules:\n  licence: off\n";
    propose(&github, "agency/.github", &[(".github/muster.yml", wrong)]);
    // Everywhere else, nothing is written in this mode.
    propose(&github, SITE, &[("code.json", RECORD), (".github/muster.yml", wrong)]);
    muster.settle().await;
    let run = only(&github, "agency/.github");
    assert_snapshot!(told(&run), @r#"
    open source checklist (neutral): 2 errors
    .github/muster.yml:1 failure mode: is "fixx"; did you mean "fix"? write one of observe, check, issue, fix
    .github/muster.yml:3 failure rules.licence: unknown key; did you mean "license"?
    "#);
    assert_snapshot!(run.summary, @r"
    You change files that Muster reads for your agency. This is what it found.

    | file | errors | warnings | hints |
    |---|---|---|---|
    | `.github/muster.yml` | 2 | 0 | 0 |

    You find each of them at its line, under **Files changed**.
    ");
    assert!(github.check_runs(SITE).is_empty());
    // A good one is told so.
    github.user("alice").push("agency/.github", "topic", &[(".github/muster.yml", CHECK)], "Correct it");
    muster.settle().await;
    assert_snapshot!(github.check_runs("agency/.github"), @r"
    open source checklist (neutral): 2 errors
    open source checklist (success): Nothing to correct
    ");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_fork_and_from_who_cannot_write_only_the_form_is_checked() {
    let clock = clock();
    let organization =
        agency(STRICT).base_role(Some(Role::Read)).repository(complete("site").role("alice", Role::Write));
    let github = installed(&clock, organization).await;
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    let mallory = github.user("mallory");
    for (branch, text) in [("one", RECORD), ("two", "{\"name\": \"site\",}\n")] {
        mallory.open_pull_request_from_fork(SITE, branch, &[("code.json", text)], "Change it", "");
    }
    // Who may write, but comes from a fork; a wish above the policy's mode.
    let wish = [(".github/muster.yml", "mode: fix\nreason: More.\n")];
    github.user("alice").open_pull_request_from_fork(SITE, "three", &wish, "Change it", "");
    muster.settle().await;
    let runs: Vec<String> = github.check_runs(SITE).iter().map(told).collect();
    assert_snapshot!(runs.join("\n"), @r"
    open source checklist (success): Nothing to correct

    open source checklist (failure): 1 error
    code.json:1 failure There is a comma after the last entry, which JSON does not allow. Remove this comma.
    open source checklist (success): Nothing to correct
    ");
    // By the same person, from a branch here.
    propose(&github, SITE, &wish);
    muster.settle().await;
    let runs = github.check_runs(SITE);
    assert_snapshot!(told(&runs[3]), @r"
    open source checklist (failure): 1 error
    .github/muster.yml:1 failure mode: is fix, above the policy's check; a repository may only lower its mode: delete it
    ");
    // The author's right is asked for at each head.
    github.user("olivia").give_role(SITE, "alice", Role::Read);
    let olivia = github.user("olivia");
    olivia.push(SITE, "topic", &[("src/main.rs", "fn main() {}")], "Write code");
    muster.settle().await;
    assert_snapshot!(told(&github.check_runs(SITE)[4]), @"open source checklist (success): Nothing to correct");
    muster.finish().await;
}

/// Threats N2: what patterns match is nothing that a stranger learns.
#[tokio::test(flavor = "multi_thread")]
async fn n2_a_strangers_policy_is_answered_alike_whatever_its_patterns_match() {
    let mut answers = Vec::new();
    for pattern in ["canary-*", "nobody-*"] {
        let clock = clock();
        let canary = old("canary-7f3a").private().file("README.md", README);
        let github = installed(&clock, agency("mode: observe\n").repository(canary)).await;
        let muster = Muster::start(&github, &clock).await;
        muster.begin().await;
        let text = format!("mode: check\nrepositories: {{exclude: [\"{pattern}\"]}}\n");
        let files = [(".github/muster.yml", text.as_str())];
        github.user("mallory").open_pull_request_from_fork("agency/.github", "topic", &files, "Oracle", "");
        muster.settle().await;
        let run = only(&github, "agency/.github");
        answers.push((run.state.clone(), run.title.clone(), run.summary.clone(), run.annotations.clone()));
        muster.finish().await;
    }
    assert_eq!(answers[0], answers[1]);
    assert!(!format!("{answers:?}").contains("7f3a"));
}

/// A record of releases, each with a fault.
fn releases(count: usize) -> String {
    let entries: Vec<String> = (0..count).map(|n| format!("    {{\"name\": {n}}}")).collect();
    format!("{{\n  \"releases\": [\n{}\n  ]\n}}\n", entries.join(",\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_and_twenty_annotations_come_fifty_a_call() {
    let (github, muster) = begun(CHECK).await;
    let text = releases(6);
    propose(&github, SITE, &[("code.json", &text)]);
    muster.settle().await;
    muster.advance(MINUTE).await;
    let run = only(&github, SITE);
    let count = run.annotations.len();
    assert!((101..=150).contains(&count), "{count}");
    let calls = muster.calls();
    let updates = calls.iter().filter(|call| *call == UPDATE).count();
    assert_eq!((calls.iter().filter(|call| *call == CREATE).count(), updates), (1, 2));
    let mut all = run.annotations.clone();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count, "none is told twice");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_makes_no_second_check_run() {
    for (call, kind) in [
        (CREATE, FaultKind::BadGatewayAfter),
        (CREATE, FaultKind::BadGateway),
        (UPDATE, FaultKind::BadGatewayAfter),
        (UPDATE, FaultKind::BadGateway),
    ] {
        let (github, muster) = begun(CHECK).await;
        propose(&github, SITE, &[("code.json", &releases(6))]);
        github.fault(Fault::on(call).kind(kind));
        muster.settle().await;
        assert!(github.faults().is_empty(), "{call} {kind:?}");
        // Whatever stands meanwhile is completed.
        assert!(github.check_runs(SITE).iter().all(|run| run.state == "neutral"), "{call} {kind:?}");
        for _ in 0..3 {
            muster.advance(20 * MINUTE).await;
        }
        let run = only(&github, SITE);
        let mut all = run.annotations.clone();
        all.sort();
        all.dedup();
        assert!(all.len() > 100, "{call} {kind:?}: {}", all.len());
        assert_eq!(all.len(), run.annotations.len(), "{call} {kind:?}: none is told twice");
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_judged_is_completed_in_the_end() {
    let (github, muster) = begun(STRICT).await;
    propose(&github, SITE, &[("code.json", RECORD)]);
    let permission = "GET /repos/{owner}/{repo}/collaborators/{username}/permission";
    github.fault(Fault::on(permission).kind(FaultKind::BadGateway).times(u64::MAX));
    muster.settle().await;
    assert!(github.check_runs(SITE).is_empty(), "it is tried again");
    for _ in 0..6 {
        muster.advance(20 * MINUTE).await;
    }
    let run = only(&github, SITE);
    assert_snapshot!(told(&run), @"open source checklist (neutral): Could not evaluate");
    assert_snapshot!(run.summary, @"Muster could not check your files this time. This says nothing about them, and holds up nothing.");
    github.clear_faults();
    // A person asks once more, when GitHub answers again.
    github.user("alice").rerequest_check_run(SITE, run.id);
    muster.settle().await;
    assert_snapshot!(github.check_runs(SITE), @r"
    open source checklist (neutral): Could not evaluate
    open source checklist (failure): 19 errors
    ");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_asks_again_and_gets_one_more_at_each_request() {
    let (github, muster) = begun(CHECK).await;
    propose(&github, SITE, &[("code.json", RECORD)]);
    muster.settle().await;
    let first = only(&github, SITE);
    github.user("alice").rerequest_check_run(SITE, first.id);
    muster.settle().await;
    let ids = |github: &Sandbox| -> Vec<String> {
        github.check_runs(SITE).iter().map(|run| run.external_id.clone()).collect()
    };
    assert_eq!(ids(&github), ["muster:v1 inst=test attempt=0", "muster:v1 inst=test attempt=1"]);
    // Closed and opened again: the same head is not checked once more.
    github.user("alice").close_pull_request(SITE, 1);
    github.user("alice").reopen(SITE, 1);
    muster.settle().await;
    assert_eq!(ids(&github).len(), 2);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_writing_is_paused_nothing_is_reported_and_then_it_is() {
    let (github, muster) = begun(CHECK).await;
    let scope = muster::store::Scope::All;
    muster.ctx.store.pause(scope, "olivia", "", muster.clock.now()).await.unwrap();
    propose(&github, SITE, &[("code.json", RECORD)]);
    muster.settle().await;
    assert_eq!(muster.calls(), Vec::<String>::new());
    muster.ctx.store.resume(scope, "olivia", muster.clock.now()).await.unwrap();
    // The sweep of the night asks again.
    muster.advance(DAY).await;
    only(&github, SITE);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_repositorys_text_stays_in_it_and_a_link_is_not_followed() {
    let clock = clock();
    let site = complete("site").private();
    let github = installed(&clock, agency(CHECK).repository(site)).await;
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    let alice = github.user("alice");
    alice.create_branch(SITE, "topic");
    let link = vec![("code.json".to_owned(), FilePush::Write(Mode::Symlink, "../../etc/passwd".into()))];
    alice.push_changes(SITE, "topic", link, "Link it");
    alice.open_pull_request(SITE, "topic", "Link it", "");
    muster.settle().await;
    let run = only(&github, SITE);
    assert_eq!(run.to_string(), "open source checklist (neutral): 1 error");
    assert!(run.summary.contains("code.json is a link"), "{}", run.summary);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_record_is_missed_where_the_policy_asks_for_it() {
    let clock = clock();
    let policy = format!("{CHECK}rules: {{code-json: {{file: required}}}}\n");
    let site = complete("site").file("code.json", RECORD);
    let github = installed(&clock, agency(&policy).repository(site)).await;
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    let alice = github.user("alice");
    alice.create_branch(SITE, "topic");
    alice.delete_files(SITE, "topic", &["code.json"], "Tidy up");
    alice.open_pull_request(SITE, "topic", "Tidy up", "");
    muster.settle().await;
    assert_snapshot!(only(&github, SITE).summary, @r"
    You change files that Muster reads for your agency. This is what it found.

    | file | errors | warnings | hints |
    |---|---|---|---|
    | `code.json` | 1 | 0 | 0 |

    - You remove code.json, and your agency's policy asks for it.
    ");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_a_hundred_files_ours_are_found_by_what_they_hold() {
    let (github, muster) = begun(CHECK).await;
    let names: Vec<String> = (0..120).map(|n| format!("a/{n:03}.txt")).collect();
    let mut files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    files.push(("code.json", RECORD));
    propose(&github, SITE, &files);
    muster.settle().await;
    let run = only(&github, SITE);
    assert!(run.summary.contains("only the first 100 changed files"), "{}", run.summary);
    muster.finish().await;
}
