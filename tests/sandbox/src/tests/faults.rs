//! Injected faults: what was done, what was answered.

use std::time::Duration;

use serde_json::json;

use super::client::{ask, get, start, token, try_ask};
use crate::{Catch, Fault, FaultKind, Limit};

const CREATE: &str = "POST /repos/{owner}/{repo}/issues";

#[tokio::test]
async fn an_answer_is_lost_before_or_after_the_write() {
    let (sandbox, _) = start().await;
    let token = token(&sandbox).await;
    let url = format!("{}/repos/agency/site/issues", sandbox.api_url());
    let issue = json!({ "title": "Hello" });
    let table = [
        (FaultKind::BadGateway, Some(502), 0),
        (FaultKind::BadGatewayAfter, Some(502), 1),
        (FaultKind::Reset, None, 1),
        (FaultKind::ResetAfter, None, 2),
    ];
    for (kind, status, issues) in table {
        sandbox.fault(Fault::on(CREATE).kind(kind));
        let reply = try_ask("POST", &url, &token, Some(&issue)).await;
        assert_eq!(reply.map(|reply| reply.status), status, "{kind:?}");
        assert_eq!(sandbox.issues("agency/site").len(), issues, "{kind:?}");
    }
    assert_eq!(try_ask("POST", &url, &token, Some(&issue)).await.unwrap().status, 201);
}

#[tokio::test]
async fn a_caught_call_is_never_answered() {
    let (sandbox, _) = start().await;
    let token = token(&sandbox).await;
    let url = format!("{}/repos/agency/site/issues", sandbox.api_url());
    let issue = json!({ "title": "Hello" });
    for (done, issues) in [(false, 1), (true, 3)] {
        let mut caught = sandbox.catch(Catch::naming(&["/issues", "Hello"]).after(1).done(done));
        assert_eq!(try_ask("POST", &url, &token, Some(&issue)).await.unwrap().status, 201);
        tokio::select! {
            reply = try_ask("POST", &url, &token, Some(&issue)) => panic!("{:?}", reply.map(|reply| reply.status)),
            told = &mut caught => told.unwrap(),
        }
        assert_eq!(sandbox.issues("agency/site").len(), issues, "{done}");
    }
    // A trap that nobody waits for is gone.
    drop(sandbox.catch(Catch::anything()));
    assert_eq!(try_ask("POST", &url, &token, Some(&issue)).await.unwrap().status, 201);
}

#[tokio::test]
async fn limits_are_told_in_three_ways() {
    let (sandbox, _) = start().await;
    let now = sandbox.state(|state| state.now().as_second());
    let route = "GET /repos/{owner}/{repo}";
    let table = [
        (403, Limit::RetryAfter(30), "30", String::new()),
        (429, Limit::Exhausted(90), "", (now + 90).to_string()),
        (403, Limit::Secondary, "", String::new()),
    ];
    for (status, limit, retry, reset) in table {
        sandbox.fault(Fault::on(route).kind(FaultKind::Limited(status, limit)));
        let reply = get(&sandbox, "/repos/agency/site", "").await;
        assert_eq!((reply.status, reply.header("retry-after")), (status, retry));
        if reset.is_empty() {
            assert_ne!(reply.header("x-ratelimit-remaining"), "0");
        } else {
            assert_eq!(reply.header("x-ratelimit-remaining"), "0");
            assert_eq!(reply.header("x-ratelimit-reset"), reset);
        }
    }
}

#[tokio::test]
async fn a_fault_hits_the_call_it_was_counted_for() {
    let (sandbox, _) = start().await;
    sandbox.fault(Fault::anywhere().after(2).times(1));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(get(&sandbox, "/repos/agency/site", "").await.status);
    }
    assert_eq!(statuses, [200, 200, 502, 200]);
    let recorded: Vec<u16> = sandbox.calls().iter().map(|call| call.status).collect();
    assert_eq!(recorded, statuses);
}

#[tokio::test]
async fn a_held_call_waits_for_its_release() {
    let (sandbox, _) = start().await;
    sandbox.fault(Fault::on("GET /repos/{owner}/{repo}").kind(FaultKind::Held));
    let held = get(&sandbox, "/repos/agency/site", "");
    tokio::pin!(held);
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut held).await.is_err());
    sandbox.release();
    assert_eq!(held.await.status, 200);
}

