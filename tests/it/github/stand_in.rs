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
        repository::{InstallationId, RepositoryId, Visibility},
    },
    github::{App, Endpoints, GitHub, OurNames, Pace, Target, Turn, Writer},
};
use secrecy::SecretString;
use serde_json::{Value, json};

pub(super) const ONE: InstallationId = InstallationId(1);
pub(super) const TWO: InstallationId = InstallationId(2);

/// A request as the stand-in saw it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Seen {
    pub(super) fn token(&self) -> Option<&str> {
        self.headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
    }
}

type Answers = Arc<dyn Fn(&Seen, usize) -> Response + Send + Sync>;

/// A server on loopback that answers what a test says.
pub(super) struct StandIn {
    pub(super) origin: String,
    pub(super) seen: Arc<Mutex<Vec<Seen>>>,
}

impl StandIn {
    /// `answers` gets each request, and how many of its kind came before.
    pub(super) async fn start(answers: impl Fn(&Seen, usize) -> Response + Send + Sync + 'static) -> StandIn {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let state: (Answers, Arc<Mutex<Vec<Seen>>>) = (Arc::new(answers), Arc::clone(&seen));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(state);
        tokio::spawn(async move { axum::serve(listener, router).await });
        StandIn { origin, seen }
    }

    pub(super) fn endpoints(&self) -> Endpoints {
        Endpoints::new(&self.origin, None).unwrap()
    }

    pub(super) fn with_token(&self) -> GitHub {
        GitHub::with_token(self.endpoints(), SecretString::from("plain"), clock()).unwrap()
    }

    pub(super) fn with_app(&self) -> GitHub {
        GitHub::with_app(self.endpoints(), app(1), clock()).unwrap()
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn count(&self, method: &Method, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.method == *method && seen.path == path).count()
    }
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

pub(super) fn reply(status: u16, body: Value) -> Response {
    Response::builder().status(status).body(Body::from(body.to_string())).unwrap()
}

pub(super) fn nothing() -> Response {
    reply(404, json!({ "message": "Not Found" }))
}

pub(super) fn with(mut response: Response, name: &'static str, value: &str) -> Response {
    response.headers_mut().insert(name, value.parse().unwrap());
    response
}

/// An answer that breaks off.
pub(super) fn broken() -> Response {
    let parts = [Ok(Bytes::from_static(b"{\"id\":")), Err(std::io::Error::other("the line broke"))];
    Response::new(Body::from_stream(futures_util::stream::iter(parts)))
}

pub(super) fn clock() -> Clock {
    static CLOCK: OnceLock<Timestamp> = OnceLock::new();
    Clock::stepped(*CLOCK.get_or_init(|| Timestamp::from_second(1_800_000_000).unwrap()))
}

/// The App with this many keys, made once.
pub(super) fn app(keys: usize) -> App {
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
    App::new("Iv1.0123456789abcdef", &pems[..keys]).unwrap()
}

pub(super) fn target() -> Target {
    Target {
        id: RepositoryId(42),
        node_id: "R_42".to_owned(),
        name: "agency/site".parse().unwrap(),
        visibility: Visibility::Public,
    }
}

/// Leave for whatever is asked.
pub(super) fn with_leave(github: &GitHub) -> GitHub {
    github.clone().with_leave(|_, _, _| async { Ok(Turn::Now) })
}

pub(super) fn writer(github: &GitHub) -> Writer {
    with_leave(github).writer(ONE, target(), Pace::default()).unwrap()
}

pub(super) fn text() -> PublicText {
    PublicText::about(Visibility::Public).say("Words.")
}

pub(super) fn names() -> OurNames {
    OurNames {
        prefix: "muster/".to_owned(),
        label: "open-source-compliance".to_owned(),
        files_branch: "muster/files".to_owned(),
        license_branch: "muster/license".to_owned(),
    }
}

pub(super) fn listed(id: u64) -> Value {
    json!({"id": id, "node_id": format!("R_{id}"), "full_name": format!("agency/r{id}"), "private": true,
        "visibility": "private", "archived": false, "fork": false, "pushed_at": null, "default_branch": "main"})
}

pub(super) fn made() -> Value {
    json!({"id": 9, "number": 3, "node_id": "I_9", "html_url": "https://github.example/agency/site/issues/3"})
}
