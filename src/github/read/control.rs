//! The control repository: a file that people decide in, and how its changes
//! came about (threats T8).
//!
//! Promises: (1) a repository that was renamed is not followed: what stands
//! under its old name now is not what the policy meant; (2) what cannot be read
//! whole is told apart from what is absent; (3) people are ids, and an App or an
//! account that is gone is nobody.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Reader, Result,
    texts::{Blob, Found},
};
use crate::{
    domain::{
        exemptions::{
            code_owners,
            verify::{Before, Change, Merge, Person, Review, Verdict},
        },
        repository::{AccountId, FileText, ObjectId, RepositoryId, RepositoryName, Visibility},
    },
    github::{error::Error, graphql::CONTROL},
};

/// A file of a control repository, as its default branch has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// The repository.
    pub id: RepositoryId,
    /// Its name.
    pub name: RepositoryName,
    /// Who can see it.
    pub visibility: Visibility,
    /// The tip of its default branch; `None` while nothing was committed.
    pub head: Option<ObjectId>,
    /// The file.
    pub file: ControlFile,
    /// The newest commits that changed it, newest first.
    pub changes: Vec<Change>,
    /// Where older ones are, if there are any.
    pub older: Option<String>,
}

/// What stands where the file should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlFile {
    /// Nothing.
    Absent,
    /// A text.
    Text {
        /// Its object id.
        oid: ObjectId,
        /// What it says.
        text: String,
    },
    /// Something that is no text, or larger than any that is read.
    Other {
        /// Its object id.
        oid: ObjectId,
    },
}

