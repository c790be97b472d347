//! Pull requests: opening, following their branches, merging.

use jiff::Timestamp;
use serde_json::json;

use super::{AccountId, Caller, Issue, Refusal, Repository, RepositoryId, Role, State, Visibility};
use crate::git::{Commit, FileChange, Oid};

/// What a pull request has beyond an issue.
#[derive(Debug, Clone)]
pub struct PullRequest {
    /// Global numeric id of the pull request, different from the issue's.
    pub id: u64,
    /// Where the head branch lives; `None` once that fork is deleted.
    pub head_repository: Option<RepositoryId>,
    /// The owner of the head repository.
    pub head_owner: AccountId,
    /// Head branch without `refs/heads/`.
    pub head_branch: String,
    /// The last known head.
    pub head: Oid,
    /// Base branch without `refs/heads/`.
    pub base_branch: String,
    /// Head of the base branch, frozen when the pull request is closed.
    pub base: Oid,
    /// Not ready for review.
    pub draft: bool,
    /// How it was merged.
    pub merged: Option<Merged>,
    /// Its head reached its base or vanished: it cannot be reopened.
    pub closed_for_good: bool,
    /// Reviewers asked by login.
    pub requested_reviewers: Vec<AccountId>,
    /// Teams asked by slug.
    pub requested_teams: Vec<String>,
    /// Maintainers of the base may push to the head.
    pub maintainer_can_modify: bool,
    /// Who asked for it to be merged as soon as its rules allow.
    pub auto_merge: Option<AutoMerge>,
    /// What people said of it, oldest first.
    pub reviews: Vec<Review>,
}

/// A submitted review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Global numeric id.
    pub id: u64,
    /// Whose.
    pub by: AccountId,
    /// What it says.
    pub verdict: ReviewVerdict,
    /// The head of the pull request when it was submitted.
    pub commit: Oid,
    /// When.
    pub at: Timestamp,
}

/// What a review says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewVerdict {
    /// It may be merged.
    Approved,
    /// It may not, as it is.
    ChangesRequested,
    /// Neither.
    Commented,
    /// It was taken back by somebody who may write.
    Dismissed,
}

/// The wish that a pull request is merged as soon as its rules allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoMerge {
    /// Since when.
    pub at: Timestamp,
    /// Whose.
    pub by: AccountId,
}

/// A merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: AccountId,
    /// The commit on the base branch.
    pub commit: Oid,
}

/// A pull request to open.
#[derive(Debug, Clone, Default)]
pub struct NewPullRequest {
    /// One line.
    pub title: String,
    /// Markdown.
    pub body: Option<String>,
    /// `branch` or `owner:branch`.
    pub head: String,
    /// Branch of this repository.
    pub base: String,
    /// Open as a draft.
    pub draft: bool,
    /// Maintainers may push to the head branch of a fork.
    pub maintainer_can_modify: bool,
}

/// How to merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MergeMethod {
    /// A commit with two parents.
    #[default]
    Merge,
    /// One commit with all changes.
    Squash,
}

impl Issue {
    /// The pull request's part, if this is one.
    ///
    /// # Errors
    /// `NotFound` for an issue.
    pub fn pull(&self) -> Result<&PullRequest, Refusal> {
        self.pull_request.as_ref().ok_or(Refusal::NotFound)
    }
}

impl Repository {
    /// The files a pull request changes, since the merge base.
    pub fn changed_files(&self, pull: &PullRequest) -> Vec<FileChange> {
        let base = self.objects.merge_base(pull.base, pull.head);
        let tree = |oid: Oid| self.objects.commit(oid).map(|commit| commit.tree);
        self.objects.diff(base.and_then(tree), tree(pull.head))
    }

    /// The commits of a pull request, oldest first.
    pub fn commits_of(&self, pull: &PullRequest) -> Vec<(Oid, &Commit)> {
        let mut commits = self.objects.commits_between(pull.base, pull.head);
        commits.reverse();
        commits
    }

    /// Whether a pull request could be merged now; conflicts are judged by
    /// whole files.
    pub fn is_mergeable(&self, pull: &PullRequest) -> bool {
        self.objects.merge_files(pull.base, pull.head).is_ok()
    }
}

