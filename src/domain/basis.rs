//! What a judgement rests on, as far as it can be told again without reading
//! the repository: the sweep compares it and looks only at what differs.
//!
//! Promises: (1) an equal basis means that reading again would give the same
//! judgement, as far as GitHub's lists are true; (2) whatever cannot be told
//! from a list makes no basis, and is looked at in the next sweep.
//!
//! What GitHub's `pushed_at` tells (REST `repository`, GraphQL
//! `Repository.pushedAt`): the time of the last push to any branch or tag, to
//! the second; a merge, a commit in the browser and one through the API are
//! pushes too. What it does not tell: (a) which branch, so a push to any of
//! them costs a look; (b) that another branch became the default one, so the
//! default branch's name is part of the facts; (c) a second push within the
//! same second, and, since it is written a moment after the push, a push just
//! before the read: a push younger than [`SETTLES`] makes no basis. It is taken
//! from the answer that brought the files, never from the list that led to
//! it: whichever is older, the next list differs. `updated_at` is not used: it
//! moves with stars and descriptions, and does not move with every setting.

use std::{fmt::Write as _, time::Duration};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{
    policy::Policy,
    repository::{Inherited, RepositoryName, Visibility},
};

/// A push this young may not be the last one of its second, and the clocks of
/// GitHub and of this machine may differ by as much (etiquette 4.11).
pub const SETTLES: Duration = Duration::from_secs(5 * 60);

/// The version of the judge: another one may judge the same files otherwise.
const JUDGE: &str = env!("CARGO_PKG_VERSION");

/// What a judgement rested on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    /// Digest of [`Facts`].
    pub facts: String,
    /// Digest of [`common`].
    pub common: String,
    /// Digest of [`ours`].
    pub ours: String,
    /// The last push; of a repository that was never pushed to, its making.
    pub pushed_at: Timestamp,
}

/// The facts that GitHub states alike in lists and of one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts<'a> {
    /// Owner and name.
    pub name: &'a RepositoryName,
    /// Who can see it.
    pub visibility: Visibility,
    /// Read-only for all.
    pub archived: bool,
    /// Switched off by GitHub.
    pub disabled: bool,
    /// A copy of another repository on GitHub.
    pub fork: bool,
    /// A copy of a repository elsewhere.
    pub mirror: bool,
    /// A pattern that other repositories are made from.
    pub template: bool,
    /// Whether issues can be opened.
    pub issues_enabled: bool,
    /// The one-line description.
    pub description: Option<&'a str>,
    /// Its page elsewhere.
    pub homepage: Option<&'a str>,
    /// Its topics, in the order of [`topics`].
    pub topics: Vec<&'a str>,
    /// The license as GitHub has it: it is found some time after the push.
    pub license: Option<&'a str>,
    /// The default branch; none while nothing was committed, though lists name
    /// one then too.
    pub branch: Option<&'a str>,
}

/// Topics in one order, whatever list they come from.
#[must_use]
pub fn topics(topics: &[String]) -> Vec<&str> {
    let mut topics: Vec<_> = topics.iter().map(String::as_str).collect();
    topics.sort_unstable();
    topics
}

impl Facts<'_> {
    /// Equal for equal facts.
    #[must_use]
    pub fn digest(&self) -> String {
        digest(&format!("{self:?}"))
    }
}

/// Digest of what all repositories of an organization share: the policy in
/// force, what `.github` hands down (which counts by name), and the judge.
#[must_use]
pub fn common(policy: &Policy, inherited: &Inherited) -> String {
    let mut text = format!("{JUDGE}\n{}\n", policy.digest());
    match inherited {
        Inherited::None => text.push_str("none"),
        Inherited::Unread(_) => text.push_str("unread"),
        Inherited::Files { visibility, files } => {
            text.push_str(visibility.as_str());
            for entry in files.all() {
                let _ = write!(text, "\n{:?} {:?}", entry.kind, entry.path);
            }
        }
    }
    digest(&text)
}

/// Digest of our items in a repository: the id of each and GitHub's stamp on
/// it, `None` where it is gone.
#[must_use]
pub fn ours<'a>(items: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> String {
    let mut lines: Vec<_> = items.into_iter().map(|(id, stamp)| format!("{id} {stamp:?}\n")).collect();
    lines.sort_unstable();
    digest(&lines.concat())
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::repository::{Files, testing::Sample};

    #[test]
    fn every_fact_counts_and_what_is_not_one_does_not() {
        let sample = || Sample::complete("agency/site");
        let of = |sample: Sample| sample.snapshot().repository.facts().digest();
        let same = of(sample());
        for (what, change) in [
            ("archived", (|r| r.archived = true) as fn(&mut crate::domain::repository::Repository)),
            ("disabled", |r| r.disabled = true),
            ("fork", |r| r.fork = true),
            ("mirror", |r| r.mirror = true),
            ("template", |r| r.template = true),
            ("issues", |r| r.issues_enabled = false),
            ("visibility", |r| r.visibility = Visibility::Internal),
            ("name", |r| r.name = "agency/home".parse().unwrap()),
            ("description", |r| r.description = Some("Birds".to_owned())),
            ("homepage", |r| r.homepage = Some("https://birds.example.gov".to_owned())),
            ("topics", |r| r.topics = vec!["birds".to_owned()]),
            ("license", |r| r.github_license = Some("MIT".to_owned())),
            ("default branch", |r| r.head.as_mut().unwrap().branch = "trunk".to_owned()),
            ("first commit", |r| r.head = None),
        ] {
            assert_ne!(of(sample().with(change)), same, "{what}");
        }
        assert_eq!(of(sample().with(|r| r.pushed_at = Some(r.created_at))), same);
        assert_eq!(of(sample().with(|r| r.forks = 7)), same);
        let topics =
            |words: [&'static str; 2]| of(sample().with(|r| r.topics = words.map(str::to_owned).to_vec()));
        assert_eq!(topics(["a", "b"]), topics(["b", "a"]));
    }

    #[test]
    fn what_is_handed_down_counts_by_name() {
        let handed = |files: Files| Inherited::Files { visibility: Visibility::Public, files };
        let of = |inherited: &Inherited| common(&Policy::default(), inherited);
        let one = Sample::public("agency/.github").file("CONTRIBUTING.md", "Write to us.").snapshot().files;
        let other = Sample::public("agency/.github").file("CONTRIBUTING.md", "Call us.").snapshot().files;
        let more = Sample::public("agency/.github").file("SECURITY.md", "Write to us.").snapshot().files;
        assert_eq!(of(&handed(one.clone())), of(&handed(other)));
        assert_ne!(of(&handed(one)), of(&handed(more)));
        assert_ne!(of(&Inherited::None), of(&Inherited::Unread(String::new())));
        let fix = Policy::parse("mode: fix").unwrap();
        assert_ne!(common(&fix, &Inherited::None), of(&Inherited::None));
    }

    #[test]
    fn our_items_count_in_any_order_by_id_and_stamp() {
        let one = ours([("I_1", Some("OPEN 1")), ("PR_2", None)]);
        assert_eq!(one, ours([("PR_2", None), ("I_1", Some("OPEN 1"))]));
        assert_ne!(one, ours([("PR_2", Some("OPEN 1")), ("I_1", Some("OPEN 1"))]));
        assert_ne!(one, ours([("I_1", Some("CLOSED 1")), ("PR_2", None)]));
        assert_ne!(ours([]), one);
    }
}
