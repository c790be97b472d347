//! `muster scan`: the judge on an organization's repositories, read-only.
//!
//! Promises: (1) nothing is written, at GitHub or in a database, and no token
//! that could write is asked for; (2) every repository that can be seen is
//! judged, skipped by rule, or named as unknown.

use std::{collections::HashMap, process::ExitCode};

use jiff::Timestamp;

use super::{
    Invocation,
    output::{self, Format, note},
    reports::{self, Judged, Kind, Reports},
};
use crate::{
    clock::Clock,
    config::Credentials,
    domain::{
        finding::Report,
        observed::PolicySource,
        policy::Policy,
        repository::{Login, RepositoryId, Snapshot},
        rules,
    },
    github::{Ask, Error, Found, GitHub, Glance, Home, ListedRepository, Reader},
    jobs::inspect_repository::{our_names, with_wish},
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
    let policy = scan.policy.as_ref();
    let seen = read_all(&reader, &args.organization, listed, policy, &invocation.clock).await;
    let now = invocation.clock.now();
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

/// Reads many a call and judges, in the order of the list. The organization's
/// policy comes with every call; the first that carries one names the source.
async fn read_all(
    reader: &Reader,
    organization: &Login,
    listed: Vec<ListedRepository>,
    operators: Option<&Policy>,
    clock: &Clock,
) -> Seen {
    let now = clock.now();
    let ask = |found: &ListedRepository| Ask {
        id: found.id,
        node_id: found.node_id.clone(),
        name: found.name.clone(),
        known: Vec::new(),
    };
    // As GitHub spells it: the argument may differ in case.
    let owner = listed.first().map_or(organization, |found| found.name.owner()).clone();
    let mut reports: HashMap<RepositoryId, Result<Report, String>> = HashMap::new();
    let mut used = None;
    let ended = loop {
        let left = listed.iter().filter(|found| !reports.contains_key(&found.id)).map(ask);
        let names = our_names(&Policy::default());
        let mut many = reader.many(owner.clone(), left.collect::<Vec<_>>(), names, &rules::wanted);
        let ended = loop {
            match many.next().await {
                Ok(Some(found)) => {
                    for Found { id, home, outcome, .. } in found {
                        let report = outcome.map_err(|error| error.to_string());
                        let report = report.and_then(|glance| {
                            let (policy, source) = in_force(organization, &home.policy, operators)?;
                            used.get_or_insert_with(|| Used::of(&policy, source));
                            Ok(judge(policy, glance, &home, now))
                        });
                        reports.insert(id, report);
                    }
                }
                Ok(None) => break Error::NotFound("GraphQL nodes".to_owned()),
                Err(error) => break error,
            }
        };
        match ended {
            Error::RateLimited { until } => {
                note(&format!("GitHub's limits are reached: going on at {}.", output::time(until)));
                clock.sleep_until(until).await;
            }
            error => break error.to_string(),
        }
    };
    let used = used.unwrap_or_else(|| Used::of(&Policy::default(), "built-in".to_owned()));
    let judged = listed.into_iter().map(|found| Judged {
        subject: found.name.to_string(),
        report: reports.remove(&found.id).unwrap_or_else(|| Err(ended.clone())),
    });
    Seen { judged: judged.collect(), policy_source: used.source, policy_digest: used.digest }
}

/// Which policy the reports rest on.
struct Used {
    source: String,
    digest: String,
}

impl Used {
    fn of(policy: &Policy, source: String) -> Used {
        Used { source, digest: policy.digest() }
    }
}

/// The policy, and where it stands.
fn in_force(
    organization: &Login,
    source: &PolicySource,
    operators: Option<&Policy>,
) -> Result<(Policy, String), String> {
    match (operators, source) {
        (Some(policy), _) => Ok((policy.clone(), "operator".to_owned())),
        (None, PolicySource::Absent) => Ok((Policy::default(), "built-in".to_owned())),
        (None, PolicySource::Unread(why)) => Err(format!("the policy could not be read: {why}")),
        (None, PolicySource::Text { text, .. }) => {
            let text = text.as_deref().ok_or("the policy is not text, or larger than 256 KiB")?;
            let parsed = Policy::parse(text).map_err(|problems| {
                problems.first().map_or_else(String::new, |problem| format!(".github/muster.yml:{problem}"))
            })?;
            Ok((parsed, format!("{organization}/.github:.github/muster.yml")))
        }
    }
}

fn judge(policy: Policy, glance: Glance, home: &Home, now: Timestamp) -> Report {
    let Glance { repository, files, .. } = glance;
    let snapshot = Snapshot { repository, files, inherited: home.inherited.clone() };
    let (policy, _) = with_wish(policy, &snapshot);
    rules::evaluate(&policy, &snapshot, now)
}
