//! Answers of the REST API.

use serde_json::{Value, json};

use crate::state::Refusal;

/// Status, headers and body of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
}

impl Answer {
    pub(crate) fn new(status: u16, body: Value) -> Answer {
        Answer { status, headers: Vec::new(), body: Some(body) }
    }

    pub(crate) fn ok(body: Value) -> Answer {
        Answer::new(200, body)
    }

    pub(crate) fn created(body: Value) -> Answer {
        Answer::new(201, body)
    }

    pub(crate) fn no_content() -> Answer {
        Answer { status: 204, headers: Vec::new(), body: None }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl ToString) -> Answer {
        self.headers.push((name, value.to_string()));
        self
    }

    /// A sentence with a status.
    pub(crate) fn message(status: u16, message: &str) -> Answer {
        Answer::new(
            status,
            json!({
                "message": message,
                "documentation_url": "https://docs.github.com/rest",
                "status": status.to_string(),
            }),
        )
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Answer {
        let answer = Answer::new(refusal.status(), refusal.body());
        if let Refusal::NotAccessible { accepted } = &refusal {
            return answer.header("x-accepted-github-permissions", accepted);
        }
        answer
    }
}
