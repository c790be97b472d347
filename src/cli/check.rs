//! `muster check`: the judge on local checkouts, without GitHub.
//!
//! Promises: (1) results come in the order of the arguments, whatever finishes
//! first; (2) a path that cannot be read is named on standard error and counted,
//! and the others go on; (3) the process ends with 1 if a required rule is not
//! met somewhere, 2 only if nothing could be said, else 0; with `--strict` also
//! what could not be told makes 1.

mod annotations;

use std::{
    io::Read,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Context, bail};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{
    COULD_NOT_RUN, INTERRUPTED, Invocation, output,
    reports::{self, Judged, Kind, Reports},
};
use crate::{
    checkout,
    domain::{
        policy::{MAX_BYTES, Policy},
        repository::Inherited,
        rules, words,
    },
};

/// Check local checkouts against a policy.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  $ muster check .
  $ muster check --policy .github/muster.yml --defaults ../.github ../*/
  $ muster check --format json ~/src/* > report.json

A checkout does not say who can see a repository, or whether it is archived or a fork.
So each is judged as a public, active repository of its own.
Without --defaults, an inheritable file that is missing could not be checked.
Muster runs no git, follows no links, and reads at most 1 MiB of a file.

Exit codes: 0 all meet the policy; 1 some need work; 2 nothing could be checked; 130 interrupted.
What could not be checked alone gives 0 and a line on standard error, 1 with --strict.

See also: muster policy validate, muster policy schema.")]
pub struct Args {
    /// Folders to check, each the root of a repository.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The policy file; without it, the built-in federal policy.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// A checkout of the organization's .github repository.
    #[arg(long, value_name = "PATH")]
    pub defaults: Option<PathBuf>,
    /// How to write the result; github makes annotations of a workflow run.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// End with 1 also when something could not be checked.
    #[arg(long)]
    pub strict: bool,
    /// Show every path, also those that meet the policy.
    #[arg(long)]
    pub all: bool,
}

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// Workflow commands of GitHub Actions.
    Github,
}

/// Checks the paths and writes the result.
///
/// # Errors
/// What keeps every path from being checked: the policy file or the defaults
/// cannot be read. The caller says why and ends with 2.
pub fn run(args: &Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let now = invocation.clock.now();
    let Some(policy) = policy(args.policy.as_deref())? else { return Ok(ExitCode::from(COULD_NOT_RUN)) };
    let inherited = match &args.defaults {
        None => Inherited::Unread(words::contributing::DEFAULTS_NOT_GIVEN.to_owned()),
        Some(path) => checkout::defaults(path)
            .with_context(|| format!("the defaults {} could not be read", path.display()))?,
    };
    let reports = Reports {
        kind: Kind::Path,
        judged: check(&args.paths, &policy, &inherited, now, &invocation.stop),
        policy_source: args
            .policy
            .as_ref()
            .map_or_else(|| "built-in".to_owned(), |path| path.display().to_string()),
        policy_digest: policy.digest(),
    };
    if invocation.stop.is_cancelled() {
        return Ok(ExitCode::from(INTERRUPTED));
    }
    match args.format {
        Format::Table => reports::table(&reports, args.all)?,
        Format::Json => reports::json(&reports, "check-1", now)?,
        Format::Github => annotations::github(&reports)?,
    }
    Ok(ExitCode::from(reports.conclude(args.strict)))
}

/// The policy, or `None` after its problems were written.
fn policy(path: Option<&Path>) -> anyhow::Result<Option<Policy>> {
    let Some(path) = path else { return Ok(Some(Policy::default())) };
    let shown = path.display();
    let mut bytes = Vec::new();
    // One byte more than is allowed, so that the parser says that it is too much.
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| format!("the policy {shown} could not be read"))?;
    match Policy::parse_bytes(&bytes) {
        Ok(policy) => Ok(Some(policy)),
        Err(problems) if problems.is_empty() => bail!("the policy {shown} could not be read"),
        Err(problems) => {
            for problem in problems {
                output::note(&format!("{shown}:{problem}"));
            }
            Ok(None)
        }
    }
}

/// Judges all paths, on all cores where there are enough of them to matter.
/// Once `stop` is cancelled the rest is left out.
fn check(
    paths: &[PathBuf],
    policy: &Policy,
    inherited: &Inherited,
    now: Timestamp,
    stop: &CancellationToken,
) -> Vec<Judged> {
    let judge = |path: &PathBuf| {
        let report = checkout::snapshot(path, rules::policy_paths(policy), inherited.clone())
            .map(|snapshot| rules::evaluate(policy, &snapshot, now))
            .map_err(|error| error.to_string());
        Judged { subject: path.display().to_string(), report }
    };
    let next = AtomicUsize::new(0);
    let slots: Vec<OnceLock<Judged>> = paths.iter().map(|_| OnceLock::new()).collect();
    let work = || {
        while !stop.is_cancelled() {
            let at = next.fetch_add(1, Ordering::Relaxed);
            // Each number is drawn once, so each slot is filled once.
            let Some(slot) = slots.get(at) else { break };
            slot.get_or_init(|| judge(&paths[at]));
        }
    };
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    thread::scope(|scope| {
        for _ in 1..cores.min(paths.len() / 8) {
            scope.spawn(work);
        }
        work();
    });
    slots.into_iter().filter_map(OnceLock::into_inner).collect()
}
