//! The values of the queue: jobs, leases and what became of them.

use super::row;
use crate::domain::repository::InstallationId;
use jiff::Timestamp;

/// How often a job is begun before it is a dead letter. The statements name
/// the same bound.
pub const MAX_ATTEMPTS: i64 = 5;

/// Declares an enum whose variants are words in the database.
macro_rules! words {
    ($(#[$note:meta])* $name:ident { $($(#[$variant_note:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$note])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_note])* $variant,)* }

        impl $name {
            /// Every variant.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The word in the database.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

        }

        impl std::str::FromStr for $name {
            type Err = ();

            fn from_str(word: &str) -> Result<Self, ()> {
                match word { $($word => Ok($name::$variant),)* _ => Err(()) }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}
pub(super) use words;

words! {
    /// What is to be done. Together with its subject it is the key of a job.
    JobKind {
        /// Gather, judge and act on one repository; the subject is its id.
        InspectRepository = "inspect_repository",
        /// List an installation and mark what changed; the subject is its id.
        SweepInstallation = "sweep_installation",
        /// Read what became of an installation; the subject is its id, or 0 for
        /// all there are.
        ReadInstallations = "read_installations",
        /// Get the deliveries that did not arrive; the subject is 0.
        RecoverDeliveries = "recover_deliveries",
        /// Read what is marked in an installation, and what is due, many
        /// repositories a call; the subject is its id.
        InspectInstallation = "inspect_installation",
        /// Assemble and publish the inventory of an agency; the subject is its
        /// number in the operator's table.
        PublishInventory = "publish_inventory",
        /// Read the inventory from outside that an agency's policy names; the
        /// subject is the agency's number in the operator's table.
        ReadImport = "read_import",
        /// Fetch the published files of an agency as anybody would; the subject
        /// is its number.
        VerifyInventory = "verify_inventory",
        /// Read the register of exemptions of an installation's account; the
        /// subject is its id.
        ReadExemptions = "read_exemptions",
        /// Check the pull requests of a repository that wait for it; the subject
        /// is its id, so that nobody else writes there meanwhile.
        CheckPullRequests = "check_pull_requests",
        /// Ask how often repositories of an installation are cloned and looked
        /// at; the subject is its id.
        PollTraffic = "poll_traffic",
        /// Count the source lines of repositories of an installation; the
        /// subject is its id.
        CountLabor = "count_labor",
        /// Delete what is past its retention; the subject is 0.
        PruneStore = "prune_store",
    }
}

/// Who goes first. A better priority is served before any worse one; within
/// one, installations take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// A person waits for an answer.
    Command,
    /// Something changed in a repository.
    Push,
    /// A policy changed.
    Policy,
    /// Nothing is known to have changed.
    Sweep,
}

impl Priority {
    /// Every priority, best first.
    pub const ALL: [Priority; 4] = [Priority::Command, Priority::Push, Priority::Policy, Priority::Sweep];

    /// The rank in the database, 0 first.
    pub(super) fn rank(self) -> i64 {
        match self {
            Priority::Command => 0,
            Priority::Push => 1,
            Priority::Policy => 2,
            Priority::Sweep => 3,
        }
    }

    /// The priority of a rank.
    pub(super) fn of(rank: i64) -> Option<Priority> {
        Priority::ALL.into_iter().find(|priority| priority.rank() == rank)
    }
}

/// A wish for a job. A second wish for the same kind and subject joins the
/// first: the earlier time and the better priority win, and a job that already
/// runs will run once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// What is to be done.
    pub kind: JobKind,
    /// To whom: a repository's id, an installation's id, or 0 for the App.
    pub subject: i64,
    /// The installation whose turn and token it uses; 0 for the App itself.
    pub installation: i64,
    /// Its rank among what is runnable.
    pub priority: Priority,
    /// Not before this moment.
    pub run_at: Timestamp,
    /// What brought it about, for people: "push 5d0c…", "sweep".
    pub cause: String,
}

impl NewJob {
    /// A job about what GitHub numbers `subject`, on behalf of an installation.
    #[must_use]
    pub fn new(
        kind: JobKind,
        subject: u64,
        installation: InstallationId,
        priority: Priority,
        run_at: Timestamp,
        cause: impl Into<String>,
    ) -> NewJob {
        let (subject, installation) = (row::number(subject), row::number(installation.0));
        NewJob { kind, subject, installation, priority, run_at, cause: cause.into() }
    }
}

/// A job in a worker's hands, until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What is to be done.
    pub kind: JobKind,
    /// To whom.
    pub subject: i64,
    /// The installation it belongs to.
    pub installation: i64,
    /// Its rank: the best of those who asked for it.
    pub priority: Priority,
    /// What brought it about last.
    pub cause: String,
    /// When it was first asked for.
    pub enqueued_at: Timestamp,
    /// Which enqueue this run answers.
    pub generation: i64,
    /// Rises with every lease of any job; a lease with an older one is lost.
    pub fence: i64,
    /// Which attempt this is, from 1.
    pub attempts: i64,
    /// How often in a row a worker stopped in the middle of it.
    pub crashes: i64,
    /// Who holds it.
    pub owner: String,
}

/// Which jobs a worker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those in which no worker has stopped since they were last done.
    Sound,
    /// Those in which one has: they may have made it stop, and others beside
    /// them would suffer with them.
    Troubled,
}

/// What became of a lease that was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a lost lease means that somebody else runs the job"]
pub enum Settlement {
    /// The job is over (a periodic one waits for its next period).
    Done,
    /// The job will run again: it was asked for meanwhile, failed with attempts
    /// left, or was released.
    Again,
    /// The last attempt failed: it waits among the dead letters for a person.
    Dead,
    /// The lease was no longer ours; nothing was changed.
    Lost,
}

/// What a job is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// It could be leased now.
    Ready,
    /// Its time has not come.
    Waiting,
    /// Its installation is parked, or GitHub asked to wait with it.
    Parked {
        /// Why.
        reason: String,
    },
    /// A worker has it.
    Running {
        /// Who.
        owner: String,
        /// When the lease ends.
        until: Timestamp,
    },
    /// It failed for good.
    Dead {
        /// Since when.
        since: Timestamp,
    },
}

/// A job as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The kind as stored; one that this version does not know is still listed.
    pub kind: String,
    /// To whom.
    pub subject: i64,
    /// The installation it belongs to.
    pub installation: i64,
    /// Its rank.
    pub priority: Priority,
    /// Not before this moment.
    pub run_at: Timestamp,
    /// When it was first asked for.
    pub enqueued_at: Timestamp,
    /// What brought it about last.
    pub cause: String,
    /// How often it was begun.
    pub attempts: i64,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// How often it returns by itself.
    pub every: Option<std::time::Duration>,
    /// What it is doing.
    pub state: JobState,
}

/// Which jobs to list; the default lists all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Only of this installation.
    pub installation: Option<i64>,
    /// Only of this subject.
    pub subject: Option<i64>,
}
