//! Backups.

use super::adoption::installation;
use super::ledger::{unlock, written};
use super::rows::{AGENCY, declined, findings, seen};
use super::*;
use crate::domain::adoption::Ending;
use crate::domain::marker::Kind;
use crate::domain::outstanding::State;
use std::io::Cursor;

async fn backup(store: &Store, now: Timestamp) -> (Vec<u8>, BackedUp) {
    let mut bytes = Vec::new();
    let made = store.back_up(&mut bytes, now).await.unwrap();
    (bytes, made)
}

#[rstest]
#[tokio::test]
async fn a_backup_brings_everything_back_in_either_database(
    #[values(Dialect::Sqlite, Dialect::Postgres)] from: Dialect,
    #[values(Dialect::Sqlite, Dialect::Postgres)] to: Dialect,
) {
    let place = Place::new(from).await;
    let store = place.open().await;
    store.see_installation(&installation()).await.unwrap();
    store.bind_account("agency", AGENCY, at(0)).await.unwrap();
    store.see_repositories(&[seen(7, "agency/site")], at(0)).await.unwrap();
    store.begin_adoption(AGENCY, at(0)).await.unwrap();
    let begun = store.adoption(AGENCY).await.unwrap().unwrap();
    store.end_adoption(&begun, Ending::NothingFound, at(0)).await.unwrap();
    let policy = TakenPolicy {
        oid: "a".repeat(40),
        digest: "d".to_owned(),
        text: "mode: fix\n# ä \" \\ \u{1b}\n".to_owned(),
        taken_at: at(0),
    };
    store.take_policy(AGENCY, &policy).await.unwrap();
    let new = NewOutstanding {
        repository: RepositoryId(7),
        account: AGENCY,
        kind: Kind::Files,
        findings: findings("contributing:missing"),
    };
    let brakes = Brakes {
        window_from: at(0),
        per_window: 3,
        open: 5,
        pull_requests_from: at(0),
        pull_requests: 1,
        of_kind: None,
        rollout: None,
    };
    let Begun::New { id } = store.begin_outstanding(&new, brakes, at(1)).await.unwrap() else {
        panic!("it begins")
    };
    let commit = "c".repeat(40).parse().unwrap();
    store.opened(id, 3, "PR_3", Some(&commit), at(2)).await.unwrap();
    store.editing(id, &[at(1), at(2)], at(2)).await.unwrap();
    store.staged(id, &commit, at(2)).await.unwrap();
    store.closing(id, State::Expired, at(2)).await.unwrap();
    store.hands_off(id, at(2)).await.unwrap();
    store.begin_rollout(AGENCY, "fix", at(1)).await.unwrap();
    store.size_rollout(AGENCY, "fix", 500).await.unwrap();
    let (whose, agreed) = ((AGENCY, InstallationId(1)), super::rows::noted("rollout_approved"));
    assert!(store.approve_rollout(whose, "fix", &agreed, &inspect(9), at(2)).await.unwrap());
    written(&store).await;
    let (bytes, made) = backup(&store, at(3)).await;
    assert_eq!((made.entries, &made.broken), (8, &None));

    let new_place = Place::new(to).await;
    let other = new_place.open().await;
    let restored = other.restore(&mut Cursor::new(&bytes), at(9)).await.unwrap();
    assert_eq!(restored, made);
    assert_eq!(
        other.outstanding(RepositoryId(7)).await.unwrap(),
        store.outstanding(RepositoryId(7)).await.unwrap()
    );
    assert_eq!(
        other.decisions(RepositoryId(7)).await.unwrap(),
        store.decisions(RepositoryId(7)).await.unwrap()
    );
    let rollout = store.rollout(AGENCY, "fix").await.unwrap();
    assert_eq!((rollout.created, rollout.wanted, rollout.approved), (1, Some(500), true));
    assert_eq!(other.rollout(AGENCY, "fix").await.unwrap(), rollout);
    assert_eq!(other.policy(AGENCY).await.unwrap(), store.policy(AGENCY).await.unwrap());
    assert_eq!(other.bound_account("agency").await.unwrap(), Some(AGENCY));
    assert_eq!(other.installations().await.unwrap(), store.installations().await.unwrap());
    // The chain goes on from where it was, and says so.
    let verified = other.verify_ledger(Some(&made.head)).await.unwrap();
    assert_eq!((verified.entries, verified.broken), (9, None));
    assert_eq!(other.ledger(&LedgerFilter::default(), 1).await.unwrap()[0].what, "ledger_restored");
    // What people answered since is still to be learned.
    let adoption = other.adoption(AGENCY).await.unwrap().unwrap();
    assert_eq!((adoption.restored, adoption.listed_at, adoption.ended), (true, None, None));
    // Numbers go on too.
    let again = other.begin_outstanding(&new, brakes, at(9)).await.unwrap();
    assert!(matches!(again, Begun::Already(row) if row.number == Some(3)));
    assert_eq!(other.decide(&declined(), &[], at(9)).await.unwrap(), 3);
    let twice = other.restore(&mut Cursor::new(&bytes), at(9)).await.unwrap_err();
    assert!(matches!(twice, BackupError::NotEmpty), "{twice}");
}

