//! A stateful, strict GitHub over HTTP, for tests and demonstrations.

// `json!` of GitHub's largest objects recurses deeper than the default.
#![recursion_limit = "256"]

mod build;
mod catch;
pub mod conformance;
mod fault;
pub mod git;
pub mod graphql;
mod inspect;
pub mod pages;
mod people;
mod record;
mod rest;
mod sandbox;
mod server;
mod shape;
pub mod state;
mod webhook;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;

pub use build::{
    Builder, NewApp, NewInstallation, NewOrganization, NewRepository, app, installation, org, repository,
};
pub use catch::Catch;
pub use fault::{Fault, FaultKind, Limit};
pub use inspect::{CheckRunView, CommentView, IssueView, Listing, PullRequestView};
pub use people::{User, on_web};
pub use record::Call;
pub use sandbox::Sandbox;
pub use state::{BranchRule, Flavor, Level, Permission, Role, Traffic, Visibility};
