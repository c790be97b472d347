//! What the stage sees, told: Muster's changes, judgements and reasons.

use anyhow::{Context as _, Result};
use muster::{
    domain::{
        finding::{FindingSet, Outcome, Severity},
        plan::Cause,
    },
    jobs::{
        Act, Target,
        inspect_repository::{Inspection, inspect},
    },
};

use super::Stage;
use crate::{cast::AGENCY, check::look, tell::Sign};

impl Stage {
    pub(super) async fn tell_changes(&mut self) -> Result<()> {
        let now = look(&self.github);
        for (name, after) in &now {
            let before = self.seen.get(name).cloned().unwrap_or_default();
            for item in &after.items {
                let what = format!("{} #{}", item.kind, item.number);
                let verb = match before.items.iter().find(|old| old.number == item.number) {
                    None => "opened",
                    Some(old) if old.state != item.state => "closed",
                    Some(old) if old.body != item.body => "edited",
                    Some(_) => continue,
                };
                let draft = if item.state == "draft" { " (draft: a person fills it in)" } else { "" };
                self.teller.line(Sign::Did(verb), name, &format!("{what} \"{}\"{draft}", item.title));
                if self.with_urls && verb == "opened" {
                    let folder = if item.kind == "issue" { "issues" } else { "pull" };
                    let url = format!("{}/{AGENCY}/{name}/{folder}/{}", self.github.web_url(), item.number);
                    self.teller.below(&url);
                }
            }
            for gone in before.branches.keys().filter(|branch| !after.branches.contains_key(*branch)) {
                self.teller.line(
                    Sign::Did("deleted"),
                    name,
                    &format!("its branch {gone}, which is not needed any more"),
                );
            }
        }
        self.seen = now;
        self.tell_stood_down().await
    }

    /// What Muster was about to do and left, a line for each reason.
    async fn tell_stood_down(&mut self) -> Result<()> {
        for (name, target) in self.targets() {
            for entry in self.ctx.store.audit(Some(target.repository), 100).await? {
                if entry.audit.what != "stood_down" {
                    continue;
                }
                let detail: serde_json::Value = serde_json::from_str(&entry.audit.detail)?;
                let why = detail["detail"].as_str().unwrap_or_default().to_owned();
                if self.stood_down.insert((target.repository, why.clone())) {
                    self.teller.line(Sign::Waits, &name, &why);
                }
            }
        }
        Ok(())
    }

    /// How Muster sees a repository now; nothing is written.
    ///
    /// # Errors
    /// If it cannot be inspected.
    async fn inspect(&self, target: &Target, cause: Cause) -> Result<Inspection> {
        let seen = inspect(&self.ctx, target, cause, Act::Plan).await?;
        seen.with_context(|| format!("{} is not there", target.name))
    }

    /// Tells how Muster judges every repository, a line each.
    ///
    /// # Errors
    /// If one cannot be inspected.
    pub async fn tell_judgements(&self) -> Result<()> {
        for (name, target) in self.targets() {
            let report = self.inspect(&target, Cause::Event).await?.report;
            if let Some(skip) = &report.skipped {
                self.teller.line(Sign::Skipped, &name, &format!("{skip}: left alone by rule"));
                continue;
            }
            let required: FindingSet =
                report.findings(Severity::Required).map(|(rule, f)| (rule, f.gap)).collect();
            let findings: Vec<String> = report
                .findings(Severity::Recommended)
                .map(|(rule, finding)| {
                    let only = if required.contains(rule, finding.gap) { "" } else { " (recommended)" };
                    format!("{rule}{only}: {}", finding.summary)
                })
                .collect();
            let unknown = report.judgements.iter().find_map(|judgement| match &judgement.outcome {
                Outcome::Unknown { reason } => Some(reason),
                Outcome::Pass(_) | Outcome::Fail(_) | Outcome::Waived { .. } => None,
            });
            match (findings.is_empty(), unknown) {
                (false, _) => {
                    for finding in findings {
                        self.teller.line(Sign::Missing, &name, &finding);
                    }
                }
                (true, Some(reason)) => self.teller.line(Sign::Unknown, &name, reason),
                (true, None) => self.teller.line(Sign::Ok, &name, "lacks nothing"),
            }
        }
        Ok(())
    }

    /// Tells what Muster leaves undone now, by reason; of `only` these
    /// repositories, or of all if that is empty.
    ///
    /// # Errors
    /// If a repository cannot be inspected.
    pub async fn tell_waits(&self, cause: Cause, only: &[&str]) -> Result<()> {
        let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
        for (name, target) in self.targets() {
            if !only.is_empty() && !only.contains(&name.as_str()) {
                continue;
            }
            let would_not = self.inspect(&target, cause).await?.plan.would_not;
            let acted = self
                .seen
                .get(&name)
                .is_some_and(|seen| seen.items.iter().any(|item| item.ours && item.is_open()));
            // What time does not change matters only where nothing else is said.
            let only_time = acted || would_not.iter().any(|refused| refused.until.is_some());
            for refused in would_not.iter().filter(|refused| !only_time || refused.until.is_some()) {
                let until = refused.until.map(|until| self.teller.until(until));
                let until = until.map_or(String::new(), |until| format!(" (looks again {until})"));
                let reason = format!("{}{until}", refused.why);
                let known = reasons.iter_mut().find(|(known, _)| *known == reason);
                match known {
                    Some((_, names)) if names.contains(&name) => {}
                    Some((_, names)) => names.push(name.clone()),
                    None => reasons.push((reason, vec![name.clone()])),
                }
            }
        }
        for (reason, names) in reasons {
            match names.as_slice() {
                [name] => self.teller.line(Sign::Waits, name, &reason),
                names => self.teller.lines(Sign::Waits, names, &reason),
            }
        }
        Ok(())
    }
}
