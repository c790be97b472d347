//! The three addresses of a GitHub: its REST API, its GraphQL API, its pages.

use std::net::IpAddr;

use http::Uri;

/// Where a GitHub is, each without a slash at the end (platform facts, hosts).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// The REST API, as `https://api.github.com` or `https://HOST/api/v3`.
    pub api: String,
    /// The GraphQL API, as `https://api.github.com/graphql`.
    pub graphql: String,
    /// The pages people see, as `https://github.com`.
    pub web: String,
}

impl Hosts {
    /// Fills in what is not set from the address of the REST API.
    ///
    /// # Errors
    /// The address of the REST API, if that of the pages cannot be told from it.
    pub(super) fn derive(
        api: Option<String>,
        graphql: Option<String>,
        web: Option<String>,
    ) -> Result<Hosts, String> {
        let api = api.unwrap_or_else(|| "https://api.github.com".to_owned());
        let graphql = graphql.unwrap_or_else(|| match api.strip_suffix("/api/v3") {
            // An Enterprise Server has GraphQL beside v3, not under it.
            Some(host) => format!("{host}/api/graphql"),
            None => format!("{api}/graphql"),
        });
        let Some(web) = web.or_else(|| web_of(&api)) else { return Err(api) };
        Ok(Hosts { api, graphql, web })
    }
}

fn web_of(api: &str) -> Option<String> {
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
    const REMEDY: &str = "write an https:// address, as https://github.example.gov/api/v3";
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
