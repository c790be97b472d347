use serde_json::json;

use super::*;

mod laws;

fn person() -> Provenance {
    Provenance::Person { file: "code.json".into() }
}

fn computed() -> Provenance {
    Provenance::Computed { method: "COCOMO II nominal".into(), version: "1".into() }
}

fn record(entries: &[(Field, Value)], from: Provenance) -> Record {
    let mut record = Record::new();
    for (field, value) in entries {
        record.set(*field, value.clone(), from.clone());
    }
    record
}

/// A repository over time: its file, what was written into it last, and the facts.
#[derive(Debug)]
struct Story {
    file: Record,
    written: Record,
    facts: Facts,
    answers: Record,
    defaults: Record,
}

impl Story {
    fn of(file: &[(Field, Value)]) -> Story {
        let nothing = Record::new();
        Story {
            file: record(file, person()),
            written: nothing.clone(),
            facts: Facts::default(),
            answers: nothing.clone(),
            defaults: nothing,
        }
    }

    fn merge(&self) -> Merged {
        merge(&Sources {
            file: Some(&self.file),
            answers: Some(&self.answers),
            facts: &self.facts,
            defaults: &self.defaults,
            written: Some(&self.written),
        })
    }

    /// Merges and makes the changes.
    fn write(&mut self) -> Merged {
        let merged = self.merge();
        self.file = merged.apply(&self.file);
        self.written = merged.written.clone();
        merged
    }

    fn person_writes(&mut self, field: Field, value: Value) {
        self.file.set(field, value, person());
    }
}

fn changes(merged: &Merged) -> Vec<String> {
    let show = |value: &Option<Value>| value.as_ref().map_or_else(|| "-".to_owned(), Value::to_string);
    let line = |change: &Change| {
        format!("{} {} -> {} ({:?})", change.key, show(&change.before), change.after.value, change.weight)
    };
    merged.changes.iter().map(line).collect()
}

#[test]
fn a_persons_value_beats_a_computed_one() {
    let mut story = Story::of(&[(Field::LaborHours, json!(40)), (Field::Description, json!("Ours"))]);
    story.facts.others = record(&[(Field::LaborHours, json!(900))], computed());
    story.facts.others.set(Field::Description, "GitHub's", Provenance::Fact);
    story.facts.others.set(Field::Forks, 7, Provenance::Fact);
    story.defaults =
        record(&[(Field::Vcs, json!("git")), (Field::LaborHours, json!(1))], Provenance::Default);
    let merged = story.merge();
    assert_eq!(changes(&merged), ["/reuseFrequency/forks - -> 7 (Volatile)"]);
    assert!(!merged.is_worth_writing());
    assert_eq!(merged.record.value(Field::LaborHours), Some(&json!(40)));
    assert_eq!(merged.record.text(Field::Description), Some("Ours"));
    assert_eq!(merged.record.field(Field::Vcs).map(|s| &s.from), Some(&Provenance::Default));
    assert!(merged.findings.is_empty());
}

