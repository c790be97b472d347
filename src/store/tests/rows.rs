//! Installations, repositories, the ledger, policies, texts.

use super::*;
use crate::domain::finding::{FindingSet, RuleId};
use crate::domain::inventory::{FileState, Sources};
use crate::domain::repository::Visibility;

pub(super) const AGENCY: AccountId = AccountId(10);
pub(super) const HERE: InstallationId = InstallationId(1);
const ELSEWHERE: InstallationId = InstallationId(2);

pub(super) fn noted(what: &str) -> NewAudit {
    NewAudit {
        installation: Some(HERE),
        repository: Some(RepositoryId(7)),
        actor: None,
        what: what.to_owned(),
        detail: "{}".to_owned(),
    }
}

pub(super) fn declined() -> NewDecision {
    NewDecision {
        repository: RepositoryId(7),
        rule: None,
        findings: findings("readme:missing"),
        status: DecisionStatus::Declined,
        actor: AccountId(44),
        login: "maintainer".to_owned(),
        role: "write".to_owned(),
        via: "close".to_owned(),
        reason: None,
        until: Some(at(1000)),
        approver: None,
        evidence_url: Some("https://example.test/1".to_owned()),
    }
}

pub(super) fn seen(id: u64, name: &str) -> SeenRepository {
    SeenRepository {
        id: RepositoryId(id),
        node_id: format!("R_{id}"),
        installation: HERE,
        name: name.parse().unwrap(),
        visibility: Visibility::Public,
        archived: false,
    }
}

/// A judgement of the repository, read at that second, that found nothing.
pub(super) fn judged(id: u64, read_at: i64) -> Judged {
    Judged {
        seen: seen(id, "agency/site"),
        read_at: at(read_at),
        head: Some(oid('a')),
        policy_digest: "p".to_owned(),
        basis: None,
        due: Some(at(500)),
        skipped: None,
        report: "{\"report\":1}".to_owned(),
        findings: None,
        confirmed: false,
        wants: 0,
        audit: Vec::new(),
        entry: sources(),
    }
}

/// What is read of a repository without a file of its own.
pub(super) fn sources() -> Sources {
    Sources {
        url: "https://github.example.gov/agency/site".to_owned(),
        description: None,
        homepage: None,
        topics: Vec::new(),
        languages: Vec::new(),
        forks: 0,
        issues_enabled: true,
        created_at: at(0),
        pushed_at: None,
        licenses: Vec::new(),
        file: FileState::Absent,
        record: None,
    }
}

pub(super) fn findings(text: &str) -> FindingSet {
    text.parse().unwrap()
}

pub(super) fn oid(digit: char) -> ObjectId {
    std::iter::repeat_n(digit, 40).collect::<String>().parse().unwrap()
}

#[rstest]
#[tokio::test]
async fn installations_come_and_go(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let installation = Installation {
        id: HERE,
        account: AGENCY,
        login: "agency".to_owned(),
        suspended_at: None,
        removed_at: None,
        seen_at: at(0),
        permissions: Some("{}".to_owned()),
    };
    store.see_installation(&installation).await.unwrap();
    assert_eq!(store.installations().await.unwrap(), std::slice::from_ref(&installation));
    store.see_repositories(&[seen(7, "agency/site")], at(1)).await.unwrap();
    store.enqueue(&[inspect(7)], at(1)).await.unwrap();
    store.remove_installation(HERE, at(2)).await.unwrap();
    assert_eq!(store.installations().await.unwrap(), []);
    assert_eq!(store.installation(HERE).await.unwrap().unwrap().removed_at, Some(at(2)));
    assert_eq!(store.repository(RepositoryId(7)).await.unwrap().unwrap().removed_at, Some(at(2)));
    assert_eq!(store.job_count().await.unwrap(), 0);
    store.see_installation(&installation).await.unwrap();
    assert_eq!(store.installations().await.unwrap(), [installation], "it is back");
}

#[rstest]
#[tokio::test]
async fn repositories_are_known_by_id(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.see_repositories(&[seen(7, "agency/site"), seen(8, "agency/data")], at(0)).await.unwrap();
    let renamed = SeenRepository { visibility: Visibility::Private, ..seen(7, "agency/Home") };
    store.see_repositories(std::slice::from_ref(&renamed), at(100)).await.unwrap();
    let repository = store.repository(RepositoryId(7)).await.unwrap().unwrap();
    assert_eq!(repository.seen, renamed);
    assert_eq!((repository.first_seen_at, repository.seen_at), (at(0), at(100)));
    assert_eq!(store.remove_unseen(HERE, at(100), at(101)).await.unwrap(), 1);
    let left = store.repositories(HERE).await.unwrap();
    assert_eq!(left.iter().map(|repository| repository.seen.id.0).collect::<Vec<_>>(), [7]);
    assert_eq!(store.repositories(ELSEWHERE).await.unwrap(), []);
    store.remove_repository(RepositoryId(7), at(102)).await.unwrap();
    assert_eq!(store.repositories(HERE).await.unwrap(), []);
}

