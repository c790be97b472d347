//! Issues, and what pull requests share with them: comments, labels, reactions.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{AccountId, Caller, PullRequest, Refusal, RepositoryId, Role, Scope, State};

/// An issue; with `pull_request`, the conversation of a pull request.
#[derive(Debug, Clone)]
pub struct Issue {
    /// Global numeric id of the issue.
    pub id: u64,
    /// Number within the repository.
    pub number: u64,
    /// One line.
    pub title: String,
    /// Markdown.
    pub body: Option<String>,
    /// Open or closed.
    pub state: IssueState,
    /// Who opened it.
    pub author: AccountId,
    /// Whether an App opened it.
    pub by_app: bool,
    /// Label ids.
    pub labels: Vec<u64>,
    /// Who put which label on, oldest first; taken off or not.
    pub labeled: Vec<Labeled>,
    /// Assignees.
    pub assignees: Vec<AccountId>,
    /// Reactions to the opening text.
    pub reactions: Vec<Reaction>,
    /// Locked, perhaps with a reason (`off-topic`, `too heated`, `resolved`, `spam`).
    pub lock: Option<Option<String>>,
    /// When it was locked last, and by whom.
    pub locked: Option<(Timestamp, AccountId)>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Edits of the body, oldest first.
    pub edits: Vec<Edit>,
    /// What only pull requests have.
    pub pull_request: Option<PullRequest>,
}

/// Whether an issue is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssueState {
    /// Open; `reopened` tells whether it was closed before.
    Open {
        /// It was closed once.
        reopened: bool,
    },
    /// Closed.
    Closed {
        /// When.
        at: Timestamp,
        /// By whom.
        by: AccountId,
        /// Why; `None` for pull requests.
        reason: Option<CloseReason>,
    },
}

/// Why an issue was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// Done.
    Completed,
    /// Will not be done.
    NotPlanned,
    /// The same as another.
    Duplicate,
}

impl CloseReason {
    /// The word of the REST API.
    pub fn word(self) -> &'static str {
        match self {
            CloseReason::Completed => "completed",
            CloseReason::NotPlanned => "not_planned",
            CloseReason::Duplicate => "duplicate",
        }
    }

    /// Reads the word; `None` for others.
    pub fn from_word(word: &str) -> Option<CloseReason> {
        [CloseReason::Completed, CloseReason::NotPlanned, CloseReason::Duplicate]
            .into_iter()
            .find(|reason| reason.word() == word)
    }
}

/// A label that was put on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labeled {
    /// The label's id.
    pub label: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: AccountId,
}

/// One edit of a body.
#[derive(Debug, Clone)]
pub struct Edit {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: AccountId,
    /// The text before.
    pub from: Option<String>,
}

/// A comment on an issue or pull request.
#[derive(Debug, Clone)]
pub struct Comment {
    /// Global numeric id.
    pub id: u64,
    /// Number of the issue or pull request.
    pub issue: u64,
    /// Markdown.
    pub body: String,
    /// Who wrote it.
    pub author: AccountId,
    /// Whether an App wrote it.
    pub by_app: bool,
    /// When.
    pub created_at: Timestamp,
    /// Last edit, or creation.
    pub updated_at: Timestamp,
    /// Edits of the body, oldest first.
    pub edits: Vec<Edit>,
    /// Reactions.
    pub reactions: Vec<Reaction>,
}

/// A label of a repository.
#[derive(Debug, Clone)]
pub struct Label {
    /// Global numeric id.
    pub id: u64,
    /// Name, compared without regard to case.
    pub name: String,
    /// Six hexadecimal digits.
    pub color: String,
    /// One line.
    pub description: Option<String>,
}

/// One reaction of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// Global numeric id.
    pub id: u64,
    /// `+1`, `-1`, `laugh`, `confused`, `heart`, `hooray`, `rocket` or `eyes`.
    pub content: String,
    /// Who.
    pub by: AccountId,
    /// When.
    pub at: Timestamp,
}

/// The contents a reaction may have.
pub const REACTIONS: [&str; 8] = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];

/// What a reaction is given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// An issue or pull request by number.
    Issue(u64),
    /// A comment by id.
    Comment(u64),
}

/// A new issue.
#[derive(Debug, Clone, Default)]
pub struct NewIssue {
    /// One line; empty is refused.
    pub title: String,
    /// Markdown.
    pub body: Option<String>,
    /// Label names; unknown ones are made.
    pub labels: Vec<String>,
    /// Logins.
    pub assignees: Vec<String>,
}

