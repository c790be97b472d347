//! The files a pull request of ours adds: which finding each answers, where it
//! goes, what it says, and when what it says has changed.

use code_json::record::Field;
use jiff::{Timestamp, tz::TimeZone};

use super::Situation;
use crate::domain::{
    finding::{Gap, Outcome, RuleId},
    inventory::licenses,
    letters as words,
    marker::Kind,
    outgoing::{NewFile, code_span, may_write, plain},
    own_file::{self, questions},
    policy::{CodeJsonFile, Policy},
    repository::Snapshot,
};

/// The version of our texts. Raise it when they change in a way that is worth
/// a commit on every pull request that is open (etiquette 4.3: never for a
/// mere rewording).
const TEXTS: u32 = 1;

/// What a pull request of this kind says beside the facts of its repository:
/// our texts, and what the policy puts into them; of `code.json`, what it sets
/// and asks, and what stands beside its questions in the text `body`. An open
/// one is made anew only if this changes.
pub(super) fn edition(kind: Kind, policy: &Policy, files: &[NewFile], body: Option<&str>) -> String {
    let contact = &policy.agency.contact;
    let own = match kind {
        Kind::License => format!("{:?} {:?}", policy.rules.license.propose, policy.agency.name),
        Kind::CodeJson => {
            let own = files.iter().filter_map(|file| file.own.as_ref());
            let notes = |open: &[Field]| body.map(|body| questions::notes(open, body, policy));
            own.map(|own| own.substance.clone() + &notes(&own.open).unwrap_or_default()).collect()
        }
        Kind::Files | Kind::Tracking | Kind::Digest | Kind::Inventory => String::new(),
    };
    format!("\ntexts {TEXTS} {:?} {:?} {own}", contact.name, contact.email)
}

/// The rule that a file of ours answers; `None` for a path that is none of
/// ours.
pub(super) fn rule_of(path: &str) -> Option<RuleId> {
    match path {
        "LICENSE" => Some(RuleId::License),
        "README.md" => Some(RuleId::Readme),
        "CONTRIBUTING.md" | ".github/CONTRIBUTING.md" | "docs/CONTRIBUTING.md" => Some(RuleId::Contributing),
        own_file::PATH => Some(RuleId::CodeJson),
        _ => None,
    }
}

/// Which pull request could answer a finding; `None`: only a person can.
#[must_use]
pub fn kind_for(rule: RuleId, gap: Gap) -> Option<Kind> {
    match (rule, gap) {
        (RuleId::License, Gap::Missing) => Some(Kind::License),
        (RuleId::Readme, Gap::Missing) | (RuleId::Contributing, Gap::Missing | Gap::OnlyInherited) => {
            Some(Kind::Files)
        }
        (RuleId::CodeJson, Gap::Missing | Gap::Empty | Gap::Malformed | Gap::Fields | Gap::Drift) => {
            Some(Kind::CodeJson)
        }
        (
            RuleId::License | RuleId::Readme | RuleId::Contributing | RuleId::CodeJson,
            Gap::Empty
            | Gap::TooShort
            | Gap::Section
            | Gap::NotAllowed
            | Gap::Malformed
            | Gap::Fields
            | Gap::Drift
            | Gap::OnlyNamed
            | Gap::OnlyInherited,
        ) => None,
    }
}

/// The file that answers a finding, if Muster can write it: over what is there
/// only `code.json`, where the policy requires it, and a license only where the policy names one and the repository
/// shows no sign of another.
pub(super) fn file_for(s: &Situation<'_>, rule: RuleId, now: Timestamp) -> Option<NewFile> {
    let file = match rule {
        RuleId::License => license(s, now)?,
        RuleId::Readme => readme(s),
        RuleId::Contributing => contributing(s),
        RuleId::CodeJson => code_json(s, now)?,
    };
    may_write(&file, &s.snapshot.files).is_ok().then_some(file)
}

fn code_json(s: &Situation<'_>, now: Timestamp) -> Option<NewFile> {
    match s.policy.rules.code_json.file {
        CodeJsonFile::Required => {}
        CodeJsonFile::Optional | CodeJsonFile::Off => return None,
    }
    let licenses = licenses(s.snapshot, &s.report.judgements);
    let (text, own) = own_file::propose(s.policy, s.snapshot, &licenses, s.said, now)?;
    let draft = !own.open.is_empty();
    Some(NewFile { path: own_file::PATH, text, rule: RuleId::CodeJson, draft, own: Some(Box::new(own)) })
}

