//! Labor hours that were estimated.

use super::rows::{HERE, judged, seen};
use super::*;
use crate::domain::repository::Visibility;

const SITE: RepositoryId = RepositoryId(7);

fn head(digit: char) -> ObjectId {
    digit.to_string().repeat(40).parse().unwrap()
}

async fn to_count(store: &Store, second: i64) -> Vec<(u64, String)> {
    let all = store.to_count(HERE, 10, at(second)).await.unwrap();
    all.into_iter().map(|one| (one.repository.0, one.head.to_string()[..1].to_owned())).collect()
}

async fn known(store: &Store) -> (Option<u64>, Option<String>) {
    let entries = store.entries(HERE).await.unwrap();
    let entry = entries.into_iter().find(|entry| entry.seen.id == SITE).unwrap();
    (entry.hours, entry.uncounted)
}

#[rstest]
#[tokio::test]
async fn a_commit_is_counted_once_and_what_fails_takes_no_number_away(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let hidden = SeenRepository { visibility: Visibility::Private, ..seen(8, "agency/data") };
    store.see_repositories(&[seen(7, "agency/site"), hidden.clone()], at(0)).await.unwrap();
    assert_eq!(to_count(&store, 1).await, [], "nothing was judged");
    let judge = async |digit, second| {
        let one = Judged { head: Some(head(digit)), ..judged(7, second) };
        let other = Judged { seen: hidden.clone(), head: Some(head(digit)), ..judged(8, second) };
        store.judged(&[one, other], &[], None, at(second)).await.unwrap();
    };
    judge('a', 1).await;
    let a = ("a".to_owned(), "b".to_owned());
    assert_eq!(to_count(&store, 2).await, [(7, a.0.clone())], "what is not public is not counted");

    // It did not come: the same commit again, later.
    store.not_counted((SITE, None), Some("away"), at(10)).await.unwrap();
    assert_eq!(known(&store).await, (None, Some("away".to_owned())));
    assert_eq!((to_count(&store, 9).await, to_count(&store, 10).await), (vec![], vec![(7, a.0)]));
    let counted = Counted { code: 1000, hours: Some(450), method: "m 1".to_owned() };
    store.take_counted((SITE, &head('a')), &counted, (at(11), at(20))).await.unwrap();
    assert_eq!(known(&store).await, (Some(450), None));
    assert_eq!(store.counted_hours(SITE).await.unwrap(), Some(450));
    assert_eq!(to_count(&store, 99).await, [], "there is no other commit");
    judge('b', 12).await;
    assert_eq!((to_count(&store, 19).await, to_count(&store, 20).await), (vec![], vec![(7, a.1)]));
    store.not_counted((SITE, Some(&head('b'))), Some("too large"), at(30)).await.unwrap();
    assert_eq!(known(&store).await, (Some(450), Some("too large".to_owned())));
    assert_eq!(to_count(&store, 99).await, []);
}
