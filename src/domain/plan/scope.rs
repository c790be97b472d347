//! What Muster opened where the policy leaves the repository out now, or its
//! people have opted out (etiquette 4.2).

use super::{Change, Closing, Draft, Planner, refresh::CLOSING_BEGUN, tracking::CLOSE};
use crate::domain::{finding::Skip, marker::Kind, outstanding::Hands, policy::Mode};

impl Planner<'_> {
    /// Whether the organization would have Muster act this far, and the
    /// repository's own file would not.
    pub(super) fn opted_out_of(&self, mode: Mode) -> bool {
        self.mode() < mode && mode <= self.s.organization_mode
    }

    /// Closes what is open in a repository that is skipped by rule, as far as
    /// nobody else has a hand in it.
    pub(super) fn out_of_scope(&self, draft: &mut Draft) {
        match &self.s.report.skipped {
            // Out of reach, or nothing there that anybody could look at.
            None | Some(Skip::Archived | Skip::Disabled | Skip::Empty) => return,
            Some(Skip::Fork | Skip::Mirror | Skip::Template | Skip::Excluded(_)) => {}
        }
        if self.mode() >= Mode::Fix {
            for kind in Kind::PULL_REQUESTS {
                let Some(open) = self.s.outstanding.open(kind) else { continue };
                if open.hands == Hands::Ours && !self.s.outstanding.held.contains(&kind) {
                    self.close_pull_request(kind, open, Closing::OutOfScope, draft);
                }
            }
            self.tidy_staging(draft);
        }
        if self.mode() >= Mode::Issue {
            self.close_issue(Kind::Tracking, Closing::OutOfScope, draft);
        }
    }

    /// Closes an issue without its being done.
    pub(super) fn close_issue(&self, kind: Kind, closing: Closing, draft: &mut Draft) {
        let Some(issue) = self.s.outstanding.open(kind) else { return };
        if !self.s.snapshot.repository.issues_enabled {
            return;
        }
        if let Some(until) = issue.closing_until {
            return draft.refuse(CLOSE, CLOSING_BEGUN, Some(until));
        }
        let (number, node_id) = (issue.item.number, issue.item.node_id.clone());
        let line = self.unsaid(&issue.item, closing);
        draft.change(Change::CloseIssue { kind, number, node_id, closing, line });
    }
}
