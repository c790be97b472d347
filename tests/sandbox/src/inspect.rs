//! What is there, as plain values with a short `Display`, for assertions.

use std::fmt;

use crate::sandbox::Sandbox;
use crate::state::{IssueState, Refusal, Repository, State};

/// An issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueView {
    /// Number within the repository.
    pub number: u64,
    /// One line.
    pub title: String,
    /// Markdown, as stored.
    pub body: String,
    /// `open`, or `closed: completed` and so on.
    pub state: String,
    /// Who opened it.
    pub author: String,
    /// Label names.
    pub labels: Vec<String>,
    /// Whether the conversation is locked.
    pub locked: bool,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequestView {
    /// Number within the repository.
    pub number: u64,
    /// One line.
    pub title: String,
    /// Markdown, as stored.
    pub body: String,
    /// `open`, `draft`, `merged` or `closed`.
    pub state: String,
    /// Who opened it.
    pub author: String,
    /// Label names.
    pub labels: Vec<String>,
    /// `owner:branch` it comes from.
    pub head: String,
    /// Branch it goes to.
    pub base: String,
    /// Paths it changes.
    pub files: Vec<String>,
    /// How many commits it has.
    pub commits: usize,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentView {
    /// Global id.
    pub id: u64,
    /// Who wrote it.
    pub author: String,
    /// Markdown, as stored.
    pub body: String,
    /// Reactions as `login content`.
    pub reactions: Vec<String>,
}

/// A check run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRunView {
    /// Global id.
    pub id: u64,
    /// Display name.
    pub name: String,
    /// The commit.
    pub head: String,
    /// The conclusion, or else the status.
    pub state: String,
    /// Title of the output.
    pub title: String,
    /// Summary of the output.
    pub summary: String,
    /// The App's own key.
    pub external_id: String,
    /// Its annotations, as `path:line level message`.
    pub annotations: Vec<String>,
}

/// An annotation as `path:line level message`.
fn annotation(annotation: &serde_json::Value) -> String {
    let word = |field: &str| annotation[field].as_str().unwrap_or_default().to_owned();
    let line = &annotation["start_line"];
    format!("{}:{line} {} {}", word("path"), word("annotation_level"), word("message"))
}

impl fmt::Display for IssueView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {} ({})", self.number, self.title, self.state)
    }
}

impl fmt::Display for PullRequestView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {} ({})", self.number, self.title, self.state)
    }
}

impl fmt::Display for CommentView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}: {}", self.author, self.body)
    }
}

impl fmt::Display for CheckRunView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.name, self.state, self.title)
    }
}

/// A list that prints one entry a line, for inline snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T>(pub Vec<T>);

impl<T: fmt::Display> fmt::Display for Listing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl<T> std::ops::Deref for Listing<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl Sandbox {
    fn look<T>(&self, repository: &str, look: impl FnOnce(&State, &Repository) -> T) -> T {
        let id = self.repository_id(repository);
        let seen = self.state(|state| state.repository(id).map(|home| look(state, home)));
        seen.unwrap_or_else(|refusal: Refusal| panic!("{repository}: {refusal}"))
    }

    /// The issues of a repository, without pull requests, oldest first.
    ///
    /// # Panics
    /// When there is no such repository, here and below.
    pub fn issues(&self, repository: &str) -> Listing<IssueView> {
        self.look(repository, |state, home| {
            let issues = home.issues.values().filter(|issue| issue.pull_request.is_none());
            let view = |issue: &crate::state::Issue| IssueView {
                number: issue.number,
                title: issue.title.clone(),
                body: issue.body.clone().unwrap_or_default(),
                state: match &issue.state {
                    IssueState::Open { .. } => "open".to_owned(),
                    IssueState::Closed { reason: Some(reason), .. } => {
                        format!("closed: {}", reason.word())
                    }
                    IssueState::Closed { reason: None, .. } => "closed".to_owned(),
                },
                author: state.login(issue.author).to_owned(),
                labels: label_names(home, &issue.labels),
                locked: issue.lock.is_some(),
            };
            Listing(issues.map(view).collect())
        })
    }

