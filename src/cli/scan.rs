//! `muster scan`: the judge on an organization's repositories, read-only.
//!
//! Promises: (1) nothing is written, at GitHub or in a database, and no token
//! that could write is asked for; (2) every repository that can be seen is
//! judged, skipped by rule, or named as unknown.

use std::process::ExitCode;

use jiff::Timestamp;

use super::{
    Invocation, organization,
    output::Format,
    reports::{self, Judged, Kind, Reports},
};
use crate::{
    domain::{
        finding::Report,
        policy::Policy,
        repository::{Login, Snapshot},
        rules,
    },
    jobs::inspect_repository::with_wish,
};

/// Judge every repository of an organization and report, without writing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  $ muster scan example-agency
  $ muster scan example-agency --all
  $ muster scan example-agency --format json > report.json
  $ MUSTER_POLICY_FILE=draft.yml muster scan example-agency --strict

With the App's credentials (MUSTER_APP_ID or MUSTER_CLIENT_ID, and MUSTER_PRIVATE_KEY
or _FILE) it sees what the App is installed on; with GITHUB_TOKEN, what that token sees.
The policy is the operator's (MUSTER_POLICY_FILE), else the organization's
.github/muster.yml as it stands, else the built-in federal policy.

Exit codes: 0 all meet the policy; 1 some need work; 2 could not run; 130 interrupted.

See also: muster plan, muster check.")]
pub struct Args {
    /// The organization.
    #[arg(value_name = "ORG")]
    organization: Login,
    /// How to write the result.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// End with 1 also when something could not be checked.
    #[arg(long)]
    strict: bool,
    /// Show every repository, also those that meet the policy.
    #[arg(long)]
    all: bool,
}

/// Runs the command.
///
/// # Errors
/// Settings, GitHub, or output that cannot be written.
pub async fn run(args: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let scan = invocation.config.scan()?;
    let read = organization::read(&scan, &args.organization, &invocation.clock, judge).await?;
    let now = invocation.clock.now();
    let judged = read
        .repositories
        .into_iter()
        .map(|(found, report)| Judged { subject: found.name.to_string(), report });
    let reports = Reports {
        kind: Kind::Repository,
        judged: judged.collect(),
        policy_source: read.policy_source,
        policy_digest: read.policy.digest(),
    };
    match args.format {
        Format::Table => reports::table(&reports, args.all)?,
        Format::Json => reports::json(&reports, "scan-1", now)?,
    }
    Ok(ExitCode::from(reports.conclude(args.strict)))
}

fn judge(policy: &Policy, snapshot: &Snapshot, now: Timestamp) -> Report {
    let (policy, _) = with_wish(policy.clone(), snapshot);
    rules::evaluate(&policy, snapshot, now)
}
