//! What GitHub and the database know of an agency's organizations.

use std::collections::HashMap;

use crate::{
    domain::{
        inventory::{Agency, Opaque},
        marker::Kind,
        policy::{Policy, Private, Published},
        repository::{AccountId, RepositoryId, Visibility},
    },
    github::Kept,
    jobs::{Context, JobError},
    store::{DrawnId, Installation, JobKind, KnownEntry, NewJob, Priority},
};

use super::LISTING;

/// What is known of one organization of the agency.
pub(super) struct Organization {
    pub(super) known: Installation,
    /// Whether its last list was whole.
    pub(super) whole: bool,
    /// What stands in the repository of the inventory, if that is one of these.
    pub(super) kept: Option<Kept>,
    entries: Vec<KnownEntry>,
}

impl Organization {
    /// Its repositories, each with the account.
    pub(super) fn entries(&self) -> impl Iterator<Item = (AccountId, &KnownEntry)> {
        self.entries.iter().map(|entry| (self.known.account, entry))
    }
}

/// Everything known of the agency's organizations, with who may see what read
/// afresh, and what stands where the policy keeps the inventory. `None` if one of them was never listed to the end.
pub(super) async fn gather(
    ctx: &Context,
    agency: &Agency,
    policy: &Policy,
) -> Result<Option<Vec<Organization>>, JobError> {
    let mut organizations = Vec::new();
    for known in ctx.store.installations().await? {
        let Ok(login) = known.login.parse() else { continue };
        if !agency.has(&login) || ctx.installation(known.id).await?.is_none() {
            continue;
        }
        let now = ctx.clock.now();
        let whole = match ctx.store.sweep(known.id).await? {
            None => return Ok(None),
            Some(sweep) => match sweep.listed_at {
                Some(_) => sweep.complete,
                None if now < sweep.began_at + LISTING => true,
                None => false,
            },
        };
        let mut entries = ctx.store.entries(known.id).await?;
        let mut kept = None;
        if known.suspended_at.is_none() {
            kept = read_visibility(ctx, &known, policy, &mut entries).await?;
        }
        organizations.push(Organization { known, whole, kept, entries });
    }
    Ok(Some(organizations))
}

/// Reads who may see each, stores what is another, and leaves out what is gone.
/// What stands in the repository of the inventory, if that is one of them.
async fn read_visibility(
    ctx: &Context,
    known: &Installation,
    policy: &Policy,
    entries: &mut Vec<KnownEntry>,
) -> Result<Option<Kept>, JobError> {
    let reader = ctx.github.reader(known.id);
    let asked: Vec<(RepositoryId, String)> =
        entries.iter().map(|entry| (entry.seen.id, entry.seen.node_id.clone())).collect();
    let home = policy.inventory.repository.as_ref().map(ToString::to_string);
    let is_home = |entry: &&KnownEntry| {
        home.as_ref().is_some_and(|home| home.eq_ignore_ascii_case(&entry.seen.name.to_string()))
    };
    let home = entries.iter().find(is_home).map(|entry| entry.seen.node_id.clone());
    let branch = Kind::Inventory.branch(&policy.pull_request.branch_prefix);
    let home = home.as_deref().map(|id| (id, branch.as_str()));
    let (found, kept) = reader.visibilities(&asked, home).await?;
    let (mut changed, mut look) = (Vec::new(), Vec::new());
    entries.retain_mut(|entry| {
        let id = entry.seen.id;
        let Some(now) = found.get(&id) else {
            // Gone, or out of reach: an inspection finds out which.
            look.push(id);
            return false;
        };
        let moved = !now.name.owner().same_as(entry.seen.name.owner());
        if now.visibility != entry.seen.visibility || now.archived != entry.seen.archived {
            changed.push((id, now.visibility, now.archived));
            look.push(id);
        }
        entry.seen.visibility = now.visibility;
        entry.seen.archived = now.archived;
        if moved || now.name != entry.seen.name {
            look.push(id);
        }
        if !moved {
            entry.seen.name = now.name.clone();
        }
        !moved
    });
    if !changed.is_empty() {
        ctx.store.see_visibility(&changed, ctx.clock.now()).await?;
    }
    if !look.is_empty() {
        let now = ctx.clock.now();
        let job = |id: RepositoryId| {
            NewJob::new(JobKind::InspectRepository, id.0, known.id, Priority::Push, now, "changed unnoticed")
        };
        let jobs: Vec<NewJob> = look.into_iter().map(job).collect();
        ctx.store.enqueue(&jobs, now).await?;
    }
    Ok(kept)
}

/// The random ids of what is not public: redrawn where the visibility changed,
/// ended where it is public now (threats N3).
pub(super) async fn opaque_ids(
    ctx: &Context,
    agency: &Agency,
    policy: &Policy,
    organizations: &[Organization],
) -> Result<HashMap<RepositoryId, Opaque>, JobError> {
    let mut ids = ctx.store.opaque_ids().await?;
    let redacts = match policy.inventory.private {
        Private::Omit => false,
        Private::Redact => true,
    };
    let now = ctx.clock.now();
    let mut first = true;
    for published in Published::ALL {
        first &= ctx.store.published_hash(&agency.slug(), published.file()).await?.is_none();
    }
    let (mut ended, mut drawn) = (Vec::new(), Vec::new());
    for (_, entry) in organizations.iter().flat_map(Organization::entries) {
        let (id, visibility) = (entry.seen.id, entry.seen.visibility);
        let known = ids.get(&id);
        if known.is_some_and(|known| known.visibility != visibility) {
            ended.push(id);
        }
        let is_current = known.is_some_and(|known| known.visibility == visibility);
        if redacts && visibility != Visibility::Public && !is_current {
            let opaque = Opaque::drawn(rand::random(), now, first);
            drawn.push((id, DrawnId { opaque, visibility }));
        }
    }
    if !ended.is_empty() || !drawn.is_empty() {
        ctx.store.draw_opaque(&ended, &drawn, now).await?;
        for id in ended {
            ids.remove(&id);
        }
        ids.extend(drawn);
    }
    Ok(ids.into_iter().map(|(id, drawn)| (id, drawn.opaque)).collect())
}
