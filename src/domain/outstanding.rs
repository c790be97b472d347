//! What of ours stands in a repository: recognised afresh from GitHub at every
//! run, and compared with what the ledger remembers.
//!
//! Promises: (1) recognition rests on author, marker and branch, never on a
//! title or a label; (2) what was begun and cut off is resumed, never begun
//! again; (3) what only looks like ours, or is ours and unreadable, blocks its
//! kind and says so; (4) closed is told apart by who closed it; (5) a pull
//! request with a commit that is not ours is a person's for good.

mod recognise;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use recognise::{Recognised, recognise, recognise_inventory};

use std::{fmt, str::FromStr, time::Duration};

use jiff::Timestamp;

use super::{
    finding::{FindingSet, FindingsHash, Gap, RuleId},
    marker::Kind,
    observed::{Actor, Branch, Item},
    repository::ObjectId,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// An item that was edited so often in 24 hours is left alone: something
/// undoes the edits (etiquette 4.2).
const EDITS_A_DAY: usize = 3;

/// After this time what expired may be proposed once more (etiquette 4.3).
pub const EXPIRED_FOR: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// The states of an item in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Recorded before GitHub was asked to create it.
    Creating,
    /// Open.
    Open,
    /// Closed by Muster, or by someone without the right to decline.
    Closed,
    /// Merged.
    Merged,
    /// Closed by a person who may decline.
    Declined,
    /// Closed by Muster without its being done, such as since nobody touched it
    /// for long. Nobody declined it.
    Expired,
}

impl State {
    const ALL: [State; 6] =
        [State::Creating, State::Open, State::Closed, State::Merged, State::Declined, State::Expired];

    /// The word in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Creating => "creating",
            State::Open => "open",
            State::Closed => "closed",
            State::Merged => "merged",
            State::Declined => "declined",
            State::Expired => "expired",
        }
    }
}

impl FromStr for State {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        State::ALL.into_iter().find(|state| state.as_str() == text).ok_or(())
    }
}

/// A row of the ledger about one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The row.
    pub id: i64,
    /// What the item is.
    pub kind: Kind,
    /// Its state when last looked at.
    pub state: State,
    /// Its number, once GitHub gave one.
    pub number: Option<u64>,
    /// Its global id, once GitHub gave one.
    pub node_id: Option<String>,
    /// The findings it is about.
    pub findings: FindingSet,
    /// The commits of ours on its branch, as far as GitHub named them.
    pub commits: Vec<ObjectId>,
    /// Where the staging branch of a refresh that was begun points to.
    pub staged: Option<ObjectId>,
    /// What it becomes if Muster turns out to have closed it: recorded before
    /// GitHub is asked.
    pub closing: Option<State>,
    /// When it was edited, oldest first: the last few times.
    pub edits: Vec<Timestamp>,
    /// Since when somebody else works on it.
    pub hands_off_at: Option<Timestamp>,
    /// When the row was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Remembered {
    /// The edits to remember once one more is made: those that still count.
    #[must_use]
    pub fn edits_with(&self, now: Timestamp) -> Vec<Timestamp> {
        let recent = self.edits.iter().copied().filter(|at| now < *at + DAY);
        recent.chain([now]).collect()
    }
}

/// How far a pull request had come when its creation was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// Nothing is there.
    Nothing,
    /// The branch is there, without a commit of ours; its tip.
    Branch(ObjectId),
    /// Branch and commit are there; the commit.
    Committed(ObjectId),
}

/// Who has worked on a pull request of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hands {
    /// Muster alone; so it is with every issue.
    Ours,
    /// Somebody else too: it is theirs for good (etiquette 4.3).
    Foreign,
    /// That could not be read: it is left alone until it can.
    Unread,
}

/// An item of ours that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenItem {
    /// It.
    pub item: Item,
    /// What its marker names.
    pub findings: FindingsHash,
    /// Who has worked on it.
    pub hands: Hands,
    /// When it was edited, oldest first: the last few times.
    pub edits: Vec<Timestamp>,
    /// When somebody else's commit was first seen on it.
    pub hands_off_at: Option<Timestamp>,
    /// Until when a closing whose answer was lost may still take effect.
    pub closing_until: Option<Timestamp>,
}

