//! `MUSTER_INTAKE=poll`: nothing of GitHub's has to reach this machine.

use std::time::Duration;

use github_sandbox::{NewOrganization, Sandbox, installation, org};
use muster::{jobs::intake::Way, store::DeliveryFilter};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    harness::{Muster, Setup, agency, clock, complete, installed, sandbox},
    recovery::{FREELY, standing},
    server::{Answer, Database, Request, push},
};

const MINUTE: Duration = Duration::from_secs(60);
const SITES: usize = 20;

fn polling() -> Setup {
    Setup { way: Way::Poll, ..Setup::default() }
}

/// Twenty repositories, and Muster, which has looked at them once.
async fn sites(setup: Setup) -> (Sandbox, Muster) {
    let clock = clock();
    let sites = (0..SITES).map(|n| complete(&format!("site-{n:02}")));
    let github = installed(&clock, sites.fold(agency(FREELY), NewOrganization::repository)).await;
    let muster = Muster::start_as(&github, &clock, setup).await;
    muster.begin().await;
    muster.calls();
    (github, muster)
}

/// Ten pushes to each repository: to code, away with a file of ours, back with
/// another, and so on.
fn two_hundred_pushes(github: &Sandbox) {
    let alice = github.user("alice");
    for n in 0..SITES {
        let name = format!("agency/site-{n:02}");
        for round in 0..7 {
            let text = format!("{round}\n");
            alice.push(&name, "main", &[("src/n.txt", &text)], "Count");
        }
        alice.delete_files(&name, "main", &["CONTRIBUTING.md", "LICENSE"], "Tidy up");
        alice.push(&name, "main", &[("src/n.txt", "last\n")], "Count");
        if n % 2 == 0 {
            alice.push(&name, "main", &[("CONTRIBUTING.md", "Write to us.\n")], "Say how");
        } else {
            alice.delete_files(&name, "main", &["README.md"], "Tidy up more");
        }
    }
}

async fn pushes_stored(muster: &Muster) -> usize {
    let pushes = DeliveryFilter { event: Some("push".to_owned()), ..DeliveryFilter::default() };
    muster.ctx.store.deliveries(&pushes, 1_000).await.unwrap().len()
}

async fn answer(muster: &Muster, request: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(muster.address).await.unwrap();
    stream.write_all(request).await.unwrap();
    Answer::read(&mut stream).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_inbound_port_two_hundred_pushes_end_the_same() {
    let expected = {
        let (github, muster) = sites(Setup::default()).await;
        two_hundred_pushes(&github);
        muster.settle().await;
        some_minutes(&muster).await;
        let standing = standing(&github);
        // An issue each, and where the README is gone too a draft.
        let count = |state| standing.matches(state).count();
        assert_eq!((count("(open)"), count("(draft)")), (SITES, SITES / 2));
        muster.finish().await;
        standing
    };
    for database in [Database::Sqlite, Database::Postgres] {
        let (github, muster) = sites(Setup { database, ..polling() }).await;
        two_hundred_pushes(&github);
        muster.settle().await;
        assert_eq!(pushes_stored(&muster).await, 0, "nothing reaches us");
        assert_eq!(muster.calls(), Vec::<String>::new());
        // Fifty at a time, within GitHub's limits.
        for (waited, fetched) in [(60, 50), (45, 100), (45, 150), (45, 200)] {
            muster.advance(Duration::from_secs(waited)).await;
            assert_eq!(pushes_stored(&muster).await, fetched, "{database:?}");
        }
        // Every push once; of the check suites beside them, none.
        let calls = muster.calls();
        let count = |route: &str| calls.iter().filter(|call| *call == route).count();
        assert_eq!(count("GET /app/hook/deliveries/{delivery_id}"), 200);
        let pages = count("GET /app/hook/deliveries");
        assert!(pages <= 400 / 100 + 4, "{pages} pages");
        assert_eq!(count("POST /app/hook/deliveries/{delivery_id}/attempts"), 0);
        some_minutes(&muster).await;
        assert_eq!(standing(&github), expected, "{database:?}");
        muster.finish().await;
    }
}

/// Long enough for the pace of what is written.
async fn some_minutes(muster: &Muster) {
    for _ in 0..10 {
        muster.advance(MINUTE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_minute_costs_one_call_and_what_is_in_is_not_fetched_again() {
    let (github, muster) = sites(polling()).await;
    two_hundred_pushes(&github);
    muster.settle().await;
    some_minutes(&muster).await;
    // Beyond the sweep of the quarter.
    muster.advance(6 * MINUTE).await;
    muster.calls();
    let sent = github.deliveries();
    for delivery in sent.iter().filter(|delivery| delivery.event == "push").take(30) {
        github.change(|state| state.redeliver(delivery.id).unwrap());
    }
    for minute in 0..8 {
        muster.advance(MINUTE).await;
        assert_eq!(muster.calls(), ["GET /app/hook/deliveries"], "minute {minute}");
    }
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_health_and_no_webhook() {
    let (github, muster) = sites(polling()).await;
    assert!(muster.address.ip().is_loopback());
    assert_eq!(answer(&muster, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await, 200);
    assert_eq!(answer(&muster, b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").await, 200);
    let before = pushes_stored(&muster).await;
    assert_eq!(answer(&muster, &Request::of("push", &push()).bytes()).await, 404);
    assert_eq!(pushes_stored(&muster).await, before);
    // That nobody takes what GitHub sends is as it should be.
    github.user("alice").push("agency/site-00", "main", &[("notes.txt", "x")], "Note");
    muster.settle().await;
    let rows = muster.doctor(None).await.join("\n");
    assert!(rows.contains("ok hook: GitHub records deliveries, and Muster fetches them."), "{rows}");
    assert!(rows.contains("ok last_delivery: "), "{rows}");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_quarter_of_an_hour_everything_is_looked_at() {
    let (github, muster) = sites(polling()).await;
    // GitHub has kept nothing of it.
    github.user("alice").delete_files("agency/site-00", "main", &["CONTRIBUTING.md"], "Tidy up");
    github.change_pending(Vec::clear);
    muster.advance(15 * MINUTE).await;
    assert_eq!(github.pull_requests("agency/site-00").len(), 1);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_not_fetched() {
    let clock = clock();
    let strangers = org("strangers").owner("mallory").repository(complete("site"));
    let github = sandbox(&clock)
        .organization(agency(FREELY).repository(complete("site")))
        .organization(strangers)
        .installation(installation("agency"))
        .start()
        .await
        .unwrap();
    let muster = Muster::start_as(&github, &clock, polling()).await;
    muster.begin().await;
    let mallory = github.user("mallory");
    mallory.install("strangers", None);
    for n in 0..100 {
        mallory.push("strangers/site", "main", &[("LICENSE", &format!("{n}"))], "Push");
    }
    muster.settle().await;
    muster.calls();
    muster.advance(MINUTE).await;
    let stored = muster.ctx.store.deliveries(&DeliveryFilter::default(), 1_000).await.unwrap();
    assert_eq!(stored, []);
    // By one of them Muster learns whose they are.
    let fetched = muster.calls().iter().filter(|call| call.ends_with("{delivery_id}")).count();
    assert_eq!(fetched, 1, "of 101");
    for _ in 0..5 {
        mallory.push("strangers/site", "main", &[("LICENSE", "again")], "Push");
        muster.advance(MINUTE).await;
    }
    assert!(!muster.calls().iter().any(|call| call.ends_with("{delivery_id}")));
    muster.finish().await;
}
