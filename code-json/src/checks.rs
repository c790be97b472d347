//! The checks: one row each. The functions that apply them are next door.
//!
//! Promises: (1) an id is never used for something else later; (2) every row
//! says why, where that is written, and shows a text it finds and the same text
//! mended; the tests hold it to both.

use crate::check::Check;

pub mod data_gov;
pub mod dates;
pub mod inventory;
pub mod json;
pub mod lists;
pub mod permissions;
pub mod shape;
pub mod texts;
pub mod urls;

/// Every check, by subject.
pub const ALL: [&[&Check]; 9] = [
    json::ALL,
    shape::ALL,
    permissions::ALL,
    lists::ALL,
    texts::ALL,
    urls::ALL,
    dates::ALL,
    inventory::ALL,
    data_gov::ALL,
];

/// The check of that id.
#[must_use]
pub fn named(id: &str) -> Option<&'static Check> {
    ALL.iter().flat_map(|subject| subject.iter()).find(|check| check.id == id).copied()
}
