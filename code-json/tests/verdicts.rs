//! Our schema documents against the published ones, over real files. Needs
//! `MUSTER_SCHEMAS` and `MUSTER_CORPUS`; without them it says so and rests.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

use std::{collections::BTreeSet, fs, path::PathBuf};

use code_json::{
    document::{Document, Limits},
    schema::{Profile, Published, Rule, Schema},
};
use serde_json::Value as Json;

mod given;

/// Pointer, keyword and, for keys, their names.
type Verdict = BTreeSet<(String, String, String)>;

fn theirs(validator: &jsonschema::Validator, json: &Json, formats: bool) -> Verdict {
    let verdict = validator.iter_errors(json).map(|error| {
        let detail = match error.kind() {
            jsonschema::error::ValidationErrorKind::Required { property } => property.to_string(),
            jsonschema::error::ValidationErrorKind::AdditionalProperties { unexpected } => {
                unexpected.join(",")
            }
            _ => String::new(),
        };
        (error.instance_path().to_string(), error.kind().keyword().to_owned(), detail)
    });
    verdict.filter(|(_, keyword, _)| formats || keyword != "format").collect()
}

fn ours(schema: &Schema, document: &Document, record: bool, formats: bool) -> Verdict {
    let violations = if record { schema.judge_record(document.root()) } else { schema.judge(document) };
    let verdict = violations.into_iter().map(|violation| {
        let detail = match &violation.rule {
            Rule::Required(key) => Json::from(key.as_str()).to_string(),
            Rule::Unknown(keys) => keys.join(","),
            _ => String::new(),
        };
        (document.value(violation.at).pointer(), violation.rule.keyword().to_owned(), detail)
    });
    verdict.filter(|(_, keyword, _)| formats || keyword != "format").collect()
}

fn compile(document: &Json, formats: bool) -> jsonschema::Validator {
    jsonschema::options().should_validate_formats(formats).offline().build(document).unwrap()
}

