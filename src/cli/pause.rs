//! `muster pause` and `muster resume`: the big red switch (etiquette 4.5,
//! threats O10).
//!
//! Promises: (1) a pause needs neither GitHub nor a confirmation, and holds for
//! every replica from the next change on; (2) before writing goes on, it is
//! said how much would go out; (3) the audit says who did it.

use std::process::ExitCode;

use anyhow::bail;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    FINDINGS, Invocation,
    output::{self, Document, Format, note},
};
use crate::{
    domain::repository::Login,
    jobs::pause::stands,
    store::{Pause, Scope, Store},
};

/// Stop writing to an organization, or to all, at once; without either, list
/// what is paused.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  $ muster pause example-agency --reason \"wrong template\"
  $ muster pause --all
  $ muster pause

Every replica stops before its next change. Deliveries are still taken in, and
repositories judged; what would be written waits for muster resume. Where the
database is away, make the stop file (MUSTER_STOP_FILE) instead.

Exit codes: 0 as wished, also if it was paused before; the list ends with 1 if
anything is paused; 2 could not run.

See also: muster resume, muster plan, muster doctor.")]
pub struct PauseArgs {
    #[command(flatten)]
    about: About,
    /// Why, for the audit and for who looks.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// How the list is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Let writing go on; without --confirm, say what would go out.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  $ muster resume example-agency
  $ muster resume example-agency --confirm
  $ muster resume --all --confirm

What was held back is judged again first, and goes out at the usual pace. The
pause of all and that of an organization are two: each has its own end. While
the stop file is there, nothing goes on.

Exit codes: 0 writing goes on; 1 it does not yet; 2 could not run.

See also: muster pause, muster plan.")]
pub struct ResumeArgs {
    #[command(flatten)]
    about: About,
    /// Do it.
    #[arg(long)]
    confirm: bool,
}

#[derive(Debug, clap::Args)]
struct About {
    /// The organization.
    #[arg(value_name = "ORG", conflicts_with = "all")]
    organization: Option<Login>,
    /// Every organization.
    #[arg(long)]
    all: bool,
}

/// `pauses-1`: what is paused, that of all first.
#[derive(Debug, Serialize)]
struct Listed {
    pauses: Vec<Shown>,
    /// Whether the stop file is there.
    stop_file: bool,
}

#[derive(Debug, Serialize)]
struct Shown {
    /// `None` for all.
    organization: Option<String>,
    by: String,
    reason: String,
    since: Timestamp,
    /// Changes that wait, and in how many repositories.
    changes: u64,
    repositories: u64,
}

/// Runs `muster pause`.
///
/// # Errors
/// Settings, the database, or output that cannot be written.
pub async fn pause(args: PauseArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let settings = invocation.config.pausing()?;
    let store = Store::open(settings.database.expose()).await?;
    let now = invocation.clock.now();
    let Some(scope) = args.about.scope(&store).await? else {
        return list(&store, stands(&settings.stop_file), args.format, now).await;
    };
    let about = args.about.named();
    if store.pause(scope, &who(), &args.reason, now).await? {
        note(&format!("Nothing is written to {about} any more; muster resume ends it."));
    } else {
        note(&format!("Writing to {about} was paused before, and stays so."));
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs `muster resume`.
///
/// # Errors
/// Settings, the database, or output that cannot be written.
pub async fn resume(args: ResumeArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let settings = invocation.config.pausing()?;
    let store = Store::open(settings.database.expose()).await?;
    let Some(scope) = args.about.scope(&store).await? else {
        bail!("say which: an organization, or --all; muster pause lists what is paused");
    };
    let about = args.about.named();
    if !store.pauses().await?.iter().any(|pause| pause.scope == scope) {
        note(&format!("Writing to {about} is not paused: muster pause lists what is."));
        return Ok(ExitCode::FAILURE);
    }
    if scope == Scope::All && stands(&settings.stop_file) {
        bail!("the stop file {} is there: remove it first", settings.stop_file.display());
    }
    let held = store.held(scope).await?;
    let waits = format!("{} changes in {} repositories", held.changes, held.repositories);
    if !args.confirm {
        output::line(&format!("{waits} wait; muster plan shows them, and --confirm lets them go out."))?;
        return Ok(ExitCode::from(FINDINGS));
    }
    store.resume(scope, &who(), invocation.clock.now()).await?;
    output::line(&format!("Writing to {about} goes on; {waits} are judged again first."))?;
    Ok(ExitCode::SUCCESS)
}

impl About {
    /// What it is about; `None` if that was not said.
    async fn scope(&self, store: &Store) -> anyhow::Result<Option<Scope>> {
        let Some(organization) = &self.organization else {
            return Ok(self.all.then_some(Scope::All));
        };
        let same = |login: &str| login.parse().is_ok_and(|login: Login| login.same_as(organization));
        match store.installations().await?.into_iter().find(|known| same(&known.login)) {
            Some(known) => Ok(Some(Scope::Account(known.account))),
            None => bail!("Muster has not met {organization}: check the name, or use --all"),
        }
    }

    fn named(&self) -> String {
        self.organization.as_ref().map_or_else(|| "any organization".to_owned(), ToString::to_string)
    }
}

async fn list(store: &Store, stop_file: bool, format: Format, now: Timestamp) -> anyhow::Result<ExitCode> {
    let installations = store.installations().await?;
    let mut pauses = Vec::new();
    for Pause { scope, by, reason, since } in store.pauses().await? {
        let organization = match scope {
            Scope::All => None,
            Scope::Account(account) => {
                let known = installations.iter().find(|known| known.account == account);
                Some(known.map_or_else(|| format!("account {account}"), |known| known.login.clone()))
            }
        };
        let held = store.held(scope).await?;
        let (changes, repositories) = (held.changes, held.repositories);
        pauses.push(Shown { organization, by, reason, since, changes, repositories });
    }
    let any = stop_file || !pauses.is_empty();
    match format {
        Format::Json => output::json(&Document::new("pauses-1", now, Listed { pauses, stop_file }))?,
        Format::Table => {
            if !pauses.is_empty() {
                output::table(
                    &["paused", "since", "by", "reason", "waiting"],
                    pauses.iter().map(|shown| {
                        vec![
                            shown.organization.clone().unwrap_or_else(|| "all".to_owned()),
                            output::time(shown.since),
                            shown.by.clone(),
                            shown.reason.clone(),
                            format!("{} changes in {} repositories", shown.changes, shown.repositories),
                        ]
                    }),
                )?;
            }
            if stop_file {
                note("The stop file is there: nothing is written.");
            } else if !any {
                note("Nothing is paused.");
            }
        }
    }
    Ok(if any { ExitCode::from(FINDINGS) } else { ExitCode::SUCCESS })
}

/// Who runs this program: the system's number, and the name the environment
/// tells for it.
fn who() -> String {
    let uid = rustix::process::getuid().as_raw();
    let named = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    match named {
        Some(name) => format!("{} (uid {uid})", name.chars().take(64).collect::<String>()),
        None => format!("uid {uid}"),
    }
}
