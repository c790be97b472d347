//! `muster schema`: the schemas that Muster judges by, and those of what it
//! writes for auditors and OMB. Needs no settings.

use std::process::ExitCode;

use code_json::schema::Published;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use super::{
    evidence,
    output::{self, Document},
    report::{as_of, exemptions, gaps, omb, quality},
};
use crate::domain::{
    evidence::{self as bundle, Manifest},
    inventory::report::{as_of::AsOf, gaps::Gaps, omb::Omb, quality::Quality, states::States},
    policy::Policy,
};

const EXAMPLES: &str = "\
Examples:
  $ muster schema
  $ muster schema gov-2.0.0 > gov-2.0.0.schema.json
  $ muster schema policy > muster.schema.json
  $ muster schema omb-1 > omb-1.schema.json

See also: muster validate, muster report, muster evidence.";

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

/// Makes a schema.
type Schema = fn() -> Value;

/// The documents that others read from us, by the name that stands in each.
const DOCUMENTS: &[(&str, Schema)] = &[
    (evidence::ACCOUNT, || document::<States>(evidence::ACCOUNT)),
    (as_of::SCHEMA, || document::<AsOf>(as_of::SCHEMA)),
    (bundle::SCHEMA, || document::<Manifest>(bundle::SCHEMA)),
    (exemptions::SCHEMA, || document::<exemptions::shown::Content<'static>>(exemptions::SCHEMA)),
    (gaps::SCHEMA, || document::<Gaps>(gaps::SCHEMA)),
    (omb::SCHEMA, || document::<Omb>(omb::SCHEMA)),
    (quality::SCHEMA, || document::<Quality>(quality::SCHEMA)),
    (evidence::REGISTER, || document::<evidence::Register>(evidence::REGISTER)),
];

fn names() -> Vec<&'static str> {
    let documents = DOCUMENTS.iter().map(|(name, _)| *name);
    Published::ALL.map(Published::name).into_iter().chain([POLICY]).chain(documents).collect()
}

/// The schema of a document of ours, as it is written.
fn document<T: JsonSchema>(name: &str) -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<Document<T>>().to_value();
    schema["title"] = name.into();
    schema["properties"]["schema"]["const"] = name.into();
    schema
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
    let ours = DOCUMENTS.iter().find(|(known, _)| known == name);
    let schema = match (Published::named(name), ours) {
        (Some(published), _) => serde_json::to_string_pretty(&published.document())?,
        (None, Some((_, schema))) => serde_json::to_string_pretty(&schema())?,
        (None, None) => serde_json::to_string_pretty(&Policy::schema())?,
    };
    output::write(&(schema + "\n"))?;
    Ok(ExitCode::SUCCESS)
}
