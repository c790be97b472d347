//! Carries a plan out. Only this room and the writer know that GitHub changes.

use super::{DAY, Target, known, note};
use crate::{
    domain::{
        finding::FindingSet,
        marker::Kind,
        observed::{BeforeWrite, Observed, PolicySource, RepositoryRead},
        outgoing::{Line, PublicText, may_add},
        outstanding::{Outstanding, Start, State, recognise},
        plan::{Cause, Change, NewIssue, NewPullRequest, Plan, Situation},
        repository::RepositoryName,
    },
    github::{self, IssueChange, IssueState, OurNames, Pace, Reader, Refusal, Writer},
    jobs::{Context, JobError},
    store::{Begun, Brakes, JobKind, NewJob, NewOutstanding, Priority},
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

impl Work<'_> {
    /// Carries out the changes in order; one line for each that was made.
    pub(super) async fn carry_out(&self, plan: &Plan) -> Result<Vec<String>, JobError> {
        let rows = self.ctx.store.outstanding(self.target.repository).await?;
        let fresh =
            self.reader.before_write(self.name(), self.target.repository, &known(&rows), self.names).await?;
        self.unchanged(&fresh).await?;
        // A dry run has no writer, whatever asks for one.
        let Some(writer) = self.writer(&fresh) else { return Ok(Vec::new()) };
        let mut done = Vec::new();
        let mut created = false;
        for change in &plan.changes {
            if self.ctx.paused(self.target.account).await?.is_some() {
                self.again().await?;
                break;
            }
            let made_before = done.len();
            match change {
                Change::DeleteBranch(branch) => {
                    writer.delete_branch(&branch.name).await?;
                    done.push(change.to_string());
                }
                Change::CloseDuplicate { kind, number } => {
                    self.close(&writer, *kind, *number).await?;
                    done.push(change.to_string());
                }
                Change::OpenPullRequest(new) => {
                    let made = self.open_pull_request(&writer, new, &fresh).await?;
                    created |= made.is_some();
                    done.extend(made);
                }
                Change::OpenIssue(new) => {
                    let made = self.open_issue(&writer, new).await?;
                    created |= made.is_some();
                    done.extend(made);
                }
                Change::EditIssue { number, body, findings } => {
                    writer
                        .update_issue(*number, IssueChange { body: Some(body), ..IssueChange::default() })
                        .await?;
                    self.refreshed(*number, findings).await?;
                    done.push(change.to_string());
                }
                Change::CloseIssue { number } => {
                    self.close(&writer, Kind::Tracking, *number).await?;
                    done.push(change.to_string());
                }
            }
            if done.len() > made_before {
                self.ctx.metrics.changed(change);
            }
        }
        if created {
            self.confirm(&writer).await?;
        }
        Ok(done)
    }

    /// A pause came in between: once more, so that what is left is held back.
    async fn again(&self) -> Result<(), JobError> {
        let now = self.ctx.clock.now();
        let id = |number| i64::try_from(number).unwrap_or(i64::MAX);
        let job = NewJob {
            kind: JobKind::InspectRepository,
            subject: id(self.target.repository.0),
            installation: id(self.target.installation.0),
            priority: match self.situation.cause {
                Cause::Event => Priority::Push,
                Cause::Policy => Priority::Policy,
                Cause::Sweep => Priority::Sweep,
            },
            run_at: now,
            cause: "pause".to_owned(),
        };
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
        Ok(Kind::ALL.into_iter().all(|kind| before.standing(kind) == fresh.standing(kind)))
    }

    async fn recognised(&self, observed: &Observed) -> Result<Outstanding, JobError> {
        let rows = self.ctx.store.outstanding(self.target.repository).await?;
        let identity = self.situation.identity;
        let now = self.ctx.clock.now();
        let seen =
            recognise(observed, &rows, Vec::new(), identity, self.target.repository, &self.names.prefix, now);
        Ok(seen.outstanding)
    }

    /// The name it had when it was read, which may be newer than the target's.
    fn name(&self) -> &RepositoryName {
        &self.read.snapshot.repository.name
    }

    fn writer(&self, fresh: &BeforeWrite) -> Option<Writer> {
        let repository = &fresh.snapshot.repository;
        let limits = &self.situation.policy.limits;
        let pace = Pace { per_minute: limits.writes_per_minute, per_hour: limits.writes_per_hour };
        let target = github::Target {
            id: repository.id,
            node_id: repository.node_id.clone(),
            name: repository.name.clone(),
            visibility: repository.visibility,
        };
        self.ctx.github.writer(self.target.installation, target, pace)
    }

    async fn propose(&self, writer: &Writer, new: &NewPullRequest) -> github::Result<github::Created> {
        let files: Vec<(String, Vec<u8>)> =
            new.files.iter().map(|file| (file.path.to_owned(), file.text.clone().into_bytes())).collect();
        let message = PublicText::about(self.read.snapshot.repository.visibility);
        let proposed = github::NewPullRequest {
            base: &new.base.branch,
            base_oid: &new.base.oid,
            branch: new.branch.as_str(),
            headline: &new.title,
            message: &message,
            files: &files,
            title: &new.title,
            body: &new.body,
            draft: new.draft,
            start: new.start.clone(),
        };
        match writer.propose(&proposed).await {
            // GitHub works field by field: branch and commit stand already.
            Err(github::Error::Refused { reason: Refusal::Drafts, .. }) => {
                let start = Start::Committed;
                writer.propose(&github::NewPullRequest { draft: false, start, ..proposed }).await
            }
            outcome => outcome,
        }
    }

    /// Makes the tracking issue, and before it its label; one made meanwhile is
    /// as good.
    async fn create_issue(&self, writer: &Writer, new: &NewIssue) -> github::Result<github::Created> {
        let label = Line::of(&new.label);
        if new.create_label {
            let description = Line::of("Files an open source repository should have");
            match writer.create_label(&label, "0e6251", &description).await {
                Ok(()) | Err(github::Error::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        writer.create_issue(&new.title, &new.body, &[label]).await
    }

    async fn open_pull_request(
        &self,
        writer: &Writer,
        new: &NewPullRequest,
        fresh: &BeforeWrite,
    ) -> Result<Option<String>, JobError> {
        for file in &new.files {
            if let Err(refused) = may_add(file.path, &fresh.snapshot.files) {
                return self.stood_down(&refused.to_string()).await;
            }
            if let Some(number) = self.proposed_by_another(fresh, file.path) {
                return self.stood_down(&format!("pull request #{number} adds {} already", file.path)).await;
            }
        }
        let a_day = self.situation.pull_requests_a_day(self.ctx.clock.now());
        let Some(row) = self.begin(new.kind, &new.findings, a_day).await? else { return Ok(None) };
        match self.propose(writer, new).await {
            Ok(opened) => {
                self.ctx.store.opened(row, opened.number, &opened.node_id, self.ctx.clock.now()).await?;
                self.ask_for_review(writer, new, opened.number).await?;
                Ok(Some(format!("opened pull request #{} {:?}", opened.number, new.title.as_str())))
            }
            Err(github::Error::Refused { message, .. }) => {
                self.clear_away(writer, new).await?;
                self.refused(row, &message).await
            }
            Err(github::Error::Forbidden { needs, .. }) => self.forbidden(row, &needs).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Asks the team that the policy names: one try, recorded, never in the way.
    async fn ask_for_review(
        &self,
        writer: &Writer,
        new: &NewPullRequest,
        number: u64,
    ) -> Result<(), JobError> {
        let Some(team) = &new.reviewers else { return Ok(()) };
        if let Err(error) = writer.request_review(number, team).await {
            self.stood_down(&format!("the review of #{number} was not asked for: {error}")).await?;
        }
        Ok(())
    }

    /// An open pull request of someone else that touches this path.
    fn proposed_by_another(&self, fresh: &BeforeWrite, path: &str) -> Option<u64> {
        let ours = Some(self.situation.identity.bot);
        fresh
            .proposals
            .iter()
            .filter(|proposal| proposal.author.as_ref().and_then(|author| author.id) != ours)
            .find(|proposal| proposal.paths.iter().any(|touched| touched.eq_ignore_ascii_case(path)))
            .map(|proposal| proposal.number)
    }

    async fn open_issue(&self, writer: &Writer, new: &NewIssue) -> Result<Option<String>, JobError> {
        let a_day = self.situation.policy.limits.issues_per_day;
        let Some(row) = self.begin(Kind::Tracking, &new.findings, a_day).await? else { return Ok(None) };
        match self.create_issue(writer, new).await {
            Ok(opened) => {
                self.ctx.store.opened(row, opened.number, &opened.node_id, self.ctx.clock.now()).await?;
                Ok(Some(format!("opened issue #{} {:?}", opened.number, new.title.as_str())))
            }
            Err(github::Error::Forbidden { needs, .. }) => self.forbidden(row, &needs).await,
            Err(error @ (github::Error::Refused { .. } | github::Error::Gone(_))) => {
                self.refused(row, &error.to_string()).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Records what is about to be created, within the brakes; the row, or
    /// `None` if a brake holds or one of the kind is open already.
    async fn begin(&self, kind: Kind, findings: &FindingSet, a_day: u32) -> Result<Option<i64>, JobError> {
        let now = self.ctx.clock.now();
        let (repository, account) = (self.target.repository, self.target.account);
        let new = NewOutstanding { repository, account, kind, findings: findings.clone() };
        let brakes = Brakes {
            window_from: now - DAY,
            per_window: u64::from(a_day),
            open: u64::from(self.situation.policy.limits.open),
            pull_requests_from: now - DAY * 7,
            pull_requests: u64::from(self.situation.policy.limits.per_repository_per_week),
        };
        match self.ctx.store.begin_outstanding(&new, brakes, now).await? {
            Begun::New { id } => Ok(Some(id)),
            // Begun and cut off: nothing of it was found, so it is made now.
            Begun::Already(row) if row.state == State::Creating => Ok(Some(row.id)),
            Begun::Already(_) => Ok(None),
            Begun::Held(brake) => {
                self.stood_down(&format!("held back by {brake:?}")).await?;
                Ok(None)
            }
        }
    }

    /// Notes why a planned change was not made.
    async fn stood_down(&self, why: &str) -> Result<Option<String>, JobError> {
        let now = self.ctx.clock.now();
        self.ctx.store.note(&[note(self.target, "stood_down", why)], now).await?;
        Ok(None)
    }

    /// GitHub refused: certainly nothing was created, so the row goes, and
    /// nothing is tried again until something happens or the next sweep.
    async fn refused(&self, row: i64, why: &str) -> Result<Option<String>, JobError> {
        // GitHub's sentence may name the repository (threats N9).
        tracing::warn!(
            repository = self.target.repository.0,
            "GitHub refused what was planned: see muster audit"
        );
        tracing::debug!(repository = self.target.repository.0, why, "GitHub's words");
        self.ctx.store.withdraw_outstanding(row).await?;
        self.stood_down(why).await
    }

    /// The account has not granted it: the repository waits for that.
    async fn forbidden(&self, row: i64, needs: &str) -> Result<Option<String>, JobError> {
        self.ctx.store.withdraw_outstanding(row).await?;
        self.ctx.lacks(self.target.installation, Some(self.target.repository), needs).await?;
        Ok(None)
    }

    /// Removes the branch that a refused pull request leaves: GitHub makes
    /// branch, commit and pull request one after the other.
    async fn clear_away(&self, writer: &Writer, new: &NewPullRequest) -> Result<(), JobError> {
        let rows = self.ctx.store.outstanding(self.target.repository).await?;
        let observed =
            self.reader.ours(self.name(), self.target.repository, &known(&rows), self.names).await?;
        let began_at = match &new.start {
            Start::Branch(tip) => tip,
            Start::Nothing | Start::Committed => &new.base.oid,
        };
        let bot = Some(self.situation.identity.bot);
        let made_by_us = observed.branches.iter().any(|branch| {
            branch.name == new.branch.as_str() && (branch.author == bot || branch.tip == *began_at)
        });
        if !made_by_us {
            return Ok(());
        }
        match writer.delete_branch(new.branch.as_str()).await {
            Ok(()) | Err(github::Error::NotFound(_) | github::Error::Refused { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn close(&self, writer: &Writer, kind: Kind, number: u64) -> Result<(), JobError> {
        match kind {
            Kind::Tracking => writer.update_issue(number, COMPLETED).await?,
            Kind::License | Kind::Files => writer.close_pull_request(number).await?,
        }
        let rows = self.ctx.store.outstanding(self.target.repository).await?;
        if let Some(row) = rows.iter().find(|row| row.kind == kind && row.number == Some(number)) {
            self.ctx.store.settle_outstanding(row.id, State::Closed, self.ctx.clock.now()).await?;
        }
        Ok(())
    }

    async fn refreshed(&self, number: u64, findings: &FindingSet) -> Result<(), JobError> {
        let rows = self.ctx.store.outstanding(self.target.repository).await?;
        if let Some(row) = rows.iter().find(|row| row.kind == Kind::Tracking && row.number == Some(number)) {
            self.ctx.store.refresh_outstanding(row.id, findings, self.ctx.clock.now()).await?;
        }
        Ok(())
    }

    /// The read that confirms: if another replica, or a resend somewhere on the
    /// way, made a second one, the lower number stays.
    async fn confirm(&self, writer: &Writer) -> Result<(), JobError> {
        let rows = self.ctx.store.outstanding(self.target.repository).await?;
        let observed =
            self.reader.ours(self.name(), self.target.repository, &known(&rows), self.names).await?;
        for item in self.recognised(&observed).await?.duplicates {
            match item.branch {
                Some(_) => writer.close_pull_request(item.number).await?,
                None => writer.update_issue(item.number, COMPLETED).await?,
            }
        }
        Ok(())
    }
}
