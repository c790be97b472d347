//! The pull request about a repository's own `code.json`: created, mended, asked
//! about and answered (etiquette 4.4).

use std::time::Duration;

use github_sandbox::{Fault, FaultKind, NewRepository, Role, Sandbox, Visibility, installation};
use insta::assert_snapshot;
use muster::{clock::Clock, domain::repository::RepositoryId};

use crate::harness::{Muster, README, agency, complete, sandbox};

const SITE: &str = "agency/site";
const MORNING: &str = "2026-11-17T09:00:00Z";
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// All but the AI use case is known, or the agency says it.
const POLICY: &str = "\
mode: fix
repositories: {exclude: [\".github\"]}
agency: {acronym: XA, name: Example Agency, contact: {name: Office, email: oss@example.gov}}
rules: {code-json: {file: required}}
inventory: {defaults: {status: Production, maintenance: internal, contract_number: [], labor_hours: 100}}
";

fn site() -> NewRepository {
    complete("site").description("Counts birds.").role("tina", Role::Write)
}

async fn started(policy: &str, site: NewRepository) -> (Sandbox, Muster) {
    let clock = Clock::stepped(MORNING.parse().unwrap());
    let organization = agency(policy).repository(site);
    let github = sandbox(&clock)
        .organization(organization)
        .installation(installation("agency"))
        .start()
        .await
        .unwrap();
    let muster = Muster::start(&github, &clock).await;
    (github, muster)
}

fn push(github: &Sandbox, files: &[(&str, &str)]) {
    github.user("alice").push(SITE, "main", files, "Write");
}

/// Something that wakes Muster and changes nothing of the rest.
fn nudge(github: &Sandbox) {
    let at = github.head(SITE, "main").unwrap().to_string();
    push(github, &[("README.md", &format!("{README}\nAfter {at}.\n"))]);
}

async fn opened(policy: &str, site: NewRepository) -> (Sandbox, Muster) {
    let (github, muster) = started(policy, site).await;
    nudge(&github);
    muster.settle().await;
    assert_eq!(github.pull_requests(SITE).len(), 1, "{}", muster.plan(SITE).await.plan);
    muster.calls();
    (github, muster)
}

fn proposed(github: &Sandbox) -> String {
    github.file(SITE, "muster/code-json", "code.json").unwrap()
}

fn body(github: &Sandbox) -> String {
    github.pull_requests(SITE)[0].body.clone()
}

/// Answers as a person does in the browser.
fn answer(github: &Sandbox, who: &str, line: &str, with: &str) {
    let body = body(github);
    assert!(body.contains(line), "{line}\n{body}");
    github.user(who).edit_body(SITE, github.pull_requests(SITE)[0].number, &body.replace(line, with));
}

async fn would_not(muster: &Muster) -> String {
    let plan = muster.plan(SITE).await.plan;
    plan.would_not.iter().map(|refused| format!("{}: {}\n", refused.what, refused.why)).collect()
}

/// What the audit says of answers: who, and what.
async fn answers(muster: &Muster, github: &Sandbox) -> Vec<String> {
    let id = RepositoryId(github.repository_id(SITE));
    let entries = muster.ctx.store.audit(Some(id), 1000).await.unwrap();
    let said = entries.iter().rev().filter(|entry| entry.audit.what.starts_with("answer"));
    said.map(|entry| format!("{} {} {}", entry.audit.what, entry.audit.actor.is_some(), entry.audit.detail))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_is_made_of_what_is_known_and_waits_for_its_last_answer() {
    let (github, muster) = opened(POLICY, site()).await;
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add code.json (draft)");
    assert_snapshot!(github.issues(SITE), @"");
    assert_snapshot!("new_file", proposed(&github).replace(github.web_url(), "WEB"));
    // Its marker names the address of this sandbox too.
    let text = body(&github).replace(github.web_url(), "WEB");
    assert_snapshot!("new_body", text.split("<!-- muster:v1").next().unwrap());
    // Nothing happens by itself.
    nudge(&github);
    muster.settle().await;
    assert!(!muster.calls().contains(&"BeforeWrite".to_owned()));
    answer(&github, "alice", "- AI use case: ", "- AI use case: 0");
    muster.settle().await;
    assert_snapshot!(muster.calls().join("\n"), @r"
    Snapshot
    GET /repos/{owner}/{repo}/collaborators/{username}/permission
    BeforeWrite
    Stage
    MoveRefs
    DescribeReady
    ");
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add code.json (open)");
    let pull = &github.pull_requests(SITE)[0];
    assert_eq!((pull.files.as_slice(), pull.commits), (["code.json".to_owned()].as_slice(), 1));
    assert!(proposed(&github).contains("\"AIUseCaseID\": \"0\""), "{}", proposed(&github));
    assert!(!body(&github).contains("muster:ask"), "{}", body(&github));
    assert_eq!(answers(&muster, &github).await.len(), 1);
    github.user("alice").merge(SITE, 1);
    muster.settle().await;
    assert_eq!(github.branches(SITE), ["main"]);
    assert_eq!(muster.plan(SITE).await.plan.to_string(), "");
    muster.finish().await;
}

/// In the words of a person, with a former address.
fn by_hand(github: &Sandbox, name: &str) -> String {
    let web = github.web_url();
    format!(
        "{{\r\n\t\"ours\": {{ \"b\": 1.50, \"a\": [ ] }},\r\n\t\"name\":   \"Birds\",\r\n\t\"description\": \"Our words.\",\r\n\t\
        \"status\": \"Beta\",\r\n\t\"permissions\": {{\"licenses\": [{{\"name\": \"CC0-1.0\", \"URL\": \"https://spdx.org/licenses/CC0-1.0.html\"}}], \"usageType\": [\"openSource\"]}},\r\n\t\
        \"organization\": \"Bureau of Birds\",\r\n\t\"repositoryURL\": \"{web}/agency/{name}\",\r\n\t\"repositoryVisibility\": \"public\",\r\n\t\"vcs\": \"git\",\r\n\t\"laborHours\": 1e2,\r\n\t\
        \"reuseFrequency\": {{}},\r\n\t\"languages\": [],\r\n\t\"maintenance\": \"contract\",\r\n\t\"contractNumber\": [\"47-B\"],\r\n\t\"SBOM\": \"None\",\r\n\t\"date\": {{}},\r\n\t\"tags\": [],\r\n\t\
        \"contact\": {{\"email\": \"team@example.gov\"}},\r\n\t\"feedbackMechanism\": \"{web}/agency/site/issues\",\r\n\t\"AIUseCaseID\": \"0\"\r\n}}\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_rename_the_address_is_corrected_and_no_other_byte() {
    let (github, muster) = started(POLICY, site()).await;
    push(&github, &[("code.json", &by_hand(&github, "site"))]);
    muster.settle().await;
    assert_snapshot!(github.pull_requests(SITE), @"");
    github.user("olivia").rename(SITE, "birds");
    muster.settle().await;
    let birds = "agency/birds";
    assert_snapshot!(github.pull_requests(birds), @"#1 Update code.json (open)");
    let before = by_hand(&github, "site");
    let after = github.file(birds, "muster/code-json", "code.json").unwrap();
    // The address, and the figures that come along.
    for line in before.split_inclusive("\r\n") {
        let moves = ["repositoryURL", "reuseFrequency", "\"date\""].iter().any(|key| line.contains(key));
        assert!(moves || after.contains(line), "{line:?} is gone:\n{after}");
    }
    assert!(
        after.contains(&format!("\t\"repositoryURL\": \"{}/agency/birds\",\r\n", github.web_url())),
        "{after}"
    );
    assert!(after.contains("\"ours\": { \"b\": 1.50, \"a\": [ ] },\r\n") && after.contains("1e2"), "{after}");
    let said = github.pull_requests(birds)[0].body.clone();
    assert!(said.contains("`repositoryURL`") && !said.contains("muster:ask"), "{said}");
    github.user("alice").merge(birds, 1);
    muster.settle().await;
    assert_eq!(muster.plan(birds).await.plan.to_string(), "");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_archived_nothing_is_written_and_afterwards_only_people_know_the_status() {
    let (github, muster) = started(POLICY, site()).await;
    push(&github, &[("code.json", &by_hand(&github, "site"))]);
    muster.settle().await;
    github.user("olivia").set_archived(SITE, true);
    muster.settle().await;
    muster.advance(DAY).await;
    assert_snapshot!(github.pull_requests(SITE), @"");
    github.user("olivia").set_archived(SITE, false);
    muster.settle().await;
    assert_snapshot!(github.pull_requests(SITE), @"");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_declined_stays_closed_and_another_one_waits_for_the_next_quarter() {
    let (github, muster) = opened(POLICY, site()).await;
    github.user("alice").close_pull_request(SITE, 1);
    muster.settle().await;
    for _ in 0..4 {
        muster.advance(30 * DAY).await;
        nudge(&github);
        muster.settle().await;
    }
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add code.json (closed)");
    assert_snapshot!(github.issues(SITE), @"");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_new_one_a_quarter() {
    let (github, muster) = opened(POLICY, site()).await;
    answer(&github, "alice", "- AI use case: ", "- AI use case: 0");
    muster.settle().await;
    github.user("alice").merge(SITE, 1);
    muster.settle().await;
    let merged = github.file(SITE, "main", "code.json").unwrap();
    // A week later the repository is private, and the file says that it is not.
    muster.advance(8 * DAY).await;
    push(&github, &[("code.json", &merged.replace("\"public\"", "\"private\""))]);
    muster.settle().await;
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add code.json (merged)");
    assert_snapshot!(would_not(&muster).await, @r"
    open a pull request about code.json: one about code.json a quarter is enough
    open an issue: the pull request answers the same finding
    ");
    for _ in 0..7 {
        muster.advance(12 * DAY).await;
    }
    assert_snapshot!(github.pull_requests(SITE), @r"
    #1 Add code.json (merged)
    #2 Update code.json (open)
    ");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_a_person_makes_it_theirs_and_answers_no_longer_move_it() {
    let (github, muster) = opened(POLICY, site()).await;
    let mine = proposed(&github).replace("Counts birds.", "Counts all birds.");
    github.user("alice").push(SITE, "muster/code-json", &[("code.json", &mine)], "Say it our way");
    muster.settle().await;
    answer(&github, "alice", "- AI use case: ", "- AI use case: 0");
    muster.settle().await;
    muster.advance(DAY).await;
    assert_eq!(proposed(&github), mine);
    assert!(would_not(&muster).await.contains("has commits of others"));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_only_from_someone_who_can_write() {
    let (github, muster) = opened(POLICY, site()).await;
    let before = proposed(&github);
    // GitHub lets nobody edit this text who cannot write: but who could when
    // the text was edited need not be able to when Muster looks.
    answer(&github, "tina", "- AI use case: ", "- AI use case: 77");
    github.user("olivia").give_role(SITE, "tina", Role::Triage);
    muster.settle().await;
    assert_eq!(proposed(&github), before);
    assert!(body(&github).contains("someone who can write here"), "{}", body(&github));
    assert!(body(&github).contains("77"), "nothing that people wrote is lost");
    // Once more by the same person says nothing new.
    let calls = muster.calls();
    assert!(!calls.contains(&"Stage".to_owned()), "{calls:?}");
    muster.advance(DAY).await;
    assert_eq!(proposed(&github), before);
    // Now by somebody who may.
    answer(&github, "alice", "`77`", "A-1");
    muster.settle().await;
    assert!(proposed(&github).contains("\"AIUseCaseID\": \"A-1\""), "{}", body(&github));
    let said = answers(&muster, &github).await;
    assert_eq!(said.iter().filter(|line| line.starts_with("answered ")).count(), 1, "{said:?}");
    assert_eq!(said.iter().filter(|line| line.starts_with("answer_without")).count(), 1, "{said:?}");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_gets_one_quiet_line() {
    let policy = POLICY.replace("status: Production, ", "");
    let (github, muster) = opened(&policy, site()).await;
    answer(&github, "alice", "- [ ] Beta", "- [x] Beta\n- [x] Omega");
    muster.settle().await;
    let said = body(&github);
    assert!(said.contains("More than one box is ticked") && said.contains("- [x] Beta"), "{said}");
    assert!(!proposed(&github).contains("\"status\""));
    assert_snapshot!(github.comments(SITE, 1), @"");
    answer(&github, "alice", "- [x] Beta", "- [ ] Beta");
    answer(&github, "alice", "- [ ] Alpha", "- [x] Alpha");
    muster.settle().await;
    assert!(proposed(&github).contains("\"status\": \"Alpha\""), "{}", body(&github));
    assert!(!body(&github).contains("/status"), "{}", body(&github));
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add code.json (draft)");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_answers_in_one_breath_and_one_replayed_are_taken_once() {
    let policy = POLICY.replace("status: Production, ", "");
    let (github, muster) = opened(&policy, site()).await;
    answer(&github, "alice", "- [ ] Beta", "- [x] Beta");
    answer(&github, "olivia", "- AI use case: ", "- AI use case: 0");
    muster.settle().await;
    assert!(
        proposed(&github).contains("\"status\": \"Beta\"")
            && proposed(&github).contains("\"AIUseCaseID\": \"0\"")
    );
    assert_eq!(answers(&muster, &github).await.len(), 2);
    assert_eq!(muster.calls().iter().filter(|call| *call == "Stage").count(), 1);
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add code.json (open)");
    muster.advance(30 * MINUTE).await;
    assert_eq!(answers(&muster, &github).await.len(), 2);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_a_private_repository_stands_in_it_and_nowhere_else() {
    let (github, muster) = opened(POLICY, site().private()).await;
    let file = proposed(&github);
    assert!(file.contains("\"repositoryVisibility\": \"private\"") && !file.contains("openSource"), "{file}");
    assert!(!file.contains("exempt"), "{file}");
    assert!(body(&github).contains("Who may use the code?") && !body(&github).contains("exemptBy"));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_of_a_person_about_the_file_comes_first() {
    let (github, muster) = started(POLICY, site()).await;
    let alice = github.user("alice");
    alice.create_branch(SITE, "ours");
    alice.push(SITE, "ours", &[("code.json", "{}\n")], "Begin");
    alice.open_pull_request(SITE, "ours", "Our own file", "");
    nudge(&github);
    muster.settle().await;
    assert_snapshot!(github.pull_requests(SITE), @"#1 Our own file (open)");
    assert!(!github.branches(SITE).contains(&"muster/code-json".to_owned()));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_is_for_people_to_mend() {
    let (github, muster) = started(POLICY, site()).await;
    push(&github, &[("code.json", "{\"name\": \n")]);
    muster.settle().await;
    assert_snapshot!(github.pull_requests(SITE), @"");
    assert_snapshot!(github.issues(SITE), @"#1 Repository open source checklist (open)");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_file_is_not_required_nothing_is_proposed() {
    for choice in ["{file: optional}", "{file: off}"] {
        let policy = POLICY.replace("{file: required}", choice);
        let (github, muster) = started(&policy, site()).await;
        push(&github, &[("code.json", "{\"name\": \"Birds\"}\n")]);
        muster.settle().await;
        assert!(github.pull_requests(SITE).is_empty() && github.issues(SITE).is_empty(), "{choice}");
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_private_is_corrected_in_the_file_too() {
    let (github, muster) = started(POLICY, site()).await;
    push(&github, &[("code.json", &by_hand(&github, "site"))]);
    muster.settle().await;
    github.user("olivia").set_visibility(SITE, Visibility::Private);
    muster.settle().await;
    assert_snapshot!(github.pull_requests(SITE), @"#1 Update code.json (open)");
    assert!(proposed(&github).contains("\"repositoryVisibility\": \"private\""));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_while_the_text_is_written_anew_is_not_lost_and_one_taken_back_is_none() {
    let policy = POLICY.replace("status: Production, ", "");
    let (github, muster) = opened(&policy, site()).await;
    answer(&github, "alice", "- [ ] Beta", "- [x] Beta");
    answer(&github, "alice", "- [x] Beta", "- [ ] Beta");
    muster.settle().await;
    assert!(!proposed(&github).contains("\"status\""), "it was taken back");
    answer(&github, "alice", "- [ ] Beta", "- [x] Beta");
    github.fault(Fault::on("POST /graphql Describe").kind(FaultKind::Held));
    github.deliver().await;
    let acting = async {
        github.holds().await;
        answer(&github, "olivia", "- AI use case: ", "- AI use case: 0");
        github.release();
    };
    let (drained, ()) = tokio::join!(muster.worker.drain(), acting);
    drained.unwrap();
    assert!(!body(&github).contains("AI use case: 0"), "the text was written over it");
    muster.settle().await;
    let file = proposed(&github);
    assert!(file.contains("\"status\": \"Beta\"") && file.contains("\"AIUseCaseID\": \"0\""), "{file}");
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add code.json (open)");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_are_asked_at_a_time_and_whoever_answers_all_day_is_not_kept_waiting() {
    // Of the agency nothing is known but its wish.
    let policy = "mode: fix\nrepositories: {exclude: [\".github\"]}\nrules: {code-json: {file: required}}\n";
    let (github, muster) = opened(policy, site()).await;
    assert_eq!(body(&github).matches("<!-- muster:ask ").count(), 5);
    assert!(
        body(&github).contains("Muster will ask for these next: `laborHours`, `AIUseCaseID`."),
        "{}",
        body(&github)
    );
    for (line, with) in [
        ("- [ ] Production", "- [x] Production"),
        ("- Contact e-mail: ", "- Contact e-mail: team@example.gov"),
        ("- Organization: ", "- Organization: Bureau of Birds"),
        ("- [ ] A contractor", "- [x] A contractor"),
        ("- Contract numbers: ", "- Contract numbers: 47-B"),
        ("- AI use case: ", "- AI use case: 0"),
        ("- Hours: ", "- Hours: 1,200"),
    ] {
        answer(&github, "alice", line, with);
        muster.settle().await;
        // The pace of writing holds for answers too.
        muster.advance(MINUTE).await;
    }
    assert_snapshot!(github.pull_requests(SITE), @"#1 Add code.json (open)");
    let file = proposed(&github);
    for said in [
        "\"status\": \"Production\"",
        "\"email\": \"team@example.gov\"",
        "\"organization\": \"Bureau of Birds\"",
        "\"maintenance\": \"contract\"",
        "\"47-B\"",
        "\"AIUseCaseID\": \"0\"",
        "\"laborHours\": 1200",
    ] {
        assert!(file.contains(said), "{said}\n{file}");
    }
    assert_eq!(answers(&muster, &github).await.len(), 7);
    muster.finish().await;
}
