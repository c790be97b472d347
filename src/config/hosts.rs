//! The addresses of a GitHub: those of its APIs, and that of its pages.

use http::Uri;

use crate::github::endpoints::{Endpoints, Product, is_loopback};

/// The REST API of github.com.
pub(super) const DOT_COM: &str = "https://api.github.com";

/// What to write for an address that is refused.
pub(super) const REMEDY: &str = "write an https:// address, as https://github.example.gov/api/v3";

/// Where a GitHub is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// Its two APIs.
    pub endpoints: Endpoints,
    /// The pages people see, as `https://github.com`, without a slash at the end.
    pub web: String,
}

/// An address of a REST API, without a slash at the end.
///
/// # Errors
/// What to write instead.
pub(super) fn api(text: &str) -> Result<String, String> {
    let endpoints = Endpoints::new(text, None).map_err(|_| REMEDY)?;
    if endpoints.product() == Product::Other
        && let Some(meant) = meant(text)
    {
        return Err(meant);
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// What to write for an address that follows no product's rule and is not an
/// unusual one either: the pages instead of the API, or a part of it.
fn meant(text: &str) -> Option<String> {
    let uri: Uri = text.parse().ok()?;
    let host = uri.host()?.to_ascii_lowercase();
    if ["github.com", "www.github.com", "api.github.com"].contains(&host.as_str()) {
        return Some(format!("write {DOT_COM}"));
    }
    let residence = host.strip_suffix(".ghe.com")?;
    let subdomain = residence.rsplit('.').next().filter(|name| *name != "api").unwrap_or("SUBDOMAIN");
    Some(format!("write https://api.{subdomain}.ghe.com"))
}

/// What to write for an address whose GraphQL API and pages do not follow.
pub(super) fn unusual(api: &str) -> String {
    let host = api.parse::<Uri>().ok().and_then(|uri| Some(uri.authority()?.to_string()));
    format!(
        "write https://{}/api/v3 for an Enterprise Server; for any other also set MUSTER_GITHUB_GRAPHQL_URL and MUSTER_GITHUB_URL",
        host.as_deref().unwrap_or("HOST")
    )
}

/// Whether GraphQL and pages follow from a REST API.
pub(super) fn is_usual(api: &str) -> bool {
    let usual = |endpoints: Endpoints| endpoints.web().is_some();
    Endpoints::new(api, None).is_ok_and(usual)
}

/// The address of a GraphQL API.
///
/// # Errors
/// What to write instead.
pub(super) fn graphql(text: &str) -> Result<String, String> {
    let base = base(text)?;
    match base.strip_suffix("/api/v3/graphql") {
        // A server answers 404 there.
        Some(server) => {
            Err(format!("write {server}/api/graphql, where an Enterprise Server answers GraphQL"))
        }
        None => Ok(base),
    }
}

/// A base URL without its slash at the end: https, or http on this machine
/// (threats O9), without user, query and fragment.
///
/// # Errors
/// What to write instead.
pub(super) fn base(text: &str) -> Result<String, &'static str> {
    let uri: Uri = text.parse().map_err(|_| REMEDY)?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or(REMEDY)?;
    let safe = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_loopback(host),
        Some(_) | None => false,
    };
    let plain = uri.query().is_none() && !text.contains(['@', '#']);
    if safe && plain { Ok(text.trim_end_matches('/').to_owned()) } else { Err(REMEDY) }
}
