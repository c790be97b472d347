//! Branches, commits and pushes, and what they do to pull requests.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    AccountId, BranchRule, Caller, Need, Permission, Refusal, Repository, RepositoryId, Role, Scope, State,
};
use crate::git::{Commit, FileStatus, Files, Mode, Object, Oid, Signature, TreeEntry};

/// One reference to move (GraphQL input `RefUpdate`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefUpdate {
    /// Full name: `refs/heads/…`.
    pub name: String,
    /// Where it must be now; zero for "must not exist"; `None` for anywhere.
    pub before: Option<Oid>,
    /// Where it shall point; zero deletes it.
    pub after: Oid,
    /// Whether it may leave its history.
    pub force: bool,
}

/// A commit to make on a branch (GraphQL input `CreateCommitOnBranchInput`).
#[derive(Debug, Clone)]
pub struct CommitOnBranch {
    /// Branch without `refs/heads/`.
    pub branch: String,
    /// Where the branch must be.
    pub expected_head: Oid,
    /// Headline, blank line, body.
    pub message: String,
    /// Paths and their new content; modes cannot be said.
    pub additions: Vec<(String, Bytes)>,
    /// Paths to delete.
    pub deletions: Vec<String>,
}

/// A file somebody pushes.
#[derive(Debug, Clone)]
pub enum FilePush {
    /// Write this content with this mode.
    Write(Mode, Bytes),
    /// A submodule at a foreign commit.
    Submodule(Oid),
    /// Delete it.
    Delete,
}

/// Who may be attributed a commit.
struct Authorship {
    author: Signature,
    committer: Signature,
    verified: bool,
}

const WEB_FLOW: (&str, &str) = ("GitHub", "noreply@github.com");

impl State {
    fn authorship(&self, actor: AccountId, by_github: bool) -> Authorship {
        let at = self.now();
        let (name, email) = self.account(actor).map_or_else(
            || ("ghost".to_owned(), String::new()),
            |account| (account.name.clone().unwrap_or_else(|| account.login.clone()), account.noreply()),
        );
        let author = Signature { name, email, at };
        let committer = if by_github {
            Signature { name: WEB_FLOW.0.to_owned(), email: WEB_FLOW.1.to_owned(), at }
        } else {
            author.clone()
        };
        Authorship { author, committer, verified: by_github && self.signs_commits }
    }

    /// Refuses what a ruleset forbids for this reference.
    fn check_rules(
        &self,
        caller: &Caller,
        repository: &Repository,
        update: &RefUpdate,
        by_merge: bool,
    ) -> Result<(), Refusal> {
        let Some(branch) = update.name.strip_prefix("refs/heads/") else { return Ok(()) };
        let current = repository.references.get(&update.name).copied();
        let deletes = update.after.is_zero();
        for (ruleset, rule) in self.rules_of(repository, branch) {
            if ruleset.app_bypasses && matches!(caller, Caller::Installation(_)) {
                continue;
            }
            let broken = match (rule, current) {
                (BranchRule::Creation, None) => Some("Cannot create ref due to creations being restricted."),
                (BranchRule::Update, Some(_)) if !deletes => Some("Cannot update this protected ref."),
                (BranchRule::Deletion, Some(_)) if deletes => Some("Cannot delete this protected ref."),
                (BranchRule::PullRequest, Some(_)) if !deletes && !by_merge => {
                    Some("Changes must be made through a pull request.")
                }
                (BranchRule::NonFastForward, Some(head))
                    if !deletes && !repository.objects.is_ancestor(head, update.after) =>
                {
                    Some("Cannot force-push to this branch.")
                }
                (
                    BranchRule::Creation
                    | BranchRule::Update
                    | BranchRule::Deletion
                    | BranchRule::PullRequest
                    | BranchRule::NonFastForward,
                    _,
                ) => None,
            };
            if let Some(sentence) = broken {
                return Err(Refusal::RuleViolation(sentence.to_owned()));
            }
        }
        Ok(())
    }

