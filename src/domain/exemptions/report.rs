//! Which exemptions applied in a fiscal year, as the CIO reports them to OMB by
//! 31 December (SHARE IT Act §4(b)): those that apply automatically and those
//! that were granted, each with its narrative.
//!
//! Promises: (1) one that applied on any day from 1 October to 30 September is
//! in it, also if it ended or left the register meanwhile; (2) one whose
//! approval could not be confirmed is not, and is named with the reason;
//! (3) people are ids, repositories are ids, and what is classified is a number.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::civil::{Date, date};
use serde::Serialize;

use super::{Class, Entry, Exemption, Standing, history::Past, law, verify::Proof};
use crate::domain::repository::RepositoryId;

/// A fiscal year of the Government: 2026 is 1 October 2025 to 30 September 2026.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct FiscalYear(i16);

impl FiscalYear {
    /// The last one that was over on a day: what is due by 31 December.
    #[must_use]
    pub fn over_by(day: Date) -> FiscalYear {
        let this = day.year();
        FiscalYear(if day > date(this, 9, 30) { this } else { this - 1 })
    }

    /// Its first day.
    #[must_use]
    pub fn first(self) -> Date {
        date(self.0 - 1, 10, 1)
    }

    /// Its last day.
    #[must_use]
    pub fn last(self) -> Date {
        date(self.0, 9, 30)
    }
}

impl FromStr for FiscalYear {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let year = text.parse::<i16>().ok().filter(|year| (2000..=2999).contains(year));
        year.map(FiscalYear).ok_or("write a fiscal year as 2026, which ends on 30 September 2026")
    }
}

impl fmt::Display for FiscalYear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The register of one organization.
#[derive(Debug, Clone)]
pub struct Source {
    /// The organization, or the file that stands for it.
    pub organization: String,
    /// How many exemptions are classified.
    pub annex: u32,
    /// What stands in it now.
    pub entries: Vec<Entry>,
    /// What was in force, now or once.
    pub past: Vec<Past>,
}

/// The exemptions that applied in a fiscal year.
#[derive(Debug, Clone)]
pub struct Report {
    /// The year.
    pub year: FiscalYear,
    /// The day whose state this is: later days of the year are still to come.
    pub as_of: Date,
    /// Of which organizations.
    pub organizations: Vec<String>,
    /// Those that applied, by class, organization and repository.
    pub applied: Vec<Applied>,
    /// How many more are in classified annexes.
    pub annex: u32,
    /// How many of the registers stand otherwise, on `as_of`.
    pub otherwise: BTreeMap<Standing, usize>,
    /// Those that were granted and are not counted.
    pub doubted: Vec<Doubted>,
}

/// An exemption that applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The organization whose register has it.
    pub organization: String,
    /// The exemption, as it was worded last.
    pub exemption: Exemption,
    /// What shows that it was approved.
    pub proof: Option<Proof>,
    /// The first and the last day of the year on which it applied.
    pub within: (Date, Date),
    /// When it left the register, if it did.
    pub left: Option<Date>,
}

impl Applied {
    /// Where its usage comes from: `SHARE IT Act §4(a)(1)(C)`.
    #[must_use]
    pub fn provision(&self) -> &'static str {
        law::provision(self.exemption.usage)
    }
}

/// A granted exemption that is not counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Doubted {
    /// The organization whose register has it.
    pub organization: String,
    /// The repository.
    pub repository: RepositoryId,
    /// Unverified, or void.
    pub standing: Standing,
    /// Why, and what to do.
    pub why: String,
}

