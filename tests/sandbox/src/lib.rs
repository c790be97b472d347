//! A stateful, strict GitHub over HTTP, for tests and demonstrations.

// `json!` of GitHub's largest objects recurses deeper than the default.
#![recursion_limit = "256"]

pub mod conformance;
pub mod git;
pub mod graphql;
pub mod pages;
pub(crate) mod shape;
pub mod state;

#[cfg(test)]
mod world;
