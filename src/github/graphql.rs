//! The GraphQL documents, and the envelope their answers come in.
//!
//! Promises: (1) a document is a constant: values travel as variables;
//! (2) data and errors are both looked at; (3) a part of an answer may be
//! missing only where its absence means something: no `.github` repository,
//! an item that is gone.

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    error::{Error, Result, is_of_rules, refusal},
    limits::{Verdict, too_quick},
    needs::{ISSUE_WRITING, Need, PROPOSING, READING},
};

/// A GraphQL document with one operation.
#[derive(Debug, Clone, Copy)]
pub struct Document {
    /// The name of its operation.
    pub name: &'static str,
    /// Its text, fragments included.
    pub text: &'static str,
    /// What the installation must grant.
    pub needs: &'static [Need],
}

macro_rules! document {
    ($name:literal, $needs:expr, $($file:literal),+) => {
        Document { name: $name, text: concat!($(include_str!(concat!("graphql/", $file, ".graphql")), "\n"),+), needs: $needs }
    };
}

/// All that a rule may know about one repository.
pub const SNAPSHOT: Document = document!(
    "Snapshot",
    READING,
    "snapshot",
    "facts.fragment",
    "listings.fragment",
    "texts.fragment",
    "home.fragment",
    "ours.fragment",
    "branches.fragment",
    "items.fragment",
    "blob.fragment"
);
/// Many repositories, and what of ours is known in them.
pub const REPOSITORIES: Document = document!(
    "Repositories",
    READING,
    "repositories",
    "facts.fragment",
    "listings.fragment",
    "texts.fragment",
    "home.fragment",
    "branches.fragment",
    "items.fragment",
    "blob.fragment"
);
/// What a sweep compares before it reads anything.
pub const STANDING: Document =
    document!("Standing", READING, "standing", "home.fragment", "listings.fragment", "blob.fragment");
/// A file of the control repository, and how it came about.
pub const RECORDS: Document = document!("Records", READING, "records");
/// A file of the control repository and how it changed.
pub const CONTROL: Document = document!("Control", READING, "control", "change.fragment", "blob.fragment");
/// Texts by object id.
pub const TEXTS: Document = document!("Texts", READING, "texts", "blob.fragment");
/// Texts of many repositories by object id.
pub const TEXTS_OF_MANY: Document = document!("TextsOfMany", READING, "texts_of_many", "blob.fragment");
/// How many texts [`TEXTS_OF_MANY`] has room for.
pub const SLOTS: usize = 32;
/// What a change rests on.
pub const BEFORE_WRITE: Document = document!(
    "BeforeWrite",
    READING,
    "before_write",
    "facts.fragment",
    "listings.fragment",
    "ours.fragment",
    "branches.fragment",
    "items.fragment"
);
/// Who may see many repositories.
pub const VISIBILITIES: Document = document!("Visibilities", READING, "visibilities");
/// What is ours after a write.
pub const OURS: Document =
    document!("Ours", READING, "ours", "ours.fragment", "branches.fragment", "items.fragment");
/// A pull request, and what of ours it changes.
pub const PULL_REQUEST: Document =
    document!("PullRequestAtHead", READING, "pull_request", "facts.fragment", "blob.fragment");
/// Branch, commit and pull request.
pub const PROPOSE: Document = document!("Propose", PROPOSING, "propose");
/// Commit and pull request, on a branch that is there.
pub const PROPOSE_FROM_BRANCH: Document = document!("ProposeFromBranch", PROPOSING, "propose_from_branch");
/// The pull request alone.
pub const OPEN_PULL_REQUEST: Document = document!("OpenPullRequest", PROPOSING, "open_pull_request");

/// The commit of a refresh.
pub const STAGE: Document = document!("Stage", PROPOSING, "stage");
/// One more commit.
pub const COMMIT: Document = document!("Commit", PROPOSING, "commit");
/// Branches moved and deleted together.
pub const MOVE_REFS: Document = document!("MoveRefs", PROPOSING, "move_refs");
/// The text of a pull request.
pub const DESCRIBE: Document = document!("Describe", PROPOSING, "describe");
/// The text of a pull request that is no draft any more.
pub const DESCRIBE_READY: Document = document!("DescribeReady", PROPOSING, "describe_ready");
/// The end of a pull request, with a line.
pub const CLOSE_PULL_REQUEST: Document = document!("ClosePullRequest", PROPOSING, "close_pull_request");
/// The end of a pull request, without a word.
pub const CLOSE_PULL_REQUEST_SILENTLY: Document =
    document!("ClosePullRequestSilently", PROPOSING, "close_pull_request_silently");
