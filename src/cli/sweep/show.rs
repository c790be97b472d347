//! What a plan or a sweep says, for people and for programs.

mod entry;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    cli::output::{self, note},
    domain::{
        finding::{Skip, Verdict},
        inventory::State,
        rollout::{FREE, Rollout},
    },
    jobs::{Act, Target, inspect_repository::Inspection, publish_inventory::Outlook},
};

/// What came of one repository; `None` if it went away meanwhile.
pub(super) struct Visit {
    pub(super) target: Target,
    pub(super) outcome: Option<Result<Inspection, String>>,
    /// The states of its entry in the inventory, if it is in one.
    pub(super) entry: Outlook,
}

impl Visit {
    pub(super) fn of(target: Target, outcome: Option<Result<Inspection, String>>) -> Visit {
        Visit { target, outcome, entry: Outlook::new() }
    }

    /// Whether a person has to fill something in before it can be listed.
    fn is_incomplete(&self) -> bool {
        self.entry.iter().any(|(_, state)| matches!(state, State::Incomplete { .. }))
    }

    /// Issues and pull requests still to come there.
    pub(super) fn wants(&self) -> u32 {
        match &self.outcome {
            Some(Ok(seen)) => seen.plan.wants.saturating_sub(seen.opened),
            Some(Err(_)) | None => 0,
        }
    }
}

/// How much may follow from what is in force before a person agrees.
pub(super) struct Gate {
    /// What is in force.
    pub(super) common: String,
    pub(super) rollout: Rollout,
    /// Issues and pull requests still to come.
    pub(super) left: u32,
}

impl Gate {
    /// Whether a person has to agree to what is left.
    fn closed(&self) -> bool {
        !self.rollout.approved && self.rollout.limited() && self.rollout.created + self.left > FREE
    }
}

/// How many repositories ended how; they sum up to `total`.
#[derive(Debug, Default, Serialize)]
struct Totals {
    total: usize,
    judged: usize,
    skipped: usize,
    unknown: usize,
    /// Went away meanwhile.
    gone: usize,
    /// The skipped ones by the rule that skips them.
    skipped_by: BTreeMap<String, usize>,
}

impl Totals {
    fn of(visits: &[Visit]) -> Totals {
        let mut totals = Totals { total: visits.len(), ..Totals::default() };
        for visit in visits {
            match &visit.outcome {
                None => totals.gone += 1,
                Some(Err(_)) => totals.unknown += 1,
                Some(Ok(seen)) => match &seen.report.skipped {
                    None => totals.judged += 1,
                    Some(skip) => {
                        totals.skipped += 1;
                        *totals.skipped_by.entry(skip.to_string()).or_default() += 1;
                    }
                },
            }
        }
        totals
    }

    /// For people: every repository is in one of the sums.
    fn told(&self) -> String {
        let by: Vec<String> = self.skipped_by.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
        let by = if by.is_empty() { String::new() } else { format!(" ({})", by.join(", ")) };
        let gone = if self.gone > 0 { format!(", {} gone", self.gone) } else { String::new() };
        let things = if self.total == 1 { "repository" } else { "repositories" };
        format!(
            "{} {things}: {} judged, {} skipped by rule{by}, {} unknown{gone}.",
            self.total, self.judged, self.skipped, self.unknown
        )
    }
}

