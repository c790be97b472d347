//! What each target cannot say: the table of losses, and the questions.
//!
//! The page `docs/code-json-convert.md` shows the same table; a test compares.

use super::Target;

/// A row of the table of losses.
#[derive(Debug)]
pub struct About {
    /// Which.
    pub row: Row,
    /// Where it happens.
    pub targets: &'static [Target],
    /// To what, as a person would name it.
    pub field: &'static str,
    /// What happens.
    pub what: &'static str,
    /// Why.
    pub why: &'static str,
}

/// `enum Row` and its table, which cannot fall apart that way.
macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident $targets:ident $field:literal $what:literal $why:literal;)*) => {
        /// A way in which a target says less than the record, or otherwise.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Row { $($(#[$doc])* $name,)* }

        /// The table of losses.
        pub const LOSSES: &[About] = &[$(
            About { row: Row::$name, targets: $targets, field: $field, what: $what, why: $why },
        )*];
    };
}

const GOV: &[Target] = &[Target::Gov2, Target::AgencyIndex2];
const GSA: &[Target] = &[Target::Gsa2];
const ALL: &[Target] = &[Target::Gov2, Target::AgencyIndex2, Target::Gsa2];
const ONE: &[Target] = &[Target::Gov2];
const INVENTORIES: &[Target] = &[Target::AgencyIndex2, Target::Gsa2];

rows! {
    /// Contact ways that the target has no key for.
    ContactWay ALL "contact" "URL and phone are left out (GSA keeps them), twitter always"
        "gov 2.0.0 allows email and name only; twitter ended with GSA 1.0.1";
    /// A license gov 2.0.0 has no name for.
    LicenseName GOV "permissions.licenses" "The name becomes its SPDX identifier, or Other"
        "the list has twelve identifiers, Other and None";
    /// A license got an address.
    LicenseAddress GOV "permissions.licenses" "A missing address becomes the page of the SPDX identifier"
        "each license needs an address";
    /// null became an empty list.
    LicensesNull GOV "permissions.licenses" "null becomes an empty list"
        "only GSA 2.0.0 allows null";
    /// A day became midnight.
    DayToMoment GOV "date" "A day becomes its midnight in UTC, as does a time without a zone"
        "gov 2.0.0 wants a date-time";
    /// A moment became a day.
    MomentToDay GSA "date" "A moment becomes the day it was written with"
        "GSA 2.0.0 wants a date";
    /// A date that cannot be read.
    DateUnread ALL "date" "What is no date is left out" "both want a format";
    /// A usage that must be decided.
    UsageLaw GOV "permissions.usageType" "exemptByLaw is left out and asked for"
        "gov 2.0.0 wants to know which law: EAR, ITAR, TSA, FOIA, classified information, rights of others";
    /// A usage nobody knows.
    UsageUnknown ALL "permissions.usageType" "A value that is in no list is left out and asked for"
        "both have a closed list";
    /// Several usages became one.
    UsageOne GSA "permissions.usageType" "Of several the strictest stays; an empty list is left out"
        "GSA 2.0.0 has room for one";
    /// A usage of gov 2.0.0 became that of M-16-21.
    UsageName GSA "permissions.usageType" "An exemption of the SHARE IT Act becomes the exception of M-16-21 it falls under"
        "GSA 2.0.0 knows the exceptions of M-16-21 only";
    /// A word outside a closed list.
    Choice ALL "status, vcs, maintenance, repositoryVisibility" "A value that is not in the target's list is left out and asked for"
        "closed lists; GSA 2.0.0 has one for status only";
    /// A key in an object that allows no others.
    ClosedObject ALL "permissions, contact, date, licenses[], relatedCode[], reusedCode[], partners[]" "Other keys in these are left out"
        "both forbid further keys there";
    /// A text that is no address.
    NotAnAddress ALL "every URL" "What is no web address is left out, and asked for where one is needed"
        "both want the format uri";
    /// A text that is no e-mail address.
    NotAMailbox GOV "contact.email" "What is no e-mail address is left out and asked for"
        "gov 2.0.0 wants the format email";
    /// A value of another type.
    WrongForm ALL "every field" "A value of the wrong type is left out" "types are fixed";
    /// A key of ours that holds something else.
    Occupied ALL "other keys" "A key of the agency's own is left out where the schema has another use for its name"
        "a name can mean one thing";
    /// What the inventory says of itself.
    Envelope ONE "agency, measurementType, version" "What the inventory says of itself is left out"
        "one repository's file has no room for it";
    /// Further keys of the inventory.
    EnvelopeKey GSA "inventory" "Other keys beside releases are left out" "GSA 2.0.0 forbids them there";
    /// The version of the schema.
    EnvelopeVersion INVENTORIES "version" "The inventory's version becomes 2.0.0" "it names the schema, not the file";
    /// How code is measured.
    Measurement INVENTORIES "measurementType" "A method the list has not is left out and asked for; other keys are left out"
        "a closed list and a closed object";
    /// Several inventories became one.
    Joined INVENTORIES "several inventories" "They become one, and say one agency" "an inventory has one agency";
}

impl Row {
    /// Its row of the table.
    #[must_use]
    pub fn about(self) -> &'static About {
        &LOSSES[self as usize]
    }
}

/// What only a person can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ask {
    /// The target requires it, and nobody said it.
    Missing,
    /// Which law exempts the code: `exemptByLaw` says too little.
    WhichLaw,
    /// Which usage was meant.
    WhichUsage,
    /// Which value of the list was meant.
    WhichChoice,
    /// Where it is: what stands there is no address.
    WhichAddress,
    /// Whom to write to: what stands there is no e-mail address.
    WhichMailbox,
    /// Where the text of the license stands.
    LicenseAddress,
    /// How the agency measures its code.
    HowMeasured,
    /// Why the code is exempt.
    WhyExempt,
}

impl Ask {
    /// For people, as a question.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Ask::Missing => "What is it? The schema requires it.",
            Ask::WhichLaw => {
                "Which law exempts the code? Write the value that names it, such as exemptByEAR."
            }
            Ask::WhichUsage => "Who may use the code? Write one of the values of the schema.",
            Ask::WhichChoice => "Which value of the schema's list is meant?",
            Ask::WhichAddress => "Where is it? Write an address that begins with https://.",
            Ask::WhichMailbox => "Who answers questions? Write an e-mail address.",
            Ask::LicenseAddress => "Where does the text of this license stand? Write its address.",
            Ask::HowMeasured => {
                "How does the agency measure its code? Write linesOfCode, modules, cost, projects, systems or other."
            }
            Ask::WhyExempt => "Why is the code exempt? Write one or two sentences.",
        }
    }
}

/// The table of losses in Markdown, as the page has it.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from("| field | to | what happens | why |\n|---|---|---|---|\n");
    for about in LOSSES {
        let targets = about.targets.iter().map(|target| target.name()).collect::<Vec<_>>().join(", ");
        text += &format!("| {} | {targets} | {} | {} |\n", about.field, about.what, about.why);
    }
    text
}
