//! Rule `license`: what is released carries a license.
//!
//! - Why: without one, nobody knows whether they may use the code.
//! - Source: M-16-21 §7.5 (licensing), which agencies' policies repeat.
//! - Looks: files named as licenses (`LICENSE*`, `COPYING*`, `UNLICENSE*`, in any
//!   case) in the root, `.github` and `docs`, REUSE's `LICENSES`, and
//!   `rules.license.paths`; only where none is there, `NOTICE`, `INTENT`, `TERMS`
//!   and the like. A license is never inherited.
//! - To do: add the text; see [`RULE`].
//!
//! What is there and not identified is met, with advice. A policy with a list
//! (`rules.license.allow`) is breached only if no license found is on it: which
//! of several covers which part is for people to say. Statements of the
//! Government are no choice of license and always pass.

use super::{
    Rule,
    files::{Content, Search, content, search},
    missing,
    readme::finding,
    text::{has_section, headings},
    unknown,
};
use crate::domain::{
    finding::{Evidence, Finding, Gap, Outcome, Place, RuleId},
    license::{Identification, LicensePath, Match, Unmatched, identify, is_license_path},
    policy::LicenseRule,
    repository::{COMMUNITY_FOLDERS, Entry, EntryKind, Files, Snapshot},
    words::{self, license as say},
};

pub(super) const RULE: Rule = Rule {
    id: RuleId::License,
    title: "License",
    why: words::LICENSE_WHY,
    source: "https://obamawhitehouse.archives.gov/sites/default/files/omb/memoranda/2016/m_16_21.pdf",
    remedy: words::LICENSE_REMEDY,
    looks: &["/", ".github/", "docs/", "LICENSES/"],
};

const FOLDERS: [&str; 4] = ["", ".github", "docs", "LICENSES"];

/// The most license files that are read of one repository.
const MOST: usize = 16;

/// Manifests that name a license, in the order of asking.
const MANIFESTS: [&str; 3] = ["package.json", "Cargo.toml", "pyproject.toml"];

fn candidates<'s>(files: &'s Files, paths: &[String]) -> Search<'s> {
    let search = search(files, &FOLDERS, paths, |entry| match is_license_path(&entry.path) {
        // The shortest name first: LICENSE before LICENSE-3rdparty.txt.
        Some(LicensePath::License) => u32::try_from(entry.path.len()).ok(),
        Some(LicensePath::Reuse { id }) => spdx::license_id(&id).map(|_| 1000),
        Some(LicensePath::Companion) | None => paths.contains(&entry.path).then_some(0),
    });
    if !search.found.is_empty() {
        return search;
    }
    super::files::search(files, &FOLDERS, paths, |entry| match is_license_path(&entry.path) {
        Some(LicensePath::Companion) => Some(0),
        Some(LicensePath::License | LicensePath::Reuse { .. }) | None => None,
    })
}

/// Whether this file holds nothing but more words about a license.
fn is_companion(entry: &Entry) -> bool {
    matches!(is_license_path(&entry.path), Some(LicensePath::Companion))
}

/// The SPDX id in the name of a file below `LICENSES`.
fn reuse_id(entry: &Entry) -> Option<&'static str> {
    match is_license_path(&entry.path) {
        Some(LicensePath::Reuse { id }) => spdx::license_id(&id).map(|license| license.name),
        Some(LicensePath::License | LicensePath::Companion) | None => None,
    }
}

pub(super) fn wanted(files: &Files, paths: &mut Vec<String>) {
    let search = candidates(files, &[]);
    let texts = search.found.iter().filter(|entry| reuse_id(entry).is_none());
    paths.extend(texts.take(MOST).map(|entry| entry.path.clone()));
    if search.found.iter().all(|entry| is_companion(entry)) {
        paths.extend(MANIFESTS.iter().filter_map(|name| Some(files.entry(name)?.path.clone())));
    }
}

/// What was made of the license files, one by one.
#[derive(Default)]
struct Seen<'s> {
    /// Files with licenses, and which.
    named: Vec<(&'s str, Vec<String>)>,
    /// Files that hold text, but no license we know.
    unidentified: Option<&'s str>,
    empty: Option<&'s str>,
    out_of_reach: Option<String>,
    advice: Vec<String>,
}

