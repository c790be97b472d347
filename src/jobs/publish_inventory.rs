//! The inventory of an agency: assembled, guarded, published.
//!
//! Promises: (1) who may see a repository is read afresh in this job, never
//! taken from an event (threats N5); (2) what is refused leaves the last good
//! publication in place, with the reason in the account; (3) nothing is written
//! when nothing changed; (4) no repository and no count crosses an agency.

mod propose;
mod told;

use std::{collections::HashMap, time::Duration};

use code_json::{
    record::Record,
    schema,
    validate::{self, Choice},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Context, JobError, Next, policies};
use crate::{
    domain::{
        exemptions::Exemption,
        inventory::{
            self, Agency, Assembly, Exempt, File, Opaque, Seen, Subject,
            guard::{self, Before, Refusal},
            leak::Secrets,
        },
        policy::{Policy, Private, Published},
        repository::{AccountId, Login, RepositoryId, RepositoryName, Visibility},
    },
    store::{
        DrawnId, Installation, JobKind, KnownEntry, NewAudit, NewJob, NewPublication, Priority, Publication,
        Store, StoreError,
    },
};
pub use told::account_json;

/// How often it is published though nothing told of a change: who may see what
/// is read again each time (threats N5).
pub(super) const EVERY: Duration = Duration::from_secs(60 * 60);
/// How long to wait for the first list of an organization.
const NOT_LISTED_YET: Duration = Duration::from_secs(60);
/// A list that has not come to its end after so long will not.
const LISTING: Duration = Duration::from_secs(60 * 60);

/// The job that publishes the inventory in which a repository is; `None` if it
/// is in none.
pub(super) fn job(
    ctx: &Context,
    repository: &RepositoryName,
    priority: Priority,
    cause: &str,
) -> Option<NewJob> {
    let number = ctx.settings.agencies.iter().position(|agency| agency.has(repository.owner()))?;
    Some(of_agency(number, priority, ctx.clock.now(), cause))
}

/// The same for a whole organization, which was swept or is gone.
pub(super) fn of_organization(ctx: &Context, login: &str) -> Option<NewJob> {
    let login: Login = login.parse().ok()?;
    let number = ctx.settings.agencies.iter().position(|agency| agency.has(&login))?;
    Some(of_agency(number, Priority::Sweep, ctx.clock.now(), "swept"))
}

/// A repository is gone, or out of reach: it leaves the inventory at once.
///
/// # Errors
/// The database's.
pub(super) async fn left(ctx: &Context, repository: RepositoryId) -> Result<(), JobError> {
    let (store, now) = (&ctx.store, ctx.clock.now());
    let known = store.repository(repository).await?.filter(|known| known.removed_at.is_none());
    store.remove_repository(repository, now).await?;
    if let Some(job) = known.and_then(|known| job(ctx, &known.seen.name, Priority::Push, "gone")) {
        store.enqueue(&[job], now).await?;
    }
    Ok(())
}

/// The job that publishes the inventory of the agency of this number.
#[must_use]
pub fn of_agency(number: usize, priority: Priority, now: Timestamp, cause: &str) -> NewJob {
    let of_none = crate::domain::repository::InstallationId(0);
    NewJob::new(JobKind::PublishInventory, number as u64, of_none, priority, now, cause)
}

/// What is known of one organization of the agency.
struct Organization {
    known: Installation,
    /// Whether its last list was whole.
    whole: bool,
    entries: Vec<KnownEntry>,
}

/// The job.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn run(ctx: &Context, number: usize) -> Result<Next, JobError> {
    let Some(agency) = ctx.settings.agencies.get(number) else { return Ok(Next::Asked) };
    let Some(organizations) = gather(ctx, agency).await? else {
        return Ok(Next::At(ctx.clock.now() + NOT_LISTED_YET, Priority::Sweep));
    };
    let Some(lead) =
        organizations.iter().find(|one| one.known.login.eq_ignore_ascii_case(agency.lead.as_str()))
    else {
        return Ok(Next::Asked);
    };
    let policy = policies::last_good(ctx, &ctx.store.policy(lead.known.account).await?);
    let policy = in_the_words_of(policy, agency);
    let ours: Vec<AccountId> = organizations.iter().map(|one| one.known.account).collect();
    let today = ctx.clock.now().to_zoned(TimeZone::UTC).date();
    let said = Said::of(&ctx.store, lead.known.account, &ours, today).await?;
    let assembled = assemble(ctx, agency, &policy, &organizations, &said).await?;
    let mut ready = Vec::new();
    for file in &assembled.assembly.files {
        ready.extend(publish(ctx, agency, &policy, &organizations, &assembled, file).await?);
    }
    if ready.len() == assembled.assembly.files.len() {
        propose::propose(ctx, agency, &policy, &organizations, &assembled, &ready).await?;
    }
    Ok(Next::Asked)
}

