//! What stands in a published file, and what a new one changes in it: only that
//! is stored.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use crate::{
    domain::{
        inventory::{File, Subject},
        repository::RepositoryId,
    },
    store::{HEAD, NewListing},
};

/// What stands in a published file, by the SHA-256 of the texts.
#[derive(Debug, Default)]
pub(super) struct Listed {
    head: Option<[u8; 32]>,
    pub(super) entries: HashMap<Subject, [u8; 32]>,
}

impl Listed {
    /// From what is stored: by key, the digest in hex.
    pub(super) fn of(stored: HashMap<String, String>) -> Listed {
        let mut listed = Listed::default();
        for (key, stored) in stored {
            let mut digest = [0; 32];
            if hex::decode_to_slice(stored, &mut digest).is_err() {
                // It is that of no text: what stands there is written again.
                digest = [0; 32];
            }
            listed.list(subject(&key), digest);
        }
        listed
    }

    /// Without a subject it is the head.
    fn list(&mut self, subject: Option<Subject>, digest: [u8; 32]) {
        match subject {
            None => self.head = Some(digest),
            Some(subject) => {
                self.entries.insert(subject, digest);
            }
        }
    }
}

/// What stands in a file otherwise than in the one before.
pub(super) struct Difference<'f> {
    pub(super) new: Vec<New<'f>>,
    /// What had an entry and has none.
    pub(super) gone: Vec<Subject>,
}

/// A text that was not there before; the head is about nothing.
pub(super) struct New<'f> {
    subject: Option<&'f Subject>,
    place: &'f str,
    text: &'f str,
    digest: [u8; 32],
    /// Whether another stood in its place.
    replaces: bool,
}

impl<'f> Difference<'f> {
    pub(super) fn of(file: &'f File, before: Option<&Listed>) -> Difference<'f> {
        let nothing = Listed::default();
        let before = before.unwrap_or(&nothing);
        let (mut new, mut found) = (Vec::new(), 0);
        let head = Sha256::digest(&file.head).into();
        if before.head != Some(head) {
            let replaces = before.head.is_some();
            new.push(New { subject: None, place: "", text: &file.head, digest: head, replaces });
        }
        for entry in &file.entries {
            let stood = before.entries.get(&entry.subject);
            found += usize::from(stood.is_some());
            if stood != Some(&entry.digest) {
                let (subject, replaces) = (Some(&entry.subject), stood.is_some());
                let (place, text, digest) = (&entry.place, &entry.text, entry.digest);
                new.push(New { subject, place, text, digest, replaces });
            }
        }
        let mut gone = Vec::new();
        if found < before.entries.len() {
            let here: HashSet<&Subject> = file.listed().collect();
            gone.extend(before.entries.keys().filter(|subject| !here.contains(subject)).cloned());
        }
        Difference { new, gone }
    }

    /// What is to be stored.
    pub(super) fn listings(&self) -> Vec<NewListing<'f>> {
        let listing = |new: &New<'f>| NewListing {
            subject: key(new.subject),
            place: new.place,
            text: new.text,
            digest: hex::encode(new.digest),
        };
        self.new.iter().map(listing).collect()
    }

    /// What stands no longer, or no longer so.
    pub(super) fn withdrawn(&self) -> Vec<String> {
        let replaced = self.new.iter().filter(|new| new.replaces).map(|new| key(new.subject));
        replaced.chain(self.gone.iter().map(|gone| key(Some(gone)))).collect()
    }

    /// What stands in the file from then on.
    pub(super) fn applied_to(self, mut listed: Listed) -> Listed {
        for gone in &self.gone {
            listed.entries.remove(gone);
        }
        for New { subject, digest, .. } in self.new {
            listed.list(subject.cloned(), digest);
        }
        listed
    }
}

/// The key of a subject in what is stored; of the file's head, without one.
fn key(subject: Option<&Subject>) -> String {
    match subject {
        None => HEAD.to_owned(),
        Some(Subject::Repository(id)) => id.to_string(),
        Some(Subject::Imported { key }) => format!("import {key}"),
    }
}

/// The subject of a key; `None` of the file's head.
fn subject(key: &str) -> Option<Subject> {
    match key.strip_prefix("import ") {
        Some(key) => Some(Subject::Imported { key: key.to_owned() }),
        None => key.parse().ok().map(|id| Subject::Repository(RepositoryId(id))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{
        inventory::{Account, Entry},
        policy::Published,
    };

    fn file(head: &str, entries: &[(u64, &str)]) -> File {
        let entry = |(id, text): &(u64, &str)| {
            let digest = Sha256::digest(text).into();
            let subject = Subject::Repository(RepositoryId(*id));
            Arc::new(Entry {
                subject,
                place: String::new(),
                text: (*text).to_owned(),
                digest,
                substance: digest,
            })
        };
        File {
            published: Published::Gsa2,
            head: head.to_owned(),
            entries: entries.iter().map(entry).collect(),
            account: Account::default(),
        }
    }

    #[test]
    fn only_what_differs_is_stored_and_the_rest_stays() {
        let first = file("a", &[(1, "one"), (2, "two"), (3, "three")]);
        let begun = Difference::of(&first, None);
        let keys = |listings: Vec<NewListing<'_>>| {
            listings.into_iter().map(|listing| listing.subject).collect::<Vec<_>>()
        };
        assert_eq!(keys(begun.listings()), ["head", "1", "2", "3"]);
        assert_eq!(begun.withdrawn(), [""; 0]);
        let listed = begun.applied_to(Listed::default());
        let same = Difference::of(&first, Some(&listed));
        assert!(same.new.is_empty() && same.gone.is_empty());
        // One is gone, one reads otherwise, one is new.
        let then = file("a", &[(1, "one"), (3, "drei"), (4, "four")]);
        let changed = Difference::of(&then, Some(&listed));
        assert_eq!(keys(changed.listings()), ["3", "4"]);
        assert_eq!(changed.withdrawn(), ["3", "2"]);
        let listed = changed.applied_to(listed);
        assert!(Difference::of(&then, Some(&listed)).new.is_empty());
        // What is stored is read as what was kept.
        let mut stored: HashMap<String, String> = listed
            .entries
            .iter()
            .map(|(subject, digest)| (key(Some(subject)), hex::encode(digest)))
            .collect();
        stored.insert("4".to_owned(), "damaged".to_owned());
        let read = Listed::of(stored);
        let again = Difference::of(&then, Some(&read));
        assert_eq!(keys(again.listings()), ["head", "4"]);
        assert_eq!(again.withdrawn(), ["4"], "the head was not stored");
    }
}
