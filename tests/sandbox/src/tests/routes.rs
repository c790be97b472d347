//! Every route of the table answers as it should at least once; with
//! `SANDBOX_EXCHANGES` set these are the exchanges that are held against
//! GitHub's published description.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::client::{Stepped, ask, get, jwt, mint, start, token, try_ask};
use crate::rest::ROUTES;
use crate::{BranchRule, Level, Permission, Sandbox, Traffic, repository};

struct Walk {
    sandbox: Sandbox,
    token: String,
}

impl Walk {
    async fn go(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let app = path.starts_with("/app") || path.ends_with("/installation");
        let token = if app { jwt(&self.sandbox) } else { self.token.clone() };
        let reply = ask(&self.sandbox, method, path, &token, body).await;
        assert!((200..300).contains(&reply.status), "{method} {path}: {} {}", reply.status, reply.body);
        reply.body
    }

    async fn get(&self, path: &str) -> Value {
        self.go("GET", path, None).await
    }

    /// A route of `agency/site`.
    async fn site(&self, method: &str, path: &str, body: Value) -> Value {
        let body = (!body.is_null()).then_some(body);
        self.go(method, &format!("/repos/agency/site{path}"), body).await
    }
}

#[tokio::test]
async fn every_route_answers() {
    let (sandbox, clock) = start().await;
    let walk = Walk { token: token(&sandbox).await, sandbox: sandbox.clone() };
    sandbox.set_hook_url("http://127.0.0.1:9/nobody");
    apps(&walk).await;
    accounts(&walk).await;
    git(&walk).await;
    conversations(&walk).await;
    pull_requests(&walk).await;
    checks(&walk).await;
    traffic(&walk, &clock).await;
    assert_eq!(get(&sandbox, "/rate_limit", &walk.token).await.body["rate"]["limit"], 5000);
    walk.go("DELETE", "/installation/token", None).await;
    let id = sandbox.installation_id("agency");
    walk.go("DELETE", &format!("/app/installations/{id}"), None).await;
    assert!(sandbox.failures().is_empty(), "{:?}", sandbox.failures());
    let called: BTreeSet<String> = sandbox
        .calls()
        .into_iter()
        .filter_map(|call| Some(format!("{} {}", call.method, call.route?)))
        .collect();
    let all: BTreeSet<String> =
        ROUTES.iter().map(|route| format!("{} {}", route.method, route.template)).collect();
    let missed: Vec<&String> = all.difference(&called).collect();
    assert!(missed.is_empty(), "not walked: {missed:?}");
}

async fn apps(walk: &Walk) {
    walk.get("/meta").await;
    walk.get("/app").await;
    walk.get("/app/hook/config").await;
    walk.go("PATCH", "/app/hook/config", Some(json!({ "secret": "another secret, long enough" }))).await;
    assert_eq!(walk.sandbox.webhook_secret(), "another secret, long enough");
    walk.sandbox.user("olivia").open_issue("agency/site", "Undelivered", "");
    walk.sandbox.deliver().await;
    let deliveries = walk.get("/app/hook/deliveries").await;
    let id = &deliveries[0]["id"];
    walk.get(&format!("/app/hook/deliveries/{id}")).await;
    walk.go("POST", &format!("/app/hook/deliveries/{id}/attempts"), None).await;
    let installations = walk.get("/app/installations").await;
    walk.get(&format!("/app/installations/{}", installations[0]["id"])).await;
    walk.get("/orgs/agency/installation").await;
    walk.get("/users/agency/installation").await;
    walk.get("/repos/agency/site/installation").await;
    walk.get("/installation/repositories").await;
}

async fn accounts(walk: &Walk) {
    walk.get("/orgs/agency").await;
    walk.get("/orgs/agency/repos?type=all&per_page=2").await;
    walk.get("/users/olivia").await;
    let guarded = repository("guarded")
        .file("a", "b")
        .license("MIT")
        .language("Rust", 2048)
        .ruleset(["~ALL"], [BranchRule::PullRequest, BranchRule::Update, BranchRule::NonFastForward]);
    walk.sandbox.create_repository("agency", guarded);
    walk.get("/repos/agency/guarded").await;
    let rules = walk.get("/repos/agency/guarded/rules/branches/main").await;
    assert_eq!(rules.as_array().unwrap().len(), 3);
    walk.site("GET", "/collaborators/olivia/permission", Value::Null).await;
}

