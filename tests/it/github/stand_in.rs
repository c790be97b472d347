//! A server on loopback that answers what a test says, and the values the
//! client's tests share.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    response::Response,
};
use base64::Engine as _;
use http::{HeaderMap, Method, StatusCode, header};
use jiff::Timestamp;
use muster::{
    clock::Clock,
    domain::{
        outgoing::PublicText,
        pace::Written,
        repository::{InstallationId, RepositoryId, Visibility},
    },
    github::{App, Endpoints, GitHub, OurNames, Pace, Target, Turn, Writer},
};
use secrecy::SecretString;
use serde_json::{Value, json};

pub(crate) const ONE: InstallationId = InstallationId(1);
pub(crate) const TWO: InstallationId = InstallationId(2);

/// A request as the stand-in saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn token(&self) -> Option<&str> {
        self.headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
    }
}

type Answers = Arc<dyn Fn(&Seen, usize) -> Response + Send + Sync>;

/// A server on loopback that answers what a test says.
pub(crate) struct StandIn {
    pub(crate) origin: String,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
}

impl StandIn {
    /// `answers` gets each request, and how many of its kind came before.
    pub(crate) async fn start(answers: impl Fn(&Seen, usize) -> Response + Send + Sync + 'static) -> StandIn {
        let (seen, router) = StandIn::router(answers);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        StandIn { origin, seen }
    }

    /// The same behind TLS, at `https://localhost`.
    pub(crate) async fn start_tls(
        tls: Arc<rustls::ServerConfig>,
        answers: impl Fn(&Seen, usize) -> Response + Send + Sync + 'static,
    ) -> StandIn {
        let (seen, router) = StandIn::router(answers);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let acceptor = tokio_rustls::TlsAcceptor::from(tls);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, router) = (acceptor.clone(), router.clone());
                tokio::spawn(async move {
                    // A client that does not trust us ends here.
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = hyper_util::service::TowerToHyperService::new(router);
                    let io = hyper_util::rt::TokioIo::new(stream);
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
                });
            }
        });
        StandIn { origin, seen }
    }

    fn router(
        answers: impl Fn(&Seen, usize) -> Response + Send + Sync + 'static,
    ) -> (Arc<Mutex<Vec<Seen>>>, Router) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let state: (Answers, Arc<Mutex<Vec<Seen>>>) = (Arc::new(answers), Arc::clone(&seen));
        (seen, Router::new().fallback(dated).with_state(state))
    }

    pub(crate) fn endpoints(&self) -> Endpoints {
        Endpoints::new(&self.origin, None).unwrap()
    }

    pub(crate) fn with_token(&self) -> GitHub {
        GitHub::with_token(self.endpoints(), SecretString::from("plain"), clock()).unwrap()
    }

    pub(crate) fn with_app(&self) -> GitHub {
        GitHub::with_app(self.endpoints(), app(1), clock()).unwrap()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, method: &Method, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.method == *method && seen.path == path).count()
    }
}

/// The answer with the time of our clock, unless it has one.
async fn dated(state: State<(Answers, Arc<Mutex<Vec<Seen>>>)>, request: Request) -> Response {
    let mut response = answer(state, request).await;
    response.headers_mut().entry(header::DATE).or_insert_with(|| date(clock().now()));
    response
}

/// A moment as the header `Date` has it.
pub(crate) fn date(at: Timestamp) -> http::HeaderValue {
    let text = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap();
    text.parse().unwrap()
}

