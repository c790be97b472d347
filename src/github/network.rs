//! The way to GitHub: a proxy to go through, authorities to believe, and why
//! GitHub could not be reached.
//!
//! Promises: (1) TLS is 1.2 at least and always verified; authorities are only
//! added to those of the system (threats O9); (2) a proxy gets a tunnel, so it
//! sees host and port and nothing else; (3) its password prints nowhere;
//! (4) this machine is never reached through a proxy in plain HTTP.

use std::{
    error::Error as StdError,
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderValue, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::{
        legacy::{
            self,
            connect::{HttpConnector, proxy::Tunnel},
        },
        proxy::matcher::Matcher,
    },
    rt::TokioIo,
};
use rustls::{CertificateError, ClientConfig, RootCertStore, pki_types::CertificateDer};
use tokio::net::TcpStream;
use tower::{Service, ServiceExt as _};

use super::{
    error::{Error, Result},
    fetch::Guarded,
};

/// How GitHub is reached. The default goes there directly and believes the
/// authorities of the system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    proxy: Option<Proxy>,
    authorities: Vec<CertificateDer<'static>>,
}

/// An HTTP proxy that opens tunnels.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Proxy {
    address: Uri,
    /// `Basic …`; sensitive, so that it does not print.
    credentials: Option<HeaderValue>,
    /// The hosts that are reached without it, as `NO_PROXY` writes them.
    except: String,
}

/// Why a text is no proxy Muster can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the address of an HTTP proxy: write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT")]
pub struct ProxyError;

/// Whether a certificate can be believed as that of an authority.
#[must_use]
pub fn is_authority(certificate: &CertificateDer<'static>) -> bool {
    RootCertStore::empty().add(certificate.clone()).is_ok()
}

impl Network {
    /// Through the HTTP proxy at `http://[USER:PASSWORD@]HOST:PORT`, save to
    /// the hosts of `except` (as `NO_PROXY`: names with all below them,
    /// addresses, networks, `*`, separated by commas).
    ///
    /// # Errors
    /// [`ProxyError`].
    pub fn through(self, proxy: &str, except: &str) -> std::result::Result<Network, ProxyError> {
        let any = Uri::from_static("https://github.com");
        let found = Matcher::builder().https(proxy).build().intercept(&any).ok_or(ProxyError)?;
        let address = found.uri().clone();
        if address.scheme_str() != Some("http") || address.port().is_none() {
            return Err(ProxyError);
        }
        let credentials = found.basic_auth().cloned();
        Ok(Network { proxy: Some(Proxy { address, credentials, except: except.to_owned() }), ..self })
    }

    /// Believes these authorities too; what is none is left out.
    #[must_use]
    pub fn believing(mut self, more: impl IntoIterator<Item = CertificateDer<'static>>) -> Network {
        self.authorities.extend(more.into_iter().filter(is_authority));
        self
    }

    /// Host and port of the proxy, if there is one.
    #[must_use]
    pub fn proxy(&self) -> Option<&str> {
        self.proxy.as_ref()?.address.authority().map(|authority| authority.as_str())
    }

    /// The connector. `plain` says that only this machine is spoken to,
    /// without TLS: that needs no authorities, and a machine may have none.
    ///
    /// # Errors
    /// [`Error::Permanent`] if this machine has no authorities.
    pub fn connector(&self, plain: bool) -> Result<Connector> {
        self.connecting(plain, None)
    }

    /// The same for hosts that others may name: a connection without a proxy
    /// goes only where `guard` lets it go (threats O1).
    ///
    /// # Errors
    /// As [`Network::connector`].
    pub(super) fn guarded(&self, plain: bool, guard: Guarded) -> Result<Connector> {
        self.connecting(plain, Some(guard))
    }

