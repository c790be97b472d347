//! The fields of the record, as one table.

use super::Usage;

/// What a value is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A web address.
    Url,
    /// A number that is not negative.
    Number,
    /// A whole number that is not negative.
    Count,
    /// A day or a moment, as it was written.
    Date,
    /// A list of texts, none twice.
    Texts,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A list of [`Usage`] names.
    Usage,
    /// A list of `{name, URL}`, or null.
    Licenses,
    /// A list of objects with these keys.
    Items(&'static [&'static str]),
}

/// How much a difference matters to those who are asked to merge it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Moves by itself and is never a reason to write.
    Volatile,
    /// Comes along when something else is written.
    Plain,
    /// A reason to write.
    Material,
}

/// What is known of a field.
#[derive(Debug)]
pub struct About {
    /// Which.
    pub field: Field,
    /// Where it stands in a release: a JSON pointer, spelled as in gov 2.0.0,
    /// or as in GSA 2.0.0 and GSA 1.0.1 for what gov 2.0.0 has not.
    pub pointer: &'static str,
    /// What its value is made of.
    pub kind: Kind,
    /// How much it matters.
    pub weight: Weight,
}

/// `enum Field` and its table, which cannot fall apart that way.
macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident $pointer:literal $kind:expr, $weight:ident;)*) => {
        /// A field of the record. In the order in which releases are written.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field { $($(#[$doc])* $name,)* }

        /// Every field.
        pub const FIELDS: &[About] = &[$(About {
            field: Field::$name, pointer: $pointer, kind: $kind, weight: Weight::$weight,
        },)*];
    };
}

/// Where software stands (GSA 2.0.0 and gov 2.0.0 `status`).
pub const STATUS: &[&str] =
    &["Ideation", "Development", "Alpha", "Beta", "Release Candidate", "Production", "Archival"];
/// gov 2.0.0 `vcs`.
pub const VCS: &[&str] = &["git", "hg", "svn", "rcs", "bzr", "none"];
/// gov 2.0.0 `maintenance`.
pub const MAINTENANCE: &[&str] = &["internal", "contract", "community", "none"];
/// gov 2.0.0 `repositoryVisibility`. GitHub's *internal* is private here: the
/// SHARE IT Act §2(6) asks only whether access is restricted.
pub const VISIBILITY: &[&str] = &["public", "private"];

