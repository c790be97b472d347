//! Replicas that stop in the middle of a job (threats W6), are older than the
//! schema, find no place on the disk, or serve someone loud (threats O5).

use super::deliveries::delivery;
use super::*;

/// The worker of the lease is gone, and its process begins anew.
async fn crash(store: &Store, lease: &Lease, seconds: i64) {
    assert_eq!(store.take_back(&lease.owner, at(seconds)).await.unwrap(), 1);
}

async fn lease_one(store: &Store, which: Which, seconds: i64) -> Option<Lease> {
    store.lease_one(which, "worker", MINUTE, at(seconds)).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn a_process_takes_back_what_it_held(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.enqueue(&[inspect(7), inspect(8)], at(0)).await.unwrap();
    let ours = store.lease("host 1", MINUTE, at(0)).await.unwrap().unwrap();
    let theirs = store.lease("host 2", MINUTE, at(0)).await.unwrap().unwrap();
    assert_eq!(store.take_back("host 1", at(1)).await.unwrap(), 1);
    assert_eq!(store.take_back("host 1", at(1)).await.unwrap(), 0);
    assert_eq!(store.finish(&ours, at(1)).await.unwrap(), Settlement::Lost);
    assert_eq!(store.finish(&theirs, at(1)).await.unwrap(), Settlement::Done);
    let again = lease(&store, 1).await.unwrap();
    assert_eq!((again.subject, again.attempts, again.crashes), (7, 2, 1));
}

#[rstest]
#[tokio::test]
async fn what_a_worker_stopped_in_is_kept_apart(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.enqueue(&[inspect(7), inspect(8)], at(0)).await.unwrap();
    let seven = lease_one(&store, Which::Sound, 0).await.unwrap();
    crash(&store, &seven, 0).await;
    assert!(store.anything_to_lease(Which::Troubled, at(0)).await.unwrap());
    assert_eq!(lease_one(&store, Which::Sound, 0).await.unwrap().subject, 8);
    assert_eq!(lease_one(&store, Which::Sound, 0).await, None);
    let seven = lease_one(&store, Which::Troubled, 0).await.unwrap();
    assert_eq!((seven.subject, seven.crashes), (7, 1));
    // To be held back or to fail is no proof that it is sound; to be done is.
    assert_eq!(store.release(&seven, at(0)).await.unwrap(), Settlement::Again);
    let seven = lease_one(&store, Which::Troubled, 0).await.unwrap();
    assert_eq!(store.fail(&seven, "502", at(0), at(0)).await.unwrap(), Settlement::Again);
    let seven = lease_one(&store, Which::Troubled, 0).await.unwrap();
    assert_eq!(store.finish_until(&seven, at(10), Priority::Sweep).await.unwrap(), Settlement::Again);
    assert_eq!(lease_one(&store, Which::Sound, 10).await.unwrap().crashes, 0);
}

/// Whoever asks for it meanwhile: a busy repository must not keep a poison
/// item alive.
#[rstest]
#[tokio::test]
async fn five_crashes_are_the_end_whoever_asks(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.enqueue(&[inspect(7)], at(0)).await.unwrap();
    for crashes in 0..MAX_ATTEMPTS {
        let taken = lease(&store, 0).await.unwrap();
        assert_eq!(taken.crashes, crashes);
        store.enqueue(&[inspect(7)], at(0)).await.unwrap();
        crash(&store, &taken, 0).await;
    }
    assert_eq!(lease(&store, 0).await, None);
    let dead = store.dead(9, at(0)).await.unwrap();
    assert_eq!(dead[0].error.as_deref(), Some("the worker stopped before it finished"));
    // Asked for after that it has one attempt, which proves it sound or ends it.
    store.enqueue(&[inspect(7)], at(1)).await.unwrap();
    let taken = lease(&store, 1).await.unwrap();
    crash(&store, &taken, 1).await;
    assert_eq!(store.dead(9, at(1)).await.unwrap().len(), 1);
    // A person's word gives all of them back.
    assert!(store.retry_dead("inspect_repository", 7, at(2)).await.unwrap());
    assert_eq!(lease(&store, 2).await.unwrap().crashes, 0);
}

#[rstest]
#[tokio::test]
async fn a_periodic_job_that_crashes_waits_for_its_period(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.arm(JobKind::PruneStore, 0, 0, Duration::from_secs(300), at(0)).await.unwrap();
    for _ in 0..MAX_ATTEMPTS {
        let taken = lease(&store, 0).await.unwrap();
        crash(&store, &taken, 0).await;
    }
    assert_eq!(lease(&store, 299).await, None);
    let taken = lease(&store, 300).await.unwrap();
    assert_eq!(store.finish(&taken, at(300)).await.unwrap(), Settlement::Done);
    assert_eq!(lease(&store, 600).await.unwrap().crashes, 0);
}

#[rstest]
#[tokio::test]
async fn a_claim_goes_before_every_turn_and_past_no_lease(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.enqueue(&[NewJob { run_at: at(500), ..inspect(7) }, inspect(8)], at(0)).await.unwrap();
    let claimed = store.claim(&inspect(7), "person", MINUTE, at(0)).await.unwrap().unwrap();
    assert_eq!((claimed.subject, claimed.attempts), (7, 1));
    assert_eq!(store.claim(&inspect(7), "other", MINUTE, at(0)).await.unwrap(), None);
    let sweep = NewJob { kind: JobKind::SweepInstallation, ..inspect(7) };
    assert_eq!(store.claim(&sweep, "other", MINUTE, at(0)).await.unwrap(), None, "one run on a subject");
    assert_eq!(store.jobs(JobFilter::default(), 9, at(0)).await.unwrap().len(), 2, "nothing was asked for");
    assert_eq!(lease(&store, 0).await.unwrap().subject, 8);
    assert_eq!(store.finish(&claimed, at(0)).await.unwrap(), Settlement::Done);
}

/// An old replica beside a new one: the schema moves on while it runs.
#[rstest]
#[tokio::test]
async fn a_newer_schema_is_noticed_while_running(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.enqueue(&[inspect(7)], at(0)).await.unwrap();
    store.writer.execute("INSERT INTO schema_version (version) VALUES (99)").await.unwrap();
    store.writer.execute("ALTER TABLE delivery ADD COLUMN weight BIGINT NOT NULL DEFAULT 0").await.unwrap();
    let newer = |error: StoreError| assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
    newer(store.alive().await.unwrap_err());
    newer(store.lease("worker", MINUTE, at(0)).await.unwrap_err());
    newer(store.lease("worker", MINUTE, at(9999)).await.unwrap_err());
    newer(store.arm(JobKind::PruneStore, 0, 0, MINUTE, at(0)).await.unwrap_err());
    assert_eq!(store.jobs(JobFilter::default(), 9, at(0)).await.unwrap()[0].attempts, 0);
    // What it can still store it stores.
    assert_eq!(
        store.accept(delivery("a", "{}", 0), vec![inspect(7), inspect(8)]).await.unwrap(),
        Accepted::New
    );
    assert_eq!(store.job_count().await.unwrap(), 2);
    store.writer.execute("ALTER TABLE delivery DROP COLUMN known_body").await.unwrap();
    newer(store.accept(delivery("b", "{}", 0), Vec::new()).await.unwrap_err());
}

/// SQLite has no place left for a job: whoever asks may come again.
#[tokio::test]
async fn a_full_disk_passes() {
    let place = Place::new(Dialect::Sqlite).await;
    let store = place.open().await;
    let large = |subject| NewJob { cause: "x".repeat(64 * 1024), ..inspect(subject) };
    store.enqueue(&[large(7)], at(0)).await.unwrap();
    let pages: i64 = store.writer.fetch_one("PRAGMA page_count").await.unwrap().try_get(0).unwrap();
    let limit = |pages: i64| sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
    for _ in 0..3 {
        // Of a connection, and one on which a write was refused is not used again.
        store.writer.execute(sqlx::raw_sql(limit(pages))).await.unwrap();
        let error = store.enqueue(&[large(8)], at(0)).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        assert!(error.to_string().contains("full"), "{error}");
    }
    let taken = lease(&store, 0).await.unwrap();
    assert_eq!(taken.subject, 7, "what needs no place goes on");
    store.writer.execute(sqlx::raw_sql(limit(1_000_000))).await.unwrap();
    assert_eq!(store.finish(&taken, at(0)).await.unwrap(), Settlement::Done);
    store.enqueue(&[large(8)], at(0)).await.unwrap();
    assert_eq!(lease(&store, 0).await.unwrap().subject, 8);
}

/// When the disk refuses a write, SQLite ends the transaction by itself, and
/// the driver does not know.
#[tokio::test]
async fn a_transaction_that_sqlite_ended_is_not_the_last() {
    let place = Place::new(Dialect::Sqlite).await;
    let store = place.open().await;
    for subject in 0..3 {
        let mut transaction = store.write("begin").await.unwrap();
        transaction.execute("ROLLBACK").await.unwrap();
        drop(transaction);
        store.enqueue(&[inspect(subject)], at(0)).await.unwrap();
    }
    assert_eq!(store.job_count().await.unwrap(), 3);
}

/// Threats O5: 100,000 jobs of one installation, and one of another.
#[rstest]
#[tokio::test]
async fn o5_a_loud_installation_does_not_starve_another(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.enqueue(&[inspect(1)], at(0)).await.unwrap();
    store
        .writer
        .execute(
            "INSERT INTO work (kind, subject, installation, priority, run_at, cause, enqueued_at, \
                generation, leased_generation, fence, attempts) \
             WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) \
             SELECT 'inspect_repository', i, 1, 1, 0, 'push', 0, 1, 0, 0, 0 FROM n",
        )
        .await
        .unwrap();
    for round in 0..3 {
        let quiet = NewJob { installation: 2, ..inspect(200_000 + round) };
        store.enqueue(&[quiet], at(0)).await.unwrap();
        let mut before = 0;
        while lease(&store, 0).await.unwrap().installation != 2 {
            before += 1;
        }
        assert!(before <= 1, "{before} of the loud one went before");
    }
}
