//! `muster convert`: a code.json of one version, in another.
//!
//! Promises: (1) the document goes to standard output and nothing else does;
//! what it cannot say and what only a person can say goes to standard error;
//! (2) no settings are needed, and nothing but the file and what
//! `--lines-of` names is read; (3) the process
//! ends with 0 if nothing is left to ask, 1 if something is, 2 if nothing could
//! be written.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, anyhow, bail};
use code_json::{
    convert::{self, Frame, METHODS, Target},
    document::Limits,
    labor,
    merge::{Facts, Sources, merge},
    migrate::Reading,
    record::{Field, Record},
    source,
};

use super::{
    FINDINGS,
    output::{self, note},
    validate::{name, read},
};
use crate::checkout::lines;

/// Write a code.json in another version of the schema.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  $ muster convert code.json --to gov-2.0.0 > new.json
  $ muster convert inventory.json --to gsa-2.0.0 --agency ABC --measured-by projects > code.json
  $ muster convert inventory.json --to gov-2.0.0 --record my-project
  $ muster convert publiccode.yml --to gov-2.0.0
  $ muster convert code.json --to gov-2.0.0 --lines-of .

Reads every version of code.json, .codeinventory.yml and publiccode.yml.
What the target cannot say, and what only a person can say, is listed on standard error.
docs/code-json-convert.md has the whole table.

Exit codes: 0 nothing is left to ask; 1 something is; 2 nothing could be written.

See also: muster validate, muster repair, muster schema.")]
pub struct Args {
    /// The file; `-` reads standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What to write: gov-2.0.0, agency-index-2.0.0 or gsa-2.0.0.
    #[arg(long, value_name = "TARGET", value_parser = target)]
    pub to: Target,
    /// The record to write, of an inventory: its number from 1, name or repositoryURL.
    #[arg(long, value_name = "RECORD")]
    pub record: Option<String>,
    /// The agency's acronym, for an inventory.
    #[arg(long, value_name = "ACRONYM")]
    pub agency: Option<String>,
    /// How the agency measures its code, for an inventory.
    #[arg(long, value_name = "METHOD", value_parser = METHODS)]
    pub measured_by: Option<String>,
    /// A checkout, or a .tar.gz of one: if the file says no labor hours, they are
    /// estimated from its source lines.
    #[arg(long, value_name = "FOLDER|ARCHIVE")]
    pub lines_of: Option<PathBuf>,
}

fn target(name: &str) -> Result<Target, String> {
    Target::named(name).ok_or_else(|| {
        let names: Vec<&str> = Target::ALL.iter().map(|target| target.name()).collect();
        format!("write one of {}", names.join(", "))
    })
}

/// Converts the file and writes the result.
///
/// # Errors
/// A file that cannot be read or understood, or a result that cannot be one
/// document. The caller says why and ends with 2.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let limits = Limits::default();
    let name = name(&args.file);
    let bytes = read(&args.file).with_context(|| format!("cannot read {name}"))?;
    let mut reading = source::read(&name, &bytes, &limits).with_context(|| name.clone())?;
    if let Some(which) = &args.record {
        let Some(picked) = reading.pick(which) else {
            bail!("{name} has no record {which}: give its number from 1, its name or its repositoryURL");
        };
        reading = picked;
    }
    if let Some(path) = &args.lines_of {
        estimate(&mut reading, path)?;
    }
    let frame = Frame { agency: args.agency, method: args.measured_by };
    let converted = convert::convert(&reading, args.to, &frame)
        .map_err(|error| anyhow!("{name}: {error} (--record chooses)"))?;
    output::write(&(output::pretty(&converted.document)? + "\n"))?;
    for line in convert::explain(&reading, &converted).lines() {
        note(line);
    }
    Ok(if converted.questions.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}

/// Puts hours estimated from source lines where a person said none.
fn estimate(reading: &mut Reading, path: &Path) -> anyhow::Result<()> {
    let mut records: Vec<&mut Record> =
        reading.groups.iter_mut().flat_map(|group| &mut group.records).collect();
    let [record] = records.as_mut_slice() else {
        bail!("--lines-of is about one record, and there are {}: --record chooses", records.len());
    };
    let lines = lines::count(path).with_context(|| format!("cannot count {}", path.display()))?;
    let (Some(code), Some(hours)) = (lines.code(), lines.hours()) else {
        note(&format!("{}: no source lines, so no estimate", path.display()));
        return Ok(());
    };
    let mut facts = Facts::default();
    facts.others.set(Field::LaborHours, hours, labor::provenance());
    let nothing = Record::new();
    let sources =
        Sources { file: Some(record), answers: None, facts: &facts, defaults: &nothing, written: None };
    let merged = merge(&sources).record;
    let is_ours = merged.field(Field::LaborHours).is_some_and(|said| !said.is_persons());
    note(&format!(
        "laborHours: {hours} by {} from {code} source lines{}",
        labor::METHOD,
        if is_ours { "" } else { "; the number in the file stays" },
    ));
    **record = merged;
    Ok(())
}
