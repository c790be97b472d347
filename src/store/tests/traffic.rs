//! Clones, views and forks.

use super::rows::{HERE, seen};
use super::*;
use crate::domain::inventory::traffic::{Day, Measured, Poll, Span};
use jiff::civil::{Date, date};

const SITE: RepositoryId = RepositoryId(7);

fn day(day: Date, clones: u64) -> Day {
    Day { day, clones, cloners: 1, views: clones * 2, visitors: 1 }
}

fn noon(day: Date) -> Timestamp {
    format!("{day}T12:00:00Z").parse().unwrap()
}

async fn known(store: &Store) {
    store.see_repositories(&[seen(7, "agency/site"), seen(8, "agency/data")], at(0)).await.unwrap();
}

/// All clones that were ever counted.
async fn sum(store: &Store) -> Option<u64> {
    store.entries(HERE).await.unwrap().into_iter().find(|entry| entry.seen.id == SITE).unwrap().clones
}

async fn measured(store: &Store, year: &str) -> Option<Measured> {
    store.traffic_of(year.parse().unwrap()).await.unwrap().0.remove(&SITE)
}

#[rstest]
#[tokio::test]
async fn what_is_told_again_replaces_what_was_told(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    known(&store).await;
    let (monday, tuesday) = (date(2026, 11, 16), date(2026, 11, 17));
    assert_eq!((sum(&store).await, store.traffic_measured_on(HERE).await.unwrap()), (None, None));
    // GitHub did not tell: nothing is measured.
    store.traffic_untold(SITE, noon(monday)).await.unwrap();
    let poll = Poll { tried_on: monday, polled_on: None };
    assert_eq!(store.traffic_polls(HERE).await.unwrap()[&SITE], poll);
    assert_eq!((sum(&store).await, measured(&store, "2027").await), (None, None));

    store.take_traffic(SITE, &[day(monday, 3), day(tuesday, 1)], noon(tuesday)).await.unwrap();
    assert_eq!(sum(&store).await, Some(4));
    // The second day was not over. A day that nobody came is told or not.
    let later = [day(monday, 3), day(tuesday, 5), Day::nothing_on(date(2026, 11, 18))];
    store.take_traffic(SITE, &later, noon(date(2026, 11, 24))).await.unwrap();
    assert_eq!(sum(&store).await, Some(8));
    store.take_traffic(SITE, &later, noon(date(2026, 11, 24))).await.unwrap();
    assert_eq!(sum(&store).await, Some(8), "told again");
    let poll = Poll { tried_on: date(2026, 11, 24), polled_on: Some(date(2026, 11, 24)) };
    assert_eq!(store.traffic_polls(HERE).await.unwrap()[&SITE], poll);
    assert_eq!(store.traffic_measured_on(HERE).await.unwrap(), Some(date(2026, 11, 24)));
    let whole = Span { first: date(2026, 11, 4), last: date(2026, 11, 23) };
    let expected = Measured { clones: 8, views: 16, spans: vec![whole] };
    assert_eq!(measured(&store, "2027").await, Some(expected));
    assert_eq!(measured(&store, "2026").await, None, "another year");

    // Nobody asked for a month: what GitHub forgot is a gap.
    store.take_traffic(SITE, &[day(date(2026, 12, 24), 1)], noon(date(2026, 12, 25))).await.unwrap();
    let after = Span { first: date(2026, 12, 12), last: date(2026, 12, 24) };
    assert_eq!(measured(&store, "2027").await.unwrap().spans, [whole, after]);
    assert_eq!(sum(&store).await, Some(9));
}

#[rstest]
#[tokio::test]
async fn a_year_takes_its_own_days(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    known(&store).await;
    let (last, first) = (date(2026, 9, 30), date(2026, 10, 1));
    store.take_traffic(SITE, &[day(last, 3), day(first, 4)], noon(date(2026, 10, 5))).await.unwrap();
    let (old, new) = (measured(&store, "2026").await.unwrap(), measured(&store, "2027").await.unwrap());
    assert_eq!((old.clones, &old.spans[..]), (3, &[Span { first: date(2026, 9, 22), last }][..]));
    assert_eq!((new.clones, &new.spans[..]), (4, &[Span { first, last: date(2026, 10, 4) }][..]));
}

#[rstest]
#[tokio::test]
async fn days_go_after_thirty_months_and_the_sum_stays(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    known(&store).await;
    let then = date(2026, 11, 17);
    store.take_traffic(SITE, &[day(then, 3)], noon(date(2026, 11, 18))).await.unwrap();
    let midnight: Timestamp = "2026-11-17T00:00:00Z".parse().unwrap();
    let kept = SignedDuration::from_hours(30 * 31 * 24);
    store.prune(Retention::default(), midnight + kept).await.unwrap();
    assert_eq!(measured(&store, "2027").await.unwrap().clones, 3);
    store.prune(Retention::default(), midnight + kept + SignedDuration::from_millis(1)).await.unwrap();
    assert_eq!((measured(&store, "2027").await, sum(&store).await), (None, Some(3)));
}

#[rstest]
#[tokio::test]
async fn forks_are_a_series_of_changes(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    known(&store).await;
    let listed = async |forks: &[(RepositoryId, u64)], second| {
        let (seen, next) = ([seen(7, "agency/site"), seen(8, "agency/data")], None);
        let page = SweptPage { installation: HERE, seen: &seen, marked: &[], forks, total: 2, next };
        store.begin_sweep(HERE, "", at(second)).await.unwrap();
        store.swept_page(page, at(second)).await.unwrap();
    };
    let rows = async || -> i64 {
        let row = store.reader.fetch_one("SELECT COUNT(*) AS n FROM forks").await.unwrap();
        row.try_get(0).unwrap()
    };
    listed(&[(SITE, 1), (RepositoryId(8), 0)], 1).await;
    listed(&[(SITE, 3)], 2).await;
    let newest = store.forks(HERE).await.unwrap();
    assert_eq!((newest[&SITE], newest[&RepositoryId(8)], rows().await), (3, 0, 3));
    // What the series begins from stays.
    let kept = SignedDuration::from_hours(30 * 31 * 24);
    store.prune(Retention::default(), at(10) + kept).await.unwrap();
    assert_eq!((store.forks(HERE).await.unwrap(), rows().await), (newest, 2));
}

#[tokio::test]
async fn a_backup_has_it() {
    let (place, new_place) = (Place::new(Dialect::Sqlite).await, Place::new(Dialect::Postgres).await);
    let (store, other) = (place.open().await, new_place.open().await);
    known(&store).await;
    let then = date(2026, 11, 17);
    store.take_traffic(SITE, &[day(then, 3)], noon(date(2026, 11, 18))).await.unwrap();
    let (seen, forks) = ([seen(7, "agency/site")], [(SITE, 5)]);
    let page =
        SweptPage { installation: HERE, seen: &seen, marked: &[], forks: &forks, total: 1, next: None };
    store.swept_page(page, at(1)).await.unwrap();
    let mut file = Vec::new();
    store.back_up(&mut file, at(2)).await.unwrap();
    other.restore(&mut std::io::Cursor::new(&file), at(3)).await.unwrap();
    assert_eq!(measured(&other, "2027").await, measured(&store, "2027").await);
    assert_eq!(other.traffic_polls(HERE).await.unwrap(), store.traffic_polls(HERE).await.unwrap());
    assert_eq!((sum(&other).await, other.forks(HERE).await.unwrap()[&SITE]), (Some(3), 5));
}
