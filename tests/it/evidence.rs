//! What an auditor gets: one file that can be checked, and code that was made
//! public without a word.

use std::{
    collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command,
    time::Duration,
};

use aws_lc_rs::{rand::SystemRandom, signature::Ed25519KeyPair};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use github_sandbox::Visibility;
use muster::{
    clock::Clock,
    domain::{evidence::zip, repository::RepositoryId},
    store::{LedgerFilter, Store},
};
use serde_json::Value;

use crate::{
    harness::{Muster, clock},
    inventory::{get, github, setup},
    reports::program,
    server::Database,
};

const PRIVATE: [&str; 3] = ["falcon", "agency/api", "agency/data"];

/// A folder in which the operator works, on a server's database.
pub struct Desk {
    folder: tempfile::TempDir,
    url: String,
}

impl Desk {
    pub fn of(muster: &Muster) -> Desk {
        Desk { folder: tempfile::tempdir().unwrap(), url: muster.url.clone() }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        self.run_with(&[], arguments)
    }

    fn run_with(&self, more: &[(&str, &str)], arguments: &[&str]) -> (i32, String, String) {
        program(self.folder.path(), &self.url, more, arguments)
    }

    /// Makes evidence; its bytes.
    pub fn make(&self, more: &[(&str, &str)], arguments: &[&str]) -> Vec<u8> {
        let all = [&["evidence", "--out", "made.zip", "--force"], arguments].concat();
        let (code, out, said) = self.run_with(more, &all);
        assert_eq!(code, 0, "{out}{said}");
        let mode = fs::metadata(self.path("made.zip")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::read(self.path("made.zip")).unwrap()
    }

    /// Verifies bytes: exit code, and all that is said.
    pub fn verify(&self, bytes: &[u8], more: &[&str]) -> (i32, String) {
        fs::write(self.path("other.zip"), bytes).unwrap();
        let (code, out, said) = self.run(&[&["evidence", "verify", "other.zip"], more].concat());
        (code, out + &said)
    }
}

fn text(bytes: &[u8], name: &str) -> String {
    let entries = zip::read(bytes).unwrap();
    let entry = entries.iter().find(|entry| entry.name == name).unwrap_or_else(|| panic!("no {name}"));
    String::from_utf8(entry.bytes.to_vec()).unwrap()
}

pub fn json(bytes: &[u8], name: &str) -> Value {
    serde_json::from_str(&text(bytes, name)).unwrap()
}

/// The same archive with other files.
fn changed(bytes: &[u8], change: impl FnOnce(&mut Vec<(String, Vec<u8>)>)) -> Vec<u8> {
    let entries = zip::read(bytes).unwrap();
    let mut files = entries.iter().map(|entry| (entry.name.to_owned(), entry.bytes.to_vec())).collect();
    change(&mut files);
    zip::write(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))).unwrap()
}

/// A key pair in two files; the path of the private one.
fn key_pair(folder: &Path, name: &str) -> String {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der));
    let public = muster::domain::evidence::signature::Signer::from_pem(&pem).unwrap().public();
    let path = folder.join(name);
    fs::write(&path, &pem).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    fs::write(folder.join(format!("{name}.pub")), public.to_pem()).unwrap();
    path.display().to_string()
}

