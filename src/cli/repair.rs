//! `muster repair`: mends a code.json where one answer is possible, and asks
//! where not. Needs no settings.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use code_json::{check::Severity, repair::Repaired};
use similar::{ChangeTag, TextDiff};

use super::{
    COULD_NOT_RUN, FINDINGS, Invocation,
    output::{self, note},
    validate::{Schema, name, read},
};
use crate::domain::untrusted::shown;

const EXAMPLES: &str = "\
Examples:
  $ muster repair code.json
  $ muster repair code.json --write
  $ muster repair - --write < code.json > repaired.json

Exit codes:
  0    nothing to repair; with --write: no errors are left
  1    something to repair, or errors that need a person
  2    nothing could be read or written

See also: muster validate.";

/// Questions of a file that are asked; more are counted.
const QUESTIONS: usize = 20;

/// Mend code.json files: show the changes, or write them.
///
/// Only what must change changes: key order, indentation, line ends, the
/// spelling of numbers and unknown keys stay.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// Files; `-` reads standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the mended text into the file; of standard input, to standard
    /// output.
    #[arg(long)]
    write: bool,
    /// As of `muster validate`.
    #[arg(long, default_value = "auto")]
    schema: String,
}

/// Runs the command.
///
/// # Errors
/// A schema that cannot be used, or output that cannot be written.
pub fn run(args: &Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let schema = Schema::named(&args.schema)?;
    let options = schema.options(invocation.clock.now());
    let (mut failed, mut unfinished) = (0, false);
    for file in &args.files {
        let bytes = match read(file) {
            Ok(bytes) => bytes,
            Err(error) => {
                note(&format!("{}: not read: {error}", file.display()));
                failed += 1;
                continue;
            }
        };
        let repaired = match code_json::repair::repair(&bytes, &options) {
            Ok(repaired) => repaired,
            Err(fault) => {
                let (message, remedy) = (fault.kind.message(), fault.kind.remedy());
                note(&format!("{}:{}: {message}. {remedy}", name(file), fault.place));
                unfinished = true;
                continue;
            }
        };
        let changed = repaired.text.as_bytes() != bytes;
        let standard_input = file.as_os_str() == "-";
        match (args.write, standard_input) {
            (true, true) => output::write(&repaired.text)?,
            (true, false) if changed => {
                replace(file, &repaired.text).with_context(|| format!("cannot write {}", file.display()))?;
            }
            (true, false) => {}
            (false, _) => output::write(&diff(&name(file), &bytes, &repaired.text, invocation.color))?,
        }
        tell(&name(file), &repaired);
        unfinished |= !repaired.after.is_valid() || (changed && !args.write);
    }
    Ok(match (failed == args.files.len(), unfinished || failed > 0) {
        (true, _) => ExitCode::from(COULD_NOT_RUN),
        (false, true) => ExitCode::from(FINDINGS),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// Says on standard error what was done and what is asked.
fn tell(file: &str, repaired: &Repaired) {
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for made in &repaired.made {
        match kinds.iter_mut().find(|(id, _)| *id == made.check.id) {
            Some((_, count)) => *count += 1,
            None => kinds.push((made.check.id, 1)),
        }
    }
    let kinds: Vec<String> = kinds.iter().map(|(id, count)| format!("{count} {id}")).collect();
    let errors: Vec<_> =
        repaired.after.problems.iter().filter(|problem| problem.severity() == Severity::Error).collect();
    let done = if kinds.is_empty() {
        "nothing to repair".to_owned()
    } else {
        format!("repairs: {}", kinds.join(", "))
    };
    let left = match errors.len() {
        0 => "no errors are left".to_owned(),
        1 => "1 error needs a person".to_owned(),
        many => format!("{many} errors need a person"),
    };
    note(&format!("{file}: {done}; {left}"));
    for problem in errors.iter().take(QUESTIONS) {
        let pointer = if problem.pointer.is_empty() { "/" } else { &problem.pointer };
        note(&format!("  {}:{} {pointer}: {}. {}", file, problem.place, problem.check.title, problem.write));
    }
    if errors.len() > QUESTIONS {
        note(&format!("  … and {} more: muster validate {file}", errors.len() - QUESTIONS));
    }
}

/// The changes, with three lines around them; nothing in it acts on a terminal.
fn diff(file: &str, before: &[u8], after: &str, color: bool) -> String {
    let before = String::from_utf8_lossy(before);
    if before == after {
        return String::new();
    }
    let diff = TextDiff::from_lines(before.as_ref(), after);
    let mut out = format!("--- {0}\n+++ {0}\n", shown(file));
    for group in diff.grouped_ops(3) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let (old, new) =
            (first.old_range().start..last.old_range().end, first.new_range().start..last.new_range().end);
        out.push_str(&format!("@@ -{},{} +{},{} @@\n", old.start + 1, old.len(), new.start + 1, new.len()));
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, start, end) = match change.tag() {
                ChangeTag::Delete => ('-', "\u{1b}[31m", "\u{1b}[0m"),
                ChangeTag::Insert => ('+', "\u{1b}[32m", "\u{1b}[0m"),
                ChangeTag::Equal => (' ', "", ""),
            };
            let (start, end) = if color { (start, end) } else { ("", "") };
            let line = change.value().trim_end_matches(['\n', '\r']);
            out.push_str(&format!("{start}{sign}{}{end}\n", shown(line)));
        }
    }
    out
}

/// Writes a file anew, whole or not at all: beside it, then in its place. A
/// link stays a link; the rights stay.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let file = fs::canonicalize(file)?;
    let rights = fs::metadata(&file)?.permissions();
    let beside = file.with_file_name(format!(".muster-{}.tmp", std::process::id()));
    let written = OpenOptions::new().write(true).create_new(true).open(&beside).and_then(|mut new: File| {
        new.set_permissions(rights)?;
        new.write_all(text.as_bytes())?;
        new.sync_all()?;
        fs::rename(&beside, &file)
    });
    if written.is_err() {
        // It may not be there; the error that is told is the first one.
        let _ = fs::remove_file(&beside);
    }
    written
}
