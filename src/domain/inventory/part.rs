//! What becomes of one repository, or of one imported entry: by itself, so that
//! it is made again only when something about it is another.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use code_json::{
    convert::{self, Target},
    record::{Field, Key, Provenance, Record, Usage, Weight},
};
use jiff::Timestamp;
use rayon::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    account::State,
    import::Imported,
    leak::{Leak, Mailboxes, Secrets},
    public,
    redact::{self, Restricted},
    sources::{Exempt, FileState, Seen, Sources},
};
use crate::domain::{
    policy::{Policy, Private},
    repository::{RepositoryId, Visibility},
    words,
};

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

/// One entry of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is about.
    pub subject: Subject,
    /// Where it stands: entries are sorted by this, byte by byte. Public ones
    /// come first, by organization and name, then the imported, then those that
    /// name nothing, by their random id.
    pub place: String,
    /// The release, as it is written in the file.
    pub text: String,
    /// SHA-256 of the text.
    pub digest: [u8; 32],
    /// Digest of all that is a reason to propose it again.
    pub substance: [u8; 32],
}

/// What becomes of one repository, or of one imported entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What it is about.
    pub subject: Subject,
    /// What was added to its address to tell it from others.
    pub fragment: Option<String>,
    /// Where its code is, as a harvester compares it; `None` if it can have no
    /// entry, whatever the version.
    pub(super) address: Option<String>,
    /// Its name, as it may stand in an address.
    pub(super) slug: String,
    /// The page of a public repository, as a harvester compares it.
    pub(super) page: Option<String>,
    /// What became of it in each version that the policy names.
    pub(super) written: Vec<Written>,
    /// What somebody should look at.
    pub(super) problems: Vec<String>,
    /// The e-mail addresses that are public with it.
    pub(super) mailboxes: Mailboxes,
}

/// What became of it in one version.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written {
    pub(super) state: State,
    pub(super) entry: Option<Arc<Entry>>,
}

impl Part {
    /// Its state in each version that the policy names.
    pub fn states(&self) -> impl Iterator<Item = &State> {
        self.written.iter().map(|written| &written.state)
    }

    /// Whether it has the address of another, and nothing was added to either.
    pub fn stands_at_the_address_of(&self, other: &Part) -> bool {
        self.address == other.address && self.fragment.is_none() && other.fragment.is_none()
    }

    /// What it contributes to the files, with the places of these in the policy.
    pub fn entries(&self) -> impl Iterator<Item = (usize, &Arc<Entry>)> {
        self.written.iter().enumerate().filter_map(|(at, written)| Some((at, written.entry.as_ref()?)))
    }
}

/// A part before it is written in a version.
enum Draft {
    /// It is in no file, whatever the version.
    Out(State),
    /// It can have an entry.
    Candidate(Candidate),
}

struct Candidate {
    record: Record,
    place: String,
    exempt: bool,
    stale: Option<String>,
    /// A sentence that keeps it out although no field is missing.
    stopped: Option<String>,
    /// Why its labor hours are not known.
    uncounted: Option<String>,
}

/// What is the same for all entries of an agency.
#[derive(Debug)]
pub struct Assembler<'a> {
    policy: &'a Policy,
    secrets: &'a Secrets,
    defaults: Record,
    now: Timestamp,
}

/// Between the words of a place: less than any letter.
const BETWEEN: char = '\u{1f}';

