//! `muster plan` and `muster sweep`: what would be done, and doing it.
//!
//! Promises: (1) `plan`, and `sweep` without `--apply`, write nothing to
//! GitHub: they hold no token that can; (2) what is printed is the plan that
//! `sweep --apply` carries out; (3) a repository that fails does not stop the
//! others, and is named; (4) `sweep --apply` holds each repository as a worker
//! does, so that it and a server never write there at once.

use std::{process::ExitCode, str::FromStr};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    COULD_NOT_RUN, FINDINGS, Invocation,
    output::{self, Document, Format, note},
};
use crate::{
    app,
    domain::{
        plan::Cause,
        repository::{Login, RepositoryName},
    },
    github,
    jobs::{
        Act, Context, JobError, Target, adoption,
        inspect_repository::{Inspection, inspect},
        lease::{self, LEASE},
        sweep_installation,
    },
    store::{JobKind, NewJob, Priority, Store},
};

/// Show what Muster would do in an organization or a repository.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  $ muster plan example-agency
  $ muster plan example-agency/intake-api
  $ muster plan example-agency --format json

Reads GitHub and the database; writes nothing to GitHub.

Exit codes: 0 nothing to do; 1 there are changes; 2 could not run; 130 interrupted.

See also: muster sweep, muster scan.")]
pub struct PlanArgs {
    /// ORG, or OWNER/NAME for one repository.
    #[arg(value_name = "ORG|OWNER/NAME")]
    place: Place,
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
    go_through(&args.place, Act::Plan, args.format, invocation).await
}

/// Runs `muster sweep`.
///
/// # Errors
/// As [`plan`].
pub async fn run(args: SweepArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let act = if args.apply { Act::Apply } else { Act::Plan };
    go_through(&Place::Organization(args.organization), act, args.format, invocation).await
}

async fn go_through(
    place: &Place,
    act: Act,
    format: Format,
    invocation: &Invocation,
) -> anyhow::Result<ExitCode> {
    let mut work = invocation.config.work()?;
    work.dry_run |= act == Act::Plan;
    let store = Store::open(work.database.expose()).await?;
    let ctx = app::context(&work, store, invocation.clock.clone())?;
    let began = ctx.clock.now();
    let targets = targets(&ctx, place).await?;
    let cause = match place {
        Place::Organization(_) => Cause::Sweep,
        Place::Repository(_) => Cause::Event,
    };
    let owner = format!("sweep {:08x}", rand::random::<u32>());
    if let (Act::Apply, Some(first)) = (act, targets.first()) {
        adoption::all_listed(&ctx, first.installation, began).await?;
    }
    let mut visits = Vec::new();
    for target in &targets {
        visits.push(visit(&ctx, target, cause, act, &owner).await?);
    }
    // In an organization that the ledger does not know, every change is held
    // back until all was read: what was held may go on now, or says why not.
    if act == Act::Apply {
        adoption::proceed(&ctx).await?;
        for (seen, target) in visits.iter_mut().zip(&targets) {
            if matches!(&seen.outcome, Some(Ok(seen)) if !seen.plan.held.is_empty()) {
                *seen = visit(&ctx, target, cause, act, &owner).await?;
            }
        }
    }
    let now = invocation.clock.now();
    match format {
        Format::Json => output::json(&Document::new("plan-1", now, document(&visits, act)))?,
        Format::Table => print(&visits, act, now)?,
    }
    if act == Act::Plan && adoption::is_unread(&ctx, &targets).await? {
        note(&format!(
            "Nothing is written to {} before Muster has read all of its repositories once.",
            place.owner()
        ));
    }
    let _ = ctx.github.revoke_all().await;
    Ok(ExitCode::from(verdict(&visits, act)))
}

async fn visit(ctx: &Context, target: &Target, cause: Cause, act: Act, owner: &str) -> anyhow::Result<Visit> {
    let outcome = match act {
        Act::Plan => inspect(ctx, target, cause, act).await,
        Act::Apply => inspect_held(ctx, target, cause, owner).await?,
    };
    let outcome = outcome.map_err(|error| error.to_string());
    Ok(Visit { name: target.name.to_string(), outcome: outcome.transpose() })
}

/// Inspects a repository and carries out its plan, under a lease of its own.
async fn inspect_held(
    ctx: &Context,
    target: &Target,
    cause: Cause,
    owner: &str,
) -> anyhow::Result<Result<Option<Inspection>, JobError>> {
    let now = ctx.clock.now();
    let wish = NewJob {
        kind: JobKind::InspectRepository,
        subject: i64::try_from(target.repository.0)?,
        installation: i64::try_from(target.installation.0)?,
        priority: Priority::Sweep,
        run_at: now,
        cause: "muster sweep --apply".to_owned(),
    };
    let Some(held) = ctx.store.claim(&wish, owner, LEASE, now).await? else {
        let why = "a server is working on it now: it is left to that";
        return Ok(Err(JobError::Later(why.to_owned())));
    };
    let ctx = ctx.under(&held);
    let outcome = lease::hold(&ctx, &held, inspect(&ctx, target, cause, Act::Apply)).await;
    let due = outcome.as_ref().map(|seen| seen.as_ref().and_then(|seen| seen.plan.due));
    lease::settle(&ctx, &held, due).await?;
    Ok(outcome)
}

