//! CSV for spreadsheets (RFC 4180), in which nothing is a formula.

use std::io;

use super::write;
use crate::domain::untrusted::shown;

/// Writes lines of CSV. Cells are untrusted.
///
/// # Errors
/// As [`super::json`].
pub fn csv(rows: impl IntoIterator<Item = Vec<String>>) -> io::Result<()> {
    write(&csv_text(rows))
}

/// Lines of CSV. Cells are untrusted.
pub fn csv_text(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |row: Vec<String>| {
        let cells: Vec<String> = row.iter().map(|text| cell(text)).collect();
        cells.join(",") + "\r\n"
    };
    rows.into_iter().map(line).collect()
}

/// A cell: always quoted, one line of shown text, and with `'` before what a
/// spreadsheet would take for a formula, in full-width forms too (threats I9).
fn cell(text: &str) -> String {
    let begins = text.trim_start().chars().next();
    let formula = begins.is_some_and(|first| "=+-@\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".contains(first))
        || text.starts_with(['\t', '\r', '\n']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", shown(text).replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_cell_is_a_formula_or_a_second_cell() {
        for (text, expected) in [
            ("plain, with \"quotes\"", "\"plain, with \"\"quotes\"\"\""),
            ("", "\"\""),
            ("=HYPERLINK(\"https://x\")", "\"'=HYPERLINK(\"\"https://x\"\")\""),
            ("+1", "\"'+1\""),
            ("-1+1", "\"'-1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("  =1", "\"'  =1\""),
            ("\t=1", "\"'\\u{9}=1\""),
            ("\r=1", "\"'\\u{d}=1\""),
            ("\u{ff1d}1", "\"'\u{ff1d}1\""),
            ("a\r\nb\u{1b}[31m", "\"a\\u{d}\\u{a}b\\u{1b}[31m\""),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }
}
