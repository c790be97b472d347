//! What the judge says: an outcome for each rule, and the report of all.
//!
//! Promises: (1) "could not tell" is not "missing": [`Outcome::Unknown`] opens
//! and closes nothing; (2) every outcome carries its reason and where it was
//! looked for; (3) the same findings have the same [`FindingsHash`] for life.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::repository::{Head, RepositoryName};

/// The rules, in the order in which they are shown.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RuleId {
    /// What is released carries a license (M-16-21 §7.5).
    License,
    /// A README says what the software is (M-16-21 §5.2).
    Readme,
    /// A contribution file says how to take part (Code.gov guidance).
    Contributing,
    /// The repository's own inventory file, where the policy asks for it.
    CodeJson,
}

impl RuleId {
    /// All rules, in order.
    pub const ALL: [RuleId; 4] = [RuleId::License, RuleId::Readme, RuleId::Contributing, RuleId::CodeJson];

    /// The id as written in policies and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RuleId::License => "license",
            RuleId::Readme => "readme",
            RuleId::Contributing => "contributing",
            RuleId::CodeJson => "code-json",
        }
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RuleId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        RuleId::ALL.into_iter().find(|rule| rule.as_str() == text).ok_or(())
    }
}

/// How much a rule weighs.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Not judged.
    #[default]
    Off,
    /// Shown; on its own it opens nothing by default.
    Recommended,
    /// Asked for.
    Required,
}

impl Severity {
    /// The word of the policy file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Off => "off",
            Severity::Recommended => "recommended",
            Severity::Required => "required",
        }
    }
}

/// What a rule says of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "outcome")]
pub enum Outcome {
    /// Met; the evidence.
    Pass(Evidence),
    /// Not met.
    Fail(Finding),
    /// The policy gives leave; why.
    Waived {
        /// The reason the policy states.
        reason: String,
    },
    /// Could not be told; why. Opens and closes nothing.
    Unknown {
        /// What stood in the way.
        reason: String,
    },
}

/// Why a rule is met.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// A few words: `README.md, 212 words`.
    pub summary: String,
    /// The file that counts, from the root; with `ORG/.github:` before it when
    /// inherited.
    pub path: Option<String>,
    /// SPDX ids, for the license.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<String>,
    /// What a person might still look at; never a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// What is missing, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What kind of gap: stable, and part of the findings hash.
    pub gap: Gap,
    /// One sentence: what is wrong.
    pub summary: String,
    /// Where it was looked for, from the root.
    pub looked: Vec<String>,
    /// One sentence: what to do.
    pub remedy: String,
    /// The file it is about, and the line if one is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A place in a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Path from the root.
    pub path: String,
    /// From 1.
    pub line: Option<u32>,
    /// From 1, in characters.
    pub column: Option<u32>,
}

/// The kinds of gap. A new kind is a new finding to people who declined
/// another, so the words never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gap {
    /// No such file.
    Missing,
    /// There, and empty.
    Empty,
    /// There, and too little in it.
    TooShort,
    /// A section the policy asks for is missing.
    Section,
    /// The license is identified, but the policy does not allow it.
    NotAllowed,
    /// The file cannot be read as what it should be.
    Malformed,
    /// Fields that every schema asks for are missing.
    Fields,
    /// It says otherwise than the repository is.
    Drift,
    /// Only the organization's default is there, and the policy wants the
    /// repository's own.
    OnlyInherited,
    /// There is no license file, but something else names a license: nothing
    /// is proposed then, since a person has chosen already.
    OnlyNamed,
}

impl Gap {
    const ALL: [Gap; 10] = [
        Gap::Missing,
        Gap::Empty,
        Gap::TooShort,
        Gap::Section,
        Gap::NotAllowed,
        Gap::Malformed,
        Gap::Fields,
        Gap::Drift,
        Gap::OnlyInherited,
        Gap::OnlyNamed,
    ];

    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Gap::Missing => "missing",
            Gap::Empty => "empty",
            Gap::TooShort => "too-short",
            Gap::Section => "section",
            Gap::NotAllowed => "not-allowed",
            Gap::Malformed => "malformed",
            Gap::Fields => "fields",
            Gap::Drift => "drift",
            Gap::OnlyInherited => "only-inherited",
            Gap::OnlyNamed => "only-named",
        }
    }
}

impl FromStr for Gap {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Gap::ALL.into_iter().find(|gap| gap.as_str() == text).ok_or(())
    }
}

/// Why a repository is not judged at all (etiquette: skipped by rule, named,
/// counted, never called exempt).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "rule", content = "detail")]
pub enum Skip {
    /// Nothing was committed yet.
    Empty,
    /// Archived, and the policy skips those.
    Archived,
    /// A fork, and the policy skips those.
    Fork,
    /// A copy of a repository elsewhere.
    Mirror,
    /// A template.
    Template,
    /// Switched off by GitHub.
    Disabled,
    /// A pattern of `repositories.exclude`.
    Excluded(String),
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Skip::Empty => f.write_str("empty"),
            Skip::Archived => f.write_str("archived"),
            Skip::Fork => f.write_str("fork"),
            Skip::Mirror => f.write_str("mirror"),
            Skip::Template => f.write_str("template"),
            Skip::Disabled => f.write_str("disabled by GitHub"),
            Skip::Excluded(pattern) => write!(f, "excluded by {pattern:?}"),
        }
    }
}

/// One rule's line in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Which rule.
    pub rule: RuleId,
    /// How much it weighs here.
    pub severity: Severity,
    /// What it says.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What the judge says of one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The repository under the name it was read by.
    pub repository: RepositoryName,
    /// The commit that was judged; `None` while nothing was committed.
    pub head: Option<Head>,
    /// Skipped by rule, and which; the judgements are then empty.
    pub skipped: Option<Skip>,
    /// One for each rule that is not off, in the order of [`RuleId::ALL`].
    pub judgements: Vec<Judgement>,
}