/// The end of an issue that is not done.
pub const CLOSE_ISSUE: Document = document!("CloseIssue", ISSUE_WRITING, "close_issue");
/// No merge without a person.
pub const DISABLE_AUTO_MERGE: Document = document!("DisableAutoMerge", PROPOSING, "disable_auto_merge");

/// Every document Muster sends, to be checked against GitHub's schema.
pub const DOCUMENTS: [&Document; 23] = [
    &SNAPSHOT,
    &REPOSITORIES,
    &STANDING,
    &CONTROL,
    &RECORDS,
    &TEXTS,
    &TEXTS_OF_MANY,
    &BEFORE_WRITE,
    &OURS,
    &VISIBILITIES,
    &PULL_REQUEST,
    &PROPOSE,
    &PROPOSE_FROM_BRANCH,
    &OPEN_PULL_REQUEST,
    &STAGE,
    &COMMIT,
    &MOVE_REFS,
    &DESCRIBE,
    &DESCRIBE_READY,
    &CLOSE_PULL_REQUEST,
    &CLOSE_PULL_REQUEST_SILENTLY,
    &CLOSE_ISSUE,
    &DISABLE_AUTO_MERGE,
];

/// An answer: data, errors, or both.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    #[serde(default)]
    pub(super) data: Option<Value>,
    #[serde(default)]
    pub(super) errors: Vec<GraphQlError>,
}

/// One error of an answer.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct GraphQlError {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    path: Option<Vec<Value>>,
    #[serde(default)]
    message: String,
}

impl GraphQlError {
    /// The field of the operation it is about.
    pub(super) fn field(&self) -> Option<&str> {
        self.path.as_deref()?.first()?.as_str()
    }

    /// Whether the repository forbids it, by its rules or since it is archived,
    /// and not a permission that is missing.
    fn is_about_the_repository(&self) -> bool {
        let words = self.message.to_ascii_lowercase();
        words.contains("archived") || is_of_rules(&words)
    }

    fn is(&self, kind: &str) -> bool {
        self.kind.as_deref() == Some(kind)
    }

    /// The element of the list `field` that it is about, itself or a part of it.
    fn element(&self, field: &str) -> Option<usize> {
        let index = self.path.as_deref()?.get(1)?.as_u64()?;
        (self.field() == Some(field)).then(|| usize::try_from(index).ok()).flatten()
    }

    /// What it means for whoever asked.
    fn sort(&self, document: &Document, has_data: bool) -> Error {
        let label = format!("GraphQL {}", document.name);
        match self.kind.as_deref() {
            Some("FORBIDDEN" | "INSUFFICIENT_SCOPES") => {
                Error::Forbidden { route: label, needs: super::needs::shown(document.needs) }
            }
            // A document GitHub does not understand stays so.
            Some("undefinedField" | "argumentLiteralsIncompatible") => Error::Permanent(format!(
                "{label}: GitHub does not know this field; an older Enterprise Server is not supported"
            )),
            Some(_) | None if has_data => Error::Partial(label),
            Some(_) | None => Error::Transient(label),
        }
    }

    /// Whether the object that one of these fields of the operation names is
    /// not there, itself and not a part of it.
    fn is_absence(&self, fields: &[&str]) -> bool {
        let depth = self.path.as_ref().map_or(0, Vec::len);
        let named = self.field().is_some_and(|field| fields.contains(&field));
        // An element of a list of objects is one too.
        let in_list = self.path.as_ref().and_then(|path| path.get(1)).is_some_and(Value::is_u64);
        self.is("NOT_FOUND") && named && depth <= if in_list { 2 } else { 1 }
    }
}

impl Envelope {
    pub(super) fn parse(body: &[u8]) -> serde_json::Result<Envelope> {
        serde_json::from_slice(body)
    }

    /// Whether it was refused for a limit, which comes with HTTP 200.
    pub(super) fn verdict(&self) -> Verdict {
        if self.errors.iter().any(|error| error.is("RATE_LIMITED")) {
            Verdict::Primary
        } else if self.errors.iter().any(|error| too_quick(&error.message)) {
            Verdict::Secondary
        } else {
            Verdict::Answered
        }
    }

