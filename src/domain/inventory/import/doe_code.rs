//! A list of records as DOE CODE gives it, the registry of the Department of
//! Energy (osti.gov/doecode, "Metadata": `software_title`, `repository_link`,
//! `landing_page`, `licenses`, `open_source`).

use code_json::record::{Field, Provenance, Record, Usage};
use serde_json::{Map, Value};

use super::{license, text, texts};

/// What the registry says. Of code that is not open source it does not say
/// which law keeps it back, and nothing is guessed.
pub(super) fn record(entry: &Map<String, Value>, from: &Provenance) -> Record {
    let mut record = Record::new();
    let mut say = |field: Field, keys: &[&str]| {
        if let Some(said) = keys.iter().find_map(|key| text(entry, key)) {
            record.set(field, said, from.clone());
        }
    };
    say(Field::Name, &["software_title"]);
    say(Field::Description, &["description"]);
    say(Field::RepositoryUrl, &["repository_link", "landing_page"]);
    say(Field::HomepageUrl, &["landing_page"]);
    say(Field::Version, &["version_number"]);
    say(Field::Organization, &["lab_display_name"]);
    say(Field::ContactEmail, &["owner"]);
    say(Field::Created, &["date_record_added"]);
    say(Field::MetadataLastUpdated, &["date_record_updated"]);
    if let Some(languages) = texts(entry, "programming_languages") {
        record.set(Field::Languages, languages, from.clone());
    }
    let named = texts(entry, "licenses").unwrap_or_default();
    let known: Vec<Value> =
        named.iter().filter_map(|name| license(name, text(entry, "proprietary_url"))).collect();
    if !known.is_empty() && known.len() == named.len() {
        record.set(Field::Licenses, Value::Array(known), from.clone());
    }
    if entry.get("open_source").and_then(Value::as_bool) == Some(true) {
        record.set(Field::Usage, vec![Usage::OpenSource.name()], from.clone());
    }
    record
}
