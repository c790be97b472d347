//! GitHub, as Muster speaks to it. The only room that names octocrab.
//!
//! Promises: (1) a token leaves only for the configured origin; (2) a write is
//! never sent twice without a read between; (3) whoever only reads holds a
//! token that can only read; (4) what could not be read is said, never taken
//! for missing; (5) the limits of an installation are kept for all who use it;
//! (6) nothing is written without leave of whoever keeps the budget for all
//! processes.

mod client;
pub mod credentials;
mod deliveries;
pub mod endpoints;
pub mod error;
pub mod examine;
pub mod fetch;
pub mod graphql;
mod leave;
pub mod limits;
pub mod needs;
pub mod network;
pub mod read;
pub mod skew;
mod transport;
pub mod webhook;
pub mod write;

use std::sync::Arc;

use futures_util::FutureExt as _;
use secrecy::SecretString;
use serde::Deserialize;

use self::{
    client::{Access, Client, Kind, Who},
    credentials::Scope,
    leave::Leave,
    read::TextCache,
};
pub use self::{
    credentials::App,
    deliveries::{DeliveryPage, ListedDelivery, Which},
    endpoints::Endpoints,
    error::{Error, Refusal, Result},
    examine::{Examined, RateLimit, Selection},
    leave::LONGEST_WRITE,
    needs::Granted,
    read::{
        CheckRun, Installation, Kept, ListPage, ListedRepository, NowSeen, OurNames, Reader, Role,
        control::{Control, ControlFile},
        many::{Ask, Found, Glance, Home, Many},
        records::RecordFile,
    },
    write::{
        ANNOTATIONS_A_CALL, Created, IssueChange, IssueState, NewCommit, NewPullRequest, Proposed, Target,
        Writer,
    },
};
pub use crate::domain::pace::{Pace, Turn};
use crate::{
    clock::Clock,
    domain::repository::{AccountId, InstallationId, Login, RepositoryName},
    metrics::Metrics,
};

/// One GitHub: a cheap handle on its connections, tokens and limits.
#[derive(Clone)]
pub struct GitHub {
    client: Arc<Client>,
    texts: Arc<TextCache>,
    dry: bool,
    ask: Option<leave::Ask>,
}

impl GitHub {
    /// GitHub with the App's credentials. Needs a Tokio runtime.
    ///
    /// # Errors
    /// [`Error::Permanent`] if no connection can be prepared.
    pub fn with_app(endpoints: Endpoints, app: App, clock: Clock) -> Result<GitHub> {
        GitHub::new(endpoints, Access::App(app), clock, false)
    }

    /// GitHub with a plain token, which `scan` reads with: it never writes.
    /// Needs a Tokio runtime.
    ///
    /// # Errors
    /// [`Error::Permanent`] if no connection can be prepared.
    pub fn with_token(endpoints: Endpoints, token: SecretString, clock: Clock) -> Result<GitHub> {
        GitHub::new(endpoints, Access::Token(token), clock, true)
    }

    fn new(endpoints: Endpoints, access: Access, clock: Clock, dry: bool) -> Result<GitHub> {
        let client = Arc::new(Client::new(endpoints, access, clock)?);
        Ok(GitHub { client, texts: Arc::default(), dry, ask: None })
    }

    /// The same GitHub for a dry run: it makes no [`Writer`], so that no token
    /// that can write is ever minted.
    #[must_use]
    pub fn dry_run(self) -> GitHub {
        GitHub { dry: true, ..self }
    }

    /// The same GitHub for whoever may write: before each write `ask` is asked
    /// for leave to write so many pieces of content on an installation at a
    /// pace. With [`Turn::Now`] it has counted them; for no piece it says only
    /// whether writing is still allowed.
    #[must_use]
    pub fn with_leave<F>(self, ask: impl Fn(InstallationId, u32, Pace) -> F + Send + Sync + 'static) -> GitHub
    where
        F: Future<Output = Result<Turn>> + Send + 'static,
    {
        let ask: leave::Ask =
            Arc::new(move |installation, pieces, pace| ask(installation, pieces, pace).boxed());
        GitHub { ask: Some(ask), ..self }
    }

    /// What is counted of its calls.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.client.metrics
    }