pub(super) fn judge(rule: &LicenseRule, snapshot: &Snapshot) -> Outcome {
    let search = candidates(&snapshot.files, &rule.paths);
    if let Some(why) = search.collision {
        return unknown(why);
    }
    let mut seen = Seen::default();
    for entry in &search.found {
        seen.look_at(entry, &search.found, snapshot);
    }
    if !seen.named.is_empty() {
        return seen.identified(rule);
    }
    if let Some(why) = seen.out_of_reach.or(search.overlooked) {
        return unknown(why);
    }
    if let Some(path) = seen.unidentified {
        let summary = format!("{}, not identified", words::name(path));
        return met(path, summary, Vec::new(), seen.advice);
    }
    if let Some(path) = seen.empty {
        return Outcome::Fail(finding(Gap::Empty, say::empty(path), path, RULE.remedy.to_owned()));
    }
    Outcome::Fail(absent(rule, snapshot))
}

impl<'s> Seen<'s> {
    fn look_at(&mut self, entry: &'s Entry, all: &[&Entry], snapshot: &'s Snapshot) {
        let path = entry.path.as_str();
        if let (Some(id), EntryKind::File) = (reuse_id(entry), entry.kind) {
            match entry.size {
                Some(0) => self.empty = self.empty.or(Some(path)),
                Some(_) | None => self.named.push((path, vec![id.to_owned()])),
            }
            return;
        }
        let companion = is_companion(entry);
        let text = match content(snapshot, entry) {
            Content::Text(text) => text,
            _ if companion => return,
            Content::Empty => {
                self.empty = self.empty.or(Some(path));
                return;
            }
            Content::Opaque(why) => {
                self.not_identified(path, why);
                return;
            }
            Content::OutOfReach(why) => {
                self.advice.push(why.clone());
                self.out_of_reach.get_or_insert(why);
                return;
            }
        };
        match identify(text) {
            Identification::Identified { licenses } => self.named.push((path, ids(&licenses))),
            Identification::WithOtherText { licenses, other } => {
                self.named.push((path, ids(&licenses)));
                if let Some(lines) = other.first() {
                    self.advice.push(say::other_text(path, &lines.to_string()));
                }
            }
            Identification::PointsTo { files, licenses } => {
                let found =
                    |file: &String| all.iter().any(|entry| entry.file_name().eq_ignore_ascii_case(file));
                if files.iter().any(found) {
                    return;
                }
                let why = say::points_nowhere(path, &files);
                if licenses.is_empty() {
                    self.not_identified(path, why);
                } else {
                    self.named.push((path, ids(&licenses)));
                    self.advice.push(why);
                }
            }
            Identification::Unidentified { why: _ } if companion => {}
            Identification::Unidentified { why } => self.not_identified(path, unmatched(path, &why)),
            Identification::Absent if companion => {}
            Identification::Absent => self.empty = self.empty.or(Some(path)),
        }
    }

    fn not_identified(&mut self, path: &'s str, why: String) {
        self.unidentified = self.unidentified.or(Some(path));
        self.advice.push(why);
    }

    /// At least one license was found.
    fn identified(self, rule: &LicenseRule) -> Outcome {
        let mut ids: Vec<&str> = Vec::new();
        for id in self.named.iter().flat_map(|(_, ids)| ids) {
            if !ids.contains(&id.as_str()) {
                ids.push(id);
            }
        }
        let (path, _) = self.named[0];
        let refused: Vec<&str> = ids.iter().copied().filter(|id| !allows(rule, id)).collect();
        if refused.len() == ids.len() {
            let allowed: Vec<&str> = rule.allow.iter().map(String::as_str).collect();
            let summary = say::not_allowed(&refused);
            return Outcome::Fail(finding(Gap::NotAllowed, summary, path, say::choose(&allowed)));
        }
        let mut advice = self.advice;
        if !refused.is_empty() {
            advice.insert(0, say::partly_allowed(&refused));
        }
        let files = words::names(self.named.iter().map(|(path, _)| *path));
        let summary = format!("{files}, {}", words::names(ids.iter().copied()));
        met(path, summary, ids.into_iter().map(str::to_owned).collect(), advice)
    }
}

fn met(path: &str, summary: String, licenses: Vec<String>, mut advice: Vec<String>) -> Outcome {
    // licensee, which GitHub uses, reads the root only.
    if path.contains('/') {
        advice.push(say::NOT_SHOWN.to_owned());
    }
    // Three sentences are read; a list is not.
    advice.truncate(3);
    let advice = (!advice.is_empty()).then(|| advice.join(" "));
    Outcome::Pass(Evidence { summary, path: Some(path.to_owned()), licenses, advice })
}

fn ids(licenses: &[Match]) -> Vec<String> {
    licenses.iter().map(|license| license.id.as_str().to_owned()).collect()
}

fn unmatched(path: &str, why: &Unmatched) -> String {
    match why {
        Unmatched::TooLong { .. } => say::too_long(path),
        Unmatched::Unknown => say::unidentified(path),
        Unmatched::Like(nearest) => {
            // Rounded down: a changed text is never 100 % alike.
            let percent = (nearest.score * 100.0).floor().clamp(0.0, 99.0) as u32;
            let lines = nearest.differs.first().map(ToString::to_string);
            say::nearest(path, nearest.id.as_str(), percent, lines.as_deref())
        }
    }
}

