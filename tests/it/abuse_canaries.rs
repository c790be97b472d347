//! Canaries in every secret and every private name, searched for in all that an
//! operator's machine keeps or shows: log and metrics (threats W7, N8, N9).

use std::{process::Command, time::Duration};

use github_sandbox::{Fault, FaultKind, Sandbox, installation};
use rand::{Rng, distr::Alphanumeric};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    doctor::Serving,
    harness::{agency, complete, old},
    server::{Answer, Database, PATIENT, Request, Server, push},
};

const FIX: &str = "mode: fix
repositories: {exclude: [\".github\"]}
quiet: {days: [mon, tue, wed, thu, fri, sat, sun], hours: \"00:00-24:00\", federal_holidays: false}
agency: {acronym: XA, name: Office, contact: {name: Desk, email: desk@office.example.gov}}
inventory:
  private: redact
  access_url: https://www.office.example.gov/code-access
  defaults: {status: Production, maintenance: internal, labor_hours: 0, contract_number: []}
";
const SETTINGS: &str = "[[agency]]\nacronym = \"XA\"\nlead = \"agency\"\norganizations = [\"agency\"]\n";
const WEBHOOK_SECRET: &str = "canary.webhook+secret of this instance";
const INSTANCE_KEY: &str = "canary \"instance\" key \\ of this instance";

struct Instance {
    github: Sandbox,
    folder: tempfile::TempDir,
}

impl Instance {
    async fn new() -> Instance {
        let private = old("canary-private").private().file("canary-file.md", "canary content");
        let organization = agency(FIX)
            .repository(private)
            .repository(complete("canary-fine").private())
            .repository(complete("open").description("Replaces agency/canary-private."))
            .repository(complete("river").description("Counts birds."));
        let github = Sandbox::builder()
            .app(github_sandbox::app("muster").webhook_secret(WEBHOOK_SECRET))
            .organization(organization)
            .installation(installation("agency"))
            .start()
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("muster.toml"), SETTINGS).unwrap();
        Instance { github, folder }
    }

    fn command(&self, words: &[&str], level: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command
            .args(words)
            .current_dir(self.folder.path())
            .env_clear()
            .env("MUSTER_GITHUB_API_URL", self.github.api_url())
            .env("MUSTER_GITHUB_GRAPHQL_URL", self.github.graphql_url())
            .env("MUSTER_GITHUB_URL", self.github.web_url())
            .env("MUSTER_CLIENT_ID", self.github.client_id())
            .env("MUSTER_PRIVATE_KEY", self.github.private_key())
            .env("MUSTER_WEBHOOK_SECRET", WEBHOOK_SECRET)
            .env("MUSTER_INSTANCE_KEY", INSTANCE_KEY)
            .env("MUSTER_ORGANIZATIONS", "agency")
            .env("MUSTER_DATABASE_URL", "sqlite://muster.db")
            .env("MUSTER_LISTEN", "127.0.0.1:0")
            .env("MUSTER_METRICS_LISTEN", "127.0.0.1:0")
            .env("MUSTER_LOG", level);
        command
    }
}

async fn ask(address: &str, request: impl AsRef<[u8]>) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_ref()).await.unwrap();
    Answer::read(&mut stream).await
}

