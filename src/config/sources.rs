//! Where settings stand: the environment, and a TOML file of the same names.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use super::{Problem, agencies, secret_file};
use crate::domain::{inventory::Agency, policy::nearest};

/// A setting there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name in the environment. In the file it is without `MUSTER_` and
    /// in lower case; a name without `MUSTER_` is of the environment only.
    pub name: &'static str,
    /// Whether its value is never shown.
    pub secret: bool,
}

const fn open(name: &'static str) -> Setting {
    Setting { name, secret: false }
}

const fn secret(name: &'static str) -> Setting {
    Setting { name, secret: true }
}

/// All settings.
pub const SETTINGS: &[Setting] = &[
    open("MUSTER_GITHUB_API_URL"),
    open("MUSTER_GITHUB_GRAPHQL_URL"),
    open("MUSTER_GITHUB_URL"),
    open("MUSTER_APP_ID"),
    open("MUSTER_CLIENT_ID"),
    secret("MUSTER_PRIVATE_KEY"),
    open("MUSTER_PRIVATE_KEY_FILE"),
    secret("MUSTER_WEBHOOK_SECRET"),
    open("MUSTER_WEBHOOK_SECRET_FILE"),
    open("MUSTER_INTAKE"),
    open("MUSTER_INSTANCE"),
    secret("MUSTER_INSTANCE_KEY"),
    open("MUSTER_INSTANCE_KEY_FILE"),
    secret("MUSTER_EVIDENCE_KEY"),
    open("MUSTER_EVIDENCE_KEY_FILE"),
    open("MUSTER_ORGANIZATIONS"),
    secret("MUSTER_DATABASE_URL"),
    open("MUSTER_DATABASE_URL_FILE"),
    open("MUSTER_LISTEN"),
    open("MUSTER_METRICS_LISTEN"),
    open("MUSTER_PUBLIC_URL"),
    open("MUSTER_POLICY_FILE"),
    open("MUSTER_DRY_RUN"),
    open("MUSTER_STOP_FILE"),
    open("MUSTER_LOG"),
    open("MUSTER_OTLP_URL"),
    open("MUSTER_CONFIG"),
    secret("GITHUB_TOKEN"),
    open("PORT"),
    secret("HTTPS_PROXY"),
    secret("https_proxy"),
    open("NO_PROXY"),
    open("no_proxy"),
    open("SSL_CERT_FILE"),
    open("SSL_CERT_DIR"),
];

/// Those that every program on the machine goes by. Set and empty, they are
/// not set: that is how one program is excepted.
const COMMON: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The folder in which systemd hands out secrets to a service.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// The variables of a process that concern Muster.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, OsString>);

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect()
    }
}

impl<N: Into<String>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let ours = |name: &str| name.starts_with("MUSTER_") || name == CREDENTIALS || known(name).is_some();
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self(variables.filter(|(name, _)| ours(name)).collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A value, and where it stands.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) text: String,
    /// The settings file, if it stands there.
    file: Option<PathBuf>,
}

impl Found {
    /// The setting as a problem names it.
    pub(super) fn name(&self, name: &str) -> String {
        match &self.file {
            Some(file) => format!("{name} ({} in {})", key(name), file.display()),
            None => name.to_owned(),
        }
    }

    /// The value as a path; one in a settings file is relative to that file.
    pub(super) fn path(&self) -> PathBuf {
        let folder = self.file.as_deref().and_then(Path::parent);
        folder.map_or_else(|| PathBuf::from(&self.text), |folder| folder.join(&self.text))
    }
}

/// The settings that are set, and what is wrong with their places.
pub(super) struct Sources {
    found: BTreeMap<&'static str, Found>,
    credentials: Option<PathBuf>,
    /// The tables `[[agency]]`.
    pub(super) agencies: Vec<Agency>,
    pub(super) problems: Vec<Problem>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.found.keys()).finish()
    }
}

impl Sources {
    pub(super) fn read(environment: Environment, folder: &Path) -> Self {
        let mut sources =
            Sources { found: BTreeMap::new(), credentials: None, agencies: Vec::new(), problems: Vec::new() };
        for (name, value) in environment.0 {
            sources.variable(&name, value);
        }
        match sources.found.get("MUSTER_CONFIG") {
            Some(named) => sources.file(&folder.join(&named.text)),
            None if folder.join("muster.toml").exists() => sources.file(&folder.join("muster.toml")),
            None => {}
        }
        sources
    }

    pub(super) fn get(&self, name: &str) -> Option<&Found> {
        self.found.get(name)
    }

