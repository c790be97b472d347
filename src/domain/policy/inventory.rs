//! `inventory`: what an agency publishes, and in whose words. Read from the
//! lead organization's policy only.

use code_json::{
    convert::{METHODS, Target},
    record::{MAINTENANCE, STATUS, VCS},
    schema,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::repository::RepositoryName;

/// `inventory`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct Inventory {
    /// Where the inventory is proposed; without one it is only served.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub repository: Option<RepositoryName>,
    /// How it comes there.
    pub by: By,
    /// In which versions of the schema it is published.
    pub publish: Vec<Published>,
    /// How the agency measures its code (M-16-21 §5.1).
    pub measurement: Measurement,
    /// What is told of code that is not public.
    pub private: Private,
    /// The page that says how a Federal employee gets at private code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "uri"))]
    pub access_url: Option<String>,
    /// Hosts that must never appear in what is published.
    pub internal_hosts: Vec<String>,
    /// Whether labor hours are estimated where no person gave them.
    pub labor_hours: LaborHours,
    /// What the agency says of all repositories that say nothing.
    pub defaults: Defaults,
    /// An inventory from outside GitHub, taken into the same account: an
    /// address, or a path in the control repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import: Option<String>,
}

impl Default for Inventory {
    fn default() -> Self {
        Self {
            repository: None,
            by: By::PullRequest,
            publish: Published::ALL.to_vec(),
            measurement: Measurement::default(),
            private: Private::Omit,
            access_url: None,
            internal_hosts: Vec::new(),
            labor_hours: LaborHours::Off,
            defaults: Defaults::default(),
            import: None,
        }
    }
}

/// `inventory.by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// A person merges it.
    PullRequest,
    /// A commit on the default branch, where the operator and the repository's
    /// rules allow it, else a pull request (threats T7).
    Commit,
}

impl By {
    pub(super) const ALL: [By; 2] = [By::PullRequest, By::Commit];

    /// The choice as written in a policy.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            By::PullRequest => "pull-request",
            By::Commit => "commit",
        }
    }
}

/// A version an inventory is published in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub enum Published {
    /// `agency-index.json`, agency-index 2.0.0.
    #[serde(rename = "agency-index-2.0.0")]
    AgencyIndex2,
    /// `code.json`, GSA 2.0.0.
    #[serde(rename = "gsa-2.0.0")]
    Gsa2,
}

impl Published {
    /// Both.
    pub const ALL: [Published; 2] = [Published::AgencyIndex2, Published::Gsa2];

    /// The version as the policy names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.target().name()
    }

    /// The file's name, in the repository and on the server.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Published::AgencyIndex2 => "agency-index.json",
            Published::Gsa2 => "code.json",
        }
    }

    /// The published schema it is valid by.
    #[must_use]
    pub fn schema(self) -> schema::Published {
        match self {
            Published::AgencyIndex2 => schema::Published::AgencyIndex2,
            Published::Gsa2 => schema::Published::Gsa2,
        }
    }

    /// The schema it is written in.
    #[must_use]
    pub fn target(self) -> Target {
        match self {
            Published::AgencyIndex2 => Target::AgencyIndex2,
            Published::Gsa2 => Target::Gsa2,
        }
    }
}

/// `inventory.measurement`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct Measurement {
    /// One of the schema's methods.
    #[schemars(extend("enum" = METHODS))]
    pub method: String,
}

impl Default for Measurement {
    fn default() -> Self {
        Self { method: "projects".to_owned() }
    }
}

/// `inventory.private`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Private {
    /// Private and internal repositories are counted, and not in the file.
    Omit,
    /// They are in the file as records that name nothing of theirs.
    Redact,
}

impl Private {
    pub(super) const ALL: [Private; 2] = [Private::Omit, Private::Redact];

    /// The choice as written in a policy.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Private::Omit => "omit",
            Private::Redact => "redact",
        }
    }
}

/// `inventory.labor_hours`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum LaborHours {
    /// Only what a person says.
    #[serde(rename = "off")]
    Off,
    /// COCOMO II, nominal, of the counted source lines.
    #[serde(rename = "cocomo-ii")]
    CocomoIi,
}

impl LaborHours {
    pub(super) const ALL: [LaborHours; 2] = [LaborHours::Off, LaborHours::CocomoIi];

    /// The choice as written in a policy.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            LaborHours::Off => "off",
            LaborHours::CocomoIi => "cocomo-ii",
        }
    }
}

/// `inventory.defaults`: the agency's word where nobody spoke. Never an
/// exemption or an `AIUseCaseID`: those are statements about one repository.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct Defaults {
    /// Who maintains it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = MAINTENANCE))]
    pub maintenance: Option<String>,
    /// The version control system.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = VCS))]
    pub vcs: Option<String>,
    /// Where the software stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = STATUS))]
    pub status: Option<String>,
    /// The organization within the agency; without it the agency's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Hours of work; 0 says that nobody counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labor_hours: Option<u32>,
    /// Contract numbers; an empty list says: no contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract_number: Option<Vec<String>>,
}
