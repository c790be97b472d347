//! GitHub's GraphQL API over the sandbox's state.

use std::sync::LazyLock;

use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;

/// The part of GitHub's schema that is answered here.
pub static SCHEMA: LazyLock<Valid<Schema>> = LazyLock::new(|| {
    Schema::parse_and_validate(include_str!("graphql/schema.graphql"), "schema.graphql")
        .expect("the sandbox's own schema is valid, which a test asserts")
});