/// The result of a report in one word, for tables and totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every required rule is met.
    Meets,
    /// A required rule is not met.
    NeedsWork,
    /// Met but for what the policy gives leave from.
    Waived,
    /// Skipped by rule.
    Skipped,
    /// Could not be told.
    Unknown,
}

impl Verdict {
    /// The words people read.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Meets => "meets",
            Verdict::NeedsWork => "needs work",
            Verdict::Waived => "waived",
            Verdict::Skipped => "skipped by rule",
            Verdict::Unknown => "could not check",
        }
    }
}

impl Report {
    /// The failures at or above `severity`, in rule order.
    pub fn findings(&self, severity: Severity) -> impl Iterator<Item = (RuleId, &Finding)> {
        self.judgements.iter().filter(move |j| j.severity >= severity).filter_map(|j| match &j.outcome {
            Outcome::Fail(finding) => Some((j.rule, finding)),
            Outcome::Pass(_) | Outcome::Waived { .. } | Outcome::Unknown { .. } => None,
        })
    }

    /// What one rule says.
    #[must_use]
    pub fn outcome(&self, rule: RuleId) -> Option<&Outcome> {
        self.judgements.iter().find(|j| j.rule == rule).map(|j| &j.outcome)
    }

    /// Whether any rule could not be told.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        self.judgements.iter().any(|j| matches!(j.outcome, Outcome::Unknown { .. }))
    }

    /// The report in one word: a failure outweighs an unknown, since it is
    /// certain.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.skipped.is_some() {
            return Verdict::Skipped;
        }
        if self.findings(Severity::Required).next().is_some() {
            return Verdict::NeedsWork;
        }
        let required = || self.judgements.iter().filter(|j| j.severity == Severity::Required);
        if required().any(|j| matches!(j.outcome, Outcome::Unknown { .. })) {
            return Verdict::Unknown;
        }
        if required().any(|j| matches!(j.outcome, Outcome::Waived { .. })) {
            return Verdict::Waived;
        }
        Verdict::Meets
    }
}

/// A set of findings by rule and gap: what an item of ours is about, and what a
/// decline is bound to. Written `contributing:missing readme:empty`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingSet(BTreeSet<(RuleId, Gap)>);

impl FindingSet {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this finding is in it.
    #[must_use]
    pub fn contains(&self, rule: RuleId, gap: Gap) -> bool {
        self.0.contains(&(rule, gap))
    }

    /// The findings, in order.
    pub fn iter(&self) -> impl Iterator<Item = (RuleId, Gap)> {
        self.0.iter().copied()
    }

    /// Its name for life.
    #[must_use]
    pub fn hash(&self) -> FindingsHash {
        FindingsHash(digits(&self.to_string()))
    }

    /// Its name and, after a dot, that of what else an item says, such as how
    /// each finding is answered. Nothing else: [`FindingSet::hash`].
    #[must_use]
    pub fn hash_with(&self, more: &str) -> FindingsHash {
        let FindingsHash(findings) = self.hash();
        FindingsHash(if more.is_empty() { findings } else { format!("{findings}.{}", digits(more)) })
    }
}

/// The first 16 hexadecimal digits of the SHA-256 of a text.
fn digits(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..8])
}

impl FromIterator<(RuleId, Gap)> for FindingSet {
    fn from_iter<I: IntoIterator<Item = (RuleId, Gap)>>(findings: I) -> Self {
        FindingSet(findings.into_iter().collect())
    }
}

impl fmt::Display for FindingSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (rule, gap)) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{rule}:{}", gap.as_str())?;
        }
        Ok(())
    }
}

impl FromStr for FindingSet {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.split_ascii_whitespace()
            .map(|pair| {
                let (rule, gap) = pair.split_once(':').ok_or(())?;
                Ok((rule.parse()?, gap.parse()?))
            })
            .collect()
    }
}

mod recall;

/// Names a set of findings: the first 16 hexadecimal digits of a SHA-256 over
/// its text, and what else is said of it ([`FindingSet::hash_with`]). Stands in
/// the marker.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FindingsHash(pub String);

impl FindingsHash {
    /// Of an item that speaks of no findings: names what it says.
    #[must_use]
    pub fn of(said: &str) -> FindingsHash {
        FindingsHash(digits(said))
    }

    /// Whether these findings are meant, whatever else is said of them.
    #[must_use]
    pub fn names(&self, findings: &FindingSet) -> bool {
        self.0.split('.').next() == Some(&findings.hash().0)
    }
}

impl fmt::Display for FindingsHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_findings_has_one_text_and_one_name() {
        let one: FindingSet = "readme:empty contributing:missing".parse().unwrap();
        let two: FindingSet = "contributing:missing readme:empty".parse().unwrap();
        assert_eq!(one, two);
        assert_eq!(one.to_string().parse(), Ok(one.clone()));
        assert_eq!(one.hash(), two.hash());
        assert_ne!(one.hash(), FindingSet::default().hash());
        assert_eq!(one.hash().0.len(), 16);
        assert_eq!(one.hash_with(""), one.hash());
        assert_ne!(one.hash_with("offered"), one.hash_with("answered"));
        assert!(one.hash_with("offered").names(&one) && !one.hash().names(&FindingSet::default()));
        assert!("readme".parse::<FindingSet>().is_err() && "readme:gone".parse::<FindingSet>().is_err());
        for gap in Gap::ALL {
            assert_eq!(gap.as_str().parse(), Ok(gap));
        }
    }
}
