//! The one hidden line by which Muster finds its own issues and pull requests
//! again: `<!-- muster:v1 kind=files inst=gsa repo=1 findings=… sig=… -->`.
//!
//! Promises (threats P3): (1) a marker finds, it never states: what is open or
//! declined stands in the ledger; (2) it counts only in an item whose author is
//! our App's bot user, for this instance and this repository; (3) an item of
//! ours whose marker is missing, damaged or wrongly signed is *unreadable*:
//! nothing is created beside it.

use std::{fmt, str::FromStr};

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{
    finding::FindingsHash,
    observed::{Item, ItemKind},
    repository::{AccountId, RepositoryId},
};

/// The kinds of things Muster opens in a repository; at most one open of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The pull request that adds a license.
    License,
    /// The pull request that adds missing community files.
    Files,
    /// The pull request about the repository's own `code.json`.
    #[serde(rename = "code-json")]
    CodeJson,
    /// The tracking issue.
    Tracking,
    /// The digest issue of a control repository.
    Digest,
    /// The pull request with the agency's inventory, which its publication opens.
    Inventory,
}

impl Kind {
    const ALL: [Kind; 6] =
        [Kind::License, Kind::Files, Kind::CodeJson, Kind::Tracking, Kind::Digest, Kind::Inventory];
    /// Those that an inspection opens, in the order in which they are opened.
    pub const INSPECTED: [Kind; 5] =
        [Kind::License, Kind::Files, Kind::CodeJson, Kind::Tracking, Kind::Digest];
    /// Those of them that are pull requests, in the order in which they are opened.
    pub const PULL_REQUESTS: [Kind; 3] = [Kind::License, Kind::Files, Kind::CodeJson];

    /// The word in markers, branches and the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::License => "license",
            Kind::Files => "files",
            Kind::CodeJson => "code-json",
            Kind::Tracking => "tracking",
            Kind::Digest => "digest",
            Kind::Inventory => "inventory",
        }
    }

    /// Whether it is an issue or a pull request.
    #[must_use]
    pub fn item(self) -> ItemKind {
        match self {
            Kind::License | Kind::Files | Kind::CodeJson | Kind::Inventory => ItemKind::PullRequest,
            Kind::Tracking | Kind::Digest => ItemKind::Issue,
        }
    }

    /// Whether it counts in what an organization gets, and is held back by pace
    /// and approval: all but the digest and the inventory, which ask no
    /// maintainer for anything.
    #[must_use]
    pub fn counts(self) -> bool {
        match self {
            Kind::License | Kind::Files | Kind::CodeJson | Kind::Tracking => true,
            Kind::Digest | Kind::Inventory => false,
        }
    }

    /// The branch of a pull request under the configured prefix.
    #[must_use]
    pub fn branch(self, prefix: &str) -> String {
        format!("{prefix}{}", self.as_str())
    }

    /// The branch on which a refresh of a pull request is prepared.
    #[must_use]
    pub fn staging_branch(self, prefix: &str) -> String {
        format!("{prefix}staging/{}", self.as_str())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(())
    }
}

/// The keys that sign markers: the first signs, all verify.
#[derive(Clone)]
pub struct MarkerKeys(Vec<Vec<u8>>);

impl MarkerKeys {
    /// Takes the keys of `MUSTER_INSTANCE_KEY`, newest first.
    ///
    /// # Panics
    /// If there is none; the settings refuse that before.
    #[must_use]
    pub fn new(keys: Vec<Vec<u8>>) -> MarkerKeys {
        assert!(!keys.is_empty(), "the settings require at least one instance key");
        MarkerKeys(keys)
    }
}

impl fmt::Debug for MarkerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MarkerKeys({})", self.0.len())
    }
}

/// Who we are to the items of one GitHub: what makes one of them ours.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The App's bot user.
    pub bot: AccountId,
    /// The configured instance.
    pub instance: String,
    /// The keys of the markers.
    pub keys: MarkerKeys,
}

/// What the marker of an item says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// What the item is.
    pub kind: Kind,
    /// The findings it is about.
    pub findings: FindingsHash,
}

/// Whose an item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Ours, for this repository.
    Ours(Marker),
    /// Written by our App, but the marker does not say what it is.
    Unreadable,
    /// Of another instance or about another repository.
    OtherInstance,
    /// Anybody else's.
    Foreign,
}

impl Identity {
    /// The marker line for an item about `repository`.
    #[must_use]
    pub fn marker(&self, kind: Kind, repository: RepositoryId, findings: &FindingsHash) -> String {
        let said = statement(kind, &self.instance, repository, findings);
        let sig = signature(&self.keys.0[0], &said);
        format!("<!-- muster:v1 {said} sig={sig} -->")
    }

