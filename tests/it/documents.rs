//! Every GraphQL document Muster sends is valid against GitHub's published
//! schema, and against the sandbox's part of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use apollo_compiler::{ExecutableDocument, ast};
use github_sandbox::conformance::graphql as published;
use github_sandbox::graphql::SCHEMA;

/// The operations under `src/github/graphql`, each with the fragments it
/// spreads, however deep: file name -> document.
fn documents() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/github/graphql");
    let mut operations = BTreeMap::new();
    let mut fragments = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("the documents") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("a text");
        let document = ast::Document::parse(text, &name).expect("it parses");
        for definition in &document.definitions {
            match definition {
                ast::Definition::OperationDefinition(operation) => {
                    let twice = operations.insert(name.clone(), operation.to_string());
                    assert!(twice.is_none(), "{name}: one operation a file");
                }
                ast::Definition::FragmentDefinition(fragment) => {
                    let twice = fragments.insert(fragment.name.to_string(), fragment.to_string());
                    assert!(twice.is_none(), "{name}: a second fragment {}", fragment.name);
                }
                other => panic!("{name} holds what is neither operation nor fragment: {other:?}"),
            }
        }
    }
    for (name, document) in &mut operations {
        let mut added = BTreeSet::new();
        while let Some(missing) = spreads(document).difference(&added).next().cloned() {
            let text = fragments.get(&missing).unwrap_or_else(|| panic!("{name}: no fragment {missing}"));
            document.push_str(text);
            added.insert(missing);
        }
    }
    operations
}

/// The names of the fragments a text spreads.
fn spreads(text: &str) -> BTreeSet<String> {
    let name = |rest: &str| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned);
    text.split("...").skip(1).filter_map(name).filter(|name| !name.is_empty() && name != "on").collect()
}

#[test]
fn every_document_is_valid_against_the_published_schema() {
    let documents = documents();
    assert!(documents.contains_key("snapshot.graphql"), "found {:?}", documents.keys());
    for (name, document) in documents {
        let verdict = published::validate_document(&name, &document).expect("the published schema");
        assert_eq!(verdict, Ok(()), "{name}");
    }
}

#[test]
fn every_document_is_valid_against_the_sandbox() {
    for (name, document) in documents() {
        if let Err(invalid) = ExecutableDocument::parse_and_validate(&SCHEMA, document, &name) {
            panic!("{name}: the sandbox lacks\n{}", invalid.errors);
        }
    }
}
