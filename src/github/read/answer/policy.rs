//! The policy file of the organization, and how it came there.

use serde::Deserialize;
use serde_json::Value;

use super::{GitActor, Nodes, part};
use crate::domain::{
    observed::{Actor, PolicyCommit, PolicySource},
    repository::{EntryKind, Files, ObjectId},
};

/// Where the policy stands.
const POLICY: &str = ".github/muster.yml";

/// Where the policy stands; its text is still to be filled in.
pub(super) fn policy(home: &Value, files: &Files) -> PolicySource {
    if let Some(why) = files.unread(".github") {
        return PolicySource::Unread(why.to_owned());
    }
    let Some(entry) = files.entry(POLICY) else { return PolicySource::Absent };
    match (entry.kind, &entry.oid) {
        (EntryKind::File, Some(oid)) => {
            PolicySource::Text { oid: oid.clone(), text: None, commit: policy_commit(home) }
        }
        (EntryKind::File | EntryKind::Folder | EntryKind::Link | EntryKind::Submodule, _) => {
            PolicySource::Unread(format!("{POLICY} is not a regular file"))
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HistoryCommit {
    oid: ObjectId,
    author: Option<GitActor>,
    associated_pull_requests: Option<Nodes<AssociatedPullRequest>>,
}

#[derive(Deserialize)]
struct AssociatedPullRequest {
    number: u64,
    merged: bool,
}

fn policy_commit(home: &Value) -> Option<PolicyCommit> {
    let history: Nodes<HistoryCommit> = part(&home["policyHead"]["history"]).ok()?;
    let commit = history.nodes.into_iter().flatten().next()?;
    let author = commit.author.and_then(|author| author.user).map(|user| Actor {
        id: user.database_id,
        login: user.login,
        bot: false,
    });
    let pulls = commit.associated_pull_requests.into_iter().flat_map(|pulls| pulls.nodes).flatten();
    let merged = pulls.filter(|pull| pull.merged).map(|pull| pull.number).next();
    Some(PolicyCommit { oid: commit.oid, author, merged_pull_request: merged })
}
