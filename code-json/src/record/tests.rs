use serde_json::json;

use super::*;

fn person() -> Provenance {
    Provenance::Person { file: "code.json".into() }
}

#[test]
fn the_table_is_in_the_order_of_the_fields() {
    for (at, about) in FIELDS.iter().enumerate() {
        assert_eq!(about.field as usize, at, "{about:?}");
        assert_eq!(Field::at(about.pointer), Some(about.field));
        assert_eq!(Field::near(&about.pointer.to_uppercase()), Some(about.field));
    }
}

#[test]
fn a_record_keeps_fields_in_order_and_what_nobody_knows() {
    let mut record = Record::new();
    record.set(Key::Other("/zeta".into()), 1, person());
    record.set(Field::Tags, json!(["a"]), Provenance::Fact);
    record.set(Key::Other("/alpha".into()), 2, person());
    record.set(Field::Name, "one", Provenance::Default);
    record.set(Field::Name, "two", person());
    let pointers: Vec<_> = record.entries().map(|(key, _)| key.pointer()).collect();
    assert_eq!(pointers, ["/name", "/tags", "/zeta", "/alpha"]);
    assert_eq!(record.text(Field::Name), Some("two"));
    assert_eq!(record.remove(&Field::Tags.into()).map(|s| s.from), Some(Provenance::Fact));
    assert_eq!(record.get(&Key::Other("/alpha".into())).map(|s| &s.value), Some(&json!(2)));
    assert_eq!((record.len(), record.value(Field::Tags)), (3, None));
}

#[test]
fn a_record_survives_as_json() {
    let mut record = Record::new();
    record.set(Field::Name, "one", person());
    let from = Provenance::Computed { method: "COCOMO II nominal".into(), version: "1".into() };
    record.set(Field::LaborHours, 12.5, from);
    record.set(Key::Other("/fisma/level~1".into()), json!({"a": [1]}), Provenance::Fact);
    let text = serde_json::to_string(&record).unwrap();
    insta::assert_snapshot!(text, @r#"{"/name":{"value":"one","from":{"person":{"file":"code.json"}}},"/laborHours":{"value":12.5,"from":{"computed":{"method":"COCOMO II nominal","version":"1"}}},"/fisma/level~1":{"value":{"a":[1]},"from":"fact"}}"#);
    assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
    assert!(serde_json::from_str::<Record>(r#"{"name": {"value": 1, "from": "fact"}}"#).is_err());
}
