//! The evidence: what an agency published, what that rested on and what was
//! left out, in one file that an auditor can check without Muster (faces 1, 5;
//! SHARE IT Act §5).
//!
//! Promises: (1) the same files and facts give the same bytes: no moment but
//! those of the facts is in it; (2) the manifest names every other file with
//! its SHA-256 and size, so that one that was changed, removed or added is
//! named; (3) whether it is signed, and what that proves, is always said;
//! (4) a manifest of a later version is told apart from a damaged one.

mod manifest;
mod page;
pub mod signature;
pub mod zip;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use manifest::ALGORITHM;
use signature::PublicKey;

pub use manifest::{
    Exempted, Input, Inputs, Ledger, Listed, Manifest, PolicyUsed, Published, RegisterUsed, Signed, Tool,
};
pub use page::page;

/// The name and version of the manifest.
pub const SCHEMA: &str = "evidence-1";
/// The file that lists the others.
pub const MANIFEST: &str = "manifest.json";
/// The signature over the manifest's bytes.
pub const SIGNATURE: &str = "manifest.sig";
/// The public key to it.
pub const KEY: &str = "manifest.pub.pem";
/// The page for people.
pub const INDEX: &str = "index.html";
/// The folder of the published files.
pub const PUBLISHED: &str = "published/";

/// What a manifest must say to be checked, whatever else a version adds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Claim {
    schema: String,
    as_of: Timestamp,
    agency: String,
    internal: bool,
    files: Vec<Listed>,
    signature: Option<Signed>,
}

/// What is wrong with evidence, at one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
pub struct Fault {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
}

/// Who vouches for evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Vouched {
    /// Nobody: its files agree with each other, no more.
    Nobody,
    /// Whoever made it: its own key fits, and anybody can make a key.
    ItsOwnKey,
    /// The owner of the key that the reader brought.
    GivenKey,
}

/// What came of checking evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Checked {
    /// The agency it says it is about.
    pub agency: String,
    /// The moment of its facts.
    pub as_of: Timestamp,
    /// Whether it names code that is not public.
    pub internal: bool,
    /// How many files the manifest lists.
    pub files: usize,
    /// Who vouches for it.
    pub vouched: Vouched,
    /// What is wrong, by file.
    pub faults: Vec<Fault>,
}

/// Why evidence cannot even be checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No manifest.
    #[error("it has no {MANIFEST}, so nothing says what should be in it")]
    NoManifest,
    /// A manifest that says too little.
    #[error("{MANIFEST} cannot be read: {0}")]
    Manifest(String),
    /// One of a version that this program does not know.
    #[error("{MANIFEST} has the schema {0}, this Muster knows {SCHEMA}: verify it with a newer one")]
    Schema(String),
}

/// Compares the files of an archive with its manifest, and looks who signed.
/// `key` is the public key that the reader has from elsewhere.
///
/// # Errors
/// [`Unreadable`].
pub fn check(entries: &[zip::Entry<'_>], key: Option<PublicKey>) -> Result<Checked, Unreadable> {
    let there: BTreeMap<&str, &zip::Entry<'_>> = entries.iter().map(|entry| (entry.name, entry)).collect();
    let manifest = there.get(MANIFEST).ok_or(Unreadable::NoManifest)?.bytes;
    let unreadable = |error: serde_json::Error| Unreadable::Manifest(error.to_string());
    let schema = serde_json::from_slice::<serde_json::Value>(manifest).map_err(unreadable)?;
    match schema["schema"].as_str() {
        Some(SCHEMA) | None => {}
        Some(other) => return Err(Unreadable::Schema(other.chars().take(100).collect())),
    }
    let claim: Claim = serde_json::from_slice(manifest).map_err(unreadable)?;
    let mut faults = Vec::new();
    let mut fault = |file: &str, what: String| faults.push(Fault { file: file.to_owned(), what });
    let mut listed = BTreeSet::new();
    for one in &claim.files {
        if [MANIFEST, SIGNATURE, KEY].contains(&one.path.as_str()) || !listed.insert(one.path.as_str()) {
            fault(&one.path, "the manifest lists it, which it never does".to_owned());
            continue;
        }
        let Some(entry) = there.get(one.path.as_str()) else {
            fault(&one.path, "it is missing".to_owned());
            continue;
        };
        let found = Listed::of(&one.path, entry.bytes);
        if found.bytes != one.bytes {
            fault(&one.path, format!("it has {} bytes, and had {}", found.bytes, one.bytes));
        } else if found.sha256 != one.sha256 {
            fault(&one.path, format!("its SHA-256 is {}, and was {}", found.sha256, one.sha256));
        }
    }
    for entry in entries {
        let expected = match entry.name {
            MANIFEST => true,
            SIGNATURE | KEY => claim.signature.is_some(),
            name => listed.contains(name),
        };
        if !expected {
            fault(entry.name, "it was added: the manifest does not list it".to_owned());
        }
        if !entry.sound {
            fault(entry.name, "its checksum in the archive is wrong".to_owned());
        }
    }
    let file = |name: &str| there.get(name).map(|entry| entry.bytes);
    let vouched = vouched(&claim, manifest, file, key, &mut fault);
    faults.sort();
    Ok(Checked {
        agency: claim.agency,
        as_of: claim.as_of,
        internal: claim.internal,
        files: claim.files.len(),
        vouched,
        faults,
    })
}

fn vouched<'a>(
    claim: &Claim,
    manifest: &[u8],
    file: impl Fn(&str) -> Option<&'a [u8]>,
    key: Option<PublicKey>,
    fault: &mut impl FnMut(&str, String),
) -> Vouched {
    let Some(signed) = &claim.signature else {
        if key.is_some() {
            fault(MANIFEST, "it is not signed, so the key proves nothing".to_owned());
        }
        return Vouched::Nobody;
    };
    if signed.algorithm != ALGORITHM {
        fault(MANIFEST, format!("it is signed by another algorithm than {ALGORITHM}"));
    }
    let own = match file(KEY).map(PublicKey::from_pem) {
        Some(Ok(own)) => own,
        Some(Err(error)) => {
            fault(KEY, format!("it holds {error}"));
            return Vouched::Nobody;
        }
        None => {
            fault(KEY, "it is missing".to_owned());
            return Vouched::Nobody;
        }
    };
    if own.hex() != signed.key {
        fault(KEY, "it is another key than the manifest names".to_owned());
    }
    let Some(signature) = file(SIGNATURE) else {
        fault(SIGNATURE, "it is missing".to_owned());
        return Vouched::Nobody;
    };
    if !own.has_signed(manifest, signature) {
        fault(SIGNATURE, format!("it is not the signature of {MANIFEST} by {KEY}"));
        return Vouched::Nobody;
    }
    match key {
        None => Vouched::ItsOwnKey,
        Some(key) if key == own => Vouched::GivenKey,
        Some(_) => {
            fault(SIGNATURE, "it was not made with the key that you gave".to_owned());
            Vouched::ItsOwnKey
        }
    }
}

#[cfg(test)]
mod tests;
