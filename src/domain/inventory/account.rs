//! What became of every repository, with sums that balance (domain: states).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::part::Subject;

/// The state of one repository, or of one imported entry, in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum State {
    /// It has an entry.
    Listed,
    /// It has none yet: what is missing, as JSON pointers of the schema, or in
    /// a sentence.
    Incomplete {
        /// The fields.
        fields: Vec<String>,
        /// What else stands in the way.
        why: Option<String>,
    },
    /// The law exempts it, by the register.
    Exempt {
        /// Whether it has an entry nevertheless (M-16-21 §7.2).
        listed: bool,
    },
    /// A rule of the policy leaves it out.
    Excluded {
        /// Which.
        rule: String,
    },
    /// It holds no code that the law means (SHARE IT Act §2(3)).
    OutOfScope {
        /// What it is instead.
        why: String,
    },
    /// It could not be read.
    Unknown {
        /// Why.
        why: String,
        /// Whether it has an entry by what was read before.
        listed: bool,
    },
}

impl State {
    /// Whether there is an entry for it in the file.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        match self {
            State::Listed => true,
            State::Exempt { listed } | State::Unknown { listed, .. } => *listed,
            State::Incomplete { .. } | State::Excluded { .. } | State::OutOfScope { .. } => false,
        }
    }

    /// The word of the account.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            State::Listed => "listed",
            State::Incomplete { .. } => "incomplete",
            State::Exempt { .. } => "exempt",
            State::Excluded { .. } => "excluded by rule",
            State::OutOfScope { .. } => "out of scope",
            State::Unknown { .. } => "unknown",
        }
    }
}

/// One line of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is about.
    pub subject: Subject,
    /// What became of it.
    pub state: State,
}

/// What became of everything, for one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// One line each.
    pub lines: Vec<Line>,
}

/// The sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Totals {
    /// All there is: repositories the App can see, and imported entries.
    pub seen: usize,
    /// Of these from the import.
    pub imported: usize,
    /// With an entry.
    pub listed: usize,
    /// Without one until somebody fills in a field.
    pub incomplete: usize,
    /// By the register.
    pub exempt: usize,
    /// By the policy.
    pub excluded: usize,
    /// Not the code that the law means.
    pub out_of_scope: usize,
    /// Not to be read.
    pub unknown: usize,
    /// Of the unknown, those that were never read: they have no entry.
    pub never_read: usize,
    /// Entries in the file: listed, and what of the exempt and the unknown is.
    pub entries: usize,
}

impl Totals {
    /// Whether every one is in exactly one state.
    #[must_use]
    pub fn balance(&self) -> bool {
        self.listed + self.incomplete + self.exempt + self.excluded + self.out_of_scope + self.unknown
            == self.seen
    }
}

impl Account {
    /// The sums.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals { seen: self.lines.len(), ..Totals::default() };
        for Line { subject, state } in &self.lines {
            totals.imported += usize::from(matches!(subject, Subject::Imported { .. }));
            totals.entries += usize::from(state.is_listed());
            match state {
                State::Listed => totals.listed += 1,
                State::Incomplete { .. } => totals.incomplete += 1,
                State::Exempt { .. } => totals.exempt += 1,
                State::Excluded { .. } => totals.excluded += 1,
                State::OutOfScope { .. } => totals.out_of_scope += 1,
                State::Unknown { listed, .. } => {
                    totals.unknown += 1;
                    totals.never_read += usize::from(!listed);
                }
            }
        }
        totals
    }

    /// How many each rule leaves out, by its name.
    #[must_use]
    pub fn excluded_by(&self) -> BTreeMap<&str, usize> {
        self.count(|state| match state {
            State::Excluded { rule } => vec![rule.as_str()],
            State::Listed
            | State::Incomplete { .. }
            | State::Exempt { .. }
            | State::OutOfScope { .. }
            | State::Unknown { .. } => Vec::new(),
        })
    }

    /// How many entries each missing field keeps out.
    #[must_use]
    pub fn missing(&self) -> BTreeMap<&str, usize> {
        self.count(|state| match state {
            State::Incomplete { fields, .. } => fields.iter().map(String::as_str).collect(),
            State::Listed
            | State::Excluded { .. }
            | State::Exempt { .. }
            | State::OutOfScope { .. }
            | State::Unknown { .. } => Vec::new(),
        })
    }

    fn count<'a>(&'a self, of: impl Fn(&'a State) -> Vec<&'a str>) -> BTreeMap<&'a str, usize> {
        let mut counts = BTreeMap::new();
        for word in self.lines.iter().flat_map(|line| of(&line.state)) {
            *counts.entry(word).or_default() += 1;
        }
        counts
    }
}
