//! Users, bots and organizations.

use super::resolve::{Context, Field, Found, Resolved, Thing, time};
use crate::state::{AccountId, Refusal, Visibility};

impl Context<'_> {
    pub(super) fn account(&self, id: AccountId, field: &Field<'_>) -> Resolved {
        let state = self.state.borrow();
        let account = state.account(id).ok_or(Refusal::NotFound)?;
        // As an actor a bot goes by its bare slug, as the author of a commit
        // by its whole login.
        let bare = account.login.trim_end_matches("[bot]");
        let path = account.web_path();
        Ok(match field.name {
            "id" => Found::leaf(account.node_id()),
            "databaseId" => Found::leaf(account.id),
            "login" if field.kind == "Bot" => Found::leaf(bare),
            "login" => Found::leaf(account.login.as_str()),
            "name" => Found::leaf(account.name.clone()),
            "avatarUrl" => Found::leaf(format!("{}/avatars/{}", state.urls.web, account.id)),
            "createdAt" => time(account.created_at),
            "resourcePath" => Found::leaf(path),
            "url" => Found::leaf(format!("{}{path}", state.urls.web)),
            "repository" => {
                let login = account.login.clone();
                drop(state);
                return self.find_repository(&login, field.text("name").unwrap_or_default(), field);
            }
            "repositories" => {
                let flag = |name: &str| field.arguments.get(name).and_then(|value| value.as_bool());
                let visibility = field.text("visibility");
                let mut found: Vec<_> = state
                    .repositories()
                    .filter(|home| home.owner == id && state.can_see(self.caller, home))
                    .filter(|home| flag("isArchived").is_none_or(|wanted| wanted == home.archived))
                    .filter(|home| flag("isFork").is_none_or(|wanted| wanted == home.fork_of.is_some()))
                    .filter(|home| visibility.is_none_or(|wanted| wanted == word(home.visibility)))
                    .collect();
                let order = field.arguments.get("orderBy");
                let part =
                    |name: &str| order.and_then(|order| order.get(name)).and_then(|part| part.as_str());
                match part("field") {
                    Some("NAME") => found.sort_by_key(|home| home.name.to_lowercase()),
                    Some("PUSHED_AT") => found.sort_by_key(|home| home.pushed_at),
                    Some("UPDATED_AT") => found.sort_by_key(|home| home.updated_at),
                    Some(_) | None => found.sort_by_key(|home| (home.created_at, home.id)),
                }
                if part("direction") == Some("DESC") {
                    found.reverse();
                }
                let found = found.into_iter().map(|home| Thing::Repository(home.id)).collect();
                return self.page("RepositoryConnection", found, field);
            }
            _ => return Err(field.unknown()),
        })
    }
}

/// The enum value of a visibility.
pub(super) fn word(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Public => "PUBLIC",
        Visibility::Internal => "INTERNAL",
        Visibility::Private => "PRIVATE",
    }
}
