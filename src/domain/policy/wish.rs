//! A repository's own `.github/muster.yml`: its wish, under the policy.

use super::{
    Decline, Mode, Policy, Problem, document,
    document::Node,
    problem::At,
    read,
    section::{Cursor, Problems, Section},
};
use crate::domain::finding::{RuleId, Severity};

/// What a repository asks for itself. Whether it may have it depends on the
/// policy: see [`Policy::for_repository`]. Without a file, the default: no wish.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Wish {
    mode: Option<Placed<Mode>>,
    reason: Option<String>,
    /// The agency whose inventory may be proposed here.
    inventory_of: Option<String>,
    /// In the order of [`RuleId::ALL`].
    rules: Vec<(RuleId, WishedRule)>,
}

/// What a repository asks about one rule.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WishedRule {
    severity: Option<Placed<Severity>>,
    decline: Option<Decline>,
    paths: Vec<String>,
}

/// A value with its place, for what only the policy can refuse.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Placed<T> {
    value: T,
    at: At,
}

impl Wish {
    /// Reads the text of a repository's own file.
    ///
    /// # Errors
    /// Every problem of the file, as [`Policy::parse`].
    pub fn parse(text: &str) -> Result<Wish, Vec<Problem>> {
        wish(&document::parse(text).map_err(|problem| vec![problem])?)
    }

    /// As [`Wish::parse`], of bytes that may not be UTF-8.
    ///
    /// # Errors
    /// As [`Wish::parse`].
    pub fn parse_bytes(bytes: &[u8]) -> Result<Wish, Vec<Problem>> {
        wish(&document::parse_bytes(bytes).map_err(|problem| vec![problem])?)
    }

    /// The acronym of the agency whose inventory may be proposed here (threats
    /// T7).
    #[must_use]
    pub fn inventory_of(&self) -> Option<&str> {
        self.inventory_of.as_deref()
    }

    /// Why the repository wants a lower mode: untrusted text.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

impl Policy {
    /// The policy as it holds for one repository with a wish: tighter, or with
    /// rules declined for a reason.
    ///
    /// # Errors
    /// What the wish asks and may not have: a higher mode, a lower severity.
    /// The policy then holds as it is.
    pub fn for_repository(&self, wish: &Wish) -> Result<Policy, Vec<Problem>> {
        let mut policy = self.clone();
        let mut problems = Vec::new();
        if let Some(Placed { value, at }) = wish.mode {
            if value > self.mode {
                problems.push(at.problem(
                    "mode",
                    format!("is {}, above the policy's {}", value.as_str(), self.mode.as_str()),
                    "a repository may only lower its mode: delete it",
                ));
            }
            policy.mode = value;
        }
        for (rule, asked) in &wish.rules {
            if let Some(Placed { value, at }) = asked.severity {
                let severity = policy.rules.severity_mut(*rule);
                if value < *severity {
                    problems.push(at.problem(
                        &format!("rules.{rule}.severity"),
                        format!("is {}, below the policy's {}", value.as_str(), severity.as_str()),
                        "a repository may only raise it: delete it, or decline the rule with a reason",
                    ));
                }
                *severity = value;
            }
            policy.rules.decline_mut(*rule).clone_from(&asked.decline);
            if let Some(paths) = policy.rules.paths_mut(*rule) {
                let added = asked.paths.iter().filter(|path| !self.rules.paths(*rule).contains(path));
                paths.extend(added.cloned());
            }
        }
        if problems.is_empty() { Ok(policy) } else { Err(problems) }
    }
}

fn wish(root: &Node) -> Result<Wish, Vec<Problem>> {
    let problems = Problems::default();
    let mut wish = Wish::default();
    if let Some(mut file) = Cursor::root(root, &problems).section() {
        let mode = file.get("mode");
        wish.mode = mode.as_ref().and_then(|c| Some(Placed { value: read::mode(c)?, at: c.at() }));
        let why = file.get("reason");
        if let (Some(mode), None) = (&mode, &why) {
            mode.problem::<()>("is lowered without a reason", "write `reason: …` beside it");
        }
        wish.reason = why.as_ref().and_then(reason);
        file.within("inventory", |section| {
            section.read_some("agency", &mut wish.inventory_of, |cursor| cursor.text(20).map(str::to_owned));
        });
        file.within("rules", |section| {
            for rule in RuleId::ALL {
                section.within(rule.as_str(), |section| wish.rules.push((rule, wished(section, rule))));
            }
        });
        file.finish();
    }
    problems.settle(wish)
}

fn wished(section: &mut Section, rule: RuleId) -> WishedRule {
    let mut wished = WishedRule::default();
    section.read_some("severity", &mut wished.severity, |cursor| {
        Some(Placed { value: read::severity(cursor)?, at: cursor.at() })
    });
    section.read_some("decline", &mut wished.decline, decline);
    match rule {
        RuleId::License | RuleId::Readme | RuleId::Contributing => {
            section.read("paths", &mut wished.paths, read::paths);
        }
        // The inventory file has one name.
        RuleId::CodeJson => {}
    }
    wished
}

fn decline(cursor: &Cursor) -> Option<Decline> {
    let mut section = cursor.section()?;
    let reason = section.require("reason", reason);
    let mut until = None;
    section.read_some("until", &mut until, Cursor::date);
    section.finish();
    Some(Decline { reason: reason?, until })
}

fn reason(cursor: &Cursor) -> Option<String> {
    cursor.text(1_000).map(str::to_owned)
}
