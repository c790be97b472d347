//! `kill -9` of the real program, again and again, while a thousand pushes
//! come in: on SQLite, and on PostgreSQL with three replicas. What stands in
//! the end is what stands when nobody is killed.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

use github_sandbox::{Builder, Catch, Level, Permission, Sandbox, installation, org};
use jiff::Timestamp;
use muster::{
    clock::Clock,
    domain::repository::RepositoryId,
    store::{DeliveryFilter, Durability, JobFilter, JobState, Store},
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::{
    harness::{Muster, old},
    process::{KILL, Process, free_address, serve, until},
    server::{Database, new_database},
};

/// Always open, and as fast as a second between two writes allows: the real
/// program runs by the real time.
const POLICY: &str = "mode: fix\n\
    repositories: {exclude: [\".github\"]}\n\
    limits: {first_day: 50, per_day: 50, open: 100, issues_per_day: 50, writes_per_minute: 60, writes_per_hour: 500}\n\
    quiet: {days: [mon, tue, wed, thu, fri, sat, sun], hours: \"00:00-24:00\", federal_holidays: false}\n";
const REPOSITORIES: usize = 7;
const PUSHES: usize = 1000;
const KILLS: usize = 20;
/// Between two pushes, so that they come while the writes are made.
const PAUSE: Duration = Duration::from_millis(25);
/// What the writes are, as their calls name it.
const WRITES: [&str; 3] = ["createPullRequest", "/labels", "/issues"];

fn world() -> Builder {
    let mut agency =
        org("agency").owner("olivia").member("alice").base_role(Some(github_sandbox::Role::Write));
    agency = agency.repository(old(".github").file("README.md", "Home").file(".github/muster.yml", POLICY));
    for n in 0..REPOSITORIES {
        agency = agency.repository(old(&site(n)).file("src/main.rs", "fn main() {}\n"));
    }
    // Without the right to write checks, of which a push would tell as well.
    let app = github_sandbox::app("muster").events(["push", "pull_request", "issues"]).permissions([
        (Permission::Metadata, Level::Read),
        (Permission::Contents, Level::Write),
        (Permission::Issues, Level::Write),
        (Permission::PullRequests, Level::Write),
        (Permission::Checks, Level::Read),
    ]);
    Sandbox::builder().app(app).organization(agency).installation(installation("agency"))
}

fn site(n: usize) -> String {
    format!("site-{n}")
}

fn sites() -> impl Iterator<Item = String> {
    (0..REPOSITORIES).map(|n| format!("agency/{}", site(n)))
}

/// The `n`-th push. One of four touches what a rule may read, and changes no
/// outcome.
fn push(github: &Sandbox, n: usize) {
    let path = if n.is_multiple_of(4) { ".github/notes.txt" } else { "src/lib.rs" };
    let name = format!("agency/{}", site(n % REPOSITORIES));
    github.user("alice").push(&name, "main", &[(path, &format!("{n}\n"))], "Write more");
}

/// What stands in every repository and in the ledger about it. Numbers are
/// GitHub's: an issue may be opened before the pull request that was cut off.
async fn standing(github: &Sandbox, store: &Store) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for name in sites() {
        let mut text = String::new();
        for issue in github.issues(&name).iter() {
            text += &format!("issue {:?} {:?}\n{}\n", issue.title, issue.labels, issue.body);
        }
        for pull in github.pull_requests(&name).iter() {
            text += &format!("pull {:?} {} {:?}\n{}\n", pull.title, pull.head, pull.files, pull.body);
            let (_, branch) = pull.head.split_once(':').unwrap();
            for path in &pull.files {
                text += &format!("{path}: {:?}\n", github.file(&name, branch, path));
            }
            text += &format!("commits: {}\n", pull.commits);
        }
        text += &format!("branches: {:?} labels: {:?}\n", github.branches(&name), github.labels(&name));
        let id = RepositoryId(github.repository_id(&name));
        let mut rows: Vec<String> = Vec::new();
        for row in store.outstanding(id).await.unwrap() {
            rows.push(format!("{:?} {:?} {}", row.kind, row.state, row.findings));
        }
        rows.sort();
        text += &format!("ledger: {rows:?} {:?}\n", store.decisions(id).await.unwrap());
        all.insert(name.clone(), text.replace(github.web_url(), "WEB").replace(&name, "SITE"));
    }
    all
}

