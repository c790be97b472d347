//! The integration tests, in one binary.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod abuse_checkout;
mod abuse_forger;
mod abuse_zoo;
mod brakes;
mod check;
mod closing;
mod command_line;
mod crash;
mod deploy;
mod documents;
mod fallback;
mod faults;
mod floors;
mod github;
mod harness;
mod license;
mod manifests;
mod organization;
mod own_check;
mod pages;
mod refresh;
mod server;
mod walk;
mod webhook;