async fn git(walk: &Walk) {
    let head = walk.site("GET", "/git/ref/heads/main", Value::Null).await["object"]["sha"].clone();
    walk.site("GET", "/branches", Value::Null).await;
    walk.site("GET", "/contents/", Value::Null).await;
    walk.site("GET", "/contents/README.md?ref=main", Value::Null).await;
    let commits = walk.site("GET", "/commits?path=README.md", Value::Null).await;
    assert_eq!(commits[0]["sha"], head);
    let blob = walk.site("POST", "/git/blobs", json!({ "content": "aGk=", "encoding": "base64" })).await;
    let read = walk.site("GET", &format!("/git/blobs/{}", blob["sha"].as_str().unwrap()), Value::Null).await;
    assert_eq!(read["content"], "aGk=\n");
    let entry = json!({ "path": "docs/new", "mode": "100644", "type": "blob", "sha": blob["sha"] });
    let tree = walk.site("POST", "/git/trees", json!({ "base_tree": head, "tree": [entry] })).await;
    let path = format!("/git/trees/{}?recursive=1", tree["sha"].as_str().unwrap());
    let listed = walk.site("GET", &path, Value::Null).await;
    assert_eq!(listed["tree"].as_array().unwrap().len(), 3);
    let commit = json!({ "message": "New", "tree": tree["sha"], "parents": [head] });
    let commit = walk.site("POST", "/git/commits", commit).await;
    walk.site("GET", &format!("/git/commits/{}", commit["sha"].as_str().unwrap()), Value::Null).await;
    walk.site("POST", "/git/refs", json!({ "ref": "refs/heads/a/b", "sha": head })).await;
    walk.site("PATCH", "/git/refs/heads/a/b", json!({ "sha": commit["sha"], "force": false })).await;
    assert_eq!(walk.sandbox.file("agency/site", "a/b", "docs/new").as_deref(), Some("hi"));
    walk.site("DELETE", "/git/refs/heads/a/b", Value::Null).await;
    archives(walk).await;
}

/// The API answers with an address at another host, which wants no token.
async fn archives(walk: &Walk) {
    for (name, is_open) in [("site", true), ("secret", false)] {
        let head = walk.sandbox.head(&format!("agency/{name}"), "main").unwrap();
        let path = format!("/repos/agency/{name}/tarball/{head}");
        let sent = get(&walk.sandbox, &path, &walk.token).await;
        let url = sent.header("location").to_owned();
        assert_eq!((sent.status, url.starts_with(walk.sandbox.web_url())), (302, true), "{url}");
        assert_eq!(url.contains("?token="), !is_open);
        let fetch = async |url: &str, token: &str| try_ask("GET", url, token, None).await.unwrap().status;
        assert_eq!((fetch(&url, "").await, fetch(&url, &walk.token).await), (200, 400));
        if !is_open {
            assert_eq!(fetch(url.split('?').next().unwrap(), "").await, 404);
        }
    }
}

async fn conversations(walk: &Walk) {
    walk.site("POST", "/labels", json!({ "name": "bot made", "color": "0e8a16" })).await;
    walk.site("GET", "/labels", Value::Null).await;
    walk.site("GET", "/labels/bot%20made", Value::Null).await;
    let issue = json!({ "title": "One", "body": "text", "labels": ["bot made"] });
    let number = walk.site("POST", "/issues", issue).await["number"].as_u64().unwrap();
    let issue = format!("/issues/{number}");
    walk.site("GET", "/issues?state=all&labels=bot%20made&creator=checker%5Bbot%5D", Value::Null).await;
    walk.site("GET", &issue, Value::Null).await;
    walk.site("PUT", &format!("{issue}/lock"), json!({ "lock_reason": "resolved" })).await;
    walk.site("DELETE", &format!("{issue}/lock"), Value::Null).await;
    let comment = walk.site("POST", &format!("{issue}/comments"), json!({ "body": "Hi" })).await;
    walk.site("GET", &format!("{issue}/comments"), Value::Null).await;
    let comment = format!("/issues/comments/{}", comment["id"]);
    walk.site("GET", &comment, Value::Null).await;
    walk.site("PATCH", &comment, json!({ "body": "Hello" })).await;
    for subject in [&comment, &issue] {
        let path = format!("{subject}/reactions");
        walk.site("POST", &path, json!({ "content": "eyes" })).await;
        let again = walk.site("POST", &path, json!({ "content": "eyes" })).await;
        let all = walk.site("GET", &path, Value::Null).await;
        assert_eq!(all.as_array().unwrap(), &[again]);
    }
    walk.site("DELETE", &comment, Value::Null).await;
    walk.site("GET", &format!("{issue}/labels"), Value::Null).await;
    walk.site("POST", &format!("{issue}/labels"), json!({ "labels": ["more"] })).await;
    walk.site("DELETE", &format!("{issue}/labels/more"), Value::Null).await;
    let closed =
        walk.site("PATCH", &issue, json!({ "state": "closed", "state_reason": "not_planned" })).await;
    assert_eq!(closed["state_reason"], "not_planned");
}

