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

mod hosts;
mod secret_file;
mod sources;

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    domain::{marker::MarkerKeys, policy::Policy, repository::Login},
    github::webhook::{Secret, SecretError},
};

pub use hosts::Hosts;
pub use sources::{Environment, SETTINGS, Setting};

use sources::{Found, Sources};

/// The log filter where none is set.
const DEFAULT_LOG: &str = "info";

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
    /// The secrets deliveries may be signed with; at least one.
    pub webhook_secrets: Vec<Secret>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where others reach us, without a slash at the end.
    pub public_url: Option<String>,
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

/// A GitHub App and its private key.
#[derive(Debug, Clone)]
pub struct App {
    /// The `iss` of its JWT.
    pub issuer: Issuer,
    /// The RSA key that signs it; a trial signature has been made.
    pub key: EncodingKey,
}

/// The App as its JWT names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issuer {
    /// `MUSTER_APP_ID`.
    AppId(u64),
    /// `MUSTER_CLIENT_ID`, which GitHub recommends.
    ClientId(String),
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
        self.reader().log().unwrap_or_else(|| DEFAULT_LOG.to_owned())
    }

    /// The settings of `serve`.
    ///
    /// # Errors
    /// Every problem of the settings it reads.
    pub fn server(&self) -> Result<Server, Problems> {
        let mut reader = self.reader();
        let work = reader.work(true);
        let webhook_secrets = reader.webhook_secrets();
        let listen = reader.listen();
        let public_url = reader.optional("MUSTER_PUBLIC_URL", |found| hosts::base(&found.text));
        let server = (|| {
            Some(Server {
                work: work?,
                webhook_secrets: webhook_secrets?,
                listen: listen?,
                public_url: public_url?,
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

    /// A reader that has looked at what every command reads.
    fn reader(&self) -> Reader<'_> {
        let mut reader = Reader { sources: &self.sources, problems: self.sources.problems.clone() };
        reader.log();
        reader
    }
}

/// Reads settings one by one and collects what is wrong. Each function gives
/// `None` exactly when it has noted a problem.
struct Reader<'a> {
    sources: &'a Sources,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn settle<T>(self, settings: Option<T>) -> Result<T, Problems> {
        match settings {
            Some(settings) if self.problems.is_empty() => Ok(settings),
            Some(_) | None => Err(Problems(self.problems)),
        }
    }

    fn problem<T>(
        &mut self,
        setting: impl Into<String>,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Option<T> {
        let setting = setting.into();
        // One that was refused where it stands is not also missing.
        if !self.sources.problems.iter().any(|refused| refused.setting == setting) {
            self.problems.push(Problem { setting, found: found.into(), remedy: remedy.into() });
        }
        None
    }

    /// A setting that need not be there; `parse` gives the value or what to
    /// write. The value is shown in the problem: not for secrets.
    fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&Found) -> Result<T, &'static str>,
    ) -> Option<Option<T>> {
        let Some(found) = self.sources.get(name) else { return Some(None) };
        match parse(found) {
            Ok(value) => Some(Some(value)),
            Err(remedy) => {
                // What is before an @ may be a password.
                let shown = found.text.rsplit('@').next().unwrap_or_default();
                let shown: String = shown.chars().take(100).collect();
                self.problem(found.name(name), format!("is {shown:?}"), remedy)
            }
        }
    }

    fn work(&mut self, serving: bool) -> Option<Work> {
        let hosts = self.hosts();
        let app = self.app();
        let organizations = self.organizations(serving);
        let instance = self.instance();
        let instance_keys = self.instance_keys();
        let database = self.database();
        let policy = self.policy();
        let dry_run = self.dry_run();
        Some(Work {
            hosts: hosts?,
            app: app?,
            organizations: organizations?,
            instance: instance?,
            instance_keys: instance_keys?,
            database: database?,
            policy: policy?,
            dry_run: dry_run?,
        })
    }

    fn hosts(&mut self) -> Option<Hosts> {
        let api = self.optional("MUSTER_GITHUB_API_URL", |found| hosts::base(&found.text));
        let graphql = self.optional("MUSTER_GITHUB_GRAPHQL_URL", |found| hosts::base(&found.text));
        let web = self.optional("MUSTER_GITHUB_URL", |found| hosts::base(&found.text));
        let (api, graphql, web) = (api?, graphql?, web?);
        Hosts::derive(api, graphql, web)
            .or_else(|api| {
                self.problem(
                    "MUSTER_GITHUB_URL",
                    format!("is not set, and cannot be told from {api}"),
                    "write where people open this GitHub in a browser",
                )
                .ok_or(())
            })
            .ok()
    }

    fn app(&mut self) -> Option<App> {
        let id = self.optional("MUSTER_APP_ID", |found| {
            found
                .text
                .parse::<u64>()
                .ok()
                .filter(|id| *id > 0)
                .map(Issuer::AppId)
                .ok_or("write the number on the App's page")
        });
        let client = self.optional("MUSTER_CLIENT_ID", |found| {
            let plain =
                found.text.len() >= 8 && found.text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
            plain
                .then(|| Issuer::ClientId(found.text.clone()))
                .ok_or("write the client ID on the App's page, as Iv23abcdefgh")
        });
        let key = self.private_key();
        let issuer = match (id?, client?) {
            (Some(issuer), None) | (None, Some(issuer)) => Some(issuer),
            (Some(_), Some(_)) => {
                self.problem("MUSTER_APP_ID", "is set beside MUSTER_CLIENT_ID", "keep one of them")
            }
            (None, None) => self.problem(
                "MUSTER_CLIENT_ID",
                "is not set",
                "write the client ID on the App's page, or its number in MUSTER_APP_ID",
            ),
        };
        Some(App { issuer: issuer?, key: key? })
    }

    fn credentials(&mut self) -> Option<Credentials> {
        let app = ["MUSTER_APP_ID", "MUSTER_CLIENT_ID", "MUSTER_PRIVATE_KEY", "MUSTER_PRIVATE_KEY_FILE"]
            .iter()
            .any(|name| self.sources.get(name).is_some());
        match self.sources.get("GITHUB_TOKEN") {
            Some(token) if !app => Some(Credentials::Token(SecretString::from(token.text.as_str()))),
            None if !app => self.problem(
                "GITHUB_TOKEN",
                "is not set, and no App is",
                "write a token that may read the organization, or the App's MUSTER_CLIENT_ID and MUSTER_PRIVATE_KEY_FILE",
            ),
            Some(_) | None => self.app().map(Credentials::App),
        }
    }

    /// A secret, of its own setting or of the file its twin names; `None`
    /// also where neither is set, which is then noted.
    fn secret(&mut self, name: &'static str, remedy: &'static str) -> Option<SecretString> {
        match self.secret_if_set(name)? {
            Some(secret) => Some(secret),
            None => self.problem(name, format!("is not set, and neither is {name}_FILE"), remedy),
        }
    }

    fn secret_if_set(&mut self, name: &'static str) -> Option<Option<SecretString>> {
        let file = SETTINGS.iter().map(|s| s.name).find(|s| s.strip_suffix("_FILE") == Some(name));
        let file = file.and_then(|file| Some((file, self.sources.get(file)?)));
        match (self.sources.get(name), file) {
            (Some(_), Some((file, _))) => {
                self.problem(name, format!("is set beside {file}"), "keep one of them")
            }
            (Some(found), None) => Some(Some(SecretString::from(found.text.as_str()))),
            (None, Some((file, found))) => {
                match secret_file::read(&found.path(), self.sources.credentials_folder()) {
                    Ok(secret) => Some(Some(secret)),
                    Err(refused) => self.problem(found.name(file), refused.found, refused.remedy),
                }
            }
            (None, None) => Some(None),
        }
    }

    fn private_key(&mut self) -> Option<EncodingKey> {
        const NAME: &str = "MUSTER_PRIVATE_KEY";
        let remedy = "write the path of the .pem file that GitHub gave you in MUSTER_PRIVATE_KEY_FILE";
        let pem = self.secret(NAME, remedy)?;
        // Many stores of settings keep one line: `\n` then stands for an end.
        let text = SecretString::from(pem.expose_secret().replace("\\n", "\n"));
        let key = EncodingKey::from_rsa_pem(text.expose_secret().as_bytes()).ok().filter(|key| {
            jsonwebtoken::encode(&Header::new(Algorithm::RS256), &serde_json::json!({}), key).is_ok()
        });
        key.or_else(|| {
            let found = if text.expose_secret().contains("-----BEGIN") {
                "is not an RSA private key of at least 2048 bits"
            } else {
                "is not in PEM form: it has no line -----BEGIN RSA PRIVATE KEY-----"
            };
            self.problem(NAME, found, remedy)
        })
    }

    /// A list of secrets, separated by commas or one a line; `make` gets the
    /// texts and makes of them what is kept, unless they are refused.
    fn secrets<T>(
        &mut self,
        name: &'static str,
        make: impl FnOnce(&[&str]) -> Result<T, SecretError>,
    ) -> Option<T> {
        let text =
            self.secret(name, "write a random text of at least 20 bytes, as `openssl rand -hex 32` prints")?;
        let text = text.expose_secret();
        // One newline at the end belongs to the file, not to the secret.
        let text = text.strip_suffix('\n').unwrap_or(text);
        let entries: Vec<&str> =
            text.split([',', '\n']).map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
        make(&entries)
            .or_else(|error| {
                let (found, remedy) = match error {
                    SecretError::Empty => ("has an empty entry", "remove the stray comma or line"),
                    SecretError::Short => ("has an entry of fewer than 20 bytes", "write longer random ones"),
                    SecretError::WhiteSpace => {
                        ("has white space around an entry", "write no spaces beside the commas")
                    }
                    SecretError::Sample => ("has the sample of GitHub's documentation", "write random ones"),
                    SecretError::Twice => ("has an entry twice", "keep one of them"),
                };
                self.problem(name, found, remedy).ok_or(())
            })
            .ok()
    }

    fn webhook_secrets(&mut self) -> Option<Vec<Secret>> {
        self.secrets("MUSTER_WEBHOOK_SECRET", |texts| Secret::list(texts.iter().copied()))
    }

    fn instance_keys(&mut self) -> Option<MarkerKeys> {
        self.secrets("MUSTER_INSTANCE_KEY", |texts| {
            // What makes a good webhook secret makes a good key.
            Secret::list(texts.iter().copied())?;
            Ok(MarkerKeys::new(texts.iter().map(|text| text.as_bytes().to_vec()).collect()))
        })
    }

    fn instance(&mut self) -> Option<String> {
        let instance = self.optional("MUSTER_INSTANCE", |found| {
            let plain = (1..=40).contains(&found.text.len())
                && found.text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            plain.then(|| found.text.clone()).ok_or("write at most 40 of a to z, 0 to 9 and -")
        })?;
        Some(instance.unwrap_or_else(|| "muster".to_owned()))
    }

    fn organizations(&mut self, serving: bool) -> Option<Vec<Login>> {
        let logins = self.optional("MUSTER_ORGANIZATIONS", |found| {
            let mut logins: Vec<Login> = Vec::new();
            for name in found.text.split(',').map(str::trim) {
                let plain =
                    name.len() <= 39 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
                let login = name.parse::<Login>().ok().filter(|_| plain);
                let login = login
                    .ok_or("write the names of organizations, separated by commas, without github.com")?;
                if logins.iter().any(|known| known.same_as(&login)) {
                    return Err("keep each organization once");
                }
                logins.push(login);
            }
            Ok(logins)
        })?;
        match logins {
            None if serving => self.problem(
                "MUSTER_ORGANIZATIONS",
                "is not set",
                "write the organizations to serve, separated by commas; all others are ignored",
            ),
            None => Some(Vec::new()),
            Some(logins) => Some(logins),
        }
    }

    fn database(&mut self) -> Option<DatabaseUrl> {
        const NAME: &str = "MUSTER_DATABASE_URL";
        let Some(url) = self.secret_if_set(NAME)? else {
            return Some(DatabaseUrl(SecretString::from("sqlite://muster.db")));
        };
        let text = url.expose_secret().trim_end_matches(['\r', '\n']);
        let known = ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
        if known && !text.contains(char::is_whitespace) {
            return Some(DatabaseUrl(SecretString::from(text)));
        }
        // The URL may hold a password: only what cannot is shown.
        self.problem(
            NAME,
            "is no URL of SQLite or PostgreSQL",
            "write sqlite://muster.db or postgres://user@host/database",
        )
    }

    fn listen(&mut self) -> Option<SocketAddr> {
        let listen = self.optional("MUSTER_LISTEN", |found| {
            found.text.parse::<SocketAddr>().map_err(|_| "write an address and a port, as 127.0.0.1:8080")
        })?;
        let port = self.optional("PORT", |found| {
            found.text.parse::<u16>().map_err(|_| "write a port from 0 to 65535")
        })?;
        let everywhere = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        let default = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
        Some(listen.or(port.map(everywhere)).unwrap_or(default))
    }

    fn policy(&mut self) -> Option<Option<Policy>> {
        const NAME: &str = "MUSTER_POLICY_FILE";
        let Some(found) = self.sources.get(NAME) else { return Some(None) };
        let path = found.path();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let told = format!("names {}, which cannot be read: {error}", path.display());
                return self.problem(found.name(NAME), told, "write the path of a policy file");
            }
        };
        match Policy::parse_bytes(&bytes) {
            Ok(policy) => Some(Some(policy)),
            Err(problems) => {
                for problem in problems {
                    let told = format!(
                        "{}:{}:{} {}: {}",
                        path.display(),
                        problem.line,
                        problem.column,
                        problem.key,
                        problem.message
                    );
                    self.problem::<()>(found.name(NAME), told, problem.remedy);
                }
                None
            }
        }
    }

    fn dry_run(&mut self) -> Option<bool> {
        let dry_run =
            self.optional("MUSTER_DRY_RUN", |found| match found.text.to_ascii_lowercase().as_str() {
                "1" | "true" | "yes" | "on" => Ok(true),
                "0" | "false" | "no" | "off" => Ok(false),
                _ => Err("write true or false"),
            })?;
        Some(dry_run.unwrap_or(false))
    }

    fn log(&mut self) -> Option<String> {
        let log =
            self.optional("MUSTER_LOG", |found| match tracing_subscriber::EnvFilter::try_new(&found.text) {
                Ok(_) => Ok(found.text.clone()),
                Err(_) => Err("write a filter, as info or muster=debug,info"),
            })?;
        Some(log.unwrap_or_else(|| DEFAULT_LOG.to_owned()))
    }
}

#[cfg(test)]
mod tests;
