//! The traps of octocrab and of the platform, each sprung on the client.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use base64::Engine as _;
use http::Method;
use muster::{
    domain::{
        outgoing::Line,
        repository::{AccountId, Login, RepositoryId},
    },
    github::{Endpoints, Error, GitHub, Role},
};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::stand_in::*;

/// A list of 250, whose pages link to the next by an absolute address.
fn pages(origin: &str, seen: &Seen) -> Response {
    let page: u64 = seen.path.rsplit_once("&page=").map_or(1, |(_, page)| page.parse().unwrap());
    let ids = ((page - 1) * 100 + 1)..=(page * 100).min(250);
    let answer = reply(200, json!({"repositories": ids.map(listed).collect::<Vec<_>>()}));
    let link = format!("<{origin}/installation/repositories?per_page=100&page={}>; rel=\"next\"", page + 1);
    if page < 3 { with(answer, "link", &link) } else { answer }
}

#[tokio::test]
async fn trap_1_every_page_carries_the_token() {
    let github = StandIn::start(|seen, _| {
        let origin = format!("http://{}", seen.headers["host"].to_str().unwrap());
        if seen.token() == Some("plain") { pages(&origin, seen) } else { nothing() }
    })
    .await;
    let all = github.with_token().reader(ONE).repositories().await.unwrap();
    assert_eq!(all.len(), 250);
    assert_eq!(github.seen().len(), 3);
    assert!(github.seen().iter().all(|seen| seen.token() == Some("plain")));
}

#[tokio::test]
async fn trap_1_no_other_host_ever_sees_a_request() {
    let canary = StandIn::start(|_, _| reply(200, json!({"repositories": []}))).await;
    let foreign = canary.origin.clone();
    let github = StandIn::start(move |seen, _| match seen.path.as_str() {
        "/repositories/1" => with(reply(301, json!({})), "location", &format!("{foreign}/repositories/1")),
        _ => pages(&foreign, seen),
    })
    .await;
    let reader = github.with_token().reader(ONE);
    // Path and query are asked for at the host we know.
    assert_eq!(reader.repositories().await.unwrap().len(), 250);
    // And so this redirect leads in a circle.
    assert!(matches!(reader.repository_by_id(RepositoryId(1)).await, Err(Error::Permanent(_))));
    assert_eq!(canary.seen().len(), 0);
}

#[tokio::test]
async fn a_renamed_repository_is_followed_within_the_origin_and_no_write_is() {
    let github = StandIn::start(|seen, _| {
        let origin = format!("http://{}", seen.headers["host"].to_str().unwrap());
        match (seen.method.as_str(), seen.path.as_str()) {
            ("GET", "/repositories/1") => {
                with(reply(301, json!({})), "location", &format!("{origin}/repositories/2"))
            }
            ("GET", "/repositories/2") => reply(200, listed(2)),
            ("GET", _) => with(reply(302, json!({})), "location", &seen.path),
            ("POST", "/repos/agency/site/issues") => {
                with(reply(307, json!({})), "location", &format!("{origin}/repositories/42/issues"))
            }
            _ => nothing(),
        }
    })
    .await;
    let app = github.with_app();
    assert_eq!(app.reader(ONE).repository_by_id(RepositoryId(1)).await.unwrap().id, RepositoryId(2));
    let circle = app.reader(ONE).repository_by_id(RepositoryId(3)).await;
    assert!(matches!(circle, Err(Error::Permanent(_))));
    let moved = writer(&app).create_issue(&Line::of("Title"), &text(), &[]).await;
    assert!(matches!(moved, Err(Error::StaleData(_))));
    assert_eq!(github.count(&Method::POST, "/repositories/42/issues"), 0);
}

#[tokio::test]
async fn trap_2_graphql_of_a_server_stands_beside_its_rest() {
    let github = StandIn::start(|seen, _| match seen.path.as_str() {
        "/api/graphql" => reply(
            200,
            json!({"data": {"repository": null}, "errors": [{"type": "NOT_FOUND", "path": ["repository"]}]}),
        ),
        "/api/v3/repositories/1" => reply(200, listed(1)),
        _ => nothing(),
    })
    .await;
    let endpoints = Endpoints::new(&format!("{}/api/v3", github.origin), None).unwrap();
    let reader =
        GitHub::with_token(endpoints, SecretString::from("plain"), clock()).unwrap().token_reader().unwrap();
    let name = "agency/site".parse().unwrap();
    let answer = reader.ours(&name, RepositoryId(1), &[], &names()).await;
    assert!(matches!(answer, Err(Error::NotFound(_))), "{answer:?}");
    assert_eq!(reader.repository_by_id(RepositoryId(1)).await.unwrap().id, RepositoryId(1));
    let paths: Vec<String> = github.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, ["/api/graphql", "/api/v3/repositories/1"]);
}

