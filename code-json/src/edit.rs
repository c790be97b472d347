//! Changes of a text that touch nothing else.
//!
//! Promises: (1) an edit names the bytes it replaces; all others stay; (2) a
//! [`Fix`] is done whole or not at all; (3) what is removed takes its comma
//! along, and what is inserted is indented as its neighbours.

use std::collections::BTreeMap;

use crate::document::{Document, Member, SlipKind, Span, Value};

/// Bytes, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Which bytes; empty to insert.
    pub span: Span,
    /// The new text.
    pub text: String,
}

/// Edits that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix(pub Vec<Edit>);

impl Fix {
    /// Writes another value.
    #[must_use]
    pub fn replace(value: Value<'_>, json: impl Into<String>) -> Fix {
        Fix(vec![Edit { span: value.span(), text: json.into() }])
    }

    /// Writes another text, as JSON.
    #[must_use]
    pub fn text(value: Value<'_>, text: &str) -> Fix {
        Fix::replace(value, quote(text))
    }

    /// Puts a value into a list of its own.
    #[must_use]
    pub fn wrap(value: Value<'_>) -> Fix {
        let span = value.span();
        let before = Edit { span: span.start..span.start, text: "[".into() };
        Fix(vec![before, Edit { span: span.end..span.end, text: "]".into() }])
    }

    /// Writes another key.
    #[must_use]
    pub fn rename(member: &Member<'_>, key: &str) -> Fix {
        Fix(vec![Edit { span: member.key_span.clone(), text: quote(key) }])
    }

    /// Removes a member or an item, with its comma. `None` for a root.
    #[must_use]
    pub fn remove(value: Value<'_>) -> Option<Fix> {
        Some(Fix(vec![Edit { span: removal(value)?, text: String::new() }]))
    }

    /// Adds a member at the end of an object.
    #[must_use]
    pub fn insert(object: Value<'_>, key: &str, json: &str) -> Fix {
        let text = object.document().text();
        let edit = match object.members().next_back() {
            Some(last) => {
                let end = last.value.span().end;
                let space = indentation(text, last.key_span.start);
                let colon = text[last.key_span.end..last.value.span().start].to_owned();
                Edit { span: end..end, text: format!(",{space}{}{colon}{json}", quote(key)) }
            }
            None => Edit { span: object.span(), text: format!("{{{}: {json}}}", quote(key)) },
        };
        Fix(vec![edit])
    }

    /// Both at once.
    #[must_use]
    pub fn and(mut self, other: Fix) -> Fix {
        self.0.extend(other.0);
        self
    }

    /// The bytes it touches, from the first to the last.
    #[must_use]
    pub fn span(&self) -> Span {
        let start = self.0.iter().map(|edit| edit.span.start).min().unwrap_or_default();
        start..self.0.iter().map(|edit| edit.span.end).max().unwrap_or_default()
    }
}

/// The bytes to remove with a member or an item.
fn removal(value: Value<'_>) -> Option<Span> {
    let parent = value.parent()?;
    let start =
        |value: Value<'_>| value.as_member().map_or(value.span().start, |member| member.key_span.start);
    let at = value.index()?;
    Some(match (at.checked_sub(1).and_then(|before| parent.nth(before)), parent.nth(at + 1)) {
        (Some(before), _) => before.span().end..value.span().end,
        (None, Some(after)) => start(value)..start(after),
        (None, None) => parent.span().start + 1..parent.span().end - 1,
    })
}

/// The white space before `at`, from the line's end on if it begins the line.
fn indentation(text: &str, at: usize) -> &str {
    let before = &text[..at];
    let space = before.trim_end_matches([' ', '\t', '\r', '\n']).len();
    let space = &before[space..];
    // Blank lines between members are no indentation.
    match space.rfind('\n') {
        Some(line) if space[..line].ends_with('\r') => &space[line - 1..],
        Some(line) => &space[line..],
        None => space,
    }
}

