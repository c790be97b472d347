//! Pull requests and their files.

use serde_json::{Value, json};

use super::issue::escape;
use crate::git::{FileChange, Oid};
use crate::state::{Issue, Node, Repository, RepositoryId, State};

impl State {
    /// Schema `pull-request`, or with `full` false an entry of a list
    /// (`pull-request-simple`). An issue has no such shape: null.
    pub(crate) fn pull_request_json(&self, repository: &Repository, issue: &Issue, full: bool) -> Value {
        let Some(pull) = &issue.pull_request else { return Value::Null };
        let (html, api) = (self.html_url(repository), self.api_url(repository));
        let page = format!("{html}/pull/{}", issue.number);
        let url = format!("{api}/pulls/{}", issue.number);
        let issue_url = format!("{api}/issues/{}", issue.number);
        let statuses = format!("{api}/statuses/{}", pull.head);
        let link = |href: &str| json!({ "href": href });
        let mut labels = self.labels_json(repository, issue);
        if !full {
            // Published as never null in lists.
            for label in labels.iter_mut().filter(|label| label["description"].is_null()) {
                label["description"] = json!("");
            }
        }
        let assignees: Vec<Value> = issue.assignees.iter().map(|id| self.simple_user(*id)).collect();
        let mut shape = json!({
            "url": url,
            "id": pull.id,
            "node_id": Node::PullRequest(repository.id, issue.number).encode(),
            "html_url": page,
            "diff_url": format!("{page}.diff"),
            "patch_url": format!("{page}.patch"),
            "issue_url": issue_url,
            "number": issue.number,
            "state": self.state_word(issue),
            "locked": issue.lock.is_some(),
            "title": issue.title,
            "user": self.simple_user(issue.author),
            "body": issue.body,
            "created_at": issue.created_at,
            "updated_at": issue.updated_at,
            "closed_at": issue.closed_at(),
            "merged_at": pull.merged.as_ref().map(|merged| merged.at),
            "merge_commit_sha": pull.merged.as_ref().map(|merged| merged.commit),
            "assignee": assignees.first(),
            "assignees": assignees,
            "requested_reviewers": pull.requested_reviewers.iter()
                .map(|id| self.simple_user(*id)).collect::<Vec<_>>(),
            "requested_teams": [],
            "labels": labels,
            "milestone": null,
            "draft": pull.draft,
            "commits_url": format!("{url}/commits"),
            "review_comments_url": format!("{url}/comments"),
            "review_comment_url": format!("{api}/pulls/comments{{/number}}"),
            "comments_url": format!("{issue_url}/comments"),
            "statuses_url": statuses,
            "head": self.end_json(pull.head_repository, pull.head_owner, &pull.head_branch, pull.head),
            "base": self.end_json(
                Some(repository.id), repository.owner, &pull.base_branch, pull.base,
            ),
            "_links": {
                "self": link(&url),
                "html": link(&page),
                "issue": link(&issue_url),
                "comments": link(&format!("{issue_url}/comments")),
                "review_comments": link(&format!("{url}/comments")),
                "review_comment": link(&format!("{api}/pulls/comments{{/number}}")),
                "commits": link(&format!("{url}/commits")),
                "statuses": link(&statuses),
            },
            "author_association": self.association(repository, issue.author),
            "auto_merge": null,
            "active_lock_reason": issue.lock.clone().flatten(),
        });
        if full {
            let files = repository.changed_files(pull);
            let mergeable = issue.is_open().then(|| repository.is_mergeable(pull));
            shape["merged"] = json!(pull.merged.is_some());
            shape["mergeable"] = json!(mergeable);
            shape["rebaseable"] = json!(mergeable);
            shape["mergeable_state"] = json!(match mergeable {
                Some(true) => "clean",
                Some(false) => "dirty",
                None => "unknown",
            });
            let by = pull.merged.as_ref().map(|merged| self.simple_user(merged.by));
            shape["merged_by"] = json!(by);
            shape["comments"] = json!(repository.comments_of(issue.number).count());
            shape["review_comments"] = json!(0);
            shape["maintainer_can_modify"] = json!(pull.maintainer_can_modify);
            shape["commits"] = json!(repository.commits_of(pull).len());
            shape["additions"] = json!(files.iter().map(|file| file.additions).sum::<u64>());
            shape["deletions"] = json!(files.iter().map(|file| file.deletions).sum::<u64>());
            shape["changed_files"] = json!(files.len());
        }
        shape
    }

    fn end_json(&self, repository: Option<RepositoryId>, owner: u64, branch: &str, oid: Oid) -> Value {
        let home = repository.and_then(|id| self.repository(id).ok());
        json!({
            "label": format!("{}:{branch}", self.login(owner)),
            "ref": branch,
            "sha": oid,
            "user": self.simple_user(owner),
            "repo": home.map(|home| self.repository_json(home)),
        })
    }

    /// Schema `diff-entry`.
    pub(crate) fn diff_entry(&self, repository: &Repository, at: Oid, file: &FileChange) -> Value {
        let path: Vec<String> = file.path.split('/').map(escape).collect();
        let path = path.join("/");
        let html = self.html_url(repository);
        let oid = file.after.or(file.before).map(|(_, oid)| oid);
        let mut shape = json!({
            "sha": oid,
            "filename": file.path,
            "status": file.status.word(),
            "additions": file.additions,
            "deletions": file.deletions,
            "changes": file.additions + file.deletions,
            "blob_url": format!("{html}/blob/{at}/{path}"),
            "raw_url": format!("{html}/raw/{at}/{path}"),
            "contents_url": format!("{}/contents/{path}?ref={at}", self.api_url(repository)),
        });
        if let Some(patch) = &file.patch {
            shape["patch"] = json!(patch);
        }
        shape
    }
}
