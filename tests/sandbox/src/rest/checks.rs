//! Check runs.

use serde_json::{Value, json};

use super::{Answer, Input};
use crate::state::{CheckChange, Refusal};

type Result = std::result::Result<Answer, Refusal>;

fn change(input: &Input<'_>) -> std::result::Result<CheckChange, Refusal> {
    let output = &input.body["output"];
    let invalid = |field| Refusal::invalid("CheckRun", field, "invalid");
    let text = |field: &str| output[field].as_str().map(str::to_owned);
    let known = ["title", "summary", "text", "annotations", "images"];
    if output.as_object().into_iter().flatten().any(|(field, _)| !known.contains(&field.as_str())) {
        return Err(invalid("output"));
    }
    let said = match output {
        Value::Null => None,
        _ => {
            let (title, summary) = (text("title"), text("summary"));
            Some((title.unwrap_or_default(), summary.ok_or(invalid("output"))?, text("text")))
        }
    };
    Ok(CheckChange {
        name: input.text("name")?,
        status: input.text("status")?,
        conclusion: input.text("conclusion")?,
        external_id: input.text("external_id")?,
        details_url: input.text("details_url")?,
        output: said,
        annotations: output["annotations"].as_array().cloned().unwrap_or_default(),
        started_at: input.time("started_at")?,
        completed_at: input.time("completed_at")?,
    })
}

fn shown(input: &Input<'_>, id: u64) -> std::result::Result<Value, Refusal> {
    let home = input.home()?;
    Ok(input.state.check_run_json(home, input.state.check_run(home.id, id)?))
}

pub(super) fn create(input: &mut Input<'_>) -> Result {
    let (id, head) = (input.home_id()?, input.oid("head_sha")?);
    let change = change(input)?;
    let run = input.state.create_check_run(input.caller, id, head, change)?;
    Ok(Answer::created(shown(input, run)?))
}

pub(super) fn get(input: &mut Input<'_>) -> Result {
    Ok(Answer::ok(shown(input, input.number("check_run_id")?)?))
}

pub(super) fn update(input: &mut Input<'_>) -> Result {
    let (id, run) = (input.home_id()?, input.number("check_run_id")?);
    let change = change(input)?;
    input.state.update_check_run(input.caller, id, run, change)?;
    Ok(Answer::ok(shown(input, run)?))
}

/// Newest first; of several runs with one name only the latest, unless
/// `filter=all`.
pub(super) fn of_commit(input: &mut Input<'_>) -> Result {
    let home = input.home()?;
    let revision = input.parameter("ref")?;
    let head = home
        .resolve(revision)
        .ok_or_else(|| Refusal::Unprocessable(format!("No commit found for SHA: {revision}")))?;
    let query = |name: &str| input.query.get(name).map(String::as_str);
    let all = query("filter") == Some("all");
    let mut seen = Vec::new();
    let mut items = Vec::new();
    for run in home.check_runs.values().rev().filter(|run| run.head == head) {
        let name = &run.content.name;
        let own = query("app_id").is_none_or(|id| id == input.state.app().id.to_string());
        let fits = own
            && query("check_name").is_none_or(|wanted| wanted == name)
            && query("status").is_none_or(|wanted| wanted == run.content.status);
        if fits && (all || !seen.contains(name)) {
            seen.push(name.clone());
            items.push(input.state.check_run_json(home, run));
        }
    }
    Ok(input.page_in("check_runs", items, |run| run, json!({ "total_count": 0 })))
}
