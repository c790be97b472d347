//! The published schemas, in documents of our own, and an agency's profile.
//!
//! Promises: (1) a verdict is that of the published document, fault by fault
//! and place by place; the tests compare them; (2) a profile reaches nothing
//! outside itself, and cannot make judging slow: see [`profile`]; (3) one
//! record at a time is looked at, so that memory does not grow with the
//! inventory.

use std::sync::LazyLock;

use jsonschema::{PatternOptions, Validator, error::ValidationErrorKind};
use serde_json::Value as Json;

use crate::document::{Document, Id, Kind, Value};

pub mod profile;

pub use profile::{Profile, ProfileError};

/// A published schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Published {
    /// GSA 2.0.0: an inventory of releases, or one release.
    Gsa2,
    /// gov-codejson 2.0.0: the record of one repository.
    Gov2,
    /// agency-index 2.0.0: an inventory of gov-codejson 2.0.0 records.
    AgencyIndex2,
    /// CMS 2.1.0: the record of one repository of CMS.
    Cms21,
}

impl Published {
    /// All of them.
    pub const ALL: [Published; 4] =
        [Published::Gsa2, Published::Gov2, Published::AgencyIndex2, Published::Cms21];

    /// As the command line names it: `gov-2.0.0`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Published::Gsa2 => "gsa-2.0.0",
            Published::Gov2 => "gov-2.0.0",
            Published::AgencyIndex2 => "agency-index-2.0.0",
            Published::Cms21 => "cms-2.1.0",
        }
    }

    /// The schema of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Published> {
        Published::ALL.into_iter().find(|schema| schema.name() == name)
    }

    /// The whole document, complete in itself.
    #[must_use]
    pub fn document(self) -> Json {
        match self {
            Published::Gsa2 => inventory(GSA_2, GSA_2_RELEASE),
            Published::Gov2 => parse(GOV_2),
            Published::AgencyIndex2 => inventory(AGENCY_INDEX_2, GOV_2),
            Published::Cms21 => parse(CMS_2_1),
        }
    }

    /// The document of one record.
    #[must_use]
    pub fn record_document(self) -> Json {
        match self {
            Published::Gsa2 => parse(GSA_2_RELEASE),
            Published::Gov2 | Published::AgencyIndex2 => parse(GOV_2),
            Published::Cms21 => parse(CMS_2_1),
        }
    }
}

const GSA_2: &str = include_str!("schemas/gsa-2.0.0.json");
const GSA_2_RELEASE: &str = include_str!("schemas/gsa-2.0.0-release.json");
const GOV_2: &str = include_str!("schemas/gov-2.0.0.json");
const AGENCY_INDEX_2: &str = include_str!("schemas/agency-index-2.0.0.json");
const CMS_2_1: &str = include_str!("schemas/cms-2.1.0.json");

fn parse(document: &str) -> Json {
    serde_json::from_str(document).expect("our own documents are JSON")
}

/// The inventory's document with the record's put in, definitions and all.
fn inventory(shell: &str, record: &str) -> Json {
    let (mut shell, mut record) = (parse(shell), parse(record));
    if let Some(record) = record.as_object_mut() {
        record.remove("$schema");
        let definitions = record.remove("$defs");
        shell["$defs"] = definitions.unwrap_or_default();
    }
    shell["properties"]["releases"]["items"] = record;
    shell
}

/// What judges: a record's schema, and an inventory's frame where there is one.
#[derive(Debug)]
pub struct Schema {
    frame: Option<Judge>,
    record: Judge,
}

/// A compiled document, and the document for those who explain its verdicts.
#[derive(Debug)]
struct Judge {
    validator: Validator,
    document: Json,
}

impl Judge {
    fn new(document: Json) -> Result<Judge, String> {
        let patterns = PatternOptions::regex().size_limit(1 << 20);
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .with_pattern_options(patterns)
            .offline()
            .build(&document)
            .map_err(|error| format!("{error} (at {})", error.schema_path()))?;
        Ok(Judge { validator, document })
    }
}

/// One thing that a schema forbids.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// The value, or the object that lacks something.
    pub at: Id,
    /// What.
    pub rule: Rule,
}

/// The keyword that is violated, and what it wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// `required`: this key is missing.
    Required(String),
    /// `type`: these are wanted, in words of JSON Schema.
    Type(Vec<String>),
    /// `enum` or `const`: these are allowed.
    Enum(Vec<Json>),
    /// `format`: its name.
    Format(String),
    /// `additionalProperties` and the like: these keys are not allowed.
    Unknown(Vec<String>),
    /// `uniqueItems`.
    Unique,
    /// Another keyword, and the validator's sentence.
    Other(String, String),
}

impl Rule {
    /// The keyword of JSON Schema.
    #[must_use]
    pub fn keyword(&self) -> &str {
        match self {
            Rule::Required(_) => "required",
            Rule::Type(_) => "type",
            Rule::Enum(_) => "enum",
            Rule::Format(_) => "format",
            Rule::Unknown(_) => "additionalProperties",
            Rule::Unique => "uniqueItems",
            Rule::Other(keyword, _) => keyword,
        }
    }
}

