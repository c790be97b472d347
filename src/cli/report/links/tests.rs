use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;

use super::*;

/// A server that says what `answer` gives for the first line of a request; the
/// lines with what came, and one that believes it.
async fn server(answer: fn(&str) -> String) -> (u16, mpsc::UnboundedReceiver<String>, Checker) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, tell) = (acceptor.clone(), tell.clone());
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let (mut request, mut more) = (Vec::new(), [0; 1024]);
                while !request.ends_with(b"\r\n\r\n") {
                    match stream.read(&mut more).await {
                        Ok(1..) => request.extend(more.iter().take_while(|byte| **byte != 0)),
                        Ok(0) | Err(_) => return,
                    }
                    more = [0; 1024];
                }
                let request = String::from_utf8(request).unwrap();
                let line = request.lines().next().unwrap().replace(" HTTP/1.1", "");
                let answer = answer(&line);
                tell.send(request).unwrap();
                if !answer.is_empty() {
                    stream.write_all(answer.as_bytes()).await.unwrap();
                } else {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    // The server stands for one on the Internet; all else is judged as ever.
    let checker =
        Checker::new(roots, |address| address.is_loopback() || is_public(address), |_| true).unwrap();
    (port, told, checker)
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
        (_, "/plain") => head("302 Found", "Location: http://localhost/policy\r\n"),
        (_, "/odd") => head("302 Found", "Location: //localhost/policy\r\n"),
        (_, "/slow") => String::new(),
        _ => head("404 Not Found", ""),
    }
}

#[tokio::test]
async fn a_page_is_asked_for_plainly_and_followed_three_times_at_most() {
    let (port, mut told, mut checker) = server(answers).await;
    checker.patience = Duration::from_millis(500);
    for (path, expected) in [
        ("/policy", Ok(StatusCode::OK)),
        ("/only-get", Ok(StatusCode::OK)),
        ("/moved", Ok(StatusCode::OK)),
        ("/three", Ok(StatusCode::OK)),
        ("/four", Err(Missing::Redirects)),
        ("/nothing", Err(Missing::Status(StatusCode::NOT_FOUND))),
        ("/inside", Err(Missing::Inner)),
        ("/inside-6", Err(Missing::Inner)),
        ("/plain", Err(Missing::Address)),
        ("/odd", Err(Missing::Address)),
        ("/slow", Err(Missing::Slow)),
    ] {
        assert_eq!(checker.page(&format!("https://localhost:{port}{path}")).await, expected, "{path}");
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
async fn o1_nothing_inside_is_connected_to() {
    let (port, mut told, believing) = server(answers).await;
    let strict = Checker { may: is_public, ..believing };
    for url in [
        format!("https://localhost:{port}/policy"),
        format!("https://127.0.0.1:{port}/policy"),
        format!("https://[::ffff:127.0.0.1]:{port}/policy"),
        "https://169.254.169.254/latest/meta-data/".to_owned(),
        "https://10.0.0.1/".to_owned(),
        "https://[fe80::1]/".to_owned(),
    ] {
        assert_eq!(strict.page(&url).await, Err(Missing::Inner), "{url}");
    }
    for url in [
        "http://localhost/",
        "ftp://localhost/",
        "https://user@localhost/",
        "https://",
        "x",
        "file:///etc/passwd",
    ] {
        assert_eq!(strict.page(url).await, Err(Missing::Address), "{url}");
    }
    let usual = Checker { ports: |port| port == 443, ..strict };
    assert_eq!(usual.page("https://agency.example.gov:22/").await, Err(Missing::Address));
    assert!(told.try_recv().is_err(), "somebody was asked");
}

#[tokio::test]
async fn o9_a_host_that_cannot_prove_its_name_is_not_there() {
    let (port, mut told, believing) = server(answers).await;
    let other = Checker::new(RootCertStore::empty(), |_| true, |_| true).unwrap();
    assert_eq!(other.page(&format!("https://localhost:{port}/policy")).await, Err(Missing::Unreached));
    assert_eq!(believing.page(&format!("https://127.0.0.1:{port}/policy")).await, Err(Missing::Unreached));
    assert!(told.try_recv().is_err());
}
