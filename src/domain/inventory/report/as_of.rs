//! The inventory and the register as they stood at the end of a day, and what
//! changed since (GAO assesses as of a date: SHARE IT Act §5).
//!
//! Promises: (1) an entry that may not be named today is counted, also if it
//! was public then; (2) then and since sum up to now: entries then + added −
//! removed = entries now; (3) of exemptions only those count whose approval was
//! confirmed by then.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use serde_json::Value;

use super::say;
use crate::domain::{
    exemptions::{Class, history::Past, report::Source},
    outgoing::plain,
    repository::RepositoryId,
};

/// `as-of-1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct AsOf {
    /// The agency's acronym.
    pub agency: String,
    /// The day, in UTC.
    pub day: Date,
    /// Whether code that is not public is named.
    pub internal: bool,
    /// One for each file that is published.
    pub files: Vec<FileThen>,
    /// The registers of exemptions.
    pub register: RegisterThen,
}

/// A published file, then and now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct FileThen {
    /// Its name.
    pub file: &'static str,
    /// Since when it was served as it was then; `null` if there was none.
    pub published_at: Option<Timestamp>,
    /// SHA-256 of its bytes then.
    pub sha256: Option<String>,
    /// How many entries it had.
    pub entries: usize,
    /// Those that may be named, in their order.
    pub listed: Vec<Then>,
    /// How many more there were.
    pub not_named: usize,
    /// What changed since.
    pub since: Changes,
    /// How many entries it has now.
    pub entries_now: usize,
}

/// An entry as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Then {
    /// Its name.
    pub name: String,
    /// The organization within the agency.
    pub organization: String,
    /// Where it was.
    pub repository_url: String,
    /// Its usage types.
    pub usage: Vec<String>,
    /// `same`, `changed` or `removed` since.
    pub since: &'static str,
}

/// How many entries changed between that day and now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Changes {
    /// New since.
    pub added: usize,
    /// No longer there.
    pub removed: usize,
    /// They say something else.
    pub changed: usize,
    /// They say the same.
    pub same: usize,
}

/// The registers then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct RegisterThen {
    /// What stood there with a confirmed approval, by organization and number.
    pub exemptions: Vec<ExemptionThen>,
    /// How many came since.
    pub came: usize,
    /// How many left since.
    pub left: usize,
}

/// An exemption that stood in a register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ExemptionThen {
    /// Whose register.
    pub organization: String,
    /// The repository's number.
    pub repository: RepositoryId,
    /// Which exemption.
    pub usage: &'static str,
    /// What the law makes of it.
    pub class: Class,
    /// The citation.
    pub basis: Option<String>,
    /// The narrative.
    pub reason: String,
    /// Its first day.
    pub applied_from: Option<Date>,
    /// Its last day.
    pub applied_to: Option<Date>,
    /// Whether it applied on the day.
    pub applied: bool,
    /// Whether it stands there now.
    pub stands_now: bool,
}

/// A file, then and now.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// The file's name.
    pub file: &'static str,
    /// Its bytes then, their SHA-256, and since when they were served.
    pub then: Option<(&'a [u8], &'a str, Timestamp)>,
    /// Its bytes now.
    pub now: Option<&'a [u8]>,
}

