//! Labor hours, estimated from the source lines of public repositories where
//! the policy says `inventory.labor_hours: cocomo-ii` and no person gave a
//! number.
//!
//! Promises: (1) an archive is read as it streams in, and nothing of it is
//! kept (threats O3); (2) a commit is counted once, and a repository at most
//! once in 30 days; (3) what cannot be counted keeps the number it had, and the
//! account says why; (4) a run counts for half a minute at most before it lets
//! others go first, and none begins while calls are scarce; (5) of code that is
//! not public nothing is fetched: its entry has no hours.

use std::{
    collections::HashMap,
    io::{self, Read},
    time::Duration,
};

use bytes::Bytes;
use code_json::{
    labor,
    merge::HOURS_TOLERANCE,
    record::{Field, Provenance, Record},
};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{
    Context, JobError, Next, policies, poll_traffic,
    publish_inventory::{self, Said, seen},
};
use crate::{
    checkout::lines,
    domain::{
        inventory::{Agency, Sources, left_out, traffic::day_of},
        policy::{LaborHours, Policy},
        repository::{AccountId, InstallationId, Login, RepositoryId, RepositoryName, Visibility},
    },
    github::{Error, Reader},
    store::{Counted, Installation, JobKind, KnownEntry, NewJob, Priority, ToCount},
};

/// Not again before, once a commit was looked at.
const RESTS: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// When to try again what did not come.
const TOMORROW: Duration = Duration::from_secs(20 * 60 * 60);
/// Repositories that one run looks at, most of which may need no counting.
const A_RUN: u32 = 20;
/// How long a run goes on to the next.
const SLICE: Duration = Duration::from_secs(30);
/// When the next run begins.
const PAUSE: Duration = Duration::from_secs(60);
/// When to look again whether there are calls to spare.
const SCARCE: Duration = Duration::from_secs(15 * 60);
/// Pieces of an archive that wait to be counted.
const WAITING: usize = 16;

/// In whose name an installation is counted; `None` if nobody wants that.
///
/// # Errors
/// The database's.
pub(super) async fn wanted<'c>(
    ctx: &'c Context,
    known: &Installation,
) -> Result<Option<(&'c Agency, AccountId, Policy)>, JobError> {
    let Ok(login) = known.login.parse::<Login>() else { return Ok(None) };
    let Some(agency) = ctx.settings.agencies.iter().find(|agency| agency.has(&login)) else {
        return Ok(None);
    };
    let Some(lead) = publish_inventory::lead(ctx, agency).await? else { return Ok(None) };
    let policy = policies::last_good(ctx, &ctx.store.policy(lead.account).await?);
    Ok(match policy.inventory.labor_hours {
        LaborHours::Off => None,
        LaborHours::CocomoIi => Some((agency, lead.account, policy)),
    })
}

/// The job.
pub(super) fn job(installation: InstallationId, now: Timestamp) -> NewJob {
    // What a sweep reads comes first.
    let soon = now + PAUSE;
    NewJob::new(JobKind::CountLabor, installation.0, installation, Priority::Sweep, soon, "sweep")
}

/// Counts those whose turn it is.
///
/// # Errors
/// GitHub's where it is not about a single repository, and the database's.
pub(super) async fn run(ctx: &Context, installation: InstallationId) -> Result<Next, JobError> {
    let Some(known) = ctx.installation(installation).await? else { return Ok(Next::Asked) };
    let Some((_, lead, policy)) = wanted(ctx, &known).await? else { return Ok(Next::Asked) };
    let began = ctx.clock.now();
    let due = ctx.store.to_count(installation, A_RUN, began).await?;
    if due.is_empty() {
        return Ok(Next::Asked);
    }
    let reader = ctx.github.reader(installation);
    if poll_traffic::is_scarce(&reader).await? {
        return Ok(Next::At(began + SCARCE, Priority::Sweep));
    }
    let entries = ctx.store.entries(installation).await?;
    let entries: HashMap<RepositoryId, &KnownEntry> =
        entries.iter().map(|entry| (entry.seen.id, entry)).collect();
    let said = Said::of(&ctx.store, lead, &[known.account], day_of(began)).await?;
    let asked: Vec<_> = due.iter().map(|one| (one.repository, one.node_id.clone())).collect();
    let here = reader.visibilities(&asked, None).await?.0;
    let (ids, mut looked) = (HashMap::new(), 0);
    for one in &due {
        if ctx.clock.now() >= began + SLICE {
            break;
        }
        looked += 1;
        let (id, head) = (one.repository, &one.head);
        let sources = ctx.store.sources(installation, id..=id).await?.remove(&id).map(|(sources, _)| sources);
        let is_wanted = entries.get(&id).is_some_and(|entry| {
            let seen = seen(known.account, entry, sources.as_ref(), &said, &ids);
            left_out(&policy, &seen).is_none() && !is_said(sources.as_ref(), seen.answers)
        });
        let now = ctx.clock.now();
        let name = here.get(&id).filter(|now| now.visibility == Visibility::Public);
        let (Some(name), true) = (name.map(|now| &now.name), is_wanted) else {
            ctx.store.not_counted((id, Some(head)), None, now + RESTS).await?;
            continue;
        };
        let outcome = count(ctx, &reader, name, one).await?;
        let now = ctx.clock.now();
        match outcome {
            Outcome::Counted(counted) => {
                ctx.store.take_counted((id, head), &counted, (now, now + RESTS)).await?;
            }
            Outcome::Cannot(why) => {
                ctx.store.not_counted((id, Some(head)), Some(&why), now + RESTS).await?;
            }
            Outcome::Later(why) => {
                ctx.store.not_counted((id, None), Some(&why), now + TOMORROW).await?;
            }
        }
    }
    let more = looked < due.len() || due.len() == A_RUN as usize;
    Ok(if more { Next::At(ctx.clock.now() + PAUSE, Priority::Sweep) } else { Next::Asked })
}