impl ControlFile {
    /// Its object id.
    #[must_use]
    pub fn oid(&self) -> Option<&ObjectId> {
        match self {
            ControlFile::Absent => None,
            ControlFile::Text { oid, .. } | ControlFile::Other { oid } => Some(oid),
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    repository: Raw,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    database_id: RepositoryId,
    name_with_owner: String,
    visibility: String,
    default_branch_ref: Option<Branch>,
    file: Option<Blob>,
    changes: Option<Changes>,
}

#[derive(Deserialize)]
struct Branch {
    name: String,
    target: Option<Oid>,
}

#[derive(Deserialize)]
struct Oid {
    oid: ObjectId,
}

#[derive(Deserialize)]
struct Changes {
    history: History,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct History {
    nodes: Vec<RawChange>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawChange {
    oid: ObjectId,
    parents: Nodes<RawBefore>,
    associated_pull_requests: Option<Nodes<RawPull>>,
}

#[derive(Deserialize)]
struct Nodes<T> {
    nodes: Vec<T>,
}

#[derive(Deserialize)]
struct RawBefore {
    file: Option<TreeEntry>,
    owners0: Option<TreeEntry>,
    owners1: Option<TreeEntry>,
    owners2: Option<TreeEntry>,
}

#[derive(Deserialize)]
struct TreeEntry {
    object: Option<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPull {
    number: u64,
    merged: bool,
    base_ref_name: String,
    head_ref_oid: ObjectId,
    author: Option<Who>,
    merged_by: Option<Who>,
    merge_commit: Option<MergeCommit>,
    reviews: Option<Nodes<RawReview>>,
    files: Option<Files>,
}

#[derive(Deserialize)]
struct MergeCommit {
    oid: ObjectId,
    parents: Nodes<RawBefore>,
}

#[derive(Deserialize)]
struct RawReview {
    state: String,
    author: Option<Who>,
    commit: Option<Oid>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Files {
    total_count: usize,
    nodes: Vec<ChangedFile>,
}

#[derive(Deserialize)]
struct ChangedFile {
    path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Who {
    #[serde(rename = "__typename")]
    kind: String,
    login: String,
    database_id: Option<AccountId>,
}

impl Reader {
    /// The file at `path` of a control repository, with the `newest` commits
    /// that changed it, or those from `after` on. One call.
    ///
    /// # Errors
    /// [`Error`]; [`Error::NotFound`] if there is no such repository for us.
    pub async fn control(
        &self,
        name: &RepositoryName,
        path: &str,
        newest: u32,
        after: Option<&str>,
    ) -> Result<Control> {
        let variables = json!({
            "owner": name.owner().as_str(),
            "name": name.name(),
            "expression": format!("HEAD:{path}"),
            "path": path,
            "newest": newest,
            "after": after,
        });
        let answer: Value = self.query(&CONTROL, &variables).await?;
        let Answer { repository: raw } = Answer::deserialize(&answer).map_err(|error| {
            Error::Permanent(format!(
                "GitHub's answer about the control repository is not as documented: {error}"
            ))
        })?;
        let visibility = raw.visibility.parse().map_err(|()| {
            Error::Permanent(format!("{} is a visibility Muster does not know", raw.visibility))
        })?;
        let branch = raw.default_branch_ref.as_ref().map(|branch| branch.name.as_str());
        let (mut changes, mut older) = (Vec::new(), None);
        if let Some(Changes { history }) = raw.changes {
            older = history.page_info.end_cursor.filter(|_| history.page_info.has_next_page);
            changes = history.nodes.into_iter().map(|change| change.sorted(branch)).collect();
        }
        Ok(Control {
            id: raw.database_id,
            name: raw.name_with_owner.parse().unwrap_or_else(|_| name.clone()),
            visibility,
            head: raw.default_branch_ref.and_then(|branch| branch.target).map(|target| target.oid),
            file: raw.file.map_or(ControlFile::Absent, file),
            changes,
            older,
        })
    }
}

fn file(blob: Blob) -> ControlFile {
    let oid = blob.oid.clone();
    match whole(&blob) {
        Some(text) => ControlFile::Text { oid, text },
        None => ControlFile::Other { oid },
    }
}

/// The text of a blob, if it is one and all of it is there.
fn whole(blob: &Blob) -> Option<String> {
    match blob.sort(&blob.oid) {
        Found::Text(FileText::Text(text)) => Some(text.to_string()),
        Found::Text(
            FileText::Binary | FileText::LfsPointer | FileText::TooLarge(_) | FileText::Unread(_),
        )
        | Found::Bytes => None,
    }
}

fn before(entry: Option<&TreeEntry>) -> Before {
    match entry {
        None => Before::Absent,
        Some(entry) => entry.object.as_ref().and_then(whole).map_or(Before::Unread, Before::Text),
    }
}

impl RawBefore {
    fn owners(&self) -> Before {
        // In the order of `code_owners::PATHS`: the first that is there counts.
        let found = [&self.owners0, &self.owners1, &self.owners2];
        debug_assert_eq!(found.len(), code_owners::PATHS.len());
        before(found.into_iter().find_map(Option::as_ref))
    }
}

impl RawChange {
    /// The change, if `branch` is the default branch.
    fn sorted(self, branch: Option<&str>) -> Change {
        let pulls = self.associated_pull_requests.map(|pulls| pulls.nodes).unwrap_or_default();
        let here = |pull: &RawPull| pull.merged && Some(pull.base_ref_name.as_str()) == branch;
        let brought = pulls.into_iter().filter(here).find_map(RawPull::sorted);
        let (merge, parents) = match brought {
            Some((merge, parents)) => (Some(merge), parents),
            None => (None, self.parents),
        };
        let before = match parents.nodes.first() {
            Some(parent) => before(parent.file.as_ref()),
            // The first commit of all.
            None => Before::Absent,
        };
        Change { commit: self.oid, merge, before }
    }
}

impl RawPull {
    /// The merge, and what stood on the branch before; `None` if GitHub does
    /// not say which commit that is.
    fn sorted(self) -> Option<(Merge, Nodes<RawBefore>)> {
        let MergeCommit { oid, parents } = self.merge_commit?;
        let files = self.files.filter(|files| files.total_count == files.nodes.len());
        let merge = Merge {
            number: self.number,
            author: self.author.and_then(Who::person),
            merged_by: self.merged_by.and_then(Who::person),
            head: self.head_ref_oid,
            commit: oid,
            reviews: self
                .reviews
                .into_iter()
                .flat_map(|all| all.nodes)
                .filter_map(RawReview::sorted)
                .collect(),
            files: files.map(|files| files.nodes.into_iter().map(|file| file.path).collect()),
            owners: parents.nodes.first().map_or(Before::Absent, RawBefore::owners),
        };
        Some((merge, parents))
    }
}

impl RawReview {
    fn sorted(self) -> Option<Review> {
        let verdict = match self.state.as_str() {
            "APPROVED" => Verdict::Approved,
            "CHANGES_REQUESTED" | "DISMISSED" => Verdict::Withheld,
            _ => Verdict::Silent,
        };
        Some(Review { by: self.author?.person()?, verdict, commit: self.commit.map(|commit| commit.oid) })
    }
}

impl Who {
    fn person(self) -> Option<Person> {
        (self.kind == "User").then_some(())?;
        Some(Person { id: self.database_id?, login: self.login })
    }
}
