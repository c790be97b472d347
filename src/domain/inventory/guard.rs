//! When the last good publication stays (domain: unknown, shrinkage).
//!
//! Promises: (1) a file is refused as a whole for what concerns it as a whole,
//! and for nothing else; (2) the reason says what to do, and names nobody.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    account::State,
    assemble::{File, Subject},
    leak::{self, Leak},
};

/// So many entries may never have been read.
const NEVER_READ: usize = 10;
/// Or one in so many.
const NEVER_READ_PART: usize = 100;
/// So many entries may vanish unexplained.
const SHRINKAGE: usize = 3;
/// Or one in so many.
const SHRINKAGE_PART: usize = 50;

/// Why a file is not published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The policy lacks what every entry has to say.
    NoAgency {
        /// The keys.
        keys: Vec<&'static str>,
    },
    /// A page of the list of repositories could not be read.
    ListNotWhole {
        /// Of how many organizations.
        organizations: usize,
    },
    /// Too many repositories were never read.
    NeverRead {
        /// So many.
        count: usize,
        /// Of so many.
        of: usize,
    },
    /// Entries are gone that nothing explains.
    Shrunk {
        /// So many.
        count: usize,
        /// Of so many in the last publication.
        of: usize,
    },
    /// The file is not valid by its schema.
    Invalid {
        /// The number of violations.
        count: usize,
        /// The first, with its place.
        first: String,
    },
    /// It would tell what must not be told.
    Leak(leak::What),
    /// The import could not be read, or is not whole; why.
    Import(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoAgency { keys } => {
                write!(
                    f,
                    "the lead organization's policy lacks {}: add it to .github/muster.yml",
                    keys.join(", ")
                )
            }
            Refusal::ListNotWhole { organizations } => write!(
                f,
                "a page of the repositories of {organizations} organizations could not be read: \
                 the next sweep tries again"
            ),
            Refusal::NeverRead { count, of } => write!(
                f,
                "{count} of {of} repositories were never read, more than 1 % or 10: see the unknown ones in the account"
            ),
            Refusal::Shrunk { count, of } => write!(
                f,
                "{count} of {of} entries would vanish and nothing explains it: see the incomplete ones in the account"
            ),
            Refusal::Invalid { count, first } => {
                write!(f, "the file violates its schema {count} times, first {first}: please report this")
            }
            Refusal::Leak(what) => write!(f, "{what}: find it with muster inventory --account"),
            Refusal::Import(why) => write!(f, "the import is not usable: {why}"),
        }
    }
}

impl From<Leak> for Refusal {
    fn from(leak: Leak) -> Refusal {
        Refusal::Leak(leak.what)
    }
}

/// The last publication of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Before {
    /// What had an entry.
    pub listed: BTreeSet<Subject>,
    /// The policy it rested on.
    pub policy_digest: String,
}

/// Whether a file may be published, by its account and the last publication.
///
/// # Errors
/// The first reason against it.
pub fn guard(file: &File, before: Option<&Before>, policy_digest: &str) -> Result<(), Refusal> {
    let totals = file.account.totals();
    let (count, of) = (totals.never_read, totals.seen);
    if count > NEVER_READ || count * NEVER_READ_PART > of {
        return Err(Refusal::NeverRead { count, of });
    }
    let Some(before) = before else { return Ok(()) };
    let listed: BTreeSet<&Subject> = file.listed().collect();
    let states: BTreeMap<&Subject, &State> =
        file.account.lines.iter().map(|line| (&line.subject, &line.state)).collect();
    let explained = |gone: &Subject| {
        match (gone, states.get(gone)) {
            // GitHub no longer lists it, by a list that was whole.
            (Subject::Repository(_), None) => true,
            // An import may be cut off.
            (Subject::Imported { .. }, None) => false,
            (_, Some(State::Exempt { .. } | State::Excluded { .. } | State::OutOfScope { .. })) => true,
            (_, Some(State::Listed | State::Unknown { .. } | State::Incomplete { .. })) => {
                before.policy_digest != policy_digest
            }
        }
    };
    let gone: Vec<&Subject> = before.listed.iter().filter(|subject| !listed.contains(subject)).collect();
    let count = gone.into_iter().filter(|subject| !explained(subject)).count();
    let of = before.listed.len();
    if count > SHRINKAGE.max(of / SHRINKAGE_PART) {
        return Err(Refusal::Shrunk { count, of });
    }
    Ok(())
}
