//! The work between the faces and the adapters: what an event asks for, and
//! how it is done.

pub mod adoption;
pub mod doctor;
pub mod inspect_installation;
pub mod inspect_repository;
pub mod lease;
mod policies;
pub mod route;
pub mod sweep_installation;
pub mod worker;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::OnceCell;

use crate::{
    clock::Clock,
    domain::{
        marker::{Identity, MarkerKeys},
        outgoing::TooPublic,
        policy::Policy,
        repository::{AccountId, InstallationId, Login, RepositoryId, RepositoryName},
    },
    github::{self, GitHub, Reader},
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
    bot: Arc<OnceCell<AccountId>>,
    /// Accounts whose adoption is known to have ended, for good.
    adopted: Arc<Mutex<HashSet<AccountId>>>,
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
            Error::Transient(_)
            | Error::Ambiguous(_)
            | Error::Partial(_)
            | Error::Unauthorized(_)
            | Error::NotFound(_) => JobError::Later(error.to_string()),
            Error::Gone(_) | Error::Forbidden { .. } | Error::Refused { .. } | Error::Permanent(_) => {
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
        let settings = Arc::new(settings);
        Context { github, store, clock, settings, bot: Arc::default(), adopted: Arc::default() }
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

    /// Whether an account is served (`MUSTER_ORGANIZATIONS`).
    #[must_use]
    pub fn serves(&self, login: &Login) -> bool {
        self.settings.organizations.iter().any(|served| served.same_as(login))
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

    /// Our bot user, if GitHub has told us already.
    #[must_use]
    pub fn known_bot(&self) -> Option<AccountId> {
        self.bot.get().copied()
    }

    /// The installation, as known or else as GitHub says; `None` if it is gone
    /// or of an account that is not served.
    ///
    /// # Errors
    /// GitHub's and the database's.
    pub async fn installation(&self, id: InstallationId) -> Result<Option<Installation>, JobError> {
        if let Some(known) = self.store.installation(id).await? {
            let served = known.login.parse().is_ok_and(|login| self.serves(&login));
            return Ok((served && known.removed_at.is_none()).then_some(known));
        }
        let installations = self.github.installations().await?;
        match installations.into_iter().find(|found| found.id == id) {
            Some(found) => self.see(found).await,
            None => Ok(None),
        }
    }

    /// Stores an installation as GitHub lists it, if its account is served.
    async fn see(&self, found: github::Installation) -> Result<Option<Installation>, JobError> {
        let Some(login) = found.login.filter(|login| self.serves(login)) else { return Ok(None) };
        let now = self.clock.now();
        let seen = Installation {
            id: found.id,
            account: found.account,
            login: login.to_string(),
            suspended_at: found.suspended.then_some(now),
            removed_at: None,
            seen_at: now,
        };
        self.store.see_installation(&seen).await?;
        Ok(Some(seen))
    }
}
