//! The inventory from outside that the lead organization's policy names
//! (`inventory.import`): a file of the control repository, or an https address.
//!
//! Promises: (1) one that cannot be read, is not whole or has shrunk replaces
//! nothing: the last good one is used on, and why stands in the account;
//! (2) only hosts of the operator's table are asked, without credentials
//! (threats O1, O2), and no more than once an hour; (3) nothing is published
//! again when the import says the same.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Context, JobError, Next, digest, exemptions, policies, publish_inventory};
use crate::{
    domain::{
        inventory::{Agency, Imported, Problem, Subject, guard::Refusal, import},
        policy::Policy,
        repository::{AccountId, InstallationId, Login, RepositoryName},
        words,
    },
    github::{
        self, ControlFile,
        fetch::{Fetched, Wanted},
    },
    store::{GoodImport, Import, Installation, JobKind, NewJob, Priority, Store, StoreError},
};

/// How often an address is asked.
pub(super) const EVERY: Duration = Duration::from_secs(60 * 60);

/// The job that reads the import of the agency of this number.
pub(super) fn job(number: usize, priority: Priority, now: Timestamp, cause: &str) -> NewJob {
    NewJob::new(JobKind::ReadImport, number as u64, InstallationId(0), priority, now, cause)
}

/// The same, if an organization leads an agency that has an import, or had one.
///
/// # Errors
/// The database's.
pub(super) async fn of_lead(ctx: &Context, known: &Installation) -> Result<Option<NewJob>, JobError> {
    let leads = |agency: &Agency| known.login.parse().is_ok_and(|login: Login| agency.lead.same_as(&login));
    let Some(number) = ctx.settings.agencies.iter().position(leads) else { return Ok(None) };
    let policy = policies::last_good(ctx, &ctx.store.policy(known.account).await?);
    let wanted = policy.inventory.import.is_some() || ctx.store.import(known.account).await?.is_some();
    Ok(wanted.then(|| job(number, Priority::Policy, ctx.clock.now(), "control repository")))
}

/// What a publication takes from the import.
#[derive(Debug, Default)]
pub struct Outside {
    /// Whether the policy names one.
    named: bool,
    import: Option<Import>,
    entries: Vec<Imported>,
}

impl Outside {
    /// What is known of the import that the lead organization's policy names.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(store: &Store, lead: AccountId, policy: &Policy) -> Result<Outside, StoreError> {
        if policy.inventory.import.is_none() {
            return Ok(Outside::default());
        }
        let import = store.import(lead).await?;
        let entries = match import.as_ref().and_then(|import| import.good.as_ref()) {
            Some(_) => store.imported(lead).await?,
            None => Vec::new(),
        };
        Ok(Outside { named: true, import, entries })
    }

    /// Its entries.
    #[must_use]
    pub fn entries(&self) -> &[Imported] {
        &self.entries
    }

    /// The names in it that must not be told.
    #[must_use]
    pub fn hidden_names(&self) -> Vec<RepositoryName> {
        self.entries.iter().filter_map(Imported::hidden_name).collect()
    }

    /// Whether it is not known yet what became of it.
    #[must_use]
    pub fn was_never_asked_for(&self) -> bool {
        self.named && self.import.is_none()
    }

    /// Why nothing can be published: it could never be read. Where it once
    /// could, that is used on, since a file that is not published anew would
    /// still list what became private (threats N5).
    #[must_use]
    pub fn missing(&self) -> Option<Refusal> {
        let good = self.import.as_ref().is_some_and(|import| import.good.is_some());
        let why = || self.import.as_ref().and_then(|import| import.problem.clone());
        (self.named && !good)
            .then(|| Refusal::Import(why().unwrap_or_else(|| words::inventory::IMPORT_NOT_READ.to_owned())))
    }

    /// What somebody should know of it: it is an older one.
    #[must_use]
    pub fn problem(&self) -> Option<Problem> {
        let import = self.import.as_ref()?;
        let (good, why) = (import.good.as_ref()?, import.problem.as_ref()?);
        let since = good.read_at.strftime("%Y-%m-%d").to_string();
        let subject = Subject::Imported { key: "inventory.import".to_owned() };
        Some(Problem { subject, what: words::inventory::import_stale(&since, why) })
    }
}

/// What came of looking.
enum Found {
    /// What is there already.
    Same,
    /// All of it.
    Whole { bytes: Vec<u8>, version: String, etag: Option<String> },
    /// Nothing that can be used; why.
    Nothing(String),
}

/// The job.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn run(ctx: &Context, number: usize, priority: Priority) -> Result<Next, JobError> {
    let Some(agency) = ctx.settings.agencies.get(number) else { return Ok(Next::Asked) };
    let Some(lead) = publish_inventory::lead(ctx, agency).await? else { return Ok(Next::Asked) };
    let policy = policies::last_good(ctx, &ctx.store.policy(lead.account).await?);
    let before = ctx.store.import(lead.account).await?;
    let Some(source) = policy.inventory.import else {
        if before.is_some() {
            ctx.store.forget_import(lead.account).await?;
            publish_again(ctx, number).await?;
        }
        return Ok(Next::Asked);
    };
    let now = ctx.clock.now();
    let is_address = source.contains("://");
    let asked_before = before.as_ref().filter(|import| import.asked == source);
    let rests = asked_before.is_some_and(|import| match is_address {
        true => now < import.asked_at + EVERY,
        // A file moves by a push, which asks; and every night.
        false => priority == Priority::Sweep,
    });
    if rests {
        return Ok(Next::Asked);
    }
    let good = before.as_ref().and_then(|import| import.good.as_ref()).filter(|good| good.source == source);
    let found = match is_address {
        true => fetch(ctx, agency, &source, good).await,
        false => read_file(ctx, &lead, policy.control.as_ref(), &source, good).await?,
    };
    keep(ctx, number, &lead, &source, before.as_ref(), found).await?;
    Ok(Next::Asked)
}

