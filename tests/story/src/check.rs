//! What the organization looks like, and what it must look like at the end.

use std::collections::BTreeMap;

use github_sandbox::Sandbox;

use crate::cast::AGENCY;

/// An issue or a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// `issue` or `pull request`.
    pub kind: &'static str,
    /// Its number within the repository.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// `open`, `draft`, `merged`, `closed`, `closed: completed`.
    pub state: String,
    /// Its opening text.
    pub body: String,
    /// Whether Muster opened it.
    pub ours: bool,
}

impl Item {
    /// Whether it is still open.
    pub fn is_open(&self) -> bool {
        matches!(self.state.as_str(), "open" | "draft")
    }
}

/// A repository as its pages show it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Its issues and pull requests by number.
    pub items: Vec<Item>,
    /// Its branches, each with its head, sorted.
    pub branches: BTreeMap<String, String>,
    /// The names of its labels.
    pub labels: Vec<String>,
}

/// Everything of the organization, by the repository's name without owner.
pub type World = BTreeMap<String, Seen>;

/// Looks at everything.
pub fn look(github: &Sandbox) -> World {
    let owner = github.state(|state| state.account_named(AGENCY).map(|account| account.id));
    let names: Vec<String> = github.state(|state| {
        state.repositories().filter(|home| Some(home.owner) == owner).map(|home| home.name.clone()).collect()
    });
    names.into_iter().map(|name| (name.clone(), look_at(github, &format!("{AGENCY}/{name}")))).collect()
}

fn look_at(github: &Sandbox, full_name: &str) -> Seen {
    let (bot, _) = github.bot();
    let issues = github.issues(full_name).0.into_iter().map(|issue| Item {
        kind: "issue",
        number: issue.number,
        title: issue.title,
        state: issue.state,
        body: issue.body,
        ours: issue.author == bot,
    });
    let pulls = github.pull_requests(full_name).0.into_iter().map(|pull| Item {
        kind: "pull request",
        number: pull.number,
        title: pull.title,
        state: pull.state,
        body: pull.body,
        ours: pull.author == bot,
    });
    let mut items: Vec<Item> = issues.chain(pulls).collect();
    items.sort_by_key(|item| item.number);
    let heads = |name: String| {
        let head = github.head(full_name, &name).map(|oid| oid.to_string()).unwrap_or_default();
        (name, head)
    };
    let branches = github.branches(full_name).into_iter().map(heads).collect();
    Seen { items, branches, labels: github.labels(full_name) }
}

/// What one repository must look like at the end.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// Its name without owner.
    pub repository: &'static str,
    /// Its issues and pull requests, each as `issue #1 TITLE (STATE)`.
    pub items: &'static [&'static str],
    /// Its branches.
    pub branches: &'static [&'static str],
    /// Whether nothing at all may have changed since the beginning.
    pub untouched: bool,
}

/// What was checked: the sentence, and what is wrong if it does not hold.
#[derive(Debug, Clone, Default)]
pub struct Checks {
    /// How many hold.
    pub passed: usize,
    /// What does not hold, a line each.
    pub failed: Vec<String>,
}

impl Checks {
    /// Notes whether `seen` is what it must be.
    pub fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, seen: T, wanted: T) {
        if seen == wanted {
            self.passed += 1;
        } else {
            self.failed.push(format!("{what}: it is {seen:?}, it must be {wanted:?}"));
        }
    }

    /// Compares the world with the table: every repository of either.
    pub fn compare(&mut self, table: &[Expected], before: &World, after: &World) {
        let named: Vec<&str> = table.iter().map(|row| row.repository).collect();
        for name in after.keys().filter(|name| !named.contains(&name.as_str())) {
            self.failed.push(format!("{name}: a repository that nobody expected"));
        }
        for row in table {
            let name = row.repository;
            let Some(seen) = after.get(name) else {
                self.failed.push(format!("{name}: the repository is gone"));
                continue;
            };
            let items: Vec<String> = seen
                .items
                .iter()
                .map(|item| format!("{} #{} {} ({})", item.kind, item.number, item.title, item.state))
                .collect();
            self.same(
                &format!("issues and pull requests of {name}"),
                items.iter().map(String::as_str).collect::<Vec<_>>(),
                row.items.to_vec(),
            );
            self.same(
                &format!("branches of {name}"),
                seen.branches.keys().map(String::as_str).collect::<Vec<_>>(),
                row.branches.to_vec(),
            );
            if row.untouched {
                self.same(&format!("{name} is as it was"), Some(seen), before.get(name));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        let item = Item {
            kind: "issue",
            number: 1,
            title: "A list".to_owned(),
            state: "open".to_owned(),
            body: "text".to_owned(),
            ours: true,
        };
        let branches = BTreeMap::from([("main".to_owned(), "5d0c".to_owned())]);
        let site = Seen { items: vec![item], branches, labels: Vec::new() };
        World::from([("site".to_owned(), site)])
    }

    const TABLE: &[Expected] = &[Expected {
        repository: "site",
        items: &["issue #1 A list (open)"],
        branches: &["main"],
        untouched: true,
    }];

    fn failures(after: &World) -> Vec<String> {
        let mut checks = Checks::default();
        checks.compare(TABLE, &world(), after);
        checks.failed
    }

    #[test]
    fn the_expected_end_passes() {
        let mut checks = Checks::default();
        checks.compare(TABLE, &world(), &world());
        assert_eq!((checks.passed, checks.failed), (3, Vec::new()));
    }

    #[test]
    fn every_way_of_being_wrong_is_told() {
        let mut closed = world();
        closed.get_mut("site").unwrap().items[0].state = "closed".to_owned();
        assert!(failures(&closed)[0].starts_with("issues and pull requests of site: it is"));
        let mut branch = world();
        branch.get_mut("site").unwrap().branches.insert("left".to_owned(), "1".to_owned());
        assert!(failures(&branch)[0].starts_with("branches of site"));
        let mut edited = world();
        edited.get_mut("site").unwrap().items[0].body = "other".to_owned();
        assert!(failures(&edited)[0].starts_with("site is as it was"));
        let mut moved = world();
        moved.get_mut("site").unwrap().branches.insert("main".to_owned(), "other".to_owned());
        assert!(failures(&moved)[0].starts_with("site is as it was"));
        let mut more = world();
        more.insert("surprise".to_owned(), Seen::default());
        assert_eq!(failures(&more), ["surprise: a repository that nobody expected"]);
        assert_eq!(failures(&World::new()), ["site: the repository is gone"]);
    }
}
