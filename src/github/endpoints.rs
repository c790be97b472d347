//! Where GitHub is: the two addresses of its API, what belongs to them, and
//! the way there.
//!
//! Promises: (1) everything is called by `https`, save on this machine;
//! (2) of an address that GitHub itself names (a redirect, the next page) only
//! path and query are taken, and called at the configured origin (threats O2):
//! a server behind an alias names itself otherwise.

use std::time::Duration;

use http::Uri;

use super::network::Network;
use crate::domain::inventory::Hosts;

/// The longest an answer may take. GitHub gives up on a GraphQL call after ten
/// seconds (GitHub documentation, "Rate limits and query limits for the GraphQL
/// API"); a page of a hundred repositories from a busy Enterprise Server takes
/// longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The addresses of one GitHub: github.com, GHE.com or an Enterprise Server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    rest: Uri,
    graphql: Uri,
    network: Network,
    patience: Duration,
}

/// Which GitHub an address belongs to, by the form of the address (GitHub
/// documentation, "Using the REST API" of each product).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// `https://api.github.com`.
    DotCom,
    /// `https://api.SUBDOMAIN.ghe.com`: no repository is public there.
    DataResidency,
    /// `https://HOST/api/v3`.
    Server,
    /// This machine, or an address that follows none of these rules.
    Other,
}

impl Product {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Product::DotCom => "github.com",
            Product::DataResidency => "GHE.com",
            Product::Server => "GitHub Enterprise Server",
            Product::Other => "GitHub",
        }
    }
}

/// Why an address cannot be GitHub's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not an absolute address, or with parts that do not belong.
    #[error("{0:?} is no address of an API: write https://HOST or https://HOST/PATH")]
    Form(String),
    /// Plain HTTP to another machine.
    #[error("{0:?} is not https: credentials are only sent over https, save to this machine")]
    Plain(String),
}

impl Endpoints {
    /// github.com.
    ///
    /// # Errors
    /// None in practice: the addresses are constants.
    pub fn dot_com() -> Result<Endpoints, EndpointError> {
        Endpoints::new("https://api.github.com", None)
    }

    /// The REST address as an operator writes it (`https://api.github.com`,
    /// `https://HOST/api/v3`), and GraphQL's; without it, it is derived: an
    /// Enterprise Server answers GraphQL at `/api/graphql`, the others beside
    /// REST.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn new(rest: &str, graphql: Option<&str>) -> Result<Endpoints, EndpointError> {
        let rest = address(rest)?;
        let derived = || {
            let base = rest.to_string();
            let base = base.trim_end_matches('/');
            format!(
                "{}/graphql",
                base.strip_suffix("/v3").filter(|api| api.ends_with("/api")).unwrap_or(base)
            )
        };
        let graphql = address(&graphql.map_or_else(derived, str::to_owned))?;
        Ok(Endpoints { rest, graphql, network: Network::default(), patience: PATIENCE })
    }

    /// The same GitHub, reached in this way.
    #[must_use]
    pub fn by(self, network: Network) -> Endpoints {
        Endpoints { network, ..self }
    }

    /// How it is reached.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Which GitHub this is.
    #[must_use]
    pub fn product(&self) -> Product {
        let host = self.rest.host().unwrap_or_default().to_ascii_lowercase();
        match self.rest.path().trim_end_matches('/') {
            "/api/v3" if is_cloud(&host) => Product::Other,
            "/api/v3" => Product::Server,
            "" if host == "api.github.com" => Product::DotCom,
            "" if residence(&host).is_some() => Product::DataResidency,
            _ => Product::Other,
        }
    }

    /// The pages people see, without a slash at the end; `None` where they do
    /// not follow from the address.
    #[must_use]
    pub fn web(&self) -> Option<String> {
        let origin = || Some(format!("{}://{}", self.rest.scheme_str()?, self.rest.authority()?));
        match self.product() {
            Product::DotCom => Some("https://github.com".to_owned()),
            Product::DataResidency => {
                residence(self.rest.host()?).map(|subdomain| format!("https://{subdomain}.ghe.com"))
            }
            Product::Server => origin(),
            Product::Other if self.rest.host().is_some_and(is_loopback) => origin(),
            Product::Other => None,
        }
    }

    /// The hosts from which it hands out archives (GitHub documentation,
    /// "Download a repository archive"): each product has its own.
    #[must_use]
    pub(super) fn archives(&self) -> Hosts {
        let port = self.rest.port_u16().filter(|port| *port != 443);
        let named = |host: String| port.map_or(host.clone(), |port| format!("{host}:{port}"));
        let host = self.rest.host().unwrap_or_default().to_ascii_lowercase();
        match self.product() {
            Product::DotCom => Hosts { public: vec!["codeload.github.com".to_owned()], private: Vec::new() },
            Product::DataResidency => {
                let public = residence(&host).map(|subdomain| format!("codeload.{subdomain}.ghe.com"));
                Hosts { public: public.into_iter().collect(), private: Vec::new() }
            }
            Product::Server => {
                let private = vec![named(host.clone()), named(format!("codeload.{host}"))];
                Hosts { public: Vec::new(), private }
            }
            Product::Other => Hosts { public: Vec::new(), private: vec![named(host)] },
        }
    }

    /// The same GitHub, waited for this long: then the answer counts as lost.
    /// Without this, 60 seconds.
    #[must_use]
    pub fn answering_within(self, patience: Duration) -> Endpoints {
        Endpoints { patience, ..self }
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Host and port of the REST address: part of every key of a cache.
    #[must_use]
    pub fn host(&self) -> &str {
        self.rest.authority().map_or("", |authority| authority.as_str())
    }

    /// Whether REST and GraphQL are both spoken to in plain HTTP (loopback).
    pub(super) fn plain(&self) -> bool {
        [&self.rest, &self.graphql].iter().all(|uri| uri.scheme_str() == Some("http"))
    }

    pub(super) fn graphql(&self) -> String {
        self.graphql.to_string()
    }

    /// The absolute address of a path of the REST API.
    pub(super) fn rest(&self, path_and_query: &str) -> String {
        format!("{}{path_and_query}", self.rest.to_string().trim_end_matches('/'))
    }

    /// The path and query, relative to the REST address, of an address that
    /// GitHub named, whatever host it names; `None` if that path is not of its
    /// API.
    pub(super) fn within(&self, named: &str) -> Option<String> {
        let uri: Uri = named.parse().ok()?;
        let whole = uri.path_and_query()?.as_str();
        let path = whole.strip_prefix(self.rest.path().trim_end_matches('/'))?;
        (path.starts_with('/') && !path.starts_with("//")).then(|| path.to_owned())
    }
}

