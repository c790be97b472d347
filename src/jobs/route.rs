//! Which jobs an event asks for: a pure table.
//!
//! Promises: (1) an event is a hint: every job looks at GitHub again, so a
//! doubled, reordered or replayed event does no harm, and a lost one only
//! delays until the sweep; (2) a push that touches nothing of ours costs no
//! job, whenever that can be told from the event; (3) what Muster did itself
//! wakes nobody, except the end of a pull request (etiquette 4.9); (4) unknown
//! events and actions ask for nothing; (5) what became of an installation is
//! never believed from an event: GitHub is asked, so that a replayed end of one
//! ends nothing (threats W4).

use jiff::Timestamp;

use super::{exemptions, read_installations};
use crate::{
    domain::{
        check,
        exemptions::PATH,
        own_file::questions,
        repository::{AccountId, ObjectId, RepositoryId},
    },
    github::webhook::{Event, Installation, Item, Repository},
    store::{Asked, CheckWish, HeadMoved, JobKind, NewJob, Priority, SaidAnswer},
};

/// The commits that a push names stop at this number (GitHub documentation,
/// "Webhook events and payloads", `push`).
const MOST_COMMITS: usize = 2048;

/// What must be known to tell whether an event matters.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The head of the repository's default branch when it was judged last.
    pub judged: Option<&'a ObjectId>,
    /// Our own bot account, once GitHub has told us.
    pub bot: Option<AccountId>,
    /// The prefix of our branches.
    pub branch_prefix: &'a str,
}

/// What an event is about, as far as Muster listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Matter {
    Push,
    Repository,
    Issue,
    PullRequest,
    /// The life of an installation.
    Installation,
    /// Which repositories it covers.
    Coverage,
    /// A check run, and nothing else.
    Check,
}

impl Matter {
    /// The matter of an event by its name and action.
    fn of(name: &str, action: &str) -> Option<Matter> {
        Some(match (name, action) {
            ("push", _) => Matter::Push,
            (
                "repository",
                "created" | "renamed" | "transferred" | "privatized" | "publicized" | "archived"
                | "unarchived" | "deleted" | "edited",
            )
            | ("public", _) => Matter::Repository,
            (
                "issues",
                "closed" | "reopened" | "deleted" | "transferred" | "edited" | "labeled" | "unlabeled"
                | "locked" | "unlocked",
            ) => Matter::Issue,
            (
                "pull_request",
                "closed" | "reopened" | "edited" | "labeled" | "unlabeled" | "locked" | "unlocked"
                | "synchronize",
            ) => Matter::PullRequest,
            (
                "installation",
                "created" | "deleted" | "suspend" | "unsuspend" | "new_permissions_accepted",
            )
            | ("installation_target", "renamed") => Matter::Installation,
            ("installation_repositories", "added" | "removed") => Matter::Coverage,
            ("pull_request", "opened") | ("check_run" | "check_suite", "rerequested") => Matter::Check,
            _ => return None,
        })
    }
}

/// Whether an event of this name and action may ask for anything: what is not
/// listened to need not be fetched.
#[must_use]
pub fn listens(name: &str, action: Option<&str>) -> bool {
    Matter::of(name, action.unwrap_or("")).is_some()
}

/// The name of an event as a word of ours: for what is counted, where names of
/// others have no place.
#[must_use]
pub fn word(name: &str) -> &'static str {
    const HEARD: [&str; 11] = [
        "push",
        "repository",
        "public",
        "issues",
        "pull_request",
        "installation",
        "installation_target",
        "installation_repositories",
        "check_run",
        "check_suite",
        "ping",
    ];
    HEARD.into_iter().find(|heard| *heard == name).unwrap_or("other")
}

/// The jobs that `event` asks for, to be run from `now`.
#[must_use]
pub fn route(event: &Event, known: Known<'_>, now: Timestamp) -> Vec<NewJob> {
    let Some(installation) = &event.installation else { return Vec::new() };
    let action = event.action.as_deref().unwrap_or("");
    if caused_by_us(event, known) && (event.name.as_str(), action) != ("pull_request", "closed") {
        return Vec::new();
    }
    let Some(matter) = Matter::of(&event.name, action) else { return Vec::new() };
    let jobs = Jobs { event, installation, now };
    let mut routed = match matter {
        Matter::Push => jobs.of_push(known),
        Matter::Repository => {
            let default_branch = event.changes.as_ref().is_some_and(|c| c.default_branch.is_some());
            if action == "edited" && !default_branch { Vec::new() } else { jobs.of_repository() }
        }
        Matter::Issue => jobs.of_item(event.issue.as_ref(), known),
        Matter::PullRequest => jobs.of_item(event.pull_request.as_ref(), known),
        Matter::Installation => vec![jobs.read()],
        Matter::Coverage => vec![jobs.sweep(Priority::Sweep)],
        Matter::Check => Vec::new(),
    };
    if let Some(wish) = check_wish(event, known) {
        routed.push(jobs.check(&wish));
    }
    routed
}

