//! The account as it is stored: for people inside, with names.

use std::collections::HashMap;

use serde::Serialize;

use crate::domain::{
    inventory::{File, Problem, State, Subject, Totals},
    repository::{RepositoryId, RepositoryName, Visibility},
};

#[derive(Serialize)]
struct Account<'a> {
    totals: Totals,
    lines: Vec<Line<'a>>,
    problems: Vec<Noticed<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum About<'a> {
    Repository {
        repository: RepositoryId,
        name: Option<&'a RepositoryName>,
        visibility: Option<&'static str>,
    },
    Imported {
        imported: &'a str,
    },
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    about: About<'a>,
    #[serde(flatten)]
    state: &'a State,
}

#[derive(Serialize)]
struct Noticed<'a> {
    #[serde(flatten)]
    about: About<'a>,
    problem: &'a str,
}

impl<'a> About<'a> {
    fn of(
        subject: &'a Subject,
        names: &HashMap<RepositoryId, (&'a RepositoryName, Visibility)>,
    ) -> About<'a> {
        match subject {
            Subject::Repository(id) => {
                let known = names.get(id);
                About::Repository {
                    repository: *id,
                    name: known.map(|(name, _)| *name),
                    visibility: known.map(|(_, visibility)| visibility.as_str()),
                }
            }
            Subject::Imported { key } => About::Imported { imported: key },
        }
    }
}

/// The account of a file, with names: never for the public.
#[must_use]
pub fn account_json(
    file: &File,
    problems: &[Problem],
    names: &HashMap<RepositoryId, (&RepositoryName, Visibility)>,
) -> String {
    let account = Account {
        totals: file.account.totals(),
        lines: file
            .account
            .lines
            .iter()
            .map(|line| Line { about: About::of(&line.subject, names), state: &line.state })
            .collect(),
        problems: problems
            .iter()
            .map(|problem| Noticed { about: About::of(&problem.subject, names), problem: &problem.what })
            .collect(),
    };
    // Texts and numbers can always be written.
    serde_json::to_string(&account).unwrap_or_default()
}
