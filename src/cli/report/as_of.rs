//! `muster report as-of`: the inventory and the register as they stood once.

use std::process::ExitCode;

use anyhow::bail;
use jiff::{civil::Date, tz::TimeZone};
use serde_json::Value;

use super::{
    super::{
        Invocation,
        output::{self, Document},
    },
    Format,
    known::{self, Known},
};
use crate::domain::inventory::{
    leak::Mailboxes,
    report::as_of::{AsOf, Pair},
};

/// The inventory and the register as they stood at the end of a day.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  $ muster report as-of 2026-09-30
  $ muster report as-of 2026-09-30 --agency XA --format csv > as-of.csv
  $ muster report as-of 2026-09-30 --internal --format json

Days are those of UTC. It tells the entries of each published file as they were then,
the exemptions that stood in the registers with a confirmed approval, and what changed
since, in counts. An entry of code that is not public today is counted; with --internal
it is named, and the report is not for the public. It needs muster.toml with an
[[agency]] table, and the server's database.

Exit codes: 0 written; 2 could not run.

See also: docs/inventory.md, muster evidence --as-of.")]
pub(super) struct Args {
    /// The day.
    #[arg(value_name = "DATE")]
    day: Date,
    #[command(flatten)]
    about: known::About,
}

/// The name of the document.
pub(in crate::cli) const SCHEMA: &str = "as-of-1";

/// Runs the command.
///
/// # Errors
/// Settings, the database, a day that is not over, or output that cannot be
/// written.
pub(super) async fn run(Args { day, about }: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let now = invocation.clock.now();
    if day >= now.to_zoned(TimeZone::UTC).date() {
        bail!("{day} is not over (UTC): choose an earlier day");
    }
    let known = known::known(about.agency.as_deref(), invocation).await?;
    let report = of(&known, day, about.internal).await?;
    match about.format {
        Format::Markdown => output::write(&report.markdown())?,
        Format::Csv => output::csv(report.rows())?,
        Format::Json => output::json(&Document::new(SCHEMA, now, report))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The report.
///
/// # Errors
/// The database's, or a file that is not JSON.
pub(in crate::cli) async fn of(known: &Known, day: Date, internal: bool) -> anyhow::Result<AsOf> {
    let moment = known::end_of(day)?;
    let (then, now) = (known.published(Some(moment)).await?, known.published(None).await?);
    let pair = |published| {
        let of = |files: &'_ [(_, _)]| files.iter().position(|(which, _)| *which == published);
        let then = of(&then).map(|at| &then[at].1);
        Pair {
            file: crate::domain::policy::Published::file(published),
            then: then.map(|file| (file.body.as_slice(), file.sha256.as_str(), file.published_at)),
            now: of(&now).map(|at| now[at].1.body.as_slice()),
        }
    };
    let pairs: Vec<Pair<'_>> = known.policy.inventory.publish.iter().map(|which| pair(*which)).collect();
    let mut secrets = known.secrets().await?;
    for (_, file) in &then {
        secrets.allow_mailboxes(&String::from_utf8_lossy(&file.body));
    }
    let hidden = known.hidden_addresses();
    let tells = |release: &Value| {
        let url = release["repositoryURL"].as_str().unwrap_or_default().to_lowercase();
        hidden.contains(&url) || secrets.look_through(release, &Mailboxes::default()).is_err()
    };
    let (registers, _) = known.registers().await?;
    let tells: Option<&dyn Fn(&Value) -> bool> = if internal { None } else { Some(&tells) };
    Ok(AsOf::of(&known.agency.acronym, (day, moment), &pairs, &registers, tells)?)
}
