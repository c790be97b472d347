//! `muster report`: what an agency owes to others, from what Muster knows.

use std::process::ExitCode;

use clap::Subcommand;

use super::Invocation;

pub(super) mod as_of;
pub(super) mod exemptions;
pub(super) mod gaps;
pub(super) mod known;
mod links;
pub(super) mod omb;
pub(super) mod quality;

const EXAMPLES: &str = "\
Examples:
  $ muster report exemptions --fiscal-year 2026
  $ muster report exemptions --fiscal-year 2026 --format csv > exemptions.csv
  $ muster report gaps --agency XA
  $ muster report omb --fiscal-year 2026 --format json
  $ muster report as-of 2026-09-30";

/// Write a report for those an agency answers to.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    AsOf(as_of::Args),
    Exemptions(exemptions::Args),
    Gaps(gaps::Args),
    Omb(omb::Args),
    Quality(quality::Args),
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Format {
    /// For people, and for a document.
    #[default]
    Markdown,
    /// For spreadsheets.
    Csv,
    /// One JSON document.
    Json,
}

/// Runs the command.
///
/// # Errors
/// Settings, the database, a file that cannot be read, or output that cannot be
/// written.
pub async fn run(args: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::AsOf(args) => as_of::run(args, invocation).await,
        Command::Exemptions(args) => exemptions::run(args, invocation).await,
        Command::Gaps(args) => gaps::run(args, invocation).await,
        Command::Omb(args) => omb::run(args, invocation).await,
        Command::Quality(args) => quality::run(args, invocation).await,
    }
}
