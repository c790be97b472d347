//! The chain of the ledger.

use super::rows::{AGENCY, declined, noted, seen};
use super::*;
use crate::domain::adoption::Ending;

/// A ledger of two decisions and three entries of the audit.
pub(super) async fn written(store: &Store) {
    store.note(&[noted("sweep_begun")], at(0)).await.unwrap();
    store.decide(&declined(), &[noted("close")], at(1)).await.unwrap();
    store.decide(&declined(), &[noted("close")], at(2)).await.unwrap();
}

/// Takes away what keeps people from changing the ledger.
pub(super) async fn unlock(store: &Store) {
    for table in ["decision", "audit", "chain"] {
        let statements = match store.dialect() {
            Dialect::Sqlite => {
                vec![format!("DROP TRIGGER {table}_keeps_rows"), format!("DROP TRIGGER {table}_keeps_values")]
            }
            Dialect::Postgres => vec![format!("ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")],
        };
        for statement in statements {
            store.writer.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
        }
    }
}

#[rstest]
#[tokio::test]
async fn what_is_written_is_chained(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let empty = store.verify_ledger(None).await.unwrap();
    assert_eq!((empty.entries, empty.broken), (0, None));
    written(&store).await;
    let verified = store.verify_ledger(Some(&empty.head)).await.unwrap();
    assert_eq!((verified.entries, &verified.broken), (5, &None));
    // A head that was kept is still there when the ledger has grown.
    store.note(&[noted("more")], at(3)).await.unwrap();
    let grown = store.verify_ledger(Some(&verified.head)).await.unwrap();
    assert_eq!((grown.entries, &grown.broken), (6, &None));
    assert_ne!(grown.head, verified.head);
    let entries = store.ledger(&LedgerFilter::default(), 99).await.unwrap();
    let told: Vec<_> = entries.iter().map(|entry| (entry.seq, entry.what.as_str())).collect();
    assert_eq!(
        told,
        [(6, "more"), (5, "close"), (4, "declined"), (3, "close"), (2, "declined"), (1, "sweep_begun")]
    );
}

#[rstest]
#[case("UPDATE audit SET what = 'nothing' WHERE id = 2", "entry 3 (audit 2) was changed")]
#[case("UPDATE decision SET until = 9 WHERE id = 2", "entry 4 (decision 2) was changed")]
#[case("UPDATE decision SET reason = '' WHERE id = 2", "entry 4 (decision 2) was changed")]
#[case("UPDATE chain SET hash = previous WHERE seq = 2", "entry 2 (decision 1) was changed")]
#[case("UPDATE chain SET previous = hash WHERE seq = 2", "entry 2 (decision 1) does not follow")]
#[case("DELETE FROM audit WHERE id = 2", "entry 3 (audit 2) was removed")]
#[case("DELETE FROM chain WHERE seq = 3", "entry 3 was removed from the chain")]
#[case("DELETE FROM chain WHERE seq = 5", "audit 3 was added without Muster")]
#[case(
    "INSERT INTO audit (id, noted_at, what, detail) VALUES (9, 1, 'x', '{}')",
    "audit 9 was added without Muster"
)]
#[tokio::test]
async fn a_change_behind_musters_back_is_named(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
    #[case] change: &'static str,
    #[case] said: &str,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    written(&store).await;
    unlock(&store).await;
    store.writer.execute(change).await.unwrap();
    let broken = store.verify_ledger(None).await.unwrap().broken.expect("it is seen").to_string();
    assert!(broken.starts_with(said), "{broken}");
}

#[rstest]
#[tokio::test]
async fn what_is_cut_off_at_the_end_is_told(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    written(&store).await;
    let head = store.verify_ledger(None).await.unwrap().head;
    unlock(&store).await;
    for change in ["DELETE FROM chain WHERE seq = 5", "DELETE FROM audit WHERE id = 3"] {
        store.writer.execute(change).await.unwrap();
    }
    let broken = store.verify_ledger(None).await.unwrap().broken;
    assert_eq!(broken, Some(Broken::CutOff { left: 4, written: 5 }));
    // Whoever turns the counters back too is seen by who kept the head.
    store
        .writer
        .execute("UPDATE counter SET value = value - 1 WHERE name IN ('chain', 'audit')")
        .await
        .unwrap();
    assert_eq!(store.verify_ledger(None).await.unwrap().broken, None);
    assert_eq!(store.verify_ledger(Some(&head)).await.unwrap().broken, Some(Broken::OtherChain));
    // It goes on all the same.
    store.note(&[noted("later")], at(9)).await.unwrap();
    assert_eq!(store.verify_ledger(None).await.unwrap().entries, 5);
}

