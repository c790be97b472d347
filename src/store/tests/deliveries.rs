//! Deliveries come in once, with their jobs, and go when their time is over.

use super::super::intake::{Arrival, KnownTurns, group};
use super::super::turn::WriteTurn;
use super::*;
use bytes::Bytes;

pub(super) fn delivery(guid: &str, body: &'static str, seconds: i64) -> NewDelivery {
    use sha2::Digest;
    NewDelivery {
        guid: guid.to_owned(),
        event: "push".to_owned(),
        action: None,
        installation: Some(1),
        repository: Some(7),
        digest: sha2::Sha256::digest(body).into(),
        body: Bytes::from_static(body.as_bytes()),
        received_at: at(seconds),
    }
}

#[rstest]
#[tokio::test]
async fn a_delivery_counts_once(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let first = store.accept(delivery("a", "{}", 0), vec![inspect(7)]).await.unwrap();
    assert_eq!(first, Accepted::New);
    let again = store.accept(delivery("a", "{\"other\":1}", 1), vec![inspect(8)]).await.unwrap();
    assert_eq!(again, Accepted::Duplicate);
    let jobs = store.jobs(JobFilter::default(), 10, at(1)).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.subject).collect::<Vec<_>>(), [7]);
    let stored = store.delivery("a").await.unwrap().unwrap();
    assert_eq!(stored.body.as_deref(), Some(b"{}".as_slice()));
    assert_eq!((stored.received_at, stored.installation, stored.action), (at(0), Some(1), None));
    assert_eq!(store.delivery("b").await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn a_known_body_runs_no_command(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let command = NewJob { priority: Priority::Command, ..inspect(9) };
    store.accept(delivery("a", "{}", 0), vec![]).await.unwrap();
    let replayed = store.accept(delivery("b", "{}", 1), vec![inspect(7), command]).await.unwrap();
    assert_eq!(replayed, Accepted::KnownBody);
    let jobs = store.jobs(JobFilter::default(), 10, at(1)).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.subject).collect::<Vec<_>>(), [7]);
    assert!(store.delivery("b").await.unwrap().unwrap().known_body);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_each_get_their_own_answer(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let senders: Vec<_> = (0..300)
        .map(|number: i64| {
            let store = store.clone();
            tokio::spawn(async move {
                // Every third is a redelivery of the one before it.
                let guid = number - i64::from(number % 3 == 2);
                let body = Bytes::from(format!("{{\"push\":{guid}}}"));
                use sha2::Digest;
                let delivery = NewDelivery {
                    digest: sha2::Sha256::digest(&body).into(),
                    body,
                    ..delivery(&guid.to_string(), "", number)
                };
                store.accept(delivery, vec![inspect(number % 20)]).await.unwrap()
            })
        })
        .collect();
    let mut new = 0;
    for sender in senders {
        new += i32::from(sender.await.unwrap() == Accepted::New);
    }
    assert_eq!(new, 200);
    assert_eq!(store.deliveries(&DeliveryFilter::default(), 1000).await.unwrap().len(), 200);
    assert_eq!(store.job_count().await.unwrap(), 20);
}