    /// The pull requests of a repository, oldest first.
    pub fn pull_requests(&self, repository: &str) -> Listing<PullRequestView> {
        self.look(repository, |state, home| {
            let mut views = Vec::new();
            for issue in home.issues.values() {
                let Some(pull) = &issue.pull_request else { continue };
                let word = match (issue.is_open(), &pull.merged) {
                    (_, Some(_)) => "merged",
                    (true, None) if pull.draft => "draft",
                    (true, None) => "open",
                    (false, None) => "closed",
                };
                views.push(PullRequestView {
                    number: issue.number,
                    title: issue.title.clone(),
                    body: issue.body.clone().unwrap_or_default(),
                    state: word.to_owned(),
                    author: state.login(issue.author).to_owned(),
                    labels: label_names(home, &issue.labels),
                    head: format!("{}:{}", state.login(pull.head_owner), pull.head_branch),
                    base: pull.base_branch.clone(),
                    files: home.changed_files(pull).into_iter().map(|file| file.path).collect(),
                    commits: home.commits_of(pull).len(),
                });
            }
            Listing(views)
        })
    }

    /// The comments of an issue or pull request, oldest first.
    pub fn comments(&self, repository: &str, number: u64) -> Listing<CommentView> {
        self.look(repository, |state, home| {
            let view = |comment: &crate::state::Comment| CommentView {
                id: comment.id,
                author: state.login(comment.author).to_owned(),
                body: comment.body.clone(),
                reactions: comment
                    .reactions
                    .iter()
                    .map(|reaction| format!("{} {}", state.login(reaction.by), reaction.content))
                    .collect(),
            };
            Listing(home.comments_of(number).map(view).collect())
        })
    }

    /// The check runs of a repository, oldest first.
    pub fn check_runs(&self, repository: &str) -> Listing<CheckRunView> {
        self.look(repository, |_, home| {
            let view = |run: &crate::state::CheckRun| CheckRunView {
                id: run.id,
                name: run.content.name.clone(),
                head: run.head.to_string(),
                state: run.content.conclusion.clone().unwrap_or_else(|| run.content.status.clone()),
                title: run.content.title.clone().unwrap_or_default(),
                summary: run.content.summary.clone().unwrap_or_default(),
                external_id: run.content.external_id.clone().unwrap_or_default(),
                annotations: run.annotations.iter().map(annotation).collect(),
            };
            Listing(home.check_runs.values().map(view).collect())
        })
    }

    /// The labels of a repository by name.
    pub fn labels(&self, repository: &str) -> Vec<String> {
        self.look(repository, |_, home| home.labels.values().map(|l| l.name.clone()).collect())
    }

    /// The branches of a repository, sorted.
    pub fn branches(&self, repository: &str) -> Vec<String> {
        self.look(repository, |_, home| home.branches().map(|(name, _)| name.to_owned()).collect())
    }

    /// The bytes of a file on a branch as text; `None` when it is not there.
    pub fn file(&self, repository: &str, branch: &str, path: &str) -> Option<String> {
        self.look(repository, |_, home| {
            let commit = home.objects.commit(home.branch(branch)?)?;
            let entry = home.objects.entry_at(commit.tree, path)?;
            Some(String::from_utf8_lossy(home.objects.blob(entry.oid)?).into_owned())
        })
    }

    /// The head of a branch.
    pub fn head(&self, repository: &str, branch: &str) -> Option<crate::git::Oid> {
        self.look(repository, |_, home| home.branch(branch))
    }
}

fn label_names(home: &Repository, ids: &[u64]) -> Vec<String> {
    ids.iter().filter_map(|id| Some(home.labels.get(id)?.name.clone())).collect()
}
