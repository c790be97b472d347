use jiff::civil::date;

use super::*;
use crate::domain::{
    inventory::{Exempt, FileState, Hosts, Sources, import},
    repository::{AccountId, RepositoryId, RepositoryName},
};

const POLICY: &str = "
agency:
  policy: {url: 'https://agency.example.gov/open-source', adopted: 2025-06-20}
  acquisition: {url: 'https://agency.example.gov/far'}
repositories: {exclude: ['*-sandbox']}
inventory: {defaults: {maintenance: internal}}
";

fn sources(said: &[(Field, Value)], forks: u64, issues_enabled: bool, licenses: &[&str]) -> Sources {
    let mut record = Record::new();
    for (field, value) in said {
        record.set(*field, value.clone(), Provenance::Person { file: "code.json".to_owned() });
    }
    Sources {
        url: "https://github.com/agency/river".to_owned(),
        description: None,
        homepage: None,
        topics: Vec::new(),
        languages: Vec::new(),
        forks,
        issues_enabled,
        created_at: "2024-01-01T00:00:00Z".parse().unwrap(),
        pushed_at: None,
        licenses: licenses.iter().map(|&license| license.to_owned()).collect(),
        file: FileState::Read,
        record: Some(record),
    }
}

fn omb(measured: &traffic::Year, public_url: Option<&str>) -> Omb {
    omb_with(&[], measured, public_url)
}

fn omb_with(imported: &[Imported], measured: &traffic::Year, public_url: Option<&str>) -> Omb {
    let contracts = |numbers: &[&str]| (Field::ContractNumber, Value::from(numbers.to_vec()));
    let exempt = |usage| Exempt { usage, reason: "Yes.".to_owned(), basis: None };
    let (beyond, old) = (exempt(Usage::ExemptByNationalSecurity), exempt(Usage::ExemptByPolicyDate));
    let river = sources(&[(Field::Maintenance, "contract".into()), contracts(&["GS-1"])], 3, true, &["MIT"]);
    let lake = sources(&[contracts(&[])], 0, false, &["MIT"]);
    let quiet = sources(&[], 1, false, &[]);
    let (public, private, internal) = (Visibility::Public, Visibility::Private, Visibility::Internal);
    let seen = [
        ("river", public, Some(&river), None),
        ("lake", public, Some(&lake), None),
        ("zebra", private, Some(&quiet), None),
        ("zebra-2", internal, Some(&quiet), Some(&old)),
        ("zebra-3", private, Some(&quiet), Some(&beyond)),
        ("play-sandbox", public, Some(&quiet), None),
        (".github", public, Some(&quiet), None),
        ("unread", public, None, None),
    ];
    let names: Vec<RepositoryName> =
        seen.iter().map(|(name, ..)| format!("agency/{name}").parse().unwrap()).collect();
    let one = |(at, (_, visibility, sources, exempt)): (usize, &(&str, Visibility, _, _))| Seen {
        id: RepositoryId(at as u64),
        account: AccountId(1),
        name: &names[at],
        visibility: *visibility,
        archived: false,
        skipped: None,
        unknown: None,
        sources: *sources,
        clones: None,
        hours: None,
        uncounted: None,
        changed_at: None,
        former_urls: &[],
        answers: None,
        exempt: *exempt,
        opaque: None,
    };
    let seen: Vec<Seen<'_>> = seen.iter().enumerate().map(one).collect();
    let login: crate::domain::repository::Login = "agency".parse().unwrap();
    let agency = Agency {
        acronym: "XA".to_owned(),
        lead: login.clone(),
        organizations: vec![login],
        repository: None,
        may_commit: false,
        import_from: Hosts::default(),
    };
    let register = register::Report::of("2026".parse().unwrap(), date(2026, 11, 22), &[]);
    Omb::of(&agency, &Policy::parse(POLICY).unwrap(), &seen, imported, &register, measured, public_url)
}

/// One is public, one is not, and the others do not count.
fn year() -> traffic::Year {
    let span = |first, last| traffic::Span { first, last };
    let whole = span(date(2025, 11, 20), date(2026, 9, 30));
    let of = |clones, spans: &[traffic::Span]| traffic::Measured {
        clones,
        views: clones * 10,
        spans: spans.to_vec(),
    };
    let apart = [span(date(2025, 12, 1), date(2026, 1, 15)), span(date(2026, 3, 1), date(2026, 9, 30))];
    let all = [
        (0, of(7, &[whole])),
        (2, of(5, &apart)),
        // Beyond the law, excluded, no code, never read.
        (4, of(1000, &[whole])),
        (5, of(1000, &[whole])),
        (6, of(1000, &[whole])),
        (7, of(1000, &[whole])),
    ];
    traffic::Year(all.into_iter().map(|(id, measured)| (RepositoryId(id), measured)).collect())
}

