//! Rule `contributing`: a contribution file says how to take part.
//!
//! - Why: people who find a flaw or want to help need to know the way.
//! - Source: Code.gov's guidance for open source projects, which agencies'
//!   policies repeat.
//! - Looks: `CONTRIBUTING*` in any case in `.github`, the root and `docs`, then
//!   in `rules.contributing.paths`, then in the same folders of the
//!   organization's `.github` repository: GitHub lends that file to repositories
//!   that have none (GitHub documentation, "Creating a default community health
//!   file"), from a public repository, or from an internal one within the
//!   enterprise, never from a private one.
//! - To do: write one; see [`RULE`].

use super::{
    Rule,
    files::{Content, Search, content, content_of, search},
    missing, pass,
    readme::{finding, sections},
    unknown,
};
use crate::domain::{
    finding::{Finding, Gap, Outcome, RuleId},
    policy::ContributingRule,
    repository::{COMMUNITY_FOLDERS, Entry, Files, Inherited, Snapshot, Visibility},
    words,
};

pub(super) const RULE: Rule = Rule {
    id: RuleId::Contributing,
    title: "Contribution file",
    why: words::CONTRIBUTING_WHY,
    source: "https://docs.github.com/en/communities/setting-up-your-project-for-healthy-contributions/setting-guidelines-for-repository-contributors",
    remedy: words::CONTRIBUTING_REMEDY,
    looks: &[".github/", "/", "docs/"],
};

fn rank(entry: &Entry) -> Option<u32> {
    let name = entry.file_name().to_lowercase();
    let rest = name.strip_prefix("contributing")?;
    match rest {
        ".md" => Some(0),
        "" => Some(2),
        _ if rest.starts_with('.') => Some(1),
        _ => None,
    }
}

fn candidates<'s>(files: &'s Files, paths: &[String]) -> Search<'s> {
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

pub(super) fn judge(rule: &ContributingRule, snapshot: &Snapshot) -> Outcome {
    let search = candidates(&snapshot.files, &rule.paths);
    if let Some(why) = search.collision {
        return unknown(why);
    }
    let Some(entry) = search.found.first() else {
        return match search.overlooked {
            Some(why) => unknown(why),
            None => inherited(rule, snapshot),
        };
    };
    let path = entry.path.as_str();
    let shown = words::name(path).into_owned();
    match content(snapshot, entry) {
        Content::OutOfReach(why) => unknown(why),
        Content::Opaque(why) if rule.sections.is_empty() => pass(path, shown, Some(why)),
        Content::Opaque(why) => unknown(why),
        Content::Empty => {
            let remedy = RULE.remedy.to_owned();
            Outcome::Fail(finding(Gap::Empty, words::contributing::empty(path), path, remedy))
        }
        Content::Text(text) => match sections(&rule.sections, path, text) {
            Some(finding) => Outcome::Fail(finding),
            None => pass(path, shown, None),
        },
    }
}

/// What the organization's `.github` repository has to say where the
/// repository itself has no contribution file.
fn inherited(rule: &ContributingRule, snapshot: &Snapshot) -> Outcome {
    let none = |summary| Outcome::Fail(absent(rule, summary));
    // The `.github` repository cannot inherit from itself.
    if snapshot.repository.name.is_organization_home() {
        return none(words::contributing::MISSING);
    }
    let (visibility, files) = match &snapshot.inherited {
        Inherited::None => return none(words::contributing::MISSING),
        // Where the default does not count, it need not be known.
        Inherited::Unread(_) if rule.require_local => return none(words::contributing::MISSING),
        Inherited::Unread(why) => return unknown(words::file::defaults_unread(why)),
        Inherited::Files { visibility, files } => (*visibility, files),
    };
    let lent = candidates(files, &[]);
    let Some(entry) = lent.found.first() else {
        return match lent.overlooked {
            Some(why) if !rule.require_local => unknown(why),
            Some(_) | None => none(words::contributing::MISSING),
        };
    };
    let advice = match (visibility, snapshot.repository.visibility) {
        (Visibility::Private, _) => return none(words::contributing::MISSING_DEFAULTS_PRIVATE),
        (Visibility::Public, _) => None,
        (Visibility::Internal, Visibility::Public) => Some(words::contributing::OUTSIDERS.to_owned()),
        (Visibility::Internal, Visibility::Internal | Visibility::Private) => None,
    };
    if matches!(content_of(files, entry), Content::Empty) {
        return none(words::contributing::MISSING);
    }
    if rule.require_local {
        let finding = absent(rule, words::contributing::ONLY_INHERITED);
        return Outcome::Fail(Finding { gap: Gap::OnlyInherited, ..finding });
    }
    let home = format!("{}/.github", snapshot.repository.name.owner());
    let path = format!("{home}:{}", entry.path);
    pass(&path, format!("{} of {home}", words::name(&entry.path)), advice)
}

fn absent(rule: &ContributingRule, summary: &str) -> Finding {
    let mut finding = missing(&RULE, summary, &rule.paths);
    finding.looked.push("the organization's .github repository".to_owned());
    finding
}
