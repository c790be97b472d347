//! What GitHub publishes about itself, and whether an exchange, a schema or a
//! payload agrees with it.
//!
//! Promises: (1) nothing of what GitHub publishes is copied into this
//! repository: it is read from npm packages installed from a lock file;
//! (2) what is not installed is an error that says what to run, never a check
//! that silently passes.

pub mod graphql;
pub mod openapi;

use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A file that GitHub publishes is not there. Says where it was looked for and
/// what to do.
#[derive(Clone)]
pub struct Missing(String);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// As `Display`, so that an `expect` in a test says what to do.
impl fmt::Debug for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}

/// The folder of installed npm packages: `MUSTER_NODE_MODULES`, or
/// `tests/conformance/node_modules` of this repository.
pub fn node_modules() -> PathBuf {
    match std::env::var_os("MUSTER_NODE_MODULES") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/node_modules"),
    }
}

/// Reads one file of an installed npm package, by its path below
/// `node_modules`.
///
/// # Errors
/// [`Missing`] if the package is not installed.
pub fn published(path: &str) -> Result<String, Missing> {
    let file = node_modules().join(path);
    std::fs::read_to_string(&file).map_err(|error| {
        Missing(format!(
            "cannot read {}: {error}; run tests/run, which installs it (or `npm ci` in tests/conformance)",
            file.display()
        ))
    })
}

fn published_json(path: &str) -> Result<Value, Missing> {
    serde_json::from_str(&published(path)?).map_err(|error| {
        Missing(format!(
            "{path} below {} is not JSON: {error}; delete that folder and run tests/run",
            node_modules().display()
        ))
    })
}

/// Every example payload of `@octokit/webhooks-examples`, with the name of its
/// event (the value of `X-GitHub-Event`), in the order of the package.
///
/// # Errors
/// [`Missing`] if the package is not installed or holds no example.
pub fn webhook_examples() -> Result<Vec<(String, Value)>, Missing> {
    let index = published_json("@octokit/webhooks-examples/api.github.com/index.json")?;
    let examples: Vec<(String, Value)> = index
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|event| {
            let name = event["name"].as_str().unwrap_or_default().to_owned();
            let payloads = event["examples"].as_array().cloned().unwrap_or_default();
            payloads.into_iter().map(move |payload| (name.clone(), payload))
        })
        .collect();
    if examples.is_empty() {
        return Err(Missing(
            "@octokit/webhooks-examples holds no example in the form expected: was its version changed?"
                .to_owned(),
        ));
    }
    Ok(examples)
}
