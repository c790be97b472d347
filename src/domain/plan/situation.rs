//! All that a plan rests on, besides time.

use jiff::Timestamp;

use super::DAY;
use crate::domain::{
    finding::{FindingSet, Report},
    marker::Identity,
    outgoing::PublicText,
    outstanding::Outstanding,
    policy::{Mode, Policy},
    repository::Snapshot,
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
    /// When the first pull request of all was begun there.
    pub first_pull_request_at: Option<Timestamp>,
    /// Issues and pull requests of ours that are open there.
    pub open: u32,
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
