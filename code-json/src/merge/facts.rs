//! What a host knows for certain, and when that contradicts a person.

use serde_json::{Value, json};

use crate::{
    address, license,
    record::{Field, Provenance, Record, Sourced},
};

/// Facts about a repository, told by its host. `None` is "could not tell", which
/// contradicts nobody.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Open to everybody.
    pub public: Option<bool>,
    /// Closed for changes.
    pub archived: Option<bool>,
    /// Where it is.
    pub url: Option<String>,
    /// Where it was before it was renamed or transferred.
    pub former_urls: Vec<String>,
    /// SPDX identifiers of its license, if its license text was identified.
    pub licenses: Option<Vec<String>>,
    /// Where that text stands.
    pub license_url: Option<String>,
    /// Everything else that was read or computed, none of the fields above.
    pub others: Record,
}

/// A person's statement that is not so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Contradiction {
    /// The repository is public, the file says private, or the reverse.
    Visibility,
    /// The repository is archived, the file says something else.
    Archived,
    /// The file has the repository's former address.
    Renamed,
    /// The license text in the repository is another one.
    License,
}

impl Contradiction {
    /// The field each is about.
    pub const ABOUT: [(Field, Contradiction); 4] = [
        (Field::Visibility, Contradiction::Visibility),
        (Field::Status, Contradiction::Archived),
        (Field::RepositoryUrl, Contradiction::Renamed),
        (Field::Licenses, Contradiction::License),
    ];
}

impl Facts {
    /// The fields that may contradict a person, as a record.
    pub(super) fn decisive(&self) -> Record {
        let mut record = Record::new();
        if let Some(public) = self.public {
            record.set(Field::Visibility, if public { "public" } else { "private" }, Provenance::Fact);
        }
        if self.archived == Some(true) {
            record.set(Field::Status, "Archival", Provenance::Fact);
        }
        if let Some(url) = &self.url {
            record.set(Field::RepositoryUrl, url.as_str(), Provenance::Fact);
        }
        if let Some(ids) = self.licenses.as_ref().filter(|ids| !ids.is_empty()) {
            let one = |id: &String| json!({"name": id, "URL": self.license_page(id)});
            record.set(Field::Licenses, ids.iter().map(one).collect::<Vec<Value>>(), Provenance::Fact);
        }
        record
    }

    fn license_page(&self, id: &str) -> String {
        self.license_url.clone().unwrap_or_else(|| license::page(id))
    }

    /// How the facts contradict a person's value, if they do. Nothing else than
    /// these four contradicts a person.
    #[must_use]
    pub fn contradiction(&self, field: Field, value: &Value) -> Option<Contradiction> {
        let (_, possible) = Contradiction::ABOUT.into_iter().find(|(about, _)| *about == field)?;
        let is_so = match possible {
            Contradiction::Visibility => match (self.public, value.as_str()) {
                (Some(public), Some("public")) => !public,
                (Some(public), Some("private")) => public,
                (Some(_), _) | (None, _) => false,
            },
            Contradiction::Archived => self.archived == Some(true) && value != "Archival",
            Contradiction::Renamed => match (self.url.as_deref(), value.as_str()) {
                (Some(now), Some(says)) => {
                    self.former_urls.iter().any(|former| address::same_place(former, says))
                        && !address::same_place(now, says)
                }
                (Some(_), None) | (None, _) => false,
            },
            Contradiction::License => {
                self.licenses.as_ref().is_some_and(|ids| !ids.is_empty() && contradicts(ids, value))
            }
        };
        is_so.then_some(possible)
    }
}

/// Whether every license named is certainly another than those identified.
fn contradicts(ids: &[String], said: &Value) -> bool {
    let Some(items) = said.as_array().filter(|items| !items.is_empty()) else { return false };
    let in_gov = |id: &String| license::GOV.contains(&id.as_str());
    items.iter().all(|item| {
        let text = |key: &str| item.get(key).and_then(Value::as_str);
        let name = text("name").map(str::trim);
        match name {
            Some(name) if name.eq_ignore_ascii_case("none") => true,
            // gov 2.0.0 has no name for most licenses.
            Some(name) if name.eq_ignore_ascii_case("other") => ids.iter().all(in_gov),
            name => {
                let named =
                    name.and_then(license::identify).or_else(|| text("URL").and_then(license::identify_url));
                named.is_some_and(|named| ids.iter().all(|id| id != named))
            }
        }
    })
}

/// Whether a person's value says so little that a machine's may stand in for it:
/// no hours, no words, no languages, no license.
pub(super) fn says_nothing(field: Field, sourced: &Sourced) -> bool {
    match (field, &sourced.value) {
        (_, Value::Null) => true,
        (Field::LaborHours, Value::Number(hours)) => hours.as_f64() == Some(0.0),
        (Field::Tags | Field::Languages | Field::Licenses, Value::Array(list)) => list.is_empty(),
        (_, Value::String(text)) => text.trim().is_empty(),
        (_, Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => false,
    }
}
