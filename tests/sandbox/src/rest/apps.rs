//! The App, its installations, tokens and deliveries; limits.

use serde_json::{Value, json};

use super::{Answer, Input};
use crate::state::{
    Budget, Delivery, Installation, Permissions, Refusal, Repository, Resource, TokenRequest, Visibility,
    permissions_from,
};

type Result = std::result::Result<Answer, Refusal>;

pub(super) fn meta(input: &mut Input<'_>) -> Result {
    let _ = input;
    Ok(Answer::ok(json!({
        "verifiable_password_authentication": false,
        "hooks": ["127.0.0.0/8"],
        "web": ["127.0.0.0/8"],
        "api": ["127.0.0.0/8"],
    })))
}

pub(super) fn rate_limit(input: &mut Input<'_>) -> Result {
    let (core, graphql) = (
        input.state.budget(input.caller, Resource::Core),
        input.state.budget(input.caller, Resource::Graphql),
    );
    let (Some(core), Some(graphql)) = (core, graphql) else {
        // What a server with its limits switched off answers.
        return Ok(Answer::message(404, "Rate limiting is not enabled."));
    };
    let shape = |budget: Budget| {
        json!({
            "limit": budget.limit,
            "remaining": budget.remaining(),
            "used": budget.used,
            "reset": budget.reset.as_second(),
        })
    };
    let search = Budget { limit: 30, used: 0, reset: core.reset };
    Ok(Answer::ok(json!({
        "resources": { "core": shape(core), "graphql": shape(graphql), "search": shape(search) },
        "rate": shape(core),
    })))
}

pub(super) fn app(input: &mut Input<'_>) -> Result {
    let mut shape = input.state.app_json();
    shape["installations_count"] = json!(input.state.installations().count());
    Ok(Answer::ok(shape))
}

pub(super) fn hook_config(input: &mut Input<'_>) -> Result {
    Ok(Answer::ok(input.state.hook_config_json()))
}

pub(super) fn update_hook_config(input: &mut Input<'_>) -> Result {
    let (url, secret) = (input.text("url")?, input.text("secret")?);
    let app = input.state.app_mut();
    if url.is_some() {
        app.hook_url = url;
    }
    if secret.is_some() {
        app.webhook_secret = secret;
    }
    hook_config(input)
}

/// Paged by cursor, newest first: the cursor is the id to begin with.
pub(super) fn deliveries(input: &mut Input<'_>) -> Result {
    let number = |name: &str| input.query.get(name).and_then(|text| text.parse::<u64>().ok());
    let size = number("per_page").unwrap_or(30).clamp(1, 100);
    let cursor = match input.query.get("cursor") {
        None => u64::MAX,
        Some(text) => text
            .strip_prefix("v1_")
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| Refusal::Unprocessable("Invalid cursor".to_owned()))?,
    };
    let wanted: fn(&Delivery) -> bool = match input.query.get("status").map(String::as_str) {
        None => |_| true,
        Some("success") => |d| d.attempt.as_ref().is_some_and(|attempt| attempt.succeeded()),
        Some("failure") => |d| d.attempt.as_ref().is_some_and(|attempt| !attempt.succeeded()),
        Some(_) => return Err(Refusal::Unprocessable("Invalid status".to_owned())),
    };
    let mut rest = input.state.recorded().filter(|delivery| delivery.id <= cursor && wanted(delivery));
    let size = usize::try_from(size).unwrap_or(30);
    let shown: Vec<Value> = rest.by_ref().take(size).map(|d| input.state.delivery_json(d, false)).collect();
    let next = rest.next().map(|delivery| input.link("cursor", &format!("v1_{}", delivery.id)));
    let answer = Answer::ok(Value::Array(shown));
    Ok(match next {
        Some(next) => answer.header("link", format!("<{next}>; rel=\"next\"")),
        None => answer,
    })
}

pub(super) fn delivery(input: &mut Input<'_>) -> Result {
    let delivery = input.state.delivery(input.number("delivery_id")?)?;
    Ok(Answer::ok(input.state.delivery_json(delivery, true)))
}

pub(super) fn redeliver(input: &mut Input<'_>) -> Result {
    let id = input.number("delivery_id")?;
    input.state.redeliver(id)?;
    Ok(Answer::new(202, json!({})))
}

