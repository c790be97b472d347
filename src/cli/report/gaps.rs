//! `muster report gaps`: which code has no entry of its own, and who can
//! change that.

use std::process::ExitCode;

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
        inventory::report::gaps::{Gaps, MadePublic, Stored},
        policy::Published,
    },
    store::Publication,
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
public. So it is with code that was made public without a recorded approval. It needs
muster.toml with an [[agency]] table, and the server's database.

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
    let publications = publications(&known).await?;
    let stored = stored(&publications);
    if stored.is_empty() {
        note("No file was assembled yet: muster serve does so once it has read the organizations.");
    }
    let made_public = made_public(&known).await?;
    if !made_public.is_empty() && !about.internal {
        note("Code was made public, and no approval of that is recorded: --internal says which.");
    }
    let gaps = of(&known, &stored, about.internal.then_some(made_public))?;
    match about.format {
        Format::Markdown => output::write(&gaps.markdown())?,
        Format::Csv => output::csv(gaps.rows())?,
        Format::Json => output::json(&Document::new(SCHEMA, now, gaps))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The name of the document.
pub(in crate::cli) const SCHEMA: &str = "gaps-1";

/// What is stored of each file that the policy publishes.
///
/// # Errors
/// The database's.
pub(in crate::cli) async fn publications(known: &Known) -> anyhow::Result<Vec<(Published, Publication)>> {
    let (slug, mut publications) = (known.agency.slug(), Vec::new());
    for published in &known.policy.inventory.publish {
        publications.push((*published, known.store.publication(&slug, published.file()).await?));
    }
    Ok(publications)
}

/// Those of which there is an account.
pub(in crate::cli) fn stored(publications: &[(Published, Publication)]) -> Vec<Stored<'_>> {
    let stored = publications.iter().filter_map(|(published, publication)| {
        Some(Stored {
            file: Published::file(*published),
            account: publication.account.as_deref()?,
            accounted_at: publication.accounted_at?,
            published_at: publication.published_at,
            refused: publication.refused.is_some(),
        })
    });
    stored.collect()
}

/// What was made public in the agency's organizations.
///
/// # Errors
/// The database's.
pub(in crate::cli) async fn made_public(known: &Known) -> anyhow::Result<Vec<MadePublic>> {
    let mut all = Vec::new();
    for installation in &known.installations {
        let found = known.store.publicized(installation.id).await?.into_iter();
        all.extend(found.map(|one| MadePublic {
            repository: one.name.to_string(),
            before: one.from.as_str(),
            noticed_at: one.noticed_at,
        }));
    }
    Ok(all)
}

/// The report. With `made_public` it is one for inside.
///
/// # Errors
/// An account that cannot be read.
pub(in crate::cli) fn of(
    known: &Known,
    stored: &[Stored<'_>],
    made_public: Option<Vec<MadePublic>>,
) -> anyhow::Result<Gaps> {
    let names = known.names(made_public.is_some());
    Ok(Gaps::of(&known.agency.acronym, stored, &names, made_public)?)
}
