//! One life of a repository: people act, Muster follows, time passes.

mod end;

use std::{collections::BTreeSet, time::Duration};

use github_sandbox::{
    Fault, FaultKind, Limit, PullRequestView, Sandbox, Visibility, installation,
    state::{Caller, MergeMethod},
};
use jiff::SignedDuration;
use muster::{
    clock::Clock,
    domain::{
        finding::{FindingSet, FindingsHash},
        marker::Kind,
    },
};

pub use self::end::End;
use crate::{
    harness::{Muster, README, agency, old, sandbox},
    server::Database,
};

/// No brake on pace or hours: when something is opened does not matter here,
/// and so never depends on how long the troubled run had to wait.
const POLICY: &str = "mode: fix
repositories: {exclude: [\".github\"]}
quiet: {days: [mon, tue, wed, thu, fri, sat, sun], hours: \"00:00-24:00\", federal_holidays: false}
limits: {first_day: 100, per_day: 100, issues_per_day: 100, per_repository_per_week: 100, open: 1000}
";
const START: &str = "2026-11-17T09:00:00Z";
/// What people find in the repository. The digest belongs into another.
pub const KINDS: [Kind; 4] = [Kind::License, Kind::Files, Kind::CodeJson, Kind::Tracking];
const HOUR: Duration = Duration::from_secs(60 * 60);
/// How far time steps while nothing is to be seen in between.
const STEP: u64 = 6;
const DAYS_AFTER: u64 = 14;

/// What may befall a call in a troubled run.
pub const FAULTS: [FaultKind; 8] = [
    FaultKind::BadGateway,
    FaultKind::BadGatewayAfter,
    FaultKind::Reset,
    FaultKind::ResetAfter,
    FaultKind::Unauthorized,
    FaultKind::Limited(429, Limit::RetryAfter(120)),
    FaultKind::PartialData,
    FaultKind::Cut(1),
];

/// A file that a rule looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum File {
    License,
    Readme,
    Contributing,
}

impl File {
    pub const ALL: [File; 3] = [File::License, File::Readme, File::Contributing];

    fn path(self) -> &'static str {
        match self {
            File::License => "LICENSE",
            File::Readme => "README.md",
            File::Contributing => "CONTRIBUTING.md",
        }
    }

    fn text(self, quality: Quality) -> &'static str {
        let license = |id| spdx::license_id(id).unwrap().text();
        match (self, quality) {
            (File::License, Quality::Good) => license("CC0-1.0"),
            // The policy does not allow it, and only a person may change it.
            (File::License, Quality::Bad) => license("GPL-3.0-only"),
            (File::Readme, Quality::Good) => README,
            (File::Readme, Quality::Bad) => "# Site\n",
            (File::Contributing, Quality::Good | Quality::Bad) => "Write to us.\n",
        }
    }
}

/// Whether a file is as the policy wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    Good,
    Bad,
}

/// How a person edits what Muster wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    AroundMarker,
    WithoutMarker,
}

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Write(File, Quality),
    Remove(File),
    Rename,
    Visibility,
    Merge(Kind),
    Close(Kind),
    CloseAndReopen(Kind),
    EditBody(Kind, Edit),
    PushOnto(Kind),
    DeleteBranch(Kind),
    Label(Kind),
}

impl Act {
    /// The same act on an item of another kind; `None` if it makes no sense.
    fn on(self, kind: Kind) -> Option<Act> {
        let pull_request = kind != Kind::Tracking;
        match self {
            Act::Write(..) | Act::Remove(_) | Act::Rename | Act::Visibility => Some(self),
            Act::Merge(_) => pull_request.then_some(Act::Merge(kind)),
            Act::Close(_) => Some(Act::Close(kind)),
            Act::CloseAndReopen(_) => Some(Act::CloseAndReopen(kind)),
            Act::EditBody(_, edit) => Some(Act::EditBody(kind, edit)),
            Act::PushOnto(_) => pull_request.then_some(Act::PushOnto(kind)),
            Act::DeleteBranch(_) => pull_request.then_some(Act::DeleteBranch(kind)),
            Act::Label(_) => Some(Act::Label(kind)),
        }
    }

