//! For programs.

use serde_json::{Value as Json, json};

use super::Judged;
use crate::check::Severity;

/// One file: what it is, the counts, and every problem.
#[must_use]
pub fn json(judged: Judged<'_>) -> Json {
    let report = judged.report;
    let problems: Vec<Json> = report
        .problems
        .iter()
        .map(|problem| {
            json!({
                "check": problem.check.id,
                "severity": problem.severity().to_string(),
                "line": problem.place.line,
                "column": problem.place.column,
                "start": problem.span.start,
                "end": problem.span.end,
                "pointer": problem.pointer,
                "record": problem.entry.map(|entry| entry + 1),
                "title": problem.check.title,
                "found": problem.found,
                "write": problem.write,
                "repairable": problem.fix.is_some(),
                "source": problem.check.source,
            })
        })
        .collect();
    json!({
        "file": judged.path,
        "family": report.shape.map(|shape| shape.family.name()),
        "judged_by": report.schema,
        "records": report.records,
        "valid": report.is_valid(),
        "schema_violations": report.violations,
        "errors": report.count(Severity::Error),
        "warnings": report.count(Severity::Warning),
        "hints": report.count(Severity::Hint),
        "data_gov": report.data_gov.map(|floor| json!({
            "taken": floor.taken,
            "incomplete": floor.incomplete,
            "duplicates": floor.duplicates,
        })),
        "problems": problems,
    })
}
