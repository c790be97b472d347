//! What of ours stands in a repository: recognised afresh from GitHub at every
//! run, and compared with what the ledger remembers.
//!
//! Promises: (1) recognition rests on author, marker and branch, never on a
//! title or a label; (2) what was begun and cut off is resumed, never begun
//! again; (3) what only looks like ours, or is ours and unreadable, blocks its
//! kind and says so; (4) closed is told apart by who closed it.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    finding::{FindingSet, FindingsHash, Gap, RuleId},
    marker::{Identity, Kind, Whose},
    observed::{Actor, Branch, Item, ItemKind, ItemState, Observed},
    repository::{ObjectId, RepositoryId},
};

/// How long a created item may take to show up in GitHub's lists.
const LISTS_LAG: Duration = Duration::from_secs(30);

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
}

impl State {
    const ALL: [State; 5] = [State::Creating, State::Open, State::Closed, State::Merged, State::Declined];

    /// The word in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Creating => "creating",
            State::Open => "open",
            State::Closed => "closed",
            State::Merged => "merged",
            State::Declined => "declined",
        }
    }
}

impl std::str::FromStr for State {
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
    /// When the row was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// How far a pull request had come when its creation was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// Nothing is there.
    Nothing,
    /// The branch is there, without a commit of ours; its tip.
    Branch(ObjectId),
    /// Branch and commit are there.
    Committed,
}

/// What stands of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing: one may be opened, from this start.
    Free(Start),
    /// One of ours is open.
    Open {
        /// It.
        item: Box<Item>,
        /// The findings its marker names.
        findings: FindingsHash,
    },
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

/// All that stands of ours in a repository, and what people decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outstanding {
    /// The license pull request.
    pub license: Standing,
    /// The files pull request.
    pub files: Standing,
    /// The tracking issue.
    pub tracking: Standing,
    /// Whether the label of the tracking issue exists.
    pub label_exists: bool,
    /// Branches left over from merged pull requests of ours.
    pub leftovers: Vec<Branch>,
    /// Second ones of a kind, to be closed without a word.
    pub duplicates: Vec<Item>,
    /// Declines in force.
    pub declined: Vec<Declined>,
    /// Kinds whose creation was begun and never answered: it counted when it
    /// was begun, so going on with it does not count again.
    pub begun: Vec<Kind>,
    /// When Muster began pull requests here, open or not.
    pub pull_requests_at: Vec<Timestamp>,
}

impl Outstanding {
    /// What stands of a kind.
    #[must_use]
    pub fn standing(&self, kind: Kind) -> &Standing {
        match kind {
            Kind::License => &self.license,
            Kind::Files => &self.files,
            Kind::Tracking => &self.tracking,
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
}

/// What the ledger must learn from GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// An item of ours is open, and the ledger does not know its number.
    Opened(Item, Kind),
    /// An item of ours was closed; who may have declined with it.
    Closed {
        /// The item.
        item: Item,
        /// What it is.
        kind: Kind,
        /// The findings it was about, as far as the ledger knows.
        findings: Option<FindingSet>,
        /// The findings its marker names.
        marker: FindingsHash,
        /// Who closed it.
        by: Option<Actor>,
        /// When.
        at: Option<Timestamp>,
    },
    /// A pull request of ours was merged.
    Merged(Item, Kind),
    /// An item resolves to nothing any more: deleted, transferred out of
    /// sight, or made a discussion (etiquette: never recreated).
    Gone(Remembered),
}

/// What was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// What stands.
    pub outstanding: Outstanding,
    /// What the ledger must learn, before anything is planned.
    pub news: Vec<News>,
    /// Open items of ours whose marker cannot be read.
    pub unreadable: Vec<u64>,
}

/// Recognises what is ours in a repository. `prefix` is the branch prefix,
/// `base` the tip of the default branch, `rows` all rows of the ledger about
/// this repository, `declined` what people decided.
#[must_use]
pub fn recognise(
    observed: &Observed,
    rows: &[Remembered],
    declined: Vec<Declined>,
    identity: &Identity,
    repository: RepositoryId,
    prefix: &str,
    now: Timestamp,
) -> Recognised {
    let view = View { observed, rows, identity, repository, prefix, now };
    let mut news = Vec::new();
    let mut duplicates = Vec::new();
    let [license, files, tracking] = Kind::ALL.map(|kind| view.kind(kind, &mut news, &mut duplicates));
    for row in rows {
        let open = matches!(row.state, State::Open);
        if open && row.node_id.as_ref().is_some_and(|id| view.is_gone(id)) {
            news.push(News::Gone(row.clone()));
        }
    }
    let pull_requests = rows.iter().filter(|row| row.kind.item() == ItemKind::PullRequest);
    Recognised {
        outstanding: Outstanding {
            license,
            files,
            tracking,
            label_exists: observed.label_exists,
            leftovers: view.leftovers(),
            duplicates,
            declined,
            begun: Kind::ALL.into_iter().filter(|kind| view.begun(*kind).is_some()).collect(),
            pull_requests_at: pull_requests.map(|row| row.created_at).collect(),
        },
        news,
        unreadable: view.unreadable(),
    }
}

struct View<'a> {
    observed: &'a Observed,
    rows: &'a [Remembered],
    identity: &'a Identity,
    repository: RepositoryId,
    prefix: &'a str,
    now: Timestamp,
}

