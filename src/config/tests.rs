use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, sync::OnceLock};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use insta::assert_snapshot;
use rstest::rstest;
use tempfile::TempDir;

use super::*;

/// A fresh private key in PEM form, made once a process.
fn key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let body = STANDARD.encode(der.as_ref());
        let lines: Vec<&str> =
            (0..body.len()).step_by(64).map(|at| &body[at..body.len().min(at + 64)]).collect();
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
    })
}

const SECRET: &str = "canary-0123456789abcdef";
const INSTANCE_KEY: &str = "canary-instance-key-0123";

/// Settings with which everything starts.
fn complete() -> Vec<(&'static str, &'static str)> {
    vec![
        ("MUSTER_CLIENT_ID", "Iv23liCANARYid"),
        ("MUSTER_PRIVATE_KEY", key()),
        ("MUSTER_WEBHOOK_SECRET", SECRET),
        ("MUSTER_INSTANCE_KEY", INSTANCE_KEY),
        ("MUSTER_ORGANIZATIONS", "example-agency"),
    ]
}

/// The complete settings with some replaced; one with no value is left out.
fn with(changes: &[(&'static str, &'static str)]) -> Environment {
    let kept = complete().into_iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    kept.chain(changes.iter().copied().filter(|(_, value)| *value != UNSET)).collect()
}

const UNSET: &str = "\u{0}";

fn server(changes: &[(&'static str, &'static str)]) -> Result<Server, Problems> {
    let folder = TempDir::new().unwrap();
    Config::read(with(changes), folder.path()).server()
}

fn told<T: fmt::Debug>(result: Result<T, Problems>) -> String {
    result.unwrap_err().0.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// A file of a mode in a folder of its own.
fn file(name: &str, text: &str, mode: u32) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    (folder, path)
}

