//! From an assembled file to a published one.

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    keep::Ready,
    kept::{Assembled, Kept, Known, Listed},
    note, told,
};
use crate::{
    domain::{
        inventory::{
            Agency, File, Subject,
            guard::{self, Before, Refusal},
        },
        policy::Policy,
    },
    jobs::JobError,
    store::{NewListing, NewPublication, Publication, Store},
};

/// All that one publication of an agency rests on.
#[derive(Debug)]
pub struct Round<'a> {
    /// The database.
    pub store: &'a Store,
    /// Whose it is.
    pub agency: &'a Agency,
    /// Its lead organization's.
    pub policy: &'a Policy,
    /// What the files were assembled from.
    pub known: &'a Known<'a>,
    /// The files.
    pub assembled: &'a Assembled,
    /// What stands against all of them, whatever is in them.
    pub against: Option<Refusal>,
    /// The time.
    pub now: Timestamp,
}

impl<'a> Round<'a> {
    /// Publishes the files, and hands them on to be proposed; none of them if
    /// one is refused. The lists of `not_whole` organizations are not whole.
    ///
    /// # Errors
    /// The database's; somebody else published in between.
    pub async fn publish(
        &self,
        kept: &mut Kept,
        not_whole: usize,
    ) -> Result<Option<Vec<Ready<'a>>>, JobError> {
        let files = &self.assembled.assembly.files;
        let mut ready = Vec::new();
        for file in files {
            ready.extend(self.publish_file(kept, not_whole, file).await?);
        }
        if ready.len() < files.len() {
            return Ok(None);
        }
        kept.looked_at();
        Ok(Some(ready))
    }

    async fn publish_file(
        &self,
        kept: &mut Kept,
        not_whole: usize,
        file: &'a File,
    ) -> Result<Option<Ready<'a>>, JobError> {
        let Round { store, agency, policy, known, assembled, against: _, now } = *self;
        let (slug, name) = (agency.slug(), file.published.file());
        let before = store.publication(&slug, name).await?;
        let account = told::account_json(file, &assembled.assembly.problems, &known.names());
        if let Some((hash, _)) = kept.listed.get(name)
            && before.sha256.as_ref() != Some(hash)
        {
            kept.listed.remove(name);
        }
        if let (Some(hash), false) = (&before.sha256, kept.listed.contains_key(name)) {
            let listed = store.listed(&slug, name).await?.into_iter();
            let listed = listed
                .filter_map(|(key, digest)| Some((told::subject(&key), told::digest(&digest)?)))
                .collect();
            kept.listed.insert(name, (hash.clone(), listed));
        }
        if let Err(refusal) = self.judge(kept, &before, file, not_whole) {
            let why = refusal.to_string();
            if before.refused.as_deref() != Some(&why) {
                tracing::warn!(agency = agency.acronym, file = name, %refusal, "the inventory is not published");
                let detail = json!({ "agency": agency.acronym, "file": name, "why": why });
                note(store, now, "inventory_refused", detail).await?;
            }
            store.account_of((&slug, name), &account, Some(&why), now).await?;
            return Ok(None);
        }
        let body = file.bytes();
        let sha256 = hex::encode(Sha256::digest(&body));
        let ready = Ready { file, body, proposed: before.proposed.clone() };
        if before.sha256.as_deref() == Some(&sha256) {
            if before.refused.is_some() || before.account.as_deref() != Some(&account) {
                store.account_of((&slug, name), &account, None, now).await?;
            }
            return Ok(Some(ready));
        }
        let listed = kept.listed.remove(name).map(|(_, listed)| listed).unwrap_or_default();
        let (now_listed, new) = listings(file, &listed);
        let gone = listed.iter().filter(|(subject, digest)| now_listed.get(*subject) != Some(*digest));
        let gone: Vec<String> = gone.map(|(subject, _)| told::key(subject.as_ref())).collect();
        let substance = hex::encode(file.substance());
        let restricted = file.listed().filter_map(|subject| match subject {
            Subject::Repository(id) => known.ids.get(id).map(|opaque| opaque.id.clone()),
            Subject::Imported { .. } => None,
        });
        let publication = NewPublication {
            agency: &slug,
            file: name,
            before: before.sha256.as_deref(),
            sha256: &sha256,
            new: &new,
            gone: &gone,
            substance: &substance,
            policy_digest: &policy.digest(),
            account: &account,
            ids: &restricted.collect::<Vec<String>>(),
        };
        if !store.publish(&publication, now).await? {
            return Err(JobError::Changed);
        }
        let totals = file.account.totals();
        tracing::info!(
            agency = agency.acronym,
            file = name,
            entries = totals.entries,
            written = new.len(),
            "the inventory is published"
        );
        if before.substance.as_deref() != Some(&substance) {
            let detail = json!({ "agency": agency.acronym, "file": name, "sha256": sha256, "entries": totals.entries });
            note(store, now, "inventory_published", detail).await?;
        }
        kept.listed.insert(name, (sha256, now_listed));
        Ok(Some(ready))
    }

    /// Whether the file may be published.
    fn judge(&self, kept: &Kept, before: &Publication, file: &File, not_whole: usize) -> Result<(), Refusal> {
        if not_whole > 0 {
            return Err(Refusal::ListNotWhole { organizations: not_whole });
        }
        guard::complete(self.policy)?;
        if let Some(against) = &self.against {
            return Err(against.clone());
        }
        let listed = kept.listed.get(file.published.file());
        let listed: Option<Vec<&Subject>> = listed.map(|(_, listed)| listed.keys().flatten().collect());
        let known = listed.as_ref().map(|listed| Before {
            listed,
            policy_digest: before.policy_digest.as_deref().unwrap_or_default(),
        });
        guard::guard(file, known, &self.policy.digest())?;
        let Assembled { assembly, secrets } = self.assembled;
        guard::finished(file, &kept.unlooked(file), secrets, &assembly.mailboxes, self.now)
    }
}

/// What stands in a file, and what of it is not in `before`.
fn listings<'f>(file: &'f File, before: &Listed) -> (Listed, Vec<NewListing<'f>>) {
    let mut listed = Listed::with_capacity(file.entries.len() + 1);
    let mut new = Vec::new();
    let mut list = |subject: Option<&Subject>, place: &'f str, text: &'f str, digest: [u8; 32]| {
        let key = subject.cloned();
        if before.get(&key) != Some(&digest) {
            new.push(NewListing { subject: told::key(subject), place, text, digest: hex::encode(digest) });
        }
        listed.insert(key, digest);
    };
    list(None, "", &file.head, Sha256::digest(&file.head).into());
    for entry in &file.entries {
        list(Some(&entry.subject), &entry.place, &entry.text, entry.digest);
    }
    (listed, new)
}
