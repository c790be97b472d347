//! What to do about a report: a pure function from values to a plan.
//!
//! Promises: (1) a plan is data and prints itself, one line a change; (2) it
//! says what it would not do, and why; (3) [`Plan::due`] is the next moment at
//! which time alone could change it; (4) planning again after the plan was
//! applied gives the empty plan; (5) an unknown outcome opens and closes
//! nothing; (6) the brakes (mode, pace, window, grace) are part of the plan;
//! (7) what somebody else has worked on is left to them.

mod brakes;
mod change;
mod digest;
mod files;
mod hold;
#[cfg(test)]
mod law;
mod print;
mod propose;
mod refresh;
mod scope;
mod situation;
#[cfg(test)]
mod tests;
mod tidy;
mod tracking;

pub use brakes::QUARTER;
pub use change::{
    Change, ClosePullRequest, Closing, Description, NewIssue, NewPullRequest, Plan, Refresh, RefreshCause,
    WouldNot,
};
pub use digest::FOR_AN_HOUR;
pub use files::kind_for;
pub use hold::Hold;
pub use situation::{Cause, History, Situation, Spent};
pub use tracking::listed;

use std::time::Duration;

use jiff::Timestamp;

use super::{
    finding::{Finding, FindingSet, Outcome, RuleId},
    outgoing::NewFile,
    policy::Mode,
    render::Letter,
};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Plans what to do at `now`.
#[must_use]
pub fn plan(situation: &Situation<'_>, now: Timestamp) -> Plan {
    let planner = Planner { s: situation, now };
    let mut draft = Draft::default();
    draft.moments.extend(situation.outstanding.declined.iter().filter_map(|declined| declined.until));
    let rules = RuleId::ALL.into_iter().filter_map(|rule| situation.policy.rules.since(rule));
    draft.moments.extend(rules.filter_map(brakes::midnight));
    let repository = &situation.snapshot.repository;
    // Nothing can be written there.
    if !repository.archived && !repository.disabled {
        planner.tidy(&mut draft);
        planner.digest_issue(&mut draft);
        if situation.report.skipped.is_some() {
            planner.out_of_scope(&mut draft);
        } else {
            let proposed = planner.pull_requests(&mut draft);
            planner.tracking_issue(&proposed, &mut draft);
        }
    }
    draft.finish(now)
}

/// A plan in the making.
#[derive(Default)]
struct Draft {
    plan: Plan,
    /// Moments at which time alone could change the plan, beside those at
    /// which a refusal of ours ends.
    moments: Vec<Timestamp>,
}

impl Draft {
    fn change(&mut self, change: Change) {
        self.plan.changes.push(change);
    }

    fn refuse(&mut self, what: &'static str, why: impl Into<String>, until: Option<Timestamp>) {
        self.plan.would_not.push(WouldNot { what, why: why.into(), until });
    }

    fn finish(self, now: Timestamp) -> Plan {
        let mut plan = self.plan;
        let ends = plan.would_not.iter().filter_map(|refused| refused.until);
        // What the changes make will be looked at again some day.
        let made = plan.changes.iter().filter_map(|change| change.due(now));
        plan.due = ends.chain(made).chain(self.moments).filter(|moment| *moment > now).min();
        plan
    }
}

/// What pull requests do about the findings.
#[derive(Default)]
struct Proposed {
    /// Findings that a pull request answers, now or as soon as the brakes
    /// allow.
    covered: FindingSet,
    /// Files of pull requests that GitHub refuses: the issue carries them.
    offered: Vec<NewFile>,
}

impl Proposed {
    fn cover(&mut self, findings: &FindingSet) {
        self.covered = self.covered.iter().chain(findings.iter()).collect();
    }
}

struct Planner<'a> {
    s: &'a Situation<'a>,
    now: Timestamp,
}

impl<'a> Planner<'a> {
    fn mode(&self) -> Mode {
        self.s.policy.mode
    }

    /// The findings that count now: heavy enough for the policy to raise them
    /// (`issue.from`), and not declined. What is only recommended is reported,
    /// and nobody is asked for it.
    fn findings(&self) -> impl Iterator<Item = (RuleId, &'a Finding)> {
        let (s, now) = (self.s, self.now);
        self.failures()
            .filter(move |(rule, finding)| s.outstanding.decline_of(*rule, finding.gap, now).is_none())
    }

    /// The findings that the policy raises, declined or not.
    fn failures(&self) -> impl Iterator<Item = (RuleId, &'a Finding)> {
        let from = self.s.policy.issue.from;
        self.s.report.judgements.iter().filter(move |judgement| judgement.severity >= from).filter_map(
            |judgement| match &judgement.outcome {
                Outcome::Fail(finding) => Some((judgement.rule, finding)),
                Outcome::Pass(_) | Outcome::Waived { .. } | Outcome::Unknown { .. } => None,
            },
        )
    }

    /// The findings that these files answer.
    fn answered_by(&self, files: &[NewFile]) -> FindingSet {
        self.findings()
            .filter(|(rule, _)| files.iter().any(|file| file.rule == *rule))
            .map(|(rule, finding)| (rule, finding.gap))
            .collect()
    }

    fn letter(&self) -> Letter<'a> {
        Letter {
            repository: &self.s.snapshot.repository,
            policy: self.s.policy,
            policy_page: self.s.policy_page,
            identity: self.s.identity,
        }
    }
}
