//! The big red switch: where nothing may be written now (etiquette 4.5,
//! threats O10).
//!
//! Promises: (1) it is asked before every single change, so that a pause stops
//! every replica at its next change; reading, judging and planning go on;
//! (2) the stop file needs neither GitHub nor the database: while it stands,
//! who sees it writes nothing; (3) whoever sees it first pauses everything in
//! the database too, for the replicas that do not; (4) removing the file ends
//! nothing: a person does, with `muster resume`.

use std::{path::Path, time::Duration};

use super::{Context, JobError, Target};
use crate::{
    domain::{plan::Hold, repository::AccountId},
    store::{Pause, Scope, StoreError},
};

/// Who has paused, where a file did.
const BY_FILE: &str = "the stop file";
/// When to look again at what is held back, though its end wakes it.
const LOOK_AGAIN: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether a stop file stands. One that cannot be looked at does.
#[must_use]
pub fn stands(file: &Path) -> bool {
    file.try_exists().unwrap_or(true)
}

impl Context {
    /// The pause that holds for an account, if one does.
    ///
    /// # Errors
    /// The database's: then nothing may be written either.
    pub async fn paused(&self, account: AccountId) -> Result<Option<Pause>, StoreError> {
        if self.stop_file.as_deref().is_some_and(stands) {
            let (by, reason) = (BY_FILE.to_owned(), String::new());
            return Ok(Some(Pause { scope: Scope::All, by, reason, since: self.clock.now() }));
        }
        self.store.paused(account).await
    }

    /// Pauses everything if the stop file stands.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn heed_stop_file(&self) -> Result<(), StoreError> {
        if self.stop_file.as_deref().is_some_and(stands)
            && !self.store.pauses().await?.iter().any(|pause| pause.scope == Scope::All)
            && self.store.pause(Scope::All, BY_FILE, "", self.clock.now()).await?
        {
            tracing::warn!(
                "the stop file stands: nothing is written until it is gone and muster resume is run"
            );
        }
        Ok(())
    }
}

/// Why nothing may be written to the target now, if so.
///
/// # Errors
/// The database's.
pub(super) async fn hold(ctx: &Context, target: &Target) -> Result<Option<Hold>, StoreError> {
    let until = ctx.clock.now() + LOOK_AGAIN;
    let why = |pause: Pause| match pause.scope {
        Scope::All => "writing is paused everywhere: muster resume --all".to_owned(),
        Scope::Account(_) => {
            format!("writing is paused: muster resume {}", target.name.owner().as_str())
        }
    };
    Ok(ctx.paused(target.account).await?.map(|pause| Hold { why: why(pause), until }))
}

/// Notes how many changes are held back, which the end of the pause brings up
/// again.
///
/// # Errors
/// The database's; [`JobError::Changed`] if the pause has ended meanwhile.
pub(super) async fn note_held(ctx: &Context, target: &Target, changes: usize) -> Result<(), JobError> {
    ctx.store.hold_changes(target.repository, target.account, changes, ctx.clock.now()).await?;
    // Its end may have come before this was noted.
    if changes > 0 && ctx.paused(target.account).await?.is_none() {
        return Err(JobError::Changed);
    }
    Ok(())
}
