//! Muster against a sandbox GitHub: the real server, the real client, a real
//! database, and one stepped clock for both sides.
//!
//! A test that forgets [`Muster::finish`] fails.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use github_sandbox::{Builder, NewOrganization, NewRepository, Sandbox, app, installation, org, repository};
use jiff::Timestamp;
use muster::{
    app::App,
    clock::Clock,
    domain::{
        adoption::Ending,
        inventory::Agency,
        marker::MarkerKeys,
        plan::Cause,
        policy::Policy,
        repository::{AccountId, InstallationId, RepositoryId},
    },
    github::{Endpoints, GitHub, webhook::Secret},
    jobs::{
        Act, Context, Settings, Target,
        doctor::{Check, Depth, Doctor, Row, State},
        inspect_repository::{Inspection, inspect},
        intake::Way,
        sweep_installation,
        worker::Worker,
    },
    store::{Durability, JobFilter, JobKind, JobState, NewJob, Priority, Store},
    web::{Limits, Receiver},
};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::server::{Database, new_database};

/// A Tuesday, 15:00 UTC: inside the default hours of a policy.
pub const NOW: &str = "2026-11-17T15:00:00Z";

/// The key that signs the markers of every instance here.
pub const INSTANCE_KEY: &str = "a key of the instance that is long enough";

/// The clock of a test.
pub fn clock() -> Clock {
    Clock::stepped(NOW.parse().unwrap())
}

/// A sandbox whose clock is `clock`, with the App to be installed.
pub fn sandbox(clock: &Clock) -> Builder {
    let clock = clock.clone();
    Sandbox::builder().clock(Arc::new(move || clock.now())).app(app("muster"))
}

/// A repository that is years old.
pub fn old(name: &str) -> NewRepository {
    repository(name).created_at("2020-01-01T00:00:00Z".parse::<Timestamp>().unwrap())
}

/// A repository that lacks nothing the federal rules ask for.
pub fn complete(name: &str) -> NewRepository {
    old(name)
        .file("README.md", README)
        .file("LICENSE", spdx::license_id("CC0-1.0").unwrap().text())
        .file("CONTRIBUTING.md", "# Contributing\n\nSend us a pull request.\n")
}

/// Words enough for any README.
pub const README: &str = "# Site\n\nThis program counts the birds of a river and draws them on a map, \
    so that people who care for the river see how many of each kind live there, where they rest, and \
    whether there are more or fewer of them than in the years before.\n";

/// The organization `agency` with an owner, a writer, and this policy.
pub fn agency(policy: &str) -> NewOrganization {
    org("agency")
        .owner("olivia")
        .member("alice")
        .base_role(Some(github_sandbox::Role::Write))
        .repository(old(".github").file("README.md", README).file(".github/muster.yml", policy))
}

/// Where the sandbox is.
pub fn endpoints(github: &Sandbox) -> Endpoints {
    Endpoints::new(github.api_url(), Some(github.graphql_url())).unwrap()
}

/// The sandbox with `organization` and the App on all its repositories.
pub async fn installed(clock: &Clock, organization: NewOrganization) -> Sandbox {
    sandbox(clock).organization(organization).installation(installation("agency")).start().await.unwrap()
}

/// What an operator may set that tests tell apart.
#[derive(Debug, Clone)]
pub struct Setup {
    pub database: Database,
    pub policy: Option<Policy>,
    pub dry_run: bool,
    pub way: Way,
    pub organizations: Vec<String>,
    pub agencies: Vec<Agency>,
    /// Where others reach it.
    pub public_url: Option<String>,
    /// How long an answer of GitHub's is waited for; `None`: as usual.
    pub patience: Option<Duration>,
}

impl Setup {
    /// For these organizations.
    pub fn serving(organizations: &[&str]) -> Setup {
        let organizations = organizations.iter().map(|&name| name.to_owned()).collect();
        Setup { organizations, ..Setup::default() }
    }
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            database: Database::Sqlite,
            policy: None,
            dry_run: false,
            way: Way::Webhook,
            organizations: vec!["agency".to_owned()],
            agencies: Vec::new(),
            public_url: None,
            patience: None,
        }
    }
}

