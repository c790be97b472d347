//! The real program, as a process of its own: it can be killed.

use std::{
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use github_sandbox::Sandbox;

use crate::harness::INSTANCE_KEY;

/// How long anything may take that is waited for: far longer than it takes.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A signal that ends a process, by its name for `kill`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal(pub &'static str);

pub const KILL: Signal = Signal("KILL");
pub const TERM: Signal = Signal("TERM");

/// A running `muster serve`, killed when dropped.
pub struct Process {
    child: Child,
    /// Where it answers.
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

/// A port that nobody listens on, and that the system gives nobody who only
/// connects, so that a process can come back to it.
pub fn free_address() -> SocketAddr {
    loop {
        let address = SocketAddr::from(([127, 0, 0, 1], rand::random_range(20_000..32_000)));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// `muster serve` for the organization `agency` of this GitHub, with this
/// database and address, ready to be started.
pub fn serve(github: &Sandbox, database: &str, listen: SocketAddr) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.arg("serve").env_clear().envs([
        ("MUSTER_DATABASE_URL", database),
        ("MUSTER_GITHUB_API_URL", github.api_url()),
        ("MUSTER_GITHUB_GRAPHQL_URL", github.graphql_url()),
        ("MUSTER_GITHUB_URL", github.web_url()),
        ("MUSTER_CLIENT_ID", &github.client_id()),
        ("MUSTER_PRIVATE_KEY", github.private_key()),
        ("MUSTER_WEBHOOK_SECRET", &github.webhook_secret()),
        ("MUSTER_INSTANCE", "test"),
        ("MUSTER_INSTANCE_KEY", INSTANCE_KEY),
        ("MUSTER_ORGANIZATIONS", "agency"),
        ("MUSTER_LISTEN", &listen.to_string()),
        ("MUSTER_LOG", "warn"),
    ]);
    command
}

impl Process {
    /// Starts it and returns when it listens.
    pub async fn start(command: Command) -> Process {
        tokio::task::spawn_blocking(move || Process::spawn(command)).await.unwrap()
    }

    fn spawn(mut command: Command) -> Process {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (listens, address) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn({
            let log = Arc::clone(&log);
            move || {
                for line in lines.map_while(Result::ok) {
                    if let Some(rest) = line.strip_prefix("Listening on http://") {
                        let _ = listens.send(rest.split(';').next().unwrap().parse().unwrap());
                    }
                    log.lock().unwrap().push(line);
                }
            }
        });
        match address.recv_timeout(PATIENCE) {
            Ok(address) => Process { child, address, log },
            Err(_) => {
                let _ = child.kill();
                panic!("it does not listen: {:#?}", log.lock().unwrap());
            }
        }
    }

    /// What it has said so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, and returns when it has ended.
    pub async fn end(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        tokio::task::spawn_blocking(move || self.child.wait().unwrap()).await.unwrap()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args(["-s", signal.0, &id]).status().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `sqlite://…` of a database in a folder.
pub fn sqlite(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("muster.db").display())
}

/// Waits until it is so; panics with `what` if it is not within [`PATIENCE`].
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let end = tokio::time::Instant::now() + PATIENCE;
    while !so().await {
        assert!(tokio::time::Instant::now() < end, "it took too long until {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
