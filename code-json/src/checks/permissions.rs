//! Checks of `permissions`: who may use the code, and why not.

use crate::check::{Check, Repair, Severity, Within};

/// UsageType is a list in this schema.
pub const USAGE_TYPE_LIST: Check = Check {
    id: "usage-type-list",
    severity: Severity::Error,
    title: "usageType is a list in this schema",
    why: "gov-codejson 2.0.0 lets several apply. The tools of DSACMS take a single text, harvesters do not.",
    source: "gov-codejson 2.0.0 permissions.usageType",
    within: Within::Gov,
    wrong: r#"{"permissions": {"licenses": [], "usageType": "openSource"}}"#,
    right: r#"{"permissions": {"licenses": [], "usageType": ["openSource"]}}"#,
    repair: Repair::Sometimes,
};

/// UsageType is one text in this schema.
pub const USAGE_TYPE_TEXT: Check = Check {
    id: "usage-type-text",
    severity: Severity::Error,
    title: "usageType is one text in this schema",
    why: "GSA 2.0.0 has exactly one.",
    source: "GSA 2.0.0 permissions.usageType",
    within: Within::Gsa,
    wrong: r#"{"permissions": {"licenses": [], "usageType": ["openSource"]}}"#,
    right: r#"{"permissions": {"licenses": [], "usageType": "openSource"}}"#,
    repair: Repair::Sometimes,
};

/// UsageType is missing or empty.
pub const USAGE_TYPE_MISSING: Check = Check {
    id: "usage-type-missing",
    severity: Severity::Error,
    title: "usageType is missing or empty",
    why: "It says whether the code is open, shared within government, or exempt. Only the agency can say that.",
    source: "M-16-21 §4.B; SHARE IT Act §4",
    within: Within::Gsa,
    wrong: r#"{"permissions": {"licenses": null, "usageType": null}}"#,
    right: r#"{"permissions": {"licenses": null, "usageType": "openSource"}}"#,
    repair: Repair::Person,
};

/// No such usage type.
pub const USAGE_TYPE_UNKNOWN: Check = Check {
    id: "usage-type-unknown",
    severity: Severity::Error,
    title: "no such usage type",
    why: "The schema lists them. exemptByLaw was divided by the SHARE IT Act, so that only the agency can say which one applies.",
    source: "permissions.usageType of the schema",
    within: Within::Gov,
    wrong: r#"{"permissions": {"licenses": [], "usageType": ["exemptByLaw"]}}"#,
    right: r#"{"permissions": {"licenses": [], "usageType": ["exemptByITAR"]}}"#,
    repair: Repair::Person,
};

/// UsageType stands outside of permissions.
pub const USAGE_TYPE_MOVED: Check = Check {
    id: "usage-type-misplaced",
    severity: Severity::Error,
    title: "usageType stands outside of permissions",
    why: "Readers look for it in permissions.",
    source: "GSA 2.0.0 permissions.usageType",
    within: Within::Gsa,
    wrong: r#"{"permissions": {"licenses": []}, "usageType": "openSource"}"#,
    right: r#"{"permissions": {"licenses": [], "usageType": "openSource"}}"#,
    repair: Repair::Always,
};

/// Open and exempt at once.
pub const USAGE_TYPE_MIXED: Check = Check {
    id: "usage-type-mixed",
    severity: Severity::Warning,
    title: "open and exempt at once",
    why: "An exemption is from sharing. If a part is exempt, list it as a record of its own.",
    source: "SHARE IT Act §4",
    within: Within::Gov,
    wrong: r#"{"permissions": {"licenses": [], "usageType": ["openSource", "exemptByCIO"], "exemptionText": "44 U.S.C. 3502, because …"}}"#,
    right: r#"{"permissions": {"licenses": [], "usageType": ["openSource"]}}"#,
    repair: Repair::Person,
};

/// An exemption without a justification.
pub const EXEMPTION_TEXT: Check = Check {
    id: "exemption-text",
    severity: Severity::Warning,
    title: "an exemption without a justification",
    why: "The CIO reports a brief narrative justification of each exemption to OMB by December 31.",
    source: "M-16-21 §6; SHARE IT Act §4(b)",
    within: Within::Gsa,
    wrong: r#"{"permissions": {"licenses": null, "usageType": "exemptByCIO"}}"#,
    right: r#"{"permissions": {"licenses": null, "usageType": "exemptByCIO", "exemptionText": "Withheld under 5 U.S.C. 552(b)(7)(E): …"}}"#,
    repair: Repair::Person,
};

/// A justification without a citation.
pub const EXEMPTION_CITATION: Check = Check {
    id: "exemption-citation",
    severity: Severity::Warning,
    title: "a justification without a citation",
    why: "This exemption has no basis of its own in the SHARE IT Act. Which law or rule does it rest on?",
    source: "SHARE IT Act §4(a)",
    within: Within::Gsa,
    wrong: r#"{"permissions": {"licenses": null, "usageType": "exemptByAgencyMission", "exemptionText": "Mission critical."}}"#,
    right: r#"{"permissions": {"licenses": null, "usageType": "exemptByAgencyMission", "exemptionText": "Withheld under 5 U.S.C. 552(b)(5): mission critical."}}"#,
    repair: Repair::Person,
};

