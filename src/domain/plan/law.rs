//! Laws of the planner, whatever stands and whatever was read.

use std::time::Duration;

use proptest::prelude::*;

use super::{
    tests::{Case, case, opened, policy, read_back},
    *,
};
use crate::domain::{
    digest::{Account, Digest, Need, What},
    finding::Gap,
    marker::Kind,
    observed::{HoldLabel, Item},
    outstanding::{
        Attempt, Because, Expired, Hands, OpenItem, Outstanding, Refused, Staging, Standing, Start, State,
        testing::{HERE, NOW, branch, carry, days, identity, issue, nothing, now, oid},
    },
    repository::{Visibility, testing::Sample},
};

/// A situation in figures, so that it shrinks.
#[derive(Debug, Clone)]
struct World {
    /// Which files are missing now, a bit each, and which were when the pull
    /// requests were opened.
    missing: u8,
    missed: u8,
    policy: usize,
    opened_under: usize,
    pull_requests: bool,
    tracking: Option<u8>,
    hands: u8,
    held: bool,
    conflicting: bool,
    staging: Option<bool>,
    refused: Option<(u8, u8)>,
    expired: Option<bool>,
    quiet_days: u32,
    edits: u8,
    unread: bool,
    repository: u8,
    /// What is known of the digest, and whether one is open.
    office: u8,
    digest: bool,
}

/// All but a few fields of the file are known.
const CODE_JSON: &str = "mode: fix\nrules: {code-json: {file: required}}\nagency: {name: Agency}";
const FILES: [&str; 3] = ["LICENSE", "README.md", "CONTRIBUTING.md"];

fn policies(n: usize) -> crate::domain::policy::Policy {
    policy(match n % 6 {
        0 => "mode: fix",
        1 => "mode: fix\nrules: {license: {propose: CC0-1.0}}\nagency: {contact: {email: a@example.gov}}",
        2 => {
            "mode: fix\nrules: {license: {propose: MIT}, readme: off}\nagency: {contact: {email: b@example.gov}}"
        }
        3 => "mode: issue",
        4 => CODE_JSON,
        _ => "mode: fix\nrepositories: {exclude: [site]}",
    })
}

fn sample(missing: u8) -> Sample {
    let gone = |n: usize| missing & (1 << n) != 0;
    let kept = FILES.iter().enumerate().filter(|(n, _)| gone(*n));
    kept.fold(Sample::complete("agency/site"), |sample, (_, path)| sample.without(path))
}

impl World {
    fn sample(&self) -> Sample {
        let change: fn(&mut crate::domain::repository::Repository) = match self.repository {
            0 => |r| r.archived = true,
            1 => |r| r.issues_enabled = false,
            2 => |r| r.description = Some("Counts birds.".into()),
            3 => |r| r.fork = true,
            _ => |_| {},
        };
        let sample = sample(self.missing).with(change);
        if self.unread { sample.unread("docs", "GitHub answered 502") } else { sample }
    }

    fn case(&self) -> Case {
        let mut outstanding = nothing();
        if self.pull_requests {
            let mut past =
                Case { policy: policies(self.opened_under), sample: sample(self.missed), ..case() };
            past.policy.limits.per_repository_per_week = 3;
            for change in past.plan().changes {
                let Change::OpenPullRequest(new) = change else { continue };
                let number = match new.kind {
                    Kind::License => 4,
                    Kind::Files | Kind::Tracking | Kind::Digest | Kind::Inventory => 5,
                    Kind::CodeJson => 6,
                };
                let mut open = opened(&new, number);
                let pull = open.item.pull.as_mut().unwrap();
                let details = pull.open.as_mut().unwrap();
                details.conflicting = self.conflicting;
                details.made_on = Some(oid('e'));
                details.hold = self.held.then_some(HoldLabel { by: None });
                details.auto_merge_since = (self.hands == 1).then(now);
                open.hands =
                    [Hands::Ours, Hands::Foreign, Hands::Unread, Hands::Ours][usize::from(self.hands)];
                open.edits = vec![now(); usize::from(self.edits)];
                open.item.updated_at = now() - days(self.quiet_days);
                if self.held {
                    outstanding.held.push(new.kind);
                }
                *standing(&mut outstanding, new.kind) = Standing::Open(Box::new(open));
            }
        }
        if let Some(listed) = self.tracking {
            let set: FindingSet = (0..3)
                .filter(|n| listed & (1 << n) != 0)
                .map(|n| ([RuleId::License, RuleId::Readme, RuleId::Contributing][n], Gap::Missing))
                .collect();
            outstanding.tracking = Standing::Open(Box::new(read_back(issue(3, &set.hash()))));
        }
        outstanding.staging.extend(self.staging.map(|ours| {
            let mut branch = branch(7);
            branch.name = "muster/staging/files".into();
            Staging { kind: Kind::Files, branch, ours }
        }));
        outstanding.refused.extend(self.refused.map(|(attempt, because)| {
            let kind = Kind::INSPECTED[usize::from(attempt) % Kind::INSPECTED.len()];
            let attempts = [Attempt::Open(kind), Attempt::Update(kind), Attempt::Delete(kind)];
            let becauses = [Because::Rules, Because::Drafts, Because::Permission, Because::Other];
            Refused {
                attempt: attempts[usize::from(attempt / 3 % 3)],
                because: becauses[usize::from(because % 4)],
                why: "no".into(),
                circumstances: String::new(),
                at: now(),
            }
        }));
        outstanding.expired.extend(self.expired.map(|once| Expired {
            rule: RuleId::Contributing,
            gap: Gap::Missing,
            until: once.then(|| now() + days(10)),
        }));
        if self.digest {
            let item = issue(8, &FindingSet::default().hash());
            let body = identity().marker(Kind::Digest, HERE, &FindingSet::default().hash());
            outstanding.digest = Standing::Open(Box::new(read_back(Item { body, ..item })));
        }
        let office = self.office();
        Case { policy: policies(self.policy), sample: self.sample(), outstanding, office, ..case() }
    }
}

