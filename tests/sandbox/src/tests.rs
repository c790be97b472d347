//! The behaviours that programs lean on, over real HTTP.

mod apps;
mod client;
mod faults;
mod objects;
mod pull_requests;
mod repositories;
mod routes;
mod webhooks;
