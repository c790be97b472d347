//! A schema of an OpenAPI 3.0 description as JSON Schema, on its own.

use std::collections::BTreeSet;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Map, Value, json};

/// Compiles the schema at `pointer` together with the component schemas it
/// names, however deep.
///
/// # Panics
/// If GitHub's description holds a schema that is none: the description then
/// is not the one this was written for.
pub(super) fn compile(document: &Value, pointer: &str) -> Validator {
    let mut names = BTreeSet::new();
    let schema = document.pointer(pointer).unwrap_or(&Value::Bool(true));
    let mut root = json_schema(schema, &mut names);
    let mut components = Map::new();
    while let Some(name) = names.pop_first() {
        if components.contains_key(&name) {
            continue;
        }
        let component = &document["components"]["schemas"][&name];
        components.insert(name, json_schema(component, &mut names));
    }
    if !components.is_empty() {
        // A root that is itself a reference cannot carry siblings.
        root = json!({"allOf": [root], "components": {"schemas": components}});
    }
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .build(&root)
        .unwrap_or_else(|error| panic!("the schema at {pointer} is none: {error}"))
}

/// Translates the keywords in which OpenAPI 3.0 and JSON Schema differ:
/// `nullable`, and that nothing beside a `$ref` counts. Names of referenced
/// component schemas are added to `names`.
fn json_schema(schema: &Value, names: &mut BTreeSet<String>) -> Value {
    let Value::Object(schema) = schema else {
        return schema.clone();
    };
    if let Some(Value::String(reference)) = schema.get("$ref") {
        if let Some(name) = reference.strip_prefix("#/components/schemas/") {
            names.insert(name.to_owned());
        }
        return json!({"$ref": reference});
    }
    let mut out = Map::new();
    for (keyword, value) in schema {
        let value = match (keyword.as_str(), value) {
            ("properties", Value::Object(properties)) => properties
                .iter()
                .map(|(name, property)| (name.clone(), json_schema(property, names)))
                .collect(),
            ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => {
                parts.iter().map(|part| json_schema(part, names)).collect()
            }
            ("items" | "additionalProperties" | "not", value) => json_schema(value, names),
            // Annotations: nothing to check, and `example` may hold anything.
            ("nullable" | "example" | "examples" | "description" | "title" | "default", _) => {
                continue;
            }
            (_, value) => value.clone(),
        };
        out.insert(keyword.clone(), value);
    }
    if schema.get("nullable") == Some(&Value::Bool(true)) {
        return nullable(out);
    }
    Value::Object(out)
}

/// Null as well. Written into `type` and `enum` where that says it all, since
/// an error inside an `anyOf` no longer says where it is.
fn nullable(mut schema: Map<String, Value>) -> Value {
    let combined = ["allOf", "anyOf", "oneOf", "not"];
    let plain = schema.get("type").is_some_and(Value::is_string)
        && !combined.iter().any(|keyword| schema.contains_key(*keyword));
    if !plain {
        return json!({"anyOf": [schema, {"type": "null"}]});
    }
    let kind = schema["type"].clone();
    schema.insert("type".to_owned(), json!([kind, "null"]));
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
    Value::Object(schema)
}

/// Pointer and problem of an error. Of an `anyOf` or `oneOf` the branch that
/// came nearest is explained.
pub(super) fn explain(error: &ValidationError<'_>) -> Vec<(String, String)> {
    let nearest = match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            context.iter().min_by_key(|branch| branch.len())
        }
        _ => None,
    };
    match nearest {
        Some(branch) if !branch.is_empty() => branch.iter().flat_map(explain).collect(),
        _ => {
            let pointer: Vec<&str> = error
                .instance_path()
                .as_str()
                .split('/')
                .map(|step| if step.parse::<usize>().is_ok() { "*" } else { step })
                .collect();
            vec![(pointer.join("/"), error.masked().to_string())]
        }
    }
}

/// A key as a step of a JSON pointer.
pub(super) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
