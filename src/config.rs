//! The operator's settings: from the environment, and from a file for what
//! the environment does not say.
//!
//! Promises: (1) a command gets settings that are all valid, or every problem
//! of those it reads at once, each naming the setting, what was found and what
//! to write; (2) a secret is never shown, not in a problem and not in a debug
//! line; (3) a misspelled setting is a problem, never a default; (4) nothing
//! is read but what was handed in: the environment is an argument.
//!
//! Every secret setting has a twin in `_FILE`, the path of a file that only
//! its owner may read (threats §4, Files).

mod agencies;
mod hosts;
mod reader;
mod secret_file;
mod sources;

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    domain::{
        evidence::signature::Signer, inventory::Agency, marker::MarkerKeys, policy::Policy, repository::Login,
    },
    github::{credentials::App, network::Network, webhook::Secret},
    jobs::intake::Way,
};

pub use hosts::Hosts;
pub use sources::{Environment, SETTINGS, Setting};

use reader::Reader;
use sources::Sources;

/// Since when a secret is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Age {
    /// Its setting.
    pub setting: &'static str,
    /// The date of its file, where it stands in one that a person wrote.
    pub since: Option<Timestamp>,
}

/// Something wrong with a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The setting, as `MUSTER_LISTEN`, with the file if it stands in one.
    pub setting: String,
    /// What was found; never a secret.
    pub found: String,
    /// What to write.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, found, remedy } = self;
        write!(f, "{setting}: {found}; {remedy}")
    }
}

/// Every problem of the settings a command reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = if self.0.len() == 1 { "1 problem" } else { &format!("{} problems", self.0.len()) };
        write!(f, "the settings have {many}:")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}

/// What `serve` runs on.
#[derive(Debug, Clone)]
pub struct Server {
    /// What the work is done with; its organizations are not empty.
    pub work: Work,
    /// The secrets deliveries may be signed with, at least one; `None` where
    /// they are fetched.
    pub webhook_secrets: Option<Vec<Secret>>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where this machine may ask for metrics.
    pub metrics_listen: Option<SocketAddr>,
}

/// What `plan` and `sweep` run on.
#[derive(Debug, Clone)]
pub struct Work {
    /// The GitHub we talk to.
    pub hosts: Hosts,
    /// The App we are.
    pub app: App,
    /// The accounts we serve, and no other (threats T1).
    pub organizations: Vec<Login>,
    /// The name of this instance in its markers.
    pub instance: String,
    /// The keys of its markers.
    pub instance_keys: MarkerKeys,
    /// The database.
    pub database: DatabaseUrl,
    /// The operator's policy for organizations that have none of their own.
    pub policy: Option<Policy>,
    /// Plan only: hold no token that can write.
    pub dry_run: bool,
    /// While this file stands, nothing is written.
    pub stop_file: PathBuf,
    /// By which way deliveries come in.
    pub way: Way,
    /// Which organizations make up an agency; the first is the main one.
    pub agencies: Vec<Agency>,
    /// Where others reach us, without a slash at the end.
    pub public_url: Option<String>,
}

/// What `pause` and `resume` run on.
#[derive(Debug, Clone)]
pub struct Pausing {
    /// The database.
    pub database: DatabaseUrl,
    /// While this file stands, nothing is written.
    pub stop_file: PathBuf,
}

/// What the reports of an agency run on.
#[derive(Debug, Clone)]
pub struct Reporting {
    /// The database.
    pub database: DatabaseUrl,
    /// The operator's policy for every organization.
    pub policy: Option<Policy>,
    /// Which organizations make up an agency; the first is the main one.
    pub agencies: Vec<Agency>,
    /// The server's address as others see it.
    pub public_url: Option<String>,
}

/// Where traces go.
#[derive(Debug, Clone)]
pub struct Traces {
    /// The collector's address for OTLP over HTTP, without a slash at the end.
    pub url: String,
    /// The way there, that to GitHub.
    pub network: Network,
}

impl Traces {
    /// Whether this machine is spoken to without TLS.
    #[must_use]
    pub fn plain(&self) -> bool {
        self.url.starts_with("http:")
    }
}

/// What `scan` runs on.
#[derive(Debug, Clone)]
pub struct Scan {
    /// The GitHub we talk to.
    pub hosts: Hosts,
    /// How we are known there.
    pub credentials: Credentials,
    /// The operator's policy for organizations that have none of their own.
    pub policy: Option<Policy>,
}

/// How a read-only command is known to GitHub.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// As the App.
    App(App),
    /// By the token of `GITHUB_TOKEN`.
    Token(SecretString),
}

/// The URL of the database: SQLite or PostgreSQL. It may hold a password.
#[derive(Debug, Clone)]
pub struct DatabaseUrl(SecretString);

