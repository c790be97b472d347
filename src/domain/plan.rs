//! What to do about a report: a pure function from values to a plan.
//!
//! Promises: (1) a plan is data and prints itself, one line a change; (2) it
//! says what it would not do, and why; (3) [`Plan::due`] is the next moment at
//! which time alone could change it; (4) planning again after the plan was
//! applied gives the empty plan; (5) an unknown outcome opens and closes
//! nothing; (6) the brakes (mode, pace, window, grace) are part of the plan.

mod files;
mod print;
#[cfg(test)]
mod tests;

pub use files::kind_for;

use std::time::Duration;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    finding::{Finding, FindingSet, Gap, Outcome, Report, RuleId, Severity},
    marker::{Identity, Kind},
    observed::{Branch, Item},
    outgoing::{Line, NewFile, PublicText},
    outstanding::{Outstanding, Standing, Start},
    policy::{Mode, Policy},
    render::{self, Letter},
    repository::{Head, Snapshot},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// After this time a rule that takes effect may open something (etiquette 4.2).
const RULE_GRACE: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// The least time between two evaluations that a sweep's finding needs.
const BETWEEN_EVALUATIONS: Duration = Duration::from_secs(60 * 60);

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

/// A pull request to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPullRequest {
    /// License or files.
    pub kind: Kind,
    /// The branch to make.
    pub branch: Line,
    /// The tip of the default branch that everything rests on.
    pub base: Head,
    /// How far an earlier attempt came.
    pub start: Start,
    /// Its title, which is also the commit's subject.
    pub title: Line,
    /// Its body.
    pub body: PublicText,
    /// The files it adds.
    pub files: Vec<NewFile>,
    /// Whether a person has to fill in something first.
    pub draft: bool,
    /// The slug of the team that is asked once to review it, if the policy
    /// names one.
    pub reviewers: Option<String>,
    /// The findings it answers.
    pub findings: FindingSet,
}

/// The tracking issue to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIssue {
    /// Its title.
    pub title: Line,
    /// Its body.
    pub body: PublicText,
    /// Its label.
    pub label: String,
    /// Whether the label has to be made first.
    pub create_label: bool,
    /// The findings it lists.
    pub findings: FindingSet,
}

/// One thing to do on GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Remove the branch of a merged pull request of ours.
    DeleteBranch(Branch),
    /// Close a second item of ours of the same kind, without a word.
    CloseDuplicate {
        /// What it is.
        kind: Kind,
        /// Its number.
        number: u64,
    },
    /// Open a pull request.
    OpenPullRequest(Box<NewPullRequest>),
    /// Ask a team to review a pull request that was opened when its answer, or
    /// that of the asking, was lost.
    AskForReview {
        /// What it is.
        kind: Kind,
        /// Its number.
        number: u64,
        /// GraphQL's global id.
        node_id: String,
        /// The slug of the team.
        team: String,
    },
    /// Open the tracking issue.
    OpenIssue(Box<NewIssue>),
    /// Write the tracking issue anew, since its findings changed.
    EditIssue {
        /// Its number.
        number: u64,
        /// The new body.
        body: PublicText,
        /// The findings it now lists.
        findings: FindingSet,
    },
    /// Close the tracking issue: nothing is left to do.
    CloseIssue {
        /// Its number.
        number: u64,
    },
}

/// Something that is not done, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WouldNot {
    /// What.
    pub what: &'static str,
    /// Why, in a sentence without its full stop.
    pub why: String,
    /// When this reason ends by itself.
    pub until: Option<Timestamp>,
}

/// What to do about one repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// What to do, in this order.
    pub changes: Vec<Change>,
    /// What is left undone, and why.
    pub would_not: Vec<WouldNot>,
    /// The next moment at which time alone could change the plan.
    pub due: Option<Timestamp>,
}

impl Plan {
    /// Whether the plan opens something of this kind.
    #[must_use]
    pub fn creates(&self, kind: Kind) -> bool {
        self.changes.iter().any(|change| match change {
            Change::OpenPullRequest(new) => new.kind == kind,
            Change::OpenIssue(_) => kind == Kind::Tracking,
            Change::DeleteBranch(_)
            | Change::CloseDuplicate { .. }
            | Change::AskForReview { .. }
            | Change::EditIssue { .. }
            | Change::CloseIssue { .. } => false,
        })
    }

