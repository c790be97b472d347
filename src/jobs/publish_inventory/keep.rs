//! The repository in which the inventory is kept: by pull request, or by a
//! commit (etiquette 4.3, `inventory`).
//!
//! Promises: (1) only a repository that has opted in, by its own file or by the
//! operator's, is written to, and a commit on its default branch needs the
//! operator's word besides the policy's (threats T7); (2) at most one pull
//! request is open, recognised as all of ours are; beside one that cannot be
//! read, or that somebody else works on, nothing is written; (3) what moves by
//! itself is never a reason to write; (4) what somebody closed is not proposed
//! again before something else is said; (5) a crash between any two calls leads
//! to the same state: what stands there is read before anything is written.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::{gather::Organization, kept::Known, note, propose};
use crate::{
    domain::{
        finding::{FindingSet, FindingsHash},
        inventory::{Account, Agency, File, letter},
        marker::Kind,
        observed::{Item, ItemKind, ItemState, RepositoryRead},
        outgoing::PublicText,
        outstanding::{Because, Hands, OpenItem, Remembered, Standing, State, recognise_inventory},
        policy::{By, Policy, Published, Wish},
        repository::{Head, ObjectId, RepositoryName, Snapshot, Visibility},
        words::inventory as say,
    },
    github::{self, NewCommit, OurNames, Pace, Target, Writer},
    jobs::{Context, JobError, inspect_repository::lasting},
    store::Keeping,
};

/// What GitHub refused is asked for again after so long.
const REFUSED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
const WISH: &str = ".github/muster.yml";

/// A file that may be published, and what it was like when it was proposed last.
#[derive(Debug)]
pub struct Ready<'a> {
    pub(super) file: &'a File,
    pub(super) proposed: Option<String>,
}

impl Ready<'_> {
    fn substance(&self) -> String {
        hex::encode(self.file.substance())
    }
}

/// What a round came to in that repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// Nothing was looked at there: there was nothing new to say.
    Nothing,
    /// Its default branch has the files, committed just now or before.
    Stands,
    /// The pull request of this number carries them.
    Proposed(u64),
    /// Something is in the way.
    Hindered,
}

/// All that a write there rests on.
pub(super) struct Place<'a> {
    pub(super) ctx: &'a Context,
    pub(super) slug: &'a str,
    pub(super) name: &'a RepositoryName,
    pub(super) ready: &'a [Ready<'a>],
    pub(super) known: &'a Known<'a>,
    pub(super) visibility: Visibility,
    pub(super) head: &'a Head,
    pub(super) names: &'a OurNames,
    pub(super) writer: &'a Writer,
    /// What the database had of it before.
    pub(super) before: &'a Keeping,
}

/// Brings what is ready into the repository that the policy names, if it says
/// something new.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn keep(
    ctx: &Context,
    agency: &Agency,
    policy: &Policy,
    organizations: &[Organization],
    known: &Known<'_>,
    ready: &[Ready<'_>],
) -> Result<Done, JobError> {
    if ctx.dry_run() {
        return Ok(Done::Nothing);
    }
    let slug = agency.slug();
    let before = ctx.store.keeping(&slug).await?;
    let Some(name) = &policy.inventory.repository else {
        if before.is_some() {
            ctx.store.keep_in(&slug, None).await?;
        }
        return Ok(Done::Nothing);
    };
    let here = |before: &Keeping| before.repository.eq_ignore_ascii_case(&name.to_string());
    let before = match before.filter(here) {
        Some(before) => before,
        None => {
            ctx.store.keep_in(&slug, Some(&name.to_string())).await?;
            Keeping::default()
        }
    };
    let all_said = ready.iter().all(|one| one.proposed.as_deref() == Some(&one.substance()));
    let now = ctx.clock.now();
    if all_said && !before.repository.is_empty() {
        hindered(ctx, agency, &before, why_no_commit(agency, policy, &before), None).await?;
        return Ok(Done::Nothing);
    }
    if before.again_at.is_some_and(|at| now < at) {
        return Ok(Done::Nothing);
    }
    match bring(ctx, agency, policy, organizations, known, ready, (name, &before)).await? {
        Ok((done, hindrance)) => {
            hindered(ctx, agency, &before, hindrance, None).await?;
            Ok(done)
        }
        Err(Hindrance { why, again_at }) => {
            hindered(ctx, agency, &before, Some(&why), again_at).await?;
            Ok(Done::Hindered)
        }
    }
}