fn license(s: &Situation<'_>, now: Timestamp) -> Option<NewFile> {
    let id = s.policy.rules.license.propose.as_deref()?;
    let text = spdx::license_id(id)?.text();
    let year = now.to_zoned(TimeZone::UTC).year().to_string();
    let holder = s.policy.agency.name.as_deref();
    let mut filled = text.replace("<year>", &year).replace("[year]", &year);
    // Who holds the copyright is a statement of law: without the agency's own
    // name a person fills it in.
    const HOLDERS: [&str; 6] = [
        "<copyright holders>",
        "<copyright holder>",
        "<owner>",
        "[fullname]",
        "<COPYRIGHT HOLDER>",
        "[owner]",
    ];
    for place in HOLDERS {
        if let Some(holder) = holder {
            filled = filled.replace(place, holder);
        }
    }
    let draft = HOLDERS.iter().any(|place| filled.contains(place));
    let text = format!("{}\n", filled.trim_end());
    Some(NewFile { path: "LICENSE", text, rule: RuleId::License, draft, own: None })
}

fn readme(s: &Situation<'_>) -> NewFile {
    let repository = &s.snapshot.repository;
    let description = repository.description.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let purpose = description.map_or_else(|| words::README_PURPOSE_ASKED.to_owned(), plain);
    let mut text = format!("# {}\n\n{purpose}\n", plain(repository.name.name()));
    text.push_str(&section("Questions and contributions", &questions(s)));
    if let Some(line) = license_line(s) {
        text.push_str(&section("License", &line));
    }
    NewFile { path: "README.md", text, rule: RuleId::Readme, draft: description.is_none(), own: None }
}

fn contributing(s: &Situation<'_>) -> NewFile {
    let repository = &s.snapshot.repository;
    let branch = repository.head.as_ref().map_or("main", |head| head.branch.as_str());
    let mut text =
        format!("# Contributing to {}\n\n{}\n", plain(repository.name.name()), words::CONTRIBUTING_WELCOME);
    text.push_str(&section(
        "Report a problem",
        &format!("{}\n\n{}", questions(s), words::CONTRIBUTING_SECURITY),
    ));
    let steps = [
        words::CONTRIBUTING_STEP_FORK.to_owned(),
        words::CONTRIBUTING_STEP_CHANGE.to_owned(),
        format!("{} `{}`.", words::CONTRIBUTING_STEP_OPEN, branch.replace('`', "")),
    ];
    let steps: Vec<String> = steps.iter().enumerate().map(|(i, step)| format!("{}. {step}", i + 1)).collect();
    text.push_str(&section("Propose a change", &steps.join("\n")));
    if let Some(line) = contribution_license(s) {
        text.push_str(&section("License of contributions", &line));
    }
    NewFile { path: contributing_path(s.snapshot), text, rule: RuleId::Contributing, draft: false, own: None }
}

fn section(title: &str, text: &str) -> String {
    format!("\n## {title}\n\n{text}\n")
}

/// Where people ask: the issues, else the agency's contact, else the team.
fn questions(s: &Situation<'_>) -> String {
    let repository = &s.snapshot.repository;
    if repository.issues_enabled {
        return format!("{} {}/issues.", words::ASK_IN_ISSUES, repository.url);
    }
    match s.policy.agency.contact.email.as_deref() {
        Some(email) => format!("{} {}.", words::ASK_BY_MAIL, code_span(email)),
        None => words::ASK_THE_TEAM.to_owned(),
    }
}

/// The licenses the judge identified, none if a person has to read the file;
/// `None` where there is no license to speak of.
fn identified<'a>(s: &'a Situation<'_>) -> Option<&'a [String]> {
    match s.report.outcome(RuleId::License)? {
        Outcome::Pass(evidence) => {
            let named = evidence.licenses.iter().all(|id| !id.starts_with("LicenseRef-"));
            Some(if named { &evidence.licenses } else { &[] })
        }
        Outcome::Fail(_) | Outcome::Waived { .. } | Outcome::Unknown { .. } => None,
    }
}

fn license_line(s: &Situation<'_>) -> Option<String> {
    Some(match identified(s)? {
        [] => words::LICENSE_LINE_UNKNOWN.to_owned(),
        ids => format!("{} {}.", words::LICENSE_LINE, ids.join(", ")),
    })
}

fn contribution_license(s: &Situation<'_>) -> Option<String> {
    Some(match identified(s)? {
        [id] if id == "CC0-1.0" => words::CONTRIBUTION_CC0.to_owned(),
        [] => words::CONTRIBUTION_UNKNOWN.to_owned(),
        ids => format!("{} {}.", words::CONTRIBUTION_LICENSE, ids.join(", ")),
    })
}

/// Community files stay together: where the repository keeps the others, this
/// one goes too; else the root.
fn contributing_path(snapshot: &Snapshot) -> &'static str {
    const COMMUNITY: [&str; 4] = ["code_of_conduct", "security", "support", "governance"];
    let keeps = |folder: &str| {
        snapshot.files.in_folder(folder).any(|entry| {
            let name = entry.file_name().to_lowercase();
            COMMUNITY
                .iter()
                .any(|file| name == *file || name.strip_prefix(file).is_some_and(|r| r.starts_with('.')))
        })
    };
    if keeps("") {
        "CONTRIBUTING.md"
    } else if keeps(".github") {
        ".github/CONTRIBUTING.md"
    } else if keeps("docs") {
        "docs/CONTRIBUTING.md"
    } else {
        "CONTRIBUTING.md"
    }
}
