//! How a test or a demonstration describes the GitHub it wants.

mod plant;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::git::Mode;
use crate::sandbox::Sandbox;
use crate::state::{BranchRule, Clock, Flavor, Level, Permission, Permissions, Role, State, Visibility};

/// Describes a GitHub; [`Builder::start`] makes it.
pub struct Builder {
    clock: Clock,
    flavor: Flavor,
    own_name: Option<String>,
    app: NewApp,
    organizations: Vec<NewOrganization>,
    users: Vec<String>,
    user_repositories: Vec<(String, NewRepository)>,
    installations: Vec<NewInstallation>,
    tenants_apart: bool,
    list_lag: SignedDuration,
    hourly: Option<Option<u64>>,
    tree_limit: Option<usize>,
    text_limit: Option<usize>,
    api: SocketAddr,
    web: SocketAddr,
}

/// The App of the sandbox.
#[derive(Debug, Clone)]
pub struct NewApp {
    slug: String,
    permissions: Permissions,
    events: Vec<String>,
    hook_url: Option<String>,
    webhook_secret: Option<String>,
}

/// An organization to make.
#[derive(Debug, Clone)]
pub struct NewOrganization {
    login: String,
    members: Vec<(String, bool)>,
    base_role: Option<Role>,
    free: bool,
    repositories: Vec<NewRepository>,
}

/// A repository to make.
#[derive(Debug, Clone)]
pub struct NewRepository {
    name: String,
    files: Vec<(String, Mode, Bytes)>,
    empty: bool,
    description: Option<String>,
    homepage: Option<String>,
    topics: Vec<String>,
    custom_properties: BTreeMap<String, Value>,
    visibility: Visibility,
    archived: bool,
    fork_of: Option<String>,
    mirror_url: Option<String>,
    is_template: bool,
    template: Option<String>,
    default_branch: String,
    has_issues: bool,
    has_pull_requests: bool,
    languages: BTreeMap<String, u64>,
    license: Option<String>,
    created_at: Option<Timestamp>,
    roles: Vec<(String, Role)>,
    rulesets: Vec<(Vec<String>, Vec<BranchRule>, bool)>,
}

/// An installation to make.
#[derive(Debug, Clone)]
pub struct NewInstallation {
    account: String,
    selected: Option<Vec<String>>,
    permissions: Option<Permissions>,
    suspended: bool,
}

/// An App with the permissions a bot needs that reads files, opens issues and
/// pull requests and reports checks.
pub fn app(slug: &str) -> NewApp {
    let permissions = [
        (Permission::Metadata, Level::Read),
        (Permission::Contents, Level::Write),
        (Permission::Issues, Level::Write),
        (Permission::PullRequests, Level::Write),
        (Permission::Checks, Level::Write),
    ];
    let events = [
        "push",
        "repository",
        "public",
        "pull_request",
        "issues",
        "issue_comment",
        "label",
        "check_suite",
        "check_run",
    ];
    NewApp {
        slug: slug.to_owned(),
        permissions: permissions.into(),
        events: events.map(str::to_owned).to_vec(),
        hook_url: None,
        webhook_secret: Some("a secret of the sandbox that is long enough".to_owned()),
    }
}

impl NewApp {
    /// Exactly these permissions.
    pub fn permissions(mut self, permissions: impl IntoIterator<Item = (Permission, Level)>) -> Self {
        self.permissions = permissions.into_iter().collect();
        self
    }

    /// Exactly these events.
    pub fn events<'e>(mut self, events: impl IntoIterator<Item = &'e str>) -> Self {
        self.events = events.into_iter().map(str::to_owned).collect();
        self
    }

    /// Where deliveries go; may also be set later.
    pub fn hook_url(mut self, url: &str) -> Self {
        self.hook_url = Some(url.to_owned());
        self
    }

    /// What deliveries are signed with.
    pub fn webhook_secret(mut self, secret: &str) -> Self {
        self.webhook_secret = Some(secret.to_owned());
        self
    }
}