#[rstest::rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_gets_one_file_that_can_be_checked(#[case] database: Database) {
    let clock = clock();
    let github = github(&clock).await;
    let muster = Muster::start_as(&github, &clock, setup(database)).await;
    muster.begin().await;
    muster.advance(Duration::from_secs(600)).await;
    let desk = Desk::of(&muster);

    // The same state, the same bytes; it says that nobody signed it.
    let made = desk.make(&[], &[]);
    assert_eq!(made, desk.make(&[], &["--agency", "xa"]));
    let (code, said) = desk.verify(&made, &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("is as it was made: XA") && said.contains("Nobody's signature"), "{said}");
    let (code, out, said) = desk.run(&["evidence", "--out", "made.zip"]);
    assert_eq!((code, out.as_str()), (2, ""), "nothing is overwritten: {said}");
    assert!(desk.run(&["evidence"]).1.contains("evidence-xa-20"));
    assert!(desk.run(&["evidence", "--internal"]).1.contains("evidence-internal-xa-20"));

    // What is served is in it, with its hash, and what it rests on.
    let manifest = json(&made, "manifest.json");
    for (file, schema, entries) in
        [("code.json", "gsa-2.0.0", 6), ("agency-index.json", "agency-index-2.0.0", 4)]
    {
        let served = get(&muster, &format!("/agencies/xa/{file}"), "").await.body;
        assert_eq!(text(&made, &format!("published/{file}")), served);
        let publications = manifest["publications"].as_array().unwrap();
        let one = publications.iter().find(|one| one["file"] == file).unwrap();
        assert_eq!((&one["schema"], &one["entries"]), (&schema.into(), &entries.into()));
        let account = &one["account"];
        let sum: u64 = ["listed", "incomplete", "exempt", "excluded", "out_of_scope", "unknown"]
            .map(|state| account[state].as_u64().unwrap())
            .iter()
            .sum();
        assert_eq!((sum, account["seen"].as_u64()), (11, Some(11)));
    }
    let store = &muster.ctx.store;
    let newest = store.ledger(&LedgerFilter::default(), 1).await.unwrap().remove(0);
    assert_eq!(
        (&manifest["ledger"]["head"], &manifest["ledger"]["entries"]),
        (&newest.hash.into(), &newest.seq.into())
    );
    let (code, _, said) =
        desk.run(&["audit", "verify", "--head", manifest["ledger"]["head"].as_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    let river = RepositoryId(github.repository_id("agency/river"));
    let inputs = manifest["inputs"]["repositories"].as_array().unwrap();
    let input = inputs.iter().find(|input| input["repository"] == river.0).unwrap();
    let head = store.repository(river).await.unwrap().unwrap().head.unwrap();
    assert_eq!((&input["name"], &input["commit"]), (&"agency/river".into(), &head.as_str().into()));
    assert_eq!(manifest["inputs"]["not_named"], 3);
    assert_eq!(manifest["policy"]["source"], "organization");
    assert_eq!(manifest["policy"]["digest"].as_str().unwrap().len(), 64);
    assert_eq!((&manifest["signature"], &manifest["generated"]), (&Value::Null, &manifest["as_of"]));

    // No private name in any byte; inside, they are there.
    for private in PRIVATE {
        let found = String::from_utf8_lossy(&made).to_lowercase().contains(private);
        assert!(!found, "{private}");
    }
    let inside = desk.make(&[], &["--internal"]);
    assert_eq!(json(&inside, "manifest.json")["internal"], true);
    assert!(text(&inside, "reports/account.csv").contains("agency/falcon-tracker"));
    assert_eq!(desk.verify(&inside, &[]).0, 0);

    let all = ["manifest", "account", "exemptions", "gaps", "omb", "quality", "register"];
    every_document_is_valid_by_its_schema(&desk, &made, &all);
    any_other_program_can_read_it(&desk, &made);
    what_is_not_as_it_was_made_is_named(&desk, &made);
    muster.finish().await;
}

/// Its documents are these, each by the file it is in.
fn every_document_is_valid_by_its_schema(desk: &Desk, made: &[u8], all: &[&str]) {
    let mut seen = BTreeSet::new();
    for entry in zip::read(made).unwrap().iter().filter(|entry| entry.name.ends_with(".json")) {
        let document: Value = serde_json::from_slice(entry.bytes).unwrap();
        let Some(name) = document["schema"].as_str() else { continue };
        let (code, schema, said) = desk.run(&["schema", name]);
        assert_eq!(code, 0, "{name}: {said}");
        let schema: Value = serde_json::from_str(&schema).unwrap();
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let problems: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(problems.is_empty(), "{name}: {problems:#?}");
        // It is no schema of anything.
        let mut other = document.clone();
        other["schema"] = "other-1".into();
        other
            .as_object_mut()
            .unwrap()
            .retain(|key, _| key != "agency" && key != "day" && key != "fiscal_year");
        assert!(!validator.is_valid(&other), "{name}");
        let file = entry.name.trim_start_matches("reports/").trim_end_matches(".json");
        seen.insert(file.trim_end_matches(|c: char| c == '-' || c.is_ascii_digit()));
    }
    assert_eq!(seen, all.iter().copied().collect());
}

/// As Python's zipfile reads it.
fn any_other_program_can_read_it(desk: &Desk, made: &[u8]) {
    fs::write(desk.path("made.zip"), made).unwrap();
    let script = "import sys, zipfile\n\
        with zipfile.ZipFile('made.zip') as z:\n    assert z.testzip() is None\n    print(*z.namelist(), sep='\\n')";
    let listed =
        Command::new("python3").args(["-c", script]).current_dir(desk.folder.path()).output().unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let names: Vec<&str> = zip::read(made).unwrap().iter().map(|entry| entry.name).collect();
    assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().collect::<Vec<_>>(), names);
    assert_eq!(&names[..2], ["manifest.json", "index.html"]);
}

