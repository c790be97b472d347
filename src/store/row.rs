//! Values on their way into and out of a row.
//!
//! Instants are whole milliseconds since 1970, truth is 0 or 1, and a NUL in a
//! text becomes U+FFFD, since PostgreSQL cannot store one.

use super::StoreError;
use jiff::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

/// A text without NUL.
pub(super) fn text(value: &str) -> String {
    value.replace('\0', "\u{FFFD}")
}

/// A text without NUL, if there is one.
pub(super) fn maybe_text(value: Option<&str>) -> Option<String> {
    value.map(text)
}

/// An instant as stored.
pub(super) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// An instant as stored, if there is one.
pub(super) fn maybe_millis(at: Option<Timestamp>) -> Option<i64> {
    at.map(millis)
}

/// A number of GitHub's as stored. GitHub's are far below the bound.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number of GitHub's that is stored.
pub(super) fn unsigned(stored: i64) -> u64 {
    stored.max(0).unsigned_abs()
}

/// Reads named columns of a row in the types the store knows.
pub(super) trait Columns {
    /// A text.
    fn text(&self, column: &'static str) -> Result<String, sqlx::Error>;
    /// A text that may be absent.
    fn maybe_text(&self, column: &'static str) -> Result<Option<String>, sqlx::Error>;
    /// A number.
    fn integer(&self, column: &'static str) -> Result<i64, sqlx::Error>;
    /// A number that may be absent.
    fn maybe_integer(&self, column: &'static str) -> Result<Option<i64>, sqlx::Error>;
    /// A number of GitHub's.
    fn number(&self, column: &'static str) -> Result<u64, sqlx::Error> {
        self.integer(column).map(unsigned)
    }
    /// A number of GitHub's that may be absent.
    fn maybe_number(&self, column: &'static str) -> Result<Option<u64>, sqlx::Error> {
        self.maybe_integer(column).map(|stored| stored.map(unsigned))
    }
    /// Bytes.
    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, sqlx::Error>;
    /// Bytes that may be absent.
    fn maybe_bytes(&self, column: &'static str) -> Result<Option<Vec<u8>>, sqlx::Error>;
    /// An instant.
    fn time(&self, column: &'static str) -> Result<Timestamp, sqlx::Error>;
    /// An instant that may be absent.
    fn maybe_time(&self, column: &'static str) -> Result<Option<Timestamp>, sqlx::Error>;
    /// Truth.
    fn flag(&self, column: &'static str) -> Result<bool, sqlx::Error> {
        Ok(self.integer(column)? != 0)
    }
}

impl Columns for AnyRow {
    fn text(&self, column: &'static str) -> Result<String, sqlx::Error> {
        self.try_get(column)
    }
    fn maybe_text(&self, column: &'static str) -> Result<Option<String>, sqlx::Error> {
        self.try_get(column)
    }
    fn integer(&self, column: &'static str) -> Result<i64, sqlx::Error> {
        self.try_get(column)
    }
    fn maybe_integer(&self, column: &'static str) -> Result<Option<i64>, sqlx::Error> {
        self.try_get(column)
    }
    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, sqlx::Error> {
        self.try_get(column)
    }
    fn maybe_bytes(&self, column: &'static str) -> Result<Option<Vec<u8>>, sqlx::Error> {
        self.try_get(column)
    }
    fn time(&self, column: &'static str) -> Result<Timestamp, sqlx::Error> {
        instant(column, self.try_get(column)?)
    }
    fn maybe_time(&self, column: &'static str) -> Result<Option<Timestamp>, sqlx::Error> {
        self.maybe_integer(column)?.map(|stored| instant(column, stored)).transpose()
    }
}

/// The instant that is stored as this number.
pub(super) fn instant(column: &'static str, stored: i64) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_millisecond(stored)
        .map_err(|error| sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() })
}

/// The value a stored text stands for, or the error of that row.
pub(super) fn parsed<T: std::str::FromStr>(
    table: &'static str,
    key: impl std::fmt::Display,
    stored: &str,
) -> Result<T, StoreError> {
    stored.parse().map_err(|_| StoreError::Row {
        table,
        key: key.to_string(),
        problem: format!("this version does not know {stored:?}; use the version that wrote it"),
    })
}
