//! The stories that call GitHub in every way Muster can: what people do, and
//! the calm after each of their acts in which whatever went wrong is mended.

mod worlds;

use std::{pin::Pin, time::Duration};

use github_sandbox::{
    BranchRule, Builder, Fault, FaultKind, Sandbox, Traffic,
    state::{Caller, NewIssue, NewPullRequest, Ruleset},
};
use muster::{
    clock::Clock,
    domain::repository::{InstallationId, Login, RepositoryId},
    github::{self, GitHub},
    jobs::intake::Way,
};
use secrecy::SecretString;

use self::worlds::{
    ahead_of_us, bare_site, cc0, complete_site, described_site, licensed_bare_site, licensed_site, odd_names,
    outside, private_site, ruled_site, site_with_readme, site_without_code_json, site_without_license,
    two_accounts, two_sites, unforced_site, with_code, with_commits, with_inventory, with_traffic,
};
use crate::harness::{Muster, README, complete, endpoints, sandbox};

/// A Tuesday, and the hours of the default policy have just begun.
const MORNING: &str = "2026-11-17T09:00:00Z";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const SITE: &str = "agency/site";

type Played<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A GitHub, and what happens on it.
pub struct Story {
    /// For messages.
    pub name: &'static str,
    /// How Muster comes to its deliveries.
    pub way: Way,
    /// Whether an inventory is published.
    pub publishes: bool,
    github: fn(Builder, &Clock) -> Builder,
    play: for<'a> fn(&'a mut Scene) -> Played<'a>,
}

/// Every way Muster calls GitHub is in one of these.
pub const STORIES: [Story; 29] = [
    hooked("opened", bare_site, |scene| Box::pin(opened(scene))),
    hooked("swept", two_sites, |scene| Box::pin(swept(scene))),
    hooked("mended", site_with_readme, |scene| Box::pin(mended(scene))),
    hooked("declined", licensed_site, |scene| Box::pin(declined(scene))),
    hooked("license", site_without_license, |scene| Box::pin(opened(scene))),
    hooked("no drafts", private_site, |scene| Box::pin(opened(scene))),
    hooked("cut at the branch", bare_site, |scene| Box::pin(cut(scene, 1))),
    hooked("cut at the commit", bare_site, |scene| Box::pin(cut(scene, 2))),
    hooked("name taken", bare_site, |scene| Box::pin(name_taken(scene))),
    hooked("odd names", odd_names, |scene| Box::pin(opened(scene))),
    hooked("made twice", site_with_readme, |scene| Box::pin(made_twice(scene))),
    hooked("landed", described_site, |scene| Box::pin(landed(scene))),
    hooked("made ready", licensed_bare_site, |scene| Box::pin(made_ready(scene))),
    hooked("no force pushes", unforced_site, |scene| Box::pin(landed(scene))),
    hooked("auto-merge", licensed_site, |scene| Box::pin(auto_merge(scene))),
    hooked("left out", site_with_readme, |scene| Box::pin(left_out(scene))),
    hooked("left out, cut", site_with_readme, |scene| Box::pin(left_out_cut(scene))),
    hooked("ruled out", ruled_site, |scene| Box::pin(opened(scene))),
    hooked("swept odd names", odd_names, |scene| Box::pin(swept(scene))),
    hooked("clock off", ahead_of_us, |scene| Box::pin(clock_off(scene))),
    hooked("terminal", two_accounts, |scene| Box::pin(terminal(scene))),
    hooked("checked", complete_site, |scene| Box::pin(checked(scene))),
    hooked("answered", site_without_code_json, |scene| Box::pin(answered(scene))),
    hooked("not delivered", two_sites, |scene| Box::pin(not_delivered(scene))),
    Story { publishes: true, ..hooked("published", with_inventory, |scene| Box::pin(published(scene))) },
    Story { publishes: true, ..hooked("measured", with_traffic, |scene| Box::pin(measured(scene))) },
    Story { publishes: true, ..hooked("counted", with_code, |scene| Box::pin(counted(scene))) },
    Story { publishes: true, ..hooked("committed", with_commits, |scene| Box::pin(committed(scene))) },
    Story { way: Way::Poll, ..hooked("polled", two_sites, |scene| Box::pin(polled(scene))) },
];

/// A story in which GitHub sends deliveries.
const fn hooked(
    name: &'static str,
    github: fn(Builder, &Clock) -> Builder,
    play: for<'a> fn(&'a mut Scene) -> Played<'a>,
) -> Story {
    Story { name, way: Way::Webhook, publishes: false, github, play }
}

