//! Users, bots and organizations, and what they may do where.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Caller, Refusal, RepositoryId, State, Visibility};

/// GitHub's numeric id of a user, bot or organization.
pub type AccountId = u64;

/// A user, a bot or an organization.
#[derive(Debug, Clone)]
pub struct Account {
    /// Numeric id, never used again.
    pub id: AccountId,
    /// Current login.
    pub login: String,
    /// Display name.
    pub name: Option<String>,
    /// What it is.
    pub kind: AccountKind,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What an account is.
#[derive(Debug, Clone)]
pub enum AccountKind {
    /// A person.
    User,
    /// The acting side of an App: `slug[bot]`.
    Bot,
    /// An organization with its members.
    Organization(Organization),
    /// An enterprise: its login is its slug, and it owns no repository.
    Enterprise,
}

/// What only organizations have.
#[derive(Debug, Clone)]
pub struct Organization {
    /// Members; `true` for owners.
    pub members: BTreeMap<AccountId, bool>,
    /// What every member may do in every repository; `None` for nothing.
    pub base_role: Option<Role>,
    /// A free organization has no draft pull requests in private repositories.
    pub free: bool,
}

/// GitHub's five repository roles, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// May read.
    Read,
    /// May label and close.
    Triage,
    /// May push.
    Write,
    /// May manage without danger.
    Maintain,
    /// May do everything.
    Admin,
}

impl Role {
    /// The word of the API.
    pub fn word(self) -> &'static str {
        match self {
            Role::Read => "read",
            Role::Triage => "triage",
            Role::Write => "write",
            Role::Maintain => "maintain",
            Role::Admin => "admin",
        }
    }
}

impl Account {
    /// `User`, `Bot` or `Organization`.
    pub fn type_word(&self) -> &'static str {
        match self.kind {
            AccountKind::User => "User",
            AccountKind::Bot => "Bot",
            AccountKind::Organization(_) => "Organization",
            AccountKind::Enterprise => "Enterprise",
        }
    }

    /// The organization behind the account, if it is one.
    pub fn organization(&self) -> Option<&Organization> {
        match &self.kind {
            AccountKind::Organization(organization) => Some(organization),
            AccountKind::User | AccountKind::Bot | AccountKind::Enterprise => None,
        }
    }

    /// The login as part of an API URL: a bot's has brackets, which a URL may
    /// not.
    pub fn login_in_url(&self) -> String {
        self.login.replace('[', "%5B").replace(']', "%5D")
    }

    /// The path of its page: `/login`, for a bot that of its App.
    pub fn web_path(&self) -> String {
        match self.kind {
            AccountKind::Bot => format!("/apps/{}", self.login.trim_end_matches("[bot]")),
            AccountKind::User | AccountKind::Organization(_) => format!("/{}", self.login),
            AccountKind::Enterprise => format!("/enterprises/{}", self.login),
        }
    }

    /// The address GitHub gives commits of this account.
    pub fn noreply(&self) -> String {
        format!("{}+{}@users.noreply.github.com", self.id, self.login)
    }
}

impl State {
    /// Every account.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// An account by id; ids that the state hands out always exist.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// An account by login, without regard to case. The slug of an enterprise
    /// is no login.
    pub fn account_named(&self, login: &str) -> Option<&Account> {
        let named = |account: &&Account| account.login.eq_ignore_ascii_case(login);
        let logs_in = |account: &&Account| !matches!(account.kind, AccountKind::Enterprise);
        self.accounts.values().filter(logs_in).find(named)
    }

    /// Makes an enterprise of that slug.
    pub fn add_enterprise(&mut self, slug: &str) -> AccountId {
        self.add_account(slug, AccountKind::Enterprise)
    }

    /// The login of an account; `ghost` when it is gone, as GitHub shows it.
    pub fn login(&self, id: AccountId) -> &str {
        self.account(id).map_or("ghost", |account| account.login.as_str())
    }

    /// What an account may do in a repository, whichever way it got there.
    /// Public repositories are readable by everybody, internal ones by the
    /// members of every organization (one enterprise).
    pub fn role(&self, account: AccountId, repository: RepositoryId) -> Option<Role> {
        let repository = self.repositories.get(&repository)?;
        if repository.owner == account {
            return Some(Role::Admin);
        }
        let mut roles = vec![repository.collaborators.get(&account).copied()];
        if let Some(organization) = self.account(repository.owner)?.organization()
            && let Some(owner) = organization.members.get(&account)
        {
            roles.push(if *owner { Some(Role::Admin) } else { organization.base_role });
        }
        let member_of_any = || {
            self.accounts()
                .filter_map(Account::organization)
                .any(|organization| organization.members.contains_key(&account))
        };
        match repository.visibility {
            Visibility::Public => roles.push(Some(Role::Read)),
            Visibility::Internal if member_of_any() => roles.push(Some(Role::Read)),
            Visibility::Internal | Visibility::Private => {}
        }
        roles.into_iter().flatten().max()
    }

    /// Takes a member out of an organization.
    ///
    /// # Errors
    /// `NotFound` for an organization or a member that is none, and for who is
    /// no owner.
    pub fn remove_member(
        &mut self,
        owner: AccountId,
        organization: &str,
        member: AccountId,
    ) -> Result<(), Refusal> {
        let id = self.account_named(organization).ok_or(Refusal::NotFound)?.id;
        let account = self.accounts.get_mut(&id).ok_or(Refusal::NotFound)?;
        let AccountKind::Organization(home) = &mut account.kind else { return Err(Refusal::NotFound) };
        if home.members.get(&owner) != Some(&true) {
            return Err(Refusal::NotFound);
        }
        home.members.remove(&member).map(|_| ()).ok_or(Refusal::NotFound)
    }

    /// Refuses a person whose role is below the one needed. Apps pass: their
    /// permissions were checked by [`State::allow`].
    pub(crate) fn require_role(
        &self,
        caller: &Caller,
        repository: RepositoryId,
        needed: Role,
    ) -> Result<AccountId, Refusal> {
        let actor = self.actor(caller)?;
        let Caller::Person(person) = caller else { return Ok(actor) };
        match self.role(*person, repository) {
            None => Err(Refusal::NotFound),
            Some(role) if role < needed => Err(Refusal::Forbidden("Must have push access to repository")),
            Some(_) => Ok(actor),
        }
    }
}
