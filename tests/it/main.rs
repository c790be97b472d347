//! The integration tests, in one binary.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod abuse_checkout;
mod abuse_flood;
mod abuse_forger;
mod abuse_ledger;
mod abuse_poison;
mod abuse_tenants;
mod abuse_wandering_token;
mod abuse_zoo;
mod adoption;
mod backup;
mod brakes;
mod check;
mod clock;
mod closing;
mod command_line;
mod crash;
mod deploy;
mod doctor;
mod documents;
mod every_call;
mod fallback;
mod faults;
mod floors;
mod github;
mod harness;
mod histories;
mod hosts;
mod kill;
mod license;
mod manifests;
mod organization;
mod outage;
mod own_check;
mod pages;
mod process;
mod refresh;
mod replicas;
mod server;
mod standing;
mod sweep;
mod walk;
mod webhook;
