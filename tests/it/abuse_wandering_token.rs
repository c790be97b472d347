//! Wandering tokens (threats O2; abuse test 7): redirects, foreign pages, URLs
//! in payloads and answers, storms of 401. The canary host never sees a
//! connection, and so no credential.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::response::Response;
use github_sandbox::{Fault, FaultKind, Flavor, installation};
use muster::{
    domain::{outgoing::Line, repository::RepositoryId},
    github::{Error, Reader},
};
use serde_json::json;

use crate::{
    github::stand_in::{ONE, Seen, StandIn, names, nothing, reply, text, with, writer},
    harness::{Muster, README, agency, clock, old, sandbox},
};

/// A host that nobody has any business with.
struct Canary {
    address: String,
    visits: Arc<AtomicUsize>,
}

impl Canary {
    async fn start() -> Canary {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let visits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&visits);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Canary { address, visits }
    }

    fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }
}

/// Redirects every call to a foreign place.
fn away(status: u16, place: &str, seen: &Seen) -> Response {
    with(reply(status, json!({"url": place})), "location", &format!("{place}{}", seen.path))
}

#[tokio::test]
async fn o2_no_redirect_leads_a_token_away() {
    let canary = Canary::start().await;
    for scheme in ["http", "https"] {
        for status in [301, 302, 303, 307, 308] {
            let place = format!("{scheme}://{}", canary.address);
            let github = StandIn::start(move |seen, _| away(status, &place, seen)).await;
            let plain = github.with_token();
            let reader = plain.reader(ONE);
            assert!(reader.repository_by_id(RepositoryId(1)).await.is_err());
            assert!(reader.repositories().await.is_err());
            let name = "agency/site".parse().unwrap();
            assert!(reader.ours(&name, RepositoryId(1), &[], &names()).await.is_err());
            // The App's signature, which is worth more than a token.
            let app = github.with_app();
            assert!(app.installations().await.is_err());
            assert!(app.reader(ONE).repositories().await.is_err());
        }
    }
    assert_eq!(canary.visits(), 0);
}

#[tokio::test]
async fn o2_no_write_follows_a_redirect() {
    let canary = Canary::start().await;
    let place = format!("http://{}", canary.address);
    let github = StandIn::start(move |seen, _| match seen.path.starts_with("/app/") {
        true => nothing(),
        false => away(307, &place, seen),
    })
    .await;
    let issue = writer(&github.with_app()).create_issue(&Line::of("Title"), &text(), &[]).await;
    assert!(matches!(issue, Err(Error::StaleData(_))), "{issue:?}");
    assert_eq!(canary.visits(), 0);
}

#[tokio::test]
async fn o2_of_a_foreign_next_page_only_path_and_query_are_taken() {
    let canary = Canary::start().await;
    let foreign = canary.address.clone();
    let github = StandIn::start(move |seen, _| {
        let page = seen.path.rsplit_once("&page=").map_or(1, |(_, page)| page.parse().unwrap());
        let answer = reply(200, json!({"repositories": [crate::github::stand_in::listed(page)]}));
        let next = format!("/installation/repositories?per_page=100&page={}", page + 1);
        match page {
            1 => with(answer, "link", &format!("<https://{foreign}{next}>; rel=\"next\"")),
            2 => with(answer, "link", &format!("<https://user:secret@{foreign}{next}>; rel=\"next\"")),
            3 => with(answer, "link", &format!("<http://{foreign}{next}>; rel=\"next\"")),
            _ => answer,
        }
    })
    .await;
    let reader: Reader = github.with_token().reader(ONE);
    assert_eq!(reader.repositories().await.unwrap().len(), 4);
    assert!(github.seen().iter().all(|seen| seen.token() == Some("plain")));
    assert_eq!(canary.visits(), 0);
}

/// A GitHub that names the canary wherever it names itself: in pages' links,
/// redirects, every URL of answers and of payloads.
#[tokio::test(flavor = "multi_thread")]
async fn o2_no_url_of_an_answer_or_a_payload_is_ever_called() {
    let canary = Canary::start().await;
    let clock = clock();
    let policy = "mode: fix\nrepositories: {exclude: [\".github\"]}\n";
    let mut agency = agency(policy).repository(old("site").file("README.md", README));
    for n in 0..120 {
        agency = agency.repository(old(&format!("r{n}")).empty());
    }
    let builder = sandbox(&clock).flavor(Flavor::Server).own_name(&canary.address);
    let github = builder.organization(agency).installation(installation("agency")).start().await.unwrap();
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    let alice = github.user("alice");
    alice.push("agency/site", "main", &[("README.md", &format!("{README}\nMore."))], "Say more");
    let payloads: Vec<String> = github.pending().into_iter().map(|delivery| delivery.payload).collect();
    assert!(payloads.iter().all(|payload| payload.contains(&canary.address)), "{payloads:?}");
    muster.settle().await;
    github.user("olivia").rename("agency/site", "place");
    alice.push("agency/place", "main", &[("README.md", README)], "Say less");
    muster.settle().await;
    assert_eq!(github.pull_requests("agency/place").len(), 1);
    assert_eq!(canary.visits(), 0);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn o2_a_storm_of_401_costs_one_more_token_a_call() {
    let clock = clock();
    let github = crate::harness::installed(
        &clock,
        agency("mode: observe\n").repository(old("site").file("README.md", README)),
    )
    .await;
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    github.clear_calls();
    github.fault(Fault::on("POST /graphql Snapshot").kind(FaultKind::Unauthorized).times(50));
    github.user("alice").push("agency/site", "main", &[("README.md", "# Site\n")], "Say less");
    muster.settle().await;
    let calls = github.calls();
    let (minted, refused) = (
        calls
            .iter()
            .filter(|call| call.route.as_deref().is_some_and(|r| r.contains("access_tokens")))
            .count(),
        calls.iter().filter(|call| call.status == 401).count(),
    );
    assert_eq!((minted, refused), (1, 2), "one attempt: its token, and one other");
    github.clear_faults();
    muster.advance(std::time::Duration::from_secs(120)).await;
    muster.finish().await;
}