#[tokio::test]
async fn trap_3_a_read_is_tried_three_times_and_a_closed_door_is_no_lost_write() {
    let github = StandIn::start(|seen, before| match (seen.path.as_str(), before) {
        ("/repositories/1", 0) => reply(502, json!({})),
        ("/repositories/1", 1) => broken(),
        ("/repositories/1", _) => reply(200, listed(1)),
        _ => reply(500, json!({})),
    })
    .await;
    let reader = github.with_token().reader(ONE);
    assert_eq!(reader.repository_by_id(RepositoryId(1)).await.unwrap().id, RepositoryId(1));
    assert!(matches!(reader.repository_by_id(RepositoryId(2)).await, Err(Error::Transient(_))));
    assert_eq!(github.count(&Method::GET, "/repositories/1"), 3);
    assert_eq!(github.count(&Method::GET, "/repositories/2"), 3);
    // Nobody listens: the request cannot have arrived.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let nobody = GitHub::with_app(Endpoints::new(&closed, None).unwrap(), app(1), clock()).unwrap();
    let issue = writer(&nobody).create_issue(&Line::of("Title"), &text(), &[]).await;
    assert!(matches!(issue, Err(Error::Transient(_))), "{issue:?}");
}

#[tokio::test]
async fn trap_4_a_secondary_limit_holds_its_installation_and_no_other() {
    let github = StandIn::start(|seen, before| match (seen.path.as_str(), before) {
        ("/repositories/1", 0) => with(reply(403, json!({"message": "slow down"})), "retry-after", "120"),
        ("/repositories/2", 0) => with(reply(429, json!({})), "retry-after", "3"),
        ("/repositories/1" | "/repositories/2", _) => reply(200, listed(1)),
        _ => nothing(),
    })
    .await;
    let clock = clock();
    let app = GitHub::with_app(github.endpoints(), app(1), clock.clone()).unwrap();
    let start = clock.now();
    let long = start + Duration::from_secs(120);
    let limited = Err(Error::RateLimited { until: long });
    assert_eq!(app.reader(ONE).repository_by_id(RepositoryId(1)).await.map(|_| ()), limited);
    // Not even asked before that moment.
    let paced = Err(Error::Paced { until: long });
    assert_eq!(app.reader(ONE).repository_by_id(RepositoryId(1)).await.map(|_| ()), paced);
    assert_eq!(github.count(&Method::GET, "/repositories/1"), 1);
    assert_eq!(clock.now(), start);
    // A short wait is waited for, within the next call.
    let short = app.reader(TWO).repository_by_id(RepositoryId(2)).await;
    assert_eq!(short.map(|_| ()), Err(Error::RateLimited { until: start + Duration::from_secs(3) }));
    app.reader(TWO).repository_by_id(RepositoryId(2)).await.unwrap();
    assert_eq!(clock.now(), start + Duration::from_secs(3));
}

#[tokio::test]
async fn trap_5_a_limit_with_http_200_is_a_limit() {
    let github = StandIn::start(|seen, _| match seen.path.as_str() {
        "/graphql" => {
            let body =
                json!({"data": null, "errors": [{"type": "RATE_LIMITED", "message": "API rate limit"}]});
            let reset = (clock().now() + Duration::from_secs(900)).as_second().to_string();
            with(with(reply(200, body), "x-ratelimit-remaining", "0"), "x-ratelimit-reset", &reset)
        }
        _ => nothing(),
    })
    .await;
    let reader = github.with_token().reader(ONE);
    let name = "agency/site".parse().unwrap();
    let until = clock().now() + Duration::from_secs(900);
    for refusal in [Error::RateLimited { until }, Error::Paced { until }] {
        let answer = reader.ours(&name, RepositoryId(1), &[], &names()).await;
        assert_eq!(answer.map(|_| ()), Err(refusal));
    }
    assert_eq!(github.seen().len(), 1);
}