/// Whether the policy's list takes this id or expression.
fn allows(rule: &LicenseRule, id: &str) -> bool {
    let listed = |id: &str| rule.allow.iter().any(|allowed| allowed.eq_ignore_ascii_case(id));
    if rule.allow.is_empty() || id.starts_with("LicenseRef-") || listed(id) {
        return true;
    }
    spdx::Expression::parse(id).is_ok_and(|expression| expression.evaluate(|part| listed(&part.to_string())))
}

fn absent(rule: &LicenseRule, snapshot: &Snapshot) -> Finding {
    let finding = missing(&RULE, say::MISSING, &rule.paths);
    let Some(Signal { path, id }) = signal(snapshot) else { return finding };
    let known = id.as_deref().filter(|id| spdx::license_id(id).is_some());
    let summary = match (&path, &id) {
        (Some(path), id) => say::elsewhere_only(path, id.as_deref()),
        (None, Some(id)) => say::github_only(id),
        (None, None) => finding.summary,
    };
    let remedy = known.map_or(finding.remedy, say::add_text);
    Finding {
        gap: Gap::OnlyNamed,
        summary,
        remedy,
        place: path.map(|path| Place { path, line: None, column: None }),
        ..finding
    }
}

/// A sign of a license where there is no license file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// The file that names it; `None` if GitHub alone does.
    pub path: Option<String>,
    /// An SPDX id or expression as written there: untrusted text. `None` for a
    /// section without one.
    pub id: Option<String>,
}

/// The licenses whose text was identified, whatever a policy asks for.
#[must_use]
pub fn licenses(snapshot: &Snapshot) -> Vec<String> {
    match judge(&LicenseRule::default(), snapshot) {
        Outcome::Pass(evidence) => evidence.licenses,
        Outcome::Fail(_) | Outcome::Waived { .. } | Outcome::Unknown { .. } => Vec::new(),
    }
}

/// The first sign of a license besides license files: a manifest, a section or
/// an SPDX line of the README, or GitHub's own detection. A license is proposed
/// only where there is none (etiquette 4.3).
#[must_use]
pub fn signal(snapshot: &Snapshot) -> Option<Signal> {
    let text = |path: &str| snapshot.files.texts.get(path)?.text();
    for name in MANIFESTS {
        if let Some(id) = text(name).and_then(|text| manifest_license(name, text)) {
            return Some(Signal { path: Some(name.to_owned()), id: Some(id) });
        }
    }
    for (path, text) in snapshot.files.texts.iter().filter_map(|(path, text)| Some((path, text.text()?))) {
        let file = path.rsplit('/').next().unwrap_or(path);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !COMMUNITY_FOLDERS.contains(&folder) || !file.to_ascii_lowercase().starts_with("readme") {
            continue;
        }
        let tag = text.lines().find_map(|line| line.split_once("SPDX-License-Identifier:"));
        let id = tag.map(|(_, id)| id.trim().trim_end_matches(['`', '*', '-', '>']).trim().to_owned());
        if id.is_some() || has_section(&headings(text), "License") {
            return Some(Signal { path: Some(path.clone()), id });
        }
    }
    let id = snapshot.repository.github_license.clone().filter(|id| id != "NOASSERTION")?;
    Some(Signal { path: None, id: Some(id) })
}

/// The license a manifest names. npm's `UNLICENSED` says that there is none.
fn manifest_license(name: &str, text: &str) -> Option<String> {
    let license = match name {
        "package.json" => {
            let manifest: serde_json::Value = serde_json::from_str(text).ok()?;
            let license = manifest.get("license")?;
            license.as_str().or_else(|| license.get("type")?.as_str())?.to_owned()
        }
        name => {
            let manifest: toml::Table = text.parse().ok()?;
            let at = |path: &[&str]| {
                let (first, rest) = path.split_first()?;
                rest.iter().try_fold(manifest.get(*first)?, |value, key| value.get(key))
            };
            let license = match name {
                "Cargo.toml" => at(&["package", "license"])
                    .filter(|license| license.is_str())
                    .or_else(|| at(&["workspace", "package", "license"]))?,
                _ => at(&["project", "license"]).or_else(|| at(&["tool", "poetry", "license"]))?,
            };
            license.as_str().or_else(|| license.get("text")?.as_str())?.to_owned()
        }
    };
    let license = license.trim();
    (!license.is_empty() && license != "UNLICENSED").then(|| license.to_owned())
}
