//! Checks of the text itself, before it is anything: RFC 8259.

use crate::check::{Check, Repair, Severity, Within};

/// The file ends too early.
pub const CUT_OFF: Check = Check {
    id: "json-cut-off",
    severity: Severity::Error,
    title: "the file ends too early",
    why: "A program that reads the file stops here and takes nothing of it.",
    source: "RFC 8259 §2",
    within: Within::File,
    wrong: r#"{"name": "badge-reader", "tags": ["badge""#,
    right: r#"{"name": "badge-reader", "tags": ["badge"]}"#,
    repair: Repair::Person,
};

/// This is not JSON.
pub const SYNTAX: Check = Check {
    id: "json-syntax",
    severity: Severity::Error,
    title: "this is not JSON",
    why: "A program that reads the file stops here and takes nothing of it.",
    source: "RFC 8259 §2",
    within: Within::File,
    wrong: r#"{"name": badge-reader}"#,
    right: r#"{"name": "badge-reader"}"#,
    repair: Repair::Person,
};

/// The file is not UTF-8.
pub const ENCODING: Check = Check {
    id: "json-encoding",
    severity: Severity::Error,
    title: "the file is not UTF-8",
    why: "Files that are exchanged are UTF-8; other bytes end the reading or garble names.",
    source: "RFC 8259 §8.1",
    within: Within::File,
    wrong: "",
    right: r#"{"name": "Bureau’s reader"}"#,
    repair: Repair::Person,
};

/// The file is larger than any inventory.
pub const LIMITS: Check = Check {
    id: "json-limits",
    severity: Severity::Error,
    title: "the file is larger than any inventory",
    why: "No program should have to read it. Real inventories have one or two megabytes.",
    source: "RFC 8259 §9",
    within: Within::File,
    wrong: "",
    right: r#"{"releases": []}"#,
    repair: Repair::Person,
};

/// The file begins with a byte order mark.
pub const BYTE_ORDER_MARK: Check = Check {
    id: "json-byte-order-mark",
    severity: Severity::Error,
    title: "the file begins with a byte order mark",
    why: "Writers must not add one, and many readers stop at it.",
    source: "RFC 8259 §8.1",
    within: Within::File,
    wrong: "\u{feff}{\"name\": \"badge-reader\"}",
    right: r#"{"name": "badge-reader"}"#,
    repair: Repair::Always,
};

/// A comma stands before the closing bracket.
pub const TRAILING_COMMA: Check = Check {
    id: "json-trailing-comma",
    severity: Severity::Error,
    title: "a comma stands before the closing bracket",
    why: "JSON has commas only between values; strict readers stop here.",
    source: "RFC 8259 §4, §5",
    within: Within::File,
    wrong: r#"{"tags": ["badge", "entry",]}"#,
    right: r#"{"tags": ["badge", "entry"]}"#,
    repair: Repair::Always,
};

/// A comma is missing at the end of the line.
pub const MISSING_COMMA: Check = Check {
    id: "json-missing-comma",
    severity: Severity::Error,
    title: "a comma is missing at the end of the line",
    why: "JSON has a comma between values; readers stop here.",
    source: "RFC 8259 §4, §5",
    within: Within::File,
    wrong: "{\"name\": \"a\"\n\"tags\": []}",
    right: "{\"name\": \"a\",\n\"tags\": []}",
    repair: Repair::Always,
};

/// JSON has no comments.
pub const COMMENT: Check = Check {
    id: "json-comment",
    severity: Severity::Error,
    title: "JSON has no comments",
    why: "Readers stop here. What somebody wanted to say is not removed without asking.",
    source: "RFC 8259 §2",
    within: Within::File,
    wrong: r#"{"name": "a" /* new */}"#,
    right: r#"{"name": "a"}"#,
    repair: Repair::Person,
};

/// A tab or another control character stands in a text.
pub const CONTROL_CHARACTER: Check = Check {
    id: "json-control-character",
    severity: Severity::Error,
    title: "a tab or another control character stands in a text",
    why: "It must be written as an escape; strict readers stop here.",
    source: "RFC 8259 §7",
    within: Within::File,
    wrong: "{\"name\": \"badge\treader\"}",
    right: r#"{"name": "badge\treader"}"#,
    repair: Repair::Always,
};

/// Half of a surrogate pair.
pub const LONE_SURROGATE: Check = Check {
    id: "json-lone-surrogate",
    severity: Severity::Error,
    title: "half of a surrogate pair",
    why: "It is no character; some readers stop, others write a question mark.",
    source: "RFC 8259 §8.2",
    within: Within::File,
    wrong: r#"{"name": "a\ud83d"}"#,
    right: r#"{"name": "a\ud83d\ude00"}"#,
    repair: Repair::Person,
};

/// The same key stands twice.
pub const DUPLICATE_KEY: Check = Check {
    id: "json-duplicate-key",
    severity: Severity::Warning,
    title: "the same key stands twice",
    why: "Readers differ in which one they take; most take the last.",
    source: "RFC 8259 §4",
    within: Within::File,
    wrong: r#"{"name": "a", "name": "a"}"#,
    right: r#"{"name": "a"}"#,
    repair: Repair::Sometimes,
};

/// All of this subject.
pub const ALL: &[&Check] = &[
    &CUT_OFF,
    &SYNTAX,
    &ENCODING,
    &LIMITS,
    &BYTE_ORDER_MARK,
    &TRAILING_COMMA,
    &MISSING_COMMA,
    &COMMENT,
    &CONTROL_CHARACTER,
    &LONE_SURROGATE,
    &DUPLICATE_KEY,
];