#[tokio::test]
async fn trap_6_twenty_first_calls_mint_one_token() {
    let github = StandIn::start(|seen, _| match seen.path.as_str() {
        "/repositories/1" => reply(200, listed(1)),
        _ => nothing(),
    })
    .await;
    let app = github.with_app();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let reader = app.reader(ONE);
            tokio::spawn(async move { reader.repository_by_id(RepositoryId(1)).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(github.count(&Method::POST, "/app/installations/1/access_tokens"), 1);
    assert_eq!(app.revoke_all().await, (0, 1));
    assert_eq!(github.count(&Method::DELETE, "/installation/token"), 1);
}

#[tokio::test]
async fn trap_8_the_version_is_pinned_and_nothing_is_cached() {
    let github = StandIn::start(|_, _| with(reply(200, listed(1)), "etag", "\"1\"")).await;
    let reader = github.with_token().reader(ONE);
    for _ in 0..2 {
        reader.repository_by_id(RepositoryId(1)).await.unwrap();
    }
    for seen in github.seen() {
        assert_eq!(seen.headers["x-github-api-version"], "2022-11-28");
        assert!(seen.headers["user-agent"].to_str().unwrap().starts_with("muster/"));
        assert!(!seen.headers.contains_key("if-none-match"));
    }
}

#[tokio::test]
async fn a_refused_token_is_minted_once_more_and_only_once() {
    let github = StandIn::start(|seen, _| match seen.path.as_str() {
        "/repositories/1" if seen.token().is_some_and(|token| token.starts_with("ghs_1_0")) => {
            reply(401, json!({"message": "Bad credentials"}))
        }
        "/repositories/1" => reply(200, listed(1)),
        "/repositories/2" => reply(401, json!({"message": "Bad credentials"})),
        _ => nothing(),
    })
    .await;
    let app = github.with_app();
    app.reader(ONE).repository_by_id(RepositoryId(1)).await.unwrap();
    assert_eq!(github.count(&Method::POST, "/app/installations/1/access_tokens"), 2);
    let refused = app.reader(ONE).repository_by_id(RepositoryId(2)).await;
    assert!(matches!(refused, Err(Error::Unauthorized(_))));
    assert_eq!(github.count(&Method::GET, "/repositories/2"), 2);
}

#[tokio::test]
async fn during_a_rotation_the_other_key_is_tried_and_remembered() {
    let first = Arc::new(Mutex::new(None::<String>));
    let github = StandIn::start({
        let first = Arc::clone(&first);
        move |seen, _| {
            // The key GitHub no longer knows is told by its signature.
            let jwt = seen.token().unwrap().to_owned();
            let mut first = first.lock().unwrap();
            let refused = first.get_or_insert_with(|| jwt.clone());
            if *refused == jwt { reply(401, json!({})) } else { reply(200, json!([])) }
        }
    })
    .await;
    let app = GitHub::with_app(github.endpoints(), app(2), clock()).unwrap();
    assert_eq!(app.installations().await.unwrap(), []);
    assert_eq!(app.installations().await.unwrap(), []);
    assert_eq!(github.seen().len(), 3);
    let jwt = github.seen()[1].token().unwrap().to_owned();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(jwt.split('.').nth(1).unwrap())
        .map(|bytes| serde_json::from_slice::<Value>(&bytes).unwrap())
        .unwrap();
    let now = clock().now().as_second();
    assert_eq!(claims["iss"], "Iv1.0123456789abcdef");
    assert_eq!(claims["iat"], now - 60);
    assert!(claims["exp"].as_i64().unwrap() <= now + 9 * 60);
}

#[tokio::test]
async fn a_role_is_that_of_the_person_not_of_the_login() {
    let github = StandIn::start(|seen, _| match seen.path.as_str() {
        "/repos/agency/site/collaborators/alice/permission" => reply(
            200,
            json!({"permission": "write", "role_name": "custom", "user": {"id": 7, "login": "alice",
                "permissions": {"pull": true, "triage": true, "push": true, "maintain": true, "admin": false}}}),
        ),
        _ => nothing(),
    })
    .await;
    let reader = github.with_token().reader(ONE);
    let name = "agency/site".parse().unwrap();
    let role = async |login: &str, id| {
        reader.permission(&name, &login.parse::<Login>().unwrap(), AccountId(id)).await
    };
    assert_eq!(role("alice", 7).await, Ok(Role::Maintain));
    assert!(matches!(role("alice", 8).await, Err(Error::StaleData(_))));
    assert_eq!(role("mallory", 9).await, Ok(Role::None));
}

#[tokio::test]
async fn an_answer_without_end_is_cut_at_32_mib() {
    let github = StandIn::start(|_, _| {
        let endless =
            futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 1 << 20])));
        Response::new(Body::from_stream(endless))
    })
    .await;
    let answer = github.with_token().reader(ONE).repository_by_id(RepositoryId(1)).await;
    let Err(Error::Permanent(message)) = answer else { panic!("{answer:?}") };
    assert!(message.contains("32 MiB"), "{message}");
    assert_eq!(github.seen().len(), 1);
}

#[tokio::test]
async fn without_the_apps_key_nothing_is_asked_in_its_name() {
    let github = StandIn::start(|_, _| nothing()).await;
    let plain = github.with_token();
    assert!(matches!(plain.installations().await, Err(Error::Permanent(_))));
    assert!(matches!(plain.reader(ONE).bot().await, Err(Error::Permanent(_))));
    assert!(github.with_app().token_reader().is_none());
    assert_eq!(github.seen().len(), 0);
}
