//! From the tree of a policy file to a [`Policy`]: the keys of the contract,
//! and what their values may be.

use code_json::{
    convert::METHODS,
    record::{MAINTENANCE, STATUS, VCS},
};
use jiff::tz::TimeZoneDatabase;

use super::{
    Agency, By, CodeJsonFile, CodeJsonRule, CodeJsonSchema, Conclusion, Contact, ContributingRule, Defaults,
    Duty, Include, Inventory, Issue, LaborHours, LicenseRule, Limits, Mode, Pack, Patterns, Policy, Private,
    Problem, Published, PullRequest, ReadmeRule, Repositories, Rules,
    document::Node,
    problem::quoted,
    section::{Cursor, Problems, Section},
};
use crate::domain::{
    calendar::{Day, Freeze, Hours, HoursError, Quiet},
    finding::Severity,
    repository::RepositoryName,
};

/// The longest name, title or label, in bytes.
const TEXT: usize = 200;
/// The longest list.
const LIST: usize = 100;
/// The longest URL, in bytes.
const URL: usize = 2_000;

pub(super) fn policy(root: &Node) -> Result<Policy, Vec<Problem>> {
    let problems = Problems::default();
    let mut policy = Policy::default();
    if let Some(mut file) = Cursor::root(root, &problems).section() {
        file.within("agency", |section| agency(section, &mut policy.agency));
        file.read("mode", &mut policy.mode, mode);
        file.read("extends", &mut policy.extends, |cursor| cursor.list(LIST, pack));
        policy.rules = policy.extends.iter().fold(Rules::off(), |_, pack| pack.rules());
        file.within("rules", |section| rules(section, &mut policy.rules));
        file.within("repositories", |section| repositories(section, &mut policy.repositories));
        file.within("limits", |section| limits(section, &mut policy.limits));
        file.within("quiet", |section| quiet(section, &mut policy.quiet));
        file.within("issue", |section| issue(section, &mut policy.issue));
        file.within("pull_request", |section| pull_request(section, &mut policy.pull_request));
        file.within("check", |section| {
            section.read("conclusion", &mut policy.check.conclusion, |cursor| {
                cursor.choice(&Conclusion::ALL, Conclusion::as_str)
            });
        });
        file.within("inventory", |section| inventory(section, &mut policy.inventory));
        file.read_some("control", &mut policy.control, repository);
        file.not_yet(&["overrides", "lock", "commands", "pause", "templates", "waivers"]);
        file.finish();
    }
    problems.settle(policy)
}

pub(super) fn mode(cursor: &Cursor) -> Option<Mode> {
    cursor.choice(&Mode::ALL, Mode::as_str)
}

pub(super) fn severity(cursor: &Cursor) -> Option<Severity> {
    cursor.choice(&[Severity::Off, Severity::Recommended, Severity::Required], Severity::as_str)
}

fn pack(cursor: &Cursor) -> Option<Pack> {
    const LATER: [&str; 10] = [
        "share-it",
        "dsacms-tier-0",
        "dsacms-tier-1",
        "dsacms-tier-2",
        "dsacms-tier-3",
        "dsacms-tier-4",
        "openssf-baseline",
        "usgs",
        "nist",
        "code-mil",
    ];
    match cursor.text(TEXT)? {
        later if LATER.contains(&later) => {
            cursor.problem(format!("\"{later}\" is not supported yet by this version"), "write federal")
        }
        _ => cursor.choice(&Pack::ALL, Pack::as_str),
    }
}

fn agency(section: &mut Section, agency: &mut Agency) {
    section.read_some("acronym", &mut agency.acronym, |cursor| {
        let accept = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-&.".contains(c));
        cursor.text_if(20, accept, "write the acronym in letters, as GSA")
    });
    section.read_some("name", &mut agency.name, name);
    section.within("contact", |section| contact(section, &mut agency.contact));
    section.within("policy", |section| duty(section, &mut agency.policy));
    section.within("acquisition", |section| duty(section, &mut agency.acquisition));
    section.within("access", |section| {
        section.read_some("procedure_url", &mut agency.access.procedure_url, url);
        section.read_some("contact", &mut agency.access.contact, name);
    });
}