/// A change of an issue or pull request; `None` leaves as it is.
#[derive(Debug, Clone, Default)]
pub struct IssueChange {
    /// New title.
    pub title: Option<String>,
    /// New body; `Some(None)` empties it.
    pub body: Option<Option<String>>,
    /// Close (`Some(true)`) or reopen (`Some(false)`).
    pub closed: Option<bool>,
    /// Why it is closed; `Completed` if not said.
    pub reason: Option<CloseReason>,
    /// All labels by name.
    pub labels: Option<Vec<String>>,
    /// All assignees by login.
    pub assignees: Option<Vec<String>>,
}

/// Bodies longer than this many characters are refused, as GitHub does.
const BODY_LIMIT: usize = 65_536;

impl Issue {
    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        matches!(self.state, IssueState::Open { .. })
    }

    /// When it was closed; `None` while open.
    pub fn closed_at(&self) -> Option<Timestamp> {
        match &self.state {
            IssueState::Open { .. } => None,
            IssueState::Closed { at, .. } => Some(*at),
        }
    }

    /// `issues` or `pull_request`: the event that reports its changes.
    fn event(&self) -> &'static str {
        if self.pull_request.is_some() { "pull_request" } else { "issues" }
    }

    fn resource(&self) -> &'static str {
        if self.pull_request.is_some() { "PullRequest" } else { "Issue" }
    }
}

