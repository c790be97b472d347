//! The command line: stable words, one file each.
//!
//! Promises: (1) results go to standard output, everything else to standard
//! error; (2) exit codes everywhere: 0 as wished, 1 findings or differences,
//! 2 could not run, 130 interrupted; (3) an error says where and what to do;
//! (4) a panic names its place, never what it was about.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::{runtime, select};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    config::{Config, Environment},
    logs,
};

pub mod adopt;
pub mod audit;
pub mod backup;
pub mod check;
pub mod convert;
pub mod deliveries;
pub mod doctor;
pub mod evidence;
pub mod inventory;
pub mod jobs;
mod new_file;
mod organization;
pub mod output;
pub mod pause;
pub mod policy;
pub mod repair;
pub mod report;
mod reports;
pub mod scan;
pub mod schema;
pub mod serve;
pub mod sweep;
pub mod validate;

use output::{Color, note};

/// Not everything is as the policy wishes.
pub const FINDINGS: u8 = 1;
/// It could not run.
pub const COULD_NOT_RUN: u8 = 2;
/// A person interrupted it.
pub const INTERRUPTED: u8 = 130;

const AFTER_HELP: &str = "\
Examples:
  $ muster check .
  $ muster validate code.json
  $ muster policy validate .github/muster.yml
  $ muster doctor
  $ muster serve
  $ muster jobs --dead
  $ muster report exemptions --fiscal-year 2026

Exit codes:
  0    as wished
  1    findings or differences
  2    could not run
  130  interrupted

Settings come from the environment (MUSTER_…) and from muster.toml; the
environment goes first. MUSTER_LOG sets what is logged to standard error.";

/// Checks an agency's GitHub repositories, fixes what is missing, and keeps its
/// source code inventory.
#[derive(Debug, Parser)]
#[command(name = "muster", version, after_long_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    /// Colour the output.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Adopt(adopt::Args),
    Audit(audit::Args),
    Backup(backup::Args),
    Check(check::Args),
    Convert(convert::Args),
    Deliveries(deliveries::Args),
    Doctor(doctor::Args),
    Evidence(evidence::Args),
    Inventory(inventory::Args),
    Jobs(jobs::Args),
    Pause(pause::PauseArgs),
    Plan(sweep::PlanArgs),
    Policy(policy::Args),
    Repair(repair::Args),
    Report(report::Args),
    Resume(pause::ResumeArgs),
    Scan(scan::Args),
    Schema(schema::Args),
    Serve(serve::Args),
    Sweep(sweep::SweepArgs),
    Validate(validate::Args),
}

impl Command {
    /// Whether it hears that it is told to stop. Those that only read and write
    /// files, and may wait for a pipe, are ended by the system where they stand.
    fn listens(&self) -> bool {
        match self {
            Command::Check(_)
            | Command::Convert(_)
            | Command::Repair(_)
            | Command::Schema(_)
            | Command::Validate(_) => false,
            Command::Adopt(_)
            | Command::Audit(_)
            | Command::Backup(_)
            | Command::Deliveries(_)
            | Command::Doctor(_)
            | Command::Evidence(_)
            | Command::Inventory(_)
            | Command::Jobs(_)
            | Command::Pause(_)
            | Command::Plan(_)
            | Command::Policy(_)
            | Command::Report(_)
            | Command::Resume(_)
            | Command::Scan(_)
            | Command::Serve(_)
            | Command::Sweep(_) => true,
        }
    }
}

/// What a command is run with.
#[derive(Debug)]
pub struct Invocation {
    /// The operator's settings; a command reads those it needs.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// Whether results are coloured.
    pub color: bool,
    /// Cancelled when the process is told to stop. A command that has nothing
    /// to finish is dropped then, and ends with [`INTERRUPTED`].
    pub stop: CancellationToken,
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results; a reader that has gone is no error.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(COULD_NOT_RUN) } else { ExitCode::SUCCESS };
        }
    };
    let ended = runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(start(cli)));
    ended.unwrap_or_else(|error| could_not(&format!("{error:#}")))
}

