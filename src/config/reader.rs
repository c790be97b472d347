//! Reads the settings one by one, and says of each what is wrong with it.

mod files;
mod network;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use secrecy::{ExposeSecret, SecretString};

use super::{
    Credentials, DatabaseUrl, Problem, Problems, SETTINGS, Work,
    hosts::{self, Hosts},
    secret_file,
    sources::{Found, Sources},
};
use crate::{
    domain::{
        evidence::signature::Signer, inventory::Agency, marker::MarkerKeys, policy::Policy, repository::Login,
    },
    github::{
        credentials::{App, KeyError},
        endpoints::Endpoints,
        webhook::{Secret, SecretError},
    },
    jobs::intake::Way,
};

/// The log filter where none is set.
pub(super) const DEFAULT_LOG: &str = "info";

const KEY_REMEDY: &str = "write the path of the .pem file that GitHub gave you in MUSTER_PRIVATE_KEY_FILE";

/// Reads settings one by one and collects what is wrong. Each function gives
/// `None` exactly when it has noted a problem.
pub(super) struct Reader<'a> {
    sources: &'a Sources,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// A reader that has looked at what every command reads.
    pub(super) fn new(sources: &'a Sources) -> Self {
        let mut reader = Self { sources, problems: sources.problems.clone() };
        reader.log();
        reader.otlp_url();
        reader
    }

    pub(super) fn settle<T>(self, settings: Option<T>) -> Result<T, Problems> {
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
    pub(super) fn optional<T, R: Into<String>>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&Found) -> Result<T, R>,
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

    pub(super) fn work(&mut self, serving: bool) -> Option<Work> {
        let hosts = self.hosts();
        let app = self.app();
        let organizations = self.organizations(serving);
        let instance = self.instance();
        let instance_keys = self.instance_keys();
        let database = self.database();
        let policy = self.policy();
        let dry_run = self.dry_run();
        let way = self.way();
        let agencies = self.agencies(organizations.as_deref().unwrap_or_default());
        let public_url = self.public_url();
        Some(Work {
            hosts: hosts?,
            app: app?,
            organizations: organizations?,
            instance: instance?,
            instance_keys: instance_keys?,
            database: database?,
            policy: policy?,
            dry_run: dry_run?,
            stop_file: self.stop_file(),
            way: way?,
            agencies,
            public_url: public_url?,
        })
    }

    pub(super) fn hosts(&mut self) -> Option<Hosts> {
        const API: &str = "MUSTER_GITHUB_API_URL";
        let api = self.optional(API, |found| hosts::api(&found.text));
        let graphql = self.optional("MUSTER_GITHUB_GRAPHQL_URL", |found| hosts::graphql(&found.text));
        let web = self.optional("MUSTER_GITHUB_URL", |found| hosts::base(&found.text));
        let network = self.network();
        let api = api?.unwrap_or_else(|| hosts::DOT_COM.to_owned());
        let (graphql, web, network) = (graphql?, web?, network?);
        if !hosts::is_usual(&api) && (graphql.is_none() || web.is_none()) {
            let found = format!("is {api:?}, from which the GraphQL API and the pages do not follow");
            return self.problem(API, found, hosts::unusual(&api));
        }
        let endpoints = match Endpoints::new(&api, graphql.as_deref()) {
            Ok(endpoints) => endpoints.by(network),
            Err(error) => return self.problem(API, error.to_string(), hosts::REMEDY),
        };
        // An unusual one without its pages was refused above.
        let web = web.or_else(|| endpoints.web())?;
        Some(Hosts { endpoints, web })
    }

    fn app(&mut self) -> Option<App> {
        let id = self.optional("MUSTER_APP_ID", |found| {
            let id = found.text.parse::<u64>().ok().filter(|id| *id > 0);
            id.map(|id| id.to_string()).ok_or("write the number on the App's page")
        });
        let client = self.optional("MUSTER_CLIENT_ID", |found| {
            let plain = found.text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
            let letters = found.text.starts_with(|c: char| c.is_ascii_alphabetic());
            (plain && letters)
                .then(|| found.text.clone())
                .ok_or("write the client ID on the App's page, as Iv23abcdefgh")
        });
        let keys = self.private_keys();
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
        self.known_app(&issuer?, &keys?)
    }

    /// The App with its keys; a problem if one of them is no key.
    fn known_app(&mut self, issuer: &str, keys: &[SecretString]) -> Option<App> {
        const NAME: &str = "MUSTER_PRIVATE_KEY";
        match App::new(issuer, keys) {
            Ok(app) => Some(app),
            Err(KeyError::None) => self.problem(
                NAME,
                "is not in PEM form: it has no line -----BEGIN RSA PRIVATE KEY-----",
                KEY_REMEDY,
            ),
            Err(KeyError::Form(at)) => self.problem(
                NAME,
                format!("has, as number {at}, no RSA private key of at least 2048 bits"),
                KEY_REMEDY,
            ),
        }
    }

    /// The App's private keys, one after another in PEM form, the newest
    /// first; during a rotation there are two.
    fn private_keys(&mut self) -> Option<Vec<SecretString>> {
        let text = self.secret("MUSTER_PRIVATE_KEY", KEY_REMEDY)?;
        // Many stores of settings keep one line: `\n` then stands for an end.
        let text = SecretString::from(text.expose_secret().replace("\\n", "\n"));
        let starts = text.expose_secret().match_indices("-----BEGIN ").map(|(at, _)| at);
        let ends = starts.clone().skip(1).chain([text.expose_secret().len()]);
        let keys: Vec<SecretString> = starts
            .zip(ends)
            .map(|(start, end)| SecretString::from(&text.expose_secret()[start..end]))
            .collect();
        // Also without an issuer, so that every problem is told at once.
        self.known_app("", &keys)?;
        Some(keys)
    }

    pub(super) fn credentials(&mut self) -> Option<Credentials> {
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

    /// The key that signs evidence, if one is set.
    pub(super) fn evidence_key(&mut self) -> Option<Option<Signer>> {
        const NAME: &str = "MUSTER_EVIDENCE_KEY";
        let Some(text) = self.secret_if_set(NAME)? else { return Some(None) };
        // As with the App's key: many stores keep one line.
        let text = SecretString::from(text.expose_secret().replace("\\n", "\n"));
        match Signer::from_pem(text.expose_secret()) {
            Ok(signer) => Some(Some(signer)),
            Err(error) => self.problem(
                NAME,
                format!("holds {error}"),
                "write the path of the file that `openssl genpkey -algorithm ed25519` made in MUSTER_EVIDENCE_KEY_FILE",
            ),
        }
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

    pub(super) fn webhook_secrets(&mut self) -> Option<Vec<Secret>> {
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

    pub(super) fn public_url(&mut self) -> Option<Option<String>> {
        self.optional("MUSTER_PUBLIC_URL", |found| hosts::base(&found.text))
    }

    /// The agencies, each of organizations that are served.
    pub(super) fn agencies(&mut self, served: &[Login]) -> Vec<Agency> {
        let agencies = self.sources.agencies.clone();
        for agency in &agencies {
            let stranger = |login: &&Login| !served.iter().any(|served| served.same_as(login));
            if let Some(login) = agency.organizations.iter().find(stranger).filter(|_| !served.is_empty()) {
                let found = format!("{login} of agency {} is not served", agency.acronym);
                let remedy = "add it to the organizations, or take it off the agency";
                self.problem::<()>("MUSTER_ORGANIZATIONS", found, remedy);
            }
        }
        agencies
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

    pub(super) fn database(&mut self) -> Option<DatabaseUrl> {
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

    pub(super) fn listen(&mut self) -> Option<SocketAddr> {
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

    pub(super) fn metrics_listen(&mut self) -> Option<Option<SocketAddr>> {
        self.optional("MUSTER_METRICS_LISTEN", |found| {
            // Threats N8: nobody else is to reach it.
            let address = found.text.parse::<SocketAddr>().ok().filter(|address| address.ip().is_loopback());
            address.ok_or("write an address of this machine alone, as 127.0.0.1:9464")
        })
    }

    pub(super) fn stop_file(&self) -> PathBuf {
        self.sources.get("MUSTER_STOP_FILE").map_or_else(|| PathBuf::from("muster.stop"), Found::path)
    }

    pub(super) fn otlp_url(&mut self) -> Option<Option<String>> {
        self.optional("MUSTER_OTLP_URL", |found| {
            let url =
                hosts::base(&found.text).map_err(|_| "write https://HOST:4318, where a collector listens")?;
            if cfg!(feature = "otel") {
                Ok(url)
            } else {
                Err("delete it: this program was built without the feature otel")
            }
        })
    }

    pub(super) fn policy(&mut self) -> Option<Option<Policy>> {
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

    pub(super) fn way(&mut self) -> Option<Way> {
        let way = self.optional("MUSTER_INTAKE", |found| match found.text.as_str() {
            "webhook" => Ok(Way::Webhook),
            "poll" => Ok(Way::Poll),
            _ => Err("write webhook or poll"),
        })?;
        Some(way.unwrap_or_default())
    }

    pub(super) fn log(&mut self) -> Option<String> {
        let log =
            self.optional("MUSTER_LOG", |found| match tracing_subscriber::EnvFilter::try_new(&found.text) {
                Ok(_) => Ok(found.text.clone()),
                Err(_) => Err("write a filter, as info or muster=debug,info"),
            })?;
        Some(log.unwrap_or_else(|| DEFAULT_LOG.to_owned()))
    }
}
