//! What GitHub refuses for a lasting reason: remembered with what it may rest
//! on, so that Muster asks again when that changes, or after a while.

use std::collections::BTreeMap;

use super::{Step, Work};
use crate::{
    domain::{
        marker::Kind,
        observed::RepositoryRead,
        outstanding::{Attempt, Because, Refused},
        repository::Repository,
    },
    github::{self, Reader, Refusal},
    jobs::{Context, JobError, Target},
};

impl Work<'_> {
    /// What came of a write: done, or refused for a lasting reason.
    pub(super) async fn sorted(
        &self,
        attempt: Attempt,
        outcome: github::Result<()>,
        line: String,
    ) -> Result<Step, JobError> {
        match outcome {
            Ok(()) => Ok(Step::Done(line)),
            Err(error) => match lasting(&error) {
                Some(because) => self.refused(attempt, because, &error).await,
                None => Err(error.into()),
            },
        }
    }

    /// Remembers a refusal. What the account has not granted, the repository
    /// waits for.
    pub(super) async fn refused(
        &self,
        attempt: Attempt,
        because: Because,
        error: &github::Error,
    ) -> Result<Step, JobError> {
        let why = error.to_string();
        if let github::Error::Forbidden { needs, .. } = error {
            self.ctx.lacks(self.target.installation, Some(self.target.repository), needs).await?;
        }
        let repository = self.target.repository.0;
        // GitHub's sentence may name the repository (threats N9).
        tracing::warn!(repository, %attempt, "GitHub refused what was planned: see muster plan");
        tracing::debug!(repository, why, "GitHub's words");
        let mut circumstances =
            Circumstances::of(self.ctx, self.target, self.reader, self.read, &self.names.prefix);
        let refused = Refused {
            attempt,
            because,
            why: why.trim_end_matches(": refused").to_owned(),
            circumstances: circumstances.name(attempt, because).await?,
            at: self.ctx.clock.now(),
        };
        self.ctx.store.refused(self.target.repository, &refused).await?;
        self.stood_down(&why).await?;
        Ok(Step::Refused)
    }
}

/// Whether GitHub will say the same to the same wish; an archived repository
/// is seen by the next look.
pub(in crate::jobs) fn lasting(error: &github::Error) -> Option<Because> {
    use github::Error;
    match error {
        Error::Refused { reason, .. } => match reason {
            Refusal::Rules => Some(Because::Rules),
            Refusal::Drafts => Some(Because::Drafts),
            Refusal::NoCommits | Refusal::Ours | Refusal::Other => Some(Because::Other),
            Refusal::ReadOnly => None,
        },
        Error::Gone(_) => Some(Because::Other),
        Error::Forbidden { .. } => Some(Because::Permission),
        Error::RateLimited { .. }
        | Error::Paced { .. }
        | Error::Transient(_)
        | Error::Ambiguous(_)
        | Error::NotFound(_)
        | Error::Suspended
        | Error::ClockOff { .. }
        | Error::Unauthorized(_)
        | Error::StaleData(_)
        | Error::Conflict(_)
        | Error::Partial(_)
        | Error::Permanent(_) => None,
    }
}

/// The refusals that are in force: those whose circumstances are as they were.
pub(in crate::jobs::inspect_repository) async fn in_force(
    ctx: &Context,
    reader: &Reader,
    target: &Target,
    read: &RepositoryRead,
    prefix: &str,
) -> Result<Vec<Refused>, JobError> {
    let mut circumstances = Circumstances::of(ctx, target, reader, read, prefix);
    let mut kept = Vec::new();
    for refused in ctx.store.refusals(target.repository, ctx.clock.now()).await? {
        if circumstances.name(refused.attempt, refused.because).await? == refused.circumstances {
            kept.push(refused);
        }
    }
    Ok(kept)
}

/// What a refusal may rest on, as far as it can be seen.
struct Circumstances<'a> {
    reader: &'a Reader,
    repository: &'a Repository,
    prefix: &'a str,
    /// What the installation grants.
    granted: Option<String>,
    /// The rules for a branch, once they were read.
    rules: BTreeMap<String, String>,
}

impl<'a> Circumstances<'a> {
    fn of(
        ctx: &Context,
        target: &Target,
        reader: &'a Reader,
        read: &'a RepositoryRead,
        prefix: &'a str,
    ) -> Self {
        let granted = ctx.github.granted(target.installation).map(|granted| granted.to_string());
        Circumstances {
            reader,
            repository: &read.snapshot.repository,
            prefix,
            granted,
            rules: BTreeMap::new(),
        }
    }

    /// A name for them.
    async fn name(&mut self, attempt: Attempt, because: Because) -> Result<String, JobError> {
        let repository = self.repository;
        let head = repository.head.as_ref().map_or("", |head| head.branch.as_str());
        let mut name = format!(
            "{} {head} {} {}",
            repository.visibility.as_str(),
            self.prefix,
            if repository.issues_enabled { "issues" } else { "-" }
        );
        if because == Because::Permission {
            name.push_str(&format!(" {}", self.granted.as_deref().unwrap_or_default()));
        }
        if because == Because::Rules {
            let (Attempt::Open(kind) | Attempt::Update(kind) | Attempt::Delete(kind)) = attempt;
            for branch in self.branches(kind) {
                let rules = match self.rules.get(&branch) {
                    Some(known) => known.clone(),
                    None => self.reader.branch_rules(&repository.name, &branch).await?,
                };
                name.push_str(&format!(" {rules}"));
                self.rules.insert(branch, rules);
            }
        }
        Ok(name)
    }

    fn branches(&self, kind: Kind) -> [String; 2] {
        [kind.branch(self.prefix), kind.staging_branch(self.prefix)]
    }
}