#[rstest]
#[tokio::test]
async fn a_judgement_commits_with_its_audit(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.see_repositories(&[seen(7, "agency/site")], at(0)).await.unwrap();
    assert_eq!(store.judged_head(RepositoryId(7)).await.unwrap(), None);
    let evaluations = async || store.repository(RepositoryId(7)).await.unwrap().unwrap().evaluations;
    assert_eq!(evaluations().await, None);
    let known = |set: &str, since, last, count| {
        Some(Evaluations {
            findings: findings(set),
            since: at(since),
            last: at(last),
            count,
            confirmed: false,
        })
    };
    for (now, set, expected) in [
        (10, Some("readme:missing"), known("readme:missing", 10, 10, 1)),
        (20, Some("readme:missing"), known("readme:missing", 10, 20, 2)),
        (30, None, known("readme:missing", 10, 20, 2)),
        (40, Some(""), known("", 40, 40, 1)),
        (50, Some(""), known("", 40, 50, 2)),
        (60, Some("readme:missing"), known("readme:missing", 60, 60, 1)),
    ] {
        let one = Judged { findings: set.map(findings), audit: vec![noted("judged")], ..judged(7, now) };
        assert_eq!(store.judged(&[one], &[], None, at(now)).await.unwrap(), 1);
        assert_eq!(evaluations().await, expected, "at {now}");
    }
    assert_eq!(store.judged_head(RepositoryId(7)).await.unwrap(), Some(oid('a')));
    let repository = store.repository(RepositoryId(7)).await.unwrap().unwrap();
    assert_eq!((repository.due, repository.judged_at), (Some(at(500)), Some(at(60))));
    // What was read before is older news: neither stored nor audited.
    let late = Judged { head: Some(oid('b')), audit: vec![noted("judged")], ..judged(7, 59) };
    assert_eq!(store.judged(&[late], &[], None, at(61)).await.unwrap(), 0);
    assert_eq!(store.judged_head(RepositoryId(7)).await.unwrap(), Some(oid('a')));
    // An event confirms what sweeps saw; other findings have to be confirmed anew.
    for (now, set, confirmed, expected) in
        [(70, "readme:missing", true, true), (80, "readme:missing", false, true), (90, "", false, false)]
    {
        let one = Judged { findings: Some(findings(set)), confirmed, ..judged(7, now) };
        store.judged(&[one], &[], None, at(now)).await.unwrap();
        assert_eq!(evaluations().await.unwrap().confirmed, expected, "at {now}");
    }
    assert_eq!(repository.report.as_deref(), Some("{\"report\":1}"));
    assert_eq!(store.audit(Some(RepositoryId(7)), 9).await.unwrap().len(), 6);
    assert_eq!(store.audit(Some(RepositoryId(8)), 9).await.unwrap(), []);
}

#[rstest]
#[tokio::test]
async fn a_row_nobody_understands_is_named(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.see_repositories(&[seen(7, "agency/site")], at(0)).await.unwrap();
    store.writer.execute("UPDATE repository SET visibility = 'secret'").await.unwrap();
    let text = store.repository(RepositoryId(7)).await.unwrap_err().to_string();
    assert!(text.contains("row 7 of table repository") && text.contains("\"secret\""), "{text}");
}

#[rstest]
#[tokio::test]
async fn decisions_are_kept_as_made(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let withdrawn = NewDecision {
        status: DecisionStatus::Withdrawn,
        rule: Some(RuleId::Readme),
        until: None,
        approver: Some(AccountId(45)),
        reason: Some("reopened".to_owned()),
        ..declined()
    };
    assert_eq!(store.decide(&declined(), &[], at(1)).await.unwrap(), 1);
    assert_eq!(store.decide(&withdrawn, &[noted("decline_withdrawn")], at(2)).await.unwrap(), 2);
    let decisions = store.decisions(RepositoryId(7)).await.unwrap();
    assert_eq!(decisions[0], Decision { id: 1, decided_at: at(1), decision: declined() });
    assert_eq!(decisions[1], Decision { id: 2, decided_at: at(2), decision: withdrawn });
    assert_eq!(store.decisions(RepositoryId(8)).await.unwrap(), []);
    let audit = store.audit(None, 9).await.unwrap();
    assert_eq!(audit, [AuditEntry { id: 1, noted_at: at(2), audit: noted("decline_withdrawn") }]);
}

#[rstest]
#[tokio::test]
async fn the_last_good_policy_stays(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    assert_eq!(store.policy(AGENCY).await.unwrap(), AccountPolicy::default());
    let good = TakenPolicy {
        oid: oid('a').to_string(),
        digest: "d".to_owned(),
        text: "mode: issue\n".to_owned(),
        taken_at: at(0),
    };
    let bad =
        PolicyRefusal { oid: oid('b').to_string(), why: "line 3: unknown key".to_owned(), refused_at: at(1) };
    store.take_policy(AGENCY, &good).await.unwrap();
    store.refuse_policy(AGENCY, &bad).await.unwrap();
    let both = AccountPolicy { taken: Some(good.clone()), refused: Some(bad) };
    assert_eq!(store.policy(AGENCY).await.unwrap(), both);
    let better = TakenPolicy { oid: oid('c').to_string(), taken_at: at(2), ..good };
    store.take_policy(AGENCY, &better).await.unwrap();
    assert_eq!(store.policy(AGENCY).await.unwrap(), AccountPolicy { taken: Some(better), refused: None });
    assert_eq!(store.policy(AccountId(11)).await.unwrap(), AccountPolicy::default());
    store.remove_policy(AGENCY).await.unwrap();
    assert_eq!(store.policy(AGENCY).await.unwrap(), AccountPolicy::default());
}
