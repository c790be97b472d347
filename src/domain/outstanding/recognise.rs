//! From what GitHub shows and the ledger remembers to what stands.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::{
    Declined, EXPIRED_FOR, Expired, Hands, Leftover, News, OpenItem, Outstanding, Remembered, Staging,
    Standing, Start, State,
};
use crate::domain::{
    finding::{FindingSet, FindingsHash, Gap, RuleId},
    marker::{Identity, Kind, Whose},
    observed::{Branch, Item, ItemKind, ItemState, Observed, Pull},
    repository::RepositoryId,
};

/// How long what was asked of GitHub may take to show, in its lists too, if the
/// answer was lost.
const LISTS_LAG: Duration = Duration::from_secs(30);
/// How long the branch of a closed pull request stays, so that whoever closed
/// it can open it again (etiquette 4.3).
const BRANCH_STAYS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

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
/// `rows` all rows of the ledger about this repository, `declined` what people
/// decided. Refusals and labels are filled in by whoever knows them.
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
    let [license, files, code_json, tracking, digest] =
        Kind::INSPECTED.map(|kind| view.kind(kind, &mut news, &mut duplicates));
    // Where issues are switched off, one that is not shown may well be there.
    let gone = |row: &&Remembered| {
        observed.issues_enabled
            && row.kind.item() == ItemKind::Issue
            && row.state == State::Open
            && row.node_id.as_ref().is_some_and(|id| view.is_gone(id))
    };
    news.extend(rows.iter().filter(gone).cloned().map(News::Gone));
    let pull_requests = || rows.iter().filter(|row| row.kind.item() == ItemKind::PullRequest);
    Recognised {
        outstanding: Outstanding {
            license,
            files,
            code_json,
            tracking,
            digest_declined: !matches!(digest, Standing::Open(_)) && rows.iter().any(declined_digest),
            digest,
            label_exists: observed.label_exists,
            leftovers: Kind::PULL_REQUESTS.into_iter().filter_map(|kind| view.leftover(kind)).collect(),
            staging: Kind::PULL_REQUESTS.into_iter().filter_map(|kind| view.staging(kind)).collect(),
            duplicates,
            declined,
            expired: expired(pull_requests()),
            refused: Vec::new(),
            held: Vec::new(),
            begun: Kind::INSPECTED.into_iter().filter(|kind| view.begun(*kind).is_some()).collect(),
            pull_requests_at: pull_requests().map(|row| (row.kind, row.created_at)).collect(),
        },
        news,
        unreadable: view.unreadable(),
    }
}

/// Whether a row is of a digest that people have closed.
fn declined_digest(row: &Remembered) -> bool {
    row.kind == Kind::Digest && matches!(row.state, State::Declined | State::Closed)
}

/// What of the pull request with an inventory stands in its repository, and its
/// branch if nothing needs that any more. `row` is what the ledger has of the
/// newest; `prefix` as for [`recognise`].
#[must_use]
pub fn recognise_inventory(
    observed: &Observed,
    row: Option<Remembered>,
    identity: &Identity,
    repository: RepositoryId,
    prefix: &str,
    now: Timestamp,
) -> (Standing, Option<Leftover>) {
    let rows: Vec<Remembered> = row.into_iter().collect();
    let view = View { observed, rows: &rows, identity, repository, prefix, now };
    let standing = view.kind(Kind::Inventory, &mut Vec::new(), &mut Vec::new());
    (standing, view.leftover(Kind::Inventory))
}