#[test]
fn the_defaults() {
    let server = server(&[]).unwrap();
    assert_eq!(server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(server.work.public_url, None);
    assert_eq!(server.work.hosts.endpoints, crate::github::endpoints::Endpoints::dot_com().unwrap());
    assert_eq!(server.work.hosts.web, "https://github.com");
    assert_eq!(server.work.instance, "muster");
    assert_eq!(server.work.database.expose(), "sqlite://muster.db");
    assert!(!server.work.dry_run);
    assert!(server.work.policy.is_none());
    assert_eq!(server.metrics_listen, None);
    assert_eq!(server.work.stop_file, std::path::Path::new("muster.stop"));
    assert_eq!((server.work.way, server.webhook_secrets.is_some()), (Way::Webhook, true));
}

#[test]
fn who_fetches_deliveries_needs_no_secret() {
    let polls = server(&[("MUSTER_INTAKE", "poll"), ("MUSTER_WEBHOOK_SECRET", UNSET)]).unwrap();
    assert_eq!((polls.work.way, polls.webhook_secrets.is_none()), (Way::Poll, true));
    assert!(told(server(&[("MUSTER_WEBHOOK_SECRET", UNSET)])).starts_with("MUSTER_WEBHOOK_SECRET"));
}

/// Threats N8: loopback, and nothing else.
#[test]
fn metrics_stay_on_this_machine() {
    for address in ["127.0.0.1:9464", "127.8.0.1:1", "[::1]:9464"] {
        let server = server(&[("MUSTER_METRICS_LISTEN", address)]).unwrap();
        assert_eq!(server.metrics_listen.unwrap().to_string(), address);
    }
    for address in ["0.0.0.0:9464", "[::]:9464", "10.0.0.1:9464", "9464", "localhost:9464"] {
        let told = told(server(&[("MUSTER_METRICS_LISTEN", address)]));
        assert!(told.contains("of this machine alone, as 127.0.0.1:9464"), "{told}");
    }
}

#[test]
fn where_traces_go_needs_the_feature_and_tls() {
    let told = |url| match server(&[("MUSTER_OTLP_URL", url)]) {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string(),
    };
    assert!(told("http://collector.example:4318").contains("MUSTER_OTLP_URL"));
    let good = told("https://collector.example:4318");
    assert_eq!(good.contains("without the feature otel"), cfg!(not(feature = "otel")), "{good}");
}

#[test]
fn every_secret_there_is_is_hidden_from_the_log() {
    let (_kept, path) = file("secret", "canary-of-a-file-long-enough\n", 0o400);
    let path: &'static str = path.to_str().unwrap().to_owned().leak();
    let environment: Environment = [
        ("MUSTER_WEBHOOK_SECRET_FILE", path),
        ("MUSTER_INSTANCE_KEY", "canary-of-the-environment"),
        ("GITHUB_TOKEN", "canary-token"),
        ("HTTPS_PROXY", "http://user:canary-proxy@proxy:1"),
        ("MUSTER_LISTEN", "127.0.0.1:1"),
    ]
    .into_iter()
    .collect();
    let config = Config::read(environment, Path::new("/nonexistent"));
    let mut hidden: Vec<String> =
        config.hidden().iter().map(|secret| secret.expose_secret().trim().to_owned()).collect();
    hidden.sort();
    assert_eq!(
        hidden,
        [
            "canary-of-a-file-long-enough",
            "canary-of-the-environment",
            "canary-token",
            "http://user:canary-proxy@proxy:1"
        ]
    );
}

#[test]
fn nothing_set_is_told_at_once() {
    let folder = TempDir::new().unwrap();
    assert_snapshot!(Config::read(Environment::default(), folder.path()).server().unwrap_err().to_string(), @r#"
the settings have 5 problems:
  MUSTER_PRIVATE_KEY: is not set, and neither is MUSTER_PRIVATE_KEY_FILE; write the path of the .pem file that GitHub gave you in MUSTER_PRIVATE_KEY_FILE
  MUSTER_CLIENT_ID: is not set; write the client ID on the App's page, or its number in MUSTER_APP_ID
  MUSTER_ORGANIZATIONS: is not set; write the organizations to serve, separated by commas; all others are ignored
  MUSTER_INSTANCE_KEY: is not set, and neither is MUSTER_INSTANCE_KEY_FILE; write a random text of at least 20 bytes, as `openssl rand -hex 32` prints
  MUSTER_WEBHOOK_SECRET: is not set, and neither is MUSTER_WEBHOOK_SECRET_FILE; write a random text of at least 20 bytes, as `openssl rand -hex 32` prints
"#);
    assert_snapshot!(Config::read(Environment::default(), folder.path()).scan().unwrap_err().to_string(), @r#"
the settings have 1 problem:
  GITHUB_TOKEN: is not set, and no App is; write a token that may read the organization, or the App's MUSTER_CLIENT_ID and MUSTER_PRIVATE_KEY_FILE
"#);
    assert!(Config::read(Environment::default(), folder.path()).database().is_ok());
}

#[test]
fn every_bad_value_is_told_at_once_and_no_secret_is_shown() {
    let result = server(&[
        ("MUSTER_GITHUB_API_URL", "http://github.example.gov/api/v3"),
        ("MUSTER_APP_ID", "-5"),
        ("MUSTER_CLIENT_ID", UNSET),
        ("MUSTER_PRIVATE_KEY", "canary"),
        ("MUSTER_WEBHOOK_SECRET", "canary-0123456789abcdef,"),
        ("MUSTER_INSTANCE", "GSA Prod"),
        ("MUSTER_INSTANCE_KEY", "canary"),
        ("MUSTER_ORGANIZATIONS", "example agency"),
        ("MUSTER_DATABASE_URL", "mysql://user:canary@host/muster"),
        ("MUSTER_LISTEN", "8080"),
        ("MUSTER_PUBLIC_URL", "muster.example.gov"),
        ("MUSTER_POLICY_FILE", "/nonexistent/muster.yml"),
        ("MUSTER_DRY_RUN", "maybe"),
        ("MUSTER_INTAKE", "Poll"),
        ("MUSTER_LOG", "muster=loud"),
        ("MUSTER_DRYRUN", "1"),
    ]);
    let told = told(result);
    assert!(!told.contains("canary"), "{told}");
    assert_snapshot!(told, @r#"
MUSTER_DRYRUN: is not a setting; did you mean MUSTER_DRY_RUN?
MUSTER_LOG: is "muster=loud"; write a filter, as info or muster=debug,info
MUSTER_GITHUB_API_URL: is "http://github.example.gov/api/v3"; write an https:// address, as https://github.example.gov/api/v3
MUSTER_APP_ID: is "-5"; write the number on the App's page
MUSTER_PRIVATE_KEY: is not in PEM form: it has no line -----BEGIN RSA PRIVATE KEY-----; write the path of the .pem file that GitHub gave you in MUSTER_PRIVATE_KEY_FILE
MUSTER_ORGANIZATIONS: is "example agency"; write the names of organizations, separated by commas, without github.com
MUSTER_INSTANCE: is "GSA Prod"; write at most 40 of a to z, 0 to 9 and -
MUSTER_INSTANCE_KEY: has an entry of fewer than 20 bytes; write longer random ones
MUSTER_DATABASE_URL: is no URL of SQLite or PostgreSQL; write sqlite://muster.db or postgres://user@host/database
MUSTER_POLICY_FILE: names /nonexistent/muster.yml, which cannot be read: No such file or directory (os error 2); write the path of a policy file
MUSTER_DRY_RUN: is "maybe"; write true or false
MUSTER_INTAKE: is "Poll"; write webhook or poll
MUSTER_PUBLIC_URL: is "muster.example.gov"; write an https:// address, as https://github.example.gov/api/v3
MUSTER_WEBHOOK_SECRET: has an empty entry; remove the stray comma or line
MUSTER_LISTEN: is "8080"; write an address and a port, as 127.0.0.1:8080
"#);
}

#[test]
fn debug_shows_no_secret() {
    let environment = with(&[
        ("MUSTER_DATABASE_URL", "postgres://user:canary@host/muster"),
        ("GITHUB_TOKEN", "canary"),
        ("MUSTER_CLIENT_ID", "Iv23lipublic"),
    ]);
    let folder = TempDir::new().unwrap();
    let config = Config::read(environment.clone(), folder.path());
    let shown =
        format!("{environment:?} {config:?} {:?} {:?}", config.server().unwrap(), config.scan().unwrap());
    assert!(!shown.contains("canary") && !shown.contains("PRIVATE KEY-----"), "{shown}");
}

/// Threats W1: what a list of secrets may not be. The same holds for keys.
#[rstest]
#[case("")]
#[case(" ")]
#[case("\n")]
#[case(",")]
#[case("canary-0123456789abcdef,")]
#[case(",canary-0123456789abcdef")]
#[case("canary-0123456789abcdef,,canary-9876543210fedcba")]
#[case("canary-0123456789abcdef, canary-9876543210fedcba")]
#[case("canary-0123456789abcdef\n\n")]
#[case("canary-0123456789abcdef,canary-0123456789abcdef")]
#[case("nineteen-bytes-long")]
#[case("canary-0123456789abcdef,short")]
#[case("It's a Secret to Everybody")]
#[case("                              ")]
fn w1_weak_secrets_are_refused(#[case] text: &'static str) {
    for name in ["MUSTER_WEBHOOK_SECRET", "MUSTER_INSTANCE_KEY"] {
        let told = told(server(&[(name, text)]));
        assert!(told.starts_with(name), "{told}");
        assert!(!told.contains("canary"), "{told}");
    }
}

#[rstest]
#[case("canary-0123456789abcdef", 1)]
#[case("canary-0123456789abcdef\n", 1)]
#[case("canary-0123456789abcdef\r\n", 1)]
#[case("canary-0123456789abcdef,canary-9876543210fedcba", 2)]
#[case("canary-0123456789abcdef\ncanary-9876543210fedcba\n", 2)]
fn secrets_are_a_list(#[case] text: &'static str, #[case] count: usize) {
    let secrets = server(&[("MUSTER_WEBHOOK_SECRET", text)]).unwrap().webhook_secrets;
    assert_eq!(secrets.unwrap().len(), count);
}

#[rstest]
#[case("https://api.github.com", "https://api.github.com/graphql", "https://github.com")]
#[case("https://api.github.com/", "https://api.github.com/graphql", "https://github.com")]
#[case(
    "https://github.example.gov/api/v3",
    "https://github.example.gov/api/graphql",
    "https://github.example.gov"
)]
#[case("https://api.agency.ghe.com", "https://api.agency.ghe.com/graphql", "https://agency.ghe.com")]
#[case("http://127.0.0.1:4010", "http://127.0.0.1:4010/graphql", "http://127.0.0.1:4010")]
#[case("http://[::1]:4010/api/v3/", "http://[::1]:4010/api/graphql", "http://[::1]:4010")]
#[case("http://localhost:4010", "http://localhost:4010/graphql", "http://localhost:4010")]
fn hosts_follow_from_the_api(#[case] api: &'static str, #[case] graphql: &str, #[case] web: &str) {
    let hosts = server(&[("MUSTER_GITHUB_API_URL", api)]).unwrap().work.hosts;
    let expected = crate::github::endpoints::Endpoints::new(api, Some(graphql)).unwrap();
    assert_eq!((&hosts.endpoints, hosts.web.as_str()), (&expected, web));
}

#[rstest]
#[case("http://api.github.com")]
#[case("http://localhost.example.com")]
#[case("http://127.0.0.1.example.com")]
#[case("ftp://api.github.com")]
#[case("api.github.com")]
#[case("https://user:canary@api.github.com")]
#[case("https://api.github.com/?x=1")]
#[case("https://api.github.com/#x")]
#[case("https://")]
#[case("https://git.example.gov/rest")]
fn other_hosts_are_refused(#[case] api: &'static str) {
    let told = told(server(&[("MUSTER_GITHUB_API_URL", api)]));
    assert!(told.starts_with("MUSTER_GITHUB_"), "{told}");
}

#[rstest]
#[case(&[], "127.0.0.1:8080")]
#[case(&[("PORT", "9000")], "0.0.0.0:9000")]
#[case(&[("PORT", "9000"), ("MUSTER_LISTEN", "127.0.0.1:7000")], "127.0.0.1:7000")]
#[case(&[("MUSTER_LISTEN", "[::1]:0")], "[::1]:0")]
fn where_to_listen(#[case] changes: &[(&'static str, &'static str)], #[case] expected: &str) {
    assert_eq!(server(changes).unwrap().listen.to_string(), expected);
}

#[test]
fn a_private_key_that_cannot_sign_is_refused() {
    let public =
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n";
    let cut = &key()[..key().len() / 2];
    for (text, expected) in
        [("hunter2", "not in PEM form"), (public, "no RSA private key"), (cut, "no RSA private key")]
    {
        let folder = TempDir::new().unwrap();
        let told = told(Config::read(with(&[("MUSTER_PRIVATE_KEY", text)]), folder.path()).server());
        assert!(told.contains(expected) && !told.contains(text), "{told}");
    }
    let two: &'static str = format!("{}{}", key(), key()).leak();
    assert!(format!("{:?}", server(&[("MUSTER_PRIVATE_KEY", two)]).unwrap().work.app).contains("keys: 2"));
    let spoilt: &'static str = format!("{}{cut}", key()).leak();
    assert!(told(server(&[("MUSTER_PRIVATE_KEY", spoilt)])).contains("as number 2"));
    let escaped: &'static str = key().replace('\n', "\\n").leak();
    assert!(server(&[("MUSTER_PRIVATE_KEY", escaped)]).is_ok());
}

#[test]
fn secret_files() {
    let (_kept, path) = file("key.pem", key(), 0o400);
    let named: &'static str = path.to_str().unwrap().to_owned().leak();
    let set = |path| server(&[("MUSTER_PRIVATE_KEY", UNSET), ("MUSTER_PRIVATE_KEY_FILE", path)]);
    assert!(set(named).is_ok());

    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
    assert!(told(set(named)).contains("may be read by others: its mode is 0440; chmod 0400"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(set(named).is_ok());

    let link = path.with_file_name("link.pem");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let link: &'static str = link.to_str().unwrap().to_owned().leak();
    assert!(told(set(link)).contains("is a link"));

    let folder: &'static str = path.parent().unwrap().to_str().unwrap().to_owned().leak();
    assert!(told(set(folder)).contains("is not a regular file"));
    assert!(told(set("/nonexistent/key.pem")).contains("cannot be opened"));
    assert!(told(set("/dev/zero")).contains("is not a regular file"));

    let both = server(&[("MUSTER_PRIVATE_KEY_FILE", named)]);
    assert!(told(both).contains("MUSTER_PRIVATE_KEY: is set beside MUSTER_PRIVATE_KEY_FILE"));
}

#[test]
fn a_pipe_is_refused_without_waiting_for_its_writer() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
        .unwrap();
    let refused = secret_file::read(&path, None).unwrap_err();
    assert!(refused.found.ends_with("is not a regular file"), "{}", refused.found);
}

#[test]
fn a_file_of_somebody_else_is_refused() {
    // The only file sure to exist whose owner can be told from us: root's, or
    // one given away, which only root can do.
    let (_kept, path) = file("key", "text", 0o400);
    let somebody = if geteuid_is_root() {
        std::os::unix::fs::chown(&path, Some(12_345), None).unwrap();
        path
    } else {
        PathBuf::from("/etc/passwd")
    };
    let refused = secret_file::read(&somebody, None).unwrap_err();
    assert!(refused.found.contains("belongs to user"), "{}", refused.found);
    // What systemd hands out is its own affair.
    if geteuid_is_root() {
        assert!(secret_file::read(&somebody, somebody.parent()).is_ok());
    }
    assert!(
        secret_file::read(std::path::Path::new("/etc/passwd"), Some(std::path::Path::new("/etc"))).is_ok()
    );
}

fn geteuid_is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn the_settings_file_gives_what_the_environment_does_not() {
    let (folder, path) = file(
        "muster.toml",
        "organizations = [\"one\", \"two\"]\ninstance = \"from-file\"\ndry_run = true\nlisten = \"127.0.0.1:1\"\npolicy_file = \"policy.yml\"\n",
        0o644,
    );
    fs::write(folder.path().join("policy.yml"), "mode: fix\n").unwrap();
    // Found by its name in the folder, and where MUSTER_CONFIG says.
    let elsewhere = TempDir::new().unwrap();
    let named: &'static str = path.to_str().unwrap().to_owned().leak();
    for (config, folder) in [(UNSET, folder.path()), (named, elsewhere.path())] {
        let environment = with(&[
            ("MUSTER_ORGANIZATIONS", UNSET),
            ("MUSTER_CONFIG", config),
            ("MUSTER_LISTEN", "127.0.0.1:2"),
        ]);
        let server = Config::read(environment, folder).server().unwrap();
        assert_eq!(server.work.organizations.len(), 2);
        assert_eq!(server.work.instance, "from-file");
        assert!(server.work.dry_run);
        assert_eq!(server.listen.port(), 2, "the environment wins");
        assert_eq!(server.work.policy.unwrap().mode, crate::domain::policy::Mode::Fix);
    }
}

#[test]
fn problems_of_the_settings_file() {
    let (_kept, path) = file(
        "muster.toml",
        "organisations = \"a\"\ninstance = 1.5\nlisten = \"\"\nport = 1\nconfig = \"x\"\nwebhook_secret = \"canary\"\ndry_run = \"perhaps\"\n",
        0o644,
    );
    let named: &'static str = path.to_str().unwrap().to_owned().leak();
    let told =
        told(server(&[("MUSTER_CONFIG", named), ("MUSTER_WEBHOOK_SECRET", UNSET)])).replace(named, "FILE");
    assert!(!told.contains("canary"), "{told}");
    assert_snapshot!(told, @r#"
"config" in FILE: is not a setting; known here: github_api_url, github_graphql_url, github_url, app_id, client_id, private_key, private_key_file, webhook_secret, webhook_secret_file, intake, instance, instance_key, instance_key_file, evidence_key, evidence_key_file, organizations, database_url, database_url_file, listen, metrics_listen, public_url, policy_file, dry_run, stop_file, log, otlp_url
MUSTER_INSTANCE (instance in FILE): is of type float; write a text, a number, true or false, or a list of texts
MUSTER_LISTEN (listen in FILE): is empty; write a value, or delete it
"organisations" in FILE: is not a setting; did you mean organizations?
"port" in FILE: is not a setting; known here: github_api_url, github_graphql_url, github_url, app_id, client_id, private_key, private_key_file, webhook_secret, webhook_secret_file, intake, instance, instance_key, instance_key_file, evidence_key, evidence_key_file, organizations, database_url, database_url_file, listen, metrics_listen, public_url, policy_file, dry_run, stop_file, log, otlp_url
MUSTER_CONFIG: holds secrets (webhook_secret), and FILE may be read by others: its mode is 0644; chmod 0400 FILE
MUSTER_DRY_RUN (dry_run in FILE): is "perhaps"; write true or false
MUSTER_WEBHOOK_SECRET: has an entry of fewer than 20 bytes; write longer random ones
"#);
}

#[test]
fn a_settings_file_that_cannot_be_read() {
    assert!(told(server(&[("MUSTER_CONFIG", "/nonexistent/muster.toml")])).contains("cannot be read"));
    let (_kept, path) = file("muster.toml", "listen = \"x\"\nwebhook_secret = canary\n", 0o600);
    let told = told(server(&[("MUSTER_CONFIG", path.to_str().unwrap().to_owned().leak())]));
    assert!(told.contains("muster.toml:2 is not TOML") && !told.contains("canary"), "{told}");
}

#[test]
fn every_problem_of_the_operators_policy_is_told() {
    let (_kept, path) = file("policy.yml", "mode: fixx\nrule: {}\n", 0o644);
    let named: &'static str = path.to_str().unwrap().to_owned().leak();
    assert_snapshot!(told(server(&[("MUSTER_POLICY_FILE", named)])).replace(named, "FILE"), @r#"
MUSTER_POLICY_FILE: FILE:1:7 mode: is "fixx"; did you mean "fix"? write one of observe, check, issue, fix
MUSTER_POLICY_FILE: FILE:2:1 rule: unknown key; did you mean "rules"?
"#);
}

#[test]
fn scan_takes_an_app_before_a_token() {
    let folder = TempDir::new().unwrap();
    let token: Environment = [("GITHUB_TOKEN", "canary")].into_iter().collect();
    let scan = Config::read(token, folder.path()).scan().unwrap();
    assert!(matches!(scan.credentials, Credentials::Token(_)));
    let scan = Config::read(with(&[("GITHUB_TOKEN", "canary")]), folder.path()).scan().unwrap();
    assert!(matches!(scan.credentials, Credentials::App(_)));
    let half: Environment = [("GITHUB_TOKEN", "canary"), ("MUSTER_APP_ID", "5")].into_iter().collect();
    assert!(told(Config::read(half, folder.path()).scan()).contains("MUSTER_PRIVATE_KEY: is not set"));
}

#[test]
fn settings_of_later_versions_are_let_be_and_slips_are_not() {
    assert!(server(&[("MUSTER_INTAKE", "poll"), ("MUSTER_CORPUS", "x"), ("MUSTER_SCHEMAS", "y")]).is_ok());
    for (slip, meant) in [
        ("MUSTER_ORGANISATIONS", "MUSTER_ORGANIZATIONS"),
        ("MUSTER_DRYRUN", "MUSTER_DRY_RUN"),
        ("MUSTER_WEBHOOK_SECRETS", "MUSTER_WEBHOOK_SECRET"),
        ("MUSTER_DATABASE_ULR", "MUSTER_DATABASE_URL"),
    ] {
        let told = told(server(&[(slip, "x")]));
        assert_eq!(told, format!("{slip}: is not a setting; did you mean {meant}?"));
    }
}

#[rstest]
#[case("https://github.com", "write https://api.github.com")]
#[case("https://www.github.com/", "write https://api.github.com")]
#[case("https://api.github.com/api/v3", "write https://api.github.com")]
#[case("https://agency.ghe.com", "write https://api.agency.ghe.com")]
#[case("https://agency.ghe.com/api/v4", "write https://api.agency.ghe.com")]
#[case("https://api.ghe.com", "write https://api.SUBDOMAIN.ghe.com")]
#[case("https://git.example.gov", "write https://git.example.gov/api/v3 for an Enterprise Server")]
#[case(
    "https://git.example.gov:8443/api",
    "write https://git.example.gov:8443/api/v3 for an Enterprise Server"
)]
#[case(
    "https://git.example.gov/api/graphql",
    "write https://git.example.gov/api/v3 for an Enterprise Server"
)]
fn a_mistaken_address_is_told_with_the_one_meant(#[case] api: &'static str, #[case] remedy: &str) {
    let told = told(server(&[("MUSTER_GITHUB_API_URL", api)]));
    assert!(told.starts_with("MUSTER_GITHUB_API_URL: ") && told.contains(remedy), "{told}");
}

#[test]
fn an_unusual_address_needs_all_three() {
    let all = [
        ("MUSTER_GITHUB_API_URL", "https://gateway.example.gov/github/rest"),
        ("MUSTER_GITHUB_GRAPHQL_URL", "https://gateway.example.gov/github/graphql"),
        ("MUSTER_GITHUB_URL", "https://git.example.gov"),
    ];
    let hosts = server(&all).unwrap().work.hosts;
    assert_eq!(hosts.web, "https://git.example.gov");
    for left_out in [1, 2] {
        let mut some = all.to_vec();
        some.remove(left_out);
        assert!(told(server(&some)).contains("also set MUSTER_GITHUB_GRAPHQL_URL and MUSTER_GITHUB_URL"));
    }
    let where_a_server_answers_404 = server(&[
        ("MUSTER_GITHUB_API_URL", "https://git.example.gov/api/v3"),
        ("MUSTER_GITHUB_GRAPHQL_URL", "https://git.example.gov/api/v3/graphql"),
    ]);
    assert!(told(where_a_server_answers_404).contains("write https://git.example.gov/api/graphql"));
}

#[test]
fn the_proxy_is_that_of_the_usual_variables_and_shows_no_password() {
    let proxy = |changes: &[(&'static str, &'static str)]| {
        let endpoints = server(changes).unwrap().work.hosts.endpoints;
        endpoints.network().proxy().map(str::to_owned)
    };
    assert_eq!(proxy(&[]), None);
    assert_eq!(proxy(&[("HTTPS_PROXY", "")]), None, "empty is not set");
    assert_eq!(proxy(&[("https_proxy", "http://low:3128")]).as_deref(), Some("low:3128"));
    let both = [("HTTPS_PROXY", "http://user:canary@HIGH:3128"), ("https_proxy", "http://low:3128")];
    assert_eq!(proxy(&both).as_deref(), Some("HIGH:3128"));
    assert!(!format!("{:?}", server(&both).unwrap()).contains("canary"));
    for wrong in ["https://user:canary@proxy:3128", "socks5://canary:1080", "http://canary"] {
        let told = told(server(&[("https_proxy", wrong)]));
        assert!(
            told.starts_with("https_proxy: is not the address of an HTTP proxy; write http://"),
            "{told}"
        );
        assert!(!told.contains("canary"), "{told}");
    }
    // Of the environment only, as for every other program.
    let (_kept, path) = file("muster.toml", "https_proxy = \"http://proxy:3128\"\n", 0o600);
    let told = told(server(&[("MUSTER_CONFIG", path.to_str().unwrap().to_owned().leak())]));
    assert!(told.contains("is not a setting"), "{told}");
}

/// A certificate in PEM form: any that is one.
fn certificate(name: &str) -> String {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let authority = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
    let text = STANDARD.encode(authority.der());
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

#[test]
fn authorities_come_from_a_file_and_from_folders() {
    let (folder, path) = file("one.pem", &(certificate("One") + &certificate("Two")), 0o644);
    fs::write(folder.path().join("three.crt"), certificate("Three")).unwrap();
    fs::write(folder.path().join("README"), "What is no certificate is passed over.\n").unwrap();
    let leak = |path: &std::path::Path| -> &'static str { path.to_str().unwrap().to_owned().leak() };
    let network = |changes: &[(&'static str, &'static str)]| {
        server(changes).unwrap().work.hosts.endpoints.network().clone()
    };
    let none = network(&[]);
    let (one, all) =
        (network(&[("SSL_CERT_FILE", leak(&path))]), network(&[("SSL_CERT_DIR", leak(folder.path()))]));
    assert!(none != one && one != all && none != all);
    assert_eq!(network(&[("SSL_CERT_FILE", ""), ("SSL_CERT_DIR", "")]), none);

    let (_kept, empty) = file("empty.pem", "nothing\n", 0o644);
    let (_kept, broken) =
        file("broken.pem", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", 0o644);
    for (setting, value, said) in [
        ("SSL_CERT_FILE", "/nonexistent/ca.pem", "cannot be used"),
        ("SSL_CERT_FILE", leak(&empty), "no authority's certificate"),
        ("SSL_CERT_FILE", leak(&broken), "cannot be used"),
        ("SSL_CERT_DIR", "/nonexistent", "cannot be read"),
    ] {
        let told = told(server(&[(setting, value)]));
        assert!(
            told.starts_with(setting) && told.contains(said) && told.contains("write the path"),
            "{told}"
        );
    }
}

#[test]
fn the_age_of_a_secret_is_that_of_its_file() {
    let (folder, path) = file("key.pem", key(), 0o400);
    let named: &'static str = path.to_str().unwrap().to_owned().leak();
    let ages = |more: &[(&'static str, &'static str)]| {
        let changes =
            [&[("MUSTER_PRIVATE_KEY", UNSET), ("MUSTER_PRIVATE_KEY_FILE", named)][..], more].concat();
        Config::read(with(&changes), folder.path()).ages()
    };
    let written = Timestamp::try_from(fs::metadata(&path).unwrap().modified().unwrap()).unwrap();
    let key = Age { setting: "MUSTER_PRIVATE_KEY", since: Some(written) };
    // The webhook's secret stands in the environment.
    assert_eq!(ages(&[]), [key, Age { setting: "MUSTER_WEBHOOK_SECRET", since: None }]);
    // The service manager made its copy when the service started.
    let handed_out: &'static str = folder.path().to_str().unwrap().to_owned().leak();
    assert_eq!(ages(&[("CREDENTIALS_DIRECTORY", handed_out)])[0].since, None);
}

#[test]
fn the_tables_of_agencies_are_read_and_every_problem_of_theirs_is_told() {
    let settings = |text: &str| {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("muster.toml"), text).unwrap();
        let environment = with(&[("MUSTER_ORGANIZATIONS", "example-agency,example-bureau")]);
        let told = Config::read(environment, folder.path()).server();
        told.map_err(|problems| problems.to_string().replace(&*folder.path().to_string_lossy(), ""))
    };
    let good =
        "[[agency]]\nacronym = \"XA\"\nlead = \"example-agency\"\norganizations = [\"example-bureau\"]\n";
    let agencies = settings(good).unwrap().work.agencies;
    let organizations: Vec<&str> = agencies[0].organizations.iter().map(Login::as_str).collect();
    assert_eq!(organizations, ["example-agency", "example-bureau"], "the lead is one of them");
    let bad = "[[agency]]\nacronim = \"XA\"\nlead = 7\n\
        [[agency]]\nacronym = \"X A\"\nlead = \"example-agency\"\norganizations = \"all\"\nrepository = \"none\"\n";
    assert_snapshot!(settings(bad).unwrap_err(), @r#"
the settings have 6 problems:
  agency 1 in /muster.toml: "acronim" is not a setting; did you mean acronym?
  agency 1 in /muster.toml: has no acronym; write acronym = "…"
  agency 1 in /muster.toml: lead is no text; write it in quotation marks
  agency 2 in /muster.toml: the acronym is "X A"; write letters, digits and hyphens, as GSA
  agency 2 in /muster.toml: organizations is no list; write ["one", "other"]
  agency 2 in /muster.toml: "none" is not OWNER/NAME; write owner/name
"#);
    let twice = format!("{good}[[agency]]\nacronym = \"xa\"\nlead = \"example-bureau\"\n");
    assert_snapshot!(settings(&twice).unwrap_err(), @r"
the settings have 2 problems:
  agency in /muster.toml: xa is there twice; write one table for each agency
  agency in /muster.toml: example-bureau is of XA and of xa; an organization is of one agency
");
    let stranger = good.replace("example-bureau", "elsewhere");
    assert_snapshot!(settings(&stranger).unwrap_err(), @r"
the settings have 1 problem:
  MUSTER_ORGANIZATIONS: elsewhere of agency XA is not served; add it to the organizations, or take it off the agency
");
}

#[test]
fn o1_the_hosts_of_an_import_are_the_operators() {
    let settings = |line: &str| {
        let folder = TempDir::new().unwrap();
        let text = format!("[[agency]]\nacronym = \"XA\"\nlead = \"example-agency\"\n{line}\n");
        fs::write(folder.path().join("muster.toml"), text).unwrap();
        let told = Config::read(with(&[]), folder.path()).server();
        told.map(|server| server.work.agencies[0].import_from.clone())
            .map_err(|problems| problems.to_string().replace(&*folder.path().to_string_lossy(), ""))
    };
    let hosts = settings(
        "import_hosts = [\"Code.Agency.gov\", \"git.agency.gov:443\"]\nimport_private_hosts = [\"git.local:8443\", \"[fd00::1]:8443\"]",
    )
    .unwrap();
    assert_eq!(hosts.public, ["code.agency.gov", "git.agency.gov"]);
    assert_eq!(hosts.private, ["git.local:8443", "[fd00::1]:8443"]);
    assert_eq!(settings("").unwrap(), crate::domain::inventory::Hosts::default());
    for bad in [
        "\"a.gov\"",
        "[]",
        "[7]",
        "[\"*.gov\"]",
        "[\"https://a.gov\"]",
        "[\"a.gov/x\"]",
        "[\"me@a.gov\"]",
        "[\"a.gov:\"]",
    ] {
        let told = settings(&format!("import_hosts = {bad}")).unwrap_err();
        assert!(told.contains("agency 1 in /muster.toml: import_hosts is no list of hosts"), "{bad}: {told}");
    }
}
