//! References, commits, trees and blobs.

use super::resolve::{Context, Field, Found, Problem, READ_PULL_REQUESTS, Resolved, Thing, time};
use crate::git::{Commit, Mode, Object, Oid, Signature, TreeEntry};
use crate::state::{AccountId, Node, Refusal, Repository, RepositoryId};

/// How much of a blob is looked at for a NUL byte, as git does.
const BINARY_PROBE: usize = 8000;

impl Context<'_> {
    pub(super) fn reference(&self, id: RepositoryId, name: &str, field: &Field<'_>) -> Resolved {
        let state = self.state.borrow();
        let at = state.repository(id)?.references.get(name).ok_or(Refusal::NotFound)?;
        let prefix = ["refs/heads/", "refs/tags/"].into_iter().find(|prefix| name.starts_with(prefix));
        let prefix = prefix.unwrap_or("refs/");
        Ok(match field.name {
            "id" => Found::leaf(Node::Ref(id, name.to_owned()).encode()),
            "name" => Found::leaf(name.strip_prefix(prefix).unwrap_or(name)),
            "prefix" => Found::leaf(prefix),
            "repository" => Found::One(Thing::Repository(id)),
            "target" => Found::One(Thing::Object(id, *at)),
            _ => return Err(field.unknown()),
        })
    }

    pub(super) fn object(&self, id: RepositoryId, oid: Oid, field: &Field<'_>) -> Resolved {
        let state = self.state.borrow();
        let home = state.repository(id)?;
        let text = oid.to_string();
        match field.name {
            "id" => return Ok(Found::leaf(Node::Object(id, oid).encode())),
            "abbreviatedOid" => return Ok(Found::leaf(&text[..7])),
            "oid" => return Ok(Found::leaf(text)),
            "repository" => return Ok(Found::One(Thing::Repository(id))),
            _ => {}
        }
        match home.objects.get(oid).ok_or(Refusal::NotFound)? {
            Object::Blob(content) => blob(content, state.text_limit, field),
            Object::Tree(entries) => match field.name {
                "entries" => {
                    let directory = directory_of(home, oid);
                    let entry = |entry: &TreeEntry| Thing::TreeEntry(id, directory.clone(), entry.clone());
                    Ok(Found::many(entries.iter().map(entry)))
                }
                _ => Err(field.unknown()),
            },
            Object::Commit(commit) => self.commit(home, oid, commit, field),
        }
    }

    pub(super) fn tree_entry(
        &self,
        id: RepositoryId,
        directory: &str,
        entry: &TreeEntry,
        field: &Field<'_>,
    ) -> Resolved {
        let state = self.state.borrow();
        let home = state.repository(id)?;
        Ok(match field.name {
            "name" => Found::leaf(entry.name.as_str()),
            "path" => Found::leaf(format!("{directory}{}", entry.name)),
            "mode" => Found::leaf(i32::from_str_radix(entry.mode.digits(), 8).unwrap_or_default()),
            "oid" => Found::leaf(entry.oid.to_string()),
            "size" => Found::leaf(home.objects.blob(entry.oid).map_or(0, |content| content.len())),
            "type" => Found::leaf(entry.mode.object_type()),
            "object" => {
                let there = entry.mode != Mode::Submodule && home.objects.get(entry.oid).is_some();
                Found::maybe(there.then_some(Thing::Object(id, entry.oid)))
            }
            _ => return Err(field.unknown()),
        })
    }

    fn commit(&self, home: &Repository, oid: Oid, commit: &Commit, field: &Field<'_>) -> Resolved {
        let id = home.id;
        let state = self.state.borrow();
        Ok(match field.name {
            "message" => Found::leaf(commit.message.as_str()),
            "messageHeadline" => Found::leaf(commit.headline()),
            "authoredDate" => time(commit.author.at),
            "committedDate" => time(commit.committer.at),
            "author" => Found::One(Thing::GitActor(commit.author.clone(), commit.account)),
            "committer" => {
                let same = commit.committer.email == commit.author.email;
                let account = commit.account.filter(|_| same);
                Found::One(Thing::GitActor(commit.committer.clone(), account))
            }
            "tree" => Found::One(Thing::Object(id, commit.tree)),
            "file" => {
                let path = field.text("path").unwrap_or_default();
                let (directory, _) =
                    path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
                let directory = if directory.is_empty() { String::new() } else { format!("{directory}/") };
                let entry = home.objects.entry_at(commit.tree, path);
                Found::maybe(entry.map(|entry| Thing::TreeEntry(id, directory, entry)))
            }
            // People of the sandbox sign nothing.
            "signature" => Found::maybe(commit.verified.then_some(Thing::Signature(true))),
            "url" => Found::leaf(format!("{}/{}/commit/{oid}", state.urls.web, state.full_name(home))),
            "parents" => {
                let parents = commit.parents.iter().map(|parent| Thing::Object(id, *parent)).collect();
                return self.page("CommitConnection", parents, field);
            }
            "history" => {
                let found = home.objects.history(oid);
                let path = field.text("path");
                let touched = found
                    .into_iter()
                    .filter(|(_, commit)| path.is_none_or(|path| touches(home, commit, path)))
                    .map(|(oid, _)| Thing::Object(id, oid));
                return self.page("CommitHistoryConnection", touched.collect(), field);
            }
            "associatedPullRequests" => {
                self.allow(id, READ_PULL_REQUESTS)?;
                let belongs = home.issues.values().filter(|issue| {
                    issue.pull_request.as_ref().is_some_and(|pull| {
                        pull.merged.as_ref().is_some_and(|merged| merged.commit == oid)
                            || home.commits_of(pull).iter().any(|(of, _)| *of == oid)
                    })
                });
                let found = belongs.map(|issue| Thing::Conversation(id, issue.number)).collect();
                return self.page("PullRequestConnection", found, field);
            }
            _ => return Err(field.unknown()),
        })
    }

    pub(super) fn git_actor(
        &self,
        signature: &Signature,
        account: Option<AccountId>,
        field: &Field<'_>,
    ) -> Resolved {
        Ok(match field.name {
            "name" => Found::leaf(signature.name.as_str()),
            "email" => Found::leaf(signature.email.as_str()),
            "date" => time(signature.at),
            "user" => {
                let known = account.filter(|id| self.state.borrow().account(*id).is_some());
                Found::maybe(known.map(Thing::CommitUser))
            }
            _ => return Err(field.unknown()),
        })
    }

    /// A reference by node id.
    pub(super) fn reference_of(&self, id: &str) -> Result<(RepositoryId, String), Problem> {
        match self.node(id)? {
            Thing::Ref(home, name) => Ok((home, name)),
            _ => Err(Problem::not_found(format!(
                "Could not resolve to Ref node with the global id of '{id}'."
            ))),
        }
    }
}