/// SQLite's groups of up to 36, with GUIDs and bodies doubled near and far, end
/// as deliveries that come one by one on either database.
#[rstest]
#[tokio::test]
async fn a_group_ends_as_one_by_one(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let bodies = ["{}", "[1]", "[2]", "[3]", "[4]", "[5]", "[6]"];
    let arrivals: Vec<Arrival> = (0..37_i64)
        .flat_map(|size| (0..size).map(move |place| (size, place)))
        .map(|(size, place)| {
            let doubled = size % 3 == 1 && place % 9 == 8;
            let guid = format!("{size}-{}", if doubled { place - 5 } else { place });
            let mut delivery = delivery(&guid, bodies[(place % 7) as usize], size);
            if size % 2 == 0 {
                delivery.digest[..2].copy_from_slice(&[size as u8, place as u8]);
            }
            let command = NewJob { priority: Priority::Command, ..inspect(1000 + place) };
            Arrival {
                delivery,
                jobs: vec![inspect(place % 23), command],
                moved: None,
                check: None,
                answers: Vec::new(),
            }
        })
        .collect();
    let (alone, grouped) = (Place::new(dialect).await, Place::new(Dialect::Sqlite).await);
    let (alone, grouped) = (alone.open().await, grouped.open().await);
    let mut expected = Vec::new();
    for arrival in &arrivals {
        expected.push(alone.take_in(arrival.clone()).await.unwrap());
    }
    let mut answered = Vec::new();
    for group in arrivals.chunk_by(|one, next| one.delivery.received_at == next.delivery.received_at) {
        // Each is sent when it is polled first, so in this order.
        let together = futures_util::future::join_all(group.iter().cloned().map(|it| grouped.take_in(it)));
        answered.extend(together.await.into_iter().map(Result::unwrap));
    }
    assert_eq!(answered, expected);
    for outcome in [Accepted::New, Accepted::Duplicate, Accepted::KnownBody] {
        assert!(expected.contains(&outcome), "{outcome:?}");
    }
    let all = DeliveryFilter::default();
    assert_eq!(grouped.deliveries(&all, 1000).await.unwrap(), alone.deliveries(&all, 1000).await.unwrap());
    let jobs = async |store: &Store| {
        let jobs = store.jobs(JobFilter::default(), 1000, at(40)).await.unwrap();
        let mut keys: Vec<_> = jobs.into_iter().map(|job| (job.subject, job.priority)).collect();
        keys.sort_unstable();
        keys
    };
    assert_eq!(jobs(&grouped).await, jobs(&alone).await);
}

#[rstest]
#[tokio::test]
async fn a_push_that_changes_nothing_moves_the_head(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let site = RepositoryId(7);
    store.see_repositories(&[rows::seen(7, "agency/site")], at(0)).await.unwrap();
    let judged = Judged { head: Some(rows::oid('a')), ..rows::judged(7, 1) };
    assert_eq!(store.judged(&[judged], &[], None, at(1)).await.unwrap(), 1);
    let moved =
        |before, after| HeadMoved { repository: site, before: rows::oid(before), after: rows::oid(after) };
    for (guid, body, step, now) in [
        ("1", "{}", moved('a', 'b'), 'b'),
        ("2", "[2]", moved('a', 'c'), 'b'),
        ("1", "[3]", moved('b', 'c'), 'b'),
        ("3", "{}", moved('b', 'c'), 'b'),
        ("4", "[4]", moved('b', 'c'), 'c'),
    ] {
        store.accept_moved(delivery(guid, body, 2), step).await.unwrap();
        assert_eq!(store.judged_head(site).await.unwrap(), Some(rows::oid(now)), "{guid} {body}");
    }
    assert_eq!(store.job_count().await.unwrap(), 0);
}

