//! Check suites and check runs.

use jiff::Timestamp;
use serde_json::json;

use super::{Caller, Refusal, RepositoryId, Role, Scope, State};
use crate::git::Oid;

/// The runs of the App on one commit.
#[derive(Debug, Clone)]
pub struct CheckSuite {
    /// Global numeric id.
    pub id: u64,
    /// The commit.
    pub head: Oid,
    /// The branch that was pushed; `None` for a commit of a fork.
    pub branch: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Last change of a run.
    pub updated_at: Timestamp,
}

/// One check run.
#[derive(Debug, Clone)]
pub struct CheckRun {
    /// Global numeric id.
    pub id: u64,
    /// The suite it belongs to.
    pub suite: u64,
    /// The commit.
    pub head: Oid,
    /// What it says.
    pub content: CheckContent,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
    /// Everything annotated so far; updates append.
    pub annotations: Vec<serde_json::Value>,
}

/// What the App says in a check run.
#[derive(Debug, Clone, Default)]
pub struct CheckContent {
    /// Display name.
    pub name: String,
    /// `queued`, `in_progress` or `completed`.
    pub status: String,
    /// Set when completed.
    pub conclusion: Option<String>,
    /// The App's own key.
    pub external_id: Option<String>,
    /// Where to read more.
    pub details_url: Option<String>,
    /// Title of the output.
    pub title: Option<String>,
    /// Markdown.
    pub summary: Option<String>,
    /// Markdown.
    pub text: Option<String>,
}

/// A check run to make, or what to change of one.
#[derive(Debug, Clone, Default)]
pub struct CheckChange {
    /// Display name.
    pub name: Option<String>,
    /// `queued`, `in_progress` or `completed`.
    pub status: Option<String>,
    /// Setting it completes the run.
    pub conclusion: Option<String>,
    /// The App's own key.
    pub external_id: Option<String>,
    /// Where to read more.
    pub details_url: Option<String>,
    /// Title and summary of the output, and its longer text.
    pub output: Option<(String, String, Option<String>)>,
    /// Annotations to append; 50 at most in one call.
    pub annotations: Vec<serde_json::Value>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
}

const STATUSES: [&str; 3] = ["queued", "in_progress", "completed"];
const CONCLUSIONS: [&str; 7] =
    ["success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"];
/// Schema `check-run`, `annotations`: `maxItems`.
const ANNOTATIONS_A_CALL: usize = 50;

/// Schema of `POST /repos/{owner}/{repo}/check-runs`: what an annotation must
/// have, and how long its parts may be ("64 KB", "255 characters").
fn is_annotation(annotation: &serde_json::Value) -> bool {
    let text = |field: &str| annotation[field].as_str();
    let line = |field: &str| annotation[field].as_u64().filter(|line| *line > 0);
    let level = text("annotation_level");
    let known = level.is_some_and(|level| ["notice", "warning", "failure"].contains(&level));
    let ordered = line("start_line").zip(line("end_line")).is_some_and(|(start, end)| start <= end);
    known
        && ordered
        && text("path").is_some_and(|path| !path.is_empty())
        && text("message").is_some_and(|message| !message.is_empty() && message.len() <= 64 * 1024)
        && text("title").is_none_or(|title| title.chars().count() <= 255)
}

impl CheckRun {
    fn apply(&mut self, change: CheckChange, now: Timestamp) -> Result<(), Refusal> {
        let invalid = |field| Refusal::invalid("CheckRun", field, "invalid");
        if change.annotations.len() > ANNOTATIONS_A_CALL {
            return Err(Refusal::Unprocessable(
                "Invalid request.\n\nNo more than 50 items are allowed; annotations".to_owned(),
            ));
        }
        if !change.annotations.iter().all(is_annotation) {
            return Err(invalid("annotations"));
        }
        // "The maximum summary length is 65535 characters."
        if change.output.as_ref().is_some_and(|(_, summary, _)| summary.chars().count() > 65_535) {
            return Err(invalid("summary"));
        }
        if change.status.as_deref().is_some_and(|status| !STATUSES.contains(&status)) {
            return Err(invalid("status"));
        }
        if change.conclusion.as_deref().is_some_and(|word| !CONCLUSIONS.contains(&word)) {
            return Err(invalid("conclusion"));
        }
        if change.status.as_deref() == Some("completed") && change.conclusion.is_none() {
            return Err(Refusal::invalid("CheckRun", "conclusion", "missing_field"));
        }
        let content = &mut self.content;
        if let Some(name) = change.name {
            content.name = name;
        }
        if let Some(status) = change.status {
            content.status = status;
        }
        if change.conclusion.is_some() {
            content.conclusion = change.conclusion;
            "completed".clone_into(&mut content.status);
            self.completed_at = Some(change.completed_at.unwrap_or(now));
        }
        content.external_id = change.external_id.or(content.external_id.take());
        content.details_url = change.details_url.or(content.details_url.take());
        if let Some((title, summary, text)) = change.output {
            (content.title, content.summary, content.text) = (Some(title), Some(summary), text);
        }
        self.started_at = change.started_at.unwrap_or(self.started_at);
        self.annotations.extend(change.annotations);
        Ok(())
    }
}

