//! What everybody gets of the published files: fetched at the public address of
//! this instance, and compared with what was published.
//!
//! Promises: (1) it is asked as anybody would ask, without credentials; (2) it
//! stops no publication; (3) what differs is said once in the log and the audit,
//! and stands until a later look finds it mended.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Context, JobError, Next, digest, publish_inventory};
use crate::{
    domain::{
        inventory::{Agency, harvest::Harvest},
        policy::Published,
        repository::InstallationId,
        words,
    },
    github::fetch::{self, Fetched, Wanted},
    store::{Confirmed, JobKind, NewJob, Priority, Verification},
};

/// Others may keep a file so long without asking again (`max-age=300`).
const LATER: Duration = Duration::from_secs(6 * 60);
/// The largest file that is fetched, in bytes.
const MOST: usize = 200 * 1024 * 1024;

/// Has the files of an agency fetched, if they are not known to be out there as
/// they are published.
///
/// # Errors
/// The database's.
pub(super) async fn after(ctx: &Context, number: usize, agency: &Agency) -> Result<(), JobError> {
    let slug = agency.slug();
    let known = ctx.store.verifications(&slug).await?;
    if ctx.settings.public_url.is_none() {
        if !known.is_empty() {
            ctx.store.forget_verifications(&slug).await?;
        }
        return Ok(());
    }
    let mut open = false;
    for published in Published::ALL {
        let Some(hash) = ctx.store.published_hash(&slug, published.file()).await? else { continue };
        let known = known.iter().find(|known| known.file == published.file());
        open |= known.is_none_or(|known| known.differs.is_some() || known.expected != hash);
    }
    if open {
        let now = ctx.clock.now();
        ctx.store.enqueue(&[job(number, now)], now).await?;
    }
    Ok(())
}

fn job(number: usize, now: Timestamp) -> NewJob {
    let of_none = InstallationId(0);
    NewJob::new(JobKind::VerifyInventory, number as u64, of_none, Priority::Sweep, now + LATER, "published")
}

/// The job.
///
/// # Errors
/// The database's.
pub(super) async fn run(ctx: &Context, number: usize) -> Result<Next, JobError> {
    let Some(agency) = ctx.settings.agencies.get(number) else { return Ok(Next::Asked) };
    let Some(base) = &ctx.settings.public_url else { return Ok(Next::Asked) };
    let slug = agency.slug();
    let before = ctx.store.verifications(&slug).await?;
    for published in Published::ALL {
        let file = published.file();
        let Some(expected) = ctx.store.published_hash(&slug, file).await? else { continue };
        let before = before.iter().find(|known| known.file == file);
        if before.is_some_and(|known| known.differs.is_none() && known.expected == expected) {
            continue;
        }
        let last = before.and_then(|known| known.last.clone());
        let url = format!("{base}/agencies/{slug}/{file}");
        let found = look(ctx, &url, &expected, published, last.as_ref()).await?;
        // It was published anew meanwhile: that one gets its own look.
        if ctx.store.published_hash(&slug, file).await?.as_ref() != Some(&expected) {
            continue;
        }
        let (differs, last) = match found {
            Ok(confirmed) => (None, Some(confirmed)),
            Err(why) => (Some(why), last),
        };
        let now = ctx.clock.now();
        let found = Verification {
            agency: slug.clone(),
            file: file.to_owned(),
            url,
            checked_at: now,
            expected,
            differs,
            last,
        };
        tell(ctx, agency, before, &found).await?;
        ctx.store.verify(&found).await?;
        if before.is_some_and(|before| before.differs.is_some()) != found.differs.is_some() {
            digest::look_for(ctx, agency).await?;
        }
    }
    Ok(Next::Asked)
}

/// Fetches a file; why it is not what is published, if it is not.
async fn look(
    ctx: &Context,
    url: &str,
    expected: &str,
    published: Published,
    last: Option<&Confirmed>,
) -> Result<Result<Confirmed, String>, JobError> {
    let allowed = fetch::only(url);
    let wanted = Wanted { url, allowed: &allowed, etag: None, most: MOST };
    let bytes = match ctx.github.fetcher().get(&wanted).await {
        Ok(Fetched::Whole { bytes, .. }) => bytes,
        Ok(Fetched::Unchanged) => return Ok(Err(words::inventory::FETCHED_OTHER.to_owned())),
        Err(refused) => return Ok(Err(refused.to_string())),
    };
    let now = ctx.clock.now();
    let before: BTreeSet<String> = last.map(|last| last.harvest.identifiers.clone()).unwrap_or_default();
    let harvest = move || {
        let sha256 = hex::encode(Sha256::digest(&bytes));
        Harvest::of(&bytes, published, &before, now).map(|harvest| Confirmed { at: now, sha256, harvest })
    };
    let harvested = tokio::task::spawn_blocking(harvest).await;
    let harvested = harvested
        .map_err(|error| JobError::Permanent(format!("a fetched file could not be read: {error}")))?;
    Ok(match harvested {
        Ok(confirmed) if confirmed.sha256 == expected => Ok(confirmed),
        Ok(other) => Err(match other.harvest.identifiers.len() {
            0 => words::inventory::FETCHED_EMPTY.to_owned(),
            _ => words::inventory::FETCHED_OTHER.to_owned(),
        }),
        Err(why) => Err(why),
    })
}

/// One line, and a note in the audit, when it is another state than before.
async fn tell(
    ctx: &Context,
    agency: &Agency,
    before: Option<&Verification>,
    found: &Verification,
) -> Result<(), JobError> {
    let (acronym, file) = (agency.acronym.as_str(), found.file.as_str());
    match (&found.differs, &found.last) {
        (Some(why), _) => {
            if before.and_then(|before| before.differs.as_ref()) == Some(why) {
                return Ok(());
            }
            tracing::warn!(agency = acronym, file, why, "what everybody gets is not what was published");
            let detail = json!({ "agency": acronym, "file": file, "url": found.url, "why": why });
            publish_inventory::note(&ctx.store, found.checked_at, "inventory_not_verified", detail).await?;
        }
        (None, Some(last)) => {
            let Harvest { identifiers, violations, incomplete, duplicates, deleted } = &last.harvest;
            let (taken, deleted) = (identifiers.len(), deleted.len());
            tracing::info!(
                agency = acronym,
                file,
                taken,
                violations,
                incomplete,
                duplicates,
                deleted,
                "everybody gets what was published"
            );
            let detail = json!({
                "agency": acronym, "file": file, "sha256": last.sha256, "taken": taken,
                "incomplete": incomplete, "duplicates": duplicates, "deleted": deleted,
            });
            publish_inventory::note(&ctx.store, found.checked_at, "inventory_verified", detail).await?;
        }
        (None, None) => {}
    }
    Ok(())
}
