//! What becomes of a delivery that GitHub is known to have sent: read, routed,
//! stored. The webhook and the record of deliveries end here alike.
//!
//! Promises: (1) nothing is stored of an account that is not served; (2) a
//! delivery and its jobs are committed together before [`Intake::take`]
//! returns; (3) nothing of a body is logged; only outcomes are counted.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use sha2::{Digest, Sha256};
use tokio::{sync::OnceCell, task::spawn_blocking};

use super::{
    Accounts,
    route::{self, Known},
};
use crate::{
    clock::Clock,
    domain::repository::{AccountId, InstallationId, RepositoryId},
    github::webhook::{Account, Authentic, Event, EventError, Rejection},
    metrics::Metrics,
    store::{Accepted, CheckWish, HeadMoved, NewDelivery, NewJob, SaidAnswer, Store, StoreError},
    traces,
};

/// Bodies above this many bytes are verified and read on a thread where they
/// keep nobody waiting: some 0.2 ms of work at this size.
pub const LARGE: usize = 128 * 1024;

/// The prefix of our branches where the policy names no other. An event about
/// another prefix is seen by the next sweep.
const BRANCH_PREFIX: &str = "muster/";

/// By which way deliveries come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    /// GitHub sends them; those that failed are asked for.
    #[default]
    Webhook,
    /// All are fetched: nothing has to reach this machine.
    Poll,
}

/// Takes deliveries in. A cheap handle.
#[derive(Clone)]
pub struct Intake(Arc<Parts>);

struct Parts {
    store: Store,
    clock: Clock,
    accounts: Accounts,
    bot: Arc<OnceCell<AccountId>>,
    counts: Tally,
    metrics: Metrics,
}

/// What became of a delivery that is not an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Stored, with its jobs.
    Stored,
    /// Its GUID was stored before; nothing is new.
    Known,
    /// Of an account that is not listed; nothing was stored.
    Unlisted,
}

