//! SARIF 2.1.0, which code scanning reads.

use serde_json::{Value as Json, json};

use super::Judged;
use crate::{
    check::{Check, Problem, Severity},
    checks,
};

/// GitHub takes 25,000 results of a run and shows 5,000.
const MOST: usize = 5_000;

/// One run over some files. `tool` and `version` name the program, `help` is
/// the address of the page of checks, if there is one; `#ID` is added to it.
#[must_use]
pub fn sarif(files: &[Judged<'_>], tool: &str, version: &str, help: Option<&str>) -> Json {
    let rules: Vec<&Check> = checks::ALL.iter().flat_map(|subject| subject.iter()).copied().collect();
    let index = |check: &Check| rules.iter().position(|rule| rule.id == check.id);
    let mut problems: Vec<(&Judged<'_>, &Problem)> = files
        .iter()
        .flat_map(|file| file.report.problems.iter().map(move |problem| (file, problem)))
        .collect();
    problems.sort_by_key(|(_, problem)| problem.severity());
    let results = problems.into_iter().take(MOST).map(|(file, problem)| {
        let mut result = json!({
            "ruleId": problem.check.id,
            "ruleIndex": index(problem.check),
            "level": level(problem.severity()),
            "message": {"text": format!("{}: {}. {}", problem.check.title, problem.found, problem.write)},
            "locations": [{"physicalLocation": {
                "artifactLocation": {"uri": uri(file.path)},
                "region": {
                    "startLine": problem.place.line,
                    "startColumn": problem.place.column,
                    "byteOffset": problem.span.start,
                    "byteLength": problem.span.len(),
                },
            }}],
            // The same problem stays the same when lines move.
            "partialFingerprints": {"checkAndPointer/v1": format!("{}:{}", problem.check.id, problem.pointer)},
        });
        if let Some(fix) = &problem.fix {
            let replacements: Vec<Json> = fix.0.iter().map(|edit| json!({
                "deletedRegion": {"byteOffset": edit.span.start, "byteLength": edit.span.len()},
                "insertedContent": {"text": edit.text},
            })).collect();
            result["fixes"] = json!([{
                "description": {"text": problem.write},
                "artifactChanges": [{"artifactLocation": {"uri": uri(file.path)}, "replacements": replacements}],
            }]);
        }
        result
    });
    let results: Vec<Json> = results.collect();
    let rules: Vec<Json> = rules
        .iter()
        .map(|check| {
            let mut rule = json!({
                "id": check.id,
                "shortDescription": {"text": check.title},
                "fullDescription": {"text": check.why},
                "help": {"text": format!("{} Source: {}. Right: {}", check.why, check.source, check.right)},
                "defaultConfiguration": {"level": level(check.severity)},
            });
            if let Some(help) = help {
                rule["helpUri"] = Json::from(format!("{help}#{}", check.id));
            }
            rule
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": tool, "version": version, "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Hint => "note",
    }
}

/// A path as a relative address: RFC 3986, bytes that may not stand escaped.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
