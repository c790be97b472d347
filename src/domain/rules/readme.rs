//! Rule `readme`: a README says what the software is.
//!
//! - Why: without one, nobody learns whether the code is of use to them.
//! - Source: M-16-21 §5.2 and Code.gov's guidance on what a README holds.
//! - Looks: `README*` in any case in `.github`, the root and `docs`, GitHub's
//!   order of search, then in `rules.readme.paths`. It is not inherited:
//!   GitHub lends no README.
//! - To do: write one; see [`RULE`].
//!
//! A README in another language alone (`README.fr.md`) is a README: the rule
//! is met, with the advice that GitHub may not show it.

use super::{
    Rule,
    files::{Content, content, search},
    missing, pass,
    text::{count_words, has_section, headings},
    unknown,
};
use crate::domain::{
    finding::{Finding, Gap, Outcome, Place, RuleId},
    policy::ReadmeRule,
    repository::{COMMUNITY_FOLDERS, Entry, Files, Snapshot},
    words,
};

pub(super) const RULE: Rule = Rule {
    id: RuleId::Readme,
    title: "README",
    why: words::README_WHY,
    source: "https://obamawhitehouse.archives.gov/sites/default/files/omb/memoranda/2016/m_16_21.pdf",
    remedy: words::README_REMEDY,
    looks: &[".github/", "/", "docs/"],
};

/// Extensions that GitHub renders, the most usual first; then plain text.
const EXTENSIONS: [&str; 19] = [
    "md",
    "markdown",
    "mdown",
    "mkdn",
    "mkd",
    "rst",
    "adoc",
    "asciidoc",
    "asc",
    "org",
    "textile",
    "rdoc",
    "pod",
    "creole",
    "mediawiki",
    "wiki",
    "",
    "txt",
    "text",
];
/// Rank of a README in a named language, after all others.
const TRANSLATED: u32 = 100;

/// The lower, the better; `None` for what is no README.
fn rank(entry: &Entry) -> Option<u32> {
    let name = entry.file_name().to_lowercase();
    let rest = name.strip_prefix("readme")?;
    let by_extension =
        |extension: &str| (0..).zip(EXTENSIONS).find(|(_, known)| *known == extension).map(|(n, _)| n);
    match rest.split_once('.') {
        None if rest.is_empty() => by_extension(""),
        Some(("", extension)) if by_extension(extension).is_some() => by_extension(extension),
        // README.fr.md, README.zh-CN.md, README_fr.md, README-dev.md
        Some((middle, last)) if middle.is_empty() || middle.starts_with(['-', '_']) => {
            let extension = last.rsplit('.').next().unwrap_or(last);
            Some(TRANSLATED + by_extension(extension).unwrap_or(50))
        }
        None if rest.starts_with(['-', '_']) => Some(TRANSLATED + 50),
        Some(_) | None => None,
    }
}

/// The best README of each folder: the first is the one that counts, the
/// others only if it is empty.
fn candidates<'s>(files: &'s Files, paths: &[String]) -> super::files::Search<'s> {
    search(
        files,
        &COMMUNITY_FOLDERS,
        paths,
        |entry| {
            if paths.contains(&entry.path) { Some(0) } else { rank(entry) }
        },
    )
}

pub(super) fn wanted(files: &Files, paths: &mut Vec<String>) {
    paths.extend(candidates(files, &[]).found.first().map(|entry| entry.path.clone()));
}

pub(super) fn judge(rule: &ReadmeRule, snapshot: &Snapshot) -> Outcome {
    let search = candidates(&snapshot.files, &rule.paths);
    let Some(entry) = search.found.first() else {
        return match search.overlooked {
            Some(why) => unknown(why),
            None => Outcome::Fail(missing(&RULE, words::readme::MISSING, &rule.paths)),
        };
    };
    if let Some(why) = search.collision {
        return unknown(why);
    }
    let path = entry.path.as_str();
    let advice =
        rank(entry).is_some_and(|rank| rank >= TRANSLATED).then(|| words::readme::only_translated(path));
    let shown = words::name(path);
    match content(snapshot, entry) {
        Content::OutOfReach(why) => unknown(why),
        // It is there, and not short; but its headings are out of sight.
        Content::Opaque(why) if rule.sections.is_empty() => pass(path, shown.into_owned(), Some(why)),
        Content::Opaque(why) => unknown(why),
        Content::Empty => {
            let remedy = words::readme::WRITE_MORE.to_owned();
            Outcome::Fail(finding(Gap::Empty, words::readme::empty(path), path, remedy))
        }
        Content::Text(text) => {
            let count = count_words(text);
            if count < rule.min_words as usize {
                let summary = words::readme::too_short(path, count, rule.min_words);
                let remedy = words::readme::WRITE_MORE.to_owned();
                return Outcome::Fail(finding(Gap::TooShort, summary, path, remedy));
            }
            if let Some(finding) = sections(&rule.sections, path, text) {
                return Outcome::Fail(finding);
            }
            pass(path, format!("{shown}, {}", words::words(count)), advice)
        }
    }
}

/// The finding about sections that the policy asks for and the text lacks.
pub(super) fn sections(wanted: &[String], path: &str, text: &str) -> Option<Finding> {
    if wanted.is_empty() {
        return None;
    }
    let headings = headings(text);
    let missing: Vec<&str> =
        wanted.iter().map(String::as_str).filter(|section| !has_section(&headings, section)).collect();
    if missing.is_empty() {
        return None;
    }
    let summary = words::readme::sections(path, &missing);
    Some(finding(Gap::Section, summary, path, words::readme::add_sections(&missing)))
}

/// A finding about a file that is there.
pub(super) fn finding(gap: Gap, summary: String, path: &str, remedy: String) -> Finding {
    let place = Place { path: path.to_owned(), line: None, column: None };
    Finding { gap, summary, looked: vec![path.to_owned()], remedy, place: Some(place) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::repository::EntryKind;

    #[test]
    fn names_are_ranked() {
        let rank =
            |name: &str| rank(&Entry { path: name.to_owned(), kind: EntryKind::File, oid: None, size: None });
        let order = [
            "README.md",
            "readme.markdown",
            "README.rst",
            "ReadMe.adoc",
            "README.org",
            "README",
            "readme.txt",
            "README.fr.md",
        ];
        for pair in order.windows(2) {
            assert!(rank(pair[0]).unwrap() < rank(pair[1]).unwrap(), "{pair:?}");
        }
        for name in ["READMORE.md", "readmeta.json", "docs.md", "READ.me", "XREADME"] {
            assert_eq!(rank(name), None, "{name}");
        }
    }
}
