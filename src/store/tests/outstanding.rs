//! What stands at GitHub, and the brakes.

use super::rows::{AGENCY, findings, oid};
use super::*;
use crate::domain::marker::Kind;
use crate::domain::observed::ItemKind;
use crate::domain::outstanding::{Attempt, Because, Refused, State};
use crate::domain::rollout::Rollout;

fn new(repository: u64, kind: Kind) -> NewOutstanding {
    NewOutstanding {
        repository: RepositoryId(repository),
        account: AGENCY,
        kind,
        findings: findings("contributing:missing"),
    }
}

fn brakes() -> Brakes {
    Brakes {
        window_from: at(0),
        per_window: 3,
        open: 5,
        pull_requests_from: at(0),
        pull_requests: 1,
        of_kind: None,
        rollout: None,
    }
}

#[rstest]
#[tokio::test]
async fn one_of_a_kind_is_open(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let Begun::New { id } = store.begin_outstanding(&new(7, Kind::Tracking), brakes(), at(1)).await.unwrap()
    else {
        panic!("it begins");
    };
    let Begun::Already(row) =
        store.begin_outstanding(&new(7, Kind::Tracking), brakes(), at(2)).await.unwrap()
    else {
        panic!("it is being created");
    };
    assert_eq!((row.id, row.state, row.number), (id, State::Creating, None));
    assert!(store.opened(id, 3, "I_3", None, at(3)).await.unwrap());
    assert!(!store.opened(id, 4, "I_4", None, at(4)).await.unwrap(), "only once");
    assert!(!store.withdraw_outstanding(id).await.unwrap(), "it exists");
    assert!(store.refresh_outstanding(id, &findings("readme:missing"), at(5)).await.unwrap());
    let rows = store.outstanding(RepositoryId(7)).await.unwrap();
    assert_eq!((rows[0].state, rows[0].number, rows[0].created_at), (State::Open, Some(3), at(1)));
    assert_eq!(rows[0].findings, findings("readme:missing"));
    assert!(store.settle_outstanding(id, State::Declined, at(6)).await.unwrap());
    let again = store.begin_outstanding(&new(7, Kind::Tracking), brakes(), at(7)).await.unwrap();
    let Begun::New { id: second } = again else { panic!("the first is no longer open: {again:?}") };
    assert!(store.settle_outstanding(id, State::Open, at(8)).await.is_err(), "two would be open");
    assert!(store.withdraw_outstanding(second).await.unwrap());
    assert_eq!(store.outstanding(RepositoryId(7)).await.unwrap().len(), 1);
    assert_eq!(store.created_since(AGENCY, ItemKind::Issue, at(0)).await.unwrap(), (1, Some(at(1))));
    assert_eq!(store.created_since(AGENCY, ItemKind::Issue, at(2)).await.unwrap(), (0, None));
    assert_eq!(store.first_created(AGENCY).await.unwrap(), Some(at(1)));
    assert_eq!(store.first_created(AccountId(11)).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn the_brakes_hold(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let mut begun = Vec::new();
    for (repository, kind) in [
        (1, Kind::Files),
        (1, Kind::License),
        (1, Kind::Tracking),
        (2, Kind::Files),
        (3, Kind::Files),
        (4, Kind::Files),
        (4, Kind::License),
        (2, Kind::Tracking),
        (3, Kind::Tracking),
    ] {
        begun.push(match store.begin_outstanding(&new(repository, kind), brakes(), at(9)).await.unwrap() {
            Begun::New { .. } => None,
            Begun::Held(brake) => Some(brake),
            Begun::Already(row) => panic!("{row:?}"),
        });
    }
    use Brake::{Open, PerWindow, PullRequestInRepository};
    assert_eq!(
        begun,
        [
            None,
            Some(PullRequestInRepository),
            None,
            None,
            None,
            Some(PerWindow),
            Some(PerWindow),
            None,
            Some(Open)
        ]
    );
    assert_eq!(store.open_count(AGENCY).await.unwrap(), 5);
}

/// Replicas that begin at the same moment stay within the brakes together.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_brakes_hold_for_replicas_together(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let replicas = [place.open().await, place.open().await];
    let tasks: Vec<_> = (0..20)
        .map(|repository| {
            let store = replicas[usize::from(repository % 2 == 0)].clone();
            tokio::spawn(async move {
                store.begin_outstanding(&new(repository, Kind::Tracking), brakes(), at(1)).await.unwrap()
            })
        })
        .collect();
    let mut begun = 0;
    for task in tasks {
        begun += i32::from(matches!(task.await.unwrap(), Begun::New { .. }));
    }
    assert_eq!(begun, 3);
}

#[rstest]
#[tokio::test]
async fn what_is_found_is_adopted_once(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let found = |state, number| Adopted {
        new: new(7, Kind::Files),
        state,
        number,
        node_id: format!("PR_{number}"),
        created_at: at(-50),
    };
    assert!(store.adopt_outstanding(&found(State::Open, 5), at(0)).await.unwrap());
    assert!(!store.adopt_outstanding(&found(State::Open, 6), at(0)).await.unwrap());
    assert!(store.adopt_outstanding(&found(State::Merged, 2), at(0)).await.unwrap());
    let rows = store.outstanding(RepositoryId(7)).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [Some(2), Some(5)]);
    assert_eq!(rows[0].created_at, at(-50));
}

