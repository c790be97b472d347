//! The integration tests, in one binary.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod abuse_checkout;
mod abuse_forger;
mod abuse_zoo;
mod brakes;
mod check;
mod command_line;
mod crash;
mod deploy;
mod documents;
mod every_call;
mod faults;
mod floors;
mod github;
mod harness;
mod histories;
mod license;
mod manifests;
mod organization;
mod own_check;
mod pages;
mod server;
mod standing;
mod walk;
mod webhook;
