//! `muster doctor`: is everything as Muster needs it?
//!
//! Promises: (1) it only reads; (2) it tells what it could look at also when
//! GitHub or the database is away; (3) whatever is not good comes with what to
//! do.

use std::process::ExitCode;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    FINDINGS, Invocation,
    output::{self, Document, Format, note},
};
use crate::{
    config,
    github::GitHub,
    jobs::doctor::{self, Depth, Doctor, Row, State},
    store::{Examined, Store, StoreError},
};

/// Check key, permissions, webhook, clock, database and more, and say what to do.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  $ muster doctor
  $ muster doctor --format json > evidence.json
  $ muster doctor --strict

Only reads, at GitHub and in the database. muster serve does the short form of
this at its start and logs what is not good.

Exit codes: 0 all is well; 1 something warns or fails; 2 could not run; 130 interrupted.
What could not be checked alone: 0, and 1 with --strict.

See also: muster jobs, muster deliveries.")]
pub struct Args {
    /// How to write the result.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// End with 1 also when something could not be checked.
    #[arg(long)]
    strict: bool,
}

/// Runs the command.
///
/// # Errors
/// Settings, or output that cannot be written.
pub async fn run(args: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let server = invocation.config.server()?;
    let secrets = secrets(invocation);
    let rows = examine(&server, &secrets, invocation).await;
    let now = invocation.clock.now();
    match args.format {
        Format::Json => output::json(&Document::new("doctor-1", now, document(&rows)))?,
        Format::Table => table(&rows)?,
    }
    Ok(conclude(&rows, args.strict))
}

/// Secrets in files, each with the date of its file.
pub(super) fn secrets(invocation: &Invocation) -> Vec<(&'static str, Timestamp)> {
    let ages = invocation.config.ages().into_iter();
    ages.filter_map(|age| Some((age.setting, age.since?))).collect()
}

async fn examine(
    server: &config::Server,
    secrets: &[(&'static str, Timestamp)],
    invocation: &Invocation,
) -> Vec<Row> {
    let work = &server.work;
    let examined = Store::examine(work.database.expose()).await;
    let store = match opens(&examined) {
        true => Store::open(work.database.expose()).await.ok(),
        false => None,
    };
    let endpoints = work.hosts.endpoints.clone();
    let rows = match GitHub::with_app(endpoints, work.app.clone(), invocation.clock.clone()) {
        Err(error) => doctor::without_github(&error, &examined),
        Ok(github) => {
            let github = github.dry_run();
            let doctor = Doctor {
                github: &github,
                store: store.as_ref(),
                organizations: &work.organizations,
                policy: work.policy.as_ref(),
                way: work.way,
                public_url: work.public_url.as_deref(),
                web: &work.hosts.web,
                secrets,
                depth: Depth::Whole,
                now: invocation.clock.now(),
            };
            let rows = doctor.examine(&examined).await;
            github.revoke_all().await;
            rows
        }
    };
    if let Some(store) = store {
        store.close().await;
    }
    rows
}

/// Whether opening the database would change nothing in it.
pub(super) fn opens(examined: &Result<Option<Examined>, StoreError>) -> bool {
    matches!(examined, Ok(Some(found)) if found.version == found.known)
}

fn table(rows: &[Row]) -> anyhow::Result<()> {
    let sign = |state| match state {
        State::Ok => "+",
        State::CouldNotCheck => "?",
        State::Warning => "!",
        State::Fails => "x",
    };
    output::table(
        &["state", "check", "of", "what it means", "what to do"],
        rows.iter().map(|row| {
            let remedy = row.remedy.as_deref().unwrap_or_default();
            let link = row.link.as_deref().filter(|_| row.state != State::Ok).unwrap_or_default();
            vec![
                format!("{} {}", sign(row.state), row.state.as_str()),
                row.check.as_str().replace('_', " "),
                row.subject.clone().unwrap_or_default(),
                row.means.clone(),
                [remedy, link].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "),
            ]
        }),
    )?;
    output::line(&format!("{}.", doctor::summary(rows)))?;
    Ok(())
}

fn conclude(rows: &[Row], strict: bool) -> ExitCode {
    let any = |state| rows.iter().any(|row| row.state == state);
    let unchecked = any(State::CouldNotCheck);
    if unchecked {
        note("Something could not be checked; see there why.");
    }
    if any(State::Warning) || any(State::Fails) || (strict && unchecked) {
        ExitCode::from(FINDINGS)
    } else {
        ExitCode::SUCCESS
    }
}

/// The content of a `doctor-1` document. Fields are only added.
#[derive(Serialize)]
struct Content<'a> {
    /// The worst state of all.
    state: &'static str,
    checks: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    check: &'static str,
    /// `ok`, `could_not_check`, `warning` or `fails`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    installation: Option<u64>,
    means: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
}

fn document(rows: &[Row]) -> Content<'_> {
    let worst = rows.iter().map(|row| row.state).max().unwrap_or(State::Ok);
    Content { state: key(worst), checks: rows.iter().map(entry).collect() }
}

fn entry(row: &Row) -> Entry<'_> {
    Entry {
        check: row.check.as_str(),
        state: key(row.state),
        subject: row.subject.as_deref(),
        installation: row.installation.map(|id| id.0),
        means: &row.means,
        remedy: row.remedy.as_deref(),
        link: row.link.as_deref(),
    }
}

fn key(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::CouldNotCheck => "could_not_check",
        State::Warning => "warning",
        State::Fails => "fails",
    }
}
