//! What applied once, though the file may no longer say so (SHARE IT Act
//! §4(b): what applied during the fiscal year is reported after its end).
//!
//! Promises: (1) events are only added; (2) an exemption that was verified
//! stays verified while its entry stays as it is; (3) one that left the file,
//! or whose repository left, counts for the days before.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{Entry, Exemption, Trust, verify::Proof};

/// What happened to an exemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub enum Happened {
    /// It stands in the register, and its approval is real.
    Began {
        /// The exemption.
        exemption: Box<Exemption>,
        /// What shows that it was approved.
        proof: Proof,
    },
    /// It no longer stands there, or its repository is another one.
    Ended,
}

/// An event in the life of an exemption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Digest of the entry.
    pub digest: String,
    /// When it was noticed.
    pub at: Timestamp,
    /// What happened.
    pub what: Happened,
}

/// An exemption that was in force, and when it stood in the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The exemption.
    pub exemption: Exemption,
    /// What shows that it was approved.
    pub proof: Proof,
    /// When it stood there, oldest first; the last may not have ended.
    pub stood: Vec<(Timestamp, Option<Timestamp>)>,
}

/// Every exemption of a register that was in force, by the digest of its entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History(BTreeMap<String, Past>);

impl History {
    /// The history that these events tell, oldest first.
    #[must_use]
    pub fn of(events: impl IntoIterator<Item = Event>) -> History {
        let mut all: BTreeMap<String, Past> = BTreeMap::new();
        for Event { digest, at, what } in events {
            match what {
                Happened::Began { exemption, proof } => {
                    let new = || Past { exemption: *exemption, proof, stood: Vec::new() };
                    let past = all.entry(digest).or_insert_with(new);
                    if past.ended() {
                        past.stood.push((at, None));
                    }
                }
                Happened::Ended => {
                    let open = all.get_mut(&digest).and_then(|past| past.stood.last_mut());
                    if let Some((_, end @ None)) = open {
                        *end = Some(at);
                    }
                }
            }
        }
        History(all)
    }

    /// What showed that an entry was approved, when that was seen.
    #[must_use]
    pub fn proof(&self, digest: &str) -> Option<&Proof> {
        self.get(digest).map(|past| &past.proof)
    }

    /// One of them, by the digest of its entry.
    #[must_use]
    pub fn get(&self, digest: &str) -> Option<&Past> {
        self.0.get(digest)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Past> {
        self.0.values()
    }

    /// What a register as it stands now adds to the history. Nothing, if it
    /// stood like this before.
    #[must_use]
    pub fn after(&self, entries: &[Entry], now: Timestamp) -> Vec<Event> {
        let mut standing = BTreeMap::new();
        for entry in entries {
            if let Some(Trust::Verified(proof)) = &entry.trust {
                standing.insert(entry.exemption.digest(), (&entry.exemption, proof));
            }
        }
        let open = |digest: &str| self.get(digest).is_some_and(|past| !past.ended());
        let ended = self.0.iter().filter(|(digest, past)| !past.ended() && !standing.contains_key(*digest));
        let mut events: Vec<Event> = ended
            .map(|(digest, _)| Event { digest: digest.clone(), at: now, what: Happened::Ended })
            .collect();
        let began = standing.iter().filter(|(digest, _)| !open(digest));
        events.extend(began.map(|(digest, (exemption, proof))| {
            let what = Happened::Began { exemption: Box::new((*exemption).clone()), proof: (*proof).clone() };
            Event { digest: digest.clone(), at: now, what }
        }));
        events
    }
}

impl Past {
    /// Whether it stands in the register no longer.
    fn ended(&self) -> bool {
        self.stood.last().is_none_or(|(_, end)| end.is_some())
    }

    /// When it left the register, if it did.
    #[must_use]
    pub fn left(&self) -> Option<Date> {
        self.stood.last().and_then(|(_, end)| *end).map(day)
    }

    /// The days on which it applied, up to `as_of`: as written, but not after
    /// the day on which it left, nor before it came back. Days are those of UTC.
    #[must_use]
    pub fn applied(&self, as_of: Date) -> Vec<(Date, Date)> {
        let Some((from, to)) = self.exemption.applies() else { return Vec::new() };
        let last = to.map_or(as_of, |to| to.min(as_of));
        let spans = self.stood.iter().enumerate().map(|(n, (came, left))| {
            // It applies from the day it was granted for, also where Muster
            // heard of it later.
            let start = if n == 0 { from } else { from.max(day(*came)) };
            (start, left.map_or(last, |left| last.min(day(left))))
        });
        spans.filter(|(start, end)| start <= end).collect()
    }
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests;
