//! People acting, for tests and demonstrations.
//!
//! What a person may not do fails the test that lets them try; to see GitHub
//! refuse a person, call the operation of [`State`] itself.

use bytes::Bytes;

use crate::build::NewRepository;
use crate::git::{Mode, Oid};
use crate::sandbox::Sandbox;
use crate::state::{
    AccountId, Caller, FilePush, IssueChange, MergeMethod, NewIssue, NewPullRequest, Refusal, RepositoryId,
    ReviewVerdict, Role, State, Subject, Visibility,
};

/// A person at work. Repositories are named `owner/name`.
#[derive(Clone)]
pub struct User {
    sandbox: Sandbox,
    id: AccountId,
    login: String,
}

impl Sandbox {
    /// The person of a login, made if there is none.
    pub fn user(&self, login: &str) -> User {
        let id = self.change(|state| state.person(login));
        User { sandbox: self.clone(), id, login: login.to_owned() }
    }
}

impl User {
    /// The account's id.
    pub fn id(&self) -> AccountId {
        self.id
    }

    fn act<T>(
        &self,
        repository: &str,
        act: impl FnOnce(&mut State, &Caller, RepositoryId) -> Result<T, Refusal>,
    ) -> T {
        let id = self.sandbox.repository_id(repository);
        let caller = Caller::Person(self.id);
        let outcome = self.sandbox.change(|state| act(state, &caller, id));
        outcome
            .unwrap_or_else(|refusal| panic!("{} may not do that in {repository}: {refusal:?}", self.login))
    }

    /// Pushes one commit that writes these files; returns it.
    pub fn push(&self, repository: &str, branch: &str, files: &[(&str, &str)], message: &str) -> Oid {
        let write = |(path, content): &(&str, &str)| {
            let content = Bytes::copy_from_slice(content.as_bytes());
            ((*path).to_owned(), FilePush::Write(Mode::File, content))
        };
        self.push_changes(repository, branch, files.iter().map(write).collect(), message)
    }

    /// Pushes one commit that deletes these paths; returns it.
    pub fn delete_files(&self, repository: &str, branch: &str, paths: &[&str], message: &str) -> Oid {
        let delete = |path: &&str| ((*path).to_owned(), FilePush::Delete);
        self.push_changes(repository, branch, paths.iter().map(delete).collect(), message)
    }

    /// Pushes one commit with any changes; returns it.
    pub fn push_changes(
        &self,
        repository: &str,
        branch: &str,
        changes: Vec<(String, FilePush)>,
        message: &str,
    ) -> Oid {
        self.act(repository, |state, caller, id| state.push(caller, id, branch, changes, message))
    }

    /// Force-pushes a branch to a commit that exists.
    pub fn force_push(&self, repository: &str, branch: &str, to: Oid) {
        let name = format!("refs/heads/{branch}");
        self.act(repository, |state, caller, id| state.update_ref(caller, id, &name, to, true));
    }

    /// Amends the tip of a branch with these files and force-pushes; returns
    /// the new commit.
    pub fn amend(&self, repository: &str, branch: &str, files: &[(&str, &str)]) -> Oid {
        let write =
            |(path, content): &(&str, &str)| ((*path).to_owned(), Bytes::copy_from_slice(content.as_bytes()));
        let changes = files.iter().map(write).collect();
        self.act(repository, |state, caller, id| state.amend(caller, id, branch, changes))
    }

    /// Makes a branch at the head of the default one.
    pub fn create_branch(&self, repository: &str, branch: &str) {
        let name = format!("refs/heads/{branch}");
        self.act(repository, |state, caller, id| {
            let head = state.repository(id)?.head().ok_or(Refusal::EmptyRepository)?;
            state.create_ref(caller, id, &name, head)
        });
    }

    /// Deletes a branch.
    pub fn delete_branch(&self, repository: &str, branch: &str) {
        let name = format!("refs/heads/{branch}");
        self.act(repository, |state, caller, id| state.delete_ref(caller, id, &name));
    }

    /// Opens an issue; returns its number.
    pub fn open_issue(&self, repository: &str, title: &str, body: &str) -> u64 {
        let new = NewIssue { title: title.to_owned(), body: Some(on_web(body)), ..NewIssue::default() };
        self.act(repository, |state, caller, id| state.create_issue(caller, id, new))
    }

