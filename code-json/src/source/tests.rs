use super::*;
use crate::record::Field;

fn lines(record: &Record) -> String {
    record.entries().map(|(key, sourced)| format!("{key} {}\n", sourced.value)).collect()
}

#[test]
fn codeinventory_is_code_json_in_yaml() {
    let text = "
name: Product One
description: >
  What it does,
  in a sentence.
license: https://example.gov/license
openSourceProject: 1
governmentWideReuseProject: 1
tags: [one, two]
contact:
  email: a@example.gov
custom: 7
";
    let (record, _) = codeinventory(text, ".codeinventory.yml").unwrap();
    insta::assert_snapshot!(lines(&record), @r#"
    /name "Product One"
    /description "What it does, in a sentence."
    /permissions/licenses [{"URL":"https://example.gov/license"}]
    /permissions/usageType ["openSource"]
    /tags ["one","two"]
    /contact/email "a@example.gov"
    /custom 7
    "#);
    let from = Provenance::Person { file: ".codeinventory.yml".into() };
    assert!(record.entries().all(|(_, sourced)| sourced.from == from));
}

#[test]
fn publiccode_is_read_field_by_field() {
    let text = "
publiccodeYmlVersion: '0.4'
name: Product
url: 'https://example.gov/product.git'
softwareVersion: 1.5
releaseDate: '2026-01-02'
developmentStatus: stable
softwareType: standalone/web
platforms: [web, linux]
categories: [it-development]
description:
  de:
    shortDescription: Etwas
  en-US:
    localisedName: Product
    shortDescription: Something
    longDescription: Something, at length.
    features: [one]
legal:
  license: Apache-2.0 OR MIT
  repoOwner: Office
  mainCopyrightOwner: Office
maintenance:
  type: contract
  contractors:
    - {name: Company, until: '2027-01-01'}
  contacts:
    - {name: A, email: a@example.gov, phone: '1', affiliation: Office}
    - {name: B}
localisation:
  localisationReady: true
  availableLanguages: [en]
dependsOn: {open: []}
";
    let (record, notes) = publiccode(text, "publiccode.yml").unwrap();
    insta::assert_snapshot!(lines(&record), @r#"
    /name "Product"
    /version "1.5"
    /description "Something"
    /longDescription "Something, at length."
    /status "Production"
    /permissions/licenses [{"name":"Apache-2.0","URL":"https://spdx.org/licenses/Apache-2.0.html"},{"name":"MIT","URL":"https://spdx.org/licenses/MIT.html"}]
    /organization "Office"
    /repositoryURL "https://example.gov/product.git"
    /maintenance "contract"
    /contact/email "a@example.gov"
    /contact/name "A"
    /contact/phone "1"
    /platforms ["web","linux"]
    /categories ["it-development"]
    /softwareType "standalone/web"
    /localisation true
    "#);
    let left: Vec<&str> = notes.iter().map(|note| note.pointer.as_str()).collect();
    insta::assert_snapshot!(left.join("\n"), @r#"
    /description/de
    /description/en-US/localisedName
    /description/en-US/features
    /legal/license
    /maintenance/contacts/1
    /releaseDate
    /legal/mainCopyrightOwner
    /maintenance/contractors
    /localisation/availableLanguages
    /dependsOn
    "#);
}

#[test]
fn license_expressions_are_taken_apart_only_where_that_is_sure() {
    for (expression, names) in [
        ("CC0-1.0", &["CC0-1.0"][..]),
        ("mit and Apache-2.0", &["MIT", "Apache-2.0"]),
        ("GPL-2.0-only WITH Classpath-exception-2.0", &["GPL-2.0-only WITH Classpath-exception-2.0"]),
        ("(MIT OR ISC) AND Zlib", &["(MIT OR ISC) AND Zlib"]),
        ("our own", &["our own"]),
    ] {
        let text = format!("publiccodeYmlVersion: '0.4'\nlegal:\n  license: {expression}\n");
        let (record, _) = publiccode(&text, "publiccode.yml").unwrap();
        let found = record.value(Field::Licenses).and_then(Value::as_array).cloned().unwrap_or_default();
        let found: Vec<_> = found.iter().map(|entry| entry["name"].as_str().unwrap_or_default()).collect();
        assert_eq!(found, names, "{expression}");
    }
}

#[test]
fn what_cannot_be_read_says_where() {
    for (text, expected) in [
        ("name: [a", Some(1)),
        ("name: a\nname: b", Some(2)),
        ("name: a\n  b: c: d", Some(2)),
        ("- a", None),
        ("other: a", None),
        (
            "a: &a [x, x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\nd: &d [*c, *c, *c, *c]\ne: &e [*d, *d, *d, *d]\nf: [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]",
            Some(6),
        ),
    ] {
        let error = codeinventory(text, "f").unwrap_err();
        assert_eq!(error.line.is_some(), expected.is_some(), "{text}: {error}");
        assert!(!error.what.is_empty());
    }
    assert!(codeinventory(&"[".repeat(5000), "f").is_err());
    assert!(codeinventory(&"a".repeat(MAX_BYTES + 1), "f").is_err());
    assert!(publiccode("name: a\ndescription: b", "f").is_err());
}

#[test]
fn a_file_is_read_by_its_name() {
    let limits = Limits::default();
    for (name, text, field) in [
        ("x/publiccode.yml", "publiccodeYmlVersion: 0.4\nname: a", "a"),
        (".codeinventory.yaml", "\u{feff}name: b\ndescription: c", "b"),
        ("inventory.json", r#"[{"name": "d", "description": "e"}]"#, "d"),
        ("-", r#"{"name": "f", "description": "g"}"#, "f"),
    ] {
        let reading = read(name, text.as_bytes(), &limits).unwrap();
        assert_eq!(
            reading.records().next().and_then(|record| record.text(Field::Name)),
            Some(field),
            "{name}"
        );
    }
    for (name, bytes, expected) in [
        ("a.yml", &b"name: \xff"[..], "byte 7 is not UTF-8: save the file as UTF-8"),
        ("a.json", b"{\"a\": [}", "1:8: "),
        ("a.json", b"{}", "no release, no list of releases"),
    ] {
        let error = read(name, bytes, &limits).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
