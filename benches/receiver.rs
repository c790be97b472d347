//! How many deliveries a second the receiver takes, beside a reference that
//! does the least a durable receiver can do: axum, HMAC, a small parse, and
//! rusqlite behind one writer thread that commits in groups, with Muster's own
//! tables and settings.
//!
//! `cargo bench --bench receiver`: each server is a process of its own with a
//! new database on disk; 32 connections send pushes of 10 KB; five runs of
//! each, in turn; medians.

#[path = "receiver/client.rs"]
mod client;
#[path = "receiver/reference.rs"]
mod reference;

use muster::{
    app::App,
    clock::Clock,
    github::webhook::Secret,
    store::Store,
    web::{Limits, Receiver},
};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use tokio_util::sync::CancellationToken;

/// The secret both servers believe.
const SECRET: &str = "a secret that only this benchmark knows";
/// Runs of each server.
const RUNS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", "muster", database] => runtime().block_on(serve(database)),
        ["serve", "reference", database] => runtime().block_on(reference::serve(database)),
        _ => compare(),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts")
}

/// Muster's receiver, without a worker: only what takes deliveries in.
async fn serve(database: &str) {
    let store = Store::open(&format!("sqlite://{database}")).await.expect("the database opens");
    let secrets = vec![Secret::new(SECRET).expect("the secret is long enough")];
    let organizations = vec!["agency".parse().expect("a login")];
    let receiver = Receiver::new(store, Clock::system(), secrets, organizations, || None);
    let listen: SocketAddr = ([127, 0, 0, 1], 0).into();
    let app = App::bind(listen, receiver, Limits::default()).await.expect("a port is free");
    say(app.address());
    app.run(|stop| async move { stop.cancelled().await }, CancellationToken::new()).await.expect("it serves");
}

/// Tells the parent process where this one answers.
fn say(address: SocketAddr) {
    println!("{address}");
    std::io::stdout().flush().expect("the parent reads");
}

/// A server in a process of its own, ended when dropped.
struct Server {
    process: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start(name: &str) -> Server {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut process = Command::new(std::env::current_exe().expect("this program has a path"))
            .args(["serve", name])
            .arg(folder.path().join("receiver.db"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts again as a server");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its output is piped"))
            .read_line(&mut line)
            .expect("it says where it answers");
        Server { process, address: line.trim().parse().expect("an address"), _folder: folder }
    }

    /// The most memory it ever held, in MiB.
    fn peak_mebibytes(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))
            .expect("Linux tells of its processes");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the peak is told");
        let kibibytes: f64 =
            line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number");
        kibibytes / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn compare() {
    let mut rates = [Vec::new(), Vec::new()];
    let mut peaks = [0.0_f64; 2];
    for run in 0..RUNS {
        for (which, name) in ["muster", "reference"].into_iter().enumerate() {
            let server = Server::start(name);
            let rate = runtime().block_on(client::drive(server.address, run));
            peaks[which] = peaks[which].max(server.peak_mebibytes());
            println!("{name:>9}, run {}: {rate:6.0} deliveries a second", run + 1);
            rates[which].push(rate);
        }
    }
    for ((name, rates), peak) in ["muster", "reference"].into_iter().zip(&mut rates).zip(peaks) {
        rates.sort_by(f64::total_cmp);
        println!("{name:>9}: median {:6.0} a second, {peak:.1} MiB at most", rates[RUNS / 2]);
    }
    println!("    ratio: {:.2} (at least 0.90 is wanted)", rates[0][RUNS / 2] / rates[1][RUNS / 2]);
}