fn contact(section: &mut Section, contact: &mut Contact) {
    section.read_some("name", &mut contact.name, name);
    section.read_some("email", &mut contact.email, |cursor| {
        let accept = |text: &str| {
            text.split_once('@').is_some_and(|(local, host)| {
                !local.is_empty() && host.contains('.') && !host.contains('@') && !host.starts_with('.')
            }) && text.bytes().all(|b| b.is_ascii_graphic() && !b"<>()[],;:\"\\".contains(&b))
        };
        cursor.text_if(254, accept, "write an address as opensource@example.gov")
    });
}

fn duty(section: &mut Section, duty: &mut Duty) {
    section.read_some("url", &mut duty.url, url);
    section.read_some("adopted", &mut duty.adopted, Cursor::date);
}

fn name(cursor: &Cursor) -> Option<String> {
    cursor.text(TEXT).map(str::to_owned)
}

fn url(cursor: &Cursor) -> Option<String> {
    let accept = |text: &str| {
        let host =
            text.strip_prefix("https://").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
        host.is_some_and(|host| host.contains('.') && !host.contains('@'))
            && text.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"`\\".contains(&b))
    };
    cursor.text_if(URL, accept, "write a page as https://www.example.gov/page")
}

fn repository(cursor: &Cursor) -> Option<RepositoryName> {
    let text = cursor.text(TEXT)?;
    text.parse().ok().or_else(|| {
        cursor.problem(
            format!("{} is no repository", quoted(text)),
            "write owner and name, as example-agency/code-inventory",
        )
    })
}

fn rules(section: &mut Section, rules: &mut Rules) {
    rule(section, "license", &mut rules.license, license, |rule| &mut rule.severity);
    rule(section, "readme", &mut rules.readme, readme, |rule| &mut rule.severity);
    rule(section, "contributing", &mut rules.contributing, contributing, |rule| &mut rule.severity);
    rule(section, "code-json", &mut rules.code_json, code_json, |rule| &mut rule.severity);
}

/// A rule is a section, or `off`. One that no pack turned on stays off until
/// its section says a severity.
fn rule<'a, R>(
    section: &mut Section<'a>,
    id: &'static str,
    rule: &mut R,
    read: impl FnOnce(&mut Section<'a>, &mut R),
    severity: impl FnOnce(&mut R) -> &mut Severity,
) {
    let Some(cursor) = section.get(id) else { return };
    if cursor.is_off() {
        *severity(rule) = Severity::Off;
    } else if cursor.is_scalar() {
        cursor.problem::<()>("is neither a section nor off", "write off, or `severity: required` under it");
    } else if let Some(mut settings) = cursor.section() {
        read(&mut settings, rule);
        settings.finish();
    }
}

fn license(section: &mut Section, rule: &mut LicenseRule) {
    section.read("severity", &mut rule.severity, severity);
    section.read("allow", &mut rule.allow, |cursor| cursor.list(LIST, spdx_id));
    let propose = section.get("propose");
    if let Some(id) = propose.as_ref().and_then(spdx_id) {
        if !rule.allow.is_empty() && !rule.allow.contains(&id) {
            propose.as_ref().and_then(|cursor| {
                cursor.problem::<()>(
                    format!("\"{id}\" is not among the allowed licenses"),
                    "add it to allow, or propose one of those",
                )
            });
        }
        rule.propose = Some(id);
    }
    section.read_some("reviewers", &mut rule.reviewers, |cursor| {
        let accept = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        cursor.text_if(
            TEXT,
            accept,
            "write the slug of one team of the organization, without @ and organization",
        )
    });
    section.read("paths", &mut rule.paths, paths);
    section.read_some("since", &mut rule.since, Cursor::date);
}

fn readme(section: &mut Section, rule: &mut ReadmeRule) {
    section.read("severity", &mut rule.severity, severity);
    section.read("paths", &mut rule.paths, paths);
    section.read("sections", &mut rule.sections, |cursor| cursor.list(LIST, name));
    section.read("min_words", &mut rule.min_words, |cursor| cursor.number(0..=10_000));
    section.read_some("since", &mut rule.since, Cursor::date);
}

