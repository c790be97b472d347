//! What the body of a delivery says, as far as Muster listens.
//!
//! Promises: (1) every payload GitHub publishes parses, and so do events and
//! actions that do not exist yet: an object of an unforeseen shape is `None`;
//! (2) what Muster does not listen to is not kept in memory; (3) a known
//! event whose body lacks what it is about is refused, since the name of the
//! event is not signed.

mod commits;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

pub use commits::Commits;

use crate::domain::repository::{
    AccountId, InstallationId, Login, ObjectId, RepositoryId, RepositoryName, Visibility,
};

/// Why a body is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Not a JSON object.
    #[error("the body is not a JSON object (line {line}, column {column})")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// The body is not that of the event its header names.
    #[error("the body is not that of the event its header names: {missing} is missing")]
    Unfit {
        /// The field.
        missing: &'static str,
    },
}

impl EventError {
    /// What comes after these bytes is not JSON.
    fn after(good: &[u8]) -> EventError {
        let last_line = good.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        EventError::NotJson { line, column: last_line.len() + 1 }
    }
}

/// One event.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Event {
    /// `push`, `issues`, …: from the header.
    #[serde(skip)]
    pub name: String,
    /// `opened`, `closed`, …; some events have none.
    #[serde(deserialize_with = "lenient")]
    pub action: Option<String>,
    /// The installation it is sent for.
    #[serde(deserialize_with = "lenient")]
    pub installation: Option<Installation>,
    /// The repository it is about.
    #[serde(deserialize_with = "lenient")]
    pub repository: Option<Repository>,
    /// The organization, where it belongs to one.
    #[serde(deserialize_with = "lenient")]
    pub organization: Option<Account>,
    /// Who caused it.
    #[serde(deserialize_with = "lenient")]
    pub sender: Option<Account>,
    /// The account that was renamed (`installation_target`).
    #[serde(deserialize_with = "lenient")]
    pub account: Option<Account>,
    /// The issue of `issues` and `issue_comment`.
    #[serde(deserialize_with = "lenient")]
    pub issue: Option<Item>,
    /// The pull request.
    #[serde(deserialize_with = "lenient")]
    pub pull_request: Option<Item>,
    /// The check run of `check_run`.
    #[serde(deserialize_with = "lenient")]
    pub check_run: Option<Checked>,
    /// The check suite of `check_suite`.
    #[serde(deserialize_with = "lenient")]
    pub check_suite: Option<Checked>,
    /// The comment of `issue_comment`.
    #[serde(deserialize_with = "lenient")]
    pub comment: Option<Comment>,
    /// What it was before, for `edited`, `renamed` and `transferred`.
    #[serde(deserialize_with = "lenient")]
    pub changes: Option<Changes>,
    /// Repositories an installation was made with.
    #[serde(deserialize_with = "lenient_list")]
    pub repositories: Vec<Repository>,
    /// Repositories added to an installation.
    #[serde(deserialize_with = "lenient_list")]
    pub repositories_added: Vec<Repository>,
    /// Repositories removed from it.
    #[serde(deserialize_with = "lenient_list")]
    pub repositories_removed: Vec<Repository>,
    /// Of a push, and of some others: `refs/heads/…` or `refs/tags/…`.
    #[serde(rename = "ref", deserialize_with = "lenient")]
    pub reference: Option<String>,
    /// Of a push: the tip before; all zeros for a new branch.
    #[serde(deserialize_with = "lenient")]
    pub before: Option<ObjectId>,
    /// Of a push: the tip now; all zeros for a deleted branch.
    #[serde(deserialize_with = "lenient")]
    pub after: Option<ObjectId>,
    /// Of a push: the branch was made by it.
    #[serde(deserialize_with = "lenient_bool")]
    pub created: bool,
    /// Of a push: the branch was deleted by it.
    #[serde(deserialize_with = "lenient_bool")]
    pub deleted: bool,
    /// Of a push: the old tip is not among the new history.
    #[serde(deserialize_with = "lenient_bool")]
    pub forced: bool,
    /// Of a push: its commits. They stop at 2,048, and mislead on a forced push.
    #[serde(deserialize_with = "Commits::lenient")]
    pub commits: Option<Commits>,
}

