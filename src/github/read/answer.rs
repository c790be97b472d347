//! GitHub's answers, turned into values of the domain.
//!
//! Promises: (1) a folder counts as absent only if its parent was read whole
//! and does not hold it; (2) names come in as GitHub has them, since a name
//! with a newline is data; (3) an author is an id.

mod items;
mod policy;
mod tree;

use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

pub(super) use self::{
    items::{Author, stamp},
    tree::entry_kind,
};
use self::{policy::policy, tree::listings};
use super::{Inherited, Kept, ListedRepository, NowSeen, OurNames};
use crate::{
    domain::{
        observed::{Observed, PolicySource, Proposal},
        policy::Published,
        repository::{
            AccountId, Files, Head, ObjectId, Repository, RepositoryId, RepositoryName, Visibility,
        },
    },
    github::error::{Error, Result},
};

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
pub(super) fn part<T: DeserializeOwned>(value: &Value) -> Result<T> {
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
    #[serde(default)]
    homepage_url: Option<String>,
    #[serde(default)]
    fork_count: u64,
    #[serde(default)]
    repository_topics: Nodes<RepositoryTopic>,
    #[serde(default)]
    languages: Option<Nodes<Named>>,
    license_info: Option<LicenseInfo>,
    default_branch_ref: Option<DefaultBranch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LicenseInfo {
    spdx_id: Option<String>,
}

#[derive(Deserialize)]
struct RepositoryTopic {
    topic: Named,
}

#[derive(Deserialize)]
struct Named {
    name: String,
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
struct Nodes<T> {
    #[serde(default = "Vec::new")]
    nodes: Vec<Option<T>>,
}

impl<T> Default for Nodes<T> {
    fn default() -> Self {
        Nodes { nodes: Vec::new() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counted<T> {
    pub(super) total_count: usize,
    pub(super) nodes: Vec<Option<T>>,
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
pub(super) struct ChangedFile {
    pub(super) path: String,
}

impl Whole {
    /// What was read of the organization alone.
    pub(super) fn of_home(home: Option<Value>) -> Whole {
        Whole { repository: Value::Null, home, known: Vec::new() }
    }

    /// What was read of one repository among many.
    pub(super) fn of_one(repository: Value, known: Vec<Value>) -> Whole {
        Whole { repository, home: None, known }
    }

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
        let repository = Whole::facts(&self.repository, asked)?;
        let files = listings(&self.repository, repository.head.is_none())?;
        let (_, observed) = self.observed(names, known)?;
        Ok((repository, files, observed))
    }

    /// The facts of a repository that was asked for under this name.
    pub(super) fn facts(repository: &Value, asked: &RepositoryName) -> Result<Repository> {
        let facts: Facts = part(repository)?;
        let head = facts.default_branch_ref.and_then(|branch| {
            let tip = branch.target?;
            Some(Head { branch: branch.name, oid: tip.oid, committed_at: tip.committed_date })
        });
        Ok(Repository {
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
            homepage: facts.homepage_url.filter(|text| !text.is_empty()),
            former_urls: Vec::new(),
            topics: facts.repository_topics.nodes.into_iter().flatten().map(|it| it.topic.name).collect(),
            languages: facts
                .languages
                .unwrap_or_default()
                .nodes
                .into_iter()
                .flatten()
                .map(|it| it.name)
                .collect(),
            forks: facts.fork_count,
            github_license: facts.license_info.and_then(|license| license.spdx_id),
            created_at: facts.created_at,
            pushed_at: facts.pushed_at,
            head,
        })
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

/// One element of a list of repositories; `None` for one that is gone.
pub(super) fn now_seen(node: &Value) -> Result<Option<(RepositoryId, NowSeen)>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Seen {
        database_id: RepositoryId,
        name_with_owner: String,
        visibility: String,
        is_archived: bool,
    }
    if node["__typename"].as_str() != Some("Repository") {
        return Ok(None);
    }
    let seen: Seen = part(node)?;
    let name = seen
        .name_with_owner
        .parse()
        .map_err(|error| Error::Permanent(format!("GitHub's answer has a name that is none: {error}")))?;
    let (visibility, archived) = (visibility(&seen.visibility)?, seen.is_archived);
    Ok(Some((seen.database_id, NowSeen { name, visibility, archived })))
}

/// What stands in the repository of an inventory; `None` if that is gone.
pub(super) fn kept(node: &Value) -> Result<Option<Kept>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Home {
        index: Option<Object>,
        code: Option<Object>,
        pull_requests: Nodes<Open>,
    }
    #[derive(Deserialize)]
    struct Object {
        oid: ObjectId,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Open {
        number: u64,
        created_at: Timestamp,
    }
    if node["__typename"].as_str() != Some("Repository") {
        return Ok(None);
    }
    let home: Home = part(node)?;
    let files = [(Published::AgencyIndex2, home.index), (Published::Gsa2, home.code)];
    let files = files.into_iter().filter_map(|(published, object)| Some((published, object?.oid)));
    let open = home.pull_requests.nodes.into_iter().flatten().next();
    Ok(Some(Kept { files: files.collect(), open: open.map(|open| (open.number, open.created_at)) }))
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
    disabled: bool,
    #[serde(default)]
    fork: bool,
    mirror_url: Option<String>,
    #[serde(default)]
    is_template: bool,
    #[serde(default)]
    has_issues: bool,
    description: Option<String>,
    homepage: Option<String>,
    #[serde(default)]
    topics: Vec<String>,
    license: Option<ListedLicense>,
    created_at: Option<Timestamp>,
    pushed_at: Option<Timestamp>,
    #[serde(default)]
    default_branch: String,
    #[serde(default)]
    forks_count: u64,
}

#[derive(Debug, Deserialize)]
struct ListedLicense {
    spdx_id: Option<String>,
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
            disabled: self.disabled,
            fork: self.fork,
            mirror: self.mirror_url.is_some(),
            template: self.is_template,
            issues_enabled: self.has_issues,
            description: self.description.filter(|text| !text.is_empty()),
            homepage: self.homepage.filter(|text| !text.is_empty()),
            topics: self.topics,
            license: self.license.and_then(|license| license.spdx_id),
            created_at: self.created_at,
            pushed_at: self.pushed_at,
            default_branch: self.default_branch,
            forks: self.forks_count,
        })
    }
}