    /// Everything that can be wrong with moving one reference.
    fn check_update(
        &self,
        caller: &Caller,
        repository: &Repository,
        update: &RefUpdate,
    ) -> Result<(), Refusal> {
        let well_formed = update.name.starts_with("refs/")
            && update.name.split('/').count() >= 3
            && !update.name.contains([' ', '~', '^', ':', '?', '*', '[', '\\'])
            && !update.name.contains("..")
            && !update.name.ends_with('/')
            && !update.name.split('/').any(str::is_empty);
        if !well_formed {
            return Err(Refusal::Unprocessable(format!(
                "Reference name {:?} is not well formed",
                update.name
            )));
        }
        let current = repository.references.get(&update.name).copied();
        if let Some(before) = update.before
            && before != current.unwrap_or(Oid::ZERO)
        {
            return Err(Refusal::StaleData { actual: current.unwrap_or(Oid::ZERO) });
        }
        if update.after.is_zero() {
            current.ok_or_else(|| Refusal::Unprocessable("Reference does not exist".to_owned()))?;
            if update.name == format!("refs/heads/{}", repository.default_branch) {
                return Err(Refusal::Unprocessable("Cannot delete the default branch".to_owned()));
            }
        } else {
            if repository.is_empty() {
                return Err(Refusal::EmptyRepository);
            }
            if repository.objects.commit(update.after).is_none() {
                return Err(Refusal::Unprocessable("Object does not exist".to_owned()));
            }
            let nested = |name: &String| {
                name.starts_with(&format!("{}/", update.name)) || update.name.starts_with(&format!("{name}/"))
            };
            if current.is_none() && repository.references.keys().any(nested) {
                return Err(Refusal::Unprocessable("Reference update failed".to_owned()));
            }
            if let Some(head) = current
                && !update.force
                && !repository.objects.is_ancestor(head, update.after)
            {
                return Err(Refusal::Unprocessable("Update is not a fast forward".to_owned()));
            }
        }
        self.check_rules(caller, repository, update, false)?;
        self.check_workflows(caller, repository, update)
    }

    /// A token without `workflows: write` may not bring changes of workflow
    /// files into a branch.
    fn check_workflows(
        &self,
        caller: &Caller,
        repository: &Repository,
        update: &RefUpdate,
    ) -> Result<(), Refusal> {
        let Caller::Installation(grant) = caller else { return Ok(()) };
        let Some(new) = repository.objects.commit(update.after) else { return Ok(()) };
        if grant.holds(Need::write(Permission::Workflows)) {
            return Ok(());
        }
        // A branch that starts at any known head brings nothing new.
        let before = repository.references.get(&update.name).copied().or(repository.head());
        let known = repository.references.values().any(|head| *head == update.after);
        let before = before.and_then(|oid| repository.objects.commit(oid)).map(|c| c.tree);
        let touches = !known
            && repository
                .objects
                .diff(before, Some(new.tree))
                .iter()
                .any(|file| file.path.starts_with(".github/workflows/"));
        if touches {
            return Err(Refusal::Forbidden(
                "Refusing to allow a GitHub App to create or update workflow without `workflows` permission",
            ));
        }
        Ok(())
    }

    /// Creates a reference (`refs/heads/…`) at an existing commit.
    ///
    /// # Errors
    /// `Unprocessable` when it exists or the commit does not,
    /// `EmptyRepository`, `RuleViolation`, `Archived`; people need write.
    pub fn create_ref(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        name: &str,
        at: Oid,
    ) -> Result<(), Refusal> {
        if self.repository(repository)?.references.contains_key(name) {
            return Err(Refusal::Unprocessable("Reference already exists".to_owned()));
        }
        let update = RefUpdate { name: name.to_owned(), before: None, after: at, force: false };
        self.update_refs(caller, repository, vec![update])
    }

