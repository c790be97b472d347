//! GitHub, as Muster speaks to it. The only room that names octocrab.
//!
//! Promises: (1) a token leaves only for the configured origin; (2) a write is
//! never sent twice without a read between; (3) whoever only reads holds a
//! token that can only read; (4) what could not be read is said, never taken
//! for missing; (5) the limits of an installation are kept for all who use it.

mod client;
pub mod credentials;
pub mod endpoints;
pub mod error;
pub mod graphql;
pub mod limits;
pub mod needs;
mod transport;
pub mod webhook;
