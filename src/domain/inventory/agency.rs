//! Which organizations make up an agency: the operator's word, never an
//! organization's own (threats T5).

use crate::domain::repository::{Login, RepositoryName};

/// An agency, as the operator's `[[agency]]` table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    /// Its acronym, as `GSA`.
    pub acronym: String,
    /// The organization whose policy speaks for it.
    pub lead: Login,
    /// All of its organizations, the lead among them.
    pub organizations: Vec<Login>,
    /// The repository to which the operator lets the inventory be proposed.
    pub repository: Option<RepositoryName>,
    /// Whether the operator lets it be committed there without a pull request
    /// (threats T7).
    pub may_commit: bool,
    /// The hosts from which the operator lets an inventory be imported.
    pub import_from: Hosts,
}

/// Which hosts may be asked, each as `HOST` or, where the port is not the usual
/// one, `HOST:PORT`, in lower case (threats O1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    /// At addresses that everybody reaches.
    pub public: Vec<String>,
    /// At addresses of private networks too.
    pub private: Vec<String>,
}

impl Agency {
    /// Whether an organization is one of its own.
    #[must_use]
    pub fn has(&self, login: &Login) -> bool {
        self.organizations.iter().any(|one| one.same_as(login))
    }

    /// The acronym as it stands in addresses: lower case.
    #[must_use]
    pub fn slug(&self) -> String {
        self.acronym.to_ascii_lowercase()
    }
}