async fn pull_requests(walk: &Walk) {
    walk.sandbox.user("olivia").push("agency/site", "fix", &[("LICENSE", "CC0\n")], "Fix");
    let new = json!({ "title": "Fix", "head": "fix", "base": "main" });
    let number = walk.site("POST", "/pulls", new).await["number"].as_u64().unwrap();
    let pull = format!("/pulls/{number}");
    walk.sandbox.user("olivia").label("agency/site", number, "more");
    walk.site("GET", "/pulls?state=open&head=agency:fix", Value::Null).await;
    walk.site("GET", &pull, Value::Null).await;
    walk.site("PATCH", &pull, json!({ "body": "why" })).await;
    walk.site("GET", &format!("{pull}/files"), Value::Null).await;
    walk.site("GET", &format!("{pull}/commits"), Value::Null).await;
    let asked = json!({ "reviewers": ["olivia"] });
    walk.site("POST", &format!("{pull}/requested_reviewers"), asked).await;
    walk.site("PUT", &format!("{pull}/merge"), json!({ "merge_method": "squash" })).await;
}

async fn checks(walk: &Walk) {
    let head = walk.sandbox.head("agency/site", "main").unwrap();
    let annotation = json!({
        "path": "README.md", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m",
    });
    let output = json!({ "title": "t", "summary": "s", "annotations": vec![annotation.clone(); 50] });
    let new = json!({ "name": "check", "head_sha": head, "output": output });
    let run = walk.site("POST", "/check-runs", new.clone()).await["id"].as_u64().unwrap();
    let mut too_many = new;
    too_many["output"]["annotations"] = json!(vec![annotation; 51]);
    let refused =
        ask(&walk.sandbox, "POST", "/repos/agency/site/check-runs", &walk.token, Some(too_many)).await;
    assert_eq!(refused.status, 422);
    walk.site("PATCH", &format!("/check-runs/{run}"), json!({ "conclusion": "success" })).await;
    walk.site("GET", &format!("/check-runs/{run}"), Value::Null).await;
    let listed = walk.site("GET", &format!("/commits/{head}/check-runs"), Value::Null).await;
    assert_eq!(listed["check_runs"][0]["output"]["annotations_count"], 50);
}

/// Days are told while they are among the last 14, and only to whom that was
/// granted.
async fn traffic(walk: &Walk, clock: &Stepped) {
    let path = "/repos/agency/site/traffic/clones";
    let refused = get(&walk.sandbox, path, &walk.token).await;
    assert_eq!((refused.status, refused.message()), (403, "Resource not accessible by integration"));
    assert_eq!(refused.header("x-accepted-github-permissions"), "administration=read");
    walk.sandbox.change(|state| {
        let mut more = state.app().permissions.clone();
        more.insert(Permission::Administration, Level::Read);
        state.ask_for_permissions(more);
    });
    walk.sandbox.user("olivia").accept_permissions("agency");
    let narrow = json!({ "permissions": { "administration": "read" } });
    let narrow = mint(&walk.sandbox, narrow).await.body["token"].as_str().unwrap().to_owned();
    let ask = async |path: &str| get(&walk.sandbox, path, &narrow).await.body;

    assert_eq!(ask(path).await, json!({ "count": 0, "uniques": 0, "clones": [] }));
    let came = Traffic { clones: 3, cloners: 2, views: 5, visitors: 4 };
    walk.sandbox.visit("agency/site", came);
    walk.sandbox.visit("agency/site", came);
    let first = walk.sandbox.state(|state| state.now()).to_string()[..10].to_owned();
    let day = json!({ "timestamp": format!("{first}T00:00:00Z"), "count": 6, "uniques": 4 });
    assert_eq!(ask(path).await, json!({ "count": 6, "uniques": 4, "clones": [day] }));
    let views = ask("/repos/agency/site/traffic/views?per=week").await;
    assert_eq!((&views["count"], &views["views"][0]["count"]), (&10.into(), &10.into()));
    clock.advance(13 * 86_400);
    // The token is an hour old by now.
    let narrow = mint(&walk.sandbox, json!({ "permissions": { "administration": "read" } })).await;
    let narrow = narrow.body["token"].as_str().unwrap().to_owned();
    assert_eq!(get(&walk.sandbox, path, &narrow).await.body["count"], 6);
    clock.advance(86_400);
    let narrow = mint(&walk.sandbox, json!({ "permissions": { "administration": "read" } })).await;
    let narrow = narrow.body["token"].as_str().unwrap().to_owned();
    assert_eq!(get(&walk.sandbox, path, &narrow).await.body["count"], 0);
    clock.advance(-14 * 86_400);
}
