//! The record of deliveries, what is missing in it; whom we serve and what
//! they lack.

use super::deliveries::delivery;
use super::*;

fn missing(guid: &str, delivery: u64) -> MissedDelivery {
    let installation = Some(InstallationId(1));
    MissedDelivery { guid: guid.to_owned(), delivery, installation, attempts: 0 }
}

#[rstest]
#[tokio::test]
async fn what_is_missing_is_asked_for_until_it_comes_in(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    assert_eq!(store.delivery_record("failed").await.unwrap(), None);
    store.accept(delivery("known", "{}", 1), Vec::new()).await.unwrap();
    let pass = Some(Pass { newest: Entry { at: at(9), id: 9 }, cursor: "/next".to_owned() });
    let record = DeliveryRecord { read: Entry { at: at(0), id: 3 }, pass, round_at: at(10) };
    let listed = [missing("known", 1), missing("late", 7), missing("lost", 5)];
    store.read_deliveries("failed", &record, &listed).await.unwrap();
    assert_eq!(store.delivery_record("failed").await.unwrap(), Some(record.clone()));
    assert_eq!(store.delivery_record("all").await.unwrap(), None);
    // The older first, and none that is in.
    let due = store.missed_deliveries(10, at(10)).await.unwrap();
    assert_eq!(due, [missing("lost", 5), missing("late", 7)]);
    assert_eq!(store.missed_deliveries(1, at(10)).await.unwrap().len(), 1);
    store.try_missed_delivery("lost", at(40)).await.unwrap();
    store.try_missed_delivery("late", at(20)).await.unwrap();
    assert_eq!(store.missed_deliveries(10, at(19)).await.unwrap(), []);
    // Listed again: a newer attempt counts, an older one and the count stay.
    let record = DeliveryRecord { pass: None, ..record };
    store.read_deliveries("failed", &record, &[missing("lost", 9), missing("late", 2)]).await.unwrap();
    assert_eq!(store.delivery_record("failed").await.unwrap(), Some(record.clone()));
    let due = store.missed_deliveries(10, at(40)).await.unwrap();
    let tried = |guid, delivery| MissedDelivery { attempts: 1, ..missing(guid, delivery) };
    assert_eq!(due, [tried("late", 7), tried("lost", 9)]);
    store.give_up_missed_delivery("lost", at(41)).await.unwrap();
    store.accept(delivery("late", "{}", 2), Vec::new()).await.unwrap();
    assert_eq!(store.missed_deliveries(10, at(100)).await.unwrap(), []);
    // Given up is given up, whatever is listed.
    store.read_deliveries("failed", &record, &[missing("lost", 12)]).await.unwrap();
    assert_eq!(store.missed_deliveries(10, at(100)).await.unwrap(), []);
    // What is not for us leaves nothing.
    store.read_deliveries("failed", &record, &[missing("strange", 20)]).await.unwrap();
    store.forget_missed_delivery("strange").await.unwrap();
    assert_eq!(store.missed_deliveries(10, at(100)).await.unwrap(), []);
    store.read_deliveries("failed", &record, &[missing("strange", 20)]).await.unwrap();
    assert_eq!(store.missed_deliveries(10, at(100)).await.unwrap(), [missing("strange", 20)]);
    store.forget_missed_delivery("strange").await.unwrap();
    // Until it is past its time.
    store.prune(Retention::default(), at(36 * 24 * 3600)).await.unwrap();
    store.read_deliveries("failed", &record, &[missing("lost", 13)]).await.unwrap();
    assert_eq!(store.missed_deliveries(10, at(100)).await.unwrap(), [missing("lost", 13)]);
}

#[rstest]
#[tokio::test]
async fn a_name_is_bound_once(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let (first, second) = (AccountId(1), AccountId(2));
    assert_eq!(store.bind_account("agency", first, at(0)).await.unwrap(), first);
    assert_eq!(store.bind_account("agency", second, at(1)).await.unwrap(), first);
    assert_eq!(store.bind_account("department", first, at(2)).await.unwrap(), first);
    assert_eq!(store.bound_account("agency").await.unwrap(), Some(first));
    assert_eq!(store.names_of_account(first).await.unwrap(), ["agency", "department"]);
    store.unbind_unlisted(&["department".to_owned()]).await.unwrap();
    assert_eq!(store.bound_account("agency").await.unwrap(), None);
    assert_eq!(store.bind_account("agency", second, at(3)).await.unwrap(), second);
}

#[rstest]
#[tokio::test]
async fn what_is_lacking_is_audited_once(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let (here, there) = (InstallationId(1), InstallationId(2));
    let wait = async |installation, repository: Option<u64>, needs: &str, granted: &str| {
        let repository = repository.map(RepositoryId);
        store.wait_for_permission(installation, repository, needs, granted, at(0)).await.unwrap()
    };
    assert!(wait(here, Some(7), "contents: write", "none").await);
    assert!(!wait(here, Some(7), "contents: write", "none").await);
    assert!(!wait(here, Some(8), "contents: write", "none").await);
    assert!(wait(here, Some(8), "issues: write", "none").await);
    assert!(wait(there, None, "contents: write", "none").await);
    assert_eq!(store.audit(None, 10).await.unwrap().len(), 3);
    assert_eq!(store.lacking(here).await.unwrap(), ["contents: write", "issues: write"]);
    // Nothing has changed yet.
    assert_eq!(store.waiting(here, "none").await.unwrap(), []);
    store.stop_waiting(here, "none").await.unwrap();
    // One of them has seen the new permissions already, and lacks it still.
    assert!(!wait(here, Some(8), "issues: write", "some").await);
    assert_eq!(store.waiting(here, "some").await.unwrap(), [RepositoryId(7), RepositoryId(8)]);
    assert_eq!(store.waiting(there, "some").await.unwrap(), []);
    store.stop_waiting(here, "some").await.unwrap();
    assert_eq!(store.lacking(here).await.unwrap(), ["issues: write"]);
    assert_eq!(store.waiting(here, "all").await.unwrap(), [RepositoryId(8)]);
    assert_eq!(store.lacking(there).await.unwrap().len(), 1);
    assert!(wait(here, Some(7), "contents: write", "none").await, "granted and taken back, it is news again");
}
