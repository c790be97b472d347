//! Repositories.

use serde_json::{Value, json};

use crate::state::{Caller, Level, Permission, Repository, RepositoryId, Role, State, Visibility};

/// The URLs a repository has beneath its own, by field.
const URLS: [(&str, &str); 36] = [
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
];

impl State {
    /// Where a person sees the repository.
    pub(crate) fn html_url(&self, repository: &Repository) -> String {
        format!("{}/{}", self.urls.web, self.full_name(repository))
    }

    /// Where the API has the repository.
    pub(crate) fn api_url(&self, repository: &Repository) -> String {
        format!("{}/repos/{}", self.urls.api, self.full_name(repository))
    }

    /// How many repositories were forked from this one.
    pub(crate) fn forks_of(&self, id: RepositoryId) -> usize {
        self.repositories().filter(|other| other.fork_of == Some(id)).count()
    }

    /// Schemas `repository`, `minimal-repository`, and webhooks' `repository`.
    pub(crate) fn repository_json(&self, repository: &Repository) -> Value {
        let (html, api) = (self.html_url(repository), self.api_url(repository));
        let open = repository.issues.values().filter(|issue| issue.is_open()).count();
        let forks = self.forks_of(repository.id);
        let language = repository.languages.iter().max_by_key(|(_, bytes)| **bytes);
        let mut shape = json!({
            "id": repository.id,
            "node_id": self.node_id_of(repository),
            "name": repository.name,
            "full_name": self.full_name(repository),
            "private": repository.visibility != Visibility::Public,
            "owner": self.simple_user(repository.owner),
            "html_url": html,
            "description": repository.description,
            "fork": repository.fork_of.is_some(),
            "url": api,
            "git_url": html.replacen("http", "git", 1) + ".git",
            "ssh_url": format!("git@localhost:{}.git", self.full_name(repository)),
            "clone_url": format!("{html}.git"),
            "svn_url": html,
            "homepage": repository.homepage,
            "size": repository.languages.values().sum::<u64>() / 1024,
            "stargazers_count": 0,
            "watchers_count": 0,
            "language": language.map(|(name, _)| name),
            "has_issues": repository.has_issues,
            "has_projects": true,
            "has_downloads": true,
            "has_wiki": true,
            "has_pages": false,
            "has_discussions": false,
            "forks_count": forks,
            "mirror_url": repository.mirror_url,
            "archived": repository.archived,
            "disabled": repository.disabled,
            "open_issues_count": open,
            "license": self.license_json(repository),
            "allow_forking": true,
            "is_template": repository.is_template,
            "web_commit_signoff_required": false,
            "topics": repository.topics,
            "custom_properties": repository.custom_properties,
            "visibility": repository.visibility.word(),
            "forks": forks,
            "open_issues": open,
            "watchers": 0,
            "default_branch": repository.default_branch,
            "created_at": repository.created_at,
            "updated_at": repository.updated_at,
            "pushed_at": repository.pushed_at,
        });
        for (field, suffix) in URLS {
            shape[field] = json!(format!("{api}{suffix}"));
        }
        shape
    }

    fn license_json(&self, repository: &Repository) -> Value {
        let Some(spdx) = &repository.license else { return Value::Null };
        let key = if spdx == "NOASSERTION" { "other".to_owned() } else { spdx.to_lowercase() };
        let url = (key != "other").then(|| format!("{}/licenses/{key}", self.urls.api));
        let name = if key == "other" { "Other" } else { spdx };
        json!({ "key": key, "name": name, "spdx_id": spdx, "url": url, "node_id": "" })
    }

    /// In push payloads two dates are seconds since 1970 (schema
    /// `webhook-push`, `repository-webhooks`).
    pub(crate) fn push_repository_json(&self, repository: &Repository) -> Value {
        let mut shape = self.repository_json(repository);
        shape["created_at"] = json!(repository.created_at.as_second());
        shape["pushed_at"] = json!(repository.pushed_at.as_second());
        shape["master_branch"] = json!(repository.default_branch);
        shape["stargazers"] = json!(0);
        shape
    }

    /// Schema `full-repository`, with what the caller may do.
    pub(crate) fn full_repository(&self, caller: &Caller, repository: &Repository) -> Value {
        let mut shape = self.repository_json(repository);
        shape["network_count"] = json!(0);
        shape["subscribers_count"] = json!(0);
        shape["permissions"] = self.permissions_on(caller, repository);
        let owner = self.account(repository.owner);
        if owner.is_some_and(|owner| owner.organization().is_some()) {
            shape["organization"] = self.simple_user(repository.owner);
        }
        for (field, id) in [
            ("parent", repository.fork_of),
            ("source", repository.fork_of),
            ("template_repository", repository.template),
        ] {
            if let Some(other) = id.and_then(|id| self.repository(id).ok())
                && self.can_see(caller, other)
            {
                shape[field] = self.repository_json(other);
            }
        }
        shape
    }

    /// The `permissions` a list gives beside each repository.
    pub(crate) fn permissions_on(&self, caller: &Caller, repository: &Repository) -> Value {
        let role = match caller {
            Caller::Person(person) => self.role(*person, repository.id),
            Caller::Installation(grant) => match grant.permissions.get(&Permission::Contents) {
                Some(Level::Write) => Some(Role::Write),
                Some(Level::Read) | None => Some(Role::Read),
            },
            Caller::Anonymous | Caller::App => Some(Role::Read),
        };
        let has = |needed: Role| role.is_some_and(|role| role >= needed);
        json!({
            "admin": has(Role::Admin),
            "maintain": has(Role::Maintain),
            "push": has(Role::Write),
            "triage": has(Role::Triage),
            "pull": has(Role::Read),
        })
    }

    /// An entry of a repository list.
    pub(crate) fn listed_repository(&self, caller: &Caller, repository: &Repository) -> Value {
        let mut shape = self.repository_json(repository);
        shape["permissions"] = self.permissions_on(caller, repository);
        shape
    }
}
