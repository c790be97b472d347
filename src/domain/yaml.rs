//! Files that people write in YAML: the policy, a repository's wish, the
//! register of exemptions.
//!
//! Promises: (1) a file is read in one pass that finds every problem, each with
//! line, column, key and remedy; (2) no text, however hostile, takes more than
//! bounded time and memory.

pub(in crate::domain) mod document;
pub(in crate::domain) mod problem;
pub(in crate::domain) mod section;

pub use document::MAX_BYTES;
pub use problem::{Problem, nearest};
