//! What is shown, refused, paged and redirected.

use jiff::SignedDuration;
use serde_json::json;

use super::client::{Stepped, agency, ask, get, start, token, try_ask};
use crate::state::{CommitOnBranch, Refusal};
use crate::{BranchRule, Role, installation, org, repository};

#[tokio::test]
async fn private_repositories_do_not_exist_for_strangers() {
    let (sandbox, _) = start().await;
    let mallory = sandbox.user_token("mallory");
    for token in ["", &mallory] {
        assert_eq!(get(&sandbox, "/repos/agency/secret", token).await.status, 404);
        assert_eq!(get(&sandbox, "/repos/agency/site", token).await.status, 200);
        let list = get(&sandbox, "/orgs/agency/repos", token).await;
        assert_eq!(list.body.as_array().unwrap().len(), 1);
    }
    let branch = Some(json!({ "ref": "refs/heads/x", "sha": sandbox.head("agency/site", "main") }));
    let refused = ask(&sandbox, "POST", "/repos/agency/site/git/refs", &mallory, branch).await;
    assert_eq!(refused.status, 403);
    assert_eq!(sandbox.branches("agency/site"), ["main"]);
    assert_eq!(get(&sandbox, "/repos/agency/site", "ghs_wrong").await.status, 401);
}

#[tokio::test]
async fn what_is_unknown_is_refused_loudly() {
    let (sandbox, _) = start().await;
    let token = token(&sandbox).await;
    assert_eq!(get(&sandbox, "/repos/agency/site/stargazers", &token).await.status, 404);
    assert_eq!(get(&sandbox, "/repos/agency/site?colour=red", &token).await.status, 422);
    let body = Some(json!({ "title": "x", "colour": "red" }));
    assert_eq!(ask(&sandbox, "POST", "/repos/agency/site/issues", &token, body).await.status, 422);
    let failures = sandbox.failures();
    assert_eq!(failures.len(), 3, "{failures:?}");
    assert!(failures[2].contains("colour"));
    assert!(sandbox.issues("agency/site").is_empty());
}

#[tokio::test]
async fn lists_come_in_pages_with_absolute_links() {
    let clock = Stepped::new();
    let mut many = org("many");
    for number in 0..250 {
        many = many.repository(repository(&format!("r{number:03}")).empty());
    }
    let builder = agency(&clock).organization(many).installation(installation("many"));
    let sandbox = builder.start().await.unwrap();
    let id = sandbox.installation_id("many");
    let jwt = super::client::jwt(&sandbox);
    let path = format!("/app/installations/{id}/access_tokens");
    let reply = ask(&sandbox, "POST", &path, &jwt, None).await;
    let token = reply.body["token"].as_str().unwrap();
    let mut url = format!("{}/installation/repositories?per_page=100", sandbox.api_url());
    let mut sizes = Vec::new();
    loop {
        let page = try_ask("GET", &url, token, None).await.unwrap();
        assert_eq!(page.body["total_count"], 250);
        sizes.push(page.body["repositories"].as_array().unwrap().len());
        let next =
            page.header("link").split(", ").find(|link| link.ends_with("rel=\"next\"")).map(str::to_owned);
        let Some(next) = next else { break };
        url = next.trim_start_matches('<').split('>').next().unwrap().to_owned();
        assert!(url.starts_with(sandbox.api_url()));
    }
    assert_eq!(sizes, [100, 100, 50]);
    assert_eq!(sandbox.calls().iter().filter(|call| call.cost == 1).count(), 4);
}

#[tokio::test]
async fn a_renamed_repository_redirects_until_its_name_is_taken() {
    let (sandbox, _) = start().await;
    let token = token(&sandbox).await;
    let id = sandbox.repository_id("agency/site");
    sandbox.user("olivia").rename("agency/site", "portal");
    let moved = get(&sandbox, "/repos/agency/site/branches?per_page=5", &token).await;
    assert_eq!(moved.status, 301);
    let to = format!("{}/repositories/{id}/branches?per_page=5", sandbox.api_url());
    assert_eq!(moved.header("location"), to);
    let there = try_ask("GET", &to, &token, None).await.unwrap();
    assert_eq!(there.body[0]["name"], "main");
    sandbox.create_repository("agency", repository("site"));
    let taken = get(&sandbox, "/repos/agency/site", &token).await;
    assert_eq!(taken.status, 200);
    assert_ne!(taken.body["id"].as_u64(), Some(id));
}

#[tokio::test]
async fn permission_hides_maintain_and_triage_but_the_map_tells() {
    let (sandbox, _) = start().await;
    let token = token(&sandbox).await;
    let olivia = sandbox.user("olivia");
    let table = [
        (Role::Read, "read"),
        (Role::Triage, "read"),
        (Role::Write, "write"),
        (Role::Maintain, "write"),
        (Role::Admin, "admin"),
    ];
    for (role, word) in table {
        olivia.give_role("agency/secret", "bob", role);
        let path = "/repos/agency/secret/collaborators/bob/permission";
        let body = get(&sandbox, path, &token).await.body;
        assert_eq!(body["permission"], word);
        assert_eq!(body["role_name"], role.word());
        let map = &body["user"]["permissions"];
        assert_eq!(map["triage"], role >= Role::Triage);
        assert_eq!(map["maintain"], role >= Role::Maintain);
    }
    let none = get(&sandbox, "/repos/agency/secret/collaborators/mallory/permission", &token).await;
    assert_eq!(none.body["permission"], "none");
}

