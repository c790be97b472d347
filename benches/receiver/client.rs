//! 32 connections that send signed pushes one after the other.

use hmac::{Hmac, Mac};
use serde_json::json;
use std::net::SocketAddr;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 32;
/// Pushes a connection sends while the time is taken.
const PUSHES: usize = 150;
/// Pushes a connection sends before.
const WARM_UP: usize = 20;

/// All deliveries of one run, those before the time is taken among them.
pub(super) const DELIVERIES: usize = CONNECTIONS * (WARM_UP + PUSHES);

/// Sends all pushes; answers how many a second were taken.
pub(super) async fn drive(address: SocketAddr, run: usize) -> f64 {
    let mut connections = Vec::new();
    for number in 0..CONNECTIONS {
        let requests: Vec<Vec<u8>> =
            (0..WARM_UP + PUSHES).map(|push| request(run * 1_000_000 + number * 1000 + push)).collect();
        connections.push((TcpStream::connect(address).await.expect("it accepts"), requests));
    }
    let mut warm = Vec::new();
    for (mut socket, mut requests) in connections {
        warm.push(tokio::spawn(async move {
            let timed = requests.split_off(WARM_UP);
            send(&mut socket, &requests).await;
            (socket, timed)
        }));
    }
    let mut ready = Vec::new();
    for connection in warm {
        ready.push(connection.await.expect("it warms up"));
    }
    let start = Instant::now();
    let senders: Vec<_> = ready
        .into_iter()
        .map(|(mut socket, requests)| tokio::spawn(async move { send(&mut socket, &requests).await }))
        .collect();
    for sender in senders {
        sender.await.expect("it sends");
    }
    (CONNECTIONS * PUSHES) as f64 / start.elapsed().as_secs_f64()
}

async fn send(socket: &mut TcpStream, requests: &[Vec<u8>]) {
    let mut answer = Vec::new();
    for request in requests {
        socket.write_all(request).await.expect("it reads");
        answer.clear();
        while !complete(&answer) {
            let read = socket.read_buf(&mut answer).await.expect("it answers");
            assert!(read > 0, "it hung up");
        }
        assert!(answer.starts_with(b"HTTP/1.1 202"), "{}", String::from_utf8_lossy(&answer));
    }
}

/// Whether head and body of an answer are here. Cheap, since what the client
/// spends is missing to the server.
fn complete(answer: &[u8]) -> bool {
    let mut headers = [httparse::EMPTY_HEADER; 24];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(end) = head.parse(answer).expect("it speaks HTTP") else {
        return false;
    };
    let length: usize = head
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok())
        .expect("the answer says how long it is");
    answer.len() >= end + length
}

fn request(number: usize) -> Vec<u8> {
    let body = push(number);
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(super::SECRET.as_bytes()).expect("any key will do");
    mac.update(body.as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut request = format!(
        "POST /webhook HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nx-github-event: push\r\n\
         x-github-delivery: 00000000-0000-4000-8000-{number:012x}\r\nx-hub-signature-256: sha256={signature}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body.as_bytes());
    request
}

/// A push to one of twenty repositories that touches a README, in the shape
/// GitHub sends and of the size it usually has.
fn push(number: usize) -> String {
    let repository = number % 20;
    let oid = |salt: usize| format!("{:040x}", number * 100 + salt);
    let person = json!({"name": "A Person", "email": "person@agency.example", "username": "person"});
    let commits: Vec<_> = (0..14)
        .map(|commit| {
            json!({
                "id": oid(commit),
                "tree_id": oid(commit + 20),
                "distinct": true,
                "message": format!("Explain step {commit} of the set-up to those who come new\n\nIt was not clear."),
                "timestamp": "2026-03-02T10:00:00-05:00",
                "url": format!("https://github.com/agency/site-{repository}/commit/{}", oid(commit)),
                "author": person,
                "committer": person,
                "added": [format!("docs/step-{commit}.md")],
                "removed": [],
                "modified": ["README.md", format!("src/step_{commit}.rs")],
            })
        })
        .collect();
    json!({
        "ref": "refs/heads/main",
        "before": oid(50),
        "after": oid(51),
        "created": false,
        "deleted": false,
        "forced": false,
        "compare": format!("https://github.com/agency/site-{repository}/compare/a...b"),
        "head_commit": commits[13],
        "commits": commits,
        "pusher": {"name": "person", "email": "person@agency.example"},
        "sender": {"login": "person", "id": 40, "type": "User", "site_admin": false},
        "installation": {"id": 5, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uNQ=="},
        "organization": {"login": "agency", "id": 10},
        "repository": {
            "id": 1000 + repository,
            "node_id": format!("R_{repository}"),
            "name": format!("site-{repository}"),
            "full_name": format!("agency/site-{repository}"),
            "private": false,
            "visibility": "public",
            "archived": false,
            "fork": false,
            "default_branch": "main",
            "owner": {"login": "agency", "id": 10, "type": "Organization"},
        },
    })
    .to_string()
}
