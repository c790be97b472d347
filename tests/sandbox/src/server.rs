//! The API over HTTP: what GitHub demands of every request and puts on every
//! answer, with the faults around both.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response, StatusCode, request::Parts};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use crate::fault::{FaultKind, Limit};
use crate::record::Call;
use crate::rest::{self, Answer, Input, Matched, Target};
use crate::sandbox::Sandbox;
use crate::state::{Budget, Caller, Flavor, Refusal, Resource};
use crate::{graphql, state};

/// API versions GitHub knows; the first is meant when none is named.
const VERSIONS: [&str; 2] = ["2022-11-28", "2026-03-10"];

/// The connection is to be broken without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was broken on purpose")]
struct Broken;

pub(crate) async fn accept(sandbox: Sandbox, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let sandbox = sandbox.clone();
        let service = service_fn(move |request| handle(sandbox.clone(), request));
        // A connection ends when the client ends it or a fault breaks it.
        let connection =
            http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}

/// A request with its parts taken apart once.
struct Asked {
    method: String,
    /// Within the API: without `/api/v3`.
    path: String,
    query: Option<String>,
    headers: http::HeaderMap,
    body: Bytes,
    graphql: bool,
}

/// What is done and how it is recorded.
struct Outcome {
    answer: Answer,
    caller: Option<Caller>,
    cost: u64,
}

async fn handle(sandbox: Sandbox, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Broken> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let Some(call) = Asked::read(sandbox.flavor(), &parts, body) else {
        sandbox.fail(format!("{} {}: no API there", parts.method, parts.uri.path()));
        return Ok(respond(&sandbox, Answer::message(404, "Not Found"), None, Resource::Core));
    };
    let caught = sandbox.caught(&call.path, &call.body);
    if let Some(caught) = caught {
        if caught.done {
            let _unanswered = answer(&sandbox, call).await;
        }
        caught.wait().await;
        return Err(Broken);
    }
    // What was asked is done, though the caller hangs up meanwhile.
    let doing = tokio::spawn(async move { answer(&sandbox, call).await });
    doing.await.unwrap_or(Err(Broken))
}

async fn answer(sandbox: &Sandbox, call: Asked) -> Result<Response<Full<Bytes>>, Broken> {
    if call.graphql { post_graphql(sandbox, call).await } else { call_rest(sandbox, call).await }
}