/// An installation, as far as the event names it: some name only its id.
#[derive(Debug, Clone, Deserialize)]
pub struct Installation {
    /// Its id.
    pub id: InstallationId,
    /// The account; `None` for an enterprise, and where only the id is sent.
    #[serde(default, deserialize_with = "lenient")]
    pub account: Option<Account>,
    /// The permissions it grants, by GitHub's words.
    #[serde(default, deserialize_with = "lenient")]
    pub permissions: Option<std::collections::BTreeMap<String, String>>,
    /// When it was suspended, as GitHub writes it.
    #[serde(default, deserialize_with = "lenient")]
    pub suspended_at: Option<String>,
}

/// A user, bot or organization.
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    /// The id, the same for life.
    pub id: AccountId,
    /// For display only.
    #[serde(default, deserialize_with = "lenient")]
    pub login: Option<Login>,
    /// `User`, `Bot` or `Organization`.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: Option<String>,
}

impl Account {
    /// Whether it is an App's or another bot.
    #[must_use]
    pub fn is_bot(&self) -> bool {
        self.kind.as_deref() == Some("Bot")
    }
}

/// A repository as an event names it.
#[derive(Debug, Clone, Deserialize)]
pub struct Repository {
    /// Its id.
    pub id: RepositoryId,
    /// GraphQL's global id.
    #[serde(default, deserialize_with = "lenient")]
    pub node_id: Option<String>,
    /// Owner and name; `None` if GitHub sent something that is no name.
    #[serde(rename = "full_name", default, deserialize_with = "lenient")]
    pub name: Option<RepositoryName>,
    /// The account it belongs to; installation events leave it out.
    #[serde(default, deserialize_with = "lenient")]
    pub owner: Option<Account>,
    /// Who can see it, where the event says so.
    #[serde(default, deserialize_with = "lenient")]
    pub visibility: Option<Visibility>,
    /// Read-only for all, where the event says so.
    #[serde(default, deserialize_with = "lenient")]
    pub archived: Option<bool>,
    /// A copy of another repository, where the event says so.
    #[serde(default, deserialize_with = "lenient")]
    pub fork: Option<bool>,
    /// The default branch, where the event says so.
    #[serde(default, deserialize_with = "lenient")]
    pub default_branch: Option<String>,
}

/// An issue or a pull request as an event names it.
#[derive(Debug, Clone, Deserialize)]
pub struct Item {
    /// The number in its repository.
    pub number: u64,
    /// GraphQL's global id.
    #[serde(default, deserialize_with = "lenient")]
    pub node_id: Option<String>,
    /// Who opened it.
    #[serde(rename = "user", default, deserialize_with = "lenient")]
    pub author: Option<Account>,
    /// Only with an issue that is a pull request.
    #[serde(default, deserialize_with = "lenient")]
    pub pull_request: Option<Value>,
    /// The branch of a pull request.
    #[serde(default, deserialize_with = "lenient")]
    pub head: Option<Branch>,
    /// The branch it is meant for.
    #[serde(default, deserialize_with = "lenient")]
    pub base: Option<Branch>,
    /// Its text, of a pull request that was edited: answers may stand in it.
    /// Untrusted.
    #[serde(default, deserialize_with = "lenient")]
    pub body: Option<String>,
    /// Merged, for a closed pull request.
    #[serde(default, deserialize_with = "lenient")]
    pub merged: Option<bool>,
}

/// The branch of a pull request.
#[derive(Debug, Clone, Deserialize)]
pub struct Branch {
    /// Its name.
    #[serde(rename = "ref")]
    pub name: String,
    /// Its tip.
    #[serde(default, deserialize_with = "lenient")]
    pub sha: Option<ObjectId>,
}

