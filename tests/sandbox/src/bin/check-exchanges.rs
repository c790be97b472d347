//! Checks the REST exchanges that a test run recorded in the folder
//! `SANDBOX_EXCHANGES` against GitHub's published OpenAPI description.
//!
//! Prints each departure once with its count. Exits 0 if there is none, 1 if
//! there is one or if no exchange was recorded, 2 if it could not run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;

use github_sandbox::conformance::openapi::{Departure, Description, Exchange};

fn main() -> ExitCode {
    let Some(folder) = std::env::var_os("SANDBOX_EXCHANGES") else {
        eprintln!(
            "SANDBOX_EXCHANGES is not set: name the folder in which the tests recorded their exchanges"
        );
        return ExitCode::from(2);
    };
    match check(Path::new(&folder)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

fn check(folder: &Path) -> Result<bool, String> {
    let mut description = Description::read().map_err(|missing| missing.to_string())?;
    let mut exchanges = 0_u64;
    let mut refused = 0_u64;
    let mut routes = BTreeSet::new();
    let mut departures: BTreeMap<Departure, u64> = BTreeMap::new();
    for exchange in recorded(folder)? {
        match &exchange.route {
            Some(route) => routes.insert(format!("{} {route}", exchange.method)),
            None => {
                refused += 1;
                continue;
            }
        };
        exchanges += 1;
        for departure in description.departures(&exchange) {
            *departures.entry(departure).or_default() += 1;
        }
    }
    for (Departure { place, pointer, problem }, count) in &departures {
        println!("{place} {pointer}: {problem} ({count} times)");
    }
    if refused > 0 {
        println!("{refused} calls of routes the sandbox does not know were refused by it, and not checked");
    }
    let verdict = if departures.is_empty() {
        "all as published".to_owned()
    } else {
        format!("{} departures", departures.len())
    };
    println!("{exchanges} exchanges on {} routes: {verdict}", routes.len());
    if exchanges == 0 {
        eprintln!("no exchange in {}: did the tests run with SANDBOX_EXCHANGES set?", folder.display());
    }
    Ok(departures.is_empty() && exchanges > 0)
}

/// The exchanges of every file of the folder, one JSON document a line.
fn recorded(folder: &Path) -> Result<Vec<Exchange>, String> {
    let about = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let mut exchanges = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| about(folder, &error))? {
        let path = entry.map_err(|error| about(folder, &error))?.path();
        let text = std::fs::read_to_string(&path).map_err(|error| about(&path, &error))?;
        for line in text.lines() {
            exchanges.push(serde_json::from_str(line).map_err(|error| about(&path, &error))?);
        }
    }
    Ok(exchanges)
}
