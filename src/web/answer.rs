//! How every request is answered, whatever its handler does.
//!
//! Promises: (1) an answer, a refusal or a panic carries the same protective
//! headers, except where a handler has set its own; (2) a panic in one request
//! ends that request, not the process, and shows nobody what it was about; (3)
//! what is counted is the answer that goes out.

use std::{mem, panic::AssertUnwindSafe, sync::LazyLock};

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tower::ServiceExt;

use crate::metrics::Metrics;

/// The headers of every answer (threats, "Secure defaults").
static PROTECTIVE: LazyLock<HeaderMap> = LazyLock::new(|| {
    let values = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
             frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), ""),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    values.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
});

/// The routes that are counted by their name; whatever else is asked for counts
/// as `none`, so that a path that somebody made up is no series (threats N8).
const ROUTES: [&str; 5] = ["/webhook", "/healthz", "/readyz", "/code.json", "/agency-index.json"];

/// Answers one request, and counts it if `counting` says where.
pub(super) async fn answer(router: Router, counting: Option<&Metrics>, request: Request) -> Response {
    let path = request.uri().path();
    let route = ROUTES.into_iter().find(|route| *route == path).unwrap_or("none");
    // What a panic leaves behind is this request, which nobody sees again.
    let mut answer = match AssertUnwindSafe(router.oneshot(request)).catch_unwind().await {
        Ok(Ok(answer)) => answer,
        // The panic itself is logged where it happened, by the hook that `main` sets.
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong here. It has been logged.\n")
            .into_response(),
    };
    let own = mem::replace(answer.headers_mut(), PROTECTIVE.clone());
    answer.headers_mut().extend(own);
    if let Some(metrics) = counting {
        metrics.answered(route, answer.status().as_u16());
    }
    answer
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, routing::get};

    use super::*;

    async fn of(router: Router) -> Response {
        answer(router, None, Request::get("/").body(Body::empty()).unwrap()).await
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_without_its_words() {
        let answer = of(Router::new().route("/", get(|| async { panic!("canary") as &'static str }))).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        let body = axum::body::to_bytes(answer.into_body(), 1024).await.unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("canary"));
    }

    #[tokio::test]
    async fn a_handler_may_set_a_header_of_its_own() {
        let own = || async { ([(header::CACHE_CONTROL, "max-age=60")], "page") };
        let answer = of(Router::new().route("/", get(own))).await;
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "max-age=60");
        assert_eq!(answer.headers().get_all(header::CACHE_CONTROL).iter().count(), 1);
        assert_eq!(answer.headers()[header::X_FRAME_OPTIONS], "DENY");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
    }
}
