//! What the two databases do not say alike. Everything else is one SQL.
//!
//! The differences: how a write transaction begins and how one that sees a
//! single moment, how a row that somebody else holds is passed over, how a
//! session is set up, how migrations are kept from racing, how a table is made
//! append-only, how rows become JSON, and what is asked about the journal.

use super::{Durability, Which};

/// Which database a [`super::Store`] speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// A file beside the program; one writer at a time.
    Sqlite,
    /// A server that replicas share.
    Postgres,
}

impl Dialect {
    /// Begins a transaction that is going to write. SQLite takes its write lock
    /// at once, since a lock taken half way cannot wait for another's.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN",
        }
    }

    /// Begins a transaction that reads one moment of the database. SQLite in
    /// its journal mode WAL does so by itself.
    pub(super) fn snapshot(self) -> &'static str {
        match self {
            Dialect::Sqlite => "BEGIN",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Settings of each new connection.
    pub(super) fn session(self, durability: Durability) -> &'static str {
        match (self, durability) {
            (Dialect::Sqlite, Durability::Full) => concat!(
                "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; ",
                "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
            ),
            (Dialect::Sqlite, Durability::Test) => concat!(
                "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; ",
                "PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
            ),
            (Dialect::Postgres, Durability::Full) => {
                "SET statement_timeout = '60s'; SET lock_timeout = '30s'; SET client_min_messages = 'warning';"
            }
            (Dialect::Postgres, Durability::Test) => concat!(
                "SET statement_timeout = '60s'; SET lock_timeout = '30s'; ",
                "SET client_min_messages = 'warning'; SET synchronous_commit = OFF;"
            ),
        }
    }

    /// Settings of a connection that only looks: it waits for nobody long, and
    /// leaves the journal as it is.
    pub(super) fn glance(self) -> &'static str {
        match self {
            Dialect::Sqlite => "PRAGMA busy_timeout = 2000; PRAGMA trusted_schema = OFF;",
            Dialect::Postgres => {
                "SET statement_timeout = '10s'; SET lock_timeout = '2s'; SET client_min_messages = 'warning';"
            }
        }
    }

    /// Asks how what is committed is kept, in the database's own words.
    pub(super) fn journal(self) -> &'static str {
        match self {
            Dialect::Sqlite => "SELECT journal_mode AS journal FROM pragma_journal_mode",
            Dialect::Postgres => concat!(
                "SELECT 'fsync ' || current_setting('fsync') || ', synchronous_commit ' || ",
                "current_setting('synchronous_commit') AS journal"
            ),
        }
    }

    /// Held to the end of the migrating transaction, so that replicas migrate
    /// one after the other. SQLite's write lock already does.
    pub(super) fn migration_lock(self) -> Option<&'static str> {
        match self {
            Dialect::Sqlite => None,
            // Any constant works as long as it stays: "muster" in ASCII.
            Dialect::Postgres => Some("SELECT pg_advisory_xact_lock(120351215609202)"),
        }
    }

    /// Triggers that refuse UPDATE and DELETE on `decision` and `audit`.
    pub(super) fn append_only(self) -> &'static str {
        match self {
            Dialect::Sqlite => include_str!("migrations/append_only.sqlite.sql"),
            Dialect::Postgres => include_str!("migrations/append_only.postgres.sql"),
        }
    }

    /// Triggers that refuse UPDATE and DELETE on `chain`.
    pub(super) fn append_only_chain(self) -> &'static str {
        match self {
            Dialect::Sqlite => include_str!("migrations/chain.sqlite.sql"),
            Dialect::Postgres => include_str!("migrations/chain.postgres.sql"),
        }
    }

    /// Triggers that refuse UPDATE and DELETE on `exemption_event`.
    pub(super) fn append_only_exemptions(self) -> &'static str {
        match self {
            Dialect::Sqlite => include_str!("migrations/exemptions.sqlite.sql"),
            Dialect::Postgres => include_str!("migrations/exemptions.postgres.sql"),
        }
    }

    /// The statement that takes ended leases back and passes over rows somebody
    /// else holds.
    pub(super) fn reap(self) -> &'static str {
        match self {
            Dialect::Sqlite => super::sql::REAP,
            Dialect::Postgres => super::sql::REAP_SKIPPING_LOCKED,
        }
    }

    /// The statement that picks a job and passes over rows somebody else holds.
    pub(super) fn candidate(self, which: Which) -> &'static str {
        match (self, which) {
            (Dialect::Sqlite, Which::Sound) => super::sql::CANDIDATE_SOUND,
            (Dialect::Sqlite, Which::Troubled) => super::sql::CANDIDATE_TROUBLED,
            (Dialect::Postgres, Which::Sound) => super::sql::CANDIDATE_SOUND_SKIPPING_LOCKED,
            (Dialect::Postgres, Which::Troubled) => super::sql::CANDIDATE_TROUBLED_SKIPPING_LOCKED,
        }
    }

    /// The statement that hands over all entries of an installation at once.
    pub(super) fn entries(self) -> &'static str {
        match self {
            Dialect::Sqlite => super::sql::ENTRIES_SQLITE,
            Dialect::Postgres => super::sql::ENTRIES_POSTGRES,
        }
    }

    /// The statement that hands over all names that must not be told.
    pub(super) fn hidden_names(self) -> &'static str {
        match self {
            Dialect::Sqlite => super::sql::HIDDEN_NAMES_SQLITE,
            Dialect::Postgres => super::sql::HIDDEN_NAMES_POSTGRES,
        }
    }

    /// The statement that hands over all that stands in a published file.
    pub(super) fn listed(self) -> &'static str {
        match self {
            Dialect::Sqlite => super::sql::LISTED_SQLITE,
            Dialect::Postgres => super::sql::LISTED_POSTGRES,
        }
    }
}
