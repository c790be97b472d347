//! The integration tests, in one binary.

mod abuse_forger;
mod deploy;
mod command_line;
mod documents;
mod floors;
mod github;
mod manifests;
mod server;
mod webhook;
