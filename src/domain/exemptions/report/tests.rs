use jiff::{Timestamp, tz::TimeZone};

use super::*;
use crate::domain::{
    exemptions::{Place, Register, Trust, history::History, verify::Way},
    repository::AccountId,
};

fn year(text: &str) -> FiscalYear {
    text.parse().unwrap()
}

fn register(entries: &str) -> Register {
    Register::parse(&format!("annex: 2\nexemptions:\n{entries}"), &Place::private()).unwrap()
}

fn granted(id: u64, usage: &str, rest: &str) -> String {
    format!(
        "- {{id: {id}, usage: {usage}, reason: Yes, requested_by: 1, approved_by: 9, role: cio, {rest}}}\n"
    )
}

fn verified(register: &Register) -> Vec<Entry> {
    let commit: crate::domain::repository::ObjectId = "a".repeat(40).parse().unwrap();
    let proof = Proof { pull_request: 1, commit, by: AccountId(6), way: Way::CodeOwner };
    let trust = |exemption: &Exemption| exemption.applies().map(|_| Trust::Verified(proof.clone()));
    register.exemptions.iter().map(|e| Entry { exemption: e.clone(), trust: trust(e) }).collect()
}

fn at(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).unwrap().timestamp()
}

/// A register that stood like this on these days.
fn source(days: &[(Date, String)]) -> Source {
    let (mut events, mut entries) = (Vec::new(), Vec::new());
    for (day, text) in days {
        entries = verified(&register(text));
        let more = History::of(events.clone()).after(&entries, at(*day));
        events.extend(more);
    }
    let past = History::of(events).all().cloned().collect();
    Source { organization: "agency".to_owned(), annex: 2, entries, past }
}

fn shown(report: &Report) -> Vec<String> {
    let line = |one: &Applied| {
        format!("{} {} {}..{}", one.exemption.id, one.exemption.usage.name(), one.within.0, one.within.1)
    };
    report.applied.iter().map(line).collect()
}

#[test]
fn a_fiscal_year_begins_in_october() {
    assert_eq!((year("2026").first(), year("2026").last()), (date(2025, 10, 1), date(2026, 9, 30)));
    for wrong in ["26", "FY2026", "", "-2026", "30000"] {
        assert!(wrong.parse::<FiscalYear>().is_err(), "{wrong}");
    }
}

#[test]
fn any_day_of_the_year_counts() {
    for (dates, expected) in [
        ("applied_from: 2026-03-02, applied_to: 2027-03-02", Some("2026-03-02..2026-09-30")),
        ("applied_from: 2020-01-01", Some("2025-10-01..2026-09-30")),
        ("applied_from: 2020-01-01, applied_to: 2025-10-01", Some("2025-10-01..2025-10-01")),
        ("applied_from: 2026-09-30", Some("2026-09-30..2026-09-30")),
        ("applied_from: 2020-01-01, applied_to: 2025-09-30", None),
        ("applied_from: 2026-10-01", None),
    ] {
        let text = granted(7, "exemptByFOIA", dates);
        let expected: Vec<String> =
            expected.map(|days| format!("7 exemptByFOIA {days}")).into_iter().collect();
        let report =
            Report::of(year("2026"), date(2026, 12, 1), &[source(&[(date(2025, 9, 1), text.clone())])]);
        assert_eq!(shown(&report), expected, "{dates}");
        let file = from_file("file".to_owned(), &register(&text), year("2026"), date(2026, 12, 1));
        assert_eq!(shown(&file), expected, "{dates}");
    }
}

#[test]
fn what_was_deleted_in_may_still_counts_and_a_new_wording_is_no_new_exemption() {
    let first = granted(7, "exemptByFOIA", "applied_from: 2026-03-02");
    let worded = first.replace("Yes", "Better");
    let other = granted(8, "exemptByITAR", "applied_from: 2026-04-02");
    let register =
        source(&[(date(2026, 3, 2), first), (date(2026, 4, 2), worded + &other), (date(2026, 5, 10), other)]);
    let report = Report::of(year("2026"), date(2026, 6, 1), std::slice::from_ref(&register));
    assert_eq!(
        shown(&report),
        ["7 exemptByFOIA 2026-03-02..2026-05-10", "8 exemptByITAR 2026-04-02..2026-06-01"]
    );
    let gone = &report.applied[0];
    assert_eq!((gone.exemption.reason.as_str(), gone.left), ("Better", Some(date(2026, 5, 10))));
    assert_eq!((report.repositories(), report.annex), (2, 2));
    assert_eq!(report.of_class(Class::Automatic).count(), 1);
    let next = Report::of(year("2027"), date(2026, 12, 1), &[register]);
    assert_eq!(shown(&next), ["8 exemptByITAR 2026-10-01..2026-12-01"]);
}

#[test]
fn what_does_not_count_is_counted_apart() {
    let text = granted(7, "exemptByFOIA", "applied_from: 2027-03-02")
        + &granted(8, "exemptByFOIA", "applied_from: 2026-01-01")
        + "- {id: 9, usage: exemptByFOIA, reason: Yes, requested_by: 1}\n"
        + "- {id: 10, usage: exemptByFOIA, reason: Yes, requested_by: 1, denied_by: 2, denied_on: 2026-01-01}\n";
    let mut register = source(&[(date(2026, 3, 2), text)]);
    register.past.clear();
    register.entries[1].trust = Some(Trust::Unverified("nobody approved".to_owned()));
    let report = Report::of(year("2026"), date(2026, 6, 1), &[register]);
    assert!(report.applied.is_empty());
    let counts: Vec<(&str, usize)> = report.otherwise.iter().map(|(s, n)| (s.as_str(), *n)).collect();
    assert_eq!(counts, [("requested", 1), ("denied", 1), ("unverified", 1), ("not-yet", 1)]);
    assert_eq!((report.doubted[0].repository.0, report.doubted[0].why.as_str()), (8, "nobody approved"));
}
