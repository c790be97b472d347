//! Repositories that were made public.

use super::rows::{HERE, seen};
use super::*;
use crate::domain::repository::Visibility;

fn as_seen(visibility: Visibility) -> SeenRepository {
    SeenRepository { visibility, ..seen(7, "agency/site") }
}

async fn noted(store: &Store) -> Vec<(String, String)> {
    let audit = store.audit(Some(RepositoryId(7)), 100).await.unwrap();
    audit.into_iter().rev().map(|entry| (entry.audit.what, entry.audit.detail)).collect()
}

#[rstest]
#[tokio::test]
async fn whoever_makes_code_public_is_noticed_once(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let see = async |visibility, second| {
        store.see_repositories(&[as_seen(visibility)], at(second)).await.unwrap();
    };
    // Public from the beginning is no finding, nor is private.
    store.see_repositories(&[seen(8, "agency/open")], at(0)).await.unwrap();
    see(Visibility::Private, 0).await;
    see(Visibility::Internal, 1).await;
    assert_eq!(store.publicized(HERE).await.unwrap(), []);

    see(Visibility::Public, 2).await;
    // By whichever way it is seen again, at the same moment too.
    see(Visibility::Public, 2).await;
    let page = SweptPage {
        installation: HERE,
        seen: &[as_seen(Visibility::Public)],
        marked: &[],
        forks: &[],
        total: 1,
        next: None,
    };
    store.begin_sweep(HERE, "", at(3)).await.unwrap();
    store.swept_page(page, at(3)).await.unwrap();
    store.see_visibility(&[(RepositoryId(7), Visibility::Public, false)], at(4)).await.unwrap();
    let expected = Publicized {
        repository: RepositoryId(7),
        name: "agency/site".parse().unwrap(),
        from: Visibility::Internal,
        noticed_at: at(2),
    };
    assert_eq!(store.publicized(HERE).await.unwrap(), std::slice::from_ref(&expected));
    let once = ("repository_publicized".to_owned(), r#"{"from":"internal","approval":null}"#.to_owned());
    assert_eq!(noted(&store).await, std::slice::from_ref(&once));

    // Taken back, it is settled; done again, it is another one.
    store.see_visibility(&[(RepositoryId(7), Visibility::Private, false)], at(5)).await.unwrap();
    assert_eq!(store.publicized(HERE).await.unwrap(), []);
    store.see_visibility(&[(RepositoryId(7), Visibility::Public, false)], at(6)).await.unwrap();
    let again = Publicized { from: Visibility::Private, noticed_at: at(6), ..expected };
    assert_eq!(store.publicized(HERE).await.unwrap(), std::slice::from_ref(&again));
    assert_eq!(noted(&store).await.len(), 2);
    assert_eq!(noted(&store).await[0], once);

    // A backup brings it back, and nothing is noted twice.
    let mut bytes = Vec::new();
    store.back_up(&mut bytes, at(7)).await.unwrap();
    let other_place = Place::new(dialect).await;
    let other = other_place.open().await;
    other.restore(&mut std::io::Cursor::new(&bytes), at(8)).await.unwrap();
    other.see_repositories(&[as_seen(Visibility::Public)], at(9)).await.unwrap();
    assert_eq!(other.publicized(HERE).await.unwrap(), [again]);
    assert_eq!(noted(&other).await.len(), 2);
}
