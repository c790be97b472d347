//! Which repositories are judged, how much may be created, and how it looks.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::domain::finding::Severity;

/// `repositories`: which ones are judged. What is left out is skipped by rule
/// and counted, never called exempt.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct Repositories {
    /// Patterns of names (without the owner) that are skipped.
    pub exclude: Patterns,
    /// Whether archived repositories are judged.
    pub archived: Include,
    /// Whether forks are judged.
    pub forks: Include,
    /// How many days a new repository is left in peace; written as `7d`.
    #[serde(serialize_with = "days")]
    #[schemars(with = "String", regex(pattern = r"^\d{1,3}d$"))]
    pub new_for: u32,
}

impl Default for Repositories {
    fn default() -> Self {
        Self { exclude: Patterns::default(), archived: Include::Skip, forks: Include::Skip, new_for: 7 }
    }
}

fn days<S: Serializer>(days: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{days}d"))
}

/// Whether a class of repositories is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Include {
    /// Not judged; counted as skipped by rule.
    Skip,
    /// Judged like any other. What GitHub makes read-only stays unwritten.
    Include,
}

impl Include {
    pub(super) const ALL: [Include; 2] = [Include::Skip, Include::Include];

    /// The choice as written in a policy.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Include::Skip => "skip",
            Include::Include => "include",
        }
    }
}

/// Patterns of repository names, matched as GitHub compares names: without
/// regard to case. Matching is linear in the length of the name.
#[derive(Debug, Clone, Default)]
pub struct Patterns {
    texts: Vec<String>,
    set: GlobSet,
}

impl Patterns {
    /// The most patterns a list may have (threats I11).
    pub const MAX: usize = 100;
    /// The longest pattern, in bytes (threats I11).
    pub const MAX_BYTES: usize = 200;

    /// Compiles patterns that were found good one by one.
    pub(super) fn new(texts: Vec<String>) -> Result<Self, globset::Error> {
        let mut set = GlobSetBuilder::new();
        for text in &texts {
            set.add(Self::compile(text)?);
        }
        Ok(Self { set: set.build()?, texts })
    }

    pub(super) fn compile(text: &str) -> Result<globset::Glob, globset::Error> {
        GlobBuilder::new(text).case_insensitive(true).build()
    }

    /// The first of the patterns that matches the whole name.
    #[must_use]
    pub fn matching(&self, name: &str) -> Option<&str> {
        self.set.matches(name).first().map(|at| self.texts[*at].as_str())
    }
}

impl PartialEq for Patterns {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

impl Serialize for Patterns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.texts.serialize(serializer)
    }
}

impl JsonSchema for Patterns {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Patterns".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "maxItems": Self::MAX,
            "items": { "type": "string", "minLength": 1, "maxLength": Self::MAX_BYTES },
        })
    }
}

/// `limits`: how much may be created in an organization, and how fast
/// (etiquette, limits). 0 creates none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct Limits {
    /// Pull requests on the first day of an organization.
    pub first_day: u32,
    /// Pull requests a day after that.
    pub per_day: u32,
    /// New pull requests a week in one repository.
    pub per_repository_per_week: u32,
    /// Issues and pull requests of ours open at a time.
    pub open: u32,
    /// Issues a day.
    pub issues_per_day: u32,
    /// Writes a minute, of GitHub's 80.
    #[schemars(range(min = 1, max = 80))]
    pub writes_per_minute: u32,
    /// Writes an hour, of GitHub's 500.
    #[schemars(range(min = 1, max = 500))]
    pub writes_per_hour: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_day: 5,
            per_day: 10,
            per_repository_per_week: 1,
            open: 100,
            issues_per_day: 20,
            writes_per_minute: 20,
            writes_per_hour: 200,
        }
    }
}

/// `issue`: the tracking issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct Issue {
    /// The least severity of a finding that people are asked to mend, by issue
    /// or by pull request.
    pub from: Severity,
    /// The label it carries, created where it is missing.
    #[schemars(length(min = 1, max = 50))]
    pub label: String,
}

impl Default for Issue {
    fn default() -> Self {
        Self { from: Severity::Required, label: "open-source-compliance".into() }
    }
}

/// `check`: the check run on a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct CheckRun {
    /// How it ends if something is wrong.
    pub conclusion: Conclusion,
}

/// `check.conclusion`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Conclusion {
    /// It holds nothing up.
    #[default]
    Neutral,
    /// It holds up a merge where a ruleset asks for it.
    Failure,
}

impl Conclusion {
    pub(super) const ALL: [Conclusion; 2] = [Conclusion::Neutral, Conclusion::Failure];

    /// The choice as written in a policy.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Conclusion::Neutral => "neutral",
            Conclusion::Failure => "failure",
        }
    }
}

/// `pull_request`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct PullRequest {
    /// What the names of our branches begin with.
    #[schemars(length(min = 1, max = 50))]
    pub branch_prefix: String,
}

impl Default for PullRequest {
    fn default() -> Self {
        Self { branch_prefix: "muster/".into() }
    }
}
