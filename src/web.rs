//! What answers over HTTP.
//!
//! Promises: (1) every answer of a handler, a refusal or a panic carries the
//! same protective headers and no version; (2) a panic in one request ends
//! that request, not the process, and shows nobody what it was about;
//! (3) whatever is not a route is 404, with the same bytes for everything.

use std::any::Any;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{jobs::intake, metrics::Metrics};

mod body;
mod connections;
mod health;
mod metrics;
mod receiver;
mod server;
mod webhook;

pub use body::{IN_FLIGHT, LARGEST, SMALL};
pub(crate) use health::WorkerAlive;
pub use receiver::Receiver;
pub use server::Limits;
pub(crate) use server::serve;

/// The headers of every answer (threats, "Secure defaults").
const PROTECTIVE: [(HeaderName, HeaderValue); 9] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
             frame-ancestors 'none'; base-uri 'none'",
        ),
    ),
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("permissions-policy"), HeaderValue::from_static("")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// The routes. Without a receiver there is no webhook.
pub(crate) fn router(
    intake: &intake::Intake,
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
        .route("/readyz", get(health::ready).with_state(health::Health::new(intake.store().clone(), worker)))
        .fallback(|| async { (StatusCode::NOT_FOUND, "There is nothing here.\n") })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(intake.metrics().clone(), count))
        .layer(from_fn(protect))
}

/// The one route of the address for metrics.
pub(crate) fn metrics_router(intake: &intake::Intake) -> Router {
    let (metrics, store) = (intake.metrics().clone(), intake.store().clone());
    metrics::router(metrics::Scraped { metrics, store, clock: intake.clock().clone() })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(protect))
}

/// Counts what is answered, by the route and not by the path that was asked
/// for (threats N8).
async fn count(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    const ROUTES: [&str; 3] = ["/webhook", "/healthz", "/readyz"];
    let path = request.uri().path();
    let route = ROUTES.into_iter().find(|route| *route == path).unwrap_or("none");
    let answer = next.run(request).await;
    metrics.answered(route, answer.status().as_u16());
    answer
}

/// Adds the protective headers, except where a handler has set its own.
async fn protect(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    for (name, value) in PROTECTIVE {
        answer.headers_mut().entry(name).or_insert(value);
    }
    answer
}

/// The panic itself is logged where it happened, by the hook that `main` sets.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong here. It has been logged.\n").into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer_without_its_words() {
        let router = Router::new()
            .route("/", get(|| async { panic!("canary") as &'static str }))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn(protect));
        let answer = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        let body = axum::body::to_bytes(answer.into_body(), 1024).await.unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("canary"));
    }
}
