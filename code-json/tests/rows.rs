//! Every check finds its own example, and not the mended one; what it says of
//! repairs is so.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

use code_json::{
    check::{Check, Repair, Within},
    checks,
    document::Limits,
    repair::repair,
    validate::{Options, Report, validate},
};
use serde_json::{Value as Json, json};

fn gsa() -> Json {
    json!({
        "name": "badge-reader",
        "organization": "Office of Doors",
        "description": "Reads the badges at the doors of agency buildings.",
        "permissions": {"licenses": [{"name": "CC0-1.0", "URL": "https://x.gov/LICENSE"}], "usageType": "openSource"},
        "tags": ["badge"],
        "contact": {"email": "code@agency.example", "name": "Code office"},
        "repositoryURL": "https://github.com/example-agency/badge-reader",
        "laborHours": 1200
    })
}

fn gov() -> Json {
    let mut record = gsa();
    let more = json!({
        "permissions": {"licenses": [], "usageType": ["governmentWideReuse"]},
        "status": "Production",
        "repositoryVisibility": "public",
        "vcs": "git",
        "reuseFrequency": {"forks": 2},
        "languages": ["Rust"],
        "maintenance": "internal",
        "contractNumber": [],
        "SBOM": "None",
        "date": {},
        "feedbackMechanism": "https://github.com/example-agency/badge-reader/issues",
        "AIUseCaseID": "0"
    });
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    record
}

/// The record with the keys of the example; one that it does not name, if the
/// other text of the example does, goes.
fn over(mut base: Json, keys: &Json, other: &Json) -> Json {
    let object = base.as_object_mut().unwrap();
    for key in other.as_object().unwrap().keys() {
        object.remove(key);
    }
    object.extend(keys.as_object().unwrap().clone());
    base
}

fn file(check: &Check, text: &str, other: &str) -> Vec<u8> {
    let parse =
        |text: &str| -> Json { serde_json::from_str(text).unwrap_or_else(|e| panic!("{}: {e}", check.id)) };
    match (check.id, check.within) {
        ("json-encoding", _) if text.is_empty() => b"{\"name\": \"Bureau\x92s reader\"}".to_vec(),
        ("json-limits", _) if text.is_empty() => "[".repeat(100).into_bytes(),
        (_, Within::File) => text.as_bytes().to_vec(),
        (_, Within::Gsa) => over(gsa(), &parse(text), &parse(other)).to_string().into_bytes(),
        (_, Within::Gov) => over(gov(), &parse(text), &parse(other)).to_string().into_bytes(),
        (_, Within::Inventory) => {
            let (texts, others) = (parse(&format!("[{text}]")), parse(&format!("[{other}]")));
            let entries = texts.as_array().unwrap().iter().zip(others.as_array().unwrap());
            let releases: Vec<Json> = entries.map(|(keys, other)| over(gsa(), keys, other)).collect();
            json!({"version": "2.0.0", "agency": "X", "measurementType": {"method": "projects"}, "releases": releases})
                .to_string()
                .into_bytes()
        }
    }
}

fn judged(bytes: &[u8]) -> Report {
    let today = jiff::civil::date(2026, 11, 26);
    validate(bytes, &Options { today: Some(today), limits: Limits::default(), ..Options::default() })
}

#[test]
fn every_check_finds_its_example() {
    let mut wrongs = Vec::new();
    for check in checks::ALL.iter().flat_map(|subject| subject.iter()) {
        let wrong = file(check, check.wrong, check.right);
        let right = file(check, check.right, check.wrong);
        let found = |bytes: &[u8]| -> Vec<&str> {
            judged(bytes).problems.iter().map(|problem| problem.check.id).collect()
        };
        if !found(&wrong).contains(&check.id) {
            wrongs.push(format!("{} does not find its example: {:?}", check.id, found(&wrong)));
        }
        if found(&right).contains(&check.id) {
            wrongs.push(format!("{} finds its mended example", check.id));
        }
        if check.within != Within::File && !judged(&right).is_valid() {
            wrongs.push(format!("{}: the mended example has errors: {:?}", check.id, found(&right)));
        }
    }
    assert!(wrongs.is_empty(), "{}", wrongs.join("\n"));
}

#[test]
fn repairs_do_what_the_rows_say() {
    let mut wrongs = Vec::new();
    for check in checks::ALL.iter().flat_map(|subject| subject.iter()) {
        let wrong = file(check, check.wrong, check.right);
        let Ok(repaired) = repair(&wrong, &Options::default()) else { continue };
        let made = repaired.made.iter().any(|made| made.check.id == check.id);
        match check.repair {
            Repair::Person if made => wrongs.push(format!("{} was repaired", check.id)),
            Repair::Always | Repair::Sometimes if !made => {
                wrongs.push(format!("{} was not repaired: {}", check.id, repaired.text))
            }
            Repair::Always | Repair::Sometimes if check.within != Within::File => {
                let json = |text: &[u8]| -> Json { serde_json::from_slice(text).unwrap() };
                let right = json(&file(check, check.right, check.wrong));
                if json(repaired.text.as_bytes()) != right {
                    wrongs.push(format!("{}: {} is not {right}", check.id, repaired.text));
                }
            }
            Repair::Always | Repair::Sometimes if repaired.text.trim() != check.right => {
                wrongs.push(format!("{}: {} is not {}", check.id, repaired.text, check.right));
            }
            Repair::Always | Repair::Sometimes | Repair::Person => {}
        }
    }
    assert!(wrongs.is_empty(), "{}", wrongs.join("\n"));
}

#[test]
fn ids_are_unique_and_rows_complete() {
    let mut ids = std::collections::HashSet::new();
    for check in checks::ALL.iter().flat_map(|subject| subject.iter()) {
        assert!(ids.insert(check.id), "{} twice", check.id);
        assert_eq!(checks::named(check.id), Some(*check));
        assert!(!check.why.is_empty() && !check.source.is_empty() && !check.right.is_empty(), "{}", check.id);
        assert!(
            check.why.split('.').all(|sentence| sentence.split_whitespace().count() <= 20),
            "{}",
            check.id
        );
    }
    assert!(ids.len() > 50);
}

/// `UPDATE_DOCS=1` writes it.
#[test]
fn the_page_in_docs_is_that_of_the_rows() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/code-json-checks.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, checks::page()).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(page == checks::page(), "run this test with UPDATE_DOCS=1");
}
