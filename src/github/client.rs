//! The one way a call to GitHub is made: credentials, limits, attempts, and
//! the sorting of what comes back.
//!
//! Promises: (1) only reads are repeated, three times at most; a write is
//! sent once, and once more only if GitHub did not take its token; (2) a wait
//! longer than ten seconds is never slept through: it goes to the caller as
//! [`Error::Paced`], with the moment; (3) writes of one installation follow
//! each other, each with leave, and end within [`LONGEST_WRITE`] of it; (4)
//! the 401 of an expired token costs one new token, not a failed job; (5) with
//! a clock that is 5 minutes off, no token is asked for.

mod credential;
mod date;
mod gate;
mod sort;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, atomic::AtomicUsize},
    time::Duration,
};

use http::Method;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::{
    credential::{Credential, Renewals},
    gate::Gate,
    sort::{lost, unread},
};
use super::{
    credentials::{App, Scope, Tokens},
    endpoints::{Endpoints, next_page},
    error::{Error, Result},
    graphql::{Document, Envelope},
    leave::{LONGEST_WRITE, Leave},
    limits::Purse,
    needs::{Granted, Need, Route},
    skew::Skew,
    transport::{Answer, Fault, Request, Transport},
};
use crate::{clock::Clock, domain::repository::InstallationId, metrics::Metrics, traces};

/// Reads under way at once for one installation; GitHub allows 100.
const AT_ONCE: usize = 8;
const ATTEMPTS: u32 = 3;
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// More pages than any list of GitHub's has.
const MAX_PAGES: usize = 2_000;

/// With which credentials a call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    /// The App itself.
    App,
    /// One of its installations.
    Installation(Scope),
    /// The plain token.
    Token,
}

impl Who {
    fn purse_holder(&self) -> Option<InstallationId> {
        match self {
            Who::Installation(scope) => Some(scope.installation),
            Who::App | Who::Token => None,
        }
    }
}

/// What a call does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind<'a> {
    /// Nothing, or nothing that shows: it may be repeated.
    Read,
    /// As [`Kind::Read`], but whoever asks will ask for less: it is sent once.
    ReadOnce,
    /// So many pieces of content, with this leave.
    Write(u32, &'a Leave),
}

/// Where the credentials come from.
pub(super) enum Access {
    App(App),
    Token(SecretString),
}

/// What all calls to one GitHub share.
pub(super) struct Client {
    transport: Transport,
    pub(super) endpoints: Endpoints,
    pub(super) access: Access,
    pub(super) clock: Clock,
    tokens: Tokens,
    /// Which of the App's keys GitHub took last.
    pub(super) key: AtomicUsize,
    /// What each installation grants, as GitHub said last: what is known to be
    /// missing is not asked for.
    granted: Mutex<HashMap<InstallationId, Granted>>,
    gates: Mutex<HashMap<Option<InstallationId>, Arc<Gate>>>,
    skew: Mutex<Skew>,
    pub(super) metrics: Metrics,
    /// Of an Enterprise Server.
    version: Mutex<Option<String>>,
}

/// A call, told apart from who makes it.
struct Call<'a> {
    /// For messages: the route or the document.
    label: String,
    /// For what is counted: the template of the route, or the document.
    name: &'static str,
    method: Method,
    uri: String,
    body: Option<&'a Value>,
    purse: Purse,
    kind: Kind<'a>,
    /// For a refusal that does not name what it needs.
    needs: &'static [Need],
    /// Whether the answer is wherever GitHub sends us; else it is the address.
    follows: bool,
}

impl Call<'_> {
    /// The method as a word.
    fn method(&self) -> &'static str {
        match self.method {
            Method::GET => "GET",
            Method::POST => "POST",
            Method::PATCH => "PATCH",
            Method::PUT => "PUT",
            Method::DELETE => "DELETE",
            _ => "other",
        }
    }
}

