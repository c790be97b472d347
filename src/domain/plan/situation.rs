//! All that a plan rests on, besides time.

use jiff::Timestamp;

use super::{Change, DAY, Plan};
use crate::domain::{
    digest::Office,
    finding::{FindingSet, Report},
    marker::Identity,
    outgoing::PublicText,
    outstanding::Outstanding,
    own_file::Said,
    policy::{Mode, Policy},
    repository::Snapshot,
    rollout::Rollout,
};

/// Why a repository is inspected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A push or another event of the repository: one evaluation is enough.
    Event,
    /// A policy that was merged: one evaluation is enough.
    Policy,
    /// A sweep: what it learns must be seen twice, an hour apart.
    Sweep,
}

/// What was created so far, against the limits of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Pull requests begun in the organization in the last 24 hours.
    pub pull_requests_today: u32,
    /// Issues begun in the organization in the last 24 hours.
    pub issues_today: u32,
    /// When the first of these pull requests was begun: a day later there is
    /// room for another.
    pub oldest_pull_request_today: Option<Timestamp>,
    /// When the first of these issues was begun.
    pub oldest_issue_today: Option<Timestamp>,
    /// When the first pull request of all was begun there.
    pub first_pull_request_at: Option<Timestamp>,
    /// Issues and pull requests of ours that are open there.
    pub open: u32,
    /// How far what is in force was rolled out there.
    pub rollout: Rollout,
}

impl Spent {
    /// What the ledger counts `now`, and at least what was counted on before.
    #[must_use]
    pub fn or_more(self, now: Spent) -> Spent {
        let rollout = Rollout { created: now.rollout.created.max(self.rollout.created), ..now.rollout };
        Spent {
            pull_requests_today: now.pull_requests_today.max(self.pull_requests_today),
            issues_today: now.issues_today.max(self.issues_today),
            oldest_pull_request_today: now.oldest_pull_request_today.or(self.oldest_pull_request_today),
            oldest_issue_today: now.oldest_issue_today.or(self.oldest_issue_today),
            first_pull_request_at: now.first_pull_request_at.or(self.first_pull_request_at),
            open: now.open.max(self.open),
            rollout,
        }
    }

    /// Counts what a plan of another repository is about to open.
    pub fn add(&mut self, plan: &Plan, now: Timestamp) {
        for change in &plan.changes {
            match change {
                Change::OpenPullRequest(_) => {
                    self.pull_requests_today += 1;
                    self.oldest_pull_request_today.get_or_insert(now);
                    self.first_pull_request_at.get_or_insert(now);
                }
                Change::OpenIssue(new) if !new.kind.counts() => continue,
                Change::OpenIssue(_) => {
                    self.issues_today += 1;
                    self.oldest_issue_today.get_or_insert(now);
                }
                Change::DisableAutoMerge { .. }
                | Change::DeleteBranch { .. }
                | Change::CloseDuplicate { .. }
                | Change::RefreshPullRequest(_)
                | Change::DescribePullRequest(_)
                | Change::ClosePullRequest(_)
                | Change::AskForReview { .. }
                | Change::EditIssue { .. }
                | Change::CloseIssue { .. } => continue,
            }
            self.open += 1;
            self.rollout.created += 1;
        }
    }
}

/// What the memory holds about one repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// When it came into an organization that was already watched, or got its
    /// first commit under our eyes.
    pub arrived_at: Option<Timestamp>,
    /// The findings of the last evaluations, unchanged since then.
    pub findings: FindingSet,
    /// When these findings were first seen.
    pub since: Option<Timestamp>,
    /// Whether an event or a policy made them visible once: then a sweep need
    /// not see them twice.
    pub confirmed: bool,
}

/// All that a plan rests on, besides time.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The policy as it holds for this repository.
    pub policy: &'a Policy,
    /// The mode of the organization: if the repository's is lower, its people
    /// have opted out.
    pub organization_mode: Mode,
    /// What was read.
    pub snapshot: &'a Snapshot,
    /// What the judge says of it.
    pub report: &'a Report,
    /// What of ours stands.
    pub outstanding: &'a Outstanding,
    /// What was created so far.
    pub spent: Spent,
    /// What the memory holds.
    pub history: &'a History,
    /// Why we look.
    pub cause: Cause,
    /// Who we are.
    pub identity: &'a Identity,
    /// What is known of its `code.json` beside what was read.
    pub said: &'a Said,
    /// What is known of the office's digest.
    pub office: Office<'a>,
    /// The page of the policy, for people.
    pub policy_page: Option<&'a PublicText>,
}

impl Situation<'_> {
    /// How many pull requests the organization may get in 24 hours: fewer on
    /// its first day.
    #[must_use]
    pub fn pull_requests_a_day(&self, now: Timestamp) -> u32 {
        let limits = &self.policy.limits;
        let first_day = self.spent.first_pull_request_at.is_none_or(|first| now < first + DAY);
        if first_day { limits.first_day.min(limits.per_day) } else { limits.per_day }
    }
}
