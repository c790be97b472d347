//! Opening: recorded first, within the brakes, and cleared away if GitHub
//! refuses.

use super::{Step, Work, refused::lasting};
use crate::{
    domain::{
        finding::FindingSet,
        marker::Kind,
        observed::BeforeWrite,
        outgoing::{Line, NewFile, may_write},
        outstanding::{Attempt, Start, State},
        plan::{Change, NewIssue, NewPullRequest, QUARTER},
        repository::ObjectId,
        rollout::FREE,
    },
    github::{self, Refusal, Writer},
    jobs::{
        JobError,
        inspect_repository::{DAY, known},
    },
    store::{Begun, Brakes, NewOutstanding},
};

impl Work<'_> {
    pub(super) async fn open_pull_request(
        &self,
        writer: &Writer,
        new: &NewPullRequest,
        fresh: &BeforeWrite,
    ) -> Result<Step, JobError> {
        for file in &new.files {
            if let Err(refused) = may_write(file, &fresh.snapshot.files) {
                return self.stood_down(&refused.to_string()).await;
            }
            if let Some(number) = self.proposed_by_another(fresh, file.path) {
                return self.stood_down(&format!("pull request #{number} adds {} already", file.path)).await;
            }
        }
        let a_day = self.situation.pull_requests_a_day(self.ctx.clock.now());
        let Some(row) = self.begin(new.kind, &new.findings, a_day).await? else {
            return Ok(Step::StoodDown);
        };
        self.note_proposed(&new.files).await?;
        match self.propose(writer, new).await {
            Ok(opened) => {
                self.note_carried(&new.files).await?;
                let commit = match &new.start {
                    Start::Committed(there) => Some(there),
                    Start::Nothing | Start::Branch(_) => opened.commit.as_ref(),
                };
                let github::Created { number, node_id, .. } = &opened.created;
                let team = new.reviewers.as_deref();
                if let Some(team) = team {
                    let (kind, number, node_id) = (new.kind, *number, node_id.clone());
                    let ask = Change::AskForReview { kind, number, node_id, team: team.to_owned() };
                    self.audit("begun", &ask.to_string()).await?;
                }
                self.complete(writer, row, (*number, node_id), commit, team).await?;
                Ok(Step::Done(format!("opened pull request #{number} {:?}", new.title.as_str())))
            }
            Err(error) => {
                let Some(because) = lasting(&error) else { return Err(error.into()) };
                if matches!(error, github::Error::Refused { .. }) {
                    self.clear_away(writer, new).await?;
                }
                // Certainly nothing of it exists, so the row goes.
                self.ctx.store.withdraw_outstanding(row).await?;
                if matches!(error, github::Error::Refused { reason: Refusal::NoCommits, .. }) {
                    return self.stood_down(&error.to_string()).await;
                }
                self.refused(Attempt::Open(new.kind), because, &error).await
            }
        }
    }

    /// What of `code.json` Muster is about to write.
    pub(super) async fn note_proposed(&self, files: &[NewFile]) -> Result<(), JobError> {
        for own in files.iter().filter_map(|file| file.own.as_ref()) {
            self.ctx.store.propose_own_file(self.target.repository, &own.written).await?;
        }
        Ok(())
    }

    /// What of `code.json` stands on the branch now.
    pub(super) async fn note_carried(&self, files: &[NewFile]) -> Result<(), JobError> {
        for own in files.iter().filter_map(|file| file.own.as_ref()) {
            self.ctx.store.own_file_carries(self.target.repository, &own.substance).await?;
        }
        Ok(())
    }

    async fn propose(&self, writer: &Writer, new: &NewPullRequest) -> github::Result<github::Proposed> {
        let files = contents(&new.files);
        let proposed = github::NewPullRequest {
            base: &new.base.branch,
            base_oid: &new.base.oid,
            branch: new.branch.as_str(),
            headline: &new.title,
            message: &self.nothing(),
            files: &files,
            title: &new.title,
            body: &new.body,
            draft: new.draft,
            start: new.start.clone(),
        };
        writer.propose(&proposed).await
    }

    /// Asks the team that the policy names, if it names one, then notes that
    /// the pull request is open. It is asked until GitHub has answered, whatever
    /// the answer is: a refusal is recorded, and in nobody's way.
    pub(super) async fn complete(
        &self,
        writer: &Writer,
        row: i64,
        (number, node_id): (u64, &str),
        commit: Option<&ObjectId>,
        team: Option<&str>,
    ) -> Result<(), JobError> {
        use github::Error;
        let asked = match team {
            Some(team) => writer.request_review(number, team).await,
            None => Ok(()),
        };
        match asked {
            Ok(()) => {}
            Err(
                error @ (Error::NotFound(_)
                | Error::Gone(_)
                | Error::Forbidden { .. }
                | Error::Conflict(_)
                | Error::Refused { .. }
                | Error::Permanent(_)),
            ) => {
                self.stood_down(&format!("the review of #{number} was not asked for: {error}")).await?;
            }
            Err(
                error @ (Error::RateLimited { .. }
                | Error::Paced { .. }
                | Error::Transient(_)
                | Error::Ambiguous(_)
                | Error::Suspended
                | Error::ClockOff { .. }
                | Error::Unauthorized(_)
                | Error::StaleData(_)
                | Error::Partial(_)),
            ) => return Err(error.into()),
        }
        self.ctx.store.opened(row, number, node_id, commit, self.ctx.clock.now()).await?;
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

    pub(super) async fn open_issue(&self, writer: &Writer, new: &NewIssue) -> Result<Step, JobError> {
        let a_day = self.situation.policy.limits.issues_per_day;
        let Some(row) = self.begin(new.kind, &new.findings, a_day).await? else {
            return Ok(Step::StoodDown);
        };
        match self.create_issue(writer, new).await {
            Ok(opened) => {
                let now = self.ctx.clock.now();
                self.ctx.store.opened(row, opened.number, &opened.node_id, None, now).await?;
                Ok(Step::Done(format!("opened issue #{} {:?}", opened.number, new.title.as_str())))
            }
            Err(error) => {
                let Some(because) = lasting(&error) else { return Err(error.into()) };
                self.ctx.store.withdraw_outstanding(row).await?;
                self.refused(Attempt::Open(new.kind), because, &error).await
            }
        }
    }

    /// Makes an issue, and before it its label; one made meanwhile is as good.
    async fn create_issue(&self, writer: &Writer, new: &NewIssue) -> github::Result<github::Created> {
        let label = new.label.as_deref().map(Line::of);
        if let (Some(label), true) = (&label, new.create_label) {
            let description = Line::of("Files an open source repository should have");
            match writer.create_label(label, "0e6251", &description).await {
                Ok(()) | Err(github::Error::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        writer.create_issue(&new.title, &new.body, label.as_slice()).await
    }

    /// Records what is about to be created, within the brakes; the row, or
    /// `None` if a brake holds or one of the kind is open already.
    async fn begin(&self, kind: Kind, findings: &FindingSet, a_day: u32) -> Result<Option<i64>, JobError> {
        let now = self.ctx.clock.now();
        let (repository, account) = (self.target.repository, self.target.account);
        let new = NewOutstanding { repository, account, kind, findings: findings.clone() };
        let rollout = self.situation.spent.rollout;
        let brakes = Brakes {
            window_from: now - DAY,
            per_window: u64::from(a_day),
            open: u64::from(self.situation.policy.limits.open),
            pull_requests_from: now - DAY * 7,
            pull_requests: u64::from(self.situation.policy.limits.per_repository_per_week),
            of_kind: (kind == Kind::CodeJson).then_some((now - QUARTER, 1)),
            rollout: rollout.began_at.filter(|_| rollout.limited()).map(|at| (at, u64::from(FREE))),
        };
        match self.ctx.store.begin_outstanding(&new, brakes, now).await? {
            Begun::New { id } => Ok(Some(id)),
            Begun::Already(row) if row.state == State::Creating => {
                // Begun and cut off: nothing of it was found, so it is made now. One
                // that was begun since this was judged is somebody else's.
                if !self.situation.outstanding.begun.contains(&kind) {
                    return Err(JobError::Changed);
                }
                // Lists may lag behind this attempt as they did behind the first.
                self.ctx.store.resume_outstanding(row.id, now).await?;
                Ok(Some(row.id))
            }
            Begun::Already(_) => Ok(None),
            Begun::Held(brake) => {
                self.stood_down(&format!("held back by {brake:?}")).await?;
                Ok(None)
            }
        }
    }

    /// Removes the branch that a refused pull request leaves: GitHub makes
    /// branch, commit and pull request one after the other.
    async fn clear_away(&self, writer: &Writer, new: &NewPullRequest) -> Result<(), JobError> {
        let rows = self.rows().await?;
        let observed =
            self.reader.ours(self.name(), self.target.repository, &known(&rows), self.names).await?;
        let began_at = match &new.start {
            Start::Branch(tip) => tip,
            Start::Nothing | Start::Committed(_) => &new.base.oid,
        };
        let bot = Some(self.situation.identity.bot);
        let made_by_us = observed.branches.iter().find(|branch| {
            branch.name == new.branch.as_str() && (branch.author == bot || branch.tip == *began_at)
        });
        let Some(branch) = made_by_us else { return Ok(()) };
        match writer.delete_branch(&branch.name, &branch.tip).await {
            Ok(()) | Err(github::Error::NotFound(_) | github::Error::Refused { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Paths and bytes.
pub(super) fn contents(files: &[NewFile]) -> Vec<(String, Vec<u8>)> {
    files.iter().map(|file| (file.path.to_owned(), file.text.clone().into_bytes())).collect()
}
