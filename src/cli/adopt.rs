//! `muster adopt`: what was found in an organization whose past the ledger does
//! not hold, and the word that ends the wait.

use std::process::ExitCode;

use anyhow::bail;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    FINDINGS, Invocation,
    output::{self, Document, Format, note},
};
use crate::{
    domain::{adoption::Adoption, outstanding::State, repository::Login},
    jobs::adoption,
    store::{DecisionStatus, OwnItem, Store},
};

/// Show what Muster found of itself in an organization that its ledger did not
/// know; with --confirm, let it write there at once.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  $ muster adopt example-agency
  $ muster adopt example-agency --confirm
  $ muster adopt example-agency --format json

With an empty ledger Muster reads every repository before it writes anything.
Where nothing of its own is found, it goes on by itself. Otherwise it rebuilds
what people declined from its issues and pull requests, and waits 7 days.

Exit codes: 0 Muster may write there; 1 it waits; 2 could not run.

See also: muster plan, muster backup.")]
pub struct Args {
    /// The organization.
    #[arg(value_name = "ORG")]
    organization: Login,
    /// End the wait.
    #[arg(long)]
    confirm: bool,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// `adoption-1`.
#[derive(Debug, Serialize)]
struct Shown {
    organization: String,
    /// `reading`, `waiting` or `adopted`.
    stage: &'static str,
    /// How many repositories are still to be read.
    unread: u64,
    /// When the wait ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ending: Option<&'static str>,
    found: Vec<Found>,
}

/// Something of ours.
#[derive(Debug, Serialize)]
struct Found {
    repository: String,
    kind: &'static str,
    number: Option<u64>,
    state: &'static str,
    /// Who declined it.
    #[serde(skip_serializing_if = "Option::is_none")]
    declined_by: Option<String>,
    /// Until when it will not be raised again.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

/// Runs the command.
///
/// # Errors
/// Settings, the database, or output that cannot be written.
pub async fn run(args: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let store = Store::open(invocation.config.database()?.expose()).await?;
    let now = invocation.clock.now();
    let organization = &args.organization;
    let same = |login: &str| login.parse().is_ok_and(|login: Login| login.same_as(organization));
    let installed = store.installations().await?.into_iter().find(|known| same(&known.login));
    let Some(known) = installed else {
        bail!("Muster has not met {organization}: check the name, and that muster serve has run");
    };
    let Some(mut adoption) = store.adoption(known.account).await? else {
        bail!("Muster has not begun to read {organization}: start muster serve, and ask again");
    };
    if args.confirm && adoption.ended.is_none() && adoption::confirm(&store, &adoption, now).await? {
        adoption = store.adoption(known.account).await?.unwrap_or(adoption);
    }
    let shown = shown(&store, &args.organization, &adoption, now).await?;
    let waits = adoption.ended.is_none();
    match args.format {
        Format::Json => output::json(&Document::new("adoption-1", now, shown))?,
        Format::Table => print(&shown, args.confirm)?,
    }
    Ok(if waits { ExitCode::from(FINDINGS) } else { ExitCode::SUCCESS })
}

async fn shown(
    store: &Store,
    organization: &Login,
    adoption: &Adoption,
    now: Timestamp,
) -> anyhow::Result<Shown> {
    let unread = store.unread(adoption, u32::MAX, now).await?;
    let stage = match adoption.ended {
        Some(_) => "adopted",
        None if adoption.listed_at.is_none() || unread > 0 => "reading",
        None => "waiting",
    };
    let mut found = Vec::new();
    for item in store.ours_of(adoption.account).await? {
        found.push(describe(store, item).await?);
    }
    Ok(Shown {
        organization: organization.to_string(),
        stage,
        unread: if adoption.ended.is_some() { 0 } else { unread },
        until: adoption.ended.is_none().then(|| adoption.until()),
        ending: adoption.ended.map(|(_, ending)| ending.as_str()),
        found,
    })
}

async fn describe(store: &Store, item: OwnItem) -> anyhow::Result<Found> {
    let repository = item.name.map_or_else(|| item.repository.to_string(), |name| name.to_string());
    let mut found = Found {
        repository,
        kind: item.kind.as_str(),
        number: item.number,
        state: item.state.as_str(),
        declined_by: None,
        until: None,
    };
    match item.state {
        State::Creating | State::Open | State::Merged | State::Expired => {}
        State::Closed | State::Declined => {
            let decisions = store.decisions(item.repository).await?;
            let about = |known: &&crate::store::Decision| known.decision.findings == item.findings;
            if let Some(last) = decisions.iter().rev().find(about)
                && last.decision.status == DecisionStatus::Declined
            {
                found.declined_by = Some(last.decision.login.clone()).filter(|login| !login.is_empty());
                found.until = last.decision.until;
            }
        }
    }
    Ok(found)
}

fn print(shown: &Shown, confirm: bool) -> anyhow::Result<()> {
    if !shown.found.is_empty() {
        output::table(
            &["repository", "kind", "number", "state", "declined by", "until"],
            shown.found.iter().map(|found| {
                vec![
                    found.repository.clone(),
                    found.kind.to_owned(),
                    found.number.map(|number| format!("#{number}")).unwrap_or_default(),
                    found.state.to_owned(),
                    found.declined_by.clone().unwrap_or_default(),
                    found.until.map(output::time).unwrap_or_default(),
                ]
            }),
        )?;
    }
    let organization = &shown.organization;
    let until = shown.until.map(output::time).unwrap_or_default();
    match (shown.stage, confirm) {
        ("reading", false) => output::line(&format!(
            "Muster still reads {organization}: {} repositories are left; nothing is written before.",
            shown.unread
        ))?,
        ("reading", true) => output::line(&format!(
            "Muster still reads {organization}: {} repositories are left; confirm when it is done.",
            shown.unread
        ))?,
        ("waiting", _) => output::line(&format!(
            "Nothing is written to {organization} before {until}: add --confirm if this is all there should be."
        ))?,
        _ => output::line(&format!("Muster may write to {organization}."))?,
    }
    if shown.stage == "waiting" && shown.found.is_empty() {
        note("What was found cannot be read: its marker was changed, or the instance key is another one.");
    }
    Ok(())
}
