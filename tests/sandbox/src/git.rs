//! Git's objects and history, in memory.
//!
//! Promises: (1) every object is named by the id git itself would compute;
//! (2) a tree is always sorted as git sorts it; (3) history questions
//! (ancestor, merge base) are answered from the commits alone.

mod diff;
mod history;
mod object;
mod oid;
mod tree;

pub use diff::{FileChange, FileStatus};
pub(crate) use object::WEB_FLOW_SIGNATURE;
pub use object::{Commit, Mode, Object, Signature, TreeEntry};
pub use oid::{Oid, OidError};
pub use tree::{Files, MergeConflict};

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

/// The objects of one repository. Cloning shares the objects, as a fork does.
#[derive(Debug, Clone, Default)]
pub struct Objects(HashMap<Oid, Arc<Object>>);

impl Objects {
    /// Stores an object and returns its id; storing it again changes nothing.
    pub fn insert(&mut self, object: Object) -> Oid {
        let oid = object.oid();
        self.0.entry(oid).or_insert_with(|| Arc::new(object));
        oid
    }

    /// Stores a blob.
    pub fn insert_blob(&mut self, content: impl Into<Bytes>) -> Oid {
        self.insert(Object::Blob(content.into()))
    }

    /// The object of that id, of whatever type.
    pub fn get(&self, oid: Oid) -> Option<&Object> {
        self.0.get(&oid).map(Arc::as_ref)
    }

    /// The bytes of a blob; `None` when absent or of another type.
    pub fn blob(&self, oid: Oid) -> Option<&Bytes> {
        match self.get(oid)? {
            Object::Blob(content) => Some(content),
            Object::Tree(_) | Object::Commit(_) => None,
        }
    }

    /// The entries of one tree level; `None` when absent or of another type.
    pub fn tree(&self, oid: Oid) -> Option<&[TreeEntry]> {
        match self.get(oid)? {
            Object::Tree(entries) => Some(entries),
            Object::Blob(_) | Object::Commit(_) => None,
        }
    }

    /// A commit; `None` when absent or of another type.
    pub fn commit(&self, oid: Oid) -> Option<&Commit> {
        match self.get(oid)? {
            Object::Commit(commit) => Some(commit),
            Object::Blob(_) | Object::Tree(_) => None,
        }
    }

    /// The only object whose hexadecimal id starts with `prefix` (4 to 40
    /// digits), as git resolves abbreviated ids.
    pub fn abbreviated(&self, prefix: &str) -> Option<Oid> {
        if !(4..=40).contains(&prefix.len()) {
            return None;
        }
        let mut matching = self.0.keys().filter(|oid| oid.to_string().starts_with(prefix));
        let found = *matching.next()?;
        matching.next().is_none().then_some(found)
    }

    /// Takes over every object of `other`, as a pull request from a fork
    /// brings the fork's commits into the base repository.
    pub fn absorb(&mut self, other: &Objects) {
        for (oid, object) in &other.0 {
            self.0.entry(*oid).or_insert_with(|| Arc::clone(object));
        }
    }
}
