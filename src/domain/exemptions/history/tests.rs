use jiff::civil::date;

use super::*;
use crate::domain::{
    exemptions::{Place, Register, verify::Way},
    repository::AccountId,
};

fn entry(to: &str, trusted: bool) -> Entry {
    let text = format!(
        "exemptions:\n- {{id: 7, usage: exemptByFOIA, reason: Yes, requested_by: 1, approved_by: 9, role: cio, \
         applied_from: 2026-03-02{to}}}\n"
    );
    let exemption = Register::parse(&text, &Place::private()).unwrap().exemptions.remove(0);
    let commit = "a".repeat(40).parse().unwrap();
    let proof = Proof { pull_request: 1, commit, by: AccountId(6), way: Way::CodeOwner };
    let trust = if trusted { Trust::Verified(proof) } else { Trust::Unverified("why".to_owned()) };
    Entry { exemption, trust: Some(trust) }
}

fn at(day: Date) -> Timestamp {
    day.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp()
}

/// The history of a register that stood like this on these days.
fn lived(days: &[(Date, Vec<Entry>)]) -> (History, Vec<Event>) {
    let mut events = Vec::new();
    for (day, entries) in days {
        let more = History::of(events.clone()).after(entries, at(*day));
        events.extend(more);
    }
    (History::of(events.clone()), events)
}

#[test]
fn what_stands_as_before_adds_nothing() {
    let (history, events) = lived(&[
        (date(2026, 3, 5), vec![entry("", true)]),
        (date(2026, 3, 6), vec![entry("", true)]),
        (date(2026, 5, 10), vec![]),
        (date(2026, 5, 11), vec![]),
    ]);
    assert_eq!(events.len(), 2);
    let past = history.all().next().unwrap();
    assert_eq!(past.left(), Some(date(2026, 5, 10)));
    // From the day it was granted for, though it was merged later.
    assert_eq!(past.applied(date(2026, 12, 1)), [(date(2026, 3, 2), date(2026, 5, 10))]);
    assert_eq!(past.applied(date(2026, 4, 1)), [(date(2026, 3, 2), date(2026, 4, 1))]);
    assert_eq!(past.applied(date(2026, 3, 1)), []);
    assert!(history.proof(&entry("", true).exemption.digest()).is_some());
}

#[test]
fn what_was_never_verified_is_not_in_it() {
    let (history, _) = lived(&[(date(2026, 3, 5), vec![entry("", false)])]);
    assert_eq!(history, History::default());
}

#[test]
fn what_came_back_applies_from_then_on_and_what_ended_ended() {
    let (history, _) = lived(&[
        (date(2026, 3, 5), vec![entry("", true)]),
        (date(2026, 4, 1), vec![]),
        (date(2026, 6, 1), vec![entry("", true)]),
    ]);
    let past = history.all().next().unwrap();
    assert_eq!(
        past.applied(date(2026, 7, 1)),
        [(date(2026, 3, 2), date(2026, 4, 1)), (date(2026, 6, 1), date(2026, 7, 1))]
    );
    assert_eq!(past.left(), None);
    let (history, _) = lived(&[(date(2026, 3, 5), vec![entry(", applied_to: 2026-03-20", true)])]);
    assert_eq!(
        history.all().next().unwrap().applied(date(2026, 7, 1)),
        [(date(2026, 3, 2), date(2026, 3, 20))]
    );
    // Granted for a later day, and gone before it.
    let (history, _) = lived(&[(date(2026, 2, 1), vec![entry("", true)]), (date(2026, 2, 20), vec![])]);
    assert_eq!(history.all().next().unwrap().applied(date(2026, 7, 1)), []);
}
