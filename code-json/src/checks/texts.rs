//! Checks of names, descriptions, contacts and numbers.

use crate::check::{Check, Repair, Severity, Within};

/// White space at the beginning or end.
pub const SPACE: Check = Check {
    id: "text-space",
    severity: Severity::Warning,
    title: "white space at the beginning or end",
    why: "Lists are sorted and compared by these texts.",
    source: "field survey",
    within: Within::Gsa,
    wrong: r#"{"description": " Reads the badges at the door. "}"#,
    right: r#"{"description": "Reads the badges at the door."}"#,
    repair: Repair::Always,
};

/// There is no name.
pub const NO_NAME: Check = Check {
    id: "name-empty",
    severity: Severity::Warning,
    title: "there is no name",
    why: "A record without a name cannot be shown.",
    source: "M-16-21; DCAT-US 3 title",
    within: Within::Gsa,
    wrong: r#"{"name": ""}"#,
    right: r#"{"name": "badge-reader"}"#,
    repair: Repair::Person,
};

/// There is no description.
pub const NO_DESCRIPTION: Check = Check {
    id: "description-empty",
    severity: Severity::Warning,
    title: "there is no description",
    why: "Readers learn nothing, and Data.gov drops the entry.",
    source: "M-16-21; DCAT-US 3 description",
    within: Within::Gsa,
    wrong: r#"{"description": ""}"#,
    right: r#"{"description": "Reads the badges at the doors of agency buildings."}"#,
    repair: Repair::Person,
};

/// The description has fewer than four words.
pub const SHORT_DESCRIPTION: Check = Check {
    id: "description-short",
    severity: Severity::Hint,
    title: "the description has fewer than four words",
    why: "One or two sentences say what the code does and for whom.",
    source: "Code.gov quality score",
    within: Within::Gsa,
    wrong: r#"{"description": "Reads badges"}"#,
    right: r#"{"description": "Reads the badges at the doors of agency buildings."}"#,
    repair: Repair::Person,
};

/// The description is the name again.
pub const SAME_DESCRIPTION: Check = Check {
    id: "description-is-name",
    severity: Severity::Warning,
    title: "the description is the name again",
    why: "Readers learn nothing from it.",
    source: "Code.gov quality score",
    within: Within::Gsa,
    wrong: r#"{"name": "badge-reader", "description": "badge-reader"}"#,
    right: r#"{"name": "badge-reader", "description": "Reads the badges at the doors of agency buildings."}"#,
    repair: Repair::Person,
};

/// Letters were garbled.
pub const MOJIBAKE: Check = Check {
    id: "text-mojibake",
    severity: Severity::Warning,
    title: "letters were garbled",
    why: "A program took UTF-8 for Windows-1252 when the text was copied.",
    source: "WHATWG Encoding Standard; field survey",
    within: Within::Gsa,
    wrong: r#"{"description": "The Bureauâ€™s badge reader at the door."}"#,
    right: r#"{"description": "The Bureau’s badge reader at the door."}"#,
    repair: Repair::Person,
};

/// There is no e-mail address.
pub const NO_EMAIL: Check = Check {
    id: "contact-email-missing",
    severity: Severity::Warning,
    title: "there is no e-mail address",
    why: "Whoever finds the code has nobody to ask, and Data.gov drops the entry.",
    source: "GSA 2.0.0 contact.email; DCAT-US 3 contactPoint",
    within: Within::Gsa,
    wrong: r#"{"contact": {"email": ""}}"#,
    right: r#"{"contact": {"email": "code@agency.example"}}"#,
    repair: Repair::Person,
};

/// This is no e-mail address.
pub const EMAIL: Check = Check {
    id: "contact-email",
    severity: Severity::Warning,
    title: "this is no e-mail address",
    why: "Whoever finds the code has nobody to ask.",
    source: "GSA 2.0.0 contact.email",
    within: Within::Gsa,
    wrong: r#"{"contact": {"email": "mailto:code@agency.example"}}"#,
    right: r#"{"contact": {"email": "code@agency.example"}}"#,
    repair: Repair::Sometimes,
};

/// This is no e-mail address.
pub const EMAIL_FORMAT: Check = Check {
    id: "contact-email-format",
    severity: Severity::Error,
    title: "this is no e-mail address",
    why: "The schema wants one here.",
    source: "gov-codejson 2.0.0 contact.email",
    within: Within::Gov,
    wrong: r#"{"contact": {"email": "mailto:code@agency.example"}}"#,
    right: r#"{"contact": {"email": "code@agency.example"}}"#,
    repair: Repair::Sometimes,
};

/// There are no labor hours.
pub const NO_HOURS: Check = Check {
    id: "labor-hours-missing",
    severity: Severity::Error,
    title: "there are no labor hours",
    why: "The schema wants a number. 0 would say that nobody worked on it.",
    source: "laborHours of the schema",
    within: Within::Gsa,
    wrong: r#"{"laborHours": null}"#,
    right: r#"{"laborHours": 1200}"#,
    repair: Repair::Person,
};

/// 0 labor hours.
pub const ZERO_HOURS: Check = Check {
    id: "labor-hours-zero",
    severity: Severity::Hint,
    title: "0 labor hours",
    why: "0 says that nobody worked on it. An estimate from the source lines is better.",
    source: "M-16-21; field survey",
    within: Within::Gsa,
    wrong: r#"{"laborHours": 0}"#,
    right: r#"{"laborHours": 1200}"#,
    repair: Repair::Person,
};

/// The version control system is spelled otherwise.
pub const VCS: Check = Check {
    id: "vcs-spelling",
    severity: Severity::Warning,
    title: "the version control system is spelled otherwise",
    why: "Readers compare it with git, hg, svn and so on.",
    source: "GSA 2.0.0 vcs; field survey",
    within: Within::Gsa,
    wrong: r#"{"vcs": "vcs,git"}"#,
    right: r#"{"vcs": "git"}"#,
    repair: Repair::Always,
};

/// All of this subject.
pub const ALL: &[&Check] = &[
    &SPACE,
    &NO_NAME,
    &NO_DESCRIPTION,
    &SHORT_DESCRIPTION,
    &SAME_DESCRIPTION,
    &MOJIBAKE,
    &NO_EMAIL,
    &EMAIL,
    &EMAIL_FORMAT,
    &NO_HOURS,
    &ZERO_HOURS,
    &VCS,
];