/// Open source without a license.
pub const OPEN_UNLICENSED: Check = Check {
    id: "open-source-unlicensed",
    severity: Severity::Warning,
    title: "open source without a license",
    why: "Without a license nobody may use the code, work of the Government apart.",
    source: "M-16-21 §7.5; Code.gov licensing guide",
    within: Within::Gsa,
    wrong: r#"{"permissions": {"licenses": null, "usageType": "openSource"}}"#,
    right: r#"{"permissions": {"licenses": [{"name": "CC0-1.0", "URL": "https://spdx.org/licenses/CC0-1.0.html"}], "usageType": "openSource"}}"#,
    repair: Repair::Person,
};

/// Open source in a private repository.
pub const OPEN_PRIVATE: Check = Check {
    id: "open-source-private",
    severity: Severity::Warning,
    title: "open source in a private repository",
    why: "Who cannot read the code cannot use it. Which one is right?",
    source: "SHARE IT Act §2(6), (7)",
    within: Within::Gov,
    wrong: r#"{"repositoryVisibility": "private", "permissions": {"licenses": [], "usageType": ["openSource"]}}"#,
    right: r#"{"repositoryVisibility": "public", "permissions": {"licenses": [], "usageType": ["openSource"]}}"#,
    repair: Repair::Person,
};

/// The schema does not list this license name.
pub const LICENSE_NAME: Check = Check {
    id: "license-name",
    severity: Severity::Error,
    title: "the schema does not list this license name",
    why: "The schema has 12 SPDX names, and Other and None for the rest.",
    source: "gov-codejson 2.0.0 permissions.licenses[].name; SPDX License List",
    within: Within::Gov,
    wrong: r#"{"permissions": {"licenses": [{"name": "Apache License 2.0", "URL": "https://x.gov/l"}], "usageType": []}}"#,
    right: r#"{"permissions": {"licenses": [{"name": "Apache-2.0", "URL": "https://x.gov/l"}], "usageType": []}}"#,
    repair: Repair::Sometimes,
};

/// The license has a standard name.
pub const LICENSE_ALIAS: Check = Check {
    id: "license-alias",
    severity: Severity::Warning,
    title: "the license has a standard name",
    why: "Readers group licenses by their SPDX names.",
    source: "SPDX License List; field survey",
    within: Within::Gsa,
    wrong: r#"{"permissions": {"licenses": [{"name": "The Unlicense"}], "usageType": "openSource"}}"#,
    right: r#"{"permissions": {"licenses": [{"name": "Unlicense"}], "usageType": "openSource"}}"#,
    repair: Repair::Always,
};

/// The license entry says nothing.
pub const LICENSE_NOTHING: Check = Check {
    id: "license-says-nothing",
    severity: Severity::Error,
    title: "the license entry says nothing",
    why: "Neither a name nor an address is there, so the list is better without it.",
    source: "gov-codejson 2.0.0 permissions.licenses[]; field survey",
    within: Within::Gov,
    wrong: r#"{"permissions": {"licenses": [{"name": "", "URL": "None"}], "usageType": []}}"#,
    right: r#"{"permissions": {"licenses": [], "usageType": []}}"#,
    repair: Repair::Always,
};

/// The address of the license is none.
pub const LICENSE_URL: Check = Check {
    id: "license-url",
    severity: Severity::Error,
    title: "the address of the license is none",
    why: "The schema wants an address. For a license of the SPDX list, it has a page.",
    source: "permissions.licenses[].URL of the schema; SPDX License List",
    within: Within::Gsa,
    wrong: r#"{"permissions": {"licenses": [{"name": "MIT", "URL": "LICENSE"}], "usageType": "openSource"}}"#,
    right: r#"{"permissions": {"licenses": [{"name": "MIT", "URL": "https://spdx.org/licenses/MIT.html"}], "usageType": "openSource"}}"#,
    repair: Repair::Sometimes,
};

/// The address of the license is made for programs.
pub const LICENSE_URL_API: Check = Check {
    id: "license-url-api",
    severity: Severity::Warning,
    title: "the address of the license is made for programs",
    why: "People who follow it see program data instead of the license.",
    source: "field survey: LLNL scraper",
    within: Within::Gsa,
    wrong: r#"{"permissions": {"licenses": [{"name": "MIT", "URL": "https://api.github.com/licenses/mit"}], "usageType": "openSource"}}"#,
    right: r#"{"permissions": {"licenses": [{"name": "MIT", "URL": "https://spdx.org/licenses/MIT.html"}], "usageType": "openSource"}}"#,
    repair: Repair::Sometimes,
};

/// All of this subject.
pub const ALL: &[&Check] = &[
    &USAGE_TYPE_LIST,
    &USAGE_TYPE_TEXT,
    &USAGE_TYPE_MISSING,
    &USAGE_TYPE_UNKNOWN,
    &USAGE_TYPE_MOVED,
    &USAGE_TYPE_MIXED,
    &EXEMPTION_TEXT,
    &EXEMPTION_CITATION,
    &OPEN_UNLICENSED,
    &OPEN_PRIVATE,
    &LICENSE_NAME,
    &LICENSE_ALIAS,
    &LICENSE_NOTHING,
    &LICENSE_URL,
    &LICENSE_URL_API,
];
