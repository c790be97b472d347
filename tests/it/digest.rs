//! The digest issue of the control repository: when it comes, what it says, to
//! whom, and how people are rid of it.

use std::time::Duration;

use github_sandbox::{NewOrganization, Sandbox, Visibility};
use muster::clock::Clock;
use rstest::rstest;

use crate::{
    harness::{Muster, README, Setup, agency, clock, complete, installed, old},
    inventory,
    server::Database,
};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const CONTROL: &str = "agency/.github-private";
const HOME: &str = "agency/.github";
const POLICY: &str = ".github/muster.yml";
const TITLE: &str = "Open source office digest";

fn organization() -> NewOrganization {
    agency("mode: observe\n").repository(complete("site")).repository(complete("falcon-tracker").private())
}

fn with_control() -> NewOrganization {
    organization().repository(old(".github-private").private().file("README.md", README))
}

async fn start(github: &Sandbox, clock: &Clock, database: Database) -> Muster {
    let muster = Muster::start_as(github, clock, Setup { database, ..Setup::default() }).await;
    muster.begin().await;
    muster
}

/// Lets a day pass, with its night and its hours of work.
async fn a_day(muster: &Muster) {
    for _ in 0..6 {
        muster.advance(HOUR * 4).await;
    }
}

/// The bodies of the open digests of a repository.
fn digests(github: &Sandbox, repository: &str) -> Vec<String> {
    let issues = github.issues(repository);
    let open = issues.iter().filter(|issue| issue.state == "open" && issue.title == TITLE);
    open.map(|issue| issue.body.clone()).collect()
}

/// The only one.
#[track_caller]
fn digest(github: &Sandbox, repository: &str) -> String {
    let all = digests(github, repository);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.into_iter().next().unwrap()
}

