//! The App, its tokens, and what they reach.

use serde_json::json;

use super::client::{Stepped, agency, ask, get, jwt, mint, sign, start, token};
use crate::{Flavor, Level, Permission, installation};

#[tokio::test]
async fn a_jwt_must_be_fresh_short_and_ours() {
    let (sandbox, _) = start().await;
    let now = sandbox.state(|state| state.now().as_second());
    let (id, client) = (sandbox.app_id(), sandbox.client_id());
    let table = [
        (json!({ "iat": now, "exp": now + 600, "iss": id }), 200),
        (json!({ "iat": now, "exp": now + 600, "iss": client }), 200),
        (json!({ "iat": now, "exp": now + 601, "iss": client }), 401),
        (json!({ "iat": now - 700, "exp": now, "iss": client }), 401),
        (json!({ "iat": now + 30, "exp": now + 300, "iss": client }), 401),
        (json!({ "iat": now, "exp": now + 300, "iss": "somebody" }), 401),
        (json!({ "iat": now, "iss": client }), 401),
    ];
    for (claims, status) in table {
        let reply = get(&sandbox, "/app", &sign(&sandbox, &claims)).await;
        assert_eq!(reply.status, status, "{claims}: {}", reply.body);
    }
    assert_eq!(get(&sandbox, "/app", "").await.status, 401);
    assert_eq!(get(&sandbox, "/app", &jwt(&sandbox)).await.body["slug"], "checker");
    assert!(sandbox.failures().is_empty());
}

#[tokio::test]
async fn a_token_is_long_lives_an_hour_and_can_be_revoked() {
    let (sandbox, clock) = start().await;
    let reply = mint(&sandbox, json!({})).await;
    assert_eq!(reply.status, 201);
    let token = reply.body["token"].as_str().unwrap();
    assert!(token.starts_with(&format!("ghs_{}_", sandbox.app_id())));
    assert!((500..560).contains(&token.len()) && token.matches('.').count() == 2, "{token}");
    assert_eq!(get(&sandbox, "/repos/agency/secret", token).await.status, 200);
    clock.advance(3600);
    let expired = get(&sandbox, "/repos/agency/secret", token).await;
    assert_eq!((expired.status, expired.message()), (401, "Bad credentials"));
    let fresh = super::client::token(&sandbox).await;
    assert_eq!(ask(&sandbox, "DELETE", "/installation/token", &fresh, None).await.status, 204);
    assert_eq!(get(&sandbox, "/repos/agency/site", &fresh).await.status, 401);
}

#[tokio::test]
async fn a_narrowed_token_reaches_no_further() {
    let (sandbox, _) = start().await;
    let read_site = json!({ "repositories": ["site"], "permissions": { "contents": "read" } });
    let token = mint(&sandbox, read_site).await.body["token"].as_str().unwrap().to_owned();
    // Not in its set and private: not to be seen.
    assert_eq!(get(&sandbox, "/repos/agency/secret", &token).await.status, 404);
    assert_eq!(get(&sandbox, "/repos/agency/site/contents/README.md", &token).await.status, 200);
    let issue = Some(json!({ "title": "Hello" }));
    let refused = ask(&sandbox, "POST", "/repos/agency/site/issues", &token, issue).await;
    assert_eq!((refused.status, refused.message()), (403, "Resource not accessible by integration"));
    assert_eq!(refused.header("x-accepted-github-permissions"), "issues=write");
    assert!(sandbox.issues("agency/site").is_empty());
    let too_much = mint(&sandbox, json!({ "permissions": { "administration": "read" } })).await;
    assert_eq!(too_much.status, 422);
    assert_eq!(mint(&sandbox, json!({ "repositories": ["nowhere"] })).await.status, 422);
}

#[tokio::test]
async fn a_selected_installation_reads_other_public_repositories_only() {
    let clock = Stepped::new();
    let narrow = installation("agency")
        .selected(["secret"])
        .permissions([(Permission::Contents, Level::Write), (Permission::Issues, Level::Write)]);
    let sandbox = agency(&clock).installation(narrow).start().await.unwrap();
    let token = token(&sandbox).await;
    assert_eq!(get(&sandbox, "/repos/agency/site", &token).await.status, 200);
    let issue = Some(json!({ "title": "Hello" }));
    let refused = ask(&sandbox, "POST", "/repos/agency/site/issues", &token, issue.clone()).await;
    assert_eq!(refused.status, 403);
    let listed = get(&sandbox, "/installation/repositories", &token).await;
    assert_eq!(listed.body["total_count"], 1);
    assert_eq!(ask(&sandbox, "POST", "/repos/agency/secret/issues", &token, issue).await.status, 201);
}

