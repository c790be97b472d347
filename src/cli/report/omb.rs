//! `muster report omb`: what OMB asks of an agency's source code, as counts.

use std::process::ExitCode;

use jiff::tz::TimeZone;

use super::{
    super::{
        Invocation,
        output::{self, Document},
    },
    Format,
    known::{self, Known},
    links,
};
use crate::{
    domain::{
        exemptions::report::{FiscalYear, Report},
        inventory::{Seen, report::omb::Omb},
    },
    github::fetch::Fetcher,
    jobs::publish_inventory::{Said, seen},
};

/// The numbers OMB asks for: reuse, maintenance, feedback, exemptions, contracts.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  $ muster report omb
  $ muster report omb --agency XA --fiscal-year 2026 --format csv > omb.csv
  $ muster report omb --fiscal-year 2026 --check-links --format json

It holds counts and names no repository. Private code counts too, and so do the entries of
inventory.import. Exemptions, clones and views are those of the fiscal year, all other
numbers those of today. Clones and views are only measured where an organization has granted
that; the report says of how many repositories, and since when. With --check-links each page
that the policy file attests is asked for,
directly, by https and without credentials; an address of an inner network never is.
It needs muster.toml with an [[agency]] table, and the server's database.

Exit codes: 0 written; 2 could not run.

See also: docs/inventory.md, muster report exemptions.")]
pub(super) struct Args {
    /// The agency's acronym; without it, the first of muster.toml.
    #[arg(long, value_name = "ACRONYM")]
    agency: Option<String>,
    /// The year of exemptions, clones and views; without it, the last that is over.
    #[arg(long, value_name = "YEAR")]
    fiscal_year: Option<FiscalYear>,
    /// Ask whether the pages of the attestations are there.
    #[arg(long)]
    check_links: bool,
    /// How it is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
///
/// # Errors
/// Settings, the database, or output that cannot be written.
pub(super) async fn run(args: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let now = invocation.clock.now();
    let today = now.to_zoned(TimeZone::UTC).date();
    let known = known::known(args.agency.as_deref(), invocation).await?;
    let (sources, _) = known.registers().await?;
    let year = args.fiscal_year.unwrap_or_else(|| FiscalYear::over_by(today));
    let mut omb = of(&known, &Report::of(year, today, &sources)).await?;
    if args.check_links {
        let fetcher = Fetcher::of_pages(invocation.config.network()?);
        links::check(&fetcher, &mut omb.attestations, &invocation.clock).await;
    }
    match args.format {
        Format::Markdown => output::write(&omb.markdown())?,
        Format::Csv => output::csv(omb.rows())?,
        Format::Json => output::json(&Document::new(SCHEMA, now, omb))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The name of the document.
pub(in crate::cli) const SCHEMA: &str = "omb-1";

/// The report, with the exemptions and on the day of `register`.
///
/// # Errors
/// The database's.
pub(in crate::cli) async fn of(known: &Known, register: &Report) -> anyhow::Result<Omb> {
    let said = Said::of(&known.store, known.lead, &known.accounts(), register.as_of).await?;
    let ids = std::collections::HashMap::new();
    let seen = known.entries.iter().map(|(account, entry)| {
        let sources = known.sources.get(&entry.seen.id);
        seen(*account, entry, sources, &said, &ids)
    });
    let seen: Vec<Seen<'_>> = seen.collect();
    let imported = match known.policy.inventory.import {
        Some(_) => known.store.imported(known.lead).await?,
        None => Vec::new(),
    };
    let measured = known.store.traffic_of(register.year).await?;
    let public_url = known.public_url.as_deref();
    Ok(Omb::of(&known.agency, &known.policy, &seen, &imported, register, &measured, public_url))
}
