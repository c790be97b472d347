//! The sandbox is held against what GitHub publishes.

use apollo_compiler::Schema;
use github_sandbox::conformance::{graphql, webhook_examples};

fn ours() -> Schema {
    let text = include_str!("../src/graphql/schema.graphql");
    Schema::parse_and_validate(text, "schema.graphql").expect("our schema is one").into_inner()
}

#[test]
fn the_sandbox_schema_is_a_part_of_the_published_one() {
    let theirs = graphql::published_schema().expect("the published schema");
    let found = graphql::not_part_of(&ours(), theirs);
    assert!(found.is_empty(), "not as GitHub publishes it:\n{}", found.join("\n"));
}

#[test]
fn what_is_not_published_is_found() {
    let theirs = graphql::published_schema().expect("the published schema");
    let text = include_str!("../src/graphql/schema.graphql")
        .replace("isArchived: Boolean!", "isArchived: Boolean")
        .replace("  PRIVATE\n", "  PRIVATE\n  HIDDEN\n")
        .replace("force: Boolean = false\n  oid: GitObjectID!\n", "force: Boolean = false\n")
        .replace("force: Boolean = false\n", "force: Boolean = true\n  speed: Int\n")
        .replace("node(id: ID!)", "node(id: ID!, deep: Boolean)")
        .replace("union IssueOrPullRequest = Issue", "union IssueOrPullRequest = Label | Issue")
        .replace("scalar URI", "scalar URI\nscalar Nowhere");
    let ours = Schema::parse(text, "schema.graphql").expect("it parses");
    let mut found = graphql::not_part_of(&ours, theirs);
    found.sort();
    insta::assert_snapshot!(found.join("\n"), @"
    IssueOrPullRequest: has the member Label here only
    Nowhere: no such type
    Query.node(deep): no such argument
    RefUpdate(force): Boolean = true is published as Boolean = false
    RefUpdate(speed): no such argument
    Repository.isArchived: Boolean is published as Boolean!
    RepositoryVisibility: no value HIDDEN
    UpdateRefInput(force): Boolean = true is published as Boolean = false
    UpdateRefInput(oid): required, and not known here
    UpdateRefInput(speed): no such argument
    ");
}

#[test]
fn a_document_with_an_unknown_field_is_refused_with_its_position() {
    let verdict = graphql::validate_document("probe.graphql", "{ viewer { login shoeSize } }")
        .expect("the published schema");
    let objection = verdict.expect_err("no such field");
    assert!(objection.contains("probe.graphql:1:18"), "{objection}");
}

#[test]
fn every_published_example_has_an_event_and_an_object() {
    let examples = webhook_examples().expect("the published examples");
    assert!(examples.len() > 200, "only {} examples", examples.len());
    for (event, payload) in &examples {
        assert!(!event.is_empty() && payload.is_object(), "{event}: {payload}");
    }
}
