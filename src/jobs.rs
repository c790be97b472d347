//! The work between the faces and the adapters: what an event asks for, and
//! how it is done.

mod accounts;
pub mod adoption;
mod answers;
mod check_pull_requests;
mod count_labor;
mod digest;
pub mod doctor;
mod exemptions;
mod imports;
pub mod inspect_installation;
pub mod inspect_repository;
pub mod intake;
pub mod lease;
pub mod pause;
pub mod policies;
mod poll_traffic;
pub mod publish_inventory;
mod read_installations;
mod recover_deliveries;
pub mod route;
pub mod sweep_installation;
mod verify_inventory;
mod whereabouts;
pub mod worker;

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::OnceCell;

pub use accounts::Accounts;
use intake::{Intake, Way};

use crate::{
    clock::Clock,
    domain::{
        inventory::Agency,
        marker::{Identity, MarkerKeys},
        outgoing::TooPublic,
        plan::Cause,
        policy::Policy,
        repository::{AccountId, InstallationId, Login, RepositoryId, RepositoryName},
    },
    github::{self, GitHub, Reader},
    metrics::Metrics,
    store::{Installation, Lease, Priority, Store, StoreError},
};

/// What every job works with; cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// GitHub.
    pub github: GitHub,
    /// The database.
    pub store: Store,
    /// The clock.
    pub clock: Clock,
    /// What the operator set.
    pub settings: Arc<Settings>,
    /// Which accounts are served.
    pub accounts: Accounts,
    /// Where deliveries go.
    pub intake: Intake,
    /// While this file stands, nothing is written.
    pub stop_file: Option<Arc<Path>>,
    /// What is counted.
    pub metrics: Metrics,
    bot: Arc<OnceCell<AccountId>>,
    /// Accounts whose adoption is known to have ended, for good.
    adopted: Arc<Mutex<HashSet<AccountId>>>,
    /// What was assembled last, by the number of the agency.
    inventories: Arc<Mutex<HashMap<usize, publish_inventory::Kept>>>,
}

/// What the operator set, as far as jobs need it.
#[derive(Debug)]
pub struct Settings {
    /// The accounts that are served; nobody else gets a token.
    pub organizations: Vec<Login>,
    /// The name of this instance in markers.
    pub instance: String,
    /// The keys of the markers.
    pub keys: MarkerKeys,
    /// The operator's own policy: it stands in for the organizations'.
    pub policy: Option<Policy>,
    /// Nothing is written to GitHub.
    pub dry_run: bool,
    /// By which way deliveries come in.
    pub way: Way,
    /// Whose inventories are published; the first is the main one.
    pub agencies: Vec<Agency>,
    /// Where others reach this instance, without a slash at the end.
    pub public_url: Option<String>,
}

/// Which repository, through which installation.
#[derive(Debug, Clone)]
pub struct Target {
    /// The repository.
    pub repository: RepositoryId,
    /// Its name when last seen.
    pub name: RepositoryName,
    /// The installation that reaches it.
    pub installation: InstallationId,
    /// The account it belongs to.
    pub account: AccountId,
}

/// Whether a plan is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Only planned; neither GitHub nor the ledger changes.
    Plan,
    /// Carried out.
    Apply,
}

/// When a job that succeeded is wanted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// When somebody asks, or its period is over.
    Asked,
    /// At this moment, with this priority.
    At(Timestamp, Priority),
}

impl Next {
    /// When the job of one repository is wanted again, whose plan is `due`
    /// then. What is due later is looked at with all others that are.
    #[must_use]
    pub fn of_repository(due: Option<Timestamp>, priority: Priority, now: Timestamp) -> Next {
        match due {
            Some(due) if is_at_once(due, now) => Next::At(due, priority),
            Some(_) | None => Next::Asked,
        }
    }
}

/// Whether `due` is so near that it is part of the same attempt at a job.
fn is_at_once(due: Timestamp, now: Timestamp) -> bool {
    due <= now + Duration::from_secs(60)
}

