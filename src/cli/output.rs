//! The one printer: results on standard output, everything else on standard
//! error.
//!
//! Promises: (1) untrusted text reaches the terminal with everything that acts
//! or hides written out (threats I8); (2) a table fits the terminal and has its
//! full width in a pipe; colour only where it is wanted; (3) a JSON document
//! says what it is, when it was made and of when it speaks; (4) a reader that
//! has gone away is no error.

mod csv;

use std::io::{self, ErrorKind, IsTerminal, Write};

use comfy_table::{Cell, ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde::Serialize;

use crate::domain::untrusted::{is_treacherous, shown};

pub use csv::{csv, csv_text};

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON document.
    Json,
}

/// Whether there is colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether results on standard output are coloured.
    #[must_use]
    pub fn wanted(self) -> bool {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if set("NO_COLOR") => false,
            Color::Auto => io::stdout().is_terminal() || set("CLICOLOR_FORCE"),
        }
    }
}

/// One JSON document of the command line.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Document<T> {
    /// Its name and version: fields are only added; else the number rises.
    pub schema: &'static str,
    /// When it was made.
    pub generated: Timestamp,
    /// The moment whose state it tells.
    pub as_of: Timestamp,
    /// Its content.
    #[serde(flatten)]
    pub content: T,
}

impl<T> Document<T> {
    /// A document of what holds `now`. `name` is that of the schema with its
    /// number, as `jobs-1`.
    pub fn new(name: &'static str, now: Timestamp, content: T) -> Document<T> {
        Document { schema: name, generated: now, as_of: now, content }
    }
}

/// A time for people, to the second and in UTC: `2026-11-22 14:05:09Z`.
#[must_use]
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// JSON over several lines, in which nothing acts on a terminal or hides.
///
/// # Errors
/// A value that JSON cannot express.
pub fn pretty<T: Serialize>(value: &T) -> serde_json::Result<String> {
    serde_json::to_string_pretty(value).map(|text| harmless(&text))
}

/// JSON text in which nothing acts on a terminal or hides; its line ends stay.
fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '\n' && is_treacherous(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Writes one JSON value on a line of its own, for streams.
///
/// # Errors
/// As [`json`].
pub fn json_line<T: Serialize>(value: &T) -> io::Result<()> {
    write(&(harmless(&serde_json::to_string(value)?) + "\n"))
}

/// Writes one JSON document.
///
/// # Errors
/// As standard output's, save a reader that has gone away.
pub fn json<T: Serialize>(document: &Document<T>) -> io::Result<()> {
    write(&(pretty(document)? + "\n"))
}

/// Writes a table. Cells are untrusted: each is one line of shown text.
///
/// # Errors
/// As [`json`].
pub fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(headings.iter().map(|heading| heading.to_uppercase()));
    if let Some((width, _)) = terminal_size::terminal_size_of(io::stdout()) {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.0);
    }
    for row in rows {
        table.add_row(row.iter().map(|text| Cell::new(shown(text))));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    write(&(table.trim_fmt() + "\n"))
}

/// A path fit for the first column of a table on this terminal: shortened in
/// the middle to a third of the width, whole in a pipe.
#[must_use]
pub fn shortened(path: &str) -> String {
    match terminal_size::terminal_size_of(io::stdout()) {
        Some((width, _)) => shortened_to(path, usize::from(width.0 / 3).max(12)),
        None => path.to_owned(),
    }
}

fn shortened_to(path: &str, most: usize) -> String {
    let length = path.chars().count();
    if length <= most {
        return path.to_owned();
    }
    let (head, tail) = ((most - 1) / 3, (most - 1) - (most - 1) / 3);
    let start: String = path.chars().take(head).collect();
    let end: String = path.chars().skip(length - tail).collect();
    format!("{start}…{end}")
}

/// Writes one line of a result.
///
/// # Errors
/// As [`json`].
pub fn line(text: &str) -> io::Result<()> {
    write(&format!("{}\n", shown(text)))
}

/// Writes one line about the run, for people, to standard error.
pub fn note(text: &str) {
    // Nobody is left to be told that telling failed.
    let _ = writeln!(io::stderr().lock(), "{}", shown(text));
}

/// Writes text of our own, line ends included, to standard output.
///
/// # Errors
/// As [`json`].
pub fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_paths_lose_their_middle() {
        for (path, most, expected) in [
            ("short", 12, "short"),
            ("exactly-12-c", 12, "exactly-12-c"),
            ("/home/agency/source/badge-reader", 16, "/home…dge-reader"),
            ("äöüäöüäöüäöüäöü", 12, "äöü…öüäöüäöü"),
        ] {
            assert_eq!(shortened_to(path, most), expected);
            assert!(shortened_to(path, most).chars().count() <= most);
        }
    }

    #[test]
    fn json_stays_json_and_nothing_in_it_acts() {
        let value = json!({"name": "a\u{202e}b\u{1b}[31m\u{e0041}\n"});
        let text = pretty(&value).unwrap();
        assert!(text.chars().all(|character| character == '\n' || !is_treacherous(character)), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn a_document_says_what_it_is_and_of_when() {
        let now: Timestamp = "2026-11-22T14:05:09.123Z".parse().unwrap();
        let text = pretty(&Document::new("jobs-1", now, json!({"jobs": []}))).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["schema"], "jobs-1");
        assert_eq!(value["as_of"], "2026-11-22T14:05:09.123Z");
        assert_eq!(time(now), "2026-11-22 14:05:09Z");
    }
}
