//! Abuse test 2, "Forger": whoever reaches the socket without the secret stores
//! nothing, takes bounded memory, and keeps no true delivery out (threats
//! W1 to W5, W7).

use std::{
    io::Write,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use muster::web::Limits;
use rstest::rstest;
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::server::{Answer, Database, PATIENT, Request, SECRET, Server, guid, push, sign};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn w1_a_weak_secret_ends_the_start_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let github = github_sandbox::Sandbox::builder().start().await.unwrap();
    let listed = |other: &str| format!("{SECRET},{other}");
    let bad = [
        String::new(),
        " ".repeat(30),
        "nineteen-bytes-long".to_owned(),
        "It's a Secret to Everybody".to_owned(),
        format!(" {SECRET}"),
        format!("{SECRET}\n\n"),
        listed(""),
        listed("short"),
        listed(SECRET),
        listed(&format!(",{}", SECRET.to_uppercase())),
    ];
    for secret in bad {
        let serve = Command::new(env!("CARGO_BIN_EXE_muster"))
            .arg("serve")
            .current_dir(folder.path())
            .env_clear()
            .envs([
                ("MUSTER_DATABASE_URL", "sqlite://muster.db"),
                ("MUSTER_GITHUB_API_URL", "http://127.0.0.1:1"),
                ("MUSTER_GITHUB_URL", "http://127.0.0.1:1"),
                ("MUSTER_APP_ID", "4"),
                ("MUSTER_PRIVATE_KEY", github.private_key()),
                ("MUSTER_WEBHOOK_SECRET", secret.as_str()),
                ("MUSTER_INSTANCE_KEY", "a key of more than twenty bytes"),
                ("MUSTER_ORGANIZATIONS", "agency"),
                ("MUSTER_LISTEN", "127.0.0.1:0"),
            ])
            .output()
            .unwrap();
        let said = String::from_utf8(serve.stderr).unwrap();
        assert_eq!(serve.status.code(), Some(2), "{secret:?}: {said}");
        assert!(said.contains("1 problem") && said.contains("MUSTER_WEBHOOK_SECRET"), "{secret:?}: {said}");
        assert!(!said.contains(SECRET) && !folder.path().join("muster.db").exists(), "{secret:?}: {said}");
    }
}

