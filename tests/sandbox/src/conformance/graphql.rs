//! Whether a GraphQL schema is part of GitHub's, and whether a document is
//! valid against GitHub's.

use std::sync::LazyLock;

use apollo_compiler::ast::{FieldDefinition, InputValueDefinition};
use apollo_compiler::collections::{IndexMap, IndexSet};
use apollo_compiler::schema::{Component, ComponentName, ExtendedType};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Name, Node, Schema};

use super::{Missing, published};

static PUBLISHED: LazyLock<Result<Valid<Schema>, Missing>> = LazyLock::new(|| {
    let text = published("@octokit/graphql-schema/schema.graphql")?;
    let wrong = |errors: &dyn std::fmt::Display| {
        Missing(format!("the schema of @octokit/graphql-schema is none: {errors}"))
    };
    let schema = Schema::parse(text, "@octokit/graphql-schema").or_else(|found| {
        // The schema is published with a few fields written down twice.
        let twice = |message: &str| message.starts_with("duplicate definitions for the ");
        if found.errors.iter().all(|error| twice(&error.to_json().message)) {
            Ok(found.partial)
        } else {
            Err(wrong(&found.errors))
        }
    })?;
    schema.validate().map_err(|found| wrong(&found.errors))
});

/// GitHub's published schema, read once per process.
/// # Errors
/// [`Missing`] if `@octokit/graphql-schema` is not installed.
pub fn published_schema() -> Result<&'static Valid<Schema>, Missing> {
    PUBLISHED.as_ref().map_err(Missing::clone)
}

/// Validates a document (operations with their fragments) against GitHub's
/// published schema.
///
/// # Errors
/// The outer error if the schema is not installed; the inner one is what
/// GitHub would object to, with positions in the document.
pub fn validate_document(name: &str, document: &str) -> Result<Result<(), String>, Missing> {
    Ok(ExecutableDocument::parse_and_validate(published_schema()?, document, name)
        .map(|_| ())
        .map_err(|invalid| invalid.errors.to_string()))
}

/// Everything in which `ours` is not a part of `theirs`: a type, field,
/// argument, enum value or union member that `theirs` lacks or types
/// otherwise (nullability and defaults included), and an argument `theirs`
/// requires but `ours` does not know. Empty means: a document valid against
/// `ours` is valid against `theirs`.
pub fn not_part_of(ours: &Schema, theirs: &Schema) -> Vec<String> {
    let mut found = Vec::new();
    for (name, our_type) in &ours.types {
        if our_type.is_built_in() {
            continue;
        }
        let Some(their_type) = theirs.types.get(name) else {
            found.push(format!("{name}: no such type"));
            continue;
        };
        compare_types(name, our_type, their_type, &mut found);
    }
    found
}

fn compare_types(name: &Name, ours: &ExtendedType, theirs: &ExtendedType, out: &mut Vec<String>) {
    match (ours, theirs) {
        (ExtendedType::Scalar(_), ExtendedType::Scalar(_)) => {}
        (ExtendedType::Object(a), ExtendedType::Object(b)) => {
            names(name, "implements", &a.implements_interfaces, &b.implements_interfaces, out);
            fields(name, &a.fields, &b.fields, out);
        }
        (ExtendedType::Interface(a), ExtendedType::Interface(b)) => {
            names(name, "implements", &a.implements_interfaces, &b.implements_interfaces, out);
            fields(name, &a.fields, &b.fields, out);
        }
        (ExtendedType::Union(a), ExtendedType::Union(b)) => {
            names(name, "has the member", &a.members, &b.members, out);
        }
        (ExtendedType::Enum(a), ExtendedType::Enum(b)) => {
            for value in a.values.keys().filter(|value| !b.values.contains_key(*value)) {
                out.push(format!("{name}: no value {value}"));
            }
        }
        (ExtendedType::InputObject(a), ExtendedType::InputObject(b)) => {
            let ours: Vec<_> = a.fields.values().map(|field| &field.node).collect();
            let theirs: Vec<_> = b.fields.values().map(|field| &field.node).collect();
            inputs(name.as_str(), &ours, &theirs, out);
        }
        (
            ExtendedType::Scalar(_)
            | ExtendedType::Object(_)
            | ExtendedType::Interface(_)
            | ExtendedType::Union(_)
            | ExtendedType::Enum(_)
            | ExtendedType::InputObject(_),
            _,
        ) => out.push(format!("{name}: another kind of type")),
    }
}

fn names(
    name: &Name,
    verb: &str,
    ours: &IndexSet<ComponentName>,
    theirs: &IndexSet<ComponentName>,
    out: &mut Vec<String>,
) {
    for other in ours.iter().filter(|other| !theirs.contains(&other.name)) {
        out.push(format!("{name}: {verb} {} here only", other.name));
    }
}

fn fields(
    name: &Name,
    ours: &IndexMap<Name, Component<FieldDefinition>>,
    theirs: &IndexMap<Name, Component<FieldDefinition>>,
    out: &mut Vec<String>,
) {
    for (field, our_field) in ours {
        let Some(their_field) = theirs.get(field) else {
            out.push(format!("{name}.{field}: no such field"));
            continue;
        };
        if our_field.ty != their_field.ty {
            out.push(format!("{name}.{field}: {} is published as {}", our_field.ty, their_field.ty));
        }
        let ours: Vec<_> = our_field.arguments.iter().collect();
        let theirs: Vec<_> = their_field.arguments.iter().collect();
        inputs(&format!("{name}.{field}"), &ours, &theirs, out);
    }
}

fn inputs(
    place: &str,
    ours: &[&Node<InputValueDefinition>],
    theirs: &[&Node<InputValueDefinition>],
    out: &mut Vec<String>,
) {
    for our in ours {
        match theirs.iter().find(|their| their.name == our.name) {
            None => out.push(format!("{place}({}): no such argument", our.name)),
            Some(their) if their.ty != our.ty || their.default_value != our.default_value => {
                let (ours, theirs) = (typed(our), typed(their));
                out.push(format!("{place}({}): {ours} is published as {theirs}", our.name));
            }
            Some(_) => {}
        }
    }
    for their in theirs.iter().filter(|their| their.is_required()) {
        if !ours.iter().any(|our| our.name == their.name) {
            out.push(format!("{place}({}): required, and not known here", their.name));
        }
    }
}

/// The type of an argument with its default.
fn typed(input: &InputValueDefinition) -> String {
    match &input.default_value {
        Some(default) => format!("{} = {default}", input.ty),
        None => input.ty.to_string(),
    }
}