/// Why a job of this priority was asked for.
fn cause(priority: Priority) -> Cause {
    match priority {
        Priority::Command | Priority::Push => Cause::Event,
        Priority::Policy => Cause::Policy,
        Priority::Sweep => Cause::Sweep,
    }
}

/// The priority of a job that is asked for once more for the same cause.
fn priority(cause: Cause) -> Priority {
    match cause {
        Cause::Event => Priority::Push,
        Cause::Policy => Priority::Policy,
        Cause::Sweep => Priority::Sweep,
    }
}

/// Why a job did not finish, by what the worker does next.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Release the job until then; it is nobody's fault: the limits, or a clock
    /// that is off.
    #[error("waits until {0}, for the limits or for the right time")]
    Wait(Timestamp),
    /// GitHub refused for a limit: no job of the installation begins before.
    #[error("waits for GitHub's limits until {0}")]
    Limited(Timestamp),
    /// What the plan rested on changed: start over at once.
    #[error("the repository changed while it was judged")]
    Changed,
    /// The installation is suspended: park its jobs.
    #[error("the installation is suspended")]
    Suspended,
    /// The account does not allow it: it waits until the account does.
    #[error("the account does not allow it: it needs {needs}")]
    Forbidden {
        /// What would do, by GitHub's words.
        needs: String,
    },
    /// What stands under the repository's name belongs to another account.
    #[error("the repository is {0} now")]
    Moved(RepositoryName),
    /// Something is not there, or not for our eyes.
    #[error("{0}")]
    NotFound(String),
    /// Try again later.
    #[error("{0}")]
    Later(String),
    /// Trying again will not help: a person has to look.
    #[error("{0}")]
    Permanent(String),
}

impl From<github::Error> for JobError {
    fn from(error: github::Error) -> Self {
        use github::Error;
        match error {
            Error::Paced { until } | Error::ClockOff { again: until, .. } => JobError::Wait(until),
            Error::RateLimited { until } => JobError::Limited(until),
            Error::Suspended => JobError::Suspended,
            Error::StaleData(_)
            | Error::Conflict(_)
            | Error::Refused { reason: github::Refusal::ReadOnly, .. } => JobError::Changed,
            Error::Transient(_) | Error::Ambiguous(_) | Error::Partial(_) | Error::Unauthorized(_) => {
                JobError::Later(error.to_string())
            }
            Error::NotFound(_) => JobError::NotFound(error.to_string()),
            Error::Forbidden { needs, .. } => JobError::Forbidden { needs },
            Error::Gone(_) | Error::Refused { .. } | Error::Permanent(_) => {
                JobError::Permanent(error.to_string())
            }
        }
    }
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        JobError::Later(error.to_string())
    }
}

impl From<TooPublic> for JobError {
    fn from(error: TooPublic) -> Self {
        JobError::Permanent(error.to_string())
    }
}

impl Context {
    /// Puts together what jobs work with.
    #[must_use]
    pub fn new(github: GitHub, store: Store, clock: Clock, settings: Settings) -> Context {
        let bot: Arc<OnceCell<AccountId>> = Arc::default();
        let accounts = Accounts::new(store.clone(), settings.organizations.clone());
        let metrics = github.metrics().clone();
        let bot_too = Arc::clone(&bot);
        let intake = Intake::new(store.clone(), clock.clone(), accounts.clone(), bot_too, metrics.clone());
        let (settings, adopted, inventories) = (Arc::new(settings), Arc::default(), Arc::default());
        let stop_file = None;
        Context {
            github,
            store,
            clock,
            settings,
            accounts,
            intake,
            stop_file,
            metrics,
            bot,
            adopted,
            inventories,
        }
    }

    /// The same for the run of a lease: without one there is no leave to
    /// write, so whoever writes to GitHub holds the repository.
    #[must_use]
    pub fn under(&self, lease: &Lease) -> Context {
        let (store, clock, lease) = (self.store.clone(), self.clock.clone(), Arc::new(lease.clone()));
        let github = self.github.clone().with_leave(move |installation, pieces, pace| {
            let (store, clock, lease) = (store.clone(), clock.clone(), Arc::clone(&lease));
            async move { lease::leave(&store, &clock, &lease, installation, pieces, pace).await }
        });
        Context { github, ..self.clone() }
    }

