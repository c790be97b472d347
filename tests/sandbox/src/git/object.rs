//! The three object types and their byte form, which is what the id hashes.

use std::fmt::Write as _;

use bytes::Bytes;
use jiff::Timestamp;

use super::Oid;

/// One git object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// The content of a file, or the target of a symbolic link.
    Blob(Bytes),
    /// One directory level, sorted as git sorts.
    Tree(Vec<TreeEntry>),
    /// A commit.
    Commit(Commit),
}

/// An entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// Name within the directory, without slashes.
    pub name: String,
    /// What kind of entry it is.
    pub mode: Mode,
    /// The blob, the tree, or for a submodule the foreign commit.
    pub oid: Oid,
}

/// The modes git knows for tree entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// 100644
    File,
    /// 100755
    Executable,
    /// 120000
    Symlink,
    /// 160000: a commit of another repository
    Submodule,
    /// 040000
    Directory,
}

impl Mode {
    /// The six digits the API shows.
    pub fn digits(self) -> &'static str {
        match self {
            Mode::File => "100644",
            Mode::Executable => "100755",
            Mode::Symlink => "120000",
            Mode::Submodule => "160000",
            Mode::Directory => "040000",
        }
    }

    /// Reads the six digits; `None` for a mode git does not know.
    pub fn from_digits(digits: &str) -> Option<Mode> {
        [Mode::File, Mode::Executable, Mode::Symlink, Mode::Submodule, Mode::Directory]
            .into_iter()
            .find(|mode| mode.digits() == digits)
    }

    /// The type of the object behind the entry.
    pub fn object_type(self) -> &'static str {
        match self {
            Mode::File | Mode::Executable | Mode::Symlink => "blob",
            Mode::Submodule => "commit",
            Mode::Directory => "tree",
        }
    }
}

/// Who wrote or committed, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Display name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// To the second, always written in UTC.
    pub at: Timestamp,
}

/// A commit, with what GitHub knows about it beyond git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The root tree.
    pub tree: Oid,
    /// None for a first commit, two for a merge.
    pub parents: Vec<Oid>,
    /// Who wrote it.
    pub author: Signature,
    /// Who committed it.
    pub committer: Signature,
    /// Headline, blank line, body.
    pub message: String,
    /// Signed by GitHub itself, so shown as Verified.
    pub verified: bool,
    /// The account GitHub attributes it to, if the e-mail address is known.
    pub account: Option<u64>,
}

/// The armor GitHub's own signature is shown with here; not a real signature.
pub(crate) const WEB_FLOW_SIGNATURE: &str =
    "-----BEGIN PGP SIGNATURE-----\n\nc2lnbmVkIGJ5IHRoZSBzYW5kYm94\n-----END PGP SIGNATURE-----";

impl Commit {
    /// The first line of the message.
    pub fn headline(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// The bytes that a signature covers: the commit without the signature.
    pub fn payload(&self) -> String {
        self.text(false)
    }

    fn text(&self, signed: bool) -> String {
        let mut text = format!("tree {}\n", self.tree);
        for parent in &self.parents {
            let _ = writeln!(text, "parent {parent}");
        }
        for (role, who) in [("author", &self.author), ("committer", &self.committer)] {
            let _ = writeln!(text, "{role} {} <{}> {} +0000", who.name, who.email, who.at.as_second());
        }
        if signed {
            let _ = writeln!(text, "gpgsig {}", WEB_FLOW_SIGNATURE.replace('\n', "\n "));
        }
        let _ = write!(text, "\n{}", self.message);
        text
    }
}

impl Object {
    /// The id git gives this object.
    pub fn oid(&self) -> Oid {
        match self {
            Object::Blob(content) => Oid::of("blob", content),
            Object::Tree(entries) => {
                let mut bytes = Vec::new();
                for entry in entries {
                    // In the object itself the mode of a tree has five digits.
                    bytes.extend_from_slice(entry.mode.digits().trim_start_matches('0').as_bytes());
                    bytes.push(b' ');
                    bytes.extend_from_slice(entry.name.as_bytes());
                    bytes.push(0);
                    bytes.extend_from_slice(entry.oid.as_bytes());
                }
                Oid::of("tree", &bytes)
            }
            Object::Commit(commit) => Oid::of("commit", commit.text(commit.verified).as_bytes()),
        }
    }
}
