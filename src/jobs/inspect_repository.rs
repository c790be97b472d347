//! One repository: gather, judge, act. Every way in (a push, a sweep, a
//! command, the terminal) ends here.
//!
//! Promises: (1) all reads come first, then pure functions, then writes; (2)
//! the ledger learns before anything is planned; (3) what a change rests on is
//! read again just before it is written, and nothing is written if it moved;
//! (4) every write is recorded before and after, so that a crash between any
//! two calls repeats into the same state.

mod apply;
mod ledger;

use std::{collections::BTreeMap, time::Duration};

use sha2::{Digest, Sha256};

use super::{Act, Context, JobError, Target, adoption, pause, policies};
use crate::{
    domain::{
        finding::{FindingSet, Report, Severity},
        marker::Kind,
        observed::{ItemKind, RepositoryRead},
        outgoing::PublicText,
        outstanding::{Outstanding, Recognised, Remembered, recognise},
        plan::{Cause, History, Plan, Situation, Spent, plan},
        policy::{Policy, Wish},
        render,
        repository::{AccountId, Inherited, Repository, Snapshot},
        rules,
    },
    github::{OurNames, Reader},
    store::{self, Judged, NewAudit, SeenRepository},
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
    let guess = policies::last_good(ctx, &remembered);
    let mut names = our_names(&guess);
    let mut read = match gather(&reader, target, &rows, &names).await? {
        Some(read) => read,
        None => {
            if act == Act::Apply {
                ctx.store.remove_repository(target.repository, ctx.clock.now()).await?;
            }
            return Ok(None);
        }
    };
    let name = &read.snapshot.repository.name;
    if !name.owner().same_as(target.name.owner()) {
        // GitHub has led us to another account: nothing of it counts here.
        return Err(JobError::Moved(name.clone()));
    }
    let policy = policies::in_force(ctx, &reader, target, remembered, &read, act).await?;
    if our_names(&policy) != names {
        // The policy names other branches or another label than we looked for.
        names = our_names(&policy);
        read = match gather(&reader, target, &rows, &names).await? {
            Some(read) => read,
            None => return Ok(None),
        };
    }
    let now = ctx.clock.now();
    let (policy, wish_problem) = with_wish(policy, &read.snapshot);
    let report = rules::evaluate(&policy, &read.snapshot, now);
    let identity = ctx.identity(&reader).await?;
    let hold = adoption::hold(ctx, target, act, &read.observed, &identity).await?;
    let prefix = policy.pull_request.branch_prefix.clone();
    let look = |rows: &[Remembered], declined| {
        recognise(&read.observed, rows, declined, &identity, target.repository, &prefix, now)
    };
    let mut declined = ledger::declines(ctx, target.repository).await?;
    let mut recognised = look(&rows, declined.clone());
    if act == Act::Apply && !recognised.news.is_empty() {
        ledger::learn(ctx, &reader, target, &report, &recognised).await?;
        declined = ledger::declines(ctx, target.repository).await?;
        recognised = look(&ctx.store.outstanding(target.repository).await?, declined);
    }
    let Recognised { outstanding, unreadable, .. } = recognised;
    let outstanding = with_own_declines(outstanding, &policy);
    let memory = ctx.store.repository(target.repository).await?;
    let history = history(memory.as_ref());
    let spent = spent(ctx, target.account).await?;
    let page = policy_page(&read);
    let situation = Situation {
        policy: &policy,
        snapshot: &read.snapshot,
        report: &report,
        outstanding: &outstanding,
        spent,
        history: &history,
        cause,
        identity: &identity,
        policy_page: page.as_ref(),
    };
    let mut plan = plan(&situation, now);
    let mut waiting = 0;
    if let Some(hold) = pause::hold(ctx, target).await? {
        waiting = plan.changes.len();
        plan = plan.held_by(&hold);
    }
    if let Some(hold) = &hold {
        plan = plan.held_by(hold);
    }
    let mut done = Vec::new();
    if act == Act::Apply {
        ledger::forget_unmade(ctx, target, &outstanding, &plan).await?;
        if !plan.changes.is_empty() && !ctx.dry_run() {
            let work = apply::Work { ctx, target, reader: &reader, names: &names, situation, read: &read };
            done = work.carry_out(&plan).await?;
        }
        remember(ctx, target, &policy, &report, &plan, &read, &done, wish_problem).await?;
        ctx.metrics.judged(&report);
        if !ctx.dry_run() {
            pause::note_held(ctx, target, waiting).await?;
        }
        if unreadable != memory.map(|row| row.unreadable).unwrap_or_default() {
            ctx.store.set_unreadable(target.repository, &unreadable).await?;
        }
    }
    Ok(Some(Inspection { repository: read.snapshot.repository, report, plan, done }))
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
fn known(rows: &[Remembered]) -> Vec<String> {
    let mut newest: BTreeMap<Kind, &Remembered> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.node_id.is_some()) {
        let kept = newest.entry(row.kind).or_insert(row);
        if row.id > kept.id {
            *kept = row;
        }
    }
    newest.values().filter_map(|row| row.node_id.clone()).collect()
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

fn history(memory: Option<&store::Repository>) -> History {
    let evaluations = memory.and_then(|row| row.evaluations.as_ref());
    History {
        arrived_at: memory.and_then(|row| row.arrived_at),
        findings: evaluations.map(|seen| seen.findings.clone()).unwrap_or_default(),
        since: evaluations.map(|seen| seen.since),
    }
}

async fn spent(ctx: &Context, account: AccountId) -> Result<Spent, JobError> {
    let since = ctx.clock.now() - DAY;
    Ok(Spent {
        pull_requests_today: small(ctx.store.created_since(account, ItemKind::PullRequest, since).await?),
        issues_today: small(ctx.store.created_since(account, ItemKind::Issue, since).await?),
        first_pull_request_at: ctx.store.first_created(account).await?,
        open: small(ctx.store.open_count(account).await?),
    })
}

fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The page of the policy as a link, as visible as the repository it is in.
fn policy_page(read: &RepositoryRead) -> Option<PublicText> {
    let Inherited::Files { visibility, .. } = &read.snapshot.inherited else { return None };
    let repository = &read.snapshot.repository;
    let site = repository.url.strip_suffix(&format!("/{}", repository.name))?;
    Some(render::policy_page(*visibility, &format!("{site}/{}/.github", repository.name.owner())))
}

/// The facts a report rests on besides the head: the sweep of unchanged
/// repositories compares this.
fn facts_digest(read: &RepositoryRead) -> String {
    let repository = &read.snapshot.repository;
    let facts = format!(
        "{}\n{:?}\n{}{}{}{}{}\n{:?}\n{:?}",
        repository.name,
        repository.visibility,
        repository.archived,
        repository.fork,
        repository.mirror,
        repository.template,
        repository.issues_enabled,
        repository.description,
        read.snapshot.inherited,
    );
    Sha256::digest(facts).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[expect(clippy::too_many_arguments, reason = "one commit of all that an inspection found out")]
async fn remember(
    ctx: &Context,
    target: &Target,
    policy: &Policy,
    report: &Report,
    plan: &Plan,
    read: &RepositoryRead,
    done: &[String],
    wish_problem: Option<String>,
) -> Result<(), JobError> {
    let repository = &read.snapshot.repository;
    let now = ctx.clock.now();
    let seen = SeenRepository {
        id: repository.id,
        node_id: repository.node_id.clone(),
        installation: target.installation,
        name: repository.name.clone(),
        visibility: repository.visibility,
        archived: repository.archived,
    };
    ctx.store.see_repositories(&[seen], now).await?;
    let findings: FindingSet =
        report.findings(Severity::Recommended).map(|(rule, f)| (rule, f.gap)).collect();
    let judged = Judged {
        repository: target.repository,
        head: report.head.as_ref().map(|head| head.oid.clone()),
        policy_digest: policy.digest(),
        facts_digest: facts_digest(read),
        due: plan.due,
        report: serde_json::to_string(&report.judgements)
            .map_err(|error| JobError::Permanent(error.to_string()))?,
        findings: (!report.has_unknown()).then_some(findings),
    };
    let mut audit: Vec<NewAudit> = done.iter().map(|line| note(target, "changed", line)).collect();
    audit.extend(wish_problem.map(|problem| note(target, "repository_file_refused", &problem)));
    ctx.store.judged(&judged, &audit, now).await?;
    Ok(())
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