/// Whether a person gave a number.
fn is_said(sources: Option<&Sources>, answers: Option<&Record>) -> bool {
    let record = sources.and_then(|sources| sources.record.as_ref());
    let says = |record: &Record| {
        let said = record.field(Field::LaborHours);
        said.is_some_and(|said| matches!(said.from, Provenance::Person { .. }) && said.value != 0)
    };
    [record, answers].into_iter().flatten().any(says)
}

/// What came of counting.
enum Outcome {
    Counted(Counted),
    /// Not this commit: it would be the same again.
    Cannot(String),
    /// It did not come.
    Later(String),
}

async fn count(
    ctx: &Context,
    reader: &Reader,
    name: &RepositoryName,
    one: &ToCount,
) -> Result<Outcome, JobError> {
    let url = match reader.archive(name, &one.head).await {
        Ok(url) => url,
        Err(Error::NotFound(_) | Error::Gone(_) | Error::StaleData(_)) => {
            return Ok(Outcome::Later("GitHub does not hand out its archive".to_owned()));
        }
        Err(
            error @ (Error::Transient(_)
            | Error::Ambiguous(_)
            | Error::Conflict(_)
            | Error::Refused { .. }
            | Error::Partial(_)
            | Error::Permanent(_)
            | Error::Forbidden { .. }),
        ) => return Ok(Outcome::Later(error.to_string())),
        Err(
            error @ (Error::RateLimited { .. }
            | Error::Paced { .. }
            | Error::Suspended
            | Error::ClockOff { .. }
            | Error::Unauthorized(_)),
        ) => return Err(error.into()),
    };
    let streamed = tokio::time::timeout(lines::TIME, stream(ctx, &url)).await;
    let counter = match streamed {
        Ok(Ok(Ok(counter))) => counter,
        Ok(Ok(Err(why))) => return Ok(Outcome::Cannot(why.to_string())),
        Ok(Err(refused)) if refused.is_too_large() => return Ok(Outcome::Cannot(refused.to_string())),
        Ok(Err(refused)) => return Ok(Outcome::Later(refused.to_string())),
        Err(_) => {
            return Ok(Outcome::Cannot(format!("its archive takes longer than {} s", lines::TIME.as_secs())));
        }
    };
    let code = counter.code().unwrap_or_default();
    let before = ctx.store.counted_hours(one.repository).await?;
    let method = format!("{} {}", labor::METHOD, labor::VERSION);
    Ok(Outcome::Counted(Counted { code, hours: kept(before, counter.hours()), method }))
}

/// The number before, if the new one differs by no more than what is never a
/// reason to write.
fn kept(before: Option<u64>, now: Option<u64>) -> Option<u64> {
    match (before, now) {
        (Some(before), Some(now)) if now.abs_diff(before) as f64 <= HOURS_TOLERANCE * before as f64 => {
            Some(before)
        }
        (_, now) => now,
    }
}

/// Counts an archive while it comes.
async fn stream(
    ctx: &Context,
    url: &str,
) -> Result<io::Result<labor::Counter>, crate::github::fetch::Refused> {
    let mut download = ctx.github.download(url).await?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let counting =
        tokio::task::spawn_blocking(move || lines::count_stream(Pieces { receiver, at_hand: Bytes::new() }));
    while let Some(piece) = download.next().await? {
        // It has heard enough: a limit was passed.
        if sender.send(piece).await.is_err() {
            break;
        }
    }
    drop(sender);
    Ok(counting.await.unwrap_or_else(|error| Err(io::Error::other(error))))
}

/// The pieces of an archive, one after the other.
struct Pieces {
    receiver: mpsc::Receiver<Bytes>,
    at_hand: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at_hand.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.at_hand = piece,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.at_hand.len());
        buffer[..count].copy_from_slice(&self.at_hand.split_to(count));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_hardly_differs_is_none() {
        assert_eq!(kept(None, Some(7)), Some(7));
        assert_eq!(kept(Some(100), Some(105)), Some(100));
        assert_eq!(kept(Some(100), Some(106)), Some(106));
        assert_eq!(kept(Some(100), Some(94)), Some(94));
        assert_eq!(kept(Some(100), None), None);
    }

    #[tokio::test]
    async fn pieces_are_read_as_one() {
        let (sender, receiver) = mpsc::channel(1);
        let reading = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            Pieces { receiver, at_hand: Bytes::new() }.read_to_string(&mut text).map(|_| text)
        });
        for piece in ["one ", "", "two ", "three"] {
            sender.send(Bytes::from(piece)).await.unwrap();
        }
        drop(sender);
        assert_eq!(reading.await.unwrap().unwrap(), "one two three");
    }
}
