//! An agency's own schema of a record.
//!
//! Promises: (1) nothing outside the file is read: references lead to places in
//! it; (2) no reference leads back to where it stands, and the schema written
//! out in full stays small, so that judging a record takes time in the length
//! of the record; (3) patterns run in linear time; what that engine does not
//! know (look-around, back references) is refused with its place.

use std::{collections::BTreeSet, fmt};

use serde_json::Value as Json;

use super::{Judge, Schema};
use crate::document::{Document, Fault, Limits};

/// Bytes a profile may have.
pub const LARGEST: usize = 256 * 1024;
/// Objects a profile may have when every reference is written out.
pub const MOST_PARTS: usize = 20_000;
/// References that may lead through one another.
const DEEPEST: usize = 16;

/// A compiled profile.
#[derive(Debug)]
pub struct Profile {
    /// Its `title`, else `profile`.
    pub name: String,
    schema: Schema,
}

/// Why a profile cannot be used.
#[derive(Debug)]
pub enum ProfileError {
    /// It is no JSON.
    Fault(Fault),
    /// Something in it, the JSON pointer, and what to do.
    Refused {
        /// Where.
        pointer: String,
        /// What is wrong, and the remedy.
        why: String,
    },
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProfileError::Fault(fault) => {
                write!(f, "the profile, {}: {}. {}", fault.place, fault.kind.message(), fault.kind.remedy())
            }
            ProfileError::Refused { pointer, why } if pointer.is_empty() => write!(f, "the profile: {why}"),
            ProfileError::Refused { pointer, why } => write!(f, "the profile, at {pointer}: {why}"),
        }
    }
}

impl std::error::Error for ProfileError {}

const DRAFTS: [&str; 5] = [
    "http://json-schema.org/draft-04/schema",
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-07/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
];

/// Keywords whose members are named by their author, and are schemas.
const NAMED: [&str; 5] = ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"];

impl Profile {
    /// Reads and compiles a profile.
    ///
    /// # Errors
    /// What keeps it from being used, with its place.
    pub fn read(bytes: &[u8]) -> Result<Profile, ProfileError> {
        let limits = Limits { bytes: LARGEST, depth: 32, ..Limits::default() };
        let document = Document::read(bytes, &limits).map_err(ProfileError::Fault)?;
        let mut json = document.root().to_json();
        let refuse = |pointer: &str, why: String| ProfileError::Refused { pointer: pointer.to_owned(), why };
        let Some(root) = json.as_object() else {
            return Err(refuse("", "write an object in braces".into()));
        };
        if let Some(slip) = document.slips().first() {
            let place = document.place(slip.span.start);
            return Err(refuse("", format!("line {place} is not JSON as RFC 8259 has it")));
        }
        let draft = root.get("$schema").map(|draft| draft.as_str().unwrap_or_default().trim_end_matches('#'));
        if draft.is_some_and(|draft| !DRAFTS.contains(&draft)) {
            let known = DRAFTS.join(", ");
            return Err(refuse("/$schema", format!("this draft is not known; known are {known}")));
        }
        let name = root.get("title").and_then(Json::as_str).unwrap_or("profile").to_owned();
        Walk { root: &json, parts: 0, open: BTreeSet::new() }.schema(&json, "")?;
        // An `$id` would make references within the file lead elsewhere.
        if let Some(root) = json.as_object_mut() {
            root.remove("$id");
            root.remove("id");
        }
        let record = Judge::new(json).map_err(|why| refuse("", why))?;
        Ok(Profile { name, schema: Schema { frame: None, record } })
    }

    /// What judges.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }
}

/// Walks a profile as if every reference were written out. Recurses at most
/// [`DEEPEST`] times 32 levels, the depth a profile may have.
struct Walk<'j> {
    root: &'j Json,
    parts: usize,
    /// The references that are being followed.
    open: BTreeSet<&'j str>,
}

impl<'j> Walk<'j> {
    fn schema(&mut self, json: &'j Json, pointer: &str) -> Result<(), ProfileError> {
        let refuse =
            |key: &str, why: String| ProfileError::Refused { pointer: format!("{pointer}/{key}"), why };
        if let Json::Array(items) = json {
            for (at, item) in items.iter().enumerate() {
                self.schema(item, &format!("{pointer}/{at}"))?;
            }
        }
        let Json::Object(members) = json else { return Ok(()) };
        self.parts += 1;
        if self.parts > MOST_PARTS {
            let why = format!("written out in full, the profile has more than {MOST_PARTS} parts");
            return Err(ProfileError::Refused { pointer: String::new(), why });
        }
        for (key, value) in members {
            let below = format!("{pointer}/{key}");
            match (key.as_str(), value) {
                // Values, not schemas.
                ("enum" | "const" | "default" | "examples" | "example", _) => {}
                // Only what is referred to counts.
                ("$defs" | "definitions", _) => {}
                ("$dynamicRef" | "$recursiveRef", _) => {
                    return Err(refuse(key, format!("{key} is not supported; write $ref")));
                }
                ("$id" | "id", _) if !pointer.is_empty() => {
                    return Err(refuse(key, "only the whole profile may have one".into()));
                }
                ("$ref", Json::String(to)) => self.follow(to, &below)?,
                (key, Json::Object(parts)) if NAMED.contains(&key) => {
                    for (name, part) in parts {
                        self.schema(part, &format!("{below}/{name}"))?;
                    }
                }
                (_, value) => self.schema(value, &below)?,
            }
        }
        Ok(())
    }

