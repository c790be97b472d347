//! Archives of commits, as another host than the API hands them out (GitHub
//! documentation, "Download a repository archive").

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

use super::{Repository, State, Visibility};
use crate::git::Mode;

const BLOCK: usize = 512;

impl State {
    /// What opens the archives of a repository that is not public.
    pub(crate) fn archive_key(&self, home: &Repository) -> Option<String> {
        let hidden = home.visibility != Visibility::Public;
        hidden.then(|| format!("{:x}", Sha256::digest(format!("archive of {}", home.id)))[..29].to_owned())
    }

    /// The archive of a commit; `None` if there is none, or not with this key.
    pub(crate) fn archive(&self, full_name: &str, revision: &str, key: Option<&str>) -> Option<Vec<u8>> {
        let (owner, name) = full_name.split_once('/')?;
        let owner = self.account_named(owner)?.id;
        let mut all = self.repositories();
        let home = all.find(|home| home.owner == owner && home.name.eq_ignore_ascii_case(name))?;
        if self.archive_key(home).as_deref() != key {
            return None;
        }
        let oid = home.resolve(revision)?;
        let root = format!("{}-{}", full_name.replace('/', "-"), &oid.to_string()[..7]);
        let mut tar = Vec::new();
        comment(&mut tar, &oid.to_string());
        entry(&mut tar, &format!("{root}/"), b'5', &[]);
        for (path, (mode, oid)) in home.objects.files(home.objects.commit(oid)?.tree) {
            let bytes = home.objects.blob(oid).map(AsRef::as_ref).unwrap_or_default();
            let kind = match mode {
                Mode::Symlink => b'2',
                Mode::File | Mode::Executable | Mode::Directory | Mode::Submodule => b'0',
            };
            entry(&mut tar, &format!("{root}/{path}"), kind, if kind == b'0' { bytes } else { &[] });
        }
        tar.extend([0; 2 * BLOCK]);
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&tar).ok()?;
        packed.finish().ok()
    }
}

/// git writes the commit into a header that is about all entries.
fn comment(tar: &mut Vec<u8>, oid: &str) {
    let record = format!("52 comment={oid}\n");
    entry(tar, "pax_global_header", b'g', record.as_bytes());
}

fn entry(tar: &mut Vec<u8>, path: &str, kind: u8, bytes: &[u8]) {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    let (prefix, name) = match path.char_indices().rev().find(|(at, c)| *c == '/' && path.len() - at <= 100) {
        Some((at, _)) if path.len() > 100 => (&path[..at], &path[at + 1..]),
        Some(_) | None => ("", path),
    };
    put(0, name);
    put(100, "0000644\0");
    put(124, &format!("{:011o}\0", bytes.len()));
    put(136, "00000000000\0");
    put(148, "        ");
    put(257, "ustar\0");
    put(263, "00");
    put(345, prefix);
    header[156] = kind;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend(header);
    tar.extend(bytes);
    tar.extend(vec![0; bytes.len().next_multiple_of(BLOCK) - bytes.len()]);
}