/// A text as JSON.
#[must_use]
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Applies fixes, the first of those that overlap; a fix that would swallow a
/// comment is left out. Returns the new text and the numbers of those applied.
#[must_use]
pub fn apply(document: &Document, fixes: &[&Fix]) -> (String, Vec<usize>) {
    let comments = document.slips().iter().filter(|slip| slip.kind == SlipKind::Comment);
    let comments: Vec<&Span> = comments.map(|slip| &slip.span).collect();
    let mut taken: BTreeMap<usize, (usize, usize, usize)> = BTreeMap::new();
    let mut applied = Vec::new();
    for (number, fix) in fixes.iter().enumerate() {
        let free = |edit: &Edit| {
            // Two replacements may touch; where something is inserted, nothing
            // else may begin or end.
            let before = taken.range(..=edit.span.end).next_back();
            let clear = before.is_none_or(|(start, (end, ..))| {
                let inserts = edit.span.is_empty() || start == end;
                *end < edit.span.start || (!inserts && (*end == edit.span.start || *start == edit.span.end))
            });
            let comment = comments.partition_point(|comment| comment.end <= edit.span.start);
            clear && comments.get(comment).is_none_or(|comment| comment.start >= edit.span.end)
        };
        if fix.0.iter().all(free) {
            for (part, edit) in fix.0.iter().enumerate() {
                taken.insert(edit.span.start, (edit.span.end, number, part));
            }
            applied.push(number);
        }
    }
    let text = document.text();
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for (start, (end, number, part)) in taken {
        result.push_str(&text[at..start]);
        result.push_str(&fixes[number].0[part].text);
        at = end;
    }
    result.push_str(&text[at..]);
    (result, applied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Limits;

    fn edited(text: &str, pointer: &str, fix: impl Fn(Value<'_>) -> Fix) -> String {
        let document = Document::read(text.as_bytes(), &Limits::default()).unwrap();
        let fix = fix(document.pointer(pointer).unwrap());
        let (result, applied) = apply(&document, &[&fix]);
        assert_eq!(applied.len(), usize::from(result != text));
        result
    }

    #[test]
    fn removal_takes_the_comma_along() {
        for (text, pointer, expected) in [
            ("{\n  \"a\": 1,\n  \"b\": 2\n}", "/a", "{\n  \"b\": 2\n}"),
            ("{\n  \"a\": 1,\n  \"b\": 2\n}", "/b", "{\n  \"a\": 1\n}"),
            (
                "{\r\n\t\"a\" : 1,\r\n\t\"b\" : 2,\r\n\t\"c\" : 3\r\n}",
                "/b",
                "{\r\n\t\"a\" : 1,\r\n\t\"c\" : 3\r\n}",
            ),
            ("{\n  \"a\": 1\n}", "/a", "{}"),
            ("[1, 2, 3]", "/0", "[2, 3]"),
            ("[1, 2, 3]", "/2", "[1, 2]"),
            ("{\"a\": 1 /* why */, \"b\": 2}", "/b", "{\"a\": 1 /* why */, \"b\": 2}"),
        ] {
            assert_eq!(edited(text, pointer, |value| Fix::remove(value).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn insertion_follows_the_neighbours() {
        for (text, expected) in [
            ("{\n    \"a\": 1\n}\n", "{\n    \"a\": 1,\n    \"k\": []\n}\n"),
            ("{\r\n\t\"a\" : 1\r\n}", "{\r\n\t\"a\" : 1,\r\n\t\"k\" : []\r\n}"),
            ("{\"a\":1, \"b\":2}", "{\"a\":1, \"b\":2, \"k\":[]}"),
            ("{}", "{\"k\": []}"),
        ] {
            assert_eq!(edited(text, "", |value| Fix::insert(value, "k", "[]")), expected, "{text}");
        }
        assert_eq!(edited("{\"a\": \"x\"}", "/a", Fix::wrap), "{\"a\": [\"x\"]}");
    }
}
