//! What we hand to operators works: the example settings are read by the real
//! reader, and what hardens unit and containers stays in them.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path};

use muster::config::{Config, Environment, SETTINGS};
use serde_json::Value;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The settings of the example, as (key, line); those with a `#` directly
/// before the key are examples that are not in force.
fn lines(example: &str, in_force: bool) -> Vec<(&str, &str)> {
    example
        .lines()
        .filter_map(|line| match line.strip_prefix('#') {
            Some(rest) if !in_force => Some(rest),
            None if in_force => Some(line),
            Some(_) | None => None,
        })
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| Some((line.split_once(" = ")?.0, line)))
        .collect()
}

/// The settings that cannot stand beside `key`.
fn rivals(key: &str) -> Vec<String> {
    match key {
        "app_id" => vec!["client_id".into()],
        _ => vec![key.strip_suffix("_file").map_or_else(|| format!("{key}_file"), str::to_owned)],
    }
}

/// Where the tables of the example begin.
const AGENCY: &str = "#[[agency]]";

#[test]
fn the_example_settings_have_every_setting() {
    let example = read("deploy/muster.example.toml");
    let (settings, _) = example.split_once(AGENCY).unwrap();
    let written: BTreeSet<&str> =
        [lines(settings, true), lines(settings, false)].concat().into_iter().map(|(key, _)| key).collect();
    let mut known = BTreeSet::new();
    for setting in SETTINGS {
        match setting.name.strip_prefix("MUSTER_") {
            Some(name) if name != "CONFIG" => {
                known.insert(name.to_ascii_lowercase());
            }
            Some(_) | None => assert!(example.contains(&format!("#   {}", setting.name)), "{}", setting.name),
        }
    }
    assert_eq!(written, known.iter().map(String::as_str).collect());
}

#[test]
fn the_example_settings_are_good_and_so_is_every_example_in_them() {
    let example = read("deploy/muster.example.toml");
    let folder = tempfile::TempDir::new().unwrap();
    // The key is not read here: its form has its own tests.
    for (name, text) in [
        ("private-key.pem", "x"),
        ("webhook-secret", "0123456789abcdef0123456789abcdef\n"),
        ("instance-key", "0123456789abcdef0123456789abcdef\n"),
        ("database-url", "postgres://muster:secret@host/muster\n"),
        ("policy.yml", "mode: observe\n"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    }
    let (example, agency) = example.split_once(AGENCY).unwrap();
    let base = lines(example, true);
    assert!(base.len() >= 5, "{base:?}");
    let examples: Vec<_> = lines(example, false).into_iter().map(Some).collect();
    for extra in std::iter::once(None).chain(examples) {
        let kept = base
            .iter()
            .filter(|(key, _)| extra.is_none_or(|(added, _)| !rivals(added).contains(&(*key).to_owned())));
        let text: Vec<&str> = kept.map(|(_, line)| *line).chain(extra.map(|(_, line)| line)).collect();
        let text = text.join("\n").replace("/etc/muster", folder.path().to_str().unwrap());
        let path = folder.path().join("muster.toml");
        fs::write(&path, &text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let problems = Config::read(Environment::default(), folder.path()).server().unwrap_err().0;
        let others: Vec<String> = problems
            .iter()
            .filter(|problem| problem.setting != "MUSTER_PRIVATE_KEY")
            // What only another build takes is refused by this one.
            .filter(|problem| !problem.to_string().contains("without the feature otel"))
            .map(ToString::to_string)
            .collect();
        assert!(others.is_empty(), "with {extra:?}: {others:?}");
    }
    let table: String =
        agency.lines().filter_map(|line| line.strip_prefix('#')).filter(|line| line.contains(" = ")).fold(
            String::from("organizations = [\"example-agency\", \"example-agency-labs\"]\n[[agency]]\n"),
            |table, line| table + line + "\n",
        );
    assert_eq!(table.matches(" = ").count(), 8, "{table}");
    let path = folder.path().join("muster.toml");
    fs::write(&path, &table).unwrap();
    let told = Config::read(Environment::default(), folder.path()).server().unwrap_err().to_string();
    assert!(!told.contains("agency"), "{told}");
}

/// Threats §4, "Container and unit".
#[test]
fn the_unit_is_hardened() {
    let unit = read("deploy/muster.service");
    let lines: Vec<&str> = unit.lines().collect();
    for line in [
        "DynamicUser=yes",
        "ProtectSystem=strict",
        "PrivateTmp=yes",
        "NoNewPrivileges=yes",
        "MemoryDenyWriteExecute=yes",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "SystemCallFilter=@system-service",
        "CapabilityBoundingSet=",
        "UMask=0077",
        "StateDirectoryMode=0700",
        "LimitCORE=0",
    ] {
        assert!(lines.contains(&line), "{line}");
    }
    // Every secret comes as a credential, none in the unit's environment.
    for setting in SETTINGS.iter().filter(|setting| setting.secret) {
        assert!(!unit.contains(&format!("{}=", setting.name)), "{}", setting.name);
    }
    assert_eq!(unit.matches("LoadCredential=").count(), unit.matches("_FILE=%d/").count());
}

#[test]
fn the_containers_are_hardened() {
    let compose: Value = serde_saphyr::from_str(&read("deploy/compose.yaml")).unwrap();
    let services = compose["services"].as_object().unwrap();
    assert_eq!(services.keys().collect::<Vec<_>>(), ["muster", "database"]);
    for (name, service) in services {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
        assert_eq!(service["security_opt"], serde_json::json!(["no-new-privileges:true"]), "{name}");
        assert_eq!(service["ulimits"]["core"], 0, "{name}");
        for limit in ["mem_limit", "cpus", "pids_limit", "user"] {
            assert!(!service[limit].is_null(), "{name} has no {limit}");
        }
        assert!(service["privileged"].is_null() && service["network_mode"].is_null(), "{name}");
    }
    assert_eq!(services["database"]["healthcheck"]["test"][0], "CMD");
    assert_eq!(compose["networks"]["database"]["internal"], true);
    assert_eq!(services["database"]["networks"], serde_json::json!(["database"]));
    // What is set for Muster is a setting, and what is secret is a file.
    for name in services["muster"]["environment"].as_object().unwrap().keys() {
        let setting = SETTINGS.iter().find(|setting| setting.name == name);
        assert!(setting.is_some_and(|setting| !setting.secret), "{name}");
    }

    let containerfile = read("deploy/Containerfile");
    assert!(containerfile.contains("\nUSER 65532:65532\n"));
    assert!(containerfile.contains("cargo build --release --locked"));
    assert!(
        containerfile.lines().any(|line| line.starts_with("ARG RUNTIME=") && line.contains("distroless"))
    );
}
