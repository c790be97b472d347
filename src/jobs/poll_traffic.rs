//! How often the repositories of an installation are cloned and looked at, where
//! its account has granted `administration: read`.
//!
//! Promises: (1) no token for it is asked for where that was not granted, or
//! where no agency counts; (2) a run asks about a hundred repositories at most,
//! the next begins a minute later, and none begins while less than half of the
//! hour's calls is left: an inspection comes first; (3) what cannot be asked
//! today is asked on another night, before GitHub forgets it
//! ([`traffic::tonight`]); it is never tried again and again; (4) a repository
//! is asked about under the name it has now, and not at all once it is gone.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;

use super::{
    Context, JobError, Next, policies,
    publish_inventory::{self, Said, seen},
    read_installations,
};
use crate::{
    domain::{
        inventory::{
            Agency, left_out,
            traffic::{self, Day},
        },
        repository::{InstallationId, Login, RepositoryId, RepositoryName},
    },
    github::{Error, Reader, needs},
    store::{Installation, JobKind, KnownEntry, NewJob, Priority},
};

/// Repositories in a run: two calls each, so that with the pause below there
/// are no more than 200 a minute. GitHub allows 900 in REST ("Rate limits for
/// the REST API").
const A_RUN: usize = 100;
/// When the next run begins.
const PAUSE: Duration = Duration::from_secs(60);
/// When to look again whether there are calls to spare.
const SCARCE: Duration = Duration::from_secs(15 * 60);
/// How long one run may ask.
const SLICE: Duration = Duration::from_secs(45);
/// So many failures in a row are not about single repositories.
const IN_A_ROW: usize = 3;

/// The agency in whose name an installation is counted; `None` if its account
/// has not granted that, or is no agency's.
pub(super) fn wanted<'c>(ctx: &'c Context, known: &Installation) -> Option<&'c Agency> {
    let granted = ctx.github.granted(known.id)?;
    let login: Login = known.login.parse().ok()?;
    let agency = ctx.settings.agencies.iter().find(|agency| agency.has(&login))?;
    granted.lacks(needs::MEASURING).is_empty().then_some(agency)
}

/// The job.
pub(super) fn job(installation: InstallationId, now: Timestamp) -> NewJob {
    NewJob::new(JobKind::PollTraffic, installation.0, installation, Priority::Sweep, now, "sweep")
}

/// Asks about those whose turn it is.
///
/// # Errors
/// GitHub's where it is not about a single repository, and the database's.
pub(super) async fn run(ctx: &Context, installation: InstallationId) -> Result<Next, JobError> {
    let Some(known) = ctx.installation(installation).await? else { return Ok(Next::Asked) };
    let Some(agency) = wanted(ctx, &known) else { return Ok(Next::Asked) };
    let began = ctx.clock.now();
    let entries = ctx.store.entries(installation).await?;
    let due = due(ctx, agency, &known, &entries).await?;
    if due.is_empty() {
        return Ok(Next::Asked);
    }
    let reader = ctx.github.measuring_reader(installation);
    if is_scarce(&reader).await? {
        return Ok(Next::At(began + SCARCE, Priority::Sweep));
    }
    let here = now_here(ctx, &known, &entries, &due[..due.len().min(A_RUN)]).await?;
    let (mut asked, mut told, mut in_a_row, mut reread) = (0, 0, 0, false);
    for id in due.iter().take(A_RUN) {
        if ctx.clock.now() >= began + SLICE {
            break;
        }
        asked += 1;
        let answer = match here.get(id) {
            Some(name) => ask(&reader, name).await?,
            None => Answer::Nothing,
        };
        let now = ctx.clock.now();
        match answer {
            Answer::Days(days) => {
                ctx.store.take_traffic(*id, &days, now).await?;
                (told, in_a_row) = (told + 1, 0);
                continue;
            }
            Answer::Nothing => {}
            Answer::Failed => in_a_row += 1,
            Answer::Forbidden => {
                in_a_row += 1;
                if !reread {
                    // It was taken away, or one repository is blocked: GitHub knows.
                    ctx.store.enqueue(&[read_installations::job(installation, now)], now).await?;
                    reread = true;
                }
            }
        }
        ctx.store.traffic_untold(*id, now).await?;
        if in_a_row == IN_A_ROW {
            tracing::warn!(
                installation = installation.0,
                "GitHub does not tell of clones and views: it is asked again tomorrow"
            );
            return Ok(Next::Asked);
        }
    }
    tracing::info!(installation = installation.0, asked, told, "clones and views were read");
    let more = due.len() > asked;
    Ok(if more { Next::At(ctx.clock.now() + PAUSE, Priority::Sweep) } else { Next::Asked })
}

