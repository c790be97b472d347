//! For GitHub's log: workflow commands that become annotations.
//!
//! Form and escapes: GitHub Docs, "Workflow commands for GitHub Actions", and
//! the toolkit's `command.ts`.

use super::{Judged, counted, groups};
use crate::{check::Severity, validate::hides};

/// GitHub shows ten annotations of a kind for each step; more fill only the log.
const MOST: usize = 10;

/// One line for each problem, the first of each kind and severity.
#[must_use]
pub fn github(judged: Judged<'_>) -> String {
    let mut out = String::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Hint] {
        let command = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Hint => "notice",
        };
        let groups: Vec<_> =
            groups(judged.report).into_iter().filter(|group| group.check.severity == severity).collect();
        // Each kind once before any a second time.
        let most = groups.iter().map(|group| group.problems.len()).max().unwrap_or(0).min(MOST);
        let turns =
            (0..most).flat_map(|turn| groups.iter().filter_map(move |group| group.problems.get(turn)));
        for problem in turns.take(MOST) {
            let message = format!("{}: {}. {}", problem.check.title, problem.found, problem.write);
            out.push_str(&format!(
                "::{command} file={},line={},col={},title={}::{}\n",
                property(judged.path),
                problem.place.line,
                problem.place.column,
                property(problem.check.id),
                data(&message),
            ));
        }
    }
    out.push_str(&format!("{}: {}\n", data(judged.path), counted(judged.report)));
    out
}

fn data(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if hides(c) || (c.is_control() && c != '\n' && c != '\r') { '\u{fffd}' } else { c })
        .collect();
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
