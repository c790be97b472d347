//! One repository: gather, judge, act. Every way in (a push, a sweep, a
//! command, the terminal) ends here.
//!
//! Promises: (1) all reads come first, then pure functions, then writes; (2)
//! the ledger learns before anything is planned; (3) what a change rests on is
//! read again just before it is written, and nothing is written if it moved;
//! (4) every write is recorded before and after, so that a crash between any
//! two calls repeats into the same state.

mod apply;
mod consider;
mod ledger;
mod own_file;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use apply::Outcome;
pub(super) use apply::lasting;
pub(super) use consider::{Case, Considered, consider, ours, watched};
pub(super) use ledger::declines;
pub(super) use own_file::take_in;

use jiff::Timestamp;

use super::{
    Act, Context, JobError, Target, adoption, digest, is_at_once, pause, policies, priority,
    publish_inventory,
};
use crate::{
    domain::{
        basis,
        finding::Report,
        inventory::Sources,
        marker::Kind,
        observed::{ItemKind, RepositoryRead},
        outgoing::PublicText,
        outstanding::{Outstanding, Remembered},
        plan::{Cause, History, Plan, Spent, listed},
        policy::{Policy, Wish},
        render,
        repository::{AccountId, Inherited, Repository, Snapshot},
        rules,
    },
    github::{OurNames, Reader},
    store::{Evaluations, JobKind, NewAudit, NewJob, Priority},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What came of an inspection.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// The repository as read.
    pub repository: Repository,
    /// What the judge says.
    pub report: Report,
    /// What was planned.
    pub plan: Plan,
    /// What was done, one line each.
    pub done: Vec<String>,
    /// How many issues and pull requests were opened with it.
    pub opened: u32,
    /// What an inventory rests on.
    pub sources: Sources,
    /// The organization's policy.
    pub policy: Arc<Policy>,
}

