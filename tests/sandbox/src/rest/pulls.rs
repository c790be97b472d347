//! Pull requests.

use serde_json::{Value, json};

use super::issues::{change, in_state, sort};
use super::{Answer, Input};
use crate::state::{MergeMethod, NewPullRequest, Refusal};

type Result = std::result::Result<Answer, Refusal>;

fn shown(input: &Input<'_>, number: u64) -> std::result::Result<Value, Refusal> {
    let home = input.home()?;
    let issue = input.state.issue(home.id, number)?;
    issue.pull()?;
    Ok(input.state.pull_request_json(home, issue, true))
}

pub(super) fn list(input: &mut Input<'_>) -> Result {
    let home = input.home()?;
    let mut found = Vec::new();
    for issue in input.state.listed_issues(home.id)? {
        let Some(pull) = &issue.pull_request else { continue };
        let label = format!("{}:{}", input.state.login(pull.head_owner), pull.head_branch);
        let fits = in_state(input, issue)?
            // GitHub ignores a head without its owner.
            && input.query.get("head").is_none_or(|head| !head.contains(':') || *head == label)
            && input.query.get("base").is_none_or(|base| *base == pull.base_branch);
        if fits {
            found.push(issue);
        }
    }
    sort(input, &mut found)?;
    let items = found.into_iter().map(|issue| input.state.pull_request_json(home, issue, false)).collect();
    Ok(input.page(items))
}

pub(super) fn create(input: &mut Input<'_>) -> Result {
    let id = input.home_id()?;
    let new = NewPullRequest {
        title: input.required("PullRequest", "title")?,
        body: input.text("body")?,
        head: input.required("PullRequest", "head")?,
        base: input.required("PullRequest", "base")?,
        draft: input.flag("draft")?.unwrap_or(false),
        maintainer_can_modify: input.flag("maintainer_can_modify")?.unwrap_or(true),
    };
    let number = input.state.create_pull_request(input.caller, id, new)?;
    Ok(Answer::created(shown(input, number)?))
}

pub(super) fn get(input: &mut Input<'_>) -> Result {
    Ok(Answer::ok(shown(input, input.number("pull_number")?)?))
}

pub(super) fn update(input: &mut Input<'_>) -> Result {
    let (id, number) = (input.home_id()?, input.number("pull_number")?);
    input.state.issue(id, number)?.pull()?;
    let change = change(input, "PullRequest")?;
    if let Some(base) = input.text("base")? {
        input.state.change_base(input.caller, id, number, &base)?;
    }
    input.state.update_issue(input.caller, id, number, change)?;
    Ok(Answer::ok(shown(input, number)?))
}

pub(super) fn files(input: &mut Input<'_>) -> Result {
    let home = input.home()?;
    let pull = input.state.issue(home.id, input.number("pull_number")?)?.pull()?;
    let files = home.changed_files(pull);
    let items = files.iter().map(|file| input.state.diff_entry(home, pull.head, file)).collect();
    Ok(input.page(items))
}

pub(super) fn commits(input: &mut Input<'_>) -> Result {
    let home = input.home()?;
    let pull = input.state.issue(home.id, input.number("pull_number")?)?.pull()?;
    let commits = home.commits_of(pull).into_iter();
    let items = commits.map(|(oid, commit)| input.state.commit_json(home, oid, commit)).collect();
    Ok(input.page(items))
}

pub(super) fn merge(input: &mut Input<'_>) -> Result {
    let (id, number) = (input.home_id()?, input.number("pull_number")?);
    let head = if input.body["sha"].is_null() { None } else { Some(input.oid("sha")?) };
    let method = match input.text("merge_method")?.as_deref() {
        None | Some("merge") => MergeMethod::Merge,
        Some("squash") => MergeMethod::Squash,
        Some(_) => return Err(Refusal::invalid("PullRequest", "merge_method", "invalid")),
    };
    let commit = input.state.merge(input.caller, id, number, method, head)?;
    let message = "Pull Request successfully merged";
    Ok(Answer::ok(json!({ "sha": commit, "merged": true, "message": message })))
}

pub(super) fn request_reviewers(input: &mut Input<'_>) -> Result {
    let (id, number) = (input.home_id()?, input.number("pull_number")?);
    let people = input.texts("reviewers")?.unwrap_or_default();
    let teams = input.texts("team_reviewers")?.unwrap_or_default();
    input.state.request_reviewers(input.caller, id, number, &people, &teams)?;
    let home = input.home()?;
    let issue = input.state.issue(id, number)?;
    Ok(Answer::created(input.state.pull_request_json(home, issue, false)))
}
