//! What a policy asks of a repository, rule by rule.

use jiff::civil::Date;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use crate::domain::finding::{RuleId, Severity};

/// The rules with their settings. The default is the `federal` pack.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(default, deny_unknown_fields, transform = or_off)]
pub struct Rules {
    /// What is released carries a license.
    pub license: LicenseRule,
    /// A README says what the software is.
    pub readme: ReadmeRule,
    /// A contribution file says how to take part.
    pub contributing: ContributingRule,
    /// The repository's own inventory file.
    pub code_json: CodeJsonRule,
}

impl Rules {
    /// Every rule off: where `extends: []` begins.
    #[must_use]
    pub fn off() -> Self {
        let mut rules = Self::default();
        for rule in RuleId::ALL {
            *rules.severity_mut(rule) = Severity::Off;
        }
        rules
    }

    /// The severity of a rule.
    #[must_use]
    pub fn severity(&self, rule: RuleId) -> Severity {
        match rule {
            RuleId::License => self.license.severity,
            RuleId::Readme => self.readme.severity,
            RuleId::Contributing => self.contributing.severity,
            RuleId::CodeJson => self.code_json.severity,
        }
    }

    /// Where else a rule looks, besides the places every repository has.
    #[must_use]
    pub fn paths(&self, rule: RuleId) -> &[String] {
        match rule {
            RuleId::License => &self.license.paths,
            RuleId::Readme => &self.readme.paths,
            RuleId::Contributing => &self.contributing.paths,
            // The inventory file has one name, which other programs look for.
            RuleId::CodeJson => &[],
        }
    }

    /// The day from which a rule holds, if the policy names one.
    #[must_use]
    pub fn since(&self, rule: RuleId) -> Option<Date> {
        match rule {
            RuleId::License => self.license.since,
            RuleId::Readme => self.readme.since,
            RuleId::Contributing => self.contributing.since,
            RuleId::CodeJson => self.code_json.since,
        }
    }

    /// The leave a repository took from a rule in its own file.
    #[must_use]
    pub fn decline(&self, rule: RuleId) -> Option<&Decline> {
        match rule {
            RuleId::License => self.license.decline.as_ref(),
            RuleId::Readme => self.readme.decline.as_ref(),
            RuleId::Contributing => self.contributing.decline.as_ref(),
            RuleId::CodeJson => self.code_json.decline.as_ref(),
        }
    }

    pub(super) fn severity_mut(&mut self, rule: RuleId) -> &mut Severity {
        match rule {
            RuleId::License => &mut self.license.severity,
            RuleId::Readme => &mut self.readme.severity,
            RuleId::Contributing => &mut self.contributing.severity,
            RuleId::CodeJson => &mut self.code_json.severity,
        }
    }

    /// `None` for the rule whose place is fixed.
    pub(super) fn paths_mut(&mut self, rule: RuleId) -> Option<&mut Vec<String>> {
        match rule {
            RuleId::License => Some(&mut self.license.paths),
            RuleId::Readme => Some(&mut self.readme.paths),
            RuleId::Contributing => Some(&mut self.contributing.paths),
            RuleId::CodeJson => None,
        }
    }

    pub(super) fn decline_mut(&mut self, rule: RuleId) -> &mut Option<Decline> {
        match rule {
            RuleId::License => &mut self.license.decline,
            RuleId::Readme => &mut self.readme.decline,
            RuleId::Contributing => &mut self.contributing.decline,
            RuleId::CodeJson => &mut self.code_json.decline,
        }
    }
}

/// A rule may be written as `off` or `false` instead of a section.
fn or_off(schema: &mut Schema) {
    let Some(properties) = schema.get_mut("properties").and_then(|value| value.as_object_mut()) else {
        return;
    };
    for rule in properties.values_mut() {
        let section = rule.take();
        *rule = serde_json::json!({ "anyOf": [section, { "enum": ["off", false] }] });
    }
}

/// A repository's word that a rule is not for it (`rules.<id>.decline` in its
/// own file). It silences, and turns nothing green (etiquette, declining).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decline {
    /// Why, in the words of the repository: untrusted text.
    pub reason: String,
    /// The last day it holds; without one the default of the act applies.
    pub until: Option<Date>,
}