impl OpenItem {
    /// Until when it may not be edited, if it was edited too often.
    #[must_use]
    pub fn edit_loop_until(&self, now: Timestamp) -> Option<Timestamp> {
        let recent: Vec<_> = self.edits.iter().filter(|at| now < **at + DAY).collect();
        let oldest = recent.len().checked_sub(EDITS_A_DAY).map(|at| *recent[at])?;
        Some(oldest + DAY)
    }
}

/// What stands of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing: one may be opened, from this start.
    Free(Start),
    /// One of ours is open.
    Open(Box<OpenItem>),
    /// Something is in the way.
    Blocked {
        /// What, in words of our own and numbers.
        why: String,
        /// When to look again though nothing happened.
        until: Option<Timestamp>,
    },
}

/// A decline that is in force for a finding (etiquette, declining).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declined {
    /// The rule.
    pub rule: RuleId,
    /// The gap; `None` for all gaps of the rule.
    pub gap: Option<Gap>,
    /// When it ends; `None` for never.
    pub until: Option<Timestamp>,
}

/// A finding whose pull request expired: it may be proposed once more, after
/// a while (etiquette 4.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// The rule.
    pub rule: RuleId,
    /// The gap.
    pub gap: Gap,
    /// From when it may be proposed again; `None` for never: it was proposed
    /// twice.
    pub until: Option<Timestamp>,
}

/// A branch of ours that nothing needs any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Of which kind.
    pub kind: Kind,
    /// The branch.
    pub branch: Branch,
    /// From when it may go.
    pub from: Timestamp,
    /// Why it is not needed, in words that follow "since".
    pub why: &'static str,
}

/// A branch on which a refresh is prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staging {
    /// Of which kind.
    pub kind: Kind,
    /// The branch.
    pub branch: Branch,
    /// Whether Muster made it.
    pub ours: bool,
}

/// Something Muster asks GitHub for and GitHub may refuse for a lasting reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attempt {
    /// To open an item.
    Open(Kind),
    /// To change an open one: its branch, its text, its state.
    Update(Kind),
    /// To delete a branch.
    Delete(Kind),
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attempt::Open(kind) => write!(f, "open {kind}"),
            Attempt::Update(kind) => write!(f, "update {kind}"),
            Attempt::Delete(kind) => write!(f, "delete {kind}"),
        }
    }
}

impl FromStr for Attempt {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (what, kind) = text.split_once(' ').ok_or(())?;
        let kind = kind.parse()?;
        match what {
            "open" => Ok(Attempt::Open(kind)),
            "update" => Ok(Attempt::Update(kind)),
            "delete" => Ok(Attempt::Delete(kind)),
            _ => Err(()),
        }
    }
}

/// Why GitHub refuses, as far as it matters for when to ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Because {
    /// A ruleset or a branch protection.
    Rules,
    /// There are no draft pull requests.
    Drafts,
    /// The App lacks a permission.
    Permission,
    /// Anything else, such as pull requests that are switched off.
    Other,
}

impl Because {
    const ALL: [Because; 4] = [Because::Rules, Because::Drafts, Because::Permission, Because::Other];

    /// The word in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Because::Rules => "rules",
            Because::Drafts => "drafts",
            Because::Permission => "permission",
            Because::Other => "other",
        }
    }
}

impl FromStr for Because {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Because::ALL.into_iter().find(|because| because.as_str() == text).ok_or(())
    }
}

/// What GitHub refused, so that it is not asked for again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What Muster asked for.
    pub attempt: Attempt,
    /// Why it was refused.
    pub because: Because,
    /// In GitHub's words, as one short line.
    pub why: String,
    /// Names what the refusal may rest on: if that changes, Muster asks again.
    pub circumstances: String,
    /// When.
    pub at: Timestamp,
}

impl Refused {
    /// When Muster asks again though nothing changed that it can see.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        match self.because {
            // Asking costs one token that is not given.
            Because::Permission => self.at + DAY,
            Because::Rules | Because::Drafts | Because::Other => self.at + DAY * 30,
        }
    }
}

