//! The register of exemptions, from the pull request that brings an entry to
//! the report of the fiscal year.
//!
//! `t6_` and `t8_` are the proofs that threats.md asks for under these rows.

use std::{process::Command, time::Duration};

use github_sandbox::{NewOrganization, NewRepository, Role, Sandbox, org};
use jiff::{civil::date, tz::TimeZone};
use muster::{
    domain::{
        exemptions::{
            Entry, Standing,
            report::{Report, Source},
        },
        inventory::{Agency, Hosts},
        repository::{AccountId, RepositoryId},
    },
    store::Exemptions,
};
use rstest::rstest;

use crate::{
    harness::{Muster, Setup, agency, clock, complete, installed, old, sandbox},
    server::Database,
};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const CONTROL: &str = "agency/.github-private";
const FILE: &str = "muster-exemptions.yml";
const OBSERVE: &str = "mode: observe\n";

/// A control repository of which nobody owns a file.
fn control() -> NewRepository {
    old(".github-private").private().file("README.md", "# Decisions\n").role("martin", Role::Maintain)
}

/// One that Carol owns.
fn owned() -> NewRepository {
    control().file(".github/CODEOWNERS", "* @carol\n")
}

/// The agency with `badge-reader`; Carol and Dave can write.
fn with(control: NewRepository) -> NewOrganization {
    agency(OBSERVE)
        .member("carol")
        .member("dave")
        .repository(control)
        .repository(complete("badge-reader").private())
}

struct Office {
    github: Sandbox,
    muster: Muster,
}

impl Office {
    async fn of(organization: NewOrganization, database: Database) -> Office {
        let clock = clock();
        let github = installed(&clock, organization).await;
        let setup = Setup { database, ..Setup::default() };
        let muster = Muster::start_as(&github, &clock, setup).await;
        muster.begin().await;
        github.clear_calls();
        Office { github, muster }
    }

    /// Where the register stands is up to `control`.
    async fn new(control: NewRepository) -> Office {
        Office::of(with(control), Database::Sqlite).await
    }

    fn id(&self, login: &str) -> u64 {
        self.github.user(login).id()
    }

    /// An entry that Alice asks for and the CIO grants.
    fn entry(&self, repository: &str, rest: &str) -> String {
        let (id, alice, cio) = (self.github.repository_id(repository), self.id("alice"), self.id("olivia"));
        format!(
            "- {{id: {id}, usage: exemptByFOIA, basis: 5 USC 552(b)(7)(E), origin: employee, reason: It would help \
             who breaks in., requested_by: {alice}, approved_by: {cio}, role: cio, applied_from: 2026-11-01{rest}}}\n"
        )
    }

    /// Dave opens a pull request that makes the register say this.
    fn propose(&self, branch: &str, entries: &str) -> u64 {
        let dave = self.github.user("dave");
        dave.create_branch(CONTROL, branch);
        dave.push(CONTROL, branch, &[(FILE, &format!("exemptions:\n{entries}"))], "Ask for an exemption");
        dave.open_pull_request(CONTROL, branch, "An exemption", "")
    }

    /// As [`Office::propose`], approved by Carol, merged by Martin and read.
    async fn grant(&self, branch: &str, entries: &str) {
        let number = self.propose(branch, entries);
        self.github.user("carol").approve(CONTROL, number);
        self.github.user("martin").merge(CONTROL, number);
        self.muster.settle().await;
    }

    fn account(&self) -> AccountId {
        AccountId(self.github.state(|state| state.account_named("agency").unwrap().id))
    }

    async fn known(&self) -> Exemptions {
        self.muster.ctx.store.exemptions(self.account(), &[self.account()]).await.unwrap()
    }

    /// Where each entry stands today, with the reason if it does not count.
    async fn standing(&self) -> Vec<(Standing, String)> {
        let today = self.muster.clock.now().to_zoned(TimeZone::UTC).date();
        let told = |entry: &Entry| (entry.standing(today), entry.doubt().unwrap_or_default().to_owned());
        self.known().await.entries.iter().map(told).collect()
    }

