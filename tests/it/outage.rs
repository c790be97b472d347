//! The database is away, locked or full: a sender is told to come again, the
//! worker waits, and nothing is lost.

use std::{path::PathBuf, process::Command, time::Duration};

use github_sandbox::{Fault, FaultKind, Sandbox};
use muster::{
    store::{DeliveryFilter, Durability, Store},
    web::Limits,
};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::{
    io::{AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};
use tokio_util::sync::CancellationToken;

use crate::{
    crash::{SITE, lacking_at, push, standing, undisturbed},
    process::{Process, free_address, serve, sqlite, until},
    server::{Answer, Database, Request, Server, new_database},
};

/// How a line to the database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Open,
    /// Broken, and whoever calls is hung up on.
    Cut,
    /// Nothing comes through, and nobody is told.
    Silent,
}

/// A line to the PostgreSQL of the tests that can be cut.
struct Wire {
    line: watch::Sender<Line>,
    url: String,
}

impl Wire {
    /// A line to this database.
    async fn to(url: &str) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let options: PgConnectOptions = url.parse().unwrap();
        let (server, database) = (server_of(&options), options.get_database().unwrap().to_owned());
        let user = options.get_username().to_owned();
        let url = format!("postgres://{user}@{}/{database}?sslmode=disable", listener.local_addr().unwrap());
        let line = watch::Sender::new(Line::Open);
        let watching = line.subscribe();
        tokio::spawn(async move {
            loop {
                let (caller, _) = listener.accept().await.unwrap();
                tokio::spawn(connect(caller, server.clone(), watching.clone()));
            }
        });
        Wire { line, url }
    }

    fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

/// Where a server listens.
#[derive(Debug, Clone)]
enum Place {
    Socket(PathBuf),
    Port(String, u16),
}

fn server_of(options: &PgConnectOptions) -> Place {
    let port = options.get_port();
    let host = options.get_host();
    let folder = options.get_socket().map(|socket| socket.as_path().to_owned());
    match folder.or_else(|| host.starts_with('/').then(|| PathBuf::from(host))) {
        Some(folder) => Place::Socket(folder.join(format!(".s.PGSQL.{port}"))),
        None => Place::Port(host.to_owned(), port),
    }
}

async fn connect(mut caller: TcpStream, server: Place, mut line: watch::Receiver<Line>) {
    if *line.borrow() == Line::Cut {
        return;
    }
    let through = async {
        match server {
            Place::Socket(path) => {
                let mut server = UnixStream::connect(path).await.unwrap();
                copy_bidirectional(&mut caller, &mut server).await
            }
            Place::Port(host, port) => {
                let mut server = TcpStream::connect((host, port)).await.unwrap();
                copy_bidirectional(&mut caller, &mut server).await
            }
        }
    };
    let mut through = std::pin::pin!(through);
    loop {
        let now = *line.borrow_and_update();
        match now {
            Line::Open => tokio::select! {
                _ended = &mut through => return,
                changed = line.changed() => if changed.is_err() { return },
            },
            Line::Silent => {
                if line.changed().await.is_err() {
                    return;
                }
            }
            Line::Cut => return,
        }
    }
}

/// A true delivery straight to a server.
async fn send(address: std::net::SocketAddr, request: Request) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&request.bytes()).await.unwrap();
    Answer::read(&mut stream).await
}

fn asked_again(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.head.contains("\r\nretry-after: 10"), "{}", answer.head);
}

async fn ready(address: std::net::SocketAddr) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let answer = Answer::read(&mut stream).await;
    (answer.status, answer.body)
}