    /// The item of Muster's it is about.
    fn about(self) -> Option<Kind> {
        match self {
            Act::Write(..) | Act::Remove(_) | Act::Rename | Act::Visibility => None,
            Act::Merge(kind)
            | Act::Close(kind)
            | Act::CloseAndReopen(kind)
            | Act::EditBody(kind, _)
            | Act::PushOnto(kind)
            | Act::DeleteBranch(kind)
            | Act::Label(kind) => Some(kind),
        }
    }
}

/// What goes wrong in a step of the troubled run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    None,
    /// No event of this step arrives.
    Lost,
    Doubled,
    Reversed,
    /// The events arrive only in the next step.
    Late,
    /// So many calls later the next person acts, while Muster waits for an
    /// answer.
    InTheMiddle(u64),
    Fault {
        fault: usize,
        after: u64,
        times: u64,
    },
}

/// How a history begins.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// The files that are there.
    pub files: Vec<File>,
    /// Whether the policy names a license to propose.
    pub proposes: bool,
    /// How many seconds lists lag in the troubled run.
    pub lag: u8,
}

/// An act, the time that passes after it, and what goes wrong meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub act: Act,
    pub hours: u64,
    pub trouble: Trouble,
}

/// A step that was taken in the ordered run, and of which findings the item
/// spoke that it was about.
#[derive(Debug, Clone)]
pub struct Done {
    pub step: Step,
    findings: FindingSet,
}

/// A run under way.
pub struct Life {
    github: Sandbox,
    muster: Muster,
    trouble: Trouble,
    /// What a person closed or merged so far for the act under way.
    handled: BTreeSet<String>,
}

impl Life {
    /// Every event at once, no fault, no lag. Answers where it ended, and which
    /// acts there were: an act on an item that is not there does not happen.
    pub async fn ordered(beginning: &Beginning, steps: &[Step]) -> (End, Vec<Done>) {
        let mut life = Life::begin(Database::Sqlite, beginning, 0).await;
        let mut done = Vec::new();
        for step in steps {
            let Some((act, findings)) = life.possible(step.act).await else { continue };
            life.act_on(act);
            life.muster.settle().await;
            if let Act::CloseAndReopen(kind) = act {
                life.reopen(kind);
                life.muster.settle().await;
            }
            done.push(Done { step: Step { act, ..*step }, findings });
            life.pass(step.hours).await;
        }
        (life.end().await, done)
    }

    /// The act, or the same on an item that is there.
    async fn possible(&self, act: Act) -> Option<(Act, FindingSet)> {
        let Some(first) = act.about() else { return Some((act, FindingSet::default())) };
        let others = KINDS.into_iter().cycle().skip_while(|kind| *kind != first).take(KINDS.len());
        for act in others.filter_map(|kind| act.on(kind)) {
            if let Some(findings) = self.ready(act).await {
                return Some((act, findings));
            }
        }
        None
    }

    /// The same acts in trouble.
    pub async fn troubled(database: Database, beginning: &Beginning, done: &[Done]) -> End {
        let mut life = Life::begin(database, beginning, beginning.lag).await;
        let mut left = done.iter().peekable();
        while let Some(Done { step, findings }) = left.next() {
            life.trouble = step.trouble;
            life.act_when_ready(step.act, findings).await;
            if let Trouble::Fault { fault, after, times } = step.trouble {
                life.github.fault(Fault::anywhere().kind(FAULTS[fault]).after(after).times(times));
            }
            match step.trouble {
                Trouble::InTheMiddle(calls) => {
                    let next = left.next_if(|next| next.step.act.about().is_none());
                    life.act_in_the_middle(calls, next.map(|next| next.step.act)).await;
                }
                Trouble::None
                | Trouble::Lost
                | Trouble::Doubled
                | Trouble::Reversed
                | Trouble::Late
                | Trouble::Fault { .. } => life.go_on().await,
            }
            life.pass(step.hours).await;
            life.github.clear_faults();
        }
        life.trouble = Trouble::None;
        life.end().await
    }

