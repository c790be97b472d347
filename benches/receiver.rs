//! How many deliveries a second the receiver takes, beside a reference that
//! does the least a durable receiver can do: axum, HMAC, a small parse, and
//! rusqlite behind one writer thread that commits in groups, with Muster's own
//! tables and settings.
//!
//! `cargo bench --bench receiver`: each server is a process of its own with a
//! new database on disk; 32 connections send pushes of 10 KB; five runs of
//! each, in turn; medians. For a profiler, start one by hand: `serve muster
//! FILE` prints its address, `drive ADDRESS` sends one run.

#[path = "receiver/client.rs"]
mod client;
#[path = "receiver/reference.rs"]
mod reference;

use muster::{
    app::App,
    clock::Clock,
    domain::repository::AccountId,
    github::webhook::Secret,
    jobs::{Accounts, intake::Intake},
    metrics::Metrics,
    store::Store,
    web::{Limits, Receiver},
};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
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
        ["drive", address] => {
            let address = address.parse().expect("an address");
            println!("{:.0} deliveries a second", runtime().block_on(client::drive(address, 0)));
        }
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
    let accounts = Accounts::new(store.clone(), organizations);
    // As in a server that has read its installations.
    let (agency, login) = (AccountId(10), "agency".parse().expect("a login"));
    accounts.admit(agency, &login, Clock::system().now()).await.expect("the account is bound");
    let intake = Intake::new(store, Clock::system(), accounts, Arc::default(), Metrics::default());
    let receiver = Receiver::new(intake, secrets);
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

impl Server {
    /// The processor time it has used so far, in seconds, as Linux counts it:
    /// in hundredths.
    fn processor_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))
            .expect("Linux tells of its processes");
        let after_name = stat.rsplit_once(')').expect("the name is in parentheses").1;
        let ticks: f64 = after_name
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|ticks| ticks.parse::<f64>().expect("a number"))
            .sum();
        ticks / 100.0
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
    let mut costs = [Vec::new(), Vec::new()];
    for run in 0..RUNS {
        for (which, name) in ["muster", "reference"].into_iter().enumerate() {
            let server = Server::start(name);
            let rate = runtime().block_on(client::drive(server.address, run));
            peaks[which] = peaks[which].max(server.peak_mebibytes());
            let cost = server.processor_seconds() * 1e6 / client::DELIVERIES as f64;
            println!(
                "{name:>9}, run {}: {rate:6.0} deliveries a second, {cost:4.0} µs of a core each",
                run + 1
            );
            rates[which].push(rate);
            costs[which].push(cost);
        }
    }
    let of = |figures: &mut Vec<f64>| {
        figures.sort_by(f64::total_cmp);
        figures[RUNS / 2]
    };
    let mut medians = [0.0; 2];
    for (which, name) in ["muster", "reference"].into_iter().enumerate() {
        medians[which] = of(&mut rates[which]);
        println!(
            "{name:>9}: median {:6.0} a second, {:4.0} µs of a core each, {:.1} MiB at most",
            medians[which],
            of(&mut costs[which]),
            peaks[which]
        );
    }
    println!("    ratio: {:.2} (at least 0.90 is wanted)", medians[0] / medians[1]);
}
