//! What stands at the end of a story, as text: on GitHub, and in the ledger.
//!
//! Two runs that end alike give the same text. Left out is what differs from
//! run to run and means nothing: moments, ids, addresses, commit ids.

use std::collections::BTreeSet;

use github_sandbox::{
    Sandbox,
    state::{AccountId, Issue, IssueState, Repository, State},
};
use muster::{
    domain::repository::RepositoryId,
    store::{Decision, JobFilter},
};
use regex::{Captures, Regex};

use crate::harness::Muster;

/// What stands in all repositories but the organizations' own.
pub fn on_github(github: &Sandbox) -> String {
    let text = github.state(|state| {
        let mut homes: Vec<&Repository> =
            state.repositories().filter(|home| !home.name.starts_with(".github")).collect();
        homes.sort_by_key(|home| home.id);
        homes.into_iter().map(|home| repository(state, home)).collect::<String>()
    });
    timeless(&text.replace(github.web_url(), "WEB"))
}

/// Without the moments at which an inventory says that something changed, and
/// the hashes over them: they depend on when a disturbed run came through.
fn timeless(text: &str) -> String {
    let moments = Regex::new(r#"(metadataLastUpdated|lastModified)(\\": \\"|": ")[^"\\]*"#).unwrap();
    let hashes = Regex::new(r#""sha256":"[0-9a-f]*"|( findings=\S+ sig=\S+)"#).unwrap();
    let timeless = moments.replace_all(text, "$1");
    let of_inventory = |found: &Captures<'_>| {
        let line = timeless[..found.get(0).unwrap().start()].rsplit('\n').next().unwrap();
        let kept = found.get(1).is_some() && !line.contains("kind=inventory");
        if kept { found[0].to_owned() } else { String::new() }
    };
    hashes.replace_all(&timeless, of_inventory).into_owned()
}

fn repository(state: &State, home: &Repository) -> String {
    let archived = if home.archived { " archived" } else { "" };
    let mut text = format!("== {} {}{archived}\n", state.full_name(home), home.visibility.word());
    for issue in home.issues.values() {
        text += &conversation(state, home, issue);
    }
    for run in home.check_runs.values() {
        let content = &run.content;
        text += &format!(
            "check run {} {:?} ({}): {:?} {:?}, {} annotations\n",
            content.name,
            content.external_id.as_deref().unwrap_or_default(),
            content.status,
            content.conclusion.as_deref().unwrap_or_default(),
            content.title.as_deref().unwrap_or_default(),
            run.annotations.len()
        );
    }
    let branches: Vec<&str> = home.branches().map(|(name, _)| name).collect();
    let labels: Vec<&str> = home.labels.values().map(|label| label.name.as_str()).collect();
    text + &format!("branches: {branches:?}\nlabels: {labels:?}\n")
}

fn conversation(state: &State, home: &Repository, issue: &Issue) -> String {
    let login = |id: &AccountId| state.login(*id).to_owned();
    let standing = match &issue.state {
        IssueState::Open { reopened: false } => "open".to_owned(),
        IssueState::Open { reopened: true } => "open again".to_owned(),
        IssueState::Closed { by, reason, .. } => {
            let reason = reason.map_or_else(String::new, |reason| format!(" as {}", reason.word()));
            format!("closed by {}{reason}", login(by))
        }
    };
    let labels: Vec<&str> =
        issue.labels.iter().filter_map(|id| Some(home.labels.get(id)?.name.as_str())).collect();
    let editors: Vec<String> = issue.edits.iter().map(|edit| login(&edit.by)).collect();
    let mut text = format!(
        "#{} {} by {}: {standing}\nlabels: {labels:?}, edited by: {editors:?}\n",
        issue.number,
        issue.title,
        login(&issue.author)
    );
    if let Some(pull) = &issue.pull_request {
        let draft = if pull.draft { "draft " } else { "" };
        let merged = if pull.merged.is_some() { ", merged" } else { "" };
        text += &format!(
            "{draft}from {} to {}{merged}, reviews asked of {:?}\n",
            pull.head_branch, pull.base_branch, pull.requested_teams
        );
        for (_, commit) in home.commits_of(pull) {
            text += &format!("commit: {:?}\n", commit.message);
        }
        let tree = home.objects.commit(pull.head).map(|commit| commit.tree);
        for file in home.changed_files(pull) {
            let blob = tree.and_then(|tree| home.objects.entry_at(tree, &file.path));
            let bytes = blob.and_then(|entry| home.objects.blob(entry.oid));
            text += &format!("{}: {:?}\n", file.path, bytes.map(|bytes| String::from_utf8_lossy(bytes)));
        }
    }
    text += &format!("{}\n", issue.body.as_deref().unwrap_or_default());
    for comment in home.comments_of(issue.number) {
        text += &format!("comment by {}: {:?}\n", login(&comment.author), comment.body);
    }
    text
}

/// What the database knows: of every repository what was judged, what is
/// outstanding and what people decided; the installations and the policy; what
/// is to be done later; and what Muster did.
pub async fn in_ledger(muster: &Muster) -> String {
    let (store, now) = (&muster.ctx.store, muster.clock.now());
    let mut text = String::new();
    let mut ids: Vec<RepositoryId> = muster
        .github
        .state(|state| state.repositories().map(|home| RepositoryId(home.id)).collect::<Vec<_>>());
    ids.sort_unstable();
    for id in ids {
        text += &known_of(muster, id).await;
    }
    for known in store.installations().await.unwrap() {
        let (suspended, removed) = (known.suspended_at.is_some(), known.removed_at.is_some());
        text += &format!("installation on {}: suspended {suspended}, removed {removed}\n", known.login);
        let policy = store.policy(known.account).await.unwrap();
        text += &format!("policy taken: {:?}\n", policy.taken.map(|taken| taken.digest));
        text += &format!("policy refused: {:?}\n", policy.refused.map(|refused| refused.why));
    }
    let jobs = store.jobs(JobFilter::default(), 1000, now).await.unwrap();
    let mut later: Vec<String> =
        jobs.iter().map(|job| format!("later: {} of {}\n", job.kind, job.subject)).collect();
    later.sort_unstable();
    text += &later.concat();
    let audit = store.audit(None, 1000).await.unwrap();
    // What was begun is there for every write, once for each attempt. Whether
    // it was answered, and what was put off, depends on what went wrong.
    let mut done: BTreeSet<String> = audit
        .into_iter()
        .filter(|entry| {
            !["changed", "stood_down", "inventory_committed", "inventory_proposed"]
                .contains(&entry.audit.what.as_str())
        })
        .map(|entry| timeless(&format!("audit: {} {}\n", entry.audit.what, entry.audit.detail)))
        .collect();
    let refreshes: Vec<String> = done.iter().filter_map(|line| Some(refreshed(line)?.to_owned())).collect();
    done.retain(|line| !mends(line, &refreshes));
    text.extend(done);
    text.replace(muster.github.web_url(), "WEB")
}

/// The pull request that was to be refreshed by what this line says was begun.
fn refreshed(line: &str) -> Option<&str> {
    line.split_once("\"refresh pull request ")?.1.split(',').next()
}

/// Whether what this line says was begun completes a refresh that was cut off:
/// then the text comes alone, or the branch goes on which it was prepared.
fn mends(line: &str, refreshes: &[String]) -> bool {
    let alone = |number: &String| line.contains(&format!("\"describe pull request {number} anew"));
    refreshes.iter().any(alone) || !refreshes.is_empty() && line.contains("since its refresh was cut off")
}

async fn known_of(muster: &Muster, id: RepositoryId) -> String {
    let store = &muster.ctx.store;
    let Some(known) = store.repository(id).await.unwrap() else { return String::new() };
    let head = muster.github.state(|state| state.repository(id.0).ok().and_then(Repository::head));
    let mut text = format!(
        "== {} {:?}: archived {}, removed {}, arrived {}\n",
        known.seen.name,
        known.seen.visibility,
        known.seen.archived,
        known.removed_at.is_some(),
        known.arrived_at.is_some(),
    );
    // Whether the next sweep may pass over it depends on when it was read.
    text += &format!(
        "judged as it is now: {}, due: {}, by policy {:?}\nfindings: {:?}\nreport: {:?}\n",
        known.head.as_ref().map(ToString::to_string) == head.map(|head| head.to_string()),
        known.due.is_some(),
        known.policy_digest,
        known.evaluations.map(|seen| seen.findings.to_string()),
        known.report,
    );
    let mut rows: Vec<String> = store
        .outstanding(id)
        .await
        .unwrap()
        .iter()
        .map(|row| {
            let number = row.number.map_or_else(|| "no number".to_owned(), |number| format!("#{number}"));
            format!("{} {number} {}: {}\n", row.kind.as_str(), row.state.as_str(), row.findings)
        })
        .collect();
    rows.sort_unstable();
    text += &rows.concat();
    let decisions = store.decisions(id).await.unwrap();
    text + &decisions.iter().map(decided).collect::<String>()
}

fn decided(decision: &Decision) -> String {
    let decision = &decision.decision;
    format!(
        "decision: {} by {} ({}) via {} about {}, ends: {}, see {:?}\n",
        decision.status.as_str(),
        decision.login,
        decision.role,
        decision.via,
        decision.findings,
        decision.until.is_some(),
        decision.evidence_url,
    )
}
