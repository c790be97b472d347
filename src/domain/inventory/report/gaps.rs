//! Which code has no entry of its own, and what stands in the way.
//!
//! Promises: (1) the numbers are those of the account that was stored with the
//! file; (2) a repository is named only if the caller passes its name, and so
//! is the rule or the reason that keeps it out; (3) a field counts once for
//! each entry that it holds back; (4) that code was made public is told inside
//! alone (etiquette 4.4): outside it would say what a name was before
//! (threats N3).

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::Serialize;

use super::{Way, say, stored, ways};
use crate::domain::{
    inventory::{Account, Line, State, Subject, Totals},
    outgoing::plain,
    repository::RepositoryId,
    words::inventory as words,
};

/// What was stored of one file.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    /// The file's name.
    pub file: &'static str,
    /// Its account, as stored.
    pub account: &'a str,
    /// When that was made.
    pub accounted_at: Timestamp,
    /// When the file that is served now was published, if one was.
    pub published_at: Option<Timestamp>,
    /// Whether the newest file was refused.
    pub refused: bool,
}

/// `gaps-1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Gaps {
    /// The agency's acronym.
    pub agency: String,
    /// Whether code that is not public is named.
    pub internal: bool,
    /// One for each file.
    pub files: Vec<FileGaps>,
    /// What was made public; only where code that is not public is named.
    pub made_public: Option<Vec<MadePublic>>,
}

/// Code that was made public. No approval of that is recorded anywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct MadePublic {
    /// Its repository.
    pub repository: String,
    /// Who could see it before: `private` or `internal`.
    pub before: &'static str,
    /// When Muster noticed.
    pub noticed_at: Timestamp,
}

/// The gaps of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct FileGaps {
    /// Its name.
    pub file: &'static str,
    /// The moment whose state this is.
    pub accounted_at: Timestamp,
    /// When the file that is served now was published.
    pub published_at: Option<Timestamp>,
    /// Whether the newest file was refused.
    pub refused: bool,
    /// The sums of the account.
    pub totals: Totals,
    /// The missing fields, those that hold back the most first.
    pub fields: Vec<FieldGap>,
    /// What has no entry and may be named, by state and name.
    pub without: Vec<Without>,
    /// How many more have none, by state.
    pub not_named: BTreeMap<&'static str, usize>,
}

/// A field that holds entries back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct FieldGap {
    /// Its JSON pointer.
    pub field: String,
    /// How many entries lack it.
    pub entries: usize,
    /// How many lack nothing else.
    pub alone: usize,
    /// Who can fill it in, and where.
    pub ways: &'static [Way],
}

/// A repository without an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Without {
    /// Its name.
    pub repository: String,
    /// Its state.
    pub state: &'static str,
    /// The fields it lacks.
    pub missing: Vec<String>,
    /// What else stands in the way.
    pub why: Option<String>,
}

impl Gaps {
    /// The gaps of an agency's files. `names` has the repositories that may be
    /// named; `made_public` is what was made public, and makes the report one
    /// for inside.
    ///
    /// # Errors
    /// An account that cannot be read.
    pub fn of(
        agency: &str,
        stored: &[Stored<'_>],
        names: &HashMap<RepositoryId, String>,
        made_public: Option<Vec<MadePublic>>,
    ) -> Result<Gaps, serde_json::Error> {
        let internal = made_public.is_some();
        let files = stored.iter().map(|one| file(one, names, internal)).collect::<Result<_, _>>()?;
        Ok(Gaps { agency: agency.to_owned(), internal, files, made_public })
    }

    /// A row of headings, then one for each field and each repository.
    #[must_use]
    pub fn rows(&self) -> Vec<Vec<String>> {
        const HEADINGS: [&str; 8] =
            ["file", "as_of", "row", "field_or_repository", "state", "entries", "missing", "who_or_why"];
        let mut rows = vec![HEADINGS.map(str::to_owned).to_vec()];
        for file in &self.files {
            let mut row = |cells: [String; 6]| {
                rows.push(
                    [file.file.to_owned(), file.accounted_at.to_string()].into_iter().chain(cells).collect(),
                );
            };
            for gap in &file.fields {
                let (field, count) = (gap.field.clone(), gap.entries.to_string());
                row(["field".to_owned(), field, String::new(), count, String::new(), who(gap.ways)]);
            }
            for one in &file.without {
                let (name, state) = (one.repository.clone(), one.state.to_owned());
                let why = one.why.clone().unwrap_or_default();
                row(["repository".to_owned(), name, state, String::new(), one.missing.join(" "), why]);
            }
            for (state, count) in &file.not_named {
                let (none, count) = (String::new(), count.to_string());
                row(["not named".to_owned(), none.clone(), (*state).to_owned(), count, none.clone(), none]);
            }
        }
        rows.extend(self.made_public.iter().flatten().map(|one| {
            let (none, at) = (String::new(), one.noticed_at.to_string());
            let cells = [none.clone(), at, "made public".to_owned(), one.repository.clone()];
            let more = [format!("was {}", one.before), none.clone(), none, words::NO_APPROVAL.to_owned()];
            cells.into_iter().chain(more).collect()
        }));
        rows
    }

    /// For people.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = format!("# Gaps in the inventory of {}\n", plain(&self.agency));
        if self.internal {
            out.push_str("\nFor internal use: this report names code that is not public.\n");
        }
        for file in &self.files {
            file.say(&mut out);
        }
        if let Some(made_public) = self.made_public.as_ref().filter(|list| !list.is_empty()) {
            say(&mut out, format_args!("\n## Made public\n\n{}\n\n", words::NO_APPROVAL));
            out.push_str("| repository | was | noticed |\n|---|---|---|\n");
            for one in made_public {
                say(
                    &mut out,
                    format_args!("| {} | {} | {} |\n", plain(&one.repository), one.before, one.noticed_at),
                );
            }
        }
        out
    }
}