/// Why nothing is written, and when to ask GitHub again, if it refused.
pub(super) struct Hindrance {
    pub(super) why: String,
    pub(super) again_at: Option<Timestamp>,
}

impl From<&str> for Hindrance {
    fn from(why: &str) -> Hindrance {
        Hindrance { why: why.to_owned(), again_at: None }
    }
}

/// What was done, and why it is not a commit, if that was asked for.
type Brought = Result<(Done, Option<&'static str>), Hindrance>;

async fn bring(
    ctx: &Context,
    agency: &Agency,
    policy: &Policy,
    organizations: &[Organization],
    known: &Known<'_>,
    ready: &[Ready<'_>],
    (name, before): (&RepositoryName, &Keeping),
) -> Result<Brought, JobError> {
    let (slug, now) = (agency.slug(), ctx.clock.now());
    let owner = organizations.iter().find(|one| one.known.login.eq_ignore_ascii_case(name.owner().as_str()));
    let Some(owner) = owner else { return Ok(Err(say::NOT_OURS.into())) };
    if ctx.paused(owner.known.account).await?.is_some() {
        return Ok(Err(say::PAUSED.into()));
    }
    let prefix = &policy.pull_request.branch_prefix;
    let none = format!("{}-none", Kind::Inventory.branch(prefix));
    let names = OurNames {
        prefix: prefix.clone(),
        label: policy.issue.label.clone(),
        files_branch: Kind::Inventory.branch(prefix),
        license_branch: none.clone(),
        code_json_branch: none,
    };
    let reader = ctx.github.reader(owner.known.id);
    let read = reader.read_repository(name, None, &[], &names, &|_| vec![WISH.to_owned()]).await?;
    let snapshot = &read.snapshot;
    if !opted_in(agency, name, snapshot) {
        return Ok(Err(say::NOT_OPTED_IN.into()));
    }
    let (Some(head), false) = (&snapshot.repository.head, snapshot.repository.archived) else {
        return Ok(Err(say::EMPTY_OR_ARCHIVED.into()));
    };
    let identity = ctx.identity(&reader).await?;
    let row = remembered(before, &read);
    let (standing, leftover) =
        recognise_inventory(&read.observed, row, &identity, snapshot.repository.id, prefix, now);
    let Some(writer) = writer(ctx, policy, owner, snapshot) else { return Ok(Ok((Done::Nothing, None))) };
    let visibility = snapshot.repository.visibility;
    let place = Place {
        ctx,
        slug: &slug,
        name,
        ready,
        known,
        visibility,
        head,
        names: &names,
        writer: &writer,
        before,
    };
    let open = match &standing {
        Standing::Open(open) => Some(&**open),
        Standing::Free(_) | Standing::Blocked { .. } => None,
    };
    let mut no_commit = why_no_commit(agency, policy, before);
    if place.stands(snapshot) {
        if open.is_some() {
            // It did not come by that, so a commit is not refused there.
            no_commit = why_no_commit(agency, policy, &Keeping::default());
        }
        place.unhindered(no_commit).await?;
        place.retire(open, &read).await?;
        place.said().await?;
        return Ok(Ok((Done::Stands, no_commit)));
    }
    match &standing {
        Standing::Blocked { until: Some(until), .. } => return Err(JobError::Wait(*until)),
        Standing::Blocked { why, until: None } => {
            return Ok(Err(Hindrance { why: why.clone(), again_at: None }));
        }
        Standing::Open(open) => match open.hands {
            Hands::Ours => {}
            Hands::Unread => return Ok(Err(say::HANDS_UNREAD.into())),
            Hands::Foreign => {
                // Before anything else: what was trusted was ours (threats I5).
                if open.item.open_pull().is_some_and(|pull| pull.auto_merge_since.is_some()) {
                    writer.disable_auto_merge(&open.item.node_id).await?;
                }
                return Ok(Err(say::IN_OTHER_HANDS.into()));
            }
        },
        Standing::Free(_) => {}
    }
    if policy.inventory.by == By::Commit && agency.may_commit {
        match place.commit().await? {
            Ok(()) => {
                place.unhindered(None).await?;
                place.retire(open, &read).await?;
                place.said().await?;
                return Ok(Ok((Done::Stands, None)));
            }
            Err(why) => no_commit = Some(why),
        }
    }
    let proposed = propose::propose(&place, &identity, snapshot.repository.id, &standing, leftover).await?;
    Ok(match proposed {
        Ok(number) => {
            place.said().await?;
            Ok((Done::Proposed(number), no_commit))
        }
        Err(hindrance) => Err(hindrance),
    })
}

impl Place<'_> {
    /// Whether the default branch has the files, byte for byte.
    fn stands(&self, snapshot: &Snapshot) -> bool {
        self.ready.iter().all(|one| {
            let there = snapshot.files.entry(one.file.published.file()).and_then(|entry| entry.oid.as_ref());
            there.is_some_and(|oid| oid.is_blob(&one.file.bytes()))
        })
    }

    pub(super) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let file = |one: &Ready<'_>| (one.file.published.file().to_owned(), one.file.bytes());
        self.ready.iter().map(file).collect()
    }

    pub(super) fn accounts(&self) -> Vec<(Published, &Account)> {
        self.ready.iter().map(|one| (one.file.published, &one.file.account)).collect()
    }

    /// Names what is said: it changes with whatever is a reason to propose.
    pub(super) fn findings(&self) -> FindingsHash {
        FindingsHash::of(&self.ready.iter().map(Ready::substance).collect::<Vec<_>>().join(" "))
    }

    pub(super) async fn audit(
        &self,
        what: &'static str,
        mut detail: serde_json::Value,
    ) -> Result<(), JobError> {
        detail["agency"] = self.slug.into();
        detail["repository"] = self.name.to_string().into();
        Ok(note(&self.ctx.store, self.ctx.clock.now(), what, detail).await?)
    }

    /// One commit on the default branch; why GitHub refuses it, if it does.
    async fn commit(&self) -> Result<Result<(), &'static str>, JobError> {
        let named = self.known.names();
        let visibility = |id| named.get(&id).map(|(_, visibility)| *visibility);
        let message = letter::commit(self.visibility, &self.accounts(), visibility);
        let (title, files) = (letter::title(), self.files());
        let commit = NewCommit {
            branch: &self.head.branch,
            on: &self.head.oid,
            headline: &title,
            message: &message,
            files: &files,
            removed: &[],
        };
        self.audit("inventory_begun", json!({ "on": self.head.branch })).await?;
        match self.writer.keep(&commit).await {
            Ok(oid) => {
                self.audit("inventory_committed", json!({ "on": self.head.branch, "commit": oid })).await?;
                Ok(Ok(()))
            }
            Err(error) => {
                let why = match lasting(&error) {
                    Some(Because::Rules) => say::RULES_REFUSE,
                    Some(Because::Drafts | Because::Other) => say::COMMIT_REFUSED,
                    // Without it there is no pull request either.
                    Some(Because::Permission) | None => return Err(error.into()),
                };
                self.audit("inventory_not_committed", json!({ "why": error.to_string() })).await?;
                Ok(Err(why))
            }
        }
    }

    /// Nothing is in the way any more, whatever comes of the rest.
    async fn unhindered(&self, why: Option<&str>) -> Result<(), JobError> {
        if why.is_none() && self.before.hindrance.is_some() {
            let now = self.ctx.clock.now();
            self.ctx.store.keeping_hindered(self.slug, None, None, now).await?;
        }
        Ok(())
    }

    /// Closes the pull request, since there is nothing left to merge.
    async fn retire(&self, open: Option<&OpenItem>, read: &RepositoryRead) -> Result<(), JobError> {
        let Some(open) = open.filter(|open| open.hands == Hands::Ours) else { return Ok(()) };
        let branch = &self.names.files_branch;
        let Some(branch) = read.observed.branches.iter().find(|known| known.name == *branch) else {
            return Ok(());
        };
        let line = PublicText::about(self.visibility).say(crate::domain::letters::inventory::STANDS);
        self.writer.retire_pull_request(&open.item.node_id, Some(&line), &branch.name, &branch.tip).await?;
        Ok(())
    }

    /// Remembers what was said there, or stands already.
    async fn said(&self) -> Result<(), JobError> {
        for one in self.ready {
            let file = one.file.published.file();
            let said: ObjectId = self.head.oid.of_blob(&one.file.bytes());
            self.ctx.store.kept_said(self.slug, file, &said).await?;
            self.ctx.store.inventory_proposed((self.slug, file), &one.substance()).await?;
        }
        Ok(())
    }

    /// What GitHub refuses for good, as something to tell and to try again later.
    pub(super) async fn refused(&self, error: github::Error) -> Result<Hindrance, JobError> {
        if lasting(&error).is_none() {
            return Err(error.into());
        }
        self.audit("inventory_not_proposed", json!({ "why": error.to_string() })).await?;
        let again_at = Some(self.ctx.clock.now() + REFUSED_FOR);
        Ok(Hindrance { why: say::PULL_REQUEST_REFUSED.to_owned(), again_at })
    }
}