    /// The data of a query, if it is whole but for the absence of what these
    /// fields name.
    pub(super) fn data<T: DeserializeOwned>(self, document: &Document, optional: &[&str]) -> Result<T> {
        for error in &self.errors {
            if error.is_absence(optional) {
                continue;
            }
            return Err(match error.kind.as_deref() {
                Some("NOT_FOUND") if error.is_absence(&["repository"]) => {
                    Error::NotFound(format!("GraphQL {}", document.name))
                }
                Some(_) | None => error.sort(document, self.data.is_some()),
            });
        }
        self.whole(document)
    }

    /// The data of a query for a list of objects: whole but for the absence of
    /// what `optional` names, and for the elements of `list` of which an error
    /// speaks, which are told apart with that error.
    pub(super) fn elements<T: DeserializeOwned>(
        self,
        document: &Document,
        list: &str,
        optional: &[&str],
    ) -> Result<(T, BTreeMap<usize, Error>)> {
        let mut failed = BTreeMap::new();
        for error in &self.errors {
            if error.is_absence(optional) {
                continue;
            }
            let Some(index) = error.element(list) else {
                return Err(error.sort(document, self.data.is_some()));
            };
            let gone = error.is("NOT_FOUND") && error.path.as_ref().is_some_and(|path| path.len() == 2);
            let error = match gone {
                true => Error::NotFound(format!("GraphQL {}", document.name)),
                false => error.sort(document, true),
            };
            failed.entry(index).or_insert(error);
        }
        Ok((self.whole(document)?, failed))
    }

    fn whole<T: DeserializeOwned>(self, document: &Document) -> Result<T> {
        let label = || format!("GraphQL {}", document.name);
        let data = self.data.ok_or_else(|| Error::Transient(format!("{}: no data", label())))?;
        serde_json::from_value(data).map_err(|error| {
            Error::Permanent(format!("{}: the answer is not as documented: {error}", label()))
        })
    }

    /// Takes out what is wrong with one field of a mutation, so that the others
    /// can be looked at by themselves.
    pub(super) fn take_refusal(&mut self, document: &Document, field: &str) -> Option<Error> {
        let at = self.errors.iter().position(|error| error.field() == Some(field))?;
        let alone = Envelope { data: None, errors: vec![self.errors.remove(at)] };
        alone.outcome::<Value>(document, &[field]).err()
    }