impl World {
    fn office(&self) -> Option<Option<Digest>> {
        let needs = vec![Need { what: What::PolicyRefused, told: Vec::new() }];
        let here = |needs| {
            let accounts = vec![Account { login: "agency".into(), needs }];
            Digest::of(Visibility::Public, jiff::civil::date(2026, 11, 17), accounts)
        };
        match self.office % 4 {
            0 => None,
            1 => Some(None),
            2 => Some(Some(here(Vec::new()))),
            _ => Some(Some(here(needs))),
        }
    }
}

fn standing(outstanding: &mut Outstanding, kind: Kind) -> &mut Standing {
    match kind {
        Kind::License => &mut outstanding.license,
        Kind::Files => &mut outstanding.files,
        Kind::CodeJson => &mut outstanding.code_json,
        Kind::Tracking => &mut outstanding.tracking,
        Kind::Digest => &mut outstanding.digest,
        Kind::Inventory => unreachable!("no plan opens it"),
    }
}

fn open_mut(outstanding: &mut Outstanding, kind: Kind) -> &mut OpenItem {
    match standing(outstanding, kind) {
        Standing::Open(open) => open,
        other => panic!("{kind}: {other:?}"),
    }
}

/// What stands once GitHub has done as planned.
fn apply(outstanding: &mut Outstanding, plan: &Plan) {
    for change in &plan.changes {
        match change {
            Change::DisableAutoMerge { kind, .. } => {
                let item = &mut open_mut(outstanding, *kind).item;
                item.pull.as_mut().unwrap().open.as_mut().unwrap().auto_merge_since = None;
            }
            Change::DeleteBranch { branch, .. } => {
                outstanding.staging.retain(|staging| staging.branch != *branch);
                outstanding.leftovers.retain(|leftover| leftover.branch != *branch);
            }
            Change::CloseDuplicate { number, .. } => {
                outstanding.duplicates.retain(|item| item.number != *number);
            }
            Change::RefreshPullRequest(refresh) => {
                let open = open_mut(outstanding, refresh.description.kind);
                carry(&mut open.item, &refresh.files);
                let pull = open.item.pull.as_mut().unwrap();
                pull.head = oid('b');
                let details = pull.open.as_mut().unwrap();
                (details.conflicting, details.made_on) = (false, Some(refresh.base.oid.clone()));
                describe(open, &refresh.description);
                outstanding.staging.retain(|staging| staging.kind != refresh.description.kind);
            }
            Change::DescribePullRequest(text) => describe(open_mut(outstanding, text.kind), text),
            Change::ClosePullRequest(close) => {
                let open = open_mut(outstanding, close.kind).clone();
                *standing(outstanding, close.kind) = Standing::Free(Start::Nothing);
                outstanding.held.retain(|kind| *kind != close.kind);
                if close.closing.state() == State::Expired {
                    let rules = open.item.open_pull().unwrap().files.iter();
                    for rule in rules.filter_map(|(path, _)| files::rule_of(path)) {
                        let again = outstanding.expired.iter().any(|expired| expired.rule == rule);
                        outstanding.expired.retain(|expired| expired.rule != rule);
                        let until = (!again).then(|| now() + days(180));
                        outstanding.expired.push(Expired { rule, gap: Gap::Missing, until });
                    }
                }
            }
            Change::AskForReview { kind, .. } => outstanding.begun.retain(|begun| begun != kind),
            Change::OpenPullRequest(new) => {
                *standing(outstanding, new.kind) = Standing::Open(Box::new(opened(new, 9)));
                outstanding.pull_requests_at.push((new.kind, now()));
            }
            Change::OpenIssue(new) => {
                let item =
                    Item { body: new.body.for_operator().to_owned(), ..issue(10, &new.findings.hash()) };
                *standing(outstanding, new.kind) = Standing::Open(Box::new(read_back(item)));
            }
            Change::EditIssue { kind, body, .. } => {
                let open = open_mut(outstanding, *kind);
                open.item.body = body.for_operator().to_owned();
                *open = OpenItem { edits: open.edits.clone(), ..read_back(open.item.clone()) };
                open.edits.push(now());
            }
            Change::CloseIssue { kind, .. } => *standing(outstanding, *kind) = Standing::Free(Start::Nothing),
        }
    }
}