    fn refuse(&mut self, what: &'static str, why: impl Into<String>, until: Option<Timestamp>) {
        self.would_not.push(WouldNot { what, why: why.into(), until });
    }
}

const FILES: &str = "open a pull request with files";
const LICENSE: &str = "open a pull request with a license";
const ISSUE: &str = "open an issue";

/// Plans what to do at `now`.
#[must_use]
pub fn plan(situation: &Situation<'_>, now: Timestamp) -> Plan {
    let planner = Planner { s: situation, now };
    let mut plan = Plan::default();
    planner.tidy(&mut plan);
    if situation.report.skipped.is_none() && !situation.snapshot.repository.archived {
        let covered = planner.pull_requests(&mut plan);
        planner.tracking_issue(&covered, &mut plan);
    }
    let ends = plan.would_not.iter().filter_map(|refused| refused.until);
    plan.due = ends.filter(|until| *until > now).min();
    plan
}

/// What the tracking issue lists at `now`, whether one is open or not.
#[must_use]
pub fn listed(situation: &Situation<'_>, now: Timestamp) -> FindingSet {
    let planner = Planner { s: situation, now };
    planner.findings().map(|(rule, finding)| (rule, finding.gap)).collect()
}

struct Planner<'a> {
    s: &'a Situation<'a>,
    now: Timestamp,
}

impl<'a> Planner<'a> {
    fn mode(&self) -> Mode {
        self.s.policy.mode
    }

    /// What our own leftovers need; allowed in every mode that writes at all.
    fn tidy(&self, plan: &mut Plan) {
        if self.mode() < Mode::Issue || self.s.snapshot.repository.archived {
            return;
        }
        for item in &self.s.outstanding.duplicates {
            let kind =
                if item.branch.is_none() { Kind::Tracking } else { self.kind_of(item.branch.as_deref()) };
            plan.changes.push(Change::CloseDuplicate { kind, number: item.number });
        }
        if self.mode() >= Mode::Fix {
            plan.changes.extend(self.s.outstanding.leftovers.iter().cloned().map(Change::DeleteBranch));
        }
    }

    fn kind_of(&self, branch: Option<&str>) -> Kind {
        let prefix = &self.s.policy.pull_request.branch_prefix;
        let is_license = branch == Some(Kind::License.branch(prefix).as_str());
        if is_license { Kind::License } else { Kind::Files }
    }

    /// The findings that count now: heavy enough for the policy to raise them
    /// (`issue.from`), and not declined. What is only recommended is reported,
    /// and nobody is asked for it.
    fn findings(&self) -> impl Iterator<Item = (RuleId, &'a Finding)> {
        let s = self.s;
        let now = self.now;
        let from = s.policy.issue.from;
        s.report.judgements.iter().filter(move |judgement| judgement.severity >= from).filter_map(
            move |judgement| match &judgement.outcome {
                Outcome::Fail(finding) => {
                    let declined = s.outstanding.decline_of(judgement.rule, finding.gap, now).is_some();
                    (!declined).then_some((judgement.rule, finding))
                }
                Outcome::Pass(_) | Outcome::Waived { .. } | Outcome::Unknown { .. } => None,
            },
        )
    }

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