impl State {
    fn pull_mut(&mut self, repository: RepositoryId, number: u64) -> Result<&mut PullRequest, Refusal> {
        self.issue_mut(repository, number)?.pull_request.as_mut().ok_or(Refusal::NotFound)
    }

    /// Opens a pull request; returns its number.
    ///
    /// # Errors
    /// `Invalid` with GitHub's sentences ("A pull request already exists for
    /// o:b.", "No commits between …"), `Archived`, `SecondaryLimit`.
    pub fn create_pull_request(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        new: NewPullRequest,
    ) -> Result<u64, Refusal> {
        let author = self.require_role(caller, repository, Role::Read)?;
        let home = self.writable(repository)?;
        if !home.has_pull_requests {
            let message = "Pull requests are disabled for this repository.";
            return Err(Refusal::custom("PullRequest", "base", message));
        }
        if new.title.trim().is_empty() {
            return Err(Refusal::invalid("PullRequest", "title", "missing_field"));
        }
        Self::check_body("PullRequest", new.body.as_deref())?;
        let base = home.branch(&new.base).ok_or(Refusal::invalid("PullRequest", "base", "invalid"))?;
        let (source, branch) = self.head_of(home, &new.head)?;
        let head = source.branch(branch).ok_or(Refusal::invalid("PullRequest", "head", "invalid"))?;
        let (source_id, head_owner, branch) = (source.id, source.owner, branch.to_owned());
        // Who opens from a branch of this repository must be able to push there.
        if source_id == repository && author != home.owner {
            self.require_role(caller, repository, Role::Write)?;
        }
        let already = home.issues.values().any(|issue| {
            issue.is_open()
                && issue.pull_request.as_ref().is_some_and(|pull| {
                    pull.head_repository == Some(source_id)
                        && pull.head_branch == branch
                        && pull.base_branch == new.base
                })
        });
        let label = format!("{}:{branch}", self.login(head_owner));
        if already {
            let message = format!("A pull request already exists for {label}.");
            return Err(Refusal::custom("PullRequest", "head", message));
        }
        if new.draft && home.visibility == Visibility::Private && self.is_free(home.owner) {
            let message = "Draft pull requests are not supported in this repository.";
            return Err(Refusal::custom("PullRequest", "draft", message));
        }
        self.bring_objects(source_id, repository)?;
        let home = self.repository(repository)?;
        if home.objects.is_ancestor(head, base) {
            let from = if source_id == repository { branch } else { label };
            let message = format!("No commits between {} and {from}", new.base);
            return Err(Refusal::custom("PullRequest", "head", message));
        }
        self.count_content(caller)?;
        let id = self.next_id();
        let number = self.add_issue(caller, repository, author, new.title, new.body)?;
        self.issue_mut(repository, number)?.pull_request = Some(PullRequest {
            id,
            head_repository: Some(source_id),
            head_owner,
            head_branch: branch,
            head,
            base_branch: new.base,
            base,
            draft: new.draft,
            merged: None,
            closed_for_good: false,
            requested_reviewers: Vec::new(),
            requested_teams: Vec::new(),
            maintainer_can_modify: new.maintainer_can_modify && source_id != repository,
            auto_merge: None,
            reviews: Vec::new(),
        });
        self.emit_issue(caller, repository, number, "opened", json!({}))?;
        Ok(number)
    }

    /// The repository and branch that `branch` or `owner:branch` names: this
    /// repository or one of its forks.
    fn head_of<'s, 'h>(
        &'s self,
        home: &'s Repository,
        head: &'h str,
    ) -> Result<(&'s Repository, &'h str), Refusal> {
        let Some((owner, branch)) = head.split_once(':') else { return Ok((home, head)) };
        let invalid = || Refusal::invalid("PullRequest", "head", "invalid");
        let owner = self.account_named(owner).ok_or_else(invalid)?.id;
        if owner == home.owner {
            return Ok((home, branch));
        }
        let fork = self
            .repositories()
            .find(|repository| repository.owner == owner && repository.fork_of == Some(home.id));
        fork.map(|fork| (fork, branch)).ok_or_else(invalid)
    }

