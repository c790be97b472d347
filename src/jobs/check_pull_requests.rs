//! The check runs of one repository: each pull request that asked is read,
//! judged, and told what is wrong with the files of ours that it changes
//! (etiquette 4.8).
//!
//! Promises: (1) one that changes nothing of ours costs the one read; (2) a
//! head gets one check run, and one more each time a person asks: what is there
//! is looked for before one is made, so a lost answer makes no second one; (3)
//! a check run is completed from its first moment, and the last attempt no
//! longer tries to judge, so that one is made in the end (complaint 23); (4) one
//! pull request that fails stops no other; (5) what was held back, by a pause or
//! a missing permission, is asked for again by the sweep.

use jiff::tz::TimeZone;

use super::{Context, JobError, Next, Target, adoption, inspect_repository::note, policies};
use crate::{
    domain::{
        check::{self, Depth, Proposal, Verdict},
        policy::Policy,
        repository::{InstallationId, Login, ObjectId, RepositoryId},
    },
    github::{self, ANNOTATIONS_A_CALL, Pace, Reader},
    store::{CheckAnswer, Installation, MAX_ATTEMPTS, WaitingCheck},
};

/// Checks the pull requests of a repository that wait for it. `attempts` says
/// how often this was begun.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn run(
    ctx: &Context,
    repository: RepositoryId,
    installation: InstallationId,
    attempts: i64,
) -> Result<Next, JobError> {
    let Some(known) = ctx.installation(installation).await? else { return Ok(Next::Asked) };
    let account = known.account;
    if ctx.paused(account).await?.is_some() || adoption::is_open(ctx, account).await? {
        return Ok(Next::Asked);
    }
    let Ok(owner) = known.login.parse::<Login>() else { return Ok(Next::Asked) };
    let policy = policies::last_good(ctx, &ctx.store.policy(account).await?);
    let reader = ctx.github.reader(installation);
    let mut failed = None;
    for wish in ctx.store.checks_asked(repository).await? {
        let (policy, reader, owner) = (&policy, &reader, &owner);
        let last = attempts >= MAX_ATTEMPTS;
        let check = Check { ctx, installation: &known, repository, owner, policy, reader, wish: &wish, last };
        match Box::pin(check.answer()).await {
            Ok(answer) => ctx.store.answer_check(repository, &wish, &answer).await?,
            Err(
                error @ (JobError::Changed
                | JobError::Moved(_)
                | JobError::NotFound(_)
                | JobError::Later(_)
                | JobError::Permanent(_)),
            ) => failed = failed.or(Some(error)),
            Err(
                error @ (JobError::Wait(_)
                | JobError::Limited(_)
                | JobError::Suspended
                | JobError::Forbidden { .. }),
            ) => return Err(error),
        }
    }
    failed.map_or(Ok(Next::Asked), Err)
}

/// One pull request that waits.
#[derive(Clone, Copy)]
struct Check<'a> {
    ctx: &'a Context,
    installation: &'a Installation,
    repository: RepositoryId,
    owner: &'a Login,
    policy: &'a Policy,
    reader: &'a Reader,
    wish: &'a WaitingCheck,
    /// After this attempt the job is given up.
    last: bool,
}

