//! From everything that is known of an agency's code to its files.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use code_json::{
    convert::{self, Target},
    record::{Field, Key, Provenance, Record, Usage, Weight},
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    account::{Account, Line, State},
    leak::{Leak, Secrets},
    public,
    redact::{self, Restricted},
    sources::{Exempt, FileState, Seen, Sources},
};
use crate::domain::{
    policy::{Policy, Private, Published},
    repository::{RepositoryId, Visibility},
    words,
};
use jiff::Timestamp;

/// What a line of the account, or an entry, is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A repository.
    Repository(RepositoryId),
    /// An entry of the import, by its address or, without one, its name.
    Imported {
        /// Which.
        key: String,
    },
}

/// An entry that came with the import.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// What it says.
    pub record: Record,
}

/// Something a person should know, that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// About what.
    pub subject: Subject,
    /// A sentence.
    pub what: String,
}

/// One entry of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What it is about.
    pub subject: Subject,
    /// The release as it is written.
    pub release: Value,
    /// Digest of all that is no reason to propose again when it moves.
    pub substance: [u8; 32],
}

/// One file, not yet written.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// Which.
    pub published: Published,
    /// What the file says of itself.
    pub envelope: Map<String, Value>,
    /// Its entries, in order: public ones by organization and name, then those
    /// that name nothing by their random id.
    pub entries: Vec<Entry>,
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
}

impl File {
    /// The bytes: UTF-8, two spaces, a line feed at the end.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.entries.len() * 2_000 + 1_000);
        let mut text = |text: &str| bytes.extend_from_slice(text.as_bytes());
        text("{\n");
        for (key, value) in &self.envelope {
            text(&format!("  {}: {},\n", Value::from(key.as_str()), indented(value)));
        }
        text("  \"releases\": [");
        for (at, entry) in self.entries.iter().enumerate() {
            text(if at == 0 { "\n    " } else { ",\n    " });
            text(&indented(&entry.release).replace('\n', "\n  "));
        }
        text(if self.entries.is_empty() { "]\n}\n" } else { "\n  ]\n}\n" });
        bytes
    }

    /// Digest of all that is a reason to propose again.
    #[must_use]
    pub fn substance(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(Value::Object(self.envelope.clone()).to_string());
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

/// A value on several lines, indented as within the root object.
fn indented(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
    text.replace('\n', "\n  ")
}

/// A repository's part before it is written in a version.
enum Part<'a> {
    /// It is in no file, whatever the version.
    Out(State),
    /// It can have an entry.
    Candidate(Candidate<'a>),
}

struct Candidate<'a> {
    record: Record,
    place: Place<'a>,
    exempt: bool,
    stale: Option<&'a str>,
    /// A sentence that keeps it out although no field is missing.
    stopped: Option<String>,
}

/// Where an entry stands in the file. Public ones come first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place<'a> {
    Public(String, String, u64),
    Imported(String, String, usize),
    Restricted(&'a str),
}

/// Assembles the files of an agency. `seen` are the repositories of all its
/// organizations, `policy` is its lead organization's, `secrets` what must not
/// appear.
#[must_use]
pub fn assemble(
    policy: &Policy,
    seen: &[Seen<'_>],
    imported: &[Imported],
    secrets: &Secrets,
    now: Timestamp,
) -> Assembly {
    let defaults = public::default_record(policy);
    let mut problems = Vec::new();
    let mut parts: Vec<(Subject, Part<'_>)> = Vec::with_capacity(seen.len() + imported.len());
    for one in seen {
        let part = part(policy, one, &defaults, now);
        if let Some(FileState::Broken { why }) = one.sources.map(|sources| &sources.file) {
            let what = words::inventory::broken_file(why);
            problems.push(Problem { subject: Subject::Repository(one.id), what });
        }
        parts.push((Subject::Repository(one.id), part));
    }
    let listed_here: BTreeSet<String> = seen
        .iter()
        .filter(|one| one.visibility == Visibility::Public)
        .filter_map(|one| one.sources.map(|sources| address(&sources.url)))
        .collect();
    for (at, one) in imported.iter().enumerate() {
        parts.push(import(one, at, &defaults, &listed_here));
    }
    make_unique(&mut parts, &mut problems);
    let files = policy
        .inventory
        .publish
        .iter()
        .map(|published| file(policy, *published, &parts, secrets, &mut problems));
    Assembly { files: files.collect(), problems }
}

fn part<'a>(policy: &Policy, seen: &Seen<'a>, defaults: &Record, now: Timestamp) -> Part<'a> {
    let name = seen.name.name();
    if let Some(state) = left_out(policy, seen) {
        return Part::Out(state);
    }
    let Some(sources) = seen.sources else {
        let why = seen.unknown.unwrap_or(words::inventory::NEVER_READ).to_owned();
        return Part::Out(State::Unknown { why, listed: false });
    };
    match seen.visibility {
        Visibility::Public => {
            let mut record = public::record(seen, sources, defaults);
            let organization = record.text(Field::Organization).unwrap_or_default().to_owned();
            let place = Place::Public(organization.to_lowercase(), name.to_lowercase(), seen.id.0);
            // An address that is none would be asked for, though it is known.
            if record.text(Field::RepositoryUrl).is_none_or(|said| !code_json::address::is_uri(said)) {
                record.set(Field::RepositoryUrl, sources.url.as_str(), Provenance::Fact);
            }
            let candidate = Candidate {
                record,
                place,
                exempt: seen.exempt.is_some(),
                stale: seen.unknown,
                stopped: None,
            };
            Part::Candidate(candidate)
        }
        Visibility::Internal | Visibility::Private => restricted(policy, seen, sources, defaults, now),
    }
}