    fn is_free(&self, owner: AccountId) -> bool {
        let organization = self.account(owner).and_then(super::Account::organization);
        organization.is_some_and(|organization| organization.free)
    }

    fn bring_objects(&mut self, from: RepositoryId, to: RepositoryId) -> Result<(), Refusal> {
        if from != to {
            let objects = self.repository(from)?.objects.clone();
            self.repository_mut(to)?.objects.absorb(&objects);
        }
        Ok(())
    }

    /// Moves the base of an open pull request, or makes a draft ready.
    ///
    /// # Errors
    /// `Invalid` for a base that does not exist; people need write unless
    /// they opened it.
    pub fn change_base(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        base: &str,
    ) -> Result<(), Refusal> {
        let actor = self.require_role(caller, repository, Role::Read)?;
        let home = self.writable(repository)?;
        let to = home.branch(base).ok_or(Refusal::invalid("PullRequest", "base", "invalid"))?;
        if self.issue(repository, number)?.author != actor {
            self.require_role(caller, repository, Role::Write)?;
        }
        let pull = self.pull_mut(repository, number)?;
        let changes = json!({ "changes": { "base": {
            "ref": { "from": pull.base_branch }, "sha": { "from": pull.base },
        } } });
        (pull.base_branch, pull.base) = (base.to_owned(), to);
        self.emit_issue(caller, repository, number, "edited", changes)
    }

    /// Makes a draft ready for review, or a draft again.
    ///
    /// # Errors
    /// `NotFound`, `Archived`; people need write.
    pub fn set_draft(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        draft: bool,
    ) -> Result<(), Refusal> {
        self.require_role(caller, repository, Role::Write)?;
        self.writable(repository)?;
        self.pull_mut(repository, number)?.draft = draft;
        let action = if draft { "converted_to_draft" } else { "ready_for_review" };
        self.emit_issue(caller, repository, number, action, json!({}))
    }

    /// Asks for a pull request to be merged as soon as its rules allow, or
    /// takes that back. The sandbox has no required checks to wait for, so it
    /// only keeps the wish.
    ///
    /// # Errors
    /// `Unprocessable` when it is closed, or the wish is there or not there
    /// already; `Archived`; people need write.
    pub fn set_auto_merge(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        on: bool,
    ) -> Result<(), Refusal> {
        let by = self.require_role(caller, repository, Role::Write)?;
        self.writable(repository)?;
        let (at, open) = (self.now(), self.issue(repository, number)?.is_open());
        let pull = self.pull_mut(repository, number)?;
        if !open || pull.auto_merge.is_some() == on {
            let word = if on { "enable" } else { "disable" };
            return Err(Refusal::Unprocessable(format!("Can't {word} auto-merge for this pull request.")));
        }
        pull.auto_merge = on.then_some(AutoMerge { at, by });
        let (action, extra) = match on {
            true => ("auto_merge_enabled", json!({ "reason": "" })),
            false => ("auto_merge_disabled", json!({ "reason": "" })),
        };
        self.emit_issue(caller, repository, number, action, extra)
    }

    /// Submits a review of the head as it is now; returns its id. Whoever may
    /// read may review; whether that counts is the rules' affair. The event
    /// `pull_request_review` is not sent: nobody here listens to it.
    ///
    /// # Errors
    /// `Unprocessable` for a verdict on one's own pull request.
    pub fn review(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        verdict: ReviewVerdict,
    ) -> Result<u64, Refusal> {
        let by = self.require_role(caller, repository, Role::Read)?;
        self.writable(repository)?;
        let own = self.issue(repository, number)?.author == by;
        let message = match verdict {
            ReviewVerdict::Approved => "Can not approve your own pull request",
            ReviewVerdict::ChangesRequested => "Can not request changes on your own pull request",
            ReviewVerdict::Commented => "",
            ReviewVerdict::Dismissed => "Can not submit a review that is dismissed",
        };
        if verdict == ReviewVerdict::Dismissed || (own && verdict != ReviewVerdict::Commented) {
            return Err(Refusal::Unprocessable(message.to_owned()));
        }
        let (id, at) = (self.next_id(), self.now());
        let pull = self.pull_mut(repository, number)?;
        pull.reviews.push(Review { id, by, verdict, commit: pull.head, at });
        Ok(id)
    }

