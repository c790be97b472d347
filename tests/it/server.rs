//! A server on a database of its own, and a client that sends exactly the bytes
//! it is told to.

use std::{net::SocketAddr, str::FromStr, sync::Arc, time::Duration};

use hmac::{Hmac, Mac};
use jiff::Timestamp;
use muster::{
    app::{App, Stopped},
    clock::Clock,
    domain::repository::AccountId,
    github::webhook::Secret,
    jobs::{Accounts, intake::Intake},
    metrics::Metrics,
    store::{DeliveryFilter, Durability, JobFilter, Store},
    web::{Limits, Receiver},
};
use serde_json::{Value, json};
use sha2::Sha256;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, postgres::PgConnectOptions};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::OnceCell,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// The secret that deliveries are signed with.
pub const SECRET: &str = "a secret only GitHub and we know";

/// The time at which the clock of every server stands.
pub const NOW: &str = "2026-11-23T14:00:00Z";

/// Longer than any test: nothing in it ends because time has passed.
pub const PATIENT: Limits = Limits {
    connections: 64,
    header: Duration::from_secs(3600),
    body: Duration::from_secs(3600),
    request: Duration::from_secs(3600),
    finish: Duration::from_secs(3600),
};

/// The account of our own bot.
pub const BOT: AccountId = AccountId(900);

/// Which database a server keeps its deliveries in.
#[derive(Debug, Clone, Copy)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// A running server.
pub struct Server {
    pub address: SocketAddr,
    pub store: Store,
    pub receiver: Receiver,
    pub stop: CancellationToken,
    pub ended: JoinHandle<Result<(), Stopped>>,
    pub folder: TempDir,
}

impl Server {
    /// Serves the organization `agency` with a worker that does nothing.
    pub async fn start(database: Database, limits: Limits) -> Server {
        Server::serving(database, limits, &["agency"]).await
    }

    /// Serves these organizations.
    pub async fn serving(database: Database, limits: Limits, organizations: &[&str]) -> Server {
        Server::open(new_database(database).await, limits, organizations).await
    }

    /// Serves the organization `agency` with this database.
    pub async fn at(url: &str, limits: Limits) -> Server {
        Server::open((tempfile::tempdir().unwrap(), url.to_owned()), limits, &["agency"]).await
    }

    async fn open((folder, url): (TempDir, String), limits: Limits, organizations: &[&str]) -> Server {
        let store = Store::open_with(&url, Durability::Test).await.unwrap();
        let clock = Clock::stepped(NOW.parse().unwrap());
        let secrets = Secret::list(["another secret, now retired", SECRET]).unwrap();
        let organizations = organizations.iter().map(|name| name.parse().unwrap()).collect();
        let accounts = Accounts::new(store.clone(), organizations);
        let bot = Arc::new(OnceCell::new_with(Some(BOT)));
        let intake = Intake::new(store.clone(), clock, accounts, bot, Metrics::default());
        let receiver = Receiver::new(intake, secrets);
        let app = App::bind("127.0.0.1:0".parse().unwrap(), receiver.clone(), limits).await.unwrap();
        let (address, stop) = (app.address(), CancellationToken::new());
        let worker = |stop: CancellationToken| async move { stop.cancelled().await };
        let ended = tokio::spawn(app.run(worker, stop.clone()));
        Server { address, store, receiver, stop, ended, folder }
    }

    /// How many deliveries and jobs are stored.
    pub async fn rows(&self) -> (usize, usize) {
        let now = Timestamp::from_str(NOW).unwrap();
        let deliveries = self.store.deliveries(&DeliveryFilter::default(), 10_000).await.unwrap();
        let jobs = self.store.jobs(JobFilter::default(), 10_000, now).await.unwrap();
        (deliveries.len(), jobs.len())
    }

    /// Sends one request on a connection of its own and reads the answer.
    pub async fn send(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut stream = self.connect().await;
        stream.write_all(request.as_ref()).await.unwrap();
        Answer::read(&mut stream).await
    }

    /// Opens a connection.
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Stops and waits for the end.
    pub async fn finish(self) -> Result<(), Stopped> {
        self.stop.cancel();
        self.ended.await.unwrap()
    }
}

