//! Judge and plan, on values: the same for one repository that was read alone
//! and for many that were read together.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Target, note, our_names, policy_page, with_own_declines, with_wish};
use crate::{
    domain::{
        basis::{self, Basis, SETTLES},
        digest::Office,
        finding::{FindingSet, Report, Severity},
        inventory::Sources,
        marker::{Identity, Kind},
        observed::{Branch, Observed},
        outgoing::PublicText,
        outstanding::{
            Declined, News, Outstanding, Recognised, Refused, Remembered, Standing, State, recognise,
        },
        own_file::Said,
        plan::{Cause, History, Hold, Plan, Situation, Spent, plan},
        policy::Policy,
        repository::{Inherited, Snapshot},
        rules,
    },
    jobs::JobError,
    store::{Judged, NewAudit, SeenRepository},
};

/// What is known of a repository before anything is decided.
#[derive(Debug, Clone, Copy)]
pub(in crate::jobs) struct Case<'a> {
    pub(in crate::jobs) snapshot: &'a Snapshot,
    pub(in crate::jobs) observed: &'a Observed,
    /// All rows of the ledger about it.
    pub(in crate::jobs) rows: &'a [Remembered],
    pub(in crate::jobs) declined: &'a [Declined],
    /// What people hold back by a label, and what GitHub refuses. Among many
    /// neither is known: what they would keep from being done gets a closer
    /// look.
    pub(in crate::jobs) held: &'a [Kind],
    pub(in crate::jobs) refused: &'a [Refused],
    /// Why nothing may be written yet.
    pub(in crate::jobs) hold: Option<&'a Hold>,
    pub(in crate::jobs) history: &'a History,
    pub(in crate::jobs) spent: Spent,
    pub(in crate::jobs) cause: Cause,
    pub(in crate::jobs) identity: &'a Identity,
    /// What is known of its `code.json` beside what was read.
    pub(in crate::jobs) said: &'a Said,
    /// What is known of the office's digest. Among many it is not read.
    pub(in crate::jobs) office: Office<'a>,
    /// The organization's policy.
    pub(in crate::jobs) policy: &'a Policy,
}

/// What was decided.
pub(in crate::jobs) struct Considered {
    /// The policy as the repository's own file tightens it.
    pub(super) policy: Policy,
    /// The first problem of that file.
    wish_problem: Option<String>,
    pub(in crate::jobs) report: Report,
    pub(super) outstanding: Outstanding,
    /// What the ledger has to learn first.
    pub(in crate::jobs) news: Vec<News>,
    /// The numbers of items of ours whose marker cannot be read.
    pub(super) unreadable: Vec<u64>,
    page: Option<PublicText>,
    pub(in crate::jobs) plan: Plan,
}

/// Judges and plans.
pub(in crate::jobs) fn consider(case: &Case<'_>, now: Timestamp) -> Considered {
    let snapshot = case.snapshot;
    let (policy, wish_problem) = with_wish(case.policy.clone(), snapshot);
    let report = rules::evaluate(&policy, snapshot, now);
    let prefix = &policy.pull_request.branch_prefix;
    let id = snapshot.repository.id;
    let declined = case.declined.to_vec();
    let Recognised { outstanding, news, unreadable } =
        recognise(case.observed, case.rows, declined, case.identity, id, prefix, now);
    let mut outstanding = with_own_declines(outstanding, &policy);
    outstanding.held = case.held.to_vec();
    outstanding.refused = case.refused.to_vec();
    let page = policy_page(snapshot);
    let plan = Plan::default();
    let mut considered =
        Considered { policy, wish_problem, report, outstanding, news, unreadable, page, plan };
    considered.plan = plan_of(case, &considered, now);
    considered
}

fn plan_of(case: &Case<'_>, considered: &Considered, now: Timestamp) -> Plan {
    let plan = plan(&considered.situation(case), now);
    match case.hold {
        Some(hold) => plan.held_by(hold),
        None => plan,
    }
}

impl Considered {
    /// What the plan rests on.
    pub(super) fn situation<'s>(&'s self, case: &Case<'s>) -> Situation<'s> {
        Situation {
            policy: &self.policy,
            organization_mode: case.policy.mode,
            snapshot: case.snapshot,
            report: &self.report,
            outstanding: &self.outstanding,
            spent: case.spent,
            history: case.history,
            cause: case.cause,
            identity: case.identity,
            said: case.said,
            office: case.office,
            policy_page: self.page.as_ref(),
        }
    }

