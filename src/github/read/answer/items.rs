//! Issues, pull requests and branches.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Nodes, OurNames, Result, Tip, Whole, part};
use crate::{
    domain::{
        observed::{Actor, Branch, Item, ItemKind, ItemState, Observed},
        repository::{AccountId, RepositoryId},
    },
    github::error::Error,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ours {
    label: Option<Value>,
    // Where many repositories are read, these lists are not.
    #[serde(default)]
    issues: Nodes<RawItem>,
    #[serde(default)]
    files_pull_requests: Nodes<RawItem>,
    #[serde(default)]
    license_pull_requests: Nodes<RawItem>,
    branches: Option<Nodes<RawBranch>>,
}

#[derive(Deserialize)]
struct RawBranch {
    name: String,
    target: Option<Tip>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Author {
    #[serde(rename = "__typename")]
    kind: String,
    login: String,
    database_id: Option<AccountId>,
}

impl Author {
    pub(super) fn into_actor(self) -> Actor {
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
    head_ref_name: Option<String>,
    #[serde(default)]
    is_cross_repository: bool,
    created_at: Timestamp,
    closed_at: Option<Timestamp>,
    repository: Named,
    author: Option<Author>,
    timeline_items: Option<Nodes<Happened>>,
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
    fn into_item(self) -> Result<Item> {
        let (kind, state) = match (&self.state, &self.pull_request_state) {
            (_, Some(state)) => (ItemKind::PullRequest, state.as_str()),
            (Some(state), None) => (ItemKind::Issue, state.as_str()),
            (None, None) => {
                return Err(Error::Permanent("GitHub's answer states no state of an item".to_owned()));
            }
        };
        let closed = || {
            let last = self.timeline_items.and_then(|items| items.nodes.into_iter().flatten().next_back());
            let at = last.as_ref().and_then(|last| last.created_at).or(self.closed_at);
            ItemState::Closed { by: last.and_then(|last| last.actor).map(Author::into_actor), at }
        };
        let state = match state {
            "OPEN" => ItemState::Open,
            "MERGED" => ItemState::Merged,
            "CLOSED" => closed(),
            other => {
                return Err(Error::Permanent(format!(
                    "GitHub's answer has an unknown state of an item: {other:?}"
                )));
            }
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
            branch: self.head_ref_name,
            created_at: self.created_at,
        })
    }
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
        let mut observed = Observed { label_exists: ours.label.is_some(), ..Observed::default() };
        let listed = [ours.issues, ours.files_pull_requests, ours.license_pull_requests];
        // A branch of the same name in a fork is not ours.
        let listed =
            listed.into_iter().flat_map(|list| list.nodes).flatten().filter(|item| !item.is_cross_repository);
        let mut items: Vec<Item> = listed.map(RawItem::into_item).collect::<Result<_>>()?;
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
