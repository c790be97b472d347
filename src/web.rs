//! What answers over HTTP.
//!
//! Promises: (1) every answer carries the same protective headers and no
//! version (`answer`); (2) whatever is not a route is 404, with the same bytes
//! for everything.

use axum::{
    Router,
    routing::{get, post},
};
use http::StatusCode;

use crate::{domain::inventory::Agency, jobs::intake};

mod answer;
mod body;
mod connections;
mod health;
mod inventory;
mod metrics;
mod receiver;
mod server;
mod webhook;

pub use body::{IN_FLIGHT, LARGEST, SMALL};
pub(crate) use health::WorkerAlive;
pub use receiver::Receiver;
pub use server::Limits;
pub(crate) use server::serve;

/// The routes. Without a receiver there is no webhook.
pub(crate) fn router(
    intake: &intake::Intake,
    receiver: Option<Receiver>,
    worker: WorkerAlive,
    agencies: &[Agency],
    limits: Limits,
) -> Router {
    let webhook = match receiver {
        Some(receiver) => Router::new()
            .route("/webhook", post(webhook::deliver).with_state(webhook::Intake::new(receiver, limits))),
        None => Router::new(),
    };
    webhook
        .merge(inventory::router(intake.store().clone(), agencies))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready).with_state(health::Health::new(intake.store().clone(), worker)))
        .fallback(|| async { (StatusCode::NOT_FOUND, "There is nothing here.\n") })
}

/// The one route of the address for metrics.
pub(crate) fn metrics_router(intake: &intake::Intake) -> Router {
    let (metrics, store) = (intake.metrics().clone(), intake.store().clone());
    metrics::router(metrics::Scraped { metrics, store, clock: intake.clock().clone() })
}