impl AsOf {
    /// How everything stood at `moment`, the end of `day`. `tells` says whether
    /// an entry would tell what is not public now; none is asked inside.
    ///
    /// # Errors
    /// A file that is not JSON.
    pub fn of(
        agency: &str,
        (day, moment): (Date, Timestamp),
        files: &[Pair<'_>],
        registers: &[Source],
        tells: Option<&dyn Fn(&Value) -> bool>,
    ) -> Result<AsOf, serde_json::Error> {
        Ok(AsOf {
            agency: agency.to_owned(),
            day,
            internal: tells.is_none(),
            files: files.iter().map(|pair| file(pair, tells)).collect::<Result<_, _>>()?,
            register: register(registers, day, moment),
        })
    }

    /// A row of headings, then one for each entry, count and exemption.
    #[must_use]
    pub fn rows(&self) -> Vec<Vec<String>> {
        const HEADINGS: [&str; 9] = [
            "as_of",
            "row",
            "file_or_register",
            "name_or_repository_id",
            "organization",
            "url",
            "usage",
            "since",
            "count",
        ];
        let mut rows = vec![HEADINGS.map(str::to_owned).to_vec()];
        let day = self.day.to_string();
        let mut row = |cells: [&str; 8]| {
            rows.push(std::iter::once(day.as_str()).chain(cells).map(str::to_owned).collect());
        };
        for file in &self.files {
            for one in &file.listed {
                let usage = one.usage.join(" ");
                row([
                    "entry",
                    file.file,
                    &one.name,
                    &one.organization,
                    &one.repository_url,
                    &usage,
                    one.since,
                    "1",
                ]);
            }
            for (what, count) in file.counts() {
                row([what, file.file, "", "", "", "", "", &count.to_string()]);
            }
        }
        for one in &self.register.exemptions {
            let (id, since) = (one.repository.to_string(), if one.stands_now { "same" } else { "removed" });
            row(["exemption", "register", &id, &one.organization, "", one.usage, since, "1"]);
        }
        row(["exemptions that came since", "register", "", "", "", "", "", &self.register.came.to_string()]);
        row(["exemptions that left since", "register", "", "", "", "", "", &self.register.left.to_string()]);
        rows
    }

    /// For people.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = format!(
            "# Source code inventory of {}, as of {}\n\nAs everything stood at the end of that day (UTC).\n",
            plain(&self.agency),
            self.day
        );
        if self.internal {
            out.push_str("\nFor internal use: this report names code that is not public.\n");
        }
        for file in &self.files {
            say(&mut out, format_args!("\n## {}\n\n", file.file));
            let Some((at, sha256)) = file.published_at.zip(file.sha256.as_ref()) else {
                say(
                    &mut out,
                    format_args!("It was not published yet. It has {} entries now.\n", file.entries_now),
                );
                continue;
            };
            say(
                &mut out,
                format_args!(
                    "Served since {at}, with {} entries. SHA-256 `{sha256}`.\n\nSince then {} were added, {} removed \
                     and {} changed; {} say the same. Now there are {}.\n",
                    file.entries,
                    file.since.added,
                    file.since.removed,
                    file.since.changed,
                    file.since.same,
                    file.entries_now
                ),
            );
            if !file.listed.is_empty() {
                out.push_str("\n| entry | organization | usage | since |\n|---|---|---|---|\n");
            }
            for one in &file.listed {
                let (name, organization) = (plain(&one.name), plain(&one.organization));
                let usage = plain(&one.usage.join(", "));
                say(&mut out, format_args!("| {name} | {organization} | {usage} | {} |\n", one.since));
            }
            if file.not_named > 0 {
                say(&mut out, format_args!("\nMore that are not named here: {}.\n", file.not_named));
            }
        }
        out.push_str("\n## Exemptions in the registers\n\n");
        let RegisterThen { exemptions, came, left } = &self.register;
        say(
            &mut out,
            format_args!(
                "With a confirmed approval: {}. Since then {came} came and {left} left.\n",
                exemptions.len()
            ),
        );
        if !exemptions.is_empty() {
            out.push_str("\n| repository | of | exemption | basis | applied that day | stands now |\n|---|---|---|---|---|---|\n");
        }
        for one in exemptions {
            let word = |yes| if yes { "yes" } else { "no" };
            let basis = one.basis.as_deref().map_or_else(|| "not given".to_owned(), plain);
            let (of, applied, now) = (plain(&one.organization), word(one.applied), word(one.stands_now));
            say(
                &mut out,
                format_args!("| {} | {of} | {} | {basis} | {applied} | {now} |\n", one.repository, one.usage),
            );
        }
        out
    }
}