impl<'a> Assembler<'a> {
    /// `policy` is the lead organization's, `secrets` what must not appear.
    #[must_use]
    pub fn new(policy: &'a Policy, secrets: &'a Secrets, now: Timestamp) -> Assembler<'a> {
        Assembler { policy, secrets, defaults: public::default_record(policy), now }
    }

    /// What becomes of repositories, in their order.
    #[must_use]
    pub fn repositories(&self, seen: &[Seen<'_>]) -> Vec<Part> {
        seen.par_iter().map(|one| self.repository(one, None)).collect()
    }

    /// What becomes of a repository; `fragment` tells its address from another's.
    #[must_use]
    pub fn repository(&self, seen: &Seen<'_>, fragment: Option<String>) -> Part {
        let mut mailboxes = Mailboxes::default();
        let (mut page, mut problems) = (None, Vec::new());
        if let Some(sources) = seen.sources {
            if seen.visibility == Visibility::Public {
                page = Some(address(&sources.url));
                mailboxes.add(sources.description.as_deref().unwrap_or_default());
                // What people answer of public code is meant for everybody.
                for record in [sources.record.as_ref(), seen.answers].into_iter().flatten() {
                    mailboxes.add_of(record);
                }
            }
            if let FileState::Broken { why } = &sources.file {
                problems.push(words::inventory::broken_file(why));
            }
        }
        problems.extend(seen.uncounted.map(words::inventory::uncounted));
        let part = Part {
            subject: Subject::Repository(seen.id),
            fragment,
            address: None,
            slug: String::new(),
            page,
            written: Vec::new(),
            problems,
            mailboxes,
        };
        self.write(part, self.draft(seen))
    }

    /// What becomes of the imported entry of this number.
    #[must_use]
    pub fn imported(&self, one: &Imported, at: usize, fragment: Option<String>) -> Part {
        let mut part = Part {
            subject: Subject::Imported { key: one.key.clone() },
            fragment,
            address: None,
            slug: String::new(),
            page: None,
            written: Vec::new(),
            problems: Vec::new(),
            mailboxes: Mailboxes::default(),
        };
        if let Some(state) = &one.held {
            return self.write(part, Draft::Out(state.clone()));
        }
        part.mailboxes.add_of(&one.record);
        let mut record = one.record.clone();
        for (key, sourced) in self.defaults.entries() {
            if record.get(key).is_none() {
                record.put(key.clone(), sourced.clone());
            }
        }
        let name = one.record.text(Field::Name).unwrap_or_default().to_lowercase();
        let organization = record.text(Field::Organization).unwrap_or_default().to_lowercase();
        let place = format!("1{BETWEEN}{organization}{BETWEEN}{name}{BETWEEN}{at:08}");
        let exempt = one.record.usage().any(Usage::is_exempt);
        self.write(
            part,
            Draft::Candidate(Candidate {
                record,
                place,
                exempt,
                stale: None,
                stopped: None,
                uncounted: None,
            }),
        )
    }

    fn draft(&self, seen: &Seen<'_>) -> Draft {
        let name = seen.name.name();
        if let Some(state) = left_out(self.policy, seen) {
            return Draft::Out(state);
        }
        let Some(sources) = seen.sources else {
            let why = seen.unknown.unwrap_or(words::inventory::NEVER_READ).to_owned();
            return Draft::Out(State::Unknown { why, listed: false });
        };
        match seen.visibility {
            Visibility::Public => {
                let mut record = public::record(seen, sources, &self.defaults);
                let organization = record.text(Field::Organization).unwrap_or_default().to_lowercase();
                let name = name.to_lowercase();
                let place = format!("0{BETWEEN}{organization}{BETWEEN}{name}{BETWEEN}{:020}", seen.id.0);
                // An address that is none would be asked for, though it is known.
                if record.text(Field::RepositoryUrl).is_none_or(|said| !code_json::address::is_uri(said)) {
                    record.set(Field::RepositoryUrl, sources.url.as_str(), Provenance::Fact);
                }
                Draft::Candidate(Candidate {
                    record,
                    place,
                    exempt: seen.exempt.is_some(),
                    stale: seen.unknown.map(str::to_owned),
                    stopped: None,
                    uncounted: seen.uncounted.map(words::inventory::uncounted),
                })
            }
            Visibility::Internal | Visibility::Private => self.restricted(seen, sources),
        }
    }

    fn restricted(&self, seen: &Seen<'_>, sources: &Sources) -> Draft {
        let exempt = seen.exempt;
        let beyond = exempt.is_some_and(is_beyond);
        match self.policy.inventory.private {
            _ if beyond => return Draft::Out(State::Exempt { listed: false }),
            Private::Omit if exempt.is_some() => return Draft::Out(State::Exempt { listed: false }),
            Private::Omit => {
                return Draft::Out(State::Excluded { rule: words::inventory::PRIVATE_OMITTED.to_owned() });
            }
            Private::Redact => {}
        }
        let Some(opaque) = seen.opaque else {
            let why = Some(words::inventory::NO_ID.to_owned());
            return Draft::Out(State::Incomplete { fields: Vec::new(), why });
        };
        let mut told = public::record(seen, sources, &self.defaults);
        if seen.archived {
            told.set(Field::Status, "Archival", Provenance::Fact);
        }
        let told = Restricted::of(opaque, &told, exempt, sources.created_at);
        let stopped = (!opaque.may_be_listed(self.now)).then(|| words::inventory::NEXT_BATCH.to_owned());
        Draft::Candidate(Candidate {
            record: redact::record(self.policy, &told),
            place: format!("2{BETWEEN}{}", opaque.id),
            exempt: exempt.is_some(),
            stale: seen.unknown.map(str::to_owned),
            stopped,
            uncounted: None,
        })
    }

    /// Writes a part in every version that the policy names.
    fn write(&self, mut part: Part, draft: Draft) -> Part {
        let versions = &self.policy.inventory.publish;
        let mut candidate = match draft {
            Draft::Out(state) => {
                part.fragment = None;
                part.written =
                    versions.iter().map(|_| Written { state: state.clone(), entry: None }).collect();
                return part;
            }
            Draft::Candidate(candidate) => candidate,
        };
        let record = &mut candidate.record;
        let url = record.text(Field::RepositoryUrl).unwrap_or_default().to_owned();
        part.address = (!url.is_empty()).then(|| address(&url));
        part.slug = slug(record.text(Field::Name).unwrap_or_default());
        if let Some(fragment) = &part.fragment {
            let from = record.field(Field::RepositoryUrl).map(|said| said.from.clone());
            let url = format!("{}#{fragment}", bare(&url));
            record.set(Field::RepositoryUrl, url, from.unwrap_or(Provenance::Fact));
            part.problems.push(words::inventory::SAME_ADDRESS.to_owned());
        }
        let substance = substance(record);
        for version in versions {
            let written = self.written(&mut part, &candidate, version.target(), substance);
            part.written.push(written);
        }
        part
    }

    /// A candidate in a version, if that says all it requires.
    fn written(
        &self,
        part: &mut Part,
        candidate: &Candidate,
        target: Target,
        substance: [u8; 32],
    ) -> Written {
        let converted = convert::release(&candidate.record, target);
        let fields: BTreeSet<String> = converted.questions.into_iter().map(|asked| asked.pointer).collect();
        let mut why = candidate.stopped.clone();
        if why.is_none()
            && let Err(Leak { what }) = self.secrets.look_through(&converted.document, &part.mailboxes)
        {
            part.problems.push(what.to_string());
            why = Some(words::inventory::LEAKS.to_owned());
        }
        let stale = candidate.stale.clone();
        if !fields.is_empty() || why.is_some() {
            let fields: Vec<String> = fields.into_iter().collect();
            let hours = fields.iter().any(|field| field == Field::LaborHours.pointer());
            let why = why.or_else(|| candidate.uncounted.clone().filter(|_| hours));
            let state = match stale {
                Some(why) => State::Unknown { why, listed: false },
                None if candidate.exempt => State::Exempt { listed: false },
                None => State::Incomplete { fields, why },
            };
            return Written { state, entry: None };
        }
        let state = match stale {
            Some(why) => State::Unknown { why, listed: true },
            None if candidate.exempt => State::Exempt { listed: true },
            None => State::Listed,
        };
        let text = text(&converted.document);
        let digest = Sha256::digest(&text).into();
        let (subject, place) = (part.subject.clone(), candidate.place.clone());
        Written { state, entry: Some(Arc::new(Entry { subject, place, text, digest, substance })) }
    }
}

