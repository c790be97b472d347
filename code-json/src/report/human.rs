//! For people: each problem at its line, in the manner of rustc.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet, renderer::DecorStyle};

use super::{Group, Judged, counted, groups};
use crate::{
    check::{Problem, Severity},
    document::Span,
    validate::{DataGov, Report, hides},
};

/// How it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// With colours.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// How many errors of a kind are shown with their lines; of warnings one
    /// less, of hints one.
    pub examples: usize,
}

impl Style {
    fn examples_of(&self, severity: Severity) -> usize {
        let examples = match severity {
            Severity::Error => self.examples,
            Severity::Warning => self.examples.saturating_sub(1),
            Severity::Hint => 1,
        };
        examples.max(1)
    }
}

impl Default for Style {
    fn default() -> Self {
        Style { color: false, width: 100, examples: 3 }
    }
}

/// Columns that a line gets at least, however narrow the terminal is.
const NARROWEST: usize = 40;

/// Stands where a line was cut.
const CUT: &str = "...";

/// The problems of one file, and their sum in the last lines.
#[must_use]
pub fn human(judged: Judged<'_>, style: &Style) -> String {
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(style.width);
    let text = String::from_utf8_lossy(judged.bytes);
    let path = &harmless(judged.path);
    let starts = line_starts(&text);
    let mut out = String::new();
    for group in groups(judged.report) {
        let examples = style.examples_of(group.check.severity);
        for (number, problem) in group.problems.iter().take(examples).enumerate() {
            let excerpt = Excerpt::of(&text, &starts, problem, style.width);
            out.push_str(&one(&renderer, path, &excerpt, problem, number == 0));
            out.push('\n');
        }
        let rest = rest(&group, examples);
        if !rest.is_empty() {
            out.push_str(&(rest + "\n"));
        }
    }
    out.push_str(&sum(path, judged.report));
    out
}

/// A text in which nothing acts on a terminal or hides.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if (c.is_control() && c != '\t') || hides(c) { '\u{fffd}' } else { c }).collect()
}

fn one(renderer: &Renderer, path: &str, excerpt: &Excerpt, problem: &Problem, first: bool) -> String {
    let (level, kind) = match problem.severity() {
        Severity::Error => (Level::ERROR, AnnotationKind::Primary),
        Severity::Warning => (Level::WARNING, AnnotationKind::Primary),
        Severity::Hint => (Level::NOTE.with_name("hint"), AnnotationKind::Primary),
    };
    // What is underlined need not be said again.
    let underlined = excerpt.line.get(excerpt.span.clone()).unwrap_or_default();
    let is_shown = match problem.found.trim_end_matches('"').strip_suffix('…') {
        Some(start) => underlined.starts_with(start) || start.starts_with(underlined),
        None => underlined == problem.found || (excerpt.is_cut && problem.found.starts_with(underlined)),
    };
    let found = if is_shown && !underlined.is_empty() { "" } else { problem.found.as_str() };
    let label = match problem.entry {
        Some(entry) => format!("{} (record {})", harmless(found), entry + 1),
        None => harmless(found),
    };
    let snippet = Snippet::source(&excerpt.line)
        .line_start(problem.place.line as usize)
        .path(format!("{path}:{}", problem.place))
        .fold(false)
        .annotation(kind.span(excerpt.span.clone()).label(label.trim().to_owned()));
    let mut group = level.primary_title(problem.check.title).id(problem.check.id).element(snippet);
    let repairable = if problem.fix.is_some() { " (repair does it)" } else { "" };
    group = group.element(Level::HELP.message(format!("{}{repairable}", harmless(&problem.write))));
    if first {
        group = group.element(Level::NOTE.message(problem.check.why));
    }
    // The place stands behind the path already; the renderer would count the
    // column within the excerpt.
    let shown = renderer.render(&[group]);
    let doubled = format!("{}:{}:{}", problem.place, problem.place.line, excerpt.column);
    shown.replacen(&doubled, &problem.place.to_string(), 1) + "\n"
}

/// The line of a problem, or as much of it as helps.
struct Excerpt {
    line: String,
    span: Span,
    /// Whether the span ends before its end in the file.
    is_cut: bool,
    /// Where the renderer will say that it is.
    column: usize,
}

