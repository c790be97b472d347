//! The table of routes.

use super::{Answer, Input, apps, checks, conversations, git, issues, pulls, repositories};
use crate::state::{Need, Permission, Refusal};

/// Who may call a route at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Auth {
    /// Everybody; what is shown depends on the caller.
    Anybody,
    /// The App's JWT only.
    Jwt,
    /// An installation token only.
    Token,
}

pub(crate) type Handler = fn(&mut Input<'_>) -> Result<Answer, Refusal>;

/// One route.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) template: &'static str,
    pub(crate) auth: Auth,
    /// Any one of these permissions on the repository will do.
    pub(crate) needs: &'static [Need],
    /// Query arguments it takes, besides those of its page.
    pub(crate) query: &'static [&'static str],
    /// Body fields it takes.
    pub(crate) body: &'static [&'static str],
    /// Whether it creates content that counts against the content limits.
    pub(crate) content: bool,
    pub(crate) handler: Handler,
}

const fn route(method: &'static str, template: &'static str, handler: Handler) -> Route {
    Route {
        method,
        template,
        auth: Auth::Anybody,
        needs: &[],
        query: &[],
        body: &[],
        content: false,
        handler,
    }
}

impl Route {
    const fn auth(mut self, auth: Auth) -> Route {
        self.auth = auth;
        self
    }

    const fn needs(mut self, needs: &'static [Need]) -> Route {
        self.needs = needs;
        self
    }

    const fn query(mut self, query: &'static [&'static str]) -> Route {
        self.query = query;
        self
    }

    const fn body(mut self, body: &'static [&'static str]) -> Route {
        self.body = body;
        self
    }

    const fn content(mut self) -> Route {
        self.content = true;
        self
    }
}

const PAGE: &[&str] = &["per_page", "page"];
const METADATA: &[Need] = &[Need::read(Permission::Metadata)];
const READ: &[Need] = &[Need::read(Permission::Contents)];
const WRITE: &[Need] = &[Need::write(Permission::Contents)];
const READ_ISSUES: &[Need] = &[Need::read(Permission::Issues), Need::read(Permission::PullRequests)];
const WRITE_ISSUES: &[Need] = &[Need::write(Permission::Issues), Need::write(Permission::PullRequests)];
const OPEN_ISSUES: &[Need] = &[Need::write(Permission::Issues)];
const READ_PULLS: &[Need] = &[Need::read(Permission::PullRequests)];
const WRITE_PULLS: &[Need] = &[Need::write(Permission::PullRequests)];
const READ_CHECKS: &[Need] = &[Need::read(Permission::Checks)];
const WRITE_CHECKS: &[Need] = &[Need::write(Permission::Checks)];
const ADMINISTER: &[Need] = &[Need::read(Permission::Administration)];
const CHECK_FIELDS: &[&str] = &[
    "name",
    "head_sha",
    "details_url",
    "external_id",
    "status",
    "started_at",
    "conclusion",
    "completed_at",
    "output",
    "actions",
];

