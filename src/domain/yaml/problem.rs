//! What is wrong with a file a person wrote: where, what, and what to write.

use std::fmt;

use serde::Serialize;

use crate::domain::untrusted::shown;

/// One thing wrong with a policy or a repository's wish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Line in the file, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The key it is about, as `rules.license.allow[2]`; empty for the file.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, key, message, remedy } = self;
        let key = if key.is_empty() { "file" } else { key };
        write!(f, "{line}:{column} {key}: {message}; {remedy}")
    }
}

/// A place in a file: line and column, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::domain) struct At {
    pub(in crate::domain) line: u32,
    pub(in crate::domain) column: u32,
}

impl At {
    pub(in crate::domain) const START: At = At { line: 1, column: 1 };

    pub(in crate::domain) fn problem(
        self,
        key: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Problem {
        Problem {
            line: self.line,
            column: self.column,
            key: key.to_owned(),
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

/// Text from a file, as quoted in a message: its first 40 characters, made fit
/// to be looked at.
pub(in crate::domain) fn quoted(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("\"{}…\"", shown(&text[..end])),
        None => format!("\"{}\"", shown(text)),
    }
}

/// The one of `known` that `text` most likely meant, if any is near enough.
#[must_use]
pub fn nearest<'k>(text: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // Longer than any name we know: not a slip of the finger.
    if text.len() > 64 {
        return None;
    }
    let text = text.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&text, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1.max(name.len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
