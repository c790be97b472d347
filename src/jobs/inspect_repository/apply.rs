//! Carries a plan out. Only this room and the writer know that GitHub changes.
//!
//! Promises: (1) everything the plan rests on is read once more just before
//! the first write; (2) every write is in the ledger before GitHub is asked
//! for it; (3) what GitHub refuses for a lasting reason is remembered, and the
//! rest of the plan that rests on it waits for the next look.

mod open;
mod refresh;
mod refused;

pub(super) use refused::in_force as refusals_in_force;
pub(in crate::jobs) use refused::lasting;

use super::{Target, known, note};
use crate::{
    domain::{
        marker::Kind,
        observed::{BeforeWrite, Observed, PolicySource, RepositoryRead},
        outgoing::PublicText,
        outstanding::{Attempt, Outstanding, Remembered, State, recognise},
        plan::{Change, Closing, Plan, Situation},
        repository::RepositoryName,
    },
    github::{self, IssueChange, IssueState, OurNames, Pace, Reader, Writer},
    jobs::{Context, JobError, priority},
    store::{JobKind, NewJob},
};

const COMPLETED: IssueChange<'static> =
    IssueChange { title: None, body: None, state: Some(IssueState::Completed) };

/// What is carried out, and on what it rests.
pub(super) struct Work<'a> {
    pub(super) ctx: &'a Context,
    pub(super) target: &'a Target,
    pub(super) reader: &'a Reader,
    pub(super) names: &'a OurNames,
    pub(super) situation: Situation<'a>,
    pub(super) read: &'a RepositoryRead,
}

/// What came of a plan.
#[derive(Default)]
pub(super) struct Outcome {
    /// One line for each change that was made.
    pub(super) done: Vec<String>,
    /// How many of them opened an issue or a pull request.
    pub(super) opened: u32,
    /// Whether the digest says what it is to say.
    pub(super) told: bool,
    /// Whether something was refused, so that another plan is wanted at once.
    pub(super) refused: bool,
}

/// What came of one change.
enum Step {
    Done(String),
    /// Something else came first; nothing was asked of GitHub.
    StoodDown,
    /// GitHub refused, and that is remembered.
    Refused,
}

