//! The least a durable receiver can do, written as one would without Muster.

use axum::{Router, body::Bytes, extract::State, routing::post};
use hmac::{Hmac, Mac};
use http::{HeaderMap, StatusCode};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::oneshot;

const TABLES: &str = include_str!("../../src/store/migrations/0001_walk.sql");

struct Delivery {
    guid: String,
    event: String,
    installation: i64,
    repository: i64,
    digest: [u8; 32],
    received_at: i64,
    body: Bytes,
    committed: oneshot::Sender<()>,
}

#[derive(serde::Deserialize)]
struct Push {
    installation: Id,
    repository: Id,
}

#[derive(serde::Deserialize)]
struct Id {
    id: i64,
}

pub(super) async fn serve(database: &str) {
    let (sender, receiver) = channel();
    let path = Path::new(database).to_owned();
    std::thread::spawn(move || write(&path, &receiver));
    let router = Router::new().route("/webhook", post(take)).with_state(sender);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    super::say(listener.local_addr().expect("it is bound"));
    axum::serve(listener, router).await.expect("it serves");
}

async fn take(State(writer): State<Sender<Delivery>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut mac = Hmac::<Sha256>::new_from_slice(super::SECRET.as_bytes()).expect("any key will do");
    mac.update(&body);
    let signature: Vec<u8> = header("x-hub-signature-256")
        .trim_start_matches("sha256=")
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    if mac.verify_slice(&signature).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(push) = serde_json::from_slice::<Push>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let (committed, wait) = oneshot::channel();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    let delivery = Delivery {
        guid: header("x-github-delivery").to_owned(),
        event: header("x-github-event").to_owned(),
        installation: push.installation.id,
        repository: push.repository.id,
        digest: Sha256::digest(&body).into(),
        received_at: i64::try_from(since.as_millis()).expect("it is before the year 292 million"),
        body,
        committed,
    };
    if writer.send(delivery).is_err() || wait.await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    StatusCode::ACCEPTED
}

/// One thread writes in groups as Muster's task does: what came within 2 ms,
/// 256 at most, without waiting for more than came the last time.
fn write(path: &Path, deliveries: &Receiver<Delivery>) {
    let mut database = Connection::open(path).expect("the database opens");
    database
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        .expect("it is set up");
    database.execute_batch(TABLES).expect("the tables are made");
    let mut usual = 1;
    while let Ok(first) = deliveries.recv() {
        let close = Instant::now() + Duration::from_millis(2);
        let mut group = vec![first];
        while group.len() < 256 {
            let wait = if group.len() < usual {
                close.saturating_duration_since(Instant::now())
            } else {
                Duration::ZERO
            };
            let Ok(delivery) = deliveries.recv_timeout(wait) else { break };
            group.push(delivery);
        }
        usual = group.len();
        let transaction = database.transaction().expect("it begins");
        for delivery in &group {
            store(&transaction, delivery).expect("it stores");
        }
        transaction.commit().expect("it commits");
        for delivery in group {
            // Whoever hung up needs no answer.
            let _ = delivery.committed.send(());
        }
    }
}

fn store(transaction: &rusqlite::Transaction<'_>, delivery: &Delivery) -> rusqlite::Result<()> {
    let added = transaction
        .prepare_cached(
            "INSERT INTO delivery \
             (guid, event, action, installation, repository, digest, known_body, received_at, body) \
             VALUES (?1, ?2, NULL, ?3, ?4, ?5, \
                 (SELECT COUNT(*) > 0 FROM delivery AS earlier WHERE earlier.digest = ?5), ?6, ?7) \
             ON CONFLICT (guid) DO NOTHING",
        )?
        .execute(params![
            delivery.guid,
            delivery.event,
            delivery.installation,
            delivery.repository,
            delivery.digest,
            delivery.received_at,
            &delivery.body[..],
        ])?;
    if added > 0 {
        transaction
            .prepare_cached(
                "INSERT INTO work (kind, subject, installation, priority, run_at, cause, enqueued_at, \
                     generation, leased_generation, fence, attempts) \
                 VALUES ('inspect_repository', ?1, ?2, 1, ?3, 'push', ?4, 1, 0, 0, 0) \
                 ON CONFLICT (kind, subject) DO UPDATE SET generation = work.generation + 1, \
                     run_at = MIN(work.run_at, excluded.run_at)",
            )?
            .execute(params![
                delivery.repository,
                delivery.installation,
                delivery.received_at + 60_000,
                delivery.received_at,
            ])?;
    }
    Ok(())
}