/// The end when nobody is killed.
async fn undisturbed() -> BTreeMap<String, String> {
    let clock = Clock::stepped(Timestamp::now());
    let github = {
        let clock = clock.clone();
        world().clock(std::sync::Arc::new(move || clock.now())).start().await.unwrap()
    };
    let muster = Muster::start(&github, &clock).await;
    for n in 0..PUSHES {
        push(&github, n);
    }
    muster.settle().await;
    muster.advance(Duration::from_secs(120)).await;
    let standing = standing(&github, &muster.ctx.store).await;
    muster.finish().await;
    standing
}

/// Replicas on one database, each with its own address.
struct Fleet {
    github: Sandbox,
    url: String,
    processes: Vec<Process>,
    addresses: Vec<SocketAddr>,
    /// The kill under way: it comes back with the process started anew.
    killing: Option<(usize, JoinHandle<Process>)>,
    aimed: usize,
}

impl Fleet {
    async fn start(github: &Sandbox, url: &str, replicas: usize) -> Fleet {
        let mut processes = Vec::new();
        for _ in 0..replicas {
            processes.push(Process::start(serve(github, url, free_address())).await);
        }
        let addresses = processes.iter().map(|process| process.address).collect();
        let (github, url) = (github.clone(), url.to_owned());
        Fleet { github, url, processes, addresses, killing: None, aimed: 0 }
    }

    /// Kills one of them soon: in the middle of the next write, before or
    /// after it is carried out, or a few milliseconds from now.
    async fn kill_one(&mut self, random: &mut StdRng) {
        self.whole().await;
        let which = random.random_range(0..self.processes.len());
        let process = self.processes.remove(which);
        let aims = random.random_bool(0.5);
        let word = *WRITES.choose(random).unwrap();
        let caught = aims.then(|| self.github.catch(Catch::naming(&[word]).done(random.random_bool(0.5))));
        let moment = Duration::from_micros(random.random_range(0..30_000));
        let command = serve(&self.github, &self.url, process.address);
        self.aimed += usize::from(aims);
        self.killing = Some((
            which,
            tokio::spawn(async move {
                match caught {
                    // Some other replica's call may be caught: that one's answer is lost.
                    Some(caught) => drop(tokio::time::timeout(Duration::from_secs(1), caught).await),
                    None => tokio::time::sleep(moment).await,
                }
                assert!(!process.end(KILL).await.success());
                Process::start(command).await
            }),
        ));
    }

    /// Waits until all are there again.
    async fn whole(&mut self) {
        if let Some((which, killing)) = self.killing.take() {
            self.processes.insert(which, killing.await.unwrap());
        }
    }

    /// Delivers all there is, to one replica after the other; what fails is
    /// delivered again. How many failed.
    async fn deliver(&mut self, next: &mut usize) -> usize {
        let mut failed = 0;
        loop {
            let address = self.addresses[*next % self.addresses.len()];
            self.github.set_hook_url(&format!("http://{address}/webhook"));
            *next += 1;
            let Some(sent) = self.github.deliver_next().await else { return failed };
            if !sent.attempt.is_some_and(|attempt| attempt.succeeded()) {
                failed += 1;
                self.github.change(|state| state.redeliver(sent.id)).unwrap();
                if self.processes.is_empty() {
                    self.whole().await;
                }
            }
        }
    }
}

