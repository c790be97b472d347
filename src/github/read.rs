//! Reading: what stands on GitHub, as values of the domain.
//!
//! Promises: (1) a [`Reader`] holds a token that can only read; (2) one call
//! brings all an inspection needs, and a second one only texts under unusual
//! names; (3) a repository is found by its id when its name has changed
//! hands; (4) what was not read whole is [`Listing::Unread`](crate::domain::repository::Listing) or
//! [`FileText::Unread`](crate::domain::repository::FileText), never absent.

mod answer;
pub mod control;
pub mod many;
mod pull_request;
pub mod records;
mod texts;
mod traffic;

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use sha2::Digest as _;

pub use pull_request::CheckRun;
pub(super) use texts::TextCache;

use super::{
    client::{Client, Kind, Who},
    error::{Error, Result},
    examine::Selection,
    graphql::{BEFORE_WRITE, Document, OURS, SNAPSHOT, VISIBILITIES},
    needs,
};
use crate::domain::{
    basis::{self, Facts},
    observed::{Actor, BeforeWrite, Observed, RepositoryRead},
    policy::Published,
    repository::{
        AccountId, Files, Inherited, InstallationId, Login, ObjectId, RepositoryId, RepositoryName, Snapshot,
        Visibility,
    },
};

/// The names under which Muster's own things stand in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OurNames {
    /// What its branches begin with, without `refs/heads/`: `muster/`.
    pub prefix: String,
    /// The label of the tracking issue.
    pub label: String,
    /// The branch of the pull request with missing files.
    pub files_branch: String,
    /// The branch of the pull request with a license.
    pub license_branch: String,
    /// The branch of the pull request about `code.json`.
    pub code_json_branch: String,
}

/// The paths whose text the rules want, given what the listings show.
pub type Wanted<'a> = &'a (dyn Fn(&Files) -> Vec<String> + Sync);

/// What a person may do in a repository, from nothing to everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// No access.
    None,
    /// To look.
    Read,
    /// To sort issues.
    Triage,
    /// To push.
    Write,
    /// To steer.
    Maintain,
    /// Everything.
    Admin,
}

/// An installation of the App.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Its id.
    pub id: InstallationId,
    /// The account it is on.
    pub account: AccountId,
    /// The account's login; an enterprise has none.
    pub login: Option<Login>,
    /// Suspended by the account or by GitHub.
    pub suspended: bool,
    /// What it grants.
    pub granted: needs::Granted,
    /// Which repositories it covers, if GitHub says so.
    pub selection: Option<Selection>,
}

/// A repository in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRepository {
    /// Its id.
    pub id: RepositoryId,
    /// GraphQL's global id.
    pub node_id: String,
    /// Its name now.
    pub name: RepositoryName,
    /// Who can see it.
    pub visibility: Visibility,
    /// Read-only for all.
    pub archived: bool,
    /// Switched off by GitHub.
    pub disabled: bool,
    /// A copy of another repository on GitHub.
    pub fork: bool,
    /// A copy of a repository elsewhere.
    pub mirror: bool,
    /// A pattern that other repositories are made from.
    pub template: bool,
    /// Whether issues can be opened.
    pub issues_enabled: bool,
    /// The one-line description, untrusted.
    pub description: Option<String>,
    /// Its page elsewhere, untrusted.
    pub homepage: Option<String>,
    /// Its topics.
    pub topics: Vec<String>,
    /// SPDX id as GitHub's own detection has it.
    pub license: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// The last push to any branch.
    pub pushed_at: Option<Timestamp>,
    /// Its default branch, named also while nothing was committed.
    pub default_branch: String,
    /// How often it was forked.
    pub forks: u64,
}

impl ListedRepository {
    /// The facts it shares with the repository itself; `empty` says that
    /// nothing was committed when it was read.
    #[must_use]
    pub fn facts(&self, empty: bool) -> Facts<'_> {
        Facts {
            name: &self.name,
            visibility: self.visibility,
            archived: self.archived,
            disabled: self.disabled,
            fork: self.fork,
            mirror: self.mirror,
            template: self.template,
            issues_enabled: self.issues_enabled,
            description: self.description.as_deref(),
            homepage: self.homepage.as_deref(),
            topics: basis::topics(&self.topics),
            license: self.license.as_deref(),
            branch: (!empty).then_some(self.default_branch.as_str()),
        }
    }
}

/// Who may see a repository, as read just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NowSeen {
    /// Its name.
    pub name: RepositoryName,
    /// Who may see it.
    pub visibility: Visibility,
    /// Read-only for all.
    pub archived: bool,
}

