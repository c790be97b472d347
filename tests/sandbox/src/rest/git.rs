//! Branches, contents, commits and git's own objects.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Answer, Input};
use crate::git::{Mode, Oid};
use crate::state::{Refusal, Repository};

type Result = std::result::Result<Answer, Refusal>;

fn object(home: &Repository, text: &str) -> std::result::Result<Oid, Refusal> {
    if home.is_empty() {
        return Err(Refusal::EmptyRepository);
    }
    text.parse().map_err(|_| Refusal::NotFound)
}

pub(super) fn branches(input: &mut Input<'_>) -> Result {
    let home = input.home()?;
    let api = input.state.api_url(home);
    let items = home.branches().map(|(name, oid)| {
        json!({
            "name": name,
            "commit": { "sha": oid, "url": format!("{api}/commits/{oid}") },
            "protected": !input.state.rules_of(home, name).is_empty(),
        })
    });
    let items = items.collect();
    Ok(input.page(items))
}

pub(super) fn contents(input: &mut Input<'_>) -> Result {
    let home = input.home()?;
    let revision = input.query.get("ref").unwrap_or(&home.default_branch);
    let path = input.parameter("path")?.trim_matches('/');
    let objects = &home.objects;
    let commit = home.resolve(revision).and_then(|oid| objects.commit(oid));
    let entry = commit.and_then(|commit| objects.entry_at(commit.tree, path));
    let entry = entry.ok_or(Refusal::NotFound)?;
    if entry.mode != Mode::Directory {
        return Ok(Answer::ok(input.state.content_json(home, revision, path, &entry, false)));
    }
    let inner = objects.tree(entry.oid).unwrap_or_default();
    let items = inner.iter().map(|entry| {
        let path = if path.is_empty() { entry.name.clone() } else { format!("{path}/{}", entry.name) };
        input.state.content_json(home, revision, &path, entry, true)
    });
    Ok(Answer::ok(items.collect()))
}

/// The address of an archive, at another host. That of code that is not public
/// carries a key.
pub(super) fn tarball(input: &mut Input<'_>) -> Result {
    let (home, revision) = (input.home()?, input.parameter("ref")?);
    home.resolve(revision).ok_or(Refusal::NotFound)?;
    let place = format!("{}/legacy.tar.gz/{revision}", input.state.full_name(home));
    let key = input.state.archive_key(home).map(|key| format!("?token={key}")).unwrap_or_default();
    let location = format!("{}/{place}{key}", input.state.urls.web);
    Ok(Answer { status: 302, headers: vec![("location", location)], body: None })
}

pub(super) fn commits(input: &mut Input<'_>) -> Result {
    let home = input.home()?;
    if home.is_empty() {
        return Err(Refusal::EmptyRepository);
    }
    let from = input.query.get("sha").unwrap_or(&home.default_branch);
    let from = home.resolve(from).ok_or(Refusal::NotFound)?;
    let path = input.query.get("path").map(|path| path.trim_matches('/'));
    let author = input.query.get("author");
    let time = |name: &str| {
        let text = input.query.get(name);
        text.map(|text| text.parse::<jiff::Timestamp>())
            .transpose()
            .map_err(|_| Refusal::Unprocessable(format!("{name} is not a date and time")))
    };
    let (since, until) = (time("since")?, time("until")?);
    let objects = &home.objects;
    let at = |tree: Option<Oid>| tree.and_then(|tree| objects.entry_at(tree, path?));
    let items = objects
        .history(from)
        .into_iter()
        .filter(|(_, commit)| {
            let parent = commit.parents.first().and_then(|oid| objects.commit(*oid));
            let touched = path.is_none() || at(Some(commit.tree)) != at(parent.map(|p| p.tree));
            let by = author.is_none_or(|wanted| {
                commit.account.is_some_and(|id| input.state.login(id).eq_ignore_ascii_case(wanted))
                    || commit.author.email == *wanted
            });
            let date = commit.committer.at;
            touched && by && since.is_none_or(|s| date >= s) && until.is_none_or(|u| date <= u)
        })
        .map(|(oid, commit)| input.state.commit_json(home, oid, commit))
        .collect();
    Ok(input.page(items))
}

pub(super) fn reference(input: &mut Input<'_>) -> Result {
    let home = input.home()?;
    let name = format!("refs/{}", input.parameter("ref")?);
    if home.is_empty() {
        return Err(Refusal::EmptyRepository);
    }
    let oid = home.references.get(&name).ok_or(Refusal::NotFound)?;
    Ok(Answer::ok(input.state.ref_json(home, &name, *oid)))
}

pub(super) fn create_ref(input: &mut Input<'_>) -> Result {
    let (name, oid) = (input.required("Reference", "ref")?, input.oid("sha")?);
    let id = input.home_id()?;
    input.state.create_ref(input.caller, id, &name, oid)?;
    Ok(Answer::created(input.state.ref_json(input.home()?, &name, oid)))
}

