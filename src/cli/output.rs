//! The one printer: results on standard output, everything else on standard
//! error.
//!
//! Promises: (1) untrusted text reaches the terminal with everything that acts
//! or hides written out (threats I8); (2) a table fits the terminal and has its
//! full width in a pipe; colour only where it is wanted; (3) a JSON document
//! says what it is, when it was made and of when it speaks; (4) a reader that
//! has gone away is no error.

use std::io::{self, ErrorKind, IsTerminal, Write};

use comfy_table::{Cell, ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde::Serialize;

use crate::domain::untrusted::shown;

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
#[derive(Debug, Serialize)]
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

/// Writes one JSON document.
///
/// # Errors
/// As standard output's, save a reader that has gone away.
pub fn json<T: Serialize>(document: &Document<T>) -> io::Result<()> {
    let mut text = serde_json::to_string_pretty(document)?;
    text.push('\n');
    // JSON escapes C0 itself; what else acts or hides is written as JSON does.
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '\n' && crate::domain::untrusted::is_treacherous(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(character);
        }
    }
    write(&safe)
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