/// A database of its own on the server of `MUSTER_TEST_POSTGRES`.
/// A new database, and the folder it lies in if it is SQLite.
pub async fn new_database(database: Database) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let url = match database {
        Database::Sqlite => format!("sqlite://{}", folder.path().join("muster.db").display()),
        Database::Postgres => new_postgres_database().await,
    };
    (folder, url)
}

async fn new_postgres_database() -> String {
    let server = std::env::var("MUSTER_TEST_POSTGRES")
        .expect("MUSTER_TEST_POSTGRES names no PostgreSQL server: run tests/run, which starts one");
    let name = format!("it_{:032x}", rand::random::<u128>());
    let mut connection = PgConnectOptions::from_str(&server).unwrap().connect().await.unwrap();
    connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    let (server, _) = server.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The header, in lower case.
    pub head: String,
    pub body: String,
}

impl Answer {
    /// Reads one answer of a stream, which stays usable.
    pub async fn read(stream: &mut TcpStream) -> Answer {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            let mut more = [0; 4096];
            let read = stream.read(&mut more).await.unwrap();
            assert!(read > 0, "the connection was closed without an answer, after {bytes:?}");
            bytes.extend_from_slice(&more[..read]);
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse::<usize>().unwrap());
        let mut body = bytes[end + 4..].to_vec();
        let begun = body.len();
        assert!(begun <= length, "more came than one answer: {head}");
        body.resize(length, 0);
        stream.read_exact(&mut body[begun..]).await.unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: String::from_utf8(body).unwrap() }
    }
}

/// A delivery to be sent, each part of which a test may spoil.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: &'static str,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// A true delivery of `event` with a GUID of its own.
    pub fn of(event: &str, body: &Value) -> Request {
        Request::of_bytes(event, body.to_string().into_bytes())
    }

    /// A true delivery of exactly these bytes.
    pub fn of_bytes(event: &str, body: Vec<u8>) -> Request {
        let signature = sign(SECRET, &body);
        let length = body.len().to_string();
        let headers = [
            ("Host", "muster.example"),
            ("User-Agent", "GitHub-Hookshot/044aadd"),
            ("Content-Type", "application/json"),
            ("Content-Length", &length),
            ("X-GitHub-Event", event),
            ("X-GitHub-Delivery", &guid()),
            ("X-GitHub-Hook-ID", "292430182"),
            ("X-GitHub-Hook-Installation-Target-ID", "79929171"),
            ("X-GitHub-Hook-Installation-Target-Type", "integration"),
            ("X-Hub-Signature-256", &signature),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Request { path: "/webhook", headers, body }
    }

    /// With this header instead of what it had of the name.
    pub fn with(mut self, name: &str, value: &str) -> Request {
        self = self.without(name);
        self.and(name, value)
    }

    /// With one more header.
    pub fn and(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a header.
    pub fn without(mut self, name: &str) -> Request {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    /// The request line and the headers.
    pub fn head(&self) -> Vec<u8> {
        let headers: String =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("POST {} HTTP/1.1\r\n{headers}\r\n", self.path).into_bytes()
    }

    /// All of it.
    pub fn bytes(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }
}

/// `sha256=…` of `body` under `secret`.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

/// A fresh delivery GUID.
pub fn guid() -> String {
    let digits = format!("{:032x}", rand::random::<u128>());
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}

/// A push of a new README to the default branch of `agency/site`.
pub fn push() -> Value {
    json!({
        "ref": "refs/heads/main",
        "before": "1111111111111111111111111111111111111111",
        "after": "2222222222222222222222222222222222222222",
        "created": false, "deleted": false, "forced": false,
        "commits": [{"id": "2222222222222222222222222222222222222222", "added": ["README.md"], "removed": [], "modified": []}],
        "repository": {"id": 7, "node_id": "R_7", "full_name": "agency/site", "default_branch": "main"},
        "organization": {"id": 2, "login": "agency"},
        "installation": {"id": 3, "node_id": "I_3"},
        "sender": {"id": 5, "login": "alice", "type": "User"},
    })
}
