//! What a handler gets: the state, the caller, and typed access to
//! parameters, query and body.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::Answer;
use crate::git::Oid;
use crate::state::{Caller, Refusal, Repository, RepositoryId, State};

/// One call, routed and admitted.
pub(crate) struct Input<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) caller: &'a Caller,
    pub(crate) repository: Option<RepositoryId>,
    pub(crate) parameters: Vec<(&'static str, String)>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: Value,
    /// The token as sent, for its revocation.
    pub(crate) token: String,
    /// Path and query as called, for page links.
    pub(crate) url: String,
    /// A fault cuts the tree listing.
    pub(crate) truncate: bool,
}

fn malformed(field: &str) -> Refusal {
    Refusal::Unprocessable(format!(
        "Invalid request.\n\nFor 'properties/{field}', the value is not of the expected type."
    ))
}

impl Input<'_> {
    /// A parameter of the path.
    pub(crate) fn parameter(&self, name: &str) -> Result<&str, Refusal> {
        let found = self.parameters.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str()).ok_or(Refusal::NotFound)
    }

    /// A numeric parameter of the path; other texts lead nowhere.
    pub(crate) fn number(&self, name: &str) -> Result<u64, Refusal> {
        self.parameter(name)?.parse().map_err(|_| Refusal::NotFound)
    }

    /// The repository the route is about.
    pub(crate) fn home(&self) -> Result<&Repository, Refusal> {
        self.state.repository(self.home_id()?)
    }

    pub(crate) fn home_id(&self) -> Result<RepositoryId, Refusal> {
        self.repository.ok_or(Refusal::NotFound)
    }

    /// A text of the body.
    pub(crate) fn text(&self, field: &str) -> Result<Option<String>, Refusal> {
        match &self.body[field] {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            _ => Err(malformed(field)),
        }
    }

    /// A text that must be there.
    pub(crate) fn required(&self, resource: &'static str, field: &'static str) -> Result<String, Refusal> {
        self.text(field)?.ok_or(Refusal::invalid(resource, field, "missing_field"))
    }

    pub(crate) fn flag(&self, field: &str) -> Result<Option<bool>, Refusal> {
        match &self.body[field] {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(*flag)),
            _ => Err(malformed(field)),
        }
    }

    /// A list of texts; labels may also come as objects with a name.
    pub(crate) fn texts(&self, field: &str) -> Result<Option<Vec<String>>, Refusal> {
        let one = |value: &Value| {
            let text = value.as_str().or(value["name"].as_str());
            text.map(str::to_owned).ok_or_else(|| malformed(field))
        };
        match &self.body[field] {
            Value::Null => Ok(None),
            Value::Array(list) => list.iter().map(one).collect::<Result<_, _>>().map(Some),
            _ => Err(malformed(field)),
        }
    }

    pub(crate) fn time(&self, field: &str) -> Result<Option<Timestamp>, Refusal> {
        self.text(field)?.map(|text| text.parse().map_err(|_| malformed(field))).transpose()
    }

    /// An object id of the body.
    pub(crate) fn oid(&self, field: &str) -> Result<Oid, Refusal> {
        let text = self.text(field)?.unwrap_or_default();
        text.parse().map_err(|_| {
            Refusal::Unprocessable(format!(
                "The {field} parameter must be exactly 40 characters and contain only [0-9a-f]."
            ))
        })
    }

    /// One page of a list, with `Link` to its neighbours.
    pub(crate) fn page(&self, items: Vec<Value>) -> Answer {
        let (answer, shown) = self.paged(items);
        Answer { body: Some(Value::Array(shown)), ..answer }
    }

    /// One page of a list that stands in an object beside its total; only what
    /// is on the page is shaped.
    pub(crate) fn page_in<T>(
        &self,
        field: &str,
        items: Vec<T>,
        shape: impl Fn(T) -> Value,
        mut around: Value,
    ) -> Answer {
        around["total_count"] = Value::from(items.len());
        let (answer, shown) = self.paged(items);
        around[field] = shown.into_iter().map(shape).collect();
        Answer { body: Some(around), ..answer }
    }

    fn paged<T>(&self, items: Vec<T>) -> (Answer, Vec<T>) {
        let number = |name: &str| self.query.get(name).and_then(|text| text.parse::<usize>().ok());
        let size = number("per_page").unwrap_or(30).clamp(1, 100);
        let page = number("page").unwrap_or(1).max(1);
        let last = items.len().div_ceil(size).max(1);
        let shown = items.into_iter().skip((page - 1) * size).take(size).collect();
        let mut answer = Answer::no_content();
        answer.status = 200;
        let mut links = Vec::new();
        let mut link = |to: usize, relation: &str| {
            links.push(format!("<{}>; rel=\"{relation}\"", self.link("page", &to.to_string())));
        };
        if page > 1 {
            link(page - 1, "prev");
        }
        if page < last {
            link(page + 1, "next");
            link(last, "last");
        }
        if page > 1 {
            link(1, "first");
        }
        if !links.is_empty() {
            answer = answer.header("link", links.join(", "));
        }
        (answer, shown)
    }

    /// The absolute URL of this call with one query argument changed.
    pub(crate) fn link(&self, name: &str, value: &str) -> String {
        let path = self.url.split('?').next().unwrap_or_default();
        let mut query = self.query.clone();
        query.insert(name.to_owned(), value.to_owned());
        let pairs: Vec<String> =
            query.iter().map(|(name, value)| format!("{name}={}", crate::shape::escape(value))).collect();
        format!("{}{path}?{}", self.state.urls.api, pairs.join("&"))
    }
}