#[tokio::test]
async fn a_suspended_installation_gets_no_tokens_and_its_tokens_are_refused() {
    let (sandbox, _) = start().await;
    let token = token(&sandbox).await;
    sandbox.user("olivia").set_suspended("agency", true);
    let refused = mint(&sandbox, json!({})).await;
    assert_eq!((refused.status, refused.message()), (403, "This installation has been suspended"));
    assert_eq!(get(&sandbox, "/repos/agency/site", &token).await.status, 403);
    sandbox.user("olivia").uninstall("agency");
    assert_eq!(get(&sandbox, "/repos/agency/site", &token).await.status, 401);
}

#[tokio::test]
async fn the_bot_is_a_user_of_its_own() {
    let (sandbox, _) = start().await;
    let (login, id) = sandbox.bot();
    assert_eq!(login, "checker[bot]");
    assert_ne!(id, sandbox.app_id());
    let reply = get(&sandbox, "/users/checker%5Bbot%5D", "").await;
    assert_eq!((reply.body["id"].as_u64(), reply.body["type"].as_str()), (Some(id), Some("Bot")));
}

#[tokio::test]
async fn a_server_has_its_api_elsewhere_and_no_limits() {
    let clock = Stepped::new();
    let builder = agency(&clock).flavor(Flavor::Server).installation(installation("agency"));
    let sandbox = builder.start().await.unwrap();
    assert!(sandbox.api_url().ends_with("/api/v3") && sandbox.graphql_url().ends_with("/api/graphql"));
    let token = token(&sandbox).await;
    let reply = get(&sandbox, "/repos/agency/site", &token).await;
    assert_eq!((reply.status, reply.header("x-ratelimit-remaining")), (200, ""));
    assert_eq!(get(&sandbox, "/rate_limit", &token).await.status, 404);
}

#[tokio::test]
async fn a_server_tells_its_version_and_names_itself_by_its_own_host() {
    let clock = Stepped::new();
    let builder = agency(&clock).flavor(Flavor::Server).own_name("git.agency.example");
    let sandbox = builder.installation(installation("agency")).start().await.unwrap();
    let reply = get(&sandbox, "/installation/repositories?per_page=1", &token(&sandbox).await).await;
    assert_eq!(reply.header("x-github-enterprise-version"), "3.19.2");
    let next =
        "<https://git.agency.example/api/v3/installation/repositories?page=2&per_page=1>; rel=\"next\"";
    assert!(reply.header("link").starts_with(next), "{}", reply.header("link"));
    assert!(sandbox.api_url().starts_with("http://127.0.0.1:"));
}

#[tokio::test]
async fn with_data_residency_nothing_is_public() {
    use crate::{Sandbox, Visibility, org, repository};
    let home = org("agency").owner("olivia").repository(repository("site").internal());
    let sandbox = Sandbox::builder().flavor(Flavor::DataResidency).organization(home);
    let sandbox = sandbox.installation(installation("agency")).start().await.unwrap();
    assert!(sandbox.graphql_url().ends_with("/graphql") && !sandbox.api_url().ends_with("/v3"));
    let site = sandbox.repository_id("agency/site");
    let refused = sandbox.change(|state| {
        let olivia = state.account_named("olivia").unwrap().id;
        state.set_visibility(&crate::state::Caller::Person(olivia), site, Visibility::Public)
    });
    assert!(refused.is_err());
    assert_eq!(get(&sandbox, "/repos/agency/site", &token(&sandbox).await).await.status, 200);
}

