//! Pages: from a server on this machine, as where GitHub is here too.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
};

use super::*;

/// A server that says what `answer` gives for the first line of a request, and
/// what was asked.
async fn server(answer: fn(&str) -> String) -> (u16, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let tell = tell.clone();
            tokio::spawn(async move {
                let (mut request, mut byte) = (Vec::new(), [0]);
                while !request.ends_with(b"\r\n\r\n") {
                    if stream.read(&mut byte).await.unwrap_or(0) == 0 {
                        return;
                    }
                    request.push(byte[0]);
                }
                let request = String::from_utf8(request).unwrap();
                let line = request.lines().next().unwrap().replace(" HTTP/1.1", "");
                let answer = answer(&line);
                tell.send(request).unwrap();
                if answer.is_empty() {
                    std::future::pending::<()>().await;
                }
                stream.write_all(answer.as_bytes()).await.unwrap();
            });
        }
    });
    (port, told)
}

fn fetcher(plain: bool) -> Fetcher {
    Fetcher { network: Network::default(), plain, patience: Duration::from_millis(500) }
}

fn answers(line: &str) -> String {
    let head = |status: &str, more: &str| format!("HTTP/1.1 {status}\r\n{more}Content-Length: 0\r\n\r\n");
    match line.split_once(' ').unwrap() {
        (_, "/policy") => head("200 OK", ""),
        ("HEAD", "/only-get") => head("405 Method Not Allowed", ""),
        ("GET", "/only-get") => head("200 OK", ""),
        (_, "/moved") => head("301 Moved Permanently", "Location: /policy#part\r\n"),
        (_, "/three") => head("302 Found", "Location: /two\r\n"),
        (_, "/two") => head("302 Found", "Location: /moved\r\n"),
        (_, "/four") => head("302 Found", "Location: /three\r\n"),
        (_, "/inside") => head("302 Found", "Location: https://169.254.169.254/latest/meta-data/\r\n"),
        (_, "/inside-6") => head("302 Found", "Location: https://[fd00:ec2::254]/\r\n"),
        (_, "/port") => head("302 Found", "Location: https://agency.example.gov:22/\r\n"),
        (_, "/ftp") => head("302 Found", "Location: ftp://localhost/policy\r\n"),
        (_, "/odd") => head("302 Found", "Location: //localhost/policy\r\n"),
        (_, "/slow") => String::new(),
        _ => head("404 Not Found", ""),
    }
}

#[tokio::test]
async fn a_page_is_asked_for_plainly_and_followed_three_times_at_most() {
    let (port, mut told) = server(answers).await;
    let there = || Ok(StatusCode::OK);
    let inner = |address: &str| {
        let found = Reach::Public.allows_literal(address).unwrap_err();
        Err(Refused::Address(found))
    };
    for (path, expected) in [
        ("/policy", there()),
        ("/only-get", there()),
        ("/moved", there()),
        ("/three", there()),
        ("/four", Err(Refused::Redirects)),
        ("/nothing", Err(Refused::Status(404))),
        ("/inside", inner("169.254.169.254")),
        ("/inside-6", inner("fd00:ec2::254")),
        ("/port", Err(Refused::Host { host: "agency.example.gov:22".to_owned() })),
        ("/ftp", Err(Refused::Form)),
        ("/odd", Err(Refused::Form)),
        ("/slow", Err(Refused::Slow(0))),
    ] {
        let found = fetcher(true).page(&format!("http://127.0.0.1:{port}{path}")).await;
        assert_eq!(found, expected, "{path}");
    }
    let mut requests = 0;
    while let Ok(request) = told.try_recv() {
        requests += 1;
        let request = request.to_lowercase();
        for header in ["authorization:", "cookie:", "referer:"] {
            assert!(!request.contains(header), "{request}");
        }
    }
    assert!(requests > 12, "{requests}");
}

#[tokio::test]
async fn o1_no_page_inside_is_asked_for() {
    let (port, mut told) = server(answers).await;
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1", "[fe80::1]", "[::1]"] {
        let found = fetcher(false).page(&format!("https://{host}/")).await;
        assert!(matches!(found, Err(Refused::Address(_))), "{host}: {found:?}");
    }
    // A name is resolved first.
    let found = fetcher(false).page("https://localhost/").await;
    assert!(matches!(found, Err(Refused::Address(_))), "{found:?}");
    for url in [
        format!("http://127.0.0.1:{port}/policy"),
        "http://localhost/".to_owned(),
        "ftp://localhost/".to_owned(),
        "https://user@localhost/".to_owned(),
        "https://".to_owned(),
        "x".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        assert_eq!(fetcher(false).page(&url).await, Err(Refused::Form), "{url}");
    }
    let found = fetcher(false).page(&format!("https://127.0.0.1:{port}/policy")).await;
    assert!(matches!(found, Err(Refused::Host { .. })), "{found:?}");
    assert!(told.try_recv().is_err(), "somebody was asked");
}