    /// Moves a reference.
    ///
    /// # Errors
    /// `Unprocessable` when it does not exist or would leave its history
    /// without `force`; `RuleViolation`, `Archived`; people need write.
    pub fn update_ref(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        name: &str,
        to: Oid,
        force: bool,
    ) -> Result<(), Refusal> {
        if !self.repository(repository)?.references.contains_key(name) {
            return Err(Refusal::Unprocessable("Reference does not exist".to_owned()));
        }
        let update = RefUpdate { name: name.to_owned(), before: None, after: to, force };
        self.update_refs(caller, repository, vec![update])
    }

    /// Deletes a reference.
    ///
    /// # Errors
    /// `Unprocessable` when it does not exist or is the default branch;
    /// `RuleViolation`, `Archived`; people need write.
    pub fn delete_ref(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        name: &str,
    ) -> Result<(), Refusal> {
        let update = RefUpdate { name: name.to_owned(), before: None, after: Oid::ZERO, force: true };
        self.update_refs(caller, repository, vec![update])
    }

    /// Moves several references together, or none (mutation `updateRefs`).
    ///
    /// # Errors
    /// `StaleData` where one is not at its `before`; otherwise as the single
    /// operations.
    pub fn update_refs(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        updates: Vec<RefUpdate>,
    ) -> Result<(), Refusal> {
        self.require_role(caller, repository, Role::Write)?;
        let home = self.writable(repository)?;
        updates.iter().try_for_each(|update| self.check_update(caller, home, update))?;
        for update in updates {
            self.move_ref(caller, repository, &update.name, update.after)?;
        }
        Ok(())
    }

    /// Commits on top of a branch, signed by GitHub (mutation
    /// `createCommitOnBranch`); returns the new commit.
    ///
    /// # Errors
    /// `NotFound` for a missing branch (also in an empty repository: no first
    /// commit is possible), `StaleData`, `RuleViolation`, `Archived`,
    /// `Unprocessable` for deleting what is not there or changing nothing.
    pub fn commit_on_branch(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        commit: CommitOnBranch,
    ) -> Result<Oid, Refusal> {
        let actor = self.require_role(caller, repository, Role::Write)?;
        let head = self.writable(repository)?.branch(&commit.branch).ok_or(Refusal::NotFound)?;
        if head != commit.expected_head {
            return Err(Refusal::StaleData { actual: head });
        }
        let authorship = self.authorship(actor, true);
        let home = self.repository_mut(repository)?;
        let parent = home.objects.commit(head).ok_or(Refusal::NotFound)?;
        let mut files = home.objects.files(parent.tree);
        for path in &commit.deletions {
            if files.remove(path).is_none() {
                return Err(Refusal::Unprocessable(format!(
                    "A path was requested for deletion which does not exist as of commit oid `{head}`"
                )));
            }
        }
        for (path, content) in commit.additions {
            check_path(&path)?;
            let oid = home.objects.insert_blob(content);
            // The mutation cannot say a mode: an existing file keeps its own.
            let mode = files.get(&path).map_or(Mode::File, |(mode, _)| *mode);
            put(&mut files, path, mode, oid);
        }
        let tree = home.objects.write_tree(&files);
        let new = home.objects.insert(Object::Commit(Commit {
            tree,
            parents: vec![head],
            author: authorship.author,
            committer: authorship.committer,
            message: commit.message,
            verified: authorship.verified,
            account: Some(actor),
        }));
        let name = format!("refs/heads/{}", commit.branch);
        let update = RefUpdate { name, before: Some(head), after: new, force: false };
        self.check_update(caller, self.repository(repository)?, &update)?;
        self.move_ref(caller, repository, &update.name, new)?;
        Ok(new)
    }

