//! Which permission each call and each event needs, stated once: calls are
//! made from these routes, and the manifests are tested against them.
//!
//! Source: GitHub documentation, "Permissions required for GitHub Apps", and
//! for events "Webhook events and payloads" ("Availability").

use std::{collections::BTreeMap, fmt};

use http::Method;
use serde::{Deserialize, Serialize};

use super::graphql;

/// A permission of a GitHub App on repositories, of those Muster asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// The settings of a repository, and how often it is cloned and looked at.
    Administration,
    /// Check runs.
    Checks,
    /// Files, commits and branches.
    Contents,
    /// Issues, their comments, labels.
    Issues,
    /// Names, visibility, collaborators; every App has it.
    Metadata,
    /// Pull requests.
    PullRequests,
}

impl Permission {
    /// All of them.
    pub const ALL: [Permission; 6] = [
        Permission::Administration,
        Permission::Checks,
        Permission::Contents,
        Permission::Issues,
        Permission::Metadata,
        Permission::PullRequests,
    ];

    /// The key GitHub uses in manifests and token requests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Permission::Administration => "administration",
            Permission::Checks => "checks",
            Permission::Contents => "contents",
            Permission::Issues => "issues",
            Permission::Metadata => "metadata",
            Permission::PullRequests => "pull_requests",
        }
    }
}

/// How far a permission goes; `Write` includes `Read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// To look.
    Read,
    /// To change.
    Write,
}

impl Level {
    /// The value GitHub uses in manifests and token requests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Read => "read",
            Level::Write => "write",
        }
    }
}

/// One permission at one level.
pub type Need = (Permission, Level);

/// Writes needs as `contents: write, pull_requests: write`.
#[must_use]
pub fn shown(needs: &[Need]) -> String {
    let parts: Vec<String> = needs
        .iter()
        .map(|(permission, level)| format!("{}: {}", permission.as_str(), level.as_str()))
        .collect();
    parts.join(", ")
}

/// Permissions that an App asks for or an account has granted, by GitHub's
/// words; also such that Muster has no use for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Granted(BTreeMap<String, String>);

impl From<BTreeMap<String, String>> for Granted {
    fn from(named: BTreeMap<String, String>) -> Granted {
        Granted(named)
    }
}

impl Granted {
    /// Whether this is among them; `admin` includes `write`.
    #[must_use]
    pub fn holds(&self, (permission, level): Need) -> bool {
        self.0.get(permission.as_str()).is_some_and(|word| match level {
            Read => ["read", "write", "admin"].contains(&word.as_str()),
            Write => ["write", "admin"].contains(&word.as_str()),
        })
    }

    /// What of `needs` is not granted. Metadata may be read by every App.
    #[must_use]
    pub fn lacks(&self, needs: &[Need]) -> Vec<Need> {
        needs.iter().filter(|need| **need != (Metadata, Read) && !self.holds(**need)).copied().collect()
    }

    /// Those that Muster has no use for: which it does not know, and
    /// administration at a level that changes something.
    pub fn others(&self) -> impl Iterator<Item = String> {
        let known = |name: &str| Permission::ALL.iter().any(|permission| permission.as_str() == name);
        self.0.iter().filter_map(move |(name, word)| {
            let reads = word == Read.as_str();
            match name == Administration.as_str() {
                true => (!reads).then(|| format!("{name}: {word}")),
                false => (!known(name)).then(|| name.clone()),
            }
        })
    }
}

impl fmt::Display for Granted {
    /// As JSON, by permission.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", serde_json::json!(self.0))
    }
}

/// A route of the REST API: how it is called and what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path as GitHub's OpenAPI description writes it.
    pub template: &'static str,
    /// What the installation must grant; empty for routes of the App itself
    /// (by its JWT) and for public data.
    pub needs: &'static [Need],
}

impl Route {
    const fn new(method: Method, template: &'static str, needs: &'static [Need]) -> Route {
        Route { method, template, needs }
    }

    /// The path with its parameters in the order of the template, each
    /// percent-encoded.
    pub(super) fn path(&self, values: &[&str]) -> String {
        let mut path = String::new();
        let mut values = values.iter();
        for part in self.template.split('/').skip(1) {
            path.push('/');
            match part.starts_with('{') {
                true => encode(values.next().copied().unwrap_or_default(), &mut path),
                false => path.push_str(part),
            }
        }
        path
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.template)
    }
}

