//! The one way a call to GitHub is made: credentials, limits, attempts, and
//! the sorting of what comes back.
//!
//! Promises: (1) only reads are repeated, three times at most; a write is
//! sent once, and once more only if GitHub did not take its token; (2) a wait
//! longer than ten seconds is never slept through: it goes to the caller as
//! [`Error::RateLimited`], with the moment; (3) writes of one installation
//! follow each other, at its pace; (4) the 401 of an expired token costs one
//! new token, not a failed job.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Method, StatusCode};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::sync::{MutexGuard, Semaphore};

use super::{
    credentials::{App, Scope, Token, TokenKey, Tokens},
    endpoints::{Endpoints, next_page},
    error::{Error, Result, refusal},
    graphql::{Document, Envelope},
    limits::{self, Limits, Pace, Purse, Turn, Verdict},
    needs::{self, Route},
    transport::{Answer, Fault, Request, Transport},
};
use crate::{clock::Clock, domain::repository::InstallationId};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing, or nothing that shows: it may be repeated.
    Read,
    /// Content: so many writes, at this pace.
    Write(u32, Pace),
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
    key: AtomicUsize,
    gates: Mutex<HashMap<Option<InstallationId>, Arc<Gate>>>,
}

/// What everyone on one installation has to pass.
struct Gate {
    limits: Mutex<Limits>,
    at_once: Semaphore,
    /// Held by the one write under way.
    write: tokio::sync::Mutex<()>,
}

impl Gate {
    fn limits(&self) -> std::sync::MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call, told apart from who makes it.
struct Call<'a> {
    /// For messages: the route or the document.
    label: String,
    method: Method,
    uri: String,
    body: Option<&'a Value>,
    purse: Purse,
    kind: Kind,
    /// For a refusal that does not name what it needs.
    needs: &'static [needs::Need],
}

