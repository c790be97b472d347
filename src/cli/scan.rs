//! `muster scan`: the judge on an organization's repositories, read-only.
//!
//! Promises: (1) nothing is written, at GitHub or in a database, and no token
//! that could write is asked for; (2) every repository that can be seen is
//! judged, skipped by rule, or named as unknown.

use std::process::ExitCode;

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

use super::{
    Invocation,
    output::{Format, note},
    reports::{self, Judged, Kind, Reports},
};
use crate::{
    config::Credentials,
    domain::{finding::Report, observed::PolicySource, policy::Policy, repository::Login, rules},
    github::{GitHub, ListedRepository, Reader},
    jobs::inspect_repository::{our_names, with_wish},
};

/// Repositories read at a time.
const AT_ONCE: usize = 4;

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
    let (endpoints, clock) = (scan.hosts.endpoints, invocation.clock.clone());
    let (reader, mut listed) = match scan.credentials {
        Credentials::App(app) => {
            let github = GitHub::with_app(endpoints, app, clock)?.dry_run();
            let reader = github.reader(github.installation_of(&args.organization).await?.id);
            let listed = reader.repositories().await?;
            (reader, listed)
        }
        Credentials::Token(token) => {
            let github = GitHub::with_token(endpoints, token, clock)?;
            let reader =
                github.token_reader().ok_or_else(|| anyhow::anyhow!("GITHUB_TOKEN is not usable"))?;
            let listed = reader.organization_repositories(&args.organization).await?;
            (reader, listed)
        }
    };
    listed.sort_by_cached_key(|found| found.name.to_string().to_ascii_lowercase());
    note(&format!("Reading {}: {} repositories.", args.organization, listed.len()));
    let now = invocation.clock.now();
    let seen = read_all(&reader, listed, scan.policy.as_ref(), now).await;
    let reports = Reports {
        kind: Kind::Repository,
        judged: seen.judged,
        policy_source: seen.policy_source,
        policy_digest: seen.policy_digest,
    };
    match args.format {
        Format::Table => reports::table(&reports, args.all)?,
        Format::Json => reports::json(&reports, "scan-1", now)?,
    }
    Ok(ExitCode::from(reports.conclude(args.strict)))
}

struct Seen {
    judged: Vec<Judged>,
    policy_source: String,
    policy_digest: String,
}

/// Reads and judges in the order of the list. The organization's policy comes
/// with every read; the first that carries one names the source.
async fn read_all(
    reader: &Reader,
    listed: Vec<ListedRepository>,
    operators: Option<&Policy>,
    now: Timestamp,
) -> Seen {
    let judged: Vec<(String, Outcome)> = stream::iter(listed)
        .map(|found| async move {
            let outcome = judge(reader, &found, operators, now).await;
            (found.name.to_string(), outcome)
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let used =
        judged.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()).map(|(_, used)| used.clone()).next();
    let used = used.unwrap_or_else(|| Used::of(&Policy::default(), "built-in"));
    let judged = judged
        .into_iter()
        .map(|(subject, outcome)| Judged { subject, report: outcome.map(|(report, _)| report) })
        .collect();
    Seen { judged, policy_source: used.source, policy_digest: used.digest }
}

/// What came of one repository.
type Outcome = Result<(Report, Used), String>;

/// Which policy a report rests on.
#[derive(Clone)]
struct Used {
    source: String,
    digest: String,
}

impl Used {
    fn of(policy: &Policy, source: impl Into<String>) -> Used {
        Used { source: source.into(), digest: policy.digest() }
    }
}

async fn judge(
    reader: &Reader,
    found: &ListedRepository,
    operators: Option<&Policy>,
    now: Timestamp,
) -> Outcome {
    let names = our_names(&Policy::default());
    let read = reader
        .read_repository(&found.name, Some(found.id), &[], &names, &rules::wanted)
        .await
        .map_err(|error| error.to_string())?;
    let (policy, source) = match (operators, &read.policy) {
        (Some(policy), _) => (policy.clone(), "operator".to_owned()),
        (None, PolicySource::Absent) => (Policy::default(), "built-in".to_owned()),
        (None, PolicySource::Unread(why)) => return Err(format!("the policy could not be read: {why}")),
        (None, PolicySource::Text { text, .. }) => {
            let text = text.as_deref().ok_or("the policy is not text, or larger than 256 KiB")?;
            let parsed = Policy::parse(text).map_err(|problems| {
                problems.first().map_or_else(String::new, |problem| format!(".github/muster.yml:{problem}"))
            })?;
            (parsed, format!("{}/.github:.github/muster.yml", found.name.owner()))
        }
    };
    let used = Used::of(&policy, source);
    let (policy, _) = with_wish(policy, &read.snapshot);
    Ok((rules::evaluate(&policy, &read.snapshot, now), used))
}
