//! Several processes on one PostgreSQL: what one of them does, all of them
//! together do once, whichever of them dies when.

use std::{future::Future, pin::pin, task::Poll, time::Duration};

use github_sandbox::{Catch, Fault, FaultKind, Limit, Sandbox};
use muster::{
    jobs::worker::Worker,
    store::{JobFilter, JobState, StoreError},
};
use rstest::rstest;
use sqlx::{ConnectOptions as _, Executor as _, Row as _, postgres::PgConnectOptions};

use crate::{
    crash::{SITE, lacking_on, push, standing, undisturbed},
    harness::{Muster, agency, clock, installed, old},
    server::{Answer, Database},
};

/// The length of a lease.
const LEASE: Duration = Duration::from_secs(30);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
/// No brake but the pace of writing.
const FAST: &str = "mode: fix\nrepositories: {exclude: [\".github\"]}\n\
    limits: {first_day: 50, per_day: 50, open: 100, issues_per_day: 50, writes_per_minute: 12, writes_per_hour: 30}\n\
    quiet: {days: [mon, tue, wed, thu, fri, sat, sun], hours: \"00:00-24:00\", federal_holidays: false}\n";

/// Works until it can take no job.
pub async fn drained(worker: &Worker) {
    worker.drain().await.unwrap();
}

/// All of them work until none can take a job.
async fn drain_all(workers: &[&Worker]) {
    futures_util::future::join_all(workers.iter().map(|worker| drained(worker))).await;
}

