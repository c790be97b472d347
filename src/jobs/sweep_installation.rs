//! An installation: list what the App may see, and ask for each repository to
//! be inspected.
//!
//! Promises: (1) the list is what GitHub says the App is installed on, every
//! page of it or nothing; (2) what is no longer listed is removed, never
//! judged; (3) one repository that fails does not stop the others.

use super::{Context, JobError, Target, adoption, read_installations};
use crate::{
    domain::repository::InstallationId,
    github::{self, ListedRepository},
    store::{JobKind, NewJob, Priority, SeenRepository},
};

/// Lists an installation's repositories and stores what was seen. `None` if
/// the installation is gone or not served.
///
/// # Errors
/// GitHub's and the database's.
pub async fn list(ctx: &Context, installation: InstallationId) -> Result<Option<Vec<Target>>, JobError> {
    let Some(known) = ctx.installation(installation).await? else { return Ok(None) };
    let reader = ctx.github.reader(installation);
    let began = ctx.clock.now();
    let listed: Vec<ListedRepository> = match reader.repositories().await {
        Ok(listed) => listed,
        // No token for it any more: the App was removed from the account.
        Err(github::Error::NotFound(_)) => {
            read_installations::gone(ctx, installation).await?;
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let seen: Vec<SeenRepository> = listed
        .into_iter()
        .map(|found| SeenRepository {
            id: found.id,
            node_id: found.node_id,
            installation,
            name: found.name,
            visibility: found.visibility,
            archived: found.archived,
        })
        .collect();
    ctx.store.see_repositories(&seen, began).await?;
    ctx.store.remove_unseen(installation, began, ctx.clock.now()).await?;
    let target = |seen: SeenRepository| Target {
        repository: seen.id,
        name: seen.name,
        installation,
        account: known.account,
    };
    Ok(Some(seen.into_iter().map(target).collect()))
}

/// The job: lists, and enqueues an inspection of each repository at the rank
/// of whoever asked for the sweep.
///
/// # Errors
/// As [`list`].
pub async fn run(ctx: &Context, installation: InstallationId, priority: Priority) -> Result<(), JobError> {
    let began = ctx.clock.now();
    let Some(targets) = list(ctx, installation).await? else { return Ok(()) };
    adoption::all_listed(ctx, installation, began).await?;
    let now = ctx.clock.now();
    let jobs: Vec<NewJob> = targets
        .iter()
        .map(|target| NewJob {
            kind: JobKind::InspectRepository,
            subject: i64::try_from(target.repository.0).unwrap_or(i64::MAX),
            installation: i64::try_from(installation.0).unwrap_or(i64::MAX),
            priority,
            run_at: now,
            cause: "sweep".to_owned(),
        })
        .collect();
    ctx.store.enqueue(&jobs, now).await?;
    tracing::info!(installation = installation.0, repositories = jobs.len(), "the sweep has begun");
    Ok(())
}