impl Work<'_> {
    /// Carries out the changes in order.
    pub(super) async fn carry_out(&self, plan: &Plan) -> Result<Outcome, JobError> {
        let mut outcome = Outcome::default();
        let rows = self.rows().await?;
        let fresh =
            self.reader.before_write(self.name(), self.target.repository, &known(&rows), self.names).await?;
        self.unchanged(&fresh).await?;
        // A dry run has no writer, whatever asks for one.
        let Some(writer) = self.writer(&fresh) else { return Ok(outcome) };
        let mut unconfirmed = false;
        for change in &plan.changes {
            if self.ctx.paused(self.target.account).await?.is_some() {
                self.again().await?;
                return Ok(outcome);
            }
            if outcome.refused && change.issue() == Some(Kind::Tracking) {
                // What it says rests on what was refused.
                continue;
            }
            if unconfirmed && matches!(change, Change::EditIssue { .. }) {
                // The read that confirms also shows the text as it is now.
                self.confirm(&writer, Some(change)).await?;
                unconfirmed = false;
            }
            // Before GitHub is asked: what was done and whose answer was lost
            // is in the audit too.
            self.audit("begun", &change.to_string()).await?;
            match Box::pin(self.make(&writer, change, &fresh)).await? {
                Step::Done(line) => {
                    self.audit("changed", &line).await?;
                    self.ctx.metrics.changed(change);
                    outcome.done.push(line);
                    outcome.told |= change.issue() == Some(Kind::Digest);
                    if matches!(change, Change::OpenPullRequest(_) | Change::OpenIssue(_)) {
                        outcome.opened += 1;
                        unconfirmed = true;
                    }
                }
                Step::StoodDown => {}
                Step::Refused => outcome.refused = true,
            }
        }
        if unconfirmed {
            self.confirm(&writer, None).await?;
        }
        Ok(outcome)
    }

    async fn make(&self, writer: &Writer, change: &Change, fresh: &BeforeWrite) -> Result<Step, JobError> {
        let line = change.to_string();
        match change {
            Change::DisableAutoMerge { kind, node_id, .. } => {
                self.sorted(Attempt::Update(*kind), writer.disable_auto_merge(node_id).await, line).await
            }
            Change::DeleteBranch { kind, branch, .. } => {
                let deleted = writer.delete_branch(&branch.name, &branch.tip).await;
                self.sorted(Attempt::Delete(*kind), deleted, line).await
            }
            Change::CloseDuplicate { kind, number } => {
                self.close(writer, *kind, *number).await?;
                Ok(Step::Done(line))
            }
            Change::RefreshPullRequest(refresh) => self.refresh(writer, refresh, line).await,
            Change::DescribePullRequest(text) => self.describe(writer, text, line).await,
            Change::ClosePullRequest(close) => self.retire(writer, close, line).await,
            Change::OpenPullRequest(new) => self.open_pull_request(writer, new, fresh).await,
            Change::AskForReview { kind, number, node_id, team } => {
                let rows = self.rows().await?;
                let begun = |row: &&Remembered| row.kind == *kind && row.state == State::Creating;
                let Some(row) = rows.iter().find(begun) else { return Ok(Step::StoodDown) };
                let item = self.situation.outstanding.open(*kind).map(|open| &open.item);
                let commit = item.and_then(|item| item.pull.as_ref()).map(|pull| &pull.head);
                self.complete(writer, row.id, (*number, node_id), commit, Some(team)).await?;
                Ok(Step::Done(line))
            }
            Change::OpenIssue(new) => self.open_issue(writer, new).await,
            Change::EditIssue { kind, number, body, findings, .. } => {
                let Some(row) = self.row(*kind, *number).await? else { return Ok(Step::StoodDown) };
                let now = self.ctx.clock.now();
                self.ctx.store.editing(row.id, &row.edits_with(now), now).await?;
                let change = IssueChange { body: Some(body), ..IssueChange::default() };
                let edited = writer.update_issue(*number, change).await;
                let step = self.sorted(Attempt::Update(*kind), edited, line).await?;
                if matches!(step, Step::Done(_)) {
                    self.ctx.store.refresh_outstanding(row.id, findings, self.ctx.clock.now()).await?;
                }
                Ok(step)
            }
            Change::CloseIssue { kind, number, node_id, closing, line: said } => {
                let row = self.row(*kind, *number).await?;
                if let Some(row) = &row {
                    self.ctx.store.closing(row.id, closing.state(), self.ctx.clock.now()).await?;
                }
                let closed = match closing {
                    Closing::Done => writer.update_issue(*number, COMPLETED).await,
                    Closing::Expired
                    | Closing::ExpiredAgain
                    | Closing::Withdrawn
                    | Closing::Moved
                    | Closing::OutOfScope
                    | Closing::OptedOut => writer.drop_issue(*number, node_id, said.as_ref()).await,
                };
                let step = self.sorted(Attempt::Update(*kind), closed, line).await?;
                if let (Some(row), Step::Done(_)) = (row, &step) {
                    self.settle(&row, closing.state()).await?;
                }
                Ok(step)
            }
        }
    }

    /// A pause came in between: once more, so that what is left is held back.
    async fn again(&self) -> Result<(), JobError> {
        let now = self.ctx.clock.now();
        let (kind, id) = (JobKind::InspectRepository, self.target.repository.0);
        let priority = priority(self.situation.cause);
        let job = NewJob::new(kind, id, self.target.installation, priority, now, "pause");
        Ok(self.ctx.store.enqueue(&[job], now).await?)
    }

    /// Everything the plan rests on is as it was (threats P5), else the job
    /// starts over.
    async fn unchanged(&self, fresh: &BeforeWrite) -> Result<(), JobError> {
        let (then, now) = (&self.read.snapshot.repository, &fresh.snapshot.repository);
        let policy_then = match &self.read.policy {
            PolicySource::Text { oid, .. } => Some(oid),
            PolicySource::Absent | PolicySource::Unread(_) => None,
        };
        let same = then.id == now.id
            && then.name == now.name
            && then.visibility == now.visibility
            && then.archived == now.archived
            && then.issues_enabled == now.issues_enabled
            && then.head == now.head
            && policy_then == fresh.policy_oid.as_ref()
            && self.standing_as_before(&fresh.observed).await?;
        if same { Ok(()) } else { Err(JobError::Changed) }
    }

    async fn standing_as_before(&self, observed: &Observed) -> Result<bool, JobError> {
        let fresh = self.recognised(observed).await?;
        let before = self.situation.outstanding;
        Ok(Kind::INSPECTED.into_iter().all(|kind| before.standing(kind) == fresh.standing(kind))
            && before.staging == fresh.staging)
    }

    async fn recognised(&self, observed: &Observed) -> Result<Outstanding, JobError> {
        let rows = self.rows().await?;
        let identity = self.situation.identity;
        let now = self.ctx.clock.now();
        let seen =
            recognise(observed, &rows, Vec::new(), identity, self.target.repository, &self.names.prefix, now);
        Ok(seen.outstanding)
    }

    async fn rows(&self) -> Result<Vec<Remembered>, JobError> {
        Ok(self.ctx.store.outstanding(self.target.repository).await?)
    }

    /// The row of an item.
    async fn row(&self, kind: Kind, number: u64) -> Result<Option<Remembered>, JobError> {
        let rows = self.rows().await?;
        Ok(rows.into_iter().find(|row| row.kind == kind && row.number == Some(number)))
    }

    async fn settle(&self, row: &Remembered, state: State) -> Result<(), JobError> {
        self.ctx.store.settle_outstanding(row.id, state, self.ctx.clock.now()).await?;
        Ok(())
    }

    /// The name it had when it was read, which may be newer than the target's.
    fn name(&self) -> &RepositoryName {
        &self.read.snapshot.repository.name
    }

    /// A text about this repository without a word in it.
    fn nothing(&self) -> PublicText {
        PublicText::about(self.read.snapshot.repository.visibility)
    }

    fn writer(&self, fresh: &BeforeWrite) -> Option<Writer> {
        let repository = &fresh.snapshot.repository;
        let limits = &self.situation.policy.limits;
        let pace = Pace { per_minute: limits.writes_per_minute, per_hour: Some(limits.writes_per_hour) };
        let target = github::Target {
            id: repository.id,
            node_id: repository.node_id.clone(),
            name: repository.name.clone(),
            visibility: repository.visibility,
        };
        self.ctx.github.writer(self.target.installation, target, pace)
    }

    /// Notes why a planned change was not made.
    async fn stood_down(&self, why: &str) -> Result<Step, JobError> {
        self.audit("stood_down", why).await?;
        Ok(Step::StoodDown)
    }

    async fn audit(&self, what: &str, detail: &str) -> Result<(), JobError> {
        let now = self.ctx.clock.now();
        self.ctx.store.note(&[note(self.target, what, detail)], now).await?;
        Ok(())
    }

    async fn close(&self, writer: &Writer, kind: Kind, number: u64) -> Result<(), JobError> {
        match kind {
            Kind::Tracking | Kind::Digest => writer.update_issue(number, COMPLETED).await?,
            Kind::License | Kind::Files | Kind::CodeJson | Kind::Inventory => {
                writer.close_pull_request(number).await?;
            }
        }
        if let Some(row) = self.row(kind, number).await? {
            self.settle(&row, State::Closed).await?;
        }
        Ok(())
    }

    /// The read that confirms: if another replica, or a resend somewhere on the
    /// way, made a second one, the lower number stays. An edit that is about
    /// to follow is of the text as this read shows it, else the job starts
    /// over.
    async fn confirm(&self, writer: &Writer, edit: Option<&Change>) -> Result<(), JobError> {
        let rows = self.rows().await?;
        let observed =
            self.reader.ours(self.name(), self.target.repository, &known(&rows), self.names).await?;
        let now = self.recognised(&observed).await?;
        for item in &now.duplicates {
            match item.branch() {
                Some(_) => writer.close_pull_request(item.number).await?,
                None => writer.update_issue(item.number, COMPLETED).await?,
            }
        }
        if let Some(Change::EditIssue { kind, before, .. }) = edit
            && now.open(*kind).is_none_or(|open| open.item.body != *before)
        {
            return Err(JobError::Changed);
        }
        Ok(())
    }
}