impl DatabaseUrl {
    /// The URL, for the one who opens the database.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The settings as found, before any command has asked for them.
#[derive(Debug)]
pub struct Config {
    sources: Sources,
}

impl Config {
    /// Collects the settings of `environment` and of the file it names in
    /// `MUSTER_CONFIG`, or of `muster.toml` in `folder` if that exists.
    #[must_use]
    pub fn read(environment: Environment, folder: &Path) -> Self {
        Self { sources: Sources::read(environment, folder) }
    }

    /// The log filter; `info` where none is set, and where what is set is a
    /// problem: every command tells that one with its others.
    #[must_use]
    pub fn log(&self) -> String {
        self.reader().log().unwrap_or_else(|| reader::DEFAULT_LOG.to_owned())
    }

    /// The settings of `serve`.
    ///
    /// # Errors
    /// Every problem of the settings it reads.
    pub fn server(&self) -> Result<Server, Problems> {
        let mut reader = self.reader();
        let work = reader.work(true);
        let webhook_secrets = match work.as_ref().map(|work| work.way) {
            Some(Way::Poll) => Some(None),
            Some(Way::Webhook) | None => reader.webhook_secrets().map(Some),
        };
        let (listen, metrics_listen) = (reader.listen(), reader.metrics_listen());
        let server = (|| {
            Some(Server {
                work: work?,
                webhook_secrets: webhook_secrets?,
                listen: listen?,
                metrics_listen: metrics_listen?,
            })
        })();
        reader.settle(server)
    }

    /// The settings of `plan` and `sweep`.
    ///
    /// # Errors
    /// Every problem of the settings they read.
    pub fn work(&self) -> Result<Work, Problems> {
        let mut reader = self.reader();
        let work = reader.work(false);
        reader.settle(work)
    }

    /// The settings of `scan`. An App, if one is set, goes before a token.
    ///
    /// # Errors
    /// Every problem of the settings it reads.
    pub fn scan(&self) -> Result<Scan, Problems> {
        let mut reader = self.reader();
        let hosts = reader.hosts();
        let credentials = reader.credentials();
        let policy = reader.policy();
        let scan = (|| Some(Scan { hosts: hosts?, credentials: credentials?, policy: policy? }))();
        reader.settle(scan)
    }

    /// The database, which is all that `deliveries` and `jobs` need.
    ///
    /// # Errors
    /// Every problem of the settings they read.
    pub fn database(&self) -> Result<DatabaseUrl, Problems> {
        let mut reader = self.reader();
        let database = reader.database();
        reader.settle(database)
    }

    /// The settings of `pause` and `resume`.
    ///
    /// # Errors
    /// Every problem of the settings they read.
    pub fn pausing(&self) -> Result<Pausing, Problems> {
        let mut reader = self.reader();
        let (database, stop_file) = (reader.database(), reader.stop_file());
        let pausing = (|| Some(Pausing { database: database?, stop_file }))();
        reader.settle(pausing)
    }

    /// The settings of the reports of an agency.
    ///
    /// # Errors
    /// Every problem of the settings they read.
    pub fn reporting(&self) -> Result<Reporting, Problems> {
        let mut reader = self.reader();
        let (database, policy) = (reader.database(), reader.policy());
        let (agencies, public_url) = (reader.agencies(&[]), reader.public_url());
        let reporting =
            (|| Some(Reporting { database: database?, policy: policy?, agencies, public_url: public_url? }))(
            );
        reader.settle(reporting)
    }

    /// The key that vouches for evidence; `None` where none is set.
    ///
    /// # Errors
    /// Every problem of the settings it reads.
    pub fn evidence_key(&self) -> Result<Option<Signer>, Problems> {
        let mut reader = self.reader();
        let key = reader.evidence_key();
        reader.settle(key)
    }

    /// The way to others.
    ///
    /// # Errors
    /// Every problem of the settings it reads.
    pub fn network(&self) -> Result<Network, Problems> {
        let mut reader = self.reader();
        let network = reader.network();
        reader.settle(network)
    }

    /// Where traces go, if anywhere. Its problem every command tells with its
    /// others.
    ///
    /// # Errors
    /// Every problem of the settings it reads.
    pub fn traces(&self) -> Result<Option<Traces>, Problems> {
        let mut reader = self.reader();
        let traces = match reader.otlp_url() {
            Some(Some(url)) => reader.network().map(|network| Some(Traces { url, network })),
            Some(None) => Some(None),
            None => None,
        };
        reader.settle(traces)
    }

    /// Every secret that is set, whether it is a good one or not: for the log,
    /// which must not tell it.
    #[must_use]
    pub fn hidden(&self) -> Vec<SecretString> {
        self.reader().hidden()
    }

    /// The ages of the secrets that are to be changed from time to time.
    #[must_use]
    pub fn ages(&self) -> Vec<Age> {
        self.reader().ages()
    }

    fn reader(&self) -> Reader<'_> {
        Reader::new(&self.sources)
    }
}

#[cfg(test)]
mod tests;
