//! Real files: what validates before and after repair, and what each of the
//! others needs. Needs `MUSTER_CORPUS`; without it, it says so and rests.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

use std::collections::{BTreeMap, BTreeSet};

use code_json::{
    check::Severity,
    detect::{Container, detect, records},
    document::{Document, Limits},
    repair::repair,
    validate::{Options, validate},
};

mod given;

/// Checks that ask for what only a person knows.
const ONLY_A_PERSON: [&str; 10] = [
    "key-missing",
    "usage-type-missing",
    "usage-type-unknown",
    "labor-hours-missing",
    "repository-url-missing",
    "file-unknown",
    "license-name",
    "value-range",
    "key-unknown",
    "value-not-in-list",
];

#[test]
fn single_files_validate_after_repair_or_need_a_person() {
    let Some(corpus) = given::folder("MUSTER_CORPUS") else { return };
    let options = Options::default();
    let (mut singles, mut before, mut after, mut person) = (0, 0, 0, 0);
    let mut questions: BTreeMap<String, usize> = BTreeMap::new();
    let mut left = Vec::new();
    for file in given::corpus(&corpus) {
        let Ok(document) = Document::read(&file.bytes, &Limits::default()) else { continue };
        let shape = detect(&document);
        if file.listed["kind"] != "single" {
            continue;
        }
        assert_eq!(shape.container, Container::Single, "{}", file.name);
        assert_eq!(records(&document).len(), 1);
        singles += 1;
        let repaired = repair(&file.bytes, &options).unwrap();
        before += usize::from(repaired.before.is_valid());
        after += usize::from(repaired.after.is_valid());
        let errors: BTreeSet<_> = repaired
            .after
            .problems
            .iter()
            .filter(|problem| problem.severity() == Severity::Error)
            .map(|problem| (problem.check.id, problem.pointer.clone(), problem.found.clone()))
            .collect();
        for (id, pointer, found) in &errors {
            *questions.entry(format!("{id} {pointer} {found}")).or_default() += 1;
        }
        if errors.is_empty() {
            continue;
        }
        if errors.iter().all(|(id, ..)| ONLY_A_PERSON.contains(id)) {
            person += 1;
        } else {
            left.push(format!("{}: {errors:?}", file.name));
        }
    }
    println!(
        "single files: {singles}; valid before repair {before}, after {after}; {person} lack what only a person knows"
    );
    for (question, files) in &questions {
        println!("  {files} × {question}");
    }
    let mendable = singles - person;
    assert!(singles > 90);
    assert!(after * 10 >= mendable * 9, "{after} of {mendable}:\n{}", left.join("\n"));
}

#[test]
fn repair_is_idempotent_and_nothing_is_lost() {
    let Some(corpus) = given::folder("MUSTER_CORPUS") else { return };
    let options = Options::default();
    let (mut files, mut repairs) = (0, BTreeMap::<&str, usize>::new());
    let (mut errors, mut rest) = (0, 0);
    for file in given::corpus(&corpus) {
        let Ok(document) = Document::read(&file.bytes, &Limits::default()) else { continue };
        assert_eq!(document.text().as_bytes(), file.bytes, "{}", file.name);
        files += 1;
        let once = repair(&file.bytes, &options).unwrap();
        let twice = repair(once.text.as_bytes(), &options).unwrap();
        assert_eq!(once.text, twice.text, "{}", file.name);
        assert!(once.after.violations <= once.before.violations, "{}", file.name);
        errors += once.before.count(Severity::Error);
        rest += once.after.count(Severity::Error);
        for made in &once.made {
            *repairs.entry(made.check.id).or_default() += 1;
        }
        if once.made.is_empty() {
            assert_eq!(once.text.as_bytes(), file.bytes, "{}", file.name);
        }
    }
    println!("{files} files; errors before {errors}, after {rest}; repairs: {repairs:?}");
}

#[test]
fn what_is_found() {
    let Some(corpus) = given::folder("MUSTER_CORPUS") else { return };
    let mut sums = (0, 0, 0);
    let mut counts: BTreeMap<(Severity, &str), (usize, BTreeSet<String>)> = BTreeMap::new();
    for file in given::corpus(&corpus) {
        let report = validate(&file.bytes, &Options::default());
        // The verdict is the schema's, where there is one.
        let shape = |id: &str| id.starts_with("json-") || id.starts_with("file-");
        let errors = report.problems.iter().filter(|problem| problem.severity() == Severity::Error);
        let errors = errors.filter(|problem| !shape(problem.check.id)).count();
        assert_eq!(errors > 0, report.violations.unwrap_or(0) > 0, "{}", file.name);
        if let Some(floor) = report.data_gov.filter(|_| report.records > 1) {
            sums.0 += floor.taken;
            sums.1 += floor.incomplete;
            sums.2 += floor.duplicates;
        }
        for problem in report.problems {
            let (count, files) = counts.entry((problem.severity(), problem.check.id)).or_default();
            *count += 1;
            files.insert(file.name.clone());
            assert!(!problem.write.is_empty() && !problem.found.is_empty(), "{} {problem:?}", file.name);
        }
    }
    println!("Data.gov: takes {}, refuses {}, drops {} of the inventories' entries", sums.0, sums.1, sums.2);
    for ((severity, id), (count, files)) in &counts {
        println!("{severity} {id}: {count} in {} files", files.len());
    }
    assert!(counts.len() > 30);
}