/// A check run, or a suite of them.
#[derive(Debug, Clone, Deserialize)]
pub struct Checked {
    /// The commit.
    pub head_sha: ObjectId,
    /// The name of a check run; a suite has none.
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
}

/// A comment, by id: its text is read again when a command is carried out.
#[derive(Debug, Clone, Deserialize)]
pub struct Comment {
    /// Its id.
    pub id: u64,
    /// Who wrote it.
    #[serde(rename = "user", default, deserialize_with = "lenient")]
    pub author: Option<Account>,
    /// As sent; untrusted.
    #[serde(default, deserialize_with = "lenient")]
    pub body: Option<String>,
}

/// What it was before, as far as Muster asks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Changes {
    /// The default branch was another one.
    #[serde(deserialize_with = "lenient")]
    pub default_branch: Option<Value>,
    /// The body was another one.
    #[serde(deserialize_with = "lenient")]
    pub body: Option<Previous>,
    /// A repository was renamed.
    #[serde(deserialize_with = "lenient")]
    pub repository: Option<Value>,
    /// A repository was transferred.
    #[serde(deserialize_with = "lenient")]
    pub owner: Option<Value>,
    /// An account was renamed.
    #[serde(deserialize_with = "lenient")]
    pub login: Option<Previous>,
}

/// The value before an edit.
#[derive(Debug, Clone, Deserialize)]
pub struct Previous {
    /// As it was; untrusted.
    pub from: String,
}

impl Event {
    /// Reads the body of the event that the header calls `name`.
    ///
    /// # Errors
    /// [`EventError`].
    pub fn parse(name: &str, body: &[u8]) -> Result<Event, EventError> {
        // A struct of serde would also read an array of its fields.
        if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return Err(EventError::NotJson { line: 1, column: 1 });
        }
        // Checked as a whole, which is far cheaper than string by string.
        let text =
            std::str::from_utf8(body).map_err(|error| EventError::after(&body[..error.valid_up_to()]))?;
        let mut event: Event = serde_json::from_str(text)
            .map_err(|error| EventError::NotJson { line: error.line(), column: error.column() })?;
        name.clone_into(&mut event.name);
        let needed = |there: bool, missing| if there { Ok(()) } else { Err(EventError::Unfit { missing }) };
        match name {
            "push" => needed(event.reference.is_some(), "ref")?,
            "issues" => needed(event.issue.is_some(), "issue")?,
            "issue_comment" => {
                needed(event.issue.is_some(), "issue")?;
                needed(event.comment.is_some(), "comment")?;
            }
            "pull_request" => needed(event.pull_request.is_some(), "pull_request")?,
            "check_run" => needed(event.check_run.is_some(), "check_run")?,
            "check_suite" => needed(event.check_suite.is_some(), "check_suite")?,
            "repository" | "public" => needed(event.repository.is_some(), "repository")?,
            "installation" | "installation_repositories" => {
                needed(event.installation.is_some(), "installation")?;
            }
            _ => {}
        }
        Ok(event)
    }

    /// The branch that a push is to; `None` for a tag.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.reference.as_deref()?.strip_prefix("refs/heads/")
    }

    /// The account it is about, by whichever field names it: that of the
    /// installation, the organization, the renamed account, or the owner of the
    /// repository.
    #[must_use]
    pub fn installed_on(&self) -> Option<&Account> {
        let installation = self.installation.as_ref().and_then(|installation| installation.account.as_ref());
        let owner = self.repository.as_ref().and_then(|repository| repository.owner.as_ref());
        installation.or(self.organization.as_ref()).or(self.account.as_ref()).or(owner)
    }
}

/// `None` for a value of another shape than foreseen. The value is passed over
/// in place, so that one Muster does not understand costs no memory.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let value = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(value.get()).ok())
}

/// Without the elements of another shape than foreseen.
fn lenient_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let value = <&RawValue>::deserialize(deserializer)?;
    let elements: Vec<&RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
    Ok(elements.into_iter().filter_map(|element| serde_json::from_str(element.get()).ok()).collect())
}

