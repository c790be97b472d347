//! What can go wrong with the database, sorted by what the caller does next.

use std::path::PathBuf;

/// An error of the store. Only [`StoreError::Unavailable`] is worth repeating
/// later without a change; the receiver answers it with 503, and
/// [`StoreError::Newer`] too, since a newer replica will take the delivery.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot take this now: the disk is full, it is locked for
    /// too long, the server is away or has no connection left.
    #[error("the database is not available while it was to {doing}: {source}")]
    Unavailable {
        /// What was asked of the database, as a verb phrase.
        doing: &'static str,
        /// The driver's own words.
        source: sqlx::Error,
    },
    /// The database was written by a newer Muster; nothing was changed in it.
    #[error(
        "the database has schema version {found}, this Muster knows versions up to {known}; \
         start a Muster at least as new as the one that wrote it, or restore a backup from before the upgrade"
    )]
    Newer {
        /// The version found in the database.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// The database URL is not one Muster can use.
    #[error("the database URL {problem}; give sqlite://PATH or postgres://USER@HOST/DATABASE")]
    Url {
        /// What is wrong with it. Never contains the URL, which may hold a password.
        problem: String,
    },
    /// The database file or its folder could not be made or protected.
    #[error("cannot prepare the database file {}: {source}; check its folder and owner", path.display())]
    File {
        /// The file or folder at fault.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A row holds something this program does not understand.
    #[error("row {key} of table {table} cannot be read: {problem}")]
    Row {
        /// The table.
        table: &'static str,
        /// The row's key.
        key: String,
        /// What was not understood.
        problem: String,
    },
    /// Any other refusal of the database: a defect of Muster or a damaged database.
    #[error("the database refused to {doing}: {source}")]
    Refused {
        /// What was asked of the database, as a verb phrase.
        doing: &'static str,
        /// The driver's own words.
        source: sqlx::Error,
    },
}

/// SQLite's primary result codes for a passing trouble: busy, locked, read-only,
/// interrupted, input/output, full, cannot open (<https://www.sqlite.org/rescode.html>).
const SQLITE_PASSING: [i64; 7] = [5, 6, 8, 9, 10, 13, 14];

impl StoreError {
    /// Sorts a driver's error; `doing` is a verb phrase ("accept a delivery").
    pub(super) fn of(doing: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
        move |source| {
            if passing(&source) {
                StoreError::Unavailable { doing, source }
            } else {
                StoreError::Refused { doing, source }
            }
        }
    }
}

impl StoreError {
    /// The same for an error of SQLite called directly.
    pub(super) fn of_sqlite(doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
        move |error| {
            let code = error.sqlite_error().map(|refusal| i64::from(refusal.extended_code & 0xff));
            let source = sqlx::Error::AnyDriverError(Box::new(error));
            if code.is_some_and(|code| SQLITE_PASSING.contains(&code)) {
                StoreError::Unavailable { doing, source }
            } else {
                StoreError::Refused { doing, source }
            }
        }
    }
}

fn passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(refusal) => refusal.code().is_some_and(|code| {
            passing_postgres(&code)
                || code
                    .parse::<i64>()
                    .is_ok_and(|number| code.len() != 5 && SQLITE_PASSING.contains(&(number & 0xff)))
        }),
        // The driver's enum is open; whatever it adds is not known to pass by itself.
        _ => false,
    }
}

/// Classes of SQLSTATE that pass: connection (08), serialization and deadlock
/// (40), resources (53), operator intervention (57), system (58), and a server
/// that is read-only (25006).
fn passing_postgres(code: &str) -> bool {
    code.len() == 5 && (["08", "40", "53", "57", "58"].contains(&&code[..2]) || code == "25006")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlstate_classes_are_told_apart() {
        for (code, expected) in [
            ("53100", true),
            ("08006", true),
            ("57P01", true),
            ("40001", true),
            ("25006", true),
            ("23505", false),
            ("42P01", false),
            ("13", false),
        ] {
            assert_eq!(passing_postgres(code), expected, "{code}");
        }
    }

    #[test]
    fn a_closed_pool_is_unavailable() {
        let error = StoreError::of("read")(sqlx::Error::PoolClosed);
        assert!(matches!(error, StoreError::Unavailable { doing: "read", .. }));
    }
}
