//! How far an organization is adopted.

use super::rows::{AGENCY, judged, seen};
use super::*;
use crate::domain::adoption::Ending;

const HERE: InstallationId = InstallationId(1);

pub(super) fn installation() -> Installation {
    Installation {
        id: HERE,
        account: AGENCY,
        login: "agency".to_owned(),
        suspended_at: None,
        removed_at: None,
        seen_at: at(0),
        permissions: None,
    }
}

#[rstest]
#[tokio::test]
async fn an_adoption_counts_what_was_listed_and_not_read(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.see_installation(&installation()).await.unwrap();
    store.see_repositories(&[seen(6, "agency/gone")], at(0)).await.unwrap();
    store.begin_adoption(AGENCY, at(1)).await.unwrap();
    store.begin_adoption(AGENCY, at(5)).await.unwrap();
    let adoption = async || store.adoption(AGENCY).await.unwrap().unwrap();
    assert_eq!(adoption().await.begun_at, at(1), "it begins once");
    store.see_repositories(&[seen(7, "agency/site"), seen(8, "agency/data")], at(2)).await.unwrap();
    store.all_listed(AGENCY, at(2)).await.unwrap();
    assert_eq!(
        store.unread(&adoption().await, 9, at(5)).await.unwrap(),
        2,
        "the one gone is not on the list"
    );
    assert_eq!(store.unread(&adoption().await, 1, at(5)).await.unwrap(), 1);
    let judged = judged(7, 3);
    assert_eq!(store.judged(&[judged], &[], None, at(3)).await.unwrap(), 1);
    // The other one fails for good.
    store.enqueue(&[NewJob { run_at: at(4), ..inspect(8) }], at(4)).await.unwrap();
    for attempt in 1..=MAX_ATTEMPTS {
        assert_eq!(store.unread(&adoption().await, 9, at(5)).await.unwrap(), 1, "attempt {attempt}");
        let lease = lease(&store, 5).await.unwrap();
        let _ = store.fail(&lease, "it is poison", at(5), at(5)).await.unwrap();
    }
    assert_eq!(store.unread(&adoption().await, 9, at(5)).await.unwrap(), 0);
    assert_eq!(store.open_adoptions().await.unwrap(), [adoption().await]);
}

#[rstest]
#[tokio::test]
async fn what_cannot_be_read_is_waited_for_a_day_if_others_can(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    const DAY: i64 = 24 * 60 * 60;
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.see_installation(&installation()).await.unwrap();
    store.see_repositories(&[seen(7, "agency/site"), seen(8, "agency/data")], at(0)).await.unwrap();
    store.begin_adoption(AGENCY, at(0)).await.unwrap();
    store.all_listed(AGENCY, at(0)).await.unwrap();
    let unread = async |now| {
        let adoption = store.adoption(AGENCY).await.unwrap().unwrap();
        store.unread(&adoption, 9, at(now)).await.unwrap()
    };
    let failed = |id| (RepositoryId(id), "502".to_owned(), at(700));
    store.could_not_read(&[failed(7), failed(8)], at(1)).await.unwrap();
    assert_eq!((unread(2).await, unread(9 * DAY).await), (2, 2), "nothing could be read");
    store.judged(&[judged(7, 3)], &[], None, at(3)).await.unwrap();
    store.could_not_read(&[failed(8)], at(DAY)).await.unwrap();
    assert_eq!((unread(DAY).await, unread(DAY + 1).await), (1, 0), "since the first time");
}

#[rstest]
#[tokio::test]
async fn the_end_of_an_adoption_wakes_what_it_held_back(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.see_installation(&installation()).await.unwrap();
    store.begin_adoption(AGENCY, at(0)).await.unwrap();
    let begun = store.adoption(AGENCY).await.unwrap().unwrap();
    store.enqueue(&[inspect(7), inspect(8), inspect(9)], at(0)).await.unwrap();
    // Held back, due by itself, and gone.
    let later = |id| Judged { due: Some(begun.until()), ..judged(id, 1) };
    store.judged(&[later(7), judged(8, 1), later(9)], &[], None, at(1)).await.unwrap();
    store.remove_repository(RepositoryId(9), at(1)).await.unwrap();
    let [held, running, waiting] = [lease(&store, 0).await, lease(&store, 0).await, lease(&store, 0).await];
    let (held, running, waiting) = (held.unwrap(), running.unwrap(), waiting.unwrap());
    assert_eq!(store.finish_until(&held, begun.until(), Priority::Sweep).await.unwrap(), Settlement::Again);
    assert_eq!(store.finish_until(&waiting, at(3600), Priority::Sweep).await.unwrap(), Settlement::Again);
    assert!(lease(&store, 1).await.is_none());
    assert!(store.end_adoption(&begun, Ending::NothingFound, at(2)).await.unwrap());
    assert!(!store.end_adoption(&begun, Ending::Confirmed, at(2)).await.unwrap(), "only once");
    // One that was under way when it ended is wanted once more.
    assert_eq!(
        store.finish_until(&running, begun.until(), Priority::Sweep).await.unwrap(),
        Settlement::Again
    );
    let woken = [lease(&store, 2).await.unwrap().subject, lease(&store, 2).await.unwrap().subject];
    // One that was asked for meanwhile keeps its rank.
    assert_eq!(woken, [running.subject, held.subject]);
    assert_eq!(store.to_look_at(HERE, 9, at(2)).await.unwrap(), [RepositoryId(7)], "looked at among many");
    assert!(lease(&store, 2).await.is_none(), "what waits for something else goes on waiting");
    let audit: Vec<_> =
        store.audit(None, 9).await.unwrap().into_iter().map(|entry| entry.audit.what).collect();
    assert_eq!(audit, ["adoption_ended", "adoption_begun"]);
}
