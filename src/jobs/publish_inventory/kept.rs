//! What was assembled last, kept in memory, so that after a change only what
//! changed is made again.
//!
//! Promises: (1) a part is used again only where everything it was made from is
//! the same; (2) what is kept is never the only copy: a process without it makes
//! it all again, to the same bytes; (3) what was not looked at since it was made
//! is looked at before it is published.

use std::collections::{HashMap, HashSet};

use code_json::record::Record;
use jiff::Timestamp;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{
    listed::Listed,
    said::{Said, seen},
};
use crate::{
    domain::{
        inventory::{
            Assembler, Assembly, Entry, Exempt, File, Imported, Opaque, Part, Seen, Sources, Subject,
            fragments, join,
            leak::{Secrets, Words},
        },
        policy::Policy,
        repository::{AccountId, RepositoryId, RepositoryName, Visibility},
    },
    jobs::JobError,
    store::{KnownEntry, Reading, Store, StoreError},
};

/// So many repositories are read and made in one go.
const TOGETHER: usize = 1_000;

/// What an inventory is assembled from, but for what was read of each
/// repository.
#[derive(Debug)]
pub struct Known<'a> {
    /// The repositories of all organizations, by organization and id.
    pub entries: Vec<(AccountId, &'a KnownEntry)>,
    /// What people said of them.
    pub said: Said,
    /// The ids of those that name nothing.
    pub ids: HashMap<RepositoryId, Opaque>,
    /// The names that must not be told.
    pub hidden: Vec<RepositoryName>,
}

impl Known<'_> {
    /// Who may see which name.
    #[must_use]
    pub fn names(&self) -> HashMap<RepositoryId, (&RepositoryName, Visibility)> {
        let one = |entry: &KnownEntry| (entry.seen.id, entry.seen.visibility);
        let named = self.entries.iter().map(|(_, entry)| (one(entry), &entry.seen.name));
        named.map(|((id, visibility), name)| (id, (name, visibility))).collect()
    }
}

/// The files, not yet published, and what must not be in them.
#[derive(Debug)]
pub struct Assembled {
    /// The files.
    pub assembly: Assembly,
    /// What must not be told.
    pub secrets: Secrets,
}

/// All that a part was made from, but for what was read of the repository.
#[derive(Debug)]
struct Basis {
    /// Digest of what all have in common.
    shared: [u8; 32],
    entry: KnownEntry,
    exempt: Option<Exempt>,
    answers: Option<Record>,
    /// The id, and whether it may be listed.
    opaque: Option<(String, bool)>,
}

impl Basis {
    fn is(&self, shared: &[u8; 32], entry: &KnownEntry, known: &Known<'_>, now: Timestamp) -> bool {
        let (exempt, answers) = known.said.of_repository(entry.seen.id);
        let opaque = known.ids.get(&entry.seen.id);
        let opaque = opaque.map(|opaque| (opaque.id.as_str(), opaque.may_be_listed(now)));
        self.shared == *shared
            && self.entry == *entry
            && self.exempt.as_ref() == exempt
            && self.answers.as_ref() == answers
            && self.opaque.as_ref().map(|(id, may)| (id.as_str(), *may)) == opaque
    }
}

/// What is kept of an agency.
#[derive(Debug, Default)]
pub struct Kept {
    parts: HashMap<RepositoryId, (Basis, Part)>,
    /// What is searched for.
    secrets: Option<Secrets>,
    /// Whether all that share an address are told apart; where something is
    /// imported, that is found out each time.
    told_apart: bool,
    /// What was made since all files were looked at last.
    unlooked: HashSet<Subject>,
    /// What stands in each published file, and the hash of that.
    pub(super) listed: HashMap<&'static str, (String, Listed)>,
}

impl Kept {
    /// Assembles the files, and reads of the repositories what is not kept.
    ///
    /// # Errors
    /// The database's; more names than can be searched for.
    pub async fn assemble(
        &mut self,
        store: &Store,
        policy: &Policy,
        known: &Known<'_>,
        imported: &[Imported],
        now: Timestamp,
    ) -> Result<Assembled, JobError> {
        let public = known.entries.iter().filter(|(_, entry)| entry.seen.visibility == Visibility::Public);
        let words = Words::of(
            &known.hidden,
            public.map(|(_, entry)| &entry.seen.name),
            &policy.inventory.internal_hosts,
        );
        let mut secrets = match self.secrets.take() {
            Some(secrets) if secrets.digest() == words.digest() => secrets,
            _ => words.secrets().map_err(|error| JobError::Permanent(error.to_string()))?,
        };
        self.secrets = Some(secrets.clone());
        secrets.allow_mailboxes(policy.agency.contact.email.as_deref().unwrap_or_default());
        let assembler = Assembler::new(policy, &secrets, now);
        let shared = Sha256::new().chain_update(policy.digest()).chain_update(secrets.digest());
        let shared = shared.finalize().into();
        self.refresh(store, &assembler, known, &shared, now).await?;
        let more: Vec<Part> =
            imported.iter().enumerate().map(|(at, one)| assembler.imported(one, at, None)).collect();
        self.unlooked.extend(more.iter().map(|part| part.subject.clone()));
        let more = match self.told_apart && more.is_empty() {
            true => more,
            false => self.tell_apart(store, &assembler, known, imported, more).await?,
        };
        let assembly = join(policy, &self.parts(known, &more));
        Ok(Assembled { assembly, secrets })
    }

