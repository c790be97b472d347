//! The account of a file, as it was stored with it.

use serde::Deserialize;

use crate::domain::{
    inventory::{Account, Line, State, Subject},
    repository::RepositoryId,
};

#[derive(Deserialize)]
struct StoredAccount {
    lines: Vec<StoredLine>,
}

#[derive(Deserialize)]
struct StoredLine {
    repository: Option<RepositoryId>,
    imported: Option<String>,
    #[serde(flatten)]
    state: State,
}

/// Reads it; the names in it are left out, since they may be old.
pub(super) fn account(text: &str) -> Result<Account, serde_json::Error> {
    let read: StoredAccount = serde_json::from_str(text)?;
    let line = |line: StoredLine| Line {
        subject: match (line.repository, line.imported) {
            (Some(id), _) => Subject::Repository(id),
            (None, key) => Subject::Imported { key: key.unwrap_or_default() },
        },
        state: line.state,
    };
    Ok(Account { lines: read.lines.into_iter().map(line).collect() })
}
