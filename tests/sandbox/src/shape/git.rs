//! Git objects and references.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::issue::escape;
use crate::git::{Commit, Mode, Oid, Signature, TreeEntry, WEB_FLOW_SIGNATURE};
use crate::state::{Node, Repository, State};

/// Base64 in lines of 60 characters, as GitHub writes it.
fn base64_lines(content: &[u8]) -> String {
    let text = STANDARD.encode(content);
    let mut lines = String::new();
    for (at, letter) in text.chars().enumerate() {
        lines.push(letter);
        if at % 60 == 59 {
            lines.push('\n');
        }
    }
    if !lines.is_empty() && !lines.ends_with('\n') {
        lines.push('\n');
    }
    lines
}

fn verification(commit: &Commit) -> Value {
    json!({
        "verified": commit.verified,
        "reason": if commit.verified { "valid" } else { "unsigned" },
        "signature": commit.verified.then_some(WEB_FLOW_SIGNATURE),
        "payload": commit.verified.then(|| commit.payload()),
        "verified_at": commit.verified.then_some(commit.committer.at),
    })
}

fn git_user(who: &Signature) -> Value {
    json!({ "name": who.name, "email": who.email, "date": who.at })
}

impl State {
    /// Schema `git-commit`.
    pub(crate) fn git_commit_json(&self, home: &Repository, oid: Oid, commit: &Commit) -> Value {
        let (html, api) = (self.html_url(home), self.api_url(home));
        let parents = commit.parents.iter().map(|parent| {
            json!({
                "sha": parent,
                "url": format!("{api}/git/commits/{parent}"),
                "html_url": format!("{html}/commit/{parent}"),
            })
        });
        json!({
            "sha": oid,
            "node_id": Node::Object(home.id, oid).encode(),
            "url": format!("{api}/git/commits/{oid}"),
            "html_url": format!("{html}/commit/{oid}"),
            "author": git_user(&commit.author),
            "committer": git_user(&commit.committer),
            "tree": { "sha": commit.tree, "url": format!("{api}/git/trees/{}", commit.tree) },
            "message": commit.message,
            "parents": parents.collect::<Vec<_>>(),
            "verification": verification(commit),
        })
    }

    /// Schema `commit`.
    pub(crate) fn commit_json(&self, home: &Repository, oid: Oid, commit: &Commit) -> Value {
        let (html, api) = (self.html_url(home), self.api_url(home));
        let account = commit.account.map_or(Value::Null, |id| self.simple_user(id));
        let parents = commit.parents.iter().map(|parent| {
            json!({
                "sha": parent,
                "url": format!("{api}/commits/{parent}"),
                "html_url": format!("{html}/commit/{parent}"),
            })
        });
        json!({
            "sha": oid,
            "node_id": Node::Object(home.id, oid).encode(),
            "commit": {
                "author": git_user(&commit.author),
                "committer": git_user(&commit.committer),
                "message": commit.message,
                "tree": { "sha": commit.tree, "url": format!("{api}/git/trees/{}", commit.tree) },
                "url": format!("{api}/git/commits/{oid}"),
                "comment_count": 0,
                "verification": verification(commit),
            },
            "url": format!("{api}/commits/{oid}"),
            "html_url": format!("{html}/commit/{oid}"),
            "comments_url": format!("{api}/commits/{oid}/comments"),
            "author": account,
            "committer": account,
            "parents": parents.collect::<Vec<_>>(),
        })
    }

    /// Schema `git-tree`; longer listings than the limit are cut.
    pub(crate) fn tree_json(
        &self,
        home: &Repository,
        tree: Oid,
        entries: &[(String, TreeEntry)],
        truncate: bool,
    ) -> Value {
        let api = self.api_url(home);
        let limit = if truncate { entries.len() / 2 } else { self.tree_limit };
        let shown: Vec<Value> = entries
            .iter()
            .take(limit)
            .map(|(path, entry)| {
                let mut shape = json!({
                    "path": path,
                    "mode": entry.mode.digits(),
                    "type": entry.mode.object_type(),
                    "sha": entry.oid,
                });
                match entry.mode {
                    Mode::Directory => {
                        shape["url"] = json!(format!("{api}/git/trees/{}", entry.oid));
                    }
                    Mode::File | Mode::Executable | Mode::Symlink => {
                        shape["size"] = json!(home.objects.blob(entry.oid).map_or(0, |b| b.len()));
                        shape["url"] = json!(format!("{api}/git/blobs/{}", entry.oid));
                    }
                    Mode::Submodule => {}
                }
                shape
            })
            .collect();
        json!({
            "sha": tree,
            "url": format!("{api}/git/trees/{tree}"),
            "truncated": truncate || entries.len() > limit,
            "tree": shown,
        })
    }

