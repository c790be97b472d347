//! How far an organization is adopted.

use super::rows::{AGENCY, seen};
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
    assert_eq!(store.unread(&adoption().await, 9).await.unwrap(), 2, "the one gone is not on the list");
    assert_eq!(store.unread(&adoption().await, 1).await.unwrap(), 1);
    let judged = Judged {
        repository: RepositoryId(7),
        head: None,
        policy_digest: String::new(),
        facts_digest: String::new(),
        due: None,
        report: "[]".to_owned(),
        findings: None,
    };
    assert!(store.judged(&judged, &[], at(3)).await.unwrap());
    // The other one fails for good.
    store.enqueue(&[NewJob { run_at: at(4), ..inspect(8) }], at(4)).await.unwrap();
    for attempt in 1..=MAX_ATTEMPTS {
        assert_eq!(store.unread(&adoption().await, 9).await.unwrap(), 1, "attempt {attempt}");
        let lease = lease(&store, 5).await.unwrap();
        let _ = store.fail(&lease, "it is poison", at(5), at(5)).await.unwrap();
    }
    assert_eq!(store.unread(&adoption().await, 9).await.unwrap(), 0);
    assert_eq!(store.open_adoptions().await.unwrap(), [adoption().await]);
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
    let [held, running, waiting] = [lease(&store, 0).await, lease(&store, 0).await, lease(&store, 0).await];
    let (held, running, waiting) = (held.unwrap(), running.unwrap(), waiting.unwrap());
    assert_eq!(store.finish_until(&held, begun.until()).await.unwrap(), Settlement::Again);
    assert_eq!(store.finish_until(&waiting, at(3600)).await.unwrap(), Settlement::Again);
    assert!(lease(&store, 1).await.is_none());
    assert!(store.end_adoption(&begun, Ending::NothingFound, at(2)).await.unwrap());
    assert!(!store.end_adoption(&begun, Ending::Confirmed, at(2)).await.unwrap(), "only once");
    // One that was under way when it ended is wanted once more.
    assert_eq!(store.finish_until(&running, begun.until()).await.unwrap(), Settlement::Again);
    let woken = [lease(&store, 2).await.unwrap().subject, lease(&store, 2).await.unwrap().subject];
    assert_eq!(woken, [held.subject, running.subject]);
    assert!(lease(&store, 2).await.is_none(), "what waits for something else goes on waiting");
    let audit: Vec<_> =
        store.audit(None, 9).await.unwrap().into_iter().map(|entry| entry.audit.what).collect();
    assert_eq!(audit, ["adoption_ended", "adoption_begun"]);
}
