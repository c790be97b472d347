//! `muster report quality`: what the published entries lack that a harvester or
//! a reader looks for.

use std::{
    collections::{HashMap, HashSet},
    process::ExitCode,
};

use super::{
    super::{
        Invocation,
        output::{self, Document, note},
    },
    Format,
    known::{self, Known},
};
use crate::{
    domain::{
        inventory::report::quality::{Quality, Served},
        policy::Published,
    },
    store::PublishedFile,
};

/// Fields that published entries lack, by organization and repository owner.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  $ muster report quality
  $ muster report quality --agency XA --format csv > quality.csv
  $ muster report quality --internal --format json

It reads the files as they are published. There is no score. An entry of code that is
not public counts, and is judged only by what such an entry may say; with --internal
its repository is named, and the report is not for the public. It needs muster.toml
with an [[agency]] table, and the server's database.

Exit codes: 0 written; 2 could not run.

See also: docs/inventory.md, muster report gaps.")]
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
    let files = known.published(None).await?;
    if files.is_empty() {
        note("No file was published yet: muster report gaps says what stands in the way.");
    }
    let quality = of(&known, &files, about.internal).await?;
    match about.format {
        Format::Markdown => output::write(&quality.markdown())?,
        Format::Csv => output::csv(quality.rows())?,
        Format::Json => output::json(&Document::new(SCHEMA, now, quality))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The name of the document.
pub(in crate::cli) const SCHEMA: &str = "quality-1";

/// The report on these files.
///
/// # Errors
/// The database's, or a file that is not JSON.
pub(in crate::cli) async fn of(
    known: &Known,
    files: &[(Published, PublishedFile)],
    internal: bool,
) -> anyhow::Result<Quality> {
    let names = known.names(internal);
    let (mut by_id, mut hidden) = (HashMap::new(), HashSet::new());
    if !internal {
        hidden = known.hidden_addresses();
    } else {
        for (repository, drawn) in known.store.opaque_ids().await? {
            by_id.extend(names.get(&repository).map(|name| (drawn.opaque.id, name.clone())));
        }
    }
    let served = files.iter().map(|(published, file)| Served {
        published: *published,
        body: &file.body,
        published_at: file.published_at,
    });
    let served: Vec<Served<'_>> = served.collect();
    Ok(Quality::of(&known.agency.acronym, &served, &by_id, &hidden, internal)?)
}
