//! Where a repository is that is not where it was: transferred, taken out of an
//! installation, or under an account of another name.
//!
//! Promises: (1) a repository is only inspected for the installation that
//! covers it, whatever a name or a public page still shows; (2) one that went to
//! an account that is not served is out at once; (3) one that went to another
//! installation is followed there, with its record and its decisions, since both
//! are kept by its id (threats T6).

use super::{Context, JobError, Target, publish_inventory, read_installations};
use crate::{
    domain::repository::{InstallationId, Login, RepositoryId, RepositoryName},
    github,
    store::{JobKind, NewJob, Priority},
};

/// Finds out where a repository belongs: the one of this id, under `name` if
/// GitHub has just told it. Answers the target if it is of `installation`;
/// otherwise it is out, or on its way to where it went.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn find(
    ctx: &Context,
    repository: RepositoryId,
    name: Option<RepositoryName>,
    installation: InstallationId,
) -> Result<Option<Target>, JobError> {
    let Some((name, found)) = covering(ctx, repository, name, installation).await? else {
        return out(ctx, repository).await;
    };
    let (id, account) = (found.id, found.account);
    if !serves(ctx, found).await? {
        return out(ctx, repository).await;
    }
    ctx.store.rename_repository(repository, &name).await?;
    if id == installation {
        return Ok(Some(Target { repository, name, installation, account }));
    }
    let now = ctx.clock.now();
    let kind = JobKind::InspectRepository;
    let job = NewJob::new(kind, repository.0, id, Priority::Push, now, "transferred");
    ctx.store.enqueue(&[job], now).await?;
    Ok(None)
}

/// The name of a repository and the installation that covers it, if one does.
async fn covering(
    ctx: &Context,
    repository: RepositoryId,
    name: Option<RepositoryName>,
    installation: InstallationId,
) -> Result<Option<(RepositoryName, github::Installation)>, JobError> {
    let asked = async {
        let name = match name {
            Some(name) => name,
            None => ctx.github.reader(installation).repository_by_id(repository).await?.name,
        };
        let found = ctx.github.installation_of_repository(&name).await?;
        Ok((name, found))
    };
    match asked.await {
        Ok(found) => Ok(Some(found)),
        Err(github::Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether the installation is of an account that is served, also if that has
/// another name by now, or nobody has told us of it: then its life is left to
/// those who read installations.
async fn serves(ctx: &Context, found: github::Installation) -> Result<bool, JobError> {
    let known = ctx.store.installation(found.id).await?;
    let same = |login: &Login| known.as_ref().is_none_or(|known| known.login == login.as_str());
    let there = known.as_ref().is_none_or(|known| known.removed_at.is_none());
    if there && found.login.as_ref().is_some_and(same) {
        return Ok(ctx.installation(found.id).await?.is_some());
    }
    read_installations::follow(ctx, found).await
}

async fn out(ctx: &Context, repository: RepositoryId) -> Result<Option<Target>, JobError> {
    publish_inventory::left(ctx, repository).await?;
    Ok(None)
}
