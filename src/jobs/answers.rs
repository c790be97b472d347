//! What people say of repositories that carry no file of their own:
//! `records/<repository id>.json` in the control repository.
//!
//! Promises: (1) a file that cannot be used stops no other, and what it said
//! before stands; (2) a control repository that cannot be seen takes no answer
//! away; (3) a file is read again only when its object is another.

use std::collections::{BTreeMap, BTreeSet};

use code_json::{
    document::{Document, Limits},
    migrate,
    record::{Provenance, Record},
};
use serde_json::Value;

use super::{Context, JobError, exemptions, publish_inventory};
use crate::{
    domain::repository::{FileText, RepositoryId, RepositoryName},
    github::{self, Reader},
    store::{Answer, Installation},
};

/// The most files that are read.
const MOST: usize = 10_000;

/// Reads the answers of an account's people, and has the inventory published
/// again if they say something new.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn run(
    ctx: &Context,
    known: &Installation,
    control: Option<&RepositoryName>,
) -> Result<(), JobError> {
    let Some((reader, name, files)) = find(ctx, known, control).await? else { return Ok(()) };
    let before: BTreeMap<RepositoryId, Answer> = ctx
        .store
        .answers(known.account)
        .await?
        .into_iter()
        .map(|answer| (answer.repository, answer))
        .collect();
    let mut there = BTreeSet::new();
    let mut new = Vec::new();
    for file in files.into_iter().take(MOST) {
        let Some(id) = file.name.strip_suffix(".json").and_then(|id| id.parse().ok().map(RepositoryId))
        else {
            continue;
        };
        there.insert(id);
        if before.get(&id).is_none_or(|answer| answer.oid != file.oid.as_str()) {
            new.push((id, file.oid));
        }
    }
    let oids: Vec<_> = new.iter().map(|(_, oid)| oid.clone()).collect();
    let texts = reader.texts_by_id(&name, &oids).await?;
    let taken: Vec<Answer> = new
        .into_iter()
        .filter_map(|(id, oid)| {
            let said = match texts.get(&oid)? {
                FileText::Text(text) => read(text, id),
                FileText::Binary | FileText::LfsPointer => Err("it is no text".to_owned()),
                FileText::TooLarge(_) => Err("it is too large".to_owned()),
                // It is asked for again next time.
                FileText::Unread(_) => return None,
            };
            // What it said before stands.
            let said = match (said, before.get(&id).map(|answer| &answer.said)) {
                (Err(_), Some(Ok(record))) => Ok(record.clone()),
                (said, _) => said,
            };
            Some(Answer { repository: id, oid: oid.to_string(), said })
        })
        .collect();
    let gone: Vec<RepositoryId> = before.keys().filter(|id| !there.contains(id)).copied().collect();
    if taken.is_empty() && gone.is_empty() {
        return Ok(());
    }
    for answer in taken.iter().filter(|answer| answer.said.is_err()) {
        tracing::warn!(repository = answer.repository.0, "an answer in records/ cannot be used");
    }
    ctx.store.take_answers(known.account, &taken, &gone).await?;
    if let Some(job) = publish_inventory::of_organization(ctx, &known.login) {
        ctx.store.enqueue(&[job], ctx.clock.now()).await?;
    }
    Ok(())
}

/// Where the answers are; `None` if nobody can tell.
async fn find(
    ctx: &Context,
    known: &Installation,
    control: Option<&RepositoryName>,
) -> Result<Option<(Reader, RepositoryName, Vec<github::RecordFile>)>, JobError> {
    let mut seen = None;
    for name in exemptions::places(known, control)? {
        let Some(reader) = exemptions::reader_of(ctx, known, &name).await? else { continue };
        match reader.record_files(&name).await {
            Ok(Some(files)) => return Ok(Some((reader, name, files))),
            Ok(None) => seen = Some((reader, name, Vec::new())),
            Err(github::Error::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(seen)
}

/// The one record of a file.
fn read(text: &str, id: RepositoryId) -> Result<Record, String> {
    let file = format!("records/{id}.json");
    let document = Document::read(text.as_bytes(), &Limits::default())
        .map_err(|fault| format!("line {}: {}", fault.place.line, fault.kind.message()))?;
    match document.root().to_json() {
        // One field is an answer too.
        Value::Object(said) if !said.contains_key("releases") && !said.contains_key("projects") => {
            Ok(migrate::read_release(&said, Provenance::Person { file }).0)
        }
        Value::Object(_)
        | Value::Array(_)
        | Value::String(_)
        | Value::Number(_)
        | Value::Bool(_)
        | Value::Null => Err("it is not one record: write an object with the fields you know".to_owned()),
    }
}
