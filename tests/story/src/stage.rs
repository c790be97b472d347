//! The stage: a GitHub and a Muster on one clock, and an eye that tells what
//! Muster changed.
//!
//! Promises: (1) nothing waits for real time: the clock is moved, and every
//! job runs at the moment it asked for, or after a leap on arrival; (2) what is told was read from
//! GitHub's own state, not from what Muster says it did; (3) the folder of the
//! database goes with the stage.

mod eye;

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use github_sandbox::{Sandbox, app};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use muster::{
    app::{App, Stopped},
    clock::Clock,
    domain::{
        marker::MarkerKeys,
        repository::{AccountId, InstallationId, RepositoryId},
    },
    github::{Endpoints, GitHub, webhook::Secret},
    jobs::{self, Settings, Target, intake::Way, worker::Worker},
    store::{Durability, Store},
    web::{Limits, Receiver},
};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    cast::{self, AGENCY},
    check::{World, look},
    tell::{Sign, Teller},
};

/// Where the sandbox and Muster listen.
#[derive(Debug, Clone, Copy)]
pub struct Listen {
    /// Muster.
    pub muster: SocketAddr,
    /// The sandbox's pages.
    pub pages: SocketAddr,
}

/// Everything that is on.
pub struct Stage {
    /// The GitHub of the story.
    pub github: Sandbox,
    /// What Muster works with.
    pub ctx: jobs::Context,
    /// Muster's worker, driven by the story.
    pub worker: Worker,
    /// The one clock.
    pub clock: Clock,
    /// The voice.
    pub teller: Teller,
    /// Where Muster answers.
    pub address: SocketAddr,
    zone: TimeZone,
    with_urls: bool,
    seen: World,
    stood_down: BTreeSet<(RepositoryId, String)>,
    goes_on: CancellationToken,
    stop: CancellationToken,
    server: JoinHandle<Result<(), Stopped>>,
    _folder: TempDir,
}

