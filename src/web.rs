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

use crate::store::Store;

mod answer;
mod body;
mod connections;
mod health;
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
    store: Store,
    receiver: Option<Receiver>,
    worker: WorkerAlive,
    limits: Limits,
) -> Router {
    let webhook = match receiver {
        Some(receiver) => Router::new()
            .route("/webhook", post(webhook::deliver).with_state(webhook::Intake::new(receiver, limits))),
        None => Router::new(),
    };
    webhook
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready).with_state(health::Health::new(store, worker)))
        .fallback(|| async { (StatusCode::NOT_FOUND, "There is nothing here.\n") })
}
