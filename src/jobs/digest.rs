//! The digest issue: what needs an organization's open source office, gathered
//! from the database alone (etiquette 4.1).
//!
//! Promises: (1) to learn that nothing has changed costs no call; (2) it is
//! written by the inspection of the control repository, as all else is; (3) a
//! repository that is no control repository any more loses its digest; (4) no
//! repository of another agency is told of (threats T5).

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use super::{Act, Context, JobError, Target, exemptions, policies};
use crate::{
    domain::{
        digest::{Account, Digest, Need, Office, Told, What, report_due},
        exemptions::{Entry, Standing},
        inventory::Agency,
        plan::FOR_AN_HOUR,
        policy::Policy,
        repository::{Login, Repository, RepositoryName, Visibility},
        rollout::FREE,
    },
    store::{Installation, JobKind, KeptFile, KnownDigest, NewJob, Priority, SeenRepository},
};

/// So long before its end an exemption is told of (etiquette 4.6).
const NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// What the digest of a repository says that is to have none.
const NONE: &str = "none";
/// How many items that cannot be read are told of.
const MOST: u32 = 100;

/// What is known of the digest of one repository.
pub(super) enum Found {
    Unread,
    Elsewhere,
    Here {
        digest: Digest,
        /// When something first needed the office, of what needs it now.
        since: Option<Timestamp>,
    },
}

impl Found {
    pub(super) fn office(&self) -> Office<'_> {
        match self {
            Found::Unread => Office::Unread,
            Found::Elsewhere => Office::Elsewhere,
            Found::Here { digest, since } => Office::Here(digest, *since),
        }
    }

    /// Names what it is to say.
    fn named(&self) -> Option<String> {
        match self {
            Found::Unread => None,
            Found::Elsewhere => Some(NONE.to_owned()),
            Found::Here { digest, .. } => Some(digest.named().0),
        }
    }

    /// Notes that the digest of a repository is as it is to be.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn is_said(&self, ctx: &Context, target: &Target) -> Result<(), JobError> {
        let known = ctx.store.digest(target.repository).await?;
        if let (Some(named), Some(known)) = (self.named(), known)
            && known.said.as_ref() != Some(&named)
        {
            ctx.store.digest_says(target.repository, &named).await?;
        }
        Ok(())
    }
}

/// The digest that belongs into a repository as it was just read.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn of_repository(
    ctx: &Context,
    target: &Target,
    read: &Repository,
    policy: &Policy,
    act: Act,
) -> Result<Found, JobError> {
    let name = &read.name;
    let is_named = |control: &RepositoryName| {
        control.owner().same_as(name.owner()) && control.name().eq_ignore_ascii_case(name.name())
    };
    // Of nearly all repositories this is all that is asked.
    let candidate = exemptions::is_usual(name)
        || policy.control.as_ref().is_some_and(is_named)
        || ctx.store.digest(target.repository).await?.is_some();
    if !candidate {
        return Ok(Found::Unread);
    }
    let seen = SeenRepository {
        id: read.id,
        node_id: read.node_id.clone(),
        installation: target.installation,
        name: name.clone(),
        visibility: read.visibility,
        archived: read.archived,
    };
    find(ctx, &seen, act).await
}

/// Looks whether the digests that an organization's affairs are told in say
/// what they are to say, and has written what does not.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn look(ctx: &Context, known: &Installation) -> Result<(), JobError> {
    let (store, now) = (&ctx.store, ctx.clock.now());
    let mut repositories: Vec<SeenRepository> = control(ctx, known).await?.into_iter().collect();
    for id in store.digests_of(known.id).await? {
        if !repositories.iter().any(|seen| seen.id == id) {
            repositories.extend(store.repository(id).await?.map(|found| found.seen));
        }
    }
    for seen in repositories {
        find(ctx, &seen, Act::Apply).await?;
        let Some(digest) = store.digest(seen.id).await?.filter(KnownDigest::waits) else { continue };
        // What comes and goes within an hour opens none.
        let begins = digest.since.filter(|_| digest.said.is_none()).map(|since| since + FOR_AN_HOUR);
        let at = begins.map_or(now, |begins| begins.max(now));
        let kind = JobKind::InspectRepository;
        let job = NewJob::new(kind, seen.id.0, seen.installation, Priority::Sweep, at, "digest");
        store.enqueue(&[job], now).await?;
    }
    Ok(())
}

/// The same for the organization that leads an agency.
///
/// # Errors
/// GitHub's and the database's.
pub(super) async fn look_for(ctx: &Context, agency: &Agency) -> Result<(), JobError> {
    match super::publish_inventory::lead(ctx, agency).await? {
        Some(lead) => look(ctx, &lead).await,
        None => Ok(()),
    }
}

