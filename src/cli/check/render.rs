//! The three ways to write what was checked.

use std::{io, path::Path};

use jiff::Timestamp;
use serde::Serialize;

use super::Checks;
use crate::{
    cli::output,
    domain::{
        finding::{Finding, Judgement, Outcome, Report, RuleId, Severity, Skip, Verdict},
        rules::{self, RULES},
        untrusted::shown,
    },
};

/// The most paths whose findings are written out below the table.
const EXPLAINED: usize = 10;

/// One row a path, what to do, and the sums.
pub(super) fn table(checks: &Checks<'_>, all: bool) -> io::Result<()> {
    let telling = |report: &Report| match report.verdict() {
        Verdict::NeedsWork | Verdict::Waived | Verdict::Unknown => true,
        Verdict::Meets | Verdict::Skipped => all,
    };
    let rows: Vec<(&Path, &Report)> = checks.reports().filter(|(_, report)| telling(report)).collect();
    if !rows.is_empty() {
        let mut headings = vec!["path"];
        headings.extend(RULES.map(|rule| rule.title));
        headings.push("result");
        output::table(&headings, rows.iter().map(|(path, report)| row(path, report)))?;
        output::line("")?;
    }
    for (path, report) in rows.iter().take(EXPLAINED) {
        explain(path, report)?;
    }
    if let Some(more) = rows.len().checked_sub(EXPLAINED).filter(|more| *more > 0) {
        output::line(&format!("{more} more are not explained here: --format json tells all."))?;
    }
    output::line(&sums(checks))
}

fn row(path: &Path, report: &Report) -> Vec<String> {
    let mut row = vec![output::shortened(&path.display().to_string())];
    row.extend(
        RuleId::ALL
            .map(|rule| report.judgements.iter().find(|j| j.rule == rule).map_or_else(String::new, cell)),
    );
    row.push(match &report.skipped {
        Some(skip) => format!("{}: {skip}", Verdict::Skipped.as_str()),
        None => report.verdict().as_str().to_owned(),
    });
    row
}

/// A sign and a few words.
fn cell(judgement: &Judgement) -> String {
    match &judgement.outcome {
        Outcome::Pass(evidence) => {
            let inherited = evidence.path.as_deref().is_some_and(|path| path.contains(".github:"));
            let words = match judgement.rule {
                RuleId::License if evidence.licenses.is_empty() => "not identified".to_owned(),
                RuleId::License => listed(&evidence.licenses),
                RuleId::Readme | RuleId::Contributing | RuleId::CodeJson if inherited => {
                    "inherited".to_owned()
                }
                RuleId::Readme | RuleId::Contributing | RuleId::CodeJson => "meets".to_owned(),
            };
            format!("{} {words}", if evidence.advice.is_some() { "!" } else { "+" })
        }
        Outcome::Fail(Finding { place: Some(place), .. }) if place.line.is_some() => {
            format!("x line {}", place.line.unwrap_or_default())
        }
        Outcome::Fail(finding) => format!("x {}", finding.gap.as_str().replace('-', " ")),
        Outcome::Waived { .. } => "/ waived".to_owned(),
        Outcome::Unknown { .. } => "? could not check".to_owned(),
    }
}

/// At most three ids, so that one repository does not widen the table for all.
fn listed(ids: &[String]) -> String {
    const MOST: usize = 3;
    match ids.len().checked_sub(MOST) {
        None | Some(0) => ids.join(", "),
        Some(more) => format!("{} + {more}", ids[..MOST].join(", ")),
    }
}

/// The sentences about one path, for all that is not simply met.
fn explain(path: &Path, report: &Report) -> io::Result<()> {
    let mut lines = Vec::new();
    for judgement in &report.judgements {
        let title = rules::rule(judgement.rule).title;
        let (sentences, place) = match &judgement.outcome {
            Outcome::Pass(evidence) => match &evidence.advice {
                Some(advice) => (advice.clone(), None),
                None => continue,
            },
            Outcome::Fail(finding) => {
                (format!("{} {}", finding.summary, finding.remedy), finding.place.as_ref())
            }
            Outcome::Waived { reason } | Outcome::Unknown { reason } => (reason.clone(), None),
        };
        let place = match place.map(|place| (place, place.line, place.column)) {
            Some((place, Some(line), Some(column))) => format!(" at {}:{line}:{column}", place.path),
            Some(_) | None => String::new(),
        };
        lines.push(format!("  {title}{place}: {sentences}"));
    }
    if lines.is_empty() {
        return Ok(());
    }
    output::line(&path.display().to_string())?;
    lines.iter().try_for_each(|line| output::line(line))?;
    output::line("")
}