/// What stands in the repository of an inventory, as read just now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The objects on its default branch under the names of the files; absent
    /// ones are not in it.
    pub files: HashMap<Published, ObjectId>,
    /// The open pull request on the branch that was asked for, and since when
    /// it is.
    pub open: Option<(u64, Timestamp)>,
}

/// A page of what an installation can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    /// Its repositories.
    pub repositories: Vec<ListedRepository>,
    /// How many there are on all pages, as GitHub counts them now.
    pub total: usize,
    /// Where the next page is; `None` if this is the last.
    pub next: Option<String>,
}

/// Reads with one installation's read token, or with a plain token.
#[derive(Clone)]
pub struct Reader {
    pub(super) client: Arc<Client>,
    texts: Arc<TextCache>,
    pub(super) who: Who,
}

impl Reader {
    pub(super) fn new(client: Arc<Client>, texts: Arc<TextCache>, who: Who) -> Reader {
        Reader { client, texts, who }
    }

    /// All an inspection starts from: one call, and texts under names it does
    /// not foresee eight to a call. `expected` is the id the caller means; if
    /// the name leads to another repository, the id is asked for its name.
    /// `known` are GraphQL ids of what the ledger has, at most 100.
    ///
    /// # Errors
    /// [`Error`]; [`Error::NotFound`] if neither name nor id lead anywhere.
    pub async fn read_repository(
        &self,
        name: &RepositoryName,
        expected: Option<RepositoryId>,
        known: &[String],
        names: &OurNames,
        wanted: Wanted<'_>,
    ) -> Result<RepositoryRead> {
        let (name, answer): (_, answer::Whole) =
            self.ask_by_id(&SNAPSHOT, name, expected, known, names).await?;
        let (repository, mut files, observed) = answer.repository(&name, names, known)?;
        let (inherited, policy) = answer.home();
        self.read_texts(&name, &answer.repository, &mut files, wanted).await?;
        let policy = self.whole_policy(name.owner(), policy, &answer).await?;
        Ok(RepositoryRead { snapshot: Snapshot { repository, files, inherited }, observed, policy })
    }

    /// What a change rests on, read again just before it is written.
    ///
    /// # Errors
    /// [`Error`]; [`Error::StaleData`] if the name no longer leads to
    /// `expected`.
    pub async fn before_write(
        &self,
        name: &RepositoryName,
        expected: RepositoryId,
        known: &[String],
        names: &OurNames,
    ) -> Result<BeforeWrite> {
        let answer: answer::Whole = self.ask(&BEFORE_WRITE, name, known, names).await?;
        let (repository, files, observed) = answer.repository(name, names, known)?;
        if repository.id != expected {
            return Err(Error::StaleData("the name leads to another repository now".to_owned()));
        }
        let (inherited, _) = answer.home();
        let (proposals, proposals_complete) = answer.proposals()?;
        Ok(BeforeWrite {
            snapshot: Snapshot { repository, files, inherited },
            observed,
            policy_oid: answer.policy_oid(),
            proposals,
            proposals_complete,
        })
    }

    /// What is ours in a repository: the read that confirms a write.
    ///
    /// # Errors
    /// [`Error`]; [`Error::StaleData`] if the name no longer leads to
    /// `expected`.
    pub async fn ours(
        &self,
        name: &RepositoryName,
        expected: RepositoryId,
        known: &[String],
        names: &OurNames,
    ) -> Result<Observed> {
        let answer: answer::Whole = self.ask(&OURS, name, known, names).await?;
        let (id, observed) = answer.observed(names, known)?;
        if id != expected {
            return Err(Error::StaleData("the name leads to another repository now".to_owned()));
        }
        Ok(observed)
    }

    /// What a person may do, from the map of rights and never from the words
    /// `permission` or `role_name` (the one folds maintain into write, the
    /// other may be an organization's own). `person` is who the login must
    /// still belong to.
    ///
    /// # Errors
    /// [`Error`]; [`Error::StaleData`] if the login belongs to someone else.
    pub async fn permission(&self, name: &RepositoryName, login: &Login, person: AccountId) -> Result<Role> {
        #[derive(Deserialize)]
        struct Answer {
            user: Option<User>,
        }
        #[derive(Deserialize)]
        struct User {
            id: AccountId,
            #[serde(default)]
            permissions: Rights,
        }
        let values = [name.owner().as_str(), name.name(), login.as_str()];
        let answer: Answer =
            match self.client.rest_json(&self.who, &needs::PERMISSION, &values, None, Kind::Read).await {
                Ok(answer) => answer,
                // GitHub's answer about someone who has nothing to do with it.
                Err(Error::NotFound(_)) => return Ok(Role::None),
                Err(error) => return Err(error),
            };
        match answer.user {
            None => Ok(Role::None),
            Some(user) if user.id != person => {
                Err(Error::StaleData("the login belongs to someone else now".to_owned()))
            }
            Some(user) => Ok(user.permissions.role()),
        }
    }

