//! Judges a file: what its schema says, what a harvester or a reader will
//! stumble over, and what Data.gov would drop.
//!
//! Promises: (1) every problem has its place, says what was found and what to
//! write or which question to answer; (2) a file has schema errors here exactly
//! if the published document says so: [`Report::violations`]; (3) a fix is
//! offered only where one answer is possible.

use jiff::civil::Date;
use serde_json::Value as Json;

use crate::{
    check::{Check, Problem, Severity},
    checks,
    detect::{self, Container, Family, Shape},
    document::{Document, Limits, Value},
    edit::Fix,
    schema::{Profile, Published, Rule, Schema, Violation},
};

pub(crate) mod dates;
mod inventory;
mod keys;
mod licenses;
mod record;
mod slips;
mod texts;
mod types;
mod urls;
mod violations;

pub use inventory::DataGov;

/// What to judge by.
#[derive(Debug, Clone, Copy, Default)]
pub enum Choice<'p> {
    /// By the shape of the file.
    #[default]
    Auto,
    /// By this.
    Published(Published),
    /// By an agency's own.
    Profile(&'p Profile),
}

/// How to judge.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'p> {
    /// What to judge by.
    pub schema: Choice<'p>,
    /// The day, for dates in the future; without it they are not looked for.
    pub today: Option<Date>,
    /// What the text may cost.
    pub limits: Limits,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Report {
    /// What the file is; `None` if it could not be read.
    pub shape: Option<Shape>,
    /// The schema it was judged by: `gov-2.0.0`, or the profile's title.
    pub schema: Option<String>,
    /// How many records there are.
    pub records: usize,
    /// How many times the schema is violated; `None` without a schema.
    pub violations: Option<usize>,
    /// What Data.gov would do; `None` if the file could not be read.
    pub data_gov: Option<DataGov>,
    /// In the order of the text.
    pub problems: Vec<Problem>,
}

impl Report {
    /// How many problems of a severity there are.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.problems.iter().filter(|problem| problem.severity() == severity).count()
    }

    /// Whether nothing says that the file is wrong.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.count(Severity::Error) == 0
    }
}

/// Judges the bytes of a file.
#[must_use]
pub fn validate(bytes: &[u8], options: &Options<'_>) -> Report {
    match Document::read(bytes, &options.limits) {
        Ok(document) => validate_document(&document, options),
        Err(fault) => Report {
            shape: None,
            schema: None,
            records: 0,
            violations: None,
            data_gov: None,
            problems: vec![slips::of_fault(&fault)],
        },
    }
}

/// Judges a document.
#[must_use]
pub fn validate_document(document: &Document, options: &Options<'_>) -> Report {
    let shape = detect::detect(document);
    let (name, schema) = choose(shape, options.schema);
    let strict = Strict::of(schema);
    let mut judging = Judging { document, today: options.today, strict, entry: None, problems: Vec::new() };
    for slip in document.slips() {
        judging.slip(slip);
    }
    judging.shape(shape);
    let records = detect::records(document);
    let violations = schema.map(|schema| judging.by_schema(schema, shape, &records));
    for (number, record) in records.iter().enumerate() {
        judging.entry = (shape.container != Container::Single).then_some(number);
        if shape.family != Family::Unknown && shape.family != Family::Gsa1 {
            judging.record(*record);
        }
    }
    judging.entry = None;
    let data_gov = judging.inventory(shape, &records);
    let mut problems = judging.problems;
    problems.sort_by_key(|problem| (problem.span.start, problem.severity()));
    // Schema and sense may find the same.
    problems.dedup_by(|later, earlier| {
        later.check == earlier.check && later.span == earlier.span && later.found == earlier.found
    });
    Report {
        shape: Some(shape),
        schema: name,
        records: records.len(),
        violations,
        data_gov: Some(data_gov),
        problems,
    }
}

/// The schema for a file of this shape.
fn choose<'p>(shape: Shape, choice: Choice<'p>) -> (Option<String>, Option<&'p Schema>) {
    let single = shape.container == Container::Single;
    let which = match choice {
        Choice::Profile(profile) => return (Some(profile.name.clone()), Some(profile.schema())),
        Choice::Published(Published::Gov2) if !single => Published::AgencyIndex2,
        Choice::Published(which) => which,
        Choice::Auto => match (shape.family, shape.container) {
            (Family::Gsa1, _) | (_, Container::Other) => return (None, None),
            (Family::Unknown, Container::Releases) => Published::Gsa2,
            (Family::Unknown, _) => return (None, None),
            (Family::Gsa2, _) => Published::Gsa2,
            (Family::Gov1 | Family::Gov2, Container::Single) => Published::Gov2,
            (Family::Cms0 | Family::Cms2, Container::Single) => Published::Cms21,
            (Family::Gov1 | Family::Gov2 | Family::Cms0 | Family::Cms2, _) => Published::AgencyIndex2,
        },
    };
    (Some(which.name().to_owned()), Some(Schema::published(which)))
}

/// What a schema sees to itself, so that nothing is said twice.
#[derive(Debug, Clone, Copy, Default)]
struct Strict {
    /// It lists the names of licenses.
    license_names: bool,
    /// It knows e-mail addresses.
    emails: bool,
    /// It requires one.
    email_required: bool,
    /// It lists version control systems.
    vcs: bool,
}

