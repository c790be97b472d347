//! Which repositories of a list must be looked at, and why: a pure function.

use std::fmt;

use crate::{
    domain::outstanding::{Remembered, State},
    github::ListedRepository,
    store::Memory,
};

/// Why a repository must be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Why {
    /// It was never seen.
    New,
    /// The last look left something open: unread, not done, blocked.
    Open,
    /// The policy, what is handed down, or the judge is another.
    Common,
    /// It was pushed to.
    Pushed,
    /// Its name, visibility, or another fact is another.
    Facts,
    /// An item of ours in it changed.
    Ours,
}

impl Why {
    const ALL: [(Why, &'static str); 6] = [
        (Why::New, "new"),
        (Why::Open, "left open"),
        (Why::Common, "policy"),
        (Why::Pushed, "pushed to"),
        (Why::Facts, "facts"),
        (Why::Ours, "our items"),
    ];
}

/// How often each reason was found, for people.
#[derive(Debug, Default)]
pub(super) struct Reasons([u64; Why::ALL.len()]);

impl Reasons {
    pub(super) fn extend(&mut self, reasons: impl IntoIterator<Item = Why>) {
        for why in reasons {
            self.0[why as usize] += 1;
        }
    }
}

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Why::ALL.iter().zip(self.0).filter(|(_, count)| *count > 0);
        let words: Vec<_> = found.map(|((_, word), count)| format!("{word} {count}")).collect();
        f.write_str(if words.is_empty() { "nothing changed" } else { "" })?;
        f.write_str(&words.join(", "))
    }
}

/// Why a listed repository must be looked at, if so. `ours` is the digest of
/// our items as they stand now.
pub(super) fn why(
    found: &ListedRepository,
    memory: Option<&Memory>,
    common: &str,
    rows: &[Remembered],
    ours: impl FnOnce() -> String,
) -> Option<Why> {
    let Some(memory) = memory else { return Some(Why::New) };
    let Some(basis) = &memory.basis else { return Some(Why::Open) };
    if basis.common != common {
        return Some(Why::Common);
    }
    if found.pushed_at.or(found.created_at) != Some(basis.pushed_at) {
        return Some(Why::Pushed);
    }
    if found.facts(memory.empty).digest() != basis.facts {
        return Some(Why::Facts);
    }
    // Begun and never answered: GitHub has to be asked what came of it.
    if rows.iter().any(|row| row.state == State::Creating) {
        return Some(Why::Open);
    }
    (ours() != basis.ours).then_some(Why::Ours)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{
        domain::{
            basis::{self, Basis},
            repository::{InstallationId, RepositoryId, Visibility},
        },
        store::SeenRepository,
    };

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn listed() -> ListedRepository {
        ListedRepository {
            id: RepositoryId(7),
            node_id: "R_7".to_owned(),
            name: "agency/site".parse().unwrap(),
            visibility: Visibility::Public,
            archived: false,
            disabled: false,
            fork: false,
            mirror: false,
            template: false,
            issues_enabled: true,
            description: None,
            homepage: None,
            topics: Vec::new(),
            license: None,
            created_at: Some(at("2020-01-01T00:00:00Z")),
            pushed_at: Some(at("2026-01-01T00:00:00Z")),
            default_branch: "main".to_owned(),
            forks: 0,
        }
    }

    fn memory() -> Memory {
        let found = listed();
        let seen = SeenRepository {
            id: found.id,
            node_id: found.node_id.clone(),
            installation: InstallationId(1),
            name: found.name.clone(),
            visibility: found.visibility,
            archived: found.archived,
        };
        let basis = Basis {
            facts: found.facts(false).digest(),
            common: "common".to_owned(),
            ours: basis::ours([]),
            pushed_at: at("2026-01-01T00:00:00Z"),
        };
        Memory {
            seen,
            empty: false,
            basis: Some(basis),
            arrived_at: None,
            evaluations: None,
            unknown_since: None,
            unreadable: false,
        }
    }

    fn of(found: &ListedRepository, memory: Option<&Memory>) -> Option<Why> {
        why(found, memory, "common", &[], || basis::ours([]))
    }

    #[test]
    fn what_is_as_it_was_is_passed_over_and_nothing_else() {
        assert_eq!(of(&listed(), Some(&memory())), None);
        assert_eq!(of(&listed(), None), Some(Why::New));
        let open = Memory { basis: None, ..memory() };
        assert_eq!(of(&listed(), Some(&open)), Some(Why::Open));
        let pushed = ListedRepository { pushed_at: Some(at("2026-01-01T00:00:01Z")), ..listed() };
        assert_eq!(of(&pushed, Some(&memory())), Some(Why::Pushed));
        // A replica that lags shows an older push than was judged.
        let older = ListedRepository { pushed_at: Some(at("2025-01-01T00:00:01Z")), ..listed() };
        assert_eq!(of(&older, Some(&memory())), Some(Why::Pushed));
        let branch = ListedRepository { default_branch: "trunk".to_owned(), ..listed() };
        assert_eq!(of(&branch, Some(&memory())), Some(Why::Facts));
        let policy = why(&listed(), Some(&memory()), "other", &[], || basis::ours([]));
        assert_eq!(policy, Some(Why::Common));
        let item = why(&listed(), Some(&memory()), "common", &[], || basis::ours([("I_1", Some("OPEN"))]));
        assert_eq!(item, Some(Why::Ours));
    }

    #[test]
    fn an_empty_repository_has_a_default_branch_in_lists_only() {
        let mut empty = Memory { empty: true, ..memory() };
        let found = ListedRepository { pushed_at: None, ..listed() };
        if let Some(basis) = &mut empty.basis {
            basis.facts = found.facts(true).digest();
            basis.pushed_at = at("2020-01-01T00:00:00Z");
        }
        assert_eq!(of(&found, Some(&empty)), None);
        assert_eq!(of(&listed(), Some(&empty)), Some(Why::Pushed), "its first commit");
    }

    #[test]
    fn reasons_are_counted() {
        let mut reasons = Reasons::default();
        assert_eq!(reasons.to_string(), "nothing changed");
        reasons.extend([Why::Pushed, Why::New, Why::Pushed]);
        assert_eq!(reasons.to_string(), "new 1, pushed to 2");
        for (at, (why, _)) in Why::ALL.iter().enumerate() {
            assert_eq!(*why as usize, at);
        }
    }
}