    /// Opens at most one pull request; returns the findings that one of ours
    /// answers, now or as soon as the brakes allow.
    fn pull_requests(&self, plan: &mut Plan) -> FindingSet {
        let mut covered = FindingSet::default();
        let mut one_opened = false;
        for kind in [Kind::License, Kind::Files] {
            let what = if kind == Kind::License { LICENSE } else { FILES };
            let wanted = self.wanted_files(kind);
            match self.s.outstanding.standing(kind) {
                Standing::Open { item, .. } => {
                    covered = covered.iter().chain(self.answered_by(kind)).collect();
                    plan.changes.extend(self.review_to_ask_for(kind, item));
                    continue;
                }
                Standing::Blocked { why, until } if !wanted.is_empty() => {
                    plan.refuse(what, why.clone(), *until);
                    if until.is_some() {
                        covered = covered.iter().chain(set_of(&wanted, self).iter()).collect();
                    }
                    continue;
                }
                Standing::Blocked { .. } => continue,
                Standing::Free(_) if wanted.is_empty() => continue,
                Standing::Free(start) => {
                    let findings = set_of(&wanted, self);
                    match self.may_open_pull_request(kind, &wanted, one_opened) {
                        Brake::Off => {
                            covered = covered.iter().chain(findings.iter()).collect();
                            one_opened = true;
                            let new = self.new_pull_request(kind, start.clone(), wanted, findings);
                            plan.changes.push(Change::OpenPullRequest(Box::new(new)));
                        }
                        Brake::Later { why, until } => {
                            covered = covered.iter().chain(findings.iter()).collect();
                            plan.refuse(what, why, Some(until));
                        }
                        Brake::No(why) => plan.refuse(what, why, None),
                    }
                }
            }
        }
        covered
    }

    /// The findings an open pull request of ours answers: of what is missing
    /// now, what its kind could add.
    fn answered_by(&self, kind: Kind) -> Vec<(RuleId, Gap)> {
        self.findings()
            .filter(|(rule, finding)| files::kind_for(*rule, finding.gap) == Some(kind))
            .map(|(rule, finding)| (rule, finding.gap))
            .collect()
    }

    /// A pull request is not complete until the team that the policy names was
    /// asked: one whose creation never was noted as done still wants it.
    fn review_to_ask_for(&self, kind: Kind, item: &Item) -> Option<Change> {
        let begun = self.s.outstanding.begun.contains(&kind) && self.mode() >= Mode::Fix;
        let team = self.s.policy.reviewers(kind).filter(|_| begun)?.to_owned();
        Some(Change::AskForReview { kind, number: item.number, node_id: item.node_id.clone(), team })
    }

    fn wanted_files(&self, kind: Kind) -> Vec<NewFile> {
        self.findings()
            .filter(|(rule, finding)| files::kind_for(*rule, finding.gap) == Some(kind))
            .filter_map(|(rule, _)| files::file_for(self.s, rule, self.now))
            .collect()
    }

    /// Whether the repository got its pull requests of this week, counting one
    /// that this plan opens.
    fn enough_this_week(&self, one_opened: bool) -> Option<Brake> {
        let allowed = self.s.policy.limits.per_repository_per_week as usize;
        if allowed == 0 {
            return Some(Brake::No("the policy allows none a week".to_owned()));
        }
        let mut recent: Vec<Timestamp> = self.s.outstanding.pull_requests_at.clone();
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

    fn may_open_pull_request(&self, kind: Kind, wanted: &[NewFile], one_opened: bool) -> Brake {
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
        if let Some(brake) = self.enough_this_week(one_opened) {
            return brake;
        }
        let allowed = self.s.pull_requests_a_day(self.now);
        if spent.pull_requests_today >= allowed {
            let why = format!("{allowed} pull requests a day are enough for the organization");
            return Brake::Later { why, until: self.now + Duration::from_secs(3600) };
        }
        self.may_create()
    }

    /// The brakes that issues and pull requests share.
    fn may_create(&self) -> Brake {
        if self.s.spent.open >= self.s.policy.limits.open {
            let why = format!("{} open issues and pull requests are enough", self.s.policy.limits.open);
            return Brake::Later { why, until: self.now + Duration::from_secs(3600) };
        }
        self.in_the_window()
    }

    fn in_the_window(&self) -> Brake {
        if self.s.policy.quiet.open_at(self.now) {
            return Brake::Off;
        }
        match self.s.policy.quiet.next_open(self.now) {
            Some(until) => Brake::Later { why: "it is outside the hours of the policy".to_owned(), until },
            None => Brake::No("the hours of the policy never come".to_owned()),
        }
    }

    fn new_pull_request(
        &self,
        kind: Kind,
        start: Start,
        files: Vec<NewFile>,
        findings: FindingSet,
    ) -> NewPullRequest {
        let letter = self.letter();
        let base = self.s.report.head.clone().expect("a repository without a commit is skipped by rule");
        NewPullRequest {
            kind,
            branch: Line::of(&kind.branch(&self.s.policy.pull_request.branch_prefix)),
            base,
            start,
            title: render::pull_request_title(kind, &files),
            body: letter.pull_request(kind, &files, &findings),
            draft: files.iter().any(|file| file.draft),
            reviewers: self.s.policy.reviewers(kind).map(str::to_owned),
            files,
            findings,
        }
    }

    fn letter(&self) -> Letter<'a> {
        Letter {
            repository: &self.s.snapshot.repository,
            policy: self.s.policy,
            policy_page: self.s.policy_page,
            identity: self.s.identity,
        }
    }

