//! The GitHub client against a stand-in that misbehaves on purpose: each trap
//! of octocrab and of the platform is answered, and here is how.

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
        outgoing::{Line, PublicText},
        repository::{AccountId, InstallationId, Login, ObjectId, RepositoryId, Visibility},
    },
    github::{
        App, Endpoints, Error, GitHub, NewPullRequest, OurNames, Pace, Refusal, Role, Start, Target, Writer,
    },
};
use secrecy::SecretString;
use serde_json::{Value, json};

const ONE: InstallationId = InstallationId(1);
const TWO: InstallationId = InstallationId(2);

/// A request as the stand-in saw it.
#[derive(Debug, Clone)]
struct Seen {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Value,
}

impl Seen {
    fn token(&self) -> Option<&str> {
        self.headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
    }
}

type Answers = Arc<dyn Fn(&Seen, usize) -> Response + Send + Sync>;

/// A server on loopback that answers what a test says.
struct StandIn {
    origin: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl StandIn {
    /// `answers` gets each request, and how many of its kind came before.
    async fn start(answers: impl Fn(&Seen, usize) -> Response + Send + Sync + 'static) -> StandIn {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let state: (Answers, Arc<Mutex<Vec<Seen>>>) = (Arc::new(answers), Arc::clone(&seen));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(state);
        tokio::spawn(async move { axum::serve(listener, router).await });
        StandIn { origin, seen }
    }

    fn endpoints(&self) -> Endpoints {
        Endpoints::new(&self.origin, None).unwrap()
    }

    fn with_token(&self) -> GitHub {
        GitHub::with_token(self.endpoints(), SecretString::from("plain"), clock()).unwrap()
    }

    fn with_app(&self) -> GitHub {
        GitHub::with_app(self.endpoints(), app(1), clock()).unwrap()
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn count(&self, method: &Method, path: &str) -> usize {
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

fn reply(status: u16, body: Value) -> Response {
    Response::builder().status(status).body(Body::from(body.to_string())).unwrap()
}

fn nothing() -> Response {
    reply(404, json!({ "message": "Not Found" }))
}

fn with(mut response: Response, name: &'static str, value: &str) -> Response {
    response.headers_mut().insert(name, value.parse().unwrap());
    response
}

/// An answer that breaks off.
fn broken() -> Response {
    let parts = [Ok(Bytes::from_static(b"{\"id\":")), Err(std::io::Error::other("the line broke"))];
    Response::new(Body::from_stream(futures_util::stream::iter(parts)))
}

fn clock() -> Clock {
    static CLOCK: OnceLock<Timestamp> = OnceLock::new();
    Clock::stepped(*CLOCK.get_or_init(|| Timestamp::from_second(1_800_000_000).unwrap()))
}

/// The App with this many keys, made once.
fn app(keys: usize) -> App {
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

fn target() -> Target {
    Target {
        id: RepositoryId(42),
        node_id: "R_42".to_owned(),
        name: "agency/site".parse().unwrap(),
        visibility: Visibility::Public,
    }
}

fn writer(github: &GitHub) -> Writer {
    github.writer(ONE, target(), Pace::default()).unwrap()
}

fn text() -> PublicText {
    PublicText::about(Visibility::Public).say("Words.")
}

fn names() -> OurNames {
    OurNames {
        prefix: "muster/".to_owned(),
        label: "open-source-compliance".to_owned(),
        files_branch: "muster/files".to_owned(),
        license_branch: "muster/license".to_owned(),
    }
}

fn listed(id: u64) -> Value {
    json!({"id": id, "node_id": format!("R_{id}"), "full_name": format!("agency/r{id}"), "private": true,
        "visibility": "private", "archived": false, "fork": false, "pushed_at": null, "default_branch": "main"})
}

fn made() -> Value {
    json!({"id": 9, "number": 3, "node_id": "I_9", "html_url": "https://github.example/agency/site/issues/3"})
}

/// A list of 250, whose pages link to the next by an absolute address.
fn pages(origin: &str, seen: &Seen) -> Response {
    let page: u64 = seen.path.rsplit_once("&page=").map_or(1, |(_, page)| page.parse().unwrap());
    let ids = ((page - 1) * 100 + 1)..=(page * 100).min(250);
    let answer = reply(200, json!({"repositories": ids.map(listed).collect::<Vec<_>>()}));
    let link = format!("<{origin}/installation/repositories?per_page=100&page={}>; rel=\"next\"", page + 1);
    if page < 3 { with(answer, "link", &link) } else { answer }
}

#[tokio::test]
async fn trap_1_every_page_carries_the_token() {
    let github = StandIn::start(|seen, _| {
        let origin = format!("http://{}", seen.headers["host"].to_str().unwrap());
        if seen.token() == Some("plain") { pages(&origin, seen) } else { nothing() }
    })
    .await;
    let all = github.with_token().reader(ONE).repositories().await.unwrap();
    assert_eq!(all.len(), 250);
    assert_eq!(github.seen().len(), 3);
    assert!(github.seen().iter().all(|seen| seen.token() == Some("plain")));
}

#[tokio::test]
async fn trap_1_no_other_host_ever_sees_a_request() {
    let canary = StandIn::start(|_, _| reply(200, json!({"repositories": []}))).await;
    let foreign = canary.origin.clone();
    let github = StandIn::start(move |seen, _| match seen.path.as_str() {
        "/repositories/1" => with(reply(301, json!({})), "location", &format!("{foreign}/repositories/1")),
        _ => pages(&foreign, seen),
    })
    .await;
    let reader = github.with_token().reader(ONE);
    assert!(matches!(reader.repositories().await, Err(Error::Permanent(_))));
    assert!(matches!(reader.repository_by_id(RepositoryId(1)).await, Err(Error::Permanent(_))));
    assert_eq!(canary.seen().len(), 0);
}

#[tokio::test]
async fn a_renamed_repository_is_followed_within_the_origin_and_no_write_is() {
    let github = StandIn::start(|seen, _| {
        let origin = format!("http://{}", seen.headers["host"].to_str().unwrap());
        match (seen.method.as_str(), seen.path.as_str()) {
            ("GET", "/repositories/1") => {
                with(reply(301, json!({})), "location", &format!("{origin}/repositories/2"))
            }
            ("GET", "/repositories/2") => reply(200, listed(2)),
            ("GET", _) => with(reply(302, json!({})), "location", &seen.path),
            ("POST", "/repos/agency/site/issues") => {
                with(reply(307, json!({})), "location", &format!("{origin}/repositories/42/issues"))
            }
            _ => nothing(),
        }
    })
    .await;
    let app = github.with_app();
    assert_eq!(app.reader(ONE).repository_by_id(RepositoryId(1)).await.unwrap().id, RepositoryId(2));
    let circle = app.reader(ONE).repository_by_id(RepositoryId(3)).await;
    assert!(matches!(circle, Err(Error::Permanent(_))));
    let moved = writer(&app).create_issue(&Line::of("Title"), &text(), &[]).await;
    assert!(matches!(moved, Err(Error::StaleData(_))));
    assert_eq!(github.count(&Method::POST, "/repositories/42/issues"), 0);
}

#[tokio::test]
async fn trap_2_graphql_of_a_server_stands_beside_its_rest() {
    let github = StandIn::start(|seen, _| match seen.path.as_str() {
        "/api/graphql" => reply(
            200,
            json!({"data": {"repository": null}, "errors": [{"type": "NOT_FOUND", "path": ["repository"]}]}),
        ),
        "/api/v3/repositories/1" => reply(200, listed(1)),
        _ => nothing(),
    })
    .await;
    let endpoints = Endpoints::new(&format!("{}/api/v3", github.origin), None).unwrap();
    let reader =
        GitHub::with_token(endpoints, SecretString::from("plain"), clock()).unwrap().token_reader().unwrap();
    let name = "agency/site".parse().unwrap();
    let answer = reader.ours(&name, RepositoryId(1), &[], &names()).await;
    assert!(matches!(answer, Err(Error::NotFound(_))), "{answer:?}");
    assert_eq!(reader.repository_by_id(RepositoryId(1)).await.unwrap().id, RepositoryId(1));
    let paths: Vec<String> = github.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, ["/api/graphql", "/api/v3/repositories/1"]);
}

#[tokio::test]
async fn trap_3_a_write_whose_answer_is_lost_is_not_sent_again() {
    for (what, lose) in [
        ("502", (|| reply(502, json!({}))) as fn() -> Response),
        ("503", || reply(503, json!({}))),
        ("breaks off", broken),
        ("not JSON", || reply(201, json!("made"))),
    ] {
        let github = StandIn::start(move |seen, _| match seen.path.as_str() {
            "/repos/agency/site/issues" | "/graphql" => lose(),
            _ => nothing(),
        })
        .await;
        let app = github.with_app();
        let issue = writer(&app).create_issue(&Line::of("Title"), &text(), &[]).await;
        assert!(matches!(issue, Err(Error::Ambiguous(_))), "{what}: {issue:?}");
        assert_eq!(github.count(&Method::POST, "/repos/agency/site/issues"), 1, "{what}");
        let pull = writer(&app).propose(&proposal(&[])).await;
        assert!(matches!(pull, Err(Error::Ambiguous(_))), "{what}: {pull:?}");
        assert_eq!(github.count(&Method::POST, "/graphql"), 1, "{what}");
    }
}

#[tokio::test]
async fn trap_3_a_read_is_tried_three_times_and_a_closed_door_is_no_lost_write() {
    let github = StandIn::start(|seen, before| match (seen.path.as_str(), before) {
        ("/repositories/1", 0) => reply(502, json!({})),
        ("/repositories/1", 1) => broken(),
        ("/repositories/1", _) => reply(200, listed(1)),
        _ => reply(500, json!({})),
    })
    .await;
    let reader = github.with_token().reader(ONE);
    assert_eq!(reader.repository_by_id(RepositoryId(1)).await.unwrap().id, RepositoryId(1));
    assert!(matches!(reader.repository_by_id(RepositoryId(2)).await, Err(Error::Transient(_))));
    assert_eq!(github.count(&Method::GET, "/repositories/1"), 3);
    assert_eq!(github.count(&Method::GET, "/repositories/2"), 3);
    // Nobody listens: the request cannot have arrived.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let nobody = GitHub::with_app(Endpoints::new(&closed, None).unwrap(), app(1), clock()).unwrap();
    let issue = writer(&nobody).create_issue(&Line::of("Title"), &text(), &[]).await;
    assert!(matches!(issue, Err(Error::Transient(_))), "{issue:?}");
}

#[tokio::test]
async fn trap_4_a_secondary_limit_holds_its_installation_and_no_other() {
    let github = StandIn::start(|seen, before| match (seen.path.as_str(), before) {
        ("/repositories/1", 0) => with(reply(403, json!({"message": "slow down"})), "retry-after", "120"),
        ("/repositories/2", 0) => with(reply(429, json!({})), "retry-after", "3"),
        ("/repositories/1" | "/repositories/2", _) => reply(200, listed(1)),
        _ => nothing(),
    })
    .await;
    let clock = clock();
    let app = GitHub::with_app(github.endpoints(), app(1), clock.clone()).unwrap();
    let start = clock.now();
    let long = start + Duration::from_secs(120);
    let limited = Err(Error::RateLimited { until: long });
    assert_eq!(app.reader(ONE).repository_by_id(RepositoryId(1)).await.map(|_| ()), limited);
    // Not even asked before that moment.
    assert_eq!(app.reader(ONE).repository_by_id(RepositoryId(1)).await.map(|_| ()), limited);
    assert_eq!(github.count(&Method::GET, "/repositories/1"), 1);
    assert_eq!(clock.now(), start);
    // A short wait is waited for, within the next call.
    let short = app.reader(TWO).repository_by_id(RepositoryId(2)).await;
    assert_eq!(short.map(|_| ()), Err(Error::RateLimited { until: start + Duration::from_secs(3) }));
    app.reader(TWO).repository_by_id(RepositoryId(2)).await.unwrap();
    assert_eq!(clock.now(), start + Duration::from_secs(3));
}

#[tokio::test]
async fn trap_5_a_limit_with_http_200_is_a_limit() {
    let github = StandIn::start(|seen, _| match seen.path.as_str() {
        "/graphql" => {
            let body =
                json!({"data": null, "errors": [{"type": "RATE_LIMITED", "message": "API rate limit"}]});
            let reset = (clock().now() + Duration::from_secs(900)).as_second().to_string();
            with(with(reply(200, body), "x-ratelimit-remaining", "0"), "x-ratelimit-reset", &reset)
        }
        _ => nothing(),
    })
    .await;
    let reader = github.with_token().reader(ONE);
    let name = "agency/site".parse().unwrap();
    let until = clock().now() + Duration::from_secs(900);
    for _ in 0..2 {
        let answer = reader.ours(&name, RepositoryId(1), &[], &names()).await;
        assert_eq!(answer.map(|_| ()), Err(Error::RateLimited { until }));
    }
    assert_eq!(github.seen().len(), 1);
}

#[tokio::test]
async fn trap_6_twenty_first_calls_mint_one_token() {
    let github = StandIn::start(|seen, _| match seen.path.as_str() {
        "/repositories/1" => reply(200, listed(1)),
        _ => nothing(),
    })
    .await;
    let app = github.with_app();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let reader = app.reader(ONE);
            tokio::spawn(async move { reader.repository_by_id(RepositoryId(1)).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(github.count(&Method::POST, "/app/installations/1/access_tokens"), 1);
    assert_eq!(app.revoke_all().await, (0, 1));
    assert_eq!(github.count(&Method::DELETE, "/installation/token"), 1);
}

#[tokio::test]
async fn trap_8_the_version_is_pinned_and_nothing_is_cached() {
    let github = StandIn::start(|_, _| with(reply(200, listed(1)), "etag", "\"1\"")).await;
    let reader = github.with_token().reader(ONE);
    for _ in 0..2 {
        reader.repository_by_id(RepositoryId(1)).await.unwrap();
    }
    for seen in github.seen() {
        assert_eq!(seen.headers["x-github-api-version"], "2022-11-28");
        assert!(seen.headers["user-agent"].to_str().unwrap().starts_with("muster/"));
        assert!(!seen.headers.contains_key("if-none-match"));
    }
}

#[tokio::test]
async fn a_refused_token_is_minted_once_more_and_only_once() {
    let github = StandIn::start(|seen, _| match seen.path.as_str() {
        "/repositories/1" if seen.token().is_some_and(|token| token.starts_with("ghs_1_0")) => {
            reply(401, json!({"message": "Bad credentials"}))
        }
        "/repositories/1" => reply(200, listed(1)),
        "/repositories/2" => reply(401, json!({"message": "Bad credentials"})),
        _ => nothing(),
    })
    .await;
    let app = github.with_app();
    app.reader(ONE).repository_by_id(RepositoryId(1)).await.unwrap();
    assert_eq!(github.count(&Method::POST, "/app/installations/1/access_tokens"), 2);
    let refused = app.reader(ONE).repository_by_id(RepositoryId(2)).await;
    assert!(matches!(refused, Err(Error::Unauthorized(_))));
    assert_eq!(github.count(&Method::GET, "/repositories/2"), 2);
}

#[tokio::test]
async fn during_a_rotation_the_other_key_is_tried_and_remembered() {
    let first = Arc::new(Mutex::new(None::<String>));
    let github = StandIn::start({
        let first = Arc::clone(&first);
        move |seen, _| {
            // The key GitHub no longer knows is told by its signature.
            let jwt = seen.token().unwrap().to_owned();
            let mut first = first.lock().unwrap();
            let refused = first.get_or_insert_with(|| jwt.clone());
            if *refused == jwt { reply(401, json!({})) } else { reply(200, json!([])) }
        }
    })
    .await;
    let app = GitHub::with_app(github.endpoints(), app(2), clock()).unwrap();
    assert_eq!(app.installations().await.unwrap(), []);
    assert_eq!(app.installations().await.unwrap(), []);
    assert_eq!(github.seen().len(), 3);
    let jwt = github.seen()[1].token().unwrap().to_owned();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(jwt.split('.').nth(1).unwrap())
        .map(|bytes| serde_json::from_slice::<Value>(&bytes).unwrap())
        .unwrap();
    let now = clock().now().as_second();
    assert_eq!(claims["iss"], "Iv1.0123456789abcdef");
    assert_eq!(claims["iat"], now - 60);
    assert!(claims["exp"].as_i64().unwrap() <= now + 9 * 60);
}

#[tokio::test]
async fn each_kind_of_work_holds_its_own_token() {
    let github = StandIn::start(|seen, _| match seen.path.as_str() {
        "/repositories/1" => reply(200, listed(1)),
        "/repos/agency/site/issues" => reply(201, made()),
        "/graphql" => reply(
            200,
            json!({"data": {"createPullRequest": {"pullRequest": {"id": "PR_1", "number": 4, "url": "u"}}}}),
        ),
        _ => nothing(),
    })
    .await;
    let app = github.with_app();
    app.reader(ONE).repository_by_id(RepositoryId(1)).await.unwrap();
    writer(&app).create_issue(&Line::of("Title"), &text(), &[]).await.unwrap();
    let files = [("CONTRIBUTING.md".to_owned(), b"Hello".to_vec())];
    assert_eq!(writer(&app).propose(&proposal(&files)).await.unwrap().number, 4);
    let asked: Vec<Value> = github
        .seen()
        .into_iter()
        .filter(|seen| seen.path.starts_with("/app/"))
        .map(|seen| seen.body)
        .collect();
    assert_eq!(
        asked,
        [
            json!({"permissions": {"checks": "read", "contents": "read", "issues": "read",
                "metadata": "read", "pull_requests": "read"}}),
            json!({"permissions": {"issues": "write", "metadata": "read"}, "repository_ids": [42]}),
            json!({"permissions": {"contents": "write", "metadata": "read", "pull_requests": "write"},
                "repository_ids": [42]}),
        ]
    );
}

#[tokio::test]
async fn a_dry_run_and_a_plain_token_have_no_writer() {
    let github = StandIn::start(|_, _| nothing()).await;
    assert!(github.with_app().dry_run().writer(ONE, target(), Pace::default()).is_none());
    assert!(github.with_token().writer(ONE, target(), Pace::default()).is_none());
}

#[tokio::test]
async fn writes_keep_their_distance_and_their_budget() {
    let github = StandIn::start(|seen, _| match seen.path.as_str() {
        "/repos/agency/site/issues" => reply(201, made()),
        _ => nothing(),
    })
    .await;
    let clock = clock();
    let app = GitHub::with_app(github.endpoints(), app(1), clock.clone()).unwrap();
    let pace = Pace { per_minute: 3, per_hour: 100 };
    let start = clock.now();
    let writer = app.writer(ONE, target(), pace).unwrap();
    for _ in 0..3 {
        writer.create_issue(&Line::of("Title"), &text(), &[]).await.unwrap();
    }
    assert_eq!(clock.now(), start + Duration::from_secs(2));
    let spent = writer.create_issue(&Line::of("Title"), &text(), &[]).await;
    assert_eq!(spent.map(|_| ()), Err(Error::RateLimited { until: start + Duration::from_secs(60) }));
    assert_eq!(github.count(&Method::POST, "/repos/agency/site/issues"), 3);
}

#[tokio::test]
async fn what_github_says_no_to_is_sorted() {
    let github = StandIn::start(|seen, _| match seen.path.as_str() {
        "/app/installations/2/access_tokens" => {
            reply(403, json!({"message": "This installation has been suspended"}))
        }
        "/app/installations/3/access_tokens" => {
            reply(422, json!({"message": "The permissions requested are not granted to this installation."}))
        }
        "/repositories/1" => {
            let body = json!({"message": "Resource not accessible by integration"});
            with(reply(403, body), "x-accepted-github-permissions", "metadata=read")
        }
        "/repos/agency/site/issues" => reply(410, json!({"message": "Issues has been disabled"})),
        "/repos/agency/site/labels" => {
            reply(422, json!({"message": "Validation Failed", "errors": [{"code": "already_exists"}]}))
        }
        "/repos/agency/site/git/refs/heads/muster/files" => {
            reply(422, json!({"message": "Repository rule violations found\n\nCannot delete this branch"}))
        }
        "/repos/agency/site/issues/3/comments" => {
            reply(403, json!({"message": "Repository was archived so is read-only."}))
        }
        _ => nothing(),
    })
    .await;
    let app = github.with_app();
    let by_id =
        async |installation| app.reader(installation).repository_by_id(RepositoryId(1)).await.map(|_| ());
    assert_eq!(by_id(TWO).await, Err(Error::Suspended));
    assert!(matches!(by_id(InstallationId(3)).await, Err(Error::Forbidden { .. })));
    let Err(Error::Forbidden { needs, .. }) = by_id(ONE).await else { panic!("not forbidden") };
    assert_eq!(needs, "metadata=read");
    let writer = writer(&app);
    let line = Line::of("label");
    assert!(matches!(writer.create_issue(&line, &text(), &[]).await, Err(Error::Gone(_))));
    assert!(matches!(writer.create_label(&line, "ededed", &line).await, Err(Error::Conflict(_))));
    assert!(matches!(writer.close_pull_request(3).await, Err(Error::NotFound(_))));
    let reason = |result: Result<(), Error>| match result {
        Err(Error::Refused { reason, .. }) => Some(reason),
        _ => None,
    };
    assert_eq!(reason(writer.delete_branch("muster/files").await), Some(Refusal::Rules));
    assert_eq!(reason(writer.comment(3, &text()).await.map(|_| ())), Some(Refusal::ReadOnly));
}

#[tokio::test]
async fn nothing_goes_out_to_a_place_or_a_path_it_must_not() {
    let github = StandIn::start(|_, _| nothing()).await;
    let writer = writer(&github.with_app());
    let internal = PublicText::about(Visibility::Internal).say("Words.");
    let refused = writer.create_issue(&Line::of("Title"), &internal, &[]).await;
    assert!(matches!(refused, Err(Error::Refused { reason: Refusal::Ours, .. })));
    for path in [".github/workflows/x.yml", "../LICENSE", ".git/config", "license", "README.md\0"] {
        let files = [(path.to_owned(), Vec::new())];
        let refused = writer.propose(&proposal(&files)).await;
        assert!(matches!(refused, Err(Error::Refused { reason: Refusal::Ours, .. })), "{path}");
    }
    assert_eq!(github.seen().len(), 0);
}

#[tokio::test]
async fn a_role_is_that_of_the_person_not_of_the_login() {
    let github = StandIn::start(|seen, _| match seen.path.as_str() {
        "/repos/agency/site/collaborators/alice/permission" => reply(
            200,
            json!({"permission": "write", "role_name": "custom", "user": {"id": 7, "login": "alice",
                "permissions": {"pull": true, "triage": true, "push": true, "maintain": true, "admin": false}}}),
        ),
        _ => nothing(),
    })
    .await;
    let reader = github.with_token().reader(ONE);
    let name = "agency/site".parse().unwrap();
    let role = async |login: &str, id| {
        reader.permission(&name, &login.parse::<Login>().unwrap(), AccountId(id)).await
    };
    assert_eq!(role("alice", 7).await, Ok(Role::Maintain));
    assert!(matches!(role("alice", 8).await, Err(Error::StaleData(_))));
    assert_eq!(role("mallory", 9).await, Ok(Role::None));
}

fn proposal(files: &[(String, Vec<u8>)]) -> NewPullRequest<'_> {
    static PARTS: OnceLock<(Line, PublicText, ObjectId)> = OnceLock::new();
    let parts = || (Line::of("Add missing open source files"), text(), "a".repeat(40).parse().unwrap());
    let (line, body, base_oid) = PARTS.get_or_init(parts);
    NewPullRequest {
        base: "main",
        base_oid,
        branch: "muster/files",
        headline: line,
        message: body,
        files,
        title: line,
        body,
        draft: false,
        start: Start::Nothing,
    }
}
