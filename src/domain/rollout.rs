//! How much may follow from one change of the policy before a person has seen
//! the numbers (threats O10).
//!
//! Promises: (1) of what a policy, a change of what is handed down, or a new
//! version asks for, [`FREE`] issues and pull requests are opened at most; if
//! that is not all, the rest waits for a person; (2) before all repositories
//! were looked at, nobody knows whether it is all, so it counts as not.
//!
//! The threat names 25 writes or 5 % of the repositories. Of 500 repositories
//! both are the same. Of more, the 25 are fewer; of fewer, 5 % would stop an
//! organization of twenty after its first issue, so the 25 hold there too.

use jiff::Timestamp;

/// How many issues and pull requests may be opened before a person has to
/// agree.
pub const FREE: u32 = 25;

/// How far the rollout of what is in force has come in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rollout {
    /// When it began; `None` where nobody has begun it, as in a mere plan.
    pub began_at: Option<Timestamp>,
    /// Issues and pull requests opened since it began.
    pub created: u32,
    /// How many it asks for in all, those opened included; `None` until every
    /// repository was looked at.
    pub wanted: Option<u32>,
    /// Whether a person was shown the number and agreed.
    pub approved: bool,
}

impl Rollout {
    /// Whether nothing more may be opened before a person agrees.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.limited() && self.created >= FREE
    }

    /// Whether the number of what may be opened is limited at all.
    #[must_use]
    pub fn limited(&self) -> bool {
        !self.approved && self.wanted.is_none_or(|wanted| wanted > FREE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollout_holds_after_its_first_25_until_it_is_known_to_be_small_or_agreed_to() {
        let of = |created, wanted, approved| Rollout { began_at: None, created, wanted, approved }.holds();
        assert!(!of(24, None, false) && of(25, None, false));
        assert!(!of(24, Some(500), false) && of(25, Some(500), false) && of(26, Some(26), false));
        assert!(!of(25, Some(25), false) && !of(400, Some(25), false));
        assert!(!of(400, Some(500), true) && !of(400, None, true));
    }
}
