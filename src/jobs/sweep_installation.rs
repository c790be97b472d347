//! An installation: list what the App may see, and find out what of it must be
//! looked at. [`inspect_installation`](super::inspect_installation) looks.
//!
//! Promises: (1) what is judged is what GitHub says the App is installed on;
//! (2) what is no longer listed is removed, never judged, and only by a list
//! that is whole; (3) a repository is passed over only if nothing that its
//! judgement rests on has changed (see [`basis`]), our items in it included,
//! and its time has not come; (4) a sweep that is cut off goes on with the page
//! it had come to, unless what all repositories share has changed meanwhile;
//! (5) unchanged, it costs a call for each 100 repositories, one for each 100
//! of our items, and none beside the one for the organization.

mod compare;
mod night;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use self::{
    compare::{Reasons, why},
    night::next_night,
};
use super::{
    Act, Context, JobError, Next, Target, adoption,
    inspect_installation::outage,
    inspect_repository::{ours, watched},
    policies,
};
use crate::{
    domain::{
        basis,
        repository::{AccountId, Inherited, InstallationId, Login},
    },
    github::{self, Home, ListedRepository, Reader},
    store::{Installation, JobKind, NewJob, Priority, SeenRepository, SweptPage},
};

/// How long one run may list before others get their turn (threats §4: a work
/// item takes 120 s at most).
const SLICE: Duration = Duration::from_secs(45);
/// A sweep that was cut off so long ago begins anew.
const STALE: Duration = Duration::from_secs(6 * 60 * 60);

/// Lists an installation's repositories and stores what was seen. `None` if
/// the installation is gone or not served.
///
/// # Errors
/// GitHub's and the database's.
pub async fn list(ctx: &Context, installation: InstallationId) -> Result<Option<Vec<Target>>, JobError> {
    let Some(known) = ctx.installation(installation).await? else { return Ok(None) };
    let reader = ctx.github.reader(installation);
    let began = ctx.clock.now();
    let (mut targets, mut totals) = (BTreeMap::new(), Vec::new());
    let mut at = None;
    loop {
        let page = match reader.repositories_page(at.as_deref()).await {
            Ok(page) => page,
            Err(error) => return gone_or(ctx, installation, began, error).await.map(|()| None),
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
    if totals.iter().all(|total| *total == targets.len()) {
        ctx.store.remove_unseen(installation, began, ctx.clock.now()).await?;
    }
    let target = |(repository, name)| Target { repository, name, installation, account: known.account };
    Ok(Some(targets.into_iter().map(target).collect()))
}

/// The job: lists, marks what must be looked at, and asks for it to be looked
/// at, at the rank of whoever asked for the sweep.
///
/// # Errors
/// As [`list`].
pub async fn run(ctx: &Context, installation: InstallationId, priority: Priority) -> Result<Next, JobError> {
    let Some(known) = ctx.installation(installation).await? else { return Ok(Next::Asked) };
    let began = ctx.clock.now();
    let reader = ctx.github.reader(installation);
    let now = match compare_and_mark(ctx, &reader, &known).await {
        Ok(true) => ctx.clock.now(),
        Ok(false) => return Ok(Next::At(ctx.clock.now(), priority)),
        Err(Failed::GitHub(error)) => {
            let gone = gone_or(ctx, installation, began, error).await.map(|()| Next::Asked);
            return gone.map_err(|error| outage(ctx, installation, error));
        }
        Err(Failed::Job(error)) => return Err(outage(ctx, installation, error)),
    };
    let id = i64::try_from(installation.0).unwrap_or(i64::MAX);
    let look = NewJob {
        kind: JobKind::InspectInstallation,
        subject: id,
        installation: id,
        priority,
        run_at: now,
        cause: "sweep".to_owned(),
    };
    ctx.store.enqueue(&[look], now).await?;
    Ok(Next::At(next_night(installation, now), Priority::Sweep))
}

/// No token for it any more: the App was removed from the account. Anything
/// else is an error.
async fn gone_or(
    ctx: &Context,
    installation: InstallationId,
    began: Timestamp,
    error: github::Error,
) -> Result<(), JobError> {
    match error {
        github::Error::NotFound(_) => Ok(ctx.store.remove_installation(installation, began).await?),
        error => Err(error.into()),
    }
}

/// Why a sweep did not come to its end.
enum Failed {
    GitHub(github::Error),
    Job(JobError),
}

impl From<github::Error> for Failed {
    fn from(error: github::Error) -> Self {
        Failed::GitHub(error)
    }
}

impl From<JobError> for Failed {
    fn from(error: JobError) -> Self {
        Failed::Job(error)
    }
}

impl From<crate::store::StoreError> for Failed {
    fn from(error: crate::store::StoreError) -> Self {
        Failed::Job(error.into())
    }
}

/// Goes through the list from where it stands; `true` at its end, `false` if
/// its time is over before.
async fn compare_and_mark(ctx: &Context, reader: &Reader, known: &Installation) -> Result<bool, Failed> {
    let (store, installation) = (&ctx.store, known.id);
    let end = ctx.clock.now() + SLICE;
    let rows = store.outstanding_of(installation).await?;
    let items: Vec<String> = rows.values().flat_map(|rows| watched(rows)).map(str::to_owned).collect();
    let owner: Login = known.login.parse().map_err(|_| JobError::Permanent("no valid login".to_owned()))?;
    let (home, stamps) = reader.standing(&owner, &items).await?;
    let common = common(ctx, reader, (known.account, &owner), &home).await?;
    store.begin_rollout(known.account, &common, ctx.clock.now()).await?;
    let standing = store.sweep(installation).await?;
    let goes_on = standing.filter(|sweep| {
        sweep.common == common && sweep.listed_at.is_none() && ctx.clock.now() < sweep.began_at + STALE
    });
    let mut at = match goes_on {
        Some(sweep) => sweep.next,
        None => {
            store.begin_sweep(installation, &common, ctx.clock.now()).await?;
            None
        }
    };
    let memories = store.memories(installation).await?;
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
        let seen: Vec<_> = page.repositories.into_iter().map(|found| seen(installation, found)).collect();
        let (seen, marked, next) = (seen.as_slice(), marked.as_slice(), page.next.as_deref());
        store.swept_page(SweptPage { installation, seen, marked, total: page.total, next }, now).await?;
        at = page.next;
        if at.is_none() {
            break;
        }
        if now >= end {
            return Ok(false);
        }
    }
    let sweep = store.sweep(installation).await?;
    if let Some(sweep) = sweep.filter(|sweep| sweep.complete) {
        store.remove_unseen(installation, sweep.began_at, ctx.clock.now()).await?;
        adoption::all_listed(ctx, installation, sweep.began_at).await?;
    }
    tracing::info!(installation = installation.0, %reasons, "the sweep has listed all repositories");
    Ok(true)
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
