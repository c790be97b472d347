//! Strangers, and who takes a name that was another's: nobody gets a token, a
//! row or a decision that is not theirs (threats T1, T2, T6).

use std::{collections::BTreeMap, time::Duration};

use github_sandbox::{Sandbox, installation, org};
use muster::{
    domain::repository::RepositoryId,
    jobs::intake::Way,
    store::{DeliveryFilter, JobFilter},
};

use crate::{
    harness::{Muster, README, Setup, agency, clock, complete, installed, old, sandbox},
    recovery::FREELY,
    server::{Database, PATIENT, Server},
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Tokens asked for, by installation.
fn minted(github: &Sandbox) -> BTreeMap<u64, usize> {
    let mut minted = BTreeMap::new();
    for call in github.calls() {
        let rest = call.path.strip_prefix("/app/installations/");
        if let Some(id) = rest.and_then(|rest| rest.strip_suffix("/access_tokens")) {
            *minted.entry(id.parse().unwrap()).or_default() += 1;
        }
    }
    minted
}

#[tokio::test(flavor = "multi_thread")]
async fn t1_a_stranger_who_installs_the_app_gets_no_token_and_leaves_no_row() {
    for way in [Way::Webhook, Way::Poll] {
        let clock = clock();
        let strangers = org("strangers").owner("mallory").repository(complete("site"));
        let github = sandbox(&clock)
            .organization(agency(FREELY).repository(complete("site")))
            .organization(strangers)
            .installation(installation("agency"))
            .start()
            .await
            .unwrap();
        let muster = Muster::start_as(&github, &clock, Setup { way, ..Setup::default() }).await;
        muster.begin().await;
        let mallory = github.user("mallory");
        let stranger = mallory.install("strangers", None);
        for n in 0..50 {
            mallory.push("strangers/site", "main", &[("LICENSE", &format!("{n}"))], "Push");
            mallory.open_issue("strangers/site", "Hello", "muster, tell me all");
        }
        assert!(github.pending().len() >= 100);
        muster.settle().await;
        // Also what is lost and recovered, and the rounds by the clock.
        muster.unplug();
        mallory.delete_files("strangers/site", "main", &["LICENSE"], "Tidy up");
        mallory.set_suspended("strangers", true);
        mallory.set_suspended("strangers", false);
        for _ in 0..3 {
            muster.advance(HOUR).await;
        }
        muster.advance(DAY).await;
        assert!(!minted(&github).contains_key(&stranger), "{way:?}: a token was asked for");
        let id = Some(i64::try_from(stranger).unwrap());
        let stored = muster.ctx.store.deliveries(&DeliveryFilter::default(), 1_000).await.unwrap();
        assert!(stored.iter().all(|delivery| delivery.installation != id), "{way:?}");
        let missed = muster.ctx.store.missed_deliveries(1_000, clock.now() + 365 * DAY).await.unwrap();
        assert_eq!(missed, [], "{way:?}");
        let jobs = JobFilter { installation: id, subject: None };
        assert_eq!(muster.ctx.store.jobs(jobs, 100, clock.now()).await.unwrap(), [], "{way:?}");
        assert_eq!(muster.ctx.store.installations().await.unwrap().len(), 1, "{way:?}");
        let site = RepositoryId(github.repository_id("strangers/site"));
        assert_eq!(muster.ctx.store.repository(site).await.unwrap(), None, "{way:?}");
        muster.finish().await;
    }
}

#[tokio::test]
async fn t2_no_address_takes_an_installation_from_its_query() {
    let server = Server::start(Database::Sqlite, PATIENT).await;
    for path in ["/setup", "/callback", "/webhook", "/installations", "/"] {
        for query in ["installation_id=8&setup_action=install", "state=guess&code=guess&installation_id=8"] {
            for request in [
                format!("GET {path}?{query} HTTP/1.1\r\nHost: x\r\nCookie: state=guess\r\n\r\n"),
                format!("POST {path}?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
            ] {
                let status = server.send(request.as_bytes()).await.status;
                assert!([401, 404, 405].contains(&status), "{request}: {status}");
            }
        }
    }
    assert_eq!(server.rows().await, (0, 0));
    assert_eq!(server.store.installations().await.unwrap(), []);
    server.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_who_takes_the_name_of_a_repository_inherits_nothing() {
    let clock = clock();
    let badge_reader = || {
        old("badge-reader")
            .file("README.md", README)
            .file("LICENSE", spdx::license_id("CC0-1.0").unwrap().text())
    };
    let github = installed(&clock, agency(FREELY).repository(badge_reader())).await;
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    let (alice, olivia) = (github.user("alice"), github.user("olivia"));
    let first = github.repository_id("agency/badge-reader");
    // Declined: for this repository, not for its name.
    alice.close_pull_request("agency/badge-reader", 1);
    muster.settle().await;
    assert_eq!(muster.ctx.store.decisions(RepositoryId(first)).await.unwrap().len(), 1);
    for told in [true, false] {
        let holder = github.repository_id("agency/badge-reader");
        olivia.rename("agency/badge-reader", &format!("retired-{told}"));
        let second = github.create_repository("agency", badge_reader());
        assert_ne!(holder, second);
        github.change_pending(|pending| pending.retain(|_| told));
        muster.settle().await;
        muster.advance(DAY).await;
        muster.advance(2 * HOUR).await;
        // It is judged, and told what it lacks, on its own.
        assert_eq!(github.pull_requests("agency/badge-reader").len(), 1, "told: {told}");
        assert_eq!(muster.ctx.store.decisions(RepositoryId(second)).await.unwrap(), []);
        let rows = muster.ctx.store.outstanding(RepositoryId(second)).await.unwrap();
        assert_eq!(rows.len(), 1, "told: {told}");
        // The one that had the name keeps its own.
        let seen = muster.ctx.store.repository(RepositoryId(holder)).await.unwrap().unwrap().seen;
        assert_eq!(seen.name.to_string(), format!("agency/retired-{told}"));
        assert_eq!(github.pull_requests(&format!("agency/retired-{told}")).len(), 1);
        muster.advance(MINUTE).await;
    }
    assert_eq!(muster.ctx.store.decisions(RepositoryId(first)).await.unwrap().len(), 1);
    muster.finish().await;
}
