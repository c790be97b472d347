//! Two tenants in one process: nothing of one reaches the other (threats T3,
//! T4).

use std::{collections::BTreeMap, time::Duration};

use github_sandbox::{installation, org};
use muster::{
    domain::repository::InstallationId,
    domain::{policy::Policy, repository::FileText},
    github::Error,
    jobs::worker::Worker,
    store::{JobKind, NewJob, Priority},
};
use serde_json::{Value, json};

use crate::server::Database;
use crate::{
    github::{
        reads::{Given, data, file, graphql, read, repository},
        stand_in::{ONE, StandIn, TWO, nothing, reply, with},
    },
    harness::{Muster, README, clock, complete, old, sandbox},
};

const REPOSITORIES: usize = 10;
const ROUNDS: usize = 50;

/// Ten repositories under the same names, with the same files and so the same
/// object ids.
fn tenant(login: &str) -> github_sandbox::NewOrganization {
    let mut tenant = org(login).owner(&format!("owner-of-{login}"));
    for n in 0..REPOSITORIES {
        let name = format!("r{n}");
        let lacking = old(&name).file("README.md", README).file("CONTRIBUTING", "Write to us.\n");
        tenant = tenant.repository(if n % 2 == 0 { complete(&name) } else { lacking });
    }
    tenant
}

#[tokio::test(flavor = "multi_thread")]
async fn t3_a_token_is_used_for_its_own_tenant_in_1000_interleaved_jobs() {
    let clock = clock();
    let tenants = ["northern-parks", "southern-rivers"];
    let mut builder = sandbox(&clock).tenants_apart();
    for login in tenants {
        builder = builder.organization(tenant(login)).installation(installation(login));
    }
    let github = builder.start().await.unwrap();
    let policy = Policy::parse("mode: fix\n").unwrap();
    let muster = Muster::start_for(&github, &clock, Database::Sqlite, &tenants, Some(policy)).await;
    muster.begin().await;
    let mut jobs = Vec::new();
    for n in 0..REPOSITORIES {
        for login in tenants {
            jobs.push(NewJob::new(
                JobKind::InspectRepository,
                github.repository_id(&format!("{login}/r{n}")),
                InstallationId(github.installation_id(login)),
                Priority::Push,
                clock.now(),
                "test",
            ));
        }
    }
    let workers: Vec<Worker> =
        (0..4).map(|n| Worker::new(muster.ctx.clone(), format!("worker-{n}"))).collect();
    let mut inspected = BTreeMap::new();
    github.clear_calls();
    for round in 0..ROUNDS {
        muster.ctx.store.enqueue(&jobs, clock.now()).await.unwrap();
        for drained in futures_util::future::join_all(workers.iter().map(Worker::drain)).await {
            drained.unwrap();
        }
        // Tokens end on the way, and are asked for again.
        if round % 10 == 9 {
            clock.advance(Duration::from_secs(30 * 60));
        }
        for call in github.calls().iter().filter(|call| call.operation.as_deref() == Some("Snapshot")) {
            *inspected.entry(call.installation.unwrap()).or_insert(0) += 1;
        }
        github.clear_calls();
    }
    // A job that writes may look twice.
    assert!(inspected.values().sum::<usize>() >= 2 * REPOSITORIES * ROUNDS, "{inspected:?}");
    assert_eq!(inspected.len(), 2);
    assert_eq!(github.strays(), Vec::<String>::new());
    // Each grant is of one tenant, and one that writes of one repository.
    for grant in github.state(github_sandbox::state::State::grants) {
        let covered = github.state(|state| state.installation_repositories(grant.installation));
        assert!(grant.repositories.iter().flatten().all(|id| covered.contains(id)), "{grant:?}");
    }
    for [own, other] in [tenants, [tenants[1], tenants[0]]] {
        let issues = github.issues(&format!("{own}/r1"));
        assert_eq!(issues.len(), 1, "{own}");
        assert!(!issues[0].body.contains(other), "{}", issues[0].body);
    }
    muster.finish().await;
    assert_eq!(github.strays(), Vec::<String>::new());
}

/// Whose token a request carries; the stand-in numbers them by installation.
fn installation_of(seen: &crate::github::stand_in::Seen) -> &str {
    seen.token().and_then(|token| token.split('_').nth(1)).unwrap_or_default()
}

#[tokio::test]
async fn t4_one_uri_and_two_tenants_have_two_answers() {
    let github = StandIn::start(|seen, _| match (seen.path.as_str(), installation_of(seen)) {
        ("/repositories/1", tenant) => {
            let mut found = crate::github::stand_in::listed(1);
            found["full_name"] = format!("tenant-{tenant}/site").into();
            with(reply(200, found), "etag", "\"the-same\"")
        }
        _ => nothing(),
    })
    .await;
    let app = github.with_app();
    for _ in 0..2 {
        for (installation, owner) in [(ONE, "tenant-1"), (TWO, "tenant-2")] {
            let id = muster::domain::repository::RepositoryId(1);
            let found = app.reader(installation).repository_by_id(id).await.unwrap();
            assert_eq!(found.name.owner().as_str(), owner);
        }
    }
    let asked = github.seen().into_iter().filter(|seen| seen.path == "/repositories/1");
    assert!(asked.into_iter().all(|seen| !seen.headers.contains_key("if-none-match")));
}

