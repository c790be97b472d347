//! Muster against a sandbox GitHub: the real server, the real client, a real
//! database, and one stepped clock for both sides.
//!
//! A test that forgets [`Muster::finish`] fails.

use std::{sync::Arc, time::Duration};

use github_sandbox::{Builder, NewOrganization, NewRepository, Sandbox, app, installation, org, repository};
use jiff::Timestamp;
use muster::{
    app::App,
    clock::Clock,
    domain::{
        marker::MarkerKeys,
        plan::Cause,
        policy::Policy,
        repository::{InstallationId, RepositoryId},
    },
    github::{Endpoints, GitHub, webhook::Secret},
    jobs::{
        Act, Context, Settings, Target,
        inspect_repository::{Inspection, inspect},
        worker::Worker,
    },
    store::{Durability, JobFilter, Store},
    web::{Limits, Receiver},
};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::server::{Database, new_database};

/// A Tuesday, 15:00 UTC: inside the default hours of a policy.
pub const NOW: &str = "2026-11-17T15:00:00Z";

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

/// A running Muster.
pub struct Muster {
    pub ctx: Context,
    pub worker: Worker,
    pub github: Sandbox,
    pub clock: Clock,
    stop: CancellationToken,
    finished: bool,
    _folder: TempDir,
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
        Muster::open(github, clock, endpoints(github), database, policy, false).await
    }

    /// Starts on SQLite and waits for an answer of GitHub's no longer than
    /// this.
    pub async fn start_impatient(github: &Sandbox, clock: &Clock, patience: Duration) -> Muster {
        let endpoints = endpoints(github).answering_within(patience);
        Muster::open(github, clock, endpoints, Database::Sqlite, None, false).await
    }

    /// Starts on SQLite as a dry run.
    pub async fn start_dry(github: &Sandbox, clock: &Clock) -> Muster {
        Muster::open(github, clock, endpoints(github), Database::Sqlite, None, true).await
    }

    async fn open(
        github: &Sandbox,
        clock: &Clock,
        endpoints: Endpoints,
        database: Database,
        policy: Option<Policy>,
        dry_run: bool,
    ) -> Muster {
        let (folder, url) = new_database(database).await;
        let store = Store::open_with(&url, Durability::Test).await.unwrap();
        let key = SecretString::from(github.private_key());
        let credentials = muster::github::App::new(&github.client_id(), [&key]).unwrap();
        let client = GitHub::with_app(endpoints, credentials, clock.clone()).unwrap();
        let client = if dry_run { client.dry_run() } else { client };
        let organizations = vec!["agency".parse().unwrap()];
        let settings = Settings {
            organizations: organizations.clone(),
            instance: "test".to_owned(),
            keys: MarkerKeys::new(vec![b"a key of the instance, long enough".to_vec()]),
            policy,
            dry_run,
        };
        let ctx = Context::new(client, store.clone(), clock.clone(), settings);
        let secrets = Secret::list([github.webhook_secret().as_str()]).unwrap();
        let receiver = {
            let ctx = ctx.clone();
            Receiver::new(store, clock.clone(), secrets, organizations, move || ctx.known_bot())
        };
        let limits = Limits::default();
        let server = App::bind("127.0.0.1:0".parse().unwrap(), receiver, limits).await.unwrap();
        github.set_hook_url(&format!("http://{}/webhook", server.address()));
        let stop = CancellationToken::new();
        let idle = |stop: CancellationToken| async move { stop.cancelled().await };
        tokio::spawn(server.run(idle, stop.clone()));
        let worker = Worker::new(ctx.clone(), "test");
        let github = github.clone();
        Muster { ctx, worker, github, clock: clock.clone(), stop, finished: false, _folder: folder }
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
            account: muster::domain::repository::AccountId(account),
        }
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

    async fn sweep_again(&self) {
        for known in self.ctx.store.installations().await.unwrap() {
            muster::jobs::sweep_installation::run(&self.ctx, known.id, muster::store::Priority::Push)
                .await
                .unwrap();
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
