//! A list of projects as GitLab's REST API gives it (GitLab documentation,
//! "Projects API", `GET /projects`; with `license=true` it names licenses).

use code_json::record::{Field, Provenance, Record, Usage};
use serde_json::{Map, Value};

use super::{license, text, texts};

/// What the host states. Its *internal* is not public, as GitHub's.
pub(super) fn record(project: &Map<String, Value>) -> Record {
    let mut record = Record::new();
    let fact = || Provenance::Fact;
    let mut say = |field: Field, key: &str| {
        if let Some(said) = text(project, key) {
            record.set(field, said, fact());
        }
    };
    say(Field::Name, "name");
    say(Field::Description, "description");
    say(Field::RepositoryUrl, "web_url");
    say(Field::Created, "created_at");
    say(Field::LastModified, "last_activity_at");
    // One that does not say who may see it is not taken for public.
    let public = text(project, "visibility") == Some("public");
    record.set(Field::Visibility, if public { "public" } else { "private" }, fact());
    record.set(Field::Vcs, "git", fact());
    let flag = |key: &str| project.get(key).and_then(Value::as_bool) == Some(true);
    if flag("archived") {
        record.set(Field::Status, "Archival", fact());
    }
    if let Some(forks) = project.get("forks_count").and_then(Value::as_u64) {
        record.set(Field::Forks, forks, fact());
    }
    if let Some(tags) = texts(project, "topics").or_else(|| texts(project, "tag_list")) {
        record.set(Field::Tags, tags, fact());
    }
    if let Some(group) =
        project.get("namespace").and_then(Value::as_object).and_then(|group| text(group, "name"))
    {
        record.set(Field::Organization, group, fact());
    }
    if flag("issues_enabled")
        && let Some(url) = text(project, "web_url")
    {
        record.set(Field::FeedbackMechanism, format!("{url}/-/issues"), fact());
    }
    let licensed = project.get("license").and_then(Value::as_object);
    let named = licensed.and_then(|about| license(text(about, "key")?, text(about, "html_url")));
    if let Some(license) = named {
        record.set(Field::Licenses, Value::Array(vec![license]), fact());
        if public {
            let computed =
                Provenance::Computed { method: "public-and-licensed".to_owned(), version: "1".to_owned() };
            record.set(Field::Usage, vec![Usage::OpenSource.name()], computed);
        }
    }
    record
}