/// Those whose turn it is, of all that the inventory is about.
async fn due(
    ctx: &Context,
    agency: &Agency,
    known: &Installation,
    entries: &[KnownEntry],
) -> Result<Vec<RepositoryId>, JobError> {
    let Some(lead) = publish_inventory::lead(ctx, agency).await? else { return Ok(Vec::new()) };
    let policy = policies::last_good(ctx, &ctx.store.policy(lead.account).await?);
    let today = traffic::day_of(ctx.clock.now());
    let said = Said::of(&ctx.store, lead.account, &[known.account], today).await?;
    let (ids, polls) = (HashMap::new(), ctx.store.traffic_polls(known.id).await?);
    let counts =
        |entry: &&KnownEntry| left_out(&policy, &seen(known.account, entry, None, &said, &ids)).is_none();
    let all: Vec<_> = entries
        .iter()
        .filter(counts)
        .map(|entry| (entry.seen.id, polls.get(&entry.seen.id).copied()))
        .collect();
    Ok(traffic::tonight(&all, today))
}

/// Whether others need the calls of this hour.
pub(super) async fn is_scarce(reader: &Reader) -> Result<bool, JobError> {
    let limit = reader.rate_limit().await?;
    Ok(limit.is_some_and(|limit| limit.core.remaining * 2 < limit.core.limit))
}

/// The names that these have now; without those that are gone, or with another
/// owner.
async fn now_here(
    ctx: &Context,
    known: &Installation,
    entries: &[KnownEntry],
    ids: &[RepositoryId],
) -> Result<HashMap<RepositoryId, RepositoryName>, JobError> {
    let asked: Vec<(RepositoryId, String)> = entries
        .iter()
        .filter(|entry| ids.contains(&entry.seen.id))
        .map(|entry| (entry.seen.id, entry.seen.node_id.clone()))
        .collect();
    let (found, _) = ctx.github.reader(known.id).visibilities(&asked, None).await?;
    let here =
        found.into_iter().filter(|(_, now)| now.name.owner().as_str().eq_ignore_ascii_case(&known.login));
    Ok(here.map(|(id, now)| (id, now.name)).collect())
}

/// What came of asking about one repository.
enum Answer {
    Days(Vec<Day>),
    /// It is gone.
    Nothing,
    /// GitHub does not tell today.
    Failed,
    Forbidden,
}

async fn ask(reader: &Reader, name: &RepositoryName) -> Result<Answer, JobError> {
    match reader.traffic(name).await {
        Ok(days) => Ok(Answer::Days(days)),
        Err(Error::NotFound(_) | Error::Gone(_)) => Ok(Answer::Nothing),
        Err(Error::Forbidden { .. }) => Ok(Answer::Forbidden),
        Err(
            Error::Transient(_)
            | Error::Ambiguous(_)
            | Error::StaleData(_)
            | Error::Conflict(_)
            | Error::Refused { .. }
            | Error::Partial(_)
            | Error::Permanent(_),
        ) => Ok(Answer::Failed),
        // Not about this repository: the job waits, as every other does.
        Err(
            error @ (Error::RateLimited { .. }
            | Error::Paced { .. }
            | Error::Suspended
            | Error::ClockOff { .. }
            | Error::Unauthorized(_)),
        ) => Err(error.into()),
    }
}
