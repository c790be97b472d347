//! Every collected file through the record and into each target. Needs
//! `MUSTER_CORPUS`; without it, it says so and rests.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

use code_json::{
    convert::{Ask, Frame, Target, convert},
    document::{Document, Limits},
    migrate::{self, Reading},
    schema::{Published, Rule, Schema},
};
use serde_json::Value as Json;

mod given;

fn read(document: &Document, name: &str) -> Option<Reading> {
    migrate::read(&document.root().to_json(), name).ok()
}

fn schema(target: Target) -> &'static Schema {
    Schema::published(match target {
        Target::Gov2 => Published::Gov2,
        Target::AgencyIndex2 => Published::AgencyIndex2,
        Target::Gsa2 => Published::Gsa2,
    })
}

fn parse(json: &Json) -> Document {
    Document::read(&serde_json::to_vec(json).unwrap(), &Limits::default()).unwrap()
}

/// What the target's schema says of a document, beyond what was asked for.
fn surprises(json: &Json, target: Target, asked: &[String]) -> Vec<String> {
    let document = parse(json);
    let line = |violation: code_json::schema::Violation| {
        let place = document.value(violation.at).pointer();
        match violation.rule {
            Rule::Required(key) => format!("{place}/{key}"),
            rule => format!("{place} {rule:?}"),
        }
    };
    schema(target).judge(&document).into_iter().map(line).filter(|line| !asked.contains(line)).collect()
}

#[test]
fn every_file_is_read_and_written_in_every_version() {
    let Some(corpus) = given::folder("MUSTER_CORPUS") else { return };
    let frame = Frame { agency: Some("ABC".into()), method: Some("projects".into()) };
    let (mut read_files, mut records, mut losses, mut questions, mut whole) = (0, 0, 0, 0, 0);
    let mut unread = Vec::new();
    for file in given::corpus(&corpus) {
        let Ok(document) = Document::read(&file.bytes, &Limits::default()) else {
            unread.push(format!("{} is not JSON", file.name));
            continue;
        };
        let Some(reading) = read(&document, &file.name) else {
            unread.push(format!("{} describes no code", file.name));
            continue;
        };
        read_files += 1;
        records += reading.records().count();
        for target in Target::ALL {
            let Ok(converted) = convert(&reading, target, &frame) else { continue };
            losses += converted.losses.len();
            questions += converted.questions.len();
            let base = |record: Option<usize>| match (target, record) {
                (Target::Gov2, _) | (_, None) => String::new(),
                (Target::AgencyIndex2 | Target::Gsa2, Some(record)) => format!("/releases/{record}"),
            };
            let asked: Vec<String> =
                converted.questions.iter().map(|q| format!("{}{}", base(q.record), q.pointer)).collect();
            let surprises = surprises(&converted.document, target, &asked);
            assert!(surprises.is_empty(), "{} to {}: {surprises:?}", file.name, target.name());
            whole += usize::from(converted.questions.iter().all(|q| q.ask == Ask::WhyExempt));
            // There and back: what was written once is written again, without a loss.
            let again = migrate::read(&converted.document, &file.name).unwrap();
            let again = convert(&again, target, &frame).unwrap();
            assert_eq!(again.losses, [], "{} to {}", file.name, target.name());
            assert!(again.document == converted.document, "{} to {} changes again", file.name, target.name());
        }
    }
    println!(
        "{read_files} files with {records} records read; {whole} conversions without a question; \
         {losses} losses and {questions} questions in all"
    );
    println!("not read: {unread:#?}");
    assert!(read_files >= 130 && records > 7_000, "{read_files} files, {records} records");
}