    /// Where the only entry stands.
    async fn only(&self) -> (Standing, String) {
        let mut all = self.standing().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// Which repositories are exempt today.
    async fn exempt(&self) -> Vec<RepositoryId> {
        let today = self.muster.clock.now().to_zoned(TimeZone::UTC).date();
        self.known().await.in_force(today).map(|exemption| exemption.id).collect()
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_exemption_holds_once_its_approval_is_read(
    #[values(Database::Sqlite, Database::Postgres)] database: Database,
) {
    let office = Office::of(with(owned()), database).await;
    let number = office.propose("ask", &office.entry("agency/badge-reader", ""));
    office.github.user("carol").approve(CONTROL, number);
    office.muster.settle().await;
    assert_eq!(office.known().await, Exemptions::default(), "nothing is merged");
    office.muster.calls();
    office.github.user("martin").squash(CONTROL, number);
    office.muster.settle().await;
    assert_eq!(office.only().await, (Standing::Granted, String::new()));
    let calls = office.muster.calls();
    let about = |word: &str| calls.iter().filter(|call| call.contains(word)).count();
    // Carol's right and Martin's, live.
    assert_eq!((about("Control"), about("permission")), (1, 2), "{calls:?}");
    let known = office.known().await;
    let past = known.history.all().next().unwrap();
    assert_eq!((past.proof.pull_request, past.proof.by.0), (number, office.id("carol")));
    assert_eq!(known.register.as_ref().unwrap().repository.0, office.github.repository_id(CONTROL));
    // The night asks for the register, and for nobody's rights.
    office.muster.advance(DAY).await;
    let calls = office.muster.calls();
    let about = |word: &str| calls.iter().filter(|call| call.contains(word)).count();
    assert_eq!((about("Control"), about("permission")), (1, 0), "{calls:?}");
    // Carol leaves: what was verified stays so while the entry stays.
    office.github.user("olivia").remove_member("agency", "carol");
    office.github.user("martin").push(CONTROL, "main", &[("README.md", "# More\n")], "Say more");
    office.muster.settle().await;
    assert_eq!(office.only().await.0, Standing::Granted);
    let verified = office.muster.ctx.store.verify_ledger(None).await.unwrap();
    assert!(verified.broken.is_none(), "{verified:?}");
    office.muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t8_without_a_real_approval_an_exemption_is_not_applied() {
    let office = Office::new(owned()).await;
    let entry = |rest: &str| office.entry("agency/badge-reader", rest);
    let no_owner = "no code owner who can still write";
    // Merged by who may, but nobody approved.
    let number = office.propose("self-merge", &entry(""));
    office.github.user("dave").merge(CONTROL, number);
    office.muster.settle().await;
    let (standing, why) = office.only().await;
    assert_eq!(standing, Standing::Unverified);
    assert!(why.starts_with(no_owner), "{why}");
    // Approved, then changed: the approval is of another commit.
    let number = office.propose("stale", &entry(", applied_to: 2027-01-01"));
    office.github.user("carol").approve(CONTROL, number);
    let changed = format!("exemptions:\n{}", entry(", applied_to: 2099-01-01"));
    office.github.user("dave").push(CONTROL, "stale", &[(FILE, &changed)], "Stretch it");
    office.github.user("dave").merge(CONTROL, number);
    office.muster.settle().await;
    assert!(office.only().await.1.starts_with(no_owner));
    // Approved by who asks for it.
    let number = office.propose("own", &entry(", applied_to: 2027-02-01"));
    office.github.user("alice").approve(CONTROL, number);
    office.github.user("martin").merge(CONTROL, number);
    office.muster.settle().await;
    assert!(office.only().await.1.starts_with(no_owner));
    // Approved, and taken back.
    let number = office.propose("dismissed", &entry(", applied_to: 2027-03-01"));
    let review = office.github.user("carol").approve(CONTROL, number);
    office.github.user("martin").dismiss_review(CONTROL, number, review);
    office.github.user("martin").merge(CONTROL, number);
    office.muster.settle().await;
    assert!(office.only().await.1.starts_with(no_owner));
    // Pushed past the review, and then carried along by a reviewed pull request
    // that is about something else.
    let pushed = format!("exemptions:\n{}", entry(", applied_to: 2027-04-01"));
    office.github.user("dave").push(CONTROL, "main", &[(FILE, &pushed)], "Quick fix");
    office.muster.settle().await;
    assert!(office.only().await.1.contains("without a merged pull request"));
    let carried = entry(", applied_to: 2027-04-01")
        + "- {id: 1, usage: exemptByCIO, reason: Please., requested_by: 2}\n";
    office.grant("carried", &carried).await;
    let all = office.standing().await;
    assert_eq!(all.iter().map(|(s, _)| *s).collect::<Vec<_>>(), [Standing::Unverified, Standing::Requested]);
    assert!(all[0].1.contains("without a merged pull request"), "{all:?}");
    assert_eq!(office.exempt().await, []);
    // Reviewed at last.
    office.grant("reviewed", &entry(", applied_to: 2027-05-01")).await;
    assert_eq!(office.only().await.0, Standing::Granted);
    office.muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t8_a_departed_owner_approves_nothing() {
    let office = Office::new(owned()).await;
    let number = office.propose("ask", &office.entry("agency/badge-reader", ""));
    office.github.user("carol").approve(CONTROL, number);
    office.github.user("martin").merge(CONTROL, number);
    office.github.user("olivia").remove_member("agency", "carol");
    office.muster.settle().await;
    let (standing, why) = office.only().await;
    assert_eq!(standing, Standing::Unverified, "{why}");
    office.muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t8_who_decides_who_approves_does_not_do_both_at_once() {
    let office = Office::new(owned()).await;
    let dave = office.github.user("dave");
    dave.create_branch(CONTROL, "both");
    let entries = format!("exemptions:\n{}", office.entry("agency/badge-reader", ""));
    let files = [(FILE, entries.as_str()), (".github/CODEOWNERS", "* @alice\n")];
    dave.push(CONTROL, "both", &files, "Tidy up");
    let number = dave.open_pull_request(CONTROL, "both", "Tidy up", "");
    office.github.user("carol").approve(CONTROL, number);
    office.github.user("martin").merge(CONTROL, number);
    office.muster.settle().await;
    assert!(office.only().await.1.contains("changes CODEOWNERS too"));
    office.muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t8_where_nobody_owns_the_file_the_merger_answers_for_it() {
    let office = Office::new(control()).await;
    let number = office.propose("one", &office.entry("agency/badge-reader", ""));
    office.github.user("dave").merge(CONTROL, number);
    office.muster.settle().await;
    let (standing, why) = office.only().await;
    assert_eq!(standing, Standing::Unverified);
    assert!(why.contains("without the role maintain"), "{why}");
    let number = office.propose("two", &office.entry("agency/badge-reader", ", applied_to: 2027-01-01"));
    office.github.user("martin").merge(CONTROL, number);
    office.muster.settle().await;
    assert_eq!(office.only().await.0, Standing::Granted);
    office.muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_an_exemption_stays_with_its_repository_and_not_with_its_name() {
    let office = Office::new(owned()).await;
    let other = office.github.user("olivia").create_repository("agency", complete("door-lock").private());
    office.muster.advance(DAY).await;
    let id = RepositoryId(office.github.repository_id("agency/badge-reader"));
    let entries =
        office.entry("agency/badge-reader", "") + &office.entry("agency/door-lock", ", name: door-lock");
    office.grant("ask", &entries).await;
    assert_eq!(office.exempt().await, [id, RepositoryId(other)]);
    // Both are renamed, and others take their names.
    let olivia = office.github.user("olivia");
    for (name, new) in [("badge-reader", "reader"), ("door-lock", "lock")] {
        olivia.rename(&format!("agency/{name}"), new);
        olivia.create_repository("agency", complete(name).private());
    }
    office.muster.settle().await;
    office.muster.advance(DAY).await;
    // By its id the one is exempt still; its successor is not. The other's
    // entry names a repository that it is not about.
    assert_eq!(office.exempt().await, [id]);
    let all = office.standing().await;
    assert_eq!(all[1].0, Standing::Void);
    assert!(all[1].1.contains("the name beside the id"), "{all:?}");
    let ended = office.known().await.history.all().filter(|past| past.left().is_some()).count();
    assert_eq!(ended, 1, "the night has noted the end");
    // Given to somebody else, it is out.
    olivia.transfer("agency/reader", "olivia");
    office.muster.settle().await;
    office.muster.advance(DAY).await;
    assert_eq!(office.exempt().await, []);
    assert!(office.standing().await[0].1.contains("has left the organization"));
    office.muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_still_counts_for_its_fiscal_year() {
    let office = Office::new(owned()).await;
    office.grant("ask", &office.entry("agency/badge-reader", "")).await;
    office.muster.advance(10 * DAY).await;
    office.grant("drop", "").await;
    assert_eq!(office.standing().await, []);
    assert_eq!(office.exempt().await, []);
    office.muster.advance(300 * DAY).await;
    let known = office.known().await;
    let source = Source {
        organization: "agency".to_owned(),
        annex: 0,
        entries: known.entries,
        past: known.history.all().cloned().collect(),
    };
    let of = |year: &str| {
        let report = Report::of(year.parse().unwrap(), date(2028, 1, 1), std::slice::from_ref(&source));
        report.applied.iter().map(|one| (one.within, one.left)).collect::<Vec<_>>()
    };
    let left = date(2026, 11, 27);
    assert_eq!(of("2027"), [((date(2026, 11, 1), left), Some(left))]);
    assert_eq!((of("2026"), of("2028")), (vec![], vec![]));
    office.muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_register_that_names_a_hidden_repository_is_refused_and_the_last_good_one_stays() {
    let public = owned().visibility(github_sandbox::Visibility::Public);
    let office = Office::new(public).await;
    let good = office.entry("agency/badge-reader", "");
    office.grant("good", &good).await;
    assert_eq!(office.only().await.0, Standing::Granted);
    office.grant("bad", &(good + "# the Badge-Reader at the door\n")).await;
    assert_eq!(office.only().await.0, Standing::Granted, "the last good one counts");
    let refused = office.known().await.refused.unwrap();
    insta::assert_snapshot!(refused.why, @"3:1 file: names a repository that fewer people may see than this file; write its id alone");
    assert!(!refused.why.to_lowercase().contains("badge"));
    office.grant("worse", "- {id: 7}\n").await;
    insta::assert_snapshot!(office.known().await.refused.unwrap().why, @"
    2:3 exemptions[0]: has no usage; write `usage:` under it
    2:3 exemptions[0]: has no reason; write `reason:` under it
    2:3 exemptions[0]: has no requested_by; write `requested_by:` under it
    ");
    office.grant("mended", &office.entry("agency/badge-reader", "")).await;
    assert_eq!(office.known().await.refused, None);
    office.muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_says_where_the_register_is_and_only_a_repository_of_ours_will_do() {
    let office = Office::new(control()).await;
    let olivia = office.github.user("olivia");
    let policy = |control: &str| format!("{OBSERVE}control: {control}\n");
    let follow = async |control: &str| {
        olivia.push("agency/.github", "main", &[(".github/muster.yml", &policy(control))], "Decide");
        office.muster.settle().await;
        office.muster.advance(DAY).await;
        office.known().await
    };
    let why = |known: Exemptions| known.refused.unwrap().why;
    assert!(why(follow("elsewhere/control").await).contains("whose owner Muster does not serve"));
    assert!(why(follow("agency/nothing").await).contains("which Muster cannot see"));
    olivia.create_repository("agency", owned().named("decisions"));
    let entry = format!("exemptions:\n{}", office.entry("agency/badge-reader", ""));
    olivia.push("agency/decisions", "main", &[(FILE, &entry)], "Begin");
    let known = follow("agency/decisions").await;
    assert_eq!((known.entries.len(), known.refused), (1, None));
    // A control repository that cannot be seen any more has not lost its register.
    let gone = follow("agency/nothing").await;
    assert_eq!(gone.entries.len(), 1);
    assert!(gone.refused.is_some());
    office.muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_register_that_is_older_than_muster_is_followed_back_to_each_approval() {
    let clock = clock();
    let names: Vec<String> = (0..14).map(|n| format!("tool-{n:02}")).collect();
    let mut organization = with(owned());
    for name in &names {
        organization = organization.repository(complete(name).private());
    }
    let github = installed(&clock, organization).await;
    let muster = Muster::start(&github, &clock).await;
    let office = Office { github, muster };
    let mut entries = String::new();
    for name in &names {
        entries += &office.entry(&format!("agency/{name}"), "");
        let number = office.propose(name, &entries);
        office.github.user("carol").approve(CONTROL, number);
        office.github.user("martin").merge(CONTROL, number);
        office.muster.clock.advance(HOUR);
    }
    office.github.change_pending(Vec::clear);
    office.muster.begin().await;
    assert_eq!(office.exempt().await.len(), names.len(), "{:?}", office.standing().await);
    // A commit and its merge each, ten a page.
    assert_eq!(office.muster.calls().iter().filter(|call| *call == "Control").count(), 3);
    office.muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t5_the_lead_of_an_agency_speaks_for_its_organizations_and_for_no_other() {
    const AGENCY: &str = "mode: observe\nagency: {acronym: XA, name: Example Agency, contact: {name: Office, \
         email: o@agency.example.gov}}\n";
    let clock = clock();
    let lead = agency(AGENCY).member("carol").member("dave").repository(owned());
    let of = |login: &str, name: &str| {
        let register = "exemptions:\n- {id: 7, usage: exemptByCIO, reason: No., requested_by: 1}\n";
        let control = old(".github-private").private().file(FILE, register);
        org(login).owner("olivia").repository(control).repository(complete(name).private())
    };
    let mut builder = sandbox(&clock);
    for organization in [lead, of("bureau", "radar"), of("stranger", "sonar")] {
        builder = builder.organization(organization);
    }
    for login in ["agency", "bureau", "stranger"] {
        builder = builder.installation(github_sandbox::installation(login));
    }
    let github = builder.start().await.unwrap();
    let joined = Agency {
        acronym: "XA".to_owned(),
        lead: "agency".parse().unwrap(),
        organizations: vec!["agency".parse().unwrap(), "bureau".parse().unwrap()],
        repository: None,
        may_commit: false,
        import_from: Hosts::default(),
    };
    let setup = Setup { agencies: vec![joined], ..Setup::serving(&["agency", "bureau", "stranger"]) };
    let muster = Muster::start_as(&github, &clock, setup).await;
    muster.begin().await;
    let office = Office { github, muster };
    let entries = office.entry("bureau/radar", "") + &office.entry("stranger/sonar", "");
    office.grant("ask", &entries).await;
    office.muster.advance(HOUR).await;
    let account = |login: &str| AccountId(office.github.state(|s| s.account_named(login).unwrap().id));
    let store = &office.muster.ctx.store;
    let known = store.exemptions(account("agency"), &[account("agency"), account("bureau")]).await.unwrap();
    let today = date(2026, 11, 18);
    let radar = RepositoryId(office.github.repository_id("bureau/radar"));
    assert_eq!(known.in_force(today).map(|exemption| exemption.id).collect::<Vec<_>>(), [radar]);
    assert_eq!(known.history.all().count(), 1, "what is another's was never in force");
    // What the lead decides is decided; another that stands alone has its own.
    assert_eq!(store.registers().await.unwrap(), [account("agency"), account("stranger")]);
    // The inventory has heard of it.
    let published = store.publication("xa", "code.json").await.unwrap();
    let account: serde_json::Value = serde_json::from_str(published.account.as_ref().unwrap()).unwrap();
    let state = |name: &str| {
        let lines = account["lines"].as_array().unwrap();
        lines.iter().find(|line| line["name"] == name).map(|line| line["state"].clone())
    };
    assert_eq!(state("bureau/radar"), Some("exempt".into()), "{account}");
    assert_eq!(state("stranger/sonar"), None);
    office.muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_register_nothing_is_asked() {
    let clock = clock();
    let organization = org("agency").owner("olivia").repository(complete("site"));
    let github = sandbox(&clock)
        .organization(organization)
        .installation(github_sandbox::installation("agency"))
        .start()
        .await
        .unwrap();
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    muster.advance(DAY).await;
    assert!(!muster.calls().iter().any(|call| call == "Control"));
    muster.finish().await;
}

/// The program, as an operator runs it.
fn report(url: &str, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(["report", "exemptions"])
        .args(arguments)
        .env_clear()
        .env("MUSTER_DATABASE_URL", url)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_of_a_year_names_nobody_and_says_what_it_leaves_out() {
    let office = Office::new(owned()).await;
    let entry = office.entry("agency/badge-reader", "").replace("2026-11-01", "2023-11-01");
    office.grant("ask", &(entry + "- {id: 5, usage: exemptByCIO, reason: Please., requested_by: 2}\n")).await;
    let (code, text, said) = report(&office.muster.url, &["--fiscal-year", "2024"]);
    assert_eq!((code, said.as_str()), (0, ""), "{text}");
    assert!(text.contains("| **All, in 1 repositories** | **1** |"), "{text}");
    let id = office.github.repository_id("agency/badge-reader");
    assert!(text.contains(&format!("### 1. Repository {id} of agency")), "{text}");
    assert!(text.contains("that did not apply: requested 1."), "{text}");
    for name in ["badge-reader", "carol", "alice", "olivia", "dave"] {
        assert!(!text.contains(name), "{name}: {text}");
    }
    let (code, json, _) = report(
        &office.muster.url,
        &["--fiscal-year", "2024", "--format", "json", "--organization", "AGENCY"],
    );
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["schema"]), (0, &"exemptions-1".into()));
    assert_eq!((&json["totals"]["automatic"], &json["totals"]["all"]), (&1.into(), &1.into()));
    assert_eq!(json["exemptions"][0]["verified"]["by"], office.id("carol"));
    // One that nobody approved: it is not in the report, and that is said.
    let number =
        office.propose("alone", &office.entry("agency/badge-reader", "").replace("2026-11", "2022-11"));
    office.github.user("dave").merge(CONTROL, number);
    office.muster.settle().await;
    let (code, text, _) = report(&office.muster.url, &["--fiscal-year", "2024"]);
    assert_eq!(code, 1);
    assert!(text.contains("(unverified): no code owner who can still write"), "{text}");
    let (code, _, said) = report(&office.muster.url, &["--fiscal-year", "2024", "--organization", "nobody"]);
    assert_eq!(code, 2);
    assert!(said.contains("has not met nobody"), "{said}");
    office.muster.finish().await;
}

const REGISTER: &str = r#"
annex: 2
exemptions:
  - id: 482913377
    usage: exemptByFOIA
    basis: "5 USC 552(b)(7)(E)"
    origin: employee
    reason: "=HYPERLINK(1) It shows <b>how</b> we find intruders, see #1 and @olivia."
    requested_by: 1234567
    approved_by: 7654321
    role: delegate
    applied_from: 2024-03-02
    applied_to: 2027-03-02
  - id: 482913378
    usage: exemptByPrivacyRisk
    reason: Records of patients are part of the tests.
    requested_by: 1234567
    approved_by: 7654321
    role: cio
    consulted: {body: federal-privacy-council, on: 2024-01-20}
    applied_from: 2024-02-01
    applied_to: 2024-05-01
  - {id: 482913379, usage: exemptByCIO, reason: No., requested_by: 5, denied_by: 6, denied_on: 2024-04-01}
"#;

#[test]
fn a_file_alone_gives_a_report_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    std::fs::write(&file, REGISTER).unwrap();
    let file = file.to_str().unwrap();
    let of =
        |format: &str, year: &str| report("", &["--fiscal-year", year, "--from", file, "--format", format]);
    let plain = |text: &str| {
        let today = jiff::Timestamp::now().to_zoned(TimeZone::UTC).date().to_string();
        text.replace(file, FILE).replace(&today, "TODAY")
    };
    let (code, text, said) = of("markdown", "2024");
    assert_eq!(code, 0, "{said}");
    insta::assert_snapshot!("report", plain(&text));
    insta::assert_snapshot!("report_questions", plain(&said));
    let (_, text, _) = of("csv", "2024");
    insta::assert_snapshot!("report_csv", plain(&text));
    let (_, text, _) = of("csv", "2025");
    assert_eq!(text.lines().count(), 3, "headings, the one that still applied, the annex: {text}");
    std::fs::write(folder.path().join("bad.yml"), "exemptions: 7\n").unwrap();
    let bad = folder.path().join("bad.yml");
    let (code, _, said) = report("", &["--fiscal-year", "2024", "--from", bad.to_str().unwrap()]);
    assert_eq!(code, 2);
    assert!(said.contains("bad.yml:1:13: exemptions: is a number, not a list"), "{said}");
    let (code, _, said) = report("", &["--fiscal-year", "FY24"]);
    assert_eq!(code, 2);
    assert!(said.contains("write a fiscal year as 2026"), "{said}");
}