impl Report {
    /// What applied in `year`, as known on `as_of`.
    #[must_use]
    pub fn of(year: FiscalYear, as_of: Date, sources: &[Source]) -> Report {
        let mut report = Report {
            year,
            as_of,
            organizations: sources.iter().map(|source| source.organization.clone()).collect(),
            applied: Vec::new(),
            annex: sources.iter().fold(0, |sum, source| sum.saturating_add(source.annex)),
            otherwise: BTreeMap::new(),
            doubted: Vec::new(),
        };
        for source in sources {
            report.applied.extend(applied(source, year, as_of));
            for entry in &source.entries {
                report.note(&source.organization, entry);
            }
        }
        report.applied.sort_by(|a, b| order(a).cmp(&order(b)));
        report
    }

    /// Those of one class.
    pub fn of_class(&self, class: Class) -> impl Iterator<Item = &Applied> {
        self.applied.iter().filter(move |applied| applied.exemption.class() == class)
    }

    /// In how many repositories exemptions applied.
    #[must_use]
    pub fn repositories(&self) -> usize {
        self.applied
            .iter()
            .map(|applied| applied.exemption.id)
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    }

    fn note(&mut self, organization: &str, entry: &Entry) {
        let standing = entry.standing(self.as_of);
        match standing {
            Standing::Granted | Standing::Expired => return,
            Standing::Requested
            | Standing::Denied
            | Standing::Void
            | Standing::Unverified
            | Standing::NotYet => {}
        }
        *self.otherwise.entry(standing).or_default() += 1;
        if let Some(why) = entry.doubt() {
            self.doubted.push(Doubted {
                organization: organization.to_owned(),
                repository: entry.exemption.id,
                standing,
                why: why.to_owned(),
            });
        }
    }
}

fn order(applied: &Applied) -> (Class, &str, RepositoryId, Date) {
    (applied.exemption.class(), &applied.organization, applied.exemption.id, applied.within.0)
}

/// What of one register applied. An entry that was reworded is one exemption
/// still: the same repository, usage and first day.
fn applied(source: &Source, year: FiscalYear, as_of: Date) -> Vec<Applied> {
    let mut versions: BTreeMap<_, Vec<&Past>> = BTreeMap::new();
    for past in &source.past {
        let Some((from, _)) = past.exemption.applies() else { continue };
        let same = (past.exemption.id, past.exemption.usage, from);
        versions.entry(same).or_default().push(past);
    }
    let of = |versions: Vec<&Past>| {
        let days = versions.iter().flat_map(|past| past.applied(as_of));
        let days = days.map(|(from, to)| (from.max(year.first()), to.min(year.last())));
        let within = days.filter(|(from, to)| from <= to).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        let last = versions.into_iter().max_by_key(|past| past.stood.last().copied())?;
        Some(Applied {
            organization: source.organization.clone(),
            exemption: last.exemption.clone(),
            proof: Some(last.proof.clone()),
            within,
            left: last.left(),
        })
    };
    versions.into_values().filter_map(of).collect()
}

/// What a file alone says, of which nothing was verified: what it grants is
/// taken for granted.
#[must_use]
pub fn from_file(organization: String, register: &super::Register, year: FiscalYear, as_of: Date) -> Report {
    let entries = register.exemptions.iter();
    let decided = entries.clone().filter(|exemption| exemption.applies().is_none());
    let entry = |exemption: &Exemption| Entry { exemption: exemption.clone(), trust: None };
    let source = Source {
        organization: organization.clone(),
        annex: register.annex,
        entries: decided.map(entry).collect(),
        past: Vec::new(),
    };
    let mut report = Report::of(year, as_of, &[source]);
    for exemption in entries {
        let Some((from, to)) = exemption.applies() else { continue };
        let within = (from.max(year.first()), to.map_or(as_of, |to| to.min(as_of)).min(year.last()));
        if within.0 <= within.1 {
            report.applied.push(Applied {
                organization: organization.clone(),
                exemption: exemption.clone(),
                proof: None,
                within,
                left: None,
            });
        } else if as_of < from {
            *report.otherwise.entry(Standing::NotYet).or_default() += 1;
        }
    }
    report.applied.sort_by(|a, b| order(a).cmp(&order(b)));
    report
}

#[cfg(test)]
mod tests;
