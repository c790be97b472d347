//! From the parts of a path to what they name.

use serde::Deserialize;

use super::Failure;
use crate::state::{Caller, Found, Issue, Refusal, Repository, State};

/// The parts of a path beneath an account.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Place {
    pub(super) owner: String,
    pub(super) repository: String,
    #[serde(default)]
    pub(super) number: u64,
    #[serde(default)]
    pub(super) rest: String,
    #[serde(default)]
    pub(super) branch: String,
    #[serde(default)]
    pub(super) oid: String,
    #[serde(default)]
    pub(super) action: String,
}

impl Place {
    /// The repository, also under a former name, whoever looks.
    pub(super) fn find<'s>(&self, state: &'s State) -> Result<&'s Repository, Failure> {
        let full_name = format!("{}/{}", self.owner, self.repository);
        let named = |home: &&Repository| state.full_name(home).eq_ignore_ascii_case(&full_name);
        let had =
            |home: &&Repository| home.former_names.iter().any(|name| name.eq_ignore_ascii_case(&full_name));
        let found = state.repositories().find(named).or_else(|| state.repositories().find(had));
        found.ok_or(Failure::Refused(Refusal::NotFound))
    }

    /// The repository for somebody who acts: what they cannot see is not there.
    pub(super) fn find_for(&self, state: &State, caller: &Caller) -> Result<u64, Failure> {
        match state.find(caller, &self.owner, &self.repository) {
            Some(Found::Here(id) | Found::Moved(id)) => Ok(id),
            None => Err(Failure::Refused(Refusal::NotFound)),
        }
    }

    pub(super) fn issue<'s>(&self, home: &'s Repository) -> Result<&'s Issue, Failure> {
        home.issues.get(&self.number).ok_or(Failure::Refused(Refusal::NotFound))
    }

    /// Branch and path of `rest`: the longest branch name it begins with.
    pub(super) fn branch_and_path<'p>(&'p self, home: &Repository) -> (&'p str, &'p str) {
        let rest = self.rest.as_str();
        let begins =
            |name: &str| rest.strip_prefix(name).is_some_and(|path| path.is_empty() || path.starts_with('/'));
        let longest = home.branches().map(|(name, _)| name.len()).filter(|length| {
            rest.get(..*length).is_some_and(|name| home.branch(name).is_some() && begins(name))
        });
        match longest.max() {
            Some(length) => (&rest[..length], rest[length..].trim_matches('/')),
            None => rest.split_once('/').unwrap_or((rest, "")),
        }
    }
}
