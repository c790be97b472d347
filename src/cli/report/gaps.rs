//! `muster report gaps`: which code has no entry of its own, and who can
//! change that.

use std::process::ExitCode;

use super::{
    super::{
        Invocation,
        output::{self, Document, note},
    },
    Format, known,
};
use crate::domain::{
    inventory::report::gaps::{Gaps, Stored},
    policy::Published,
};

/// Repositories without an entry of their own, and who can fill in what is missing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  $ muster report gaps
  $ muster report gaps --agency XA --format csv > gaps.csv
  $ muster report gaps --internal --format json

It tells what stood in the account when each file was last assembled. Code that is
not public is counted; with --internal it is named, and the report is not for the
public. It needs muster.toml with an [[agency]] table, and the server's database.

Exit codes: 0 written; 2 could not run.

See also: docs/inventory.md, muster inventory --account.")]
pub(super) struct Args {
    #[command(flatten)]
    about: known::About,
}

/// Runs the command.
///
/// # Errors
/// Settings, the database, or output that cannot be written.
pub(super) async fn run(Args { about }: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let now = invocation.clock.now();
    let known = known::known(about.agency.as_deref(), invocation).await?;
    let (slug, mut publications) = (known.agency.slug(), Vec::new());
    for published in &known.policy.inventory.publish {
        publications.push((published, known.store.publication(&slug, published.file()).await?));
    }
    let stored = publications.iter().filter_map(|(published, publication)| {
        Some(Stored {
            file: Published::file(**published),
            account: publication.account.as_deref()?,
            accounted_at: publication.accounted_at?,
            published_at: publication.published_at,
            refused: publication.refused.is_some(),
        })
    });
    let stored: Vec<Stored<'_>> = stored.collect();
    if stored.is_empty() {
        note("No file was assembled yet: muster serve does so once it has read the organizations.");
    }
    let gaps = Gaps::of(&known.agency.acronym, &stored, &known.names(about.internal), about.internal)?;
    match about.format {
        Format::Markdown => output::write(&gaps.markdown())?,
        Format::Csv => output::csv(gaps.rows())?,
        Format::Json => output::json(&Document::new("gaps-1", now, gaps))?,
    }
    Ok(ExitCode::SUCCESS)
}