fields! {
    /// The software's name.
    Name "/name" Kind::Text, Material;
    /// The software's version, not the schema's.
    Version "/version" Kind::Text, Plain;
    /// One or two sentences.
    Description "/description" Kind::Text, Plain;
    /// More than that (CMS, publiccode.yml).
    LongDescription "/longDescription" Kind::Text, Plain;
    /// One of [`STATUS`].
    Status "/status" Kind::Choice(STATUS), Material;
    /// The licenses it is offered under.
    Licenses "/permissions/licenses" Kind::Licenses, Material;
    /// Who may use it, or why not everybody may.
    Usage "/permissions/usageType" Kind::Usage, Material;
    /// The brief narrative M-16-21 §6 and the SHARE IT Act §4(b) ask for.
    ExemptionText "/permissions/exemptionText" Kind::Text, Material;
    /// The organization within the agency.
    Organization "/organization" Kind::Text, Material;
    /// Where the code is (SHARE IT Act §2(5)(iii)).
    RepositoryUrl "/repositoryURL" Kind::Url, Material;
    /// One of [`VISIBILITY`] (SHARE IT Act §2(5)(i)).
    Visibility "/repositoryVisibility" Kind::Choice(VISIBILITY), Material;
    /// The software's page.
    HomepageUrl "/homepageURL" Kind::Url, Plain;
    /// Where it can be downloaded.
    DownloadUrl "/downloadURL" Kind::Url, Plain;
    /// Where its disclaimer stands.
    DisclaimerUrl "/disclaimerURL" Kind::Url, Plain;
    /// The disclaimer itself.
    DisclaimerText "/disclaimerText" Kind::Text, Plain;
    /// One of [`VCS`].
    Vcs "/vcs" Kind::Choice(VCS), Plain;
    /// Hours of work it took (M-16-21; see [`crate::labor`]).
    LaborHours "/laborHours" Kind::Number, Plain;
    /// How often it was forked (SHARE IT Act §3(d)(2)(A)(i)).
    Forks "/reuseFrequency/forks" Kind::Count, Volatile;
    /// How often it was cloned.
    Clones "/reuseFrequency/clones" Kind::Count, Volatile;
    /// Programming languages; their order means nothing.
    Languages "/languages" Kind::Texts, Plain;
    /// One of [`MAINTENANCE`] (SHARE IT Act §3(d)(2)(A)(ii)).
    Maintenance "/maintenance" Kind::Choice(MAINTENANCE), Plain;
    /// Contract numbers (SHARE IT Act §2(5)(ii)). An empty list says: none.
    ContractNumber "/contractNumber" Kind::Texts, Plain;
    /// The address of a bill of materials, or `None`.
    Sbom "/SBOM" Kind::Text, Plain;
    /// Code that has to do with it.
    RelatedCode "/relatedCode" Kind::Items(&["name", "URL", "isGovernmentRepo"]), Plain;
    /// Code that it uses.
    ReusedCode "/reusedCode" Kind::Items(&["name", "URL"]), Plain;
    /// Agencies that take part.
    Partners "/partners" Kind::Items(&["name", "email"]), Plain;
    /// When the code was begun.
    Created "/date/created" Kind::Date, Volatile;
    /// When it was last changed.
    LastModified "/date/lastModified" Kind::Date, Volatile;
    /// When these statements were last changed.
    MetadataLastUpdated "/date/metadataLastUpdated" Kind::Date, Volatile;
    /// Words to find it by.
    Tags "/tags" Kind::Texts, Plain;
    /// Whom to write to.
    ContactEmail "/contact/email" Kind::Text, Material;
    /// Who that is. Data.gov takes no entry without.
    ContactName "/contact/name" Kind::Text, Plain;
    /// GSA only.
    ContactUrl "/contact/URL" Kind::Url, Plain;
    /// GSA only.
    ContactPhone "/contact/phone" Kind::Text, Plain;
    /// GSA 1.0.0 and 1.0.1 only.
    ContactTwitter "/contact/twitter" Kind::Text, Plain;
    /// Where to say what is wrong (SHARE IT Act §3(d)(2)(A)(iii)).
    FeedbackMechanism "/feedbackMechanism" Kind::Url, Plain;
    /// The number in the agency's AI use case inventory (OMB M-25-21). Never
    /// defaulted: `0` is a statement.
    AiUseCaseId "/AIUseCaseID" Kind::Text, Plain;
}

impl Field {
    /// Its row of the table.
    #[must_use]
    pub fn about(self) -> &'static About {
        &FIELDS[self as usize]
    }

    /// Where it stands in a release.
    #[must_use]
    pub fn pointer(self) -> &'static str {
        self.about().pointer
    }

    /// The field that stands there.
    #[must_use]
    pub fn at(pointer: &str) -> Option<Field> {
        FIELDS.iter().find(|about| about.pointer == pointer).map(|about| about.field)
    }

    /// The field that stands there when letters' case is not minded, as in
    /// `homepageURl` and `metaDataLastUpdated`.
    #[must_use]
    pub fn near(pointer: &str) -> Option<Field> {
        let same = |about: &&About| about.pointer.eq_ignore_ascii_case(pointer);
        FIELDS.iter().find(same).map(|about| about.field)
    }
}

impl Kind {
    /// The texts allowed, if only some are.
    #[must_use]
    pub fn choices(self) -> Option<&'static [&'static str]> {
        match self {
            Kind::Choice(choices) => Some(choices),
            Kind::Usage => Some(Usage::NAMES),
            Kind::Text
            | Kind::Url
            | Kind::Number
            | Kind::Count
            | Kind::Date
            | Kind::Texts
            | Kind::Licenses
            | Kind::Items(_) => None,
        }
    }
}
