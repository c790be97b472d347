//! The integration tests, in one binary.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod abuse_accounts;
mod abuse_checkout;
mod abuse_forger;
mod abuse_ledger;
mod abuse_replay;
mod abuse_tenants;
mod abuse_wandering_token;
mod abuse_zoo;
mod adoption;
mod backup;
mod brakes;
mod check;
mod clock;
mod code_json;
mod command_line;
mod crash;
mod deploy;
mod doctor;
mod documents;
mod faults;
mod floors;
mod github;
mod harness;
mod hosts;
mod license;
mod lives;
mod manifests;
mod organization;
mod own_check;
mod pages;
mod poll;
mod recovery;
mod server;
mod walk;
mod webhook;
