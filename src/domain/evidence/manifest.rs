//! What the manifest says: the facts that the evidence rests on, and every file.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::signature::PublicKey;
use crate::domain::{exemptions::report::FiscalYear, inventory::Totals, repository::RepositoryId};

/// What `manifest.json` says, beside its schema and the moment of its facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Manifest {
    /// The agency's acronym.
    pub agency: String,
    /// Its organizations that Muster serves.
    pub organizations: Vec<String>,
    /// Whether code that is not public is named: then it is not for the public.
    pub internal: bool,
    /// The day at whose end everything stood so; none for the present.
    pub as_of_day: Option<Date>,
    /// What Muster does not keep of that day, and so is not in here.
    pub not_kept: Vec<&'static str>,
    /// What made it.
    pub tool: Tool,
    /// The policy in force; `null` if it is not known of the day.
    pub policy: Option<PolicyUsed>,
    /// The registers of exemptions.
    pub registers: Vec<RegisterUsed>,
    /// The fiscal year of the report of exemptions.
    pub fiscal_year: FiscalYear,
    /// What it counts.
    pub exemptions: Exempted,
    /// The end of the ledger: with it, nothing before can be changed unseen.
    pub ledger: Ledger,
    /// The published files.
    pub publications: Vec<Published>,
    /// The commits that were judged.
    pub inputs: Inputs,
    /// Every other file, by path.
    pub files: Vec<Listed>,
    /// Who vouches for it; `null` if nobody does.
    pub signature: Option<Signed>,
}

/// The program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Tool {
    /// `muster`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct PolicyUsed {
    /// `organization`, `operator` or `built-in`.
    pub source: &'static str,
    /// SHA-256 of what it means.
    pub digest: String,
    /// The file's git object id, if it is an organization's.
    pub oid: Option<String>,
    /// Since when it is in force.
    pub taken_at: Option<Timestamp>,
}

/// A register of exemptions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct RegisterUsed {
    /// Whose.
    pub organization: String,
    /// The control repository's number.
    pub repository: RepositoryId,
    /// The commit it was read at.
    pub commit: String,
    /// The file's git object id.
    pub oid: String,
    /// Whether a later one was refused.
    pub refused: bool,
}

/// Exemptions that applied in the fiscal year.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Exempted {
    /// SHARE IT Act §4(a)(1).
    pub automatic: usize,
    /// §4(a)(2).
    pub discretionary: usize,
    /// OMB M-16-21 alone.
    pub policy: usize,
    /// In classified annexes, which Muster never holds.
    pub annex: u32,
    /// Granted without a confirmed approval.
    pub not_counted: usize,
}

/// The end of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Ledger {
    /// How many entries it has.
    pub entries: i64,
    /// The hash of the last one; `muster audit verify --head` takes it.
    pub head: Option<String>,
}

/// A published file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Published {
    /// Its name.
    pub file: &'static str,
    /// The schema it is valid by.
    pub schema: &'static str,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Since when it was served like this.
    pub published_at: Timestamp,
    /// How many entries it has.
    pub entries: usize,
    /// The sums of the account, if it is kept.
    pub account: Option<Totals>,
    /// Whether a later file was refused.
    pub refused: bool,
}

/// The repositories that the inventory rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Inputs {
    /// Those that may be named, by number.
    pub repositories: Vec<Input>,
    /// How many more there are.
    pub not_named: usize,
}

/// A repository, as judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Input {
    /// Its number.
    pub repository: RepositoryId,
    /// Its name.
    pub name: String,
    /// The commit of the default branch; `null` if it is empty or was not read.
    pub commit: Option<String>,
}

/// A file in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Listed {
    /// Its path.
    pub path: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// How many these are.
    pub bytes: u64,
}

impl Listed {
    /// A file of these bytes.
    #[must_use]
    pub fn of(path: &str, bytes: &[u8]) -> Listed {
        Listed {
            path: path.to_owned(),
            sha256: hex::encode(Sha256::digest(bytes)),
            bytes: bytes.len() as u64,
        }
    }
}

/// How it is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Signed {
    /// `Ed25519`.
    pub algorithm: String,
    /// The public key, in hex.
    pub key: String,
}

impl Signed {
    /// By the owner of this key.
    #[must_use]
    pub fn by(key: PublicKey) -> Signed {
        Signed { algorithm: ALGORITHM.to_owned(), key: key.hex() }
    }
}

/// The one there is.
pub(super) const ALGORITHM: &str = "Ed25519";
