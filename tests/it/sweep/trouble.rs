//! What goes wrong with a sweep, and stops nothing else.

use std::time::Duration;

use github_sandbox::{Fault, FaultKind, Permission, installation, org};
use muster::{domain::repository::RepositoryId, store::JobFilter};

use super::{DAY, HOUR, LIST, OBSERVE, account, accounted, begun, counted, sweep, with};
use crate::{
    harness::{Muster, clock, complete, installed, sandbox},
    server::Database,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_page_too_large_for_github_is_halved_and_grown_back() {
    let clock = clock();
    let github = installed(&clock, with(OBSERVE, 249, &complete("like"))).await;
    let muster = begun(&github, &clock).await;
    // Fifty-odd nodes for each repository: no more than 12 at a time.
    github.fault(Fault::on("POST /graphql Repositories").kind(FaultKind::TooManyNodes(700)).times(u64::MAX));
    muster.settle().await;
    let all = accounted(&muster).await;
    assert_eq!((all.judged, all.skipped, all.unknown), (249, 1, 0));
    let calls = github.calls();
    let (failed, good): (Vec<_>, Vec<_>) = calls
        .iter()
        .filter(|call| call.operation.as_deref() == Some("Repositories"))
        .partition(|call| call.status == 502);
    assert_eq!(good.len(), 250_usize.div_ceil(12), "{calls:#?}");
    assert!((2..=6).contains(&failed.len()), "{} calls were too much", failed.len());
    // The fault goes: it grows back.
    github.clear_faults();
    github.clear_calls();
    github.user("olivia").push("agency/.github", "main", &[("docs/CONTRIBUTING.md", "Ask us.\n")], "Say how");
    muster.settle().await;
    let good = counted(&muster)["Repositories"];
    assert!(good < 250 / 12, "{good} calls for 250");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_alone_is_unknown_and_stops_no_other() {
    let clock = clock();
    let github = installed(&clock, with(OBSERVE, 99, &complete("like"))).await;
    let muster = begun(&github, &clock).await;
    let broken = github.repository_id("agency/r0042");
    github.fault(Fault::on("POST /graphql").kind(FaultKind::Names(broken)).times(u64::MAX));
    muster.settle().await;
    let all = accounted(&muster).await;
    assert_eq!((all.judged, all.skipped, all.unknown), (98, 1, 1));
    let row = muster.ctx.store.repository(RepositoryId(broken)).await.unwrap().unwrap();
    assert!(row.unknown.as_deref().unwrap().contains("502"), "{row:?}");
    assert_eq!(row.judged_at, None);
    // It is found by halving, asked for three times alone, and then all goes on.
    let calls = counted(&muster)["Repositories"];
    assert!(calls <= 20, "{calls} calls for 100");
    // It is tried again later and later, without a dead letter.
    for _ in 0..24 {
        muster.advance(HOUR).await;
    }
    assert_eq!(muster.ctx.store.dead(9, clock.now()).await.unwrap(), []);
    github.clear_faults();
    muster.advance(DAY).await;
    muster.advance(DAY).await;
    let all = accounted(&muster).await;
    assert_eq!((all.judged, all.unknown), (99, 0));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_partial_answer_only_what_it_says_is_concluded() {
    let clock = clock();
    let github = installed(&clock, with(OBSERVE, 99, &complete("like"))).await;
    let muster = begun(&github, &clock).await;
    github.fault(Fault::on("POST /graphql Repositories").kind(FaultKind::PartialElement));
    github.fault(Fault::on("POST /graphql Repositories").kind(FaultKind::PartialData).after(1));
    muster.settle().await;
    assert!(github.faults().is_empty());
    let all = accounted(&muster).await;
    assert_eq!((all.judged, all.skipped, all.unknown), (99, 1, 0));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_waited_for_and_makes_nobody_unknown() {
    let clock = clock();
    let github = installed(&clock, with(OBSERVE, 99, &complete("like"))).await;
    let muster = begun(&github, &clock).await;
    for route in [LIST, "POST /graphql Standing", "POST /graphql Repositories"] {
        github.fault(Fault::on(route).kind(FaultKind::BadGateway).times(100));
        muster.settle().await;
        for _ in 0..20 {
            muster.advance(HOUR).await;
        }
        let all = accounted(&muster).await;
        assert!(all.unknown <= 2, "{route}: {all:?}");
        assert_eq!(muster.ctx.store.dead(9, clock.now()).await.unwrap(), [], "{route}");
        github.clear_faults();
        muster.advance(DAY).await;
        let all = accounted(&muster).await;
        assert_eq!((all.judged, all.unknown, all.waiting), (99, 0, 0), "{route}");
        // Everything is looked at again.
        let text = format!("{route}\n");
        github.user("olivia").push(
            "agency/.github",
            "main",
            &[(&*text.replace([' ', '/'], "-"), "\n")],
            "Write",
        );
        muster.settle().await;
    }
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_missing_makes_all_unknown_without_a_loop() {
    let clock = clock();
    let granted = [(Permission::Metadata, github_sandbox::Level::Read)];
    let github = sandbox(&clock)
        .organization(with(OBSERVE, 60, &complete("like")))
        .installation(installation("agency").permissions(granted))
        .start()
        .await
        .unwrap();
    let muster = Muster::start(&github, &clock).await;
    let _ = muster.worker.begin().await;
    muster.settle().await;
    for _ in 0..5 {
        muster.advance(HOUR).await;
    }
    let calls = github.calls().len();
    assert!(calls < 150, "{calls} calls");
    assert_eq!(accounted(&muster).await.judged, 0);
    let grants = github.state(|state| state.grants().len());
    assert_eq!(grants, 0, "no token could be made");
    muster.abandon();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_any_call_it_loses_nothing_and_repeats_little() {
    for database in [Database::Sqlite, Database::Postgres] {
        let mut killed = 0;
        // The record of deliveries, two pages, what stands, who pushed the policy,
        // and three reads.
        let undisturbed = 8;
        loop {
            let clock = clock();
            let github = installed(&clock, with(OBSERVE, 119, &complete("like"))).await;
            let muster = Muster::start_with(&github, &clock, database, None).await;
            muster.worker.begin().await.unwrap();
            github.clear_calls();
            github.fault(Fault::anywhere().kind(FaultKind::Held).after(killed));
            let cut = tokio::select! {
                () = github.holds() => true,
                drained = muster.worker.drain() => { drained.unwrap(); false }
            };
            github.release();
            github.clear_faults();
            // The lease of the worker that died ends.
            clock.advance(Duration::from_secs(300));
            muster.settle().await;
            let all = accounted(&muster).await;
            assert_eq!((all.judged, all.skipped, all.waiting, all.unknown), (119, 1, 0, 0), "{killed}");
            let calls = counted(&muster).into_values().sum::<usize>();
            assert!(calls <= undisturbed + 3, "{database:?}: killed in call {killed}, {calls} calls");
            muster.abandon();
            if !cut {
                break;
            }
            killed += 1;
        }
        assert_eq!(killed, undisturbed as u64, "{database:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_a_repository_that_leaves_after_it_was_listed_is_judged_by_nobody() {
    let clock = clock();
    let github = sandbox(&clock)
        .organization(with(OBSERVE, 2, &complete("like")))
        .organization(org("elsewhere").owner("olivia"))
        .installation(installation("agency"))
        .start()
        .await
        .unwrap();
    let muster = begun(&github, &clock).await;
    while !waits(&muster, "inspect_installation").await {
        assert!(muster.worker.step().await.unwrap());
    }
    let left = RepositoryId(github.repository_id("agency/r0001"));
    github.user("olivia").transfer("agency/r0001", "elsewhere");
    // Nobody tells.
    github.change_pending(Vec::clear);
    muster.settle().await;
    let row = muster.ctx.store.repository(left).await.unwrap().unwrap();
    assert!(row.judged_at.is_none() && row.report.is_none(), "{row:?}");
    assert!(row.unknown.is_some_and(|why| why.contains("moved to another account")));
    // The next list has it no more.
    muster.advance(DAY).await;
    assert!(muster.ctx.store.repository(left).await.unwrap().unwrap().removed_at.is_some());
    muster.finish().await;
}

/// Whether a job of this kind waits.
async fn waits(muster: &Muster, kind: &str) -> bool {
    let jobs = muster.ctx.store.jobs(JobFilter::default(), 99, muster.clock.now()).await.unwrap();
    jobs.iter().any(|job| job.kind == kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_ends_the_worker_is_set_aside_and_the_rest_is_done() {
    let clock = clock();
    let github = installed(&clock, with(OBSERVE, 119, &complete("like"))).await;
    let muster = begun(&github, &clock).await;
    // Lists and marks; then the look is cut off again and again.
    while !waits(&muster, "inspect_installation").await {
        assert!(muster.worker.step().await.unwrap());
    }
    for _ in 0..2 {
        github.fault(Fault::on("POST /graphql Repositories").kind(FaultKind::Held));
        tokio::select! {
            () = github.holds() => {}
            drained = muster.worker.drain() => panic!("it was not held: {drained:?}"),
        }
        github.release();
        clock.advance(Duration::from_secs(300));
    }
    // GitHub still answers those that were cut off.
    while github.calls().iter().filter(|call| call.operation.as_deref() == Some("Repositories")).count() < 2 {
        tokio::task::yield_now().await;
    }
    github.clear_calls();
    muster.settle().await;
    let counted = counted(&muster);
    assert_eq!(counted["Snapshot"], 50, "one by one, each with attempts of its own: {counted:?}");
    assert_eq!(counted["Repositories"], 2, "{counted:?}");
    let all = accounted(&muster).await;
    assert_eq!((all.judged, all.skipped, all.waiting), (119, 1, 0));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_listed_no_longer_is_removed_and_what_comes_is_judged() {
    let clock = clock();
    let github = installed(&clock, with(OBSERVE, 120, &complete("like"))).await;
    let muster = begun(&github, &clock).await;
    muster.settle().await;
    let olivia = github.user("olivia");
    olivia.delete_repository("agency/r0003");
    github.create_repository("agency", complete("new"));
    github.change_pending(Vec::clear);
    muster.advance(HOUR).await;
    sweep(&muster).await;
    let all = accounted(&muster).await;
    assert_eq!((all.total, all.judged, all.skipped), (121, 120, 1));
    let jobs = muster.ctx.store.jobs(JobFilter::default(), 99, clock.now()).await.unwrap();
    assert!(jobs.iter().all(|job| job.kind != "inspect_repository"), "{jobs:#?}");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_moved_while_it_was_read_removes_nothing_and_is_read_again() {
    let clock = clock();
    let github = installed(&clock, with(OBSERVE, 120, &complete("like"))).await;
    let muster = Muster::meeting(&github, &clock, Database::Sqlite).await;
    muster.worker.begin().await.unwrap();
    // On the first page, read already: all that follow move up by one.
    github.fault(Fault::on(LIST).kind(FaultKind::Held).after(1));
    let meanwhile = async {
        github.holds().await;
        github.user("olivia").delete_repository("agency/r0003");
        github.change_pending(Vec::clear);
        github.release();
    };
    tokio::join!(meanwhile, muster.settle());
    let adoption = async || muster.ctx.store.adoption(account(&github)).await.unwrap();
    assert_eq!(adoption().await, None, "one may have been missed");
    muster.advance(HOUR).await;
    let all = accounted(&muster).await;
    assert_eq!((all.total, all.judged, all.skipped), (120, 119, 1));
    assert!(adoption().await.is_some_and(|adoption| adoption.ended.is_some()));
    muster.finish().await;
}
