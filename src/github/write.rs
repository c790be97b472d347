//! Writing: every change Muster makes on GitHub is one of these methods.
//!
//! Promises: (1) a [`Writer`] is for one repository, and each of its tokens is
//! limited to that repository and to what the one call needs; (2) a dry run
//! has no writer, so it holds no token that could write; (3) a text goes out
//! only where nobody sees it who may not see what it draws on; (4) files go
//! only to the closed list of paths, checked here once more.

use std::sync::Arc;

use base64::Engine as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    client::{Client, Kind, Who},
    credentials::Scope,
    error::{Error, Refusal, Result},
    graphql::{Document, OPEN_PULL_REQUEST, PROPOSE, PROPOSE_FROM_BRANCH},
    leave::Leave,
    needs::{self, ISSUE_WRITING, Need, PROPOSING, Route},
};
use crate::domain::{
    outgoing::{Line, PublicText, TARGET_PATHS},
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
    pub async fn propose(&self, new: &NewPullRequest<'_>) -> Result<Created> {
        if let Some((path, _)) = new.files.iter().find(|(path, _)| !TARGET_PATHS.contains(&path.as_str())) {
            let path = super::error::sentence(path);
            return Err(ours(format!("{path:?} is not a path Muster writes")));
        }
        let reference = |name: &str| format!("refs/heads/{name}");
        let pull = json!({
            "repositoryId": self.target.node_id,
            "baseRefName": new.base,
            "headRefName": new.branch,
            "title": new.title.as_str(),
            "body": self.guarded(new.body)?,
            "draft": new.draft,
        });
        let commit = |expected: &ObjectId| -> Result<Value> {
            let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
            let additions: Vec<Value> = new
                .files
                .iter()
                .map(|(path, bytes)| json!({ "path": path, "contents": encode(bytes) }))
                .collect();
            Ok(json!({
                "branch": {
                    "repositoryNameWithOwner": self.target.name.to_string(),
                    "branchName": new.branch,
                },
                "expectedHeadOid": expected.as_str(),
                "message": { "headline": new.headline.as_str(), "body": self.guarded(new.message)? },
                "fileChanges": { "additions": additions },
            }))
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
            Start::Committed => {
                self.mutate(&OPEN_PULL_REQUEST, &json!({ "pull": pull }), &["createPullRequest"]).await
            }
        }
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

    /// Deletes a branch of ours, named without `refs/heads/`. The default
    /// branch is never ours: give names under Muster's prefix only.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn delete_branch(&self, branch: &str) -> Result<()> {
        let route = &needs::DELETE_BRANCH;
        let path = self.path(route, &[&format!("heads/{branch}")]);
        self.client.rest(&self.who(PROPOSING), route, &path, None, self.kind(1)).await.map(|_| ())
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

    async fn mutate(&self, document: &Document, variables: &Value, fields: &[&str]) -> Result<Created> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "createPullRequest")]
            pull: Pull,
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
        let count = u32::try_from(fields.len()).unwrap_or(u32::MAX);
        let who = self.who(document.needs);
        let envelope = self.client.graphql(&who, document, variables, self.kind(count)).await?;
        let data: Data = envelope.outcome(document, fields)?;
        let Opened { id, number, url } = data.pull.pull_request;
        Ok(Created { number, node_id: id, url })
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