    /// What `git push` of one new commit does; the branch is made from the
    /// default branch when missing, and a first commit may be pushed.
    /// Returns the new commit.
    ///
    /// # Errors
    /// `RuleViolation`, `Archived`; people need write.
    pub fn push(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        branch: &str,
        changes: Vec<(String, FilePush)>,
        message: &str,
    ) -> Result<Oid, Refusal> {
        let actor = self.require_role(caller, repository, Role::Write)?;
        let authorship = self.authorship(actor, false);
        let home = self.writable(repository)?;
        let name = format!("refs/heads/{branch}");
        let parent = home.branch(branch).or_else(|| home.head());
        let first = home.is_empty();
        let home = self.repository_mut(repository)?;
        let mut files = parent
            .and_then(|oid| home.objects.commit(oid))
            .map_or_else(Files::new, |commit| home.objects.files(commit.tree));
        for (path, change) in changes {
            match change {
                FilePush::Write(mode, content) => {
                    let oid = home.objects.insert_blob(content);
                    put(&mut files, path, mode, oid);
                }
                FilePush::Submodule(oid) => put(&mut files, path, Mode::Submodule, oid),
                FilePush::Delete => {
                    files.remove(&path);
                }
            }
        }
        let tree = home.objects.write_tree(&files);
        let new = home.objects.insert(Object::Commit(Commit {
            tree,
            parents: parent.into_iter().collect(),
            author: authorship.author,
            committer: authorship.committer,
            message: message.to_owned(),
            verified: false,
            account: Some(actor),
        }));
        if !first {
            let update = RefUpdate { name: name.clone(), before: None, after: new, force: false };
            self.check_update(caller, self.repository(repository)?, &update)?;
        }
        self.move_ref(caller, repository, &name, new)?;
        Ok(new)
    }

    /// What `git commit --amend` and a forced push do: the tip of the branch
    /// is made anew with these files written. The author stays, the committer
    /// is who amends, and GitHub's signature is gone. Returns the new commit.
    ///
    /// # Errors
    /// `NotFound` for a missing branch; `RuleViolation`, `Archived`; people
    /// need write.
    pub fn amend(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        branch: &str,
        changes: Vec<(String, Bytes)>,
    ) -> Result<Oid, Refusal> {
        let actor = self.require_role(caller, repository, Role::Write)?;
        let committer = self.authorship(actor, false).committer;
        let head = self.writable(repository)?.branch(branch).ok_or(Refusal::NotFound)?;
        let home = self.repository_mut(repository)?;
        let tip = home.objects.commit(head).ok_or(Refusal::NotFound)?.clone();
        let mut files = home.objects.files(tip.tree);
        for (path, content) in changes {
            let oid = home.objects.insert_blob(content);
            put(&mut files, path, Mode::File, oid);
        }
        let tree = home.objects.write_tree(&files);
        let new = home.objects.insert(Object::Commit(Commit { tree, committer, verified: false, ..tip }));
        let name = format!("refs/heads/{branch}");
        let update = RefUpdate { name: name.clone(), before: Some(head), after: new, force: true };
        self.check_update(caller, self.repository(repository)?, &update)?;
        self.move_ref(caller, repository, &name, new)?;
        Ok(new)
    }

    /// Stores a blob (`POST git/blobs`).
    ///
    /// # Errors
    /// `EmptyRepository`, `Archived`; people need write.
    pub fn create_blob(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        content: Bytes,
    ) -> Result<Oid, Refusal> {
        self.require_role(caller, repository, Role::Write)?;
        if self.writable(repository)?.is_empty() {
            return Err(Refusal::EmptyRepository);
        }
        Ok(self.repository_mut(repository)?.objects.insert_blob(content))
    }

