//! `code.json`, the metadata of federal source code: read losslessly, judged
//! with the place of every problem, repaired without a byte too many.
//!
//! Promises: (1) nothing here touches a file, the network or a clock: texts
//! come in, values go out, and today is an argument; (2) no input panics, and
//! time and memory are bounded by [`document::Limits`]; (3) what a person wrote
//! survives: key order, indentation, spelling of numbers, line ends, unknown
//! keys.

pub mod address;
pub mod check;
pub mod checks;
pub mod convert;
pub mod date;
pub mod detect;
pub mod document;
pub mod edit;
pub mod labor;
pub mod license;
pub mod merge;
pub mod migrate;
pub mod record;
pub mod repair;
pub mod report;
pub mod schema;
pub mod source;
pub mod validate;

mod synonyms;
