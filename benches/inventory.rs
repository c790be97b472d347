//! The inventory of 20,000 repositories, as one cold process: from the store on
//! disk to both files, assembled, rendered, validated and searched for leaks;
//! and the same again in that process after one repository changed.
//!
//! `cargo bench --bench inventory [REPOSITORIES]`: medians of five runs. One in
//! seven repositories is not public, one in three carries a file of its own.
//! Linux only: the peak of memory is read in `/proc`.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    time::Instant,
};

use code_json::record::{Field, Provenance, Record, Usage};
use jiff::{Timestamp, tz::TimeZone};
use muster::{
    domain::{
        inventory::{Agency, FileState, Opaque, Sources, guard},
        policy::Policy,
        repository::{AccountId, InstallationId, RepositoryId, Visibility},
    },
    jobs::publish_inventory::{Kept, Known, Round, Said},
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
    let mut runs: Vec<[Vec<u64>; 2]> = Vec::new();
    for _ in 0..RUNS {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("muster.db").display());
        runtime.block_on(fill(&url, count));
        runs.push(run(&url));
    }
    let titles = [format!("{count} repositories, cold"), "after one change".to_owned()];
    for (title, at) in titles.iter().zip(0..) {
        let median = |figure: usize| {
            let mut all: Vec<u64> = runs.iter().map(|run| run[at][figure]).collect();
            all.sort_unstable();
            all[RUNS / 2]
        };
        let [peak, all, read, made, searched, published, looked] = [0, 1, 2, 3, 4, 5, 6].map(median);
        println!(
            "{title}: {} ms until it is published, {} ms of this to write it, {peak} MiB at most; listed {read} \
             ms, assembled and rendered {made} ms, validated and searched {searched} ms ({looked} entries)",
            all, published,
        );
    }
}

/// One process: its peak of memory and the figures it tells, after each round.
fn run(url: &str) -> [Vec<u64>; 2] {
    let mut process = Command::new(std::env::current_exe().expect("this program has a path"))
        .args(["assemble", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts again");
    let mut output = BufReader::new(process.stdout.take().expect("its output is piped"));
    let mut input = process.stdin.take().expect("its input is piped");
    let figures = [(); 2].map(|()| {
        let mut said = String::new();
        output.read_line(&mut said).expect("it writes");
        let status = fs::read_to_string(format!("/proc/{}/status", process.id())).expect("Linux tells of it");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the peak is told");
        let peak: u64 = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number");
        input.write_all(b"\n").expect("it reads");
        let told = said.split_whitespace().map(|figure| figure.parse().expect("a figure"));
        std::iter::once(peak / 1024).chain(told).collect()
    });
    assert!(process.wait().expect("it ends").success());
    figures
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

/// One process: all of it, and then once more after one repository changed.
async fn assemble(url: &str) {
    let begun = Instant::now();
    let store = Store::open(url).await.expect("the database opens");
    let policy = Policy::parse(POLICY).expect("the policy is one");
    let mut kept = Kept::default();
    let first = round(&store, &policy, &mut kept).await;
    say(&format!("{} {first}", begun.elapsed().as_millis()));
    let count = store.entries(INSTALLATION).await.expect("the database answers").len() as u64;
    let changed = Judged { read_at: Timestamp::now(), ..judged(count / 2, Timestamp::now()) };
    let topics = vec!["birds".to_owned(), "news".to_owned()];
    let changed = Judged { entry: Sources { topics, ..changed.entry.clone() }, ..changed };
    store.judged(&[changed], &[], None, Timestamp::now()).await.expect("the database takes it");
    let begun = Instant::now();
    let then = round(&store, &policy, &mut kept).await;
    say(&format!("{} {then}", begun.elapsed().as_millis()));
}

/// Writes a line, and waits until the parent has read the figures of this
/// process.
fn say(line: &str) {
    println!("{line}");
    std::io::stdout().flush().expect("the parent reads");
    std::io::stdin().read_line(&mut String::new()).expect("the parent answers");
}

/// Assembles, looks through and publishes. Tells how long the last of it took.
async fn round(store: &Store, policy: &Policy, kept: &mut Kept) -> String {
    let begun = Instant::now();
    let now = Timestamp::now();
    let entries = store.entries(INSTALLATION).await.expect("the database answers");
    let read = begun.elapsed();
    let day = now.to_zoned(TimeZone::UTC).date();
    let hidden = entries.iter().filter(|entry| entry.seen.visibility != Visibility::Public);
    let known = Known {
        entries: entries.iter().map(|entry| (ACCOUNT, entry)).collect(),
        said: Said::of(store, ACCOUNT, &[ACCOUNT], day).await.expect("the database answers"),
        ids: hidden.map(|entry| (entry.seen.id, Opaque::drawn(drawn(entry.seen.id), now, true))).collect(),
        hidden: store.hidden_names().await.expect("the database answers"),
    };
    let assembled = kept.assemble(store, policy, &known, &[], now).await.expect("it is assembled");
    let made = begun.elapsed();
    let agency = Agency {
        acronym: "XA".to_owned(),
        lead: "agency".parse().expect("a login"),
        organizations: vec!["agency".parse().expect("a login")],
        repository: None,
        may_commit: false,
        import_from: muster::domain::inventory::Hosts::default(),
    };
    let mut looked = 0;
    for file in &assembled.assembly.files {
        let unlooked = kept.unlooked(file);
        looked += unlooked.len();
        let (secrets, known) = (&assembled.secrets, &assembled.assembly.mailboxes);
        guard::finished(file, &unlooked, secrets, known, now).expect("it may be published");
    }
    kept.looked_at();
    let searched = begun.elapsed();
    let round =
        Round { store, agency: &agency, policy, known: &known, assembled: &assembled, against: None, now };
    let ready = round.publish(kept, 0).await.expect("the database takes it");
    assert!(ready.is_some(), "nothing is refused");
    let published = begun.elapsed();
    format!(
        "{} {} {} {} {looked}",
        read.as_millis(),
        (made - read).as_millis(),
        (searched - made).as_millis(),
        (published - searched).as_millis(),
    )
}

/// Bytes that differ from one repository to the next.
fn drawn(id: RepositoryId) -> [u8; Opaque::LENGTH] {
    let digest = Sha256::digest(id.0.to_be_bytes());
    std::array::from_fn(|at| digest[at])
}
