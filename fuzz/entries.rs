//! What is done with an entry of a corpus: by the fuzzer, and on stable Rust by
//! the test that replays every entry kept here.
//!
//! Each reads what a stranger can write, and asserts what its reader promises.

use code_json::{
    convert::{Frame, Target, convert},
    document::Limits,
    migrate::{self, Reading},
    repair::repair,
    report::{self, Judged, Style},
    source,
    validate::{Options, validate},
};
use jiff::{Timestamp, civil::date};
use muster::{
    domain::{
        marker::{Identity, MarkerKeys, Whose},
        observed::{Actor, Item, ItemKind, ItemState},
        policy::{Policy, Problem, Wish},
        repository::{AccountId, RepositoryId},
        untrusted,
    },
    github::webhook::Event,
    jobs::route::{self, Known},
};
use serde_json::Value;

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

/// The bytes of a `code.json`: judged, told in every format, repaired and
/// converted. Each problem has a place in it; what is told shows no control
/// characters; repairing again changes nothing, and converting comes to an end.
pub fn code_json(data: &[u8]) {
    let options = Options { today: Some(date(2026, 11, 26)), ..Options::default() };
    let report = validate(data, &options);
    assert!(report.violations.unwrap_or(0) == 0 || !report.is_valid());
    let lines = data.split(|byte| *byte == b'\n').count();
    for problem in &report.problems {
        assert!((1..=lines).contains(&(problem.place.line as usize)) && problem.place.column >= 1);
        assert!(!problem.found.is_empty() && !problem.write.is_empty());
    }
    let judged = Judged { path: "code.json", bytes: data, report: &report };
    for text in [report::human(judged, &Style::default()), report::github(judged)] {
        assert!(!text.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    }
    assert!(report::json(judged).is_object() && report::sarif(&[judged], "fuzz", "1", None).is_object());
    if let Ok(once) = repair(data, &options) {
        let twice = repair(once.text.as_bytes(), &options).expect("what was repaired is read");
        assert_eq!(once.text, twice.text);
        assert!(once.after.violations <= once.before.violations);
        assert!(!once.made.is_empty() || once.text.as_bytes() == data);
    }
    for name in ["code.json", "publiccode.yml", ".codeinventory.yml"] {
        if let Ok(reading) = source::read(name, data, &Limits::default()) {
            convert_on(&reading, name);
        }
    }
}

/// Converts, and converts what came of it, until nothing changes: at once,
/// unless a key that is nearly another's took its place, which was left out.
fn convert_on(reading: &Reading, name: &str) {
    let frame = Frame { agency: Some("ABC".to_owned()), method: Some("projects".to_owned()) };
    for target in Target::ALL {
        let on = |reading: &Reading| convert(reading, target, &frame).map(|converted| converted.document);
        let Ok(first) = on(reading) else { continue };
        let read = |document: &Value| migrate::read(document, name).expect("what was converted is read");
        let again = read(&first);
        if name == "code.json" {
            let second = on(&again).expect("and converted again");
            assert_eq!(on(&read(&second)).expect("and again"), second, "to {}", target.name());
        }
    }
}
