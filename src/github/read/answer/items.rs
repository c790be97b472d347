//! Issues, pull requests and branches.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{ChangedFile, Counted, GitActor, Nodes, OurNames, Result, Tip, Whole, part};
use crate::{
    domain::{
        observed::{
            Actor, Branch, Comment, HOLD, HoldLabel, Item, ItemKind, ItemState, Lock, Observed, OpenPull,
            ProposedCommit, Pull,
        },
        outgoing::TARGET_PATHS,
        repository::{AccountId, ObjectId, RepositoryId},
    },
    github::error::Error,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ours {
    has_issues_enabled: bool,
    label: Option<Value>,
    // Where many repositories are read, these lists are not.
    #[serde(default)]
    issues: Nodes<RawItem>,
    #[serde(default)]
    labelled: Nodes<RawItem>,
    #[serde(default)]
    files_open: Nodes<RawItem>,
    #[serde(default)]
    license_open: Nodes<RawItem>,
    #[serde(default)]
    code_json_open: Nodes<RawItem>,
    #[serde(default)]
    files_pull_requests: Nodes<RawItem>,
    #[serde(default)]
    license_pull_requests: Nodes<RawItem>,
    #[serde(default)]
    code_json_pull_requests: Nodes<RawItem>,
    branches: Option<Nodes<RawBranch>>,
}

#[derive(Deserialize)]
struct RawBranch {
    name: String,
    target: Option<Tip>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::github::read) struct Author {
    #[serde(rename = "__typename")]
    kind: String,
    login: String,
    database_id: Option<AccountId>,
}

impl Author {
    pub(in crate::github::read) fn into_actor(self) -> Actor {
        Actor { id: self.database_id, login: self.login, bot: self.kind == "Bot" }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawItem {
    id: String,
    number: u64,
    url: String,
    title: String,
    body: String,
    state: Option<String>,
    pull_request_state: Option<String>,
    locked: bool,
    head_ref_name: Option<String>,
    head_ref_oid: Option<ObjectId>,
    #[serde(default)]
    is_cross_repository: bool,
    #[serde(default)]
    is_draft: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
    closed_at: Option<Timestamp>,
    repository: Named,
    author: Option<Author>,
    timeline_items: Option<Nodes<Happened>>,
    commits: Option<Counted<RawProposed>>,
    // Read of what is known or open only.
    comments: Option<Nodes<Said>>,
    locking: Option<Nodes<Happened>>,
    labels: Option<Nodes<Label>>,
    labeling: Option<Nodes<Labeled>>,
    auto_merge_request: Option<AutoMerge>,
    mergeable: Option<String>,
    files: Option<Counted<ChangedFile>>,
    bottom: Option<Nodes<Bottom>>,
    head_ref: Option<HeadRef>,
}

#[derive(Deserialize)]
struct RawProposed {
    commit: RawCommit,
}

#[derive(Deserialize)]
struct RawCommit {
    oid: ObjectId,
    author: Option<GitActor>,
    signature: Option<Signature>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signature {
    was_signed_by_git_hub: bool,
    is_valid: bool,
}

#[derive(Deserialize)]
struct Said {
    author: Option<Author>,
    body: String,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

#[derive(Deserialize)]
struct Labeled {
    actor: Option<Author>,
    label: Option<Label>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AutoMerge {
    enabled_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Bottom {
    commit: Parents,
}

#[derive(Deserialize)]
struct Parents {
    parents: Nodes<Oid>,
}

#[derive(Deserialize)]
struct Oid {
    oid: ObjectId,
}

#[derive(Deserialize)]
struct HeadRef {
    target: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    database_id: RepositoryId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Happened {
    created_at: Option<Timestamp>,
    actor: Option<Author>,
}

/// GitHub's stamp on an issue or a pull request: its state, when it changed
/// last, and the repository it stands in. `None` if it is neither any more.
pub(in crate::github::read) fn stamp(node: &Value) -> Option<String> {
    let kind = node["__typename"].as_str()?;
    let state = match kind {
        "Issue" => &node["state"],
        "PullRequest" => &node["pullRequestState"],
        _ => return None,
    };
    let (changed, home) = (node["updatedAt"].as_str()?, node["repository"]["databaseId"].as_u64()?);
    Some(format!("{} {changed} {home}", state.as_str()?))
}

impl RawItem {
    /// What only a pull request has; `None` for an issue.
    fn take_pull(&mut self) -> Option<Box<Pull>> {
        let (branch, head) = (self.head_ref_name.take()?, self.head_ref_oid.take()?);
        let commits = self.commits.take();
        let total = commits.as_ref().map_or(usize::MAX, |commits| commits.total_count);
        let commits = commits.into_iter().flat_map(|commits| commits.nodes).flatten();
        let commits: Vec<ProposedCommit> = commits.map(|raw| raw.commit.into_commit()).collect();
        Some(Box::new(Pull {
            branch,
            head,
            draft: self.is_draft,
            commits_complete: total == commits.len(),
            commits,
            open: self.take_open(),
        }))
    }

    /// What is read of an open pull request only.
    fn take_open(&mut self) -> Option<OpenPull> {
        let changed = self.files.take()?;
        let target = self.head_ref.take().and_then(|head| head.target).unwrap_or_default();
        let blob = |path: &str| {
            let at = TARGET_PATHS.iter().position(|target| *target == path)?;
            target[format!("f{at}")]["oid"].as_str()?.parse().ok()
        };
        let files: Vec<_> =
            changed.nodes.into_iter().flatten().map(|file| (blob(&file.path), file.path)).collect();
        let files: Vec<(String, Option<ObjectId>)> = files.into_iter().map(|(b, path)| (path, b)).collect();
        let made_on = self.bottom.take().and_then(first).and_then(|bottom| first(bottom.commit.parents));
        Some(OpenPull {
            made_on: made_on.map(|parent| parent.oid),
            files_complete: changed.total_count == files.len(),
            files,
            conflicting: self.mergeable.as_deref() == Some("CONFLICTING"),
            hold: self.take_hold(),
            auto_merge_since: self.auto_merge_request.take().and_then(|request| request.enabled_at),
        })
    }

    fn take_hold(&mut self) -> Option<HoldLabel> {
        let is_hold = |label: &Label| label.name.eq_ignore_ascii_case(HOLD);
        if !self.labels.take()?.nodes.iter().flatten().any(is_hold) {
            return None;
        }
        let mut events = self.labeling.take().into_iter().flat_map(|events| events.nodes).flatten();
        let last = events.rfind(|event| event.label.as_ref().is_some_and(is_hold));
        Some(HoldLabel { by: last.and_then(|event| event.actor).map(Author::into_actor) })
    }

    fn into_item(mut self) -> Result<Item> {
        let (kind, state) = match (self.state.take(), self.pull_request_state.take()) {
            (_, Some(state)) => (ItemKind::PullRequest, state),
            (Some(state), None) => (ItemKind::Issue, state),
            (None, None) => {
                return Err(Error::Permanent("GitHub's answer states no state of an item".to_owned()));
            }
        };
        let pull = self.take_pull();
        let last = self.timeline_items.take().and_then(|items| items.nodes.into_iter().flatten().next_back());
        let closed = || {
            let at = last.as_ref().and_then(|last| last.created_at).or(self.closed_at);
            ItemState::Closed { by: last.and_then(|last| last.actor).map(Author::into_actor), at }
        };
        let state = match state.as_str() {
            "OPEN" => ItemState::Open,
            "MERGED" => ItemState::Merged,
            "CLOSED" => closed(),
            other => {
                return Err(Error::Permanent(format!(
                    "GitHub's answer has an unknown state of an item: {other:?}"
                )));
            }
        };
        let locking = self.locking.and_then(first).and_then(|event| event.actor).map(Author::into_actor);
        let comments = self.comments.into_iter().flat_map(|comments| comments.nodes).flatten();
        let comment = |said: Said| Comment {
            author: said.author.and_then(|author| author.database_id),
            body: said.body,
        };
        Ok(Item {
            kind,
            node_id: self.id,
            number: self.number,
            url: self.url,
            repository: self.repository.database_id,
            title: self.title,
            body: self.body,
            state,
            author: self.author.map(Author::into_actor),
            created_at: self.created_at,
            updated_at: self.updated_at,
            lock: self.locked.then_some(Lock { by: locking }),
            comments: comments.map(comment).collect(),
            pull,
        })
    }
}

impl RawCommit {
    fn into_commit(self) -> ProposedCommit {
        let signed = self.signature.is_some_and(|it| it.was_signed_by_git_hub && it.is_valid);
        ProposedCommit {
            oid: self.oid,
            author: self.author.and_then(|author| author.user).and_then(|user| user.database_id),
            signed_by_github: signed,
        }
    }
}

fn first<T>(nodes: Nodes<T>) -> Option<T> {
    nodes.nodes.into_iter().flatten().next()
}

impl Whole {
    /// What is ours, and the id of the repository it stands in.
    pub(in crate::github::read) fn observed(
        &self,
        names: &OurNames,
        known: &[String],
    ) -> Result<(RepositoryId, Observed)> {
        let id: Named = part(&self.repository)?;
        let ours: Ours = part(&self.repository)?;
        let mut observed = Observed {
            issues_enabled: ours.has_issues_enabled,
            label_exists: ours.label.is_some(),
            ..Observed::default()
        };
        // Of one that comes twice, the fuller answer first.
        let open = [ours.files_open, ours.license_open, ours.code_json_open];
        let listed = [
            ours.issues,
            ours.labelled,
            ours.files_pull_requests,
            ours.license_pull_requests,
            ours.code_json_pull_requests,
        ];
        // A branch of the same name in a fork is not ours.
        let here = |lists: Vec<Nodes<RawItem>>| {
            let items = lists.into_iter().flat_map(|list| list.nodes).flatten();
            items.filter(|item| !item.is_cross_repository).map(RawItem::into_item).collect::<Result<Vec<_>>>()
        };
        let mut items: Vec<Item> = here(open.into())?;
        for (at, asked) in known.iter().enumerate() {
            observed.stamps.insert(asked.clone(), self.known.get(at).and_then(stamp));
            match self.known.get(at) {
                Some(node) if matches!(node["__typename"].as_str(), Some("Issue" | "PullRequest")) => {
                    items.push(part::<RawItem>(node)?.into_item()?);
                }
                Some(_) => observed.gone.push(asked.clone()),
                None => return Err(Error::Partial("GraphQL nodes".to_owned())),
            }
        }
        items.extend(here(listed.into())?);
        items.sort_by(|a, b| (a.number, &a.node_id).cmp(&(b.number, &b.node_id)));
        items.dedup_by(|a, b| a.node_id == b.node_id);
        observed.items = items;
        for branch in ours.branches.into_iter().flat_map(|branches| branches.nodes).flatten() {
            let Some(tip) = branch.target else { continue };
            // GitHub names it from after `refs/heads/`, or from after the prefix
            // asked for.
            let name = match branch.name.starts_with(&names.prefix) {
                true => branch.name,
                false => format!("{}{}", names.prefix, branch.name),
            };
            let author = tip.author.and_then(|author| author.user).and_then(|user| user.database_id);
            observed.branches.push(Branch {
                name,
                tip: tip.oid,
                author,
                message: tip.message.unwrap_or_default(),
            });
        }
        Ok((id.database_id, observed))
    }
}
