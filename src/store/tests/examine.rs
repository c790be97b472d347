//! A database as `muster doctor` finds it.

use super::rows::seen;
use super::*;

#[rstest]
#[tokio::test]
async fn a_database_is_examined_without_a_change(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    // On SQLite there is no file yet, and none is made.
    let found = Store::examine(&place.url).await.unwrap();
    match dialect {
        Dialect::Sqlite => assert!(found.is_none() && Store::examine(&place.url).await.unwrap().is_none()),
        Dialect::Postgres => {
            let found = found.unwrap();
            assert_eq!((found.version, found.writable.is_none()), (0, true));
        }
    }
    let store = place.open().await;
    let found = Store::examine(&place.url).await.unwrap().unwrap();
    assert_eq!((found.dialect, found.version), (dialect, found.known));
    assert!(matches!(found.writable, Some(Ok(()))), "{found:?}");
    match dialect {
        Dialect::Sqlite => {
            assert_eq!(found.journal, "wal");
            let facts = found.file.unwrap();
            assert!(!facts.open_to_others && facts.free > 0 && facts.free <= facts.size, "{facts:?}");
        }
        Dialect::Postgres => assert!(found.file.is_none() && found.journal.starts_with("fsync ")),
    }
    // An older schema is told and not brought up to date.
    store.writer.execute("DELETE FROM schema_version WHERE version > 1").await.unwrap();
    let older = Store::examine(&place.url).await.unwrap().unwrap();
    assert_eq!((older.version, older.known), (1, found.known));
    store.close().await;
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_seen() {
    let place = Place::new(Dialect::Postgres).await;
    place.open().await.close().await;
    let only_reads = format!("{}&options[default_transaction_read_only]=on", place.url);
    let found = Store::examine(&only_reads).await.unwrap().unwrap();
    assert!(matches!(found.writable, Some(Err(StoreError::Unavailable { .. }))), "{found:?}");
}

#[rstest]
#[tokio::test]
async fn what_cannot_be_read_is_noted_and_forgotten(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let seen = seen(7, "agency/site");
    store.see_repositories(std::slice::from_ref(&seen), at(0)).await.unwrap();
    assert_eq!(store.unreadable(10).await.unwrap(), []);
    store.set_unreadable(seen.id, &[3, 12]).await.unwrap();
    let found = store.unreadable(10).await.unwrap();
    let numbers: Vec<u64> = found.iter().map(|item| item.number).collect();
    assert_eq!((numbers, found[0].repository.to_string()), (vec![3, 12], "agency/site".to_owned()));
    assert_eq!(store.repository(seen.id).await.unwrap().unwrap().unreadable, [3, 12]);
    store.set_unreadable(seen.id, &[]).await.unwrap();
    assert_eq!(store.unreadable(10).await.unwrap(), []);
}
