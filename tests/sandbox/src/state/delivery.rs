//! Webhook events on their way to the App, and the record of deliveries.
//!
//! Promises: (1) a payload says what was true when it happened; (2) nothing
//! is sent twice unless asked; (3) a redelivery keeps the GUID; (4) the record
//! goes back three days, on a server thirty, and what is older cannot be sent
//! again.

use jiff::{SignedDuration, Timestamp};
use rand::Rng as _;
use serde_json::{Map, Value, json};

use super::{Caller, InstallationId, Level, Permission, Refusal, RepositoryId, State};

/// What an event is about, which decides who hears of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope {
    /// Every installation that covers the repository and subscribed.
    Repository(RepositoryId),
    /// This installation, always.
    Installation(InstallationId),
    /// The App itself: `ping`.
    App,
}

/// One delivery: pending until it has an attempt.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Global numeric id; a redelivery has its own.
    pub id: u64,
    /// The GUID; a redelivery has the same.
    pub guid: String,
    /// Event name.
    pub event: String,
    /// The payload's `action`.
    pub action: Option<String>,
    /// Whose installation it is for.
    pub installation: Option<InstallationId>,
    /// The repository it is about.
    pub repository: Option<RepositoryId>,
    /// The JSON text as it is signed and sent.
    pub payload: String,
    /// Whether this is a redelivery.
    pub redelivery: bool,
    /// When it was held back because there were too many.
    pub throttled_at: Option<Timestamp>,
    /// Not sent before then.
    pub(crate) due: Timestamp,
    /// How it went; `None` while pending.
    pub attempt: Option<Attempt>,
}

/// How sending went.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// When it was sent.
    pub at: Timestamp,
    /// Seconds until the answer.
    pub duration: f64,
    /// The receiver's status; 0 when there was none.
    pub status_code: u16,
    /// `OK`, or what went wrong.
    pub status: String,
    /// What was sent.
    pub request_headers: Map<String, Value>,
    /// The start of the answer's body.
    pub response_body: Option<String>,
}

impl Attempt {
    /// Whether the receiver answered 2xx.
    pub fn succeeded(&self) -> bool {
        (200..300).contains(&self.status_code)
    }
}

/// Events every App gets, whatever it subscribed to.
const ALWAYS: [&str; 4] = ["installation", "installation_repositories", "installation_target", "ping"];

/// The read permission an event needs.
fn needed(event: &str) -> Permission {
    match event {
        "push" => Permission::Contents,
        "pull_request" => Permission::PullRequests,
        "issues" | "issue_comment" => Permission::Issues,
        "check_run" | "check_suite" => Permission::Checks,
        _ => Permission::Metadata,
    }
}