    /// Comments on an issue or pull request; returns the comment's id.
    pub fn comment(&self, repository: &str, number: u64, body: &str) -> u64 {
        let body = on_web(body);
        self.act(repository, |state, caller, id| state.create_comment(caller, id, number, &body))
    }

    /// Edits a comment in the browser.
    pub fn edit_comment(&self, repository: &str, comment: u64, body: &str) {
        let body = on_web(body);
        self.act(repository, |state, caller, id| state.update_comment(caller, id, comment, &body));
    }

    /// Deletes a comment.
    pub fn delete_comment(&self, repository: &str, comment: u64) {
        self.act(repository, |state, caller, id| state.delete_comment(caller, id, comment));
    }

    /// Edits the opening text of an issue or pull request in the browser,
    /// from where it comes back with CRLF.
    pub fn edit_body(&self, repository: &str, number: u64, body: &str) {
        let change = IssueChange { body: Some(Some(on_web(body))), ..IssueChange::default() };
        self.update(repository, number, change);
    }

    /// Edits the title.
    pub fn edit_title(&self, repository: &str, number: u64, title: &str) {
        let change = IssueChange { title: Some(title.to_owned()), ..IssueChange::default() };
        self.update(repository, number, change);
    }

    fn update(&self, repository: &str, number: u64, change: IssueChange) {
        self.act(repository, |state, caller, id| state.update_issue(caller, id, number, change));
    }

    /// Closes an issue.
    pub fn close_issue(&self, repository: &str, number: u64) {
        self.update(repository, number, IssueChange { closed: Some(true), ..IssueChange::default() });
    }

    /// Closes a pull request without merging it.
    pub fn close_pull_request(&self, repository: &str, number: u64) {
        self.close_issue(repository, number);
    }

    /// Opens a closed issue or pull request again.
    pub fn reopen(&self, repository: &str, number: u64) {
        self.update(repository, number, IssueChange { closed: Some(false), ..IssueChange::default() });
    }

    /// Locks a conversation.
    pub fn lock(&self, repository: &str, number: u64) {
        self.act(repository, |state, caller, id| state.set_lock(caller, id, number, Some(None)));
    }

    /// Unlocks a conversation.
    pub fn unlock(&self, repository: &str, number: u64) {
        self.act(repository, |state, caller, id| state.set_lock(caller, id, number, None));
    }

    /// Deletes an issue.
    pub fn delete_issue(&self, repository: &str, number: u64) {
        self.act(repository, |state, caller, id| state.delete_issue(caller, id, number));
    }

    /// Moves an issue to another repository of the owner; returns its number
    /// there.
    pub fn transfer_issue(&self, repository: &str, number: u64, to: &str) -> u64 {
        let to = self.sandbox.repository_id(to);
        self.act(repository, |state, caller, id| state.transfer_issue(caller, id, number, to))
    }

    /// Makes a discussion of an issue.
    pub fn convert_to_discussion(&self, repository: &str, number: u64) {
        self.act(repository, |state, caller, id| state.convert_to_discussion(caller, id, number));
    }

    /// Puts a label on an issue or pull request.
    pub fn label(&self, repository: &str, number: u64, name: &str) {
        let names = [name.to_owned()];
        self.act(repository, |state, caller, id| state.add_labels(caller, id, number, &names));
    }

    /// Takes a label off.
    pub fn unlabel(&self, repository: &str, number: u64, name: &str) {
        self.act(repository, |state, caller, id| state.remove_label(caller, id, number, name));
    }

    /// Reacts to an issue, pull request or comment.
    pub fn react(&self, repository: &str, subject: Subject, content: &str) {
        self.act(repository, |state, caller, id| state.react(caller, id, subject, content));
    }

    /// Opens a pull request from a branch (`branch` or `owner:branch`);
    /// returns its number.
    pub fn open_pull_request(&self, repository: &str, head: &str, title: &str, body: &str) -> u64 {
        self.act(repository, |state, caller, id| {
            let base = state.repository(id)?.default_branch.clone();
            let new = NewPullRequest {
                title: title.to_owned(),
                body: Some(on_web(body)),
                head: head.to_owned(),
                base,
                ..NewPullRequest::default()
            };
            state.create_pull_request(caller, id, new)
        })
    }