fn encode(text: &str, path: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                path.push(char::from(byte))
            }
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
}

use Level::{Read, Write};
use Permission::{Administration, Checks, Contents, Issues, Metadata, PullRequests};

/// The App itself.
pub static APP: Route = Route::new(Method::GET, "/app", &[]);
/// Where the App is installed.
pub static INSTALLATIONS: Route = Route::new(Method::GET, "/app/installations", &[]);
/// One installation of the App.
pub static INSTALLATION: Route = Route::new(Method::GET, "/app/installations/{installation_id}", &[]);
/// A token of an installation.
pub static MINT: Route = Route::new(Method::POST, "/app/installations/{installation_id}/access_tokens", &[]);
/// The end of a token.
pub static REVOKE: Route = Route::new(Method::DELETE, "/installation/token", &[]);
/// The installation on an organization.
pub static INSTALLATION_OF_ORGANIZATION: Route = Route::new(Method::GET, "/orgs/{org}/installation", &[]);
/// The installation on a user.
pub static INSTALLATION_OF_USER: Route = Route::new(Method::GET, "/users/{username}/installation", &[]);
/// The installation that covers a repository.
pub static INSTALLATION_OF_REPOSITORY: Route =
    Route::new(Method::GET, "/repos/{owner}/{repo}/installation", &[]);
/// One of the deliveries to the App's webhook, with what was sent.
pub static DELIVERY: Route = Route::new(Method::GET, "/app/hook/deliveries/{delivery_id}", &[]);
/// The same sent once more.
pub static REDELIVER: Route = Route::new(Method::POST, "/app/hook/deliveries/{delivery_id}/attempts", &[]);
/// What an installation may see.
pub static INSTALLED_REPOSITORIES: Route =
    Route::new(Method::GET, "/installation/repositories", &[(Metadata, Read)]);
/// What anyone with this token may see of an organization.
pub static ORGANIZATION_REPOSITORIES: Route =
    Route::new(Method::GET, "/orgs/{org}/repos", &[(Metadata, Read)]);
/// An account by its login.
pub static USER: Route = Route::new(Method::GET, "/users/{username}", &[]);
/// A repository by its id, under whichever name it has now.
pub static REPOSITORY_BY_ID: Route =
    Route::new(Method::GET, "/repositories/{repository_id}", &[(Metadata, Read)]);
/// The bytes of a file.
pub static BLOB: Route =
    Route::new(Method::GET, "/repos/{owner}/{repo}/git/blobs/{file_sha}", &[(Contents, Read)]);
/// What a person may do in a repository.
pub static PERMISSION: Route =
    Route::new(Method::GET, "/repos/{owner}/{repo}/collaborators/{username}/permission", &[(Metadata, Read)]);
/// A new label.
pub static CREATE_LABEL: Route = Route::new(Method::POST, "/repos/{owner}/{repo}/labels", &[(Issues, Write)]);
/// A new issue.
pub static CREATE_ISSUE: Route = Route::new(Method::POST, "/repos/{owner}/{repo}/issues", &[(Issues, Write)]);
/// A change of an issue.
pub static UPDATE_ISSUE: Route =
    Route::new(Method::PATCH, "/repos/{owner}/{repo}/issues/{issue_number}", &[(Issues, Write)]);
/// A comment on an issue or a pull request.
pub static COMMENT: Route =
    Route::new(Method::POST, "/repos/{owner}/{repo}/issues/{issue_number}/comments", &[(Issues, Write)]);
/// A change of a pull request.
pub static UPDATE_PULL_REQUEST: Route =
    Route::new(Method::PATCH, "/repos/{owner}/{repo}/pulls/{pull_number}", &[(PullRequests, Write)]);
/// The wish for a review of a pull request.
pub static REQUEST_REVIEW: Route = Route::new(
    Method::POST,
    "/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers",
    &[(PullRequests, Write)],
);
/// A new check run.
pub static CREATE_CHECK_RUN: Route =
    Route::new(Method::POST, "/repos/{owner}/{repo}/check-runs", &[(Checks, Write)]);
/// A change of a check run.
pub static UPDATE_CHECK_RUN: Route =
    Route::new(Method::PATCH, "/repos/{owner}/{repo}/check-runs/{check_run_id}", &[(Checks, Write)]);