fn contributing(section: &mut Section, rule: &mut ContributingRule) {
    section.read("severity", &mut rule.severity, severity);
    section.read("paths", &mut rule.paths, paths);
    section.read("require_local", &mut rule.require_local, Cursor::boolean);
    section.read("sections", &mut rule.sections, |cursor| cursor.list(LIST, name));
    section.read_some("since", &mut rule.since, Cursor::date);
}

fn code_json(section: &mut Section, rule: &mut CodeJsonRule) {
    let mut weighed = None;
    section.read_some("severity", &mut weighed, severity);
    rule.severity = weighed.unwrap_or(rule.severity);
    let file = section.get("file");
    if let Some(choice) =
        file.as_ref().and_then(|cursor| cursor.choice(&CodeJsonFile::ALL, CodeJsonFile::as_str))
    {
        if choice == CodeJsonFile::Required && rule.severity == Severity::Off {
            file.as_ref().and_then(|cursor| {
                cursor.problem::<()>(
                    "is required by a rule that is off",
                    "write `severity: required` beside it",
                )
            });
        }
        // Who requires the file means that it is required.
        if choice == CodeJsonFile::Required && weighed.is_none() && rule.severity != Severity::Off {
            rule.severity = Severity::Required;
        }
        rule.file = choice;
    }
    section.read("schema", &mut rule.schema, |cursor| {
        cursor.choice(&CodeJsonSchema::ALL, CodeJsonSchema::as_str)
    });
    section.read_some("since", &mut rule.since, Cursor::date);
}

fn spdx_id(cursor: &Cursor) -> Option<String> {
    let text = cursor.text(TEXT)?;
    match spdx::license_id(text) {
        Some(id) if id.is_deprecated() => cursor.problem(
            format!("\"{}\" is a deprecated SPDX id", id.name),
            "write the id that took its place, as GPL-2.0-only for GPL-2.0",
        ),
        Some(id) if id.name == text => Some(text.to_owned()),
        Some(id) => cursor.problem(format!("is {}", quoted(text)), format!("write {}", id.name)),
        None => {
            // "MIT License" is meant for MIT; "MITRE" is not.
            let meant = spdx::imprecise_license_id(text).filter(|(_, length)| *length == text.len());
            let remedy = meant.map_or_else(
                || "write ids of https://spdx.org/licenses/, one an entry".to_owned(),
                |(id, _)| format!("did you mean \"{}\"?", id.name),
            );
            cursor.problem(format!("{} is not an SPDX license id", quoted(text)), remedy)
        }
    }
}

/// Paths of files, from the root of the repository.
pub(super) fn paths(cursor: &Cursor) -> Option<Vec<String>> {
    cursor.list(LIST, |cursor| {
        let accept = |text: &str| {
            text.split('/').all(|part| !matches!(part, "" | "." | ".."))
                && !text.contains(['\\', '*', '?', '[', ':'])
        };
        cursor.text_if(
            TEXT,
            accept,
            "write the path of one file from the root, as docs/LICENSE.md, without patterns",
        )
    })
}

fn repositories(section: &mut Section, repositories: &mut Repositories) {
    section.read("exclude", &mut repositories.exclude, |cursor| {
        let texts = cursor.list(Patterns::MAX, |cursor| {
            let text = cursor.text(Patterns::MAX_BYTES)?;
            if text.contains('/') {
                return cursor.problem(
                    format!("is {}", quoted(text)),
                    "write a pattern of names without the owner, as \"*-sandbox\"",
                );
            }
            match Patterns::compile(text) {
                Ok(_) => Some(text.to_owned()),
                Err(error) => cursor.problem(
                    format!("{} is no pattern: {}", quoted(text), error.kind()),
                    "write a pattern of names, as \"*-sandbox\"",
                ),
            }
        })?;
        match Patterns::new(texts) {
            Ok(patterns) => Some(patterns),
            Err(error) => cursor.problem(
                format!("is too large a set of patterns: {}", error.kind()),
                "write fewer or shorter ones",
            ),
        }
    });
    let include = |cursor: &Cursor| cursor.choice(&Include::ALL, Include::as_str);
    section.read("archived", &mut repositories.archived, include);
    section.read("forks", &mut repositories.forks, include);
    section.read("new_for", &mut repositories.new_for, |cursor| {
        let days = |text: &str| {
            text.strip_suffix('d').and_then(|days| days.parse::<u16>().ok()).filter(|days| *days <= 365)
        };
        let plain = |text: &str| days(text).is_some() && !text.starts_with('+');
        let text = cursor.text_if(TEXT, plain, "write days as 7d, at most 365d")?;
        days(&text).map(u32::from)
    });
}

