//! `muster report exemptions`: what applied in a fiscal year (SHARE IT Act
//! §4(b)), for the CIO's report to OMB.
//!
//! Promises: (1) it names repositories and people by GitHub's number only, so
//! it can be published; (2) what is not counted is said, with the reason;
//! (3) untrusted text is one line and acts on nothing (threats I1, I8, I9).

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use jiff::{civil::Date, tz::TimeZone};

use super::{
    super::{
        FINDINGS, Invocation,
        output::{self, Document, note},
        policy,
    },
    Format,
};
use crate::{
    domain::{
        exemptions::{
            Place, Register,
            report::{FiscalYear, Report, Source, from_file},
        },
        repository::{AccountId, Login},
        yaml::Problem,
    },
    store::{Installation, Store},
};

pub(in crate::cli) mod shown;

/// The name of the document.
pub(in crate::cli) const SCHEMA: &str = "exemptions-1";

/// The exemptions that applied in a fiscal year, automatic and discretionary.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  $ muster report exemptions --fiscal-year 2026
  $ muster report exemptions --fiscal-year 2026 --organization example-agency --format json
  $ muster report exemptions --fiscal-year 2026 --from muster-exemptions.yml

The CIO reports them to OMB by 31 December. An exemption counts if it applied on
any day from 1 October to 30 September, also if it ended since. It counts only if
its approval could be verified in the pull request that brought it. With --from,
the file alone speaks: nothing is verified, and what left it is not known.

Exit codes: 0 all that was granted is counted; 1 something granted is not, or a
register was refused; 2 could not run.

See also: docs/exemptions.md.")]
pub(super) struct Args {
    /// The fiscal year; 2026 ends on 30 September 2026.
    #[arg(long, value_name = "YEAR")]
    fiscal_year: FiscalYear,
    /// How it is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Only of this organization.
    #[arg(long, value_name = "ORG", conflicts_with = "from")]
    organization: Option<Login>,
    /// A register's file, instead of the database; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// Settings, the database, a file that cannot be read or has a problem, or
/// output that cannot be written.
pub(super) async fn run(args: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let now = invocation.clock.now();
    let as_of = now.to_zoned(TimeZone::UTC).date();
    let (report, refused) = match &args.from {
        Some(file) => (of_file(file, args.fiscal_year, as_of)?, false),
        None => of_store(&args, invocation, as_of).await?,
    };
    let verified = args.from.is_none();
    match args.format {
        Format::Markdown => output::write(&shown::markdown(&report, verified))?,
        Format::Csv => output::csv(shown::rows(&report))?,
        Format::Json => {
            let content = shown::json(&report, verified);
            output::json(&Document::new(SCHEMA, now, content))?;
        }
    }
    let open = refused || !report.doubted.is_empty();
    Ok(if open { ExitCode::from(FINDINGS) } else { ExitCode::SUCCESS })
}

/// What the database knows, and whether a register was refused.
async fn of_store(args: &Args, invocation: &Invocation, as_of: Date) -> anyhow::Result<(Report, bool)> {
    let url = invocation.config.database()?;
    let store = Store::open(url.expose()).await?;
    let installations = store.installations().await?;
    let mut accounts = store.registers().await?;
    if let Some(organization) = &args.organization {
        let same = |login: &str| login.parse().is_ok_and(|login: Login| login.same_as(organization));
        let Some(known) = installations.iter().find(|known| same(&known.login)) else {
            bail!("Muster has not met {organization}: check the name");
        };
        accounts.retain(|account| *account == known.account);
    }
    let served: Vec<AccountId> = installations.iter().map(|known| known.account).collect();
    // Which of them an agency has is the work of who reads the register; here
    // all that are served are its own.
    let (sources, refused) = sources(&store, &installations, &accounts, &served).await?;
    if sources.is_empty() {
        note("Muster knows no register of exemptions: docs/exemptions.md says how to write one.");
    }
    Ok((Report::of(args.fiscal_year, as_of, &sources), refused))
}

/// The registers of these accounts, and whether one was refused: that is said.
/// `ours` are the accounts whose repositories they may exempt.
///
/// # Errors
/// The database's.
pub(super) async fn sources(
    store: &Store,
    installations: &[Installation],
    accounts: &[AccountId],
    ours: &[AccountId],
) -> anyhow::Result<(Vec<Source>, bool)> {
    let login = |account: AccountId| {
        let known = installations.iter().find(|known| known.account == account);
        known.map_or_else(|| format!("account {account}"), |known| known.login.clone())
    };
    let (mut sources, mut refused) = (Vec::new(), false);
    for &account in accounts {
        let known = store.exemptions(account, ours).await?;
        if let Some(refusal) = &known.refused {
            refused = true;
            note(&format!("{}: the register was not taken; the last good one counts:", login(account)));
            refusal.why.lines().for_each(|line| note(&format!("  {line}")));
        }
        sources.push(Source {
            organization: login(account),
            annex: known.register.as_ref().map_or(0, |register| register.annex),
            entries: known.entries,
            past: known.history.all().cloned().collect(),
        });
    }
    Ok((sources, refused))
}

/// What a file says, of which nothing is verified.
fn of_file(file: &std::path::Path, year: FiscalYear, as_of: Date) -> anyhow::Result<Report> {
    let name = file.display().to_string();
    let bytes = policy::read(file).with_context(|| format!("cannot read {name}"))?;
    let register = match Register::parse_bytes(&bytes, &Place::private()) {
        Ok(register) => register,
        Err(problems) => {
            tell(&name, &problems);
            bail!("{name} is not a valid register: correct what is said above");
        }
    };
    tell(&name, &register.questions);
    Ok(from_file(name, &register, year, as_of))
}

fn tell(name: &str, problems: &[Problem]) {
    for Problem { line, column, key, message, remedy } in problems {
        let key = if key.is_empty() { String::new() } else { format!("{key}: ") };
        note(&format!("{name}:{line}:{column}: {key}{message}"));
        note(&format!("  {remedy}"));
    }
}