/// An organization without members, whose members may read everything.
pub fn org(login: &str) -> NewOrganization {
    NewOrganization {
        login: login.to_owned(),
        members: Vec::new(),
        base_role: Some(Role::Read),
        free: false,
        repositories: Vec::new(),
    }
}

impl NewOrganization {
    pub(crate) fn login(&self) -> &str {
        &self.login
    }

    /// An owner; the user is made if there is none of that login.
    pub fn owner(mut self, login: &str) -> Self {
        self.members.push((login.to_owned(), true));
        self
    }

    /// A member.
    pub fn member(mut self, login: &str) -> Self {
        self.members.push((login.to_owned(), false));
        self
    }

    /// What every member may do in every repository.
    pub fn base_role(mut self, role: Option<Role>) -> Self {
        self.base_role = role;
        self
    }

    /// On the free plan: no drafts in private repositories.
    pub fn free(mut self) -> Self {
        self.free = true;
        self
    }

    /// One of its repositories.
    pub fn repository(mut self, repository: NewRepository) -> Self {
        self.repositories.push(repository);
        self
    }
}

/// A public repository with a `main` branch, made 90 days ago.
pub fn repository(name: &str) -> NewRepository {
    NewRepository {
        name: name.to_owned(),
        files: Vec::new(),
        empty: false,
        description: None,
        homepage: None,
        topics: Vec::new(),
        custom_properties: BTreeMap::new(),
        visibility: Visibility::Public,
        archived: false,
        fork_of: None,
        mirror_url: None,
        is_template: false,
        template: None,
        default_branch: "main".to_owned(),
        has_issues: true,
        has_pull_requests: true,
        languages: BTreeMap::new(),
        license: None,
        created_at: None,
        roles: Vec::new(),
        rulesets: Vec::new(),
    }
}

impl NewRepository {
    /// Its name, without the owner.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same under another name; the content of files is shared.
    pub fn named(&self, name: &str) -> Self {
        NewRepository { name: name.to_owned(), ..self.clone() }
    }

