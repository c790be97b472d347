//! The inventory of 20,000 repositories, as one cold process: from the store on
//! disk to both files, assembled, rendered, validated and searched for leaks.
//!
//! `cargo bench --bench inventory [REPOSITORIES]`: medians of five runs. One in
//! seven repositories is not public, one in three carries a file of its own.
//! Linux only: the peak of memory is read in `/proc`.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use code_json::record::{Field, Provenance, Record, Usage};
use jiff::{Timestamp, tz::TimeZone};
use muster::{
    domain::{
        inventory::{self, FileState, Opaque, Seen, Sources, leak::Secrets},
        policy::Policy,
        repository::{AccountId, InstallationId, RepositoryId, Visibility},
    },
    jobs::publish_inventory::{Said, seen, valid},
    store::{Installation, Judged, SeenRepository, Store},
};
use sha2::{Digest, Sha256};

const RUNS: usize = 5;
const INSTALLATION: InstallationId = InstallationId(1);
const ACCOUNT: AccountId = AccountId(7);
const POLICY: &str = "\
agency: {acronym: XA, name: Example Agency, contact: {name: Office, email: code@agency.example.gov}}
inventory:
  publish: [gsa-2.0.0, agency-index-2.0.0]
  private: redact
  access_url: https://www.agency.example.gov/code-access
  internal_hosts: [git.agency.internal]
  defaults: {status: Production, maintenance: internal, labor_hours: 0, contract_number: []}
";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["assemble", url] => runtime.block_on(assemble(url)),
        [] => compare(&runtime, 20_000),
        [count] => compare(&runtime, count.parse().expect("a number of repositories")),
        _ => panic!("give the number of repositories"),
    }
}

fn compare(runtime: &tokio::runtime::Runtime, count: u64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("muster.db").display());
    runtime.block_on(fill(&url, count));
    let mut runs: Vec<(Duration, f64, String)> = (0..RUNS).map(|_| run(&url)).collect();
    runs.sort_by_key(|run| run.0);
    let (took, peak, said) = &runs[RUNS / 2];
    println!("{count} repositories: {:.2} s, {peak:.0} MiB at most; {said}", took.as_secs_f64());
}

