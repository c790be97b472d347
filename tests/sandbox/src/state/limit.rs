//! Rate limits, counted by the sandbox's clock.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::{AccountId, Caller, InstallationId, Refusal, State};

/// Who shares a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Spender {
    Anonymous,
    App,
    Person(AccountId),
    Installation(InstallationId),
}

/// Which hourly budget a call spends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// REST.
    Core,
    /// GraphQL points.
    Graphql,
}

impl Resource {
    /// The word of `X-RateLimit-Resource`.
    pub fn word(self) -> &'static str {
        match self {
            Resource::Core => "core",
            Resource::Graphql => "graphql",
        }
    }
}

/// How an hourly budget stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Points an hour.
    pub limit: u64,
    /// Spent in this hour.
    pub used: u64,
    /// When the hour ends.
    pub reset: Timestamp,
}

impl Budget {
    /// Points left.
    pub fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Limits {
    pub(super) budgets: HashMap<(Spender, Resource), Budget>,
    pub(super) contents: HashMap<Spender, Vec<Timestamp>>,
    /// Points an hour for installations and people; `None` as on a server
    /// without limits.
    pub(crate) hourly: Option<u64>,
}

/// GitHub's limits on creating content, in a minute and in an hour.
const CONTENT: [(i64, usize); 2] = [(60, 80), (3600, 500)];
/// What anonymous callers have.
const ANONYMOUS: u64 = 60;

impl State {
    fn spender(caller: &Caller) -> Spender {
        match caller {
            Caller::Anonymous => Spender::Anonymous,
            Caller::App => Spender::App,
            Caller::Person(person) => Spender::Person(*person),
            Caller::Installation(grant) => Spender::Installation(grant.installation),
        }
    }

    /// How a caller's hourly budget stands; `None` when limits are off.
    pub fn budget(&self, caller: &Caller, resource: Resource) -> Option<Budget> {
        let hourly = self.limits.hourly?;
        let (spender, now) = (Self::spender(caller), self.now());
        let limit = if spender == Spender::Anonymous { ANONYMOUS } else { hourly };
        let running = self.limits.budgets.get(&(spender, resource)).filter(|b| b.reset > now);
        let reset = now + SignedDuration::from_hours(1);
        Some(running.copied().unwrap_or(Budget { limit, used: 0, reset }))
    }

    /// Spends points of the hour.
    ///
    /// # Errors
    /// `PrimaryLimit` when fewer are left.
    pub fn charge(&mut self, caller: &Caller, resource: Resource, points: u64) -> Result<(), Refusal> {
        let Some(mut budget) = self.budget(caller, resource) else { return Ok(()) };
        if budget.remaining() < points {
            return Err(Refusal::PrimaryLimit);
        }
        budget.used += points;
        self.limits.budgets.insert((Self::spender(caller), resource), budget);
        Ok(())
    }

    /// Counts one creation of content (issue, pull request, comment) against
    /// the limits of a minute and of an hour.
    pub(crate) fn count_content(&mut self, caller: &Caller) -> Result<(), Refusal> {
        let now = self.now();
        let made = self.limits.contents.entry(Self::spender(caller)).or_default();
        let since = |seconds: i64| now - SignedDuration::from_secs(seconds);
        made.retain(|at| *at > since(3600));
        for (seconds, most) in CONTENT {
            if made.iter().filter(|at| **at > since(seconds)).count() >= most {
                return Err(Refusal::SecondaryLimit);
            }
        }
        made.push(now);
        Ok(())
    }
}
