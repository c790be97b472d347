//! A plan that may not be carried out yet.

use jiff::Timestamp;

use super::{Plan, WouldNot};

/// Why nothing may be written for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Why, in a sentence without its full stop.
    pub why: String,
    /// When to look again though nothing happened.
    pub until: Timestamp,
}

impl Plan {
    /// The plan with all its changes held back. One without changes stays as
    /// it is; there is nothing to wait for.
    #[must_use]
    pub fn held_by(mut self, hold: &Hold) -> Plan {
        if self.changes.is_empty() {
            return self;
        }
        self.held.append(&mut self.changes);
        let (what, why) = ("write anything yet", hold.why.clone());
        self.would_not.push(WouldNot { what, why, until: Some(hold.until) });
        self.due = Some(hold.until);
        self
    }
}
