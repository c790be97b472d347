//! The judge: what a policy asks, held against what a repository has.
//!
//! Promises: (1) [`evaluate`] is a pure function of its arguments and ends for
//! any snapshot, however hostile; (2) a rule fails only on what was seen: what
//! could not be read, stands elsewhere or is ambiguous is Unknown, and a license
//! that is there but not recognised is advice, never a failure; (3) each rule
//! stands in one file, which opens with its id, why, source, places and remedy.

mod code_json;
mod contributing;
mod files;
mod license;
mod readme;
mod text;

use jiff::{Timestamp, tz::TimeZone};

use super::{
    finding::{Evidence, Finding, Gap, Judgement, Outcome, Report, RuleId, Severity, Skip},
    policy::{Include, Policy},
    repository::{Files, Repository, Snapshot, Visibility},
};

pub use license::{Signal, licenses, signal};

/// What reports, help and issue bodies say about a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its id, as in policies.
    pub id: RuleId,
    /// Its name, as in tables.
    pub title: &'static str,
    /// One sentence: why it is asked for.
    pub why: &'static str,
    /// The page that asks for it.
    pub source: &'static str,
    /// One sentence: what to do where the file is missing.
    pub remedy: &'static str,
    /// Where it looks, from the root.
    pub looks: &'static [&'static str],
}

/// The rules, in the order of [`RuleId::ALL`].
pub const RULES: [Rule; 4] = [license::RULE, readme::RULE, contributing::RULE, code_json::RULE];

/// What is said about one rule.
#[must_use]
pub fn rule(id: RuleId) -> &'static Rule {
    match id {
        RuleId::License => &RULES[0],
        RuleId::Readme => &RULES[1],
        RuleId::Contributing => &RULES[2],
        RuleId::CodeJson => &RULES[3],
    }
}

/// Judges a repository by a policy. `now` decides only whether a rule is in
/// force yet (`rules.<id>.since`, in UTC).
#[must_use]
pub fn evaluate(policy: &Policy, snapshot: &Snapshot, now: Timestamp) -> Report {
    let repository = &snapshot.repository;
    let skipped = skip(policy, repository);
    let judgements = match skipped {
        Some(_) => Vec::new(),
        None => RuleId::ALL.into_iter().fold(Vec::new(), |mut judged, id| {
            judged.extend(judge(policy, snapshot, id, now, &judged));
            judged
        }),
    };
    Report { repository: repository.name.clone(), head: repository.head.clone(), skipped, judgements }
}

/// Which rule of the policy, or of nature, keeps a repository from being
/// judged (etiquette 4.1). A repository made from a template is judged; the
/// template is not.
#[must_use]
pub fn skip(policy: &Policy, repository: &Repository) -> Option<Skip> {
    let repositories = &policy.repositories;
    let leaves_out = |choice| match choice {
        Include::Skip => true,
        Include::Include => false,
    };
    if let Some(pattern) = repositories.exclude.matching(repository.name.name()) {
        return Some(Skip::Excluded(pattern.to_owned()));
    }
    if repository.disabled {
        return Some(Skip::Disabled);
    }
    if repository.archived && leaves_out(repositories.archived) {
        return Some(Skip::Archived);
    }
    if repository.fork && leaves_out(repositories.forks) {
        return Some(Skip::Fork);
    }
    if repository.mirror {
        return Some(Skip::Mirror);
    }
    if repository.template {
        return Some(Skip::Template);
    }
    repository.head.is_none().then_some(Skip::Empty)
}

/// Judges by one rule; `judged` is what the rules before it said.
fn judge(
    policy: &Policy,
    snapshot: &Snapshot,
    id: RuleId,
    now: Timestamp,
    judged: &[Judgement],
) -> Option<Judgement> {
    let severity = severity(policy, snapshot.repository.visibility, id, now);
    if severity == Severity::Off {
        return None;
    }
    let rules = &policy.rules;
    let outcome = match id {
        RuleId::License => license::judge(&rules.license, snapshot),
        RuleId::Readme => readme::judge(&rules.readme, snapshot),
        RuleId::Contributing => contributing::judge(&rules.contributing, snapshot),
        RuleId::CodeJson => code_json::judge(policy, snapshot, judged)?,
    };
    Some(Judgement { rule: id, severity, outcome })
}

/// How much a rule weighs here and now. Two things make `required` a
/// recommendation: the day of `since` has not come, and, for the files that
/// M-16-21 asks of released code, the repository is not public (policy file,
/// packs: "where the code is public").
fn severity(policy: &Policy, visibility: Visibility, id: RuleId, now: Timestamp) -> Severity {
    let severity = policy.rules.severity(id);
    let today = now.to_zoned(TimeZone::UTC).date();
    let in_force = policy.rules.since(id).is_none_or(|since| today >= since);
    let applies = match (id, visibility) {
        (_, Visibility::Public) | (RuleId::CodeJson, Visibility::Private | Visibility::Internal) => true,
        (
            RuleId::License | RuleId::Readme | RuleId::Contributing,
            Visibility::Private | Visibility::Internal,
        ) => false,
    };
    if in_force && applies { severity } else { severity.min(Severity::Recommended) }
}

/// The paths whose texts the rules need, given the listings, each once. A
/// reader may fetch them in any order; what it does not fetch is Unknown. The
/// policy's own `paths` are not among them: see [`policy_paths`].
#[must_use]
pub fn wanted(files: &Files) -> Vec<String> {
    let mut paths = Vec::new();
    license::wanted(files, &mut paths);
    readme::wanted(files, &mut paths);
    contributing::wanted(files, &mut paths);
    for path in ["code.json", ".github/muster.yml"] {
        paths.extend(files.entry(path).map(|entry| entry.path.clone()));
    }
    let mut seen = std::collections::HashSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    paths
}

/// The paths that `rules.<id>.paths` of a policy adds to the usual places.
pub fn policy_paths(policy: &Policy) -> impl Iterator<Item = &str> {
    RuleId::ALL.into_iter().flat_map(|id| policy.rules.paths(id)).map(String::as_str)
}

fn missing(rule: &Rule, summary: impl Into<String>, extra: &[String]) -> Finding {
    Finding {
        gap: Gap::Missing,
        summary: summary.into(),
        looked: rule.looks.iter().map(ToString::to_string).chain(extra.iter().cloned()).collect(),
        remedy: rule.remedy.to_owned(),
        place: None,
    }
}

fn unknown(reason: impl Into<String>) -> Outcome {
    Outcome::Unknown { reason: reason.into() }
}

fn pass(path: &str, summary: String, advice: Option<String>) -> Outcome {
    Outcome::Pass(Evidence { summary, path: Some(path.to_owned()), licenses: Vec::new(), advice })
}

#[cfg(test)]
mod matrix;
