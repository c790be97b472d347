//! `muster plan` and `muster sweep`: what would be done, and doing it.
//!
//! Promises: (1) `plan`, and `sweep` without `--apply`, write nothing to
//! GitHub: they hold no token that can; (2) what is printed is the plan that
//! `sweep --apply` carries out; (3) a repository that fails does not stop the
//! others, and is named; (4) `sweep --apply` holds each repository that it
//! changes as a worker does, so that it and a server never write there at once.

mod show;

use std::{process::ExitCode, str::FromStr};

use anyhow::{Context as _, bail};

use self::show::{Gate, Visit};
use super::{
    COULD_NOT_RUN, FINDINGS, Invocation,
    output::{self, Document, Format, note},
};
use crate::{
    app,
    domain::{
        plan::Cause,
        repository::{InstallationId, Login, RepositoryId, RepositoryName},
    },
    github,
    jobs::{
        Act, Context, JobError, Next, Target, adoption,
        inspect_installation::{Look, Looked, Round},
        inspect_repository::{Inspection, inspect},
        lease::{self, LEASE},
        publish_inventory::outlook,
        sweep_installation::{self, List},
    },
    store::{JobKind, NewAudit, NewJob, Priority, Store},
};

/// Show what Muster would do in an organization or a repository.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  $ muster plan example-agency
  $ muster plan example-agency/intake-api
  $ muster plan example-agency --format json
  $ muster plan example-agency --approve 475

Reads GitHub and the database; writes nothing to GitHub.

Of an organization of an [[agency]], each repository's entry in the inventory is shown
with its state, as in muster inventory ORG --account, and who can fill in what it lacks.

If a change of the policy asks for more than 25 issues and pull requests, Muster opens 25
and waits. This command then shows how many are left. With --approve and that number you
agree to them; serve opens them at the pace of the policy.

Exit codes: 0 nothing to do; 1 there are changes; 2 could not run; 130 interrupted.

