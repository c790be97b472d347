//! The laws of merging, for any sources.

use proptest::prelude::*;

use super::*;
use crate::{
    convert::{self, Target},
    document::{Document, Limits},
    migrate,
    record::any::records,
};

fn facts() -> impl Strategy<Value = Facts> {
    let flag = || proptest::option::of(any::<bool>());
    let url = || r"https://github\.com/agency/[ab]{1,2}";
    let license =
        proptest::option::of(prop_oneof![Just(vec!["MIT".to_owned()]), Just(vec!["NASA-1.3".to_owned()])]);
    let simple =
        (flag(), flag(), proptest::option::of(url()), proptest::collection::vec(url(), 0..3), license);
    let decided: Vec<Field> = Contradiction::ABOUT.iter().map(|(field, _)| *field).collect();
    (simple, records(Provenance::Fact)).prop_map(
        move |((public, archived, url, former_urls, licenses), mut others)| {
            for field in &decided {
                others.remove(&Key::Known(*field));
            }
            Facts { public, archived, url, former_urls, licenses, license_url: None, others }
        },
    )
}

fn stories() -> impl Strategy<Value = Story> {
    let elsewhere = Provenance::Person { file: "records/7.json".into() };
    let written = (records(Provenance::Fact), records(computed()), any::<u64>());
    (records(person()), written, facts(), records(elsewhere), records(Provenance::Default)).prop_map(
        |(mut file, (written, hours, kept), facts, answers, defaults)| {
            let mut written = written;
            for (key, sourced) in hours.entries() {
                written.put(key.clone(), sourced.clone());
            }
            // Part of what was written last still stands in the file.
            for (at, (key, sourced)) in written.entries().enumerate() {
                if kept >> (at % 64) & 1 == 1 {
                    file.put(key.clone(), Sourced { value: sourced.value.clone(), from: person() });
                }
            }
            Story { file, written, facts, answers, defaults }
        },
    )
}

/// A file as text, in one of the versions and layouts people use.
fn text(file: &Record, target: Target, layout: usize) -> String {
    let release = convert::release(file, target).document;
    match layout {
        0 => release.to_string(),
        1 => serde_json::to_string_pretty(&release).unwrap() + "\n",
        2 => serde_json::to_string_pretty(&release).unwrap().replace("  ", "\t").replace('\n', "\r\n"),
        _ => {
            let inventory = serde_json::json!({"releases": [{"name": "first"}, release], "agency": "ABC"});
            serde_json::to_string_pretty(&inventory).unwrap()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn merging_again_changes_nothing(mut story in stories()) {
        let merged = story.write();
        // As read back from the file.
        let mut read = Record::new();
        for (key, sourced) in story.file.entries() {
            read.put(key.clone(), Sourced { value: sourced.value.clone(), from: person() });
        }
        story.file = read;
        let again = story.merge();
        prop_assert_eq!(&again.changes, &vec![]);
        prop_assert_eq!(&again.record, &merged.record);
        prop_assert_eq!(&again.written, &merged.written);
        let new: Vec<_> = again.findings.iter().filter(|finding| finding.fact.is_some()).collect();
        prop_assert!(new.iter().all(|finding| story.answers.field(finding.field).is_some()), "{new:?}");
    }

    #[test]
    fn nothing_is_forgotten(story in stories()) {
        let merged = story.merge();
        let after = merged.apply(&story.file);
        for (key, sourced) in story.file.entries() {
            prop_assert!(after.get(key).is_some(), "{key} is gone from the file");
            let dropped = key == &Key::Known(Field::Status) && merged.record.get(key).is_none();
            prop_assert!(merged.record.get(key).is_some() || dropped, "{key} is gone from the record");
            if matches!(key, Key::Other(_)) {
                prop_assert_eq!(after.get(key), Some(sourced));
                prop_assert_eq!(merged.record.get(key), Some(sourced));
            }
        }
    }

    #[test]
    fn a_person_is_contradicted_by_four_facts_alone(story in stories()) {
        let merged = story.merge();
        for (key, sourced) in story.file.entries() {
            let Key::Known(field) = key else { continue };
            let is_ours = story.written.field(*field).is_some_and(|written| same(*field, &sourced.value, &written.value));
            if is_ours || facts::says_nothing(*field, sourced) {
                continue;
            }
            let contradicted = story.facts.contradiction(*field, &sourced.value);
            let found = merged.findings.iter().find(|finding| finding.field == *field).map(|f| f.contradiction);
            prop_assert_eq!(contradicted, found);
            if contradicted.is_none() {
                prop_assert_eq!(merged.record.field(*field), Some(sourced));
                prop_assert!(merged.changes.iter().all(|change| change.key != *key));
            }
        }
    }

    #[test]
    fn what_moves_by_itself_is_no_reason_to_write(mut story in stories(), forks in 0..99u32) {
        story.write();
        story.facts.others.set(Field::Forks, forks, Provenance::Fact);
        story.facts.others.set(Field::LastModified, "2026-01-01T00:00:00Z", Provenance::Fact);
        let merged = story.merge();
        prop_assert!(!merged.is_worth_writing());
        prop_assert!(merged.changes.iter().all(|change| change.weight == Weight::Volatile));
    }

    #[test]
    fn defaults_are_never_written_into_a_file(story in stories()) {
        let merged = story.merge();
        prop_assert!(merged.changes.iter().all(|change| change.after.from != Provenance::Default));
    }

    #[test]
    fn what_is_written_is_read_back_and_nothing_else_is_touched(
        mut story in stories(),
        target in prop_oneof![Just(Target::Gov2), Just(Target::Gsa2)],
        layout in 0..4usize,
    ) {
        let text = text(&story.file, target, layout);
        let pointer = if layout == 3 { "/releases/1" } else { "" };
        let read = |text: &str| {
            let document = Document::read(text.as_bytes(), &Limits::default()).unwrap();
            let release = document.pointer(pointer).unwrap().to_json();
            let record = migrate::read_release(release.as_object().unwrap(), person()).0;
            (document, record, release)
        };
        let (document, record, before) = read(&text);
        story.file = record;
        let merged = story.merge();
        let written = merged.write(&document, document.pointer(pointer).unwrap()).unwrap();
        let (_, record, after) = read(&written);
        story.file = record;
        story.written = merged.written.clone();
        let again = story.merge();
        // What has not the form of its field reads back otherwise.
        let has_form = |change: &&Change| match &change.key {
            Key::Known(field) => {
                use convert::Row::*;
                let losses = convert::release(&only(*field, &change.after), Target::Gov2).losses;
                let odd = [WrongForm, NotAnAddress, DateUnread, UsageUnknown, Choice];
                losses.iter().all(|loss| !odd.contains(&loss.row))
            }
            Key::Other(_) => true,
        };
        let left: Vec<_> = again.changes.iter().filter(has_form).collect();
        prop_assert!(left.is_empty(), "{left:?}\n{text}\n{written}");
        // Every value that was not to change is there as it was.
        let changed = merged.edits(before.as_object().unwrap());
        for (key, value) in before.as_object().unwrap() {
            let pointer = format!("/{key}");
            if !changed.iter().any(|edit| edit.pointer == pointer || edit.pointer.starts_with(&format!("{pointer}/"))) {
                prop_assert_eq!(after.get(key), Some(value));
            }
        }
        for line in text.lines().filter(|line| changed.is_empty() || (layout > 0 && line.contains("first"))) {
            prop_assert!(written.contains(line));
        }
    }
}

fn only(field: Field, sourced: &Sourced) -> Record {
    let mut record = Record::new();
    record.put(field.into(), sourced.clone());
    record
}