    /// Takes the verdict of a review back.
    ///
    /// # Errors
    /// `NotFound`; people need write.
    pub fn dismiss_review(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        review: u64,
    ) -> Result<(), Refusal> {
        self.require_role(caller, repository, Role::Write)?;
        self.writable(repository)?;
        let pull = self.pull_mut(repository, number)?;
        let found = pull.reviews.iter_mut().find(|one| one.id == review).ok_or(Refusal::NotFound)?;
        found.verdict = ReviewVerdict::Dismissed;
        Ok(())
    }

    /// Asks people and teams for a review.
    ///
    /// # Errors
    /// `Unprocessable` for who may not read the repository, and for the author.
    pub fn request_reviewers(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        logins: &[String],
        teams: &[String],
    ) -> Result<(), Refusal> {
        self.require_role(caller, repository, Role::Write)?;
        self.writable(repository)?;
        let author = self.issue(repository, number)?.author;
        let mut wanted = Vec::new();
        for login in logins {
            let account = self.account_named(login).map(|account| account.id);
            let is_collaborator =
                |id: &AccountId| self.role(*id, repository).is_some_and(|role| role >= Role::Triage);
            let id = account.filter(is_collaborator).ok_or_else(|| {
                Refusal::Unprocessable("Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the repository.".to_owned())
            })?;
            if id == author {
                return Err(Refusal::Unprocessable(
                    "Review cannot be requested from pull request author.".to_owned(),
                ));
            }
            wanted.push(id);
        }
        let pull = self.pull_mut(repository, number)?;
        let mut new = Vec::new();
        for id in wanted {
            if !pull.requested_reviewers.contains(&id) {
                pull.requested_reviewers.push(id);
                new.push(id);
            }
        }
        for team in teams {
            if !pull.requested_teams.contains(team) {
                pull.requested_teams.push(team.clone());
            }
        }
        for id in new {
            let body = json!({ "requested_reviewer": self.simple_user(id) });
            self.emit_issue(caller, repository, number, "review_requested", body)?;
        }
        Ok(())
    }

    /// Whether a closed issue or pull request may be opened again.
    pub(crate) fn check_reopen(&self, repository: RepositoryId, number: u64) -> Result<(), Refusal> {
        let issue = self.issue(repository, number)?;
        let Some(pull) = &issue.pull_request else { return Ok(()) };
        if issue.is_open() {
            return Ok(());
        }
        let refuse = |why: &str| {
            Err(Refusal::custom("PullRequest", "state", format!("state cannot be changed. {why}")))
        };
        if pull.merged.is_some() {
            return refuse("The pull request was merged.");
        }
        if pull.closed_for_good {
            return refuse("There are no new commits on the head branch.");
        }
        let source = pull.head_repository.and_then(|id| self.repository(id).ok());
        if source.and_then(|source| source.branch(&pull.head_branch)).is_none() {
            return refuse("The head branch has been deleted.");
        }
        if self.repository(repository)?.branch(&pull.base_branch).is_none() {
            return refuse("The base branch has been deleted.");
        }
        Ok(())
    }

    /// A pull request opened again looks at its branches again: they may have
    /// moved while nobody followed.
    pub(crate) fn refresh_branches(&mut self, repository: RepositoryId, number: u64) -> Result<(), Refusal> {
        let Some(pull) = self.issue(repository, number)?.pull_request.clone() else {
            return Ok(());
        };
        let source = pull.head_repository.ok_or(Refusal::NotFound)?;
        self.bring_objects(source, repository)?;
        let head = self.repository(source)?.branch(&pull.head_branch).unwrap_or(pull.head);
        let base = self.repository(repository)?.branch(&pull.base_branch).unwrap_or(pull.base);
        let pull = self.pull_mut(repository, number)?;
        (pull.head, pull.base) = (head, base);
        Ok(())
    }

