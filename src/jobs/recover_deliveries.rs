//! Deliveries that did not arrive, and with `MUSTER_INTAKE=poll` all of them:
//! read from GitHub's own record, which GitHub never sends again by itself.
//!
//! Promises: (1) an entry of the record is passed over only when it has come in,
//! or is kept as missing; (2) a pass ends where an earlier one has read, and one
//! that is too long for a round goes on in the next; (3) what fails once more
//! after GitHub has sent it again is fetched, and fed to the webhook's own
//! function; (4) each is asked for a few times at most, ever more rarely, so
//! that a poisoned one is left behind; (5) when we were away for longer than the
//! record goes back, everything is looked at instead.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::{
    Context, JobError,
    intake::{NotTaken, Taken, Way},
    route,
};
use crate::{
    domain::repository::InstallationId,
    github::{self, DeliveryPage, ListedDelivery, Which},
    store::{DeliveryRecord, Entry, JobKind, MissedDelivery, NewJob, Pass, Priority},
};

const MINUTE: Duration = Duration::from_secs(60);
/// So many pages of 100 entries are read in a round.
const PAGES: usize = 10;
/// So many deliveries are asked for in a round, and so long after it began the
/// next one follows while more are due: 4,000 an hour, which leaves room for
/// tokens in what GitHub allows the App's own key.
const ASKED: u32 = 50;
const PAUSE: Duration = Duration::from_secs(45);
/// So often one is asked for; the last time some 10 hours after the first.
const ATTEMPTS: i64 = 8;
/// The wait after the first attempt; it doubles.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// Entries so much older than the newest that was read may still be new: an
/// attempt is listed when it is over, which takes up to half a minute.
const OVERLAP: Duration = Duration::from_secs(2 * 60);

/// How often the record is read.
pub(super) fn every(way: Way) -> Duration {
    match way {
        Way::Webhook => 5 * MINUTE,
        Way::Poll => MINUTE,
    }
}

/// The job. The moment of the next round, if it is not over.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn run(ctx: &Context) -> Result<Option<Timestamp>, JobError> {
    let (which, list) = match ctx.settings.way {
        Way::Webhook => (Which::Failed, "failed"),
        Way::Poll => (Which::All, "all"),
    };
    let now = ctx.clock.now();
    let reached = match ctx.store.delivery_record(list).await? {
        // Only what is missing is left of this round.
        Some(record) if record.pass.is_none() && now < record.round_at + every(ctx.settings.way) / 2 => true,
        Some(record) if now < record.round_at + ctx.github.redelivery_window() => {
            read(ctx, which, list, record).await?
        }
        // The first time, the first sweep sees what there was before.
        known => {
            if known.is_some() {
                tracing::warn!("deliveries were not read for longer than GitHub keeps them: all is swept");
                sweep_all(ctx).await?;
            }
            begin(ctx, which, list).await?;
            true
        }
    };
    let more = ask(ctx).await?;
    Ok(if more { Some(now + PAUSE) } else { (!reached).then_some(now) })
}

/// Takes the record as read up to its newest entry.
async fn begin(ctx: &Context, which: Which, list: &'static str) -> Result<(), JobError> {
    let page = ctx.github.deliveries(which, None).await?;
    // Of an empty record everything that comes is new.
    let read = page.deliveries.first().map_or(Entry { at: Timestamp::UNIX_EPOCH, id: 0 }, entry);
    let record = DeliveryRecord { read, pass: None, round_at: ctx.clock.now() };
    Ok(ctx.store.read_deliveries(list, &record, &[]).await?)
}

fn entry(listed: &ListedDelivery) -> Entry {
    Entry { at: listed.delivered_at, id: listed.id }
}

async fn sweep_all(ctx: &Context) -> Result<(), JobError> {
    let now = ctx.clock.now();
    let sweep = |id: InstallationId| {
        NewJob::new(JobKind::SweepInstallation, id.0, id, Priority::Sweep, now, "long away")
    };
    let known = ctx.store.installations().await?;
    let jobs: Vec<NewJob> = known.iter().map(|installation| sweep(installation.id)).collect();
    Ok(ctx.store.enqueue(&jobs, now).await?)
}

