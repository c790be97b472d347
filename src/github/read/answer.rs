//! GitHub's answers, turned into values of the domain.
//!
//! Promises: (1) a folder counts as absent only if its parent was read whole
//! and does not hold it; (2) names come in as GitHub has them, since a name
//! with a newline is data; (3) an author is an id.

use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Inherited, ListedRepository, Listing, OurNames};
use crate::{
    domain::{
        observed::{
            Actor, Branch, Item, ItemKind, ItemState, Observed, PolicyCommit, PolicySource, Proposal,
        },
        repository::{
            AccountId, Entry, EntryKind, Files, Head, ObjectId, Repository, RepositoryId, RepositoryName,
            Visibility,
        },
    },
    github::error::{Error, Result},
};

/// More entries than GitHub lists of one tree (threats §4).
const MAX_ENTRIES: usize = 100_000;

/// The answer of the three documents about one repository. Its parts are read
/// one by one, since the documents share fragments, not a form.
#[derive(Debug, Deserialize)]
pub(super) struct Whole {
    pub(super) repository: Value,
    #[serde(default)]
    pub(super) home: Option<Value>,
    #[serde(default)]
    known: Vec<Value>,
}

/// Reads one part of an answer.
fn part<T: DeserializeOwned>(value: &Value) -> Result<T> {
    T::deserialize(value)
        .map_err(|error| Error::Permanent(format!("a part of GitHub's answer is not as documented: {error}")))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Facts {
    id: String,
    database_id: RepositoryId,
    name_with_owner: String,
    url: String,
    description: Option<String>,
    visibility: String,
    is_archived: bool,
    is_disabled: bool,
    is_fork: bool,
    is_mirror: bool,
    is_template: bool,
    has_issues_enabled: bool,
    created_at: Timestamp,
    pushed_at: Option<Timestamp>,
    license_info: Option<LicenseInfo>,
    default_branch_ref: Option<DefaultBranch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LicenseInfo {
    spdx_id: Option<String>,
}

#[derive(Deserialize)]
struct DefaultBranch {
    name: String,
    target: Option<Tip>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tip {
    oid: ObjectId,
    committed_date: Option<Timestamp>,
    message: Option<String>,
    author: Option<GitActor>,
}

#[derive(Deserialize)]
struct GitActor {
    user: Option<GitUser>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GitUser {
    database_id: Option<AccountId>,
    #[serde(default)]
    login: String,
}

#[derive(Deserialize)]
struct Tree {
    #[serde(rename = "__typename")]
    kind: String,
    entries: Option<Vec<TreeEntry>>,
}

#[derive(Deserialize)]
struct TreeEntry {
    name: String,
    mode: u32,
    oid: ObjectId,
    size: Option<u64>,
}

impl TreeEntry {
    fn into_entry(self, folder: &str) -> Entry {
        // The octal modes of git, which GitHub writes in decimal.
        let kind = match self.mode & 0o170_000 {
            0o040_000 => EntryKind::Folder,
            0o120_000 => EntryKind::Link,
            0o160_000 => EntryKind::Submodule,
            _ => EntryKind::File,
        };
        let path = if folder.is_empty() { self.name } else { format!("{folder}/{}", self.name) };
        let size = self.size.filter(|_| kind == EntryKind::File);
        Entry { path, kind, oid: Some(self.oid), size }
    }
}

/// The folders read, and the names GitHub answers them under.
const FOLDERS: [(&str, &str); 4] =
    [("root", ""), ("dotGithub", ".github"), ("docs", "docs"), ("licenses", "LICENSES")];

fn listings(repository: &Value, empty: bool) -> Result<Files> {
    let mut files = Files::default();
    for (alias, folder) in FOLDERS {
        let tree: Option<Tree> = part(&repository[alias])?;
        let listing = match tree {
            Some(Tree { kind, entries: Some(entries) }) if kind == "Tree" => {
                if entries.len() >= MAX_ENTRIES {
                    Listing::Unread(format!("it has {MAX_ENTRIES} entries or more"))
                } else {
                    Listing::Entries(entries.into_iter().map(|entry| entry.into_entry(folder)).collect())
                }
            }
            Some(Tree { kind, entries: None }) if kind == "Tree" => {
                Listing::Unread("GitHub did not list it".to_owned())
            }
            // A file, a link or a submodule of that name is no folder.
            Some(_) => Listing::Absent,
            None if folder.is_empty() && empty => Listing::Absent,
            None if folder.is_empty() => Listing::Unread("GitHub did not list it".to_owned()),
            None => match (files.unread(""), files.entry(folder).map(|entry| entry.kind)) {
                (Some(why), _) => Listing::Unread(why.to_owned()),
                (None, Some(EntryKind::Folder)) => Listing::Unread("GitHub did not list it".to_owned()),
                (None, Some(EntryKind::File | EntryKind::Link | EntryKind::Submodule) | None) => {
                    Listing::Absent
                }
            },
        };
        files.folders.insert(folder.to_owned(), listing);
    }
    Ok(files)
}

#[derive(Deserialize)]
struct Nodes<T> {
    #[serde(default = "Vec::new")]
    nodes: Vec<Option<T>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counted<T> {
    total_count: usize,
    nodes: Vec<Option<T>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ours {
    label: Option<Value>,
    issues: Nodes<RawItem>,
    files_pull_requests: Nodes<RawItem>,
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
struct Author {
    #[serde(rename = "__typename")]
    kind: String,
    login: String,
    database_id: Option<AccountId>,
}

impl Author {
    fn into_actor(self) -> Actor {
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OpenPullRequest {
    number: u64,
    head_ref_name: String,
    is_cross_repository: bool,
    author: Option<Author>,
    files: Option<Counted<ChangedFile>>,
}

#[derive(Deserialize)]
struct ChangedFile {
    path: String,
}

impl Whole {
    pub(super) fn id(&self) -> Option<RepositoryId> {
        self.repository.get("databaseId")?.as_u64().map(RepositoryId)
    }

    /// The facts, the listings without texts, and what is ours.
    pub(super) fn repository(
        &self,
        asked: &RepositoryName,
        names: &OurNames,
        known: &[String],
    ) -> Result<(Repository, Files, Observed)> {
        let facts: Facts = part(&self.repository)?;
        let head = facts.default_branch_ref.and_then(|branch| {
            let tip = branch.target?;
            Some(Head { branch: branch.name, oid: tip.oid, committed_at: tip.committed_date })
        });
        let files = listings(&self.repository, head.is_none())?;
        let (_, observed) = self.observed(names, known)?;
        let repository = Repository {
            id: facts.database_id,
            node_id: facts.id,
            name: facts.name_with_owner.parse().unwrap_or_else(|_| asked.clone()),
            url: facts.url,
            visibility: visibility(&facts.visibility)?,
            archived: facts.is_archived,
            fork: facts.is_fork,
            mirror: facts.is_mirror,
            template: facts.is_template,
            disabled: facts.is_disabled,
            issues_enabled: facts.has_issues_enabled,
            description: facts.description.filter(|text| !text.is_empty()),
            github_license: facts.license_info.and_then(|license| license.spdx_id),
            created_at: facts.created_at,
            pushed_at: facts.pushed_at,
            head,
        };
        Ok((repository, files, observed))
    }

    /// What is ours, and the id of the repository it stands in.
    pub(super) fn observed(&self, names: &OurNames, known: &[String]) -> Result<(RepositoryId, Observed)> {
        let id: Named = part(&self.repository)?;
        let ours: Ours = part(&self.repository)?;
        let mut observed = Observed { label_exists: ours.label.is_some(), ..Observed::default() };
        let listed = [ours.issues, ours.files_pull_requests, ours.license_pull_requests];
        // A branch of the same name in a fork is not ours.
        let listed =
            listed.into_iter().flat_map(|list| list.nodes).flatten().filter(|item| !item.is_cross_repository);
        let mut items: Vec<Item> = listed.map(RawItem::into_item).collect::<Result<_>>()?;
        for (at, asked) in known.iter().enumerate() {
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

    /// What the organization hands down, and where its policy comes from; the
    /// text of a policy that did not come as text is still to be read.
    pub(super) fn home(&self) -> (Inherited, PolicySource) {
        let Some(home) = self.home.as_ref().filter(|home| !home.is_null()) else {
            return (Inherited::None, PolicySource::Absent);
        };
        let files = listings(home, true);
        let visible = home["visibility"].as_str().unwrap_or_default().parse::<Visibility>();
        let (Ok(files), Ok(visibility)) = (files, visible) else {
            let why = || "GitHub's answer about it is not as documented".to_owned();
            return (Inherited::Unread(why()), PolicySource::Unread(why()));
        };
        let policy = policy(home, &files);
        (Inherited::Files { visibility, files }, policy)
    }

    /// The object id of the policy file.
    pub(super) fn policy_oid(&self) -> Option<ObjectId> {
        self.home.as_ref()?["policy"]["oid"].as_str()?.parse().ok()
    }

    /// Open pull requests, and whether these are all.
    pub(super) fn proposals(&self) -> Result<(Vec<Proposal>, bool)> {
        let open: Counted<OpenPullRequest> = part(&self.repository["open"])?;
        let complete = open.total_count <= open.nodes.iter().flatten().count();
        let proposals = open.nodes.into_iter().flatten().map(|pull| {
            let (paths, complete) = match pull.files {
                None => (Vec::new(), false),
                Some(files) => {
                    let paths: Vec<String> =
                        files.nodes.into_iter().flatten().map(|file| file.path).collect();
                    let complete = files.total_count <= paths.len();
                    (paths, complete)
                }
            };
            Proposal {
                number: pull.number,
                branch: pull.head_ref_name,
                from_fork: pull.is_cross_repository,
                author: pull.author.map(Author::into_actor),
                paths,
                complete,
            }
        });
        Ok((proposals.collect(), complete))
    }
}

/// Where the policy stands.
const POLICY: &str = ".github/muster.yml";

fn policy(home: &Value, files: &Files) -> PolicySource {
    if let Some(why) = files.unread(".github") {
        return PolicySource::Unread(why.to_owned());
    }
    let Some(entry) = files.entry(POLICY) else { return PolicySource::Absent };
    match (entry.kind, &entry.oid) {
        (EntryKind::File, Some(oid)) => {
            PolicySource::Text { oid: oid.clone(), text: None, commit: policy_commit(home) }
        }
        (EntryKind::File | EntryKind::Folder | EntryKind::Link | EntryKind::Submodule, _) => {
            PolicySource::Unread(format!("{POLICY} is not a regular file"))
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HistoryCommit {
    oid: ObjectId,
    author: Option<GitActor>,
    associated_pull_requests: Option<Nodes<AssociatedPullRequest>>,
}

#[derive(Deserialize)]
struct AssociatedPullRequest {
    number: u64,
    merged: bool,
}

fn policy_commit(home: &Value) -> Option<PolicyCommit> {
    let history: Nodes<HistoryCommit> = part(&home["policyHead"]["history"]).ok()?;
    let commit = history.nodes.into_iter().flatten().next()?;
    let author = commit.author.and_then(|author| author.user).map(|user| Actor {
        id: user.database_id,
        login: user.login,
        bot: false,
    });
    let pulls = commit.associated_pull_requests.into_iter().flat_map(|pulls| pulls.nodes).flatten();
    let merged = pulls.filter(|pull| pull.merged).map(|pull| pull.number).next();
    Some(PolicyCommit { oid: commit.oid, author, merged_pull_request: merged })
}

fn visibility(word: &str) -> Result<Visibility> {
    word.parse().map_err(|()| Error::Permanent("GitHub's answer has an unknown visibility".to_owned()))
}

/// A repository as REST lists it.
#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    id: RepositoryId,
    node_id: String,
    full_name: String,
    private: bool,
    visibility: Option<String>,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    fork: bool,
    pushed_at: Option<Timestamp>,
    #[serde(default)]
    default_branch: String,
}

impl Listed {
    pub(super) fn into_repository(self) -> Result<ListedRepository> {
        let name = self
            .full_name
            .parse()
            .map_err(|error| Error::Permanent(format!("GitHub's list has a name that is none: {error}")))?;
        let visibility = match (self.visibility.as_deref(), self.private) {
            (Some(word), _) => visibility(word)?,
            (None, true) => Visibility::Private,
            (None, false) => Visibility::Public,
        };
        Ok(ListedRepository {
            id: self.id,
            node_id: self.node_id,
            name,
            visibility,
            archived: self.archived,
            fork: self.fork,
            pushed_at: self.pushed_at,
            default_branch: self.default_branch,
        })
    }
}
