use super::*;

const ACCOUNT: &str = r#"{"totals":{},"problems":[],"lines":[
    {"repository":1,"name":"agency/river","visibility":"public","state":"listed"},
    {"repository":2,"name":"agency/pond","visibility":"public","state":"incomplete","fields":["/description"],"why":null},
    {"repository":3,"name":"agency/lake","visibility":"public","state":"incomplete","fields":["/AIUseCaseID","/description"],"why":null},
    {"repository":4,"name":"agency/zebrafalcon","visibility":"private","state":"incomplete","fields":["/permissions/usageType"],"why":null},
    {"repository":5,"name":"agency/copy","visibility":"public","state":"excluded","rule":"mirror"},
    {"repository":6,"name":"agency/zebrafalcon-2","visibility":"private","state":"excluded","rule":"repositories.exclude: zebra*"},
    {"repository":7,"name":"agency/old","visibility":"public","state":"unknown","why":"404 | <b>","listed":false},
    {"repository":8,"name":"agency/known","visibility":"public","state":"unknown","why":"timeout","listed":true},
    {"repository":9,"name":"agency/secret","visibility":"private","state":"exempt","listed":false},
    {"repository":10,"name":"agency/.github","visibility":"public","state":"out-of-scope","why":"no code"},
    {"imported":"https://zebra.example/x","state":"incomplete","fields":["/tags"],"why":null}
]}"#;

fn stored() -> Stored<'static> {
    Stored {
        file: "code.json",
        account: ACCOUNT,
        accounted_at: "2026-11-22T14:05:09Z".parse().unwrap(),
        published_at: None,
        refused: true,
    }
}

fn gaps(ids: impl IntoIterator<Item = u64>, internal: bool) -> Gaps {
    let names = ids.into_iter().map(|id| (RepositoryId(id), format!("agency/no-{id}"))).collect();
    let made_public = MadePublic {
        repository: "agency/zebra-opened".to_owned(),
        before: "private",
        noticed_at: "2026-11-20T14:05:09Z".parse().unwrap(),
    };
    Gaps::of("XA", &[stored()], &names, internal.then(|| vec![made_public])).unwrap()
}

#[test]
fn the_sums_balance_and_only_what_may_be_named_is() {
    let public = gaps([1, 2, 3, 5, 7, 8, 10], false);
    let file = &public.files[0];
    assert!(file.totals.balance());
    assert_eq!((file.totals.seen, file.totals.entries), (11, 2));
    let not_named: usize = file.not_named.values().sum();
    assert_eq!(file.without.len() + not_named, file.totals.seen - file.totals.entries);
    let text =
        public.markdown() + &public.rows().concat().join(" ") + &serde_json::to_string(&public).unwrap();
    for told in ["zebra", "secret", "no-4", "no-6", "no-9"] {
        assert!(!text.contains(told), "{told}: {text}");
    }
    insta::assert_snapshot!("gaps", public.markdown());
    insta::assert_snapshot!(
        "gaps_rows",
        public.rows().iter().map(|row| row.join(" | ")).collect::<Vec<_>>().join("\n")
    );
    let inside = gaps(1..=10, true);
    assert!(inside.markdown().contains("For internal use"));
    assert!(inside.files[0].not_named.is_empty());
    assert!(inside.markdown().contains("\n| agency/zebra-opened | private | 2026-11-20T14:05:09Z |\n"));
    assert!(inside.rows().last().unwrap().contains(&words::NO_APPROVAL.to_owned()));
    assert!(inside.markdown().contains("import: https://zebra.example/x"));
}

#[test]
fn a_field_counts_what_it_holds_back_and_what_it_alone_does() {
    let file = &gaps([], false).files[0];
    let counts: Vec<(&str, usize, usize)> =
        file.fields.iter().map(|gap| (gap.field.as_str(), gap.entries, gap.alone)).collect();
    assert_eq!(
        counts,
        [("/description", 2, 1), ("/AIUseCaseID", 1, 0), ("/permissions/usageType", 1, 1), ("/tags", 1, 1)]
    );
}

#[test]
fn an_account_that_cannot_be_read_is_an_error() {
    for broken in ["", "{}", r#"{"lines":[{"repository":1,"state":"lost"}]}"#] {
        let stored = Stored { account: broken, ..stored() };
        assert!(Gaps::of("XA", &[stored], &HashMap::new(), None).is_err(), "{broken}");
    }
}