/// Why a person has to merge what the policy would commit, as far as that is
/// known: it stands until a commit is tried again.
fn why_no_commit(agency: &Agency, policy: &Policy, before: &Keeping) -> Option<&'static str> {
    match policy.inventory.by {
        By::PullRequest => None,
        By::Commit if !agency.may_commit => Some(say::NOT_BY_COMMIT),
        By::Commit => [say::RULES_REFUSE, say::COMMIT_REFUSED]
            .into_iter()
            .find(|why| before.hindrance.as_deref() == Some(*why)),
    }
}

/// The newest pull request as the database has it, in the state in which it was
/// found.
fn remembered(before: &Keeping, read: &RepositoryRead) -> Option<Remembered> {
    let is_open = |item: &&Item| {
        item.kind == ItemKind::PullRequest
            && Some(item.number) == before.pull
            && item.state == ItemState::Open
    };
    let (state, at) = match (before.begun_at, before.pull) {
        (Some(at), _) => (State::Creating, at),
        (None, Some(_)) if read.observed.items.iter().any(|item| is_open(&item)) => {
            (State::Open, Timestamp::UNIX_EPOCH)
        }
        (None, Some(_)) => (State::Closed, Timestamp::UNIX_EPOCH),
        (None, None) => return None,
    };
    Some(Remembered {
        id: 0,
        kind: Kind::Inventory,
        number: before.pull.filter(|_| state != State::Creating),
        state,
        node_id: None,
        findings: FindingSet::default(),
        commits: before.commits.clone(),
        staged: None,
        closing: None,
        edits: Vec::new(),
        hands_off_at: None,
        created_at: at,
        updated_at: at,
    })
}

/// Whether the repository, or the operator, lets this agency keep its inventory
/// there.
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

/// Remembers what is in the way, or that nothing is; says it once.
async fn hindered(
    ctx: &Context,
    agency: &Agency,
    before: &Keeping,
    why: Option<&str>,
    again_at: Option<Timestamp>,
) -> Result<(), JobError> {
    let now = ctx.clock.now();
    if before.hindrance.as_deref() != why || before.again_at != again_at {
        ctx.store.keeping_hindered(&agency.slug(), why, again_at, now).await?;
    }
    if let Some(why) = why.filter(|why| before.hindrance.as_deref() != Some(*why)) {
        tracing::warn!(agency = agency.acronym, why, "the inventory is not kept as the policy asks");
        let detail = json!({ "agency": agency.acronym, "why": why });
        note(&ctx.store, now, "inventory_hindered", detail).await?;
    }
    Ok(())
}
