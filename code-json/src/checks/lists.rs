//! Checks of lists and their items.

use crate::check::{Check, Repair, Severity, Within};

/// A list is wanted, a text was found.
pub const TEXT_FOR_LIST: Check = Check {
    id: "text-for-list",
    severity: Severity::Error,
    title: "a list is wanted, a text was found",
    why: "The schema lets several stand here.",
    source: "type of the schema; field survey: contractNumber",
    within: Within::Gov,
    wrong: r#"{"contractNumber": "75FCMC18D0001"}"#,
    right: r#"{"contractNumber": ["75FCMC18D0001"]}"#,
    repair: Repair::Sometimes,
};

/// An object is wanted, a text was found.
pub const LIST_OF_OBJECTS: Check = Check {
    id: "related-code-text",
    severity: Severity::Error,
    title: "an object is wanted, a text was found",
    why: "Related code has a name and an address.",
    source: "GSA 2.0.0 relatedCode, reusedCode, partners",
    within: Within::Gsa,
    wrong: r#"{"relatedCode": ["https://github.com/example/x"]}"#,
    right: r#"{"relatedCode": [{"URL": "https://github.com/example/x"}]}"#,
    repair: Repair::Sometimes,
};

/// An item stands twice.
pub const TWICE: Check = Check {
    id: "list-duplicates",
    severity: Severity::Error,
    title: "an item stands twice",
    why: "The schema wants each item once.",
    source: "uniqueItems of the schema",
    within: Within::Gov,
    wrong: r#"{"tags": ["a", "b", "a"]}"#,
    right: r#"{"tags": ["a", "b"]}"#,
    repair: Repair::Always,
};

/// An item is empty.
pub const EMPTY_ITEM: Check = Check {
    id: "list-empty-item",
    severity: Severity::Warning,
    title: "an item is empty",
    why: "It finds nothing and is shown as a blank.",
    source: "field survey",
    within: Within::Gsa,
    wrong: r#"{"tags": ["a", ""]}"#,
    right: r#"{"tags": ["a"]}"#,
    repair: Repair::Always,
};

/// There are no tags.
pub const NO_TAGS: Check = Check {
    id: "tags-empty",
    severity: Severity::Hint,
    title: "there are no tags",
    why: "People find code by its tags. GitHub's topics of the repository are a start.",
    source: "Code.gov metadata guide",
    within: Within::Gsa,
    wrong: r#"{"tags": []}"#,
    right: r#"{"tags": ["badge", "entry"]}"#,
    repair: Repair::Person,
};

/// All of this subject.
pub const ALL: &[&Check] = &[&TEXT_FOR_LIST, &LIST_OF_OBJECTS, &TWICE, &EMPTY_ITEM, &NO_TAGS];
