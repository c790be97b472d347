//! What was called, for assertions and for the conformance check.

use std::fs::File;
use std::io::Write as _;

use jiff::Timestamp;
use serde_json::Value;

use crate::state::InstallationId;

/// One call that reached the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When it came.
    pub at: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Route template; `None` for a route the sandbox does not know.
    pub route: Option<String>,
    /// The GraphQL operation's name.
    pub operation: Option<String>,
    /// Path as called, without the query.
    pub path: String,
    /// Status answered; 0 when the connection was broken.
    pub status: u16,
    /// The installation whose token was used.
    pub installation: Option<InstallationId>,
    /// Whether it came without credentials; not known of one that a fault
    /// kept from being read.
    pub anonymous: bool,
    /// Points: GraphQL's own cost, 1 for a REST call, 0 for a free one.
    pub cost: u64,
    /// Whether it creates content (issue, pull request, comment) or, for
    /// GraphQL, is a mutation.
    pub writes: bool,
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.route.as_ref().unwrap_or(&self.path))?;
        if let Some(operation) = &self.operation {
            write!(f, " {operation}")?;
        }
        write!(f, " {}", self.status)
    }
}

/// Appends REST exchanges as JSON lines to a file of this process in the
/// folder that `SANDBOX_EXCHANGES` names.
pub(crate) struct Exchanges(File);

impl Exchanges {
    pub(crate) fn from_environment() -> std::io::Result<Option<Exchanges>> {
        let Some(folder) = std::env::var_os("SANDBOX_EXCHANGES") else { return Ok(None) };
        std::fs::create_dir_all(&folder)?;
        let name = format!("{}-{}.jsonl", std::process::id(), crate::state::unique());
        let path = std::path::Path::new(&folder).join(name);
        Ok(Some(Exchanges(File::options().create(true).append(true).open(path)?)))
    }

    pub(crate) fn write(&mut self, exchange: &Value) -> std::io::Result<()> {
        self.0.write_all(format!("{exchange}\n").as_bytes())
    }
}
