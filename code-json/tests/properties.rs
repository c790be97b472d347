//! What holds for every input.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

use std::collections::BTreeMap;

use code_json::{
    document::{Document, Limits},
    repair::repair,
    report::{Judged, Style, github, human, json, sarif},
    validate::{Options, validate},
};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

mod given;

const RECORD: &str = r#"{
  "name": "badge-reader",
  "version": "1.4",
  "description": "Reads the badges at the doors of agency buildings.",
  "status": "Production",
  "permissions": {
    "licenses": [
      { "name": "CC0-1.0", "URL": "https://github.com/example-agency/badge-reader/blob/main/LICENSE" }
    ],
    "usageType": ["openSource"],
    "exemptionText": null
  },
  "organization": "Office of Doors",
  "repositoryURL": "https://github.com/example-agency/badge-reader",
  "repositoryVisibility": "public",
  "homepageURL": "https://www.agency.example/badges",
  "vcs": "git",
  "laborHours": 1.20e3,
  "reuseFrequency": { "forks": 2 },
  "languages": ["Rust", "Shell"],
  "maintenance": "internal",
  "contractNumber": ["75FCMC18D0001"],
  "SBOM": "https://github.com/example-agency/badge-reader/network/dependencies",
  "date": {
    "created": "2024-03-01T00:00:00Z",
    "lastModified": "2025-03-01T00:00:00Z",
    "metadataLastUpdated": "2025-03-01T00:00:00Z"
  },
  "tags": ["badge", "entry"],
  "contact": { "email": "code@agency.example", "name": "Code office" },
  "feedbackMechanism": "https://github.com/example-agency/badge-reader/issues",
  "AIUseCaseID": "0",
  "bureauCode": "015:11"
}
"#;