    /// A file of the first commit.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(path, Mode::File, content.as_ref())
    }

    /// An executable file of the first commit.
    pub fn executable(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(path, Mode::Executable, content.as_ref())
    }

    /// A symbolic link of the first commit.
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(path, Mode::Symlink, target.as_bytes())
    }

    /// A submodule of the first commit, at some foreign commit.
    pub fn submodule(self, path: &str) -> Self {
        self.entry(path, Mode::Submodule, b"")
    }

    fn entry(mut self, path: &str, mode: Mode, content: &[u8]) -> Self {
        self.files.push((path.to_owned(), mode, Bytes::copy_from_slice(content)));
        self
    }

    /// Without any commit.
    pub fn empty(mut self) -> Self {
        self.empty = true;
        self
    }

    /// One line about it.
    pub fn description(mut self, text: &str) -> Self {
        self.description = Some(text.to_owned());
        self
    }

    /// A URL.
    pub fn homepage(mut self, url: &str) -> Self {
        self.homepage = Some(url.to_owned());
        self
    }

    /// Its topics.
    pub fn topics<'t>(mut self, topics: impl IntoIterator<Item = &'t str>) -> Self {
        self.topics = topics.into_iter().map(str::to_owned).collect();
        self
    }

    /// A custom property set by the organization.
    pub fn custom_property(mut self, name: &str, value: &str) -> Self {
        self.custom_properties.insert(name.to_owned(), json!(value));
        self
    }

    /// Who may see it.
    pub fn visibility(mut self, visibility: Visibility) -> Self {
        self.visibility = visibility;
        self
    }

    /// For those with a role only.
    pub fn private(self) -> Self {
        self.visibility(Visibility::Private)
    }

    /// For the enterprise only.
    pub fn internal(self) -> Self {
        self.visibility(Visibility::Internal)
    }

    /// Read-only.
    pub fn archived(mut self) -> Self {
        self.archived = true;
        self
    }

    /// A fork of a repository described before (`owner/name`); it starts with
    /// the same history.
    pub fn fork_of(mut self, full_name: &str) -> Self {
        self.fork_of = Some(full_name.to_owned());
        self
    }

    /// A mirror of that URL.
    pub fn mirror_of(mut self, url: &str) -> Self {
        self.mirror_url = Some(url.to_owned());
        self
    }

    /// Offered as a template.
    pub fn template(mut self) -> Self {
        self.is_template = true;
        self
    }

    /// Made from a template described before (`owner/name`).
    pub fn generated_from(mut self, full_name: &str) -> Self {
        self.template = Some(full_name.to_owned());
        self
    }

    /// Another name than `main`.
    pub fn default_branch(mut self, name: &str) -> Self {
        self.default_branch = name.to_owned();
        self
    }

    /// Issues switched off.
    pub fn without_issues(mut self) -> Self {
        self.has_issues = false;
        self
    }

    /// Pull requests switched off.
    pub fn without_pull_requests(mut self) -> Self {
        self.has_pull_requests = false;
        self
    }

    /// A language with its bytes.
    pub fn language(mut self, name: &str, bytes: u64) -> Self {
        self.languages.insert(name.to_owned(), bytes);
        self
    }

    /// The license GitHub shows: an SPDX id, or `NOASSERTION`.
    pub fn license(mut self, spdx_id: &str) -> Self {
        self.license = Some(spdx_id.to_owned());
        self
    }

    /// When it was made; 90 days ago if not said.
    pub fn created_at(mut self, at: Timestamp) -> Self {
        self.created_at = Some(at);
        self
    }

    /// Somebody's role in it.
    pub fn role(mut self, login: &str, role: Role) -> Self {
        self.roles.push((login.to_owned(), role));
        self
    }

    /// A ruleset on branches by pattern.
    pub fn ruleset<'p>(
        mut self,
        branches: impl IntoIterator<Item = &'p str>,
        rules: impl IntoIterator<Item = BranchRule>,
    ) -> Self {
        let branches = branches.into_iter().map(str::to_owned).collect();
        self.rulesets.push((branches, rules.into_iter().collect(), false));
        self
    }

    /// The App may pass the ruleset described last.
    pub fn app_bypasses(mut self) -> Self {
        if let Some((_, _, bypass)) = self.rulesets.last_mut() {
            *bypass = true;
        }
        self
    }
}

/// The App installed on all repositories of an account.
pub fn installation(account: &str) -> NewInstallation {
    NewInstallation { account: account.to_owned(), selected: None, permissions: None, suspended: false }
}

impl NewInstallation {
    /// On these repositories only (names without the owner).
    pub fn selected<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.selected = Some(names.into_iter().map(str::to_owned).collect());
        self
    }

    /// With these permissions instead of all the App asks for.
    pub fn permissions(mut self, permissions: impl IntoIterator<Item = (Permission, Level)>) -> Self {
        self.permissions = Some(permissions.into_iter().collect());
        self
    }

    /// Suspended from the start.
    pub fn suspended(mut self) -> Self {
        self.suspended = true;
        self
    }
}

impl Default for Builder {
    fn default() -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        Builder {
            clock: Arc::new(Timestamp::now),
            flavor: Flavor::default(),
            own_name: None,
            app: app("sandbox-app"),
            organizations: Vec::new(),
            users: Vec::new(),
            user_repositories: Vec::new(),
            installations: Vec::new(),
            tenants_apart: false,
            list_lag: SignedDuration::ZERO,
            hourly: None,
            tree_limit: None,
            text_limit: None,
            api: loopback,
            web: loopback,
        }
    }
}

impl Builder {
    /// Where time comes from; the system's clock if not said.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Which GitHub is played.
    pub fn flavor(mut self, flavor: Flavor) -> Self {
        self.flavor = flavor;
        self
    }