/// The lead organization's policy, with the acronym that the operator gives it.
#[must_use]
pub fn in_the_words_of(mut policy: Policy, agency: &Agency) -> Policy {
    policy.agency.acronym = Some(agency.acronym.clone());
    policy
}

/// Everything known of the agency's organizations, with who may see what read
/// afresh. `None` if one of them was never listed to the end.
async fn gather(ctx: &Context, agency: &Agency) -> Result<Option<Vec<Organization>>, JobError> {
    let mut organizations = Vec::new();
    for known in ctx.store.installations().await? {
        let Ok(login) = known.login.parse() else { continue };
        if !agency.has(&login) || ctx.installation(known.id).await?.is_none() {
            continue;
        }
        let now = ctx.clock.now();
        let whole = match ctx.store.sweep(known.id).await? {
            None => return Ok(None),
            Some(sweep) => match sweep.listed_at {
                Some(_) => sweep.complete,
                None if now < sweep.began_at + LISTING => true,
                None => false,
            },
        };
        let mut entries = ctx.store.entries(known.id).await?;
        if known.suspended_at.is_none() {
            read_visibility(ctx, &known, &mut entries).await?;
        }
        organizations.push(Organization { known, whole, entries });
    }
    Ok(Some(organizations))
}

/// Reads who may see each, stores what is another, and leaves out what is gone.
async fn read_visibility(
    ctx: &Context,
    known: &Installation,
    entries: &mut Vec<KnownEntry>,
) -> Result<(), JobError> {
    let reader = ctx.github.reader(known.id);
    let asked: Vec<(RepositoryId, String)> =
        entries.iter().map(|entry| (entry.seen.id, entry.seen.node_id.clone())).collect();
    let found = reader.visibilities(&asked).await?;
    let (mut changed, mut look) = (Vec::new(), Vec::new());
    entries.retain_mut(|entry| {
        let id = entry.seen.id;
        let Some(now) = found.get(&id) else {
            // Gone, or out of reach: an inspection finds out which.
            look.push(id);
            return false;
        };
        let moved = !now.name.owner().same_as(entry.seen.name.owner());
        if now.visibility != entry.seen.visibility || now.archived != entry.seen.archived {
            changed.push((id, now.visibility, now.archived));
            look.push(id);
        }
        entry.seen.visibility = now.visibility;
        entry.seen.archived = now.archived;
        if moved || now.name != entry.seen.name {
            look.push(id);
        }
        if !moved {
            entry.seen.name = now.name.clone();
        }
        !moved
    });
    if !changed.is_empty() {
        ctx.store.see_visibility(&changed).await?;
    }
    if !look.is_empty() {
        let now = ctx.clock.now();
        let job = |id: RepositoryId| {
            NewJob::new(JobKind::InspectRepository, id.0, known.id, Priority::Push, now, "changed unnoticed")
        };
        let jobs: Vec<NewJob> = look.into_iter().map(job).collect();
        ctx.store.enqueue(&jobs, now).await?;
    }
    Ok(())
}

/// What people decided and answered in the lead organization's control
/// repository.
#[derive(Debug, Clone, Default)]
pub struct Said {
    exempt: HashMap<RepositoryId, Exempt>,
    answers: HashMap<RepositoryId, Record>,
}

impl Said {
    /// What is in force on a day for the repositories of an agency's accounts.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(
        store: &Store,
        lead: AccountId,
        ours: &[AccountId],
        day: Date,
    ) -> Result<Said, StoreError> {
        let register = store.exemptions(lead, ours).await?;
        let one = |exemption: &Exemption| Exempt {
            usage: exemption.usage,
            reason: exemption.reason.clone(),
            basis: exemption.basis.clone(),
        };
        let exempt = register.in_force(day).map(|exemption| (exemption.id, one(exemption))).collect();
        let answers = store.answers(lead).await?.into_iter();
        let answers = answers.filter_map(|answer| Some((answer.repository, answer.said.ok()?))).collect();
        Ok(Said { exempt, answers })
    }
}

/// A repository as the inventory sees it.
#[must_use]
pub fn seen<'a>(
    account: AccountId,
    entry: &'a KnownEntry,
    said: &'a Said,
    ids: &'a HashMap<RepositoryId, Opaque>,
) -> Seen<'a> {
    Seen {
        id: entry.seen.id,
        account,
        name: &entry.seen.name,
        visibility: entry.seen.visibility,
        archived: entry.seen.archived,
        skipped: entry.skipped.as_deref(),
        unknown: entry.unknown.as_deref(),
        sources: entry.sources.as_ref(),
        changed_at: entry.changed_at,
        former_urls: &entry.former_urls,
        answers: said.answers.get(&entry.seen.id),
        exempt: said.exempt.get(&entry.seen.id),
        opaque: ids.get(&entry.seen.id),
    }
}