impl Stage {
    /// Builds the organization and starts Muster beside it, at a local time.
    ///
    /// # Errors
    /// If an address is taken or the database cannot be made.
    pub async fn set(start: &str, listen: Listen, with_urls: bool) -> Result<Stage> {
        let zone = TimeZone::get("America/New_York")?;
        let start = start.parse::<DateTime>()?.to_zoned(zone.clone())?.timestamp();
        let clock = Clock::stepped(start);
        let builder = {
            let clock = clock.clone();
            let free = SocketAddr::from(([127, 0, 0, 1], 0));
            Sandbox::builder()
                .clock(Arc::new(move || clock.now()))
                .app(app("muster"))
                .listen(free, listen.pages)
        };
        let github = cast::assemble(builder)?.start().await.context("the sandbox cannot listen")?;

        let folder = tempfile::Builder::new().prefix("muster-demo-").tempdir()?;
        let file = folder.path().join("muster.db");
        // The folder goes with the story: nothing in it has to survive a loss of power.
        let store = Store::open_with(&format!("sqlite://{}", file.display()), Durability::Test).await?;
        let endpoints = Endpoints::new(github.api_url(), Some(github.graphql_url()))?;
        let key = SecretString::from(github.private_key());
        let credentials = muster::github::App::new(&github.client_id(), [&key])?;
        let settings = Settings {
            organizations: vec![AGENCY.parse()?],
            instance: "demo".to_owned(),
            keys: MarkerKeys::new(vec![b"the marker key of the demonstration".to_vec()]),
            policy: None,
            dry_run: false,
            way: Way::Webhook,
            agencies: Vec::new(),
            public_url: None,
        };
        let client = GitHub::with_app(endpoints, credentials, clock.clone())?;
        let ctx = jobs::Context::new(client, store, clock.clone(), settings);
        let secrets =
            Secret::list([github.webhook_secret().as_str()]).map_err(|error| anyhow!("{error:?}"))?;
        let receiver = Receiver::new(ctx.intake.clone(), secrets);
        let server = App::bind(listen.muster, receiver, Limits::default())
            .await
            .with_context(|| format!("{} cannot be listened on", listen.muster))?;
        let address = server.address();
        github.set_hook_url(&format!("http://{address}/webhook"));

        let worker = Worker::new(ctx.clone(), "demo");
        let (goes_on, stop) = (CancellationToken::new(), CancellationToken::new());
        // While the story runs, the story itself does the jobs, one after the
        // other; afterwards the worker goes on by itself.
        let work = {
            let (worker, goes_on) = (worker.clone(), goes_on.clone());
            |stop: CancellationToken| async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = goes_on.cancelled() => worker.run(stop).await,
                }
            }
        };
        let server = tokio::spawn(server.run(work, stop.clone()));
        let (teller, seen) = (Teller::new(clock.clone(), zone.clone()), look(&github));
        Ok(Stage {
            github,
            ctx,
            worker,
            clock,
            teller,
            address,
            zone,
            with_urls,
            seen,
            stood_down: BTreeSet::new(),
            goes_on,
            stop,
            server,
            _folder: folder,
        })
    }

    /// A person acts: the line, and then what Muster makes of it.
    pub async fn person(&mut self, name: &str, repository: &str, text: &str) -> Result<()> {
        self.teller.line(Sign::Person(name), repository, text);
        self.settle().await
    }

    /// Delivers what GitHub has to say, does what there is to do, until both
    /// are quiet, and tells what Muster changed.
    ///
    /// # Errors
    /// The database's.
    pub async fn settle(&mut self) -> Result<()> {
        // What people did so far is not what Muster does now.
        self.seen = look(&self.github);
        loop {
            let delivered = self.github.deliver().await;
            self.worker.drain().await?;
            if delivered == 0 && self.github.pending().is_empty() {
                break;
            }
        }
        self.tell_changes().await
    }

    /// Moves the clock to a local time; every job in between runs when it is
    /// due.
    ///
    /// # Errors
    /// If the time is none, and the database's.
    pub async fn move_clock(&mut self, to: &str, title: &str) -> Result<()> {
        let to = self.chapter(to, title)?;
        while let Some(next) = self.ctx.store.next_run_at().await?.filter(|next| *next <= to) {
            self.advance(next).await?;
        }
        self.advance(to).await
    }

    /// Moves the clock to a local time at once, as if Muster had not run in
    /// between: what was due is done on arrival.
    ///
    /// # Errors
    /// If the time is none, and the database's.
    pub async fn leap(&mut self, to: &str, title: &str) -> Result<()> {
        let to = self.chapter(to, title)?;
        self.advance(to).await
    }

    fn chapter(&self, to: &str, title: &str) -> Result<Timestamp> {
        let to = to.parse::<DateTime>()?.to_zoned(self.zone.clone())?.timestamp();
        self.teller.chapter(to, title);
        Ok(to)
    }

    async fn advance(&mut self, to: Timestamp) -> Result<()> {
        // A job that waits for a pace moves the clock itself, maybe past `to`.
        let left = to.duration_since(self.clock.now());
        self.clock.advance(Duration::try_from(left).unwrap_or_default());
        self.settle().await
    }

    fn targets(&self) -> Vec<(String, Target)> {
        let installation = InstallationId(self.github.installation_id(AGENCY));
        self.github.state(|state| {
            let Some(owner) = state.account_named(AGENCY) else { return Vec::new() };
            let of_agency = state.repositories().filter(|home| home.owner == owner.id);
            let target = |home: &github_sandbox::state::Repository| {
                let name = format!("{AGENCY}/{}", home.name).parse().ok()?;
                let (repository, account) = (RepositoryId(home.id), AccountId(owner.id));
                Some((home.name.clone(), Target { repository, name, installation, account }))
            };
            of_agency.filter_map(target).collect()
        })
    }

    /// The organization's account.
    ///
    /// # Errors
    /// If there is none.
    pub fn account(&self) -> Result<AccountId> {
        let id = self.github.state(|state| state.account_named(AGENCY).map(|account| account.id));
        id.map(AccountId).with_context(|| format!("{AGENCY} is not there"))
    }

    /// Lets everything go on by itself, with real time, until `end`.
    ///
    /// # Errors
    /// If the server ends by itself.
    pub async fn stay(self, end: impl Future<Output = ()>) -> Result<()> {
        self.github.deliver_automatically();
        self.goes_on.cancel();
        let ticking = {
            let clock = self.clock.clone();
            tokio::spawn(async move {
                const TICK: Duration = Duration::from_secs(1);
                let mut ticks = tokio::time::interval(TICK);
                ticks.tick().await;
                loop {
                    ticks.tick().await;
                    clock.advance(TICK);
                }
            })
        };
        let mut server = self.server;
        let ended = tokio::select! {
            () = end => {
                self.stop.cancel();
                server.await
            }
            ended = &mut server => ended,
        };
        ticking.abort();
        self.ctx.store.close().await;
        Ok(ended??)
    }

    /// Stops Muster.
    ///
    /// # Errors
    /// If it cannot end in order.
    pub async fn strike(self) -> Result<()> {
        self.stop.cancel();
        self.server.await??;
        self.ctx.store.close().await;
        Ok(())
    }
}
