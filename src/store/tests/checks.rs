//! Pull requests that wait for their check run.

use super::deliveries::delivery;
use super::*;

const HERE: RepositoryId = RepositoryId(7);
const PULL: &str = "PR_7:1";

fn head(digit: char) -> ObjectId {
    digit.to_string().repeat(40).parse().unwrap()
}

fn wish(asked: Asked) -> CheckWish {
    CheckWish { repository: HERE, installation: InstallationId(1), asked }
}

fn of(pull_request: &str, digit: char) -> CheckWish {
    wish(Asked::Head { pull_request: pull_request.to_owned(), head: head(digit) })
}

async fn arrives(store: &Store, guid: &str, body: &'static str, wish: CheckWish) -> Accepted {
    store.accept_check(delivery(guid, body, 0), vec![], wish).await.unwrap()
}

/// Who waits: pull request, first digit of the head, attempt.
async fn waiting(store: &Store) -> Vec<String> {
    let line =
        |wish: WaitingCheck| format!("{} {} {}", wish.pull_request, &wish.head.as_str()[..1], wish.attempt);
    store.checks_asked(HERE).await.unwrap().into_iter().map(line).collect()
}

#[rstest]
#[tokio::test]
async fn a_wish_waits_until_it_is_answered(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    arrives(&store, "a", "1", of(PULL, '1')).await;
    arrives(&store, "a", "1", of(PULL, '9')).await;
    assert_eq!(waiting(&store).await, ["PR_7:1 1 0"], "a GUID counts once");
    let first = store.checks_asked(HERE).await.unwrap().remove(0);
    // A newer head comes while the first is being answered.
    arrives(&store, "b", "2", of(PULL, '2')).await;
    let run = |digit, attempt| CheckAnswer::Run { head: head(digit), attempt };
    store.answer_check(HERE, &first, &run('1', 0)).await.unwrap();
    assert_eq!(waiting(&store).await, ["PR_7:1 2 0"]);
    assert_eq!(store.unanswered_checks(InstallationId(1)).await.unwrap(), [HERE]);
    let second = store.checks_asked(HERE).await.unwrap().remove(0);
    // The pull request had a third head already when it was read.
    store.answer_check(HERE, &second, &run('3', 0)).await.unwrap();
    assert_eq!(waiting(&store).await, Vec::<String>::new());
    assert_eq!(store.unanswered_checks(InstallationId(1)).await.unwrap(), []);
    // A person asks once more about it; nobody about one that is not known.
    arrives(&store, "c", "3", wish(Asked::Again { head: head('1') })).await;
    assert_eq!(waiting(&store).await, Vec::<String>::new());
    arrives(&store, "d", "4", wish(Asked::Again { head: head('3') })).await;
    assert_eq!(waiting(&store).await, ["PR_7:1 3 1"]);
    // The event of this very head, late, takes nothing back.
    arrives(&store, "e", "5", of(PULL, '3')).await;
    assert_eq!(waiting(&store).await, ["PR_7:1 3 1"]);
    let third = store.checks_asked(HERE).await.unwrap().remove(0);
    store.answer_check(HERE, &third, &CheckAnswer::Nothing).await.unwrap();
    arrives(&store, "f", "6", wish(Asked::Again { head: head('3') })).await;
    assert_eq!(waiting(&store).await, Vec::<String>::new(), "what says nothing is forgotten");
}

#[rstest]
#[tokio::test]
async fn a_replayed_body_asks_for_nothing_once_more(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    arrives(&store, "a", "1", of(PULL, '1')).await;
    let again = || wish(Asked::Again { head: head('1') });
    assert_eq!(arrives(&store, "b", "again", again()).await, Accepted::New);
    assert_eq!(arrives(&store, "c", "again", again()).await, Accepted::KnownBody);
    assert_eq!(waiting(&store).await, ["PR_7:1 1 1"]);
    // A pull request may be looked at again for a replay: that changes nothing.
    assert_eq!(arrives(&store, "d", "1", of(PULL, '1')).await, Accepted::KnownBody);
    assert_eq!(waiting(&store).await, ["PR_7:1 1 1"]);
}

#[rstest]
#[tokio::test]
async fn wishes_are_kept_for_thirty_days(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    const DAY: i64 = 24 * 60 * 60;
    let place = Place::new(dialect).await;
    let store = place.open().await;
    arrives(&store, "a", "1", of(PULL, '1')).await;
    store.prune(Retention::default(), at(30 * DAY)).await.unwrap();
    assert_eq!(waiting(&store).await, ["PR_7:1 1 0"]);
    store.prune(Retention::default(), at(30 * DAY + 1)).await.unwrap();
    assert_eq!(waiting(&store).await, Vec::<String>::new());
}
