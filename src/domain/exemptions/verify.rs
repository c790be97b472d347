//! Whether an exemption was really approved: read from the merge that brought
//! its entry (threats T8).
//!
//! Promises: (1) what counts is the pull request that brought this entry as it
//! stands, not a later one that changed something else; (2) where CODEOWNERS
//! covered the file before the merge, a code owner approved exactly what was
//! merged, is neither who opened it nor who asks for the exemption, and can
//! still write; (3) where it did not, whoever merged it has the role maintain
//! and is not who asks; (4) what cannot be told is not verified, with the reason
//! and what to do.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Exemption, PATH, Place, Register,
    code_owners::{self, Owner},
};
use crate::domain::repository::{AccountId, ObjectId};

/// What shows that an exemption was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The pull request.
    pub pull_request: u64,
    /// The commit that stands for its merge.
    pub commit: ObjectId,
    /// Who approved.
    pub by: AccountId,
    /// In which way.
    pub way: Way,
}

/// By which way an exemption was approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// A code owner named by login approved the merged head.
    CodeOwner,
    /// The code owner is a team, whose members Muster may not read. Somebody
    /// with the role maintain approved the merged head.
    Maintainer,
    /// Nobody owns the file; somebody with the role maintain merged it.
    Merger,
}

impl Way {
    /// In words, for a report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Way::CodeOwner => "approved by a code owner",
            Way::Maintainer => "approved by a maintainer, for a team that owns the file",
            Way::Merger => "merged by a maintainer",
        }
    }
}

/// A person on GitHub.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// The id, which stays.
    pub id: AccountId,
    /// The login now.
    pub login: String,
}

/// A text as it stood before a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before {
    /// There was none.
    Absent,
    /// This one.
    Text(String),
    /// It could not be read whole.
    Unread,
}

/// A commit that changed the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The commit.
    pub commit: ObjectId,
    /// The merged pull request it came by.
    pub merge: Option<Merge>,
    /// The register before it: before the whole pull request, if it came by one.
    pub before: Before,
}

/// A merged pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// Its number.
    pub number: u64,
    /// Who opened it; `None` for an account that is gone or a bot.
    pub author: Option<Person>,
    /// Who merged it; the same.
    pub merged_by: Option<Person>,
    /// Its last commit: what was merged.
    pub head: ObjectId,
    /// The commit that stands for the merge on the default branch.
    pub commit: ObjectId,
    /// Its newest reviews, oldest first.
    pub reviews: Vec<Review>,
    /// The files that it changes; `None` if they are not all known.
    pub files: Option<Vec<String>>,
    /// CODEOWNERS before it: the first of its places where there is one.
    pub owners: Before,
}

/// A review by a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Whose.
    pub by: Person,
    /// What it says.
    pub verdict: Verdict,
    /// The commit it is about.
    pub commit: Option<ObjectId>,
}

/// What a review says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Approved,
    /// No: changes are asked for, or an approval was taken back.
    Withheld,
    /// Neither.
    Silent,
}

/// What somebody may do in the control repository now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Not even to push.
    Less,
    /// To push.
    Write,
    /// To steer, or everything.
    Maintain,
}

/// Whose rights must be known to judge what these changes brought.
#[must_use]
pub fn people<'c>(changes: impl IntoIterator<Item = &'c Change>) -> BTreeSet<Person> {
    let merges = changes.into_iter().filter_map(|change| change.merge.as_ref());
    merges.flat_map(|merge| approvals(merge).chain(merge.merged_by.as_ref()).cloned()).collect()
}

/// The change that brought an entry as it stands, if it is among these; they
/// are the newest, newest first.
///
/// # Errors
/// Why nobody can tell.
pub fn origin<'c>(entry: &Exemption, changes: &'c [Read<'c>]) -> Result<Option<&'c Change>, String> {
    let digest = entry.digest();
    for Read { change, entries } in changes {
        match entries {
            None => {
                return Err(format!(
                    "what the file said before commit {} cannot be read: change the entry, as its reason, in \
                     a reviewed pull request",
                    change.commit.short()
                ));
            }
            Some(entries) if entries.contains(&digest) => {}
            Some(_) => return Ok(Some(change)),
        }
    }
    Ok(None)
}

/// A change, with the entries that were there before it.
#[derive(Debug)]
pub struct Read<'c> {
    change: &'c Change,
    /// By digest; `None` if the text before could not be read.
    entries: Option<BTreeSet<String>>,
}