/// The repositories of a place, as GitHub lists them for the App.
async fn targets(ctx: &Context, place: &Place) -> anyhow::Result<Vec<Target>> {
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
    match place {
        Place::Organization(_) => Ok(all),
        Place::Repository(name) => {
            let same = |target: &Target| target.name.to_string().eq_ignore_ascii_case(&name.to_string());
            let one = all.into_iter().find(same);
            Ok(vec![one.with_context(|| {
                format!("the App cannot see {name}: check the name and its installation")
            })?])
        }
    }
}

/// What came of one repository; `None` if it went away meanwhile.
struct Visit {
    name: String,
    outcome: Option<Result<Inspection, String>>,
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

fn print(visits: &[Visit], act: Act, now: Timestamp) -> anyhow::Result<()> {
    let (mut changes, mut held) = (0, 0);
    for visit in visits {
        match &visit.outcome {
            None => note(&format!("{}: it is gone", visit.name)),
            Some(Err(why)) => note(&format!("{}: could not be inspected: {why}", visit.name)),
            Some(Ok(seen)) => {
                let lines: Vec<String> = match act {
                    Act::Plan => seen.plan.changes.iter().map(ToString::to_string).collect(),
                    Act::Apply => seen.done.clone(),
                };
                changes += lines.len();
                if lines.is_empty() && seen.plan.would_not.is_empty() {
                    continue;
                }
                output::line(&format!("{} ({})", visit.name, seen.report.verdict().as_str()))?;
                for line in lines {
                    output::line(&format!("  {line}"))?;
                }
                held += seen.plan.held.len();
                for change in &seen.plan.held {
                    output::line(&format!("  waits: {change}"))?;
                }
                for refused in &seen.plan.would_not {
                    let until = refused.until.filter(|until| *until > now);
                    let until =
                        until.map_or_else(String::new, |until| format!(", until {}", output::time(until)));
                    output::line(&format!("  would not {}: {}{until}", refused.what, refused.why))?;
                }
            }
        }
    }
    let things = if changes == 1 { "change" } else { "changes" };
    let waiting = if held == 0 { String::new() } else { format!(" {held} more must wait.") };
    match act {
        Act::Plan => {
            output::line(&format!("Would make {changes} {things}; nothing has been written.{waiting}"))?;
        }
        Act::Apply => output::line(&format!("Made {changes} {things}.{waiting}"))?,
    }
    Ok(())
}

/// The content of a `plan-1` document. Fields are only added.
#[derive(Serialize)]
struct Content<'a> {
    /// Whether the plans were carried out.
    applied: bool,
    repositories: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    repository: &'a str,
    /// As in `scan`; absent if it could not be inspected.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<crate::domain::finding::Verdict>,
    /// What is to be done, one line each.
    changes: Vec<String>,
    /// What is to be done once nothing holds it back, one line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    held: Vec<String>,
    /// What was done, one line each.
    done: &'a [String],
    would_not: Vec<Refused<'a>>,
    /// When time alone could change the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    /// Why it could not be inspected.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct Refused<'a> {
    what: &'a str,
    why: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

fn document(visits: &[Visit], act: Act) -> Content<'_> {
    Content { applied: act == Act::Apply, repositories: visits.iter().map(entry).collect() }
}

fn entry(visit: &Visit) -> Entry<'_> {
    let empty = Entry {
        repository: &visit.name,
        verdict: None,
        changes: Vec::new(),
        held: Vec::new(),
        done: &[],
        would_not: Vec::new(),
        due: None,
        error: None,
    };
    match &visit.outcome {
        None => Entry { error: Some("it is gone"), ..empty },
        Some(Err(why)) => Entry { error: Some(why), ..empty },
        Some(Ok(seen)) => Entry {
            verdict: Some(seen.report.verdict()),
            changes: seen.plan.changes.iter().map(ToString::to_string).collect(),
            held: seen.plan.held.iter().map(ToString::to_string).collect(),
            done: &seen.done,
            would_not: seen
                .plan
                .would_not
                .iter()
                .map(|refused| Refused { what: refused.what, why: &refused.why, until: refused.until })
                .collect(),
            due: seen.plan.due,
            ..empty
        },
    }
}
