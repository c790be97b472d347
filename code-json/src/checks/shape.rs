//! Checks of what the file is, and of keys and types in general.

use crate::check::{Check, Repair, Severity, Within};

/// This is no code.json.
pub const UNKNOWN_FILE: Check = Check {
    id: "file-unknown",
    severity: Severity::Error,
    title: "this is no code.json",
    why: "None of the keys of any published schema is there, so nothing more can be said.",
    source: "all published schemas",
    within: Within::File,
    wrong: r#"{"title": "site", "api": "x"}"#,
    right: r#"{"name": "site", "description": "…", "permissions": {}}"#,
    repair: Repair::Person,
};

/// The file is a list.
pub const LIST_FILE: Check = Check {
    id: "file-list",
    severity: Severity::Error,
    title: "the file is a list",
    why: "Published schemas want an object. A list is what USGS's generator collects, and harvesters refuse it.",
    source: "GSA 2.0.0 and gov-codejson 2.0.0: type object",
    within: Within::File,
    wrong: r#"[{"name": "a", "tags": [], "permissions": {}}]"#,
    right: r#"{"name": "a", "tags": [], "permissions": {}}"#,
    repair: Repair::Person,
};

/// This generation of the schema is retired.
pub const RETIRED: Check = Check {
    id: "file-retired",
    severity: Severity::Warning,
    title: "this generation of the schema is retired",
    why: "Harvesters of today read version 2, so convert the file.",
    source: "GSA code-gov-data; gov-codejson 2.0.0",
    within: Within::File,
    wrong: r#"{"name": "a", "tags": [], "license": null, "openSourceProject": 1}"#,
    right: r#"{"name": "a", "tags": [], "permissions": {"licenses": null, "usageType": "openSource"}}"#,
    repair: Repair::Person,
};

/// A required key is missing.
pub const MISSING: Check = Check {
    id: "key-missing",
    severity: Severity::Error,
    title: "a required key is missing",
    why: "The schema requires it.",
    source: "required of the schema",
    within: Within::File,
    wrong: r#"{"version": "2.0.0", "agency": "X", "releases": []}"#,
    right: r#"{"version": "2.0.0", "agency": "X", "measurementType": {"method": "projects"}, "releases": []}"#,
    repair: Repair::Person,
};

/// The schema does not allow this key.
pub const UNKNOWN_KEY: Check = Check {
    id: "key-unknown",
    severity: Severity::Error,
    title: "the schema does not allow this key",
    why: "The schema closes this object, so that any other key is wrong.",
    source: "additionalProperties of the schema",
    within: Within::Gov,
    wrong: r#"{"contact": {"phone": "202 555 0100"}}"#,
    right: r#"{"contact": {}}"#,
    repair: Repair::Person,
};

/// The key is spelled as an older schema or nobody spells it.
pub const KEY_SPELLING: Check = Check {
    id: "key-spelling",
    severity: Severity::Error,
    title: "the key is spelled as an older schema or nobody spells it",
    why: "Readers look for the exact key, so that this value is lost to them.",
    source: "gov-codejson: metadataLastUpdated, feedbackMechanism, licenses",
    within: Within::Gov,
    wrong: r#"{"date": {"metaDataLastUpdated": "2025-01-02T00:00:00Z"}}"#,
    right: r#"{"date": {"metadataLastUpdated": "2025-01-02T00:00:00Z"}}"#,
    repair: Repair::Sometimes,
};

/// Another type is wanted.
pub const TYPE: Check = Check {
    id: "value-type",
    severity: Severity::Error,
    title: "another type is wanted",
    why: "The schema says what kind of value stands here.",
    source: "type of the schema",
    within: Within::Gsa,
    wrong: r#"{"name": ["badge-reader"]}"#,
    right: r#"{"name": "badge-reader"}"#,
    repair: Repair::Person,
};

/// A number or a yes or no stands in quotes, or a text without.
pub const TYPE_AS_TEXT: Check = Check {
    id: "value-as-text",
    severity: Severity::Error,
    title: "a number or a yes or no stands in quotes, or a text without",
    why: "The schema says what kind of value stands here, and only one is meant.",
    source: "type of the schema",
    within: Within::Gsa,
    wrong: r#"{"laborHours": "12"}"#,
    right: r#"{"laborHours": 12}"#,
    repair: Repair::Always,
};

/// Null is not allowed here.
pub const NULL: Check = Check {
    id: "value-null",
    severity: Severity::Error,
    title: "null is not allowed here",
    why: "The schema has no null here. An optional key is left out, a list is empty.",
    source: "type of the schema",
    within: Within::Gsa,
    wrong: r#"{"status": null}"#,
    right: "{}",
    repair: Repair::Sometimes,
};

/// Only some values are allowed here.
pub const ENUM: Check = Check {
    id: "value-not-in-list",
    severity: Severity::Error,
    title: "only some values are allowed here",
    why: "The schema lists them.",
    source: "enum of the schema",
    within: Within::Gov,
    wrong: r#"{"maintenance": "vendor"}"#,
    right: r#"{"maintenance": "contract"}"#,
    repair: Repair::Person,
};

/// The value is meant, but spelled otherwise.
pub const ENUM_SPELLING: Check = Check {
    id: "value-spelling",
    severity: Severity::Error,
    title: "the value is meant, but spelled otherwise",
    why: "The schema lists the exact values; readers compare letter by letter.",
    source: "enum of the schema; field survey",
    within: Within::Gsa,
    wrong: r#"{"status": "production"}"#,
    right: r#"{"status": "Production"}"#,
    repair: Repair::Always,
};

/// The value is empty.
pub const EMPTY: Check = Check {
    id: "value-empty",
    severity: Severity::Error,
    title: "the value is empty",
    why: "The schema wants one of a list here, and empty is none.",
    source: "enum of the schema; field survey",
    within: Within::Gsa,
    wrong: r#"{"status": ""}"#,
    right: "{}",
    repair: Repair::Sometimes,
};

/// The value is out of range.
pub const RANGE: Check = Check {
    id: "value-range",
    severity: Severity::Error,
    title: "the value is out of range",
    why: "The schema limits its size or length.",
    source: "minimum, minLength and the like of the schema",
    within: Within::Gov,
    wrong: r#"{"laborHours": -1}"#,
    right: r#"{"laborHours": 1}"#,
    repair: Repair::Person,
};

/// All of this subject.
pub const ALL: &[&Check] = &[
    &UNKNOWN_FILE,
    &LIST_FILE,
    &RETIRED,
    &MISSING,
    &UNKNOWN_KEY,
    &KEY_SPELLING,
    &TYPE,
    &TYPE_AS_TEXT,
    &NULL,
    &ENUM,
    &ENUM_SPELLING,
    &EMPTY,
    &RANGE,
];