See also: muster sweep, muster scan.")]
pub struct PlanArgs {
    /// ORG, or OWNER/NAME for one repository.
    #[arg(value_name = "ORG|OWNER/NAME")]
    place: Place,
    /// Agree to the issues and pull requests that are left; the number must be the one shown.
    #[arg(long, value_name = "NUMBER")]
    approve: Option<u32>,
    /// How to write the result.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Inspect every repository of an organization; with --apply, carry out the plans.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  $ muster sweep example-agency
  $ muster sweep example-agency --apply
  $ muster sweep example-agency --apply --format json > done.json

What a sweep finds by itself must be seen twice, an hour apart, before an issue is opened.

Exit codes: 0 nothing to do, or all was done; 1 there are changes; 2 could not run; 130 interrupted.

See also: muster plan, muster serve.")]
pub struct SweepArgs {
    /// The organization.
    #[arg(value_name = "ORG")]
    organization: Login,
    /// Carry out the plans.
    #[arg(long)]
    apply: bool,
    /// How to write the result.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// An organization or one repository.
#[derive(Debug, Clone)]
enum Place {
    Organization(Login),
    Repository(RepositoryName),
}

impl FromStr for Place {
    type Err = crate::domain::repository::NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains('/') {
            text.parse().map(Place::Repository)
        } else {
            text.parse().map(Place::Organization)
        }
    }
}

impl Place {
    fn owner(&self) -> &Login {
        match self {
            Place::Organization(login) => login,
            Place::Repository(name) => name.owner(),
        }
    }
}

/// Runs `muster plan`.
///
/// # Errors
/// Settings, GitHub, the database, or output that cannot be written.
pub async fn plan(args: PlanArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    go_through(&args.place, Act::Plan, args.approve, args.format, invocation).await
}

/// Runs `muster sweep`.
///
/// # Errors
/// As [`plan`].
pub async fn run(args: SweepArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let act = if args.apply { Act::Apply } else { Act::Plan };
    go_through(&Place::Organization(args.organization), act, None, args.format, invocation).await
}

async fn go_through(
    place: &Place,
    act: Act,
    approve: Option<u32>,
    format: Format,
    invocation: &Invocation,
) -> anyhow::Result<ExitCode> {
    let mut work = invocation.config.work()?;
    work.dry_run |= act == Act::Plan;
    let store = Store::open(work.database.expose()).await?;
    let ctx = app::context(&work, store, invocation.clock.clone())?;
    let began = ctx.clock.now();
    let (installation, List { targets, whole }) = targets(&ctx, place).await?;
    if act == Act::Apply && whole {
        adoption::all_listed(&ctx, installation, began).await?;
    }
    let how = How { act, owner: format!("sweep {:08x}", rand::random::<u32>()) };
    let (mut visits, gate) = match place {
        Place::Organization(_) => many(&ctx, installation, &targets, &how).await?,
        Place::Repository(_) => (one(&ctx, &targets, &how).await?, None),
    };
    // In an organization that the ledger does not know, every change is held
    // back until all was read: what was held may go on now, or says why not.
    if act == Act::Apply {
        adoption::proceed(&ctx).await?;
        for seen in &mut visits {
            if matches!(&seen.outcome, Some(Ok(seen)) if !seen.plan.held.is_empty()) {
                *seen = visit(&ctx, &seen.target, Cause::Sweep, &how).await?;
            }
        }
    }
    if act == Act::Plan {
        let read =
            visits.iter().filter_map(|visit| Some((&visit.target, visit.outcome.as_ref()?.as_ref().ok()?)));
        let mut entries = outlook(&ctx, &read.collect::<Vec<_>>()).await?;
        for visit in &mut visits {
            visit.entry = entries.remove(&visit.target.repository).unwrap_or_default();
        }
    }
    let now = invocation.clock.now();
    match format {
        Format::Json => {
            output::json(&Document::new("plan-1", now, show::document(&visits, gate.as_ref(), act)))?
        }
        Format::Table => show::print(&visits, gate.as_ref(), act, now)?,
    }
    if act == Act::Plan && adoption::is_unread(&ctx, &targets).await? {
        note(&format!(
            "Nothing is written to {} before Muster has read all of its repositories once.",
            place.owner()
        ));
    }
    let agreed = match approve {
        Some(number) => agree(&ctx, installation, &targets, gate, number).await,
        None => Ok(()),
    };
    let _ = ctx.github.revoke_all().await;
    agreed.map(|()| ExitCode::from(verdict(&visits, act)))
}

/// How repositories are gone through.
struct How {
    act: Act,
    /// The name under which this process holds what it changes.
    owner: String,
}

async fn one(ctx: &Context, targets: &[Target], how: &How) -> anyhow::Result<Vec<Visit>> {
    let mut visits = Vec::new();
    for target in targets {
        visits.push(visit(ctx, target, Cause::Event, how).await?);
    }
    Ok(visits)
}

async fn visit(ctx: &Context, target: &Target, cause: Cause, how: &How) -> anyhow::Result<Visit> {
    let outcome = match how.act {
        Act::Plan => inspect(ctx, target, cause, Act::Plan).await,
        Act::Apply => inspect_held(ctx, target, cause, &how.owner).await?,
    };
    let outcome = outcome.map_err(|error| error.to_string());
    Ok(Visit::of(target.clone(), outcome.transpose()))
}

/// Inspects a repository and carries out its plan, under a lease of its own.
async fn inspect_held(
    ctx: &Context,
    target: &Target,
    cause: Cause,
    owner: &str,
) -> anyhow::Result<Result<Option<Inspection>, JobError>> {
    let now = ctx.clock.now();
    let (kind, priority) = (JobKind::InspectRepository, Priority::Sweep);
    let (id, installation) = (target.repository.0, target.installation);
    let wish = NewJob::new(kind, id, installation, priority, now, "muster sweep --apply");
    let Some(held) = ctx.store.claim(&wish, owner, LEASE, now).await? else {
        let why = "a server is working on it now: it is left to that";
        return Ok(Err(JobError::Later(why.to_owned())));
    };
    let ctx = ctx.under(&held);
    let outcome = lease::hold(&ctx, &held, inspect(&ctx, target, cause, Act::Apply)).await;
    let next = |seen: &Option<Inspection>| {
        let due = seen.as_ref().and_then(|seen| seen.plan.due);
        Next::of_repository(due, held.priority, ctx.clock.now())
    };
    // What became of the job is in the log; this answers what came of the run.
    let _settled = lease::settle(&ctx, &held, outcome.as_ref().map(next)).await?;
    Ok(outcome)
}

/// Goes through an organization many repositories a call; those that have a
/// change to make, or are not clear, are inspected by themselves.
async fn many(
    ctx: &Context,
    installation: InstallationId,
    targets: &[Target],
    how: &How,
) -> anyhow::Result<(Vec<Visit>, Option<Gate>)> {
    let known = ctx.installation(installation).await?.context("the installation is gone")?;
    let mut left: Vec<RepositoryId> = targets.iter().map(|target| target.repository).collect();
    let mut visits = Vec::new();
    let mut common = None;
    while !left.is_empty() {
        let mut round = Round::begin(ctx, &known, left, Cause::Sweep, how.act).await?;
        let failed = loop {
            match round.next().await {
                Ok(Some(looked)) => {
                    for looked in looked {
                        visits.push(settle(ctx, &round, looked, how).await?);
                    }
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        common = round.common().map(str::to_owned).or(common);
        left = round.left().collect();
        match failed {
            Some(JobError::Wait(until) | JobError::Limited(until)) => {
                note(&format!("GitHub's limits are reached: going on at {}.", output::time(until)));
                ctx.clock.sleep_until(until).await;
            }
            other => {
                let why = other.map_or("GitHub said nothing of it".to_owned(), |error| error.to_string());
                let name = |id| targets.iter().find(|target| target.repository == id);
                let failed = |target: &Target| Visit::of(target.clone(), Some(Err(why.clone())));
                visits.extend(left.drain(..).filter_map(name).map(failed));
            }
        }
    }
    visits.sort_by_cached_key(|visit| visit.target.name.to_string().to_ascii_lowercase());
    let gate = match common {
        Some(common) => {
            let rollout = ctx.store.rollout(known.account, &common).await?;
            let left = visits.iter().map(Visit::wants).sum();
            if how.act == Act::Apply {
                // Every repository was looked at, so it is known how much this is.
                let wanted = u64::from(rollout.created) + u64::from(left);
                ctx.store.size_rollout(known.account, &common, wanted).await?;
            }
            Some(Gate { common, rollout, left })
        }
        None => None,
    };
    Ok((visits, gate))
}

/// What came of one; with [`Act::Apply`] the database learns of it.
async fn settle(ctx: &Context, round: &Round<'_>, looked: Looked, how: &How) -> anyhow::Result<Visit> {
    let Looked { target, read_at, look } = looked;
    let (keep, now) = (how.act == Act::Apply, ctx.clock.now());
    let outcome = match look {
        Look::Closer { .. } => return visit(ctx, &target, Cause::Sweep, how).await,
        Look::Settled(settled) => {
            if keep {
                ctx.store.judged(std::slice::from_ref(&settled.judged), &[], None, now).await?;
            }
            Some(Ok(settled.inspection))
        }
        Look::Gone => {
            if keep {
                ctx.store.remove_repository(target.repository, now).await?;
            }
            None
        }
        Look::Unknown(why) => {
            if keep {
                let unread = (target.repository, why.clone(), round.again(target.repository, now));
                ctx.store.could_not_read(&[unread], read_at).await?;
            }
            Some(Err(why))
        }
    };
    Ok(Visit::of(target, outcome))
}

/// Notes that whoever runs this command was shown the number and agrees.
async fn agree(
    ctx: &Context,
    installation: InstallationId,
    targets: &[Target],
    gate: Option<Gate>,
    number: u32,
) -> anyhow::Result<()> {
    let (Some(gate), Some(account)) = (gate, targets.first().map(|target| target.account)) else {
        bail!("--approve is for an organization whose repositories could be read");
    };
    if gate.left != number {
        bail!("{} are left, not {number}: look at the plan, and write --approve {}", gate.left, gate.left);
    }
    let now = ctx.clock.now();
    ctx.store.begin_rollout(account, &gate.common, now).await?;
    let audit = NewAudit {
        installation: Some(installation),
        repository: None,
        actor: None,
        what: "rollout_approved".to_owned(),
        detail: serde_json::json!({ "left": number, "in_force": gate.common }).to_string(),
    };
    let kind = JobKind::InspectInstallation;
    let job = NewJob::new(kind, installation.0, installation, Priority::Policy, now, "approved");
    let agreed = ctx.store.approve_rollout((account, installation), &gate.common, &audit, &job, now).await?;
    note(if agreed { "Approved." } else { "This was approved before." });
    Ok(())
}

/// The repositories of a place, as GitHub lists them for the App.
async fn targets(ctx: &Context, place: &Place) -> anyhow::Result<(InstallationId, List)> {
    let owner = place.owner();
    let unlisted = || format!("{owner} is not among MUSTER_ORGANIZATIONS: add it there, or name one that is");
    let found = match ctx.github.installation_of(owner).await {
        Ok(found) => found,
        Err(github::Error::NotFound(_)) if !ctx.accounts.lists(owner) => bail!(unlisted()),
        Err(github::Error::NotFound(_)) => {
            bail!("the App is not installed on {owner}: install it there first")
        }
        Err(error) => return Err(error.into()),
    };
    // A name may have passed to another account.
    if !ctx.accounts.serve(found.account, owner).await? {
        bail!(unlisted());
    }
    let installation = found.id;
    let all = sweep_installation::list(ctx, installation).await?;
    let all = all.with_context(|| format!("the installation on {owner} is gone"))?;
    let list = match place {
        Place::Organization(_) => all,
        Place::Repository(name) => {
            let same = |target: &Target| target.name.to_string().eq_ignore_ascii_case(&name.to_string());
            let one = all.targets.into_iter().find(same);
            let one = one
                .with_context(|| format!("the App cannot see {name}: check the name and its installation"))?;
            List { targets: vec![one], whole: all.whole }
        }
    };
    Ok((installation, list))
}

fn verdict(visits: &[Visit], act: Act) -> u8 {
    let failed = visits.iter().filter(|visit| matches!(visit.outcome, Some(Err(_)))).count();
    if failed > 0 && failed == visits.len() {
        return COULD_NOT_RUN;
    }
    let left = |inspection: &Inspection| {
        let plan = &inspection.plan;
        match act {
            Act::Plan => !plan.changes.is_empty() || !plan.held.is_empty(),
            Act::Apply => inspection.done.len() < plan.changes.len() || !plan.held.is_empty(),
        }
    };
    let changes = visits.iter().any(|visit| matches!(&visit.outcome, Some(Ok(seen)) if left(seen)));
    if changes || failed > 0 { FINDINGS } else { 0 }
}
