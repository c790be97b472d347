//! Following a chain, and what may be wrong with it.

use super::{GENESIS, Linked, seal};

/// What is wrong with a ledger: the first entry that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// The entry or its link was changed.
    Changed {
        /// Its place in the chain.
        seq: i64,
        /// Which entry: `audit 12`.
        entry: String,
    },
    /// The entry is gone or unreadable; its link is there.
    Missing {
        /// Its place in the chain.
        seq: i64,
        /// Which entry.
        entry: String,
    },
    /// The link is gone.
    Removed {
        /// Its place in the chain.
        seq: i64,
    },
    /// It does not follow from the entry before, which was written anew.
    Detached {
        /// Its place in the chain.
        seq: i64,
        /// Which entry.
        entry: String,
    },
    /// An entry that no link knows: it was not written by Muster.
    Foreign {
        /// Which entry.
        entry: String,
    },
    /// More entries were written than are there.
    CutOff {
        /// How many are there.
        left: i64,
        /// How many were written.
        written: i64,
    },
    /// The chain is whole, and does not hold the hash that was kept.
    OtherChain,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Broken::Changed { seq, entry } => {
                write!(f, "entry {seq} ({entry}) was changed after it was written")
            }
            Broken::Missing { seq, entry } => write!(f, "entry {seq} ({entry}) was removed or made unreadable"),
            Broken::Removed { seq } => write!(f, "entry {seq} was removed from the chain"),
            Broken::Detached { seq, entry } => {
                write!(f, "entry {seq} ({entry}) does not follow from the entry before it, which was replaced")
            }
            Broken::Foreign { entry } => write!(f, "{entry} was added without Muster"),
            Broken::CutOff { left, written } => {
                write!(f, "the last entries were removed: {written} were written and {left} are left")
            }
            Broken::OtherChain => f.write_str(
                "the hash you kept is not in this ledger: its last entries were removed, or it was written anew",
            ),
        }
    }
}

/// Follows a chain link by link.
#[derive(Debug, Clone)]
pub(in crate::store) struct Follower<'a> {
    seq: i64,
    head: String,
    /// A hash that must come by.
    anchor: Option<&'a str>,
}

impl<'a> Follower<'a> {
    pub(in crate::store) fn new(anchor: Option<&'a str>) -> Follower<'a> {
        Follower { seq: 0, head: GENESIS.to_owned(), anchor: anchor.filter(|anchor| *anchor != GENESIS) }
    }

    /// How many were followed.
    pub(in crate::store) fn seq(&self) -> i64 {
        self.seq
    }

    /// The hash of the last.
    pub(in crate::store) fn head(&self) -> &str {
        &self.head
    }

    /// Takes the next link, if it is whole.
    pub(in crate::store) fn follow(&mut self, linked: &Linked) -> Result<(), Broken> {
        let link = &linked.link;
        let (seq, named) = (self.seq + 1, format!("{} {}", link.kind, link.entry));
        if link.seq != seq {
            return Err(Broken::Removed { seq });
        }
        if link.previous != self.head {
            return Err(Broken::Detached { seq, entry: named });
        }
        let Some(entry) = &linked.entry else { return Err(Broken::Missing { seq, entry: named }) };
        let same = entry.kind().as_str() == link.kind && entry.id() == link.entry;
        if !same || seal(entry, &link.previous, seq) != link.hash {
            return Err(Broken::Changed { seq, entry: named });
        }
        (self.seq, self.head) = (seq, link.hash.clone());
        if self.anchor == Some(self.head.as_str()) {
            self.anchor = None;
        }
        Ok(())
    }

    /// At the end: whether these are all that were `written`, and the hash that
    /// was kept came by.
    pub(in crate::store) fn whole(&self, written: i64) -> Result<(), Broken> {
        if self.seq != written {
            return Err(Broken::CutOff { left: self.seq, written });
        }
        if self.anchor.is_some() { Err(Broken::OtherChain) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Entry, link};
    use super::*;
    use crate::store::rows::AuditRow;

    fn noted() -> Entry {
        Entry::Audit(AuditRow {
            actor: None,
            detail: "{}".to_owned(),
            id: 0,
            installation: None,
            noted_at: 1,
            repository: None,
            what: "changed".to_owned(),
        })
    }

    #[test]
    fn every_way_to_break_a_chain_is_told_apart() {
        let mut chain = Vec::new();
        let mut previous = GENESIS.to_owned();
        for seq in 1..=3 {
            let mut entry = noted();
            entry.number(seq + 10);
            let link = link(&entry, previous, seq);
            previous = link.hash.clone();
            chain.push(Linked { link, entry: Some(entry) });
        }
        let follow = |chain: &[Linked], anchor: Option<&str>| {
            let mut follower = Follower::new(anchor);
            chain.iter().try_for_each(|linked| follower.follow(linked))?;
            follower.whole(chain.len() as i64)
        };
        let head = previous;
        assert_eq!(follow(&chain, Some(&head)), Ok(()));
        assert_eq!(follow(&chain, Some(GENESIS)), Ok(()));
        assert_eq!(follow(&chain[..2], Some(&head)), Err(Broken::OtherChain));
        assert_eq!(Follower::new(None).whole(3), Err(Broken::CutOff { left: 0, written: 3 }));
        let entry = || "audit 12".to_owned();
        let spoilt = |spoil: fn(&mut Vec<Linked>)| {
            let mut chain = chain.clone();
            spoil(&mut chain);
            follow(&chain, None).unwrap_err()
        };
        assert_eq!(
            spoilt(|chain| {
                let Some(Entry::Audit(row)) = &mut chain[1].entry else { panic!("an entry of the audit") };
                row.what.push('x');
            }),
            Broken::Changed { seq: 2, entry: entry() }
        );
        assert_eq!(spoilt(|chain| chain[1].entry = None), Broken::Missing { seq: 2, entry: entry() });
        assert_eq!(spoilt(|chain| chain.remove(1).link.seq = 0), Broken::Removed { seq: 2 });
        // Whoever computes the hash anew has to do so for all that follow.
        let rewritten = spoilt(|chain| {
            let mut entry = chain[1].entry.clone().unwrap();
            let Entry::Audit(row) = &mut entry else { panic!("an entry of the audit") };
            row.what.push('x');
            let link = link(&entry, chain[1].link.previous.clone(), 2);
            chain[1] = Linked { link, entry: Some(entry) };
        });
        assert_eq!(rewritten, Broken::Detached { seq: 3, entry: "audit 13".to_owned() });
    }
}