/// A running Muster.
pub struct Muster {
    pub ctx: Context,
    pub worker: Worker,
    pub github: Sandbox,
    pub clock: Clock,
    /// Where its database is, for others that share it.
    pub url: String,
    /// Where it answers.
    pub address: SocketAddr,
    setup: Setup,
    stop: CancellationToken,
    finished: bool,
    _folder: TempDir,
}

/// An organization is served for long: it is not to be read whole before
/// anything is written there.
pub async fn know(store: &Store, github: &Sandbox, login: &str, now: Timestamp) {
    let account = github.state(|state| state.account_named(login).map(|it| it.id));
    let Some(account) = account.map(AccountId) else { return };
    store.begin_adoption(account, now).await.unwrap();
    let begun = store.adoption(account).await.unwrap().unwrap();
    store.end_adoption(&begun, Ending::Confirmed, now).await.unwrap();
}

/// Where nobody answers: a hook must have an address, also if nothing reaches
/// it.
const NOWHERE: &str = "http://127.0.0.1:1/webhook";

/// What jobs work with, on a database that may be shared.
async fn context(github: &Sandbox, clock: &Clock, url: &str, setup: &Setup) -> Context {
    let store = Store::open_with(url, Durability::Test).await.unwrap();
    let endpoints = endpoints(github);
    let endpoints = match setup.patience {
        Some(patience) => endpoints.answering_within(patience),
        None => endpoints,
    };
    let key = SecretString::from(github.private_key());
    let credentials = muster::github::App::new(&github.client_id(), [&key]).unwrap();
    let client = GitHub::with_app(endpoints, credentials, clock.clone()).unwrap();
    let client = if setup.dry_run { client.dry_run() } else { client };
    let settings = Settings {
        organizations: setup.organizations.iter().map(|login| login.parse().unwrap()).collect(),
        instance: "test".to_owned(),
        keys: MarkerKeys::new(vec![INSTANCE_KEY.as_bytes().to_vec()]),
        policy: setup.policy.clone(),
        dry_run: setup.dry_run,
        way: setup.way,
        agencies: setup.agencies.clone(),
        public_url: setup.public_url.clone(),
    };
    Context::new(client, store, clock.clone(), settings)
}

impl Muster {
    /// Starts on SQLite and lists the installations, without their first sweep.
    pub async fn start(github: &Sandbox, clock: &Clock) -> Muster {
        Muster::start_with(github, clock, Database::Sqlite, None).await
    }

    /// Starts with the operator's own policy.
    pub async fn start_with(
        github: &Sandbox,
        clock: &Clock,
        database: Database,
        policy: Option<Policy>,
    ) -> Muster {
        Muster::start_as(github, clock, Setup { database, policy, ..Setup::default() }).await
    }

    /// Starts for these accounts, with the operator's own policy.
    pub async fn start_for(
        github: &Sandbox,
        clock: &Clock,
        database: Database,
        organizations: &[&str],
        policy: Option<Policy>,
    ) -> Muster {
        Muster::start_as(github, clock, Setup { database, policy, ..Setup::serving(organizations) }).await
    }

    /// Starts on SQLite as a dry run.
    pub async fn start_dry(github: &Sandbox, clock: &Clock) -> Muster {
        Muster::start_as(github, clock, Setup { dry_run: true, ..Setup::default() }).await
    }

    /// Starts as set up, where Muster has been for long.
    pub async fn start_as(github: &Sandbox, clock: &Clock, setup: Setup) -> Muster {
        let muster = Muster::new(github, clock, setup).await;
        muster.know().await;
        muster
    }

    /// Starts on this database, which may be shared, in the organization
    /// `agency`, which it has known for long.
    pub async fn start_at(github: &Sandbox, clock: &Clock, url: &str) -> Muster {
        let muster = Muster::resume(github, clock, (tempfile::tempdir().unwrap(), url)).await;
        muster.know().await;
        muster
    }

    /// Starts with a database that has never met the organization.
    pub async fn meeting(github: &Sandbox, clock: &Clock, database: Database) -> Muster {
        Muster::new(github, clock, Setup { database, ..Setup::default() }).await
    }

