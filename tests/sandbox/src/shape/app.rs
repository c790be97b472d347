//! The App, its installations, its hook and its deliveries.

use serde_json::{Map, Value, json};

use crate::state::{Account, AccountKind, Delivery, Installation, NewToken, Node, State, permissions_json};

impl State {
    /// Schema `integration`.
    pub(crate) fn app_json(&self) -> Value {
        let app = self.app();
        json!({
            "id": app.id,
            "client_id": app.client_id,
            "slug": app.slug,
            "node_id": Node::App(app.id).encode(),
            "owner": self.simple_user(app.owner),
            "name": app.name,
            "description": null,
            "external_url": format!("{}/apps/{}", self.urls.web, app.slug),
            "html_url": format!("{}/apps/{}", self.urls.web, app.slug),
            "created_at": app.created_at,
            "updated_at": app.created_at,
            "permissions": permissions_json(&app.permissions),
            "events": app.events,
        })
    }

    /// Schema `installation`.
    pub(crate) fn installation_json(&self, installation: &Installation) -> Value {
        let app = self.app();
        let id = installation.id;
        let on = self.account(installation.account);
        let kind = on.map_or("User", |a| a.type_word());
        let account = match on {
            Some(on) if matches!(on.kind, AccountKind::Enterprise) => self.enterprise_json(on),
            Some(_) | None => self.simple_user(installation.account),
        };
        let selection = if installation.selected.is_some() { "selected" } else { "all" };
        json!({
            "id": id,
            "node_id": Node::Installation(id).encode(),
            "client_id": app.client_id,
            "account": account,
            "repository_selection": selection,
            "access_tokens_url": format!("{}/app/installations/{id}/access_tokens", self.urls.api),
            "repositories_url": format!("{}/installation/repositories", self.urls.api),
            "html_url": format!("{}/settings/installations/{id}", self.urls.web),
            "app_id": app.id,
            "app_slug": app.slug,
            "target_id": installation.account,
            "target_type": kind,
            "permissions": permissions_json(&installation.permissions),
            "events": app.events,
            "created_at": installation.created_at,
            "updated_at": installation.updated_at,
            "single_file_name": null,
            "has_multiple_single_files": false,
            "single_file_paths": [],
            "suspended_by": installation.suspended.map(|(_, by)| self.simple_user(by)),
            "suspended_at": installation.suspended.map(|(at, _)| at),
        })
    }

    /// Schema `enterprise`.
    fn enterprise_json(&self, enterprise: &Account) -> Value {
        json!({
            "id": enterprise.id,
            "node_id": enterprise.node_id(),
            "name": enterprise.login,
            "slug": enterprise.login,
            "description": null,
            "website_url": null,
            "html_url": format!("{}/enterprises/{}", self.urls.web, enterprise.login),
            "avatar_url": format!("{}/avatars/b/{}", self.urls.web, enterprise.id),
            "created_at": enterprise.created_at,
            "updated_at": enterprise.created_at,
        })
    }

    /// Schema `installation-token`.
    pub(crate) fn token_json(&self, token: &NewToken) -> Value {
        let selects = self
            .installation(token.grant.installation)
            .is_ok_and(|installation| installation.selected.is_some());
        let narrowed = token.grant.repositories.is_some();
        let mut shape = json!({
            "token": token.token,
            "expires_at": token.expires_at,
            "permissions": permissions_json(&token.grant.permissions),
            "repository_selection": if selects || narrowed { "selected" } else { "all" },
        });
        if let Some(only) = &token.grant.repositories {
            let known = only.iter().filter_map(|id| self.repository(*id).ok());
            shape["repositories"] = known.map(|home| self.repository_json(home)).collect();
        }
        shape
    }

    /// Schema `webhook-config`; the secret is masked.
    pub(crate) fn hook_config_json(&self) -> Value {
        let app = self.app();
        let mut shape = Map::new();
        shape.insert("content_type".into(), json!("json"));
        shape.insert("insecure_ssl".into(), json!("0"));
        if app.webhook_secret.is_some() {
            shape.insert("secret".into(), json!("********"));
        }
        // An App without a webhook has no URL, not an empty one.
        if let Some(url) = &app.hook_url {
            shape.insert("url".into(), json!(url));
        }
        Value::Object(shape)
    }

    /// Schema `hook-delivery-item`, or with `full` schema `hook-delivery`.
    pub(crate) fn delivery_json(&self, delivery: &Delivery, full: bool) -> Value {
        let Some(attempt) = &delivery.attempt else { return Value::Null };
        let mut shape = json!({
            "id": delivery.id,
            "guid": delivery.guid,
            "delivered_at": attempt.at,
            "redelivery": delivery.redelivery,
            "duration": attempt.duration,
            "status": attempt.status,
            "status_code": attempt.status_code,
            "event": delivery.event,
            "action": delivery.action,
            "installation_id": delivery.installation,
            "repository_id": delivery.repository,
            "throttled_at": delivery.throttled_at,
        });
        if full {
            let payload: Value = serde_json::from_str(&delivery.payload).unwrap_or_default();
            shape["url"] = json!(self.app().hook_url);
            shape["request"] = json!({ "headers": attempt.request_headers, "payload": payload });
            shape["response"] = json!({ "headers": {}, "payload": attempt.response_body });
        }
        shape
    }
}
