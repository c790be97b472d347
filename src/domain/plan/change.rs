//! A plan as data: what to do on GitHub, and what is left undone.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::{
    finding::FindingSet,
    marker::Kind,
    observed::Branch,
    outgoing::{Line, NewFile, PublicText},
    outstanding::{EXPIRED_FOR, Start, State},
    repository::{Head, ObjectId},
};

/// After this time without anybody's doing a pull request expires (etiquette
/// 4.3).
pub(super) const QUIET_FOR: Duration = Duration::from_secs(90 * 24 * 60 * 60);

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

/// Why the branch of a pull request is made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshCause {
    /// A file of it is there now, or is not missing any more.
    Landed,
    /// It conflicts with its base.
    Conflict,
    /// The policy or our texts changed, and with them what it would say.
    Changed,
}

/// A pull request of ours whose branch is made anew on top of its base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// Why.
    pub cause: RefreshCause,
    /// Its branch.
    pub branch: Line,
    /// The branch on which the commit is prepared.
    pub staging: Line,
    /// Where its branch is: only if it is still there, it is moved.
    pub tip: ObjectId,
    /// The tip of the default branch.
    pub base: Head,
    /// The subject of the new commit.
    pub subject: Line,
    /// The files it adds.
    pub files: Vec<NewFile>,
    /// Of these, what its branch has otherwise.
    pub changed: Vec<NewFile>,
    /// The paths it adds no longer.
    pub dropped: Vec<String>,
    /// Its text afterwards.
    pub description: Description,
}

/// The text of an open pull request of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// License or files.
    pub kind: Kind,
    /// Its number.
    pub number: u64,
    /// Its global id.
    pub node_id: String,
    /// Its title, unless a person chose another.
    pub title: Option<Line>,
    /// Its body.
    pub body: PublicText,
    /// Whether it was a draft for a question that it asks no longer.
    pub ready: bool,
    /// Whether any of this differs from what it says now.
    pub needed: bool,
    /// The findings it answers.
    pub findings: FindingSet,
}

/// Why something of ours is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// Nothing is left to do.
    Done,
    /// Nobody touched it for long.
    Expired,
    /// The same, for the second time.
    ExpiredAgain,
    /// The policy does not ask for it any more.
    Withdrawn,
    /// The policy keeps it in another repository now.
    Moved,
    /// The policy leaves the repository out.
    OutOfScope,
    /// The repository's own file wants none of it.
    OptedOut,
}

impl Closing {
    /// What becomes of the item in the ledger.
    #[must_use]
    pub fn state(self) -> State {
        match self {
            Closing::Expired | Closing::ExpiredAgain | Closing::Moved => State::Expired,
            Closing::Done | Closing::Withdrawn | Closing::OutOfScope | Closing::OptedOut => State::Closed,
        }
    }
}

/// A pull request of ours to close, with its branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosePullRequest {
    /// License or files.
    pub kind: Kind,
    /// Its number.
    pub number: u64,
    /// Its global id.
    pub node_id: String,
    /// Its branch, which goes too if it is still where it was read.
    pub branch: Line,
    /// Where the branch is.
    pub tip: ObjectId,
    /// Why.
    pub closing: Closing,
    /// The line that says so; none if it was said already.
    pub line: Option<PublicText>,
}

/// An issue to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIssue {
    /// Which.
    pub kind: Kind,
    /// Its title.
    pub title: Line,
    /// Its body.
    pub body: PublicText,
    /// Its label, if it has one.
    pub label: Option<String>,
    /// Whether the label has to be made first.
    pub create_label: bool,
    /// The findings it lists.
    pub findings: FindingSet,
}

