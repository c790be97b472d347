//! What was described becomes state: organizations, repositories, installations.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::json;

use super::{NewInstallation, NewOrganization, NewRepository};
use crate::git::{Commit, Files, Mode, Object, Objects, Oid, Signature};
use crate::state::{
    AccountId, AccountKind, Caller, Organization, Refusal, Repository, RepositoryId, Ruleset, Scope, State,
};

impl State {
    /// The user of a login, made if there is none.
    pub fn person(&mut self, login: &str) -> AccountId {
        match self.account_named(login) {
            Some(account) => account.id,
            None => self.add_account(login, AccountKind::User),
        }
    }

    /// Makes an organization as described; nobody is told.
    ///
    /// # Panics
    /// When two of its repositories have the same name.
    pub fn add_organization(&mut self, new: NewOrganization) -> AccountId {
        let mut members: BTreeMap<AccountId, bool> = BTreeMap::new();
        for (login, owner) in new.members {
            members.insert(self.person(&login), owner);
        }
        let (base_role, free) = (new.base_role, new.free);
        let kind = AccountKind::Organization(Organization { members, base_role, free });
        let id = self.add_account(&new.login, kind);
        for repository in new.repositories {
            self.plant(id, repository).expect("the repositories described can be made");
        }
        id
    }

    pub(super) fn install_described(&mut self, new: NewInstallation) {
        let account = self
            .account_named(&new.account)
            .unwrap_or_else(|| panic!("installation on {:?}: describe that account too", new.account))
            .id;
        let selected = new.selected.map(|names| {
            let id = |name: &String| {
                let full_name = format!("{}/{name}", new.account);
                self.described(&full_name)
            };
            names.iter().map(id).collect()
        });
        let owner = self.app().owner;
        let id = self.install(owner, account, selected, new.permissions);
        if new.suspended {
            self.set_suspended(owner, id, true).expect("it was installed a moment ago");
        }
    }

    fn described(&self, full_name: &str) -> RepositoryId {
        let found = self.repositories().find(|home| self.full_name(home) == full_name);
        found.unwrap_or_else(|| panic!("{full_name}: describe that repository first")).id
    }

    /// Makes a repository as described, with its first commit.
    ///
    /// # Errors
    /// `Invalid` when the owner has one of that name, `Unprocessable` when
    /// this GitHub has none of that visibility.
    pub fn plant(&mut self, owner: AccountId, new: NewRepository) -> Result<RepositoryId, Refusal> {
        let login = self.login(owner).to_owned();
        self.free_name(&login, &new.name)?;
        self.may_be(new.visibility)?;
        let now = self.now();
        let created_at = new.created_at.unwrap_or(now - SignedDuration::from_hours(24 * 90));
        let id = self.next_id();
        let fork_of = new.fork_of.as_deref().map(|name| self.described(name));
        let template = new.template.as_deref().map(|name| self.described(name));
        let (mut objects, mut references) = match fork_of {
            Some(upstream) => {
                let upstream = self.repository(upstream)?;
                (upstream.objects.clone(), upstream.references.clone())
            }
            None => (Objects::default(), BTreeMap::new()),
        };
        let branch = format!("refs/heads/{}", new.default_branch);
        if !new.empty && (fork_of.is_none() || !new.files.is_empty()) {
            let author = self.account(owner).map_or_else(String::new, |account| account.noreply());
            let parent = references.get(&branch).copied();
            let signature = Signature { name: login, email: author, at: created_at };
            let commit = first_commit(&mut objects, new.files, parent, signature, owner);
            references.insert(branch, commit);
        }
        let rulesets = new.rulesets.into_iter().map(|(branches, rules, app_bypasses)| {
            let id = self.next_id();
            Ruleset { id, name: format!("ruleset {id}"), branches, rules, app_bypasses }
        });
        let rulesets = rulesets.collect();
        let collaborators = new.roles.into_iter().map(|(login, role)| (self.person(&login), role)).collect();
        let repository = Repository {
            id,
            owner,
            name: new.name,
            description: new.description,
            homepage: new.homepage,
            topics: new.topics,
            custom_properties: new.custom_properties,
            visibility: new.visibility,
            archived: new.archived,
            disabled: false,
            fork_of,
            mirror_url: new.mirror_url,
            is_template: new.is_template,
            template,
            default_branch: new.default_branch,
            has_issues: new.has_issues,
            has_pull_requests: new.has_pull_requests,
            languages: new.languages,
            license: new.license,
            created_at,
            updated_at: created_at,
            pushed_at: created_at,
            objects,
            references,
            issues: BTreeMap::new(),
            comments: BTreeMap::new(),
            labels: BTreeMap::new(),
            check_suites: BTreeMap::new(),
            check_runs: BTreeMap::new(),
            rulesets,
            collaborators,
            former_names: Vec::new(),
            traffic: BTreeMap::new(),
        };
        self.repositories.insert(id, repository);
        // A new repository takes the name away from whoever redirected it.
        let full_name = self.full_name(self.repository(id)?);
        for other in self.repositories.values_mut() {
            other.former_names.retain(|name| !name.eq_ignore_ascii_case(&full_name));
        }
        Ok(id)
    }

    /// Makes a repository while the sandbox runs, telling `repository.created`.
    ///
    /// # Errors
    /// `Invalid` when the owner has one of that name.
    pub fn create_repository(
        &mut self,
        caller: &Caller,
        owner: AccountId,
        mut new: NewRepository,
    ) -> Result<RepositoryId, Refusal> {
        new.created_at = new.created_at.or(Some(self.now()));
        let id = self.plant(owner, new)?;
        self.emit(caller, Scope::Repository(id), "repository", Some("created"), json!({}));
        Ok(id)
    }
}

fn first_commit(
    objects: &mut Objects,
    files: Vec<(String, Mode, Bytes)>,
    parent: Option<Oid>,
    signature: Signature,
    account: AccountId,
) -> Oid {
    let mut tree: Files = parent
        .and_then(|oid| objects.commit(oid))
        .map_or_else(Files::new, |commit| objects.files(commit.tree));
    for (path, mode, content) in files {
        let oid = match mode {
            // Some commit of another repository: any id will do.
            Mode::Submodule => Oid::of("commit", path.as_bytes()),
            Mode::File | Mode::Executable | Mode::Symlink | Mode::Directory => objects.insert_blob(content),
        };
        tree.insert(path, (mode, oid));
    }
    let tree = objects.write_tree(&tree);
    objects.insert(Object::Commit(Commit {
        tree,
        parents: parent.into_iter().collect(),
        author: signature.clone(),
        committer: signature,
        message: "Initial commit".to_owned(),
        verified: false,
        account: Some(account),
    }))
}
