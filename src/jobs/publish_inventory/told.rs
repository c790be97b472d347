//! The account as it is stored: for people inside, with names. And how what is
//! stored calls a subject.

use std::collections::HashMap;

use serde::Serialize;

use crate::{
    domain::{
        inventory::{File, Problem, State, Subject, Totals},
        repository::{RepositoryId, RepositoryName, Visibility},
    },
    store::HEAD,
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

/// The key of a subject in what is stored; of the file's head, without one.
pub(super) fn key(subject: Option<&Subject>) -> String {
    match subject {
        None => HEAD.to_owned(),
        Some(Subject::Repository(id)) => id.to_string(),
        Some(Subject::Imported { key }) => format!("import {key}"),
    }
}

/// The subject of a key; `None` of the file's head.
pub(super) fn subject(key: &str) -> Option<Subject> {
    match key.strip_prefix("import ") {
        Some(key) => Some(Subject::Imported { key: key.to_owned() }),
        None => key.parse().ok().map(|id| Subject::Repository(RepositoryId(id))),
    }
}

/// The digest that was written in hex.
pub(super) fn digest(hex: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(digest)
}
