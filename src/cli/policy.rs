//! `muster policy`: the policy file, before it is anybody's law.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::Subcommand;
use serde::Serialize;

use super::{
    FINDINGS, Invocation,
    output::{self, Document, Format, note},
};
use crate::domain::policy::{Policy, Problem};

const EXAMPLES: &str = "\
Examples:
  $ muster policy validate .github/muster.yml
  $ muster policy validate .github/muster.yml --format json
  $ muster policy schema > muster.schema.json";

/// The most that is read of a policy file, in bytes: just more than it may have.
const MOST: u64 = 256 * 1024 + 1;

/// Check a policy file, or print its schema.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Name every problem of a policy file, with its place and what to write.
    Validate {
        /// The file, usually `.github/muster.yml`; `-` reads standard input.
        file: PathBuf,
        /// How the problems are written.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Print the JSON Schema of the file, for editors.
    Schema,
}

/// `policy-problems-1`: the problems of one file, none if it is good.
#[derive(Debug, Serialize)]
struct Problems<'a> {
    file: String,
    valid: bool,
    problems: &'a [Problem],
}

/// Runs the command.
///
/// # Errors
/// A file that cannot be read, or output that cannot be written.
#[expect(clippy::unused_async, reason = "every command is run alike")]
pub async fn run(args: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Validate { file, format } => validate(&file, format, invocation),
        Command::Schema => {
            let schema = serde_json::to_string_pretty(&Policy::schema())?;
            output::write(&(schema + "\n"))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn validate(file: &std::path::Path, format: Format, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let bytes = read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let problems = Policy::parse_bytes(&bytes).err().unwrap_or_default();
    let name = file.display().to_string();
    match format {
        Format::Table => {
            for problem in &problems {
                let Problem { line, column, key, message, remedy } = problem;
                let key = if key.is_empty() { String::new() } else { format!("{key}: ") };
                output::line(&format!("{name}:{line}:{column}: {key}{message}"))?;
                output::line(&format!("  {remedy}"))?;
            }
            match problems.len() {
                0 => note(&format!("{name}: a valid policy")),
                1 => note(&format!("{name}: 1 problem")),
                many => note(&format!("{name}: {many} problems")),
            }
        }
        Format::Json => {
            let now = invocation.clock.now();
            let content = Problems { file: name, valid: problems.is_empty(), problems: &problems };
            output::json(&Document::new("policy-problems-1", now, content))?;
        }
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}

/// What stands in a file that people write, up to just more than it may have;
/// `-` is standard input.
pub(super) fn read(file: &std::path::Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin().lock().take(MOST).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(file)?.take(MOST).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
