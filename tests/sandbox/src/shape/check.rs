//! Check runs and suites.

use serde_json::{Value, json};

use crate::state::{CheckRun, CheckSuite, Node, Repository, State};

impl State {
    /// Schema `check-run`.
    pub(crate) fn check_run_json(&self, home: &Repository, run: &CheckRun) -> Value {
        let url = format!("{}/check-runs/{}", self.api_url(home), run.id);
        let page = format!("{}/runs/{}", self.html_url(home), run.id);
        let content = &run.content;
        json!({
            "id": run.id,
            "node_id": Node::CheckRun(home.id, run.id).encode(),
            "head_sha": run.head,
            "external_id": content.external_id.as_deref().unwrap_or_default(),
            "url": url,
            "html_url": page,
            "details_url": content.details_url.as_ref().unwrap_or(&page),
            "status": content.status,
            "conclusion": content.conclusion,
            "started_at": run.started_at,
            "completed_at": run.completed_at,
            "output": {
                "title": content.title,
                "summary": content.summary,
                "text": content.text,
                "annotations_count": run.annotations.len(),
                "annotations_url": format!("{url}/annotations"),
            },
            "name": content.name,
            "check_suite": { "id": run.suite },
            "app": self.app_json(),
            "pull_requests": [],
        })
    }

    /// What webhooks show of a check suite.
    pub(crate) fn check_suite_json(&self, home: &Repository, suite: &CheckSuite) -> Value {
        let api = self.api_url(home);
        let url = format!("{api}/check-suites/{}", suite.id);
        let runs = home.check_runs.values().filter(|run| run.suite == suite.id);
        let completed = runs.clone().count() > 0 && runs.clone().all(|r| r.completed_at.is_some());
        let head = home.objects.commit(suite.head).map(|commit| {
            json!({
                "id": suite.head,
                "tree_id": commit.tree,
                "message": commit.message,
                "timestamp": commit.committer.at,
                "author": { "name": commit.author.name, "email": commit.author.email },
                "committer": { "name": commit.committer.name, "email": commit.committer.email },
            })
        });
        json!({
            "id": suite.id,
            "node_id": Node::CheckSuite(home.id, suite.id).encode(),
            "head_branch": suite.branch,
            "head_sha": suite.head,
            "status": if completed { "completed" } else { "queued" },
            "conclusion": if completed { Some("neutral") } else { None },
            "url": url,
            "before": null,
            "after": suite.head,
            "pull_requests": [],
            "app": self.app_json(),
            "created_at": suite.created_at,
            "updated_at": suite.updated_at,
            "latest_check_runs_count": runs.count(),
            "check_runs_url": format!("{url}/check-runs"),
            "head_commit": head,
            "rerequestable": true,
            "runs_rerequestable": true,
        })
    }
}
