//! A sweep of 10,000 repositories: GitHub's calls and points, the time, our
//! own share of it, and the most memory. First all of them, then unchanged,
//! then all of them again while GitHub answers 502 to more than so many at once.
//!
//! `cargo bench --bench sweep`, or with a number of repositories, and how many
//! in a hundred have their files under names that are not foreseen:
//! `cargo bench --bench sweep -- 1000 10`. GitHub (the sandbox) and Muster are
//! processes of their own. Linux only: it tells of processes in `/proc`.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Instant,
};

use github_sandbox::{Fault, FaultKind, NewRepository, Sandbox, app, installation, org, repository};
use muster::{
    clock::Clock,
    domain::marker::MarkerKeys,
    github::{App, Endpoints, GitHub},
    jobs::{Context, Settings, intake::Way, worker::Worker},
    store::{JobKind, NewJob, Priority, Store},
};
use secrecy::SecretString;

const POLICY: &str = "mode: observe\nrepositories: {exclude: [\".github\"]}\n";
/// Nodes that GitHub answers at once in the third run: some 8 repositories.
const NODES: u64 = 460;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["github", count, unusual] => runtime().block_on(github(number(count), number(unusual))),
        ["muster", folder] => runtime().block_on(muster(Path::new(folder))),
        [] => compare(10_000, 0),
        [count] => compare(number(count), 0),
        [count, unusual] => compare(number(count), number(unusual)),
        _ => panic!("give the number of repositories, and the percentage with unusual names"),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts")
}

fn compare(count: usize, unusual: usize) {
    println!("{count} repositories, {unusual} in a hundred with unusual names");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut github = Process::start(&["github", &count.to_string(), &unusual.to_string()]);
    fs::write(folder.path().join("github"), github.line()).expect("the temporary folder takes a file");
    let runs = [("first", ""), ("unchanged", ""), ("all changed", "change"), ("all changed, 502", "fault")];
    for (name, before) in runs {
        if !before.is_empty() {
            github.say(before);
        }
        github.say("clear");
        let begun = Instant::now();
        let mut muster = Process::start(&["muster", &folder.path().display().to_string()]);
        let judged = muster.line();
        let seconds = begun.elapsed().as_secs_f64();
        let processor = muster.processor_seconds();
        let peak = muster.peak_mebibytes();
        github.say("calls");
        println!(
            "{name:>16}: {}; {judged}; {seconds:.1} s, of which our processor {processor:.1} s \
             ({:.2} ms a repository); {peak:.0} MiB at most",
            github.line(),
            processor * 1e3 / count as f64,
        );
    }
}

/// GitHub: builds the organization, says where it answers, and does as told.
async fn github(count: usize, unusual: usize) {
    let old = |name: &str| repository(name).created_at("2020-01-01T00:00:00Z".parse().expect("a moment"));
    let mut agency = org("agency")
        .owner("olivia")
        .repository(old(".github").file("README.md", "Ours.\n").file(".github/muster.yml", POLICY));
    let licenses: Vec<&str> = ["MIT", "Apache-2.0", "CC0-1.0", "BSD-3-Clause", "GPL-3.0-only"]
        .iter()
        .filter_map(|id| Some(spdx::license_id(id)?.text()))
        .collect();
    for n in 0..count {
        let strange = n % 100 < unusual;
        agency = agency.repository(one(
            old(&format!("repository-{n:05}")),
            n,
            strange,
            licenses[n % licenses.len()],
        ));
    }
    let sandbox = Sandbox::builder()
        .app(app("muster"))
        .organization(agency)
        .installation(installation("agency"))
        .start()
        .await
        .expect("it listens");
    println!(
        "{}",
        serde_json::json!({
            "api": sandbox.api_url(),
            "graphql": sandbox.graphql_url(),
            "client": sandbox.client_id(),
            "key": sandbox.private_key(),
        })
    );
    let lines = tokio::task::spawn_blocking(move || {
        for line in std::io::stdin().lines() {
            obey(&sandbox, &line.expect("the parent writes text"));
        }
    });
    lines.await.expect("it obeys to the end");
}

/// A repository of some twenty files with a README of its own.
fn one(new: NewRepository, n: usize, strange: bool, license: &str) -> NewRepository {
    let words =
        "It counts the birds of a river and draws them on a map, so that people see how many live there. ";
    let readme = format!("# Program {n}\n\n{}\n", words.repeat(20 + n % 20));
    let (read, terms) = if strange { ("README.adoc", "COPYING") } else { ("README.md", "LICENSE") };
    let mut new = new.file(read, readme).file(terms, license).description("It counts birds");
    if !n.is_multiple_of(10) {
        new = new.file("CONTRIBUTING.md", "# Contributing\n\nSend us a pull request.\n");
    }
    for file in 0..17 {
        new = new.file(&format!("source_{file:02}.c"), "int main(void) { return 0; }\n");
    }
    new
}