fn lenient_bool<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(lenient(deserializer)?.unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_tells_branch_tips_and_paths() {
        let zero = "0".repeat(40);
        let body = format!(
            r#"{{"ref":"refs/heads/main","before":"{zero}","after":"{}","created":true,"forced":false,
            "commits":[{{"id":"x","added":["a"],"removed":[],"modified":["b/c"]}},{{"added":["d"]}}],
            "repository":{{"id":1,"full_name":"agency/site","visibility":"internal","default_branch":"main"}},
            "installation":{{"id":7}},"sender":{{"id":9,"login":"alice","type":"User"}}}}"#,
            "a".repeat(40),
        );
        let event = Event::parse("push", body.as_bytes()).unwrap();
        assert_eq!(event.branch(), Some("main"));
        assert_eq!(event.commits.as_ref().unwrap().paths().collect::<Vec<_>>(), ["a", "b/c", "d"]);
        assert!(event.created && !event.deleted);
        let repository = event.repository.unwrap();
        assert_eq!(repository.name.unwrap().to_string(), "agency/site");
        assert_eq!(repository.visibility, Some(Visibility::Internal));
        assert_eq!(event.installation.unwrap().id, InstallationId(7));
        assert!(!event.sender.unwrap().is_bot());
    }

    #[test]
    fn unforeseen_shapes_are_not_errors() {
        for body in [
            r#"{"action":7,"repository":"x","sender":null,"installation":{"id":"no"},"commits":3}"#,
            r#"{"action":"an_action_of_2031","repository":{"id":1,"full_name":"no name","visibility":"secret"}}"#,
            "{}",
        ] {
            let event = Event::parse("an_event_of_2031", body.as_bytes()).unwrap();
            assert!(event.installation.is_none(), "{body}");
        }
        let enterprise = br#"{"action":"created","installation":{"id":1,"account":{"id":5,"slug":"ent"}}}"#;
        let event = Event::parse("installation", enterprise).unwrap();
        assert!(event.installed_on().unwrap().login.is_none());
    }

    #[test]
    fn the_account_is_named_by_one_field_or_another() {
        let account = |body: &str| {
            let event = Event::parse("an_event", body.as_bytes()).unwrap();
            event.installed_on().map(|account| account.id.0)
        };
        let cases = [
            (r#"{"installation":{"id":1,"account":{"id":2}},"organization":{"id":3}}"#, Some(2)),
            (
                r#"{"installation":{"id":1},"organization":{"id":3},"repository":{"id":4,"owner":{"id":5}}}"#,
                Some(3),
            ),
            (r#"{"installation":{"id":1},"account":{"id":6},"changes":{"login":{"from":"old"}}}"#, Some(6)),
            (r#"{"installation":{"id":1},"repository":{"id":4,"owner":{"id":5,"login":"olivia"}}}"#, Some(5)),
            (r#"{"installation":{"id":1},"sender":{"id":9}}"#, None),
        ];
        for (body, id) in cases {
            assert_eq!(account(body), id, "{body}");
        }
    }

    #[test]
    fn a_body_under_another_events_name_is_refused() {
        let push = br#"{"ref":"refs/heads/main"}"#;
        for (name, missing) in [
            ("issues", "issue"),
            ("pull_request", "pull_request"),
            ("installation", "installation"),
            ("check_run", "check_run"),
        ] {
            assert_eq!(Event::parse(name, push).err(), Some(EventError::Unfit { missing }));
        }
        for body in [&b""[..], b"[]", b"{", b"payload=%7B%7D", b"\xff"] {
            assert!(matches!(Event::parse("push", body), Err(EventError::NotJson { .. })), "{body:?}");
        }
        let bad = b"{\n \"a\": \"\xff\"}";
        assert_eq!(Event::parse("push", bad).err(), Some(EventError::NotJson { line: 2, column: 8 }));
    }
}