#[tokio::test]
async fn rulesets_archives_and_switched_off_issues_refuse() {
    let clock = Stepped::new();
    let guarded = repository("guarded")
        .without_issues()
        .file("README.md", "x")
        .ruleset(["bot/**"], [BranchRule::Creation])
        .ruleset(["~DEFAULT_BRANCH"], [BranchRule::PullRequest]);
    let builder = agency(&clock)
        .organization(
            org("other")
                .owner("olivia")
                .repository(guarded)
                .repository(repository("old").archived().file("README.md", "x")),
        )
        .installation(installation("other"));
    let sandbox = builder.start().await.unwrap();
    let olivia = sandbox.user_token("olivia");
    let head = sandbox.head("other/guarded", "main").unwrap();
    let branch = Some(json!({ "ref": "refs/heads/bot/fix", "sha": head }));
    let refused = ask(&sandbox, "POST", "/repos/other/guarded/git/refs", &olivia, branch).await;
    assert_eq!(refused.status, 422);
    assert!(refused.message().starts_with("Repository rule violations found"));
    let rules = get(&sandbox, "/repos/other/guarded/rules/branches/bot/fix", &olivia).await;
    assert_eq!(rules.body[0]["type"], "creation");
    let issue = Some(json!({ "title": "x" }));
    let gone = ask(&sandbox, "POST", "/repos/other/guarded/issues", &olivia, issue.clone()).await;
    assert_eq!(gone.status, 410);
    let archived = ask(&sandbox, "POST", "/repos/other/old/issues", &olivia, issue).await;
    assert_eq!(archived.status, 403);
    let direct = sandbox.change(|state| {
        let caller = crate::state::Caller::Person(state.account_named("olivia").unwrap().id);
        let id = state.repositories().find(|home| home.name == "guarded").unwrap().id;
        let commit = CommitOnBranch {
            branch: "main".to_owned(),
            expected_head: head,
            message: "Directly".to_owned(),
            additions: vec![("x".to_owned(), "y".into())],
            deletions: Vec::new(),
        };
        state.commit_on_branch(&caller, id, commit)
    });
    assert!(matches!(direct, Err(Refusal::RuleViolation(_))), "{direct:?}");
    assert_eq!(sandbox.head("other/guarded", "main"), Some(head));
}

#[tokio::test]
async fn an_empty_repository_has_no_git_and_takes_no_first_commit() {
    let (sandbox, _) = start().await;
    sandbox.create_repository("agency", repository("empty").empty());
    let token = token(&sandbox).await;
    let reference = get(&sandbox, "/repos/agency/empty/git/ref/heads/main", &token).await;
    assert_eq!((reference.status, reference.message()), (409, "Git Repository is empty."));
    let blob = Some(json!({ "content": "x" }));
    assert_eq!(ask(&sandbox, "POST", "/repos/agency/empty/git/blobs", &token, blob).await.status, 409);
    sandbox.user("olivia").push("agency/empty", "main", &[("README.md", "x")], "First");
    assert_eq!(get(&sandbox, "/repos/agency/empty/git/ref/heads/main", &token).await.status, 200);
}

#[tokio::test]
async fn lists_lag_behind_creation() {
    let clock = Stepped::new();
    let builder = agency(&clock).installation(installation("agency")).list_lag(SignedDuration::from_secs(5));
    let sandbox = builder.start().await.unwrap();
    let token = token(&sandbox).await;
    let number = sandbox.user("olivia").open_issue("agency/site", "Slow", "a\nb");
    let count =
        async || get(&sandbox, "/repos/agency/site/issues", &token).await.body.as_array().unwrap().len();
    assert_eq!(count().await, 0);
    let direct = get(&sandbox, &format!("/repos/agency/site/issues/{number}"), &token).await;
    assert_eq!((direct.status, direct.body["body"].as_str()), (200, Some("a\r\nb")));
    clock.advance(5);
    assert_eq!(count().await, 1);
}

#[tokio::test]
async fn content_is_limited_by_the_minute_and_the_hour() {
    let (sandbox, clock) = start().await;
    let mut made = 0;
    for minute in 1..=7 {
        let token = token(&sandbox).await;
        loop {
            let issue = Some(json!({ "title": "again" }));
            let reply = ask(&sandbox, "POST", "/repos/agency/site/issues", &token, issue).await;
            if reply.status == 403 {
                assert!(reply.message().contains("secondary rate limit"));
                assert_eq!(reply.header("retry-after"), "");
                break;
            }
            made += 1;
        }
        assert_eq!(made, (80 * minute).min(500));
        clock.advance(61);
    }
    assert_eq!(sandbox.issues("agency/site").len(), 500);
}

#[tokio::test]
async fn unchanged_answers_cost_nothing() {
    let (sandbox, _) = start().await;
    let first = get(&sandbox, "/repos/agency/site", "").await;
    let request = http::Request::get(format!("{}/repos/agency/site", sandbox.api_url()))
        .header("user-agent", "a test")
        .header("if-none-match", first.header("etag"))
        .body(http_body_util::Full::new(bytes::Bytes::new()))
        .unwrap();
    let client =
        hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
    let again = client.request(request).await.unwrap();
    assert_eq!(again.status(), 304);
    assert_eq!(again.headers()["x-ratelimit-remaining"], first.header("x-ratelimit-remaining"));
}
