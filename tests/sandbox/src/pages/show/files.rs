//! Files, commits and what they changed.

use askama::Template;
use axum::extract::{Path, State as Extract};

use super::super::markdown;
use super::super::place::Place;
use super::super::{Frame, Page, Pages, Viewer, page};
use super::Entry;
use crate::git::{FileChange, Mode, Oid};
use crate::state::{Refusal, Repository, State};

/// The lines above every page of a repository.
pub(super) struct Head {
    pub(super) entry: Entry,
    pub(super) branch: String,
}

impl Head {
    pub(super) fn new(state: &State, home: &Repository) -> Self {
        Self { entry: Entry::new(state, home), branch: home.default_branch.clone() }
    }
}

struct Row {
    name: String,
    mode: &'static str,
    /// Where it leads; empty for a submodule.
    link: String,
}

#[derive(Template)]
#[template(path = "files.html")]
struct FilesPage {
    frame: Frame,
    head: Head,
    branches: Vec<String>,
    branch: String,
    path: String,
    /// `None` for a file.
    rows: Option<Vec<Row>>,
    /// The text of a file; `None` for what is no text.
    text: Option<String>,
    readme: Option<String>,
}

pub(in super::super) async fn repository(
    pages: Extract<Pages>,
    viewer: Viewer,
    Path(mut place): Path<Place>,
) -> Page {
    place.rest = {
        let state = pages.state();
        place.find(&state)?.default_branch.clone()
    };
    files(pages, viewer, Path(place)).await
}

pub(in super::super) async fn files(
    Extract(pages): Extract<Pages>,
    viewer: Viewer,
    Path(place): Path<Place>,
) -> Page {
    let state = pages.state();
    let home = place.find(&state)?;
    let (branch, path) = place.branch_and_path(home);
    let full_name = state.full_name(home);
    let commit = home.resolve(branch).and_then(|oid| home.objects.commit(oid));
    let entry = commit.and_then(|commit| home.objects.entry_at(commit.tree, path));
    if entry.is_none() && !home.is_empty() {
        return Err(Refusal::NotFound.into());
    }
    let slash = if path.is_empty() { "" } else { "/" };
    let rows = match &entry {
        Some(entry) => home.objects.tree(entry.oid).map(|entries| {
            let row = |entry: &crate::git::TreeEntry| {
                let kind = if entry.mode == Mode::Directory { "tree" } else { "blob" };
                let link = format!("/{full_name}/{kind}/{branch}/{path}{slash}{}", entry.name);
                let link = if entry.mode == Mode::Submodule { String::new() } else { link };
                Row { name: entry.name.clone(), mode: entry.mode.digits(), link }
            };
            entries.iter().map(row).collect()
        }),
        None => Some(Vec::new()),
    };
    let text_of = |oid: Oid| {
        let text = home.objects.blob(oid).and_then(|content| std::str::from_utf8(content).ok());
        text.filter(|text| !text.contains('\0')).map(str::to_owned)
    };
    let readme = entry.as_ref().and_then(|entry| home.objects.tree(entry.oid)).and_then(|entries| {
        let readme = entries.iter().find(|entry| entry.name.eq_ignore_ascii_case("readme.md"))?;
        Some(markdown::render(&text_of(readme.oid)?, false))
    });
    page(&FilesPage {
        frame: Frame::new(&state, &viewer, &full_name),
        head: Head::new(&state, home),
        branches: home.branches().map(|(name, _)| name.to_owned()).collect(),
        branch: branch.to_owned(),
        path: path.to_owned(),
        text: entry.filter(|_| rows.is_none()).and_then(|entry| text_of(entry.oid)),
        rows,
        readme,
    })
}

struct Line {
    oid: String,
    headline: String,
    author: String,
    at: String,
    verified: bool,
}

#[derive(Template)]
#[template(path = "commits.html")]
struct CommitsPage {
    frame: Frame,
    head: Head,
    commits: Vec<Line>,
}

pub(in super::super) async fn commits(
    Extract(pages): Extract<Pages>,
    viewer: Viewer,
    Path(place): Path<Place>,
) -> Page {
    let state = pages.state();
    let home = place.find(&state)?;
    let from = home.resolve(&place.branch).ok_or(Refusal::NotFound)?;
    let line = |(oid, commit): (Oid, &crate::git::Commit)| Line {
        oid: oid.to_string(),
        headline: commit.headline().to_owned(),
        author: commit.account.map_or(commit.author.name.clone(), |id| state.login(id).to_owned()),
        at: commit.committer.at.to_string(),
        verified: commit.verified,
    };
    page(&CommitsPage {
        frame: Frame::new(&state, &viewer, format!("Commits of {}", place.branch)),
        head: Head::new(&state, home),
        commits: home.objects.history(from).into_iter().map(line).collect(),
    })
}

/// A changed file with the lines of its patch and their class.
pub(super) struct Changed {
    pub(super) path: String,
    pub(super) status: &'static str,
    pub(super) lines: Vec<(&'static str, String)>,
}

impl From<FileChange> for Changed {
    fn from(change: FileChange) -> Self {
        let class = |line: &str| match line.as_bytes().first() {
            Some(b'+') => "added",
            Some(b'-') => "removed",
            Some(b'@') => "hunk",
            Some(_) | None => "same",
        };
        let patch = change.patch.as_deref().unwrap_or("(not a text)");
        Self {
            status: change.status.word(),
            lines: patch.lines().map(|line| (class(line), line.to_owned())).collect(),
            path: change.path,
        }
    }
}

#[derive(Template)]
#[template(path = "commit.html")]
struct CommitPage {
    frame: Frame,
    head: Head,
    oid: String,
    message: String,
    author: String,
    changes: Vec<Changed>,
}

pub(in super::super) async fn commit(
    Extract(pages): Extract<Pages>,
    viewer: Viewer,
    Path(place): Path<Place>,
) -> Page {
    let state = pages.state();
    let home = place.find(&state)?;
    let oid = home.resolve(&place.oid).ok_or(Refusal::NotFound)?;
    let commit = home.objects.commit(oid).ok_or(Refusal::NotFound)?;
    let parent = commit.parents.first().and_then(|parent| home.objects.commit(*parent));
    let changes = home.objects.diff(parent.map(|parent| parent.tree), Some(commit.tree));
    page(&CommitPage {
        frame: Frame::new(&state, &viewer, commit.headline()),
        head: Head::new(&state, home),
        oid: oid.to_string(),
        message: commit.message.clone(),
        author: format!("{} <{}>", commit.author.name, commit.author.email),
        changes: changes.into_iter().map(Changed::from).collect(),
    })
}