struct Assembled {
    assembly: Assembly,
    secrets: Secrets,
    ids: HashMap<RepositoryId, Opaque>,
    /// Which repositories carry which name, for the account inside.
    names: HashMap<RepositoryId, (RepositoryName, Visibility)>,
}

async fn assemble(
    ctx: &Context,
    agency: &Agency,
    policy: &Policy,
    organizations: &[Organization],
    said: &Said,
) -> Result<Assembled, JobError> {
    let now = ctx.clock.now();
    let mut entries: Vec<(AccountId, &KnownEntry)> = Vec::new();
    for one in organizations {
        entries.extend(one.entries.iter().map(|entry| (one.known.account, entry)));
    }
    let ids = opaque_ids(ctx, agency, policy, &entries).await?;
    let hidden = ctx.store.hidden_names().await?;
    let is_public = |entry: &KnownEntry| entry.seen.visibility == Visibility::Public;
    let public = entries.iter().filter(|(_, entry)| is_public(entry)).map(|(_, entry)| &entry.seen.name);
    let mut secrets = Secrets::new(&hidden, public, &policy.inventory.internal_hosts)
        .map_err(|error| JobError::Permanent(error.to_string()))?;
    secrets.allow_mailboxes(policy.agency.contact.email.as_deref().unwrap_or_default());
    for (_, entry) in entries.iter().filter(|(_, entry)| is_public(entry)) {
        let Some(sources) = &entry.sources else { continue };
        secrets.allow_mailboxes(sources.description.as_deref().unwrap_or_default());
        // What people answer of public code is meant for everybody.
        for record in [sources.record.as_ref(), said.answers.get(&entry.seen.id)].into_iter().flatten() {
            secrets.allow_mailboxes_of(record);
        }
    }
    let seen: Vec<Seen<'_>> =
        entries.iter().map(|(account, entry)| seen(*account, entry, said, &ids)).collect();
    let assembly = inventory::assemble(policy, &seen, &[], &secrets, now);
    let names = entries
        .iter()
        .map(|(_, entry)| (entry.seen.id, (entry.seen.name.clone(), entry.seen.visibility)))
        .collect();
    Ok(Assembled { assembly, secrets, ids, names })
}

/// The random ids of what is not public: redrawn where the visibility changed,
/// ended where it is public now (threats N3).
async fn opaque_ids(
    ctx: &Context,
    agency: &Agency,
    policy: &Policy,
    entries: &[(AccountId, &KnownEntry)],
) -> Result<HashMap<RepositoryId, Opaque>, JobError> {
    let mut ids = ctx.store.opaque_ids().await?;
    let redacts = match policy.inventory.private {
        Private::Omit => false,
        Private::Redact => true,
    };
    let now = ctx.clock.now();
    let mut first = true;
    for published in Published::ALL {
        first &= ctx.store.published_hash(&agency.slug(), published.file()).await?.is_none();
    }
    let (mut ended, mut drawn) = (Vec::new(), Vec::new());
    for (_, entry) in entries {
        let (id, visibility) = (entry.seen.id, entry.seen.visibility);
        let known = ids.get(&id);
        if known.is_some_and(|known| known.visibility != visibility) {
            ended.push(id);
        }
        let is_current = known.is_some_and(|known| known.visibility == visibility);
        if redacts && visibility != Visibility::Public && !is_current {
            let opaque = Opaque::drawn(rand::random(), now, first);
            drawn.push((id, DrawnId { opaque, visibility }));
        }
    }
    if !ended.is_empty() || !drawn.is_empty() {
        ctx.store.draw_opaque(&ended, &drawn, now).await?;
        for id in ended {
            ids.remove(&id);
        }
        ids.extend(drawn);
    }
    Ok(ids.into_iter().map(|(id, drawn)| (id, drawn.opaque)).collect())
}

