//! Plain pages on which a person sees this GitHub and acts in it.
//!
//! Promises: (1) no scripts, and nothing loaded from elsewhere; (2) text that
//! somebody wrote never becomes markup; (3) a page acts through the same
//! operations as the API, as the person chosen on it.
//!
//! Reading shows everything, whoever is chosen: these are the pages of the one
//! who plays GitHub.

mod act;
mod markdown;
mod place;
mod show;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use askama::Template;
use axum::Router;
use axum::extract::{FromRequestParts, Path, RawQuery};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};

use crate::state::{AccountKind, Caller, Refusal, State};

/// The state the pages show.
#[derive(Clone)]
pub struct Pages(Arc<Mutex<State>>);

impl Pages {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the state as the refused operation found it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pages over a state, to be served from the web origin.
pub fn router(state: Arc<Mutex<State>>) -> Router {
    Router::new()
        .route("/", get(show::home))
        .route("/style.css", get(style))
        .route("/session", post(act::choose))
        .route("/deliveries", get(show::deliveries))
        .route("/deliveries/{id}", get(show::delivery))
        .route("/deliveries/{id}/redeliver", post(act::redeliver))
        .route("/{owner}", get(show::account))
        .route("/{owner}/{repository}", get(show::repository))
        .route("/{owner}/{repository}/tree/{*rest}", get(show::files))
        .route("/{owner}/{repository}/blob/{*rest}", get(show::files))
        .route("/{owner}/{repository}/commits/{*branch}", get(show::commits))
        .route("/{owner}/{repository}/commit/{oid}", get(show::commit))
        .route("/{owner}/{repository}/legacy.tar.gz/{*revision}", get(archive))
        .route("/{owner}/{repository}/issues", get(show::issues))
        .route("/{owner}/{repository}/pulls", get(show::pulls))
        .route("/{owner}/{repository}/issues/{number}", get(show::conversation))
        .route("/{owner}/{repository}/pull/{number}", get(show::conversation))
        .route("/{owner}/{repository}/act/{number}/{action}", post(act::conversation))
        .route("/{owner}/{repository}/push", post(act::push))
        .with_state(Pages(state))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("pages/style.css"))
}

/// An archive, for whom the API has sent. It wants no credentials of another
/// host, and refuses whoever shows them here.
async fn archive(
    axum::extract::State(pages): axum::extract::State<Pages>,
    Path((owner, repository, revision)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if headers.contains_key(header::AUTHORIZATION) {
        return (StatusCode::BAD_REQUEST, "credentials of another host").into_response();
    }
    let key = query.as_deref().and_then(|query| query.strip_prefix("token="));
    let found = pages.state().archive(&format!("{owner}/{repository}"), &revision, key);
    match found {
        Some(bytes) => ([(header::CONTENT_TYPE, "application/x-gzip")], bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The person chosen on the page.
#[derive(Debug, Clone, Default)]
pub(super) struct Viewer(Option<String>);

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Viewer(chosen(&parts.headers)))
    }
}

const COOKIE: &str = "sandbox-user=";

fn chosen(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';'));
    let login = pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE))?;
    (!login.is_empty()).then(|| login.to_owned())
}

impl Viewer {
    /// As whom an action runs.
    fn caller(&self, state: &State) -> Result<Caller, Failure> {
        let login = self.0.as_deref().ok_or(Failure::Nobody)?;
        let person = state.account_named(login).ok_or(Failure::Nobody)?;
        Ok(Caller::Person(person.id))
    }
}

/// What every page shows around its content.
struct Frame {
    title: String,
    people: Vec<String>,
    viewer: Option<String>,
}

impl Frame {
    fn new(state: &State, viewer: &Viewer, title: impl Into<String>) -> Self {
        let people = state.accounts().filter(|account| matches!(account.kind, AccountKind::User));
        Self {
            title: title.into(),
            people: people.map(|person| person.login.clone()).collect(),
            viewer: viewer.0.clone(),
        }
    }

    fn is_viewer(&self, login: &&String) -> bool {
        self.viewer.as_ref() == Some(*login)
    }
}

/// Why there is no page.
#[derive(Debug)]
enum Failure {
    /// The state refused.
    Refused(Refusal),
    /// Nobody was chosen to act as.
    Nobody,
    /// The form is not one of ours.
    Form(&'static str),
    /// A template failed.
    Template(askama::Error),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refused(refusal)
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    title: String,
    message: String,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Failure::Refused(refusal) => {
                let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
                (status, refusal.graphql_message())
            }
            Failure::Nobody => {
                (StatusCode::FORBIDDEN, "Choose at the top of a page as whom to act.".to_owned())
            }
            Failure::Form(what) => (StatusCode::BAD_REQUEST, what.to_owned()),
            Failure::Template(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        };
        let page = FailurePage { title: status.to_string(), message };
        match page.render() {
            Ok(html) => (status, guarded(html)).into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    }
}

type Page = Result<Response, Failure>;

fn page(template: &impl Template) -> Page {
    Ok(guarded(template.render().map_err(Failure::Template)?))
}

/// A page that may load its style sheet and post its forms, and nothing else.
fn guarded(html: String) -> Response {
    const POLICY: &str =
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(html)).into_response()
}

#[cfg(test)]
mod tests;
