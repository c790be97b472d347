//! Every statement the store says, as constants in one register.
//!
//! Promises: (1) no statement is built from text at run time; (2) each runs on
//! SQLite and on PostgreSQL as it stands, apart from those a
//! [`super::dialect`] chooses between; (3) a test prepares all of them on both.

/// Declares statements as constants and lists them in `REGISTER`.
macro_rules! statements {
    ($($(#[$note:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$note])* pub(in crate::store) const $name: &str = $sql;)*
        /// The statements of this file with their names, for the test that prepares them.
        #[cfg(test)]
        pub(in crate::store) const REGISTER: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

mod deliveries;
mod ledger;
mod repositories;
mod work;

pub(super) use deliveries::*;
pub(super) use ledger::*;
pub(super) use repositories::*;
pub(super) use work::*;

mod schema {
    statements! {
        SCHEMA_TABLE = "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY)";
        SCHEMA_VERSION = "SELECT COALESCE(MAX(version), 0) AS version FROM schema_version";
        SCHEMA_STEP = "INSERT INTO schema_version (version) VALUES ($1)";
        ALIVE = "SELECT 1 AS alive";
        TAKE_NUMBER = "UPDATE counter SET value = value + 1 WHERE name = $1 RETURNING value";
    }
}
pub(super) use schema::*;

/// Every statement of the store. What only the other database says is left out.
#[cfg(test)]
pub(super) fn register(dialect: super::Dialect) -> Vec<(&'static str, &'static str)> {
    [schema::REGISTER, deliveries::REGISTER, work::REGISTER, repositories::REGISTER, ledger::REGISTER]
        .concat()
        .into_iter()
        .filter(|(name, _)| match dialect {
            super::Dialect::Sqlite => *name != "CANDIDATE_SKIPPING_LOCKED",
            super::Dialect::Postgres => true,
        })
        .collect()
}
