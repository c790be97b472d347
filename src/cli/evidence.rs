//! `muster evidence`: one file for an auditor, and whether it is as it was made.
//!
//! Promises: (1) the same state of the database gives the same bytes; (2) code
//! that is not public is named only with `--internal`, and without it every
//! file is searched for such names before anything is written (threats N1, N4);
//! (3) what it says of itself is never taken for more than it proves; (4) a
//! hostile file is refused before anything of it is used (threats O3).

use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use jiff::{civil::Date, tz::TimeZone};
use serde::Serialize;

use super::{
    FINDINGS, Invocation,
    new_file::NewFile,
    output::{self, Document, Format, note},
};
use crate::domain::{
    evidence::{Checked, Fault, PUBLISHED, Vouched, check, signature::PublicKey, zip},
    exemptions::report::FiscalYear,
    inventory::guard,
    policy::Published,
};

mod facts;
mod gather;
mod register;

pub(super) use register::Register;

/// The name of the account as a document.
pub(super) const ACCOUNT: &str = "account-1";
/// The name of the registers as a document.
pub(super) const REGISTER: &str = "register-1";

const EXAMPLES: &str = "\
Examples:
  $ muster evidence --agency XA
  $ muster evidence --fiscal-year 2026 --out evidence.zip
  $ muster evidence --internal --out inside.zip
  $ muster evidence verify evidence.zip --key agency.pub.pem

It holds the published files as they are served, the account with its sums, the
exemptions of the fiscal year, the reports gaps, omb and quality, the policy's digest,
the commits that were judged, the head of the ledger, a page for people, and the
SHA-256 of every file. The same state gives the same bytes. With the key that
MUSTER_EVIDENCE_KEY_FILE names it is signed. Code that is not public is counted; with
--internal it is named, and the file is not for the public.

Exit codes: 0 as wished; 1 it is not as it was made; 2 could not run.

See also: docs/inventory.md, muster report, muster audit verify.";

/// Make one file for an auditor, or check one.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    make: Make,
}

#[derive(Debug, clap::Args)]
struct Make {
    /// The agency's acronym; without it, the first of muster.toml.
    #[arg(long, value_name = "ACRONYM")]
    agency: Option<String>,
    /// As it stood at the end of this day (UTC); without it, as it stands.
    #[arg(long, value_name = "DATE")]
    as_of: Option<Date>,
    /// The year of the exemptions; without it, the last that is over.
    #[arg(long, value_name = "YEAR")]
    fiscal_year: Option<FiscalYear>,
    /// Name also what is not public. Keep the result inside.
    #[arg(long)]
    internal: bool,
    /// The file to write; without it, evidence-[internal-]AGENCY-DAY.zip.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Overwrite the file if it is there.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare a file with its own list of hashes, and look who signed it.
    /// Needs no settings.
    Verify {
        /// The file to read.
        file: PathBuf,
        /// The public key that the agency gave you, in PEM form.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// How the result is written.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

/// Runs the command.
///
/// # Errors
/// Settings, the database, files, or output that cannot be written.
pub async fn run(args: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    match args.command {
        Some(Command::Verify { file, key, format }) => verify(&file, key.as_deref(), format, invocation),
        None => make(args.make, invocation).await,
    }
}

async fn make(args: Make, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let today = invocation.clock.now().to_zoned(TimeZone::UTC).date();
    if args.as_of.is_some_and(|day| day >= today) {
        bail!("the day of --as-of is not over (UTC): choose an earlier one, or leave it out");
    }
    let signer = invocation.config.evidence_key()?;
    let wish = gather::Wish { day: args.as_of, year: args.fiscal_year, internal: args.internal };
    let bundle = gather::bundle(args.agency.as_deref(), wish, signer.as_ref(), invocation).await?;
    let file = args.out.unwrap_or_else(|| {
        let day = bundle.as_of.to_zoned(TimeZone::UTC).date();
        let inside = if args.internal { "internal-" } else { "" };
        PathBuf::from(format!("evidence-{inside}{}-{day}.zip", bundle.slug))
    });
    let mut new = NewFile::at(&file, args.force)?;
    new.out.write_all(&bundle.bytes).with_context(|| format!("cannot write {}", file.display()))?;
    new.finish()?;
    output::line(&format!("Saved {} files; as of {}", bundle.files, output::time(bundle.as_of)))?;
    output::line(&file.display().to_string())?;
    match &signer {
        Some(signer) => output::line(&format!("Signed by the key {}", signer.public().hex()))?,
        None => note("It is not signed: set MUSTER_EVIDENCE_KEY_FILE to let others know who made it."),
    }
    if args.internal {
        note("It names code that is not public: keep it inside.");
    }
    Ok(ExitCode::SUCCESS)
}

/// `evidence-verified-1`.
#[derive(Debug, Serialize)]
struct Verified<'a> {
    file: &'a Path,
    #[serde(flatten)]
    checked: Checked,
}

fn verify(
    file: &Path,
    key: Option<&Path>,
    format: Format,
    invocation: &Invocation,
) -> anyhow::Result<ExitCode> {
    let shown = file.display();
    let key = key.map(public_key).transpose()?;
    let bytes = read(file)?;
    let entries = zip::read(&bytes).with_context(|| shown.to_string())?;
    let mut checked = check(&entries, key).with_context(|| shown.to_string())?;
    for published in Published::ALL {
        let name = format!("{PUBLISHED}{}", published.file());
        let Some(entry) = entries.iter().find(|entry| entry.name == name) else { continue };
        if let Err(refusal) = guard::valid(published, entry.bytes, checked.as_of) {
            checked.faults.push(Fault { file: name, what: refusal.to_string() });
        }
    }
    let (vouched, faulty) = (checked.vouched, !checked.faults.is_empty());
    match format {
        Format::Json => {
            let content = Verified { file, checked };
            output::json(&Document::new("evidence-verified-1", invocation.clock.now(), content))?;
        }
        Format::Table => {
            for Fault { file, what } in &checked.faults {
                output::line(&format!("x {file}: {what}"))?;
            }
            let word = if faulty { "is not as it was made" } else { "is as it was made" };
            output::line(&format!(
                "{shown} {word}: {}, {} files, as of {}",
                checked.agency,
                checked.files,
                output::time(checked.as_of)
            ))?;
        }
    }
    note(match vouched {
        Vouched::Nobody => {
            "Nobody's signature vouches for it. Its files agree with each other or not, no more."
        }
        Vouched::ItsOwnKey => {
            "It is signed by the key in it, which anybody can make. Give the agency's own with --key."
        }
        Vouched::GivenKey => "It is signed by the key that you gave.",
    });
    Ok(if faulty { ExitCode::from(FINDINGS) } else { ExitCode::SUCCESS })
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let shown = file.display();
    let failed = || format!("cannot read {shown}");
    let mut bytes = Vec::new();
    let opened = File::open(file).with_context(failed)?;
    opened.take(zip::MOST_BYTES as u64 + 1).read_to_end(&mut bytes).with_context(failed)?;
    Ok(bytes)
}

fn public_key(file: &Path) -> anyhow::Result<PublicKey> {
    const MOST: u64 = 64 * 1024;
    let shown = file.display();
    let mut bytes = Vec::new();
    let opened = File::open(file).with_context(|| format!("cannot read {shown}"))?;
    opened.take(MOST).read_to_end(&mut bytes).with_context(|| format!("cannot read {shown}"))?;
    PublicKey::from_pem(&bytes).with_context(|| format!("{shown}: write what `openssl pkey -pubout` prints"))
}
