//! Comments, labels and reactions of issues and pull requests.

use serde_json::Value;

use super::{Answer, Input};
use crate::state::{Reaction, Refusal, Subject};

type Result = std::result::Result<Answer, Refusal>;

pub(super) fn labels(input: &mut Input<'_>) -> Result {
    let home = input.home()?;
    let items = home.labels.values().map(|label| input.state.label_json(home, label)).collect();
    Ok(input.page(items))
}

pub(super) fn label(input: &mut Input<'_>) -> Result {
    let home = input.home()?;
    let label = home.label_named(input.parameter("name")?).ok_or(Refusal::NotFound)?;
    Ok(Answer::ok(input.state.label_json(home, label)))
}

pub(super) fn create_label(input: &mut Input<'_>) -> Result {
    let id = input.home_id()?;
    let name = input.required("Label", "name")?;
    let color = input.text("color")?.unwrap_or_else(|| "ededed".to_owned());
    if color.len() != 6 || !color.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Refusal::invalid("Label", "color", "invalid"));
    }
    let description = input.text("description")?;
    let label = input.state.create_label(input.caller, id, &name, &color, description)?;
    let home = input.home()?;
    let label = home.labels.get(&label).ok_or(Refusal::NotFound)?;
    Ok(Answer::created(input.state.label_json(home, label)))
}

fn labels_of(input: &Input<'_>) -> std::result::Result<Vec<Value>, Refusal> {
    let home = input.home()?;
    let issue = input.state.issue(home.id, input.number("issue_number")?)?;
    Ok(input.state.labels_json(home, issue))
}

pub(super) fn issue_labels(input: &mut Input<'_>) -> Result {
    let items = labels_of(input)?;
    Ok(input.page(items))
}

pub(super) fn add_labels(input: &mut Input<'_>) -> Result {
    let (id, number) = (input.home_id()?, input.number("issue_number")?);
    let names = input.texts("labels")?.unwrap_or_default();
    input.state.add_labels(input.caller, id, number, &names)?;
    Ok(Answer::ok(Value::Array(labels_of(input)?)))
}

pub(super) fn remove_label(input: &mut Input<'_>) -> Result {
    let (id, number) = (input.home_id()?, input.number("issue_number")?);
    let name = input.parameter("name")?.to_owned();
    input.state.remove_label(input.caller, id, number, &name)?;
    Ok(Answer::ok(Value::Array(labels_of(input)?)))
}

pub(super) fn comments(input: &mut Input<'_>) -> Result {
    let home = input.home()?;
    let number = input.number("issue_number")?;
    input.state.issue(home.id, number)?;
    let since: Option<jiff::Timestamp> = input
        .query
        .get("since")
        .map(|text| text.parse())
        .transpose()
        .map_err(|_| Refusal::invalid("IssueComment", "since", "invalid"))?;
    let items = home
        .comments_of(number)
        .filter(|comment| input.state.listed(comment.created_at))
        .filter(|comment| since.is_none_or(|since| comment.updated_at >= since))
        .map(|comment| input.state.comment_json(home, comment))
        .collect();
    Ok(input.page(items))
}

fn shown_comment(input: &Input<'_>, id: u64) -> std::result::Result<Value, Refusal> {
    let home = input.home()?;
    Ok(input.state.comment_json(home, input.state.comment(home.id, id)?))
}

pub(super) fn create_comment(input: &mut Input<'_>) -> Result {
    let (id, number) = (input.home_id()?, input.number("issue_number")?);
    let body = input.required("IssueComment", "body")?;
    let comment = input.state.create_comment(input.caller, id, number, &body)?;
    Ok(Answer::created(shown_comment(input, comment)?))
}

pub(super) fn comment(input: &mut Input<'_>) -> Result {
    Ok(Answer::ok(shown_comment(input, input.number("comment_id")?)?))
}

pub(super) fn update_comment(input: &mut Input<'_>) -> Result {
    let (id, comment) = (input.home_id()?, input.number("comment_id")?);
    let body = input.required("IssueComment", "body")?;
    input.state.update_comment(input.caller, id, comment, &body)?;
    Ok(Answer::ok(shown_comment(input, comment)?))
}

pub(super) fn delete_comment(input: &mut Input<'_>) -> Result {
    let (id, comment) = (input.home_id()?, input.number("comment_id")?);
    input.state.delete_comment(input.caller, id, comment)?;
    Ok(Answer::no_content())
}

fn reactions(input: &Input<'_>, all: &[Reaction]) -> Answer {
    let wanted = input.query.get("content");
    let fits = |reaction: &&Reaction| wanted.is_none_or(|content| reaction.content == *content);
    input.page(all.iter().filter(fits).map(|r| input.state.reaction_json(r)).collect())
}

pub(super) fn issue_reactions(input: &mut Input<'_>) -> Result {
    let issue = input.state.issue(input.home_id()?, input.number("issue_number")?)?;
    Ok(reactions(input, &issue.reactions))
}

pub(super) fn comment_reactions(input: &mut Input<'_>) -> Result {
    let comment = input.state.comment(input.home_id()?, input.number("comment_id")?)?;
    Ok(reactions(input, &comment.reactions))
}

fn react(input: &mut Input<'_>, subject: Subject) -> Result {
    let (id, content) = (input.home_id()?, input.required("Reaction", "content")?);
    let (reaction, new) = input.state.react(input.caller, id, subject, &content)?;
    Ok(Answer::new(if new { 201 } else { 200 }, input.state.reaction_json(&reaction)))
}

pub(super) fn react_to_issue(input: &mut Input<'_>) -> Result {
    let subject = Subject::Issue(input.number("issue_number")?);
    react(input, subject)
}

pub(super) fn react_to_comment(input: &mut Input<'_>) -> Result {
    let subject = Subject::Comment(input.number("comment_id")?);
    react(input, subject)
}
