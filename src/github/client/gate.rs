//! The gate of an installation: how many calls at once, and when.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{AT_ONCE, Client, LONGEST_PAUSE, Who};
use crate::{
    domain::pace::Turn,
    github::{
        error::{Error, Result},
        leave::Leave,
        limits::{Limits, PageSize, Purse},
    },
};

/// What everyone on one installation has to pass.
pub(super) struct Gate {
    limits: Mutex<Limits>,
    /// How many repositories GitHub answers at once.
    page: Mutex<PageSize>,
    at_once: Semaphore,
    /// Held by the one write under way.
    pub(super) write: tokio::sync::Mutex<()>,
}

impl Gate {
    pub(super) fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn page(&self) -> MutexGuard<'_, PageSize> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place among the calls under way.
    pub(super) async fn place(&self) -> Result<SemaphorePermit<'_>> {
        let closed = |_| Error::Transient("Muster is shutting down".to_owned());
        self.at_once.acquire().await.map_err(closed)
    }
}

impl Client {
    pub(super) fn gate(&self, who: &Who) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = gates.entry(who.purse_holder()).or_insert_with(|| {
            Arc::new(Gate {
                limits: Mutex::default(),
                page: Mutex::default(),
                at_once: Semaphore::new(AT_ONCE),
                write: tokio::sync::Mutex::new(()),
            })
        });
        Arc::clone(gate)
    }

    /// How many repositories to ask for in one call.
    pub(in crate::github) fn page_size(&self, who: &Who) -> usize {
        self.gate(who).page().size()
    }

    /// Notes how a call for so many repositories went.
    pub(in crate::github) fn page_answered(&self, who: &Who, asked: usize, whole: bool) {
        self.gate(who).page().answered(asked, whole);
    }

    /// Waits a moment if GitHub asked for one; a longer wait is the caller's.
    pub(super) async fn wait_for(&self, gate: &Gate, purse: Purse) -> Result<()> {
        loop {
            let now = self.clock.now();
            let Err(until) = gate.limits().read(purse, now) else { return Ok(()) };
            if until > now + LONGEST_PAUSE {
                return Err(Error::Paced { until });
            }
            self.clock.pause_until(until).await;
        }
    }

    /// Waits for leave to write, as long as it is a moment away.
    pub(super) async fn turn(&self, gate: &Gate, purse: Purse, leave: &Leave, pieces: u32) -> Result<()> {
        loop {
            self.wait_for(gate, purse).await?;
            let (Turn::Soon(until) | Turn::Not(until)) = leave.to_write(pieces).await? else {
                return Ok(());
            };
            if until > self.clock.now() + LONGEST_PAUSE {
                return Err(Error::Paced { until });
            }
            self.clock.pause_until(until).await;
        }
    }
}