/// What an event asks to be checked: the head of a pull request that is meant
/// for the default branch, or what a person wants once more. The job for it is
/// among those of [`route`].
#[must_use]
pub fn check_wish(event: &Event, known: Known<'_>) -> Option<CheckWish> {
    let (installation, repository) = (event.installation.as_ref()?, event.repository.as_ref()?);
    if caused_by_us(event, known) {
        return None;
    }
    let asked = match (event.name.as_str(), event.action.as_deref()?) {
        ("pull_request", "opened" | "reopened" | "synchronize") => {
            let item = event.pull_request.as_ref()?;
            let elsewhere = item.base.as_ref().is_some_and(|base| !is_default(repository, &base.name));
            let head = item.head.as_ref()?.sha.clone().filter(|_| !elsewhere)?;
            Asked::Head { pull_request: item.node_id.clone()?, head }
        }
        ("check_run", "rerequested") => {
            let run = event.check_run.as_ref().filter(|run| run.name.as_deref() == Some(check::NAME))?;
            Asked::Again { head: run.head_sha.clone() }
        }
        ("check_suite", "rerequested") => Asked::Again { head: event.check_suite.as_ref()?.head_sha.clone() },
        _ => return None,
    };
    Some(CheckWish { repository: repository.id, installation: installation.id, asked })
}

/// What an edited text of a pull request of ours answers, each with the place
/// it stands in: only what this edit changed, and never a bot's (etiquette 4.4,
/// threats P3). Whether it counts is looked up by the job that [`route`] asks
/// for.
#[must_use]
pub fn answers(event: &Event, known: Known<'_>, now: Timestamp) -> Vec<(RepositoryId, SaidAnswer)> {
    let edited = (event.name.as_str(), event.action.as_deref()) == ("pull_request", Some("edited"));
    let sender = event.sender.as_ref().filter(|sender| edited && !sender.is_bot());
    let (Some(sender), Some(repository), Some(item)) = (sender, &event.repository, &event.pull_request)
    else {
        return Vec::new();
    };
    let before = event.changes.as_ref().and_then(|changes| changes.body.as_ref());
    let (Some(before), Some(after), Some(id)) = (before, &item.body, &item.node_id) else {
        return Vec::new();
    };
    if caused_by_us(event, known) || !could_be_ours(item, known) {
        return Vec::new();
    }
    let said = |(field, filled)| {
        let answer = SaidAnswer {
            pull_request: id.clone(),
            field,
            filled,
            actor: sender.id,
            login: sender.login.as_ref().map(ToString::to_string).unwrap_or_default(),
            said_at: now,
        };
        (repository.id, answer)
    };
    questions::changed(&before.from, after).into_iter().map(said).collect()
}

/// The repository whose judged head [`route`] must be told to tell that a push
/// costs no job: asking the database is spared where the push costs one anyway.
#[must_use]
pub fn hangs_on_judged_head(event: &Event) -> Option<RepositoryId> {
    let (repository, branch) = (event.repository.as_ref()?, event.branch()?);
    let reads = |path: &str| touches_ours(path) || may_be_import(repository, path);
    let hangs = event.name == "push"
        && is_default(repository, branch)
        && tells_its_paths(event).is_some_and(|mut paths| !paths.any(reads));
    hangs.then_some(repository.id)
}

/// How a push that costs no job moves the judged head, so that the next one
/// costs none either.
#[must_use]
pub fn moves_judged_head(event: &Event, known: Known<'_>) -> Option<HeadMoved> {
    let judged = known.judged.filter(|judged| event.before.as_ref() == Some(judged))?;
    let repository = hangs_on_judged_head(event)?;
    Some(HeadMoved { repository, before: judged.clone(), after: event.after.clone()? })
}

/// Whether a rule may read what stands at `path`, from the root of a
/// repository. Paths that a policy names besides are left to the sweep.
#[must_use]
pub fn touches_ours(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let in_folder =
        |root: &str| folder == root || folder.strip_prefix(root).is_some_and(|f| f.starts_with('/'));
    if in_folder(".github") || in_folder("licenses") || in_folder("records") {
        return true;
    }
    let license = ["license", "licence", "copying", "copyright"].iter().any(|word| name.contains(word));
    let community = ["readme", "contributing"].iter().any(|word| name.starts_with(word));
    match folder {
        "" => license || community || name == "code.json" || name == PATH,
        "docs" => license || community,
        _ => false,
    }
}

/// Whether a policy may name this file as the inventory to import. Below
/// `records/` it may in every control repository; elsewhere one of another name
/// is read at night.
fn may_be_import(repository: &Repository, path: &str) -> bool {
    path.ends_with(".json") && repository.name.as_ref().is_some_and(exemptions::is_usual)
}

