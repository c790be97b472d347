//! An organization's repositories, read without a server and without a
//! database: what `scan` and `inventory` begin with.
//!
//! Promises: (1) no token that could write is asked for; (2) every repository
//! that is listed is told of, read or with the reason why not.

use std::collections::HashMap;

use jiff::Timestamp;

use super::output::{self, note};
use crate::{
    clock::Clock,
    config::{Credentials, Scan},
    domain::{
        observed::PolicySource,
        policy::Policy,
        repository::{Login, RepositoryId, Snapshot},
    },
    github::{Ask, Error, Found, GitHub, ListedRepository, Reader},
    jobs::inspect_repository::our_names,
};

/// What was read of an organization.
pub(super) struct Read<T> {
    /// Its repositories by name, each with what came of it.
    pub(super) repositories: Vec<(ListedRepository, Result<T, String>)>,
    /// The policy it was judged by.
    pub(super) policy: Policy,
    /// Where that stands.
    pub(super) policy_source: String,
    /// What the list is a list of, in a sentence.
    pub(super) coverage: String,
}

/// Reads an organization and looks at each repository. The policy is the
/// operator's, else the organization's as it stands, else the built-in one.
///
/// # Errors
/// GitHub's, if the repositories cannot be listed.
pub(super) async fn read<T>(
    scan: &Scan,
    organization: &Login,
    clock: &Clock,
    look: impl Fn(&Policy, &Snapshot, Timestamp) -> T,
) -> anyhow::Result<Read<T>> {
    let endpoints = scan.hosts.endpoints.clone();
    let (reader, mut listed, coverage) = match &scan.credentials {
        Credentials::App(app) => {
            let github = GitHub::with_app(endpoints, app.clone(), clock.clone())?.dry_run();
            let installation = github.installation_of(organization).await?;
            let selection =
                installation.selection.map_or("some repositories".to_owned(), |it| it.to_string());
            let coverage = format!("The App sees {selection} of {organization}.");
            let reader = github.reader(installation.id);
            let listed = reader.repositories().await?;
            (reader, listed, coverage)
        }
        Credentials::Token(token) => {
            let github = GitHub::with_token(endpoints, token.clone(), clock.clone())?;
            let reader =
                github.token_reader().ok_or_else(|| anyhow::anyhow!("GITHUB_TOKEN is not usable"))?;
            let listed = reader.organization_repositories(organization).await?;
            (reader, listed, format!("GITHUB_TOKEN may not see all repositories of {organization}."))
        }
    };
    listed.sort_by_cached_key(|found| found.name.to_string().to_ascii_lowercase());
    note(&format!("Reading {organization}: {} repositories.", listed.len()));
    Ok(read_all(&reader, organization, listed, scan.policy.as_ref(), clock, coverage, look).await)
}

/// Reads many a call and looks, in the order of the list. The organization's
/// policy comes with every call; the first that carries one names the source.
async fn read_all<T>(
    reader: &Reader,
    organization: &Login,
    listed: Vec<ListedRepository>,
    operators: Option<&Policy>,
    clock: &Clock,
    coverage: String,
    look: impl Fn(&Policy, &Snapshot, Timestamp) -> T,
) -> Read<T> {
    let now = clock.now();
    let ask = |found: &ListedRepository| Ask {
        id: found.id,
        node_id: found.node_id.clone(),
        name: found.name.clone(),
        known: Vec::new(),
    };
    // As GitHub spells it: the argument may differ in case.
    let owner = listed.first().map_or(organization, |found| found.name.owner()).clone();
    let mut looked: HashMap<RepositoryId, Result<T, String>> = HashMap::new();
    let mut used: Option<(Policy, String)> = None;
    let ended = loop {
        let left = listed.iter().filter(|found| !looked.contains_key(&found.id)).map(ask);
        let names = our_names(&Policy::default());
        let mut many =
            reader.many(owner.clone(), left.collect::<Vec<_>>(), names, &crate::domain::rules::wanted);
        let ended = loop {
            match many.next().await {
                Ok(Some(found)) => {
                    for Found { id, home, outcome, .. } in found {
                        let came = outcome.map_err(|error| error.to_string()).and_then(|glance| {
                            let (policy, source) = in_force(organization, &home.policy, operators)?;
                            let (repository, files) = (glance.repository, glance.files);
                            let snapshot = Snapshot { repository, files, inherited: home.inherited.clone() };
                            let came = look(&policy, &snapshot, now);
                            used.get_or_insert((policy, source));
                            Ok(came)
                        });
                        looked.insert(id, came);
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
    let (policy, policy_source) = used.unwrap_or_else(|| (Policy::default(), "built-in".to_owned()));
    let repositories = listed.into_iter().map(|found| {
        let came = looked.remove(&found.id).unwrap_or_else(|| Err(ended.clone()));
        (found, came)
    });
    Read { repositories: repositories.collect(), policy, policy_source, coverage }
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
