use rstest::rstest;
use serde_json::{Value as Json, json};

use super::*;

fn read_json(value: &Json) -> Result<Vec<Imported>, Unusable> {
    read(value.to_string().as_bytes(), "outside.json")
}

/// `key: what` of each entry.
fn shown(entries: &[Imported]) -> String {
    let one = |one: &Imported| match &one.held {
        None => format!("{}: {}", one.key, one.record.text(Field::Name).unwrap_or_default()),
        Some(State::Incomplete { why, .. }) => format!("{}: {}", one.key, why.clone().unwrap_or_default()),
        Some(State::Excluded { rule }) => format!("{}: {rule}", one.key),
        Some(other) => format!("{}: {}", one.key, other.word()),
    };
    entries.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn release(name: &str) -> Json {
    json!({
        "name": name, "description": "Counts.", "repositoryURL": format!("https://git.example.gov/{name}.git"),
        "permissions": {"usageType": "openSource", "licenses": null}, "tags": [], "contact": {"email": "a@b.gov"},
        "laborHours": 1,
    })
}

#[rstest]
#[case::gsa_2(json!({"version": "2.0.0", "agency": "XA", "releases": [release("dam"), release("lake")]}))]
#[case::gsa_1(json!({"version": "1.0.1", "projects": [
    {"name": "dam", "repository": "https://git.example.gov/dam", "license": null, "openSourceProject": 1, "tags": [], "contact": {"email": "a@b.gov"}},
    {"name": "lake", "repository": "https://git.example.gov/lake", "license": null, "openSourceProject": 1, "tags": [], "contact": {"email": "a@b.gov"}}]}))]
#[case::list(json!([release("dam"), release("lake")]))]
#[case::several(json!({"XA": {"releases": [release("dam")]}, "XB": {"releases": [release("lake")]}}))]
#[case::gitlab(json!([
    {"name": "dam", "path_with_namespace": "x/dam", "web_url": "https://git.example.gov/dam", "visibility": "public"},
    {"name": "lake", "path_with_namespace": "x/lake", "web_url": "https://git.example.gov/lake", "visibility": "public"}]))]
#[case::doe_code(json!({"records": [
    {"software_title": "dam", "repository_link": "https://git.example.gov/dam"},
    {"software_title": "lake", "landing_page": "https://git.example.gov/lake"}]}))]
fn every_shape_is_read(#[case] file: Json) {
    assert_eq!(
        shown(&read_json(&file).unwrap()),
        "https://git.example.gov/dam: dam\nhttps://git.example.gov/lake: lake"
    );
}

#[test]
fn one_release_alone_is_an_inventory_of_one() {
    assert_eq!(shown(&read_json(&release("dam")).unwrap()), "https://git.example.gov/dam: dam");
    assert_eq!(read_json(&json!({"releases": []})), Ok(Vec::new()));
}