    /// Forks a repository if not done yet; returns the fork's full name.
    pub fn fork(&self, repository: &str) -> String {
        let name = repository.split('/').next_back().unwrap_or(repository);
        let fork = format!("{}/{name}", self.login);
        self.act(repository, |state, caller, upstream| {
            if state.repositories().any(|r| r.owner == self.id && r.fork_of == Some(upstream)) {
                return Ok(());
            }
            let mut new = crate::build::repository(name).fork_of(repository);
            new = new.default_branch(&state.repository(upstream)?.default_branch);
            state.create_repository(caller, self.id, new).map(|_| ())
        });
        fork
    }

    /// Forks, pushes these files to a branch of the fork and opens a pull
    /// request from there; returns its number.
    pub fn open_pull_request_from_fork(
        &self,
        repository: &str,
        branch: &str,
        files: &[(&str, &str)],
        title: &str,
        body: &str,
    ) -> u64 {
        let fork = self.fork(repository);
        self.push(&fork, branch, files, title);
        self.open_pull_request(repository, &format!("{}:{branch}", self.login), title, body)
    }

    /// Approves a pull request as it is now; returns the review's id.
    pub fn approve(&self, repository: &str, number: u64) -> u64 {
        let verdict = ReviewVerdict::Approved;
        self.act(repository, |state, caller, id| state.review(caller, id, number, verdict))
    }

    /// Asks for changes to a pull request; returns the review's id.
    pub fn request_changes(&self, repository: &str, number: u64) -> u64 {
        let verdict = ReviewVerdict::ChangesRequested;
        self.act(repository, |state, caller, id| state.review(caller, id, number, verdict))
    }

    /// Takes a review back, one's own or another's.
    pub fn dismiss_review(&self, repository: &str, number: u64, review: u64) {
        self.act(repository, |state, caller, id| state.dismiss_review(caller, id, number, review));
    }

    /// Merges a pull request with a merge commit; returns that.
    pub fn merge(&self, repository: &str, number: u64) -> Oid {
        self.act(repository, |state, caller, id| state.merge(caller, id, number, MergeMethod::Merge, None))
    }

    /// Merges a pull request into one commit; returns that.
    pub fn squash(&self, repository: &str, number: u64) -> Oid {
        self.act(repository, |state, caller, id| state.merge(caller, id, number, MergeMethod::Squash, None))
    }

    /// Asks for a pull request to be merged as soon as its rules allow.
    pub fn enable_auto_merge(&self, repository: &str, number: u64) {
        self.act(repository, |state, caller, id| state.set_auto_merge(caller, id, number, true));
    }

    /// Asks for a check run again.
    pub fn rerequest_check_run(&self, repository: &str, run: u64) {
        self.act(repository, |state, caller, id| state.rerequest_check_run(caller, id, run));
    }

    /// Asks for all checks of a commit again.
    pub fn rerequest_check_suite(&self, repository: &str, suite: u64) {
        self.act(repository, |state, caller, id| state.rerequest_check_suite(caller, id, suite));
    }

    /// Makes a repository of an account the person owns or belongs to.
    pub fn create_repository(&self, owner: &str, new: NewRepository) -> RepositoryId {
        let caller = Caller::Person(self.id);
        self.sandbox.change(|state| {
            let found = state.account_named(owner).map(|account| account.id);
            let owner = found.unwrap_or_else(|| panic!("there is no account {owner}"));
            state
                .create_repository(&caller, owner, new)
                .unwrap_or_else(|refusal| panic!("{} may not do that: {refusal:?}", self.login))
        })
    }

    /// Renames a repository.
    pub fn rename(&self, repository: &str, name: &str) {
        self.act(repository, |state, caller, id| state.rename(caller, id, name));
    }

    /// Gives a repository to another account.
    pub fn transfer(&self, repository: &str, to: &str) {
        self.act(repository, |state, caller, id| {
            let to = state.account_named(to).ok_or(Refusal::NotFound)?.id;
            state.transfer(caller, id, to)
        });
    }

    /// Deletes a repository.
    pub fn delete_repository(&self, repository: &str) {
        self.act(repository, |state, caller, id| state.delete_repository(caller, id));
    }

    /// Makes a repository read-only, or writable again.
    pub fn set_archived(&self, repository: &str, archived: bool) {
        self.act(repository, |state, caller, id| state.set_archived(caller, id, archived));
    }

