//! Mends what can be mended without asking.
//!
//! Promises: (1) only the bytes that a fix names change; (2) mending again
//! changes nothing; (3) what needs a person stays, with its question; (4) no
//! repair makes a file worse: where the schema has more to say afterwards, the
//! text stays as it was.

use crate::{
    check::{Check, Problem},
    document::{Document, Fault, Place},
    edit::{self, Fix},
    validate::{Options, Report, validate_document},
};

/// Mending one thing may uncover another: a key renamed, then its value.
const ROUNDS: usize = 32;

/// One repair that was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// By which check.
    pub check: &'static Check,
    /// Where it stood in the text of its round; of the first round, in the file.
    pub place: Place,
    /// The JSON pointer.
    pub pointer: String,
    /// What was found.
    pub found: String,
    /// What was written.
    pub write: String,
}

/// A file that was mended.
#[derive(Debug)]
pub struct Repaired {
    /// The new text.
    pub text: String,
    /// What was done, in order.
    pub made: Vec<Made>,
    /// What was found before.
    pub before: Report,
    /// What is left.
    pub after: Report,
}

/// Mends the bytes of a file.
///
/// # Errors
/// The file cannot be read at all.
pub fn repair(bytes: &[u8], options: &Options<'_>) -> Result<Repaired, Fault> {
    let mut document = Document::read(bytes, &options.limits)?;
    let before = validate_document(&document, options);
    let mut after = before.clone();
    let mut made = Vec::new();
    for _ in 0..ROUNDS {
        let fixable: Vec<&Problem> = after.problems.iter().filter(|problem| problem.fix.is_some()).collect();
        let fixes: Vec<&Fix> = fixable.iter().filter_map(|problem| problem.fix.as_ref()).collect();
        let (text, applied) = edit::apply(&document, &fixes);
        if text == document.text() {
            break;
        }
        let Ok(next) = Document::read(text.as_bytes(), &options.limits) else { break };
        let report = validate_document(&next, options);
        if report.violations > after.violations {
            break;
        }
        made.extend(applied.iter().map(|number| {
            let problem = fixable[*number];
            Made {
                check: problem.check,
                place: problem.place,
                pointer: problem.pointer.clone(),
                found: problem.found.clone(),
                write: problem.write.clone(),
            }
        }));
        (document, after) = (next, report);
    }
    Ok(Repaired { text: document.text().to_owned(), made, before, after })
}