fn restricted<'a>(
    policy: &Policy,
    seen: &Seen<'a>,
    sources: &'a Sources,
    defaults: &Record,
    now: Timestamp,
) -> Part<'a> {
    let exempt = seen.exempt;
    let beyond = exempt.is_some_and(is_beyond);
    match policy.inventory.private {
        _ if beyond => return Part::Out(State::Exempt { listed: false }),
        Private::Omit if exempt.is_some() => return Part::Out(State::Exempt { listed: false }),
        Private::Omit => {
            return Part::Out(State::Excluded { rule: words::inventory::PRIVATE_OMITTED.to_owned() });
        }
        Private::Redact => {}
    }
    let Some(opaque) = seen.opaque else {
        let why = Some(words::inventory::NO_ID.to_owned());
        return Part::Out(State::Incomplete { fields: Vec::new(), why });
    };
    let mut told = public::record(seen, sources, defaults);
    if seen.archived {
        told.set(Field::Status, "Archival", Provenance::Fact);
    }
    let told = Restricted::of(opaque, &told, exempt, sources.created_at);
    let stopped = (!opaque.may_be_listed(now)).then(|| words::inventory::NEXT_BATCH.to_owned());
    Part::Candidate(Candidate {
        record: redact::record(policy, &told),
        place: Place::Restricted(&opaque.id),
        exempt: exempt.is_some(),
        stale: seen.unknown,
        stopped,
    })
}

/// What keeps it out of every file, whatever it says.
pub(super) fn left_out(policy: &Policy, seen: &Seen<'_>) -> Option<State> {
    let private_home = seen.name.name().eq_ignore_ascii_case(".github-private");
    if seen.name.is_organization_home() || private_home {
        return Some(State::OutOfScope { why: words::inventory::ORGANIZATION_HOME.to_owned() });
    }
    let scope = Key::Other("/outOfScope".into());
    if let Some(why) = seen.answers.and_then(|answers| answers.get(&scope)?.value.as_str()) {
        return Some(State::OutOfScope { why: why.to_owned() });
    }
    excluded(policy, seen).map(|rule| State::Excluded { rule })
}

/// Whether the Act and M-16-21 do not reach it at all: a national security
/// system.
pub(super) fn is_beyond(exempt: &Exempt) -> bool {
    match exempt.usage {
        Usage::ExemptByNationalSecurity | Usage::ExemptByNationalIntelligence => true,
        Usage::ExemptByPrivacyRisk
        | Usage::ExemptByLaw
        | Usage::ExemptByClassifiedInformation
        | Usage::ExemptByItar
        | Usage::ExemptByEar
        | Usage::ExemptByTsa
        | Usage::ExemptByFoia
        | Usage::ExemptByIpRestriction
        | Usage::ExemptByAgencySystem
        | Usage::ExemptByAgencyMission
        | Usage::ExemptByCio
        | Usage::ExemptByPolicyDate
        | Usage::GovernmentWideReuse
        | Usage::OpenSource => false,
    }
}

/// Which rule of the policy leaves it out of the inventory. An archived
/// repository is judged no more, and is still the agency's code.
fn excluded(policy: &Policy, seen: &Seen<'_>) -> Option<String> {
    if let Some(pattern) = policy.repositories.exclude.matching(seen.name.name()) {
        return Some(format!("repositories.exclude: {pattern}"));
    }
    let skipped = seen.skipped?;
    (!seen.archived).then(|| skipped.to_owned())
}

fn import<'a>(
    one: &Imported,
    at: usize,
    defaults: &Record,
    listed_here: &BTreeSet<String>,
) -> (Subject, Part<'a>) {
    let mut record = one.record.clone();
    for (key, sourced) in defaults.entries() {
        if record.get(key).is_none() {
            record.put(key.clone(), sourced.clone());
        }
    }
    let text = |field| one.record.text(field).unwrap_or_default().to_owned();
    let (url, name) = (text(Field::RepositoryUrl), text(Field::Name));
    let key = if url.is_empty() { name.clone() } else { address(&url) };
    let subject = Subject::Imported { key: key.clone() };
    if listed_here.contains(&key) {
        let rule = words::inventory::IMPORTED_TWICE.to_owned();
        return (subject, Part::Out(State::Excluded { rule }));
    }
    let organization = record.text(Field::Organization).unwrap_or_default().to_lowercase();
    let place = Place::Imported(organization, name.to_lowercase(), at);
    let exempt = one.record.usage().any(Usage::is_exempt);
    (subject, Part::Candidate(Candidate { record, place, exempt, stale: None, stopped: None }))
}