    /// Names the rules that rulesets have for a branch: as long as they stay
    /// the same, so does the name. Where GitHub does not tell them, they have
    /// one name.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn branch_rules(&self, name: &RepositoryName, branch: &str) -> Result<String> {
        let values = [name.owner().as_str(), name.name(), branch];
        let rules = self.client.list(&self.who, &needs::BRANCH_RULES, &values, |page: Vec<Value>| page).await;
        let rules = match rules {
            Ok(rules) => rules,
            Err(Error::NotFound(_) | Error::Forbidden { .. }) => return Ok(String::new()),
            Err(error) => return Err(error),
        };
        let mut lines: Vec<String> = rules.iter().map(ToString::to_string).collect();
        lines.sort();
        let digest = sha2::Sha256::digest(lines.join("\n"));
        Ok(hex::encode(&digest[..8]))
    }

    /// Every repository the installation can see.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn repositories(&self) -> Result<Vec<ListedRepository>> {
        #[derive(Deserialize)]
        struct Page {
            repositories: Vec<answer::Listed>,
        }
        let all = self
            .client
            .list(&self.who, &needs::INSTALLED_REPOSITORIES, &[], |page: Page| page.repositories)
            .await?;
        all.into_iter().map(answer::Listed::into_repository).collect()
    }

    /// One page of the repositories the installation can see: the first, or
    /// the one that an earlier page named.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn repositories_page(&self, at: Option<&str>) -> Result<ListPage> {
        #[derive(Deserialize)]
        struct Page {
            total_count: usize,
            repositories: Vec<answer::Listed>,
        }
        let route = &needs::INSTALLED_REPOSITORIES;
        let path = route.path(&[]);
        let first = format!("{path}?per_page=100");
        // It may have been kept for a while: it must still be a page of this list.
        let at = at.filter(|at| at.split('?').next() == Some(&path)).unwrap_or(&first);
        let (page, next): (Page, _) = self.client.page(&self.who, route, &first, at).await?;
        let listed = page.repositories.into_iter().map(answer::Listed::into_repository);
        Ok(ListPage { repositories: listed.collect::<Result<_>>()?, total: page.total_count, next })
    }

    /// Every repository of an organization that the token can see.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn organization_repositories(&self, organization: &Login) -> Result<Vec<ListedRepository>> {
        let all = self
            .client
            .list(
                &self.who,
                &needs::ORGANIZATION_REPOSITORIES,
                &[organization.as_str()],
                |page: Vec<answer::Listed>| page,
            )
            .await?;
        all.into_iter().map(answer::Listed::into_repository).collect()
    }

    /// A repository by its id, under the name it has now.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn repository_by_id(&self, id: RepositoryId) -> Result<ListedRepository> {
        let listed: answer::Listed = self
            .client
            .rest_json(&self.who, &needs::REPOSITORY_BY_ID, &[&id.to_string()], None, Kind::Read)
            .await?;
        listed.into_repository()
    }

    /// Who may see these repositories now, each by its id and GraphQL's; those
    /// that are gone or out of reach are not among the answers. A call for each
    /// thousand. The same call reads what stands in the repository `kept`, by
    /// GraphQL's id, and what is open on that branch.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn visibilities(
        &self,
        asked: &[(RepositoryId, String)],
        mut kept: Option<(&str, &str)>,
    ) -> Result<(HashMap<RepositoryId, NowSeen>, Option<Kept>)> {
        const LISTS: [&str; 10] = ["n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9"];
        let mut found = HashMap::with_capacity(asked.len());
        let mut stands = None;
        for thousand in asked.chunks(100 * LISTS.len()) {
            let mut lists = thousand.chunks(100);
            let mut variables: serde_json::Map<String, Value> = LISTS
                .iter()
                .map(|list| {
                    let ids = lists.next().unwrap_or_default().iter().map(|(_, id)| id.as_str());
                    ((*list).to_owned(), ids.collect::<Vec<_>>().into())
                })
                .collect();
            let (ids, branch) = kept.take().map_or((vec![], ""), |(id, branch)| (vec![id], branch));
            variables.insert("kept".to_owned(), ids.into());
            variables.insert("branch".to_owned(), branch.into());
            let variables = Value::Object(variables);
            let envelope = self.client.graphql(&self.who, &VISIBILITIES, &variables, Kind::Read).await?;
            let answer: Value = envelope.data(&VISIBILITIES, &[&LISTS[..], &["kept"]].concat())?;
            stands = match answer["kept"].get(0) {
                Some(node) => answer::kept(node)?,
                None => stands,
            };
            for list in LISTS {
                for node in answer[list].as_array().into_iter().flatten() {
                    if let Some((id, seen)) = answer::now_seen(node)? {
                        found.insert(id, seen);
                    }
                }
            }
        }
        Ok((found, stands))
    }

    /// The App's own user, by which it is recognised as an author.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn bot(&self) -> Result<Actor> {
        #[derive(Deserialize)]
        struct App {
            slug: String,
        }
        #[derive(Deserialize)]
        struct User {
            id: AccountId,
            login: String,
        }
        let app: App = self.client.rest_json(&Who::App, &needs::APP, &[], None, Kind::Read).await?;
        let login = format!("{}[bot]", app.slug);
        let user: User = self.client.rest_json(&self.who, &needs::USER, &[&login], None, Kind::Read).await?;
        Ok(Actor { id: Some(user.id), login: user.login, bot: true })
    }

    /// Asks, and if the name leads nowhere or to another repository, asks once
    /// more under the name that the expected id has now.
    async fn ask_by_id(
        &self,
        document: &Document,
        name: &RepositoryName,
        expected: Option<RepositoryId>,
        known: &[String],
        names: &OurNames,
    ) -> Result<(RepositoryName, answer::Whole)> {
        let answer: Result<answer::Whole> = self.ask(document, name, known, names).await;
        let meant = |answer: &answer::Whole| expected.is_none() || answer.id() == expected;
        match (answer, expected) {
            (Ok(answer), _) if meant(&answer) => Ok((name.clone(), answer)),
            (Ok(_) | Err(Error::NotFound(_)), Some(id)) => {
                let name = self.repository_by_id(id).await?.name;
                let answer: answer::Whole = self.ask(document, &name, known, names).await?;
                if meant(&answer) {
                    return Ok((name, answer));
                }
                Err(Error::Transient("the repository is being renamed".to_owned()))
            }
            (Ok(answer), None) => Ok((name.clone(), answer)),
            (Err(error), _) => Err(error),
        }
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        document: &Document,
        name: &RepositoryName,
        known: &[String],
        names: &OurNames,
    ) -> Result<T> {
        if known.len() > 100 {
            return Err(Error::Permanent(format!(
                "{} items of one repository are outstanding; GitHub tells of 100 at once",
                known.len()
            )));
        }
        let variables = json!({
            "owner": name.owner().as_str(),
            "name": name.name(),
            "known": known,
            "prefix": format!("refs/heads/{}", names.prefix),
            "label": names.label,
            "files": names.files_branch,
            "license": names.license_branch,
            "codeJson": names.code_json_branch,
        });
        self.query(document, &variables).await
    }

    async fn query<T: DeserializeOwned>(&self, document: &Document, variables: &Value) -> Result<T> {
        let envelope = self.client.graphql(&self.who, document, variables, Kind::Read).await?;
        envelope.data(document, &["home", "known"])
    }
}

