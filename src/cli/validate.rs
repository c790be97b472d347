//! `muster validate`: every problem of a code.json, with its place and what to
//! write. Needs no settings.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use code_json::{
    check::Severity,
    document::Limits,
    report::{self, Judged, Style},
    schema::{Profile, Published},
    validate::{Choice, Options, Report, validate},
};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::{
    COULD_NOT_RUN, FINDINGS, Invocation,
    output::{self, Document, note},
};
use crate::checkout::folder::{self, Folder};

const EXAMPLES: &str = "\
Examples:
  $ muster validate code.json
  $ muster validate . --format github
  $ muster validate agency-index.json --schema agency-index-2.0.0 --format json
  $ curl -s https://www.agency.example/code.json | muster validate -

Exit codes:
  0    no errors
  1    errors; with --strict also warnings
  2    nothing could be read

See also: muster repair, muster schema.";

/// Name every problem of code.json files and inventories.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// Files, or folders, in which every code.json and agency-index.json is
    /// checked; `-` reads standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The schema: auto, gov-2.0.0, agency-index-2.0.0, gsa-2.0.0, cms-2.1.0,
    /// or a file with your agency's own JSON Schema.
    #[arg(long, default_value = "auto")]
    schema: String,
    /// How the problems are written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// In folders, check every file that ends in .json.
    #[arg(long)]
    all: bool,
    /// Warnings count as errors for the exit code.
    #[arg(long)]
    strict: bool,
}

/// How problems are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// Workflow commands, which GitHub shows as annotations.
    Github,
    /// SARIF 2.1.0, which code scanning reads.
    Sarif,
}

/// `validate-1`: every file, and the sums.
#[derive(Debug, Serialize)]
struct Content {
    valid: bool,
    files: Vec<serde_json::Value>,
    unread: Vec<Unread>,
}

/// A file that could not be read.
#[derive(Debug, Serialize)]
struct Unread {
    file: String,
    why: String,
}

/// Runs the command.
///
/// # Errors
/// A schema that cannot be used, or output that cannot be written.
pub fn run(args: &Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let profile = Schema::named(&args.schema)?;
    let options = profile.options(invocation.clock.now());
    let mut run = Run {
        format: args.format,
        color: invocation.color,
        judged: Vec::new(),
        unread: Vec::new(),
        sum: Sum::default(),
    };
    for file in &args.files {
        if file.is_dir() {
            match folder::find(file, |name| is_wanted(name, args.all)) {
                Ok(found) => run.folder(file, &found, &options)?,
                Err(error) => run.unread(file.display().to_string(), error.to_string()),
            }
        } else {
            match read(file) {
                Ok(bytes) => run.file(name(file), &bytes, &options)?,
                Err(error) => run.unread(file.display().to_string(), error.to_string()),
            }
        }
    }
    run.finish(invocation.clock.now(), args.strict)
}

/// What `--schema` names.
pub(super) enum Schema {
    Auto,
    Published(Published),
    Profile(Box<Profile>),
}

impl Schema {
    pub(super) fn named(name: &str) -> anyhow::Result<Schema> {
        if name == "auto" {
            return Ok(Schema::Auto);
        }
        if let Some(published) = Published::named(name) {
            return Ok(Schema::Published(published));
        }
        let names = Published::ALL.map(Published::name).join(", ");
        let bytes = read_at_most(Path::new(name), code_json::schema::profile::LARGEST as u64 + 1)
            .with_context(|| {
                format!("--schema {name} is none of auto, {names}, and no file that can be read")
            })?;
        let profile = Profile::read(&bytes).with_context(|| format!("--schema {name}"))?;
        Ok(Schema::Profile(Box::new(profile)))
    }

    pub(super) fn options(&self, now: Timestamp) -> Options<'_> {
        let schema = match self {
            Schema::Auto => Choice::Auto,
            Schema::Published(published) => Choice::Published(*published),
            Schema::Profile(profile) => Choice::Profile(profile),
        };
        Options { schema, today: Some(now.to_zoned(TimeZone::UTC).date()), limits: Limits::default() }
    }
}

/// Bytes that are read of a file: one more than it may have.
fn most() -> u64 {
    Limits::default().bytes as u64 + 1
}

