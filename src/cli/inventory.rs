//! `muster inventory`: an agency's inventory from the command line, without a
//! server, by the same engine.
//!
//! Promises: (1) nothing is written at GitHub; (2) the account names every
//! repository that is listed, and its sums balance; (3) a file that the server
//! would refuse is refused here, with the reason, and no file is touched.

mod outside;

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{
    FINDINGS, Invocation, organization,
    output::{self, Document, Format, note},
};
use crate::{
    checkout,
    domain::{
        finding::Report,
        inventory::{
            self, Entry, File, Imported, Seen, Sources, State, Subject,
            guard::{self, Refusal},
            leak::Secrets,
        },
        policy::{MAX_BYTES, Policy, Published},
        repository::{AccountId, Inherited, Login, RepositoryId, RepositoryName, Snapshot, Visibility},
        rules,
    },
    jobs::{inspect_repository::with_wish, publish_inventory::account_json},
    store::{Keeping, KeptFile, Verification},
};
use outside::Outside;

/// Assemble an agency's inventory from its organizations, or from checkouts.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  $ muster inventory example-agency > code.json
  $ muster inventory example-agency example-bureau --output public/
  $ muster inventory example-agency --account
  $ muster inventory example-agency --import gitlab-projects.json
  $ muster inventory --from ~/src --policy muster.yml --schema agency-index-2.0.0

The first organization leads: its policy says whose inventory it is and what is published.
With the App's credentials it reads what the App is installed on; with GITHUB_TOKEN, what
that token sees. A checkout is taken for a public repository named like its folder.
Private code is counted and never named in a file. Redacted entries are the server's, which
keeps their random ids. What inventory.import names is taken from the server's database,
or from the file of --import.

Exit codes: 0 written; 1 the file is refused; 2 could not run; 130 interrupted.
What could not be read alone gives 0 and a line on standard error, 1 with --strict.

See also: muster validate, muster convert, muster serve.")]
pub struct Args {
    /// The organizations of the agency; the first leads.
    #[arg(value_name = "ORG", required_unless_present = "from", conflicts_with = "from")]
    organizations: Vec<Login>,
    /// A folder of checkouts, in place of organizations.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// The policy file, in place of the organization's; needed with --from.
    #[arg(long, value_name = "FILE", required_unless_present = "organizations")]
    policy: Option<PathBuf>,
    /// The inventory from outside that belongs to it, in place of what
    /// inventory.import names.
    #[arg(long, value_name = "FILE")]
    import: Option<PathBuf>,
    /// Which file to write to standard output.
    #[arg(long, value_name = "SCHEMA", default_value = "gsa-2.0.0", value_parser = schema)]
    schema: Published,
    /// Write all files that the policy names into this folder instead.
    #[arg(long, value_name = "DIR", conflicts_with = "account")]
    output: Option<PathBuf>,
    /// Write what became of every repository, instead of a file.
    #[arg(long)]
    account: bool,
    /// How to write the account.
    #[arg(long, value_enum, default_value_t, requires = "account")]
    format: Format,
    /// End with 1 also when something could not be read.
    #[arg(long)]
    strict: bool,
}

fn schema(name: &str) -> Result<Published, String> {
    let names = || Published::ALL.map(Published::as_str).join(" or ");
    Published::ALL.into_iter().find(|one| one.as_str() == name).ok_or_else(|| format!("write {}", names()))
}

/// One repository as it was read.
struct Repository {
    id: RepositoryId,
    name: RepositoryName,
    visibility: Visibility,
    archived: bool,
    skipped: Option<String>,
    read: Result<Sources, String>,
}

/// Everything that was read.
struct Gathered {
    policy: Policy,
    /// What the lists are lists of, a sentence each.
    coverage: Vec<String>,
    repositories: Vec<Repository>,
}

