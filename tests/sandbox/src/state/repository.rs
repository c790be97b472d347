//! Repositories and their settings.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};

use super::{
    AccountId, Caller, CheckRun, CheckSuite, Comment, Flavor, Issue, Label, Refusal, Role, Scope, State,
    Traffic,
};
use crate::git::{Objects, Oid};

/// GitHub's numeric id of a repository.
pub type RepositoryId = u64;

/// Who may see a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody.
    Public,
    /// Members of the enterprise.
    Internal,
    /// Those who were given a role.
    Private,
}

impl Visibility {
    /// The word of the REST API.
    pub fn word(self) -> &'static str {
        match self {
            Visibility::Public => "public",
            Visibility::Internal => "internal",
            Visibility::Private => "private",
        }
    }
}

/// One repository with all that belongs to it.
#[derive(Debug, Clone)]
pub struct Repository {
    /// Numeric id, kept through renames and transfers.
    pub id: RepositoryId,
    /// The organization or user it belongs to.
    pub owner: AccountId,
    /// Current name, without the owner.
    pub name: String,
    /// One line.
    pub description: Option<String>,
    /// A URL.
    pub homepage: Option<String>,
    /// Topics, lower case.
    pub topics: Vec<String>,
    /// Custom property values set by the organization.
    pub custom_properties: BTreeMap<String, Value>,
    /// Who may see it.
    pub visibility: Visibility,
    /// Read-only.
    pub archived: bool,
    /// A blocked repository.
    pub disabled: bool,
    /// The repository it was forked from.
    pub fork_of: Option<RepositoryId>,
    /// Where it is mirrored from.
    pub mirror_url: Option<String>,
    /// Offered as a template.
    pub is_template: bool,
    /// The template it was made from.
    pub template: Option<RepositoryId>,
    /// Without `refs/heads/`; named even while the repository is empty.
    pub default_branch: String,
    /// Whether issues are switched on.
    pub has_issues: bool,
    /// Whether pull requests are switched on; those there are hidden otherwise.
    pub has_pull_requests: bool,
    /// Bytes by language, as GitHub's statistics would say.
    pub languages: BTreeMap<String, u64>,
    /// SPDX id GitHub would show, `NOASSERTION` for an unidentified license.
    pub license: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Last change of its settings.
    pub updated_at: Timestamp,
    /// Last push to any branch.
    pub pushed_at: Timestamp,
    /// Its git objects.
    pub objects: Objects,
    /// Full reference names (`refs/heads/main`) and where they point.
    pub references: BTreeMap<String, Oid>,
    /// Issues and pull requests by number.
    pub issues: BTreeMap<u64, Issue>,
    /// Comments of issues and pull requests by id.
    pub comments: BTreeMap<u64, Comment>,
    /// Labels by id.
    pub labels: BTreeMap<u64, Label>,
    /// Check suites by id.
    pub check_suites: BTreeMap<u64, CheckSuite>,
    /// Check runs by id.
    pub check_runs: BTreeMap<u64, CheckRun>,
    /// Branch rules.
    pub rulesets: Vec<Ruleset>,
    /// Roles given directly.
    pub collaborators: BTreeMap<AccountId, Role>,
    /// Former full names (`owner/name`), which redirect while they are free.
    pub former_names: Vec<String>,
    /// How often it was cloned and looked at, by day in UTC.
    pub traffic: BTreeMap<Date, Traffic>,
}

/// A ruleset on branches.
#[derive(Debug, Clone)]
pub struct Ruleset {
    /// Numeric id.
    pub id: u64,
    /// Display name.
    pub name: String,
    /// Branch patterns: `*` matches within a path segment, `**` across them;
    /// `~DEFAULT_BRANCH` and `~ALL` as GitHub has them.
    pub branches: Vec<String>,
    /// What it demands.
    pub rules: Vec<BranchRule>,
    /// Whether the App is on its bypass list.
    pub app_bypasses: bool,
}

/// A rule of a branch ruleset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BranchRule {
    /// Matching branches may not be created.
    Creation,
    /// Matching branches may not be updated.
    Update,
    /// Matching branches may not be deleted.
    Deletion,
    /// Changes only by a merged pull request.
    PullRequest,
    /// No force pushes.
    NonFastForward,
}

