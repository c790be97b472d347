//! Who calls, and what they may see and do.

use std::collections::{BTreeMap, BTreeSet};

use super::{AccountId, InstallationId, Refusal, Repository, RepositoryId, State, Visibility};

/// Who sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Nobody in particular.
    Anonymous,
    /// A person, by a personal token or in the browser.
    Person(AccountId),
    /// The App itself, by its JWT.
    App,
    /// An installation of the App, by an installation token.
    Installation(Grant),
}

/// What an installation token allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Whose token it is.
    pub installation: InstallationId,
    /// What it may do.
    pub permissions: Permissions,
    /// The only repositories it covers; `None` for all of the installation's.
    pub repositories: Option<BTreeSet<RepositoryId>>,
}

/// Permissions with their levels.
pub type Permissions = BTreeMap<Permission, Level>;

/// A permission of an App (schema `app-permissions`); those this sandbox's
/// routes ask for, and those that only exist to be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are GitHub's own")]
pub enum Permission {
    Actions,
    Administration,
    Checks,
    Contents,
    Issues,
    Members,
    Metadata,
    OrganizationAdministration,
    OrganizationCustomProperties,
    PullRequests,
    SingleFile,
    Statuses,
    Workflows,
}

impl Permission {
    const ALL: [Permission; 13] = [
        Permission::Actions,
        Permission::Administration,
        Permission::Checks,
        Permission::Contents,
        Permission::Issues,
        Permission::Members,
        Permission::Metadata,
        Permission::OrganizationAdministration,
        Permission::OrganizationCustomProperties,
        Permission::PullRequests,
        Permission::SingleFile,
        Permission::Statuses,
        Permission::Workflows,
    ];

    /// The name in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Permission::Actions => "actions",
            Permission::Administration => "administration",
            Permission::Checks => "checks",
            Permission::Contents => "contents",
            Permission::Issues => "issues",
            Permission::Members => "members",
            Permission::Metadata => "metadata",
            Permission::OrganizationAdministration => "organization_administration",
            Permission::OrganizationCustomProperties => "organization_custom_properties",
            Permission::PullRequests => "pull_requests",
            Permission::SingleFile => "single_file",
            Permission::Statuses => "statuses",
            Permission::Workflows => "workflows",
        }
    }

    /// Reads the name; `None` for one this sandbox does not know.
    pub fn from_word(word: &str) -> Option<Permission> {
        Permission::ALL.into_iter().find(|permission| permission.word() == word)
    }
}

/// How much of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Only reading.
    Read,
    /// Reading and writing.
    Write,
}

impl Level {
    /// The name in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Level::Read => "read",
            Level::Write => "write",
        }
    }
}

/// A permission at a level: what a route or a mutation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need(pub Permission, pub Level);

impl Need {
    /// Reading under a permission.
    pub const fn read(permission: Permission) -> Need {
        Need(permission, Level::Read)
    }

    /// Writing under a permission.
    pub const fn write(permission: Permission) -> Need {
        Need(permission, Level::Write)
    }

    /// The form of `X-Accepted-GitHub-Permissions`: any one of them will do.
    pub fn header(any_of: &[Need]) -> String {
        let words = any_of.iter().map(|Need(what, level)| format!("{}={}", what.word(), level.word()));
        words.collect::<Vec<_>>().join("; ")
    }
}

impl Grant {
    /// Whether the token holds this permission at this level.
    pub fn holds(&self, Need(permission, level): Need) -> bool {
        // Every App may read metadata; GitHub grants it unasked.
        need_is_metadata_read(permission, level)
            || self.permissions.get(&permission).is_some_and(|held| *held >= level)
    }
}

fn need_is_metadata_read(permission: Permission, level: Level) -> bool {
    permission == Permission::Metadata && level == Level::Read
}

impl State {
    /// The account that acts for a caller: the person, or the App's bot.
    ///
    /// # Errors
    /// Anonymous callers, and the App's JWT, which acts for nobody.
    pub fn actor(&self, caller: &Caller) -> Result<AccountId, Refusal> {
        match caller {
            Caller::Person(person) => Ok(*person),
            Caller::Installation(_) => Ok(self.app.bot),
            Caller::Anonymous | Caller::App => Err(Refusal::RequiresAuthentication),
        }
    }

    /// Whether the caller may know that the repository exists.
    pub fn can_see(&self, caller: &Caller, repository: &Repository) -> bool {
        let public = repository.visibility == Visibility::Public;
        match caller {
            Caller::Anonymous | Caller::App => public,
            Caller::Person(person) => self.role(*person, repository.id).is_some(),
            Caller::Installation(grant) => public || self.covers(grant, repository.id),
        }
    }

    /// Whether a token covers a repository: installed on it and not narrowed
    /// away from it.
    pub fn covers(&self, grant: &Grant, repository: RepositoryId) -> bool {
        grant.repositories.as_ref().is_none_or(|only| only.contains(&repository))
            && self
                .installations
                .get(&grant.installation)
                .is_some_and(|installation| self.installed_on(installation, repository))
    }

    /// Checks that the caller may do one of these things to a repository it
    /// can see. An installation token outside its repositories reads public
    /// ones and nothing else. People are checked by role in each operation.
    ///
    /// # Errors
    /// `NotAccessible` naming the permissions; `NotFound` for what is unseen.
    pub fn allow(&self, caller: &Caller, repository: RepositoryId, any_of: &[Need]) -> Result<(), Refusal> {
        let repository = self.repositories.get(&repository).ok_or(Refusal::NotFound)?;
        if !self.can_see(caller, repository) {
            return Err(Refusal::NotFound);
        }
        let only_reads = any_of.iter().all(|Need(_, level)| *level == Level::Read);
        let public = repository.visibility == Visibility::Public;
        let allowed = match caller {
            Caller::Person(_) => true,
            Caller::Anonymous | Caller::App if only_reads => true,
            Caller::Anonymous | Caller::App => return Err(Refusal::RequiresAuthentication),
            Caller::Installation(grant) if self.covers(grant, repository.id) => {
                any_of.is_empty() || any_of.iter().any(|need| grant.holds(*need))
            }
            Caller::Installation(_) => public && only_reads,
        };
        if allowed { Ok(()) } else { Err(Refusal::NotAccessible { accepted: Need::header(any_of) }) }
    }
}