/// A column of SQLite takes any type.
#[tokio::test]
async fn an_entry_that_is_none_any_more_is_named() {
    let place = Place::new(Dialect::Sqlite).await;
    let store = place.open().await;
    written(&store).await;
    unlock(&store).await;
    store.writer.execute("UPDATE audit SET noted_at = 'soon' WHERE id = 2").await.unwrap();
    let broken = store.verify_ledger(None).await.unwrap().broken.expect("it is seen").to_string();
    assert!(broken.starts_with("entry 3 (audit 2) was"), "{broken}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn replicas_append_one_after_the_other(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let replicas = [place.open().await, place.open().await, place.open().await];
    let tasks: Vec<_> = (0..30_usize)
        .map(|n| {
            let store = replicas[n % 3].clone();
            tokio::spawn(async move {
                match n % 2 {
                    0 => store.note(&[noted("a"), noted("b")], at(1)).await.unwrap(),
                    _ => store.decide(&declined(), &[noted("c")], at(1)).await.map(|_| ()).unwrap(),
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let verified = replicas[0].verify_ledger(None).await.unwrap();
    assert_eq!((verified.entries, verified.broken), (60, None));
}

#[rstest]
#[tokio::test]
async fn a_ledger_of_version_1_is_chained_once(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    // The schema as version 1 left it.
    let old = open::Place::of(&place.url).unwrap();
    let store = Store::connect(&old, Durability::Test).await.unwrap();
    for script in [include_str!("../migrations/0001_walk.sql"), dialect.append_only()] {
        store.writer.execute(sqlx::raw_sql(script)).await.unwrap();
    }
    for statement in [
        sql::SCHEMA_TABLE,
        "INSERT INTO schema_version (version) VALUES (1)",
        "INSERT INTO installation (id, account, login, seen_at) VALUES (1, 10, 'agency', 5)",
        "INSERT INTO audit (id, noted_at, what, detail) VALUES (1, 1, 'sweep_begun', '{}'), (2, 3, 'close', '{}')",
        "INSERT INTO decision (id, repository, findings, status, actor, login, role, via, decided_at) \
            VALUES (1, 7, 'readme:missing', 'declined', 44, 'alice', 'write', 'close', 3)",
        "UPDATE counter SET value = 2 WHERE name = 'audit'",
        "UPDATE counter SET value = 1 WHERE name = 'decision'",
    ] {
        store.writer.execute(statement).await.unwrap();
    }
    store.close().await;
    let store = place.open().await;
    let verified = store.verify_ledger(None).await.unwrap();
    assert_eq!((verified.entries, &verified.broken), (3, &None));
    let told: Vec<_> = store
        .ledger(&LedgerFilter::default(), 9)
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.what)
        .collect();
    assert_eq!(told, ["close", "declined", "sweep_begun"]);
    store.note(&[noted("more")], at(0)).await.unwrap();
    store.close().await;
    let again = place.open().await.verify_ledger(Some(&verified.head)).await.unwrap();
    assert_eq!((again.entries, again.broken), (4, None));
    // Whoever was served before is known.
    let known = place.open().await.adoption(AGENCY).await.unwrap().unwrap();
    assert_eq!(known.ended.map(|(_, ending)| ending), Some(Ending::Known));
}

#[rstest]
#[tokio::test]
async fn the_ledger_is_listed_by_time_and_name(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.see_repositories(&[seen(7, "agency/Site"), seen(8, "agency/data")], at(0)).await.unwrap();
    written(&store).await;
    let elsewhere = NewAudit { repository: Some(RepositoryId(8)), ..noted("changed") };
    store.note(&[elsewhere], at(2)).await.unwrap();
    let listed = async |filter: LedgerFilter| {
        let entries = store.ledger(&filter, 3).await.unwrap();
        entries.into_iter().map(|entry| (entry.seq, entry.repository.unwrap_or_default())).collect::<Vec<_>>()
    };
    let site = || "agency/Site".to_owned();
    assert_eq!(
        listed(LedgerFilter { since: Some(at(2)), ..LedgerFilter::default() }).await,
        [(6, "agency/data".to_owned()), (5, site()), (4, site())]
    );
    let of_site =
        LedgerFilter { repository: Some("AGENCY/site".parse().unwrap()), ..LedgerFilter::default() };
    assert_eq!(listed(of_site.clone()).await, [(5, site()), (4, site()), (3, site())]);
    assert_eq!(listed(LedgerFilter { before: Some(3), ..of_site }).await, [(2, site()), (1, site())]);
    assert!(store.knows(&"Agency/SITE".parse().unwrap()).await.unwrap());
    assert!(!store.knows(&"agency/other".parse().unwrap()).await.unwrap());
}