    pub(super) fn credentials_folder(&self) -> Option<&Path> {
        self.credentials.as_deref()
    }

    fn problem(&mut self, setting: &str, found: impl Into<String>, remedy: impl Into<String>) {
        self.problems.push(Problem { setting: setting.into(), found: found.into(), remedy: remedy.into() });
    }

    fn variable(&mut self, name: &str, value: OsString) {
        if name == CREDENTIALS {
            self.credentials = Some(PathBuf::from(value));
            return;
        }
        let Some(setting) = known(name) else {
            // Settings of later versions and of the tests are not ours to
            // refuse; a slip of the finger is.
            if let Some(near) = slip(name) {
                self.problem(name, "is not a setting", format!("did you mean {near}?"));
            }
            return;
        };
        match value.into_string() {
            Ok(text) if text.trim().is_empty() && COMMON.contains(&setting.name) => {}
            Ok(text) if text.trim().is_empty() => {
                self.problem(name, "is empty", "write a value, or do not set it")
            }
            Ok(text) => {
                self.found.insert(setting.name, Found { text, file: None });
            }
            Err(_) => self.problem(name, "is not UTF-8", "write it in UTF-8"),
        }
    }

    fn file(&mut self, path: &Path) {
        let shown = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                return self.problem(
                    "MUSTER_CONFIG",
                    format!("names {shown}, which cannot be read: {error}"),
                    "write the path of a settings file",
                );
            }
        };
        let table = match text.parse::<toml::Table>() {
            Ok(table) => table,
            Err(error) => {
                let start = error.span().map_or(0, |span| span.start);
                let line = text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
                // The message of the parser may quote a line: not with secrets in it.
                return self.problem(
                    "MUSTER_CONFIG",
                    format!("{shown}:{line} is not TOML"),
                    "write lines as listen = \"127.0.0.1:8080\"",
                );
            }
        };
        let mut secrets = Vec::new();
        for (name, value) in table {
            if name == "agency" {
                match agencies::read(&value, &shown) {
                    Ok(agencies) => self.agencies = agencies,
                    Err(problems) => self.problems.extend(problems),
                }
                continue;
            }
            let Some(setting) = in_file().find(|setting| key(setting.name) == name) else {
                let names: Vec<String> = in_file().map(|setting| key(setting.name)).collect();
                let remedy = nearest(&name, names.iter().map(String::as_str)).map_or_else(
                    || format!("known here: {}", names.join(", ")),
                    |near| format!("did you mean {near}?"),
                );
                self.problem(&format!("{name:?} in {shown}"), "is not a setting", remedy);
                continue;
            };
            let found = Found { text: String::new(), file: Some(path.to_owned()) };
            let told = found.name(setting.name);
            match plain(&value) {
                Some(text) if text.trim().is_empty() => {
                    self.problem(&told, "is empty", "write a value, or delete it")
                }
                Some(text) => {
                    if setting.secret {
                        secrets.push(key(setting.name));
                    }
                    // The environment wins.
                    self.found.entry(setting.name).or_insert(Found { text, ..found });
                }
                None => self.problem(
                    &told,
                    format!("is of type {}", value.type_str()),
                    "write a text, a number, true or false, or a list of texts",
                ),
            }
        }
        if !secrets.is_empty()
            && let Err(refused) = secret_file::read(path, None)
        {
            let found = format!("holds secrets ({}), and {}", secrets.join(", "), refused.found);
            self.problem("MUSTER_CONFIG", found, refused.remedy);
        }
    }
}

/// A value of the file as the environment would say it.
fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(value) => Some(value.to_string()),
        toml::Value::Array(items) => {
            let texts: Option<Vec<&str>> =
                items.iter().map(|item| item.as_str().filter(|text| !text.contains(','))).collect();
            Some(texts?.join(","))
        }
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

/// The name of a setting in the file.
fn key(name: &str) -> String {
    name.strip_prefix("MUSTER_").unwrap_or(name).to_ascii_lowercase()
}

/// The settings a file may hold: all of ours but the one that names the file.
fn in_file() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.name.starts_with("MUSTER_") && setting.name != "MUSTER_CONFIG")
}

fn known(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// The setting that an unknown name was most likely meant for.
fn slip(name: &str) -> Option<&'static str> {
    let near = |setting: &&Setting| {
        let distance = strsim::damerau_levenshtein(name, setting.name);
        distance <= if setting.name.len() < 14 { 1 } else { 2 }
    };
    SETTINGS.iter().find(near).map(|setting| setting.name)
}