/// The check runs on a commit.
pub static CHECK_RUNS: Route =
    Route::new(Method::GET, "/repos/{owner}/{repo}/commits/{ref}/check-runs", &[(Checks, Read)]);
/// The rules that rulesets have for a branch.
pub static BRANCH_RULES: Route =
    Route::new(Method::GET, "/repos/{owner}/{repo}/rules/branches/{branch}", &[(Metadata, Read)]);
/// Where the archive of a commit is: GitHub answers with a redirect.
pub static TARBALL: Route =
    Route::new(Method::GET, "/repos/{owner}/{repo}/tarball/{ref}", &[(Contents, Read)]);
/// How often a repository was cloned in the last 14 days.
pub static CLONES: Route =
    Route::new(Method::GET, "/repos/{owner}/{repo}/traffic/clones", &[(Administration, Read)]);
/// How often its pages were looked at in the last 14 days.
pub static VIEWS: Route =
    Route::new(Method::GET, "/repos/{owner}/{repo}/traffic/views", &[(Administration, Read)]);

/// How the App's webhook is set up.
pub static HOOK_CONFIG: Route = Route::new(Method::GET, "/app/hook/config", &[]);
/// What the webhook was sent.
pub static HOOK_DELIVERIES: Route = Route::new(Method::GET, "/app/hook/deliveries", &[]);
/// What is left of the hour; without credentials, what time it is.
pub static RATE_LIMIT: Route = Route::new(Method::GET, "/rate_limit", &[]);

/// Every route the client can call.
pub static ROUTES: [&Route; 32] = [
    &APP,
    &HOOK_CONFIG,
    &HOOK_DELIVERIES,
    &RATE_LIMIT,
    &INSTALLATIONS,
    &INSTALLATION,
    &MINT,
    &REVOKE,
    &INSTALLATION_OF_ORGANIZATION,
    &INSTALLATION_OF_USER,
    &INSTALLATION_OF_REPOSITORY,
    &DELIVERY,
    &REDELIVER,
    &INSTALLED_REPOSITORIES,
    &ORGANIZATION_REPOSITORIES,
    &USER,
    &REPOSITORY_BY_ID,
    &BLOB,
    &PERMISSION,
    &CREATE_LABEL,
    &CREATE_ISSUE,
    &UPDATE_ISSUE,
    &COMMENT,
    &UPDATE_PULL_REQUEST,
    &REQUEST_REVIEW,
    &CREATE_CHECK_RUN,
    &UPDATE_CHECK_RUN,
    &CHECK_RUNS,
    &BRANCH_RULES,
    &TARBALL,
    &CLONES,
    &VIEWS,
];

/// What reading takes: the one token that gathers (threats §4).
pub const READING: &[Need] =
    &[(Checks, Read), (Contents, Read), (Issues, Read), (Metadata, Read), (PullRequests, Read)];
/// What the tracking issue takes.
pub const ISSUE_WRITING: &[Need] = &[(Issues, Write), (Metadata, Read)];
/// What a branch with a commit and its pull request take.
pub const PROPOSING: &[Need] = &[(Contents, Write), (Metadata, Read), (PullRequests, Write)];
/// What a check run takes.
pub const CHECKING: &[Need] = &[(Checks, Write), (Metadata, Read)];
/// What the numbers of clones and views take: asked for by nothing else, and
/// granted only where an account has opted in (platform 1.5).
pub const MEASURING: &[Need] = &[(Administration, Read), (Metadata, Read)];

/// What each GraphQL document needs, by the name of its operation.
pub const OPERATIONS: [(&str, &[Need]); 23] = [
    operation(&graphql::SNAPSHOT),
    operation(&graphql::REPOSITORIES),
    operation(&graphql::STANDING),
    operation(&graphql::CONTROL),
    operation(&graphql::RECORDS),
    operation(&graphql::TEXTS),
    operation(&graphql::TEXTS_OF_MANY),
    operation(&graphql::BEFORE_WRITE),
    operation(&graphql::VISIBILITIES),
    operation(&graphql::OURS),
    operation(&graphql::PULL_REQUEST),
    operation(&graphql::PROPOSE),
    operation(&graphql::PROPOSE_FROM_BRANCH),
    operation(&graphql::OPEN_PULL_REQUEST),
    operation(&graphql::STAGE),
    operation(&graphql::COMMIT),
    operation(&graphql::MOVE_REFS),
    operation(&graphql::DESCRIBE),
    operation(&graphql::DESCRIBE_READY),
    operation(&graphql::CLOSE_PULL_REQUEST),
    operation(&graphql::CLOSE_PULL_REQUEST_SILENTLY),
    operation(&graphql::CLOSE_ISSUE),
    operation(&graphql::DISABLE_AUTO_MERGE),
];