/// `code.json`, once the public code is in it.
async fn published(address: &str) -> String {
    for _ in 0..600 {
        let served = ask(address, "GET /code.json HTTP/1.1\r\nHost: x\r\n\r\n").await;
        if served.status == 200 && served.body.contains("\"river\"") {
            return served.body;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the inventory was not published within a minute");
}

/// Runs the real program through good and bad moments; its log and metrics.
async fn lived(level: &str) -> (Instance, String, String) {
    let instance = Instance::new().await;
    let github = &instance.github;
    // GitHub stumbles, and refuses in its own words.
    github.fault(Fault::on("GET /app/installations").kind(FaultKind::BadGateway).times(4));
    github.fault(Fault::on("POST /graphql Snapshot").kind(FaultKind::BadGateway).times(1_000));
    let mut serving = Serving::start(instance.command(&["serve"], level));
    let metrics = serving.after("Metrics are at http://").trim_end_matches("/metrics.").to_owned();
    github.set_hook_url(&format!("http://{}/webhook", serving.address));
    github.user("alice").push("agency/canary-private", "main", &[("canary.txt", "canary")], "canary commit");
    github.deliver().await;
    // A stranger's, and one whose headers carry what they should not.
    let good = Request::of("push", &push());
    let forged = good
        .with("Authorization", "Bearer canary-bearer-of-a-stranger")
        .and("X-GitHub-Encoded-Secret", "canary-encoded-secret")
        .and("Cookie", "canary-cookie=1");
    assert_eq!(ask(&serving.address, forged.bytes()).await.status, 401);
    let asked = ask(
        &serving.address,
        "GET /canary?code=canary-code&state=canary-state HTTP/1.1\r\nHost: canary\r\n\r\n",
    );
    assert_eq!(asked.await.status, 404);
    serving.until("looked around");
    serving.until("a job failed");
    let served = published(&serving.address).await;
    assert!(!served.contains("canary"), "{served}");
    github.clear_faults();
    let scraped = ask(&metrics, "GET /metrics HTTP/1.1\r\nHost: canary\r\n\r\n").await;
    assert_eq!(scraped.status, 200);
    assert!(scraped.head.contains("content-type: text/plain; version=0.0.4"), "{}", scraped.head);
    assert_eq!(ask(&serving.address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await.status, 404);
    (instance, serving.stop(), scraped.body)
}

/// Every secret there is, as text that must stand nowhere.
fn secrets(github: &Sandbox) -> Vec<String> {
    let key = github.private_key();
    let lines = key.lines().filter(|line| !line.starts_with("-----")).map(str::to_owned);
    let mut secrets: Vec<String> = lines.collect();
    assert!(secrets.len() > 10);
    for secret in [WEBHOOK_SECRET, INSTANCE_KEY] {
        let json = serde_json::to_string(secret).unwrap();
        secrets.extend([secret.to_owned(), json[1..json.len() - 1].to_owned()]);
    }
    secrets.extend(["ghs_", "Bearer ey", "Bearer gh", "eyJ"].map(str::to_owned));
    secrets.extend(
        ["canary-bearer", "canary-encoded", "canary-cookie", "canary-code", "canary-state"]
            .map(str::to_owned),
    );
    secrets
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_the_log_tells_no_secret_at_any_level_and_no_name_from_info_up() {
    for level in ["info", "trace"] {
        let (instance, log, metrics) = lived(level).await;
        for secret in secrets(&instance.github) {
            assert!(!log.contains(&secret), "{level}: {secret} in\n{log}");
        }
        if level == "info" {
            let line = log.lines().find(|line| line.contains("canary"));
            assert_eq!(line, None, "a name in the log");
        }
        let lines = log.lines().filter(|line| line.starts_with('{'));
        let parsed = lines.filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).count();
        assert_eq!(parsed, log.lines().filter(|line| line.starts_with('{')).count(), "JSON stays JSON");
        assert!(parsed >= 3, "what was waited for, and the end: {log}");
        n8_names_nobody(&metrics);
    }
}

fn n8_names_nobody(metrics: &str) {
    for name in ["canary", "agency", "alice", "ghs_"] {
        assert!(!metrics.contains(name), "{name} in\n{metrics}");
    }
    for series in [
        "muster_deliveries_total{event=\"push\",outcome=\"stored\"} 1",
        "muster_http_requests_total{route=\"/webhook\",status=\"4xx\"} 1",
        "muster_http_requests_total{route=\"none\",status=\"4xx\"} 1",
        "muster_github_calls_total{method=\"GET\",route=\"/app/installations\",outcome=\"transient\"}",
        "muster_queue_jobs{state=\"dead\"} 0",
        "muster_database_up 1",
    ] {
        assert!(metrics.contains(series), "{series} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn n9_a_password_in_an_address_is_told_by_no_error() {
    let instance = Instance::new().await;
    for (database, command) in [
        ("postgres://muster:canary-password@127.0.0.1:1/muster", "jobs"),
        ("postgres://muster:canary%2Dpassword@127.0.0.1:1/canary?sslmode=canary-password", "jobs"),
        ("postgres://muster:canary-password@[canary", "serve"),
        ("mysql://muster:canary-password@db/muster", "doctor"),
    ] {
        let output =
            instance.command(&[command], "trace").env("MUSTER_DATABASE_URL", database).output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        assert!(!said.contains("canary-password") && !said.contains("canary%2Dpassword"), "{said}");
    }
    let proxied = instance
        .command(&["doctor"], "trace")
        .env("MUSTER_GITHUB_API_URL", "https://canary.example/api/v3")
        .env("HTTPS_PROXY", "http://user:canary-password@127.0.0.1:1")
        .output()
        .unwrap();
    let said = [proxied.stdout, proxied.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(!said.contains("canary-password"), "{said}");
}

/// Threats N8: whatever is asked for, there are no more series.
#[tokio::test(flavor = "multi_thread")]
async fn n8_ten_thousand_paths_and_events_add_no_series() {
    let server = Server::start(Database::Sqlite, PATIENT).await;
    let series = || server.receiver.intake().metrics().text(None).lines().count();
    let mut stream = server.connect().await;
    let mut asked = async |path: &str| {
        stream.write_all(format!("GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
        assert_eq!(Answer::read(&mut stream).await.status, 404);
    };
    asked("first").await;
    server.send(Request::of("an_event_of_tomorrow", &push()).bytes()).await;
    let before = series();
    for _ in 0..10_000 {
        let path: String = rand::rng().sample_iter(Alphanumeric).take(12).map(char::from).collect();
        asked(&path).await;
    }
    for n in 0..20 {
        server.send(Request::of(&format!("event_{n}"), &push()).bytes()).await;
    }
    assert_eq!(series(), before);
    drop(stream);
    server.finish().await.unwrap();
}
