//! Sending a delivery over real HTTP, with GitHub's headers and signatures.

use bytes::Bytes;
use hmac::{Hmac, Mac as _};
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Map, Value, json};

use crate::sandbox::Sandbox;
use crate::state::{Attempt, Delivery, State};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `X-Hub-Signature-256`: HMAC-SHA256 of the body, as `sha256=<hex>`.
pub(crate) fn signature(secret: &[u8], body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).expect("a key of any length will do");
    mac.update(body);
    format!("sha256={}", hex(&mac.finalize().into_bytes()))
}

/// `X-Hub-Signature`: the same with SHA-1, still sent by GitHub.
fn old_signature(secret: &[u8], body: &[u8]) -> String {
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(secret).expect("a key of any length will do");
    mac.update(body);
    format!("sha1={}", hex(&mac.finalize().into_bytes()))
}

fn headers(state: &State, delivery: &Delivery) -> Vec<(&'static str, String)> {
    let app = state.app();
    let mut headers = vec![
        ("Accept", "*/*".to_owned()),
        ("Content-Type", "application/json".to_owned()),
        ("User-Agent", "GitHub-Hookshot/5a4d0b0".to_owned()),
        ("X-GitHub-Delivery", delivery.guid.clone()),
        ("X-GitHub-Event", delivery.event.clone()),
        ("X-GitHub-Hook-ID", app.id.to_string()),
        ("X-GitHub-Hook-Installation-Target-ID", app.id.to_string()),
        ("X-GitHub-Hook-Installation-Target-Type", "integration".to_owned()),
    ];
    if let Some(version) = state.flavor.version() {
        let host = state.urls.web.split_once("://").map_or("", |(_, host)| host);
        headers.push(("X-GitHub-Enterprise-Version", version.to_owned()));
        headers.push(("X-GitHub-Enterprise-Host", host.to_owned()));
    }
    if let Some(secret) = &app.webhook_secret {
        let (secret, body) = (secret.as_bytes(), delivery.payload.as_bytes());
        headers.push(("X-Hub-Signature", old_signature(secret, body)));
        headers.push(("X-Hub-Signature-256", signature(secret, body)));
    }
    headers
}

/// Sends one delivery and tells how it went. GitHub never tries again.
pub(crate) async fn send(sandbox: &Sandbox, delivery: &Delivery) -> Attempt {
    let (url, headers, at) =
        sandbox.state(|state| (state.app().hook_url.clone(), headers(state, delivery), state.now()));
    let shown: Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let begun = std::time::Instant::now();
    let outcome = post(url.as_deref(), headers, delivery.payload.clone()).await;
    let (status_code, status, response_body) = match outcome {
        Ok((code, body)) if (200..300).contains(&code) => (code, "OK".to_owned(), Some(body)),
        Ok((code, body)) => (code, format!("Invalid HTTP Response: {code}"), Some(body)),
        Err(problem) => (0, problem, None),
    };
    let duration = begun.elapsed().as_secs_f64();
    Attempt { at, duration, status_code, status, request_headers: shown, response_body }
}

async fn post(
    url: Option<&str>,
    headers: Vec<(&'static str, String)>,
    body: String,
) -> Result<(u16, String), String> {
    let mut request = Request::post(url.unwrap_or_default());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request
        .header(header::CONTENT_LENGTH, body.len())
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| error.to_string())?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    // GitHub gives a receiver ten seconds.
    let answer = tokio::time::timeout(std::time::Duration::from_secs(10), client.request(request));
    let answer = answer.await.map_err(|_| "timed out")?.map_err(|_| "failed to connect to host")?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.map_err(|error| error.to_string())?;
    Ok((status, String::from_utf8_lossy(&body.to_bytes()).into_owned()))
}
