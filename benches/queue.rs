//! How many jobs a second four workers take from the queue and finish, beside
//! the bare SQL that does the same: it keeps the promise that no job is taken
//! twice and none is lost, and nothing else that the queue promises (turns,
//! priorities, pauses, one run on a subject, attempts, fences, crashes).
//!
//! `cargo bench --bench queue [JOBS]`: 10,000 jobs if not said, of four
//! installations, enqueued in groups; three runs of each in turn; medians. On
//! SQLite with a new file on disk, as durable as an operator's. On PostgreSQL
//! only if `MUSTER_TEST_POSTGRES` names a server.

use std::{
    path::Path,
    str::FromStr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use muster::store::{JobKind, NewJob, Priority, Settlement, Store};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row, postgres::PgConnectOptions};

const WORKERS: usize = 4;
const RUNS: usize = 3;
/// Jobs enqueued in one commit.
const GROUP: usize = 100;

/// Jobs a second: enqueued, and then taken and finished.
#[derive(Clone, Copy)]
struct Rates {
    enqueued: f64,
    done: f64,
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let jobs = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(10_000);
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("muster.db").display());
        ours.push(run(&url, jobs).await);
        bare.push(bare_sqlite(&folder.path().join("bare.db"), jobs));
    }
    report("SQLite", jobs, ours, bare);
    let Ok(server) = std::env::var("MUSTER_TEST_POSTGRES") else {
        println!("PostgreSQL: not measured, since MUSTER_TEST_POSTGRES names no server");
        return;
    };
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(run(&new_database(&server).await, jobs).await);
        bare.push(bare_postgres(&new_database(&server).await, jobs).await);
    }
    report("PostgreSQL", jobs, ours, bare);
}

