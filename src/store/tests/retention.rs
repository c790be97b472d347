//! Each row of the table in `retention`: there to its last moment, and then
//! gone.

use super::adoption::installation;
use super::deliveries::delivery;
use super::rows::{AGENCY, HERE, declined, noted, seen};
use super::*;

const DAY: i64 = 86_400;
const BOTH: [Dialect; 2] = [Dialect::Sqlite, Dialect::Postgres];

#[tokio::test]
async fn bodies_stay_a_week_and_on_a_server_a_month() {
    for dialect in BOTH {
        for (window, days) in [(3, 7), (30, 30)] {
            let retention = Retention::on(Duration::from_secs(window * 24 * 60 * 60));
            let place = Place::new(dialect).await;
            let store = place.open().await;
            store.accept(delivery("one", "{}", 0), vec![]).await.unwrap();
            assert_eq!(store.prune(retention, at(days * DAY)).await.unwrap(), Pruned::default());
            assert!(store.delivery("one").await.unwrap().unwrap().body.is_some());
            assert_eq!(store.prune(retention, at(days * DAY + 1)).await.unwrap().bodies, 1);
            let kept = store.delivery("one").await.unwrap().unwrap();
            assert_eq!((kept.body, kept.digest.len()), (None, 32), "GUID and digest stay");
        }
    }
}

#[tokio::test]
async fn guids_stay_35_days() {
    for dialect in BOTH {
        let place = Place::new(dialect).await;
        let store = place.open().await;
        store.accept(delivery("one", "{}", 0), vec![]).await.unwrap();
        assert_eq!(store.prune(Retention::default(), at(35 * DAY)).await.unwrap().deliveries, 0);
        let again = store.accept(delivery("one", "{}", 35 * DAY), vec![]).await.unwrap();
        assert_eq!(again, Accepted::Duplicate);
        assert_eq!(store.prune(Retention::default(), at(35 * DAY + 1)).await.unwrap().deliveries, 1);
        assert_eq!(store.delivery("one").await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_was_found_out_stays_a_month_after_the_app_is_gone() {
    for dialect in BOTH {
        let place = Place::new(dialect).await;
        let store = place.open().await;
        let granted = Some("{\"issues\":\"write\"}".to_owned());
        store.see_installation(&Installation { permissions: granted, ..installation() }).await.unwrap();
        store.see_repositories(&[seen(7, "agency/site"), seen(8, "agency/other")], at(0)).await.unwrap();
        for id in [7, 8] {
            let judged = Judged { audit: vec![noted("changed")], ..rows::judged(id, 0) };
            store.judged(&[judged], &[], None, at(0)).await.unwrap();
        }
        let policy = TakenPolicy {
            oid: "a".repeat(40),
            digest: "d".to_owned(),
            text: "mode: fix\n".to_owned(),
            taken_at: at(0),
        };
        store.take_policy(AGENCY, &policy).await.unwrap();
        store.decide(&declined(), &[], at(0)).await.unwrap();
        // One repository goes alone; then the App goes.
        store.remove_repository(RepositoryId(8), at(0)).await.unwrap();
        assert_eq!(store.prune(Retention::default(), at(30 * DAY)).await.unwrap().records, 0);
        assert_eq!(store.prune(Retention::default(), at(30 * DAY + 1)).await.unwrap().records, 1);
        assert!(store.policy(AGENCY).await.unwrap().taken.is_some(), "the App is still there");
        store.remove_installation(HERE, at(0)).await.unwrap();
        let before = store.verify_ledger(None).await.unwrap();
        assert_eq!(store.prune(Retention::default(), at(30 * DAY)).await.unwrap().records, 0);
        let report = store.repository(RepositoryId(7)).await.unwrap().unwrap().report;
        assert!(report.is_some() && store.policy(AGENCY).await.unwrap().taken.is_some());

        assert_eq!(store.prune(Retention::default(), at(30 * DAY + 1)).await.unwrap().records, 1);
        let kept = store.repository(RepositoryId(7)).await.unwrap().unwrap();
        assert_eq!((kept.report, kept.judged_at), (None, None));
        assert_eq!(kept.seen.name.to_string(), "agency/site", "the name stays, for the ledger");
        assert!(store.policy(AGENCY).await.unwrap().taken.is_none());
        assert_eq!(store.installation(HERE).await.unwrap().unwrap().permissions, None);

        // The ledger stays, however long.
        store.prune(Retention::default(), at(20_000 * DAY)).await.unwrap();
        let after = store.verify_ledger(None).await.unwrap();
        assert_eq!((after.entries, after.head, after.broken), (before.entries, before.head, None));
        assert_eq!(store.decisions(RepositoryId(7)).await.unwrap().len(), 1);
    }
}