    /// Schema `blob`.
    pub(crate) fn blob_json(&self, home: &Repository, oid: Oid, content: &[u8]) -> Value {
        json!({
            "sha": oid,
            "node_id": Node::Object(home.id, oid).encode(),
            "size": content.len(),
            "url": format!("{}/git/blobs/{oid}", self.api_url(home)),
            "content": base64_lines(content),
            "encoding": "base64",
        })
    }

    /// Schema `git-ref`.
    pub(crate) fn ref_json(&self, home: &Repository, name: &str, oid: Oid) -> Value {
        let api = self.api_url(home);
        json!({
            "ref": name,
            "node_id": Node::Ref(home.id, name.to_owned()).encode(),
            "url": format!("{api}/git/{name}"),
            "object": {
                "type": "commit",
                "sha": oid,
                "url": format!("{api}/git/commits/{oid}"),
            },
        })
    }

    /// One file, link, submodule or directory of `contents` (schemas
    /// `content-file`, `content-symlink`, `content-submodule`,
    /// `content-directory`). With `listed` an entry of a directory, which has
    /// no content and shows submodules as files (API version 2022-11-28).
    pub(crate) fn content_json(
        &self,
        home: &Repository,
        revision: &str,
        path: &str,
        entry: &TreeEntry,
        listed: bool,
    ) -> Value {
        let (html, api) = (self.html_url(home), self.api_url(home));
        let escaped: Vec<String> = path.split('/').map(escape).collect();
        let escaped = escaped.join("/");
        let blob = home.objects.blob(entry.oid);
        let oid = entry.oid;
        let (kind, page, object) = match entry.mode {
            Mode::File | Mode::Executable => ("file", "blob", Some("blobs")),
            Mode::Symlink => ("symlink", "blob", Some("blobs")),
            Mode::Submodule if listed => ("file", "tree", None),
            Mode::Submodule => ("submodule", "tree", None),
            Mode::Directory => ("dir", "tree", Some("trees")),
        };
        let url = format!("{api}/contents/{escaped}?ref={revision}");
        let html_url = format!("{html}/{page}/{revision}/{escaped}");
        let git_url = object.map(|object| format!("{api}/git/{object}/{oid}"));
        let download = blob.map(|_| format!("{html}/raw/{revision}/{escaped}"));
        let mut shape = json!({
            "type": kind,
            "name": path.rsplit('/').next(),
            "path": path,
            "sha": oid,
            "size": blob.map_or(0, |blob| blob.len()),
            "url": url,
            "html_url": html_url,
            "git_url": git_url,
            "download_url": download,
            "_links": { "self": url, "git": git_url, "html": html_url },
        });
        match (entry.mode, blob) {
            (Mode::File | Mode::Executable, Some(blob)) if !listed => {
                // GitHub leaves the content out between 1 MB and 100 MB.
                let small = blob.len() <= 1024 * 1024;
                shape["content"] = json!(if small { base64_lines(blob) } else { String::new() });
                shape["encoding"] = json!(if small { "base64" } else { "none" });
            }
            (Mode::Symlink, Some(blob)) if !listed => {
                shape["target"] = json!(String::from_utf8_lossy(blob));
            }
            (Mode::Submodule, _) if !listed => {
                shape["submodule_git_url"] = json!(format!("{html}.git"));
            }
            (Mode::File | Mode::Executable | Mode::Symlink | Mode::Submodule | Mode::Directory, _) => {}
        }
        shape
    }
}