fn sums(checks: &Checks<'_>) -> String {
    let count = |verdict| checks.count(verdict);
    let skipped = count(Verdict::Skipped);
    let untold = count(Verdict::Unknown) + checks.could_not_run().count();
    let checked = checks.checked.len() - skipped - checks.could_not_run().count();
    let meets = count(Verdict::Meets);
    let share = (meets * 100).checked_div(checked).map_or_else(String::new, |share| format!(" ({share} %)"));
    format!(
        "{meets} of {checked} checked meet the policy{share}. {} need work, {} waived, {skipped} skipped by rule, \
         {untold} could not be checked.",
        count(Verdict::NeedsWork),
        count(Verdict::Waived),
    )
}

/// The content of a `check-1` document. Fields are only added.
#[derive(Serialize)]
struct Content<'a> {
    policy: PolicyUsed<'a>,
    /// In the order of the arguments.
    repositories: Vec<Entry<'a>>,
    /// Arguments of which nothing could be said.
    could_not_run: Vec<CouldNotRun>,
    totals: Totals,
}

#[derive(Serialize)]
struct PolicyUsed<'a> {
    /// `built-in`, or the file as it was named.
    source: &'a str,
    /// SHA-256 of its canonical form.
    digest: &'a str,
}

#[derive(Serialize)]
struct Entry<'a> {
    /// As it was named.
    path: String,
    /// `meets`, `needs-work`, `waived`, `skipped` or `unknown`.
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<&'a Skip>,
    /// `rule`, `severity`, `outcome` and what it brings: `summary`, `path`,
    /// `licenses`, `advice` of what passes; `gap`, `summary`, `looked`, `remedy`,
    /// `place` of what fails; else `reason`.
    checks: &'a [Judgement],
}

#[derive(Serialize)]
struct CouldNotRun {
    path: String,
    reason: String,
}

/// Paths by verdict; they sum up to `paths`.
#[derive(Serialize)]
struct Totals {
    paths: usize,
    meets: usize,
    needs_work: usize,
    waived: usize,
    skipped: usize,
    unknown: usize,
    could_not_run: usize,
}

pub(super) fn json(checks: &Checks<'_>, now: Timestamp) -> io::Result<()> {
    let entry = |(path, report): (&Path, _)| {
        let report: &Report = report;
        Entry {
            path: path.display().to_string(),
            verdict: report.verdict(),
            skipped: report.skipped.as_ref(),
            checks: &report.judgements,
        }
    };
    let could_not_run: Vec<CouldNotRun> = checks
        .could_not_run()
        .map(|(path, reason)| CouldNotRun { path: path.display().to_string(), reason: reason.to_owned() })
        .collect();
    let content = Content {
        policy: PolicyUsed { source: &checks.policy_source, digest: &checks.policy_digest },
        totals: Totals {
            paths: checks.checked.len(),
            meets: checks.count(Verdict::Meets),
            needs_work: checks.count(Verdict::NeedsWork),
            waived: checks.count(Verdict::Waived),
            skipped: checks.count(Verdict::Skipped),
            unknown: checks.count(Verdict::Unknown),
            could_not_run: could_not_run.len(),
        },
        repositories: checks.reports().map(entry).collect(),
        could_not_run,
    };
    output::json(&output::Document { schema: "check-1", generated: now, as_of: now, content })
}

/// One workflow command for each thing to look at: an error for what is
/// required, a warning for what is recommended or could not be told, a notice
/// for advice.
pub(super) fn github(checks: &Checks<'_>) -> io::Result<()> {
    for (path, report) in checks.reports() {
        for judgement in &report.judgements {
            let Some(command) = command(path, judgement) else { continue };
            output::line(&command)?;
        }
    }
    for (path, reason) in checks.could_not_run() {
        output::line(&annotation(
            "warning",
            &[("title", "Muster")],
            &format!("{}: {reason}", path.display()),
        ))?;
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