    /// The data of a mutation, or the first of its fields that was refused.
    pub(super) fn outcome<T: DeserializeOwned>(self, document: &Document, fields: &[&str]) -> Result<T> {
        let label = format!("GraphQL {}", document.name);
        let of_field = |name: &str| self.errors.iter().find(|error| error.field() == Some(name));
        let first = fields.iter().find_map(|name| of_field(name)).or(self.errors.first());
        if let Some(error) = first {
            return Err(match error.kind.as_deref() {
                Some("STALE_DATA") => Error::StaleData(label),
                Some("NOT_FOUND") => Error::NotFound(label),
                Some("FORBIDDEN") if error.is_about_the_repository() => refusal(&label, &error.message),
                Some("FORBIDDEN" | "INSUFFICIENT_SCOPES") => {
                    Error::Forbidden { route: label, needs: super::needs::shown(document.needs) }
                }
                Some(_) => refusal(&label, &error.message),
                // What GitHub refuses has a type; without one it broke off, and
                // nobody can tell how far it came.
                None => Error::Ambiguous(label),
            });
        }
        let data = self.data.ok_or_else(|| Error::Ambiguous(label.clone()))?;
        serde_json::from_value(data).map_err(|_| Error::Ambiguous(label))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::github::error::Refusal;

    fn envelope(value: Value) -> Envelope {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn every_document_holds_its_operation_and_every_fragment_it_names_once() {
        for document in DOCUMENTS {
            let operations = ["query ", "mutation "]
                .map(|word| document.text.matches(&format!("{word}{}(", document.name)).count());
            assert_eq!(operations.iter().sum::<usize>(), 1, "{}", document.name);
            for spread in document.text.split("...").skip(1) {
                let name: String = spread.chars().take_while(|c| c.is_alphanumeric()).collect();
                if !name.is_empty() {
                    let count = document.text.matches(&format!("fragment {name} on ")).count();
                    assert_eq!(count, 1, "{}: {name}", document.name);
                }
            }
        }
    }

    #[test]
    fn trap_5_data_and_errors_are_both_looked_at() {
        let read = |value| envelope(value).data::<Value>(&SNAPSHOT, &["home", "known"]);
        let absent = json!({"data": {"repository": {}, "home": null}, "errors": [
            {"type": "NOT_FOUND", "path": ["home"], "message": "Could not resolve"},
            {"type": "NOT_FOUND", "path": ["known", 3], "message": "Could not resolve to a node"}]});
        assert!(read(absent).is_ok());
        let gone =
            json!({"data": {"repository": null}, "errors": [{"type": "NOT_FOUND", "path": ["repository"]}]});
        assert!(matches!(read(gone), Err(Error::NotFound(_))));
        let within =
            json!({"data": {"home": {}}, "errors": [{"type": "NOT_FOUND", "path": ["home", "policy"]}]});
        assert!(matches!(read(within), Err(Error::Partial(_))));
        let partial = json!({"data": {"repository": {}}, "errors": [{"path": ["repository", "root"], "message": "timeout"}]});
        assert!(matches!(read(partial), Err(Error::Partial(_))));
        let nothing = json!({"data": null, "errors": [{"message": "Something went wrong"}]});
        assert!(matches!(read(nothing), Err(Error::Transient(_))));
        let forbidden =
            json!({"data": {"repository": null}, "errors": [{"type": "FORBIDDEN", "path": ["repository"]}]});
        assert!(matches!(read(forbidden), Err(Error::Forbidden { .. })));
    }

    #[test]
    fn an_error_about_one_of_many_is_told_apart_from_one_about_all() {
        let read = |errors: Value, data: Value| {
            envelope(json!({ "data": data, "errors": errors })).elements::<Value>(
                &REPOSITORIES,
                "repositories",
                &["home", "known"],
            )
        };
        let data = || json!({"repositories": [{}, null, {}]});
        let errors = json!([
            {"type": "NOT_FOUND", "path": ["repositories", 1], "message": "Could not resolve"},
            {"message": "Something went wrong", "path": ["repositories", 2, "root"]},
            {"type": "NOT_FOUND", "path": ["repositories", 2, "root", "entries"]},
            {"type": "NOT_FOUND", "path": ["home"]}, {"type": "NOT_FOUND", "path": ["known", 7]}]);
        let (_, failed) = read(errors, data()).unwrap();
        assert_eq!(failed.keys().copied().collect::<Vec<_>>(), [1, 2]);
        assert!(matches!(failed[&1], Error::NotFound(_)) && matches!(failed[&2], Error::Partial(_)));
        for (error, whole) in [
            (json!([{"message": "Something went wrong"}]), data()),
            (json!([{"message": "x", "path": ["repositories"]}]), data()),
            (json!([{"message": "x", "path": ["rateLimit"]}]), data()),
            (json!([{"message": "x", "path": ["home", "root"]}]), data()),
        ] {
            assert!(matches!(read(error.clone(), whole), Err(Error::Partial(_))), "{error}");
        }
        assert!(matches!(read(json!([{"message": "timeout"}]), Value::Null), Err(Error::Transient(_))));
    }

    #[test]
    fn a_limit_comes_with_http_200() {
        let verdict = |value| envelope(value).verdict();
        assert_eq!(verdict(json!({"errors": [{"type": "RATE_LIMITED", "message": "x"}]})), Verdict::Primary);
        assert_eq!(
            verdict(json!({"errors": [{"message": "was submitted too quickly"}]})),
            Verdict::Secondary
        );
        assert_eq!(verdict(json!({"data": {}})), Verdict::Answered);
    }

    #[test]
    fn the_first_refused_field_of_a_mutation_decides() {
        let fields = ["createRef", "createCommitOnBranch", "createPullRequest"];
        let outcome =
            |errors| envelope(json!({"data": {}, "errors": errors})).outcome::<Value>(&PROPOSE, &fields);
        let exists = json!([
            {"type": "STALE_DATA", "path": ["createCommitOnBranch"], "message": "Expected branch to point to"},
            {"type": "UNPROCESSABLE", "path": ["createRef"], "message": "A ref named \"refs/heads/x\" already exists"}]);
        assert!(matches!(outcome(exists), Err(Error::Conflict(_))));
        let stale = json!([{"type": "STALE_DATA", "path": ["createCommitOnBranch"], "message": "x"}]);
        assert!(matches!(outcome(stale), Err(Error::StaleData(_))));
        let draft = json!([{"type": "UNPROCESSABLE", "path": ["createPullRequest"],
            "message": "Draft pull requests are not supported in this repository."}]);
        assert!(matches!(outcome(draft), Err(Error::Refused { reason: Refusal::Drafts, .. })));
        let unknown = envelope(json!({"errors": [{"message": "Something went wrong"}]}));
        assert!(matches!(unknown.outcome::<Value>(&PROPOSE, &fields), Err(Error::Ambiguous(_))));
    }
}
