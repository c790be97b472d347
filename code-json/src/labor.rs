//! Hours of work, estimated from lines of code.
//!
//! Promises: (1) the method is COCOMO II, nominal, and is named with its version
//! in the provenance; (2) what could not be counted has no hours: never 0;
//! (3) counting reads one file at a time, in the order they come, as they stream
//! out of an archive, and stops at [`Limits`].
//!
//! COCOMO II.2000 (B. Boehm et al., *Software Cost Estimation with COCOMO II*,
//! 2000): effort in person-months = 2.94 × KSLOC^E × the product of 17 effort
//! multipliers, each 1.00 when nominal; E = 0.91 + 0.01 × the sum of the five
//! scale factors, which are 3.72, 3.04, 4.24, 3.29 and 4.68 when nominal; a
//! person-month has 152 hours.

use crate::record::Provenance;

mod count;
mod languages;
mod paths;

pub use count::{Counter, Limits, Lines, Skipped};
pub use paths::{Excluded, excluded};

/// The name of the method, as the provenance has it.
pub const METHOD: &str = "COCOMO II.2000 nominal";

/// Of the way lines are counted and left out; raised when a count may change.
pub const VERSION: &str = "1";

const COEFFICIENT: f64 = 2.94;
const EXPONENT: f64 = 0.91 + 0.01 * (3.72 + 3.04 + 4.24 + 3.29 + 4.68);
const HOURS_A_MONTH: f64 = 152.0;

/// Hours for this many source lines, rounded to whole ones and at least 1. None
/// for no lines: that is not known, rather than no work.
#[must_use]
pub fn hours(source_lines: u64) -> Option<u64> {
    if source_lines == 0 {
        return None;
    }
    let months = COEFFICIENT * (source_lines as f64 / 1000.0).powf(EXPONENT);
    Some((months * HOURS_A_MONTH).round().max(1.0) as u64)
}

/// The provenance of such a number.
#[must_use]
pub fn provenance() -> Provenance {
    Provenance::Computed { method: METHOD.into(), version: VERSION.into() }
}

#[cfg(test)]
mod tests;