impl Excerpt {
    fn of(text: &str, starts: &[usize], problem: &Problem, width: usize) -> Excerpt {
        let number = problem.place.line as usize;
        let from = starts.get(number - 1).copied().unwrap_or(0);
        let to = starts.get(number).copied().unwrap_or(text.len());
        let line = text[from..to].trim_end_matches(['\n', '\r']);
        let start = text.floor_char_boundary(problem.span.start.clamp(from, from + line.len())) - from;
        let end = text.floor_char_boundary(problem.span.end.clamp(from + start, from + line.len())) - from;
        // The number, a bar and their spaces stand before the line.
        let room = width.saturating_sub(number.to_string().len() + 3 + 2 * CUT.len()).max(NARROWEST);
        let (before, after) = line.split_at(start);
        let is_whole = line.chars().take(room + 1).count() <= room;
        let most_before = if is_whole { room } else { room / 3 };
        let cut_from = before.char_indices().rev().take(most_before).last().map_or(start, |(at, _)| at);
        let rest = room - line[cut_from..start].chars().count();
        let cut_to = after.char_indices().nth(rest).map_or(line.len(), |(at, _)| start + at);
        let shown = |part: &str| harmless(part.strip_prefix('\u{feff}').unwrap_or(part));
        let mut cut = if cut_from > 0 { CUT.to_owned() } else { String::new() };
        cut.push_str(&shown(&line[cut_from..start]));
        let (column, from) = (cut.chars().count() + 1, cut.len());
        cut.push_str(&shown(&line[start..end.min(cut_to)]));
        let span = from..cut.len();
        if cut_to < line.len() {
            cut.push_str(&harmless(&line[end.min(cut_to)..cut_to]));
            cut.push_str(CUT);
        } else {
            cut.push_str(&harmless(&line[end..]));
        }
        Excerpt { line: cut, span, is_cut: end > cut_to, column }
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// What is said of those that are not shown.
fn rest(group: &Group<'_>, shown: usize) -> String {
    let Some(rest) = group.problems.get(shown..).filter(|rest| !rest.is_empty()) else {
        return String::new();
    };
    let same_line = group.problems.iter().all(|problem| problem.place.line == group.problems[0].place.line);
    let told: Vec<String> = rest
        .iter()
        .take(if same_line { 40 } else { 8 })
        .map(|problem| if same_line { harmless(&problem.found) } else { problem.place.line.to_string() })
        .collect();
    let more = if rest.len() > told.len() { " …" } else { "" };
    let word = match (same_line, rest.len()) {
        (true, _) => "",
        (false, 1) => "line ",
        (false, _) => "lines ",
    };
    format!("  … and {} more {}: {word}{}{more}\n", rest.len(), group.check.id, told.join(", "))
}

fn sum(path: &str, report: &Report) -> String {
    let records = match report.records {
        0 => String::new(),
        1 => ", 1 record".to_owned(),
        many => format!(", {many} records"),
    };
    let schema = match (&report.schema, report.shape) {
        (Some(schema), _) => format!(" ({schema}{records})"),
        (None, Some(shape)) => format!(" ({}, no verdict{records})", shape.family.name()),
        (None, None) => String::new(),
    };
    let mut sum = format!("{path}{schema}: {}", counted(report));
    let mended = report.problems.iter().filter(|problem| problem.fix.is_some()).count();
    if mended > 0 {
        sum.push_str(&format!("; repair mends {mended}"));
    }
    sum.push('\n');
    if let Some(DataGov { taken, incomplete, duplicates }) =
        report.data_gov.filter(|floor| floor.taken != report.records)
    {
        let all = taken + incomplete + duplicates;
        sum.push_str(&format!("Data.gov would take {taken} of {all}"));
        if incomplete > 0 {
            sum.push_str(&format!(", refuse {incomplete} that lack a field of its floor"));
        }
        if duplicates > 0 {
            sum.push_str(&format!(", drop {duplicates} whose repositoryURL an earlier one has"));
        }
        sum.push_str(". What was there before and is not taken is deleted.\n");
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::{Options, validate};

    #[test]
    fn a_long_line_is_cut_to_the_terminal_around_its_problem() {
        let many = "\"ä\", ".repeat(900);
        let long = "x".repeat(900);
        let text = format!(
            "{{\"name\":\"a\",\"tags\":[{many}\"b\"],\"permissions\":7,\"description\":\" {long}\"}}"
        );
        let report = validate(text.as_bytes(), &Options::default());
        let judged = Judged { path: "code.json", bytes: text.as_bytes(), report: &report };
        for width in [60, 100, 200] {
            let shown = human(judged, &Style { width, ..Style::default() });
            for line in shown.lines().filter(|line| line.starts_with("1 |")) {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            assert!(shown.contains("\"permissions\":7,\"de"), "{shown}");
            assert!(shown.contains(&format!("code.json:1:{}", 900 * 5 + 40)), "{shown}");
            assert!(shown.contains("^^^\n"), "what is underlined is not said again: {shown}");
        }
    }
}