impl Client {
    pub(super) fn new(endpoints: Endpoints, access: Access, clock: Clock) -> Result<Client> {
        Ok(Client {
            transport: Transport::new(endpoints.clone())?,
            endpoints,
            access,
            clock,
            tokens: Tokens::default(),
            key: AtomicUsize::new(0),
            granted: Mutex::default(),
            gates: Mutex::default(),
            skew: Mutex::default(),
            metrics: Metrics::default(),
            version: Mutex::default(),
        })
    }

    /// Calls a route of the REST API.
    pub(super) async fn rest(
        &self,
        who: &Who,
        route: &Route,
        path: &str,
        body: Option<&Value>,
        kind: Kind<'_>,
    ) -> Result<Answer> {
        let call = Call {
            label: route.to_string(),
            name: route.template,
            method: route.method.clone(),
            uri: self.endpoints.rest(path),
            body,
            purse: Purse::Rest,
            kind,
            needs: route.needs,
            follows: true,
        };
        self.perform(who, &call, |_, answer| Ok(answer)).await
    }

    /// The address to which a route of the REST API sends whoever asks. It is
    /// not asked: it may be another host's (threats O2).
    pub(super) async fn rest_location(&self, who: &Who, route: &Route, values: &[&str]) -> Result<String> {
        let call = Call {
            label: route.to_string(),
            name: route.template,
            method: route.method.clone(),
            uri: self.endpoints.rest(&route.path(values)),
            body: None,
            purse: Purse::Rest,
            kind: Kind::Read,
            needs: route.needs,
            follows: false,
        };
        let answer = self.perform(who, &call, |_, answer| Ok(answer)).await?;
        let location = answer.headers.get("location").and_then(|location| location.to_str().ok());
        location
            .map(str::to_owned)
            .ok_or_else(|| Error::Permanent(format!("{route}: the answer is not as documented")))
    }

    /// Calls a route of the REST API and reads the answer.
    pub(super) async fn rest_json<T: DeserializeOwned>(
        &self,
        who: &Who,
        route: &Route,
        values: &[&str],
        body: Option<&Value>,
        kind: Kind<'_>,
    ) -> Result<T> {
        let answer = self.rest(who, route, &route.path(values), body, kind).await?;
        serde_json::from_slice(&answer.body).map_err(|error| unread(route, kind, &error))
    }

    /// Reads all pages of a list; `pick` finds the elements in a page.
    pub(super) async fn list<P: DeserializeOwned, T>(
        &self,
        who: &Who,
        route: &Route,
        values: &[&str],
        pick: impl Fn(P) -> Vec<T>,
    ) -> Result<Vec<T>> {
        self.list_from(who, route, format!("{}?per_page=100", route.path(values)), pick).await
    }

    /// Reads all pages of the list that begins at `first`.
    pub(super) async fn list_from<P: DeserializeOwned, T>(
        &self,
        who: &Who,
        route: &Route,
        first: String,
        pick: impl Fn(P) -> Vec<T>,
    ) -> Result<Vec<T>> {
        let mut next = Some(first.clone());
        let mut all = Vec::new();
        for _ in 0..MAX_PAGES {
            let Some(path) = next else { return Ok(all) };
            let (page, after) = self.page(who, route, &first, &path).await?;
            all.extend(pick(page));
            next = after;
        }
        Err(Error::Permanent(format!("{route}: the list does not end")))
    }

    /// Reads one page of the list that begins at `first`; after it the path of
    /// the next one.
    pub(super) async fn page<P: DeserializeOwned>(
        &self,
        who: &Who,
        route: &Route,
        first: &str,
        path: &str,
    ) -> Result<(P, Option<String>)> {
        let answer = self.rest(who, route, path, None, Kind::Read).await?;
        let page = serde_json::from_slice(&answer.body).map_err(|error| unread(route, Kind::Read, &error))?;
        let link = answer.headers.get("link").and_then(|link| link.to_str().ok()).unwrap_or_default();
        match next_page(link, &self.endpoints, first) {
            None => Ok((page, None)),
            Some(Ok(next)) => Ok((page, Some(next))),
            Some(Err(())) => Err(Error::Permanent(format!(
                "{route}: the next page is no page of this list; check MUSTER_GITHUB_API_URL"
            ))),
        }
    }

