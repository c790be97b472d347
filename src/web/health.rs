//! Whether the process lives, and whether it can do its work.

use std::{sync::Arc, sync::atomic::AtomicBool, sync::atomic::Ordering, time::Duration};

use axum::{Json, extract::State};
use http::StatusCode;
use serde::Serialize;
use tokio::time::timeout;

use crate::store::Store;

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

/// `ready`, or which part is not: `ok`, `unavailable` or `stopped`.
#[derive(Debug, Serialize)]
pub(super) struct Ready {
    status: &'static str,
    database: &'static str,
    worker: &'static str,
    /// `on`, or `paused` where it is stopped for all or for some; `unknown`
    /// without a database. Not a reason to be not ready: deliveries are taken.
    writing: &'static str,
}

/// 200 if deliveries can be stored and will be worked on, else 503.
pub(super) async fn ready(State(health): State<Health>) -> (StatusCode, Json<Ready>) {
    let database = match timeout(PATIENCE, health.store.alive()).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database does not answer the readiness check");
            false
        }
        Err(_) => {
            tracing::warn!("the database does not answer the readiness check in time");
            false
        }
    };
    let worker = health.worker.is_alive();
    let (status, word) = if database && worker {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    let ready = Ready {
        status: word,
        database: if database { "ok" } else { "unavailable" },
        worker: if worker { "ok" } else { "stopped" },
        writing: if database { writing(&health).await } else { "unknown" },
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