fn describe(open: &mut OpenItem, text: &Description) {
    if text.needed {
        open.item.body = text.body.for_operator().to_owned();
        if let Some(title) = &text.title {
            open.item.title = title.as_str().to_owned();
        }
        if text.ready {
            open.item.pull.as_mut().unwrap().draft = false;
        }
    }
    open.item.updated_at = now();
    open.edits.push(now());
    open.findings = read_back(open.item.clone()).findings;
}

fn worlds() -> impl Strategy<Value = World> {
    let figures = (0u8..8, 0u8..8, 0usize..6, 0usize..5, any::<bool>(), prop::option::of(0u8..8));
    let state = (0u8..4, prop::bool::weighted(0.2), any::<bool>(), prop::option::of(any::<bool>()));
    let past = (
        prop::option::weighted(0.4, (0u8..9, 0u8..4)),
        prop::option::weighted(0.3, any::<bool>()),
        prop_oneof![Just(0u32), Just(91)],
        0u8..4,
        prop::bool::weighted(0.1),
        0u8..12,
        (0u8..4, any::<bool>()),
    );
    (figures, state, past).prop_map(|(figures, state, past)| {
        let (missing, missed, policy, opened_under, pull_requests, tracking) = figures;
        let (hands, held, conflicting, staging) = state;
        let (refused, expired, quiet_days, edits, unread, repository, (office, digest)) = past;
        World {
            missing,
            missed,
            policy,
            opened_under,
            pull_requests,
            tracking,
            hands,
            held,
            conflicting,
            staging,
            refused,
            expired,
            quiet_days,
            edits,
            unread,
            repository,
            office,
            digest,
        }
    })
}

/// The pull request a change works on, if it works on one.
fn works_on(change: &Change) -> Option<Kind> {
    match change {
        Change::RefreshPullRequest(refresh) => Some(refresh.description.kind),
        Change::DescribePullRequest(text) => Some(text.kind),
        Change::ClosePullRequest(close) => Some(close.kind),
        Change::DisableAutoMerge { .. }
        | Change::DeleteBranch { .. }
        | Change::CloseDuplicate { .. }
        | Change::OpenPullRequest(_)
        | Change::AskForReview { .. }
        | Change::OpenIssue(_)
        | Change::EditIssue { .. }
        | Change::CloseIssue { .. } => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn planning_again_after_the_plan_was_applied_is_empty(world in worlds()) {
        let mut outstanding = world.case().outstanding;
        let mut rounds = 0;
        loop {
            let plan = Case { outstanding: outstanding.clone(), ..world.case() }.plan();
            if plan.changes.is_empty() {
                break;
            }
            // What a closed pull request leaves is for the next look.
            let closes = plan.changes.iter().any(|change| matches!(change, Change::ClosePullRequest(_)));
            apply(&mut outstanding, &plan);
            rounds += 1;
            let again = Case { outstanding: outstanding.clone(), ..world.case() }.plan();
            prop_assert!(closes || again.changes.is_empty(), "after\n{plan}it plans\n{again}");
            prop_assert!(rounds < 4, "it goes on with\n{again}");
        }
    }

    #[test]
    fn what_is_not_ours_alone_is_not_worked_on(world in worlds()) {
        let outstanding = world.case().outstanding;
        for change in &world.case().plan().changes {
            if let Some(open) = works_on(change).and_then(|kind| outstanding.open(kind)) {
                prop_assert_eq!(open.hands, Hands::Ours, "{}", change);
                prop_assert!(!world.held, "{}", change);
            }
        }
    }

    #[test]
    fn what_could_not_be_read_opens_and_closes_nothing(world in worlds()) {
        let world = World { unread: true, office: 0, missing: 7, repository: 11, policy: world.policy % 4, opened_under: world.opened_under % 3, ..world };
        let plan = world.case().plan();
        for change in &plan.changes {
            let harmless = matches!(change, Change::DeleteBranch { .. } | Change::DisableAutoMerge { .. });
            // What the policy turned off needs no look.
            let off = matches!(change, Change::ClosePullRequest(close) if close.closing == Closing::Withdrawn);
            prop_assert!(harmless || off, "{}", plan);
        }
    }

    #[test]
    fn a_refresh_never_leaves_the_branch_where_its_base_is(world in worlds()) {
        for change in &world.case().plan().changes {
            if let Change::RefreshPullRequest(refresh) = change {
                prop_assert!(!refresh.files.is_empty());
                prop_assert!(refresh.staging != refresh.branch);
            }
        }
    }

    #[test]
    fn due_lies_ahead_and_nothing_is_planned_for_a_read_only_repository(world in worlds()) {
        let plan = world.case().plan();
        prop_assert!(plan.due.is_none_or(|due| due > NOW.parse().unwrap()));
        prop_assert!(plan.due.is_none_or(|due| due < now() + Duration::from_secs(400 * 24 * 3600)));
        if world.repository == 0 {
            prop_assert_eq!(plan.changes, []);
        }
    }
}
