//! Items, rows and what stands, for tests, in one line each.

use super::*;
use crate::domain::{
    finding::FindingsHash,
    marker::{Identity, MarkerKeys},
    observed::{Actor, ItemKind, ItemState, OpenPull, ProposedCommit, Pull},
    outgoing::NewFile,
    repository::{AccountId, RepositoryId, testing::blob},
};

/// A Tuesday, 15:00 UTC: inside the default hours.
pub(crate) const NOW: &str = "2026-11-17T15:00:00Z";
/// The repository of [`crate::domain::repository::testing::Sample`].
pub(crate) const HERE: RepositoryId = RepositoryId(1001);
/// Our bot user.
pub(crate) const BOT: AccountId = AccountId(7);

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub(crate) fn days(days: u32) -> Duration {
    DAY * days
}

pub(crate) fn oid(digit: char) -> ObjectId {
    std::iter::repeat_n(digit, 40).collect::<String>().parse().unwrap()
}

pub(crate) fn identity() -> Identity {
    let keys = MarkerKeys::new(vec![b"a key of at least twenty bytes".to_vec()]);
    Identity { bot: BOT, instance: "test".into(), keys }
}

pub(crate) fn nothing() -> Outstanding {
    Outstanding {
        license: Standing::Free(Start::Nothing),
        files: Standing::Free(Start::Nothing),
        code_json: Standing::Free(Start::Nothing),
        tracking: Standing::Free(Start::Nothing),
        digest: Standing::Free(Start::Nothing),
        digest_declined: false,
        label_exists: false,
        leftovers: Vec::new(),
        staging: Vec::new(),
        duplicates: Vec::new(),
        declined: Vec::new(),
        expired: Vec::new(),
        refused: Vec::new(),
        held: Vec::new(),
        begun: Vec::new(),
        pull_requests_at: Vec::new(),
    }
}

pub(crate) fn person(id: u64) -> Actor {
    Actor { id: Some(AccountId(id)), login: format!("person-{id}"), bot: false }
}

pub(crate) fn us() -> Actor {
    Actor { id: Some(BOT), login: "muster[bot]".into(), bot: true }
}

/// An issue of ours whose marker names these findings.
pub(crate) fn issue(number: u64, named: &FindingsHash) -> Item {
    Item {
        kind: ItemKind::Issue,
        node_id: format!("N_{number}"),
        number,
        url: format!("https://github.example.gov/agency/site/issues/{number}"),
        repository: HERE,
        title: "Repository open source checklist".into(),
        body: format!("Words.\n\n{}\n", identity().marker(Kind::Tracking, HERE, named)),
        state: ItemState::Open,
        author: Some(us()),
        created_at: now(),
        updated_at: now(),
        lock: None,
        comments: Vec::new(),
        pull: None,
    }
}

/// The commit of ours on the branch of [`pull_request`].
pub(crate) fn commit() -> ProposedCommit {
    ProposedCommit { oid: oid('a'), author: Some(BOT), signed_by_github: true }
}

/// An open pull request of ours with files, whose marker names `named`.
pub(crate) fn pull_request(number: u64, named: &FindingsHash) -> Item {
    Item {
        kind: ItemKind::PullRequest,
        title: "Add missing open source files: CONTRIBUTING.md".into(),
        body: format!("Words.\n\n{}\n", identity().marker(Kind::Files, HERE, named)),
        pull: Some(Box::new(Pull {
            branch: "muster/files".into(),
            head: oid('a'),
            draft: false,
            commits: vec![commit()],
            commits_complete: true,
            open: Some(OpenPull {
                made_on: Some("4f1c9e2".repeat(6)[..40].parse().unwrap()),
                files: Vec::new(),
                files_complete: true,
                conflicting: false,
                hold: None,
                auto_merge_since: None,
            }),
        })),
        ..issue(number, named)
    }
}

/// The same as somebody may have closed it.
pub(crate) fn closed(item: Item, by: Option<Actor>) -> Item {
    Item { state: ItemState::Closed { by, at: Some(now()) }, ..item }
}

/// An open item as it stands, ours alone and never edited.
pub(crate) fn open(item: Item, named: FindingsHash) -> OpenItem {
    OpenItem {
        item,
        findings: named,
        hands: Hands::Ours,
        edits: Vec::new(),
        hands_off_at: None,
        closing_until: None,
    }
}

/// What an open pull request carries: paths, each with its text.
pub(crate) fn carry(item: &mut Item, files: &[NewFile]) {
    let blob = |file: &NewFile| (file.path.to_owned(), Some(blob(&file.text)));
    let details = item.pull.as_mut().unwrap().open.as_mut().unwrap();
    details.files = files.iter().map(blob).collect();
}

pub(crate) fn branch(author: u64) -> Branch {
    Branch {
        name: "muster/files".into(),
        tip: oid('a'),
        author: Some(AccountId(author)),
        message: String::new(),
    }
}

pub(crate) fn row(id: i64, kind: Kind, state: State, number: Option<u64>) -> Remembered {
    Remembered {
        id,
        kind,
        state,
        number,
        node_id: number.map(|n| format!("N_{n}")),
        findings: "contributing:missing".parse().unwrap(),
        commits: Vec::new(),
        staged: None,
        closing: None,
        edits: Vec::new(),
        hands_off_at: None,
        created_at: now(),
        updated_at: now(),
    }
}