/// Runs the command.
///
/// # Errors
/// Settings, GitHub, a policy that cannot be read, or output that cannot be
/// written.
pub async fn run(args: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let now = invocation.clock.now();
    let given = args.policy.as_deref().map(policy).transpose()?;
    let mut gathered = match &args.from {
        Some(folder) => checkouts(folder, given.unwrap_or_default(), now)?,
        None => organizations(&args, given, invocation).await?,
    };
    gathered.policy.inventory.publish =
        if args.output.is_some() { gathered.policy.inventory.publish } else { vec![args.schema] };
    let Gathered { policy, coverage, repositories } = &gathered;
    let outside = match args.organizations.first() {
        None if args.import.is_none() && policy.inventory.import.is_some() => Outside {
            missing: Some(Refusal::Import("give a copy of it with --import".to_owned())),
            ..Outside::default()
        },
        lead => outside::read(args.import.as_deref(), lead, policy, invocation).await?,
    };
    let secrets = secrets(policy, repositories, &outside.imported)?;
    let seen: Vec<Seen<'_>> = repositories.iter().map(Repository::seen).collect();
    let assembly = inventory::assemble(policy, &seen, &outside.imported, &secrets, now);
    for line in coverage {
        note(line);
    }
    let mut refused = false;
    let mut unknown = 0;
    for file in &assembly.files {
        let body = file.bytes();
        unknown = unknown.max(file.account.totals().unknown);
        let entries: Vec<&Entry> = file.entries.iter().map(AsRef::as_ref).collect();
        let refusal = guard::complete(policy)
            .and_then(|()| outside.missing.clone().map_or(Ok(()), Err))
            .and_then(|()| guard::guard(file, None, &policy.digest()))
            .and_then(|()| guard::finished(file, &entries, &secrets, &assembly.mailboxes, now));
        if let Err(refusal) = &refusal {
            note(&format!("{} is refused: {refusal}.", file.published.file()));
            refused = true;
        }
        if args.account {
            let verified = outside.verified.iter().find(|known| known.file == file.published.file());
            let (problems, refusal) = (&assembly.problems, refusal.err());
            let server = (verified, outside.kept.as_ref());
            account(args.format, file, problems, &gathered, (refusal.as_ref(), server), now)?;
        } else if !refused {
            match &args.output {
                Some(folder) => write(folder, file.published.file(), &body)?,
                None => output::write(&String::from_utf8_lossy(&body))?,
            }
        }
    }
    if unknown > 0 {
        note(&format!("{unknown} repositories could not be read: --account says which and why."));
    }
    let differs = refused || (args.strict && unknown > 0);
    Ok(if differs { ExitCode::from(FINDINGS) } else { ExitCode::SUCCESS })
}

fn policy(path: &Path) -> anyhow::Result<Policy> {
    let shown = path.display();
    let bytes = fs::read(path).with_context(|| format!("the policy {shown} could not be read"))?;
    if bytes.len() > MAX_BYTES {
        bail!("the policy {shown} is larger than {} KiB", MAX_BYTES / 1024);
    }
    Policy::parse_bytes(&bytes).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| format!("{shown}:{problem}")).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    })
}

/// What is remembered of a repository for its entry, and the rule that skips it.
fn look(policy: &Policy, snapshot: &Snapshot, now: Timestamp) -> (Sources, Option<String>) {
    let (policy, _) = with_wish(policy.clone(), snapshot);
    let report: Report = rules::evaluate(&policy, snapshot, now);
    (Sources::of(snapshot, &report), report.skipped.map(|skipped| skipped.to_string()))
}

async fn organizations(
    args: &Args,
    given: Option<Policy>,
    invocation: &Invocation,
) -> anyhow::Result<Gathered> {
    let mut scan = invocation.config.scan()?;
    if given.is_some() {
        scan.policy = given;
    }
    let mut gathered: Option<Gathered> = None;
    for login in &args.organizations {
        let read = organization::read(&scan, login, &invocation.clock, look).await?;
        let lead = gathered.get_or_insert_with(|| Gathered {
            policy: read.policy,
            coverage: Vec::new(),
            repositories: Vec::new(),
        });
        lead.coverage.push(read.coverage);
        lead.repositories.extend(read.repositories.into_iter().map(|(found, came)| {
            let (read, skipped) = match came {
                Ok((sources, skipped)) => (Ok(sources), skipped),
                Err(why) => (Err(why), None),
            };
            let (visibility, archived) = (found.visibility, found.archived);
            Repository { id: found.id, name: found.name, visibility, archived, skipped, read }
        }));
    }
    gathered.context("name an organization")
}

/// The folders in `folder`, each a checkout.
fn checkouts(folder: &Path, policy: Policy, now: Timestamp) -> anyhow::Result<Gathered> {
    let shown = folder.display();
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("{shown} could not be read"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .with_context(|| format!("{shown} could not be read"))?;
    paths.retain(|path| path.is_dir() && !path.is_symlink());
    paths.sort();
    let mut repositories = Vec::new();
    for (path, number) in paths.iter().zip(1..) {
        let read = checkout::snapshot(path, rules::policy_paths(&policy), Inherited::None);
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Ok(name) = format!("local/{name}").parse::<RepositoryName>() else { continue };
        let (read, skipped) = match read {
            Ok(snapshot) => {
                let (sources, skipped) = look(&policy, &snapshot, now);
                (Ok(sources), skipped)
            }
            Err(error) => (Err(error.to_string()), None),
        };
        let id = RepositoryId(number);
        let (visibility, archived) = (Visibility::Public, false);
        repositories.push(Repository { id, name, visibility, archived, skipped, read });
    }
    let coverage = vec![format!(
        "{} in {shown}, each taken for a public repository.",
        counted(repositories.len(), "checkout", "checkouts")
    )];
    Ok(Gathered { policy, coverage, repositories })
}

impl Repository {
    fn seen(&self) -> Seen<'_> {
        Seen {
            id: self.id,
            account: AccountId(0),
            name: &self.name,
            visibility: self.visibility,
            archived: self.archived,
            skipped: self.skipped.as_deref(),
            unknown: self.read.as_ref().err().map(String::as_str),
            sources: self.read.as_ref().ok(),
            clones: None,
            hours: None,
            uncounted: None,
            changed_at: None,
            former_urls: &[],
            answers: None,
            exempt: None,
            opaque: None,
        }
    }
}