fn caused_by_us(event: &Event, known: Known<'_>) -> bool {
    known.bot.is_some_and(|bot| event.sender.as_ref().is_some_and(|sender| sender.id == bot))
}

/// The jobs of one event.
#[derive(Clone, Copy)]
struct Jobs<'a> {
    event: &'a Event,
    installation: &'a Installation,
    now: Timestamp,
}

impl Jobs<'_> {
    fn of_push(self, known: Known<'_>) -> Vec<NewJob> {
        let Some(repository) = &self.event.repository else { return Vec::new() };
        // A tag, or something that is no branch.
        let Some(branch) = self.event.branch() else { return Vec::new() };
        if !is_default(repository, branch) {
            let ours = !known.branch_prefix.is_empty() && branch.starts_with(known.branch_prefix);
            return if ours { vec![self.inspect(repository)] } else { Vec::new() };
        }
        if moves_judged_head(self.event, known).is_some() {
            return Vec::new();
        }
        let mut jobs = self.of_repository();
        if self.may_change_exemptions(repository) {
            jobs.push(exemptions::job(self.installation.id, self.now, self.cause()));
        }
        jobs
    }

    /// Whether a push may have changed what people decide or answer. Whether the
    /// repository holds it is looked up when it is read.
    fn may_change_exemptions(self, repository: &Repository) -> bool {
        match tells_its_paths(self.event) {
            Some(mut paths) => paths
                .any(|path| path == PATH || path.starts_with("records/") || may_be_import(repository, path)),
            None => repository.name.as_ref().is_some_and(exemptions::is_usual),
        }
    }

    /// The repository; and all of its organization, if it hands files or the
    /// policy down to the others.
    fn of_repository(self) -> Vec<NewJob> {
        let Some(repository) = &self.event.repository else { return Vec::new() };
        let mut jobs = vec![self.inspect(repository)];
        if repository.name.as_ref().is_some_and(|name| name.is_organization_home()) {
            jobs.push(self.sweep(Priority::Policy));
        }
        jobs
    }

    fn of_item(self, item: Option<&Item>, known: Known<'_>) -> Vec<NewJob> {
        let (Some(repository), Some(item)) = (&self.event.repository, item) else { return Vec::new() };
        if could_be_ours(item, known) { vec![self.inspect(repository)] } else { Vec::new() }
    }

    fn inspect(self, repository: &Repository) -> NewJob {
        self.job(JobKind::InspectRepository, repository.id.0, Priority::Push)
    }

    fn sweep(self, priority: Priority) -> NewJob {
        self.job(JobKind::SweepInstallation, self.installation.id.0, priority)
    }

    fn check(self, wish: &CheckWish) -> NewJob {
        let priority = match wish.asked {
            Asked::Head { .. } => Priority::Push,
            Asked::Again { .. } => Priority::Command,
        };
        self.job(JobKind::CheckPullRequests, wish.repository.0, priority)
    }

    fn read(self) -> NewJob {
        NewJob { cause: self.cause(), ..read_installations::job(self.installation.id, self.now) }
    }

    fn job(self, kind: JobKind, subject: u64, priority: Priority) -> NewJob {
        NewJob::new(kind, subject, self.installation.id, priority, self.now, self.cause())
    }

    /// For people: `push 5d0c2a1`, `issues.closed`.
    fn cause(self) -> String {
        match (&self.event.action, &self.event.after) {
            (_, Some(after)) if self.event.name == "push" => format!("push {}", after.short()),
            (Some(action), _) => format!("{}.{action}", self.event.name),
            (None, _) => self.event.name.clone(),
        }
    }
}

/// The paths that a push changed, if what it names is all that it brought.
fn tells_its_paths(push: &Event) -> Option<impl Iterator<Item = &str>> {
    let commits = push.commits.as_ref()?;
    let plain = !push.created && !push.deleted && !push.forced && commits.count() < MOST_COMMITS;
    plain.then(|| commits.paths())
}

/// Whether it is the default branch, as far as the event says.
fn is_default(repository: &Repository, branch: &str) -> bool {
    repository.default_branch.as_deref().is_none_or(|default| default == branch)
}

/// Ours by its author, or by its branch; what names no author may be ours.
fn could_be_ours(item: &Item, known: Known<'_>) -> bool {
    let by_author = match (&item.author, known.bot) {
        (Some(author), Some(bot)) => author.id == bot,
        (Some(author), None) => author.is_bot(),
        (None, _) => true,
    };
    let by_branch = item
        .head
        .as_ref()
        .is_some_and(|head| !known.branch_prefix.is_empty() && head.name.starts_with(known.branch_prefix));
    by_author || by_branch
}

#[cfg(test)]
mod tests;
