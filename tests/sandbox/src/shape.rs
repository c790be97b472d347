//! The JSON shapes of GitHub's objects, each written once: REST answers and
//! webhook payloads use the same. Field names and required fields are those
//! of GitHub's published OpenAPI description.

mod account;
mod app;
mod check;
mod git;
mod issue;
mod pull_request;
mod repository;

pub(crate) use issue::escape;
