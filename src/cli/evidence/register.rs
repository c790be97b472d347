//! The registers of exemptions, entry by entry.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use crate::domain::exemptions::{Class, Consultation, Decision, Standing, report::Source};

/// `register-1`.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(in crate::cli) struct Register {
    /// The day whose standings these are.
    pub(super) day: Date,
    /// Whether what nobody granted is in it, with its reasons.
    pub(super) internal: bool,
    pub(super) lines: Vec<Line>,
    /// How many more there are, by where they stand.
    pub(super) not_shown: BTreeMap<&'static str, usize>,
}

/// One entry. People and repositories are GitHub's numbers.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(in crate::cli) struct Line {
    organization: String,
    repository: u64,
    standing: &'static str,
    usage: &'static str,
    class: Class,
    basis: Option<String>,
    origin: Option<&'static str>,
    reason: String,
    requested_by: u64,
    decided_by: Option<u64>,
    role: Option<&'static str>,
    consulted: Option<Consultation>,
    applied_from: Option<Date>,
    applied_to: Option<Date>,
    /// Why it does not count, where it was granted and does not.
    why: Option<String>,
}

/// The entries that may be shown, and how many more there are.
pub(super) fn lines(
    sources: &[Source],
    day: Date,
    internal: bool,
) -> (Vec<Line>, BTreeMap<&'static str, usize>) {
    let (mut lines, mut not_shown) = (Vec::new(), BTreeMap::new());
    for source in sources {
        for entry in &source.entries {
            let standing = entry.standing(day);
            let granted = match standing {
                Standing::Granted | Standing::Expired | Standing::NotYet => true,
                Standing::Requested | Standing::Denied | Standing::Void | Standing::Unverified => false,
            };
            if !(granted || internal) {
                *not_shown.entry(standing.as_str()).or_default() += 1;
                continue;
            }
            let exemption = &entry.exemption;
            let (decided_by, role) = match &exemption.decision {
                Decision::Requested => (None, None),
                Decision::Granted { by, office, .. } => (Some(by.0), Some(office.as_str())),
                Decision::Denied { by, office, .. } => (Some(by.0), office.map(|office| office.as_str())),
            };
            let dates = exemption.applies();
            lines.push(Line {
                organization: source.organization.clone(),
                repository: exemption.id.0,
                standing: standing.as_str(),
                usage: exemption.usage.name(),
                class: exemption.class(),
                basis: exemption.basis.clone(),
                origin: exemption.origin.map(|origin| origin.as_str()),
                reason: exemption.reason.clone(),
                requested_by: exemption.requested_by.0,
                decided_by,
                role,
                consulted: exemption.consulted.clone(),
                applied_from: dates.map(|(from, _)| from),
                applied_to: dates.and_then(|(_, to)| to),
                why: entry.doubt().map(str::to_owned),
            });
        }
    }
    lines.sort_by(|a, b| (&a.organization, a.repository).cmp(&(&b.organization, b.repository)));
    (lines, not_shown)
}

/// A row of headings, then one for each entry.
pub(super) fn rows(lines: &[Line]) -> Vec<Vec<String>> {
    const HEADINGS: [&str; 16] = [
        "organization",
        "repository_id",
        "standing",
        "usage",
        "class",
        "basis",
        "origin",
        "reason",
        "requested_by",
        "decided_by",
        "role",
        "consulted",
        "consulted_on",
        "applied_from",
        "applied_to",
        "why",
    ];
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    let row = |line: &Line| {
        vec![
            line.organization.clone(),
            line.repository.to_string(),
            line.standing.to_owned(),
            line.usage.to_owned(),
            line.class.as_str().to_owned(),
            line.basis.clone().unwrap_or_default(),
            line.origin.unwrap_or_default().to_owned(),
            line.reason.clone(),
            line.requested_by.to_string(),
            line.decided_by.map(|by| by.to_string()).unwrap_or_default(),
            line.role.unwrap_or_default().to_owned(),
            line.consulted.as_ref().map(|with| with.body.clone()).unwrap_or_default(),
            day(line.consulted.as_ref().map(|with| with.on)),
            day(line.applied_from),
            day(line.applied_to),
            line.why.clone().unwrap_or_default(),
        ]
    };
    std::iter::once(HEADINGS.map(str::to_owned).to_vec()).chain(lines.iter().map(row)).collect()
}
