//! The checks: one row each. The functions that apply them are next door.
//!
//! Promises: (1) an id is never used for something else later; (2) every row
//! says why, where that is written, and shows a text it finds and the same text
//! mended; the tests hold it to both.

use crate::check::{Check, Repair};

pub mod data_gov;
pub mod dates;
pub mod inventory;
pub mod json;
pub mod lists;
pub mod permissions;
pub mod shape;
pub mod texts;
pub mod urls;

/// Every check, by subject.
pub const ALL: [&[&Check]; 9] = [
    json::ALL,
    shape::ALL,
    permissions::ALL,
    lists::ALL,
    texts::ALL,
    urls::ALL,
    dates::ALL,
    inventory::ALL,
    data_gov::ALL,
];

/// The check of that id.
#[must_use]
pub fn named(id: &str) -> Option<&'static Check> {
    ALL.iter().flat_map(|subject| subject.iter()).find(|check| check.id == id).copied()
}

/// The page of all checks, in Markdown; each stands under its id.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(
        "# What is checked in a code.json\n\n\
         An error means that the schema, JSON or the law says so. A warning means that a harvester or a reader will \
         stumble. A hint means that it could be better.\n\n\
         The schema itself decides whether a file is valid: the texts below say what its verdict means.\n",
    );
    const SUBJECTS: [&str; 9] = [
        "The text itself",
        "Keys, types and values",
        "Permissions",
        "Lists",
        "Names, descriptions, contacts, numbers",
        "Addresses",
        "Dates",
        "Inventories",
        "Data.gov",
    ];
    for (subject, checks) in SUBJECTS.iter().zip(ALL) {
        page.push_str(&format!("\n## {subject}\n"));
        for check in checks {
            let repair = match check.repair {
                Repair::Always => "Repair does it.",
                Repair::Sometimes => "Repair does it where only one answer is possible.",
                Repair::Person => "A person must answer.",
            };
            let mut title = check.title.to_owned();
            title[..1].make_ascii_uppercase();
            page.push_str(&format!(
                "\n### {}\n\n{} ({}). {} {repair}\n\nSource: {}.\n",
                check.id,
                title,
                check.severity,
                check.why,
                check.source.trim_end_matches('.'),
            ));
            let shown = |text: &str| {
                text.replace('\t', "\\t").replace('\u{feff}', "\\u{feff}").replace('\n', "\n    ")
            };
            if !check.wrong.is_empty() {
                page.push_str(&format!("\nWrong:\n\n    {}\n", shown(check.wrong)));
            }
            page.push_str(&format!("\nRight:\n\n    {}\n", shown(check.right)));
        }
    }
    page
}
