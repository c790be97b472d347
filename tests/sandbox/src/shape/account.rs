//! Users and organizations.

use serde_json::{Map, Value, json};

use crate::state::{Account, AccountId, Role, State};

/// The URLs every user has beneath its own, by field.
const USER_URLS: [(&str, &str); 9] = [
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
];

const ORGANIZATION_URLS: [(&str, &str); 6] = [
    ("repos_url", "/repos"),
    ("events_url", "/events"),
    ("hooks_url", "/hooks"),
    ("issues_url", "/issues"),
    ("members_url", "/members{/member}"),
    ("public_members_url", "/public_members{/member}"),
];

impl State {
    /// Schema `simple-user`; of a vanished account GitHub's `ghost`, here null.
    pub(crate) fn simple_user(&self, id: AccountId) -> Value {
        self.account(id).map_or(Value::Null, |account| Value::Object(self.user_fields(account)))
    }

    fn user_fields(&self, account: &Account) -> Map<String, Value> {
        let login = &account.login;
        let url = format!("{}/users/{}", self.urls.api, account.login_in_url());
        let mut fields = Map::new();
        fields.insert("login".into(), json!(login));
        fields.insert("id".into(), json!(account.id));
        fields.insert("node_id".into(), json!(account.node_id()));
        fields.insert("avatar_url".into(), json!(format!("{}/avatars/{}", self.urls.web, account.id)));
        fields.insert("gravatar_id".into(), json!(""));
        fields.insert("html_url".into(), json!(format!("{}{}", self.urls.web, account.web_path())));
        for (field, suffix) in USER_URLS {
            fields.insert(field.into(), json!(format!("{url}{suffix}")));
        }
        fields.insert("url".into(), json!(url));
        fields.insert("type".into(), json!(account.type_word()));
        fields.insert("site_admin".into(), json!(false));
        fields
    }

    /// Schema `public-user`.
    pub(crate) fn public_user(&self, account: &Account) -> Value {
        let mut fields = self.user_fields(account);
        let public = self
            .repositories()
            .filter(|r| r.owner == account.id && r.visibility == crate::state::Visibility::Public)
            .count();
        let more = json!({
            "name": account.name,
            "company": null,
            "blog": "",
            "location": null,
            "email": null,
            "hireable": null,
            "bio": null,
            "public_repos": public,
            "public_gists": 0,
            "followers": 0,
            "following": 0,
            "created_at": account.created_at,
            "updated_at": account.created_at,
        });
        if let Value::Object(more) = more {
            fields.extend(more);
        }
        Value::Object(fields)
    }

    /// Schema `collaborator`: a user with the map of what it may do.
    pub(crate) fn collaborator(&self, account: &Account, role: Option<Role>) -> Value {
        let mut fields = self.user_fields(account);
        let has = |needed: Role| role.is_some_and(|role| role >= needed);
        let permissions = json!({
            "pull": has(Role::Read),
            "triage": has(Role::Triage),
            "push": has(Role::Write),
            "maintain": has(Role::Maintain),
            "admin": has(Role::Admin),
        });
        fields.insert("permissions".into(), permissions);
        fields.insert("role_name".into(), json!(role.map_or("none", Role::word)));
        Value::Object(fields)
    }

    /// Schema `organization-simple`.
    pub(crate) fn organization_simple(&self, account: &Account) -> Value {
        let url = format!("{}/orgs/{}", self.urls.api, account.login);
        let mut fields = json!({
            "login": account.login,
            "id": account.id,
            "node_id": account.node_id(),
            "url": url,
            "avatar_url": format!("{}/avatars/{}", self.urls.web, account.id),
            "description": null,
        });
        for (field, suffix) in ORGANIZATION_URLS {
            fields[field] = json!(format!("{url}{suffix}"));
        }
        fields
    }

    /// Schema `organization-full`.
    pub(crate) fn organization_full(&self, account: &Account) -> Value {
        let mut fields = self.organization_simple(account);
        let public = self
            .repositories()
            .filter(|r| r.owner == account.id && r.visibility == crate::state::Visibility::Public)
            .count();
        let more = json!({
            "html_url": format!("{}/{}", self.urls.web, account.login),
            "name": account.name.as_ref().unwrap_or(&account.login),
            "has_organization_projects": true,
            "has_repository_projects": true,
            "public_repos": public,
            "public_gists": 0,
            "followers": 0,
            "following": 0,
            "type": "Organization",
            "created_at": account.created_at,
            "updated_at": account.created_at,
            "archived_at": null,
        });
        if let Value::Object(more) = more {
            for (field, value) in more {
                fields[field] = value;
            }
        }
        fields
    }
}