fn edit_policy(github: &Sandbox, text: &str) {
    github.user("olivia").push(HOME, "main", &[(POLICY, text)], "Change the policy");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn it_comes_when_something_needs_the_office_and_stays(
    #[values(Database::Sqlite, Database::Postgres)] database: Database,
) {
    let clock = clock();
    let github = installed(&clock, with_control()).await;
    let muster = start(&github, &clock, database).await;
    a_day(&muster).await;
    assert_eq!(github.issues(CONTROL).len(), 0, "nothing needs anybody");

    edit_policy(&github, "mode: fixx\n");
    muster.settle().await;
    a_day(&muster).await;
    let said = digest(&github, CONTROL);
    assert!(
        said.contains("Your policy file has an error") && said.contains("week of `2026-11-16`"),
        "{said}"
    );
    let issue = github.issues(CONTROL)[0].clone();
    assert!(issue.labels.is_empty(), "{issue:?}");
    assert_eq!(github.issues(HOME).len(), 0);

    muster.calls();
    a_day(&muster).await;
    let calls = muster.calls();
    assert!(!calls.iter().any(|call| call == "Snapshot"), "what it says is known: {calls:?}");
    // What people write stays. A night without news asks for nothing.
    let note = said.replace("<!-- muster:human -->\n", "<!-- muster:human -->\nAsk Kim first.\n");
    github.user("olivia").edit_body(CONTROL, issue.number, &note);
    muster.settle().await;
    a_day(&muster).await;
    assert_eq!(digest(&github, CONTROL).replace("\r\n", "\n"), note);
    muster.calls();
    a_day(&muster).await;
    let calls = muster.calls();
    assert!(!calls.iter().any(|call| call == "Snapshot"), "{calls:?}");

    edit_policy(&github, "mode: check\n");
    muster.settle().await;
    a_day(&muster).await;
    let said = digest(&github, CONTROL);
    assert!(said.contains("Nothing needs you now.") && said.contains("Ask Kim first."), "{said}");
    // Once a week it says that Muster runs.
    muster.advance(WEEK).await;
    assert!(digest(&github, CONTROL).contains("week of `2026-11-30`"));
    assert_eq!(github.comments(CONTROL, issue.number).len(), 0, "it never speaks up");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_closes_it_is_rid_of_it_until_they_open_it() {
    let clock = clock();
    let github = installed(&clock, with_control()).await;
    let muster = start(&github, &clock, Database::Sqlite).await;
    edit_policy(&github, "mode: fixx\n");
    muster.settle().await;
    a_day(&muster).await;
    let number = github.issues(CONTROL)[0].number;
    github.user("olivia").close_issue(CONTROL, number);
    muster.settle().await;
    muster.advance(WEEK).await;
    edit_policy(&github, "mode: fixxx\n");
    muster.settle().await;
    muster.advance(WEEK).await;
    assert_eq!((digests(&github, CONTROL).len(), github.issues(CONTROL).len()), (0, 1));
    muster.calls();
    a_day(&muster).await;
    let calls = muster.calls();
    assert!(!calls.iter().any(|call| call == "Snapshot"), "{calls:?}");

    github.user("olivia").reopen(CONTROL, number);
    muster.settle().await;
    a_day(&muster).await;
    assert!(digest(&github, CONTROL).contains("week of `2026-11-30`"));
    // One that is deleted is not made again.
    github.user("olivia").delete_issue(CONTROL, number);
    muster.settle().await;
    muster.advance(WEEK).await;
    assert_eq!(github.issues(CONTROL).len(), 0);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_comes_in_the_hours_of_the_policy() {
    let clock = Clock::stepped("2026-11-20T22:00:00Z".parse().unwrap());
    let github = installed(&clock, with_control()).await;
    let muster = start(&github, &clock, Database::Sqlite).await;
    edit_policy(&github, "mode: fixx\n");
    muster.settle().await;
    let sixth = Duration::from_secs(4 * 60 * 60);
    for _ in 0..14 {
        // Through the weekend, to Monday at six.
        muster.advance(sixth).await;
        assert_eq!(github.issues(CONTROL).len(), 0, "{}", clock.now());
    }
    muster.advance(sixth).await;
    digest(&github, CONTROL);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_where_everybody_reads_it_private_code_is_counted_and_never_named() {
    let clock = clock();
    let mut organization = organization();
    for n in 0..5 {
        organization = organization.repository(complete(&format!("vault-{n}")).private());
    }
    let github = installed(&clock, organization).await;
    let muster = start(&github, &clock, Database::Sqlite).await;
    let entry = |name: &str| {
        let (id, olivia) = (github.repository_id(&format!("agency/{name}")), github.user("olivia").id());
        format!(
            "- {{id: {id}, usage: exemptByFOIA, basis: 5 USC 552(b)(7)(E), origin: employee, reason: It would \
             help who breaks in., requested_by: {olivia}}}\n"
        )
    };
    let register = |names: &[&str]| {
        let entries: String = names.iter().map(|name| entry(name)).collect();
        let file = [("muster-exemptions.yml", &*format!("exemptions:\n{entries}"))];
        github.user("olivia").push(HOME, "main", &file, "Ask for exemptions");
    };
    register(&["site", "falcon-tracker", "vault-0"]);
    muster.settle().await;
    a_day(&muster).await;
    let said = digest(&github, HOME);
    let named = format!("- `agency/site ({})`", github.repository_id("agency/site"));
    assert!(said.contains(&named) && said.contains("Fewer than 5"), "{said}");
    register(&["site", "falcon-tracker", "vault-0", "vault-1", "vault-2", "vault-3"]);
    muster.settle().await;
    a_day(&muster).await;
    let said = digest(&github, HOME);
    assert!(said.contains("There are 5 more that not all readers may see."), "{said}");
    for hidden in ["falcon", "vault", &github.repository_id("agency/falcon-tracker").to_string()] {
        assert!(!said.contains(hidden), "{said}");
    }
    muster.finish().await;
}

#[rstest]
#[case::by_an_event(true)]
#[case::without_one(false)]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_public_is_told_to_the_office_alone(#[case] told: bool) {
    for private in [true, false] {
        let clock = clock();
        let control = if private { with_control() } else { organization() };
        let github = installed(&clock, control).await;
        let muster = start(&github, &clock, Database::Sqlite).await;
        if !told {
            muster.unplug();
        }
        github.user("olivia").set_visibility("agency/falcon-tracker", Visibility::Public);
        muster.settle().await;
        muster.plug_in();
        a_day(&muster).await;
        muster.advance(WEEK).await;
        if private {
            let said = digest(&github, CONTROL);
            assert!(said.contains("This code was made public") && said.contains("`agency/falcon-tracker`"));
        }
        for name in [HOME, "agency/falcon-tracker"] {
            assert_eq!(github.issues(name).len(), 0, "never where everybody reads it");
        }
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_reminds_of_the_yearly_report_in_december() {
    let clock = Clock::stepped("2026-11-30T15:00:00Z".parse().unwrap());
    let github = installed(&clock, with_control()).await;
    let muster = start(&github, &clock, Database::Sqlite).await;
    let (alice, olivia) = (github.user("alice").id(), github.user("olivia").id());
    let id = github.repository_id("agency/falcon-tracker");
    let file = format!(
        "exemptions:\n- {{id: {id}, usage: exemptByFOIA, basis: 5 USC 552(b)(7)(E), origin: employee, reason: It \
         would help who breaks in., requested_by: {alice}, denied_by: {olivia}, denied_on: 2026-11-01}}\n"
    );
    github.user("olivia").push(CONTROL, "main", &[("muster-exemptions.yml", &file)], "Keep the register");
    muster.settle().await;
    assert_eq!(digests(&github, CONTROL), Vec::<String>::new());
    a_day(&muster).await;
    let said = digest(&github, CONTROL);
    assert!(
        said.contains("by 31 December. Make it with `muster report exemptions --fiscal-year 2026`."),
        "{said}"
    );
    muster.advance(DAY * 31).await;
    a_day(&muster).await;
    let said = digest(&github, CONTROL);
    assert!(said.contains("Nothing needs you now."), "{said}");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_moves_with_the_control_repository() {
    let clock = clock();
    let github = installed(&clock, with_control().repository(complete("decisions").private())).await;
    let muster = start(&github, &clock, Database::Sqlite).await;
    let ask = format!(
        "exemptions:\n- {{id: {}, usage: exemptByFOIA, basis: 5 USC 552(b)(7)(E), origin: employee, reason: It \
         would help who breaks in., requested_by: {}}}\n",
        github.repository_id("agency/site"),
        github.user("alice").id()
    );
    let file = [("muster-exemptions.yml", ask.as_str())];
    github.user("olivia").push(CONTROL, "main", &file, "Ask");
    muster.settle().await;
    a_day(&muster).await;
    digest(&github, CONTROL);
    github.user("olivia").push("agency/decisions", "main", &file, "Ask");
    edit_policy(&github, "mode: observe\ncontrol: agency/decisions\n");
    muster.settle().await;
    a_day(&muster).await;
    digest(&github, "agency/decisions");
    let old = github.issues(CONTROL)[0].clone();
    assert_eq!((old.state.as_str(), github.comments(CONTROL, old.number).len()), ("closed: not_planned", 1));
    // Back again: closed by Muster, it was nobody's decline.
    edit_policy(&github, "mode: observe\n");
    muster.settle().await;
    // Over the weekend.
    for _ in 0..4 {
        a_day(&muster).await;
    }
    digest(&github, CONTROL);
    assert_eq!(digests(&github, "agency/decisions").len(), 0);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_counts_in_nobodys_pace_and_needs_no_mode() {
    let clock = clock();
    let policy = "mode: issue\nlimits: {issues_per_day: 1}\n";
    let organization = agency(policy)
        .repository(old(".github-private").private().file("README.md", README))
        .repository(old("bare").file("README.md", README));
    let github = installed(&clock, organization).await;
    let muster = start(&github, &clock, Database::Sqlite).await;
    edit_policy(&github, &format!("{policy}nonsense: 1\n"));
    muster.settle().await;
    let checklists = || {
        let of = |name: &&&str| github.issues(name).iter().any(|issue| issue.title != TITLE);
        [HOME, CONTROL, "agency/bare"].iter().filter(of).count()
    };
    a_day(&muster).await;
    digest(&github, CONTROL);
    assert_eq!(checklists(), 1, "one a day");
    a_day(&muster).await;
    assert_eq!(checklists(), 2);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_policy_that_is_broken_is_told() {
    let clock = clock();
    let broken =
        agency("mode: fixx\n").repository(old(".github-private").private().file("README.md", README));
    let github = installed(&clock, broken).await;
    let muster = start(&github, &clock, Database::Sqlite).await;
    a_day(&muster).await;
    assert!(digest(&github, CONTROL).contains("Your policy file has an error"));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_the_inventory_out_of_its_repository_is_told() {
    let clock = clock();
    let policy =
        inventory::POLICY.replace("  defaults:\n", "  repository: agency/code-inventory\n  defaults:\n");
    let organization = agency(&policy)
        .repository(old(".github-private").private().file("README.md", README))
        .repository(complete("code-inventory"))
        .repository(complete("river").description("Counts birds."));
    let github = installed(&clock, organization).await;
    let muster = Muster::start_as(&github, &clock, inventory::alone()).await;
    muster.begin().await;
    a_day(&muster).await;
    let said = digest(&github, CONTROL);
    assert!(said.contains("`agency/code-inventory`: the repository has not opted in"), "{said}");

    let olivia = github.user("olivia");
    olivia.push("agency/code-inventory", "main", &[(POLICY, "inventory: {agency: XA}\n")], "Agree");
    muster.settle().await;
    a_day(&muster).await;
    assert!(digest(&github, CONTROL).contains("Nothing needs you now."));
    olivia.merge("agency/code-inventory", 1);
    muster.settle().await;
    a_day(&muster).await;
    olivia.push("agency/code-inventory", "main", &[("code.json", "{}\n")], "Empty it");
    muster.settle().await;
    a_day(&muster).await;
    let said = digest(&github, CONTROL);
    assert!(said.contains("Somebody has edited the inventory") && said.contains("- `code.json`"), "{said}");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_and_a_pause_write_none() {
    let clock = clock();
    let github = installed(&clock, with_control()).await;
    edit_policy(&github, "mode: fixx\n");
    let muster = Muster::start_dry(&github, &clock).await;
    muster.begin().await;
    a_day(&muster).await;
    assert!(muster.plan(CONTROL).await.plan.to_string().contains("open issue \"Open source office digest\""));
    assert_eq!(github.issues(CONTROL).len(), 0);
    muster.abandon();
}
