//! Adoption: what Muster does about an organization whose past its ledger does
//! not hold, be it new or the ledger lost (etiquette 4.9).
//!
//! Promises: (1) nothing is written before every repository was looked at
//! once, since one of them may hold what people have answered; (2) where
//! nothing of ours is found, the organization is new and waits no longer;
//! (3) otherwise people get seven days, or until an operator's word; (4) a
//! ledger from a backup lacks only the newest, so it waits for the look alone;
//! (5) one repository that cannot be read keeps the others waiting for a day,
//! not for ever: whatever it holds is read before anything is written there.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    marker::{Identity, Whose},
    observed::Observed,
    plan::Hold,
    repository::{AccountId, RepositoryId},
};

/// How long a repository that cannot be read is waited for. Outages end within
/// a day; what GitHub cannot answer at all does not (threats W6).
pub const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
/// How long people have to look at what was found.
const WAIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// When to look again at a repository that is held back for longer.
const LOOK_AGAIN: Duration = Duration::from_secs(60 * 60);

/// How an adoption ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// The organization was served before there were adoptions.
    Known,
    /// Nothing of ours was there.
    NothingFound,
    /// The ledger came from a backup, and everything was looked at since.
    Restored,
    /// The seven days are over.
    TimePassed,
    /// An operator said so.
    Confirmed,
}

impl Ending {
    const ALL: [Ending; 5] =
        [Ending::Known, Ending::NothingFound, Ending::Restored, Ending::TimePassed, Ending::Confirmed];

    /// The word in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Ending::Known => "known",
            Ending::NothingFound => "nothing_found",
            Ending::Restored => "restored",
            Ending::TimePassed => "time_passed",
            Ending::Confirmed => "confirmed",
        }
    }
}

impl std::str::FromStr for Ending {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Ending::ALL.into_iter().find(|ending| ending.as_str() == word).ok_or(())
    }
}

/// How far Muster has got to know an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// Its account.
    pub account: AccountId,
    /// When Muster met it with a ledger that holds nothing of it.
    pub begun_at: Timestamp,
    /// When its repositories were last listed, all of them.
    pub listed_at: Option<Timestamp>,
    /// Whether anything of ours was seen there.
    pub found: bool,
    /// Whether the ledger came from a backup.
    pub restored: bool,
    /// When and how it ended.
    pub ended: Option<(Timestamp, Ending)>,
}

impl Adoption {
    /// When the wait ends by itself, if everything was looked at by then.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.begun_at + WAIT
    }

    /// How it ends now, if it does; `unread`: whether a repository on the list
    /// was not looked at yet.
    #[must_use]
    pub fn ending(&self, unread: bool, now: Timestamp) -> Option<Ending> {
        if self.ended.is_some() || self.listed_at.is_none() || unread {
            None
        } else if !self.found {
            Some(Ending::NothingFound)
        } else if self.restored {
            Some(Ending::Restored)
        } else {
            (now >= self.until()).then_some(Ending::TimePassed)
        }
    }

    /// Why nothing is written now; `None` once it has ended. `organization` is
    /// its login, for the command that ends the wait.
    #[must_use]
    pub fn hold(&self, unread: bool, organization: &str, now: Timestamp) -> Option<Hold> {
        if self.ended.is_some() {
            return None;
        }
        let why = if unread || self.listed_at.is_none() {
            "not every repository of the organization was read yet".to_owned()
        } else {
            format!("the ledger was empty, and people may look first: muster adopt {organization} --confirm")
        };
        Some(Hold { why, until: self.until().max(now + LOOK_AGAIN) })
    }
}

