//! A plain client, and a small GitHub to ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::{Builder, Sandbox, app, installation, org, repository};

/// A clock a test moves.
#[derive(Clone)]
pub(super) struct Stepped(Arc<AtomicI64>);

impl Stepped {
    pub(super) fn new() -> Stepped {
        Stepped(Arc::new(AtomicI64::new(1_790_000_000)))
    }

    pub(super) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// `agency` with `site` (public) and `secret` (private); olivia owns it.
pub(super) fn agency(clock: &Stepped) -> Builder {
    let clock = clock.clone();
    Sandbox::builder()
        .clock(Arc::new(move || clock.now()))
        .app(app("checker"))
        .organization(
            org("agency")
                .owner("olivia")
                .repository(repository("site").file("README.md", "# Site\n"))
                .repository(repository("secret").private().file("README.md", "# Secret\n")),
        )
        .user("mallory")
}

pub(super) async fn start() -> (Sandbox, Stepped) {
    let clock = Stepped::new();
    let sandbox = agency(&clock).installation(installation("agency")).start().await.unwrap();
    (sandbox, clock)
}

pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

/// Sends a request; `None` when the connection broke.
pub(super) async fn try_ask(method: &str, url: &str, token: &str, body: Option<&Value>) -> Option<Reply> {
    let mut request = Request::builder().method(method).uri(url).header("user-agent", "a test");
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request.body(Full::new(body)).unwrap()).await.ok()?;
    let (parts, body) = answer.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    Some(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
}

pub(super) async fn ask(
    sandbox: &Sandbox,
    method: &str,
    path: &str,
    token: &str,
    body: Option<Value>,
) -> Reply {
    let url = format!("{}{path}", sandbox.api_url());
    try_ask(method, &url, token, body.as_ref()).await.unwrap()
}

pub(super) async fn get(sandbox: &Sandbox, path: &str, token: &str) -> Reply {
    ask(sandbox, "GET", path, token, None).await
}

pub(super) fn sign(sandbox: &Sandbox, claims: &Value) -> String {
    let key = EncodingKey::from_rsa_pem(sandbox.private_key().as_bytes()).unwrap();
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key).unwrap()
}

pub(super) fn jwt(sandbox: &Sandbox) -> String {
    let now = sandbox.state(|state| state.now().as_second());
    sign(sandbox, &json!({ "iat": now - 60, "exp": now + 300, "iss": sandbox.client_id() }))
}

/// An installation token, narrowed by `request`.
pub(super) async fn mint(sandbox: &Sandbox, request: Value) -> Reply {
    let id = sandbox.installation_id("agency");
    let path = format!("/app/installations/{id}/access_tokens");
    ask(sandbox, "POST", &path, &jwt(sandbox), Some(request)).await
}

pub(super) async fn token(sandbox: &Sandbox) -> String {
    mint(sandbox, json!({})).await.body["token"].as_str().unwrap().to_owned()
}
