//! What is known of a repository's own file, and what people answered.

use super::deliveries::delivery;
use super::rows::seen;
use super::*;
use crate::domain::own_file::questions;
use code_json::record::Field;

const HERE: RepositoryId = RepositoryId(7);
const AGENCY: AccountId = AccountId(9);

/// Somebody's answer, as it stands in a text.
fn said(actor: u64, line: &str, seconds: i64) -> SaidAnswer {
    let field = Field::AiUseCaseId;
    let text =
        format!("<!-- muster:ask {} -->\n- AI use case: {line}\n<!-- /muster:ask -->\n", field.pointer());
    SaidAnswer {
        pull_request: "PR_7:1".to_owned(),
        field,
        filled: questions::filled(&text, field).unwrap(),
        actor: AccountId(actor),
        login: "alice".to_owned(),
        said_at: at(seconds),
    }
}

async fn arrives(store: &Store, guid: &str, body: &'static str, said: SaidAnswer) -> Accepted {
    store.accept_answers(delivery(guid, body, 0), vec![], vec![(HERE, said)]).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn an_answer_waits_until_it_was_looked_at_and_the_newest_counts(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.see_repositories(&[seen(7, "agency/site")], at(0)).await.unwrap();
    assert_eq!(arrives(&store, "a", "1", said(5, "0", 1)).await, Accepted::New);
    assert_eq!(arrives(&store, "a", "1", said(6, "1", 2)).await, Accepted::Duplicate);
    // A body that came before is nobody's new word (threats W4).
    assert_eq!(arrives(&store, "b", "1", said(6, "1", 3)).await, Accepted::KnownBody);
    let first = store.answers_said(HERE).await.unwrap();
    assert_eq!(first, [said(5, "0", 1)]);
    // Another one comes while the first is looked at.
    arrives(&store, "c", "2", said(6, "2", 4)).await;
    let value = serde_json::json!("0");
    let taken = TakenAnswer { said: first[0].clone(), value: value.clone(), number: 1 };
    let audit = super::rows::noted("answered");
    store.take_own_answers(HERE, &[taken], &first, &[audit], at(5)).await.unwrap();
    assert_eq!(store.answers_said(HERE).await.unwrap(), [said(6, "2", 4)]);
    let known = store.own_file(AGENCY, HERE).await.unwrap();
    assert_eq!(known.said.answers.value(Field::AiUseCaseId), Some(&value));
    assert_eq!(known.said.answered_at, Some(at(5)));
    let all = store.own_files(AGENCY, InstallationId(1)).await.unwrap();
    assert_eq!(all.get(&HERE), Some(&known));
    assert_eq!(store.audit(Some(HERE), 9).await.unwrap().len(), 1);
}

#[rstest]
#[tokio::test]
async fn what_was_proposed_is_what_muster_wrote_once_it_is_merged(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.see_repositories(&[seen(7, "agency/site")], at(0)).await.unwrap();
    let written = || async { store.own_file(AGENCY, HERE).await.unwrap().said };
    store.own_file_merged(HERE).await.unwrap();
    assert_eq!(written().await.written, None, "nothing was proposed");
    store.propose_own_file(HERE, r#"{"/name":{"value":"site","from":"fact"}}"#).await.unwrap();
    store.own_file_carries(HERE, "substance").await.unwrap();
    assert_eq!((written().await.written, written().await.carries.as_deref()), (None, Some("substance")));
    for _ in 0..2 {
        store.own_file_merged(HERE).await.unwrap();
        let said = written().await;
        assert_eq!(said.written.unwrap().text(Field::Name), Some("site"));
        assert_eq!(said.carries, None);
    }
}
