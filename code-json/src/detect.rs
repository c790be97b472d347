//! What a file is, told by its shape.
//!
//! Promises: (1) the `version` string decides nothing: in a repository's file it
//! is the software's version, and in inventories it is often wrong; (2) every
//! JSON text gets a [`Shape`], if only [`Family::Unknown`].

use crate::document::{Document, Kind, Value};

/// The generations of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// GSA 1.0.0 to 1.0.3: `repository`, `license`, `openSourceProject`.
    Gsa1,
    /// GSA 2.0.0 and its release candidates, the schema of M-16-21.
    Gsa2,
    /// gov-codejson 1.0.0: `feedbackMechanisms`, one text as usage type.
    Gov1,
    /// gov-codejson 2.0.0, the schema of the SHARE IT Act.
    Gov2,
    /// CMS 0.0.0 to 0.2.0: as 2.0.0 in older words.
    Cms0,
    /// CMS 2.0.0 and 2.1.0: gov-codejson 2.0.0 and 15 fields more.
    Cms2,
    /// None of them.
    Unknown,
}

impl Family {
    /// For people: `GSA 2.0.0`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Family::Gsa1 => "GSA 1.x",
            Family::Gsa2 => "GSA 2.0.0",
            Family::Gov1 => "gov-codejson 1.0.0",
            Family::Gov2 => "gov-codejson 2.0.0",
            Family::Cms0 => "CMS 0.x",
            Family::Cms2 => "CMS 2.x",
            Family::Unknown => "unknown",
        }
    }
}

/// How the records lie in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Container {
    /// One object: the record of one repository.
    Single,
    /// An object with a list `releases`: an inventory.
    Releases,
    /// An object with a list `projects` of records: GSA 1.0.1, CMS aggregates.
    Projects,
    /// A bare list of records, as USGS's generator reads it.
    List,
    /// No object and no list.
    Other,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// The generation of its records: of several, the most frequent.
    pub family: Family,
    /// How they lie.
    pub container: Container,
}

/// Tells the shape of a document.
#[must_use]
pub fn detect(document: &Document) -> Shape {
    let root = document.root();
    let container = container(root);
    let family = match container {
        Container::Single => family(root),
        Container::Releases | Container::Projects | Container::List => common(records_in(root, container)),
        Container::Other => Family::Unknown,
    };
    Shape { family, container }
}

/// The records of a document, in order; entries that are no objects too.
#[must_use]
pub fn records(document: &Document) -> Vec<Value<'_>> {
    records_in(document.root(), container(document.root()))
}