    /// Stores a tree (`POST git/trees`): `base` with these paths changed;
    /// `None` deletes a path.
    ///
    /// # Errors
    /// `Unprocessable` for objects that do not exist, `EmptyRepository`,
    /// `Archived`; people need write.
    pub fn create_tree(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        base: Option<Oid>,
        changes: Vec<(String, Option<(Mode, Oid)>)>,
    ) -> Result<Oid, Refusal> {
        self.require_role(caller, repository, Role::Write)?;
        if self.writable(repository)?.is_empty() {
            return Err(Refusal::EmptyRepository);
        }
        let objects = &mut self.repository_mut(repository)?.objects;
        let base = match base {
            None => None,
            Some(oid) => Some(
                objects
                    .commit(oid)
                    .map(|commit| commit.tree)
                    .or(objects.tree(oid).map(|_| oid))
                    .ok_or_else(|| Refusal::Unprocessable("base_tree is not a valid tree oid".to_owned()))?,
            ),
        };
        let mut files = base.map_or_else(Files::new, |tree| objects.files(tree));
        for (path, entry) in changes {
            check_path(&path)?;
            match entry {
                None => {
                    files.remove(&path);
                }
                Some((Mode::Directory, tree)) => {
                    let inner: Vec<(String, TreeEntry)> = objects.entries(tree);
                    for (inner, entry) in inner {
                        if entry.mode != Mode::Directory {
                            put(&mut files, format!("{path}/{inner}"), entry.mode, entry.oid);
                        }
                    }
                }
                Some((mode, oid)) => {
                    if mode != Mode::Submodule && objects.blob(oid).is_none() {
                        return Err(Refusal::Unprocessable(format!("tree.sha {oid} is not a valid blob")));
                    }
                    put(&mut files, path, mode, oid);
                }
            }
        }
        Ok(objects.write_tree(&files))
    }

    /// Stores a commit without moving a branch (`POST git/commits`), unsigned.
    ///
    /// # Errors
    /// `Unprocessable` for a tree or parents that do not exist,
    /// `EmptyRepository`, `Archived`; people need write.
    pub fn create_commit(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        tree: Oid,
        parents: Vec<Oid>,
        message: &str,
    ) -> Result<Oid, Refusal> {
        let actor = self.require_role(caller, repository, Role::Write)?;
        if self.writable(repository)?.is_empty() {
            return Err(Refusal::EmptyRepository);
        }
        let authorship = self.authorship(actor, false);
        let objects = &mut self.repository_mut(repository)?.objects;
        if objects.tree(tree).is_none() {
            return Err(Refusal::Unprocessable("Tree SHA does not exist".to_owned()));
        }
        if parents.iter().any(|parent| objects.commit(*parent).is_none()) {
            return Err(Refusal::Unprocessable(
                "Parent SHA does not exist or is not a commit object".to_owned(),
            ));
        }
        Ok(objects.insert(Object::Commit(Commit {
            tree,
            parents,
            author: authorship.author,
            committer: authorship.committer,
            message: message.to_owned(),
            verified: false,
            account: Some(actor),
        })))
    }

    /// Puts a merge commit onto a branch; the pull request was checked.
    pub(crate) fn commit_merge(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        base: &str,
        files: &Files,
        parents: Vec<Oid>,
        message: String,
    ) -> Result<Oid, Refusal> {
        let actor = self.actor(caller)?;
        let authorship = self.authorship(actor, true);
        let objects = &mut self.repository_mut(repository)?.objects;
        let tree = objects.write_tree(files);
        let new = objects.insert(Object::Commit(Commit {
            tree,
            parents,
            author: authorship.author,
            committer: authorship.committer,
            message,
            verified: authorship.verified,
            account: Some(actor),
        }));
        let name = format!("refs/heads/{base}");
        let update = RefUpdate { name, before: None, after: new, force: false };
        self.check_rules(caller, self.repository(repository)?, &update, true)?;
        Ok(new)
    }