pub(super) fn installations(input: &mut Input<'_>) -> Result {
    let all = input.state.installations().map(|i| input.state.installation_json(i)).collect();
    Ok(input.page(all))
}

pub(super) fn installation(input: &mut Input<'_>) -> Result {
    let installation = input.state.installation(input.number("installation_id")?)?;
    Ok(Answer::ok(input.state.installation_json(installation)))
}

pub(super) fn uninstall(input: &mut Input<'_>) -> Result {
    let (id, owner) = (input.number("installation_id")?, input.state.app().owner);
    input.state.uninstall(owner, id)?;
    Ok(Answer::no_content())
}

pub(super) fn create_token(input: &mut Input<'_>) -> Result {
    let id = input.number("installation_id")?;
    let unknown = || {
        Refusal::Unprocessable("The permissions requested are not granted to this installation.".to_owned())
    };
    let permissions: Option<Permissions> = match &input.body["permissions"] {
        Value::Null => None,
        wanted => Some(permissions_from(wanted).ok_or_else(unknown)?),
    };
    let repository_ids = match &input.body["repository_ids"] {
        Value::Null => Vec::new(),
        ids => serde_json::from_value(ids.clone())
            .map_err(|_| Refusal::Unprocessable("repository_ids must be integers".to_owned()))?,
    };
    let repositories = input.texts("repositories")?.unwrap_or_default();
    let request = TokenRequest { repositories, repository_ids, permissions };
    let token = input.state.create_token(id, request)?;
    Ok(Answer::created(input.state.token_json(&token)))
}

pub(super) fn revoke_token(input: &mut Input<'_>) -> Result {
    let token = std::mem::take(&mut input.token);
    input.state.revoke(&token);
    Ok(Answer::no_content())
}

fn find(input: &Input<'_>, matches: impl Fn(&Installation) -> bool) -> Result {
    let found = input.state.installations().find(|installation| matches(installation));
    let found = found.ok_or(Refusal::NotFound)?;
    Ok(Answer::ok(input.state.installation_json(found)))
}

pub(super) fn account_installation(input: &mut Input<'_>) -> Result {
    let login = input.parameter("org").or(input.parameter("username"))?;
    let account = input.state.account_named(login).ok_or(Refusal::NotFound)?.id;
    find(input, |installation| installation.account == account)
}

pub(super) fn repository_installation(input: &mut Input<'_>) -> Result {
    let name = format!("{}/{}", input.parameter("owner")?, input.parameter("repo")?);
    let named = |known: &str| known.eq_ignore_ascii_case(&name);
    let mut homes = input.state.repositories();
    if let Some(home) = homes.find(|home| named(&input.state.full_name(home))) {
        return find(input, |installation| input.state.installed_on(installation, home.id));
    }
    let moved = input.state.repositories().find(|home| home.former_names.iter().any(|known| named(known)));
    let id = moved.ok_or(Refusal::NotFound)?.id;
    let location = format!("{}/repositories/{id}/installation", input.state.urls.api);
    Ok(Answer::message(301, "Moved Permanently").header("location", location))
}

pub(super) fn installation_repositories(input: &mut Input<'_>) -> Result {
    let crate::state::Caller::Installation(grant) = input.caller else {
        return Err(Refusal::NotFound);
    };
    let state = &*input.state;
    let covered = state.repositories().filter(|home| state.covers(grant, home.id));
    let listed = covered.filter(|home| state.listed(home.created_at));
    let shape = |home: &Repository| state.listed_repository(input.caller, home);
    let selects = grant.repositories.is_some() || state.installation(grant.installation)?.selected.is_some();
    let selection = if selects { "selected" } else { "all" };
    let around = json!({ "total_count": 0, "repository_selection": selection });
    Ok(input.page_in("repositories", listed.collect(), shape, around))
}

/// Whether a repository appears in lists by visibility (`type` of a list).
pub(super) fn of_type(wanted: Option<&str>, visibility: Visibility, fork: bool) -> Option<bool> {
    Some(match wanted {
        None | Some("all") => true,
        Some("public") => visibility == Visibility::Public,
        Some("private") => visibility != Visibility::Public,
        Some("forks") => fork,
        Some("sources") => !fork,
        Some(_) => return None,
    })
}
