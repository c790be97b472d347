//! Every GraphQL document Muster sends is valid against GitHub's published
//! schema, and against the sandbox's part of it.

use std::collections::BTreeSet;
use std::path::Path;

use apollo_compiler::ExecutableDocument;
use github_sandbox::conformance::graphql as published;
use github_sandbox::graphql::SCHEMA;
use muster::github::graphql::DOCUMENTS;

#[test]
fn every_document_is_valid_against_the_published_schema() {
    for document in DOCUMENTS {
        let verdict = published::validate_document(document.name, document.text);
        assert_eq!(verdict.expect("the published schema"), Ok(()), "{}", document.name);
    }
}

#[test]
fn every_document_is_valid_against_the_sandbox() {
    for document in DOCUMENTS {
        if let Err(invalid) = ExecutableDocument::parse_and_validate(&SCHEMA, document.text, document.name) {
            panic!("{}: the sandbox lacks\n{}", document.name, invalid.errors);
        }
    }
}

#[test]
fn every_operation_in_the_folder_is_among_the_documents() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/github/graphql");
    let files = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let written: BTreeSet<String> = files
        .filter(|path| !path.to_string_lossy().ends_with(".fragment.graphql"))
        .map(|path| std::fs::read_to_string(path).expect("a text"))
        .collect();
    let sent = |text: &String| DOCUMENTS.iter().any(|document| document.text.starts_with(text.as_str()));
    assert_eq!(written.iter().filter(|text| !sent(text)).count(), 0, "an operation nobody sends");
    assert_eq!(written.len(), DOCUMENTS.len());
}