async fn fetch(ctx: &Context, agency: &Agency, source: &str, good: Option<&GoodImport>) -> Found {
    let etag = good.and_then(|good| good.etag.as_deref());
    let wanted = Wanted { url: source, allowed: &agency.import_from, etag, most: import::MOST_BYTES };
    match ctx.github.fetcher().get(&wanted).await {
        Ok(Fetched::Unchanged) => Found::Same,
        Ok(Fetched::Whole { bytes, etag }) => {
            let version = hex::encode(Sha256::digest(&bytes));
            match good.is_some_and(|good| good.version == version && good.etag == etag) {
                true => Found::Same,
                false => Found::Whole { bytes: bytes.into(), version, etag },
            }
        }
        Err(refused) => Found::Nothing(refused.to_string()),
    }
}

/// The file in the control repository; of the usual ones, in the first that has
/// it.
async fn read_file(
    ctx: &Context,
    lead: &Installation,
    control: Option<&RepositoryName>,
    path: &str,
    good: Option<&GoodImport>,
) -> Result<Found, JobError> {
    for name in exemptions::places(lead, control)? {
        let Some(reader) = exemptions::reader_of(ctx, lead, &name).await? else { continue };
        let control = match reader.control(&name, path, 1, None).await {
            Ok(control) => control,
            Err(github::Error::NotFound(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        let Some(oid) = control.file.oid() else { continue };
        let version = oid.to_string();
        if good.is_some_and(|good| good.version == version) {
            return Ok(Found::Same);
        }
        return Ok(match control.file {
            ControlFile::Absent => continue,
            ControlFile::Text { text, .. } => Found::Whole { bytes: text.into_bytes(), version, etag: None },
            // It is larger than what comes along.
            ControlFile::Other { oid } => match reader.object_bytes(&name, &oid).await {
                Ok(Some(bytes)) => Found::Whole { bytes, version, etag: None },
                Ok(None) => Found::Nothing("GitHub did not send it whole".to_owned()),
                Err(github::Error::Permanent(_)) => Found::Nothing(
                    "it is larger than GitHub hands out at once: publish it at an address".to_owned(),
                ),
                Err(error) => return Err(error.into()),
            },
        });
    }
    Ok(Found::Nothing(format!("there is no file {path} in the control repository")))
}

/// Keeps what was found, or why it cannot be used.
async fn keep(
    ctx: &Context,
    number: usize,
    lead: &Installation,
    source: &str,
    before: Option<&Import>,
    found: Found,
) -> Result<(), JobError> {
    let now = ctx.clock.now();
    let was = before.and_then(|import| import.good.clone());
    let judged = match found {
        Found::Same => Ok(None),
        Found::Nothing(why) => Err(why),
        Found::Whole { bytes, version, etag } => {
            let known = match &was {
                // Another one, by another name, is not a smaller one.
                Some(good) if good.source == source => ctx.store.imported(lead.account).await?,
                Some(_) | None => Vec::new(),
            };
            let read = judge(bytes, source, known).await?;
            let source = source.to_owned();
            read.map(|entries| Some((GoodImport { source, version, etag, read_at: now }, entries)))
        }
    };
    let (good, entries, problem) = match judged {
        Ok(None) => (was.map(|good| GoodImport { read_at: now, ..good }), None, None),
        Ok(Some((good, entries))) => (Some(good), Some(entries), None),
        Err(why) => (was, None, Some(why)),
    };
    let is_news = entries.is_some() || before.is_none_or(|before| before.problem != problem);
    let import = Import { asked: source.to_owned(), asked_at: now, problem, good };
    ctx.store.take_import(lead.account, &import, entries.as_deref()).await?;
    if let Some(why) = import.problem.as_ref().filter(|_| is_news) {
        // Why may name a host of the agency's own (threats N9).
        tracing::warn!(account = lead.account.0, "the import could not be used: see muster doctor");
        let agency = ctx.settings.agencies.get(number).map(|agency| agency.acronym.as_str());
        let detail = json!({ "agency": agency, "why": why });
        publish_inventory::note(&ctx.store, now, "import_refused", detail).await?;
    }
    if let Some(entries) = &entries {
        tracing::info!(account = lead.account.0, entries = entries.len(), "the import was read");
    }
    if is_news {
        digest::look(ctx, lead).await?;
    }
    // The first time, whoever wants to publish waits for it.
    if is_news && before.is_some() {
        publish_again(ctx, number).await?;
    }
    Ok(())
}

/// Reads the bytes, away from what must not wait.
async fn judge(
    bytes: Vec<u8>,
    source: &str,
    known: Vec<Imported>,
) -> Result<Result<Vec<Imported>, String>, JobError> {
    let source = source.to_owned();
    let read = move || {
        let entries = import::read(&bytes, &source)?;
        import::not_shrunk(&known, &entries)?;
        Ok::<_, import::Unusable>(entries)
    };
    let read = tokio::task::spawn_blocking(read).await;
    let read = read.map_err(|error| JobError::Permanent(format!("the import could not be read: {error}")))?;
    Ok(read.map_err(|unusable| unusable.to_string()))
}

async fn publish_again(ctx: &Context, number: usize) -> Result<(), JobError> {
    let now = ctx.clock.now();
    let job = publish_inventory::of_agency(number, Priority::Policy, now, "import");
    Ok(ctx.store.enqueue(&[job], now).await?)
}
