//! Our own leftovers: second items, branches that nothing needs.

use super::{Change, Draft, Planner, propose::refusal};
use crate::domain::{marker::Kind, observed::Branch, outstanding::Attempt, policy::Mode};

impl Planner<'_> {
    /// Allowed in every mode that writes at all.
    pub(super) fn tidy(&self, draft: &mut Draft) {
        if self.mode() < Mode::Issue {
            return;
        }
        for item in &self.s.outstanding.duplicates {
            let kind = self.kind_of(item.branch());
            draft.change(Change::CloseDuplicate { kind, number: item.number });
        }
        if self.mode() < Mode::Fix {
            return;
        }
        for leftover in &self.s.outstanding.leftovers {
            if leftover.from <= self.now {
                self.delete(leftover.kind, &leftover.branch, leftover.why, draft);
            } else {
                draft.moments.push(leftover.from);
            }
        }
    }

    fn kind_of(&self, branch: Option<&str>) -> Kind {
        let prefix = &self.s.policy.pull_request.branch_prefix;
        let of = |kind: &Kind| branch == Some(kind.branch(prefix).as_str());
        Kind::PULL_REQUESTS.into_iter().find(of).unwrap_or(Kind::Tracking)
    }

    /// Removes what a refresh left that was cut off and is not wanted any more.
    pub(super) fn tidy_staging(&self, draft: &mut Draft) {
        if self.mode() < Mode::Fix {
            return;
        }
        for staging in self.s.outstanding.staging.iter().filter(|staging| staging.ours) {
            let used = draft.plan.changes.iter().any(|change| match change {
                Change::RefreshPullRequest(refresh) => refresh.description.kind == staging.kind,
                Change::DisableAutoMerge { .. }
                | Change::DeleteBranch { .. }
                | Change::CloseDuplicate { .. }
                | Change::DescribePullRequest(_)
                | Change::ClosePullRequest(_)
                | Change::AskForReview { .. }
                | Change::OpenPullRequest(_)
                | Change::OpenIssue(_)
                | Change::EditIssue { .. }
                | Change::CloseIssue { .. } => false,
            });
            if !used {
                self.delete(staging.kind, &staging.branch, "its refresh was cut off", draft);
            }
        }
    }

    fn delete(&self, kind: Kind, branch: &Branch, why: &'static str, draft: &mut Draft) {
        match self.s.outstanding.refusal_of(Attempt::Delete(kind), self.now) {
            Some(refused) => draft.refuse("delete a branch", refusal(refused), Some(refused.until())),
            None => draft.change(Change::DeleteBranch { kind, branch: branch.clone(), why }),
        }
    }
}
