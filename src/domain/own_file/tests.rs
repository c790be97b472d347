use code_json::record::Field;
use proptest::prelude::*;
use serde_json::json;

use super::{
    questions::{self, Heard},
    *,
};
use crate::domain::{
    outgoing::PublicText,
    repository::{Visibility, testing::Sample},
};

const NOW: &str = "2026-11-17T15:00:00Z";

fn policy(more: &str) -> Policy {
    Policy::parse(&format!("mode: fix\nrules: {{code-json: {{file: required}}}}\n{more}")).unwrap()
}

const AGENCY: &str = "agency: {acronym: XA, name: Example Agency, contact: {name: Office, email: oss@example.gov}}\n\
    inventory: {defaults: {status: Production, maintenance: internal, contract_number: [], labor_hours: 0}}\n";

fn site() -> Sample {
    Sample::complete("agency/site").with(|r| r.description = Some("Counts birds.".to_owned()))
}

fn proposed(policy: &Policy, sample: Sample, said: &Said) -> Option<(String, OwnFile)> {
    propose(policy, &sample.snapshot(), &["MIT".to_owned()], said, NOW.parse().unwrap())
}

#[test]
fn a_new_file_says_what_is_known_and_asks_for_the_rest() {
    let (text, own) = proposed(&policy(AGENCY), site(), &Said::default()).unwrap();
    insta::assert_snapshot!(text);
    assert_eq!(own.open, [Field::AiUseCaseId]);
    let defaults = [Field::Status, Field::Organization, Field::LaborHours, Field::Maintenance];
    assert!(defaults.iter().all(|field| own.defaults.contains(field)), "{:?}", own.defaults);
    assert_eq!(own.over, None);
    // Without an agency's word nothing is made up.
    let (text, own) = proposed(&policy(""), site(), &Said::default()).unwrap();
    for word in ["status", "maintenance", "contractNumber", "AIUseCaseID", "exempt", "email"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    assert!(own.defaults.is_empty() && own.open.len() > 5, "{own:?}");
}

#[test]
fn what_is_mended_keeps_the_bytes_of_people() {
    let old = "{\r\n\t\"zebra\": {\"b\": 1.50,  \"a\": [ ]},\r\n\t\"name\":  \"Birds\",\r\n\t\"description\": \"Our own words.\",\r\n\t\
        \"repositoryURL\": \"https://github.example.gov/agency/old\",\r\n\t\"permissions\": {\"licenses\": [], \"usageType\": [\"openSource\"]},\r\n\t\
        \"contact\": {\"email\": \"team@example.gov\", \"phone2\": 7},\r\n\t\"laborHours\": 1e2\r\n}";
    let sample = || {
        site().file("code.json", old).with(|r| {
            r.former_urls = vec!["https://github.example.gov/agency/old".to_owned()];
        })
    };
    let (text, own) = proposed(&policy(AGENCY), sample(), &Said::default()).unwrap();
    assert!(own.over.is_some());
    for kept in [
        "\t\"zebra\": {\"b\": 1.50,  \"a\": [ ]},\r\n\t\"name\":  \"Birds\",\r\n",
        "\"Our own words.\"",
        "\"email\": \"team@example.gov\"",
        "\"laborHours\": 1e2",
    ] {
        assert!(text.contains(kept), "{kept}\n{text}");
    }
    assert!(
        text.contains("https://github.example.gov/agency/site\"") && !text.contains("agency/old"),
        "{text}"
    );
    assert!(!text.replace("\r\n", "").contains('\n'), "line ends");
    assert_eq!(own.open, [Field::AiUseCaseId]);
    assert!(own.sets.contains(&"/repositoryURL".to_owned()), "{:?}", own.sets);
}

#[test]
fn what_a_person_must_mend_is_left_alone() {
    for (what, text) in [
        ("no JSON", "{\"name\": "),
        ("equal keys", "{\"name\": \"a\", \"name\": \"b\"}"),
        ("an inventory", r#"{"version": "2.0.0", "releases": [{"name": "a"}, {"name": "b"}]}"#),
        ("a list", r#"[{"name": "a"}]"#),
    ] {
        assert_eq!(
            proposed(&policy(AGENCY), site().file("code.json", text), &Said::default()),
            None,
            "{what}"
        );
    }
    let link = site().entry("code.json", EntryKind::Link);
    assert_eq!(proposed(&policy(AGENCY), link, &Said::default()), None);
}

#[test]
fn what_moves_by_itself_is_no_reason() {
    let answered = || {
        let mut said = Said::default();
        said.answered(Field::AiUseCaseId, json!("0"), 5, NOW.parse().unwrap());
        said
    };
    let (text, own) = proposed(&policy(AGENCY), site(), &answered()).unwrap();
    assert_eq!(own.open, []);
    let merged = Said { written: serde_json::from_str(&own.written).ok(), ..answered() };
    let again = |sample: Sample| proposed(&policy(AGENCY), sample.file("code.json", &text), &merged);
    assert_eq!(again(site()), None);
    let moved = site().with(|r| {
        (r.forks, r.pushed_at) = (70, Some("2026-11-01T00:00:00Z".parse().unwrap()));
        r.description = Some("Counts more birds.".to_owned());
        r.languages = vec!["Rust".to_owned()];
    });
    assert_eq!(again(moved), None);
    // But a repository that is not public any more is.
    let (text, _) = again(site().with(|r| r.visibility = Visibility::Private)).unwrap();
    assert!(text.contains("\"repositoryVisibility\": \"private\""), "{text}");
}

fn body(open: &[Field], before: Option<&str>, policy: &Policy) -> String {
    let text = PublicText::about(Visibility::Public);
    questions::write(text, open, before, policy).for_operator().to_owned()
}

fn answer(body: &str, line: &str, with: &str) -> String {
    assert!(body.contains(line), "{line}\n{body}");
    body.replace(line, with)
}

/// What is heard of a field in an edited text.
fn heard(before: &str, after: &str, policy: &Policy) -> Vec<(Field, Heard)> {
    let changed = questions::changed(before, after).into_iter();
    changed.map(|(field, filled)| (field, questions::heard(field, &filled, policy))).collect()
}

#[test]
fn at_most_five_are_asked_and_every_way_to_answer_is_heard() {
    let policy = policy("");
    let all: Vec<Field> = code_json::record::FIELDS.iter().map(|about| about.field).collect();
    assert_eq!(body(&all, None, &policy).matches("<!-- muster:ask ").count(), 5);
    let one = |field: Field, line: &str, with: &str| {
        let before = body(&[field], None, &policy);
        let after = answer(&before, line, with).replace('\n', "\r\n");
        match heard(&before, &after, &policy).as_slice() {
            [(found, heard)] if *found == field => heard.clone(),
            other => panic!("{other:?}"),
        }
    };
    let value = |value: serde_json::Value| Heard::Value(value);
    assert_eq!(one(Field::Status, "- [ ] Beta", "- [x] Beta"), value(json!("Beta")));
    assert_eq!(
        one(Field::Usage, "- [ ] Federal agencies", "- [X] Federal agencies"),
        value(json!(["governmentWideReuse"]))
    );
    assert_eq!(
        one(Field::ContactEmail, "e-mail:", "e-mail: team@example.gov"),
        value(json!("team@example.gov"))
    );
    assert_eq!(one(Field::ContractNumber, "numbers:", "numbers: None"), value(json!([])));
    assert_eq!(one(Field::ContractNumber, "numbers:", "numbers: 47B, 12-C"), value(json!(["12-C", "47B"])));
    assert_eq!(one(Field::LaborHours, "Hours:", "Hours: 1,200"), value(json!(1200)));
    assert_eq!(one(Field::AiUseCaseId, "case:", "case: `0`"), value(json!("0")));
    let license = |id: &str| value(json!([{"name": id, "URL": code_json::license::page(id)}]));
    assert_eq!(
        one(Field::Licenses, "- [ ] Federal employees", "- [x] Federal employees"),
        license("CC0-1.0")
    );
    let refused = |heard: Heard| matches!(heard, Heard::Refused(_));
    assert!(refused(one(Field::Licenses, "- [ ] A contractor", "- [x] A contractor")), "which license?");
    assert!(refused(one(Field::Licenses, "identifier):", "identifier): MIT")), "who wrote it?");
    assert!(refused(one(Field::Licenses, "- [ ] Both", "- [x] Both")), "counsel");
    for (field, line, with) in [
        (Field::Status, "- [ ] Beta", "- [x] Gamma"),
        (Field::Status, "- [ ] Beta\n- [ ] Release", "- [x] Beta\n- [x] Release"),
        (Field::Usage, "- [ ] Everyone", "- [x] exemptByLaw, not everyone"),
        (Field::ContactEmail, "e-mail:", "e-mail: call us"),
        (Field::LaborHours, "Hours:", "Hours: many"),
        (Field::Organization, "Organization:", "Organization: <!-- muster:v1 --> x"),
        (Field::Organization, "Organization:", "Organization: a\u{202e}b"),
        (Field::Description, "Description:", &format!("Description: {}", "x".repeat(301))),
        (Field::FeedbackMechanism, "address:", "address: javascript:alert(1)"),
    ] {
        assert!(refused(one(field, line, with)), "{field:?} {with}");
    }
}

#[test]
fn only_what_an_edit_changed_is_heard_and_what_cannot_be_taken_stays() {
    let policy = policy("");
    let open = [Field::Status, Field::Organization];
    let before = body(&open, None, &policy);
    let ticked = answer(&before, "- [ ] Alpha", "- [x] Alpha");
    let both = answer(&ticked, "Organization:", "Organization: Bureau of @birds");
    // The box was ticked by somebody else, earlier.
    let fields: Vec<Field> = heard(&ticked, &both, &policy).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, [Field::Organization]);
    let taken_back = heard(&both, &before, &policy);
    assert_eq!(taken_back, [(Field::Status, Heard::Nothing), (Field::Organization, Heard::Nothing)]);
    // A place that stands twice is nobody's.
    assert_eq!(heard(&before, &format!("{both}{both}"), &policy), []);
    let odd = answer(&before, "Organization:", "Organization: a\u{202e}b");
    let again = body(&open, Some(&odd), &policy);
    assert!(again.contains("\\u{202e}") && again.contains("characters that may hide"), "{again}");
    assert_eq!(questions::notes(&open, &before, &policy), "");
    assert_ne!(questions::notes(&open, &odd, &policy), "");
    // A tick that nobody with the right has made.
    let unheard = body(&open, Some(&ticked), &policy);
    assert!(unheard.contains("- [x] Alpha") && unheard.contains("someone who can write here"), "{unheard}");
    assert_eq!(body(&open, Some(&unheard), &policy), unheard, "once more changes nothing");
}

#[test]
fn an_exemption_and_prose_do_not_come_from_the_control_repository() {
    let mut control = Record::new();
    let from = || Provenance::Person { file: "records/7.json".to_owned() };
    control.set(Field::Description, "Sister of agency/secret", from());
    control.set(Field::Usage, json!(["exemptByCIO"]), from());
    control.set(Field::Status, "Beta", from());
    control.set(Field::ContractNumber, json!(["47-B"]), from());
    let mut said = Said::default();
    said.answered(Field::Status, json!("Alpha"), 3, NOW.parse().unwrap());
    said.take_over(&control);
    let fields: Vec<&str> = said.answers.entries().map(|(key, _)| key.pointer()).collect();
    assert_eq!(fields, ["/status", "/contractNumber"]);
    assert_eq!(said.answers.text(Field::Status), Some("Alpha"));
}

fn values() -> impl Strategy<Value = serde_json::Value> {
    let text = prop_oneof![
        Just(String::new()),
        "[a-z]{1,8}",
        Just("https://github.example.gov/agency/old".to_owned())
    ];
    prop_oneof![
        text.prop_map(serde_json::Value::from),
        Just(json!(null)),
        Just(json!([])),
        Just(json!({})),
        (0u32..9).prop_map(|n| json!(n)),
        Just(json!(["openSource"])),
        Just(json!([{"name": "MIT"}])),
        Just(json!([{"name": "Apache-2.0", "URL": "https://spdx.org/licenses/Apache-2.0.html"}])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn proposing_again_after_a_merge_proposes_nothing(
        there in proptest::option::of(proptest::collection::btree_map(
            prop::sample::select(vec!["name", "description", "status", "permissions", "contact", "repositoryURL",
                "repositoryVisibility", "vcs", "tags", "laborHours", "languages", "custom", "organization"]),
            values(), 0..13)),
        answers in any::<bool>(),
        agency in any::<bool>(),
        private in any::<bool>(),
    ) {
        let policy = policy(if agency { AGENCY } else { "" });
        let sample = || {
            let sample = site().with(|r| {
                r.former_urls = vec!["https://github.example.gov/agency/old".to_owned()];
                r.visibility = if private { Visibility::Private } else { Visibility::Public };
            });
            match &there {
                Some(map) => sample.file("code.json", &serde_json::to_string_pretty(map).unwrap()),
                None => sample,
            }
        };
        let mut said = Said::default();
        if answers {
            said.answered(Field::Status, json!("Beta"), 5, NOW.parse().unwrap());
            said.answered(Field::ContactEmail, json!("a@example.gov"), 5, NOW.parse().unwrap());
        }
        if let Some((text, own)) = proposed(&policy, sample(), &said) {
            let merged = Said { written: serde_json::from_str(&own.written).ok(), ..said };
            let again = proposed(&policy, sample().file("code.json", &text), &merged);
            prop_assert_eq!(again, None, "after\n{}", text);
        }
    }
}