impl<'c> Read<'c> {
    /// Reads what was there before a change.
    #[must_use]
    pub fn of(change: &'c Change) -> Read<'c> {
        let entries = match &change.before {
            Before::Absent => Some(BTreeSet::new()),
            Before::Unread => None,
            Before::Text(text) => Register::parse(text, &Place::private())
                .ok()
                .map(|register| register.exemptions.iter().map(Exemption::digest).collect()),
        };
        Read { change, entries }
    }
}

/// Whether the change that brought an entry shows a real approval of it.
///
/// # Errors
/// Why not, and what to do.
pub fn approval(
    entry: &Exemption,
    change: &Change,
    rights: &BTreeMap<AccountId, Right>,
) -> Result<Proof, String> {
    let Some(merge) = &change.merge else {
        return Err(format!(
            "commit {} came without a merged pull request: change the entry, as its reason, in one that is \
             reviewed",
            change.commit.short()
        ));
    };
    let number = merge.number;
    let (by, way) = match &merge.owners {
        Before::Unread => return Err(format!("CODEOWNERS before pull request #{number} cannot be read")),
        Before::Absent => merged(entry, merge, rights)?,
        Before::Text(text) => match code_owners::owners(text, PATH) {
            owners if owners.is_empty() => merged(entry, merge, rights)?,
            owners => reviewed(entry, merge, &owners, rights)?,
        },
    };
    Ok(Proof { pull_request: number, commit: merge.commit.clone(), by, way })
}

/// The approvals of the merged head that hold: of each person, the last word.
fn approvals(merge: &Merge) -> impl Iterator<Item = &Person> {
    let mut words: BTreeMap<AccountId, &Review> = BTreeMap::new();
    for review in &merge.reviews {
        match review.verdict {
            Verdict::Approved | Verdict::Withheld => {
                words.insert(review.by.id, review);
            }
            Verdict::Silent => {}
        }
    }
    let holds =
        |review: &&Review| review.verdict == Verdict::Approved && review.commit.as_ref() == Some(&merge.head);
    words.into_values().filter(holds).map(|review| &review.by)
}

/// Somebody owns the file: one of them approved.
fn reviewed(
    entry: &Exemption,
    merge: &Merge,
    owners: &[Owner],
    rights: &BTreeMap<AccountId, Right>,
) -> Result<(AccountId, Way), String> {
    let number = merge.number;
    // Who may change who must approve in the same pull request approves alone.
    let moved = |files: &Vec<String>| {
        files.iter().any(|file| code_owners::PATHS.iter().any(|path| file.eq_ignore_ascii_case(path)))
    };
    match &merge.files {
        None => return Err(format!("pull request #{number} changes too many files to be read")),
        Some(files) if moved(files) => {
            return Err(format!(
                "pull request #{number} changes CODEOWNERS too: change the entry, as its reason, in another one"
            ));
        }
        Some(_) => {}
    }
    let mut unresolved = false;
    for person in approvals(merge) {
        let own = merge.author.as_ref().is_some_and(|author| author.id == person.id);
        if own || person.id == entry.requested_by {
            continue;
        }
        let right = rights.get(&person.id).copied().unwrap_or(Right::Less);
        let named = |owner: &Owner| match owner {
            Owner::Person(login) => login.eq_ignore_ascii_case(&person.login),
            Owner::Team(_) | Owner::Address(_) => false,
        };
        if owners.iter().any(named) {
            if right >= Right::Write {
                return Ok((person.id, Way::CodeOwner));
            }
            continue;
        }
        let hidden = owners.iter().any(|owner| match owner {
            Owner::Team(_) | Owner::Address(_) => true,
            Owner::Person(_) => false,
        });
        if hidden && right >= Right::Maintain {
            return Ok((person.id, Way::Maintainer));
        }
        unresolved |= hidden;
    }
    Err(if unresolved {
        format!(
            "the code owner is a team or an address, which Muster cannot look up: somebody with the role \
             maintain must approve pull request #{number}, or CODEOWNERS name a person"
        )
    } else {
        format!(
            "no code owner who can still write, and neither opened pull request #{number} nor asks for the \
             exemption, approved its last commit"
        )
    })
}

/// Nobody owns the file: who merged must be able to answer for it.
fn merged(
    entry: &Exemption,
    merge: &Merge,
    rights: &BTreeMap<AccountId, Right>,
) -> Result<(AccountId, Way), String> {
    let number = merge.number;
    let Some(by) = &merge.merged_by else {
        return Err(format!("GitHub does not say which person merged pull request #{number}"));
    };
    if by.id == entry.requested_by {
        return Err(format!("pull request #{number} was merged by who asks for the exemption"));
    }
    if rights.get(&by.id).is_none_or(|right| *right < Right::Maintain) {
        return Err(format!("pull request #{number} was merged by somebody without the role maintain"));
    }
    Ok((by.id, Way::Merger))
}

#[cfg(test)]
mod tests;
