//! The state of a GitHub, and every operation on it.
//!
//! Promises: (1) an operation lives once: REST and GraphQL call the same
//! method, so it refuses and causes the same on both; (2) an operation that
//! is refused has changed nothing; (3) every change is told to the
//! installations that subscribed; (4) time comes from one clock.
//!
//! Permissions of Apps are checked by [`State::allow`] before an operation;
//! roles of people are checked by each operation itself.

mod access;
mod account;
mod app;
mod archive;
mod check;
mod delivery;
mod issue;
mod limit;
mod node;
mod pull_request;
mod reference;
mod refusal;
mod repository;
mod traffic;

pub use access::{Caller, Grant, Level, Need, Permission, Permissions};
pub use account::{Account, AccountId, AccountKind, Organization, Role};
pub use app::{App, Installation, InstallationId, NewToken, TokenRequest};
pub(crate) use app::{AppKey, permissions_from, permissions_json};
pub use check::{CheckChange, CheckContent, CheckRun, CheckSuite};
pub use delivery::{Attempt, Delivery};
pub(crate) use delivery::{Scope, unique};
pub use issue::{
    CloseReason, Comment, Edit, Issue, IssueChange, IssueState, Label, Labeled, NewIssue, REACTIONS,
    Reaction, Subject,
};
pub use limit::{Budget, Resource};
pub use node::Node;
pub use pull_request::{AutoMerge, MergeMethod, Merged, NewPullRequest, PullRequest, Review, ReviewVerdict};
pub use reference::{CommitOnBranch, FilePush, RefUpdate};
pub use refusal::Refusal;
pub use repository::{BranchRule, Found, Repository, RepositoryId, Ruleset, Visibility};
pub(crate) use traffic::Sort;
pub use traffic::Traffic;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

/// Where the sandbox's time comes from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Which GitHub is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flavor {
    /// `api.github.com`: REST at the root, GraphQL at `/graphql`.
    #[default]
    DotCom,
    /// GitHub Enterprise Server: REST beneath `/api/v3`, GraphQL at
    /// `/api/graphql`, no rate limits unless switched on, deliveries kept for
    /// 30 days, and its version on every answer.
    Server,
    /// `api.SUBDOMAIN.ghe.com`: paths as on github.com, and no repository is
    /// public (GitHub Docs, "About GitHub Enterprise Cloud with data
    /// residency").
    DataResidency,
}

impl Flavor {
    /// `X-GitHub-Enterprise-Version`, which only a server sends.
    pub(crate) fn version(self) -> Option<&'static str> {
        match self {
            Flavor::Server => Some("3.19.2"),
            Flavor::DotCom | Flavor::DataResidency => None,
        }
    }

    /// How long deliveries are kept: 3 days, on a server 30.
    pub(crate) fn deliveries_kept(self) -> SignedDuration {
        match self {
            Flavor::Server => SignedDuration::from_hours(30 * 24),
            Flavor::DotCom | Flavor::DataResidency => SignedDuration::from_hours(3 * 24),
        }
    }
}

/// The addresses that answers name.
#[derive(Debug, Clone, Default)]
pub struct Urls {
    /// Where REST begins, without a slash at the end.
    pub api: String,
    /// Where GraphQL is posted to.
    pub graphql: String,
    /// Where the pages are, without a slash at the end.
    pub web: String,
}

/// A whole GitHub.
pub struct State {
    clock: Clock,
    /// Which GitHub is played.
    pub(crate) flavor: Flavor,
    /// The addresses that answers name; set when the sandbox starts.
    pub urls: Urls,
    last_id: u64,
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    pub(crate) repositories: BTreeMap<RepositoryId, Repository>,
    app: App,
    pub(crate) installations: BTreeMap<InstallationId, Installation>,
    tokens: HashMap<String, app::Token>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) limits: limit::Limits,
    pub(crate) list_lag: SignedDuration,
    /// Entries a recursive tree listing shows at most; GitHub's is 100,000.
    pub tree_limit: usize,
    /// Bytes of a blob's text GraphQL shows at most; GitHub's is 512 KiB.
    pub text_limit: usize,
    /// Whether GitHub signs the commits it makes: always on github.com, on a
    /// server only once its administrator has set it up.
    pub signs_commits: bool,
    /// While the world is being built nothing is told to anybody.
    pub(crate) silent: bool,
    /// Woken when a delivery is queued.
    pub(crate) changed: Arc<Notify>,
}

impl State {
    /// A GitHub with nothing but one App and its owner.
    pub(crate) fn new(clock: Clock, flavor: Flavor, slug: &str) -> State {
        let now = clock();
        let nothing = App {
            id: 0,
            client_id: String::new(),
            slug: slug.to_owned(),
            name: slug.to_owned(),
            bot: 0,
            owner: 0,
            permissions: Permissions::new(),
            events: Vec::new(),
            hook_url: None,
            webhook_secret: None,
            created_at: now,
        };
        let mut state = State {
            clock,
            flavor,
            urls: Urls::default(),
            last_id: 1000,
            accounts: BTreeMap::new(),
            repositories: BTreeMap::new(),
            app: nothing,
            installations: BTreeMap::new(),
            tokens: HashMap::new(),
            deliveries: Vec::new(),
            limits: limit::Limits { hourly: Some(5000), ..limit::Limits::default() },
            list_lag: SignedDuration::ZERO,
            tree_limit: 100_000,
            text_limit: 512 * 1024,
            signs_commits: true,
            silent: true,
            changed: Arc::new(Notify::new()),
        };
        state.app.id = state.next_id();
        state.app.client_id = format!("Iv23li{:014}", state.app.id);
        state.app.bot = state.add_account(&format!("{slug}[bot]"), AccountKind::Bot);
        state.app.owner = state.add_account("sandbox-admin", AccountKind::User);
        state
    }

    /// Now, to the second, as GitHub writes times.
    pub fn now(&self) -> Timestamp {
        let now = (self.clock)();
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    /// An id never used before.
    pub(crate) fn next_id(&mut self) -> u64 {
        // Uneven steps, so that nobody's test leans on neighbouring ids.
        self.last_id += 7;
        self.last_id
    }

    pub(crate) fn add_account(&mut self, login: &str, kind: AccountKind) -> AccountId {
        let (id, created_at) = (self.next_id(), self.now());
        let account = Account { id, login: login.to_owned(), name: None, kind, created_at };
        self.accounts.insert(id, account);
        id
    }

    /// Whether lists show something made at this moment already.
    pub fn listed(&self, created_at: Timestamp) -> bool {
        self.now() >= created_at + self.list_lag
    }
}