#[tokio::test]
async fn what_was_asked_is_done_though_the_caller_hangs_up() {
    let (sandbox, _) = start().await;
    let token = token(&sandbox).await;
    let url = format!("{}/repos/agency/site/issues", sandbox.api_url());
    let issue = json!({ "title": "Hello" });
    for (kind, before, after) in [(FaultKind::Held, 0, 1), (FaultKind::HeldAfter, 2, 2)] {
        sandbox.fault(Fault::on(CREATE).kind(kind));
        let mut asking = Box::pin(try_ask("POST", &url, &token, Some(&issue)));
        tokio::select! {
            _ = &mut asking => panic!("{kind:?} was answered"),
            () = sandbox.holds() => {}
        }
        drop(asking);
        assert_eq!(sandbox.issues("agency/site").len(), before, "{kind:?}");
        sandbox.clear_calls();
        sandbox.release();
        while sandbox.calls().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(sandbox.issues("agency/site").len(), after, "{kind:?}");
    }
}

#[tokio::test]
async fn a_mutation_breaks_off_between_two_of_its_fields() {
    let (sandbox, _) = start().await;
    let token = token(&sandbox).await;
    let id = crate::state::Node::Repository(sandbox.repository_id("agency/site")).encode();
    let query = "mutation Two($first: CreateIssueInput!, $second: CreateIssueInput!) {
        one: createIssue(input: $first) { issue { number } }
        two: createIssue(input: $second) { issue { number } }
    }";
    let input = |title: &str| json!({ "repositoryId": id, "title": title });
    let body = json!({ "query": query, "operationName": "Two",
        "variables": { "first": input("First"), "second": input("Second") } });
    for (fields, issues) in [(0, 0), (1, 1)] {
        sandbox.fault(Fault::on("POST /graphql Two").kind(FaultKind::Cut(fields)));
        let cut = ask(&sandbox, "POST", "/graphql", &token, Some(body.clone())).await;
        assert_eq!((cut.status, &cut.body["data"]["two"]), (200, &json!(null)));
        assert_eq!(cut.body["errors"].as_array().unwrap().len(), 2 - fields);
        assert_eq!(sandbox.issues("agency/site").len(), issues, "cut after {fields}");
    }
    // A mutation of two fields cannot break off after its second.
    sandbox.fault(Fault::on("POST /graphql Two").kind(FaultKind::Cut(2)));
    ask(&sandbox, "POST", "/graphql", &token, Some(body)).await;
    assert_eq!((sandbox.issues("agency/site").len(), sandbox.faults().len()), (3, 1));
}

#[tokio::test]
async fn a_cut_tree_says_so() {
    let (sandbox, _) = start().await;
    let token = token(&sandbox).await;
    let route = "GET /repos/{owner}/{repo}/git/trees/{tree_sha}";
    sandbox.fault(Fault::on(route).kind(FaultKind::TruncatedTree));
    let path = "/repos/agency/site/git/trees/main?recursive=1";
    let cut = get(&sandbox, path, &token).await.body;
    assert_eq!((&cut["truncated"], cut["tree"].as_array().unwrap().len()), (&json!(true), 0));
    let whole = get(&sandbox, path, &token).await.body;
    assert_eq!((&whole["truncated"], &whole["tree"][0]["path"]), (&json!(false), &json!("README.md")));
}

#[tokio::test]
async fn graphql_has_faults_of_its_own() {
    let (sandbox, _) = start().await;
    let token = token(&sandbox).await;
    let query = "query Two { viewer { login } rateLimit { cost } }";
    let body = json!({ "query": query, "operationName": "Two" });
    let post = async || ask(&sandbox, "POST", "/graphql", &token, Some(body.clone())).await;
    assert_eq!(post().await.body["data"]["viewer"]["login"], "checker[bot]");
    sandbox.fault(Fault::on("POST /graphql Two").kind(FaultKind::PartialData));
    let partial = post().await.body;
    assert_eq!(
        (&partial["data"]["rateLimit"], partial["errors"].as_array().unwrap().len()),
        (&json!(null), 1)
    );
    sandbox.fault(Fault::on("POST /graphql").kind(FaultKind::GraphqlRateLimited));
    let limited = post().await;
    assert_eq!((limited.status, &limited.body["errors"][0]["type"]), (200, &json!("RATE_LIMITED")));
    sandbox.fault(Fault::on("POST /graphql Other"));
    assert_eq!(post().await.status, 200);
    assert_eq!(sandbox.calls().last().unwrap().to_string(), "POST /graphql Two 200");
}
