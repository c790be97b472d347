//! The folder `records` of a control repository.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Reader, Result};
use crate::{
    domain::repository::{FileText, ObjectId, RepositoryName},
    github::{error::Error, graphql::RECORDS},
};

/// A file of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFile {
    /// Its name, without the folder.
    pub name: String,
    /// Its object id.
    pub oid: ObjectId,
    /// In bytes.
    pub size: u64,
}

#[derive(Deserialize)]
struct Answer {
    repository: Raw,
}

#[derive(Deserialize)]
struct Raw {
    records: Option<Tree>,
}

#[derive(Deserialize)]
struct Tree {
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    oid: ObjectId,
    #[serde(default)]
    size: u64,
}

impl Reader {
    /// The files in `records/` of a control repository; `None` if there is no
    /// such folder. One call.
    ///
    /// # Errors
    /// [`Error`]; [`Error::NotFound`] if there is no such repository for us.
    pub async fn record_files(&self, name: &RepositoryName) -> Result<Option<Vec<RecordFile>>> {
        let variables = json!({ "owner": name.owner().as_str(), "name": name.name() });
        let answer: Value = self.query(&RECORDS, &variables).await?;
        let Answer { repository: raw } = Answer::deserialize(&answer).map_err(|error| {
            Error::Permanent(format!("GitHub's answer about the records is not as documented: {error}"))
        })?;
        let files = |tree: Tree| {
            let blobs = tree.entries.into_iter().filter(|entry| entry.kind == "blob");
            blobs.map(|Entry { name, oid, size, .. }| RecordFile { name, oid, size }).collect()
        };
        Ok(raw.records.map(files))
    }

    /// The texts of these objects of a repository, eight a call.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn texts_by_id(
        &self,
        name: &RepositoryName,
        oids: &[ObjectId],
    ) -> Result<HashMap<ObjectId, FileText>> {
        self.texts_of_objects(name, oids).await
    }
}