    /// Starts on a database that is there.
    pub async fn resume(github: &Sandbox, clock: &Clock, place: (TempDir, &str)) -> Muster {
        Muster::serve(github, clock, Setup::default(), place).await
    }

    /// Ends the process and starts another on the same database, which has
    /// nothing in memory.
    pub async fn restart(mut self) -> Muster {
        self.finished = true;
        self.stop.cancel();
        let folder = std::mem::replace(&mut self._folder, tempfile::tempdir().unwrap());
        Muster::serve(&self.github, &self.clock, self.setup.clone(), (folder, &self.url)).await
    }

    /// One more process under this name, with the same database.
    pub async fn replica(&self, name: &str) -> Worker {
        Worker::new(context(&self.github, &self.clock, &self.url, &self.setup).await, name)
    }

    async fn new(github: &Sandbox, clock: &Clock, setup: Setup) -> Muster {
        let (folder, url) = new_database(setup.database).await;
        Muster::serve(github, clock, setup, (folder, &url)).await
    }

    async fn know(&self) {
        for login in &self.ctx.settings.organizations {
            know(&self.ctx.store, &self.github, login.as_str(), self.clock.now()).await;
        }
    }

    async fn serve(github: &Sandbox, clock: &Clock, setup: Setup, (folder, url): (TempDir, &str)) -> Muster {
        let ctx = context(github, clock, url, &setup).await;
        let (intake, listen, limits) =
            (ctx.intake.clone(), "127.0.0.1:0".parse().unwrap(), Limits::default());
        let server = match setup.way {
            Way::Webhook => {
                let secrets = Secret::list([github.webhook_secret().as_str()]).unwrap();
                App::bind(listen, Receiver::new(intake, secrets), limits).await.unwrap()
            }
            Way::Poll => App::bind_health(listen, intake, limits).await.unwrap(),
        };
        let server = server.and_inventories(setup.agencies.clone());
        let stop = CancellationToken::new();
        let muster = Muster {
            worker: Worker::new(ctx.clone(), "test"),
            ctx,
            github: github.clone(),
            clock: clock.clone(),
            url: url.to_owned(),
            address: server.address(),
            setup,
            stop: stop.clone(),
            finished: false,
            _folder: folder,
        };
        match muster.setup.way {
            Way::Webhook => muster.plug_in(),
            Way::Poll => muster.unplug(),
        }
        let idle = |stop: CancellationToken| async move { stop.cancelled().await };
        tokio::spawn(server.run(idle, stop));
        muster
    }

    /// The network goes: what GitHub sends reaches nobody.
    pub fn unplug(&self) {
        self.github.set_hook_url(NOWHERE);
    }

    /// The network is back.
    pub fn plug_in(&self) {
        self.github.set_hook_url(&format!("http://{}/webhook", self.address));
    }

    /// Delivers what GitHub has to say, does what there is to do, until both
    /// are quiet.
    pub async fn settle(&self) {
        loop {
            let delivered = self.github.deliver().await;
            self.worker.drain().await.unwrap();
            if delivered == 0 && self.github.pending().is_empty() {
                return;
            }
        }
    }

    /// Lets time pass while a worker runs by itself: quickly while it waits, but
    /// while it has a job no faster than a busy machine works, or its calls would
    /// run out of patience.
    pub async fn tick(&self) {
        let jobs = self.ctx.store.jobs(JobFilter::default(), 100, self.clock.now()).await.unwrap();
        let running = jobs.iter().any(|job| matches!(job.state, JobState::Running { .. }));
        self.clock.advance(Duration::from_millis(if running { 100 } else { 1000 }));
    }