/// Whether a host is GitHub's own, where no Enterprise Server is.
fn is_cloud(host: &str) -> bool {
    host == "github.com" || host.ends_with(".github.com") || host.ends_with(".ghe.com")
}

/// The `SUBDOMAIN` of `api.SUBDOMAIN.ghe.com`.
fn residence(host: &str) -> Option<&str> {
    let subdomain = host.strip_prefix("api.")?.strip_suffix(".ghe.com")?;
    (!subdomain.is_empty() && !subdomain.contains('.')).then_some(subdomain)
}

/// Whether a host is this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn address(text: &str) -> Result<Uri, EndpointError> {
    let form = || EndpointError::Form(text.chars().take(100).collect());
    let uri: Uri = text.trim_end_matches('/').parse().map_err(|_| form())?;
    let authority = uri.authority().ok_or_else(form)?;
    if uri.query().is_some() || text.contains('#') || authority.as_str().contains('@') {
        return Err(form());
    }
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if is_loopback(authority.host()) => Ok(uri),
        Some("http") => Err(EndpointError::Plain(text.chars().take(100).collect())),
        Some(_) | None => Err(form()),
    }
}

/// The `next` page of a list: the path of GitHub's `Link` header, if it is a
/// page of the same list (GitHub may name the owner by id there).
pub(super) fn next_page(link: &str, endpoints: &Endpoints, path: &str) -> Option<Result<String, ()>> {
    let target = link.split(',').find_map(|part| {
        let (target, attributes) = part.split_once(';')?;
        attributes.split(';').any(|attribute| attribute.trim() == "rel=\"next\"").then_some(target)
    })?;
    let next = target
        .trim()
        .strip_prefix('<')
        .and_then(|target| target.strip_suffix('>'))
        .and_then(|target| endpoints.within(target))
        .filter(|next| same_list(path, next));
    Some(next.ok_or(()))
}