const fn operation(document: &graphql::Document) -> (&'static str, &'static [Need]) {
    (document.name, document.needs)
}

/// What the App must hold for GitHub to send it an event. Those of its own
/// installation come to every App.
pub const EVENTS: [(&str, &[Need]); 11] = [
    ("check_run", &[(Checks, Read)]),
    ("check_suite", &[(Checks, Read)]),
    ("installation", &[]),
    ("installation_repositories", &[]),
    ("installation_target", &[]),
    ("issue_comment", &[(Issues, Read)]),
    ("issues", &[(Issues, Read)]),
    ("public", &[(Metadata, Read)]),
    ("pull_request", &[(PullRequests, Read)]),
    ("push", &[(Contents, Read)]),
    ("repository", &[(Metadata, Read)]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_stay_within_their_part_of_the_path() {
        let path = PERMISSION.path(&["agency", "site", "a/../b[bot]?x#y"]);
        assert_eq!(path, "/repos/agency/site/collaborators/a%2F..%2Fb%5Bbot%5D%3Fx%23y/permission");
        assert_eq!(
            BRANCH_RULES.path(&["agency", "site", "muster/files"]),
            "/repos/agency/site/rules/branches/muster%2Ffiles"
        );
        assert_eq!(APP.path(&[]), "/app");
    }

    #[test]
    fn a_route_and_an_event_are_stated_once() {
        let mut routes: Vec<String> = ROUTES.iter().map(ToString::to_string).collect();
        routes.sort();
        routes.dedup();
        assert_eq!(routes.len(), ROUTES.len());
        assert_eq!(OPERATIONS.len(), graphql::DOCUMENTS.len());
        assert!(EVENTS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn what_is_granted_covers_what_it_includes() {
        let granted = |json| serde_json::from_value::<Granted>(json).unwrap();
        let fixer = granted(serde_json::json!({"contents": "write", "pull_requests": "admin"}));
        assert_eq!(fixer.lacks(PROPOSING), []);
        assert_eq!(fixer.lacks(&[(Contents, Read), (Issues, Write)]), [(Issues, Write)]);
        let observer = granted(serde_json::json!({"contents": "read", "a_permission_to_come": "some"}));
        assert_eq!(observer.lacks(PROPOSING), [(Contents, Write), (PullRequests, Write)]);
        let others = granted(serde_json::json!({"members": "read", "issues": "read"}));
        assert_eq!(others.others().collect::<Vec<_>>(), ["members"]);
        let administration = |word| granted(serde_json::json!({"administration": word}));
        assert_eq!(administration("read").others().count(), 0);
        assert_eq!(administration("write").others().collect::<Vec<_>>(), ["administration: write"]);
        assert!(
            others.holds((Issues, Read)) && !others.holds((Issues, Write)) && !others.holds((Metadata, Read))
        );
        assert_eq!(fixer.to_string(), r#"{"contents":"write","pull_requests":"admin"}"#);
        assert_eq!(Granted::default().lacks(&[(Metadata, Read), (Checks, Read)]), [(Checks, Read)]);
    }

    #[test]
    fn reading_takes_no_write_and_a_write_no_more_than_its_kind() {
        assert!(READING.iter().chain(MEASURING).all(|(_, level)| *level == Read));
        assert!(!READING.iter().any(|(permission, _)| *permission == Administration));
        for route in ROUTES.iter().filter(|route| !route.needs.is_empty()) {
            let covered = |held: &[Need]| {
                route.needs.iter().all(|(permission, level)| {
                    held.iter().any(|(have, at)| have == permission && at >= level)
                })
            };
            let kinds = [READING, ISSUE_WRITING, PROPOSING, CHECKING, MEASURING];
            assert!(kinds.into_iter().any(covered), "{route}");
        }
    }
}