fn obey(sandbox: &Sandbox, command: &str) {
    match command {
        "clear" => sandbox.clear_calls(),
        "change" => {
            sandbox.user("olivia").push(
                "agency/.github",
                "main",
                &[("docs/CONTRIBUTING.md", "Call.\n")],
                "Say how",
            );
        }
        "fault" => {
            sandbox.user("olivia").push(
                "agency/.github",
                "main",
                &[("docs/SUPPORT.md", "Call.\n")],
                "Say more",
            );
            let too_many = FaultKind::TooManyNodes(NODES);
            sandbox.fault(Fault::on("POST /graphql Repositories").kind(too_many).times(u64::MAX));
        }
        "calls" => {
            let calls = sandbox.calls();
            let of = |path: &str| calls.iter().filter(|call| call.path == path).count();
            let named =
                |name: &str| calls.iter().filter(|call| call.operation.as_deref() == Some(name)).count();
            let graphql: Vec<_> = calls.iter().filter(|call| call.operation.is_some()).collect();
            let points: u64 = graphql.iter().map(|call| call.cost).sum();
            println!(
                "{} REST pages, {} GraphQL calls ({} repositories, {} texts, {} answered 502), {points} points, {} writes",
                of("/installation/repositories"),
                graphql.len(),
                named("Repositories"),
                named("TextsOfMany"),
                graphql.iter().filter(|call| call.status == 502).count(),
                calls.iter().filter(|call| call.writes).count(),
            );
        }
        other => panic!("{other:?} is no command"),
    }
    let failures = sandbox.failures();
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Muster: one sweep, what came of it, and then it waits to be looked at.
async fn muster(folder: &Path) {
    let text = fs::read_to_string(folder.join("github")).expect("the parent has written it");
    let place: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let word = |name: &str| place[name].as_str().expect("a text").to_owned();
    let database = format!("sqlite://{}", folder.join("muster.db").display());
    let store = Store::open(&database).await.expect("the database opens");
    let endpoints = Endpoints::new(&word("api"), Some(&word("graphql"))).expect("addresses");
    let app = App::new(&word("client"), [&SecretString::from(word("key"))]).expect("credentials");
    let clock = Clock::system();
    let github = GitHub::with_app(endpoints, app, clock.clone()).expect("connections");
    let settings = Settings {
        organizations: vec!["agency".parse().expect("a login")],
        instance: "bench".to_owned(),
        keys: MarkerKeys::new(vec![b"a key of the instance, long enough".to_vec()]),
        policy: None,
        dry_run: false,
        way: Way::Webhook,
        agencies: Vec::new(),
        public_url: None,
    };
    let ctx = Context::new(github, store, clock.clone(), settings);
    let worker = Worker::new(ctx.clone(), "bench");
    worker.begin().await.expect("it begins");
    let known = ctx.store.installations().await.expect("the database answers").remove(0);
    let now = clock.now();
    let sweep = NewJob::new(JobKind::SweepInstallation, known.id.0, known.id, Priority::Sweep, now, "bench");
    ctx.store.enqueue(&[sweep], clock.now()).await.expect("the database answers");
    worker.drain().await.expect("the database answers");
    let all = ctx.store.accounted(known.id).await.expect("the database answers");
    println!(
        "{} judged, {} skipped, {} unknown, {} waiting",
        all.judged, all.skipped, all.unknown, all.waiting
    );
    std::io::stdout().flush().expect("the parent reads");
    // The parent reads the figures of this process, and then ends it.
    let _ = std::io::stdin().read_line(&mut String::new());
}

/// A process of this same program, ended when dropped.
struct Process {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Process {
    fn start(arguments: &[&str]) -> Process {
        let mut process = Command::new(std::env::current_exe().expect("this program has a path"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts again");
        let to = process.stdin.take().expect("its input is piped");
        let from = BufReader::new(process.stdout.take().expect("its output is piped"));
        Process { process, to, from }
    }

    fn say(&mut self, command: &str) {
        writeln!(self.to, "{command}").expect("it reads");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.from.read_line(&mut line).expect("it writes");
        assert!(!line.is_empty(), "it ended: see above");
        line.trim_end().to_owned()
    }

    fn told(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.process.id());
        fs::read_to_string(path).expect("Linux tells of its processes")
    }

    /// The most memory it ever held, in MiB.
    fn peak_mebibytes(&self) -> f64 {
        let status = self.told("status");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the peak is told");
        let kibibytes = line.split_whitespace().nth(1).and_then(|number| number.parse::<f64>().ok());
        kibibytes.expect("a number") / 1024.0
    }

    /// The processor time it has used, in seconds, as Linux counts it: in
    /// hundredths.
    fn processor_seconds(&self) -> f64 {
        let stat = self.told("stat");
        let after_name = stat.rsplit_once(')').expect("the name is in parentheses").1;
        let ticks = after_name.split_whitespace().skip(11).take(2);
        ticks.map(|ticks| ticks.parse::<f64>().expect("a number")).sum::<f64>() / 100.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
