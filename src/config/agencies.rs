//! `[[agency]]`: which organizations make up an agency.

use http::uri::Authority;
use toml::Value;

use super::Problem;
use crate::domain::{
    inventory::{Agency, Hosts},
    policy::nearest,
    repository::{Login, RepositoryName},
};

const KEYS: [&str; 7] =
    ["acronym", "lead", "organizations", "repository", "by", "import_hosts", "import_private_hosts"];

/// Reads the tables, or says every problem; `file` is for these.
pub(super) fn read(value: &Value, file: &str) -> Result<Vec<Agency>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut agencies: Vec<Agency> = Vec::new();
    let Some(tables) = value.as_array() else {
        return Err(vec![problem(
            "agency",
            file,
            "is no list of tables",
            "write [[agency]] above its lines",
        )]);
    };
    for (table, number) in tables.iter().zip(1..) {
        let name = format!("agency {number}");
        match one(table, &name, file, &mut problems) {
            Some(agency) => agencies.push(agency),
            None if problems.is_empty() => {
                problems.push(problem(&name, file, "is no table", "write [[agency]] above its lines"));
            }
            None => {}
        }
    }
    for (at, agency) in agencies.iter().enumerate() {
        for other in &agencies[..at] {
            if other.acronym.eq_ignore_ascii_case(&agency.acronym) {
                let found = format!("{} is there twice", agency.acronym);
                problems.push(problem("agency", file, &found, "write one table for each agency"));
            }
            if let Some(both) = agency.organizations.iter().find(|login| other.has(login)) {
                let found = format!("{both} is of {} and of {}", other.acronym, agency.acronym);
                problems.push(problem("agency", file, &found, "an organization is of one agency"));
            }
        }
    }
    if problems.is_empty() { Ok(agencies) } else { Err(problems) }
}

fn problem(setting: &str, file: &str, found: &str, remedy: &str) -> Problem {
    Problem { setting: format!("{setting} in {file}"), found: found.to_owned(), remedy: remedy.to_owned() }
}

fn one(table: &Value, name: &str, file: &str, problems: &mut Vec<Problem>) -> Option<Agency> {
    let table = table.as_table()?;
    let before = problems.len();
    for key in table.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        let remedy = nearest(key, KEYS).map_or_else(
            || format!("known here: {}", KEYS.join(", ")),
            |near| format!("did you mean {near}?"),
        );
        problems.push(problem(name, file, &format!("{key:?} is not a setting"), &remedy));
    }
    let mut text = |key: &str, needed: bool| match table.get(key) {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Some(_) => {
            problems.push(problem(name, file, &format!("{key} is no text"), "write it in quotation marks"));
            None
        }
        None if needed => {
            problems.push(problem(name, file, &format!("has no {key}"), &format!("write {key} = \"…\"")));
            None
        }
        None => None,
    };
    let (acronym, lead) = (text("acronym", true), text("lead", true));
    let repository = text("repository", false);
    let by = text("by", false);
    let plain = |text: &str| text.len() <= 20 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if let Some(acronym) = acronym.as_ref().filter(|acronym| !plain(acronym)) {
        let found = format!("the acronym is {acronym:?}");
        problems.push(problem(name, file, &found, "write letters, digits and hyphens, as GSA"));
    }
    let mut login = |text: &str| {
        text.parse::<Login>()
            .map_err(|error| {
                problems.push(problem(name, file, &error.to_string(), "write the name of an organization"))
            })
            .ok()
    };
    let lead = lead.and_then(|lead| login(&lead));
    let mut organizations: Vec<Login> = Vec::new();
    match table.get("organizations") {
        None => {}
        Some(Value::Array(list)) => {
            for one in list {
                organizations.extend(one.as_str().and_then(&mut login));
            }
            if organizations.len() != list.len() {
                problems.push(problem(
                    name,
                    file,
                    "organizations has something that is no name",
                    "write [\"one\", \"other\"]",
                ));
            }
        }
        Some(_) => {
            problems.push(problem(name, file, "organizations is no list", "write [\"one\", \"other\"]"))
        }
    }
    let repository = match repository.as_deref().map(str::parse::<RepositoryName>) {
        Some(Err(error)) => {
            problems.push(problem(name, file, &error.to_string(), "write owner/name"));
            None
        }
        Some(Ok(repository)) => Some(repository),
        None => None,
    };
    let may_commit = match by.as_deref() {
        None | Some("pull-request") => false,
        Some("commit") => {
            if repository.is_none() {
                let found = "by is \"commit\", and there is no repository";
                problems.push(problem(name, file, found, "write repository = \"owner/name\""));
            }
            true
        }
        Some(other) => {
            let found = format!("by is {other:?}");
            problems.push(problem(name, file, &found, "write \"pull-request\" or \"commit\""));
            false
        }
    };
    let import_from = Hosts {
        public: hosts(table, "import_hosts", name, file, problems),
        private: hosts(table, "import_private_hosts", name, file, problems),
    };
    if problems.len() > before {
        return None;
    }
    let lead = lead?;
    if !organizations.iter().any(|one| one.same_as(&lead)) {
        organizations.insert(0, lead.clone());
    }
    Some(Agency { acronym: acronym?, lead, organizations, repository, may_commit, import_from })
}

/// A list of hosts, in lower case.
fn hosts(table: &toml::Table, key: &str, name: &str, file: &str, problems: &mut Vec<Problem>) -> Vec<String> {
    let list = match table.get(key) {
        None => return Vec::new(),
        Some(Value::Array(list)) => list.as_slice(),
        Some(_) => &[],
    };
    let host = |value: &Value| {
        let text = value.as_str()?.to_ascii_lowercase();
        let authority = text.parse::<Authority>().ok()?;
        let plain = authority.host().bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
        let whole = authority.port_u16().is_some() || !text.ends_with(':');
        (plain && whole && !text.contains(['@', '*'])).then(|| text.trim_end_matches(":443").to_owned())
    };
    let hosts: Vec<String> = list.iter().filter_map(host).collect();
    if hosts.is_empty() || hosts.len() != list.len() {
        let found = format!("{key} is no list of hosts");
        problems.push(problem(name, file, &found, "write [\"git.example.gov\", \"git.example.gov:8443\"]"));
    }
    hosts
}
