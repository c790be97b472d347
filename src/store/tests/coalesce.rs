//! Many pushes, many workers, few runs.

use super::*;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// 2,000 pushes on 20 repositories, four workers: few runs, never two at once
/// on a repository, and none before which a push was not seen.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pushes_coalesce(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    const REPOSITORIES: usize = 20;
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let wished: Arc<Vec<AtomicU64>> = Arc::new((0..REPOSITORIES).map(|_| AtomicU64::new(0)).collect());
    let seen: Arc<Vec<AtomicU64>> = Arc::new((0..REPOSITORIES).map(|_| AtomicU64::new(0)).collect());
    let busy: Arc<Vec<AtomicBool>> = Arc::new((0..REPOSITORIES).map(|_| AtomicBool::new(false)).collect());
    let pushing = Arc::new(AtomicBool::new(true));

    let workers: Vec<_> = (0..4)
        .map(|number| {
            let (store, wished, seen) = (store.clone(), wished.clone(), seen.clone());
            let (busy, pushing) = (busy.clone(), pushing.clone());
            tokio::spawn(async move {
                let owner = format!("worker {number}");
                let mut runs = 0_u64;
                loop {
                    let last_round = !pushing.load(Ordering::SeqCst);
                    let Some(taken) = store.lease(&owner, MINUTE, at(0)).await.unwrap() else {
                        if last_round && store.job_count().await.unwrap() == 0 {
                            return runs;
                        }
                        tokio::task::yield_now().await;
                        continue;
                    };
                    let subject = usize::try_from(taken.subject).unwrap();
                    assert!(!busy[subject].swap(true, Ordering::SeqCst), "two runs on {subject} at once");
                    runs += 1;
                    seen[subject].store(wished[subject].load(Ordering::SeqCst), Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    busy[subject].store(false, Ordering::SeqCst);
                    assert_ne!(store.finish(&taken, at(0)).await.unwrap(), Settlement::Lost);
                }
            })
        })
        .collect();

    let pushers: Vec<_> = (0..4)
        .map(|number| {
            let (store, wished) = (store.clone(), wished.clone());
            tokio::spawn(async move {
                for push in 0..500 {
                    let subject = (push * 7 + number) % REPOSITORIES;
                    // Counted before it is asked for: a run that answers it has seen it.
                    wished[subject].fetch_add(1, Ordering::SeqCst);
                    store.enqueue(&[inspect(subject as i64)], at(0)).await.unwrap();
                }
            })
        })
        .collect();
    for pusher in pushers {
        pusher.await.unwrap();
    }
    pushing.store(false, Ordering::SeqCst);
    let mut runs = 0;
    for worker in workers {
        runs += worker.await.unwrap();
    }
    println!("{runs} runs for 2,000 pushes");
    assert!((REPOSITORIES as u64..2000).contains(&runs), "{runs} runs");
    for subject in 0..REPOSITORIES {
        let (wished, seen) = (wished[subject].load(Ordering::SeqCst), seen[subject].load(Ordering::SeqCst));
        assert_eq!((wished, seen), (100, 100), "the last push on {subject} was seen by a run");
    }
}
