//! The entry of a repository in the inventory, for people and for programs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Visit;
use crate::{
    domain::{
        inventory::{
            Account, Line, State, Subject,
            report::{Who, ways},
        },
        policy::Published,
    },
    jobs::publish_inventory::Outlook,
};

/// An entry in one file.
#[derive(Serialize)]
pub(super) struct InFile<'a> {
    file: &'static str,
    /// In the words of the account.
    state: &'static str,
    /// What it lacks, and who can fill that in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<Missing<'a>>,
    /// What else stands in the way, or the rule that leaves it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct Missing<'a> {
    field: &'a str,
    who: Vec<Who>,
}

pub(super) fn in_files<'a>(outlook: &'a Outlook) -> Vec<InFile<'a>> {
    let one = |(published, state): &'a (Published, State)| {
        let (missing, why) = match state {
            State::Incomplete { fields, why } => {
                let missing = fields.iter().map(|field| Missing { field, who: who(field) });
                (missing.collect(), why.as_deref())
            }
            State::Excluded { rule } => (Vec::new(), Some(rule.as_str())),
            State::OutOfScope { why } | State::Unknown { why, .. } => (Vec::new(), Some(why.as_str())),
            State::Listed | State::Exempt { .. } => (Vec::new(), None),
        };
        InFile { file: published.file(), state: state.word(), missing, why }
    };
    outlook.iter().map(one).collect()
}

/// Who can fill in a field, the surest first, each once.
fn who(field: &str) -> Vec<Who> {
    let mut who: Vec<Who> = Vec::new();
    for way in ways(field) {
        if !who.contains(&way.who) {
            who.push(way.who);
        }
    }
    who
}

/// One line: what all files have in common, or each by itself.
pub(super) fn line(outlook: &Outlook) -> String {
    let files = in_files(outlook);
    let said: Vec<String> = files.iter().map(InFile::said).collect();
    if said.windows(2).all(|two| two[0] == two[1]) {
        return format!("entry: {}", said.first().map_or("", String::as_str));
    }
    let each: Vec<String> =
        files.iter().zip(&said).map(|(file, said)| format!("{} {said}", file.file)).collect();
    format!("entry: {}", each.join("; "))
}

impl InFile<'_> {
    fn said(&self) -> String {
        let missing = self.missing.iter().map(|missing| {
            let who: Vec<&str> = missing.who.iter().map(|who| who.as_str()).collect();
            format!("{} ({})", missing.field, who.join(" or "))
        });
        let more: Vec<String> = missing.chain(self.why.map(str::to_owned)).collect();
        if more.is_empty() { self.state.to_owned() } else { format!("{}, {}", self.state, more.join(", ")) }
    }
}

/// The sums of the account, a line a file.
pub(super) fn sums(visits: &[Visit]) -> Vec<String> {
    let mut accounts: BTreeMap<Published, Account> = BTreeMap::new();
    for visit in visits {
        for (published, state) in &visit.entry {
            let subject = Subject::Repository(visit.target.repository);
            accounts.entry(*published).or_default().lines.push(Line { subject, state: state.clone() });
        }
    }
    let line = |(published, account): (Published, Account)| {
        let totals = account.totals();
        format!(
            "{}: {} listed, {} incomplete, {} exempt, {} excluded by rule, {} out of scope, {} unknown.",
            published.file(),
            totals.listed,
            totals.incomplete,
            totals.exempt,
            totals.excluded,
            totals.out_of_scope,
            totals.unknown
        )
    };
    accounts.into_iter().map(line).collect()
}
