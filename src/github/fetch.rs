//! A plain request for what is not GitHub's: an inventory from outside, our own
//! files as everybody gets them, and the pages that an agency attests.
//!
//! Promises: (1) no credentials are sent, whatever the address or a redirect
//! says (threats O2); (2) only hosts that were allowed are asked, or for a page
//! anybody's at the usual port, after each redirect too, over https, or on this
//! machine if GitHub is here as well (threats O1, O9); (3) a name is resolved
//! once, and the connection goes to an address that may be reached: never to one
//! of link-local or metadata services, to a private one only where the operator
//! says so; (4) an answer is bounded in time and size, and one that lies about
//! its length is refused.
//!
//! Through a proxy it is the proxy that resolves: which addresses it reaches is
//! for its own rules to say.

mod address;
mod download;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::{client::legacy, rt::TokioExecutor};

use self::address::Reach;
use super::{
    GitHub,
    endpoints::is_loopback,
    network::{self, Network, Unreached},
};
use crate::domain::inventory::Hosts;
pub(super) use address::{Guarded, Unreachable};
pub use download::Download;

const USER_AGENT: &str = concat!("muster/", env!("CARGO_PKG_VERSION"));
/// The longest a whole fetch may take.
const PATIENCE: Duration = Duration::from_secs(30);
const MOST_REDIRECTS: usize = 3;

/// Who may be asked.
#[derive(Debug, Clone, Copy)]
enum Allowed<'a> {
    /// These hosts.
    Listed(&'a Hosts),
    /// Every host that everybody reaches, at the usual port.
    Anybody,
    /// These hosts; and this machine, if GitHub is here as well.
    Archives(&'a Hosts),
}

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Its address.
    pub url: &'a str,
    /// Which hosts may be asked for it.
    pub allowed: &'a Hosts,
    /// The validator of what is there already.
    pub etag: Option<&'a str>,
    /// The most bytes.
    pub most: usize,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// It is what is there already.
    Unchanged,
    /// All of it.
    Whole {
        /// The bytes.
        bytes: Bytes,
        /// Their validator.
        etag: Option<String>,
    },
}

/// Why nothing came; a sentence that says what to do where there is something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The address is none that is asked.
    #[error("the address cannot be used: write https://HOST/PATH, without a user and a password")]
    Form,
    /// A host that is not listed.
    #[error(
        "{host} is not among the hosts that may be asked: the operator adds it to import_hosts in muster.toml"
    )]
    Host {
        /// The host, with its port if that is not the usual one.
        host: String,
    },
    /// The host is at an address that is not asked.
    #[error("{0}")]
    Address(Unreachable),
    /// It sent us on too often.
    #[error("it was redirected more than {MOST_REDIRECTS} times")]
    Redirects,
    /// It has no such file, or does not hand it out.
    #[error("its server answered {0}")]
    Status(u16),
    /// It sent something packed.
    #[error("its server sent it packed, though it was asked not to")]
    Packed,
    /// More than is taken.
    #[error("it is larger than {} MiB", .0 / 1024 / 1024)]
    TooLarge(usize),
    /// It took too long.
    #[error("it did not come within {0} seconds")]
    Slow(u64),
    /// It ended before its end.
    #[error("it broke off before its end")]
    BrokenOff,
    /// No connection.
    #[error("its server cannot be reached")]
    Away,
    /// No connection that can be trusted.
    #[error("its server's certificate is not to be trusted: name its authority's file in SSL_CERT_FILE")]
    Distrusted,
    /// The proxy opens no tunnel.
    #[error("the proxy opens no tunnel to its server")]
    Proxy,
    /// This machine cannot ask.
    #[error("{0}")]
    Unprepared(String),
}

impl Refused {
    /// Whether it would be the same another day.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self, Refused::TooLarge(_))
    }
}

/// How long a page is waited for, with all its redirects.
const PAGE_PATIENCE: Duration = Duration::from_secs(10);

