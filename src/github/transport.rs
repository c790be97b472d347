//! One HTTP exchange, over octocrab.
//!
//! Promises: (1) a request goes to the configured origin and nowhere else, so
//! its token does too (threats O2); (2) exactly one attempt: octocrab's own retries,
//! redirects and cache are not in the stack; (3) an answer is bounded in time
//! and size; (4) a request that never left is told from one whose answer was
//! lost.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper_util::{client::legacy, rt::TokioExecutor};
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{
    endpoints::Endpoints,
    error::Result,
    network::{Unreached, unreached},
};

/// The version of the REST API Muster is written for.
const API_VERSION: &str = "2022-11-28";
const USER_AGENT: &str = concat!("muster/", env!("CARGO_PKG_VERSION"));
const CONNECT: Duration = Duration::from_secs(10);
const MAX_ANSWER: usize = 32 * 1024 * 1024;
const MAX_REDIRECTS: usize = 3;

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// GitHub's `message`, for sorting; empty if there is none.
    pub(super) fn message(&self) -> String {
        #[derive(serde::Deserialize, Default)]
        #[serde(default)]
        struct Words {
            message: String,
            errors: Vec<Value>,
        }
        let words: Words = serde_json::from_slice(&self.body).unwrap_or_default();
        let mut text = words.message;
        for error in &words.errors {
            if let Some(part) = error.get("message").or(error.get("code")).unwrap_or(error).as_str() {
                text.push_str(": ");
                text.push_str(part);
            }
        }
        text
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// No connection: GitHub has not seen the request.
    NotSent(Unreached),
    /// The connection or the answer broke off, or took too long.
    Lost,
    /// More than Muster reads.
    TooLarge,
    /// A redirect out of the API, or in a circle.
    Elsewhere,
}

/// One request.
pub(super) struct Request<'a> {
    pub(super) method: Method,
    /// Absolute, made by [`Endpoints`].
    pub(super) uri: String,
    /// None for what anybody may ask.
    pub(super) token: Option<&'a SecretString>,
    pub(super) body: Option<&'a Value>,
    /// Whether a read goes on to where it is sent; else that is the answer.
    pub(super) follows: bool,
}

/// The connections to one GitHub.
pub(super) struct Transport {
    octocrab: Octocrab,
    endpoints: Endpoints,
}

impl Transport {
    /// # Errors
    /// [`Permanent`](super::Error::Permanent) if this machine has no root
    /// certificates.
    pub(super) fn new(endpoints: Endpoints) -> Result<Transport> {
        let patience = endpoints.patience();
        let builder =
            OctocrabBuilder::new().set_connect_timeout(Some(CONNECT)).set_read_timeout(Some(patience));
        let connector =
            builder.set_connect_timeout_service(endpoints.network().connector(endpoints.plain())?);
        let client: legacy::Client<_, octocrab::OctoBody> =
            legacy::Client::builder(TokioExecutor::new()).build(connector);
        let octocrab =
            match OctocrabBuilder::new_empty().with_service(client).with_auth(AuthState::None).build() {
                Ok(octocrab) => octocrab,
                Err(never) => match never {},
            };
        Ok(Transport { octocrab, endpoints })
    }

    /// Sends once; a read follows GitHub's redirects at the configured origin
    /// (a renamed repository answers with one).
    pub(super) async fn send(&self, request: Request<'_>) -> std::result::Result<Answer, Fault> {
        let exchange = async {
            let mut uri = request.uri.clone();
            for _ in 0..=MAX_REDIRECTS {
                let answer = self.once(&request, &uri).await?;
                let follows =
                    request.follows && request.method == Method::GET && answer.status.is_redirection();
                let location = answer.headers.get(header::LOCATION).filter(|_| follows);
                let Some(location) = location else { return Ok(answer) };
                let within = location.to_str().ok().and_then(|named| self.endpoints.within(named));
                uri = self.endpoints.rest(&within.ok_or(Fault::Elsewhere)?);
            }
            Err(Fault::Elsewhere)
        };
        tokio::time::timeout(self.endpoints.patience(), exchange).await.unwrap_or(Err(Fault::Lost))
    }

    async fn once(&self, request: &Request<'_>, uri: &str) -> std::result::Result<Answer, Fault> {
        // What cannot be said in a header or a body never leaves.
        let unsaid = Fault::NotSent(Unreached::Host);
        let mut builder = http::Request::builder()
            .method(request.method.clone())
            .uri(uri)
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", API_VERSION);
        if let Some(token) = request.token {
            let bearer = format!("Bearer {}", token.expose_secret());
            let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| unsaid)?;
            bearer.set_sensitive(true);
            builder = builder.header(header::AUTHORIZATION, bearer);
        }
        let built = self.octocrab.build_request(builder, request.body).map_err(|_| unsaid)?;
        let sent = self.octocrab.execute(built).await;
        let answer = sent.map_err(|error| unreached(&error).map_or(Fault::Lost, Fault::NotSent))?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, MAX_ANSWER)
            .collect()
            .await
            .map_err(|error| if error.is::<LengthLimitError>() { Fault::TooLarge } else { Fault::Lost })?;
        Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
    }
}
