//! The check run on a pull request: what it says of the files of ours that the
//! pull request changes.
//!
//! Promises: (1) a pull request that changes nothing of ours gets no check run;
//! (2) a check run is made whole: it says how it ends, whatever came of
//! reading; (3) what somebody without the right to write proposes is judged by
//! its form alone: nothing the agency wrote decides what they are told (threats
//! §0.2); (4) every text is of this repository, and what is quoted in it can do
//! nothing (threats N1, I1).

mod judging;

use code_json::check::Severity;
use jiff::civil::Date;

use judging::Judging;

use super::{
    finding::Severity as Weight,
    observed::Actor,
    outgoing::{Line, PublicText},
    policy::{CodeJsonFile, Mode, Policy, Wish},
    repository::{EntryKind, FileText, ObjectId, Repository},
    rules,
    words::check as say,
};

/// The name of the check run: a ruleset that asks for it names it, beside the
/// App.
pub const NAME: &str = "open source checklist";

/// A pull request as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Where it is meant for.
    pub repository: Repository,
    /// Its number there.
    pub number: u64,
    /// Neither merged nor closed, and meant for the default branch.
    pub current: bool,
    /// Its last commit now.
    pub head: ObjectId,
    /// From another repository.
    pub from_fork: bool,
    /// Who opened it.
    pub author: Option<Actor>,
    /// Whether GitHub named all files that it changes.
    pub told_all: bool,
    /// Those of ours that it changes.
    pub changed: Vec<Changed>,
    /// The repository's own file on the default branch, as long as it counts.
    pub own: Option<FileText>,
}

/// A file of ours that a pull request changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// Which.
    pub file: Watched,
    /// What it is then.
    pub becomes: Becomes,
}

/// A file that is looked at in pull requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Watched {
    /// The repository's inventory file.
    Record,
    /// The policy in the organization's `.github`, elsewhere the repository's own
    /// file.
    Settings,
}

impl Watched {
    /// Both of them.
    pub const ALL: [Watched; 2] = [Watched::Record, Watched::Settings];

    /// Its path.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Watched::Record => "code.json",
            Watched::Settings => ".github/muster.yml",
        }
    }
}

/// What a path is at the head of a pull request.
#[derive(Debug, Clone, PartialEq)]
pub enum Becomes {
    /// Nothing: the pull request removes it.
    Nothing,
    /// A file.
    File(FileText),
    /// Something that is no file.
    Other(EntryKind),
}

/// How closely a pull request is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// By the form of its files: JSON, YAML, the known keys.
    Form,
    /// Also by what the agency's policy says.
    Whole,
}

impl Depth {
    /// How closely it is judged for someone who may write here, or may not.
    #[must_use]
    pub fn of(proposal: &Proposal, author_writes: bool) -> Depth {
        if author_writes && !proposal.from_fork { Depth::Whole } else { Depth::Form }
    }
}

/// How a check run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// Nothing was found.
    Success,
    /// It holds nothing up.
    Neutral,
    /// Something is wrong, and the policy wants that to show.
    Failure,
}

impl Conclusion {
    /// GitHub's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Conclusion::Success => "success",
            Conclusion::Neutral => "neutral",
            Conclusion::Failure => "failure",
        }
    }
}

/// A remark at a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The file.
    pub file: Watched,
    /// From 1.
    pub line: u32,
    /// How much it matters.
    pub severity: Severity,
    /// What it is about, in words of our own.
    pub title: &'static str,
    /// What is wrong, and what to write.
    pub message: PublicText,
}

/// What a check run says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How it ends.
    pub conclusion: Conclusion,
    /// Its headline.
    pub title: Line,
    /// Markdown.
    pub summary: PublicText,
    /// In the order of the files.
    pub annotations: Vec<Annotation>,
}

/// The files of a pull request that are to be checked under the organization's
/// policy. The policy's own file is checked in every mode (etiquette 4.1).
#[must_use]
pub fn to_check<'p>(proposal: &'p Proposal, policy: &Policy, today: Date) -> Vec<&'p Changed> {
    let repository = &proposal.repository;
    if !proposal.current || repository.archived || repository.disabled {
        return Vec::new();
    }
    let policy = with_own(policy, proposal);
    let in_scope = policy.mode >= Mode::Check && rules::skip(&policy, repository).is_none();
    let wanted = |changed: &&Changed| match changed.file {
        Watched::Settings if is_policy(repository) => true,
        // Without it, the policy holds as it is.
        Watched::Settings => in_scope && changed.becomes != Becomes::Nothing,
        Watched::Record => {
            let rule = &policy.rules.code_json;
            let declined =
                rule.decline.as_ref().is_some_and(|leave| leave.until.is_none_or(|day| today <= day));
            let asked_for = match rule.file {
                CodeJsonFile::Off => false,
                CodeJsonFile::Optional => changed.becomes != Becomes::Nothing,
                CodeJsonFile::Required => true,
            };
            in_scope && asked_for && rule.severity != Weight::Off && !declined
        }
    };
    proposal.changed.iter().filter(wanted).collect()
}

fn is_policy(repository: &Repository) -> bool {
    repository.name.is_organization_home()
}

/// The policy as the repository's own file tightens it.
fn with_own(policy: &Policy, proposal: &Proposal) -> Policy {
    let own = proposal.own.as_ref().filter(|_| !is_policy(&proposal.repository));
    let wish = own.and_then(FileText::text).and_then(|text| Wish::parse(text).ok());
    wish.and_then(|wish| policy.for_repository(&wish).ok()).unwrap_or_else(|| policy.clone())
}

/// What the check run says of these files.
#[must_use]
pub fn judge(proposal: &Proposal, files: &[&Changed], policy: &Policy, depth: Depth, today: Date) -> Verdict {
    let mut judging = Judging::of(proposal, depth);
    for changed in files {
        judging.file(changed, policy, today);
    }
    judging.verdict(policy.check.conclusion)
}

/// What the check run says if the files could not be judged.
#[must_use]
pub fn could_not(proposal: &Proposal) -> Verdict {
    Verdict {
        conclusion: Conclusion::Neutral,
        title: Line::of(say::COULD_NOT),
        summary: PublicText::about(proposal.repository.visibility).say(say::COULD_NOT_WHY),
        annotations: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
