//! GitHub's GraphQL API over the sandbox's state.
//!
//! Promises: (1) what is not in [`SCHEMA`], a part of GitHub's published
//! schema, is a validation error; (2) a field of the schema without a resolver
//! is an error, never a silent null; (3) what a caller may not see does not
//! exist; (4) mutations run one after the other, and each may fail alone.

mod account;
mod connection;
mod conversation;
mod git;
mod measure;
mod mutation;
mod repository;
mod resolve;

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::resolvers::Execution;
use apollo_compiler::response::{GraphQLError, JsonMap};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::{Value, json};

pub use self::measure::Measure;
use self::resolve::{Context, Problem};
use crate::state::{Caller, Refusal, Resource, State};

/// The part of GitHub's schema that is answered here.
pub static SCHEMA: LazyLock<Valid<Schema>> = LazyLock::new(|| {
    Schema::parse_and_validate(include_str!("graphql/schema.graphql"), "schema.graphql")
        .expect("the sandbox's own schema is valid, which a test asserts")
});

/// Documents that passed validation, by their text: clients send the same few
/// again and again. Forgotten when there are more than [`MOST_DOCUMENTS`].
static VALID: LazyLock<Mutex<HashMap<String, Arc<Valid<ExecutableDocument>>>>> =
    LazyLock::new(Mutex::default);
const MOST_DOCUMENTS: usize = 256;

/// The most nodes one call may ask for ("Rate limits and query limits for the
/// GraphQL API").
const MOST_NODES: u64 = 500_000;

/// A request that passed validation, before anything was resolved.
#[derive(Debug)]
pub struct Request {
    document: Arc<Valid<ExecutableDocument>>,
    operation: Option<String>,
    variables: Valid<JsonMap>,
    measure: Measure,
    /// After how many fields a mutation breaks off.
    cut: Option<usize>,
}

/// What is answered, with HTTP 200.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The body.
    pub body: Value,
    /// Points charged.
    pub cost: u64,
}

/// A request that is none: the body GitHub answers, with HTTP 200. A sandbox
/// treats it as a failure of the program that sent it.
#[derive(Debug, Clone, PartialEq)]
pub struct Invalid {
    /// The errors, one a line, for people.
    pub message: String,
    /// The body.
    pub body: Value,
}

/// The document of this text, if it is valid.
fn valid(query: &str) -> Result<Arc<Valid<ExecutableDocument>>, Invalid> {
    let documents = || VALID.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(document) = documents().get(query) {
        return Ok(Arc::clone(document));
    }
    let document = ExecutableDocument::parse_and_validate(&SCHEMA, query, "query").map_err(|invalid| {
        Invalid::new(invalid.errors.iter().map(|error| located(&error.to_json())).collect())
    })?;
    let (document, mut documents) = (Arc::new(document), documents());
    if documents.len() >= MOST_DOCUMENTS {
        documents.clear();
    }
    documents.insert(query.to_owned(), Arc::clone(&document));
    Ok(document)
}

impl Request {
    /// Parses and validates the body of a request: `query`, `variables`,
    /// `operationName`.
    ///
    /// # Errors
    /// [`Invalid`] with the body to answer.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let refuse = |message: &str| Invalid::new(vec![json!({ "message": message })]);
        let query = body["query"]
            .as_str()
            .ok_or_else(|| refuse("A query attribute must be specified and must be a string."))?;
        let unknown =
            body.as_object().into_iter().flatten().find(|(key, _)| {
                !["query", "variables", "operationName", "extensions"].contains(&key.as_str())
            });
        if let Some((key, _)) = unknown {
            return Err(refuse(&format!("`{key}` is not part of a GraphQL request")));
        }
        let document = valid(query)?;
        let operation = body["operationName"].as_str().map(str::to_owned);
        let chosen = document
            .operations
            .get(operation.as_deref())
            .map_err(|error| Invalid::new(vec![located(&error.to_graphql_error(&document.sources))]))?;
        let given: JsonMap = match &body["variables"] {
            Value::Null => JsonMap::new(),
            variables => serde_json::from_value(variables.clone())
                .map_err(|_| refuse("Variables must be an object."))?,
        };
        if let Some((name, _)) =
            given.iter().find(|(name, _)| !chosen.variables.iter().any(|known| known.name == name.as_str()))
        {
            return Err(refuse(&format!("Variable ${} is not declared by the operation", name.as_str())));
        }
        let variables = coerce_variable_values(&SCHEMA, chosen, &given)
            .map_err(|error| Invalid::new(vec![located(&error.to_graphql_error(&document.sources))]))?;
        let measure = Measure::of(&document, chosen, &variables);
        Ok(Self { document, operation, variables, measure, cut: None })
    }

    /// Lets a mutation break off after so many of its fields.
    pub fn cut_after(&mut self, fields: usize) {
        self.cut = Some(fields);
    }

    /// The variables, each with its value.
    pub fn variables(&self) -> Value {
        serde_json::to_value(&*self.variables).unwrap_or_default()
    }

    /// What the request asks for, in figures.
    pub fn measure(&self) -> &Measure {
        &self.measure
    }

    /// Resolves the request for a caller.
    pub fn execute(&self, state: &mut State, caller: &Caller) -> Answer {
        let cost = self.measure.cost;
        let fail = |problem: &Problem| Answer { body: json!({ "errors": [problem.json()] }), cost };
        if matches!(caller, Caller::Anonymous | Caller::App) {
            return fail(&Refusal::RequiresAuthentication.into());
        }
        if let Err(refusal) = state.charge(caller, Resource::Graphql, cost) {
            return fail(&refusal.into());
        }
        if self.measure.nodes > MOST_NODES {
            return fail(&Problem::new(
                "MAX_NODE_LIMIT_EXCEEDED",
                format!(
                    "This query requests up to {} possible nodes which exceeds the maximum limit of {MOST_NODES}.",
                    self.measure.nodes
                ),
            ));
        }
        let context = Context::new(state, caller, &self.measure, self.cut);
        let root = context.root(self.measure.mutation);
        let executed = Execution::new(&SCHEMA, &self.document)
            .operation_name(self.operation.as_deref())
            .and_then(|execution| execution.coerced_variable_values(&self.variables).execute_sync(&root));
        match executed {
            Ok(response) => {
                let mut errors: Vec<Value> = response.errors.iter().map(resolved_error).collect();
                errors.extend(context.partial_errors());
                let mut body = json!({ "data": response.data });
                if !errors.is_empty() {
                    body["errors"] = Value::Array(errors);
                }
                Answer { body, cost }
            }
            Err(error) => {
                let error = error.to_graphql_error(&self.document.sources);
                Answer { body: json!({ "errors": [located(&error)] }), cost }
            }
        }
    }
}

impl Invalid {
    fn new(errors: Vec<Value>) -> Self {
        let message: Vec<&str> = errors.iter().filter_map(|error| error["message"].as_str()).collect();
        Self { message: message.join("\n"), body: json!({ "errors": errors }) }
    }
}

/// An error of parsing or validation, as GitHub shapes it.
fn located(error: &GraphQLError) -> Value {
    json!({ "message": error.message, "locations": error.locations })
}

/// An error of a resolver: the problem travels in the message, since the
/// executor knows no other place.
fn resolved_error(error: &GraphQLError) -> Value {
    let message = error.message.strip_prefix("resolver error: ").unwrap_or(&error.message);
    let mut out = Problem::from_message(message).json();
    out["path"] = json!(error.path);
    out["locations"] = json!(error.locations);
    out
}

#[cfg(test)]
mod tests;