/// Replacements that each make one defect that can be repaired.
const DEFECTS: [(&str, &str); 24] = [
    (r#"["openSource"]"#, r#""openSource""#),
    (r#"["openSource"]"#, r#""opensource""#),
    (r#""Production""#, r#""production""#),
    (r#""Production""#, r#""In Production""#),
    (
        r#""name": "CC0-1.0", "URL": "https://github.com/example-agency/badge-reader/blob/main/LICENSE""#,
        r#""name": "CC0-1.0", "URL": "none""#,
    ),
    (r#""name": "CC0-1.0""#, r#""name": "Creative Commons Zero v1.0 Universal""#),
    (r#""https://www.agency.example/badges""#, r#""""#),
    (r#""https://www.agency.example/badges""#, r#""N/A""#),
    (r#""https://www.agency.example/badges""#, r#""www.agency.example/badges""#),
    (r#""vcs": "git""#, r#""vcs": "Git""#),
    ("1.20e3", "\"1200\""),
    (r#""forks": 2"#, r#""forks": "2""#),
    (r#"["Rust", "Shell"]"#, r#"["Rust", "Shell", "Rust"]"#),
    (r#"["Rust", "Shell"]"#, r#""Rust""#),
    (r#"["75FCMC18D0001"]"#, r#""75FCMC18D0001""#),
    (r#"["75FCMC18D0001"]"#, "null"),
    (r#""created": "2024-03-01T00:00:00Z""#, r#""created": "2024-3-1""#),
    (r#""created": "2024-03-01T00:00:00Z""#, r#""created": """#),
    (r#""lastModified": "2025-03-01T00:00:00Z""#, r#""lastModified": "2025-03-01""#),
    (r#""metadataLastUpdated""#, r#""metaDataLastUpdated""#),
    (r#""feedbackMechanism""#, r#""feedbackMechanisms""#),
    (r#""code@agency.example""#, r#""mailto:code@agency.example""#),
    (r#""AIUseCaseID": "0","#, r#""AIUseCaseID": 0,"#),
    (r#""bureauCode": "015:11""#, r#""bureauCode": "015:11","#),
];

/// A small generator of numbers, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }
}

fn with_defects(seed: u64) -> (String, usize) {
    let mut numbers = Numbers(seed);
    let mut text = RECORD.to_owned();
    let wanted = 1 + numbers.below(5);
    let mut made = 0;
    let mut used = std::collections::HashSet::new();
    for _ in 0..40 {
        let number = numbers.below(DEFECTS.len());
        let (right, wrong) = DEFECTS[number];
        if made < wanted && text.contains(right) && used.insert(number) {
            text = text.replacen(right, wrong, 1);
            made += 1;
        }
    }
    match numbers.below(4) {
        0 => text = text.replace('\n', "\r\n"),
        1 => text = text.replace("  ", "\t"),
        2 => text = format!("\u{feff}{text}"),
        _ => {}
    }
    (text, made)
}

#[test]
fn two_hundred_files_with_repairable_defects_are_all_repaired() {
    let mut defects = 0;
    for seed in 0..200 {
        let (text, made) = with_defects(seed);
        defects += made;
        let before = validate(text.as_bytes(), &Options::default());
        assert!(!before.is_valid(), "{text}");
        let repaired = repair(text.as_bytes(), &Options::default()).unwrap();
        assert!(repaired.after.is_valid(), "{text}\n{:?}", repaired.after.problems);
        assert!(serde_json::from_str::<Json>(&repaired.text).is_ok());
        // What nobody complained about stays, to the spelling of numbers.
        assert!(repaired.text.contains("\"bureauCode\": \"015:11\""), "{}", repaired.text);
        assert_eq!(text.contains("1.20e3"), repaired.text.contains("1.20e3"));
        assert_eq!(text.contains("\r\n"), repaired.text.contains("\r\n"));
        assert_eq!(
            text.matches('\n').count() - repaired.text.matches('\n').count(),
            removed_lines(&text, &repaired.text)
        );
    }
    assert!(defects >= 400, "{defects}");
}

/// Lines go only with members that are left out.
fn removed_lines(before: &str, after: &str) -> usize {
    ["homepageURL", "created"].iter().filter(|key| before.contains(**key) && !after.contains(**key)).count()
}

#[test]
fn a_good_file_is_left_alone() {
    let report = validate(RECORD.as_bytes(), &Options::default());
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let repaired = repair(RECORD.as_bytes(), &Options::default()).unwrap();
    assert_eq!(repaired.text, RECORD);
}

/// Every leaf of a value by its pointer.
fn leaves(json: &Json, pointer: String, found: &mut BTreeMap<String, Json>) {
    match json {
        Json::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                leaves(item, format!("{pointer}/{at}"), found);
            }
        }
        Json::Object(members) if !members.is_empty() => {
            for (key, value) in members {
                leaves(value, format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        _ => {
            found.insert(pointer, json.clone());
        }
    }
}

/// Idempotent, and every value that changed is one a repair names, or its
/// neighbour in a list or object that a repair changed.
fn repair_is_lawful(bytes: &[u8]) {
    let Ok(once) = repair(bytes, &Options::default()) else { return };
    let twice = repair(once.text.as_bytes(), &Options::default()).unwrap();
    assert_eq!(once.text, twice.text);
    let read = |bytes: &[u8]| Document::read(bytes, &Limits::default()).unwrap().root().to_json();
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    leaves(&read(bytes), String::new(), &mut before);
    leaves(&read(once.text.as_bytes()), String::new(), &mut after);
    let named: Vec<&str> =
        once.made.iter().map(|made| made.pointer.rsplit_once('/').map_or("", |(around, _)| around)).collect();
    for pointer in before.keys().chain(after.keys()) {
        let changed = before.get(pointer) != after.get(pointer);
        assert!(!changed || named.iter().any(|named| pointer.starts_with(named)), "{pointer}");
    }
}

#[test]
fn repair_is_idempotent_and_changes_what_it_names() {
    for seed in 200..300 {
        repair_is_lawful(with_defects(seed).0.as_bytes());
    }
}

fn every_face(bytes: &[u8]) {
    let report =
        validate(bytes, &Options { today: Some(jiff::civil::date(2026, 11, 26)), ..Options::default() });
    assert!(report.violations.unwrap_or(0) == 0 || !report.is_valid(), "{:?}", report.problems);
    let judged = Judged { path: "a,b:%\u{1b}\n.json", bytes, report: &report };
    let texts = [
        human(judged, &Style::default()),
        github(judged),
        json(judged).to_string(),
        sarif(&[judged], "t", "1", Some("https://x.gov")).to_string(),
    ];
    for text in &texts[..2] {
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(
            !text.contains(acts),
            "{:?}",
            text.find(acts).map(|at| &text[text.floor_char_boundary(at.saturating_sub(60))..])
        );
    }
    // A workflow command cannot be smuggled in.
    for line in texts[1].lines() {
        assert!(!line.starts_with("::") || line.matches("::").count() >= 2, "{line}");
        assert!(
            ["::error file=", "::warning file=", "::notice file=", "a,b:%25"]
                .iter()
                .any(|start| line.starts_with(start)),
            "{line}"
        );
    }
    repair_is_lawful(bytes);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Bytes overwritten, cut and doubled: every face answers, none panics.
    #[test]
    fn no_mutation_panics(
        seed in 0_u64..10_000,
        edits in proptest::collection::vec((0.0..1.0_f64, 0..8_usize, proptest::collection::vec(any::<u8>(), 0..4)), 0..6),
    ) {
        let mut bytes = with_defects(seed).0.into_bytes();
        for (place, length, new) in edits {
            let at = (place * bytes.len() as f64) as usize;
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, new);
        }
        every_face(&bytes);
    }

    /// The same with words that mean something.
    #[test]
    fn no_combination_of_tokens_panics(tokens in proptest::collection::vec(
        prop_oneof![
            Just("{"), Just("}"), Just("["), Just("]"), Just(","), Just(":"), Just("null"), Just("0"), Just("\"\""),
            Just("\"name\""), Just("\"permissions\""), Just("\"licenses\""), Just("\"usageType\""), Just("\"releases\""),
            Just("\"projects\""), Just("\"contact\""), Just("\"email\""), Just("\"date\""), Just("\"created\""),
            Just("\"tags\""), Just("\"\\u202e::error::\\n\""), Just("\"exemptByCIO\""), Just("\"URL\""), Just("\n"),
        ], 0..40)) {
        every_face(tokens.concat().as_bytes());
    }

    /// Values of any type under the keys that matter.
    #[test]
    fn no_value_panics(values in proptest::collection::btree_map(
        proptest::sample::select(vec![
            "name", "description", "permissions", "contact", "date", "tags", "languages", "laborHours", "repositoryURL",
            "usageType", "version", "status", "vcs", "contractNumber", "feedbackMechanisms", "measurementType", "agency",
            "SBOM", "maintenance", "relatedCode", "repositoryVisibility",
        ]),
        any_json(), 0..12), inventory in any::<bool>()) {
        let record = json!(values);
        let file = if inventory { json!({"version": "2.0", "releases": [record.clone(), record]}) } else { record };
        every_face(file.to_string().as_bytes());
    }
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        proptest::sample::select(vec![
            "",
            " ",
            "none",
            "openSource",
            "exemptByLaw",
            "2015-7-7",
            "2015-26-2",
            "42736",
            "www.x.gov",
            "git@github.com:a/b",
            "mailto:a@x.gov",
            "CC0",
            "LICENSE",
            "cafÃ©",
            "€",
            "vcs,git",
            "2.0",
        ])
        .prop_map(Json::from),
        ".{0,8}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::btree_map(
                proptest::sample::select(vec![
                    "licenses",
                    "usageType",
                    "exemptionText",
                    "name",
                    "URL",
                    "email",
                    "created",
                    "0",
                    "method"
                ]),
                inner,
                0..4
            )
            .prop_map(|members| json!(members)),
        ]
    })
}

/// Real files, with some bytes changed.
#[test]
fn no_mutation_of_real_files_panics() {
    let Some(corpus) = given::folder("MUSTER_CORPUS") else { return };
    let mut numbers = Numbers(7);
    let mut runs = 0;
    for file in given::corpus(&corpus).iter().filter(|file| file.bytes.len() < 4_000) {
        for _ in 0..6 {
            let mut bytes = file.bytes.clone();
            for _ in 0..=numbers.below(3) {
                let at = numbers.below(bytes.len().max(1));
                match numbers.below(4) {
                    0 => bytes.truncate(at),
                    1 => bytes.insert(at, b"{}[]\",:\\0n\n\xff"[numbers.below(12)]),
                    2 if at < bytes.len() => {
                        bytes.remove(at);
                    }
                    _ => {
                        let end = (at + 40).min(bytes.len());
                        let part = bytes[at.min(end)..end].to_vec();
                        bytes.splice(at..at, part);
                    }
                }
            }
            every_face(&bytes);
            runs += 1;
        }
    }
    println!("{runs} mutations");
    assert!(runs > 400);
}

/// Time grows with the text, also where every value is a problem.
#[test]
fn a_file_full_of_problems_is_mended_in_bearable_time() {
    let times = |item: &str, times: usize| vec![item; times].join(",");
    let many = |item: &str| times(item, 50_000);
    let files = [
        format!("{{\"name\": \"a\", \"permissions\": {{}}, \"tags\": [{}]}}", many("\"\"")),
        format!("{{\"permissions\": {{}}, \"tags\": [], {}}}", many("\"name\": \"a\"")),
        format!("{{\"SBOM\": \"\", \"maintenance\": \"none\", \"tags\": [{}]}}", many("\"a\"")),
        format!("{{\"name\": \"a\", \"permissions\": {{}}, \"tags\": [{}]}}", many("\" \" /* c */")),
        format!("{{\"releases\": [{}]}}", times("{\"name\":\"a\",\"tags\":[],\"vcs\":\"Git\"}", 3_000)),
    ];
    for file in files {
        let start = std::time::Instant::now();
        let once = repair(file.as_bytes(), &Options::default()).unwrap();
        let again = repair(once.text.as_bytes(), &Options::default()).unwrap();
        assert_eq!(again.text, once.text);
        let judged = Judged { path: "x", bytes: file.as_bytes(), report: &once.before };
        assert!(human(judged, &Style::default()).len() < 20_000);
        // What is quadratic takes minutes here.
        println!("{} bytes, {} repairs: {:?}", file.len(), once.made.len(), start.elapsed());
    }
}