pub(super) fn update_ref(input: &mut Input<'_>) -> Result {
    let name = format!("refs/{}", input.parameter("ref")?);
    let (oid, force) = (input.oid("sha")?, input.flag("force")?.unwrap_or(false));
    let id = input.home_id()?;
    input.state.update_ref(input.caller, id, &name, oid, force)?;
    Ok(Answer::ok(input.state.ref_json(input.home()?, &name, oid)))
}

pub(super) fn delete_ref(input: &mut Input<'_>) -> Result {
    let name = format!("refs/{}", input.parameter("ref")?);
    let id = input.home_id()?;
    input.state.delete_ref(input.caller, id, &name)?;
    Ok(Answer::no_content())
}

pub(super) fn tree(input: &mut Input<'_>) -> Result {
    let home = input.home()?;
    if home.is_empty() {
        return Err(Refusal::EmptyRepository);
    }
    let oid = home.resolve(input.parameter("tree_sha")?).ok_or(Refusal::NotFound)?;
    let tree = home.objects.commit(oid).map_or(oid, |commit| commit.tree);
    let level = home.objects.tree(tree).ok_or(Refusal::NotFound)?;
    let entries = if input.query.contains_key("recursive") {
        home.objects.entries(tree)
    } else {
        level.iter().map(|entry| (entry.name.clone(), entry.clone())).collect()
    };
    Ok(Answer::ok(input.state.tree_json(home, tree, &entries, input.truncate)))
}

pub(super) fn create_tree(input: &mut Input<'_>) -> Result {
    let id = input.home_id()?;
    let base = if input.body["base_tree"].is_null() { None } else { Some(input.oid("base_tree")?) };
    let bad = || Refusal::Unprocessable("tree entries need path, mode and sha or content".to_owned());
    let mut changes = Vec::new();
    for entry in input.body["tree"].as_array().ok_or_else(bad)?.clone() {
        let path = entry["path"].as_str().ok_or_else(bad)?.to_owned();
        let mode = entry["mode"].as_str().and_then(Mode::from_digits);
        let change = match (&entry["sha"], entry["content"].as_str()) {
            (Value::String(oid), None) => Some((mode.ok_or_else(bad)?, oid.parse().map_err(|_| bad())?)),
            (Value::Null, Some(content)) => {
                let content = content.as_bytes().to_vec();
                let oid = input.state.create_blob(input.caller, id, content.into())?;
                Some((mode.ok_or_else(bad)?, oid))
            }
            (Value::Null, None) if entry.get("sha").is_some() => None,
            (_, _) => return Err(bad()),
        };
        changes.push((path, change));
    }
    let tree = input.state.create_tree(input.caller, id, base, changes)?;
    let home = input.home()?;
    let level: Vec<_> = home
        .objects
        .tree(tree)
        .unwrap_or_default()
        .iter()
        .map(|entry| (entry.name.clone(), entry.clone()))
        .collect();
    Ok(Answer::created(input.state.tree_json(home, tree, &level, false)))
}

pub(super) fn blob(input: &mut Input<'_>) -> Result {
    let home = input.home()?;
    let oid = object(home, input.parameter("file_sha")?)?;
    let content = home.objects.blob(oid).ok_or(Refusal::NotFound)?;
    Ok(Answer::ok(input.state.blob_json(home, oid, content)))
}

pub(super) fn create_blob(input: &mut Input<'_>) -> Result {
    let content = input.required("Blob", "content")?;
    let content = match input.text("encoding")?.as_deref() {
        None | Some("utf-8") => content.into_bytes(),
        Some("base64") => STANDARD
            .decode(content.replace('\n', ""))
            .map_err(|_| Refusal::Unprocessable("content is not valid Base64".to_owned()))?,
        Some(_) => return Err(Refusal::invalid("Blob", "encoding", "invalid")),
    };
    let id = input.home_id()?;
    let oid = input.state.create_blob(input.caller, id, content.into())?;
    let url = format!("{}/git/blobs/{oid}", input.state.api_url(input.home()?));
    Ok(Answer::created(json!({ "sha": oid, "url": url })))
}

pub(super) fn commit(input: &mut Input<'_>) -> Result {
    let home = input.home()?;
    let oid = object(home, input.parameter("commit_sha")?)?;
    let commit = home.objects.commit(oid).ok_or(Refusal::NotFound)?;
    Ok(Answer::ok(input.state.git_commit_json(home, oid, commit)))
}

pub(super) fn create_commit(input: &mut Input<'_>) -> Result {
    let message = input.required("Commit", "message")?;
    let tree = input.oid("tree")?;
    let parents = input.texts("parents")?.unwrap_or_default();
    let parents: Option<Vec<Oid>> = parents.iter().map(|oid| oid.parse().ok()).collect();
    let parents = parents.ok_or_else(|| {
        Refusal::Unprocessable("Parent SHA does not exist or is not a commit object".to_owned())
    })?;
    let id = input.home_id()?;
    let oid = input.state.create_commit(input.caller, id, tree, parents, &message)?;
    let home = input.home()?;
    let commit = home.objects.commit(oid).ok_or(Refusal::NotFound)?;
    Ok(Answer::created(input.state.git_commit_json(home, oid, commit)))
}