async fn answer(
    State((answers, all)): State<(Answers, Arc<Mutex<Vec<Seen>>>)>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let path = parts.uri.path_and_query().unwrap().to_string();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let seen = Seen { method: parts.method, path, headers: parts.headers, body };
    let before = {
        let mut all = all.lock().unwrap();
        let same = |other: &&Seen| other.method == seen.method && other.path == seen.path;
        let before = all.iter().filter(same).count();
        all.push(seen.clone());
        before
    };
    if let Some(id) = seen.path.strip_prefix("/app/installations/").and_then(|rest| rest.split('/').next()) {
        // The long form, with dots; numbered, so that a test can tell them apart.
        let token = format!("ghs_{id}_{before}.{}", "x".repeat(500));
        let expires = clock().now() + Duration::from_secs(3600);
        let answer = answers(&seen, before);
        if answer.status() != StatusCode::NOT_FOUND {
            return answer;
        }
        return reply(201, json!({ "token": token, "expires_at": expires.to_string() }));
    }
    answers(&seen, before)
}

pub(crate) fn reply(status: u16, body: Value) -> Response {
    Response::builder().status(status).body(Body::from(body.to_string())).unwrap()
}

pub(crate) fn nothing() -> Response {
    reply(404, json!({ "message": "Not Found" }))
}

pub(crate) fn with(mut response: Response, name: &'static str, value: &str) -> Response {
    response.headers_mut().insert(name, value.parse().unwrap());
    response
}

/// An answer that breaks off.
pub(crate) fn broken() -> Response {
    let parts = [Ok(Bytes::from_static(b"{\"id\":")), Err(std::io::Error::other("the line broke"))];
    Response::new(Body::from_stream(futures_util::stream::iter(parts)))
}

pub(crate) fn clock() -> Clock {
    static CLOCK: OnceLock<Timestamp> = OnceLock::new();
    Clock::stepped(*CLOCK.get_or_init(|| Timestamp::from_second(1_800_000_000).unwrap()))
}

/// The client id of the App here.
pub(crate) const ISSUER: &str = "Iv1.0123456789abcdef";

/// The App with this many keys, made once.
pub(crate) fn app(keys: usize) -> App {
    static PEMS: OnceLock<Vec<SecretString>> = OnceLock::new();
    let pems = PEMS.get_or_init(|| {
        use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
        let pem = || {
            let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
            let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
            let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
            SecretString::from(format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"))
        };
        vec![pem(), pem()]
    });
    App::new(ISSUER, &pems[..keys]).unwrap()
}

pub(crate) fn target() -> Target {
    Target {
        id: RepositoryId(42),
        node_id: "R_42".to_owned(),
        name: "agency/site".parse().unwrap(),
        visibility: Visibility::Public,
    }
}

/// Leave for whatever is asked.
pub(crate) fn with_leave(github: &GitHub) -> GitHub {
    github.clone().with_leave(|_, _, _| async { Ok(Turn::Now) })
}

/// Leave by what was written, as the database gives it.
pub(crate) fn paced(github: &GitHub, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> GitHub {
    let written = Mutex::new(Vec::new());
    github.clone().with_leave(move |_, pieces, pace| {
        let (mut written, now) = (written.lock().unwrap(), now());
        let turn = pace.turn(&written, pieces, now);
        if turn == Turn::Now {
            written.push(Written { at: now, pieces, hourly: true });
        }
        std::future::ready(Ok(turn))
    })
}

pub(crate) fn writer(github: &GitHub) -> Writer {
    with_leave(github).writer(ONE, target(), Pace::default()).unwrap()
}

pub(crate) fn text() -> PublicText {
    PublicText::about(Visibility::Public).say("Words.")
}

pub(crate) fn names() -> OurNames {
    OurNames {
        prefix: "muster/".to_owned(),
        label: "open-source-compliance".to_owned(),
        files_branch: "muster/files".to_owned(),
        license_branch: "muster/license".to_owned(),
        code_json_branch: "muster/code-json".to_owned(),
    }
}

pub(crate) fn listed(id: u64) -> Value {
    json!({"id": id, "node_id": format!("R_{id}"), "full_name": format!("agency/r{id}"), "private": true,
        "visibility": "private", "archived": false, "fork": false, "pushed_at": null, "default_branch": "main"})
}

pub(crate) fn made() -> Value {
    json!({"id": 9, "number": 3, "node_id": "I_9", "html_url": "https://github.example/agency/site/issues/3"})
}