/// Reads the record down to what was read before, or as far as a round goes;
/// whether it came there.
async fn read(
    ctx: &Context,
    which: Which,
    list: &'static str,
    mut record: DeliveryRecord,
) -> Result<bool, JobError> {
    for _ in 0..PAGES {
        let Some(page) = page(ctx, which, record.pass.as_ref()).await? else {
            // GitHub does not know the place any more: once more from the top.
            record.pass = None;
            continue;
        };
        let newest = page.deliveries.first().map_or(record.read, entry).max(record.read);
        let newest = record.pass.as_ref().map_or(newest, |pass| pass.newest);
        let known = record.read.at.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN);
        let reached = page
            .deliveries
            .last()
            .is_none_or(|oldest| oldest.id <= record.read.id || oldest.delivered_at < known);
        let missing = missing(ctx, page.deliveries);
        record.round_at = ctx.clock.now();
        record.pass = page.next.filter(|_| !reached).map(|cursor| Pass { newest, cursor });
        if record.pass.is_none() {
            record.read = newest;
        }
        ctx.store.read_deliveries(list, &record, &missing).await?;
        if record.pass.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A page of the record; `None` if GitHub refuses the place where a pass was to
/// go on.
async fn page(ctx: &Context, which: Which, pass: Option<&Pass>) -> Result<Option<DeliveryPage>, JobError> {
    use github::Error;
    match ctx.github.deliveries(which, pass.map(|pass| pass.cursor.as_str())).await {
        Ok(page) => Ok(Some(page)),
        Err(Error::Refused { .. } | Error::NotFound(_) | Error::Permanent(_)) if pass.is_some() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Of these entries those that something may come of, each GUID once with its
/// newest attempt.
fn missing(ctx: &Context, entries: Vec<ListedDelivery>) -> Vec<MissedDelivery> {
    let mut newest: BTreeMap<String, MissedDelivery> = BTreeMap::new();
    for entry in entries {
        let (guid, delivery, installation) = (entry.guid.to_ascii_lowercase(), entry.id, entry.installation);
        if !route::listens(&entry.event, entry.action.as_deref()) || strange(ctx, installation) {
            continue;
        }
        let missed = MissedDelivery { guid, delivery, installation, attempts: 0 };
        let known = newest.entry(missed.guid.clone()).or_insert_with(|| missed.clone());
        if known.delivery < delivery {
            *known = missed;
        }
    }
    newest.into_values().collect()
}

/// Whether it is of an installation that is known to be a stranger's.
fn strange(ctx: &Context, installation: Option<InstallationId>) -> bool {
    installation.is_some_and(|id| ctx.accounts.is_stranger(id))
}

/// Asks for what is missing and due; whether more of it is.
async fn ask(ctx: &Context) -> Result<bool, JobError> {
    let due = ctx.store.missed_deliveries(ASKED + 1, ctx.clock.now()).await?;
    let more = due.len() > ASKED as usize;
    let mut tally = Tally::default();
    for missed in due.iter().take(ASKED as usize) {
        let now = ctx.clock.now();
        let doubled = 1 << missed.attempts.clamp(0, ATTEMPTS);
        ctx.store.try_missed_delivery(&missed.guid, now + PATIENCE * doubled).await?;
        match once(ctx, missed).await? {
            Outcome::Asked if missed.attempts + 1 < ATTEMPTS => tally.asked += 1,
            Outcome::In => tally.fetched += 1,
            Outcome::NotOurs => ctx.store.forget_missed_delivery(&missed.guid).await?,
            Outcome::Asked | Outcome::Lost => {
                tally.given_up += 1;
                ctx.store.give_up_missed_delivery(&missed.guid, now).await?;
            }
        }
    }
    if tally.given_up > 0 {
        tracing::warn!(
            given_up = tally.given_up,
            "deliveries cannot be had; the next sweep sees what they told"
        );
    }
    if tally.asked + tally.fetched > 0 {
        tracing::info!(asked = tally.asked, fetched = tally.fetched, "deliveries were missing");
    }
    Ok(more)
}

#[derive(Default)]
struct Tally {
    asked: u32,
    fetched: u32,
    given_up: u32,
}

/// What came of asking.
enum Outcome {
    /// GitHub sends it again, or may.
    Asked,
    /// It is in.
    In,
    /// It is of an account that is not served.
    NotOurs,
    /// It never will be.
    Lost,
}

/// Asks for one. A webhook gets it sent again first; what did not arrive then
/// either is fetched.
async fn once(ctx: &Context, missed: &MissedDelivery) -> Result<Outcome, JobError> {
    use github::Error;
    if strange(ctx, missed.installation) {
        return Ok(Outcome::NotOurs);
    }
    if ctx.settings.way == Way::Webhook && missed.attempts == 0 {
        return match ctx.github.redeliver(missed.delivery).await {
            Ok(()) => Ok(Outcome::Asked),
            Err(Error::NotFound(_) | Error::Gone(_)) => Ok(Outcome::Lost),
            // It is fetched next time.
            Err(Error::Refused { .. } | Error::Permanent(_)) => Ok(Outcome::Asked),
            Err(error) => Err(error.into()),
        };
    }
    let delivery = match ctx.github.delivery(missed.delivery).await {
        Ok(Some(delivery)) => delivery,
        Ok(None) => return Ok(Outcome::Asked),
        Err(Error::NotFound(_) | Error::Gone(_) | Error::Permanent(_)) => return Ok(Outcome::Lost),
        Err(error) => return Err(error.into()),
    };
    match ctx.intake.take(delivery).await {
        Ok(Taken::Stored | Taken::Known) => Ok(Outcome::In),
        Ok(Taken::Unlisted) => Ok(Outcome::NotOurs),
        Err(NotTaken::Malformed(_) | NotTaken::Forged(_)) => Ok(Outcome::Lost),
        Err(NotTaken::Store(error)) => Err(error.into()),
        Err(error @ NotTaken::Broken(_)) => Err(JobError::Later(error.to_string())),
    }
}