    /// Whether nothing may be written to GitHub.
    #[must_use]
    pub fn dry_run(&self) -> bool {
        self.settings.dry_run
    }

    /// Who we are: the App's bot user is asked for once, with any
    /// installation's read token.
    ///
    /// # Errors
    /// GitHub's.
    pub async fn identity(&self, reader: &Reader) -> Result<Identity, JobError> {
        let ask = || async {
            let id = reader.bot().await?.id;
            id.ok_or_else(|| JobError::Permanent("GitHub does not say who the App's bot user is".to_owned()))
        };
        let bot = *self.bot.get_or_try_init(ask).await?;
        Ok(Identity { bot, instance: self.settings.instance.clone(), keys: self.settings.keys.clone() })
    }

    /// The installation, as known or else as GitHub says; `None` if it is gone
    /// or of an account that is not served.
    ///
    /// # Errors
    /// GitHub's and the database's.
    pub async fn installation(&self, id: InstallationId) -> Result<Option<Installation>, JobError> {
        let Some(known) = self.store.installation(id).await? else {
            return match self.github.installation(id).await {
                Ok(found) => {
                    let seen = self.admit(&found).await?;
                    if let Some(seen) = &seen {
                        self.store_installation(seen, found.granted).await?;
                    }
                    Ok(seen)
                }
                Err(github::Error::NotFound(_)) => Ok(None),
                Err(error) => Err(error.into()),
            };
        };
        let Ok(login) = known.login.parse::<Login>() else { return Ok(None) };
        if known.removed_at.is_some() || !self.accounts.serve(known.account, &login).await? {
            return Ok(None);
        }
        // Another replica may have read it.
        let granted = known.permissions.as_deref().map(serde_json::from_str);
        if let Some(Ok(granted)) = granted {
            self.github.note_granted(id, granted);
        }
        Ok(Some(known))
    }

    /// An installation as GitHub tells of it, ready to be stored; `None` if its
    /// account is not served.
    async fn admit(&self, found: &github::Installation) -> Result<Option<Installation>, JobError> {
        let now = self.clock.now();
        let login = match &found.login {
            Some(login) if self.accounts.admit(found.account, login, now).await? => login,
            Some(_) | None => {
                if self.accounts.add_stranger(found.id) {
                    tracing::warn!(
                        installation = found.id.0,
                        "an account that is not served has installed the App"
                    );
                }
                return Ok(None);
            }
        };
        self.accounts.forget_stranger(found.id);
        Ok(Some(Installation {
            id: found.id,
            account: found.account,
            login: login.to_string(),
            suspended_at: found.suspended.then_some(now),
            removed_at: None,
            seen_at: now,
            permissions: Some(found.granted.to_string()),
        }))
    }

    /// Stores an installation that was admitted.
    async fn store_installation(
        &self,
        seen: &Installation,
        granted: github::Granted,
    ) -> Result<(), StoreError> {
        self.store.see_installation(seen).await?;
        self.github.note_granted(seen.id, granted);
        Ok(())
    }

    /// Notes that a permission is missing, and who waits for it: one line for
    /// an installation and permission, however often it is met (etiquette 4.10).
    async fn lacks(
        &self,
        installation: InstallationId,
        repository: Option<RepositoryId>,
        needs: &str,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let granted = self.github.granted(installation).map(|granted| granted.to_string());
        let under = granted.as_deref().unwrap_or_default();
        if self.store.wait_for_permission(installation, repository, needs, under, now).await? {
            tracing::warn!(
                installation = installation.0,
                needs,
                "a permission is missing; what needs it waits until an owner accepts it on the App's page"
            );
        }
        let known = self.store.installation(installation).await?;
        if known.is_some_and(|known| known.permissions != granted) {
            // GitHub has just told more than the database knows.
            self.store.enqueue(&[read_installations::job(installation, now)], now).await?;
        }
        Ok(())
    }
}
