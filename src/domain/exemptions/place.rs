//! Who sees the file of a register, and what it may therefore not say
//! (threats N1, N4).

use std::collections::BTreeSet;

use crate::domain::{
    repository::{RepositoryName, Visibility},
    yaml::{
        problem::{At, Problem},
        section::MAX_PROBLEMS,
    },
};

/// Where a register stands, and which names must not be read there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    visibility: Visibility,
    /// `owner/name` of repositories that fewer people see, in lower case.
    full: BTreeSet<String>,
    /// Their names alone, where they are no word and nobody else's.
    bare: BTreeSet<String>,
}

impl Place {
    /// Where only those see the file who may see everything it is about.
    #[must_use]
    pub fn private() -> Place {
        Place { visibility: Visibility::Private, full: BTreeSet::new(), bare: BTreeSet::new() }
    }

    /// A repository that these people see, beside these repositories.
    #[must_use]
    pub fn among<'r>(
        visibility: Visibility,
        repositories: impl IntoIterator<Item = (&'r RepositoryName, Visibility)>,
    ) -> Place {
        let (mut full, mut bare, mut open) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (name, theirs) in repositories {
            let alone = name.name().to_lowercase();
            if theirs >= visibility {
                open.insert(alone);
                continue;
            }
            full.insert(format!("{}/{alone}", name.owner().as_str().to_lowercase()));
            // A short name, or a word, is in many a sentence (threats N4).
            let told = |c: char| c.is_ascii_digit() || "-_.".contains(c);
            if alone.len() >= 8 && alone.contains(told) {
                bare.insert(alone);
            }
        }
        let bare = bare.difference(&open).cloned().collect();
        Place { visibility, full, bare }
    }

    /// Whether the key `name` may stand beside an id.
    pub(super) fn may_name(&self) -> bool {
        self.visibility == Visibility::Private
    }

    /// The lines of the file that name a hidden repository, comments included.
    pub(super) fn named_in(&self, text: &str) -> Vec<Problem> {
        if self.full.is_empty() {
            return Vec::new();
        }
        let lines = text.lines().zip(1_u32..).filter(|(line, _)| self.is_named_in(line));
        let problem = |(_, line)| {
            At { line, column: 1 }.problem(
                "",
                "names a repository that fewer people may see than this file",
                "write its id alone",
            )
        };
        lines.map(problem).take(MAX_PROBLEMS).collect()
    }

    fn is_named_in(&self, line: &str) -> bool {
        let line = line.to_lowercase();
        let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || "-_./".contains(c)));
        words.into_iter().any(|word| {
            let parts: Vec<&str> = word.split('/').map(|part| part.trim_end_matches('.')).collect();
            let plain = |part: &str| part.strip_suffix(".git").unwrap_or(part).to_owned();
            let pairs = parts.windows(2).map(|pair| format!("{}/{}", pair[0], plain(pair[1])));
            pairs.into_iter().any(|pair| self.full.contains(&pair))
                || parts.iter().any(|part| self.bare.contains(*part) || self.bare.contains(&plain(part)))
        })
    }
}
