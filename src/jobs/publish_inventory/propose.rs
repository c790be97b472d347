//! The pull request in the repository of the inventory.

use serde_json::json;

use super::keep::{Hindrance, Place};
use crate::{
    domain::{
        inventory::letter,
        marker::{Identity, Kind},
        outgoing::{Line, PublicText},
        outstanding::{Leftover, OpenItem, Standing, Start},
        repository::{ObjectId, RepositoryId, Visibility},
    },
    github::{self, NewCommit, NewPullRequest, Refusal},
    jobs::JobError,
};

/// Opens it, or brings the open one up to date; its number.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn propose(
    place: &Place<'_>,
    identity: &Identity,
    repository: RepositoryId,
    standing: &Standing,
    leftover: Option<Leftover>,
) -> Result<Result<u64, Hindrance>, JobError> {
    let named = place.known.names();
    let visibility = |id| named.get(&id).map(|(_, visibility)| *visibility);
    let findings = place.findings();
    let marker = identity.marker(Kind::Inventory, repository, &findings);
    let body = letter::pull_request(place.visibility, &place.accounts(), visibility, &marker);
    match standing {
        // Its answer was lost, or the database was.
        Standing::Open(open) if open.findings == findings => Ok(Ok(open.item.number)),
        Standing::Open(open) => refresh(place, open, &body).await,
        Standing::Free(start) => open_new(place, start, leftover, &body).await,
        Standing::Blocked { .. } => Err(JobError::Changed),
    }
}

/// One commit on top of the default branch in place of the one before (etiquette
/// 4.3, Refresh).
async fn refresh(
    place: &Place<'_>,
    open: &OpenItem,
    body: &PublicText,
) -> Result<Result<u64, Hindrance>, JobError> {
    let number = open.item.number;
    let Some(pull) = &open.item.pull else { return Err(JobError::Changed) };
    let (title, message, files) = (letter::title(), PublicText::about(Visibility::Public), place.files());
    let staging = Kind::Inventory.staging_branch(&place.names.prefix);
    let branch = &place.names.files_branch;
    let commit = |branch, on| NewCommit {
        branch,
        on,
        headline: &title,
        message: &message,
        files: &files,
        removed: &[],
    };
    place.audit("inventory_begun", json!({ "pull_request": number })).await?;
    let wrote = |new: ObjectId| async move {
        let commits: Vec<&ObjectId> = place.before.commits.last().into_iter().chain([&new]).collect();
        place.ctx.store.keeping_commits(place.slug, &commits).await.map(|()| new)
    };
    let moved = match place.writer.stage(&commit(&staging, &place.head.oid)).await {
        Ok(staged) => {
            let staged = wrote(staged).await?;
            place.writer.swap(branch, &pull.head, &staged, &staging).await
        }
        Err(error) => Err(error),
    };
    match moved {
        Ok(()) => {}
        // Force pushes are forbidden there: a second commit on top.
        Err(github::Error::Refused { reason: Refusal::Rules, .. }) => {
            match place.writer.commit(&commit(branch, &pull.head)).await {
                Ok(added) => {
                    wrote(added).await?;
                }
                Err(error) => return place.refused(error).await.map(Err),
            }
        }
        Err(error) => return place.refused(error).await.map(Err),
    }
    place.writer.describe_pull_request(&open.item.node_id, None, body, false).await?;
    place.audit("inventory_proposed", json!({ "pull_request": number })).await?;
    Ok(Ok(number))
}

async fn open_new(
    place: &Place<'_>,
    start: &Start,
    leftover: Option<Leftover>,
    body: &PublicText,
) -> Result<Result<u64, Hindrance>, JobError> {
    if let Some(Leftover { branch, .. }) = leftover {
        place.writer.delete_branch(&branch.name, &branch.tip).await?;
    }
    let branch = &place.names.files_branch;
    let start = match start {
        Start::Nothing => Start::Nothing,
        Start::Branch(tip) => Start::Branch(tip.clone()),
        // What is on it may be another file by now.
        Start::Committed(tip) => {
            place.writer.delete_branch(branch, tip).await?;
            Start::Nothing
        }
    };
    let title: Line = letter::title();
    let (message, files) = (PublicText::about(Visibility::Public), place.files());
    let new = NewPullRequest {
        base: &place.head.branch,
        base_oid: &place.head.oid,
        branch,
        headline: &title,
        message: &message,
        files: &files,
        title: &title,
        body,
        draft: false,
        start,
    };
    place.audit("inventory_begun", json!({ "branch": branch })).await?;
    place.ctx.store.keeping_begun(place.slug, place.ctx.clock.now()).await?;
    let proposed = match place.writer.propose(&new).await {
        Ok(proposed) => proposed,
        Err(error) => return place.refused(error).await.map(Err),
    };
    let number = proposed.created.number;
    place.ctx.store.keeping_opened(place.slug, number, proposed.commit.as_ref()).await?;
    place.audit("inventory_proposed", json!({ "pull_request": number })).await?;
    Ok(Ok(number))
}