impl FileThen {
    fn counts(&self) -> [(&'static str, usize); 7] {
        [
            ("entries", self.entries),
            ("not named", self.not_named),
            ("added since", self.since.added),
            ("removed since", self.since.removed),
            ("changed since", self.since.changed),
            ("the same", self.since.same),
            ("entries now", self.entries_now),
        ]
    }
}

fn file(pair: &Pair<'_>, tells: Option<&dyn Fn(&Value) -> bool>) -> Result<FileThen, serde_json::Error> {
    let then = releases(pair.then.map(|(body, ..)| body))?;
    let now = releases(pair.now)?;
    // Addresses are made unique before they are published.
    let by_url: BTreeMap<&str, &Value> = now.iter().map(|release| (url(release), release)).collect();
    let (mut listed, mut not_named, mut since) = (Vec::new(), 0, Changes::default());
    for release in &then {
        let word = match by_url.get(url(release)) {
            None => {
                since.removed += 1;
                "removed"
            }
            Some(now) if *now == release => {
                since.same += 1;
                "same"
            }
            Some(_) => {
                since.changed += 1;
                "changed"
            }
        };
        if tells.is_some_and(|tells| tells(release)) {
            not_named += 1;
            continue;
        }
        let text = |pointer: &str| release.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        listed.push(Then {
            name: text("/name").to_owned(),
            organization: text("/organization").to_owned(),
            repository_url: url(release).to_owned(),
            usage: usage(release),
            since: word,
        });
    }
    since.added = now.len() - since.same - since.changed;
    Ok(FileThen {
        file: pair.file,
        published_at: pair.then.map(|(.., at)| at),
        sha256: pair.then.map(|(_, sha256, _)| sha256.to_owned()),
        entries: then.len(),
        listed,
        not_named,
        since,
        entries_now: now.len(),
    })
}

/// The entries of a file.
fn releases(body: Option<&[u8]>) -> Result<Vec<Value>, serde_json::Error> {
    let Some(body) = body else { return Ok(Vec::new()) };
    let mut document: Value = serde_json::from_slice(body)?;
    Ok(match document["releases"].take() {
        Value::Array(releases) => releases,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => Vec::new(),
    })
}

fn url(release: &Value) -> &str {
    release["repositoryURL"].as_str().unwrap_or_default()
}

/// One in GSA's schema, a list in the other.
fn usage(release: &Value) -> Vec<String> {
    let usage = &release["permissions"]["usageType"];
    let all = usage.as_array().map_or(std::slice::from_ref(usage), Vec::as_slice);
    all.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn register(sources: &[Source], day: Date, moment: Timestamp) -> RegisterThen {
    let mut register = RegisterThen::default();
    let stood = |past: &Past, at: Timestamp| {
        past.stood.iter().any(|(from, to)| *from <= at && to.is_none_or(|to| at < to))
    };
    for source in sources {
        for past in &source.past {
            let stands_now = past.stood.last().is_some_and(|(_, to)| to.is_none());
            if !stood(past, moment) {
                register.came += usize::from(stands_now);
                continue;
            }
            register.left += usize::from(!stands_now);
            let (dates, exemption) = (past.exemption.applies(), &past.exemption);
            let applied = dates.is_some_and(|(from, to)| from <= day && to.is_none_or(|to| day <= to));
            register.exemptions.push(ExemptionThen {
                organization: source.organization.clone(),
                repository: exemption.id,
                usage: exemption.usage.name(),
                class: exemption.class(),
                basis: exemption.basis.clone(),
                reason: exemption.reason.clone(),
                applied_from: dates.map(|(from, _)| from),
                applied_to: dates.and_then(|(_, to)| to),
                applied,
                stands_now,
            });
        }
    }
    register.exemptions.sort_by(|a, b| {
        let key = |one: &ExemptionThen| (one.organization.clone(), one.repository, one.applied_from);
        key(a).cmp(&key(b))
    });
    register
}

#[cfg(test)]
mod tests;
