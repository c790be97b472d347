//! From the parts of an agency's code to its files.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use rayon::prelude::*;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    account::{Account, Line, State},
    import::Imported,
    leak::{Mailboxes, Secrets},
    part::{Assembler, Entry, Part, Subject, shared},
    sources::Seen,
};
use crate::domain::{
    policy::{Policy, Published},
    words,
};
use jiff::Timestamp;

/// Something a person should know, that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// About what.
    pub subject: Subject,
    /// A sentence.
    pub what: String,
}

/// One file, not yet written.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// Which.
    pub published: Published,
    /// The text before the first entry: what the file says of itself.
    pub head: String,
    /// Its entries, in the order of their places.
    pub entries: Vec<Arc<Entry>>,
    /// What became of everything.
    pub account: Account,
}

/// What came of assembling.
#[derive(Debug, Clone, PartialEq)]
pub struct Assembly {
    /// One for each version the policy names.
    pub files: Vec<File>,
    /// What somebody should look at.
    pub problems: Vec<Problem>,
    /// The e-mail addresses that are public with what is listed.
    pub mailboxes: Mailboxes,
}

impl File {
    /// The bytes: UTF-8, two spaces, a line feed at the end.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        bytes(&self.head, self.entries.iter().map(|entry| entry.text.as_str()))
    }

    /// SHA-256 of the bytes.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        pieces(&self.head, self.entries.iter().map(|entry| entry.text.as_str()))
            .for_each(|piece| digest.update(piece));
        digest.finalize().into()
    }

    /// The same file with these of its entries alone.
    #[must_use]
    pub fn bytes_of(&self, entries: &[&Entry]) -> Vec<u8> {
        bytes(&self.head, entries.iter().map(|entry| entry.text.as_str()))
    }

    /// Digest of all that is a reason to propose again.
    #[must_use]
    pub fn substance(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(&self.head);
        for entry in &self.entries {
            digest.update(entry.substance);
        }
        digest.finalize().into()
    }

    /// What has an entry.
    pub fn listed(&self) -> impl Iterator<Item = &Subject> {
        self.entries.iter().map(|entry| &entry.subject)
    }
}

/// A file of this head and these entries.
pub fn bytes<'t>(head: &'t str, entries: impl Iterator<Item = &'t str> + Clone) -> Vec<u8> {
    let pieces = pieces(head, entries);
    let mut bytes = Vec::with_capacity(pieces.clone().map(str::len).sum());
    pieces.for_each(|piece| bytes.extend_from_slice(piece.as_bytes()));
    bytes
}

/// What stands in a file, from its first byte to its last.
fn pieces<'t>(
    head: &'t str,
    entries: impl Iterator<Item = &'t str> + Clone,
) -> impl Iterator<Item = &'t str> + Clone {
    let end = if entries.clone().next().is_none() { "]\n}\n" } else { "\n  ]\n}\n" };
    let before = std::iter::once("\n    ").chain(std::iter::repeat(",\n    "));
    let entries = before.zip(entries).flat_map(|(before, entry)| [before, entry]);
    std::iter::once(head).chain(entries).chain(std::iter::once(end))
}

/// What a file says of itself, up to its first entry.
fn head(policy: &Policy) -> String {
    let mut envelope = Map::new();
    envelope.insert("version".to_owned(), "2.0.0".into());
    envelope.insert("agency".to_owned(), policy.agency.acronym.clone().unwrap_or_default().into());
    envelope.insert("measurementType".to_owned(), json!({ "method": policy.inventory.measurement.method }));
    let mut text = "{\n".to_owned();
    for (key, value) in envelope {
        let shown = serde_json::to_string_pretty(&value).unwrap_or_else(|_| value.to_string());
        text.push_str(&format!("  {}: {},\n", Value::from(key), shown.replace('\n', "\n  ")));
    }
    text.push_str("  \"releases\": [");
    text
}

/// Assembles the files of an agency at once. `seen` are the repositories of all
/// its organizations, `policy` is its lead organization's, `secrets` what must
/// not appear.
#[must_use]
pub fn assemble(
    policy: &Policy,
    seen: &[Seen<'_>],
    imported: &[Imported],
    secrets: &Secrets,
    now: Timestamp,
) -> Assembly {
    let assembler = Assembler::new(policy, secrets, now);
    let mut parts = assembler.repositories(seen);
    parts.extend(imported.iter().enumerate().map(|(at, one)| assembler.imported(one, at, None)));
    let wanted = fragments(&parts.iter().collect::<Vec<_>>());
    for (at, fragment) in wanted {
        parts[at] = match at.checked_sub(seen.len()) {
            None => assembler.repository(&seen[at], Some(fragment)),
            Some(at) => assembler.imported(&imported[at], at, Some(fragment)),
        };
    }
    join(policy, &parts.iter().collect::<Vec<_>>())
}

/// What each part has to add to its address, by its number: a part that was
/// made with something else has to be made again.
#[must_use]
pub fn fragments(parts: &[&Part]) -> HashMap<usize, String> {
    let repeated = Repeated::of(parts);
    let told = parts.iter().copied().enumerate().filter(|(_, part)| !repeated.has(part));
    shared(told).into_iter().collect()
}

/// Joins parts to files.
#[must_use]
pub fn join(policy: &Policy, parts: &[&Part]) -> Assembly {
    let repeated = Repeated::of(parts);
    let (mut problems, mut mailboxes) = (Vec::new(), Mailboxes::default());
    for part in parts.iter().filter(|part| !repeated.has(part)) {
        let problem = |what: &String| Problem { subject: part.subject.clone(), what: what.clone() };
        problems.extend(part.problems.iter().map(problem));
        mailboxes.extend(&part.mailboxes);
    }
    // An entry stands at the same place in each file.
    let mut placed: Vec<(&str, &Part)> = parts
        .iter()
        .filter(|part| !repeated.has(part))
        .filter_map(|part| Some((part.entries().next()?.1.place.as_str(), *part)))
        .collect();
    placed.par_sort_unstable_by_key(|(place, _)| *place);
    let head = head(policy);
    let file = |(at, published): (usize, &Published)| {
        let line = |part: &&Part| {
            let repeats = || State::Excluded { rule: words::inventory::IMPORTED_TWICE.to_owned() };
            let state = if repeated.has(part) { repeats() } else { part.written[at].state.clone() };
            Line { subject: part.subject.clone(), state }
        };
        File {
            published: *published,
            head: head.clone(),
            entries: placed.iter().filter_map(|(_, part)| part.written[at].entry.clone()).collect(),
            account: Account { lines: parts.iter().map(line).collect() },
        }
    };
    Assembly { files: policy.inventory.publish.iter().enumerate().map(file).collect(), problems, mailboxes }
}

/// The addresses of imported entries that are a public repository's page.
struct Repeated<'p>(HashSet<&'p str>);

impl<'p> Repeated<'p> {
    fn of(parts: &[&'p Part]) -> Repeated<'p> {
        let imported: HashSet<&str> = parts
            .iter()
            .filter(|part| is_imported(part))
            .filter_map(|part| part.address.as_deref())
            .collect();
        let pages = parts.iter().filter_map(|part| part.page.as_deref());
        Repeated(pages.filter(|page| imported.contains(page)).collect())
    }

    /// Whether it is the import's entry of a repository that is here.
    fn has(&self, part: &Part) -> bool {
        is_imported(part) && part.address.as_deref().is_some_and(|address| self.0.contains(address))
    }
}

fn is_imported(part: &Part) -> bool {
    match part.subject {
        Subject::Repository(_) => false,
        Subject::Imported { .. } => true,
    }
}
