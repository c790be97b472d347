//! An installation: list what the App may see, and find out what of it must be
//! looked at. [`inspect_installation`](super::inspect_installation) looks.
//!
//! Promises: (1) what is judged is what GitHub says the App is installed on;
//! (2) what is no longer listed is removed, never judged, and only by a list
//! that is whole; (3) a repository is passed over only if nothing that its
//! judgement rests on has changed (see [`basis`]), our items in it included,
//! and its time has not come; (4) a sweep that is cut off goes on with the page
//! it had come to, unless what all repositories share has changed meanwhile;
//! (5) unchanged, it costs a call for each 100 repositories and one for each
//! 100 of our items, one at least, and no write.

mod compare;
mod night;

use std::{collections::BTreeMap, time::Duration};

use self::{
    compare::{Reasons, why},
    night::next_night,
};
use super::{
    Act, Context, JobError, Next, Target, adoption, count_labor, exemptions,
    inspect_installation::outage,
    inspect_repository::{ours, watched},
    policies, poll_traffic, read_installations,
};
use crate::{
    domain::{
        basis,
        repository::{AccountId, Inherited, InstallationId, Login, RepositoryId},
    },
    github::{self, Home, ListedRepository, Reader},
    store::{Installation, JobKind, NewJob, Priority, SeenRepository, SweptPage},
};

/// How long one run may list before others get their turn (threats §4: a work
/// item takes 120 s at most).
const SLICE: Duration = Duration::from_secs(45);
/// When to list again after repositories came or went while they were listed.
const LIST_AGAIN: Duration = Duration::from_secs(60 * 60);
/// A sweep that was cut off so long ago begins anew.
const STALE: Duration = Duration::from_secs(6 * 60 * 60);

/// What an installation can see, and whether the list was whole: GitHub's pages
/// move while repositories come and go.
#[derive(Debug)]
pub struct List {
    /// The repositories.
    pub targets: Vec<Target>,
    /// Whether none can have been missed.
    pub whole: bool,
}

/// Lists an installation's repositories and stores what was seen. `None` if
/// the installation is gone or not served.
///
/// # Errors
/// GitHub's and the database's.
pub async fn list(ctx: &Context, installation: InstallationId) -> Result<Option<List>, JobError> {
    let Some(known) = ctx.installation(installation).await? else { return Ok(None) };
    let reader = ctx.github.reader(installation);
    let began = ctx.clock.now();
    let (mut targets, mut totals) = (BTreeMap::new(), Vec::new());
    let mut at = None;
    loop {
        let page = match reader.repositories_page(at.as_deref()).await {
            // No token for it any more: the App was removed from the account.
            Err(github::Error::NotFound(_)) => {
                read_installations::gone(ctx, installation).await?;
                return Ok(None);
            }
            other => other?,
        };
        let seen: Vec<_> = page.repositories.into_iter().map(|found| seen(installation, found)).collect();
        ctx.store.see_repositories(&seen, began).await?;
        targets.extend(seen.into_iter().map(|seen| (seen.id, seen.name)));
        totals.push(page.total);
        match page.next {
            Some(next) => at = Some(next),
            None => break,
        }
    }
    let whole = totals.iter().all(|total| *total == targets.len());
    if whole {
        ctx.store.remove_unseen(installation, began, ctx.clock.now()).await?;
    }
    let target = |(repository, name)| Target { repository, name, installation, account: known.account };
    Ok(Some(List { targets: targets.into_iter().map(target).collect(), whole }))
}

/// How far a sweep came.
enum Progress {
    /// To the end of the list, and whether it was whole.
    Listed { whole: bool },
    /// To the end of its time.
    Interrupted,
    /// The App was removed from the account.
    Gone,
}

/// The job: lists, marks what must be looked at, and asks for it to be looked
/// at, at the rank of whoever asked for the sweep.
///
/// # Errors
/// As [`list`].
pub async fn run(ctx: &Context, installation: InstallationId, priority: Priority) -> Result<Next, JobError> {
    let Some(known) = ctx.installation(installation).await? else { return Ok(Next::Asked) };
    let progress = go_on(ctx, &known).await.map_err(|error| outage(ctx, installation, error))?;
    let now = ctx.clock.now();
    match progress {
        Progress::Gone => Ok(Next::Asked),
        Progress::Interrupted => Ok(Next::At(now, priority)),
        Progress::Listed { whole } => {
            let kind = JobKind::InspectInstallation;
            let look = NewJob::new(kind, installation.0, installation, priority, now, "sweep");
            // Pull requests whose check was held back, or given up.
            let waiting = ctx.store.unanswered_checks(installation).await?.into_iter();
            let check = |repository: RepositoryId| {
                let kind = JobKind::CheckPullRequests;
                NewJob::new(kind, repository.0, installation, priority, now, "sweep")
            };
            let traffic = poll_traffic::wanted(ctx, &known).map(|_| poll_traffic::job(installation, now));
            let labor = count_labor::wanted(ctx, &known).await?.map(|_| count_labor::job(installation, now));
            let jobs = std::iter::once(look).chain(waiting.map(check)).chain(traffic).chain(labor);
            let jobs: Vec<NewJob> = jobs.collect();
            ctx.store.enqueue(&jobs, now).await?;
            let again = read_installations::sweep_every(ctx.settings.way);
            let again = if whole { again } else { again.min(LIST_AGAIN) };
            let next = next_night(installation, now).min(now + again);
            Ok(Next::At(next, Priority::Sweep))
        }
    }
}

