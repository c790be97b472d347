//! `muster schema`: the schemas that Muster judges by. Needs no settings.

use std::process::ExitCode;

use code_json::schema::Published;

use super::output;
use crate::domain::policy::Policy;

const EXAMPLES: &str = "\
Examples:
  $ muster schema
  $ muster schema gov-2.0.0 > gov-2.0.0.schema.json
  $ muster schema policy > muster.schema.json

See also: muster validate.";

/// The name of the policy file's.
const POLICY: &str = "policy";

/// Print a schema, or the names of all.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// Which one; without it, the names are printed.
    #[arg(value_parser = names())]
    name: Option<String>,
}

fn names() -> Vec<&'static str> {
    Published::ALL.map(Published::name).into_iter().chain([POLICY]).collect()
}

/// Runs the command.
///
/// # Errors
/// Output that cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Some(name) = &args.name else {
        output::write(&(names().join("\n") + "\n"))?;
        return Ok(ExitCode::SUCCESS);
    };
    let schema = match Published::named(name) {
        Some(published) => serde_json::to_string_pretty(&published.document())?,
        None => serde_json::to_string_pretty(&Policy::schema())?,
    };
    output::write(&(schema + "\n"))?;
    Ok(ExitCode::SUCCESS)
}
