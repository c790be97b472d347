//! When the last good publication stays (domain: unknown, shrinkage).
//!
//! Promises: (1) a file is refused as a whole for what concerns it as a whole,
//! and for nothing else; (2) the reason says what to do, and names nobody.

use std::{collections::HashMap, fmt};

use code_json::{
    check::Severity,
    schema,
    validate::{self, Choice},
};
use jiff::{Timestamp, tz::TimeZone};
use rayon::prelude::*;

use super::{
    account::State,
    assemble::File,
    leak::{self, Leak, Mailboxes, Secrets},
    part::{Entry, Subject},
};
use crate::domain::policy::{Policy, Published};

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
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// How many entries it had.
    pub entries: usize,
    /// Of these, what has none now.
    pub gone: &'a [Subject],
    /// The policy it rested on.
    pub policy_digest: &'a str,
}

/// So many entries are looked at in one go.
const TOGETHER: usize = 500;

/// Whether a file may be published, by its account and the last publication.
///
/// # Errors
/// The first reason against it.
pub fn guard(file: &File, before: Option<Before<'_>>, policy_digest: &str) -> Result<(), Refusal> {
    let totals = file.account.totals();
    let (count, of) = (totals.never_read, totals.seen);
    if count > NEVER_READ || count * NEVER_READ_PART > of {
        return Err(Refusal::NeverRead { count, of });
    }
    let Some(before) = before else { return Ok(()) };
    if before.gone.is_empty() {
        return Ok(());
    }
    let states: HashMap<&Subject, &State> =
        file.account.lines.iter().map(|line| (&line.subject, &line.state)).collect();
    let explained = |gone: &Subject| {
        match (gone, states.get(gone)) {
            // GitHub no longer lists it, by a list that was whole.
            (Subject::Repository(_), None) => true,
            // An import that is cut off is refused when it is read (`import::not_shrunk`).
            (Subject::Imported { .. }, None) => true,
            (_, Some(State::Exempt { .. } | State::Excluded { .. } | State::OutOfScope { .. })) => true,
            (_, Some(State::Listed | State::Unknown { .. } | State::Incomplete { .. })) => {
                before.policy_digest != policy_digest
            }
        }
    };
    let count = before.gone.iter().filter(|subject| !explained(subject)).count();
    let of = before.entries;
    if shrinks(count, of) { Err(Refusal::Shrunk { count, of }) } else { Ok(()) }
}

/// Whether that `count` of `of` entries are gone is too many.
pub(super) fn shrinks(count: usize, of: usize) -> bool {
    count > SHRINKAGE.max(of / SHRINKAGE_PART)
}

/// Whether the policy says what every publication has to say.
///
/// # Errors
/// What is missing.
pub fn complete(policy: &Policy) -> Result<(), Refusal> {
    let agency = &policy.agency;
    let needed = [
        ("agency.acronym", agency.acronym.is_some()),
        ("agency.name", agency.name.is_some()),
        ("agency.contact.name", agency.contact.name.is_some()),
        ("agency.contact.email", agency.contact.email.is_some()),
    ];
    let keys: Vec<&'static str> = needed.iter().filter(|(_, there)| !there).map(|(key, _)| *key).collect();
    if keys.is_empty() { Ok(()) } else { Err(Refusal::NoAgency { keys }) }
}

/// Whether the finished bytes of a file are valid by its schema, and tell
/// nothing that must not be told; those of these entries, where the others were
/// looked at before, for the same secrets.
///
/// # Errors
/// The first reason against it.
pub fn finished(
    file: &File,
    entries: &[&Entry],
    secrets: &Secrets,
    known: &Mailboxes,
    now: Timestamp,
) -> Result<(), Refusal> {
    let parts: Vec<&[&Entry]> =
        if entries.is_empty() { vec![entries] } else { entries.chunks(TOGETHER).collect() };
    let look = |entries: &[&Entry]| {
        let bytes = file.bytes_of(entries);
        valid(file.published, &bytes, now)?;
        Ok(secrets.look_through_file(&bytes, known)?)
    };
    let looked: Vec<Result<(), Refusal>> = parts.into_par_iter().map(look).collect();
    let looked: Result<(), Refusal> = looked.into_iter().collect();
    if let Err(Refusal::Invalid { .. }) = &looked {
        // Once more as a whole, so that its place and number are those of the file.
        valid(file.published, &file.bytes(), now)?;
    }
    looked
}

/// Whether bytes are valid by the schema they claim.
///
/// # Errors
/// [`Refusal::Invalid`].
pub fn valid(published: Published, body: &[u8], now: Timestamp) -> Result<(), Refusal> {
    let schema = match published {
        Published::AgencyIndex2 => schema::Published::AgencyIndex2,
        Published::Gsa2 => schema::Published::Gsa2,
    };
    let options = validate::Options {
        schema: Choice::Published(schema),
        today: Some(now.to_zoned(TimeZone::UTC).date()),
        ..validate::Options::default()
    };
    let report = validate::validate(body, &options);
    match report.violations {
        Some(0) => Ok(()),
        violations => {
            // What only might be better is no reason.
            let wrong = report.problems.iter().find(|problem| problem.severity() == Severity::Error);
            let first = wrong
                .or(report.problems.first())
                .map_or_else(String::new, |problem| format!("at {} ({})", problem.pointer, problem.check.id));
            Err(Refusal::Invalid { count: violations.unwrap_or(1), first })
        }
    }
}
