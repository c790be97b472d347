//! Muster checks the repositories of an agency's GitHub organizations, opens
//! the one issue or pull request that fixes what is missing, and keeps the
//! agency's source code inventory in sync.
//!
//! The floors, from the ground up; a room imports only from below its own:
//!
//! | floor | rooms | may know |
//! |---|---|---|
//! | 0 domain | `domain` | nothing but values: no clock, no files, no network |
//! | 1 adapters | `github`, `store` | `domain`, not each other |
//! | 2 work | `jobs` | `github`, `store`, `domain` |
//! | 3 faces | `web`, `cli` | everything below |

pub mod app;
pub mod checkout;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod github;
pub mod jobs;
pub mod logs;
pub mod metrics;
pub mod store;
pub mod traces;
pub mod web;