    /// Decides whose an item is.
    #[must_use]
    pub fn whose(&self, item: &Item, repository: RepositoryId) -> Whose {
        if item.author.as_ref().and_then(|author| author.id) != Some(self.bot) {
            return Whose::Foreign;
        }
        let Some(fields) = last_marker(&item.body) else { return Whose::Unreadable };
        let field =
            |name: &str| fields.split(' ').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        let (Some(kind), Some(inst), Some(repo), Some(findings)) =
            (field("kind"), field("inst"), field("repo"), field("findings"))
        else {
            return Whose::Unreadable;
        };
        let (Ok(kind), Ok(repo)) = (kind.parse::<Kind>(), repo.parse().map(RepositoryId)) else {
            return Whose::Unreadable;
        };
        let findings = FindingsHash(findings.to_owned());
        let said = statement(kind, inst, repo, &findings);
        // To the letter. Anybody may read it, so that there is no time to hide.
        if !self.keys.0.iter().any(|key| fields == format!("{said} sig={}", signature(key, &said))) {
            return Whose::Unreadable;
        }
        if inst != self.instance || repo != repository {
            return Whose::OtherInstance;
        }
        if kind.item() != item.kind {
            return Whose::Unreadable;
        }
        Whose::Ours(Marker { kind, findings })
    }
}

fn statement(kind: Kind, instance: &str, repository: RepositoryId, findings: &FindingsHash) -> String {
    format!("kind={kind} inst={instance} repo={repository} findings={findings}")
}

/// The first 16 hexadecimal digits of the HMAC.
fn signature(key: &[u8], said: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(b"muster marker v1\n");
    mac.update(said.as_bytes());
    hex::encode(&mac.finalize().into_bytes()[..8])
}

/// The fields of the marker if it is the last line of a body and the only one;
/// line ends as a browser or GitHub left them.
fn last_marker(body: &str) -> Option<&str> {
    let last = body.trim_end().lines().next_back()?.trim();
    let fields = last.strip_prefix("<!-- muster:v1 ")?.strip_suffix(" -->")?;
    let alone = body.matches("<!-- muster:v1 ").count() == 1;
    (alone && fields.bytes().all(|b| b.is_ascii_graphic() || b == b' ')).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observed::{Actor, ItemState};
    use jiff::Timestamp;

    fn identity(keys: &[&str]) -> Identity {
        let keys = MarkerKeys::new(keys.iter().map(|key| key.as_bytes().to_vec()).collect());
        Identity { bot: AccountId(7), instance: "gsa".into(), keys }
    }

    fn item(author: u64, body: &str) -> Item {
        Item {
            kind: ItemKind::Issue,
            node_id: "I_1".into(),
            number: 1,
            url: "https://github.com/a/b/issues/1".into(),
            repository: RepositoryId(1),
            title: "Repository open source checklist".into(),
            body: body.into(),
            state: ItemState::Open,
            author: Some(Actor { id: Some(AccountId(author)), login: "muster[bot]".into(), bot: true }),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            lock: None,
            comments: Vec::new(),
            pull: None,
        }
    }

    const ONE: &str = "a key of at least twenty bytes";
    const TWO: &str = "another key of twenty bytes or more";

    #[test]
    fn an_item_is_ours_by_author_instance_and_repository() {
        let us = identity(&[ONE]);
        let findings = FindingsHash("0123456789abcdef".into());
        let line = us.marker(Kind::Tracking, RepositoryId(1), &findings);
        let ours = Whose::Ours(Marker { kind: Kind::Tracking, findings });
        assert_eq!(us.whose(&item(7, &format!("text\r\n\r\n{line}\r\n")), RepositoryId(1)), ours);
        assert_eq!(us.whose(&item(8, &line), RepositoryId(1)), Whose::Foreign);
        assert_eq!(us.whose(&item(7, &line), RepositoryId(2)), Whose::OtherInstance);
        let rotated = identity(&[TWO, ONE]);
        assert_eq!(rotated.whose(&item(7, &line), RepositoryId(1)), ours);
    }

    #[test]
    fn a_touched_marker_is_unreadable_and_never_foreign() {
        let us = identity(&[ONE]);
        let line = us.marker(Kind::Tracking, RepositoryId(1), &FindingsHash("0123456789abcdef".into()));
        for body in [
            String::new(),
            "somebody removed it".into(),
            line.replace("kind=tracking", "kind=files"),
            line.replace("repo=1", "repo=2"),
            line.replace("sig=", "sig=é"),
            line.split_once("sig=").map(|(said, sig)| format!("{said}sig={}", sig.to_uppercase())).unwrap(),
            line[..line.len() - 6].to_owned(),
            line.replace("inst=gsa", "inst=gsa more inst=gsa"),
            line.replace("repo=1", "repo=1 repo=2"),
            format!("{line}\n{line}"),
            format!("{line}\nmore"),
            us.marker(Kind::Files, RepositoryId(1), &FindingsHash("00".into())),
            identity(&[TWO]).marker(Kind::Tracking, RepositoryId(1), &FindingsHash("00".into())),
        ] {
            assert_eq!(us.whose(&item(7, &body), RepositoryId(1)), Whose::Unreadable, "{body}");
        }
    }
}
