//! The forms: each acts as the chosen person and leads back to the page.

use axum::Form;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use serde::Deserialize;

use super::place::Place;
use super::{COOKIE, Failure, Page, Pages, Viewer, markdown};
use crate::git::Mode;
use crate::state::{Caller, FilePush, IssueChange, MergeMethod, State, Subject};

#[derive(Deserialize)]
pub(super) struct Choice {
    login: String,
}

/// Chooses as whom to act; an empty login for nobody.
pub(super) async fn choose(
    Extract(pages): Extract<Pages>,
    headers: HeaderMap,
    Form(choice): Form<Choice>,
) -> Page {
    if !choice.login.is_empty() && pages.state().account_named(&choice.login).is_none() {
        return Err(Failure::Form("there is no such person"));
    }
    let cookie = format!("{COOKIE}{}; Path=/; HttpOnly; SameSite=Lax", choice.login);
    Ok(([(header::SET_COOKIE, cookie)], back(&headers)).into_response())
}

/// Back to where the form stood, within these pages.
fn back(headers: &HeaderMap) -> Redirect {
    let referer = headers.get(header::REFERER).and_then(|value| value.to_str().ok()).unwrap_or("/");
    let path =
        referer.split_once("://").map_or(referer, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    let within = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    Redirect::to(if within { path } else { "/" })
}

pub(super) async fn redeliver(Extract(pages): Extract<Pages>, viewer: Viewer, Path(id): Path<u64>) -> Page {
    let mut state = pages.state();
    viewer.caller(&state)?;
    state.redeliver(id)?;
    Ok(Redirect::to("/deliveries").into_response())
}

#[derive(Deserialize)]
pub(super) struct File {
    branch: String,
    path: String,
    content: String,
    message: String,
}

pub(super) async fn push(
    Extract(pages): Extract<Pages>,
    viewer: Viewer,
    Path(place): Path<Place>,
    Form(file): Form<File>,
) -> Page {
    let mut state = pages.state();
    let caller = viewer.caller(&state)?;
    let home = place.find_for(&state, &caller)?;
    if file.path.trim().is_empty() {
        return Err(Failure::Form("a file needs a path"));
    }
    let message = match file.message.trim() {
        "" => format!("Update {}", file.path),
        message => message.to_owned(),
    };
    // A browser sends a text with CRLF; git keeps what an editor would write.
    let content = Bytes::from(file.content.replace("\r\n", "\n"));
    let change = (file.path.clone(), FilePush::Write(Mode::File, content));
    state.push(&caller, home, &file.branch, vec![change], &message)?;
    let (owner, repository) = (&place.owner, &place.repository);
    Ok(Redirect::to(&format!("/{owner}/{repository}/blob/{}/{}", file.branch, file.path)).into_response())
}

/// What the forms of a conversation send.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Deed {
    body: String,
    /// `issue`, or a comment's id.
    subject: String,
    content: String,
    label: String,
    #[serde(rename = "box")]
    task: usize,
}

pub(super) async fn conversation(
    Extract(pages): Extract<Pages>,
    viewer: Viewer,
    headers: HeaderMap,
    Path(place): Path<Place>,
    Form(deed): Form<Deed>,
) -> Result<Response, Failure> {
    let mut state = pages.state();
    let caller = viewer.caller(&state)?;
    let home = place.find_for(&state, &caller)?;
    let number = place.number;
    let names = std::slice::from_ref(&deed.label);
    let closed = |closed: bool| IssueChange { closed: Some(closed), ..IssueChange::default() };
    match place.action.as_str() {
        "comment" => {
            state.create_comment(&caller, home, number, &deed.body)?;
        }
        "react" => {
            let subject = match deed.comment()? {
                None => Subject::Issue(number),
                Some(comment) => Subject::Comment(comment),
            };
            state.react(&caller, home, subject, &deed.content)?;
        }
        "close" => state.update_issue(&caller, home, number, closed(true))?,
        "reopen" => state.update_issue(&caller, home, number, closed(false))?,
        "merge" => {
            state.merge(&caller, home, number, MergeMethod::Merge, None)?;
        }
        "edit" => deed.rewrite(&mut state, &caller, home, number, &deed.body)?,
        "tick" => {
            let home_now = state.repository(home)?;
            let body = match deed.comment()? {
                None => place.issue(home_now)?.body.clone().unwrap_or_default(),
                Some(comment) => state.comment(home, comment)?.body.clone(),
            };
            let body = markdown::toggled(&body, deed.task).ok_or(Failure::Form("there is no such task"))?;
            deed.rewrite(&mut state, &caller, home, number, &body)?;
        }
        "label" => state.add_labels(&caller, home, number, names)?,
        "unlabel" => state.remove_label(&caller, home, number, &deed.label)?,
        _ => return Err(Failure::Form("there is no such action")),
    }
    Ok(back(&headers).into_response())
}

impl Deed {
    /// The comment it is about; `None` for the opening text.
    fn comment(&self) -> Result<Option<u64>, Failure> {
        match self.subject.as_str() {
            "issue" => Ok(None),
            id => id.parse().map(Some).map_err(|_| Failure::Form("there is no such comment")),
        }
    }

    /// Saves a text as GitHub's pages do: its lines end in CRLF.
    fn rewrite(
        &self,
        state: &mut State,
        caller: &Caller,
        home: u64,
        number: u64,
        body: &str,
    ) -> Result<(), Failure> {
        let body = body.replace("\r\n", "\n").replace('\n', "\r\n");
        match self.comment()? {
            None => {
                let change = IssueChange { body: Some(Some(body)), ..IssueChange::default() };
                Ok(state.update_issue(caller, home, number, change)?)
            }
            Some(comment) => Ok(state.update_comment(caller, home, comment, &body)?),
        }
    }
}
