//! What an agency answers with from its inventory: [`gaps`] and
//! [`quality`], for those who complete it, [`omb`], for those it owes numbers
//! to, [`states`], for those who check that nothing is left out, and [`as_of`],
//! for those who ask how it stood once.
//!
//! Promises: (1) a report is a function of values: the same ones give the same
//! bytes; (2) code that is not public is counted, and named only where the
//! caller passes its name; (3) what is not known or not checked is said.

pub mod as_of;
pub mod gaps;
pub mod omb;
pub mod quality;
pub mod states;
mod stored;
mod ways;

use std::fmt::Write as _;

pub use ways::{WAYS, Way, Who, ways};

fn say(out: &mut String, words: std::fmt::Arguments<'_>) {
    out.write_fmt(words).expect("a String takes everything");
}