/// One process, from its start to the line it ends with.
fn run(url: &str) -> (Duration, f64, String) {
    let begun = Instant::now();
    let mut process = Command::new(std::env::current_exe().expect("this program has a path"))
        .args(["assemble", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts again");
    let mut said = String::new();
    let output = process.stdout.take().expect("its output is piped");
    BufReader::new(output).read_line(&mut said).expect("it writes");
    let took = begun.elapsed();
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).expect("Linux tells of it");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the peak is told");
    let peak: f64 = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number");
    // It ends when its input does.
    drop(process.stdin.take());
    assert!(process.wait().expect("it ends").success());
    (took, peak / 1024.0, said.trim_end().to_owned())
}

async fn fill(url: &str, count: u64) {
    let store = Store::open(url).await.expect("the database opens");
    let now = Timestamp::now();
    let installation = Installation {
        id: INSTALLATION,
        account: ACCOUNT,
        login: "agency".to_owned(),
        suspended_at: None,
        removed_at: None,
        seen_at: now,
        permissions: None,
    };
    store.see_installation(&installation).await.expect("the database takes it");
    let all: Vec<Judged> = (1..=count).map(|id| judged(id, now)).collect();
    for some in all.chunks(500) {
        store.judged(some, &[], None, now).await.expect("the database takes it");
    }
}

fn judged(id: u64, now: Timestamp) -> Judged {
    let name = format!("agency/service-{id:05}");
    let visibility = if id.is_multiple_of(7) { Visibility::Private } else { Visibility::Public };
    Judged {
        seen: SeenRepository {
            id: RepositoryId(id),
            node_id: format!("R_{id}"),
            installation: INSTALLATION,
            name: name.parse().expect("a name"),
            visibility,
            archived: id.is_multiple_of(50),
        },
        read_at: now,
        head: None,
        policy_digest: String::new(),
        basis: None,
        due: None,
        skipped: None,
        report: "{}".to_owned(),
        findings: None,
        confirmed: false,
        wants: 0,
        audit: Vec::new(),
        entry: Sources {
            url: format!("https://github.com/{name}"),
            description: Some(format!(
                "Counts the birds of river {id}, and draws them on a map for those who care for it."
            )),
            homepage: None,
            topics: ["birds", "maps", "rivers"].map(str::to_owned).to_vec(),
            languages: ["Rust", "TypeScript", "Shell"].map(str::to_owned).to_vec(),
            forks: id % 13,
            issues_enabled: true,
            created_at: "2020-05-05T00:00:00Z".parse().expect("a moment"),
            pushed_at: Some(now),
            licenses: vec!["Apache-2.0".to_owned()],
            file: if id.is_multiple_of(3) { FileState::Read } else { FileState::Absent },
            record: id.is_multiple_of(3).then(|| record(id)),
        },
    }
}

fn record(id: u64) -> Record {
    let mut record = Record::new();
    let mut say = |field, value: serde_json::Value| {
        record.set(field, value, Provenance::Person { file: "code.json".to_owned() });
    };
    say(Field::Usage, [Usage::OpenSource.name()].as_slice().into());
    say(Field::AiUseCaseId, "0".into());
    say(Field::LaborHours, (id % 4_000).into());
    say(Field::Description, format!("What river {id} has of birds, from its spring to the sea.").into());
    record
}

async fn assemble(url: &str) {
    let begun = Instant::now();
    let now = Timestamp::now();
    let store = Store::open(url).await.expect("the database opens");
    let policy = Policy::parse(POLICY).expect("the policy is one");
    let entries = store.entries(INSTALLATION).await.expect("the database answers");
    let day = now.to_zoned(TimeZone::UTC).date();
    let said = Said::of(&store, ACCOUNT, &[ACCOUNT], day).await.expect("the database answers");
    let hidden = store.hidden_names().await.expect("the database answers");
    let read = begun.elapsed();
    let is_public = |visibility| visibility == Visibility::Public;
    let public = entries.iter().map(|entry| &entry.seen).filter(|seen| is_public(seen.visibility));
    let secrets = Secrets::new(&hidden, public.map(|seen| &seen.name), &policy.inventory.internal_hosts);
    let mut secrets = secrets.expect("they can be searched for");
    secrets.allow_mailboxes("code@agency.example.gov");
    let ids: HashMap<RepositoryId, Opaque> = entries
        .iter()
        .filter(|entry| !is_public(entry.seen.visibility))
        .map(|entry| (entry.seen.id, Opaque::drawn(drawn(entry.seen.id), now, true)))
        .collect();
    let seen: Vec<Seen<'_>> = entries.iter().map(|entry| seen(ACCOUNT, entry, &said, &ids)).collect();
    let assembly = inventory::assemble(&policy, &seen, &[], &secrets, now);
    let assembled = begun.elapsed();
    let (mut bytes, mut listed) = (0, 0);
    let (mut rendered, mut validated, mut searched) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for file in &assembly.files {
        let at = Instant::now();
        let body = file.bytes();
        rendered += at.elapsed();
        let at = Instant::now();
        valid(file.published, &body, now).expect("it is valid");
        validated += at.elapsed();
        let at = Instant::now();
        secrets.look_through_file(&body).expect("it names nobody");
        searched += at.elapsed();
        bytes += body.len();
        listed += file.entries.len();
    }
    println!(
        "read {} ms, assembled {} ms, rendered {} ms, validated {} ms, searched {} ms; {listed} entries in {} \
         files of {:.1} MB",
        read.as_millis(),
        (assembled - read).as_millis(),
        rendered.as_millis(),
        validated.as_millis(),
        searched.as_millis(),
        assembly.files.len(),
        bytes as f64 / 1e6,
    );
    std::io::stdout().flush().expect("the parent reads");
    // The parent reads the figures of this process first.
    let _ = std::io::stdin().read_line(&mut String::new());
}

/// Bytes that differ from one repository to the next.
fn drawn(id: RepositoryId) -> [u8; Opaque::LENGTH] {
    let digest = Sha256::digest(id.0.to_be_bytes());
    std::array::from_fn(|at| digest[at])
}
