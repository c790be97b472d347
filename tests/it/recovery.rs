//! Deliveries that did not arrive: asked for again, fetched, left behind or made
//! up for by a sweep, and never asked for in circles.

use std::time::Duration;

use github_sandbox::{Fault, FaultKind, Flavor, Limit, Sandbox, installation};
use jiff::SignedDuration;
use muster::{
    jobs::worker::Worker,
    store::{DeliveryFilter, DeliveryRecord, Entry, Pass},
};

use crate::harness::{Muster, agency, clock, complete, installed, sandbox};

/// Pull requests on every day, as many as there are repositories.
pub const FREELY: &str = "mode: fix
repositories: {exclude: [\".github\"]}
limits: {first_day: 50, per_day: 50, open: 200, issues_per_day: 50, per_repository_per_week: 7, writes_per_minute: 80, writes_per_hour: 500}
quiet: {days: [mon, tue, wed, thu, fri, sat, sun], hours: \"00:00-24:00\", federal_holidays: false}
";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const LIST: &str = "GET /app/hook/deliveries";
const ONE: &str = "GET /app/hook/deliveries/{delivery_id}";
const AGAIN: &str = "POST /app/hook/deliveries/{delivery_id}/attempts";

/// Everything that stands in all repositories, as text; addresses aside.
pub fn standing(github: &Sandbox) -> String {
    let names: Vec<String> =
        github.state(|state| state.repositories().map(|home| state.full_name(home)).collect());
    let mut text = String::new();
    for name in names {
        text += &format!("{name}: {:?}\n", github.branches(&name));
        for issue in github.issues(&name).iter() {
            text += &format!("{issue} {:?}\n{}\n", issue.labels, issue.body);
        }
        for pull in github.pull_requests(&name).iter() {
            text += &format!("{pull} {} {:?} {}\n{}\n", pull.head, pull.files, pull.commits, pull.body);
        }
    }
    text.replace(github.web_url(), "WEB")
}

/// How often each of these was called since the last time this was asked.
fn counted(muster: &Muster) -> [usize; 3] {
    let calls = muster.calls();
    [LIST, ONE, AGAIN].map(|route| calls.iter().filter(|call| *call == route).count())
}

async fn sites(count: usize) -> (Sandbox, Muster) {
    let clock = clock();
    let sites = (0..count).map(|n| complete(&format!("site-{n:02}")));
    let github =
        installed(&clock, sites.fold(agency(FREELY), github_sandbox::NewOrganization::repository)).await;
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    muster.calls();
    (github, muster)
}

/// Takes the contribution file out of these repositories.
fn spoil(github: &Sandbox, sites: std::ops::Range<usize>) {
    for n in sites {
        let name = format!("agency/site-{n:02}");
        github.user("alice").delete_files(&name, "main", &["CONTRIBUTING.md"], "Tidy up");
    }
}

fn proposed(github: &Sandbox) -> usize {
    let names: Vec<String> =
        github.state(|state| state.repositories().map(|home| state.full_name(home)).collect());
    names.iter().map(|name| github.pull_requests(name).len()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_lost_is_sent_again_and_ends_as_if_nothing_had_been_lost() {
    let expected = {
        let (github, muster) = sites(3).await;
        spoil(&github, 0..3);
        muster.settle().await;
        let standing = standing(&github);
        muster.finish().await;
        standing
    };
    let (github, muster) = sites(3).await;
    muster.unplug();
    spoil(&github, 0..3);
    muster.settle().await;
    assert_eq!(proposed(&github), 0, "nobody has heard of it");
    muster.plug_in();
    muster.advance(5 * MINUTE).await;
    assert_eq!(standing(&github), expected);
    // One list, and each push once: what nothing can come of is left where it is.
    assert_eq!(counted(&muster), [1, 0, 3]);
    let sent_again = github.deliveries().iter().filter(|delivery| delivery.redelivery).count();
    assert_eq!(sent_again, 3);
    // The record still has the failures; they are not gone through again.
    for _ in 0..12 {
        muster.advance(5 * MINUTE).await;
    }
    assert_eq!(counted(&muster), [12, 0, 0]);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_one_asks() {
    let (github, muster) = sites(3).await;
    muster.unplug();
    spoil(&github, 0..3);
    muster.settle().await;
    muster.plug_in();
    muster.clock.advance(5 * MINUTE);
    let other = Worker::new(muster.ctx.clone(), "another replica");
    let (one, two) = tokio::join!(muster.worker.drain(), other.drain());
    one.and(two).unwrap();
    assert_eq!(counted(&muster), [1, 0, 3]);
    muster.settle().await;
    assert_eq!(proposed(&github), 3);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_with_a_call_only_delays() {
    let times = |kind, times| (kind, times);
    let faults = [
        // As often as a read is repeated at once.
        times(FaultKind::BadGateway, 3),
        times(FaultKind::BadGatewayAfter, 3),
        times(FaultKind::Reset, 3),
        times(FaultKind::ResetAfter, 3),
        times(FaultKind::Unauthorized, 1),
        times(FaultKind::Limited(403, Limit::RetryAfter(60)), 1),
        times(FaultKind::Limited(429, Limit::Exhausted(600)), 1),
        times(FaultKind::Limited(403, Limit::Secondary), 1),
    ];
    for route in [LIST, ONE, AGAIN] {
        for (kind, times) in faults {
            let (github, muster) = sites(2).await;
            muster.unplug();
            spoil(&github, 0..2);
            muster.settle().await;
            github.fault(Fault::on(route).kind(kind).times(times));
            // What is sent again does not arrive either.
            for _ in 0..3 {
                muster.advance(5 * MINUTE).await;
            }
            muster.plug_in();
            for _ in 0..8 {
                muster.advance(5 * MINUTE).await;
            }
            assert!(github.faults().is_empty(), "{route} {kind:?}");
            assert_eq!(proposed(&github), 2, "{route} {kind:?}");
            let [_, fetched, again] = counted(&muster);
            assert!(fetched <= 2 * 5 && again <= 2 * 5, "{route} {kind:?}: {fetched} {again}");
            muster.finish().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_reaches_us_is_fetched() {
    let (github, muster) = sites(3).await;
    muster.unplug();
    spoil(&github, 0..3);
    muster.settle().await;
    muster.advance(5 * MINUTE).await;
    assert_eq!((proposed(&github), counted(&muster)), (0, [1, 0, 3]));
    muster.advance(5 * MINUTE).await;
    assert_eq!((proposed(&github), counted(&muster)), (3, [1, 3, 0]));
    // What Muster did is told too, and does not arrive either.
    for _ in 0..4 {
        muster.advance(5 * MINUTE).await;
    }
    counted(&muster);
    // All stands in the record twice as failed, and is in.
    for _ in 0..12 {
        muster.advance(5 * MINUTE).await;
    }
    assert_eq!(counted(&muster), [12, 0, 0]);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_delivery_is_left_behind_and_the_others_are_not() {
    let (github, muster) = sites(2).await;
    spoil(&github, 0..2);
    let mut poisoned = Vec::new();
    github.change_pending(|pending| {
        let mut pushes = pending.iter_mut().filter(|delivery| delivery.event == "push");
        // One that its name is not, and one whose payload GitHub has lost.
        let unfit = pushes.next().unwrap();
        unfit.event = "pull_request".to_owned();
        unfit.action = Some("closed".to_owned());
        poisoned.push(unfit.guid.clone());
        let broken = pushes.next().unwrap();
        broken.payload = "{".to_owned();
        poisoned.push(broken.guid.clone());
    });
    muster.settle().await;
    for _ in 0..24 * 12 {
        muster.advance(5 * MINUTE).await;
    }
    let [_, fetched, again] = counted(&muster);
    // Sent again once each; then the one is refused by what it says, and the
    // other asked for until it is given up.
    assert_eq!((fetched, again), (1 + 7, 2));
    let attempts = github.deliveries();
    for guid in &poisoned {
        assert_eq!(attempts.iter().filter(|delivery| delivery.guid == *guid).count(), 2, "{guid}");
    }
    let dead = muster.ctx.store.dead(10, muster.clock.now()).await.unwrap();
    assert_eq!(dead, []);
    // The daily sweep has seen what they would have told.
    assert_eq!(proposed(&github), 2);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_absence_longer_than_the_record_all_is_swept_instead() {
    for (flavor, days, recovered) in [
        (Flavor::DotCom, 2, true),
        (Flavor::DotCom, 4, false),
        (Flavor::Server, 4, true),
        (Flavor::Server, 31, false),
    ] {
        let clock = clock();
        let organization = agency(FREELY).repository(complete("site-00"));
        let github = sandbox(&clock)
            .flavor(flavor)
            .organization(organization)
            .installation(installation("agency"))
            .start()
            .await
            .unwrap();
        let muster = Muster::start(&github, &clock).await;
        muster.begin().await;
        muster.calls();
        muster.unplug();
        spoil(&github, 0..1);
        github.deliver().await;
        let push = github.deliveries().into_iter().find(|delivery| delivery.event == "push").unwrap().guid;
        muster.plug_in();
        // Nothing runs meanwhile; then all that is due.
        muster.advance(days * DAY).await;
        let [_, _, again] = counted(&muster);
        assert_eq!(again > 0, recovered, "{flavor:?} after {days} days");
        let stored = muster.ctx.store.delivery(&push).await.unwrap().is_some();
        assert_eq!(stored, recovered, "{flavor:?} after {days} days");
        muster.advance(HOUR).await;
        assert_eq!(proposed(&github), 1, "{flavor:?} after {days} days");
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_fits_into_a_round_goes_on_where_it_stopped() {
    let (github, muster) = sites(1).await;
    muster.unplug();
    // Pushes, and very many deliveries that nothing can come of, before and
    // after them.
    let pushes = ["1\n", "2\n", "3\n"];
    for text in pushes {
        github.user("alice").push("agency/site-00", "main", &[("src/n.txt", text)], "Count");
    }
    github.change_pending(|pending| {
        let suite = pending.iter().find(|delivery| delivery.event == "check_suite").unwrap().clone();
        pending.retain(|delivery| delivery.event == "push");
        let many = || vec![suite.clone(); 525];
        *pending = [many(), std::mem::take(pending), many()].concat();
    });
    assert_eq!(github.deliver().await, 1_053);
    muster.plug_in();
    // The seventh page breaks, and the next two attempts at it.
    github.fault(Fault::on(LIST).kind(FaultKind::BadGateway).after(6).times(3));
    for _ in 0..3 {
        muster.advance(5 * MINUTE).await;
    }
    // Eleven pages, three broken calls, and one page for each round that has
    // nothing to read.
    let [listed, fetched, again] = counted(&muster);
    assert!(listed <= 11 + 3 + 2, "{listed} pages");
    assert_eq!((fetched, again), (0, pushes.len()));
    let filter = DeliveryFilter { event: Some("push".to_owned()), ..DeliveryFilter::default() };
    let stored = muster.ctx.store.deliveries(&filter, 2_000).await.unwrap();
    assert_eq!(stored.len(), pushes.len());
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_in_the_record_that_github_forgot_is_found_again_from_the_top() {
    let (github, muster) = sites(1).await;
    muster.unplug();
    spoil(&github, 0..1);
    github.deliver().await;
    muster.plug_in();
    let now = muster.clock.now();
    let cursor = "/app/hook/deliveries?per_page=100&status=failure&cursor=v0_forgotten".to_owned();
    let entry = Entry { at: now - HOUR, id: 0 };
    let record = DeliveryRecord { read: entry, pass: Some(Pass { newest: entry, cursor }), round_at: now };
    muster.ctx.store.read_deliveries("failed", &record, &[]).await.unwrap();
    muster.advance(5 * MINUTE).await;
    assert_eq!(proposed(&github), 1);
    assert_eq!(counted(&muster)[2], 1);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_github_holds_back_is_only_late() {
    let (github, muster) = sites(1).await;
    spoil(&github, 0..1);
    github.change(|state| state.throttle(SignedDuration::from_mins(12)));
    muster.settle().await;
    muster.advance(10 * MINUTE).await;
    assert_eq!(proposed(&github), 0);
    muster.advance(5 * MINUTE).await;
    assert_eq!(proposed(&github), 1);
    assert!(github.deliveries().iter().any(|delivery| delivery.throttled_at.is_some()));
    assert_eq!(counted(&muster)[1..], [0, 0]);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn w8_without_any_delivery_one_sweep_ends_the_same() {
    let told = changed(false).await;
    let untold = changed(true).await;
    assert_eq!(untold, told);
}

/// A day in which much happens, and the sweep after it, with or without
/// deliveries; what stands then, and what is remembered.
async fn changed(deaf: bool) -> String {
    let (github, muster) = sites(8).await;
    let (alice, olivia) = (github.user("alice"), github.user("olivia"));
    let hear = async || {
        if deaf {
            github.change_pending(Vec::clear);
        }
        muster.settle().await;
    };
    spoil(&github, 0..3);
    hear().await;
    // All of it is there before anything else happens.
    muster.advance(DAY).await;
    assert_eq!(proposed(&github), 3);
    alice.merge("agency/site-00", 1);
    alice.close_pull_request("agency/site-01", 1);
    olivia.rename("agency/site-02", "site-two");
    olivia.set_visibility("agency/site-03", github_sandbox::Visibility::Private);
    olivia.set_archived("agency/site-04", true);
    olivia.delete_repository("agency/site-05");
    spoil(&github, 6..7);
    alice.create_branch("agency/site-07", "topic");
    olivia.create_repository("agency", complete("new"));
    hear().await;
    muster.advance(DAY).await;
    muster.advance(2 * HOUR).await;
    let mut text = standing(&github);
    for known in muster.ctx.store.installations().await.unwrap() {
        for row in muster.ctx.store.repositories(known.id).await.unwrap() {
            let (seen, report) = (row.seen, row.report.unwrap_or_default());
            text += &format!("{} {:?} {} {report}\n", seen.name, seen.visibility, seen.archived);
            let decisions = muster.ctx.store.decisions(seen.id).await.unwrap();
            text += &format!(
                "{:?}\n",
                decisions.iter().map(|d| (&d.decision.via, d.decision.status)).collect::<Vec<_>>()
            );
        }
    }
    muster.finish().await;
    text
}