/// Fetches by the way to GitHub.
#[derive(Debug, Clone)]
pub struct Fetcher {
    network: Network,
    /// Whether GitHub is on this machine, in plain HTTP: then others may be.
    plain: bool,
    patience: Duration,
}

impl GitHub {
    /// Fetches by the same way, and without its credentials.
    #[must_use]
    pub fn fetcher(&self) -> Fetcher {
        let endpoints = &self.client.endpoints;
        Fetcher {
            network: endpoints.network().clone(),
            plain: endpoints.plain(),
            patience: PATIENCE.min(endpoints.patience()),
        }
    }
}

impl Fetcher {
    /// Asks for pages by this way.
    #[must_use]
    pub fn of_pages(network: Network) -> Fetcher {
        Fetcher { network, plain: false, patience: PAGE_PATIENCE }
    }

    /// Fetches.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn get(&self, wanted: &Wanted<'_>) -> Result<Fetched, Refused> {
        let fetched = tokio::time::timeout(self.patience, self.fetch(wanted)).await;
        fetched.unwrap_or(Err(Refused::Slow(self.patience.as_secs())))
    }

    /// Whether a page is there; of the answer nothing is read but its head.
    ///
    /// # Errors
    /// [`Refused`]: it is not there, or nobody could tell.
    pub async fn page(&self, url: &str) -> Result<StatusCode, Refused> {
        let looked = tokio::time::timeout(self.patience, self.look(url)).await;
        looked.unwrap_or(Err(Refused::Slow(self.patience.as_secs())))
    }

    async fn look(&self, url: &str) -> Result<StatusCode, Refused> {
        let mut status = self.follow(Method::HEAD, url, Allowed::Anybody, None).await?.status();
        // Some servers answer only who wants the page.
        if !status.is_success() {
            status = self.follow(Method::GET, url, Allowed::Anybody, None).await?.status();
        }
        if status.is_success() { Ok(status) } else { Err(Refused::Status(status.as_u16())) }
    }

    async fn fetch(&self, wanted: &Wanted<'_>) -> Result<Fetched, Refused> {
        let allowed = Allowed::Listed(wanted.allowed);
        let (parts, body) = self.follow(Method::GET, wanted.url, allowed, wanted.etag).await?.into_parts();
        match parts.status {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if wanted.etag.is_some() => return Ok(Fetched::Unchanged),
            status => return Err(Refused::Status(status.as_u16())),
        }
        let packed = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
        if parts.headers.get(header::CONTENT_ENCODING).is_some_and(packed) {
            return Err(Refused::Packed);
        }
        let announced =
            parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if announced.is_some_and(|announced: u64| announced > wanted.most as u64) {
            return Err(Refused::TooLarge(wanted.most));
        }
        let whole = Limited::new(body, wanted.most).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { Refused::TooLarge(wanted.most) } else { Refused::BrokenOff }
        })?;
        let etag = parts.headers.get(header::ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Fetched::Whole { bytes: whole.to_bytes(), etag })
    }

    /// Asks, and follows to where it is sent on.
    async fn follow(
        &self,
        method: Method,
        url: &str,
        allowed: Allowed<'_>,
        etag: Option<&str>,
    ) -> Result<http::Response<Incoming>, Refused> {
        let without_fragment = url.split('#').next().unwrap_or_default();
        let mut at: Uri = without_fragment.parse().map_err(|_| Refused::Form)?;
        for _ in 0..=MOST_REDIRECTS {
            let reach = self.may_ask(&at, allowed)?;
            let answer = self.ask(&method, &at, reach, etag).await?;
            let status = answer.status();
            if status == StatusCode::NOT_MODIFIED || !status.is_redirection() {
                return Ok(answer);
            }
            at = next(&at, answer.headers()).ok_or(Refused::Form)?;
        }
        Err(Refused::Redirects)
    }

    /// Whether an address may be asked, and where its host may be.
    fn may_ask(&self, at: &Uri, allowed: Allowed<'_>) -> Result<Reach, Refused> {
        let authority = at.authority().ok_or(Refused::Form)?;
        let host = authority.host().to_ascii_lowercase();
        let here = self.plain && is_loopback(&host);
        match at.scheme_str() {
            Some("https") => {}
            Some("http") if here => {}
            Some(_) | None => return Err(Refused::Form),
        }
        if authority.as_str().contains('@') || host.is_empty() {
            return Err(Refused::Form);
        }
        let named = match authority.port_u16() {
            None | Some(443) => host.clone(),
            Some(port) => format!("{host}:{port}"),
        };
        let (is_allowed, is_private) = match allowed {
            Allowed::Listed(hosts) => {
                let is_private = hosts.private.contains(&named);
                (is_private || hosts.public.contains(&named), is_private)
            }
            Allowed::Anybody => (here || named == host, false),
            Allowed::Archives(hosts) => {
                let is_private = hosts.private.contains(&named);
                (here || is_private || hosts.public.contains(&named), is_private)
            }
        };
        if !is_allowed {
            return Err(Refused::Host { host: named });
        }
        let reach = match (here, is_private) {
            (true, _) => Reach::Here,
            (false, true) => Reach::Private,
            (false, false) => Reach::Public,
        };
        // A host that is an address is never resolved.
        reach.allows_literal(&host).map_err(Refused::Address)?;
        Ok(reach)
    }

    async fn ask(
        &self,
        method: &Method,
        at: &Uri,
        reach: Reach,
        etag: Option<&str>,
    ) -> Result<http::Response<Incoming>, Refused> {
        let plain = at.scheme_str() == Some("http");
        let connector = self.network.guarded(plain, Guarded::new(reach));
        let connector = connector.map_err(|error| Refused::Unprepared(error.to_string()))?;
        let client: legacy::Client<_, Empty<Bytes>> =
            legacy::Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        let mut request = http::Request::builder()
            .method(method)
            .uri(at)
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, "application/json, */*;q=0.5")
            .header(header::ACCEPT_ENCODING, "identity");
        if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let request = request.body(Empty::new()).map_err(|_| Refused::Form)?;
        client.request(request).await.map_err(|error| not_reached(&error))
    }
}

