//! What a server knows and one command does not ask for: the import, and what
//! everybody gets of the published files and what stands in their repository.

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::super::{Invocation, doctor};
use crate::{
    domain::{
        inventory::{Imported, guard::Refusal, import},
        policy::Policy,
        repository::Login,
        words::inventory as say,
    },
    store::{Keeping, KeptFile, Store, Verification},
};

/// What is known of an agency's inventory outside its repositories.
#[derive(Default)]
pub(super) struct Outside {
    pub(super) imported: Vec<Imported>,
    /// Why nothing can be written: the policy names an import that is not there.
    pub(super) missing: Option<Refusal>,
    pub(super) verified: Vec<Verification>,
    /// The repository of the inventory, and its files.
    pub(super) kept: Option<(Keeping, Vec<KeptFile>)>,
}

/// The import of `file`, or else of the server's database, if there is one.
///
/// # Errors
/// A file that cannot be used, or the database's.
pub(super) async fn read(
    file: Option<&Path>,
    lead: Option<&Login>,
    policy: &Policy,
    invocation: &Invocation,
) -> anyhow::Result<Outside> {
    let mut outside = Outside::default();
    if let Some(lead) = lead {
        outside = of_server(lead, policy, invocation).await?;
    }
    if let Some(path) = file {
        let shown = path.display();
        let size = fs::metadata(path).with_context(|| format!("the import {shown} could not be read"))?.len();
        if size > import::MOST_BYTES as u64 {
            bail!("the import {shown} is larger than {} MiB", import::MOST_BYTES / 1024 / 1024);
        }
        let bytes = fs::read(path).with_context(|| format!("the import {shown} could not be read"))?;
        outside.imported = import::read(&bytes, &shown.to_string())
            .with_context(|| format!("the import {shown} cannot be used"))?;
        outside.missing = None;
    }
    Ok(outside)
}

async fn of_server(lead: &Login, policy: &Policy, invocation: &Invocation) -> anyhow::Result<Outside> {
    let mut outside = Outside::default();
    let needed = policy.inventory.import.is_some();
    let missing = || {
        Refusal::Import(
            "give a copy of it with --import, or run this beside the server's database".to_owned(),
        )
    };
    let database = invocation.config.database()?;
    if !doctor::opens(&Store::examine(database.expose()).await) {
        outside.missing = needed.then(missing);
        return Ok(outside);
    }
    let store = Store::open(database.expose()).await?;
    let known = store.installations().await?;
    let known = known.iter().find(|known| known.login.eq_ignore_ascii_case(lead.as_str()));
    if needed {
        let there = match known {
            Some(known) => store.import(known.account).await?.is_some_and(|import| import.good.is_some()),
            None => false,
        };
        match known.filter(|_| there) {
            Some(known) => outside.imported = store.imported(known.account).await?,
            None => outside.missing = Some(missing()),
        }
    }
    if let Some(acronym) = &policy.agency.acronym {
        let agency = acronym.to_ascii_lowercase();
        outside.verified = store.verifications(&agency).await?;
        if let Some(keeping) = store.keeping(&agency).await? {
            outside.kept = Some((keeping, store.kept(&agency).await?));
        }
    }
    store.close().await;
    Ok(outside)
}

/// One sentence about what everybody gets of a file.
pub(super) fn verified(found: &Verification) -> String {
    let last = found.last.as_ref().map(|last| {
        let harvest = &last.harvest;
        format!(
            "last verified at {}: a harvester takes {} entries, refuses {}, drops {} that stand twice and deletes {}",
            last.at.strftime("%Y-%m-%d %H:%MZ"),
            harvest.identifiers.len(),
            harvest.incomplete,
            harvest.duplicates,
            harvest.deleted.len()
        )
    });
    match (&found.differs, last) {
        (None, Some(last)) => format!("{}: {last}.", found.file),
        (Some(why), Some(last)) => {
            format!("{}: what everybody gets is not what was published: {why}; {last}.", found.file)
        }
        (Some(why), None) => format!("{}: what everybody gets is not what was published: {why}.", found.file),
        (None, None) => format!("{}: never fetched.", found.file),
    }
}

/// One sentence about how a file stands in the repository of the inventory, and
/// one about what is in the way there.
pub(super) fn kept((keeping, files): &(Keeping, Vec<KeptFile>), file: &str) -> Vec<String> {
    let found = files.iter().find(|known| known.file == file).and_then(|known| known.stands);
    let stands = found.map(|(stands, since, _)| {
        let since = since.strftime("%Y-%m-%d %H:%MZ");
        format!("{file}: in {} since {since} {}.", keeping.repository, say::stands(stands))
    });
    let why = keeping.hindrance.as_ref();
    let why = why.map(|why| format!("{file}: not kept as the policy asks: {why}."));
    stands.into_iter().chain(why).collect()
}

/// The same for programs.
pub(super) fn kept_json((keeping, files): &(Keeping, Vec<KeptFile>), file: &str) -> Value {
    let found = files.iter().find(|known| known.file == file).and_then(|known| known.stands);
    json!({
        "repository": keeping.repository,
        "stands": found.map(|(stands, ..)| stands.word()),
        "pull_request": found.and_then(|(stands, ..)| stands.waits_for()),
        "since": found.map(|(_, since, _)| since),
        "seen_at": found.map(|(_, _, seen_at)| seen_at),
        "hindrance": keeping.hindrance,
    })
}

/// What everybody gets, for programs.
pub(super) fn verified_json(found: &Verification) -> Value {
    let last = found.last.as_ref();
    json!({
        "url": found.url,
        "checked_at": found.checked_at,
        "differs": found.differs,
        "last_verified_at": last.map(|last| last.at),
        "harvest": last.map(|last| json!({
            "taken": last.harvest.identifiers.len(),
            "violations": last.harvest.violations,
            "refused": last.harvest.incomplete,
            "duplicates": last.harvest.duplicates,
            "deleted": last.harvest.deleted,
        })),
    })
}
