//! Questions about history.

use std::collections::{BinaryHeap, HashSet};

use super::{Commit, Objects, Oid};

impl Objects {
    /// A commit and all its ancestors, newest first by commit date (children
    /// before parents where dates are equal along one line).
    pub fn history(&self, from: Oid) -> Vec<(Oid, &Commit)> {
        let mut seen = HashSet::from([from]);
        // The counter keeps the order of discovery among equal dates.
        let mut queue = BinaryHeap::new();
        let mut discovered = 0_i64;
        let date = |oid: Oid| self.commit(oid).map(|commit| commit.committer.at);
        queue.push((date(from), discovered, from));
        let mut history = Vec::new();
        while let Some((_, _, oid)) = queue.pop() {
            let Some(commit) = self.commit(oid) else { continue };
            history.push((oid, commit));
            for parent in &commit.parents {
                if seen.insert(*parent) {
                    discovered -= 1;
                    queue.push((date(*parent), discovered, *parent));
                }
            }
        }
        history
    }

    /// Whether `ancestor` is `commit` or one of its ancestors.
    pub fn is_ancestor(&self, ancestor: Oid, commit: Oid) -> bool {
        self.history(commit).iter().any(|(oid, _)| *oid == ancestor)
    }

    /// The newest commit both have in their history; `None` for unrelated ones.
    pub fn merge_base(&self, one: Oid, other: Oid) -> Option<Oid> {
        let ours: HashSet<Oid> = self.history(one).into_iter().map(|(oid, _)| oid).collect();
        self.history(other).into_iter().map(|(oid, _)| oid).find(|oid| ours.contains(oid))
    }

    /// The commits of `head` that `base` does not have, newest first.
    pub fn commits_between(&self, base: Oid, head: Oid) -> Vec<(Oid, &Commit)> {
        let known: HashSet<Oid> = self.history(base).into_iter().map(|(oid, _)| oid).collect();
        self.history(head).into_iter().filter(|(oid, _)| !known.contains(oid)).collect()
    }
}
