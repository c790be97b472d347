//! What OMB asks of an agency's source code, as counts (SHARE IT Act
//! §3(d)(2)(A), §4(b); M-16-21 §5.1).
//!
//! Promises: (1) it names no repository; (2) code that is not public counts as
//! all other code does; (3) what the agency says by default is told apart from
//! what a person said; (4) what Muster does not measure or check is said so, and
//! what it measured says of how much and since when.

use std::collections::{BTreeMap, HashSet};

use code_json::record::{Field, MAINTENANCE, Provenance, Record, Usage};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use serde_json::Value;

use super::say;
use crate::domain::{
    exemptions::{Class, Standing, report as register},
    inventory::{
        Agency, Imported, Seen, State,
        part::{address, is_beyond, left_out},
        public, traffic,
    },
    outgoing::plain,
    policy::{Policy, Published},
    repository::Visibility,
};

/// `omb-1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Omb {
    /// The agency's acronym.
    pub agency: String,
    /// The year of the exemptions, clones and views.
    pub fiscal_year: register::FiscalYear,
    /// The day of all other numbers.
    pub as_of_day: Date,
    /// What the numbers are about.
    pub code: Code,
    /// §3(d)(2)(A)(i).
    pub reuse: Reuse,
    /// §3(d)(2)(A)(ii): how many of each word, `not said` among them.
    pub maintenance: BTreeMap<&'static str, Said>,
    /// §3(d)(2)(A)(iii): how many name a way to report what is wrong.
    pub feedback: Feedback,
    /// §3(d)(2)(A)(iv) and §4(b).
    pub exemptions: Exemptions,
    /// §2(5)(ii).
    pub contracts: Contracts,
    /// What the agency declares of its policies.
    pub attestations: Vec<Attestation>,
    /// M-16-21 §5.1, which expired on 8 August 2019.
    pub released: Released,
    /// Where a harvester finds the files; `None` if the server has no address.
    pub addresses: Option<Vec<String>>,
}

/// What is counted, and what is not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Code {
    /// Public repositories.
    pub public: usize,
    /// Private and internal ones.
    pub not_public: usize,
    /// Not counted: a rule of the policy leaves them out.
    pub excluded: usize,
    /// Not counted: no code.
    pub out_of_scope: usize,
    /// Not counted: national security systems, which the Act does not reach.
    pub beyond: usize,
    /// Not counted: never read.
    pub unknown: usize,
    /// Of all these, entries of the import; what it has of a repository that is
    /// here too is not counted twice.
    pub imported: usize,
}

/// How often code is taken up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Reuse {
    /// All forks.
    pub forks: u64,
    /// Repositories that were forked.
    pub forked: usize,
    /// Clones in the fiscal year; `None` if none of its days was measured.
    pub clones: Option<u64>,
    /// Views of pages in the fiscal year; as `clones`.
    pub views: Option<u64>,
    /// What clones and views rest on.
    pub measured: Option<Measured>,
}

/// What clones and views rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Measured {
    /// Repositories that were measured, of those that are counted.
    pub repositories: usize,
    /// The first day in the fiscal year on which one was.
    pub from: Date,
    /// Of these repositories those of which days are missing since their first.
    pub with_gaps: usize,
}

/// How many say it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Said {
    /// All.
    pub repositories: usize,
    /// Of these by the agency's default alone.
    pub by_default: usize,
}

/// Ways to report what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Feedback {
    /// Repositories with one.
    pub stated: usize,
    /// Repositories without.
    pub none: usize,
}

/// The register's numbers, as in the report of exemptions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Exemptions {
    /// §4(a)(2), granted, by clause.
    pub discretionary: BTreeMap<&'static str, usize>,
    /// §4(a)(1), by clause.
    pub automatic: BTreeMap<&'static str, usize>,
    /// Of M-16-21 alone.
    pub policy: usize,
    /// In classified annexes.
    pub annex: u32,
    /// Asked for and not decided, today.
    pub requested: usize,
    /// Denied, today.
    pub denied: usize,
    /// Granted, and not counted: the approval is not confirmed.
    pub not_counted: usize,
}

/// Contract numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Contracts {
    /// Repositories that state one or more.
    pub stated: Said,
    /// Repositories that state that there is none.
    pub none: Said,
    /// Repositories that say nothing.
    pub not_said: usize,
}

