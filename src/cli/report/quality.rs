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
    Format, known,
};
use crate::{
    domain::{
        inventory::report::quality::{Quality, Served},
        repository::Visibility,
    },
    store::KnownEntry,
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
    let (slug, mut files) = (known.agency.slug(), Vec::new());
    for published in &known.policy.inventory.publish {
        if let Some(file) = known.store.published(&slug, published.file()).await? {
            files.push((*published, file));
        }
    }
    if files.is_empty() {
        note("No file was published yet: muster report gaps says what stands in the way.");
    }
    let names = known.names(about.internal);
    let (mut by_id, mut hidden) = (HashMap::new(), HashSet::new());
    if !about.internal {
        let entries = known.entries.iter().map(|(_, entry)| entry);
        let hides = entries.filter(|entry| entry.seen.visibility != Visibility::Public);
        let address = |entry: &KnownEntry| Some(known.sources.get(&entry.seen.id)?.url.to_lowercase());
        hidden.extend(hides.filter_map(address));
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
    let quality = Quality::of(&known.agency.acronym, &served, &by_id, &hidden, about.internal)?;
    match about.format {
        Format::Markdown => output::write(&quality.markdown())?,
        Format::Csv => output::csv(quality.rows())?,
        Format::Json => output::json(&Document::new("quality-1", now, quality))?,
    }
    Ok(ExitCode::SUCCESS)
}
