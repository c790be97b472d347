//! The REST API: one table of routes, each with what it needs, what it takes
//! and who answers it.
//!
//! Promises: (1) a route, query argument or body field that is not in the
//! table is refused and recorded as a failure of the program that sent it;
//! (2) a permission is asked for in the table and nowhere else.

mod answer;
mod apps;
mod checks;
mod conversations;
mod git;
mod input;
mod issues;
mod pulls;
mod repositories;
mod table;

pub(crate) use answer::Answer;
pub(crate) use input::Input;
pub(crate) use table::{Auth, ROUTES, Route};

use crate::state::{Caller, Found, Refusal, RepositoryId, State};

/// A route that matched a path, with its parameters.
pub(crate) struct Matched {
    pub(crate) route: &'static Route,
    pub(crate) parameters: Vec<(&'static str, String)>,
}

/// Finds the route of a method and path.
pub(crate) fn route(method: &str, path: &str) -> Option<Matched> {
    ROUTES
        .iter()
        .filter(|route| route.method == method)
        .find_map(|route| Some(Matched { route, parameters: parameters(route.template, path)? }))
}

/// The parameters of a template that fits a path. A last parameter named
/// `path`, `ref` or `branch` may contain slashes.
fn parameters(template: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let mut rest = path.strip_prefix('/')?;
    let mut found = Vec::new();
    let mut segments = template.strip_prefix('/')?.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        let name = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        let greedy = last && matches!(name, Some("path" | "ref" | "branch"));
        let (here, after) = match rest.split_once('/') {
            Some((here, after)) if !greedy => (here, Some(after)),
            Some(_) | None => (rest, None),
        };
        match name {
            // The contents of the root are asked for with an empty path.
            Some("path") => found.push(("path", unescape(here)?)),
            Some(_) if here.is_empty() => return None,
            Some(name) => found.push((name, unescape(here)?)),
            None if here == segment => {}
            None => return None,
        }
        match (after, last) {
            (Some(after), false) => rest = after,
            (None, true) => return Some(found),
            (Some(_), true) | (None, false) => return None,
        }
    }
    None
}

/// Decodes percent escapes; `None` when they are not UTF-8.
pub(crate) fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = after;
            }
            (byte, after) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// Where a call about a repository goes.
pub(crate) enum Target {
    /// Not about a repository.
    None,
    /// This one.
    Here(RepositoryId),
    /// It has moved; the caller is sent to `/repositories/{id}…`.
    Moved(RepositoryId),
}

/// Finds the repository a call is about and checks what the route needs.
pub(crate) fn admit(state: &State, caller: &Caller, matched: &Matched) -> Result<Target, Refusal> {
    let route = matched.route;
    match route.auth {
        Auth::Anybody => {}
        Auth::Jwt if *caller == Caller::App => {}
        Auth::Jwt => return Err(Refusal::BadJwt("A JSON web token could not be decoded")),
        Auth::Token if matches!(caller, Caller::Installation(_)) => {}
        Auth::Token => {
            return Err(Refusal::Forbidden(
                "You must authenticate with an installation access token in order to list repositories for an installation.",
            ));
        }
    }
    let find = |name: &str| {
        matched.parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    };
    let (Some(owner), Some(name)) = (find("owner"), find("repo")) else { return Ok(Target::None) };
    if route.auth == Auth::Jwt {
        return Ok(Target::None);
    }
    match state.find(caller, owner, name).ok_or(Refusal::NotFound)? {
        Found::Moved(id) => Ok(Target::Moved(id)),
        Found::Here(id) => {
            state.allow(caller, id, route.needs)?;
            Ok(Target::Here(id))
        }
    }
}