    fn tracking_issue(&self, covered: &FindingSet, plan: &mut Plan) {
        let open: Vec<(RuleId, &Finding)> = self.findings().collect();
        let all: FindingSet = open.iter().map(|(rule, finding)| (*rule, finding.gap)).collect();
        let left: Vec<(RuleId, &Finding)> =
            open.iter().copied().filter(|(rule, finding)| !covered.contains(*rule, finding.gap)).collect();
        match &self.s.outstanding.tracking {
            Standing::Open { item, findings } => {
                if self.mode() < Mode::Issue {
                    return;
                }
                if all.is_empty() {
                    if self.s.report.has_unknown() {
                        plan.refuse("close the issue", "something could not be checked", None);
                    } else {
                        plan.changes.push(Change::CloseIssue { number: item.number });
                    }
                } else if all.hash() != *findings && !self.s.report.has_unknown() {
                    let body = self.letter().tracking_issue(self.s.report, &open, covered, &all);
                    plan.changes.push(Change::EditIssue { number: item.number, body, findings: all });
                }
            }
            Standing::Blocked { why, until } if !left.is_empty() => plan.refuse(ISSUE, why.clone(), *until),
            Standing::Blocked { .. } => {}
            Standing::Free(_) if left.is_empty() => {
                if !open.is_empty() {
                    plan.refuse(ISSUE, "the pull request answers the same finding", None);
                }
            }
            Standing::Free(_) => match self.may_open_issue(&left) {
                Brake::Off => {
                    let body = self.letter().tracking_issue(self.s.report, &open, covered, &all);
                    plan.changes.push(Change::OpenIssue(Box::new(NewIssue {
                        title: render::tracking_title(),
                        body,
                        label: self.s.policy.issue.label.clone(),
                        create_label: !self.s.outstanding.label_exists,
                        findings: all,
                    })));
                }
                Brake::Later { why, until } => plan.refuse(ISSUE, why, Some(until)),
                Brake::No(why) => plan.refuse(ISSUE, why, None),
            },
        }
    }

    fn may_open_issue(&self, left: &[(RuleId, &Finding)]) -> Brake {
        if self.mode() < Mode::Issue {
            return Brake::No(format!("the mode is {}", self.mode().as_str()));
        }
        if !self.s.snapshot.repository.issues_enabled {
            return Brake::No("issues are disabled there".to_owned());
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
            return Brake::Later { why, until: self.now + Duration::from_secs(3600) };
        }
        self.may_create()
    }

    /// When the second evaluation of the same findings may count, if it has
    /// not been made yet.
    fn second_look(&self) -> Option<Timestamp> {
        let now: FindingSet =
            self.s.report.findings(Severity::Recommended).map(|(r, f)| (r, f.gap)).collect();
        let same = self.s.history.findings == now;
        let since = self.s.history.since.filter(|_| same).unwrap_or(self.now);
        let second = since + BETWEEN_EVALUATIONS;
        (self.now < second).then_some(second)
    }
}

enum Brake {
    Off,
    Later { why: String, until: Timestamp },
    No(String),
}

fn set_of(files: &[NewFile], planner: &Planner<'_>) -> FindingSet {
    planner
        .findings()
        .filter(|(rule, _)| files.iter().any(|file| file.rule == *rule))
        .map(|(rule, finding)| (rule, finding.gap))
        .collect()
}

/// The beginning of a day of the policy, which names no time zone: UTC.
fn midnight(date: Date) -> Option<Timestamp> {
    date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}