/// The credentials one attempt is made with.
enum Credential {
    Key(usize),
    Token(Token),
    Plain,
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
            gates: Mutex::default(),
        })
    }

    /// Calls a route of the REST API.
    pub(super) async fn rest(
        &self,
        who: &Who,
        route: &Route,
        path: &str,
        body: Option<&Value>,
        kind: Kind,
    ) -> Result<Answer> {
        let call = Call {
            label: route.to_string(),
            method: route.method.clone(),
            uri: self.endpoints.rest(path),
            body,
            purse: Purse::Rest,
            kind,
            needs: route.needs,
        };
        self.perform(who, &call, |_, answer| Ok(answer)).await
    }

    /// Calls a route of the REST API and reads the answer.
    pub(super) async fn rest_json<T: DeserializeOwned>(
        &self,
        who: &Who,
        route: &Route,
        values: &[&str],
        body: Option<&Value>,
        kind: Kind,
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
        let first = format!("{}?per_page=100", route.path(values));
        let mut path = first.clone();
        let mut all = Vec::new();
        for _ in 0..MAX_PAGES {
            let answer = self.rest(who, route, &path, None, Kind::Read).await?;
            let page: P =
                serde_json::from_slice(&answer.body).map_err(|error| unread(route, Kind::Read, &error))?;
            all.extend(pick(page));
            let link = answer.headers.get("link").and_then(|link| link.to_str().ok()).unwrap_or_default();
            match next_page(link, &self.endpoints, &first) {
                None => return Ok(all),
                Some(Ok(next)) => path = next,
                Some(Err(())) => {
                    return Err(Error::Permanent(format!(
                        "{route}: the next page is said to be elsewhere; check the API address in the settings"
                    )));
                }
            }
        }
        Err(Error::Permanent(format!("{route}: the list does not end")))
    }

    /// Sends a GraphQL document.
    pub(super) async fn graphql(
        &self,
        who: &Who,
        document: &Document,
        variables: &Value,
        kind: Kind,
    ) -> Result<Envelope> {
        let body = json!({ "query": document.text, "operationName": document.name, "variables": variables });
        let call = Call {
            label: format!("GraphQL {}", document.name),
            method: Method::POST,
            uri: self.endpoints.graphql(),
            body: Some(&body),
            purse: Purse::GraphQl,
            kind,
            needs: document.needs,
        };
        self.perform(who, &call, |gate, answer| {
            let envelope = Envelope::parse(&answer.body).map_err(|_| match kind {
                Kind::Read => Error::Transient(format!("{}: the answer broke off", call.label)),
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

    /// Ends every token in memory; returns how many GitHub ended, and how many
    /// it did not (those end by themselves within the hour).
    pub(super) async fn revoke_all(&self) -> (usize, usize) {
        let (mut ended, mut left) = (0, 0);
        for token in self.tokens.drain().await {
            let request = Request {
                method: needs::REVOKE.method.clone(),
                uri: self.endpoints.rest(needs::REVOKE.template),
                token: Some(&token.secret),
                body: None,
            };
            match self.transport.send(request).await {
                Ok(answer) if answer.status.is_success() => ended += 1,
                Ok(_) | Err(_) => left += 1,
            }
        }
        (ended, left)
    }

    async fn perform<T>(
        &self,
        who: &Who,
        call: &Call<'_>,
        judge: impl Fn(&Gate, Answer) -> Result<T>,
    ) -> Result<T> {
        let gate = self.gate(who);
        let _place = gate.at_once.acquire().await.map_err(|_| Error::Transient(call.label.clone()))?;
        let _turn = match call.kind {
            Kind::Read => None,
            Kind::Write(count, pace) => Some(self.turn(&gate, call.purse, count, pace).await?),
        };
        let mut attempt = 1;
        let mut renewals = 0;
        loop {
            if call.kind == Kind::Read {
                self.wait_for(&gate, call.purse).await?;
            }
            let credential = self.credential(who).await?;
            let outcome = self.attempt(&gate, call, &credential).await;
            let error = match outcome.and_then(|answer| judge(&gate, answer)) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if matches!(error, Error::Unauthorized(_)) && self.renew(who, &credential, renewals).await {
                renewals += 1;
                continue;
            }
            if call.kind != Kind::Read || !error.is_transient() || attempt == ATTEMPTS {
                return Err(error);
            }
            let wait = Duration::from_secs(1 << (attempt - 1)).mul_f64(rand::random_range(0.5..1.5));
            self.clock.pause_until(self.clock.now() + wait).await;
            attempt += 1;
        }
    }

    async fn attempt(&self, gate: &Gate, call: &Call<'_>, credential: &Credential) -> Result<Answer> {
        let jwt;
        let token = match (credential, &self.access) {
            (Credential::Key(key), Access::App(app)) => {
                jwt = app.jwt(*key, self.clock.now())?;
                Some(&jwt)
            }
            (Credential::Token(token), _) => Some(&token.secret),
            (Credential::Plain, Access::Token(token)) => Some(token),
            (Credential::Key(_), Access::Token(_)) | (Credential::Plain, Access::App(_)) => None,
        };
        let request = Request { method: call.method.clone(), uri: call.uri.clone(), token, body: call.body };
        let answer = self.transport.send(request).await.map_err(|fault| lost(call, fault))?;
        self.sort(gate, call, answer)
    }

    /// Sorts an answer by its status and headers.
    fn sort(&self, gate: &Gate, call: &Call<'_>, answer: Answer) -> Result<Answer> {
        if answer.status.is_success() {
            // A GraphQL answer says in its body whether it was refused for a
            // limit; its headers are taken in with that.
            if call.purse == Purse::Rest {
                gate.limits().answered(call.purse, Verdict::Answered, &answer.headers, self.clock.now());
            }
            return Ok(answer);
        }
        let words = answer.message();
        let verdict = limits::verdict(answer.status, &answer.headers, &words);
        let limited = gate.limits().answered(call.purse, verdict, &answer.headers, self.clock.now());
        if let Some(until) = limited {
            return Err(Error::RateLimited { until });
        }
        let label = || call.label.clone();
        Err(match answer.status {
            StatusCode::UNAUTHORIZED => Error::Unauthorized(label()),
            StatusCode::FORBIDDEN if words.to_ascii_lowercase().contains("suspended") => Error::Suspended,
            StatusCode::FORBIDDEN if words.to_ascii_lowercase().contains("archived") => {
                refusal(&call.label, &words)
            }
            StatusCode::FORBIDDEN => {
                let named = answer.headers.get("x-accepted-github-permissions").and_then(|v| v.to_str().ok());
                let needs = named.map_or_else(|| needs::shown(call.needs), super::error::sentence);
                Error::Forbidden { route: label(), needs }
            }
            StatusCode::NOT_FOUND => Error::NotFound(label()),
            StatusCode::GONE => Error::Gone(label()),
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => refusal(&call.label, &words),
            status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                let message = format!("{} answered {}", call.label, status.as_u16());
                match call.kind {
                    Kind::Read => Error::Transient(message),
                    Kind::Write(..) => Error::Ambiguous(message),
                }
            }
            // A write is not followed to where a repository has moved.
            status if status.is_redirection() => Error::StaleData(label()),
            status => Error::Permanent(format!(
                "{} answered {}: this is not documented, please report it",
                call.label,
                status.as_u16()
            )),
        })
    }

    fn gate(&self, who: &Who) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = gates.entry(who.purse_holder()).or_insert_with(|| {
            Arc::new(Gate {
                limits: Mutex::default(),
                at_once: Semaphore::new(AT_ONCE),
                write: tokio::sync::Mutex::new(()),
            })
        });
        Arc::clone(gate)
    }

    async fn wait_for(&self, gate: &Gate, purse: Purse) -> Result<()> {
        loop {
            let now = self.clock.now();
            let Err(until) = gate.limits().read(purse, now) else { return Ok(()) };
            if until > now + LONGEST_PAUSE {
                return Err(Error::RateLimited { until });
            }
            self.clock.pause_until(until).await;
        }
    }

    /// Waits for the write before this one, and for the distance to it.
    async fn turn<'g>(
        &self,
        gate: &'g Gate,
        purse: Purse,
        count: u32,
        pace: Pace,
    ) -> Result<MutexGuard<'g, ()>> {
        let held = gate.write.lock().await;
        loop {
            let turn = gate.limits().write(purse, count, pace, self.clock.now());
            match turn {
                Turn::Now => return Ok(held),
                Turn::Soon(when) => self.clock.pause_until(when).await,
                Turn::Not(until) => return Err(Error::RateLimited { until }),
            }
        }
    }

    async fn credential(&self, who: &Who) -> Result<Credential> {
        match who {
            Who::App => Ok(Credential::Key(self.key.load(Ordering::Relaxed))),
            Who::Token => Ok(Credential::Plain),
            Who::Installation(scope) => {
                let now = self.clock.now();
                let token = self.tokens.get(self.token_key(scope)?, now, self.mint(scope, now)).await?;
                Ok(Credential::Token(token))
            }
        }
    }

    /// After a 401: whether other credentials are at hand.
    async fn renew(&self, who: &Who, refused: &Credential, renewals: usize) -> bool {
        match (who, refused, &self.access) {
            (Who::App, Credential::Key(key), Access::App(app)) => {
                // During a rotation GitHub knows one of the keys, not which.
                self.key.store((key + 1) % app.keys(), Ordering::Relaxed);
                renewals + 1 < app.keys()
            }
            (Who::Installation(scope), Credential::Token(token), _) if renewals == 0 => {
                if let Ok(key) = self.token_key(scope) {
                    self.tokens.forget(&key, token).await;
                }
                true
            }
            _ => false,
        }
    }

    fn token_key(&self, scope: &Scope) -> Result<TokenKey> {
        match &self.access {
            Access::App(app) => Ok(TokenKey {
                host: self.endpoints.host().to_owned(),
                app: app.issuer().to_owned(),
                scope: scope.clone(),
            }),
            Access::Token(_) => Err(Error::Permanent(
                "this needs the App's credentials: set its id and private key".to_owned(),
            )),
        }
    }

    /// Mints a token. It shows to nobody and changes nothing, so it may be
    /// asked for again.
    async fn mint(&self, scope: &Scope, now: Timestamp) -> Result<Token> {
        #[derive(Deserialize)]
        struct Minted {
            token: String,
            expires_at: Timestamp,
        }
        let permissions: serde_json::Map<String, Value> = scope
            .permissions
            .iter()
            .map(|(permission, level)| (permission.as_str().to_owned(), level.as_str().into()))
            .collect();
        let mut body = json!({ "permissions": permissions });
        if let Some(ids) = &scope.repositories {
            body["repository_ids"] = ids.iter().map(|id| id.0).collect();
        }
        let id = scope.installation.to_string();
        // The App's own call is made by the same path, which has no end for the compiler.
        let answer: Result<Minted> =
            Box::pin(self.rest_json(&Who::App, &needs::MINT, &[&id], Some(&body), Kind::Read)).await;
        match answer {
            Ok(minted) => Ok(Token::new(SecretString::from(minted.token), now, minted.expires_at)),
            // More was asked than the account has granted.
            Err(Error::Refused { .. }) => Err(Error::Forbidden {
                route: needs::MINT.to_string(),
                needs: needs::shown(&scope.permissions),
            }),
            Err(error) => Err(error),
        }
    }
}