fn file(
    stored: &Stored<'_>,
    names: &HashMap<RepositoryId, String>,
    internal: bool,
) -> Result<FileGaps, serde_json::Error> {
    let account = stored::account(stored.account)?;
    let (mut without, mut not_named) = (Vec::new(), BTreeMap::new());
    for Line { subject, state } in account.lines.iter().filter(|line| !line.state.is_listed()) {
        let name = match subject {
            Subject::Repository(id) => names.get(id).cloned(),
            // What an import holds back was not published either.
            Subject::Imported { key } => internal.then(|| format!("import: {key}")),
        };
        match name {
            Some(repository) => without.push(one_without(repository, state)),
            None => *not_named.entry(state.word()).or_default() += 1,
        }
    }
    without.sort_by(|a, b| (a.state, &a.repository).cmp(&(b.state, &b.repository)));
    Ok(FileGaps {
        file: stored.file,
        accounted_at: stored.accounted_at,
        published_at: stored.published_at,
        refused: stored.refused,
        totals: account.totals(),
        fields: fields(&account),
        without,
        not_named,
    })
}

fn one_without(repository: String, state: &State) -> Without {
    let (missing, why) = match state {
        State::Incomplete { fields, why } => (fields.clone(), why.clone()),
        State::Excluded { rule } => (Vec::new(), Some(rule.clone())),
        State::OutOfScope { why } | State::Unknown { why, .. } => (Vec::new(), Some(why.clone())),
        State::Listed | State::Exempt { .. } => (Vec::new(), None),
    };
    Without { repository, state: state.word(), missing, why }
}

fn fields(account: &Account) -> Vec<FieldGap> {
    let lacks_only = |field: &str| {
        let lacks = |line: &&Line| match &line.state {
            State::Incomplete { fields, why } => why.is_none() && fields.len() == 1 && fields[0] == field,
            State::Listed
            | State::Exempt { .. }
            | State::Excluded { .. }
            | State::OutOfScope { .. }
            | State::Unknown { .. } => false,
        };
        account.lines.iter().filter(lacks).count()
    };
    let gap = |(field, entries): (&str, usize)| FieldGap {
        field: field.to_owned(),
        entries,
        alone: lacks_only(field),
        ways: ways(field),
    };
    let mut fields: Vec<FieldGap> = account.missing().into_iter().map(gap).collect();
    fields.sort_by(|a, b| b.entries.cmp(&a.entries).then_with(|| a.field.cmp(&b.field)));
    fields
}

/// `the maintainer, in code.json; or the agency, in …`.
fn who(ways: &[Way]) -> String {
    let way = |way: &Way| format!("{}, in {}", way.who.as_str(), way.place);
    ways.iter().map(way).collect::<Vec<_>>().join("; or ")
}

impl FileGaps {
    fn say(&self, out: &mut String) {
        say(out, format_args!("\n## {}\n\nAs of {}.", self.file, self.accounted_at));
        match self.published_at {
            Some(at) => say(out, format_args!(" The file that is served was published {at}.\n")),
            None => out.push_str(" No file was published yet.\n"),
        }
        if self.refused {
            out.push_str("The newest file was refused: `muster audit` has the reason.\n");
        }
        let sums = &self.totals;
        say(
            out,
            format_args!(
                "\n{} of {} have an entry. {} listed + {} incomplete + {} exempt + {} excluded by rule + \
                 {} out of scope + {} unknown = {}.\n",
                sums.entries,
                sums.seen,
                sums.listed,
                sums.incomplete,
                sums.exempt,
                sums.excluded,
                sums.out_of_scope,
                sums.unknown,
                sums.seen
            ),
        );
        if self.fields.is_empty() {
            out.push_str("\nNo field holds an entry back.\n");
        } else {
            out.push_str(
                "\n### Fields that hold entries back\n\n\
                 | field | entries | lack only this | who can fill it in |\n|---|---:|---:|---|\n",
            );
        }
        for gap in &self.fields {
            let (field, who) = (plain(&gap.field), plain(&who(gap.ways)));
            say(out, format_args!("| {field} | {} | {} | {who} |\n", gap.entries, gap.alone));
        }
        out.push_str("\n### Without an entry\n\n");
        if self.without.is_empty() && self.not_named.is_empty() {
            out.push_str("None: every repository has one.\n");
        }
        if !self.without.is_empty() {
            out.push_str("| repository | state | missing | why |\n|---|---|---|---|\n");
        }
        for one in &self.without {
            let why = one.why.as_deref().map_or_else(String::new, plain);
            let (name, missing) = (plain(&one.repository), plain(&one.missing.join(", ")));
            say(out, format_args!("| {name} | {} | {missing} | {why} |\n", one.state));
        }
        if !self.not_named.is_empty() {
            let counts: Vec<String> =
                self.not_named.iter().map(|(state, count)| format!("{count} {state}")).collect();
            say(out, format_args!("\nMore that are not named here: {}.\n", counts.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests;