/// The digest that belongs into a repository; what it is to say is remembered,
/// if it ever had anything to say.
async fn find(ctx: &Context, seen: &SeenRepository, act: Act) -> Result<Found, JobError> {
    let (store, now) = (&ctx.store, ctx.clock.now());
    let (owner, today) = (seen.name.owner(), now.to_zoned(TimeZone::UTC).date());
    let agency = ctx.settings.agencies.iter().find(|agency| agency.has(owner));
    let mut accounts = Vec::new();
    for known in store.installations().await? {
        let Ok(login) = known.login.parse::<Login>() else { continue };
        let near = login.same_as(owner) || agency.is_some_and(|agency| agency.has(&login));
        if !near || known.suspended_at.is_some() || ctx.installation(known.id).await?.is_none() {
            continue;
        }
        if control(ctx, &known).await?.is_some_and(|control| control.id == seen.id) {
            let needs = needs(ctx, &known, today).await?;
            accounts.push(Account { login: known.login, needs });
        }
    }
    let before = store.digest(seen.id).await?;
    if accounts.is_empty() {
        if act == Act::Apply && before.is_some_and(|before| before.wanted != NONE) {
            store.want_digest(seen.id, NONE, None).await?;
        }
        return Ok(Found::Elsewhere);
    }
    let digest = Digest::of(seen.visibility, today, accounts);
    let since = (!digest.is_empty()).then_some(now);
    let (named, known) = (digest.named().0, before.as_ref());
    let is_news = match known {
        None => since.is_some(),
        Some(before) => before.wanted != named || before.since.is_some() != since.is_some(),
    };
    if is_news && act == Act::Apply {
        store.want_digest(seen.id, &named, since).await?;
    }
    let since = since.map(|now| known.and_then(|before| before.since).unwrap_or(now));
    Ok(Found::Here { digest, since })
}

/// The repository in which an organization's digest stands: its control
/// repository, once it has a policy, good or bad. One of another agency is none.
async fn control(ctx: &Context, known: &Installation) -> Result<Option<SeenRepository>, JobError> {
    let remembered = ctx.store.policy(known.account).await?;
    let Ok(login) = known.login.parse::<Login>() else { return Ok(None) };
    // Where there is no policy, nobody has asked for anything.
    if remembered.taken.is_none() && remembered.refused.is_none() && ctx.settings.policy.is_none() {
        return Ok(None);
    }
    let agency = ctx.settings.agencies.iter().find(|agency| agency.has(&login));
    let near = |owner: &Login| owner.same_as(&login) || agency.is_some_and(|agency| agency.has(owner));
    let named = policies::last_good(ctx, &remembered).control;
    for name in exemptions::places(known, named.as_ref())?.iter().filter(|name| near(name.owner())) {
        if let Some(found) = ctx.store.find_repository(name).await? {
            return Ok(Some(found.seen));
        }
    }
    Ok(None)
}

/// What needs an organization's office, the most pressing first.
async fn needs(ctx: &Context, known: &Installation, today: Date) -> Result<Vec<Need>, JobError> {
    let store = &ctx.store;
    let remembered = store.policy(known.account).await?;
    let policy = policies::last_good(ctx, &remembered);
    let login: Login = known.login.parse().map_err(|_| JobError::Permanent("no valid login".to_owned()))?;
    let led = ctx.settings.agencies.iter().find(|agency| agency.lead.same_as(&login));
    let mut needs = Vec::new();
    let mut need = |what, told: Vec<Told>| needs.push(Need { what, told });
    if let Some(agency) = led {
        inventory(ctx, known, agency, &policy, &mut need).await?;
    }
    if remembered.refused.is_some() && ctx.settings.policy.is_none() {
        need(What::PolicyRefused, Vec::new());
    }
    let lacking = store.lacking(known.id).await?;
    if !lacking.is_empty() {
        need(What::Permissions, lacking.into_iter().map(Told::to_all).collect());
    }
    if let Some(sweep) = store.sweep(known.id).await? {
        let rollout = store.rollout(known.account, &sweep.common).await?;
        let wanted = rollout.wanted.filter(|wanted| *wanted > FREE && rollout.limited());
        if let Some(wanted) = wanted {
            need(What::Approval, vec![Told::to_all(wanted.to_string())]);
        }
    }
    register(ctx, known, led.is_some(), today, &mut need).await?;
    let publicized = store.publicized(known.id).await?;
    if !publicized.is_empty() {
        let told = publicized.into_iter().map(|one| Told::to_all(one.name.to_string()));
        need(What::MadePublic, told.collect());
    }
    let unreadable = store.unreadable(MOST).await?;
    let ours = unreadable.into_iter().filter(|item| item.repository.owner().same_as(&login));
    let told: Vec<Told> = ours
        .map(|item| Told {
            name: format!("{}#{}", item.repository, item.number),
            more: None,
            seen_by: item.visibility,
        })
        .collect();
    if !told.is_empty() {
        need(What::Unreadable, told);
    }
    Ok(needs)
}

