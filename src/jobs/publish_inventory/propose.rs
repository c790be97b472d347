//! The pull request in the inventory repository (etiquette 4.3, `inventory`).
//!
//! Promises: (1) only a repository that has opted in, by its own file or by the
//! operator's, is written to (threats T7); (2) at most one pull request is
//! open, on a branch of a fixed name; one that a person has committed to, or a
//! branch that is not ours, is left alone; (3) what moves by itself is never a
//! reason to write; (4) what somebody closed is not proposed again before
//! something else is said.

use serde_json::json;

use super::{gather::Organization, kept::Known, note, told::hex};
use crate::{
    domain::{
        inventory::{Agency, File, letter},
        observed::{Item, ItemKind, ItemState},
        outgoing::PublicText,
        outstanding::Start,
        policy::{Policy, Published, Wish},
        repository::{Head, RepositoryName, Snapshot, Visibility},
    },
    github::{Created, NewCommit, NewPullRequest, OurNames, Pace, Target, Writer},
    jobs::{Context, JobError},
};

/// The branch after the prefix of all of ours.
const BRANCH: &str = "inventory";

/// A file that may be published, and what it was like when it was proposed last.
#[derive(Debug)]
pub struct Ready<'a> {
    pub(super) file: &'a File,
    pub(super) body: Vec<u8>,
    pub(super) proposed: Option<String>,
}

impl Ready<'_> {
    fn substance(&self) -> String {
        hex(&self.file.substance())
    }
}

/// Proposes what is ready, if it says something new.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn propose(
    ctx: &Context,
    agency: &Agency,
    policy: &Policy,
    organizations: &[Organization],
    known: &Known<'_>,
    ready: &[Ready<'_>],
) -> Result<(), JobError> {
    let Some(name) = &policy.inventory.repository else { return Ok(()) };
    let new = ready.iter().any(|one| one.proposed.as_deref() != Some(&one.substance()));
    if !new || ctx.dry_run() {
        return Ok(());
    }
    let owner = organizations.iter().find(|one| one.known.login.eq_ignore_ascii_case(name.owner().as_str()));
    let Some(owner) = owner else {
        stood_down(agency, "its organization is not one of the agency's");
        return Ok(());
    };
    if ctx.paused(owner.known.account).await?.is_some() {
        return Ok(());
    }
    let prefix = &policy.pull_request.branch_prefix;
    let names = OurNames {
        prefix: prefix.clone(),
        label: policy.issue.label.clone(),
        files_branch: format!("{prefix}{BRANCH}"),
        license_branch: format!("{prefix}{BRANCH}-none"),
        code_json_branch: format!("{prefix}{BRANCH}-none"),
    };
    let reader = ctx.github.reader(owner.known.id);
    let read = reader.read_repository(name, None, &[], &names, &|_| vec![WISH.to_owned()]).await?;
    let snapshot = &read.snapshot;
    if !opted_in(agency, name, snapshot) {
        let why = "it has not opted in: add `inventory: {agency: ACRONYM}` to its .github/muster.yml";
        stood_down(agency, why);
        return Ok(());
    }
    let (Some(head), false) = (&snapshot.repository.head, snapshot.repository.archived) else {
        stood_down(agency, "it is empty or archived");
        return Ok(());
    };
    let bot = ctx.identity(&reader).await?.bot;
    let ours = |item: &&Item| {
        item.kind == ItemKind::PullRequest
            && item.branch() == Some(&names.files_branch)
            && item.author.as_ref().and_then(|author| author.id) == Some(bot)
    };
    let open = read.observed.items.iter().filter(ours).find(|item| item.state == ItemState::Open);
    let stands = ready.iter().all(|one| {
        let there = snapshot.files.entry(one.file.published.file()).and_then(|entry| entry.oid.as_ref());
        there.is_some_and(|oid| oid.is_blob(&one.body))
    });
    let place = snapshot.repository.visibility;
    let writer = writer(ctx, policy, owner, snapshot);
    let Some(writer) = writer else { return Ok(()) };
    let branch = read.observed.branches.iter().find(|branch| branch.name == names.files_branch);
    if stands {
        if let (Some(open), Some(branch)) = (open, branch) {
            let line = PublicText::about(place).say(crate::domain::letters::inventory::STANDS);
            writer.retire_pull_request(&open.node_id, Some(&line), &branch.name, &branch.tip).await?;
        }
        return proposed(ctx, agency, ready).await;
    }
    let files: Vec<(String, Vec<u8>)> =
        ready.iter().map(|one| (one.file.published.file().to_owned(), one.body.clone())).collect();
    let accounts: Vec<(Published, &_)> =
        ready.iter().map(|one| (one.file.published, &one.file.account)).collect();
    let named = known.names();
    let body = letter::body(place, &accounts, |id| named.get(&id).map(|(_, visibility)| *visibility));
    let title = letter::title();
    let message = PublicText::about(Visibility::Public);
    match (open, branch) {
        (Some(open), Some(branch)) => {
            let by_us = open.pull.as_ref().is_some_and(|pull| {
                pull.commits_complete
                    && pull.commits.iter().all(|commit| commit.author == Some(bot) && commit.signed_by_github)
            });
            if !by_us {
                stood_down(agency, "somebody has committed to the pull request");
                return Ok(());
            }
            let staging = format!("{prefix}staging/{BRANCH}");
            let commit = NewCommit {
                branch: &staging,
                on: &head.oid,
                headline: &title,
                message: &message,
                files: &files,
                removed: &[],
            };
            let staged = writer.stage(&commit).await?;
            writer.swap(&branch.name, &branch.tip, &staged, &staging).await?;
            writer.describe_pull_request(&open.node_id, None, &body, false).await?;
            let detail = json!({ "repository": name, "pull_request": open.number });
            note(&ctx.store, ctx.clock.now(), "inventory_proposed", detail).await?;
        }
        (Some(_), None) => return Ok(()),
        (None, Some(branch)) if branch.author != Some(bot) => {
            stood_down(agency, "somebody else has a branch of this name");
            return Ok(());
        }
        (None, branch) => {
            if let Some(branch) = branch {
                // Of a pull request that has ended, or that was never opened.
                writer.delete_branch(&branch.name, &branch.tip).await?;
            }
            let created = open_new(&writer, head, &names, &files, &title, &message, &body).await?;
            let detail = json!({ "repository": name, "pull_request": created.number });
            note(&ctx.store, ctx.clock.now(), "inventory_proposed", detail).await?;
        }
    }
    proposed(ctx, agency, ready).await
}