/// Delivers again what failed, as GitHub does when it is asked to.
fn redeliver(github: &Sandbox) -> usize {
    github.change(|state| {
        let done: std::collections::BTreeSet<String> = state
            .delivered()
            .filter(|delivery| delivery.attempt.as_ref().is_some_and(|attempt| attempt.succeeded()))
            .map(|delivery| delivery.guid.clone())
            .collect();
        let mut failed: Vec<(String, u64)> =
            state.delivered().map(|delivery| (delivery.guid.clone(), delivery.id)).collect();
        failed.retain(|(guid, _)| !done.contains(guid));
        failed.sort();
        failed.dedup_by(|one, other| one.0 == other.0);
        for (_, id) in &failed {
            state.redeliver(*id).unwrap();
        }
        failed.len()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_may_be_away_for_a_minute() {
    let expected = undisturbed().await;
    // Idle, then in the middle of a run: before its first write, and between two.
    for held in [None, Some("POST /graphql BeforeWrite"), Some("POST /repos/{owner}/{repo}/issues")] {
        let (_folder, url) = new_database(Database::Postgres).await;
        let wire = Wire::to(&url).await;
        let (github, muster) = lacking_at(Duration::ZERO, wire.url.clone()).await;
        // Before the installation is known, a push is left to the first sweep.
        muster.worker.begin().await.unwrap();
        if let Some(route) = held {
            github.fault(Fault::on(route).kind(FaultKind::Held));
            push(&github);
            github.deliver().await;
        }
        let stop = CancellationToken::new();
        let working = tokio::spawn(muster.worker.clone().run(stop.clone()));
        if held.is_some() {
            let step = async || {
                muster.tick().await;
                github.faults().is_empty()
            };
            until("the call is held", step).await;
            github.holds().await;
        }
        wire.set(Line::Cut);
        if held.is_some() {
            github.release();
        }
        github.user("alice").push(SITE, "main", &[("src/lib.rs", "\n\n")], "Write more");
        github.deliver().await;
        assert_eq!(github.deliveries()[0].attempt.as_ref().unwrap().status_code, 503, "{held:?}");
        asked_again(&send(muster.address, signed(&github)).await);
        let (status, body) = ready(muster.address).await;
        assert_eq!((status, body.contains(r#""database":"unavailable""#)), (503, true), "{body}");
        for _ in 0..60 {
            muster.clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
        assert!(!working.is_finished(), "the worker waits");

        wire.set(Line::Open);
        assert!(redeliver(&github) > 0);
        until("everything is done", async || {
            muster.tick().await;
            github.deliver().await;
            redeliver(&github) == 0 && standing(&github) == expected
        })
        .await;
        assert_eq!(ready(muster.address).await.0, 200);
        stop.cancel();
        working.await.unwrap();
        muster.finish().await;
    }
}

/// A delivery that GitHub did not send by itself.
fn signed(github: &Sandbox) -> Request {
    let body = r#"{"zen":"Keep it logically awesome.","hook_id":1,"hook":{"type":"App","app_id":1}}"#;
    let signature = crate::server::sign(&github.webhook_secret(), body.as_bytes());
    Request::of_bytes("ping", body.into()).with("X-Hub-Signature-256", &signature)
}

/// GitHub waits ten seconds for an answer; a database that says nothing at all
/// must not take longer.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_database_is_told_in_time() {
    let (_folder, url) = new_database(Database::Postgres).await;
    let wire = Wire::to(&url).await;
    let server = Server::at(&wire.url, Limits::default()).await;
    assert_eq!(server.send(Request::of("push", &crate::server::push()).bytes()).await.status, 202);
    wire.set(Line::Silent);
    let began = std::time::Instant::now();
    asked_again(&server.send(Request::of("push", &crate::server::push()).bytes()).await);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    wire.set(Line::Open);
    assert_eq!(server.send(Request::of("push", &crate::server::push()).bytes()).await.status, 202);
    server.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_sqlite_file_is_told_in_time() {
    let server = Server::start(Database::Sqlite, Limits::default()).await;
    let path = server.folder.path().join("muster.db");
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = std::time::Instant::now();
    asked_again(&server.send(Request::of("push", &crate::server::push()).bytes()).await);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let now = crate::server::NOW.parse().unwrap();
    assert_eq!(server.store.lease("worker", Duration::from_secs(60), now).await.unwrap(), None);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(server.send(Request::of("push", &crate::server::push()).bytes()).await.status, 202);
    assert!(server.store.lease("worker", Duration::from_secs(60), now).await.unwrap().is_some());
    server.finish().await.unwrap();
}

/// The real program on a disk that takes no more: the system refuses it every
/// write to a file, as a full file system or a quota would.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_no_more_is_told() {
    let github = idle_github().await;
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut command = serve(&github, &sqlite(folder.path()), address);
    // Refused with an error, not ended by a signal.
    let program = command.get_program().to_owned();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" serve"]).arg(program).env_clear();
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command = shell;
    let muster = Process::start(command).await;
    asked_to_wait_while_full(&muster, &github).await;
    let status = muster.end(crate::process::TERM).await;
    assert_eq!(status.code(), Some(0));
    let store = Store::open_with(&sqlite(folder.path()), Durability::Test).await.unwrap();
    assert_eq!(store.deliveries(&DeliveryFilter::default(), 10).await.unwrap().len(), 2);
    let database = rusqlite::Connection::open(folder.path().join("muster.db")).unwrap();
    let sound: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
}

async fn asked_to_wait_while_full(muster: &Process, github: &Sandbox) {
    let process = Pid::from_raw(i32::try_from(muster.id()).unwrap()).unwrap();
    let full = |bytes: Option<u64>| {
        prlimit(Some(process), Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
    };
    assert_eq!(send(muster.address, signed(github)).await.status, 202);
    full(Some(512));
    let large = || {
        let body =
            format!(r#"{{"zen":"{}","hook_id":1,"hook":{{"type":"App","app_id":1}}}}"#, "x".repeat(100_000));
        let signature = crate::server::sign(&github.webhook_secret(), body.as_bytes());
        Request::of_bytes("ping", body.into()).with("X-Hub-Signature-256", &signature)
    };
    for _ in 0..3 {
        let answer = send(muster.address, large()).await;
        assert_eq!(answer.status, 503, "{:#?}", muster.log());
        asked_again(&answer);
    }
    full(None);
    assert_eq!(send(muster.address, large()).await.status, 202);
    assert_eq!(ready(muster.address).await.0, 200);
}

/// A GitHub on which nothing happens.
async fn idle_github() -> Sandbox {
    let agency = github_sandbox::org("agency").owner("olivia");
    let app = github_sandbox::app("muster");
    Sandbox::builder().app(app).organization(agency).start().await.unwrap()
}

/// A PostgreSQL of one test's own, that it may stop.
struct Cluster {
    folder: TempDir,
    programs: PathBuf,
}

impl Cluster {
    fn start() -> Cluster {
        let folder = tempfile::tempdir().unwrap();
        let cluster = Cluster { folder, programs: programs() };
        if rustix::process::geteuid().is_root() {
            let changed = Command::new("chown").arg("postgres:").arg(cluster.folder.path()).status().unwrap();
            assert!(changed.success());
        }
        cluster.run("initdb", &["--username", "muster", "--auth", "trust", "--locale", "C", "--no-sync"]);
        cluster.up();
        cluster
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn url(&self) -> String {
        let folder = self.folder.path().display().to_string();
        format!("postgres://muster@{}/postgres", folder.replace('/', "%2F"))
    }

    fn up(&self) {
        let options = format!("-k {} -c listen_addresses= -c fsync=off", self.folder.path().display());
        let log = self.folder.path().join("log");
        self.run(
            "pg_ctl",
            &["--wait", "--silent", "--log", &log.display().to_string(), "--options", &options, "start"],
        );
    }

    /// As if its machine had lost its power, but for what the system holds.
    fn down(&self) {
        self.run("pg_ctl", &["--wait", "--silent", "--mode", "immediate", "stop"]);
    }

    /// PostgreSQL refuses to run as root.
    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "postgres", "--regid", "postgres", "--init-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let output = command
            .arg("--pgdata")
            .arg(self.data())
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(output.success(), "{} {arguments:?}: {output}", self.programs.display());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.down();
        }
    }
}

/// The folder of PostgreSQL's server programs.
fn programs() -> PathBuf {
    let in_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders = in_path.unwrap_or_default();
    folders.extend(versions.map(|version| version.path().join("bin")));
    let whole = |folder: &PathBuf| ["initdb", "pg_ctl"].iter().all(|name| folder.join(name).is_file());
    folders.into_iter().find(whole).expect("initdb and pg_ctl are missing: install PostgreSQL's server")
}

/// The real program and a real server that goes down and comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_down_and_comes_back_has_lost_nothing() {
    let cluster = Cluster::start();
    let github = idle_github().await;
    let muster = Process::start(serve(&github, &cluster.url(), free_address())).await;
    let mut taken = 0;
    for round in 0..3 {
        for _ in 0..20 {
            assert_eq!(send(muster.address, signed(&github)).await.status, 202, "round {round}");
            taken += 1;
        }
        cluster.down();
        let began = std::time::Instant::now();
        asked_again(&send(muster.address, signed(&github)).await);
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        assert_eq!(ready(muster.address).await.0, 503);
        cluster.up();
        until("it is ready again", async || ready(muster.address).await.0 == 200).await;
    }
    let store = Store::open_with(&cluster.url(), Durability::Test).await.unwrap();
    assert_eq!(store.deliveries(&DeliveryFilter::default(), 1000).await.unwrap().len(), taken);
    store.close().await;
    assert_eq!(muster.end(crate::process::TERM).await.code(), Some(0));
}