impl BranchRule {
    /// The rule's `type` in the API.
    pub fn word(self) -> &'static str {
        match self {
            BranchRule::Creation => "creation",
            BranchRule::Update => "update",
            BranchRule::Deletion => "deletion",
            BranchRule::PullRequest => "pull_request",
            BranchRule::NonFastForward => "non_fast_forward",
        }
    }
}

impl Ruleset {
    /// Whether the ruleset covers a branch.
    pub fn covers(&self, branch: &str, default_branch: &str) -> bool {
        self.branches.iter().any(|pattern| match pattern.as_str() {
            "~ALL" => true,
            "~DEFAULT_BRANCH" => branch == default_branch,
            pattern => matches_pattern(pattern.as_bytes(), branch.as_bytes()),
        })
    }
}

/// Ruby's `fnmatch` with `FNM_PATHNAME`, as far as branch patterns use it.
fn matches_pattern(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', b'*', rest @ ..], _) => {
            let rest = rest.strip_prefix(b"/").unwrap_or(rest);
            (0..=text.len()).any(|skip| matches_pattern(rest, &text[skip..]))
        }
        ([b'*', rest @ ..], _) => {
            let segment = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
            (0..=segment).any(|skip| matches_pattern(rest, &text[skip..]))
        }
        ([b'?', rest @ ..], [byte, text @ ..]) if *byte != b'/' => matches_pattern(rest, text),
        ([wanted, rest @ ..], [byte, text @ ..]) if wanted == byte => matches_pattern(rest, text),
        _ => false,
    }
}

impl Repository {
    /// Where a branch points; `None` when it does not exist.
    pub fn branch(&self, name: &str) -> Option<Oid> {
        self.references.get(&format!("refs/heads/{name}")).copied()
    }

    /// The head of the default branch; `None` for an empty repository.
    pub fn head(&self) -> Option<Oid> {
        self.branch(&self.default_branch)
    }

    /// Whether nothing was ever committed.
    pub fn is_empty(&self) -> bool {
        self.references.is_empty()
    }

    /// Branch names without `refs/heads/`, sorted, with their heads.
    pub fn branches(&self) -> impl Iterator<Item = (&str, Oid)> {
        self.references.iter().filter_map(|(name, oid)| Some((name.strip_prefix("refs/heads/")?, *oid)))
    }

    /// What a text like `main`, `refs/heads/main`, a full or short commit id,
    /// or `HEAD` points to.
    pub fn resolve(&self, revision: &str) -> Option<Oid> {
        if revision == "HEAD" {
            return self.head();
        }
        let candidates = [
            revision.to_owned(),
            format!("refs/{revision}"),
            format!("refs/heads/{revision}"),
            format!("refs/tags/{revision}"),
        ];
        let named = candidates.iter().find_map(|name| self.references.get(name).copied());
        named.or_else(|| self.objects.abbreviated(revision))
    }

    /// The label of that name, without regard to case.
    pub fn label_named(&self, name: &str) -> Option<&Label> {
        self.labels.values().find(|label| label.name.eq_ignore_ascii_case(name))
    }

    /// The comments of an issue or pull request, oldest first.
    pub fn comments_of(&self, number: u64) -> impl Iterator<Item = &Comment> {
        self.comments.values().filter(move |comment| comment.issue == number)
    }
}

/// Where a name leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A repository has this name now.
    Here(RepositoryId),
    /// A repository had this name; GitHub redirects.
    Moved(RepositoryId),
}

impl State {
    /// Every repository, by id.
    pub fn repositories(&self) -> impl Iterator<Item = &Repository> {
        self.repositories.values()
    }