impl Schema {
    /// A published one, compiled once.
    #[must_use]
    pub fn published(which: Published) -> &'static Schema {
        static COMPILED: LazyLock<[Schema; 4]> = LazyLock::new(|| {
            let frame = |document| {
                let mut document = parse(document);
                if let Some(releases) = document["properties"]["releases"].as_object_mut() {
                    releases.remove("items");
                }
                Judge::new(document).expect("our own documents compile")
            };
            Published::ALL.map(|which| Schema {
                frame: match which {
                    Published::Gsa2 => Some(frame(GSA_2)),
                    Published::AgencyIndex2 => Some(frame(AGENCY_INDEX_2)),
                    Published::Gov2 | Published::Cms21 => None,
                },
                record: Judge::new(which.record_document()).expect("our own documents compile"),
            })
        });
        let [gsa, gov, index, cms] = &*COMPILED;
        match which {
            Published::Gsa2 => gsa,
            Published::Gov2 => gov,
            Published::AgencyIndex2 => index,
            Published::Cms21 => cms,
        }
    }

    /// Whether it has a frame, that is, is about inventories.
    #[must_use]
    pub fn has_frame(&self) -> bool {
        self.frame.is_some()
    }

    /// The document of one record, for those who look up what it says of a key.
    #[must_use]
    pub fn record_document(&self) -> &Json {
        &self.record.document
    }

    /// The document of the frame, the records aside; `null` if there is none.
    #[must_use]
    pub fn frame_document(&self) -> &Json {
        self.frame.as_ref().map_or(&Json::Null, |frame| &frame.document)
    }

    /// What the schema says of one record.
    #[must_use]
    pub fn judge_record(&self, record: Value<'_>) -> Vec<Violation> {
        judge(&self.record, record, &record.to_json())
    }

    /// What the schema says of the frame of an inventory, its records aside.
    /// Nothing if the schema has no frame.
    #[must_use]
    pub fn judge_frame(&self, root: Value<'_>) -> Vec<Violation> {
        let Some(frame) = &self.frame else { return Vec::new() };
        let json = match root.kind() {
            Kind::Object => {
                let bare = root.members().map(|member| match (&*member.key, member.value.kind()) {
                    ("releases", Kind::Array) => (member.key.into_owned(), Json::Array(Vec::new())),
                    _ => (member.key.into_owned(), member.value.to_json()),
                });
                Json::Object(bare.collect())
            }
            Kind::Null | Kind::Bool | Kind::Number | Kind::String | Kind::Array => root.to_json(),
        };
        judge(frame, root, &json)
    }

    /// What the whole document says of a whole file: the frame and every
    /// release, or the record.
    #[must_use]
    pub fn judge(&self, document: &Document) -> Vec<Violation> {
        let root = document.root();
        if !self.has_frame() {
            return self.judge_record(root);
        }
        let mut violations = self.judge_frame(root);
        let releases = root.get("releases").filter(|releases| releases.kind() == Kind::Array);
        for release in releases.iter().flat_map(|releases| releases.items()) {
            violations.extend(self.judge_record(release));
        }
        violations
    }
}

fn judge(judge: &Judge, base: Value<'_>, json: &Json) -> Vec<Violation> {
    if judge.validator.is_valid(json) {
        return Vec::new();
    }
    let found = judge.validator.iter_errors(json).map(|error| {
        let at = below(base, error.instance_path().as_str());
        Violation { at: at.id(), rule: rule(&error) }
    });
    found.collect()
}

/// The value at a JSON pointer below another; where the pointer leads nowhere,
/// as far as it leads.
fn below<'d>(base: Value<'d>, pointer: &str) -> Value<'d> {
    let mut value = base;
    for token in pointer.split('/').skip(1) {
        let next = match value.kind() {
            Kind::Array => token.parse().ok().and_then(|at| value.item(at)),
            _ if token.contains('~') => value.get(&token.replace("~1", "/").replace("~0", "~")),
            _ => value.get(token),
        };
        match next {
            Some(next) => value = next,
            None => break,
        }
    }
    value
}

fn rule(error: &jsonschema::ValidationError<'_>) -> Rule {
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            Rule::Required(property.as_str().unwrap_or_default().to_owned())
        }
        ValidationErrorKind::Type { kind } => Rule::Type(match kind {
            jsonschema::error::TypeKind::Single(one) => vec![one.to_string()],
            jsonschema::error::TypeKind::Multiple(several) => {
                several.iter().map(|one| one.to_string()).collect()
            }
        }),
        ValidationErrorKind::Enum { options } => Rule::Enum(options.as_array().cloned().unwrap_or_default()),
        ValidationErrorKind::Constant { expected_value } => Rule::Enum(vec![(**expected_value).clone()]),
        ValidationErrorKind::Format { format } => Rule::Format(format.clone()),
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => Rule::Unknown(unexpected.clone()),
        ValidationErrorKind::UniqueItems => Rule::Unique,
        other => Rule::Other(other.keyword().to_owned(), error.masked().to_string()),
    }
}
