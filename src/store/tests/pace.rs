//! Turns to write, and pauses, over all replicas.

use super::*;
use crate::domain::pace::{Pace, Turn};

const HERE: InstallationId = InstallationId(1);
const PACE: Pace = Pace { per_minute: 6, per_hour: Some(15) };

/// A lease on a repository of the installation [`HERE`].
async fn held(store: &Store, subject: i64, seconds: i64) -> Lease {
    let job = NewJob { run_at: at(seconds), ..inspect(subject) };
    store.claim(&job, "worker", MINUTE, at(seconds)).await.unwrap().expect("nobody holds it")
}

async fn turn(store: &Store, lease: &Lease, pieces: u32, seconds: i64) -> Option<Turn> {
    store.take_turn(lease, MINUTE, HERE, pieces, PACE, at(seconds)).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn replicas_write_in_turn(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let (one, other) = (place.open().await, place.open().await);
    let (seven, eight) = (held(&one, 7, 0).await, held(&other, 8, 0).await);
    assert_eq!(turn(&one, &seven, 3, 0).await, Some(Turn::Now));
    assert_eq!(turn(&other, &eight, 1, 1).await, Some(Turn::Soon(at(3))));
    assert_eq!(turn(&other, &eight, 3, 3).await, Some(Turn::Now));
    assert_eq!(turn(&one, &seven, 1, 10).await, Some(Turn::Not(at(60))));
    assert_eq!(turn(&one, &seven, 0, 10).await, Some(Turn::Now), "nothing to write needs no budget");
    // A process that begins anew remembers what was written.
    one.close().await;
    let anew = place.open().await;
    let nine = held(&anew, 9, 59).await;
    assert_eq!(turn(&anew, &nine, 1, 59).await, Some(Turn::Not(at(60))));
    // Another installation has its own.
    let elsewhere = anew.take_turn(&nine, MINUTE, InstallationId(2), 6, PACE, at(59)).await.unwrap();
    assert_eq!(elsewhere, Some(Turn::Now));
    for second in [60, 63, 70] {
        assert_eq!(
            turn(&anew, &nine, 3, second).await,
            Some(if second < 70 { Turn::Now } else { Turn::Not(at(120)) })
        );
    }
    assert_eq!(turn(&anew, &nine, 3, 110).await, Some(Turn::Not(at(120))));
    // Twelve pieces in the first hour, three are left.
    assert_eq!(turn(&anew, &nine, 3, 120).await, Some(Turn::Now));
    assert_eq!(turn(&anew, &nine, 1, 180).await, Some(Turn::Not(at(3600))));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_at_once_goes_one_by_one(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let askers: Vec<_> = (0..4)
        .map(|subject| {
            let url = place.url.clone();
            tokio::spawn(async move {
                let store = Store::open_with(&url, Durability::Test).await.unwrap();
                let lease = held(&store, subject, 0).await;
                let mut turns = Vec::new();
                for _ in 0..10 {
                    turns.push(turn(&store, &lease, 1, 0).await.unwrap());
                }
                turns
            })
        })
        .collect();
    let mut turns = Vec::new();
    for asker in askers {
        turns.extend(asker.await.unwrap());
    }
    assert_eq!(turns.iter().filter(|turn| **turn == Turn::Now).count(), 1);
    assert_eq!(turns.iter().filter(|turn| **turn == Turn::Soon(at(1))).count(), 39);
}

#[rstest]
#[tokio::test]
async fn a_lost_lease_gets_no_turn(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let late = held(&store, 7, 0).await;
    // A turn lengthens the lease: it outlasts the write.
    assert_eq!(turn(&store, &late, 1, 59).await, Some(Turn::Now));
    assert_eq!(store.claim(&inspect(7), "other", MINUTE, at(118)).await.unwrap(), None);
    let taken = held(&store, 7, 119).await;
    assert_eq!(turn(&store, &late, 1, 119).await, None);
    assert_eq!(turn(&store, &late, 0, 119).await, None);
    assert_eq!(turn(&store, &taken, 1, 119).await, Some(Turn::Now));
    assert_eq!(store.finish(&taken, at(119)).await.unwrap(), Settlement::Done);
    assert_eq!(turn(&store, &taken, 1, 125).await, None, "what is finished writes no more");
}

#[rstest]
#[tokio::test]
async fn what_github_refused_one_nobody_begins(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let (store, replica) = (place.open().await, place.open().await);
    let other = NewJob { installation: 2, ..inspect(20) };
    store.enqueue(&[inspect(7), inspect(8), other], at(0)).await.unwrap();
    let taken = lease(&store, 0).await.unwrap();
    assert_eq!(taken.subject, 7);
    store.limited(1, at(120), at(0)).await.unwrap();
    // One who was told an earlier moment changes nothing.
    replica.limited(1, at(60), at(0)).await.unwrap();
    assert_eq!(turn(&replica, &taken, 1, 0).await, Some(Turn::Not(at(120))));
    assert_eq!(store.release(&taken, at(120)).await.unwrap(), Settlement::Again);
    let elsewhere = lease(&replica, 0).await.unwrap();
    assert_eq!(elsewhere.subject, 20, "another installation goes on");
    assert_eq!(store.finish(&elsewhere, at(1)).await.unwrap(), Settlement::Done);
    assert_eq!(lease(&replica, 119).await, None);
    assert_eq!(store.next_run_at().await.unwrap(), Some(at(120)));
    let jobs = store.jobs(JobFilter { installation: Some(1), subject: Some(8) }, 9, at(1)).await.unwrap();
    let JobState::Parked { reason } = &jobs[0].state else { panic!("{:?}", jobs[0].state) };
    assert!(reason.starts_with("GitHub asks to wait until "), "{reason}");
    let mut seven = lease(&replica, 120).await.unwrap();
    if seven.subject != 7 {
        seven = lease(&replica, 120).await.unwrap();
    }
    // For an hour after the refusal the pace is halved: three a minute.
    for (second, expected) in [(120, Turn::Now), (123, Turn::Not(at(180))), (180, Turn::Now)] {
        assert_eq!(turn(&replica, &seven, 3, second).await, Some(expected), "{second}");
    }
    assert_eq!(turn(&replica, &seven, 6, 3600).await, Some(Turn::Now));
}