    /// Sends a GraphQL document.
    pub(super) async fn graphql(
        &self,
        who: &Who,
        document: &Document,
        variables: &Value,
        kind: Kind<'_>,
    ) -> Result<Envelope> {
        let body = json!({ "query": document.text, "operationName": document.name, "variables": variables });
        let call = Call {
            label: format!("GraphQL {}", document.name),
            name: document.name,
            method: Method::POST,
            uri: self.endpoints.graphql(),
            body: Some(&body),
            purse: Purse::GraphQl,
            kind,
            needs: document.needs,
            follows: true,
        };
        self.perform(who, &call, |gate, answer| {
            let envelope = Envelope::parse(&answer.body).map_err(|_| match kind {
                Kind::Read | Kind::ReadOnce => {
                    Error::Transient(format!("{}: the answer broke off", call.label))
                }
                Kind::Write(..) => Error::Ambiguous(call.label.clone()),
            })?;
            let verdict = envelope.verdict();
            match gate.limits().answered(call.purse, verdict, &answer.headers, self.clock.now()) {
                Some(until) => Err(Error::RateLimited { until }),
                None => Ok(envelope),
            }
        })
        .await
    }

    async fn perform<T>(
        &self,
        who: &Who,
        call: &Call<'_>,
        judge: impl Fn(&Gate, Answer) -> Result<T>,
    ) -> Result<T> {
        let gate = self.gate(who);
        let (mut turn, mut counted) = (None, false);
        let mut attempt = 1;
        let mut renewals = Renewals::default();
        loop {
            let credential = self.credential(who).await?;
            let outcome = match call.kind {
                Kind::Read | Kind::ReadOnce => {
                    self.wait_for(&gate, call.purse).await?;
                    let _place = gate.place().await?;
                    self.attempt(&gate, call, &credential).await
                }
                Kind::Write(pieces, leave) => {
                    // Held to the end: the next write begins after this one.
                    let mine = match turn.take() {
                        Some(mine) => mine,
                        None => gate.write.lock().await,
                    };
                    let _place = gate.place().await?;
                    // What GitHub did not take for its token was counted already.
                    let pieces = if counted { 0 } else { pieces };
                    self.turn(&gate, call.purse, leave, pieces).await?;
                    (turn, counted) = (Some(mine), true);
                    let sent = self.attempt(&gate, call, &credential);
                    tokio::time::timeout(LONGEST_WRITE, sent)
                        .await
                        .unwrap_or_else(|_| Err(lost(call, Fault::Lost)))
                }
            };
            let error = match outcome.and_then(|answer| judge(&gate, answer)) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if matches!(error, Error::Unauthorized(_)) && self.renew(who, &credential, &mut renewals).await {
                continue;
            }
            let repeats = matches!(call.kind, Kind::Read) && error.is_transient();
            if !repeats || attempt == ATTEMPTS {
                return Err(error);
            }
            let wait = Duration::from_secs(1 << (attempt - 1)).mul_f64(rand::random_range(0.5..1.5));
            self.clock.pause_until(self.clock.now() + wait).await;
            attempt += 1;
        }
    }

    async fn attempt(&self, gate: &Gate, call: &Call<'_>, credential: &Credential) -> Result<Answer> {
        let request = Request {
            method: call.method.clone(),
            uri: call.uri.clone(),
            token: Some(credential.secret()),
            body: call.body,
            follows: call.follows,
        };
        let sent = self.clock.now();
        let method = call.method();
        let answer = traces::call(method, call.name, self.transport.send(request)).await;
        let outcome = answer.map_err(|fault| lost(call, fault)).and_then(|answer| {
            self.compare_clocks(sent, &answer);
            self.sort(gate, call, answer)
        });
        self.metrics.called(method, call.name, outcome.as_ref().map_or_else(Error::word, |_| "ok"));
        outcome
    }
}