impl View<'_> {
    fn is_gone(&self, node_id: &str) -> bool {
        self.observed.gone.iter().any(|gone| gone == node_id)
            || self
                .observed
                .items
                .iter()
                .any(|item| item.node_id == node_id && item.repository != self.repository)
    }

    /// Items of this repository that could be of this kind, oldest first.
    fn candidates(&self, kind: Kind) -> Vec<&Item> {
        let branch = kind.branch(self.prefix);
        let mut items: Vec<&Item> = self
            .observed
            .items
            .iter()
            .filter(|item| item.kind == kind.item() && item.repository == self.repository)
            .filter(|item| kind.item() == ItemKind::Issue || item.branch.as_deref() == Some(&branch))
            .collect();
        items.sort_by_key(|item| item.number);
        items
    }

    /// Numbers of open items of ours whose marker cannot be read.
    fn unreadable(&self) -> Vec<u64> {
        let of = |kind| self.candidates(kind).into_iter().filter(|item| self.is_unreadable(item));
        let mut numbers: Vec<u64> = Kind::ALL.into_iter().flat_map(of).map(|item| item.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    fn is_unreadable(&self, item: &Item) -> bool {
        item.state == ItemState::Open && self.identity.whose(item, self.repository) == Whose::Unreadable
    }

    fn row(&self, kind: Kind, number: u64) -> Option<&Remembered> {
        self.rows.iter().find(|row| row.kind == kind && row.number == Some(number))
    }

    /// The row of this kind that is not settled yet.
    fn unsettled(&self, kind: Kind) -> Option<&Remembered> {
        self.rows.iter().find(|row| row.kind == kind && matches!(row.state, State::Creating | State::Open))
    }

    /// The row whose creation was begun and never answered.
    fn begun(&self, kind: Kind) -> Option<&Remembered> {
        self.unsettled(kind).filter(|row| row.state == State::Creating)
    }

    fn kind(&self, kind: Kind, news: &mut Vec<News>, duplicates: &mut Vec<Item>) -> Standing {
        let mut open: Option<(&Item, FindingsHash)> = None;
        let mut blocked = None;
        for item in self.candidates(kind) {
            let is_open = item.state == ItemState::Open;
            match self.identity.whose(item, self.repository) {
                Whose::Ours(marker) if marker.kind == kind => match &item.state {
                    ItemState::Open if open.is_some() => duplicates.push(item.clone()),
                    ItemState::Open => {
                        if self.row(kind, item.number).is_none_or(|row| row.state != State::Open) {
                            news.push(News::Opened(item.clone(), kind));
                        }
                        open = Some((item, marker.findings));
                    }
                    ItemState::Merged => {
                        if self.row(kind, item.number).is_none_or(|row| row.state != State::Merged) {
                            news.push(News::Merged(item.clone(), kind));
                        }
                    }
                    ItemState::Closed { by, at } => {
                        let row = self.row(kind, item.number);
                        if row.is_none_or(|row| matches!(row.state, State::Creating | State::Open)) {
                            let row = row.or_else(|| self.unsettled(kind).filter(|row| row.number.is_none()));
                            news.push(News::Closed {
                                item: item.clone(),
                                kind,
                                findings: row.map(|row| row.findings.clone()),
                                marker: marker.findings,
                                by: by.clone(),
                                at: *at,
                            });
                        }
                    }
                },
                Whose::Ours(_) | Whose::OtherInstance => {}
                Whose::Unreadable if is_open => {
                    blocked = Some(format!("number {} is ours, but its marker cannot be read", item.number));
                }
                Whose::Foreign if is_open && kind.item() == ItemKind::PullRequest => {
                    blocked = Some(format!("pull request {} of someone else uses this branch", item.number));
                }
                Whose::Unreadable | Whose::Foreign => {}
            }
        }
        if let Some((item, findings)) = open {
            return Standing::Open { item: Box::new(item.clone()), findings };
        }
        if let Some(why) = blocked {
            return Standing::Blocked { why, until: None };
        }
        let begun = self.begun(kind);
        if let Some(row) = begun {
            let seen_by = row.updated_at + LISTS_LAG;
            if self.now < seen_by {
                let why = "its creation was begun a moment ago".to_owned();
                return Standing::Blocked { why, until: Some(seen_by) };
            }
        }
        match kind.item() {
            ItemKind::Issue => Standing::Free(Start::Nothing),
            ItemKind::PullRequest => self.start(kind, begun.is_some()),
        }
    }

    /// Where the creation of a pull request may start from.
    fn start(&self, kind: Kind, begun: bool) -> Standing {
        let name = kind.branch(self.prefix);
        let Some(branch) = self.observed.branches.iter().find(|branch| branch.name == name) else {
            return Standing::Free(Start::Nothing);
        };
        if self.is_leftover(branch, kind) {
            return Standing::Free(Start::Nothing);
        }
        let by_us = branch.author == Some(self.identity.bot);
        match (begun, by_us) {
            (true, true) => Standing::Free(Start::Committed),
            (true, false) => Standing::Free(Start::Branch(branch.tip.clone())),
            (false, _) => Standing::Blocked {
                why: format!("a branch {name} is there that we did not begin"),
                until: None,
            },
        }
    }

    /// A branch whose pull request of ours was merged, or closed by us.
    fn is_leftover(&self, branch: &Branch, kind: Kind) -> bool {
        branch.author == Some(self.identity.bot)
            && self.unsettled(kind).is_none()
            && self.candidates(kind).iter().any(|item| {
                item.state == ItemState::Merged
                    && matches!(self.identity.whose(item, self.repository), Whose::Ours(_))
            })
    }

    fn leftovers(&self) -> Vec<Branch> {
        let kinds = [Kind::License, Kind::Files];
        let of = |kind: Kind| {
            let name = kind.branch(self.prefix);
            self.observed
                .branches
                .iter()
                .filter(move |branch| branch.name == name && self.is_leftover(branch, kind))
        };
        kinds.into_iter().flat_map(of).cloned().collect()
    }
}
