//! What holds a creation back: grace, pace, hours (etiquette 4.2 and 4.5).

use std::time::Duration;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{Cause, DAY, HOUR, Planner};
use crate::domain::{
    finding::{Finding, FindingSet, RuleId, Severity},
    marker::Kind,
    outgoing::NewFile,
    policy::Mode,
    rollout::FREE,
};

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Between two new pull requests about `code.json` (etiquette 4.4).
pub const QUARTER: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// After this time a rule that takes effect may open something (etiquette 4.2).
const RULE_GRACE: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// The least time between two evaluations that a sweep's finding needs.
const BETWEEN_EVALUATIONS: Duration = HOUR;
/// Seconds: see [`Planner::a_day_after`].
const TOGETHER: i64 = 10 * 60;

/// Whether something is held back.
pub(super) enum Brake {
    Off,
    Later {
        why: String,
        until: Timestamp,
    },
    /// A person must have seen the numbers first; why.
    Approval(String),
    No(String),
}

impl Brake {
    /// 1 for what is opened now or later, 0 for what is not.
    pub(super) fn lets_it_come(&self) -> u32 {
        match self {
            Brake::Off | Brake::Later { .. } | Brake::Approval(_) => 1,
            Brake::No(_) => 0,
        }
    }
}

impl Planner<'_> {
    /// Until when this finding has grace, if it still has: a new repository is
    /// left alone, and so is everyone when a rule is new.
    fn grace(&self, rule: RuleId) -> Option<(Timestamp, &'static str)> {
        let new_for = DAY * self.s.policy.repositories.new_for;
        let created = self.s.snapshot.repository.created_at;
        let arrived = self.s.history.arrived_at.map_or(created, |arrived| arrived.max(created)) + new_for;
        let rule_from = self.s.policy.rules.since(rule).and_then(midnight).map(|since| since + RULE_GRACE);
        let new_repository = (arrived, "the repository is new");
        let new_rule = rule_from.map(|until| (until, "the rule is new"));
        [Some(new_repository), new_rule]
            .into_iter()
            .flatten()
            .filter(|(until, _)| self.now < *until)
            .max_by_key(|(until, _)| *until)
    }

    /// Whether the repository got its pull requests of this week, counting one
    /// that this plan opens.
    fn enough_this_week(&self, one_opened: bool) -> Option<Brake> {
        let allowed = self.s.policy.limits.per_repository_per_week as usize;
        if allowed == 0 {
            return Some(Brake::No("the policy allows none a week".to_owned()));
        }
        let begun = self.s.outstanding.pull_requests_at.iter();
        let mut recent: Vec<Timestamp> = begun.map(|(_, at)| *at).collect();
        recent.extend(one_opened.then_some(self.now));
        recent.retain(|at| self.now < *at + WEEK);
        recent.sort_unstable();
        // The one whose week must end before there is room again.
        let oldest = recent.len().checked_sub(allowed).map(|at| recent[at])?;
        let why = match allowed {
            1 => "one new pull request a week is enough".to_owned(),
            more => format!("{more} new pull requests a week are enough"),
        };
        Some(Brake::Later { why, until: oldest + WEEK })
    }

    /// Whether a pull request of a kind that comes once a quarter was begun
    /// within this one (etiquette 4.4).
    fn enough_this_quarter(&self, kind: Kind) -> Option<Brake> {
        match kind {
            Kind::CodeJson => {}
            Kind::License | Kind::Files | Kind::Tracking | Kind::Digest | Kind::Inventory => return None,
        }
        let begun = self.s.outstanding.pull_requests_at.iter().filter(|(of, _)| *of == kind);
        let until = begun.map(|(_, at)| *at).max()? + QUARTER;
        (self.now < until)
            .then(|| Brake::Later { why: "one about code.json a quarter is enough".to_owned(), until })
    }

    pub(super) fn may_open_pull_request(&self, kind: Kind, wanted: &[NewFile], one_opened: bool) -> Brake {
        let spent = &self.s.spent;
        if self.mode() < Mode::Fix {
            return Brake::No(format!("the mode is {}", self.mode().as_str()));
        }
        let in_grace = wanted.iter().filter_map(|file| self.grace(file.rule)).max_by_key(|(until, _)| *until);
        if let Some((until, why)) = in_grace {
            return Brake::Later { why: why.to_owned(), until };
        }
        if self.s.outstanding.begun.contains(&kind) {
            return self.in_the_window();
        }
        if let Some(brake) = self.enough_this_quarter(kind).or_else(|| self.enough_this_week(one_opened)) {
            return brake;
        }
        let allowed = self.s.pull_requests_a_day(self.now);
        if spent.pull_requests_today >= allowed {
            let why = format!("{allowed} pull requests a day are enough for the organization");
            return Brake::Later { why, until: self.a_day_after(spent.oldest_pull_request_today) };
        }
        self.may_create()
    }

    pub(super) fn may_open_issue(&self, left: &[(RuleId, &Finding)]) -> Brake {
        if self.mode() < Mode::Issue {
            return Brake::No(format!("the mode is {}", self.mode().as_str()));
        }
        let limits = &self.s.policy.limits;
        // One finding past its grace is enough; the others are listed with it.
        let graces: Vec<_> = left.iter().map(|(rule, _)| self.grace(*rule)).collect();
        if graces.iter().all(Option::is_some)
            && let Some((until, why)) = graces.into_iter().flatten().min_by_key(|(until, _)| *until)
        {
            return Brake::Later { why: why.to_owned(), until };
        }
        if self.s.cause == Cause::Sweep
            && let Some(until) = self.second_look()
        {
            return Brake::Later { why: "a sweep must see it twice, an hour apart".to_owned(), until };
        }
        if self.s.outstanding.begun.contains(&Kind::Tracking) {
            return self.in_the_window();
        }
        if self.s.spent.issues_today >= limits.issues_per_day {
            let why = format!("{} issues a day are enough for the organization", limits.issues_per_day);
            return Brake::Later { why, until: self.a_day_after(self.s.spent.oldest_issue_today) };
        }
        self.may_create()
    }

    /// The brakes that issues and pull requests share.
    fn may_create(&self) -> Brake {
        if self.s.spent.rollout.holds() {
            return Brake::Approval(match self.s.spent.rollout.wanted {
                Some(wanted) => format!("{wanted} are asked for, and after {FREE} a person must approve"),
                None => format!("after {FREE} all repositories must be looked at first"),
            });
        }
        if self.s.spent.open >= self.s.policy.limits.open {
            let why = format!("{} open issues and pull requests are enough", self.s.policy.limits.open);
            // No moment is known at which people will have closed one.
            return Brake::Later { why, until: self.now + DAY };
        }
        self.in_the_window()
    }

    /// When what was begun then is no longer of the last 24 hours; on the next
    /// ten minutes, so that all who wait for room look once, not once for each
    /// of those that were begun a few seconds apart.
    fn a_day_after(&self, oldest: Option<Timestamp>) -> Timestamp {
        let Some(oldest) = oldest else { return self.now + HOUR };
        let end = (oldest + DAY).as_second();
        let rounded = Timestamp::from_second(end - end.rem_euclid(TOGETHER) + TOGETHER);
        rounded.ok().filter(|end| *end > self.now).unwrap_or(self.now + HOUR)
    }

    pub(super) fn in_the_window(&self) -> Brake {
        if self.s.policy.quiet.open_at(self.now) {
            return Brake::Off;
        }
        match self.s.policy.quiet.next_open(self.now) {
            Some(until) => Brake::Later { why: "it is outside the hours of the policy".to_owned(), until },
            None => Brake::No("the hours of the policy never come".to_owned()),
        }
    }

    /// When the second evaluation of the same findings may count, if it has
    /// not been made yet.
    fn second_look(&self) -> Option<Timestamp> {
        let now: FindingSet =
            self.s.report.findings(Severity::Recommended).map(|(r, f)| (r, f.gap)).collect();
        let same = self.s.history.findings == now;
        if same && self.s.history.confirmed {
            return None;
        }
        let since = self.s.history.since.filter(|_| same).unwrap_or(self.now);
        let second = since + BETWEEN_EVALUATIONS;
        (self.now < second).then_some(second)
    }
}

/// The beginning of a day of the policy, which names no time zone: UTC.
pub(super) fn midnight(date: Date) -> Option<Timestamp> {
    date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}