/// Every route, literal ones before those with parameters in the same place.
pub(crate) static ROUTES: &[Route] = &[
    route("GET", "/meta", apps::meta),
    route("GET", "/rate_limit", apps::rate_limit),
    route("GET", "/app", apps::app).auth(Auth::Jwt),
    route("GET", "/app/hook/config", apps::hook_config).auth(Auth::Jwt),
    route("PATCH", "/app/hook/config", apps::update_hook_config).auth(Auth::Jwt).body(&[
        "url",
        "content_type",
        "secret",
        "insecure_ssl",
    ]),
    route("GET", "/app/hook/deliveries", apps::deliveries)
        .auth(Auth::Jwt)
        .query(&["per_page", "cursor", "status"]),
    route("GET", "/app/hook/deliveries/{delivery_id}", apps::delivery).auth(Auth::Jwt),
    route("POST", "/app/hook/deliveries/{delivery_id}/attempts", apps::redeliver).auth(Auth::Jwt),
    route("GET", "/app/installations", apps::installations)
        .auth(Auth::Jwt)
        .query(&["per_page", "page", "since", "outdated"]),
    route("GET", "/app/installations/{installation_id}", apps::installation).auth(Auth::Jwt),
    route("DELETE", "/app/installations/{installation_id}", apps::uninstall).auth(Auth::Jwt),
    route("POST", "/app/installations/{installation_id}/access_tokens", apps::create_token)
        .auth(Auth::Jwt)
        .body(&["repositories", "repository_ids", "permissions"]),
    route("GET", "/orgs/{org}/installation", apps::account_installation).auth(Auth::Jwt),
    route("GET", "/users/{username}/installation", apps::account_installation).auth(Auth::Jwt),
    route("GET", "/repos/{owner}/{repo}/installation", apps::repository_installation).auth(Auth::Jwt),
    route("GET", "/installation/repositories", apps::installation_repositories).auth(Auth::Token).query(PAGE),
    route("DELETE", "/installation/token", apps::revoke_token).auth(Auth::Token),
    route("GET", "/orgs/{org}", repositories::organization),
    route("GET", "/orgs/{org}/repos", repositories::of_organization).query(&[
        "type",
        "sort",
        "direction",
        "per_page",
        "page",
    ]),
    route("GET", "/users/{username}", repositories::user),
    route("GET", "/repos/{owner}/{repo}", repositories::repository).needs(METADATA),
    route("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", repositories::permission)
        .needs(METADATA),
    route("GET", "/repos/{owner}/{repo}/rules/branches/{branch}", repositories::rules)
        .needs(METADATA)
        .query(PAGE),
    route("GET", "/repos/{owner}/{repo}/tarball/{ref}", git::tarball).needs(READ),
    route("GET", "/repos/{owner}/{repo}/traffic/clones", repositories::clones)
        .needs(ADMINISTER)
        .query(&["per"]),
    route("GET", "/repos/{owner}/{repo}/traffic/views", repositories::views)
        .needs(ADMINISTER)
        .query(&["per"]),
    route("GET", "/repos/{owner}/{repo}/branches", git::branches).needs(READ).query(&[
        "protected",
        "per_page",
        "page",
    ]),
    route("GET", "/repos/{owner}/{repo}/contents/{path}", git::contents).needs(READ).query(&["ref"]),
    route("GET", "/repos/{owner}/{repo}/commits", git::commits)
        .needs(READ)
        .query(&["sha", "path", "author", "since", "until", "per_page", "page"]),
    route("GET", "/repos/{owner}/{repo}/commits/{ref}/check-runs", checks::of_commit)
        .needs(READ_CHECKS)
        .query(&["check_name", "status", "filter", "app_id", "per_page", "page"]),
    route("GET", "/repos/{owner}/{repo}/git/ref/{ref}", git::reference).needs(READ),
    route("POST", "/repos/{owner}/{repo}/git/refs", git::create_ref).needs(WRITE).body(&["ref", "sha"]),
    route("PATCH", "/repos/{owner}/{repo}/git/refs/{ref}", git::update_ref)
        .needs(WRITE)
        .body(&["sha", "force"]),
    route("DELETE", "/repos/{owner}/{repo}/git/refs/{ref}", git::delete_ref).needs(WRITE),
    route("GET", "/repos/{owner}/{repo}/git/trees/{tree_sha}", git::tree).needs(READ).query(&["recursive"]),
    route("POST", "/repos/{owner}/{repo}/git/trees", git::create_tree)
        .needs(WRITE)
        .body(&["tree", "base_tree"]),
    route("GET", "/repos/{owner}/{repo}/git/blobs/{file_sha}", git::blob).needs(READ),
    route("POST", "/repos/{owner}/{repo}/git/blobs", git::create_blob)
        .needs(WRITE)
        .body(&["content", "encoding"]),
    route("GET", "/repos/{owner}/{repo}/git/commits/{commit_sha}", git::commit).needs(READ),
    route("POST", "/repos/{owner}/{repo}/git/commits", git::create_commit)
        .needs(WRITE)
        .body(&["message", "tree", "parents"]),
    route("GET", "/repos/{owner}/{repo}/labels", conversations::labels).needs(READ_ISSUES).query(PAGE),
    route("POST", "/repos/{owner}/{repo}/labels", conversations::create_label).needs(WRITE_ISSUES).body(&[
        "name",
        "color",
        "description",
    ]),
    route("GET", "/repos/{owner}/{repo}/labels/{name}", conversations::label).needs(READ_ISSUES),
    route("GET", "/repos/{owner}/{repo}/issues", issues::list).needs(READ_ISSUES).query(&[
        "state",
        "creator",
        "labels",
        "sort",
        "direction",
        "since",
        "assignee",
        "per_page",
        "page",
    ]),
    route("POST", "/repos/{owner}/{repo}/issues", issues::create)
        .needs(OPEN_ISSUES)
        .body(&["title", "body", "labels", "assignees"])
        .content(),
    route("GET", "/repos/{owner}/{repo}/issues/comments/{comment_id}", conversations::comment)
        .needs(READ_ISSUES),
    route("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment_id}", conversations::update_comment)
        .needs(WRITE_ISSUES)
        .body(&["body"]),
    route("DELETE", "/repos/{owner}/{repo}/issues/comments/{comment_id}", conversations::delete_comment)
        .needs(WRITE_ISSUES),
    route(
        "GET",
        "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
        conversations::comment_reactions,
    )
    .needs(READ_ISSUES)
    .query(&["content", "per_page", "page"]),
    route(
        "POST",
        "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
        conversations::react_to_comment,
    )
    .needs(WRITE_ISSUES)
    .body(&["content"]),
    route("GET", "/repos/{owner}/{repo}/issues/{issue_number}", issues::get).needs(READ_ISSUES),
    route("PATCH", "/repos/{owner}/{repo}/issues/{issue_number}", issues::update)
        .needs(WRITE_ISSUES)
        .body(&["title", "body", "state", "state_reason", "labels", "assignees"]),
    route("PUT", "/repos/{owner}/{repo}/issues/{issue_number}/lock", issues::lock)
        .needs(WRITE_ISSUES)
        .body(&["lock_reason"]),
    route("DELETE", "/repos/{owner}/{repo}/issues/{issue_number}/lock", issues::unlock).needs(WRITE_ISSUES),
    route("GET", "/repos/{owner}/{repo}/issues/{issue_number}/comments", conversations::comments)
        .needs(READ_ISSUES)
        .query(&["since", "per_page", "page"]),
    route("POST", "/repos/{owner}/{repo}/issues/{issue_number}/comments", conversations::create_comment)
        .needs(WRITE_ISSUES)
        .body(&["body"])
        .content(),
    route("GET", "/repos/{owner}/{repo}/issues/{issue_number}/labels", conversations::issue_labels)
        .needs(READ_ISSUES)
        .query(PAGE),
    route("POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels", conversations::add_labels)
        .needs(WRITE_ISSUES)
        .body(&["labels"]),
    route("DELETE", "/repos/{owner}/{repo}/issues/{issue_number}/labels/{name}", conversations::remove_label)
        .needs(WRITE_ISSUES),
    route("GET", "/repos/{owner}/{repo}/issues/{issue_number}/reactions", conversations::issue_reactions)
        .needs(READ_ISSUES)
        .query(&["content", "per_page", "page"]),
    route("POST", "/repos/{owner}/{repo}/issues/{issue_number}/reactions", conversations::react_to_issue)
        .needs(WRITE_ISSUES)
        .body(&["content"]),
    route("GET", "/repos/{owner}/{repo}/pulls", pulls::list).needs(READ_PULLS).query(&[
        "state",
        "head",
        "base",
        "sort",
        "direction",
        "per_page",
        "page",
    ]),
    route("POST", "/repos/{owner}/{repo}/pulls", pulls::create)
        .needs(WRITE_PULLS)
        .body(&["title", "body", "head", "base", "draft", "maintainer_can_modify"])
        .content(),
    route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}", pulls::get).needs(READ_PULLS),
    route("PATCH", "/repos/{owner}/{repo}/pulls/{pull_number}", pulls::update)
        .needs(WRITE_PULLS)
        .body(&["title", "body", "state", "base"]),
    route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/files", pulls::files)
        .needs(READ_PULLS)
        .query(PAGE),
    route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/commits", pulls::commits)
        .needs(READ_PULLS)
        .query(PAGE),
    route("PUT", "/repos/{owner}/{repo}/pulls/{pull_number}/merge", pulls::merge)
        .needs(WRITE)
        .body(&["sha", "merge_method"]),
    route("POST", "/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers", pulls::request_reviewers)
        .needs(WRITE_PULLS)
        .body(&["reviewers", "team_reviewers"]),
    route("POST", "/repos/{owner}/{repo}/check-runs", checks::create).needs(WRITE_CHECKS).body(CHECK_FIELDS),
    route("GET", "/repos/{owner}/{repo}/check-runs/{check_run_id}", checks::get).needs(READ_CHECKS),
    route("PATCH", "/repos/{owner}/{repo}/check-runs/{check_run_id}", checks::update)
        .needs(WRITE_CHECKS)
        .body(CHECK_FIELDS),
];