#[test]
fn a_broken_entry_is_known_by_its_place_and_stops_no_other() {
    let mut large = release("large");
    large["longDescription"] = "x".repeat(300 * 1024).into();
    let file = json!({"releases": [release("dam"), 7, {"tags": ["x"]}, large, null, release("lake")]});
    insta::assert_snapshot!(shown(&read_json(&file).unwrap()), @r"
https://git.example.gov/dam: dam
entry 2: entry 2 of the import is not an object
entry 3: entry 3 of the import has neither a name nor an address
entry 4: entry 4 of the import is larger than 256 KiB
entry 5: entry 5 of the import is not an object
https://git.example.gov/lake: lake
");
}

#[test]
fn what_is_not_public_keeps_its_name_and_address_alone() {
    let hidden = |key: &str, value: Json| {
        let mut one = release("falcon");
        one[key] = value;
        one
    };
    let security = json!({"usageType": "exemptByNationalSecurity", "exemptionText": "No."});
    let entries = read_json(&json!({"releases": [
        hidden("repositoryVisibility", "internal".into()), hidden("repositoryVisibility", "Private".into()),
        hidden("repositoryVisibility", json!(["public"])), hidden("repositoryVisibility", "who knows".into()),
        hidden("permissions", security),
    ]}))
    .unwrap();
    insta::assert_snapshot!(shown(&entries), @r"
https://git.example.gov/falcon: inventory.import: not public
https://git.example.gov/falcon (2): inventory.import: not public
https://git.example.gov/falcon (3): inventory.import: not public
https://git.example.gov/falcon (4): inventory.import: not public
https://git.example.gov/falcon (5): exempt
");
    for one in &entries {
        assert_eq!(one.record.len(), 2, "{one:?}");
    }
    let names: Vec<Option<String>> =
        entries.iter().map(|one| one.hidden_name().map(|name| name.to_string())).collect();
    assert_eq!(names[0], None, "an address of one part names no owner");
    let gitlab = json!([{"name": "falcon", "path_with_namespace": "air/birds/falcon", "visibility": "internal",
        "web_url": "https://git.example.gov/air/birds/falcon", "description": "Secret."},
        {"name": "owl", "path_with_namespace": "air/owl", "web_url": "https://git.example.gov/air/owl"}]);
    let entries = read_json(&gitlab).unwrap();
    let names: Vec<String> = entries.iter().filter_map(|one| Some(one.hidden_name()?.to_string())).collect();
    assert_eq!(names, ["birds/falcon", "air/owl"], "who does not say is not public");
}

#[test]
fn gitlab_states_what_github_states_too() {
    let entries = read_json(&json!([{
        "id": 7, "name": "Rain", "path_with_namespace": "office/rain", "description": "Counts drops.",
        "web_url": "https://git.example.gov/office/rain", "visibility": "public", "archived": true, "forks_count": 3,
        "topics": ["rain", " "], "namespace": {"name": "Office of Rain"}, "issues_enabled": true,
        "created_at": "2020-01-01T00:00:00.000Z", "last_activity_at": "2026-01-01T00:00:00.000Z",
        "license": {"key": "apache-2.0", "name": "Apache License 2.0"},
    }]))
    .unwrap();
    let said = |field| entries[0].record.value(field).unwrap().to_string();
    assert_eq!(said(Field::Status), "\"Archival\"");
    assert_eq!(said(Field::Tags), "[\"rain\"]");
    assert_eq!(said(Field::Organization), "\"Office of Rain\"");
    assert_eq!(
        said(Field::Licenses),
        "[{\"name\":\"Apache-2.0\",\"URL\":\"https://spdx.org/licenses/Apache-2.0.html\"}]"
    );
    assert_eq!(said(Field::Usage), "[\"openSource\"]");
    assert_eq!(said(Field::FeedbackMechanism), "\"https://git.example.gov/office/rain/-/issues\"");
}

#[test]
fn doe_code_says_nothing_of_the_law_that_keeps_code_back() {
    let entries = read_json(&json!([
        {"software_title": "Open", "open_source": true, "licenses": ["MIT License"], "repository_link": "https://x.example/a"},
        {"software_title": "Closed", "open_source": false, "licenses": ["Other"], "proprietary_url": "https://x.example/l"},
    ]))
    .unwrap();
    assert_eq!(entries[0].record.usage().collect::<Vec<_>>(), [Usage::OpenSource]);
    assert_eq!(entries[1].record.value(Field::Usage), None);
    assert_eq!(entries[1].record.value(Field::Licenses), None);
    assert_eq!(entries[1].key, "Closed", "one without an address is known by its name");
}

#[rstest]
#[case::truncated(br#"{"releases": [{"name": "dam", "description": "Cou"#)]
#[case::a_page(b"<!DOCTYPE html><title>Sign in</title>")]
#[case::nothing(b"")]
#[case::a_text(b"\"code\"")]
#[case::something_else(br#"{"message": "Not found", "documentation_url": "x"}"#)]
#[case::a_list_of_something_else(b"[1, 2, 3]")]
#[case::an_empty_list_is_an_inventory_of_nothing_else(br#"{"a": {"b": []}}"#)]
fn what_is_no_inventory_is_refused_as_a_whole(#[case] bytes: &[u8]) {
    let refused = read(bytes, "outside.json").unwrap_err().to_string();
    assert!(
        refused.starts_with("it cannot be read as JSON, line 1: ")
            || refused.starts_with("it is no inventory"),
        "{refused}"
    );
}

#[test]
fn limits_are_kept() {
    let many = Json::Array(vec![json!({"name": "a", "tags": []}); MOST_ENTRIES + 1]);
    assert_eq!(read_json(&many), Err(Unusable::TooMany(MOST_ENTRIES + 1)));
    let large = vec![b' '; MOST_BYTES + 1];
    assert!(read(&large, "x").unwrap_err().to_string().contains("larger than"));
    let deep = "[".repeat(100_000);
    assert!(read(deep.as_bytes(), "x").unwrap_err().to_string().contains("nested"));
    let values = format!("[{}0]", "0,".repeat(2_000_001));
    assert!(read(values.as_bytes(), "x").unwrap_err().to_string().contains("values"));
}

#[rstest]
#[case(100, 97, true)]
#[case(100, 96, false)]
#[case(1000, 980, true)]
#[case(1000, 979, false)]
#[case(3, 1, true)]
#[case(3, 0, false)]
#[case(0, 0, true)]
fn an_import_shrinks_by_the_rule_of_the_guard(
    #[case] before: usize,
    #[case] now: usize,
    #[case] allowed: bool,
) {
    let list = |count| {
        let all: Vec<Json> = (0..count).map(|n| release(&format!("site-{n}"))).collect();
        read_json(&json!({ "releases": all })).unwrap()
    };
    let (before, now) = (list(before), list(now));
    assert_eq!(not_shrunk(&before, &now).is_ok(), allowed);
}
