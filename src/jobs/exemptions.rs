//! The register of exemptions of an account: read, its approvals verified, and
//! kept (threats T6, T8).
//!
//! Promises: (1) an entry whose approval was seen is not asked about again
//! while it stays as it is; (2) one whose approval cannot be seen is kept as
//! unverified, with the reason, and looked at again every night; (3) a register
//! that has an error, or cannot be reached, takes no exemption away; (4) people's
//! rights are read live, and only of those who could have approved.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Context, JobError, Next, answers, digest, imports, policies, publish_inventory};
use crate::{
    domain::{
        exemptions::{
            Entry, Exemption, PATH, Place, Register, Trust,
            verify::{self, Change, Read, Right},
        },
        repository::{AccountId, Inherited, InstallationId, Login, RepositoryId, RepositoryName, Visibility},
    },
    github::{self, Control, ControlFile, Home, Reader, Role},
    store::{Exemptions, Installation, JobKind, NewJob, Priority, RegisterRefusal, TakenRegister},
};

/// How many changes of the register one call brings.
const PAGE: u32 = 10;
/// How many of them are looked through for the one that brought an entry.
const MOST_CHANGES: usize = 100;
/// The folder of people's answers.
const RECORDS: &str = "records";
/// The control repositories of an organization whose policy names none.
pub(super) const USUAL: [&str; 2] = [".github-private", ".github"];

/// The job that reads the register of an installation's account.
pub(super) fn job(installation: InstallationId, now: Timestamp, cause: impl Into<String>) -> NewJob {
    let kind = JobKind::ReadExemptions;
    NewJob::new(kind, installation.0, installation, Priority::Policy, now, cause)
}

/// Whether a repository of this name is a usual place for the register.
pub(super) fn is_usual(name: &RepositoryName) -> bool {
    USUAL.iter().any(|usual| name.name().eq_ignore_ascii_case(usual))
}

/// Whether there may be a register to read: one is known, or a place where it
/// could stand. Asked every night, so it costs no call.
///
/// # Errors
/// The database's.
pub(super) async fn wanted(ctx: &Context, known: &Installation, home: &Home) -> Result<bool, JobError> {
    if let Inherited::Files { files, .. } = &home.inherited
        && (files.entry(PATH).is_some() || files.entry(RECORDS).is_some())
    {
        return Ok(true);
    }
    let policy = policies::last_good(ctx, &ctx.store.policy(known.account).await?);
    Ok(policy.control.is_some()
        || policy.inventory.import.is_some()
        || ctx.store.import(known.account).await?.is_some()
        || ctx.store.registers().await?.contains(&known.account)
        || ctx.store.has_repository(known.id, USUAL[0]).await?)
}

/// Where the register is.
enum Found {
    /// In this repository.
    There(Reader, Box<Control>),
    /// There is none.
    Nowhere,
    /// Nobody can tell; why.
    OutOfReach(String),
}

/// The job.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn run(ctx: &Context, installation: InstallationId) -> Result<Next, JobError> {
    let Some(known) = ctx.installation(installation).await? else { return Ok(Next::Asked) };
    let Some(ours) = scope(ctx, &known).await? else { return Ok(Next::Asked) };
    let before = ctx.store.exemptions(known.account, &ours).await?;
    let policy = policies::last_good(ctx, &ctx.store.policy(known.account).await?);
    match find(ctx, &known, policy.control.as_ref(), &before).await? {
        Found::OutOfReach(why) => refuse(ctx, &known, &before, None, why).await?,
        Found::Nowhere if before == Exemptions::default() => {}
        Found::Nowhere => keep(ctx, (&known, &ours), None).await?,
        Found::There(reader, control) => read(ctx, (&known, &ours), &reader, *control, &before).await?,
    }
    answers::run(ctx, &known, policy.control.as_ref()).await?;
    if let Some(job) = imports::of_lead(ctx, &known).await? {
        ctx.store.enqueue(&[job], ctx.clock.now()).await?;
    }
    digest::look(ctx, &known).await?;
    Ok(Next::Asked)
}

/// The accounts whose repositories the register of this one may exempt: nothing
/// crosses an agency, and its lead speaks for it (threats T5). `None` of an
/// organization that another one leads: its own register says nothing.
pub(super) async fn scope(ctx: &Context, known: &Installation) -> Result<Option<Vec<AccountId>>, JobError> {
    let Ok(login) = known.login.parse::<Login>() else { return Ok(None) };
    let Some(agency) = ctx.settings.agencies.iter().find(|agency| agency.has(&login)) else {
        return Ok(Some(vec![known.account]));
    };
    if !agency.lead.same_as(&login) {
        return Ok(None);
    }
    let of_agency = |other: &Installation| other.login.parse().is_ok_and(|login| agency.has(&login));
    let all = ctx.store.installations().await?;
    Ok(Some(all.iter().filter(|other| of_agency(other)).map(|other| other.account).collect()))
}