#[test]
fn four_facts_contradict_a_person() {
    let mut story = Story::of(&[
        (Field::Visibility, json!("private")),
        (Field::Status, json!("Production")),
        (Field::RepositoryUrl, json!("http://github.com/agency/old.git")),
        (Field::Licenses, json!([{"name": "MIT License"}])),
    ]);
    story.facts = Facts {
        public: Some(true),
        archived: Some(true),
        url: Some("https://github.com/agency/new".into()),
        former_urls: vec!["https://github.com/Agency/Old".into()],
        licenses: Some(vec!["Apache-2.0".into()]),
        license_url: Some("https://github.com/agency/new/blob/main/LICENSE".into()),
        others: Record::new(),
    };
    let merged = story.write();
    insta::assert_snapshot!(changes(&merged).join("\n"), @r#"
    /status "Production" -> "Archival" (Material)
    /permissions/licenses [{"name":"MIT License"}] -> [{"name":"Apache-2.0","URL":"https://github.com/agency/new/blob/main/LICENSE"}] (Material)
    /repositoryURL "http://github.com/agency/old.git" -> "https://github.com/agency/new" (Material)
    /repositoryVisibility "private" -> "public" (Material)
    "#);
    let found: Vec<_> = merged.findings.iter().map(|finding| finding.contradiction).collect();
    use Contradiction::*;
    assert_eq!(found, [Archived, License, Renamed, Visibility]);
    assert!(merged.is_worth_writing());
    let again = story.merge();
    assert_eq!((again.changes, again.findings, again.record), (vec![], vec![], merged.record));
}

#[test]
fn what_is_no_contradiction_stays() {
    for (field, value) in [
        (Field::Visibility, json!("secret")),
        (Field::RepositoryUrl, json!("git://github.com/Agency/new.git")),
        (Field::RepositoryUrl, json!("https://gitlab.example.gov/agency/new")),
        (Field::RepositoryUrl, json!("private")),
        (Field::Licenses, json!([{"name": "Other"}])),
        (Field::Licenses, json!([{"name": "NASA Open Source"}])),
        (Field::Licenses, json!([{"name": "MIT"}, {"name": "nasa-1.3"}])),
        (Field::Licenses, json!([{"URL": "https://example.gov/LICENSE"}])),
        (Field::Name, json!("another name")),
    ] {
        let mut story = Story::of(&[(field, value.clone())]);
        story.facts = Facts {
            public: Some(false),
            archived: Some(false),
            url: Some("https://github.com/agency/new".into()),
            former_urls: vec!["https://github.com/agency/old".into()],
            licenses: Some(vec!["NASA-1.3".into()]),
            ..Facts::default()
        };
        story.facts.others.set(Field::Name, "new", Provenance::Fact);
        let merged = story.merge();
        assert_eq!(merged.findings, [], "{field:?} {value}");
        assert_eq!(merged.record.value(field), Some(&value));
        assert!(changes(&merged).iter().all(|line| line.contains(" - -> ")), "{:?}", merged.changes);
    }
    // What could not be told contradicts nobody.
    let story =
        Story::of(&[(Field::Visibility, json!("private")), (Field::Licenses, json!([{"name": "MIT"}]))]);
    assert_eq!(story.merge().findings, []);
}

#[test]
fn what_a_machine_wrote_is_kept_up_and_a_persons_correction_stays() {
    let mut story = Story::of(&[(Field::Name, json!("site"))]);
    story.facts.others.set(Field::Description, "First", Provenance::Fact);
    story.facts.others.set(Field::Languages, json!(["Rust", "Go"]), Provenance::Fact);
    story.facts.others.set(Field::LaborHours, 100, computed());
    story.write();
    // Moved by themselves: not worth a change.
    story.facts.others.set(Field::Languages, json!(["Go", "Rust"]), Provenance::Fact);
    story.facts.others.set(Field::LaborHours, 104.9, computed());
    assert_eq!(story.merge().changes, []);
    story.facts.others.set(Field::LaborHours, 106, computed());
    story.facts.others.set(Field::Description, "Second", Provenance::Fact);
    insta::assert_snapshot!(changes(&story.write()).join("\n"), @r#"
    /description "First" -> "Second" (Plain)
    /laborHours 100 -> 106 (Plain)
    "#);
    story.person_writes(Field::Description, json!("Better"));
    story.facts.others.set(Field::Description, "Third", Provenance::Fact);
    let merged = story.write();
    assert_eq!((changes(&merged), merged.record.text(Field::Description)), (vec![], Some("Better")));
}

#[test]
fn what_a_person_took_out_is_not_put_back() {
    let mut story = Story::of(&[(Field::Name, json!("site")), (Field::Tags, json!([]))]);
    story.facts.others.set(Field::Description, "From GitHub", Provenance::Fact);
    story.facts.others.set(Field::Tags, json!(["topic"]), Provenance::Fact);
    assert_eq!(changes(&story.write()).len(), 2);
    story.file.remove(&Field::Description.into());
    story.person_writes(Field::Tags, json!([]));
    for _ in 0..3 {
        let merged = story.write();
        assert_eq!(merged.changes, []);
        // The inventory still has something to say.
        assert_eq!(merged.record.text(Field::Description), Some("From GitHub"));
        assert_eq!(merged.record.value(Field::Tags), Some(&json!(["topic"])));
    }
}

#[test]
fn zero_hours_say_nothing() {
    let mut story = Story::of(&[(Field::LaborHours, json!(0)), (Field::ContractNumber, json!([]))]);
    assert_eq!(story.merge().record.value(Field::LaborHours), Some(&json!(0)));
    story.facts.others = record(&[(Field::LaborHours, json!(900))], computed());
    story.facts.others.set(Field::ContractNumber, json!(["47"]), Provenance::Fact);
    assert_eq!(changes(&story.merge()), ["/laborHours 0 -> 900 (Plain)"], "no contract is a statement");
}

#[test]
fn answers_from_elsewhere_fill_the_file() {
    let mut story = Story::of(&[(Field::Name, json!("site"))]);
    let elsewhere = Provenance::Person { file: "records/7.json".into() };
    story.answers =
        record(&[(Field::Name, json!("no")), (Field::AiUseCaseId, json!("0"))], elsewhere.clone());
    let merged = story.write();
    assert_eq!(changes(&merged), ["/AIUseCaseID - -> \"0\" (Plain)"]);
    assert_eq!(merged.record.field(Field::AiUseCaseId).map(|s| &s.from), Some(&elsewhere));
    story.answers.set(Field::AiUseCaseId, "ABC-1", elsewhere);
    assert_eq!(changes(&story.write()), ["/AIUseCaseID \"0\" -> \"ABC-1\" (Plain)"]);
    story.person_writes(Field::AiUseCaseId, json!("ABC-2"));
    assert_eq!(story.merge().changes, []);
}

#[test]
fn an_archived_repository_that_is_opened_again_asks() {
    let mut story = Story::of(&[(Field::Status, json!("Beta"))]);
    story.facts.archived = Some(true);
    story.write();
    story.facts.archived = None;
    assert_eq!(story.write().record.text(Field::Status), Some("Archival"));
    story.facts.archived = Some(false);
    for _ in 0..2 {
        let merged = story.write();
        assert_eq!((merged.record.text(Field::Status), merged.changes.len()), (None, 0));
        assert_eq!((merged.findings.len(), &merged.findings[0].fact), (1, &None));
    }
    story.person_writes(Field::Status, json!("Archival"));
}

#[test]
fn the_moment_of_writing_is_no_reason_to_write() {
    let mut story = Story::of(&[(Field::MetadataLastUpdated, json!("2020-01-01"))]);
    story.facts.others.set(Field::Forks, 7, Provenance::Fact);
    let mut merged = story.merge();
    merged.stamp("2026-11-26T00:00:00Z");
    assert_eq!(changes(&merged), ["/reuseFrequency/forks - -> 7 (Volatile)"]);
    story.facts.public = Some(true);
    let mut merged = story.merge();
    merged.stamp("2026-11-26T00:00:00Z");
    merged.stamp("2026-11-26T00:00:01Z");
    insta::assert_snapshot!(changes(&merged).join("\n"), @r#"
    /repositoryVisibility - -> "public" (Material)
    /reuseFrequency/forks - -> 7 (Volatile)
    /date/metadataLastUpdated "2020-01-01" -> "2026-11-26T00:00:01Z" (Volatile)
    "#);
    story.file = merged.apply(&story.file);
    story.written = merged.written.clone();
    assert_eq!(story.merge().changes, []);
}

#[test]
fn edits_speak_the_language_of_the_file() {
    let mut story = Story::of(&[]);
    story.facts.public = Some(true);
    story.facts.url = Some("https://github.com/agency/new".into());
    story.facts.others.set(Field::Usage, json!(["openSource", "exemptByEAR"]), Provenance::Fact);
    story.facts.others.set(Field::Created, "2020-01-01T10:00:00Z", Provenance::Fact);
    let old = json!({
        "repositoryUrl": "u", "permissions": {"usageType": "openSource"}, "date": {"metaDataLastUpdated": "2019-01-01"}
    });
    let lines = |file: Value| {
        let edits = story.merge().edits(file.as_object().unwrap());
        edits.iter().map(|edit| format!("{} {}\n", edit.pointer, edit.value)).collect::<String>()
    };
    insta::assert_snapshot!(lines(old), @r#"
    /permissions/usageType "exemptByLaw"
    /repositoryUrl "https://github.com/agency/new"
    /repositoryVisibility "public"
    /date/created "2020-01-01"
    "#);
    insta::assert_snapshot!(lines(json!({})), @r#"
    /permissions/usageType ["openSource","exemptByEAR"]
    /repositoryURL "https://github.com/agency/new"
    /repositoryVisibility "public"
    /date/created "2020-01-01T10:00:00Z"
    "#);
}

#[test]
fn changes_are_written_as_their_neighbours_are() {
    let mut story = Story::of(&[]);
    story.facts.public = Some(true);
    story.facts.licenses = Some(vec!["NASA-1.3".into()]);
    story.facts.others.set(Field::Forks, 7, Provenance::Fact);
    story.facts.others.set(Field::Clones, 8, Provenance::Fact);
    story.facts.others.set(Field::LastModified, "2026-01-02T00:00:00Z", Provenance::Fact);
    story.facts.others.set(Field::Tags, json!(["a", "b"]), Provenance::Fact);
    story.facts.others.set(Field::LaborHours, 120, computed());
    let text = "{\n    \"name\":  \"a\",\n    \"laborHours\": 0e0,\n    \"permissions\": {\n        \"licenses\": [],\n        \"usageType\": [\"openSource\"]\n    },\n    \"date\": {},\n    \"tags\": [ ]\n}\n";
    let document =
        crate::document::Document::read(text.as_bytes(), &crate::document::Limits::default()).unwrap();
    let json = document.root().to_json();
    story.file = crate::migrate::read_release(json.as_object().unwrap(), person()).0;
    let written = story.merge().write(&document, document.root()).unwrap();
    insta::assert_snapshot!(written, @r#"
    {
        "name":  "a",
        "laborHours": 120,
        "permissions": {
            "licenses": [
                {
                    "name": "Other",
                    "URL": "https://spdx.org/licenses/NASA-1.3.html"
                }
            ],
            "usageType": ["openSource"]
        },
        "date": {
            "lastModified": "2026-01-02T00:00:00Z"
        },
        "tags": ["a", "b"],
        "repositoryVisibility": "public",
        "reuseFrequency": {
            "forks": 7,
            "clones": 8
        }
    }
    "#);
}
