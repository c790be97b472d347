//! Issues.

use serde_json::Value;

use super::{Answer, Input};
use crate::state::{CloseReason, Issue, IssueChange, NewIssue, Refusal, Repository};

type Result = std::result::Result<Answer, Refusal>;

fn shown(input: &Input<'_>, number: u64) -> std::result::Result<Value, Refusal> {
    let home = input.home()?;
    Ok(input.state.issue_json(home, input.state.issue(home.id, number)?))
}

/// Whether an issue fits the list's `state`, `open` if not said.
pub(super) fn in_state(input: &Input<'_>, issue: &Issue) -> std::result::Result<bool, Refusal> {
    match input.query.get("state").map(String::as_str) {
        None | Some("open") => Ok(issue.is_open()),
        Some("closed") => Ok(!issue.is_open()),
        Some("all") => Ok(true),
        Some(_) => Err(Refusal::invalid("Issue", "state", "invalid")),
    }
}

/// Sorts as asked: by `created` (default) or `updated`, newest first.
pub(super) fn sort(input: &Input<'_>, issues: &mut [&Issue]) -> std::result::Result<(), Refusal> {
    match input.query.get("sort").map(String::as_str) {
        None | Some("created") => issues.sort_by_key(|issue| issue.number),
        Some("updated") => issues.sort_by_key(|issue| (issue.updated_at, issue.number)),
        Some(_) => return Err(Refusal::invalid("Issue", "sort", "invalid")),
    }
    match input.query.get("direction").map(String::as_str) {
        None | Some("desc") => issues.reverse(),
        Some("asc") => {}
        Some(_) => return Err(Refusal::invalid("Issue", "direction", "invalid")),
    }
    Ok(())
}

fn has_labels(home: &Repository, issue: &Issue, wanted: &str) -> bool {
    wanted
        .split(',')
        .filter(|name| !name.is_empty())
        .all(|name| home.label_named(name).is_some_and(|label| issue.labels.contains(&label.id)))
}

pub(super) fn list(input: &mut Input<'_>) -> Result {
    let home = input.home()?;
    let since: Option<jiff::Timestamp> = input
        .query
        .get("since")
        .map(|text| text.parse())
        .transpose()
        .map_err(|_| Refusal::invalid("Issue", "since", "invalid"))?;
    let account = |name: &str| {
        let login = input.query.get(name)?;
        Some(input.state.account_named(login).map(|account| account.id))
    };
    let (creator, assignee) = (account("creator"), account("assignee"));
    let mut found = Vec::new();
    for issue in input.state.listed_issues(home.id)? {
        // With issues switched off the list still shows pull requests.
        let fits = in_state(input, issue)?
            && (home.has_issues || issue.pull_request.is_some())
            && creator.is_none_or(|id| id == Some(issue.author))
            && assignee.is_none_or(|id| id.is_some_and(|id| issue.assignees.contains(&id)))
            && since.is_none_or(|since| issue.updated_at >= since)
            && input.query.get("labels").is_none_or(|wanted| has_labels(home, issue, wanted));
        if fits {
            found.push(issue);
        }
    }
    sort(input, &mut found)?;
    let items = found.into_iter().map(|issue| input.state.issue_json(home, issue)).collect();
    Ok(input.page(items))
}

pub(super) fn create(input: &mut Input<'_>) -> Result {
    let id = input.home_id()?;
    let new = NewIssue {
        title: input.required("Issue", "title")?,
        body: input.text("body")?,
        labels: input.texts("labels")?.unwrap_or_default(),
        assignees: input.texts("assignees")?.unwrap_or_default(),
    };
    let number = input.state.create_issue(input.caller, id, new)?;
    Ok(Answer::created(shown(input, number)?))
}

pub(super) fn get(input: &mut Input<'_>) -> Result {
    let number = input.number("issue_number")?;
    let home = input.home()?;
    if !home.has_issues && input.state.issue(home.id, number)?.pull_request.is_none() {
        return Err(Refusal::IssuesDisabled);
    }
    Ok(Answer::ok(shown(input, number)?))
}

/// What a `PATCH` of an issue or pull request says.
pub(super) fn change(input: &Input<'_>, resource: &'static str) -> std::result::Result<IssueChange, Refusal> {
    let closed = match input.text("state")?.as_deref() {
        None => None,
        Some("open") => Some(false),
        Some("closed") => Some(true),
        Some(_) => return Err(Refusal::invalid(resource, "state", "invalid")),
    };
    let reason = match input.text("state_reason")?.as_deref() {
        None | Some("reopened") => None,
        Some(word) => {
            let known = CloseReason::from_word(word);
            Some(known.ok_or(Refusal::invalid(resource, "state_reason", "invalid"))?)
        }
    };
    let body = match input.body.get("body") {
        None => None,
        Some(_) => Some(input.text("body")?),
    };
    Ok(IssueChange {
        title: input.text("title")?,
        body,
        closed,
        reason,
        labels: input.texts("labels")?,
        assignees: input.texts("assignees")?,
    })
}

pub(super) fn update(input: &mut Input<'_>) -> Result {
    let (id, number) = (input.home_id()?, input.number("issue_number")?);
    let change = change(input, "Issue")?;
    input.state.update_issue(input.caller, id, number, change)?;
    Ok(Answer::ok(shown(input, number)?))
}

pub(super) fn lock(input: &mut Input<'_>) -> Result {
    let (id, number) = (input.home_id()?, input.number("issue_number")?);
    let reason = input.text("lock_reason")?;
    let known = ["off-topic", "too heated", "resolved", "spam"];
    if reason.as_deref().is_some_and(|reason| !known.contains(&reason)) {
        return Err(Refusal::invalid("Issue", "lock_reason", "invalid"));
    }
    input.state.set_lock(input.caller, id, number, Some(reason))?;
    Ok(Answer::no_content())
}

pub(super) fn unlock(input: &mut Input<'_>) -> Result {
    let (id, number) = (input.home_id()?, input.number("issue_number")?);
    input.state.set_lock(input.caller, id, number, None)?;
    Ok(Answer::no_content())
}