async fn find(
    ctx: &Context,
    known: &Installation,
    control: Option<&RepositoryName>,
    before: &Exemptions,
) -> Result<Found, JobError> {
    if let Some(name) = control {
        return named(ctx, known, name).await;
    }
    let owner: Login = known.login.parse().map_err(|_| JobError::Permanent("no valid login".to_owned()))?;
    let reader = ctx.github.reader(known.id);
    let mut seen: Vec<RepositoryId> = Vec::new();
    for usual in USUAL {
        let name = RepositoryName::new(owner.clone(), usual)
            .map_err(|error| JobError::Permanent(error.to_string()))?;
        match reader.control(&name, PATH, PAGE, None).await {
            Ok(control) if control.file == ControlFile::Absent => seen.push(control.id),
            Ok(control) => return Ok(Found::There(reader, Box::new(control))),
            Err(github::Error::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // A repository that cannot be seen is not one without a register.
    match &before.register {
        Some(register) if !seen.contains(&register.repository) => Ok(Found::OutOfReach(
            "the repository that held the register cannot be seen: install the App on it, or put the \
             register into another"
                .to_owned(),
        )),
        Some(_) | None => Ok(Found::Nowhere),
    }
}

/// The register in the repository that the policy names.
async fn named(ctx: &Context, known: &Installation, name: &RepositoryName) -> Result<Found, JobError> {
    let Some(reader) = reader_of(ctx, known, name).await? else {
        return Ok(Found::OutOfReach(format!(
            "control names {name}, whose owner Muster does not serve: name a repository of an organization of \
             yours"
        )));
    };
    match reader.control(name, PATH, PAGE, None).await {
        Ok(control) if control.file == ControlFile::Absent => Ok(Found::Nowhere),
        Ok(control) => Ok(Found::There(reader, Box::new(control))),
        Err(github::Error::NotFound(_)) => Ok(Found::OutOfReach(format!(
            "control names {name}, which Muster cannot see: correct the name, or install the App on it"
        ))),
        Err(error) => Err(error.into()),
    }
}

/// The control repository that the policy names, or else the usual ones.
pub(super) fn places(
    known: &Installation,
    control: Option<&RepositoryName>,
) -> Result<Vec<RepositoryName>, JobError> {
    if let Some(name) = control {
        return Ok(vec![name.clone()]);
    }
    let owner: Login = known.login.parse().map_err(|_| JobError::Permanent("no valid login".to_owned()))?;
    let usual = |name| RepositoryName::new(owner.clone(), name).ok();
    Ok(USUAL.into_iter().filter_map(usual).collect())
}

/// Who reads a control repository: the installation of its owner, if that is
/// served.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn reader_of(
    ctx: &Context,
    known: &Installation,
    name: &RepositoryName,
) -> Result<Option<Reader>, JobError> {
    let is_owner = |login: &str| login.parse().is_ok_and(|login: Login| login.same_as(name.owner()));
    let installation = if is_owner(&known.login) {
        Some(known.id)
    } else {
        let found = ctx.store.installations().await?.into_iter().find(|other| is_owner(&other.login));
        match found {
            Some(other) => ctx.installation(other.id).await?.map(|other| other.id),
            None => None,
        }
    };
    Ok(installation.map(|installation| ctx.github.reader(installation)))
}

/// Reads the register and keeps it, or why not.
async fn read(
    ctx: &Context,
    (known, ours): (&Installation, &[AccountId]),
    reader: &Reader,
    control: Control,
    before: &Exemptions,
) -> Result<(), JobError> {
    let oid = control.file.oid().map(ToString::to_string);
    let ControlFile::Text { text, .. } = &control.file else {
        return refuse(ctx, known, before, oid, format!("{PATH} is no text, or too large")).await;
    };
    let place = place(ctx, control.visibility).await?;
    let register = match Register::parse(text, &place) {
        Ok(register) => register,
        Err(problems) => {
            let why: Vec<String> = problems.iter().map(ToString::to_string).collect();
            return refuse(ctx, known, before, oid, why.join("\n")).await;
        }
    };
    let entries = verified(reader, &control, &register.exemptions, before).await?;
    let now = ctx.clock.now();
    let taken = TakenRegister {
        repository: control.id,
        head: control.head.map(|head| head.to_string()).unwrap_or_default(),
        oid: oid.unwrap_or_default(),
        annex: register.annex,
        read_at: now,
    };
    keep(ctx, (known, ours), Some((&taken, &entries))).await
}

/// Who sees the register, and which names must not stand in it.
async fn place(ctx: &Context, visibility: Visibility) -> Result<Place, JobError> {
    if visibility == Visibility::Private {
        return Ok(Place::private());
    }
    let mut all = Vec::new();
    for known in ctx.store.installations().await? {
        let repositories = ctx.store.repositories(known.id).await?;
        all.extend(repositories.into_iter().map(|row| (row.seen.name, row.seen.visibility)));
    }
    Ok(Place::among(visibility, all.iter().map(|(name, visibility)| (name, *visibility))))
}

/// The entries, each with what is known of its approval.
async fn verified(
    reader: &Reader,
    control: &Control,
    exemptions: &[Exemption],
    before: &Exemptions,
) -> Result<Vec<Entry>, JobError> {
    let is_new =
        |exemption: &&Exemption| exemption.applies().is_some() && before.proof(&exemption.digest()).is_none();
    let new: Vec<&Exemption> = exemptions.iter().filter(is_new).collect();
    let changes = changes(reader, control, &new).await?;
    let read: Vec<Read<'_>> = changes.iter().map(Read::of).collect();
    let origins: BTreeMap<RepositoryId, _> =
        new.iter().map(|exemption| (exemption.id, verify::origin(exemption, &read))).collect();
    let brought = origins.values().filter_map(|origin| origin.as_ref().ok().copied().flatten());
    let rights = rights(reader, &control.name, brought).await?;
    let trust = |exemption: &Exemption| {
        exemption.applies()?;
        if let Some(proof) = before.proof(&exemption.digest()) {
            return Some(Trust::Verified(proof.clone()));
        }
        let proof = match origins.get(&exemption.id)? {
            Ok(Some(change)) => verify::approval(exemption, change, &rights),
            Ok(None) => Err(format!(
                "it came before the newest {MOST_CHANGES} changes, which are all that Muster reads: change the \
                 entry, as its reason, in a reviewed pull request"
            )),
            Err(why) => Err(why.clone()),
        };
        Some(proof.map_or_else(Trust::Unverified, Trust::Verified))
    };
    let entry = |exemption: &Exemption| Entry { exemption: exemption.clone(), trust: trust(exemption) };
    Ok(exemptions.iter().map(entry).collect())
}

/// The newest changes of the register, back to those that brought all of these.
async fn changes(reader: &Reader, control: &Control, new: &[&Exemption]) -> Result<Vec<Change>, JobError> {
    let (mut changes, mut older) = (control.changes.clone(), control.older.clone());
    while let Some(at) = older.take() {
        let read: Vec<Read<'_>> = changes.iter().map(Read::of).collect();
        let came_earlier = |exemption: &&&Exemption| verify::origin(exemption, &read) == Ok(None);
        if changes.len() >= MOST_CHANGES || new.iter().filter(came_earlier).count() == 0 {
            break;
        }
        let more = reader.control(&control.name, PATH, PAGE, Some(&at)).await?;
        if more.head != control.head {
            return Err(JobError::Changed);
        }
        changes.extend(more.changes);
        older = more.older;
    }
    Ok(changes)
}

/// What those who could have approved may do in the control repository now.
async fn rights<'c>(
    reader: &Reader,
    name: &RepositoryName,
    changes: impl Iterator<Item = &'c Change>,
) -> Result<BTreeMap<AccountId, Right>, JobError> {
    let mut rights = BTreeMap::new();
    for person in verify::people(changes) {
        let right = match person.login.parse::<Login>() {
            Err(_) => Right::Less,
            Ok(login) => match reader.permission(name, &login, person.id).await {
                Ok(Role::Admin | Role::Maintain) => Right::Maintain,
                Ok(Role::Write) => Right::Write,
                Ok(Role::Triage | Role::Read | Role::None) => Right::Less,
                // The login is somebody else's meanwhile.
                Err(github::Error::StaleData(_)) => Right::Less,
                Err(error) => return Err(error.into()),
            },
        };
        rights.insert(person.id, right);
    }
    Ok(rights)
}

async fn keep(
    ctx: &Context,
    (known, ours): (&Installation, &[AccountId]),
    register: Option<(&TakenRegister, &[Entry])>,
) -> Result<(), JobError> {
    let (now, account) = (ctx.clock.now(), (known.account, known.id));
    let events = ctx.store.take_register(account, ours, register, now).await?;
    if !events.is_empty()
        && let Some(job) = publish_inventory::of_organization(ctx, &known.login)
    {
        ctx.store.enqueue(&[job], now).await?;
    }
    let doubted =
        register.map_or(0, |(_, entries)| entries.iter().filter(|entry| entry.doubt().is_some()).count());
    if !events.is_empty() || doubted > 0 {
        tracing::info!(
            account = known.account.0,
            changed = events.len(),
            unverified = doubted,
            "the register of exemptions was read: see muster report exemptions"
        );
    }
    Ok(())
}

/// Notes why the register is not taken, unless that is known.
async fn refuse(
    ctx: &Context,
    known: &Installation,
    before: &Exemptions,
    oid: Option<String>,
    why: String,
) -> Result<(), JobError> {
    if before.refused.as_ref().is_some_and(|refused| refused.oid == oid && refused.why == why) {
        return Ok(());
    }
    // Why may quote the file, which may name repositories (threats N9).
    tracing::warn!(account = known.account.0, "the register of exemptions was not taken: see muster report");
    tracing::debug!(account = known.account.0, why, "why not");
    let refusal = RegisterRefusal { oid, why, refused_at: ctx.clock.now() };
    Ok(ctx.store.refuse_register(known.account, &refusal).await?)
}