/// Where an answer sends us on to: a whole address, or a path of the same host.
fn next(at: &Uri, headers: &HeaderMap) -> Option<Uri> {
    let named = headers.get(header::LOCATION)?.to_str().ok()?.split('#').next()?;
    if named.starts_with('/') && !named.starts_with("//") {
        let mut parts = at.clone().into_parts();
        parts.path_and_query = Some(named.parse().ok()?);
        return Uri::from_parts(parts).ok();
    }
    named.parse().ok()
}

fn not_reached(error: &legacy::Error) -> Refused {
    if let Some(found) = network::chain(error).find_map(|error| error.downcast_ref::<Unreachable>()) {
        return Refused::Address(*found);
    }
    match network::unreached(error) {
        None => Refused::BrokenOff,
        Some(Unreached::Host) => Refused::Away,
        Some(Unreached::Proxy(_)) => Refused::Proxy,
        Some(Unreached::WrongHost | Unreached::UnknownAuthority | Unreached::Expired | Unreached::Tls) => {
            Refused::Distrusted
        }
    }
}

/// Which hosts a fetch of this one address may ask: its own.
#[must_use]
pub fn only(url: &str) -> Hosts {
    let authority = url.parse::<Uri>().ok().and_then(|uri| uri.authority().cloned());
    let named = authority.map(|authority| match authority.port_u16() {
        None | Some(443) => authority.host().to_ascii_lowercase(),
        Some(port) => format!("{}:{port}", authority.host().to_ascii_lowercase()),
    });
    Hosts { public: Vec::new(), private: named.into_iter().collect() }
}

#[cfg(test)]
mod tests;
