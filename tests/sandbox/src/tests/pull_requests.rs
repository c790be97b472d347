//! The life of a pull request.

use serde_json::json;

use super::client::{ask, get, start, token};
use crate::Role;

#[tokio::test]
async fn a_pull_request_is_opened_once_shown_and_merged() {
    let (sandbox, _) = start().await;
    let token = token(&sandbox).await;
    let olivia = sandbox.user("olivia");
    olivia.push("agency/site", "fix", &[("LICENSE", "CC0\n"), ("README.md", "# Site\nmore\n")], "Fix");
    let request = Some(json!({ "title": "Fix", "head": "fix", "base": "main", "body": "why" }));
    let path = "/repos/agency/site/pulls";
    let opened = ask(&sandbox, "POST", path, &token, request.clone()).await;
    assert_eq!(opened.status, 201, "{}", opened.body);
    assert_eq!(opened.body["mergeable_state"], "clean");
    let again = ask(&sandbox, "POST", path, &token, request).await;
    assert_eq!(again.status, 422);
    assert_eq!(again.body["errors"][0]["message"], "A pull request already exists for agency:fix.");
    let files = get(&sandbox, "/repos/agency/site/pulls/1/files", &token).await.body;
    assert_eq!((&files[0]["filename"], &files[0]["status"]), (&json!("LICENSE"), &json!("added")));
    assert_eq!(files[1]["patch"], "@@ -1 +1,2 @@\n # Site\n+more");
    let merged = ask(&sandbox, "PUT", "/repos/agency/site/pulls/1/merge", &token, Some(json!({}))).await;
    assert_eq!(merged.status, 200, "{}", merged.body);
    assert_eq!(sandbox.pull_requests("agency/site").to_string(), "#1 Fix (merged)");
    assert_eq!(sandbox.file("agency/site", "main", "LICENSE").as_deref(), Some("CC0\n"));
    let reopen = Some(json!({ "state": "open" }));
    assert_eq!(ask(&sandbox, "PATCH", "/repos/agency/site/pulls/1", &token, reopen).await.status, 422);
}

#[tokio::test]
async fn a_branch_without_commits_of_its_own_makes_no_pull_request() {
    let (sandbox, _) = start().await;
    let token = token(&sandbox).await;
    sandbox.user("olivia").create_branch("agency/site", "same");
    let request = Some(json!({ "title": "Nothing", "head": "same", "base": "main" }));
    let refused = ask(&sandbox, "POST", "/repos/agency/site/pulls", &token, request).await;
    assert_eq!(refused.body["errors"][0]["message"], "No commits between main and same");
    assert!(sandbox.pull_requests("agency/site").is_empty());
}

#[tokio::test]
async fn a_head_that_reaches_its_base_closes_for_good() {
    let (sandbox, _) = start().await;
    let token = token(&sandbox).await;
    let olivia = sandbox.user("olivia");
    olivia.push("agency/site", "fix", &[("LICENSE", "CC0\n")], "Fix");
    let number = olivia.open_pull_request("agency/site", "fix", "Fix", "");
    let base = sandbox.head("agency/site", "main").unwrap();
    olivia.force_push("agency/site", "fix", base);
    assert_eq!(sandbox.pull_requests("agency/site").to_string(), "#1 Fix (closed)");
    // New commits on the branch do not help.
    olivia.push("agency/site", "fix", &[("LICENSE", "CC0\n")], "Fix again");
    let path = format!("/repos/agency/site/pulls/{number}");
    let reopen = Some(json!({ "state": "open" }));
    assert_eq!(ask(&sandbox, "PATCH", &path, &token, reopen).await.status, 422);
}

#[tokio::test]
async fn a_head_pushed_into_its_base_counts_as_merged() {
    let (sandbox, _) = start().await;
    let olivia = sandbox.user("olivia");
    let head = olivia.push("agency/site", "fix", &[("LICENSE", "CC0\n")], "Fix");
    olivia.open_pull_request("agency/site", "fix", "Fix", "");
    olivia.force_push("agency/site", "main", head);
    assert_eq!(sandbox.pull_requests("agency/site").to_string(), "#1 Fix (merged)");
}

#[tokio::test]
async fn a_conflict_makes_it_unmergeable() {
    let (sandbox, _) = start().await;
    let token = token(&sandbox).await;
    let olivia = sandbox.user("olivia");
    olivia.push("agency/site", "fix", &[("README.md", "ours\n")], "Ours");
    olivia.open_pull_request("agency/site", "fix", "Fix", "");
    olivia.push("agency/site", "main", &[("README.md", "theirs\n")], "Theirs");
    let shown = get(&sandbox, "/repos/agency/site/pulls/1", &token).await.body;
    assert_eq!((&shown["mergeable"], &shown["mergeable_state"]), (&json!(false), &json!("dirty")));
    let merge = ask(&sandbox, "PUT", "/repos/agency/site/pulls/1/merge", &token, Some(json!({}))).await;
    assert_eq!(merge.status, 405);
}

#[tokio::test]
async fn a_fork_brings_its_commits_and_a_deleted_branch_closes() {
    let (sandbox, _) = start().await;
    let mallory = sandbox.user("mallory");
    let files = [("LICENSE", "CC0\n")];
    mallory.open_pull_request_from_fork("agency/site", "patch", &files, "A gift", "");
    let view = sandbox.pull_requests("agency/site");
    assert_eq!(
        (view[0].head.as_str(), view[0].files.as_slice()),
        ("mallory:patch", &["LICENSE".to_owned()][..])
    );
    mallory.delete_branch("mallory/site", "patch");
    assert_eq!(sandbox.pull_requests("agency/site").to_string(), "#1 A gift (closed)");
    // Triage puts existing labels on things; making one takes write.
    let olivia = sandbox.user("olivia");
    olivia.give_role("agency/site", "mallory", Role::Triage);
    olivia.label("agency/site", 1, "gift");
    olivia.unlabel("agency/site", 1, "gift");
    mallory.label("agency/site", 1, "gift");
    assert_eq!(sandbox.pull_requests("agency/site")[0].labels, ["gift"]);
}