/// What the agency declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Attestation {
    /// Of what.
    pub what: &'static str,
    /// The page.
    pub url: Option<String>,
    /// Since when.
    pub adopted: Option<Date>,
    /// Whether there is a date to state at all.
    pub dated: bool,
    /// Whether Muster looked if the page is there.
    pub link_checked: bool,
    /// What it saw, if it looked.
    pub link: Option<Link>,
}

/// What came of asking for a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Link {
    /// When it was asked for.
    pub checked_at: Timestamp,
    /// Whether it is there.
    pub found: bool,
    /// In words: the status of the answer, or why there was none.
    pub says: String,
}

/// The share that was released as open source, by projects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Released {
    /// Public, and open source.
    pub open_source: usize,
    /// All that is counted, save what is older than the policy.
    pub of: usize,
    /// Per mille, rounded; `None` of nothing.
    pub per_mille: Option<usize>,
}

impl Omb {
    /// The numbers of an agency. `seen` are all its repositories, `imported` the
    /// entries of its import, `register` is the report of its exemptions,
    /// `measured` is of the same year.
    #[must_use]
    pub fn of(
        agency: &Agency,
        policy: &Policy,
        seen: &[Seen<'_>],
        imported: &[Imported],
        register: &register::Report,
        measured: &traffic::Year,
        public_url: Option<&str>,
    ) -> Omb {
        let mut omb = Omb {
            agency: agency.acronym.clone(),
            fiscal_year: register.year,
            as_of_day: register.as_of,
            code: Code::default(),
            reuse: Reuse::default(),
            maintenance: BTreeMap::new(),
            feedback: Feedback::default(),
            exemptions: exemptions(register),
            contracts: Contracts::default(),
            attestations: attestations(policy),
            released: Released::default(),
            addresses: public_url.map(|url| addresses(url, agency)),
        };
        for word in MAINTENANCE.iter().copied().chain([NOT_SAID]) {
            omb.maintenance.insert(word, Said::default());
        }
        let defaults = public::default_record(policy);
        for one in seen {
            omb.count(policy, one, &defaults, measured);
        }
        let is_public = |one: &&Seen<'_>| one.visibility == Visibility::Public;
        let pages = seen.iter().filter(is_public).filter_map(|one| one.sources);
        let pages: HashSet<String> = pages.map(|sources| address(&sources.url)).collect();
        for one in imported {
            omb.count_imported(one, &defaults, &pages);
        }
        let Released { open_source, of, .. } = omb.released;
        omb.released.per_mille = (of > 0).then(|| (open_source * 2_000 + of) / (of * 2));
        omb
    }

    fn count(&mut self, policy: &Policy, seen: &Seen<'_>, defaults: &Record, year: &traffic::Year) {
        match left_out(policy, seen) {
            Some(State::OutOfScope { .. }) => return self.code.out_of_scope += 1,
            Some(
                State::Excluded { .. }
                | State::Listed
                | State::Incomplete { .. }
                | State::Exempt { .. }
                | State::Unknown { .. },
            ) => return self.code.excluded += 1,
            None => {}
        }
        let is_public = seen.visibility == Visibility::Public;
        if !is_public && seen.exempt.is_some_and(is_beyond) {
            self.code.beyond += 1;
            return;
        }
        let Some(sources) = seen.sources else { return self.code.unknown += 1 };
        self.add(&public::record(seen, sources, defaults), is_public, sources.forks);
        if let Some(measured) = year.0.get(&seen.id) {
            self.reuse.measure(measured, self.fiscal_year, self.as_of_day);
        }
    }

    /// Counts an entry of the import as the account does; `pages` are the
    /// addresses of what is public here. What it has that is not public says no
    /// more than that it is there.
    fn count_imported(&mut self, one: &Imported, defaults: &Record, pages: &HashSet<String>) {
        self.code.imported += 1;
        let is_public = match &one.held {
            None => true,
            Some(State::Excluded { .. }) => false,
            Some(State::Exempt { .. }) => return self.code.beyond += 1,
            Some(State::OutOfScope { .. }) => return self.code.out_of_scope += 1,
            Some(State::Incomplete { .. } | State::Unknown { .. } | State::Listed) => {
                return self.code.unknown += 1;
            }
        };
        if is_public && one.record.text(Field::RepositoryUrl).is_some_and(|url| pages.contains(&address(url)))
        {
            self.code.excluded += 1;
            return;
        }
        let mut record = one.record.clone();
        for (key, sourced) in defaults.entries().filter(|(key, _)| one.record.get(key).is_none()) {
            record.put(key.clone(), sourced.clone());
        }
        let forks = record.value(Field::Forks).and_then(Value::as_u64).unwrap_or_default();
        self.add(&record, is_public, forks);
    }

    /// Adds what a record says.
    fn add(&mut self, record: &Record, is_public: bool, forks: u64) {
        if is_public {
            self.code.public += 1;
        } else {
            self.code.not_public += 1;
        }
        self.reuse.forks += forks;
        self.reuse.forked += usize::from(forks > 0);
        let said = |field| matches!(record.field(field), Some(it) if it.from == Provenance::Default);
        let maintained = record.text(Field::Maintenance);
        let word = MAINTENANCE.iter().copied().find(|word| Some(*word) == maintained).unwrap_or(NOT_SAID);
        let by_default = word != NOT_SAID && said(Field::Maintenance);
        self.maintenance.entry(word).or_default().add(by_default);
        let feedback = record.text(Field::FeedbackMechanism).is_some_and(|text| !text.is_empty());
        self.feedback.stated += usize::from(feedback);
        self.feedback.none += usize::from(!feedback);
        match record.value(Field::ContractNumber).and_then(Value::as_array).map(Vec::is_empty) {
            Some(true) => self.contracts.none.add(said(Field::ContractNumber)),
            Some(false) => self.contracts.stated.add(said(Field::ContractNumber)),
            None => self.contracts.not_said += 1,
        }
        if !record.usage().any(|usage| usage == Usage::ExemptByPolicyDate) {
            self.released.of += 1;
            let open = is_public && record.usage().any(|usage| usage == Usage::OpenSource);
            self.released.open_source += usize::from(open);
        }
    }
}

impl Reuse {
    fn measure(&mut self, measured: &traffic::Measured, year: register::FiscalYear, today: Date) {
        let Some(first) = measured.first() else { return };
        self.clones = Some(self.clones.unwrap_or_default() + measured.clones);
        self.views = Some(self.views.unwrap_or_default() + measured.views);
        let so_far = self.measured.unwrap_or(Measured { repositories: 0, from: first, with_gaps: 0 });
        self.measured = Some(Measured {
            repositories: so_far.repositories + 1,
            from: so_far.from.min(first),
            with_gaps: so_far.with_gaps + usize::from(measured.has_gaps(year, today)),
        });
    }
}

const NOT_SAID: &str = "not said";

impl Said {
    fn add(&mut self, by_default: bool) {
        self.repositories += 1;
        self.by_default += usize::from(by_default);
    }
}

fn exemptions(register: &register::Report) -> Exemptions {
    let of = |class| {
        let mut counts = BTreeMap::new();
        for applied in register.of_class(class) {
            *counts.entry(applied.exemption.usage.name()).or_default() += 1;
        }
        counts
    };
    let standing = |standing| register.otherwise.get(&standing).copied().unwrap_or_default();
    Exemptions {
        discretionary: of(Class::Discretionary),
        automatic: of(Class::Automatic),
        policy: register.of_class(Class::Policy).count(),
        annex: register.annex,
        requested: standing(Standing::Requested),
        denied: standing(Standing::Denied),
        not_counted: register.doubted.len(),
    }
}

fn attestations(policy: &Policy) -> Vec<Attestation> {
    let agency = &policy.agency;
    let one = |what, url: &Option<String>, adopted, dated| Attestation {
        what,
        url: url.clone(),
        adopted,
        dated,
        link_checked: false,
        link: None,
    };
    vec![
        one("Open source policy", &agency.policy.url, agency.policy.adopted, true),
        one("Acquisition language", &agency.acquisition.url, agency.acquisition.adopted, true),
        one("Access procedure", &agency.access.procedure_url, None, false),
    ]
}

fn addresses(url: &str, agency: &Agency) -> Vec<String> {
    let base = url.trim_end_matches('/');
    let file = |published: Published| format!("{base}/agencies/{}/{}", agency.slug(), published.file());
    vec![file(Published::Gsa2), file(Published::AgencyIndex2)]
}

mod shown;
#[cfg(test)]
mod tests;
