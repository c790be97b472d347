//! Whether a REST exchange is one that GitHub's OpenAPI description of
//! api.github.com allows.
//!
//! Of a request that was accepted (status below 400) the query parameters and
//! the body are checked; of every answer the status and the body.

mod schema;

use std::collections::HashMap;

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::Value;

use super::{Missing, published_json};

/// One line of the sandbox's record of REST exchanges.
#[derive(Debug, Clone, Deserialize)]
pub struct Exchange {
    /// The HTTP method, in upper case.
    pub method: String,
    /// The route template, such as `/repos/{owner}/{repo}/issues`; the names
    /// of its parameters do not matter. `null` if the sandbox has no such route.
    pub route: Option<String>,
    /// The path as it was called, without the query.
    pub path: String,
    /// The query string, without the question mark.
    pub query: Option<String>,
    /// The body that was sent, `null` if none.
    #[serde(default)]
    pub request_body: Value,
    /// The status that was answered.
    pub status: u16,
    /// The `Content-Type` of the answer, `null` if none.
    pub response_content_type: Option<String>,
    /// The body that was answered: JSON, a string if it was not JSON, `null` if none.
    #[serde(default)]
    pub response_body: Value,
}

/// One way in which an exchange departs from the description.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Departure {
    /// Method and route, and which side of the exchange it is about:
    /// `POST /repos/{owner}/{repo}/issues request`, or `… 201`.
    pub place: String,
    /// JSON pointer into the body, indexes written `*`; empty for the whole.
    pub pointer: String,
    /// What is wrong.
    pub problem: String,
}

/// Statuses that any route may answer, whether or not its description says so:
/// GitHub documents them for the API as a whole ("Troubleshooting the REST
/// API", "Rate limits for the REST API", and for conditional requests and
/// redirects "Best practices for using the REST API").
const GENERAL: [u16; 14] = [301, 302, 304, 307, 400, 401, 403, 404, 422, 429, 500, 502, 503, 504];

/// GitHub's OpenAPI description, with the schemas compiled so far.
pub struct Description {
    document: Value,
    /// Method and nameless template -> JSON pointer of the operation and the
    /// template as published.
    operations: HashMap<(String, String), (String, String)>,
    compiled: HashMap<String, Validator>,
}

impl Description {
    /// Reads the description of api.github.com from `@octokit/openapi`.
    ///
    /// # Errors
    /// [`Missing`] if the package is not installed.
    pub fn read() -> Result<Self, Missing> {
        published_json("@octokit/openapi/generated/api.github.com.json").map(Self::new)
    }

    fn new(mut document: Value) -> Self {
        // Published as a user and an enterprise at once, which nothing can be;
        // everywhere else an installation's account is either.
        let account = "/paths/~1app~1installations/get/responses/200/content/application~1json/schema/items/properties/account";
        if let Some(account) = document.pointer_mut(account).and_then(Value::as_object_mut)
            && let Some(either) = account.remove("allOf")
        {
            account.insert("anyOf".to_owned(), either);
        }
        let mut operations = HashMap::new();
        for (template, item) in document["paths"].as_object().into_iter().flatten() {
            for method in ["get", "put", "post", "delete", "patch"] {
                if item.get(method).is_some() {
                    let pointer = format!("/paths/{}/{method}", schema::escape(template));
                    operations
                        .insert((method.to_uppercase(), nameless(template)), (pointer, template.clone()));
                }
            }
        }
        Self { document, operations, compiled: HashMap::new() }
    }

    /// Everything in which `exchange` departs from the description.
    pub fn departures(&mut self, exchange: &Exchange) -> Vec<Departure> {
        let Some(route) = &exchange.route else {
            // The sandbox refused what it does not know; that is no answer of GitHub's.
            return Vec::new();
        };
        let key = (exchange.method.clone(), nameless(route));
        let Some((pointer, template)) = self.operations.get(&key).cloned() else {
            return vec![Departure {
                place: format!("{} {route}", exchange.method),
                pointer: String::new(),
                problem: "no such operation is published".to_owned(),
            }];
        };
        let mut found = Found { place: format!("{} {template}", exchange.method), departures: Vec::new() };
        if exchange.status < 400 {
            self.query(&pointer, exchange, &mut found);
            self.request(&pointer, exchange, &mut found);
        }
        self.response(&pointer, exchange, &mut found);
        found.departures
    }