    /// Changes who may see a repository.
    pub fn set_visibility(&self, repository: &str, visibility: Visibility) {
        self.act(repository, |state, caller, id| state.set_visibility(caller, id, visibility));
    }

    /// Makes another branch the default one.
    pub fn set_default_branch(&self, repository: &str, branch: &str) {
        self.act(repository, |state, caller, id| state.set_default_branch(caller, id, branch));
    }

    /// Switches issues on or off.
    pub fn set_issues_enabled(&self, repository: &str, enabled: bool) {
        self.act(repository, |state, caller, id| state.set_issues_enabled(caller, id, enabled));
    }

    /// Switches pull requests on or off.
    pub fn set_pull_requests_enabled(&self, repository: &str, enabled: bool) {
        self.act(repository, |state, caller, id| state.set_pull_requests_enabled(caller, id, enabled));
    }

    /// Gives somebody a role in a repository; needs admin.
    pub fn give_role(&self, repository: &str, login: &str, role: Role) {
        self.act(repository, |state, caller, id| {
            state.require_role(caller, id, Role::Admin)?;
            let person = state.person(login);
            state.repository_mut(id)?.collaborators.insert(person, role);
            Ok(())
        });
    }

    /// Takes somebody out of an organization; only an owner may.
    pub fn remove_member(&self, organization: &str, login: &str) {
        let owner = self.id;
        self.sandbox.change(|state| {
            let person = state.person(login);
            state
                .remove_member(owner, organization, person)
                .unwrap_or_else(|refusal| panic!("{} may not do that: {refusal:?}", self.login));
        });
    }

    /// Installs the App on an account, on all repositories or on these.
    pub fn install(&self, account: &str, selected: Option<&[&str]>) -> u64 {
        let ids = selected.map(|names| {
            names.iter().map(|name| self.sandbox.repository_id(&format!("{account}/{name}"))).collect()
        });
        self.sandbox.change(|state| {
            let found = state.account_named(account).map(|account| account.id);
            let account = found.unwrap_or_else(|| panic!("there is no account {account}"));
            state.install(self.id, account, ids, None)
        })
    }

    /// Takes the App off an account.
    pub fn uninstall(&self, account: &str) {
        self.settings(account, |state, id| state.uninstall(self.id, id));
    }

    /// Suspends the App on an account, or ends that.
    pub fn set_suspended(&self, account: &str, suspended: bool) {
        self.settings(account, |state, id| state.set_suspended(self.id, id, suspended));
    }

    /// Accepts the permissions that the App asks for now.
    pub fn accept_permissions(&self, account: &str) {
        self.settings(account, |state, id| state.accept_permissions(self.id, id));
    }

    /// Lets a selected installation cover all repositories.
    pub fn select_all(&self, account: &str) {
        self.settings(account, |state, id| state.select_all(self.id, id));
    }

    /// Renames an organization.
    pub fn rename_account(&self, account: &str, login: &str) {
        self.sandbox.change(|state| {
            let found = state.account_named(account).map(|account| account.id);
            let id = found.unwrap_or_else(|| panic!("there is no account {account}"));
            state
                .rename_account(id, login)
                .unwrap_or_else(|refusal| panic!("{} may not do that: {refusal:?}", self.login));
        });
    }

    /// Adds repositories (names) to a selected installation.
    pub fn add_repositories(&self, account: &str, names: &[&str]) {
        let ids = self.ids(account, names);
        self.settings(account, |state, id| state.select_repositories(self.id, id, &ids, &[]));
    }

    /// Removes repositories (names) from a selected installation.
    pub fn remove_repositories(&self, account: &str, names: &[&str]) {
        let ids = self.ids(account, names);
        self.settings(account, |state, id| state.select_repositories(self.id, id, &[], &ids));
    }

    fn ids(&self, account: &str, names: &[&str]) -> Vec<RepositoryId> {
        names.iter().map(|name| self.sandbox.repository_id(&format!("{account}/{name}"))).collect()
    }

    fn settings(&self, account: &str, act: impl FnOnce(&mut State, u64) -> Result<(), Refusal>) {
        let id = self.sandbox.installation_id(account);
        let outcome = self.sandbox.change(|state| act(state, id));
        outcome.unwrap_or_else(|refusal| panic!("installation of {account}: {refusal:?}"));
    }
}

/// What a browser makes of a text: lines end in CRLF.
pub fn on_web(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}