/// What expired once may come again after a while; what expired twice, never.
fn expired<'a>(rows: impl Iterator<Item = &'a Remembered>) -> Vec<Expired> {
    let mut times: BTreeMap<(RuleId, Gap), Vec<Timestamp>> = BTreeMap::new();
    for row in rows.filter(|row| row.state == State::Expired) {
        for finding in row.findings.iter() {
            times.entry(finding).or_default().push(row.updated_at);
        }
    }
    let one = |((rule, gap), times): ((RuleId, Gap), Vec<Timestamp>)| {
        let until = match times.as_slice() {
            [once] => Some(*once + EXPIRED_FOR),
            _ => None,
        };
        Expired { rule, gap, until }
    };
    times.into_iter().map(one).collect()
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
            .filter(|item| kind.item() == ItemKind::Issue || item.branch() == Some(&branch))
            .collect();
        items.sort_by_key(|item| item.number);
        items
    }

    /// Numbers of open items of ours whose marker cannot be read.
    fn unreadable(&self) -> Vec<u64> {
        let of = |kind| self.candidates(kind).into_iter().filter(|item| self.is_unreadable(item));
        let mut numbers: Vec<u64> =
            Kind::INSPECTED.into_iter().flat_map(of).map(|item| item.number).collect();
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
                    ItemState::Open if self.is_locked(item) => {
                        news.extend(self.locked(kind, item));
                        blocked = Some(format!("issue {} is locked, which declines it", item.number));
                    }
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
                        if let Some(findings) = self.newly_over(kind, item) {
                            let (item, by, at) = (item.clone(), by.clone(), *at);
                            news.push(News::Closed { item, kind, findings, by, at });
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
            return Standing::Open(Box::new(self.open_item(kind, item, findings, news)));
        }
        if let Some(number) = self.hidden(kind) {
            blocked = blocked.or(Some(format!(
                "number {number} is ours and cannot be seen, so they may be switched off there"
            )));
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

    /// Whether locking this item declines it: so it is with an issue, whose
    /// conversation is all there is of it.
    fn is_locked(&self, item: &Item) -> bool {
        item.kind == ItemKind::Issue && item.lock.is_some()
    }

    fn locked(&self, kind: Kind, item: &Item) -> Option<News> {
        let findings = self.newly_over(kind, item)?;
        let by = item.lock.as_ref().and_then(|lock| lock.by.clone());
        Some(News::Locked { item: item.clone(), kind, findings, by })
    }

    /// If the ledger does not know yet that an item is over: the findings it
    /// was about, as far as the ledger knows.
    fn newly_over(&self, kind: Kind, item: &Item) -> Option<Option<FindingSet>> {
        let row = self.row(kind, item.number);
        if row.is_some_and(|row| !matches!(row.state, State::Creating | State::Open)) {
            return None;
        }
        let row = row.or_else(|| self.unsettled(kind).filter(|row| row.number.is_none()));
        Some(row.map(|row| row.findings.clone()))
    }

    /// The number of one that the ledger has as open and GitHub does not show:
    /// a pull request cannot be deleted, and issues may be switched off.
    fn hidden(&self, kind: Kind) -> Option<u64> {
        let row = self.unsettled(kind)?;
        let may_be_there = kind.item() == ItemKind::PullRequest || !self.observed.issues_enabled;
        let hidden = may_be_there && row.node_id.as_ref().is_some_and(|id| self.is_gone(id));
        row.number.filter(|_| hidden)
    }

    fn open_item(&self, kind: Kind, item: &Item, findings: FindingsHash, news: &mut Vec<News>) -> OpenItem {
        let row = self.row(kind, item.number);
        let hands_off_at = row.and_then(|row| row.hands_off_at);
        let hands = match &item.pull {
            None => Hands::Ours,
            Some(_) if hands_off_at.is_some() => Hands::Foreign,
            Some(pull) if !self.is_ours_alone(kind, pull) => {
                news.push(News::Touched(item.clone(), kind));
                Hands::Foreign
            }
            Some(pull) if pull.open.as_ref().is_none_or(|open| !open.files_complete) => Hands::Unread,
            Some(_) => Hands::Ours,
        };
        let edits = row.map(|row| row.edits.clone()).unwrap_or_default();
        let closing = row.filter(|row| row.closing.is_some()).map(|row| row.updated_at + LISTS_LAG);
        let closing_until = closing.filter(|until| self.now < *until);
        OpenItem { item: item.clone(), findings, hands, edits, hands_off_at, closing_until }
    }

    /// Whether every commit of a pull request is ours: by its author, which an
    /// amended commit keeps, and by GitHub's signature or the ledger. A server
    /// may not sign what it commits; of a creation whose answer was lost the
    /// author has to do.
    fn is_ours_alone(&self, kind: Kind, pull: &Pull) -> bool {
        let begun = self.begun(kind).is_some();
        pull.commits_complete
            && pull.commits.iter().all(|commit| {
                commit.author == Some(self.identity.bot)
                    && (commit.signed_by_github || begun || self.wrote(kind, commit.oid.as_str()))
            })
    }

    /// Whether the ledger knows a commit as one that Muster made for a kind.
    fn wrote(&self, kind: Kind, oid: &str) -> bool {
        let rows = self.rows.iter().filter(|row| row.kind == kind);
        rows.flat_map(|row| row.commits.iter().chain(&row.staged)).any(|known| known.as_str() == oid)
    }

    fn branch(&self, name: &str) -> Option<&Branch> {
        self.observed.branches.iter().find(|branch| branch.name == name)
    }

    /// Where the creation of a pull request may start from.
    fn start(&self, kind: Kind, begun: bool) -> Standing {
        let name = kind.branch(self.prefix);
        let Some(branch) = self.branch(&name) else {
            return Standing::Free(Start::Nothing);
        };
        match self.leftover(kind) {
            Some(leftover) if leftover.from <= self.now => return Standing::Free(Start::Nothing),
            Some(leftover) => {
                let why = "its branch stays for 7 days, so that the closed one can be opened again";
                return Standing::Blocked { why: why.to_owned(), until: Some(leftover.from) };
            }
            None => {}
        }
        let by_us = branch.author == Some(self.identity.bot);
        match (begun, by_us) {
            (true, true) => Standing::Free(Start::Committed(branch.tip.clone())),
            (true, false) => Standing::Free(Start::Branch(branch.tip.clone())),
            // Of a pull request that is over, and whose marker cannot be read.
            (false, true) if kind == Kind::Inventory && self.wrote(kind, branch.tip.as_str()) => {
                Standing::Free(Start::Committed(branch.tip.clone()))
            }
            (false, _) => Standing::Blocked {
                why: format!("a branch {name} is there that we did not begin"),
                until: None,
            },
        }
    }

    /// The branch of the newest pull request of ours, if that is over and
    /// nobody else worked on it; at once if it was merged or Muster closed it,
    /// else when it can be taken that nobody opens it again.
    fn leftover(&self, kind: Kind) -> Option<Leftover> {
        let branch = self.branch(&kind.branch(self.prefix))?;
        if self.unsettled(kind).is_some() {
            return None;
        }
        let ours = |item: &&&Item| matches!(self.identity.whose(item, self.repository), Whose::Ours(_));
        let candidates = self.candidates(kind);
        let newest = candidates.iter().rfind(ours)?;
        let pull = newest.pull.as_ref()?;
        if pull.head != branch.tip || !self.is_ours_alone(kind, pull) {
            return None;
        }
        if self.row(kind, newest.number).is_some_and(|row| row.hands_off_at.is_some()) {
            return None;
        }
        let (from, why) = match &newest.state {
            ItemState::Open => return None,
            ItemState::Merged => (self.now, "its pull request is merged"),
            ItemState::Closed { by: Some(by), .. } if by.id == Some(self.identity.bot) => {
                (self.now, "its pull request is closed")
            }
            // What became private must not wait for a branch (threats N5).
            ItemState::Closed { .. } if kind == Kind::Inventory => (self.now, "its pull request is closed"),
            ItemState::Closed { at, .. } => {
                (at.unwrap_or(newest.updated_at) + BRANCH_STAYS, "its pull request was closed a week ago")
            }
        };
        Some(Leftover { kind, branch: branch.clone(), from, why })
    }

    /// The branch on which a refresh is prepared. It is ours by its commit, or
    /// by the ledger while it has none.
    fn staging(&self, kind: Kind) -> Option<Staging> {
        let branch = self.branch(&kind.staging_branch(self.prefix))?.clone();
        let ours = branch.author == Some(self.identity.bot) || self.wrote(kind, branch.tip.as_str());
        Some(Staging { kind, branch, ours })
    }
}
