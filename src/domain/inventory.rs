//! The inventory of an agency: one canonical record a repository, assembled
//! into the published files (M-16-21 §4.B and §7.2, SHARE IT Act §3(c)).
//!
//! Promises: (1) every repository the App can see is in exactly one state of
//! the [`Account`], and the sums balance; (2) the same input gives the same
//! bytes; (3) what is published of code that is not public is built by
//! [`redact`], which is given nothing that would name it (threats N3); (4) one
//! broken entry stops no other: it is published from its last good record, or
//! waits as incomplete; (5) the finished bytes are searched for what must not
//! be in them ([`leak`], threats N4), and [`guard`] says when the last good
//! publication stays.

mod account;
mod agency;
mod assemble;
pub mod guard;
pub mod harvest;
pub mod import;
pub mod leak;
pub mod letter;
mod part;
mod public;
mod redact;
pub mod report;
mod sources;
pub mod standing;
#[cfg(test)]
mod tests;
pub mod traffic;

pub use account::{Account, Line, State, Totals};
pub use agency::{Agency, Hosts};
pub use assemble::{Assembly, File, Problem, assemble, bytes, fragments, join};
pub use import::Imported;
pub use part::{Assembler, Entry, Part, Subject, left_out};
pub(in crate::domain) use public::default_record;
pub use redact::Opaque;
pub(in crate::domain) use sources::licenses;
pub use sources::{Exempt, FileState, Seen, Sources};
