//! `muster backup`: saves what GitHub cannot tell again, and brings it back.
//!
//! Promises: (1) the file is for its owner alone, and is there whole or not at
//! all; (2) nothing is overwritten without `--force`.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    FINDINGS, Invocation,
    audit::Hash,
    new_file::NewFile,
    output::{self, Document, Format, note},
};
use crate::store::{BackedUp, Store, verify_backup};

const EXAMPLES: &str = "\
Examples:
  $ muster backup /var/backups/muster-$(date +%F).jsonl
  $ muster backup verify /var/backups/muster-2026-11-22.jsonl
  $ MUSTER_DATABASE_URL=sqlite://new.db muster backup restore /var/backups/muster-2026-11-22.jsonl

A backup holds decisions, the audit, what Muster opened, and the policies in
force. It can be made while muster serve runs, and restored into a new
database of either kind. Deliveries, jobs and reports are not in it.

Exit codes: 0 as wished; 1 the ledger is not as it was written; 2 could not run.

See also: muster audit, muster adopt.";

/// Save the ledger to a file, or bring it back from one.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The file to write.
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// Overwrite the file if it is there.
    #[arg(long)]
    force: bool,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring a backup back into a new database, before anything else uses it.
    Restore {
        /// The file to read.
        file: PathBuf,
        /// How the result is written.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Read a backup to its end, without a database.
    Verify {
        /// The file to read.
        file: PathBuf,
        /// A hash that was the head of the ledger before.
        #[arg(long, value_name = "HASH")]
        head: Option<Hash>,
        /// How the result is written.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

/// `backup-1`.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    file: &'a Path,
    /// When the backup was made.
    made_at: Timestamp,
    /// How many entries of the ledger are in it, as they were written.
    entries: i64,
    /// The hash of the last of these.
    head: &'a str,
    /// What is wrong with the first that is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Settings, the database, the file, or output that cannot be written.
pub async fn run(args: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let now = invocation.clock.now();
    match (args.command, args.file) {
        (Some(Command::Restore { file, format }), _) => {
            let mut input = open(&file)?;
            let store = Store::open(invocation.config.database()?.expose()).await?;
            let restored = store.restore(&mut input, now).await?;
            store.close().await;
            tell("Restored", &file, &restored, format, now)
        }
        (Some(Command::Verify { file, head, format }), _) => {
            let head = head.as_ref().map(|head| head.0.as_str());
            let read = verify_backup(&mut open(&file)?, head)?;
            tell("Read", &file, &read, format, now)
        }
        (None, Some(file)) => {
            let store = Store::open(invocation.config.database()?.expose()).await?;
            let made = save(&store, &file, args.force, now).await?;
            if made.entries == 0 {
                note(
                    "This ledger is empty: does MUSTER_DATABASE_URL name the database that muster serve uses?",
                );
            }
            tell("Saved", &file, &made, args.format, now)
        }
        (None, None) => bail!("name the file to write"),
    }
}

fn tell(
    done: &str,
    file: &Path,
    made: &BackedUp,
    format: Format,
    now: Timestamp,
) -> anyhow::Result<ExitCode> {
    let problem = made.broken.as_ref().map(ToString::to_string);
    match format {
        Format::Json => {
            let BackedUp { made_at, entries, head, .. } = made;
            let content =
                Shown { file, made_at: *made_at, entries: *entries, head, problem: problem.clone() };
            output::json(&Document::new("backup-1", now, content))?;
        }
        Format::Table => {
            let entries = if made.entries == 1 { "entry" } else { "entries" };
            output::line(&format!("{done} {} {entries} of the ledger; the head is", made.entries))?;
            output::line(&made.head)?;
        }
    }
    let Some(problem) = problem else { return Ok(ExitCode::SUCCESS) };
    note(&format!("The ledger was changed: {problem}. This backup keeps it, and cannot be restored."));
    Ok(ExitCode::from(FINDINGS))
}

fn open(file: &Path) -> anyhow::Result<BufReader<File>> {
    let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(BufReader::new(opened))
}

async fn save(store: &Store, file: &Path, force: bool, now: Timestamp) -> anyhow::Result<BackedUp> {
    let mut new = NewFile::at(file, force)?;
    let made = store.back_up(&mut new.out, now).await?;
    new.finish()?;
    Ok(made)
}
