//! Global node ids of the GraphQL API: opaque outside, a kind and numbers inside.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Account, AccountKind, Repository, RepositoryId, State};
use crate::git::Oid;

/// What a node id names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the GraphQL type of that name, with its numeric ids")]
pub enum Node {
    User(u64),
    Bot(u64),
    Organization(u64),
    Enterprise(u64),
    App(u64),
    Installation(u64),
    Repository(RepositoryId),
    Issue(RepositoryId, u64),
    PullRequest(RepositoryId, u64),
    IssueComment(RepositoryId, u64),
    Label(RepositoryId, u64),
    Reaction(u64),
    CheckSuite(RepositoryId, u64),
    CheckRun(RepositoryId, u64),
    Ref(RepositoryId, String),
    /// A commit, tree or blob.
    Object(RepositoryId, Oid),
}

impl Node {
    /// The id as GitHub would hand it out: a prefix and an opaque rest.
    pub fn encode(&self) -> String {
        let (prefix, rest) = match self {
            Node::User(id) => ("U", id.to_string()),
            Node::Bot(id) => ("BOT", id.to_string()),
            Node::Organization(id) => ("O", id.to_string()),
            Node::Enterprise(id) => ("E", id.to_string()),
            Node::App(id) => ("A", id.to_string()),
            Node::Installation(id) => ("MDIz", id.to_string()),
            Node::Repository(id) => ("R", id.to_string()),
            Node::Issue(home, number) => ("I", format!("{home}:{number}")),
            Node::PullRequest(home, number) => ("PR", format!("{home}:{number}")),
            Node::IssueComment(home, id) => ("IC", format!("{home}:{id}")),
            Node::Label(home, id) => ("LA", format!("{home}:{id}")),
            Node::Reaction(id) => ("REA", id.to_string()),
            Node::CheckSuite(home, id) => ("CS", format!("{home}:{id}")),
            Node::CheckRun(home, id) => ("CR", format!("{home}:{id}")),
            Node::Ref(home, name) => ("REF", format!("{home}:{name}")),
            Node::Object(home, oid) => ("C", format!("{home}:{oid}")),
        };
        format!("{prefix}_{}", URL_SAFE_NO_PAD.encode(rest))
    }

    /// Reads an id; `None` for one that was never handed out.
    pub fn decode(id: &str) -> Option<Node> {
        let (prefix, rest) = id.split_once('_')?;
        let rest = String::from_utf8(URL_SAFE_NO_PAD.decode(rest).ok()?).ok()?;
        let single = || rest.parse::<u64>().ok();
        let pair = || rest.split_once(':').and_then(|(home, inner)| Some((home.parse::<u64>().ok()?, inner)));
        let numbers = || pair().and_then(|(home, inner)| Some((home, inner.parse::<u64>().ok()?)));
        Some(match prefix {
            "U" => Node::User(single()?),
            "BOT" => Node::Bot(single()?),
            "O" => Node::Organization(single()?),
            "E" => Node::Enterprise(single()?),
            "A" => Node::App(single()?),
            "MDIz" => Node::Installation(single()?),
            "R" => Node::Repository(single()?),
            "I" => numbers().map(|(home, number)| Node::Issue(home, number))?,
            "PR" => numbers().map(|(home, number)| Node::PullRequest(home, number))?,
            "IC" => numbers().map(|(home, id)| Node::IssueComment(home, id))?,
            "LA" => numbers().map(|(home, id)| Node::Label(home, id))?,
            "REA" => Node::Reaction(single()?),
            "CS" => numbers().map(|(home, id)| Node::CheckSuite(home, id))?,
            "CR" => numbers().map(|(home, id)| Node::CheckRun(home, id))?,
            "REF" => pair().map(|(home, name)| Node::Ref(home, name.to_owned()))?,
            "C" => pair().and_then(|(home, oid)| Some(Node::Object(home, oid.parse().ok()?)))?,
            _ => return None,
        })
    }
}

impl Node {
    /// The repository it is, or is in.
    pub fn home(&self) -> Option<RepositoryId> {
        match self {
            Node::Repository(home)
            | Node::Issue(home, _)
            | Node::PullRequest(home, _)
            | Node::IssueComment(home, _)
            | Node::Label(home, _)
            | Node::CheckSuite(home, _)
            | Node::CheckRun(home, _)
            | Node::Ref(home, _)
            | Node::Object(home, _) => Some(*home),
            Node::User(_)
            | Node::Bot(_)
            | Node::Organization(_)
            | Node::Enterprise(_)
            | Node::App(_)
            | Node::Installation(_)
            | Node::Reaction(_) => None,
        }
    }
}

impl Account {
    /// The account's node id.
    pub fn node_id(&self) -> String {
        match self.kind {
            AccountKind::User => Node::User(self.id),
            AccountKind::Bot => Node::Bot(self.id),
            AccountKind::Organization(_) => Node::Organization(self.id),
            AccountKind::Enterprise => Node::Enterprise(self.id),
        }
        .encode()
    }
}

impl State {
    pub(crate) fn node_id_of(&self, repository: &Repository) -> String {
        Node::Repository(repository.id).encode()
    }
}