/// Goes through the list from where it stands.
async fn go_on(ctx: &Context, known: &Installation) -> Result<Progress, JobError> {
    let (store, installation) = (&ctx.store, known.id);
    let reader = ctx.github.reader(installation);
    let began = ctx.clock.now();
    let rows = store.outstanding_of(installation).await?;
    let items: Vec<String> = rows.values().flat_map(|rows| watched(rows)).map(str::to_owned).collect();
    let owner: Login = known.login.parse().map_err(|_| JobError::Permanent("no valid login".to_owned()))?;
    let (home, stamps) = match reader.standing(&owner, &items).await {
        // No token for it any more.
        Err(github::Error::NotFound(_)) => {
            read_installations::gone(ctx, installation).await?;
            return Ok(Progress::Gone);
        }
        other => other?,
    };
    let common = common(ctx, &reader, (known.account, &owner), &home).await?;
    store.begin_rollout(known.account, &common, began).await?;
    let standing = store.sweep(installation).await?;
    let goes_on = standing.filter(|sweep| {
        sweep.common == common && sweep.listed_at.is_none() && began < sweep.began_at + STALE
    });
    let mut at = match goes_on {
        Some(sweep) => sweep.next,
        None => {
            store.begin_sweep(installation, &common, began).await?;
            None
        }
    };
    let (memories, forked) = (store.memories(installation).await?, store.forks(installation).await?);
    let nothing = Vec::new();
    let mut reasons = Reasons::default();
    loop {
        let page = reader.repositories_page(at.as_deref()).await?;
        let now = ctx.clock.now();
        let changed = |found: &ListedRepository| {
            let rows = rows.get(&found.id).unwrap_or(&nothing);
            why(found, memories.get(&found.id), &common, rows, || ours(rows, &stamps))
        };
        let changed: Vec<_> =
            page.repositories.iter().filter_map(|found| Some((found.id, changed(found)?))).collect();
        reasons.extend(changed.iter().map(|(_, why)| *why));
        let marked: Vec<_> = changed.into_iter().map(|(id, _)| id).collect();
        let forks = page.repositories.iter().map(|found| (found.id, found.forks));
        let forks: Vec<_> = forks.filter(|(id, forks)| forked.get(id) != Some(forks)).collect();
        let seen: Vec<_> = page.repositories.into_iter().map(|found| seen(installation, found)).collect();
        let (seen, marked, forks) = (seen.as_slice(), marked.as_slice(), forks.as_slice());
        let (total, next) = (page.total, page.next.as_deref());
        store.swept_page(SweptPage { installation, seen, marked, forks, total, next }, now).await?;
        match page.next {
            None => break,
            Some(_) if now >= began + SLICE => return Ok(Progress::Interrupted),
            next => at = next,
        }
    }
    let sweep = store.sweep(installation).await?;
    let whole = sweep.filter(|sweep| sweep.complete);
    if let Some(sweep) = &whole {
        store.remove_unseen(installation, sweep.began_at, ctx.clock.now()).await?;
        adoption::all_listed(ctx, installation, sweep.began_at).await?;
    }
    let whole = whole.is_some();
    if exemptions::wanted(ctx, known, &home).await? {
        let now = ctx.clock.now();
        ctx.store.enqueue(&[exemptions::job(installation, now, "sweep")], now).await?;
    }
    tracing::info!(installation = installation.0, whole, %reasons, "the sweep has listed all repositories");
    Ok(Progress::Listed { whole })
}

/// Digest of what all repositories of an account share now.
async fn common(
    ctx: &Context,
    reader: &Reader,
    (account, owner): (AccountId, &Login),
    home: &Home,
) -> Result<String, JobError> {
    if let Inherited::Unread(why) = &home.inherited {
        return Err(JobError::Later(format!("the .github repository could not be read: {why}")));
    }
    let remembered = ctx.store.policy(account).await?;
    let policy =
        policies::in_force(ctx, reader, (account, owner), remembered, &home.policy, Act::Apply).await?;
    Ok(basis::common(&policy, &home.inherited))
}

fn seen(installation: InstallationId, found: ListedRepository) -> SeenRepository {
    SeenRepository {
        id: found.id,
        node_id: found.node_id,
        installation,
        name: found.name,
        visibility: found.visibility,
        archived: found.archived,
    }
}
