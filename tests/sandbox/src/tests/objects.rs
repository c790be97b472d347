//! Git object ids against those git itself computes.

use bytes::Bytes;
use jiff::Timestamp;

use crate::git::{Commit, Files, Mode, Object, Objects, Oid, Signature};

const HELLO: &str = "ce013625030ba8dba906f756967f9e9ca394464a";

#[test]
fn blobs_and_trees_are_named_as_git_names_them() {
    let mut objects = Objects::default();
    assert_eq!(objects.insert_blob(Bytes::new()).to_string(), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    let hello = objects.insert_blob("hello\n");
    assert_eq!(hello.to_string(), HELLO);
    assert_eq!(objects.write_tree(&Files::new()).to_string(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    assert_eq!(tree(&mut objects).to_string(), TREE);
}

/// What `git write-tree` says of the files of [`tree`].
const TREE: &str = "6ea71c01185e7777fbf76c0f873c930cceb0ada1";

/// A directory `a` sorts after `a.txt`; all modes but the submodule's.
fn tree(objects: &mut Objects) -> Oid {
    let (hello, x) = (objects.insert_blob("hello\n"), objects.insert_blob("x"));
    let link = objects.insert_blob("a.txt");
    let files = [
        ("a/x", Mode::File, hello),
        ("a.txt", Mode::File, hello),
        ("run", Mode::Executable, x),
        ("link", Mode::Symlink, link),
    ];
    let files = files.into_iter().map(|(path, mode, oid)| (path.to_owned(), (mode, oid)));
    let files: Files = files.collect();
    objects.write_tree(&files)
}

fn commit(objects: &mut Objects, parents: &[Oid], seconds: i64, message: &str) -> Oid {
    let tree = tree(objects);
    let at = Timestamp::from_second(seconds).expect("a time");
    let who = Signature { name: "A U Thor".to_owned(), email: "a@example.gov".to_owned(), at };
    objects.insert(Object::Commit(Commit {
        tree,
        parents: parents.to_vec(),
        author: who.clone(),
        committer: who,
        message: message.to_owned(),
        verified: false,
        account: None,
    }))
}

#[test]
fn commits_are_named_as_git_names_them() {
    let mut objects = Objects::default();
    let first = commit(&mut objects, &[], 1_700_000_000, "First");
    assert_eq!(first.to_string(), "67c0f0783fb3bff55fd18533bc1c4c9cf3a1f3a0");
}

#[test]
fn history_knows_ancestors_and_merge_bases() {
    let mut objects = Objects::default();
    let root = commit(&mut objects, &[], 1, "root");
    let ours = commit(&mut objects, &[root], 2, "ours");
    let theirs = commit(&mut objects, &[root], 3, "theirs");
    let merged = commit(&mut objects, &[ours, theirs], 4, "merged");
    assert!(objects.is_ancestor(root, merged) && objects.is_ancestor(theirs, merged));
    assert!(!objects.is_ancestor(ours, theirs));
    assert_eq!(objects.merge_base(ours, theirs), Some(root));
    let between: Vec<Oid> = objects.commits_between(ours, merged).into_iter().map(|(oid, _)| oid).collect();
    assert_eq!(between, [merged, theirs]);
}
