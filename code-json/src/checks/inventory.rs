//! Checks that look at a whole inventory.

use crate::check::{Check, Repair, Severity, Within};

/// Another entry has the same repositoryURL.
pub const SAME_URL: Check = Check {
    id: "duplicate-url",
    severity: Severity::Warning,
    title: "another entry has the same repositoryURL",
    why: "Harvesters take it as the entry's identity and keep only the first.",
    source: "Data.gov: repositoryURL is the identifier",
    within: Within::Inventory,
    wrong: r#"{"repositoryURL": "https://x.gov/a", "name": "a"}, {"repositoryURL": "https://x.gov/a", "name": "b"}"#,
    right: r#"{"repositoryURL": "https://x.gov/a#a", "name": "a"}, {"repositoryURL": "https://x.gov/a#b", "name": "b"}"#,
    repair: Repair::Person,
};

/// Another entry has the same organization and name.
pub const SAME_NAME: Check = Check {
    id: "duplicate-name",
    severity: Severity::Warning,
    title: "another entry has the same organization and name",
    why: "Code.gov made its ids of them and dropped the later one.",
    source: "Code.gov API: repoID",
    within: Within::Inventory,
    wrong: r#"{"organization": "o", "name": "a"}, {"organization": "o", "name": "a"}"#,
    right: r#"{"organization": "o", "name": "a"}, {"organization": "o", "name": "a, mobile"}"#,
    repair: Repair::Person,
};

/// The version is not that of the schema.
pub const VERSION: Check = Check {
    id: "version-number",
    severity: Severity::Warning,
    title: "the version is not that of the schema",
    why: "Harvesters compare it with 2.0.0.",
    source: "GSA 2.0.0 version; Data.gov's validator",
    within: Within::File,
    wrong: r#"{"version": "2.0", "agency": "X", "measurementType": {"method": "projects"}, "releases": []}"#,
    right: r#"{"version": "2.0.0", "agency": "X", "measurementType": {"method": "projects"}, "releases": []}"#,
    repair: Repair::Sometimes,
};

/// The agency is not named.
pub const NO_AGENCY: Check = Check {
    id: "agency-empty",
    severity: Severity::Warning,
    title: "the agency is not named",
    why: "An inventory is the agency's; its acronym belongs here.",
    source: "GSA 2.0.0 agency",
    within: Within::File,
    wrong: r#"{"version": "2.0.0", "agency": "", "measurementType": {"method": "projects"}, "releases": []}"#,
    right: r#"{"version": "2.0.0", "agency": "X", "measurementType": {"method": "projects"}, "releases": []}"#,
    repair: Repair::Person,
};

/// Other, without saying which.
pub const MEASURE: Check = Check {
    id: "measurement-other",
    severity: Severity::Warning,
    title: "other, without saying which",
    why: "The key ifOther says how the agency measures.",
    source: "M-16-21 §5.1; GSA 2.0.0 measurementType",
    within: Within::File,
    wrong: r#"{"version": "2.0.0", "agency": "X", "measurementType": {"method": "other"}, "releases": []}"#,
    right: r#"{"version": "2.0.0", "agency": "X", "measurementType": {"method": "projects"}, "releases": []}"#,
    repair: Repair::Person,
};

/// All of this subject.
pub const ALL: &[&Check] = &[&SAME_URL, &SAME_NAME, &VERSION, &NO_AGENCY, &MEASURE];
