//! The tracking issue: opened, kept up to date, closed (etiquette 4.2).

use jiff::Timestamp;

use super::{
    Change, Closing, Draft, NewIssue, Planner, Proposed, Situation, brakes::Brake, propose::refusal,
};
use crate::domain::{
    finding::{Finding, FindingSet, FindingsHash, RuleId},
    marker::Kind,
    outstanding::{Attempt, OpenItem, Standing},
    policy::Mode,
    render::{self, Checklist},
};

/// What the tracking issue lists at `now`, whether one is open or not.
#[must_use]
pub fn listed(situation: &Situation<'_>, now: Timestamp) -> FindingSet {
    let planner = Planner { s: situation, now };
    planner.findings().map(|(rule, finding)| (rule, finding.gap)).collect()
}

const OPEN: &str = "open an issue";
const EDIT: &str = "edit the issue";
pub(super) const CLOSE: &str = "close the issue";
pub(super) const DISABLED: &str = "issues are disabled there";
pub(super) const EDIT_LOOP: &str = "blocked: edit loop, it was edited 3 times in a day";
pub(super) const NO_ROOM: &str = "what people wrote into its text leaves no room";

impl Planner<'_> {
    pub(super) fn tracking_issue(&self, proposed: &Proposed, draft: &mut Draft) {
        self.note_ends(draft);
        let open: Vec<(RuleId, &Finding)> = self.findings().collect();
        let is_left = |(rule, finding): &(RuleId, &Finding)| {
            !proposed.covered.contains(*rule, finding.gap)
                && self.s.outstanding.expiry_of(*rule, finding.gap, self.now).is_none()
        };
        let left: Vec<_> = open.iter().copied().filter(is_left).collect();
        match self.s.outstanding.standing(Kind::Tracking) {
            Standing::Open(issue) => self.open_issue(issue, &open, proposed, draft),
            Standing::Blocked { why, until } if !left.is_empty() => draft.refuse(OPEN, why.clone(), *until),
            Standing::Blocked { .. } => {}
            Standing::Free(_) if left.is_empty() => {
                let answered = open.iter().any(|(rule, f)| proposed.covered.contains(*rule, f.gap));
                if answered {
                    draft.refuse(OPEN, "the pull request answers the same finding", None);
                } else if !open.is_empty() {
                    draft.refuse(OPEN, "nobody answered the pull request about it", None);
                }
            }
            Standing::Free(_) => self.new_issue(&open, &left, proposed, draft),
        }
    }

    /// The moments at which what people decided, or left undecided, ends.
    fn note_ends(&self, draft: &mut Draft) {
        for (rule, finding) in self.failures() {
            let decline = self.s.outstanding.decline_of(rule, finding.gap, self.now);
            let expiry = self.s.outstanding.expiry_of(rule, finding.gap, self.now);
            draft.moments.extend(decline.and_then(|decline| decline.until));
            draft.moments.extend(expiry.and_then(|expiry| expiry.until));
        }
    }

    fn new_issue(
        &self,
        open: &[(RuleId, &Finding)],
        left: &[(RuleId, &Finding)],
        proposed: &Proposed,
        draft: &mut Draft,
    ) {
        if self.mode() >= Mode::Issue && !self.s.snapshot.repository.issues_enabled {
            return draft.refuse(OPEN, DISABLED, None);
        }
        if let Some(refused) = self.s.outstanding.refusal_of(Attempt::Open(Kind::Tracking), self.now) {
            return draft.refuse(OPEN, refusal(refused), Some(refused.until()));
        }
        let brake = self.may_open_issue(left);
        draft.plan.wants += brake.lets_it_come();
        match brake {
            Brake::Off => {
                let all = set_of(open);
                let checklist = self.checklist(open, proposed);
                let body = self.letter().tracking_issue(&checklist, &named(&all, proposed), None);
                draft.change(Change::OpenIssue(Box::new(NewIssue {
                    kind: Kind::Tracking,
                    title: render::tracking_title(),
                    body,
                    label: Some(self.s.policy.issue.label.clone()),
                    create_label: !self.s.outstanding.label_exists,
                    findings: all,
                })));
            }
            Brake::Later { why, until } => draft.refuse(OPEN, why, Some(until)),
            Brake::Approval(why) | Brake::No(why) => draft.refuse(OPEN, why, None),
        }
    }

    fn open_issue(
        &self,
        issue: &OpenItem,
        open: &[(RuleId, &Finding)],
        proposed: &Proposed,
        draft: &mut Draft,
    ) {
        if self.mode() < Mode::Issue {
            if self.opted_out_of(Mode::Issue) {
                self.close_issue(Kind::Tracking, Closing::OptedOut, draft);
            }
            return;
        }
        let all = set_of(open);
        let named = named(&all, proposed);
        let what = if all.is_empty() { CLOSE } else { EDIT };
        if !all.is_empty() && named == issue.findings {
            return;
        }
        if self.s.report.has_unknown() {
            return draft.refuse(what, "something could not be checked", None);
        }
        if !self.s.snapshot.repository.issues_enabled {
            return draft.refuse(what, DISABLED, None);
        }
        if let Some(refused) = self.s.outstanding.refusal_of(Attempt::Update(Kind::Tracking), self.now) {
            return draft.refuse(what, refusal(refused), Some(refused.until()));
        }
        let number = issue.item.number;
        if all.is_empty() {
            let (node_id, closing) = (issue.item.node_id.clone(), Closing::Done);
            let kind = Kind::Tracking;
            return draft.change(Change::CloseIssue { kind, number, node_id, closing, line: None });
        }
        if let Some(until) = issue.edit_loop_until(self.now) {
            return draft.refuse(EDIT, EDIT_LOOP, Some(until));
        }
        let before = &issue.item.body;
        let body = self.letter().tracking_issue(&self.checklist(open, proposed), &named, Some(before));
        if body.is_too_long() {
            return draft.refuse(EDIT, NO_ROOM, None);
        }
        let (kind, before) = (Kind::Tracking, before.clone());
        draft.change(Change::EditIssue { kind, number, before, body, findings: all });
    }

    fn checklist<'c>(&'c self, open: &'c [(RuleId, &'c Finding)], proposed: &'c Proposed) -> Checklist<'c> {
        Checklist { report: self.s.report, open, covered: &proposed.covered, offered: &proposed.offered }
    }
}

fn set_of(findings: &[(RuleId, &Finding)]) -> FindingSet {
    findings.iter().map(|(rule, finding)| (*rule, finding.gap)).collect()
}

/// What the marker names: the findings, and how each is answered, since that
/// is what the reader has to know.
fn named(all: &FindingSet, proposed: &Proposed) -> FindingsHash {
    let mut answers = String::new();
    for (rule, gap) in all.iter() {
        if proposed.covered.contains(rule, gap) {
            answers.push_str(&format!("\n{rule} is answered"));
        } else if proposed.offered.iter().any(|file| file.rule == rule) {
            answers.push_str(&format!("\n{rule} is offered"));
        }
    }
    all.hash_with(&answers)
}
