//! A stateful, strict GitHub over HTTP, for tests and demonstrations.

pub mod conformance;
pub mod git;
pub mod graphql;
pub(crate) mod shape;
pub mod state;