impl Story {
    /// The GitHub of the story, before anything has happened, and its clock.
    pub async fn begin(&self) -> (Sandbox, Clock) {
        let clock = Clock::stepped(MORNING.parse().unwrap());
        ((self.github)(sandbox(&clock), &clock).start().await.unwrap(), clock)
    }

    /// Plays it to its end.
    pub async fn play(&self, scene: &mut Scene) {
        (self.play)(scene).await;
    }
}

/// A story under way.
pub struct Scene {
    pub github: Sandbox,
    pub muster: Muster,
    /// What was told to the person at the terminal.
    pub told: String,
    /// A call that a fault holds is done once Muster has given it up.
    pub late: bool,
}

impl Scene {
    /// Lets everything happen that is due now, and whatever had to wait for
    /// its next attempt; no longer than the hours of a day allow.
    async fn calm(&mut self) {
        self.muster.settle().await;
        self.let_go_late().await;
        for _ in 0..4 {
            self.advance(20 * MINUTE).await;
        }
    }

    async fn advance(&mut self, by: Duration) {
        self.muster.advance(by).await;
        self.let_go_late().await;
    }

    /// Goes on the next morning.
    async fn next_morning(&mut self) {
        let morning = MORNING.parse::<jiff::Timestamp>().unwrap();
        let gone = Duration::try_from(self.muster.clock.now().duration_since(morning)).unwrap();
        let left = DAY - Duration::from_secs(gone.as_secs() % DAY.as_secs());
        self.advance(left).await;
    }

    /// What a server does at its start: again and again until it succeeds.
    async fn begin(&mut self) {
        let worker = self.muster.worker.clone();
        self.repeated(|| async { worker.begin().await.map_err(|error| error.to_string()) }).await;
        self.let_go_late().await;
    }

    /// Asks until there is an answer, as a person repeats a command.
    async fn repeated<T, A>(&self, ask: impl Fn() -> A) -> T
    where
        A: Future<Output = Result<T, String>>,
    {
        let mut failed = String::new();
        for _ in 0..60 {
            match ask().await {
                Ok(answer) => return answer,
                Err(error) => failed = error,
            }
            self.muster.clock.advance(MINUTE);
        }
        panic!("no answer within an hour: {failed}");
    }

    /// Before Muster looks again: the clock stands still until this is over.
    async fn let_go_late(&mut self) {
        if !self.late || self.github.faults_left(FaultKind::Held) > 0 {
            return;
        }
        self.late = false;
        let before = self.github.calls().len();
        self.github.release();
        while self.github.calls().len() == before {
            tokio::task::yield_now().await;
        }
    }

    fn push(&self) {
        self.github.user("alice").push(SITE, "main", &[("src/lib.rs", "\n")], "Write code");
    }
}

/// The inventory is proposed, somebody answers, a repository is renamed, and
/// the proposal is merged.
async fn published(scene: &mut Scene) {
    scene.begin().await;
    scene.calm().await;
    let record = format!("records/{}.json", scene.github.repository_id(SITE));
    let import = outside("Snow");
    let files = [(record.as_str(), "{\"AIUseCaseID\": \"0\"}\n"), ("records/outside.json", import.as_str())];
    scene.github.user("olivia").push("agency/.github-private", "main", &files, "Answer");
    scene.calm().await;
    scene.github.user("olivia").rename(SITE, "home");
    scene.calm().await;
    scene.github.user("olivia").merge("agency/inventory", 1);
    scene.calm().await;
}

/// People come, some nights pass, and what was counted is the same whichever
/// call failed on the way.
async fn measured(scene: &mut Scene) {
    scene.github.visit(SITE, Traffic { clones: 3, cloners: 2, views: 5, visitors: 4 });
    scene.github.visit("agency/fine", Traffic { clones: 1, cloners: 1, views: 1, visitors: 1 });
    scene.begin().await;
    scene.calm().await;
    for _ in 0..4 {
        scene.next_morning().await;
        scene.calm().await;
    }
    let year = scene.muster.ctx.store.traffic_of("2027".parse().unwrap()).await.unwrap();
    for name in [SITE, "agency/fine"] {
        let id = RepositoryId(scene.github.repository_id(name));
        let (clones, views) = year.0.get(&id).map_or((0, 0), |measured| (measured.clones, measured.views));
        scene.told += &format!("{name}: {clones} clones, {views} views\n");
    }
}

/// The lines of a repository are counted, if not today then tomorrow.
async fn counted(scene: &mut Scene) {
    scene.begin().await;
    scene.calm().await;
    for _ in 0..3 {
        scene.next_morning().await;
        scene.calm().await;
    }
    let id = RepositoryId(scene.github.repository_id(SITE));
    let hours = scene.muster.ctx.store.counted_hours(id).await.unwrap();
    scene.told += &format!("{hours:?} hours\n");
}