#[tokio::test]
async fn a_file_that_was_spoilt_is_refused_and_nothing_is_restored() {
    let place = Place::new(Dialect::Sqlite).await;
    let store = place.open().await;
    written(&store).await;
    let (bytes, made) = backup(&store, at(3)).await;
    let text = String::from_utf8(bytes).unwrap();
    let new_place = Place::new(Dialect::Sqlite).await;
    let target = new_place.open().await;
    let lines: Vec<&str> = text.lines().collect();
    let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().join("\n") + "\n";
    let last = lines.len() - 1;
    for (spoilt, said) in [
        (String::new(), "cut short"),
        (lines[..last].join("\n") + "\n", "cut short"),
        (lines[..last - 1].join("\n") + "\n", "cut short"),
        (without(0), "does not begin a backup"),
        (without(1), "does not fit those before"),
        (text.replace("maintainer", "somebody"), "was changed after it was written"),
        (without(last - 2), "was removed from the chain"),
        (text.replace("\"declined\"", "\"waived\""), "was changed after it was written"),
        (text.clone() + "\n", "comes after the end"),
        (text.replace("{\"link\":", "{\"chain\":"), "is not one of a backup"),
        (text.replace(&format!("\"schema\":{}", open::known_version()), "\"schema\":99"), "at least as new"),
        (text.replacen("\"counter\":{", "\"counter\":{\"more\":1,", 1), "is not one of a backup"),
        ("x".repeat(5 * 1024 * 1024), "too long"),
    ] {
        let error = target.restore(&mut Cursor::new(&spoilt), at(9)).await.unwrap_err().to_string();
        assert!(error.contains(said), "{said}: {error}");
        assert_eq!(target.verify_ledger(None).await.unwrap().entries, 0, "{said}");
    }
    let read = verify_backup(&mut Cursor::new(&text), Some(&made.head)).unwrap();
    assert_eq!(read, made);
    let other = verify_backup(&mut Cursor::new(&text), Some(&"ab".repeat(32))).unwrap_err();
    assert!(matches!(other, BackupError::Broken(Broken::OtherChain)), "{other}");
    target.restore(&mut Cursor::new(&text), at(9)).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_broken_ledger_is_saved_and_said_to_be_broken(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    written(&store).await;
    unlock(&store).await;
    store.writer.execute("DELETE FROM audit WHERE id = 2").await.unwrap();
    let (bytes, made) = backup(&store, at(3)).await;
    assert_eq!(made.broken, Some(Broken::Missing { seq: 3, entry: "audit 2".to_owned() }));
    let lines = String::from_utf8(bytes.clone()).unwrap();
    assert_eq!(lines.matches("{\"link\":").count(), 5, "{lines}");
    let new_place = Place::new(dialect).await;
    let target = new_place.open().await;
    let refused = target.restore(&mut Cursor::new(&bytes), at(9)).await.unwrap_err();
    assert!(matches!(refused, BackupError::Broken(_)), "{refused}");
}

/// Whoever makes a table has to say whether a backup needs it.
#[tokio::test]
async fn every_table_is_saved_or_can_be_made_again() {
    let saved = [
        "adoption",
        "audit",
        "chain",
        "counter",
        "decision",
        "exemption_event",
        "forks",
        "installation",
        "listing",
        "opaque",
        "outstanding",
        "own_file",
        "own_file_answer",
        "pause",
        "policy",
        "repository",
        "rollout",
        "served_account",
        "traffic",
        "traffic_poll",
        "traffic_span",
    ];
    // The queue, what GitHub sends again, and what is read again.
    let made_again = [
        "answer",
        "content_write",
        "delivery",
        "delivery_record",
        "digest",
        "entry",
        "exemption_entry",
        "exemption_refusal",
        "exemption_register",
        "held",
        "import",
        "imported",
        "keeping",
        "kept",
        "labor",
        "missed_delivery",
        "own_file_said",
        "pace",
        "parked",
        "policy_refusal",
        "publication",
        "pull_request_check",
        "refusal",
        "schema_version",
        "sweep",
        "turn",
        "verification",
        "waiting",
        "work",
    ];
    let place = Place::new(Dialect::Sqlite).await;
    let store = place.open().await;
    let rows = store
        .writer
        .fetch_all("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .await
        .unwrap();
    let tables: std::collections::BTreeSet<String> =
        rows.iter().map(|row| row.try_get::<String, _>(0).unwrap()).collect();
    let known = saved.iter().chain(&made_again).map(|name| (*name).to_owned()).collect();
    assert_eq!(tables, known);
}
