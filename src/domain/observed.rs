//! What stands on GitHub besides files: issues and pull requests, branches of
//! ours, proposals of others, and where the policy comes from.
//!
//! Promises: (1) who wrote an item is an id, never a login or a title; (2) what
//! is ours is decided in one place, by the marker and the author's id.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::repository::{AccountId, Files, ObjectId, RepositoryId, RepositoryName, Snapshot, Visibility};

/// Who did something on GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The id, where GitHub states one; a deleted account has none.
    pub id: Option<AccountId>,
    /// For display only: logins are renamed and taken again.
    pub login: String,
    /// An App or another bot.
    pub bot: bool,
}

/// An issue or a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// An issue.
    Issue,
    /// A pull request.
    PullRequest,
}

/// The state of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemState {
    /// Open.
    Open,
    /// Closed without being merged.
    Closed {
        /// Who closed it last, if GitHub says so.
        by: Option<Actor>,
        /// When.
        at: Option<Timestamp>,
    },
    /// A merged pull request.
    Merged,
}

/// An issue or pull request as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Which of the two.
    pub kind: ItemKind,
    /// GraphQL's global id.
    pub node_id: String,
    /// The number in its repository.
    pub number: u64,
    /// The page, for people.
    pub url: String,
    /// The repository it stands in now (items are transferred).
    pub repository: RepositoryId,
    /// Untrusted once a person has edited it.
    pub title: String,
    /// Untrusted once a person has edited it; line ends as GitHub has them.
    pub body: String,
    /// Open, closed or merged.
    pub state: ItemState,
    /// Who opened it; `None` for an account that is gone.
    pub author: Option<Actor>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When anybody last did anything to it.
    pub updated_at: Timestamp,
    /// Set if its conversation is locked.
    pub lock: Option<Lock>,
    /// Its newest comments, as far as they were read.
    pub comments: Vec<Comment>,
    /// What only a pull request has.
    pub pull: Option<Box<Pull>>,
}

impl Item {
    /// The branch of a pull request.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.pull.as_ref().map(|pull| pull.branch.as_str())
    }

    /// What is read of a pull request only while it is open.
    #[must_use]
    pub fn open_pull(&self) -> Option<&OpenPull> {
        self.pull.as_ref()?.open.as_ref()
    }
}

/// A conversation is locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// Who locked it, if that was read.
    pub by: Option<Actor>,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Who wrote it; `None` for an account that is gone.
    pub author: Option<AccountId>,
    /// What it says; line ends as GitHub has them.
    pub body: String,
}

/// What a pull request has beyond an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// Its branch, without `refs/heads/`.
    pub branch: String,
    /// The tip of the branch, or where it was when the pull request closed.
    pub head: ObjectId,
    /// Not ready for review.
    pub draft: bool,
    /// Its commits, oldest first, as far as they were read.
    pub commits: Vec<ProposedCommit>,
    /// Whether these are all of its commits.
    pub commits_complete: bool,
    /// Read of open ones only.
    pub open: Option<OpenPull>,
}

/// A commit of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedCommit {
    /// The commit.
    pub oid: ObjectId,
    /// The account behind its author. An amended commit keeps it.
    pub author: Option<AccountId>,
    /// Whether GitHub itself signed it: what anybody else makes of it is not.
    pub signed_by_github: bool,
}

/// What is read of a pull request only while it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPull {
    /// The commit that its first commit was made on.
    pub made_on: Option<ObjectId>,
    /// The files it changes, as far as they were read, each with the blob that
    /// stands on its branch if the path is one of ours.
    pub files: Vec<(String, Option<ObjectId>)>,
    /// Whether these are all of its files.
    pub files_complete: bool,
    /// Whether GitHub says that it conflicts with its base; not before GitHub
    /// has worked it out.
    pub conflicting: bool,
    /// Set if the label that holds it is on it.
    pub hold: Option<HoldLabel>,
    /// Since when GitHub is asked to merge it by itself.
    pub auto_merge_since: Option<Timestamp>,
}

/// The label that holds a pull request ([`HOLD`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldLabel {
    /// Who put it on, if that was read.
    pub by: Option<Actor>,
}

/// The label by which people stop Muster from working on a pull request
/// (etiquette 4.3).
pub const HOLD: &str = "muster:hold";

/// A branch under Muster's prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Name without `refs/heads/`.
    pub name: String,
    /// Its tip.
    pub tip: ObjectId,
    /// The account behind the tip's author, if it is one of GitHub's.
    pub author: Option<AccountId>,
    /// The tip's message.
    pub message: String,
}

/// An open pull request and the paths it touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its number.
    pub number: u64,
    /// Its branch.
    pub branch: String,
    /// From a fork.
    pub from_fork: bool,
    /// Who opened it.
    pub author: Option<Actor>,
    /// The paths it touches, as far as they were read.
    pub paths: Vec<String>,
    /// Whether these are all of its paths.
    pub complete: bool,
}

/// What is ours, or looks like it, in one repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Whether issues are switched on: where they are not, GitHub may hide
    /// those that are there.
    pub issues_enabled: bool,
    /// Whether the label of the tracking issue exists.
    pub label_exists: bool,
    /// The newest issues, the pull requests from our branches, and what the
    /// ledger knows by id; each once.
    pub items: Vec<Item>,
    /// Ids of the ledger that resolve to nothing any more: deleted,
    /// transferred out of sight, or turned into a discussion.
    pub gone: Vec<String>,
    /// Branches under our prefix.
    pub branches: Vec<Branch>,
    /// GitHub's stamp on each item that was looked up by id: its state and when
    /// it changed last; `None` where it is gone.
    pub stamps: BTreeMap<String, Option<String>>,
}

/// The file `.github/muster.yml` of the organization's `.github` repository,
/// and how it came there (threats T7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySource {
    /// There is no such file, or no such repository.
    Absent,
    /// The file.
    Text {
        /// Object id of the text.
        oid: ObjectId,
        /// The text; `None` if it is binary, truncated or too large.
        text: Option<String>,
        /// The last commit that touched it.
        commit: Option<PolicyCommit>,
    },
    /// It could not be read; why. The last good policy stays.
    Unread(String),
}

/// The last commit that touched the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyCommit {
    /// The commit.
    pub oid: ObjectId,
    /// The account behind its author.
    pub author: Option<Actor>,
    /// The number of the merged pull request that brought it.
    pub merged_pull_request: Option<u64>,
}

/// The organization's `.github` repository, as far as Muster reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// Its id, to bind what was read to it.
    pub id: RepositoryId,
    /// Its name.
    pub name: RepositoryName,
    /// Who can see it.
    pub visibility: Visibility,
    /// Its listings (texts are not needed: what it hands down counts by name).
    pub files: Files,
}

/// The answer of the one read that an inspection starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryRead {
    /// Facts, files, and what is inherited.
    pub snapshot: Snapshot,
    /// What is ours.
    pub observed: Observed,
    /// The organization's policy file.
    pub policy: PolicySource,
}

/// What is read again just before a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeforeWrite {
    /// Facts and listings, without texts.
    pub snapshot: Snapshot,
    /// What is ours.
    pub observed: Observed,
    /// Object id of the policy file, if there is one.
    pub policy_oid: Option<ObjectId>,
    /// Open pull requests and their paths.
    pub proposals: Vec<Proposal>,
    /// Whether these are all open pull requests.
    pub proposals_complete: bool,
}