/// An address as the harvester compares it.
fn address(url: &str) -> String {
    url.trim_end_matches('/').trim_end_matches(".git").to_lowercase()
}

/// Makes addresses unique by a fragment: Data.gov takes them for identifiers,
/// and drops the second (domain: duplicates).
fn make_unique(parts: &mut [(Subject, Part<'_>)], problems: &mut Vec<Problem>) {
    let mut by_url: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, (_, part)) in parts.iter().enumerate() {
        if let Part::Candidate(candidate) = part
            && let Some(url) = candidate.record.text(Field::RepositoryUrl)
        {
            by_url.entry(address(url)).or_default().push(at);
        }
    }
    let mut twice: Vec<Vec<usize>> = by_url.into_values().filter(|at| at.len() > 1).collect();
    twice.sort_unstable();
    for group in twice {
        let mut taken = BTreeSet::new();
        for at in group {
            let (subject, Part::Candidate(candidate)) = &mut parts[at] else { continue };
            let url = candidate.record.text(Field::RepositoryUrl).unwrap_or_default().to_owned();
            let name = slug(candidate.record.text(Field::Name).unwrap_or_default());
            let mut fragment = name.clone();
            for n in 2.. {
                if taken.insert(fragment.clone()) {
                    break;
                }
                fragment = format!("{name}-{n}");
            }
            let (bare, _) = url.split_once('#').unwrap_or((&url, ""));
            let from = candidate.record.field(Field::RepositoryUrl).map(|said| said.from.clone());
            let from = from.unwrap_or(Provenance::Fact);
            candidate.record.set(Field::RepositoryUrl, format!("{bare}#{fragment}"), from);
            let what = words::inventory::SAME_ADDRESS.to_owned();
            problems.push(Problem { subject: subject.clone(), what });
        }
    }
}

fn slug(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let slug: String = name.chars().map(letter).collect();
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "entry".to_owned() } else { slug.to_owned() }
}

fn file(
    policy: &Policy,
    published: Published,
    parts: &[(Subject, Part<'_>)],
    secrets: &Secrets,
    problems: &mut Vec<Problem>,
) -> File {
    let target = published.target();
    let mut account = Account::default();
    let mut placed: BTreeMap<Place<'_>, Entry> = BTreeMap::new();
    for (subject, part) in parts {
        let state = match part {
            Part::Out(state) => state.clone(),
            Part::Candidate(candidate) => {
                let (state, entry) = written(subject, candidate, target, secrets, problems);
                placed.extend(entry.map(|entry| (candidate.place.clone(), entry)));
                state
            }
        };
        account.lines.push(Line { subject: subject.clone(), state });
    }
    let mut envelope = Map::new();
    envelope.insert("version".to_owned(), "2.0.0".into());
    envelope.insert("agency".to_owned(), policy.agency.acronym.clone().unwrap_or_default().into());
    envelope.insert("measurementType".to_owned(), json!({ "method": policy.inventory.measurement.method }));
    File { published, envelope, entries: placed.into_values().collect(), account }
}

/// A candidate in a version, if that says all it requires.
fn written(
    subject: &Subject,
    candidate: &Candidate<'_>,
    target: Target,
    secrets: &Secrets,
    problems: &mut Vec<Problem>,
) -> (State, Option<Entry>) {
    let converted = convert::release(&candidate.record, target);
    let fields: BTreeSet<String> = converted.questions.into_iter().map(|asked| asked.pointer).collect();
    let mut why = candidate.stopped.clone();
    if why.is_none()
        && let Err(Leak { what }) = secrets.look_through(&converted.document)
    {
        problems.push(Problem { subject: subject.clone(), what: what.to_string() });
        why = Some(words::inventory::LEAKS.to_owned());
    }
    if !fields.is_empty() || why.is_some() {
        let fields = fields.into_iter().collect();
        return match candidate.stale {
            Some(stale) => (State::Unknown { why: stale.to_owned(), listed: false }, None),
            None if candidate.exempt => (State::Exempt { listed: false }, None),
            None => (State::Incomplete { fields, why }, None),
        };
    }
    let state = match candidate.stale {
        Some(why) => State::Unknown { why: why.to_owned(), listed: true },
        None if candidate.exempt => State::Exempt { listed: true },
        None => State::Listed,
    };
    let substance = substance(&candidate.record);
    (state, Some(Entry { subject: subject.clone(), release: converted.document, substance }))
}

/// Digest of a record without what moves by itself.
fn substance(record: &Record) -> [u8; 32] {
    let mut digest = Sha256::new();
    for (key, sourced) in record.entries().filter(|(key, _)| key.weight() != Weight::Volatile) {
        let mut value = sourced.value.clone();
        if let Value::Array(list) = &mut value
            && list.iter().all(Value::is_string)
        {
            list.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
        }
        digest.update(key.pointer());
        digest.update(value.to_string());
    }
    digest.finalize().into()
}
