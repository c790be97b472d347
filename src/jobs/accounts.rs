//! Which accounts are served (threats T1, T6).
//!
//! Promises: (1) only accounts that the operator lists, never an enterprise,
//! which has no repositories; (2) a listed name stands for the account that
//! had it when it was first seen: that account is served under any later name,
//! and whoever takes its old name is not; (3) a name that is taken off the list
//! is unbound, so that putting it back binds it anew; (4) who is not served is
//! remembered in memory only.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use crate::{
    domain::repository::{AccountId, InstallationId, Login},
    store::{Store, StoreError},
};

/// So many strangers are remembered: whoever comes after that is looked at
/// again each time.
const MOST_STRANGERS: usize = 10_000;

/// The accounts that are served. A cheap handle.
#[derive(Debug, Clone)]
pub struct Accounts(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    store: Store,
    /// As the operator wrote them.
    listed: Vec<Login>,
    /// Accounts that are known to be bound: asked for with every delivery.
    bound: Mutex<HashSet<AccountId>>,
    strangers: Mutex<HashSet<InstallationId>>,
}

impl Accounts {
    /// The accounts of this list.
    #[must_use]
    pub fn new(store: Store, listed: Vec<Login>) -> Accounts {
        Accounts(Arc::new(Parts { store, listed, bound: Mutex::default(), strangers: Mutex::default() }))
    }

    /// Whether the operator lists this name.
    #[must_use]
    pub fn lists(&self, login: &Login) -> bool {
        self.0.listed.iter().any(|listed| listed.same_as(login))
    }

    /// Whether an account is served: one that a listed name is bound to, or
    /// that has a listed name which is bound to nobody else.
    ///
    /// # Errors
    /// The database's.
    pub async fn serve(&self, account: AccountId, login: &Login) -> Result<bool, StoreError> {
        if lock(&self.0.bound).contains(&account) {
            return Ok(true);
        }
        let names = self.0.store.names_of_account(account).await?;
        if names.iter().any(|name| name.parse().is_ok_and(|name| self.lists(&name))) {
            lock(&self.0.bound).insert(account);
            return Ok(true);
        }
        // It may have been bound to this account since its names were read.
        let bound = self.0.store.bound_account(&key(login)).await?;
        Ok(self.lists(login) && bound.is_none_or(|bound| bound == account))
    }

    /// As [`Accounts::serve`], for an account as GitHub's API tells of it: its
    /// name is bound from now on.
    ///
    /// # Errors
    /// The database's.
    pub async fn admit(&self, account: AccountId, login: &Login, now: Timestamp) -> Result<bool, StoreError> {
        if !self.serve(account, login).await? {
            return Ok(false);
        }
        if lock(&self.0.bound).contains(&account) {
            return Ok(true);
        }
        // Another replica may have bound the name to another account meanwhile.
        let served = self.0.store.bind_account(&key(login), account, now).await? == account;
        if served {
            lock(&self.0.bound).insert(account);
        }
        Ok(served)
    }

    /// Unbinds the names that the operator has taken off the list.
    ///
    /// # Errors
    /// The database's.
    pub async fn unbind_unlisted(&self) -> Result<(), StoreError> {
        let listed: Vec<String> = self.0.listed.iter().map(key).collect();
        self.0.store.unbind_unlisted(&listed).await
    }

    /// Remembers that an installation is nobody's whom we serve; `true` if that
    /// is new.
    pub fn add_stranger(&self, installation: InstallationId) -> bool {
        let mut strangers = lock(&self.0.strangers);
        strangers.len() < MOST_STRANGERS && strangers.insert(installation)
    }

    /// An installation is of an account that is served, whatever was known of it.
    pub fn forget_stranger(&self, installation: InstallationId) {
        lock(&self.0.strangers).remove(&installation);
    }

    /// Whether an installation is known to be a stranger's.
    #[must_use]
    pub fn is_stranger(&self, installation: InstallationId) -> bool {
        lock(&self.0.strangers).contains(&installation)
    }
}

/// A name as names are compared and stored.
pub(super) fn key(login: &Login) -> String {
    login.as_str().to_ascii_lowercase()
}

/// What these locks guard is whole at any moment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Durability;

    #[tokio::test]
    async fn a_name_stands_for_the_account_that_had_it_first() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("muster.db").display());
        let store = Store::open_with(&url, Durability::Test).await.unwrap();
        let login = |name: &str| name.parse::<Login>().unwrap();
        let (agency, taker) = (AccountId(1), AccountId(2));
        let now = Timestamp::UNIX_EPOCH;
        // Each time as after a restart: nothing is in memory.
        let accounts = |list: &[&str]| Accounts::new(store.clone(), list.iter().map(|n| login(n)).collect());
        let listed = &["Agency", "bureau"];
        assert!(accounts(listed).serve(agency, &login("agency")).await.unwrap());
        assert!(!accounts(listed).serve(agency, &login("elsewhere")).await.unwrap());
        assert!(accounts(listed).admit(agency, &login("agency"), now).await.unwrap());
        // Renamed, it is still served; whoever takes the name is not.
        assert!(accounts(listed).serve(agency, &login("agency-of-today")).await.unwrap());
        assert!(!accounts(listed).serve(taker, &login("agency")).await.unwrap());
        assert!(!accounts(listed).admit(taker, &login("AGENCY"), now).await.unwrap());
        // Off the list and on it again, the name is free.
        accounts(&["bureau"]).unbind_unlisted().await.unwrap();
        assert!(!accounts(&["bureau"]).serve(agency, &login("agency-of-today")).await.unwrap());
        accounts(listed).unbind_unlisted().await.unwrap();
        assert!(accounts(listed).admit(taker, &login("agency"), now).await.unwrap());
        assert!(!accounts(listed).serve(agency, &login("agency-of-today")).await.unwrap());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn an_account_that_many_admit_at_once_is_a_stranger_to_none() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("muster.db").display());
        let store = Store::open_with(&url, Durability::Test).await.unwrap();
        for account in 1..=40 {
            let login: Login = format!("bureau-{account}").parse().unwrap();
            let admit = |_| {
                // Each a process of its own: nothing is shared but the store.
                let accounts = Accounts::new(store.clone(), vec![login.clone()]);
                let login = login.clone();
                tokio::spawn(async move {
                    accounts.admit(AccountId(account), &login, Timestamp::UNIX_EPOCH).await.unwrap()
                })
            };
            for admitted in (0..8).map(admit).collect::<Vec<_>>() {
                assert!(admitted.await.unwrap());
            }
        }
    }
}
