//! Whose turn it is to write to SQLite, which takes one writer at a time.
//!
//! SQLite's own way to wait is to look again after a while, so that whoever
//! comes often starves whoever comes seldom. Within this process writers
//! therefore queue here, first come, first served.

use super::StoreError;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The right to write, held while a transaction lasts. A cheap handle.
#[derive(Debug, Clone)]
pub(super) struct WriteTurn(Arc<Semaphore>);

/// Held by whoever writes.
pub(super) type Turn = OwnedSemaphorePermit;

impl WriteTurn {
    pub(super) fn new() -> WriteTurn {
        WriteTurn(Arc::new(Semaphore::new(1)))
    }

    /// Waits for the turn; refused once the store is closed.
    pub(super) async fn take(&self, doing: &'static str) -> Result<Turn, StoreError> {
        Arc::clone(&self.0).acquire_owned().await.map_err(|_| StoreError::of(doing)(sqlx::Error::PoolClosed))
    }

    /// The same on a thread that runs no tasks.
    pub(super) fn take_blocking(&self, doing: &'static str, runtime: &Handle) -> Result<Turn, StoreError> {
        match Arc::clone(&self.0).try_acquire_owned() {
            Ok(turn) => Ok(turn),
            Err(_) => runtime.block_on(self.take(doing)),
        }
    }

    /// Waits for whoever writes, and lets nobody write after.
    pub(super) async fn close(&self) {
        // Closed already: nobody writes.
        let _last = self.0.acquire().await;
        self.0.close();
    }
}
