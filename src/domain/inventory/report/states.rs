//! The account of each file, line by line, with its sums: for whoever checks
//! that no repository is left out.
//!
//! Promises: (1) the lines and what is counted beside them sum up to the
//! totals; (2) a repository is named only if the caller passes its name, and so
//! is what stands in its way.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::Serialize;

use super::{gaps::Stored, stored};
use crate::domain::{
    inventory::{Line, State, Subject, Totals},
    repository::RepositoryId,
};

/// `account-1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct States {
    /// The agency's acronym.
    pub agency: String,
    /// Whether code that is not public is named.
    pub internal: bool,
    /// One for each file.
    pub files: Vec<FileStates>,
}

/// The account of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct FileStates {
    /// Its name.
    pub file: &'static str,
    /// The moment whose state this is.
    pub accounted_at: Timestamp,
    /// The sums.
    pub totals: Totals,
    /// What may be named, by name.
    pub repositories: Vec<Named>,
    /// How many more there are, by state.
    pub not_named: BTreeMap<&'static str, usize>,
}

/// A repository and its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Named {
    /// Its name.
    pub repository: String,
    /// Its state.
    pub state: &'static str,
    /// Whether it has an entry.
    pub entry: bool,
    /// The fields it lacks.
    pub missing: Vec<String>,
    /// What else stands in the way.
    pub why: Option<String>,
}

impl States {
    /// The accounts of an agency's files. `names` has the repositories that may
    /// be named.
    ///
    /// # Errors
    /// An account that cannot be read.
    pub fn of(
        agency: &str,
        stored: &[Stored<'_>],
        names: &HashMap<RepositoryId, String>,
        internal: bool,
    ) -> Result<States, serde_json::Error> {
        let files = stored.iter().map(|one| file(one, names, internal)).collect::<Result<_, _>>()?;
        Ok(States { agency: agency.to_owned(), internal, files })
    }

    /// A row of headings, then one for each repository, and each count of those
    /// that are not named.
    #[must_use]
    pub fn rows(&self) -> Vec<Vec<String>> {
        const HEADINGS: [&str; 8] =
            ["file", "as_of", "repository", "state", "entry", "repositories", "missing", "why"];
        let mut rows = vec![HEADINGS.map(str::to_owned).to_vec()];
        for file in &self.files {
            let mut row = |cells: [String; 6]| {
                let head = [file.file.to_owned(), file.accounted_at.to_string()];
                rows.push(head.into_iter().chain(cells).collect());
            };
            for one in &file.repositories {
                let entry = if one.entry { "yes" } else { "no" };
                let why = one.why.clone().unwrap_or_default();
                let (state, one_of) = (one.state.to_owned(), "1".to_owned());
                row([one.repository.clone(), state, entry.to_owned(), one_of, one.missing.join(" "), why]);
            }
            for (state, count) in &file.not_named {
                let none = String::new();
                row([none.clone(), (*state).to_owned(), none.clone(), count.to_string(), none.clone(), none]);
            }
        }
        rows
    }
}

fn file(
    stored: &Stored<'_>,
    names: &HashMap<RepositoryId, String>,
    internal: bool,
) -> Result<FileStates, serde_json::Error> {
    let account = stored::account(stored.account)?;
    let (mut repositories, mut not_named) = (Vec::new(), BTreeMap::new());
    for Line { subject, state } in &account.lines {
        let name = match subject {
            Subject::Repository(id) => names.get(id).cloned(),
            Subject::Imported { key } => internal.then(|| format!("import: {key}")),
        };
        match name {
            Some(repository) => repositories.push(named(repository, state)),
            None => *not_named.entry(state.word()).or_default() += 1,
        }
    }
    repositories.sort_by(|a, b| a.repository.cmp(&b.repository));
    let (file, accounted_at) = (stored.file, stored.accounted_at);
    Ok(FileStates { file, accounted_at, totals: account.totals(), repositories, not_named })
}

fn named(repository: String, state: &State) -> Named {
    let (missing, why) = match state {
        State::Incomplete { fields, why } => (fields.clone(), why.clone()),
        State::Excluded { rule } => (Vec::new(), Some(rule.clone())),
        State::OutOfScope { why } | State::Unknown { why, .. } => (Vec::new(), Some(why.clone())),
        State::Listed | State::Exempt { .. } => (Vec::new(), None),
    };
    Named { repository, state: state.word(), entry: state.is_listed(), missing, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = r#"{"lines":[
        {"repository":1,"name":"agency/river","state":"listed"},
        {"repository":2,"name":"agency/zebra","state":"listed"},
        {"repository":3,"name":"agency/pond","state":"incomplete","fields":["/tags"],"why":null},
        {"repository":4,"name":"agency/zebra-2","state":"excluded","rule":"zebra*"},
        {"imported":"https://zebra.example/x","state":"listed"}
    ]}"#;

    fn states(ids: &[u64], internal: bool) -> States {
        let stored = Stored {
            file: "code.json",
            account: ACCOUNT,
            accounted_at: "2026-11-22T14:05:09Z".parse().unwrap(),
            published_at: None,
            refused: false,
        };
        let names = ids.iter().map(|id| (RepositoryId(*id), format!("agency/no-{id}"))).collect();
        States::of("XA", &[stored], &names, internal).unwrap()
    }

    #[test]
    fn every_line_is_named_or_counted() {
        let public = states(&[1, 3], false);
        let file = &public.files[0];
        let counted = file.repositories.len() + file.not_named.values().sum::<usize>();
        assert_eq!((counted, file.totals.seen), (5, 5));
        assert_eq!(file.not_named, BTreeMap::from([("excluded by rule", 1), ("listed", 2)]));
        assert!(!serde_json::to_string(&public).unwrap().contains("zebra"));
        assert!(!public.rows().concat().concat().contains("zebra"));
        let sum = |rows: Vec<Vec<String>>| {
            rows.iter().skip(1).map(|row| row[5].parse::<usize>().unwrap()).sum::<usize>()
        };
        assert_eq!(sum(public.rows()), 5);
        let inside = states(&[1, 2, 3, 4], true);
        assert!(inside.files[0].not_named.is_empty());
        assert_eq!(
            inside.files[0].repositories.last().unwrap().repository,
            "import: https://zebra.example/x"
        );
    }
}