    /// Whether this is for a dry run.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.dry
    }

    /// Reads as an installation; with a plain token, with that.
    #[must_use]
    pub fn reader(&self, installation: InstallationId) -> Reader {
        let who = match &self.client.access {
            Access::App(_) => Who::Installation(Scope::new(installation, needs::READING, None)),
            Access::Token(_) => Who::Token,
        };
        Reader::new(Arc::clone(&self.client), Arc::clone(&self.texts), who)
    }

    /// Reads how often repositories of an installation are cloned and looked
    /// at, with a token that can do nothing else.
    #[must_use]
    pub fn measuring_reader(&self, installation: InstallationId) -> Reader {
        let who = Who::Installation(Scope::new(installation, needs::MEASURING, None));
        Reader::new(Arc::clone(&self.client), Arc::clone(&self.texts), who)
    }

    /// Reads with the plain token; `None` with the App's credentials.
    #[must_use]
    pub fn token_reader(&self) -> Option<Reader> {
        match &self.client.access {
            Access::App(_) => None,
            Access::Token(_) => {
                Some(Reader::new(Arc::clone(&self.client), Arc::clone(&self.texts), Who::Token))
            }
        }
    }

    /// Writes to one repository; `None` for a dry run, for a plain token, and
    /// for whoever has nobody to ask for leave ([`GitHub::with_leave`]).
    #[must_use]
    pub fn writer(&self, installation: InstallationId, target: Target, pace: Pace) -> Option<Writer> {
        let ask = self.ask.clone().filter(|_| !self.dry)?;
        Some(Writer::new(Arc::clone(&self.client), Leave { ask, installation, pace }, target))
    }

    /// Everywhere the App is installed.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn installations(&self) -> Result<Vec<Installation>> {
        let all =
            self.client.list(&Who::App, &needs::INSTALLATIONS, &[], |page: Vec<Installed>| page).await?;
        Ok(all.into_iter().filter_map(Installed::into_installation).collect())
    }

    /// One installation of the App.
    ///
    /// # Errors
    /// [`Error`]; [`Error::NotFound`] if it is gone.
    pub async fn installation(&self, id: InstallationId) -> Result<Installation> {
        self.installed(&needs::INSTALLATION, &[&id.to_string()]).await
    }

    /// The installation that covers a repository, by the name it has now.
    ///
    /// # Errors
    /// [`Error`]; [`Error::NotFound`] if none does.
    pub async fn installation_of_repository(&self, name: &RepositoryName) -> Result<Installation> {
        self.installed(&needs::INSTALLATION_OF_REPOSITORY, &[name.owner().as_str(), name.name()]).await
    }

    /// The App's installation on an organization or a user.
    ///
    /// # Errors
    /// [`Error`]; [`Error::NotFound`] if it is not installed there.
    pub async fn installation_of(&self, account: &Login) -> Result<Installation> {
        let values = [account.as_str()];
        match self.installed(&needs::INSTALLATION_OF_ORGANIZATION, &values).await {
            Err(Error::NotFound(_)) => self.installed(&needs::INSTALLATION_OF_USER, &values).await,
            other => other,
        }
    }

    async fn installed(&self, route: &needs::Route, values: &[&str]) -> Result<Installation> {
        let installed: Installed = self.client.rest_json(&Who::App, route, values, None, Kind::Read).await?;
        installed.into_installation().ok_or_else(|| {
            Error::Permanent("GitHub's answer names no account of the installation".to_owned())
        })
    }

    /// Whether tokens can be asked for: our clock is not off, as far as GitHub
    /// has told. While it is, GitHub is asked for the time once a minute.
    pub async fn has_time(&self) -> bool {
        match &self.client.access {
            Access::App(_) => self.client.correction().await.is_ok(),
            Access::Token(_) => true,
        }
    }

    /// Takes in what an installation grants, as the database remembers it: no
    /// token is asked for that is known to be refused.
    pub fn note_granted(&self, installation: InstallationId, granted: Granted) {
        self.client.note_granted(installation, granted);
    }

    /// What an installation is known to grant.
    #[must_use]
    pub fn granted(&self, installation: InstallationId) -> Option<Granted> {
        self.client.granted(installation)
    }

    /// Ends the tokens in memory, at shutdown: how many GitHub ended, and how
    /// many it did not, which end by themselves within the hour.
    pub async fn revoke_all(&self) -> (usize, usize) {
        self.client.revoke_all().await
    }
}

/// An installation as REST has it.
#[derive(Deserialize)]
struct Installed {
    id: InstallationId,
    account: Option<Account>,
    suspended_at: Option<String>,
    #[serde(default)]
    permissions: Granted,
    repository_selection: Option<Selection>,
}

#[derive(Deserialize)]
struct Account {
    id: AccountId,
    login: Option<Login>,
}

impl Installed {
    /// `None` for one whose account is gone.
    fn into_installation(self) -> Option<Installation> {
        let account = self.account?;
        Some(Installation {
            id: self.id,
            account: account.id,
            login: account.login,
            suspended: self.suspended_at.is_some(),
            granted: self.permissions,
            selection: self.repository_selection,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Work runs on any thread, so what it awaits must be able to move.
    #[test]
    fn calls_can_move_between_threads() {
        fn moves<T: Send>(_: fn(&'static Reader, &'static Login) -> T) {}
        moves(|reader, login| reader.organization_repositories(login));
        fn shared<T: Send + Sync + Clone>() {}
        shared::<GitHub>();
        shared::<Reader>();
        shared::<Writer>();
    }
}
