//! The integration tests, in one binary.

mod abuse_forger;
mod deploy;
mod documents;
mod floors;
mod server;
mod webhook;