impl State {
    /// A check run, whoever asks.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn check_run(&self, repository: RepositoryId, id: u64) -> Result<&CheckRun, Refusal> {
        self.repository(repository)?.check_runs.get(&id).ok_or(Refusal::NotFound)
    }

    /// The App's suite on a commit, made if there is none; GitHub makes one
    /// for every push when the App may write checks.
    pub(crate) fn check_suite(
        &mut self,
        repository: RepositoryId,
        head: Oid,
        branch: Option<&str>,
    ) -> Result<u64, Refusal> {
        let (id, now) = (self.next_id(), self.now());
        let suites = &mut self.repository_mut(repository)?.check_suites;
        if let Some(suite) = suites.values().find(|suite| suite.head == head) {
            return Ok(suite.id);
        }
        let branch = branch.map(str::to_owned);
        suites.insert(id, CheckSuite { id, head, branch, created_at: now, updated_at: now });
        Ok(id)
    }

    /// Makes a check run on a commit that was pushed to this repository.
    ///
    /// # Errors
    /// `Unprocessable` for an unknown commit or more than 50 annotations,
    /// `Invalid`, `Archived`; people cannot make check runs.
    pub fn create_check_run(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        head: Oid,
        change: CheckChange,
    ) -> Result<u64, Refusal> {
        if !matches!(caller, Caller::Installation(_)) {
            return Err(Refusal::Forbidden("You must authenticate via a GitHub App."));
        }
        if self.writable(repository)?.objects.commit(head).is_none() {
            return Err(Refusal::Unprocessable(format!("No commit found for SHA: {head}")));
        }
        let (suite, id, now) = (self.check_suite(repository, head, None)?, self.next_id(), self.now());
        let content = CheckContent { status: "queued".to_owned(), ..CheckContent::default() };
        let mut run = CheckRun {
            id,
            suite,
            head,
            content,
            started_at: now,
            completed_at: None,
            annotations: Vec::new(),
        };
        run.apply(change, now)?;
        if run.content.name.is_empty() {
            return Err(Refusal::invalid("CheckRun", "name", "missing_field"));
        }
        self.repository_mut(repository)?.check_runs.insert(id, run);
        self.emit_check_run(caller, repository, id, "created")?;
        Ok(id)
    }

    /// Changes a check run; annotations are appended.
    ///
    /// # Errors
    /// As [`State::create_check_run`].
    pub fn update_check_run(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        id: u64,
        change: CheckChange,
    ) -> Result<(), Refusal> {
        self.writable(repository)?;
        let now = self.now();
        let home = self.repository_mut(repository)?;
        let run = home.check_runs.get_mut(&id).ok_or(Refusal::NotFound)?;
        let was_completed = run.completed_at.is_some();
        run.apply(change, now)?;
        let (suite, completed) = (run.suite, run.completed_at.is_some());
        if let Some(suite) = home.check_suites.get_mut(&suite) {
            suite.updated_at = now;
        }
        if completed && !was_completed {
            self.emit_check_run(caller, repository, id, "completed")?;
        }
        Ok(())
    }

    fn emit_check_run(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        id: u64,
        action: &'static str,
    ) -> Result<(), Refusal> {
        let run = self.check_run(repository, id)?;
        let body = json!({ "check_run": self.check_run_json(self.repository(repository)?, run) });
        self.emit(caller, Scope::Repository(repository), "check_run", Some(action), body);
        Ok(())
    }

    /// A person asks for one run again.
    ///
    /// # Errors
    /// `NotFound`; people need write.
    pub fn rerequest_check_run(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        id: u64,
    ) -> Result<(), Refusal> {
        self.require_role(caller, repository, Role::Write)?;
        self.emit_check_run(caller, repository, id, "rerequested")
    }

    /// A person asks for all runs of a suite again.
    ///
    /// # Errors
    /// `NotFound`; people need write.
    pub fn rerequest_check_suite(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        id: u64,
    ) -> Result<(), Refusal> {
        self.require_role(caller, repository, Role::Write)?;
        self.emit_check_suite(caller, repository, id, "rerequested")
    }

    pub(crate) fn emit_check_suite(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        id: u64,
        action: &'static str,
    ) -> Result<(), Refusal> {
        let home = self.repository(repository)?;
        let suite = home.check_suites.get(&id).ok_or(Refusal::NotFound)?;
        let body = json!({ "check_suite": self.check_suite_json(home, suite) });
        self.emit(caller, Scope::Repository(repository), "check_suite", Some(action), body);
        Ok(())
    }
}
