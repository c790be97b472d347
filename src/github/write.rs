//! Writing: every change Muster makes on GitHub is one of these methods.
//!
//! Promises: (1) a [`Writer`] is for one repository, and each of its tokens is
//! limited to that repository and to what the one call needs; (2) a dry run
//! has no writer, so it holds no token that could write; (3) a text goes out
//! only where nobody sees it who may not see what it draws on; (4) files go
//! only to the closed list of paths, checked here once more; (5) a branch is
//! moved or deleted only if it is where it was read.

mod checks;
mod refresh;

pub use checks::ANNOTATIONS_A_CALL;

use std::sync::Arc;

use base64::Engine as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    client::{Client, Kind, Who},
    credentials::Scope,
    error::{Error, Refusal, Result},
    graphql::{CLOSE_ISSUE, Document, Envelope, OPEN_PULL_REQUEST, PROPOSE, PROPOSE_FROM_BRANCH},
    leave::Leave,
    needs::{self, ISSUE_WRITING, Need, PROPOSING, Route},
};
use crate::domain::{
    outgoing::{INVENTORY_PATHS, Line, PublicText, TARGET_PATHS},
    outstanding::Start,
    repository::{ObjectId, RepositoryId, RepositoryName, Visibility},
};

/// The repository that is written to, as it was read just before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its id: what the tokens are limited to.
    pub id: RepositoryId,
    /// GraphQL's global id.
    pub node_id: String,
    /// Its name now.
    pub name: RepositoryName,
    /// Who sees what is written there.
    pub visibility: Visibility,
}

/// An issue, a pull request or a comment that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The number in its repository; a comment has its id here.
    pub number: u64,
    /// GraphQL's global id.
    pub node_id: String,
    /// The page, for people.
    pub url: String,
}

/// A pull request that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// It.
    pub created: Created,
    /// Its commit, if this call made one.
    pub commit: Option<ObjectId>,
}

/// The state an issue is brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueState {
    /// Open again.
    Open,
    /// Closed: there is nothing left to do.
    Completed,
    /// Closed: nothing will be done.
    NotPlanned,
}

/// A commit on a branch of ours, made and signed by GitHub.
#[derive(Debug, Clone, Copy)]
pub struct NewCommit<'a> {
    /// The branch, without `refs/heads/`.
    pub branch: &'a str,
    /// Where the branch is; nothing is committed if it is elsewhere.
    pub on: &'a ObjectId,
    /// The first line of the message.
    pub headline: &'a Line,
    /// The rest of the message.
    pub message: &'a PublicText,
    /// Path and content of each file.
    pub files: &'a [(String, Vec<u8>)],
    /// Paths that are removed.
    pub removed: &'a [String],
}

/// What changes in an issue; what is `None` stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct IssueChange<'a> {
    /// The title.
    pub title: Option<&'a Line>,
    /// The whole body.
    pub body: Option<&'a PublicText>,
    /// The state.
    pub state: Option<IssueState>,
}

/// A pull request that adds files.
#[derive(Debug, Clone)]
pub struct NewPullRequest<'a> {
    /// The branch it is meant for.
    pub base: &'a str,
    /// The tip of the base branch that was judged.
    pub base_oid: &'a ObjectId,
    /// Its own branch, without `refs/heads/`.
    pub branch: &'a str,
    /// The first line of the commit message.
    pub headline: &'a Line,
    /// The rest of the commit message.
    pub message: &'a PublicText,
    /// Path and content of each file.
    pub files: &'a [(String, Vec<u8>)],
    /// The title.
    pub title: &'a Line,
    /// The body.
    pub body: &'a PublicText,
    /// A draft: a person has to answer something first.
    pub draft: bool,
    /// What is there from an earlier attempt.
    pub start: Start,
}

/// Writes to one repository, with leave for every write.
#[derive(Clone)]
pub struct Writer {
    client: Arc<Client>,
    leave: Leave,
    target: Target,
}

impl Writer {
    pub(super) fn new(client: Arc<Client>, leave: Leave, target: Target) -> Writer {
        Writer { client, leave, target }
    }

    /// Makes a label; `color` is six hexadecimal digits.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Conflict`] if there is one of that name.
    pub async fn create_label(&self, name: &Line, color: &str, description: &Line) -> Result<()> {
        let body = json!({ "name": name.as_str(), "color": color, "description": description.as_str() });
        self.rest(&needs::CREATE_LABEL, &[], &body, ISSUE_WRITING).await.map(|_: Value| ())
    }

    /// Opens an issue.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Gone`] if issues are disabled.
    pub async fn create_issue(&self, title: &Line, body: &PublicText, labels: &[Line]) -> Result<Created> {
        let labels: Vec<&str> = labels.iter().map(Line::as_str).collect();
        let body = json!({ "title": title.as_str(), "body": self.guarded(body)?, "labels": labels });
        let made: Made = self.rest(&needs::CREATE_ISSUE, &[], &body, ISSUE_WRITING).await?;
        Ok(made.into_created())
    }

