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
        (_, "/archive") => "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd".to_owned(),
        (_, "/cut") => "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcd".to_owned(),
        (_, "/large") => head("200 OK", "").replace(": 0", ": 104857601"),
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

#[test]
fn o2_an_archive_comes_from_githubs_own_host_alone() {
    let hosts =
        Hosts { public: vec!["codeload.github.com".to_owned()], private: vec!["git.agency.gov".to_owned()] };
    let may =
        |plain, url: &str| fetcher(plain).may_ask(&url.parse().unwrap(), Allowed::Archives(&hosts)).is_ok();
    assert!(may(false, "https://codeload.github.com/agency/site/legacy.tar.gz/main?token=x"));
    assert!(may(false, "https://git.agency.gov/_codeload/agency/site"));
    for elsewhere in [
        "https://evil.example/agency/site",
        "https://codeload.github.com.evil.example/agency/site",
        "http://codeload.github.com/agency/site",
        "https://codeload.github.com:8443/agency/site",
        "https://user@codeload.github.com/agency/site",
        "https://169.254.169.254/latest/meta-data/",
        "https://127.0.0.1/agency/site",
        "http://127.0.0.1/agency/site",
    ] {
        assert!(!may(false, elsewhere), "{elsewhere}");
    }
    // Where GitHub is on this machine, its archives are too.
    assert!(may(true, "http://127.0.0.1:7/agency/site") && !may(true, "https://evil.example/"));
}

#[tokio::test]
async fn an_archive_comes_whole_or_is_refused() {
    let (port, mut told) = server(answers).await;
    let hosts = Hosts::default();
    let get = async |path: &str| {
        let mut download = fetcher(true).download(&format!("http://127.0.0.1:{port}{path}"), &hosts).await?;
        let mut all = Vec::new();
        while let Some(piece) = download.next().await? {
            all.extend(piece);
        }
        Ok::<_, Refused>(all)
    };
    assert_eq!(get("/archive").await, Ok(b"abcd".to_vec()));
    let asked = told.recv().await.unwrap().to_ascii_lowercase();
    assert!(!asked.contains("authorization"), "{asked}");
    assert_eq!(get("/cut").await, Err(Refused::BrokenOff));
    assert_eq!(get("/large").await, Err(Refused::TooLarge(download::MOST_BYTES)));
    assert_eq!(get("/inside").await, Err(Refused::Host { host: "169.254.169.254".to_owned() }));
}
