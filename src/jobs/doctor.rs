//! Is everything as Muster needs it? Looks, judges, and says what to do.
//!
//! Promises: (1) nothing is changed, neither at GitHub nor in the database;
//! (2) what could not be looked at is said as such, never taken for good or
//! bad; (3) whatever is not good comes with a remedy; (4) names stand in
//! `subject` and `link` alone, so that a log can leave them out.

mod app;
mod database;
mod installations;
mod inventory;
mod rows;

use jiff::Timestamp;

use super::intake::Way;
pub use rows::{Check, Row, State, summary};

use crate::{
    domain::{policy::Policy, repository::Login},
    github::{self, GitHub},
    store::{Examined, Store, StoreError},
};

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Everything; one call for a hundred repositories.
    Whole,
    /// What keeps the work from being done; a handful of calls.
    Brief,
}

/// What is looked at, and what the operator wants of it.
#[derive(Clone, Copy)]
pub struct Doctor<'a> {
    /// GitHub.
    pub github: &'a GitHub,
    /// The database, if it could be opened as it is.
    pub store: Option<&'a Store>,
    /// The accounts that are to be served.
    pub organizations: &'a [Login],
    /// The operator's own policy.
    pub policy: Option<&'a Policy>,
    /// By which way deliveries come in.
    pub way: Way,
    /// Where others reach this instance.
    pub public_url: Option<&'a str>,
    /// The pages of GitHub, by the settings.
    pub web: &'a str,
    /// Secrets in files, each with the date of its file.
    pub secrets: &'a [(&'static str, Timestamp)],
    /// How much to look at.
    pub depth: Depth,
    /// The time.
    pub now: Timestamp,
}

impl Doctor<'_> {
    /// Looks at everything. `examined` is the database as it was found.
    pub async fn examine(&self, examined: &Result<Option<Examined>, StoreError>) -> Vec<Row> {
        let mut rows = self.app().await;
        rows.extend(rows::ages(self.secrets, self.now));
        rows.extend(database::judge(examined));
        if let Some(store) = self.store {
            rows.extend(self.work_left(store).await);
            rows.extend(self.inventories(store).await);
        }
        rows
    }

    /// Writes to the log what is not good, and one line about the rest. Names
    /// stay out of it (threats N9).
    pub async fn log(&self, examined: &Result<Option<Examined>, StoreError>) {
        let rows = self.examine(examined).await;
        for row in &rows {
            let installation = row.installation.map(|id| id.0);
            let (check, remedy) = (row.check.as_str(), row.remedy.as_deref());
            match row.state {
                State::Ok => tracing::debug!(check, installation, "{}", row.means),
                State::CouldNotCheck => tracing::info!(check, installation, "could not check: {}", row.means),
                State::Warning => tracing::warn!(check, installation, remedy, "{}", row.means),
                State::Fails => tracing::error!(check, installation, remedy, "{}", row.means),
            }
        }
        tracing::info!("looked around: {}; muster doctor tells more", summary(&rows));
    }
}

/// What can be told when GitHub cannot even be called.
#[must_use]
pub fn without_github(error: &github::Error, examined: &Result<Option<Examined>, StoreError>) -> Vec<Row> {
    let mut rows = app::unreachable(error);
    rows.extend(database::judge(examined));
    rows
}
