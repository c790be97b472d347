//! Why GitHub refuses: one list for REST and GraphQL.

use serde_json::{Value, json};

use crate::git::Oid;

/// A refusal. `Display` is the `message` GitHub answers with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not there, or not to be seen by this caller: GitHub does not tell which.
    #[error("Not Found")]
    NotFound,
    /// The token is unknown, expired or revoked.
    #[error("Bad credentials")]
    BadCredentials,
    /// The App's JWT is refused; the text says why.
    #[error("{0}")]
    BadJwt(&'static str),
    /// Anonymous, where somebody must act.
    #[error("Requires authentication")]
    RequiresAuthentication,
    /// The token lacks a permission; `accepted` names what would do, in the
    /// form of `X-Accepted-GitHub-Permissions`.
    #[error("Resource not accessible by integration")]
    NotAccessible {
        /// `issues=write; pull_requests=write`
        accepted: String,
    },
    /// A person's role does not suffice, or another plain 403.
    #[error("{0}")]
    Forbidden(&'static str),
    /// A write to an archived repository.
    #[error("Repository was archived so is read-only.")]
    Archived,
    /// The installation is suspended.
    #[error("This installation has been suspended")]
    Suspended,
    /// Too much content in a minute or an hour.
    #[error("You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")]
    SecondaryLimit,
    /// The hourly limit of the caller is used up.
    #[error("API rate limit exceeded for installation.")]
    PrimaryLimit,
    /// The repository has its issues switched off.
    #[error("Issues has been disabled in this repository.")]
    IssuesDisabled,
    /// A repository without a first commit.
    #[error("Git Repository is empty.")]
    EmptyRepository,
    /// A ruleset forbids it; the text is the rule's sentence.
    #[error("Repository rule violations found\n\n{0}\n\n")]
    RuleViolation(String),
    /// `expectedHeadOid` or `beforeOid` is not where the branch is.
    #[error("Expected branch to point to \"{actual}\" but it did not. Pull and try again.")]
    StaleData {
        /// Where the branch is.
        actual: Oid,
    },
    /// A field is missing, malformed or not allowed.
    #[error("Validation Failed")]
    Invalid {
        /// `Issue`, `PullRequest`, …
        resource: &'static str,
        /// The field of the request.
        field: &'static str,
        /// `missing_field`, `invalid`, `already_exists` or `custom`.
        code: &'static str,
        /// Said with code `custom`.
        message: Option<String>,
    },
    /// Another plain 422.
    #[error("{0}")]
    Unprocessable(String),
    /// The pull request cannot be merged as it is.
    #[error("{0}")]
    NotMergeable(&'static str),
    /// The head given with a merge is not the head.
    #[error("Head branch was modified. Review and try the merge again.")]
    HeadModified,
}

impl Refusal {
    /// A `custom` validation error with GitHub's sentence.
    pub fn custom(resource: &'static str, field: &'static str, message: impl Into<String>) -> Self {
        Refusal::Invalid { resource, field, code: "custom", message: Some(message.into()) }
    }

    /// A validation error by code.
    pub fn invalid(resource: &'static str, field: &'static str, code: &'static str) -> Self {
        Refusal::Invalid { resource, field, code, message: None }
    }

    /// The status of the REST API.
    pub fn status(&self) -> u16 {
        match self {
            Refusal::BadCredentials | Refusal::BadJwt(_) | Refusal::RequiresAuthentication => 401,
            Refusal::NotAccessible { .. }
            | Refusal::Forbidden(_)
            | Refusal::Archived
            | Refusal::Suspended
            | Refusal::SecondaryLimit
            | Refusal::PrimaryLimit => 403,
            Refusal::NotFound => 404,
            Refusal::NotMergeable(_) => 405,
            Refusal::EmptyRepository | Refusal::StaleData { .. } | Refusal::HeadModified => 409,
            Refusal::IssuesDisabled => 410,
            Refusal::RuleViolation(_) | Refusal::Invalid { .. } | Refusal::Unprocessable(_) => 422,
        }
    }

    /// The error `type` of the GraphQL API.
    pub fn graphql_type(&self) -> &'static str {
        match self {
            Refusal::NotFound => "NOT_FOUND",
            Refusal::BadCredentials
            | Refusal::BadJwt(_)
            | Refusal::RequiresAuthentication
            | Refusal::NotAccessible { .. }
            | Refusal::Forbidden(_)
            | Refusal::Archived
            | Refusal::Suspended => "FORBIDDEN",
            Refusal::SecondaryLimit | Refusal::PrimaryLimit => "RATE_LIMITED",
            Refusal::StaleData { .. } => "STALE_DATA",
            Refusal::IssuesDisabled
            | Refusal::EmptyRepository
            | Refusal::RuleViolation(_)
            | Refusal::Invalid { .. }
            | Refusal::Unprocessable(_)
            | Refusal::NotMergeable(_)
            | Refusal::HeadModified => "UNPROCESSABLE",
        }
    }

    /// The sentence of the GraphQL API, which has no `errors` list beneath it.
    pub fn graphql_message(&self) -> String {
        match self {
            Refusal::Invalid { message: Some(message), .. } => message.clone(),
            Refusal::Invalid { field, code, message: None, .. } => format!("{field}: {code}"),
            other => other.to_string(),
        }
    }

    /// The body of the REST API (schema `basic-error` or `validation-error`).
    pub fn body(&self) -> Value {
        let mut body = json!({
            "message": self.to_string(),
            "documentation_url": "https://docs.github.com/rest",
            "status": self.status().to_string(),
        });
        if let Refusal::Invalid { resource, field, code, message } = self {
            let mut error = json!({ "resource": resource, "field": field, "code": code });
            if let Some(message) = message {
                error["message"] = json!(message);
            }
            body["errors"] = json!([error]);
        }
        body
    }
}