#[test]
fn clones_and_views_say_of_how_many_repositories_and_since_when() {
    let reuse = omb(&year(), None).reuse;
    assert_eq!((reuse.clones, reuse.views), (Some(12), Some(120)));
    let expected = Measured { repositories: 2, from: date(2025, 11, 20), with_gaps: 1 };
    assert_eq!(reuse.measured, Some(expected));
}

#[test]
fn every_repository_is_counted_once() {
    let omb = omb(&traffic::Year::default(), None);
    let expected =
        Code { public: 2, not_public: 2, excluded: 1, out_of_scope: 1, beyond: 1, unknown: 1, imported: 0 };
    assert_eq!(omb.code, expected);
    let counted = expected.public + expected.not_public;
    assert_eq!(omb.maintenance.values().map(|said| said.repositories).sum::<usize>(), counted);
    assert_eq!(omb.maintenance["internal"], Said { repositories: 3, by_default: 3 });
    assert_eq!(omb.maintenance["contract"], Said { repositories: 1, by_default: 0 });
    assert_eq!(omb.feedback, Feedback { stated: 1, none: 3 });
    let contracts = &omb.contracts;
    assert_eq!((contracts.stated.repositories, contracts.none.repositories, contracts.not_said), (1, 1, 2));
    assert_eq!(omb.reuse, Reuse { forks: 5, forked: 3, ..Reuse::default() });
    assert!(omb.markdown().contains("- Clones in the fiscal year: not measured\n"));
    // What is older than the policy was never part of the measure.
    assert_eq!(omb.released, Released { open_source: 2, of: 3, per_mille: Some(667) });
}

#[test]
fn what_is_imported_counts_as_all_other_code_and_once() {
    let said = |name: &str, more: serde_json::Value| {
        let mut release =
            serde_json::json!({"name": name, "repositoryURL": format!("https://git.example.gov/{name}")});
        release.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        release
    };
    let releases = [
        said(
            "rain",
            serde_json::json!({
                "reuseFrequency": {"forks": 4}, "maintenance": "contract", "contractNumber": ["GS-2", "GS-3"],
                "feedbackMechanism": "https://git.example.gov/rain/issues", "permissions": {"usageType": ["openSource"]},
            }),
        ),
        said("snow", serde_json::json!({})),
        said("sleet", serde_json::json!({"repositoryVisibility": "private", "maintenance": "contract"})),
        said("fog", serde_json::json!({"permissions": {"usageType": ["exemptByNationalSecurity"]}})),
        // Two that GitHub has: river and lake stand under one address.
        said("river", serde_json::json!({"repositoryURL": "https://GitHub.com/agency/river.git"})),
        serde_json::json!("no object"),
    ];
    let bytes = serde_json::to_vec(&serde_json::json!({ "releases": releases })).unwrap();
    let imported = import::read(&bytes, "outside.json").unwrap();
    let nothing = traffic::Year::default();
    let (before, omb) = (omb(&nothing, None), omb_with(&imported, &nothing, None));
    let expected =
        Code { public: 4, not_public: 3, excluded: 2, out_of_scope: 1, beyond: 2, unknown: 2, imported: 6 };
    assert_eq!(omb.code, expected);
    let all = |code: &Code| {
        code.public + code.not_public + code.excluded + code.out_of_scope + code.beyond + code.unknown
    };
    assert_eq!(all(&omb.code), all(&before.code) + imported.len(), "everything is counted once");
    let counted = omb.code.public + omb.code.not_public;
    assert_eq!(omb.maintenance.values().map(|said| said.repositories).sum::<usize>(), counted);
    assert_eq!(omb.maintenance["contract"], Said { repositories: 2, by_default: 0 });
    assert_eq!(omb.maintenance["internal"], Said { repositories: 5, by_default: 5 });
    assert_eq!(omb.feedback, Feedback { stated: 2, none: 5 });
    assert_eq!(omb.reuse, Reuse { forks: 9, forked: 4, ..Reuse::default() });
    assert_eq!((omb.contracts.stated.repositories, omb.contracts.not_said), (2, 4));
    assert_eq!(omb.released, Released { open_source: 3, of: 6, per_mille: Some(500) });
}

#[test]
fn it_reads_as_an_auditor_wants_and_names_no_repository() {
    let omb = omb(&year(), Some("https://muster.example.gov/"));
    assert_eq!(omb.addresses.as_ref().unwrap()[0], "https://muster.example.gov/agencies/xa/code.json");
    let text = omb.markdown() + &omb.rows().concat().join(" ") + &serde_json::to_string(&omb).unwrap();
    for name in ["zebra", "river", "lake", "play-", "unread"] {
        assert!(!text.contains(name), "{name}: {text}");
    }
    insta::assert_snapshot!("omb", omb.markdown());
}

#[test]
fn the_year_that_is_due_is_the_last_that_is_over() {
    for (day, year) in [
        (date(2026, 9, 30), "2025"),
        (date(2026, 10, 1), "2026"),
        (date(2026, 12, 31), "2026"),
        (date(2027, 1, 1), "2026"),
    ] {
        assert_eq!(register::FiscalYear::over_by(day).to_string(), year, "{day}");
    }
}