/// `user.permissions` of the collaborator's route.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rights {
    pull: bool,
    triage: Option<bool>,
    push: bool,
    maintain: Option<bool>,
    admin: bool,
}

impl Rights {
    /// Where triage or maintain are absent, the next higher right decides.
    fn role(&self) -> Role {
        let maintain = self.maintain.unwrap_or(self.admin);
        let triage = self.triage.unwrap_or(self.push);
        if self.admin {
            Role::Admin
        } else if maintain {
            Role::Maintain
        } else if self.push {
            Role::Write
        } else if triage {
            Role::Triage
        } else if self.pull {
            Role::Read
        } else {
            Role::None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_of_rights_decides_the_role() {
        let role = |value| serde_json::from_value::<Rights>(value).unwrap().role();
        assert_eq!(role(json!({})), Role::None);
        assert_eq!(role(json!({"pull": true})), Role::Read);
        assert_eq!(role(json!({"pull": true, "triage": true, "push": false})), Role::Triage);
        assert_eq!(role(json!({"pull": true, "push": true})), Role::Write);
        assert_eq!(
            role(json!({"pull": true, "push": true, "triage": true, "maintain": true})),
            Role::Maintain
        );
        assert_eq!(role(json!({"pull": true, "push": true, "admin": true})), Role::Admin);
        assert!(Role::None < Role::Read && Role::Triage < Role::Write && Role::Maintain < Role::Admin);
    }
}
