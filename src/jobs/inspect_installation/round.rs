//! A round: some repositories of an installation, read many a call, judged and
//! planned one by one.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    domain::{
        basis,
        digest::Office,
        marker::Identity,
        outstanding::{Declined, Remembered},
        plan::{Cause, Spent},
        policy::{CodeJsonFile, Policy},
        repository::{AccountId, InstallationId, Login, RepositoryId, Snapshot},
        rules,
    },
    github::{self, Ask, Found, Glance, Home, Many, Reader},
    jobs::{
        Act, Context, JobError, Target, adoption,
        inspect_repository::{
            Case, Inspection, consider, declines, history_of, known, our_names, spent, take_in,
        },
        policies,
    },
    store::{Installation, Judged, KnownFile, Memory},
};

/// One that could not be read is tried again after as long as it could not be
/// read already, within these bounds.
const AGAIN: (Duration, Duration) = (Duration::from_secs(10 * 60), Duration::from_secs(24 * 60 * 60));

/// What came of one repository of a round.
#[derive(Debug)]
pub struct Looked {
    /// Which.
    pub target: Target,
    /// When it was read.
    pub read_at: Timestamp,
    /// What came of it.
    pub look: Look,
}

/// What a look among many says.
#[derive(Debug)]
pub enum Look {
    /// It is judged, and there is nothing to do or to learn.
    Settled(Box<Settled>),
    /// It must be inspected by itself.
    Closer {
        /// How many issues and pull requests it seems to want.
        wants: u32,
    },
    /// It is gone, or out of reach.
    Gone,
    /// It could not be read; why.
    Unknown(String),
}

/// A repository that needs no closer look.
#[derive(Debug)]
pub struct Settled {
    /// What the judge says, and why nothing is to be done.
    pub inspection: Inspection,
    /// What is to be remembered.
    pub judged: Judged,
}

/// Some repositories of an installation.
pub struct Round<'a> {
    ctx: &'a Context,
    installation: InstallationId,
    account: AccountId,
    cause: Cause,
    act: Act,
    reader: Reader,
    identity: Identity,
    /// Whether the ledger may not hold all that is ours.
    adopting: bool,
    memories: HashMap<RepositoryId, Memory>,
    rows: HashMap<RepositoryId, Vec<Remembered>>,
    decided: HashSet<RepositoryId>,
    /// Those whose digest is not what it is to be.
    digests: Vec<RepositoryId>,
    /// What is known of their own files, once the policy asks for these.
    own_files: Option<HashMap<RepositoryId, KnownFile>>,
    owner: Login,
    left: BTreeMap<RepositoryId, Ask>,
    many: Many,
    /// The last page's organization, and what it means.
    force: Option<(Arc<Home>, Force)>,
    /// What was created, and what this round's plans are about to create.
    spent: Option<Spent>,
}

/// What is in force for all repositories.
struct Force {
    policy: Arc<Policy>,
    common: String,
}