    /// What of a file was not looked at since it was made.
    #[must_use]
    pub fn unlooked<'f>(&self, file: &'f File) -> Vec<&'f Entry> {
        let entries = file.entries.iter().map(AsRef::as_ref);
        entries.filter(|entry: &&Entry| self.unlooked.contains(&entry.subject)).collect()
    }

    /// All files were looked at.
    pub fn looked_at(&mut self) {
        self.unlooked.clear();
    }

    /// Makes the parts again of which something changed, and forgets those of
    /// repositories that are gone.
    async fn refresh(
        &mut self,
        store: &Store,
        assembler: &Assembler<'_>,
        known: &Known<'_>,
        shared: &[u8; 32],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let same_home = |one: &(AccountId, &KnownEntry), other: &(AccountId, &KnownEntry)| {
            one.1.seen.installation == other.1.seen.installation
        };
        for some in known.entries.chunk_by(same_home).flat_map(|all| all.chunks(TOGETHER)) {
            let is_stale = |(_, entry): &&(AccountId, &KnownEntry)| {
                let kept = self.parts.get(&entry.seen.id);
                kept.is_none_or(|(basis, _)| !basis.is(shared, entry, known, now))
            };
            let stale: Vec<&(AccountId, &KnownEntry)> = some.par_iter().filter(is_stale).collect();
            let sources = read(store, &stale).await?;
            let seen: Vec<Seen<'_>> = stale.iter().map(|one| known.seen(one, &sources)).collect();
            for (part, (_, entry)) in assembler.repositories(&seen).into_iter().zip(&stale) {
                let id = entry.seen.id;
                let (exempt, answers) = known.said.of_repository(id);
                let opaque = known.ids.get(&id);
                let basis = Basis {
                    shared: *shared,
                    // What was read may be newer than what was listed.
                    entry: KnownEntry {
                        reading: sources.get(&id).map(|(_, reading)| *reading),
                        ..(*entry).clone()
                    },
                    exempt: exempt.cloned(),
                    answers: answers.cloned(),
                    opaque: opaque.map(|opaque| (opaque.id.clone(), opaque.may_be_listed(now))),
                };
                self.unlooked.insert(part.subject.clone());
                let before = self.parts.get(&id).map(|(_, before)| before);
                self.told_apart &= before.is_some_and(|before| before.stands_at_the_address_of(&part));
                self.parts.insert(id, (basis, part));
            }
        }
        if self.parts.len() > known.entries.len() {
            let here: HashSet<RepositoryId> = known.entries.iter().map(|(_, entry)| entry.seen.id).collect();
            self.parts.retain(|id, _| here.contains(id));
            self.told_apart = false;
        }
        Ok(())
    }

    /// Makes those again whose address is another's too, or no longer is; the
    /// imported ones are given and returned.
    async fn tell_apart(
        &mut self,
        store: &Store,
        assembler: &Assembler<'_>,
        known: &Known<'_>,
        imported: &[Imported],
        mut more: Vec<Part>,
    ) -> Result<Vec<Part>, StoreError> {
        self.told_apart = false;
        let parts = self.parts(known, &more);
        let mut wanted = fragments(&parts);
        let other = parts.iter().enumerate();
        let other = other.filter(|(at, part)| part.fragment.as_ref() != wanted.get(at)).map(|(at, _)| at);
        for at in other.collect::<Vec<usize>>() {
            let fragment = wanted.remove(&at);
            match at.checked_sub(known.entries.len()) {
                None => {
                    let one = &known.entries[at];
                    let sources = read(store, &[one]).await?;
                    let part = assembler.repository(&known.seen(one, &sources), fragment);
                    self.unlooked.insert(part.subject.clone());
                    self.parts.entry(one.1.seen.id).and_modify(|(_, kept)| *kept = part);
                }
                Some(at) => {
                    more[at] = assembler.imported(&imported[at], at, fragment);
                    self.unlooked.insert(more[at].subject.clone());
                }
            }
        }
        self.told_apart = imported.is_empty();
        Ok(more)
    }

    /// All parts, in the order of what is known.
    fn parts<'k>(&'k self, known: &Known<'_>, more: &'k [Part]) -> Vec<&'k Part> {
        let kept = known.entries.iter().filter_map(|(_, entry)| self.parts.get(&entry.seen.id));
        kept.map(|(_, part)| part).chain(more).collect()
    }
}

impl Known<'_> {
    fn seen<'s>(
        &'s self,
        (account, entry): &'s (AccountId, &KnownEntry),
        sources: &'s HashMap<RepositoryId, (Sources, Reading)>,
    ) -> Seen<'s> {
        let sources = sources.get(&entry.seen.id).map(|(sources, _)| sources);
        seen(*account, entry, sources, &self.said, &self.ids)
    }
}

/// What was read of some repositories of one installation, in the order of
/// their ids.
async fn read(
    store: &Store,
    some: &[&(AccountId, &KnownEntry)],
) -> Result<HashMap<RepositoryId, (Sources, Reading)>, StoreError> {
    match some {
        [] => Ok(HashMap::new()),
        [(_, first), ..] => {
            let last = some.last().map_or(first.seen.id, |(_, last)| last.seen.id);
            store.sources(first.seen.installation, first.seen.id..=last).await
        }
    }
}
