//! A stand-in for the harvester of Data.gov, and what it makes of the published
//! files (domain: what Data.gov takes).
//!
//! It knows nothing of Muster: a plain GET without credentials, entries by their
//! `repositoryURL`, of which the first counts; any changed value is an update,
//! the order of keys aside; what is gone from the file is deleted.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use github_sandbox::Visibility;
use muster::clock::Clock;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    harness::{Muster, Setup, clock},
    inventory::{self, get, header, publication},
    server::Database,
    site::{Say, Site},
};

/// What it keeps of a file between two harvests.
#[derive(Debug, Default)]
struct Harvester {
    records: BTreeMap<String, [u8; 32]>,
}

/// What a harvest did.
#[derive(Debug, Default, PartialEq, Eq)]
struct Harvested {
    created: Vec<String>,
    updated: Vec<String>,
    deleted: Vec<String>,
    /// Entries that were not taken, and why.
    refused: Vec<String>,
}

/// A value with its keys in order.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let map: BTreeMap<&String, String> =
                map.iter().map(|(key, value)| (key, sorted(value))).collect();
            format!("{map:?}")
        }
        Value::Array(list) => format!("{:?}", list.iter().map(sorted).collect::<Vec<_>>()),
        other => other.to_string(),
    }
}

impl Harvester {
    fn take(&mut self, body: &str) -> Harvested {
        let file: Value = serde_json::from_str(body).unwrap();
        let mut harvested = Harvested::default();
        let mut there = BTreeMap::new();
        for release in file["releases"].as_array().unwrap() {
            let text =
                |pointer: &str| release.pointer(pointer).and_then(Value::as_str).unwrap_or_default().trim();
            let identifier = text("/repositoryURL").to_owned();
            let lacking = ["/name", "/description", "/contact/name", "/contact/email"]
                .into_iter()
                .find(|pointer| text(pointer).is_empty());
            if let Some(lacking) = lacking {
                harvested.refused.push(format!("{identifier} has no {lacking}"));
                continue;
            }
            match there.entry(identifier) {
                Entry::Occupied(first) => harvested.refused.push(format!("{} is there twice", first.key())),
                Entry::Vacant(free) => {
                    free.insert(<[u8; 32]>::from(Sha256::digest(sorted(release))));
                }
            }
        }
        for (identifier, hash) in &there {
            match self.records.get(identifier) {
                None => harvested.created.push(identifier.clone()),
                Some(known) if known != hash => harvested.updated.push(identifier.clone()),
                Some(_) => {}
            }
        }
        harvested.deleted =
            self.records.keys().filter(|known| !there.contains_key(*known)).cloned().collect();
        self.records = there;
        harvested
    }
}

/// What two harvesters did, of one file each, with short addresses.
struct Both {
    code: Harvester,
    index: Harvester,
}

impl Both {
    async fn harvest(&mut self, muster: &Muster) -> String {
        let mut told = String::new();
        for (file, harvester) in [("code.json", &mut self.code), ("agency-index.json", &mut self.index)] {
            let answer = get(muster, &format!("/agencies/xa/{file}"), "").await;
            assert_eq!(answer.status, 200);
            let entries = answer.body.matches("\"repositoryURL\"").count();
            let harvested = harvester.take(&answer.body);
            assert_eq!(harvested.refused, Vec::<String>::new(), "{file}");
            assert_eq!(harvester.records.len(), entries, "{file}: every entry is taken");
            for (what, of) in [("+", harvested.created), ("~", harvested.updated), ("-", harvested.deleted)] {
                let short = |url: &String| match url.split_once("code-access#") {
                    Some(_) => "RESTRICTED".to_owned(),
                    None => {
                        url.rsplit("/agency/").next().unwrap().rsplit("/bureau/").next().unwrap().to_owned()
                    }
                };
                let of: Vec<String> = of.iter().map(short).collect();
                if !of.is_empty() {
                    told += &format!("{file} {what} {}\n", of.join(" "));
                }
            }
        }
        told
    }
}