fn blob(content: &[u8], limit: usize, field: &Field<'_>) -> Resolved {
    let binary = content.iter().take(BINARY_PROBE).any(|byte| *byte == 0);
    Ok(match field.name {
        "byteSize" => Found::leaf(content.len()),
        "isBinary" => Found::leaf(binary),
        "isTruncated" => Found::leaf(!binary && content.len() > limit),
        "text" if binary => Found::NULL,
        "text" => {
            let shown = &content[..content.len().min(limit)];
            Found::leaf(String::from_utf8_lossy(shown).into_owned())
        }
        _ => return Err(field.unknown()),
    })
}

/// Where a tree stands beneath the default branch, empty or ending in a slash.
fn directory_of(home: &Repository, tree: Oid) -> String {
    let root = home.head().and_then(|head| home.objects.commit(head)).map(|commit| commit.tree);
    let entries = root.filter(|root| *root != tree).map(|root| home.objects.entries(root));
    let found = entries.into_iter().flatten().find(|(_, entry)| entry.oid == tree);
    found.map_or_else(String::new, |(path, _)| format!("{path}/"))
}

/// Whether a commit changed what stands at a path, against its first parent.
fn touches(home: &Repository, commit: &Commit, path: &str) -> bool {
    let at = |tree: Oid| home.objects.entry_at(tree, path).map(|entry| (entry.mode, entry.oid));
    let parent = commit.parents.first().and_then(|parent| home.objects.commit(*parent));
    at(commit.tree) != parent.and_then(|parent| at(parent.tree))
}
