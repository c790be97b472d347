//! The receiver as GitHub and the operator's proxy see it.

use muster::{
    domain::repository::{AccountId, InstallationId},
    store::Installation,
};
use rstest::rstest;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::server::{Answer, BOT, Database, NOW, PATIENT, Request, Server, guid, push};

#[rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test]
async fn a_delivery_and_its_job_are_stored_before_the_answer(#[case] database: Database) {
    let server = Server::start(database, PATIENT).await;
    let delivery = Request::of("push", &push());
    let answer = server.send(delivery.bytes()).await;
    assert_eq!((answer.status, answer.body.as_str()), (202, "Stored.\n"));
    assert_eq!(server.rows().await, (1, 1));

    let again = server.send(delivery.bytes()).await;
    assert_eq!((again.status, again.body.as_str()), (202, "Stored before.\n"));
    assert_eq!(server.rows().await, (1, 1));

    // The same body under another GUID asks for the same job at most.
    assert_eq!(server.send(delivery.with("X-GitHub-Delivery", &guid()).bytes()).await.status, 202);
    assert_eq!(server.rows().await, (2, 1));
    server.finish().await.unwrap();
}

#[rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test]
async fn every_published_example_is_taken(#[case] database: Database) {
    let examples =
        github_sandbox::conformance::webhook_examples().expect("the published examples are needed");
    assert!(examples.len() > 300, "only {} examples", examples.len());
    let server = Server::serving(database, PATIENT, &["Codertocat", "Octocoders", "github"]).await;
    let mut stored = 0;
    for (event, payload) in &examples {
        let answer = server.send(Request::of(event, payload).bytes()).await;
        let action = payload["action"].as_str().unwrap_or("");
        assert_eq!(answer.status, 202, "{event} {action}: {}", answer.body);
        stored += usize::from(answer.body == "Stored.\n");
    }
    assert!(stored > 200, "only {stored} of {} were of listed accounts", examples.len());
    assert_eq!(server.rows().await.0, stored);
    server.finish().await.unwrap();
}

#[rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test]
async fn accounts_that_are_not_listed_leave_no_row(#[case] database: Database) {
    let server = Server::start(database, PATIENT).await;
    let stranger = json!({"id": 66, "login": "agency-of-strangers", "type": "Organization"});
    let mut strange_push = push();
    strange_push["organization"] = stranger.clone();
    let strange_install = json!({
        "action": "created", "installation": {"id": 8, "account": stranger}, "sender": {"id": 66},
        "repositories": [{"id": 70, "full_name": "agency/site"}],
    });
    let enterprise =
        json!({"action": "created", "installation": {"id": 9, "account": {"id": 1, "slug": "agency"}}});
    let nobody = json!({"action": "revoked", "sender": {"id": 66, "login": "mallory"}});
    for (event, body) in [
        ("push", &strange_push),
        ("installation", &strange_install),
        ("installation", &enterprise),
        ("github_app_authorization", &nobody),
    ] {
        let answer = server.send(Request::of(event, body).bytes()).await;
        assert_eq!((answer.status, answer.body.as_str()), (202, "Not for this server.\n"), "{event}");
    }
    assert_eq!(server.rows().await, (0, 0));
    assert_eq!(server.receiver.intake().counts().unlisted, 4);
    server.finish().await.unwrap();
}

/// GitHub may tell of a transfer to those whom the repository leaves, too: under
/// its new owner, and by their installation.
#[rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test]
async fn what_leaves_an_account_of_ours_is_heard_of_under_its_new_owner(#[case] database: Database) {
    let server = Server::start(database, PATIENT).await;
    let told = json!({
        "action": "transferred", "changes": {"owner": {"from": {"organization": {"id": 2, "login": "agency"}}}},
        "repository": {"id": 7, "full_name": "elsewhere/site", "owner": {"id": 66, "login": "elsewhere"}},
        "organization": {"id": 66, "login": "elsewhere"}, "installation": {"id": 3}, "sender": {"id": 5},
    });
    let delivery = || Request::of("repository", &told).bytes();
    assert_eq!(server.send(delivery()).await.body, "Not for this server.\n", "nobody's we know");
    let known = Installation {
        id: InstallationId(3),
        account: AccountId(2),
        login: "agency".to_owned(),
        suspended_at: None,
        removed_at: None,
        seen_at: NOW.parse().unwrap(),
        permissions: None,
    };
    server.store.see_installation(&known).await.unwrap();
    assert_eq!(server.send(delivery()).await.body, "Stored.\n");
    assert_eq!(server.rows().await, (1, 1));
    server.store.remove_installation(known.id, known.seen_at).await.unwrap();
    assert_eq!(server.send(delivery()).await.body, "Not for this server.\n", "ours no more");
    server.finish().await.unwrap();
}