/// `rules.license`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct LicenseRule {
    /// How much it weighs.
    pub severity: Severity,
    /// SPDX ids of the licenses that pass; empty: any identified one.
    #[schemars(length(max = 100))]
    pub allow: Vec<String>,
    /// SPDX id of the license to propose where there is none at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub propose: Option<String>,
    /// Slug of the team asked to review a proposed license.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewers: Option<String>,
    /// More files that may hold the license, from the repository's root.
    #[schemars(length(max = 100))]
    pub paths: Vec<String>,
    /// The day from which the rule holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub since: Option<Date>,
    /// Set from a repository's own file, never from a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub decline: Option<Decline>,
}

impl Default for LicenseRule {
    fn default() -> Self {
        Self {
            severity: Severity::Required,
            allow: Vec::new(),
            propose: None,
            reviewers: None,
            paths: Vec::new(),
            since: None,
            decline: None,
        }
    }
}

/// `rules.readme`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct ReadmeRule {
    /// How much it weighs.
    pub severity: Severity,
    /// More files that may be the README, from the repository's root.
    #[schemars(length(max = 100))]
    pub paths: Vec<String>,
    /// Headings the README must have.
    #[schemars(length(max = 100))]
    pub sections: Vec<String>,
    /// How many words it must have at least.
    #[schemars(range(max = 10_000))]
    pub min_words: u32,
    /// The day from which the rule holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub since: Option<Date>,
    /// Set from a repository's own file, never from a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub decline: Option<Decline>,
}

impl Default for ReadmeRule {
    fn default() -> Self {
        Self {
            severity: Severity::Required,
            paths: Vec::new(),
            sections: Vec::new(),
            min_words: 0,
            since: None,
            decline: None,
        }
    }
}

/// `rules.contributing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct ContributingRule {
    /// How much it weighs.
    pub severity: Severity,
    /// More files that may be the contribution file, from the root.
    #[schemars(length(max = 100))]
    pub paths: Vec<String>,
    /// Whether the organization's default file does not count.
    pub require_local: bool,
    /// Headings the file must have.
    #[schemars(length(max = 100))]
    pub sections: Vec<String>,
    /// The day from which the rule holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub since: Option<Date>,
    /// Set from a repository's own file, never from a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub decline: Option<Decline>,
}

impl Default for ContributingRule {
    fn default() -> Self {
        Self {
            severity: Severity::Required,
            paths: Vec::new(),
            require_local: false,
            sections: Vec::new(),
            since: None,
            decline: None,
        }
    }
}

/// `rules.code-json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(default, deny_unknown_fields)]
pub struct CodeJsonRule {
    /// How much it weighs.
    pub severity: Severity,
    /// Whether a repository has to have the file.
    pub file: CodeJsonFile,
    /// The schema it is held against.
    pub schema: CodeJsonSchema,
    /// The day from which the rule holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub since: Option<Date>,
    /// Set from a repository's own file, never from a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub decline: Option<Decline>,
}

impl Default for CodeJsonRule {
    fn default() -> Self {
        Self {
            // M-16-21 asks for the agency's inventory, not for a file in every
            // repository: a broken one is worth a line, not an issue.
            severity: Severity::Recommended,
            file: CodeJsonFile::Optional,
            schema: CodeJsonSchema::Gov200,
            since: None,
            decline: None,
        }
    }
}

/// `rules.code-json.file`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CodeJsonFile {
    /// Every repository has the file, and it is right.
    Required,
    /// A repository need not have the file; where it is, it is right.
    Optional,
    /// The file is not looked at.
    Off,
}

impl CodeJsonFile {
    pub(super) const ALL: [CodeJsonFile; 3] =
        [CodeJsonFile::Required, CodeJsonFile::Optional, CodeJsonFile::Off];

    /// The choice as written in a policy.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            CodeJsonFile::Required => "required",
            CodeJsonFile::Optional => "optional",
            CodeJsonFile::Off => "off",
        }
    }
}

/// `rules.code-json.schema`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum CodeJsonSchema {
    /// The SHARE IT Act's metadata schema, version 2.0.0.
    #[serde(rename = "gov-2.0.0")]
    Gov200,
}

impl CodeJsonSchema {
    pub(super) const ALL: [CodeJsonSchema; 1] = [CodeJsonSchema::Gov200];

    /// The schema as written in a policy.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            CodeJsonSchema::Gov200 => "gov-2.0.0",
        }
    }
}
