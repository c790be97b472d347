//! What is done with an entry of a corpus: by the fuzzer, and on stable Rust by
//! the test that replays every entry kept here.
//!
//! Each reads what a stranger can write, and asserts what its reader promises.

use jiff::Timestamp;
use muster::{
    domain::{
        code_json,
        marker::{Identity, MarkerKeys, Whose},
        observed::{Actor, Item, ItemKind, ItemState},
        policy::{Policy, Problem, Wish},
        repository::{AccountId, RepositoryId},
        untrusted,
    },
    github::webhook::Event,
    jobs::route::{self, Known},
};

/// A delivery: the event's name on the first line, then the body. Whatever it
/// is, it is read or refused, and routed, always to the same jobs.
pub fn payload(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let Ok(name) = std::str::from_utf8(&data[..end]) else { return };
    let body = data.get(end + 1..).unwrap_or_default();
    let Ok(event) = Event::parse(name, body) else { return };
    assert_eq!(event.name, name);
    let now = Timestamp::UNIX_EPOCH;
    let known = Known { judged: event.before.as_ref(), bot: Some(AccountId(7)), branch_prefix: "muster/" };
    let jobs = route::route(&event, known, now);
    assert_eq!(jobs, route::route(&event, known, now));
    assert!(jobs.is_empty() || route::listens(name, event.action.as_deref()));
    if let Some(moved) = route::moves_judged_head(&event, known) {
        assert!(route::hangs_on_judged_head(&event).is_some());
        assert_eq!(Some(&moved.before), event.before.as_ref());
    }
}

/// The bytes of a policy file, and of a repository's own file: a policy or the
/// problems, each at a place of the text. A wish never raises the mode.
pub fn policy(data: &[u8]) {
    let lines = data.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1;
    let policy = match Policy::parse_bytes(data) {
        Ok(policy) => {
            assert_eq!(policy.digest(), policy.clone().digest());
            policy
        }
        Err(problems) => {
            assert_placed(&problems, lines);
            Policy::default()
        }
    };
    match Wish::parse_bytes(data) {
        Ok(wish) => match policy.for_repository(&wish) {
            Ok(wished) => assert!(wished.mode <= policy.mode),
            Err(problems) => assert_placed(&problems, lines),
        },
        Err(problems) => assert_placed(&problems, lines),
    }
}

fn assert_placed(problems: &[Problem], lines: usize) {
    assert!(!problems.is_empty());
    for problem in problems {
        assert!((1..=lines).contains(&(problem.line as usize)) && problem.column >= 1, "{problem}");
        assert!(!problem.message.is_empty() && !problem.remedy.is_empty(), "{problem}");
        assert!(!problem.to_string().chars().any(untrusted::is_treacherous), "{problem}");
    }
}

/// The body of an issue that our App wrote: ours only if the line that we would
/// write stands in it. The same body of anybody else is foreign.
pub fn marker(data: &[u8]) {
    let body = String::from_utf8_lossy(data);
    let keys = MarkerKeys::new(vec![b"the key of the fuzzed instance".to_vec()]);
    let us = Identity { bot: AccountId(7), instance: "fuzz".to_owned(), keys };
    let item = |author, kind| Item {
        kind,
        node_id: "I_1".to_owned(),
        number: 1,
        url: String::new(),
        repository: RepositoryId(1),
        title: String::new(),
        body: body.clone().into_owned(),
        state: ItemState::Open,
        author: Some(Actor { id: Some(AccountId(author)), login: "muster[bot]".to_owned(), bot: true }),
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
        lock: None,
        comments: Vec::new(),
        pull: None,
    };
    for kind in [ItemKind::Issue, ItemKind::PullRequest] {
        if let Whose::Ours(marker) = us.whose(&item(7, kind), RepositoryId(1)) {
            assert_eq!(marker.kind.item(), kind);
            assert!(body.contains(&us.marker(marker.kind, RepositoryId(1), &marker.findings)));
            assert_eq!(us.whose(&item(7, kind), RepositoryId(2)), Whose::OtherInstance);
        }
        assert_eq!(us.whose(&item(8, kind), RepositoryId(1)), Whose::Foreign);
    }
}

/// The text of a `code.json`: any has a reading, with every flaw at a place of
/// the text, in order; what is no JSON has no shape and says why.
pub fn code_json(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let reading = code_json::read(&text);
    assert_eq!(reading, code_json::read(&text));
    assert!(reading.shape.is_some() || !reading.flaws.is_empty());
    let mut before = (1, 0);
    for flaw in &reading.flaws {
        let at = (flaw.at.line, flaw.at.column);
        assert!(before <= at, "{:?} after {before:?}", flaw);
        assert!(flaw.at.line as usize <= text.split('\n').count(), "{flaw:?}");
        assert!(flaw.at.column >= 1, "{flaw:?}");
        before = at;
    }
}
