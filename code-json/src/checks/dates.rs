//! Checks of dates.

use crate::check::{Check, Repair, Severity, Within};

/// The date is empty.
pub const EMPTY_DATE: Check = Check {
    id: "date-empty",
    severity: Severity::Error,
    title: "the date is empty",
    why: "An empty text is no date. The key is optional.",
    source: "date of the schema; field survey",
    within: Within::Gsa,
    wrong: r#"{"date": {"created": ""}}"#,
    right: r#"{"date": {}}"#,
    repair: Repair::Always,
};

/// A date with time is wanted.
pub const DATE_TO_TIME: Check = Check {
    id: "date-without-time",
    severity: Severity::Error,
    title: "a date with time is wanted",
    why: "gov-codejson has date and time; a date alone becomes midnight UTC.",
    source: "gov-codejson 2.0.0 date; RFC 3339",
    within: Within::Gov,
    wrong: r#"{"date": {"created": "2024-03-01"}}"#,
    right: r#"{"date": {"created": "2024-03-01T00:00:00Z"}}"#,
    repair: Repair::Always,
};

/// A date without time is wanted.
pub const TIME_TO_DATE: Check = Check {
    id: "date-with-time",
    severity: Severity::Error,
    title: "a date without time is wanted",
    why: "GSA's text allows both, its schema only the date.",
    source: "GSA 2.0.0 date: format date",
    within: Within::Gsa,
    wrong: r#"{"date": {"created": "2024-03-01T10:20:30Z"}}"#,
    right: r#"{"date": {"created": "2024-03-01"}}"#,
    repair: Repair::Always,
};

/// The date is not written as ISO 8601 wants it.
pub const DATE_SPELLING: Check = Check {
    id: "date-spelling",
    severity: Severity::Error,
    title: "the date is not written as ISO 8601 wants it",
    why: "Readers expect 2024-03-01, and 2024-03-01T10:20:30Z with a time.",
    source: "RFC 3339; field survey",
    within: Within::Gsa,
    wrong: r#"{"date": {"created": "2024-3-1"}}"#,
    right: r#"{"date": {"created": "2024-03-01"}}"#,
    repair: Repair::Always,
};

/// This is no date.
pub const DATE: Check = Check {
    id: "date-format",
    severity: Severity::Error,
    title: "this is no date",
    why: "No calendar has it, or it can be read in two ways.",
    source: "RFC 3339; field survey",
    within: Within::Gsa,
    wrong: r#"{"date": {"created": "2015-26-2"}}"#,
    right: r#"{"date": {"created": "2015-02-26"}}"#,
    repair: Repair::Person,
};

/// The date is in the future.
pub const FUTURE: Check = Check {
    id: "date-future",
    severity: Severity::Warning,
    title: "the date is in the future",
    why: "Readers sort by it, so that the entry stays on top for no reason.",
    source: "field survey",
    within: Within::Gsa,
    wrong: r#"{"date": {"created": "2999-01-01"}}"#,
    right: r#"{"date": {"created": "2024-01-01"}}"#,
    repair: Repair::Person,
};

/// Modified before it was created.
pub const ORDER: Check = Check {
    id: "date-order",
    severity: Severity::Hint,
    title: "modified before it was created",
    why: "One of the dates is wrong.",
    source: "field survey",
    within: Within::Gsa,
    wrong: r#"{"date": {"created": "2024-03-01", "lastModified": "2020-01-01"}}"#,
    right: r#"{"date": {"created": "2020-01-01", "lastModified": "2024-03-01"}}"#,
    repair: Repair::Person,
};

/// All of this subject.
pub const ALL: &[&Check] =
    &[&EMPTY_DATE, &DATE_TO_TIME, &TIME_TO_DATE, &DATE_SPELLING, &DATE, &FUTURE, &ORDER];