#[rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test]
async fn w2_no_trick_stores_anything(#[case] database: Database) {
    let server = Server::start(database, PATIENT).await;
    let good = || Request::of("push", &push());
    let signed = sign(SECRET, &good().body);
    let of_body = |body: &str| Request::of_bytes("push", body.as_bytes().to_vec());
    let sha1 = "sha1=2fd4e1c67a2d28fced849ee1bb76e7391b93eb12";
    let long = format!("X-Padding: {}", "x".repeat(20 * 1024));
    let mut tricks: Vec<(&str, u16, Vec<u8>)> = vec![
        ("no signature", 401, good().without("X-Hub-Signature-256").bytes()),
        ("SHA-1 only", 401, good().without("X-Hub-Signature-256").and("X-Hub-Signature", sha1).bytes()),
        ("doubled signature", 401, good().and("X-Hub-Signature-256", &signed).bytes()),
        (
            "two signatures in one",
            401,
            good().with("X-Hub-Signature-256", &format!("{signed}, {signed}")).bytes(),
        ),
        ("empty signature", 401, good().with("X-Hub-Signature-256", "").bytes()),
        ("bare digits", 401, good().with("X-Hub-Signature-256", &signed[7..]).bytes()),
        ("short", 401, good().with("X-Hub-Signature-256", &signed[..70]).bytes()),
        ("long", 401, good().with("X-Hub-Signature-256", &format!("{signed}0")).bytes()),
        (
            "not hexadecimal",
            401,
            good().with("X-Hub-Signature-256", &signed.replace(&signed[70..], "z")).bytes(),
        ),
        ("another algorithm", 401, good().with("X-Hub-Signature-256", &signed.replace("256", "512")).bytes()),
        ("the empty key", 401, good().with("X-Hub-Signature-256", &sign("", &good().body)).bytes()),
        ("the documented key", 401, {
            good().with("X-Hub-Signature-256", &sign("It's a Secret to Everybody", &good().body)).bytes()
        }),
        (
            "a wrong key",
            401,
            good().with("X-Hub-Signature-256", &sign("a secret nobody has told", b"")).bytes(),
        ),
        ("another body", 401, Request { body: vec![b' '; good().body.len()], ..good() }.bytes()),
        ("no body", 401, good().without("Content-Length").head()),
        ("a form", 415, good().with("Content-Type", "application/x-www-form-urlencoded").bytes()),
        ("text", 415, good().with("Content-Type", "text/plain").bytes()),
        ("no content type", 415, good().without("Content-Type").bytes()),
        ("two content types", 415, good().and("Content-Type", "application/json").bytes()),
        ("too large", 413, good().with("Content-Length", &(25 * MIB + 1).to_string()).head()),
        ("no length at all", 400, good().with("Content-Length", "ten").bytes()),
        ("two lengths", 400, good().and("Content-Length", "1").bytes()),
        ("no GUID", 400, good().without("X-GitHub-Delivery").bytes()),
        ("GUID is no UUID", 400, good().with("X-GitHub-Delivery", "../../etc/passwd").bytes()),
        ("two GUIDs", 400, good().and("X-GitHub-Delivery", &guid()).bytes()),
        ("no event", 400, good().without("X-GitHub-Event").bytes()),
        ("two events", 400, good().and("X-GitHub-Event", "ping").bytes()),
        ("event is no word", 400, good().with("X-GitHub-Event", "push'); DROP TABLE delivery; --").bytes()),
        ("hook is no number", 400, good().with("X-GitHub-Hook-ID", "one").bytes()),
        (
            "headers too large",
            431,
            [b"POST /webhook HTTP/1.1\r\n".to_vec(), long.into(), b"\r\n\r\n".to_vec()].concat(),
        ),
        ("not JSON", 400, of_body("payload=%7B%7D").bytes()),
        ("JSON, no object", 400, of_body("[]").bytes()),
        ("not UTF-8", 400, Request::of_bytes("push", b"{\"ref\": \"\xff\"}".to_vec()).bytes()),
        ("half an object", 400, of_body("{\"ref\": ").bytes()),
        ("deep nesting", 400, of_body(&"[".repeat(100_000)).bytes()),
        ("deep nesting of ours", 400, of_body(&format!("{{\"ref\": {}", "[".repeat(100_000))).bytes()),
        ("empty", 400, of_body("").bytes()),
        ("GET", 405, b"GET /webhook HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        ("PUT", 405, b"PUT /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".to_vec()),
        ("another path", 404, Request { path: "/webhook/", ..good() }.bytes()),
    ];
    for name in ["issues", "issue_comment", "pull_request"] {
        tricks.push(("an event its body is not", 400, good().with("X-GitHub-Event", name).bytes()));
    }
    for (trick, status, bytes) in tricks {
        let answer = server.send(bytes).await;
        assert_eq!(answer.status, status, "{trick}: {}", answer.body);
    }
    assert_eq!(server.rows().await, (0, 0));
    assert_eq!(server.send(good().bytes()).await.status, 202);
    server.finish().await.unwrap();
}

#[tokio::test]
async fn the_form_says_what_to_choose() {
    let server = Server::start(Database::Sqlite, PATIENT).await;
    let form = Request::of("push", &push()).with("Content-Type", "application/x-www-form-urlencoded");
    let answer = server.send(form.bytes()).await;
    assert!(answer.body.contains("Choose the content type application/json"), "{}", answer.body);
    server.finish().await.unwrap();
}

#[tokio::test]
async fn w2_a_refusal_by_the_header_waits_for_no_body() {
    let server = Server::start(Database::Sqlite, PATIENT).await;
    let announced = Request::of("push", &push()).with("Content-Length", &(25 * MIB).to_string());
    for (request, status) in [
        (announced.clone().without("X-Hub-Signature-256"), 401),
        (announced.clone().with("Content-Type", "text/plain"), 415),
        (announced.clone().without("X-GitHub-Delivery"), 400),
        (announced.with("Content-Length", "9999999999999"), 413),
    ] {
        assert_eq!(server.send(request.head()).await.status, status);
    }
    server.finish().await.unwrap();
}

#[tokio::test]
async fn w5_a_body_without_length_is_counted_as_it_comes() {
    let server = Server::start(Database::Sqlite, PATIENT).await;
    let chunked = |request: Request| request.without("Content-Length").and("Transfer-Encoding", "chunked");
    let small = Request::of("push", &push());
    let length = format!("{:x}\r\n", small.body.len());
    let body = small.body.clone();
    let bytes = [&chunked(small).head(), length.as_bytes(), &body, b"\r\n0\r\n\r\n"].concat();
    assert_eq!(server.send(bytes).await.status, 202);

    let mut stream = server.connect().await;
    stream.write_all(&chunked(Request::of("push", &push())).head()).await.unwrap();
    let chunk = [format!("{MIB:x}\r\n").into_bytes(), vec![b' '; MIB], b"\r\n".to_vec()].concat();
    let (mut reader, mut writer) = stream.into_split();
    // It is refused while it is still sending.
    let sending = tokio::spawn(async move { while writer.write_all(&chunk).await.is_ok() {} });
    let mut answer = [0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut reader, &mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    drop(reader);
    sending.await.unwrap();
    assert_eq!(server.rows().await, (1, 1));
    server.finish().await.unwrap();
}

#[tokio::test]
async fn w5_large_bodies_wait_outside_and_small_ones_come_in() {
    let server = Server::start(Database::Sqlite, PATIENT).await;
    let announced = Request::of("push", &push()).with("Content-Length", &(25 * MIB).to_string());
    let mut slow = Vec::new();
    for _ in 0..2 {
        slow.push(begin(&server, &announced).await);
    }
    let answer = server.send(announced.head()).await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.head.contains("\r\nretry-after: 10"), "{}", answer.head);
    assert_eq!(server.send(Request::of("push", &push()).bytes()).await.status, 202);

    // One of them gives up: there is room again for a large true one.
    drop(slow.pop());
    let large = padded(20 * MIB);
    let status = loop {
        match server.send(large.bytes()).await.status {
            // The server has not yet seen that the other has gone.
            503 => tokio::task::yield_now().await,
            status => break status,
        }
    };
    assert_eq!(status, 202);
    drop(slow);
    server.finish().await.unwrap();
}

#[tokio::test]
async fn w5_slow_senders_keep_no_true_delivery_out() {
    let server = Server::start(Database::Sqlite, PATIENT).await;
    let mut senders = Vec::new();
    for announced in [25 * MIB, 25 * MIB, 60 * 1024, 0] {
        for _ in 0..50 {
            let request = Request::of("push", &push()).with("Content-Length", &announced.to_string());
            let mut stream = server.connect().await;
            // Who announces nothing does not even finish its header.
            let head = request.head();
            let head = if announced == 0 { &head[..40] } else { &head };
            stream.write_all(head).await.unwrap();
            // Some are refused already, so that this may fail.
            let _ = stream.write_all(&vec![b' '; announced.min(50 * 1024)]).await;
            senders.push(stream);
        }
    }
    assert_eq!(server.send(Request::of("push", &push()).bytes()).await.status, 202);
    assert_eq!(server.rows().await, (1, 1));
    assert!(peak_memory() < 128 * MIB, "{} MiB", peak_memory() / MIB);
    drop(senders);
    server.finish().await.unwrap();
}

#[tokio::test]
async fn w5_a_sender_has_its_time_and_no_more() {
    let soon = Duration::from_millis(50);
    let server = Server::start(Database::Sqlite, Limits { header: soon, body: soon, ..PATIENT }).await;
    let delivery = Request::of("push", &push());
    let mut stream = begin(&server, &delivery).await;
    let answer = Answer::read(&mut stream).await;
    assert_eq!(answer.status, 408);
    assert!(answer.head.contains("\r\nconnection: close"), "{}", answer.head);

    let mut stream = server.connect().await;
    stream.write_all(b"POST /webhook HTTP/1.1\r\nHost: ").await.unwrap();
    let mut rest = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await.unwrap();
    assert!(!rest.starts_with(b"HTTP/1.1 2"), "{rest:?}");
    assert_eq!(server.rows().await, (0, 0));
    server.finish().await.unwrap();
}

#[tokio::test]
async fn w7_nothing_of_a_header_body_or_signature_is_logged_or_stored() {
    const CANARY: &str = "canary7f3a";
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let server = Server::start(Database::Sqlite, PATIENT).await;
    let mut telling = push();
    telling["canary7f3a"] = json!("canary7f3a");
    let canaries = |request: Request| {
        [
            "X-GitHub-Encoded-Secret",
            "Authorization",
            "Cookie",
            "X-Hub-Signature",
            "X-Forwarded-For",
            "User-Agent",
        ]
        .iter()
        .fold(request, |request, name| request.and(name, CANARY))
    };
    for (request, status) in [
        (Request::of("push", &push()), 202),
        (Request::of("push", &telling).with("X-Hub-Signature-256", CANARY), 401),
        (Request::of("push", &telling).with("X-Hub-Signature-256", &sign("no such secret", b"")), 401),
        (Request::of("push", &push()).with("X-GitHub-Delivery", CANARY), 400),
        (Request::of("push", &push()).with("Content-Type", CANARY), 415),
        (Request::of(CANARY, &json!({"ref": CANARY})), 202),
        (Request::of("issues", &telling), 400),
        (Request::of_bytes("push", CANARY.as_bytes().to_vec()), 400),
    ] {
        let answer = server.send(canaries(request).bytes()).await;
        assert_eq!(answer.status, status);
        assert!(!(answer.head + &answer.body).contains(CANARY));
    }
    server.store.close().await;
    assert_eq!(server.send(canaries(Request::of("push", &telling)).bytes()).await.status, 503);

    let folder = server.folder.path().to_owned();
    let kept: Vec<u8> = std::fs::read_dir(&folder)
        .unwrap()
        .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    assert!(kept.windows(5).any(|five| five == b"alice"), "the stored delivery is not in the file");
    assert!(!kept.windows(CANARY.len()).any(|ten| ten == CANARY.as_bytes()), "the database holds the canary");
    let log = log.text();
    assert!(log.contains("a delivery was not taken"), "{log}");
    for secret in [CANARY, SECRET, "alice", &sign(SECRET, &Request::of("push", &push()).body)[7..]] {
        assert!(!log.contains(secret), "the log tells {secret}");
    }
}

/// Sends the header and the first bytes of the body, and sees that the server
/// reads them: a younger connection has been answered.
async fn begin(server: &Server, request: &Request) -> TcpStream {
    let mut stream = server.connect().await;
    stream.write_all(&[request.head(), b"{".to_vec()].concat()).await.unwrap();
    server.send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    stream
}

/// A true delivery of about this many bytes.
fn padded(bytes: usize) -> Request {
    let mut body = push();
    body["padding"] = json!("x".repeat(bytes));
    Request::of("push", &body)
}

/// The most memory this process has had, in bytes (Linux, `VmHWM`).
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// What was logged.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}