    /// Moves a reference without asking, and does what follows: push event,
    /// check suite, pull requests synchronised or closed.
    pub(crate) fn move_ref(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        name: &str,
        after: Oid,
    ) -> Result<(), Refusal> {
        let now = self.now();
        let home = self.repository_mut(repository)?;
        let before = if after.is_zero() {
            home.references.remove(name)
        } else {
            home.references.insert(name.to_owned(), after)
        };
        let before = before.unwrap_or(Oid::ZERO);
        if before == after {
            return Ok(());
        }
        home.pushed_at = now;
        let body = self.push_body(repository, name, before, after)?;
        self.emit(caller, Scope::Repository(repository), "push", None, body);
        let Some(branch) = name.strip_prefix("refs/heads/") else { return Ok(()) };
        if !after.is_zero() {
            let suite = self.check_suite(repository, after, Some(branch))?;
            self.emit_check_suite(caller, repository, suite, "requested")?;
        }
        self.follow_head(caller, repository, branch, before, after)?;
        self.follow_base(caller, repository, branch, after)
    }

    /// The event's own fields of a push (schema `webhook-push`).
    fn push_body(
        &self,
        repository: RepositoryId,
        name: &str,
        before: Oid,
        after: Oid,
    ) -> Result<Value, Refusal> {
        let home = self.repository(repository)?;
        let objects = &home.objects;
        let known = if before.is_zero() { home.head().filter(|head| *head != after) } else { Some(before) };
        let mut commits = match (after.is_zero(), known) {
            (true, _) => Vec::new(),
            (false, Some(known)) => objects.commits_between(known, after),
            (false, None) => objects.history(after),
        };
        commits.reverse();
        // GitHub lists 2,048 commits at most.
        commits.truncate(2048);
        let commits: Vec<Value> =
            commits.into_iter().map(|(oid, commit)| self.push_commit(home, oid, commit)).collect();
        let head = objects.commit(after).map(|commit| self.push_commit(home, after, commit));
        let forced = !before.is_zero() && !after.is_zero() && !objects.is_ancestor(before, after);
        Ok(json!({
            "ref": name,
            "before": before,
            "after": after,
            "created": before.is_zero(),
            "deleted": after.is_zero(),
            "forced": forced,
            "base_ref": null,
            "compare": format!("{}/compare/{before}...{after}", self.html_url(home)),
            "commits": commits,
            "head_commit": head,
        }))
    }

    fn push_commit(&self, home: &Repository, oid: Oid, commit: &Commit) -> Value {
        let objects = &home.objects;
        let parent = commit.parents.first().and_then(|oid| objects.commit(*oid));
        let changes = objects.diff(parent.map(|parent| parent.tree), Some(commit.tree));
        let paths = |status: FileStatus| -> Vec<&str> {
            changes.iter().filter(|c| c.status == status).map(|c| c.path.as_str()).collect()
        };
        let person = |who: &Signature| {
            let username = commit.account.map(|id| self.login(id));
            json!({ "name": who.name, "email": who.email, "username": username })
        };
        json!({
            "id": oid,
            "tree_id": commit.tree,
            "distinct": true,
            "message": commit.message,
            "timestamp": commit.committer.at,
            "url": format!("{}/commit/{oid}", self.html_url(home)),
            "author": person(&commit.author),
            "committer": person(&commit.committer),
            "added": paths(FileStatus::Added),
            "removed": paths(FileStatus::Removed),
            "modified": paths(FileStatus::Modified),
        })
    }
}

/// Puts a file into a tree; a file and a directory of one name exclude each
/// other, the newcomer wins as in git.
fn put(files: &mut Files, path: String, mode: Mode, oid: Oid) {
    let beneath = format!("{path}/");
    files.retain(|other, _| !other.starts_with(&beneath) && !path.starts_with(&format!("{other}/")));
    files.insert(path, (mode, oid));
}

/// Refuses paths git does not allow in a tree.
fn check_path(path: &str) -> Result<(), Refusal> {
    let bad = |name: &str| matches!(name, "" | "." | "..") || name.eq_ignore_ascii_case(".git");
    if path.split('/').any(bad) || path.contains('\0') {
        return Err(Refusal::Unprocessable(format!(
            "A path was requested that is not well formed: {path:?}"
        )));
    }
    Ok(())
}