/// All that stands of ours in a repository, and what people decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outstanding {
    /// The license pull request.
    pub license: Standing,
    /// The files pull request.
    pub files: Standing,
    /// The pull request about `code.json`.
    pub code_json: Standing,
    /// The tracking issue.
    pub tracking: Standing,
    /// The digest issue.
    pub digest: Standing,
    /// Whether people have closed the digest: it comes back when they open it.
    pub digest_declined: bool,
    /// Whether the label of the tracking issue exists.
    pub label_exists: bool,
    /// Branches of ours whose pull request is over.
    pub leftovers: Vec<Leftover>,
    /// Branches under the names on which refreshes are prepared.
    pub staging: Vec<Staging>,
    /// Second ones of a kind, to be closed without a word.
    pub duplicates: Vec<Item>,
    /// Declines in force.
    pub declined: Vec<Declined>,
    /// Findings whose pull request expired.
    pub expired: Vec<Expired>,
    /// What GitHub refused under circumstances that are as they were.
    pub refused: Vec<Refused>,
    /// Kinds whose pull request is held by a label of someone who may.
    pub held: Vec<Kind>,
    /// Kinds whose creation was begun and never answered: it counted when it
    /// was begun, so going on with it does not count again.
    pub begun: Vec<Kind>,
    /// Which pull requests Muster began here and when, open or not.
    pub pull_requests_at: Vec<(Kind, Timestamp)>,
}

impl Outstanding {
    /// What stands of a kind.
    #[must_use]
    pub fn standing(&self, kind: Kind) -> &Standing {
        match kind {
            Kind::License => &self.license,
            Kind::Files => &self.files,
            Kind::CodeJson => &self.code_json,
            Kind::Tracking => &self.tracking,
            Kind::Digest => &self.digest,
            // Its publication opens it, by what it recognises itself.
            Kind::Inventory => &Standing::Free(Start::Nothing),
        }
    }

    /// The item of a kind that is open.
    #[must_use]
    pub fn open(&self, kind: Kind) -> Option<&OpenItem> {
        match self.standing(kind) {
            Standing::Open(open) => Some(open),
            Standing::Free(_) | Standing::Blocked { .. } => None,
        }
    }

    /// The decline that silences a finding at `now`, if there is one.
    #[must_use]
    pub fn decline_of(&self, rule: RuleId, gap: Gap, now: Timestamp) -> Option<&Declined> {
        self.declined.iter().find(|declined| {
            declined.rule == rule
                && declined.gap.is_none_or(|declined| declined == gap)
                && declined.until.is_none_or(|until| now < until)
        })
    }

    /// What keeps a finding from being proposed again at `now`, since its pull
    /// request expired.
    #[must_use]
    pub fn expiry_of(&self, rule: RuleId, gap: Gap, now: Timestamp) -> Option<&Expired> {
        self.expired.iter().find(|expired| {
            (expired.rule, expired.gap) == (rule, gap) && expired.until.is_none_or(|until| now < until)
        })
    }

    /// The refusal that is in force at `now` for an attempt.
    #[must_use]
    pub fn refusal_of(&self, attempt: Attempt, now: Timestamp) -> Option<&Refused> {
        self.refused.iter().find(|refused| refused.attempt == attempt && now < refused.until())
    }
}

/// What the ledger must learn from GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// An item of ours is open, and the ledger does not know that.
    Opened(Item, Kind),
    /// An item of ours was closed; who may have declined with it.
    Closed {
        /// The item.
        item: Item,
        /// What it is.
        kind: Kind,
        /// The findings it was about, as far as the ledger knows.
        findings: Option<FindingSet>,
        /// Who closed it.
        by: Option<Actor>,
        /// When.
        at: Option<Timestamp>,
    },
    /// An issue of ours was locked: that declines it, and it stays as it is.
    Locked {
        /// The item.
        item: Item,
        /// What it is.
        kind: Kind,
        /// The findings it was about, as far as the ledger knows.
        findings: Option<FindingSet>,
        /// Who locked it.
        by: Option<Actor>,
    },
    /// A pull request of ours was merged.
    Merged(Item, Kind),
    /// An issue resolves to nothing any more: deleted, transferred, or made a
    /// discussion (etiquette: never recreated).
    Gone(Remembered),
    /// Somebody else's commit is on a pull request of ours.
    Touched(Item, Kind),
}