    /// A repository by id, whoever asks.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn repository(&self, id: RepositoryId) -> Result<&Repository, Refusal> {
        self.repositories.get(&id).ok_or(Refusal::NotFound)
    }

    /// The repository of an id, for settings that no operation changes.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn repository_mut(&mut self, id: RepositoryId) -> Result<&mut Repository, Refusal> {
        self.repositories.get_mut(&id).ok_or(Refusal::NotFound)
    }

    /// The repository, unless it is archived: nothing in it can be written.
    pub(crate) fn writable(&self, id: RepositoryId) -> Result<&Repository, Refusal> {
        let repository = self.repository(id)?;
        if repository.archived { Err(Refusal::Archived) } else { Ok(repository) }
    }

    /// `owner/name` as it is now.
    pub fn full_name(&self, repository: &Repository) -> String {
        format!("{}/{}", self.login(repository.owner), repository.name)
    }

    /// Looks a name up for a caller, without regard to case. What the caller
    /// may not see is not found.
    pub fn find(&self, caller: &Caller, owner: &str, name: &str) -> Option<Found> {
        let full_name = format!("{owner}/{name}");
        let visible = |repository: &&Repository| self.can_see(caller, repository);
        let here = self.repositories().find(|repository| self.is_named(repository, owner, name));
        if here.is_some() {
            return here.filter(visible).map(|repository| Found::Here(repository.id));
        }
        let had_it = |repository: &&Repository| {
            repository.former_names.iter().any(|name| name.eq_ignore_ascii_case(&full_name))
        };
        self.repositories().filter(had_it).find(visible).map(|repository| Found::Moved(repository.id))
    }

    /// Whether it has this name now, without regard to case.
    fn is_named(&self, repository: &Repository, owner: &str, name: &str) -> bool {
        repository.name.eq_ignore_ascii_case(name) && self.login(repository.owner).eq_ignore_ascii_case(owner)
    }

    /// The rules that bind a branch, each with its ruleset.
    pub fn rules_of<'s>(
        &'s self,
        repository: &'s Repository,
        branch: &str,
    ) -> Vec<(&'s Ruleset, BranchRule)> {
        repository
            .rulesets
            .iter()
            .filter(|ruleset| ruleset.covers(branch, &repository.default_branch))
            .flat_map(|ruleset| ruleset.rules.iter().map(move |rule| (ruleset, *rule)))
            .collect()
    }

    /// Changes settings and tells the installations `repository.<action>`.
    fn change_repository(
        &mut self,
        caller: &Caller,
        id: RepositoryId,
        action: &'static str,
        changes: Value,
        change: impl FnOnce(&mut Repository),
    ) -> Result<(), Refusal> {
        self.require_role(caller, id, Role::Admin)?;
        let now = self.now();
        let repository = self.repository_mut(id)?;
        change(repository);
        repository.updated_at = now;
        let body = if changes.is_null() { json!({}) } else { json!({ "changes": changes }) };
        self.emit(caller, Scope::Repository(id), "repository", Some(action), body);
        Ok(())
    }

    /// Gives a repository another name; the old one redirects.
    ///
    /// # Errors
    /// Without the admin role; when the name is taken.
    pub fn rename(&mut self, caller: &Caller, id: RepositoryId, name: &str) -> Result<(), Refusal> {
        let repository = self.repository(id)?;
        let (old, full_name) = (repository.name.clone(), self.full_name(repository));
        let owner = self.login(repository.owner).to_owned();
        self.free_name(&owner, name)?;
        let changes = json!({ "repository": { "name": { "from": old } } });
        self.change_repository(caller, id, "renamed", changes, |repository| {
            repository.former_names.push(full_name);
            name.clone_into(&mut repository.name);
        })
    }

    /// Whether this GitHub has repositories of that visibility.
    pub(crate) fn may_be(&self, visibility: Visibility) -> Result<(), Refusal> {
        if self.flavor == Flavor::DataResidency && visibility == Visibility::Public {
            return Err(Refusal::Unprocessable("Visibility can't be public in this enterprise.".to_owned()));
        }
        Ok(())
    }

    pub(crate) fn free_name(&self, owner: &str, name: &str) -> Result<(), Refusal> {
        let taken = self.repositories().any(|repository| self.is_named(repository, owner, name));
        if taken {
            return Err(Refusal::custom("Repository", "name", "name already exists on this account"));
        }
        Ok(())
    }

    /// Moves a repository to another account; the old name redirects.
    ///
    /// # Errors
    /// Without the admin role; when the new owner already has that name.
    pub fn transfer(&mut self, caller: &Caller, id: RepositoryId, to: AccountId) -> Result<(), Refusal> {
        let repository = self.repository(id)?;
        let (from, full_name) = (repository.owner, self.full_name(repository));
        let name = repository.name.clone();
        let to_login = self.account(to).ok_or(Refusal::NotFound)?.login.clone();
        self.free_name(&to_login, &name)?;
        let key = match self.account(from).and_then(crate::state::Account::organization) {
            Some(_) => "organization",
            None => "user",
        };
        let changes = json!({ "owner": { "from": { key: self.simple_user(from) } } });
        let losing = self.installations_on(id);
        self.change_repository(caller, id, "transferred", changes, |repository| {
            repository.former_names.push(full_name);
            repository.owner = to;
            repository.collaborators.clear();
        })?;
        self.dropped_from(caller, &losing, id);
        Ok(())
    }

    /// Makes a repository read-only, or writable again.
    ///
    /// # Errors
    /// Without the admin role.
    pub fn set_archived(&mut self, caller: &Caller, id: RepositoryId, archived: bool) -> Result<(), Refusal> {
        let action = if archived { "archived" } else { "unarchived" };
        self.change_repository(caller, id, action, Value::Null, |repository| {
            repository.archived = archived;
        })
    }

    /// Changes who may see a repository. Becoming public also sends `public`.
    ///
    /// # Errors
    /// Without the admin role; `Unprocessable` when this GitHub has none of
    /// that visibility.
    pub fn set_visibility(
        &mut self,
        caller: &Caller,
        id: RepositoryId,
        visibility: Visibility,
    ) -> Result<(), Refusal> {
        self.may_be(visibility)?;
        let was = self.repository(id)?.visibility;
        let action = match visibility {
            Visibility::Public => "publicized",
            Visibility::Internal | Visibility::Private => "privatized",
        };
        self.change_repository(caller, id, action, Value::Null, |repository| {
            repository.visibility = visibility;
        })?;
        if visibility == Visibility::Public && was != Visibility::Public {
            self.emit(caller, Scope::Repository(id), "public", None, json!({}));
        }
        Ok(())
    }

    /// Makes another existing branch the default one.
    ///
    /// # Errors
    /// Without the admin role; when the branch does not exist.
    pub fn set_default_branch(
        &mut self,
        caller: &Caller,
        id: RepositoryId,
        branch: &str,
    ) -> Result<(), Refusal> {
        let repository = self.repository(id)?;
        if repository.branch(branch).is_none() {
            return Err(Refusal::custom(
                "Repository",
                "default_branch",
                format!(
                    "The branch {branch} was not found. Please push that ref first or create it via the Git Data API."
                ),
            ));
        }
        let changes = json!({ "default_branch": { "from": repository.default_branch } });
        self.change_repository(caller, id, "edited", changes, |repository| {
            branch.clone_into(&mut repository.default_branch);
        })
    }

    /// Sets description, homepage and topics.
    ///
    /// # Errors
    /// Without the admin role.
    pub fn set_topics(
        &mut self,
        caller: &Caller,
        id: RepositoryId,
        topics: Vec<String>,
    ) -> Result<(), Refusal> {
        let changes = json!({ "topics": { "from": self.repository(id)?.topics } });
        self.change_repository(caller, id, "edited", changes, |repository| {
            repository.topics = topics;
        })
    }

    /// Sets or clears the description.
    ///
    /// # Errors
    /// Without the admin role.
    pub fn set_description(
        &mut self,
        caller: &Caller,
        id: RepositoryId,
        description: Option<String>,
    ) -> Result<(), Refusal> {
        let changes = json!({ "description": { "from": self.repository(id)?.description } });
        self.change_repository(caller, id, "edited", changes, |repository| {
            repository.description = description;
        })
    }

    /// Switches issues on or off. GitHub sends no event for it.
    ///
    /// # Errors
    /// Without the admin role.
    pub fn set_issues_enabled(
        &mut self,
        caller: &Caller,
        id: RepositoryId,
        enabled: bool,
    ) -> Result<(), Refusal> {
        self.require_role(caller, id, Role::Admin)?;
        self.repository_mut(id)?.has_issues = enabled;
        Ok(())
    }

    /// Switches pull requests on or off ("Disabling pull requests"). GitHub
    /// sends no event for it.
    ///
    /// # Errors
    /// Without the admin role.
    pub fn set_pull_requests_enabled(
        &mut self,
        caller: &Caller,
        id: RepositoryId,
        enabled: bool,
    ) -> Result<(), Refusal> {
        self.require_role(caller, id, Role::Admin)?;
        self.repository_mut(id)?.has_pull_requests = enabled;
        Ok(())
    }

    /// Deletes a repository for good, telling `repository.deleted` and, where
    /// repositories are selected, `installation_repositories.removed`.
    ///
    /// # Errors
    /// Without the admin role.
    pub fn delete_repository(&mut self, caller: &Caller, id: RepositoryId) -> Result<(), Refusal> {
        let installed = self.installations_on(id);
        self.change_repository(caller, id, "deleted", Value::Null, |_| {})?;
        self.dropped_from(caller, &installed, id);
        self.repositories.remove(&id);
        Ok(())
    }
}