    async fn begin(database: Database, beginning: &Beginning, lag: u8) -> Life {
        let clock = Clock::stepped(START.parse().unwrap());
        let site = old("site").description(
            "Counts the birds of a river and draws them on a map for everyone who cares for the river, \
             and shows how many of each kind live there, where they rest, and how many there were before",
        );
        let license = if beginning.proposes { "propose: CC0-1.0, " } else { "" };
        let rules =
            format!("rules: {{license: {{{license}allow: [CC0-1.0, MIT]}}, readme: {{min_words: 20}}}}\n");
        let site = beginning.files.iter().fold(site.file("src/main.rs", "fn main() {}\n"), |site, file| {
            site.file(file.path(), file.text(Quality::Good))
        });
        let github = sandbox(&clock)
            .organization(agency(&format!("{POLICY}{rules}")).repository(site))
            .installation(installation("agency"))
            .list_lag(SignedDuration::from_secs(lag.into()))
            .start()
            .await
            .unwrap();
        let muster = Muster::start_with(&github, &clock, database, None).await;
        muster.begin().await;
        let mut life = Life { github, muster, trouble: Trouble::None, handled: BTreeSet::new() };
        life.pass(2).await;
        life
    }

    /// Fourteen days in which nobody does anything.
    async fn end(mut self) -> End {
        self.muster.settle().await;
        self.pass(DAYS_AFTER * 24).await;
        let end = End::of(&self).await;
        self.muster.finish().await;
        end
    }

    /// Lets time pass; what happens meanwhile is in trouble too.
    async fn pass(&mut self, hours: u64) {
        let mut left = hours;
        while left > 0 {
            let some = left.min(STEP);
            self.muster.clock.advance(HOUR * u32::try_from(some).unwrap());
            self.go_on().await;
            left -= some;
        }
    }

    /// Delivers as the trouble of this step has it, and lets Muster work until
    /// both are quiet.
    async fn go_on(&mut self) {
        loop {
            self.github.change_pending(|pending| match self.trouble {
                Trouble::Lost => pending.clear(),
                Trouble::Doubled => {
                    let twice = pending.clone();
                    pending.extend(twice);
                }
                Trouble::Reversed => pending.reverse(),
                Trouble::None | Trouble::Late | Trouble::InTheMiddle(_) | Trouble::Fault { .. } => {}
            });
            let delivered = match self.trouble {
                Trouble::Late => 0,
                Trouble::None
                | Trouble::Lost
                | Trouble::Doubled
                | Trouble::Reversed
                | Trouble::InTheMiddle(_)
                | Trouble::Fault { .. } => self.github.deliver().await,
            };
            self.muster.worker.drain().await.unwrap();
            self.at_most_one_of_a_kind();
            if delivered == 0 && (self.trouble == Trouble::Late || self.github.pending().is_empty()) {
                return;
            }
        }
    }

    /// Lets Muster work; when it has made so many calls, somebody acts before
    /// the answer comes.
    async fn act_in_the_middle(&mut self, calls: u64, act: Option<Act>) {
        self.github.fault(Fault::anywhere().kind(FaultKind::Held).after(calls));
        let github = self.github.clone();
        let held = {
            let mut working = Box::pin(self.go_on());
            tokio::select! {
                () = &mut working => false,
                () = github.holds() => {
                    if let Some(act) = act {
                        act_alone(&github, act);
                    }
                    github.release();
                    working.await;
                    true
                }
            }
        };
        github.clear_faults();
        if !held && let Some(act) = act {
            act_alone(&github, act);
        }
        self.go_on().await;
    }

    fn at_most_one_of_a_kind(&self) {
        for kind in KINDS {
            let open = self.open(kind);
            assert!(open.len() <= 1, "{kind} is open more than once: {open:?}");
        }
    }

    fn name(&self) -> String {
        name(&self.github)
    }

    /// The open items of a kind that Muster opened, readable or not.
    fn open(&self, kind: Kind) -> Vec<Item> {
        let (name, bot) = (self.name(), self.github.bot().0);
        let mine = |author: &str| author == bot;
        match kind {
            Kind::Tracking | Kind::Digest => {
                let issues = self.github.issues(&name);
                let open = issues.iter().filter(|issue| issue.state == "open" && mine(&issue.author));
                open.map(|issue| Item::new(issue.number, &issue.body, BTreeSet::new())).collect()
            }
            Kind::License | Kind::Files | Kind::CodeJson | Kind::Inventory => {
                let pulls = self.github.pull_requests(&name);
                let branch = format!("agency:{}", kind.branch("muster/"));
                let open = |pull: &&PullRequestView| {
                    pull.head == branch
                        && mine(&pull.author)
                        && ["open", "draft"].contains(&pull.state.as_str())
                };
                let paths = |pull: &PullRequestView| pull.files.iter().cloned().collect();
                pulls
                    .iter()
                    .filter(open)
                    .map(|pull| Item::new(pull.number, &pull.body, paths(pull)))
                    .collect()
            }
        }
    }

