//! What the judge said of many repositories, for people and for programs: the
//! same in `muster check` and `muster scan`.
//!
//! Promises: (1) results come in the order in which they were asked for; (2)
//! what could not be read is named and counted; (3) fields of the JSON are
//! only added.

use std::io;

use jiff::Timestamp;
use serde::Serialize;

use super::{COULD_NOT_RUN, FINDINGS, output};
use crate::domain::{
    finding::{Finding, Judgement, Outcome, Report, RuleId, Skip, Verdict},
    rules::{self, RULES},
};

/// One repository or checkout, and what was said of it or why nothing could be.
#[derive(Debug)]
pub(super) struct Judged {
    /// Its path or name.
    pub(super) subject: String,
    /// What the judge says.
    pub(super) report: Result<Report, String>,
}

/// What was judged, by which policy.
#[derive(Debug)]
pub(super) struct Reports {
    /// What the subjects are: `path` or `repository`.
    pub(super) kind: Kind,
    /// In the order in which they were asked for.
    pub(super) judged: Vec<Judged>,
    /// `built-in`, or where the policy stands.
    pub(super) policy_source: String,
    /// SHA-256 of its canonical form.
    pub(super) policy_digest: String,
}

/// What the subjects of reports are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Local checkouts, by path.
    Path,
    /// Repositories on GitHub, by name.
    Repository,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Path => "path",
            Kind::Repository => "repository",
        }
    }
}

impl Reports {
    /// How many have this verdict.
    pub(super) fn count(&self, verdict: Verdict) -> usize {
        self.reports().filter(|(_, report)| report.verdict() == verdict).count()
    }

    /// Those of which something could be said.
    pub(super) fn reports(&self) -> impl Iterator<Item = (&str, &Report)> {
        self.judged.iter().filter_map(|judged| Some((judged.subject.as_str(), judged.report.as_ref().ok()?)))
    }

    /// Those of which nothing could be said, and why.
    pub(super) fn could_not_run(&self) -> impl Iterator<Item = (&str, &str)> {
        self.judged
            .iter()
            .filter_map(|judged| Some((judged.subject.as_str(), judged.report.as_ref().err()?.as_str())))
    }

    /// Says on standard error what could not be told; the exit code.
    pub(super) fn conclude(&self, strict: bool) -> u8 {
        for (subject, reason) in self.could_not_run() {
            output::note(&format!("{subject}: could not be checked: {reason}"));
        }
        let unknown = self.reports().filter(|(_, report)| report.has_unknown()).count();
        if unknown > 0 {
            output::note(&format!("{unknown} of {} could not be checked in full.", self.judged.len()));
        }
        let untold = unknown > 0 || self.could_not_run().next().is_some();
        match (self.reports().next(), self.count(Verdict::NeedsWork)) {
            (None, _) if self.judged.is_empty() => 0,
            (None, _) => COULD_NOT_RUN,
            (Some(_), 0) if !(strict && untold) => 0,
            (Some(_), _) => FINDINGS,
        }
    }
}

/// The most subjects whose findings are written out below the table.
const EXPLAINED: usize = 10;

/// One row a subject, what to do, and the sums.
pub(super) fn table(reports: &Reports, all: bool) -> io::Result<()> {
    let telling = |report: &Report| match report.verdict() {
        Verdict::NeedsWork | Verdict::Waived | Verdict::Unknown => true,
        Verdict::Meets | Verdict::Skipped => all,
    };
    let rows: Vec<(&str, &Report)> = reports.reports().filter(|(_, report)| telling(report)).collect();
    if !rows.is_empty() {
        let mut headings = vec![reports.kind.as_str()];
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
    output::line(&sums(reports))
}

fn row(subject: &str, report: &Report) -> Vec<String> {
    let mut row = vec![output::shortened(subject)];
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

/// The sentences about one subject, for all that is not simply met.
fn explain(subject: &str, report: &Report) -> io::Result<()> {
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
    output::line(subject)?;
    lines.iter().try_for_each(|line| output::line(line))?;
    output::line("")
}

fn sums(reports: &Reports) -> String {
    let count = |verdict| reports.count(verdict);
    let skipped = count(Verdict::Skipped);
    let untold = count(Verdict::Unknown) + reports.could_not_run().count();
    let checked = reports.judged.len() - skipped - reports.could_not_run().count();
    let meets = count(Verdict::Meets);
    let share = (meets * 100).checked_div(checked).map_or_else(String::new, |share| format!(" ({share} %)"));
    format!(
        "{meets} of {checked} checked meet the policy{share}. {} need work, {} waived, {skipped} skipped by rule, \
         {untold} could not be checked.",
        count(Verdict::NeedsWork),
        count(Verdict::Waived),
    )
}

/// The content of a `check-1` or `scan-1` document. Fields are only added.
#[derive(Serialize)]
struct Content<'a> {
    policy: PolicyUsed<'a>,
    /// In the order of the arguments.
    repositories: Vec<Entry<'a>>,
    /// Those of which nothing could be said.
    could_not_run: Vec<CouldNotRun<'a>>,
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
    /// `path` or `repository`.
    #[serde(flatten)]
    subject: Subject<'a>,
    /// `meets`, `needs-work`, `waived`, `skipped` or `unknown`.
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<&'a Skip>,
    /// `rule`, `severity`, `outcome` and what it brings: `summary`, `path`,
    /// `licenses`, `advice` of what passes; `gap`, `summary`, `looked`, `remedy`,
    /// `place` of what fails; else `reason`.
    checks: &'a [Judgement],
}

/// A subject under the name of its kind.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Subject<'a> {
    Path(&'a str),
    Repository(&'a str),
}

#[derive(Serialize)]
struct CouldNotRun<'a> {
    #[serde(flatten)]
    subject: Subject<'a>,
    reason: &'a str,
}

/// Subjects by verdict; they sum up to `total`.
#[derive(Serialize)]
struct Totals {
    total: usize,
    meets: usize,
    needs_work: usize,
    waived: usize,
    skipped: usize,
    unknown: usize,
    could_not_run: usize,
}

/// One JSON document, under this name of its schema.
pub(super) fn json(reports: &Reports, schema: &'static str, now: Timestamp) -> io::Result<()> {
    let named = |subject| match reports.kind {
        Kind::Path => Subject::Path(subject),
        Kind::Repository => Subject::Repository(subject),
    };
    let could_not_run: Vec<CouldNotRun<'_>> = reports
        .could_not_run()
        .map(|(subject, reason)| CouldNotRun { subject: named(subject), reason })
        .collect();
    let content = Content {
        policy: PolicyUsed { source: &reports.policy_source, digest: &reports.policy_digest },
        totals: Totals {
            total: reports.judged.len(),
            meets: reports.count(Verdict::Meets),
            needs_work: reports.count(Verdict::NeedsWork),
            waived: reports.count(Verdict::Waived),
            skipped: reports.count(Verdict::Skipped),
            unknown: reports.count(Verdict::Unknown),
            could_not_run: could_not_run.len(),
        },
        repositories: reports
            .reports()
            .map(|(subject, report)| Entry {
                subject: named(subject),
                verdict: report.verdict(),
                skipped: report.skipped.as_ref(),
                checks: &report.judgements,
            })
            .collect(),
        could_not_run,
    };
    output::json(&output::Document::new(schema, now, content))
}