fn limits(section: &mut Section, limits: &mut Limits) {
    const MANY: u32 = 10_000;
    let first_day = section.get("first_day");
    let per_day = section.get("per_day");
    let first = first_day.as_ref().and_then(|cursor| cursor.number(0..=MANY));
    let daily = per_day.as_ref().and_then(|cursor| cursor.number(0..=MANY));
    limits.per_day = daily.unwrap_or(limits.per_day);
    // Who only slows the days down has not asked for a faster first one.
    limits.first_day = first.unwrap_or(limits.first_day.min(limits.per_day));
    section.read("per_repository_per_week", &mut limits.per_repository_per_week, |c| c.number(0..=MANY));
    section.read("open", &mut limits.open, |c| c.number(0..=MANY));
    section.read("issues_per_day", &mut limits.issues_per_day, |c| c.number(0..=MANY));
    section.read("writes_per_minute", &mut limits.writes_per_minute, |c| c.number(1..=80));
    section.read("writes_per_hour", &mut limits.writes_per_hour, |c| c.number(1..=500));
    let Limits { first_day: first, per_day: daily, open, .. } = *limits;
    if first > daily {
        let message = format!("first_day is {first}, more than the {daily} of per_day");
        section.problem(message, "the first day is the careful one: write at most per_day");
    }
    if daily > open {
        let message = format!("per_day is {daily}, more than the {open} that may be open");
        section.problem(message, "write at most open");
    }
    if limits.writes_per_minute > limits.writes_per_hour {
        section.problem("writes_per_minute is more than writes_per_hour", "write at most writes_per_hour");
    }
}

fn quiet(section: &mut Section, quiet: &mut Quiet) {
    section.read("timezone", &mut quiet.timezone, |cursor| {
        let text = cursor.text(TEXT)?;
        TimeZoneDatabase::bundled().get(text).ok().or_else(|| {
            cursor.problem(
                format!("{} is no time zone", quoted(text)),
                "write an IANA name, as America/New_York",
            )
        })
    });
    section.read("days", &mut quiet.days, |cursor| {
        let days = cursor.list(LIST, |cursor| cursor.choice(&Day::ALL, Day::as_str))?;
        if days.is_empty() {
            return cursor
                .problem("has no day", "write at least one; to create nothing, write mode: observe");
        }
        Some(days.into_iter().collect())
    });
    section.read("hours", &mut quiet.hours, |cursor| {
        let text = cursor.text(TEXT)?;
        text.parse::<Hours>().map_or_else(
            |error| match error {
                HoursError::Malformed => cursor.problem(
                    format!("{} {error}", quoted(text)),
                    "write \"09:00-16:00\", with two digits each; the whole day is \"00:00-24:00\"",
                ),
                HoursError::Empty => cursor.problem(
                    format!("{} {error}", quoted(text)),
                    "write the earlier time first; a window that crosses midnight wants another timezone",
                ),
            },
            Some,
        )
    });
    section.read("federal_holidays", &mut quiet.federal_holidays, Cursor::boolean);
    section.read("freezes", &mut quiet.freezes, |cursor| cursor.list(LIST, freeze));
}

fn freeze(cursor: &Cursor) -> Option<Freeze> {
    let mut section = cursor.section()?;
    let (from, to) = (section.require("from", Cursor::date), section.require("to", Cursor::date));
    section.finish();
    let (from, to) = from.zip(to)?;
    if from > to {
        return cursor.problem("ends before it starts", "write the earlier day as from");
    }
    Some(Freeze { from, to })
}

fn issue(section: &mut Section, issue: &mut Issue) {
    section.read("from", &mut issue.from, |cursor| {
        cursor.choice(&[Severity::Recommended, Severity::Required], Severity::as_str)
    });
    section.read("label", &mut issue.label, |cursor| {
        let accept = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b" ._/:()-".contains(&b));
        cursor.text_if(50, accept, "write letters, digits, spaces and . _ / : ( ) -")
    });
    section.not_yet(&["notify"]);
}

