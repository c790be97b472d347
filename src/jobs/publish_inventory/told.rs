//! The account and the list of entries as they are stored: for people inside,
//! with names.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use super::key;
use crate::domain::{
    inventory::{File, Problem, Subject},
    repository::{RepositoryId, RepositoryName, Visibility},
};

/// The account of a file, with names: never for the public.
#[must_use]
pub fn account_json(
    file: &File,
    problems: &[Problem],
    names: &HashMap<RepositoryId, (RepositoryName, Visibility)>,
) -> String {
    let of = |subject: &Subject| match subject {
        Subject::Repository(id) => {
            let known = names.get(id);
            json!({
                "repository": id,
                "name": known.map(|(name, _)| name),
                "visibility": known.map(|(_, visibility)| visibility.as_str()),
            })
        }
        Subject::Imported { key } => json!({ "imported": key }),
    };
    let with = |mut about: Value, more: Value| {
        if let (Value::Object(about), Value::Object(more)) = (&mut about, more) {
            about.extend(more);
        }
        about
    };
    let lines: Vec<Value> =
        file.account.lines.iter().map(|line| with(of(&line.subject), json!(line.state))).collect();
    let problems: Vec<Value> = problems
        .iter()
        .map(|problem| with(of(&problem.subject), json!({ "problem": problem.what })))
        .collect();
    json!({ "totals": file.account.totals(), "lines": lines, "problems": problems }).to_string()
}

/// What has an entry, as stored.
pub(super) fn listed_json(file: &File) -> String {
    let keys: BTreeSet<String> = file.listed().map(key).collect();
    json!(keys).to_string()
}

/// What had an entry, as read.
pub(super) fn listed(text: &str) -> BTreeSet<Subject> {
    let keys: Vec<String> = serde_json::from_str(text).unwrap_or_default();
    let subject = |key: String| match key.strip_prefix("import ") {
        Some(key) => Some(Subject::Imported { key: key.to_owned() }),
        None => key.parse().ok().map(|id| Subject::Repository(RepositoryId(id))),
    };
    keys.into_iter().filter_map(subject).collect()
}