fn what_is_not_as_it_was_made_is_named(desk: &Desk, made: &[u8]) {
    let at = made.windows(10).position(|bytes| bytes == b"\"releases\"").unwrap();
    let mut flipped = made.to_vec();
    flipped[at + 1] ^= 0x20;
    let (code, said) = desk.verify(&flipped, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("x published/agency-index.json: its SHA-256 is "), "{said}");
    let (code, said) =
        desk.verify(&changed(made, |files| files.retain(|(name, _)| name != "reports/omb.md")), &[]);
    assert_eq!(code, 1);
    assert!(said.contains("x reports/omb.md: it is missing"), "{said}");
    let more = |files: &mut Vec<(String, Vec<u8>)>| files.push(("reports/more.md".to_owned(), b"x".to_vec()));
    let (code, said) = desk.verify(&changed(made, more), &[]);
    assert_eq!(code, 1);
    assert!(said.contains("x reports/more.md: it was added"), "{said}");
    // Whoever lists a broken file anew is found by its schema.
    let forged = changed(made, |files| {
        let old = text(made, "published/code.json");
        let new = old.replace("\"releases\"", "\"release\"");
        let hash = |text: &str| muster::domain::evidence::Listed::of("", text.as_bytes());
        let (was, is) = (hash(&old), hash(&new));
        for (name, bytes) in files.iter_mut() {
            if name == "published/code.json" {
                *bytes = new.clone().into_bytes();
            } else if name == "manifest.json" || name == "index.html" {
                let text = String::from_utf8(bytes.clone()).unwrap().replace(&was.sha256, &is.sha256);
                *bytes = text.replace(&was.bytes.to_string(), &is.bytes.to_string()).into_bytes();
            }
        }
    });
    let (code, said) = desk.verify(&forged, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("x published/code.json: "), "{said}");

    // What is hostile is not even looked into.
    let script = "import sys, zipfile\n\
        def write(name, names, method):\n    with zipfile.ZipFile(name, 'w', method) as z:\n        \
        [z.writestr(n, b'0' * 1000000) for n in names]\n\
        write('bomb.zip', ['manifest.json'], zipfile.ZIP_DEFLATED)\n\
        write('climbing.zip', ['../manifest.json'], zipfile.ZIP_STORED)\n\
        write('double.zip', ['manifest.json', 'manifest.json'], zipfile.ZIP_STORED)";
    let mut python = Command::new("python3");
    python.args(["-W", "ignore", "-c", script]).current_dir(desk.folder.path());
    assert!(python.status().unwrap().success());
    fs::write(desk.path("empty.zip"), b"").unwrap();
    for name in ["bomb.zip", "climbing.zip", "double.zip", "empty.zip", "muster.toml", "nothing.zip"] {
        let (code, out, said) = desk.run(&["evidence", "verify", name]);
        assert_eq!((code, out.as_str()), (2, ""), "{name}: {said}");
        assert!(said.contains(name), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_told_from_a_word() {
    let clock = clock();
    let github = github(&clock).await;
    let muster = Muster::start_as(&github, &clock, setup(Database::Sqlite)).await;
    muster.begin().await;
    let desk = Desk::of(&muster);
    let (ours, theirs) = (key_pair(desk.folder.path(), "ours"), key_pair(desk.folder.path(), "theirs"));
    fn by(key: &str) -> [(&'static str, &str); 1] {
        [("MUSTER_EVIDENCE_KEY_FILE", key)]
    }

    let made = desk.make(&by(&ours), &[]);
    assert_eq!(made, desk.make(&by(&ours), &[]));
    let (code, said) = desk.verify(&made, &["--key", "ours.pub"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("It is signed by the key that you gave."), "{said}");
    let (code, said) = desk.verify(&made, &[]);
    assert_eq!(code, 0);
    assert!(said.contains("which anybody can make"), "{said}");

    let other = desk.make(&by(&theirs), &[]);
    let (code, said) = desk.verify(&other, &["--key", "ours.pub"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("x manifest.sig: it was not made with the key that you gave"), "{said}");
    let unsigned = desk.make(&[], &[]);
    let (code, said) = desk.verify(&unsigned, &["--key", "ours.pub"]);
    assert_eq!(code, 1);
    assert!(said.contains("x manifest.json: it is not signed"), "{said}");
    // One's signature under the other's manifest.
    let (_, signature) = changed_signature(&other);
    let mixed = changed(&made, |files| {
        let at = files.iter().position(|(name, _)| name == "manifest.sig").unwrap();
        files[at].1 = signature;
    });
    let (code, said) = desk.verify(&mixed, &["--key", "ours.pub"]);
    assert_eq!(code, 1);
    assert!(said.contains("x manifest.sig: it is not the signature of manifest.json"), "{said}");

    // The JSON says the same.
    fs::write(desk.path("other.zip"), &other).unwrap();
    let (code, out, _) =
        desk.run(&["evidence", "verify", "other.zip", "--key", "ours.pub", "--format", "json"]);
    let verified: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &verified["schema"]), (1, &"evidence-verified-1".into()));
    assert_eq!(
        (&verified["vouched"], &verified["faults"][0]["file"]),
        (&"its-own-key".into(), &"manifest.sig".into())
    );

    // A key that others may read is none, nor is one of another kind.
    fs::set_permissions(&ours, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, _, said) = desk.run_with(&by(&ours), &["evidence"]);
    assert_eq!(code, 2);
    assert!(said.contains("MUSTER_EVIDENCE_KEY_FILE") && said.contains("chmod 0400"), "{said}");
    fs::write(desk.path("rsa"), github.private_key()).unwrap();
    fs::set_permissions(desk.path("rsa"), fs::Permissions::from_mode(0o400)).unwrap();
    let (code, _, said) = desk.run_with(&by(desk.path("rsa").to_str().unwrap()), &["evidence"]);
    assert_eq!(code, 2);
    assert!(said.contains("holds no Ed25519 private key"), "{said}");
    let (code, _, said) = desk.run(&["evidence", "verify", "other.zip", "--key", "muster.toml"]);
    assert_eq!(code, 2);
    assert!(said.contains("openssl pkey -pubout"), "{said}");
    muster.finish().await;
}

fn changed_signature(made: &[u8]) -> (String, Vec<u8>) {
    let entries = zip::read(made).unwrap();
    let entry = entries.iter().find(|entry| entry.name == "manifest.sig").unwrap();
    (entry.name.to_owned(), entry.bytes.to_vec())
}

/// Threats N1: what people wrote is looked through once more.
#[tokio::test(flavor = "multi_thread")]
async fn n1_evidence_for_everybody_is_not_made_of_what_names_private_code() {
    let clock = clock();
    let github = github(&clock).await;
    let muster = Muster::start_as(&github, &clock, setup(Database::Sqlite)).await;
    muster.begin().await;
    let desk = Desk::of(&muster);
    desk.make(&[], &[]);
    // Somebody gives private code the name that a public file tells.
    let river = RepositoryId(github.repository_id("agency/old-dam"));
    let seen = [(river, muster::domain::repository::Visibility::Private, false)];
    muster.ctx.store.see_visibility(&seen, clock.now()).await.unwrap();
    let (code, out, said) = desk.run(&["evidence", "--out", "leak.zip"]);
    assert_eq!((code, out.as_str()), (2, ""), "{said}");
    assert!(said.contains("published/code.json would tell what is not public"), "{said}");
    assert!(!said.contains("old-dam") && !desk.path("leak.zip").exists());
    desk.make(&[], &["--internal"]);
    muster.abandon();
}

async fn noted(store: &Store) -> usize {
    let ledger = store.ledger(&LedgerFilter::default(), 1_000).await.unwrap();
    ledger.iter().filter(|entry| entry.what == "repository_publicized").count()
}

#[rstest::rstest]
#[case::by_an_event(true)]
#[case::without_one(false)]
#[tokio::test(flavor = "multi_thread")]
async fn code_that_is_made_public_is_a_quiet_finding(#[case] told: bool) {
    let clock = clock();
    let github = github(&clock).await;
    let muster = Muster::start_as(&github, &clock, setup(Database::Sqlite)).await;
    muster.begin().await;
    let desk = Desk::of(&muster);
    let gaps = |more: &[&str]| desk.run(&[&["report", "gaps"], more].concat());
    assert_eq!(noted(&muster.ctx.store).await, 0);
    assert!(!gaps(&["--internal"]).1.contains("Made public"));

    if !told {
        muster.unplug();
    }
    github.user("olivia").set_visibility("agency/falcon-tracker", Visibility::Public);
    muster.settle().await;
    muster.plug_in();
    muster.advance(Duration::from_secs(2 * 24 * 3600)).await;

    assert_eq!(noted(&muster.ctx.store).await, 1);
    let (code, inside, said) = gaps(&["--internal"]);
    assert_eq!((code, said.as_str()), (0, ""));
    assert!(
        inside.contains("\n## Made public\n") && inside.contains("| agency/falcon-tracker | private | 2026-")
    );
    assert!(gaps(&["--internal", "--format", "csv"]).1.contains("\"made public\",\"agency/falcon-tracker\""));
    // Outside nobody learns what it was before.
    for format in ["markdown", "csv", "json"] {
        let (_, outside, said) = gaps(&["--format", format]);
        assert!(
            !outside.contains("falcon") || format == "markdown" && !outside.contains("Made public"),
            "{outside}"
        );
        assert!(said.contains("Code was made public") && !said.contains("falcon"), "{said}");
    }
    for name in ["agency/falcon-tracker", "agency/.github"] {
        assert_eq!(github.issues(name).len(), 0, "never an issue");
    }
    // Taken back, nothing is left to be found.
    github.user("olivia").set_visibility("agency/falcon-tracker", Visibility::Private);
    muster.settle().await;
    assert!(!gaps(&["--internal"]).1.contains("Made public"));
    muster.finish().await;
}

/// Days that are over for the program too, whose clock is the system's.
#[rstest::rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_told_how_it_stood(#[case] database: Database) {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let clock = Clock::stepped("2024-11-19T15:00:00Z".parse().unwrap());
    let github = github(&clock).await;
    let muster = Muster::start_as(&github, &clock, setup(database)).await;
    muster.begin().await;
    muster.advance(Duration::from_secs(600)).await;
    let served = get(&muster, "/agencies/xa/code.json", "").await.body;
    muster.advance(DAY).await;
    let olivia = github.user("olivia");
    olivia.rename("agency/river", "stream");
    olivia.set_visibility("bureau/rain", Visibility::Private);
    muster.settle().await;
    muster.advance(DAY).await;
    let desk = Desk::of(&muster);
    let report = |day: &str, more: &[&str]| desk.run(&[&["report", "as-of", day], more].concat());

    let (code, out, said) = report("2024-11-19", &["--format", "json"]);
    assert_eq!((code, said.as_str()), (0, ""), "{out}");
    let then: Value = serde_json::from_str(&out).unwrap();
    let file = &then["files"].as_array().unwrap().iter().find(|file| file["file"] == "code.json").unwrap();
    assert_eq!((&then["schema"], &file["entries"]), (&"as-of-1".into(), &6.into()));
    let sha256 = muster::domain::evidence::Listed::of("", served.as_bytes()).sha256;
    assert_eq!(file["sha256"].as_str(), Some(sha256.as_str()));
    // What is private today is counted, though it was public then.
    assert!(!out.contains("rain") && file["not_named"].as_u64().unwrap() >= 1, "{out}");
    assert!(report("2024-11-19", &["--internal"]).1.contains("| rain |"));
    let (_, shown, _) = report("2024-11-19", &[]);
    assert!(shown.contains("# Source code inventory of XA, as of 2024-11-19"), "{shown}");
    assert!(
        report("2024-11-19", &["--format", "csv"])
            .1
            .contains("\"2024-11-19\",\"removed since\",\"code.json\"")
    );
    assert!(report("2024-11-18", &[]).1.contains("It was not published yet."));
    let (code, _, said) = report("2999-01-01", &[]);
    assert_eq!(code, 2);
    assert!(said.contains("2999-01-01 is not over"), "{said}");

    // The evidence of that day, byte for byte what was served.
    let (code, _, said) = desk.run(&["evidence", "--as-of", "2024-11-19"]);
    assert_eq!(code, 2, "it names what is private today");
    assert!(said.contains("published/"), "{said}");
    let made = desk.make(&[], &["--as-of", "2024-11-19", "--internal"]);
    assert_eq!(text(&made, "published/code.json"), served);
    assert_eq!(made, desk.make(&[], &["--as-of", "2024-11-19", "--internal"]));
    let manifest = json(&made, "manifest.json");
    assert_eq!(
        (&manifest["as_of_day"], &manifest["as_of"]),
        (&"2024-11-19".into(), &"2024-11-19T23:59:59.999Z".into())
    );
    assert!(manifest["not_kept"].as_array().unwrap().contains(&"account".into()));
    every_document_is_valid_by_its_schema(&desk, &made, &["manifest", "as-of", "exemptions", "quality"]);
    assert_eq!(desk.verify(&made, &[]).0, 0);
    muster.finish().await;
}
