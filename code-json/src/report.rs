//! Reports: for people at a terminal, as JSON, for GitHub's log, as SARIF.
//!
//! Promises: (1) nothing that a file holds acts on a terminal, a log or a
//! browser; (2) a report of a thousand entries is as readable as one of one:
//! problems of a kind stand together, and their number is told.

use crate::{
    check::{Check, Problem, Severity},
    validate::Report,
};

mod github;
mod human;
mod json;
mod sarif;

pub use github::github;
pub use human::{Style, human};
pub use json::json;
pub use sarif::sarif;

/// A file and what was found in it.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'r> {
    /// As people call it, with `/` between folders.
    pub path: &'r str,
    /// Its bytes, UTF-8 or not.
    pub bytes: &'r [u8],
    /// What was found.
    pub report: &'r Report,
}

/// Problems of one check, in the order of the text.
struct Group<'r> {
    check: &'static Check,
    problems: Vec<&'r Problem>,
}

/// By severity, then by the place of the first.
fn groups(report: &Report) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for problem in &report.problems {
        let at = *places.entry(problem.check.id).or_insert_with(|| {
            groups.push(Group { check: problem.check, problems: Vec::new() });
            groups.len() - 1
        });
        groups[at].problems.push(problem);
    }
    groups.sort_by_key(|group| group.check.severity);
    groups
}

/// `3 errors, 1 warning`.
fn counted(report: &Report) -> String {
    let parts = [Severity::Error, Severity::Warning, Severity::Hint].map(|severity| {
        let count = report.count(severity);
        (count > 0).then(|| format!("{count} {severity}{}", if count == 1 { "" } else { "s" }))
    });
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "no problems".to_owned() } else { parts.join(", ") }
}
