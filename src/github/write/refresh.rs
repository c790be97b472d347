//! Pull requests of ours that are open: their branch made anew, their text,
//! their end (etiquette 4.3).
//!
//! Promises: (1) a branch moves by compare-and-swap: a commit that somebody
//! else pushed meanwhile stays; (2) the branch never stands where its base
//! does, since GitHub would close the pull request for good.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Committed, NewCommit, Writer, reference};
use crate::{
    domain::{
        outgoing::{Line, PublicText},
        repository::ObjectId,
    },
    github::{
        error::{Error, Result},
        graphql::{
            CLOSE_PULL_REQUEST, CLOSE_PULL_REQUEST_SILENTLY, COMMIT, DESCRIBE, DESCRIBE_READY,
            DISABLE_AUTO_MERGE, MOVE_REFS, STAGE,
        },
    },
};

/// What deletes a branch in a list of moves.
const NOWHERE: &str = "0000000000000000000000000000000000000000";

#[derive(Deserialize)]
struct Made {
    #[serde(rename = "createCommitOnBranch")]
    commit: Committed,
}

impl Writer {
    /// Brings a staging branch to `commit.on`, whatever it was, and commits on
    /// it; the commit.
    ///
    /// # Errors
    /// [`Error`]: [`Error::Refused`] if a rule forbids such a branch.
    pub async fn stage(&self, commit: &NewCommit<'_>) -> Result<ObjectId> {
        let to_base =
            json!({ "name": reference(commit.branch), "afterOid": commit.on.as_str(), "force": true });
        let variables = json!({ "refs": self.moves(&[to_base]), "commit": self.commit_input(commit)? });
        let fields = ["updateRefs", "createCommitOnBranch"];
        let made: Made = self.send(&STAGE, &variables, &fields).await?.outcome(&STAGE, &fields)?;
        Ok(made.commit.commit.oid)
    }

    /// Commits on top of a branch of ours; the commit.
    ///
    /// # Errors
    /// [`Error`]: [`Error::StaleData`] if the branch is elsewhere.
    pub async fn commit(&self, commit: &NewCommit<'_>) -> Result<ObjectId> {
        let variables = json!({ "commit": self.commit_input(commit)? });
        let fields = ["createCommitOnBranch"];
        let made: Made = self.send(&COMMIT, &variables, &fields).await?.outcome(&COMMIT, &fields)?;
        Ok(made.commit.commit.oid)
    }

    /// Moves a branch of ours from `tip` to the commit of its staging branch,
    /// which goes: both or neither.
    ///
    /// # Errors
    /// [`Error`]: [`Error::StaleData`] if the branch is elsewhere,
    /// [`Error::Refused`] if a rule forbids to move it so.
    pub async fn swap(&self, branch: &str, tip: &ObjectId, to: &ObjectId, staging: &str) -> Result<()> {
        let moved = json!({
            "name": reference(branch),
            "beforeOid": tip.as_str(),
            "afterOid": to.as_str(),
            "force": true,
        });
        self.move_refs(&[moved, deleted(staging, to)]).await
    }

    /// Deletes a branch of ours, named without `refs/heads/`, if it is still
    /// at `tip`. The default branch is never ours: give names under Muster's
    /// prefix only.
    ///
    /// # Errors
    /// [`Error`]: [`Error::StaleData`] if it is elsewhere or gone.
    pub async fn delete_branch(&self, branch: &str, tip: &ObjectId) -> Result<()> {
        self.move_refs(&[deleted(branch, tip)]).await
    }

    /// Changes the text of a pull request of ours; `ready` makes a draft ready
    /// for review.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn describe_pull_request(
        &self,
        node_id: &str,
        title: Option<&Line>,
        body: &PublicText,
        ready: bool,
    ) -> Result<()> {
        let mut pull = json!({ "pullRequestId": node_id, "body": self.guarded(body)? });
        if let Some(title) = title {
            pull["title"] = title.as_str().into();
        }
        let (document, variables, fields): (_, _, &[&str]) = if ready {
            let variables = json!({ "pull": pull, "id": node_id });
            (&DESCRIBE_READY, variables, &["updatePullRequest", "markPullRequestReadyForReview"])
        } else {
            (&DESCRIBE, json!({ "pull": pull }), &["updatePullRequest"])
        };
        self.send(document, &variables, fields).await?.outcome(document, fields).map(|_: Value| ())
    }

    /// Closes a pull request of ours without merging it, with a line that says
    /// why, and deletes its branch if that is still at `tip`. What kept the
    /// branch, if it stays.
    ///
    /// # Errors
    /// [`Error`]; it may be closed all the same.
    pub async fn retire_pull_request(
        &self,
        node_id: &str,
        line: Option<&PublicText>,
        branch: &str,
        tip: &ObjectId,
    ) -> Result<Option<Error>> {
        let mut variables = json!({ "id": node_id, "refs": self.moves(&[deleted(branch, tip)]) });
        let (document, fields): (_, &[&str]) = match line {
            Some(line) => {
                variables["line"] = self.guarded(line)?.into();
                (&CLOSE_PULL_REQUEST, &["addComment", "closePullRequest", "updateRefs"])
            }
            None => (&CLOSE_PULL_REQUEST_SILENTLY, &["closePullRequest", "updateRefs"]),
        };
        let mut envelope = self.send(document, &variables, fields).await?;
        let stays = envelope.take_refusal(document, "updateRefs");
        envelope.outcome(document, fields).map(|_: Value| stays)
    }

    /// Takes back the wish that GitHub merges a pull request by itself.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn disable_auto_merge(&self, node_id: &str) -> Result<()> {
        let (document, fields) = (&DISABLE_AUTO_MERGE, ["disablePullRequestAutoMerge"]);
        let variables = json!({ "id": node_id });
        self.send(document, &variables, &fields).await?.outcome(document, &fields).map(|_: Value| ())
    }

    async fn move_refs(&self, moves: &[Value]) -> Result<()> {
        let (variables, fields) = (json!({ "refs": self.moves(moves) }), ["updateRefs"]);
        self.send(&MOVE_REFS, &variables, &fields).await?.outcome(&MOVE_REFS, &fields).map(|_: Value| ())
    }

    fn moves(&self, moves: &[Value]) -> Value {
        json!({ "repositoryId": self.target.node_id, "refUpdates": moves })
    }
}

fn deleted(branch: &str, at: &ObjectId) -> Value {
    json!({ "name": reference(branch), "beforeOid": at.as_str(), "afterOid": NOWHERE })
}
