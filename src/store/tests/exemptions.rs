//! The register of exemptions and its history.

use super::adoption::installation;
use super::rows::{AGENCY, HERE, seen};
use super::*;
use crate::domain::exemptions::{
    Entry, Place as Seen, Register, Standing, Trust,
    verify::{Proof, Way},
};
use jiff::civil::date;
use std::io::Cursor;

fn entry(id: u64) -> Entry {
    let text = format!(
        "exemptions:\n- {{id: {id}, usage: exemptByFOIA, reason: \"It's ä\", requested_by: 1, approved_by: 9, \
         role: cio, applied_from: 2020-01-01}}\n"
    );
    let exemption = Register::parse(&text, &Seen::private()).unwrap().exemptions.remove(0);
    let commit = "a".repeat(40).parse().unwrap();
    let proof = Proof { pull_request: 1, commit, by: AccountId(6), way: Way::CodeOwner };
    Entry { exemption, trust: Some(Trust::Verified(proof)) }
}

fn register(seconds: i64) -> TakenRegister {
    TakenRegister {
        repository: RepositoryId(70),
        head: "b".repeat(40),
        oid: "c".repeat(40),
        annex: 2,
        read_at: at(seconds),
    }
}

async fn take(store: &Store, entries: &[Entry], seconds: i64) -> usize {
    let register = register(seconds);
    let new = Some((&register, entries));
    store.take_register((AGENCY, HERE), &[AGENCY], new, at(seconds)).await.unwrap().len()
}

#[rstest]
#[tokio::test]
async fn a_register_stays_until_a_good_one_takes_its_place(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.see_installation(&installation()).await.unwrap();
    store.see_repositories(&[seen(7, "agency/site"), seen(8, "agency/data")], at(0)).await.unwrap();
    let known = async || store.exemptions(AGENCY, &[AGENCY]).await.unwrap();
    assert_eq!(known().await, Exemptions::default());
    assert_eq!(take(&store, &[entry(8), entry(7), entry(9)], 1).await, 2, "nobody has seen 9");
    assert_eq!(take(&store, &[entry(8), entry(7), entry(9)], 2).await, 0);
    let today = date(2026, 1, 1);
    let standing =
        |known: &Exemptions| known.entries.iter().map(|entry| entry.standing(today)).collect::<Vec<_>>();
    let first = known().await;
    assert_eq!(first.register, Some(register(2)));
    assert_eq!(standing(&first), [Standing::Granted, Standing::Granted, Standing::Void]);
    assert!(first.proof(&entry(9).exemption.digest()).is_some(), "what was seen need not be seen again");
    assert_eq!(store.registers().await.unwrap(), [AGENCY]);
    // Of another agency nothing holds.
    let elsewhere = store.exemptions(AGENCY, &[AccountId(11)]).await.unwrap();
    assert_eq!(standing(&elsewhere), [Standing::Void; 3]);
    let refusal = RegisterRefusal { oid: None, why: "it cannot be read".to_owned(), refused_at: at(3) };
    store.refuse_register(AGENCY, &refusal).await.unwrap();
    let refused = known().await;
    assert_eq!((refused.refused.clone(), &refused.entries), (Some(refusal), &first.entries));
    // Out of reach is out at once; the history learns of it with the next read.
    store.remove_repository(RepositoryId(7), at(4)).await.unwrap();
    assert_eq!(known().await.in_force(today).map(|exemption| exemption.id.0).collect::<Vec<_>>(), [8]);
    assert_eq!(take(&store, &[entry(8), entry(7)], 5).await, 1);
    assert_eq!(known().await.refused, None);
    assert_eq!(store.take_register((AGENCY, HERE), &[AGENCY], None, at(6)).await.unwrap().len(), 1);
    let last = known().await;
    assert_eq!((last.register, last.entries.len(), last.history.all().count()), (None, 0, 2));
    let whats: Vec<String> =
        store.audit(None, 10).await.unwrap().into_iter().map(|entry| entry.audit.what).collect();
    assert_eq!(whats, ["exemption_ended", "exemption_ended", "exemption_began", "exemption_began"]);
}

#[rstest]
#[tokio::test]
async fn what_was_in_force_is_only_added_to_and_goes_into_a_backup(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.see_installation(&installation()).await.unwrap();
    store.see_repositories(&[seen(7, "agency/site")], at(0)).await.unwrap();
    take(&store, &[entry(7)], 1).await;
    take(&store, &[], 2).await;
    for refused in ["DELETE FROM exemption_event", "UPDATE exemption_event SET happened_at = 0"] {
        let error = store.writer.execute(refused).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    let mut bytes = Vec::new();
    store.back_up(&mut bytes, at(3)).await.unwrap();
    let new_place = Place::new(dialect).await;
    let target = new_place.open().await;
    target.restore(&mut Cursor::new(&bytes), at(9)).await.unwrap();
    let before = store.exemptions(AGENCY, &[AGENCY]).await.unwrap().history;
    let after = target.exemptions(AGENCY, &[AGENCY]).await.unwrap();
    assert_eq!((after.history, after.register), (before, None));
    assert_eq!(take(&target, &[entry(7)], 10).await, 1, "it goes on with the next number");
}
