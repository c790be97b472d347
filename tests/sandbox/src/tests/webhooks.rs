//! Events, their signatures, and the record of deliveries.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;

use super::client::{Stepped, agency, ask, get, jwt, start};
use crate::{Flavor, Sandbox, Visibility, installation};

type Received = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// Receives deliveries, answering with the status last set.
async fn receiver(sandbox: &Sandbox) -> (Received, Arc<Mutex<u16>>) {
    let (received, status) = (Received::default(), Arc::new(Mutex::new(202)));
    let (seen, answer) = (Arc::clone(&received), Arc::clone(&status));
    let handler = move |headers: HeaderMap, body: Bytes| {
        seen.lock().unwrap().push((headers, body));
        let status = StatusCode::from_u16(*answer.lock().unwrap()).unwrap();
        async move { status }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    sandbox.set_hook_url(&format!("http://{}/webhook", listener.local_addr().unwrap()));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/webhook", post(handler))).await });
    (received, status)
}

fn names(received: &Received) -> Vec<String> {
    let received = received.lock().unwrap();
    let name = |(headers, body): &(HeaderMap, Bytes)| {
        let body: Value = serde_json::from_slice(body).unwrap();
        let event = headers["x-github-event"].to_str().unwrap().to_owned();
        body["action"].as_str().map_or(event.clone(), |action| format!("{event}.{action}"))
    };
    received.iter().map(name).collect()
}

#[test]
fn the_signature_is_the_documented_one() {
    let signed = crate::webhook::signature(b"It's a Secret to Everybody", b"Hello, World!");
    assert_eq!(signed, "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
}

#[tokio::test]
async fn every_change_is_told_signed_and_whole() {
    let (sandbox, _) = start().await;
    let (received, _) = receiver(&sandbox).await;
    let olivia = sandbox.user("olivia");
    olivia.push("agency/site", "main", &[("LICENSE", "CC0\n")], "License");
    let number = olivia.open_issue("agency/site", "Hello", "");
    olivia.comment("agency/site", number, "Hi");
    olivia.close_issue("agency/site", number);
    olivia.set_visibility("agency/secret", Visibility::Public);
    assert_eq!(sandbox.deliver().await, 7);
    assert_eq!(
        names(&received),
        [
            "push",
            "check_suite.requested",
            "issues.opened",
            "issue_comment.created",
            "issues.closed",
            "repository.publicized",
            "public",
        ]
    );
    let received = received.lock().unwrap();
    for (headers, body) in received.iter() {
        let secret = sandbox.webhook_secret();
        assert_eq!(headers["x-hub-signature-256"], crate::webhook::signature(secret.as_bytes(), body));
        assert_eq!(headers["x-github-delivery"].len(), 36);
    }
    let push: Value = serde_json::from_slice(&received[0].1).unwrap();
    assert_eq!(push["commits"][0]["added"][0], "LICENSE");
    assert_eq!((&push["created"], &push["forced"]), (&false.into(), &false.into()));
    assert_eq!(push["installation"]["id"], sandbox.installation_id("agency"));
    assert_eq!(
        (&push["sender"]["login"], &push["organization"]["login"]),
        (&"olivia".into(), &"agency".into())
    );
}

#[tokio::test]
async fn failed_deliveries_are_listed_and_sent_again_on_request_only() {
    let (sandbox, _) = start().await;
    let (received, status) = receiver(&sandbox).await;
    *status.lock().unwrap() = 503;
    sandbox.user("olivia").open_issue("agency/site", "Hello", "");
    assert_eq!(sandbox.deliver().await, 1);
    assert_eq!(sandbox.deliver().await, 0);
    let jwt = jwt(&sandbox);
    let failed = get(&sandbox, "/app/hook/deliveries?status=failure", &jwt).await.body;
    assert_eq!((&failed[0]["status_code"], &failed[0]["action"]), (&503.into(), &"opened".into()));
    let id = &failed[0]["id"];
    let whole = get(&sandbox, &format!("/app/hook/deliveries/{id}"), &jwt).await.body;
    assert_eq!(whole["request"]["payload"]["issue"]["title"], "Hello");
    *status.lock().unwrap() = 202;
    let again = ask(&sandbox, "POST", &format!("/app/hook/deliveries/{id}/attempts"), &jwt, None).await;
    assert_eq!(again.status, 202);
    assert_eq!(sandbox.deliver().await, 1);
    let guids: Vec<_> =
        received.lock().unwrap().iter().map(|(headers, _)| headers["x-github-delivery"].clone()).collect();
    assert_eq!(guids[0], guids[1]);
    let newest = get(&sandbox, "/app/hook/deliveries?per_page=1", &jwt).await;
    assert_eq!(newest.body[0]["redelivery"], true);
    assert!(newest.header("link").contains("cursor=v1_"), "{}", newest.header("link"));
}

#[tokio::test]
async fn pending_deliveries_can_be_lost_doubled_and_reordered() {
    let (sandbox, _) = start().await;
    let (received, _) = receiver(&sandbox).await;
    let olivia = sandbox.user("olivia");
    let number = olivia.open_issue("agency/site", "Hello", "");
    olivia.close_issue("agency/site", number);
    olivia.reopen("agency/site", number);
    sandbox.change_pending(|pending| {
        pending.remove(0);
        pending.reverse();
        pending.push(pending[0].clone());
    });
    assert_eq!(sandbox.deliver().await, 3);
    assert_eq!(names(&received), ["issues.reopened", "issues.closed", "issues.reopened"]);
}

#[tokio::test]
async fn a_suspended_or_foreign_installation_hears_nothing_of_repositories() {
    let (sandbox, _) = start().await;
    let (received, _) = receiver(&sandbox).await;
    let olivia = sandbox.user("olivia");
    olivia.set_suspended("agency", true);
    olivia.push("agency/site", "main", &[("a", "b")], "Unheard");
    sandbox.user("mallory").fork("agency/site");
    olivia.set_suspended("agency", false);
    sandbox.deliver().await;
    assert_eq!(names(&received), ["installation.suspend", "installation.unsuspend"]);
}

#[tokio::test]
async fn the_record_goes_back_three_days_and_what_is_older_is_not_sent_again() {
    for (flavor, days) in [(Flavor::DotCom, 3), (Flavor::Server, 30)] {
        let clock = Stepped::new();
        let builder = agency(&clock).flavor(flavor).installation(installation("agency"));
        let sandbox = builder.start().await.unwrap();
        sandbox.set_hook_url("http://127.0.0.1:1/");
        sandbox.user("olivia").open_issue("agency/site", "Hello", "");
        assert_eq!(sandbox.deliver().await, 1);
        let id = sandbox.deliveries()[0].id;
        let one = format!("/app/hook/deliveries/{id}");
        clock.advance(days * 24 * 3600);
        let listed = get(&sandbox, "/app/hook/deliveries?status=failure", &jwt(&sandbox)).await.body;
        assert_eq!((listed.as_array().unwrap().len(), &listed[0]["status_code"]), (1, &0.into()));
        clock.advance(1);
        let listed = get(&sandbox, "/app/hook/deliveries?status=failure", &jwt(&sandbox)).await.body;
        assert_eq!(listed.as_array().unwrap().len(), 0);
        assert_eq!(get(&sandbox, &one, &jwt(&sandbox)).await.status, 404);
        let again = ask(&sandbox, "POST", &format!("{one}/attempts"), &jwt(&sandbox), None).await;
        assert_eq!((again.status, sandbox.pending().len()), (404, 0));
    }
}

#[tokio::test]
async fn what_is_throttled_comes_later_and_says_so() {
    let (sandbox, clock) = start().await;
    let (received, _) = receiver(&sandbox).await;
    sandbox.user("olivia").open_issue("agency/site", "Hello", "");
    sandbox.change(|state| state.throttle(jiff::SignedDuration::from_secs(60)));
    assert_eq!((sandbox.deliver().await, sandbox.pending().len()), (0, 0));
    clock.advance(60);
    assert_eq!((sandbox.deliver().await, names(&received).len()), (1, 1));
    let listed = get(&sandbox, "/app/hook/deliveries", &jwt(&sandbox)).await.body;
    assert!(listed[0]["throttled_at"].is_string(), "{listed}");
}
