//! What an exemption is worth on a day.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Decision, Exemption, verify::Proof};
use crate::domain::repository::{AccountId, RepositoryName};

/// An exemption of the register, and whether its approval is real.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What the file says.
    pub exemption: Exemption,
    /// What is known of its approval; `None` of one that nobody granted.
    pub trust: Option<Trust>,
}

/// Whether the approval of a granted exemption is real.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// It is.
    Verified(Proof),
    /// Nobody can tell; why, and what to do. It is not applied (threats T8).
    Unverified(String),
    /// The repository is not the one it was granted for; why (threats T6).
    Void(String),
}

/// Where an exemption stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Asked for; nobody has decided.
    Requested,
    /// Denied.
    Denied,
    /// Granted for a repository that is another one now, or somebody else's.
    Void,
    /// Granted by the file alone: its approval could not be confirmed.
    Unverified,
    /// Granted, from a later day on.
    NotYet,
    /// It holds.
    Granted,
    /// It held, until an earlier day.
    Expired,
}

impl Standing {
    /// The word in a report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Requested => "requested",
            Standing::Denied => "denied",
            Standing::Void => "void",
            Standing::Unverified => "unverified",
            Standing::NotYet => "not-yet",
            Standing::Granted => "granted",
            Standing::Expired => "expired",
        }
    }
}

impl Entry {
    /// Where it stands on a day.
    #[must_use]
    pub fn standing(&self, on: Date) -> Standing {
        let (from, to) = match &self.exemption.decision {
            Decision::Requested => return Standing::Requested,
            Decision::Denied { .. } => return Standing::Denied,
            Decision::Granted { from, to, .. } => (*from, *to),
        };
        match &self.trust {
            Some(Trust::Void(_)) => Standing::Void,
            Some(Trust::Unverified(_)) | None => Standing::Unverified,
            Some(Trust::Verified(_)) if on < from => Standing::NotYet,
            Some(Trust::Verified(_)) if to.is_some_and(|to| to < on) => Standing::Expired,
            Some(Trust::Verified(_)) => Standing::Granted,
        }
    }

    /// The last day on which it holds, if it was granted and ends.
    #[must_use]
    pub fn ends(&self) -> Option<Date> {
        match &self.exemption.decision {
            Decision::Requested | Decision::Denied { .. } => None,
            Decision::Granted { to, .. } => *to,
        }
    }

    /// Why it does not count, if it was granted and does not.
    #[must_use]
    pub fn doubt(&self) -> Option<&str> {
        match &self.trust {
            Some(Trust::Unverified(why) | Trust::Void(why)) => Some(why),
            Some(Trust::Verified(_)) | None => None,
        }
    }

    /// The same, void if the repository is not where it has to be: what was
    /// granted does not move to another owner, nor to who takes its name
    /// (threats T6). `found` is where the repository of this id is, if it is
    /// known; `ours` are the accounts that the register is for.
    #[must_use]
    pub fn bound(self, found: Option<&Whereabouts>, ours: &[AccountId]) -> Entry {
        let Some(trust) = self.trust else { return self };
        let why = match found {
            None => Some("Muster knows no repository of this id: check the number"),
            Some(found) if found.gone || !ours.contains(&found.account) => {
                Some("the repository has left the organization, or was deleted: delete the entry")
            }
            Some(found) => {
                let other = |name: &String| !found.goes_by(name);
                let another = self.exemption.name.as_ref().is_some_and(other);
                another.then_some("the name beside the id is not this repository's: correct one of them")
            }
        };
        Entry { trust: Some(why.map_or(trust, |why| Trust::Void(why.to_owned()))), ..self }
    }
}

/// Where a repository was seen last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whereabouts {
    /// Its name there.
    pub name: RepositoryName,
    /// The account it belongs to.
    pub account: AccountId,
    /// Whether it is out of reach: deleted, transferred, or the App removed.
    pub gone: bool,
}

impl Whereabouts {
    /// Whether `name` is the repository's, with its owner or without.
    fn goes_by(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(self.name.name()) || name.eq_ignore_ascii_case(&self.name.to_string())
    }
}