/// Runs `work` until `caught`; `true` if it was, `false` if it ended before.
/// It is not ended by that: it stands still.
pub async fn runs_until<F, C>(mut work: std::pin::Pin<&mut F>, mut caught: std::pin::Pin<&mut C>) -> bool
where
    F: Future<Output = ()>,
    C: Future,
{
    std::future::poll_fn(|context| {
        if caught.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        work.as_mut().poll(context).map(|()| false)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_may_die_at_every_call() {
    let expected = undisturbed().await;
    for done in [false, true] {
        let mut n = 0;
        loop {
            let (github, muster) = lacking_on(Duration::ZERO, Database::Postgres).await;
            let other = muster.replica("other").await;
            push(&github);
            github.deliver().await;
            let caught = github.catch(Catch::anything().after(n).done(done));
            // Dropped in the middle: as much of it ends as of a killed process.
            let died = runs_until(pin!(drained(&muster.worker)), pin!(caught)).await;
            github.clear_calls();
            muster.clock.advance(LEASE - Duration::from_secs(1));
            drained(&other).await;
            assert_eq!(github.calls(), [], "call {n}: the lease is not over");
            for wait in [Duration::from_secs(1), MINUTE, 20 * MINUTE] {
                muster.clock.advance(wait);
                drained(&other).await;
            }
            assert_eq!(standing(&github), expected, "call {n}, done {done}");
            muster.finish().await;
            if !died {
                break;
            }
            n += 1;
        }
        assert!(n >= 8, "the walk makes more calls than {n}");
    }
}

/// A process that stands still, as in a machine that is moved, goes on as if
/// no time had passed: another one has done its work meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_stood_still_writes_nothing() {
    let expected = undisturbed().await;
    for call in ["Snapshot", "BeforeWrite"] {
        let (github, muster) = lacking_on(Duration::ZERO, Database::Postgres).await;
        let other = muster.replica("other").await;
        push(&github);
        github.deliver().await;
        github.fault(Fault::on(&format!("POST /graphql {call}")).kind(FaultKind::Held));
        let worker = muster.worker.clone();
        let mut frozen = pin!(drained(&worker));
        assert!(runs_until(frozen.as_mut(), pin!(github.holds())).await, "{call}");
        muster.clock.advance(LEASE);
        drained(&other).await;
        assert_eq!(standing(&github), expected, "{call}");
        github.clear_calls();
        github.release();
        frozen.await;
        let writes: Vec<_> = github.calls().into_iter().filter(|call| call.writes).collect();
        assert_eq!(writes, [], "{call}");
        assert_eq!(standing(&github), expected, "{call}");
        muster.finish().await;
    }
}

/// So many repositories that all lack files, and three replicas.
async fn many(count: usize) -> (Sandbox, Muster, [Worker; 2]) {
    let clock = clock();
    let mut organization = agency(FAST);
    for n in 0..count {
        organization =
            organization.repository(old(&format!("site-{n}")).file("src/main.rs", "fn main() {}\n"));
    }
    let github = installed(&clock, organization).await;
    let muster = Muster::start_with(&github, &clock, Database::Postgres, None).await;
    let others = [muster.replica("second").await, muster.replica("third").await];
    (github, muster, others)
}

fn push_to_all(github: &Sandbox, count: usize) {
    for n in 0..count {
        github.user("alice").push(&format!("agency/site-{n}"), "main", &[("README", "Words.\n")], "Say more");
    }
}

/// The turns to write that were given, as moments and pieces.
async fn turns(muster: &Muster) -> Vec<(i64, i64)> {
    let mut connection = muster.url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
    let rows = connection.fetch_all("SELECT written_at, pieces FROM content_write").await.unwrap();
    let mut turns: Vec<(i64, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    turns.sort_unstable();
    turns
}

/// The most pieces in any window of so many milliseconds.
fn most_within(turns: &[(i64, i64)], window: i64) -> i64 {
    let from = |(first, (at, _)): (usize, &(i64, i64))| {
        turns[first..].iter().take_while(|(later, _)| *later < at + window).map(|(_, pieces)| pieces).sum()
    };
    turns.iter().enumerate().map(from).max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn three_replicas_keep_one_pace_and_do_nothing_twice() {
    const COUNT: usize = 12;
    let (github, muster, [second, third]) = many(COUNT).await;
    push_to_all(&github, COUNT);
    let mut given = std::collections::BTreeSet::new();
    for _ in 0..200 {
        github.deliver().await;
        drain_all(&[&muster.worker, &second, &third]).await;
        given.extend(turns(&muster).await);
        let left = muster.ctx.store.job_count().await.unwrap();
        if left == 0 {
            break;
        }
        let next = muster.ctx.store.next_run_at().await.unwrap().unwrap();
        if next > muster.clock.now() + 6 * HOUR {
            break;
        }
        muster.clock.advance(Duration::try_from(next.duration_since(muster.clock.now())).unwrap_or(MINUTE));
    }
    for n in 0..COUNT {
        let name = format!("agency/site-{n}");
        assert_eq!((github.issues(&name).len(), github.pull_requests(&name).len()), (1, 1), "{name}");
    }
    // Each write had its turn: three pieces a pull request, two an issue with its label.
    let given: Vec<(i64, i64)> = given.into_iter().collect();
    assert!(given.iter().map(|(_, pieces)| pieces).sum::<i64>() >= 5 * COUNT as i64, "{given:?}");
    assert!(most_within(&given, 60_000) <= 12 && most_within(&given, 3_600_000) <= 30, "{given:?}");
    for pair in given.windows(2) {
        assert!(pair[0].0 + 1000 * pair[0].1 <= pair[1].0, "{given:?}");
    }
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_periodic_is_armed_once_and_done_once() {
    let (github, muster, [second, third]) = many(2).await;
    let (a, b, c) = tokio::join!(muster.worker.begin(), second.begin(), third.begin());
    for begun in [a, b, c] {
        begun.unwrap();
    }
    let sweeps = || {
        let calls = github.calls();
        calls.iter().filter(|call| call.route.as_deref() == Some("/installation/repositories")).count()
    };
    for day in 1..=3 {
        drain_all(&[&muster.worker, &second, &third]).await;
        assert_eq!(sweeps(), day);
        // A replica that starts anew arms nothing anew.
        second.begin().await.unwrap();
        drain_all(&[&second]).await;
        assert_eq!(sweeps(), day);
        muster.clock.advance(24 * HOUR);
    }
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_github_refuses_one_replica_no_replica_asks() {
    let (github, muster, [second, third]) = many(6).await;
    push_to_all(&github, 6);
    github.deliver().await;
    github.fault(Fault::on("POST /graphql Snapshot").kind(FaultKind::Limited(403, Limit::RetryAfter(600))));
    muster.worker.step().await.unwrap();
    assert!(github.faults().is_empty(), "it was refused");
    github.clear_calls();
    for _ in 0..9 {
        drain_all(&[&muster.worker, &second, &third]).await;
        assert_eq!(github.calls(), []);
        muster.clock.advance(MINUTE);
    }
    let jobs = muster.ctx.store.jobs(JobFilter::default(), 100, muster.clock.now()).await.unwrap();
    let waits = |state: &JobState| matches!(state, JobState::Parked { .. } | JobState::Waiting);
    assert!(jobs.iter().all(|job| job.attempts == 0 && waits(&job.state)), "{jobs:#?}");
    muster.clock.advance(MINUTE);
    drain_all(&[&muster.worker, &second, &third]).await;
    // Half the pace, for all of them together: six pieces a minute.
    let given = turns(&muster).await;
    assert!((1..=6).contains(&most_within(&given, 60_000)), "{given:?}");
    for _ in 0..10 {
        muster.advance(HOUR).await;
    }
    for n in 0..6 {
        let name = format!("agency/site-{n}");
        assert_eq!((github.issues(&name).len(), github.pull_requests(&name).len()), (1, 1), "{name}");
    }
    muster.finish().await;
}

async fn get(muster: &Muster, path: &str) -> Answer {
    use tokio::io::AsyncWriteExt as _;
    let mut stream = tokio::net::TcpStream::connect(muster.address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
    Answer::read(&mut stream).await
}

/// Runs statements on the database as whoever administers it.
async fn alter(muster: &Muster, database: Database, statement: &'static str) {
    match database {
        Database::Sqlite => {
            let path = muster.url.strip_prefix("sqlite://").unwrap();
            rusqlite::Connection::open(path).unwrap().execute_batch(statement).unwrap();
        }
        Database::Postgres => {
            let mut connection = muster.url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
            connection.execute(statement).await.unwrap();
        }
    }
}

/// An upgrade that goes from replica to replica: the newer one has changed the
/// schema, the older one has not been replaced yet.
#[rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn an_old_replica_takes_deliveries_and_no_job(#[case] database: Database) {
    let expected = undisturbed().await;
    let (github, muster) = lacking_on(Duration::ZERO, database).await;
    alter(&muster, database, "INSERT INTO schema_version (version) VALUES (1000)").await;
    push(&github);
    github.deliver().await;
    assert_eq!(github.deliveries()[0].attempt.as_ref().unwrap().status_code, 202);
    github.clear_calls();
    assert!(matches!(muster.worker.step().await, Err(StoreError::Newer { found: 1000, .. })));
    assert!(muster.worker.begin().await.is_err());
    assert_eq!(github.calls(), []);
    let ready = get(&muster, "/readyz").await;
    assert_eq!(
        (ready.status, ready.body.as_str()),
        (200, r#"{"status":"ready","database":"newer","worker":"waiting","writing":"on"}"#)
    );
    let refused = muster::store::Store::open(&muster.url).await.unwrap_err();
    assert!(matches!(refused, StoreError::Newer { .. }), "it does not start anew");

    // What the newer schema no longer has a place for, the newer replica takes.
    alter(&muster, database, "ALTER TABLE delivery RENAME TO delivery_of_old").await;
    github.user("alice").push(SITE, "main", &[("src/lib.rs", "\n\n")], "Write more");
    github.deliver().await;
    assert_eq!(github.deliveries()[0].attempt.as_ref().unwrap().status_code, 503);
    alter(&muster, database, "ALTER TABLE delivery_of_old RENAME TO delivery").await;
    let failed = github.deliveries()[0].id;
    github.change(|state| state.redeliver(failed)).unwrap();

    // The newer replica does what the older one stored.
    alter(&muster, database, "DELETE FROM schema_version WHERE version = 1000").await;
    muster.settle().await;
    assert_eq!(standing(&github), expected);
    assert_eq!(
        get(&muster, "/readyz").await.body,
        r#"{"status":"ready","database":"ok","worker":"ok","writing":"on"}"#
    );
    muster.finish().await;
}

/// The real worker, whose clock is stepped, waits while it is older and goes
/// on when it is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_worker_goes_on_by_itself() {
    let expected = undisturbed().await;
    let (github, muster) = lacking_on(Duration::ZERO, Database::Postgres).await;
    muster.worker.begin().await.unwrap();
    alter(&muster, Database::Postgres, "INSERT INTO schema_version (version) VALUES (1000)").await;
    push(&github);
    github.deliver().await;
    let stop = tokio_util::sync::CancellationToken::new();
    let working = tokio::spawn(muster.worker.clone().run(stop.clone()));
    for _ in 0..20 {
        muster.clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    assert_eq!(github.issues(SITE).len() + github.pull_requests(SITE).len(), 0);
    alter(&muster, Database::Postgres, "DELETE FROM schema_version WHERE version = 1000").await;
    crate::process::until("it is done", async || {
        muster.tick().await;
        standing(&github) == expected
    })
    .await;
    stop.cancel();
    working.await.unwrap();
    muster.finish().await;
}
