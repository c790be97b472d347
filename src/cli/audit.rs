//! `muster audit`: what people decided and what Muster did, and whether nobody
//! changed it since.

use std::{process::ExitCode, str::FromStr};

use anyhow::bail;
use clap::Subcommand;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;
use serde_json::Value;

use super::{
    FINDINGS, Invocation,
    output::{self, Document, Format, note},
};
use crate::{
    domain::repository::RepositoryName,
    store::{LedgerEntry, LedgerFilter, Store},
};

const EXAMPLES: &str = "\
Examples:
  $ muster audit --repository example-agency/intake-api
  $ muster audit --since 2026-10-01 --format csv > audit.csv
  $ muster audit verify --head 6f1c2a…

Exit codes: 0 as wished; 1 the ledger is not as it was written; 2 could not run.

See also: muster backup, muster deliveries.";

/// So many entries are shown to people who do not say how many.
const SHOWN: u32 = 100;
/// So many are read at a time.
const PAGE: u32 = 1000;

/// List the ledger, newest first, or verify that nobody changed it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only since this day or moment, in UTC.
    #[arg(long, value_name = "DATE")]
    since: Option<Since>,
    /// Only about the repository of this name.
    #[arg(long, value_name = "OWNER/NAME")]
    repository: Option<RepositoryName>,
    /// At most so many; without it a table has 100, and the others have all.
    #[arg(long)]
    limit: Option<u32>,
    /// How the list is written.
    #[arg(long, value_enum, default_value_t)]
    format: ListFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Follow the chain of the ledger; exit code 1 if an entry was changed,
    /// removed or added without Muster.
    Verify {
        /// A hash that was the head before: also tell whether it is still there.
        #[arg(long, value_name = "HASH")]
        head: Option<Hash>,
        /// How the result is written.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum ListFormat {
    /// For people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// For spreadsheets.
    Csv,
}

/// A day, from its beginning, or a moment.
#[derive(Debug, Clone, Copy)]
struct Since(Timestamp);

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
        let at = text.parse::<Timestamp>().ok().or_else(day);
        at.map(Since)
            .ok_or_else(|| "write a day as 2026-10-01, or a moment as 2026-10-01T14:00:00Z".to_owned())
    }
}

/// The hash of an entry: 64 hexadecimal digits.
#[derive(Debug, Clone)]
pub(super) struct Hash(pub(super) String);

impl FromStr for Hash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().to_ascii_lowercase();
        let is_hash = text.len() == 64 && text.chars().all(|digit| digit.is_ascii_hexdigit());
        if is_hash { Ok(Hash(text)) } else { Err("a head has 64 hexadecimal digits".to_owned()) }
    }
}

/// `audit-1`: a list, newest first.
#[derive(Debug, Serialize)]
struct Listed {
    entries: Vec<LedgerEntry>,
}

