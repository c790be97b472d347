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

/// The rows of an INSERT, each by `$row!` from the numbers of its parameters.
macro_rules! joined {
    ($row:ident: $first:tt $($other:tt)*) => { concat!($row! $first $(, ", ", $row! $other)*) };
}

/// Four rows of seven parameters.
macro_rules! four_rows {
    ($row:ident) => {
        joined!($row:
            (1, 2, 3, 4, 5, 6, 7) (8, 9, 10, 11, 12, 13, 14) (15, 16, 17, 18, 19, 20, 21)
            (22, 23, 24, 25, 26, 27, 28)
        )
    };
}

/// Sixteen rows of seven parameters.
macro_rules! sixteen_rows {
    ($row:ident) => {
        joined!($row:
            (1, 2, 3, 4, 5, 6, 7) (8, 9, 10, 11, 12, 13, 14) (15, 16, 17, 18, 19, 20, 21)
            (22, 23, 24, 25, 26, 27, 28) (29, 30, 31, 32, 33, 34, 35) (36, 37, 38, 39, 40, 41, 42)
            (43, 44, 45, 46, 47, 48, 49) (50, 51, 52, 53, 54, 55, 56) (57, 58, 59, 60, 61, 62, 63)
            (64, 65, 66, 67, 68, 69, 70) (71, 72, 73, 74, 75, 76, 77) (78, 79, 80, 81, 82, 83, 84)
            (85, 86, 87, 88, 89, 90, 91) (92, 93, 94, 95, 96, 97, 98) (99, 100, 101, 102, 103, 104, 105)
            (106, 107, 108, 109, 110, 111, 112)
        )
    };
}

/// What both the repositories and the sweeps read of an item.
macro_rules! outstanding_columns {
    () => {
        "id, kind, state, number, node_id, findings, commits, staged, closing, edits, hands_off_at, \
         created_at, updated_at"
    };
}

/// A column about a repository that was made public: `$new` in the moment it
/// is, `$kept` while it stays, nothing while it is not.
macro_rules! made_public {
    ($visibility:literal, $new:literal, $kept:literal) => {
        concat!(
            "CASE WHEN ",
            $visibility,
            " <> 'public' THEN NULL WHEN repository.visibility <> 'public' THEN ",
            $new,
            " ELSE ",
            $kept,
            " END"
        )
    };
}

mod adoption;
mod answers;
mod checks;
mod deliveries;
mod digest;
mod exemptions;
mod imports;
mod intake;
mod inventory;
mod keeping;
mod labor;
mod ledger;
mod own_file;
mod pace;
mod pauses;
mod publicized;
mod repositories;
mod sweep;
mod traffic;
mod work;

pub(super) use adoption::*;
pub(super) use answers::*;
pub(super) use checks::*;
pub(super) use deliveries::*;
pub(super) use digest::*;
pub(super) use exemptions::*;
pub(super) use imports::*;
pub(super) use intake::*;
pub(super) use inventory::*;
pub(super) use keeping::*;
pub(super) use labor::*;
pub(super) use ledger::*;
pub(super) use own_file::*;
pub(super) use pace::*;
pub(super) use pauses::*;
pub(super) use publicized::*;
pub(super) use repositories::*;
pub(super) use sweep::*;
pub(super) use traffic::*;
pub(super) use work::*;

mod schema {
    statements! {
        SCHEMA_TABLE = "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY)";
        SCHEMA_VERSION = "SELECT COALESCE(MAX(version), 0) AS version FROM schema_version";
        SCHEMA_STEP = "INSERT INTO schema_version (version) VALUES ($1)";
        /// To be taken back: that it is allowed is all that is asked.
        WRITE_NOTHING = "UPDATE counter SET value = value";
        TAKE_NUMBERS = "UPDATE counter SET value = value + $2 WHERE name = $1 RETURNING value";
    }
}
pub(super) use schema::*;

/// Every statement of the store. What only the other database says is left out.
#[cfg(test)]
pub(super) fn register(dialect: super::Dialect) -> Vec<(&'static str, &'static str)> {
    [
        schema::REGISTER,
        checks::REGISTER,
        deliveries::REGISTER,
        digest::REGISTER,
        answers::REGISTER,
        imports::REGISTER,
        intake::REGISTER,
        inventory::REGISTER,
        keeping::REGISTER,
        labor::REGISTER,
        work::REGISTER,
        own_file::REGISTER,
        pace::REGISTER,
        repositories::REGISTER,
        ledger::REGISTER,
        adoption::REGISTER,
        sweep::REGISTER,
        traffic::REGISTER,
        pauses::REGISTER,
        publicized::REGISTER,
        exemptions::REGISTER,
        super::rows::REGISTER,
    ]
    .concat()
    .into_iter()
    .filter(|(name, _)| match dialect {
        super::Dialect::Sqlite => !name.ends_with("_SKIPPING_LOCKED") && !name.ends_with("_POSTGRES"),
        super::Dialect::Postgres => !name.ends_with("_SQLITE"),
    })
    .collect()
}