fn lost(call: &Call<'_>, fault: Fault) -> Error {
    let label = &call.label;
    match (fault, call.kind) {
        (Fault::NotSent, _) => Error::Transient(format!("{label}: GitHub cannot be reached")),
        (Fault::Lost, Kind::Read) => Error::Transient(format!("{label}: the answer was lost")),
        (Fault::Lost | Fault::TooLarge | Fault::Elsewhere, Kind::Write(..)) => {
            Error::Ambiguous(format!("{label}: the answer was lost"))
        }
        (Fault::TooLarge, Kind::Read) => {
            Error::Permanent(format!("{label}: the answer is larger than 32 MiB"))
        }
        (Fault::Elsewhere, Kind::Read) => Error::Permanent(format!(
            "{label}: GitHub redirects out of the configured address; check the API address in the settings"
        )),
    }
}

/// An answer that is not what its route documents.
fn unread(route: &Route, kind: Kind, error: &serde_json::Error) -> Error {
    match kind {
        // What was asked for has happened; only its description is unclear.
        Kind::Write(..) => Error::Ambiguous(format!("{route}: the answer cannot be read")),
        Kind::Read if error.is_eof() => Error::Transient(format!("{route}: the answer broke off")),
        Kind::Read => Error::Permanent(format!(
            "{route}: the answer is not as documented (line {}, column {})",
            error.line(),
            error.column()
        )),
    }
}