    fn query(&mut self, operation: &str, exchange: &Exchange, found: &mut Found) {
        let Some(query) = exchange.query.as_deref().filter(|query| !query.is_empty()) else {
            return;
        };
        let count = self.at(&format!("{operation}/parameters")).as_array().map_or(0, Vec::len);
        let mut known: HashMap<String, String> = HashMap::new();
        for index in 0..count {
            let parameter = self.resolved(&format!("{operation}/parameters/{index}"));
            let declared = self.at(&parameter);
            if declared["in"] == "query"
                && let Some(name) = declared["name"].as_str()
            {
                known.insert(name.to_owned(), format!("{parameter}/schema"));
            }
        }
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match known.get(name) {
                None => found.add("query", "", format!("no parameter `{name}` is published")),
                Some(schema) => {
                    let plain = Value::String(value.to_owned());
                    let typed = serde_json::from_str(value).unwrap_or_else(|_| plain.clone());
                    let schema = schema.clone();
                    if !self.validator(&schema).is_valid(&typed) && !self.validator(&schema).is_valid(&plain)
                    {
                        found.add("query", &format!("/{name}"), format!("`{value}` is not allowed"));
                    }
                }
            }
        }
    }

    fn request(&mut self, operation: &str, exchange: &Exchange, found: &mut Found) {
        let body = self.resolved(&format!("{operation}/requestBody"));
        let declared = self.at(&body);
        let media = format!("{body}/content/application~1json/schema");
        if exchange.request_body.is_null() {
            if declared["required"] == true {
                found.add("request", "", "a body is required".to_owned());
            }
        } else if self.at(&media).is_null() {
            let empty = exchange.request_body.as_object().is_some_and(|body| body.is_empty());
            if !empty {
                found.add("request", "", "no body is published".to_owned());
            }
        } else {
            self.validate(&media, "request", &exchange.request_body, found);
        }
    }

    fn response(&mut self, operation: &str, exchange: &Exchange, found: &mut Found) {
        let side = exchange.status.to_string();
        let answer = self.resolved(&format!("{operation}/responses/{side}"));
        if self.at(&answer).is_null() {
            if !GENERAL.contains(&exchange.status) {
                found.add(&side, "", "this status is not published".to_owned());
            }
            return;
        }
        let content = self.at(&format!("{answer}/content"));
        let Some(types) = content.as_object().filter(|types| !types.is_empty()) else {
            if !exchange.response_body.is_null() && exchange.status < 300 {
                found.add(&side, "", "a body where none is published".to_owned());
            }
            return;
        };
        let sent = exchange.response_content_type.as_deref().unwrap_or_default();
        let sent = sent.split(';').next().unwrap_or_default().trim();
        if types.contains_key(sent) {
            let media = format!("{answer}/content/{}/schema", schema::escape(sent));
            self.validate(&media, &side, &exchange.response_body, found);
        } else if exchange.status < 500 {
            found.add(&side, "", format!("content type `{sent}` is not published"));
        }
    }

    fn validate(&mut self, pointer: &str, side: &str, body: &Value, found: &mut Found) {
        for error in self.validator(pointer).iter_errors(body) {
            for (pointer, problem) in schema::explain(&error) {
                found.add(side, &pointer, problem);
            }
        }
    }

    fn validator(&mut self, pointer: &str) -> &Validator {
        if !self.compiled.contains_key(pointer) {
            let validator = schema::compile(&self.document, pointer);
            self.compiled.insert(pointer.to_owned(), validator);
        }
        &self.compiled[pointer]
    }

    fn at(&self, pointer: &str) -> &Value {
        self.document.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The pointer itself, or the one its `$ref` names.
    fn resolved(&self, pointer: &str) -> String {
        match self.at(pointer)["$ref"].as_str() {
            Some(reference) => reference.trim_start_matches('#').to_owned(),
            None => pointer.to_owned(),
        }
    }
}

struct Found {
    place: String,
    departures: Vec<Departure>,
}

impl Found {
    fn add(&mut self, side: &str, pointer: &str, problem: String) {
        self.departures.push(Departure {
            place: format!("{} {side}", self.place),
            pointer: pointer.to_owned(),
            problem,
        });
    }
}

/// A template without the names of its parameters. A repository under its id
/// is the repository under its name, to which GitHub redirects renamed ones
/// without describing the route.
fn nameless(template: &str) -> String {
    let bare: Vec<&str> =
        template.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment }).collect();
    let bare = bare.join("/");
    match bare.strip_prefix("/repositories/{}") {
        Some(rest) => format!("/repos/{{}}/{{}}{rest}"),
        None => bare,
    }
}

#[cfg(test)]
mod tests;
