//! The report as Markdown, as rows for a spreadsheet, and as JSON.

use std::fmt::Write as _;

use jiff::civil::Date;
use serde::Serialize;

use crate::domain::{
    exemptions::{
        Class, Consultation, Decision,
        report::{Applied, Doubted, FiscalYear, Report},
    },
    outgoing::plain,
};

const NOT_GIVEN: &str = "not given";

/// What one exemption says, as text.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Line<'a> {
    organization: &'a str,
    repository: u64,
    class: Class,
    usage: &'static str,
    provision: &'static str,
    /// The citation.
    basis: Option<&'a str>,
    origin: Option<&'static str>,
    /// The narrative.
    reason: &'a str,
    requested_by: u64,
    approved_by: Option<u64>,
    role: Option<&'static str>,
    consulted: Option<&'a Consultation>,
    applied_from: Option<Date>,
    applied_to: Option<Date>,
    /// The first and the last day of the year on which it applied.
    in_year_from: Date,
    in_year_to: Date,
    left_register: Option<Date>,
    verified: Option<Verified>,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Verified {
    pull_request: u64,
    by: u64,
    how: &'static str,
}

impl<'a> Line<'a> {
    fn of(applied: &'a Applied) -> Line<'a> {
        let exemption = &applied.exemption;
        let (approved_by, role) = match &exemption.decision {
            Decision::Granted { by, office, .. } => (Some(by.0), Some(office.as_str())),
            Decision::Requested | Decision::Denied { .. } => (None, None),
        };
        let dates = exemption.applies();
        Line {
            organization: &applied.organization,
            repository: exemption.id.0,
            class: exemption.class(),
            usage: exemption.usage.name(),
            provision: applied.provision(),
            basis: exemption.basis.as_deref(),
            origin: exemption.origin.map(|origin| origin.as_str()),
            reason: &exemption.reason,
            requested_by: exemption.requested_by.0,
            approved_by,
            role,
            consulted: exemption.consulted.as_ref(),
            applied_from: dates.map(|(from, _)| from),
            applied_to: dates.and_then(|(_, to)| to),
            in_year_from: applied.within.0,
            in_year_to: applied.within.1,
            left_register: applied.left,
            verified: applied.proof.as_ref().map(|proof| Verified {
                pull_request: proof.pull_request,
                by: proof.by.0,
                how: proof.way.as_str(),
            }),
        }
    }

    fn consulted(&self) -> String {
        self.consulted.map_or_else(|| NOT_GIVEN.to_owned(), |with| format!("{} on {}", with.body, with.on))
    }

    fn decided(&self) -> String {
        match (self.approved_by, self.role) {
            (Some(by), Some("cio")) => format!("GitHub user {by}, as Chief Information Officer"),
            (Some(by), Some(_)) => format!("GitHub user {by}, as delegate of the Chief Information Officer"),
            (Some(_) | None, _) => NOT_GIVEN.to_owned(),
        }
    }

    fn verified(&self) -> String {
        match &self.verified {
            None => "not verified: read from a file".to_owned(),
            Some(Verified { pull_request, by, how }) => {
                format!("pull request {pull_request}, {how}, GitHub user {by}")
            }
        }
    }
}

/// `exemptions-1`.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(in crate::cli) struct Content<'a> {
    fiscal_year: FiscalYear,
    from: Date,
    to: Date,
    /// The day whose state this is.
    as_of_day: Date,
    /// Whether days of the year are still to come.
    year_over: bool,
    /// Whether the approvals were verified.
    verified: bool,
    organizations: &'a [String],
    totals: Totals,
    exemptions: Vec<Line<'a>>,
    not_counted: &'a [Doubted],
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Totals {
    automatic: usize,
    discretionary: usize,
    policy: usize,
    all: usize,
    repositories: usize,
    /// In classified annexes; Muster knows their number alone.
    annex: u32,
    /// Entries of the registers that did not apply, by where they stand.
    otherwise: std::collections::BTreeMap<&'static str, usize>,
}

fn totals(report: &Report) -> Totals {
    let of = |class| report.of_class(class).count();
    Totals {
        automatic: of(Class::Automatic),
        discretionary: of(Class::Discretionary),
        policy: of(Class::Policy),
        all: report.applied.len(),
        repositories: report.repositories(),
        annex: report.annex,
        otherwise: report.otherwise.iter().map(|(standing, count)| (standing.as_str(), *count)).collect(),
    }
}

pub(in crate::cli) fn json(report: &Report, verified: bool) -> Content<'_> {
    Content {
        fiscal_year: report.year,
        from: report.year.first(),
        to: report.year.last(),
        as_of_day: report.as_of,
        year_over: report.as_of > report.year.last(),
        verified,
        organizations: &report.organizations,
        totals: totals(report),
        exemptions: report.applied.iter().map(Line::of).collect(),
        not_counted: &report.doubted,
    }
}

