//! The pages that show.

mod conversation;
mod files;

use askama::Template;
use axum::extract::{Path, State as Extract};

pub(super) use self::conversation::{conversation, issues, pulls};
pub(super) use self::files::{commit, commits, files, repository};
use super::{Frame, Page, Pages, Viewer, page};
use crate::state::{Delivery, Refusal, Repository, State, Visibility};

/// A repository in a list.
struct Entry {
    full_name: String,
    description: String,
    badges: Vec<&'static str>,
    issues: usize,
    pulls: usize,
}

impl Entry {
    fn new(state: &State, home: &Repository) -> Self {
        let open = |pull: bool| {
            let open = home.issues.values().filter(|issue| issue.is_open());
            open.filter(|issue| issue.pull_request.is_some() == pull).count()
        };
        Self {
            full_name: state.full_name(home),
            description: home.description.clone().unwrap_or_default(),
            badges: badges(home),
            issues: open(false),
            pulls: open(true),
        }
    }
}

fn badges(home: &Repository) -> Vec<&'static str> {
    let visibility = match home.visibility {
        Visibility::Public => "public",
        Visibility::Internal => "internal",
        Visibility::Private => "private",
    };
    let flags = [
        (home.archived, "archived"),
        (home.fork_of.is_some(), "fork"),
        (home.is_template, "template"),
        (home.mirror_url.is_some(), "mirror"),
        (home.is_empty(), "empty"),
    ];
    let set = flags.into_iter().filter(|(set, _)| *set).map(|(_, word)| word);
    std::iter::once(visibility).chain(set).collect()
}

/// An account with its repositories.
struct Group {
    login: String,
    kind: &'static str,
    repositories: Vec<Entry>,
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    frame: Frame,
    groups: Vec<Group>,
}

fn groups(state: &State, only: Option<&str>) -> Vec<Group> {
    let wanted =
        state.accounts().filter(|account| only.is_none_or(|login| account.login.eq_ignore_ascii_case(login)));
    let group = wanted.map(|account| {
        let owned = state.repositories().filter(|home| home.owner == account.id);
        Group {
            login: account.login.clone(),
            kind: account.type_word(),
            repositories: owned.map(|home| Entry::new(state, home)).collect(),
        }
    });
    // Accounts without a repository are shown on their own page only.
    group.filter(|group| only.is_some() || !group.repositories.is_empty()).collect()
}

pub(super) async fn home(Extract(pages): Extract<Pages>, viewer: Viewer) -> Page {
    let state = pages.state();
    page(&HomePage { frame: Frame::new(&state, &viewer, "Repositories"), groups: groups(&state, None) })
}

pub(super) async fn account(
    Extract(pages): Extract<Pages>,
    viewer: Viewer,
    Path(login): Path<String>,
) -> Page {
    let state = pages.state();
    let groups = groups(&state, Some(&login));
    if groups.is_empty() {
        return Err(Refusal::NotFound.into());
    }
    page(&HomePage { frame: Frame::new(&state, &viewer, login), groups })
}

/// A delivery in a list.
struct Sent {
    id: u64,
    event: String,
    guid: String,
    verdict: String,
    good: bool,
    at: String,
}

impl Sent {
    fn new(delivery: &Delivery) -> Self {
        let action = delivery.action.as_ref().map(|action| format!(".{action}")).unwrap_or_default();
        let again = if delivery.redelivery { " (again)" } else { "" };
        let attempt = delivery.attempt.as_ref();
        Self {
            id: delivery.id,
            event: format!("{}{action}{again}", delivery.event),
            guid: delivery.guid.clone(),
            verdict: attempt.map_or("pending".to_owned(), |attempt| {
                format!("{} {}", attempt.status_code, attempt.status)
            }),
            good: attempt.is_none_or(crate::state::Attempt::succeeded),
            at: attempt.map(|attempt| attempt.at.to_string()).unwrap_or_default(),
        }
    }
}

#[derive(Template)]
#[template(path = "deliveries.html")]
struct DeliveriesPage {
    frame: Frame,
    deliveries: Vec<Sent>,
}

pub(super) async fn deliveries(Extract(pages): Extract<Pages>, viewer: Viewer) -> Page {
    let state = pages.state();
    let mut deliveries: Vec<Sent> = state.pending().chain(state.delivered()).map(Sent::new).collect();
    deliveries.sort_by_key(|delivery| std::cmp::Reverse(delivery.id));
    page(&DeliveriesPage { frame: Frame::new(&state, &viewer, "Deliveries"), deliveries })
}

#[derive(Template)]
#[template(path = "delivery.html")]
struct DeliveryPage {
    frame: Frame,
    sent: Sent,
    headers: Vec<(String, String)>,
    payload: String,
    answer: String,
}

pub(super) async fn delivery(Extract(pages): Extract<Pages>, viewer: Viewer, Path(id): Path<u64>) -> Page {
    let state = pages.state();
    let found = state.pending().chain(state.delivered()).find(|delivery| delivery.id == id);
    let delivery = found.ok_or(Refusal::NotFound)?;
    let attempt = delivery.attempt.as_ref();
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let headers = attempt.into_iter().flat_map(|attempt| &attempt.request_headers);
    let payload: serde_json::Value = serde_json::from_str(&delivery.payload).unwrap_or_default();
    page(&DeliveryPage {
        frame: Frame::new(&state, &viewer, format!("Delivery {id}")),
        sent: Sent::new(delivery),
        headers: headers.map(|(name, value)| (name.clone(), text(value))).collect(),
        payload: format!("{payload:#}"),
        answer: attempt.and_then(|attempt| attempt.response_body.clone()).unwrap_or_default(),
    })
}