fn pull_request(section: &mut Section, pull_request: &mut PullRequest) {
    section.read("branch_prefix", &mut pull_request.branch_prefix, |cursor| {
        cursor.text_if(50, is_branch_prefix, "write a beginning of branch names that git accepts, as muster/")
    });
    section.not_yet(&["title_style", "sign_off"]);
}

fn inventory(section: &mut Section, inventory: &mut Inventory) {
    section.read_some("repository", &mut inventory.repository, repository);
    section.read("publish", &mut inventory.publish, |cursor| {
        let mut published = cursor.list(LIST, |cursor| cursor.choice(&Published::ALL, Published::as_str))?;
        published.sort_unstable();
        Some(published)
    });
    section.within("measurement", |section| {
        section.read("method", &mut inventory.measurement.method, |cursor| listed(cursor, &METHODS));
    });
    section.read("private", &mut inventory.private, |cursor| cursor.choice(&Private::ALL, Private::as_str));
    section.read_some("access_url", &mut inventory.access_url, |cursor| {
        let address = url(cursor)?;
        if address.contains('#') {
            return cursor.problem("has a fragment", "write the address without #: each entry gets its own");
        }
        Some(address)
    });
    section.read("internal_hosts", &mut inventory.internal_hosts, |cursor| {
        cursor.list(LIST, |cursor| {
            let accept = |text: &str| {
                text.len() > 3 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b))
            };
            cursor.text_if(TEXT, accept, "write the name of a host, as git.agency.example")
        })
    });
    section.read("labor_hours", &mut inventory.labor_hours, |cursor| {
        cursor.choice(&LaborHours::ALL, LaborHours::as_str)
    });
    section.within("defaults", |section| defaults(section, &mut inventory.defaults));
    section.read_some("import", &mut inventory.import, |cursor| {
        let accept = |text: &str| {
            // Plain HTTP is for this machine alone, as everywhere (threats O9).
            let here = ["http://127.0.0.1:", "http://localhost:"].iter().any(|start| text.starts_with(start));
            let path = || !text.contains(':') && text.split('/').all(|part| !matches!(part, "" | "." | ".."));
            text.starts_with("https://") || here || path()
        };
        cursor.text_if(URL, accept, "write an https address, or a path in the control repository")
    });
    section.read("by", &mut inventory.by, |cursor| cursor.choice(&By::ALL, By::as_str));
    if inventory.by == By::Commit && inventory.repository.is_none() {
        section.problem("by is commit, and there is no repository", "write the repository of the inventory");
    }
    if inventory.private == Private::Redact && inventory.access_url.is_none() {
        section.problem(
            "private is redact, and there is no access_url",
            "write the page that says how a Federal employee gets at private code",
        );
    }
}

fn defaults(section: &mut Section, defaults: &mut Defaults) {
    section.read_some("maintenance", &mut defaults.maintenance, |cursor| listed(cursor, MAINTENANCE));
    section.read_some("vcs", &mut defaults.vcs, |cursor| listed(cursor, VCS));
    section.read_some("status", &mut defaults.status, |cursor| listed(cursor, STATUS));
    section.read_some("organization", &mut defaults.organization, name);
    section.read_some("labor_hours", &mut defaults.labor_hours, |cursor| cursor.number(0..=100_000_000));
    section.read_some("contract_number", &mut defaults.contract_number, |cursor| cursor.list(LIST, name));
}

/// One of the words of a published schema.
fn listed(cursor: &Cursor, words: &[&'static str]) -> Option<String> {
    cursor.choice(words, |word| word).map(str::to_owned)
}

/// Whether a kind (`license`, `files`, …) after `text` is a branch name by
/// git's rules (git-check-ref-format).
fn is_branch_prefix(text: &str) -> bool {
    let text = format!("{text}files");
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/-".contains(&b))
        && !text.contains("..")
        && !text.starts_with('-')
        && text.split('/').all(|part| {
            !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !part.ends_with(".lock")
        })
}
