//! An open pull request of ours: its branch made anew, its text, its end.
//!
//! A refresh is two calls: a commit on a staging branch, and the move of the
//! branch from where it was read to that commit. Whoever commits in between
//! wins: the branch does not move, and the next look leaves it to them.

use super::{Step, Work, open::contents, refused::lasting};
use crate::{
    domain::{
        observed::HoldLabel,
        outstanding::{Attempt, Because, Remembered},
        plan::{ClosePullRequest, Description, Refresh},
        repository::ObjectId,
    },
    github::{self, NewCommit, Refusal, Writer},
    jobs::{JobError, inspect_repository::note},
};

impl Work<'_> {
    pub(super) async fn refresh(
        &self,
        writer: &Writer,
        refresh: &Refresh,
        line: String,
    ) -> Result<Step, JobError> {
        let text = &refresh.description;
        let Some(row) = self.row(text.kind, text.number).await? else { return Ok(Step::StoodDown) };
        self.note_idle_hold(text).await?;
        let now = self.ctx.clock.now();
        self.ctx.store.editing(row.id, &row.edits_with(now), now).await?;
        if row.staged.as_ref() == Some(&refresh.tip) {
            // An earlier refresh was made, and its answer was lost.
            let tip = std::slice::from_ref(&refresh.tip);
            self.ctx.store.written(row.id, tip, &row.findings, now).await?;
        }
        self.note_proposed(&refresh.files).await?;
        let commits = match self.make_anew(writer, refresh, &row).await? {
            Ok(commit) => vec![commit],
            // Such a branch may not be made, or ours may not be moved so.
            Err(error @ github::Error::Refused { reason: Refusal::Rules, .. }) => {
                if refresh.changed.is_empty() && refresh.dropped.is_empty() {
                    return self.refused(Attempt::Update(text.kind), Because::Rules, &error).await;
                }
                match self.add_on_top(writer, refresh).await {
                    Ok(commit) => {
                        self.clear_staging(writer, refresh).await?;
                        row.commits.iter().chain([&refresh.tip, &commit]).cloned().collect()
                    }
                    Err(error) => return self.given_up(refresh, error).await,
                }
            }
            Err(error) => return self.given_up(refresh, error).await,
        };
        let now = self.ctx.clock.now();
        self.ctx.store.written(row.id, &commits, &text.findings, now).await?;
        self.note_carried(&refresh.files).await?;
        if !text.needed {
            return Ok(Step::Done(line));
        }
        let described = self.say(writer, text).await;
        self.sorted(Attempt::Update(text.kind), described, line).await
    }

    /// The commit on the staging branch, and the move; the commit.
    async fn make_anew(
        &self,
        writer: &Writer,
        refresh: &Refresh,
        row: &Remembered,
    ) -> Result<github::Result<ObjectId>, JobError> {
        let (branch, staging) = (refresh.branch.as_str(), refresh.staging.as_str());
        self.ctx.store.staged(row.id, &refresh.base.oid, self.ctx.clock.now()).await?;
        let staged = writer
            .stage(&NewCommit {
                branch: staging,
                on: &refresh.base.oid,
                headline: &refresh.subject,
                message: &self.nothing(),
                files: &contents(&refresh.files),
                removed: &[],
            })
            .await;
        let commit = match staged {
            Ok(commit) => commit,
            Err(error) => return Ok(Err(error)),
        };
        self.ctx.store.staged(row.id, &commit, self.ctx.clock.now()).await?;
        Ok(writer.swap(branch, &refresh.tip, &commit, staging).await.map(|()| commit))
    }

    /// Removes the staging branch that was not used; one that may not be
    /// removed stays.
    async fn clear_staging(&self, writer: &Writer, refresh: &Refresh) -> Result<(), JobError> {
        let text = &refresh.description;
        let row = self.row(text.kind, text.number).await?;
        let Some(at) = row.and_then(|row| row.staged) else { return Ok(()) };
        match writer.delete_branch(refresh.staging.as_str(), &at).await {
            Ok(()) | Err(github::Error::StaleData(_) | github::Error::NotFound(_)) => Ok(()),
            Err(error) if lasting(&error).is_some() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Where the branch may not be moved by force: one more commit on it.
    async fn add_on_top(&self, writer: &Writer, refresh: &Refresh) -> github::Result<ObjectId> {
        let commit = NewCommit {
            branch: refresh.branch.as_str(),
            on: &refresh.tip,
            headline: &refresh.subject,
            message: &self.nothing(),
            files: &contents(&refresh.changed),
            removed: &refresh.dropped,
        };
        writer.commit(&commit).await
    }

    /// What came of a refresh that was not made. What it left on the staging
    /// branch goes with the next look.
    async fn given_up(&self, refresh: &Refresh, error: github::Error) -> Result<Step, JobError> {
        match lasting(&error) {
            Some(because) => {
                let attempt = Attempt::Update(refresh.description.kind);
                self.refused(attempt, because, &error).await
            }
            None => Err(error.into()),
        }
    }

    /// Somebody may have put the label on who has no right to (threats P2).
    async fn note_idle_hold(&self, text: &Description) -> Result<(), JobError> {
        let item = self.situation.outstanding.open(text.kind).map(|open| &open.item);
        let hold = item.and_then(|item| item.open_pull()).and_then(|details| details.hold.as_ref());
        let Some(HoldLabel { by }) = hold else { return Ok(()) };
        let who = by.as_ref().map_or("somebody", |by| by.login.as_str());
        let what = format!("pull request #{}: {who} may not hold it by label", text.number);
        let now = self.ctx.clock.now();
        self.ctx.store.note(&[note(self.target, "label_without_effect", &what)], now).await?;
        Ok(())
    }

    pub(super) async fn describe(
        &self,
        writer: &Writer,
        text: &Description,
        line: String,
    ) -> Result<Step, JobError> {
        let Some(row) = self.row(text.kind, text.number).await? else { return Ok(Step::StoodDown) };
        let now = self.ctx.clock.now();
        self.ctx.store.editing(row.id, &row.edits_with(now), now).await?;
        let described = self.say(writer, text).await;
        let step = self.sorted(Attempt::Update(text.kind), described, line).await?;
        if matches!(step, Step::Done(_)) {
            self.ctx.store.refresh_outstanding(row.id, &text.findings, self.ctx.clock.now()).await?;
        }
        Ok(step)
    }

    async fn say(&self, writer: &Writer, text: &Description) -> github::Result<()> {
        writer.describe_pull_request(&text.node_id, text.title.as_ref(), &text.body, text.ready).await
    }

    pub(super) async fn retire(
        &self,
        writer: &Writer,
        close: &ClosePullRequest,
        line: String,
    ) -> Result<Step, JobError> {
        let Some(row) = self.row(close.kind, close.number).await? else { return Ok(Step::StoodDown) };
        let state = close.closing.state();
        self.ctx.store.closing(row.id, state, self.ctx.clock.now()).await?;
        let (branch, said) = (close.branch.as_str(), close.line.as_ref());
        match writer.retire_pull_request(&close.node_id, said, branch, &close.tip).await {
            Ok(stays) => {
                self.settle(&row, state).await?;
                // Somebody moved or deleted the branch meanwhile: it is theirs.
                if let Some(error) = stays
                    && let Some(because) = lasting(&error)
                {
                    return self.refused(Attempt::Delete(close.kind), because, &error).await;
                }
                Ok(Step::Done(line))
            }
            Err(error) => self.sorted(Attempt::Update(close.kind), Err(error), line).await,
        }
    }
}