/// Reads a file that was named, or standard input.
pub(super) fn read(file: &Path) -> io::Result<Vec<u8>> {
    read_at_most(file, most())
}

fn read_at_most(file: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// A file as people call it.
pub(super) fn name(file: &Path) -> String {
    if file.as_os_str() == "-" { "standard input".to_owned() } else { file.display().to_string() }
}

fn is_wanted(name: &str, all: bool) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("code.json") || name.ends_with("agency-index.json") || (all && name.ends_with(".json"))
}

/// Sums over all files.
#[derive(Debug, Default)]
struct Sum {
    files: usize,
    valid: usize,
    errors: usize,
    warnings: usize,
}

struct Run {
    format: Format,
    color: bool,
    /// Kept for the formats that are one document.
    judged: Vec<(String, Report)>,
    unread: Vec<Unread>,
    sum: Sum,
}

impl Run {
    fn folder(&mut self, root: &Path, found: &Folder, options: &Options<'_>) -> anyhow::Result<()> {
        for path in &found.paths {
            let shown = root.join(path).display().to_string();
            match found.read(path, most()) {
                Ok(bytes) => self.file(shown.trim_start_matches("./").to_owned(), &bytes, options)?,
                Err(error) => self.unread(shown, error.to_string()),
            }
        }
        for (path, why) in &found.skipped {
            self.unread(root.join(path).display().to_string(), why.clone());
        }
        if found.paths.is_empty() {
            note(&format!(
                "{}: no code.json and no agency-index.json in it; --all checks every .json",
                root.display()
            ));
        }
        Ok(())
    }

    fn unread(&mut self, file: String, why: String) {
        note(&format!("{file}: not read: {why}"));
        self.unread.push(Unread { file, why });
    }

    fn file(&mut self, path: String, bytes: &[u8], options: &Options<'_>) -> anyhow::Result<()> {
        let report = validate(bytes, options);
        self.sum.files += 1;
        self.sum.valid += usize::from(report.is_valid());
        self.sum.errors += report.count(Severity::Error);
        self.sum.warnings += report.count(Severity::Warning);
        let judged = Judged { path: &path, bytes, report: &report };
        match self.format {
            Format::Human => {
                let width = terminal_size::terminal_size_of(io::stdout())
                    .map_or(140, |(width, _)| usize::from(width.0));
                let style = Style { color: self.color, width, ..Style::default() };
                output::write(&report::human(judged, &style))?;
            }
            Format::Github => output::write(&report::github(judged))?,
            Format::Json | Format::Sarif => self.judged.push((path, report)),
        }
        Ok(())
    }

    fn finish(self, now: Timestamp, strict: bool) -> anyhow::Result<ExitCode> {
        let bad = self.sum.errors > 0 || (strict && self.sum.warnings > 0);
        let files = self.judged.iter().map(|(path, report)| Judged { path, bytes: &[], report });
        match self.format {
            Format::Human | Format::Github => {
                let Sum { files, valid, errors, warnings } = self.sum;
                if files + self.unread.len() > 1 {
                    let unread = match self.unread.len() {
                        0 => String::new(),
                        many => format!("; {many} not read"),
                    };
                    note(&format!(
                        "{files} files, {valid} without errors; {errors} errors, {warnings} warnings{unread}"
                    ));
                }
            }
            Format::Json => {
                let files = files.map(report::json).collect();
                let content = Content { valid: self.sum.errors == 0, files, unread: self.unread };
                output::json(&Document::new("validate-1", now, content))?;
                return Ok(code(self.sum.files, bad));
            }
            Format::Sarif => {
                let files: Vec<Judged<'_>> = files.collect();
                let sarif = report::sarif(&files, "muster", env!("CARGO_PKG_VERSION"), None);
                output::write(&(output::pretty(&sarif)? + "\n"))?;
            }
        }
        // A folder without any such file is as wished.
        let something = self.sum.files > 0 || self.unread.is_empty();
        Ok(code(usize::from(something), bad))
    }
}

fn code(read: usize, bad: bool) -> ExitCode {
    match (read, bad) {
        (0, _) => ExitCode::from(COULD_NOT_RUN),
        (_, true) => ExitCode::from(FINDINGS),
        (_, false) => ExitCode::SUCCESS,
    }
}