    /// Steps the clock, then settles.
    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.settle().await;
    }

    /// What a server does when it starts: learns who the bot is and who has
    /// installed the App, and sweeps for the first time.
    pub async fn begin(&self) {
        self.worker.begin().await.unwrap();
        self.settle().await;
    }

    fn target(&self, name: &str) -> Target {
        let installation = InstallationId(self.github.installation_id("agency"));
        let account = self.github.state(|state| state.account_named("agency").unwrap().id);
        Target {
            repository: RepositoryId(self.github.repository_id(name)),
            name: name.parse().unwrap(),
            installation,
            account: AccountId(account),
        }
    }

    /// What the doctor finds, one line a row, as `x permissions agency: …`.
    pub async fn doctor(&self, public_url: Option<&str>) -> Vec<String> {
        let database = format!("sqlite://{}", self._folder.path().join("muster.db").display());
        let doctor = Doctor {
            github: &self.ctx.github,
            store: Some(&self.ctx.store),
            organizations: &self.ctx.settings.organizations,
            policy: self.ctx.settings.policy.as_ref(),
            way: self.ctx.settings.way,
            public_url,
            web: self.github.web_url(),
            secrets: &[],
            depth: Depth::Whole,
            now: self.clock.now(),
        };
        let rows = doctor.examine(&Store::examine(&database).await).await;
        let line = |row: Row| {
            assert_eq!(row.remedy.is_some(), row.state != State::Ok, "{row:?}");
            let subject = row.subject.map_or_else(String::new, |subject| format!(" {subject}"));
            format!("{} {}{subject}: {}", row.state.as_str(), row.check.as_str(), row.means)
        };
        rows.into_iter().filter(|row| row.check != Check::Disk).map(line).collect()
    }

    /// What would be done about a repository now.
    pub async fn plan(&self, name: &str) -> Inspection {
        let target = self.target(name);
        inspect(&self.ctx, &target, Cause::Event, Act::Plan).await.unwrap().expect("the repository is there")
    }

    /// The calls to GitHub since the last time this was asked, tokens aside.
    pub fn calls(&self) -> Vec<String> {
        let calls = self.github.calls();
        self.github.clear_calls();
        calls
            .into_iter()
            .map(|call| match call.operation {
                Some(operation) => operation,
                None => format!("{} {}", call.method, call.route.unwrap_or_default()),
            })
            .filter(|call| !call.contains("access_tokens"))
            .collect()
    }

    /// The process ends, and its database is lost with it.
    pub async fn lose(mut self) {
        self.finished = true;
        self.stop.cancel();
        self.ctx.store.close().await;
    }

    /// No job is left to do now, none is dead, GitHub saw nothing it does not
    /// know, and settling once more writes nothing.
    pub async fn finish(mut self) {
        self.finished = true;
        self.settle().await;
        let now = self.clock.now();
        let dead = self.ctx.store.dead(100, now).await.unwrap();
        assert!(dead.is_empty(), "dead letters: {dead:#?}");
        let jobs = self.ctx.store.jobs(JobFilter::default(), 1000, now).await.unwrap();
        let runnable: Vec<_> = jobs.iter().filter(|job| job.run_at <= now).collect();
        assert!(runnable.is_empty(), "jobs left: {runnable:#?}");
        self.github.clear_calls();
        self.sweep_again().await;
        let writes: Vec<_> = self.github.calls().into_iter().filter(|call| call.writes).collect();
        assert!(writes.is_empty(), "a second round writes: {writes:#?}");
        assert_eq!(self.github.failures(), Vec::<String>::new());
        self.stop.cancel();
    }

    /// Ends a test in which something must be left undone.
    pub fn abandon(mut self) {
        self.finished = true;
        assert_eq!(self.github.failures(), Vec::<String>::new());
        self.stop.cancel();
    }

    /// Sweeps, and looks at every repository though nothing changed; of very
    /// many, at the first fifty.
    async fn sweep_again(&self) {
        let now = self.clock.now();
        for known in self.ctx.store.installations().await.unwrap() {
            sweep_installation::run(&self.ctx, known.id, Priority::Push).await.unwrap();
            let job = |repository: muster::store::Repository| {
                NewJob::new(
                    JobKind::InspectRepository,
                    repository.seen.id.0,
                    known.id,
                    Priority::Push,
                    now,
                    "once more",
                )
            };
            let all = self.ctx.store.repositories(known.id).await.unwrap();
            let jobs: Vec<NewJob> = all.into_iter().take(50).map(job).collect();
            self.ctx.store.enqueue(&jobs, now).await.unwrap();
        }
        self.settle().await;
    }
}

impl Drop for Muster {
    fn drop(&mut self) {
        if !self.finished && !std::thread::panicking() {
            panic!("the test ends without Muster::finish");
        }
    }
}
