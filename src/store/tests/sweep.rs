//! Sweeps: pages, marks, and the account of every repository.

use super::rows::{judged, seen};
use super::*;
use crate::domain::basis::Basis;

const HERE: InstallationId = InstallationId(1);

fn basis() -> Basis {
    let text = |text: &str| text.to_owned();
    Basis { facts: text("f"), common: text("c"), ours: text("o"), pushed_at: at(-1000) }
}

fn ids(ids: &[u64]) -> Vec<RepositoryId> {
    ids.iter().map(|id| RepositoryId(*id)).collect()
}

async fn page(store: &Store, range: std::ops::Range<u64>, marked: &[u64], total: usize, next: Option<&str>) {
    let seen: Vec<_> = range.map(|id| seen(id, &format!("agency/r{id}"))).collect();
    let (seen, marked) = (seen.as_slice(), &ids(marked)[..]);
    store
        .swept_page(SweptPage { installation: HERE, seen, marked, forks: &[], total, next }, at(10))
        .await
        .unwrap();
}

#[rstest]
#[tokio::test]
async fn a_sweep_goes_on_where_it_was_cut_off(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    assert_eq!(store.sweep(HERE).await.unwrap(), None);
    for (second_total, complete) in [(4, true), (3, false)] {
        store.begin_sweep(HERE, "c", at(5)).await.unwrap();
        let begun = store.sweep(HERE).await.unwrap().unwrap();
        assert_eq!((begun.began_at, begun.next.as_deref(), begun.listed_at), (at(5), None, None));
        assert!(!store.end_sweep(HERE, at(9)).await.unwrap(), "the list is not at its end");
        page(&store, 1..3, &[1], 4, Some("/next?page=2")).await;
        let cut = store.sweep(HERE).await.unwrap().unwrap();
        assert_eq!((cut.next.as_deref(), cut.listed_at), (Some("/next?page=2"), None));
        page(&store, 3..5, &[4], second_total, None).await;
        let listed = store.sweep(HERE).await.unwrap().unwrap();
        assert_eq!((listed.next, listed.listed_at, listed.complete), (None, Some(at(10)), complete));
        assert!(store.end_sweep(HERE, at(11)).await.unwrap());
        assert!(!store.end_sweep(HERE, at(12)).await.unwrap(), "once");
    }
}

#[rstest]
#[tokio::test]
async fn a_mark_stays_until_a_later_reading_is_settled(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.begin_sweep(HERE, "c", at(5)).await.unwrap();
    page(&store, 1..5, &[1, 2, 3], 4, None).await;
    let waiting = async |now| store.to_look_at(HERE, 9, at(now)).await.unwrap();
    assert_eq!(waiting(10).await, ids(&[1, 2, 3]));
    assert_eq!(store.to_look_at(HERE, 2, at(10)).await.unwrap(), ids(&[1, 2]));
    // Read before it was marked: what the sweep saw is not in it.
    store.judged(&[judged(1, 9)], &[], None, at(12)).await.unwrap();
    assert_eq!(waiting(12).await, ids(&[1, 2, 3]));
    store.judged(&[Judged { basis: Some(basis()), ..judged(1, 11) }], &[], None, at(12)).await.unwrap();
    let unread = (RepositoryId(2), "502".to_owned(), at(700));
    store.could_not_read(&[unread], at(12)).await.unwrap();
    assert_eq!(waiting(12).await, ids(&[3]));
    store.hand_over(&[(NewJob { subject: 3, ..inspect(3) }, 2)], at(12), at(12)).await.unwrap();
    assert_eq!(waiting(12).await, []);
    assert_eq!(store.job_count().await.unwrap(), 1);
    assert_eq!(store.next_look(HERE).await.unwrap(), Some(at(500)), "when the first is due");
    assert_eq!(waiting(500).await, ids(&[1]));
    assert_eq!(waiting(700).await, ids(&[1, 2]));
    let memories = store.memories(HERE).await.unwrap();
    assert_eq!(memories.len(), 4);
    assert_eq!(memories[&RepositoryId(1)].basis, Some(basis()));
    assert_eq!(memories[&RepositoryId(2)].unknown_since, Some(at(12)));
    assert!([2, 3, 4].into_iter().all(|id| memories[&RepositoryId(id)].basis.is_none()));
}