    /// The host by which answers name this GitHub (`git.agency.example`),
    /// instead of the address it is reached at: a server behind an alias.
    pub fn own_name(mut self, host: &str) -> Self {
        self.own_name = Some(host.to_owned());
        self
    }

    /// The App.
    pub fn app(mut self, app: NewApp) -> Self {
        self.app = app;
        self
    }

    /// An organization.
    pub fn organization(mut self, organization: NewOrganization) -> Self {
        self.organizations.push(organization);
        self
    }

    /// A user without any role.
    pub fn user(mut self, login: &str) -> Self {
        self.users.push(login.to_owned());
        self
    }

    /// A repository of a user.
    pub fn user_repository(mut self, login: &str, repository: NewRepository) -> Self {
        self.user_repositories.push((login.to_owned(), repository));
        self
    }

    /// An installation of the App.
    pub fn installation(mut self, installation: NewInstallation) -> Self {
        self.installations.push(installation);
        self
    }

    /// Stricter than GitHub, which shows public repositories to every token: an
    /// installation token that names anything of another account is refused,
    /// and the call is among [`Sandbox::strays`].
    pub fn tenants_apart(mut self) -> Self {
        self.tenants_apart = true;
        self
    }

    /// How long lists lag behind creation (GitHub: 0 to 5 seconds).
    pub fn list_lag(mut self, lag: SignedDuration) -> Self {
        self.list_lag = lag;
        self
    }

    /// Points an hour, or `None` for no limits and no headers. Without it
    /// 5,000, and none on a server.
    pub fn hourly_limit(mut self, points: Option<u64>) -> Self {
        self.hourly = Some(points);
        self
    }

    /// Entries a recursive tree listing shows at most; 100,000 if not said.
    pub fn tree_limit(mut self, entries: usize) -> Self {
        self.tree_limit = Some(entries);
        self
    }

    /// Bytes of text GraphQL shows at most; 512 KiB if not said.
    pub fn text_limit(mut self, bytes: usize) -> Self {
        self.text_limit = Some(bytes);
        self
    }

    /// Addresses for the API and for the pages; free loopback ports if not said.
    pub fn listen(mut self, api: SocketAddr, web: SocketAddr) -> Self {
        (self.api, self.web) = (api, web);
        self
    }

    /// Makes the GitHub and serves it until the process ends.
    ///
    /// # Errors
    /// When an address is taken, or the folder of `SANDBOX_EXCHANGES` cannot
    /// be written.
    ///
    /// # Panics
    /// When the description contradicts itself: a name that is not there.
    pub async fn start(self) -> std::io::Result<Sandbox> {
        let (api, web, apart) = (self.api, self.web, self.tenants_apart);
        let own_name = self.own_name.clone();
        Sandbox::serve(self.state(), own_name, apart, api, web).await
    }

    fn state(self) -> State {
        let mut state = State::new(self.clock, self.flavor, &self.app.slug);
        let default_limit = match self.flavor {
            Flavor::DotCom | Flavor::DataResidency => Some(5000),
            Flavor::Server => None,
        };
        state.limits.hourly = self.hourly.unwrap_or(default_limit);
        state.list_lag = self.list_lag;
        state.signs_commits = self.flavor == Flavor::DotCom;
        state.tree_limit = self.tree_limit.unwrap_or(state.tree_limit);
        state.text_limit = self.text_limit.unwrap_or(state.text_limit);
        let app = state.app_mut();
        app.permissions = self.app.permissions;
        app.events = self.app.events;
        app.hook_url = self.app.hook_url;
        app.webhook_secret = self.app.webhook_secret;
        for login in self.users {
            state.person(&login);
        }
        for organization in self.organizations {
            state.add_organization(organization);
        }
        for (login, repository) in self.user_repositories {
            let id = state.person(&login);
            state.plant(id, repository).expect("the repositories described can be made");
        }
        for new in self.installations {
            state.install_described(new);
        }
        state
    }
}
