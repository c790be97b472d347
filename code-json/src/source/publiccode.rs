//! `publiccode.yml`, field by field.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::{
    license,
    migrate::{Change, Note, escape},
    record::{Field, Key, Provenance, Record},
};

/// Keys that mean the same as a field, by JSON pointer.
const SAME: &[(&str, Field)] = &[
    ("/name", Field::Name),
    ("/url", Field::RepositoryUrl),
    ("/landingURL", Field::HomepageUrl),
    ("/softwareVersion", Field::Version),
    ("/maintenance/type", Field::Maintenance),
    ("/organisation/name", Field::Organization),
    ("/legal/repoOwner", Field::Organization),
];

/// Keys that CMS took over, by JSON pointer, and where code.json of CMS has them.
const CMS: &[(&str, &str)] = &[
    ("/platforms", "/platforms"),
    ("/categories", "/categories"),
    ("/softwareType", "/softwareType"),
    ("/localisation/localisationReady", "/localisation"),
];

/// `developmentStatus`, and what code.json calls it.
const STATUS: &[(&str, &str)] = &[
    ("concept", "Ideation"),
    ("development", "Development"),
    ("beta", "Beta"),
    ("stable", "Production"),
    ("obsolete", "Archival"),
];

/// Keys read elsewhere below; the first token of their pointers.
const ELSEWHERE: [&str; 4] =
    ["/developmentStatus", "/description", "/publiccodeYmlVersion", "/publiccode-yaml-version"];

pub(super) fn read(file: &Map<String, Value>, from: &Provenance) -> (Record, Vec<Note>) {
    let mut reader = Reader { record: Record::new(), notes: Vec::new(), from };
    let root = Value::Object(file.clone());
    for (pointer, field) in SAME {
        if let Some(text) = text(&root, pointer) {
            if reader.record.value(*field).is_none() {
                reader.record.set(*field, &*text, from.clone());
            } else {
                reader.note(pointer, Change::NotCarried);
            }
        }
    }
    for (pointer, place) in CMS {
        if let Some(value) = root.pointer(pointer) {
            reader.record.set(Key::Other((*place).into()), value.clone(), from.clone());
        }
    }
    reader.status(&root);
    reader.descriptions(&root);
    reader.license(&root);
    reader.contact(&root);
    reader.leave_out(file);
    (reader.record, reader.notes)
}

struct Reader<'f> {
    record: Record,
    notes: Vec<Note>,
    from: &'f Provenance,
}

impl Reader<'_> {
    fn note(&mut self, pointer: &str, change: Change) {
        self.notes.push(Note { pointer: pointer.to_owned(), change });
    }

    fn status(&mut self, root: &Value) {
        let Some(word) = text(root, "/developmentStatus") else { return };
        match STATUS.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(&word)) {
            Some((_, ours)) => self.record.set(Field::Status, *ours, self.from.clone()),
            None => self.note("/developmentStatus", Change::NotCarried),
        }
    }

    /// English first, else the first language of the file.
    fn descriptions(&mut self, root: &Value) {
        let Some(languages) = root.get("description").and_then(Value::as_object) else {
            if root.get("description").is_some() {
                self.note("/description", Change::NotCarried);
            }
            return;
        };
        let english =
            languages.keys().find(|key| key.to_ascii_lowercase().split(['-', '_']).next() == Some("en"));
        let Some(chosen) = english.or_else(|| languages.keys().next()) else { return };
        for language in languages.keys().filter(|language| *language != chosen) {
            self.note(&format!("/description/{}", escape(language)), Change::NotCarried);
        }
        let base = format!("/description/{}", escape(chosen));
        let carried = [("shortDescription", Field::Description), ("longDescription", Field::LongDescription)];
        for (key, field) in carried {
            if let Some(text) = text(root, &format!("{base}/{key}")) {
                self.record.set(field, &*text, self.from.clone());
            }
        }
        let others = languages[chosen].as_object().into_iter().flat_map(Map::keys);
        for key in others.filter(|key| carried.iter().all(|(known, _)| known != key)) {
            self.note(&format!("{base}/{}", escape(key)), Change::NotCarried);
        }
    }

    /// An SPDX expression. Choices and sums of licenses become a list; what is
    /// more than that stays one name, as it is.
    fn license(&mut self, root: &Value) {
        let Some(expression) = text(root, "/legal/license") else { return };
        let words: Vec<&str> = expression.split_whitespace().collect();
        let is_joint = |word: &&str| ["AND", "OR"].iter().any(|joint| joint.eq_ignore_ascii_case(word));
        let is_list = words.iter().skip(1).step_by(2).all(is_joint) && words.len() % 2 == 1;
        let names: Vec<&str> = match is_list && !expression.contains(['(', ')']) {
            true => words.iter().step_by(2).copied().collect(),
            false => vec![&expression],
        };
        if names.len() > 1 {
            self.note("/legal/license", Change::Wrapped);
        }
        let entry = |name: &&str| match license::identify(name) {
            Some(id) => json!({"name": id, "URL": license::page(id)}),
            None => json!({"name": name}),
        };
        let entries: Vec<Value> = names.iter().map(entry).collect();
        self.record.set(Field::Licenses, entries, self.from.clone());
    }

    fn contact(&mut self, root: &Value) {
        let contacts = root.pointer("/maintenance/contacts").and_then(Value::as_array);
        for (at, contact) in contacts.into_iter().flatten().enumerate() {
            if at > 0 {
                self.note(&format!("/maintenance/contacts/{at}"), Change::NotCarried);
                continue;
            }
            let fields = [
                ("email", Field::ContactEmail),
                ("name", Field::ContactName),
                ("phone", Field::ContactPhone),
            ];
            for (key, field) in fields {
                if let Some(value) = contact.get(key).and_then(Value::as_str) {
                    self.record.set(field, value.trim(), self.from.clone());
                }
            }
        }
    }

    /// Notes every key that was not read.
    fn leave_out(&mut self, file: &Map<String, Value>) {
        let known = |pointer: &str| {
            SAME.iter().any(|(read, _)| *read == pointer)
                || CMS.iter().any(|(read, _)| *read == pointer)
                || ELSEWHERE.contains(&pointer)
                || ["/legal/license", "/maintenance/contacts"].contains(&pointer)
        };
        for (key, value) in file {
            let pointer = format!("/{}", escape(key));
            let groups = ["legal", "maintenance", "organisation", "localisation"];
            match value {
                Value::Object(inner) if groups.contains(&key.as_str()) => {
                    for key in inner.keys() {
                        let pointer = format!("{pointer}/{}", escape(key));
                        if !known(&pointer) {
                            self.note(&pointer, Change::NotCarried);
                        }
                    }
                }
                _ if known(&pointer) => {}
                _ => self.note(&pointer, Change::NotCarried),
            }
        }
    }
}

/// The text at a pointer, if there is one with letters. Versions are often
/// written as numbers.
fn text<'v>(root: &'v Value, pointer: &str) -> Option<Cow<'v, str>> {
    match root.pointer(pointer)? {
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(text.trim().into()),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
