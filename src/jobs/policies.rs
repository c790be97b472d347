//! Which policy is in force for an organization.
//!
//! Promises (threats T5, T7): (1) the operator's file wins; (2) a policy counts
//! only if its last commit came by a merged pull request, or from someone with
//! maintain on the `.github` repository; (3) one that does not count, or has an
//! error, changes nothing: the last good one stays in force, and the reason is
//! kept; (4) one that cannot be read is not an absent one.

use super::{Act, Context, JobError};
use crate::{
    domain::{
        observed::{PolicyCommit, PolicySource},
        policy::Policy,
        repository::{AccountId, Login, ObjectId, RepositoryName},
    },
    github::{self, Reader, Role},
    store::{AccountPolicy, PolicyRefusal, TakenPolicy},
};

/// The policy in force as far as memory goes, before GitHub is asked.
pub(super) fn last_good(ctx: &Context, known: &AccountPolicy) -> Policy {
    remembered(ctx.settings.policy.as_ref(), known)
}

/// The same of the operator's policy and of what the database has.
#[must_use]
pub fn remembered(operators: Option<&Policy>, remembered: &AccountPolicy) -> Policy {
    if let Some(policy) = operators {
        return policy.clone();
    }
    remembered.taken.as_ref().and_then(|taken| Policy::parse(&taken.text).ok()).unwrap_or_default()
}

/// The policy in force, now that GitHub has answered. With [`Act::Apply`] the
/// database learns of a new one or of a refusal.
pub(super) async fn in_force(
    ctx: &Context,
    reader: &Reader,
    (account, owner): (AccountId, &Login),
    remembered: AccountPolicy,
    source: &PolicySource,
    act: Act,
) -> Result<Policy, JobError> {
    if let Some(policy) = &ctx.settings.policy {
        return Ok(policy.clone());
    }
    let keep = act == Act::Apply;
    match source {
        PolicySource::Unread(why) => match &remembered.taken {
            Some(_) => Ok(last_good(ctx, &remembered)),
            None => Err(JobError::Later(format!("the policy could not be read: {why}"))),
        },
        PolicySource::Absent => {
            if keep && (remembered.taken.is_some() || remembered.refused.is_some()) {
                ctx.store.remove_policy(account).await?;
            }
            Ok(Policy::default())
        }
        PolicySource::Text { oid, text, commit } => {
            let known = |taken: &TakenPolicy| taken.oid == oid.as_str();
            if remembered.taken.as_ref().is_some_and(known) {
                return Ok(last_good(ctx, &remembered));
            }
            match judge(reader, owner, text.as_deref(), commit.as_ref()).await? {
                Ok((policy, text)) => {
                    if keep {
                        take(ctx, account, oid, &policy, text).await?;
                    }
                    Ok(policy)
                }
                Err(why) => {
                    let known =
                        remembered.refused.as_ref().is_some_and(|r| r.oid == oid.as_str() && r.why == why);
                    if keep && !known {
                        let refusal =
                            PolicyRefusal { oid: oid.to_string(), why, refused_at: ctx.clock.now() };
                        // Why may quote the policy, which may name repositories
                        // (threats N9).
                        tracing::warn!(account = account.0, "the policy was not taken: see muster doctor");
                        tracing::debug!(account = account.0, why = refusal.why, "why not");
                        ctx.store.refuse_policy(account, &refusal).await?;
                    }
                    Ok(last_good(ctx, &remembered))
                }
            }
        }
    }
}

async fn take(
    ctx: &Context,
    account: AccountId,
    oid: &ObjectId,
    policy: &Policy,
    text: &str,
) -> Result<(), JobError> {
    let taken = TakenPolicy {
        oid: oid.to_string(),
        digest: policy.digest(),
        text: text.to_owned(),
        taken_at: ctx.clock.now(),
    };
    ctx.store.take_policy(account, &taken).await?;
    Ok(())
}

/// The policy and its text, or why it is not taken.
async fn judge<'t>(
    reader: &Reader,
    owner: &Login,
    text: Option<&'t str>,
    commit: Option<&PolicyCommit>,
) -> Result<Result<(Policy, &'t str), String>, JobError> {
    let Some(text) = text else {
        return Ok(Err("the file is not text, or larger than 256 KiB".to_owned()));
    };
    if let Some(why) = untrusted(reader, owner, commit).await? {
        return Ok(Err(why));
    }
    Ok(match Policy::parse(text) {
        Ok(policy) => Ok((policy, text)),
        Err(problems) => Err(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    })
}

/// Why the way in which the file came does not count, if so.
async fn untrusted(
    reader: &Reader,
    owner: &Login,
    commit: Option<&PolicyCommit>,
) -> Result<Option<String>, JobError> {
    let Some(commit) = commit else {
        return Ok(Some("GitHub does not say which commit brought the file".to_owned()));
    };
    if commit.merged_pull_request.is_some() {
        return Ok(None);
    }
    let short = commit.oid.short();
    let Some(author) = commit.author.as_ref().filter(|author| !author.bot) else {
        return Ok(Some(format!(
            "commit {short} came neither by a merged pull request nor from a known person"
        )));
    };
    let home = RepositoryName::new(owner.clone(), ".github")
        .map_err(|error| JobError::Permanent(error.to_string()))?;
    let Ok(login) = author.login.parse::<Login>() else {
        return Ok(Some(format!("the author of commit {short} has no valid login")));
    };
    let Some(id) = author.id else {
        return Ok(Some(format!("the author of commit {short} is an account that is gone")));
    };
    let role = match reader.permission(&home, &login, id).await {
        Ok(role) => role,
        Err(github::Error::StaleData(_)) => Role::None,
        Err(error) => return Err(error.into()),
    };
    let why =
        format!("commit {short} was pushed by someone without the role maintain: merge it by pull request");
    Ok((role < Role::Maintain).then_some(why))
}