/// A row of headings, then one for each exemption.
pub(in crate::cli) fn rows(report: &Report) -> Vec<Vec<String>> {
    const HEADINGS: [&str; 21] = [
        "fiscal_year",
        "as_of",
        "organization",
        "repository_id",
        "class",
        "usage",
        "provision",
        "basis",
        "origin",
        "reason",
        "requested_by",
        "approved_by",
        "role",
        "consulted",
        "consulted_on",
        "applied_from",
        "applied_to",
        "in_year_from",
        "in_year_to",
        "left_register",
        "verified",
    ];
    let text = |value: Option<String>| value.unwrap_or_default();
    let day = |value: Option<Date>| text(value.map(|day| day.to_string()));
    let row = |applied: &Applied| {
        let line = Line::of(applied);
        vec![
            report.year.to_string(),
            report.as_of.to_string(),
            line.organization.to_owned(),
            line.repository.to_string(),
            line.class.as_str().to_owned(),
            line.usage.to_owned(),
            line.provision.to_owned(),
            line.basis.unwrap_or_default().to_owned(),
            line.origin.unwrap_or_default().to_owned(),
            line.reason.to_owned(),
            line.requested_by.to_string(),
            text(line.approved_by.map(|by| by.to_string())),
            line.role.unwrap_or_default().to_owned(),
            text(line.consulted.map(|with| with.body.clone())),
            day(line.consulted.map(|with| with.on)),
            day(line.applied_from),
            day(line.applied_to),
            line.in_year_from.to_string(),
            line.in_year_to.to_string(),
            day(line.left_register),
            line.verified(),
        ]
    };
    let headings = HEADINGS.map(str::to_owned).to_vec();
    let annex = || {
        let mut row = vec![report.year.to_string(), report.as_of.to_string()];
        row.resize(HEADINGS.len(), String::new());
        row[4] = "annex".to_owned();
        row[9] = format!("{} more in classified annexes, kept elsewhere", report.annex);
        row
    };
    let rows = std::iter::once(headings).chain(report.applied.iter().map(row));
    rows.chain((report.annex > 0).then(annex)).collect()
}

/// What a class is called, and what it means.
fn heading(class: Class) -> (&'static str, &'static str) {
    match class {
        Class::Automatic => (
            "Automatic exemptions, SHARE IT Act §4(a)(1)",
            "The Act, or its section 3, does not apply to this code.",
        ),
        Class::Discretionary => (
            "Discretionary exemptions, SHARE IT Act §4(a)(2)",
            "The Chief Information Officer exempted this code, in consultation with the Federal Privacy Council.",
        ),
        Class::Policy => (
            "Exceptions of OMB M-16-21 alone",
            "The SHARE IT Act has no exemption of these names. The basis says which law each rests on, if any.",
        ),
    }
}

