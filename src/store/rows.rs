//! Rows as they are stored, for what has to be carried whole: what the chain of
//! the ledger seals and what a backup holds.
//!
//! Promises: (1) a row's columns are named once, and the statements that write
//! and read it follow from that; (2) its JSON has the columns by name, in the
//! order of the alphabet, and none that is unknown.

use super::row::Columns;
use serde::{Deserialize, Serialize};
use sqlx::Any;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;

/// Declares rows: in which table, by which column in order, and the columns,
/// each with its parameter's number and its type, by name.
macro_rules! rows {
    (@type integer) => { i64 };
    (@type maybe_integer) => { Option<i64> };
    (@type text) => { String };
    (@type maybe_text) => { Option<String> };
    (@names $first:ident $($other:ident)*) => { concat!(stringify!($first) $(, ", ", stringify!($other))*) };
    (@numbers $first:literal $($other:literal)*) => { concat!("$", $first $(, ", $", $other)*) };
    ($(
        $(#[$note:meta])*
        $row:ident: $table:literal by $key:literal { $($number:literal $column:ident $kind:ident,)+ }
    )+) => {
        $(
            $(#[$note])*
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub(super) struct $row { $(pub(super) $column: rows!(@type $kind),)+ }

            #[allow(dead_code, reason = "links are read page by page, counters are never added")]
            impl $row {
                /// Adds it.
                pub(super) const INSERT: &str = concat!(
                    "INSERT INTO ", $table, " (", rows!(@names $($column)+),
                    ") VALUES (", rows!(@numbers $($number)+), ")"
                );
                /// All there are, in order.
                pub(super) const SELECT: &str =
                    concat!("SELECT ", rows!(@names $($column)+), " FROM ", $table, " ORDER BY ", $key);

                /// Reads it from a row that has its columns.
                pub(super) fn read(row: &AnyRow) -> Result<$row, sqlx::Error> {
                    Ok($row { $($column: row.$kind(stringify!($column))?,)+ })
                }

                /// The statement that adds it, with its values.
                pub(super) fn insert(&self) -> Query<'_, Any, AnyArguments> {
                    sqlx::query($row::INSERT)$(.bind(self.$column.clone()))+
                }
            }
        )+

        /// The statements of all rows with their names, for the test that prepares them.
        #[cfg(test)]
        pub(super) const REGISTER: &[(&str, &str)] = &[
            $((concat!("insert ", $table), $row::INSERT), (concat!("select ", $table), $row::SELECT),)+
        ];
    };
}

rows! {
    /// A decision. A column that a later version adds must not show in the
    /// JSON of rows that were sealed without it.
    DecisionRow: "decision" by "id" {
        1 actor integer,
        2 approver maybe_integer,
        3 decided_at integer,
        4 evidence_url maybe_text,
        5 findings text,
        6 id integer,
        7 login text,
        8 reason maybe_text,
        9 repository integer,
        10 role text,
        11 rule maybe_text,
        12 status text,
        13 until maybe_integer,
        14 via text,
    }
    /// An entry of the audit; as for [`DecisionRow`].
    AuditRow: "audit" by "id" {
        1 actor maybe_integer,
        2 detail text,
        3 id integer,
        4 installation maybe_integer,
        5 noted_at integer,
        6 repository maybe_integer,
        7 what text,
    }
    /// A link of the chain.
    LinkRow: "chain" by "seq" {
        1 entry integer,
        2 hash text,
        3 kind text,
        4 previous text,
        5 seq integer,
    }
    /// A counter.
    CounterRow: "counter" by "name" {
        1 name text,
        2 value integer,
    }
    /// What is or was open at GitHub.
    OutstandingRow: "outstanding" by "id" {
        1 account integer,
        2 closing maybe_text,
        3 commits maybe_text,
        4 created_at integer,
        5 edits maybe_text,
        6 findings text,
        7 hands_off_at maybe_integer,
        8 id integer,
        9 kind text,
        10 node_id maybe_text,
        11 number maybe_integer,
        12 repository integer,
        13 staged maybe_text,
        14 state text,
        15 updated_at integer,
    }
    /// The policy in force.
    PolicyRow: "policy" by "account" {
        1 account integer,
        2 digest text,
        3 oid text,
        4 taken_at integer,
        5 text text,
    }
    /// The account that a listed name means.
    ServedAccountRow: "served_account" by "name" {
        1 account integer,
        2 bound_at integer,
        3 name text,
    }
    /// A pause that holds.
    PauseRow: "pause" by "account" {
        1 account integer,
        2 paused_by text,
        3 reason text,
        4 since integer,
    }
    /// What Muster wrote of a repository's own file.
    OwnFileRow: "own_file" by "repository" {
        1 carries maybe_text,
        2 merged maybe_text,
        3 proposed maybe_text,
        4 repository integer,
    }
    /// What somebody answered about it.
    OwnAnswerRow: "own_file_answer" by "repository, field" {
        1 actor integer,
        2 answered_at integer,
        3 field text,
        4 login text,
        5 number integer,
        6 repository integer,
        7 value text,
    }
    /// The id of a redacted entry, in use or not any more.
    OpaqueRow: "opaque" by "id" {
        1 drawn_at integer,
        2 ended_at maybe_integer,
        3 id text,
        4 listed integer,
        5 repository integer,
        6 visibility text,
    }
    /// What stands, or stood, in a published file.
    ListingRow: "listing" by "agency, file, subject, published_at" {
        1 agency text,
        2 digest text,
        3 file text,
        4 place text,
        5 published_at integer,
        6 subject text,
        7 text text,
        8 withdrawn_at maybe_integer,
    }
    /// What was counted on a day.
    TrafficRow: "traffic" by "day, repository" {
        1 cloners integer,
        2 clones integer,
        3 day integer,
        4 repository integer,
        5 views integer,
        6 visitors integer,
    }
    /// Days that were measured.
    TrafficSpanRow: "traffic_span" by "repository, first_day" {
        1 first_day integer,
        2 last_day integer,
        3 repository integer,
    }
    /// When it was asked, and the sum of all clones.
    TrafficPollRow: "traffic_poll" by "repository" {
        1 clones integer,
        2 polled_on maybe_integer,
        3 repository integer,
        4 tried_on integer,
    }
    /// A number of forks.
    ForksRow: "forks" by "repository, seen_at" {
        1 forks integer,
        2 repository integer,
        3 seen_at integer,
    }
    /// What happened to an exemption.
    ExemptionEventRow: "exemption_event" by "id" {
        1 account integer,
        2 digest text,
        3 happened text,
        4 happened_at integer,
        5 id integer,
        6 repository integer,
    }
    /// An installation. What it grants is read again.
    InstallationRow: "installation" by "id" {
        1 account integer,
        2 id integer,
        3 login text,
        4 removed_at maybe_integer,
        5 seen_at integer,
        6 suspended_at maybe_integer,
    }
    /// How far an organization is adopted.
    AdoptionRow: "adoption" by "account" {
        1 account integer,
        2 begun_at integer,
        3 ended_at maybe_integer,
        4 ending maybe_text,
        5 found integer,
        6 listed_at maybe_integer,
        7 restored integer,
    }
    /// How far what is in force was rolled out, and whether a person agreed.
    RolloutRow: "rollout" by "account, common" {
        1 account integer,
        2 approved_at maybe_integer,
        3 began_at integer,
        4 common text,
        5 wanted maybe_integer,
    }
    /// A repository as far as it cannot be read again: its names for the audit,
    /// when its grace began, and that it was made public. What was judged is judged anew.
    RepositoryRow: "repository" by "id" {
        1 archived integer,
        2 arrived_at maybe_integer,
        3 findings_evaluations integer,
        4 first_seen_at integer,
        5 id integer,
        6 installation integer,
        7 name text,
        8 node_id text,
        9 owner text,
        10 publicized_at maybe_integer,
        11 publicized_from maybe_text,
        12 publicized_noted maybe_integer,
        13 removed_at maybe_integer,
        14 seen_at integer,
        15 visibility text,
    }
}