fn report(database: &str, jobs: usize, ours: Vec<Rates>, bare: Vec<Rates>) {
    let median = |rates: &[Rates], which: fn(&Rates) -> f64| {
        let mut figures: Vec<f64> = rates.iter().map(which).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    println!("{database}, {jobs} jobs, {WORKERS} workers, jobs a second (median of {RUNS} runs):");
    for (what, which) in [("enqueued", (|r| r.enqueued) as fn(&Rates) -> f64), ("done", |r| r.done)] {
        let (queue, sql) = (median(&ours, which), median(&bare, which));
        println!("  {what:>8}: queue {queue:7.0}, bare SQL {sql:7.0}, ratio {:.2}", queue / sql);
    }
}

fn rates(jobs: usize, enqueued: Duration, done: Duration) -> Rates {
    let rate = |took: Duration| jobs as f64 / took.as_secs_f64();
    Rates { enqueued: rate(enqueued), done: rate(done) }
}

/// The queue of Muster.
async fn run(url: &str, jobs: usize) -> Rates {
    let store = Store::open(url).await.expect("the database opens");
    let now = Timestamp::now();
    let job = |n: usize| NewJob {
        kind: JobKind::InspectRepository,
        subject: n as i64,
        installation: 1 + (n % 4) as i64,
        priority: Priority::Push,
        run_at: now,
        cause: "push 5d0c2a1".to_owned(),
    };
    let began = Instant::now();
    for first in (0..jobs).step_by(GROUP) {
        let group: Vec<NewJob> = (first..jobs.min(first + GROUP)).map(job).collect();
        store.enqueue(&group, now).await.expect("it is enqueued");
    }
    let enqueued = began.elapsed();
    let began = Instant::now();
    let workers: Vec<_> = (0..WORKERS)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let owner = format!("worker {number}");
                let mut done = 0;
                while let Some(lease) =
                    store.lease(&owner, Duration::from_secs(60), now).await.expect("a lease")
                {
                    assert_eq!(store.finish(&lease, now).await.expect("it is finished"), Settlement::Done);
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for worker in workers {
        done += worker.await.expect("a worker");
    }
    assert_eq!(done, jobs, "every job once");
    let rates = rates(jobs, enqueued, began.elapsed());
    store.close().await;
    rates
}

const TABLE: &str = "CREATE TABLE job (id BIGINT NOT NULL PRIMARY KEY, run_at BIGINT NOT NULL, \
    owner TEXT, lease_until BIGINT); \
    CREATE INDEX job_runnable ON job (run_at) WHERE owner IS NULL";

/// On SQLite four threads with a connection each; one of them writes at a time.
fn bare_sqlite(path: &Path, jobs: usize) -> Rates {
    let open = || {
        let connection = rusqlite::Connection::open(path).expect("the database opens");
        connection
            .execute_batch(
                "PRAGMA busy_timeout = 60000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
            )
            .expect("it is set up");
        connection
    };
    let mut connection = open();
    connection.execute_batch(TABLE).expect("the table is made");
    let began = Instant::now();
    for first in (0..jobs).step_by(GROUP) {
        let transaction = connection.transaction().expect("it begins");
        for n in first..jobs.min(first + GROUP) {
            transaction
                .prepare_cached("INSERT INTO job (id, run_at) VALUES (?1, 0)")
                .and_then(|mut insert| insert.execute([n as i64]))
                .expect("it is enqueued");
        }
        transaction.commit().expect("it commits");
    }
    let enqueued = began.elapsed();
    let began = Instant::now();
    // Whoever waits for SQLite's lock sleeps; a lock of our own wakes at once.
    let (done, turn) = (AtomicUsize::new(0), Mutex::new(()));
    std::thread::scope(|scope| {
        for number in 0..WORKERS {
            let (done, turn, connection) = (&done, &turn, open());
            scope.spawn(move || {
                loop {
                    let held = turn.lock().expect("no worker panics");
                    let taken = connection
                        .prepare_cached(
                            "UPDATE job SET owner = ?1, lease_until = 1 WHERE id = \
                             (SELECT id FROM job WHERE owner IS NULL AND run_at <= 0 ORDER BY run_at LIMIT 1) \
                             RETURNING id",
                        )
                        .and_then(|mut take| take.query_row([number as i64], |row| row.get::<_, i64>(0)));
                    drop(held);
                    let id = match taken {
                        Ok(id) => id,
                        Err(rusqlite::Error::QueryReturnedNoRows) => return,
                        Err(error) => panic!("a lease: {error}"),
                    };
                    let held = turn.lock().expect("no worker panics");
                    connection
                        .prepare_cached("DELETE FROM job WHERE id = ?1 AND owner = ?2")
                        .and_then(|mut finish| finish.execute([id, number as i64]))
                        .expect("it is finished");
                    drop(held);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(done.into_inner(), jobs, "every job once");
    rates(jobs, enqueued, began.elapsed())
}

/// On PostgreSQL four connections that pass over each other's rows.
async fn bare_postgres(url: &str, jobs: usize) -> Rates {
    let options = PgConnectOptions::from_str(url).expect("a URL");
    let mut connection = options.connect().await.expect("the server answers");
    connection.execute(sqlx::raw_sql(TABLE)).await.expect("the table is made");
    let began = Instant::now();
    for first in (0..jobs).step_by(GROUP) {
        sqlx::query(
            "INSERT INTO job (id, run_at) SELECT n, 0 FROM generate_series($1::bigint, $2::bigint) AS n",
        )
        .bind(first as i64)
        .bind((jobs.min(first + GROUP) - 1) as i64)
        .execute(&mut connection)
        .await
        .expect("it is enqueued");
    }
    let enqueued = began.elapsed();
    let began = Instant::now();
    let done = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..WORKERS)
        .map(|number| {
            let (done, options) = (Arc::clone(&done), options.clone());
            tokio::spawn(async move {
                let mut connection = options.connect().await.expect("the server answers");
                let owner = format!("worker {number}");
                loop {
                    let taken = sqlx::query(
                        "UPDATE job SET owner = $1, lease_until = 1 WHERE id = \
                         (SELECT id FROM job WHERE owner IS NULL AND run_at <= 0 ORDER BY run_at LIMIT 1 \
                          FOR UPDATE SKIP LOCKED) RETURNING id",
                    )
                    .bind(&owner)
                    .fetch_optional(&mut connection)
                    .await
                    .expect("a lease");
                    let Some(row) = taken else { return };
                    sqlx::query("DELETE FROM job WHERE id = $1 AND owner = $2")
                        .bind(row.get::<i64, _>(0))
                        .bind(&owner)
                        .execute(&mut connection)
                        .await
                        .expect("it is finished");
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("a worker");
    }
    assert_eq!(done.load(Ordering::Relaxed), jobs, "every job once");
    rates(jobs, enqueued, began.elapsed())
}

/// A database of its own on this server.
async fn new_database(server: &str) -> String {
    let name = format!("queue_{:032x}", rand::random::<u128>());
    let options = PgConnectOptions::from_str(server).expect("a URL");
    let mut connection = options.connect().await.expect("the server answers");
    connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("it is made");
    let (server, _) = server.rsplit_once('/').expect("the URL names a database");
    format!("{server}/{name}")
}
