//! Abuse test 2, "Forger", W4: who has captured true bodies can send them again
//! under new GUIDs and other names, and brings about nothing.

use std::time::Duration;

use github_sandbox::{Sandbox, Visibility};
use muster::{
    github::needs::EVENTS,
    store::{DeliveryFilter, JobFilter},
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    harness::{Muster, agency, clock, complete, installed},
    recovery::{FREELY, standing},
    server::{Answer, Request, sign},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Sends a captured body under another name, with the signature it had.
async fn replay(muster: &Muster, github: &Sandbox, event: &str, body: &[u8]) -> u16 {
    let request = Request::of_bytes(event, body.to_vec());
    let request = request.with("X-Hub-Signature-256", &sign(&github.webhook_secret(), body));
    let mut stream = TcpStream::connect(muster.address).await.unwrap();
    stream.write_all(&request.bytes()).await.unwrap();
    Answer::read(&mut stream).await.status
}

/// What is remembered, as text: nothing of it may change by a replay.
async fn remembered(muster: &Muster) -> String {
    let store = &muster.ctx.store;
    let mut text = String::new();
    for known in store.installations().await.unwrap() {
        text += &format!("{} {} {:?} {:?}\n", known.id, known.login, known.suspended_at, known.permissions);
        for row in store.repositories(known.id).await.unwrap() {
            text += &format!("{:?} {:?} {:?}\n", row.seen, row.head, row.report);
            text += &format!("{:?}\n", store.outstanding(row.seen.id).await.unwrap());
            text += &format!("{:?}\n", store.decisions(row.seen.id).await.unwrap());
        }
    }
    text + &format!("{:?}\n", store.audit(None, 10_000).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn w4_every_body_again_under_every_name_changes_nothing() {
    let clock = clock();
    let sites = ["one", "two", "three", "four"].map(complete);
    let github = installed(
        &clock,
        sites.into_iter().fold(agency(FREELY), github_sandbox::NewOrganization::repository),
    )
    .await;
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    let (alice, olivia) = (github.user("alice"), github.user("olivia"));
    // A life in which every kind of event comes: some end what later ones undo.
    for name in ["one", "two", "three"] {
        let name = format!("agency/{name}");
        alice.delete_files(&name, "main", &["CONTRIBUTING.md"], "Tidy up");
    }
    muster.settle().await;
    alice.merge("agency/one", 1);
    alice.close_pull_request("agency/two", 1);
    let issue = alice.open_issue("agency/three", "Hello", "muster recheck");
    alice.comment("agency/three", issue, "/muster recheck");
    alice.close_issue("agency/three", issue);
    alice.reopen("agency/three", issue);
    olivia.set_visibility("agency/four", Visibility::Private);
    olivia.set_visibility("agency/four", Visibility::Public);
    olivia.set_archived("agency/four", true);
    olivia.set_archived("agency/four", false);
    olivia.set_suspended("agency", true);
    olivia.set_suspended("agency", false);
    olivia.accept_permissions("agency");
    olivia.uninstall("agency");
    muster.settle().await;
    olivia.install("agency", None);
    muster.settle().await;
    for _ in 0..3 {
        muster.advance(DAY).await;
    }
    let bodies: Vec<Vec<u8>> =
        github.deliveries().iter().rev().map(|delivery| delivery.payload.clone().into_bytes()).collect();
    let kinds = DeliveryFilter::default();
    let stored = muster.ctx.store.deliveries(&kinds, 10_000).await.unwrap();
    for event in ["push", "pull_request", "issues", "issue_comment", "repository", "public", "installation"] {
        assert!(stored.iter().any(|delivery| delivery.event == event), "no {event} was captured");
    }
    let (before, rows) = (standing(&github), remembered(&muster).await);
    github.clear_calls();
    let names: Vec<&str> =
        EVENTS.iter().map(|(name, _)| *name).chain(["ping", "meta", "label", "an_event_to_come"]).collect();
    let (mut taken, mut refused) = (0, 0);
    for body in &bodies {
        for name in &names {
            match replay(&muster, &github, name, body).await {
                202 => taken += 1,
                400 => refused += 1,
                other => panic!("{name}: {other}"),
            }
        }
        muster.worker.drain().await.unwrap();
    }
    assert!(taken > bodies.len() && refused > bodies.len(), "{taken} taken, {refused} refused");
    muster.settle().await;
    let calls = github.calls();
    let writes: Vec<_> = calls.iter().filter(|call| call.writes).collect();
    assert!(writes.is_empty(), "{writes:#?}");
    let changing = calls.iter().filter(|call| call.method != "GET" && call.path != "/graphql");
    let changing: Vec<_> = changing.filter(|call| !call.path.ends_with("/access_tokens")).collect();
    assert!(changing.is_empty(), "{changing:#?}");
    assert_eq!(standing(&github), before);
    assert_eq!(remembered(&muster).await, rows);
    let jobs = muster.ctx.store.jobs(JobFilter::default(), 1_000, clock.now()).await.unwrap();
    assert!(jobs.iter().all(|job| job.run_at > clock.now()), "{jobs:#?}");
    muster.finish().await;
}
