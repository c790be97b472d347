//! The way to GitHub, over real TLS with an authority of the test's own and
//! through a real proxy (threats O9).

use std::sync::{Arc, Mutex};

use muster::{
    domain::{inventory::Hosts, outgoing::Line, repository::RepositoryId},
    github::{
        Endpoints, Error, GitHub,
        fetch::{Fetched, Refused, Wanted},
        network::Network,
    },
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use secrecy::SecretString;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use super::stand_in::*;

/// An agency's own authority.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Authority {
        Authority::named("An agency's authority")
    }

    fn named(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn certificate(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A server that proves to be `host`.
    fn server(&self, host: &str) -> Arc<rustls::ServerConfig> {
        self.serves(CertificateParams::new(vec![host.to_owned()]).unwrap())
    }

    fn serves(&self, params: CertificateParams) -> Arc<rustls::ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Arc::new(tls)
    }

    fn believed(&self) -> Network {
        Network::default().believing([self.certificate()])
    }
}

async fn speaks_tls(authority: &Authority, host: &str) -> StandIn {
    StandIn::start_tls(authority.server(host), |seen, _| match seen.path.as_str() {
        "/repositories/1" | "/api/v3/repositories/1" => reply(200, listed(1)),
        _ => nothing(),
    })
    .await
}

fn github(api: &str, network: Network) -> GitHub {
    let endpoints = Endpoints::new(api, None).unwrap().by(network);
    GitHub::with_token(endpoints, SecretString::from("plain"), clock()).unwrap()
}

/// Reads one repository: what came, or what was said.
async fn read(github: &GitHub) -> Result<u64, String> {
    let read = github.reader(ONE).repository_by_id(RepositoryId(1)).await;
    read.map(|found| found.id.0).map_err(|error| error.to_string())
}

#[tokio::test]
async fn o9_an_added_authority_is_believed_and_no_other() {
    let (ours, theirs) = (Authority::new(), Authority::named("Another"));
    let server = speaks_tls(&ours, "localhost").await;
    assert_eq!(read(&github(&server.origin, ours.believed())).await, Ok(1));
    // Nor one that only has the same name.
    for other in [theirs, Authority::new()] {
        let refused = read(&github(&server.origin, other.believed())).await.unwrap_err();
        assert!(refused.contains("name its file in SSL_CERT_FILE"), "{refused}");
    }
    assert_eq!(server.seen().len(), 1, "nothing was sent to whoever is not believed");
}

#[tokio::test]
async fn o9_a_wrong_host_name_and_an_old_certificate_are_refused() {
    let authority = Authority::new();
    let wrong = speaks_tls(&authority, "git.agency.example").await;
    let refused = read(&github(&wrong.origin, authority.believed())).await.unwrap_err();
    assert!(refused.contains("not that of this host"), "{refused}");
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let old = StandIn::start_tls(authority.serves(params), |_, _| reply(200, listed(1))).await;
    let refused = read(&github(&old.origin, authority.believed())).await.unwrap_err();
    assert!(refused.contains("not valid now"), "{refused}");
    assert_eq!((wrong.seen().len(), old.seen().len()), (0, 0));
}

#[tokio::test]
async fn o9_plain_http_is_spoken_to_this_machine_only() {
    for (api, allowed) in [
        ("http://127.0.0.1:9", true),
        ("http://localhost:9/api/v3", true),
        ("http://[::1]:9", true),
        ("http://git.agency.example/api/v3", false),
        ("http://api.github.com", false),
        ("http://127.0.0.1.agency.example", false),
        ("http://10.0.0.1", false),
    ] {
        assert_eq!(Endpoints::new(api, None).is_ok(), allowed, "{api}");
    }
    // And https is not spoken to where only plain HTTP is.
    let plain = StandIn::start(|_, _| reply(200, listed(1))).await;
    let https = plain.origin.replace("http://127.0.0.1", "https://localhost");
    let refused = read(&github(&https, Authority::new().believed())).await.unwrap_err();
    assert!(refused.contains("TLS 1.2"), "{refused}");
    assert_eq!(plain.seen().len(), 0);
}