async fn kill_and_compare(database: Database, replicas: usize) {
    let seed =
        std::env::var("MUSTER_TEST_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("kill -9 on {database:?}: MUSTER_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let expected = undisturbed().await;
    for text in expected.values() {
        assert_eq!((text.matches("issue \"").count(), text.matches("pull \"").count()), (1, 1), "{text}");
    }

    let github = world().start().await.unwrap();
    let (_folder, url) = new_database(database).await;
    let mut fleet = Fleet::start(&github, &url, replicas).await;
    github.set_hook_url(&format!("http://{}/webhook", fleet.addresses[0]));
    let began = std::time::Instant::now();
    let moments: BTreeSet<usize> = {
        let mut moments = BTreeSet::new();
        while moments.len() < KILLS {
            moments.insert(random.random_range(0..PUSHES));
        }
        moments
    };
    let (mut next, mut failed) = (0, 0);
    let mut pace = tokio::time::interval(PAUSE);
    for n in 0..PUSHES {
        push(&github, n);
        if moments.contains(&n) {
            fleet.kill_one(&mut random).await;
        }
        failed += fleet.deliver(&mut next).await;
        pace.tick().await;
    }
    fleet.whole().await;

    // Nothing is left to be delivered or done before long.
    let store = Store::open_with(&url, Durability::Test).await.unwrap();
    until("nothing is left to do", async || {
        failed += fleet.deliver(&mut next).await;
        let now = Timestamp::now();
        let soon = now + Duration::from_secs(600);
        let jobs = store.jobs(JobFilter::default(), 1000, now).await.unwrap();
        jobs.iter().all(|job| match job.state {
            // The record of deliveries is read every few minutes.
            JobState::Waiting => job.run_at > soon || job.kind == "recover_deliveries",
            JobState::Dead { .. } => true,
            JobState::Ready | JobState::Running { .. } | JobState::Parked { .. } => false,
        })
    })
    .await;
    let logs: Vec<_> = fleet.processes.iter().map(Process::log).collect();
    assert_eq!(store.dead(10, Timestamp::now()).await.unwrap(), [], "{logs:#?}");
    let took = began.elapsed().as_secs();

    let sent = github.deliveries();
    let by_alice = sent.iter().filter(|delivery| {
        let payload: Value = serde_json::from_str(&delivery.payload).unwrap();
        delivery.event == "push" && payload["sender"]["login"] == "alice"
    });
    let pushed: BTreeSet<&str> = by_alice.map(|delivery| delivery.guid.as_str()).collect();
    let guids: BTreeSet<&str> = sent.iter().map(|delivery| delivery.guid.as_str()).collect();
    let stored = store.deliveries(&DeliveryFilter::default(), 10_000).await.unwrap();
    let stored: BTreeSet<&str> = stored.iter().map(|delivery| delivery.guid.as_str()).collect();
    assert_eq!((pushed.len(), stored.len()), (PUSHES, guids.len()));
    assert_eq!(stored, guids);
    let actual = standing(&github, &store).await;
    let duplicates: usize =
        sites().map(|name| github.issues(&name).len() + github.pull_requests(&name).len() - 2).sum();
    assert_eq!(duplicates, 0, "{actual:#?}");
    assert_eq!(actual, expected);
    assert_eq!(github.failures(), Vec::<String>::new());
    let crowded = most_written_in_a_minute(&github);
    // A call of three pieces may arrive a moment late.
    assert!(crowded <= 63, "{crowded} pieces of content within 60 seconds");
    println!(
        "kill -9 on {database:?}: {replicas} replicas, {KILLS} kills ({} aimed at a write), {} deliveries \
         stored, {} of them pushes, {failed} delivered again, {duplicates} duplicates, at most {crowded} \
         writes a minute, {took} s",
        fleet.aimed,
        stored.len(),
        pushed.len(),
    );
}

/// The most pieces of content that came within 60 seconds.
fn most_written_in_a_minute(github: &Sandbox) -> usize {
    let mut writes: Vec<(Timestamp, usize)> = Vec::new();
    for call in github.calls() {
        let pieces = match (call.operation.as_deref(), call.method.as_str(), call.route.as_deref()) {
            (Some("Propose"), _, _) => 3,
            (Some("ProposeFromBranch"), _, _) => 2,
            (Some("OpenPullRequest"), _, _) => 1,
            (None, "POST" | "PATCH" | "DELETE", Some(route)) if !route.starts_with("/app/") => 1,
            _ => 0,
        };
        writes.push((call.at, pieces));
    }
    writes.sort_unstable();
    let within = |(first, _): &(Timestamp, usize)| {
        let minute = *first..*first + Duration::from_secs(60);
        writes.iter().filter(|(at, _)| minute.contains(at)).map(|(_, pieces)| pieces).sum()
    };
    writes.iter().map(within).max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kills_on_sqlite_change_nothing() {
    kill_and_compare(Database::Sqlite, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kills_of_three_replicas_on_postgresql_change_nothing() {
    kill_and_compare(Database::Postgres, 3).await;
}
