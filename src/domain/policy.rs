//! The policy an organization writes in `.github/muster.yml`: which rules, for
//! which repositories, in which mode, at what pace.
//!
//! Promises: (1) [`Policy::parse`] gives a policy in which every value is
//! valid and every combination possible, or every problem of the file at once,
//! each with line, column, key and remedy; (2) no text, however hostile, takes
//! more than bounded time and memory; (3) a policy serializes to the file that
//! would have made it (JSON is YAML), with every default spelled out, so what
//! is in force can be printed, compared and read again; (4) a repository's own
//! file ([`Wish`]) can tighten or decline with a reason, and nothing else.

mod inventory;
mod pace;
mod read;
mod rules;
mod wish;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    calendar::Quiet,
    marker::Kind,
    repository::RepositoryName,
    yaml::{document, problem, section},
};

pub use super::yaml::{MAX_BYTES, Problem, nearest};
pub use inventory::{By, Defaults, Inventory, LaborHours, Measurement, Private, Published};
pub use pace::{CheckRun, Conclusion, Include, Issue, Limits, Patterns, PullRequest, Repositories};
pub use rules::{
    CodeJsonFile, CodeJsonRule, CodeJsonSchema, ContributingRule, Decline, LicenseRule, ReadmeRule, Rules,
};
pub use wish::{Wish, WishedRule};

/// An organization's policy, complete: what the file does not say is filled in
/// from its packs and the defaults. [`Policy::default`] is the policy of an
/// organization without a file: it observes, by the `federal` pack.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields, title = "Muster policy")]
pub struct Policy {
    /// The agency in whose name the organization speaks.
    pub agency: Agency,
    /// How far Muster may go.
    pub mode: Mode,
    /// The packs this file builds on; later ones win, this file wins over all.
    pub extends: Vec<Pack>,
    /// What is asked of a repository.
    pub rules: Rules,
    /// Which repositories are judged.
    pub repositories: Repositories,
    /// How much may be created, and how fast.
    pub limits: Limits,
    /// When something may be created.
    pub quiet: Quiet,
    /// The tracking issue.
    pub issue: Issue,
    /// The pull requests.
    pub pull_request: PullRequest,
    /// The check runs.
    pub check: CheckRun,
    /// What the agency publishes.
    pub inventory: Inventory,
    /// The repository that holds the register of exemptions, as `OWNER/NAME`;
    /// without it `.github-private`, then `.github` of the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub control: Option<RepositoryName>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            agency: Agency::default(),
            mode: Mode::default(),
            extends: vec![Pack::Federal],
            rules: Pack::Federal.rules(),
            repositories: Repositories::default(),
            limits: Limits::default(),
            quiet: Quiet::default(),
            issue: Issue::default(),
            pull_request: PullRequest::default(),
            check: CheckRun::default(),
            inventory: Inventory::default(),
            control: None,
        }
    }
}

impl Policy {
    /// Reads the text of a policy file. An empty file is the default policy.
    ///
    /// # Errors
    /// Every problem of the file, in the order of its lines. A text that is
    /// not YAML, or over a limit, has one: what follows cannot be read.
    pub fn parse(text: &str) -> Result<Policy, Vec<Problem>> {
        read::policy(&document::parse(text).map_err(|problem| vec![problem])?)
    }

    /// As [`Policy::parse`], of bytes that may not be UTF-8.
    ///
    /// # Errors
    /// As [`Policy::parse`].
    pub fn parse_bytes(bytes: &[u8]) -> Result<Policy, Vec<Problem>> {
        read::policy(&document::parse_bytes(bytes).map_err(|problem| vec![problem])?)
    }

    /// SHA-256 of the policy in its canonical form, in hex: equal policies
    /// have equal digests, whatever comments and spelling their files have.
    #[must_use]
    pub fn digest(&self) -> String {
        let bytes = serde_json::to_vec(self).expect("a policy has only text keys and finite numbers");
        hex::encode(Sha256::digest(bytes))
    }

    /// The slug of the team that is asked to review a pull request of this kind.
    #[must_use]
    pub fn reviewers(&self, kind: Kind) -> Option<&str> {
        match kind {
            Kind::License => self.rules.license.reviewers.as_deref(),
            Kind::Files | Kind::CodeJson | Kind::Tracking | Kind::Digest | Kind::Inventory => None,
        }
    }

    /// The JSON Schema of the file, for editors (`muster policy schema`).
    #[must_use]
    pub fn schema() -> Schema {
        schemars::schema_for!(Policy)
    }
}

/// The agency in whose name an organization speaks; all parts are required to
/// publish an inventory, none to judge repositories.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct Agency {
    /// The acronym, as `GSA`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acronym: Option<String>,
    /// The full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whom the public may write to.
    pub contact: Contact,
    /// The agency's open source policy.
    pub policy: Duty,
    /// The acquisition language for source code.
    pub acquisition: Duty,
    /// How Federal employees get at private code.
    pub access: Access,
}

/// A public contact: an office rather than a person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct Contact {
    /// The office.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "email"))]
    pub email: Option<String>,
}

/// One of the two duties OMB reports on yearly: where it is met, since when.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct Duty {
    /// The page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "uri"))]
    pub url: Option<String>,
    /// When it was adopted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub adopted: Option<Date>,
}

/// How Federal employees get at private code (SHARE IT Act).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct Access {
    /// The page of the procedure.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "uri"))]
    pub procedure_url: Option<String>,
    /// Whom to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// How far Muster may go; cumulative, from the least to the most.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Nothing is written to a repository.
    #[default]
    Observe,
    /// Check runs.
    Check,
    /// Also one tracking issue a repository.
    Issue,
    /// Also pull requests.
    Fix,
}

impl Mode {
    /// All modes, in order.
    pub const ALL: [Mode; 4] = [Mode::Observe, Mode::Check, Mode::Issue, Mode::Fix];

    /// The mode as written in a policy.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Observe => "observe",
            Mode::Check => "check",
            Mode::Issue => "issue",
            Mode::Fix => "fix",
        }
    }
}

/// A set of defaults with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pack {
    /// OMB M-16-21: license, README and contribution file.
    Federal,
}

impl Pack {
    const ALL: [Pack; 1] = [Pack::Federal];

    fn as_str(self) -> &'static str {
        match self {
            Pack::Federal => "federal",
        }
    }

    fn rules(self) -> Rules {
        match self {
            Pack::Federal => Rules::default(),
        }
    }
}

#[cfg(test)]
mod tests;