fn same_list(path: &str, next: &str) -> bool {
    let without_query = |path: &str| path.split('?').next().unwrap_or_default().to_owned();
    let (path, next) = (without_query(path), without_query(next));
    if path == next {
        return true;
    }
    let by_id = |named: &str, by_id: &str| {
        let rest = path.strip_prefix(named)?.split_once('/')?.1;
        let (id, next_rest) = next.strip_prefix(by_id)?.split_once('/')?;
        Some(id.bytes().all(|b| b.is_ascii_digit()) && !id.is_empty() && rest == next_rest)
    };
    by_id("/orgs/", "/organizations/").unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphql_is_where_the_product_has_it() {
        for (rest, graphql) in [
            ("https://api.github.com", "https://api.github.com/graphql"),
            ("https://api.github.com/", "https://api.github.com/graphql"),
            ("https://api.agency.ghe.com", "https://api.agency.ghe.com/graphql"),
            ("https://git.agency.gov/api/v3", "https://git.agency.gov/api/graphql"),
            ("https://git.agency.gov/api/v3/", "https://git.agency.gov/api/graphql"),
            ("http://127.0.0.1:7/api/v3", "http://127.0.0.1:7/api/graphql"),
        ] {
            assert_eq!(Endpoints::new(rest, None).unwrap().graphql(), graphql);
        }
    }

    #[test]
    fn credentials_go_over_https_only() {
        for bad in
            ["http://git.agency.gov", "http://127.0.0.1.evil.example/api/v3", "ftp://x", "api.github.com"]
        {
            assert!(Endpoints::new(bad, None).is_err(), "{bad}");
        }
        for bad in ["https://user@x", "https://x/?a=b", "https://x/#y", "", "/api/v3"] {
            assert!(matches!(Endpoints::new(bad, None), Err(EndpointError::Form(_))), "{bad}");
        }
        assert!(Endpoints::new("https://x", Some("http://y/graphql")).is_err());
    }

    #[test]
    fn the_product_follows_from_the_address() {
        for (rest, product, web) in [
            ("https://api.github.com", Product::DotCom, Some("https://github.com")),
            ("https://api.agency.ghe.com", Product::DataResidency, Some("https://agency.ghe.com")),
            ("https://git.agency.gov/api/v3", Product::Server, Some("https://git.agency.gov")),
            ("https://agencygithub.com/api/v3", Product::Server, Some("https://agencygithub.com")),
            ("https://git.agency.gov:8443/api/v3/", Product::Server, Some("https://git.agency.gov:8443")),
            ("http://127.0.0.1:7", Product::Other, Some("http://127.0.0.1:7")),
            ("https://git.agency.gov", Product::Other, None),
            ("https://api.ghe.com", Product::Other, None),
            ("https://api.github.com/api/v3", Product::Other, None),
            ("https://agency.ghe.com/api/v3", Product::Other, None),
            ("https://api.a.b.ghe.com", Product::Other, None),
            ("https://api.github.com.evil.example", Product::Other, None),
        ] {
            let endpoints = Endpoints::new(rest, None).unwrap();
            assert_eq!((endpoints.product(), endpoints.web().as_deref()), (product, web), "{rest}");
        }
    }

    #[test]
    fn archives_come_from_the_products_own_hosts() {
        for (rest, public, private) in [
            ("https://api.github.com", vec!["codeload.github.com"], vec![]),
            ("https://api.agency.ghe.com", vec!["codeload.agency.ghe.com"], vec![]),
            ("https://git.agency.gov/api/v3", vec![], vec!["git.agency.gov", "codeload.git.agency.gov"]),
            (
                "https://git.agency.gov:8443/api/v3",
                vec![],
                vec!["git.agency.gov:8443", "codeload.git.agency.gov:8443"],
            ),
        ] {
            let hosts = Endpoints::new(rest, None).unwrap().archives();
            assert_eq!((hosts.public, hosts.private), (owned(public), owned(private)), "{rest}");
        }
    }

    fn owned(names: Vec<&str>) -> Vec<String> {
        names.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn of_an_address_github_names_only_path_and_query_are_taken() {
        let server = Endpoints::new("https://git.agency.gov/api/v3", None).unwrap();
        let within = |named| server.within(named);
        assert_eq!(
            within("https://git.agency.gov/api/v3/repositories/7?page=2").as_deref(),
            Some("/repositories/7?page=2")
        );
        for other_host in [
            "/api/v3/repositories/7",
            "https://ghes-primary.internal/api/v3/repositories/7",
            "http://git.agency.gov/api/v3/repositories/7",
            "https://user:secret@git.agency.gov:8443/api/v3/repositories/7",
        ] {
            assert_eq!(within(other_host).as_deref(), Some("/repositories/7"), "{other_host}");
        }
        for foreign in [
            "https://git.agency.gov/login",
            "https://git.agency.gov/api/v3//evil.example/x",
            "https://git.agency.gov/api/v3evil",
            "https://git.agency.gov",
            "//evil.example/api/v3/x",
            "not an address",
        ] {
            assert_eq!(within(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn the_next_page_is_a_page_of_the_same_list() {
        let api = Endpoints::dot_com().unwrap();
        let next = |link: &str, path| next_page(link, &api, path);
        let page = "/installation/repositories?per_page=100";
        let link = "<https://api.github.com/installation/repositories?per_page=100&page=3>; rel=\"next\", \
                    <https://api.github.com/installation/repositories?per_page=100&page=9>; rel=\"last\"";
        assert_eq!(next(link, page), Some(Ok("/installation/repositories?per_page=100&page=3".to_owned())));
        assert_eq!(next("<https://api.github.com/x?page=1>; rel=\"first\"", page), None);
        assert_eq!(
            next("<https://elsewhere.example/installation/repositories?page=2>; rel=\"next\"", page),
            Some(Ok("/installation/repositories?page=2".to_owned()))
        );
        assert_eq!(next("<https://api.github.com/user/repos?page=2>; rel=\"next\"", page), Some(Err(())));
        let organization = "<https://api.github.com/organizations/9/repos?page=2>; rel=\"next\"";
        assert_eq!(
            next(organization, "/orgs/agency/repos?per_page=100"),
            Some(Ok("/organizations/9/repos?page=2".to_owned()))
        );
        assert_eq!(next(organization, "/orgs/agency/members"), Some(Err(())));
    }
}