/// Inspects a repository. `None` if it is gone or out of reach.
///
/// # Errors
/// [`JobError`], sorted by what the worker does next; [`JobError::Moved`] before
/// anything is judged by the rules of an account that is not the target's.
pub async fn inspect(
    ctx: &Context,
    target: &Target,
    cause: Cause,
    act: Act,
) -> Result<Option<Inspection>, JobError> {
    let reader = ctx.github.reader(target.installation);
    let remembered = ctx.store.policy(target.account).await?;
    let rows = ctx.store.outstanding(target.repository).await?;
    let mut names = our_names(&policies::last_good(ctx, &remembered));
    let mut read_at = ctx.clock.now();
    let mut read = match gather(&reader, target, &rows, &names).await? {
        Some(read) => read,
        None => {
            if act == Act::Apply {
                publish_inventory::left(ctx, target.repository).await?;
            }
            return Ok(None);
        }
    };
    let name = &read.snapshot.repository.name;
    if !name.owner().same_as(target.name.owner()) {
        // GitHub has led us to another account: nothing of it counts here.
        return Err(JobError::Moved(name.clone()));
    }
    let account = (target.account, target.name.owner());
    let policy = policies::in_force(ctx, &reader, account, remembered, &read.policy, act).await?;
    if our_names(&policy) != names {
        // The policy names other branches or another label than we looked for.
        names = our_names(&policy);
        read_at = ctx.clock.now();
        read = match gather(&reader, target, &rows, &names).await? {
            Some(read) => read,
            None => return Ok(None),
        };
    }
    let identity = ctx.identity(&reader).await?;
    let said = own_file::learn(ctx, &reader, target, &policy, &identity, &mut read, act).await?;
    let common = basis::common(&policy, &read.snapshot.inherited);
    let memory = ctx.store.repository(target.repository).await?;
    let arrived_at = memory.as_ref().and_then(|row| row.arrived_at);
    let history = history_of(arrived_at, memory.as_ref().and_then(|row| row.evaluations.clone()));
    let adopting = adoption::hold(ctx, target, act, &read.observed, &identity).await?;
    let paused = pause::hold(ctx, target).await?;
    let declined = ledger::declines(ctx, target.repository).await?;
    let digest = digest::of_repository(ctx, target, &read.snapshot.repository, &policy, act).await?;
    let mut case = Case {
        snapshot: &read.snapshot,
        observed: &read.observed,
        rows: &rows,
        declined: &declined,
        held: &[],
        refused: &[],
        hold: paused.as_ref().or(adopting.as_ref()),
        history: &history,
        spent: spent(ctx, target.account, &common, act).await?,
        cause,
        identity: &identity,
        said: &said,
        office: digest.office(),
        policy: &policy,
    };
    let now = ctx.clock.now();
    let mut considered = consider(&case, now);
    let learned;
    if act == Act::Apply && !considered.news.is_empty() {
        let Considered { policy, report, news, .. } = &considered;
        ledger::learn(ctx, &reader, target, policy, report, news).await?;
        let rows = ctx.store.outstanding(target.repository).await?;
        learned = (rows, ledger::declines(ctx, target.repository).await?);
        case = Case { rows: &learned.0, declined: &learned.1, ..case };
        considered = consider(&case, now);
    }
    let held = ledger::held(&reader, target, &considered.outstanding).await?;
    let prefix = &considered.policy.pull_request.branch_prefix;
    let refused = apply::refusals_in_force(ctx, &reader, target, &read, prefix).await?;
    if !held.is_empty() || !refused.is_empty() {
        case = Case { held: &held, refused: &refused, ..case };
        considered = consider(&case, now);
    }
    let mut outcome = Outcome::default();
    if act == Act::Apply {
        let Considered { outstanding, plan, .. } = &considered;
        let situation = considered.situation(&case);
        ledger::forget_unmade(ctx, target, outstanding, plan).await?;
        ledger::note_rewritten(ctx, target, outstanding, &listed(&situation, now)).await?;
        if !plan.changes.is_empty() && !ctx.dry_run() {
            let work = apply::Work { ctx, target, reader: &reader, names: &names, situation, read: &read };
            // A writer's future is large, and most runs have nothing to write.
            outcome = Box::pin(work.carry_out(plan)).await?;
        }
        if outcome.told || (considered.plan.leaves_the_digest() && !ctx.dry_run()) {
            digest.is_said(ctx, target).await?;
        }
        if outcome.refused {
            considered.plan.due = Some(ctx.clock.now());
        }
        let judged = considered.judged(&case, target, read_at, (outcome.done.len(), outcome.opened))?;
        let again: Vec<NewJob> = look_again(target, judged.due, ctx.clock.now()).into_iter().collect();
        let publish =
            publish_inventory::job(ctx, &read.snapshot.repository.name, priority(cause), "entry changed");
        ctx.store.judged(&[judged], &again, publish.as_ref(), ctx.clock.now()).await?;
        ctx.metrics.judged(&considered.report);
        if !ctx.dry_run() {
            // With a pause in force it is the pause that holds them.
            let waiting = if paused.is_some() { considered.plan.held.len() } else { 0 };
            pause::note_held(ctx, target, waiting).await?;
        }
        let unreadable = &considered.unreadable;
        if *unreadable != memory.map(|row| row.unreadable).unwrap_or_default() {
            ctx.store.set_unreadable(target.repository, unreadable).await?;
        }
    }
    let Considered { report, plan, .. } = considered;
    let sources = Sources::of(&read.snapshot, &report);
    let policy = Arc::new(policy);
    let Outcome { done, opened, .. } = outcome;
    Ok(Some(Inspection { repository: read.snapshot.repository, report, plan, done, opened, sources, policy }))
}

/// The job that looks again when time alone may have changed the plan: at all
/// repositories of the installation whose time has come, many a call. What is
/// due at once is left to the job that inspects this one.
fn look_again(target: &Target, due: Option<Timestamp>, now: Timestamp) -> Option<NewJob> {
    let due = due.filter(|due| !is_at_once(*due, now))?;
    let here = target.installation;
    Some(NewJob::new(JobKind::InspectInstallation, here.0, here, Priority::Sweep, due, "due"))
}

/// The names that a policy gives to what is ours.
#[must_use]
pub fn our_names(policy: &Policy) -> OurNames {
    let prefix = &policy.pull_request.branch_prefix;
    OurNames {
        prefix: prefix.clone(),
        label: policy.issue.label.clone(),
        files_branch: Kind::Files.branch(prefix),
        license_branch: Kind::License.branch(prefix),
        code_json_branch: Kind::CodeJson.branch(prefix),
    }
}

