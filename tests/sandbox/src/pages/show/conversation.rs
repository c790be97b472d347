//! Issues and pull requests.

use askama::Template;
use axum::extract::{Path, State as Extract};

use super::super::place::Place;
use super::super::{Frame, Page, Pages, Viewer, markdown, page};
use super::files::{Changed, Head};
use crate::state::{Issue, IssueState, REACTIONS, Reaction, Repository, State};

struct Item {
    number: u64,
    title: String,
    state: &'static str,
    author: String,
    labels: Vec<String>,
    comments: usize,
}

/// `open`, `closed`, `merged` or `draft`.
fn state_word(issue: &Issue) -> &'static str {
    match &issue.pull_request {
        Some(pull) if pull.merged.is_some() => "merged",
        Some(pull) if issue.is_open() && pull.draft => "draft",
        Some(_) | None if issue.is_open() => "open",
        Some(_) | None => "closed",
    }
}

fn labels(home: &Repository, issue: &Issue) -> Vec<String> {
    issue.labels.iter().filter_map(|label| home.labels.get(label)).map(|label| label.name.clone()).collect()
}

#[derive(Template)]
#[template(path = "conversations.html")]
struct ConversationsPage {
    frame: Frame,
    head: Head,
    word: &'static str,
    items: Vec<Item>,
}

fn list(pages: &Pages, viewer: &Viewer, place: &Place, pulls: bool) -> Page {
    let state = pages.state();
    let home = place.find(&state)?;
    let word = if pulls { "pull requests" } else { "issues" };
    let wanted = home.issues.values().rev().filter(|issue| issue.pull_request.is_some() == pulls);
    let item = |issue: &Issue| Item {
        number: issue.number,
        title: issue.title.clone(),
        state: state_word(issue),
        author: state.login(issue.author).to_owned(),
        labels: labels(home, issue),
        comments: home.comments_of(issue.number).count(),
    };
    page(&ConversationsPage {
        frame: Frame::new(&state, viewer, format!("{}: {word}", state.full_name(home))),
        head: Head::new(&state, home),
        word,
        items: wanted.map(item).collect(),
    })
}

pub(in super::super) async fn issues(
    Extract(pages): Extract<Pages>,
    viewer: Viewer,
    Path(place): Path<Place>,
) -> Page {
    list(&pages, &viewer, &place, false)
}

pub(in super::super) async fn pulls(
    Extract(pages): Extract<Pages>,
    viewer: Viewer,
    Path(place): Path<Place>,
) -> Page {
    list(&pages, &viewer, &place, true)
}

/// The opening text or a comment.
struct Post {
    /// `issue`, or the comment's id: what its forms name.
    subject: String,
    author: String,
    at: String,
    edited: bool,
    html: String,
    source: String,
    reactions: Vec<(String, String)>,
}

impl Post {
    fn reactions(state: &State, all: &[Reaction]) -> Vec<(String, String)> {
        let given = |content: &&str| {
            let by: Vec<&str> =
                all.iter().filter(|one| one.content == **content).map(|one| state.login(one.by)).collect();
            (!by.is_empty()).then(|| (sign(content).to_owned(), by.join(", ")))
        };
        REACTIONS.iter().filter_map(given).collect()
    }
}

/// What a reaction looks like.
fn sign(content: &str) -> &'static str {
    match content {
        "+1" => "👍",
        "-1" => "👎",
        "laugh" => "😄",
        "confused" => "😕",
        "heart" => "❤️",
        "hooray" => "🎉",
        "rocket" => "🚀",
        _ => "👀",
    }
}

/// What only a pull request shows.
struct Pull {
    from: String,
    into: String,
    mergeable: bool,
    changes: Vec<Changed>,
    checks: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "conversation.html")]
struct ConversationPage {
    frame: Frame,
    head: Head,
    /// Where its forms go.
    act: String,
    number: u64,
    title: String,
    state: &'static str,
    closed: String,
    open: bool,
    labels: Vec<String>,
    known_labels: Vec<String>,
    posts: Vec<Post>,
    pull: Option<Pull>,
    reactions: Vec<(&'static str, &'static str)>,
}

pub(in super::super) async fn conversation(
    Extract(pages): Extract<Pages>,
    viewer: Viewer,
    Path(place): Path<Place>,
) -> Page {
    let state = pages.state();
    let home = place.find(&state)?;
    let issue = place.issue(home)?;
    let tickable = viewer.0.is_some();
    let source = issue.body.clone().unwrap_or_default();
    let opening = Post {
        subject: "issue".to_owned(),
        author: state.login(issue.author).to_owned(),
        at: issue.created_at.to_string(),
        edited: !issue.edits.is_empty(),
        html: markdown::render(&source, tickable),
        source,
        reactions: Post::reactions(&state, &issue.reactions),
    };
    let comments = home.comments_of(issue.number).map(|comment| Post {
        subject: comment.id.to_string(),
        author: state.login(comment.author).to_owned(),
        at: comment.created_at.to_string(),
        edited: !comment.edits.is_empty(),
        html: markdown::render(&comment.body, tickable),
        source: comment.body.clone(),
        reactions: Post::reactions(&state, &comment.reactions),
    });
    let pull = issue.pull_request.as_ref().map(|pull| {
        let runs = home.check_runs.values().filter(|run| run.head == pull.head);
        let verdict = |run: &crate::state::CheckRun| {
            run.content.conclusion.clone().unwrap_or_else(|| run.content.status.clone())
        };
        Pull {
            from: format!("{}:{}", state.login(pull.head_owner), pull.head_branch),
            into: pull.base_branch.clone(),
            mergeable: issue.is_open() && home.is_mergeable(pull),
            changes: home.changed_files(pull).into_iter().map(Changed::from).collect(),
            checks: runs.map(|run| (run.content.name.clone(), verdict(run))).collect(),
        }
    });
    let closed = match &issue.state {
        IssueState::Open { .. } => String::new(),
        IssueState::Closed { by, at, .. } => format!("by {} at {at}", state.login(*by)),
    };
    page(&ConversationPage {
        frame: Frame::new(&state, &viewer, format!("{} #{}", issue.title, issue.number)),
        head: Head::new(&state, home),
        act: format!("/{}/act/{}", state.full_name(home), issue.number),
        number: issue.number,
        title: issue.title.clone(),
        state: state_word(issue),
        closed,
        open: issue.is_open(),
        labels: labels(home, issue),
        known_labels: home.labels.values().map(|label| label.name.clone()).collect(),
        posts: std::iter::once(opening).chain(comments).collect(),
        pull,
        reactions: REACTIONS.iter().map(|content| (*content, sign(content))).collect(),
    })
}
