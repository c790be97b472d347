//! What stands in the repository of the inventory, compared with what is
//! published: by what the read of who may see what brings along, without a call
//! of its own.
//!
//! Promises: (1) it changes nothing there, also where somebody has edited a
//! file by hand; (2) a change of state is said once in the audit.

use serde_json::json;

use super::{
    gather::Organization,
    keep::{Done, Ready},
    note,
};
use crate::{
    domain::{
        inventory::{
            Agency,
            standing::{Stands, Traces},
        },
        policy::Policy,
        repository::ObjectId,
    },
    jobs::{Context, JobError},
    store::KeptFile,
};

/// Looks at each file, after a round that came to `done`. `before` is what was
/// known of them when it began; nothing is `ready` if nothing could be published.
///
/// # Errors
/// The database's.
pub(super) async fn look(
    ctx: &Context,
    agency: &Agency,
    policy: &Policy,
    organizations: &[Organization],
    before: &[KeptFile],
    (ready, done): (Option<&[Ready<'_>]>, Done),
) -> Result<(), JobError> {
    let Some(name) = &policy.inventory.repository else { return Ok(()) };
    let Some(there) = organizations.iter().find_map(|one| one.kept.as_ref()) else { return Ok(()) };
    let (slug, now) = (agency.slug(), ctx.clock.now());
    let known = ctx.store.kept(&slug).await?;
    for published in policy.inventory.publish.iter().copied() {
        let file = published.file();
        let publication = ctx.store.publication(&slug, file).await?;
        if publication.sha256.is_none() {
            continue;
        }
        let of = |known: &[KeptFile]| known.iter().find(|known| known.file == file).cloned();
        let (before, known) = (of(before), of(&known));
        let said = known.as_ref().and_then(|known| known.said.as_ref());
        let ready = ready.and_then(|ready| ready.iter().find(|one| one.file.published == published));
        let found = match done {
            // It was read before that.
            Done::Stands => said,
            Done::Nothing | Done::Proposed(_) | Done::Hindered => there.files.get(&published),
        };
        let open = match done {
            Done::Stands => None,
            Done::Proposed(number) => Some(number),
            Done::Nothing | Done::Hindered => there.open.map(|(number, _)| number),
        };
        let is_published = found.zip(ready).is_some_and(|(found, one)| found.is_blob(&one.file.bytes()));
        let ours = |found: &&ObjectId| {
            let said_before = before.as_ref().and_then(|before| before.said.as_ref());
            is_published || said == Some(*found) || said_before == Some(*found)
        };
        let stood = known.as_ref().and_then(|known| known.stood.as_ref());
        let stood = found.filter(ours).or(stood);
        let all_said = publication.substance.is_some() && publication.substance == publication.proposed;
        let stands = Stands::of(&Traces { found, is_published, said, all_said, stood, open });
        ctx.store.kept_stands((&slug, file), stands, stood, now).await?;
        let last = known.as_ref().and_then(|known| known.stands);
        if last.is_none_or(|(last, ..)| last != stands) {
            let word = stands.to_string();
            match stands {
                Stands::Edited => {
                    tracing::warn!(agency = agency.acronym, file, "somebody has edited the kept inventory");
                }
                Stands::Same | Stands::Waits(_) | Stands::Behind | Stands::Absent => {
                    tracing::info!(
                        agency = agency.acronym,
                        file,
                        stands = word,
                        "how the kept inventory stands"
                    );
                }
            }
            let detail =
                json!({ "agency": agency.acronym, "file": file, "repository": name, "stands": word });
            note(&ctx.store, now, "inventory_stands", detail).await?;
        }
    }
    Ok(())
}
