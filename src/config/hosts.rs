//! The addresses of a GitHub: those of its APIs, and that of its pages.

use std::net::IpAddr;

use http::Uri;

use crate::github::endpoints::Endpoints;

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
pub(super) fn api(text: &str) -> Result<String, &'static str> {
    Endpoints::new(text, None).map_err(|_| REMEDY)?;
    Ok(text.trim_end_matches('/').to_owned())
}

/// The pages of a GitHub, by the products' rules, from its REST API.
pub(super) fn web_of(api: &str) -> Option<String> {
    if let Some(host) = api.strip_suffix("/api/v3") {
        return Some(host.to_owned());
    }
    let uri: Uri = api.parse().ok()?;
    if uri.host().is_some_and(is_loopback) {
        return Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?));
    }
    // api.github.com and api.SUBDOMAIN.ghe.com
    let plain = uri.path().trim_end_matches('/').is_empty();
    let host = uri.authority()?.as_str().strip_prefix("api.").filter(|_| plain)?;
    Some(format!("https://{host}"))
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

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