/// The inventory is committed, then a rule asks for a pull request, which is
/// open when the rule is gone and the next commit has its content.
async fn committed(scene: &mut Scene) {
    scene.begin().await;
    scene.calm().await;
    let id = scene.github.repository_id("agency/inventory");
    scene.github.change(|state| {
        let rules = &mut state.repository_mut(id).unwrap().rulesets;
        rules.push(Ruleset {
            id: 1,
            name: "reviewed".to_owned(),
            branches: vec!["~DEFAULT_BRANCH".to_owned()],
            rules: vec![BranchRule::PullRequest],
            app_bypasses: false,
        });
    });
    scene.github.user("olivia").rename(SITE, "home");
    scene.calm().await;
    scene.github.change(|state| state.repository_mut(id).unwrap().rulesets.clear());
    scene.github.user("olivia").rename("agency/home", "house");
    scene.calm().await;
}

/// A push, and what follows from it.
async fn opened(scene: &mut Scene) {
    scene.push();
    scene.calm().await;
}

/// A pull request about which there is more to say than fits in one call.
async fn checked(scene: &mut Scene) {
    scene.begin().await;
    scene.calm().await;
    let releases = ["{\"name\": 1}"; 6].join(",\n");
    let text = format!("{{\"releases\": [\n{releases}\n]}}\n");
    let alice = scene.github.user("alice");
    alice.create_branch(SITE, "topic");
    alice.push(SITE, "topic", &[("code.json", &text)], "Describe it");
    alice.open_pull_request(SITE, "topic", "Describe it", "");
    scene.calm().await;
}

/// Somebody answers in the text of the pull request about code.json, and merges
/// it.
async fn answered(scene: &mut Scene) {
    opened(scene).await;
    let alice = scene.github.user("alice");
    let asked = scene.github.pull_requests(SITE)[0].body.clone();
    alice.edit_body(SITE, 1, &asked.replace("- AI use case: ", "- AI use case: 0"));
    scene.calm().await;
    alice.merge(SITE, 1);
    scene.calm().await;
}

/// A push of which nobody hears until the network is back.
async fn not_delivered(scene: &mut Scene) {
    scene.begin().await;
    scene.calm().await;
    scene.muster.unplug();
    scene.github.user("alice").delete_files("agency/fine", "main", &["CONTRIBUTING.md"], "Tidy up");
    scene.muster.settle().await;
    scene.muster.plug_in();
    scene.calm().await;
    scene.calm().await;
}

/// A push that is heard of because Muster asks.
async fn polled(scene: &mut Scene) {
    scene.begin().await;
    scene.calm().await;
    scene.github.user("alice").delete_files("agency/fine", "main", &["CONTRIBUTING.md"], "Tidy up");
    scene.calm().await;
    scene.calm().await;
}

/// No push: the first sweep finds what is missing.
async fn swept(scene: &mut Scene) {
    scene.begin().await;
    scene.calm().await;
    scene.calm().await;
    // Again, with items that stand.
    scene.next_morning().await;
    scene.calm().await;
}

/// The pull request is merged, the rest is pushed by hand.
async fn mended(scene: &mut Scene) {
    opened(scene).await;
    let alice = scene.github.user("alice");
    let number = scene.github.pull_requests(SITE).iter().map(|pull| pull.number).max().unwrap();
    alice.merge(SITE, number);
    scene.calm().await;
    alice.push(SITE, "main", &[("LICENSE", cc0())], "Add a license");
    scene.calm().await;
    scene.next_morning().await;
}

/// The pull request is closed, and opened again.
async fn declined(scene: &mut Scene) {
    opened(scene).await;
    let alice = scene.github.user("alice");
    alice.close_pull_request(SITE, 1);
    scene.calm().await;
    alice.reopen(SITE, 1);
    scene.calm().await;
}

/// People push one of the files themselves, then the other.
async fn landed(scene: &mut Scene) {
    opened(scene).await;
    let alice = scene.github.user("alice");
    alice.push(SITE, "main", &[("CONTRIBUTING.md", "Write to us.\n")], "Say how to contribute");
    scene.calm().await;
    alice.push(SITE, "main", &[("README.md", README)], "Say what it is");
    scene.calm().await;
}

/// People push the file that the draft waited for.
async fn made_ready(scene: &mut Scene) {
    opened(scene).await;
    scene.github.user("alice").push(SITE, "main", &[("README.md", README)], "Say what it is");
    scene.calm().await;
}

