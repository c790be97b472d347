//! What a check is, and what it finds.

use std::fmt;

use crate::{
    document::{Place, Span},
    edit::Fix,
};

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The schema, JSON or the law says so.
    Error,
    /// A harvester or a reader will stumble.
    Warning,
    /// It could be better.
    Hint,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Hint => "hint",
        })
    }
}

/// Who can mend what a check finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// [`repair`](mod@crate::repair), always.
    Always,
    /// [`repair`](mod@crate::repair) where only one answer is possible, else a person.
    Sometimes,
    /// A person.
    Person,
}

/// What the texts of an example are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// A whole file.
    File,
    /// Some keys of a GSA 2.0.0 release.
    Gsa,
    /// Some keys of a gov-codejson 2.0.0 record.
    Gov,
    /// Some keys of one or two releases of a GSA 2.0.0 inventory.
    Inventory,
}

/// One thing that is looked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name, for good: `usage-type-list`.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// Why it matters, for people.
    pub why: &'static str,
    /// Where that is written.
    pub source: &'static str,
    /// Where the two texts below stand.
    pub within: Within,
    /// A text that it finds.
    pub wrong: &'static str,
    /// The same, mended.
    pub right: &'static str,
    /// Who mends it.
    pub repair: Repair,
}

/// Something that was found.
#[derive(Debug, Clone)]
pub struct Problem {
    /// By which check.
    pub check: &'static Check,
    /// The bytes to look at.
    pub span: Span,
    /// Where they begin.
    pub place: Place,
    /// The JSON pointer of the value; empty for the whole file.
    pub pointer: String,
    /// Of an inventory, which record, from 0.
    pub entry: Option<usize>,
    /// What was found, as a part of a sentence: `"openSource", a text`.
    pub found: String,
    /// What to write instead, or the question a person must answer.
    pub write: String,
    /// How to mend it, if only one answer is possible.
    pub fix: Option<Fix>,
}

impl Problem {
    /// How much it matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.check.severity
    }
}
