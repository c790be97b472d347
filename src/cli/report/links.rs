//! Whether the pages that an agency attests are there.
//!
//! Promises (threats O1, O2, O9): (1) only https, verified, at the usual port;
//! (2) a name is resolved once, addresses that are not public are refused, and
//! the connection goes to what is left; so after each redirect, of which there
//! are three at most; (3) no credentials are sent, and of the answer nothing is
//! read but its head; (4) a page takes ten seconds at most.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{
        Client,
        connect::{HttpConnector, dns::Name},
    },
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore};
use tower::Service;

use crate::{
    clock::Clock,
    domain::{
        address::is_public,
        inventory::report::omb::{Attestation, Link},
    },
};

/// How long a page is waited for, with all its redirects.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many redirects are followed.
const REDIRECTS: usize = 3;

/// Asks for pages.
pub(super) struct Checker {
    tls: ClientConfig,
    may: fn(IpAddr) -> bool,
    ports: fn(u16) -> bool,
    patience: Duration,
}

/// Why a page is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Missing {
    #[error("no https address")]
    Address,
    #[error("an address of an inner network: it is not asked for")]
    Inner,
    #[error("the host has no address")]
    Unknown,
    #[error("no verified connection")]
    Unreached,
    #[error("no answer within {} seconds", PATIENCE.as_secs())]
    Slow,
    #[error("more than {REDIRECTS} redirects")]
    Redirects,
    #[error("{0}")]
    Status(StatusCode),
}

impl Checker {
    /// One that believes the authorities of this machine.
    ///
    /// # Errors
    /// If it has none.
    pub(super) fn system() -> anyhow::Result<Checker> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        anyhow::ensure!(
            !roots.is_empty(),
            "no root certificates on this machine: install its ca-certificates package"
        );
        Checker::new(roots, is_public, |port| port == 443)
    }

    fn new(roots: RootCertStore, may: fn(IpAddr) -> bool, ports: fn(u16) -> bool) -> anyhow::Result<Checker> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Checker { tls, may, ports, patience: PATIENCE })
    }

    /// Asks for the page of each attestation that has one.
    pub(super) async fn check(&self, attestations: &mut [Attestation], clock: &Clock) {
        for one in attestations {
            let Some(url) = &one.url else { continue };
            let came = self.page(url).await;
            let (found, says) = match came {
                Ok(status) => (true, status.as_u16().to_string()),
                Err(why) => (false, why.to_string()),
            };
            one.link_checked = true;
            one.link = Some(Link { checked_at: clock.now(), found, says });
        }
    }

    async fn page(&self, url: &str) -> Result<StatusCode, Missing> {
        tokio::time::timeout(self.patience, self.follow(url)).await.unwrap_or(Err(Missing::Slow))
    }

    async fn follow(&self, url: &str) -> Result<StatusCode, Missing> {
        let mut at: Uri = url.parse().map_err(|_| Missing::Address)?;
        for _ in 0..=REDIRECTS {
            let mut answer = self.ask(Method::HEAD, &at).await?;
            // Some servers answer only who wants the page.
            if answer.0.is_client_error() || answer.0.is_server_error() {
                answer = self.ask(Method::GET, &at).await?;
            }
            match answer {
                (status, _) if status.is_success() => return Ok(status),
                (status, Some(location)) if status.is_redirection() => at = moved(&at, &location)?,
                (status, _) => return Err(Missing::Status(status)),
            }
        }
        Err(Missing::Redirects)
    }

    /// Asks once, over a connection of its own; the body is not read.
    async fn ask(&self, method: Method, at: &Uri) -> Result<(StatusCode, Option<HeaderValue>), Missing> {
        let authority = at.authority().filter(|authority| !authority.as_str().contains('@'));
        let host = authority.map(|authority| authority.host()).ok_or(Missing::Address)?;
        if at.scheme_str() != Some("https") || !(self.ports)(at.port_u16().unwrap_or(443)) {
            return Err(Missing::Address);
        }
        // What is an address already is not resolved by anybody.
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if literal.is_ok_and(|address| !(self.may)(address)) {
            return Err(Missing::Inner);
        }
        let mut direct = HttpConnector::new_with_resolver(Guarded(self.may));
        direct.enforce_http(false);
        let connector: HttpsConnector<_> = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(self.tls.clone())
            .https_only()
            .enable_http1()
            .wrap_connector(direct);
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        let request = Request::builder()
            .method(method)
            .uri(at.clone())
            .header(header::USER_AGENT, concat!("muster/", env!("CARGO_PKG_VERSION")))
            .header(header::ACCEPT, "*/*")
            .body(Body::empty())
            .map_err(|_| Missing::Address)?;
        let answer = client.request(request).await.map_err(|error| unreached(&error))?;
        Ok((answer.status(), answer.headers().get(header::LOCATION).cloned()))
    }
}

/// Where a redirect leads: to another address, or a path of this one.
fn moved(from: &Uri, location: &HeaderValue) -> Result<Uri, Missing> {
    let text = location.to_str().map_err(|_| Missing::Address)?;
    let text = text.split('#').next().unwrap_or_default();
    let text = match (from.authority(), text) {
        (Some(authority), path) if path.starts_with('/') && !path.starts_with("//") => {
            format!("https://{authority}{path}")
        }
        (_, whole) => whole.to_owned(),
    };
    text.parse().map_err(|_| Missing::Address)
}

/// Whether the resolver refused, or something else went wrong.
fn unreached(error: &(dyn std::error::Error + 'static)) -> Missing {
    let mut error = Some(error);
    while let Some(one) = error {
        if let Some(missing) = one.downcast_ref::<Missing>() {
            return missing.clone();
        }
        let wrapped = one.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(missing) = wrapped.and_then(|inner| inner.downcast_ref::<Missing>()) {
            return missing.clone();
        }
        error = one.source();
    }
    Missing::Unreached
}

/// Resolves a name once, to addresses that may be connected to.
#[derive(Clone)]
struct Guarded(fn(IpAddr) -> bool);

impl Service<Name> for Guarded {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Missing;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Missing>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Missing>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let may = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| Missing::Unknown)?;
            let found: Vec<SocketAddr> = found.collect();
            if found.is_empty() {
                return Err(Missing::Unknown);
            }
            // One inner address among them is enough: a page for everybody has none.
            if found.iter().any(|address| !may(address.ip())) {
                return Err(Missing::Inner);
            }
            Ok(found.into_iter())
        })
    }
}

#[cfg(test)]
mod tests;
