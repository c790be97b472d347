//! The integration tests, in one binary.

mod abuse_checkout;
mod abuse_forger;
mod check;
mod command_line;
mod deploy;
mod documents;
mod floors;
mod license;
mod github;
mod harness;
mod manifests;
mod server;
mod walk;
mod webhook;
