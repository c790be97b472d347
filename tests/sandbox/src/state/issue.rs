//! Issues, and what pull requests share with them: comments, labels, reactions.

mod comments;
mod labels;
mod moves;

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

    fn account_ids(&self, logins: &[String]) -> Vec<AccountId> {
        logins.iter().filter_map(|login| Some(self.account_named(login)?.id)).collect()
    }
}