/// Somebody commits to a pull request that was to merge by itself.
async fn auto_merge(scene: &mut Scene) {
    opened(scene).await;
    let alice = scene.github.user("alice");
    alice.enable_auto_merge(SITE, 1);
    scene.calm().await;
    alice.push(SITE, "muster/files", &[("notes.txt", "Mine.\n")], "Add notes");
    scene.calm().await;
}

/// The policy leaves the repository out.
async fn left_out(scene: &mut Scene) {
    opened(scene).await;
    let policy = "mode: fix\nrepositories: {exclude: [\".github\", site]}\n";
    let files = [(".github/muster.yml", policy)];
    scene.github.user("olivia").push("agency/.github", "main", &files, "Leave the site alone");
    scene.calm().await;
}

/// The closing breaks off after its line was said.
async fn left_out_cut(scene: &mut Scene) {
    scene.github.fault(Fault::on("POST /graphql ClosePullRequest").kind(FaultKind::Cut(1)));
    left_out(scene).await;
}

/// The creation of the pull request breaks off, and is taken up again.
async fn cut(scene: &mut Scene, fields: usize) {
    scene.github.fault(Fault::on("POST /graphql Propose").kind(FaultKind::Cut(fields)));
    opened(scene).await;
}

/// The work rests until the clock is right.
async fn clock_off(scene: &mut Scene) {
    opened(scene).await;
    scene.calm().await;
}

/// The repository is renamed, another gets its name, and nobody says so.
async fn name_taken(scene: &mut Scene) {
    opened(scene).await;
    let olivia = scene.github.user("olivia");
    olivia.rename(SITE, "new-site");
    olivia.create_repository("agency", complete("site"));
    scene.github.change_pending(Vec::clear);
    let files = [("CONTRIBUTING.md", "Write to us.\n")];
    scene.github.user("alice").push("agency/new-site", "main", &files, "Say how to contribute");
    scene.calm().await;
}

/// Something on the way made everything twice.
async fn made_twice(scene: &mut Scene) {
    opened(scene).await;
    let (issue, pull) = (scene.github.issues(SITE)[0].clone(), scene.github.pull_requests(SITE)[0].clone());
    let id = scene.github.repository_id(SITE);
    scene.github.user("alice").create_branch(SITE, "next");
    scene.github.change(|state| {
        let bot = Caller::Installation(state.grants().into_iter().next().unwrap());
        let again = NewIssue { title: issue.title, body: Some(issue.body), ..NewIssue::default() };
        state.create_issue(&bot, id, again).unwrap();
        let again = NewPullRequest {
            title: pull.title,
            body: Some(pull.body),
            head: "muster/files".to_owned(),
            base: "next".to_owned(),
            ..NewPullRequest::default()
        };
        state.create_pull_request(&bot, id, again).unwrap();
    });
    // The first look closes the second ones, the next takes that in.
    for text in ["\n", "\n\n"] {
        scene.github.user("alice").push(SITE, "main", &[(".github/notes", text)], "Take notes");
        scene.calm().await;
    }
}

/// What commands ask for and a server does not: who has installed the App,
/// what a token sees; and the end of the tokens at shutdown.
async fn terminal(scene: &mut Scene) {
    let github = &scene.muster.ctx.github;
    for login in ["agency", "carol", "elsewhere"] {
        let login: Login = login.parse().unwrap();
        let answer = scene
            .repeated(|| async {
                match github.installation_of(&login).await {
                    Ok(found) => Ok(format!("the installation of {login} is of {:?}\n", found.login)),
                    Err(github::Error::NotFound(_)) => Ok(format!("{login} has none\n")),
                    Err(error) => Err(error.to_string()),
                }
            })
            .await;
        scene.told += &answer;
    }
    let token = SecretString::from(scene.github.user_token("olivia"));
    let plain = GitHub::with_token(endpoints(&scene.github), token, scene.muster.clock.clone()).unwrap();
    let reader = plain.token_reader().unwrap();
    let agency: Login = "agency".parse().unwrap();
    let ask = || async { reader.organization_repositories(&agency).await.map_err(|error| error.to_string()) };
    for seen in scene.repeated(ask).await {
        scene.told += &format!("{} {:?}\n", seen.name, seen.visibility);
    }
    let reader = github.reader(InstallationId(scene.github.installation_id("agency")));
    let ask = || async { reader.repositories().await.map_err(|error| error.to_string()) };
    scene.told += &format!("{} to sweep\n", scene.repeated(ask).await.len());
    // A token that is not ended ends by itself, so one try is enough.
    let (ended, left) = github.revoke_all().await;
    scene.told += &format!("{} tokens given back\n", ended + left);
    scene.advance(HOUR).await;
}
