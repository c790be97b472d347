//! New pull requests: which files, and whether now (etiquette 4.3).

use super::{Change, Draft, NewPullRequest, Planner, Proposed, brakes::Brake, files, kind_for};
use crate::domain::{
    finding::{Finding, FindingSet, Outcome, RuleId},
    marker::Kind,
    observed::Item,
    outgoing::{Line, NewFile},
    outstanding::{Attempt, Because, Refused, Standing, Start},
    policy::Mode,
    render,
};

/// What is refused, in the words of [`super::WouldNot::what`].
fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::License => "open a pull request with a license",
        Kind::CodeJson => "open a pull request about code.json",
        Kind::Files | Kind::Tracking | Kind::Digest => "open a pull request with files",
        Kind::Inventory => "open a pull request with the inventory",
    }
}

impl Planner<'_> {
    /// Looks after those that are open, and opens at most one.
    pub(super) fn pull_requests(&self, draft: &mut Draft) -> Proposed {
        let mut proposed = Proposed::default();
        let mut one_opened = false;
        for kind in Kind::PULL_REQUESTS {
            if self.rests_on_unread(kind) {
                match self.s.outstanding.open(kind) {
                    Some(open) => self.open_pull_request(kind, open, draft),
                    None => self.wait_for_the_rest(kind, draft),
                }
                let of_kind =
                    |(rule, finding): &(RuleId, &Finding)| kind_for(*rule, finding.gap) == Some(kind);
                let findings = self.findings().filter(of_kind);
                proposed.cover(&findings.map(|(rule, finding)| (rule, finding.gap)).collect());
                continue;
            }
            let wanted = self.wanted_files(kind);
            match self.s.outstanding.standing(kind) {
                Standing::Open(open) => {
                    self.review_to_ask_for(kind, &open.item, draft);
                    self.open_pull_request(kind, open, draft);
                    let (carried, rest): (Vec<NewFile>, Vec<NewFile>) =
                        wanted.into_iter().partition(|file| carries(&open.item, file));
                    proposed.cover(&self.answered_by(&carried));
                    // What it does not carry, a later one may.
                    let rest = self.unrefused(kind, rest, &mut proposed, draft);
                    proposed.cover(&self.answered_by(&rest));
                }
                Standing::Blocked { .. } | Standing::Free(_) if wanted.is_empty() => {}
                Standing::Blocked { why, until } => {
                    draft.refuse(what(kind), why.clone(), *until);
                    if until.is_some() {
                        proposed.cover(&self.answered_by(&wanted));
                    }
                }
                Standing::Free(start) => {
                    let wanted = self.unrefused(kind, wanted, &mut proposed, draft);
                    if !wanted.is_empty() {
                        one_opened |= self.propose(kind, start, wanted, one_opened, &mut proposed, draft);
                    }
                }
            }
        }
        self.tidy_staging(draft);
        proposed
    }

    /// Whether what a pull request would say may be among what could not be read:
    /// the license, of `code.json`.
    pub(super) fn rests_on_unread(&self, kind: Kind) -> bool {
        let told = matches!(self.s.report.outcome(RuleId::License), Some(Outcome::Pass(_)));
        kind == Kind::CodeJson && self.s.snapshot.files.has_unread() && !told
    }

    /// What could not be read now may be read soon: nothing is opened, changed
    /// or closed for it meanwhile.
    fn wait_for_the_rest(&self, kind: Kind, draft: &mut Draft) {
        if self.findings().any(|(rule, finding)| kind_for(rule, finding.gap) == Some(kind)) {
            draft.refuse(what(kind), "something could not be read", None);
        }
    }

    /// A pull request is not complete until the team that the policy names was
    /// asked: one whose creation never was noted as done still wants it.
    fn review_to_ask_for(&self, kind: Kind, item: &Item, draft: &mut Draft) {
        let begun = self.s.outstanding.begun.contains(&kind) && self.mode() >= Mode::Fix;
        let Some(team) = self.s.policy.reviewers(kind).filter(|_| begun) else { return };
        let (number, node_id, team) = (item.number, item.node_id.clone(), team.to_owned());
        draft.change(Change::AskForReview { kind, number, node_id, team });
    }

    /// Opens one if no brake holds; whether it does.
    fn propose(
        &self,
        kind: Kind,
        start: &Start,
        wanted: Vec<NewFile>,
        one_opened: bool,
        proposed: &mut Proposed,
        draft: &mut Draft,
    ) -> bool {
        let findings = self.answered_by(&wanted);
        let brake = self.may_open_pull_request(kind, &wanted, one_opened);
        draft.plan.wants += brake.lets_it_come();
        match brake {
            Brake::Off => {
                proposed.cover(&findings);
                let new = self.new_pull_request(kind, start.clone(), wanted, findings);
                draft.change(Change::OpenPullRequest(Box::new(new)));
                return true;
            }
            Brake::Later { why, until } => {
                proposed.cover(&findings);
                draft.refuse(what(kind), why, Some(until));
            }
            Brake::Approval(why) => {
                proposed.cover(&findings);
                draft.refuse(what(kind), why, None);
            }
            Brake::No(why) => draft.refuse(what(kind), why, None),
        }
        false
    }

    /// The files that could answer what is missing now, but for what expired.
    pub(super) fn wanted_files(&self, kind: Kind) -> Vec<NewFile> {
        self.findings()
            .filter(|(rule, finding)| kind_for(*rule, finding.gap) == Some(kind))
            .filter(|(rule, finding)| self.s.outstanding.expiry_of(*rule, finding.gap, self.now).is_none())
            .filter_map(|(rule, _)| files::file_for(self.s, rule, self.now))
            .collect()
    }

    /// Of the wanted files those that GitHub lets us propose; the issue offers
    /// the others.
    fn unrefused(
        &self,
        kind: Kind,
        wanted: Vec<NewFile>,
        proposed: &mut Proposed,
        draft: &mut Draft,
    ) -> Vec<NewFile> {
        if self.mode() < Mode::Fix {
            return wanted;
        }
        let outstanding = &self.s.outstanding;
        let leftover = outstanding.leftovers.iter().any(|leftover| leftover.kind == kind);
        let in_the_way = outstanding.refusal_of(Attempt::Delete(kind), self.now).filter(|_| leftover);
        let Some(refused) = outstanding.refusal_of(Attempt::Open(kind), self.now).or(in_the_way) else {
            return wanted;
        };
        let (kept, offered): (Vec<NewFile>, Vec<NewFile>) =
            wanted.into_iter().partition(|file| refused.because == Because::Drafts && !file.draft);
        if !offered.is_empty() {
            draft.refuse(what(kind), refusal(refused), Some(refused.until()));
            proposed.offered.extend(offered);
        }
        kept
    }

    fn new_pull_request(
        &self,
        kind: Kind,
        start: Start,
        files: Vec<NewFile>,
        findings: FindingSet,
    ) -> NewPullRequest {
        let base = self.s.report.head.clone().expect("a repository without a commit is skipped by rule");
        let named = self.named(kind, &findings, &files, None);
        NewPullRequest {
            kind,
            branch: Line::of(&kind.branch(&self.s.policy.pull_request.branch_prefix)),
            base,
            start,
            title: render::pull_request_title(kind, &files),
            body: self.letter().pull_request(kind, &files, &named, None),
            draft: files.iter().any(|file| file.draft),
            reviewers: self.s.policy.reviewers(kind).map(str::to_owned),
            files,
            findings,
        }
    }
}

/// Whether an open pull request answers what this file would; one that was not
/// read whole does.
fn carries(item: &Item, file: &NewFile) -> bool {
    item.open_pull().is_none_or(|details| {
        let mut paths = details.files.iter().map(|(path, _)| path);
        paths.any(|path| files::rule_of(path) == Some(file.rule))
    })
}

/// A refusal of GitHub's as a reason of ours.
pub(super) fn refusal(refused: &Refused) -> String {
    match refused.because {
        Because::Rules | Because::Drafts | Because::Other => format!("GitHub refuses it: {}", refused.why),
        Because::Permission => format!("the App may not: {}", refused.why),
    }
}
