//! One HTTP exchange, over octocrab.
//!
//! Promises: (1) a request goes to the configured origin and nowhere else, so
//! its token does too; (2) exactly one attempt: octocrab's own retries,
//! redirects and cache are not in the stack; (3) an answer is bounded in time
//! and size; (4) a request that never left is told from one whose answer was
//! lost.

use std::{error::Error as _, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper_util::{client::legacy, rt::TokioExecutor};
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{
    endpoints::Endpoints,
    error::{Error, Result},
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
    NotSent,
    /// The connection or the answer broke off, or took too long.
    Lost,
    /// More than Muster reads.
    TooLarge,
    /// A redirect out of the configured origin, or in a circle.
    Elsewhere,
}

/// One request.
pub(super) struct Request<'a> {
    pub(super) method: Method,
    /// Absolute, made by [`Endpoints`].
    pub(super) uri: String,
    pub(super) token: &'a SecretString,
    pub(super) body: Option<&'a Value>,
}

/// The connections to one GitHub.
pub(super) struct Transport {
    octocrab: Octocrab,
    endpoints: Endpoints,
}

impl Transport {
    /// # Errors
    /// [`Error::Permanent`] if this machine has no root certificates.
    pub(super) fn new(endpoints: Endpoints) -> Result<Transport> {
        let patience = endpoints.patience();
        let builder =
            OctocrabBuilder::new().set_connect_timeout(Some(CONNECT)).set_read_timeout(Some(patience));
        let connector = builder.set_connect_timeout_service(connector(&endpoints)?);
        let client: legacy::Client<_, octocrab::OctoBody> =
            legacy::Client::builder(TokioExecutor::new()).build(connector);
        let octocrab =
            match OctocrabBuilder::new_empty().with_service(client).with_auth(AuthState::None).build() {
                Ok(octocrab) => octocrab,
                Err(never) => match never {},
            };
        Ok(Transport { octocrab, endpoints })
    }

    /// Sends once; a read follows GitHub's redirects within the origin (a
    /// renamed repository answers with one).
    pub(super) async fn send(&self, request: Request<'_>) -> std::result::Result<Answer, Fault> {
        let exchange = async {
            let mut uri = request.uri.clone();
            for _ in 0..=MAX_REDIRECTS {
                let answer = self.once(&request, &uri).await?;
                let follows = request.method == Method::GET && answer.status.is_redirection();
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
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", request.token.expose_secret()))
            .map_err(|_| Fault::NotSent)?;
        bearer.set_sensitive(true);
        let builder = http::Request::builder()
            .method(request.method.clone())
            .uri(uri)
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", API_VERSION)
            .header(header::AUTHORIZATION, bearer);
        let built = self.octocrab.build_request(builder, request.body).map_err(|_| Fault::NotSent)?;
        let answer = self.octocrab.execute(built).await.map_err(|error| fault(&error))?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, MAX_ANSWER)
            .collect()
            .await
            .map_err(|error| if error.is::<LengthLimitError>() { Fault::TooLarge } else { Fault::Lost })?;
        Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
    }
}

/// Whether the request had left when it failed.
fn fault(error: &octocrab::Error) -> Fault {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect) {
            return Fault::NotSent;
        }
        cause = error.source();
    }
    Fault::Lost
}

type Connector = hyper_rustls::HttpsConnector<legacy::connect::HttpConnector>;

fn connector(endpoints: &Endpoints) -> Result<Connector> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = hyper_rustls::HttpsConnectorBuilder::new();
    // Loopback needs no certificates, and a machine may have none.
    if endpoints.plain() {
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Permanent(format!("TLS cannot be set up: {error}")))?
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        return Ok(builder.with_tls_config(tls).https_or_http().enable_http1().build());
    }
    let builder = builder.with_provider_and_native_roots(provider).map_err(|error| {
        Error::Permanent(format!(
            "no root certificates on this machine ({error}): install its ca-certificates package"
        ))
    })?;
    Ok(builder.https_or_http().enable_http1().build())
}
