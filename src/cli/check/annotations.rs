//! Workflow commands of GitHub Actions: findings as annotations of a run.

use std::{io, path::Path};

use crate::{
    cli::{output, reports::Reports},
    domain::{
        finding::{Judgement, Outcome, Severity},
        rules,
        untrusted::shown,
    },
};

/// One workflow command for each thing to look at: an error for what is
/// required, a warning for what is recommended or could not be told, a notice
/// for advice.
pub(super) fn github(reports: &Reports) -> io::Result<()> {
    for (path, report) in reports.reports() {
        for judgement in &report.judgements {
            let Some(command) = command(Path::new(path), judgement) else { continue };
            output::line(&command)?;
        }
    }
    for (path, reason) in reports.could_not_run() {
        output::line(&annotation("warning", &[("title", "Muster")], &format!("{path}: {reason}")))?;
    }
    Ok(())
}

fn command(path: &Path, judgement: &Judgement) -> Option<String> {
    let title = format!("{}: {}", path.display(), rules::rule(judgement.rule).title);
    let level = match judgement.severity {
        Severity::Required => "error",
        Severity::Recommended | Severity::Off => "warning",
    };
    let (level, message, place) = match &judgement.outcome {
        Outcome::Pass(evidence) => {
            let file = evidence.path.as_deref().filter(|path| !path.contains(':'));
            ("notice", evidence.advice.clone()?, file.map(|file| (file, None, None)))
        }
        Outcome::Fail(finding) => {
            let place = finding.place.as_ref().map(|place| (place.path.as_str(), place.line, place.column));
            (level, format!("{} {}", finding.summary, finding.remedy), place)
        }
        Outcome::Waived { .. } => return None,
        Outcome::Unknown { reason } => ("warning", reason.clone(), None),
    };
    let mut properties = Vec::new();
    let (file, line, column);
    if let Some((inside, at, within)) = place {
        // GitHub wants paths from the root of its workspace, without `./`.
        let whole = path.join(inside);
        file = whole.strip_prefix(".").unwrap_or(&whole).display().to_string();
        properties.push(("file", file.as_str()));
        if let Some(at) = at {
            line = at.to_string();
            properties.push(("line", line.as_str()));
        }
        if let Some(within) = within {
            column = within.to_string();
            properties.push(("col", column.as_str()));
        }
    }
    properties.push(("title", title.as_str()));
    Some(annotation(level, &properties, &message))
}

/// One workflow command, escaped as GitHub's toolkit documents: `%`, CR and LF
/// everywhere, `:` and `,` in properties too (threats I8).
fn annotation(level: &str, properties: &[(&str, &str)], message: &str) -> String {
    let escaped = |text: &str, within_property: bool| {
        let mut out = String::new();
        for c in shown(text).chars() {
            match c {
                '%' => out.push_str("%25"),
                '\r' => out.push_str("%0D"),
                '\n' => out.push_str("%0A"),
                ':' if within_property => out.push_str("%3A"),
                ',' if within_property => out.push_str("%2C"),
                c => out.push(c),
            }
        }
        out
    };
    let properties: Vec<String> =
        properties.iter().map(|(name, value)| format!("{name}={}", escaped(value, true))).collect();
    format!("::{level} {}::{}", properties.join(","), escaped(message, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workflow_commands_cannot_be_forged() {
        let hostile = "a\n::set-output name=x::y,z:%0A\u{1b}[31m";
        let made = annotation("error", &[("file", hostile), ("line", "3")], hostile);
        assert_eq!(
            made,
            "::error file=a\\u{a}%3A%3Aset-output name=x%3A%3Ay%2Cz%3A%250A\\u{1b}[31m,line=3\
             ::a\\u{a}::set-output name=x::y,z:%250A\\u{1b}[31m"
        );
        assert_eq!(made.lines().count(), 1);
    }
}