    fn connecting(&self, plain: bool, guard: Option<Guarded>) -> Result<Connector> {
        let roots = if plain { RootCertStore::empty() } else { self.roots()? };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Permanent(format!("TLS cannot be set up: {error}")))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut direct = HttpConnector::new();
        direct.enforce_http(false);
        let guarded = guard.map(|guard| {
            let mut guarded = HttpConnector::new_with_resolver(guard);
            guarded.enforce_http(false);
            guarded
        });
        let proxy = self.proxy.as_ref().map(|proxy| {
            let address = proxy.address.to_string();
            // Only https is asked to go through it.
            let applies = Matcher::builder().https(address).no(proxy.except.as_str()).build();
            Arc::new((applies, proxy.clone()))
        });
        let builder = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls);
        Ok(builder.https_or_http().enable_http1().wrap_connector(Way { direct, guarded, proxy }))
    }

    fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(system());
        roots.add_parsable_certificates(self.authorities.iter().cloned());
        if roots.is_empty() {
            return Err(Error::Permanent(
                "no root certificates on this machine: install its ca-certificates package".to_owned(),
            ));
        }
        Ok(roots)
    }
}

/// The authorities of the system. Its usual folders are read by name, since the
/// library's own search is replaced by what `SSL_CERT_FILE` names, and here
/// that only adds.
fn system() -> Vec<CertificateDer<'static>> {
    let folders = openssl_probe::candidate_cert_dirs();
    let read = |folder| rustls_native_certs::load_certs_from_paths(None, Some(folder)).certs;
    let found: Vec<_> = folders.flat_map(read).collect();
    if found.is_empty() { rustls_native_certs::load_native_certs().certs } else { found }
}

/// Opens connections by the way of a [`Network`].
pub type Connector = HttpsConnector<Way>;

/// Opens the connection under TLS: directly, or as a tunnel.
#[derive(Clone)]
pub struct Way {
    direct: HttpConnector,
    /// In place of that, where names come from others.
    guarded: Option<HttpConnector<Guarded>>,
    proxy: Option<Arc<(Matcher, Proxy)>>,
}

type BoxError = Box<dyn StdError + Send + Sync>;

impl Service<Uri> for Way {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<std::result::Result<(), BoxError>> {
        match &mut self.guarded {
            Some(guarded) => guarded.poll_ready(context).map_err(Into::into),
            None => self.direct.poll_ready(context).map_err(Into::into),
        }
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let applies = |proxy: &&Arc<(Matcher, Proxy)>| proxy.0.intercept(&to).is_some();
        let Some(proxy) = self.proxy.as_ref().filter(applies) else {
            if let Some(guarded) = &mut self.guarded {
                let connecting = guarded.call(to);
                return Box::pin(async move { connecting.await.map_err(Into::into) });
            }
            let connecting = self.direct.call(to);
            return Box::pin(async move { connecting.await.map_err(Into::into) });
        };
        let mut tunnel = Tunnel::new(proxy.1.address.clone(), self.direct.clone());
        if let Some(credentials) = &proxy.1.credentials {
            tunnel = tunnel.with_auth(credentials.clone());
        }
        Box::pin(async move { tunnel.oneshot(to).await.map_err(|error| ProxyFault::of(&error).into()) })
    }
}

/// What went wrong at the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", Unreached::Proxy(*self))]
pub(super) enum ProxyFault {
    /// It does not answer.
    Away,
    /// It wants a user and a password, or others.
    Credentials,
    /// It opens no tunnel to there.
    Refused,
}