async fn gather(
    reader: &Reader,
    target: &Target,
    rows: &[Remembered],
    names: &OurNames,
) -> Result<Option<RepositoryRead>, JobError> {
    let known = known(rows);
    let read =
        reader.read_repository(&target.name, Some(target.repository), &known, names, &rules::wanted).await;
    match read {
        Ok(read) => Ok(Some(read)),
        Err(crate::github::Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The items to look up by id: of each kind the newest that the ledger knows,
/// since older ones are settled.
pub(super) fn known(rows: &[Remembered]) -> Vec<String> {
    newest(rows).filter_map(|row| row.node_id.clone()).collect()
}

/// Of each kind the newest row that GitHub gave an id.
fn newest(rows: &[Remembered]) -> impl Iterator<Item = &Remembered> {
    let mut newest: BTreeMap<Kind, &Remembered> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.node_id.is_some()) {
        let kept = newest.entry(row.kind).or_insert(row);
        if row.id > kept.id {
            *kept = row;
        }
    }
    newest.into_values()
}

/// The policy as the repository's own file tightens it; the first problem of
/// that file otherwise, and the policy as it was.
#[must_use]
pub fn with_wish(policy: Policy, snapshot: &Snapshot) -> (Policy, Option<String>) {
    if snapshot.repository.name.is_organization_home() {
        return (policy, None);
    }
    let Some(text) = snapshot.files.texts.get(".github/muster.yml").and_then(|text| text.text()) else {
        return (policy, None);
    };
    let taken = Wish::parse(text).and_then(|wish| policy.for_repository(&wish));
    match taken {
        Ok(policy) => (policy, None),
        Err(problems) => (policy, problems.first().map(ToString::to_string)),
    }
}

/// Adds the leave that the repository's own file takes.
fn with_own_declines(mut outstanding: Outstanding, policy: &Policy) -> Outstanding {
    use crate::domain::{finding::RuleId, outstanding::Declined};
    use jiff::tz::TimeZone;
    for rule in RuleId::ALL {
        if let Some(decline) = policy.rules.decline(rule) {
            let end = decline.until.and_then(|day| day.tomorrow().ok());
            let until = end.and_then(|day| day.to_zoned(TimeZone::UTC).ok()).map(|day| day.timestamp());
            outstanding.declined.push(Declined { rule, gap: None, until });
        }
    }
    outstanding
}

/// What the memory holds, as a plan needs it.
pub(super) fn history_of(arrived_at: Option<Timestamp>, evaluations: Option<Evaluations>) -> History {
    match evaluations {
        None => History { arrived_at, ..History::default() },
        Some(Evaluations { findings, since, confirmed, .. }) => {
            History { arrived_at, findings, since: Some(since), confirmed }
        }
    }
}

/// What was created so far in an account, and how far what is in force was
/// rolled out there; with [`Act::Apply`] the rollout begins.
pub(super) async fn spent(
    ctx: &Context,
    account: AccountId,
    common: &str,
    act: Act,
) -> Result<Spent, JobError> {
    let (store, now) = (&ctx.store, ctx.clock.now());
    let mut rollout = store.rollout(account, common).await?;
    if rollout.began_at.is_none() && act == Act::Apply {
        store.begin_rollout(account, common, now).await?;
        rollout = store.rollout(account, common).await?;
    }
    let (pull_requests, oldest_pull_request_today) =
        store.created_since(account, ItemKind::PullRequest, now - DAY).await?;
    let (issues, oldest_issue_today) = store.created_since(account, ItemKind::Issue, now - DAY).await?;
    Ok(Spent {
        pull_requests_today: small(pull_requests),
        issues_today: small(issues),
        oldest_pull_request_today,
        oldest_issue_today,
        first_pull_request_at: store.first_created(account).await?,
        open: small(store.open_count(account).await?),
        rollout,
    })
}

fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The page of the policy as a link, as visible as the repository it is in.
fn policy_page(snapshot: &Snapshot) -> Option<PublicText> {
    let Inherited::Files { visibility, .. } = &snapshot.inherited else { return None };
    let repository = &snapshot.repository;
    let site = repository.url.strip_suffix(&format!("/{}", repository.name))?;
    Some(render::policy_page(*visibility, &format!("{site}/{}/.github", repository.name.owner())))
}

/// An entry of the audit about a repository.
pub(super) fn note(target: &Target, what: &str, detail: &str) -> NewAudit {
    NewAudit {
        installation: Some(target.installation),
        repository: Some(target.repository),
        actor: None,
        what: what.to_owned(),
        detail: serde_json::json!({ "detail": detail }).to_string(),
    }
}
