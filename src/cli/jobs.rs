//! `muster jobs`: what is to be done, what is being done, and what failed for
//! good.

use std::process::ExitCode;

use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    FINDINGS, Invocation,
    output::{self, Document, Format, note},
};
use crate::store::{Job, JobFilter, JobState, Store};

const EXAMPLES: &str = "\
Examples:
  $ muster jobs
  $ muster jobs --dead --format json
  $ muster jobs retry inspect_repository 1296269";

/// List the jobs, or those that failed for good, and bring these back.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only those that failed for good; exit code 1 if there are any.
    #[arg(long)]
    dead: bool,
    /// Only of the installation with this id.
    #[arg(long, value_name = "ID", conflicts_with = "dead")]
    installation: Option<i64>,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// How the list is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring back a job that failed for good, with all its attempts.
    Retry {
        /// Its kind, as the list shows it.
        kind: String,
        /// Its subject, as the list shows it.
        subject: i64,
    },
}

/// One job in JSON.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    kind: &'a str,
    subject: i64,
    installation: i64,
    priority: String,
    state: &'static str,
    /// Why it is parked or who runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    run_at: Timestamp,
    enqueued_at: Timestamp,
    cause: &'a str,
    attempts: i64,
    error: Option<&'a str>,
}

/// `jobs-1`: a list, best priority first.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    jobs: Vec<Shown<'a>>,
}

/// Runs the command.
///
/// # Errors
/// Settings, the database, or output that cannot be written.
pub async fn run(args: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let store = Store::open(invocation.config.database()?.expose()).await?;
    match args.command {
        Some(Command::Retry { kind, subject }) => retry(&store, &kind, subject, invocation).await,
        None => list(&store, args.list, invocation).await,
    }
}

async fn list(store: &Store, args: List, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let now = invocation.clock.now();
    let jobs = if args.dead {
        store.dead(args.limit, now).await?
    } else {
        let filter = JobFilter { installation: args.installation, subject: None };
        store.jobs(filter, args.limit, now).await?
    };
    match args.format {
        Format::Json => {
            output::json(&Document::new("jobs-1", now, Listed { jobs: jobs.iter().map(shown).collect() }))?;
        }
        Format::Table if jobs.is_empty() => {
            note(if args.dead { "No job has failed for good." } else { "There is nothing to do." });
        }
        Format::Table => output::table(
            &["kind", "subject", "state", "not before", "attempts", "cause", "last error"],
            jobs.iter().map(|job| {
                let shown = shown(job);
                vec![
                    job.kind.clone(),
                    job.subject.to_string(),
                    match shown.detail {
                        Some(detail) => format!("{} ({detail})", shown.state),
                        None => shown.state.to_owned(),
                    },
                    output::time(job.run_at),
                    job.attempts.to_string(),
                    job.cause.clone(),
                    job.error.clone().unwrap_or_default(),
                ]
            }),
        )?,
    }
    Ok(if args.dead && !jobs.is_empty() { ExitCode::from(FINDINGS) } else { ExitCode::SUCCESS })
}

async fn retry(store: &Store, kind: &str, subject: i64, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    if store.retry_dead(kind, subject, invocation.clock.now()).await? {
        note(&format!("{kind} {subject} will be tried again."));
        return Ok(ExitCode::SUCCESS);
    }
    note(&format!("No job {kind} {subject} has failed for good: muster jobs --dead lists those that have."));
    Ok(ExitCode::from(FINDINGS))
}

fn shown(job: &Job) -> Shown<'_> {
    let (state, detail) = match &job.state {
        JobState::Ready => ("ready", None),
        JobState::Waiting => ("waiting", None),
        JobState::Parked { reason } => ("parked", Some(reason.as_str())),
        JobState::Running { owner, .. } => ("running", Some(owner.as_str())),
        JobState::Dead { .. } => ("dead", None),
    };
    Shown {
        kind: &job.kind,
        subject: job.subject,
        installation: job.installation,
        priority: format!("{:?}", job.priority).to_ascii_lowercase(),
        state,
        detail,
        run_at: job.run_at,
        enqueued_at: job.enqueued_at,
        cause: &job.cause,
        attempts: job.attempts,
        error: job.error.as_deref(),
    }
}