impl State {
    /// An issue or pull request, whoever asks.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn issue(&self, repository: RepositoryId, number: u64) -> Result<&Issue, Refusal> {
        self.repository(repository)?.issues.get(&number).ok_or(Refusal::NotFound)
    }

    pub(crate) fn issue_mut(&mut self, repository: RepositoryId, number: u64) -> Result<&mut Issue, Refusal> {
        self.repository_mut(repository)?.issues.get_mut(&number).ok_or(Refusal::NotFound)
    }

    /// The issues and pull requests a list shows now: new ones appear only
    /// after the list lag.
    pub fn listed_issues(&self, repository: RepositoryId) -> Result<Vec<&Issue>, Refusal> {
        let issues = self.repository(repository)?.issues.values();
        Ok(issues.filter(|issue| self.listed(issue.created_at)).collect())
    }

    pub(crate) fn check_body(resource: &'static str, body: Option<&str>) -> Result<(), Refusal> {
        match body {
            Some(body) if body.chars().count() > BODY_LIMIT => Err(Refusal::custom(
                resource,
                "body",
                format!("body is too long (maximum is {BODY_LIMIT} characters)"),
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// Opens an issue and returns its number.
    ///
    /// # Errors
    /// `IssuesDisabled`, `Archived`, `Invalid`, `SecondaryLimit`.
    pub fn create_issue(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        new: NewIssue,
    ) -> Result<u64, Refusal> {
        let author = self.require_role(caller, repository, Role::Read)?;
        if !self.writable(repository)?.has_issues {
            return Err(Refusal::IssuesDisabled);
        }
        if new.title.trim().is_empty() {
            return Err(Refusal::invalid("Issue", "title", "missing_field"));
        }
        Self::check_body("Issue", new.body.as_deref())?;
        self.count_content(caller)?;
        // Labels and assignees of people without triage are dropped silently.
        let may_triage = self.require_role(caller, repository, Role::Triage).is_ok();
        let (labels, assignees) = if may_triage {
            (self.label_ids(caller, repository, &new.labels)?, self.account_ids(&new.assignees))
        } else {
            (Vec::new(), Vec::new())
        };
        let number = self.add_issue(caller, repository, author, new.title, new.body)?;
        let issue = self.issue_mut(repository, number)?;
        issue.assignees = assignees;
        self.emit_issue(caller, repository, number, "opened", json!({}))?;
        self.set_labels(caller, repository, number, labels)?;
        Ok(number)
    }

    /// Adds the record that issues and pull requests share.
    pub(crate) fn add_issue(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        author: AccountId,
        title: String,
        body: Option<String>,
    ) -> Result<u64, Refusal> {
        let (id, now) = (self.next_id(), self.now());
        let issues = &mut self.repository_mut(repository)?.issues;
        let number = issues.last_key_value().map_or(1, |(last, _)| last + 1);
        let issue = Issue {
            id,
            number,
            title,
            body,
            state: IssueState::Open { reopened: false },
            author,
            by_app: matches!(caller, Caller::Installation(_)),
            labels: Vec::new(),
            labeled: Vec::new(),
            assignees: Vec::new(),
            reactions: Vec::new(),
            lock: None,
            locked: None,
            created_at: now,
            updated_at: now,
            edits: Vec::new(),
            pull_request: None,
        };
        issues.insert(number, issue);
        Ok(number)
    }

    /// Changes an issue or pull request.
    ///
    /// # Errors
    /// `Archived`, `Invalid`; for people whose role does not suffice (the
    /// author may edit, close and reopen; triage may close and label).
    pub fn update_issue(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        change: IssueChange,
    ) -> Result<(), Refusal> {
        let actor = self.require_role(caller, repository, Role::Read)?;
        self.conversing(repository, number)?;
        let issue = self.issue(repository, number)?;
        let (resource, author) = (issue.resource(), issue.author);
        if author != actor {
            let edits = change.title.is_some() || change.body.is_some();
            let needed = if edits { Role::Write } else { Role::Triage };
            self.require_role(caller, repository, needed)?;
        }
        if change.title.as_ref().is_some_and(|title| title.trim().is_empty()) {
            return Err(Refusal::invalid(resource, "title", "missing_field"));
        }
        Self::check_body(resource, change.body.as_ref().and_then(Option::as_deref))?;
        if change.closed == Some(false) {
            self.check_reopen(repository, number)?;
        }
        self.edit_texts(caller, repository, number, change.title, change.body)?;
        if let Some(names) = change.labels {
            let wanted = self.label_ids(caller, repository, &names)?;
            self.set_labels(caller, repository, number, wanted)?;
        }
        if let Some(logins) = change.assignees {
            let wanted = self.account_ids(&logins);
            self.issue_mut(repository, number)?.assignees = wanted;
        }
        if let Some(closed) = change.closed {
            self.set_closed(caller, repository, number, closed, change.reason)?;
        }
        Ok(())
    }

    fn edit_texts(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        title: Option<String>,
        body: Option<Option<String>>,
    ) -> Result<(), Refusal> {
        let (now, actor) = (self.now(), self.actor(caller)?);
        let issue = self.issue_mut(repository, number)?;
        let mut changes = Map::new();
        if let Some(title) = title.filter(|title| *title != issue.title) {
            changes.insert("title".into(), json!({ "from": issue.title }));
            issue.title = title;
        }
        if let Some(body) = body.filter(|body| *body != issue.body) {
            let from = issue.body.take();
            changes.insert("body".into(), json!({ "from": from.as_deref().unwrap_or_default() }));
            issue.edits.push(Edit { at: now, by: actor, from });
            issue.body = body;
        }
        if changes.is_empty() {
            return Ok(());
        }
        issue.updated_at = now;
        self.emit_issue(caller, repository, number, "edited", json!({ "changes": changes }))
    }

    /// Closes or reopens; doing it twice changes nothing.
    pub(crate) fn set_closed(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        closed: bool,
        reason: Option<CloseReason>,
    ) -> Result<(), Refusal> {
        let (now, actor) = (self.now(), self.actor(caller)?);
        if self.issue(repository, number)?.is_open() != closed {
            return Ok(());
        }
        if !closed {
            self.refresh_branches(repository, number)?;
        }
        let issue = self.issue_mut(repository, number)?;
        issue.updated_at = now;
        issue.state = if closed {
            let reason = issue.pull_request.is_none().then(|| reason.unwrap_or(CloseReason::Completed));
            IssueState::Closed { at: now, by: actor, reason }
        } else {
            IssueState::Open { reopened: true }
        };
        let action = if closed { "closed" } else { "reopened" };
        self.emit_issue(caller, repository, number, action, json!({}))
    }

    /// The repository, if this conversation can be written to: it is not
    /// archived, and issues are not switched off.
    fn conversing(&self, repository: RepositoryId, number: u64) -> Result<(), Refusal> {
        let home = self.writable(repository)?;
        let issue = self.issue(repository, number)?;
        if !home.has_issues && issue.pull_request.is_none() {
            return Err(Refusal::IssuesDisabled);
        }
        Ok(())
    }

    /// Takes an issue out of a repository, with its comments.
    fn take_issue(
        &mut self,
        repository: RepositoryId,
        number: u64,
    ) -> Result<(Issue, Vec<Comment>), Refusal> {
        let home = self.repository_mut(repository)?;
        if home.issues.get(&number).is_none_or(|issue| issue.pull_request.is_some()) {
            return Err(Refusal::NotFound);
        }
        let issue = home.issues.remove(&number).ok_or(Refusal::NotFound)?;
        let ids: Vec<u64> = home.comments_of(number).map(|comment| comment.id).collect();
        let comments = ids.iter().filter_map(|id| home.comments.remove(id)).collect();
        Ok((issue, comments))
    }

    /// Deletes an issue for good.
    ///
    /// # Errors
    /// `NotFound` for a pull request, which nobody can delete; people need
    /// admin.
    pub fn delete_issue(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
    ) -> Result<(), Refusal> {
        self.require_role(caller, repository, Role::Admin)?;
        self.writable(repository)?;
        self.issue(repository, number)?;
        self.emit_issue(caller, repository, number, "deleted", json!({}))?;
        self.take_issue(repository, number).map(|_| ())
    }

    /// Moves an issue to another repository of the same owner; returns its
    /// number there. Under its old id it is found no more.
    ///
    /// # Errors
    /// `NotFound`, `IssuesDisabled`, `Archived`; people need write in both.
    pub fn transfer_issue(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        to: RepositoryId,
    ) -> Result<u64, Refusal> {
        for home in [repository, to] {
            self.require_role(caller, home, Role::Write)?;
        }
        self.writable(repository)?;
        let target = self.writable(to)?;
        if !target.has_issues {
            return Err(Refusal::IssuesDisabled);
        }
        if target.owner != self.repository(repository)?.owner {
            return Err(Refusal::NotFound);
        }
        let mut issue = self.issue(repository, number)?.clone();
        if issue.pull_request.is_some() {
            return Err(Refusal::NotFound);
        }
        let there = self.repository(to)?.issues.last_key_value().map_or(1, |(last, _)| last + 1);
        issue.number = there;
        issue.labels.clear();
        self.repository_mut(to)?.issues.insert(there, issue);
        let changes = json!({ "changes": {
            "new_issue": self.issue_json(self.repository(to)?, self.issue(to, there)?),
            "new_repository": self.repository_json(self.repository(to)?),
        } });
        self.emit_issue(caller, repository, number, "transferred", changes)?;
        let (_, comments) = self.take_issue(repository, number)?;
        let home = self.repository_mut(to)?;
        for mut comment in comments {
            comment.issue = there;
            home.comments.insert(comment.id, comment);
        }
        Ok(there)
    }

    /// Makes a discussion of an issue. GitHub sends no event of issues for it,
    /// and the sandbox has no discussions: it is gone.
    ///
    /// # Errors
    /// `NotFound` for a pull request; people need write.
    pub fn convert_to_discussion(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
    ) -> Result<(), Refusal> {
        self.require_role(caller, repository, Role::Write)?;
        self.writable(repository)?;
        self.take_issue(repository, number).map(|_| ())
    }

    /// Reports a change of an issue or pull request with all its fields.
    pub(crate) fn emit_issue(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        action: &'static str,
        mut extra: Value,
    ) -> Result<(), Refusal> {
        let issue = self.issue(repository, number)?;
        let event = issue.event();
        let shape = match &issue.pull_request {
            Some(_) => {
                extra["number"] = json!(number);
                ("pull_request", self.pull_request_json(self.repository(repository)?, issue, true))
            }
            None => ("issue", self.issue_json(self.repository(repository)?, issue)),
        };
        extra[shape.0] = shape.1;
        self.emit(caller, Scope::Repository(repository), event, Some(action), extra);
        Ok(())
    }

    fn emit_labeled(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        action: &'static str,
        label: u64,
    ) -> Result<(), Refusal> {
        let home = self.repository(repository)?;
        let label = home.labels.get(&label).map(|label| self.label_json(home, label));
        self.emit_issue(caller, repository, number, action, json!({ "label": label }))
    }

    /// Locks or unlocks the conversation.
    ///
    /// # Errors
    /// `NotFound`, `Archived`; people need write.
    pub fn set_lock(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        lock: Option<Option<String>>,
    ) -> Result<(), Refusal> {
        let by = self.require_role(caller, repository, Role::Write)?;
        self.writable(repository)?;
        let (now, action) = (self.now(), if lock.is_some() { "locked" } else { "unlocked" });
        let issue = self.issue_mut(repository, number)?;
        issue.locked = lock.is_some().then_some((now, by)).or(issue.locked);
        issue.lock = lock;
        self.emit_issue(caller, repository, number, action, json!({}))
    }

    /// Comments on an issue or pull request; returns the comment's id.
    ///
    /// # Errors
    /// `NotFound`, `Archived`, `Invalid`, `SecondaryLimit`; a locked
    /// conversation is open to those who may write.
    pub fn create_comment(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        body: &str,
    ) -> Result<u64, Refusal> {
        let author = self.require_role(caller, repository, Role::Read)?;
        self.conversing(repository, number)?;
        let locked = self.issue(repository, number)?.lock.is_some();
        if locked && self.require_role(caller, repository, Role::Write).is_err() {
            return Err(Refusal::Forbidden("Unable to create comment because issue is locked."));
        }
        if body.trim().is_empty() {
            return Err(Refusal::invalid("IssueComment", "body", "missing_field"));
        }
        Self::check_body("IssueComment", Some(body))?;
        self.count_content(caller)?;
        let (id, now) = (self.next_id(), self.now());
        let comment = Comment {
            id,
            issue: number,
            body: body.to_owned(),
            author,
            by_app: matches!(caller, Caller::Installation(_)),
            created_at: now,
            updated_at: now,
            edits: Vec::new(),
            reactions: Vec::new(),
        };
        self.repository_mut(repository)?.comments.insert(id, comment);
        self.issue_mut(repository, number)?.updated_at = now;
        self.emit_comment(caller, repository, id, "created", json!({}))?;
        Ok(id)
    }

    /// A comment, whoever asks.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn comment(&self, repository: RepositoryId, id: u64) -> Result<&Comment, Refusal> {
        self.repository(repository)?.comments.get(&id).ok_or(Refusal::NotFound)
    }

    fn emit_comment(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        id: u64,
        action: &'static str,
        mut extra: Value,
    ) -> Result<(), Refusal> {
        let home = self.repository(repository)?;
        let comment = self.comment(repository, id)?;
        let issue = self.issue(repository, comment.issue)?;
        extra["issue"] = self.issue_json(home, issue);
        extra["comment"] = self.comment_json(home, comment);
        self.emit(caller, Scope::Repository(repository), "issue_comment", Some(action), extra);
        Ok(())
    }

    /// Changes the text of a comment.
    ///
    /// # Errors
    /// `NotFound`, `Archived`, `Invalid`; for people who neither wrote it nor
    /// may write.
    pub fn update_comment(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        id: u64,
        body: &str,
    ) -> Result<(), Refusal> {
        let actor = self.require_role(caller, repository, Role::Read)?;
        self.writable(repository)?;
        if self.comment(repository, id)?.author != actor {
            self.require_role(caller, repository, Role::Write)?;
        }
        Self::check_body("IssueComment", Some(body))?;
        let now = self.now();
        let home = self.repository_mut(repository)?;
        let comment = home.comments.get_mut(&id).ok_or(Refusal::NotFound)?;
        let from = std::mem::replace(&mut comment.body, body.to_owned());
        comment.updated_at = now;
        comment.edits.push(Edit { at: now, by: actor, from: Some(from.clone()) });
        let changes = json!({ "changes": { "body": { "from": from } } });
        self.emit_comment(caller, repository, id, "edited", changes)
    }

    /// Deletes a comment.
    ///
    /// # Errors
    /// As [`State::update_comment`].
    pub fn delete_comment(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        id: u64,
    ) -> Result<(), Refusal> {
        let actor = self.require_role(caller, repository, Role::Read)?;
        self.writable(repository)?;
        if self.comment(repository, id)?.author != actor {
            self.require_role(caller, repository, Role::Write)?;
        }
        self.emit_comment(caller, repository, id, "deleted", json!({}))?;
        self.repository_mut(repository)?.comments.remove(&id);
        Ok(())
    }

    /// Makes a label; returns its id.
    ///
    /// # Errors
    /// `Invalid` when the name is empty or taken; people need write.
    pub fn create_label(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        name: &str,
        color: &str,
        description: Option<String>,
    ) -> Result<u64, Refusal> {
        self.require_role(caller, repository, Role::Write)?;
        let home = self.writable(repository)?;
        if name.trim().is_empty() {
            return Err(Refusal::invalid("Label", "name", "missing_field"));
        }
        if home.label_named(name).is_some() {
            return Err(Refusal::invalid("Label", "name", "already_exists"));
        }
        let id = self.next_id();
        let label = Label { id, name: name.to_owned(), color: color.to_lowercase(), description };
        self.repository_mut(repository)?.labels.insert(id, label.clone());
        let body = json!({ "label": self.label_json(self.repository(repository)?, &label) });
        self.emit(caller, Scope::Repository(repository), "label", Some("created"), body);
        Ok(id)
    }

    /// The ids of labels by name; missing ones are made, in GitHub's grey.
    fn label_ids(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        names: &[String],
    ) -> Result<Vec<u64>, Refusal> {
        let mut ids = Vec::new();
        for name in names {
            let known = self.repository(repository)?.label_named(name).map(|label| label.id);
            let id = match known {
                Some(id) => id,
                None => self.create_label(caller, repository, name, "ededed", None)?,
            };
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    fn account_ids(&self, logins: &[String]) -> Vec<AccountId> {
        logins.iter().filter_map(|login| Some(self.account_named(login)?.id)).collect()
    }

    fn set_labels(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        wanted: Vec<u64>,
    ) -> Result<(), Refusal> {
        let (now, by) = (self.now(), self.actor(caller)?);
        let issue = self.issue_mut(repository, number)?;
        let had = std::mem::replace(&mut issue.labels, wanted.clone());
        if had != wanted {
            issue.updated_at = now;
        }
        let new = wanted.iter().filter(|label| !had.contains(label));
        issue.labeled.extend(new.map(|label| Labeled { label: *label, at: now, by }));
        for label in had.iter().filter(|label| !wanted.contains(label)) {
            self.emit_labeled(caller, repository, number, "unlabeled", *label)?;
        }
        for label in wanted.iter().filter(|label| !had.contains(label)) {
            self.emit_labeled(caller, repository, number, "labeled", *label)?;
        }
        Ok(())
    }

    /// Puts labels on an issue or pull request.
    ///
    /// # Errors
    /// `NotFound`, `Archived`; people need triage.
    pub fn add_labels(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        names: &[String],
    ) -> Result<(), Refusal> {
        self.require_role(caller, repository, Role::Triage)?;
        self.writable(repository)?;
        let mut wanted = self.issue(repository, number)?.labels.clone();
        for id in self.label_ids(caller, repository, names)? {
            if !wanted.contains(&id) {
                wanted.push(id);
            }
        }
        self.set_labels(caller, repository, number, wanted)
    }

    /// Takes a label off an issue or pull request.
    ///
    /// # Errors
    /// `NotFound` when it is not on it; people need triage.
    pub fn remove_label(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        name: &str,
    ) -> Result<(), Refusal> {
        self.require_role(caller, repository, Role::Triage)?;
        let label = self.writable(repository)?.label_named(name).map(|label| label.id);
        let mut wanted = self.issue(repository, number)?.labels.clone();
        let at = wanted.iter().position(|id| Some(*id) == label).ok_or(Refusal::NotFound)?;
        wanted.remove(at);
        self.set_labels(caller, repository, number, wanted)
    }

    /// Reacts; the same reaction twice is one. Returns it and whether it is new.
    ///
    /// # Errors
    /// `Invalid` for a content GitHub does not know; `NotFound`, `Archived`.
    pub fn react(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        subject: Subject,
        content: &str,
    ) -> Result<(Reaction, bool), Refusal> {
        let by = self.require_role(caller, repository, Role::Read)?;
        self.writable(repository)?;
        if !REACTIONS.contains(&content) {
            return Err(Refusal::invalid("Reaction", "content", "invalid"));
        }
        let (id, at) = (self.next_id(), self.now());
        let home = self.repository_mut(repository)?;
        let reactions = match subject {
            Subject::Issue(number) => &mut home.issues.get_mut(&number).ok_or(Refusal::NotFound)?.reactions,
            Subject::Comment(id) => &mut home.comments.get_mut(&id).ok_or(Refusal::NotFound)?.reactions,
        };
        if let Some(known) = reactions.iter().find(|r| r.by == by && r.content == content) {
            return Ok((known.clone(), false));
        }
        let reaction = Reaction { id, content: content.to_owned(), by, at };
        reactions.push(reaction.clone());
        Ok((reaction, true))
    }
}