pub(in crate::cli) fn markdown(report: &Report, verified: bool) -> String {
    let (year, totals) = (report.year, totals(report));
    let mut out = format!(
        "# Exemptions from sharing source code that applied in fiscal year {year}\n\n\
         Period: {} to {}. As of {}.\n",
        year.first(),
        year.last(),
        report.as_of
    );
    let organizations: Vec<String> = report.organizations.iter().map(|name| plain(name)).collect();
    let organizations = if organizations.is_empty() { "none".to_owned() } else { organizations.join(", ") };
    let (word, colon) = if verified { ("Registers of", "") } else { ("File", ":") };
    say(&mut out, format_args!("{word}{colon} {organizations}.\n"));
    if report.as_of <= year.last() {
        out.push_str("The fiscal year is not over: exemptions may still be added.\n");
    }
    if !verified {
        out.push_str(
            "Read from the file alone. No approval was verified, and what left the file earlier is not known.\n",
        );
    }
    out.push_str("\n| | exemptions |\n|---|---:|\n");
    for (what, count) in [
        ("Automatic, §4(a)(1)", totals.automatic),
        ("Discretionary, §4(a)(2)", totals.discretionary),
        ("M-16-21 alone", totals.policy),
    ] {
        say(&mut out, format_args!("| {what} | {count} |\n"));
    }
    say(
        &mut out,
        format_args!("| **All, in {} repositories** | **{}** |\n", totals.repositories, totals.all),
    );
    say(&mut out, format_args!("| Classified annex, kept elsewhere | {} |\n", totals.annex));
    missing(&mut out, report);
    for class in Class::ALL {
        let (title, meaning) = heading(class);
        say(&mut out, format_args!("\n## {title}\n\n{meaning}\n"));
        let mut none = true;
        for (number, applied) in (1..).zip(report.of_class(class)) {
            one(&mut out, number, &Line::of(applied));
            none = false;
        }
        if none {
            out.push_str("\nNone applied.\n");
        }
    }
    not_counted(&mut out, report);
    out
}

/// What the law asks for and the register does not say.
fn missing(out: &mut String, report: &Report) {
    let count = |lacks: fn(&Applied) -> bool| report.applied.iter().filter(|one| lacks(one)).count();
    let basis = count(|one| one.exemption.basis.is_none());
    let consulted =
        count(|one| one.exemption.class() == Class::Discretionary && one.exemption.consulted.is_none());
    for (count, what) in [(basis, "citation of a law"), (consulted, "consultation, which §4(a)(2) asks for")]
    {
        if count > 0 {
            say(out, format_args!("\nWithout a {what}: {count}.\n"));
        }
    }
}

fn one(out: &mut String, number: usize, line: &Line<'_>) {
    say(
        out,
        format_args!(
            "\n### {number}. Repository {} of {}\n\n{}\n\n",
            line.repository,
            plain(line.organization),
            plain(line.reason)
        ),
    );
    let to = line.applied_to.map_or_else(|| "further notice".to_owned(), |to| to.to_string());
    let from = line.applied_from.map_or_else(|| NOT_GIVEN.to_owned(), |from| from.to_string());
    let mut facts = vec![
        ("Exemption", format!("{}, {}", line.usage, line.provision)),
        ("Basis", line.basis.map_or_else(|| NOT_GIVEN.to_owned(), plain)),
        ("Code made by", line.origin.map_or(NOT_GIVEN, origin).to_owned()),
        ("Decided by", line.decided()),
        ("Asked for by", format!("GitHub user {}", line.requested_by)),
        ("Applies", format!("from {from} to {to}")),
        ("Applied in the year", format!("from {} to {}", line.in_year_from, line.in_year_to)),
    ];
    // The Act asks for it where the CIO exempts at discretion.
    if line.consulted.is_some() || line.class == Class::Discretionary {
        facts.push(("Consulted", plain(&line.consulted())));
    }
    if let Some(left) = line.left_register {
        facts.push(("Left the register", left.to_string()));
    }
    facts.push(("Approval", line.verified()));
    for (name, value) in facts {
        say(out, format_args!("- {name}: {value}\n"));
    }
}

fn origin(word: &'static str) -> &'static str {
    match word {
        "employee" => "Federal employees",
        "contract" => "a contractor",
        _ => "Federal employees and a contractor",
    }
}

fn not_counted(out: &mut String, report: &Report) {
    if report.otherwise.is_empty() {
        return;
    }
    out.push_str("\n## Not counted\n\n");
    let counts: Vec<String> =
        report.otherwise.iter().map(|(standing, count)| format!("{} {count}", standing.as_str())).collect();
    say(out, format_args!("Entries of the registers that did not apply: {}.\n", counts.join(", ")));
    if !report.doubted.is_empty() {
        out.push('\n');
    }
    for Doubted { organization, repository, standing, why } in &report.doubted {
        let organization = plain(organization);
        say(
            out,
            format_args!(
                "- Repository {repository} of {organization} ({}): {}.\n",
                standing.as_str(),
                plain(why)
            ),
        );
    }
}

fn say(out: &mut String, words: std::fmt::Arguments<'_>) {
    out.write_fmt(words).expect("a String takes everything");
}