    /// Merges a pull request; returns the commit on the base branch.
    ///
    /// # Errors
    /// `NotMergeable` when closed, a draft or in conflict; `HeadModified` when
    /// `expected_head` is not the head; `RuleViolation`, `Archived`; people
    /// need write.
    pub fn merge(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        method: MergeMethod,
        expected_head: Option<Oid>,
    ) -> Result<Oid, Refusal> {
        let actor = self.require_role(caller, repository, Role::Write)?;
        let home = self.writable(repository)?;
        let issue = self.issue(repository, number)?;
        let pull = issue.pull()?.clone();
        if !issue.is_open() {
            return Err(Refusal::NotMergeable("Pull Request is not mergeable"));
        }
        if pull.draft {
            return Err(Refusal::NotMergeable("Pull Request is still a draft"));
        }
        if expected_head.is_some_and(|head| head != pull.head) {
            return Err(Refusal::HeadModified);
        }
        let files = home
            .objects
            .merge_files(pull.base, pull.head)
            .map_err(|_| Refusal::NotMergeable("Pull Request is not mergeable"))?;
        let source = format!("{}/{}", self.login(pull.head_owner), pull.head_branch);
        let (parents, message) = match method {
            MergeMethod::Merge => (
                vec![pull.base, pull.head],
                format!("Merge pull request #{number} from {source}\n\n{}", issue.title),
            ),
            MergeMethod::Squash => (vec![pull.base], format!("{} (#{number})", issue.title)),
        };
        let commit = self.commit_merge(caller, repository, &pull.base_branch, &files, parents, message)?;
        let at = self.now();
        // Marked before the base moves, or the move itself would close it.
        self.pull_mut(repository, number)?.merged = Some(Merged { at, by: actor, commit });
        self.set_closed(caller, repository, number, true, None)?;
        self.move_ref(caller, repository, &format!("refs/heads/{}", pull.base_branch), commit)?;
        Ok(commit)
    }

    /// The open pull requests for which a condition holds, as places.
    fn open_pulls(&self, condition: impl Fn(&Repository, &PullRequest) -> bool) -> Vec<(RepositoryId, u64)> {
        let mut found = Vec::new();
        for home in self.repositories() {
            for issue in home.issues.values().filter(|issue| issue.is_open()) {
                if issue.pull_request.as_ref().is_some_and(|pull| condition(home, pull)) {
                    found.push((home.id, issue.number));
                }
            }
        }
        found
    }

    /// A head branch moved: its pull requests follow. Without any commit of
    /// its own left, or without branch, a pull request is closed.
    pub(crate) fn follow_head(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        branch: &str,
        before: Oid,
        after: Oid,
    ) -> Result<(), Refusal> {
        let follows = |_: &Repository, pull: &PullRequest| {
            pull.head_repository == Some(repository) && pull.head_branch == branch
        };
        for (home, number) in self.open_pulls(follows) {
            if after.is_zero() {
                self.set_closed(caller, home, number, true, None)?;
                continue;
            }
            self.bring_objects(repository, home)?;
            let pull = self.pull_mut(home, number)?;
            pull.head = after;
            let base = pull.base;
            if self.repository(home)?.objects.is_ancestor(after, base) {
                self.pull_mut(home, number)?.closed_for_good = true;
                self.set_closed(caller, home, number, true, None)?;
            } else {
                let now = self.now();
                self.issue_mut(home, number)?.updated_at = now;
                let body = json!({ "before": before, "after": after });
                self.emit_issue(caller, home, number, "synchronize", body)?;
            }
        }
        Ok(())
    }

    /// A base branch moved: pull requests whose commits it now has are merged
    /// ("indirectly", as GitHub calls it); without branch they are closed.
    pub(crate) fn follow_base(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        branch: &str,
        after: Oid,
    ) -> Result<(), Refusal> {
        let follows =
            |home: &Repository, pull: &PullRequest| home.id == repository && pull.base_branch == branch;
        for (home, number) in self.open_pulls(follows) {
            if after.is_zero() {
                self.set_closed(caller, home, number, true, None)?;
                continue;
            }
            let head = self.issue(home, number)?.pull()?.head;
            if self.repository(home)?.objects.is_ancestor(head, after) {
                let (at, by) = (self.now(), self.actor(caller)?);
                self.pull_mut(home, number)?.merged = Some(Merged { at, by, commit: after });
                self.set_closed(caller, home, number, true, None)?;
            } else {
                self.pull_mut(home, number)?.base = after;
            }
        }
        Ok(())
    }
}