async fn begin(clock: &Clock, database: Database) -> Muster {
    let github = inventory::github(clock).await;
    let muster = Muster::start_as(&github, clock, inventory::setup(database)).await;
    muster.begin().await;
    muster.advance(Duration::from_secs(600)).await;
    muster
}

#[tokio::test]
async fn a_harvester_takes_every_entry_and_follows_every_change() {
    let clock = clock();
    let muster = begin(&clock, Database::Sqlite).await;
    let olivia = muster.github.user("olivia");
    let mut both = Both { code: Harvester::default(), index: Harvester::default() };
    insta::assert_snapshot!(both.harvest(&muster).await, @r"
code.json + lake old-dam river rain RESTRICTED RESTRICTED
agency-index.json + lake river RESTRICTED RESTRICTED
");
    assert_eq!(both.harvest(&muster).await, "", "a second harvest changes nothing");
    muster.advance(Duration::from_secs(60 * 60)).await;
    assert_eq!(both.harvest(&muster).await, "", "nor does time");

    olivia.rename("agency/lake", "great-lake");
    muster.settle().await;
    insta::assert_snapshot!(both.harvest(&muster).await, @r"
code.json + great-lake
code.json - lake
agency-index.json + great-lake
agency-index.json - lake
");
    olivia.set_visibility("agency/river", Visibility::Private);
    muster.settle().await;
    insta::assert_snapshot!(both.harvest(&muster).await, @r"
code.json - river
agency-index.json - river
");
    olivia.delete_repository("bureau/rain");
    muster.settle().await;
    insta::assert_snapshot!(both.harvest(&muster).await, @"code.json - rain");
    assert_eq!(both.harvest(&muster).await, "");
    muster.finish().await;
}

#[test]
fn the_harvester_is_strict() {
    let release = |url: &str, name: &str| {
        format!(
            r#"{{"name": "{name}", "description": "x", "repositoryURL": "{url}", "contact": {{"name": "n", "email": "e"}}}}"#
        )
    };
    let file = |releases: &[String]| format!("{{\"releases\": [{}]}}", releases.join(","));
    let mut harvester = Harvester::default();
    let first = harvester.take(&file(&[release("a", "A"), release("a", "B"), release("b", "")]));
    assert_eq!(first.created, ["a"]);
    assert_eq!(first.refused, ["a is there twice", "b has no /name"]);
    let other_order = r#"{"releases": [{"contact": {"email": "e", "name": "n"}, "repositoryURL": "a", "description": "x", "name": "A"}]}"#;
    assert_eq!(harvester.take(other_order), Harvested::default());
    let changed = harvester.take(&file(&[release("c", "C"), release("a", "AA")]));
    assert_eq!(
        (changed.created, changed.updated, changed.deleted),
        (vec!["c".into()], vec!["a".into()], vec![])
    );
    assert_eq!(harvester.take(&file(&[release("a", "AA")])).deleted, ["c"]);
}

/// What everybody gets is fetched after a publication, compared and told.
#[rstest::rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test]
async fn what_everybody_gets_is_verified_after_publication(#[case] database: Database) {
    let clock = clock();
    // The agency's own cache in front of this instance.
    let cache = Site::start().await;
    let github = inventory::github(&clock).await;
    let setup = Setup {
        public_url: Some(cache.origin.clone()),
        patience: Some(Duration::from_secs(3)),
        ..inventory::setup(database)
    };
    let muster = Muster::start_as(&github, &clock, setup).await;
    muster.begin().await;
    let pull_through = async || {
        for file in ["code.json", "agency-index.json"] {
            let path = format!("/agencies/xa/{file}");
            cache.has(&path, get(&muster, &path, "").await.body);
        }
    };
    let known = async || {
        let found = muster.ctx.store.verifications("xa").await.unwrap();
        let line = |one: &muster::store::Verification| {
            let last = one.last.as_ref().map(|last| {
                let harvest = &last.harvest;
                format!(
                    "{} taken, {} incomplete, {} twice, {} deleted",
                    harvest.identifiers.len(),
                    harvest.incomplete,
                    harvest.duplicates,
                    harvest.deleted.len()
                )
            });
            format!("{}: {:?}, {:?}", one.file, one.differs, last)
        };
        found.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    let rows = async || {
        let rows = muster.doctor(Some(&cache.origin)).await;
        rows.into_iter().filter(|row| row.contains(" inventory ")).collect::<Vec<_>>().join("\n")
    };
    muster.advance(Duration::from_secs(600)).await;
    insta::assert_snapshot!(known().await, @r#"
agency-index.json: Some("its server answered 404"), None
code.json: Some("its server answered 404"), None
"#);
    if matches!(database, Database::Sqlite) {
        insta::assert_snapshot!(rows().await, @r"
warning inventory xa agency-index.json: What everybody gets is not what was published: its server answered 404. It was never verified.
warning inventory xa code.json: What everybody gets is not what was published: its server answered 404. It was never verified.
");
    }
    pull_through().await;
    muster.advance(Duration::from_secs(60 * 60)).await;
    muster.advance(Duration::from_secs(600)).await;
    insta::assert_snapshot!(known().await, @r#"
agency-index.json: None, Some("4 taken, 0 incomplete, 0 twice, 0 deleted")
code.json: None, Some("6 taken, 0 incomplete, 0 twice, 0 deleted")
"#);
    let asked = cache.asked().len();
    muster.advance(Duration::from_secs(3 * 60 * 60)).await;
    assert_eq!(cache.asked().len(), asked, "what is known to be out there is not fetched again");
    for head in cache.asked() {
        assert!(!head.contains("authorization"), "{head}");
    }

    // The cache keeps an old file.
    github.user("olivia").delete_repository("bureau/rain");
    muster.settle().await;
    muster.advance(Duration::from_secs(600)).await;
    insta::assert_snapshot!(known().await, @r#"
agency-index.json: None, Some("4 taken, 0 incomplete, 0 twice, 0 deleted")
code.json: Some("another file came; a cache may keep an old one"), Some("6 taken, 0 incomplete, 0 twice, 0 deleted")
"#);
    if matches!(database, Database::Sqlite) {
        insta::assert_snapshot!(rows().await, @r"
ok inventory xa agency-index.json: Everybody gets what was published, as last verified at 2026-11-17 16:20Z. A harvester takes 4 entries and drops 0; it deletes 0 that it had.
warning inventory xa code.json: What everybody gets is not what was published: another file came; a cache may keep an old one. It was last verified at 2026-11-17 16:20Z.
");
    }
    cache.says("/agencies/xa/code.json", Say::Stall(b"HTTP/1.1 200 OK\r\n".to_vec()));
    muster.advance(Duration::from_secs(60 * 60)).await;
    muster.advance(Duration::from_secs(600)).await;
    assert!(known().await.contains("did not come within"), "{}", known().await);
    pull_through().await;
    muster.advance(Duration::from_secs(60 * 60)).await;
    muster.advance(Duration::from_secs(600)).await;
    insta::assert_snapshot!(known().await, @r#"
agency-index.json: None, Some("4 taken, 0 incomplete, 0 twice, 0 deleted")
code.json: None, Some("5 taken, 0 incomplete, 0 twice, 1 deleted")
"#);
    assert_eq!(publication(&muster, "code.json").await.refused, None, "it never stops a publication");
    let audit = muster.ctx.store.audit(None, 1000).await.unwrap();
    let noted = audit.iter().rev().filter(|entry| entry.audit.what.contains("verified"));
    let noted: Vec<String> = noted
        .map(|entry| {
            let detail: Value = serde_json::from_str(&entry.audit.detail).unwrap();
            format!("{} {} {}", entry.audit.what, detail["file"], detail["why"])
        })
        .collect();
    insta::assert_snapshot!(noted.join("\n"), @r#"
inventory_not_verified "agency-index.json" "its server answered 404"
inventory_not_verified "code.json" "its server answered 404"
inventory_verified "agency-index.json" null
inventory_verified "code.json" null
inventory_not_verified "code.json" "another file came; a cache may keep an old one"
inventory_not_verified "code.json" "it did not come within 3 seconds"
inventory_verified "code.json" null
"#);
    assert!(header(&get(&muster, "/code.json", "").await, "etag").len() > 60);
    muster.finish().await;
}