/// `audit-verified-1`.
#[derive(Debug, Serialize)]
struct Checked {
    /// Whether the ledger is as it was written.
    intact: bool,
    /// How many entries are, from the first on.
    entries: i64,
    /// The hash of the last of these.
    head: String,
    /// What is wrong with the first that is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Settings, the database, or output that cannot be written.
pub async fn run(args: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let store = Store::open(invocation.config.database()?.expose()).await?;
    match args.command {
        Some(Command::Verify { head, format }) => verify(&store, head, format, invocation).await,
        None => list(&store, args.list, invocation).await,
    }
}

async fn list(store: &Store, args: List, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    if let Some(name) = &args.repository
        && !store.knows(name).await?
    {
        bail!("Muster knows no repository {name}: check the name; an old one is known by its new name");
    }
    let filter =
        LedgerFilter { before: None, since: args.since.map(|since| since.0), repository: args.repository };
    let mut pages = Pages { store, filter, left: args.limit };
    match args.format {
        ListFormat::Table => {
            let entries = store.ledger(&pages.filter, args.limit.unwrap_or(SHOWN)).await?;
            if entries.is_empty() {
                note("The ledger has no such entry.");
                return Ok(ExitCode::SUCCESS);
            }
            let full = args.limit.is_none() && entries.len() == SHOWN as usize;
            output::table(&["when", "entry", "what", "repository", "who", ""], entries.iter().map(cells))?;
            if full {
                note(&format!("These are the newest {SHOWN}; --limit shows more, --format csv saves all."));
            }
        }
        ListFormat::Json => {
            let mut entries = Vec::new();
            while let Some(page) = pages.next().await? {
                entries.extend(page);
            }
            output::json(&Document::new("audit-1", invocation.clock.now(), Listed { entries }))?;
        }
        ListFormat::Jsonl => {
            while let Some(page) = pages.next().await? {
                page.iter().try_for_each(output::json_line)?;
            }
        }
        ListFormat::Csv => {
            output::csv([COLUMNS.map(str::to_owned).to_vec()])?;
            while let Some(page) = pages.next().await? {
                output::csv(page.iter().map(columns))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The entries of a list, page by page.
struct Pages<'a> {
    store: &'a Store,
    filter: LedgerFilter,
    left: Option<u32>,
}

impl Pages<'_> {
    async fn next(&mut self) -> anyhow::Result<Option<Vec<LedgerEntry>>> {
        let wanted = self.left.map_or(PAGE, |left| left.min(PAGE));
        let page = self.store.ledger(&self.filter, wanted).await?;
        let Some(last) = page.last() else { return Ok(None) };
        self.filter.before = Some(last.seq);
        self.left = self.left.map(|left| left.saturating_sub(u32::try_from(page.len()).unwrap_or(left)));
        Ok(Some(page))
    }
}

/// A row of the table.
fn cells(entry: &LedgerEntry) -> Vec<String> {
    let mut said = Vec::new();
    said.extend(entry.detail.as_ref().map(particulars));
    said.extend(entry.findings.clone());
    said.extend(entry.reason.clone());
    said.extend(entry.until.map(|until| format!("until {}", output::time(until))));
    vec![
        output::time(entry.at),
        entry.seq.to_string(),
        entry.what.clone(),
        entry.repository.clone().or_else(|| entry.repository_id.map(|id| id.to_string())).unwrap_or_default(),
        entry.login.clone().or_else(|| entry.actor.map(|id| id.to_string())).unwrap_or_default(),
        said.join(", "),
    ]
}

/// The particulars of an entry: its one sentence, or the JSON as it is.
fn particulars(detail: &Value) -> String {
    match detail.get("detail").and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None => detail.to_string(),
    }
}

const COLUMNS: [&str; 19] = [
    "entry",
    "at",
    "kind",
    "what",
    "repository",
    "repository_id",
    "installation",
    "actor",
    "login",
    "role",
    "via",
    "rule",
    "findings",
    "reason",
    "until",
    "approver",
    "evidence_url",
    "detail",
    "hash",
];

/// A line of CSV, in the order of [`COLUMNS`].
fn columns(entry: &LedgerEntry) -> Vec<String> {
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    vec![
        entry.seq.to_string(),
        entry.at.to_string(),
        entry.kind.to_owned(),
        entry.what.clone(),
        text(&entry.repository),
        number(entry.repository_id),
        number(entry.installation),
        number(entry.actor),
        text(&entry.login),
        text(&entry.role),
        text(&entry.via),
        text(&entry.rule),
        text(&entry.findings),
        text(&entry.reason),
        entry.until.map(|until| until.to_string()).unwrap_or_default(),
        number(entry.approver),
        text(&entry.evidence_url),
        entry.detail.as_ref().map(ToString::to_string).unwrap_or_default(),
        entry.hash.clone(),
    ]
}

async fn verify(
    store: &Store,
    head: Option<Hash>,
    format: Format,
    invocation: &Invocation,
) -> anyhow::Result<ExitCode> {
    let verified = store.verify_ledger(head.as_ref().map(|head| head.0.as_str())).await?;
    let problem = verified.broken.map(|broken| broken.to_string());
    let intact = problem.is_none();
    match format {
        Format::Json => {
            let (entries, head) = (verified.entries, verified.head);
            let content = Checked { intact, entries, head, problem };
            output::json(&Document::new("audit-verified-1", invocation.clock.now(), content))?;
        }
        Format::Table => {
            let are = if verified.entries == 1 { "entry is" } else { "entries are" };
            match problem {
                None => {
                    output::line(&format!("{} {are} as written; the head is", verified.entries))?;
                    output::line(&verified.head)?;
                    note("Keep the head elsewhere: with --head it proves that nothing was cut off.");
                }
                Some(problem) => {
                    output::line(&format!("The ledger was changed: {problem}."))?;
                    note(&format!("{} {are} as written before that.", verified.entries));
                    note("Keep the database as it is, and compare it with your backups.");
                }
            }
        }
    }
    Ok(if intact { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}