/// One thing to do on GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Take back the wish that GitHub merges a pull request of ours by itself:
    /// somebody else has worked on it (threats I5).
    DisableAutoMerge {
        /// License or files.
        kind: Kind,
        /// Its number.
        number: u64,
        /// Its global id.
        node_id: String,
    },
    /// Remove a branch of ours that nothing needs, if it is where it was read.
    DeleteBranch {
        /// License or files.
        kind: Kind,
        /// The branch.
        branch: Branch,
        /// Why, in words that follow "since".
        why: &'static str,
    },
    /// Close a second item of ours of the same kind, without a word.
    CloseDuplicate {
        /// What it is.
        kind: Kind,
        /// Its number.
        number: u64,
    },
    /// Make the branch of a pull request anew.
    RefreshPullRequest(Box<Refresh>),
    /// Say anew what a pull request is about.
    DescribePullRequest(Box<Description>),
    /// Close a pull request and delete its branch.
    ClosePullRequest(Box<ClosePullRequest>),
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
    /// Open an issue.
    OpenIssue(Box<NewIssue>),
    /// Write an issue anew, since what it says changed.
    EditIssue {
        /// Which.
        kind: Kind,
        /// Its number.
        number: u64,
        /// Its text as it was read: it is written only over this.
        before: String,
        /// The new body.
        body: PublicText,
        /// The findings it now lists.
        findings: FindingSet,
    },
    /// Close an issue.
    CloseIssue {
        /// Which.
        kind: Kind,
        /// Its number.
        number: u64,
        /// Its global id.
        node_id: String,
        /// Why.
        closing: Closing,
        /// The line that says so, unless nothing is left to do.
        line: Option<PublicText>,
    },
}

impl Change {
    /// Which issue it opens, edits or closes, if it does.
    #[must_use]
    pub fn issue(&self) -> Option<Kind> {
        match self {
            Change::OpenIssue(new) => Some(new.kind),
            Change::EditIssue { kind, .. } | Change::CloseIssue { kind, .. } => Some(*kind),
            Change::DisableAutoMerge { .. }
            | Change::DeleteBranch { .. }
            | Change::CloseDuplicate { .. }
            | Change::RefreshPullRequest(_)
            | Change::DescribePullRequest(_)
            | Change::ClosePullRequest(_)
            | Change::AskForReview { .. }
            | Change::OpenPullRequest(_) => None,
        }
    }

    /// The moment at which time alone brings up again what this change made.
    pub(super) fn due(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Change::OpenPullRequest(_) | Change::RefreshPullRequest(_) | Change::DescribePullRequest(_) => {
                Some(now + QUIET_FOR)
            }
            Change::ClosePullRequest(close) => match close.closing {
                Closing::Expired => Some(now + EXPIRED_FOR),
                Closing::Done
                | Closing::ExpiredAgain
                | Closing::Withdrawn
                | Closing::Moved
                | Closing::OutOfScope
                | Closing::OptedOut => None,
            },
            Change::DisableAutoMerge { .. }
            | Change::DeleteBranch { .. }
            | Change::CloseDuplicate { .. }
            | Change::AskForReview { .. }
            | Change::OpenIssue(_)
            | Change::EditIssue { .. }
            | Change::CloseIssue { .. } => None,
        }
    }
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
    /// What to do once nothing holds it back any more ([`Plan::held_by`]).
    pub held: Vec<Change>,
    /// What is left undone, and why.
    pub would_not: Vec<WouldNot>,
    /// The next moment at which time alone could change the plan.
    pub due: Option<Timestamp>,
    /// How many issues and pull requests it opens, now or when the pace, the
    /// hours or a person let it.
    pub wants: u32,
}

impl Plan {
    /// Whether the plan opens something of this kind.
    #[must_use]
    pub fn creates(&self, kind: Kind) -> bool {
        self.changes.iter().any(|change| match change {
            Change::OpenPullRequest(new) => new.kind == kind,
            Change::OpenIssue(new) => new.kind == kind,
            Change::DisableAutoMerge { .. }
            | Change::DeleteBranch { .. }
            | Change::CloseDuplicate { .. }
            | Change::RefreshPullRequest(_)
            | Change::DescribePullRequest(_)
            | Change::ClosePullRequest(_)
            | Change::AskForReview { .. }
            | Change::EditIssue { .. }
            | Change::CloseIssue { .. } => false,
        })
    }
}