impl<'a> Round<'a> {
    /// Begins a round over repositories that were listed.
    ///
    /// # Errors
    /// GitHub's and the database's.
    pub async fn begin(
        ctx: &'a Context,
        known: &Installation,
        repositories: Vec<RepositoryId>,
        cause: Cause,
        act: Act,
    ) -> Result<Round<'a>, JobError> {
        let store = &ctx.store;
        let reader = ctx.github.reader(known.id);
        let memories = store.memories(known.id).await?;
        let rows = store.outstanding_of(known.id).await?;
        let ask = |id| {
            let seen = &memories.get(&id)?.seen;
            let known = rows.get(&id).map(|rows| self::known(rows)).unwrap_or_default();
            Some((id, Ask { id, node_id: seen.node_id.clone(), name: seen.name.clone(), known }))
        };
        let left: BTreeMap<RepositoryId, Ask> = repositories.into_iter().filter_map(ask).collect();
        // The name of the account as its repositories have it is the newest.
        let owner = match left.values().next() {
            Some(ask) => ask.name.owner().clone(),
            None => known.login.parse().map_err(|_| JobError::Permanent("no valid login".to_owned()))?,
        };
        let guess = policies::last_good(ctx, &store.policy(known.account).await?);
        let many = reader.many(owner.clone(), left.values().cloned(), our_names(&guess), &rules::wanted);
        Ok(Round {
            ctx,
            installation: known.id,
            account: known.account,
            cause,
            act,
            identity: ctx.identity(&reader).await?,
            adopting: act == Act::Apply && adoption::is_open(ctx, known.account).await?,
            reader,
            decided: store.decided(known.id).await?,
            digests: store.digests_waiting(known.id).await?,
            own_files: None,
            memories,
            rows,
            owner,
            left,
            many,
            force: None,
            spent: None,
        })
    }

    /// Those of which nothing was told yet.
    pub fn left(&self) -> impl Iterator<Item = RepositoryId> {
        self.left.keys().copied()
    }

    /// Digest of what is in force for all, once something was read.
    #[must_use]
    pub fn common(&self) -> Option<&str> {
        self.force.as_ref().map(|(_, force)| force.common.as_str())
    }

    /// When to try again to read a repository that could not be read.
    #[must_use]
    pub fn again(&self, id: RepositoryId, now: Timestamp) -> Timestamp {
        let since = self.memories.get(&id).and_then(|memory| memory.unknown_since).unwrap_or(now);
        let unknown_for = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        now + unknown_for.clamp(AGAIN.0, AGAIN.1)
    }

    /// What came of the next few; `None` when all have been told.
    ///
    /// # Errors
    /// GitHub's where they are about all, and the database's.
    pub async fn next(&mut self) -> Result<Option<Vec<Looked>>, JobError> {
        let Some(found) = self.many.next().await? else { return Ok(None) };
        let mut looked = Vec::with_capacity(found.len());
        let mut refreshed = false;
        for Found { id, read_at, home, outcome } in found {
            let look = match outcome {
                Ok(glance) => {
                    if self.looks_elsewhere(&home).await? {
                        return Ok(Some(looked));
                    }
                    if !refreshed || self.spent.is_none() {
                        self.refresh_spent().await?;
                        refreshed = true;
                    }
                    self.consider(&home, glance, read_at).await?
                }
                Err(github::Error::NotFound(_)) => Look::Gone,
                Err(error) => Look::Unknown(error.to_string()),
            };
            if let Some(ask) = self.left.remove(&id) {
                looked.push(Looked { target: self.target(ask), read_at, look });
            }
        }
        Ok(Some(looked))
    }

    fn target(&self, ask: Ask) -> Target {
        Target { repository: ask.id, name: ask.name, installation: self.installation, account: self.account }
    }

    /// Takes in what the organization has in force; `true` if that names other
    /// branches or another label than were looked for, and all that is left
    /// will be read again.
    async fn looks_elsewhere(&mut self, home: &Arc<Home>) -> Result<bool, JobError> {
        if let Some((seen, _)) = self.force.as_mut().filter(|(seen, _)| seen == home) {
            *seen = Arc::clone(home);
            return Ok(false);
        }
        let ctx = self.ctx;
        let remembered = ctx.store.policy(self.account).await?;
        let account = (self.account, &self.owner);
        let before = match &self.force {
            Some((_, force)) => our_names(&force.policy),
            None => our_names(&policies::last_good(ctx, &remembered)),
        };
        let policy =
            policies::in_force(ctx, &self.reader, account, remembered, &home.policy, self.act).await?;
        let (names, common) = (our_names(&policy), basis::common(&policy, &home.inherited));
        if self.force.as_ref().is_none_or(|(_, force)| force.common != common) {
            self.spent = None;
        }
        self.force = Some((Arc::clone(home), Force { policy: Arc::new(policy), common }));
        if names == before {
            return Ok(false);
        }
        self.many = self.reader.many(self.owner.clone(), self.left.values().cloned(), names, &rules::wanted);
        Ok(true)
    }

    /// What was created by now, and at least what this round counted on.
    async fn refresh_spent(&mut self) -> Result<(), JobError> {
        let Some((_, force)) = &self.force else { return Ok(()) };
        let now = spent(self.ctx, self.account, &force.common, self.act).await?;
        self.spent = Some(match self.spent {
            None => now,
            Some(counted) => counted.or_more(now),
        });
        Ok(())
    }

    async fn consider(&mut self, home: &Home, glance: Glance, read_at: Timestamp) -> Result<Look, JobError> {
        let id = glance.repository.id;
        let declined = if self.decided.contains(&id) { declines(self.ctx, id).await? } else { Vec::new() };
        let known_file = self.known_file(id).await?;
        let now = self.ctx.clock.now();
        // One repository on which Muster itself fails must not stop the others.
        match catch_unwind(AssertUnwindSafe(|| self.look(home, glance, &declined, known_file, read_at, now)))
        {
            Ok(look) => look,
            Err(_) => Ok(Look::Unknown("Muster failed on it: please report this".to_owned())),
        }
    }

    /// What is known of a repository's own file; nothing where the policy does
    /// not ask for one.
    async fn known_file(&mut self, id: RepositoryId) -> Result<KnownFile, JobError> {
        match self.force.as_ref().map(|(_, force)| force.policy.rules.code_json.file) {
            Some(CodeJsonFile::Required) => {}
            Some(CodeJsonFile::Optional | CodeJsonFile::Off) | None => return Ok(KnownFile::default()),
        }
        if self.own_files.is_none() {
            self.own_files = Some(self.ctx.store.own_files(self.account, self.installation).await?);
        }
        Ok(self.own_files.as_mut().and_then(|known| known.remove(&id)).unwrap_or_default())
    }

    fn look(
        &mut self,
        home: &Home,
        glance: Glance,
        declined: &[Declined],
        known_file: KnownFile,
        read_at: Timestamp,
        now: Timestamp,
    ) -> Result<Look, JobError> {
        let (Some((_, force)), Some(spent)) = (&self.force, &mut self.spent) else {
            return Ok(Look::Unknown("the organization was not read".to_owned()));
        };
        let Glance { mut repository, files, observed, traces } = glance;
        let said = take_in(known_file, &mut repository);
        let snapshot = Snapshot { repository, files, inherited: home.inherited.clone() };
        let id = snapshot.repository.id;
        let nothing = Vec::new();
        let memory = self.memories.get(&id);
        let history = history_of(
            memory.and_then(|memory| memory.arrived_at),
            memory.and_then(|memory| memory.evaluations.clone()),
        );
        let case = Case {
            snapshot: &snapshot,
            observed: &observed,
            rows: self.rows.get(&id).unwrap_or(&nothing),
            declined,
            held: &[],
            refused: &[],
            hold: None,
            history: &history,
            spent: *spent,
            cause: self.cause,
            identity: &self.identity,
            said: &said,
            office: Office::Unread,
            policy: &force.policy,
        };
        let considered = consider(&case, now);
        let unreadable = memory.is_some_and(|memory| memory.unreadable);
        // Somebody may have taken the label off our issue, hardly out of the
        // repository.
        let unlabelled = self.adopting && observed.label_exists && case.rows.is_empty();
        let digest = self.digests.contains(&id);
        if unreadable || unlabelled || digest || considered.needs_a_closer_look(&case, &traces) {
            spent.add(&considered.plan, now);
            return Ok(Look::Closer { wants: considered.plan.wants });
        }
        let target = Target {
            repository: id,
            name: snapshot.repository.name.clone(),
            installation: self.installation,
            account: self.account,
        };
        let judged = considered.judged(&case, &target, read_at, (0, 0))?;
        let (report, plan) = (considered.report, considered.plan);
        let repository = snapshot.repository;
        let (done, sources, policy) = (Vec::new(), judged.entry.clone(), Arc::clone(&force.policy));
        let inspection = Inspection { repository, report, plan, done, opened: 0, sources, policy };
        Ok(Look::Settled(Box::new(Settled { inspection, judged })))
    }
}
