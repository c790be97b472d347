//! Whether the process lives, and whether it can do its work.

use std::{sync::Arc, sync::atomic::AtomicBool, sync::atomic::Ordering, time::Duration};

use axum::{Json, extract::State};
use http::StatusCode;
use serde::Serialize;
use tokio::time::timeout;

use crate::store::{Store, StoreError};

/// How long the database may take to answer `/readyz`.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the worker runs: raised by whoever runs it. A cheap handle.
#[derive(Debug, Clone, Default)]
pub struct WorkerAlive(Arc<AtomicBool>);

impl WorkerAlive {
    /// Notes that the worker runs, or no longer does.
    pub fn runs(&self, runs: bool) {
        self.0.store(runs, Ordering::Release);
    }

    fn is_alive(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Health {
    store: Store,
    worker: WorkerAlive,
}

impl Health {
    pub(super) fn new(store: Store, worker: WorkerAlive) -> Health {
        Health { store, worker }
    }
}

/// `{"status": "ok"}` as long as the process answers at all.
#[derive(Debug, Serialize)]
pub(super) struct Live {
    status: &'static str,
}

pub(super) async fn live() -> Json<Live> {
    Json(Live { status: "ok" })
}

/// `ready`, or which part is not: the database `ok`, `unavailable`, or `newer`
/// than this program; the worker `ok`, `stopped`, or `waiting` to be replaced.
#[derive(Debug, Serialize)]
pub(super) struct Ready {
    status: &'static str,
    database: &'static str,
    worker: &'static str,
    /// `on`, or `paused` where it is stopped for all or for some; `unknown`
    /// without a database. Not a reason to be not ready: deliveries are taken.
    writing: &'static str,
}

/// How the database stands to this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Database {
    Fits,
    Newer,
    Away,
}

impl Database {
    async fn ask(store: &Store) -> Database {
        match timeout(PATIENCE, store.alive()).await {
            Ok(Ok(())) => Database::Fits,
            Ok(Err(error @ StoreError::Newer { .. })) => {
                tracing::warn!(%error, "this replica takes deliveries only, until it is replaced");
                Database::Newer
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the database does not answer the readiness check");
                Database::Away
            }
            Err(_) => {
                tracing::warn!("the database does not answer the readiness check in time");
                Database::Away
            }
        }
    }
}

/// 200 if deliveries can be stored and somebody will work on them, else 503. A
/// replica that is older than the schema stays ready: it stores what comes
/// until it is replaced, and its newer neighbours do the work.
pub(super) async fn ready(State(health): State<Health>) -> (StatusCode, Json<Ready>) {
    let database = Database::ask(&health.store).await;
    let alive = health.worker.is_alive();
    let (status, word) = match database {
        Database::Fits | Database::Newer if alive => (StatusCode::OK, "ready"),
        Database::Fits | Database::Newer | Database::Away => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    let ready = Ready {
        status: word,
        database: match database {
            Database::Fits => "ok",
            Database::Newer => "newer",
            Database::Away => "unavailable",
        },
        worker: match database {
            Database::Newer if alive => "waiting",
            Database::Fits | Database::Away if alive => "ok",
            Database::Fits | Database::Newer | Database::Away => "stopped",
        },
        writing: match database {
            Database::Fits | Database::Newer => writing(&health).await,
            Database::Away => "unknown",
        },
    };
    (status, Json(ready))
}

async fn writing(health: &Health) -> &'static str {
    match timeout(PATIENCE, health.store.pauses()).await {
        Ok(Ok(pauses)) if pauses.is_empty() => "on",
        Ok(Ok(_)) => "paused",
        Ok(Err(_)) | Err(_) => "unknown",
    }
}