#[tokio::test]
async fn tenants_can_be_kept_apart() {
    use crate::{org, repository};
    let clock = Stepped::new();
    let bureau = org("bureau").owner("otto").repository(repository("site"));
    let sandbox = agency(&clock).organization(bureau).installation(installation("agency")).tenants_apart();
    let sandbox = sandbox.start().await.unwrap();
    let token = token(&sandbox).await;
    assert_eq!(get(&sandbox, "/repos/agency/site", &token).await.status, 200);
    let query = |owner: &str| {
        let text = "query Name($owner: String!) { repository(owner: $owner, name: \"site\") { id } }";
        Some(json!({ "query": text, "variables": { "owner": owner } }))
    };
    let graphql = async |owner: &str| {
        let body = query(owner);
        super::client::try_ask("POST", sandbox.graphql_url(), &token, body.as_ref()).await.unwrap().status
    };
    assert_eq!(graphql("agency").await, 200);
    assert_eq!(sandbox.strays(), Vec::<String>::new());
    assert_eq!(get(&sandbox, "/repos/bureau/site", &token).await.status, 404);
    assert_eq!(graphql("bureau").await, 404);
    assert_eq!(sandbox.strays().len(), 2);
}

#[tokio::test]
async fn an_enterprise_has_a_slug_and_no_repository() {
    let (sandbox, _) = start().await;
    let id = sandbox.change(|state| {
        let enterprise = state.add_enterprise("agency");
        let owner = state.person("olivia");
        state.install(owner, enterprise, None, None)
    });
    let on = get(&sandbox, &format!("/app/installations/{id}"), &jwt(&sandbox)).await.body;
    assert_eq!((&on["account"]["slug"], &on["target_type"]), (&"agency".into(), &"Enterprise".into()));
    assert!(on["account"]["login"].is_null());
    // The organization of that name is another account.
    let organization = get(&sandbox, "/orgs/agency/installation", &jwt(&sandbox)).await.body;
    assert_ne!(organization["id"], id);
    assert!(sandbox.state(|state| state.installation_repositories(id)).is_empty());
}

#[tokio::test]
async fn the_installation_of_a_repository_is_found_by_its_name_now() {
    let (sandbox, _) = start().await;
    let olivia = sandbox.user("olivia");
    olivia.rename("agency/site", "place");
    let moved = get(&sandbox, "/repos/agency/site/installation", &jwt(&sandbox)).await;
    assert_eq!(moved.status, 301);
    let by_id = moved.header("location").strip_prefix(sandbox.api_url()).unwrap();
    let found = get(&sandbox, by_id, &jwt(&sandbox)).await.body;
    assert_eq!(found["id"], sandbox.installation_id("agency"));
    olivia.transfer("agency/place", "mallory");
    assert_eq!(get(&sandbox, "/repos/mallory/place/installation", &jwt(&sandbox)).await.status, 404);
}

#[tokio::test]
async fn a_renamed_app_keeps_its_ids_and_what_it_asks_for_is_granted_when_accepted() {
    let (sandbox, _) = start().await;
    let (_, bot) = sandbox.bot();
    sandbox.change(|state| state.rename_app("inspector"));
    let reply = get(&sandbox, "/users/inspector%5Bbot%5D", "").await;
    assert_eq!(reply.body["id"].as_u64(), Some(bot));
    assert_eq!(get(&sandbox, "/users/checker%5Bbot%5D", "").await.status, 404);
    let wished = [(Permission::Contents, Level::Write), (Permission::Workflows, Level::Write)];
    sandbox.change(|state| state.ask_for_permissions(wished.into_iter().collect()));
    let workflows = json!({ "permissions": { "workflows": "write" } });
    assert_eq!(mint(&sandbox, workflows.clone()).await.status, 422);
    sandbox.user("olivia").accept_permissions("agency");
    assert_eq!(mint(&sandbox, workflows).await.status, 201);
}

#[tokio::test]
async fn a_selected_installation_may_come_to_cover_all() {
    let clock = Stepped::new();
    let sandbox =
        agency(&clock).installation(installation("agency").selected(["site"])).start().await.unwrap();
    sandbox.set_hook_url("http://127.0.0.1:1/");
    sandbox.user("olivia").select_all("agency");
    let told: serde_json::Value = serde_json::from_str(&sandbox.pending()[0].payload).unwrap();
    assert_eq!((&told["action"], &told["repository_selection"]), (&"added".into(), &"all".into()));
    assert_eq!(told["repositories_added"][0]["full_name"], "agency/secret");
    let listed = get(&sandbox, "/installation/repositories", &token(&sandbox).await).await.body;
    assert_eq!((&listed["total_count"], &listed["repository_selection"]), (&2.into(), &"all".into()));
}
