//! Where a life ends, as far as it must be the same in every order.

use std::collections::{BTreeMap, BTreeSet};

use github_sandbox::Visibility;
use muster::{
    domain::{
        finding::{FindingSet, Gap, Outcome, RuleId, Severity},
        marker::Kind,
        outstanding::State,
        plan::kind_for,
        repository::RepositoryId,
    },
    store::DecisionStatus,
};

use super::{File, KINDS, Life};

pub type Finding = (RuleId, Gap);

/// The kind of pull request that answers a finding.
pub fn kind_of((rule, gap): Finding) -> Option<Kind> {
    kind_for(rule, gap)
}

/// Where a life ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    name: String,
    visibility: Visibility,
    /// The files on the default branch that rules look for.
    files: BTreeSet<&'static str>,
    /// What the judge finds.
    findings: FindingSet,
    /// What people declined, and did not take back.
    declined: FindingSet,
    /// The open pull requests by kind, and whether their marker can be read.
    pull_requests: BTreeMap<Kind, bool>,
    /// What an open tracking issue is about that no pull request answers. One
    /// whose every finding is answered by a pull request stays until that is
    /// merged, and is not opened: both are right.
    issue: Issue,
    branches: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Issue {
    NoneNeeded,
    Open(FindingSet),
    Unreadable,
}

impl End {
    pub async fn of(life: &Life) -> End {
        let name = life.name();
        let id = life.github.repository_id(&name);
        let inspection = life.muster.plan(&name).await;
        let plan = &inspection.plan;
        assert!(plan.changes.is_empty(), "there is still something to do: {plan}");
        let (visibility, branches): (_, Vec<String>) = life.github.state(|state| {
            let home = state.repository(id).unwrap();
            (home.visibility, home.branches().map(|(name, _)| name.to_owned()).collect())
        });
        let there = |file: &&File| life.github.file(&name, "main", file.path()).is_some();
        let findings =
            inspection.report.findings(Severity::Recommended).map(|(rule, f)| (rule, f.gap)).collect();
        let standing = |kind: Kind| {
            let item = life.open(kind).into_iter().next()?;
            Some((kind, item.marker.is_some()))
        };
        let end = End {
            visibility,
            files: File::ALL.iter().filter(there).map(|file| file.path()).collect(),
            findings,
            declined: declined(life).await,
            pull_requests: Kind::PULL_REQUESTS.into_iter().filter_map(standing).collect(),
            issue: issue(life).await,
            branches,
            name,
        };
        agrees(life).await;
        end
    }
}

async fn issue(life: &Life) -> Issue {
    let Some(item) = life.open(Kind::Tracking).into_iter().next() else { return Issue::NoneNeeded };
    if item.marker.is_none() {
        return Issue::Unreadable;
    }
    let counted = counted(life).await;
    assert!(item.speaks_of(&counted), "the issue does not speak of {counted}: {}", item.body);
    let open: FindingSet = counted.iter().filter(|finding| life.covered_by(*finding).is_none()).collect();
    if open.is_empty() { Issue::NoneNeeded } else { Issue::Open(open) }
}

/// What the repository lacks now, as far as the policy raises it and nobody
/// declined it.
pub async fn counted(life: &Life) -> FindingSet {
    let report = life.muster.plan(&life.name()).await.report;
    let declined = declined(life).await;
    report
        .judgements
        .iter()
        .filter(|judgement| judgement.severity >= Severity::Required)
        .filter_map(|judgement| match &judgement.outcome {
            Outcome::Fail(finding) => Some((judgement.rule, finding.gap)),
            Outcome::Pass(_) | Outcome::Waived { .. } | Outcome::Unknown { .. } => None,
        })
        .filter(|(rule, gap)| !declined.contains(*rule, *gap))
        .collect()
}

/// The declines in force: of each finding the last decision counts.
async fn declined(life: &Life) -> FindingSet {
    let id = RepositoryId(life.github.repository_id(&life.name()));
    let mut declined: BTreeSet<Finding> = BTreeSet::new();
    for decision in life.muster.ctx.store.decisions(id).await.unwrap() {
        for finding in decision.decision.findings.iter() {
            match decision.decision.status {
                DecisionStatus::Declined => declined.insert(finding),
                DecisionStatus::Requested
                | DecisionStatus::Waived
                | DecisionStatus::Denied
                | DecisionStatus::Expired
                | DecisionStatus::Withdrawn => declined.remove(&finding),
            };
        }
    }
    declined.into_iter().collect()
}

/// The ledger knows what is open on GitHub, and nothing else.
async fn agrees(life: &Life) {
    let id = RepositoryId(life.github.repository_id(&life.name()));
    let rows = life.muster.ctx.store.outstanding(id).await.unwrap();
    let begun: Vec<_> = rows.iter().filter(|row| row.state == State::Creating).collect();
    assert!(begun.is_empty(), "begun and never settled: {begun:#?}");
    for kind in KINDS {
        let known: Vec<u64> = rows
            .iter()
            .filter(|row| row.kind == kind && row.state == State::Open)
            .filter_map(|row| row.number)
            .collect();
        let open: Vec<u64> = life.open(kind).iter().map(|item| item.number).collect();
        assert_eq!(known, open, "{kind}: what the ledger has open, what GitHub has open");
    }
}