#[rstest]
#[tokio::test]
async fn what_was_given_up_since_it_was_marked_is_left_to_the_next_sweep(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.begin_sweep(HERE, "c", at(5)).await.unwrap();
    page(&store, 1..3, &[1, 2], 2, None).await;
    store.enqueue(&[NewJob { subject: 1, ..inspect(1) }], at(10)).await.unwrap();
    for _ in 0..MAX_ATTEMPTS {
        let lease = lease(&store, 11).await.unwrap();
        let _ = store.fail(&lease, "502", at(11), at(11)).await.unwrap();
    }
    let over = |id: i64| (NewJob { subject: id, ..inspect(1) }, 0);
    let dead = async || store.dead(9, at(99)).await.unwrap().len();
    store.hand_over(&[over(1), over(2)], at(12), at(12)).await.unwrap();
    assert_eq!((dead().await, store.job_count().await.unwrap()), (1, 1), "it was tried after the mark");
    store.begin_sweep(HERE, "c", at(20)).await.unwrap();
    let (seen, marked) = ([seen(1, "agency/r1")], ids(&[1]));
    let (seen, marked) = (seen.as_slice(), marked.as_slice());
    let next = SweptPage { installation: HERE, seen, marked, forks: &[], total: 1, next: None };
    store.swept_page(next, at(21)).await.unwrap();
    store.hand_over(&[over(1)], at(22), at(22)).await.unwrap();
    assert_eq!((dead().await, store.job_count().await.unwrap()), (0, 2), "once a sweep");
}

#[rstest]
#[tokio::test]
async fn every_repository_is_accounted_for(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    assert_eq!(store.accounted(HERE).await.unwrap(), Accounted::default());
    store.begin_sweep(HERE, "c", at(5)).await.unwrap();
    page(&store, 1..6, &[1, 2, 3, 4, 5], 5, None).await;
    let all = Accounted { total: 5, waiting: 5, ..Accounted::default() };
    assert_eq!(store.accounted(HERE).await.unwrap(), all);
    let skipped = Judged { skipped: Some("archived".to_owned()), ..judged(2, 11) };
    store.judged(&[Judged { wants: 2, ..judged(1, 11) }, skipped], &[], None, at(12)).await.unwrap();
    store.could_not_read(&[(RepositoryId(3), "502".to_owned(), at(700))], at(12)).await.unwrap();
    store.hand_over(&[(NewJob { subject: 4, ..inspect(4) }, 1)], at(12), at(12)).await.unwrap();
    store.remove_repository(RepositoryId(5), at(12)).await.unwrap();
    let all = Accounted { total: 4, judged: 1, skipped: 1, unknown: 1, waiting: 1, wants: 3 };
    assert_eq!(store.accounted(HERE).await.unwrap(), all);
    let row = store.repository(RepositoryId(3)).await.unwrap().unwrap();
    assert_eq!(row.unknown.as_deref(), Some("502"));
    // Read again, it is no longer unknown.
    store.judged(&[judged(3, 20)], &[], None, at(20)).await.unwrap();
    assert_eq!(store.accounted(HERE).await.unwrap().unknown, 0);
    let memories = store.memories(HERE).await.unwrap();
    assert_eq!(memories[&RepositoryId(3)].unknown_since, None);
}

#[rstest]
#[tokio::test]
async fn what_is_outstanding_and_decided_is_found_by_installation(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    use crate::domain::{marker::Kind, outstanding::State};
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let elsewhere = SeenRepository { installation: InstallationId(2), ..seen(8, "agency/other") };
    store.see_repositories(&[seen(7, "agency/site"), elsewhere], at(0)).await.unwrap();
    for repository in [7, 8] {
        let new = NewOutstanding {
            repository: RepositoryId(repository),
            account: rows::AGENCY,
            kind: Kind::Files,
            findings: rows::findings("readme:missing"),
        };
        let found =
            Adopted { new, state: State::Open, number: 5, node_id: "PR_5".to_owned(), created_at: at(-50) };
        assert!(store.adopt_outstanding(&found, at(0)).await.unwrap());
    }
    store.decide(&rows::declined(), &[], at(1)).await.unwrap();
    let found = store.outstanding_of(HERE).await.unwrap();
    assert_eq!((found.len(), found[&RepositoryId(7)][0].number), (1, Some(5)));
    assert_eq!(store.decided(HERE).await.unwrap().into_iter().collect::<Vec<_>>(), ids(&[7]));
    assert_eq!(store.decided(InstallationId(2)).await.unwrap().len(), 0);
}