/// What stands in the way of the inventory.
async fn inventory(
    ctx: &Context,
    lead: &Installation,
    agency: &Agency,
    policy: &Policy,
    need: &mut impl FnMut(What, Vec<Told>),
) -> Result<(), JobError> {
    let slug = agency.slug();
    let mut refused = Vec::new();
    for published in &policy.inventory.publish {
        let file = published.file();
        if let Some(why) = ctx.store.publication(&slug, file).await?.refused {
            refused.push(Told { more: Some(why), ..Told::to_all(file) });
        }
    }
    if !refused.is_empty() {
        need(What::InventoryRefused, refused);
    }
    if let Some(kept) = ctx.store.keeping(&slug).await?
        && let Some(why) = kept.hindrance
    {
        let name = kept.repository.parse::<RepositoryName>().ok();
        let found = match &name {
            Some(name) => ctx.store.find_repository(name).await?,
            None => None,
        };
        let seen_by = found.map_or(Visibility::Private, |found| found.seen.visibility);
        need(What::NotKept, vec![Told { name: kept.repository, more: Some(why), seen_by }]);
    }
    let edited = ctx.store.kept(&slug).await?.into_iter();
    let edited = edited.filter(KeptFile::is_edited);
    let edited: Vec<Told> = edited.map(|file| Told::to_all(file.file)).collect();
    if !edited.is_empty() {
        need(What::Edited, edited);
    }
    if ctx.store.import(lead.account).await?.is_some_and(|import| import.problem.is_some()) {
        need(What::ImportRefused, Vec::new());
    }
    let verified = ctx.store.verifications(&slug).await?;
    let differs = verified.into_iter().filter(|found| found.differs.is_some());
    let differs: Vec<Told> = differs.map(|found| Told::to_all(found.file)).collect();
    if !differs.is_empty() {
        need(What::NotAsPublished, differs);
    }
    Ok(())
}

/// What the register of exemptions asks for.
async fn register(
    ctx: &Context,
    known: &Installation,
    leads: bool,
    today: Date,
    need: &mut impl FnMut(What, Vec<Told>),
) -> Result<(), JobError> {
    // That of an organization which another one leads says nothing.
    let Some(ours) = exemptions::scope(ctx, known).await? else { return Ok(()) };
    let register = ctx.store.exemptions(known.account, &ours).await?;
    if register.refused.is_some() {
        need(What::RegisterRefused, Vec::new());
    }
    if let Some(year) = report_due(today)
        && (leads || register.register.is_some())
    {
        need(What::ReportDue(year), Vec::new());
    }
    let (mut requested, mut unconfirmed, mut ending) = (Vec::new(), Vec::new(), Vec::new());
    for entry in &register.entries {
        let ends = entry.ends();
        let (list, more) = match entry.standing(today) {
            Standing::Requested => (&mut requested, None),
            Standing::Void | Standing::Unverified => (&mut unconfirmed, entry.doubt().map(str::to_owned)),
            Standing::Expired => (&mut ending, ends.map(|day| day.to_string())),
            Standing::Granted if ends.is_some_and(|day| day <= today.saturating_add(NOTICE)) => {
                (&mut ending, ends.map(|day| day.to_string()))
            }
            Standing::Granted | Standing::NotYet | Standing::Denied => continue,
        };
        list.push(told(ctx, entry, more).await?);
    }
    for (what, list) in
        [(What::Requested, requested), (What::Unconfirmed, unconfirmed), (What::Ending, ending)]
    {
        if !list.is_empty() {
            need(what, list);
        }
    }
    Ok(())
}

/// The repository of an exemption, by its number and, if it is known, its name.
async fn told(ctx: &Context, entry: &Entry, more: Option<String>) -> Result<Told, JobError> {
    let id = entry.exemption.id;
    let found = ctx.store.repository(id).await?;
    Ok(match found {
        Some(found) => {
            Told { name: format!("{} ({id})", found.seen.name), more, seen_by: found.seen.visibility }
        }
        None => Told { name: id.to_string(), more, seen_by: Visibility::Private },
    })
}