/// Why a delivery was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// The signature fits none of our secrets.
    #[error(transparent)]
    Forged(#[from] Rejection),
    /// The body is not what it says it is.
    #[error(transparent)]
    Malformed(#[from] EventError),
    /// The database did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Reading it failed in a way that is a defect of ours.
    #[error("the delivery could not be read: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// How many deliveries ended how, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Stored.
    pub stored: u64,
    /// With a GUID stored before.
    pub known: u64,
    /// Of accounts that are not listed.
    pub unlisted: u64,
    /// Not taken once their bytes were here.
    pub refused: u64,
}

#[derive(Debug, Default)]
struct Tally {
    stored: AtomicU64,
    known: AtomicU64,
    unlisted: AtomicU64,
    refused: AtomicU64,
}

/// A delivery that can be stored.
struct Read {
    event: Event,
    digest: [u8; 32],
}

/// What an event asks of the store.
enum Asked {
    /// Jobs, or none.
    Jobs(Vec<NewJob>),
    /// A check, and the jobs that make it.
    Check(Vec<NewJob>, CheckWish),
    /// To look whether answers count, and the jobs that do.
    Answers(Vec<NewJob>, Vec<(RepositoryId, SaidAnswer)>),
    /// To move the judged head past a push that changes nothing of ours.
    Passed(HeadMoved),
}

impl Intake {
    /// An intake for `accounts`, that counts in `metrics`. `bot` is the account
    /// that is ours, once GitHub has told: what that one does is stored and
    /// wakes nobody. Until it is known, such an event wakes a job that finds
    /// nothing to do.
    #[must_use]
    pub fn new(
        store: Store,
        clock: Clock,
        accounts: Accounts,
        bot: Arc<OnceCell<AccountId>>,
        metrics: Metrics,
    ) -> Intake {
        Intake(Arc::new(Parts { store, clock, accounts, bot, counts: Tally::default(), metrics }))
    }

    /// What is counted here and elsewhere.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The clock it goes by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Where deliveries are stored.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// How many deliveries ended how.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let counts = &self.0.counts;
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            stored: of(&counts.stored),
            known: of(&counts.known),
            unlisted: of(&counts.unlisted),
            refused: of(&counts.refused),
        }
    }

    /// Reads a delivery and stores it with the jobs it asks for; returns after
    /// the commit.
    ///
    /// # Errors
    /// [`NotTaken`]; nothing of it is stored then.
    pub async fn take(&self, delivery: Authentic) -> Result<Taken, NotTaken> {
        let event = route::word(delivery.event());
        let taken = traces::delivery(event, self.read_and_store(delivery)).await;
        let counts = &self.0.counts;
        let outcome = match &taken {
            Ok(Taken::Stored) => "stored",
            Ok(Taken::Known) => "known",
            Ok(Taken::Unlisted) => "unlisted",
            Err(NotTaken::Forged(_)) => "forged",
            Err(NotTaken::Malformed(_)) => "malformed",
            Err(NotTaken::Store(_) | NotTaken::Broken(_)) => "failed",
        };
        self.0.metrics.delivered(event, outcome);
        let count = match &taken {
            Ok(Taken::Stored) => &counts.stored,
            Ok(Taken::Known) => &counts.known,
            Ok(Taken::Unlisted) => &counts.unlisted,
            Err(_) => &counts.refused,
        };
        count.fetch_add(1, Ordering::Relaxed);
        taken
    }

    /// Counts a delivery that was refused before it came here.
    pub fn refused(&self) {
        self.0.counts.refused.fetch_add(1, Ordering::Relaxed);
        // The name of an event is not believed before its signature.
        self.0.metrics.delivered("other", "forged");
    }

    async fn read_and_store(&self, delivery: Authentic) -> Result<Taken, NotTaken> {
        let read = if delivery.body().len() > LARGE {
            let delivery = delivery.clone();
            spawn_blocking(move || read(&delivery)).await??
        } else {
            read(&delivery)?
        };
        if !self.serves(&read.event).await? {
            if let Some(installation) = &read.event.installation {
                self.0.accounts.add_stranger(installation.id);
            }
            return Ok(Taken::Unlisted);
        }
        let asked = self.asked(&read.event).await?;
        let new = NewDelivery {
            guid: delivery.guid().to_owned(),
            event: read.event.name,
            action: read.event.action,
            installation: read.event.installation.map(|installation| row_id(installation.id.0)),
            repository: read.event.repository.map(|repository| row_id(repository.id.0)),
            digest: read.digest,
            body: delivery.body().clone(),
            received_at: self.0.clock.now(),
        };
        let accepted = match asked {
            Asked::Jobs(jobs) => self.0.store.accept(new, jobs).await?,
            Asked::Check(jobs, wish) => self.0.store.accept_check(new, jobs, wish).await?,
            Asked::Answers(jobs, answers) => self.0.store.accept_answers(new, jobs, answers).await?,
            Asked::Passed(moved) => self.0.store.accept_moved(new, moved).await?,
        };
        Ok(match accepted {
            Accepted::New | Accepted::KnownBody => Taken::Stored,
            Accepted::Duplicate => Taken::Known,
        })
    }

    /// Whether the event belongs to an account we serve: by the account it names,
    /// or by an installation that is known, since what has just left an account
    /// is told of under its new owner. One with neither is about nobody's
    /// repositories; of those only the hook's test is kept. An enterprise has no
    /// login.
    async fn serves(&self, event: &Event) -> Result<bool, StoreError> {
        if let Some(Account { id, login: Some(login), .. }) = event.installed_on()
            && self.0.accounts.serve(*id, login).await?
        {
            return Ok(true);
        }
        match &event.installation {
            Some(installation) => self.knows(installation.id).await,
            None => Ok(event.name == "ping" && event.installed_on().is_none()),
        }
    }

    /// Whether an installation is known as one of an account we serve.
    async fn knows(&self, id: InstallationId) -> Result<bool, StoreError> {
        let known = self.0.store.installation(id).await?.filter(|known| known.removed_at.is_none());
        match known.and_then(|known| Some((known.account, known.login.parse().ok()?))) {
            Some((account, login)) => self.0.accounts.serve(account, &login).await,
            None => Ok(false),
        }
    }

    async fn asked(&self, event: &Event) -> Result<Asked, StoreError> {
        let judged = match route::hangs_on_judged_head(event) {
            Some(repository) => self.0.store.judged_head(repository).await?,
            None => None,
        };
        let known =
            Known { judged: judged.as_ref(), bot: self.0.bot.get().copied(), branch_prefix: BRANCH_PREFIX };
        Ok(match route::moves_judged_head(event, known) {
            Some(moved) => Asked::Passed(moved),
            None => {
                let jobs = route::route(event, known, self.0.clock.now());
                match route::check_wish(event, known) {
                    Some(wish) => Asked::Check(jobs, wish),
                    None => match route::answers(event, known, self.0.clock.now()) {
                        answers if answers.is_empty() => Asked::Jobs(jobs),
                        answers => Asked::Answers(jobs, answers),
                    },
                }
            }
        })
    }
}

/// The part that only computes.
fn read(delivery: &Authentic) -> Result<Read, EventError> {
    let event = Event::parse(delivery.event(), delivery.body())?;
    Ok(Read { event, digest: Sha256::digest(delivery.body()).into() })
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

/// The database's integer for one of GitHub's ids, which are far below 2^63.
fn row_id(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}