impl Check<'_> {
    async fn answer(self) -> Result<CheckAnswer, JobError> {
        let Some((proposal, attempt)) = self.read().await? else { return Ok(CheckAnswer::Nothing) };
        let here = &proposal.repository;
        if here.id != self.repository || !here.name.owner().same_as(self.owner) {
            // It went elsewhere, with what is there to be said.
            return Ok(CheckAnswer::Nothing);
        }
        let today = self.ctx.clock.now().to_zoned(TimeZone::UTC).date();
        let files = check::to_check(&proposal, self.policy, today);
        if files.is_empty() {
            return Ok(CheckAnswer::Nothing);
        }
        if self.ctx.dry_run() {
            tracing::info!(repository = self.repository.0, "dry run: would report a check run");
            return Ok(CheckAnswer::Nothing);
        }
        let verdict = match self.last {
            true => check::could_not(&proposal),
            false => {
                let depth = self.depth(&proposal).await?;
                check::judge(&proposal, &files, self.policy, depth, today)
            }
        };
        self.report(&proposal, attempt, &verdict).await?;
        Ok(CheckAnswer::Run { head: proposal.head, attempt })
    }

    /// The pull request at its head, and which attempt on that it is.
    async fn read(self) -> Result<Option<(Proposal, u64)>, JobError> {
        let WaitingCheck { pull_request, head, attempt, .. } = self.wish;
        let Some(read) = self.reader.pull_request(pull_request, head).await? else { return Ok(None) };
        if read.head == *head {
            return Ok(Some((read, *attempt)));
        }
        // The head of an event is only a hint.
        match self.reader.pull_request(pull_request, &read.head).await? {
            Some(again) if again.head == read.head => Ok(Some((again, 0))),
            Some(_) => Err(JobError::Changed),
            None => Ok(None),
        }
    }

    /// Whether the author may write here is asked now (threats §0.2).
    async fn depth(self, proposal: &Proposal) -> Result<Depth, JobError> {
        let writes = match &proposal.author {
            Some(author) if !proposal.from_fork => {
                self.reader.may_write(&proposal.repository.name, author).await?
            }
            Some(_) | None => false,
        };
        Ok(Depth::of(proposal, writes))
    }

    /// Brings the check run to where it says all of the verdict.
    async fn report(self, proposal: &Proposal, attempt: u64, verdict: &Verdict) -> Result<(), JobError> {
        let (head, name) = (&proposal.head, &proposal.repository.name);
        let external_id = self.external_id(attempt);
        let found = self.reader.check_runs(name, head).await?;
        let found = found.into_iter().find(|run| run.external_id == external_id);
        let Some(writer) = self.writer(proposal) else { return Ok(()) };
        let (run, told) = match found {
            Some(run) => (run.id, run.annotations),
            None => {
                self.not_paused().await?;
                let run = writer.create_check_run(head, &external_id, verdict).await?;
                (run, ANNOTATIONS_A_CALL)
            }
        };
        let left = verdict.annotations.get(told..).unwrap_or_default();
        for annotations in left.chunks(ANNOTATIONS_A_CALL) {
            self.not_paused().await?;
            writer.annotate(run, verdict, annotations).await?;
        }
        self.note(proposal, head, verdict).await
    }

    /// Our own key of the check run: of this instance, and of this attempt.
    fn external_id(self, attempt: u64) -> String {
        format!("muster:v1 inst={} attempt={attempt}", self.ctx.settings.instance)
    }

    /// A pause stops at the next write.
    async fn not_paused(self) -> Result<(), JobError> {
        let paused = self.ctx.paused(self.installation.account).await?;
        if paused.is_some() { Err(JobError::Changed) } else { Ok(()) }
    }

    /// Check runs count for the minute, not for the hour (etiquette 4.5).
    fn writer(self, proposal: &Proposal) -> Option<github::Writer> {
        let repository = &proposal.repository;
        let target = github::Target {
            id: repository.id,
            node_id: repository.node_id.clone(),
            name: repository.name.clone(),
            visibility: repository.visibility,
        };
        let pace = Pace { per_minute: self.policy.limits.writes_per_minute, per_hour: None };
        self.ctx.github.writer(self.installation.id, target, pace)
    }

    async fn note(self, proposal: &Proposal, head: &ObjectId, verdict: &Verdict) -> Result<(), JobError> {
        let now = self.ctx.clock.now();
        let Installation { id: installation, account, .. } = *self.installation;
        let name = proposal.repository.name.clone();
        let target = Target { repository: self.repository, name, installation, account };
        let (number, head) = (proposal.number, head.short());
        let detail = format!("#{number} at {head}: {}", verdict.conclusion.as_str());
        self.ctx.store.note(&[note(&target, "checked", &detail)], now).await?;
        Ok(())
    }
}