    /// The open item of a kind, if its marker can be read.
    fn readable(&self, kind: Kind) -> Option<Item> {
        self.open(kind).into_iter().find(|item| item.marker.is_some())
    }

    /// Whether an act can happen in the ordered run: the item it is about is
    /// there, and is as it would be opened today. Answers its findings.
    async fn ready(&self, act: Act) -> Option<FindingSet> {
        let Some(kind) = act.about() else { return Some(FindingSet::default()) };
        let item = self.readable(kind)?;
        let findings = end::counted(self).await;
        let wanted = match kind {
            Kind::Tracking | Kind::Digest => {
                let uncovered = findings.iter().any(|finding| self.covered_by(finding).is_none());
                (uncovered && item.speaks_of(&findings)).then_some(findings)?
            }
            Kind::License | Kind::Files | Kind::CodeJson | Kind::Inventory => {
                let of_kind = |finding: &end::Finding| end::kind_of(*finding) == Some(kind);
                let wanted: FindingSet = findings.iter().filter(of_kind).collect();
                let ours: BTreeSet<String> = File::ALL.iter().map(|file| file.path().to_owned()).collect();
                let adds: BTreeSet<String> = item.paths.intersection(&ours).cloned().collect();
                (adds == paths(&wanted)).then_some(wanted)?
            }
        };
        (!matches!(act, Act::Merge(_)) || self.mergeable(item.number)).then_some(wanted)
    }

    /// The pull request of ours that answers a finding.
    fn covered_by(&self, finding: end::Finding) -> Option<Kind> {
        end::kind_of(finding).filter(|kind| self.readable(*kind).is_some())
    }

    fn mergeable(&self, number: u64) -> bool {
        let id = self.github.repository_id(&self.name());
        self.github.state(|state| {
            let home = state.repository(id).unwrap();
            home.is_mergeable(home.issues[&number].pull().unwrap())
        })
    }

    /// Acts in the troubled run: on an item only once it says what it said in
    /// the ordered one. How Muster spreads the files over pull requests may
    /// differ, so whoever wants to merge or to decline them does so with each.
    async fn act_when_ready(&mut self, act: Act, findings: &FindingSet) {
        self.handled.clear();
        let mut patience = DAYS_AFTER * 24 / STEP;
        loop {
            if self.act_if_ready(act, findings) {
                return;
            }
            assert!(patience > 0, "{act:?} about {findings} waits for ever: {:#?}", self.open(Kind::Files));
            patience -= 1;
            self.pass(STEP).await;
        }
    }

    /// Whether the act is over.
    fn act_if_ready(&mut self, act: Act, findings: &FindingSet) -> bool {
        let Some(kind) = act.about() else {
            act_alone(&self.github, act);
            return true;
        };
        let Some(item) = self.readable(kind) else { return false };
        if kind == Kind::Tracking && !item.speaks_of(findings) {
            return false;
        }
        if matches!(act, Act::Merge(_)) && !self.mergeable(item.number) {
            return false;
        }
        self.act_on(act);
        if let Act::CloseAndReopen(kind) = act {
            self.reopen(kind);
        }
        match act {
            Act::Merge(_) | Act::Close(_) | Act::DeleteBranch(_) if kind != Kind::Tracking => {
                self.handled.extend(item.paths);
                paths(findings).is_subset(&self.handled)
            }
            Act::Merge(_)
            | Act::Close(_)
            | Act::DeleteBranch(_)
            | Act::CloseAndReopen(_)
            | Act::EditBody(..)
            | Act::PushOnto(_)
            | Act::Label(_)
            | Act::Write(..)
            | Act::Remove(_)
            | Act::Rename
            | Act::Visibility => true,
        }
    }