impl Strict {
    fn of(schema: Option<&Schema>) -> Strict {
        let Some(document) = schema.map(Schema::record_document) else { return Strict::default() };
        let has = |pointer: &str| document.pointer(pointer).is_some();
        let required = document.pointer("/properties/contact/required").and_then(Json::as_array);
        Strict {
            license_names: has("/properties/permissions/properties/licenses/items/properties/name/enum"),
            emails: has("/properties/contact/properties/email/format"),
            email_required: required.is_some_and(|keys| keys.iter().any(|key| key == "email")),
            vcs: has("/properties/vcs/enum"),
        }
    }
}

/// One file while it is judged.
struct Judging<'d> {
    document: &'d Document,
    today: Option<Date>,
    /// What the schema sees to itself.
    strict: Strict,
    /// The record at hand, in an inventory.
    entry: Option<usize>,
    problems: Vec<Problem>,
}

impl<'d> Judging<'d> {
    /// Notes a problem with a value.
    fn tell(
        &mut self,
        check: &'static Check,
        at: Value<'d>,
        found: impl Into<String>,
        write: impl Into<String>,
        fix: Option<Fix>,
    ) {
        self.problems.push(Problem {
            check,
            span: at.span(),
            place: at.place(),
            pointer: at.pointer(),
            entry: self.entry,
            found: found.into(),
            write: write.into(),
            fix,
        });
    }

    /// Notes a problem with the key of a value.
    fn tell_key(
        &mut self,
        check: &'static Check,
        at: Value<'d>,
        found: String,
        write: String,
        fix: Option<Fix>,
    ) {
        self.tell(check, at, found, write, fix);
        if let (Some(member), Some(problem)) = (at.as_member(), self.problems.last_mut()) {
            problem.place = self.document.place(member.key_span.start);
            problem.span = member.key_span;
        }
    }

    /// Notes a problem with an object as a whole: shown at its first line.
    fn tell_object(
        &mut self,
        check: &'static Check,
        at: Value<'d>,
        found: String,
        write: String,
        fix: Option<Fix>,
    ) {
        self.tell(check, at, found, write, fix);
        if let Some(problem) = self.problems.last_mut() {
            // The bracket stands for what is in it; an entry of an inventory is
            // told by its name.
            let name = at.member("name").filter(|_| self.entry.is_some());
            let span = name.map_or(at.span().start..at.span().start + 1, |name| name.value.span());
            problem.place = self.document.place(span.start);
            problem.span = span;
        }
    }

    fn shape(&mut self, shape: Shape) {
        let root = self.document.root();
        match shape {
            Shape { family: Family::Unknown, container: Container::Releases } => {}
            Shape { family: Family::Unknown, .. } => {
                let found = root.kind().noun().to_owned();
                let write = "Write an object with name, description, permissions and so on: see the schema gov-2.0.0.";
                self.tell_object(&checks::shape::UNKNOWN_FILE, root, found, write.into(), None);
            }
            Shape { container: Container::List, .. } => {
                let found = format!("a list of {}", root.len());
                let write = if root.len() == 1 {
                    "Write the object without the list around it, unless USGS collects this file."
                } else {
                    "Write an inventory: an object with version, agency, measurementType and releases."
                };
                self.tell_object(&checks::shape::LIST_FILE, root, found, write.into(), None);
            }
            Shape { family: Family::Gsa1 | Family::Gov1 | Family::Cms0, .. } => {
                let found = shape.family.name().to_owned();
                let write = "Convert the file to gov-2.0.0.";
                self.tell_object(&checks::shape::RETIRED, root, found, write.into(), None);
            }
            Shape { family: Family::Gsa2 | Family::Gov2 | Family::Cms2, .. } => {}
        }
    }

    /// What the schema says; how many violations.
    fn by_schema(&mut self, schema: &'d Schema, shape: Shape, records: &[Value<'d>]) -> usize {
        let root = self.document.root();
        let mut count = 0;
        if shape.container != Container::Single && schema.has_frame() {
            count += self.explain(&schema.judge_frame(root), root, schema.frame_document());
        }
        for (number, record) in records.iter().enumerate() {
            self.entry = (shape.container != Container::Single).then_some(number);
            count += self.explain(&schema.judge_record(*record), *record, schema.record_document());
        }
        self.entry = None;
        count
    }

    fn explain(&mut self, violations: &[Violation], base: Value<'d>, document: &Json) -> usize {
        for violation in violations {
            // What is of the wrong type is in no list either.
            let said = |other: &Violation| other.at == violation.at && matches!(other.rule, Rule::Type(_));
            if !(matches!(violation.rule, Rule::Enum(_)) && violations.iter().any(said)) {
                violations::explain(self, violation, base, document);
            }
        }
        violations.len()
    }
}

/// A value as a part of a sentence, cut to a bearable length; a text that is
/// cut is quoted to its end.
fn shown(value: Value<'_>) -> String {
    let clipped = clip(value.raw());
    if clipped.starts_with('"') && clipped.ends_with('…') { clipped + "\"" } else { clipped }
}

/// Whether a character changes the order of others, or is not seen: the
/// default-ignorable ones of Unicode, but for the selectors of emoji style.
pub(crate) fn hides(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

fn clip(text: &str) -> String {
    const LONGEST: usize = 60;
    let one_line: String = text
        .chars()
        .take(LONGEST + 1)
        .map(|c| if c.is_control() || hides(c) { '\u{fffd}' } else { c })
        .collect();
    if one_line.chars().count() > LONGEST {
        format!("{}…", one_line.chars().take(LONGEST).collect::<String>().trim_end())
    } else {
        one_line
    }
}
