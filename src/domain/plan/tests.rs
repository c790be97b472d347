use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::domain::{
    digest::{Digest, Office},
    finding::Gap,
    marker::{Kind, Whose},
    observed::Item,
    outstanding::{
        Declined, OpenItem, Outstanding, Standing,
        testing::{HERE, NOW, carry, identity, issue, nothing, open, pull_request},
    },
    own_file::Said,
    policy::Policy,
    repository::testing::Sample,
    rollout::Rollout,
    rules,
};

mod open;

pub(super) struct Case {
    pub(super) policy: Policy,
    pub(super) organization_mode: Option<Mode>,
    pub(super) sample: Sample,
    pub(super) outstanding: Outstanding,
    pub(super) spent: Spent,
    pub(super) history: History,
    pub(super) cause: Cause,
    pub(super) said: Said,
    /// Nothing: unread; nothing in it: elsewhere.
    pub(super) office: Option<Option<Digest>>,
    pub(super) now: Timestamp,
}

pub(super) fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap()
}

/// A repository without CONTRIBUTING, in mode fix.
pub(super) fn case() -> Case {
    Case {
        policy: policy("mode: fix"),
        organization_mode: None,
        sample: Sample::complete("agency/site").without("CONTRIBUTING.md"),
        outstanding: nothing(),
        spent: Spent::default(),
        history: History::default(),
        cause: Cause::Event,
        said: Said::default(),
        office: None,
        now: NOW.parse().unwrap(),
    }
}

impl Case {
    pub(super) fn plan(self) -> Plan {
        let snapshot = self.sample.snapshot();
        let report = rules::evaluate(&self.policy, &snapshot, self.now);
        let identity = identity();
        let situation = Situation {
            policy: &self.policy,
            organization_mode: self.organization_mode.unwrap_or(self.policy.mode),
            snapshot: &snapshot,
            report: &report,
            outstanding: &self.outstanding,
            spent: self.spent,
            history: &self.history,
            cause: self.cause,
            identity: &identity,
            said: &self.said,
            office: match &self.office {
                None => Office::Unread,
                Some(None) => Office::Elsewhere,
                Some(Some(digest)) => Office::Here(digest, Some(self.now - HOUR)),
            },
            policy_page: None,
        };
        plan(&situation, self.now)
    }

    fn printed(self) -> String {
        self.plan().to_string()
    }
}

/// What a pull request is once GitHub has opened it as planned.
pub(super) fn opened(new: &NewPullRequest, number: u64) -> OpenItem {
    let mut item = pull_request(number, &new.findings.hash());
    item.title = new.title.as_str().to_owned();
    item.body = new.body.for_operator().to_owned();
    carry(&mut item, &new.files);
    let pull = item.pull.as_mut().unwrap();
    (pull.branch, pull.draft) = (new.branch.as_str().to_owned(), new.draft);
    read_back(item)
}

/// An item with what its marker names.
pub(super) fn read_back(item: Item) -> OpenItem {
    let Whose::Ours(marker) = identity().whose(&item, HERE) else { panic!("not ours: {}", item.body) };
    open(item, marker.findings)
}

