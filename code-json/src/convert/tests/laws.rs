//! The laws of conversion, for any record.

use proptest::prelude::*;

use super::*;
use crate::record::any::records;

fn targets() -> impl Strategy<Value = Target> {
    (0..Target::ALL.len()).prop_map(|at| Target::ALL[at])
}

fn back(document: &Value) -> Record {
    let from = Provenance::Person { file: "code.json".into() };
    migrate::read_release(document.as_object().unwrap(), from).0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn there_and_back_loses_what_the_table_says(
        record in records(Provenance::Person { file: "code.json".into() }),
        target in targets(),
    ) {
        // As any record that was read: nothing of it is empty.
        let record = back(&plain(&record));
        let there = release(&record, target);
        let again = back(&there.document);
        for (key, sourced) in record.entries() {
            let reported = there.losses.iter().any(|loss| loss.pointer == key.pointer());
            let kept = again.get(key) == Some(sourced);
            prop_assert!(kept || reported, "{key}: {:?} became {:?}", sourced.value, again.get(key));
            prop_assert!(!(kept && reported), "{key} is reported as lost, and is there");
        }
        for (key, _) in again.entries() {
            prop_assert!(record.get(key).is_some(), "{key} was made up");
        }
    }

    #[test]
    fn converting_again_loses_nothing(
        record in records(Provenance::Person { file: "code.json".into() }),
        target in targets(),
    ) {
        let record = back(&plain(&record));
        let there = release(&record, target);
        let again = release(&back(&there.document), target);
        prop_assert_eq!(&again.losses, &vec![]);
        prop_assert_eq!(&again.document, &there.document);
    }

    #[test]
    fn what_is_written_is_right_or_asked_for(
        record in records(Provenance::Person { file: "code.json".into() }),
        target in targets(),
    ) {
        let frame = Frame { agency: Some("ABC".into()), method: Some("cost".into()) };
        let groups = vec![Group { envelope: Envelope::default(), records: vec![record] }];
        let reading = Reading { root: migrate::Root::Release, groups, notes: vec![] };
        let converted = convert(&reading, target, &frame).unwrap();
        let asked: Vec<&str> = converted.questions.iter().map(|question| question.pointer.as_str()).collect();
        for line in verdict(&converted.document, target) {
            let place = line.strip_prefix("/releases/0").unwrap_or(&line);
            prop_assert!(asked.contains(&place), "{line} is wrong and not asked for: {asked:?}");
        }
    }
}

/// A record's values at their pointers, whatever they are.
fn plain(record: &Record) -> Value {
    let mut release = json!({});
    for (key, sourced) in record.entries() {
        let mut place = &mut release;
        for token in key.pointer()[1..].split('/') {
            place = &mut place[token];
        }
        *place = sourced.value.clone();
    }
    release
}
