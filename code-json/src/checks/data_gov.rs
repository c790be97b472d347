//! What Data.gov would drop. The rows of its floor are data: `data_gov.json`.

use crate::check::{Check, Repair, Severity, Within};

/// Data.gov would not take this entry.
pub const DROPPED: Check = Check {
    id: "data-gov-drops",
    severity: Severity::Warning,
    title: "Data.gov would not take this entry",
    why: "Its catalogue needs a title, a description, an identifier, and a contact with a name and an e-mail address.",
    source: "datagov-harvester PR 908; DCAT-US 3.0 Dataset",
    within: Within::Inventory,
    wrong: r#"{"name": "a", "description": "Reads the badges at the door.", "repositoryURL": "https://x.gov/a", "contact": {"email": "code@agency.example"}}"#,
    right: r#"{"name": "a", "description": "Reads the badges at the door.", "repositoryURL": "https://x.gov/a", "contact": {"name": "Code office", "email": "code@agency.example"}}"#,
    repair: Repair::Person,
};

/// All of this subject.
pub const ALL: &[&Check] = &[&DROPPED];
