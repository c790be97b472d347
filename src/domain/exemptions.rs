//! The register of exemptions, `muster-exemptions.yml` in the control
//! repository: which code an agency need not share, who decided, by which law
//! (SHARE IT Act, Public Law 118-187; OMB M-16-21).
//!
//! Promises: (1) [`Register::parse`] gives a register in which every value is
//! valid, or every problem of the file at once, each with its place and remedy;
//! (2) an exemption is bound to a repository's numeric id, never to a name
//! (threats T6); (3) a file that more people see than a repository does not name
//! that repository, and the problem that says so does not repeat the name
//! (threats N1); (4) an exemption counts only once its approval was read from
//! the merged pull request ([`verify`], threats T8); (5) what once applied stays
//! known for its fiscal year ([`history`], §4(b) of the Act). A waiver of a rule
//! of ours is no exemption, and never in here.

pub mod code_owners;
pub mod history;
mod law;
mod place;
mod read;
pub mod report;
mod standing;
pub mod verify;

use code_json::record::Usage;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    repository::{AccountId, RepositoryId},
    yaml::{Problem, document},
};

pub use law::Class;
pub use place::Place;
pub use standing::{Entry, Standing, Trust, Whereabouts};

/// Where the register stands in the control repository.
pub const PATH: &str = "muster-exemptions.yml";

/// The most exemptions of one register (threats §4, Limits).
pub const MAX_EXEMPTIONS: usize = 2_000;

/// A register as its file says it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Register {
    /// How many exemptions are classified. They are counted here, and kept
    /// where they belong: Muster never holds one.
    pub annex: u32,
    /// The exemptions, in the order of the file; each repository once.
    pub exemptions: Vec<Exemption>,
    /// What the file leaves open. It holds all the same: who wrote it is asked.
    pub questions: Vec<Problem>,
}

/// One exemption: asked for, granted or denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemption {
    /// The repository. It decides, whatever the repository is called.
    pub id: RepositoryId,
    /// Which exemption, by the name that inventories have for it.
    #[serde(with = "usage")]
    pub usage: Usage,
    /// The citation: which law.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
    /// Who made the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The narrative: one or two sentences that may be published. Untrusted.
    pub reason: String,
    /// Who asked for it.
    pub requested_by: AccountId,
    /// What became of that.
    pub decision: Decision,
    /// Who was consulted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consulted: Option<Consultation>,
    /// The repository's name, for people; only where the file is private.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Who made the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Federal employees, in official duties.
    Employee,
    /// A contractor.
    Contract,
    /// Both.
    Mixed,
}

impl Origin {
    const ALL: [Origin; 3] = [Origin::Employee, Origin::Contract, Origin::Mixed];

    /// The word in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Origin::Employee => "employee",
            Origin::Contract => "contract",
            Origin::Mixed => "mixed",
        }
    }
}

/// In which role somebody decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Office {
    /// The agency's Chief Information Officer.
    Cio,
    /// Somebody to whom the CIO has delegated it.
    Delegate,
}

impl Office {
    const ALL: [Office; 2] = [Office::Cio, Office::Delegate];

    /// The word in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Office::Cio => "cio",
            Office::Delegate => "delegate",
        }
    }
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub enum Decision {
    /// Nobody has decided yet.
    Requested,
    /// It was granted.
    Granted {
        /// By whom.
        by: AccountId,
        /// In which role.
        office: Office,
        /// The first day on which it applies.
        from: Date,
        /// The last one; without it, until it leaves the file.
        to: Option<Date>,
    },
    /// It was denied.
    Denied {
        /// By whom.
        by: AccountId,
        /// In which role, if that was written.
        office: Option<Office>,
        /// On which day.
        on: Date,
    },
}

/// A consultation, as §4(a)(2) of the Act asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Consultation {
    /// With whom: `federal-privacy-council`.
    pub body: String,
    /// On which day.
    pub on: Date,
}

impl Register {
    /// Reads the text of a register that stands at `place`. An empty file is an
    /// empty register.
    ///
    /// # Errors
    /// Every problem of the file, in the order of its lines.
    pub fn parse(text: &str, place: &Place) -> Result<Register, Vec<Problem>> {
        // Alone: what is said of anything else may quote a line that names one.
        let named = place.named_in(text);
        if !named.is_empty() {
            return Err(named);
        }
        read::register(&document::parse(text).map_err(|problem| vec![problem])?, place)
    }

    /// As [`Register::parse`], of bytes that may not be UTF-8.
    ///
    /// # Errors
    /// As [`Register::parse`].
    pub fn parse_bytes(bytes: &[u8], place: &Place) -> Result<Register, Vec<Problem>> {
        document::utf_8(bytes).map_err(|problem| vec![problem]).and_then(|text| Register::parse(text, place))
    }
}

impl Exemption {
    /// SHA-256 of what the entry says, in hex: it stays the same while nothing
    /// of it changes, wherever it stands in the file and however it is spelled.
    #[must_use]
    pub fn digest(&self) -> String {
        let bytes = serde_json::to_vec(self).expect("an exemption has only text keys");
        hex::encode(Sha256::digest(bytes))
    }

    /// What the law makes of it.
    #[must_use]
    pub fn class(&self) -> Class {
        // The reader lets no other usage in.
        Class::of(self.usage).unwrap_or(Class::Policy)
    }

    /// The days on which it applies, if it was granted: the first and, unless
    /// it has no end, the last.
    #[must_use]
    pub fn applies(&self) -> Option<(Date, Option<Date>)> {
        match &self.decision {
            Decision::Granted { from, to, .. } => Some((*from, *to)),
            Decision::Requested | Decision::Denied { .. } => None,
        }
    }
}

/// A usage by its name.
mod usage {
    use code_json::record::Usage;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(usage: &Usage, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(usage.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Usage, D::Error> {
        let name = String::deserialize(deserializer)?;
        Usage::named(&name).ok_or_else(|| D::Error::custom("no usage has this name"))
    }
}

#[cfg(test)]
mod tests;
