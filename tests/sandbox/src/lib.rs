//! A stateful, strict GitHub over HTTP, for tests and demonstrations.

pub mod conformance;
pub mod graphql;
