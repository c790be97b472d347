//! Checks the REST exchanges that a test run recorded in the folder
//! `SANDBOX_EXCHANGES` against GitHub's published OpenAPI description.
//!
//! Prints each departure once with its count. Exits 0 if there is none, 1 if
//! there is one or if no exchange was recorded, 2 if it could not run.

use std::collections::BTreeMap;
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
    let (mut exchanges, mut refused) = (0_u64, 0_u64);
    let mut routes: BTreeMap<String, Vec<Exchange>> = BTreeMap::new();
    for exchange in recorded(folder)? {
        match &exchange.route {
            Some(route) => {
                exchanges += 1;
                routes.entry(format!("{} {route}", exchange.method)).or_default().push(exchange);
            }
            None => refused += 1,
        }
    }
    let departures = departures(&routes)?;
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

/// All departures, each with its count. Routes are shared out to as many
/// threads as there are processors, so that each compiles what it needs once.
fn departures(routes: &BTreeMap<String, Vec<Exchange>>) -> Result<BTreeMap<Departure, u64>, String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut shares: Vec<Vec<&[Exchange]>> = vec![Vec::new(); threads];
    let mut by_size: Vec<&[Exchange]> = routes.values().map(Vec::as_slice).collect();
    by_size.sort_by_key(|exchanges| std::cmp::Reverse(exchanges.len()));
    for exchanges in by_size {
        let lightest = shares.iter_mut().min_by_key(|share| share.iter().map(|of| of.len()).sum::<usize>());
        lightest.expect("there is a thread").push(exchanges);
    }
    let look = |share: Vec<&[Exchange]>| -> Result<Vec<Departure>, String> {
        let mut description = Description::read().map_err(|missing| missing.to_string())?;
        Ok(share.into_iter().flatten().flat_map(|exchange| description.departures(exchange)).collect())
    };
    let mut all: BTreeMap<Departure, u64> = BTreeMap::new();
    std::thread::scope(|scope| {
        let looking: Vec<_> = shares.into_iter().map(|share| scope.spawn(move || look(share))).collect();
        for found in looking {
            for departure in found.join().expect("a look does not panic")? {
                *all.entry(departure).or_default() += 1;
            }
        }
        Ok(all)
    })
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