    /// Whether what was read among many is not enough: something is to be
    /// done, to be learned, stands there that the ledger cannot explain, or is
    /// a pull request: what it carries is read of one repository only.
    /// `traces` are how many items of a kind look like ours.
    pub(in crate::jobs) fn needs_a_closer_look(&self, case: &Case<'_>, traces: &[(Kind, u64)]) -> bool {
        let of = |kind| case.rows.iter().filter(move |row| row.kind == kind);
        let open = |kind| of(kind).any(|row| row.state == State::Open);
        let unsettled = |kind| of(kind).any(|row| matches!(row.state, State::Creating | State::Open));
        let names = our_names(&self.policy);
        let kinds = [
            (Kind::Files, &names.files_branch),
            (Kind::License, &names.license_branch),
            (Kind::CodeJson, &names.code_json_branch),
        ];
        let unexplained = |branch: &Branch| match kinds.iter().find(|(_, name)| **name == branch.name) {
            Some((kind, _)) => !open(*kind),
            // Under another name than ours are now, but we committed to it.
            None => branch.author == Some(case.identity.bot),
        };
        !self.plan.changes.is_empty()
            || !self.news.is_empty()
            || [Kind::Tracking, Kind::Digest].into_iter().flat_map(of).any(|row| row.state == State::Creating)
            || Kind::PULL_REQUESTS.into_iter().any(unsettled)
            || traces.iter().any(|(kind, count)| *count > of(*kind).count() as u64)
            || case.observed.branches.iter().any(unexplained)
    }

    /// What is to be remembered; so many changes of the plan are `done`, and so
    /// many of these `opened` something.
    pub(in crate::jobs) fn judged(
        &self,
        case: &Case<'_>,
        target: &Target,
        read_at: Timestamp,
        (done, opened): (usize, u32),
    ) -> Result<Judged, JobError> {
        let repository = &case.snapshot.repository;
        let findings: FindingSet =
            self.report.findings(Severity::Recommended).map(|(rule, f)| (rule, f.gap)).collect();
        let problem = self.wish_problem.iter();
        let audit: Vec<NewAudit> =
            problem.map(|problem| note(target, "repository_file_refused", problem)).collect();
        Ok(Judged {
            seen: SeenRepository {
                id: repository.id,
                node_id: repository.node_id.clone(),
                installation: target.installation,
                name: repository.name.clone(),
                visibility: repository.visibility,
                archived: repository.archived,
            },
            read_at,
            head: self.report.head.as_ref().map(|head| head.oid.clone()),
            policy_digest: self.policy.digest(),
            basis: self.basis(case, read_at, done),
            due: self.plan.due,
            skipped: self.report.skipped.as_ref().map(ToString::to_string),
            report: serde_json::to_string(&self.report.judgements)
                .map_err(|error| JobError::Permanent(error.to_string()))?,
            findings: (!self.report.has_unknown()).then_some(findings),
            confirmed: case.cause != Cause::Sweep,
            wants: self.plan.wants.saturating_sub(opened),
            audit,
            entry: Sources::of(case.snapshot, &self.report),
        })
    }

    /// What the judgement rests on; `None` if it leaves something open that no
    /// list shows: an unread file, a change that was not made, a blocked kind.
    fn basis(&self, case: &Case<'_>, read_at: Timestamp, done: usize) -> Option<Basis> {
        let repository = &case.snapshot.repository;
        let unread = case.snapshot.files.has_unread()
            || match &case.snapshot.inherited {
                Inherited::Files { files, .. } => files.has_unread(),
                Inherited::None => false,
                Inherited::Unread(_) => true,
            };
        let blocked = |kind: Kind| matches!(self.outstanding.standing(kind), Standing::Blocked { .. });
        let pushed_at = repository.pushed_at.unwrap_or(repository.created_at);
        let open = unread
            || done < self.plan.changes.len() + self.plan.held.len()
            || Kind::INSPECTED.into_iter().any(blocked)
            || case.rows.iter().any(|row| row.state == State::Creating)
            || read_at < pushed_at + SETTLES;
        (!open).then(|| Basis {
            facts: repository.facts().digest(),
            common: basis::common(case.policy, &case.snapshot.inherited),
            ours: ours(case.rows, &case.observed.stamps),
            pushed_at,
        })
    }
}

/// Our items in a repository whose state a person may still change, each by
/// GraphQL's id: of each kind the newest, unless it was merged.
pub(in crate::jobs) fn watched(rows: &[Remembered]) -> impl Iterator<Item = &str> {
    super::newest(rows).filter(|row| row.state != State::Merged).filter_map(|row| row.node_id.as_deref())
}

/// Digest of our items in a repository, by GitHub's stamps on them.
pub(in crate::jobs) fn ours(rows: &[Remembered], stamps: &BTreeMap<String, Option<String>>) -> String {
    let stamp = |id: &str| stamps.get(id).and_then(Option::as_deref);
    basis::ours(watched(rows).map(|id| (id, stamp(id))))
}
