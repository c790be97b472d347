//! Accounts and repositories.

use serde_json::{Value, json};

use super::apps::of_type;
use super::{Answer, Input};
use crate::state::{Refusal, Role, Sort};

type Result = std::result::Result<Answer, Refusal>;

pub(super) fn organization(input: &mut Input<'_>) -> Result {
    let account = input.state.account_named(input.parameter("org")?).ok_or(Refusal::NotFound)?;
    account.organization().ok_or(Refusal::NotFound)?;
    Ok(Answer::ok(input.state.organization_full(account)))
}

pub(super) fn user(input: &mut Input<'_>) -> Result {
    let account = input.state.account_named(input.parameter("username")?).ok_or(Refusal::NotFound)?;
    Ok(Answer::ok(input.state.public_user(account)))
}

pub(super) fn of_organization(input: &mut Input<'_>) -> Result {
    let account = input.state.account_named(input.parameter("org")?).ok_or(Refusal::NotFound)?;
    account.organization().ok_or(Refusal::NotFound)?;
    let (state, caller) = (&*input.state, input.caller);
    let wanted = input.query.get("type").map(String::as_str);
    let mut items = Vec::new();
    for home in state.repositories().filter(|home| home.owner == account.id) {
        let fits = of_type(wanted, home.visibility, home.fork_of.is_some())
            .ok_or_else(|| Refusal::Unprocessable("Invalid type".to_owned()))?;
        if fits && state.can_see(caller, home) && state.listed(home.created_at) {
            items.push(state.listed_repository(caller, home));
        }
    }
    Ok(input.page(items))
}

pub(super) fn repository(input: &mut Input<'_>) -> Result {
    Ok(Answer::ok(input.state.full_repository(input.caller, input.home()?)))
}

/// `permission` knows four words only: maintain reads as write, triage as
/// read; `user.permissions` tells them apart.
pub(super) fn permission(input: &mut Input<'_>) -> Result {
    let account = input.state.account_named(input.parameter("username")?).ok_or(Refusal::NotFound)?;
    let role = input.state.role(account.id, input.home_id()?);
    let word = match role {
        None => "none",
        Some(Role::Read | Role::Triage) => "read",
        Some(Role::Write | Role::Maintain) => "write",
        Some(Role::Admin) => "admin",
    };
    Ok(Answer::ok(json!({
        "permission": word,
        "role_name": role.map_or("none", Role::word),
        "user": input.state.collaborator(account, role),
    })))
}

pub(super) fn clones(input: &mut Input<'_>) -> Result {
    traffic(input, Sort::Clones)
}

pub(super) fn views(input: &mut Input<'_>) -> Result {
    traffic(input, Sort::Views)
}

fn traffic(input: &Input<'_>, sort: Sort) -> Result {
    let weekly = match input.query.get("per").map(String::as_str) {
        None | Some("day") => false,
        Some("week") => true,
        Some(_) => return Err(Refusal::Unprocessable("Invalid per".to_owned())),
    };
    Ok(Answer::ok(input.state.traffic(input.home_id()?, sort, weekly)?))
}

/// Schema `repository-rule-detailed`.
pub(super) fn rules(input: &mut Input<'_>) -> Result {
    let home = input.home()?;
    let name = input.state.full_name(home);
    let rules = input.state.rules_of(home, input.parameter("branch")?);
    let items: Vec<Value> = rules
        .into_iter()
        .map(|(ruleset, rule)| {
            let mut shape = json!({
                "type": rule.word(),
                "ruleset_source_type": "Repository",
                "ruleset_source": name,
                "ruleset_id": ruleset.id,
            });
            match rule {
                crate::state::BranchRule::PullRequest => {
                    shape["parameters"] = json!({
                        "dismiss_stale_reviews_on_push": false,
                        "require_code_owner_review": false,
                        "require_last_push_approval": false,
                        "required_approving_review_count": 0,
                        "required_review_thread_resolution": false,
                    });
                }
                crate::state::BranchRule::Update => {
                    shape["parameters"] = json!({ "update_allows_fetch_and_merge": false });
                }
                crate::state::BranchRule::Creation
                | crate::state::BranchRule::Deletion
                | crate::state::BranchRule::NonFastForward => {}
            }
            shape
        })
        .collect();
    Ok(input.page(items))
}