/// A proxy that opens tunnels to one place, whatever host is asked for.
struct Proxy {
    address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// `answer` is the status line; the tunnel is opened if it is a 200.
    async fn start(target: &str, answer: &'static str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let target = format!("127.0.0.1:{}", target.rsplit(':').next().unwrap());
        tokio::spawn({
            let heads = Arc::clone(&heads);
            async move {
                while let Ok((mut client, _)) = listener.accept().await {
                    let (heads, target) = (Arc::clone(&heads), target.clone());
                    tokio::spawn(async move {
                        let mut head = Vec::new();
                        while !head.ends_with(b"\r\n\r\n") {
                            match client.read_u8().await {
                                Ok(byte) => head.push(byte),
                                Err(_) => return,
                            }
                        }
                        heads.lock().unwrap().push(String::from_utf8(head).unwrap());
                        client.write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes()).await.unwrap();
                        if answer.starts_with("200") {
                            let mut server = TcpStream::connect(target).await.unwrap();
                            let _ = copy_bidirectional(&mut client, &mut server).await;
                        }
                    });
                }
            }
        });
        Proxy { address, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

const GHES: &str = "https://git.agency.example/api/v3";

#[tokio::test]
async fn a_proxy_opens_a_tunnel_and_sees_no_token() {
    let authority = Authority::new();
    let server = speaks_tls(&authority, "git.agency.example").await;
    let proxy = Proxy::start(&server.origin, "200 OK").await;
    let network = authority.believed().through(&format!("http://{}", proxy.address), "").unwrap();
    assert_eq!(read(&github(GHES, network)).await, Ok(1));
    let expected = "CONNECT git.agency.example:443 HTTP/1.1\r\nHost: git.agency.example:443\r\n\r\n";
    assert_eq!(proxy.heads(), [expected]);
    assert_eq!(server.seen()[0].token(), Some("plain"));
    assert_eq!(server.seen()[0].headers["host"], "git.agency.example");
    assert!(!server.seen()[0].headers.contains_key("proxy-authorization"));
}

#[tokio::test]
async fn a_proxy_is_told_who_we_are_and_nobody_else_is() {
    let authority = Authority::new();
    let server = speaks_tls(&authority, "git.agency.example").await;
    let proxy = Proxy::start(&server.origin, "200 Connection established").await;
    let with = format!("http://muster:pass%40word@{}", proxy.address);
    let network = authority.believed().through(&with, "").unwrap();
    assert_eq!(read(&github(GHES, network)).await, Ok(1));
    // `printf muster:pass@word | base64`
    let header = "\r\nProxy-Authorization: Basic bXVzdGVyOnBhc3NAd29yZA==\r\n";
    assert!(proxy.heads()[0].contains(header), "{:?}", proxy.heads());
    assert!(!server.seen()[0].headers.contains_key("proxy-authorization"));
}

#[tokio::test]
async fn a_proxy_cannot_pass_for_github() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let forged = speaks_tls(&theirs, "git.agency.example").await;
    let proxy = Proxy::start(&forged.origin, "200 OK").await;
    let network = ours.believed().through(&format!("http://{}", proxy.address), "").unwrap();
    let refused = read(&github(GHES, network)).await.unwrap_err();
    assert!(refused.contains("SSL_CERT_FILE"), "{refused}");
    assert_eq!(forged.seen().len(), 0);
}

#[tokio::test]
async fn what_the_proxy_refuses_is_said_and_never_its_password() {
    let authority = Authority::new();
    for (answer, said) in [
        ("407 Proxy Authentication Required", "refuses the user or password"),
        ("403 Forbidden", "opens no tunnel"),
        ("502 Bad Gateway", "opens no tunnel"),
    ] {
        let proxy = Proxy::start("127.0.0.1:9", answer).await;
        let with = format!("http://muster:canary@{}", proxy.address);
        let refused =
            read(&github(GHES, authority.believed().through(&with, "").unwrap())).await.unwrap_err();
        assert!(refused.contains(said) && !refused.contains("canary"), "{refused}");
        // A write that did not leave is not taken for one that may have.
        let endpoints = Endpoints::new(GHES, None).unwrap();
        let endpoints = endpoints.by(authority.believed().through(&with, "").unwrap());
        let app = GitHub::with_app(endpoints, app(1), clock()).unwrap();
        let issue = writer(&app).create_issue(&Line::of("Title"), &text(), &[]).await;
        assert!(matches!(issue, Err(Error::Transient(_))), "{issue:?}");
    }
    let nobody = authority.believed().through("http://127.0.0.1:9", "").unwrap();
    let refused = read(&github(GHES, nobody)).await.unwrap_err();
    assert!(refused.contains("the proxy cannot be reached"), "{refused}");
}

#[tokio::test]
async fn hosts_of_no_proxy_and_plain_http_go_directly() {
    let authority = Authority::new();
    let server = speaks_tls(&authority, "localhost").await;
    let proxy = Proxy::start(&server.origin, "200 OK").await;
    let through = format!("http://{}", proxy.address);
    let (direct, plain) = (server.origin.clone(), StandIn::start(|_, _| reply(200, listed(1))).await);
    for (api, except, tunnels) in [
        (direct.as_str(), "", 1),
        (direct.as_str(), "localhost", 0),
        (direct.as_str(), "agency.example, localhost", 0),
        (direct.as_str(), "*", 0),
        (direct.as_str(), "notlocalhost,host", 1),
        // Only https is asked to go through it.
        (plain.origin.as_str(), "", 0),
    ] {
        let before = proxy.heads().len();
        let network = authority.believed().through(&through, except).unwrap();
        assert_eq!(read(&github(api, network)).await, Ok(1), "{api} {except}");
        assert_eq!(proxy.heads().len() - before, tunnels, "{api} {except}");
    }
}

/// Fetches what is not GitHub's, as an import.
async fn fetch(github: &GitHub, url: &str, hosts: &[&str]) -> Result<Fetched, Refused> {
    let public = hosts.iter().map(|&host| host.to_owned()).collect();
    let allowed = Hosts { public, private: Vec::new() };
    github.fetcher().get(&Wanted { url, allowed: &allowed, etag: None, most: 1_000 }).await
}

#[tokio::test]
async fn o2_what_is_not_githubs_is_fetched_over_the_same_tls_without_the_token() {
    let (ours, theirs) = (Authority::new(), Authority::named("Another"));
    let server = StandIn::start_tls(ours.server("localhost"), |_, _| reply(200, listed(1))).await;
    let here = server.origin.strip_prefix("https://").unwrap();
    let url = format!("{}/code.json", server.origin);
    let plain = "http://127.0.0.1:9";
    let found = fetch(&github(plain, ours.believed()), &url, &[here]).await;
    assert!(matches!(found, Ok(Fetched::Whole { .. })), "{found:?}");
    assert_eq!(fetch(&github(plain, theirs.believed()), &url, &[here]).await, Err(Refused::Distrusted));
    // Only where GitHub is on this machine too may others be.
    let refused = fetch(&github(GHES, ours.believed()), &url, &[here]).await.unwrap_err();
    assert_eq!(refused.to_string(), "its server is on this machine, which is not asked");
    let seen = server.seen();
    assert_eq!((seen.len(), seen[0].token()), (1, None));
    assert!(!seen[0].headers.contains_key("cookie"));
}

#[tokio::test]
async fn o1_through_a_proxy_only_listed_hosts_are_asked_for() {
    let authority = Authority::new();
    let server =
        StandIn::start_tls(authority.server("code.agency.example"), |_, _| reply(200, listed(1))).await;
    let proxy = Proxy::start(&server.origin, "200 OK").await;
    let network = authority.believed().through(&format!("http://{}", proxy.address), "").unwrap();
    let github = github(GHES, network);
    let url = "https://code.agency.example/code.json";
    let found = fetch(&github, url, &["code.agency.example"]).await;
    assert!(matches!(found, Ok(Fetched::Whole { .. })), "{found:?}");
    assert_eq!(proxy.heads().len(), 1);
    for (url, hosts) in [
        (url, &["agency.example"][..]),
        ("https://code.agency.example:8443/code.json", &["code.agency.example"]),
        ("https://evil.example/code.agency.example", &["code.agency.example"]),
        ("https://code.agency.example@evil.example/", &["code.agency.example", "evil.example"]),
        ("http://code.agency.example/code.json", &["code.agency.example"]),
        ("https://169.254.169.254/latest", &["169.254.169.254"]),
        ("https://10.0.0.1/code.json", &["10.0.0.1"]),
        ("ftp://code.agency.example/code.json", &["code.agency.example"]),
        ("/code.json", &["code.agency.example"]),
    ] {
        let refused = fetch(&github, url, hosts).await.unwrap_err();
        assert!(
            matches!(refused, Refused::Host { .. } | Refused::Form | Refused::Address(_)),
            "{url}: {refused}"
        );
    }
    assert_eq!(proxy.heads().len(), 1, "nothing else left");
}
