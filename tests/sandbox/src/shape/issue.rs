//! Issues, comments, labels, reactions.

use serde_json::{Value, json};

use crate::state::{
    AccountId, Comment, Issue, IssueState, Label, Node, REACTIONS, Reaction, Repository, Role, State,
};

impl State {
    /// `OWNER`, `MEMBER`, `COLLABORATOR`, `CONTRIBUTOR` or `NONE`.
    pub(crate) fn association(&self, repository: &Repository, account: AccountId) -> &'static str {
        let owner = self.account(repository.owner);
        let member = owner
            .and_then(crate::state::Account::organization)
            .is_some_and(|organization| organization.members.contains_key(&account));
        if repository.owner == account {
            "OWNER"
        } else if member {
            "MEMBER"
        } else if repository.collaborators.get(&account).is_some_and(|role| *role >= Role::Read) {
            "COLLABORATOR"
        } else if repository.head().is_some_and(|head| {
            repository.objects.history(head).iter().any(|(_, c)| c.account == Some(account))
        }) {
            "CONTRIBUTOR"
        } else {
            "NONE"
        }
    }

    fn via_app(&self, by_app: bool) -> Value {
        if by_app { self.app_json() } else { Value::Null }
    }

    /// Schema `issue`; for a pull request its conversation.
    pub(crate) fn issue_json(&self, repository: &Repository, issue: &Issue) -> Value {
        let (html, api) = (self.html_url(repository), self.api_url(repository));
        let url = format!("{api}/issues/{}", issue.number);
        let kind = if issue.pull_request.is_some() { "pull" } else { "issues" };
        let assignees: Vec<Value> = issue.assignees.iter().map(|id| self.simple_user(*id)).collect();
        let node = match issue.pull_request {
            Some(_) => Node::PullRequest(repository.id, issue.number),
            None => Node::Issue(repository.id, issue.number),
        };
        let mut shape = json!({
            "url": url,
            "repository_url": api,
            "labels_url": format!("{url}/labels{{/name}}"),
            "comments_url": format!("{url}/comments"),
            "events_url": format!("{url}/events"),
            "timeline_url": format!("{url}/timeline"),
            "html_url": format!("{html}/{kind}/{}", issue.number),
            "id": issue.id,
            "node_id": node.encode(),
            "number": issue.number,
            "title": issue.title,
            "user": self.simple_user(issue.author),
            "labels": self.labels_json(repository, issue),
            "state": self.state_word(issue),
            "locked": issue.lock.is_some(),
            "active_lock_reason": issue.lock.clone().flatten(),
            "assignee": assignees.first(),
            "assignees": assignees,
            "milestone": null,
            "comments": repository.comments_of(issue.number).count(),
            "created_at": issue.created_at,
            "updated_at": issue.updated_at,
            "closed_at": issue.closed_at(),
            "author_association": self.association(repository, issue.author),
            "body": issue.body,
            "reactions": self.reaction_rollup(&url, &issue.reactions),
            "performed_via_github_app": self.via_app(issue.by_app),
            "state_reason": match &issue.state {
                IssueState::Open { reopened: true } => Some("reopened"),
                IssueState::Open { reopened: false } => None,
                IssueState::Closed { reason, .. } => reason.map(|reason| reason.word()),
            },
        });
        if let IssueState::Closed { by, .. } = issue.state {
            shape["closed_by"] = self.simple_user(by);
        }
        if let Some(pull) = &issue.pull_request {
            shape["draft"] = json!(pull.draft);
            let page = format!("{html}/pull/{}", issue.number);
            shape["pull_request"] = json!({
                "url": format!("{api}/pulls/{}", issue.number),
                "html_url": page,
                "diff_url": format!("{page}.diff"),
                "patch_url": format!("{page}.patch"),
                "merged_at": pull.merged.as_ref().map(|merged| merged.at),
            });
        }
        shape
    }

    pub(crate) fn state_word(&self, issue: &Issue) -> &'static str {
        if issue.is_open() { "open" } else { "closed" }
    }

    pub(crate) fn labels_json(&self, repository: &Repository, issue: &Issue) -> Vec<Value> {
        let labels = issue.labels.iter().filter_map(|id| repository.labels.get(id));
        labels.map(|label| self.label_json(repository, label)).collect()
    }

    /// Schema `label`.
    pub(crate) fn label_json(&self, repository: &Repository, label: &Label) -> Value {
        json!({
            "id": label.id,
            "node_id": Node::Label(repository.id, label.id).encode(),
            "url": format!("{}/labels/{}", self.api_url(repository), escape(&label.name)),
            "name": label.name,
            "color": label.color,
            "default": false,
            "description": label.description,
        })
    }

    /// Schema `issue-comment`.
    pub(crate) fn comment_json(&self, repository: &Repository, comment: &Comment) -> Value {
        let api = self.api_url(repository);
        let url = format!("{api}/issues/comments/{}", comment.id);
        let issue = repository.issues.get(&comment.issue);
        let is_pull = issue.is_some_and(|issue| issue.pull_request.is_some());
        let kind = if is_pull { "pull" } else { "issues" };
        json!({
            "url": url,
            "html_url": format!(
                "{}/{kind}/{}#issuecomment-{}",
                self.html_url(repository), comment.issue, comment.id
            ),
            "issue_url": format!("{api}/issues/{}", comment.issue),
            "id": comment.id,
            "node_id": Node::IssueComment(repository.id, comment.id).encode(),
            "user": self.simple_user(comment.author),
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
            "body": comment.body,
            "author_association": self.association(repository, comment.author),
            "reactions": self.reaction_rollup(&url, &comment.reactions),
            "performed_via_github_app": self.via_app(comment.by_app),
        })
    }

    /// Schema `reaction`.
    pub(crate) fn reaction_json(&self, reaction: &Reaction) -> Value {
        json!({
            "id": reaction.id,
            "node_id": Node::Reaction(reaction.id).encode(),
            "user": self.simple_user(reaction.by),
            "content": reaction.content,
            "created_at": reaction.at,
        })
    }

    fn reaction_rollup(&self, url: &str, reactions: &[Reaction]) -> Value {
        let mut shape = json!({ "url": format!("{url}/reactions"), "total_count": reactions.len() });
        for content in REACTIONS {
            shape[content] = json!(reactions.iter().filter(|r| r.content == content).count());
        }
        shape
    }
}

/// Percent-encodes one path segment.
pub(crate) fn escape(segment: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    segment
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