const WISH: &str = ".github/muster.yml";

/// Whether the repository, or the operator, lets this agency propose its
/// inventory there.
fn opted_in(agency: &Agency, name: &RepositoryName, snapshot: &Snapshot) -> bool {
    let same = |other: &RepositoryName| other.to_string().eq_ignore_ascii_case(&name.to_string());
    if agency.repository.as_ref().is_some_and(same) {
        return true;
    }
    let text = snapshot.files.texts.get(WISH).and_then(|text| text.text());
    let wish = text.and_then(|text| Wish::parse(text).ok());
    wish.is_some_and(|wish| wish.inventory_of().is_some_and(|of| of.eq_ignore_ascii_case(&agency.acronym)))
}

fn writer(ctx: &Context, policy: &Policy, owner: &Organization, snapshot: &Snapshot) -> Option<Writer> {
    let repository = &snapshot.repository;
    let target = Target {
        id: repository.id,
        node_id: repository.node_id.clone(),
        name: repository.name.clone(),
        visibility: repository.visibility,
    };
    let limits = &policy.limits;
    let pace = Pace { per_minute: limits.writes_per_minute, per_hour: Some(limits.writes_per_hour) };
    ctx.github.writer(owner.known.id, target, pace)
}

async fn open_new(
    writer: &Writer,
    head: &Head,
    names: &OurNames,
    files: &[(String, Vec<u8>)],
    title: &crate::domain::outgoing::Line,
    message: &PublicText,
    body: &PublicText,
) -> Result<Created, JobError> {
    let new = NewPullRequest {
        base: &head.branch,
        base_oid: &head.oid,
        branch: &names.files_branch,
        headline: title,
        message,
        files,
        title,
        body,
        draft: false,
        start: Start::Nothing,
    };
    Ok(writer.propose(&new).await?.created)
}

/// Remembers what was proposed, or stands already.
async fn proposed(ctx: &Context, agency: &Agency, ready: &[Ready<'_>]) -> Result<(), JobError> {
    for one in ready {
        let key = (agency.slug(), one.file.published.file());
        ctx.store.inventory_proposed((&key.0, key.1), &one.substance()).await?;
    }
    Ok(())
}

/// Says why nothing is proposed.
fn stood_down(agency: &Agency, why: &'static str) {
    tracing::warn!(agency = agency.acronym, why, "the inventory is not proposed");
}