#[test]
fn a_missing_file_becomes_one_pull_request_and_no_issue() {
    insta::assert_snapshot!(case().printed(), @r#"
    open pull request "Add missing open source files: CONTRIBUTING.md" from muster/files: +CONTRIBUTING.md
    would not open an issue: the pull request answers the same finding
    "#);
}

#[test]
fn what_only_a_person_can_choose_becomes_the_issue() {
    let case = Case { sample: Sample::complete("agency/site").without("LICENSE"), ..case() };
    insta::assert_snapshot!(case.printed(), @r#"open issue "Repository open source checklist": license:missing"#);
}

#[test]
fn a_license_is_proposed_only_if_the_policy_names_one_and_no_sign_of_another_is_there() {
    let proposing = || Case {
        policy: policy("mode: fix\nrules:\n  license: {propose: CC0-1.0}"),
        sample: Sample::complete("agency/site").without("LICENSE"),
        ..case()
    };
    insta::assert_snapshot!(proposing().printed(), @r#"
    open pull request "Add a license: LICENSE" from muster/license: +LICENSE
    would not open an issue: the pull request answers the same finding
    "#);
    let named = Case {
        sample: Sample::complete("agency/site")
            .without("LICENSE")
            .with(|r| r.github_license = Some("MIT".into())),
        ..proposing()
    };
    insta::assert_snapshot!(named.printed(), @r#"open issue "Repository open source checklist": license:only-named"#);
}

#[test]
fn of_two_pull_requests_the_license_goes_first_and_the_other_waits_a_week() {
    let case = Case {
        policy: policy("mode: fix\nrules:\n  license: {propose: CC0-1.0}"),
        sample: Sample::complete("agency/site").without("LICENSE").without("CONTRIBUTING.md"),
        ..case()
    };
    insta::assert_snapshot!(case.printed(), @r#"
    open pull request "Add a license: LICENSE" from muster/license: +LICENSE
    would not open a pull request with files: one new pull request a week is enough (until 2026-11-24T15:00:00Z)
    would not open an issue: the pull request answers the same finding
    "#);
}

#[test]
fn a_readme_without_a_description_is_a_draft() {
    let without = || Sample::complete("agency/site").without("README.md");
    let draft = Case { sample: without(), ..case() };
    insta::assert_snapshot!(draft.printed(), @r#"
    open draft pull request "Add missing open source files: README.md" from muster/files: +README.md
    would not open an issue: the pull request answers the same finding
    "#);
    let ready = Case { sample: without().with(|r| r.description = Some("Counts birds.".into())), ..case() };
    assert!(ready.printed().starts_with("open pull request"));
}

#[test]
fn the_modes_are_cumulative() {
    let modes = [("observe", 0), ("check", 0), ("issue", 1), ("fix", 1)];
    for (mode, changes) in modes {
        let plan = Case { policy: policy(&format!("mode: {mode}")), ..case() }.plan();
        assert_eq!(plan.changes.len(), changes, "{mode}");
    }
    let issue = Case { policy: policy("mode: issue"), ..case() };
    insta::assert_snapshot!(issue.printed(), @r#"
    open issue "Repository open source checklist": contributing:missing
    would not open a pull request with files: the mode is issue
    "#);
}

#[test]
fn the_brakes_say_until_when() {
    let new = Case {
        sample: case().sample.with(|r| r.created_at = "2026-11-15T00:00:00Z".parse().unwrap()),
        ..case()
    };
    insta::assert_snapshot!(new.printed(), @r#"
    would not open a pull request with files: the repository is new (until 2026-11-22T00:00:00Z)
    would not open an issue: the pull request answers the same finding
    "#);
    let night = Case { now: "2026-11-17T20:00:00Z".parse().unwrap(), ..case() }.plan();
    assert_eq!(night.due, Some("2026-11-18T09:00:00Z".parse().unwrap()));
    assert!(night.changes.is_empty());
    let first_day = Spent { pull_requests_today: 5, ..Spent::default() };
    assert!(Case { spent: first_day, ..case() }.plan().changes.is_empty());
    let later = Spent { first_pull_request_at: Some("2026-11-01T00:00:00Z".parse().unwrap()), ..first_day };
    assert_eq!(Case { spent: later, ..case() }.plan().changes.len(), 1);
    let full = Spent { open: 100, ..Spent::default() };
    assert!(Case { spent: full, ..case() }.plan().changes.is_empty());
    let recent = Outstanding {
        pull_requests_at: vec![(Kind::Files, "2026-11-12T00:00:00Z".parse().unwrap())],
        ..nothing()
    };
    let recent = Case { outstanding: recent, ..case() }.plan();
    assert_eq!(recent.due, Some("2026-11-19T00:00:00Z".parse().unwrap()));
    // What was begun and cut off counted when it was begun; the hours hold.
    let begun = || Outstanding {
        begun: vec![Kind::Files],
        pull_requests_at: vec![(Kind::Files, "2026-11-17T14:00:00Z".parse().unwrap())],
        ..nothing()
    };
    let cut_off = Case { outstanding: begun(), spent: Spent { open: 100, ..first_day }, ..case() };
    assert_eq!(cut_off.plan().changes.len(), 1);
    let late = Case { outstanding: begun(), now: "2026-11-17T20:00:00Z".parse().unwrap(), ..case() };
    assert!(late.plan().changes.is_empty());
    let arrived = History { arrived_at: Some("2026-11-16T00:00:00Z".parse().unwrap()), ..History::default() };
    assert!(Case { history: arrived, ..case() }.plan().changes.is_empty());
}

#[test]
fn a_sweep_must_see_a_finding_twice_before_it_opens_an_issue() {
    let missing = || Sample::complete("agency/site").without("LICENSE");
    let sweep = |history: History| Case { sample: missing(), cause: Cause::Sweep, history, ..case() }.plan();
    let first = sweep(History::default());
    assert_eq!((first.changes.len(), first.due), (0, Some("2026-11-17T16:00:00Z".parse().unwrap())));
    let seen = |since: &str| History {
        findings: "license:missing".parse().unwrap(),
        since: Some(since.parse().unwrap()),
        ..History::default()
    };
    assert_eq!(sweep(seen("2026-11-17T14:01:00Z")).changes.len(), 0);
    assert_eq!(sweep(seen("2026-11-17T14:00:00Z")).changes.len(), 1);
    // An event showed it before: the sweep only finds that there is room now.
    let confirmed = History { confirmed: true, ..seen("2026-11-17T14:59:00Z") };
    assert_eq!(sweep(confirmed.clone()).changes.len(), 1);
    let other = History { findings: "readme:missing".parse().unwrap(), ..confirmed };
    assert_eq!(sweep(other).changes.len(), 0);
}

#[test]
fn what_waits_for_room_waits_until_a_day_after_what_took_it() {
    let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
    let spent = |oldest: &str| Spent {
        pull_requests_today: 5,
        oldest_pull_request_today: at(oldest),
        ..Spent::default()
    };
    // On ten minutes, so that those who wait look once.
    for (oldest, due) in [
        ("2026-11-16T15:30:01Z", "2026-11-17T15:40:00Z"),
        ("2026-11-16T15:39:59Z", "2026-11-17T15:40:00Z"),
        ("2026-11-17T10:00:00Z", "2026-11-18T10:10:00Z"),
    ] {
        assert_eq!(Case { spent: spent(oldest), ..case() }.plan().due, at(due), "{oldest}");
    }
    let full = Spent { open: 100, ..Spent::default() };
    assert_eq!(Case { spent: full, ..case() }.plan().due, at("2026-11-18T15:00:00Z"));
}

#[test]
fn after_25_a_person_must_approve_and_what_waits_is_counted() {
    let rollout = |created, wanted| Rollout { created, wanted, ..Rollout::default() };
    let with = |rollout| Case { spent: Spent { rollout, ..Spent::default() }, ..case() };
    let held = with(rollout(25, Some(500)));
    insta::assert_snapshot!(held.printed(), @r#"
    would not open a pull request with files: 500 are asked for, and after 25 a person must approve
    would not open an issue: the pull request answers the same finding
    "#);
    let held = with(rollout(25, None)).plan();
    assert_eq!((held.changes.len(), held.due, held.wants), (0, None, 1));
    for free in
        [rollout(24, Some(500)), rollout(25, Some(25)), Rollout { approved: true, ..rollout(99, None) }]
    {
        let plan = with(free).plan();
        assert_eq!((plan.changes.len(), plan.wants), (1, 1), "{free:?}");
    }
    // Also an issue waits, and what is kept back for good is not counted.
    let issue =
        Case { sample: Sample::complete("agency/site").without("LICENSE"), ..with(rollout(30, Some(99))) };
    let plan = issue.plan();
    assert_eq!((plan.changes.len(), plan.wants), (0, 1));
    let observed = Case { policy: policy("mode: observe"), ..case() }.plan();
    assert_eq!(observed.wants, 0);
    let waits = Case { now: "2026-11-17T20:00:00Z".parse().unwrap(), ..case() }.plan();
    assert_eq!((waits.changes.len(), waits.wants), (0, 1));
}

#[test]
fn what_a_plan_is_about_to_open_counts_for_the_next_repository() {
    let now = NOW.parse().unwrap();
    let mut spent = Spent { pull_requests_today: 4, ..Spent::default() };
    spent.add(&Case { spent, ..case() }.plan(), now);
    assert_eq!((spent.pull_requests_today, spent.open, spent.rollout.created), (5, 1, 1));
    assert!(Case { spent, ..case() }.plan().changes.is_empty());
    // The ledger counts it too, once it was begun: not twice.
    let ledger = Spent { pull_requests_today: 5, open: 1, ..Spent::default() };
    assert_eq!(spent.or_more(ledger).pull_requests_today, 5);
}

#[test]
fn a_decline_silences_until_its_end() {
    let until = NOW.parse::<Timestamp>().unwrap() + Duration::from_secs(60);
    let declined = Declined { rule: RuleId::Contributing, gap: Some(Gap::Missing), until: Some(until) };
    let outstanding = Outstanding { declined: vec![declined], ..nothing() };
    assert_eq!(Case { outstanding: outstanding.clone(), ..case() }.printed(), "");
    assert_eq!(Case { outstanding: outstanding.clone(), ..case() }.plan().due, Some(until));
    assert_eq!(Case { outstanding, now: until, ..case() }.plan().changes.len(), 1);
}

#[test]
fn an_unknown_outcome_opens_and_closes_nothing() {
    let unread = || Sample::complete("agency/site").without("LICENSE").unread("", "GitHub answered 502");
    assert!(Case { sample: unread(), ..case() }.plan().changes.is_empty());
    let open = Outstanding { tracking: open_issue("license:missing"), ..nothing() };
    assert!(Case { sample: unread(), outstanding: open, ..case() }.plan().changes.is_empty());
}

#[test]
fn what_is_skipped_by_rule_or_read_only_is_left_alone() {
    type Change = fn(&mut crate::domain::repository::Repository);
    let skipped: [Change; 6] = [
        |r| r.archived = true,
        |r| r.fork = true,
        |r| r.mirror = true,
        |r| r.template = true,
        |r| r.disabled = true,
        |r| r.head = None,
    ];
    for change in skipped {
        assert_eq!(Case { sample: case().sample.with(change), ..case() }.printed(), "");
    }
}

fn open_issue(findings: &str) -> Standing {
    let findings: FindingSet = findings.parse().unwrap();
    Standing::Open(Box::new(read_back(issue(3, &findings.hash()))))
}

#[test]
fn the_open_issue_follows_the_findings_and_closes_when_nothing_is_left() {
    let with = |sample: Sample, findings: &str| {
        let outstanding = Outstanding { tracking: open_issue(findings), ..nothing() };
        Case { policy: policy("mode: issue"), sample, outstanding, ..case() }.printed()
    };
    let no_license = || Sample::complete("agency/site").without("LICENSE");
    assert_eq!(with(no_license(), "license:missing"), "");
    assert_eq!(with(no_license(), "license:missing readme:missing"), "edit issue #3: license:missing\n");
    assert_eq!(
        with(Sample::complete("agency/site"), "license:missing"),
        "close issue #3: nothing is left to do\n"
    );
}

#[test]
fn the_letters_are_ours_and_read_well() {
    let case = Case {
        policy: policy(
            "mode: fix\nagency:\n  name: General Example Agency\n  contact: {name: Open Source Office, email: oss@example.gov}",
        ),
        sample: Sample::public("agency/site").with(|r| r.description = Some("Counts @birds <b>".into())),
        ..case()
    };
    let plan = case.plan();
    let (mut bodies, mut files) = (String::new(), String::new());
    for change in &plan.changes {
        let body = match change {
            Change::OpenPullRequest(new) => {
                files.extend(new.files.iter().map(|file| format!("== {}\n{}", file.path, file.text)));
                &new.body
            }
            Change::OpenIssue(new) => &new.body,
            other => panic!("{other}"),
        };
        bodies.push_str(body.for_operator());
        bodies.push_str("\n----\n");
    }
    insta::assert_snapshot!("letters", bodies);
    insta::assert_snapshot!("files", files);
}

#[test]
fn the_files_we_write_pass_our_own_check() {
    let mut sample = Sample::public("agency/site").with(|r| r.description = Some("Counts birds.".into()));
    let policy =
        policy("mode: fix\nrules:\n  license: {propose: CC0-1.0}\nlimits: {per_repository_per_week: 1}");
    for kind in [Kind::License, Kind::Files] {
        let now = NOW.parse().unwrap();
        let snapshot = Sample::snapshot(sample);
        let report = rules::evaluate(&policy, &snapshot, now);
        let (outstanding, identity, history) = (nothing(), identity(), History::default());
        let situation = Situation {
            policy: &policy,
            organization_mode: policy.mode,
            snapshot: &snapshot,
            report: &report,
            outstanding: &outstanding,
            spent: Spent::default(),
            history: &history,
            cause: Cause::Event,
            identity: &identity,
            said: &Said::default(),
            office: Office::Unread,
            policy_page: None,
        };
        let plan = plan(&situation, now);
        let Some(Change::OpenPullRequest(new)) = plan.changes.first() else { panic!("{plan}") };
        assert_eq!(new.kind, kind);
        sample = Sample::from(snapshot);
        for file in &new.files {
            sample = sample.file(file.path, &file.text);
        }
    }
    assert_eq!(Case { policy, sample, ..case() }.printed(), "");
}

/// The file is required, and all of it but a number is known.
const OWN_FILE: &str = "mode: fix\nagency: {name: Example Agency, contact: {email: oss@example.gov}}\n\
    rules: {license: {propose: MIT}, code-json: {file: required}}\n\
    inventory: {defaults: {status: Production, maintenance: internal, contract_number: [], labor_hours: 1}}";

fn own_file(sample: Sample) -> Case {
    let sample = sample.with(|r| r.description = Some("Counts birds.".into()));
    Case { policy: policy(OWN_FILE), sample, ..case() }
}

#[test]
fn a_required_code_json_is_proposed_or_mended() {
    insta::assert_snapshot!(own_file(Sample::complete("agency/site")).printed(), @r#"
    open draft pull request "Add code.json" from muster/code-json: +code.json
    would not open an issue: the pull request answers the same finding
    "#);
    let there = Sample::complete("agency/site").file("code.json", "{\"name\": \"Birds\"}");
    insta::assert_snapshot!(own_file(there).printed(), @r#"
    open draft pull request "Update code.json" from muster/code-json: ~code.json
    would not open an issue: the pull request answers the same finding
    "#);
    // Not where nobody but a person can mend it, or where it is not required.
    let broken = || Sample::complete("agency/site").file("code.json", "{");
    insta::assert_snapshot!(own_file(broken()).printed(), @r#"open issue "Repository open source checklist": code-json:malformed"#);
    let optional = policy(&OWN_FILE.replace("file: required", "file: optional"));
    assert_eq!(Case { policy: optional, ..own_file(broken()) }.printed(), "");
}

#[test]
fn license_and_files_come_before_code_json_one_a_week() {
    insta::assert_snapshot!(own_file(Sample::public("agency/site")).printed(), @r#"
    open pull request "Add a license: LICENSE" from muster/license: +LICENSE
    would not open a pull request with files: one new pull request a week is enough (until 2026-11-24T15:00:00Z)
    would not open a pull request about code.json: one new pull request a week is enough (until 2026-11-24T15:00:00Z)
    would not open an issue: the pull request answers the same finding
    "#);
}

#[test]
fn one_about_code_json_a_quarter_is_enough() {
    let begun = |kind| Outstanding {
        pull_requests_at: vec![(kind, "2026-11-01T00:00:00Z".parse().unwrap())],
        ..nothing()
    };
    let with = |kind| Case { outstanding: begun(kind), ..own_file(Sample::complete("agency/site")) };
    insta::assert_snapshot!(with(Kind::CodeJson).printed(), @r"
    would not open a pull request about code.json: one about code.json a quarter is enough (until 2027-01-30T00:00:00Z)
    would not open an issue: the pull request answers the same finding
    ");
    assert_eq!(with(Kind::Files).plan().changes.len(), 1);
}

#[test]
fn nothing_is_proposed_while_the_license_may_be_among_what_was_not_read() {
    let unread = |sample: Sample| own_file(sample.unread("docs", "GitHub answered 502"));
    insta::assert_snapshot!(unread(Sample::complete("agency/site").without("LICENSE")).printed(), @r"
    would not open a pull request about code.json: something could not be read
    would not open an issue: the pull request answers the same finding
    ");
    assert_eq!(unread(Sample::complete("agency/site")).plan().changes.len(), 1, "the license was read");
}
