//! The changes, written into the text of the file.

use serde_json::{Map, Value as Json};

use super::Merged;
use crate::{
    document::{Document, Kind, Value},
    edit::{self, Edit, Fix, quote},
    migrate::escape,
};

impl Merged {
    /// The file's text with the changes made in `release`, one of its objects:
    /// everything else stays byte for byte, what is new is laid out as its
    /// neighbours. None if a comment stands where something must change.
    #[must_use]
    pub fn write(&self, document: &Document, release: Value<'_>) -> Option<String> {
        let Json::Object(json) = release.to_json() else { return None };
        let mut plan = Plan::default();
        for edit in self.edits(&json) {
            plan.place(release, &edit.pointer, edit.value);
        }
        let layout = Layout::of(document, release);
        let fix = plan.fix(release, &layout);
        if fix.0.is_empty() {
            return Some(document.text().to_owned());
        }
        let (text, applied) = edit::apply(document, &[&fix]);
        (!applied.is_empty()).then_some(text)
    }
}

/// What goes where.
#[derive(Default)]
struct Plan<'d> {
    replaced: Vec<(Value<'d>, Json)>,
    /// New members of objects that are there.
    added: Vec<(Value<'d>, Vec<(String, Json)>)>,
}

impl<'d> Plan<'d> {
    fn place(&mut self, release: Value<'d>, pointer: &str, value: Json) {
        let tokens: Vec<String> = pointer[1..].split('/').map(unescape).collect();
        let (key, group) = match tokens.as_slice() {
            [group, key] => (key.clone(), Some(group.clone())),
            [key] => (key.clone(), None),
            // No pointer of a record is deeper.
            _ => (escape(pointer).into_owned(), None),
        };
        let Some(group) = group else { return self.put(release, key, value) };
        match release.get(&group) {
            Some(object) if object.kind() == Kind::Object => self.put(object, key, value),
            Some(other) => self.put_into_new(other, key, value),
            None => {
                let added = self.added_to(release);
                match added.iter_mut().find(|(known, _)| *known == group) {
                    Some((_, Json::Object(new))) => drop(new.insert(key, value)),
                    Some(_) | None => added.push((group, Json::Object(Map::from_iter([(key, value)])))),
                }
            }
        }
    }

    fn put(&mut self, object: Value<'d>, key: String, value: Json) {
        match object.get(&key) {
            Some(before) => self.replaced.push((before, value)),
            None => self.added_to(object).push((key, value)),
        }
    }

    /// What should be an object and is none becomes one.
    fn put_into_new(&mut self, before: Value<'d>, key: String, value: Json) {
        match self.replaced.iter_mut().find(|(replaced, _)| replaced.id() == before.id()) {
            Some((_, Json::Object(new))) => drop(new.insert(key, value)),
            Some(_) | None => self.replaced.push((before, Json::Object(Map::from_iter([(key, value)])))),
        }
    }

    fn added_to(&mut self, object: Value<'d>) -> &mut Vec<(String, Json)> {
        let at = self.added.iter().position(|(known, _)| known.id() == object.id());
        let at = at.unwrap_or_else(|| {
            self.added.push((object, Vec::new()));
            self.added.len() - 1
        });
        &mut self.added[at].1
    }

    fn fix(&self, release: Value<'d>, layout: &Layout<'_>) -> Fix {
        let depth = |value: Value<'_>| usize::from(value.id() != release.id());
        let mut edits = Vec::new();
        for (before, value) in &self.replaced {
            let parent = before.parent().unwrap_or(release);
            edits.push(Edit { span: before.span(), text: layout.laid_out(value, depth(parent) + 1) });
        }
        for (object, members) in &self.added {
            let laid_out: Vec<(&str, String)> = members
                .iter()
                .map(|(key, value)| (key.as_str(), layout.laid_out(value, depth(*object) + 1)))
                .collect();
            if object.is_empty() {
                let depth = depth(*object) + 1;
                let members = laid_out.iter().map(|(key, json)| format!("{}: {json}", quote(key)));
                let text = layout.bracketed("{", members.collect(), "}", depth);
                edits.push(Edit { span: object.span(), text });
                continue;
            }
            let inserted = laid_out.iter().flat_map(|(key, json)| Fix::insert(*object, key, json).0);
            let joined = inserted.reduce(|mut all, next| {
                all.text += &next.text;
                all
            });
            edits.extend(joined);
        }
        Fix(edits)
    }
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// How a file is laid out.
struct Layout<'d> {
    /// Line end and white space before the release's members; None if they share
    /// a line.
    line: Option<(&'d str, &'d str)>,
    /// One more level of indentation.
    unit: &'d str,
}

impl<'d> Layout<'d> {
    fn of(document: &'d Document, release: Value<'d>) -> Layout<'d> {
        let text = document.text();
        let before = |value: Value<'d>| {
            let key = value.members().next()?.key_span.start;
            let line = text[..key].rfind('\n')?;
            let indent = &text[line + 1..key];
            let end = if text[..line].ends_with('\r') { "\r\n" } else { "\n" };
            indent.chars().all(|c| c == ' ' || c == '\t').then_some((end, indent))
        };
        let root = document.root();
        let unit = before(if root.kind() == Kind::Object { root } else { release });
        let unit = unit.map_or("  ", |(_, indent)| indent);
        Layout { line: before(release), unit: if unit.is_empty() { "  " } else { unit } }
    }

    /// A value as JSON; `depth` levels below the release's braces. Lists of
    /// plain values stay on their line.
    fn laid_out(&self, value: &Json, depth: usize) -> String {
        match value {
            Json::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
                let items = items.iter().map(|item| self.laid_out(item, depth + 1));
                self.bracketed("[", items.collect(), "]", depth + 1)
            }
            Json::Array(items) => {
                let items: Vec<String> = items.iter().map(Json::to_string).collect();
                format!("[{}]", items.join(", "))
            }
            Json::Object(map) if !map.is_empty() => {
                let members = map
                    .iter()
                    .map(|(key, value)| format!("{}: {}", quote(key), self.laid_out(value, depth + 1)));
                self.bracketed("{", members.collect(), "}", depth + 1)
            }
            Json::Object(_) | Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                value.to_string()
            }
        }
    }

    fn bracketed(&self, open: &str, parts: Vec<String>, close: &str, depth: usize) -> String {
        let Some((end, indent)) = self.line else { return format!("{open}{}{close}", parts.join(", ")) };
        let line = |depth: usize| format!("{end}{indent}{}", self.unit.repeat(depth.saturating_sub(1)));
        let inner = line(depth);
        // A release's own members stand one level below its brace.
        let outer = match depth {
            0 | 1 => format!("{end}{}", indent.strip_suffix(self.unit).unwrap_or_default()),
            depth => line(depth - 1),
        };
        format!("{open}{inner}{}{outer}{close}", parts.join(&format!(",{inner}")))
    }
}