/// A repository with a file whose text comes by its object id alone.
fn snapshot() -> Value {
    repository(&[file("COPYING", "A license")])
}

#[tokio::test]
async fn t4_one_object_id_and_two_tenants_have_two_answers() {
    // Whichever tenant is lied to, and whoever asks first.
    for (liar, order) in [("2", [ONE, TWO]), ("1", [ONE, TWO]), ("1", [TWO, ONE])] {
        let github = StandIn::start(move |seen, _| {
            if graphql(seen, "Snapshot") {
                return data(&snapshot(), &Value::Null, &json!([]));
            }
            if !graphql(seen, "Texts") {
                return nothing();
            }
            let mut blob = file("COPYING", "A license").blob();
            if installation_of(seen) == liar {
                // Other bytes under the same object id.
                blob["text"] = "A forgery".into();
            }
            let mut texts = json!({"databaseId": 42});
            for alias in ["a", "b", "c", "d", "e", "f", "g", "h"] {
                texts[alias] = blob.clone();
            }
            reply(200, json!({"data": {"repository": texts}}))
        })
        .await;
        let app = github.with_app();
        for _ in 0..2 {
            for installation in order {
                let read = read(&app.reader(installation), &[], &["COPYING"]).await.unwrap();
                let text = read.snapshot.files.texts["COPYING"].clone();
                let lied = installation.to_string() == liar;
                match text {
                    FileText::Unread(_) if lied => {}
                    text => assert_eq!((text, lied), (FileText::of("A license"), false), "{installation}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn t4_a_truncated_blob_is_never_cached() {
    let github = StandIn::start(|seen, before| {
        if graphql(seen, "Snapshot") {
            return data(&snapshot(), &Value::Null, &json!([]));
        }
        if !graphql(seen, "Texts") {
            return nothing();
        }
        let mut blob = file("COPYING", "A license").blob();
        // Every request comes by the same path: the snapshots count too.
        if before < 3 {
            blob["isTruncated"] = true.into();
            blob["text"] = "A lic".into();
        }
        let mut texts = json!({"databaseId": 42});
        for alias in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            texts[alias] = blob.clone();
        }
        reply(200, json!({"data": {"repository": texts}}))
    })
    .await;
    let reader = github.with_app().reader(ONE);
    let text =
        async || read(&reader, &[], &["COPYING"]).await.unwrap().snapshot.files.texts["COPYING"].clone();
    assert!(matches!(text().await, FileText::TooLarge(_)));
    assert_eq!(text().await, FileText::of("A license"));
    let asked = github.seen().iter().filter(|seen| graphql(seen, "Texts")).count();
    assert_eq!(text().await, FileText::of("A license"));
    assert_eq!(github.seen().iter().filter(|seen| graphql(seen, "Texts")).count(), asked, "now it is kept");
}

/// The bytes of a blob count only if git gives them its object id.
#[tokio::test]
async fn t4_the_bytes_of_a_blob_must_be_those_of_its_object_id() {
    let latin = || Given("COPYING", 0o100_644, b"caf\xe9".to_vec());
    let github = StandIn::start(move |seen, _| {
        if graphql(seen, "Snapshot") {
            return data(&repository(&[latin()]), &Value::Null, &json!([]));
        }
        if graphql(seen, "Texts") {
            let mut texts = json!({"databaseId": 42});
            for alias in ["a", "b", "c", "d", "e", "f", "g", "h"] {
                texts[alias] = latin().blob();
            }
            return reply(200, json!({"data": {"repository": texts}}));
        }
        if seen.path.starts_with("/app/") {
            return nothing();
        }
        // `printf 'caf\xe8' | base64`: one bit less.
        reply(200, json!({"content": "Y2Fm6A==", "encoding": "base64"}))
    })
    .await;
    let read = read(&github.with_app().reader(ONE), &[], &["COPYING"]).await.unwrap();
    assert!(matches!(read.snapshot.files.texts["COPYING"], FileText::Unread(_)), "{:?}", read.snapshot.files);
}

#[tokio::test]
async fn t3_without_the_apps_key_there_is_no_other_token_to_fall_back_on() {
    let github = StandIn::start(|_, _| nothing()).await;
    let plain = github.with_token();
    assert!(matches!(plain.reader(ONE).bot().await, Err(Error::Permanent(_))));
    assert!(github.with_app().token_reader().is_none());
    assert_eq!(github.seen().len(), 0);
}
