//! `muster deliveries`: what GitHub sent and when.

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    FINDINGS, Invocation,
    output::{self, Document, Format, note},
};
use crate::store::{Delivery, DeliveryFilter, Store};

const EXAMPLES: &str = "\
Examples:
  $ muster deliveries
  $ muster deliveries --event push --limit 20 --format json
  $ muster deliveries show 72d3162e-cc78-11e3-81ab-4c9367dc0958";

/// List what GitHub sent, newest first.
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
    /// Only this event, as `push`.
    #[arg(long)]
    event: Option<String>,
    /// Only about the repository with this id.
    #[arg(long, value_name = "ID")]
    repository: Option<i64>,
    /// Only for the installation with this id.
    #[arg(long, value_name = "ID")]
    installation: Option<i64>,
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// How the list is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show one delivery with its body, which is kept for 7 days.
    Show {
        /// The GUID, as GitHub and the list show it.
        guid: String,
        /// How it is written.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

/// One delivery in JSON.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    guid: &'a str,
    event: &'a str,
    action: Option<&'a str>,
    installation: Option<i64>,
    repository: Option<i64>,
    received_at: Timestamp,
    /// Whether the same body had come before under another GUID.
    known_body: bool,
    /// SHA-256 of the body, in hexadecimal digits.
    digest: String,
}

/// `deliveries-1`: a list, newest first.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    deliveries: Vec<Shown<'a>>,
}

/// `delivery-1`: one with its body, as long as that is kept.
#[derive(Debug, Serialize)]
struct WithBody<'a> {
    #[serde(flatten)]
    delivery: Shown<'a>,
    body: Option<serde_json::Value>,
}

/// Runs the command.
///
/// # Errors
/// Settings, the database, or output that cannot be written.
pub async fn run(args: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let store = Store::open(invocation.config.database()?.expose()).await?;
    match args.command {
        Some(Command::Show { guid, format }) => show(&store, &guid, format, invocation).await,
        None => list(&store, args.list, invocation).await,
    }
}

async fn list(store: &Store, args: List, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let filter =
        DeliveryFilter { installation: args.installation, repository: args.repository, event: args.event };
    let deliveries = store.deliveries(&filter, args.limit).await?;
    match args.format {
        Format::Json => {
            let content = Listed { deliveries: deliveries.iter().map(shown).collect() };
            output::json(&Document::new("deliveries-1", invocation.clock.now(), content))?;
        }
        Format::Table if deliveries.is_empty() => note("No delivery is stored."),
        Format::Table => output::table(
            &["received", "guid", "event", "installation", "repository", ""],
            deliveries.iter().map(|delivery| {
                let id = |id: Option<i64>| id.map_or_else(String::new, |id| id.to_string());
                vec![
                    output::time(delivery.received_at),
                    delivery.guid.clone(),
                    event(delivery),
                    id(delivery.installation),
                    id(delivery.repository),
                    if delivery.known_body { "body seen before".to_owned() } else { String::new() },
                ]
            }),
        )?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(
    store: &Store,
    guid: &str,
    format: Format,
    invocation: &Invocation,
) -> anyhow::Result<ExitCode> {
    let Some(delivery) = store.delivery(&guid.to_ascii_lowercase()).await? else {
        note(&format!("There is no delivery {guid}; GUIDs are kept for 35 days."));
        return Ok(ExitCode::from(FINDINGS));
    };
    let body = delivery.body.as_deref().map(serde_json::from_slice::<serde_json::Value>).transpose();
    let Ok(body) = body else { bail!("the body of delivery {guid} is not JSON: the database is damaged") };
    match format {
        Format::Json => {
            let content = WithBody { delivery: shown(&delivery), body };
            output::json(&Document::new("delivery-1", invocation.clock.now(), content))?;
        }
        Format::Table => {
            output::line(&format!("{}  {}", event(&delivery), output::time(delivery.received_at)))?;
            match body {
                Some(body) => output::write(&(output::pretty(&body)? + "\n"))?,
                None => note("Its body is no longer kept."),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn event(delivery: &Delivery) -> String {
    match &delivery.action {
        Some(action) => format!("{}.{action}", delivery.event),
        None => delivery.event.clone(),
    }
}

fn shown(delivery: &Delivery) -> Shown<'_> {
    Shown {
        guid: &delivery.guid,
        event: &delivery.event,
        action: delivery.action.as_deref(),
        installation: delivery.installation,
        repository: delivery.repository,
        received_at: delivery.received_at,
        known_body: delivery.known_body,
        digest: hex::encode(&delivery.digest),
    }
}
