//! One release, or one repository's file, into a record.

use serde_json::{Map, Value};

use super::{Change, Note, value::normal};
use crate::record::{Field, Key, Kind, Provenance, Record, Usage};

/// Where older versions and other tools put a field. Spellings that differ only
/// in case are not listed.
const FORMER: &[(&str, Field)] = &[
    ("/repository", Field::RepositoryUrl),
    ("/repoURL", Field::RepositoryUrl),
    ("/permissions/repositoryURL", Field::RepositoryUrl),
    ("/homepage", Field::HomepageUrl),
    ("/license", Field::Licenses),
    ("/permissions/license", Field::Licenses),
    ("/usageType", Field::Usage),
    ("/exemptionText", Field::ExemptionText),
    ("/language", Field::Languages),
    ("/feedbackMechanisms", Field::FeedbackMechanism),
    ("/upstream", Field::Sbom),
    ("/updated/metadataLastUpdated", Field::MetadataLastUpdated),
    ("/updated/lastCommit", Field::LastModified),
    ("/updated/sourceCodeLastModified", Field::LastModified),
    ("/updated/lastModified", Field::LastModified),
];

/// The flags of GSA 1.0.0 that became `usageType`, and their number.
const FLAGS: [&str; 4] =
    ["/openSourceProject", "/governmentWideReuseProject", "/closedProject", "/exemption"];

/// Objects of a release that hold fields of ours.
const GROUPS: [&str; 5] = ["permissions", "contact", "date", "updated", "reuseFrequency"];

/// Reads one release.
pub(super) struct Reader<'n> {
    from: Provenance,
    /// The release's own JSON pointer in the file.
    base: String,
    notes: &'n mut Vec<Note>,
    record: Record,
}

impl<'n> Reader<'n> {
    pub(super) fn new(from: Provenance, base: String, notes: &'n mut Vec<Note>) -> Reader<'n> {
        Reader { from, base, notes, record: Record::new() }
    }

    pub(super) fn read(mut self, release: &Map<String, Value>) -> Record {
        // Spellings of today come first, so that they win over older ones.
        let mut later = Vec::new();
        for (pointer, value) in leaves(release) {
            match Field::at(&pointer) {
                Some(field) => self.take(field, &pointer, value, None),
                None => later.push((pointer, value)),
            }
        }
        self.flags(release);
        for (pointer, value) in later {
            match former(&pointer) {
                Some(field) => self.take(field, &pointer, value, Some(Change::Renamed)),
                None if is_flag(&pointer) => {}
                None => self.other(&pointer, value),
            }
        }
        self.record
    }

    fn take(&mut self, field: Field, pointer: &str, written: &Value, change: Option<Change>) {
        let (value, unwrapped) = match (field.about().kind, written) {
            // What was a list and is one text today.
            (Kind::Text | Kind::Url, Value::Array(list)) if list.len() == 1 && list[0].is_string() => {
                (&list[0], Some(Change::Unwrapped))
            }
            _ => (written, None),
        };
        let normal = normal(field, value);
        let Some(value) = normal.value else {
            self.note(pointer, Change::Emptied);
            return;
        };
        match self.record.value(field) {
            Some(known) if *known == value => self.note(pointer, Change::Doubled),
            // Two spellings that say different things: the second is kept as it is.
            Some(_) => self.other(pointer, written),
            None => {
                self.record.set(field, value, self.from.clone());
                for change in change.into_iter().chain(unwrapped).chain(normal.changes) {
                    self.note(pointer, change);
                }
            }
        }
    }

    fn other(&mut self, pointer: &str, value: &Value) {
        // A contact that is only an address.
        if let ("/contact", Value::String(text)) = (pointer, value)
            && text.contains('@')
        {
            self.take(Field::ContactEmail, pointer, value, Some(Change::Moved));
            return;
        }
        self.record.set(Key::Other(pointer.into()), value.clone(), self.from.clone());
    }

    /// `openSourceProject` and the others (GSA 1.0.0) become `usageType`. Open
    /// source says more than Government-wide reuse.
    fn flags(&mut self, release: &Map<String, Value>) {
        let flag = |pointer: &str| {
            let name = &pointer[1..];
            release.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        };
        let is_set = |value: Option<&Value>| match value {
            Some(Value::Number(number)) => number.as_u64() == Some(1),
            Some(Value::String(text)) => text.trim() == "1",
            Some(Value::Bool(flag)) => *flag,
            Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => false,
        };
        let [open, reuse, closed, exemption] = FLAGS.map(flag);
        if [open, reuse, closed, exemption].iter().all(Option::is_none) {
            return;
        }
        let number = exemption.and_then(|value| match value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.trim().parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        });
        let mut usage = Vec::new();
        if is_set(open) {
            usage.push(Usage::OpenSource);
        } else if is_set(reuse) {
            usage.push(Usage::GovernmentWideReuse);
        }
        usage.extend(number.and_then(Usage::numbered));
        let understood = !usage.is_empty() && self.record.value(Field::Usage).is_none();
        if understood {
            let names: Vec<&str> = usage.iter().map(|usage| usage.name()).collect();
            self.record.set(Field::Usage, names, self.from.clone());
        }
        for (pointer, value) in FLAGS.iter().zip([open, reuse, closed, exemption]) {
            let Some(value) = value.filter(|value| !value.is_null()) else { continue };
            if understood {
                self.note(pointer, Change::FromFlags);
            } else {
                self.record.set(Key::Other((*pointer).into()), value.clone(), self.from.clone());
            }
        }
    }

    fn note(&mut self, pointer: &str, change: Change) {
        self.notes.push(Note { pointer: format!("{}{pointer}", self.base), change });
    }
}

/// The pointers and values of a release, the objects that hold fields of ours
/// taken apart.
fn leaves(release: &Map<String, Value>) -> Vec<(String, &Value)> {
    let mut leaves = Vec::with_capacity(release.len() + 8);
    for (key, value) in release {
        match value {
            Value::Object(inner)
                if GROUPS.iter().any(|group| group.eq_ignore_ascii_case(key)) && !inner.is_empty() =>
            {
                for (inner_key, inner_value) in inner {
                    leaves.push((format!("/{}/{}", escape(key), escape(inner_key)), inner_value));
                }
            }
            Value::Object(inner) if inner.is_empty() && GROUPS.contains(&key.as_str()) => {}
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => {
                leaves.push((format!("/{}", escape(key)), value));
            }
        }
    }
    leaves
}

/// The field that an older or misspelled pointer means.
fn former(pointer: &str) -> Option<Field> {
    let listed =
        FORMER.iter().find(|(former, _)| former.eq_ignore_ascii_case(pointer)).map(|(_, field)| *field);
    listed.or_else(|| Field::near(pointer))
}

fn is_flag(pointer: &str) -> bool {
    FLAGS.iter().any(|flag| flag.eq_ignore_ascii_case(pointer))
}

/// A key as a token of a JSON pointer (RFC 6901 §3).
pub(crate) fn escape(key: &str) -> std::borrow::Cow<'_, str> {
    if key.contains(['~', '/']) { key.replace('~', "~0").replace('/', "~1").into() } else { key.into() }
}

/// Where `field` stands in this release, if it does.
pub(crate) fn place(release: &Map<String, Value>, field: Field) -> Option<String> {
    let leaves = leaves(release);
    let exact = leaves.iter().find(|(pointer, _)| pointer == field.pointer());
    let found = exact.or_else(|| leaves.iter().find(|(pointer, _)| former(pointer) == Some(field)));
    found.map(|(pointer, _)| pointer.clone())
}
