//! A pull request as its check run needs it, and the check runs that are there.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Kind, Reader, RepositoryName, Result, answer, answer::part, needs};
use crate::{
    domain::{
        check::{Becomes, Changed, NAME, Proposal, Watched},
        observed::Actor,
        repository::{AccountId, EntryKind, ObjectId},
    },
    github::{client::Access, error::Error, graphql::PULL_REQUEST},
};

/// A check run under our name and by our App.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRun {
    /// Its id.
    pub id: u64,
    /// Our own key.
    pub external_id: String,
    /// How many annotations it has.
    pub annotations: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PullRequest {
    number: u64,
    state: String,
    head_ref_oid: ObjectId,
    base_ref_name: String,
    is_cross_repository: bool,
    author: Option<answer::Author>,
    files: Option<answer::Counted<answer::ChangedFile>>,
    repository: Value,
}

/// An entry of a tree.
#[derive(Deserialize)]
struct Entry {
    mode: u32,
    oid: ObjectId,
    object: Option<Value>,
}

fn entry(commit: &Value, file: Watched) -> Result<Option<Entry>> {
    let alias = match file {
        Watched::Record => "record",
        Watched::Settings => "settings",
    };
    part(&commit[alias])
}

impl Reader {
    /// A pull request by GraphQL's global id, with the files of ours at `head`;
    /// one call, and one more for each of them that is not UTF-8. `None` if it
    /// is gone.
    ///
    /// # Errors
    /// [`Error`]; [`Error::StaleData`] if GitHub has no such commit there.
    pub async fn pull_request(&self, id: &str, head: &ObjectId) -> Result<Option<Proposal>> {
        #[derive(Deserialize)]
        struct Data {
            pull: Option<Value>,
        }
        let variables = json!({ "pull": id, "head": head.as_str() });
        let envelope = self.client.graphql(&self.who, &PULL_REQUEST, &variables, Kind::Read).await?;
        let data: Data = envelope.data(&PULL_REQUEST, &["pull"])?;
        let Some(node) = data.pull.filter(|node| node["__typename"] == "PullRequest") else {
            return Ok(None);
        };
        let pull: PullRequest = part(&node)?;
        let name = pull.repository["nameWithOwner"].as_str().unwrap_or_default().parse();
        let name: RepositoryName =
            name.map_err(|_| Error::Permanent("GitHub's answer has a name that is none".to_owned()))?;
        let repository = answer::Whole::facts(&pull.repository, &name)?;
        let at_head = &pull.repository["head"];
        // One that was pushed away since may be gone: then its successor is told.
        if at_head["__typename"] != "Commit" && pull.head_ref_oid == *head {
            return Err(Error::StaleData("the commit of a pull request is not there".to_owned()));
        }
        let base = &pull.repository["base"]["target"];
        let (paths, told_all) = match pull.files {
            None => (Vec::new(), false),
            Some(files) => {
                let paths: Vec<String> = files.nodes.into_iter().flatten().map(|file| file.path).collect();
                let told_all = files.total_count <= paths.len();
                (paths, told_all)
            }
        };
        let mut changed = Vec::new();
        for file in Watched::ALL {
            let (there, before) = (entry(at_head, file)?, entry(base, file)?);
            let same = there.as_ref().map(|entry| &entry.oid) == before.as_ref().map(|entry| &entry.oid);
            // Beyond what GitHub names, a file that differs may have been changed.
            if paths.iter().any(|path| path == file.path()) || (!told_all && !same) {
                changed.push(Changed { file, becomes: self.becomes(&name, there).await? });
            }
        }
        let own = match entry(base, Watched::Settings)? {
            Some(own) if !changed.is_empty() => match self.becomes(&name, Some(own)).await? {
                Becomes::File(text) => Some(text),
                Becomes::Nothing | Becomes::Other(_) => None,
            },
            Some(_) | None => None,
        };
        let onto_default =
            repository.head.as_ref().is_some_and(|default| default.branch == pull.base_ref_name);
        Ok(Some(Proposal {
            number: pull.number,
            current: pull.state == "OPEN" && onto_default,
            head: pull.head_ref_oid,
            from_fork: pull.is_cross_repository,
            author: pull.author.map(answer::Author::into_actor),
            told_all,
            changed,
            own,
            repository,
        }))
    }

    async fn becomes(&self, name: &RepositoryName, entry: Option<Entry>) -> Result<Becomes> {
        let Some(Entry { mode, oid, object }) = entry else { return Ok(Becomes::Nothing) };
        Ok(match answer::entry_kind(mode) {
            EntryKind::File => {
                Becomes::File(self.text_of(name, &oid, object.as_ref().unwrap_or(&Value::Null)).await?)
            }
            other @ (EntryKind::Folder | EntryKind::Link | EntryKind::Submodule) => Becomes::Other(other),
        })
    }

    /// The check runs of ours on a commit. Whoever else uses our name is not
    /// looked at (threats I13).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn check_runs(&self, name: &RepositoryName, head: &ObjectId) -> Result<Vec<CheckRun>> {
        #[derive(Deserialize)]
        struct Page {
            check_runs: Vec<Run>,
        }
        #[derive(Deserialize)]
        struct Run {
            id: u64,
            name: String,
            external_id: Option<String>,
            output: Output,
            app: Option<App>,
        }
        #[derive(Deserialize)]
        struct Output {
            annotations_count: usize,
        }
        #[derive(Deserialize)]
        struct App {
            id: AccountId,
            client_id: Option<String>,
        }
        let ours = |app: &App| match &self.client.access {
            Access::App(ours) => ours.is(app.id.0, app.client_id.as_deref()),
            Access::Token(_) => false,
        };
        let values = [name.owner().as_str(), name.name(), head.as_str()];
        let path = needs::CHECK_RUNS.path(&values);
        let first = format!("{path}?check_name={}&filter=all&per_page=100", NAME.replace(' ', "%20"));
        let all = self.client.list_from(&self.who, &needs::CHECK_RUNS, first, |page: Page| page.check_runs);
        let found =
            all.await?.into_iter().filter(|run| run.name == NAME && run.app.as_ref().is_some_and(ours));
        Ok(found
            .map(|run| CheckRun {
                id: run.id,
                external_id: run.external_id.unwrap_or_default(),
                annotations: run.output.annotations_count,
            })
            .collect())
    }

    /// Whether somebody may push to a repository, now.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn may_write(&self, name: &RepositoryName, person: &Actor) -> Result<bool> {
        let (Some(id), Ok(login)) = (person.id.filter(|_| !person.bot), person.login.parse()) else {
            return Ok(false);
        };
        match self.permission(name, &login, id).await {
            Ok(role) => Ok(role >= super::Role::Write),
            Err(Error::StaleData(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