pub(super) fn print(visits: &[Visit], gate: Option<&Gate>, act: Act, now: Timestamp) -> anyhow::Result<()> {
    let (mut changes, mut held) = (0, 0);
    for visit in visits {
        let name = &visit.target.name;
        match &visit.outcome {
            None => note(&format!("{name}: it is gone")),
            Some(Err(why)) => note(&format!("{name}: could not be inspected: {why}")),
            Some(Ok(seen)) => {
                let lines: Vec<String> = match act {
                    Act::Plan => seen.plan.changes.iter().map(ToString::to_string).collect(),
                    Act::Apply => seen.done.clone(),
                };
                changes += lines.len();
                if lines.is_empty() && seen.plan.would_not.is_empty() && !visit.is_incomplete() {
                    continue;
                }
                output::line(&format!("{name} ({})", seen.report.verdict().as_str()))?;
                for line in lines {
                    output::line(&format!("  {line}"))?;
                }
                held += seen.plan.held.len();
                for change in &seen.plan.held {
                    output::line(&format!("  waits: {change}"))?;
                }
                for refused in &seen.plan.would_not {
                    let until = refused.until.filter(|until| *until > now);
                    let until =
                        until.map_or_else(String::new, |until| format!(", until {}", output::time(until)));
                    output::line(&format!("  would not {}: {}{until}", refused.what, refused.why))?;
                }
                if !visit.entry.is_empty() {
                    output::line(&format!("  {}", entry::line(&visit.entry)))?;
                }
            }
        }
    }
    output::line(&Totals::of(visits).told())?;
    for line in entry::sums(visits) {
        output::line(&line)?;
    }
    let things = if changes == 1 { "change" } else { "changes" };
    let waiting = if held == 0 { String::new() } else { format!(" {held} more must wait.") };
    match act {
        Act::Plan => {
            output::line(&format!("Would make {changes} {things}; nothing has been written.{waiting}"))?;
        }
        Act::Apply => output::line(&format!("Made {changes} {things}.{waiting}"))?,
    }
    if let Some(gate) = gate.filter(|gate| gate.closed()) {
        output::line(&format!(
            "In all, {} issues and pull requests are left to open, and {} were opened. After {FREE} a person must approve: \
             muster plan ORG --approve {}",
            gate.left, gate.rollout.created, gate.left
        ))?;
    }
    Ok(())
}

/// The content of a `plan-1` document. Fields are only added.
#[derive(Serialize)]
pub(super) struct Content<'a> {
    /// Whether the plans were carried out.
    applied: bool,
    repositories: Vec<Entry<'a>>,
    totals: Totals,
    /// Of an organization: how much may follow before a person agrees.
    #[serde(skip_serializing_if = "Option::is_none")]
    rollout: Option<Opening>,
}

/// How much may follow from what is in force before a person agrees.
#[derive(Serialize)]
struct Opening {
    /// Issues and pull requests opened since it is in force.
    opened: u32,
    /// Those still to come.
    left: u32,
    /// Whether a person has to agree to them.
    needs_approval: bool,
}

#[derive(Serialize)]
struct Entry<'a> {
    repository: String,
    /// As in `scan`; absent if it could not be inspected.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    /// The rule that skips it.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<&'a Skip>,
    /// What is to be done, one line each.
    changes: Vec<String>,
    /// What is to be done once nothing holds it back, one line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    held: Vec<String>,
    /// What was done, one line each.
    done: &'a [String],
    would_not: Vec<Refused<'a>>,
    /// When time alone could change the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    /// The states of its entry in the files of the inventory.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entry: Vec<entry::InFile<'a>>,
    /// Why it could not be inspected.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct Refused<'a> {
    what: &'a str,
    why: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

pub(super) fn document<'a>(visits: &'a [Visit], gate: Option<&Gate>, act: Act) -> Content<'a> {
    Content {
        applied: act == Act::Apply,
        repositories: visits.iter().map(entry).collect(),
        totals: Totals::of(visits),
        rollout: gate.map(|gate| Opening {
            opened: gate.rollout.created,
            left: gate.left,
            needs_approval: gate.closed(),
        }),
    }
}

fn entry(visit: &Visit) -> Entry<'_> {
    let empty = Entry {
        repository: visit.target.name.to_string(),
        verdict: None,
        skipped: None,
        changes: Vec::new(),
        held: Vec::new(),
        done: &[],
        would_not: Vec::new(),
        due: None,
        entry: entry::in_files(&visit.entry),
        error: None,
    };
    match &visit.outcome {
        None => Entry { error: Some("it is gone"), ..empty },
        Some(Err(why)) => Entry { error: Some(why), ..empty },
        Some(Ok(seen)) => Entry {
            verdict: Some(seen.report.verdict()),
            skipped: seen.report.skipped.as_ref(),
            changes: seen.plan.changes.iter().map(ToString::to_string).collect(),
            held: seen.plan.held.iter().map(ToString::to_string).collect(),
            done: &seen.done,
            would_not: seen
                .plan
                .would_not
                .iter()
                .map(|refused| Refused { what: refused.what, why: &refused.why, until: refused.until })
                .collect(),
            due: seen.plan.due,
            ..empty
        },
    }
}