fn secrets(policy: &Policy, repositories: &[Repository], imported: &[Imported]) -> anyhow::Result<Secrets> {
    let (public, hidden): (Vec<&Repository>, Vec<&Repository>) =
        repositories.iter().partition(|one| one.visibility == Visibility::Public);
    let names = |of: &[&'_ Repository]| of.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
    let mut hidden = names(&hidden);
    hidden.extend(imported.iter().filter_map(Imported::hidden_name));
    let mut secrets = Secrets::new(&hidden, &names(&public), &policy.inventory.internal_hosts)?;
    secrets.allow_mailboxes(policy.agency.contact.email.as_deref().unwrap_or_default());
    Ok(secrets)
}

/// Writes a file beside the old one, and then in its place.
fn write(folder: &Path, name: &str, body: &[u8]) -> anyhow::Result<()> {
    let path = folder.join(name);
    let (shown, beside) = (path.display().to_string(), folder.join(format!(".{name}.new")));
    fs::write(&beside, body)
        .and_then(|()| fs::rename(&beside, &path))
        .with_context(|| format!("{shown} could not be written"))
}

/// What a server knows of a file: what everybody gets, and how it is kept.
type Server<'a> = (Option<&'a Verification>, Option<&'a (Keeping, Vec<KeptFile>)>);

#[derive(Serialize)]
struct Account {
    file: &'static str,
    coverage: Vec<String>,
    refused: Option<String>,
    /// What everybody gets of the server's file, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<Value>,
    /// How it stands in the repository of the inventory, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<Value>,
    account: Value,
}

fn account(
    format: Format,
    file: &File,
    problems: &[inventory::Problem],
    gathered: &Gathered,
    (refusal, (verified, kept)): (Option<&Refusal>, Server<'_>),
    now: Timestamp,
) -> anyhow::Result<()> {
    let names: HashMap<RepositoryId, (&RepositoryName, Visibility)> =
        gathered.repositories.iter().map(|one| (one.id, (&one.name, one.visibility))).collect();
    match format {
        Format::Json => {
            let account = serde_json::from_str(&account_json(file, problems, &names))?;
            let content = Account {
                file: file.published.file(),
                coverage: gathered.coverage.clone(),
                refused: refusal.map(ToString::to_string),
                verified: verified.map(outside::verified_json),
                kept: kept.map(|kept| outside::kept_json(kept, file.published.file())),
                account,
            };
            output::json(&Document::new("inventory-account-1", now, content))?;
        }
        Format::Table => {
            for line in &gathered.coverage {
                output::line(line)?;
            }
            let name = |subject: &Subject| match subject {
                Subject::Repository(id) => {
                    names.get(id).map_or_else(String::new, |(name, _)| name.to_string())
                }
                Subject::Imported { key } => format!("import: {key}"),
            };
            let rows = file
                .account
                .lines
                .iter()
                .map(|line| vec![name(&line.subject), line.state.word().to_owned(), why(&line.state)]);
            output::table(&["repository", "state", "why"], rows)?;
            for problem in problems {
                output::line(&format!("{}: {}.", name(&problem.subject), problem.what))?;
            }
            if let Some(verified) = verified {
                output::line(&outside::verified(verified))?;
            }
            for line in kept.iter().flat_map(|kept| outside::kept(kept, file.published.file())) {
                output::line(&line)?;
            }
            let totals = file.account.totals();
            output::line(&format!(
                "{}: {}. {} listed + {} incomplete + {} exempt + {} excluded by rule + {} out of scope \
                 + {} unknown = {}.",
                file.published.file(),
                counted(totals.entries, "entry", "entries"),
                totals.listed,
                totals.incomplete,
                totals.exempt,
                totals.excluded,
                totals.out_of_scope,
                totals.unknown,
                totals.seen,
            ))?;
        }
    }
    Ok(())
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn why(state: &State) -> String {
    let entry = |listed| if listed { "has an entry" } else { "has no entry" };
    match state {
        State::Listed => String::new(),
        State::Incomplete { fields, why } => {
            let missing = (!fields.is_empty()).then(|| format!("has no {}", fields.join(", ")));
            [missing, why.clone()].into_iter().flatten().collect::<Vec<_>>().join("; ")
        }
        State::Exempt { listed } => entry(*listed).to_owned(),
        State::Unknown { why, listed } => format!("{why}; {}", entry(*listed)),
        State::Excluded { rule } => rule.clone(),
        State::OutOfScope { why } => why.clone(),
    }
}