#[rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test]
async fn what_asks_for_nothing_is_stored_without_a_job(#[case] database: Database) {
    let server = Server::start(database, PATIENT).await;
    let mut ours = push();
    ours["sender"] = json!({"id": BOT, "login": "muster[bot]", "type": "Bot"});
    let mut to_come = push();
    to_come["action"] = json!("an_action_to_come");
    for (event, body) in [
        (
            "ping",
            &json!({"zen": "Keep it logically awesome.", "hook_id": 1, "hook": {"type": "App", "app_id": 4}}),
        ),
        ("an_event_to_come", &to_come),
        ("push", &ours),
    ] {
        let answer = server.send(Request::of(event, body).bytes()).await;
        assert_eq!((answer.status, answer.body.as_str()), (202, "Stored.\n"), "{event}");
    }
    assert_eq!(server.rows().await, (3, 0));
    server.finish().await.unwrap();
}

#[rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test]
async fn without_a_database_the_sender_is_asked_to_come_again(#[case] database: Database) {
    let server = Server::start(database, PATIENT).await;
    assert_eq!(server.send("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").await.status, 200);
    server.store.close().await;
    let answer = server.send(Request::of("push", &push()).bytes()).await;
    assert_eq!(answer.status, 503);
    assert!(answer.head.contains("\r\nretry-after: "), "{}", answer.head);
    let ready = server.send("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(ready.status, 503);
    assert_eq!(
        ready.body,
        r#"{"status":"not ready","database":"unavailable","worker":"ok","writing":"unknown"}"#
    );
    assert_eq!(server.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.body, r#"{"status":"ok"}"#);
    server.finish().await.unwrap();
}

#[tokio::test]
async fn every_answer_is_protected_and_tells_no_version() {
    let server = Server::start(Database::Sqlite, PATIENT).await;
    for request in [
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /webhook HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /webhook HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let answer = server.send(request).await;
        for header in [
            "content-security-policy: default-src 'none'; ",
            "strict-transport-security: max-age=31536000; includesubdomains",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-resource-policy: same-origin",
            "permissions-policy:",
            "cache-control: no-store",
        ] {
            assert!(
                answer.head.contains(&format!("\r\n{header}")),
                "{request:?} lacks {header}: {}",
                answer.head
            );
        }
        assert!(!answer.head.contains("\r\nserver:"), "{}", answer.head);
        assert!(!answer.body.contains(env!("CARGO_PKG_VERSION")), "{}", answer.body);
    }
    server.finish().await.unwrap();
}

#[tokio::test]
async fn what_is_in_flight_is_finished_when_told_to_stop() {
    let server = Server::start(Database::Sqlite, PATIENT).await;
    let delivery = Request::of("push", &push());
    let (half, rest) = delivery.body.split_at(100);
    let mut stream = server.connect().await;
    stream.write_all(&[delivery.head(), half.to_vec()].concat()).await.unwrap();
    // An answer on a younger connection: the older one has been accepted.
    server.send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    server.stop.cancel();
    stream.write_all(rest).await.unwrap();
    assert_eq!(Answer::read(&mut stream).await.status, 202);
    let (address, store) = (server.address, server.store.clone());
    server.finish().await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "it still listens");
    assert_eq!(store.deliveries(&muster::store::DeliveryFilter::default(), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn one_connection_carries_many_deliveries() {
    let server = Server::start(Database::Sqlite, PATIENT).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(&Request::of("push", &push()).bytes()).await.unwrap();
        assert_eq!(Answer::read(&mut stream).await.status, 202);
    }
    assert_eq!(server.rows().await, (3, 1));
    drop(stream);
    server.finish().await.unwrap();
}