pub(crate) fn unique() -> String {
    let bits: u128 = rand::rng().random();
    let hex = format!("{bits:032x}");
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

impl State {
    /// Puts an event into the queue of every installation that hears of it.
    pub(crate) fn emit(
        &mut self,
        caller: &Caller,
        scope: Scope,
        event: &'static str,
        action: Option<&'static str>,
        body: Value,
    ) {
        // Without a hook nothing is sent, and while a world is being built
        // nothing has happened yet.
        if self.app.hook_url.is_none() || self.silent {
            return;
        }
        let (listeners, repository): (Vec<Option<InstallationId>>, _) = match scope {
            Scope::App => (vec![None], None),
            Scope::Installation(id) => (vec![Some(id)], None),
            Scope::Repository(id) => (self.installations_on(id).into_iter().map(Some).collect(), Some(id)),
        };
        for listener in listeners {
            if !self.hears(listener, event, action) {
                continue;
            }
            let payload = self.payload(caller, event, action, listener, repository, body.clone());
            let delivery = Delivery {
                id: self.next_id(),
                guid: unique(),
                event: event.to_owned(),
                action: action.map(str::to_owned),
                installation: listener,
                repository,
                payload: payload.to_string(),
                redelivery: false,
                throttled_at: None,
                due: self.now(),
                attempt: None,
            };
            self.deliveries.push(delivery);
        }
        self.changed.notify_one();
    }

    fn hears(&self, listener: Option<InstallationId>, event: &str, action: Option<&str>) -> bool {
        if ALWAYS.contains(&event) {
            return true;
        }
        // Apps with checks: write hear requests to their own checks unasked.
        let own_check = matches!(event, "check_suite" | "check_run")
            && matches!(action, Some("requested" | "rerequested"));
        let Some(installation) = listener.and_then(|id| self.installations.get(&id)) else {
            return false;
        };
        let held = |permission| installation.permissions.get(&permission).copied();
        let permitted = match needed(event) {
            Permission::Metadata => true,
            permission if own_check => held(permission) == Some(Level::Write),
            permission => {
                held(permission).is_some()
                    // Comments on pull requests come with either permission.
                    || event == "issue_comment" && held(Permission::PullRequests).is_some()
            }
        };
        let subscribed = own_check || self.app.events.iter().any(|name| name == event);
        installation.suspended.is_none() && permitted && subscribed
    }

    fn payload(
        &self,
        caller: &Caller,
        event: &str,
        action: Option<&str>,
        installation: Option<InstallationId>,
        repository: Option<RepositoryId>,
        body: Value,
    ) -> Value {
        let mut payload = Map::new();
        if let Some(action) = action {
            payload.insert("action".to_owned(), json!(action));
        }
        if let Value::Object(own) = body {
            payload.extend(own);
        }
        let about = repository.and_then(|id| self.repositories.get(&id));
        if let Some(repository) = about {
            let shape = if event == "push" {
                self.push_repository_json(repository)
            } else {
                self.repository_json(repository)
            };
            payload.insert("repository".to_owned(), shape);
            if let Some(owner) = self.account(repository.owner)
                && owner.organization().is_some()
            {
                payload.insert("organization".to_owned(), self.organization_simple(owner));
            }
        }
        if let Ok(actor) = self.actor(caller) {
            if event == "push" {
                let email = self.account(actor).map(super::Account::noreply);
                payload.insert("pusher".to_owned(), json!({ "name": self.login(actor), "email": email }));
            }
            payload.insert("sender".to_owned(), self.simple_user(actor));
        }
        if let Some(installation) = installation.and_then(|id| self.installations.get(&id)) {
            let shape = if matches!(event, "installation" | "installation_repositories") {
                self.installation_json(installation)
            } else {
                let node_id = super::Node::Installation(installation.id).encode();
                json!({ "id": installation.id, "node_id": node_id })
            };
            payload.insert("installation".to_owned(), shape);
        }
        Value::Object(payload)
    }

    /// Sends the App a `ping`, as when its hook is set up.
    pub fn ping(&mut self) {
        let app = self.app();
        let hook = json!({
            "type": "App",
            "id": app.id,
            "name": "web",
            "active": true,
            "events": app.events,
            "config": self.hook_config_json(),
            "app_id": app.id,
        });
        let body = json!({ "zen": "Keep it logically awesome.", "hook_id": app.id, "hook": hook });
        let owner = app.owner;
        self.emit(&Caller::Person(owner), Scope::App, "ping", None, body);
    }

    /// Holds back what is pending for so long, as GitHub may when too much
    /// happens at once.
    pub fn throttle(&mut self, hold: SignedDuration) {
        let now = self.now();
        for delivery in self.deliveries.iter_mut().filter(|delivery| delivery.attempt.is_none()) {
            (delivery.throttled_at, delivery.due) = (Some(now), now + hold);
        }
    }

    /// Deliveries with an attempt, newest first.
    pub fn delivered(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.iter().rev().filter(|delivery| delivery.attempt.is_some())
    }

    /// Deliveries not sent yet that may be sent now, in the order they happened.
    pub fn pending(&self) -> impl Iterator<Item = &Delivery> {
        let now = self.now();
        self.deliveries.iter().filter(move |delivery| delivery.attempt.is_none() && delivery.due <= now)
    }

    /// The record of deliveries, newest first: what was attempted, as far back
    /// as it goes.
    pub fn recorded(&self) -> impl Iterator<Item = &Delivery> {
        let oldest = self.now() - self.flavor.deliveries_kept();
        let recent =
            move |delivery: &&Delivery| delivery.attempt.as_ref().is_some_and(|attempt| attempt.at >= oldest);
        self.delivered().filter(recent)
    }

    /// A delivery of the record.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delivery(&self, id: u64) -> Result<&Delivery, Refusal> {
        self.recorded().find(|delivery| delivery.id == id).ok_or(Refusal::NotFound)
    }

    /// Queues a delivery of the record again, with the same GUID and payload.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn redeliver(&mut self, id: u64) -> Result<(), Refusal> {
        let mut again = self.delivery(id)?.clone();
        (again.id, again.redelivery, again.attempt) = (self.next_id(), true, None);
        (again.throttled_at, again.due) = (None, self.now());
        self.deliveries.push(again);
        self.changed.notify_one();
        Ok(())
    }

    /// Notes how sending a delivery went.
    pub(crate) fn settle(&mut self, id: u64, attempt: Attempt) {
        if let Some(delivery) = self.deliveries.iter_mut().find(|delivery| delivery.id == id) {
            delivery.attempt = Some(attempt);
        }
    }

    /// What is pending, for tests that drop, double or reorder it.
    pub fn change_pending(&mut self, change: impl FnOnce(&mut Vec<Delivery>)) {
        let (mut pending, done): (Vec<_>, Vec<_>) =
            self.deliveries.drain(..).partition(|delivery| delivery.attempt.is_none());
        change(&mut pending);
        self.deliveries = done;
        for mut delivery in pending {
            // A doubled delivery is one more record with the same GUID.
            delivery.id = self.next_id();
            self.deliveries.push(delivery);
        }
    }
}
