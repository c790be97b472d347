//! Any record, for property tests.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{FIELDS, Field, Key, Kind, Provenance, Record, Usage};

/// A value that somebody might write into a field, in the right form or not.
fn value(field: Field) -> BoxedStrategy<Value> {
    let odd = prop_oneof![
        Just(json!(null)),
        Just(json!(7)),
        Just(json!(-1.5)),
        Just(json!("odd")),
        Just(json!(["odd", 1])),
        Just(json!({"a": []}))
    ];
    let right: BoxedStrategy<Value> = match field.about().kind {
        Kind::Text if field == Field::ContactEmail => "[ab]{1,2}@example\\.gov".prop_map(Value::from).boxed(),
        Kind::Text => "[ab]{1,2}".prop_map(Value::from).boxed(),
        Kind::Date => one_of(&["2026-01-02", "2026-1-2", "2026-01-02T03:04:05Z", "2026-01-02 03:04"]).boxed(),
        Kind::Url => "[ab]{1,2}".prop_map(|name| json!(format!("https://github.com/agency/{name}"))).boxed(),
        Kind::Number | Kind::Count => (0..400u32).prop_map(|number| json!(number)).boxed(),
        Kind::Texts => proptest::collection::btree_set("[a-d]", 0..4)
            .prop_map(|texts| json!(texts))
            .prop_flat_map(|list| prop_oneof![Just(list.clone()), Just(reversed(list))])
            .boxed(),
        Kind::Choice(choices) => (0..choices.len()).prop_map(move |at| json!(choices[at])).boxed(),
        Kind::Usage => proptest::collection::vec(one_of(Usage::NAMES), 0..3).prop_map(Value::from).boxed(),
        Kind::Licenses => proptest::collection::vec(license(), 0..3).prop_map(Value::from).boxed(),
        Kind::Items(keys) => proptest::collection::vec(item(keys), 0..3).prop_map(Value::from).boxed(),
    };
    prop_oneof![9 => right, 1 => odd].boxed()
}

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = Value> {
    (0..texts.len()).prop_map(|at| json!(texts[at]))
}

fn license() -> impl Strategy<Value = Value> {
    let names =
        one_of(&["MIT", "mit license", "Apache-2.0", "GPL-2.0", "NASA-1.3", "Other", "None", "NASA v3"]);
    let urls = one_of(&["https://opensource.org/licenses/MIT", "https://example.gov/LICENSE", "none"]);
    (proptest::option::of(names), proptest::option::weighted(0.7, urls)).prop_map(|(name, url)| {
        match (name, url) {
            (Some(name), Some(url)) => json!({"name": name, "URL": url}),
            (Some(name), None) => json!({"name": name, "text": "x"}),
            (None, Some(url)) => json!({"URL": url}),
            (None, None) => json!({"text": 1}),
        }
    })
}

fn item(keys: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let values =
        prop_oneof![6 => Just(json!("https://example.gov")), 1 => Just(json!("x")), 1 => Just(json!(true))];
    let key = prop_oneof![9 => (0..keys.len()).prop_map(|at| keys[at]), 1 => Just("text")];
    proptest::collection::btree_map(key, values, 1..4).prop_map(|item| json!(item))
}

fn reversed(mut list: Value) -> Value {
    if let Value::Array(list) = &mut list {
        list.reverse();
    }
    list
}

/// Records with up to a dozen fields and a few keys that no version knows.
pub(crate) fn records(from: Provenance) -> impl Strategy<Value = Record> {
    let fields = proptest::collection::vec((0..FIELDS.len()).prop_map(|at| FIELDS[at].field), 0..12);
    let entries = fields.prop_flat_map(|fields| {
        fields.into_iter().map(|field| (Just(field), value(field))).collect::<Vec<_>>()
    });
    let places = prop_oneof![3 => "/[xy]{1,2}", 1 => "/(contact|date|permissions|reuseFrequency)/[xy]"];
    let others = proptest::collection::btree_map(places, 0..9u8, 0..3);
    (entries, others).prop_map(move |(entries, others)| {
        let mut record = Record::new();
        for (field, value) in entries {
            record.set(field, value, from.clone());
        }
        for (pointer, value) in others {
            record.set(Key::Other(pointer.into()), value, from.clone());
        }
        record
    })
}