/// Publishes a file, and hands it on to be proposed; `None` if it is refused.
async fn publish<'f>(
    ctx: &Context,
    agency: &Agency,
    policy: &Policy,
    organizations: &[Organization],
    assembled: &Assembled,
    file: &'f File,
) -> Result<Option<propose::Ready<'f>>, JobError> {
    let now = ctx.clock.now();
    let (slug, name) = (agency.slug(), file.published.file());
    let before = ctx.store.publication(&slug, name).await?;
    let account = account_json(file, &assembled.assembly.problems, &assembled.names);
    let body = file.bytes();
    let not_whole = organizations.iter().filter(|one| !one.whole).count();
    if let Err(refusal) = judge(policy, &before, assembled, file, &body, not_whole, now) {
        let why = refusal.to_string();
        if before.refused.as_deref() != Some(&why) {
            tracing::warn!(agency = agency.acronym, file = name, %refusal, "the inventory is not published");
            note(ctx, "inventory_refused", json!({ "agency": agency.acronym, "file": name, "why": why }))
                .await?;
        }
        ctx.store.account_of((&slug, name), &account, Some(&why), now).await?;
        return Ok(None);
    }
    let ready = propose::Ready { file, body: body.clone(), proposed: before.proposed.clone() };
    let sha256 = hex(&Sha256::digest(&body));
    let unchanged = before.sha256.as_deref() == Some(&sha256)
        && before.refused.is_none()
        && before.account.as_deref() == Some(&account);
    if unchanged {
        return Ok(Some(ready));
    }
    let substance = hex(&file.substance());
    let listed = told::listed_json(file);
    let body = String::from_utf8_lossy(&body);
    let restricted = file.listed().filter_map(|subject| match subject {
        Subject::Repository(id) => assembled.ids.get(id).map(|opaque| opaque.id.clone()),
        Subject::Imported { .. } => None,
    });
    let restricted: Vec<String> = restricted.collect();
    let new = NewPublication {
        agency: &slug,
        file: name,
        body: &body,
        sha256: &sha256,
        substance: &substance,
        listed: &listed,
        policy_digest: &policy.digest(),
        account: &account,
        ids: &restricted,
    };
    if before.sha256.as_deref() == Some(&sha256) {
        ctx.store.account_of((&slug, name), &account, None, now).await?;
        return Ok(Some(ready));
    }
    ctx.store.publish(&new, now).await?;
    let totals = file.account.totals();
    tracing::info!(
        agency = agency.acronym,
        file = name,
        entries = totals.entries,
        "the inventory is published"
    );
    if before.substance.as_deref() != Some(&substance) {
        let detail =
            json!({ "agency": agency.acronym, "file": name, "sha256": sha256, "entries": totals.entries });
        note(ctx, "inventory_published", detail).await?;
    }
    Ok(Some(ready))
}

/// Whether the file may be published.
fn judge(
    policy: &Policy,
    before: &Publication,
    assembled: &Assembled,
    file: &File,
    body: &[u8],
    not_whole: usize,
    now: Timestamp,
) -> Result<(), Refusal> {
    if not_whole > 0 {
        return Err(Refusal::ListNotWhole { organizations: not_whole });
    }
    complete(policy)?;
    let known = before.listed.as_deref().map(|listed| Before {
        listed: told::listed(listed),
        policy_digest: before.policy_digest.clone().unwrap_or_default(),
    });
    guard::guard(file, known.as_ref(), &policy.digest())?;
    valid(file.published, body, now)?;
    assembled.secrets.look_through_file(body)?;
    Ok(())
}

/// Whether the policy says what every publication has to say.
///
/// # Errors
/// What is missing.
pub fn complete(policy: &Policy) -> Result<(), Refusal> {
    let agency = &policy.agency;
    let needed = [
        ("agency.acronym", agency.acronym.is_some()),
        ("agency.name", agency.name.is_some()),
        ("agency.contact.name", agency.contact.name.is_some()),
        ("agency.contact.email", agency.contact.email.is_some()),
    ];
    let keys: Vec<&'static str> = needed.iter().filter(|(_, there)| !there).map(|(key, _)| *key).collect();
    if keys.is_empty() { Ok(()) } else { Err(Refusal::NoAgency { keys }) }
}

/// Whether the bytes are valid by the schema they claim.
///
/// # Errors
/// How often they are not, and the first place.
pub fn valid(published: Published, body: &[u8], now: Timestamp) -> Result<(), Refusal> {
    let schema = match published {
        Published::AgencyIndex2 => schema::Published::AgencyIndex2,
        Published::Gsa2 => schema::Published::Gsa2,
    };
    let options = validate::Options {
        schema: Choice::Published(schema),
        today: Some(now.to_zoned(TimeZone::UTC).date()),
        ..validate::Options::default()
    };
    let report = validate::validate(body, &options);
    match report.violations {
        Some(0) => Ok(()),
        violations => {
            let first = report
                .problems
                .first()
                .map_or_else(String::new, |problem| format!("at {} ({})", problem.pointer, problem.check.id));
            Err(Refusal::Invalid { count: violations.unwrap_or(1), first })
        }
    }
}

async fn note(ctx: &Context, what: &'static str, detail: serde_json::Value) -> Result<(), JobError> {
    let entry = NewAudit {
        installation: None,
        repository: None,
        actor: None,
        what: what.to_owned(),
        detail: detail.to_string(),
    };
    Ok(ctx.store.note(&[entry], ctx.clock.now()).await?)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The key of a subject in what is stored.
fn key(subject: &Subject) -> String {
    match subject {
        Subject::Repository(id) => id.to_string(),
        Subject::Imported { key } => format!("import {key}"),
    }
}
