//! From an assembled file to a published one.

use jiff::Timestamp;
use rayon::prelude::*;
use serde_json::json;

use super::{
    keep::Ready,
    kept::{Assembled, Kept, Known},
    listed::{Difference, Listed},
    note, told,
};
use crate::{
    domain::{
        inventory::{
            Agency, Assembly, File, Subject,
            guard::{self, Before, Refusal},
        },
        policy::Policy,
    },
    jobs::JobError,
    store::{NewPublication, Publication, Store},
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

/// What comes of a file, before any of it is stored.
struct Made<'f> {
    account: String,
    sha256: String,
    difference: Difference<'f>,
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
        let Assembly { files, problems, .. } = &self.assembled.assembly;
        let mut before = Vec::new();
        for file in files {
            before.push(self.before(kept, file).await?);
        }
        let names = self.known.names();
        let make = |(file, before): (&'a File, &Publication)| {
            let account = told::account_json(file, problems, &names);
            let difference =
                Difference::of(file, kept.listed.get(file.published.file()).map(|(_, listed)| listed));
            match self.judge(kept, before, file, &difference, not_whole) {
                Ok(()) => Ok(Made { account, sha256: hex::encode(file.sha256()), difference }),
                Err(refusal) => Err((refusal, account)),
            }
        };
        let made: Vec<Result<Made<'_>, (Refusal, String)>> =
            files.par_iter().zip(&before).map(make).collect();
        let mut ready = Vec::new();
        for ((file, before), made) in files.iter().zip(&before).zip(made) {
            match made {
                Ok(made) => ready.push(self.publish_file(kept, file, before, made).await?),
                Err((refusal, account)) => self.refuse(file, before, &refusal, &account).await?,
            }
        }
        if ready.len() < files.len() {
            return Ok(None);
        }
        kept.looked_at();
        Ok(Some(ready))
    }

    /// What is known of the last publication of a file; what stood in it is
    /// kept from then on.
    async fn before(&self, kept: &mut Kept, file: &File) -> Result<Publication, JobError> {
        let (slug, name) = (self.agency.slug(), file.published.file());
        let before = self.store.publication(&slug, name).await?;
        if let Some((hash, _)) = kept.listed.get(name)
            && before.sha256.as_ref() != Some(hash)
        {
            kept.listed.remove(name);
        }
        if let (Some(hash), false) = (&before.sha256, kept.listed.contains_key(name)) {
            let listed = Listed::of(self.store.listed(&slug, name).await?);
            kept.listed.insert(name, (hash.clone(), listed));
        }
        Ok(before)
    }

    /// Says why a file is not published; the last one stays.
    async fn refuse(
        &self,
        file: &File,
        before: &Publication,
        refusal: &Refusal,
        account: &str,
    ) -> Result<(), JobError> {
        let Round { store, agency, now, .. } = *self;
        let (slug, name, why) = (agency.slug(), file.published.file(), refusal.to_string());
        if before.refused.as_deref() != Some(&why) {
            tracing::warn!(agency = agency.acronym, file = name, %refusal, "the inventory is not published");
            let detail = json!({ "agency": agency.acronym, "file": name, "why": why });
            note(store, now, "inventory_refused", detail).await?;
        }
        Ok(store.account_of((&slug, name), account, Some(&why), now).await?)
    }

    /// Publishes a file, unless the same is published already.
    async fn publish_file(
        &self,
        kept: &mut Kept,
        file: &'a File,
        before: &Publication,
        made: Made<'_>,
    ) -> Result<Ready<'a>, JobError> {
        let Round { store, agency, policy, known, now, .. } = *self;
        let (slug, name) = (agency.slug(), file.published.file());
        let Made { account, sha256, difference } = made;
        let account = (before.account.as_ref() != Some(&account)).then_some(account);
        let ready = Ready { file, proposed: before.proposed.clone() };
        if before.sha256.as_ref() == Some(&sha256) {
            if let Some(account) =
                account.as_ref().or(before.account.as_ref().filter(|_| before.refused.is_some()))
            {
                store.account_of((&slug, name), account, None, now).await?;
            }
            return Ok(ready);
        }
        let substance = hex::encode(file.substance());
        let restricted = file.listed().filter_map(|subject| match subject {
            Subject::Repository(id) => known.ids.get(id).filter(|opaque| !opaque.listed),
            Subject::Imported { .. } => None,
        });
        let restricted: Vec<String> = restricted.map(|opaque| opaque.id.clone()).collect();
        let publication = NewPublication {
            agency: &slug,
            file: name,
            before: before.sha256.as_deref(),
            sha256: &sha256,
            new: &difference.listings(),
            gone: &difference.withdrawn(),
            substance: &substance,
            policy_digest: &policy.digest(),
            account: account.as_deref(),
            ids: &restricted,
        };
        if !store.publish(&publication, now).await? {
            return Err(JobError::Changed);
        }
        let totals = file.account.totals();
        tracing::info!(
            agency = agency.acronym,
            file = name,
            entries = totals.entries,
            written = difference.new.len(),
            "the inventory is published"
        );
        if before.substance.as_deref() != Some(&substance) {
            let detail = json!({ "agency": agency.acronym, "file": name, "sha256": sha256, "entries": totals.entries });
            note(store, now, "inventory_published", detail).await?;
        }
        let (_, listed) = kept.listed.remove(name).unwrap_or_default();
        kept.listed.insert(name, (sha256, difference.applied_to(listed)));
        Ok(ready)
    }

    /// Whether the file may be published.
    fn judge(
        &self,
        kept: &Kept,
        before: &Publication,
        file: &File,
        difference: &Difference<'_>,
        not_whole: usize,
    ) -> Result<(), Refusal> {
        if not_whole > 0 {
            return Err(Refusal::ListNotWhole { organizations: not_whole });
        }
        guard::complete(self.policy)?;
        if let Some(against) = &self.against {
            return Err(against.clone());
        }
        let known = kept.listed.get(file.published.file()).map(|(_, listed)| Before {
            entries: listed.entries.len(),
            gone: &difference.gone,
            policy_digest: before.policy_digest.as_deref().unwrap_or_default(),
        });
        guard::guard(file, known, &self.policy.digest())?;
        let Assembled { assembly, secrets } = self.assembled;
        guard::finished(file, &kept.unlooked(file), secrets, &assembly.mailboxes, self.now)
    }
}