/// Says why it could not run.
fn could_not(why: &str) -> ExitCode {
    let mut lines = why.lines();
    note(&format!("muster: {}", lines.next().unwrap_or("could not run")));
    lines.for_each(note);
    ExitCode::from(COULD_NOT_RUN)
}

async fn start(cli: Cli) -> anyhow::Result<ExitCode> {
    // An error means that a provider is installed already: ours, twice.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let config = Config::read(Environment::of_process(), &std::env::current_dir()?);
    let redactor = logs::redactor(&config);
    let log = logs::start(&config, &redactor).unwrap_or_else(|why| {
        note(&redactor.redact(&format!("muster: there is no log: {why}")));
        logs::Log::default()
    });
    let ended = run(cli, config).await;
    log.finish().await;
    // What went wrong may have been told by somebody who knows a secret.
    Ok(ended.unwrap_or_else(|error| could_not(&redactor.redact(&format!("{error:#}")))))
}

async fn run(cli: Cli, config: Config) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    if cli.command.listens() {
        tokio::spawn(cancel_when_told(stop.clone()));
    }
    let invocation = Invocation { config, clock: Clock::system(), color: cli.color.wanted(), stop };
    match cli.command {
        Command::Adopt(args) => invocation.or_interrupted(adopt::run(args, &invocation)).await,
        Command::Audit(args) => invocation.or_interrupted(audit::run(args, &invocation)).await,
        Command::Backup(args) => invocation.or_interrupted(backup::run(args, &invocation)).await,
        Command::Check(args) => check::run(&args, &invocation),
        Command::Convert(args) => convert::run(args),
        Command::Deliveries(args) => invocation.or_interrupted(deliveries::run(args, &invocation)).await,
        Command::Doctor(args) => invocation.or_interrupted(doctor::run(args, &invocation)).await,
        Command::Evidence(args) => invocation.or_interrupted(evidence::run(args, &invocation)).await,
        Command::Inventory(args) => invocation.or_interrupted(inventory::run(args, &invocation)).await,
        Command::Jobs(args) => invocation.or_interrupted(jobs::run(args, &invocation)).await,
        Command::Pause(args) => invocation.or_interrupted(pause::pause(args, &invocation)).await,
        Command::Plan(args) => invocation.or_interrupted(sweep::plan(args, &invocation)).await,
        Command::Repair(args) => repair::run(&args, &invocation),
        Command::Report(args) => invocation.or_interrupted(report::run(args, &invocation)).await,
        Command::Resume(args) => invocation.or_interrupted(pause::resume(args, &invocation)).await,
        Command::Schema(args) => schema::run(&args),
        Command::Validate(args) => validate::run(&args, &invocation),
        Command::Scan(args) => invocation.or_interrupted(scan::run(args, &invocation)).await,
        Command::Sweep(args) => invocation.or_interrupted(sweep::run(args, &invocation)).await,
        Command::Policy(args) => invocation.or_interrupted(policy::run(args, &invocation)).await,
        // It finishes what it has begun.
        Command::Serve(args) => serve::run(args, &invocation).await,
    }
}

impl Invocation {
    /// `command`, or its end where it stands once the process is told to stop.
    async fn or_interrupted(
        &self,
        command: impl Future<Output = anyhow::Result<ExitCode>>,
    ) -> anyhow::Result<ExitCode> {
        select! {
            biased;
            ended = command => ended,
            () = self.stop.cancelled() => Ok(ExitCode::from(INTERRUPTED)),
        }
    }
}

/// Cancels `stop` at Ctrl-C or when the service manager says so.
async fn cancel_when_told(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            stop.cancel();
        }
        (Err(error), _) | (_, Err(error)) => {
            tracing::warn!(%error, "signals cannot be heard: the process ends at once when told to stop");
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_words_are_well_formed_and_each_shows_three_examples() {
        let mut cli = Cli::command();
        cli.build();
        cli.clone().debug_assert();
        for command in cli.get_subcommands().filter(|command| command.get_name() != "help") {
            let help = command.clone().render_long_help().to_string();
            let example = |line: &&str| line.starts_with("  $ ") && line.contains("muster ");
            let examples = help.lines().filter(example).count();
            assert!(examples >= 3, "muster {} shows {examples} examples", command.get_name());
        }
    }
}