impl Asked {
    fn read(flavor: Flavor, parts: &Parts, body: Bytes) -> Option<Asked> {
        let path = parts.uri.path();
        let graphql = match flavor {
            Flavor::DotCom | Flavor::DataResidency => path == "/graphql",
            Flavor::Server => path == "/api/graphql",
        };
        let within = match flavor {
            Flavor::Server if !graphql => path.strip_prefix("/api/v3")?,
            Flavor::Server | Flavor::DotCom | Flavor::DataResidency => path,
        };
        Some(Asked {
            method: parts.method.to_string(),
            path: within.to_owned(),
            query: parts.uri.query().map(str::to_owned),
            headers: parts.headers.clone(),
            body,
            graphql,
        })
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// What every request must have.
    fn check(&self, sandbox: &Sandbox) -> Result<(), Answer> {
        if self.header("user-agent").is_none_or(|agent| agent.trim().is_empty()) {
            sandbox.fail(format!("{} {}: no User-Agent", self.method, self.path));
            return Err(Answer::message(
                403,
                "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.",
            ));
        }
        match self.header("x-github-api-version") {
            Some(version) if !VERSIONS.contains(&version) => {
                sandbox.fail(format!("{} {}: API version {version}", self.method, self.path));
                Err(Answer::message(400, "The API version header names a version that does not exist."))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn authenticate(&self, sandbox: &Sandbox) -> Result<Caller, Refusal> {
        sandbox.state(|state| state.authenticate(self.header("authorization")))
    }

    fn token(&self) -> String {
        let token = self.header("authorization").and_then(|value| value.split_once(' '));
        token.map(|(_, token)| token.to_owned()).unwrap_or_default()
    }
}

/// What a fault does instead of, or before, the real thing.
async fn before(sandbox: &Sandbox, fault: Option<FaultKind>) -> Result<Option<Answer>, Broken> {
    let Some(fault) = fault else { return Ok(None) };
    Ok(match fault {
        FaultKind::BadGateway | FaultKind::TooManyNodes(_) | FaultKind::Names(_) => Some(bad_gateway()),
        FaultKind::Reset => return Err(Broken),
        FaultKind::Unauthorized => Some(Refusal::BadCredentials.into()),
        FaultKind::Limited(status, limit) => Some(limited(sandbox, status, limit)),
        FaultKind::GraphqlRateLimited => Some(
            Answer::ok(json!({ "errors": [{
                "type": "RATE_LIMITED",
                "message": "API rate limit exceeded for installation.",
            }] }))
            .header("x-ratelimit-remaining", 0),
        ),
        FaultKind::Held => {
            sandbox.held().await;
            None
        }
        FaultKind::BadGatewayAfter
        | FaultKind::ResetAfter
        | FaultKind::HeldAfter
        | FaultKind::TruncatedTree
        | FaultKind::PartialData
        | FaultKind::PartialElement
        | FaultKind::Cut(_) => None,
    })
}

fn bad_gateway() -> Answer {
    Answer::message(502, "Server Error")
}

fn limited(sandbox: &Sandbox, status: u16, limit: Limit) -> Answer {
    let now = sandbox.state(state::State::now).as_second();
    match limit {
        Limit::RetryAfter(seconds) => {
            Answer::message(status, &Refusal::SecondaryLimit.to_string()).header("retry-after", seconds)
        }
        Limit::Exhausted(seconds) => Answer::message(status, &Refusal::PrimaryLimit.to_string())
            .header("x-ratelimit-remaining", 0)
            .header("x-ratelimit-reset", now + i64::from(seconds)),
        Limit::Secondary => Answer::message(status, &Refusal::SecondaryLimit.to_string()),
    }
}

/// What a fault makes of an answer after the real thing was done.
async fn after(sandbox: &Sandbox, fault: Option<FaultKind>, answer: Answer) -> Result<Answer, Broken> {
    match fault {
        Some(FaultKind::BadGatewayAfter) => Ok(bad_gateway()),
        Some(FaultKind::ResetAfter) => Err(Broken),
        Some(FaultKind::PartialData) => Ok(partial(answer)),
        Some(FaultKind::PartialElement) => Ok(partial_element(answer)),
        Some(FaultKind::HeldAfter) => {
            sandbox.held().await;
            Ok(answer)
        }
        Some(
            FaultKind::BadGateway
            | FaultKind::Reset
            | FaultKind::Unauthorized
            | FaultKind::Limited(..)
            | FaultKind::Held
            | FaultKind::TruncatedTree
            | FaultKind::Cut(_)
            | FaultKind::GraphqlRateLimited
            | FaultKind::TooManyNodes(_)
            | FaultKind::Names(_),
        )
        | None => Ok(answer),
    }
}

fn partial(mut answer: Answer) -> Answer {
    if let Some(body) = &mut answer.body
        && let Some((field, value)) =
            body["data"].as_object_mut().and_then(|data| data.iter_mut().next_back())
    {
        *value = Value::Null;
        let error = json!({
            "message": "Something went wrong while executing your query.",
            "path": [field],
        });
        match body["errors"].as_array_mut() {
            Some(errors) => errors.push(error),
            None => body["errors"] = json!([error]),
        }
    }
    answer
}

fn partial_element(mut answer: Answer) -> Answer {
    let Some(body) = &mut answer.body else { return answer };
    let fields = body["data"].as_object_mut().into_iter().flatten();
    let lists = fields.filter_map(|(field, value)| Some((field.clone(), value.as_array_mut()?.first_mut()?)));
    if let Some((field, first)) = lists.into_iter().next() {
        *first = Value::Null;
        let message = "Something went wrong while executing your query.";
        let error = json!({ "message": message, "path": [field, 0] });
        match body["errors"].as_array_mut() {
            Some(errors) => errors.push(error),
            None => body["errors"] = json!([error]),
        }
    }
    answer
}

async fn post_graphql(sandbox: &Sandbox, call: Asked) -> Result<Response<Full<Bytes>>, Broken> {
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let mut request = graphql::Request::parse(&body);
    let measure = request.as_ref().map(graphql::Request::measure).ok();
    let operation = measure.and_then(|measure| measure.operation.clone());
    let writes = measure.is_some_and(|measure| measure.mutation);
    let fault = sandbox.take_fault("POST /graphql", measure);
    if let (Some(FaultKind::Cut(fields)), Ok(request)) = (fault, &mut request) {
        request.cut_after(fields);
    }
    let at = sandbox.state(state::State::now);
    let record = |status: u16, caller: Option<&Caller>, cost: u64| {
        sandbox.record(Call {
            at,
            method: call.method.clone(),
            route: Some("/graphql".to_owned()),
            operation: operation.clone(),
            path: call.path.clone(),
            status,
            installation: installation(caller),
            anonymous: caller == Some(&Caller::Anonymous),
            cost,
            writes,
        });
    };
    let early = before(sandbox, fault).await;
    let outcome = match early {
        Err(broken) => {
            record(0, None, 0);
            return Err(broken);
        }
        Ok(Some(answer)) => Outcome { answer, caller: None, cost: 0 },
        Ok(None) => answer_graphql(sandbox, &call, &request),
    };
    match after(sandbox, fault, outcome.answer).await {
        Err(broken) => {
            record(0, outcome.caller.as_ref(), outcome.cost);
            Err(broken)
        }
        Ok(answer) => {
            record(answer.status, outcome.caller.as_ref(), outcome.cost);
            Ok(respond(sandbox, answer, outcome.caller.as_ref(), Resource::Graphql))
        }
    }
}

fn answer_graphql(
    sandbox: &Sandbox,
    call: &Asked,
    request: &Result<graphql::Request, graphql::Invalid>,
) -> Outcome {
    let refused = |answer: Answer| Outcome { answer, caller: None, cost: 0 };
    if call.method != "POST" {
        sandbox.fail(format!("{} /graphql", call.method));
        return refused(Answer::message(404, "Not Found"));
    }
    if let Err(answer) = call.check(sandbox) {
        return refused(answer);
    }
    let caller = match call.authenticate(sandbox) {
        Ok(Caller::Anonymous | Caller::App) => return refused(Refusal::RequiresAuthentication.into()),
        Ok(caller) => caller,
        Err(refusal) => return refused(refusal.into()),
    };
    match request {
        Err(invalid) => {
            sandbox.fail(format!("POST /graphql: {}", invalid.message));
            Outcome { answer: Answer::ok(invalid.body.clone()), caller: Some(caller), cost: 0 }
        }
        Ok(request) => {
            let named = sandbox.state(|state| accounts_in(state, &request.variables()));
            let operation = request.measure().operation.clone().unwrap_or_default();
            if let Err(refusal) = sandbox.keep_apart(&caller, &named, &format!("POST /graphql {operation}")) {
                return Outcome { answer: refusal.into(), caller: Some(caller), cost: 0 };
            }
            let answer = sandbox.change(|state| request.execute(state, &caller));
            Outcome { answer: Answer::ok(answer.body), caller: Some(caller), cost: answer.cost }
        }
    }
}

async fn call_rest(sandbox: &Sandbox, mut call: Asked) -> Result<Response<Full<Bytes>>, Broken> {
    // A redirected client comes back by id.
    if let Some(path) = sandbox.state(|state| by_id(state, &call.path)) {
        call.path = path;
    }
    let matched = rest::route(&call.method, &call.path);
    let template = matched.as_ref().map(|matched| matched.route.template);
    let writes = matched.as_ref().is_some_and(|matched| matched.route.content);
    let fault =
        template.and_then(|template| sandbox.take_fault(&format!("{} {template}", call.method), None));
    let at = sandbox.state(state::State::now);
    let record = |status: u16, caller: Option<&Caller>, cost: u64| {
        sandbox.record(Call {
            at,
            method: call.method.clone(),
            route: template.map(str::to_owned),
            operation: None,
            path: call.path.clone(),
            status,
            installation: installation(caller),
            anonymous: caller == Some(&Caller::Anonymous),
            cost,
            writes,
        });
    };
    let outcome = match before(sandbox, fault).await {
        Err(broken) => {
            record(0, None, 0);
            return Err(broken);
        }
        Ok(Some(answer)) => Outcome { answer, caller: None, cost: 0 },
        Ok(None) => {
            let truncate = fault == Some(FaultKind::TruncatedTree);
            answer_rest(sandbox, &call, matched, truncate)
        }
    };
    match after(sandbox, fault, outcome.answer).await {
        Err(broken) => {
            record(0, outcome.caller.as_ref(), outcome.cost);
            Err(broken)
        }
        Ok(answer) => {
            record(answer.status, outcome.caller.as_ref(), outcome.cost);
            let request: Value = serde_json::from_slice(&call.body).unwrap_or_default();
            sandbox.exchange(&json!({
                "method": call.method,
                "route": template,
                "path": call.path,
                "query": call.query,
                "request_body": request,
                "status": answer.status,
                "response_content_type": answer.body.as_ref().map(|_| "application/json; charset=utf-8"),
                "response_body": answer.body,
            }));
            Ok(respond(sandbox, answer, outcome.caller.as_ref(), Resource::Core))
        }
    }
}

/// `/repositories/{id}…` as the path it stands for; an id of nothing stands
/// for a name that nobody can have.
fn by_id(state: &state::State, path: &str) -> Option<String> {
    let rest = path.strip_prefix("/repositories/")?;
    let (id, rest) = rest.split_once('/').map_or((rest, ""), |(id, rest)| (id, rest));
    let home = state.repository(id.parse().ok()?).ok();
    let name = home.map_or_else(|| "-/-".to_owned(), |home| state.full_name(home));
    let slash = if rest.is_empty() { "" } else { "/" };
    Some(format!("/repos/{name}{slash}{rest}"))
}

fn answer_rest(sandbox: &Sandbox, call: &Asked, matched: Option<Matched>, truncate: bool) -> Outcome {
    let refused = |answer: Answer| Outcome { answer, caller: None, cost: 0 };
    let Some(matched) = matched else {
        sandbox.fail(format!("{} {}: no such route", call.method, call.path));
        return refused(Answer::message(404, "Not Found"));
    };
    if let Err(answer) = call.check(sandbox) {
        return refused(answer);
    }
    let caller = match call.authenticate(sandbox) {
        Ok(caller) => caller,
        Err(refusal) => return refused(refusal.into()),
    };
    let named = sandbox.state(|state| {
        let owners = matched.parameters.iter().filter(|(name, _)| ["owner", "org"].contains(name));
        owners.filter_map(|(_, login)| Some(state.account_named(login)?.id)).collect::<Vec<_>>()
    });
    let shown = format!("{} {}", call.method, call.path);
    if let Err(refusal) = sandbox.keep_apart(&caller, &named, &shown) {
        return Outcome { answer: refusal.into(), caller: Some(caller), cost: 0 };
    }
    let (query, body) = match arguments(sandbox, call, &matched) {
        Ok(arguments) => arguments,
        Err(answer) => return Outcome { answer, caller: Some(caller), cost: 0 },
    };
    let free = matched.route.template == "/rate_limit";
    let mut answer = sandbox.change(|state| {
        let exhausted = |budget: Budget| budget.remaining() == 0;
        if !free && state.budget(&caller, Resource::Core).is_some_and(exhausted) {
            return Answer::from(Refusal::PrimaryLimit);
        }
        let repository = match rest::admit(state, &caller, &matched) {
            Err(refusal) => return refusal.into(),
            Ok(Target::None) => None,
            Ok(Target::Here(id)) => Some(id),
            Ok(Target::Moved(id)) => return moved(state, call, id),
        };
        let url = match &call.query {
            Some(query) => format!("{}?{query}", call.path),
            None => call.path.clone(),
        };
        let mut input = Input {
            state,
            caller: &caller,
            repository,
            parameters: matched.parameters,
            query,
            body,
            token: call.token(),
            url,
            truncate,
        };
        (matched.route.handler)(&mut input).unwrap_or_else(Answer::from)
    });
    let mut cost = u64::from(!free);
    if call.method == "GET" && answer.status == 200 {
        let text = answer.body.as_ref().map(Value::to_string).unwrap_or_default();
        let tag = format!("\"{:x}\"", Sha256::digest(text));
        if call.header("if-none-match").is_some_and(|known| known.trim_start_matches("W/") == tag) {
            // Unchanged costs nothing.
            (answer.status, answer.body, cost) = (304, None, 0);
        }
        answer = answer.header("etag", tag);
    }
    // It was not exhausted, so one more fits.
    let _ = sandbox.change(|state| state.charge(&caller, Resource::Core, cost));
    Outcome { answer, caller: Some(caller), cost }
}

fn moved(state: &state::State, call: &Asked, id: u64) -> Answer {
    let rest: String = call.path.split('/').skip(4).map(|part| format!("/{part}")).collect();
    let query = call.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let url = format!("{}/repositories/{id}{rest}{query}", state.urls.api);
    let (status, message) =
        if call.method == "GET" { (301, "Moved Permanently") } else { (307, "Temporary Redirect") };
    let body = json!({
        "message": message,
        "url": url,
        "documentation_url": "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects",
    });
    Answer::new(status, body).header("location", url)
}

/// The query and the body, with only such arguments and fields as the route
/// has.
fn arguments(
    sandbox: &Sandbox,
    call: &Asked,
    matched: &Matched,
) -> Result<(BTreeMap<String, String>, Value), Answer> {
    let route = matched.route;
    let refuse = |what: String| {
        sandbox.fail(format!("{} {}: {what}", route.method, route.template));
        Answer::message(422, &format!("Invalid request.\n\n{what}"))
    };
    let mut query = BTreeMap::new();
    for pair in call.query.iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = rest::unescape(&value.replace('+', " "))
            .ok_or_else(|| refuse(format!("query argument {name:?} is not UTF-8")))?;
        if !route.query.contains(&name) {
            return Err(refuse(format!("query argument {name:?} is not known")));
        }
        query.insert(name.to_owned(), value);
    }
    if call.body.is_empty() {
        return Ok((query, Value::Null));
    }
    let body: Value =
        serde_json::from_slice(&call.body).map_err(|_| Answer::message(400, "Problems parsing JSON"))?;
    let body = match body {
        // Labels may be given as a bare list.
        Value::Array(list) if route.body == ["labels"] => json!({ "labels": list }),
        other => other,
    };
    for field in body.as_object().into_iter().flat_map(|fields| fields.keys()) {
        if !route.body.contains(&field.as_str()) {
            return Err(refuse(format!("body field {field:?} is not known")));
        }
    }
    Ok((query, body))
}

/// The accounts that variables name, by login or by a node of theirs.
fn accounts_in(state: &state::State, variables: &Value) -> Vec<u64> {
    let mut found = Vec::new();
    let mut left = vec![variables];
    while let Some(value) = left.pop() {
        match value {
            Value::String(text) => {
                let home = state::Node::decode(text).and_then(|node| node.home());
                found.extend(home.and_then(|home| Some(state.repository(home).ok()?.owner)));
            }
            Value::Array(items) => left.extend(items),
            Value::Object(fields) => {
                let login = fields.get("owner").and_then(Value::as_str);
                found.extend(login.and_then(|login| Some(state.account_named(login)?.id)));
                left.extend(fields.values());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    found
}

fn installation(caller: Option<&Caller>) -> Option<u64> {
    match caller {
        Some(Caller::Installation(grant)) => Some(grant.installation),
        Some(Caller::Anonymous | Caller::App | Caller::Person(_)) | None => None,
    }
}

/// The answer with what GitHub puts on every one: date, request id, limits.
fn respond(
    sandbox: &Sandbox,
    answer: Answer,
    caller: Option<&Caller>,
    resource: Resource,
) -> Response<Full<Bytes>> {
    let (now, budget) = sandbox.state(|state| {
        let budget = state.budget(caller.unwrap_or(&Caller::Anonymous), resource);
        (state.now(), budget)
    });
    let mut response = Response::builder()
        .status(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        .header("x-github-request-id", state::unique())
        .header("x-github-media-type", "github.v3; format=json");
    if let Some(version) = sandbox.flavor().version() {
        response = response.header("x-github-enterprise-version", version);
    }
    if let Ok(date) = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now) {
        response = response.header("date", date);
    }
    let said = |name: &str| answer.headers.iter().any(|(known, _)| *known == name);
    if let Some(budget) = budget {
        let standing = [
            ("x-ratelimit-limit", budget.limit.to_string()),
            ("x-ratelimit-remaining", budget.remaining().to_string()),
            ("x-ratelimit-used", budget.used.to_string()),
            ("x-ratelimit-reset", budget.reset.as_second().to_string()),
            ("x-ratelimit-resource", resource.word().to_owned()),
        ];
        for (name, value) in standing.into_iter().filter(|(name, _)| !said(name)) {
            response = response.header(name, value);
        }
    }
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    let body = match &answer.body {
        None => Bytes::new(),
        Some(body) => {
            response = response.header("content-type", "application/json; charset=utf-8");
            Bytes::from(body.to_string())
        }
    };
    response.body(Full::new(body)).expect("the sandbox writes only header values that are allowed")
}