impl ProxyFault {
    /// The library keeps the type of its error to itself: what is below it,
    /// and its words, tell.
    fn of(error: &(dyn StdError + 'static)) -> ProxyFault {
        if error.source().is_some() {
            ProxyFault::Away
        } else if error.to_string().contains("authorization required") {
            ProxyFault::Credentials
        } else {
            ProxyFault::Refused
        }
    }
}

/// Why no request left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreached {
    /// No connection to the host.
    Host,
    /// No tunnel.
    Proxy(ProxyFault),
    /// The certificate is another host's.
    WrongHost,
    /// Nobody we believe signed the certificate.
    UnknownAuthority,
    /// The certificate is too old or too new.
    Expired,
    /// TLS failed otherwise.
    Tls,
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unreached::Host => "GitHub cannot be reached",
            Unreached::Proxy(ProxyFault::Away) => "the proxy cannot be reached; check HTTPS_PROXY",
            Unreached::Proxy(ProxyFault::Credentials) => {
                "the proxy refuses the user or password; write http://USER:PASSWORD@HOST:PORT in HTTPS_PROXY"
            }
            Unreached::Proxy(ProxyFault::Refused) => {
                "the proxy opens no tunnel to GitHub; allow the host there, or name it in NO_PROXY"
            }
            Unreached::WrongHost => "the certificate is not that of this host; check MUSTER_GITHUB_API_URL",
            Unreached::UnknownAuthority => {
                "the certificate is signed by an authority unknown here; name its file in SSL_CERT_FILE"
            }
            Unreached::Expired => "the certificate is not valid now; check the clocks and the certificate",
            Unreached::Tls => "TLS 1.2 or newer could not be agreed on",
        })
    }
}

/// Why a connection failed; `None` if the connection stood and the request may
/// have left.
pub(super) fn unreached(error: &(dyn StdError + 'static)) -> Option<Unreached> {
    let connects = chain(error)
        .any(|error| error.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect));
    connects.then(|| {
        let reason = |error: &(dyn StdError + 'static)| {
            let proxy = error.downcast_ref::<ProxyFault>().map(|fault| Unreached::Proxy(*fault));
            proxy.or_else(|| error.downcast_ref::<rustls::Error>().map(distrust))
        };
        chain(error).find_map(reason).unwrap_or(Unreached::Host)
    })
}

fn distrust(error: &rustls::Error) -> Unreached {
    // Both enums are the library's and open.
    match error {
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Unreached::WrongHost
            }
            // One of the same name, with another key, signs badly.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Unreached::UnknownAuthority,
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Unreached::Expired,
            _ => Unreached::Tls,
        },
        _ => Unreached::Tls,
    }
}

/// An error and what is below it, also what an I/O error wraps: its `source`
/// passes over that.
pub(super) fn chain<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(proxy: &str) -> std::result::Result<Network, ProxyError> {
        Network::default().through(proxy, "")
    }

    #[test]
    fn a_proxy_is_an_http_address_with_a_port() {
        for (text, host) in [
            ("http://proxy.agency.example:3128", "proxy.agency.example:3128"),
            ("http://proxy.agency.example:3128/", "proxy.agency.example:3128"),
            ("proxy.agency.example:3128", "proxy.agency.example:3128"),
            ("http://user:pass%40word@10.0.0.1:3128", "10.0.0.1:3128"),
        ] {
            assert_eq!(through(text).unwrap().proxy(), Some(host), "{text}");
        }
        for text in ["https://proxy:3128", "socks5h://proxy:1080", "http://proxy", "http://", "proxy", "a b"]
        {
            assert_eq!(through(text), Err(ProxyError), "{text}");
        }
        assert_eq!(Network::default().proxy(), None);
    }

    #[test]
    fn a_password_does_not_print() {
        let network = through("http://user:canary@proxy:3128").unwrap();
        let shown = format!("{network:?}");
        assert!(shown.contains("proxy:3128") && !shown.contains("canary"), "{shown}");
        assert!(!shown.contains("dXNlcjpjYW5hcnk"), "{shown}");
    }

    #[test]
    fn the_system_has_authorities_or_says_so() {
        match Network::default().roots() {
            Ok(roots) => assert!(!roots.is_empty()),
            Err(error) => assert!(error.to_string().contains("ca-certificates"), "{error}"),
        }
    }

    #[test]
    fn what_is_no_authority_is_left_out() {
        let rubbish = CertificateDer::from(b"rubbish".to_vec());
        assert_eq!(Network::default().believing([rubbish]), Network::default());
    }
}