    /// Acts on the open item of the kind.
    fn act_on(&self, act: Act) {
        let (alice, name) = (self.github.user("alice"), self.name());
        let item = |kind| self.readable(kind).unwrap();
        match act {
            Act::Write(..) | Act::Remove(_) | Act::Rename | Act::Visibility => act_alone(&self.github, act),
            Act::Merge(kind) => {
                let (number, id) = (item(kind).number, self.github.repository_id(&name));
                self.github.change(|state| {
                    let caller = Caller::Person(alice.id());
                    state.set_draft(&caller, id, number, false).unwrap();
                    state.merge(&caller, id, number, MergeMethod::Squash, None).unwrap();
                });
            }
            Act::Close(kind) | Act::CloseAndReopen(kind) => alice.close_issue(&name, item(kind).number),
            Act::EditBody(kind, edit) => {
                let Item { number, body, .. } = item(kind);
                let body = match edit {
                    Edit::AroundMarker => format!("We talk about it on Monday.\n\n{body}"),
                    Edit::WithoutMarker => body.split("<!-- muster:v1").next().unwrap().to_owned(),
                };
                alice.edit_body(&name, number, &body);
            }
            Act::PushOnto(kind) => {
                alice.push(&name, &kind.branch("muster/"), &[("notes.txt", "Mine.\n")], "Add notes");
            }
            Act::DeleteBranch(kind) => alice.delete_branch(&name, &kind.branch("muster/")),
            Act::Label(kind) => alice.label(&name, item(kind).number, "help wanted"),
        }
    }

    /// Opens again what was closed last.
    fn reopen(&self, kind: Kind) {
        let (name, bot) = (self.name(), self.github.bot().0);
        let branch = format!("agency:{}", kind.branch("muster/"));
        let last = match kind {
            Kind::Tracking | Kind::Digest => {
                self.github.issues(&name).iter().filter(|issue| issue.author == bot).map(|i| i.number).max()
            }
            Kind::License | Kind::Files | Kind::CodeJson | Kind::Inventory => {
                let pulls = self.github.pull_requests(&name);
                pulls.iter().filter(|pull| pull.head == branch).map(|pull| pull.number).max()
            }
        };
        self.github.user("alice").reopen(&name, last.unwrap());
    }
}

fn name(github: &Sandbox) -> String {
    github.state(|state| {
        let mut names = state.repositories().map(|home| state.full_name(home));
        names.find(|name| !name.ends_with("/.github")).unwrap()
    })
}

/// An act that needs nothing of Muster's.
fn act_alone(github: &Sandbox, act: Act) {
    let (alice, olivia, name) = (github.user("alice"), github.user("olivia"), name(github));
    match act {
        Act::Write(file, quality) => {
            alice.push(&name, "main", &[(file.path(), file.text(quality))], "Write");
        }
        Act::Remove(file) => {
            if github.file(&name, "main", file.path()).is_some() {
                alice.delete_files(&name, "main", &[file.path()], "Remove");
            }
        }
        Act::Rename => olivia.rename(&name, if name == "agency/site" { "place" } else { "site" }),
        Act::Visibility => {
            let id = github.repository_id(&name);
            let now = github.state(|state| state.repository(id).unwrap().visibility);
            let other = if now == Visibility::Public { Visibility::Private } else { Visibility::Public };
            olivia.set_visibility(&name, other);
        }
        Act::Merge(_)
        | Act::Close(_)
        | Act::CloseAndReopen(_)
        | Act::EditBody(..)
        | Act::PushOnto(_)
        | Act::DeleteBranch(_)
        | Act::Label(_) => panic!("{act:?} is about an item of Muster's"),
    }
}

/// The paths that answer findings.
fn paths(findings: &FindingSet) -> BTreeSet<String> {
    use muster::domain::finding::RuleId;
    let path = |rule| match rule {
        RuleId::License => Some(File::License),
        RuleId::Readme => Some(File::Readme),
        RuleId::Contributing => Some(File::Contributing),
        RuleId::CodeJson => None,
    };
    findings.iter().filter_map(|(rule, _)| Some(path(rule)?.path().to_owned())).collect()
}

/// An open item of Muster's.
#[derive(Debug, Clone)]
pub struct Item {
    number: u64,
    body: String,
    /// The name of the findings in its marker; `None` if it has no marker.
    marker: Option<FindingsHash>,
    /// What it adds, if it is a pull request.
    paths: BTreeSet<String>,
}

impl Item {
    fn new(number: u64, body: &str, paths: BTreeSet<String>) -> Item {
        let marker = body.split_once("<!-- muster:v1").and_then(|(_, rest)| rest.split_once("findings="));
        let marker =
            marker.and_then(|(_, rest)| Some(FindingsHash(rest.split_whitespace().next()?.to_owned())));
        Item { number, body: body.replace("\r\n", "\n"), marker, paths }
    }

    fn speaks_of(&self, findings: &FindingSet) -> bool {
        self.marker.as_ref().is_some_and(|marker| marker.names(findings))
    }
}