fn records_in(root: Value<'_>, container: Container) -> Vec<Value<'_>> {
    match container {
        Container::Single => vec![root],
        Container::Releases => root.get("releases").map(|list| list.items().collect()).unwrap_or_default(),
        Container::Projects => root.get("projects").map(|list| list.items().collect()).unwrap_or_default(),
        Container::List => root.items().collect(),
        Container::Other => Vec::new(),
    }
}

fn container(root: Value<'_>) -> Container {
    let list = |key| root.get(key).filter(|value| value.kind() == Kind::Array);
    match root.kind() {
        Kind::Array => Container::List,
        Kind::Object if list("releases").is_some() => Container::Releases,
        // A CMS record has a list `projects` too, of names.
        Kind::Object if list("projects").is_some_and(holds_records) => Container::Projects,
        Kind::Object if root.get("measurementType").is_some() && root.get("permissions").is_none() => {
            Container::Releases
        }
        Kind::Object => Container::Single,
        Kind::Null | Kind::Bool | Kind::Number | Kind::String => Container::Other,
    }
}

fn holds_records(list: Value<'_>) -> bool {
    match list.item(0) {
        Some(first) => first.kind() == Kind::Object,
        None => list.parent().is_some_and(|root| root.get("name").is_none()),
    }
}

/// The most frequent family; of equals, the newest.
fn common(records: Vec<Value<'_>>) -> Family {
    let mut counts = std::collections::BTreeMap::new();
    for record in records {
        *counts.entry(family(record)).or_insert(0_usize) += 1;
    }
    counts.remove(&Family::Unknown);
    counts.into_iter().max_by_key(|(_, count)| *count).map_or(Family::Unknown, |(family, _)| family)
}

/// Keys every generation knows, in one spelling or another; three of them make
/// a record.
const COMMON: [&str; 16] = [
    "name",
    "description",
    "organization",
    "status",
    "permissions",
    "license",
    "repository",
    "repositoryURL",
    "tags",
    "languages",
    "contact",
    "laborHours",
    "vcs",
    "date",
    "updated",
    "homepageURL",
];

/// Keys that came with gov-codejson.
const GOV: [&str; 8] = [
    "repositoryVisibility",
    "reuseFrequency",
    "maintenance",
    "contractNumber",
    "SBOM",
    "AIUseCaseID",
    "feedbackMechanism",
    "feedbackMechanisms",
];

/// Keys that only CMS's schemas have.
const CMS: [&str; 8] = [
    "repositoryHost",
    "repositoryType",
    "userInput",
    "fismaLevel",
    "group",
    "subsetInHealthcare",
    "userType",
    "maturityModelTier",
];

/// Keys of GSA's first schemas that later ones renamed.
const GSA1: [&str; 5] =
    ["openSourceProject", "governmentWideReuseProject", "closedProject", "repository", "license"];

/// The generation of one record.
#[must_use]
pub fn family(record: Value<'_>) -> Family {
    let has = |keys: &[&str]| record.members().filter(|member| keys.contains(&&*member.key)).count();
    let (gov, cms) = (has(&GOV), has(&CMS));
    if has(&COMMON) + gov + cms < 3 {
        return Family::Unknown;
    }
    let old = has(&["feedbackMechanisms", "upstream", "projectURL"]) > 0
        || record.get("date").is_some_and(|date| date.get("metaDataLastUpdated").is_some())
        || record.get("contractNumber").is_some_and(|number| number.kind() == Kind::String);
    match (cms >= 3, gov >= 2, old) {
        (true, _, true) => Family::Cms0,
        // The first CMS schema had none of the keys of the Act.
        (true, true, false) => Family::Cms2,
        (true, false, false) => Family::Cms0,
        (false, true, true) => Family::Gov1,
        (false, true, false) => Family::Gov2,
        (false, false, _) if has(&["permissions"]) == 0 && has(&GSA1) > 0 => Family::Gsa1,
        (false, false, _) => Family::Gsa2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Limits;

    fn shape(text: &str) -> (Family, Container) {
        let document = Document::read(text.as_bytes(), &Limits::default()).unwrap();
        let Shape { family, container } = detect(&document);
        (family, container)
    }

    #[test]
    fn shapes_are_told_by_keys_not_by_version() {
        for (text, family, container) in [
            (
                r#"{"name":"a","license":null,"repository":"x","version":"2.0.0"}"#,
                Family::Gsa1,
                Container::Single,
            ),
            (r#"{"name":"a","permissions":{},"tags":[],"version":"1.0.1"}"#, Family::Gsa2, Container::Single),
            (
                r#"{"version":"0.0.1","releases":[{"name":"a","permissions":{},"tags":[]},7]}"#,
                Family::Gsa2,
                Container::Releases,
            ),
            (
                r#"{"version":"1.0.3","projects":[{"name":"a","license":"","tags":[]}]}"#,
                Family::Gsa1,
                Container::Projects,
            ),
            (r#"{"version":"2","measurementType":{}}"#, Family::Unknown, Container::Releases),
            (r#"[{"name":"a","permissions":{},"tags":[]}]"#, Family::Gsa2, Container::List),
            (r#"{"name":"a","tags":[],"SBOM":"","maintenance":"none"}"#, Family::Gov2, Container::Single),
            (
                r#"{"name":"a","tags":[],"SBOM":"","maintenance":"none","date":{"metaDataLastUpdated":""}}"#,
                Family::Gov1,
                Container::Single,
            ),
            (
                r#"{"name":"a","SBOM":"","AIUseCaseID":"0","group":"g","userType":[],"fismaLevel":"low","projects":["p"]}"#,
                Family::Cms2,
                Container::Single,
            ),
            (
                r#"{"name":"a","contractNumber":"","group":"g","userType":[],"fismaLevel":"low"}"#,
                Family::Cms0,
                Container::Single,
            ),
            (r#"{"title":"site","api":"x"}"#, Family::Unknown, Container::Single),
            ("[]", Family::Unknown, Container::List),
            ("7", Family::Unknown, Container::Other),
        ] {
            assert_eq!(shape(text), (family, container), "{text}");
        }
    }
}