/// Whether anything shows that we were in a repository before: an item of ours,
/// readable or not, or a branch that we committed to.
#[must_use]
pub fn was_here(observed: &Observed, identity: &Identity, repository: RepositoryId) -> bool {
    let ours = |whose| match whose {
        Whose::Ours(_) | Whose::Unreadable => true,
        Whose::OtherInstance | Whose::Foreign => false,
    };
    observed.items.iter().any(|item| ours(identity.whose(item, repository)))
        || observed.branches.iter().any(|branch| branch.author == Some(identity.bot))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        finding::FindingSet,
        marker::{Kind, MarkerKeys},
        observed::{Actor, Branch, Item, ItemKind, ItemState},
    };

    fn at(day: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * day)
    }

    fn begun() -> Adoption {
        Adoption {
            account: AccountId(10),
            begun_at: at(0),
            listed_at: Some(at(0)),
            found: false,
            restored: false,
            ended: None,
        }
    }

    #[test]
    fn an_organization_is_new_only_when_all_of_it_was_read() {
        assert_eq!(Adoption { listed_at: None, ..begun() }.ending(false, at(0)), None);
        assert_eq!(begun().ending(true, at(0)), None);
        assert_eq!(begun().ending(false, at(0)), Some(Ending::NothingFound));
    }

    #[test]
    fn what_was_found_waits_seven_days_and_a_backup_does_not() {
        let found = Adoption { found: true, ..begun() };
        assert_eq!(found.ending(false, at(6)), None);
        assert_eq!(found.ending(false, at(7)), Some(Ending::TimePassed));
        assert_eq!(found.ending(true, at(70)), None, "not before all was read");
        let restored = Adoption { restored: true, ..found };
        assert_eq!(restored.ending(true, at(0)), None);
        assert_eq!(restored.ending(false, at(0)), Some(Ending::Restored));
    }

    #[test]
    fn the_hold_says_why_and_never_ends_in_the_past() {
        let found = Adoption { found: true, ..begun() };
        let hold = found.hold(false, "agency", at(1)).unwrap();
        assert!(hold.why.contains("muster adopt agency --confirm"), "{}", hold.why);
        assert_eq!(hold.until, at(7));
        let hold = found.hold(true, "agency", at(9)).unwrap();
        assert!(hold.why.contains("not every repository"), "{}", hold.why);
        assert_eq!(hold.until, at(9) + LOOK_AGAIN);
        let ended = Adoption { ended: Some((at(2), Ending::Confirmed)), ..found };
        assert_eq!((ended.hold(true, "agency", at(2)), ended.ending(false, at(9))), (None, None));
    }

    #[test]
    fn what_we_left_behind_is_seen_readable_or_not() {
        let (us, here) = (AccountId(7), RepositoryId(1));
        let keys = MarkerKeys::new(vec![b"a key of at least twenty bytes".to_vec()]);
        let identity = Identity { bot: us, instance: "test".into(), keys };
        let item = |author: u64, body: String| Observed {
            items: vec![Item {
                kind: ItemKind::Issue,
                node_id: "I_1".into(),
                number: 1,
                url: String::new(),
                repository: here,
                title: String::new(),
                body,
                state: ItemState::Open,
                author: Some(Actor { id: Some(AccountId(author)), login: "x".into(), bot: false }),
                created_at: at(0),
                updated_at: at(0),
                lock: None,
                comments: Vec::new(),
                pull: None,
            }],
            ..Observed::default()
        };
        let branch = |author: u64| Observed {
            branches: vec![Branch {
                name: "muster/files".into(),
                tip: "a".repeat(40).parse().unwrap(),
                author: Some(AccountId(author)),
                message: String::new(),
            }],
            ..Observed::default()
        };
        let marked = |repository| identity.marker(Kind::Tracking, repository, &FindingSet::default().hash());
        for (observed, ours) in [
            (item(7, marked(here)), true),
            (item(7, "somebody removed the marker".into()), true),
            (item(7, marked(RepositoryId(2))), false),
            (item(8, marked(here)), false),
            (branch(7), true),
            (branch(8), false),
            (Observed::default(), false),
        ] {
            assert_eq!(was_here(&observed, &identity, here), ours, "{observed:?}");
        }
    }

    #[test]
    fn endings_are_words() {
        for ending in Ending::ALL {
            assert_eq!(ending.as_str().parse(), Ok(ending));
        }
        assert!("other".parse::<Ending>().is_err());
    }
}
