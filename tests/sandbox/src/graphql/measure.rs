//! What a request asks for, in figures, before it is resolved ("Rate limits
//! and query limits for the GraphQL API", GitHub Docs).

use apollo_compiler::ExecutableDocument;
use apollo_compiler::ast::Value as Literal;
use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet};
use apollo_compiler::response::JsonMap;

/// The figures of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// The operation's name, if it has one.
    pub operation: Option<String>,
    /// Whether it is a mutation.
    pub mutation: bool,
    /// How many fields it begins with: a mutation does them one by one.
    pub fields: usize,
    /// The most nodes the answer can hold.
    pub nodes: u64,
    /// The ids given to `nodes`.
    pub ids: Vec<String>,
    /// Points: requests needed to fill every connection, by a hundred, rounded,
    /// at least 1.
    pub cost: u64,
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    variables: &'a JsonMap,
    nodes: u64,
    requests: u64,
    ids: Vec<String>,
}

impl Measure {
    pub(super) fn of(document: &ExecutableDocument, operation: &Operation, variables: &JsonMap) -> Self {
        let mut walk = Walk { document, variables, nodes: 0, requests: 0, ids: Vec::new() };
        walk.selections(&operation.selection_set, 1);
        Self {
            operation: operation.name.as_ref().map(ToString::to_string),
            mutation: operation.is_mutation(),
            fields: operation.selection_set.selections.len(),
            nodes: walk.nodes,
            ids: walk.ids,
            cost: ((walk.requests + 50) / 100).max(1),
        }
    }
}

impl Walk<'_> {
    fn selections(&mut self, set: &SelectionSet, parents: u64) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => self.field(field, parents),
                Selection::InlineFragment(inline) => self.selections(&inline.selection_set, parents),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.fragment_name) {
                        self.selections(&fragment.selection_set, parents);
                    }
                }
            }
        }
    }

    fn field(&mut self, field: &Field, parents: u64) {
        let connection = field.ty().inner_named_type().ends_with("Connection");
        let size = if connection {
            self.requests += parents;
            ["first", "last"].iter().find_map(|name| self.number(field, name)).unwrap_or(0)
        } else if field.name == "nodes" && takes_ids(field) {
            let ids = self.ids(field);
            let length = ids.len() as u64;
            self.ids.extend(ids);
            length
        } else {
            return self.selections(&field.selection_set, parents);
        };
        let inner = parents.saturating_mul(size);
        self.nodes = self.nodes.saturating_add(inner);
        self.selections(&field.selection_set, inner);
    }

    fn number(&self, field: &Field, argument: &str) -> Option<u64> {
        match field.specified_argument_by_name(argument)?.as_ref() {
            Literal::Variable(name) => self.variables.get(name.as_str())?.as_u64(),
            Literal::Int(number) => number.try_to_i32().ok()?.try_into().ok(),
            _ => None,
        }
    }

    /// The texts in a list of ids; one given otherwise cannot be told.
    fn ids(&self, field: &Field) -> Vec<String> {
        match field.specified_argument_by_name("ids").map(|value| value.as_ref()) {
            Some(Literal::Variable(name)) => {
                let list = self.variables.get(name.as_str()).and_then(|list| list.as_array());
                let texts = list.into_iter().flatten();
                texts.map(|id| id.as_str().unwrap_or_default().to_owned()).collect()
            }
            Some(Literal::List(list)) => {
                list.iter().map(|id| id.as_str().unwrap_or_default().to_owned()).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// `Query.nodes(ids:)`, not the entries of a connection.
fn takes_ids(field: &Field) -> bool {
    field.definition.argument_by_name("ids").is_some()
}