/// What keeps it out of every file, whatever it says.
#[must_use]
pub fn left_out(policy: &Policy, seen: &Seen<'_>) -> Option<State> {
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

/// What must be added to the addresses of those that share one, by their
/// numbers: Data.gov takes them for identifiers, and drops the second (domain:
/// duplicates). Those that the import repeats are told in no file.
#[must_use]
pub(super) fn shared<'p>(parts: impl Iterator<Item = (usize, &'p Part)>) -> Vec<(usize, String)> {
    let mut firsts: HashMap<&str, (usize, &Part)> = HashMap::new();
    let mut groups: HashMap<&str, Vec<(usize, &Part)>> = HashMap::new();
    for (at, part) in parts {
        let Some(address) = part.address.as_deref() else { continue };
        match firsts.get(address) {
            None => {
                firsts.insert(address, (at, part));
            }
            Some(first) => groups.entry(address).or_insert_with(|| vec![*first]).push((at, part)),
        }
    }
    let mut fragments = Vec::new();
    for group in groups.values() {
        let mut taken = HashSet::new();
        for (at, part) in group {
            let page = part.address.as_deref().map(bare).unwrap_or_default();
            let mut fragment = part.slug.clone();
            for n in 2.. {
                if taken.insert(fragment.clone()) && !firsts.contains_key(&*format!("{page}#{fragment}")) {
                    break;
                }
                fragment = format!("{}-{n}", part.slug);
            }
            fragments.push((*at, fragment));
        }
    }
    fragments
}

/// A value on several lines, indented as within the list of the root object.
fn text(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
    text.replace('\n', "\n    ")
}

/// An address as the harvester compares it.
pub(super) fn address(url: &str) -> String {
    url.trim_end_matches('/').trim_end_matches(".git").to_lowercase()
}

/// An address without its fragment.
fn bare(url: &str) -> &str {
    url.split_once('#').map_or(url, |(bare, _)| bare)
}

fn slug(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let slug: String = name.chars().map(letter).collect();
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "entry".to_owned() } else { slug.to_owned() }
}

/// Digest of a record without what moves by itself.
fn substance(record: &Record) -> [u8; 32] {
    let mut digest = Sha256::new();
    for (key, sourced) in record.entries().filter(|(key, _)| key.weight() != Weight::Volatile) {
        digest.update(key.pointer());
        match &sourced.value {
            Value::Array(list) if list.iter().all(Value::is_string) => {
                let mut texts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
                texts.sort_unstable();
                digest.update(Value::from(texts).to_string());
            }
            value => digest.update(value.to_string()),
        }
    }
    digest.finalize().into()
}
