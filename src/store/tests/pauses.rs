//! Pauses.

use super::adoption::installation;
use super::rows::{AGENCY, seen};
use super::*;

#[rstest]
#[tokio::test]
async fn a_pause_is_of_all_or_of_one(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let one = Scope::Account(AGENCY);
    assert_eq!(store.paused(AGENCY).await.unwrap(), None);
    assert!(store.pause(one, "alice", "why", at(1)).await.unwrap());
    assert!(!store.pause(one, "bob", "", at(2)).await.unwrap());
    let known = Pause { scope: one, by: "alice".to_owned(), reason: "why".to_owned(), since: at(1) };
    assert_eq!(store.paused(AGENCY).await.unwrap(), Some(known.clone()));
    assert_eq!(store.paused(AccountId(11)).await.unwrap(), None);
    assert!(store.pause(Scope::All, "bob", "", at(3)).await.unwrap());
    assert_eq!(store.paused(AccountId(11)).await.unwrap().unwrap().scope, Scope::All);
    assert!(store.resume(Scope::All, "bob", at(4)).await.unwrap());
    assert_eq!(store.pauses().await.unwrap(), [known], "that of one has its own end");
    assert!(store.resume(one, "alice", at(5)).await.unwrap());
    assert!(!store.resume(one, "alice", at(6)).await.unwrap());
    let audit = store.audit(None, 10).await.unwrap();
    let noted: Vec<(i64, String, serde_json::Value)> = audit
        .into_iter()
        .map(|entry| {
            let detail = serde_json::from_str(&entry.audit.detail).unwrap();
            (entry.noted_at.as_second() - at(0).as_second(), entry.audit.what, detail)
        })
        .collect();
    let expected = [
        (5, "writing_resumed", serde_json::json!({"by": "alice", "account": 10})),
        (4, "writing_resumed", serde_json::json!({"by": "bob", "all": true})),
        (3, "writing_paused", serde_json::json!({"by": "bob", "all": true})),
        (1, "writing_paused", serde_json::json!({"by": "alice", "account": 10, "reason": "why"})),
    ];
    assert_eq!(noted, expected.map(|(at, what, detail)| (at, what.to_owned(), detail)));
}

#[rstest]
#[tokio::test]
async fn what_is_held_is_wanted_again_at_the_end(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.see_installation(&installation()).await.unwrap();
    for id in [7, 8, 9] {
        store.see_repositories(&[seen(id, &format!("agency/site-{id}"))], at(0)).await.unwrap();
    }
    let one = Scope::Account(AGENCY);
    store.pause(one, "alice", "", at(1)).await.unwrap();
    for (id, changes) in [(7, 2), (8, 1), (8, 3), (9, 1), (9, 0)] {
        store.hold_changes(RepositoryId(id), AGENCY, changes, at(2)).await.unwrap();
    }
    let held = Held { repositories: 2, changes: 5 };
    assert_eq!((store.held(one).await.unwrap(), store.held(Scope::All).await.unwrap()), (held, held));
    assert_eq!(store.held(Scope::Account(AccountId(11))).await.unwrap(), Held::default());
    store.resume(one, "alice", at(3)).await.unwrap();
    let jobs = store.jobs(JobFilter::default(), 10, at(3)).await.unwrap();
    let wanted: Vec<_> = jobs.iter().map(|job| (job.subject, job.run_at, job.cause.as_str())).collect();
    assert_eq!(wanted, [(7, at(3), "resume"), (8, at(3), "resume")]);
    let queue = store.queue_standing(at(4)).await.unwrap();
    assert_eq!((queue.ready, queue.oldest_ready), (2, Some(at(3))));
}

/// Whoever restores a backup must not set free what was stopped.
#[tokio::test]
async fn a_pause_outlives_the_database() {
    let (place, other) = (Place::new(Dialect::Sqlite).await, Place::new(Dialect::Postgres).await);
    let (store, restored) = (place.open().await, other.open().await);
    store.pause(Scope::All, "alice", "why", at(1)).await.unwrap();
    let mut bytes = Vec::new();
    store.back_up(&mut bytes, at(2)).await.unwrap();
    restored.restore(&mut std::io::Cursor::new(&bytes), at(3)).await.unwrap();
    assert_eq!(restored.pauses().await.unwrap(), store.pauses().await.unwrap());
    assert_eq!(restored.pauses().await.unwrap().len(), 1);
}
