//! Checks of addresses.

use crate::check::{Check, Repair, Severity, Within};

/// The address is empty.
pub const EMPTY_URL: Check = Check {
    id: "url-empty",
    severity: Severity::Error,
    title: "the address is empty",
    why: "An empty text is no address. An optional key is left out.",
    source: "format uri of the schema; field survey",
    within: Within::Gsa,
    wrong: r#"{"homepageURL": ""}"#,
    right: "{}",
    repair: Repair::Sometimes,
};

/// A word stands where an address is wanted.
pub const WORD_URL: Check = Check {
    id: "url-word",
    severity: Severity::Error,
    title: "a word stands where an address is wanted",
    why: "None and the like are no addresses. An optional key is left out.",
    source: "format uri of the schema; field survey",
    within: Within::Gsa,
    wrong: r#"{"downloadURL": "N/A"}"#,
    right: "{}",
    repair: Repair::Sometimes,
};

/// This is no address.
pub const URL: Check = Check {
    id: "url-format",
    severity: Severity::Error,
    title: "this is no address",
    why: "The schema wants a complete address.",
    source: "format uri of the schema; RFC 3986",
    within: Within::Gsa,
    wrong: r#"{"homepageURL": "our home page"}"#,
    right: r#"{"homepageURL": "https://www.agency.example/badges"}"#,
    repair: Repair::Person,
};

/// The address lacks its https://.
pub const URL_SCHEME: Check = Check {
    id: "url-scheme",
    severity: Severity::Error,
    title: "the address lacks its https://",
    why: "Without it, programs take it for a file next door.",
    source: "format uri of the schema; RFC 3986 §4.3",
    within: Within::Gsa,
    wrong: r#"{"homepageURL": "www.agency.example/badges"}"#,
    right: r#"{"homepageURL": "https://www.agency.example/badges"}"#,
    repair: Repair::Always,
};

/// The address of the repository is missing.
pub const NO_REPOSITORY: Check = Check {
    id: "repository-url-missing",
    severity: Severity::Error,
    title: "the address of the repository is missing",
    why: "It tells entries apart: Data.gov takes it as identifier. For private code, it is a page that says how a Federal employee gets access.",
    source: "SHARE IT Act §2(5)(iii); repositoryURL of the schema",
    within: Within::Gsa,
    wrong: r#"{"repositoryURL": ""}"#,
    right: r#"{"repositoryURL": "https://github.com/example-agency/badge-reader"}"#,
    repair: Repair::Person,
};

/// Browsers do not open this address.
pub const NOT_HTTP: Check = Check {
    id: "url-not-http",
    severity: Severity::Warning,
    title: "browsers do not open this address",
    why: "People who follow it see nothing.",
    source: "field survey",
    within: Within::Gsa,
    wrong: r#"{"repositoryURL": "git://github.com/example-agency/badge-reader.git"}"#,
    right: r#"{"repositoryURL": "https://github.com/example-agency/badge-reader.git"}"#,
    repair: Repair::Sometimes,
};

/// All of this subject.
pub const ALL: &[&Check] = &[&EMPTY_URL, &WORD_URL, &URL, &URL_SCHEME, &NO_REPOSITORY, &NOT_HTTP];