#[rstest]
#[tokio::test]
async fn what_is_done_to_an_open_item_is_remembered(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let Begun::New { id } = store.begin_outstanding(&new(7, Kind::Files), brakes(), at(1)).await.unwrap()
    else {
        panic!("it begins");
    };
    assert!(store.opened(id, 3, "PR_3", Some(&oid('a')), at(2)).await.unwrap());
    let row = async || store.outstanding(RepositoryId(7)).await.unwrap().remove(0);
    assert_eq!(row().await.commits, [oid('a')]);
    assert!(store.editing(id, &[at(3), at(4)], at(4)).await.unwrap());
    assert!(store.staged(id, &oid('b'), at(4)).await.unwrap());
    let staged = row().await;
    assert_eq!((staged.edits, staged.staged), (vec![at(3), at(4)], Some(oid('b'))));
    let two = [oid('a'), oid('b')];
    assert!(store.written(id, &two, &findings("readme:missing"), at(5)).await.unwrap());
    let written = row().await;
    assert_eq!((written.commits.as_slice(), written.staged), (two.as_slice(), None));
    assert_eq!(written.findings, findings("readme:missing"));
    assert!(store.hands_off(id, at(6)).await.unwrap() && store.hands_off(id, at(7)).await.unwrap());
    assert_eq!(row().await.hands_off_at, Some(at(6)), "the first time counts");
    assert!(store.closing(id, State::Expired, at(8)).await.unwrap());
    assert_eq!(row().await.closing, Some(State::Expired));
    assert!(store.settle_outstanding(id, State::Open, at(9)).await.unwrap());
    assert_eq!(row().await.closing, None, "reopened");
}

#[rstest]
#[tokio::test]
async fn of_an_attempt_the_last_refusal_counts_as_long_as_it_is_in_force(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let refused = |attempt, because, when| Refused {
        attempt,
        because,
        why: "no\0".to_owned(),
        circumstances: "public main".to_owned(),
        at: at(when),
    };
    let files = Attempt::Open(Kind::Files);
    let (first, last) = (refused(files, Because::Rules, 1), refused(files, Because::Permission, 2));
    let other = refused(Attempt::Delete(Kind::License), Because::Other, 3);
    for one in [&first, &last, &other] {
        store.refused(RepositoryId(7), one).await.unwrap();
    }
    let in_force = async |now| -> Vec<Attempt> {
        let all = store.refusals(RepositoryId(7), now).await.unwrap();
        all.into_iter().map(|refused| refused.attempt).collect()
    };
    assert_eq!(in_force(at(4)).await, [Attempt::Delete(Kind::License), files]);
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    assert_eq!(in_force(at(2) + day).await, [Attempt::Delete(Kind::License)], "a permission waits a day");
    assert_eq!(in_force(at(3) + day * 30).await, []);
    assert_eq!(store.refusals(RepositoryId(8), at(4)).await.unwrap(), []);
}

#[rstest]
#[tokio::test]
async fn a_rollout_holds_all_kinds_together_and_is_known_by_what_is_in_force(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.begin_rollout(AGENCY, "fix", at(0)).await.unwrap();
    store.begin_rollout(AGENCY, "fix", at(50)).await.unwrap();
    let held = Brakes { open: 99, per_window: 99, pull_requests: 99, rollout: Some((at(0), 2)), ..brakes() };
    for (repository, kind) in [(7, Kind::Tracking), (7, Kind::Files)] {
        let begun = store.begin_outstanding(&new(repository, kind), held, at(1)).await.unwrap();
        assert!(matches!(begun, Begun::New { .. }), "{begun:?}");
    }
    let third = store.begin_outstanding(&new(8, Kind::Files), held, at(1)).await.unwrap();
    assert_eq!(third, Begun::Held(Brake::Rollout));
    let rollout = store.rollout(AGENCY, "fix").await.unwrap();
    assert_eq!((rollout.began_at, rollout.created, rollout.wanted), (Some(at(0)), 2, None));
    store.size_rollout(AGENCY, "fix", 500).await.unwrap();
    store.size_rollout(AGENCY, "fix", 3).await.unwrap();
    assert_eq!(store.rollout(AGENCY, "fix").await.unwrap().wanted, Some(500), "the first size counts");
    assert_eq!(store.rollout(AGENCY, "observe").await.unwrap(), Rollout::default());
    let agree = || async {
        let whose = (AGENCY, InstallationId(1));
        store.approve_rollout(whose, "fix", &super::rows::noted("approved"), &inspect(9), at(60)).await
    };
    assert!(agree().await.unwrap() && !agree().await.unwrap());
    assert!(store.rollout(AGENCY, "fix").await.unwrap().approved);
    assert_eq!((store.audit(None, 9).await.unwrap().len(), store.job_count().await.unwrap()), (1, 1));
}