#[rstest]
#[tokio::test]
async fn deliveries_are_listed_newest_first(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    for (guid, seconds) in [("a", 0), ("b", 2), ("c", 1)] {
        store.accept(delivery(guid, "{}", seconds), vec![]).await.unwrap();
    }
    let other = NewDelivery { event: "ping\0".to_owned(), repository: None, ..delivery("d", "{}", 3) };
    store.accept(other, vec![]).await.unwrap();
    let guids = async |filter: DeliveryFilter, limit| {
        let listed = store.deliveries(&filter, limit).await.unwrap();
        listed.into_iter().map(|delivery| delivery.guid).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(guids(DeliveryFilter::default(), 3).await, "d b c");
    let about = DeliveryFilter { repository: Some(7), installation: Some(1), event: None };
    assert_eq!(guids(about, 9).await, "b c a");
    let pings = DeliveryFilter { event: Some("ping\u{FFFD}".to_owned()), ..DeliveryFilter::default() };
    assert_eq!(guids(pings, 9).await, "d", "a NUL is stored as U+FFFD");
    let strangers = DeliveryFilter { installation: Some(2), ..DeliveryFilter::default() };
    assert_eq!(guids(strangers, 9).await, "");
}

#[rstest]
#[tokio::test]
async fn what_is_past_its_time_is_pruned(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    const DAY: i64 = 86_400;
    let place = Place::new(dialect).await;
    let store = place.open().await;
    for (guid, day) in [("old", 0), ("middle", 20), ("young", 34)] {
        store.accept(delivery(guid, "{}", day * DAY), vec![]).await.unwrap();
    }
    let pruned = store.prune(Retention::default(), at(35 * DAY + 1)).await.unwrap();
    assert_eq!(pruned, Pruned { bodies: 1, deliveries: 1, ..Pruned::default() });
    assert_eq!(store.delivery("old").await.unwrap(), None);
    let middle = store.delivery("middle").await.unwrap().unwrap();
    assert_eq!((middle.body, middle.digest.len()), (None, 32));
    assert!(store.delivery("young").await.unwrap().unwrap().body.is_some());
    let again = store.accept(delivery("middle", "{}", 35 * DAY), vec![]).await.unwrap();
    assert_eq!(again, Accepted::Duplicate, "a GUID without its body still counts once");
}

/// Stops what stands between a full disk and a lost delivery: the answer.
#[tokio::test]
async fn a_full_disk_is_unavailable_and_loses_nothing() {
    let place = Place::new(Dialect::Sqlite).await;
    let store = place.open().await;
    let connection = rusqlite::Connection::open(place.url.strip_prefix("sqlite://").unwrap()).unwrap();
    let pages: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let settings = format!("PRAGMA busy_timeout = 10000; PRAGMA max_page_count = {}", pages + 40);
    connection.execute_batch(&settings).unwrap();
    let mut writer = group::Writer::new(connection, WriteTurn::new(), KnownTurns::default());
    let mut accept = |guid: &str, body, jobs| {
        let arrival = Arrival {
            delivery: delivery(guid, body, 0),
            jobs,
            moved: None,
            check: None,
            answers: Vec::new(),
        };
        writer.take_in(&[arrival]).pop().unwrap()
    };
    let body: &'static str = Box::leak("x".repeat(50_000).into_boxed_str());
    let mut accepted = Vec::new();
    let error = loop {
        let guid = format!("{:02}", accepted.len());
        match accept(&guid, body, vec![inspect(accepted.len() as i64)]) {
            Ok(_) => accepted.push(guid),
            Err(error) => break error,
        }
        assert!(accepted.len() < 20, "the disk never filled");
    };
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert_eq!(store.job_count().await.unwrap(), accepted.len() as u64, "no job without its delivery");
    assert_eq!(accept(&accepted[0], body, vec![]).unwrap(), Accepted::Duplicate, "it goes on");
    for guid in accepted {
        assert!(store.delivery(&guid).await.unwrap().is_some(), "{guid}");
    }
}

/// A delivery that the database refuses does not take its group with it.
#[tokio::test]
async fn a_refused_delivery_fails_alone() {
    let place = Place::new(Dialect::Sqlite).await;
    let store = place.open().await;
    store
        .writer
        .execute(
            "CREATE TRIGGER poison BEFORE INSERT ON delivery WHEN NEW.guid = 'poison' \
             BEGIN SELECT RAISE(ABORT, 'refused'); END",
        )
        .await
        .unwrap();
    let (before, poison, after) = tokio::join!(
        store.accept(delivery("before", "{}", 0), vec![inspect(1)]),
        store.accept(delivery("poison", "{}", 0), vec![inspect(2)]),
        store.accept(delivery("after", "{}", 0), vec![inspect(3)]),
    );
    assert!(before.is_ok() && after.is_ok());
    assert!(matches!(poison, Err(StoreError::Refused { .. })), "{poison:?}");
    assert_eq!(store.job_count().await.unwrap(), 2);
}