#[test]
fn verdicts_are_those_of_the_published_documents() {
    let (Some(schemas), Some(corpus)) = (given::folder("MUSTER_SCHEMAS"), given::folder("MUSTER_CORPUS"))
    else {
        return;
    };
    let official = |name: &str| -> Json {
        let path: PathBuf = schemas.join(name);
        let mut json: Json =
            serde_json::from_slice(&fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
                .unwrap();
        // Three of them share one `$id`, so none may keep it.
        json.as_object_mut().unwrap().remove("$id");
        json
    };
    let gsa = official("gsa__schema-2.0.0.json");
    let gov = official("gov-codejson__schema-2.0.0.json");
    let mut release = gsa["properties"]["releases"]["items"].clone();
    release["$schema"] = gsa["$schema"].clone();
    // Its reference leads to a file by a path that its `$id` does not allow.
    let mut index = official("gov-codejson__agency-index_schema-2.0.0.json");
    let reference = &mut index["properties"]["releases"]["items"]["allOf"][0];
    assert_eq!(reference["$ref"], "../schema-2.0.0.json");
    *reference = gov.clone();
    let cases = [
        ("GSA 2.0.0", gsa, Published::Gsa2, false),
        ("GSA 2.0.0, one release", release, Published::Gsa2, true),
        ("gov-codejson 2.0.0", gov, Published::Gov2, true),
        ("agency-index 2.0.0", index, Published::AgencyIndex2, false),
        ("CMS 2.1.0", official("gov-codejson__cms_schema-2.1.0.json"), Published::Cms21, true),
    ];
    let files = given::corpus(&corpus);
    let mut differences = Vec::new();
    for (name, document, which, record) in &cases {
        for formats in [true, false] {
            let validator = compile(document, formats);
            // The whole of ours, as `muster schema` prints it, says the same.
            let whole = compile(&if *record { which.record_document() } else { which.document() }, formats);
            let (mut valid, mut judged, mut faults) = (0, 0, 0);
            for file in &files {
                let Ok(read) = Document::read(&file.bytes, &Limits::default()) else { continue };
                let json: Json = serde_json::from_slice(&file.bytes).unwrap();
                let expected = theirs(&validator, &json, formats);
                let found = ours(Schema::published(*which), &read, *record, formats);
                judged += 1;
                valid += usize::from(expected.is_empty());
                faults += expected.len();
                if found != expected || theirs(&whole, &json, formats) != expected {
                    let odd: Vec<_> = found.symmetric_difference(&expected).take(3).collect();
                    differences.push(format!("{name}, formats {formats}, {}: {odd:?}", file.name));
                }
            }
            let formats = if formats { "asserted" } else { "not asserted" };
            println!("{name}, formats {formats}: {judged} files judged, {valid} valid, {faults} faults");
            assert!(judged > 100, "only {judged} files");
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// No verdict is given by the first two generations of gov-codejson and CMS:
/// their `properties.items` makes every document wrong. This shows that it does.
#[test]
fn two_published_documents_accept_nothing() {
    let Some(schemas) = given::folder("MUSTER_SCHEMAS") else { return };
    for name in ["gov-codejson__schema-1.0.0.json", "gov-codejson__cms_schema-0.0.0.json"] {
        let json: Json = serde_json::from_slice(&fs::read(schemas.join(name)).unwrap()).unwrap();
        let required = json["required"].as_array().unwrap();
        assert!(json["properties"].as_object().unwrap().keys().eq(["items"]), "{name}");
        assert_eq!(json["additionalProperties"], false, "{name}");
        let all: serde_json::Map<String, Json> =
            required.iter().map(|key| (key.as_str().unwrap().to_owned(), Json::Null)).collect();
        // Read as a keyword, `items` is not even a schema.
        match jsonschema::options().offline().build(&json) {
            Ok(validator) => assert!(!validator.is_valid(&Json::Object(all)), "{name}"),
            Err(error) => assert!(error.instance_path().as_str().starts_with("/properties/items"), "{error}"),
        }
    }
}

/// A schema that an agency names is judged by as it stands: here the published
/// ones that Muster has no document for.
#[test]
fn profiles_give_the_verdicts_of_their_documents() {
    let (Some(schemas), Some(corpus)) = (given::folder("MUSTER_SCHEMAS"), given::folder("MUSTER_CORPUS"))
    else {
        return;
    };
    let files = given::corpus(&corpus);
    for name in [
        "gsa__schema-1.0.0.json",
        "gsa__schema-1.0.1.json",
        "gsa__schema-2.0.1-rc.json",
        "gov-codejson__cms_schema-0.1.0.json",
        "gov-codejson__cms_schema-0.2.0.json",
        "gov-codejson__cms_schema-2.0.0.json",
    ] {
        let bytes = fs::read(schemas.join(name)).unwrap();
        let profile = Profile::read(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut json: Json = serde_json::from_slice(&bytes).unwrap();
        json.as_object_mut().unwrap().remove("$id");
        let validator = compile(&json, true);
        for file in files.iter().filter(|file| file.bytes.len() < 100_000) {
            let Ok(read) = Document::read(&file.bytes, &Limits::default()) else { continue };
            let expected = theirs(&validator, &serde_json::from_slice(&file.bytes).unwrap(), true);
            assert_eq!(ours(profile.schema(), &read, true, true), expected, "{name}, {}", file.name);
        }
    }
}

/// The counts that came with the corpus, made with another validator.
#[test]
fn counts_are_those_of_another_validator() {
    let Some(corpus) = given::folder("MUSTER_CORPUS") else { return };
    let files = given::corpus(&corpus);
    let (mut compared, mut differences) = (0, Vec::new());
    for file in &files {
        let Ok(document) = Document::read(&file.bytes, &Limits::default()) else { continue };
        for (label, which, record) in [
            ("gsa2.0.0 errors", Published::Gsa2, false),
            ("gsa-release", Published::Gsa2, true),
            ("gov2.0.0", Published::Gov2, true),
            ("cms2.1.0", Published::Cms21, true),
        ] {
            let Some(expected) = file.counted(label) else { continue };
            let schema = Schema::published(which);
            let found = if record { schema.judge_record(document.root()) } else { schema.judge(&document) };
            compared += 1;
            if found.len() != expected {
                differences.push(format!("{} {label}: {} here, {expected} there", file.name, found.len()));
            }
        }
    }
    println!("{compared} counts compared, {} differ", differences.len());
    assert!(compared > 100, "only {compared} counts");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
