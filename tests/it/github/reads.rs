//! Reading a repository: what came, what came otherwise, and what did not.

use std::fmt::Write as _;

use axum::response::Response;
use base64::Engine as _;
use muster::{
    domain::{
        observed::{ItemKind, ItemState, PolicySource, RepositoryRead},
        repository::{EntryKind, FileText, Files, Inherited, Listing, RepositoryId, Visibility},
    },
    github::{Error, Reader},
};
use serde_json::{Value, json};
use sha1::Digest as _;

use super::stand_in::*;

pub(super) const FILE: u32 = 0o100_644;
const LINK: u32 = 0o120_000;

/// A file of a made-up repository.
pub(crate) struct Given(pub &'static str, pub u32, pub Vec<u8>);

impl Given {
    pub(crate) fn oid(&self) -> String {
        let mut hash = sha1::Sha1::new_with_prefix(format!("blob {}\0", self.2.len()));
        hash.update(&self.2);
        hash.finalize().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    fn entry(&self) -> Value {
        let name = self.0.rsplit('/').next();
        json!({"name": name, "mode": self.1, "type": "blob", "oid": self.oid(), "size": self.2.len()})
    }

    pub(crate) fn blob(&self) -> Value {
        let text = std::str::from_utf8(&self.2).ok().filter(|text| !text.contains('\0'));
        json!({"__typename": "Blob", "oid": self.oid(), "byteSize": self.2.len(),
            "isBinary": text.is_none(), "isTruncated": false, "text": text})
    }
}

pub(crate) fn file(path: &'static str, content: &str) -> Given {
    Given(path, FILE, content.as_bytes().to_vec())
}

fn utf16(content: &str) -> Vec<u8> {
    [0xff, 0xfe].into_iter().chain(content.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

fn folder(entries: Vec<Value>) -> Value {
    json!({"__typename": "Tree", "oid": "0".repeat(40), "entries": entries})
}

fn actor(kind: &str, id: u64) -> Value {
    json!({"__typename": kind, "login": "someone", "databaseId": id})
}

fn item(number: u64, kind: &str, state: &str) -> Value {
    let mut item = json!({"__typename": kind, "id": format!("I_{number}"), "number": number, "url": "https://x/1",
        "title": "T", "body": "B", "stateReason": null, "locked": false, "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-01T00:00:00Z", "closedAt": null, "comments": {"nodes": []},
        "locking": {"nodes": []},
        "repository": {"databaseId": 42}, "author": actor("Bot", 99),
        "timelineItems": {"nodes": [{"__typename": "ClosedEvent", "createdAt": "2026-02-01T00:00:00Z",
            "actor": actor("User", 7)}]}});
    let name = if kind == "Issue" { "state" } else { "pullRequestState" };
    item[name] = state.into();
    item
}

/// The repository `agency/site` with these files at its root.
pub(crate) fn repository(files: &[Given]) -> Value {
    let mut repository = json!({"id": "R_42", "databaseId": 42, "nameWithOwner": "agency/site",
        "url": "https://github.example/agency/site", "description": "", "visibility": "PUBLIC",
        "isArchived": false, "isDisabled": false, "isEmpty": false, "isFork": false, "isMirror": false,
        "isTemplate": false, "hasIssuesEnabled": true, "createdAt": "2020-01-01T00:00:00Z", "pushedAt": null,
        "licenseInfo": {"spdxId": "NOASSERTION"},
        "defaultBranchRef": {"name": "main", "target": {"__typename": "Commit", "oid": "c".repeat(40),
            "committedDate": "2026-01-01T00:00:00Z"}},
        "root": folder(files.iter().map(Given::entry).collect()),
        "dotGithub": null, "docs": null, "licenses": null,
        "label": null, "issues": {"nodes": []}, "labelled": {"nodes": []}, "filesOpen": {"nodes": []},
        "licenseOpen": {"nodes": []}, "filesPullRequests": {"nodes": []},
        "licensePullRequests": {"nodes": []}, "branches": {"nodes": []}});
    let foreseen = ["LICENSE", "LICENSE.md", "LICENSE.txt", "README.md", "README"];
    for (at, path) in foreseen.iter().enumerate() {
        repository[format!("t{at}")] =
            files.iter().find(|file| file.0 == *path).map_or(Value::Null, Given::blob);
    }
    repository
}

pub(crate) fn graphql(seen: &Seen, operation: &str) -> bool {
    seen.path == "/graphql" && seen.body["operationName"] == operation
}

pub(crate) fn data(repository: &Value, home: &Value, known: &Value) -> Response {
    let errors = if home.is_null() { json!([{"type": "NOT_FOUND", "path": ["home"]}]) } else { json!([]) };
    reply(200, json!({"data": {"repository": repository, "home": home, "known": known}, "errors": errors}))
}

pub(crate) async fn read(
    reader: &Reader,
    known: &[String],
    wanted: &[&str],
) -> Result<RepositoryRead, Error> {
    let wanted: Vec<String> = wanted.iter().map(|path| (*path).to_owned()).collect();
    let name = "agency/site".parse().unwrap();
    reader.read_repository(&name, Some(RepositoryId(42)), known, &names(), &|_: &Files| wanted.clone()).await
}

#[tokio::test]
async fn one_call_brings_facts_texts_and_what_is_ours() {
    let github = StandIn::start(|seen, _| {
        if !graphql(seen, "Snapshot") {
            return nothing();
        }
        assert_eq!(seen.body["variables"]["prefix"], "refs/heads/muster/");
        let mut repository = repository(&[
            file("README.md", "Hello"),
            file("LICENSE.md", "version https://git-lfs.github.com/spec/v1\n"),
            Given("LICENSE", LINK, b"COPYING".to_vec()),
            file("odd\nname\u{202e}", "x"),
        ]);
        repository["issues"]["nodes"] = json!([item(3, "Issue", "CLOSED"), item(2, "Issue", "OPEN")]);
        repository["branches"]["nodes"] = json!([{"name": "files", "target": {"__typename": "Commit",
            "oid": "d".repeat(40), "message": "m", "author": {"user": {"databaseId": 99}}}}]);
        data(
            &repository,
            &Value::Null,
            &json!([item(2, "Issue", "OPEN"), null, {"__typename": "Discussion"}]),
        )
    })
    .await;
    let known = ["I_2", "I_gone", "I_talk"].map(str::to_owned);
    let read = read(&github.with_app().reader(ONE), &known, &["README.md"]).await.unwrap();
    let facts = &read.snapshot.repository;
    assert_eq!(
        (facts.id, facts.visibility, facts.issues_enabled),
        (RepositoryId(42), Visibility::Public, true)
    );
    assert_eq!(facts.description, None);
    assert_eq!(facts.head.as_ref().unwrap().branch, "main");
    let files = &read.snapshot.files;
    assert_eq!(files.texts["README.md"], FileText::of("Hello"));
    assert_eq!(files.texts["LICENSE.md"], FileText::LfsPointer);
    assert_eq!(files.entry("LICENSE").unwrap().kind, EntryKind::Link);
    assert!(!files.texts.contains_key("LICENSE"), "a link is not followed");
    assert!(files.entry("odd\nname\u{202e}").is_some());
    assert_eq!(files.folders["docs"], Listing::Absent);
    assert_eq!((read.snapshot.inherited, read.policy), (Inherited::None, PolicySource::Absent));
    let items = &read.observed.items;
    assert_eq!(items.iter().map(|item| item.number).collect::<Vec<_>>(), [2, 3]);
    assert!(items.iter().all(|item| item.kind == ItemKind::Issue && item.author.as_ref().unwrap().bot));
    let ItemState::Closed { by: Some(by), at: Some(_) } = &items[1].state else { panic!("{:?}", items[1]) };
    assert_eq!(by.id.unwrap().0, 7);
    assert_eq!(read.observed.gone, ["I_gone", "I_talk"]);
    assert_eq!(read.observed.branches[0].name, "muster/files");
    let calls: Vec<String> = github.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(calls, ["/app/installations/1/access_tokens", "/graphql"]);
}

#[tokio::test]
async fn other_texts_come_by_object_id_and_are_kept_by_installation() {
    let given = || {
        vec![
            Given("README", FILE, utf16("Hello in UTF-16")),
            Given("README.adoc", FILE, b"caf\xe9 latin".to_vec()),
            file("COPYING", "A license"),
            Given("LICENSE-LOGO", FILE, b"\0\x01\x02".to_vec()),
        ]
    };
    let github = StandIn::start(move |seen, _| {
        let of = |oid: &Value| given().into_iter().find(|file| *oid == file.oid());
        if graphql(seen, "Snapshot") {
            return data(&repository(&given()), &Value::Null, &json!([]));
        }
        if graphql(seen, "Texts") {
            let mut texts = json!({"databaseId": 42});
            for alias in ["a", "b", "c", "d", "e", "f", "g", "h"] {
                texts[alias] = of(&seen.body["variables"][alias]).unwrap().blob();
            }
            return reply(200, json!({"data": {"repository": texts}}));
        }
        let Some(oid) = seen.path.strip_prefix("/repos/agency/site/git/blobs/") else { return nothing() };
        let mut content = base64::engine::general_purpose::STANDARD.encode(of(&oid.into()).unwrap().2);
        content.insert(4, '\n');
        reply(200, json!({"content": content, "encoding": "base64"}))
    })
    .await;
    let app = github.with_app();
    let wanted = ["COPYING", "README.adoc", "LICENSE-LOGO", "NOT-THERE"];
    let calls = || github.seen().iter().filter(|seen| !seen.path.starts_with("/app/")).count();
    for (installation, expected) in [(ONE, 5), (ONE, 6), (TWO, 11)] {
        let read = read(&app.reader(installation), &[], &wanted).await.unwrap();
        let texts = &read.snapshot.files.texts;
        assert_eq!(texts["README"], FileText::of("Hello in UTF-16"));
        assert_eq!(texts["README.adoc"], FileText::of("café latin"));
        assert_eq!(texts["COPYING"], FileText::of("A license"));
        assert_eq!(texts["LICENSE-LOGO"], FileText::Binary);
        assert!(!texts.contains_key("NOT-THERE"));
        assert_eq!(calls(), expected, "{installation}");
    }
}

#[tokio::test]
async fn what_is_not_there_whole_is_unread_and_never_missing() {
    let github = StandIn::start(|seen, before| {
        if !graphql(seen, "Snapshot") {
            return nothing();
        }
        let mut repository = repository(&[file("README.md", "Hello")]);
        match before {
            0 => repository["root"] = Value::Null,
            1 => {
                let entry = json!({"name": "docs", "mode": 0o040_000, "type": "tree", "oid": "1".repeat(40), "size": 0});
                repository["root"]["entries"].as_array_mut().unwrap().push(entry);
            }
            2 => repository["t3"]["oid"] = "9".repeat(40).into(),
            _ => {
                repository["t3"]["isTruncated"] = true.into();
                repository["t3"]["byteSize"] = 3_000_000.into();
            }
        }
        data(&repository, &Value::Null, &json!([]))
    })
    .await;
    let reader = github.with_token().reader(ONE);
    let files = read(&reader, &[], &[]).await.unwrap().snapshot.files;
    assert!(
        ["", ".github", "docs", "LICENSES"].iter().all(|folder| files.unread(folder).is_some()),
        "{files:?}"
    );
    let files = read(&reader, &[], &[]).await.unwrap().snapshot.files;
    assert!(files.unread("docs").is_some() && files.unread(".github").is_none(), "{files:?}");
    let files = read(&reader, &[], &[]).await.unwrap().snapshot.files;
    assert!(matches!(files.texts["README.md"], FileText::Unread(_)));
    let files = read(&reader, &[], &[]).await.unwrap().snapshot.files;
    assert_eq!(files.texts["README.md"], FileText::TooLarge(3_000_000));
}

#[tokio::test]
async fn a_partial_answer_is_no_answer() {
    let github = StandIn::start(|seen, _| {
        if !graphql(seen, "Snapshot") {
            return nothing();
        }
        let errors = json!([{"path": ["repository", "docs"], "message": "timed out"}]);
        let whole = json!({"repository": repository(&[]), "home": null, "known": []});
        reply(200, json!({"data": whole, "errors": errors}))
    })
    .await;
    let answer = read(&github.with_token().reader(ONE), &[], &[]).await;
    assert!(matches!(answer, Err(Error::Partial(_))), "{answer:?}");
}

#[tokio::test]
async fn a_repository_is_found_by_its_id_when_its_name_changed_hands() {
    let github = StandIn::start(|seen, _| {
        if seen.path == "/repositories/42" {
            let mut there = listed(42);
            there["full_name"] = "agency/moved".into();
            return reply(200, there);
        }
        let mut repository = repository(&[]);
        if seen.body["variables"]["name"] == "moved" {
            repository["nameWithOwner"] = "agency/moved".into();
        } else {
            repository["databaseId"] = 43.into();
        }
        data(&repository, &Value::Null, &json!([]))
    })
    .await;
    let reader = github.with_token().reader(ONE);
    let read = read(&reader, &[], &[]).await.unwrap();
    assert_eq!(read.snapshot.repository.name.to_string(), "agency/moved");
    let name = "agency/site".parse().unwrap();
    let before = reader.ours(&name, RepositoryId(42), &[], &names()).await;
    assert!(matches!(before, Err(Error::StaleData(_))));
}

#[tokio::test]
async fn the_policy_comes_with_who_brought_it() {
    let policy = || file(".github/muster.yml", "agency: {acronym: GSA}\n");
    let github = StandIn::start(move |seen, before| {
        if !graphql(seen, "Snapshot") {
            return nothing();
        }
        let policy = if before == 0 { policy() } else { Given(".github/muster.yml", LINK, b"x".to_vec()) };
        let tree = json!({"name": ".github", "mode": 0o040_000, "type": "tree", "oid": "1".repeat(40), "size": 0});
        let home = json!({"id": "R_1", "databaseId": 1, "visibility": "INTERNAL", "isArchived": false,
            "root": folder(vec![tree]), "dotGithub": folder(vec![policy.entry()]), "docs": null,
            "licenses": null, "policy": policy.blob(), "policyHead": {"history": {"nodes": [{
                "oid": "e".repeat(40), "author": {"user": {"databaseId": 7, "login": "alice"}},
                "associatedPullRequests": {"nodes": [{"number": 4, "merged": false}, {"number": 5, "merged": true}]}}]}}});
        data(&repository(&[]), &home, &json!([]))
    })
    .await;
    let reader = github.with_token().reader(ONE);
    let whole = read(&reader, &[], &[]).await.unwrap();
    let Inherited::Files { visibility: Visibility::Internal, files } = whole.snapshot.inherited else {
        panic!()
    };
    assert!(files.entry(".github/muster.yml").is_some());
    let PolicySource::Text { text, commit: Some(commit), .. } = whole.policy else { panic!() };
    assert_eq!(text.as_deref(), Some("agency: {acronym: GSA}\n"));
    assert_eq!((commit.author.unwrap().id.unwrap().0, commit.merged_pull_request), (7, Some(5)));
    let linked = read(&reader, &[], &[]).await.unwrap();
    assert!(matches!(linked.policy, PolicySource::Unread(_)));
}