    /// Changes an issue of ours.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn update_issue(&self, number: u64, change: IssueChange<'_>) -> Result<()> {
        let mut body = json!({});
        if let Some(title) = change.title {
            body["title"] = title.as_str().into();
        }
        if let Some(text) = change.body {
            body["body"] = self.guarded(text)?.into();
        }
        if let Some(state) = change.state {
            let (state, reason) = match state {
                IssueState::Open => ("open", "reopened"),
                IssueState::Completed => ("closed", "completed"),
                IssueState::NotPlanned => ("closed", "not_planned"),
            };
            body["state"] = state.into();
            body["state_reason"] = reason.into();
        }
        self.rest(&needs::UPDATE_ISSUE, &[&number.to_string()], &body, ISSUE_WRITING).await.map(|_: Value| ())
    }

    /// Closes an issue of ours that is not done, with a line that says why, or
    /// without one where it was said already.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn drop_issue(&self, number: u64, node_id: &str, line: Option<&PublicText>) -> Result<()> {
        let Some(line) = line else {
            let change = IssueChange { state: Some(IssueState::NotPlanned), ..IssueChange::default() };
            return self.update_issue(number, change).await;
        };
        let variables = json!({ "id": node_id, "line": self.guarded(line)? });
        let fields = ["addComment", "closeIssue"];
        self.send(&CLOSE_ISSUE, &variables, &fields).await?.outcome(&CLOSE_ISSUE, &fields).map(|_: Value| ())
    }

    /// Comments on an issue or a pull request.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn comment(&self, number: u64, body: &PublicText) -> Result<Created> {
        let body = json!({ "body": self.guarded(body)? });
        let made: Made = self.rest(&needs::COMMENT, &[&number.to_string()], &body, ISSUE_WRITING).await?;
        Ok(made.into_created())
    }

    /// Opens a pull request that adds files, in one call: branch, one commit
    /// that GitHub signs, pull request. Each of the three may have happened
    /// alone when this fails: read what is ours before the next attempt, and
    /// say in [`Start`] what stands.
    ///
    /// # Errors
    /// [`Error`]: [`Error::StaleData`] if a tip has moved, [`Error::Conflict`]
    /// if the branch or the pull request exists, [`Error::Refused`] with
    /// [`Refusal::Rules`] or [`Refusal::Drafts`], [`Error::Ambiguous`] if the
    /// answer was lost.
    pub async fn propose(&self, new: &NewPullRequest<'_>) -> Result<Proposed> {
        let pull = json!({
            "repositoryId": self.target.node_id,
            "baseRefName": new.base,
            "headRefName": new.branch,
            "title": new.title.as_str(),
            "body": self.guarded(new.body)?,
            "draft": new.draft,
        });
        let commit = |on: &ObjectId| {
            let NewPullRequest { branch, headline, message, files, .. } = *new;
            self.commit_input(&NewCommit { branch, on, headline, message, files, removed: &[] })
        };
        match &new.start {
            Start::Nothing => {
                let created = json!({
                    "repositoryId": self.target.node_id,
                    "name": reference(new.branch),
                    "oid": new.base_oid.as_str(),
                });
                let variables = json!({ "ref": created, "commit": commit(new.base_oid)?, "pull": pull });
                let fields = ["createRef", "createCommitOnBranch", "createPullRequest"];
                self.mutate(&PROPOSE, &variables, &fields).await
            }
            Start::Branch(tip) => {
                let variables = json!({ "commit": commit(tip)?, "pull": pull });
                let fields = ["createCommitOnBranch", "createPullRequest"];
                self.mutate(&PROPOSE_FROM_BRANCH, &variables, &fields).await
            }
            Start::Committed(_) => {
                self.mutate(&OPEN_PULL_REQUEST, &json!({ "pull": pull }), &["createPullRequest"]).await
            }
        }
    }

    /// The input of a commit, its paths checked once more.
    fn commit_input(&self, new: &NewCommit<'_>) -> Result<Value> {
        let paths = new.files.iter().map(|(path, _)| path).chain(new.removed);
        let known = |path: &str| TARGET_PATHS.contains(&path) || INVENTORY_PATHS.contains(&path);
        if let Some(path) = paths.into_iter().find(|path| !known(path)) {
            let path = super::error::sentence(path);
            return Err(ours(format!("{path:?} is not a path Muster writes")));
        }
        let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        let added = new.files.iter().map(|(path, bytes)| json!({ "path": path, "contents": encode(bytes) }));
        let removed = new.removed.iter().map(|path| json!({ "path": path }));
        Ok(json!({
            "branch": {
                "repositoryNameWithOwner": self.target.name.to_string(),
                "branchName": new.branch,
            },
            "expectedHeadOid": new.on.as_str(),
            "message": { "headline": new.headline.as_str(), "body": self.guarded(new.message)? },
            "fileChanges": {
                "additions": added.collect::<Vec<_>>(),
                "deletions": removed.collect::<Vec<_>>(),
            },
        }))
    }

    /// Commits the files of an inventory on the default branch: the one write
    /// that does so. Give the branch of a repository only where the operator
    /// lets it be committed to (threats T7).
    ///
    /// # Errors
    /// [`Error`]: [`Error::StaleData`] if the branch is elsewhere,
    /// [`Error::Refused`] with [`Refusal::Rules`], [`Error::Ambiguous`] if the
    /// answer was lost.
    pub async fn keep(&self, commit: &NewCommit<'_>) -> Result<ObjectId> {
        if let Some((path, _)) =
            commit.files.iter().find(|(path, _)| !INVENTORY_PATHS.contains(&path.as_str()))
        {
            let path = super::error::sentence(path);
            return Err(ours(format!("{path:?} is no file of an inventory")));
        }
        self.commit(commit).await
    }

    /// Asks a team of the organization, by its slug, to review a pull request.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Refused`] if the team has no access.
    pub async fn request_review(&self, number: u64, team: &str) -> Result<()> {
        let body = json!({ "team_reviewers": [team] });
        self.rest(&needs::REQUEST_REVIEW, &[&number.to_string()], &body, PROPOSING).await.map(|_: Value| ())
    }

    /// Closes a pull request of ours without merging it.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn close_pull_request(&self, number: u64) -> Result<()> {
        let body = json!({ "state": "closed" });
        self.rest(&needs::UPDATE_PULL_REQUEST, &[&number.to_string()], &body, PROPOSING)
            .await
            .map(|_: Value| ())
    }

    async fn rest<T: serde::de::DeserializeOwned>(
        &self,
        route: &Route,
        values: &[&str],
        body: &Value,
        needs: &[Need],
    ) -> Result<T> {
        let path = self.path(route, values);
        let answer = self.client.rest(&self.who(needs), route, &path, Some(body), self.kind(1)).await?;
        serde_json::from_slice(&answer.body)
            .map_err(|_| Error::Ambiguous(format!("{route}: the answer cannot be read")))
    }

    async fn mutate(&self, document: &Document, variables: &Value, fields: &[&str]) -> Result<Proposed> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "createPullRequest")]
            pull: Pull,
            #[serde(rename = "createCommitOnBranch")]
            commit: Option<Committed>,
        }
        #[derive(Deserialize)]
        struct Pull {
            #[serde(rename = "pullRequest")]
            pull_request: Opened,
        }
        #[derive(Deserialize)]
        struct Opened {
            id: String,
            number: u64,
            url: String,
        }
        let data: Data = self.send(document, variables, fields).await?.outcome(document, fields)?;
        let Opened { id, number, url } = data.pull.pull_request;
        let commit = data.commit.map(|committed| committed.commit.oid);
        Ok(Proposed { created: Created { number, node_id: id, url }, commit })
    }

    /// Sends a mutation whose every field is a write.
    async fn send(&self, document: &Document, variables: &Value, fields: &[&str]) -> Result<Envelope> {
        let count = u32::try_from(fields.len()).unwrap_or(u32::MAX);
        let who = self.who(document.needs);
        self.client.graphql(&who, document, variables, self.kind(count)).await
    }

    fn path(&self, route: &Route, values: &[&str]) -> String {
        let mut all = vec![self.target.name.owner().as_str(), self.target.name.name()];
        all.extend(values);
        route.path(&all)
    }

    /// A token for this repository and this kind of work, and no more.
    fn who(&self, needs: &[Need]) -> Who {
        Who::Installation(Scope::new(self.leave.installation, needs, Some(&[self.target.id])))
    }

    fn kind(&self, writes: u32) -> Kind<'_> {
        Kind::Write(writes, &self.leave)
    }

    /// The last guard before the socket.
    fn guarded<'t>(&self, text: &'t PublicText) -> Result<&'t str> {
        let text = text.for_place(self.target.visibility).map_err(|error| ours(error.to_string()))?;
        match text.chars().count() {
            count if count > crate::domain::outgoing::MAX_BODY => {
                Err(ours(format!("a text of {count} characters is longer than Muster sends")))
            }
            _ => Ok(text),
        }
    }
}

/// A commit that GitHub made.
#[derive(Deserialize)]
struct Committed {
    commit: Commit,
}

#[derive(Deserialize)]
struct Commit {
    oid: ObjectId,
}

fn reference(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

fn ours(message: String) -> Error {
    Error::Refused { reason: Refusal::Ours, message }
}

/// What REST says of an issue or a comment it made.
#[derive(Deserialize)]
struct Made {
    id: u64,
    number: Option<u64>,
    node_id: String,
    html_url: String,
}

impl Made {
    fn into_created(self) -> Created {
        Created { number: self.number.unwrap_or(self.id), node_id: self.node_id, url: self.html_url }
    }
}
