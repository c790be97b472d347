//! Leave to write: asked for before every write, from whoever keeps the budget
//! of an installation and knows who may still act on it.
//!
//! The budget is not kept here, since other processes write on the same
//! installation; and whether a run still holds its repository is nothing that
//! GitHub could tell.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

use super::error::Result;
use crate::domain::{
    pace::{Pace, Turn},
    repository::InstallationId,
};

/// How long a write takes at most, from its leave to its answer: whoever gives
/// leave counts on it. GitHub ends a request after ten seconds (GitHub
/// documentation, "Troubleshooting the REST API", timeouts).
pub const LONGEST_WRITE: Duration = Duration::from_secs(20);

/// Asks for leave to write so many pieces of content on an installation, at
/// this pace. What it answers with [`Turn::Now`] it has counted. Asked for no
/// piece, it says only whether writing is still allowed.
pub(super) type Ask =
    Arc<dyn Fn(InstallationId, u32, Pace) -> BoxFuture<'static, Result<Turn>> + Send + Sync>;

/// Whom a writer asks, and for what.
#[derive(Clone)]
pub(super) struct Leave {
    pub(super) ask: Ask,
    pub(super) installation: InstallationId,
    pub(super) pace: Pace,
}

impl Leave {
    /// Asks for leave to write `pieces` now.
    pub(super) async fn to_write(&self, pieces: u32) -> Result<Turn> {
        (self.ask)(self.installation, pieces, self.pace).await
    }
}

impl fmt::Debug for Leave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leave").field("installation", &self.installation).finish_non_exhaustive()
    }
}