    fn follow(&mut self, to: &'j str, pointer: &str) -> Result<(), ProfileError> {
        let refuse = |why: String| ProfileError::Refused { pointer: pointer.to_owned(), why };
        if to == "#" {
            return Err(refuse("# leads back to the whole profile; no record is that deep".into()));
        }
        let Some(inside) = to.strip_prefix('#').filter(|inside| inside.starts_with('/')) else {
            return Err(refuse(format!("{to} leads out of the file; copy that part into $defs")));
        };
        let Some(part) = self.root.pointer(inside) else {
            return Err(refuse(format!("there is no {to} in the file")));
        };
        if self.open.len() >= DEEPEST {
            return Err(refuse(format!("references lead through one another more than {DEEPEST} times")));
        }
        if !self.open.insert(to) {
            return Err(refuse(format!("{to} leads back to itself; no record is that deep")));
        }
        let found = self.schema(part, inside);
        self.open.remove(to);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Profile::read(text.as_bytes()).expect_err("a refusal").to_string()
    }

    #[test]
    fn a_profile_judges() {
        let profile = Profile::read(
            br##"{"$schema": "http://json-schema.org/draft-07/schema#", "title": "BLM 1",
                "$id": "https://blm.example/x", "type": "object", "required": ["bureau"],
                "properties": {"bureau": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"pattern": "^[A-Z]+$"}}}"##,
        )
        .unwrap();
        assert_eq!(profile.name, "BLM 1");
        for (record, rules) in
            [(r#"{"bureau":"X"}"#, vec![]), ("{}", vec!["required"]), (r#"{"bureau":"x"}"#, vec!["pattern"])]
        {
            let document = Document::read(record.as_bytes(), &Limits::default()).unwrap();
            let found = profile.schema().judge(&document);
            assert_eq!(found.iter().map(|violation| violation.rule.keyword()).collect::<Vec<_>>(), rules);
        }
    }

    #[test]
    fn what_is_broken_recursive_or_elsewhere_is_refused() {
        for (text, why) in [
            ("{", "1:2: the file ends too early"),
            ("[]", "an object in braces"),
            ("{\"a\": 1,}", "line 1:8 is not JSON"),
            (r#"{"$schema": "https://example.com/mine"}"#, "at /$schema: this draft is not known"),
            (r#"{"type": "strin"}"#, "strin"),
            (r#"{"properties": {"a": {"pattern": "(?=x)"}}}"#, "pattern"),
            (r#"{"properties": {"a": {"pattern": "("}}}"#, "pattern"),
            (r##"{"$ref": "#"}"##, "leads back"),
            (r##"{"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"$ref": "#/$defs/a"}}}"##, "leads back"),
            (
                r##"{"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"enum": {"$ref": "#/$defs/b"}}},
                    "b": {"items": {"$ref": "#/$defs/a"}}}}"##,
                "leads back",
            ),
            (r#"{"$ref": "https://example.com/schema.json"}"#, "leads out of the file"),
            (r#"{"$ref": "../other.json"}"#, "leads out of the file"),
            (r#"{"$ref": "file:///etc/passwd"}"#, "leads out of the file"),
            (r##"{"$ref": "#/$defs/none"}"##, "there is no #/$defs/none"),
            (r##"{"$dynamicRef": "#x"}"##, "not supported"),
            (r#"{"properties": {"a": {"$id": "x"}}}"#, "only the whole profile"),
        ] {
            let refusal = refusal(text);
            assert!(refusal.contains(why), "{text}: {refusal}");
        }
        // Each doubles the one before.
        let double = |n| {
            format!(
                r##""d{n}": {{"allOf": [{{"$ref": "#/$defs/d{0}"}}, {{"$ref": "#/$defs/d{0}"}}]}}"##,
                n - 1
            )
        };
        let doubling: Vec<_> = (1..16).map(double).collect();
        let bomb = format!(r##"{{"$ref": "#/$defs/d15", "$defs": {{"d0": {{}}, {}}}}}"##, doubling.join(","));
        assert!(refusal(&bomb).contains("parts"), "{}", refusal(&bomb));
    }
}
